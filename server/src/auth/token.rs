//! Secrets that we hand out: API keys, invites and refresh tokens. Each is shown once; only its hash is kept.
//!
//! Entry points: [`NewToken::generate`], [`Kind::hash_of`]. Each begins with a mark, so that scanners and people know one
//! when they see one, and ends in a checksum, so that a typing error is told from a wrong one without the database.

use launch::secret::Secret;
use sha2::{Digest, Sha256};

/// 160 random bits: far beyond guessing, so that a fast hash keeps them as well as a slow one.
const RANDOM_BYTES: usize = 20;
/// Refresh tokens are as long as what makes the next one from the one before.
const REFRESH_BYTES: usize = 32;

/// What a secret is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The credential of a program.
    ApiKey,
    /// The beginning of an account.
    Invite,
    /// What goes on with a session.
    Refresh,
}

/// A secret that was just made, and the hash to keep of it.
pub struct NewToken {
    /// The secret: to be shown once.
    pub token: Secret,
    /// Its SHA-256.
    pub hash: [u8; 32],
}

impl NewToken {
    /// Draws one from the operating system's generator.
    pub fn generate(kind: Kind) -> Result<Self, getrandom::Error> {
        let mut random = [0; REFRESH_BYTES];
        let random = &mut random[..kind.random_bytes()];
        getrandom::fill(random)?;
        Ok(Self::of(kind, random))
    }

    /// The one that is made of these bytes.
    pub(super) fn of(kind: Kind, random: &[u8]) -> Self {
        let random: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let token = format!("{}{random}{:08x}", kind.mark(), crc32fast::hash(random.as_bytes()));
        Self { hash: hash(&token), token: Secret::new(token) }
    }
}

impl Kind {
    pub(super) fn mark(self) -> &'static str {
        match self {
            Self::ApiKey => "cb_",
            Self::Invite => "cbi_",
            Self::Refresh => "cbr_",
        }
    }

    pub(super) fn random_bytes(self) -> usize {
        match self {
            Self::ApiKey | Self::Invite => RANDOM_BYTES,
            Self::Refresh => REFRESH_BYTES,
        }
    }

    /// The hash by which such a secret is found, if the text has its form and its checksum is right.
    pub fn hash_of(self, text: &str) -> Option<[u8; 32]> {
        let rest = text.strip_prefix(self.mark())?;
        let (random, checksum) = rest.split_at_checked(rest.len().checked_sub(8)?)?;
        let is_whole = random.len() == self.random_bytes() * 2
            && checksum == format!("{:08x}", crc32fast::hash(random.as_bytes()));
        is_whole.then(|| hash(text))
    }
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_secret_is_whole_and_any_changed_character_shows() {
        for kind in [Kind::ApiKey, Kind::Invite, Kind::Refresh] {
            for _ in 0..50 {
                let new = NewToken::generate(kind).unwrap();
                let text = new.token.expose();
                assert_eq!(kind.hash_of(text), Some(new.hash));
                for at in 0..text.len() {
                    let mut changed = text.as_bytes().to_vec();
                    changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
                    let changed = String::from_utf8(changed).unwrap();
                    assert_eq!(kind.hash_of(&changed), None, "position {at}");
                }
            }
        }
    }

    #[test]
    fn texts_that_are_no_keys_are_told_apart() {
        let invite = NewToken::generate(Kind::Invite).unwrap();
        let texts = ["", "cb_", "cb_é", "Bearer", "cb_00000000000000000000000000000000000000000000000"];
        for text in texts.into_iter().chain([invite.token.expose()]) {
            assert_eq!(Kind::ApiKey.hash_of(text), None, "{text:?}");
        }
    }
}
