//! Candle files on disk: what they give, how they grow, and what is wrong with bad ones.

use std::fs;
use std::io::Write;

use tempfile::TempDir;
use time::Duration;
use time::macros::datetime;

use super::*;
use crate::candles::CandleList;

const HEADER: &str = "opened_at,open,high,low,close,volume\n";
const MIDNIGHT: OffsetDateTime = datetime!(2026-01-05 00:00 UTC);
const NEXT_DAY: OffsetDateTime = datetime!(2026-01-06 00:00 UTC);

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn csv(lines: &[&str]) -> String {
    format!("{HEADER}{}\n", lines.join("\n"))
}

/// Everything up to a time, as `pair end close`.
fn all(candles: &mut impl Candles, until: OffsetDateTime) -> Vec<String> {
    let mut told = Vec::new();
    while let Some((pair, candle)) = candles.next(until).unwrap() {
        let end = candle.closed_at - MIDNIGHT;
        told.push(format!("{pair} {} {}", end.whole_minutes(), candle.close));
    }
    told
}

/// The error on reading one file to its end.
fn error_of(name: &str, text: &str) -> String {
    let folder = folder(&[(name, text)]);
    let mut candles = match open_folder(folder.path()) {
        Ok(candles) => candles,
        Err(error) => return error.to_string(),
    };
    loop {
        match candles.next(NEXT_DAY) {
            Ok(Some(_)) => {}
            Ok(None) => panic!("no error in {text:?}"),
            Err(error) => return error.to_string(),
        }
    }
}

const BTC: [&str; 3] = [
    "2026-01-05T00:00:00Z,100,110,90,101,5",
    "2026-01-05T00:15:00Z,101,110,90,102,0",
    "2026-01-05T00:45:00Z,102,110,90,103,1.5",
];
const ETH: &str = r#"[
    {"opened_at": "2026-01-05T00:00:00Z", "open": "10", "high": "12", "low": "9", "close": "11", "volume": "1"},
    {"opened_at": "2026-01-05T00:30:00Z", "open": "10", "high": "12", "low": "9", "close": "12", "volume": "1"}
]"#;

#[test]
fn files_are_merged_by_the_ends_of_their_candles_then_by_pair() {
    let folder = folder(&[("ETHUSDT-30m.json", ETH), ("BTCUSDT-15m.csv", &csv(&BTC)), ("notes.txt", "x")]);
    let mut candles = open_folder(folder.path()).unwrap();
    assert_eq!(all(&mut candles, MIDNIGHT), Vec::<String>::new());
    let half_past = MIDNIGHT + Duration::minutes(30);
    assert_eq!(all(&mut candles, half_past), ["BTCUSDT 15 101", "BTCUSDT 30 102", "ETHUSDT 30 11"]);
    assert_eq!(all(&mut candles, NEXT_DAY), ["BTCUSDT 60 103", "ETHUSDT 60 12"]);
}

#[test]
fn a_list_gives_its_candles_in_the_same_order() {
    let folder = folder(&[("ETHUSDT-30m.json", ETH), ("BTCUSDT-15m.csv", &csv(&BTC))]);
    let mut files = open_folder(folder.path()).unwrap();
    let mut read = Vec::new();
    while let Some(candle) = files.next(NEXT_DAY).unwrap() {
        read.push(candle);
    }
    let mut list = CandleList::new(read.iter().rev().cloned());
    let mut again = open_folder(folder.path()).unwrap();
    assert_eq!(all(&mut list, NEXT_DAY), all(&mut again, NEXT_DAY));
}

#[test]
fn lines_added_to_a_csv_file_are_seen_when_they_are_complete() {
    let folder = folder(&[("BTCUSDT-15m.csv", &csv(&BTC[..1]))]);
    let until = MIDNIGHT + Duration::minutes(30);
    let mut candles = open_folder(folder.path()).unwrap();
    assert_eq!(all(&mut candles, until).len(), 1);
    let mut file = fs::File::options().append(true).open(folder.path().join("BTCUSDT-15m.csv")).unwrap();
    let (begin, rest) = BTC[1].split_at(30);
    file.write_all(begin.as_bytes()).unwrap();
    assert_eq!(all(&mut candles, until).len(), 0);
    file.write_all(rest.as_bytes()).unwrap();
    assert_eq!(all(&mut candles, until).len(), 0);
    file.write_all(b"\r\n").unwrap();
    assert_eq!(all(&mut candles, until), ["BTCUSDT 30 102"]);
}

#[test]
fn a_json_file_that_was_replaced_by_a_longer_one_goes_on_after_the_last_candle() {
    let folder = folder(&[("ETHUSDT-30m.json", ETH)]);
    let mut candles = open_folder(folder.path()).unwrap();
    assert_eq!(all(&mut candles, NEXT_DAY).len(), 2);
    let third = ETH.replacen("00:00:00Z", "01:00:00Z", 1).replacen("\"11\"", "\"10.5\"", 1);
    let third = third.lines().nth(1).unwrap().trim_end_matches(',');
    let longer = ETH.replace("\n]", &format!(",\n{third}\n]"));
    fs::write(folder.path().join("new"), longer).unwrap();
    fs::rename(folder.path().join("new"), folder.path().join("ETHUSDT-30m.json")).unwrap();
    assert_eq!(all(&mut candles, NEXT_DAY), ["ETHUSDT 90 10.5"]);
}

#[test]
fn a_bad_csv_line_is_named_with_what_was_expected() {
    let with = |line: &str| error_of("BTCUSDT-15m.csv", &csv(&[BTC[0], line]));
    for (line, words) in [
        ("2026-01-05T00:15:00Z,x,110,90,102,0", "open: `x` is not a plain decimal"),
        ("2026-01-05T00:15:00Z,101,80,90,101,0", "high 80 is below low 90"),
        ("2026-01-05T00:15:00Z,111,110,90,102,0", "open 111 is outside low 90 to high 110"),
        ("2026-01-05T00:15:00Z,101,110,90,89,0", "close 89 is outside"),
        ("2026-01-05T00:10:00Z,101,110,90,102,0", "expected ascending times"),
        ("05.01.2026,101,110,90,102,0", "is no time such as"),
        ("2026-01-05T00:15:00Z,101,110,90,102", "found 5 values, expected 6"),
        ("2026-01-05T00:15:00Z,101,110,90,102,-1", "volume: "),
    ] {
        let error = with(line);
        assert!(error.contains("BTCUSDT-15m.csv, line 3") && error.contains(words), "{error}");
    }
}

#[test]
fn a_csv_file_that_ends_inside_a_line_is_an_error_once_nobody_can_be_writing_it() {
    let cut = format!("{}2026-01-05T00:15:00Z,101,11", csv(&BTC[..1]));
    let folder = folder(&[("BTCUSDT-15m.csv", &cut)]);
    let mut candles = open_folder(folder.path()).unwrap();
    assert_eq!(all(&mut candles, MIDNIGHT + Duration::minutes(45)).len(), 1);
    let error = candles.next(MIDNIGHT + Duration::minutes(46)).unwrap_err().to_string();
    assert!(error.contains("line 3") && error.contains("ends inside this line"), "{error}");
    let empty = error_of("BTCUSDT-15m.csv", "");
    assert!(empty.contains("line 1") && empty.contains("expected opened_at,open"), "{empty}");
}

#[test]
fn a_csv_file_without_the_header_or_with_an_endless_line_is_an_error() {
    let headless = error_of("BTCUSDT-15m.csv", &format!("{}\n", BTC[0]));
    assert!(headless.contains("line 1") && headless.contains("expected the header"), "{headless}");
    let endless = error_of("BTCUSDT-15m.csv", &format!("{HEADER}{}", "1".repeat(5000)));
    assert!(endless.contains("line 2") && endless.contains("more than 1024 bytes"), "{endless}");
}

#[test]
fn a_bad_json_file_is_named_with_line_and_what_was_expected() {
    for (from, to, words) in [
        (
            "\"12\", \"low\": \"9\", \"close\": \"12\"",
            "\"8\", \"low\": \"9\", \"close\": \"12\"",
            "high 8 is below low 9",
        ),
        ("\"close\": \"12\"", "\"close\": \"dozen\"", "`dozen` is not a plain decimal"),
        ("00:30:00Z", "00:20:00Z", "expected ascending times"),
        ("\"close\": \"12\"", "\"shut\": \"12\"", "unknown field `shut`"),
    ] {
        let error = error_of("ETHUSDT-30m.json", &ETH.replace(from, to));
        assert!(error.contains("ETHUSDT-30m.json, line 3") && error.contains(words), "{error}");
    }
    let cut = error_of("ETHUSDT-30m.json", &ETH[..ETH.len() - 20]);
    assert!(cut.contains("line 3") && cut.contains("EOF"), "{cut}");
    let other = error_of("ETHUSDT-30m.json", "{}");
    assert!(other.contains("expected an array of candles"), "{other}");
}

#[test]
fn a_folder_must_hold_well_named_files_one_per_pair() {
    let error = |files: &[(&str, &str)]| open_folder(folder(files).path()).err().unwrap().to_string();
    assert!(error(&[]).contains("no candle file was found"));
    assert!(error(&[("BTC.csv", "")]).contains("expected a name such as BTCUSDT-15m.csv"));
    assert!(error(&[("BTCUSDT-15m.csv", ""), ("BTCUSDT-1h.csv", "")]).contains("another file also has"));
    let missing = open_folder(Path::new("no such folder")).err().unwrap().to_string();
    assert!(missing.contains("no such folder"), "{missing}");
}
