//! One CSV file of candles, read line by line, so that its size does not matter.
//!
//! Entry point: [`CsvFile::next`]. The file may grow while it is read: a line counts when its line end is there.
//! A last line without one is waited for, as long as somebody may still be writing it; then it is an error.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use shared::money::MoneyError;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::row::{COLUMNS, FileName, Row, follows};
use super::{Candle, CandlesError};

/// The longest line in bytes: a time and five numbers of 30 digits need less than 200.
const MAX_LINE_BYTES: usize = 1024;

/// A CSV file that is being read.
pub(super) struct CsvFile {
    place: String,
    name: FileName,
    reader: BufReader<File>,
    /// The line being read, as far as it is there.
    line: Vec<u8>,
    /// How many lines were read completely.
    lines: u64,
    /// The end of the last candle.
    last: Option<OffsetDateTime>,
}

impl CsvFile {
    pub(super) fn open(path: &Path, name: FileName) -> Result<Self, CandlesError> {
        let place = path.display().to_string();
        let file = File::open(path)
            .map_err(|error| CandlesError { place: place.clone(), reason: error.to_string() })?;
        Ok(Self { place, name, reader: BufReader::new(file), line: Vec::new(), lines: 0, last: None })
    }

    /// The next candle of the file; `None` when there is none yet. `until` is the time up to which candles are wanted: a
    /// half-written line of a candle that ended more than one length before is an error.
    pub(super) fn next(&mut self, until: OffsetDateTime) -> Result<Option<Candle>, CandlesError> {
        loop {
            if !self.read_line()? {
                return self.check_unfinished(until).map(|()| None);
            }
            let line = std::mem::take(&mut self.line);
            self.lines += 1;
            let text = std::str::from_utf8(&line).map_err(|_| self.error("it is not UTF-8 text"))?.trim_end();
            if self.lines == 1 {
                self.check_header(text)?;
            } else if !text.is_empty() {
                return self.parsed(text).map(Some);
            }
        }
    }

    /// Reads on; true when `line` is complete.
    fn read_line(&mut self) -> Result<bool, CandlesError> {
        // One byte more than allowed, so that a line that is too long is seen.
        let room = (MAX_LINE_BYTES + 1).saturating_sub(self.line.len()) as u64;
        let read = self.reader.by_ref().take(room).read_until(b'\n', &mut self.line);
        read.map_err(|error| self.error(&error.to_string()))?;
        if self.line.len() > MAX_LINE_BYTES {
            return Err(
                self.error_in_next(&format!("it has more than {MAX_LINE_BYTES} bytes: expected a candle"))
            );
        }
        Ok(self.line.last() == Some(&b'\n'))
    }

    fn check_unfinished(&self, until: OffsetDateTime) -> Result<(), CandlesError> {
        if self.line.is_empty() && self.lines > 0 {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&self.line);
        let (stated, _) = text.split_once(',').unwrap_or_default();
        let began = OffsetDateTime::parse(stated, &Rfc3339).ok().or(self.last);
        let late =
            began.and_then(|began| began.checked_add(self.name.length * 2)).is_none_or(|late| late < until);
        if late {
            return Err(self.error_in_next(&format!(
                "the file ends inside this line, at `{text}`: expected {} and a line end",
                COLUMNS.join(",")
            )));
        }
        Ok(())
    }

    fn check_header(&self, text: &str) -> Result<(), CandlesError> {
        let expected = COLUMNS.join(",");
        // Spreadsheets put a byte order mark in front.
        if text.strip_prefix('\u{feff}').unwrap_or(text) == expected {
            return Ok(());
        }
        Err(self.error(&format!("expected the header `{expected}`, found `{text}`")))
    }

    fn parsed(&mut self, text: &str) -> Result<Candle, CandlesError> {
        let candle = row(text).and_then(|row| row.candle(self.name.length));
        let candle = candle.map_err(|reason| self.error(&reason))?;
        if let Some(reason) = follows(self.last, &candle) {
            return Err(self.error(&reason));
        }
        self.last = Some(candle.closed_at);
        Ok(candle)
    }

    fn error(&self, reason: &str) -> CandlesError {
        CandlesError { place: format!("{}, line {}", self.place, self.lines), reason: reason.to_owned() }
    }

    fn error_in_next(&self, reason: &str) -> CandlesError {
        CandlesError { place: format!("{}, line {}", self.place, self.lines + 1), reason: reason.to_owned() }
    }
}

fn row(text: &str) -> Result<Row, String> {
    let values: Vec<&str> = text.split(',').collect();
    let [opened_at, open, high, low, close, volume] = values[..] else {
        let expected = COLUMNS.join(",");
        return Err(format!("found {} values, expected 6: {expected}", values.len()));
    };
    let in_column = |name: &'static str| move |error: MoneyError| format!("{name}: {error}");
    Ok(Row {
        opened_at: OffsetDateTime::parse(opened_at, &Rfc3339)
            .map_err(|_| format!("opened_at: `{opened_at}` is no time such as 2026-01-31T12:00:00Z"))?,
        open: open.parse().map_err(in_column("open"))?,
        high: high.parse().map_err(in_column("high"))?,
        low: low.parse().map_err(in_column("low"))?,
        close: close.parse().map_err(in_column("close"))?,
        volume: volume.parse().map_err(in_column("volume"))?,
    })
}
