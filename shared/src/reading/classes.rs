//! Classes: what clean-up and the cutting of tokens ask of a character, worked out once for each and then looked up.
//!
//! Entry points: [`Class::of`] for a character, [`Bytes::of`] for a whole text. Invariant: a class says nothing that the functions
//! in `characters` do not say; it only says it faster.

use std::sync::LazyLock;

use unicode_normalization::char::canonical_combining_class;
use unicode_normalization::{IsNormalized, is_nfkc_quick};

use super::characters::{KEYCAP, circled, is_invisible, is_subscript, lower, settle, spelled};
use super::tokens::is_unspaced;

/// What is to be known of a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Class(u8);

/// Clean-up leaves it as it is, unless a mark follows.
const AS_IS: u8 = 1;
/// Clean-up puts at most one other character in its place, unless a mark follows.
const SETTLED: u8 = 2;
/// Nobody sees it.
const INVISIBLE: u8 = 4;
/// It changes the character before it.
const MARK: u8 = 8;
/// A letter of any script.
const LETTER: u8 = 16;
/// Its lower case is another character.
const UPPER: u8 = 32;
/// It may stand inside a word: a letter or a digit of any script, but none of a script without spaces.
const INNER: u8 = 64;

/// All characters that posts are full of have a smaller number: behind the emoji come rare ideographs only.
const MANY: u32 = 0x2_0000;

impl Class {
    /// The class of a character.
    pub(super) fn of(character: char) -> Self {
        static ALL: LazyLock<Vec<Class>> = LazyLock::new(|| {
            let class = |number: u32| char::from_u32(number).map_or(Class(0), Class::found);
            (0..MANY).map(class).collect()
        });
        let known = usize::try_from(u32::from(character)).ok().and_then(|number| ALL.get(number));
        known.copied().unwrap_or_else(|| Self::found(character))
    }

    /// What all characters of a text that are not ASCII have in common, and what any of them has.
    pub(super) fn all_and_any(text: &str) -> (Self, Self) {
        let (mut all, mut any) = (u8::MAX, 0);
        for (_, character) in beyond_ascii(text) {
            let Class(class) = Class::of(character);
            all &= class;
            any |= class;
        }
        (Self(all), Self(any))
    }

    /// The class of a character, worked out.
    fn found(character: char) -> Self {
        let is_mark = canonical_combining_class(character) != 0 || character == KEYCAP;
        let needs_context = matches!(character, '·' | '∙' | '⋅') || is_subscript(character);
        let is_plain = !is_mark
            && !needs_context
            && !matches!(character, '*' | '`' | '\r')
            && circled(character).is_none()
            && spelled(character).is_none()
            && is_nfkc_quick(std::iter::once(character)) == IsNormalized::Yes;
        let flags = [
            (AS_IS, is_plain && settle(character) == Some(character)),
            (SETTLED, is_plain),
            (INVISIBLE, is_invisible(character)),
            (MARK, is_mark),
            (LETTER, character.is_alphabetic()),
            (UPPER, lower(character) != character),
            (INNER, character.is_alphanumeric() && !is_unspaced(character)),
        ];
        Self(flags.into_iter().filter(|(_, holds)| *holds).fold(0, |all, (flag, _)| all | flag))
    }

    fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }

    /// True when clean-up leaves it as it is, unless a mark follows.
    pub(super) fn is_as_is(self) -> bool {
        self.has(AS_IS)
    }

    /// True when clean-up only settles it, unless a mark follows.
    pub(super) fn is_settled(self) -> bool {
        self.has(SETTLED)
    }

    /// True for what nobody sees.
    pub(super) fn is_invisible(self) -> bool {
        self.has(INVISIBLE)
    }

    /// True for what changes the character before it: accents, vowel signs, the keycap.
    pub(super) fn is_mark(self) -> bool {
        self.has(MARK)
    }

    /// True for letters of all scripts.
    pub(super) fn is_letter(self) -> bool {
        self.has(LETTER)
    }

    /// True for letters and digits, but not for those of scripts without spaces.
    pub(super) fn is_inside_word(self) -> bool {
        self.has(INNER)
    }

    /// True when its lower case is another character.
    pub(super) fn is_upper(self) -> bool {
        self.has(UPPER)
    }
}

/// The characters of a text that are not ASCII, with their first bytes: most texts have few.
pub(super) fn beyond_ascii(text: &str) -> impl Iterator<Item = (usize, char)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let mut rest = text.as_bytes().get(at..)?;
        while let Some((eight, behind)) = rest.split_first_chunk::<8>()
            && eight.is_ascii()
        {
            rest = behind;
        }
        let start = text.len() - rest.len() + rest.iter().position(|byte| !byte.is_ascii())?;
        let character = text[start..].chars().next()?;
        at = start + character.len_utf8();
        Some((start, character))
    })
}

/// What the bytes of a text let one expect of it: one look at each tells which steps of clean-up have nothing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bytes(u8);

/// It is not ASCII alone.
const BEYOND_ASCII: u8 = 1;
/// `<`: perhaps a mention.
const OPENING: u8 = 2;
/// `/`: perhaps an address, where a colon stands, too.
const SLASH: u8 = 4;
/// `w`: perhaps an address, where a dot stands, too.
const LETTER_W: u8 = 8;
/// `:` or `.`.
const POINT: u8 = 16;
/// `~`: perhaps something is struck out.
const TILDE: u8 = 32;
/// Markup, or a line end of two characters.
const MARKUP: u8 = 64;

impl Bytes {
    const EACH: [u8; 256] = {
        let mut each = [0; 256];
        let mut byte = 128;
        while byte < 256 {
            each[byte] = BEYOND_ASCII;
            byte += 1;
        }
        each[b'<' as usize] = OPENING;
        each[b'/' as usize] = SLASH;
        each[b'w' as usize] = LETTER_W;
        each[b'W' as usize] = LETTER_W;
        each[b':' as usize] = POINT;
        each[b'.' as usize] = POINT;
        each[b'~' as usize] = TILDE;
        each[b'*' as usize] = MARKUP;
        each[b'`' as usize] = MARKUP;
        each[b'\r' as usize] = MARKUP;
        each
    };

    /// What all bytes of a text say.
    pub(super) fn of(text: &str) -> Self {
        Self(text.bytes().fold(0, |all, byte| all | Self::EACH[usize::from(byte)]))
    }

    /// True when every byte is ASCII.
    pub(super) fn is_ascii(self) -> bool {
        self.0 & BEYOND_ASCII == 0
    }

    /// False when there is surely no mention, no custom emoji and no address.
    pub(super) fn may_refer(self) -> bool {
        self.0 & OPENING != 0 || self.0 & POINT != 0 && self.0 & (SLASH | LETTER_W) != 0
    }

    /// False when surely nothing is struck out.
    pub(super) fn may_strike(self) -> bool {
        self.0 & TILDE != 0
    }

    /// How many bytes at the start of a text are ASCII and no markup.
    pub(super) fn plain_length(text: &str) -> usize {
        let special = |byte: &u8| Self::EACH[usize::from(*byte)] & (BEYOND_ASCII | MARKUP) != 0;
        text.as_bytes().iter().position(special).unwrap_or(text.len())
    }

    /// True when there is markup, or a line end of two characters.
    pub(super) fn has_markup(self) -> bool {
        self.0 & MARKUP != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_tell_what_a_text_may_hold() {
        let plain = Bytes::of("Entry 0.5, TP 0.6\nSL 0.4");
        assert!(plain.is_ascii() && !plain.may_refer() && !plain.may_strike() && !plain.has_markup());
        assert_eq!(
            (Bytes::plain_length("a.b<*"), Bytes::plain_length("aé"), Bytes::plain_length("ab")),
            (4, 1, 2)
        );
        assert_eq!(beyond_ascii("aéb🚀").collect::<Vec<_>>(), [(1, 'é'), (4, '🚀')]);
        for text in ["<@1>", "https://a.b", "www.a.b", "WWW.A.B"] {
            assert!(Bytes::of(text).may_refer(), "{text}");
        }
        assert!(
            Bytes::of("~~1~~").may_strike() && Bytes::of("a\r\n").has_markup() && !Bytes::of("ä").is_ascii()
        );
    }

    #[test]
    fn a_class_says_what_is_worked_out() {
        for character in (0..0x3_0000).filter_map(char::from_u32) {
            assert_eq!(Class::of(character), Class::found(character), "{character}");
        }
        let of = Class::of;
        assert!(of('a').is_as_is() && of('ж').is_as_is() && of('🚀').is_as_is() && of('损').is_as_is());
        assert!(of('é').is_settled() && !of('é').is_as_is() && of('–').is_settled());
        for special in ['*', '\r', '①', '½', '₅', '🔟', 'Ａ', '\u{301}', '\u{20e3}', '·', '，'] {
            assert!(!of(special).is_settled(), "{special}");
        }
        assert!(of('\u{200b}').is_invisible() && of('\u{301}').is_mark() && of('Ж').is_upper());
        assert!(of('ж').is_letter() && !of('🚀').is_letter() && !of('7').is_letter());
    }
}
