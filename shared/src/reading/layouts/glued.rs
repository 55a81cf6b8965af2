//! Glued numbers: `TP30.5391` is the third target at 0.5391, `SL0.55` a stop at 0.55.
//!
//! Entry point: [`written_out`]. Invariants: a list number is cut off only if it is the next one of its list; the price that is
//! left must make a sound signal later on, so that a wrong cut is refused there.

use super::super::tokens::{Kind, Number, Token, Unit};
use super::super::words::{Lexicon, Slot};
use super::letters::TARGETS;

/// The text with such labels cut from their numbers; none if it holds none.
pub(super) fn written_out<'t>(
    list: &[Token<'t>],
    plain: &'t str,
    words: Lexicon<'_>,
) -> Option<Vec<Token<'t>>> {
    if !(0..list.len()).any(|at| digits_behind(list, at).is_some()) {
        return None;
    }
    let mut written: Vec<Token<'t>> = Vec::with_capacity(list.len());
    let (mut at, mut targets, mut changed) = (0, 0, false);
    while at < list.len() {
        let slot = slot(&list[at], words);
        targets += usize::from(slot == Some(Slot::Target));
        let cut = digits_behind(list, at).zip(slot).and_then(|((letters, end), slot)| {
            let length = end - list[at].at;
            let text = plain.get(list[at].at..end)?;
            let index = match slot {
                Slot::Target if !text[letters..].starts_with('0') => targets.to_string().len(),
                Slot::Target | Slot::Stop | Slot::Entry => 0,
                _ => return None,
            };
            let stated = text.get(letters..letters + index)?;
            let price = text.get(letters + index..length).filter(|price| is_price(price))?;
            let fits = index == 0 || stated == targets.to_string();
            fits.then_some((letters, index, price))
        });
        match cut {
            Some((letters, index, price)) => {
                changed = true;
                push(&mut written, &list[at], (letters, index, price));
                // The fraction was a token of its own.
                let end = list[at].at + letters + index + price.len();
                at += 1 + list[at + 1..].iter().take_while(|token| token.at < end).count();
            }
            None => {
                written.push(list[at].clone());
                at += 1;
            }
        }
    }
    changed.then_some(written)
}

fn push<'t>(
    written: &mut Vec<Token<'t>>,
    token: &Token<'t>,
    (letters, index, price): (usize, usize, &'t str),
) {
    let Kind::Word(word) = token.kind else { return };
    let label = match index {
        0 => word.get(..letters),
        _ => word
            .get(letters..letters + index)
            .and_then(|n| TARGETS.get(n.parse::<usize>().ok()? - 1).copied()),
    };
    let (Some(label), Some(raw)) = (label, token.raw.get(..letters + index)) else { return };
    let at = token.at + letters + index;
    written.push(Token { kind: Kind::Word(label), raw, ..token.clone() });
    let number = Number { text: price, at, unit: Unit::None };
    written.push(Token { kind: Kind::Number(number), raw: price, at, line: token.line, glued: true });
}

/// For a word that ends with more digits than a list number has: how many letters come first, and where the number ends.
fn digits_behind(list: &[Token<'_>], at: usize) -> Option<(usize, usize)> {
    let token = &list[at];
    let Kind::Word(word) = token.kind else { return None };
    if !word.ends_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let letters = word.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    if letters == 0 {
        return None;
    }
    let fraction = list.get(at + 1).filter(|next| next.glued && next.raw.starts_with('.'));
    let fraction =
        fraction.filter(|next| matches!(next.kind, Kind::Number(number) if number.unit == Unit::None));
    let end = fraction.map_or(token.at + word.len(), |next| next.at + next.raw.len());
    (fraction.is_some() || word.len() - letters > 2).then_some((letters, end))
}

/// A price without a leading zero too many: `05.2` is none.
fn is_price(text: &str) -> bool {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    plain && text.bytes().any(|b| b.is_ascii_digit()) && (!text.starts_with('0') || text.starts_with("0."))
}

fn slot(token: &Token<'_>, words: Lexicon<'_>) -> Option<Slot> {
    let Kind::Word(word) = token.kind else { return None };
    let stem = word.trim_end_matches(|c: char| c.is_ascii_digit());
    words.slot(stem)
}
