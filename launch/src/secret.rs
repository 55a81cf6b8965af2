//! A text that must not be seen: it prints as `[redacted]` wherever it is shown.

use std::fmt;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use serde::{Deserialize, Serialize, Serializer};

/// A password, a key or a URL that holds one. Only [`Secret::expose`] shows it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// A file that holds it and nothing else. That others of this machine may read it is said, and hinders nothing.
    pub fn read(path: &Path) -> std::io::Result<Self> {
        let text = std::fs::read_to_string(path)?;
        if std::fs::metadata(path)?.mode() & 0o077 != 0 {
            let path = path.display();
            tracing::warn!("others on this machine may read {path}: run `chmod 600 {path}`");
        }
        Ok(Self(text))
    }

    /// The text itself: for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("[redacted]")
    }
}
