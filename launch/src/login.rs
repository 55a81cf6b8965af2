//! `login`: a program gets the API key that it needs, and keeps it.
//!
//! Entry point: [`Login::run`]. Either a key is pasted, or its owner signs in and a key is made for this program. The password
//! is used once and kept nowhere.

use std::io::{BufRead, IsTerminal, Read};
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use reqwest::{Client, RequestBuilder};
use serde::de::DeserializeOwned;
use shared::wire::{MakeApiKey, Me, NewApiKey, ProblemBody, Scope, SessionTokens, SignIn};

use crate::credential::{self, Place};
use crate::secret::Secret;
use crate::server::Address;

/// How long a request may take: signing in takes a tenth of a second, and a busy server asks to come back.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The longest line that is read as a key or a password.
const MAX_LINE: u64 = 4096;

/// Which program wants to log in, and where.
#[derive(Debug)]
pub struct Login<'a> {
    /// The program's name.
    pub program: &'static str,
    /// The server.
    pub server: &'a Address,
    /// The program's data folder.
    pub folder: &'a Path,
    /// What the program needs its key for.
    pub scopes: &'static [Scope],
}

impl Login<'_> {
    /// Takes a key, or with `name` a password, from the terminal (without showing it) or from standard input; keeps the key,
    /// and says where.
    pub async fn run(&self, name: Option<&str>) -> anyhow::Result<String> {
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(TIMEOUT)
            .build()
            .context("preparing to ask the server")?;
        let key = match name {
            Some(name) => self.make_key(&client, name).await?,
            None => ask("API key (it is not shown): ")?,
        };
        let me = self.check(&client, &key).await?;
        let place = credential::keep(self.program, self.server, (self.folder, &key))?;
        let place = match place {
            Place::Keyring => "in the keyring of this system".to_owned(),
            Place::File(path) => format!(
                "in {}, which only you may read, because this system has no keyring that can be used",
                path.display()
            ),
        };
        Ok(format!("logged in to {} as {} ({}); the API key is {place}", self.server, me.name, me.role))
    }

    /// Signs in, has a key made, and signs out.
    async fn make_key(&self, client: &Client, name: &str) -> anyhow::Result<Secret> {
        let password = ask(&format!("password of {name} (it is not shown): "))?;
        let body = SignIn { name: name.to_owned(), password: password.expose().to_owned() };
        let signing_in = client.post(self.url("sessions")).json(&body);
        let tokens: SessionTokens = self.answer(signing_in, "signing in").await?;
        let wish =
            MakeApiKey { name: self.program.to_owned(), scopes: self.scopes.to_vec(), expires_at: None };
        let making = client.post(self.url("api-keys")).bearer_auth(&tokens.access_token).json(&wish);
        let made = self.answer::<NewApiKey>(making, "making an API key").await;
        let signing_out = client.delete(self.url("sessions/current")).bearer_auth(&tokens.access_token);
        if let Err(error) = signing_out.send().await {
            tracing::warn!("signing out: {error}; the session ends by itself");
        }
        Ok(Secret::new(made?.key))
    }

    /// Makes sure that the key is good for what the program needs.
    async fn check(&self, client: &Client, key: &Secret) -> anyhow::Result<Me> {
        let asking = client.get(self.url("me")).bearer_auth(key.expose());
        let me: Me = self.answer(asking, "trying the API key").await?;
        if let Some(missing) = self.scopes.iter().find(|scope| !me.scopes.contains(scope)) {
            anyhow::bail!("this key of {} lacks the scope {missing}, which {} needs", me.name, self.program);
        }
        Ok(me)
    }

    fn url(&self, path: &str) -> String {
        format!("{}/v1/{path}", self.server)
    }

    async fn answer<T: DeserializeOwned>(&self, request: RequestBuilder, doing: &str) -> anyhow::Result<T> {
        let doing = || format!("{doing} at {}", self.server);
        let response = request.send().await.with_context(doing)?;
        let status = response.status();
        let text = response.text().await.with_context(doing)?;
        if status.is_success() {
            return serde_json::from_str(&text).with_context(doing);
        }
        let problem = serde_json::from_str::<ProblemBody>(&text);
        let words = problem.map_or_else(|_| status.to_string(), |problem| problem.detail);
        anyhow::bail!("{}: {words}", doing())
    }
}

/// A secret from the terminal, or the first line of standard input.
fn ask(prompt: &str) -> anyhow::Result<Secret> {
    let text = if std::io::stdin().is_terminal() {
        rpassword::prompt_password(prompt).context("asking at the terminal")?
    } else {
        let mut line = String::new();
        std::io::stdin().lock().take(MAX_LINE).read_line(&mut line).context("reading standard input")?;
        line
    };
    let text = text.trim_end_matches(['\r', '\n']);
    anyhow::ensure!(!text.is_empty(), "nothing was entered");
    Ok(Secret::new(text))
}
