//! The fake Discord by words: what somebody types into `make fake-discord` to make something happen there, or go wrong.
//!
//! Entry point: [`obey`]. Invariant: a line that cannot be done says why, and changes nothing.

use serde_json::json;

use super::{Cut, FakeDiscord, GUILD, NEWS, World};

/// What can be typed.
pub const COMMANDS: &str = "\
post CHANNEL TEXT      somebody posts; `\\n` in the text begins a line; CHANNEL is a name or an id, also of a thread
edit MESSAGE TEXT      somebody edits that message
delete MESSAGE         somebody deletes it
thread CHANNEL NAME    somebody opens a thread, in a forum a post
publish TEXT           a channel that `news` follows publishes this: a copy arrives in `news`
close CHANNEL          the bot may not see that channel any more; `open CHANNEL` undoes it
hide CHANNEL           the bot may not read its history any more; `show CHANNEL` undoes it
intent off | on        the Message Content Intent
token TEXT             the bot's token is reset to this one, and the old one is refused
cut                    the connection breaks, and may come back at once
away                   the gateway is away, and the session is forgotten: what happens now nobody hears
back                   the gateway is there again
channels               the channels and threads that there are
help                   this list";

/// Does what a line says, and returns what happened; the error says why it cannot be done.
pub fn obey(discord: &FakeDiscord, line: &str) -> Result<String, String> {
    let (command, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
    let rest = rest.trim();
    let (what, text) = rest.split_once(' ').unwrap_or((rest, ""));
    let text = text.replace("\\n", "\n");
    match command {
        "" => Ok(String::new()),
        "help" => Ok(COMMANDS.to_owned()),
        "channels" => Ok(discord.with(|world| listed(world))),
        "post" => {
            let channel = channel(discord, what)?;
            if discord.with(|world| world.channels[&channel].kind == 15) {
                return Err(format!(
                    "in a forum only threads can be opened: `thread {what} NAME`, then post there"
                ));
            }
            Ok(format!("posted as message {}", discord.post(channel, needed(&text, "TEXT")?)))
        }
        "edit" => {
            let (channel, message) = message(discord, what)?;
            discord.edit(channel, message, needed(&text, "TEXT")?);
            Ok("edited".to_owned())
        }
        "delete" => {
            let (channel, message) = message(discord, what)?;
            discord.delete(channel, &[message]);
            Ok("deleted".to_owned())
        }
        "thread" => {
            let thread = discord.open_thread(channel(discord, what)?, needed(&text, "NAME")?);
            Ok(format!("opened as thread {thread}: post there"))
        }
        "publish" => Ok(format!("arrived in `news` as message {}", publish(discord, needed(rest, "TEXT")?))),
        "token" => {
            let token = needed(rest, "TEXT")?.to_owned();
            discord.with(|world| world.token = token);
            discord.cut(Cut::Code(4004));
            Ok("the old token is refused".to_owned())
        }
        _ => obey_weather(discord, (command, rest)),
    }
}

/// What goes wrong, or is right again.
fn obey_weather(discord: &FakeDiscord, (command, rest): (&str, &str)) -> Result<String, String> {
    match (command, rest) {
        ("close" | "open", what) => {
            let channel = channel(discord, what)?;
            discord.with(|world| world.set_closed(channel, command == "close"));
        }
        ("hide" | "show", what) => {
            let channel = channel(discord, what)?;
            let is_hidden = command == "hide";
            discord.with(|world| {
                world.channels.entry(channel).and_modify(|channel| channel.has_no_history = is_hidden);
            });
        }
        ("intent", "off" | "on") => discord.with(|world| world.has_content_intent = rest == "on"),
        ("intent", _) => return Err("expected `intent off` or `intent on`".to_owned()),
        ("cut", _) => discord.cut(Cut::Tcp),
        ("away", _) => {
            discord.with(|world| world.is_gateway_down = true);
            discord.cut(Cut::Tcp);
            discord.with(World::forget_sessions);
        }
        ("back", _) => discord.with(|world| world.is_gateway_down = false),
        _ => return Err(format!("there is no command `{command}`; `help` lists them")),
    }
    Ok(format!("{command} {rest}: done").replace(" :", ":"))
}

fn needed<'t>(text: &'t str, what: &str) -> Result<&'t str, String> {
    if text.is_empty() { Err(format!("{what} is missing; `help` shows how it is written")) } else { Ok(text) }
}

/// A copy of what was published elsewhere.
fn publish(discord: &FakeDiscord, text: &str) -> u64 {
    let original = discord.with(World::new_id);
    let source = json!({ "type": 0, "message_id": original.to_string(), "channel_id": (NEWS + 1_000).to_string(),
        "guild_id": (GUILD + 1_000).to_string() });
    let author = json!({ "id": "77", "username": "Source #announcements", "bot": true });
    discord.post_as(
        NEWS,
        json!({ "content": text.replace("\\n", "\n"), "flags": 2, "webhook_id": "77", "author": author, "message_reference": source }),
    )
}

fn listed(world: &World) -> String {
    let lines = world.channels.iter().map(|(id, channel)| {
        let closed = if channel.is_closed { ", closed" } else { "" };
        let hidden = if channel.has_no_history { ", its history hidden" } else { "" };
        format!("{id} {}, {} messages{closed}{hidden}", channel.name, channel.messages.len())
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A channel or thread by its id or its name.
fn channel(discord: &FakeDiscord, what: &str) -> Result<u64, String> {
    discord.with(|world| {
        let named =
            world.channels.iter().find(|(id, channel)| channel.name == what || id.to_string() == what);
        let names =
            || world.channels.values().map(|channel| channel.name.as_str()).collect::<Vec<_>>().join(", ");
        named
            .map(|(id, _)| *id)
            .ok_or_else(|| format!("there is no channel `{what}`; there are: {}", names()))
    })
}

/// A message by its id, with its channel.
fn message(discord: &FakeDiscord, what: &str) -> Result<(u64, u64), String> {
    let unknown = || format!("there is no message `{what}`; `post` says the id of each");
    let id: u64 = what.parse().map_err(|_| unknown())?;
    discord.with(|world| {
        let holds = world.channels.iter().find(|(_, channel)| channel.messages.contains_key(&id));
        holds.map(|(channel, _)| (*channel, id)).ok_or_else(unknown)
    })
}
