//! What must hold for every text: the reader is total, deterministic, and never accepts a signal that was tampered with.

use crate::posts::post;
use proptest::prelude::*;

use shared::post::{Embed, Post};
use shared::reading::{ChannelProfile, Reading};
use shared::signal::{Entry, Side, Signal, Stop, TargetLevel};

fn read(post: &Post) -> Reading {
    shared::reading::read(post, &ChannelProfile::default())
}

fn signals(content: &str) -> Vec<Signal> {
    read(&post(content)).verdict.signals().to_vec()
}

/// A sound plan in ticks of 0.0001, so that all prices have a plain form.
#[derive(Debug, Clone)]
struct Plan {
    side: Side,
    stop: i64,
    entry: i64,
    targets: Vec<i64>,
}

fn shown(ticks: i64) -> String {
    format!("{}.{:04}", ticks / 10_000, ticks % 10_000)
}

fn plans() -> impl Strategy<Value = Plan> {
    (any::<bool>(), 2_000_i64..90_000, 10_i64..200, prop::collection::vec(10_i64..60, 1..5)).prop_map(
        |(long, entry, risk, steps)| {
            // Per mille of the entry, so that distances stay plausible at every price.
            let part = |mille: i64| (entry * mille / 1000).max(1) * if long { 1 } else { -1 };
            let mut at = entry;
            let targets = steps.iter().map(|step| {
                at += part(*step);
                at
            });
            let targets = targets.collect();
            let side = if long { Side::Long } else { Side::Short };
            Plan { side, stop: entry - part(risk), entry, targets }
        },
    )
}

/// The plan in one of several layouts.
fn written(plan: &Plan, layout: usize) -> String {
    let targets: Vec<String> = plan.targets.iter().map(|target| shown(*target)).collect();
    let (side, entry, stop) = (plan.side, shown(plan.entry), shown(plan.stop));
    let lines = |prefix: &str| {
        let line = |(nth, target): (usize, &String)| format!("{prefix}{}: {target}\n", nth + 1);
        targets.iter().enumerate().map(line).collect::<String>()
    };
    match layout % 5 {
        0 => format!("KSMUSDT {side} @ {entry}, sl {stop}, tp {}", targets.join(" / ")),
        1 => format!("Pair: KSM/USDT\nSide: {side}\nEntry: {entry}\n{}SL: {stop}", lines("TP")),
        2 => format!("#KSM/USDT {side}\nEntry {entry}\nTargets: {}\nStop Loss: {stop}", targets.join(" - ")),
        3 => format!("STOP {stop}\nTARGETS {}\nENTRY {entry}\n**$KSM {side}**", targets.join(", ")),
        _ => format!("💎 #KSMUSDT\n{side} 📈\nENTRY:\n- {entry}\n{}Stop loss\n- {stop}", lines("- TP #")),
    }
}

/// Words and marks that posts are made of, in any order.
fn soups() -> impl Strategy<Value = String> {
    let words: Vec<&str> = SOUP.split(';').collect();
    prop::collection::vec(prop::sample::select(words), 0..60).prop_map(|words| words.join(" "))
}

const SOUP: &str = "long;short;buy;sell;BTC;$SOL;#ETH/USDT;KSMUSDT;entry;tp;TP1;target 2;sl;stop;be;to;move;close;\
    hit;✅;❌;🚀;→;1);1.5;64k;64,250;0,52;10x;50%;25-30%;:;-;/;(;);|;\n;> ;~~;||;cmp;market;above;if;\
    don't;?;all;half;1/3;①;0.0₆418;12:30;2025-01-02;leverage;cross;止损;目标;стоп;TP30.55;\
    99999999999999999999999999;1e-400;0;@;h4;daily;new;cancel;filled;dca";

/// What the wire makes of a reading: the same, or the reading was unsound.
fn off_the_wire(reading: &Reading) -> Option<Reading> {
    serde_json::to_string(reading).ok().and_then(|text| serde_json::from_str(&text).ok())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn invariant_5_no_text_makes_the_reader_panic(text in any::<String>(), title in any::<String>(), reply in any::<bool>()) {
        let embed = Embed { title: Some(title), description: Some(text.clone()), ..Embed::default() };
        let post = Post { embeds: vec![embed], reply_to: reply.then(|| "1".into()), ..post(&text) };
        let reading = read(&post);
        prop_assert_eq!(off_the_wire(&reading), Some(reading));
    }

    #[test]
    fn invariant_5_no_mixture_of_trading_words_makes_an_unsound_signal(text in soups(), reply in any::<bool>()) {
        let post = Post { reply_to: reply.then(|| "1".into()), ..post(&text) };
        let reading = read(&post);
        prop_assert_eq!(off_the_wire(&reading), Some(reading.clone()));
        prop_assert_eq!(read(&post), reading, "the same post gave another reading");
    }

    #[test]
    fn a_sound_plan_is_read_exactly_in_every_layout(plan in plans(), layout in 0_usize..5) {
        let text = written(&plan, layout);
        let found = signals(&text);
        prop_assert_eq!(found.len(), 1, "{}\n{:?}", text, read(&post(&text)));
        let fields = found[0].fields();
        prop_assert_eq!(fields.instrument.base.as_str(), "KSM");
        prop_assert_eq!(fields.side, plan.side);
        prop_assert_eq!(&fields.entry, &Entry::Limit { price: shown(plan.entry).parse().unwrap() });
        prop_assert_eq!(&fields.stop, &Some(Stop::Price { price: shown(plan.stop).parse().unwrap() }));
        let targets: Vec<String> = fields.targets.iter().map(|target| match &target.at {
            TargetLevel::Price(price) => price.to_string(),
            other => format!("{other:?}"),
        }).collect();
        let expected: Vec<String> = plan.targets.iter()
            .map(|target| shown(*target).parse::<shared::money::Price>().unwrap().to_string()).collect();
        prop_assert_eq!(targets, expected);
    }

    #[test]
    fn invisible_characters_never_change_a_reading(
        plan in plans(),
        layout in 0_usize..5,
        places in prop::collection::vec((0_usize..400, prop::sample::select(vec!['\u{200b}', '\u{feff}', '\u{200d}', '\u{2060}', '\u{ad}', '\u{200f}'])), 1..20),
    ) {
        let plain = written(&plan, layout);
        let mut characters: Vec<char> = plain.chars().collect();
        for (place, invisible) in places {
            characters.insert(place % (characters.len() + 1), invisible);
        }
        let hidden: String = characters.into_iter().collect();
        prop_assert_eq!(read(&post(&hidden)).verdict, read(&post(&plain)).verdict);
    }

    #[test]
    fn a_stop_and_a_target_that_changed_places_are_never_accepted(plan in plans(), layout in 0_usize..5, which in 0_usize..4) {
        let mut swapped = plan.clone();
        let which = which % plan.targets.len();
        swapped.stop = plan.targets[which];
        swapped.targets[which] = plan.stop;
        let text = written(&swapped, layout);
        prop_assert!(signals(&text).is_empty(), "{}", text);
    }

    #[test]
    fn targets_without_a_label_are_never_taken_for_entries(
        plan in plans(),
        head in prop::sample::select(vec!["KSM {} entry ", "KSM {} ", "#KSM | {} |\nEntry = ", "KSM/USDT {}\nEntry:\n", "Side: {}\nPair: KSM\nEntry: ", "KSM {} now "]),
        joint in prop::sample::select(vec!["\n", "\n\n", " / ", ", ", " ", " | ", " → ", "\n- ", "\n2) "]),
        mark in prop::sample::select(vec!["", " | 50% of profit |", " (50%)", " - 50%", " 🎯", " then"]),
        tail in prop::sample::select(vec!["\nSL {}", " sl {}", "\nStop:\n{}", ", stop {}, rest runs"]),
    ) {
        let targets: Vec<String> = plan.targets.iter().map(|target| shown(*target) + mark).collect();
        let levels = [shown(plan.entry), targets.join(joint)].join(joint);
        let text = head.replace("{}", &plan.side.to_string()) + &levels + &tail.replace("{}", &shown(plan.stop));
        for signal in signals(&text) {
            let entries = signal.fields().entry.prices();
            let expected = shown(plan.entry).parse().unwrap();
            prop_assert!(entries.iter().all(|price| *price == expected), "{}\n{:?}", text, entries);
        }
    }

    #[test]
    fn a_slipped_decimal_point_is_never_accepted(plan in plans(), layout in 0_usize..5, which in 0_usize..6, up in any::<bool>()) {
        let slip = |ticks: i64| if up { ticks * 10 } else { ticks / 10 };
        let mut slipped = plan.clone();
        match which {
            0 => slipped.entry = slip(plan.entry),
            1 => slipped.stop = slip(plan.stop),
            other => {
                let at = other % plan.targets.len();
                slipped.targets[at] = slip(plan.targets[at]);
            }
        }
        let text = written(&slipped, layout);
        prop_assert!(signals(&text).is_empty(), "{}\n{:?}", text, signals(&text));
    }

    #[test]
    fn a_question_or_a_negation_is_never_a_signal(plan in plans(), layout in 0_usize..5) {
        let text = written(&plan, layout);
        let asked = text.clone() + "\nwhat do you think?";
        prop_assert!(signals(&asked).is_empty());
        let negated = text.replace(&plan.side.to_string(), &format!("don't {}", plan.side));
        prop_assert!(signals(&negated).is_empty(), "{}", negated);
    }

    #[test]
    fn two_readings_of_the_thousands_are_never_guessed(plan in plans()) {
        // The same ticks with a comma before the last three digits: thousands to some, decimals to others.
        let comma = |ticks: i64| format!("{},{:03}", ticks / 1000, ticks % 1000);
        prop_assume!(plan.entry >= 2_000 && plan.stop >= 1_000 && plan.targets.iter().all(|t| *t >= 1_000));
        prop_assume!(plan.targets.iter().chain([&plan.entry, &plan.stop]).all(|t| *t < 1_000_000));
        let targets: Vec<String> = plan.targets.iter().map(|target| comma(*target)).collect();
        let text = format!("KSM {}\nEntry: {}\nStop: {}\nTargets: {}", plan.side, comma(plan.entry), comma(plan.stop), targets.join(" / "));
        prop_assert!(signals(&text).is_empty(), "{}", text);
    }
}
