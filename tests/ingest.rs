//! `POST /v1/messages` through the public interface: what is kept, what is told, what is refused.

use reqwest::Method;
use server::auth::Role;
use shared::post::Sighting;
use shared::reading::{Reading, Verdict};
use shared::wire::{
    ChannelsPage, Event, EventsPage, PostResult, PostStatus, ProblemKind, SignalDetail, SignalStatus,
    SignalsPage,
};
use support::posts::{batch, deleted, edited, reply, sighting, signal_text};
use support::server::{Api, TestServer};

async fn events(api: &Api) -> Vec<Event> {
    let page: EventsPage = api.get("/v1/events?after=0&limit=500").await;
    assert_eq!(page.events.last().map_or(0, |last| last.seq), page.head);
    page.events.into_iter().map(|record| record.event).collect()
}

async fn only_signal(api: &Api) -> SignalDetail {
    let page: SignalsPage = api.get("/v1/signals").await;
    assert_eq!(page.signals.len(), 1);
    api.get(&format!("/v1/signals/{}", page.signals[0].record.id)).await
}

fn name(result: &PostResult) -> &'static str {
    match result.status {
        PostStatus::Stored { .. } => "stored",
        PostStatus::Revision { .. } => "revision",
        PostStatus::Duplicate { disputed: false, .. } => "duplicate",
        PostStatus::Duplicate { disputed: true, .. } => "disputed",
        PostStatus::Rejected { .. } => "rejected",
    }
}

async fn post(api: &Api, sightings: impl IntoIterator<Item = Sighting>) -> Vec<&'static str> {
    api.post(&batch(sightings)).await.iter().map(name).collect()
}

#[tokio::test]
async fn each_post_of_a_request_is_answered_on_its_own() {
    let server = TestServer::start().await;
    let api = server.client(Role::Contributor).await;
    let first = sighting(1, "hello");
    let mut hopeless = sighting(2, "too long");
    hopeless.post.content = "x".repeat(shared::post::MAX_TEXT_BYTES + 1);
    let answers =
        post(&api, [first.clone(), hopeless, first.clone(), edited(&first, 5, "hello!"), sighting(3, "bye")])
            .await;
    assert_eq!(answers, ["stored", "rejected", "duplicate", "revision", "stored"]);
    assert_eq!(
        post(&api, [first.clone(), edited(&first, 5, "hello!"), deleted(&first, 9)]).await,
        ["duplicate", "duplicate", "revision"]
    );
}

#[tokio::test]
async fn a_post_is_kept_with_its_raw_form_byte_for_byte() {
    let server = TestServer::start().await;
    let api = server.client(Role::Contributor).await;
    let mut odd = sighting(1, "naïve — 数字 \u{1F680}\u{202E} text");
    odd.raw = "{\"id\":\"1\",\n\t\"content\":  \"na\\u00efve\" , \"unknown\": [1e400, null]}".into();
    post(&api, [odd.clone()]).await;
    let raw: String = sqlx::query_scalar("SELECT raw FROM sightings").fetch_one(&server.pool).await.unwrap();
    assert_eq!(raw, odd.raw);
    let body: String = sqlx::query_scalar("SELECT body FROM posts").fetch_one(&server.pool).await.unwrap();
    assert_eq!(serde_json::from_str::<shared::post::Post>(&body).unwrap(), odd.post);
}

#[tokio::test]
async fn invariant_2_the_same_post_again_adds_at_most_a_sighting() {
    let server = TestServer::start().await;
    let (ana, ben) = (server.client(Role::Contributor).await, server.client(Role::Contributor).await);
    let seen = sighting(1, &signal_text("BTC"));
    for api in [&ana, &ana, &ben, &ben, &ana] {
        api.post(&batch([seen.clone()])).await;
    }
    let detail = only_signal(&ana).await;
    assert_eq!(detail.posts.len(), 1);
    assert_eq!(detail.posts[0].sightings, 2, "one for each contributor");
    let told = events(&ana).await;
    assert!(
        matches!(told.as_slice(), [Event::SignalPosted { .. }, Event::SignalWitnessed { witnesses: 2, .. }]),
        "one signal was posted, once, and ben's word counts once: {told:?}"
    );
}

#[tokio::test]
async fn invariant_2_another_text_under_the_same_key_raises_a_dispute_and_never_replaces_the_first() {
    let server = TestServer::start().await;
    let (ana, ben) = (server.client(Role::Contributor).await, server.client(Role::Contributor).await);
    let told = sighting(1, &signal_text("BTC"));
    let mut altered = told.clone();
    altered.post.content = told.post.content.replace("SL: 3800", "SL: 3700");
    assert_eq!(post(&ana, [told.clone()]).await, ["stored"]);
    assert_eq!(post(&ben, [altered.clone()]).await, ["disputed"]);
    assert_eq!(post(&ben, [altered]).await, ["disputed"], "the same dispute again changes nothing");
    let detail = only_signal(&ana).await;
    assert!(detail.state.disputed);
    assert_eq!(detail.posts[0].post, told.post);
    assert_eq!(detail.posts[0].sightings, 2);
    let kinds = events(&ana).await;
    assert!(
        matches!(kinds.as_slice(), [Event::SignalPosted { .. }, Event::SignalDisputed { .. }]),
        "{kinds:?}"
    );
}

#[tokio::test]
async fn an_edit_revises_the_signal_and_a_delete_withdraws_it_but_every_text_is_kept() {
    let server = TestServer::start().await;
    let api = server.client(Role::Contributor).await;
    let original = sighting(1, &signal_text("BTC"));
    let wider = edited(&original, 2, &signal_text("BTC").replace("SL: 3800", "SL: 3750"));
    post(&api, [original.clone()]).await;
    post(&api, [wider.clone()]).await;
    let revised = only_signal(&api).await;
    assert_eq!(revised.state.status, SignalStatus::Open);
    assert_eq!(revised.state.record.posted_at, original.post.posted_at);
    assert_eq!(Some(revised.state.record.occurred_at), wider.post.edited_at);
    assert!(
        revised.state.record.signal.fields().stop.as_ref().unwrap().price().unwrap().to_string() == "3750"
    );
    post(&api, [deleted(&original, 7)]).await;
    let withdrawn = only_signal(&api).await;
    assert_eq!(withdrawn.state.status, SignalStatus::Withdrawn);
    let texts: Vec<&str> = withdrawn.posts.iter().map(|record| record.post.content.as_str()).collect();
    assert_eq!(texts, [original.post.content.as_str(), wider.post.content.as_str(), ""]);
    assert!(withdrawn.posts[2].reading.is_none(), "a tombstone has no text to read");
    let kinds = events(&api).await;
    assert!(
        matches!(
            kinds.as_slice(),
            [Event::SignalPosted { .. }, Event::SignalRevised { .. }, Event::SignalWithdrawn { .. }]
        ),
        "{kinds:?}"
    );
}

#[tokio::test]
async fn an_earlier_revision_that_arrives_late_is_kept_and_changes_nothing() {
    let server = TestServer::start().await;
    let api = server.client(Role::Contributor).await;
    let original = sighting(1, &signal_text("BTC"));
    let edit = edited(&original, 2, &signal_text("BTC").replace("SL: 3800", "SL: 3750"));
    assert_eq!(post(&api, [edit]).await, ["stored"]);
    assert_eq!(post(&api, [original.clone()]).await, ["revision"]);
    assert_eq!(only_signal(&api).await.posts.len(), 2);
    assert_eq!(events(&api).await.len(), 1);
    let other = sighting(2, &signal_text("ETH"));
    assert_eq!(post(&api, [deleted(&other, 1)]).await, ["stored"]);
    assert_eq!(post(&api, [other]).await, ["revision"]);
    assert_eq!(events(&api).await.len(), 1, "a call that is known to be deleted is not posted");
}

#[tokio::test]
async fn a_follow_up_is_bound_by_reply_or_by_ticker_and_only_to_its_authors_own_signal() {
    let server = TestServer::start().await;
    let api = server.client(Role::Contributor).await;
    let mut stranger = reply(5, 1, "close it now");
    stranger.post.author.external_id = "8".into();
    let sent = [
        sighting(1, &signal_text("BTC")),
        sighting(2, &signal_text("ETH")),
        reply(3, 1, "TP1 hit, move SL to entry"),
        sighting(4, "ETH: closed"),
        stranger,
        sighting(6, "SOL: closed"),
    ];
    post(&api, sent).await;
    let signals: SignalsPage = api.get("/v1/signals").await;
    let [eth, btc] = signals.signals.as_slice() else { panic!("{signals:?}") };
    assert_eq!((eth.status, btc.status), (SignalStatus::Ended, SignalStatus::Open));
    let told = events(&api).await;
    let bound: Vec<Option<String>> = told
        .iter()
        .filter_map(|event| match event {
            Event::SignalUpdated { update } => Some(update.signal_id.map(|id| id.to_string())),
            Event::UpdateUnbound { update, reason } => {
                assert!(update.signal_id.is_none() && !reason.is_empty());
                Some(None)
            }
            _ => None,
        })
        .collect();
    let (btc, eth) = (Some(btc.record.id.to_string()), Some(eth.record.id.to_string()));
    assert_eq!(bound, [btc, eth, None, None]);
}

#[tokio::test]
async fn a_batch_and_single_posts_tell_the_same_story() {
    let original = sighting(1, &signal_text("BTC"));
    let story = [
        original.clone(),
        reply(2, 1, "TP1 hit, move SL to entry"),
        sighting(3, "good morning everyone"),
        edited(&original, 5, &signal_text("BTC").replace("SL: 3800", "SL: 3750")),
        sighting(6, "BTC: closed"),
        deleted(&original, 9),
    ];
    let mut told = Vec::new();
    for together in [true, false] {
        let server = TestServer::start().await;
        let api = server.client(Role::Contributor).await;
        if together {
            post(&api, story.clone()).await;
        } else {
            for one in story.clone() {
                post(&api, [one]).await;
            }
        }
        let kinds: Vec<String> =
            sqlx::query_scalar("SELECT kind FROM events ORDER BY seq").fetch_all(&server.pool).await.unwrap();
        told.push(kinds);
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(
        told[0],
        ["signal_posted", "signal_updated", "signal_revised", "signal_updated", "signal_withdrawn"]
    );
}

#[tokio::test]
async fn revisions_in_any_order_within_a_batch_end_where_single_posts_end() {
    let original = sighting(1, &signal_text("BTC"));
    let edit = edited(&original, 5, &signal_text("BTC").replace("SL: 3800", "SL: 3750"));
    let chat = edited(&original, 7, "never mind, good morning");
    let tombstone = deleted(&original, 9);
    for story in [
        vec![tombstone.clone(), original.clone()],
        vec![chat.clone(), original.clone()],
        vec![original.clone(), chat.clone(), edit.clone()],
        vec![edit.clone(), original.clone(), tombstone.clone(), chat.clone()],
    ] {
        let mut told = Vec::new();
        for size in [1, story.len()] {
            let server = TestServer::start().await;
            let api = server.client(Role::Contributor).await;
            for part in story.chunks(size) {
                post(&api, part.to_vec()).await;
            }
            let kinds = "SELECT kind FROM events ORDER BY seq";
            let kinds: Vec<String> = sqlx::query_scalar(kinds).fetch_all(&server.pool).await.unwrap();
            let page: SignalsPage = api.get("/v1/signals").await;
            told.push((kinds, page.signals.first().map(|signal| signal.status)));
        }
        assert_eq!(told[0], told[1]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_2_two_contributors_in_the_same_moment_make_one_signal_of_one_message() {
    let server = TestServer::start().await;
    let (ana, ben) = (server.client(Role::Contributor).await, server.client(Role::Contributor).await);
    // The channel is known beforehand: the race is between the revisions, not for the channel.
    post(&ana, [sighting(9999, "hello")]).await;
    for id in 1..=25 {
        let original = sighting(id, &signal_text("BTC"));
        let edit = edited(&original, 1, &signal_text("BTC").replace("SL: 3800", "SL: 3750"));
        let gone = sighting(1000 + id, &signal_text("ETH"));
        let (first, second) = (batch([original, gone.clone()]), batch([edit, deleted(&gone, 1)]));
        tokio::join!(ana.post(&first), ben.post(&second));
    }
    let posted: Vec<String> = sqlx::query_scalar(
        "SELECT payload::json -> 'signal' ->> 'external_id' FROM events WHERE kind = 'signal_posted'",
    )
    .fetch_all(&server.pool)
    .await
    .unwrap();
    let distinct: std::collections::BTreeSet<&String> = posted.iter().collect();
    assert_eq!(posted.len(), distinct.len(), "a message was told as two signals");
    let page: SignalsPage = ana.get("/v1/signals?limit=500").await;
    for signal in page.signals {
        let id: u32 = signal.record.external_id.parse().unwrap();
        if id > 1000 {
            assert_eq!(signal.status, SignalStatus::Withdrawn, "{id} was deleted");
        } else {
            let stop = signal.record.signal.fields().stop.clone().and_then(|stop| stop.price());
            assert_eq!(stop.map(|price| price.to_string()).as_deref(), Some("3750"), "{id} was edited");
        }
    }
}

#[tokio::test]
async fn an_edited_follow_up_that_says_the_same_is_not_said_twice() {
    let server = TestServer::start().await;
    let api = server.client(Role::Contributor).await;
    let part = reply(2, 1, "close 50%");
    post(&api, [sighting(1, &signal_text("BTC")), part.clone()]).await;
    post(&api, [edited(&part, 1, "close 50% now")]).await;
    post(&api, [edited(&part, 2, "close everything now")]).await;
    let updates = events(&api).await.into_iter().filter(|event| matches!(event, Event::SignalUpdated { .. }));
    assert_eq!(updates.count(), 2, "the half once, then all of it");
}

#[tokio::test]
async fn a_dispute_about_a_post_that_is_no_signal_is_told_too() {
    let server = TestServer::start().await;
    let (ana, ben) = (server.client(Role::Contributor).await, server.client(Role::Contributor).await);
    post(&ana, [sighting(1, "good morning")]).await;
    assert_eq!(post(&ben, [sighting(1, &signal_text("BTC"))]).await, ["disputed"]);
    let told = events(&ana).await;
    assert!(
        matches!(told.as_slice(), [Event::PostDisputed { external_id, .. }] if external_id == "1"),
        "{told:?}"
    );
    let mut stranger = sighting(1, "good morning");
    stranger.post.author.external_id = "8".into();
    assert_eq!(post(&ben, [stranger]).await, ["disputed"], "who wrote it is part of what was written");
}

#[tokio::test]
async fn close_all_means_every_open_signal_or_nothing() {
    let server = TestServer::start().await;
    let api = server.client(Role::Contributor).await;
    post(&api, (1..=3).map(|id| sighting(id, &signal_text("BTC")))).await;
    post(&api, [sighting(10, "close all positions now")]).await;
    let page: SignalsPage = api.get("/v1/signals?limit=500").await;
    assert!(page.signals.iter().all(|signal| signal.status == SignalStatus::Ended), "{page:?}");
    post(&api, (101..=160).map(|id| sighting(id, &signal_text("ETH")))).await;
    post(&api, [sighting(200, "close all positions now")]).await;
    let page: SignalsPage = api.get("/v1/signals?limit=500&symbol=ETH").await;
    assert!(page.signals.iter().all(|signal| signal.status == SignalStatus::Open), "too many to be meant");
    assert!(matches!(events(&api).await.last(), Some(Event::UpdateUnbound { .. })));
}

#[tokio::test]
async fn times_are_told_in_utc_and_impossible_ones_are_rejected() {
    let server = TestServer::start().await;
    let api = server.client(Role::Contributor).await;
    let good = serde_json::to_string(&batch([sighting(1, &signal_text("BTC"))])).unwrap();
    let send = async |from: &str, to: &str| {
        assert!(good.contains(from));
        api.send(Method::POST, "/v1/messages", Some(good.replace(from, to).into_bytes())).await
    };
    for time in ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "1999-12-31T23:59:59Z"] {
        let answer = send("2026-06-01T08:01:00Z", time).await;
        assert_eq!(answer.status(), 200, "{time}");
        assert!(answer.text().await.unwrap().contains("rejected"), "{time}");
    }
    assert_eq!(send("2026-06-01T08:01:00Z", "2026-06-01T13:01:00+05:00").await.status(), 200);
    let Some(Event::SignalPosted { signal }) = events(&api).await.into_iter().next() else {
        panic!("no signal")
    };
    assert_eq!(signal.posted_at.offset(), time::UtcOffset::UTC);
    let payload: String =
        sqlx::query_scalar("SELECT payload FROM events").fetch_one(&server.pool).await.unwrap();
    assert!(payload.contains(r#""posted_at":"2026-06-01T08:01:00Z""#), "{payload}");
}

#[tokio::test]
async fn the_counts_of_a_channel_add_up() {
    let server = TestServer::start().await;
    let api = server.client(Role::Contributor).await;
    let signal = sighting(1, &signal_text("BTC"));
    let trap = signal_text("ETH").replace("SL: 3800", "SL: 4010");
    let sent =
        [signal.clone(), sighting(2, &trap), sighting(3, "gm"), reply(4, 1, "closed"), deleted(&signal, 9)];
    post(&api, sent).await;
    let page: ChannelsPage = api.get("/v1/channels").await;
    let posts = page.channels[0].posts;
    assert_eq!(
        (posts.revisions, posts.signals, posts.updates, posts.noise, posts.abstained, posts.deletes),
        (4, 1, 1, 1, 1, 1)
    );
}

#[tokio::test]
async fn a_trap_is_abstained_with_its_reason() {
    let server = TestServer::start().await;
    let api = server.client(Role::Contributor).await;
    post(&api, [sighting(1, &signal_text("BTC").replace("SL: 3800", "SL: 4010"))]).await;
    let reading: String =
        sqlx::query_scalar("SELECT reading FROM readings").fetch_one(&server.pool).await.unwrap();
    let read: Reading = serde_json::from_str(&reading).unwrap();
    let Verdict::Abstained { reason } = read.verdict else { panic!("{reading}") };
    assert!(reason.contains("stop 4010 is not below entry 4000"), "{reason}");
    assert!(events(&api).await.is_empty());
}

#[tokio::test]
async fn malformed_requests_are_refused_by_name_and_store_nothing() {
    let server = TestServer::start().await;
    let api = server.client(Role::Contributor).await;
    let good = serde_json::to_string(&batch([sighting(1, "hello")])).unwrap();
    let with = |from: &str, to: &str| {
        assert!(good.contains(from), "{from} is not in {good}");
        good.replace(from, to).into_bytes()
    };
    let deep = format!("{{\"sightings\":{}{}}}", "[".repeat(200), "]".repeat(200)).into_bytes();
    let many = serde_json::to_vec(&batch((0..101).map(|id| sighting(id, "x")))).unwrap();
    let cases: [(Vec<u8>, ProblemKind, Option<&str>); 13] = [
        (b"".to_vec(), ProblemKind::MalformedJson, None),
        (b"{\"sightings\":[".to_vec(), ProblemKind::MalformedJson, None),
        (deep, ProblemKind::InvalidRequest, Some("body")),
        ([good.as_bytes(), b"x"].concat(), ProblemKind::MalformedJson, None),
        (with("hello", "\\ud800"), ProblemKind::MalformedJson, None),
        (b"{\"sightings\":[]}".to_vec(), ProblemKind::InvalidRequest, Some("sightings")),
        (many, ProblemKind::InvalidRequest, Some("sightings")),
        (
            with("\"content\":\"hello\"", "\"content\":7"),
            ProblemKind::InvalidRequest,
            Some("sightings[0].post.content"),
        ),
        (
            with("\"content\"", "\"contents\""),
            ProblemKind::InvalidRequest,
            Some("sightings[0].post.contents"),
        ),
        (
            with("2026-06-01T08:01:00Z", "yesterday"),
            ProblemKind::InvalidRequest,
            Some("sightings[0].post.posted_at"),
        ),
        (with("hello", "a\\u0000b"), ProblemKind::InvalidRequest, Some("sightings[0].post.content")),
        (
            with("\"external_id\":\"1\"", "\"external_id\":\"\\u0000\""),
            ProblemKind::InvalidRequest,
            Some("sightings[0].post.external_id"),
        ),
        (
            [&good.as_bytes()[..40], b"\xff\xfe", &good.as_bytes()[40..]].concat(),
            ProblemKind::InvalidRequest,
            Some("body"),
        ),
    ];
    for (body, kind, field) in &cases {
        let problem = api.problem(Method::POST, "/v1/messages", Some(body)).await;
        let shown = String::from_utf8_lossy(&body[..body.len().min(200)]);
        assert_eq!((problem.kind, problem.field.as_deref()), (*kind, *field), "{shown}: {}", problem.detail);
    }
    let large = vec![b' '; shared::wire::MAX_BODY_BYTES + 1];
    assert_eq!(api.problem(Method::POST, "/v1/messages", Some(&large)).await.kind, ProblemKind::BodyTooLarge);
    let stored: i64 = sqlx::query_scalar("SELECT count(*) FROM posts").fetch_one(&server.pool).await.unwrap();
    assert_eq!(stored, 0);
}

#[tokio::test]
async fn a_post_from_the_future_is_rejected_and_the_others_are_kept() {
    let server = TestServer::start().await;
    let api = server.client(Role::Contributor).await;
    let mut early = sighting(1, "hello");
    early.post.posted_at = launch::clock::now() + time::Duration::minutes(5);
    let results = api.post(&batch([early, sighting(2, "hello")])).await;
    let PostStatus::Rejected { reason } = &results[0].status else { panic!("{results:?}") };
    assert!(reason.contains("in the future"), "{reason}");
    assert_eq!(name(&results[1]), "stored");
}

#[tokio::test]
async fn only_a_contributors_key_may_post() {
    let server = TestServer::start().await;
    let good = serde_json::to_vec(&batch([sighting(1, "hello")])).unwrap();
    for role in [Role::Member, Role::Admin] {
        let api = server.client(role).await;
        assert_eq!(api.problem(Method::POST, "/v1/messages", Some(&good)).await.kind, ProblemKind::Forbidden);
    }
    for wrong in ["", "cb_", "nonsense", "cb_0000000000000000000000000000000000000000b7cc1ae4"] {
        let api = Api::new(&server.url, wrong);
        assert_eq!(
            api.problem(Method::POST, "/v1/messages", Some(&good)).await.kind,
            ProblemKind::Unauthorized,
            "{wrong}"
        );
    }
}
