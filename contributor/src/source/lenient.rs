//! JSON as it comes: what is needed must fit, what is not may be of any type, and a broken letter spoils no text.
//!
//! Entry points: [`Id`], [`Text`], [`odd_as_none`], [`each_readable`], [`needed`]. For the sources that decode Discord's messages.

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _, Visitor};
use serde_json::value::RawValue;
use time::{OffsetDateTime, UtcOffset};

/// An id: a text, or a number where a program writes one.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Id {
    Text(String),
    Number(u64),
}

impl Id {
    pub(super) fn into_text(self) -> String {
        match self {
            Id::Text(text) => text,
            Id::Number(number) => number.to_string(),
        }
    }
}

/// UTC, to the microsecond: as fine as the server keeps it. `None` if UTC cannot tell it (the first and last hours of time).
pub(super) fn normal(at: OffsetDateTime) -> Option<OffsetDateTime> {
    let at = at.checked_to_offset(UtcOffset::UTC)?;
    at.replace_nanosecond(at.nanosecond() / 1000 * 1000).ok()
}

/// [`normal`] for a time that is needed.
pub(super) fn needed(field: &str, at: OffsetDateTime) -> serde_json::Result<OffsetDateTime> {
    normal(at).ok_or_else(|| serde_json::Error::custom(format!("{field}: {at} is no plausible time")))
}

/// A text of the author. A lone surrogate, left over from an emoji that some program cut in half, becomes U+FFFD.
#[derive(Debug, Default, Clone)]
pub(super) struct Text(pub(super) String);

impl Text {
    /// The text, if there is one: an exporter writes `""` where there is none.
    pub(super) fn not_empty(text: Option<Text>) -> Option<String> {
        text.map(|text| text.0).filter(|text| !text.is_empty())
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Lossy;
        impl Visitor<'_> for Lossy {
            type Value = Text;
            fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str("a text")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Text, E> {
                Ok(Text(String::from_utf8_lossy(bytes).into_owned()))
            }
        }
        json.deserialize_bytes(Lossy)
    }
}

/// For fields that are not needed: an odd type counts as missing.
pub(super) fn odd_as_none<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    json: D,
) -> Result<Option<T>, D::Error> {
    let raw = <&RawValue>::deserialize(json)?;
    Ok(serde_json::from_str(raw.get()).ok())
}

/// For lists: an element that cannot be read costs itself alone, and what is no list is an empty one.
pub(super) fn each_readable<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    json: D,
) -> Result<Vec<T>, D::Error> {
    let raw: Option<Vec<Box<RawValue>>> = odd_as_none(json)?;
    Ok(raw.unwrap_or_default().iter().filter_map(|raw| serde_json::from_str(raw.get()).ok()).collect())
}
