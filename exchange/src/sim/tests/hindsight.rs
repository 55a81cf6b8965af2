//! Nothing is filled with hindsight: not by what came before an order, and not better than a candle leaves sure.

use super::*;

/// A venue at 100 after one candle, with orders placed five minutes into the next.
fn venue_with(orders: &[Order]) -> Sim {
    let mut sim = venue();
    for order in orders {
        assert_eq!(sim.place_order(order, start(20)), Placement::Accepted, "{order:?}");
    }
    sim
}

#[test]
fn a_candle_that_ran_when_an_entry_was_placed_does_not_fill_it() {
    let mut sim = venue_with(&[buy("limit", limit("95"), "1"), buy("breakout", stop("105"), "1")]);
    assert_eq!(filled(&mut sim, 1, "100 106 94 100"), []);
    assert_eq!(filled(&mut sim, 2, "100 106 94 100").len(), 2);
}

#[test]
fn a_candle_that_ran_when_exits_were_placed_can_only_hurt() {
    let exits = [sell_to_close("target", limit("110"), "1"), sell_to_close("stop", stop("90"), "1")];
    let orders = [&[buy("entry", market(), "1")], exits.as_slice()].concat();
    let mut sim = venue_with(&orders);
    assert_eq!(filled(&mut sim, 1, "100 111 100 105"), [], "the target may have been touched before");
    let mut sim = venue_with(&orders);
    assert_eq!(filled(&mut sim, 1, "100 105 89 100").len(), 1, "the stop may be touched yet");
}

#[test]
fn a_candle_that_had_ended_when_an_order_was_placed_does_nothing_to_it() {
    let mut sim = venue_long("1");
    let late = sell_to_close("stop", stop("90"), "1");
    assert_eq!(sim.place_order(&late, start(30)), Placement::Accepted);
    assert_eq!(filled(&mut sim, 1, "100 100 80 100"), []);
    assert_eq!(filled(&mut sim, 2, "100 100 80 100").len(), 1);
}

#[test]
fn what_is_filled_at_once_is_stamped_with_the_time_of_its_placing() {
    let sim = venue_with(&[buy("entry", market(), "1")]);
    assert_eq!(last_fill(&sim).at, start(20));
    let mut sim = venue();
    sim.place_order(&buy("early", market(), "1"), start(3));
    assert_eq!(last_fill(&sim).at, start(15), "never before the price");
}

#[test]
fn a_position_closed_after_the_candle_of_its_entry_gets_the_worse_of_entry_and_close() {
    for (close, expected) in [("128", "90"), ("86", "86")] {
        let mut sim = venue();
        place(&mut sim, &buy("entry", limit("95"), "1"));
        filled(&mut sim, 1, &format!("90 130 85 {close}"));
        place(&mut sim, &sell_to_close("out", market(), "1"));
        let note = (close != expected).then_some(FillNote::WorseAssumed);
        assert_eq!(told(&[last_fill(&sim)]), [at(expected, "1", note)]);
    }
}

#[test]
fn a_stop_moved_into_the_candle_of_a_target_is_assumed_to_be_hit() {
    let mut sim = venue_long("2");
    place(&mut sim, &sell_to_close("target", limit("105"), "1"));
    place(&mut sim, &sell_to_close("stop", stop("90"), "2"));
    filled(&mut sim, 1, "100 106 96 104");
    place(&mut sim, &sell_to_close("break-even", stop("100"), "1"));
    assert_eq!(told(&[last_fill(&sim)]), [at("100", "1", Some(FillNote::SameCandle))]);
}
