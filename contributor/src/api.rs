//! The client of `POST /v1/messages`: one request, one [`Answer`]. It decides what an answer means, and repeats nothing.
//!
//! Entry point: [`Api::post`]. Invariants: redirects are not followed and no proxy is used, so the API key goes to the
//! configured server only; an answer counts only if it is one of this API.

mod calls;

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use shared::wire::{PostResult, PostedMessages, ProblemBody};

use crate::config::Endpoint;
use crate::failure::Failure;

/// How long a connection may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one request may take in all: a megabyte on a slow line, and a server that is busy.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// The longest answer that is read: 100 results or one problem stay far below.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// What the server's answer to a batch means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is kept, and this became of each sighting.
    Settled(Vec<PostResult>),
    /// The sighting at this place of the batch makes the whole batch unacceptable.
    Unacceptable {
        /// Its place, from 0.
        at: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The batch is too large, or unacceptable as a whole: a smaller one will tell which sighting is at fault.
    TooLarge {
        /// What the server said.
        reason: String,
    },
    /// Not now: the same batch may work later.
    Later {
        /// What happened.
        reason: String,
        /// How long the server asks to be left alone.
        after: Option<Duration>,
    },
    /// No later attempt will work until a person changes something.
    Never {
        /// What happened and what to do.
        reason: String,
    },
}

/// A connection to the server.
#[derive(Debug, Clone)]
pub struct Api {
    client: reqwest::Client,
    /// Where posts go.
    url: String,
    server: String,
}

impl Api {
    /// Prepares to talk to the server; connects to nothing yet.
    pub fn new(endpoint: &Endpoint) -> Result<Self, Failure> {
        let unusable =
            |problem: String| Failure::Configuration(format!("preparing the connection: {problem}"));
        let mut key = HeaderValue::from_str(&format!("Bearer {}", endpoint.api_key.expose()))
            .map_err(|_| unusable("the API key holds characters that a header cannot".into()))?;
        key.set_sensitive(true);
        let client = reqwest::Client::builder()
            .user_agent(concat!("callboard-contributor/", env!("CARGO_PKG_VERSION")))
            .default_headers(HeaderMap::from_iter([(AUTHORIZATION, key)]))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            .build()
            .map_err(|error| unusable(chain(&error)))?;
        let server = endpoint.server.clone();
        Ok(Self { client, url: format!("{server}/v1/messages"), server })
    }

    /// Sends one body with `count` sightings.
    pub async fn post(&self, body: String, count: usize) -> Answer {
        let request = self.client.post(&self.url).header(CONTENT_TYPE, "application/json").body(body);
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return self.unreachable(error),
        };
        let (status, after) = (response.status(), retry_after(response.headers()));
        match bounded_text(response).await {
            Ok(text) => self.understand(status, &text, (count, after)),
            Err(error) => self.unreachable(error),
        }
    }

    fn unreachable(&self, error: reqwest::Error) -> Answer {
        Answer::Later {
            reason: format!("sending to {}: {}", self.server, chain(&error.without_url())),
            after: None,
        }
    }

    /// What a status and a body mean for a batch of so many sightings.
    fn understand(&self, status: StatusCode, text: &[u8], asked: (usize, Option<Duration>)) -> Answer {
        let (count, after) = asked;
        let problem: Option<ProblemBody> = serde_json::from_slice(text).ok();
        let detail = problem.as_ref().map_or_else(|| status.to_string(), |problem| problem.detail.clone());
        let said = |doing: &str| format!("{} {doing}: {detail}", self.server);
        match status.as_u16() {
            200 => self.results(text, count),
            401 => Answer::Never { reason: said("refused the API key; ask its host for a new one") },
            403 => Answer::Never {
                reason: said("does not let this API key contribute; ask its host for the role `contributor`"),
            },
            413 => Answer::TooLarge { reason: detail },
            // The line was too slow for so many at once; less of it may be quick enough.
            408 if count > 1 => Answer::TooLarge { reason: detail },
            408 | 425 | 429 | 500.. => Answer::Later { reason: said("cannot take posts now"), after },
            // Without a problem body of this API, it is another program that answers.
            400 | 422 => match problem {
                Some(problem) => self.verdict(problem, count),
                None => self.stranger(&status.to_string()),
            },
            _ => self.stranger(&status.to_string()),
        }
    }

    fn results(&self, text: &[u8], count: usize) -> Answer {
        match serde_json::from_slice::<PostedMessages>(text) {
            Ok(posted) if posted.results.len() == count => Answer::Settled(posted.results),
            Ok(posted) => {
                let got = posted.results.len();
                self.stranger(&format!("{got} results for {count} posts"))
            }
            Err(error) => self.stranger(&format!("something unreadable ({error})")),
        }
    }

    /// What a problem says about a batch of `count` sightings.
    fn verdict(&self, problem: ProblemBody, count: usize) -> Answer {
        let field = problem.field.unwrap_or_default();
        match place(&field, count) {
            // The place in the batch means nothing to who reads the reason later.
            Some(at) => {
                let field = field.split_once("].").map_or("", |(_, inside)| inside);
                let colon = if field.is_empty() { "" } else { ": " };
                Answer::Unacceptable { at, reason: format!("{field}{colon}{}", problem.detail) }
            }
            None if count > 1 => Answer::TooLarge { reason: problem.detail },
            // Every post might be refused like this, one after the other, although none of them is at fault.
            None => Answer::Never {
                reason: format!(
                    "{} refuses a post without naming what is wrong with it: {}; everything is kept; \
                     check that it is of this program's version, and ask its host",
                    self.server, problem.detail
                ),
            },
        }
    }

    fn stranger(&self, seen: &str) -> Answer {
        let reason = format!(
            "{} does not answer as a Callboard server of this version does, but with {seen}; \
             check the setting `server`",
            self.server
        );
        Answer::Never { reason }
    }
}

/// The place in the batch that a field such as `sightings[3].post.content` names.
fn place(field: &str, count: usize) -> Option<usize> {
    let (number, _) = field.strip_prefix("sightings[")?.split_once(']')?;
    number.parse().ok().filter(|at| *at < count)
}

/// `Retry-After` in seconds. Its other form, a date, is left to our own back-off.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// The body, at most [`MAX_ANSWER_BYTES`] of it: what is cut there is no answer that we know.
async fn bounded_text(mut response: Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut text = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        text.extend_from_slice(&chunk);
        if text.len() > MAX_ANSWER_BYTES {
            break;
        }
    }
    Ok(text)
}

/// The error with its causes: reqwest alone says only "error sending request".
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let words = inner.to_string();
        // Some errors say their cause themselves.
        if !text.ends_with(&words) {
            text = format!("{text}: {words}");
        }
        cause = inner.source();
    }
    text
}

pub(crate) use calls::NoAnswer;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_names_its_sighting_only_inside_the_batch() {
        assert_eq!(place("sightings[3].post.content", 4), Some(3));
        assert_eq!(place("sightings[0]", 1), Some(0));
        for none in ["sightings[4].raw", "sightings", "sightings[x]", ""] {
            assert_eq!(place(none, 4), None, "{none:?}");
        }
    }

    fn understand(status: u16, text: &str) -> Answer {
        understand_batch(status, text, 1)
    }

    fn understand_batch(status: u16, text: &str, count: usize) -> Answer {
        let endpoint =
            Endpoint { server: "https://a.example".into(), api_key: serde_json::from_str("\"k\"").unwrap() };
        let status = StatusCode::from_u16(status).unwrap();
        Api::new(&endpoint).unwrap().understand(status, text.as_bytes(), (count, None))
    }

    #[test]
    fn what_another_program_answers_is_never_taken_for_a_verdict_on_a_post() {
        for (status, text) in
            [(200, "<html>"), (200, "{\"results\":[]}"), (302, ""), (400, "<html>"), (404, "")]
        {
            let answer = understand(status, text);
            assert!(matches!(answer, Answer::Never { .. }), "{status} {text}: {answer:?}");
        }
        for status in [408, 429, 500, 502, 503, 504] {
            assert!(matches!(understand(status, "<html>"), Answer::Later { .. }), "{status}");
        }
    }

    #[test]
    fn a_batch_that_was_too_slow_is_sent_again_in_parts() {
        assert!(matches!(understand_batch(408, "", 2), Answer::TooLarge { .. }));
        assert!(
            matches!(understand_batch(408, "", 1), Answer::Later { .. }),
            "a single post is not given up"
        );
    }

    #[test]
    fn a_refused_key_says_what_to_do() {
        let Answer::Never { reason } = understand(401, "") else { panic!("401 must stop") };
        assert!(reason.contains("https://a.example refused the API key; ask its host"), "{reason}");
    }
}
