//! An embed as Discord's messages and the exports of them write it: the same keys, whoever wrote the file.
//!
//! Entry points: [`RawEmbed`], [`RawEmbed::into_embed`]. Which cards count is each source's own matter.

use serde::Deserialize;
use shared::post::{Embed, EmbedField};

use super::lenient::{Text, odd_as_none};

/// An embed; `type` and `url` tell what Discord unfolded from a link.
#[derive(Deserialize)]
pub(super) struct RawEmbed {
    #[serde(rename = "type", default, deserialize_with = "odd_as_none")]
    pub(super) kind: Option<Text>,
    #[serde(default, deserialize_with = "odd_as_none")]
    pub(super) url: Option<Text>,
    #[serde(default)]
    title: Option<Text>,
    #[serde(default, deserialize_with = "odd_as_none")]
    author: Option<NamedText>,
    #[serde(default)]
    description: Option<Text>,
    #[serde(default)]
    fields: Option<Vec<RawField>>,
    #[serde(default, deserialize_with = "odd_as_none")]
    footer: Option<NamedText>,
}

/// An embed's author (`name`) or footer (`text`).
#[derive(Deserialize)]
struct NamedText {
    #[serde(default, alias = "text")]
    name: Option<Text>,
}

#[derive(Deserialize)]
struct RawField {
    #[serde(default)]
    name: Option<Text>,
    #[serde(default)]
    value: Option<Text>,
}

impl RawEmbed {
    /// The card as a post keeps it; it may be empty.
    pub(super) fn into_embed(self) -> Embed {
        let field = |field: RawField| EmbedField {
            name: field.name.unwrap_or_default().0,
            value: field.value.unwrap_or_default().0,
        };
        Embed {
            title: Text::not_empty(self.title),
            author: self.author.and_then(|author| Text::not_empty(author.name)),
            description: Text::not_empty(self.description),
            fields: self.fields.unwrap_or_default().into_iter().map(field).collect(),
            footer: self.footer.and_then(|footer| Text::not_empty(footer.name)),
        }
    }
}
