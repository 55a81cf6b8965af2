//! Source: the texts of a post in reading order, and the way back from a place in them to the part of the post.
//!
//! Entry points: [`Source::of_text`], [`Source::of_embed`], [`Source::span`]. Places are counted through all texts of a
//! source, so that clean-up may treat it as one.

use super::evidence::{EmbedPlace, Part};
use crate::post::Embed;

/// The texts that are read together, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Source<'p> {
    texts: Vec<Stretch<'p>>,
    /// The small line at an embed's end, which is read only where the rest lacks something.
    footer: Option<(Part, &'p str)>,
}

/// One text of a source.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch<'p> {
    part: Part,
    /// The text; for a field's name without the colon at its end.
    pub(super) text: &'p str,
    /// What comes between the text before and this one.
    pub(super) joint: &'static str,
    /// The place of the text's first byte.
    pub(super) base: u32,
}

impl<'p> Source<'p> {
    /// One text.
    pub(super) fn of_text(part: Part, text: &'p str) -> Self {
        let mut source = Self::default();
        source.push(part, text, "\n");
        source
    }

    /// An embed as lines: names and values of fields are joined, their order carries no meaning.
    pub(super) fn of_embed(embed: &'p Embed, part: impl Fn(EmbedPlace) -> Part) -> Self {
        let mut source = Self::default();
        let head = [
            (EmbedPlace::Author, &embed.author),
            (EmbedPlace::Title, &embed.title),
            (EmbedPlace::Description, &embed.description),
        ];
        for (place, text) in head {
            source.push(part(place), text.as_deref().unwrap_or_default(), "\n");
        }
        for (at, field) in embed.fields.iter().enumerate() {
            let Ok(at) = u8::try_from(at) else { break };
            let name = field.name.trim_end_matches([':', ' ']);
            // Several lines are a list below their label.
            let below = !name.chars().any(char::is_alphanumeric) || field.value.trim().contains('\n');
            source.push(part(EmbedPlace::FieldName(at)), name, "\n");
            source.push(part(EmbedPlace::FieldValue(at)), &field.value, if below { "\n" } else { ": " });
        }
        source.footer = embed.footer.as_deref().map(|text| (part(EmbedPlace::Footer), text));
        source
    }

    /// The text of the footer alone, and this source with it; none without a footer.
    pub(super) fn with_footer(&self) -> Option<(Self, Self)> {
        let (part, text) = self.footer?;
        let mut whole = Self { footer: None, ..self.clone() };
        whole.push(part, text, "\n");
        Some((Self::of_text(part, text), whole))
    }

    /// The text of the author's line alone, and this source without it; none if there is no such line.
    pub(super) fn without_author(&self) -> Option<(Self, Self)> {
        let is_author = |stretch: &Stretch<'_>| {
            matches!(
                stretch.part,
                Part::Embed(_, EmbedPlace::Author) | Part::ForwardedEmbed(_, _, EmbedPlace::Author)
            )
        };
        let author =
            self.texts.iter().find(|stretch| is_author(stretch) && !stretch.text.trim().is_empty())?;
        let mut rest = Self { texts: Vec::with_capacity(self.texts.len()), footer: self.footer };
        for stretch in self.texts.iter().filter(|stretch| !is_author(stretch)) {
            rest.push(stretch.part, stretch.text, stretch.joint);
        }
        Some((Self::of_text(author.part, author.text), rest))
    }

    /// This source, then another one on the lines below.
    pub(super) fn followed_by(mut self, other: &Source<'p>) -> Self {
        for stretch in &other.texts {
            self.push(stretch.part, stretch.text, stretch.joint);
        }
        self.footer = self.footer.or(other.footer);
        self
    }

    fn push(&mut self, part: Part, text: &'p str, joint: &'static str) {
        let base = self.texts.last().map_or(0, |last| last.base.saturating_add(length(last.text)));
        self.texts.push(Stretch { part, text, joint, base });
    }

    /// The texts in order.
    pub(super) fn texts(&self) -> &[Stretch<'p>] {
        &self.texts
    }

    /// How much text there is.
    pub(super) fn bytes(&self) -> usize {
        self.texts.iter().map(|stretch| stretch.text.len()).sum()
    }

    /// True when there is nothing to read.
    pub(super) fn is_blank(&self) -> bool {
        self.texts.iter().all(|stretch| stretch.text.trim().is_empty())
    }

    /// The part of the post, and the bytes there, from the character at place `first` to the one at place `last`.
    pub(super) fn span(&self, first: u32, last: u32) -> Option<(Part, u32, u32)> {
        let next = self.texts.partition_point(|stretch| stretch.base <= first);
        let stretch = self.texts.get(next.checked_sub(1)?)?;
        let start = first - stretch.base;
        let last = last.checked_sub(stretch.base).unwrap_or(start).max(start);
        let tail = stretch.text.get(usize::try_from(last).ok()?..);
        let end = match tail.and_then(|tail| tail.chars().next()) {
            Some(character) => last + u32::try_from(character.len_utf8()).unwrap_or(1),
            None => length(stretch.text),
        };
        Some((stretch.part, start, end))
    }
}

fn length(text: &str) -> u32 {
    u32::try_from(text.len()).unwrap_or(u32::MAX)
}
