//! What one line of the gateway is about.
//!
//! Entry point: [`Dispatch::read`]. Messages are handed on as the text that came; only what decides where they go is read.
//! Invariant: a line that cannot be understood is an error, so that the caller can count and keep it.

use serde::Deserialize;
use serde_json::value::RawValue;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::snowflake::Snowflake;
use crate::source::lenient::{Text, each_readable, odd_as_none};

/// A line of the gateway.
#[derive(Debug)]
pub(super) enum Dispatch<'d> {
    /// A new gateway session: nothing is replayed to it.
    Ready,
    /// The old session goes on; what was missed came before this line.
    Resumed,
    /// A message was posted or changed in this channel.
    Message {
        channel: Snowflake,
        /// The server that it is in.
        guild: Option<Snowflake>,
        /// Whether it has just been posted.
        is_new: bool,
        /// The message object.
        raw: &'d str,
    },
    /// Messages were deleted.
    Deleted {
        channel: Snowflake,
        ids: Vec<Snowflake>,
        /// What said so.
        raw: &'d str,
    },
    /// Channels or threads as they are now.
    Places(Vec<RawPlace>),
    /// A channel or thread is no more, or cannot be seen any more.
    Gone(Snowflake),
    /// A server is away: the bot was removed from it, or Discord has an outage there.
    GuildGone(Snowflake),
    /// Something that says nothing about posts.
    Other,
}

/// A channel or thread as Discord describes it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct RawPlace {
    pub(super) id: Snowflake,
    #[serde(rename = "type", default, deserialize_with = "odd_as_none")]
    pub(super) kind: Option<u64>,
    #[serde(default, deserialize_with = "odd_as_none")]
    pub(super) guild_id: Option<Snowflake>,
    #[serde(default, deserialize_with = "odd_as_none")]
    name: Option<Text>,
    /// For a thread its channel, for a channel its category.
    #[serde(default, deserialize_with = "odd_as_none")]
    parent_id: Option<Snowflake>,
    #[serde(default, deserialize_with = "odd_as_none")]
    pub(super) last_message_id: Option<Snowflake>,
    #[serde(default, deserialize_with = "odd_as_none")]
    thread_metadata: Option<RawThread>,
}

/// What only a thread has.
#[derive(Debug, Clone, Deserialize)]
struct RawThread {
    #[serde(default, deserialize_with = "odd_as_none")]
    archive_timestamp: Option<String>,
}

impl RawPlace {
    /// The channel that this is a thread of: 10 in an announcement channel, 11 public, 12 private.
    pub(super) fn thread_of(&self) -> Option<Snowflake> {
        self.parent_id.filter(|_| matches!(self.kind, Some(10..=12)))
    }

    /// Whether it holds threads only: 15 a forum, 16 a media channel.
    pub(super) fn is_forum(&self) -> bool {
        matches!(self.kind, Some(15 | 16))
    }

    /// When it was archived: as a time, and as Discord writes it, which is the cursor of the list of archived threads.
    pub(super) fn archived_at(&self) -> Option<(OffsetDateTime, String)> {
        let text = self.thread_metadata.as_ref()?.archive_timestamp.clone()?;
        Some((OffsetDateTime::parse(&text, &Rfc3339).ok()?, text))
    }

    /// Its name, for people: without what could change a terminal.
    pub(super) fn name(&self) -> String {
        let plain = |name: &Text| name.0.replace(char::is_control, " ");
        self.name.as_ref().map_or_else(|| self.id.to_string(), plain)
    }
}

#[derive(Deserialize)]
struct Line<'d> {
    #[serde(default, borrow)]
    d: Option<&'d RawValue>,
    #[serde(default)]
    t: Option<String>,
}

#[derive(Deserialize)]
struct InChannel {
    channel_id: Snowflake,
    #[serde(default, deserialize_with = "odd_as_none")]
    guild_id: Option<Snowflake>,
}

#[derive(Deserialize)]
struct DeletedIds {
    channel_id: Snowflake,
    #[serde(default)]
    id: Option<Snowflake>,
    #[serde(default)]
    ids: Vec<Snowflake>,
}

#[derive(Deserialize)]
struct Held {
    #[serde(default, deserialize_with = "odd_as_none")]
    id: Option<Snowflake>,
    #[serde(default, deserialize_with = "each_readable")]
    channels: Vec<RawPlace>,
    #[serde(default, deserialize_with = "each_readable")]
    threads: Vec<RawPlace>,
}

#[derive(Deserialize)]
struct OnlyId {
    id: Snowflake,
}

impl<'d> Dispatch<'d> {
    /// Reads a line with operation code 0.
    pub(super) fn read(line: &'d str) -> serde_json::Result<Self> {
        let line: Line<'d> = serde_json::from_str(line)?;
        let body = line.d.map_or("null", RawValue::get);
        Ok(match line.t.as_deref().unwrap_or_default() {
            "READY" => Dispatch::Ready,
            "RESUMED" => Dispatch::Resumed,
            kind @ ("MESSAGE_CREATE" | "MESSAGE_UPDATE") => {
                let InChannel { channel_id, guild_id } = serde_json::from_str(body)?;
                let is_new = kind == "MESSAGE_CREATE";
                Dispatch::Message { channel: channel_id, guild: guild_id, is_new, raw: body }
            }
            "MESSAGE_DELETE" | "MESSAGE_DELETE_BULK" => {
                let deleted: DeletedIds = serde_json::from_str(body)?;
                let ids = deleted.id.into_iter().chain(deleted.ids).collect();
                Dispatch::Deleted { channel: deleted.channel_id, ids, raw: body }
            }
            "GUILD_CREATE" | "THREAD_LIST_SYNC" => {
                let Held { id, channels, threads } = serde_json::from_str(body)?;
                let mut places: Vec<RawPlace> = channels.into_iter().chain(threads).collect();
                // Inside its server's description a channel does not name the server.
                places.iter_mut().for_each(|place| place.guild_id = place.guild_id.or(id));
                Dispatch::Places(places)
            }
            "CHANNEL_CREATE" | "CHANNEL_UPDATE" | "THREAD_CREATE" | "THREAD_UPDATE" => {
                Dispatch::Places(vec![serde_json::from_str(body)?])
            }
            "CHANNEL_DELETE" | "THREAD_DELETE" => Dispatch::Gone(serde_json::from_str::<OnlyId>(body)?.id),
            "GUILD_DELETE" => Dispatch::GuildGone(serde_json::from_str::<OnlyId>(body)?.id),
            _ => Dispatch::Other,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_handed_on_as_they_came() {
        let line =
            r#"{"t":"MESSAGE_CREATE","s":4,"op":0,"d":{"id":"9",  "channel_id":"5","content":"a\u0041"}}"#;
        let Dispatch::Message { channel, raw, .. } = Dispatch::read(line).unwrap() else { panic!("{line}") };
        assert_eq!((channel, raw), (Snowflake(5), r#"{"id":"9",  "channel_id":"5","content":"a\u0041"}"#));
    }

    #[test]
    fn deletes_come_alone_and_in_bulk() {
        let ids = |line: &str| match Dispatch::read(line).unwrap() {
            Dispatch::Deleted { channel: Snowflake(5), ids, .. } => {
                ids.iter().map(|id| id.0).collect::<Vec<_>>()
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(ids(r#"{"t":"MESSAGE_DELETE","d":{"id":"9","channel_id":"5","guild_id":"1"}}"#), [9]);
        assert_eq!(ids(r#"{"t":"MESSAGE_DELETE_BULK","d":{"ids":["9","8"],"channel_id":"5"}}"#), [9, 8]);
    }

    #[test]
    fn a_guild_brings_its_channels_and_active_threads() {
        let line = r#"{"t":"GUILD_CREATE","d":{"id":"1","name":"desk","channels":[
            {"id":"5","type":5,"name":"news","last_message_id":"77","parent_id":"3"},{"id":"6","type":15,"name":"forum"}],
            "threads":[{"id":"7","type":11,"name":"btc","parent_id":"6","guild_id":"1",
            "thread_metadata":{"archived":false,"archive_timestamp":"2026-05-01T00:00:00.000000+00:00"}}]}}"#;
        let Dispatch::Places(places) = Dispatch::read(line).unwrap() else { panic!("{line}") };
        let [news, forum, thread] = places.as_slice() else { panic!("{places:?}") };
        assert_eq!((news.name(), news.thread_of(), news.is_forum()), ("news".into(), None, false));
        assert_eq!((forum.is_forum(), thread.thread_of()), (true, Some(Snowflake(6))));
        assert_eq!(news.last_message_id, Some(Snowflake(77)));
        assert_eq!(
            [news.guild_id, thread.guild_id],
            [Some(Snowflake(1)); 2],
            "channels do not name it themselves"
        );
    }

    #[test]
    fn what_is_not_about_posts_is_told_apart_from_what_cannot_be_read() {
        for other in [r#"{"t":"TYPING_START","d":{}}"#, r#"{"op":0}"#] {
            assert!(matches!(Dispatch::read(other), Ok(Dispatch::Other)), "{other}");
        }
        for broken in [r#"{"t":"MESSAGE_CREATE","d":{"id":"9"}}"#, r#"{"t":"MESSAGE_DELETE","d":null}"#, "{"]
        {
            assert!(Dispatch::read(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn one_channel_of_an_odd_form_costs_itself_alone() {
        let line = r#"{"t":"GUILD_CREATE","d":{"id":"1","channels":[{"id":null},7,{"id":"5","type":0,"name":"vip"}],"threads":3}}"#;
        let Dispatch::Places(places) = Dispatch::read(line).unwrap() else { panic!("{line}") };
        assert_eq!(places.iter().map(|place| place.id.0).collect::<Vec<_>>(), [5]);
    }
}
