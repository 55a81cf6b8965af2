//! Channel profiles: what is known of a channel's habits before its posts are read.
//!
//! Entry point: [`ChannelProfile`], from a [`ProfileDraft`] that an admin fills in. Invariant: a profile only narrows
//! what a text may mean; it never loosens a check. The empty profile, which knows nothing, is the default.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::words::{BadLanguage, Origin, Words};
use crate::signal::{Market, Symbol};

/// The most extra words of one channel: a language's whole table has about three hundred.
const MAX_KEYWORDS: usize = 500;
/// The longest extra phrase, in bytes.
const MAX_KEYWORD_BYTES: usize = 100;
/// The most authors that may be named: communities have a handful of callers.
const MAX_CALLERS: usize = 200;

/// The habits of a channel, as an admin writes them down. Every field may be left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProfileDraft {
    /// The quote currency of pairs that a post does not name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<Symbol>,
    /// The market of signals whose post names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub market: Option<Market>,
    /// True where bare prices below a thousand mean thousands: `64.2` for 64200. Used only where the text allows no other
    /// sound reading.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub thousands: bool,
    /// The channel's own words, by the names of the language files: `{"stop": ["floor"]}`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub keywords: BTreeMap<String, Vec<String>>,
    /// The ids of the authors who may call; empty when everyone may.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub callers: Vec<String>,
}

/// A profile that was checked. Built only by [`ChannelProfile::new`].
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(try_from = "ProfileDraft", into = "ProfileDraft")]
pub struct ChannelProfile {
    draft: ProfileDraft,
    words: Option<Words>,
}

impl PartialEq for ChannelProfile {
    fn eq(&self, other: &Self) -> bool {
        self.draft == other.draft
    }
}

impl Eq for ChannelProfile {}

/// What is wrong with a profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadProfile {
    /// There are more entries than any channel needs.
    #[error("{field} has {count} entries, more than the limit of {limit}")]
    TooMany {
        /// The field.
        field: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A phrase cannot be a keyword.
    #[error(transparent)]
    Keyword(#[from] BadLanguage),
    /// A phrase is empty or too long.
    #[error("keywords: a phrase of `{meaning}` is empty or longer than {MAX_KEYWORD_BYTES} bytes")]
    Phrase {
        /// The meaning that it was given.
        meaning: String,
    },
}

impl ChannelProfile {
    /// Checks a draft.
    pub fn new(draft: ProfileDraft) -> Result<Self, BadProfile> {
        let count = draft.keywords.values().map(Vec::len).sum();
        if count > MAX_KEYWORDS {
            return Err(BadProfile::TooMany { field: "keywords", count, limit: MAX_KEYWORDS });
        }
        if draft.callers.len() > MAX_CALLERS {
            let count = draft.callers.len();
            return Err(BadProfile::TooMany { field: "callers", count, limit: MAX_CALLERS });
        }
        for (meaning, phrases) in &draft.keywords {
            let fits = |phrase: &String| (1..=MAX_KEYWORD_BYTES).contains(&phrase.trim().len());
            if !phrases.iter().all(fits) {
                return Err(BadProfile::Phrase { meaning: meaning.clone() });
            }
        }
        let mut words = None;
        if !draft.keywords.is_empty() {
            Words::built_in().map_err(Clone::clone)?.check_free("keywords", &draft.keywords)?;
            words.insert(Words::default()).add_phrases("keywords", &draft.keywords, Origin::default())?;
        }
        Ok(Self { draft, words })
    }

    /// True when posts of this author are read at all.
    pub fn may_call(&self, author_id: &str) -> bool {
        self.draft.callers.is_empty() || self.draft.callers.iter().any(|caller| caller == author_id)
    }

    /// The channel's own words.
    pub(super) fn words(&self) -> Option<&Words> {
        self.words.as_ref()
    }

    /// All fields.
    pub fn fields(&self) -> &ProfileDraft {
        &self.draft
    }
}

impl TryFrom<ProfileDraft> for ChannelProfile {
    type Error = BadProfile;
    fn try_from(draft: ProfileDraft) -> Result<Self, BadProfile> {
        Self::new(draft)
    }
}

impl From<ChannelProfile> for ProfileDraft {
    fn from(profile: ChannelProfile) -> ProfileDraft {
        profile.draft
    }
}
