//! Credentials and who may call what. The role is in the handler's signature: [`Member`] or [`Contributor`].
//!
//! Entry points: [`NewKey::generate`], the extractors. Invariant: only the SHA-256 of a key is stored; the key itself is
//! shown once. A key ends in a checksum, so that a typing error is told from a wrong key without the database.

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use launch::secret::Secret;
use sha2::{Digest, Sha256};
use shared::wire::ProblemKind;

use crate::App;
use crate::http::ApiError;
use crate::store;

pub use crate::store::keys::{Caller, Role};

/// What every key begins with, so that scanners and people know one when they see one.
const PREFIX: &str = "cb_";
/// 160 random bits: far beyond guessing.
const RANDOM_BYTES: usize = 20;

/// A key that was just made, and the hash to keep of it.
pub struct NewKey {
    /// The key: to be shown once.
    pub key: Secret,
    /// Its SHA-256.
    pub hash: [u8; 32],
}

impl NewKey {
    /// Draws a key from the operating system's generator.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut random = [0; RANDOM_BYTES];
        getrandom::fill(&mut random)?;
        let random: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let key = format!("{PREFIX}{random}{:08x}", crc32fast::hash(random.as_bytes()));
        let hash = hash(&key);
        Ok(Self { key: Secret::new(key), hash })
    }
}

fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

/// True when the text has the form of a key and its checksum is right.
fn is_well_formed(key: &str) -> bool {
    let Some(rest) = key.strip_prefix(PREFIX) else { return false };
    let Some((random, checksum)) = rest.split_at_checked(RANDOM_BYTES * 2) else { return false };
    checksum == format!("{:08x}", crc32fast::hash(random.as_bytes()))
}

/// Any caller with a valid key.
#[derive(Debug, Clone)]
pub struct Member(pub Caller);

/// A caller whose key may relay posts.
#[derive(Debug, Clone)]
pub struct Contributor(pub Caller);

impl FromRequestParts<App> for Member {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let caller = identify(parts, app).await?;
        app.edge.rates.reads.take(&caller.key_id)?;
        Ok(Self(caller))
    }
}

impl FromRequestParts<App> for Contributor {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let caller = identify(parts, app).await?;
        if caller.role != Role::Contributor {
            let detail = format!(
                "posting messages needs a key of role contributor; this one is of role {}",
                caller.role.as_str()
            );
            return Err(ApiError::new(ProblemKind::Forbidden, detail));
        }
        app.edge.rates.posts.take(&caller.key_id)?;
        Ok(Self(caller))
    }
}

async fn identify(parts: &Parts, app: &App) -> Result<Caller, ApiError> {
    let unauthorized = |detail: &str| ApiError::new(ProblemKind::Unauthorized, detail);
    let header = parts
        .headers
        .get(AUTHORIZATION)
        .ok_or_else(|| unauthorized("send `Authorization: Bearer <API key>`"))?;
    let text = header.to_str().unwrap_or_default();
    let key = text
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, key)| key.trim());
    let key = key.ok_or_else(|| unauthorized("the Authorization header must be `Bearer <API key>`"))?;
    if !is_well_formed(key) {
        return Err(unauthorized("this is not a Callboard API key, or it was mistyped"));
    }
    let found = store::keys::by_hash(&app.pool, &hash(key)).await?;
    found.ok_or_else(|| unauthorized("this API key is not known here"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_is_well_formed_and_any_changed_character_shows() {
        let key = NewKey::generate().unwrap();
        let text = key.key.expose();
        assert!(is_well_formed(text));
        assert_eq!(key.hash, hash(text));
        for at in 0..text.len() {
            let mut changed = text.as_bytes().to_vec();
            changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
            assert!(!is_well_formed(std::str::from_utf8(&changed).unwrap()), "position {at}");
        }
    }

    #[test]
    fn texts_that_are_no_keys_are_told_apart() {
        for text in ["", "cb_", "cb_é", "Bearer", "cb_00000000000000000000000000000000000000000000000"] {
            assert!(!is_well_formed(text), "{text:?}");
        }
    }
}
