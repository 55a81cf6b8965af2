//! Joining, signing in and going on, as people do it; and as those do who should not get in.

use std::collections::HashSet;

use futures_util::future::join_all;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use server::auth::Role;
use shared::wire::{AccountStatus, ProblemBody, SessionTokens};
use support::eventually;
use support::people::{self, PASSWORD, Person, make, stranger};
use support::program::{ServerProgram, command};
use support::server::{Api, TestServer};
use tokio::time::Instant;

/// How often one refresh token is used at once, and how often that is tried.
const AT_ONCE: usize = 50;
/// See [`AT_ONCE`].
const ROUNDS: usize = 10;

async fn post(api: &Api, path: &str, body: &Value) -> Response {
    api.send(Method::POST, path, Some(body.to_string().into_bytes())).await
}

async fn problem(api: &Api, path: &str, body: &Value) -> ProblemBody {
    api.problem(Method::POST, path, Some(body.to_string().as_bytes())).await
}

async fn refresh(api: &Api, token: &str) -> Result<SessionTokens, u16> {
    let answer = post(api, "/v1/sessions/refresh", &json!({"refresh_token": token})).await;
    match answer.status().as_u16() {
        200 => Ok(answer.json().await.expect("tokens")),
        status => Err(status),
    }
}

async fn me(server: &TestServer, tokens: &SessionTokens) -> u16 {
    Api::new(&server.url, &tokens.access_token).send(Method::GET, "/v1/me", None).await.status().as_u16()
}

async fn execute(server: &TestServer, statement: &str) {
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned())).execute(&server.pool).await.expect("it runs");
}

async fn count(server: &TestServer, query: &str) -> i64 {
    sqlx::query_scalar(sqlx::AssertSqlSafe(query.to_owned())).fetch_one(&server.pool).await.expect("a count")
}

#[tokio::test]
async fn an_invite_makes_one_account_and_no_second_one() {
    let server = TestServer::start().await;
    let invite = people::invite(&server, Role::Contributor).await;
    let wish = |name: &str| json!({"invite": invite, "name": name, "password": PASSWORD});
    let nobody = stranger(&server);
    let join = |number: usize| {
        let (nobody, wish) = (nobody.clone(), wish(&format!("ana {number}")));
        async move { post(&nobody, "/v1/accounts", &wish).await.status().as_u16() }
    };
    let statuses = join_all((0..8).map(join)).await;
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [201, 401].contains(status)), "{statuses:?}");
    assert_eq!(problem(&nobody, "/v1/accounts", &wish("ana again")).await.status, 401);
}

#[tokio::test]
async fn an_invite_that_is_too_old_or_taken_back_is_of_no_use_and_a_name_belongs_to_one() {
    let server = TestServer::start().await;
    let admin = Person::join(&server, Role::Admin).await;
    let nobody = stranger(&server);
    let invited: shared::wire::NewInvite =
        make(&admin.signed_in, "/v1/invites", &json!({"role": "member", "note": "for Ben"})).await;
    let wish = |name: &str| json!({"invite": invited.invite, "name": name, "password": PASSWORD});
    let taken = problem(&nobody, "/v1/accounts", &wish(&admin.name.to_uppercase())).await;
    assert!(taken.status == 409 && taken.detail.contains("is taken"), "{taken:?}");
    for (bad, field) in [("a\u{200b}b", "name"), (" ben", "name"), ("", "name")] {
        let unfit = problem(&nobody, "/v1/accounts", &wish(bad)).await;
        assert_eq!((unfit.status, unfit.field.as_deref()), (422, Some(field)), "{bad:?}");
    }
    for weak in ["short", "password1234", "callboard1234", &"x".repeat(129)] {
        let body = json!({"invite": invited.invite, "name": "ben", "password": weak});
        let unfit = problem(&nobody, "/v1/accounts", &body).await;
        assert_eq!((unfit.status, unfit.field.as_deref()), (422, Some("password")), "{weak:?}");
    }
    execute(&server, "UPDATE invites SET expires_at = now() - interval '1 second' WHERE used_at IS NULL")
        .await;
    assert_eq!(problem(&nobody, "/v1/accounts", &wish("ben")).await.status, 401);
    execute(&server, "UPDATE invites SET expires_at = now() + interval '1 hour' WHERE used_at IS NULL").await;
    let path = format!("/v1/accounts/{}", invited.account_id);
    let patch = async |body: Value| {
        admin
            .signed_in
            .send(Method::PATCH, &path, Some(body.to_string().into_bytes()))
            .await
            .status()
            .as_u16()
    };
    assert_eq!(patch(json!({"status": "active"})).await, 409, "only its owner makes it active");
    assert_eq!(patch(json!({"status": "revoked"})).await, 200);
    assert_eq!(problem(&nobody, "/v1/accounts", &wish("ben")).await.status, 401);
    assert_eq!(patch(json!({"status": "active"})).await, 409, "nothing leads back");
}

#[tokio::test]
async fn an_admin_stops_an_account_and_lets_it_go_on_but_not_their_own() {
    let server = TestServer::start().await;
    let (admin, ana) = (Person::join(&server, Role::Admin).await, Person::join(&server, Role::Member).await);
    let patch = async |id: uuid::Uuid, body: Value| {
        let path = format!("/v1/accounts/{id}");
        admin
            .signed_in
            .send(Method::PATCH, &path, Some(body.to_string().into_bytes()))
            .await
            .status()
            .as_u16()
    };
    let get = async |api: &Api| api.send(Method::GET, "/v1/channels", None).await.status().as_u16();
    assert_eq!((get(&ana.signed_in).await, get(&ana.program).await), (200, 200));
    assert_eq!(patch(ana.id, json!({"status": "suspended"})).await, 200);
    let since = Instant::now();
    eventually("both are refused", async || {
        (get(&ana.signed_in).await, get(&ana.program).await) == (401, 401)
    })
    .await;
    assert!(since.elapsed().as_secs() < 1, "{:?}", since.elapsed());
    assert_eq!(refresh(&stranger(&server), &ana.tokens.refresh_token).await.err(), Some(401));
    assert_eq!(patch(ana.id, json!({"status": "active"})).await, 200);
    eventually("the key works again", async || get(&ana.program).await == 200).await;
    assert_eq!(get(&ana.signed_in).await, 401, "who was stopped signs in again");
    assert_eq!(me(&server, &people::sign_in(&server, &ana.name).await).await, 200);
    assert_eq!(patch(admin.id, json!({"status": "suspended"})).await, 409);
    assert_eq!(patch(admin.id, json!({"role": "member"})).await, 409);
    assert_eq!(patch(ana.id, json!({"status": "invited"})).await, 422);
    assert_eq!(patch(ana.id, json!({"role": "contributor"})).await, 200);
}

#[tokio::test]
async fn a_key_is_made_listed_used_and_revoked_by_its_owner() {
    let server = TestServer::start().await;
    let ana = Person::join(&server, Role::Contributor).await;
    let get = async || ana.program.send(Method::GET, "/v1/channels", None).await.status().as_u16();
    assert_eq!(get().await, 200);
    let key = ana.key_ids().await.remove(0);
    let gone = ana.signed_in.send(Method::DELETE, &format!("/v1/api-keys/{key}"), None).await;
    assert_eq!(gone.status(), 204);
    let since = Instant::now();
    eventually("it is refused", async || get().await == 401).await;
    assert!(since.elapsed().as_secs() < 1, "{:?}", since.elapsed());
    assert!(ana.key_ids().await.is_empty());
    let past = json!({"name": "old", "scopes": ["feed:read"], "expires_at": "2020-01-01T00:00:00Z"});
    assert_eq!(problem(&ana.signed_in, "/v1/api-keys", &past).await.field.as_deref(), Some("expires_at"));
    let wish = json!({"name": "a program", "scopes": ["feed:read"]});
    for _ in 0..shared::wire::MAX_API_KEYS {
        assert_eq!(post(&ana.signed_in, "/v1/api-keys", &wish).await.status(), 201);
    }
    assert_eq!(problem(&ana.signed_in, "/v1/api-keys", &wish).await.status, 409);
}

#[tokio::test]
async fn a_refresh_token_that_comes_again_ends_the_whole_session() {
    let server = TestServer::start().await;
    let ana = Person::join(&server, Role::Member).await;
    let nobody = stranger(&server);
    let first = ana.tokens.clone();
    let second = refresh(&nobody, &first.refresh_token).await.unwrap();
    let third = refresh(&nobody, &second.refresh_token).await.unwrap();
    assert_eq!(me(&server, &third).await, 200);
    assert_eq!(refresh(&nobody, &first.refresh_token).await.err(), Some(401));
    let since = Instant::now();
    eventually("its access tokens are dead", async || me(&server, &third).await == 401).await;
    assert!(since.elapsed().as_secs() < 1, "{:?}", since.elapsed());
    assert_eq!(me(&server, &first).await, 401);
    assert_eq!(refresh(&nobody, &third.refresh_token).await.err(), Some(401));
    assert_eq!(count(&server, "SELECT count(*) FROM sessions WHERE ended_by = 'token_reused'").await, 1);
    assert_eq!(me(&server, &people::sign_in(&server, &ana.name).await).await, 200, "others are not affected");
}

#[tokio::test]
async fn a_lost_answer_is_given_again_for_thirty_seconds_while_its_token_was_not_used() {
    let server = TestServer::start().await;
    let ana = Person::join(&server, Role::Member).await;
    let nobody = stranger(&server);
    let lost = refresh(&nobody, &ana.tokens.refresh_token).await.unwrap();
    let again = refresh(&nobody, &ana.tokens.refresh_token).await.unwrap();
    assert_eq!(lost.refresh_token, again.refresh_token, "the same answer");
    assert_eq!(me(&server, &again).await, 200);
    execute(&server, "UPDATE sessions SET rotated_at = rotated_at - interval '31 seconds'").await;
    assert_eq!(refresh(&nobody, &ana.tokens.refresh_token).await.err(), Some(401), "too late");
    assert_eq!(refresh(&nobody, &again.refresh_token).await.err(), Some(401), "and that was a reuse");
}

#[tokio::test]
async fn fifty_uses_of_one_refresh_token_at_once_leave_one_chain() {
    let server = TestServer::start().await;
    let ana = Person::join(&server, Role::Member).await;
    let nobody = stranger(&server);
    let mut token = ana.tokens.refresh_token;
    for round in 0..ROUNDS {
        let uses = join_all((0..AT_ONCE).map(|_| refresh(&nobody, &token))).await;
        let next: HashSet<String> = uses.into_iter().map(|answer| answer.unwrap().refresh_token).collect();
        assert_eq!(next.len(), 1, "round {round}: every answer has the same token");
        let live = "SELECT count(*) FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id
            WHERE s.ended_at IS NULL AND t.number >= s.rotations";
        assert_eq!(count(&server, live).await, 1, "round {round}");
        token = next.into_iter().next().unwrap();
    }
    assert!(refresh(&nobody, &token).await.is_ok());
}

#[tokio::test]
async fn a_session_ends_when_it_rested_for_a_month_and_after_three_months_in_any_case() {
    let server = TestServer::start().await;
    let nobody = stranger(&server);
    for (change, words) in [
        ("rotated_at = now() - interval '31 days'", "it has rested"),
        ("expires_at = now() - interval '1 second'", "it is old"),
    ] {
        let ana = Person::join(&server, Role::Member).await;
        execute(&server, &format!("UPDATE sessions SET {change} WHERE account_id = '{}'", ana.id)).await;
        assert_eq!(refresh(&nobody, &ana.tokens.refresh_token).await.err(), Some(401), "{words}");
    }
    let days = "SELECT count(*) FROM sessions WHERE expires_at = created_at + interval '90 days'";
    assert_eq!(count(&server, days).await, 1);
}

#[tokio::test]
async fn of_a_thousand_guesses_at_most_fifteen_are_looked_at() {
    let server = TestServer::start().await;
    let ana = Person::join(&server, Role::Member).await;
    let nobody = stranger(&server);
    let guess = |number: usize| {
        let (nobody, name) = (nobody.clone(), ana.name.clone());
        async move {
            let body = json!({"name": name, "password": format!("guess number {number}")});
            let answer = post(&nobody, "/v1/sessions", &body).await;
            let waits = answer.headers().contains_key("retry-after");
            (answer.status().as_u16(), waits)
        }
    };
    let mut looked_at = 0;
    for hundred in 0..10 {
        for (status, waits) in join_all((hundred * 100..(hundred + 1) * 100).map(guess)).await {
            match status {
                401 => looked_at += 1,
                429 => assert!(waits, "a refusal says how long to wait"),
                other => panic!("{other}"),
            }
        }
    }
    assert!((10..=15).contains(&looked_at), "{looked_at}");
    assert_eq!(me(&server, &ana.tokens).await, 200, "the owner's session goes on");
}

#[tokio::test]
async fn whether_a_name_is_known_shows_neither_in_the_answer_nor_in_its_time() {
    let server = TestServer::start().await;
    let ana = Person::join(&server, Role::Member).await;
    // Thirty accounts with the same password, so that none is tried often enough to be held back.
    let copy = format!(
        "INSERT INTO accounts (id, name, role, status, password_hash, created_at)
        SELECT gen_random_uuid(), 'known ' || n, 'member', 'active', password_hash, created_at
        FROM accounts, generate_series(1, 30) n WHERE id = '{}'",
        ana.id
    );
    execute(&server, &copy).await;
    let nobody = stranger(&server);
    let mut differences = Vec::new();
    let mut bodies = HashSet::new();
    for number in 1..=30 {
        let mut times = Vec::new();
        for kind in ["known", "unknown"] {
            let body =
                json!({"name": format!("{kind} {number}"), "password": "a wrong password of some length"});
            let since = Instant::now();
            let answer = post(&nobody, "/v1/sessions", &body).await;
            times.push(since.elapsed().as_secs_f64() * 1000.0);
            let headers: Vec<String> = answer.headers().keys().map(ToString::to_string).collect();
            bodies.insert((answer.status().as_u16(), headers, answer.text().await.unwrap()));
        }
        differences.push(times[0] - times[1]);
    }
    assert_eq!(bodies.len(), 1, "one answer for all: {bodies:?}");
    differences.sort_by(f64::total_cmp);
    let median = f64::midpoint(differences[14], differences[15]);
    // Without the same work for both it would be what a hash takes: some 50 ms.
    assert!(median.abs() < 8.0, "the median difference is {median:.1} ms: {differences:.1?}");
}

#[tokio::test]
async fn a_suspended_account_and_one_without_a_password_are_answered_like_one_that_is_not_there() {
    let server = TestServer::start().await;
    let ana = Person::join(&server, Role::Member).await;
    ana.set_status(&server, AccountStatus::Suspended).await;
    let program = server.client(Role::Member).await;
    assert_eq!(program.send(Method::GET, "/v1/me", None).await.status(), 200);
    let name: String = sqlx::query_scalar("SELECT name FROM accounts WHERE password_hash IS NULL")
        .fetch_one(&server.pool)
        .await
        .unwrap();
    let mut answers = HashSet::new();
    for name in [ana.name.as_str(), &name, "nobody", "no\u{0}body", &"n".repeat(1000)] {
        let answer =
            post(&stranger(&server), "/v1/sessions", &json!({"name": name, "password": PASSWORD})).await;
        answers.insert((answer.status().as_u16(), answer.text().await.unwrap()));
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(answers.into_iter().next().unwrap().0, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_sign_ins_at_once_take_little_memory_and_keep_nobody_else_waiting() {
    let server = TestServer::start().await;
    let ana = Person::join(&server, Role::Member).await;
    let copy = format!(
        "INSERT INTO accounts (id, name, role, status, password_hash, created_at)
        SELECT gen_random_uuid(), 'person ' || n, 'member', 'active', password_hash, created_at
        FROM accounts, generate_series(1, 200) n WHERE id = '{}'",
        ana.id
    );
    execute(&server, &copy).await;
    let folder = tempfile::tempdir().unwrap();
    let mut serve = command("server");
    serve.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(folder.path());
    serve.env("SERVER__LIMITS__CONNECTIONS_PER_ADDRESS", "1000");
    let program = ServerProgram::start(serve.env("DATABASE_URL", server.scratch.url())).await.unwrap();
    let nobody = Api::new(&program.url, "");
    assert_eq!(nobody.send(Method::GET, "/healthz", None).await.status(), 200);
    let before = program.resident_kib();
    let sign_in = |number: usize| {
        let (nobody, body) =
            (nobody.clone(), json!({"name": format!("person {number}"), "password": PASSWORD}));
        async move { post(&nobody, "/v1/sessions", &body).await.status().as_u16() }
    };
    let (statuses, slowest) = tokio::join!(join_all((1..=200).map(sign_in)), async {
        let mut slowest = std::time::Duration::ZERO;
        for _ in 0..20 {
            let since = Instant::now();
            assert_eq!(nobody.send(Method::GET, "/healthz", None).await.status(), 200);
            slowest = slowest.max(since.elapsed());
        }
        slowest
    });
    let grown = program.resident_kib().saturating_sub(before) / 1024;
    let done = statuses.iter().filter(|status| **status == 201).count();
    assert!(statuses.iter().all(|status| [201, 503].contains(status)), "{statuses:?}");
    assert!(done >= 32, "{done} of 200 signed in");
    assert!(grown < 150, "grown by {grown} MiB");
    assert!(slowest < support::PATIENCE / 10, "a look at its health took {slowest:?}");
}
