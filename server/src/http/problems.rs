//! The error answers that many routes share, for the API's description. They are described here and made in
//! [`super::error`].
#![expect(dead_code, reason = "the variants are read by the derive only")]

use shared::wire::ProblemBody;
use utoipa::IntoResponses;

/// What every route may answer.
#[derive(IntoResponses)]
pub(super) enum Open {
    /// Too many requests from this address: try again after `Retry-After` seconds
    #[response(status = 429, content_type = "application/problem+json")]
    TooMany(ProblemBody),
    /// The server or its database cannot answer now: try again after `Retry-After` seconds
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(ProblemBody),
}

/// What every route that not anyone may call may answer.
#[derive(IntoResponses)]
pub(super) enum Guarded {
    /// No valid credential, or its account may not act
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorized(ProblemBody),
    /// The account has not the role, the credential not the scope, or the page not the origin
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(ProblemBody),
    /// Too many requests of this account or this address: try again after `Retry-After` seconds
    #[response(status = 429, content_type = "application/problem+json")]
    TooMany(ProblemBody),
    /// The database is away: try the same again after `Retry-After` seconds
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(ProblemBody),
}

/// What every route with a body may answer.
#[derive(IntoResponses)]
pub(super) enum Bodied {
    /// The body is not JSON
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(ProblemBody),
    /// The body did not arrive within 10 s
    #[response(status = 408, content_type = "application/problem+json")]
    TooSlow(ProblemBody),
    /// The body is larger than the route takes
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(ProblemBody),
    /// The body is not announced as JSON
    #[response(status = 415, content_type = "application/problem+json")]
    NotJson(ProblemBody),
}

/// What every route with parameters or a body may answer.
#[derive(IntoResponses)]
pub(super) enum Checked {
    /// A parameter or a field is not acceptable; `field` names it
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(ProblemBody),
}

/// What every route that names something may answer.
#[derive(IntoResponses)]
pub(super) enum Named {
    /// There is no such thing
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(ProblemBody),
}

/// What every route with a place in the log may answer.
#[derive(IntoResponses)]
pub(super) enum Placed {
    /// `after` is beyond the log; `head` is its end
    #[response(status = 409, content_type = "application/problem+json")]
    Ahead(ProblemBody),
}

/// What a route that anyone may call answers to a secret that is not good.
#[derive(IntoResponses)]
pub(super) enum Unknown {
    /// What was shown is not good; why is not told
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorized(ProblemBody),
    /// The database is away, or too many sign in: try the same again after `Retry-After` seconds
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(ProblemBody),
}

/// What a route answers where a wish may contradict what is there.
#[derive(IntoResponses)]
pub(super) enum Contradicted {
    /// This contradicts what is there, such as a name that is taken
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(ProblemBody),
}

/// What a route answers where secrets can be guessed.
#[derive(IntoResponses)]
pub(super) enum Busy {
    /// This was tried too often: try again after `Retry-After` seconds
    #[response(status = 429, content_type = "application/problem+json")]
    TooOften(ProblemBody),
}

/// What a route answers that changes a state which others may have changed meanwhile.
#[derive(IntoResponses)]
pub(super) enum Conditional {
    /// It has changed since it was read: `If-Match` is not its `ETag` any more
    #[response(status = 412, content_type = "application/problem+json")]
    Changed(ProblemBody),
    /// `If-Match` is missing
    #[response(status = 428, content_type = "application/problem+json")]
    Required(ProblemBody),
}
