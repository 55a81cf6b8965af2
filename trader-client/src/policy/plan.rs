//! From a signal to a plan: the rules one after the other, then the size.
//!
//! Entry point: [`plan`]. The first rule that objects gives the reason; cheap and common ones come first.
//! Invariant: nothing in a signal raises a risk: its suggested leverage, size and risk are not used at all.

use exchange::{Filters, Pair};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use shared::money::{Amount, Percent, Price, Quantity};
use shared::signal::{self, Entry, Side, Signal, Stop, TargetLevel};
use shared::wire::SignalRecord;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::refusal::{Age, Refusal};
use super::rules::{Choice, Rules};
use super::sizing;

/// How far ahead a post's time may lie: two honest clocks differ by less.
const MAX_CLOCK_SKEW: Duration = Duration::seconds(2);

/// What the exchange says about a pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Market {
    /// A price and the rules for orders.
    Quoted {
        /// The last traded price.
        price: Price,
        /// When it was traded.
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
        /// The rules.
        filters: Filters,
    },
    /// The pair is not listed.
    Unlisted,
    /// The question was not answered.
    Unanswered {
        /// What happened instead.
        reason: String,
    },
}

/// What is known against a signal since it was posted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    #[default]
    Good,
    /// Contributors disagree about its words.
    Disputed,
    /// Its post was deleted or edited away.
    Withdrawn,
}

/// What the policy knows of the account, the market and the signal's standing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountView {
    /// The time of the decision.
    pub now: OffsetDateTime,
    /// Balance plus unrealised results.
    pub equity: Amount,
    /// The market of the signal's pair.
    pub market: Market,
    /// How many signals are in trade, waiting entries included.
    pub open_positions: u32,
    /// True when another signal is in trade on the pair.
    pub pair_in_trade: bool,
    /// Results and fees of this UTC day; negative for a loss.
    pub realised_today: Amount,
    /// What all open and waiting trades lose if every stop is hit.
    pub open_risk: Amount,
    /// What all open and waiting trades are worth.
    pub open_notional: Amount,
    /// What is known against the signal.
    pub standing: Standing,
}

/// How a signal will be traded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The signal.
    pub signal: Uuid,
    /// What is traded.
    pub pair: Pair,
    /// The direction.
    pub side: Side,
    /// The entries; never empty.
    pub legs: Vec<PlannedLeg>,
    /// Where to get out at a loss.
    pub stop: Price,
    /// Where to take profit, nearest first.
    pub targets: Vec<PlannedTarget>,
    /// The exchange's rules.
    pub filters: Filters,
    /// When the signal is too old for its entries to be sent.
    pub valid_until: OffsetDateTime,
}

/// One entry order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedLeg {
    /// How it is carried out.
    pub kind: exchange::OrderKind,
    /// The price at which it is expected to be filled.
    pub price: Price,
    /// How much.
    pub quantity: Quantity,
}

/// One rung of the take-profit ladder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedTarget {
    /// The level.
    pub at: TargetAt,
    /// The part of the position, from 0 to 1; all parts add up to 1.
    pub share: Decimal,
}

/// The level of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetAt {
    /// A price.
    Price(Price),
    /// A distance from the average entry in per cent.
    Percent(Percent),
    /// Held until the stop.
    Runner,
}

/// Plans a signal, or says why not.
pub fn plan(record: &SignalRecord, rules: &Rules, view: &AccountView) -> Result<Plan, Refusal> {
    let signal = &record.signal;
    check_choice(record, &rules.policy)?;
    let pair = pair_of(signal, &rules.policy)?;
    if record.reread {
        return Err(Refusal::ReadAgain);
    }
    check_age(record, &rules.policy, view.now)?;
    check_standing(view.standing)?;
    check_features(signal)?;
    check_witnesses(record, &rules.policy)?;
    check_room(&pair, rules, view)?;
    let (price, filters) = check_market(&pair, rules, view)?;
    let draft = sizing::draft(signal, price, &filters)?;
    check_price(signal, price, &draft)?;
    let legs = sizing::size(&draft, rules, view, &pair)?;
    Ok(Plan {
        signal: record.id,
        pair,
        side: signal.side(),
        legs,
        stop: draft.stop,
        targets: sizing::targets(signal, &filters)?,
        filters,
        valid_until: record.posted_at + rules.policy.max_signal_age.0,
    })
}

fn check_choice(record: &SignalRecord, choice: &Choice) -> Result<(), Refusal> {
    let id = record.channel_id.to_string();
    if !choice.channels.iter().any(|name| name == "*" || *name == record.channel || *name == id) {
        return Err(Refusal::ChannelNotAllowed { channel: record.channel.clone() });
    }
    let base = record.signal.base();
    let with_quote = format!("{base}{}", choice.quote_currency);
    let is_named = |name: &String| {
        name == "*"
            || name.eq_ignore_ascii_case(base.as_str())
            || name.replace(['/', '-'], "").eq_ignore_ascii_case(&with_quote)
    };
    if choice.symbols.iter().any(is_named) {
        Ok(())
    } else {
        Err(Refusal::SymbolNotAllowed { symbol: base.clone() })
    }
}

/// The pair that a signal is about, in the account's currency.
pub fn pair_of(signal: &Signal, choice: &Choice) -> Result<Pair, Refusal> {
    let account = &choice.quote_currency;
    if let Some(stated) = &signal.fields().instrument.quote
        && stated != account
        && !choice.accept_as_quote.contains(stated)
    {
        return Err(Refusal::OtherCurrency { stated: stated.clone(), account: account.clone() });
    }
    Ok(Pair { base: signal.base().clone(), quote: account.clone() })
}

/// The age is the whole time since the post, days included.
fn check_age(record: &SignalRecord, choice: &Choice, now: OffsetDateTime) -> Result<(), Refusal> {
    let age = now - record.posted_at;
    if age < -MAX_CLOCK_SKEW {
        return Err(Refusal::FromTheFuture { ahead: Age(-age) });
    }
    if age > choice.max_signal_age.0 {
        return Err(Refusal::TooOld { age: Age(age), limit: choice.max_signal_age });
    }
    Ok(())
}

fn check_standing(standing: Standing) -> Result<(), Refusal> {
    match standing {
        Standing::Good => Ok(()),
        Standing::Disputed => Err(Refusal::Disputed),
        Standing::Withdrawn => Err(Refusal::Withdrawn),
    }
}

fn check_features(signal: &Signal) -> Result<(), Refusal> {
    let fields = signal.fields();
    if fields.instrument.market == Some(signal::Market::Option) {
        return Err(Refusal::OptionMarket);
    }
    match &fields.stop {
        None | Some(Stop::None) => return Err(Refusal::NoStop),
        Some(Stop::OnClose { timeframe, .. }) => {
            return Err(Refusal::StopOnClose { timeframe: timeframe.clone() });
        }
        Some(Stop::Price { .. } | Stop::Percent { .. }) => {}
    }
    if fields.targets.iter().any(|target| matches!(target.at, TargetLevel::RMultiple(_))) {
        return Err(Refusal::RMultipleTarget);
    }
    Ok(())
}

/// After everything that time does not heal: only this is worth waiting for.
fn check_witnesses(record: &SignalRecord, choice: &Choice) -> Result<(), Refusal> {
    let (seen, wanted) = (record.witnesses, choice.min_witnesses);
    if seen < wanted.get() { Err(Refusal::TooFewWitnesses { seen, wanted }) } else { Ok(()) }
}

fn check_room(pair: &Pair, rules: &Rules, view: &AccountView) -> Result<(), Refusal> {
    if view.pair_in_trade {
        return Err(Refusal::SymbolInTrade { pair: pair.to_string() });
    }
    let limit = rules.risk.max_open_positions;
    if view.open_positions >= limit {
        return Err(Refusal::TooManyPositions { open: view.open_positions, limit });
    }
    if view.equity <= Amount::ZERO {
        return Err(Refusal::NoEquity { equity: super::refusal::cents(view.equity.get()) });
    }
    Ok(())
}

fn check_market(pair: &Pair, rules: &Rules, view: &AccountView) -> Result<(Price, Filters), Refusal> {
    match &view.market {
        Market::Unlisted => Err(Refusal::NotListed { pair: pair.to_string() }),
        Market::Unanswered { reason } => Err(Refusal::NoPrice { reason: reason.clone() }),
        Market::Quoted { price, at, filters } => {
            let limit = rules.policy.max_price_age;
            let age = view.now - *at;
            if age > limit.0 {
                return Err(Refusal::StalePrice { age: Age(age), limit });
            }
            Ok((*price, filters.clone()))
        }
    }
}

/// Refuses what the market has overtaken: at the stop, at the first target, or through the trigger.
fn check_price(signal: &Signal, price: Price, draft: &sizing::Draft) -> Result<(), Refusal> {
    let is_at_or_past = |level: Price| match signal.side() {
        Side::Long => price >= level,
        Side::Short => price <= level,
    };
    let stop = draft.stop;
    if price == stop || !is_at_or_past(stop) {
        return Err(Refusal::BeyondStop { price, stop });
    }
    if let Some(target) = sizing::first_target(signal, draft)
        && is_at_or_past(target)
    {
        return Err(Refusal::PastTarget { price, target });
    }
    if let Entry::Trigger { price: trigger, .. } = signal.fields().entry
        && is_at_or_past(trigger)
    {
        return Err(Refusal::PastTrigger { price, trigger });
    }
    Ok(())
}
