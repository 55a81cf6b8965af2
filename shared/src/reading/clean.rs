//! Clean-up: a post's text as plain lines, with everything that only looks like trading words or numbers taken out.
//!
//! Entry point: [`clean`]. The order matters: invisible characters go first, because they may split anything; what was
//! struck out, mentions and addresses go next; subscript zeros, circled digits and fractions are rewritten before NFKC,
//! because NFKC would glue them to their neighbours (`TP①7.05` would become `TP17.05`).
//! Invariants: no input makes it panic; the result has at most a few times the input's length; one pass each.

use std::iter::Peekable;
use std::str::Chars;

use unicode_normalization::UnicodeNormalization;

/// The first of the private characters that stand for "list number n" in a cleaned text. Private characters of the
/// input are dropped, so that nobody can write one.
const INDEX_BASE: u32 = 0xE000;
/// The highest list number that is recognised: circled digits end at 20.
const MAX_INDEX: u32 = 20;

/// A text after clean-up.
#[derive(Debug, Default)]
pub(super) struct Cleaned {
    /// The author's own lines.
    pub(super) own: String,
    /// The lines that quote somebody, perhaps an old signal.
    pub(super) quoted: String,
    /// True when something was struck out.
    pub(super) struck: bool,
}

/// Cleans one text.
pub(super) fn clean(text: &str) -> Cleaned {
    let visible: String = text.chars().filter(|c| !is_invisible(*c)).collect();
    let (kept, struck) = without_struck(&visible);
    let plain: String = rewrite(&without_references(&kept)).nfkc().flat_map(settle).collect();
    let mut cleaned = Cleaned { struck, ..Cleaned::default() };
    for line in plain.lines() {
        let line = line.trim();
        match line.strip_prefix('>') {
            Some(quote) => push_line(&mut cleaned.quoted, quote.trim_start_matches(['>', ' '])),
            None => push_line(&mut cleaned.own, without_heading(line)),
        }
    }
    cleaned
}

/// The list number that a private character of a cleaned text stands for.
pub(super) fn index_of(character: char) -> Option<u8> {
    let number = u32::from(character).checked_sub(INDEX_BASE)?;
    u8::try_from(number).ok().filter(|number| (1..=20).contains(number))
}

fn push_line(lines: &mut String, line: &str) {
    lines.push_str(line.trim());
    lines.push('\n');
}

/// Markdown headings and small print: `# `, `## `, `### `, `-# `. A `#` glued to a word is a hashtag and stays.
fn without_heading(line: &str) -> &str {
    let rest = line.strip_prefix('-').filter(|rest| rest.starts_with('#')).unwrap_or(line);
    let bare = rest.trim_start_matches('#');
    if bare.len() < rest.len() && bare.starts_with(' ') { bare } else { line }
}

/// Format characters, variation selectors and private characters: nobody sees them, and they split words and numbers.
fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{8e2}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{110bd}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}')
}

/// Drops `~~struck out~~` spans. An opening mark without a closing one is left alone.
fn without_struck(text: &str) -> (String, bool) {
    let mut parts = text.split("~~");
    let mut kept = String::from(parts.next().unwrap_or_default());
    let mut struck = false;
    while let Some(inside) = parts.next() {
        match parts.next() {
            Some(after) => {
                struck = true;
                kept.push(' ');
                kept.push_str(after);
            }
            None => kept.push_str(inside),
        }
    }
    (kept, struck)
}

/// Takes out `<@…>`, `<#…>`, `<:name:id>`, `<t:…>` and addresses; `[text](address)` keeps its text.
fn without_references(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['<', 'h', '(', 'w', 'H', 'W']) {
        kept.push_str(&rest[..at]);
        rest = &rest[at..];
        let skipped = reference_length(rest);
        if skipped > 0 {
            kept.push(' ');
            rest = &rest[skipped..];
        } else {
            let first = rest.chars().next().map_or(0, char::len_utf8);
            kept.push_str(&rest[..first]);
            rest = &rest[first..];
        }
    }
    kept.push_str(rest);
    kept
}

/// The longest thing between angle brackets that Discord makes: an animated emoji with a name of 32 characters.
const MAX_REFERENCE: usize = 80;

/// The length in bytes of the mention or address at the start of `text`; 0 if there is none.
fn reference_length(text: &str) -> usize {
    if let Some(inside) = text.strip_prefix('<') {
        let opens =
            ["@", "#", ":", "a:", "t:", "/", "id:", "http"].iter().any(|open| inside.starts_with(open));
        let end = inside.bytes().take(MAX_REFERENCE).position(|b| b == b'>' || b == b'\n');
        return match end {
            Some(end) if opens && inside.as_bytes()[end] == b'>' => end + 2,
            _ => 0,
        };
    }
    let address = text.strip_prefix('(').unwrap_or(text);
    let starts = ["http://", "https://", "www.", "HTTP://", "HTTPS://", "Http://", "Https://"];
    if !starts.iter().any(|start| address.starts_with(start)) {
        return 0;
    }
    let end =
        address.find(|c: char| c.is_whitespace() || matches!(c, '>' | ')' | '|')).unwrap_or(address.len());
    let bracketed = text.len() > address.len() && address[end..].starts_with(')');
    text.len() - address.len() + end + usize::from(bracketed)
}

/// Rewrites what NFKC would spoil.
fn rewrite(text: &str) -> String {
    let mut rewritten = String::with_capacity(text.len() + 16);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '₀'..='₉' => push_zeros(&mut rewritten, character, &mut characters),
            '0'..='9' if characters.peek() == Some(&'\u{20e3}') => {
                characters.next();
                push_index(&mut rewritten, u32::from(character) - u32::from('0'));
            }
            '½' => rewritten.push_str("1/2"),
            '⅓' => rewritten.push_str("1/3"),
            '¼' => rewritten.push_str("1/4"),
            '⅔' => rewritten.push_str("2/3"),
            '¾' => rewritten.push_str("3/4"),
            '¹' | '²' | '³' | '⁰'..='⁹' | '™' | '®' => rewritten.push(' '),
            '，' | '、' => rewritten.push_str(", "),
            '。' => rewritten.push_str(" . "),
            _ => match circled(character) {
                Some(number) => push_index(&mut rewritten, number),
                None => rewritten.push(character),
            },
        }
    }
    rewritten
}

/// The most zeros that a subscript may stand for: prices have at most 18 decimals.
const MAX_ZEROS: u32 = 18;

/// `0.0₆418` has a zero written six times: one is there already.
fn push_zeros(text: &mut String, first: char, characters: &mut Peekable<Chars<'_>>) {
    let digit = |c: char| u32::from(c) - u32::from('₀');
    let mut count = digit(first);
    while let Some(next) = characters.next_if(|c| ('₀'..='₉').contains(c)) {
        count = (count * 10 + digit(next)).min(MAX_ZEROS + 1);
    }
    let after_zero = text.ends_with(".0") || text.ends_with(",0");
    if after_zero && (1..=MAX_ZEROS).contains(&count) {
        text.extend((1..count).map(|_| '0'));
    } else {
        text.push(' ');
    }
}

fn push_index(text: &mut String, number: u32) {
    match char::from_u32(INDEX_BASE + number).filter(|_| (1..=MAX_INDEX).contains(&number)) {
        Some(index) => {
            text.push(' ');
            text.push(index);
            text.push(' ');
        }
        None => text.push(' '),
    }
}

/// Circled, bracketed and dotted digits of all fonts.
fn circled(character: char) -> Option<u32> {
    const RUNS: [(char, u32); 10] = [
        ('①', 20),
        ('⑴', 20),
        ('⒈', 20),
        ('⓵', 10),
        ('❶', 10),
        ('➀', 10),
        ('➊', 10),
        ('⓫', 10),
        ('🔟', 1),
        ('⓿', 1),
    ];
    let run = RUNS.iter().find_map(|(first, length)| {
        let offset = u32::from(character).checked_sub(u32::from(*first)).filter(|offset| offset < length)?;
        Some((*first, offset))
    })?;
    Some(match run {
        ('⓫', offset) => offset + 11,
        ('🔟', _) => 10,
        ('⓿', _) => 0,
        (_, offset) => offset + 1,
    })
}

/// What NFKC leaves: digits of other scripts, dashes, quotes, markup, traditional characters of keywords.
fn settle(character: char) -> Option<char> {
    let digit = |zero: u32| char::from_digit(u32::from(character) - zero, 10);
    Some(match character {
        '\u{660}'..='\u{669}' => return digit(0x660),
        '\u{6f0}'..='\u{6f9}' => return digit(0x6f0),
        '\u{966}'..='\u{96f}' => return digit(0x966),
        '٫' => '.',
        '٬' | '’' | '‘' => '\'',
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' | '➖' => '-',
        '،' => ',',
        '؟' => '?',
        '⟶' | '➡' | '➔' | '➜' | '⇒' | '➝' => '→',
        '*' | '`' | '\u{20e3}' | '\u{307}' | '\u{640}' => return None,
        '\r' | '\u{2028}' | '\u{2029}' | '\u{b}' | '\u{c}' => '\n',
        // Traditional characters of the keywords; whole texts are not converted.
        '標' => '标',
        '損' => '损',
        '價' => '价',
        '場' => '场',
        '單' => '单',
        '進' => '进',
        '買' => '买',
        '賣' => '卖',
        '槓' => '杠',
        '桿' => '杆',
        '倉' => '仓',
        '現' => '现',
        '開' => '开',
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(text: &str) -> String {
        clean(text).own.trim_end().to_owned()
    }

    #[test]
    fn what_only_looks_like_numbers_is_taken_out() {
        for (text, plain) in [
            ("<@&99887766> hi <:up:11223344> <t:1700000000:R>", "hi"),
            ("see https://charts.example/x/9912 now", "see   now"),
            ("[chart](https://charts.example/55)", "[chart]"),
            ("SL ~~2.10~~ 2.15", "SL   2.15"),
            ("**Entry** `3.5`", "Entry 3.5"),
            ("## Heading 2", "Heading 2"),
            ("a < b > c", "a < b > c"),
        ] {
            assert_eq!(own(text), plain.trim(), "{text}");
        }
    }

    #[test]
    fn numbers_keep_their_value() {
        for (text, plain) in [
            ("0.0₆418", "0.000000418"),
            ("７․８３", "7.83"),
            ("۳۲۱۵٫۵", "3215.5"),
            ("1\u{200b}2.\u{feff}5", "12.5"),
            ("𝟭𝟮", "12"),
        ] {
            assert_eq!(own(text), plain, "{text}");
        }
    }

    #[test]
    fn list_numbers_do_not_stick_to_prices() {
        for text in ["TP①7.05", "TP➊7.05", "TP ❶ 7.05", "TP 1\u{fe0f}\u{20e3} 7.05"] {
            let plain = own(text);
            assert_eq!(plain.chars().filter_map(index_of).collect::<Vec<_>>(), [1], "{text}");
            assert!(plain.ends_with(" 7.05"), "{plain}");
        }
    }

    #[test]
    fn quotes_are_kept_apart() {
        let cleaned = clean("> old call\nclose it");
        assert_eq!((cleaned.quoted.as_str(), cleaned.own.as_str()), ("old call\n", "close it\n"));
    }
}
