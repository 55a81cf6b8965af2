//! `make fake-discord`: a Discord on this machine to try `contributor` on, without an account and without the network.
//!
//! Prints the settings that lead to it, and does what it is told on standard input until that ends or Ctrl-C. `PORT=` says where it
//! listens.

use support::discord::{CALLS, COMMANDS, FORUM, FakeDiscord, NEWS, TOKEN, obey};

/// Where it listens if nobody says otherwise.
const PORT: u16 = 8091;

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
            match obey(&discord, &line?) {
                Ok(done) => println!("{done}"),
                Err(problem) => println!("not done: {problem}"),
            }
        }
        Ok(())
    })
}
