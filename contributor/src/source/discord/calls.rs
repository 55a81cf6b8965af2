//! The calls of [`Rest`], by name, and what they answer. Fields that are not needed are not read.

use serde::Deserialize;
use serde_json::value::RawValue;
use time::OffsetDateTime;

use super::dispatch::RawPlace;
use super::limits::Route;
use super::rest::{Rest, RestError};
use super::snowflake::Snowflake;
use crate::source::lenient::{Text, each_readable, odd_as_none};

/// The most messages of a page of history.
pub(super) const PAGE: usize = 100;
/// The most pages of archived threads that are looked through at once: 100 threads each.
const MAX_THREAD_PAGES: usize = 20;
/// `GATEWAY_MESSAGE_CONTENT` and `GATEWAY_MESSAGE_CONTENT_LIMITED` among an application's flags.
const MESSAGE_CONTENT: u64 = 1 << 18 | 1 << 19;

/// The token's owner.
#[derive(Debug, Deserialize)]
pub(super) struct Me {
    pub(super) id: Snowflake,
    #[serde(default)]
    pub(super) username: String,
    #[serde(default)]
    pub(super) bot: bool,
}

#[derive(Deserialize)]
struct Application {
    #[serde(default, deserialize_with = "odd_as_none")]
    flags: Option<u64>,
}

/// Where the gateway is, and how often a session may be started.
#[derive(Debug, Deserialize)]
pub(super) struct GatewayBot {
    pub(super) url: String,
    #[serde(default)]
    pub(super) session_start_limit: StartLimit,
}

/// How many sessions may still be started today.
#[derive(Debug, Deserialize)]
#[serde(default)]
pub(super) struct StartLimit {
    pub(super) remaining: u64,
    /// Milliseconds until the count begins anew.
    pub(super) reset_after: u64,
}

impl Default for StartLimit {
    fn default() -> Self {
        Self { remaining: 1, reset_after: 0 }
    }
}

/// A server that the bot is in.
#[derive(Debug, Deserialize)]
pub(super) struct Guild {
    pub(super) id: Snowflake,
    #[serde(default)]
    pub(super) name: Text,
}

#[derive(Deserialize)]
struct Threads {
    #[serde(default, deserialize_with = "each_readable")]
    threads: Vec<RawPlace>,
    #[serde(default)]
    has_more: bool,
}

/// Which part of a channel's history.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part {
    /// The youngest messages.
    Newest,
    /// The oldest messages after this id.
    After(Snowflake),
    /// The youngest messages before this id.
    Before(Snowflake),
}

fn route(kind: &'static str, major: u64, path: String) -> Route {
    Route { path, kind, major }
}

impl Rest {
    /// Who the token's owner is.
    pub(super) async fn me(&self) -> Result<Me, RestError> {
        self.get(&route("users/@me", 0, "users/@me".into())).await
    }

    /// Whether the Message Content Intent is switched on in the portal.
    pub(super) async fn may_read_content(&self) -> Result<bool, RestError> {
        let application: Application =
            self.get(&route("applications/@me", 0, "applications/@me".into())).await?;
        // Without the field nothing is known: the gateway will tell.
        Ok(application.flags.is_none_or(|flags| flags & MESSAGE_CONTENT != 0))
    }

    /// Where the gateway is.
    pub(super) async fn gateway(&self) -> Result<GatewayBot, RestError> {
        self.get(&route("gateway/bot", 0, "gateway/bot".into())).await
    }

    /// A channel or thread.
    pub(super) async fn place(&self, id: Snowflake) -> Result<RawPlace, RestError> {
        self.get(&route("channels", id.0, format!("channels/{id}"))).await
    }

    /// At most [`PAGE`] messages of a channel as they came, in no order that may be relied on.
    pub(super) async fn messages(
        &self,
        channel: Snowflake,
        part: Part,
    ) -> Result<Vec<Box<RawValue>>, RestError> {
        let part = match part {
            Part::Newest => String::new(),
            Part::After(id) => format!("&after={id}"),
            Part::Before(id) => format!("&before={id}"),
        };
        let path = format!("channels/{channel}/messages?limit={PAGE}{part}");
        self.get(&route("channels/messages", channel.0, path)).await
    }

    /// One message as it came.
    pub(super) async fn message(&self, channel: Snowflake, id: Snowflake) -> Result<String, RestError> {
        self.text(&route("channels/message", channel.0, format!("channels/{channel}/messages/{id}"))).await
    }

    /// The threads of a server that are not archived, as far as the bot sees them.
    pub(super) async fn active_threads(&self, guild: Snowflake) -> Result<Vec<RawPlace>, RestError> {
        let path = format!("guilds/{guild}/threads/active");
        Ok(self.get::<Threads>(&route("guilds/threads", guild.0, path)).await?.threads)
    }

    /// The public threads of a channel that were archived after this time. A message opens its thread again, so a thread
    /// that was archived earlier has nothing younger.
    pub(super) async fn archived_threads(
        &self,
        channel: Snowflake,
        after: OffsetDateTime,
    ) -> Result<Vec<RawPlace>, RestError> {
        let mut found = Vec::new();
        let mut before = String::new();
        for _ in 0..MAX_THREAD_PAGES {
            let path = format!("channels/{channel}/threads/archived/public?limit=100{before}");
            let page: Threads = self.get(&route("channels/threads", channel.0, path)).await?;
            let oldest = page.threads.last().and_then(RawPlace::archived_at);
            found.extend(page.threads);
            match oldest.filter(|(at, _)| page.has_more && *at > after) {
                Some((_, text)) => before = format!("&before={}", text.replace('+', "%2B")),
                None => return Ok(found),
            }
        }
        let pages = MAX_THREAD_PAGES;
        tracing::warn!(%channel, pages, "so many of its threads were archived that the oldest are left out");
        Ok(found)
    }

    /// The servers that the bot is in, the first 200 of them.
    pub(super) async fn guilds(&self) -> Result<Vec<Guild>, RestError> {
        self.get(&route("users/@me/guilds", 0, "users/@me/guilds".into())).await
    }

    /// The channels of a server.
    pub(super) async fn channels(&self, guild: Snowflake) -> Result<Vec<RawPlace>, RestError> {
        self.get(&route("guilds/channels", guild.0, format!("guilds/{guild}/channels"))).await
    }
}
