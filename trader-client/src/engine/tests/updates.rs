//! What follow-ups change, and what they do not.

use shared::update::{Action, StopMove};

use super::super::*;
use super::bench::{Bench, draft, price, record, words};

fn filled() -> Bench {
    let mut bench = Bench::new();
    bench.signal(7, draft());
    bench.fill(Role::Entry(0), "3", "100");
    bench
}

fn move_stop(to: StopMove) -> Vec<Action> {
    vec![Action::MoveStop { to }]
}

#[test]
fn the_stop_moves_where_the_channel_asks_if_that_lowers_the_risk() {
    let mut bench = filled();
    bench.market = price("106");
    bench.update(7, move_stop(StopMove::BreakEven));
    assert_eq!(bench.working(Role::Stop), "3 @ 100");
    bench.update(7, move_stop(StopMove::Price { price: price("101.17") }));
    assert_eq!(bench.working(Role::Stop), "3 @ 101.1");
    bench.update(7, move_stop(StopMove::Target { target: 1 }));
    assert_eq!(bench.working(Role::Stop), "3 @ 105");
}

#[test]
fn a_move_that_raises_the_risk_or_would_fire_at_once_is_not_acted_on() {
    let mut bench = filled();
    for (to, words) in [
        (StopMove::Price { price: price("94") }, "moving the stop from 95 to 94 would raise the risk"),
        (StopMove::Price { price: price("95") }, "the stop is at 95 already"),
        (StopMove::Target { target: 1 }, "stop move: the price 101 is already beyond 105"),
        (StopMove::Target { target: 9 }, "stop move: that target has no price"),
        (StopMove::Target { target: 0 }, "stop move: that target has no price"),
    ] {
        assert!(bench.update(7, move_stop(to)).is_empty());
        assert_eq!(bench.last_note(), (Topic::NotActedOn, words));
    }
    assert_eq!(bench.working(Role::Stop), "3 @ 95");
}

#[test]
fn break_even_before_any_fill_is_not_acted_on() {
    let mut bench = Bench::new();
    bench.signal(7, draft());
    assert!(bench.update(7, move_stop(StopMove::BreakEven)).is_empty());
    assert_eq!(bench.last_note().0, Topic::NotActedOn);
}

#[test]
fn close_ends_the_entries_and_the_position() {
    let mut bench = Bench::new();
    bench.signal(7, draft());
    bench.fill(Role::Entry(0), "1", "100");
    let commands = bench.update(7, vec![Action::Close]);
    assert!(words(&commands).contains(&"market 1".to_owned()));
    assert_eq!(bench.working(Role::Entry(0)), "none");
    assert_eq!(bench.working(Role::Stop), "1 @ 95", "the stop stands until the position is flat");
    bench.fill(Role::Close, "1", "103");
    assert_eq!(bench.engine.live_trades().count(), 0);
}

#[test]
fn close_before_any_fill_cancels_the_entry_and_closes_what_slips_through() {
    let mut bench = Bench::new();
    bench.signal(7, draft());
    let id = bench.active(Role::Entry(0)).unwrap().order.id;
    assert_eq!(words(&bench.update(7, vec![Action::Close])), ["cancel"]);
    let late = bench.fill_input(id, "1", "100");
    assert_eq!(words(&bench.settle(late)), ["market 1"]);
}

#[test]
fn a_part_close_needs_a_share_and_spreads_the_rest_over_the_targets() {
    let mut bench = filled();
    assert!(bench.update(7, vec![Action::PartClose { share: None }]).is_empty());
    assert_eq!(bench.last_note().0, Topic::NotActedOn);
    let half = vec![Action::PartClose { share: "50".parse().ok() }];
    assert_eq!(words(&bench.update(7, half)), ["market 1.5"]);
    bench.fill(Role::Close, "1.5", "102");
    assert_eq!(bench.working(Role::Stop), "1.5 @ 95");
    assert_eq!(bench.working(Role::Target(0)), "0.5 @ 105");
    assert_eq!(bench.working(Role::Target(2)), "0.5 @ 120");
    let tiny = vec![Action::PartClose { share: "1".parse().ok() }];
    assert!(bench.update(7, tiny).is_empty());
    assert_eq!(bench.last_note(), (Topic::NotActedOn, "1 % of 1.5 is too small for the exchange"));
    let all = vec![Action::PartClose { share: "100".parse().ok() }];
    assert!(words(&bench.update(7, all)).contains(&"market 1.5".to_owned()));
}

#[test]
fn part_closes_add_up_and_never_beyond_what_is_open() {
    let part = |share: &str| Action::PartClose { share: share.parse().ok() };
    let mut bench = filled();
    bench.update(7, vec![part("70"), part("10")]);
    let closing = |bench: &Bench| -> rust_decimal::Decimal {
        bench.orders().filter(|order| order.role == Role::Close).map(|order| order.remaining().get()).sum()
    };
    assert_eq!(closing(&bench).to_string(), "2.4", "of 3, and both in one update");
    bench.update(7, vec![part("50")]);
    assert_eq!(closing(&bench).to_string(), "3.0", "while the first ones are not filled yet");
}

#[test]
fn cancel_ends_the_entries_and_keeps_the_position() {
    let mut bench = Bench::new();
    bench.signal(7, draft());
    bench.fill(Role::Entry(0), "1", "100");
    assert_eq!(words(&bench.update(7, vec![Action::Cancel])), ["cancel"]);
    assert_eq!(bench.working(Role::Stop), "1 @ 95");
    assert!(bench.update(7, vec![Action::Cancel]).is_empty());
    assert_eq!(bench.last_note().0, Topic::NotActedOn);
}

#[test]
fn claims_and_new_targets_are_noted_and_change_nothing() {
    let mut bench = filled();
    for action in [
        Action::TargetHit { targets: vec![1, 2] },
        Action::TargetHit { targets: vec![] },
        Action::StoppedOut,
        Action::EntryFilled { entries: vec![1], price: None },
        Action::SetTargets { prices: vec![price("130")] },
    ] {
        assert!(bench.update(7, vec![action]).is_empty());
        assert_eq!(bench.last_note().0, Topic::NotActedOn);
    }
    assert_eq!(bench.working(Role::Target(0)), "1 @ 105");
}

#[test]
fn what_was_found_by_reading_again_opens_nothing_and_moves_nothing() {
    let mut bench = filled();
    let mut found = record(8, draft(), bench.now);
    found.reread = true;
    let input = bench.event(Event::SignalPosted { signal: Box::new(found.clone()) });
    assert!(bench.settle(input).is_empty());
    assert!(bench.last_note().1.contains("reading its post again"), "{:?}", bench.last_note());
    // The same signal under another event is still the one that was refused.
    found.reread = false;
    let input = bench.event(Event::SignalPosted { signal: Box::new(found) });
    assert!(bench.settle(input).is_empty());
    for action in [Action::Close, Action::PartClose { share: "50".parse().ok() }, Action::Cancel] {
        assert!(bench.late_update(7, vec![action]).is_empty());
        assert_eq!(bench.last_note().0, Topic::NotActedOn);
    }
    assert!(bench.late_update(7, move_stop(StopMove::BreakEven)).is_empty());
    assert_eq!(bench.working(Role::Stop), "3 @ 95");
    let (signal_id, occurred_at) = (Some(Uuid::from_u128(7)), bench.now);
    let reason = "read again: its post does not say this".to_owned();
    let gone = Event::UpdateWithdrawn { update_id: Uuid::from_u128(1007), signal_id, occurred_at, reason };
    let input = bench.event(gone);
    assert!(bench.settle(input).is_empty());
    assert!(bench.last_note().1.starts_with("a follow-up is withdrawn"), "{:?}", bench.last_note());
}
