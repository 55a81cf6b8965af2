//! Fuzzes the whole reader: any text, as content, as an embed, and as a reply.

#![no_main]

#[path = "../../tests/material/checks.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    if let Err(problem) = checks::check_text(&text) {
        panic!("{problem}");
    }
});
