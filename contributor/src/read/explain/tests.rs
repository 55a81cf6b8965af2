//! Explanations of readings that were made by hand.

use std::collections::BTreeSet;

use shared::batch::{post_of_line, post_of_text};
use shared::post::{Forwarded, Post};
use shared::reading::{Evidence, Verdict};
use shared::signal::{
    Entry, EntryLeg, Instrument, LeverageRange, MarginMode, Market, OptionRight, OptionTerms, Side, Signal,
    SignalDraft, Stop, Target, TargetLevel,
};
use shared::update::{Action, Scope, SignalUpdate, StopMove};

use super::*;

fn price(text: &str) -> shared::money::Price {
    text.parse().unwrap()
}

fn long(base: &str, at: &str) -> SignalDraft {
    let instrument = Instrument::of(base.parse().unwrap());
    SignalDraft::new(instrument, Side::Long, Entry::Limit { price: price(at) })
}

fn signals(drafts: Vec<SignalDraft>) -> Verdict {
    let signals = drafts.into_iter().map(|draft| Signal::new(draft).unwrap()).collect();
    Verdict::Signals { signals, updates: Vec::new() }
}

fn reading(verdict: Verdict, evidence: Vec<Evidence>) -> Reading {
    Reading { reader_version: 9, verdict, evidence }
}

/// Evidence for the first place in the part where the words stand.
fn seen(post: &Post, part: Part, (of, field): (u16, Field), words: &str) -> Evidence {
    let start = u32::try_from(part.text(post).unwrap().find(words).unwrap()).unwrap();
    Evidence { of, field, part, start, end: start + u32::try_from(words.len()).unwrap() }
}

fn noise() -> Verdict {
    Verdict::Noise { reason: "a question".into() }
}

#[test]
fn without_colours_stretches_are_marked_by_their_fields() {
    let post = post_of_text("long SOL\r\nin 141, out 137".into());
    let place = |field, words| seen(&post, Part::Content, (0, field), words);
    let evidence = vec![
        place(Field::Entry, "141"),
        place(Field::Side, "long"),
        place(Field::Symbol, "SOL"),
        place(Field::Stop, "137"),
    ];
    let mut draft = long("SOL", "141");
    draft.stop = Some(Stop::Price { price: price("137") });
    let text = explain(Some("a-1"), &post, &reading(signals(vec![draft]), evidence), Style::Marks);
    let expected = "== a-1\n  | [side long] [symbol SOL]\n  | in [entry 141], out [stop 137]\n\
        signal: long SOL; entry 141; no targets written; stop 137\n\n";
    assert_eq!(text, expected);
}

#[test]
fn with_colours_every_line_is_closed_and_the_colours_are_named() {
    let post = post_of_text("targets 5\n6".into());
    let evidence = vec![seen(&post, Part::Content, (0, Field::Target), "5\n6")];
    let text = explain(None, &post, &reading(noise(), evidence), Style::Colors);
    let expected = "  | targets \u{1b}[1;32m5\u{1b}[0m\n  | \u{1b}[1;32m6\u{1b}[0m\n\
        colours: \u{1b}[1;32mtarget\u{1b}[0m\nnoise: a question\n\n";
    assert_eq!(text, expected);
}

#[test]
fn a_place_belongs_to_the_innermost_stretch_and_no_letter_is_lost() {
    let post = post_of_text("BTC-26SEP25-95000-P below 4h close".into());
    let place = |field, words| seen(&post, Part::Content, (0, field), words);
    let evidence = vec![
        place(Field::Symbol, "BTC"),
        place(Field::Option, "BTC-26SEP25-95000-P"),
        place(Field::Stop, "below 4h close"),
        place(Field::Timeframe, "4h"),
        // These two share one stretch, and this one crosses the end of another.
        place(Field::Market, "BTC-26SEP25-95000-P"),
        place(Field::Reference, "-P below"),
    ];
    let text = explain(None, &post, &reading(noise(), evidence), Style::Marks);
    let line = text.lines().next().unwrap();
    let expected = "  | [symbol BTC][market+option -26SEP25-95000][reference -P] [stop below] [timeframe 4h] [stop close]";
    assert_eq!(line, expected);
}

#[test]
fn embeds_and_forwarded_copies_are_shown_part_by_part() {
    let line = r#"{"id":"1","content":"","embeds":[{"title":"T1","author":{"name":"A1"},
        "fields":[{"name":"Entry","value":"5.5"},{"name":"Stop","value":""}],"footer":{"text":"F1"}}]}"#;
    let mut post = post_of_line(line).unwrap().1;
    post.forwarded.push(Forwarded { content: "old".into(), embeds: post.embeds.clone() });
    let value = Part::Embed(0, EmbedPlace::FieldValue(0));
    let evidence = vec![seen(&post, value, (0, Field::Entry), "5.5")];
    let text = explain(None, &post, &reading(noise(), evidence), Style::Marks);
    let expected = "embeds[0].author\n  | A1\nembeds[0].title\n  | T1\nembeds[0].fields[0].name\n  | Entry\n\
        embeds[0].fields[0].value\n  | [entry 5.5]\nembeds[0].fields[1].name\n  | Stop\nembeds[0].footer\n  | F1\n\
        forwarded[0].content\n  | old\nforwarded[0].embeds[0].author\n";
    assert!(text.starts_with(expected), "{text}");
    assert_eq!(text.matches("[entry").count(), 1, "evidence is shown in its own part alone");
}

#[test]
fn marks_say_which_signal_is_meant_where_there_are_several() {
    let post = post_of_text("SOL 141 ETH 3100".into());
    let place = |of, words| seen(&post, Part::Content, (of, Field::Entry), words);
    let evidence = vec![place(0, "141"), place(1, "3100")];
    let both = signals(vec![long("SOL", "141"), long("ETH", "3100")]);
    let text = explain(None, &post, &reading(both, evidence), Style::Marks);
    assert!(text.starts_with("  | SOL [entry#1 141] ETH [entry#2 3100]\n"), "{text}");
    assert_eq!(text.matches("signal: long ").count(), 2, "{text}");
}

#[test]
fn nothing_of_a_post_can_steer_a_terminal() {
    let hostile = "\u{1b}[2J\u{9b}31m\u{202e}evil\u{2066}\r\u{7}\u{200b}\tü 👩‍🚀\u{85}";
    let post = post_of_text(hostile.into());
    let evidence = vec![seen(&post, Part::Content, (0, Field::Symbol), "evil")];
    for style in [Style::Colors, Style::Marks] {
        let verdict = Verdict::Abstained { reason: hostile.into() };
        let text = explain(Some(hostile), &post, &reading(verdict, evidence.clone()), style);
        let ours = text.replace("\u{1b}[1;36m", "").replace("\u{1b}[0m", "");
        let steering = |letter: &char| letter.is_control() && !"\n\t".contains(*letter);
        assert_eq!(ours.chars().find(steering), None, "{ours:?}");
        assert!(!ours.contains(['\u{202e}', '\u{2066}', '\u{200b}']), "{ours:?}");
        assert!(
            ours.contains("<U+001B>[2J<U+009B>31m<U+202E>") && ours.contains("\tü 👩‍🚀<U+0085>"),
            "{ours:?}"
        );
    }
}

#[test]
fn evidence_that_does_not_fit_its_post_is_left_out() {
    let post = post_of_text("é7".into());
    let at = |part, start, end| Evidence { of: 0, field: Field::Stop, part, start, end };
    let evidence = vec![
        at(Part::Content, 1, 3),
        at(Part::Content, 2, 90),
        at(Part::Content, 3, 2),
        at(Part::Content, 2, 2),
        at(Part::Forwarded(0), 0, 1),
    ];
    let text = explain(None, &post, &reading(noise(), evidence), Style::Marks);
    assert_eq!(text, "  | é7\nnoise: a question\n\n");
}

#[test]
fn a_text_that_no_place_can_be_named_for_is_counted() {
    let mut post = post_of_text("x".into());
    post.embeds = vec![shared::post::Embed::default(); 300];
    let text = explain(None, &post, &reading(noise(), Vec::new()), Style::Marks);
    assert!(text.contains("and 176 texts that no place can be named for"), "{text}");
}

#[test]
fn every_field_has_a_look_of_its_own() {
    let fields = [
        Field::Symbol,
        Field::Venue,
        Field::Market,
        Field::Option,
        Field::Side,
        Field::Entry,
        Field::Target,
        Field::Stop,
        Field::Leverage,
        Field::MarginMode,
        Field::Risk,
        Field::Size,
        Field::Timeframe,
        Field::Expiry,
        Field::Confidence,
        Field::Reference,
        Field::Scope,
        Field::Action,
    ];
    let names: BTreeSet<_> = fields.iter().map(|field| paint::look(*field).0).collect();
    let colors: BTreeSet<_> = fields.iter().map(|field| paint::look(*field).1).collect();
    assert_eq!((names.len(), colors.len()), (fields.len(), fields.len()));
}

#[test]
fn a_full_signal_is_one_line_of_words() {
    let mut draft = long("ADA", "0.61");
    let leg = |at: &str, share: &str| EntryLeg { price: price(at), share: share.parse().ok() };
    draft.entry = Entry::Ladder { legs: vec![leg("0.61", "60"), leg("0.6", "40")], first_market: true };
    draft.instrument.quote = "USDT".parse().ok();
    draft.instrument.venue = Some("okx".into());
    draft.instrument.market = Some(Market::Perp);
    let at = |at, share: &str| Target { at, share: share.parse().ok() };
    draft.targets = vec![at(TargetLevel::Price(price("0.65")), "50"), at(TargetLevel::Runner, "")];
    draft.stop = Some(Stop::OnClose { price: price("0.57"), timeframe: "4h".into() });
    draft.leverage = Some(LeverageRange { min: "3".parse().ok(), max: "5".parse().unwrap() });
    draft.margin_mode = Some(MarginMode::Cross);
    draft.risk_pct = "1-2".parse().ok();
    draft.expiry = Some("3d".into());
    let lines = words::verdict(&reading(signals(vec![draft]), Vec::new()));
    let expected = "signal: long ADA/USDT perp on okx; entries market, 0.61 (60%), 0.6 (40%); \
        targets 0.65 (50%), open; stop when a 4h candle closes beyond 0.57; leverage 3x to 5x; cross margin; \
        risk 1-2%; valid for 3d";
    assert_eq!(lines, [expected]);
    let mut put = long("BTC", "0.05");
    let expiry = "2026-12-25".into();
    put.instrument.market = Some(Market::Option);
    put.instrument.option = Some(OptionTerms { right: OptionRight::Put, strike: price("90000"), expiry });
    let lines = words::verdict(&reading(signals(vec![put]), Vec::new()));
    assert!(lines[0].starts_with("signal: long BTC put 90000 of 2026-12-25; entry 0.05; "), "{lines:?}");
}

#[test]
fn updates_are_told_one_a_line() {
    let of = |scope, actions| SignalUpdate { scope, actions };
    let updates = vec![
        of(
            Scope::Symbol { base: "ADA".parse().unwrap(), side: None },
            vec![
                Action::TargetHit { targets: vec![1, 2] },
                Action::MoveStop { to: StopMove::BreakEven },
                Action::PartClose { share: "50".parse().ok() },
            ],
        ),
        of(Scope::All { side: Some(Side::Short) }, vec![Action::Close]),
        of(
            Scope::Last,
            vec![Action::Reenter { entry: Entry::Limit { price: price("4") }, stop: Some(Stop::None) }],
        ),
    ];
    let lines = words::verdict(&reading(Verdict::Updates { updates }, Vec::new()));
    let expected = [
        "update of ADA: target 1, 2 reached; stop to the entry; close 50%",
        "update of all open shorts: close",
        "update of the author's last signal: enter again: entry 4, expressly no stop",
    ];
    assert_eq!(lines, expected);
}
