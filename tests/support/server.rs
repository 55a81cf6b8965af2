//! A real server inside the test's process, on a free port and a scratch database; and a client of its API.

use std::sync::atomic::{AtomicU32, Ordering};

use reqwest::{Client, Method, Response};
use server::Setup;
use server::audit::By;
use server::auth::Role;
use server::auth::session_key::SessionKey;
use server::config::Config;
use server::edge::Edge;
use server::edge::limits::Limits;
use server::edge::rates::Allowance;
use server::{accounts, curation};
use shared::post::{ChannelRef, Source};
use shared::wire::{PostMessages, PostResult, PostedMessages, ProblemBody};
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::postgres::Scratch;

/// The key of all sessions of test servers.
pub const KEY: [u8; 32] = *b"a key for tests, and only tests.";

/// A running server.
#[derive(Debug)]
pub struct TestServer {
    /// Its address, such as `http://127.0.0.1:40123`.
    pub url: String,
    /// Connections to its database.
    pub pool: PgPool,
    /// Its database.
    pub scratch: Scratch,
    stop: watch::Sender<bool>,
    task: JoinHandle<anyhow::Result<()>>,
}

impl TestServer {
    /// Starts a server on a scratch database.
    pub async fn start() -> Self {
        Self::on(Scratch::new().await).await
    }

    /// Starts a server on this database, with limits that no test runs into by the way.
    pub async fn on(scratch: Scratch) -> Self {
        Self::with(scratch, Config { limits: generous(), ..Config::default() }).await
    }

    /// Starts a server on this database with these settings of its edge.
    pub async fn with(scratch: Scratch, config: Config) -> Self {
        let pool = scratch.pool().await;
        let scheme = if config.tls.is_some() { "https" } else { "http" };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("{scheme}://{}", listener.local_addr().expect("an address"));
        let edge = Edge::new(&config).expect("settings that can be used");
        let (stop, stopping) = watch::channel(false);
        let setup = Setup { pool: scratch.serving_pool().await, session_key: SessionKey::new(&KEY), edge };
        let task = tokio::spawn(server::run(setup, listener, stopping));
        Self { url, pool, scratch, stop, task }
    }

    /// Starts another server on the same database, which ends with the test.
    pub async fn beside(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let edge = Edge::new(&Config { limits: generous(), ..Config::default() })
            .expect("settings that can be used");
        let setup =
            Setup { pool: self.scratch.serving_pool().await, session_key: SessionKey::new(&KEY), edge };
        tokio::spawn(server::run(setup, listener, self.stop.subscribe()));
        url
    }

    /// Stops it in good order and hands back its database.
    pub async fn stop(self) -> Scratch {
        self.stop.send_replace(true);
        self.task.await.expect("the server does not panic").expect("the server stops in good order");
        self.pool.close().await;
        self.scratch
    }

    /// A new API key of this role.
    pub async fn key(&self, role: Role) -> String {
        create_key(&self.pool, role).await
    }

    /// Approves a Discord channel, and lets all contributors post for it.
    pub async fn open(&self, external_id: &str, name: &str) {
        let names = self.contributors().await;
        let channel = ChannelRef {
            source: Source::Discord,
            external_id: external_id.to_owned(),
            name: name.to_owned(),
        };
        approve(&self.pool, &channel, &names).await;
    }

    /// The names of all contributors.
    pub async fn contributors(&self) -> Vec<String> {
        let names = sqlx::query_scalar("SELECT name FROM accounts WHERE role = 'contributor'");
        names.fetch_all(&self.pool).await.expect("the contributors can be read")
    }

    /// A client with a key of this role.
    pub async fn client(&self, role: Role) -> Api {
        Api::new(&self.url, &self.key(role).await)
    }
}

/// Limits that no test runs into by the way, although all come from one address, and some ask all the time.
pub fn generous() -> Limits {
    let often = Allowance::new(1_000_000, 1_000_000);
    Limits {
        connections_per_address: 1000,
        feeds_per_account: 1000,
        feeds_per_address: 1000,
        address: often,
        reads: often,
        posts: often,
        ..Limits::default()
    }
}

/// Makes an API key in this database, for an account of its own. A contributor may post in the channel of [`crate::posts`].
pub async fn create_key(pool: &PgPool, role: Role) -> String {
    let (name, key) = create_key_alone(pool, role).await;
    if role == Role::Contributor {
        approve(pool, &crate::posts::channel(), &[name]).await;
    }
    key
}

/// Makes an API key in this database, for an account of its own, of this name.
pub async fn create_key_alone(pool: &PgPool, role: Role) -> (String, String) {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("test {}", NEXT.fetch_add(1, Ordering::SeqCst));
    let by = By::host(launch::clock::now());
    let key = accounts::make_program_key(pool, (&name, role), &by).await;
    let key = key.expect("the key is made").token.expose().to_owned();
    (name, key)
}

/// Approves a channel, as the host does, and lets these contributors post for it.
pub async fn approve(pool: &PgPool, channel: &ChannelRef, contributors: &[String]) {
    let by = By::host(launch::clock::now());
    let approved = curation::approve(pool, channel, contributors, &by).await;
    approved.expect("the channel is approved");
}

/// A client of the API with one key.
#[derive(Debug, Clone)]
pub struct Api {
    /// The server's address.
    pub url: String,
    /// The key.
    pub key: String,
    client: Client,
}

impl Api {
    /// A client of the server at this address.
    pub fn new(url: &str, key: &str) -> Self {
        Self { url: url.to_owned(), key: key.to_owned(), client: Client::new() }
    }

    /// Sends a request with a JSON body or none.
    pub async fn send(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Response {
        let request = self.client.request(method, format!("{}{path}", self.url)).bearer_auth(&self.key);
        let request = match body {
            Some(body) => request.header("content-type", "application/json").body(body),
            None => request,
        };
        request.send().await.expect("the server answers")
    }

    /// Reads a JSON answer; fails unless it is 200.
    pub async fn get<T: serde::de::DeserializeOwned>(&self, path: &str) -> T {
        let response = self.send(Method::GET, path, None).await;
        let status = response.status();
        let text = response.text().await.expect("a body");
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}: {text}"))
    }

    /// The problem that a request is answered with; fails when it is answered with success.
    pub async fn problem(&self, method: Method, path: &str, body: Option<&[u8]>) -> ProblemBody {
        let response = self.send(method, path, body.map(<[u8]>::to_vec)).await;
        assert_eq!(
            response.headers()["content-type"],
            "application/problem+json",
            "{path}: {}",
            response.status()
        );
        let status = response.status();
        let problem: ProblemBody = response.json().await.expect("a problem");
        assert_eq!(status.as_u16(), problem.status);
        problem
    }

    /// Posts sightings; fails unless the whole request is accepted.
    pub async fn post(&self, body: &PostMessages) -> Vec<PostResult> {
        let body = serde_json::to_vec(body).expect("a body");
        let response = self.send(Method::POST, "/v1/messages", Some(body)).await;
        let status = response.status();
        let text = response.text().await.expect("a body");
        assert_eq!(status, 200, "{text}");
        serde_json::from_str::<PostedMessages>(&text).expect("results").results
    }
}
