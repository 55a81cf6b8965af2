//! Errors on the wire: `application/problem+json` (RFC 9457) with a stable `type`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The body of every error answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProblemBody {
    /// What kind of problem it is: `urn:callboard:problem:` and a slug of [`ProblemKind`].
    #[serde(rename = "type")]
    #[schema(example = "urn:callboard:problem:invalid-request")]
    pub kind: ProblemKind,
    /// The kind in words; the same for every problem of the kind.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What went wrong this time and what to do.
    pub detail: String,
    /// The request's field that is at fault, such as `sightings[3].post.content`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The last `seq` of the log, when the problem is a cursor beyond it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<i64>,
}

macro_rules! problem_kinds {
    ($($(#[$doc:meta])* $name:ident = $slug:tt, $status:literal, $title:literal;)*) => {
        // The slug is a `tt`, because the description of the API would not see a `literal` here.
        /// The kinds of problem.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        pub enum ProblemKind {
            $($(#[$doc])* #[serde(rename = $slug)] $name,)*
            /// A kind that this version does not know. Only clients see this.
            #[serde(other)]
            Unknown,
        }

        impl ProblemKind {
            /// The HTTP status of this kind.
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* Self::Unknown => 500 }
            }

            /// The kind in words.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* Self::Unknown => "unknown problem" }
            }
        }
    };
}

problem_kinds! {
    /// The body is not JSON.
    MalformedJson = "urn:callboard:problem:malformed-json", 400, "the body is not JSON";
    /// The credential is missing or not known.
    Unauthorized = "urn:callboard:problem:unauthorized", 401, "a valid credential is needed";
    /// The credential may not do this.
    Forbidden = "urn:callboard:problem:forbidden", 403, "this credential may not do that";
    /// There is no such thing.
    NotFound = "urn:callboard:problem:not-found", 404, "there is no such thing";
    /// There is such a thing, but not for this method.
    MethodNotAllowed = "urn:callboard:problem:method-not-allowed", 405, "this method is not allowed here";
    /// The request did not arrive in time.
    TooSlow = "urn:callboard:problem:too-slow", 408, "the request did not arrive in time";
    /// The cursor lies beyond the head of the log: it belongs to another database.
    CursorAhead = "urn:callboard:problem:cursor-ahead", 409, "the cursor is ahead of the log";
    /// The request contradicts what is there, such as a name that is taken.
    Conflict = "urn:callboard:problem:conflict", 409, "this contradicts what is there";
    /// The thing has changed since it was read: the `If-Match` of the request is not its `ETag` any more.
    Changed = "urn:callboard:problem:changed", 412, "this has changed since it was read";
    /// The body is larger than the limit.
    BodyTooLarge = "urn:callboard:problem:body-too-large", 413, "the body is too large";
    /// The body is not announced as JSON.
    UnsupportedMediaType = "urn:callboard:problem:unsupported-media-type", 415, "the body must be application/json";
    /// The request is well-formed, but a field is not acceptable.
    InvalidRequest = "urn:callboard:problem:invalid-request", 422, "the request is not acceptable";
    /// The request must say which state it changes: `If-Match` with the `ETag` that was read.
    PreconditionRequired = "urn:callboard:problem:precondition-required", 428, "say which state this changes";
    /// This came too often; try again after `Retry-After` seconds.
    TooOften = "urn:callboard:problem:too-often", 429, "this came too often";
    /// The server cannot answer at the moment; try again after `Retry-After` seconds.
    Unavailable = "urn:callboard:problem:unavailable", 503, "the server cannot answer at the moment";
    /// A defect of the server.
    Internal = "urn:callboard:problem:internal", 500, "the server has a defect";
}
