//! One line of input on its way into the outbox: a sighting, or a message that could not be decoded.
//!
//! Entry point: [`Entry`]. It is prepared on the reader's thread, so that the staging transaction only writes.
//! Invariant: whatever is wrong with an entry, it becomes a row: of the outbox, or of the refused ones with its reason.

use shared::post::{ChannelRef, Post, Sighting, check_sighting};
use shared::wire::MAX_BODY_BYTES;
use sqlx::{Sqlite, Transaction};
use time::OffsetDateTime;

use super::{micros, source_of};

/// The longest sighting as JSON: it must fit into a request alone, with 1 KiB left for the frame and 99 commas.
pub const MAX_SIGHTING_BYTES: usize = MAX_BODY_BYTES - 1024;

/// What can be staged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A sighting as it will be sent.
    Sighting(Prepared),
    /// A message that could not be decoded.
    Undecodable {
        /// The channel it was found in.
        channel: ChannelRef,
        /// The message, byte for byte.
        raw: String,
        /// Why it could not be decoded.
        reason: String,
    },
}

/// A sighting with what the tables need of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    source: &'static str,
    channel: String,
    channel_name: String,
    external_id: String,
    revision: i64,
    posted_at: OffsetDateTime,
    occurred_at: OffsetDateTime,
    seen_at: OffsetDateTime,
    author: String,
    body: String,
    refusal: Option<String>,
}

/// What became of one entry.
pub(super) enum Outcome {
    New,
    Known,
    Refused,
}

impl Entry {
    /// Checks the sighting against the limits of the wire and writes it as JSON.
    pub fn of(sighting: &Sighting) -> Result<Self, serde_json::Error> {
        let post: &Post = &sighting.post;
        let body = serde_json::to_string(sighting)?;
        let too_long = || {
            let bytes = body.len();
            let problem = format!(
                "the sighting has {bytes} bytes as JSON, more than the limit of {MAX_SIGHTING_BYTES}"
            );
            (bytes > MAX_SIGHTING_BYTES).then_some(problem)
        };
        let refusal = check_sighting(sighting).err().map(|error| error.to_string()).or_else(too_long);
        Ok(Entry::Sighting(Prepared {
            source: source_of(post),
            channel: post.channel.external_id.clone(),
            channel_name: post.channel.name.clone(),
            external_id: post.external_id.clone(),
            revision: post.revision().number(),
            posted_at: post.posted_at,
            occurred_at: post.occurred_at(),
            seen_at: sighting.seen_at,
            author: serde_json::to_string(&post.author)?,
            body,
            refusal,
        }))
    }

    /// The sighting as it will be sent.
    #[cfg(test)]
    pub(crate) fn sighting(&self) -> Sighting {
        match self {
            Entry::Sighting(prepared) => serde_json::from_str(&prepared.body).unwrap(),
            Entry::Undecodable { reason, .. } => panic!("undecodable: {reason}"),
        }
    }

    /// Its size in memory, roughly.
    pub fn bytes(&self) -> usize {
        match self {
            Entry::Sighting(prepared) => prepared.body.len(),
            Entry::Undecodable { raw, .. } => raw.len(),
        }
    }

    pub(super) async fn stage(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        again: bool,
        now: OffsetDateTime,
    ) -> sqlx::Result<Outcome> {
        match self {
            Entry::Sighting(prepared) => prepared.stage(transaction, again, now).await,
            Entry::Undecodable { channel, raw, reason } => {
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
                Ok(if added.rows_affected() == 0 { Outcome::Known } else { Outcome::Refused })
            }
        }
    }
}

impl Prepared {
    async fn stage(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        again: bool,
        now: OffsetDateTime,
    ) -> sqlx::Result<Outcome> {
        let is_new = self.remember(transaction).await?;
        if !is_new && !again {
            return Ok(Outcome::Known);
        }
        let (table, at) = match &self.refusal {
            None => (
                "INSERT INTO outbox (source, channel, channel_name, external_id, staged_at, occurred_at, body) \
                 VALUES (?, ?, ?, ?, ?, ?, ?)",
                micros(now),
            ),
            // One that is refused here stays refused however often it is sent.
            Some(_) if !is_new => return Ok(Outcome::Known),
            Some(_) => (
                "INSERT INTO refused (source, channel, channel_name, external_id, refused_at, occurred_at, body, reason) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                micros(now),
            ),
        };
        let query = sqlx::query(table)
            .bind(self.source)
            .bind(&self.channel)
            .bind(&self.channel_name)
            .bind(&self.external_id)
            .bind(at)
            .bind(micros(self.occurred_at))
            .bind(&self.body);
        let query = if let Some(reason) = &self.refusal { query.bind(reason) } else { query };
        query.execute(&mut **transaction).await?;
        Ok(if self.refusal.is_none() { Outcome::New } else { Outcome::Refused })
    }

    /// Whether this revision was unknown. A known one keeps the youngest time at which it was seen.
    async fn remember(&self, transaction: &mut Transaction<'static, Sqlite>) -> sqlx::Result<bool> {
        let added = sqlx::query(
            "INSERT INTO known (source, channel, external_id, revision, posted_at, last_seen, author) \
             VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(self.source)
        .bind(&self.channel)
        .bind(&self.external_id)
        .bind(self.revision)
        .bind(micros(self.posted_at))
        .bind(micros(self.seen_at))
        .bind(&self.author)
        .execute(&mut **transaction)
        .await?;
        if added.rows_affected() > 0 {
            return Ok(true);
        }
        let newer = "UPDATE known SET last_seen = ?1 WHERE source = ?2 AND channel = ?3 AND external_id = ?4 \
                     AND revision = ?5 AND last_seen < ?1";
        sqlx::query(newer)
            .bind(micros(self.seen_at))
            .bind(self.source)
            .bind(&self.channel)
            .bind(&self.external_id)
            .bind(self.revision)
            .execute(&mut **transaction)
            .await?;
        Ok(false)
    }
}
