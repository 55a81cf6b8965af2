//! A verdict in words: one line for each signal and update. Entry point: [`verdict`].

use std::fmt::Display;

use shared::reading::{Reading, Verdict};
use shared::signal::{
    Break, Entry, EntryLeg, LeverageRange, MarginMode, Market, OptionRight, Signal, SignalDraft, Stop,
    Target, TargetLevel,
};
use shared::update::{Action, Scope, SignalUpdate, StopMove};

/// The lines, without their ends. Texts of the post stand in them as they are.
pub(super) fn verdict(reading: &Reading) -> Vec<String> {
    match &reading.verdict {
        Verdict::Noise { reason } => vec![format!("noise: {reason}")],
        Verdict::Abstained { reason } => vec![format!("abstained: {reason}")],
        Verdict::Signals { signals, updates } => {
            signals.iter().map(signal).chain(updates.iter().map(update)).collect()
        }
        Verdict::Updates { updates } => updates.iter().map(update).collect(),
    }
}

fn signal(signal: &Signal) -> String {
    let fields = signal.fields();
    let mut parts = vec![format!("signal: {} {}", fields.side, instrument(fields)), entry(&fields.entry)];
    parts.push(match fields.targets.as_slice() {
        [] => "no targets written".to_owned(),
        targets => format!("targets {}", listed(targets.iter().map(target))),
    });
    parts.push(stop(fields.stop.as_ref()));
    parts.extend(fields.leverage.map(leverage));
    parts.extend(
        fields.margin_mode.map(|mode| {
            (if mode == MarginMode::Cross { "cross margin" } else { "isolated margin" }).to_owned()
        }),
    );
    parts.extend(fields.risk_pct.map(|risk| format!("risk {risk}%")));
    parts.extend(fields.size_pct.map(|size| format!("size {size}%")));
    let texts = [
        ("chart", &fields.timeframe),
        ("valid for", &fields.expiry),
        ("confidence", &fields.confidence),
        ("id", &fields.reference),
    ];
    parts.extend(texts.into_iter().filter_map(|(name, text)| Some(format!("{name} {}", text.as_ref()?))));
    parts.join("; ")
}

fn instrument(fields: &SignalDraft) -> String {
    let instrument = &fields.instrument;
    let mut text = instrument.base.to_string();
    if let Some(quote) = &instrument.quote {
        text += &format!("/{quote}");
    }
    match &instrument.option {
        Some(terms) => {
            let right = if terms.right == OptionRight::Call { "call" } else { "put" };
            text += &format!(" {right} {} of {}", terms.strike, terms.expiry);
        }
        None => {
            text += match instrument.market {
                Some(Market::Spot) => " spot",
                Some(Market::Perp) => " perp",
                Some(Market::Option) => " option",
                None => "",
            };
        }
    }
    if let Some(venue) = &instrument.venue {
        text += &format!(" on {venue}");
    }
    text
}

fn entry(entry: &Entry) -> String {
    match entry {
        Entry::Market { implied: true, .. } => "entry at the market (none is written)".to_owned(),
        Entry::Market { reference: None, .. } => "entry at the market".to_owned(),
        Entry::Market { reference: Some(price), .. } => format!("entry at the market, seen at {price}"),
        Entry::Limit { price } => format!("entry {price}"),
        Entry::Zone { low, high } => format!("entry from {low} to {high}"),
        Entry::Ladder { legs, first_market } => {
            let first = first_market.then(|| "market".to_owned());
            format!("entries {}", listed(first.into_iter().chain(legs.iter().map(leg))))
        }
        Entry::Trigger { direction: Break::Above, price } => format!("entry above {price}"),
        Entry::Trigger { direction: Break::Below, price } => format!("entry below {price}"),
    }
}

fn leg(leg: &EntryLeg) -> String {
    shared_out(&leg.price.to_string(), leg.share)
}

fn target(target: &Target) -> String {
    let level = match &target.at {
        TargetLevel::Price(price) => price.to_string(),
        TargetLevel::Percent(percent) => format!("{percent}%"),
        TargetLevel::RMultiple(multiple) => format!("{multiple}R"),
        TargetLevel::Runner => "open".to_owned(),
    };
    shared_out(&level, target.share)
}

fn shared_out(level: &str, share: Option<impl Display>) -> String {
    share.map_or_else(|| level.to_owned(), |share| format!("{level} ({share}%)"))
}

fn stop(stop: Option<&Stop>) -> String {
    match stop {
        None => "no stop written".to_owned(),
        Some(Stop::None) => "expressly no stop".to_owned(),
        Some(Stop::Price { price }) => format!("stop {price}"),
        Some(Stop::Percent { percent }) => format!("stop {percent}% away"),
        Some(Stop::OnClose { price, timeframe }) => {
            format!("stop when a {timeframe} candle closes beyond {price}")
        }
    }
}

fn leverage(range: LeverageRange) -> String {
    match range {
        LeverageRange { min: None, max } => format!("leverage up to {max}x"),
        LeverageRange { min: Some(min), max } if min == max => format!("leverage {max}x"),
        LeverageRange { min: Some(min), max } => format!("leverage {min}x to {max}x"),
    }
}

fn update(update: &SignalUpdate) -> String {
    let actions = update.actions.iter().map(action);
    format!("update of {}: {}", scope(&update.scope), actions.collect::<Vec<_>>().join("; "))
}

fn scope(scope: &Scope) -> String {
    let named = |base: &Option<_>| base.as_ref().map(|base| format!(" ({base})")).unwrap_or_default();
    match scope {
        Scope::Reply { base } => format!("the signal that it answers{}", named(base)),
        Scope::Symbol { base, side: Some(side) } => format!("the {base} {side}"),
        Scope::Symbol { base, side: None } => base.to_string(),
        Scope::Reference { reference, base } => format!("signal #{reference}{}", named(base)),
        Scope::Last => "the author's last signal".to_owned(),
        Scope::All { side: None } => "all open signals".to_owned(),
        Scope::All { side: Some(side) } => format!("all open {side}s"),
    }
}

fn action(action: &Action) -> String {
    match action {
        Action::TargetHit { targets } if targets.is_empty() => "all targets reached".to_owned(),
        Action::TargetHit { targets } => format!("target {} reached", listed(targets)),
        Action::EntryFilled { entries, price } => {
            let which = if entries.is_empty() { String::new() } else { format!(" {}", listed(entries)) };
            format!("entry{which} filled{}", price.map(|price| format!(" at {price}")).unwrap_or_default())
        }
        Action::MoveStop { to: StopMove::BreakEven } => "stop to the entry".to_owned(),
        Action::MoveStop { to: StopMove::Target { target } } => format!("stop to target {target}"),
        Action::MoveStop { to: StopMove::Price { price } } => format!("stop to {price}"),
        Action::TrailStop { percent: Some(percent) } => format!("stop follows {percent}% behind the price"),
        Action::TrailStop { percent: None } => "stop follows the price".to_owned(),
        Action::PartClose { share: Some(share) } => format!("close {share}%"),
        Action::PartClose { share: None } => "close a part".to_owned(),
        Action::Close => "close".to_owned(),
        Action::Cancel => "cancelled".to_owned(),
        Action::StoppedOut => "stopped out".to_owned(),
        Action::StoppedAtBreakEven => "stopped out at the entry".to_owned(),
        Action::Add { entry: at, stop } => with_stop("add", at, stop.as_ref()),
        Action::Reenter { entry: at, stop } => with_stop("enter again", at, stop.as_ref()),
        Action::SetEntry { entry: at } => with_stop("new entry", at, None),
        Action::AddTargets { prices } => format!("further targets {}", listed(prices)),
        Action::ReplaceTarget { target, price } => format!("target {target} becomes {price}"),
        Action::SetTargets { prices } => format!("new targets {}", listed(prices)),
    }
}

fn with_stop(what: &str, at: &Entry, new: Option<&Stop>) -> String {
    let new = new.map(|new| format!(", {}", stop(Some(new)))).unwrap_or_default();
    format!("{what}: {}{new}", entry(at))
}

fn listed(items: impl IntoIterator<Item = impl Display>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}
