//! People who join a server as they do in life: invited, registered, signed in, with a key for a program.

use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use server::accounts;
use server::audit::By;
use server::auth::Role;
use server::auth::session_key::SessionKey;
use server::auth::token::{Kind, NewToken};
use sha2::Sha256;
use shared::wire::{AccountRecord, AccountStatus, ApiKeys, NewApiKey, Register, SessionTokens, SignIn};
use uuid::Uuid;

use crate::server::{Api, KEY, TestServer};

/// A password that nobody guesses.
pub const PASSWORD: &str = "correct horse battery staple";

/// Somebody with an account.
#[derive(Debug)]
pub struct Person {
    /// The account's id.
    pub id: Uuid,
    /// The account's name.
    pub name: String,
    /// A client with their access token.
    pub signed_in: Api,
    /// A client with a key of theirs.
    pub program: Api,
    /// The tokens of their session.
    pub tokens: SessionTokens,
}

/// Sends a JSON body to a route that makes something; fails unless it is made.
pub async fn make<T: DeserializeOwned>(api: &Api, path: &str, body: &Value) -> T {
    let answer = api.send(Method::POST, path, Some(body.to_string().into_bytes())).await;
    let status = answer.status();
    let text = answer.text().await.expect("a body");
    assert!(status.is_success(), "{path}: {status} {text}");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}: {text}"))
}

/// A client that shows nothing that is known.
pub fn stranger(server: &TestServer) -> Api {
    Api::new(&server.url, "")
}

/// An invite of the host.
pub async fn invite(server: &TestServer, role: Role) -> String {
    let made =
        accounts::invite(&server.pool, (role, Some("for a test")), None, &By::host(launch::clock::now()))
            .await;
    made.expect("an invite").invite
}

/// Signs in; fails unless that works.
pub async fn sign_in(server: &TestServer, name: &str) -> SessionTokens {
    let body = SignIn { name: name.to_owned(), password: PASSWORD.to_owned() };
    make(&stranger(server), "/v1/sessions", &serde_json::to_value(body).expect("a body")).await
}

impl Person {
    /// Invites somebody, who registers, signs in, and makes a key with all that the role may do.
    pub async fn join(server: &TestServer, role: Role) -> Self {
        let invite = invite(server, role).await;
        let name = format!("person {}", &invite[4..14]);
        let register = Register { invite, name: name.clone(), password: PASSWORD.to_owned() };
        let body = serde_json::to_value(register).expect("a body");
        let account: AccountRecord = make(&stranger(server), "/v1/accounts", &body).await;
        assert_eq!((account.role, account.status), (role, AccountStatus::Active));
        let tokens = sign_in(server, &name).await;
        let signed_in = Api::new(&server.url, &tokens.access_token);
        let wish = json!({"name": "a program", "scopes": role.scopes()});
        let key: NewApiKey = make(&signed_in, "/v1/api-keys", &wish).await;
        let program = Api::new(&server.url, &key.key);
        Self { id: account.id, name, signed_in, program, tokens }
    }

    /// Sets the account's status behind the server's back.
    pub async fn set_status(&self, server: &TestServer, status: AccountStatus) {
        let done =
            sqlx::query("UPDATE accounts SET status = $2 WHERE id = $1").bind(self.id).bind(status.as_str());
        done.execute(&server.pool).await.expect("the status is set");
    }

    /// The ids of their keys.
    pub async fn key_ids(&self) -> Vec<String> {
        let keys: ApiKeys = self.signed_in.get("/v1/api-keys").await;
        keys.api_keys.iter().map(|key| key.id.to_string()).collect()
    }
}

/// A key that is well-formed and that no server knows.
pub fn unknown_key() -> String {
    NewToken::generate(Kind::ApiKey).expect("random bytes").token.expose().to_owned()
}

/// An access token of the test servers that was good an hour ago.
pub fn expired_access_token() -> String {
    let then = launch::clock::now() - time::Duration::HOUR;
    let token = SessionKey::new(&KEY).access_token((Uuid::nil(), Uuid::nil()), then);
    token.expect("a token").0
}

/// What the test servers sign access tokens with.
pub fn signing_key() -> [u8; 32] {
    mac(&KEY, b"callboard access token")
}

/// HMAC-SHA256.
pub fn mac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.update(text);
    mac.finalize().into_bytes().into()
}
