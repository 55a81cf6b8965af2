//! The audit log: each act is one line with who, what, to what, from where; no line without its act, no act without its line.

use reqwest::Method;
use serde_json::{Value, json};
use server::auth::Role;
use shared::wire::{Act, AuditPage, AuditRecord, ChannelDetail, NewInvite, ProblemKind, SignalsPage};
use support::eventually;
use support::people::{self, PASSWORD, Person, make, stranger};
use support::posts::{batch, sighting, signal_text};
use support::program::{command, run};
use support::server::{Api, TestServer};
use uuid::Uuid;

/// The whole log, the oldest line first.
async fn audit(admin: &Person) -> Vec<AuditRecord> {
    let mut lines: Vec<AuditRecord> = admin.signed_in.get::<AuditPage>("/v1/audit?limit=500").await.audit;
    lines.reverse();
    lines
}

/// Does something, and returns the lines that it has written.
async fn written(admin: &Person, act: impl Future<Output = ()>) -> Vec<AuditRecord> {
    let before = audit(admin).await.len();
    act.await;
    audit(admin).await.split_off(before)
}

async fn only(admin: &Person, what: Act, act: impl Future<Output = ()>) -> AuditRecord {
    let mut lines = written(admin, act).await;
    assert_eq!(lines.iter().map(|line| line.what).collect::<Vec<_>>(), [what], "{lines:#?}");
    lines.remove(0)
}

/// Sends a change with a request id of its own, and expects this code.
async fn send(api: &Api, (method, path): (Method, &str), body: Value, code: u16) -> Value {
    let request = reqwest::Client::new().request(method, format!("{}{path}", api.url)).bearer_auth(&api.key);
    let request = request.header("if-match", "*").header("x-request-id", "the-request");
    let request = request.header("content-type", "application/json").body(body.to_string());
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), code, "{path}");
    answer.json().await.unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_act_of_an_admin_is_one_line_with_who_what_before_and_after() {
    let server = TestServer::start().await;
    let admin = Person::join(&server, Role::Admin).await;
    let ana = Person::join(&server, Role::Contributor).await;
    let api = &admin.signed_in;

    let proposal = json!({"source": "discord", "external_id": "500", "name": "vip-calls"});
    let proposed = only(&admin, Act::ChannelProposed, async {
        send(&ana.program, (Method::POST, "/v1/channels"), proposal.clone(), 201).await;
    })
    .await;
    let channel = proposed.subject.unwrap();
    assert_eq!(proposed.who, Some(ana.id));
    assert_eq!(proposed.after.unwrap()["contributor"], json!(ana.id));
    let path = format!("/v1/channels/{channel}");
    let line = only(&admin, Act::ChannelChanged, async {
        send(api, (Method::PATCH, &path), json!({"status": "approved", "name": "calls"}), 200).await;
    })
    .await;
    assert_eq!((line.who, line.subject), (Some(admin.id), Some(channel)));
    assert_eq!(line.before, Some(json!({"status": "proposed", "name": "vip-calls"})));
    assert_eq!(line.after, Some(json!({"status": "approved", "name": "calls"})));
    assert_eq!(
        (line.request_id.as_deref(), line.address.as_deref()),
        (Some("the-request"), Some("127.0.0.1"))
    );
    let nothing = written(&admin, async {
        send(api, (Method::PATCH, &path), json!({"name": "calls"}), 200).await;
        send(api, (Method::PATCH, &path), json!({"status": "proposed"}), 409).await;
        send(&ana.program, (Method::POST, "/v1/channels"), proposal.clone(), 200).await;
    });
    assert!(nothing.await.is_empty(), "what changes nothing is no act");

    let of_ana = format!("{path}/contributors/{}", ana.id);
    for (method, what) in [(Method::DELETE, Act::ContributorRemoved), (Method::PUT, Act::ContributorEnrolled)]
    {
        let line = only(&admin, what, async {
            send(api, (method, &of_ana), Value::Null, 204).await;
        })
        .await;
        assert_eq!(line.subject, Some(channel));
        assert_eq!(line.before.or(line.after), Some(json!({"account": ana.id})));
    }
    ana.program.post(&batch([sighting(1, &signal_text("BTC"))])).await;
    let signal = api.get::<SignalsPage>("/v1/signals").await.signals[0].record.id;
    let line = only(&admin, Act::SignalWithdrawn, async {
        let path = format!("/v1/signals/{signal}/withdraw");
        send(api, (Method::POST, &path), json!({"reason": "a fake"}), 200).await;
    })
    .await;
    assert_eq!((line.subject, line.before), (Some(signal), Some(json!({"status": "open"}))));
    assert_eq!(line.after.unwrap()["reason"], "a fake");
    let line = only(&admin, Act::AccountChanged, async {
        send(api, (Method::PATCH, &format!("/v1/accounts/{}", ana.id)), json!({"status": "suspended"}), 200)
            .await;
    })
    .await;
    assert_eq!(line.before, Some(json!({"role": "contributor", "status": "active"})));
    assert_eq!(line.after, Some(json!({"role": "contributor", "status": "suspended"})));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_to_accounts_and_credentials_is_told_without_a_secret() {
    let server = TestServer::start().await;
    let admin = Person::join(&server, Role::Admin).await;
    let mut secrets = vec![PASSWORD.to_owned(), admin.tokens.refresh_token.clone()];
    let invite: NewInvite =
        make(&admin.signed_in, "/v1/invites", &json!({"role": "member", "note": "Ben"})).await;
    secrets.push(invite.invite.clone());
    let register = json!({"invite": invite.invite, "name": "ben", "password": PASSWORD});
    make::<Value>(&stranger(&server), "/v1/accounts", &register).await;
    let tokens = people::sign_in(&server, "ben").await;
    let ben = Api::new(&server.url, &tokens.access_token);
    let key: Value = make(&ben, "/v1/api-keys", &json!({"name": "his", "scopes": ["feed:read"]})).await;
    secrets.push(key["key"].as_str().unwrap().to_owned());
    let path = format!("/v1/api-keys/{}", key["id"].as_str().unwrap());
    assert_eq!(ben.send(Method::DELETE, &path, None).await.status(), 204);
    let wrong = json!({"name": "ben", "password": "not the right one"}).to_string().into_bytes();
    assert_eq!(stranger(&server).send(Method::POST, "/v1/sessions", Some(wrong)).await.status(), 401);
    let nobody = json!({"name": "a password in the wrong field", "password": "x"}).to_string().into_bytes();
    assert_eq!(stranger(&server).send(Method::POST, "/v1/sessions", Some(nobody)).await.status(), 401);
    let refresh = json!({"refresh_token": tokens.refresh_token});
    let second: Value = make(&stranger(&server), "/v1/sessions/refresh", &refresh).await;
    let second = json!({"refresh_token": second["refresh_token"]});
    make::<Value>(&stranger(&server), "/v1/sessions/refresh", &second).await;
    let again = refresh.to_string().into_bytes();
    assert_eq!(stranger(&server).send(Method::POST, "/v1/sessions/refresh", Some(again)).await.status(), 401);

    let lines = audit(&admin).await;
    let begin = lines.iter().position(|line| line.subject == Some(invite.account_id)).unwrap();
    let acts: Vec<Act> = lines[begin..].iter().map(|line| line.what).collect();
    assert_eq!(
        acts,
        [
            Act::AccountInvited,
            Act::AccountRegistered,
            Act::SignedIn,
            Act::KeyMade,
            Act::KeyRevoked,
            Act::SignInRefused,
            Act::SignInRefused,
            Act::TokenReused
        ]
    );
    let ben = Some(invite.account_id);
    let who: Vec<Option<Uuid>> = lines[begin..].iter().map(|line| line.who).collect();
    assert_eq!(who, [Some(admin.id), ben, ben, ben, ben, None, None, None]);
    assert_eq!([lines[begin + 5].subject, lines[begin + 6].subject], [ben, None]);
    assert!(lines[begin..].iter().all(|line| line.request_id.is_some() && line.address.is_some()));
    let text = serde_json::to_string(&lines).unwrap();
    for secret in
        secrets.iter().map(String::as_str).chain(["not the right one", "wrong field", "argon2", "hash"])
    {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_pages_and_is_filtered_by_who_what_and_when() {
    let server = TestServer::start().await;
    let admin = Person::join(&server, Role::Admin).await;
    let other = Person::join(&server, Role::Admin).await;
    for note in ["a", "b", "c", "d"] {
        let by = if note == "d" { &other } else { &admin };
        make::<NewInvite>(&by.signed_in, "/v1/invites", &json!({"role": "member", "note": note})).await;
    }
    let mut path = format!("/v1/audit?limit=2&what=account_invited&who={}", admin.id);
    let mut notes = Vec::new();
    loop {
        let page: AuditPage = admin.signed_in.get(&path).await;
        assert!(page.audit.len() <= 2);
        notes.extend(page.audit.into_iter().map(|line| line.after.unwrap()["note"].clone()));
        let Some(next) = page.next else { break };
        path = format!("/v1/audit?limit=2&what=account_invited&who={}&cursor={next}", admin.id);
    }
    assert_eq!(notes, ["c", "b", "a"]);
    let future: AuditPage = admin.signed_in.get("/v1/audit?since=2099-01-01T00:00:00Z").await;
    assert!(future.audit.is_empty());
    for bad in ["what=anything", "who=ana", "limit=0", "cursor=x", "since=yesterday", "colour=red"] {
        let problem = admin.signed_in.problem(Method::GET, &format!("/v1/audit?{bad}"), None).await;
        assert_eq!(problem.kind, ProblemKind::InvalidRequest, "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_host_does_at_the_command_line_is_told_too() {
    let server = TestServer::start().await;
    let admin = Person::join(&server, Role::Admin).await;
    let host = async |arguments: &[&str]| {
        let ended = run(command("server").args(arguments).env("DATABASE_URL", server.scratch.url())).await;
        assert_eq!(ended.code, Some(0), "{arguments:?}: {}", ended.err);
    };
    let lines = written(&admin, async {
        host(&["admin", "invite", "--role", "admin"]).await;
        host(&["admin", "create-key", "--role", "contributor", "--name", "ana"]).await;
        host(&[
            "admin",
            "approve-channel",
            "--discord",
            "500",
            "--name",
            "vip-calls",
            "--contributor",
            "Ana",
        ])
        .await;
    })
    .await;
    let acts: Vec<Act> = lines.iter().map(|line| line.what).collect();
    assert_eq!(
        acts,
        [
            Act::AccountInvited,
            Act::AccountMade,
            Act::KeyMade,
            Act::ChannelProposed,
            Act::ContributorEnrolled,
            Act::ChannelChanged
        ]
    );
    assert!(lines.iter().all(|line| line.who.is_none() && line.address.is_none()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_that_is_not_finished_has_left_no_line_and_no_event() {
    let server = TestServer::start().await;
    let admin = Person::join(&server, Role::Admin).await;
    let ana = Person::join(&server, Role::Contributor).await;
    let proposal = json!({"source": "discord", "external_id": "500", "name": "vip-calls"});
    let proposed = send(&ana.program, (Method::POST, "/v1/channels"), proposal, 201).await;
    let path = format!("/v1/channels/{}", proposed["id"].as_str().unwrap());
    let state = async || {
        let channel: ChannelDetail = admin.signed_in.get(&path).await;
        let events: i64 =
            sqlx::query_scalar("SELECT count(*) FROM events").fetch_one(&server.pool).await.unwrap();
        (channel.record.status, audit(&admin).await.len(), events)
    };
    let before = state().await;
    // The log is written last: whoever holds its head lets everything else happen first.
    let mut holding = server.pool.begin().await.unwrap();
    sqlx::query("SELECT seq FROM log_head FOR UPDATE").execute(&mut *holding).await.unwrap();
    let approving = tokio::spawn({
        let (api, path) = (admin.signed_in.clone(), path.clone());
        async move {
            let request = reqwest::Client::new().patch(format!("{}{path}", api.url)).bearer_auth(&api.key);
            let request = request.header("if-match", "*").header("content-type", "application/json");
            request.body(r#"{"status":"approved"}"#).send().await.map(|answer| answer.status())
        }
    });
    let waiting =
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let mut found = None;
    eventually("it waits for the log", async || {
        let pids: Vec<i32> = sqlx::query_scalar(waiting).fetch_all(&server.pool).await.unwrap();
        !pids.is_empty()
    })
    .await;
    let pids: Vec<i32> = sqlx::query_scalar(waiting).fetch_all(&server.pool).await.unwrap();
    for pid in pids {
        found = Some(pid);
        sqlx::query("SELECT pg_terminate_backend($1)").bind(pid).execute(&server.pool).await.unwrap();
    }
    assert!(found.is_some());
    assert_eq!(approving.await.unwrap().unwrap(), 503);
    drop(holding);
    assert_eq!(state().await, before);
}
