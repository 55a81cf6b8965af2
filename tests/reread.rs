//! `server reread`, through the program and the API: what changes, what is told, what is kept.

use server::auth::Role;
use server::reread::{Report, Wish, reread};
use shared::post::Sighting;
use shared::reading::READER_VERSION;
use shared::wire::{Event, EventsPage, SignalDetail, SignalStatus};
use sqlx::PgPool;
use support::feed::Subscription;
use support::path::{Stage, write_story};
use support::posts::{START, deleted, edited, reply, sighting, signal_text};
use support::program::{command, run};
use support::server::{Api, TestServer};
use uuid::Uuid;

use crate::profiles::{post, server_program, set_caller, signals};

pub(crate) async fn events(api: &Api) -> Vec<Event> {
    let page: EventsPage = api.get("/v1/events?after=0&limit=500").await;
    // That its channel was approved is told first, and is not what these tests are about.
    let events = page.events.into_iter().map(|record| record.event);
    events.filter(|event| !matches!(event, Event::ChannelChanged { .. })).collect()
}

pub(crate) async fn again(pool: &PgPool, apply: bool) -> Report {
    let wish = Wish { apply, examples: 2, ..Wish::default() };
    reread(pool, &wish, launch::clock::now).await.unwrap()
}

/// What is stored of every reading: post, number, version, kind, text, when it was made, whether it counts.
type Stored = (Uuid, i32, i32, String, String, time::OffsetDateTime, bool);

pub(crate) async fn readings(pool: &PgPool) -> Vec<Stored> {
    let rows = sqlx::query_as(
        "SELECT post_id, read_no, reader_version, kind, reading, read_at, superseded_at IS NULL FROM readings
        ORDER BY post_id, read_no",
    );
    rows.fetch_all(pool).await.unwrap()
}

pub(crate) async fn log(pool: &PgPool) -> Vec<(i64, String)> {
    sqlx::query_as("SELECT seq, payload FROM events ORDER BY seq").fetch_all(pool).await.unwrap()
}

/// Makes the stored readings and signals look as if an older reader had read this where the texts say that.
async fn as_an_older_reader_read(pool: &PgPool, (text, read): (&str, &str)) {
    for statement in [
        "UPDATE readings SET reading = replace(reading, $1, $2), reader_version = 1",
        "UPDATE signals SET record = replace(record, $1, $2)",
    ] {
        let done = sqlx::query(statement).bind(text).bind(read).execute(pool).await.unwrap();
        assert!(done.rows_affected() > 0);
    }
    let version = (format!("\"reader_version\":{READER_VERSION}"), "\"reader_version\":1");
    let renumber = "UPDATE readings SET reading = replace(reading, $1, $2)";
    sqlx::query(renumber).bind(version.0).bind(version.1).execute(pool).await.unwrap();
}

/// Posts that nobody was allowed to make, so that all of them are noise; then everybody is allowed.
pub(crate) async fn silenced(posts: impl IntoIterator<Item = Sighting>) -> (TestServer, Api) {
    let server = TestServer::start().await;
    let api = server.client(Role::Contributor).await;
    post(&api, [sighting(9999, "good morning")]).await;
    set_caller(&server.pool, Some("nobody")).await;
    for part in posts.into_iter().collect::<Vec<_>>().chunks(100) {
        post(&api, part.to_vec()).await;
    }
    set_caller(&server.pool, None).await;
    assert!(events(&api).await.is_empty());
    (server, api)
}

#[tokio::test]
async fn a_dry_run_shows_what_would_change_and_changes_nothing() {
    let (server, _) = silenced([
        sighting(1, &signal_text("BTC")),
        sighting(2, "what a day"),
        reply(3, 1, "TP1 hit, move SL to entry"),
    ])
    .await;
    let before = (readings(&server.pool).await, log(&server.pool).await);
    for arguments in [&["reread"][..], &["reread", "--dry-run", "--limit-examples", "1"]] {
        let shown = server_program(&server, arguments).await;
        assert_eq!(shown.code, Some(0), "{}", shown.err);
        for words in [
            "noise → signal",
            "noise → update",
            "vip-calls 1: noise (its author is not one of the channel's callers) → long BTC/USDT, entry 4000",
            "--apply would store 3 new readings beside the old ones, and tell 2 events",
            "never traded",
        ] {
            assert!(shown.out.contains(words), "{words:?} is not in {}", shown.out);
        }
    }
    assert_eq!((readings(&server.pool).await, log(&server.pool).await), before);
    for (arguments, words) in [
        (&["reread", "--since", "yesterday"][..], "expected a day"),
        (&["reread", "--channel", "nobody"], "there is no channel `nobody`"),
        (&["reread", "--apply", "--dry-run"], "cannot be used with"),
    ] {
        let ended = server_program(&server, arguments).await;
        assert!(ended.code != Some(0) && ended.err.contains(words), "{arguments:?}: {}", ended.err);
    }
}

#[tokio::test]
async fn when_no_message_was_posted_since_then_that_is_what_is_said() {
    let (server, _) = silenced([sighting(1, &signal_text("BTC"))]).await;
    for (since, words) in [
        ("2999-01-01", "nothing to do: no message was posted since 2999-01-01T00:00:00Z"),
        ("2026-06-01", "--apply would store 1 new readings"),
    ] {
        let shown = server_program(&server, &["reread", "--since", since]).await;
        assert!(shown.code == Some(0) && shown.out.contains(words), "{}{}", shown.out, shown.err);
        assert!(!shown.out.contains("every stored reading"), "{}", shown.out);
    }
}

#[tokio::test]
async fn a_signal_found_in_an_old_post_keeps_its_time_and_says_that_it_was_found_late() {
    let call = sighting(1, &signal_text("BTC"));
    let (server, api) = silenced([call.clone()]).await;
    let received: time::OffsetDateTime =
        sqlx::query_scalar("SELECT received_at FROM posts WHERE external_id = '1'")
            .fetch_one(&server.pool)
            .await
            .unwrap();
    let applied = server_program(&server, &["reread", "--apply", "--since", "2026-06-01"]).await;
    assert!(applied.out.contains("told 1 events"), "{}{}", applied.out, applied.err);
    let [Event::SignalPosted { signal: found }] = &events(&api).await[..] else { panic!("one signal") };
    assert!(found.reread);
    assert_eq!((found.posted_at, found.occurred_at), (call.post.posted_at, call.post.posted_at));
    assert_eq!((found.seen_at, found.received_at), (call.seen_at, received));
    let [state] = &signals(&api).await[..] else { panic!("one signal") };
    assert!(state.record == **found && state.status == SignalStatus::Open);
    let edit = edited(&call, 5, &signal_text("BTC").replace("SL: 3800", "SL: 3750"));
    post(&api, [edit]).await;
    assert!(signals(&api).await[0].record.reread, "an edit does not make it one that was known in time");
}

#[tokio::test]
async fn a_second_run_changes_nothing_and_no_row_is_ever_overwritten() {
    let call = sighting(1, &signal_text("BTC"));
    let (server, api) = silenced([
        call.clone(),
        edited(&call, 4, &signal_text("BTC").replace("SL: 3800", "SL: 3750")),
        reply(2, 1, "close 50%"),
        sighting(3, "gm"),
    ])
    .await;
    post(&api, [sighting(4, &signal_text("ETH")), deleted(&sighting(4, ""), 3)]).await;
    let (old, told) = (readings(&server.pool).await, log(&server.pool).await);
    let first = again(&server.pool, true).await;
    assert_eq!((first.readings(), first.messages()), (4, 5), "{first}");
    let (new, retold) = (readings(&server.pool).await, log(&server.pool).await);
    assert_eq!(new.len(), old.len() + 4);
    for row in &old {
        let kept = new.iter().find(|kept| (kept.0, kept.1) == (row.0, row.1)).expect("the row is there");
        assert_eq!((kept.2, &kept.3, &kept.4, kept.5), (row.2, &row.3, &row.4, row.5));
        assert_eq!(
            kept.6,
            new.iter().all(|other| other.0 != row.0 || other.1 <= row.1),
            "the last one counts"
        );
    }
    assert!(new.iter().any(|row| row.1 == 1 && row.2 == i32::try_from(READER_VERSION).unwrap()));
    assert_eq!(retold[..told.len()], told[..]);
    assert_eq!(retold.len(), told.len() + 2, "a signal and its follow-up were found");
    let second = again(&server.pool, true).await;
    assert_eq!((second.readings(), second.events()), (0, 0), "{second}");
    assert!(second.to_string().contains("nothing to do"), "{second}");
    assert_eq!((readings(&server.pool).await, log(&server.pool).await), (new, retold));
}

#[tokio::test]
async fn a_signal_that_reads_differently_keeps_its_id_and_one_that_is_none_is_withdrawn() {
    let server = TestServer::start().await;
    let api = server.client(Role::Contributor).await;
    post(&api, [sighting(1, &signal_text("BTC"))]).await;
    as_an_older_reader_read(&server.pool, ("3800", "3700")).await;
    let before = signals(&api).await.remove(0);
    assert_eq!(before.record.signal.fields().stop.as_ref().unwrap().price().unwrap().to_string(), "3700");
    let report = again(&server.pool, true).await.to_string();
    assert!(
        report.contains("signal changed: stop")
            && report.contains("stop 3700")
            && report.contains("stop 3800"),
        "{report}"
    );
    let changed = signals(&api).await.remove(0);
    assert_eq!(changed.record.id, before.record.id);
    assert!(changed.record.reread && changed.record.posted_at == before.record.posted_at);
    assert_eq!(changed.record.signal.fields().stop.as_ref().unwrap().price().unwrap().to_string(), "3800");
    set_caller(&server.pool, Some("nobody")).await;
    again(&server.pool, true).await;
    assert_eq!(signals(&api).await[0].status, SignalStatus::Withdrawn);
    set_caller(&server.pool, None).await;
    again(&server.pool, true).await;
    let back = signals(&api).await.remove(0);
    assert_eq!((back.record.id, back.status), (before.record.id, SignalStatus::Open));
    let told = events(&api).await;
    let [
        _,
        Event::SignalRevised { .. },
        Event::SignalWithdrawn { reason, .. },
        Event::SignalRevised { signal },
    ] = told.as_slice()
    else {
        panic!("{told:?}")
    };
    assert!(reason.starts_with("read again: ") && signal.reread, "{reason}");
}

#[tokio::test]
async fn an_update_found_in_an_old_post_is_bound_and_shown_and_one_that_is_none_is_taken_back() {
    let server = TestServer::start().await;
    let api = server.client(Role::Contributor).await;
    post(&api, [sighting(1, &signal_text("BTC"))]).await;
    set_caller(&server.pool, Some("nobody")).await;
    post(&api, [reply(2, 1, "closed, enough for today")]).await;
    set_caller(&server.pool, None).await;
    again(&server.pool, true).await;
    let signal = signals(&api).await.remove(0);
    assert_eq!(signal.status, SignalStatus::Ended);
    let path = format!("/v1/signals/{}", signal.record.id);
    let detail: SignalDetail = api.get(&path).await;
    let [update] = detail.updates.as_slice() else { panic!("{detail:?}") };
    assert!(update.reread && update.occurred_at == START + time::Duration::minutes(2));
    set_caller(&server.pool, Some("nobody")).await;
    sqlx::query("UPDATE readings SET kind = 'noise', reading = '{\"kind\":\"noise\",\"reason\":\"x\"}' WHERE kind = 'signals'")
        .execute(&server.pool)
        .await
        .unwrap();
    again(&server.pool, true).await;
    let detail: SignalDetail = api.get(&path).await;
    assert!(detail.updates.is_empty());
    assert_eq!(detail.state.status, SignalStatus::Open, "the word that ended it was none");
    let told = events(&api).await;
    assert!(
        matches!(told.last(), Some(Event::UpdateWithdrawn { update_id, reason, .. })
            if *update_id == update.id && reason == "read again: its author is not one of the channel's callers"),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_message_that_follows_up_on_itself_ends_where_it_began_when_a_profile_comes_and_goes() {
    let server = TestServer::start().await;
    let api = server.client(Role::Contributor).await;
    let call = sighting(1, &signal_text("BTC"));
    let ticked = edited(&call, 30, "TP1 hit ✅ move SL to entry");
    post(&api, [call.clone(), ticked.clone()]).await;
    let before = signals(&api).await.remove(0);
    assert_eq!(before.status, SignalStatus::Open);
    let path = format!("/v1/signals/{}", before.record.id);
    let detail: SignalDetail = api.get(&path).await;
    assert_eq!(detail.updates.len(), 1, "the edit is a follow-up: {detail:?}");
    set_caller(&server.pool, Some("nobody")).await;
    again(&server.pool, true).await;
    let silenced: SignalDetail = api.get(&path).await;
    assert!(silenced.updates.is_empty() && silenced.state.status == SignalStatus::Withdrawn, "{silenced:?}");
    set_caller(&server.pool, None).await;
    again(&server.pool, true).await;
    let back: SignalDetail = api.get(&path).await;
    assert_eq!((back.state.status, back.updates.len()), (SignalStatus::Open, 1));
    let (record, first) = (&back.state.record, &before.record);
    assert_eq!(
        (record.post_id, &record.signal, record.occurred_at),
        (first.post_id, &first.signal, first.occurred_at)
    );
    assert!(record.reread && back.updates[0].reread);
    assert_eq!(again(&server.pool, true).await.readings(), 0);
}

/// Every signal as it stands, with what its follow-ups say.
async fn standing(api: &Api) -> Vec<String> {
    let mut lines = Vec::new();
    for state in signals(api).await {
        let detail: SignalDetail = api.get(&format!("/v1/signals/{}", state.record.id)).await;
        let told =
            detail.updates.iter().map(|update| format!("{} {:?}", update.external_id, update.update.actions));
        let told = told.collect::<Vec<_>>().join(", ");
        let (record, status) = (&state.record, state.status);
        lines.push(format!(
            "{} {:?} {status:?} {:?}: {told}",
            record.external_id, record.signal, record.posted_at
        ));
    }
    lines
}

#[tokio::test]
async fn a_story_that_was_read_too_late_ends_as_one_that_was_read_in_time() {
    let btc = sighting(1, &signal_text("BTC"));
    let story = [
        btc.clone(),
        sighting(2, &signal_text("ETH")),
        reply(3, 1, "TP1 hit, move SL to entry"),
        sighting(4, "good morning everyone"),
        sighting(5, "ETH: closed"),
        sighting(6, &signal_text("SOL")),
        sighting(7, "TP1 hit, move SL to entry"),
        edited(&btc, 9, &signal_text("BTC").replace("SL: 3800", "SL: 3750")),
        reply(11, 3, "close 50%"),
        sighting(12, "close all positions now"),
        sighting(13, &signal_text("ETH")),
        reply(14, 13, "TP1 hit"),
    ];
    let in_time = TestServer::start().await;
    let heard = in_time.client(Role::Contributor).await;
    post(&heard, story.clone()).await;
    let (late, api) = silenced(story).await;
    again(&late.pool, true).await;
    let expected = standing(&heard).await;
    assert_eq!(expected.len(), 4);
    assert_eq!(standing(&api).await, expected);
}

#[tokio::test]
async fn a_channel_that_is_not_published_has_its_readings_renewed_and_nothing_told() {
    let (server, api) = silenced([sighting(1, &signal_text("BTC"))]).await;
    sqlx::query("UPDATE channels SET status = 'paused'").execute(&server.pool).await.unwrap();
    let report = again(&server.pool, true).await;
    assert_eq!((report.readings(), report.events()), (1, 0), "{report}");
    assert!(report.to_string().contains("not published"), "{report}");
    assert!(signals(&api).await.is_empty());
}

#[tokio::test]
async fn only_the_channel_and_the_time_that_were_asked_for_are_read_again() {
    let mut elsewhere = sighting(2, &signal_text("ETH"));
    elsewhere.post.channel.external_id = "501".into();
    elsewhere.post.channel.name = "swing".into();
    let server = TestServer::start().await;
    let api = server.client(Role::Contributor).await;
    server.open("501", "swing").await;
    let mut hello = elsewhere.clone();
    (hello.post.external_id, hello.post.content) = ("9".into(), "hello".into());
    post(&api, [sighting(9999, "hello"), hello]).await;
    set_caller(&server.pool, Some("nobody")).await;
    post(&api, [sighting(1, &signal_text("BTC")), elsewhere, sighting(3, &signal_text("SOL"))]).await;
    set_caller(&server.pool, None).await;
    let since = "2026-06-01T08:02:00Z";
    let done =
        server_program(&server, &["reread", "--channel", "vip-calls", "--since", since, "--apply"]).await;
    assert_eq!(done.code, Some(0), "{}", done.err);
    let bases: Vec<String> =
        signals(&api).await.iter().map(|signal| signal.record.signal.base().to_string()).collect();
    assert_eq!(bases, ["SOL"]);
}

/// Every message's signals and follow-ups as the log tells them, without what differs from run to run.
async fn story(api: &Api) -> Vec<String> {
    let mut after = 0;
    let mut told = Vec::new();
    loop {
        let page: EventsPage = api.get(&format!("/v1/events?after={after}&limit=500")).await;
        let Some(last) = page.events.last() else { return told };
        after = last.seq;
        told.extend(page.events.into_iter().map(|record| match record.event {
            Event::SignalPosted { signal } => format!("signal {} {}", signal.external_id, signal.reread),
            Event::SignalUpdated { update } => format!("update {} {}", update.external_id, update.reread),
            Event::ChannelChanged { channel, status, .. } => format!("{channel} {status}"),
            other => format!("{other:?}"),
        }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_killed_is_taken_up_by_the_next_one_without_doubling_anything() {
    let posts =
        || (1..=250u32).flat_map(|id| [sighting(id, &signal_text("BTC")), reply(1000 + id, id, "close 50%")]);
    let (calm, api) = silenced(posts()).await;
    again(&calm.pool, true).await;
    let expected = story(&api).await;
    assert_eq!(expected.len(), 501, "that the channel was approved, and what its posts say");
    let (server, api) = silenced(posts()).await;
    for point in ["reread_written:2", "reread_committed:1", "reread_written:1"] {
        let mut program = command("server");
        program.args(["reread", "--apply"]).env("DATABASE_URL", server.scratch.url());
        let killed = run(program.env("CALLBOARD_CRASH_AT", point)).await;
        assert_eq!(killed.code, None, "{point}: {}", killed.err);
    }
    let some = story(&api).await.len();
    assert!((1..500).contains(&some), "it was killed on its way, after {some}");
    let done = server_program(&server, &["reread", "--apply"]).await;
    assert_eq!(done.code, Some(0), "{}", done.err);
    assert_eq!(story(&api).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_again_beside_a_working_server_makes_one_signal_of_each_message() {
    let (server, api) = silenced((1..=150).map(|id| sighting(id, &signal_text("BTC")))).await;
    let posting = async {
        for id in 1..=30u32 {
            let original = sighting(id * 5, &signal_text("BTC"));
            let edit = edited(&original, 1, &signal_text("BTC").replace("SL: 3800", "SL: 3750"));
            post(&api, [edit, sighting(1000 + id, &signal_text("ETH"))]).await;
        }
    };
    tokio::join!(posting, again(&server.pool, true), again(&server.pool, true));
    let told = story(&api).await;
    let mut found: Vec<&String> = told.iter().filter(|line| line.starts_with("signal ")).collect();
    let count = found.len();
    found.sort_unstable();
    found.dedup();
    assert_eq!((found.len(), count), (180, 180), "each message was told as a signal once");
    let counting: Vec<i64> = sqlx::query_scalar(
        "SELECT count(*) FILTER (WHERE superseded_at IS NULL) FROM readings GROUP BY post_id",
    )
    .fetch_all(&server.pool)
    .await
    .unwrap();
    assert!(counting.iter().all(|count| *count == 1), "one reading of each post counts");
    let edited = signals(&api).await.into_iter().filter(|signal| {
        signal
            .record
            .signal
            .fields()
            .stop
            .as_ref()
            .and_then(|stop| stop.price())
            .is_some_and(|p| p.to_string() == "3750")
    });
    assert_eq!(edited.count(), 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_reading_again_finds_is_shown_to_a_trader_and_never_traded() {
    let stage = Stage::start().await;
    let _server = stage.serve(None).await.expect("the server starts");
    let story = write_story(stage.folder.path());
    let pool = stage.scratch.pool().await;
    let contributor = Api::new(&stage.url, &stage.contributor_key);
    let mut first = sighting(9999, "hello");
    first.post.channel.name = "vip-calls".into();
    post(&contributor, [first]).await;
    set_caller(&pool, Some("nobody")).await;
    let imported =
        run(stage.contributor().args(["import", "--infer-deletes", "--replay", "1e12"]).args(&story.exports))
            .await;
    assert_eq!(imported.code, Some(0), "{}{}", imported.out, imported.err);
    set_caller(&pool, None).await;
    let found = again(&pool, true).await;
    assert!(found.events() > 5, "{found}");
    // The server looks by itself for what another process has written: wait until it has.
    let member = Api::new(&stage.url, &stage.member_key);
    let mut feed = Subscription::open(&member, 0, "").await.expect("a subscription");
    feed.events(usize::try_from(found.events()).unwrap()).await;
    // By the clock of the replay each of these posts is as young as can be.
    let traded = run(stage.trader(&story.config).args(["run", "--once", "--json"])).await;
    assert_eq!(traded.code, Some(0), "{}{}", traded.out, traded.err);
    let account: serde_json::Value = serde_json::from_str(&traded.out).unwrap();
    let (seen, late) = (&account["signals"]["seen"], &account["signals"]["refused_by_reason"]["read_again"]);
    assert!(seen == late && seen.as_u64().is_some_and(|seen| seen > 4), "{account:#}");
    assert_eq!(account["signals"]["traded"], 0);
    pool.close().await;
}
