//! The settings of the Discord source: a bot's token, the channels, and where Discord is.
//!
//! Entry points: [`DiscordSettings`], [`DiscordSettings::bot`]. Invariants: the token shows nowhere, and is sent to Discord
//! only, or to this machine in a test; in a test no other machine is ever talked to.

use std::path::PathBuf;
use std::time::Duration;

use launch::secret::Secret;
use serde::Deserialize;
use url::{Host, Url};

use super::snowflake::Snowflake;
use super::words;
use crate::failure::Failure;

/// Where Discord's API is. Version 10, as the gateway's.
const DISCORD: &str = "https://discord.com/api/v10";
/// How often closed channels and completeness are looked at: a few requests for each channel.
const CHECK_EVERY: Duration = Duration::from_secs(600);
/// How often the server is asked for its approvals: one request. Who has just been approved waits for it.
const APPROVALS_EVERY: Duration = Duration::from_secs(30);
/// Every gateway's host ends so.
const GATEWAYS: &str = ".discord.gg";

/// What can be set in `[discord]`.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DiscordSettings {
    /// The bot's token.
    pub token: Option<Secret>,
    /// A file that holds the bot's token and nothing else.
    pub token_file: Option<PathBuf>,
    /// The ids of the channels to listen to; those that the server has not approved are left out.
    pub channels: Vec<String>,
    /// How often the completeness of what was heard is looked at, in seconds [default: 600].
    pub check_every_s: Option<u64>,
    /// An address on this machine for `/metrics` and `/healthz`, such as `127.0.0.1:9091` [default: none].
    pub metrics_listen: Option<String>,
    /// For tests: the address of an API on this machine that stands for Discord's.
    pub api: Option<String>,
}

/// A bot, ready to be used.
#[derive(Debug, Clone)]
pub(crate) struct Bot {
    pub(super) token: Secret,
    pub(super) hosts: Hosts,
    /// The channels of the settings, each once.
    pub(super) channels: Vec<Snowflake>,
    pub(super) check_every: Duration,
}

impl Bot {
    /// How often the server is asked for its approvals.
    pub(super) fn approvals_every(&self) -> Duration {
        self.check_every.min(APPROVALS_EVERY)
    }
}

/// Where the token may be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hosts {
    /// The API's address, without a slash at its end.
    pub(super) api: String,
    is_test: bool,
}

impl DiscordSettings {
    /// The bot, checked as far as that is possible without asking Discord.
    pub(crate) fn bot(&self) -> Result<Bot, Failure> {
        let hosts = Hosts::of(self.api.as_deref()).map_err(Failure::Configuration)?;
        let text = self.token_text()?;
        let token = text.trim();
        let token = token.strip_prefix("Bot ").unwrap_or(token);
        // A user's token with a second factor, or one of an OAuth grant: never sent, not even to be refused.
        if token.starts_with("mfa.") || token.starts_with("Bearer ") {
            return Err(Failure::Configuration(words::not_a_bot()));
        }
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            let problem = "the bot's token must be one word of plain letters, digits and signs";
            return Err(Failure::Configuration(problem.into()));
        }
        let mut channels = Vec::new();
        for id in &self.channels {
            let id = id
                .trim()
                .parse()
                .map_err(|problem| Failure::Configuration(format!("discord.channels: {problem}")))?;
            if !channels.contains(&id) {
                channels.push(id);
            }
        }
        let check_every = match self.check_every_s {
            Some(0) => return Err(Failure::Configuration("discord.check_every_s must be at least 1".into())),
            Some(seconds) => Duration::from_secs(seconds),
            None => CHECK_EVERY,
        };
        Ok(Bot { token: Secret::new(token), hosts, channels, check_every })
    }

    fn token_text(&self) -> Result<String, Failure> {
        match (&self.token, &self.token_file) {
            (Some(_), Some(_)) => Err(Failure::Configuration(
                "discord.token and discord.token_file are both set: keep one of them".into(),
            )),
            (Some(token), None) => Ok(token.expose().to_owned()),
            (None, Some(path)) => {
                Secret::read(path).map(|token| token.expose().to_owned()).map_err(|error| {
                    Failure::Configuration(format!("reading discord.token_file {}: {error}", path.display()))
                })
            }
            (None, None) => Err(Failure::Configuration(words::no_token())),
        }
    }
}

impl Hosts {
    fn of(api: Option<&str>) -> Result<Self, String> {
        let Some(text) = api else { return Ok(Self { api: DISCORD.to_owned(), is_test: false }) };
        let url = Url::parse(text).map_err(|error| format!("discord.api `{text}`: {error}"))?;
        let text = url.as_str().trim_end_matches('/').to_owned();
        if text == DISCORD {
            return Ok(Self { api: text, is_test: false });
        }
        if url.scheme() == "http" && is_this_machine(&url) {
            return Ok(Self { api: text, is_test: true });
        }
        Err(format!(
            "discord.api `{text}`: the token would be sent there; only Discord's own address, or http on this machine for a test, is allowed"
        ))
    }

    /// Whether the token may be sent to this gateway; the error says why not.
    pub(super) fn check_gateway(&self, text: &str) -> Result<(), String> {
        let refused = |why: &str| Err(format!("the gateway address `{text}` is refused: {why}"));
        let Ok(url) = Url::parse(text) else { return refused("it is no address") };
        if url.path() != "/" || url.query().is_some() || !url.username().is_empty() {
            return refused("it must be a host alone");
        }
        if self.is_test {
            let fits = url.scheme() == "ws" && is_this_machine(&url);
            return if fits { Ok(()) } else { refused("a test talks to this machine only") };
        }
        let host = url.host_str().unwrap_or_default();
        let fits = url.scheme() == "wss" && host.ends_with(GATEWAYS);
        if fits { Ok(()) } else { refused("the token goes to wss://…discord.gg only") }
    }
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_token(token: &str) -> DiscordSettings {
        DiscordSettings { token: Some(Secret::new(token)), ..DiscordSettings::default() }
    }

    #[test]
    fn a_token_is_a_bots_and_is_shown_nowhere() {
        let settings = with_token(" Bot abc.def \n");
        let bot = settings.bot().unwrap();
        assert_eq!(bot.token.expose(), "abc.def");
        assert!(!format!("{settings:?}{bot:?}").contains("abc"), "{bot:?}");
        for never_sent in ["mfa.abc", "Bearer abc"] {
            let failure = with_token(never_sent).bot().unwrap_err();
            assert_eq!(failure.code(), 78);
            assert!(failure.to_string().contains("Developer Portal"), "{failure}");
        }
        assert!(DiscordSettings::default().bot().unwrap_err().to_string().contains("token_file"));
    }

    #[test]
    fn channels_are_ids_and_each_counts_once() {
        let mut settings = with_token("abc");
        settings.channels = vec!["7".into(), " 8".into(), "7".into()];
        assert_eq!(settings.bot().unwrap().channels, [Snowflake(7), Snowflake(8)]);
        settings.channels = vec!["#vip".into()];
        assert!(settings.bot().unwrap_err().to_string().contains("discord.channels: `#vip` is no id"));
    }

    #[test]
    fn the_token_goes_to_discord_or_stays_on_this_machine() {
        let real = Hosts::of(None).unwrap();
        assert_eq!(real.check_gateway("wss://gateway-us-east1-b.discord.gg"), Ok(()));
        for bad in [
            "ws://gateway.discord.gg",
            "wss://discord.gg.a.example",
            "wss://evildiscord.gg",
            "wss://127.0.0.1",
            "x",
            "wss://gateway.discord.gg/x",
            "wss://u@gateway.discord.gg",
        ] {
            assert!(real.check_gateway(bad).is_err(), "{bad}");
        }
        let test = Hosts::of(Some("http://127.0.0.1:8080/api/v10/")).unwrap();
        assert_eq!(test.api, "http://127.0.0.1:8080/api/v10");
        assert_eq!(test.check_gateway("ws://127.0.0.1:9"), Ok(()));
        for bad in ["wss://gateway.discord.gg", "ws://10.0.0.1:9", "ws://127.0.0.1.a.example"] {
            assert!(test.check_gateway(bad).is_err(), "{bad}");
        }
        for bad in ["https://a.example/api/v10", "http://discord.com/api/v10", "nothing"] {
            assert!(Hosts::of(Some(bad)).is_err(), "{bad}");
        }
    }
}
