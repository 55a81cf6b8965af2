//! Numbers in sentences: grouped digits for prices, two decimals and a sign for money.

use rust_decimal::Decimal;

/// A number with its whole part in groups of three: `64,250.5`.
pub fn grouped(value: Decimal) -> String {
    let text = value.normalize().to_string();
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(w, f)| (w, Some(f)));
    let mut out = String::from(sign);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// Money with its sign and two decimals: `+12.50`, `-3.00`.
pub fn signed_money(value: Decimal) -> String {
    let text = money(value);
    if value.round_dp(2) >= Decimal::ZERO { format!("+{text}") } else { text }
}

/// Money with two decimals: `10,012.50`.
pub fn money(value: Decimal) -> String {
    let mut rounded = value.round_dp(2);
    rounded.rescale(2);
    let text = rounded.abs().to_string();
    let (whole, cents) = text.split_once('.').unwrap_or((&text, "00"));
    let whole = grouped(whole.parse().unwrap_or(Decimal::ZERO));
    let sign = if rounded < Decimal::ZERO { "-" } else { "" };
    format!("{sign}{whole}.{cents}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        let number = |text: &str| text.parse::<Decimal>().unwrap();
        for (value, text) in
            [("64250.50", "64,250.5"), ("100", "100"), ("1000", "1,000"), ("0.00012", "0.00012")]
        {
            assert_eq!(grouped(number(value)), text);
        }
        assert_eq!(grouped(number("-1234567.5")), "-1,234,567.5");
        for (value, text) in
            [("12.5", "+12.50"), ("-3", "-3.00"), ("-0.001", "+0.00"), ("10012.346", "+10,012.35")]
        {
            assert_eq!(signed_money(number(value)), text);
        }
    }
}
