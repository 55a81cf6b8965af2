//! Staging what was heard, together with how far the source has been heard.
//!
//! Entry points: [`Outbox::stage_heard`], [`Outbox::author_of`], [`Outbox::pool`].
//! Invariant: of one revision the first text that was heard stands. A source that is listened to shows an unchanged message
//! in changing forms (a link unfolds, a card is hidden), and those are not the author's words.

use std::collections::HashSet;

use shared::post::{Author, ChannelRef};
use sqlx::{QueryBuilder, Row as _, Sqlite, SqlitePool, Transaction};
use time::OffsetDateTime;

use super::entry::{Entry, Prepared};
use super::{Outbox, OutboxError, STAGE_BATCH, Staged, doing, stage};

/// What else is to be written in the transaction that stages: how far the source has been heard.
pub(crate) trait Changes {
    /// Writes it.
    async fn write(self, transaction: &mut Transaction<'static, Sqlite>) -> sqlx::Result<()>;
}

impl Outbox {
    /// Keeps the entries and the changes, in one transaction. An entry whose revision is known is left out, whatever its text.
    pub(crate) async fn stage_heard(
        &self,
        entries: &[Entry],
        changes: impl Changes,
        now: OffsetDateTime,
    ) -> Result<Staged, OutboxError> {
        let mut transaction = self.begin().await?;
        let staged = heard(&mut transaction, entries, now).await.map_err(doing("staging what was heard"))?;
        changes.write(&mut transaction).await.map_err(doing("keeping how far was heard"))?;
        // Before the commit, so that the sender never takes away what has not been added yet.
        self.raise(&mut transaction, staged.new).await?;
        transaction.commit().await.map_err(doing("committing what was heard"))?;
        launch::crash::point("heard_staged");
        Ok(staged)
    }

    /// Who wrote a post, if it is known here.
    pub(crate) async fn author_of(
        &self,
        channel: &ChannelRef,
        external_id: &str,
    ) -> Result<Option<Author>, OutboxError> {
        let author: Option<String> = sqlx::query_scalar(
            "SELECT author FROM known WHERE source = ? AND channel = ? AND external_id = ? ORDER BY revision LIMIT 1",
        )
        .bind(channel.source.as_str())
        .bind(&channel.external_id)
        .bind(external_id)
        .fetch_optional(&self.pool)
        .await
        .map_err(doing("looking for the author of a post"))?;
        let corrupt = |error: serde_json::Error| OutboxError::Corrupt {
            table: "known",
            column: "author",
            id: external_id.to_owned(),
            problem: error.to_string(),
        };
        author.map(|json| serde_json::from_str(&json).map_err(corrupt)).transpose()
    }

    /// The connection, for a source that keeps tables of its own beside the outbox.
    pub(crate) fn pool(&self) -> &SqlitePool {
        &self.pool
    }
}

async fn heard(
    transaction: &mut Transaction<'static, Sqlite>,
    entries: &[Entry],
    now: OffsetDateTime,
) -> sqlx::Result<Staged> {
    let mut staged = Staged::default();
    for part in entries.chunks(STAGE_BATCH) {
        let mut known = known_revisions(transaction, part).await?;
        // Twice in one batch: the first stands, the second is known.
        let (old, new): (Vec<&Entry>, Vec<&Entry>) = part
            .iter()
            .partition(|entry| entry.prepared().is_some_and(|prepared| !known.insert(revision_of(prepared))));
        let new: Vec<Entry> = new.into_iter().cloned().collect();
        let result = stage::stage(transaction, &new, false, now).await?;
        staged.new += result.new;
        staged.refused += result.refused;
        staged.known += result.known + old.len() as u64;
    }
    Ok(staged)
}

/// What names a revision: channel, external id, revision.
type Revision = (String, String, i64);

fn revision_of(prepared: &Prepared) -> Revision {
    (prepared.channel.clone(), prepared.external_id.clone(), prepared.revision)
}

async fn known_revisions(
    transaction: &mut Transaction<'static, Sqlite>,
    entries: &[Entry],
) -> sqlx::Result<HashSet<Revision>> {
    let prepared: Vec<&Prepared> = entries.iter().filter_map(Entry::prepared).collect();
    if prepared.is_empty() {
        return Ok(HashSet::new());
    }
    let mut query = QueryBuilder::<Sqlite>::new(
        "SELECT channel, external_id, revision FROM known WHERE (source, channel, external_id, revision) IN (VALUES ",
    );
    let mut rows = query.separated(", ");
    for prepared in prepared {
        rows.push("(");
        rows.push_bind_unseparated(prepared.source);
        rows.push_unseparated(", ");
        rows.push_bind_unseparated(prepared.channel.clone());
        rows.push_unseparated(", ");
        rows.push_bind_unseparated(prepared.external_id.clone());
        rows.push_unseparated(", ");
        rows.push_bind_unseparated(prepared.revision);
        rows.push_unseparated(")");
    }
    query.push(")");
    let rows = query.build().fetch_all(&mut **transaction).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))).collect()
}
