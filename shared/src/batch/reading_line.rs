//! A reading as a line of a batch. Entry point: [`line_of_reading`].

use std::fmt;

use serde::Serialize;

use super::signal_form::SignalForm;
use super::update_form::UpdateForm;
use crate::post::Post;
use crate::reading::{Evidence, Field, Part, Reading, Verdict};

/// The line: always `id`, `kind`, `reader_version` and `evidence`; the rest as the kind wants it.
#[derive(Serialize)]
struct ReadingLine<'r> {
    id: &'r str,
    kind: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    signals: Vec<SignalForm<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    update: Option<UpdateForm<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'r str>,
    reader_version: u32,
    evidence: Vec<EvidenceForm<'r>>,
}

/// One stretch of the post, with its text.
#[derive(Serialize)]
struct EvidenceForm<'r> {
    of: u16,
    field: Field,
    part: Part,
    start: u32,
    end: u32,
    text: Option<&'r str>,
}

/// The reading of a post as one JSON object, without a line's end. The post lends the texts of the evidence.
pub fn line_of_reading(id: &str, post: &Post, reading: &Reading) -> String {
    let evidence = reading.evidence.iter().map(|evidence| EvidenceForm::of(evidence, post)).collect();
    let line = ReadingLine {
        id,
        kind: kind(&reading.verdict),
        signals: reading.verdict.signals().iter().map(SignalForm::from).collect(),
        update: UpdateForm::of(reading.verdict.updates()),
        reason: reading.verdict.reason(),
        reader_version: reading.reader_version,
        evidence,
    };
    line.to_string()
}

impl fmt::Display for ReadingLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Texts, numbers and lists of them always have a JSON form: this cannot fail.
        let text = serde_json::to_string(self).map_err(|_| fmt::Error)?;
        f.write_str(&text)
    }
}

impl<'r> EvidenceForm<'r> {
    fn of(evidence: &Evidence, post: &'r Post) -> Self {
        let Evidence { of, field, part, start, end } = *evidence;
        Self { of, field, part, start, end, text: evidence.text(post) }
    }
}

/// The contract's names; those of the API differ.
fn kind(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Signals { .. } => "signal",
        Verdict::Updates { .. } => "update",
        Verdict::Noise { .. } => "noise",
        Verdict::Abstained { .. } => "abstain",
    }
}
