//! The server's lists: what a person looks at before trading. The feed is [`crate::feed`]'s business.
//!
//! Entry point: [`channels`].

use std::time::Duration;

use anyhow::Context;
use launch::secret::Secret;
use launch::server::Address;
use shared::wire::{ChannelRecord, ChannelsPage, ProblemBody};

use crate::feed::FeedError;

/// How long a page may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Every channel of the server, by name.
pub async fn channels(address: &Address, key: &Secret) -> anyhow::Result<Vec<ChannelRecord>> {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(TIMEOUT)
        .build()
        .context("preparing to ask the server")?;
    let mut channels = Vec::new();
    let mut next: Option<String> = None;
    loop {
        let mut url = format!("{address}/v1/channels?limit=500");
        if let Some(cursor) = &next {
            url += &format!("&cursor={cursor}");
        }
        let asking = || format!("asking {address} for its channels");
        let response = client.get(url).bearer_auth(key.expose()).send().await.with_context(asking)?;
        let status = response.status();
        let text = response.text().await.with_context(asking)?;
        if !status.is_success() {
            let problem = serde_json::from_str::<ProblemBody>(&text);
            let words = problem.map_or_else(|_| status.to_string(), |problem| problem.detail);
            anyhow::ensure!(status.as_u16() != 401, FeedError::KeyRefused(words));
            anyhow::bail!("{}: {words}", asking());
        }
        let page: ChannelsPage = serde_json::from_str(&text).with_context(asking)?;
        channels.extend(page.channels);
        next = page.next;
        if next.is_none() {
            return Ok(channels);
        }
    }
}
