//! The reader's answer: a verdict with its evidence and the version of the reader that gave it.
//!
//! Entry points: [`Reading`], [`Verdict`]. Readings are stored as JSON for ever: a change here must keep reading the
//! older forms (version 1 had one `update` where now stands a list, and no evidence).

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::evidence::Evidence;
use crate::signal::Signal;
use crate::update::SignalUpdate;

/// What the reader made of a post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reading {
    /// The version of the reader.
    #[serde(default = "first_version")]
    pub reader_version: u32,
    /// What it decided.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// Where in the post each field of a signal or update stands; empty for noise and abstentions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
}

/// What the reader decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Verdict {
    /// One or more new signals, and perhaps updates of earlier ones beside them.
    Signals {
        /// The signals, in the order of the text; never empty.
        signals: Vec<Signal>,
        /// The updates beside them.
        #[serde(
            default,
            alias = "update",
            deserialize_with = "none_one_or_many",
            skip_serializing_if = "Vec::is_empty"
        )]
        updates: Vec<SignalUpdate>,
    },
    /// Follow-ups to earlier signals: several only where a post names several symbols.
    #[serde(rename = "update")]
    Updates {
        /// What they say; never empty.
        #[serde(alias = "update", deserialize_with = "none_one_or_many")]
        updates: Vec<SignalUpdate>,
    },
    /// Nothing to act on.
    Noise {
        /// Why, for a person.
        reason: String,
    },
    /// It looks like a signal or an update, and the reader will not vouch for it.
    Abstained {
        /// Why, for a person.
        reason: String,
    },
}

impl Verdict {
    /// The new signals.
    pub fn signals(&self) -> &[Signal] {
        match self {
            Verdict::Signals { signals, .. } => signals,
            _ => &[],
        }
    }

    /// The follow-ups.
    pub fn updates(&self) -> &[SignalUpdate] {
        match self {
            Verdict::Signals { updates, .. } | Verdict::Updates { updates } => updates,
            Verdict::Noise { .. } | Verdict::Abstained { .. } => &[],
        }
    }

    /// Why there is neither a signal nor an update.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Verdict::Noise { reason } | Verdict::Abstained { reason } => Some(reason),
            Verdict::Signals { .. } | Verdict::Updates { .. } => None,
        }
    }

    /// Its name in the API and the database.
    pub fn kind(&self) -> &'static str {
        match self {
            Verdict::Signals { .. } => "signals",
            Verdict::Updates { .. } => "update",
            Verdict::Noise { .. } => "noise",
            Verdict::Abstained { .. } => "abstained",
        }
    }
}

/// Readings stored before versions were part of them are of the first.
fn first_version() -> u32 {
    1
}

fn none_one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SignalUpdate>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        Many(Vec<SignalUpdate>),
        One(Box<SignalUpdate>),
    }
    Ok(match Option::deserialize(deserializer)? {
        None => Vec::new(),
        Some(Form::One(update)) => vec![*update],
        Some(Form::Many(updates)) => updates,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::update::{Action, Scope};

    #[test]
    fn readings_of_the_first_reader_are_still_understood() {
        let text = r#"{"kind":"update","update":{"scope":{"type":"last"},"actions":[{"type":"close"}]}}"#;
        let reading: Reading = serde_json::from_str(text).unwrap();
        assert_eq!(reading.reader_version, 1);
        let closing = SignalUpdate { scope: Scope::Last, actions: vec![Action::Close] };
        assert_eq!(reading.verdict, Verdict::Updates { updates: vec![closing] });
        let signal = r#"{"instrument":{"base":"BTC","quote":null,"venue":null,"market":null},"side":"long",
            "entry":{"type":"market","reference":null,"implied":true},"targets":[],"stop":null,"leverage":null,
            "margin_mode":null,"risk_pct":"1","size_pct":null,"timeframe":null,"expiry":null,"confidence":null}"#;
        let text = format!(r#"{{"kind":"signals","signals":[{signal}],"update":null}}"#);
        let reading: Reading = serde_json::from_str(&text).unwrap();
        assert_eq!((reading.verdict.signals().len(), reading.verdict.updates().len()), (1, 0));
    }

    #[test]
    fn a_reading_survives_its_json() {
        let reading = Reading {
            reader_version: 7,
            verdict: Verdict::Noise { reason: "a question".into() },
            evidence: Vec::new(),
        };
        let text = serde_json::to_string(&reading).unwrap();
        assert_eq!(text, r#"{"reader_version":7,"kind":"noise","reason":"a question"}"#);
        assert_eq!(serde_json::from_str::<Reading>(&text).unwrap(), reading);
    }
}
