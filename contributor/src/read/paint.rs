//! Texts of posts with the stretches that were read: coloured, or marked as `[entry 64200]`.
//!
//! Entry points: [`paint`], [`safe`]. Invariant: nothing of a post reaches the terminal that could steer it or turn its
//! text around: such characters are shown as `<U+202E>`.

use shared::post::Post;
use shared::reading::{Evidence, Field, Part};

/// How stretches are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// In the colours of a terminal.
    Colors,
    /// In brackets with the name of the field.
    Marks,
}

/// Ends every colour.
const RESET: &str = "\u{1b}[0m";

/// The name of a field, and its colour in the terminal's own numbers: what decides a trade is bold.
pub(super) fn look(field: Field) -> (&'static str, &'static str) {
    match field {
        Field::Symbol => ("symbol", "1;36"),
        Field::Venue => ("venue", "36"),
        Field::Market => ("market", "4;36"),
        Field::Option => ("option", "96"),
        Field::Side => ("side", "1;35"),
        Field::Entry => ("entry", "1;33"),
        Field::Target => ("target", "1;32"),
        Field::Stop => ("stop", "1;31"),
        Field::Leverage => ("leverage", "35"),
        Field::MarginMode => ("margin_mode", "4;35"),
        Field::Risk => ("risk", "33"),
        Field::Size => ("size", "4;33"),
        Field::Timeframe => ("timeframe", "34"),
        Field::Expiry => ("expiry", "4;34"),
        Field::Confidence => ("confidence", "94"),
        Field::Reference => ("reference", "4;32"),
        Field::Scope => ("scope", "1;96"),
        Field::Action => ("action", "1;95"),
    }
}

/// A name in the colour of its field.
pub(super) fn colored(field: Field) -> String {
    let (name, color) = look(field);
    format!("\u{1b}[{color}m{name}{RESET}")
}

/// A stretch and the fields that were read from it.
struct Stretch {
    start: usize,
    end: usize,
    /// As the marks name them: with a number where there are several signals.
    names: Vec<String>,
    color: &'static str,
}

/// The text of a part with its stretches shown. `prefix` begins every line; `numbered`: marks say which signal is meant.
pub(super) fn paint(
    post: &Post,
    part: Part,
    evidence: &[Evidence],
    (style, prefix, numbered): Look<'_>,
) -> String {
    let Some(text) = part.text(post) else { return String::new() };
    let own =
        evidence.iter().filter(|one| one.part == part && one.text(post).is_some_and(|text| !text.is_empty()));
    let stretches = stretches(own, numbered);
    let mut canvas = Canvas { out: prefix.to_owned(), style, prefix };
    let (mut at, mut open) = (0, Vec::new());
    for stretch in &stretches {
        at = canvas.advance(text, (at, stretch.start), &mut open);
        open.push(stretch);
    }
    canvas.advance(text, (at, text.len()), &mut open);
    canvas.out.push('\n');
    canvas.out
}

/// The style, what begins every line, and whether marks are numbered.
pub(super) type Look<'l> = (Style, &'l str, bool);

/// Stretches by their starts, outer ones first; fields that share a stretch are one.
fn stretches<'e>(evidence: impl Iterator<Item = &'e Evidence>, numbered: bool) -> Vec<Stretch> {
    let mut sorted: Vec<&Evidence> = evidence.collect();
    sorted.sort_by_key(|one| (one.start, std::cmp::Reverse(one.end), one.of, one.field));
    let mut stretches: Vec<Stretch> = Vec::new();
    for one in sorted {
        let (Ok(start), Ok(end)) = (usize::try_from(one.start), usize::try_from(one.end)) else { continue };
        let (name, color) = look(one.field);
        let name = if numbered { format!("{name}#{}", u32::from(one.of) + 1) } else { name.to_owned() };
        match stretches.last_mut() {
            Some(last) if (last.start, last.end) == (start, end) => {
                if !last.names.contains(&name) {
                    last.names.push(name);
                }
            }
            _ => stretches.push(Stretch { start, end, names: vec![name], color }),
        }
    }
    stretches
}

struct Canvas<'l> {
    out: String,
    style: Style,
    prefix: &'l str,
}

impl Canvas<'_> {
    /// Writes `from..to` of the text; each place belongs to the innermost stretch that is open there.
    fn advance(&mut self, text: &str, (mut from, to): (usize, usize), open: &mut Vec<&Stretch>) -> usize {
        while from < to {
            while open.last().is_some_and(|stretch| stretch.end <= from) {
                open.pop();
            }
            let end = open.last().map_or(to, |stretch| stretch.end.min(to));
            let piece = text.get(from..end).unwrap_or_default();
            match open.last() {
                Some(stretch) => self.stretch(stretch, piece),
                None => self.lines(piece, "", ""),
            }
            from = end;
        }
        from
    }

    fn stretch(&mut self, stretch: &Stretch, piece: &str) {
        match self.style {
            Style::Colors => self.lines(piece, &format!("\u{1b}[{}m", stretch.color), RESET),
            Style::Marks => {
                // Spaces at the ends, where an inner stretch begins, stay outside.
                let inside = piece.trim();
                let (before, after) = piece.split_once(inside).unwrap_or_default();
                self.lines(before, "", "");
                if !inside.is_empty() {
                    self.out.extend(["[", &stretch.names.join("+"), " "]);
                    self.lines(inside, "", "");
                    self.out.push(']');
                }
                self.lines(after, "", "");
            }
        }
    }

    /// Writes text line by line, each between `before` and `after`, so that no colour runs into the next line's prefix.
    fn lines(&mut self, text: &str, before: &str, after: &str) {
        for (at, line) in text.split('\n').enumerate() {
            if at > 0 {
                self.out.push('\n');
                self.out.push_str(self.prefix);
            }
            if !line.is_empty() {
                let line = safe(line.strip_suffix('\r').unwrap_or(line));
                self.out.extend([before, &line, after]);
            }
        }
    }
}

/// The text with everything shown that could steer a terminal or hide: on one line.
pub(super) fn safe(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_hostile(letter) {
            shown += &format!("<U+{:04X}>", u32::from(letter));
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// Control characters but the tab, and invisible ones that turn text around or have no width. The joiners stay: emoji and
/// Persian are written with them.
fn is_hostile(letter: char) -> bool {
    let invisible = matches!(letter, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}');
    invisible || letter.is_control() && letter != '\t'
}
