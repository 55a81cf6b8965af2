//! Every route of the API × every method × every kind of caller × every status of an account, against [`TABLE`].
//!
//! A route without a row fails, and so does a row without a route: who may call what is reviewed here, once more, beside the
//! signature of the handler (invariant 10).

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use server::auth::Role;
use shared::wire::AccountStatus;
use support::eventually;
use support::people::{self, Person};
use support::server::{Api, TestServer};

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Anyone,
    /// Any active account, with any credential.
    Known,
    /// Any active account whose owner has signed in.
    Person,
    /// Any active account.
    Member,
    Contributor,
    Admin,
}
use Who::{Admin, Anyone, Contributor, Known, Member};

/// Every route, who may call it, and what they are answered who may: with the body `{}` or none, and an id that nobody has.
const TABLE: &[(&str, &str, Who, u16)] = &[
    ("GET", "/healthz", Anyone, 200),
    ("GET", "/readyz", Anyone, 200),
    ("GET", "/v1/version", Anyone, 200),
    ("POST", "/v1/sessions", Anyone, 422),
    ("POST", "/v1/sessions/refresh", Anyone, 422),
    ("POST", "/v1/accounts", Anyone, 422),
    ("GET", "/v1/me", Known, 200),
    ("PUT", "/v1/me/password", Who::Person, 422),
    ("DELETE", "/v1/sessions/current", Who::Person, 204),
    ("GET", "/v1/api-keys", Who::Person, 200),
    ("POST", "/v1/api-keys", Who::Person, 422),
    ("DELETE", "/v1/api-keys/{id}", Who::Person, 404),
    ("GET", "/v1/signals", Member, 200),
    ("GET", "/v1/signals/{id}", Member, 404),
    ("GET", "/v1/channels", Member, 200),
    ("GET", "/v1/events", Member, 200),
    // The request asks for no WebSocket.
    ("GET", "/v1/feed", Member, 422),
    ("POST", "/v1/messages", Contributor, 422),
    ("POST", "/v1/gaps", Contributor, 422),
    ("GET", "/v1/accounts", Admin, 200),
    ("GET", "/v1/accounts/{id}", Admin, 404),
    ("POST", "/v1/invites", Admin, 422),
    ("PATCH", "/v1/accounts/{id}", Admin, 404),
];

const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"];
/// An id that nobody has.
const NOBODY: &str = "00000000-0000-7000-8000-000000000000";

fn row(method: &str, path: &str) -> Option<(Who, u16)> {
    TABLE.iter().find(|row| (row.0, row.1) == (method, path)).map(|row| (row.2, row.3))
}

/// The API's description, which `openapi.yaml` is.
fn document() -> Value {
    serde_json::to_value(server::http::document()).unwrap()
}

/// The paths of the API and the methods of each.
fn routes() -> Vec<(String, BTreeSet<String>)> {
    let document = document();
    let paths = document["paths"].as_object().unwrap().iter();
    paths
        .map(|(path, methods)| {
            let methods = methods.as_object().unwrap().keys().map(|method| method.to_uppercase());
            (path.clone(), methods.collect())
        })
        .collect()
}

#[test]
fn every_route_has_a_row_and_every_row_a_route() {
    let described: BTreeSet<(String, String)> = routes()
        .into_iter()
        .flat_map(|(path, methods)| methods.into_iter().map(move |method| (method, path.clone())))
        .collect();
    let reviewed: BTreeSet<(String, String)> =
        TABLE.iter().map(|(method, path, ..)| ((*method).to_owned(), (*path).to_owned())).collect();
    assert_eq!(described, reviewed, "left: the API; right: the table in this file");
    let document = document();
    for (method, path, who, _) in TABLE {
        let says_so = document["paths"][path][method.to_lowercase()].get("security").is_some();
        assert_eq!(
            says_so,
            *who != Anyone,
            "openapi.yaml says of {method} {path} whether a credential is needed"
        );
    }
}

/// A caller of the walk.
struct Caller {
    words: String,
    api: Api,
    /// The role of an active account.
    may: Option<Role>,
    is_session: bool,
}

impl Caller {
    fn stranger(server: &TestServer, words: &str, credential: &str) -> Self {
        Self { words: words.into(), api: Api::new(&server.url, credential), may: None, is_session: false }
    }

    fn may_call(&self, who: Who) -> bool {
        match (who, self.may) {
            (Who::Anyone, _) => true,
            (_, None) => false,
            (Who::Known | Who::Member, Some(_)) => true,
            (Who::Person, Some(_)) => self.is_session,
            (Who::Contributor, Some(role)) => role == Role::Contributor,
            (Who::Admin, Some(role)) => role == Role::Admin,
        }
    }
}

/// Calls every route with every method, and compares with the table.
async fn walk(caller: &Caller, offenders: &mut Vec<String>) {
    for (path, methods) in routes() {
        let place = path.replace("{id}", NOBODY);
        for method in METHODS {
            // Signing out would change who calls; it is tried by itself.
            if (method, path.as_str()) == ("DELETE", "/v1/sessions/current") && caller.may.is_some() {
                continue;
            }
            let expected = match row(method, &path) {
                _ if !methods.contains(method) => 405,
                Some((who, code)) if caller.may_call(who) => code,
                Some(_) if caller.may.is_some() => 403,
                _ => 401,
            };
            let body = ["POST", "PUT", "PATCH"].contains(&method).then(|| b"{}".to_vec());
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let answer = caller.api.send(method.clone(), &place, body).await;
            let (status, kind) = (answer.status().as_u16(), answer.headers().get("content-type").cloned());
            if status != expected {
                offenders.push(format!("{method} {path} as {}: {status}, not {expected}", caller.words));
            }
            if status >= 400 && kind.is_none_or(|kind| kind != "application/problem+json") {
                offenders.push(format!("{method} {path} as {}: {status} is no problem body", caller.words));
            }
        }
    }
}

#[tokio::test]
async fn invariant_10_every_route_is_closed_to_everyone_who_should_not_reach_it() {
    let server = TestServer::start().await;
    let mut offenders = Vec::new();
    let expired = people::expired_access_token();
    let unknown = people::unknown_key();
    for (words, credential) in [
        ("nobody", ""),
        ("somebody with a malformed key", "cb_nonsense"),
        ("somebody with an unknown key", &unknown),
        ("somebody with an expired token", &expired),
    ] {
        walk(&Caller::stranger(&server, words, credential), &mut offenders).await;
    }
    for role in [Role::Member, Role::Contributor, Role::Admin] {
        let person = Person::join(&server, role).await;
        for status in AccountStatus::ALL {
            person.set_status(&server, *status).await;
            let is_active = *status == AccountStatus::Active;
            let code = if is_active { 200 } else { 401 };
            for (api, kind) in [(&person.signed_in, "signed in"), (&person.program, "with a key")] {
                eventually("the status counts", async || {
                    api.send(Method::GET, "/v1/me", None).await.status() == code
                })
                .await;
                let caller = Caller {
                    words: format!("a {status} {role} {kind}"),
                    api: api.clone(),
                    may: is_active.then_some(role),
                    is_session: kind == "signed in",
                };
                walk(&caller, &mut offenders).await;
            }
        }
        person.set_status(&server, AccountStatus::Active).await;
        eventually("the status counts", async || {
            person.signed_in.send(Method::GET, "/v1/me", None).await.status() == 200
        })
        .await;
        let key = person.program.send(Method::DELETE, "/v1/sessions/current", None).await;
        assert_eq!(key.status(), 403, "a key has no session");
        let out = person.signed_in.send(Method::DELETE, "/v1/sessions/current", None).await;
        assert_eq!(out.status(), 204);
        eventually("the session is over", async || {
            person.signed_in.send(Method::GET, "/v1/me", None).await.status() == 401
        })
        .await;
    }
    assert!(offenders.is_empty(), "{} offenders:\n{}", offenders.len(), offenders.join("\n"));
}

#[tokio::test]
async fn what_belongs_to_another_account_is_answered_like_what_does_not_exist() {
    let server = TestServer::start().await;
    let (ana, ben) = (Person::join(&server, Role::Member).await, Person::join(&server, Role::Member).await);
    let of_ben = ben.key_ids().await.remove(0);
    let text = async |id: &str| {
        let answer = ana.signed_in.send(Method::DELETE, &format!("/v1/api-keys/{id}"), None).await;
        (answer.status(), answer.headers().clone(), answer.bytes().await.unwrap())
    };
    let (theirs, nobodys) = (text(&of_ben).await, text(NOBODY).await);
    assert_eq!((theirs.0, &theirs.2), (nobodys.0, &nobodys.2));
    let names =
        |headers: &reqwest::header::HeaderMap| headers.keys().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(&theirs.1), names(&nobodys.1));
    assert_eq!(text("no-id-at-all").await.2, nobodys.2);
    assert_eq!(ben.key_ids().await, [of_ben], "and nothing was revoked");
}

#[tokio::test]
async fn nobody_gives_themselves_what_was_not_asked_for() {
    let server = TestServer::start().await;
    let person = Person::join(&server, Role::Member).await;
    let admin = Person::join(&server, Role::Admin).await;
    let bodies = [
        ("/v1/accounts", json!({"invite": "cbi_x", "name": "eve", "password": "correct horse battery"})),
        ("/v1/sessions", json!({"name": "eve", "password": "correct horse battery"})),
        ("/v1/sessions/refresh", json!({"refresh_token": "cbr_x"})),
        ("/v1/api-keys", json!({"name": "eve's", "scopes": ["feed:read"]})),
        ("/v1/invites", json!({"role": "member"})),
    ];
    for (path, body) in bodies {
        for (field, value) in [
            ("role", json!("admin")),
            ("status", json!("active")),
            ("account_id", json!(NOBODY)),
            ("trusted", json!(true)),
            ("scopes", json!(["admin"])),
        ] {
            if body.get(field).is_some() {
                continue;
            }
            let mut more = body.clone();
            more[field] = value;
            let api = if path == "/v1/invites" { &admin.signed_in } else { &person.signed_in };
            let answer = api.send(Method::POST, path, Some(serde_json::to_vec(&more).unwrap())).await;
            assert_eq!(answer.status(), 422, "{path} with {field}");
        }
    }
    let beyond = json!({"name": "eve's", "scopes": ["feed:read", "admin"]}).to_string().into_bytes();
    let answer = person.signed_in.problem(Method::POST, "/v1/api-keys", Some(&beyond)).await;
    assert_eq!((answer.status, answer.field.as_deref()), (422, Some("scopes")), "no more than the role has");
    let counts: (i64, i64) =
        sqlx::query_as("SELECT (SELECT count(*) FROM accounts), (SELECT count(*) FROM api_keys)")
            .fetch_one(&server.pool)
            .await
            .unwrap();
    assert_eq!(counts, (2, 2));
}

#[tokio::test]
async fn no_answer_holds_a_secret_but_the_one_that_makes_it() {
    let server = TestServer::start().await;
    let admin = Person::join(&server, Role::Admin).await;
    for path in ["/v1/me", "/v1/api-keys", "/v1/accounts", &format!("/v1/accounts/{}", admin.id)] {
        let text = admin.signed_in.get::<Value>(path).await.to_string();
        for word in ["password", "hash", "secret", "cb_", "cbi_", "cbr_", "argon2"] {
            assert!(!text.contains(word), "{path} holds {word}: {text}");
        }
    }
}
