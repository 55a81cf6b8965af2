//! References: mentions, custom emoji, timestamps and addresses, whose digits must never be read as prices.
//!
//! Entry point: [`without`]. The name of a custom emoji stays when it is a word that labels or sides a call: it may be
//! the only one. Invariant: each character is looked at a bounded number of times.

use std::ops::Range;

use super::clean::fold;
use super::placed::{Placed, PlacedStr};
use super::words::Lexicon;

/// False when a text surely holds neither a bracket nor an address. All bytes are looked at, because that takes less than to
/// stop at the first.
pub(super) fn may_hold(text: &str) -> bool {
    let bytes = text.as_bytes();
    let pairs = bytes.iter().zip(bytes.get(1..).unwrap_or_default());
    let addressed = |(a, b): (&u8, &u8)| (*a == b':') & (*b == b'/') | (a | 0x20 == b'w') & (*b == b'.');
    bytes.iter().fold(false, |found, byte| found | (*byte == b'<'))
        | pairs.fold(false, |found, pair| found | addressed(pair))
}

/// Takes out `<@…>`, `<#…>`, `<:name:id>`, `<t:…>` and addresses; `[text](address)` keeps its text.
pub(super) fn without(text: PlacedStr<'_>, words: Lexicon<'_>) -> Placed {
    let mut kept = Placed::with_room(text.text.len());
    let (mut from, mut at) = (0, 0);
    while let Some(next) = text.text.get(at..).and_then(|rest| rest.find(['<', '(', 'h', 'H', 'w', 'W'])) {
        at += next;
        let rest = &text.text[at..];
        let length = if rest.starts_with('<') { bracketed(rest) } else { address(rest) };
        if length > 0 {
            kept.push_from(text, from..at);
            kept.push(' ', text.place(at));
            if let Some(name) = emoji_word(&rest[..length], words) {
                kept.push_from(text, at + name.start..at + name.end);
                kept.push(' ', text.place(at + name.start));
            }
            from = at + length;
        }
        at += length.max(1);
    }
    kept.push_from(text, from..text.text.len());
    kept
}

/// The longest thing between angle brackets that Discord makes: an animated emoji with a name of 32 characters.
const MAX_REFERENCE: usize = 80;

/// The length of what stands between angle brackets; 0 if it is no reference.
fn bracketed(text: &str) -> usize {
    let opens = ["@", "#", ":", "a:", "t:", "/", "id:", "http"].iter().any(|open| starts(&text[1..], open));
    let end = text.char_indices().take(MAX_REFERENCE).find(|(_, c)| matches!(c, '>' | '\n'));
    match end {
        Some((end, '>')) if opens => end + 1,
        _ => 0,
    }
}

/// The length of an address, with the round brackets of a masked link around it; 0 if there is none.
fn address(text: &str) -> usize {
    let open = usize::from(text.starts_with('('));
    let address = &text[open..];
    if !["http://", "https://", "www."].iter().any(|start| starts(address, start)) {
        return 0;
    }
    let ends = |c: char| c.is_whitespace() || matches!(c, '>' | ')' | '|');
    let end = address.find(ends).unwrap_or(address.len());
    let closed = open == 1 && address[end..].starts_with(')');
    open + end + usize::from(closed)
}

fn starts(text: &str, start: &str) -> bool {
    text.as_bytes().get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start.as_bytes()))
}

/// Where in a reference the name of a custom emoji stands that is a word of a call.
fn emoji_word(reference: &str, words: Lexicon<'_>) -> Option<Range<usize>> {
    if !(reference.starts_with("<:") || reference.starts_with("<a:")) {
        return None;
    }
    let mut parts = reference.split([':', '<', '>']);
    let name = parts.find(|part| part.chars().nth(1).is_some())?;
    let start = reference.find(name)?;
    words.is_call_word(&fold(name)).then_some(start..start + name.len())
}
