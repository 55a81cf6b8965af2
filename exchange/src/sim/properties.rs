//! What holds for the paper exchange whatever is done to it: random runs of orders, cancellations and candles.

use proptest::prelude::*;
use rust_decimal::Decimal;
use time::Duration;
use time::macros::datetime;

use super::tests::{btc, id, settings};
use super::*;
use crate::order::{OrderKind, OrderSide};
use shared::money::{Price, Quantity};
use shared::signal::Side;

#[derive(Debug, Clone)]
enum Act {
    Place { side: OrderSide, kind: OrderKind, quantity: Quantity, reduce_only: bool },
    Cancel(usize),
    Candle([Price; 4], Quantity),
}

/// A price around 100, on the tick.
fn some_price() -> impl Strategy<Value = Price> {
    (800i64..1200).prop_map(|tenths| Price::new(Decimal::new(tenths, 1)).unwrap())
}

/// A quantity on the lot, never zero.
fn some_quantity() -> impl Strategy<Value = Quantity> {
    (6i64..600).prop_map(|lots| Quantity::new(Decimal::new(lots, 2)).unwrap())
}

fn some_kind() -> impl Strategy<Value = OrderKind> {
    prop_oneof![
        Just(OrderKind::Market),
        some_price().prop_map(|price| OrderKind::Limit { price }),
        some_price().prop_map(|trigger| OrderKind::Stop { trigger }),
    ]
}

fn some_act() -> impl Strategy<Value = Act> {
    let side = prop_oneof![Just(OrderSide::Buy), Just(OrderSide::Sell)];
    let place = (side, some_kind(), some_quantity(), any::<bool>())
        .prop_map(|(side, kind, quantity, reduce_only)| Act::Place { side, kind, quantity, reduce_only });
    let candle = (prop::array::uniform4(some_price()), 0i64..60).prop_map(|(mut prices, volume)| {
        prices.sort();
        Act::Candle(prices, Quantity::new(volume.into()).unwrap())
    });
    prop_oneof![4 => place, 1 => (0usize..40).prop_map(Act::Cancel), 4 => candle]
}

fn some_acts() -> impl Strategy<Value = Vec<Act>> {
    prop::collection::vec(some_act(), 1..60)
}

fn venue() -> Sim {
    Sim::new(Settings { slippage: "0.03".parse().unwrap(), ..settings() }).unwrap()
}

fn perform(sim: &mut Sim, n: usize, act: &Act) {
    match act {
        Act::Place { side, kind, quantity, reduce_only } => {
            let (id, kind) = (id(&n.to_string()), kind.clone());
            let order =
                Order { id, pair: btc(), side: *side, kind, quantity: *quantity, reduce_only: *reduce_only };
            // Anywhere between the candles that came and those that come, also inside the next one.
            let now =
                datetime!(2026-01-05 00:00 UTC) + Duration::seconds(60 * n as i64 + 17 * (n as i64 % 8));
            sim.place_order(&order, now);
        }
        Act::Cancel(which) => {
            sim.cancel_order(id(&which.to_string()));
        }
        Act::Candle([low, open, close, high], volume) => {
            let opened_at = datetime!(2026-01-05 00:00 UTC) + Duration::minutes(n as i64);
            let closed_at = opened_at + Duration::minutes(1);
            let (open, high, low, close, volume) = (*open, *high, *low, *close, *volume);
            let candle = Candle { opened_at, closed_at, open, high, low, close, volume };
            sim.apply_candle(&btc(), &candle).unwrap();
        }
    }
}

fn signed(fill: &Fill) -> Decimal {
    if fill.side == OrderSide::Buy { fill.quantity.get() } else { -fill.quantity.get() }
}

/// What is held, above zero for a long.
fn held(sim: &Sim) -> Decimal {
    let sign = |side| if side == Side::Long { Decimal::ONE } else { Decimal::NEGATIVE_ONE };
    sim.positions().unwrap().iter().map(|position| sign(position.side) * position.quantity.get()).sum()
}

proptest! {
    #[test]
    fn money_and_quantities_are_conserved(acts in some_acts()) {
        let mut sim = venue();
        for (n, act) in acts.iter().enumerate() {
            perform(&mut sim, n, act);
        }
        let account = &sim.live.account;
        let fees: Decimal = sim.past.fills.iter().map(|fill| fill.fee.get()).sum();
        let start = settings().start_balance.get();
        prop_assert_eq!(account.fees.get(), fees);
        prop_assert_eq!(account.balance.get(), start + account.realised.get() - fees);
        prop_assert_eq!(held(&sim), sim.past.fills.iter().map(signed).sum::<Decimal>());
        // Independent of how results are split: cash that flowed, plus what is held at the last price.
        let flow: Decimal = sim.past.fills.iter().map(|fill| signed(fill) * fill.price.get()).sum();
        let last = sim.last_candle(&btc()).map_or(Decimal::ZERO, |candle| candle.close.get());
        prop_assert_eq!(sim.equity().unwrap().get(), start - flow - fees + held(&sim) * last);
    }

    #[test]
    fn a_reduce_only_order_never_opens_or_flips_a_position(acts in some_acts()) {
        let mut sim = venue();
        for (n, act) in acts.iter().enumerate() {
            let (mut held, known) = (held(&sim), sim.past.fills.len());
            perform(&mut sim, n, act);
            for fill in &sim.past.fills[known..] {
                let after = held + signed(fill);
                if sim.order(fill.order).unwrap().order.reduce_only {
                    prop_assert!(after.abs() < held.abs(), "{held} became {after} by {fill:?}");
                    prop_assert!(after.is_zero() || after.is_sign_positive() == held.is_sign_positive());
                }
                held = after;
            }
        }
    }

    #[test]
    fn an_order_is_never_filled_beyond_its_quantity_and_fills_are_numbered_without_gaps(acts in some_acts()) {
        let mut sim = venue();
        for (n, act) in acts.iter().enumerate() {
            perform(&mut sim, n, act);
        }
        for (n, fill) in sim.past.fills.iter().enumerate() {
            prop_assert_eq!(fill.id, FillId(n as u64 + 1));
            let state = sim.order(fill.order).unwrap();
            let filled: Decimal =
                sim.past.fills.iter().filter(|f| f.order == fill.order).map(|f| f.quantity.get()).sum();
            prop_assert_eq!(state.filled.get(), filled);
            prop_assert!(state.filled <= state.order.quantity);
            prop_assert_eq!(state.status == OrderStatus::Filled, state.filled == state.order.quantity);
        }
    }

    #[test]
    fn nothing_is_filled_at_a_time_before_its_order(acts in some_acts()) {
        let mut sim = venue();
        for (n, act) in acts.iter().enumerate() {
            perform(&mut sim, n, act);
        }
        for fill in &sim.past.fills {
            prop_assert!(fill.at >= sim.order(fill.order).unwrap().placed_at, "{fill:?}");
        }
    }

    #[test]
    fn equal_inputs_give_equal_states_even_when_kept_and_restored_midway(acts in some_acts(), cut in 0usize..60) {
        let (mut undisturbed, mut kept) = (venue(), venue());
        for (n, act) in acts.iter().enumerate() {
            perform(&mut undisturbed, n, act);
            perform(&mut kept, n, act);
            if n == cut {
                kept = serde_json::from_str(&serde_json::to_string(&kept).unwrap()).unwrap();
                let past = Past::new(kept.fills_after_number(None).to_vec(), kept.ended_after(0).to_vec());
                kept = Sim::restore(kept.settings.clone(), kept.live.clone(), past).unwrap();
            }
            prop_assert_eq!(&undisturbed, &kept);
        }
    }
}
