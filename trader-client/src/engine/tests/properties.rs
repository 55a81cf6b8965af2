//! What holds whatever the exchange and the channels do.

use std::collections::BTreeSet;

use exchange::OrderStatus;
use proptest::prelude::*;
use rust_decimal::Decimal;
use shared::money::Quantity;
use shared::update::{Action, StopMove};
use time::Duration;

use super::super::*;
use super::bench::{Bench, draft, price};

/// One thing that the world does.
#[derive(Debug, Clone)]
enum Act {
    Signal(u8),
    Update(u8, u8),
    Answer { accept: bool },
    Cancelled { filled_first: bool },
    Fill { which: usize, tenths: u8, at: u8 },
    Wait(u8),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        2 => (0..3u8).prop_map(Act::Signal),
        2 => (0..3u8, 0..7u8).prop_map(|(signal, action)| Act::Update(signal, action)),
        6 => prop::bool::weighted(0.9).prop_map(|accept| Act::Answer { accept }),
        3 => any::<bool>().prop_map(|filled_first| Act::Cancelled { filled_first }),
        5 => (any::<usize>(), 1..11u8, 90..125u8)
            .prop_map(|(which, tenths, at)| Act::Fill { which, tenths, at }),
        1 => (0..20u8).prop_map(Act::Wait),
    ];
    prop::collection::vec(act, 1..60)
}

/// Plays one act. Commands wait in `queue` for their answers, in any order that the acts give.
fn play(bench: &mut Bench, queue: &mut Vec<Command>, act: &Act) {
    let commands = match act {
        Act::Signal(number) => {
            let mut draft = draft();
            draft.instrument.base = ["BTC", "ETH", "SOL"][usize::from(*number)].parse().unwrap();
            let signal = Box::new(super::bench::record(u128::from(*number), draft, bench.now));
            let input = bench.event(shared::wire::Event::SignalPosted { signal });
            bench.take(input)
        }
        Act::Update(number, action) => {
            let action = match action {
                0 => Action::Close,
                1 => Action::Cancel,
                2 => Action::PartClose { share: "40".parse().ok() },
                3 => Action::MoveStop { to: StopMove::BreakEven },
                4 => Action::MoveStop { to: StopMove::Price { price: price("97") } },
                5 => Action::StoppedOut,
                _ => Action::TargetHit { targets: vec![1] },
            };
            bench.update(u128::from(*number), vec![action]);
            Vec::new()
        }
        Act::Answer { accept } => {
            let Some(at) = queue.iter().position(|command| matches!(command, Command::Place { .. })) else {
                return;
            };
            let id = queue.remove(at).order_id();
            let refused = Answer::Refused { reason: "no".into() };
            bench.take(Input::Placed { id, answer: if *accept { Answer::Accepted } else { refused } })
        }
        Act::Cancelled { filled_first } => {
            let Some(at) = queue.iter().position(|command| matches!(command, Command::Cancel { .. })) else {
                return;
            };
            let id = queue.remove(at).order_id();
            let order = bench.orders().find(|order| order.order.id == id).unwrap().clone();
            if order.is_active() && *filled_first {
                let status = OrderStatus::Filled;
                bench.take(Input::Cancelled { id, status, filled: order.order.quantity })
            } else {
                let input = bench.cancelled(id);
                bench.take(input)
            }
        }
        Act::Fill { which, tenths, at } => {
            let working: Vec<_> =
                bench.orders().filter(|order| fillable(bench, order) > Decimal::ZERO).cloned().collect();
            if working.is_empty() {
                return;
            }
            let order = &working[which % working.len()];
            let most = fillable(bench, order);
            let part = (Decimal::from(*tenths) / Decimal::TEN).min(most);
            let input = bench.fill_input(order.order.id, &part.to_string(), &at.to_string());
            bench.take(input)
        }
        Act::Wait(hours) => {
            bench.now += Duration::hours(i64::from(*hours));
            bench.take(Input::Tick)
        }
    };
    queue.extend(commands);
}

/// How much of an order the exchange could fill: an exit never more than is open.
fn fillable(bench: &Bench, order: &TradeOrder) -> Decimal {
    if order.state != State::Working {
        return Decimal::ZERO;
    }
    let trade = bench.engine.trades().into_iter().find(|trade| trade.orders.contains_key(&order.order.id));
    let open = trade.map_or(Decimal::ZERO, |trade| trade.open().get());
    let left = order.remaining().get();
    if matches!(order.role, Role::Entry(_)) { left } else { left.min(open) }
}

/// Everything filled is covered by a stop or by closing orders of at least that size; or both were refused, and are
/// tried again at a definite time.
fn check_protected(bench: &Bench) {
    for trade in bench.engine.trades() {
        let open = trade.open();
        let covers = |order: &TradeOrder| order.role == Role::Stop && order.remaining() >= open;
        let closing: Decimal = trade
            .active()
            .filter(|order| order.role == Role::Close)
            .map(|order| order.remaining().get())
            .sum();
        let is_refused = trade.stop_refusals.again_at.is_some() && trade.close_refusals.again_at.is_some();
        let is_covered = trade.active().any(covers) || closing >= open.get();
        let is_protected = open.is_zero() || is_covered || is_refused || trade.awaits_fills();
        assert!(is_protected, "{open} is open without a stop: {trade:#?}");
        assert!(trade.books.open >= Decimal::ZERO, "flipped");
    }
}

/// Working targets never ask for more than is open, once the exchange has answered everything.
fn check_targets(bench: &Bench) {
    for trade in bench.engine.live_trades() {
        let is_settled = trade.active().all(|order| order.state == State::Working && !order.cancel_asked);
        if !is_settled || trade.awaits_fills() || trade.closing.is_some() || trade.open().is_zero() {
            continue;
        }
        let refused = trade.orders.values().any(|order| order.state == State::Refused);
        let asked: Decimal = trade
            .active()
            .filter(|order| matches!(order.role, Role::Target(_)))
            .map(|order| order.remaining().get())
            .sum();
        assert!(asked <= trade.open().get());
        assert!(refused || asked == trade.open().get(), "targets {asked} of {}: {trade:#?}", trade.open());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_fills_are_protected_and_no_leg_is_sent_twice(acts in acts()) {
        let mut bench = Bench::new();
        let mut queue = Vec::new();
        for act in &acts {
            play(&mut bench, &mut queue, act);
            check_protected(&bench);
            check_targets(&bench);
        }
        let mut ids = BTreeSet::new();
        let mut entries = BTreeSet::new();
        for command in &bench.commands {
            if let Command::Place { ticket } = command {
                let order = &ticket.get().order;
                prop_assert!(ids.insert(order.id), "an id was used twice");
                prop_assert!(order.reduce_only || entries.insert(order.pair.clone()), "a second entry");
            }
        }
    }

    #[test]
    fn the_inputs_alone_rebuild_the_engine_and_repeating_them_changes_nothing(acts in acts()) {
        let mut bench = Bench::new();
        let mut queue = Vec::new();
        for act in &acts {
            play(&mut bench, &mut queue, act);
        }
        let mut rebuilt = Engine::new("paper");
        let mut commands = Vec::new();
        for (now, input) in &bench.inputs {
            let text = serde_json::to_string(input).unwrap();
            let input: Input = serde_json::from_str(&text).unwrap();
            commands.extend(rebuilt.step(*now, &input));
        }
        prop_assert_eq!(&rebuilt, &bench.engine);
        prop_assert_eq!(commands, bench.commands);
        for (_, input) in &bench.inputs {
            if matches!(input, Input::Event { .. } | Input::Filled { .. }) {
                prop_assert!(rebuilt.step(bench.now, input).is_empty());
            }
        }
        prop_assert_eq!(&rebuilt, &bench.engine);
    }

    #[test]
    fn a_tick_that_commands_nothing_changes_nothing(acts in acts(), hours in 0..50i64) {
        let mut bench = Bench::new();
        let mut queue = Vec::new();
        for act in &acts {
            play(&mut bench, &mut queue, act);
        }
        let before = bench.engine.clone();
        if bench.engine.step(bench.now + Duration::hours(hours), &Input::Tick).is_empty() {
            prop_assert_eq!(&bench.engine, &before);
        }
    }

    #[test]
    fn the_parts_of_a_ladder_add_up_to_the_whole(
        whole in 0..10_000u32,
        weights in prop::collection::vec(0..100u32, 1..8),
    ) {
        let filters = exchange::Filters {
            tick: price("0.1"),
            lot: "0.1".parse().unwrap(),
            min_quantity: "0.5".parse().unwrap(),
            min_notional: "0".parse().unwrap(),
        };
        let whole = Quantity::new(Decimal::new(whole.into(), 1)).unwrap();
        let weights: Vec<Decimal> = weights.into_iter().map(Decimal::from).collect();
        let parts = super::super::ladder::split(whole, &weights, &filters);
        let sum: Decimal = parts.iter().map(|part| part.get()).sum();
        let any_weight = weights.iter().any(|weight| !weight.is_zero());
        prop_assert_eq!(sum, if any_weight { whole.get() } else { Decimal::ZERO });
        for part in &parts {
            prop_assert!(part.is_zero() || *part >= filters.min_quantity || whole < filters.min_quantity);
        }
    }
}
