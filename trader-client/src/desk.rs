//! The desk: engine, journal and venue, and the one order in which they are used.
//!
//! Entry points: [`Desk::open`], [`Desk::take_event`], [`Desk::tick`].
//! The order: engine's step → journal (input, cursor, commands, notes) → carry out one command → journal its outcome →
//! collect fills → the next command. Every input goes through it, and it ends when nothing is left to do.
//! Invariant: a crash between any two of these leaves a journal from which [`Desk::open`] goes on as if nothing had been.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use anyhow::Context;
use exchange::{ClientOrderId, Exchange, FillId};
use shared::wire::EventRecord;
use time::OffsetDateTime;

use crate::engine::{Answer, Command, Engine, Input, Note, Settings};
use crate::journal::{Entry, Journal, Recovered};
use crate::venue::Venue;

/// Engine, journal and venue.
pub struct Desk<E> {
    engine: Engine,
    journal: Journal,
    venue: Venue<E>,
    now: OffsetDateTime,
    queue: VecDeque<(i64, Command)>,
    told: usize,
}

impl<E: Exchange> Desk<E> {
    /// Recovers the engine, finishes what a crash interrupted, and takes over the settings if they have changed.
    /// `now` is the earliest time that it can be.
    pub async fn open(
        mut journal: Journal,
        exchange: E,
        settings: Settings,
        now: OffsetDateTime,
    ) -> anyhow::Result<Self> {
        let Recovered { engine, now: last, pending } = journal.recover().await?;
        let told = engine.notes().len();
        let is_new = last.is_none();
        let now = last.map_or(now, |last| last.max(now));
        let mut desk = Self { engine, journal, venue: Venue::new(exchange), now, queue: pending, told };
        desk.check_venue().await?;
        desk.resume().await?;
        if is_new || *desk.engine.settings() != settings {
            desk.take(Input::Settings { settings: Box::new(settings) }, None).await?;
            desk.drive().await?;
        }
        Ok(desk)
    }

    /// Gives up its parts, so that each can be closed.
    pub fn into_parts(self) -> (Journal, E) {
        (self.journal, self.venue.into_exchange())
    }

    /// An exchange that has forgotten fills of the journal, or has some of orders that the journal never commanded, goes
    /// with another state of it: one of the two is an older copy, and what is open would be misjudged.
    async fn check_venue(&mut self) -> anyhow::Result<()> {
        let last = self.engine.last_fill();
        let before = last.map(|last| FillId(last.0.saturating_sub(1)));
        let fills = self.venue.fills_after(before).await?;
        let forgotten = last.filter(|last| fills.first().map(|fill| fill.id) != Some(*last));
        let foreign = fills.iter().find(|fill| !self.engine.knows(fill.order)).map(|fill| fill.id);
        let what = match (forgotten, foreign) {
            (Some(fill), _) => format!("the exchange does not know fill {} of the journal", fill.0),
            (None, Some(fill)) => {
                format!("the journal does not know the order of the exchange's fill {}", fill.0)
            }
            (None, None) => return Ok(()),
        };
        anyhow::bail!(
            "{what}: one of the two is an older copy. Put back the newer one, or choose another --data-dir to begin a \
             new account"
        )
    }

    /// Finishes what a crash interrupted. Only the oldest open command can have been carried out: the next one waits for
    /// its outcome. An order is looked up first, and sent only if the exchange never had it.
    async fn resume(&mut self) -> anyhow::Result<()> {
        if let Some((number, Command::Place { ticket })) = self.queue.front().cloned() {
            let id = ticket.get().order.id;
            if let Some(answer) = self.venue.find(id).await? {
                self.queue.pop_front();
                self.take(Input::Placed { id, answer }, Some(number)).await?;
            }
        }
        self.drive().await
    }

    /// The engine's state.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The engine's time.
    pub fn now(&self) -> OffsetDateTime {
        self.now
    }

    /// The venue, for what is not trading.
    pub fn venue(&mut self) -> &mut Venue<E> {
        &mut self.venue
    }

    /// What has been noted since the last call.
    pub fn news(&mut self) -> Vec<Note> {
        let news = self.engine.notes().get(self.told..).unwrap_or_default().to_vec();
        self.told = self.engine.notes().len();
        news
    }

    /// Takes in one line of the server's log. One that was taken in before changes nothing.
    pub async fn take_event(&mut self, now: OffsetDateTime, record: EventRecord) -> anyhow::Result<()> {
        self.advance_to(now);
        if record.seq <= self.engine.cursor() {
            return Ok(());
        }
        let snapshot = self.venue.snapshot(&self.engine.pairs_for(&record.event)).await;
        let input = Input::Event { record: Box::new(record), snapshot: Box::new(snapshot) };
        self.take(input, None).await?;
        launch::crash::point("event_journaled");
        self.drive().await
    }

    /// Takes in what the market has done up to now, and lets time pass. A tick that changes nothing is not journaled.
    pub async fn tick(&mut self, now: OffsetDateTime) -> anyhow::Result<()> {
        self.advance_to(now);
        self.drive().await?;
        let notes = self.engine.notes().len();
        let commands = self.engine.step(self.now, &Input::Tick);
        if commands.is_empty() && self.engine.notes().len() == notes {
            return Ok(());
        }
        self.write((&Input::Tick, None), commands, notes).await?;
        self.drive().await
    }

    /// The engine's time never runs backwards.
    fn advance_to(&mut self, now: OffsetDateTime) {
        self.now = self.now.max(now);
    }

    /// Carries out what is to be done, taking in every outcome and every fill, until nothing is left.
    async fn drive(&mut self) -> anyhow::Result<()> {
        loop {
            self.collect_fills().await?;
            let Some((number, command)) = self.queue.pop_front() else { return Ok(()) };
            launch::crash::point("command_journaled");
            let outcome = self.carry_out(&command).await?;
            launch::crash::point("order_placed");
            self.take(outcome, Some(number)).await?;
            launch::crash::point("outcome_journaled");
        }
    }

    async fn carry_out(&mut self, command: &Command) -> anyhow::Result<Input> {
        match command {
            Command::Cancel { id } => {
                let (status, filled) = self.venue.cancel(*id).await?;
                Ok(Input::Cancelled { id: *id, status, filled })
            }
            Command::Place { ticket } => {
                let id = ticket.get().order.id;
                let answer = match self.moot(id) {
                    Some(reason) => Answer::Refused { reason },
                    None => self.venue.place(self.now, ticket).await?,
                };
                Ok(Input::Placed { id, answer })
            }
        }
    }

    /// Why an exit need not be sent any more: a fill that came after its command has closed the position.
    fn moot(&self, id: ClientOrderId) -> Option<String> {
        self.engine.is_moot(id).then(|| "not sent: nothing is open any more".to_owned())
    }

    async fn collect_fills(&mut self) -> anyhow::Result<()> {
        let fills = self.venue.fills_after(self.engine.last_fill()).await?;
        if fills.is_empty() {
            return Ok(());
        }
        launch::crash::point("fill_received");
        self.take(Input::Filled { fills }, None).await?;
        launch::crash::point("fill_journaled");
        Ok(())
    }

    /// One step of the engine, written down.
    async fn take(&mut self, input: Input, answers: Option<i64>) -> anyhow::Result<()> {
        let notes = self.engine.notes().len();
        let commands = self.engine.step(self.now, &input);
        self.write((&input, answers), commands, notes).await
    }

    async fn write(
        &mut self,
        (input, answers): (&Input, Option<i64>),
        commands: Vec<Command>,
        notes_before: usize,
    ) -> anyhow::Result<()> {
        let notes = self.engine.notes().get(notes_before..).unwrap_or_default();
        let entry = Entry { now: self.now, input, answers, commands: &commands, notes };
        let first = self.journal.append(entry).await.context("nothing was done about it")?;
        self.queue.extend((first..).zip(commands));
        Ok(())
    }
}
