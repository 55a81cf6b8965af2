//! Characters: what single characters of a text stand for, and which of them nobody sees.
//!
//! Entry points: [`settle`] for what Unicode's normal form leaves, [`spelled`] and [`circled`] for what it would spoil. Tables of
//! facts about writing; in which order they are applied is decided in `clean`.

use unicode_normalization::char::decompose_canonical;

use super::simplified::simplified;

/// Format characters, variation selectors and private characters: nobody sees them, and they split words and numbers.
pub(super) fn is_invisible(character: char) -> bool {
    !character.is_ascii()
        && matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{8e2}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{110bd}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}')
}

/// The sign that makes a keycap of the digit before it.
pub(super) const KEYCAP: char = '\u{20e3}';

/// Digits that count zeros: `0.0₆418`.
pub(super) fn is_subscript(character: char) -> bool {
    matches!(character, '₀'..='₉')
}

/// Lower case of the same length in bytes; the few letters that change their length keep their case.
pub(super) fn lower(character: char) -> char {
    if character.is_ascii() {
        return character.to_ascii_lowercase();
    }
    let mut small = character.to_lowercase();
    match (small.next(), small.next()) {
        (Some(one), None) if one.len_utf8() == character.len_utf8() => one,
        _ => character,
    }
}

/// Characters that NFKC would glue to their neighbours.
pub(super) fn spelled(character: char) -> Option<&'static str> {
    Some(match character {
        '½' => "1/2",
        '⅓' => "1/3",
        '¼' => "1/4",
        '⅔' => "2/3",
        '¾' => "3/4",
        '¹' | '²' | '³' | '⁰'..='⁹' | '™' | '®' => " ",
        '，' | '、' => ", ",
        '。' => " . ",
        '【' | '「' | '『' | '〖' => " [ ",
        '】' | '」' | '』' | '〗' => " ] ",
        _ => return None,
    })
}

/// Circled, bracketed and dotted digits of all fonts.
pub(super) fn circled(character: char) -> Option<u32> {
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

/// What NFKC leaves: digits of other scripts, dashes, quotes, markup, accents, and letters that are written in two ways.
pub(super) fn settle(character: char) -> Option<char> {
    let digit = |zero: u32| char::from_digit(u32::from(character) - zero, 10);
    Some(match character {
        '*' | '`' | '\u{20e3}' | '\u{300}'..='\u{36f}' | '\u{640}' | '\u{64b}'..='\u{65f}' => return None,
        '\r' | '\u{2028}' | '\u{2029}' | '\u{b}' | '\u{c}' => '\n',
        _ if character.is_ascii() => character,
        '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => latin(character),
        '\u{660}'..='\u{669}' => return digit(0x660),
        '\u{6f0}'..='\u{6f9}' => return digit(0x6f0),
        '\u{966}'..='\u{96f}' => return digit(0x966),
        '٫' => '.',
        '٬' | '’' | '‘' => '\'',
        '“' | '”' | '„' | '«' | '»' => '"',
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' | '➖' | '〜' => '-',
        '،' => ',',
        '؟' => '?',
        '⟶' | '➡' | '➔' | '➜' | '⇒' | '➝' | '⮕' => '→',
        'ё' => 'е',
        'Ё' => 'Е',
        'أ' | 'إ' | 'آ' => 'ا',
        'ي' | 'ى' => 'ی',
        'ك' => 'ک',
        other => simplified(other),
    })
}

/// A Latin letter without its accents: authors leave them out as often as not.
fn latin(character: char) -> char {
    let mut base = None;
    decompose_canonical(character, |part| base = base.or(Some(part)));
    match character {
        'ı' => 'i',
        'ø' => 'o',
        'Ø' => 'O',
        'đ' => 'd',
        'Đ' => 'D',
        'ł' => 'l',
        'Ł' => 'L',
        _ => base.filter(char::is_ascii).unwrap_or(character),
    }
}
