//! The trader's client: follows the server's feed and trades on the paper exchange, on this machine.
//!
//! Entry point: [`run`], the single loop: whatever happens comes through one closed enum. Read in this order: [`policy`],
//! [`engine`], [`journal`], [`desk`], [`venue`], [`feed`], this file. The files that decide (`policy`, `engine`) do no
//! I/O; the files that do I/O decide nothing.
//! Time: with the `replay` clock the events and the candles are the clock; with `wall` it is this machine's.
#![deny(clippy::float_arithmetic)]

pub mod account;
pub mod api;
pub mod config;
pub mod desk;
pub mod engine;
pub mod feed;
pub mod journal;
pub mod paper;
pub mod policy;
#[cfg(test)]
mod tests;
pub mod venue;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use exchange::candles::open_folder;
use shared::wire::{Event, EventRecord};
use time::OffsetDateTime;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use account::Account;
use config::{Clock, Config, Unusable};
use desk::Desk;
use engine::Note;
use feed::{Feed, FeedError, Heard, MAX_WAITING};
use journal::{Journal, Owner};
use paper::Paper;

/// The journal's file in the data folder.
pub const JOURNAL_FILE: &str = "journal.sqlite";
/// The paper exchange's file in the data folder.
pub const PAPER_FILE: &str = "paper.sqlite";
/// How often the market is looked at with the `wall` clock.
const WALL_TICK: Duration = Duration::from_secs(1);
/// Failed connections in a row after which `--once` gives up: with the pauses, about two minutes.
const PATIENCE_OF_ONCE: u32 = 8;
/// The end of all candles.
const END_OF_TIME: OffsetDateTime = time::macros::datetime!(9999-12-31 0:00 UTC);

/// What to run.
pub struct Session {
    /// The settings.
    pub config: Config,
    /// The data folder; it exists, and nobody else uses it.
    pub folder: PathBuf,
    /// Stop when the log and the candles are played to their ends.
    pub once: bool,
}

/// Everything that can happen to a running client.
enum Happening {
    /// Something came on the feed.
    Heard(Heard),
    /// The feed has ended.
    FeedEnded,
    /// A second has passed.
    Second,
    /// The user wants to stop.
    Stop,
}

/// Follows the feed and trades until told to stop, or with `once` until everything is played. `tell` hears every decision
/// and every fill. The result is the account at the end.
pub async fn run(
    session: Session,
    mut stop: watch::Receiver<bool>,
    mut tell: impl FnMut(&Note) -> std::io::Result<()>,
) -> anyhow::Result<Account> {
    let mut client = Client::open(&session).await?;
    let outcome = trade(&mut client, &session, (&mut stop, &mut tell)).await;
    // Also after a failure: whoever copies or moves the folder next finds whole files in it.
    let closed = client.close().await;
    let account = outcome?;
    closed.map(|()| account)
}

async fn trade(
    client: &mut Client,
    session: &Session,
    (stop, tell): (&mut watch::Receiver<bool>, &mut impl FnMut(&Note) -> std::io::Result<()>),
) -> anyhow::Result<Account> {
    client.play_candles(client.start_time(), stop, tell).await?;
    let (sender, mut heard) = mpsc::channel(MAX_WAITING);
    let feed = client.follow(session, sender)?;
    let mut seconds = tokio::time::interval(WALL_TICK);
    seconds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let happening = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => Happening::Stop,
            news = heard.recv() => news.map_or(Happening::FeedEnded, Happening::Heard),
            _ = seconds.tick(), if client.clock == Clock::Wall => Happening::Second,
        };
        match happening {
            Happening::Stop => break,
            Happening::FeedEnded => {
                feed.await.context("the feed's task failed")??;
                anyhow::bail!("the feed ended without a reason");
            }
            Happening::Second => client.play_candles(launch::clock::now(), stop, tell).await?,
            Happening::Heard(Heard::Event(record)) => {
                launch::crash::point("event_received");
                client.take_event(*record, stop, tell).await?;
            }
            Happening::Heard(Heard::CaughtUp(seq)) => {
                tracing::info!(seq, "caught up with the server's log");
                if session.once {
                    client.play_candles(client.end_time(), stop, tell).await?;
                    break;
                }
            }
        }
    }
    feed.abort();
    client.account().await
}

/// A desk on the paper exchange, and its clock.
struct Client {
    desk: Desk<Paper>,
    clock: Clock,
}

impl Client {
    async fn open(session: &Session) -> anyhow::Result<Self> {
        let Session { config, folder, .. } = session;
        let paper = &config.paper;
        let candles = open_folder(&paper.candles).map_err(|error| Unusable::Problem(error.to_string()))?;
        let (path, journal) = (folder.join(PAPER_FILE), folder.join(JOURNAL_FILE));
        anyhow::ensure!(
            path.exists() || !journal.exists(),
            "there is a journal, but its paper exchange {} is gone: put it back, or choose another --data-dir to begin \
             a new account",
            path.display()
        );
        let venue = Paper::open(&path, paper.exchange.clone(), Box::new(candles)).await?;
        let owner = Owner {
            account: config.account.clone(),
            mode: "paper".to_owned(),
            server: config.address().map_err(Unusable::Problem)?.to_string(),
            venue: venue.identity().to_owned(),
        };
        let journal = Journal::open(&journal, &owner).await?;
        anyhow::ensure!(
            !journal.is_empty() || !venue.is_used(),
            "the paper exchange {} has had orders, but the journal that explains them is gone: put {JOURNAL_FILE} back, \
             or choose another --data-dir to begin a new account",
            path.display()
        );
        let now = match paper.clock {
            Clock::Replay => venue.now().unwrap_or(OffsetDateTime::UNIX_EPOCH),
            Clock::Wall => launch::clock::now(),
        };
        let desk = Desk::open(journal, venue, config.settings(), now).await?;
        Ok(Self { desk, clock: paper.clock })
    }

    /// Closes both files.
    async fn close(self) -> anyhow::Result<()> {
        let (journal, venue) = self.desk.into_parts();
        let closed = journal.close().await;
        venue.close().await?;
        Ok(closed?)
    }

    fn follow(
        &self,
        session: &Session,
        sender: mpsc::Sender<Heard>,
    ) -> anyhow::Result<JoinHandle<Result<(), FeedError>>> {
        let feed = Feed {
            address: session.config.address().map_err(Unusable::Problem)?,
            key: session.config.key(&session.folder)?,
            patience: session.once.then_some(PATIENCE_OF_ONCE),
        };
        let cursor = self.desk.engine().cursor();
        tracing::info!(server = %feed.address, cursor, "following the feed");
        Ok(tokio::spawn(async move { feed.follow(cursor, sender).await }))
    }

    /// Up to where the candles are played before anything else: what was played before a restart, or until now.
    fn start_time(&self) -> OffsetDateTime {
        if self.clock == Clock::Replay { self.desk.now() } else { launch::clock::now() }
    }

    fn end_time(&self) -> OffsetDateTime {
        if self.clock == Clock::Replay { END_OF_TIME } else { launch::clock::now() }
    }

    /// Plays the market up to the event's time, then takes the event in.
    async fn take_event(
        &mut self,
        record: EventRecord,
        stop: &mut watch::Receiver<bool>,
        tell: &mut impl FnMut(&Note) -> std::io::Result<()>,
    ) -> anyhow::Result<()> {
        let at = match self.clock {
            Clock::Wall => launch::clock::now(),
            Clock::Replay => replay_time(&record.event).unwrap_or(self.desk.now()),
        };
        self.play_candles(at, stop, tell).await?;
        if *stop.borrow() {
            return Ok(());
        }
        self.desk.take_event(at, record).await?;
        self.tell_news(tell)
    }

    /// Plays the candles that ended by `until`, one after the other, and answers what each has caused.
    async fn play_candles(
        &mut self,
        until: OffsetDateTime,
        stop: &mut watch::Receiver<bool>,
        tell: &mut impl FnMut(&Note) -> std::io::Result<()>,
    ) -> anyhow::Result<()> {
        while !*stop.borrow() {
            let Some(end) = self.desk.venue().behind().advance(until).await? else { break };
            self.desk.tick(end).await?;
            self.tell_news(tell)?;
        }
        let now = if self.clock == Clock::Wall { until } else { self.desk.now() };
        self.desk.tick(now).await?;
        self.tell_news(tell)
    }

    fn tell_news(&mut self, tell: &mut impl FnMut(&Note) -> std::io::Result<()>) -> anyhow::Result<()> {
        self.desk.news().iter().try_for_each(tell).context("writing to standard output")
    }

    /// The account, at the exchange's present prices.
    async fn account(&mut self) -> anyhow::Result<Account> {
        let pairs = self.desk.engine().live_trades().map(|trade| trade.plan.pair.clone()).collect();
        let snapshot = self.desk.venue().snapshot(&pairs).await;
        let balance = self.desk.venue().balance().await?;
        Ok(Account::of(self.desk.engine(), self.desk.now()).with_market(balance, &snapshot))
    }
}

/// When an event happened, for the `replay` clock. A dispute is raised when the differing text was received, and a witness
/// counts when it told the server: that is the server's time and not the story's.
fn replay_time(event: &Event) -> Option<OffsetDateTime> {
    match event {
        Event::SignalDisputed { .. } | Event::SignalWitnessed { .. } | Event::PostDisputed { .. } => None,
        _ => event.occurred_at(),
    }
}

/// Reserves the data folder for this process. The lock lasts as long as the result.
pub fn lock(folder: &Path) -> anyhow::Result<std::fs::File> {
    let path = folder.join("lock");
    let file = std::fs::File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .with_context(|| format!("opening {}", path.display()))?;
    let locked = rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive);
    locked.map_err(|_| {
        anyhow::anyhow!(
            "another trader-client runs on the data folder {}: stop it, or choose another --data-dir",
            folder.display()
        )
    })?;
    Ok(file)
}
