//! Keeps what the gateway tells, line by line, and reads back what it could not tell.
//!
//! Entry point: [`Listener::keep`]. One line after the other: while history is read, younger lines wait, so that what is
//! older reaches the server first.
//! Invariants: the stored position moves only in the transaction that keeps what it covers; the position of a new session is
//! stored only after the history of the old one has been read back; dropping the listener at any await loses nothing.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use shared::post::{ChannelRef, Source};
use shared::wire::ChannelStatus;
use time::OffsetDateTime;
use tokio::sync::mpsc;
use tokio::time::{Instant, Interval, MissedTickBehavior};

use super::dispatch::{Dispatch, RawPlace};
use super::gateway::{Heard, Position};
use super::history::Why;
use super::intake::{Pending, Seen};
use super::ledger::Stopped;
use super::lines::Line;
use super::places::Places;
use super::rest::Rest;
use super::settings::Bot;
use super::snowflake::Snowflake;
use super::vitals::Vitals;
use super::words;
use crate::Clock;
use crate::api::{Api, NoAnswer};
use crate::failure::Failure;
use crate::outbox::Outbox;

/// The most lines that are kept in one transaction.
const MAX_BATCH: usize = 500;
/// The most broken lines that are kept in one run: enough to see what has changed, and no way to fill the disk.
const MAX_BROKEN: u64 = 1_000;

/// Everything that one run of listening knows.
pub(super) struct Listener<'l> {
    pub(super) outbox: &'l Outbox,
    pub(super) rest: &'l Rest,
    pub(super) api: &'l Api,
    pub(super) clock: Clock,
    pub(super) bot: Snowflake,
    pub(super) places: Places,
    pub(super) pending: Pending,
    /// When the session was last known to be alive, or the program began.
    pub(super) alive: OffsetDateTime,
    /// Whether anybody listened before: only then can something have been missed.
    pub(super) has_listened: bool,
    /// Whether the server did not answer when it was last asked for its approvals.
    is_server_away: bool,
    /// Whether the history has been looked at since the program began.
    pub(super) is_caught_up: bool,
    /// When the intent for message content was last seen to be on.
    pub(super) content_seen: Option<Instant>,
    /// What has been said about a channel.
    pub(super) told: HashMap<Snowflake, String>,
    pub(super) undecodable: u64,
    /// Lines of the gateway that say nothing of where they belong.
    broken: u64,
    /// Messages that the gateway never told, found by the regular look.
    pub(super) missed: u64,
    pub(super) vitals: Arc<Vitals>,
}

impl<'l> Listener<'l> {
    /// Begins where the last run stopped.
    pub(super) fn new(
        outbox: &'l Outbox,
        (rest, api): (&'l Rest, &'l Api),
        (places, stopped): (Places, Option<&Stopped>),
        (bot, clock): (Snowflake, Clock),
    ) -> Self {
        Self {
            outbox,
            rest,
            api,
            clock,
            bot,
            places,
            pending: Pending::default(),
            alive: stopped.map_or_else(clock, |stopped| stopped.heard_at),
            has_listened: stopped.is_some(),
            is_server_away: false,
            is_caught_up: false,
            content_seen: None,
            told: HashMap::new(),
            undecodable: 0,
            broken: 0,
            missed: 0,
            vitals: Arc::default(),
        }
    }

    /// Keeps what comes until nothing comes any more.
    pub(super) async fn keep(&mut self, lines: &mut mpsc::Receiver<Line>, bot: &Bot) -> Result<(), Failure> {
        let mut batch = Vec::with_capacity(MAX_BATCH);
        let (mut check, mut approvals) = (every(bot.check_every), every(bot.approvals_every()));
        loop {
            tokio::select! {
                count = lines.recv_many(&mut batch, MAX_BATCH) => {
                    if count == 0 {
                        return Ok(());
                    }
                    for line in batch.drain(..) {
                        self.heard(line.heard).await?;
                    }
                    self.flush().await?;
                }
                _ = approvals.tick() => self.look_at_approvals().await?,
                _ = check.tick() => self.check().await?,
            }
        }
    }

    async fn heard(&mut self, heard: Heard) -> Result<(), Failure> {
        let (text, at, (position, is_live)) = match heard {
            Heard::Line { text, at, position, is_live } => {
                self.vitals.lines.fetch_add(1, Ordering::Relaxed);
                self.vitals.alive(at);
                (text, at, (position, is_live))
            }
            Heard::Alive(at) => {
                self.alive = at;
                self.vitals.alive(at);
                self.pending.progress.alive = Some(at);
                return Ok(());
            }
            Heard::Garbled(text) => {
                self.keep_broken(text, "it is no line of the gateway");
                return Ok(());
            }
        };
        let why = match Dispatch::read(&text) {
            Ok(Dispatch::Ready) => Some(Why::NewSession(self.has_listened.then_some(self.alive))),
            Ok(Dispatch::Resumed) if !self.is_caught_up => Some(Why::Start),
            Ok(Dispatch::Resumed) => {
                let session = position.as_ref().map(|position| &position.session);
                tracing::info!(session, "the gateway session goes on; nothing was missed");
                None
            }
            Ok(dispatch) => {
                self.dispatch(dispatch, at).await?;
                None
            }
            Err(error) => {
                self.keep_broken(text, &error.to_string());
                None
            }
        };
        if let Some(why) = why {
            self.begin(why).await?;
        }
        if is_live {
            self.alive = at;
        }
        let session = position.as_ref().map(|position| position.session.clone());
        self.moved(position);
        if let Some(why) = why {
            // At once: until the new position is kept, a crash would cost this session.
            self.flush().await?;
            self.vitals.listening();
            self.vitals.places.store(self.places.count(), Ordering::Relaxed);
            let is_new_session = why != Why::Start;
            tracing::info!(is_new_session, session, channels = self.places.heard().len(), "listening");
            launch::crash::point("caught_up");
        }
        Ok(())
    }

    /// From here on the position covers what is pending; the next flush keeps both.
    fn moved(&mut self, position: Option<Position>) {
        if let Some(position) = position.filter(|_| self.is_caught_up) {
            self.pending.progress.position = Some((self.bot, position, self.alive));
        }
    }

    async fn dispatch(&mut self, dispatch: Dispatch<'_>, at: OffsetDateTime) -> Result<(), Failure> {
        let seen = Seen::live(at, matches!(dispatch, Dispatch::Message { is_new: true, .. }));
        match dispatch {
            Dispatch::Message { guild: Some(guild), .. } if self.places.is_foreign(guild) => {}
            Dispatch::Message { channel, raw, .. } => self.message(channel, raw, seen).await?,
            Dispatch::Deleted { channel, ids, raw } => self.deleted(channel, &ids, (raw, seen)).await?,
            Dispatch::Places(places) => {
                places.iter().for_each(|raw| self.notice(raw));
                self.look_at_closed(&places).await?;
            }
            Dispatch::Gone(id) => self.gone(id, at),
            Dispatch::GuildGone(guild) => {
                for root in self.places.roots_in(guild) {
                    self.in_trouble(root, words::guild_gone(&self.name_of(root)), at);
                }
            }
            Dispatch::Ready | Dispatch::Resumed | Dispatch::Other => {}
        }
        Ok(())
    }

    /// A session begins, or goes on after a start: what was not told is read back before anything younger is kept.
    async fn begin(&mut self, why: Why) -> Result<(), Failure> {
        self.flush().await?;
        launch::crash::point("catching_up");
        self.catch_up(why).await?;
        (self.is_caught_up, self.has_listened) = (true, true);
        Ok(())
    }

    /// Takes note of a channel or thread.
    pub(super) fn notice(&mut self, raw: &RawPlace) {
        if let Some(kept) = self.places.notice(raw) {
            self.pending.progress.places.push(kept);
        }
    }

    /// A line that does not even say where it belongs: kept as it came, as long as there are not too many.
    fn keep_broken(&mut self, text: String, reason: &str) {
        self.broken += 1;
        if self.broken > MAX_BROKEN {
            self.undecodable += 1;
            self.vitals.undecodable.store(self.undecodable, Ordering::Relaxed);
            return;
        }
        let nowhere =
            ChannelRef { source: Source::Discord, external_id: "gateway".into(), name: "gateway".into() };
        self.undecodable(nowhere, &text, format!("a line of the gateway cannot be read: {reason}"));
    }

    /// The server may have approved channels, or paused them.
    async fn look_at_approvals(&mut self) -> Result<(), Failure> {
        let before = self.places.heard();
        match statuses(self.api).await {
            Ok(statuses) => self.places.set_statuses(statuses),
            Err(NoAnswer::Later(reason)) => {
                if !std::mem::replace(&mut self.is_server_away, true) {
                    tracing::warn!("{reason}; the last known approvals hold");
                }
                return Ok(());
            }
            Err(NoAnswer::Never(reason)) => return Err(Failure::Configuration(reason)),
        }
        self.is_server_away = false;
        // Until then everything will be looked at, anyway.
        if !self.is_caught_up {
            return Ok(());
        }
        let after = self.places.heard();
        for id in before.symmetric_difference(&after) {
            if after.contains(id) {
                let name = self.name_of(*id);
                tracing::info!(channel = %id, name, "approved on the server: what was posted meanwhile is read back, and it is heard");
            }
            self.look_again(*id).await?;
        }
        self.flush().await?;
        Ok(())
    }

    /// The regular look: closed channels may be open, the gateway may have left something out.
    async fn check(&mut self) -> Result<(), Failure> {
        if !self.is_caught_up {
            return Ok(());
        }
        let before = self.missed;
        self.catch_up(Why::Check).await?;
        if self.missed > before {
            tracing::warn!(
                count = self.missed - before,
                "the gateway had not told everything; the rest was read back from the history"
            );
        }
        Ok(())
    }
}

/// Ticks after each such time.
fn every(period: Duration) -> Interval {
    let mut ticks = tokio::time::interval_at(Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// What the server says of Discord's channels, by their ids.
pub(super) async fn statuses(api: &Api) -> Result<HashMap<String, ChannelStatus>, NoAnswer> {
    let channels = api.channels().await?;
    Ok(channels.into_iter().map(|channel| (channel.external_id, channel.status)).collect())
}
