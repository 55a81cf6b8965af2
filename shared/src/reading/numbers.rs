//! Numbers: the ways in which the numbers of one post can be read, and what each way makes of them.
//!
//! Entry points: [`ways`] for the candidates, [`Way::values`] for one number under one of them.
//! Invariants: exact decimals; a way either reads a number completely or refuses it, it never drops a character; which
//! way is right is decided for the whole post by what makes a sound signal, never here.

use rust_decimal::Decimal;

/// How the separators of a post are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Separators {
    /// `2,847.5`: a decimal point, commas between thousands.
    Point,
    /// `2.847,5`: a decimal comma, points between thousands.
    Comma,
    /// `3.592,3.744`: a decimal point, commas between two numbers.
    List,
}

/// One way to read all numbers of a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Way {
    /// How separators are meant.
    pub(super) separators: Separators,
    /// True when a space may stand between thousands: `64 250`.
    pub(super) spaced_thousands: bool,
}

/// The ways worth trying for these numbers, plainest first.
pub(super) fn ways<'t>(numbers: impl Iterator<Item = &'t str>, spaced: bool) -> Vec<Way> {
    let (mut commas, mut grouped_points) = (false, false);
    for number in numbers {
        commas |= number.contains(',');
        grouped_points |= number.contains('.') && is_grouped(number, '.');
    }
    let separators: &[Separators] = match (commas, grouped_points) {
        (true, _) => &[Separators::Point, Separators::Comma, Separators::List],
        (false, true) => &[Separators::Point, Separators::Comma],
        (false, false) => &[Separators::Point],
    };
    let spaces: &[bool] = if spaced { &[false, true] } else { &[false] };
    let way = |separators, spaced_thousands| Way { separators, spaced_thousands };
    spaces.iter().flat_map(|space| separators.iter().map(move |s| way(*s, *space))).collect()
}

impl Way {
    /// The values of one written number; none if it cannot be read in this way. Only lists give more than one.
    pub(super) fn values(self, number: &str) -> Option<Vec<Decimal>> {
        match self.separators {
            Separators::Point => point(number).map(|value| vec![value]),
            Separators::Comma => comma(number).map(|value| vec![value]),
            Separators::List => list(number),
        }
    }
}

/// Every value that a written number may have; lists give several. For tests: the reader chooses by the whole post.
pub fn number_values(number: &str) -> Vec<Decimal> {
    let ways = ways(std::iter::once(number), false).into_iter();
    let single = |values: &Vec<Decimal>| values.len() == 1;
    ways.filter_map(|way| way.values(number)).filter(single).flatten().collect()
}

/// True when `head tail` could be one number with a space between thousands.
pub(super) fn may_join(head: &str, tail: &str) -> bool {
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let whole = tail.split(['.', ',']).next().unwrap_or_default();
    plain(head) && (1..=3).contains(&head.len()) && !head.starts_with('0') && whole.len() == 3 && plain(whole)
}

fn point(number: &str) -> Option<Decimal> {
    if number.contains(['e', 'E']) {
        return Decimal::from_scientific(number).ok();
    }
    let (whole, fraction) = split(number, '.')?;
    exact(whole, ',', fraction)
}

fn comma(number: &str) -> Option<Decimal> {
    let (whole, fraction) = split(number, ',')?;
    // Nobody writes a price of four and more whole digits with more than two decimals: that is a list of two.
    if fraction.len() > 2 && whole.len() >= 4 && !whole.contains(['.', '\'']) {
        return None;
    }
    exact(whole, '.', fraction)
}

/// Numbers of a list are of one magnitude: `17,95` is none.
fn list(number: &str) -> Option<Vec<Decimal>> {
    let values: Vec<Decimal> = number.split(',').map(point).collect::<Option<_>>()?;
    let (least, most) = (values.iter().min()?, values.iter().max()?);
    let same_magnitude = least.checked_mul(Decimal::from(3)).is_some_and(|limit| *most <= limit);
    (same_magnitude || values.len() == 1).then_some(values)
}

/// The whole and the fractional digits, cut at the only decimal mark. A mark without digits after it is refused.
fn split(number: &str, mark: char) -> Option<(&str, &str)> {
    match number.split_once(mark) {
        None => Some((number, "")),
        Some((whole, fraction)) => {
            let digits = !fraction.is_empty() && fraction.bytes().all(|b| b.is_ascii_digit());
            digits.then_some((whole, fraction))
        }
    }
}

/// The value of a whole number, perhaps with separators between groups of three, and of its fraction.
fn exact(whole: &str, separator: char, fraction: &str) -> Option<Decimal> {
    let plain = whole.bytes().all(|b| b.is_ascii_digit());
    if !plain && !is_grouped(whole, separator) && !is_grouped(whole, '\'') {
        return None;
    }
    let mut digits: i128 = 0;
    for digit in whole.chars().chain(fraction.chars()).filter_map(|character| character.to_digit(10)) {
        digits = digits.checked_mul(10)?.checked_add(i128::from(digit))?;
    }
    Decimal::try_from_i128_with_scale(digits, u32::try_from(fraction.len()).ok()?).ok()
}

/// True for `1,234,567`: up to three digits that do not begin with a zero, then groups of three.
fn is_grouped(whole: &str, separator: char) -> bool {
    let mut groups = whole.split(separator);
    let digits = |group: &str| group.bytes().all(|b| b.is_ascii_digit());
    let first = groups.next().unwrap_or_default();
    let begins = (1..=3).contains(&first.len()) && digits(first) && !first.starts_with('0');
    let mut count = 0;
    begins && groups.inspect(|_| count += 1).all(|group| group.len() == 3 && digits(group)) && count > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(separators: Separators, number: &str) -> Option<Vec<String>> {
        let way = Way { separators, spaced_thousands: false };
        way.values(number).map(|values| values.iter().map(|v| v.normalize().to_string()).collect())
    }

    #[test]
    fn each_way_reads_completely_or_not_at_all() {
        use Separators::{Comma, List, Point};
        for (number, as_point, as_comma) in [
            ("2,847.5", Some("2847.5"), None),
            ("2.847,5", None, Some("2847.5")),
            ("0,0528", None, Some("0.0528")),
            ("91.350", Some("91.35"), Some("91350")),
            ("3,245", Some("3245"), Some("3.245")),
            ("0.618", Some("0.618"), None),
            (".0212", Some("0.0212"), None),
            ("91'350", Some("91350"), Some("91350")),
            ("2.6e-6", Some("0.0000026"), None),
            ("1.2.3", None, None),
            ("99999999999999999999999999999999", None, None),
        ] {
            assert_eq!(read(Point, number), as_point.map(|v| vec![v.to_owned()]), "{number} with a point");
            assert_eq!(read(Comma, number), as_comma.map(|v| vec![v.to_owned()]), "{number} with a comma");
        }
        assert_eq!(read(List, "3.592,3.744"), Some(vec!["3.592".into(), "3.744".into()]));
        assert_eq!(read(List, "3150,3060"), Some(vec!["3150".into(), "3060".into()]));
        assert_eq!(read(Comma, "3150,3060"), None);
        assert_eq!(read(List, "17,95"), None);
    }

    #[test]
    fn only_ambiguous_numbers_need_several_ways() {
        assert_eq!(ways(["0.0528", "64250.5"].into_iter(), false).len(), 1);
        assert_eq!(ways(["1.905"].into_iter(), false).len(), 2);
        assert_eq!(ways(["64,250"].into_iter(), false).len(), 3);
        assert_eq!(ways(["64"].into_iter(), true).len(), 2);
    }
}
