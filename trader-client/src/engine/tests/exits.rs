//! Getting out: the stop, the ladder of targets, and what happens when the exchange says no.

use exchange::OrderStatus;
use shared::signal::{Side, SignalDraft, Stop, Target, TargetLevel};

use super::super::*;
use super::bench::{Bench, draft, price, quantity, target, words};

/// A bench with the standard trade filled completely at 100.
fn filled() -> Bench {
    let mut bench = Bench::new();
    bench.signal(7, draft());
    bench.fill(Role::Entry(0), "3", "100");
    bench
}

#[test]
fn a_fill_is_protected_in_the_same_step_and_gets_its_targets() {
    let mut bench = Bench::new();
    bench.signal(7, draft());
    let commands = bench.fill(Role::Entry(0), "3", "100");
    assert_eq!(words(&commands), ["stop 3 @ 95", "limit 1 @ 105", "limit 1 @ 110", "limit 1 @ 120"]);
}

#[test]
fn the_stop_follows_every_partial_fill_and_the_new_one_stands_before_the_old_is_cancelled() {
    let mut bench = Bench::new();
    bench.signal(7, draft());
    bench.fill(Role::Entry(0), "1", "100");
    assert_eq!(bench.working(Role::Stop), "1 @ 95");
    let id = bench.active(Role::Entry(0)).unwrap().order.id;
    let input = bench.fill_input(id, "2", "100");
    let commands = bench.take(input);
    assert_eq!(words(&commands)[0], "stop 3 @ 95");
    let stops =
        |bench: &Bench| bench.orders().filter(|order| order.role == Role::Stop && order.is_active()).count();
    assert_eq!(stops(&bench), 2, "both stand until the new one is accepted");
    let accepted = Input::Placed { id: commands[0].order_id(), answer: Answer::Accepted };
    assert!(words(&bench.settle(accepted)).contains(&"cancel".to_owned()));
    assert_eq!(stops(&bench), 1);
    assert_eq!(bench.working(Role::Stop), "3 @ 95");
}

#[test]
fn a_reached_target_shrinks_the_stop_and_leaves_the_other_targets_alone() {
    let mut bench = filled();
    let commands = bench.fill(Role::Target(0), "1", "105");
    assert_eq!(words(&commands), ["stop 2 @ 95", "cancel"]);
    assert_eq!(bench.working(Role::Stop), "2 @ 95");
    assert_eq!(bench.working(Role::Target(1)), "1 @ 110");
    assert_eq!(bench.trade().realised().to_string(), "5");
}

#[test]
fn a_partly_filled_target_keeps_working_for_the_rest() {
    let mut bench = filled();
    bench.fill(Role::Target(0), "0.4", "105");
    assert_eq!(bench.working(Role::Target(0)), "0.6 @ 105");
    assert_eq!(bench.working(Role::Stop), "2.6 @ 95");
}

#[test]
fn a_reached_target_ends_the_entries_that_still_wait() {
    let mut bench = Bench::new();
    bench.signal(7, draft());
    bench.fill(Role::Entry(0), "1.5", "100");
    bench.fill(Role::Target(0), "0.5", "105");
    assert_eq!(bench.working(Role::Entry(0)), "none");
}

#[test]
fn the_stop_closes_the_trade_and_takes_the_targets_with_it() {
    let mut bench = filled();
    let commands = bench.fill(Role::Stop, "3", "95");
    assert_eq!(words(&commands), ["cancel", "cancel", "cancel"]);
    assert_eq!(bench.engine.live_trades().count(), 0);
    assert_eq!(bench.trade().realised().to_string(), "-15");
    assert_eq!(bench.engine.realised_on(bench.now.date()).to_string(), "-15");
    assert_eq!(bench.engine.balance().to_string(), "1485");
}

#[test]
fn the_last_target_closes_the_trade_and_takes_the_stop_with_it() {
    let mut bench = filled();
    bench.fill(Role::Target(0), "1", "105");
    bench.fill(Role::Target(1), "1", "110");
    bench.fill(Role::Target(2), "1", "120");
    assert_eq!(bench.working(Role::Stop), "none");
    assert_eq!(bench.engine.live_trades().count(), 0);
    assert_eq!(bench.last_note(), (Topic::Handled, "position closed, result +35.00 after fees"));
}

#[test]
fn a_runner_keeps_its_share_until_the_stop() {
    let runner = Target { at: TargetLevel::Runner, share: "20".parse().ok() };
    let mut bench = Bench::new();
    bench.signal(7, SignalDraft { targets: vec![target("105", "80"), runner], ..draft() });
    bench.fill(Role::Entry(0), "3", "100");
    assert_eq!(bench.working(Role::Target(0)), "2.4 @ 105");
    bench.fill(Role::Target(0), "2.4", "105");
    assert_eq!(bench.working(Role::Stop), "0.6 @ 95");
    assert_eq!(bench.working(Role::Target(1)), "none");
}

#[test]
fn percent_targets_are_counted_from_the_average_entry() {
    let percent = Target { at: TargetLevel::Percent("10".parse().unwrap()), share: None };
    let mut bench = Bench::new();
    bench.signal(7, SignalDraft { targets: vec![percent], ..draft() });
    bench.fill(Role::Entry(0), "3", "99");
    assert_eq!(bench.working(Role::Target(0)), "3 @ 108.9");
}

#[test]
fn a_short_is_the_mirror_of_a_long() {
    let mut bench = Bench::new();
    bench.market = price("99");
    let short = SignalDraft {
        side: Side::Short,
        stop: Some(Stop::Price { price: price("105") }),
        targets: vec![target("95", ""), target("90", "")],
        ..draft()
    };
    bench.signal(7, short);
    let commands = bench.fill(Role::Entry(0), "3", "100");
    assert_eq!(words(&commands), ["stop 3 @ 105", "limit 1.5 @ 95", "limit 1.5 @ 90"]);
    bench.fill(Role::Target(0), "1.5", "95");
    assert_eq!(bench.trade().realised().to_string(), "7.5");
}

#[test]
fn the_stop_moves_to_break_even_after_the_target_of_the_setting() {
    let mut settings = Settings::default();
    settings.rules.policy.channels = vec!["*".into()];
    settings.engine.breakeven_after_target = Some(2);
    let mut bench = Bench::with(settings);
    bench.signal(7, draft());
    bench.fill(Role::Entry(0), "3", "100");
    bench.fill(Role::Target(0), "1", "105");
    assert_eq!(bench.working(Role::Stop), "2 @ 95");
    bench.fill(Role::Target(1), "1", "110");
    assert_eq!(bench.working(Role::Stop), "1 @ 100");
}

#[test]
fn a_refused_stop_means_that_the_position_is_closed() {
    let mut bench = Bench::new();
    bench.signal(7, draft());
    let id = bench.active(Role::Entry(0)).unwrap().order.id;
    let input = bench.fill_input(id, "3", "100");
    let sent = bench.take(input);
    let refused = Answer::Refused { reason: "would trigger at once".into() };
    let commands = bench.settle(Input::Placed { id: sent[0].order_id(), answer: refused });
    assert_eq!(words(&commands), ["market 3"]);
    for target in &sent[1..] {
        bench.settle(Input::Placed { id: target.order_id(), answer: Answer::Accepted });
    }
    bench.fill(Role::Close, "3", "94");
    assert_eq!(bench.engine.live_trades().count(), 0);
}

#[test]
fn a_refused_new_stop_leaves_the_old_one_in_place() {
    let mut bench = filled();
    let commands = {
        let to = shared::update::StopMove::Price { price: price("98") };
        let input = update_input(&mut bench, to);
        bench.take(input)
    };
    assert_eq!(words(&commands), ["stop 3 @ 98"]);
    let refused = Answer::Refused { reason: "would trigger at once".into() };
    assert!(bench.settle(Input::Placed { id: commands[0].order_id(), answer: refused }).is_empty());
    assert_eq!(bench.working(Role::Stop), "3 @ 95");
}

fn update_input(bench: &mut Bench, to: shared::update::StopMove) -> Input {
    bench.update(7, vec![shared::update::Action::EntryFilled { entries: vec![], price: None }]);
    let (_, mut input) = bench.inputs.last().unwrap().clone();
    if let Input::Event { record, .. } = &mut input
        && let shared::wire::Event::SignalUpdated { update } = &mut record.event
    {
        record.seq += 100;
        update.update.actions = vec![shared::update::Action::MoveStop { to }];
    }
    input
}

#[test]
fn an_entry_filled_beyond_its_stop_is_closed_at_once() {
    let mut bench = Bench::new();
    bench.signal(7, draft());
    let commands = bench.fill(Role::Entry(0), "3", "94");
    assert_eq!(words(&commands), ["market 3"]);
}

/// Answers commands: closing orders are refused, and stops, too, if asked; gives how many of each were sent.
fn refuse(bench: &mut Bench, mut commands: Vec<Command>, stops_too: bool) -> (usize, usize) {
    let (mut closes, mut stops) = (0, 0);
    while let Some(command) = commands.pop() {
        let word = &words(std::slice::from_ref(&command))[0];
        let (is_close, is_stop) = (word.starts_with("market"), word.starts_with("stop"));
        closes += usize::from(is_close);
        stops += usize::from(is_stop);
        let refused = Answer::Refused { reason: "busy".into() };
        let answer = if is_close || (is_stop && stops_too) { refused } else { Answer::Accepted };
        let input = match &command {
            Command::Place { .. } => Input::Placed { id: command.order_id(), answer },
            Command::Cancel { id } => bench.cancelled(*id),
        };
        commands.extend(bench.take(input));
    }
    (closes, stops)
}

#[test]
fn while_closing_is_refused_a_stop_stands_and_closing_is_tried_again_with_pauses() {
    let mut bench = Bench::new();
    bench.signal(7, draft());
    let id = bench.active(Role::Entry(0)).unwrap().order.id;
    let input = bench.fill_input(id, "3", "94");
    let commands = bench.take(input);
    assert_eq!(refuse(&mut bench, commands, false), (1, 1), "no storm of orders");
    assert_eq!(bench.working(Role::Stop), "3 @ 95");
    let mut closes = 0;
    for _ in 0..120 {
        bench.now += time::Duration::seconds(1);
        let commands = bench.take(Input::Tick);
        closes += refuse(&mut bench, commands, false).0;
        assert_eq!(bench.working(Role::Stop), "3 @ 95");
    }
    assert_eq!(closes, 6, "after 1, 2, 4, 8, 16 and 32 seconds, then every minute");
    let alarms = bench.engine.notes().iter().filter(|note| note.topic == Topic::Alarm).count();
    assert_eq!(alarms, 1, "said once: {:?}", bench.engine.notes());
    bench.tick(time::Duration::minutes(1));
    bench.fill(Role::Close, "3", "93");
    assert_eq!(bench.engine.live_trades().count(), 0);
}

#[test]
fn when_stop_and_close_are_both_refused_both_are_tried_again() {
    let mut bench = Bench::new();
    bench.signal(7, draft());
    let id = bench.active(Role::Entry(0)).unwrap().order.id;
    let input = bench.fill_input(id, "3", "100");
    let commands = bench.take(input);
    let sent = refuse(&mut bench, commands, true);
    assert!(sent.0 == 1 && sent.1 <= 2, "{sent:?}");
    bench.now += time::Duration::seconds(10);
    let commands = bench.take(Input::Tick);
    assert_eq!(words(&commands), ["stop 3 @ 95", "market 3"]);
    refuse(&mut bench, commands, false);
    assert_eq!(bench.working(Role::Stop), "3 @ 95");
}

#[test]
fn a_refused_smaller_stop_leaves_the_larger_one_of_the_same_price() {
    let mut bench = filled();
    let id = bench.active(Role::Target(0)).unwrap().order.id;
    let input = bench.fill_input(id, "1", "105");
    let commands = bench.take(input);
    refuse(&mut bench, commands, true);
    assert_eq!(bench.trade().closing, None);
    assert_eq!(bench.working(Role::Stop), "3 @ 95");
}

#[test]
fn a_fill_that_is_reported_but_has_not_come_holds_the_targets_back() {
    let mut bench = filled();
    let id = bench.active(Role::Target(0)).unwrap().order.id;
    let reported = Input::Cancelled { id, status: OrderStatus::Cancelled, filled: quantity("0.5") };
    assert!(bench.settle(reported).is_empty(), "the position is about to change");
    let input = bench.fill_input(id, "0.5", "105");
    let commands = bench.settle(input);
    assert_eq!(bench.working(Role::Stop), "2.5 @ 95", "{:?}", words(&commands));
    assert_eq!(bench.working(Role::Target(0)), "0.5 @ 105");
}

#[test]
fn a_late_fill_of_a_cancelled_entry_is_protected_too() {
    let mut bench = Bench::new();
    bench.signal(7, draft());
    let id = bench.active(Role::Entry(0)).unwrap().order.id;
    bench.tick(time::Duration::hours(25));
    assert_eq!(bench.engine.live_trades().count(), 0);
    let input = bench.fill_input(id, "3", "100");
    assert_eq!(words(&bench.settle(input))[0], "stop 3 @ 95");
    assert_eq!(bench.engine.live_trades().count(), 1);
}

#[test]
fn a_fill_that_came_already_and_one_that_is_not_ours_change_no_position() {
    let mut bench = filled();
    let (_, again) = bench.inputs.iter().find(|(_, i)| matches!(i, Input::Filled { .. })).unwrap().clone();
    let before = bench.engine.clone();
    assert!(bench.take(again.clone()).is_empty());
    assert_eq!(bench.engine, before);
    let Input::Filled { mut fills } = again else { panic!() };
    let mut fill = fills.remove(0);
    fill.id = exchange::FillId(99);
    fill.order = exchange::ClientOrderId::derive("someone", uuid::Uuid::nil(), "entry-0", 0);
    assert!(bench.take(Input::Filled { fills: vec![fill] }).is_empty());
    assert_eq!(bench.last_note().0, Topic::Alarm);
    assert_eq!(bench.trade().open(), quantity("3"));
}

#[test]
fn fills_that_come_together_are_weighed_together() {
    let mut bench = filled();
    let targets = [Role::Target(0), Role::Target(1), Role::Target(2)];
    let ids = targets.map(|role| bench.active(role).unwrap().order.id);
    let mut fills = Vec::new();
    for (id, at) in ids.into_iter().zip(["105", "110", "120"]) {
        let Input::Filled { fills: one } = bench.fill_input(id, "1", at) else { panic!() };
        fills.extend(one);
    }
    let commands = bench.settle(Input::Filled { fills });
    assert_eq!(
        words(&commands),
        ["cancel"],
        "the old stop goes, and no new one is sent for a closed position"
    );
    assert_eq!(bench.engine.live_trades().count(), 0);
}
