//! Numbers: the ways in which the numbers of one post can be read, and what each way makes of them.
//!
//! Entry points: [`Written::ways`] for the candidates, [`Way::value`] for one number under one of them.
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

/// What the numbers of a post look like, as far as that leaves several ways to read them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Written {
    /// True when a comma stands in one.
    pub(super) commas: bool,
    /// True when the digits behind the points of one are groups of three.
    grouped_points: bool,
    /// True when two could be one with a space between thousands.
    spaced: bool,
    /// True for a number of several digits without any mark.
    pub(super) whole: bool,
}

/// So many digits without a mark show that their author writes no marks between thousands and no decimals.
const WHOLE: usize = 3;

impl Written {
    /// Looks at numbers in their order.
    pub(super) fn of<'t>(numbers: impl Iterator<Item = &'t str>) -> Self {
        let mut written = Self::default();
        let mut before = "";
        for number in numbers {
            let (commas, points) = (has(number, b','), has(number, b'.'));
            written.commas |= commas;
            written.grouped_points |= points && is_grouped(number, '.');
            written.spaced |= may_join(before, number);
            written.whole |= !commas && !points && number.len() >= WHOLE && is_whole(number);
            before = number;
        }
        written
    }

    /// True when there is more than one way to read them.
    pub(super) fn is_ambiguous(self) -> bool {
        self.commas || self.grouped_points || self.spaced
    }

    /// The ways worth trying, plainest first.
    pub(super) fn ways(self) -> impl Iterator<Item = Way> {
        let separators: &[Separators] = match (self.commas, self.grouped_points) {
            (true, _) => &[Separators::Point, Separators::Comma, Separators::List],
            (false, true) => &[Separators::Point, Separators::Comma],
            (false, false) => &[Separators::Point],
        };
        let spaces: &[bool] = if self.spaced { &[false, true] } else { &[false] };
        let way = |separators, spaced_thousands| Way { separators, spaced_thousands };
        spaces.iter().flat_map(move |space| separators.iter().map(move |s| way(*s, *space)))
    }
}

impl Way {
    /// The plainest way, which every post allows.
    pub(super) const PLAIN: Way = Way { separators: Separators::Point, spaced_thousands: false };

    /// The value of one written number; none if it cannot be read in this way, or is a list.
    pub(super) fn value(self, number: &str) -> Option<Decimal> {
        match self.separators {
            Separators::Point => point(number),
            Separators::Comma => comma(number),
            Separators::List if has(number, b',') => None,
            Separators::List => point(number),
        }
    }

    /// The values of a list that is written like one number.
    pub(super) fn list(self, number: &str) -> Option<Vec<Decimal>> {
        if self.separators == Separators::List && has(number, b',') { list(number) } else { None }
    }
}

/// Every value that a written number may have; lists give several. For tests: the reader chooses by the whole post.
pub fn number_values(number: &str) -> Vec<Decimal> {
    Written::of(std::iter::once(number)).ways().filter_map(|way| way.value(number)).collect()
}

/// True when `head tail` could be one number with a space between thousands.
pub(super) fn may_join(head: &str, tail: &str) -> bool {
    if !(1..=3).contains(&head.len()) || tail.len() < 3 {
        return false;
    }
    let (whole, rest) = tail.as_bytes().split_at(3);
    let ends = matches!(rest.first(), None | Some(b'.' | b','));
    ends && is_whole(head) && !head.starts_with('0') && whole.iter().all(u8::is_ascii_digit)
}

fn has(number: &str, mark: u8) -> bool {
    number.bytes().any(|byte| byte == mark)
}

fn is_whole(number: &str) -> bool {
    number.bytes().all(|byte| byte.is_ascii_digit())
}

fn point(number: &str) -> Option<Decimal> {
    if let Some(value) = plain(number) {
        return Some(value);
    }
    if number.contains(['e', 'E']) {
        return Decimal::from_scientific(number).ok();
    }
    let (whole, fraction) = split(number, '.')?;
    exact(whole, ',', fraction)
}

/// So many digits fit into 64 bits with a sign.
const MAX_PLAIN: usize = 18;

/// The value of digits with at most one point among them: most numbers are nothing else.
fn plain(number: &str) -> Option<Decimal> {
    if number.len() > MAX_PLAIN {
        return None;
    }
    let (mut value, mut point) = (0, None);
    for (at, byte) in number.bytes().enumerate() {
        match byte {
            b'0'..=b'9' => value = value * 10 + i64::from(byte - b'0'),
            b'.' if point.is_none() => point = Some(at),
            _ => return None,
        }
    }
    let scale = point.map_or(0, |point| number.len() - point - 1);
    let complete = point.is_none() || scale > 0;
    if complete { Some(Decimal::new(value, u32::try_from(scale).ok()?)) } else { None }
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
    if !is_whole(whole) && !is_grouped(whole, separator) && !is_grouped(whole, '\'') {
        return None;
    }
    let scale = u32::try_from(fraction.len()).ok()?;
    let mut digits = whole.bytes().chain(fraction.bytes()).filter(u8::is_ascii_digit).map(|b| b - b'0');
    if whole.len() + fraction.len() <= MAX_PLAIN {
        return Some(Decimal::new(digits.fold(0, |value, digit| value * 10 + i64::from(digit)), scale));
    }
    let value =
        digits.try_fold(0_i128, |value, digit| value.checked_mul(10)?.checked_add(i128::from(digit)))?;
    Decimal::try_from_i128_with_scale(value, scale).ok()
}

/// How many digits stand between the marks of thousands.
const GROUP: usize = 3;

/// True for `1,234,567`: up to three digits that do not begin with a zero, then groups of three.
fn is_grouped(whole: &str, separator: char) -> bool {
    let before_last = whole.len().checked_sub(GROUP + 1).and_then(|at| whole.as_bytes().get(at));
    if before_last.copied().map(char::from) != Some(separator) {
        return false;
    }
    let mut groups = whole.split(separator);
    let digits = |group: &str| group.bytes().all(|b| b.is_ascii_digit());
    let first = groups.next().unwrap_or_default();
    let begins = (1..=3).contains(&first.len()) && digits(first) && !first.starts_with('0');
    let mut count = 0;
    begins && groups.inspect(|_| count += 1).all(|group| group.len() == GROUP && digits(group)) && count > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(separators: Separators, number: &str) -> Option<Vec<String>> {
        let way = Way { separators, spaced_thousands: false };
        let values = way.value(number).map(|value| vec![value]).or_else(|| way.list(number));
        values.map(|values| values.iter().map(|v| v.normalize().to_string()).collect())
    }

    fn count_ways(numbers: &[&str]) -> usize {
        Written::of(numbers.iter().copied()).ways().count()
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
        for (numbers, count) in [
            (&["0.0528", "64250.5"][..], 1),
            (&["1.905"], 2),
            (&["64,250"], 3),
            (&["64", "250"], 2),
            (&["64", "25"], 1),
        ] {
            assert_eq!(count_ways(numbers), count, "{numbers:?}");
            assert_eq!(Written::of(numbers.iter().copied()).is_ambiguous(), count > 1, "{numbers:?}");
        }
    }
}
