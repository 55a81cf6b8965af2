//! `check`: whether everything that listening needs is there; and `channels`: what the bot can see.
//!
//! Entry points: [`check`], [`channels`]. Both only read, and need no lock: they work while another process listens.
//! Invariant: every problem says what to change; one problem does not hide the next.

use std::path::Path;

use super::DiscordSettings;
use super::calls::Part;
use super::findings::Findings;
use super::gateway;
use super::listener::statuses;
use super::places::Places;
use super::rest::{Rest, RestError};
use super::settings::Bot;
use super::snowflake::Snowflake;
use super::words;
use crate::Clock;
use crate::api::{Api, NoAnswer};
use crate::failure::Failure;
use crate::outbox::Report;
use crate::report::counted;

/// Looks at everything.
pub async fn check(
    settings: &DiscordSettings,
    (api, folder): (Result<Api, Failure>, &Path),
    clock: Clock,
) -> Result<Findings, Failure> {
    let mut found = Findings::default();
    let places = check_server(&mut found, api, settings).await;
    match settings.bot() {
        Ok(bot) => check_bot(&mut found, (&bot, places.as_ref()), clock).await?,
        Err(failure) => found.bad(failure),
    }
    match Report::read(folder).await? {
        Some(report) if report.refused > 0 => {
            let refused = counted(report.refused, "post");
            found.bad(format!("outbox: {refused} refused; `contributor status` says why"));
        }
        Some(report) => {
            found.good(format!("outbox: {} posts wait, {} were sent", report.waiting, report.sent.total()))
        }
        None => found.good("outbox: none yet; `contributor run` makes one"),
    }
    Ok(found)
}

/// The server's side: whether the key may contribute, and what it says of channels; none when it could not be asked.
async fn check_server(
    found: &mut Findings,
    api: Result<Api, Failure>,
    settings: &DiscordSettings,
) -> Option<Places> {
    let api = match api {
        Ok(api) => api,
        Err(failure) => {
            found.bad(format!("server: {failure}"));
            return None;
        }
    };
    let refused = match api.contributor().await {
        Ok(me) => {
            found.good(format!("server: the API key is that of {}, who may contribute", me.name));
            None
        }
        Err(error) => {
            found.server_said(&error);
            Some(error)
        }
    };
    // Nobody who is away is asked twice, and no refusal is said twice.
    if matches!(refused, Some(NoAnswer::Later(_))) {
        return None;
    }
    match statuses(&api).await {
        Ok(statuses) => {
            found.good(format!("server: it knows {}", counted(statuses.len() as u64, "channel")));
            let wanted: Vec<_> = settings.channels.iter().filter_map(|id| id.trim().parse().ok()).collect();
            let mut places = Places::new(&wanted, Vec::new());
            places.set_statuses(statuses);
            Some(places)
        }
        Err(error) => {
            if refused.as_ref() != Some(&error) {
                found.server_said(&error);
            }
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
            found.discord_said("token", &error);
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
        Err(error) => found.discord_said("intents", &error),
    }
    check_gateway(found, bot, &rest).await;
    if bot.channels.is_empty() {
        found.bad(words::nothing_to_do(0));
    }
    for id in &bot.channels {
        check_channel(found, (&rest, places), *id).await;
    }
    Ok(())
}

/// Whether the gateway can be reached. No session is begun: those are counted.
async fn check_gateway(found: &mut Findings, bot: &Bot, rest: &Rest) {
    let answer = match rest.gateway().await {
        Ok(answer) => answer,
        Err(error) => return found.discord_said("gateway", &error),
    };
    let (url, left) = (answer.url.trim_end_matches('/'), answer.session_start_limit.remaining);
    if let Err(problem) = bot.hosts.check_gateway(url) {
        return found.bad(problem);
    }
    match gateway::greets(bot, url).await {
        Ok(()) => found
            .good(format!("gateway: {url} greets; {} may still be started today", counted(left, "session"))),
        Err(problem) => found.away(format!("gateway: {url}: {problem}")),
    }
}

/// Whether a channel can be listened to. Without `places`, only Discord's side is told.
async fn check_channel(found: &mut Findings, (rest, places): (&Rest, Option<&Places>), id: Snowflake) {
    let raw = match rest.place(id).await {
        Ok(raw) => raw,
        Err(RestError::Forbidden { .. }) => return found.bad(words::forbidden(&id.to_string())),
        Err(RestError::Missing { .. }) => return found.bad(words::unknown_channel(&id.to_string())),
        Err(error) => return found.discord_said(&format!("channel {id}"), &error),
    };
    if let Some(objection) = places.and_then(|places| places.objection(&id.to_string())) {
        return found.bad(words::not_approved(&raw.name(), objection));
    }
    let asked = if places.is_some() { "" } else { "; the server did not say whether it is approved" };
    let ok = format!("channel {} ({id}): it can be heard, and its history can be read{asked}", raw.name());
    if raw.is_forum() {
        return found.good(ok);
    }
    match rest.messages(raw.id, Part::Newest).await {
        Ok(page) if page.is_empty() && raw.last_message_id.is_some() => {
            found.bad(words::no_history(&raw.name(), 0))
        }
        Ok(_) => found.good(ok),
        Err(RestError::Forbidden { .. }) => found.bad(words::forbidden(&raw.name())),
        Err(error) => found.discord_said(&format!("channel {}", raw.name()), &error),
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
                Some(places) => places.objection(&id).unwrap_or("approved").trim_end_matches(','),
                None => "of unknown status",
            };
            text += &format!("  {id:<20} {kind:<13} {:<30} {status} on the server\n", raw.name());
        }
    }
    if found.verdict().is_err() {
        text += found.text();
    }
    Ok(
        text + "Put the ids that you want into discord.channels; the server's host approves them with `server admin approve-channel`\n"
    )
}
