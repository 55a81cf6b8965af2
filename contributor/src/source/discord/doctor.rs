//! `check`: whether everything that listening needs is there; and `channels`: what the bot can see.
//!
//! Entry points: [`check`], [`channels`]. Both only read, and need no lock: they work while another process listens.
//! Invariant: every problem says what to change; one problem does not hide the next.

use std::fmt::Write as _;
use std::path::Path;

use super::DiscordSettings;
use super::calls::Part;
use super::listener::statuses;
use super::places::Places;
use super::rest::{Rest, RestError};
use super::settings::Bot;
use super::snowflake::Snowflake;
use super::words;
use crate::Clock;
use crate::api::Api;
use crate::failure::Failure;
use crate::outbox::Report;

/// What was found: a line for each thing that was looked at.
#[derive(Debug, Default)]
struct Findings {
    text: String,
    problems: usize,
}

impl Findings {
    fn good(&mut self, line: impl std::fmt::Display) {
        self.line("ok      ", line);
    }

    fn bad(&mut self, line: impl std::fmt::Display) {
        self.problems += 1;
        self.line("PROBLEM ", line);
    }

    fn line(&mut self, mark: &str, line: impl std::fmt::Display) {
        // Writing to a text cannot fail.
        let written = writeln!(self.text, "{mark}{line}");
        debug_assert!(written.is_ok());
    }
}

/// Looks at everything, and says what was found and how many problems there are.
pub async fn check(
    settings: &DiscordSettings,
    (api, folder): (Result<Api, Failure>, &Path),
    clock: Clock,
) -> Result<(String, usize), Failure> {
    let mut found = Findings::default();
    let places = check_server(&mut found, api, settings).await;
    match settings.bot() {
        Ok(bot) => check_bot(&mut found, (&bot, places.as_ref()), clock).await?,
        Err(failure) => found.bad(failure),
    }
    match Report::read(folder).await? {
        Some(report) if report.refused > 0 => {
            found
                .bad(format!("outbox: {} posts were refused; `contributor status` says why", report.refused));
        }
        Some(report) => {
            found.good(format!("outbox: {} posts wait, {} were sent", report.waiting, report.sent.total()))
        }
        None => found.good("outbox: none yet; `contributor run` makes one"),
    }
    Ok((found.text, found.problems))
}

/// The server's side: the key, and what it says of channels; none when it could not be asked.
async fn check_server(
    found: &mut Findings,
    api: Result<Api, Failure>,
    settings: &DiscordSettings,
) -> Option<Places> {
    let answer = match api {
        Ok(api) => statuses(&api).await.map_err(|error| error.to_string()),
        Err(failure) => Err(failure.to_string()),
    };
    match answer {
        Ok(statuses) => {
            found.good(format!("server: it takes the API key, and knows {} channels", statuses.len()));
            let wanted: Vec<_> = settings.channels.iter().filter_map(|id| id.trim().parse().ok()).collect();
            let mut places = Places::new(&wanted, Vec::new());
            places.set_statuses(statuses);
            Some(places)
        }
        Err(problem) => {
            found.bad(format!("server: {problem}"));
            None
        }
    }
}

async fn check_bot(
    found: &mut Findings,
    (bot, places): (&Bot, Option<&Places>),
    clock: Clock,
) -> Result<(), Failure> {
    let rest = Rest::new(bot)?;
    match rest.me().await {
        Ok(me) if me.bot => found.good(format!("token: it is that of the bot {} ({})", me.username, me.id)),
        Ok(_) => found.bad(format!("token: {}", words::not_a_bot())),
        Err(RestError::Token) => {
            found.bad(format!("token: {}", words::token_refused()));
            return Ok(());
        }
        Err(error) => {
            found.bad(format!("Discord: {error}"));
            return Ok(());
        }
    }
    match rest.their_time().await.map(|theirs| clock() - theirs) {
        Some(offset) if offset.abs() <= words::MAX_CLOCK_OFFSET => {
            found.good("clock: it agrees with Discord's");
        }
        Some(offset) => found.bad(words::clock_off(offset)),
        None => found.good("clock: Discord did not tell the time"),
    }
    match rest.may_read_content().await {
        Ok(true) => found.good("intents: Message Content is on"),
        Ok(false) => found.bad(format!("intents: {}", words::content_intent_off())),
        Err(error) => found.bad(format!("intents: {error}")),
    }
    match rest.gateway().await {
        Ok(gateway) => match bot.hosts.check_gateway(gateway.url.trim_end_matches('/')) {
            Ok(()) => {
                let left = gateway.session_start_limit.remaining;
                found.good(format!("gateway: {}, {left} sessions may still be started today", gateway.url));
            }
            Err(problem) => found.bad(problem),
        },
        Err(error) => found.bad(format!("gateway: {error}")),
    }
    if bot.channels.is_empty() {
        found.bad(words::nothing_to_do(0));
    }
    for id in &bot.channels {
        match check_channel(&rest, places, *id).await {
            Ok(line) => found.good(line),
            Err(words) => found.bad(words),
        }
    }
    Ok(())
}

/// Whether a channel can be listened to; the error says why not. Without `places`, only Discord's side is told.
async fn check_channel(rest: &Rest, places: Option<&Places>, id: Snowflake) -> Result<String, String> {
    let raw = match rest.place(id).await {
        Ok(raw) => raw,
        Err(RestError::Forbidden { .. }) => return Err(words::forbidden(&id.to_string())),
        Err(RestError::Missing { .. }) => return Err(words::unknown_channel(&id.to_string())),
        Err(error) => return Err(format!("channel {id}: {error}")),
    };
    if let Some(objection) = places.and_then(|places| places.objection(&id.to_string())) {
        return Err(words::not_approved(&raw.name(), objection));
    }
    let asked = if places.is_some() { "" } else { "; the server did not say whether it is approved" };
    let ok = format!("channel {} ({id}): it can be heard, and its history can be read{asked}", raw.name());
    if raw.is_forum() {
        return Ok(ok);
    }
    match rest.messages(raw.id, Part::Newest).await {
        Ok(page) if page.is_empty() && raw.last_message_id.is_some() => Err(words::no_history(&raw.name())),
        Ok(_) => Ok(ok),
        Err(RestError::Forbidden { .. }) => Err(words::forbidden(&raw.name())),
        Err(error) => Err(format!("channel {}: {error}", raw.name())),
    }
}

/// The channels that the bot can see, with what the server says of each.
pub async fn channels(settings: &DiscordSettings, api: Result<Api, Failure>) -> Result<String, Failure> {
    let rest = Rest::new(&settings.bot()?)?;
    let mut found = Findings::default();
    let places = check_server(&mut found, api, settings).await;
    let mut text = String::new();
    let guilds = rest.guilds().await?;
    if guilds.is_empty() {
        text += "the bot is in no server yet: invite it with the scope `bot` and the permissions View Channels and Read Message History\n";
    }
    for guild in guilds {
        text += &format!("{} ({})\n", guild.name.0, guild.id);
        for raw in rest.channels(guild.id).await? {
            let kind = match raw.kind {
                Some(0) => "text",
                Some(5) => "announcement",
                Some(15 | 16) => "forum",
                _ => continue,
            };
            let id = raw.id.to_string();
            let status = match &places {
                Some(places) => places.standing(&id),
                None => "of unknown status",
            };
            text += &format!("  {id:<20} {kind:<13} {:<30} {status} on the server\n", raw.name());
        }
    }
    if found.problems > 0 {
        text += &found.text;
    }
    Ok(
        text + "Put the ids that you want into discord.channels, propose those that are not known with `contributor propose --channel ID --name NAME`, and ask an admin\n"
    )
}
