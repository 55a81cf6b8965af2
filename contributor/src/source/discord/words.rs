//! What the user is told, and what to click. One function for each thing that can be wrong.
//!
//! Invariant: every message says what happened, and then what to do.

use time::Duration;

use crate::report::counted;

/// A clock that is further off than this makes live posts look old, or not yet posted.
pub(super) const MAX_CLOCK_OFFSET: Duration = Duration::seconds(5);
/// Where bots are made and switched.
const PORTAL: &str = "Developer Portal (https://discord.com/developers/applications)";

pub(super) fn no_token() -> String {
    format!(
        "no bot token: set discord.token_file, or the variable CONTRIBUTOR__DISCORD__TOKEN. A bot is made in the {PORTAL}: \
         New Application, then Bot, then Reset Token"
    )
}

pub(super) fn not_a_bot() -> String {
    format!(
        "this token is not a bot's. Programs that use a person's token break Discord's terms, and the account is banned. Make a \
         bot in the {PORTAL}: New Application, then Bot, then Reset Token; invite it with the scope `bot` and the permissions \
         View Channels and Read Message History. If its owner will not admit a bot, follow the announcement channel into a \
         server of your own: `contributor check --help`"
    )
}

pub(super) fn token_refused() -> String {
    format!(
        "Discord refuses the token (401): it is mistyped, was reset, or is a person's and not a bot's. In the {PORTAL} open your \
         application, then Bot, then Reset Token, and put the new token into discord.token_file. Without a bot, make one there: \
         New Application"
    )
}

pub(super) fn content_intent_off() -> String {
    format!(
        "the bot may not read what messages say: the Message Content Intent is off, and every post would arrive empty. In the \
         {PORTAL} open your application, then Bot, and switch on `Message Content Intent` (for a bot that more than 10,000 \
         users can see, Discord must approve it first)"
    )
}

/// What a close code of the gateway means that ends everything; `None` for one after which we come back.
pub(super) fn fatal_close(code: u16) -> Option<String> {
    let words = match code {
        4004 => token_refused(),
        4014 => content_intent_off(),
        4010 | 4011 => "Discord wants this bot to be split into shards (the close code is 4011 or 4010): it is in more than 2,500 \
             servers; use another bot for contributing"
            .to_owned(),
        4012 => "Discord's gateway does not speak version 10 any more (4012): a newer version of this program is needed".to_owned(),
        4013 => "Discord does not know the intents that this program asks for (4013): a newer version of this program is needed"
            .to_owned(),
        _ => return None,
    };
    Some(words)
}

pub(super) fn forbidden(channel: &str) -> String {
    format!(
        "channel {channel} is closed to the bot (403). On Discord: the channel's settings, then Permissions, add the bot's role \
         and allow View Channel and Read Message History. This channel is left alone and looked at again every ten minutes"
    )
}

pub(super) fn guild_gone(channel: &str) -> String {
    format!(
        "the server of channel {channel} is away: the bot was removed from it, or Discord has an outage there. If it stays so, \
         invite the bot again. What is posted meanwhile is read back when the server is there again"
    )
}

pub(super) fn channel_gone(channel: &str) -> String {
    format!(
        "channel {channel} was deleted, or closed to the bot. If it is still there: the channel's settings, then Permissions, \
         allow the bot's role View Channel and Read Message History; else take it out of discord.channels"
    )
}

pub(super) fn unknown_channel(channel: &str) -> String {
    format!(
        "channel {channel} does not exist, or the bot is not in its server (404). Check the id (Discord: \
         Settings, Advanced, Developer Mode; then right-click the channel, Copy Channel ID), and invite the bot"
    )
}

/// `known`: posts that are known from it. None of them is taken for deleted.
pub(super) fn no_history(channel: &str, known: u64) -> String {
    let known = match known {
        0 => String::new(),
        known => format!("; {} known from it stay as they are", counted(known, "post")),
    };
    format!(
        "the history of channel {channel} is empty although it has messages: the bot lacks Read Message History, so what is \
         posted while it is away cannot be read back{known}. On Discord: the channel's settings, then Permissions, allow Read \
         Message History"
    )
}

pub(super) fn not_approved(channel: &str, status: &str) -> String {
    format!(
        "channel {channel} is {status} on the server: nothing is posted from it; `contributor propose` proposes one that is not \
         known, and an admin decides"
    )
}

/// Why a channel that was never listened to cannot be heard while the server is away.
pub(super) const SERVER_SILENT: &str = "the server has not said yet whether it takes posts of this channel: what is posted \
     meanwhile is read back when it has";

pub(super) fn nothing_to_do(wanted: usize) -> String {
    if wanted == 0 {
        return "discord.channels is empty: nothing is posted. `contributor channels` lists what the bot can see".to_owned();
    }
    format!(
        "of {} in discord.channels the server takes the posts of none: nothing is posted until that is changed",
        counted(wanted as u64, "channel")
    )
}

pub(super) fn clock_off(offset: Duration) -> String {
    let side = if offset.is_positive() { "ahead of" } else { "behind" };
    let seconds = offset.abs().whole_seconds();
    format!("clock: it is {seconds} s {side} Discord's; let the system set it (`timedatectl set-ntp true`)")
}

pub(super) fn sessions_used_up(hours: u64) -> String {
    format!(
        "this bot has connected to Discord too often today, and Discord allows no new session for {hours} h: another program may \
         be using the same token; stop it, or reset the token"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_codes_after_which_nobody_may_come_back_end_the_program() {
        let fatal: Vec<u16> = (1000..5000).filter(|code| fatal_close(*code).is_some()).collect();
        assert_eq!(fatal, [4004, 4010, 4011, 4012, 4013, 4014]);
    }
}
