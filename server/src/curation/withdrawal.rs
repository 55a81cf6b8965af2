//! Withdrawing a signal at the wish of an admin: for good, whatever its channel says later.
//!
//! Entry point: [`withdraw`].

use serde_json::json;
use shared::wire::{Act, Event, SignalState, SignalStatus};
use sqlx::{Connection, PgPool};
use uuid::Uuid;

use crate::accounts::Refused;
use crate::audit::{self, By, Entry};
use crate::ingest::publish::kind_name;
use crate::store::log::{self, NewEvent};
use crate::store::{curation as rows, signals, to_json};

/// The longest reason: traders read it in lists.
const MAX_REASON_CHARS: usize = 200;

/// Withdraws a signal; none if there is no such signal. Traders act as after a deleted post.
pub async fn withdraw(
    pool: &PgPool,
    (id, reason): (Uuid, &str),
    by: &By,
) -> Result<Option<SignalState>, Refused> {
    check_reason(reason)?;
    let Some(state) = signals::by_id(pool, id).await? else { return Ok(None) };
    let channel_id = state.record.channel_id;
    let mut connection = pool.acquire().await?;
    let mut transaction = connection.begin().await?;
    // With the channel in hand: an edit that is stored at this moment is before or after it.
    rows::lock(&mut transaction, channel_id).await?;
    if !rows::strike(&mut transaction, id, by.at).await? {
        return Err(Refused::Conflict("an admin has withdrawn this signal before".into()));
    }
    let entry = Entry::new(Act::SignalWithdrawn, id)
        .from(json!({"status": state.status}))
        .to(json!({"status": SignalStatus::Withdrawn, "reason": reason}));
    audit::write(&mut transaction, by, entry).await?;
    let event = Event::SignalWithdrawn {
        signal_id: id,
        occurred_at: by.at,
        reason: reason.to_owned(),
        by_admin: true,
    };
    let base = Some(state.record.signal.base().to_string());
    let line = NewEvent { kind: kind_name(&event), channel_id, base, payload: to_json(&event)? };
    log::append(&mut transaction, by.at, &[line]).await?;
    transaction.commit().await?;
    Ok(Some(SignalState { status: SignalStatus::Withdrawn, ..state }))
}

fn check_reason(reason: &str) -> Result<(), Refused> {
    let is_plain = !reason.chars().any(char::is_control) && !reason.trim().is_empty();
    if is_plain && reason.chars().count() <= MAX_REASON_CHARS {
        return Ok(());
    }
    let problem = format!("expected 1 to {MAX_REASON_CHARS} characters on one line");
    Err(Refused::Unfit { field: "reason", problem })
}
