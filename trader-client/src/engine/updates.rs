//! What a channel's follow-ups change about a trade. Claims ("target hit", "stopped out") change nothing: fills decide.
//!
//! Entry point: [`Engine::on_update`]. Invariants: no update raises a risk; what is not acted on is noted with its reason;
//! an update that was found by reading an old post again moves nothing.

use shared::money::{Percent, Price, Quantity};
use shared::update::{Action, StopMove};
use shared::wire::UpdateRecord;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Engine, Snapshot, Topic, Trade, grouped};
use crate::policy::Market;

/// What was done about an action, or why nothing was; both for people.
type Outcome = Result<String, String>;

impl Engine {
    /// Takes the actions of an update one after the other. Signals that are not traded have nothing to update.
    pub(super) fn on_update(&mut self, now: OffsetDateTime, update: &UpdateRecord, snapshot: &Snapshot) {
        let Some(signal) = update.signal_id else { return };
        if update.reread {
            return self.on_late_word(
                now,
                signal,
                "a follow-up was found by reading its post again: not acted on",
            );
        }
        let Some(trade) = self.trades.get_mut(&signal) else { return };
        let price = match snapshot.markets.get(&trade.plan.pair) {
            Some(Market::Quoted { price, .. }) => Some(*price),
            _ => None,
        };
        let outcomes: Vec<Outcome> =
            update.update.actions.iter().map(|action| trade.act(action, price)).collect();
        for outcome in outcomes {
            match outcome {
                Ok(text) => self.note(now, signal, (Topic::Handled, text)),
                Err(text) => self.note(now, signal, (Topic::NotActedOn, text)),
            }
        }
    }

    /// Says that something came to light too late to be acted on. Nothing is undone and nothing is caught up on.
    pub(super) fn on_late_word(&mut self, now: OffsetDateTime, signal: Uuid, text: &str) {
        if self.trades.contains_key(&signal) {
            self.note(now, signal, (Topic::NotActedOn, text.to_owned()));
        }
    }
}

impl Trade {
    fn act(&mut self, action: &Action, price: Option<Price>) -> Outcome {
        let claim = |what: &str| Err(format!("the channel says {what}: fills decide"));
        match action {
            Action::TargetHit { targets } if targets.is_empty() => claim("all targets were hit"),
            Action::TargetHit { targets } => {
                let numbers: Vec<String> = targets.iter().map(ToString::to_string).collect();
                claim(&format!("target {} was hit", numbers.join(", ")))
            }
            Action::EntryFilled { .. } => claim("the entry was filled"),
            Action::StoppedOut => claim("the stop was hit"),
            Action::StoppedAtBreakEven => claim("the stop was hit at the entry"),
            _ if !self.is_live() => Err("a follow-up, but this trade is over".to_owned()),
            Action::SetTargets { .. } | Action::AddTargets { .. } | Action::ReplaceTarget { .. } => {
                Err("new targets are not supported: the first ones stay".to_owned())
            }
            Action::Add { .. } => Err("adding to a position is not supported: it stays as it is".to_owned()),
            Action::Reenter { .. } => Err("entering again is not supported".to_owned()),
            Action::SetEntry { .. } => Err("a new entry is not supported: the first one stays".to_owned()),
            Action::TrailStop { .. } => Err("a trailing stop is not supported: the stop stays".to_owned()),
            Action::Cancel => self.end_entries("cancelled by the channel"),
            Action::Close => self.close_all(),
            Action::PartClose { share } => self.close_part(*share),
            Action::MoveStop { to } => self.move_stop_as_asked(to, price),
        }
    }

    /// Marks unfilled entries as no longer wanted; the position keeps its stop.
    pub(super) fn end_entries(&mut self, reason: &str) -> Outcome {
        if !self.active().any(|order| matches!(order.role, super::Role::Entry(_))) {
            return Err(format!("{reason}: no entry is waiting"));
        }
        if self.entries_ended.is_some() {
            return Err(format!("{reason}: the entries are being cancelled already"));
        }
        self.entries_ended = Some(reason.to_owned());
        Ok(format!("unfilled entries cancelled: {reason}"))
    }

    fn close_all(&mut self) -> Outcome {
        let reason = "closed by the channel";
        if self.closing.is_some() {
            return Err(format!("{reason}: it is being closed already"));
        }
        if !self.is_live() {
            return Err(format!("{reason}: nothing is open or waiting"));
        }
        self.closing = Some(reason.to_owned());
        if self.open().is_zero() {
            return self.end_entries(reason);
        }
        Ok(format!("closing at the market: {reason}"))
    }

    fn close_part(&mut self, share: Option<Percent>) -> Outcome {
        let Some(share) = share else {
            return Err("part close: the post does not say how much".to_owned());
        };
        let open = self.open();
        if open.is_zero() || self.closing.is_some() {
            return Err("part close: nothing is open, or all is being closed".to_owned());
        }
        if share.get() >= rust_decimal::Decimal::ONE_HUNDRED {
            return self.close_all();
        }
        let exact = open.get() * share.get() / rust_decimal::Decimal::ONE_HUNDRED;
        let part =
            self.plan.filters.round_quantity(Quantity::new(exact.round_dp(18)).unwrap_or(Quantity::ZERO));
        if part.is_zero() {
            return Err(format!("{share} % of {open} is too small for the exchange"));
        }
        let to_close = (self.to_close.get() + part.get()).min(open.get());
        self.to_close = Quantity::new(to_close).unwrap_or(open);
        Ok(format!("closing {share} % ({part}) at the market: asked for by the channel"))
    }

    /// A stop beyond the market would fire at once; the one that stands stays instead.
    fn move_stop_as_asked(&mut self, to: &StopMove, price: Option<Price>) -> Outcome {
        if self.open().is_zero() || self.closing.is_some() {
            return Err("stop move: nothing is filled yet, or it is being closed".to_owned());
        }
        let wanted = match to {
            StopMove::BreakEven => self.average_entry(),
            StopMove::Target { target } => {
                usize::from(*target).checked_sub(1).and_then(|target| self.target_price(target))
            }
            StopMove::Price { price } => Some(*price),
        };
        let Some(wanted) = wanted else {
            return Err("stop move: that target has no price".to_owned());
        };
        if let Some(price) = price
            && self.is_at_or_beyond_stop(price, wanted)
        {
            let (price, wanted) = (grouped(price.get()), grouped(wanted.get()));
            return Err(format!("stop move: the price {price} is already beyond {wanted}"));
        }
        self.move_stop(wanted)
    }
}
