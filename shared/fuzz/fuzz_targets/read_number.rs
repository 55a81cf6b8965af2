//! Fuzzes the reading of written numbers.

#![no_main]

#[path = "../../tests/material/checks.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    if let Err(problem) = checks::check_number(&text) {
        panic!("{problem}");
    }
});
