//! Corroboration: who counts as a witness of a signal, what is told about it, and what a trader does who wants two.

use reqwest::Method;
use serde_json::{Value, json};
use server::auth::Role;
use shared::post::{Author, Sighting};
use shared::wire::{AccountStatus, Event, EventsPage, NewApiKey, SignalDetail, SignalState, SignalsPage};
use support::path::{Stage, write_one_post, write_story};
use support::people::{Person, make};
use support::posts::{batch, deleted, edited, sighting, signal_text};
use support::program::{command, run};
use support::server::{Api, TestServer, create_key};

/// A signal on BTC by Ana, as a contributor in her server sees it.
fn seen() -> Sighting {
    sighting(1, &signal_text("BTC"))
}

/// The same as a follower of the channel sees it: the author is the channel.
fn copied(original: &Sighting) -> Sighting {
    let mut copy = original.clone();
    let channel = copy.post.channel.external_id.clone();
    copy.post.author = Author { external_id: channel, name: "Guild #vip-calls".into(), is_bot: true };
    copy.post.channel.name = "Guild #vip-calls".into();
    copy.raw = r#"{"flags": 2}"#.into();
    copy
}

fn altered(original: &Sighting) -> Sighting {
    let mut altered = original.clone();
    altered.post.content = altered.post.content.replace("SL: 3800", "SL: 3700");
    altered
}

/// The log in short: `posted 1`, `witnessed 2`, `disputed`…
async fn told(api: &Api) -> Vec<String> {
    let page: EventsPage = api.get("/v1/events?after=0&limit=500").await;
    let short = |event: Event| match event {
        Event::SignalPosted { signal } => format!("posted {}", signal.witnesses),
        Event::SignalRevised { signal } => format!("revised {}", signal.witnesses),
        Event::SignalWitnessed { witnesses, .. } => format!("witnessed {witnesses}"),
        Event::SignalDisputed { .. } => "disputed".to_owned(),
        Event::SignalWithdrawn { .. } => "withdrawn".to_owned(),
        Event::PostDisputed { .. } => "post disputed".to_owned(),
        other => format!("{other:?}"),
    };
    page.events.into_iter().map(|record| short(record.event)).collect()
}

/// The only signal, as the list has it; the detail must say the same.
async fn standing(api: &Api) -> SignalState {
    let page: SignalsPage = api.get("/v1/signals").await;
    let [state] = page.signals.as_slice() else { panic!("{page:?}") };
    let detail: SignalDetail = api.get(&format!("/v1/signals/{}", state.record.id)).await;
    assert_eq!(detail.state, *state);
    state.clone()
}

async fn contributors<const N: usize>(server: &TestServer) -> [Api; N] {
    let mut all = Vec::new();
    for _ in 0..N {
        all.push(server.client(Role::Contributor).await);
    }
    all.try_into().expect("so many")
}

#[tokio::test]
async fn each_contributor_who_saw_the_same_words_counts_once_and_is_told() {
    let server = TestServer::start().await;
    let [ana, ben, cem] = contributors(&server).await;
    for api in [&ana, &ana, &ben, &ana, &ben, &cem, &cem] {
        api.post(&batch([seen()])).await;
    }
    assert_eq!(told(&ana).await, ["posted 1", "witnessed 2", "witnessed 3"]);
    let state = standing(&ana).await;
    assert_eq!((state.record.witnesses, state.disputed), (3, false));
}

#[tokio::test]
async fn an_account_with_two_keys_is_one_witness() {
    let server = TestServer::start().await;
    let ana = Person::join(&server, Role::Contributor).await;
    let wish = json!({"name": "another program", "scopes": Role::Contributor.scopes()});
    let second: NewApiKey = make(&ana.signed_in, "/v1/api-keys", &wish).await;
    let second = Api::new(&server.url, &second.key);
    for api in [&ana.program, &second, &ana.program] {
        api.post(&batch([seen()])).await;
    }
    assert_eq!(told(&second).await, ["posted 1"]);
    assert_eq!(standing(&second).await.record.witnesses, 1);
}

#[tokio::test]
async fn whoever_saw_other_words_is_no_witness_and_the_dispute_is_told_once() {
    let server = TestServer::start().await;
    let [ana, ben, cem] = contributors(&server).await;
    ana.post(&batch([seen()])).await;
    ben.post(&batch([altered(&seen())])).await;
    ben.post(&batch([altered(&seen())])).await;
    cem.post(&batch([seen()])).await;
    ana.post(&batch([altered(&seen())])).await;
    assert_eq!(told(&ana).await, ["posted 1", "disputed", "witnessed 2"]);
    let state = standing(&ana).await;
    assert_eq!((state.record.witnesses, state.disputed), (2, true));
    let detail: SignalDetail = ana.get(&format!("/v1/signals/{}", state.record.id)).await;
    let [post] = detail.posts.as_slice() else { panic!("{detail:?}") };
    assert_eq!((post.witnesses, post.disputed, post.sightings), (2, true, 4));
    assert_eq!(post.post, seen().post, "the first text stands");
}

#[tokio::test]
async fn another_author_of_the_same_words_is_a_disagreement() {
    let server = TestServer::start().await;
    let [ana, ben] = contributors(&server).await;
    let mut attributed = seen();
    attributed.post.author.external_id = "8".into();
    ana.post(&batch([seen()])).await;
    ben.post(&batch([attributed])).await;
    assert_eq!(told(&ana).await, ["posted 1", "disputed"]);
    assert_eq!(standing(&ana).await.record.witnesses, 1);
}

#[tokio::test]
async fn a_follower_and_a_reader_of_the_original_are_two_witnesses_in_either_order_and_both_forms_are_kept() {
    for forms in [[seen(), copied(&seen())], [copied(&seen()), seen()]] {
        let server = TestServer::start().await;
        let [ana, ben, cem] = contributors(&server).await;
        ana.post(&batch([forms[0].clone()])).await;
        for _ in 0..2 {
            let answers = ben.post(&batch([forms[1].clone()])).await;
            let answer = serde_json::to_value(&answers[0]).unwrap();
            assert_eq!((&answer["status"], &answer["disputed"]), (&json!("duplicate"), &json!(false)));
        }
        cem.post(&batch([copied(&seen())])).await;
        cem.post(&batch([seen()])).await;
        assert_eq!(told(&ana).await, ["posted 1", "witnessed 2", "witnessed 3"]);
        let state = standing(&ana).await;
        assert_eq!((state.record.witnesses, state.disputed), (3, false));
        let kept: Vec<String> = sqlx::query_scalar(
            "SELECT coalesce(s.differing_body, p.body) FROM sightings s JOIN posts p ON p.id = s.post_id ORDER BY s.received_at",
        )
        .fetch_all(&server.pool)
        .await
        .unwrap();
        let kept: Vec<Value> = kept.iter().map(|body| serde_json::from_str(body).unwrap()).collect();
        let sent = [&forms[0], &forms[1], &copied(&seen()), &seen()].map(|form| json!(form.post));
        assert_eq!(kept, sent, "every form as it was seen");
    }
}

#[tokio::test]
async fn a_contributor_who_sees_both_forms_is_one_witness() {
    let server = TestServer::start().await;
    let [ana, ben] = contributors(&server).await;
    for form in [seen(), copied(&seen()), seen()] {
        ana.post(&batch([form])).await;
    }
    ben.post(&batch([copied(&seen()), seen(), seen(), copied(&seen())])).await;
    ben.post(&batch([seen()])).await;
    assert_eq!(told(&ana).await, ["posted 1", "witnessed 2"]);
    assert_eq!(standing(&ana).await.record.witnesses, 2);
}

#[tokio::test]
async fn a_copy_agrees_with_both_of_two_originals_and_does_not_reconcile_them() {
    let server = TestServer::start().await;
    let [ana, ben, cem, dan] = contributors(&server).await;
    let mut attributed = seen();
    attributed.post.author.external_id = "8".into();
    ana.post(&batch([copied(&seen())])).await;
    ben.post(&batch([seen()])).await;
    cem.post(&batch([attributed])).await;
    dan.post(&batch([altered(&copied(&seen()))])).await;
    assert_eq!(told(&ana).await, ["posted 1", "witnessed 2", "disputed"]);
    assert_eq!(standing(&ana).await.record.witnesses, 2);
}

#[tokio::test]
async fn a_copy_of_what_was_edited_before_it_was_published_is_a_sighting_of_the_edit() {
    let server = TestServer::start().await;
    let [ana, ben] = contributors(&server).await;
    let wider = edited(&seen(), 1, &signal_text("BTC").replace("SL: 3800", "SL: 3750"));
    ana.post(&batch([seen(), wider.clone()])).await;
    let mut published = copied(&wider);
    published.post.edited_at = None;
    ben.post(&batch([published.clone()])).await;
    ben.post(&batch([published])).await;
    assert_eq!(told(&ana).await, ["posted 1", "revised 1", "witnessed 2"]);
    let state = standing(&ana).await;
    assert_eq!((state.record.witnesses, state.disputed), (2, false));
}

#[tokio::test]
async fn a_revision_has_witnesses_of_its_own() {
    let server = TestServer::start().await;
    let [ana, ben, cem] = contributors(&server).await;
    let wider = edited(&seen(), 1, &signal_text("BTC").replace("SL: 3800", "SL: 3750"));
    ana.post(&batch([seen()])).await;
    ben.post(&batch([seen(), wider.clone()])).await;
    assert_eq!(standing(&ana).await.record.witnesses, 1, "of the edit");
    cem.post(&batch([seen()])).await;
    ana.post(&batch([wider])).await;
    ana.post(&batch([deleted(&seen(), 9)])).await;
    cem.post(&batch([edited(&seen(), 1, &signal_text("BTC").replace("SL: 3800", "SL: 3750"))])).await;
    let expected = ["posted 1", "witnessed 2", "revised 1", "witnessed 2", "withdrawn"];
    assert_eq!(
        told(&ana).await,
        expected,
        "an old text is not corroborated any more, and a withdrawn one neither"
    );
    assert_eq!(standing(&ana).await.record.witnesses, 3);
}

#[tokio::test]
async fn a_contributor_who_is_suspended_later_was_a_witness_and_is_none_of_what_comes_after() {
    let server = TestServer::start().await;
    let [ana] = contributors(&server).await;
    let ben = Person::join(&server, Role::Contributor).await;
    ana.post(&batch([seen()])).await;
    ben.program.post(&batch([seen()])).await;
    ben.set_status(&server, AccountStatus::Suspended).await;
    support::eventually("the suspension holds", async || {
        let body = serde_json::to_vec(&batch([sighting(2, &signal_text("ETH"))])).unwrap();
        ben.program.send(Method::POST, "/v1/messages", Some(body)).await.status() == 401
    })
    .await;
    assert_eq!(standing(&ana).await.record.witnesses, 2, "the number never falls");
}

#[tokio::test]
async fn many_contributors_at_once_are_each_counted_and_the_numbers_are_told_in_order() {
    let server = TestServer::start().await;
    let all: [Api; 8] = contributors(&server).await;
    let posting = all.iter().map(|api| async move { api.post(&batch([seen()])).await });
    futures_util::future::join_all(posting).await;
    let expected: Vec<String> =
        std::iter::once("posted 1".to_owned()).chain((2..=8).map(|n| format!("witnessed {n}"))).collect();
    assert_eq!(told(&all[0]).await, expected);
}

#[tokio::test]
async fn what_was_stored_by_the_version_before_counts_as_it_did() {
    let server = TestServer::start().await;
    let [ana, ben, cem] = contributors(&server).await;
    ana.post(&batch([seen()])).await;
    // As the version before wrote it, which knew no `same_words`: one who saw the same, one who saw something else.
    sqlx::query(
        "INSERT INTO sightings (post_id, key_id, content_hash, seen_at, received_at, provenance, raw, differing_body)
        SELECT post_id, gen_random_uuid(), content_hash, seen_at, received_at, provenance, raw, NULL FROM sightings
        UNION ALL
        SELECT post_id, gen_random_uuid(), sha256(content_hash), seen_at, received_at, provenance, raw, '{}' FROM sightings",
    )
    .execute(&server.pool)
    .await
    .unwrap();
    assert_eq!(standing(&ana).await.record.witnesses, 2);
    ben.post(&batch([copied(&seen())])).await;
    cem.post(&batch([seen()])).await;
    assert_eq!(told(&ana).await, ["posted 1", "witnessed 3", "witnessed 4"]);
}

/// A stage with a post that becomes a trade, told by this many contributors, and a trader who wants two.
async fn story_with(contributors: usize, later: &[Sighting]) -> Value {
    let stage = Stage::start().await;
    let _server = stage.serve(None).await.expect("the server starts");
    let story = write_story(stage.folder.path());
    let export = write_one_post(stage.folder.path());
    let config = std::fs::read_to_string(&story.config).unwrap();
    std::fs::write(&story.config, config.replace("[policy]", "[policy]\nmin_witnesses = 2")).unwrap();
    let pool = stage.scratch.pool().await;
    for number in 0..contributors {
        let mut importing = command("contributor");
        let folder = stage.folder.path().join(format!("contributor {number}"));
        importing.env("CONTRIBUTOR__SERVER", &stage.url);
        importing.env("CONTRIBUTOR__API_KEY", create_key(&pool, Role::Contributor).await);
        importing.arg("--data-dir").arg(folder).args(["import"]).arg(&export);
        let ended = run(&mut importing).await;
        assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
    }
    if !later.is_empty() {
        let api = Api::new(&stage.url, &create_key(&pool, Role::Contributor).await);
        api.post(&batch(later.to_vec())).await;
    }
    pool.close().await;
    let traded = run(stage.trader(&story.config).args(["run", "--once", "--json"])).await;
    assert_eq!(traded.code, Some(0), "{}{}", traded.out, traded.err);
    serde_json::from_str(&traded.out).expect("an account as JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trader_who_wants_two_witnesses_trades_when_the_second_has_told_and_not_before() {
    let account = story_with(1, &[]).await;
    assert_eq!(account["signals"]["refused_by_reason"], json!({"too_few_witnesses": 1}), "{account:#}");
    assert_eq!(account["signals"]["traded"], 0);
    let account = story_with(2, &[]).await;
    assert_eq!(account["signals"]["traded"], 1, "{account:#}");
    assert_eq!(account["trades"][0]["entered"], "12.5", "the same trade as for one who does not wait");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trader_who_waits_does_not_trade_what_the_second_contributor_disputes() {
    let stage = Stage::start().await;
    let _server = stage.serve(None).await.expect("the server starts");
    let export = write_one_post(stage.folder.path());
    let imported = run(stage.contributor().arg("import").arg(&export)).await;
    assert_eq!(imported.code, Some(0), "{}{}", imported.out, imported.err);
    let api = Api::new(&stage.url, &stage.member_key);
    let signal = standing(&api).await;
    let detail: SignalDetail = api.get(&format!("/v1/signals/{}", signal.record.id)).await;
    let mut other = seen();
    other.post = detail.posts[0].post.clone();
    other.post.content = other.post.content.replace("SL: 96", "SL: 95");
    let account = story_with(1, &[other]).await;
    assert_eq!(account["signals"]["refused_by_reason"], json!({"disputed": 1}), "{account:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_over_a_witness_tells_of_it_once() {
    for point in ["ingest_written:2", "ingest_committed:2"] {
        let stage = Stage::start().await;
        let pool = stage.scratch.pool().await;
        let ben = Api::new(&stage.url, &create_key(&pool, Role::Contributor).await);
        let mut server = stage.serve(Some(point)).await.expect("the server starts");
        let ana = Api::new(&stage.url, &stage.contributor_key);
        ana.post(&batch([seen()])).await;
        let lost = reqwest::Client::new().post(format!("{}/v1/messages", stage.url)).bearer_auth(&ben.key);
        assert!(lost.json(&batch([seen()])).send().await.is_err(), "{point}: nobody answers");
        server.end().await;
        let _server = stage.serve(None).await.expect("the server starts again");
        for _ in 0..2 {
            ben.post(&batch([seen()])).await;
        }
        assert_eq!(told(&ana).await, ["posted 1", "witnessed 2"], "{point}");
        pool.close().await;
    }
}
