//! Request bodies: JSON whose errors name the field.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use shared::wire::ProblemKind;

use super::ApiError;
use super::strict::Strict;
use crate::App;

/// How deep arrays and objects may be nested. Our deepest body, a forwarded embed's field, has 10 levels.
const MAX_DEPTH: usize = 16;

/// A JSON body. Malformed JSON is 400, invalid UTF-8 or an unfit field 422, too many
/// bytes 413, another type 415, too slow 408.
#[derive(Debug)]
pub(super) struct JsonBody<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<App> for JsonBody<T> {
    type Rejection = ApiError;
    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let media_type =
            request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            let detail = format!("send `Content-Type: application/json`, not `{essence}`");
            return Err(ApiError::new(ProblemKind::UnsupportedMediaType, detail));
        }
        let encoding = request.headers().get(CONTENT_ENCODING).filter(|encoding| *encoding != "identity");
        if let Some(encoding) = encoding {
            let detail = format!(
                "send the body as it is, without `Content-Encoding: {}`",
                encoding.to_str().unwrap_or("?")
            );
            return Err(ApiError::new(ProblemKind::UnsupportedMediaType, detail));
        }
        let limit = app.edge.limits.body();
        let arriving = tokio::time::timeout(limit, Bytes::from_request(request, app));
        let bytes = arriving.await.map_err(|_| {
            ApiError::new(ProblemKind::TooSlow, format!("the body did not arrive within {limit:?}"))
        })?;
        let bytes = bytes.map_err(|rejection| {
            if rejection.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
                ApiError::new(ProblemKind::BodyTooLarge, "send fewer posts at once, or shorter ones")
            } else {
                ApiError::new(
                    ProblemKind::MalformedJson,
                    format!("the body did not arrive whole: {rejection}"),
                )
            }
        })?;
        parse(&bytes).map(Self)
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        ApiError::invalid("body", format!("the body is not UTF-8: byte {} is not valid", error.valid_up_to()))
    })?;
    if is_too_deep(text) {
        return Err(ApiError::invalid("body", format!("the body is nested deeper than {MAX_DEPTH} levels")));
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let parsed = serde_path_to_error::deserialize(Strict(&mut deserializer)).map_err(|error| {
        let problem = error.inner().to_string();
        match error.inner().classify() {
            Category::Data => ApiError::invalid(error.path().to_string(), problem),
            Category::Io | Category::Syntax | Category::Eof => {
                ApiError::new(ProblemKind::MalformedJson, problem)
            }
        }
    })?;
    deserializer.end().map_err(|error| ApiError::new(ProblemKind::MalformedJson, error.to_string()))?;
    Ok(parsed)
}

/// Whether the JSON text opens more levels than allowed before any of it is parsed. What is no JSON is the parser's matter.
fn is_too_deep(text: &str) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_nested_too_deep_is_too_deep() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(!is_too_deep(&nested(16)));
        assert!(is_too_deep(&nested(17)));
        assert!(is_too_deep(&"{\"a\":".repeat(100_000)));
        let quoted = format!(r#"{{"a":"{}\\\"[","b":[]}}"#, "[{".repeat(100));
        assert!(!is_too_deep(&quoted), "what stands in quotes opens nothing");
        assert!(!is_too_deep(&format!("[{}]", "[],".repeat(1000))), "what is closed again does not count");
    }
}
