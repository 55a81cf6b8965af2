//! The one error type of the API: every error answer is `application/problem+json`, and tells nothing of our insides.

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use shared::wire::{ProblemBody, ProblemKind};

use crate::accounts::Refused;
use crate::edge::rates::TooOften;
use crate::store::{Remedy, StoreError, to_json};

/// How many seconds a client should wait when nothing else is known: a database restarts in about one.
const RETRY_AFTER_S: i64 = 1;

/// An error answer.
#[derive(Debug, Clone)]
pub struct ApiError {
    kind: ProblemKind,
    detail: String,
    field: Option<String>,
    head: Option<i64>,
    retry_after: Option<i64>,
}

impl ApiError {
    /// An error of this kind; `detail` says what went wrong this time and what to do.
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), field: None, head: None, retry_after: None }
    }

    /// A request whose field `field` is not acceptable.
    pub fn invalid(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..Self::new(ProblemKind::InvalidRequest, problem) }
    }

    /// A cursor beyond the head of the log.
    pub fn cursor_ahead(after: i64, head: i64) -> Self {
        let detail = format!(
            "`after` is {after}, but the log ends at {head}: this cursor belongs to another database"
        );
        Self { head: Some(head), ..Self::new(ProblemKind::CursorAhead, detail) }
    }
}

impl From<TooOften> for ApiError {
    fn from(TooOften { retry_after_s }: TooOften) -> Self {
        let detail = format!("you ask too often: try again in {retry_after_s} s");
        Self { retry_after: Some(retry_after_s), ..Self::new(ProblemKind::TooOften, detail) }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error.remedy() {
            Remedy::RunAgain | Remedy::TryLater => {
                tracing::warn!("answered 503: {error}");
                Self::new(
                    ProblemKind::Unavailable,
                    "the database is not available: try again after `Retry-After` seconds",
                )
            }
            Remedy::Report => {
                tracing::error!("answered 500: {error}");
                Self::new(ProblemKind::Internal, "the server could not do this; its log says why")
            }
        }
    }
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Unfit { field, problem } => Self::invalid(field, problem),
            Refused::Conflict(problem) => Self::new(ProblemKind::Conflict, problem),
            Refused::Missing(problem) => Self::new(ProblemKind::NotFound, problem),
            Refused::Changed(problem) => Self::new(ProblemKind::Changed, problem),
            Refused::NotKnown(problem) => Self::new(ProblemKind::Unauthorized, problem),
            Refused::TooOften(wait) => {
                let detail = "this was tried too often: wait as long as `Retry-After` says";
                let retry_after = Some(wait.whole_seconds() + 1);
                Self { retry_after, ..Self::new(ProblemKind::TooOften, detail) }
            }
            Refused::Busy => Self::new(
                ProblemKind::Unavailable,
                "too many people sign in at this moment: try again after `Retry-After` seconds",
            ),
            Refused::Defect(problem) => StoreError::Defect(problem).into(),
            Refused::NoRandomness(error) => StoreError::Defect(error.to_string()).into(),
            Refused::Store(error) => error.into(),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = ProblemBody {
            kind: self.kind,
            title: self.kind.title().to_owned(),
            status: status.as_u16(),
            detail: self.detail,
            field: self.field,
            head: self.head,
        };
        let mut response = (status, to_json(&body).unwrap_or_default()).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        let may_come_back =
            [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS].contains(&status);
        if let Some(seconds) = self.retry_after.or(may_come_back.then_some(RETRY_AFTER_S)) {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// The answer when a handler panicked.
pub(super) fn from_panic(panic: Box<dyn std::any::Any + Send>) -> Response {
    let words =
        panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!("a handler panicked: {}", words.unwrap_or("without a message"));
    ApiError::new(ProblemKind::Internal, "the server could not do this; its log says why").into_response()
}
