//! The batch contract: one post a line in, one reading a line out, both as JSON.
//!
//! Entry points: [`post_of_line`], [`line_of_reading`]. The words of the contract (`tps`, `sl`, `tp_hit`…) are those of
//! the labelled posts under `tests/corpus`; they are mapped here and nowhere else.
//! Invariants: what a line says of labels or of its own id never reaches the reader; `null` means that the post does not
//! say; the same line and profile give the same bytes.

mod object;
mod post_line;
mod reading_line;
mod signal_form;
#[cfg(test)]
mod tests;
mod update_form;

pub use post_line::{BadLine, post_of_line, post_of_text};
pub use reading_line::line_of_reading;
