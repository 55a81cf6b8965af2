//! A flood of messages, most of them from a channel that nobody asked for, and how much memory the contributor needs for it.
//!
//! Entry point: [`flood`].

use serde_json::{Value, json};

use crate::discord::{CALLS, GUILD, LOUNGE};
use crate::relay::Relay;

/// One in so many messages is posted in a channel that is wanted.
const WANTED_EVERY: u64 = 50;
/// So many messages are told before the contributor must have caught up.
const AT_ONCE: u64 = 5_000;

/// What a flood came to.
#[derive(Debug, Clone, Copy)]
pub struct Flooded {
    /// By how many KiB the contributor has grown since the first tenth.
    pub growth_kib: u64,
    /// How long it had a processor.
    pub cpu: std::time::Duration,
}

/// Tells so many messages, and says what that cost the contributor.
pub async fn flood(relay: &Relay, events: u64) -> Flooded {
    let contributor = relay.listen().await;
    relay.discord.with(|world| world.log_limit = Some(10_000));
    let (mut told, mut wanted, mut early) = (0, 0, None);
    while told < events {
        for number in told..(told + AT_ONCE).min(events) {
            let is_wanted = number % WANTED_EVERY == 0;
            wanted += usize::from(is_wanted);
            relay.discord.with(|world| {
                let message = message(world.new_id(), if is_wanted { CALLS } else { LOUNGE }, number);
                world.tell("MESSAGE_CREATE", message);
            });
        }
        told = (told + AT_ONCE).min(events);
        relay.until_some(wanted).await;
        if told >= events / 10 && early.is_none() {
            early = Some(contributor.resident_kib());
        }
    }
    let growth_kib = contributor.resident_kib().saturating_sub(early.unwrap_or_default());
    Flooded { growth_kib, cpu: contributor.cpu() }
}

fn message(id: u64, channel: u64, number: u64) -> Value {
    json!({
        "type": 0, "id": id.to_string(), "channel_id": channel.to_string(), "guild_id": GUILD.to_string(),
        "content": format!("message {number}"), "edited_timestamp": null, "flags": 0,
        "author": { "id": "9", "username": "ana" }, "member": { "roles": [] },
        "embeds": [], "attachments": [], "components": []
    })
}
