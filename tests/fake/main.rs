//! `make fake-discord`: a Discord on this machine to try `contributor` on, without an account and without the network.
//!
//! Prints the settings that lead to it, and does what it is told on standard input until that ends or Ctrl-C. `PORT=` says where it
//! listens.

use support::discord::{CALLS, Cut, FORUM, FakeDiscord, NEWS, TOKEN};

/// Where it listens if nobody says otherwise.
const PORT: u16 = 8091;

const COMMANDS: &str = "\
post CHANNEL TEXT      somebody posts; `\\n` in the text begins a line
edit MESSAGE TEXT      somebody edits that message
delete MESSAGE         somebody deletes it
cut                    the connection breaks, and may come back at once
away                   the gateway is away, and the session is forgotten: what happens now nobody hears
back                   the gateway is there again";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let port = match std::env::var("PORT") {
        Ok(text) if !text.is_empty() => text.parse()?,
        _ => PORT,
    };
    let discord = FakeDiscord::start_at(port).await?;
    println!("A Discord of your own, until Ctrl-C. For contributor.toml:\n");
    println!("[discord]\ntoken = \"{TOKEN}\"\napi = \"{}\"\nchannels = [\"{CALLS}\"]\n", discord.api);
    println!("Channels: {CALLS} vip-calls, {NEWS} news, {FORUM} ideas (a forum)\n\n{COMMANDS}\n");
    // The fake goes on beside it, on the runtime's other threads.
    tokio::task::block_in_place(|| {
        for line in std::io::stdin().lines() {
            let line = line?;
            match obey(&discord, line.trim()) {
                Some(answer) => println!("{answer}"),
                None => println!("not understood: `{line}`. Commands:\n{COMMANDS}"),
            }
        }
        Ok(())
    })
}

/// Does what a line says; `None` if it says nothing that can be done.
fn obey(discord: &FakeDiscord, line: &str) -> Option<String> {
    let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
    let (what, text) = rest.split_once(' ').unwrap_or((rest, ""));
    let text = text.replace("\\n", "\n");
    match command {
        "post" => {
            let channel = channel(discord, what)?;
            Some(format!("posted as message {}", discord.post(channel, &text)))
        }
        "edit" => {
            let (channel, message) = message(discord, what)?;
            discord.edit(channel, message, &text);
            Some("edited".to_owned())
        }
        "delete" => {
            let (channel, message) = message(discord, what)?;
            discord.delete(channel, &[message]);
            Some("deleted".to_owned())
        }
        "cut" => {
            discord.cut(Cut::Tcp);
            Some("cut".to_owned())
        }
        "away" => {
            discord.with(|world| world.is_gateway_down = true);
            discord.cut(Cut::Tcp);
            discord.with(|world| world.forget_sessions());
            Some("away".to_owned())
        }
        "back" => {
            discord.with(|world| world.is_gateway_down = false);
            Some("back".to_owned())
        }
        _ => None,
    }
}

/// A channel by its id or its name, if messages can be posted there.
fn channel(discord: &FakeDiscord, what: &str) -> Option<u64> {
    let of_name = |world: &mut support::discord::World| {
        let named =
            world.channels.iter().find(|(id, channel)| channel.name == what || id.to_string() == what);
        named.map(|(id, _)| *id).filter(|id| *id != FORUM)
    };
    discord.with(of_name)
}

/// A message by its id, with its channel.
fn message(discord: &FakeDiscord, what: &str) -> Option<(u64, u64)> {
    let id: u64 = what.parse().ok()?;
    discord.with(|world| {
        let holds = world.channels.iter().find(|(_, channel)| channel.messages.contains_key(&id));
        holds.map(|(channel, _)| (*channel, id))
    })
}
