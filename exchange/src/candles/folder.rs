//! A folder of candle files, one per pair, given as one stream in the order of the candles' ends.
//!
//! Entry point: [`open_folder`]. Files end in `.csv` or `.json` and are named after pair and length of their candles
//! (`BTCUSDT-15m.csv`); others are left alone. Files may grow; which files there are is settled on opening.
//! Invariant: one candle per file is held in memory (JSON files are held whole, up to their limit).

use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use super::csv_file::CsvFile;
use super::json_file::JsonFile;
use super::row::FileName;
use super::{Candle, Candles, CandlesError};
use crate::order::Pair;

/// Candles from files.
pub struct CandleFolder {
    /// In the order of their pairs.
    files: Vec<PairFile>,
}

struct PairFile {
    pair: Pair,
    kind: Kind,
    /// The next candle, if it was read ahead.
    ahead: Option<Candle>,
}

enum Kind {
    Csv(CsvFile),
    Json(JsonFile),
}

/// Opens a folder of candle files, or a single such file.
pub fn open_folder(path: &Path) -> Result<CandleFolder, CandlesError> {
    let paths = if path.is_file() { vec![path.to_owned()] } else { candle_files(path)? };
    let mut files: Vec<PairFile> = Vec::new();
    for path in paths {
        let file = PairFile::open(&path)?;
        if files.iter().any(|other| other.pair == file.pair) {
            let reason = format!("another file also has candles of {}: keep one of them", file.pair);
            return Err(CandlesError { place: path.display().to_string(), reason });
        }
        files.push(file);
    }
    if files.is_empty() {
        let reason = "no candle file was found: expected files such as BTCUSDT-15m.csv".to_owned();
        return Err(CandlesError { place: path.display().to_string(), reason });
    }
    files.sort_by(|a, b| a.pair.cmp(&b.pair));
    Ok(CandleFolder { files })
}

fn candle_files(folder: &Path) -> Result<Vec<PathBuf>, CandlesError> {
    let failed = |error: std::io::Error| CandlesError {
        place: folder.display().to_string(),
        reason: error.to_string(),
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "csv" || extension == "json") {
            paths.push(path);
        }
    }
    // The system gives them in any order; the order decides which of two errors is told.
    paths.sort();
    Ok(paths)
}

impl PairFile {
    fn open(path: &Path) -> Result<Self, CandlesError> {
        let refused = |reason| CandlesError { place: path.display().to_string(), reason };
        let name = FileName::of(path).map_err(refused)?;
        let pair = name.pair.clone();
        let kind = match path.extension().and_then(|extension| extension.to_str()) {
            Some("csv") => Kind::Csv(CsvFile::open(path, name)?),
            Some("json") => Kind::Json(JsonFile::open(path, name)?),
            _ => return Err(refused("expected a file ending in .csv or .json".to_owned())),
        };
        Ok(Self { pair, kind, ahead: None })
    }

    /// Reads one candle ahead, if there is one; gives its end.
    fn look_ahead(&mut self, until: OffsetDateTime) -> Result<Option<OffsetDateTime>, CandlesError> {
        if self.ahead.is_none() {
            self.ahead = match &mut self.kind {
                Kind::Csv(file) => file.next(until)?,
                Kind::Json(file) => file.next()?,
            };
        }
        Ok(self.ahead.as_ref().map(|candle| candle.closed_at))
    }
}

impl Candles for CandleFolder {
    fn next(&mut self, until: OffsetDateTime) -> Result<Option<(Pair, Candle)>, CandlesError> {
        let mut first: Option<(OffsetDateTime, usize)> = None;
        for (index, file) in self.files.iter_mut().enumerate() {
            if let Some(end) = file.look_ahead(until)?.filter(|end| *end <= until)
                && first.is_none_or(|(earliest, _)| end < earliest)
            {
                first = Some((end, index));
            }
        }
        Ok(first.and_then(|(_, index)| {
            let file = &mut self.files[index];
            file.ahead.take().map(|candle| (file.pair.clone(), candle))
        }))
    }
}

#[cfg(test)]
mod tests;
