//! One JSON file of candles: an array of objects with the columns as keys and decimals as strings.
//!
//! Entry point: [`JsonFile::next`]. The file is read whole; when it has been read and its size has changed, it is read
//! again and goes on after the last candle given. Whoever writes it must replace it in one step (rename).

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use serde_json::value::RawValue;
use time::OffsetDateTime;

use super::row::{FileName, Row, follows};
use super::{Candle, CandlesError};

/// The largest file in bytes: about 500,000 candles, a year of minutes. Longer ones belong into CSV, which is streamed.
const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// A JSON file that is being read.
pub(super) struct JsonFile {
    path: PathBuf,
    name: FileName,
    /// Its size when it was read.
    bytes: Option<u64>,
    waiting: VecDeque<Candle>,
    last: Option<OffsetDateTime>,
}

impl JsonFile {
    pub(super) fn open(path: &Path, name: FileName) -> Result<Self, CandlesError> {
        let mut file =
            Self { path: path.to_owned(), name, bytes: None, waiting: VecDeque::new(), last: None };
        file.read()?;
        Ok(file)
    }

    /// The next candle of the file; `None` when there is none yet.
    pub(super) fn next(&mut self) -> Result<Option<Candle>, CandlesError> {
        if self.waiting.is_empty() {
            self.read()?;
        }
        let candle = self.waiting.pop_front();
        self.last = candle.as_ref().map(|candle| candle.closed_at).or(self.last);
        Ok(candle)
    }

    /// Reads the file if its size is new, and keeps what comes after the last candle.
    fn read(&mut self) -> Result<(), CandlesError> {
        let failed = |error: std::io::Error| self.error(None, error.to_string());
        let bytes = std::fs::metadata(&self.path).map_err(failed)?.len();
        if self.bytes == Some(bytes) {
            return Ok(());
        }
        if bytes > MAX_FILE_BYTES {
            let reason =
                format!("it has {bytes} bytes, more than {MAX_FILE_BYTES}: use CSV, which is streamed");
            return Err(self.error(None, reason));
        }
        let text = std::fs::read_to_string(&self.path).map_err(failed)?;
        let candles = self.parsed(&text).map_err(|(line, reason)| self.error(Some(line), reason))?;
        let is_new = |candle: &Candle| self.last.is_none_or(|last| candle.closed_at > last);
        self.waiting = candles.into_iter().filter(is_new).collect();
        self.bytes = Some(bytes);
        Ok(())
    }

    /// The candles of the text, or the line that is wrong and what is wrong with it.
    fn parsed(&self, text: &str) -> Result<Vec<Candle>, (usize, String)> {
        let rows: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| {
            (error.line(), format!("expected an array of candles: {}", without_place(&error)))
        })?;
        let mut candles: Vec<Candle> = Vec::with_capacity(rows.len());
        let (mut line, mut counted) = (1, 0);
        for row in rows {
            // Each row is a slice of the text: the distance of their beginnings is its offset.
            let offset = row.get().as_ptr().addr() - text.as_ptr().addr();
            line += newlines(&text.as_bytes()[counted..offset]);
            counted = offset;
            let row: Row = serde_json::from_str(row.get())
                .map_err(|error| (line + error.line() - 1, without_place(&error)))?;
            let candle = row.candle(self.name.length).map_err(|reason| (line, reason))?;
            if let Some(reason) = follows(candles.last().map(|last| last.closed_at), &candle) {
                return Err((line, reason));
            }
            candles.push(candle);
        }
        Ok(candles)
    }

    fn error(&self, line: Option<usize>, reason: String) -> CandlesError {
        let file = self.path.display();
        let place = line.map_or_else(|| file.to_string(), |line| format!("{file}, line {line}"));
        CandlesError { place, reason }
    }
}

fn newlines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

/// The error without its line and column, which count from the begin of the row.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason).to_owned()
}
