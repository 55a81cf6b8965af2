//! The few reading calls of Discord's REST interface that a contributor needs. It sends nothing but GET.
//!
//! Entry point: [`Rest`]. Invariants: rate limits are waited for, not run into; an answer 401 or 403 is never asked for
//! again by itself; redirects are not followed and no proxy is used, so the token goes to the configured host only.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, DATE, HeaderMap, HeaderValue};
use reqwest::{Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::limits::{Limits, Route, Told};
use super::settings::Bot;
use super::words;
use crate::failure::Failure;

/// How long a connection may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one request may take in all.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// How often a request is tried before its failure is the caller's to handle.
const ATTEMPTS: u32 = 4;
/// The first wait after a failure; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The longest wait for a rate limit; a longer one is the caller's to handle, and holds all the same.
const LONGEST_HOLD: Duration = Duration::from_secs(60);
/// No answer can hold us for longer: after a day we look again, and a time without end is no time.
const LONGEST_ASKED: Duration = Duration::from_secs(24 * 3600);
/// The longest answer that is read: 100 messages of the greatest size stay below.
const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum RestError {
    /// The token is refused: everything must stop.
    #[error("the token is refused (401)")]
    Token,
    /// This thing is closed to the bot.
    #[error("closed to the bot (403, code {code}: {message})")]
    Forbidden {
        /// Discord's own code, such as 50001.
        code: u64,
        /// Discord's words.
        message: String,
    },
    /// There is no such thing, or the bot cannot see it.
    #[error("there is no such thing (404, code {code}: {message})")]
    Missing {
        /// Discord's own code, such as 10003.
        code: u64,
        /// Discord's words.
        message: String,
    },
    /// Not now.
    #[error("Discord cannot be asked now: {0}")]
    Later(String),
    /// Something that this program does not understand.
    #[error("Discord answers in a way that this program does not know: {0}")]
    Strange(String),
}

/// The body of an error answer. All fields may be missing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ErrorBody {
    code: u64,
    message: String,
    /// Seconds, with a fraction.
    retry_after: Option<f64>,
    global: bool,
}

/// A client of Discord's REST interface with one bot's token.
#[derive(Debug)]
pub(super) struct Rest {
    client: reqwest::Client,
    api: String,
    limits: Mutex<Limits>,
    /// What Discord's clock said last.
    date: Mutex<Option<OffsetDateTime>>,
}

/// What one attempt came to.
enum Attempt {
    Done(String),
    /// Try again after this wait, for this reason.
    Again(Duration, String),
}

impl Rest {
    /// Prepares to talk to Discord; connects to nothing yet.
    pub(super) fn new(bot: &Bot) -> Result<Self, Failure> {
        let unusable = |problem: String| {
            Failure::Configuration(format!("preparing the connection to Discord: {problem}"))
        };
        let mut token = HeaderValue::from_str(&format!("Bot {}", bot.token.expose()))
            .map_err(|_| unusable("the token holds characters that a header cannot".into()))?;
        token.set_sensitive(true);
        let client = reqwest::Client::builder()
            // The form that Discord's reference asks for.
            .user_agent(concat!("DiscordBot (callboard-contributor, ", env!("CARGO_PKG_VERSION"), ")"))
            .default_headers(HeaderMap::from_iter([(AUTHORIZATION, token)]))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            .build()
            .map_err(|error| unusable(crate::api::chain(&error)))?;
        Ok(Self { client, api: bot.hosts.api.clone(), limits: Mutex::default(), date: Mutex::default() })
    }

    /// Asks, and decodes the answer.
    pub(super) async fn get<T: DeserializeOwned>(&self, route: &Route) -> Result<T, RestError> {
        let text = self.text(route).await?;
        let mut json = serde_json::Deserializer::from_str(&text);
        T::deserialize(&mut json).map_err(|error| RestError::Strange(format!("{}: {error}", route.kind)))
    }

    /// Asks, and returns the answer's text.
    pub(super) async fn text(&self, route: &Route) -> Result<String, RestError> {
        let mut last = String::new();
        for attempt in 0..ATTEMPTS {
            match self.attempt(route).await? {
                Attempt::Done(text) => return Ok(text),
                Attempt::Again(wait, reason) => {
                    tracing::debug!(kind = route.kind, attempt, wait_ms = wait.as_millis(), "{reason}");
                    last = reason;
                    tokio::time::sleep(wait.max(FIRST_WAIT * 2u32.pow(attempt))).await;
                }
            }
        }
        Err(RestError::Later(last))
    }

    /// What Discord's clock said at the last answer, to the second.
    pub(super) async fn their_time(&self) -> Option<OffsetDateTime> {
        *self.date.lock().await
    }

    async fn attempt(&self, route: &Route) -> Result<Attempt, RestError> {
        loop {
            let wait = self.limits.lock().await.wait(route, Instant::now());
            if wait.is_zero() {
                break;
            }
            if wait > LONGEST_HOLD {
                let reason = format!("{} is limited for another {:.0} s", route.kind, wait.as_secs_f64());
                return Err(RestError::Later(reason));
            }
            tokio::time::sleep(wait).await;
        }
        let again = |error: &reqwest::Error| Attempt::Again(Duration::ZERO, crate::api::chain(error));
        let response = match self.client.get(format!("{}/{}", self.api, route.path)).send().await {
            Ok(response) => response,
            Err(error) => return Ok(again(&error)),
        };
        let (status, told, date) = (response.status(), told(response.headers()), date(response.headers()));
        *self.date.lock().await = date;
        let limit = Limited::of(response.headers());
        self.limits.lock().await.learn(route, told, Instant::now());
        match bounded_text(response).await {
            Ok(text) => self.understand(route, status, (text, limit)).await,
            Err(error) => Ok(again(&error)),
        }
    }

    async fn understand(
        &self,
        route: &Route,
        status: StatusCode,
        (text, limit): (String, Limited),
    ) -> Result<Attempt, RestError> {
        if status == StatusCode::OK {
            return Ok(Attempt::Done(text));
        }
        let body: Option<ErrorBody> = serde_json::from_str(&text).ok();
        let is_discords = body.is_some();
        let ErrorBody { code, message, retry_after, global } = body.unwrap_or_default();
        match status.as_u16() {
            401 => Err(RestError::Token),
            // A page of whatever stands between us says nothing of the channel.
            403 | 404 if !is_discords => Err(RestError::Later(format!(
                "{} is answered with {status} by something that is not its API",
                route.kind
            ))),
            403 => Err(RestError::Forbidden { code, message }),
            404 => Err(RestError::Missing { code, message }),
            429 => {
                let after = retry_after.and_then(seconds).or(limit.after).unwrap_or(Duration::from_secs(1));
                // Without a body of the API the whole machine is locked out, and every request makes it longer.
                let global = global || limit.is_global || !is_discords;
                self.limits.lock().await.hold(route, after, (global, Instant::now()));
                let reason = format!("{} is limited for {:.1} s (429)", route.kind, after.as_secs_f64());
                tracing::warn!(
                    kind = route.kind,
                    global,
                    wait_ms = after.as_millis(),
                    "Discord's rate limit"
                );
                if after > LONGEST_HOLD {
                    Err(RestError::Later(reason))
                } else {
                    Ok(Attempt::Again(after, reason))
                }
            }
            408 | 500.. => {
                Ok(Attempt::Again(Duration::ZERO, format!("{} is answered with {status}", route.kind)))
            }
            _ => Err(RestError::Strange(format!("{}: {status}, code {code}: {message}", route.kind))),
        }
    }
}

/// What the headers of an answer 429 ask for.
struct Limited {
    after: Option<Duration>,
    is_global: bool,
}

impl Limited {
    fn of(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let after = text("retry-after").and_then(|text| text.parse::<f64>().ok()).and_then(seconds);
        Self { after, is_global: text("x-ratelimit-global") == Some("true") }
    }
}

/// A time that Discord asks us to wait; none if it is none.
fn seconds(seconds: f64) -> Option<Duration> {
    (seconds >= 0.0)
        .then(|| Duration::try_from_secs_f64(seconds.min(LONGEST_ASKED.as_secs_f64())).ok())
        .flatten()
}

/// What a missing or odd header tells is nothing.
fn told(headers: &HeaderMap) -> Told {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let reset_after = text("x-ratelimit-reset-after").and_then(|text| text.parse::<f64>().ok());
    Told {
        bucket: text("x-ratelimit-bucket").map(str::to_owned),
        remaining: text("x-ratelimit-remaining").and_then(|text| text.parse().ok()),
        reset_after: reset_after.and_then(seconds),
    }
}

fn date(headers: &HeaderMap) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(headers.get(DATE)?.to_str().ok()?, &Rfc2822).ok()
}

/// The body, at most [`MAX_ANSWER_BYTES`] of it.
async fn bounded_text(mut response: Response) -> Result<String, reqwest::Error> {
    let mut text = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        text.extend_from_slice(&chunk);
        if text.len() > MAX_ANSWER_BYTES {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

impl From<RestError> for Failure {
    fn from(error: RestError) -> Self {
        match error {
            RestError::Token => Failure::Configuration(words::token_refused()),
            RestError::Later(_) => Failure::Away(error.to_string()),
            other => Failure::Other(other.into()),
        }
    }
}
