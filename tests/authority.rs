//! Who may act, and how fast it ends: statuses, scopes, expiry, revocation, and keys from before there were accounts.

use reqwest::Method;
use server::auth::Role;
use shared::wire::{ProblemKind, close_code};
use sqlx::{AssertSqlSafe, PgPool};
use support::eventually;
use support::feed::{Seen, Subscription};
use support::posts::{batch, sighting};
use support::program::{command, run};
use support::server::{Api, TestServer};
use tokio::time::Instant;

/// How long a request may still be answered, and a subscription stay open, after its account was stopped.
const REQUESTS_END_WITHIN: std::time::Duration = std::time::Duration::from_secs(1);
/// See [`REQUESTS_END_WITHIN`].
const SUBSCRIPTIONS_END_WITHIN: std::time::Duration = std::time::Duration::from_secs(5);

async fn execute(pool: &PgPool, statement: &str) {
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(pool).await.expect("the statement runs");
}

async fn status(api: &Api, path: &str) -> u16 {
    api.send(Method::GET, path, None).await.status().as_u16()
}

#[tokio::test]
async fn only_an_active_account_may_act_and_a_change_counts_at_once() {
    let server = TestServer::start().await;
    let api = server.client(Role::Member).await;
    for stopped in ["suspended", "revoked", "invited"] {
        execute(&server.pool, "UPDATE accounts SET status = 'active'").await;
        eventually("an active account gets in", async || status(&api, "/v1/channels").await == 200).await;
        let mut subscription = Subscription::open(&api, 0, "").await.unwrap();
        assert_eq!(subscription.next().await, Seen::CaughtUp(0));
        execute(&server.pool, &format!("UPDATE accounts SET status = '{stopped}'")).await;
        let since = Instant::now();
        eventually("requests are refused", async || status(&api, "/v1/channels").await == 401).await;
        assert!(since.elapsed() < REQUESTS_END_WITHIN, "{:?}", since.elapsed());
        assert_eq!(subscription.next().await, Seen::Closed(close_code::UNAUTHORIZED));
        assert!(since.elapsed() < SUBSCRIPTIONS_END_WITHIN, "{:?}", since.elapsed());
        assert_eq!(Subscription::open(&api, 0, "").await.err(), Some(401));
    }
}

#[tokio::test]
async fn a_revoked_or_expired_key_and_one_whose_scope_is_gone_are_refused() {
    let server = TestServer::start().await;
    let api = server.client(Role::Member).await;
    let undo = "UPDATE api_keys SET revoked_at = NULL, expires_at = NULL, scopes = '{feed:read}'";
    for (change, expected) in [
        ("UPDATE api_keys SET revoked_at = now()", 401),
        ("UPDATE api_keys SET expires_at = now() - interval '1 second'", 401),
        ("UPDATE api_keys SET scopes = '{messages:write}'", 403),
    ] {
        execute(&server.pool, undo).await;
        eventually("the key works", async || status(&api, "/v1/channels").await == 200).await;
        let mut subscription = Subscription::open(&api, 0, "").await.unwrap();
        assert_eq!(subscription.next().await, Seen::CaughtUp(0));
        execute(&server.pool, change).await;
        eventually("requests are refused", async || status(&api, "/v1/channels").await == expected).await;
        assert_eq!(subscription.next().await, Seen::Closed(close_code::UNAUTHORIZED), "{change}");
    }
}

#[tokio::test]
async fn a_subscription_ends_when_its_key_expires_though_nothing_changes() {
    let server = TestServer::start().await;
    let api = server.client(Role::Member).await;
    execute(&server.pool, "UPDATE api_keys SET expires_at = now() + interval '1 second'").await;
    let mut subscription = Subscription::open(&api, 0, "").await.unwrap();
    assert_eq!(subscription.next().await, Seen::CaughtUp(0));
    let since = Instant::now();
    assert_eq!(subscription.next().await, Seen::Closed(close_code::UNAUTHORIZED));
    assert!(since.elapsed() < SUBSCRIPTIONS_END_WITHIN + REQUESTS_END_WITHIN, "{:?}", since.elapsed());
}

#[tokio::test]
async fn a_role_that_was_taken_away_takes_what_its_key_could_do() {
    let server = TestServer::start().await;
    let api = server.client(Role::Contributor).await;
    api.post(&batch([sighting(1, "hello")])).await;
    execute(&server.pool, "UPDATE accounts SET role = 'member'").await;
    let body = serde_json::to_vec(&batch([sighting(2, "hello")])).unwrap();
    eventually("posts are refused", async || {
        api.send(Method::POST, "/v1/messages", Some(body.clone())).await.status() == 403
    })
    .await;
    assert_eq!(api.problem(Method::POST, "/v1/messages", Some(&body)).await.kind, ProblemKind::Forbidden);
    assert_eq!(status(&api, "/v1/channels").await, 200, "what a member may do, it still may");
}

#[tokio::test]
async fn a_change_that_was_told_to_nobody_counts_all_the_same() {
    let server = TestServer::start().await;
    let api = server.client(Role::Member).await;
    assert_eq!(status(&api, "/v1/channels").await, 200);
    // The listening connection is cut and the account changed before it is back.
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()
        AND pid <> pg_backend_pid() AND (query LIKE 'LISTEN%' OR query LIKE 'SELECT 1 AS alive%')";
    execute(&server.pool, &format!("{cut}; UPDATE accounts SET status = 'suspended'")).await;
    let since = Instant::now();
    eventually("requests are refused", async || status(&api, "/v1/channels").await == 401).await;
    assert!(since.elapsed() < REQUESTS_END_WITHIN, "{:?}", since.elapsed());
}

#[tokio::test]
async fn nobody_gets_in_while_nothing_is_known() {
    let server = TestServer::start().await;
    let api = server.client(Role::Member).await;
    assert_eq!(status(&api, "/v1/events").await, 200);
    server.scratch.shut(true).await;
    eventually("requests are refused", async || status(&api, "/v1/events").await == 503).await;
    server.scratch.shut(false).await;
    eventually("requests are answered", async || status(&api, "/v1/events").await == 200).await;
}

#[tokio::test]
async fn when_a_key_was_last_used_is_written_down_at_the_latest_when_the_server_stops() {
    let server = TestServer::start().await;
    let api = server.client(Role::Member).await;
    let before = launch::clock::now();
    assert_eq!(status(&api, "/v1/channels").await, 200);
    let scratch = server.stop().await;
    let used: Option<time::OffsetDateTime> = sqlx::query_scalar("SELECT last_used_at FROM api_keys")
        .fetch_one(&scratch.pool().await)
        .await
        .unwrap();
    assert!(used.is_some_and(|at| at >= before), "{used:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hosts_keys_of_one_name_belong_to_one_account() {
    let server = TestServer::start().await;
    let admin = async |arguments: &[&str]| {
        run(command("server").arg("admin").args(arguments).env("DATABASE_URL", server.scratch.url())).await
    };
    let create = async |name, role| admin(&["create-key", "--name", name, "--role", role]).await;
    for _ in 0..2 {
        let made = create("Ana", "contributor").await;
        assert_eq!(made.code, Some(0), "{}", made.err);
        assert_eq!(status(&Api::new(&server.url, made.out.trim()), "/v1/channels").await, 200);
    }
    let counts: (i64, i64) =
        sqlx::query_as("SELECT (SELECT count(*) FROM accounts), (SELECT count(*) FROM api_keys)")
            .fetch_one(&server.pool)
            .await
            .unwrap();
    assert_eq!(counts, (1, 2));
    let refused = create("ana", "member").await;
    assert!(refused.err.contains("the account ana is of role contributor"), "{}", refused.err);
    assert!(create("a\u{430}na", "member").await.err.contains("a name has 1 to 64 characters"));
    assert!(create("ana", "owner").await.err.contains("expected one of member, contributor, admin"));
    let invited = admin(&["invite", "--role", "admin", "--note", "the first one"]).await;
    assert!(invited.out.starts_with("cbi_") && invited.err.contains("within 72 hours"), "{}", invited.err);
    let hash: Vec<u8> =
        sqlx::query_scalar("SELECT token_hash FROM invites").fetch_one(&server.pool).await.unwrap();
    assert_eq!(hash.len(), 32);
    let early = Api::new(&server.url, invited.out.trim());
    assert_eq!(status(&early, "/v1/channels").await, 401, "an invite is no key");
}
