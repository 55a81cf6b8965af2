//! What kind of difference lies between two readings of one post, and a reading in one line. Pure.
//!
//! Entry points: [`changes`], [`brief`].

use std::collections::BTreeSet;
use std::fmt;

use shared::reading::{Reading, Verdict};
use shared::signal::{Entry, LeverageRange, Signal, Stop, Target, TargetLevel};
use shared::update::{Action, SignalUpdate};

/// The longest reading in one line, in characters: two of them and a channel's name fit into a wide terminal.
const MAX_BRIEF: usize = 120;

/// One kind of difference. The order is that of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Change {
    /// The same verdict with the same evidence.
    None,
    /// The same verdict, resting on other stretches of the post.
    Evidence,
    /// Noise or an abstention, for another reason.
    Reason,
    /// Another kind of verdict.
    Kind {
        /// What it was.
        from: &'static str,
        /// What it is.
        to: &'static str,
    },
    /// A signal says something else.
    Signal(Trait),
    /// The updates say something else.
    Update,
}

/// In what two signals differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trait {
    /// How many there are.
    Count,
    /// The direction.
    Side,
    /// What is traded.
    Symbol,
    /// Where to get in.
    Entry,
    /// Where to take profit.
    Targets,
    /// Where to get out at a loss.
    Stop,
    /// The leverage.
    Leverage,
    /// Anything else.
    Other,
}

impl Change {
    /// True when signals and updates stay as they are.
    pub(super) fn is_quiet(self) -> bool {
        matches!(self, Change::None | Change::Evidence | Change::Reason)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Change::None => "unchanged",
            Change::Evidence => "unchanged, other evidence",
            Change::Reason => "unchanged, other reason",
            Change::Kind { from, to } => return f.pad(&format!("{from} → {to}")),
            Change::Signal(part) => {
                let part = match part {
                    Trait::Count => "number of signals",
                    Trait::Side => "side",
                    Trait::Symbol => "symbol",
                    Trait::Entry => "entry",
                    Trait::Targets => "targets",
                    Trait::Stop => "stop",
                    Trait::Leverage => "leverage",
                    Trait::Other => "other field",
                };
                return f.pad(&format!("signal changed: {part}"));
            }
            Change::Update => "update changed",
        };
        f.pad(text)
    }
}

/// The kinds of difference between two readings of one post; never empty. A post without a reading has the kind `unread`.
pub(super) fn changes(before: Option<&Reading>, after: &Reading) -> BTreeSet<Change> {
    let Some(before) = before else {
        return BTreeSet::from([Change::Kind { from: "unread", to: word(&after.verdict) }]);
    };
    if before.verdict == after.verdict {
        let same = before.evidence == after.evidence;
        return BTreeSet::from([if same { Change::None } else { Change::Evidence }]);
    }
    let (from, to) = (word(&before.verdict), word(&after.verdict));
    if from != to {
        return BTreeSet::from([Change::Kind { from, to }]);
    }
    let (before, after) = (&before.verdict, &after.verdict);
    let mut found = BTreeSet::new();
    if before.signals().len() != after.signals().len() {
        found.insert(Change::Signal(Trait::Count));
    }
    for (before, after) in before.signals().iter().zip(after.signals()) {
        found.extend(traits(before, after).into_iter().map(Change::Signal));
    }
    if before.updates() != after.updates() {
        found.insert(Change::Update);
    }
    if found.is_empty() {
        found.insert(Change::Reason);
    }
    found
}

/// A verdict's kind in the words of the table.
fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Signals { .. } => "signal",
        Verdict::Updates { .. } => "update",
        Verdict::Noise { .. } => "noise",
        Verdict::Abstained { .. } => "abstained",
    }
}

fn traits(before: &Signal, after: &Signal) -> Vec<Trait> {
    let (old, new) = (before.fields(), after.fields());
    let named = [
        (Trait::Side, old.side != new.side),
        (Trait::Symbol, old.instrument != new.instrument),
        (Trait::Entry, old.entry != new.entry),
        (Trait::Targets, old.targets != new.targets),
        (Trait::Stop, old.stop != new.stop),
        (Trait::Leverage, old.leverage != new.leverage || old.margin_mode != new.margin_mode),
    ];
    let mut found: Vec<Trait> =
        named.into_iter().filter(|(_, differs)| *differs).map(|(part, _)| part).collect();
    if found.is_empty() && before != after {
        found.push(Trait::Other);
    }
    found
}

/// A reading in one line.
pub(super) fn brief(reading: Option<&Reading>) -> String {
    let Some(reading) = reading else { return "unread".to_owned() };
    let verdict = &reading.verdict;
    let text = match verdict.reason() {
        Some(reason) => format!("{} ({reason})", word(verdict)),
        None => {
            let signals = verdict.signals().iter().map(signal);
            signals.chain(verdict.updates().iter().map(update)).collect::<Vec<_>>().join("; ")
        }
    };
    let text = text.replace(char::is_control, " ");
    match text.char_indices().nth(MAX_BRIEF) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

fn signal(signal: &Signal) -> String {
    let fields = signal.fields();
    let quote = fields.instrument.quote.as_ref().map(|quote| format!("/{quote}")).unwrap_or_default();
    let mut text =
        format!("{} {}{quote}, entry {}", fields.side, fields.instrument.base, entry(&fields.entry));
    if let Some(stop) = &fields.stop {
        text += &format!(", stop {}", words_of_stop(stop));
    }
    if !fields.targets.is_empty() {
        text += &format!(", targets {}", fields.targets.iter().map(target).collect::<Vec<_>>().join(" "));
    }
    if let Some(LeverageRange { max, .. }) = &fields.leverage {
        text += &format!(", {max}x");
    }
    text
}

fn entry(entry: &Entry) -> String {
    let prices: Vec<String> = entry.prices().iter().map(ToString::to_string).collect();
    let prices = prices.join("/");
    match entry {
        Entry::Market { .. } if prices.is_empty() => "market".to_owned(),
        Entry::Market { .. } => format!("market near {prices}"),
        Entry::Trigger { .. } => format!("break of {prices}"),
        Entry::Ladder { first_market: true, .. } => format!("market/{prices}"),
        Entry::Limit { .. } | Entry::Zone { .. } | Entry::Ladder { .. } => prices,
    }
}

fn words_of_stop(stop: &Stop) -> String {
    match stop {
        Stop::Price { price } => price.to_string(),
        Stop::Percent { percent } => format!("{percent} %"),
        Stop::OnClose { price, timeframe } => format!("{price} on a {timeframe} close"),
        Stop::None => "none".to_owned(),
    }
}

fn target(target: &Target) -> String {
    match &target.at {
        TargetLevel::Price(price) => price.to_string(),
        TargetLevel::Percent(percent) => format!("{percent}%"),
        TargetLevel::RMultiple(multiple) => format!("{multiple}R"),
        TargetLevel::Runner => "runner".to_owned(),
    }
}

fn update(update: &SignalUpdate) -> String {
    let names: Vec<String> = update.actions.iter().map(action).collect();
    format!("update ({})", names.join(", "))
}

/// An action by its name in the API.
fn action(action: &Action) -> String {
    let value = serde_json::to_value(action).unwrap_or_default();
    value.get("type").and_then(|name| name.as_str()).unwrap_or("unknown").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(json: &str) -> Reading {
        serde_json::from_str(json).unwrap()
    }

    fn long(entry: &str, stop: &str, leverage: &str) -> Reading {
        reading(&format!(
            r#"{{"reader_version":1,"kind":"signals","signals":[{{"instrument":{{"base":"BTC","quote":"USDT",
            "venue":null,"market":null}},"side":"long","entry":{{"type":"limit","price":"{entry}"}},
            "targets":[{{"at":{{"price":"4200"}},"share":null}}],"stop":{{"type":"price","price":"{stop}"}},
            "leverage":{leverage},"margin_mode":null,"risk_pct":null,"size_pct":null,"timeframe":null,"expiry":null,
            "confidence":null}}]}}"#
        ))
    }

    fn named(before: &Reading, after: &Reading) -> Vec<String> {
        changes(Some(before), after).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_difference_has_its_name() {
        let plain = long("4000", "3800", "null");
        let noise = reading(r#"{"kind":"noise","reason":"a question"}"#);
        let other = reading(r#"{"kind":"noise","reason":"a joke"}"#);
        let update = |kind: &str| {
            let action = format!(r#"{{"type":"{kind}"}}"#);
            reading(&format!(
                r#"{{"kind":"update","updates":[{{"scope":{{"type":"last"}},"actions":[{action}]}}]}}"#
            ))
        };
        let geared = long("4000", "3800", r#"{"min":null,"max":"5"}"#);
        for (before, after, names) in [
            (&plain, &plain, vec!["unchanged"]),
            (&noise, &plain, vec!["noise → signal"]),
            (&plain, &update("close"), vec!["signal → update"]),
            (&noise, &other, vec!["unchanged, other reason"]),
            (&plain, &long("4010", "3700", "null"), vec!["signal changed: entry", "signal changed: stop"]),
            (&plain, &geared, vec!["signal changed: leverage"]),
            (&update("close"), &update("cancel"), vec!["update changed"]),
        ] {
            assert_eq!(named(before, after), names);
        }
        let later = Reading { reader_version: 9, ..plain.clone() };
        assert_eq!(named(&plain, &later), ["unchanged"], "a version alone is no difference");
        assert_eq!(changes(None, &noise).iter().next().unwrap().to_string(), "unread → noise");
    }

    #[test]
    fn a_reading_fits_into_one_line() {
        let geared = long("4000", "3800", r#"{"min":null,"max":"5"}"#);
        assert_eq!(brief(Some(&geared)), "long BTC/USDT, entry 4000, stop 3800, targets 4200, 5x");
        let wordy = format!(r#"{{"kind":"noise","reason":"two\nlines {}"}}"#, "é".repeat(300));
        let line = brief(Some(&reading(&wordy)));
        assert!(line.chars().count() == MAX_BRIEF + 1 && line.starts_with("noise (two lines é"), "{line}");
    }
}
