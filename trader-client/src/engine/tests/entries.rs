//! Getting in: each kind of entry, refusals, expiry, and what ends a waiting entry.

use shared::signal::{Break, Entry, EntryLeg, SignalDraft};
use shared::wire::Event;
use time::Duration;
use uuid::Uuid;

use super::super::*;
use super::bench::{Bench, START, draft, price, record, words};

#[test]
fn a_limit_signal_sends_one_order_and_waits() {
    let mut bench = Bench::new();
    assert_eq!(words(&bench.signal(7, draft())), ["limit 3 @ 100"]);
    assert_eq!(bench.working(Role::Entry(0)), "3 @ 100");
    assert_eq!(bench.working(Role::Stop), "none", "nothing is filled, so there is nothing to protect");
    assert_eq!(bench.last_note(), (Topic::Planned, "3 at 100, stop 95, 3 targets"));
}

#[test]
fn market_zone_trigger_and_ladder_send_their_orders() {
    let leg = |text: &str| EntryLeg { price: price(text), share: None };
    let ladder = Entry::Ladder { legs: vec![leg("100"), leg("98")], first_market: true };
    for (entry, expected) in [
        (Entry::Market { reference: None, implied: false }, vec!["market 2.5"]),
        (Entry::Zone { low: price("99"), high: price("100") }, vec!["limit 3 @ 100"]),
        (Entry::Trigger { direction: Break::Above, price: price("102") }, vec!["stop 2.1 @ 102"]),
        (ladder, vec!["market 1", "limit 1 @ 100", "limit 1 @ 98"]),
    ] {
        let mut bench = Bench::new();
        assert_eq!(words(&bench.signal(7, SignalDraft { entry, ..draft() })), expected);
    }
}

#[test]
fn a_refused_signal_is_kept_with_its_reason_and_sends_nothing() {
    let mut bench = Bench::new();
    bench.market = price("90");
    assert!(bench.signal(7, draft()).is_empty());
    let card = bench.engine.signals()[0].clone();
    let Decision::Refused { code, reason } = card.decision else { panic!("traded") };
    assert_eq!(code, "beyond_stop");
    assert_eq!(reason, "the price 90 is already at or beyond the stop 95");
    assert_eq!(bench.last_note(), (Topic::Refused, reason.as_str()));
}

#[test]
fn a_signal_seen_again_is_not_traded_again() {
    let mut bench = Bench::new();
    bench.signal(7, draft());
    assert!(bench.signal(7, draft()).is_empty());
    let before = bench.engine.clone();
    let redelivered = bench.inputs.iter().find(|(_, input)| matches!(input, Input::Event { .. }));
    let (_, input) = redelivered.unwrap().clone();
    assert!(bench.take(input).is_empty());
    assert_eq!(bench.engine, before);
}

#[test]
fn one_signal_owns_a_pair_until_it_is_done() {
    let mut bench = Bench::new();
    bench.signal(7, draft());
    assert!(bench.signal(8, draft()).is_empty());
    assert!(bench.last_note().1.contains("another signal is in trade on BTCUSDT"));
    bench.tick(Duration::hours(24));
    assert_eq!(bench.engine.live_trades().count(), 0);
    assert_eq!(bench.signal(9, draft()).len(), 1);
}

#[test]
fn unfilled_entries_expire_by_the_setting_or_by_the_signals_own_limit() {
    for (expiry, hours) in [(None, 24), (Some("12h"), 12), (Some("3d"), 24), (Some("soon"), 24)] {
        let mut bench = Bench::new();
        bench.signal(7, SignalDraft { expiry: expiry.map(str::to_owned), ..draft() });
        assert!(bench.tick(Duration::hours(hours) - Duration::SECOND).is_empty(), "{expiry:?}");
        assert_eq!(words(&bench.tick(Duration::SECOND)), ["cancel"], "{expiry:?}");
        assert_eq!(bench.last_note(), (Topic::Handled, "unfilled entries cancelled: expired"));
        assert!(bench.tick(Duration::hours(1)).is_empty(), "asked once");
    }
}

#[test]
fn a_partly_filled_entry_expires_and_keeps_its_position_protected() {
    let mut bench = Bench::new();
    bench.signal(7, draft());
    bench.fill(Role::Entry(0), "1", "100");
    bench.tick(Duration::hours(25));
    assert_eq!(bench.working(Role::Entry(0)), "none");
    assert_eq!(bench.working(Role::Stop), "1 @ 95");
}

#[test]
fn a_withdrawn_or_disputed_signal_loses_its_entries_and_keeps_its_stop() {
    for withdrawn in [true, false] {
        let mut bench = Bench::new();
        bench.signal(7, draft());
        bench.fill(Role::Entry(0), "1", "100");
        let signal_id = Uuid::from_u128(7);
        let event = if withdrawn {
            Event::SignalWithdrawn {
                signal_id,
                occurred_at: START,
                reason: "deleted".into(),
                by_admin: false,
            }
        } else {
            Event::SignalDisputed { signal_id, occurred_at: START }
        };
        let input = bench.event(event);
        assert_eq!(words(&bench.settle(input)), ["cancel"]);
        assert_eq!(bench.working(Role::Entry(0)), "none");
        assert_eq!(bench.working(Role::Stop), "1 @ 95");
        assert_ne!(bench.engine.signals()[0].standing, crate::policy::Standing::Good);
    }
}

#[test]
fn a_revised_signal_is_shown_and_not_acted_on() {
    let mut bench = Bench::new();
    bench.signal(7, draft());
    let signal = Box::new(record(7, SignalDraft { stop: None, ..draft() }, bench.now));
    let input = bench.event(Event::SignalRevised { signal });
    assert!(bench.settle(input).is_empty());
    assert_eq!(bench.engine.signals()[0].revisions, 1);
    assert_eq!(bench.last_note().0, Topic::NotActedOn);
}

#[test]
fn a_refused_entry_ends_the_trade_and_frees_the_pair() {
    let mut bench = Bench::new();
    let signal = Box::new(record(7, draft(), bench.now));
    let input = bench.event(Event::SignalPosted { signal });
    let commands = bench.take(input);
    let refused = Answer::Refused { reason: "not today".into() };
    bench.take(Input::Placed { id: commands[0].order_id(), answer: refused });
    assert_eq!(bench.engine.live_trades().count(), 0);
    assert_eq!(bench.last_note(), (Topic::Alarm, "entry 1 was refused: not today"));
    bench.take(Input::Placed { id: commands[0].order_id(), answer: Answer::Accepted });
    assert_eq!(bench.engine.live_trades().count(), 0, "a late answer does not revive it");
}

#[test]
fn waiting_entries_count_against_positions_and_the_days_loss() {
    let mut bench = Bench::new();
    let on = |base: &str| {
        let mut draft = draft();
        draft.instrument.base = base.parse().unwrap();
        draft
    };
    assert_eq!(bench.signal(1, on("BTC")).len(), 1);
    assert_eq!(bench.signal(2, on("ETH")).len(), 1);
    assert!(bench.signal(3, on("SOL")).is_empty());
    assert!(bench.last_note().1.starts_with("today's loss could reach 45"), "{:?}", bench.last_note());
}
