//! References: mentions, custom emoji, timestamps and addresses, whose digits must never be read as prices.
//!
//! Entry point: [`without`]. The name of a custom emoji stays when it is a word that labels or sides a call: it may be
//! the only one. Invariant: each character is looked at a bounded number of times.

use super::clean::{Seen, fold};
use super::words::Lexicon;

/// False when a text surely holds neither a bracket nor an address.
pub(super) fn may_hold(text: &str) -> bool {
    let bytes = text.as_bytes();
    let www = |at: usize| bytes.get(at..at + 4).is_some_and(|four| four.eq_ignore_ascii_case(b"www."));
    bytes.iter().enumerate().any(|(at, byte)| match byte {
        b'<' => true,
        b':' => bytes[at..].starts_with(b"://"),
        b'w' | b'W' => www(at),
        _ => false,
    })
}

/// Takes out `<@…>`, `<#…>`, `<:name:id>`, `<t:…>` and addresses; `[text](address)` keeps its text.
pub(super) fn without(seen: &[Seen], words: Lexicon<'_>) -> Vec<Seen> {
    let mut kept = Vec::with_capacity(seen.len());
    let mut at = 0;
    while let Some((character, place)) = seen.get(at) {
        let length = match character {
            '<' => bracketed(&seen[at..]),
            '(' | 'h' | 'H' | 'w' | 'W' => address(&seen[at..]),
            _ => 0,
        };
        if length == 0 {
            kept.push((*character, *place));
            at += 1;
        } else {
            kept.push((' ', *place));
            if *character == '<' {
                kept.extend(emoji_word(&seen[at..at + length], words));
            }
            at += length;
        }
    }
    kept
}

/// The longest thing between angle brackets that Discord makes: an animated emoji with a name of 32 characters.
const MAX_REFERENCE: usize = 80;

/// The length of what stands between angle brackets; 0 if it is no reference.
fn bracketed(seen: &[Seen]) -> usize {
    let opens = ["@", "#", ":", "a:", "t:", "/", "id:", "http"].iter().any(|open| starts(&seen[1..], open));
    let end = seen.iter().take(MAX_REFERENCE).position(|(c, _)| matches!(c, '>' | '\n'));
    match end {
        Some(end) if opens && seen[end].0 == '>' => end + 1,
        _ => 0,
    }
}

/// The length of an address, with the round brackets of a masked link around it; 0 if there is none.
fn address(seen: &[Seen]) -> usize {
    let open = usize::from(seen[0].0 == '(');
    let address = &seen[open..];
    if !["http://", "https://", "www."].iter().any(|start| starts(address, start)) {
        return 0;
    }
    let ends = |(c, _): &Seen| c.is_whitespace() || matches!(c, '>' | ')' | '|');
    let end = address.iter().position(ends).unwrap_or(address.len());
    let closed = open == 1 && matches!(address.get(end), Some((')', _)));
    open + end + usize::from(closed)
}

fn starts(seen: &[Seen], start: &str) -> bool {
    let mut characters = seen.iter();
    start.chars().all(|wanted| characters.next().is_some_and(|(c, _)| c.eq_ignore_ascii_case(&wanted)))
}

/// The name of a custom emoji that is a word of a call, with a space behind it.
fn emoji_word(reference: &[Seen], words: Lexicon<'_>) -> Vec<Seen> {
    let mut parts = reference.split(|(c, _)| matches!(c, ':' | '<' | '>'));
    let name = parts.find(|part| part.len() > 1).unwrap_or_default();
    let text: String = name.iter().map(|(c, _)| *c).collect();
    let custom = matches!(reference, [_, (':', _), ..] | [_, ('a', _), (':', _), ..]);
    if custom && words.is_call_word(&fold(&text)) {
        name.iter().copied().chain([(' ', name[0].1)]).collect()
    } else {
        Vec::new()
    }
}
