//! A post: one message as its author wrote it, at one revision; and a sighting of it by one contributor.
//!
//! Entry points: [`Post`], [`Sighting`], [`check_sighting`].
//! Invariants: (channel, external id, [`Revision`]) names a post for everybody; who saw the same of it, `words` says.
//! Limits are named here because both the contributor and the server apply them.

mod words;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

/// The longest text of one post's part. Discord allows 4,000 characters of content and 6,000 of embeds.
pub const MAX_TEXT_BYTES: usize = 32 * 1024;
/// The longest raw form kept: a Discord message with ten full embeds stays below 100 KiB.
pub const MAX_RAW_BYTES: usize = 256 * 1024;
/// The longest id or name. Discord's names end at 100 characters, its ids at 20.
pub const MAX_NAME_BYTES: usize = 512;
/// No platform that posts come from is older.
const EARLIEST: OffsetDateTime = time::macros::datetime!(2000-01-01 0:00 UTC);
/// A post from beyond this is an error, and far from it are the times that libraries cannot convert.
const LATEST: OffsetDateTime = time::macros::datetime!(2100-01-01 0:00 UTC);
/// The most embeds, fields of an embed, or attachments. Discord stops at 10, 25 and 10.
pub const MAX_PARTS: usize = 50;

/// One message as its author wrote it, at one revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Post {
    /// Where it was posted.
    pub channel: ChannelRef,
    /// The message's id at its source, such as a Discord snowflake. The same for all its revisions.
    #[schema(example = "1237481920384712704")]
    pub external_id: String,
    /// Who wrote it.
    pub author: Author,
    /// When it was first posted, by its source's clock.
    #[serde(with = "time::serde::rfc3339")]
    pub posted_at: OffsetDateTime,
    /// When this revision was made; absent for the original.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub edited_at: Option<OffsetDateTime>,
    /// When it was deleted (or first known to be gone); present only on a tombstone, which has no text.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub deleted_at: Option<OffsetDateTime>,
    /// The text, with its source's markup.
    #[serde(default)]
    pub content: String,
    /// Cards attached to the text.
    #[serde(default)]
    pub embeds: Vec<Embed>,
    /// Files attached to the text, without their bytes.
    #[serde(default)]
    pub attachments: Vec<Attachment>,
    /// The external id of the post that this one answers.
    #[serde(default)]
    pub reply_to: Option<String>,
    /// What it forwards from elsewhere, as the source kept it at that time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forwarded: Vec<Forwarded>,
}

/// A copy of another message inside a [`Post`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Forwarded {
    /// Its text, with its source's markup.
    pub content: String,
    /// Its cards.
    pub embeds: Vec<Embed>,
}

/// A place that posts come from, as its source names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChannelRef {
    /// The kind of source.
    pub source: Source,
    /// The channel's id at its source.
    #[schema(example = "1237400000000000001")]
    pub external_id: String,
    /// The channel's name, for people.
    #[schema(example = "vip-calls")]
    pub name: String,
}

/// A kind of source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A Discord channel or thread.
    Discord,
}

impl Source {
    /// The name used in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Source::Discord => "discord",
        }
    }
}

/// The author of a post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Author {
    /// The author's id at its source.
    pub external_id: String,
    /// The author's name, for people.
    pub name: String,
    /// True for a bot or a webhook.
    #[serde(default)]
    pub is_bot: bool,
}

/// A card attached to a post.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Embed {
    /// The heading.
    pub title: Option<String>,
    /// The small line above the heading.
    pub author: Option<String>,
    /// The body.
    pub description: Option<String>,
    /// Name and value pairs below the body; their order carries no meaning.
    pub fields: Vec<EmbedField>,
    /// The small line at the end.
    pub footer: Option<String>,
}

/// One name and value pair of an [`Embed`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EmbedField {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

/// A file attached to a post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Attachment {
    /// The file's id at its source.
    pub external_id: String,
    /// The file's name.
    pub file_name: String,
    /// The file's size in bytes.
    #[serde(deserialize_with = "size")]
    pub size_bytes: u64,
}

/// A size as the API's description has it (`int64`): what is beyond it is no file's.
fn size<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let size = u64::deserialize(deserializer)?;
    i64::try_from(size).map_err(|_| serde::de::Error::custom("larger than any file"))?;
    Ok(size)
}

/// One contributor saying: I saw this revision of this post at this time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Sighting {
    /// What was seen.
    pub post: Post,
    /// When this contributor first saw it, by its own clock.
    #[serde(with = "time::serde::rfc3339")]
    pub seen_at: OffsetDateTime,
    /// How it was seen.
    pub provenance: Provenance,
    /// The source's own form of the post, byte for byte, such as a Discord message object.
    pub raw: String,
}

/// How a post came to a contributor. Never ranked as equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Provenance {
    /// Heard as it was posted.
    Live,
    /// Read back from the source's history.
    Backfill,
    /// Read from an export file; unverified.
    Imported,
}

/// Which version of a post this is. Ordered: the original, edits by their time, the tombstone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Revision {
    /// As first posted.
    Original,
    /// Edited at this time.
    Edited(OffsetDateTime),
    /// Deleted; there is at most one tombstone, whenever its witnesses noticed it.
    Deleted,
}

impl Revision {
    /// One ordered number: 0 for the original, microseconds since 1970 for an edit, the largest number for the tombstone.
    pub fn number(self) -> i64 {
        match self {
            Revision::Original => 0,
            Revision::Edited(at) => {
                i64::try_from(at.unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX - 1).max(1)
            }
            Revision::Deleted => i64::MAX,
        }
    }
}

impl Post {
    /// Which version of the message this is.
    pub fn revision(&self) -> Revision {
        match (self.deleted_at, self.edited_at) {
            (Some(_), _) => Revision::Deleted,
            (None, Some(at)) => Revision::Edited(at),
            (None, None) => Revision::Original,
        }
    }

    /// When this version came to be: posted, edited or deleted.
    pub fn occurred_at(&self) -> OffsetDateTime {
        self.deleted_at.or(self.edited_at).unwrap_or(self.posted_at)
    }
}

impl Embed {
    /// Every text of the card with the name of its place, in reading order. Empty ones are left out.
    pub fn texts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let head = [("author", &self.author), ("title", &self.title), ("description", &self.description)];
        let fields =
            self.fields.iter().flat_map(|f| [("name", f.name.as_str()), ("value", f.value.as_str())]);
        head.into_iter()
            .filter_map(|(label, text)| text.as_deref().map(|text| (label, text)))
            .chain(fields)
            .chain(self.footer.as_deref().map(|text| ("footer", text)))
            .filter(|(_, text)| !text.is_empty())
    }
}

/// What is wrong with a sighting, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct Unacceptable {
    /// The path of the field inside the sighting, such as `post.content`.
    pub field: String,
    /// The problem in words.
    pub problem: Problem,
}

/// A reason why a sighting cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// PostgreSQL and most tools cannot hold a NUL inside a text.
    #[error("holds a NUL character")]
    Nul,
    /// A required text is missing.
    #[error("is empty")]
    Empty,
    /// A text is longer than its limit.
    #[error("has {bytes} bytes, more than the limit of {limit}")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// Its limit.
        limit: usize,
    },
    /// A list is longer than its limit.
    #[error("has {count} entries, more than the limit of {MAX_PARTS}")]
    TooMany {
        /// Its length.
        count: usize,
    },
    /// A revision from before the post itself, or a time that the database cannot hold.
    #[error("lies outside the years 2000 to 2100, or before posted_at")]
    ImpossibleTime,
    /// A tombstone that still has text.
    #[error("must be empty when deleted_at is set")]
    TextOnTombstone,
}

/// Checks a sighting against the limits of this module. Both sides of the wire call it.
pub fn check_sighting(sighting: &Sighting) -> Result<(), Unacceptable> {
    let post = &sighting.post;
    check_text("raw", &sighting.raw, MAX_RAW_BYTES)?;
    for (field, text) in [
        ("post.channel.external_id", &post.channel.external_id),
        ("post.external_id", &post.external_id),
        ("post.author.external_id", &post.author.external_id),
    ] {
        check_name(field, text)?;
    }
    check_text("post.channel.name", &post.channel.name, MAX_NAME_BYTES)?;
    check_text("post.author.name", &post.author.name, MAX_NAME_BYTES)?;
    if let Some(reply_to) = &post.reply_to {
        check_name("post.reply_to", reply_to)?;
    }
    check_text("post.content", &post.content, MAX_TEXT_BYTES)?;
    check_embeds("post", &post.embeds)?;
    check_count("post.forwarded", post.forwarded.len())?;
    for (at, copy) in post.forwarded.iter().enumerate() {
        let place = format!("post.forwarded[{at}]");
        check_text(&format!("{place}.content"), &copy.content, MAX_TEXT_BYTES)?;
        check_embeds(&place, &copy.embeds)?;
    }
    check_count("post.attachments", post.attachments.len())?;
    for (at, attachment) in post.attachments.iter().enumerate() {
        check_text(&format!("post.attachments[{at}].external_id"), &attachment.external_id, MAX_NAME_BYTES)?;
        check_text(&format!("post.attachments[{at}].file_name"), &attachment.file_name, MAX_NAME_BYTES)?;
    }
    check_times(sighting)?;
    let empty = post.content.is_empty() && post.embeds.is_empty() && post.forwarded.is_empty();
    if post.deleted_at.is_some() && !empty {
        return Err(unacceptable("post.content", Problem::TextOnTombstone));
    }
    Ok(())
}

fn check_embeds(place: &str, embeds: &[Embed]) -> Result<(), Unacceptable> {
    check_count(&format!("{place}.embeds"), embeds.len())?;
    for (at, embed) in embeds.iter().enumerate() {
        check_count(&format!("{place}.embeds[{at}].fields"), embed.fields.len())?;
        for (label, text) in embed.texts() {
            check_text(&format!("{place}.embeds[{at}].{label}"), text, MAX_TEXT_BYTES)?;
        }
    }
    Ok(())
}

fn check_times(sighting: &Sighting) -> Result<(), Unacceptable> {
    let post = &sighting.post;
    let plausible = |at: OffsetDateTime| (EARLIEST..LATEST).contains(&at);
    if !plausible(post.posted_at) {
        return Err(unacceptable("post.posted_at", Problem::ImpossibleTime));
    }
    for (field, at) in [("post.edited_at", post.edited_at), ("post.deleted_at", post.deleted_at)] {
        if at.is_some_and(|at| !plausible(at) || at < post.posted_at) {
            return Err(unacceptable(field, Problem::ImpossibleTime));
        }
    }
    if plausible(sighting.seen_at) { Ok(()) } else { Err(unacceptable("seen_at", Problem::ImpossibleTime)) }
}

fn check_name(field: &str, text: &str) -> Result<(), Unacceptable> {
    if text.is_empty() {
        return Err(unacceptable(field, Problem::Empty));
    }
    check_text(field, text, MAX_NAME_BYTES)
}

fn check_text(field: &str, text: &str, limit: usize) -> Result<(), Unacceptable> {
    if text.contains('\0') {
        return Err(unacceptable(field, Problem::Nul));
    }
    if text.len() > limit {
        return Err(unacceptable(field, Problem::TooLong { bytes: text.len(), limit }));
    }
    Ok(())
}

fn check_count(field: &str, count: usize) -> Result<(), Unacceptable> {
    if count > MAX_PARTS { Err(unacceptable(field, Problem::TooMany { count })) } else { Ok(()) }
}

fn unacceptable(field: &str, problem: Problem) -> Unacceptable {
    Unacceptable { field: field.to_owned(), problem }
}
