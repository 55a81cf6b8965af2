//! The geometry that every signal must satisfy: the one place where "sound" is defined.
//!
//! Entry point: [`check`]. The thresholds come from the field's commonest slips: a stop or target that is ten times
//! off is a typing error, not a plan. A refusal is never a repair.

use rust_decimal::Decimal;

use super::{Break, Entry, Market, Side, SignalDraft, Stop, Target, TargetLevel};
use crate::money::{Percent, Price};

/// Which fields of a draft contradict each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsound {
    /// A price is on the wrong side of another one.
    #[error("{what} {price} is not {relation} {other_what} {other} of a {side}")]
    WrongSide {
        /// `stop` or `target`.
        what: &'static str,
        /// Its price.
        price: Price,
        /// `below` or `above`.
        relation: &'static str,
        /// What it was compared with.
        other_what: &'static str,
        /// That one's price.
        other: Price,
        /// The direction of the trade.
        side: Side,
    },
    /// A price is implausibly far from, or near to, another one.
    #[error("{what} {price} is {problem} from {other}: looks like a slip of the pen")]
    Distance {
        /// `stop`, `target`, `zone` or `ladder`.
        what: &'static str,
        /// Its price.
        price: Price,
        /// `too far` or `too near`.
        problem: &'static str,
        /// What it was compared with.
        other: Price,
    },
    /// Targets do not run away from the entry one after the other.
    #[error("target {later} comes after target {earlier} but is nearer to the entry")]
    TargetOrder {
        /// The earlier target.
        earlier: Price,
        /// The one after it.
        later: Price,
    },
    /// The edges of a zone are not in ascending order.
    #[error("zone {low} to {high} does not ascend")]
    ZoneOrder {
        /// The edge given as the lower one.
        low: Price,
        /// The edge given as the upper one.
        high: Price,
    },
    /// A ladder without legs.
    #[error("a ladder of entries needs at least one price")]
    EmptyLadder,
    /// Shares of a position that add up to more than all of it.
    #[error("the shares of the {what} add up to {sum} %")]
    Shares {
        /// `entries` or `targets`.
        what: &'static str,
        /// Their sum.
        sum: Decimal,
    },
    /// A trigger that contradicts the side: a long that waits for a break below.
    #[error("a {side} cannot wait for a break {direction}")]
    TriggerSide {
        /// The direction of the trade.
        side: Side,
        /// The direction of the break.
        direction: &'static str,
    },
    /// Terms of an option without its market, or the other way round.
    #[error("an option needs its terms, and only an option has them")]
    OptionTerms,
    /// A percentage that is none: a stop at 0 % or beyond the whole price.
    #[error("{what} of {percent} % is outside 0.1 to {most} %")]
    PercentDistance {
        /// `stop` or `target`.
        what: &'static str,
        /// The distance.
        percent: Percent,
        /// The largest plausible one.
        most: u32,
    },
}

/// A stop nearer than a thousandth of the entry (0.1 %) is inside the spread.
const MIN_STOP_PART: u128 = 1_000;
/// A stop further than half the price is a misread number.
const MAX_STOP_PART: u128 = 2;
/// A target more than ten times the entry away (spot accumulation plans reach that) is a misread number. Like the ratios
/// below in tenths.
const MAX_TARGET_TENTHS: u128 = 100;
/// A zone wider than 10 % is two prices of different things.
const MAX_ZONE_TENTHS: u128 = 11;
/// A ladder wider than 40 %, likewise.
const MAX_LADDER_TENTHS: u128 = 14;
/// Shares are often rounded up: three thirds of 33.4 %.
const MAX_SHARE_SUM: Decimal = Decimal::from_parts(101, 0, 0, false, 0);

/// Refuses a draft whose fields contradict each other.
pub(super) fn check(draft: &SignalDraft) -> Result<(), Unsound> {
    if draft.instrument.option.is_some() != (draft.instrument.market == Some(Market::Option)) {
        return Err(Unsound::OptionTerms);
    }
    check_entry(draft)?;
    let in_order = is_in_order(draft);
    if !in_order {
        check_stop(draft)?;
    }
    check_targets(draft)?;
    if in_order { Ok(()) } else { check_target_prices(draft) }
}

/// True for a stop, entries and targets one behind the other, none of them too near or too far: then no two of them need be
/// looked at. Nothing is refused for not being so.
fn is_in_order(draft: &SignalDraft) -> bool {
    let stop = match &draft.stop {
        None | Some(Stop::None) => None,
        Some(Stop::Percent { .. }) => return false,
        Some(Stop::Price { price } | Stop::OnClose { price, .. }) => Some(price.units()),
    };
    let is_beyond = |near: u128, far: u128| if draft.side == Side::Long { near < far } else { near > far };
    let mut entries = draft.entry.each_price().map(Price::units);
    let Some(first) = entries.next() else { return false };
    let (low, high) = entries.fold((first, first), |(low, high), at| (low.min(at), high.max(at)));
    let (nearest, furthest) = if draft.side == Side::Long { (low, high) } else { (high, low) };
    let stopped = stop.is_none_or(|stop| {
        is_beyond(stop, nearest)
            && stop.abs_diff(nearest) * MIN_STOP_PART >= high
            && stop.abs_diff(furthest) * MAX_STOP_PART <= low
    });
    let mut last = furthest;
    for target in target_prices(&draft.targets).map(Price::units) {
        if !is_beyond(last, target) {
            return false;
        }
        last = target;
    }
    stopped && last.max(high) * 10 <= last.min(low) * MAX_TARGET_TENTHS
}

fn check_entry(draft: &SignalDraft) -> Result<(), Unsound> {
    match &draft.entry {
        Entry::Market { .. } | Entry::Limit { .. } => Ok(()),
        Entry::Zone { low, high } if low.units() >= high.units() => {
            Err(Unsound::ZoneOrder { low: *low, high: *high })
        }
        Entry::Zone { low, high } => within(draft, ("zone", MAX_ZONE_TENTHS), *high, *low),
        Entry::Ladder { legs, first_market } => {
            let lowest = legs.iter().map(|leg| leg.price).min_by_key(|price| price.units());
            let highest = legs.iter().map(|leg| leg.price).max_by_key(|price| price.units());
            let (Some(lowest), Some(highest)) = (lowest, highest) else {
                return if *first_market { Ok(()) } else { Err(Unsound::EmptyLadder) };
            };
            check_shares("entries", legs.iter().filter_map(|leg| leg.share))?;
            within(draft, ("ladder", MAX_LADDER_TENTHS), highest, lowest)
        }
        Entry::Trigger { direction, .. } => match (draft.side, direction) {
            (Side::Long, Break::Below) => Err(Unsound::TriggerSide { side: draft.side, direction: "below" }),
            (Side::Short, Break::Above) => Err(Unsound::TriggerSide { side: draft.side, direction: "above" }),
            _ => Ok(()),
        },
    }
}

fn check_stop(draft: &SignalDraft) -> Result<(), Unsound> {
    let stop = match &draft.stop {
        None | Some(Stop::None) => return Ok(()),
        Some(Stop::Percent { percent }) => {
            return check_percent("stop", *percent, if is_premium(draft) { 99 } else { 50 });
        }
        Some(Stop::Price { price } | Stop::OnClose { price, .. }) => *price,
    };
    for entry in draft.entry.each_price() {
        if !is_beyond(draft.side, stop, entry) {
            return Err(wrong_side(("stop", stop), ("entry", entry), draft.side, draft.side == Side::Short));
        }
        if is_premium(draft) {
            continue;
        }
        let distance = entry.units().abs_diff(stop.units());
        if distance * MIN_STOP_PART < entry.units() {
            return Err(Unsound::Distance { what: "stop", price: stop, problem: "too near", other: entry });
        }
        if distance * MAX_STOP_PART > entry.units() {
            return Err(Unsound::Distance { what: "stop", price: stop, problem: "too far", other: entry });
        }
    }
    for target in target_prices(&draft.targets) {
        if !is_beyond(draft.side, stop, target) {
            return Err(wrong_side(
                ("stop", stop),
                ("target", target),
                draft.side,
                draft.side == Side::Short,
            ));
        }
    }
    Ok(())
}

fn check_targets(draft: &SignalDraft) -> Result<(), Unsound> {
    check_shares("targets", draft.targets.iter().filter_map(|target| target.share))?;
    for target in &draft.targets {
        if let TargetLevel::Percent(percent) = &target.at {
            check_percent("target", *percent, if draft.side == Side::Long { 1000 } else { 99 })?;
        }
    }
    Ok(())
}

fn check_target_prices(draft: &SignalDraft) -> Result<(), Unsound> {
    for target in target_prices(&draft.targets) {
        for entry in draft.entry.each_price() {
            if !is_beyond(draft.side, entry, target) {
                return Err(wrong_side(
                    ("target", target),
                    ("entry", entry),
                    draft.side,
                    draft.side == Side::Long,
                ));
            }
            let (near, far) = if draft.side == Side::Long { (entry, target) } else { (target, entry) };
            within(draft, ("target", MAX_TARGET_TENTHS), far, near)?;
        }
    }
    let pairs = target_prices(&draft.targets).zip(target_prices(&draft.targets).skip(1));
    for (earlier, later) in pairs {
        if !is_beyond(draft.side, earlier, later) {
            return Err(Unsound::TargetOrder { earlier, later });
        }
    }
    Ok(())
}

fn target_prices(targets: &[Target]) -> impl Iterator<Item = Price> + '_ {
    targets.iter().filter_map(|target| match target.at {
        TargetLevel::Price(price) => Some(price),
        TargetLevel::Percent(_) | TargetLevel::RMultiple(_) | TargetLevel::Runner => None,
    })
}

/// True when `far` lies in the direction of profit from `near`.
fn is_beyond(side: Side, near: Price, far: Price) -> bool {
    let (near, far) = (near.units(), far.units());
    if side == Side::Long { far > near } else { far < near }
}

fn wrong_side(what: (&'static str, Price), other: (&'static str, Price), side: Side, above: bool) -> Unsound {
    let relation = if above { "above" } else { "below" };
    Unsound::WrongSide { what: what.0, price: what.1, relation, other_what: other.0, other: other.1, side }
}

/// True for an option: its premium may multiply or vanish within days, so that no distance is implausible.
fn is_premium(draft: &SignalDraft) -> bool {
    draft.instrument.option.is_some()
}

fn within(
    draft: &SignalDraft,
    (what, tenths): (&'static str, u128),
    high: Price,
    low: Price,
) -> Result<(), Unsound> {
    if !is_premium(draft) && high.units() * 10 > low.units() * tenths {
        return Err(Unsound::Distance { what, price: high, problem: "too far", other: low });
    }
    Ok(())
}

fn check_percent(what: &'static str, percent: Percent, most: u32) -> Result<(), Unsound> {
    let least = Decimal::new(1, 1);
    if percent.get() < least || percent.get() > Decimal::from(most) {
        return Err(Unsound::PercentDistance { what, percent, most });
    }
    Ok(())
}

fn check_shares(what: &'static str, shares: impl Iterator<Item = Percent>) -> Result<(), Unsound> {
    match shares.map(Percent::get).reduce(|sum, share| sum + share) {
        Some(sum) if sum > MAX_SHARE_SUM => Err(Unsound::Shares { what, sum }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::{EntryLeg, Instrument, OptionRight, OptionTerms, Signal};

    fn price(text: &str) -> Price {
        text.parse().unwrap()
    }

    fn draft(side: Side, entry: &str, stop: &str, targets: &[&str]) -> SignalDraft {
        let targets =
            targets.iter().map(|text| Target { at: TargetLevel::Price(price(text)), share: None }).collect();
        SignalDraft {
            targets,
            stop: Some(Stop::Price { price: price(stop) }),
            ..SignalDraft::new(
                Instrument::of("BTC".parse().unwrap()),
                side,
                Entry::Limit { price: price(entry) },
            )
        }
    }

    #[test]
    fn a_sound_long_and_a_sound_short_are_accepted() {
        assert!(Signal::new(draft(Side::Long, "100", "95", &["105", "110"])).is_ok());
        assert!(Signal::new(draft(Side::Short, "100", "105", &["95", "90"])).is_ok());
    }

    #[test]
    fn each_contradiction_is_refused_in_words() {
        let cases = [
            (draft(Side::Long, "100", "105", &["110"]), "stop 105 is not below entry 100 of a long"),
            (draft(Side::Short, "100", "95", &["90"]), "stop 95 is not above entry 100 of a short"),
            (draft(Side::Long, "100", "100", &["110"]), "stop 100 is not below entry 100 of a long"),
            (draft(Side::Long, "100", "95", &["99"]), "target 99 is not above entry 100 of a long"),
            (draft(Side::Short, "100", "105", &["101"]), "target 101 is not below entry 100 of a short"),
            (
                draft(Side::Long, "100", "95", &["110", "105"]),
                "target 105 comes after target 110 but is nearer to the entry",
            ),
            (
                draft(Side::Long, "3.46", "0.318", &["3.8"]),
                "stop 0.318 is too far from 3.46: looks like a slip of the pen",
            ),
            (
                draft(Side::Long, "100", "99.95", &["110"]),
                "stop 99.95 is too near from 100: looks like a slip of the pen",
            ),
            (
                draft(Side::Long, "100", "95", &["10500"]),
                "target 10500 is too far from 100: looks like a slip of the pen",
            ),
        ];
        for (draft, words) in cases {
            assert_eq!(Signal::new(draft).unwrap_err().to_string(), words);
        }
    }

    #[test]
    fn ladders_zones_triggers_and_shares_are_checked_too() {
        let leg = |text: &str, share: &str| EntryLeg { price: price(text), share: share.parse().ok() };
        let with = |entry: Entry| SignalDraft { entry, ..draft(Side::Long, "100", "90", &["120"]) };
        let zone = |low: &str, high: &str| Entry::Zone { low: price(low), high: price(high) };
        assert!(Signal::new(with(zone("98", "100"))).is_ok());
        assert!(Signal::new(with(zone("100", "98"))).is_err());
        assert!(Signal::new(with(zone("100", "112"))).is_err());
        let ladder = |legs: Vec<EntryLeg>| Entry::Ladder { legs, first_market: false };
        assert!(Signal::new(with(ladder(vec![leg("100", "50"), leg("97", "50")]))).is_ok());
        assert!(Signal::new(with(ladder(vec![leg("100", "60"), leg("97", "50")]))).is_err());
        assert!(
            Signal::new(with(ladder(vec![leg("100", ""), leg("89", "")]))).is_err(),
            "a leg beyond the stop"
        );
        assert!(Signal::new(with(ladder(vec![]))).is_err());
        let trigger = |direction| Entry::Trigger { direction, price: price("100") };
        assert!(Signal::new(with(trigger(Break::Above))).is_ok());
        assert!(Signal::new(with(trigger(Break::Below))).is_err());
    }

    #[test]
    fn a_market_entry_without_a_price_is_checked_stop_against_targets() {
        let entry = Entry::Market { reference: None, implied: true };
        assert!(
            Signal::new(SignalDraft { entry: entry.clone(), ..draft(Side::Long, "1", "95", &["110"]) })
                .is_ok()
        );
        assert!(Signal::new(SignalDraft { entry, ..draft(Side::Long, "1", "115", &["110"]) }).is_err());
    }

    #[test]
    fn premiums_may_move_further_than_prices_but_not_the_other_way() {
        let terms = OptionTerms { right: OptionRight::Put, strike: price("95000"), expiry: "09-26".into() };
        let option = |stop: &str, targets: &[&str]| {
            let mut draft = draft(Side::Long, "0.0385", stop, targets);
            draft.instrument.market = Some(Market::Option);
            draft.instrument.option = Some(terms.clone());
            draft
        };
        assert!(Signal::new(option("0.01", &["0.06", "0.8"])).is_ok());
        assert!(Signal::new(option("0.05", &["0.06"])).is_err());
        assert!(Signal::new(option("0.01", &["0.03"])).is_err());
        let mut spot = option("0.01", &["0.06"]);
        spot.instrument.market = Some(Market::Spot);
        assert!(Signal::new(spot).is_err(), "terms without their market");
    }

    #[test]
    fn an_unsound_signal_cannot_come_off_the_wire() {
        let text = serde_json::to_string(&draft(Side::Long, "100", "105", &["110"])).unwrap();
        let error = serde_json::from_str::<Signal>(&text).unwrap_err().to_string();
        assert!(error.contains("stop 105 is not below entry 100"), "{error}");
    }
}
