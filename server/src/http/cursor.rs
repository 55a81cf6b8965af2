//! Opaque cursors: where a list goes on. Clients hand them back unread.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::ApiError;
use crate::store::{StoreError, to_json};

/// The cursor that leads to what follows `place`.
pub(super) fn encode(place: &impl Serialize) -> Result<String, StoreError> {
    Ok(URL_SAFE_NO_PAD.encode(to_json(place)?))
}

/// The place that a cursor of ours leads to.
pub(super) fn decode<T: DeserializeOwned>(cursor: &str) -> Result<T, ApiError> {
    let foreign = || ApiError::invalid("cursor", "this is not a cursor of this list: begin without one");
    let text = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| foreign())?;
    // No name of ours holds a NUL, and PostgreSQL cannot compare with one.
    if String::from_utf8_lossy(&text).contains("\\u0000") {
        return Err(foreign());
    }
    serde_json::from_slice(&text).map_err(|_| foreign())
}
