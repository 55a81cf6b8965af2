//! Splitting a position over the rungs of a take-profit ladder.
//!
//! Entry point: [`split`]. Invariants: the parts add up to the whole, each is a multiple of the lot, none is below the
//! minimum unless the whole is; a rung that is too small passes what it has on to the next.

use exchange::Filters;
use rust_decimal::Decimal;
use shared::money::Quantity;

/// Splits `whole` in proportion to the weights. What rounding leaves over travels to the next rung, and the last rung
/// with a weight takes the rest, so that a position is never left with a remainder that no rung closes.
pub(super) fn split(whole: Quantity, weights: &[Decimal], filters: &Filters) -> Vec<Quantity> {
    let sum: Decimal = weights.iter().sum();
    let mut parts = vec![Quantity::ZERO; weights.len()];
    let Some(last) = weights.iter().rposition(|weight| *weight > Decimal::ZERO) else { return parts };
    let (mut given, mut due) = (Decimal::ZERO, Decimal::ZERO);
    for (at, weight) in weights.iter().enumerate().take(last) {
        due += (whole.get() * *weight).checked_div(sum).unwrap_or(Decimal::ZERO);
        let exact = Quantity::new((due - given).max(Decimal::ZERO).round_dp(DECIMALS));
        let part = filters.round_quantity(exact.unwrap_or(Quantity::ZERO));
        let rest = whole.get() - given - part.get();
        let leaves_dust = !rest.is_zero() && rest < filters.min_quantity.get();
        if part >= filters.min_quantity && !leaves_dust {
            parts[at] = part;
            given += part.get();
        }
    }
    parts[last] = Quantity::new(whole.get() - given).unwrap_or(Quantity::ZERO);
    parts
}

/// As many decimals as a quantity may have. Rounding to it first makes three thirds a whole again.
const DECIMALS: u32 = 18;

#[cfg(test)]
mod tests {
    use super::*;

    fn filters(lot: &str, min_quantity: &str) -> Filters {
        Filters {
            tick: "0.1".parse().unwrap(),
            lot: lot.parse().unwrap(),
            min_quantity: min_quantity.parse().unwrap(),
            min_notional: "0".parse().unwrap(),
        }
    }

    fn parts(whole: &str, weights: &[&str], filters: &Filters) -> Vec<String> {
        let weights: Vec<Decimal> = weights.iter().map(|text| text.parse().unwrap()).collect();
        split(whole.parse().unwrap(), &weights, filters).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn equal_weights_share_equally_and_remainders_travel_on() {
        let filters = filters("0.1", "0.1");
        assert_eq!(parts("1", &["1", "1", "1"], &filters), ["0.3", "0.3", "0.4"]);
        assert_eq!(parts("1.2", &["1", "1", "1"], &filters), ["0.4", "0.4", "0.4"]);
        assert_eq!(parts("3", &["0.3333333333333333333333333333"; 3], &filters), ["1", "1", "1"]);
        assert_eq!(parts("1", &["50", "30", "20"], &filters), ["0.5", "0.3", "0.2"]);
    }

    #[test]
    fn rungs_that_are_too_small_are_merged_into_the_next() {
        let filters = filters("0.1", "0.3");
        assert_eq!(parts("1", &["1", "1", "1", "1"], &filters), ["0", "0.5", "0", "0.5"]);
        assert_eq!(
            parts("0.2", &["1", "1"], &filters),
            ["0", "0.2"],
            "less than the minimum goes to the last"
        );
        assert_eq!(parts("0.5", &["1", "1"], &filters), ["0", "0.5"], "no rung leaves dust behind");
    }

    #[test]
    fn rungs_without_weight_get_nothing() {
        let filters = filters("0.1", "0.1");
        assert_eq!(parts("1", &["0", "1", "0"], &filters), ["0", "1", "0"]);
        assert_eq!(parts("1", &["0", "0"], &filters), ["0", "0"]);
        assert_eq!(parts("0", &["1", "1"], &filters), ["0", "0"]);
        assert!(parts("1", &[], &filters).is_empty());
    }

    #[test]
    fn a_filled_rung_does_not_change_the_others() {
        let filters = filters("0.1", "0.1");
        let before = parts("1", &["0.33", "0.33", "0.34"], &filters);
        assert_eq!(before, ["0.3", "0.3", "0.4"]);
        assert_eq!(parts("0.7", &["0.03", "0.33", "0.34"], &filters), ["0", "0.3", "0.4"]);
    }
}
