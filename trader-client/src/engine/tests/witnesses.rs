//! Signals that wait for more contributors, and signals about which contributors disagree.

use shared::wire::{Event, SignalRecord};
use time::Duration;
use uuid::Uuid;

use super::super::*;
use super::bench::*;

/// Wants three contributors.
fn careful() -> Bench {
    let mut settings = Settings::default();
    settings.rules.policy.channels = vec!["*".into()];
    settings.rules.policy.min_witnesses = "3".parse().unwrap();
    Bench::with(settings)
}

impl Bench {
    fn witnessed(&mut self, number: u128, witnesses: u32) -> Vec<Command> {
        let signal_id = Uuid::from_u128(number);
        let input = self.event(Event::SignalWitnessed { signal_id, witnesses, occurred_at: self.now });
        self.settle(input)
    }

    fn disputed(&mut self, number: u128) -> Vec<Command> {
        let signal_id = Uuid::from_u128(number);
        let input = self.event(Event::SignalDisputed { signal_id, occurred_at: self.now });
        self.settle(input)
    }

    fn code(&self) -> String {
        match &self.engine.signals()[0].decision {
            Decision::Traded => "traded".to_owned(),
            Decision::Waiting { .. } => "waiting".to_owned(),
            Decision::Refused { code, .. } => code.clone(),
        }
    }
}

#[test]
fn a_signal_waits_for_its_witnesses_and_is_traded_at_the_market_of_that_moment() {
    let mut bench = careful();
    assert!(bench.signal(7, draft()).is_empty());
    assert_eq!(bench.code(), "waiting");
    let (topic, text) = bench.last_note();
    assert_eq!(topic, Topic::Waiting);
    assert!(text.contains("seen it: 1, and you ask for 3") && text.contains("until it is 1m old"), "{text}");
    bench.tick(Duration::seconds(20));
    assert!(bench.witnessed(7, 2).is_empty());
    assert_eq!(bench.code(), "waiting");
    bench.market = price("102");
    bench.tick(Duration::seconds(20));
    assert_eq!(words(&bench.witnessed(7, 3)), ["limit 3 @ 100"]);
    assert_eq!(bench.code(), "traded");
    let card = bench.engine.signals()[0];
    assert_eq!((card.witnesses, card.decided_at), (3, START + Duration::seconds(40)));
    assert!(bench.witnessed(7, 4).is_empty(), "what is decided stays decided");
    assert_eq!(bench.engine.signals()[0].witnesses, 4);
}

#[test]
fn what_enough_have_seen_already_does_not_wait() {
    let mut bench = careful();
    let signal = Box::new(SignalRecord { witnesses: 3, ..record(7, draft(), START) });
    let input = bench.event(Event::SignalPosted { signal });
    assert_eq!(bench.settle(input).len(), 1);
    assert_eq!(bench.code(), "traded");
}

#[test]
fn a_witness_who_comes_too_late_changes_nothing_and_the_refusal_says_how_many_there_were() {
    for seconds in [60, 61] {
        let mut bench = careful();
        bench.signal(7, draft());
        bench.witnessed(7, 2);
        bench.now += Duration::seconds(seconds);
        let traded = bench.witnessed(7, 3).len();
        assert_eq!(traded, usize::from(seconds == 60));
        assert_eq!(bench.code(), if seconds == 60 { "traded" } else { "too_few_witnesses" });
    }
    let mut bench = careful();
    bench.signal(7, draft());
    bench.witnessed(7, 2);
    assert!(bench.tick(Duration::seconds(61)).is_empty());
    let (topic, text) = bench.last_note();
    assert_eq!(topic, Topic::Refused);
    assert!(text.contains("seen it: 2, and you ask for 3"), "{text}");
    let notes = bench.engine.notes().len();
    bench.tick(Duration::seconds(1));
    assert_eq!(bench.engine.notes().len(), notes, "it is said once");
}

#[test]
fn what_time_does_not_heal_is_refused_at_once_and_does_not_wait() {
    let mut bench = careful();
    bench.signal(7, shared::signal::SignalDraft { stop: None, ..draft() });
    assert_eq!(bench.code(), "no_stop");
    let mut bench = careful();
    let signal = Box::new(SignalRecord { reread: true, ..record(7, draft(), START) });
    let input = bench.event(Event::SignalPosted { signal });
    bench.settle(input);
    assert_eq!(bench.code(), "read_again");
}

#[test]
fn a_disputed_withdrawn_or_edited_signal_is_not_traded_by_its_later_witnesses() {
    let signal_id = Uuid::from_u128(7);
    let edited = SignalRecord { post_id: Uuid::from_u128(9), ..record(7, draft(), START) };
    let events = [
        ("disputed", Event::SignalDisputed { signal_id, occurred_at: START }),
        ("withdrawn", Event::SignalWithdrawn { signal_id, occurred_at: START, reason: "deleted".into() }),
        ("edited_meanwhile", Event::SignalRevised { signal: Box::new(edited) }),
    ];
    for (code, event) in events {
        let mut bench = careful();
        bench.signal(7, draft());
        let input = bench.event(event);
        bench.settle(input);
        assert_eq!(bench.code(), code);
        assert_eq!(bench.engine.notes().last().unwrap().code, Some(code));
        assert!(bench.witnessed(7, 3).is_empty());
        assert_eq!(bench.code(), code, "refused once and for all");
    }
}

#[test]
fn a_dispute_after_the_fill_leaves_the_position_protected_and_says_so() {
    let mut bench = Bench::new();
    bench.signal(7, draft());
    bench.fill(Role::Entry(0), "3", "100");
    assert!(bench.disputed(7).is_empty(), "no entry is left to cancel");
    assert_eq!(bench.working(Role::Stop), "3 @ 95");
    let (topic, text) = bench.last_note();
    assert_eq!(topic, Topic::NotActedOn);
    assert!(text.contains("contributors disagree") && text.contains("keeps its stop"), "{text}");
}

#[test]
fn a_waiting_signal_takes_no_room_from_the_others() {
    let mut bench = careful();
    bench.signal(7, draft());
    let signal = Box::new(SignalRecord { witnesses: 3, ..record(8, draft(), START) });
    let input = bench.event(Event::SignalPosted { signal });
    assert_eq!(bench.settle(input).len(), 1);
    bench.witnessed(7, 3);
    assert_eq!(bench.code(), "symbol_in_trade", "the other one was there first");
}

#[test]
fn the_same_inputs_give_the_same_engine_while_signals_wait() {
    let mut bench = careful();
    bench.signal(7, draft());
    bench.witnessed(7, 2);
    bench.tick(Duration::seconds(30));
    bench.witnessed(7, 3);
    bench.signal(8, draft());
    bench.tick(Duration::seconds(70));
    let mut again = Engine::new("paper");
    let commands: Vec<Command> =
        bench.inputs.iter().flat_map(|(now, input)| again.step(*now, input)).collect();
    assert_eq!((again, commands), (bench.engine, bench.commands));
}
