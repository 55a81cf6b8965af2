//! What `status` shows of listening: the session, and of each channel when it was last heard, its trouble and its gaps.
//!
//! Entry point: [`Listened::read`]. It reads only, so it works while another process listens.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;
use sqlx::SqlitePool;
use time::OffsetDateTime;

use super::ledger;
use crate::outbox::{self, OutboxError};
use crate::report::counted;
use crate::status::since;

const READING: &str = "reading how far Discord was heard";

/// The state of listening.
#[derive(Debug, Serialize)]
pub struct Listened {
    /// When the gateway session was last known to be alive; absent before the first one.
    #[serde(with = "time::serde::rfc3339::option")]
    pub alive_at: Option<OffsetDateTime>,
    /// Channels and threads, channels first.
    pub places: Vec<PlaceState>,
    /// Gaps that the server has not been told yet.
    pub untold_gaps: u64,
}

/// The state of one channel or thread.
#[derive(Debug, Serialize)]
pub struct PlaceState {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The channel of a thread.
    pub thread_of: Option<String>,
    /// When something was last heard here.
    #[serde(with = "time::serde::rfc3339::option")]
    pub heard_at: Option<OffsetDateTime>,
    /// How long after it was posted the latest message was here, in milliseconds by this machine's clock.
    pub lag_ms: Option<i64>,
    /// How many of its sightings wait in the outbox.
    pub waiting: u64,
    /// The time of the message up to which the history has been read without a hole.
    #[serde(with = "time::serde::rfc3339")]
    pub read_to: OffsetDateTime,
    /// Why nothing can be heard now.
    pub trouble: Option<String>,
    /// Since when.
    #[serde(with = "time::serde::rfc3339::option")]
    pub trouble_since: Option<OffsetDateTime>,
    /// How often it was certainly not observed for a while.
    pub gaps: u64,
}

impl Listened {
    /// The state of listening in `folder`; `None` if nobody has listened there.
    pub async fn read(folder: &Path) -> Result<Option<Self>, OutboxError> {
        let Some(pool) = outbox::open_to_read(folder).await? else { return Ok(None) };
        // An outbox of an earlier version has no such table, or not all of it, until it is written to.
        let columns: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pragma_table_info('discord_places') WHERE name = 'lag_ms'",
        )
        .fetch_one(&pool)
        .await
        .map_err(outbox::doing(READING))?;
        if columns == 0 {
            return Ok(None);
        }
        let gaps =
            by_channel(&pool, "SELECT channel, count(*) FROM gaps WHERE source = 'discord' GROUP BY channel")
                .await?;
        let waiting = by_channel(
            &pool,
            "SELECT channel, count(*) FROM outbox WHERE source = 'discord' GROUP BY channel",
        )
        .await?;
        let alive: Option<i64> = sqlx::query_scalar("SELECT heard_at FROM discord_session")
            .fetch_optional(&pool)
            .await
            .map_err(outbox::doing(READING))?;
        let untold_gaps: i64 = sqlx::query_scalar("SELECT count(*) FROM gaps WHERE told = 0")
            .fetch_one(&pool)
            .await
            .map_err(outbox::doing(READING))?;
        let mut kept = ledger::places(&pool).await?;
        kept.sort_by_key(|place| (place.parent.is_some(), place.id));
        let state = |place: ledger::KeptPlace| PlaceState {
            gaps: gaps.get(&place.id.to_string()).copied().unwrap_or(0),
            id: place.id.to_string(),
            name: place.name,
            thread_of: place.parent.map(|parent| parent.to_string()),
            heard_at: place.heard_at,
            lag_ms: place.lag_ms,
            waiting: waiting.get(&place.id.to_string()).copied().unwrap_or(0),
            read_to: place.read_to.made_at(),
            trouble_since: place.trouble.as_ref().map(|(_, since)| *since),
            trouble: place.trouble.map(|(words, _)| words),
        };
        let places: Vec<PlaceState> = kept.into_iter().map(state).collect();
        if places.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self {
            alive_at: alive.and_then(outbox::time_of),
            places,
            untold_gaps: untold_gaps.unsigned_abs(),
        }))
    }

    /// The same for people.
    pub fn in_words(&self, text: &mut String, now: OffsetDateTime) -> std::fmt::Result {
        let alive =
            self.alive_at.map_or("never connected".to_owned(), |at| format!("last alive {}", since(at, now)));
        writeln!(text, "discord  {alive}; {} not told yet", counted(self.untold_gaps, "gap"))?;
        for place in &self.places {
            let kind = if place.thread_of.is_some() { "thread " } else { "channel" };
            let lag = place.lag_ms.map(|lag| format!(", {lag} ms after it was posted")).unwrap_or_default();
            let heard = place
                .heard_at
                .map_or("nothing heard yet".to_owned(), |at| format!("last heard {}{lag}", since(at, now)));
            let PlaceState { name, id, waiting, .. } = place;
            let gaps = counted(place.gaps, "gap");
            writeln!(text, "         {kind} {name} ({id}): {heard}, {gaps}, {waiting} waiting")?;
            if let Some(trouble) = &place.trouble {
                let since = place.trouble_since.map(|at| since(at, now)).unwrap_or_default();
                writeln!(text, "           not heard since {since}: {trouble}")?;
            }
        }
        Ok(())
    }
}

/// Rows for each channel, as this statement counts them.
async fn by_channel(pool: &SqlitePool, statement: &'static str) -> Result<HashMap<String, u64>, OutboxError> {
    let rows: Vec<(String, i64)> =
        sqlx::query_as(statement).fetch_all(pool).await.map_err(outbox::doing(READING))?;
    Ok(rows.into_iter().map(|(channel, count)| (channel, count.unsigned_abs())).collect())
}
