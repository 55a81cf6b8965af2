//! The header `Idempotency-Key`: the same request makes something once, however often it is sent.
//!
//! Entry point: [`IdempotencyKey`], beside the body of a route that makes something. Which routes have no need of it: posts, gaps and
//! channels are the same thing when they are told again, an invite makes one account, and a sign-in that is lost harms nobody.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::Serialize;
use uuid::Uuid;

use super::ApiError;
use crate::App;
use crate::once::{MAX_KEY_CHARS, Once};
use crate::store::to_json;

/// The header's name, in errors as well.
const NAME: &str = "idempotency-key";

/// The key that the client has chosen for this request, if any.
#[derive(Debug)]
pub(super) struct IdempotencyKey(Option<String>);

impl FromRequestParts<App> for IdempotencyKey {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, _app: &App) -> Result<Self, ApiError> {
        let mut sent = parts.headers.get_all(NAME).iter();
        let (Some(key), more) = (sent.next(), sent.next()) else { return Ok(Self(None)) };
        let key = key.to_str().ok().filter(|key| is_acceptable(key) && more.is_none());
        let key = key.ok_or_else(|| {
            let problem = format!(
                "send one key of 1 to {MAX_KEY_CHARS} letters, digits or signs without spaces, such as a UUID"
            );
            ApiError::invalid("Idempotency-Key", problem)
        })?;
        Ok(Self(Some(key.to_owned())))
    }
}

fn is_acceptable(key: &str) -> bool {
    (1..=MAX_KEY_CHARS).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
}

impl IdempotencyKey {
    /// The request of this caller to this route with this body, if it is to make something once.
    pub(super) fn once(
        &self,
        app: &App,
        (caller, route): (Uuid, &str),
        body: &impl Serialize,
    ) -> Result<Option<Once>, ApiError> {
        let Some(key) = &self.0 else { return Ok(None) };
        let request = format!("{route}\n{}", to_json(body)?);
        Ok(Some(Once::new(&app.sign_ins.key, caller, key, request.as_bytes())))
    }
}
