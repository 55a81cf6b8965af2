//! Signals as they stand now.

use std::collections::{BTreeSet, HashMap};

use shared::signal::Side;
use shared::wire::{SignalRecord, SignalState, SignalStatus};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::posts::MessageKey;
use super::{StoreError, from_json, to_json};

/// A stored signal, as far as ingest needs it.
#[derive(Debug, Clone)]
pub struct Signal {
    /// The record as it stands.
    pub record: SignalRecord,
    /// The author's id at its source.
    pub author_id: String,
    /// The revision of the message that it was read from.
    pub revision: i64,
    /// What its channel has said about it.
    pub status: SignalStatus,
    /// When the word was given that the status rests on; absent for a signal that was only posted.
    pub status_at: Option<OffsetDateTime>,
    /// Whether its words are in dispute.
    pub disputed: bool,
}

impl Signal {
    /// Whether it was open at that time, as far as that is known now. One that was ended later was.
    pub fn was_open(&self, at: OffsetDateTime) -> bool {
        match self.status {
            SignalStatus::Open => true,
            SignalStatus::Ended => self.status_at.is_some_and(|ended| ended > at),
            SignalStatus::Withdrawn => false,
        }
    }

    /// The message that it was read from.
    pub fn key(&self) -> MessageKey {
        MessageKey { channel_id: self.record.channel_id, external_id: self.record.external_id.clone() }
    }
}

/// Which earlier signals an update may be about.
#[derive(Debug, Clone)]
pub struct Candidates {
    /// The channel.
    pub channel_id: Uuid,
    /// The author.
    pub author_id: String,
    /// The ticker, if the update names one.
    pub base: Option<String>,
    /// The author's own id of the call, if the update names one.
    pub reference: Option<String>,
    /// The latest time at which the signal may have been posted.
    pub until: OffsetDateTime,
    /// The earliest.
    pub since: OffsetDateTime,
    /// Only signals that had not ended at `until`.
    pub only_open: bool,
    /// How many of the newest are wanted.
    pub most: i64,
}

/// A stored signal whose record is none any more: it was damaged, or is not sound by today's checks. What it says is lost
/// until its post is read again; what it is, its columns still say.
#[derive(Debug, Clone)]
pub struct Broken {
    /// Its id.
    pub id: Uuid,
    /// The message that it was read from.
    pub key: MessageKey,
    /// Which signal of the message.
    pub ordinal: u16,
    /// The author's id at its source.
    pub author_id: String,
    /// When it was posted.
    pub posted_at: OffsetDateTime,
    /// The ticker.
    pub base: String,
    /// How it stands.
    pub status: SignalStatus,
    /// Since when.
    pub status_at: Option<OffsetDateTime>,
    /// Whether its words are in dispute.
    pub disputed: bool,
}

struct Row {
    revision: i64,
    author_id: String,
    status: String,
    status_at: Option<OffsetDateTime>,
    disputed: bool,
    record: String,
    id: Uuid,
}

impl TryFrom<Row> for Signal {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            record: from_json(&row.record, ("signals", "record"), row.id)?,
            author_id: row.author_id,
            revision: row.revision,
            status: status(row.id, &row.status)?,
            status_at: row.status_at,
            disputed: row.disputed,
        })
    }
}

/// Those that are signals. The others are named in the log and left out: one broken row must not keep all others from
/// being seen, and nobody may act on it.
fn sound(rows: Vec<Row>) -> Result<Vec<Signal>, StoreError> {
    let mut signals = Vec::with_capacity(rows.len());
    for row in rows {
        match Signal::try_from(row) {
            Ok(signal) => signals.push(signal),
            Err(error @ StoreError::Corrupt { column: "record", .. }) => {
                tracing::error!(
                    "a signal is left out (`server reread --apply` reads its post again): {error}"
                );
            }
            Err(error) => return Err(error),
        }
    }
    Ok(signals)
}

/// Those that are signals, and the ids of the others.
fn sifted(rows: Vec<Row>) -> Result<(Vec<Signal>, Vec<Uuid>), StoreError> {
    let ids: BTreeSet<Uuid> = rows.iter().map(|row| row.id).collect();
    let signals = sound(rows)?;
    let whole: BTreeSet<Uuid> = signals.iter().map(|signal| signal.record.id).collect();
    let broken = ids.difference(&whole).copied().collect();
    Ok((signals, broken))
}

fn status_name(status: SignalStatus) -> &'static str {
    match status {
        SignalStatus::Open => "open",
        SignalStatus::Ended => "ended",
        SignalStatus::Withdrawn => "withdrawn",
    }
}

fn status(id: Uuid, name: &str) -> Result<SignalStatus, StoreError> {
    let all = [SignalStatus::Open, SignalStatus::Ended, SignalStatus::Withdrawn];
    all.into_iter().find(|status| status_name(*status) == name).ok_or_else(|| StoreError::Corrupt {
        table: "signals",
        column: "status",
        id: id.to_string(),
        problem: format!("unknown value `{name}`"),
    })
}

/// The signals of these messages, and those that follow-ups in these messages were bound to; and the ids of those that
/// are broken.
pub async fn of_messages(
    connection: &mut PgConnection,
    keys: &[MessageKey],
) -> Result<(Vec<Signal>, Vec<Uuid>), StoreError> {
    let channels: Vec<Uuid> = keys.iter().map(|key| key.channel_id).collect();
    let externals: Vec<String> = keys.iter().map(|key| key.external_id.clone()).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"WITH wanted AS (SELECT * FROM unnest($1::uuid[], $2::text[]) AS w (channel_id, external_id))
        SELECT s.id AS "id!", s.revision AS "revision!", s.author_id AS "author_id!", s.status AS "status!",
            s.status_at AS "status_at?", s.disputed AS "disputed!", s.record AS "record!"
        FROM wanted w JOIN signals s ON s.channel_id = w.channel_id AND s.external_id = w.external_id
        UNION
        SELECT s.id, s.revision, s.author_id, s.status, s.status_at, s.disputed, s.record
        FROM wanted w
        JOIN updates u ON u.channel_id = w.channel_id AND u.external_id = w.external_id AND u.withdrawn_at IS NULL
        JOIN signals s ON s.id = u.signal_id"#,
        &channels,
        &externals
    )
    .fetch_all(connection)
    .await?;
    sifted(rows)
}

/// What the columns of broken signals say.
pub async fn broken(connection: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Broken>, StoreError> {
    let rows = sqlx::query!(
        "SELECT id, channel_id, external_id, ordinal, author_id, posted_at, base, status, status_at, disputed
        FROM signals WHERE id = ANY($1) ORDER BY id",
        ids
    )
    .fetch_all(connection)
    .await?;
    let known = rows.into_iter().map(|row| {
        Ok(Broken {
            id: row.id,
            key: MessageKey { channel_id: row.channel_id, external_id: row.external_id },
            ordinal: u16::try_from(row.ordinal).unwrap_or_default(),
            author_id: row.author_id,
            posted_at: row.posted_at,
            base: row.base,
            status: status(row.id, &row.status)?,
            status_at: row.status_at,
            disputed: row.disputed,
        })
    });
    known.collect()
}

/// Withdraws signals of which only the columns are known.
pub async fn withdraw_broken(connection: &mut PgConnection, ids: &[Uuid]) -> Result<(), StoreError> {
    sqlx::query!("UPDATE signals SET status = 'withdrawn' WHERE id = ANY($1)", ids)
        .execute(connection)
        .await?;
    Ok(())
}

/// The signals that updates may be about: for each wish the newest ones that were not withdrawn; and the ids of
/// those that are broken.
pub async fn candidates(
    connection: &mut PgConnection,
    wishes: &[Candidates],
) -> Result<(Vec<Signal>, Vec<Uuid>), StoreError> {
    let channels: Vec<Uuid> = wishes.iter().map(|wish| wish.channel_id).collect();
    let authors: Vec<String> = wishes.iter().map(|wish| wish.author_id.clone()).collect();
    let bases: Vec<Option<String>> = wishes.iter().map(|wish| wish.base.clone()).collect();
    let references: Vec<Option<String>> = wishes.iter().map(|wish| wish.reference.clone()).collect();
    let until: Vec<OffsetDateTime> = wishes.iter().map(|wish| wish.until).collect();
    let since: Vec<OffsetDateTime> = wishes.iter().map(|wish| wish.since).collect();
    let only_open: Vec<bool> = wishes.iter().map(|wish| wish.only_open).collect();
    let most: Vec<i64> = wishes.iter().map(|wish| wish.most).collect();
    // Two branches, so that a reference is looked up in its own index: an `OR` of both would use neither.
    let rows = sqlx::query_as!(
        Row,
        r#"WITH w AS (
            SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[],
                $7::bigint[], $8::boolean[])
                AS w (channel_id, author_id, base, reference, until, since, most, only_open)
        )
        SELECT s.id AS "id!", s.revision AS "revision!", s.author_id AS "author_id!", s.status AS "status!",
            s.status_at AS "status_at?", s.disputed AS "disputed!", s.record AS "record!"
        FROM w CROSS JOIN LATERAL (
            SELECT * FROM signals s
            WHERE s.channel_id = w.channel_id AND s.author_id = w.author_id AND (w.base IS NULL OR s.base = w.base)
                AND s.posted_at <= w.until AND s.posted_at >= w.since AND s.status <> 'withdrawn'
                AND (s.status = 'open' OR s.status_at > w.until OR NOT w.only_open)
            ORDER BY s.posted_at DESC, s.id DESC LIMIT w.most
        ) s WHERE w.reference IS NULL
        UNION
        SELECT s.id, s.revision, s.author_id, s.status, s.status_at, s.disputed, s.record
        FROM w CROSS JOIN LATERAL (
            SELECT * FROM signals s
            WHERE s.channel_id = w.channel_id AND s.author_id = w.author_id AND s.reference = w.reference
                AND (w.base IS NULL OR s.base = w.base)
                AND s.posted_at <= w.until AND s.posted_at >= w.since AND s.status <> 'withdrawn'
            ORDER BY s.posted_at DESC, s.id DESC LIMIT w.most
        ) s WHERE w.reference IS NOT NULL"#,
        &channels,
        &authors,
        &bases as _,
        &references as _,
        &until,
        &since,
        &most,
        &only_open
    )
    .fetch_all(connection)
    .await?;
    sifted(rows)
}

/// Stores new signals and the new state of changed ones. A row that a later revision has changed already stays.
pub async fn save(connection: &mut PgConnection, signals: &[&Signal]) -> Result<(), StoreError> {
    let records: Vec<&SignalRecord> = signals.iter().map(|signal| &signal.record).collect();
    let ids: Vec<Uuid> = records.iter().map(|record| record.id).collect();
    let channels: Vec<Uuid> = records.iter().map(|record| record.channel_id).collect();
    let externals: Vec<String> = records.iter().map(|record| record.external_id.clone()).collect();
    let ordinals: Vec<i16> =
        records.iter().map(|record| i16::try_from(record.ordinal).unwrap_or(i16::MAX)).collect();
    let posts: Vec<Uuid> = records.iter().map(|record| record.post_id).collect();
    let revisions: Vec<i64> = signals.iter().map(|signal| signal.revision).collect();
    let authors: Vec<String> = signals.iter().map(|signal| signal.author_id.clone()).collect();
    let bases: Vec<String> = records.iter().map(|record| record.signal.base().to_string()).collect();
    let quotes: Vec<Option<String>> = records
        .iter()
        .map(|record| record.signal.fields().instrument.quote.as_ref().map(ToString::to_string))
        .collect();
    let sides: Vec<String> = records.iter().map(|record| record.signal.side().to_string()).collect();
    let posted: Vec<OffsetDateTime> = records.iter().map(|record| record.posted_at).collect();
    let statuses: Vec<String> = signals.iter().map(|signal| status_name(signal.status).to_owned()).collect();
    let disputed: Vec<bool> = signals.iter().map(|signal| signal.disputed).collect();
    let texts: Vec<String> = records.iter().map(to_json).collect::<Result<_, _>>()?;
    let references: Vec<Option<String>> =
        records.iter().map(|record| record.signal.fields().reference.clone()).collect();
    let since: Vec<Option<OffsetDateTime>> = signals.iter().map(|signal| signal.status_at).collect();
    sqlx::query!(
        "INSERT INTO signals (id, channel_id, external_id, ordinal, post_id, revision, author_id, base, quote, side,
            posted_at, status, disputed, record, reference, status_at)
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::smallint[], $5::uuid[], $6::bigint[], $7::text[],
            $8::text[], $9::text[], $10::text[], $11::timestamptz[], $12::text[], $13::boolean[], $14::text[],
            $15::text[], $16::timestamptz[])
        ON CONFLICT (channel_id, external_id, ordinal) DO UPDATE SET
            post_id = EXCLUDED.post_id, revision = EXCLUDED.revision, base = EXCLUDED.base, quote = EXCLUDED.quote,
            side = EXCLUDED.side, status = EXCLUDED.status, disputed = signals.disputed OR EXCLUDED.disputed,
            record = EXCLUDED.record, reference = EXCLUDED.reference, status_at = EXCLUDED.status_at
        WHERE signals.revision <= EXCLUDED.revision",
        &ids,
        &channels,
        &externals,
        &ordinals,
        &posts,
        &revisions,
        &authors,
        &bases,
        &quotes as _,
        &sides,
        &posted,
        &statuses,
        &disputed,
        &texts,
        &references as _,
        &since as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Which signals a page shows.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Only of this channel.
    pub channel_id: Option<Uuid>,
    /// Only with this base.
    pub base: Option<String>,
    /// Only with this quote.
    pub quote: Option<String>,
    /// Only of this direction.
    pub side: Option<Side>,
    /// Only posted at or after this time.
    pub since: Option<OffsetDateTime>,
    /// Only those after this place in the order of the list.
    pub after: Option<(OffsetDateTime, Uuid)>,
}

/// A page of signals, newest post first, with the place after which the next page begins.
pub async fn page(
    pool: &PgPool,
    wanted: &Wanted,
    limit: i64,
) -> Result<(Vec<SignalState>, Option<(OffsetDateTime, Uuid)>), StoreError> {
    let (after_at, after_id) = wanted.after.unzip();
    let mut found = sqlx::query!(
        r#"SELECT id, revision, author_id, status, status_at, disputed, record, posted_at,
            (SELECT count(DISTINCT w.key_id) FROM sightings w
                WHERE w.post_id = signals.post_id AND (w.differing_body IS NULL OR w.same_words)) AS "witnesses!"
        FROM signals
        WHERE ($1::uuid IS NULL OR channel_id = $1) AND ($2::text IS NULL OR base = $2)
            AND ($3::text IS NULL OR quote = $3) AND ($4::text IS NULL OR side = $4)
            AND ($5::timestamptz IS NULL OR posted_at >= $5)
            AND ($6::timestamptz IS NULL OR (posted_at, id) < ($6, $7::uuid))
        ORDER BY posted_at DESC, id DESC LIMIT $8"#,
        wanted.channel_id,
        wanted.base,
        wanted.quote,
        wanted.side.map(|side| side.to_string()),
        wanted.since,
        after_at,
        after_id,
        limit + 1
    )
    .fetch_all(pool)
    .await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > limit;
    found.truncate(limit);
    // The place of a row, whether its record can be shown or not: a list goes on behind what is left out.
    let next = found.last().filter(|_| more).map(|row| (row.posted_at, row.id));
    let witnesses: HashMap<Uuid, i64> = found.iter().map(|row| (row.id, row.witnesses)).collect();
    let rows = found.into_iter().map(|row| Row {
        id: row.id,
        revision: row.revision,
        author_id: row.author_id,
        status: row.status,
        status_at: row.status_at,
        disputed: row.disputed,
        record: row.record,
    });
    let state = |signal: Signal| {
        let seen_by = witnesses.get(&signal.record.id).copied().unwrap_or_default();
        state(signal, seen_by)
    };
    Ok((sound(rows.collect())?.into_iter().map(state).collect(), next))
}

/// One signal.
pub async fn by_id(pool: &PgPool, id: Uuid) -> Result<Option<SignalState>, StoreError> {
    let found = sqlx::query!(
        r#"SELECT id, revision, author_id, status, status_at, disputed, record,
            (SELECT count(DISTINCT w.key_id) FROM sightings w
                WHERE w.post_id = signals.post_id AND (w.differing_body IS NULL OR w.same_words)) AS "witnesses!"
        FROM signals WHERE id = $1"#,
        id
    )
    .fetch_optional(pool)
    .await?;
    let Some(row) = found else { return Ok(None) };
    let signal = Signal::try_from(Row {
        id: row.id,
        revision: row.revision,
        author_id: row.author_id,
        status: row.status,
        status_at: row.status_at,
        disputed: row.disputed,
        record: row.record,
    })?;
    Ok(Some(state(signal, row.witnesses)))
}

/// A signal as it stands now. The stored record says how many had seen it when it was written.
fn state(signal: Signal, witnesses: i64) -> SignalState {
    let record = SignalRecord { witnesses: super::count(witnesses), ..signal.record };
    SignalState { record, status: signal.status, disputed: signal.disputed }
}
