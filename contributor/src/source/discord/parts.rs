//! The parts of a message beside its text: cards, texts laid out as components, and files.
//!
//! Entry points: [`cards`], [`spoken`], [`files`]. Invariant: only the author's words come through, in reading order; what
//! Discord unfolds from a link does not, because it comes later or never.

use serde::Deserialize;
use shared::post::{Attachment, Embed};

use crate::source::card::RawEmbed;
use crate::source::lenient::{Id, Text, odd_as_none};

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
    #[serde(default, deserialize_with = "odd_as_none")]
    components: Option<Vec<RawComponent>>,
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
        if let Some(below) = depth.checked_sub(1) {
            collect(component.components.unwrap_or_default(), below, texts);
        }
    }
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
