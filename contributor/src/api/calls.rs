//! The server's other routes that a contributor needs: who it is there, which channels are approved, and telling what was not
//! observed.
//!
//! Entry points: [`Api::contributor`], [`Api::channels`], [`Api::tell_gaps`]. Each asks once; what to do about [`NoAnswer`] is the caller's.

use reqwest::header::CONTENT_TYPE;
use reqwest::{RequestBuilder, StatusCode};
use serde::de::DeserializeOwned;
use shared::wire::{
    ChannelRecord, ChannelsPage, Gap, GapStatus, Me, ProblemBody, Role, Scope, TellGaps, ToldGaps,
};

use super::{Api, bounded_text, chain};
use crate::failure::Failure;

/// The most pages of channels that are read: a server with more than 50,000 channels is none of ours.
const MAX_PAGES: usize = 100;

/// Why the server did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoAnswer {
    /// It cannot be reached, or is busy.
    #[error("{0}")]
    Later(String),
    /// It refuses the key, or is no Callboard server of this version.
    #[error("{0}")]
    Never(String),
}

impl From<NoAnswer> for Failure {
    fn from(error: NoAnswer) -> Self {
        match error {
            NoAnswer::Later(reason) => Failure::Away(reason),
            NoAnswer::Never(reason) => Failure::Configuration(reason),
        }
    }
}

impl Api {
    /// Whose the API key is. One that may not contribute is refused here, and not at the first post.
    pub(crate) async fn contributor(&self) -> Result<Me, NoAnswer> {
        let me: Me = self.ask(self.client.get(format!("{}/v1/me", self.server))).await?;
        let Me { name, role, scopes, .. } = &me;
        if *role != Role::Contributor {
            return Err(NoAnswer::Never(format!(
                "{} does not let this API key contribute: it is that of {name}, a {role}; ask its host for a key of the role \
                 `contributor`",
                self.server
            )));
        }
        if !scopes.contains(&Scope::MessagesWrite) {
            return Err(NoAnswer::Never(format!(
                "{} does not let this API key contribute: it lacks the scope `{}`; make one that has it: `contributor login`",
                self.server,
                Scope::MessagesWrite
            )));
        }
        Ok(me)
    }

    /// All channels of the server.
    pub(crate) async fn channels(&self) -> Result<Vec<ChannelRecord>, NoAnswer> {
        let mut channels = Vec::new();
        let mut cursor: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let mut request = self.client.get(format!("{}/v1/channels?limit=500", self.server));
            if let Some(cursor) = &cursor {
                let place = [("cursor", cursor.as_str())];
                let url =
                    reqwest::Url::parse_with_params(&format!("{}/v1/channels?limit=500", self.server), place);
                let url = url.map_err(|error| NoAnswer::Never(format!("{}: {error}", self.server)))?;
                request = self.client.get(url);
            }
            let page: ChannelsPage = self.ask(request).await?;
            channels.extend(page.channels);
            match page.next {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        Ok(channels)
    }

    /// Tells the server what was not observed: one result for each gap.
    pub(crate) async fn tell_gaps(&self, gaps: &[Gap]) -> Result<Vec<GapStatus>, NoAnswer> {
        let body = serde_json::to_string(&TellGaps { gaps: gaps.to_vec() })
            .map_err(|error| NoAnswer::Never(format!("writing gaps as JSON: {error}")))?;
        let request = self.client.post(format!("{}/v1/gaps", self.server));
        let told: ToldGaps = self.ask(request.header(CONTENT_TYPE, "application/json").body(body)).await?;
        if told.results.len() == gaps.len() {
            return Ok(told.results);
        }
        Err(NoAnswer::Never(format!(
            "{} answers for {} gaps of {}",
            self.server,
            told.results.len(),
            gaps.len()
        )))
    }

    async fn ask<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, NoAnswer> {
        let away = |error: reqwest::Error| {
            NoAnswer::Later(format!("asking {}: {}", self.server, chain(&error.without_url())))
        };
        let response = request.send().await.map_err(away)?;
        let status = response.status();
        let text = bounded_text(response).await.map_err(away)?;
        if status == StatusCode::OK {
            return serde_json::from_slice(&text).map_err(|error| {
                NoAnswer::Never(format!("{} answers something unreadable: {error}", self.server))
            });
        }
        let problem: Option<ProblemBody> = serde_json::from_slice(&text).ok();
        let detail = problem.map_or_else(|| status.to_string(), |problem| problem.detail);
        match status.as_u16() {
            401 | 403 => Err(NoAnswer::Never(format!(
                "{} refuses the API key; ask its host for a new one: {detail}",
                self.server
            ))),
            408 | 425 | 429 | 500.. => {
                Err(NoAnswer::Later(format!("{} cannot answer now: {detail}", self.server)))
            }
            _ => Err(NoAnswer::Never(format!(
                "{} does not answer as a Callboard server of this version does: {detail}; check the setting `server`",
                self.server
            ))),
        }
    }
}
