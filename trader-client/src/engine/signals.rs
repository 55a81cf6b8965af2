//! Signals as they come, change and go: the decision about each is made once and kept.
//!
//! Entry points: [`Engine::on_signal`] and its siblings. Invariants: a signal id is decided once, at once or after it waited
//! for witnesses; a revision, a dispute or a withdrawal never opens anything; entries are sent in the step of the decision
//! or never.

use exchange::{OrderKind, Pair};
use serde::Serialize;
use shared::money::Amount;
use shared::signal::Side;
use shared::wire::SignalRecord;
use time::OffsetDateTime;
use uuid::Uuid;

use super::trade::{Role, Trade};
use super::{Command, Engine, Note, Snapshot, Topic, grouped};
use crate::policy::{
    AccountView, EntryExposure, Exposure, Market, Plan, PlannedLeg, Refusal, Span, Standing, approve,
    pair_of, percent_of, plan,
};

/// A signal as it was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignalCard {
    /// The signal.
    pub id: Uuid,
    /// Its place in the server's log.
    pub seq: i64,
    /// Its channel's name.
    pub channel: String,
    /// Its author's name.
    pub author: String,
    /// The ticker.
    pub symbol: String,
    /// The direction.
    pub side: Side,
    /// When it was posted.
    pub posted_at: OffsetDateTime,
    /// When it was decided.
    pub decided_at: OffsetDateTime,
    /// Whether it is traded.
    pub decision: Decision,
    /// How often its post was revised since.
    pub revisions: u32,
    /// How many contributors have seen it, as far as we were told.
    pub witnesses: u32,
    /// What is known against it.
    pub standing: Standing,
}

/// Whether a signal is traded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum Decision {
    /// Its entries were sent.
    Traded,
    /// It is fresh, and too few contributors have seen it yet.
    Waiting {
        /// What it waits for, in words.
        reason: String,
    },
    /// It is not traded.
    Refused {
        /// The stable name of the reason.
        code: String,
        /// The reason in words.
        reason: String,
    },
}

impl Engine {
    /// Decides a new signal. Seen again, under whatever seq, it changes nothing.
    pub(super) fn on_signal(
        &mut self,
        now: OffsetDateTime,
        record: &SignalRecord,
        snapshot: &Snapshot,
    ) -> Vec<Command> {
        if self.signals.contains_key(&record.id) {
            return Vec::new();
        }
        self.decide(now, record, snapshot)
    }

    /// Decides a signal that is new, or that has waited.
    pub(super) fn decide(
        &mut self,
        now: OffsetDateTime,
        record: &SignalRecord,
        snapshot: &Snapshot,
    ) -> Vec<Command> {
        match self.consider(now, record, snapshot) {
            Ok((trade, commands)) => {
                let text = words_of(&trade.plan);
                self.set_decision(now, record, Decision::Traded);
                self.owners.extend(commands.iter().map(|command| (command.order_id(), record.id)));
                self.trades.insert(record.id, trade);
                self.live.insert(record.id);
                self.note(now, record.id, (Topic::Planned, text));
                self.note_unread_expiry(now, record);
                return commands;
            }
            Err(why @ Refusal::TooFewWitnesses { .. }) => self.wait(now, record, &why),
            Err(why) => self.refuse(now, record, &why),
        }
        Vec::new()
    }

    /// A signal is not traded, and why.
    pub(super) fn refuse(&mut self, now: OffsetDateTime, record: &SignalRecord, why: &Refusal) {
        let (code, reason) = (why.code(), why.to_string());
        self.set_decision(now, record, Decision::Refused { code: code.to_owned(), reason: reason.clone() });
        self.note(now, record.id, (Topic::Refused, reason));
        if let Some(note) = self.notes.last_mut() {
            note.code = Some(code);
        }
    }

    /// Writes a decision on the signal's card, which is made with the first one.
    pub(super) fn set_decision(&mut self, now: OffsetDateTime, record: &SignalRecord, decision: Decision) {
        match self.signals.get_mut(&record.id) {
            Some(card) => (card.decision, card.decided_at) = (decision, now),
            None => {
                let card = self.card(now, record, decision);
                self.signals.insert(record.id, card);
            }
        }
    }

    fn card(&self, now: OffsetDateTime, record: &SignalRecord, decision: Decision) -> SignalCard {
        SignalCard {
            id: record.id,
            seq: self.cursor,
            channel: record.channel.clone(),
            author: record.author.clone(),
            symbol: record.signal.base().to_string(),
            side: record.signal.side(),
            posted_at: record.posted_at,
            decided_at: now,
            decision,
            revisions: 0,
            witnesses: record.witnesses,
            standing: Standing::Good,
        }
    }

    /// Plans the signal and has every entry approved; all of them or none.
    fn consider(
        &self,
        now: OffsetDateTime,
        record: &SignalRecord,
        snapshot: &Snapshot,
    ) -> Result<(Trade, Vec<Command>), Refusal> {
        let rules = &self.settings.rules;
        let pair = pair_of(&record.signal, &rules.policy).ok();
        let view = self.view(now, pair.as_ref(), snapshot)?;
        let plan = plan(record, rules, &view)?;
        let mut trade = Trade::new(plan, now, self.entry_expiry(now, record));
        let limit = percent_of(view.equity.get(), rules.risk.max_daily_loss.0)?;
        let notional_limit =
            view.equity.get().checked_mul(rules.risk.max_leverage.0).ok_or(Refusal::OutOfRange)?;
        let mut commands = Vec::new();
        for (number, leg) in trade.plan.legs.clone().into_iter().enumerate() {
            let role = Role::Entry(number);
            let order = trade.order(&self.account, role, (leg.kind, leg.quantity));
            let at_risk = view.open_risk.get() + trade.worst_loss() - view.realised_today.get();
            let notional = view.open_notional.get() + trade.notional();
            let exposure = EntryExposure {
                price: leg.price,
                stop: trade.plan.stop,
                risk_left: Amount::new(limit - at_risk).map_err(|_| Refusal::OutOfRange)?,
                notional_left: Amount::new(notional_limit - notional).map_err(|_| Refusal::OutOfRange)?,
                filters: trade.plan.filters.clone(),
                valid_until: trade.plan.valid_until,
            };
            let ticket = approve(order, &Exposure::Entry(exposure))?;
            trade.remember(&ticket, role);
            commands.push(Command::Place { ticket });
        }
        Ok((trade, commands))
    }

    fn view(
        &self,
        now: OffsetDateTime,
        pair: Option<&Pair>,
        snapshot: &Snapshot,
    ) -> Result<AccountView, Refusal> {
        let amount = |value| Amount::new(value).map_err(|_| Refusal::OutOfRange);
        let market = pair.and_then(|pair| snapshot.markets.get(pair)).cloned();
        let no_answer = || Market::Unanswered { reason: "the exchange was not asked".to_owned() };
        Ok(AccountView {
            now,
            equity: self.equity(),
            market: market.unwrap_or_else(no_answer),
            open_positions: u32::try_from(self.live.len()).unwrap_or(u32::MAX),
            pair_in_trade: pair.is_some_and(|pair| self.live_trades().any(|trade| trade.plan.pair == *pair)),
            realised_today: self.realised_on(now.to_utc().date()),
            open_risk: amount(self.total(Trade::worst_loss))?,
            open_notional: amount(self.total(Trade::notional))?,
            standing: Standing::Good,
        })
    }

    /// The setting counts from the decision, the signal's own limit from its post; the earlier one wins.
    fn entry_expiry(&self, now: OffsetDateTime, record: &SignalRecord) -> OffsetDateTime {
        let by_setting = now + self.settings.engine.entry_expiry.0;
        let own = record.signal.fields().expiry.as_ref().and_then(|text| text.parse::<Span>().ok());
        own.map_or(by_setting, |own| by_setting.min(record.posted_at + own.0))
    }

    fn note_unread_expiry(&mut self, now: OffsetDateTime, record: &SignalRecord) {
        let Some(text) = &record.signal.fields().expiry else { return };
        if text.parse::<Span>().is_err() {
            let limit = self.settings.engine.entry_expiry;
            let text = format!("its validity {text:?} is not understood: the setting of {limit} counts");
            self.note(now, record.id, (Topic::NotActedOn, text));
        }
    }

    /// A revision is shown, and changes no trade. What waits for witnesses of other words is not traded any more.
    pub(super) fn on_revised(&mut self, now: OffsetDateTime, record: &SignalRecord) {
        let Some(card) = self.signals.get_mut(&record.id) else { return };
        card.revisions += 1;
        card.witnesses = record.witnesses;
        self.refuse_waiting(now, record.id, &Refusal::EditedMeanwhile);
        if self.trades.contains_key(&record.id) {
            let what = if record.reread { "was read again" } else { "was edited" };
            let text = format!("its post {what} and reads differently now: the trade stays as planned");
            self.note(now, record.id, (Topic::NotActedOn, text));
        }
    }

    /// The post is gone: what is not filled is cancelled, what is filled keeps its stop.
    pub(super) fn on_withdrawn(&mut self, now: OffsetDateTime, signal: Uuid, reason: &str) {
        self.turn_bad(now, (signal, Standing::Withdrawn), &format!("the signal was withdrawn ({reason})"));
    }

    /// Contributors disagree: handled as a withdrawal.
    pub(super) fn on_disputed(&mut self, now: OffsetDateTime, signal: Uuid) {
        self.turn_bad(now, (signal, Standing::Disputed), "contributors disagree about the post");
    }

    fn turn_bad(&mut self, now: OffsetDateTime, (signal, standing): (Uuid, Standing), reason: &str) {
        if let Some(card) = self.signals.get_mut(&signal) {
            card.standing = standing;
        }
        let why = if standing == Standing::Disputed { Refusal::Disputed } else { Refusal::Withdrawn };
        if self.refuse_waiting(now, signal, &why) {
            return;
        }
        let Some(trade) = self.trades.get_mut(&signal) else { return };
        let kept = if trade.open().is_zero() { "" } else { "; what is open keeps its stop and its targets" };
        match trade.end_entries(reason) {
            Ok(text) => self.note(now, signal, (Topic::Handled, format!("{text}{kept}"))),
            Err(text) => self.note(now, signal, (Topic::NotActedOn, format!("{text}{kept}"))),
        }
    }
}

/// A plan in words.
fn words_of(plan: &Plan) -> String {
    let quantity: rust_decimal::Decimal = plan.legs.iter().map(|leg| leg.quantity.get()).sum();
    let entries: Vec<String> = plan.legs.iter().map(words_of_entry).collect();
    let targets = match plan.targets.len() {
        0 => "no target".to_owned(),
        1 => "1 target".to_owned(),
        count => format!("{count} targets"),
    };
    let stop = grouped(plan.stop.get());
    format!("{} at {}, stop {stop}, {targets}", quantity.normalize(), entries.join("/"))
}

fn words_of_entry(leg: &PlannedLeg) -> String {
    let price = grouped(leg.price.get());
    match leg.kind {
        OrderKind::Market => "market".to_owned(),
        OrderKind::Limit { .. } => price,
        OrderKind::Stop { .. } => format!("a break of {price}"),
    }
}

impl Note {
    /// True when the note decides about a signal.
    pub fn is_decision(&self) -> bool {
        matches!(self.topic, Topic::Planned | Topic::Refused)
    }
}
