//! Changing a password, hashes that are made anew, and what is removed when a session is over.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use server::auth::Role;
use server::config::Config;
use shared::wire::{ProblemBody, SessionTokens};
use sqlx::Executor;
use support::eventually;
use support::people::{PASSWORD, Person, make, sign_in, stranger};
use support::server::{Api, TestServer, generous};

/// Another password that nobody guesses.
const OTHER: &str = "seven quiet otters under glass";
/// [`PASSWORD`], hashed with less work than we take today.
const WEAK: &str =
    "$argon2id$v=19$m=8192,t=1,p=1$c2l4dGVlbiBieXRlcyBvaw$2l418Rwy+AgpcWyRMVdE9JBX+5bVysH2Zqs7WoOhRSI";

async fn change(api: &Api, current: &str, new: &str) -> (u16, Option<String>) {
    let body = json!({"current_password": current, "new_password": new}).to_string();
    let answer = api.send(Method::PUT, "/v1/me/password", Some(body.into_bytes())).await;
    let status = answer.status().as_u16();
    let field = answer.json::<ProblemBody>().await.ok().and_then(|problem| problem.field);
    (status, field)
}

/// The status that signing in is answered with.
async fn signing_in(server: &TestServer, name: &str, password: &str) -> u16 {
    let body = json!({"name": name, "password": password}).to_string().into_bytes();
    stranger(server).send(Method::POST, "/v1/sessions", Some(body)).await.status().as_u16()
}

async fn refreshing(server: &TestServer, token: &str) -> u16 {
    let body = json!({"refresh_token": token}).to_string().into_bytes();
    stranger(server).send(Method::POST, "/v1/sessions/refresh", Some(body)).await.status().as_u16()
}

async fn asking(api: &Api) -> u16 {
    api.send(Method::GET, "/v1/me", None).await.status().as_u16()
}

async fn count(server: &TestServer, table: &str) -> i64 {
    let query = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
    sqlx::query_scalar(query).fetch_one(&server.pool).await.unwrap()
}

#[tokio::test]
async fn a_changed_password_is_the_only_one_and_ends_all_sessions_but_the_one_that_changed_it() {
    let server = TestServer::start().await;
    let ana = Person::join(&server, Role::Member).await;
    let elsewhere = sign_in(&server, &ana.name).await;
    let there = Api::new(&server.url, &elsewhere.access_token);
    assert_eq!(asking(&there).await, 200);
    assert_eq!(change(&ana.signed_in, PASSWORD, OTHER).await.0, 204);
    let gone = eventually("the other session is over", async || asking(&there).await == 401);
    tokio::time::timeout(Duration::from_secs(1), gone).await.expect("within a second");
    assert_eq!(refreshing(&server, &elsewhere.refresh_token).await, 401);
    assert_eq!(asking(&ana.signed_in).await, 200, "whoever changed it goes on");
    assert_eq!(refreshing(&server, &ana.tokens.refresh_token).await, 200);
    assert_eq!(asking(&ana.program).await, 200, "a program's key has nothing to do with it");
    assert_eq!(signing_in(&server, &ana.name, PASSWORD).await, 401);
    assert_eq!(signing_in(&server, &ana.name, OTHER).await, 201);
}

#[tokio::test]
async fn a_password_is_changed_only_by_whoever_knows_it_and_to_a_good_one() {
    let server = TestServer::start().await;
    let ana = Person::join(&server, Role::Member).await;
    for (current, new, field) in [
        ("not the password at all", OTHER, "current_password"),
        (PASSWORD, "short", "new_password"),
        (PASSWORD, "password1234", "new_password"),
        (PASSWORD, ana.name.as_str(), "new_password"),
        (PASSWORD, PASSWORD, "new_password"),
    ] {
        assert_eq!(change(&ana.signed_in, current, new).await, (422, Some(field.to_owned())), "{new}");
    }
    assert_eq!(change(&ana.program, PASSWORD, OTHER).await.0, 403, "a stolen key locks nobody out");
    assert_eq!(signing_in(&server, &ana.name, PASSWORD).await, 201);
    let mut answers = Vec::new();
    for _ in 0..12 {
        answers.push(change(&ana.signed_in, "a guess with a stolen session", OTHER).await.0);
    }
    assert_eq!(answers.last(), Some(&429), "{answers:?}");
    let looked_at = answers.iter().filter(|status| **status == 422).count();
    assert!((9..=10).contains(&looked_at), "{answers:?}");
}

#[tokio::test]
async fn of_two_changes_at_once_one_counts() {
    let server = TestServer::start().await;
    let ana = Person::join(&server, Role::Member).await;
    let elsewhere = sign_in(&server, &ana.name).await;
    let there = Api::new(&server.url, &elsewhere.access_token);
    let third = "nine loud herons over sand";
    let (one, two) = tokio::join!(change(&ana.signed_in, PASSWORD, OTHER), change(&there, PASSWORD, third));
    let mut statuses = [one.0, two.0];
    statuses.sort_unstable();
    assert_eq!(statuses[0], 204, "{statuses:?}");
    assert!([401, 409, 422].contains(&statuses[1]), "{statuses:?}");
    let works = [signing_in(&server, &ana.name, OTHER).await, signing_in(&server, &ana.name, third).await];
    assert_eq!(works, if one.0 == 204 { [201, 401] } else { [401, 201] });
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_who_signs_in_with_the_old_password_at_the_same_moment_stays() {
    let server = TestServer::start().await;
    let ana = Person::join(&server, Role::Member).await;
    let body = json!({"name": ana.name, "password": PASSWORD}).to_string().into_bytes();
    let signing = (0..6).map(|_| {
        let (api, body) = (stranger(&server), body.clone());
        async move { api.send(Method::POST, "/v1/sessions", Some(body)).await.json::<Value>().await.unwrap() }
    });
    let (changed, signed) = tokio::join!(change(&ana.signed_in, PASSWORD, OTHER), join_all(signing));
    assert_eq!(changed.0, 204);
    for answer in signed {
        let Ok(tokens) = serde_json::from_value::<SessionTokens>(answer) else { continue };
        assert_eq!(refreshing(&server, &tokens.refresh_token).await, 401, "a session of the old password");
    }
}

#[tokio::test]
async fn a_hash_of_less_work_is_made_anew_when_its_owner_signs_in() {
    let server = TestServer::start().await;
    let ana = Person::join(&server, Role::Member).await;
    let set = sqlx::query("UPDATE accounts SET password_hash = $2 WHERE id = $1").bind(ana.id).bind(WEAK);
    set.execute(&server.pool).await.unwrap();
    let hash = async || -> String {
        let hash = sqlx::query_scalar("SELECT password_hash FROM accounts WHERE id = $1").bind(ana.id);
        hash.fetch_one(&server.pool).await.unwrap()
    };
    assert_eq!(signing_in(&server, &ana.name, "a wrong password of some length").await, 401);
    assert_eq!(hash().await, WEAK, "only who knows the password can have it hashed anew");
    assert_eq!(signing_in(&server, &ana.name, PASSWORD).await, 201);
    let renewed = hash().await;
    assert!(renewed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{renewed}");
    assert_eq!(signing_in(&server, &ana.name, PASSWORD).await, 201);
    assert_eq!(hash().await, renewed, "once");
}

#[tokio::test]
async fn whoever_signs_out_has_no_session_any_more() {
    let server = TestServer::start().await;
    let ana = Person::join(&server, Role::Member).await;
    let elsewhere = sign_in(&server, &ana.name).await;
    let next: SessionTokens =
        make(&stranger(&server), "/v1/sessions/refresh", &json!({"refresh_token": ana.tokens.refresh_token}))
            .await;
    let out = ana.signed_in.send(Method::DELETE, "/v1/sessions/current", None).await;
    assert_eq!(out.status(), 204);
    for token in [&ana.tokens.access_token, &next.access_token] {
        let api = Api::new(&server.url, token);
        let gone = eventually("the session is over", async || asking(&api).await == 401);
        tokio::time::timeout(Duration::from_secs(1), gone).await.expect("within a second");
    }
    for token in [&ana.tokens.refresh_token, &next.refresh_token] {
        assert_eq!(refreshing(&server, token).await, 401);
    }
    assert_eq!(asking(&Api::new(&server.url, &elsewhere.access_token)).await, 200, "another device goes on");
}

#[tokio::test]
async fn what_is_left_of_sessions_that_are_over_is_removed_and_nothing_else() {
    let server = TestServer::start().await;
    let (ana, ben) = (Person::join(&server, Role::Member).await, Person::join(&server, Role::Member).await);
    let cem = Person::join(&server, Role::Member).await;
    for statement in [
        format!(
            "UPDATE sessions SET ended_at = now() - interval '25 h', ended_by = 'signed_out' WHERE account_id = '{}'",
            ana.id
        ),
        format!("UPDATE sessions SET expires_at = now() - interval '25 h' WHERE account_id = '{}'", ben.id),
    ] {
        server.pool.execute(sqlx::AssertSqlSafe(statement)).await.unwrap();
    }
    assert_eq!((count(&server, "sessions").await, count(&server, "refresh_tokens").await), (3, 3));
    let tokens = [ana.tokens.refresh_token, ben.tokens.refresh_token];
    // A server begins with it, and so does the next one.
    let server = TestServer::on(server.stop().await).await;
    eventually("the tokens are gone", async || count(&server, "refresh_tokens").await == 1).await;
    let server = TestServer::on(server.stop().await).await;
    eventually("the session that would have expired is gone", async || count(&server, "sessions").await == 2)
        .await;
    assert_eq!(count(&server, "refresh_tokens").await, 1);
    for token in &tokens {
        assert_eq!(refreshing(&server, token).await, 401, "answered as before");
    }
    assert_eq!(refreshing(&server, &cem.tokens.refresh_token).await, 200, "who is signed in goes on");
    let serving = server.scratch.serving_pool().await;
    let pruned: i64 = sqlx::query_scalar("SELECT prune_sessions(1000)").fetch_one(&serving).await.unwrap();
    assert_eq!(pruned, 0, "the serving role may do this, and it finds nothing more");
    serving.close().await;
}

#[tokio::test]
async fn guesses_from_all_addresses_of_a_network_count_together_and_what_a_stranger_claims_does_not() {
    let name = "nobody in particular";
    let guess = async |server: &TestServer, from: String| {
        let request = reqwest::Client::new().post(format!("{}/v1/sessions", server.url));
        let body = json!({"name": name, "password": "a guess of some length"});
        request.header("x-forwarded-for", from).json(&body).send().await.unwrap().status().as_u16()
    };
    let trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    let behind = Config { limits: generous(), trusted_proxies, ..Config::default() };
    let server = TestServer::with(support::postgres::Scratch::new().await, behind).await;
    for number in 0..10 {
        assert_eq!(guess(&server, format!("2001:db8:1:2::{number}")).await, 401);
    }
    assert_eq!(guess(&server, "2001:db8:1:2:ffff::1".into()).await, 429, "the same household");
    assert_eq!(guess(&server, "2001:db8:1:3::1".into()).await, 401, "another one");
    let server = TestServer::start().await;
    for number in 0..10 {
        assert_eq!(guess(&server, format!("192.0.2.{number}")).await, 401);
    }
    assert_eq!(guess(&server, "192.0.2.99".into()).await, 429, "nobody vouches for these addresses");
}
