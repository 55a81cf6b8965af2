//! Evidence: where in a post each field of its reading stands.
//!
//! Entry point: [`Evidence`]. Invariants: `start..end` lies on character boundaries of the named part's text, as the
//! contributor sent it; a field that the post does not state has no evidence.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::post::{Embed, Post};

/// One stretch of a post that a field was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct Evidence {
    /// Which signal of the reading it belongs to, counted from 0; for the fields `scope` and `action`, which update.
    pub of: u16,
    /// Which field.
    pub field: Field,
    /// Which text of the post.
    #[schema(value_type = String, example = "embeds[0].fields[2].value")]
    pub part: Part,
    /// Where it starts in that text, in bytes of UTF-8.
    pub start: u32,
    /// Where it ends.
    pub end: u32,
}

/// A field of a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// What is traded, with its quote currency.
    Symbol,
    /// The venue.
    Venue,
    /// The kind of market.
    Market,
    /// The terms of an option.
    Option,
    /// The direction.
    Side,
    /// An entry.
    Entry,
    /// A target, with its share.
    Target,
    /// The stop.
    Stop,
    /// The leverage.
    Leverage,
    /// The margin mode.
    MarginMode,
    /// The risk per trade.
    Risk,
    /// The capital per trade.
    Size,
    /// The chart's timeframe.
    Timeframe,
    /// How long the entry is valid.
    Expiry,
    /// The author's confidence.
    Confidence,
    /// The author's own id of the call.
    Reference,
    /// Which signal an update is about.
    Scope,
    /// What an update says.
    Action,
}

/// One text of a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Part {
    /// The content.
    Content,
    /// A text of an embed.
    Embed(u8, EmbedPlace),
    /// The content of a forwarded message.
    Forwarded(u8),
    /// A text of an embed of a forwarded message.
    ForwardedEmbed(u8, u8, EmbedPlace),
}

/// One text of an embed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EmbedPlace {
    /// The small line above the heading.
    Author,
    /// The heading.
    Title,
    /// The body.
    Description,
    /// The name of a field.
    FieldName(u8),
    /// The value of a field.
    FieldValue(u8),
    /// The small line at the end.
    Footer,
}

impl Evidence {
    /// The stretch itself; none if this is not evidence from that post.
    pub fn text<'p>(&self, post: &'p Post) -> Option<&'p str> {
        let start = usize::try_from(self.start).ok()?;
        self.part.text(post)?.get(start..usize::try_from(self.end).ok()?)
    }
}

impl Part {
    /// The text that it names.
    pub fn text(self, post: &Post) -> Option<&str> {
        match self {
            Part::Content => Some(&post.content),
            Part::Embed(at, place) => place.text(post.embeds.get(usize::from(at))?),
            Part::Forwarded(at) => Some(&post.forwarded.get(usize::from(at))?.content),
            Part::ForwardedEmbed(of, at, place) => {
                place.text(post.forwarded.get(usize::from(of))?.embeds.get(usize::from(at))?)
            }
        }
    }
}

impl EmbedPlace {
    fn text(self, embed: &Embed) -> Option<&str> {
        match self {
            EmbedPlace::Author => embed.author.as_deref(),
            EmbedPlace::Title => embed.title.as_deref(),
            EmbedPlace::Description => embed.description.as_deref(),
            EmbedPlace::FieldName(at) => embed.fields.get(usize::from(at)).map(|field| field.name.as_str()),
            EmbedPlace::FieldValue(at) => embed.fields.get(usize::from(at)).map(|field| field.value.as_str()),
            EmbedPlace::Footer => embed.footer.as_deref(),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Content => f.write_str("content"),
            Part::Embed(at, place) => write!(f, "embeds[{at}].{place}"),
            Part::Forwarded(of) => write!(f, "forwarded[{of}].content"),
            Part::ForwardedEmbed(of, at, place) => write!(f, "forwarded[{of}].embeds[{at}].{place}"),
        }
    }
}

impl fmt::Display for EmbedPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EmbedPlace::Author => f.write_str("author"),
            EmbedPlace::Title => f.write_str("title"),
            EmbedPlace::Description => f.write_str("description"),
            EmbedPlace::FieldName(at) => write!(f, "fields[{at}].name"),
            EmbedPlace::FieldValue(at) => write!(f, "fields[{at}].value"),
            EmbedPlace::Footer => f.write_str("footer"),
        }
    }
}

/// The text names no part of a post.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no text of a post")]
pub struct NotAPart(String);

impl FromStr for Part {
    type Err = NotAPart;
    fn from_str(text: &str) -> Result<Self, NotAPart> {
        let parsed = || match indexed(text, "forwarded") {
            _ if text == "content" => Some(Part::Content),
            Some((of, "content")) => Some(Part::Forwarded(of)),
            Some((of, rest)) => {
                let (at, place) = indexed(rest, "embeds")?;
                Some(Part::ForwardedEmbed(of, at, embed_place(place)?))
            }
            None => {
                let (at, place) = indexed(text, "embeds")?;
                Some(Part::Embed(at, embed_place(place)?))
            }
        };
        parsed().ok_or_else(|| NotAPart(text.chars().take(60).collect()))
    }
}

fn embed_place(text: &str) -> Option<EmbedPlace> {
    Some(match text {
        "author" => EmbedPlace::Author,
        "title" => EmbedPlace::Title,
        "description" => EmbedPlace::Description,
        "footer" => EmbedPlace::Footer,
        _ => match indexed(text, "fields")? {
            (at, "name") => EmbedPlace::FieldName(at),
            (at, "value") => EmbedPlace::FieldValue(at),
            _ => return None,
        },
    })
}

/// Cuts `name[3].rest` into 3 and `rest`.
fn indexed<'t>(text: &'t str, name: &str) -> Option<(u8, &'t str)> {
    let (index, rest) = text.strip_prefix(name)?.strip_prefix('[')?.split_once("].")?;
    Some((index.parse().ok()?, rest))
}

impl TryFrom<String> for Part {
    type Error = NotAPart;
    fn try_from(text: String) -> Result<Self, NotAPart> {
        text.parse()
    }
}

impl From<Part> for String {
    fn from(part: Part) -> String {
        part.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_survives_its_text() {
        let places = [
            EmbedPlace::Author,
            EmbedPlace::Title,
            EmbedPlace::Description,
            EmbedPlace::FieldName(3),
            EmbedPlace::FieldValue(24),
            EmbedPlace::Footer,
        ];
        let embeds =
            places.iter().flat_map(|place| [Part::Embed(2, *place), Part::ForwardedEmbed(0, 9, *place)]);
        for part in embeds.chain([Part::Content, Part::Forwarded(1)]) {
            assert_eq!(part.to_string().parse::<Part>(), Ok(part));
        }
        for text in ["", "title", "embeds[0]", "embeds[x].title", "forwarded[0].title", "embeds[300].title"] {
            assert!(text.parse::<Part>().is_err(), "{text}");
        }
    }
}
