//! Tables: each row becomes a line of `label = cell`, with the labels of the header.
//!
//! Entry point: [`written_out`]. Invariants: a header names an entry and a stop or targets, and holds no number; a row has as
//! many cells as the header, or the table ends before it; without a row there is no table.

use std::ops::Range;

use super::super::tokens::{Kind, Token};
use super::super::words::{Found, Meaning, Slot};
use super::{apart, implied};

/// The fewest labels of a header: entry, stop and target.
const MIN_LABELS: usize = 3;
/// The widest table: a dozen targets and as many other columns.
const MAX_COLUMNS: usize = 32;

/// The longest name of a column: its label and a few words or marks more.
const MAX_HEAD: usize = 6;

/// What parts the cells of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// `|` and its drawn forms.
    Pipe,
    /// Commas without a space behind them.
    Comma,
    /// At least so many spaces.
    Gap(usize),
}

/// The text with its tables written out; none if there is no table.
pub(super) fn written_out<'t>(list: &[Token<'t>], phrases: &[Option<Found>]) -> Option<Vec<Token<'t>>> {
    let mut written: Option<Vec<Token<'t>>> = None;
    let mut at = 0;
    while at < list.len() {
        let line = line_at(list, at);
        match table(list, phrases, &line) {
            Some((rows, end)) => {
                written.get_or_insert_with(|| list[..line.start].to_vec()).extend(rows);
                at = end;
            }
            None => {
                if let Some(written) = &mut written {
                    written.extend_from_slice(&list[line.clone()]);
                }
                at = line.end;
            }
        }
    }
    written
}

fn line_at(list: &[Token<'_>], at: usize) -> Range<usize> {
    let line = list[at].line;
    at..at + list[at..].iter().take_while(|token| token.line == line).count()
}

/// The rows of the table whose header is this line, and where they end.
fn table<'t>(
    list: &[Token<'t>],
    phrases: &[Option<Found>],
    header: &Range<usize>,
) -> Option<(Vec<Token<'t>>, usize)> {
    let plain = |at: usize| match list[at].kind {
        Kind::Number(number) => number.text.len() == 1 && counts_column(list, at, header),
        kind => !matches!(kind, Kind::Mark(':' | '=' | '.' | '?')),
    };
    if header.len() < MIN_LABELS || header.end == list.len() || !header.clone().all(plain) {
        return None;
    }
    let (columns, cuts) = columns(list, phrases, header)?;
    cuts.iter().find_map(|cut| rows(list, header.end, (&columns, *cut)))
}

/// `| TP 1 | TP 2 |`: a number that ends its column, behind a word.
fn counts_column(list: &[Token<'_>], at: usize, header: &Range<usize>) -> bool {
    let divides = |token: &Token<'_>| is_pipe(token) || matches!(token.kind, Kind::Mark(','));
    let before = at.checked_sub(1).filter(|before| header.contains(before));
    let ends = match list.get(at + 1).filter(|_| header.contains(&(at + 1))) {
        Some(next) => divides(next),
        None => list[header.clone()].iter().any(divides),
    };
    ends && before.is_some_and(|before| matches!(list[before].kind, Kind::Word(_)))
}

/// The columns of a header, and the ways in which its rows may be cut.
fn columns(
    list: &[Token<'_>],
    phrases: &[Option<Found>],
    header: &Range<usize>,
) -> Option<(Vec<Range<usize>>, &'static [Cut])> {
    let has = |is: fn(&Token<'_>) -> bool| list[header.clone()].iter().any(is);
    let piped = has(is_pipe);
    let commas = has(|token| matches!(token.kind, Kind::Mark(',')));
    let columns = match (piped, commas) {
        (true, _) => split(list, header.clone(), is_pipe),
        (false, true) => split(list, header.clone(), |token| matches!(token.kind, Kind::Mark(','))),
        (false, false) => by_phrases(phrases, header),
    };
    let cuts: &[Cut] = match (piped, commas) {
        (true, _) => &[Cut::Pipe],
        (false, true) => &[Cut::Comma],
        (false, false) => &[Cut::Gap(2), Cut::Gap(1)],
    };
    is_header(list, &columns, phrases).then_some((columns, cuts))
}

fn is_pipe(token: &Token<'_>) -> bool {
    matches!(token.kind, Kind::Mark('|' | '¦') | Kind::Icon('│' | '┃' | '║'))
}

/// The stretches between dividers; the frame of the table makes no cell.
fn split(list: &[Token<'_>], line: Range<usize>, divides: fn(&Token<'_>) -> bool) -> Vec<Range<usize>> {
    let mut cells = Vec::new();
    let mut start = line.start;
    for at in line.clone() {
        if divides(&list[at]) {
            if at > line.start {
                cells.push(start..at);
            }
            start = at + 1;
        }
    }
    if start < line.end {
        cells.push(start..line.end);
    }
    cells
}

/// A header without dividers: each phrase is a column.
fn by_phrases(phrases: &[Option<Found>], header: &Range<usize>) -> Vec<Range<usize>> {
    let mut columns = Vec::new();
    let mut at = header.start;
    while at < header.end {
        let length = phrases.get(at).copied().flatten().map_or(1, |found| found.length);
        columns.push(at..at + length);
        at += length;
    }
    columns
}

/// True for a header: more labels than other words, among them the entry, and a stop or targets. A table with a column for
/// what became of each trade lists running ones.
fn is_header(list: &[Token<'_>], columns: &[Range<usize>], phrases: &[Option<Found>]) -> bool {
    let follows = |column: &Range<usize>| {
        matches!(list.get(column.start).map(|token| token.kind), Some(Kind::Word("status" | "state")))
    };
    if columns.iter().any(follows) {
        return false;
    }
    let slots: Vec<Slot> = columns.iter().filter_map(|column| slot(phrases, column)).collect();
    let has = |slot| slots.contains(&slot);
    slots.len() >= MIN_LABELS
        && columns.len() <= MAX_COLUMNS
        && slots.len() * 2 > columns.len()
        && has(Slot::Entry)
        && (has(Slot::Stop) || has(Slot::Target))
}

fn slot(phrases: &[Option<Found>], column: &Range<usize>) -> Option<Slot> {
    let found = phrases.get(column.start).copied().flatten()?;
    match found.meaning {
        // "Entry zone", "stop (1h)".
        Meaning::Label(slot) if column.len() <= MAX_HEAD => Some(slot),
        _ => None,
    }
}

/// The rows below a header as lines, and where they end; none if there are none.
fn rows<'t>(
    list: &[Token<'t>],
    start: usize,
    (columns, cut): (&[Range<usize>], Cut),
) -> Option<(Vec<Token<'t>>, usize)> {
    let mut written = Vec::new();
    let mut at = start;
    while at < list.len() {
        let line = line_at(list, at);
        if !is_ruler(&list[line.clone()]) {
            let row: Vec<Token<'t>> = match cut {
                Cut::Comma => list[line.clone()].iter().flat_map(apart).collect(),
                _ => list[line.clone()].to_vec(),
            };
            let cells = cells(&row, cut);
            if cells.len() != columns.len() {
                break;
            }
            write_row(&mut written, list, (columns, &row, &cells));
        }
        at = line.end;
    }
    (!written.is_empty()).then_some((written, at))
}

fn cells(row: &[Token<'_>], cut: Cut) -> Vec<Range<usize>> {
    match cut {
        Cut::Pipe => split(row, 0..row.len(), is_pipe),
        Cut::Comma => split(row, 0..row.len(), |token| matches!(token.kind, Kind::Mark(','))),
        Cut::Gap(least) => {
            let parts = |at: &usize| row[*at].at >= row[*at - 1].at + row[*at - 1].raw.len() + least;
            let starts: Vec<usize> = (0..1).chain((1..row.len()).filter(parts)).collect();
            let ends = starts.iter().skip(1).copied().chain([row.len()]);
            starts.iter().copied().zip(ends).map(|(start, end)| start..end).collect()
        }
    }
}

/// `| --- | :---: |` and drawn lines.
fn is_ruler(line: &[Token<'_>]) -> bool {
    line.iter().all(|token| {
        matches!(token.kind, Kind::Mark('-' | '=' | '+' | '|' | ':' | '_'))
            || matches!(token.kind, Kind::Icon('\u{2500}'..='\u{257f}'))
    })
}

/// `label = cell ; label = cell`. Columns without a name and cells without a value are left out.
fn write_row<'t>(
    written: &mut Vec<Token<'t>>,
    list: &[Token<'t>],
    (columns, row, cells): (&[Range<usize>], &[Token<'t>], &[Range<usize>]),
) {
    let mut first = true;
    for (column, cell) in columns.iter().zip(cells) {
        let named = list[column.clone()].iter().any(|token| matches!(token.kind, Kind::Word(_)));
        let empty = row[cell.clone()].iter().all(|token| matches!(token.kind, Kind::Mark(_)));
        let Some(value) = row.get(cell.start) else { continue };
        if !named || empty {
            continue;
        }
        // The label stands right before its cell, so that places still ascend.
        let (line, before) = (value.line, value.at.saturating_sub(1));
        if !first {
            written.push(implied(';', before, line));
        }
        first = false;
        // The place of a cell tells which target it is.
        let words = list[column.clone()].iter().filter(|token| !matches!(token.kind, Kind::Number(_)));
        for (nth, token) in words.enumerate() {
            let glued = nth > 0 && token.glued;
            written.push(Token { kind: token.kind, raw: "", at: before, line, glued });
        }
        written.push(implied('=', before, line));
        for (nth, token) in row[cell.clone()].iter().enumerate() {
            written.push(Token { glued: nth > 0 && token.glued, ..token.clone() });
        }
    }
}
