//! What a channel's profile changes in the readings of its posts: only what they leave open.

use shared::reading::{ChannelProfile, ProfileDraft, Verdict};
use shared::signal::{Market, Signal};

use crate::posts;

fn read(text: &str, draft: ProfileDraft) -> Option<Signal> {
    let profile = ChannelProfile::new(draft).ok()?;
    match shared::reading::read(&posts::post(text), &profile).verdict {
        Verdict::Signals { mut signals, .. } if signals.len() == 1 => signals.pop(),
        _ => None,
    }
}

fn entry(signal: &Signal) -> String {
    signal.fields().entry.prices().iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn quoted(quote: &str) -> ProfileDraft {
    ProfileDraft { quote: quote.parse().ok(), ..ProfileDraft::default() }
}

#[test]
fn the_quote_is_filled_in_only_where_the_post_names_none() {
    let quote = |text: &str, profile| {
        read(text, profile)?.fields().instrument.quote.as_ref().map(ToString::to_string)
    };
    let bare = "short KSM 31.4 sl 32.6 tp 29.8";
    assert_eq!(quote(bare, ProfileDraft::default()), None);
    assert_eq!(quote(bare, quoted("USDC")).as_deref(), Some("USDC"));
    assert_eq!(quote("short KSM/USDT 31.4 sl 32.6 tp 29.8", quoted("USDC")).as_deref(), Some("USDT"));
    assert_eq!(quote("KSM long 410 sats sl 390 tp 450", quoted("USDT")).as_deref(), Some("BTC"));
}

#[test]
fn a_default_quote_is_part_of_what_is_checked() {
    assert!(read("short KSM 31.4 sl 32.6 tp 29.8", quoted("BTC")).is_none(), "31 bitcoin for a KSM");
}

#[test]
fn the_market_is_filled_in_only_where_the_post_names_none() {
    let futures = || ProfileDraft { market: Some(Market::Perp), ..ProfileDraft::default() };
    let market = |text: &str| read(text, futures()).and_then(|signal| signal.fields().instrument.market);
    assert_eq!(market("short KSM 31.4 sl 32.6 tp 29.8"), Some(Market::Perp));
    assert_eq!(market("spot buy KSM 31.4 sl 29.8 tp 33.6"), Some(Market::Spot));
    assert_eq!(market("BTO SOL 140P 5DEC @ 6.20 stop 4.10 target 9.5"), Some(Market::Option));
    let options = ProfileDraft { market: Some(Market::Option), ..ProfileDraft::default() };
    let read = read("short KSM 31.4 sl 32.6 tp 29.8", options);
    assert_eq!(read.and_then(|signal| signal.fields().instrument.market), None, "a habit makes no option");
}

#[test]
fn bare_thousands_are_expanded_only_where_nothing_else_is_sound() {
    let thousands = || ProfileDraft { thousands: true, ..ProfileDraft::default() };
    let shorthand = "BTC long 64.2 sl 62.9 tp 66.5";
    assert!(read(shorthand, ProfileDraft::default()).is_none());
    let signal = read(shorthand, thousands()).unwrap();
    assert_eq!(entry(&signal), "64200");
    assert_eq!(
        signal.fields().stop.as_ref().and_then(|stop| stop.price()).map(|p| p.to_string()).as_deref(),
        Some("62900")
    );
    let plain = read("SOL long 146.8 sl 142.5 tp 151", thousands()).unwrap();
    assert_eq!(entry(&plain), "146.8");
}

#[test]
fn a_k_that_is_written_once_holds_for_the_whole_post() {
    let signal = read("BTC long 64.2k sl 62.9 tp 66.5", ProfileDraft::default()).unwrap();
    assert_eq!(entry(&signal), "64200");
    let target = signal.fields().targets.first().map(|target| target.at.clone());
    assert_eq!(target, "66500".parse().ok().map(shared::signal::TargetLevel::Price));
}
