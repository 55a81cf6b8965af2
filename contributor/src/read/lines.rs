//! Lines of bounded length. Entry point: [`next`]. Invariant: never more than [`MAX_LINE_BYTES`] of a line are held.

use std::io::{self, BufRead};

/// The longest line. A Discord post with ten full embeds stays below 100 KiB, also with its labels.
pub(super) const MAX_LINE_BYTES: usize = 4 * 1024 * 1024;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    /// A line, without its end.
    Whole,
    /// A line that is longer than the limit; it was passed over.
    TooLong,
    /// Nothing more.
    End,
}

/// Puts the next line into `line`.
pub(super) fn next(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Line> {
    line.clear();
    let mut found = Line::End;
    loop {
        let chunk = match input.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            chunk => chunk?,
        };
        if chunk.is_empty() {
            return Ok(found);
        }
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let part = &chunk[..end.unwrap_or(chunk.len())];
        if found == Line::TooLong || line.len() + part.len() > MAX_LINE_BYTES {
            found = Line::TooLong;
            line.clear();
        } else {
            found = Line::Whole;
            line.extend_from_slice(part);
        }
        let used = end.map_or(chunk.len(), |end| end + 1);
        input.consume(used);
        if end.is_some() {
            return Ok(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_at_their_ends_and_long_ones_are_passed_over() {
        let exact = "x".repeat(MAX_LINE_BYTES);
        let text = format!("a\n\n{exact}\n{exact}y\nlast");
        let mut input = io::BufReader::with_capacity(1000, text.as_bytes());
        let (mut line, mut found) = (Vec::new(), Vec::new());
        loop {
            match next(&mut input, &mut line).unwrap() {
                Line::End => break,
                kind => found.push((kind, line.len())),
            }
        }
        let whole = |length| (Line::Whole, length);
        assert_eq!(found, [whole(1), whole(0), whole(MAX_LINE_BYTES), (Line::TooLong, 0), whole(4)]);
        assert!(line.capacity() <= 2 * MAX_LINE_BYTES);
    }
}
