//! The parts of a message beside its text: cards, texts laid out as components, polls, files and stickers.
//!
//! Entry points: [`cards`], [`spoken`], [`poll`], [`files`], [`stickers`]. Invariant: only the author's words come through, in reading order; what
//! Discord unfolds from a link does not, because it comes later or never.

use serde::Deserialize;
use serde_json::value::RawValue;
use shared::post::{Attachment, Embed};

use crate::source::card::RawEmbed;
use crate::source::lenient::{Id, Text, each_readable, odd_as_none};

/// The type of a card that a program wrote. The other types (`link`, `article`, `image`, `video`, `gifv`) are unfolded links.
const RICH: &str = "rich";
/// The type of a component that shows a text.
const TEXT_DISPLAY: u64 = 10;
/// Containers hold sections, sections hold texts: anything deeper is no layout that Discord allows.
const MAX_DEPTH: u8 = 4;

#[derive(Deserialize)]
pub(super) struct RawAttachment {
    #[serde(default, deserialize_with = "odd_as_none")]
    id: Option<Id>,
    #[serde(default, deserialize_with = "odd_as_none")]
    filename: Option<Text>,
    #[serde(default, deserialize_with = "odd_as_none")]
    size: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct RawComponent {
    #[serde(rename = "type", default, deserialize_with = "odd_as_none")]
    kind: Option<u64>,
    #[serde(default, deserialize_with = "odd_as_none")]
    content: Option<Text>,
    /// What it holds, read only as deep as a layout can be: a message that is nested deeper must not exhaust the stack.
    #[serde(default)]
    components: Option<Box<RawValue>>,
}

/// A poll; its results change, and are nobody's words.
#[derive(Deserialize)]
pub(super) struct RawPoll {
    #[serde(default, deserialize_with = "odd_as_none")]
    question: Option<RawMedia>,
    #[serde(default, deserialize_with = "each_readable")]
    answers: Vec<RawAnswer>,
}

#[derive(Deserialize)]
struct RawAnswer {
    #[serde(default, deserialize_with = "odd_as_none")]
    poll_media: Option<RawMedia>,
}

#[derive(Deserialize)]
struct RawMedia {
    #[serde(default, deserialize_with = "odd_as_none")]
    text: Option<Text>,
}

#[derive(Deserialize)]
pub(super) struct RawSticker {
    #[serde(default, deserialize_with = "odd_as_none")]
    id: Option<Id>,
    #[serde(default, deserialize_with = "odd_as_none")]
    name: Option<Text>,
}

/// The cards that have text. A person cannot write cards: one with an address was unfolded from a link, whatever its type.
pub(super) fn cards(raw: Option<Vec<RawEmbed>>, is_person: bool) -> Vec<Embed> {
    let written = |raw: &RawEmbed| {
        let is_rich = raw.kind.as_ref().is_none_or(|kind| kind.0 == RICH);
        is_rich && !(is_person && raw.url.is_some())
    };
    let cards = raw.unwrap_or_default().into_iter().filter(written).map(RawEmbed::into_embed);
    cards.filter(|card| card.texts().next().is_some()).collect()
}

/// The texts of a message that is laid out as components, as one card.
pub(super) fn spoken(raw: Option<Vec<RawComponent>>) -> Option<Embed> {
    let mut texts = Vec::new();
    collect(raw.unwrap_or_default(), MAX_DEPTH, &mut texts);
    (!texts.is_empty()).then(|| Embed { description: Some(texts.join("\n")), ..Embed::default() })
}

fn collect(components: Vec<RawComponent>, depth: u8, texts: &mut Vec<String>) {
    for component in components {
        if component.kind == Some(TEXT_DISPLAY) {
            texts.extend(Text::not_empty(component.content));
        }
        if let (Some(below), Some(held)) = (depth.checked_sub(1), component.components) {
            collect(serde_json::from_str(held.get()).unwrap_or_default(), below, texts);
        }
    }
}

/// A poll as a card: its question, and its answers each on a line.
pub(super) fn poll(raw: Option<RawPoll>) -> Option<Embed> {
    let RawPoll { question, answers } = raw?;
    let said = |media: Option<RawMedia>| Text::not_empty(media.and_then(|media| media.text));
    let answers: Vec<String> = answers.into_iter().filter_map(|answer| said(answer.poll_media)).collect();
    let description = (!answers.is_empty()).then(|| answers.join("\n"));
    let title = said(question);
    (title.is_some() || description.is_some()).then(|| Embed { title, description, ..Embed::default() })
}

/// Stickers: pictures that have a name and no size.
pub(super) fn stickers(raw: Option<Vec<RawSticker>>) -> impl Iterator<Item = Attachment> {
    raw.unwrap_or_default().into_iter().map(|raw| Attachment {
        external_id: raw.id.map(Id::into_text).unwrap_or_default(),
        file_name: raw.name.unwrap_or_default().0,
        size_bytes: 0,
    })
}

/// The files, without their addresses.
pub(super) fn files(raw: Option<Vec<RawAttachment>>) -> Vec<Attachment> {
    let file = |raw: RawAttachment| Attachment {
        external_id: raw.id.map(Id::into_text).unwrap_or_default(),
        file_name: raw.filename.unwrap_or_default().0,
        size_bytes: raw.size.unwrap_or(0),
    };
    raw.unwrap_or_default().into_iter().map(file).collect()
}
