//! What holds for every plan, however odd the signal, the market and the account are.

use proptest::prelude::*;
use rust_decimal::Decimal;
use shared::money::Percent;

use super::*;

/// A positive decimal of any size that its type takes, from many digits after the point to many before it.
fn any_price() -> impl Strategy<Value = Price> {
    (1..1_000_000i64, 0..18u32, 0..5u32).prop_filter_map("within bounds", |(digits, scale, zeros)| {
        Price::new(Decimal::new(digits * 10i64.pow(zeros), scale)).ok()
    })
}

fn any_filters() -> impl Strategy<Value = Filters> {
    (0..12u32, 0..10u32, 0..500i64).prop_map(|(tick, lot, notional)| Filters {
        tick: Price::new(Decimal::new(1, tick)).unwrap(),
        lot: shared::money::Quantity::new(Decimal::new(1, lot)).unwrap(),
        min_quantity: shared::money::Quantity::new(Decimal::new(1, lot)).unwrap(),
        min_notional: Amount::new(Decimal::from(notional)).unwrap(),
    })
}

/// A signal around a price; distances in hundredths of a per cent.
fn any_draft() -> impl Strategy<Value = (Price, SignalDraft)> {
    let parts = (any_price(), any::<bool>(), 0..6u8, 11..4_000i64, 1..3_000i64, any::<bool>());
    parts.prop_filter_map("sound", |(base, is_long, kind, to_stop, to_target, by_percent)| {
        let side = if is_long { Side::Long } else { Side::Short };
        let away = |hundredths: i64| {
            let signed = if is_long { hundredths } else { -hundredths };
            moved_by(base, Decimal::new(signed, 2))
        };
        let legs = || {
            Some(vec![
                EntryLeg { price: base, share: None },
                EntryLeg { price: away(-to_stop / 2)?, share: None },
            ])
        };
        let direction = if is_long { signal::Break::Above } else { signal::Break::Below };
        let entry = match kind {
            0 => Entry::Market { reference: None, implied: false },
            1 => Entry::Limit { price: base },
            2 => Entry::Trigger { direction, price: away(5)? },
            3 => Entry::Zone { low: base, high: moved_by(base, Decimal::new(50, 2))? },
            4 => Entry::Ladder { legs: legs()?, first_market: false },
            _ => Entry::Ladder { legs: legs()?, first_market: true },
        };
        let percent = Percent::new(Decimal::new(to_stop, 2)).ok()?;
        let stop =
            if by_percent { Stop::Percent { percent } } else { Stop::Price { price: away(-to_stop)? } };
        let targets = vec![Target { at: TargetLevel::Price(away(to_target + 100)?), share: None }];
        let draft = SignalDraft { side, entry, stop: Some(stop), targets, ..draft() };
        Signal::new(draft.clone()).ok().map(|_| (base, draft))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn no_plan_risks_or_borrows_more_than_is_allowed(
        (market, draft) in any_draft(),
        filters in any_filters(),
        equity in 1..i64::MAX,
        (open_notional, realised) in (0..1_000_000i64, -50..50i64),
    ) {
        let equity = Amount::new(Decimal::new(equity, 2)).unwrap();
        let view = AccountView {
            equity,
            market: Market::Quoted { price: market, at: POSTED, filters: filters.clone() },
            open_notional: Amount::new(Decimal::from(open_notional)).unwrap(),
            realised_today: Amount::new(Decimal::from(realised)).unwrap(),
            ..view()
        };
        let mut rules = rules();
        rules.policy.symbols = vec!["*".into()];
        let planned = plan(&record(draft), &rules, &view);
        let plan = planned.map_err(|refusal| TestCaseError::reject(refusal.to_string()))?;
        let risk: Decimal = plan
            .legs
            .iter()
            .map(|leg| (leg.price.get() - plan.stop.get()).abs() * leg.quantity.get())
            .sum();
        let notional: Decimal = plan.legs.iter().map(|leg| leg.price.get() * leg.quantity.get()).sum();
        // Sums of rounded products may differ in the last of 28 digits.
        let slack = Decimal::new(1, 6);
        prop_assert!(risk <= equity.get() / Decimal::ONE_HUNDRED + slack, "{risk} of {equity}");
        prop_assert!(notional + view.open_notional.get() <= equity.get() * Decimal::from(3) + slack);
        for leg in &plan.legs {
            let is_beyond = match plan.side {
                Side::Long => plan.stop < leg.price,
                Side::Short => plan.stop > leg.price,
            };
            prop_assert!(is_beyond && !leg.quantity.is_zero());
            prop_assert_eq!(filters.round_quantity(leg.quantity), leg.quantity);
        }
        let shares: Decimal = plan.targets.iter().map(|target| target.share).sum();
        prop_assert_eq!(shares, Decimal::ONE);
    }
}
