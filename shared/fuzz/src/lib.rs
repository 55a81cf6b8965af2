//! What the fuzz targets check: the same as the reader's tests do.

#[path = "../../tests/reader/material/checks.rs"]
mod checks;

/// Ends the run when something does not hold for a text that is read.
pub fn text(data: &[u8]) {
    report(checks::check_text(&String::from_utf8_lossy(data)));
}

/// Ends the run when something does not hold for a written number.
pub fn number(data: &[u8]) {
    report(checks::check_number(&String::from_utf8_lossy(data)));
}

fn report(checked: Result<(), String>) {
    if let Err(problem) = checked {
        panic!("{problem}");
    }
}
