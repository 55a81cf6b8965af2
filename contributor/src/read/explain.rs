//! A post and its reading for people: the text with what was read from it, and the verdict.
//!
//! Entry point: [`explain`]. Invariant: what is shown of a post cannot steer a terminal.

use std::collections::BTreeSet;

use shared::post::{Embed, Post};
use shared::reading::{EmbedPlace, Field, Part, Reading};

use super::paint::{self, Style, safe};
use super::words;

/// What begins every line of a post's text.
const MARGIN: &str = "  | ";

/// The explanation, with an empty line at the end.
pub(super) fn explain(id: Option<&str>, post: &Post, reading: &Reading, style: Style) -> String {
    let mut out = String::new();
    if let Some(id) = id {
        out += &format!("== {}\n", safe(id));
    }
    let parts = parts(post);
    let numbered = reading.verdict.signals().len() + reading.verdict.updates().len() > 1;
    for part in &parts.named {
        if parts.named.len() > 1 || *part != Part::Content {
            out += &format!("{part}\n");
        }
        out += &paint::paint(post, *part, &reading.evidence, (style, MARGIN, numbered));
    }
    if parts.unnamed > 0 {
        out += &format!("and {} texts that no place can be named for\n", parts.unnamed);
    }
    let used: BTreeSet<Field> =
        reading.evidence.iter().filter(|one| one.text(post).is_some()).map(|one| one.field).collect();
    if style == Style::Colors && !used.is_empty() {
        out += &format!("colours: {}\n", used.into_iter().map(paint::colored).collect::<Vec<_>>().join(" "));
    }
    for line in words::verdict(reading) {
        out += &format!("{}\n", safe(&line));
    }
    out.push('\n');
    out
}

/// The texts of a post that are not empty, in reading order.
struct Parts {
    named: Vec<Part>,
    /// How many have no place that evidence could name: no real post has that many.
    unnamed: usize,
}

fn parts(post: &Post) -> Parts {
    let mut all = vec![Some(Part::Content)];
    for (at, embed) in post.embeds.iter().enumerate() {
        all.extend(places(embed).map(|place| Some(Part::Embed(index(at)?, place?))));
    }
    for (of, copy) in post.forwarded.iter().enumerate() {
        all.push(index(of).map(Part::Forwarded));
        for (at, embed) in copy.embeds.iter().enumerate() {
            all.extend(places(embed).map(|place| Some(Part::ForwardedEmbed(index(of)?, index(at)?, place?))));
        }
    }
    let unnamed = all.iter().filter(|part| part.is_none()).count();
    let written = |part: &Part| part.text(post).is_some_and(|text| !text.is_empty());
    Parts { named: all.into_iter().flatten().filter(written).collect(), unnamed }
}

/// Every place that an embed may have, in reading order.
fn places(embed: &Embed) -> impl Iterator<Item = Option<EmbedPlace>> {
    let fields = (0..embed.fields.len())
        .flat_map(|at| [index(at).map(EmbedPlace::FieldName), index(at).map(EmbedPlace::FieldValue)]);
    let head = [EmbedPlace::Author, EmbedPlace::Title, EmbedPlace::Description];
    head.into_iter().map(Some).chain(fields).chain([Some(EmbedPlace::Footer)])
}

fn index(at: usize) -> Option<u8> {
    u8::try_from(at).ok()
}

#[cfg(test)]
mod tests;
