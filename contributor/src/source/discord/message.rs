//! What one message object of Discord means: a post, or something that is none.
//!
//! Entry point: [`read`]. It is total: what cannot be decoded is an error that the caller keeps with the raw text. Needed
//! is the id; the author's words may be missing (then it is partial or blank), but not of an odd type.
//! Invariants: a copy made by following a channel becomes the original's post, the same for every follower; addresses of
//! files expire and are never part of a post; a post is the same whether it was heard live or read back.

use serde::Deserialize;
use shared::post::{Attachment, Author, ChannelRef, Forwarded, Post};
use time::OffsetDateTime;

use super::parts::{self, RawAttachment, RawComponent, RawPoll, RawSticker};
use super::snowflake::Snowflake;
use crate::source::card::RawEmbed;
use crate::source::lenient::{Id, Text, needed, odd_as_none};

/// Stands for an author whom the message does not name.
pub(super) const UNKNOWN_AUTHOR: &str = "unknown";

/// `IS_CROSSPOST`: a copy, made by following the channel of the original.
const IS_CROSSPOST: u64 = 1 << 1;
/// `SOURCE_MESSAGE_DELETED`: a copy whose original is gone.
const SOURCE_MESSAGE_DELETED: u64 = 1 << 3;
/// `LOADING`: a bot has said that it will answer; the text follows in an update that is no edit.
const LOADING: u64 = 1 << 7;
/// `message_reference.type` of a forward.
const FORWARD: u64 = 1;
/// The type of a message that answers another one.
const REPLY: u64 = 19;

/// What a message is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Somebody's words.
    Post(Box<Post>),
    /// Somebody's words, of which nothing can be seen. One such message proves nothing; the intent for message content
    /// must be looked at before it is believed.
    Blank(Box<Post>),
    /// A copy (channel, id) whose original has been deleted, at the original's place.
    SourceDeleted(Box<Post>),
    /// An edit that does not bring the text along: it must be asked for.
    Partial,
    /// Nobody's words: joins, pins, a name that was changed, an answer that is not there yet.
    Nothing,
}

/// A message with what must be known of it beside its meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Read {
    /// Its own id, which for a copy is not the post's.
    pub(super) id: Snowflake,
    /// Whether it is a copy of a message of another channel.
    pub(super) is_copy: bool,
    /// What it means.
    pub(super) meaning: Meaning,
}

/// Reads a message object that was found in `channel`. `now` is when an original is first known to be gone.
pub(super) fn read(raw: &str, channel: &ChannelRef, now: OffsetDateTime) -> serde_json::Result<Read> {
    let message: Message = serde_json::from_str(raw)?;
    let original = message.original(channel);
    let (id, is_copy) = (message.id, original.is_some());
    if !message.is_words() || message.has_flag(LOADING) {
        return Ok(Read { id, is_copy, meaning: Meaning::Nothing });
    }
    let gone = is_copy && message.has_flag(SOURCE_MESSAGE_DELETED);
    if !gone && (message.content.is_none() || message.author.is_none()) {
        // Formerly updates brought only what had changed; without an edit time it was a picture that unfolded.
        let meaning = if message.edited_timestamp.is_some() { Meaning::Partial } else { Meaning::Nothing };
        return Ok(Read { id, is_copy, meaning });
    }
    let blank = message.is_blank();
    let mut post = message.into_post(original.unwrap_or_else(|| Original::itself(id, channel)))?;
    let meaning = if gone {
        (post.content, post.embeds, post.attachments, post.forwarded) = Default::default();
        post.deleted_at = Some(now.max(post.posted_at));
        Meaning::SourceDeleted(Box::new(post))
    } else if blank {
        Meaning::Blank(Box::new(post))
    } else {
        Meaning::Post(Box::new(post))
    };
    Ok(Read { id, is_copy, meaning })
}

/// The tombstone of a message: a deletion tells nothing but ids, so the author is whoever was known to be it.
pub(super) fn tombstone(
    channel: ChannelRef,
    id: Snowflake,
    author: Option<Author>,
    now: OffsetDateTime,
) -> Post {
    let unknown = || Author { external_id: UNKNOWN_AUTHOR.to_owned(), name: String::new(), is_bot: false };
    Post {
        channel,
        external_id: id.to_string(),
        author: author.unwrap_or_else(unknown),
        posted_at: id.made_at(),
        edited_at: None,
        deleted_at: Some(now.max(id.made_at())),
        content: String::new(),
        embeds: Vec::new(),
        attachments: Vec::new(),
        reply_to: None,
        forwarded: Vec::new(),
    }
}

/// Where a post stands for everybody.
struct Original {
    channel: ChannelRef,
    id: Snowflake,
    /// A copy's author is a webhook of the follower: another one for each, and no author.
    author: Option<Author>,
}

impl Original {
    fn itself(id: Snowflake, channel: &ChannelRef) -> Self {
        Self { channel: channel.clone(), id, author: None }
    }
}

/// A message as Discord has it.
#[derive(Deserialize)]
struct Message {
    id: Snowflake,
    #[serde(rename = "type", default, deserialize_with = "odd_as_none")]
    kind: Option<u64>,
    #[serde(default, deserialize_with = "odd_as_none")]
    flags: Option<u64>,
    #[serde(default)]
    content: Option<Text>,
    #[serde(default, with = "time::serde::rfc3339::option")]
    edited_timestamp: Option<OffsetDateTime>,
    #[serde(default, deserialize_with = "odd_as_none")]
    author: Option<RawAuthor>,
    #[serde(default, deserialize_with = "odd_as_none")]
    webhook_id: Option<Id>,
    #[serde(default)]
    embeds: Option<Vec<RawEmbed>>,
    #[serde(default, deserialize_with = "odd_as_none")]
    attachments: Option<Vec<RawAttachment>>,
    #[serde(default, deserialize_with = "odd_as_none")]
    components: Option<Vec<RawComponent>>,
    #[serde(default)]
    message_reference: Option<Reference>,
    #[serde(default)]
    message_snapshots: Option<Vec<Snapshot>>,
    #[serde(default, deserialize_with = "odd_as_none")]
    poll: Option<RawPoll>,
    #[serde(default, deserialize_with = "odd_as_none")]
    sticker_items: Option<Vec<RawSticker>>,
}

#[derive(Deserialize)]
struct Reference {
    #[serde(rename = "type", default, deserialize_with = "odd_as_none")]
    kind: Option<u64>,
    #[serde(default)]
    message_id: Option<Snowflake>,
    #[serde(default)]
    channel_id: Option<Snowflake>,
}

/// A forwarded message as it stood when it was forwarded: no author, and never edited.
#[derive(Deserialize)]
struct Snapshot {
    message: SnapshotMessage,
}

#[derive(Deserialize)]
struct SnapshotMessage {
    #[serde(default)]
    content: Option<Text>,
    #[serde(default)]
    embeds: Option<Vec<RawEmbed>>,
    #[serde(default, deserialize_with = "odd_as_none")]
    attachments: Option<Vec<RawAttachment>>,
    #[serde(default, deserialize_with = "odd_as_none")]
    components: Option<Vec<RawComponent>>,
    #[serde(default, deserialize_with = "odd_as_none")]
    sticker_items: Option<Vec<RawSticker>>,
}

#[derive(Deserialize)]
struct RawAuthor {
    #[serde(default, deserialize_with = "odd_as_none")]
    id: Option<Id>,
    #[serde(default, deserialize_with = "odd_as_none")]
    username: Option<Text>,
    #[serde(default, deserialize_with = "odd_as_none")]
    bot: Option<bool>,
}

impl Message {
    fn has_flag(&self, flag: u64) -> bool {
        self.flags.unwrap_or(0) & flag != 0
    }

    /// Whether somebody speaks: an ordinary message, a reply, the answer to a command (20, 23), or a kind that is younger
    /// than this program. The other known kinds are notices that Discord writes.
    fn is_words(&self) -> bool {
        matches!(self.kind.unwrap_or(0), 0 | REPLY | 20 | 23 | 47..)
    }

    /// The original, if this is a copy made by following its channel.
    fn original(&self, channel: &ChannelRef) -> Option<Original> {
        let reference = self.message_reference.as_ref().filter(|_| self.has_flag(IS_CROSSPOST))?;
        let (id, from) = (reference.message_id?, reference.channel_id?);
        // The webhook is named after the followed server and channel: the same name for every follower.
        let webhook = self.author.as_ref().and_then(|author| author.username.as_ref());
        let name = webhook.map_or_else(|| format!("followed in {}", channel.name), |name| name.0.clone());
        let author = Author { external_id: from.to_string(), name: name.clone(), is_bot: true };
        let channel = ChannelRef { source: channel.source, external_id: from.to_string(), name };
        Some(Original { channel, id, author: Some(author) })
    }

    /// Whether nothing of what was said can be seen. A sticker or a poll alone is something said.
    fn is_blank(&self) -> bool {
        self.content.as_ref().is_none_or(|text| text.0.is_empty())
            && self.embeds.as_ref().is_none_or(Vec::is_empty)
            && self.attachments.as_ref().is_none_or(Vec::is_empty)
            && self.components.as_ref().is_none_or(Vec::is_empty)
            && self.message_snapshots.as_ref().is_none_or(Vec::is_empty)
            && self.poll.is_none()
            && self.sticker_items.as_ref().is_none_or(Vec::is_empty)
    }

    fn into_post(self, original: Original) -> serde_json::Result<Post> {
        let is_person = self.webhook_id.is_none()
            && !self.author.as_ref().is_some_and(|author| author.bot.unwrap_or(false));
        let reference = self.message_reference.filter(|_| self.kind == Some(REPLY));
        let replied = reference.filter(|reference| reference.kind != Some(FORWARD));
        let content = self.content.unwrap_or_default().0;
        let mut embeds = parts::cards(self.embeds, is_person);
        embeds.extend(parts::spoken(self.components));
        embeds.extend(parts::poll(self.poll));
        let mut attachments = parts::files(self.attachments);
        attachments.extend(parts::stickers(self.sticker_items));
        let mut copies = Vec::new();
        for snapshot in self.message_snapshots.unwrap_or_default() {
            let (copy, files) = forwarded(snapshot.message);
            copies.push(copy);
            attachments.extend(files);
        }
        Ok(Post {
            channel: original.channel,
            external_id: original.id.to_string(),
            author: original.author.unwrap_or_else(|| author(self.author, self.webhook_id.is_some())),
            posted_at: original.id.made_at(),
            edited_at: self.edited_timestamp.map(|at| needed("edited_timestamp", at)).transpose()?,
            deleted_at: None,
            content,
            embeds,
            attachments,
            reply_to: replied.and_then(|reference| reference.message_id).map(|id| id.to_string()),
            forwarded: copies,
        })
    }
}

fn author(raw: Option<RawAuthor>, is_webhook: bool) -> Author {
    let is_bot = is_webhook || raw.as_ref().and_then(|raw| raw.bot).unwrap_or(false);
    let (id, name) = raw.map_or((None, None), |raw| (raw.id, raw.username));
    let id = id.map(Id::into_text).filter(|id| !id.is_empty());
    Author {
        external_id: id.unwrap_or_else(|| UNKNOWN_AUTHOR.to_owned()),
        name: name.unwrap_or_default().0,
        is_bot,
    }
}

/// The one place where a forwarded message is mapped: a copy inside the post, so that nobody takes its words for those of
/// the one who forwarded it. Its files stand with the post's.
fn forwarded(message: SnapshotMessage) -> (Forwarded, Vec<Attachment>) {
    // Whether a person wrote it is not told; a person's link would have unfolded by now.
    let mut embeds = parts::cards(message.embeds, false);
    embeds.extend(parts::spoken(message.components));
    let content = message.content.unwrap_or_default().0;
    let mut files = parts::files(message.attachments);
    files.extend(parts::stickers(message.sticker_items));
    (Forwarded { content, embeds }, files)
}

#[cfg(test)]
mod tests;
