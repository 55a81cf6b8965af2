//! Decodes one message of a DiscordChatExporter file into a [`Post`].
//!
//! Entry point: [`decode`]. Needed: `id`, `timestamp`. What carries the author's words or the post's identity (`content`,
//! `timestampEdited`, `embeds`, `reference`, `forwardedMessage`) may be missing, but not of an odd type; anything else may.
//!
//! Identity: the file has no flags, so a crosspost (a copy made by following an announcement channel) is inferred, see
//! [`Message::original`]; it becomes the original's post, the same for every follower and for a reader of the original.

use serde::Deserialize;
use serde::de::Deserializer;
use shared::post::{Attachment, Author, ChannelRef, Embed, Forwarded, Post};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::source::card::RawEmbed;
use crate::source::discord::Snowflake;
use crate::source::lenient::{Id, Text, needed, normal, odd_as_none};

/// Stands for an author whose id the file does not tell.
const UNKNOWN_AUTHOR: &str = "unknown";

/// Decodes the text of one message of `channel`. True beside it when the exporter has rendered the text: it is not as its
/// author wrote it, and differs from what others heard.
pub(super) fn decode(
    raw: &str,
    guild: Option<&str>,
    channel: &ChannelRef,
) -> serde_json::Result<(Post, bool)> {
    let message: Message = serde_json::from_str(raw)?;
    let is_rendered = message.is_rendered();
    Ok((message.decoded(guild, channel)?, is_rendered))
}

/// A copy is dated and signed as the live listener does it, so that all followers agree: by the original's id, and not by a
/// webhook that each follower has another one of.
fn be_the_originals(post: &mut Post) {
    let from = post.channel.external_id.clone();
    let name = std::mem::take(&mut post.author.name);
    if !name.is_empty() {
        post.channel.name.clone_from(&name);
    }
    post.author = Author { external_id: from, name, is_bot: true };
    // An id that is no snowflake tells no time.
    if let Some(id) = post.external_id.parse().ok().filter(|id: &Snowflake| id.tells_time()) {
        post.posted_at = id.made_at();
    }
}

/// A time in any zone, or nothing if it is no time.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Moment(#[serde(deserialize_with = "moment_or_none")] pub(super) Option<OffsetDateTime>);

fn moment_or_none<'de, D: Deserializer<'de>>(json: D) -> Result<Option<OffsetDateTime>, D::Error> {
    let text = <Option<serde_json::Value>>::deserialize(json)?;
    let parsed =
        text.as_ref().and_then(|value| value.as_str()).map(|text| OffsetDateTime::parse(text, &Rfc3339));
    Ok(parsed.and_then(Result::ok).and_then(normal))
}

/// A message as the file has it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    id: Id,
    #[serde(with = "time::serde::rfc3339")]
    timestamp: OffsetDateTime,
    #[serde(default, with = "time::serde::rfc3339::option")]
    timestamp_edited: Option<OffsetDateTime>,
    /// A name; a number for a kind that the exporter did not know.
    #[serde(rename = "type", default, deserialize_with = "odd_as_none")]
    kind: Option<String>,
    #[serde(default)]
    content: Option<Text>,
    #[serde(default, deserialize_with = "odd_as_none")]
    author: Option<RawAuthor>,
    #[serde(default)]
    embeds: Option<Vec<RawEmbed>>,
    #[serde(default, deserialize_with = "odd_as_none")]
    attachments: Option<Vec<RawAttachment>>,
    #[serde(default, deserialize_with = "odd_as_none")]
    stickers: Option<Vec<RawSticker>>,
    #[serde(default, deserialize_with = "odd_as_none")]
    mentions: Option<Vec<Mention>>,
    #[serde(default)]
    reference: Option<Reference>,
    #[serde(default)]
    forwarded_message: Option<RawForwarded>,
}

/// Somebody whom the text names.
#[derive(Deserialize)]
struct Mention {
    #[serde(default, deserialize_with = "odd_as_none")]
    name: Option<Text>,
    #[serde(default, deserialize_with = "odd_as_none")]
    nickname: Option<Text>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    /// Written by exporters from February 2026 on.
    #[serde(rename = "type", default, deserialize_with = "odd_as_none")]
    kind: Option<String>,
    #[serde(default)]
    message_id: Option<Id>,
    #[serde(default)]
    channel_id: Option<Id>,
    #[serde(default)]
    guild_id: Option<Id>,
}

impl Reference {
    fn is_forward(&self) -> bool {
        self.kind.as_deref() == Some("Forward")
    }
}

#[derive(Deserialize)]
struct RawForwarded {
    #[serde(default)]
    content: Option<Text>,
    #[serde(default)]
    embeds: Option<Vec<RawEmbed>>,
    #[serde(default, deserialize_with = "odd_as_none")]
    attachments: Option<Vec<RawAttachment>>,
    #[serde(default, deserialize_with = "odd_as_none")]
    stickers: Option<Vec<RawSticker>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawAuthor {
    #[serde(default, deserialize_with = "odd_as_none")]
    id: Option<Id>,
    #[serde(default, deserialize_with = "odd_as_none")]
    name: Option<Text>,
    #[serde(default, deserialize_with = "odd_as_none")]
    is_bot: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawAttachment {
    #[serde(default, deserialize_with = "odd_as_none")]
    id: Option<Id>,
    #[serde(default, deserialize_with = "odd_as_none")]
    file_name: Option<Text>,
    #[serde(default, deserialize_with = "odd_as_none")]
    file_size_bytes: Option<u64>,
}

#[derive(Deserialize)]
struct RawSticker {
    #[serde(default, deserialize_with = "odd_as_none")]
    id: Option<Id>,
    #[serde(default, deserialize_with = "odd_as_none")]
    name: Option<Text>,
}

impl Message {
    fn decoded(self, guild: Option<&str>, channel: &ChannelRef) -> serde_json::Result<Post> {
        match self.original(guild, channel) {
            Some((channel, external_id)) => {
                let mut post = self.into_post(channel, external_id)?;
                be_the_originals(&mut post);
                Ok(post)
            }
            None => {
                let external_id = self.id.clone().into_text();
                self.into_post(channel.clone(), external_id)
            }
        }
    }

    /// Whether a mention stands in the text by its name: Discord writes `<@id>`, and `--markdown` makes `@name` of it.
    fn is_rendered(&self) -> bool {
        let Some(Text(content)) = &self.content else { return false };
        let by_name = |name: &Option<Text>| {
            name.as_ref().is_some_and(|Text(name)| !name.is_empty() && content.contains(&format!("@{name}")))
        };
        let mut mentions = self.mentions.iter().flatten();
        !content.contains("<@")
            && mentions.any(|mention| by_name(&mention.nickname) || by_name(&mention.name))
    }

    /// The original's channel and id, if this is a crosspost: an ordinary message, no reply and no forward, that refers
    /// to a message of another guild, or of another channel of this guild.
    ///
    /// An exporter from before February 2026 shows a forward in the same way, but without its text. Such an empty
    /// message is therefore no crosspost: it must not stand as the original's text.
    fn original(&self, guild: Option<&str>, channel: &ChannelRef) -> Option<(ChannelRef, String)> {
        let reference = self.reference.as_ref().filter(|reference| !reference.is_forward())?;
        let may_be_old_forward = reference.kind.is_none() && self.is_empty();
        if self.kind.as_deref() != Some("Default") || self.forwarded_message.is_some() || may_be_old_forward {
            return None;
        }
        let text = |id: &Option<Id>| id.clone().map(Id::into_text).filter(|id| !id.is_empty());
        let (message, from) = (text(&reference.message_id)?, text(&reference.channel_id)?);
        let other_guild = text(&reference.guild_id).is_some_and(|from| Some(from.as_str()) != guild);
        if !other_guild && from == channel.external_id {
            return None;
        }
        let name = format!("followed in {}", channel.name);
        Some((ChannelRef { source: channel.source, external_id: from, name }, message))
    }

    fn is_empty(&self) -> bool {
        self.content.as_ref().is_none_or(|text| text.0.is_empty())
            && self.embeds.as_ref().is_none_or(Vec::is_empty)
            && self.attachments.as_ref().is_none_or(Vec::is_empty)
            && self.stickers.as_ref().is_none_or(Vec::is_empty)
    }

    fn into_post(self, channel: ChannelRef, external_id: String) -> serde_json::Result<Post> {
        let is_reply = self.kind.as_deref() == Some("Reply");
        let replied = self.reference.filter(|reference| is_reply && !reference.is_forward());
        let mut attachments = files(self.attachments, self.stickers);
        let mut copies = Vec::new();
        if let Some(copy) = self.forwarded_message {
            let content = copy.content.unwrap_or_default().0;
            copies.push(Forwarded { content, embeds: cards(copy.embeds) });
            attachments.extend(files(copy.attachments, copy.stickers));
        }
        Ok(Post {
            channel,
            external_id,
            author: author(self.author),
            posted_at: needed("timestamp", self.timestamp)?,
            edited_at: self.timestamp_edited.map(|at| needed("timestampEdited", at)).transpose()?,
            deleted_at: None,
            content: self.content.unwrap_or_default().0,
            embeds: cards(self.embeds),
            attachments,
            reply_to: replied.and_then(|reference| reference.message_id).map(Id::into_text),
            forwarded: copies,
        })
    }
}

fn author(raw: Option<RawAuthor>) -> Author {
    let id = raw.as_ref().and_then(|raw| raw.id.clone()).map(Id::into_text).filter(|id| !id.is_empty());
    let is_bot = raw.as_ref().and_then(|raw| raw.is_bot).unwrap_or(false);
    let name = raw.and_then(|raw| raw.name).unwrap_or_default().0;
    Author { external_id: id.unwrap_or_else(|| UNKNOWN_AUTHOR.to_owned()), name, is_bot }
}

/// The cards that have text: one with only a picture says nothing, and is often made by Discord out of a link.
fn cards(raw: Option<Vec<RawEmbed>>) -> Vec<Embed> {
    let cards = raw.unwrap_or_default().into_iter().map(RawEmbed::into_embed);
    cards.filter(|card| card.texts().next().is_some()).collect()
}

/// The files, and the stickers as pictures without a size, as for a message that was heard live.
fn files(raw: Option<Vec<RawAttachment>>, stickers: Option<Vec<RawSticker>>) -> Vec<Attachment> {
    let file = |raw: RawAttachment| Attachment {
        external_id: raw.id.map(Id::into_text).unwrap_or_default(),
        file_name: raw.file_name.unwrap_or_default().0,
        size_bytes: raw.file_size_bytes.unwrap_or(0),
    };
    let sticker = |raw: RawSticker| Attachment {
        external_id: raw.id.map(Id::into_text).unwrap_or_default(),
        file_name: raw.name.unwrap_or_default().0,
        size_bytes: 0,
    };
    let files = raw.unwrap_or_default().into_iter().map(file);
    files.chain(stickers.unwrap_or_default().into_iter().map(sticker)).collect()
}
