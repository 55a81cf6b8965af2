//! Clean-up: a post's text as plain lines, with everything that only looks like trading words or numbers taken out.
//!
//! Entry point: [`clean`]. The order matters: invisible characters go first, because they may split anything; what was
//! struck out, mentions and addresses go next; subscript zeros, circled digits and fractions are rewritten before NFKC,
//! because NFKC would glue them to their neighbours (`TP①7.05` would become `TP17.05`).
//! Invariants: no input makes it panic; the result has at most a few times the input's length; one pass each, and only where
//! the text has something for it; every character of the result knows the place of the one that it came from.

use unicode_normalization::UnicodeNormalization;

use super::characters::{KEYCAP, circled, is_subscript, lower, settle, spelled};
use super::classes::{Bytes, Class, beyond_ascii};
use super::lookalikes;
use super::placed::{Placed, PlacedStr, Places};
use super::references;
use super::source::{Source, Stretch};
use super::words::Lexicon;

/// The first of the private characters that stand for "list number n" in a cleaned text. Private characters of the
/// input are dropped, so that nobody can write one.
const INDEX_BASE: u32 = 0xE000;
/// The highest list number that is recognised: circled digits end at 20.
const MAX_INDEX: u32 = 20;

/// A cleaned text. `plain` and `lower` have the same length, byte for byte.
#[derive(Debug, Default)]
pub(super) struct Text {
    /// The text in the author's case, without accents on Latin letters.
    pub(super) plain: String,
    /// The same in lower case.
    pub(super) lower: String,
    /// The places of its characters.
    places: Places,
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
    /// True when there may be capitals outside ASCII.
    raised: bool,
}

/// Cleans the texts of a source. `words` tells which names of custom emoji mean something.
pub(super) fn clean(source: &Source<'_>, words: Lexicon<'_>) -> Cleaned {
    let mut cleaned = Cleaned::default();
    let room = source.texts().iter().map(|stretch| stretch.text.len() + 2).sum();
    let mut plain = Placed::with_room(room);
    for stretch in source.texts() {
        if !plain.text.is_empty() {
            plain.push_all(stretch.joint, stretch.base);
        }
        cleaned.push_visible(stretch, words, &mut plain);
    }
    let folded = if plain.text.is_ascii() { None } else { lookalikes::fold(plain.as_str()) };
    cleaned.raised |= folded.is_some();
    cleaned.push_lines(folded.unwrap_or(plain));
    cleaned
}

impl Cleaned {
    /// Adds to `plain` what is seen of a text, in normal form.
    fn push_visible(&mut self, stretch: &Stretch<'_>, words: Lexicon<'_>, plain: &mut Placed) {
        let text = PlacedStr::of(stretch.text, stretch.base);
        // What holds for all characters holds for those that are left, too.
        let bytes = Bytes::of(text.text);
        if bytes.is_ascii() && !bytes.may_refer() && !bytes.may_strike() && !bytes.has_markup() {
            return plain.push_from(text, 0..text.text.len());
        }
        let (all, any) = Class::all_and_any(text.text);
        self.raised |= any.is_upper() || !all.is_as_is();
        let visible = if any.is_invisible() { text.without(Class::is_invisible) } else { None };
        let text = visible.as_ref().map_or(text, Placed::as_str);
        let (kept, gone) = if bytes.may_strike() { struck(text).unzip() } else { (None, None) };
        if let Some(gone) = gone {
            self.keep_gone(&gone);
        }
        let text = kept.as_ref().map_or(text, Placed::as_str);
        // What is invisible may hide a reference, as in `h\u{200b}ttps`.
        let refers = visible.is_some() || bytes.may_refer() && references::may_hold(stretch.text);
        let referred = if refers { Some(references::without(text, words)) } else { None };
        let as_is = all.is_as_is() && !bytes.has_markup();
        rewrite(referred.as_ref().map_or(text, Placed::as_str), as_is, plain);
    }

    /// Keeps what was struck out.
    fn keep_gone(&mut self, gone: &Placed) {
        self.struck |= !gone.text.is_empty();
        let mut plain = Placed::with_room(gone.text.len());
        rewrite(gone.as_str(), false, &mut plain);
        let mut start = 0;
        for line in plain.text.split('\n') {
            self.gone.push_line(line, (&plain.places, start));
            start += line.len() + 1;
        }
        self.gone.finish(true);
    }

    /// Sorts lines into own and quoted ones. A text that ends with its line has no further line.
    fn push_lines(&mut self, plain: Placed) {
        if !has_edges(&plain.text) {
            self.own = Text { plain: plain.text, lower: String::new(), places: plain.places };
            self.own.plain.push('\n');
            return self.own.finish(self.raised);
        }
        let text = plain.text.as_str();
        self.own.plain.reserve(text.len() + 1);
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
            into.push_line(kept, (&plain.places, end - kept.len()));
            start += line.len() + 1;
        }
        self.own.finish(self.raised);
        self.quoted.finish(self.raised);
    }
}

/// False when no line begins or ends with anything that is to be looked at: a blank, a heading, a quotation.
fn has_edges(text: &str) -> bool {
    // Outside ASCII, blanks begin with one of two bytes, and end with one of two.
    let opens = |byte: u8| byte <= b' ' || matches!(byte, b'>' | b'#' | b'-' | 0xc2 | 0xe1);
    let ends = |byte: u8| byte <= b' ' || matches!(byte, 0x80 | 0x85);
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return true };
    let pairs = bytes.iter().zip(&bytes[1..]);
    let edged = |(a, b): (&u8, &u8)| {
        // An empty line is one as it stands.
        (*a == b'\n') & (*b != b'\n') & opens(*b) | (*b == b'\n') & (*a != b'\n') & ends(*a)
    };
    opens(*first) || ends(*last) || pairs.fold(false, |found, pair| found | edged(pair))
}

impl Text {
    /// Adds a line whose first byte is byte `start` of the text that the places belong to, without blanks at its ends.
    fn push_line(&mut self, line: &str, (places, start): (&Places, usize)) {
        let kept = line.trim_start();
        let start = start + line.len() - kept.len();
        let kept = kept.trim_end();
        self.places.push_from(self.plain.len(), places, start..start + kept.len());
        self.plain.push_str(kept);
        self.plain.push('\n');
    }

    /// Writes the lower case of all lines. `raised` says that there may be capitals outside ASCII.
    fn finish(&mut self, raised: bool) {
        if !self.plain.is_empty() {
            self.lower = lowered(&self.plain, raised);
        }
    }

    /// This text, then another one on the lines below.
    pub(super) fn followed_by(&self, other: &Text) -> Text {
        let mut places = self.places.clone();
        places.push_from(self.plain.len(), &other.places, 0..other.plain.len());
        Text {
            plain: [self.plain.as_str(), &other.plain].concat(),
            lower: [self.lower.as_str(), &other.lower].concat(),
            places,
        }
    }

    /// The place in the source of the character at byte `at`.
    pub(super) fn place(&self, at: usize) -> Option<u32> {
        self.places.of(self.plain.floor_char_boundary(at))
    }

    /// True when nothing is left.
    pub(super) fn is_blank(&self) -> bool {
        self.plain.trim().is_empty()
    }
}

/// A text in lower case, byte for byte as long. `raised` says that there may be capitals outside ASCII.
fn lowered(text: &str, raised: bool) -> String {
    if !raised {
        return text.to_ascii_lowercase();
    }
    let mut lowered = String::with_capacity(text.len());
    let mut from = 0;
    for (at, character) in beyond_ascii(text).filter(|(_, character)| Class::of(*character).is_upper()) {
        lowered.push_str(&text[from..at]);
        lowered.push(lower(character));
        from = lowered.len();
    }
    lowered.push_str(&text[from..]);
    lowered.make_ascii_lowercase();
    lowered
}

/// The list number that a private character of a cleaned text stands for.
pub(super) fn index_of(character: char) -> Option<u8> {
    let number = u32::from(character).checked_sub(INDEX_BASE)?;
    u8::try_from(number).ok().filter(|number| (1..=20).contains(number))
}

/// One phrase in the form that clean-up gives the texts, so that the words of the language files meet it.
pub(super) fn fold(phrase: &str) -> String {
    let text = PlacedStr::of(phrase, 0);
    let mut plain = Placed::with_room(phrase.len());
    rewrite(text.without(Class::is_invisible).as_ref().map_or(text, Placed::as_str), false, &mut plain);
    lowered(&plain.text, true)
}

/// Markdown headings and small print: `# `, `## `, `### `, `-# `. A `#` glued to a word is a hashtag and stays.
fn without_heading(line: &str) -> &str {
    let rest = line.strip_prefix('-').filter(|rest| rest.starts_with('#')).unwrap_or(line);
    let bare = rest.trim_start_matches('#');
    let heads = bare.len() < rest.len() && bare.starts_with(' ');
    if heads { bare } else { line }
}

/// A text without its `~~struck out~~` spans, and these, each as a line; none where nothing is struck out. An opening mark
/// without a closing one is left alone.
fn struck(text: PlacedStr<'_>) -> Option<(Placed, Placed)> {
    let marks: Vec<usize> = text.text.match_indices("~~").map(|(at, _)| at).collect();
    if marks.len() < 2 {
        return None;
    }
    let mut kept = Placed::with_room(text.text.len());
    let mut gone = Placed::default();
    let mut from = 0;
    for pair in marks.chunks_exact(2) {
        gone.push_from(text, pair[0] + 2..pair[1]);
        gone.push('\n', text.place(pair[1]));
        kept.push_from(text, from..pair[0]);
        kept.push(' ', text.place(pair[0]));
        from = pair[1] + 2;
    }
    kept.push_from(text, from..text.text.len());
    Some((kept, gone))
}

/// Rewrites what NFKC would spoil, applies it, and settles what it leaves. `as_is` says that
/// nothing of it is needed.
fn rewrite(text: PlacedStr<'_>, as_is: bool, plain: &mut Placed) {
    let whole = text.text;
    if as_is {
        return plain.push_from(text, 0..whole.len());
    }
    let (mut from, mut at) = (0, 0);
    // The last character that stays as it is: it may carry a mark.
    let mut last = 0;
    while at < whole.len() {
        let run = Bytes::plain_length(&whole[at..]);
        if run > 0 {
            at += run;
            last = at - 1;
        }
        let Some(character) = whole[at..].chars().next() else { break };
        let class = Class::of(character);
        if class.is_as_is() {
            last = at;
            at += character.len_utf8();
            continue;
        }
        let special = if class.is_mark() && last >= from && at > from { last } else { at };
        plain.push_from(text, from..special);
        at = special + push_special(plain, &whole[special..], text.place(special));
        from = at;
    }
    plain.push_from(text, from..at);
}

/// Pushes what does not stay as it is at the start of a text; returns how many bytes that took.
fn push_special(plain: &mut Placed, rest: &str, place: u32) -> usize {
    let mut characters = rest.chars();
    let Some(character) = characters.next() else { return 0 };
    let next = characters.next();
    let class = Class::of(character);
    if class.is_settled() && next.is_none_or(|next| !Class::of(next).is_mark()) {
        push_settled(plain, character, place);
        return character.len_utf8();
    }
    match character {
        '0'..='9' if next == Some(KEYCAP) => {
            push_index(plain, u32::from(character) - u32::from('0'), place);
            return character.len_utf8() + KEYCAP.len_utf8();
        }
        '*' | '`' => {}
        '\r' => plain.push('\n', place),
        _ if is_subscript(character) => return push_zeros(plain, rest, place),
        // A raised decimal point.
        '·' | '∙' | '⋅' if next.is_some_and(is_digit) && plain.text.ends_with(is_digit) => {
            plain.push('.', place);
        }
        _ => match (circled(character), spelled(character)) {
            (Some(number), _) => push_index(plain, number, place),
            (None, Some(text)) => plain.push_all(text, place),
            (None, None) => return push_normal(plain, rest, place),
        },
    }
    character.len_utf8()
}

fn is_digit(character: char) -> bool {
    character.is_ascii_digit()
}

fn push_settled(plain: &mut Placed, character: char, place: u32) {
    if let Some(settled) = settle(character) {
        plain.push(settled, place);
    }
}

/// The most marks over one letter: more are decoration, and are dropped.
const MAX_MARKS: usize = 8;

/// Pushes one character with the marks over it in normal form; returns how many bytes that took.
fn push_normal(plain: &mut Placed, rest: &str, place: u32) -> usize {
    let mut characters = rest.chars();
    let Some(character) = characters.next() else { return 0 };
    let is_mark = |mark: &char| Class::of(*mark).is_mark();
    let marks: usize = characters.take_while(is_mark).map(char::len_utf8).sum();
    let cluster = rest[..character.len_utf8() + marks].chars().take(1 + MAX_MARKS);
    cluster.nfkc().for_each(|normal| push_settled(plain, normal, place));
    character.len_utf8() + marks
}

/// The most zeros that a subscript may stand for: prices have at most 18 decimals.
const MAX_ZEROS: u32 = 18;

/// `0.0₆418` has a zero written six times: one is there already. Returns how many bytes the subscript has.
fn push_zeros(plain: &mut Placed, rest: &str, place: u32) -> usize {
    let (mut count, mut length) = (0_u32, 0);
    for digit in rest.chars().take_while(|c| is_subscript(*c)) {
        count = (count * 10 + u32::from(digit) - u32::from('₀')).min(MAX_ZEROS + 1);
        length += digit.len_utf8();
    }
    let after_zero = plain.text.ends_with(".0") || plain.text.ends_with(",0");
    if after_zero && (1..=MAX_ZEROS).contains(&count) {
        (1..count).for_each(|_| plain.push('0', place));
    } else {
        plain.push(' ', place);
    }
    length
}

fn push_index(plain: &mut Placed, number: u32, place: u32) {
    plain.push(' ', place);
    if let Some(index) = char::from_u32(INDEX_BASE + number).filter(|_| (1..=MAX_INDEX).contains(&number)) {
        plain.push(index, place);
        plain.push(' ', place);
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
