//! Clean-up: a post's text as plain lines, with everything that only looks like trading words or numbers taken out.
//!
//! Entry point: [`clean`]. The order matters: invisible characters go first, because they may split anything; what was
//! struck out, mentions and addresses go next; subscript zeros, circled digits and fractions are rewritten before NFKC,
//! because NFKC would glue them to their neighbours (`TP①7.05` would become `TP17.05`).
//! Invariants: no input makes it panic; the result has at most a few times the input's length; one pass each; every byte
//! of the result knows the place of the character that it came from.

use unicode_normalization::char::canonical_combining_class;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

use super::characters::{circled, is_invisible, is_settled, lower, settle, spelled};
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
    /// What was struck out.
    pub(super) gone: Text,
}

/// Cleans the texts of a source. `words` tells which names of custom emoji mean something.
pub(super) fn clean(source: &Source<'_>, words: Lexicon<'_>) -> Cleaned {
    if let [stretch] = source.texts()
        && is_bare(stretch.text)
        && !stretch.text.contains(is_markup)
        && !references::may_hold(stretch.text)
    {
        let mut cleaned = Cleaned::default();
        cleaned.push_lines(stretch.text, Places::From(stretch.base));
        return cleaned;
    }
    let mut cleaned = Cleaned::default();
    let plain = cleaned.visible(source, words);
    let (text, places) = written(plain);
    cleaned.push_lines(&text, Places::Each(&places));
    cleaned
}

/// Characters as a text, and the place of each of its bytes.
fn written(plain: Vec<Seen>) -> (String, Vec<u32>) {
    let mut text = String::with_capacity(plain.len());
    let mut places = Vec::with_capacity(plain.len());
    for (character, place) in plain {
        text.push(character);
        places.resize(text.len(), place);
    }
    (text, places)
}

/// The places of the bytes of a text.
#[derive(Clone, Copy)]
enum Places<'p> {
    /// One behind the other from this one on.
    From(u32),
    /// Each its own.
    Each(&'p [u32]),
}

impl Cleaned {
    /// What is seen of the texts of a source, in normal form.
    fn visible(&mut self, source: &Source<'_>, words: Lexicon<'_>) -> Vec<Seen> {
        let length = source.texts().iter().map(|stretch| stretch.text.len() + 2).sum();
        let mut plain: Vec<Seen> = Vec::with_capacity(length);
        for stretch in source.texts() {
            if !plain.is_empty() {
                plain.extend(stretch.joint.chars().map(|c| (c, stretch.base)));
            }
            let may_refer = references::may_hold(stretch.text);
            if !may_refer && is_bare(stretch.text) {
                plain.extend(seen(stretch.text, stretch.base).filter(|(c, _)| !is_markup(*c)));
                continue;
            }
            let mut visible: Vec<Seen> = Vec::with_capacity(stretch.text.len());
            visible.extend(seen(stretch.text, stretch.base).filter(|(c, _)| !is_invisible(*c)));
            // What is invisible may hide a reference, as in `h\u{200b}ttps`.
            let hidden = visible.len() < stretch.text.chars().count();
            if stretch.text.contains('~') {
                self.keep_gone(&strike(&mut visible));
            }
            let referring = hidden || may_refer;
            let kept = if referring { references::without(&visible, words) } else { visible };
            rewrite(&kept, &mut plain);
        }
        if source.texts().iter().any(|stretch| !stretch.text.is_ascii()) {
            lookalikes::fold(&mut plain);
        }
        plain
    }

    /// Keeps what was struck out.
    fn keep_gone(&mut self, gone: &[Seen]) {
        self.struck |= !gone.is_empty();
        let mut plain = Vec::new();
        rewrite(gone, &mut plain);
        let (text, places) = written(plain);
        let mut start = 0;
        for line in text.split('\n') {
            self.gone.push_line(line, (Places::Each(&places), start));
            start += line.len() + 1;
        }
    }

    /// Sorts lines into own and quoted ones. A text that ends with its line has no further line.
    fn push_lines(&mut self, text: &str, places: Places<'_>) {
        self.own.reserve(text.len());
        let whole = text.strip_suffix('\n').unwrap_or(text);
        let mut start = 0;
        for line in whole.split('\n').take(if text.is_empty() { 0 } else { usize::MAX }) {
            let own = line.trim();
            let (into, kept) = match own.as_bytes().first() {
                Some(b'>') => (&mut self.quoted, own.trim_start_matches(['>', ' '])),
                Some(b'#' | b'-') => (&mut self.own, without_heading(own)),
                _ => (&mut self.own, own),
            };
            // What was kept ends where the trimmed line does.
            let end = start + line.trim_end().len();
            into.push_line(kept, (places, end - kept.len()));
            start += line.len() + 1;
        }
    }
}

/// True for a text without references that needs nothing but the removal of markup: plain ASCII without strokes.
fn is_bare(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii() && !matches!(byte, b'~' | b'\r' | 0xb | 0xc))
}

/// True for ASCII that stays as it is.
fn is_usual(character: char) -> bool {
    character.is_ascii() && !is_markup(character) && character != '\r'
}

fn is_markup(character: char) -> bool {
    matches!(character, '*' | '`')
}

/// The characters of a text with their places.
fn seen(text: &str, base: u32) -> impl Iterator<Item = Seen> {
    text.char_indices().map(move |(at, character)| (character, place(base, at)))
}

/// The place of byte `at` of a text.
fn place(base: u32, at: usize) -> u32 {
    base.saturating_add(u32::try_from(at).unwrap_or(u32::MAX))
}

impl Text {
    fn reserve(&mut self, characters: usize) {
        // Most characters have one byte; the others find their room when they come.
        self.plain.reserve(characters + 1);
        self.lower.reserve(characters + 1);
        self.places.reserve(characters + 1);
    }

    /// Adds a line whose first byte is byte `start` of the text that the places belong to, without blanks at its ends.
    fn push_line(&mut self, line: &str, (places, start): (Places<'_>, usize)) {
        let start = start + line.len() - line.trim_start().len();
        let line = line.trim();
        self.plain.push_str(line);
        let from = self.lower.len();
        if line.is_ascii() {
            self.lower.push_str(line);
            if let Some(added) = self.lower.get_mut(from..) {
                added.make_ascii_lowercase();
            }
        } else {
            self.lower.extend(line.chars().map(lower));
        }
        let end = start + line.len();
        match places {
            Places::From(base) => self.places.extend((start..end).map(|at| place(base, at))),
            Places::Each(places) => self.places.extend_from_slice(places.get(start..end).unwrap_or_default()),
        }
        self.plain.push('\n');
        self.lower.push('\n');
        self.places.push(0);
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

/// Markdown headings and small print: `# `, `## `, `### `, `-# `. A `#` glued to a word is a hashtag and stays.
fn without_heading(line: &str) -> &str {
    let rest = line.strip_prefix('-').filter(|rest| rest.starts_with('#')).unwrap_or(line);
    let bare = rest.trim_start_matches('#');
    let heads = bare.len() < rest.len() && bare.starts_with(' ');
    if heads { bare } else { line }
}

/// Drops `~~struck out~~` spans, and hands them back, each as a line. An opening mark without a closing one is left alone.
fn strike(seen: &mut Vec<Seen>) -> Vec<Seen> {
    let is_mark = |at: usize| matches!(seen.get(at..at + 2), Some([('~', _), ('~', _)]));
    let mut marks = Vec::new();
    let mut at = 0;
    while at < seen.len() {
        let mark = is_mark(at);
        marks.extend(mark.then_some(at));
        at += if mark { 2 } else { 1 };
    }
    let mut kept = Vec::with_capacity(seen.len());
    let mut gone = Vec::new();
    let mut from = 0;
    for pair in marks.chunks_exact(2) {
        gone.extend_from_slice(&seen[pair[0] + 2..pair[1]]);
        gone.push(('\n', seen[pair[1]].1));
        kept.extend_from_slice(&seen[from..pair[0]]);
        kept.push((' ', seen[pair[0]].1));
        from = pair[1] + 2;
    }
    kept.extend_from_slice(&seen[from..]);
    *seen = kept;
    gone
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
            '\r' => {
                plain.push(('\n', place));
                1
            }
            _ if character.is_ascii() && next.is_none_or(|next| next.is_ascii()) => {
                let run = seen[at..].iter().take_while(|(c, _)| is_usual(*c)).count();
                // The last one of the run may carry a mark or a keycap.
                let whole = if seen.get(at + run).is_none_or(|(c, _)| c.is_ascii()) { run } else { run - 1 };
                let sure = whole.max(1);
                plain.extend_from_slice(&seen[at..at + sure]);
                sure
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

/// The most marks over one letter: more are decoration, and are dropped.
const MAX_MARKS: usize = 8;

/// Pushes one character with the marks over it in normal form; returns how many characters that took.
fn push_normal(plain: &mut Vec<Seen>, seen: &[Seen]) -> usize {
    let (character, place) = seen[0];
    let single = seen.get(1).is_none_or(|(next, _)| next.is_ascii() || is_settled(*next));
    if single && is_settled(character) {
        plain.extend(settle(character).map(|settled| (settled, place)));
        return 1;
    }
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
