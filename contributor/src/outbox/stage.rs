//! Staging: entries become rows, many in one statement, because each statement is a trip to SQLite's thread and back.
//!
//! Entry point: [`stage`]. Invariant: in one transaction, each entry becomes known, and a row of the outbox or a refused one.

use std::collections::HashSet;

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite, Transaction};
use time::OffsetDateTime;

use super::entry::{Entry, Prepared};
use super::{STAGE_BATCH, Staged, micros};

/// What names a text of a revision of a post, as the tables have it: source, channel, external id, revision, content hash.
pub(super) type Key = (String, String, String, i64, Vec<u8>);

/// Writes the entries into the transaction. Known texts of known revisions are left out, unless `again`.
pub(super) async fn stage(
    transaction: &mut Transaction<'static, Sqlite>,
    entries: &[Entry],
    again: bool,
    now: OffsetDateTime,
) -> sqlx::Result<Staged> {
    let mut staged = Staged::default();
    for part in entries.chunks(STAGE_BATCH) {
        stage_part(transaction, part, (again, now), &mut staged).await?;
    }
    Ok(staged)
}

async fn stage_part(
    transaction: &mut Transaction<'static, Sqlite>,
    entries: &[Entry],
    how: (bool, OffsetDateTime),
    staged: &mut Staged,
) -> sqlx::Result<()> {
    let (again, now) = how;
    let prepared: Vec<&Prepared> = entries.iter().filter_map(Entry::prepared).collect();
    let mut new = remember(transaction, &prepared).await?;
    let (mut wanted, mut seen_before) = (Vec::new(), Vec::new());
    for entry in entries {
        let prepared = match entry {
            Entry::Sighting(prepared) => prepared,
            Entry::Undecodable { .. } => {
                let is_new = refuse_undecodable(transaction, entry, now).await?;
                *(if is_new { &mut staged.refused } else { &mut staged.known }) += 1;
                continue;
            }
        };
        // Twice in one batch: the first is new, the second is known.
        let is_new = new.remove(&prepared.key());
        if !is_new {
            seen_before.push(prepared);
        }
        match &prepared.refusal {
            Some(reason) if is_new => {
                staged.refused += 1;
                refuse(transaction, prepared, reason, now).await?;
            }
            None if is_new || again => {
                staged.new += 1;
                wanted.push(prepared);
            }
            // What is refused here stays refused however often it is asked for.
            _ => staged.known += 1,
        }
    }
    remember_younger(transaction, &seen_before).await?;
    put_in_outbox(transaction, &wanted, now).await
}

/// Makes the revisions known, and returns those that were not.
async fn remember(
    transaction: &mut Transaction<'static, Sqlite>,
    prepared: &[&Prepared],
) -> sqlx::Result<HashSet<Key>> {
    if prepared.is_empty() {
        return Ok(HashSet::new());
    }
    let mut query = known_rows(prepared);
    query.push(" ON CONFLICT DO NOTHING RETURNING source, channel, external_id, revision, content_hash");
    let rows = query.build().fetch_all(&mut **transaction).await?;
    let key = |row: &SqliteRow| {
        Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?, row.try_get(4)?))
    };
    rows.iter().map(key).collect()
}

/// Known revisions keep the youngest time at which they were seen.
async fn remember_younger(
    transaction: &mut Transaction<'static, Sqlite>,
    prepared: &[&Prepared],
) -> sqlx::Result<()> {
    if prepared.is_empty() {
        return Ok(());
    }
    let mut query = known_rows(prepared);
    query.push(
        " ON CONFLICT DO UPDATE SET last_seen = excluded.last_seen WHERE excluded.last_seen > known.last_seen",
    );
    query.build().execute(&mut **transaction).await?;
    Ok(())
}

fn known_rows<'p>(prepared: &'p [&'p Prepared]) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new(
        "INSERT INTO known (source, channel, external_id, revision, content_hash, posted_at, last_seen, author) ",
    );
    query.push_values(prepared, |mut row, prepared| {
        row.push_bind(prepared.source)
            .push_bind(prepared.channel.clone())
            .push_bind(prepared.external_id.clone())
            .push_bind(prepared.revision)
            .push_bind(prepared.content_hash.to_vec())
            .push_bind(micros(prepared.posted_at))
            .push_bind(micros(prepared.seen_at))
            .push_bind(prepared.author.clone());
    });
    query
}

async fn put_in_outbox(
    transaction: &mut Transaction<'static, Sqlite>,
    wanted: &[&Prepared],
    now: OffsetDateTime,
) -> sqlx::Result<()> {
    if wanted.is_empty() {
        return Ok(());
    }
    let mut query = QueryBuilder::<Sqlite>::new(
        "INSERT INTO outbox (source, channel, channel_name, external_id, staged_at, occurred_at, body) ",
    );
    query.push_values(wanted, |mut row, prepared| {
        row.push_bind(prepared.source)
            .push_bind(prepared.channel.clone())
            .push_bind(prepared.channel_name.clone())
            .push_bind(prepared.external_id.clone())
            .push_bind(micros(now))
            .push_bind(micros(prepared.occurred_at))
            .push_bind(prepared.body.clone());
    });
    query.build().execute(&mut **transaction).await?;
    Ok(())
}

async fn refuse(
    transaction: &mut Transaction<'static, Sqlite>,
    prepared: &Prepared,
    reason: &str,
    now: OffsetDateTime,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO refused (source, channel, channel_name, external_id, refused_at, occurred_at, reason, body) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(prepared.source)
    .bind(&prepared.channel)
    .bind(&prepared.channel_name)
    .bind(&prepared.external_id)
    .bind(micros(now))
    .bind(micros(prepared.occurred_at))
    .bind(reason)
    .bind(&prepared.body)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Whether it was not refused before: the same message, read again, is the same refusal.
async fn refuse_undecodable(
    transaction: &mut Transaction<'static, Sqlite>,
    entry: &Entry,
    now: OffsetDateTime,
) -> sqlx::Result<bool> {
    let Entry::Undecodable { channel, raw, reason } = entry else { return Ok(false) };
    let added = sqlx::query(
        "INSERT INTO refused (source, channel, channel_name, refused_at, reason, raw) \
         VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(channel.source.as_str())
    .bind(&channel.external_id)
    .bind(&channel.name)
    .bind(micros(now))
    .bind(reason)
    .bind(raw)
    .execute(&mut **transaction)
    .await?;
    Ok(added.rows_affected() > 0)
}
