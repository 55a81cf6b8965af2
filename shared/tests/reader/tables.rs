//! Posts and their readings, as a table: `reading/posts.txt` holds invented posts, this file compares.
//!
//! Each reading is compared in one line of text, so that the table stays easy to read and to extend.

use shared::post::{Embed, Post};
use shared::reading::{ChannelProfile, Reading, Verdict};
use shared::signal::{Break, Entry, EntryLeg, MarginMode, Side, Signal, Stop, Target, TargetLevel};
use shared::update::{Action, Scope, SignalUpdate, StopMove};

use crate::posts;

fn read(post: &Post) -> Reading {
    shared::reading::read(post, &ChannelProfile::default())
}

fn post(text: &str) -> Post {
    let (reply, text) = match text.strip_prefix("[reply]\n") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut parts = text.split("[embed]\n");
    let content = parts.next().unwrap_or_default().trim_end().to_owned();
    let embeds =
        parts.map(|part| Embed { description: Some(part.trim_end().to_owned()), ..Embed::default() });
    Post { embeds: embeds.collect(), reply_to: reply.then(|| "1".into()), ..posts::post(&content) }
}

fn shown(reading: &Reading) -> String {
    match &reading.verdict {
        Verdict::Signals { signals, updates } => {
            let signals = signals.iter().map(shown_signal);
            signals.chain(updates.iter().map(shown_update)).collect::<Vec<_>>().join(" ;; ")
        }
        Verdict::Updates { updates } => updates.iter().map(shown_update).collect::<Vec<_>>().join(" ;; "),
        Verdict::Noise { reason } => format!("noise: {reason}"),
        Verdict::Abstained { reason } => format!("abstained: {reason}"),
    }
}

fn shown_signal(signal: &Signal) -> String {
    let fields = signal.fields();
    let quote = fields.instrument.quote.as_ref().map(|quote| format!("/{quote}")).unwrap_or_default();
    let mut text =
        format!("{} {}{quote} {}", fields.side, fields.instrument.base, shown_entry(&fields.entry));
    text.push_str(&shown_stop(fields.stop.as_ref()));
    if !fields.targets.is_empty() {
        let targets: Vec<String> = fields.targets.iter().map(shown_target).collect();
        text.push_str(&format!(" | targets {}", targets.join(" ")));
    }
    if let Some(leverage) = fields.leverage {
        let min = leverage.min.filter(|min| *min != leverage.max).map(|min| format!("{min}-"));
        text.push_str(&format!(" | {}{}x", min.unwrap_or_default(), leverage.max));
    }
    match fields.margin_mode {
        None => {}
        Some(MarginMode::Cross) => text.push_str(" cross"),
        Some(MarginMode::Isolated) => text.push_str(" isolated"),
    }
    text
}

fn shown_stop(stop: Option<&Stop>) -> String {
    match stop {
        None => String::new(),
        Some(Stop::Price { price }) => format!(" | stop {price}"),
        Some(Stop::Percent { percent }) => format!(" | stop {percent}%"),
        Some(Stop::OnClose { price, timeframe }) => format!(" | stop {price} on {timeframe} close"),
        Some(Stop::None) => " | no stop".into(),
    }
}

fn shown_entry(entry: &Entry) -> String {
    let legs = |legs: &[EntryLeg]| {
        let leg = |leg: &EntryLeg| match leg.share {
            Some(share) => format!("{}({share})", leg.price),
            None => leg.price.to_string(),
        };
        legs.iter().map(leg).collect::<Vec<_>>().join(" ")
    };
    match entry {
        Entry::Market { reference: None, .. } => "market".into(),
        Entry::Market { reference: Some(price), .. } => format!("market {price}"),
        Entry::Limit { price } => format!("limit {price}"),
        Entry::Zone { low, high } => format!("zone {low} {high}"),
        Entry::Ladder { legs: all, first_market: true } => format!("market then {}", legs(all)),
        Entry::Ladder { legs: all, first_market: false } => format!("ladder {}", legs(all)),
        Entry::Trigger { direction: Break::Above, price } => format!("above {price}"),
        Entry::Trigger { direction: Break::Below, price } => format!("below {price}"),
    }
}

fn shown_target(target: &Target) -> String {
    let level = match &target.at {
        TargetLevel::Price(price) => price.to_string(),
        TargetLevel::Percent(percent) => format!("{percent}%"),
        TargetLevel::RMultiple(multiple) => format!("{multiple}R"),
        TargetLevel::Runner => "runner".into(),
    };
    target.share.map_or(level.clone(), |share| format!("{level}({share})"))
}

fn shown_update(update: &SignalUpdate) -> String {
    let side = |side: &Option<Side>| side.map(|side| format!(" {side}")).unwrap_or_default();
    let scope = match &update.scope {
        Scope::Reply { base } => {
            format!("reply{}", base.as_ref().map(|b| format!(" {b}")).unwrap_or_default())
        }
        Scope::Symbol { base, side: named } => format!("{base}{}", side(named)),
        Scope::Reference { reference, base } => {
            format!("id {reference}{}", base.as_ref().map(|b| format!(" {b}")).unwrap_or_default())
        }
        Scope::Last => "last".into(),
        Scope::All { side: named } => format!("all{}", side(named)),
    };
    let actions: Vec<String> = update.actions.iter().map(shown_action).collect();
    format!("update {scope}: {}", actions.join(", "))
}

fn shown_action(action: &Action) -> String {
    let join = |all: Vec<String>| all.join(" ");
    match action {
        Action::TargetHit { targets } if targets.is_empty() => "target all".into(),
        Action::TargetHit { targets } => {
            format!("target {}", join(targets.iter().map(u8::to_string).collect()))
        }
        Action::EntryFilled { entries, price } => {
            let entries = entries.iter().map(|entry| format!(" {entry}")).collect::<String>();
            format!("filled{entries}{}", price.map(|price| format!(" at {price}")).unwrap_or_default())
        }
        Action::TrailStop { percent } => {
            format!("trail{}", percent.map(|percent| format!(" {percent}%")).unwrap_or_default())
        }
        Action::Add { entry, stop } => format!("add {}{}", shown_entry(entry), shown_stop(stop.as_ref())),
        Action::Reenter { entry, stop } => {
            format!("again {}{}", shown_entry(entry), shown_stop(stop.as_ref()))
        }
        Action::SetEntry { entry } => format!("entry {}", shown_entry(entry)),
        Action::AddTargets { prices } => {
            format!("more targets {}", join(prices.iter().map(ToString::to_string).collect()))
        }
        Action::ReplaceTarget { target, price } => format!("target {target} to {price}"),
        Action::StoppedAtBreakEven => "stopped at entry".into(),
        Action::MoveStop { to: StopMove::BreakEven } => "stop to entry".into(),
        Action::MoveStop { to: StopMove::Target { target } } => format!("stop to target {target}"),
        Action::MoveStop { to: StopMove::Price { price } } => format!("stop to {price}"),
        Action::PartClose { share: Some(share) } => format!("close {share}%"),
        Action::PartClose { share: None } => "close a part".into(),
        Action::Close => "close".into(),
        Action::Cancel => "cancel".into(),
        Action::StoppedOut => "stopped out".into(),
        Action::SetTargets { prices } => {
            format!("targets {}", join(prices.iter().map(ToString::to_string).collect()))
        }
    }
}

/// The table's rows: the post and the line that its reading must be shown as.
fn rows() -> Vec<(String, String)> {
    let mut rows = Vec::new();
    let mut text = String::new();
    let tables = [include_str!("../reading/posts.txt"), include_str!("../reading/cards.txt")];
    for line in tables.into_iter().flat_map(str::lines) {
        let comment = text.is_empty() && (line.starts_with("# ") || line.is_empty());
        match line.strip_prefix("=> ") {
            Some(reading) => rows.push((std::mem::take(&mut text), reading.to_owned())),
            None if comment => {}
            None => {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    rows
}

#[test]
fn every_post_of_the_table_is_read_as_it_says() {
    let rows = rows();
    assert!(rows.len() > 50, "the table was not found");
    let wrong: Vec<String> = rows
        .iter()
        .map(|(text, expected)| (text, expected, shown(&read(&post(text)))))
        .filter(|(_, expected, got)| *expected != got)
        .map(|(text, expected, got)| format!("{text}expected {expected}\n     got {got}\n"))
        .collect();
    assert!(wrong.is_empty(), "{} of {} posts:\n\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

#[test]
fn a_reading_survives_the_wire() {
    for (text, _) in rows() {
        let reading = read(&post(&text));
        let wire = serde_json::to_string(&reading).unwrap();
        assert_eq!(serde_json::from_str::<Reading>(&wire).unwrap(), reading, "{text}");
    }
}
