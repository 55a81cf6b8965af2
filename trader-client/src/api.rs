//! The server's lists: what a person looks at before trading. The feed is [`crate::feed`]'s business.
//!
//! Entry point: [`channels`]. Invariant: redirects are not followed and no proxy is used, so the API key goes to the
//! configured server only.

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
        .no_proxy()
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

#[cfg(test)]
mod tests {
    use launch::server::Address;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio::process::Command;

    use super::*;

    /// This test, as the test program knows it.
    const THIS: &str =
        "api::tests::the_key_goes_to_the_server_alone_and_neither_to_a_redirect_nor_to_a_proxy";
    /// Set for the second run of this test, which has a proxy in its environment: a process cannot change its own safely.
    const BEHIND_PROXY: &str = "TRADER_TEST_BEHIND_PROXY";

    async fn listen() -> (TcpListener, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        (listener, url)
    }

    #[tokio::test]
    async fn the_key_goes_to_the_server_alone_and_neither_to_a_redirect_nor_to_a_proxy() {
        let (server, url) = listen().await;
        let (elsewhere, target) = listen().await;
        let answering = async {
            let (mut connection, _) = server.accept().await.unwrap();
            let mut request = [0; 4096];
            let read = connection.read(&mut request).await.unwrap();
            assert!(read > 0, "the server was asked");
            let answer = format!(
                "HTTP/1.1 307 Temporary Redirect\r\nlocation: {target}/v1/channels\r\ncontent-length: 0\r\n\r\n"
            );
            connection.write_all(answer.as_bytes()).await.unwrap();
            std::future::pending::<()>().await;
        };
        let address: Address = url.parse().unwrap();
        let key = Secret::new("cb_test");
        tokio::select! {
            asked = channels(&address, &key) => assert!(asked.unwrap_err().to_string().contains("307")),
            _ = elsewhere.accept() => panic!("the redirect was followed"),
            () = answering => {}
        }
        if std::env::var_os(BEHIND_PROXY).is_some() {
            return;
        }
        let (proxy, proxy_url) = listen().await;
        let mut again = Command::new(std::env::current_exe().unwrap());
        again.args(["--exact", THIS]).env(BEHIND_PROXY, "1").kill_on_drop(true);
        for variable in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
            again.env(variable, &proxy_url);
        }
        again.env_remove("NO_PROXY").env_remove("no_proxy");
        tokio::select! {
            ended = again.output() => {
                let ended = ended.unwrap();
                let told = String::from_utf8_lossy(&ended.stdout);
                assert!(ended.status.success() && told.contains("1 passed"), "{told}");
            }
            _ = proxy.accept() => panic!("the request went to the proxy of the environment"),
        }
    }
}
