//! Clean-up: a post's text as plain lines, with everything that only looks like trading words or numbers taken out.
//!
//! Entry point: [`clean`]. The order matters: invisible characters go first, because they may split anything; what was
//! struck out, mentions and addresses go next; subscript zeros, circled digits and fractions are rewritten before NFKC,
//! because NFKC would glue them to their neighbours (`TP①7.05` would become `TP17.05`).
//! Invariants: no input makes it panic; the result has at most a few times the input's length; one pass each; every byte
//! of the result knows the place of the character that it came from.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;
use unicode_normalization::char::{canonical_combining_class, decompose_canonical};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

use super::lookalikes;
use super::references;
use super::source::Source;
use super::words::Lexicon;

/// The first of the private characters that stand for "list number n" in a cleaned text. Private characters of the
/// input are dropped, so that nobody can write one.
const INDEX_BASE: u32 = 0xE000;
/// The highest list number that is recognised: circled digits end at 20.
const MAX_INDEX: u32 = 20;

/// A character with the place in the source that it came from.
pub(super) type Seen = (char, u32);

/// A cleaned text. `plain` and `lower` have the same length, byte for byte.
#[derive(Debug, Default)]
pub(super) struct Text {
    /// The text in the author's case, without accents on Latin letters.
    pub(super) plain: String,
    /// The same in lower case.
    pub(super) lower: String,
    /// The place of each byte.
    places: Vec<u32>,
}

/// A source after clean-up.
#[derive(Debug, Default)]
pub(super) struct Cleaned {
    /// The author's own lines.
    pub(super) own: Text,
    /// The lines that quote somebody, perhaps an old signal.
    pub(super) quoted: Text,
    /// True when something was struck out.
    pub(super) struck: bool,
}

/// Cleans the texts of a source. `words` tells which names of custom emoji mean something.
pub(super) fn clean(source: &Source<'_>, words: Lexicon<'_>) -> Cleaned {
    let mut cleaned = Cleaned::default();
    let length = source.texts().iter().map(|stretch| stretch.text.len() + 2).sum();
    let mut plain: Vec<Seen> = Vec::with_capacity(length);
    for stretch in source.texts() {
        if !plain.is_empty() {
            plain.extend(stretch.joint.chars().map(|c| (c, stretch.base)));
        }
        if is_bare(stretch.text) {
            plain.extend(seen(stretch.text, stretch.base).filter(|(c, _)| !is_markup(*c)));
            continue;
        }
        let mut visible: Vec<Seen> =
            seen(stretch.text, stretch.base).filter(|(c, _)| !is_invisible(*c)).collect();
        if stretch.text.contains('~') {
            cleaned.struck |= strike(&mut visible);
        }
        let kept =
            if references::may_hold(stretch.text) { references::without(&visible, words) } else { visible };
        rewrite(&kept, &mut plain);
    }
    lookalikes::fold(&mut plain);
    let mut lines = plain.split(|(character, _)| *character == '\n');
    // A text that ends with its line has no further line.
    if plain.last().is_none_or(|(last, _)| *last == '\n') {
        lines.next_back();
    }
    cleaned.own.reserve(plain.len());
    for line in lines {
        let line = trimmed(line);
        match line.first() {
            Some(('>', _)) => cleaned.quoted.push_line(after(line, &['>', ' '])),
            Some(('#' | '-', _)) => cleaned.own.push_line(without_heading(line)),
            _ => cleaned.own.push_line(line),
        }
    }
    cleaned
}

/// True for a text that needs nothing but the removal of markup: plain ASCII without references and strokes.
fn is_bare(text: &str) -> bool {
    text.is_ascii() && !text.contains(['~', '\r', '\u{b}', '\u{c}']) && !references::may_hold(text)
}

fn is_markup(character: char) -> bool {
    matches!(character, '*' | '`')
}

/// The characters of a text with their places.
fn seen(text: &str, base: u32) -> impl Iterator<Item = Seen> {
    let place = move |at: usize| base.saturating_add(u32::try_from(at).unwrap_or(u32::MAX));
    text.char_indices().map(move |(at, character)| (character, place(at)))
}

impl Text {
    fn reserve(&mut self, characters: usize) {
        self.plain.reserve(characters + 1);
        self.lower.reserve(characters + 1);
        self.places.reserve(characters + 1);
    }

    fn push_line(&mut self, line: &[Seen]) {
        for (character, place) in trimmed(line) {
            self.push(*character, *place);
        }
        self.push('\n', 0);
    }

    fn push(&mut self, character: char, place: u32) {
        self.plain.push(character);
        self.lower.push(lower(character));
        self.places.push(place);
        for _ in 1..character.len_utf8() {
            self.places.push(place);
        }
    }

    /// This text, then another one on the lines below.
    pub(super) fn followed_by(&self, other: &Text) -> Text {
        Text {
            plain: [self.plain.as_str(), &other.plain].concat(),
            lower: [self.lower.as_str(), &other.lower].concat(),
            places: [self.places.as_slice(), &other.places].concat(),
        }
    }

    /// The place in the source of the character at byte `at`.
    pub(super) fn place(&self, at: usize) -> Option<u32> {
        self.places.get(at).copied()
    }

    /// True when nothing is left.
    pub(super) fn is_blank(&self) -> bool {
        self.plain.trim().is_empty()
    }
}

/// The list number that a private character of a cleaned text stands for.
pub(super) fn index_of(character: char) -> Option<u8> {
    let number = u32::from(character).checked_sub(INDEX_BASE)?;
    u8::try_from(number).ok().filter(|number| (1..=20).contains(number))
}

/// One phrase in the form that clean-up gives the texts, so that the words of the language files meet it.
pub(super) fn fold(phrase: &str) -> String {
    let mut plain = Vec::new();
    let visible: Vec<Seen> = seen(phrase, 0).filter(|(c, _)| !is_invisible(*c)).collect();
    rewrite(&visible, &mut plain);
    plain.into_iter().map(|(character, _)| lower(character)).collect()
}

/// Lower case of the same length in bytes; the few letters that change their length keep their case.
fn lower(character: char) -> char {
    if character.is_ascii() {
        return character.to_ascii_lowercase();
    }
    let mut small = character.to_lowercase();
    match (small.next(), small.next()) {
        (Some(one), None) if one.len_utf8() == character.len_utf8() => one,
        _ => character,
    }
}

fn trimmed(line: &[Seen]) -> &[Seen] {
    let blank = |(character, _): &Seen| character.is_whitespace();
    let start = line.iter().take_while(|seen| blank(seen)).count();
    let end = line[start..].iter().rev().take_while(|seen| blank(seen)).count();
    &line[start..line.len() - end]
}

fn after<'l>(line: &'l [Seen], skipped: &[char]) -> &'l [Seen] {
    let start = line.iter().take_while(|(character, _)| skipped.contains(character)).count();
    &line[start..]
}

/// Markdown headings and small print: `# `, `## `, `### `, `-# `. A `#` glued to a word is a hashtag and stays.
fn without_heading(line: &[Seen]) -> &[Seen] {
    let rest = match line {
        [('-', _), rest @ ..] if matches!(rest.first(), Some(('#', _))) => rest,
        _ => line,
    };
    let bare = after(rest, &['#']);
    let heads = bare.len() < rest.len() && matches!(bare.first(), Some((' ', _)));
    if heads { bare } else { line }
}

/// Format characters, variation selectors and private characters: nobody sees them, and they split words and numbers.
fn is_invisible(character: char) -> bool {
    !character.is_ascii()
        && matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{8e2}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{110bd}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}')
}

/// Drops `~~struck out~~` spans; true if there were any. An opening mark without a closing one is left alone.
fn strike(seen: &mut Vec<Seen>) -> bool {
    let is_mark = |at: usize| matches!(seen.get(at..at + 2), Some([('~', _), ('~', _)]));
    let mut marks = Vec::new();
    let mut at = 0;
    while at < seen.len() {
        let mark = is_mark(at);
        marks.extend(mark.then_some(at));
        at += if mark { 2 } else { 1 };
    }
    let mut kept = Vec::with_capacity(seen.len());
    let mut from = 0;
    for pair in marks.chunks_exact(2) {
        kept.extend_from_slice(&seen[from..pair[0]]);
        kept.push((' ', seen[pair[0]].1));
        from = pair[1] + 2;
    }
    kept.extend_from_slice(&seen[from..]);
    *seen = kept;
    marks.len() >= 2
}

/// Rewrites what NFKC would spoil, applies it, and settles what it leaves.
fn rewrite(seen: &[Seen], plain: &mut Vec<Seen>) {
    let mut at = 0;
    while let Some((character, place)) = seen.get(at).copied() {
        let next = seen.get(at + 1).map(|(next, _)| *next);
        at += match character {
            '0'..='9' if next == Some('\u{20e3}') => {
                push_index(plain, u32::from(character) - u32::from('0'), place);
                2
            }
            _ if is_markup(character) => 1,
            _ if character.is_ascii() && next.is_none_or(|next| next.is_ascii()) => {
                plain.push((if character == '\r' { '\n' } else { character }, place));
                1
            }
            '₀'..='₉' => push_zeros(plain, &seen[at..]),
            // A raised decimal point.
            '·' | '∙' | '⋅'
                if next.is_some_and(is_digit) && plain.last().is_some_and(|(c, _)| is_digit(*c)) =>
            {
                plain.push(('.', place));
                1
            }
            _ => {
                if let Some(number) = circled(character) {
                    push_index(plain, number, place);
                    1
                } else if let Some(text) = spelled(character) {
                    plain.extend(text.chars().map(|c| (c, place)));
                    1
                } else {
                    push_normal(plain, &seen[at..])
                }
            }
        };
    }
}

fn is_digit(character: char) -> bool {
    character.is_ascii_digit()
}

/// Characters that NFKC would glue to their neighbours.
fn spelled(character: char) -> Option<&'static str> {
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

/// The most marks over one letter: more are decoration, and are dropped.
const MAX_MARKS: usize = 8;

/// Pushes one character with the marks over it in normal form; returns how many characters that took.
fn push_normal(plain: &mut Vec<Seen>, seen: &[Seen]) -> usize {
    let (character, place) = seen[0];
    let marks = seen[1..].iter().take_while(|(mark, _)| canonical_combining_class(*mark) != 0).count();
    if marks == 0 && is_nfkc_quick(std::iter::once(character)) == IsNormalized::Yes {
        plain.extend(settle(character).map(|settled| (settled, place)));
        return 1;
    }
    let cluster = seen[..=marks.min(MAX_MARKS)].iter().map(|(character, _)| *character);
    plain.extend(cluster.nfkc().filter_map(settle).map(|settled| (settled, place)));
    1 + marks
}

/// The most zeros that a subscript may stand for: prices have at most 18 decimals.
const MAX_ZEROS: u32 = 18;

/// `0.0₆418` has a zero written six times: one is there already.
fn push_zeros(plain: &mut Vec<Seen>, seen: &[Seen]) -> usize {
    let digits = seen.iter().take_while(|(c, _)| ('₀'..='₉').contains(c));
    let (mut count, mut length) = (0_u32, 0);
    for (character, _) in digits {
        count = (count * 10 + u32::from(*character) - u32::from('₀')).min(MAX_ZEROS + 1);
        length += 1;
    }
    let place = seen[0].1;
    let after_zero = matches!(plain.as_slice(), [.., ('.' | ',', _), ('0', _)]);
    if after_zero && (1..=MAX_ZEROS).contains(&count) {
        plain.extend((1..count).map(|_| ('0', place)));
    } else {
        plain.push((' ', place));
    }
    length
}

fn push_index(plain: &mut Vec<Seen>, number: u32, place: u32) {
    plain.push((' ', place));
    if let Some(index) = char::from_u32(INDEX_BASE + number).filter(|_| (1..=MAX_INDEX).contains(&number)) {
        plain.extend([(index, place), (' ', place)]);
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

/// What NFKC leaves: digits of other scripts, dashes, quotes, markup, accents, and letters that are written in two ways.
fn settle(character: char) -> Option<char> {
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

/// Traditional characters of the keywords; whole texts are not converted.
fn simplified(character: char) -> char {
    static SIMPLE: LazyLock<FxHashMap<char, char>> = LazyLock::new(|| {
        let pairs: Vec<char> = PAIRS.chars().filter(|character| !character.is_whitespace()).collect();
        pairs.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
    });
    const PAIRS: &str = "標标損损價价場场單单進进買买賣卖槓杠桿杆倉仓現现開开關关漲涨點点將将劃划項项壓压線线觸触發发達达動动區区間间
        減减議议風风險险幣币對对個个時时號号為为撐撑賺赚虧亏續续從从後后過过還还這这來来換换實实際际計计總总餘余無无離离頭头輕轻較较確确認认
        結结補补滿满條条內内請请調调轉转報报邊边雙双";
    match character {
        '\u{4e00}'..='\u{9fff}' => SIMPLE.get(&character).copied().unwrap_or(character),
        _ => character,
    }
}

#[cfg(test)]
mod tests {
    use super::super::evidence::Part;
    use super::super::words::Words;
    use super::*;

    fn cleaned(text: &str) -> Cleaned {
        let words = Lexicon { general: Words::built_in().unwrap(), own: None };
        clean(&Source::of_text(Part::Content, text), words)
    }

    fn own(text: &str) -> String {
        cleaned(text).own.plain.trim_end().to_owned()
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
    fn every_byte_knows_where_it_came_from() {
        let text = "\u{200b}**Satış** ０.0₅１２ <:up:99> é";
        let own = cleaned(text).own;
        assert_eq!(own.plain, "Satis 0.0000012   e\n");
        assert_eq!(own.lower.len(), own.plain.len());
        let from = |at: usize| text[own.place(at).unwrap() as usize..].chars().next().unwrap();
        assert_eq!((from(0), from(4), from(6), from(10), from(14)), ('S', 'ş', '０', '₅', '２'));
        assert_eq!(own.plain.char_indices().last().map(|(at, _)| own.place(at - 1).is_some()), Some(true));
    }

    #[test]
    fn the_name_of_an_emoji_stays_only_if_it_is_a_word_of_a_call() {
        assert_eq!(own("<:short:118> SOL"), "short  SOL");
        assert_eq!(own("<a:pepe_dance:118> SOL"), "SOL");
    }

    #[test]
    fn quotes_are_kept_apart() {
        let cleaned = cleaned("> old call\nclose it");
        assert_eq!((cleaned.quoted.plain.as_str(), cleaned.own.plain.as_str()), ("old call\n", "close it\n"));
    }
}
