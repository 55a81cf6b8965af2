//! `Idempotency-Key`: a request that makes something makes it once, whatever happens to its answer.

use futures_util::future::join_all;
use reqwest::Client;
use serde_json::{Value, json};
use server::Setup;
use server::auth::Role;
use server::auth::session_key::SessionKey;
use server::config::Config;
use server::edge::Edge;
use support::people::Person;
use support::server::{KEY, TestServer, generous};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Sends a request that makes something: status and body.
async fn make(url: &str, token: &str, (path, key): (&str, &str), body: &Value) -> (u16, Value) {
    let mut request = Client::new().post(format!("{url}{path}")).bearer_auth(token).json(body);
    if !key.is_empty() {
        request = request.header("idempotency-key", key);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

const KEYS: &str = "/v1/api-keys";
const INVITES: &str = "/v1/invites";

fn wish(name: &str) -> Value {
    json!({"name": name, "scopes": ["feed:read"]})
}

async fn count(server: &TestServer, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(&server.pool).await.unwrap()
}

/// Another server of the same database, with the same session key.
async fn another(server: &TestServer) -> (String, watch::Sender<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let edge = Edge::new(&Config { limits: generous(), ..Config::default() }).unwrap();
    let setup = Setup { pool: server.scratch.serving_pool().await, session_key: SessionKey::new(&KEY), edge };
    let (stop, stopping) = watch::channel(false);
    tokio::spawn(server::run(setup, listener, stopping));
    (url, stop)
}

#[tokio::test]
async fn the_same_request_is_answered_the_same_and_makes_nothing_a_second_time_even_after_a_restart() {
    let server = TestServer::start().await;
    let admin = Person::join(&server, Role::Admin).await;
    let token = &admin.tokens.access_token;
    let (status, key) = make(&server.url, token, (KEYS, "k-1"), &wish("one")).await;
    let (_, invite) = make(&server.url, token, (INVITES, "k-2"), &json!({"role": "member"})).await;
    assert_eq!(status, 201);
    let server = TestServer::on(server.stop().await).await;
    for _ in 0..2 {
        assert_eq!(make(&server.url, token, (KEYS, "k-1"), &wish("one")).await, (201, key.clone()));
        let again = make(&server.url, token, (INVITES, "k-2"), &json!({"role": "member"})).await;
        assert_eq!(again, (201, invite.clone()));
    }
    assert_eq!(count(&server, "SELECT count(*) FROM api_keys WHERE name = 'one'").await, 1);
    assert_eq!(count(&server, "SELECT count(*) FROM accounts WHERE status = 'invited'").await, 1);
    let me = Client::new().get(format!("{}/v1/me", server.url)).bearer_auth(key["key"].as_str().unwrap());
    assert_eq!(me.send().await.unwrap().status(), 200, "the key that is shown again is good");
    let register = json!({"invite": invite["invite"], "name": "dora", "password": support::people::PASSWORD});
    assert_eq!(make(&server.url, "", ("/v1/accounts", ""), &register).await.0, 201, "and so is the invite");
}

#[tokio::test]
async fn a_key_belongs_to_one_request_of_one_caller_and_without_one_each_request_counts() {
    let server = TestServer::start().await;
    let (ana, ben) = (Person::join(&server, Role::Member).await, Person::join(&server, Role::Member).await);
    let (ana, ben) = (&ana.tokens.access_token, &ben.tokens.access_token);
    let (_, first) = make(&server.url, ana, (KEYS, "k"), &wish("one")).await;
    let (status, problem) = make(&server.url, ana, (KEYS, "k"), &wish("two")).await;
    assert_eq!((status, &problem["field"]), (422, &json!("Idempotency-Key")));
    let (status, others) = make(&server.url, ben, (KEYS, "k"), &wish("one")).await;
    assert_eq!(status, 201);
    assert_ne!(others["key"], first["key"]);
    let (one, two) = (
        make(&server.url, ana, (KEYS, ""), &wish("one")).await,
        make(&server.url, ana, (KEYS, ""), &wish("one")).await,
    );
    assert_ne!(one.1["id"], two.1["id"]);
    for bad in ["two words", &"k".repeat(129)] {
        let (status, problem) = make(&server.url, ana, (KEYS, bad), &wish("one")).await;
        assert_eq!((status, &problem["field"]), (422, &json!("Idempotency-Key")), "{bad}");
    }
}

#[tokio::test]
async fn what_was_refused_was_not_made_and_can_be_asked_for_again() {
    let server = TestServer::start().await;
    let ana = Person::join(&server, Role::Member).await;
    let token = &ana.tokens.access_token;
    let beyond = json!({"name": "one", "scopes": ["admin"]});
    for _ in 0..2 {
        assert_eq!(make(&server.url, token, (KEYS, "k"), &beyond).await.0, 422);
    }
    assert_eq!(make(&server.url, token, (KEYS, "k"), &wish("one")).await.0, 201);
    assert_eq!(count(&server, "SELECT count(*) FROM made_once").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_once_on_two_servers_one_makes_it_and_nobody_is_told_otherwise() {
    let server = TestServer::start().await;
    let (beside, _stop) = another(&server).await;
    let ana = Person::join(&server, Role::Member).await;
    let wish = wish("one");
    let asking = (0..20).map(|number| {
        let url = if number % 2 == 0 { &server.url } else { &beside };
        make(url, &ana.tokens.access_token, (KEYS, "k"), &wish)
    });
    let answers = join_all(asking).await;
    let made: Vec<&Value> =
        answers.iter().filter(|(status, _)| *status == 201).map(|(_, body)| body).collect();
    assert!(!made.is_empty() && made.iter().all(|body| *body == made[0]), "{answers:?}");
    assert!(answers.iter().all(|(status, _)| [201, 409].contains(status)), "{answers:?}");
    assert_eq!(count(&server, "SELECT count(*) FROM api_keys WHERE name = 'one'").await, 1);
    let late = make(&beside, &ana.tokens.access_token, (KEYS, "k"), &wish).await;
    assert_eq!((late.0, &late.1), (201, made[0]));
}

#[tokio::test]
async fn a_key_counts_for_a_day_and_a_caller_has_a_hundred_of_them() {
    let server = TestServer::start().await;
    let ana = Person::join(&server, Role::Admin).await;
    let token = &ana.tokens.access_token;
    let (_, first) = make(&server.url, token, (KEYS, "k"), &wish("one")).await;
    let age = "UPDATE made_once SET made_at = made_at - interval '24 hours'";
    sqlx::query(age).execute(&server.pool).await.unwrap();
    let (status, second) = make(&server.url, token, (KEYS, "k"), &wish("one")).await;
    assert_eq!(status, 201);
    assert_ne!(first["key"], second["key"]);
    for number in 0..99 {
        let made =
            make(&server.url, token, (INVITES, &format!("i-{number}")), &json!({"role": "member"})).await;
        assert_eq!(made.0, 201);
    }
    assert_eq!(make(&server.url, token, (INVITES, "more"), &json!({"role": "member"})).await.0, 429);
    assert_eq!(
        make(&server.url, token, (INVITES, "i-3"), &json!({"role": "member"})).await.0,
        201,
        "known ones go on"
    );
    assert_eq!(
        make(&server.url, token, (INVITES, ""), &json!({"role": "member"})).await.0,
        201,
        "as does the rest"
    );
    sqlx::query("UPDATE made_once SET made_at = made_at - interval '26 hours'")
        .execute(&server.pool)
        .await
        .unwrap();
    let server = TestServer::on(server.stop().await).await;
    support::eventually("old keys are removed", async || {
        count(&server, "SELECT count(*) FROM made_once").await == 0
    })
    .await;
}
