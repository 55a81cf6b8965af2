//! The connection to Discord's gateway: hands on every line with the position that it moves to, and comes back after drops.
//!
//! Entry points: [`Gateway::listen`]; [`greets`] only looks whether it can be reached. twilight-gateway speaks the protocol; here are only the pauses, the stop, and what ends it.
//! Invariants: lines are handed on in order, and none after one that was not handed on; when the receiver is slow nothing is
//! dropped, the gateway waits; a session counts as alive only once it has begun or has been resumed to its end; the token
//! goes to no host that the settings do not allow.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use futures_util::StreamExt as _;
use serde::Deserialize;
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::time::Instant;
use twilight_gateway::error::{ReceiveMessageError, ReceiveMessageErrorType};
use twilight_gateway::{CloseFrame, ConfigBuilder, Intents, Message, Session, Shard, ShardId, ShardState};

use super::lines::Lines;
use super::settings::Bot;
use super::words;
use crate::Clock;
use crate::failure::Failure;

/// The events that a contributor needs, and nothing more.
const INTENTS: Intents = Intents::GUILDS.union(Intents::GUILD_MESSAGES).union(Intents::MESSAGE_CONTENT);
/// A connection that held so long was a good one: the next drop is the first again.
const GOOD: Duration = Duration::from_secs(10);
/// The pause after the first drop; it doubles with each drop that follows soon.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The longest pause before a session goes on: resuming costs nothing, and each second of pause is one of latency.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// The longest pause before a new session: Discord allows a thousand a day, and resets the token of a bot that needs more.
const LONGEST_BEFORE_NEW: Duration = Duration::from_secs(120);
/// The library doubles its own pauses, too, up to four minutes: after so many failures it is begun anew, and only ours count.
const MAX_FAILURES: u8 = 2;
/// How long the first word of the gateway may take, the connection included.
const GREETING: Duration = Duration::from_secs(15);
/// How long the goodbye may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// How far the gateway has been heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Position {
    /// The gateway session.
    pub(super) session: String,
    /// The number of its last line.
    pub(super) seq: u64,
    /// Where it is resumed.
    pub(super) resume_url: Option<String>,
}

/// What comes out of the gateway.
#[derive(Debug)]
pub(super) enum Heard {
    /// A line that tells of something.
    Line {
        text: String,
        at: OffsetDateTime,
        /// The position once this line is kept.
        position: Option<Position>,
        /// Whether it is told as it happens. What a session that goes on repeats happened before, and the rest of it may never come.
        is_live: bool,
    },
    /// Nothing happened up to this time: Discord has answered a heartbeat.
    Alive(OffsetDateTime),
    /// Something that is no line of the gateway.
    Garbled(String),
}

impl Heard {
    /// Its size in memory, roughly.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Heard::Line { text, .. } | Heard::Garbled(text) => text.len().max(1),
            Heard::Alive(_) => 1,
        }
    }
}

/// Drops and failures that followed each other soon.
#[derive(Debug, Default)]
struct Drops(u32);

impl Drops {
    /// The pause after one more. `held`: how long the connection stood, if there was one; `spread` (0 to 255) lengthens the pause
    /// from a half to the whole, so that many programs do not come back at the same moment.
    fn pause(&mut self, held: Option<Duration>, can_resume: bool, spread: u8) -> Duration {
        if held.is_some_and(|held| held > GOOD) {
            self.0 = 0;
        }
        let most = if can_resume { LONGEST_PAUSE } else { LONGEST_BEFORE_NEW };
        let longest = FIRST_PAUSE.saturating_mul(1 << self.0.min(16)).min(most);
        self.0 = self.0.saturating_add(1);
        longest / 2 + longest / 2 * u32::from(spread) / 256
    }
}

/// A connection that is being kept up.
pub(super) struct Gateway {
    bot: Bot,
    /// Where new sessions begin.
    url: String,
    shard: Shard,
    clock: Clock,
    /// When the present connection began, if there is one.
    connected: Option<Instant>,
    drops: Drops,
}

#[derive(Deserialize)]
struct Opcode {
    op: u8,
}

impl Gateway {
    /// Prepares a connection that goes on at `position`, if there is one; connects to nothing yet.
    pub(super) fn new(
        bot: &Bot,
        url: &str,
        position: Option<&Position>,
        clock: Clock,
    ) -> Result<Self, Failure> {
        let url = url.trim_end_matches('/').to_owned();
        bot.hosts.check_gateway(&url).map_err(Failure::Configuration)?;
        let shard = shard(bot, &url, position);
        Ok(Self { bot: bot.clone(), url, shard, clock, connected: None, drops: Drops::default() })
    }

    /// Hands on what comes until it is told to stop, nobody listens any more, or Discord will not have us back.
    pub(super) async fn listen(
        mut self,
        lines: Lines,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), Failure> {
        loop {
            let next = tokio::select! {
                next = self.shard.next() => next,
                _ = stopped(&mut stop) => return self.leave().await,
            };
            let heard = match next {
                Some(Ok(Message::Text(text))) => self.heard(text)?,
                Some(Ok(Message::Close(frame))) => {
                    self.dropped(frame.as_ref(), &mut stop).await?;
                    None
                }
                Some(Err(error)) => self.failed(&error, &mut stop).await,
                None => {
                    return Err(Failure::Other(anyhow::anyhow!("Discord has closed the gateway for good")));
                }
            };
            if let Some(heard) = heard
                && !lines.send(heard).await
            {
                return Ok(());
            }
        }
    }

    /// What a text of the gateway is.
    fn heard(&mut self, text: String) -> Result<Option<Heard>, Failure> {
        // The library connects to this address when it resumes, with the token.
        if let Some(url) = self.shard.resume_url() {
            self.bot.hosts.check_gateway(url).map_err(Failure::Configuration)?;
        }
        let at = (self.clock)();
        let is_live = self.shard.state().is_identified();
        Ok(match serde_json::from_str(&text) {
            Ok(Opcode { op: 0 }) => Some(Heard::Line { at, position: self.position(), is_live, text }),
            // Before that it is the connection that is alive, and no session.
            Ok(Opcode { op: 11 }) => is_live.then_some(Heard::Alive(at)),
            Ok(Opcode { op: 10 }) => {
                self.connected = Some(Instant::now());
                None
            }
            Ok(Opcode { op }) => {
                tracing::info!(op, "Discord's gateway asks to connect again");
                None
            }
            Err(_) => Some(Heard::Garbled(text)),
        })
    }

    fn position(&self) -> Option<Position> {
        let session = self.shard.session()?;
        let resume_url = self.shard.resume_url().map(str::to_owned);
        Some(Position { session: session.id().to_owned(), seq: session.sequence(), resume_url })
    }

    /// The connection is gone: says so, and waits a little before the library tries again.
    async fn dropped(
        &mut self,
        frame: Option<&CloseFrame<'static>>,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<(), Failure> {
        let code = frame.map(|frame| frame.code);
        if let Some(words) = code.and_then(words::fatal_close) {
            return Err(Failure::Configuration(words));
        }
        let can_resume = self.shard.session().is_some();
        let session = self.shard.session().map(Session::id);
        tracing::warn!(
            code,
            session,
            can_resume,
            "the connection to Discord's gateway is gone; connecting again"
        );
        self.pause(stop).await;
        Ok(())
    }

    async fn failed(
        &mut self,
        error: &ReceiveMessageError,
        stop: &mut watch::Receiver<bool>,
    ) -> Option<Heard> {
        if let ReceiveMessageErrorType::Deserializing { event } = error.kind() {
            return Some(Heard::Garbled(event.clone()));
        }
        tracing::warn!("connecting to Discord's gateway: {}; trying again", crate::api::chain(error));
        if matches!(self.shard.state(), ShardState::Disconnected { reconnect_attempts } if reconnect_attempts > MAX_FAILURES)
        {
            self.shard = shard(&self.bot, &self.url, self.position().as_ref());
        }
        self.pause(stop).await;
        None
    }

    /// Waits longer the sooner drops follow each other, and never as long as others do.
    async fn pause(&mut self, stop: &mut watch::Receiver<bool>) {
        let held = self.connected.take().map(|since| since.elapsed());
        let spread = getrandom::u32().map_or(0, |random| random.to_le_bytes()[0]);
        let wait = self.drops.pause(held, self.shard.session().is_some(), spread);
        let stopped = tokio::time::timeout(wait, stopped(stop)).await.is_ok();
        tracing::debug!(stopped, wait_ms = wait.as_millis(), "paused");
    }

    /// Says goodbye with a code that keeps the session, so that the next start goes on where we stopped.
    async fn leave(mut self) -> Result<(), Failure> {
        self.shard.close(CloseFrame::RESUME);
        let goodbye = poll_fn(|context| {
            loop {
                match self.shard.poll_next_unpin(context) {
                    // What comes now is not kept, and our position stays before it: it is told again.
                    Poll::Ready(Some(Ok(Message::Text(_)))) => {}
                    Poll::Ready(_) => return Poll::Ready(()),
                    // The goodbye is out. Polled on, the library would connect again.
                    Poll::Pending if !self.shard.state().is_identified() => return Poll::Ready(()),
                    Poll::Pending => return Poll::Pending,
                }
            }
        });
        let said = tokio::time::timeout(GOODBYE, goodbye).await.is_ok();
        tracing::debug!(said, "left the gateway; the session can be resumed");
        Ok(())
    }
}

/// Connects and waits for the first word. The library says who we are only when it is asked for the next one, so no session begins.
pub(super) async fn greets(bot: &Bot, url: &str) -> Result<(), String> {
    let mut shard = shard(bot, url, None);
    match tokio::time::timeout(GREETING, shard.next()).await {
        Ok(Some(Ok(Message::Text(text)))) if matches!(serde_json::from_str(&text), Ok(Opcode { op: 10 })) => {
            Ok(())
        }
        Ok(Some(Ok(_)) | None) => Err("it answers, but not as Discord's gateway does".to_owned()),
        Ok(Some(Err(error))) => Err(crate::api::chain(&error)),
        Err(_) => Err(format!("no word within {} s", GREETING.as_secs())),
    }
}

/// Waits for the stop; false when whoever could have said it is gone, which is a stop, too.
async fn stopped(stop: &mut watch::Receiver<bool>) -> bool {
    stop.wait_for(|stop| *stop).await.is_ok()
}

fn shard(bot: &Bot, url: &str, position: Option<&Position>) -> Shard {
    let mut config = ConfigBuilder::new(bot.token.expose().to_owned(), INTENTS).proxy_url(url.to_owned());
    if let Some(position) = position {
        config = config.session(Session::new(position.seq, position.session.clone()));
        // An address that may not be used is as good as none: the session is resumed where new ones begin.
        if let Some(resume) = position.resume_url.clone().filter(|url| bot.hosts.check_gateway(url).is_ok()) {
            config = config.resume_url(resume);
        }
    }
    Shard::with_config(ShardId::ONE, config.build())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses(held: Option<Duration>, can_resume: bool) -> Vec<u128> {
        let mut drops = Drops::default();
        (0..12).map(|_| drops.pause(held, can_resume, 0).as_millis() * 2).collect()
    }

    #[test]
    fn pauses_double_while_nothing_holds_and_are_bounded() {
        let outage = pauses(None, true);
        assert_eq!(
            outage[..7],
            [200, 400, 800, 1600, 3200, 5000, 5000],
            "an outage, however long, is tried with patience"
        );
        assert_eq!(
            pauses(Some(Duration::from_secs(9)), true),
            outage,
            "what breaks at once is no connection"
        );
        assert_eq!(pauses(Some(Duration::from_secs(11)), true), [200; 12], "a good one begins anew");
        assert_eq!(pauses(None, false)[11], 120_000, "new sessions are dear");
        assert!(Drops::default().pause(None, true, 255) > Duration::from_millis(195), "spread out");
    }
}
