//! Aligned columns, and texts of strangers made harmless.

use std::fmt::Write as _;

/// A column's side.
#[derive(Clone, Copy)]
pub(super) enum Align {
    /// Texts.
    Left,
    /// Numbers.
    Right,
}

/// Rows as lines: columns as wide as their widest cell, two spaces apart, no spaces at the end.
pub(super) fn lines(aligns: &[Align], rows: &[Vec<String>]) -> Vec<String> {
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..aligns.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let mut line = String::new();
        for ((cell, align), width) in row.iter().zip(aligns).zip(&widths) {
            // Writing to a text cannot fail.
            let _ = match align {
                Align::Left => write!(line, "{cell:<width$}  "),
                Align::Right => write!(line, "{cell:>width$}  "),
            };
        }
        line.trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// A text of a stranger in at most `width` characters, without control and direction characters.
pub(super) fn plain(text: &str, width: usize) -> String {
    let clean: String = text.chars().map(|c| if is_harmful(c) { ' ' } else { c }).collect();
    if clean.chars().count() <= width {
        return clean;
    }
    clean.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// Control characters move the cursor or change colours; the others reorder or hide what follows.
fn is_harmful(c: char) -> bool {
    let hides =
        matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    c.is_control() || hides
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let rows = [["a", "1"], ["bcd", "23"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(lines(&[Align::Left, Align::Right], &rows), ["a     1", "bcd  23"]);
    }

    #[test]
    fn texts_of_strangers_cannot_take_over_the_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\u{202e}c\n", 20), "a [2Jb c ");
        assert_eq!(plain("abcdef", 4), "abc…");
    }
}
