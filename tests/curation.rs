//! Curation through the public interface: proposing, approving, pausing and blocking channels, who may post for them, and
//! withdrawing signals; also when several people, servers and posts meet.

use reqwest::{Method, Response};
use serde_json::{Value, json};
use server::auth::Role;
use shared::post::Sighting;
use shared::wire::{
    AccountStatus, ChannelDetail, ChannelStatus, ChannelsPage, Contributors, Event, EventsPage, PostResult,
    PostStatus, ProblemBody, ProblemKind, SignalStatus, SignalsPage,
};
use support::eventually;
use support::feed::{Seen, Subscription};
use support::people::Person;
use support::posts::{batch, deleted, edited, reply, sighting, signal_text};
use support::server::{Api, TestServer};
use uuid::Uuid;

/// Sends JSON; the state that is changed is named where it is known.
async fn send(api: &Api, (method, path): (Method, &str), body: &Value, state: Option<&str>) -> Response {
    let request = reqwest::Client::new().request(method, format!("{}{path}", api.url)).bearer_auth(&api.key);
    let request = state.into_iter().fold(request, |request, tag| request.header("if-match", tag));
    let request = request.header("content-type", "application/json").body(body.to_string());
    request.send().await.unwrap()
}

async fn problem(answer: Response) -> ProblemBody {
    answer.json().await.unwrap()
}

/// Proposes the channel of the posts.
async fn propose(api: &Api) -> (u16, ChannelDetail) {
    let body = json!({"source": "discord", "external_id": "500", "name": "vip-calls"});
    let answer = send(api, (Method::POST, "/v1/channels"), &body, None).await;
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// Changes a channel, whatever state it is in.
async fn change(admin: &Person, id: Uuid, wish: Value) -> ChannelDetail {
    let path = format!("/v1/channels/{id}");
    let answer = send(&admin.signed_in, (Method::PATCH, &path), &wish, Some("*")).await;
    assert_eq!(answer.status(), 200, "{wish}");
    answer.json().await.unwrap()
}

async fn enrol(admin: &Person, channel: Uuid, account: Uuid) -> u16 {
    let path = format!("/v1/channels/{channel}/contributors/{account}");
    admin.signed_in.send(Method::PUT, &path, None).await.status().as_u16()
}

async fn post(api: &Api, posts: impl IntoIterator<Item = Sighting>) -> Vec<PostResult> {
    api.post(&batch(posts)).await
}

/// The reason for which each post is not admitted; fails when one is.
fn refusals(results: Vec<PostResult>) -> Vec<String> {
    let reason = |result: PostResult| match result.status {
        PostStatus::NotAdmitted { reason } => reason,
        other => panic!("{other:?}"),
    };
    results.into_iter().map(reason).collect()
}

async fn signals(api: &Api) -> Vec<(String, bool, SignalStatus)> {
    let page: SignalsPage = api.get("/v1/signals?limit=500").await;
    let brief =
        |signal: shared::wire::SignalState| (signal.record.external_id, signal.record.reread, signal.status);
    let mut signals: Vec<_> = page.signals.into_iter().map(brief).collect();
    signals.reverse();
    signals
}

async fn events(api: &Api) -> Vec<Event> {
    let page: EventsPage = api.get("/v1/events?after=0&limit=500").await;
    page.events.into_iter().map(|record| record.event).collect()
}

/// An admin, a contributor and a member of a server, as strangers come to it.
struct House {
    server: TestServer,
    admin: Person,
    ana: Person,
    member: Person,
}

impl House {
    async fn new() -> Self {
        let server = TestServer::start().await;
        let admin = Person::join(&server, Role::Admin).await;
        let ana = Person::join(&server, Role::Contributor).await;
        let member = Person::join(&server, Role::Member).await;
        Self { server, admin, ana, member }
    }

    /// A house whose channel was proposed by Ana and approved.
    async fn with_channel() -> (Self, Uuid) {
        let house = Self::new().await;
        let id = propose(&house.ana.program).await.1.record.id;
        change(&house.admin, id, json!({"status": "approved"})).await;
        (house, id)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposed_channel_is_kept_and_after_its_approval_published_as_old_and_in_order() {
    let House { server: _server, admin, ana, member } = House::new().await;
    let early = refusals(post(&ana.program, [sighting(1, &signal_text("BTC"))]).await);
    assert!(early[0].contains("not known here") && early[0].contains("contributor propose"), "{early:?}");

    let (status, proposed) = propose(&ana.program).await;
    assert_eq!((status, proposed.record.status), (201, ChannelStatus::Proposed));
    let id = proposed.record.id;
    assert_eq!(propose(&ana.program).await.0, 200, "the same proposal again is answered with the channel");
    let results = post(
        &ana.program,
        [sighting(1, &signal_text("BTC")), sighting(2, &signal_text("ETH")), sighting(3, "good morning")],
    );
    assert!(results.await.iter().all(|result| matches!(result.status, PostStatus::Stored { .. })));
    let edit =
        edited(&sighting(1, &signal_text("BTC")), 5, &signal_text("BTC").replace("SL: 3800", "SL: 3750"));
    post(&ana.program, [edit, reply(4, 2, "TP1 hit, move SL to entry"), sighting(5, &signal_text("SOL"))])
        .await;
    post(&ana.program, [deleted(&sighting(5, ""), 1)]).await;

    assert!(events(&member.program).await.is_empty(), "nothing of it is told");
    assert!(signals(&admin.program).await.is_empty());
    let hidden = member.program.problem(Method::GET, &format!("/v1/channels/{id}"), None).await;
    let random = member.program.problem(Method::GET, &format!("/v1/channels/{}", Uuid::nil()), None).await;
    assert_eq!((hidden.kind, &hidden.detail), (ProblemKind::NotFound, &random.detail));
    assert!(member.program.get::<ChannelsPage>("/v1/channels").await.channels.is_empty());
    for path in [format!("/v1/signals?channel={id}"), format!("/v1/feed?channel={id}")] {
        assert!(member.program.send(Method::GET, &path, None).await.status().is_client_error(), "{path}");
    }
    assert_eq!(
        ana.program.get::<ChannelsPage>("/v1/channels").await.channels.len(),
        1,
        "she may post for it"
    );
    let detail: ChannelDetail = admin.program.get(&format!("/v1/channels/{id}")).await;
    assert_eq!(detail.unpublished, 7);

    change(&admin, id, json!({"status": "approved"})).await;
    eventually("what was kept is published", async || {
        admin.program.get::<ChannelDetail>(&format!("/v1/channels/{id}")).await.unpublished == 0
    })
    .await;
    let told: Vec<&str> = events(&member.program).await.iter().map(kind).collect();
    assert_eq!(
        told,
        ["channel_changed", "signal_posted BTC old", "signal_posted ETH old", "signal_updated old"]
    );
    assert_eq!(
        signals(&member.program).await,
        [("1".to_owned(), true, SignalStatus::Open), ("2".to_owned(), true, SignalStatus::Open)]
    );
    post(&ana.program, [sighting(6, &signal_text("SOL"))]).await;
    assert_eq!(
        signals(&member.program).await[2],
        ("6".to_owned(), false, SignalStatus::Open),
        "news is news"
    );
    assert_eq!(member.program.get::<ChannelsPage>("/v1/channels").await.channels.len(), 1);
}

/// An event in a few words.
fn kind(event: &Event) -> &'static str {
    match event {
        Event::SignalPosted { signal } => match (signal.signal.base().as_str(), signal.reread) {
            ("BTC", true) => "signal_posted BTC old",
            ("ETH", true) => "signal_posted ETH old",
            (_, true) => "signal_posted old",
            (_, false) => "signal_posted",
        },
        Event::SignalUpdated { update } if update.reread => "signal_updated old",
        Event::SignalUpdated { .. } => "signal_updated",
        Event::SignalRevised { .. } => "signal_revised",
        Event::SignalWithdrawn { .. } => "signal_withdrawn",
        Event::ChannelChanged { .. } => "channel_changed",
        _ => "another",
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contributor_posts_only_for_channels_that_it_is_enrolled_in() {
    let (House { server, admin, ana, member }, id) = House::with_channel().await;
    let ben = Person::join(&server, Role::Contributor).await;
    let refused = refusals(post(&ben.program, [sighting(1, &signal_text("BTC"))]).await);
    assert!(refused[0].contains("not enrolled in the channel vip-calls"), "{refused:?}");
    assert_eq!(propose(&ben.program).await.0, 200);
    refusals(post(&ben.program, [sighting(1, &signal_text("BTC"))]).await);
    let gap = json!({"gaps": [{"channel": {"source": "discord", "external_id": "500", "name": "x"}, "missed": "everything",
        "from": "2026-06-01T08:00:00Z", "to": "2026-06-01T08:01:00Z"}]});
    let told: Value = send(&ben.program, (Method::POST, "/v1/gaps"), &gap, None).await.json().await.unwrap();
    assert_eq!(told["results"][0]["status"], "rejected", "{told}");

    assert_eq!(enrol(&admin, id, ben.id).await, 204);
    assert_eq!(enrol(&admin, id, ben.id).await, 204, "again changes nothing");
    post(&ben.program, [sighting(1, &signal_text("BTC"))]).await;
    assert_eq!(signals(&member.program).await.len(), 1);
    let path = format!("/v1/channels/{id}/contributors");
    let listed: Contributors = admin.signed_in.get(&path).await;
    let accounts: Vec<Uuid> = listed.contributors.iter().map(|enrolment| enrolment.account_id).collect();
    assert_eq!(accounts, [ana.id, ben.id]);
    for (account, code) in [(member.id, 409), (admin.id, 409), (Uuid::nil(), 404)] {
        assert_eq!(enrol(&admin, id, account).await, code);
    }
    assert_eq!(enrol(&admin, Uuid::nil(), ben.id).await, 404);

    let of_ben = format!("{path}/{}", ben.id);
    assert_eq!(admin.signed_in.send(Method::DELETE, &of_ben, None).await.status(), 204);
    assert_eq!(admin.signed_in.send(Method::DELETE, &of_ben, None).await.status(), 404);
    refusals(post(&ben.program, [sighting(2, &signal_text("ETH"))]).await);
    post(&ana.program, [sighting(2, &signal_text("ETH"))]).await;
    assert_eq!(signals(&member.program).await.len(), 2, "what was posted stays, and others go on");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_paused_channel_says_comes_later_and_what_a_blocked_one_says_is_refused() {
    let (House { server: _server, admin, ana, member }, id) = House::with_channel().await;
    let mut subscription = Subscription::open(&member.program, 0, "").await.unwrap();
    post(&ana.program, [sighting(1, &signal_text("BTC"))]).await;
    change(&admin, id, json!({"status": "paused"})).await;
    post(&ana.program, [sighting(2, &signal_text("ETH")), reply(3, 1, "closed, enough for today")]).await;
    assert_eq!(signals(&member.program).await.len(), 1);
    change(&admin, id, json!({"status": "approved"})).await;
    eventually("what was kept is published", async || signals(&member.program).await.len() == 2).await;
    let told: Vec<&str> = events(&member.program).await.iter().map(kind).collect();
    assert_eq!(
        told,
        [
            "channel_changed",
            "signal_posted",
            "channel_changed",
            "channel_changed",
            "signal_posted ETH old",
            "signal_updated old"
        ]
    );
    assert_eq!(signals(&member.program).await[0].2, SignalStatus::Ended);
    assert_eq!(subscription.events(6).await, [1, 2, 3, 4, 5, 6], "the feed tells all of it, without a hole");

    let blocked = change(&admin, id, json!({"status": "blocked"})).await;
    assert_eq!(blocked.record.status, ChannelStatus::Blocked);
    let results = post(&ana.program, [sighting(4, &signal_text("SOL"))]).await;
    let reason = match &results[0].status {
        PostStatus::Rejected { reason } => reason,
        other => panic!("{other:?}"),
    };
    assert!(reason.contains("is blocked"), "{reason}");
    assert_eq!(signals(&member.program).await.len(), 2, "what was published stays");
    let path = format!("/v1/channels/{id}");
    for (wish, code) in
        [("approved", 409), ("paused", 409), ("proposed", 200), ("paused", 409), ("approved", 200)]
    {
        let answer =
            send(&admin.signed_in, (Method::PATCH, &path), &json!({"status": wish}), Some("*")).await;
        assert_eq!(answer.status(), code, "{wish}");
    }
    post(&ana.program, [sighting(4, &signal_text("SOL"))]).await;
    assert_eq!(signals(&member.program).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_admins_who_change_a_channel_at_once_the_second_is_told() {
    let (House { server: _server, admin, .. }, id) = House::with_channel().await;
    let path = format!("/v1/channels/{id}");
    let tag = async || {
        let answer = admin.signed_in.send(Method::GET, &path, None).await;
        answer.headers()["etag"].to_str().unwrap().to_owned()
    };
    let seen = tag().await;
    let rename = async |name: &str, state: Option<&str>| {
        send(&admin.signed_in, (Method::PATCH, &path), &json!({"name": name}), state).await
    };
    let missing = problem(rename("one", None).await).await;
    assert_eq!((missing.status, missing.kind), (428, ProblemKind::PreconditionRequired));
    let (one, other) = tokio::join!(rename("one", Some(&seen)), rename("two", Some(&seen)));
    let mut codes = [one.status().as_u16(), other.status().as_u16()];
    codes.sort_unstable();
    assert_eq!(codes, [200, 412]);
    assert_eq!(problem(rename("three", Some(&seen)).await).await.kind, ProblemKind::Changed);
    let now = tag().await;
    assert_ne!(now, seen);
    assert_eq!(rename("three", Some(&now)).await.status(), 200);
    let current = tag().await;
    assert_eq!(rename("three", Some(&current)).await.status(), 200);
    assert_eq!(tag().await, current, "what changes nothing is no change");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_wish_is_refused_with_its_field_and_changes_nothing() {
    let (House { server, admin, ana, .. }, id) = House::with_channel().await;
    server.open("501", "swing").await;
    let path = format!("/v1/channels/{id}");
    for (wish, code, field) in [
        (json!({"status": "open"}), 422, Some("status")),
        (json!({"status": "proposed"}), 409, None),
        (json!({"name": ""}), 422, Some("name")),
        (json!({"name": "a\u{7}b"}), 422, Some("name")),
        (json!({"name": "x".repeat(101)}), 422, Some("name")),
        (json!({"name": "SWING"}), 409, None),
        (json!({"profile": {"colour": "red"}}), 422, Some("profile.colour")),
        (json!({"profile": {"keywords": {"stop": [""]}}}), 422, Some("profile")),
        (json!({"profile": {"callers": vec!["7"; 201]}}), 422, Some("profile")),
        (json!({"visibility": "public"}), 422, Some("visibility")),
        (json!([]), 422, Some(".")),
    ] {
        let answer = problem(send(&admin.signed_in, (Method::PATCH, &path), &wish, Some("*")).await).await;
        assert_eq!((answer.status, answer.field.as_deref()), (code, field), "{wish}: {}", answer.detail);
    }
    for (body, field) in [
        (json!({"source": "discord", "external_id": "abc", "name": "x"}), "external_id"),
        (json!({"source": "discord", "external_id": "5\u{0}", "name": "x"}), "external_id"),
        (json!({"source": "telegram", "external_id": "5", "name": "x"}), "source"),
        (json!({"source": "discord", "external_id": "5", "name": " x"}), "name"),
        (json!({"source": "discord", "external_id": "5", "name": "x", "status": "approved"}), "status"),
    ] {
        let answer = problem(send(&ana.program, (Method::POST, "/v1/channels"), &body, None).await).await;
        assert_eq!((answer.status, answer.field.as_deref()), (422, Some(field)), "{body}");
    }
    let detail: ChannelDetail = admin.signed_in.get(&path).await;
    assert_eq!((detail.record.name.as_str(), detail.record.status), ("vip-calls", ChannelStatus::Approved));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_names_who_may_call_and_everybodys_posts_are_kept() {
    let (House { server, admin, ana, member }, id) = House::with_channel().await;
    let changed = change(&admin, id, json!({"profile": {"callers": ["8"], "quote": "USDC"}})).await;
    assert_eq!(changed.profile.callers, ["8"]);
    let mut call = sighting(2, &signal_text("ETH"));
    call.post.author.external_id = "8".into();
    post(&ana.program, [sighting(1, &signal_text("BTC")), call]).await;
    assert_eq!(signals(&member.program).await.len(), 1, "the other's is no signal");
    let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM posts").fetch_one(&server.pool).await.unwrap();
    assert_eq!(kept, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_passes_for_another_channel() {
    let (House { server: _server, admin, ana, member }, id) = House::with_channel().await;
    let mut renamed = sighting(1, &signal_text("BTC"));
    renamed.post.channel.name = "somebody else's".into();
    let mut thread = sighting(2, &signal_text("ETH"));
    (thread.post.channel.external_id, thread.post.channel.name) = ("777".into(), "vip-calls".into());
    refusals(post(&ana.program, [thread.clone()]).await);
    thread.within = Some("500".into());
    post(&ana.program, [renamed, thread.clone()]).await;
    let page: SignalsPage = member.program.get("/v1/signals").await;
    let names: Vec<&str> = page.signals.iter().map(|signal| signal.record.channel.as_str()).collect();
    assert_eq!(names, ["vip-calls / vip-calls", "vip-calls"], "a thread is told as a part of its channel");

    change(&admin, id, json!({"status": "paused"})).await;
    let mut later = thread.clone();
    (later.post.external_id, later.post.content) = ("3".into(), signal_text("SOL"));
    post(&ana.program, [later]).await;
    assert_eq!(signals(&member.program).await.len(), 2, "what stops the channel stops its threads");
    let listed: ChannelsPage = member.program.get("/v1/channels?limit=1").await;
    assert_eq!(listed.channels[0].name, "vip-calls");
    let rest: ChannelsPage =
        member.program.get(&format!("/v1/channels?cursor={}", listed.next.unwrap())).await;
    let parts: Vec<(&str, ChannelStatus)> =
        rest.channels.iter().map(|channel| (channel.name.as_str(), channel.status)).collect();
    assert_eq!(parts, [("vip-calls / vip-calls", ChannelStatus::Paused)]);
    change(&admin, id, json!({"status": "approved"})).await;
    eventually("the thread goes on, too", async || signals(&member.program).await.len() == 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_admin_withdraws_stays_withdrawn_whatever_its_channel_says() {
    let (House { server, admin, ana, member }, _) = House::with_channel().await;
    let call = sighting(1, &signal_text("BTC"));
    post(&ana.program, [call.clone()]).await;
    let page: SignalsPage = member.program.get("/v1/signals").await;
    let path = format!("/v1/signals/{}/withdraw", page.signals[0].record.id);
    let reason = json!({"reason": "the author's account was taken over"});
    for bad in
        [json!({"reason": ""}), json!({"reason": "a\nb"}), json!({"reason": "x".repeat(201)}), json!({})]
    {
        assert_eq!(send(&admin.signed_in, (Method::POST, &path), &bad, None).await.status(), 422, "{bad}");
    }
    assert_eq!(send(&admin.signed_in, (Method::POST, &path), &reason, None).await.status(), 200);
    assert_eq!(send(&admin.signed_in, (Method::POST, &path), &reason, None).await.status(), 409);
    let told = events(&member.program).await;
    assert!(
        matches!(told.last(), Some(Event::SignalWithdrawn { by_admin: true, reason, .. }) if reason.contains("taken over")),
        "{told:?}"
    );
    post(&ana.program, [edited(&call, 5, &signal_text("BTC").replace("SL: 3800", "SL: 3750"))]).await;
    post(&ana.program, [edited(&call, 6, "good morning"), edited(&call, 7, &signal_text("BTC"))]).await;
    assert_eq!(signals(&member.program).await, [("1".to_owned(), false, SignalStatus::Withdrawn)]);
    assert_eq!(events(&member.program).await.len(), told.len(), "no edit is told of it");
    crate::reread::again(&server.pool, true).await;
    assert_eq!(signals(&member.program).await[0].2, SignalStatus::Withdrawn);
}

#[tokio::test(flavor = "multi_thread")]
async fn posts_that_stream_in_while_their_channel_is_approved_are_told_once_and_in_order() {
    let House { server, admin, ana, member } = House::new().await;
    let other = server.beside().await;
    let id = propose(&ana.program).await.1.record.id;
    let streaming = async {
        let through_other = Api::new(&other, &ana.program.key);
        for number in 1..=120u32 {
            let api = if number % 2 == 0 { &ana.program } else { &through_other };
            post(api, [sighting(number, &signal_text("BTC"))]).await;
            if number == 40 {
                change(&admin, id, json!({"status": "approved"})).await;
            }
        }
    };
    streaming.await;
    let told = async || {
        let told = events(&member.program).await.into_iter().filter_map(|event| match event {
            Event::SignalPosted { signal } => Some(signal.external_id.parse::<u32>().unwrap()),
            _ => None,
        });
        told.collect::<Vec<u32>>()
    };
    eventually("all of it is told", async || told().await.len() >= 120).await;
    assert_eq!(told().await, (1..=120).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_counts_at_once_in_every_server() {
    let (House { server, admin, ana, .. }, id) = House::with_channel().await;
    let other = server.beside().await;
    let through_other = Api::new(&other, &ana.program.key);
    post(&through_other, [sighting(1, &signal_text("BTC"))]).await;
    change(&admin, id, json!({"status": "blocked"})).await;
    let results = post(&through_other, [sighting(2, &signal_text("ETH"))]).await;
    assert!(matches!(results[0].status, PostStatus::Rejected { .. }), "{results:?}");
    change(&admin, id, json!({"status": "proposed"})).await;
    change(&admin, id, json!({"status": "approved"})).await;
    let path = format!("/v1/channels/{id}/contributors/{}", ana.id);
    assert_eq!(admin.signed_in.send(Method::DELETE, &path, None).await.status(), 204);
    refusals(post(&through_other, [sighting(2, &signal_text("ETH"))]).await);
    assert_eq!(enrol(&admin, id, ana.id).await, 204);
    ana.set_status(&server, AccountStatus::Suspended).await;
    let body = serde_json::to_vec(&batch([sighting(2, &signal_text("ETH"))])).unwrap();
    eventually("the suspension counts", async || {
        let sent = through_other.send(Method::POST, "/v1/messages", Some(body.clone())).await;
        sent.status() == 401
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_sees_every_decision_about_a_channel_that_it_knows() {
    let (House { server: _server, admin, member, .. }, id) = House::with_channel().await;
    let mut subscription = Subscription::open(&member.program, 0, &format!("&channel={id}")).await.unwrap();
    change(&admin, id, json!({"name": "calls"})).await;
    change(&admin, id, json!({"profile": {"quote": "USDC"}})).await;
    change(&admin, id, json!({"status": "paused"})).await;
    let mut told = Vec::new();
    while told.len() < 3 {
        if let Seen::Event(_, event) = subscription.next().await
            && let Event::ChannelChanged { channel, status, .. } = *event
        {
            told.push((channel, status));
        }
    }
    let expected = [
        ("vip-calls", ChannelStatus::Approved),
        ("calls", ChannelStatus::Approved),
        ("calls", ChannelStatus::Paused),
    ];
    assert_eq!(told, expected.map(|(name, status)| (name.to_owned(), status)), "a profile is no news");
}
