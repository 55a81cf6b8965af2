//! Reading again where it is hard: broken rows, older revisions that were misread, disputes, a database of the first form.

use server::auth::Role;
use shared::reading::READER_VERSION;
use shared::wire::{Event, SignalDetail, SignalState, SignalStatus, SignalsPage};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use support::posts::{deleted, edited, reply, sighting, signal_text};
use support::server::{Api, TestServer};
use uuid::Uuid;

use crate::profiles::{post, server_program, set_caller, signals};
use crate::reread::{again, events, silenced};

async fn execute(pool: &PgPool, statement: &'static str) {
    let done = sqlx::query(statement).execute(pool).await.unwrap();
    assert!(done.rows_affected() > 0, "{statement}");
}

async fn one(api: &Api, external_id: &str) -> SignalState {
    let found = signals(api).await;
    found.into_iter().find(|signal| signal.record.external_id == external_id).expect("the signal")
}

/// A server with three calls, the first of which has a stored form that is no signal any more.
async fn with_a_broken_signal() -> (TestServer, Api, Uuid) {
    let server = TestServer::start().await;
    let api = server.client(Role::Contributor).await;
    post(&api, [("BTC", 1), ("ETH", 2), ("SOL", 3)].map(|(base, id)| sighting(id, &signal_text(base)))).await;
    let id = one(&api, "1").await.record.id;
    // A stop above the entry of a long: as if the checks had become stricter since.
    execute(
        &server.pool,
        "UPDATE signals SET record = replace(record, '3800', '4100') WHERE external_id = '1'",
    )
    .await;
    (server, api, id)
}

#[tokio::test]
async fn a_broken_signal_stops_neither_the_lists_nor_other_posts_and_is_mended_by_reading_again() {
    let (server, api, broken) = with_a_broken_signal().await;
    execute(
        &server.pool,
        "UPDATE readings SET reading = replace(reading, '3800', '4100')
        WHERE post_id = (SELECT id FROM posts WHERE external_id = '1')",
    )
    .await;
    execute(&server.pool, "UPDATE events SET payload = replace(payload, '3800', '4100') WHERE seq = 1").await;
    let told = events(&api).await;
    assert!(matches!(told.as_slice(), [Event::Unknown, Event::SignalPosted { .. }, _]), "{told:?}");
    assert_eq!(signals(&api).await.len(), 2);
    let mut path = "/v1/signals?limit=1".to_owned();
    let mut seen = Vec::new();
    loop {
        let page: SignalsPage = api.get(&path).await;
        seen.extend(page.signals.into_iter().map(|signal| signal.record.external_id));
        let Some(next) = page.next else { break };
        path = format!("/v1/signals?limit=1&cursor={next}");
    }
    assert_eq!(seen, ["3", "2"], "a page of which all is left out is not the end of the list");
    post(
        &api,
        [reply(4, 1, "closed, enough for today"), sighting(5, "BTC: closed"), sighting(6, "ETH: closed")],
    )
    .await;
    assert_eq!(one(&api, "2").await.status, SignalStatus::Ended);
    let unbound = events(&api).await.into_iter().filter_map(|event| match event {
        Event::UpdateUnbound { reason, .. } => Some(reason),
        _ => None,
    });
    let unbound: Vec<String> = unbound.collect();
    assert!(unbound.len() == 2 && unbound.iter().all(|reason| reason.contains("broken")), "{unbound:?}");
    let report = again(&server.pool, true).await;
    assert_eq!((report.readings(), report.events()), (1, 1), "{report}");
    let mended = one(&api, "1").await;
    assert_eq!((mended.record.id, mended.status, mended.record.reread), (broken, SignalStatus::Open, true));
    assert!(
        matches!(events(&api).await.last(), Some(Event::SignalRevised { signal }) if signal.id == broken)
    );
    assert_eq!(again(&server.pool, true).await.events(), 0);
}

#[tokio::test]
async fn a_follow_up_is_never_bound_to_an_older_call_because_the_newer_one_is_broken() {
    let (server, api, _) = with_a_broken_signal().await;
    let mut older = sighting(0, &signal_text("BTC"));
    older.post.external_id = "older".into();
    post(&api, [older, sighting(5, "BTC: closed"), sighting(6, "close all positions now")]).await;
    let standing = signals(&api).await;
    assert_eq!(standing.len(), 3);
    assert!(standing.iter().all(|signal| signal.status == SignalStatus::Open), "{standing:?}");
    let tick = edited(&sighting(1, ""), 20, "TP1 hit ✅ move SL to entry");
    post(&api, [tick]).await;
    assert!(matches!(events(&api).await.last(), Some(Event::UpdateUnbound { .. })));
    assert_eq!(
        again(&server.pool, true).await.events(),
        3,
        "its call comes back, and its tick is bound to it"
    );
    let detail: SignalDetail = api.get(&format!("/v1/signals/{}", one(&api, "1").await.record.id)).await;
    assert_eq!(detail.updates.len(), 1);
}

#[tokio::test]
async fn a_broken_signal_keeps_its_id_when_its_post_is_edited_and_goes_when_it_is_deleted() {
    let (server, api, broken) = with_a_broken_signal().await;
    let call = sighting(1, &signal_text("BTC"));
    post(&api, [edited(&call, 9, &signal_text("BTC").replace("SL: 3800", "SL: 3750"))]).await;
    let mended = one(&api, "1").await;
    assert_eq!((mended.record.id, mended.record.reread), (broken, true));
    execute(
        &server.pool,
        "UPDATE signals SET record = replace(record, '3750', '4100') WHERE external_id = '1'",
    )
    .await;
    post(&api, [deleted(&call, 12)]).await;
    let told = events(&api).await;
    assert!(
        matches!(told.last(), Some(Event::SignalWithdrawn { signal_id, .. }) if *signal_id == broken),
        "{told:?}"
    );
    let status: String = sqlx::query_scalar("SELECT status FROM signals WHERE external_id = '1'")
        .fetch_one(&server.pool)
        .await
        .unwrap();
    assert_eq!(status, "withdrawn");
    assert_eq!(again(&server.pool, true).await.events(), 0);
}

#[tokio::test]
async fn a_post_that_cannot_be_read_again_is_named_and_does_not_stop_the_others() {
    let (server, api) = silenced([sighting(1, &signal_text("BTC")), sighting(2, &signal_text("ETH"))]).await;
    execute(&server.pool, "UPDATE posts SET body = '{' WHERE external_id = '1'").await;
    execute(&server.pool, "UPDATE readings SET reading = '{\"kind\":\"guess\"}' WHERE kind = 'noise'").await;
    let ended = server_program(&server, &["reread", "--apply"]).await;
    assert_eq!(ended.code, Some(1), "{}", ended.out);
    assert!(ended.out.contains("1 messages cannot be read"), "{}", ended.out);
    assert!(ended.err.contains("message 1 cannot be read again"), "{}", ended.err);
    assert_eq!(signals(&api).await.len(), 1);
}

#[tokio::test]
async fn a_call_that_is_none_is_withdrawn_also_when_its_message_was_edited_into_a_follow_up() {
    let server = TestServer::start().await;
    let api = server.client(Role::Contributor).await;
    let call = sighting(1, &signal_text("BTC"));
    post(&api, [call.clone(), edited(&call, 30, "TP1 hit ✅ move SL to entry")]).await;
    assert_eq!(one(&api, "1").await.status, SignalStatus::Open);
    let misread = "UPDATE posts SET body = jsonb_set(body::jsonb, '{content}', '\"good morning\"')::text
        WHERE revision = 0";
    execute(&server.pool, misread).await;
    again(&server.pool, true).await;
    let signal = one(&api, "1").await;
    assert_eq!(signal.status, SignalStatus::Withdrawn);
    let detail: SignalDetail = api.get(&format!("/v1/signals/{}", signal.record.id)).await;
    assert!(detail.updates.is_empty(), "{:?}", detail.updates);
    let second = again(&server.pool, true).await;
    assert_eq!((second.readings(), second.events()), (0, 0), "{second}");
}

#[tokio::test]
async fn a_word_that_an_edited_away_revision_never_said_is_taken_back() {
    let server = TestServer::start().await;
    let api = server.client(Role::Contributor).await;
    let closing = reply(2, 1, "closed, enough for today");
    let resaid = reply(3, 1, "closed, enough for today");
    post(&api, [sighting(1, &signal_text("BTC")), closing.clone(), edited(&closing, 4, "good night all")])
        .await;
    post(&api, [resaid.clone(), edited(&resaid, 9, "closed, enough for today!")]).await;
    assert_eq!(one(&api, "1").await.status, SignalStatus::Ended);
    let misread = "UPDATE posts SET body = replace(body, 'closed, enough for today', 'a lovely day')
        WHERE revision = 0";
    execute(&server.pool, misread).await;
    again(&server.pool, true).await;
    let signal = one(&api, "1").await;
    let detail: SignalDetail = api.get(&format!("/v1/signals/{}", signal.record.id)).await;
    let told: Vec<&str> = detail.updates.iter().map(|update| update.external_id.as_str()).collect();
    assert_eq!(
        (signal.status, told),
        (SignalStatus::Ended, vec!["3"]),
        "the newest revision of 3 says it still"
    );
    execute(
        &server.pool,
        "UPDATE posts SET body = replace(body, 'closed, enough', 'lovely') WHERE external_id = '3'",
    )
    .await;
    again(&server.pool, true).await;
    assert_eq!(one(&api, "1").await.status, SignalStatus::Open);
    assert_eq!(again(&server.pool, true).await.events(), 0);
}

#[tokio::test]
async fn a_call_that_its_channel_has_closed_stays_closed_when_it_is_edited_away_and_back() {
    let server = TestServer::start().await;
    let api = server.client(Role::Contributor).await;
    let call = sighting(1, &signal_text("BTC"));
    post(&api, [call.clone(), reply(2, 1, "closed, enough for today")]).await;
    post(&api, [edited(&call, 10, "nothing to see here")]).await;
    assert_eq!(one(&api, "1").await.status, SignalStatus::Withdrawn);
    post(&api, [edited(&call, 20, &signal_text("BTC"))]).await;
    assert_eq!(one(&api, "1").await.status, SignalStatus::Ended);
}

#[tokio::test]
async fn a_dispute_about_any_revision_holds_for_what_is_found_in_the_message() {
    let call = sighting(1, &signal_text("BTC"));
    let edit = edited(&call, 4, &signal_text("BTC").replace("SL: 3800", "SL: 3750"));
    let mut other = call.clone();
    other.post.content = signal_text("BTC").replace("Entry: 4000", "Entry: 3990");
    let in_time = TestServer::start().await;
    let heard = in_time.client(Role::Contributor).await;
    post(&heard, [call.clone()]).await;
    post(&in_time.client(Role::Contributor).await, [other.clone()]).await;
    post(&heard, [edit.clone()]).await;
    assert!(one(&heard, "1").await.disputed);
    let (late, api) = silenced([call]).await;
    set_caller(&late.pool, Some("nobody")).await;
    post(&late.client(Role::Contributor).await, [other]).await;
    post(&api, [edit]).await;
    set_caller(&late.pool, None).await;
    again(&late.pool, true).await;
    assert!(one(&api, "1").await.disputed);
}

/// The rows of this database as version 1 of the form and of the reader had them, in a schema of their own, then migrated.
async fn migrated_from_the_first_form(server: &TestServer) -> PgPool {
    let first = include_str!("../migrations/0001_initial.sql");
    let second = include_str!("../migrations/0002_reading_again.sql");
    let rest = concat!(
        include_str!("../migrations/0003_gaps.sql"),
        include_str!("../migrations/0004_accounts.sql"),
        include_str!("../migrations/0006_witnesses.sql")
    );
    let copy = "INSERT INTO channels SELECT id, source, external_id, name, status, created_at FROM public.channels;
        INSERT INTO posts SELECT * FROM public.posts;
        INSERT INTO sightings SELECT post_id, key_id, content_hash, seen_at, received_at, provenance, raw, differing_body
            FROM public.sightings;
        INSERT INTO api_keys SELECT id, name, role, key_hash, created_at FROM public.api_keys;
        INSERT INTO readings SELECT post_id, 1, channel_id, kind, CASE kind
            WHEN 'update' THEN jsonb_build_object('kind', 'update', 'update', reading::jsonb -> 'updates' -> 0)
            ELSE reading::jsonb - 'reader_version' - 'evidence' END::text, read_at, superseded_at
            FROM public.readings;
        INSERT INTO signals SELECT id, channel_id, external_id, ordinal, post_id, revision, author_id, base, quote, side,
            posted_at, status, disputed, record FROM public.signals;
        INSERT INTO updates SELECT id, signal_id, channel_id, external_id, post_id, occurred_at, record
            FROM public.updates;
        INSERT INTO events SELECT * FROM public.events;
        UPDATE log_head SET seq = (SELECT seq FROM public.log_head);";
    let options: PgConnectOptions = server.scratch.url().parse().unwrap();
    let pool = PgPoolOptions::new().connect_with(options.options([("search_path", "old")])).await.unwrap();
    for script in ["CREATE SCHEMA old", first, copy, second, rest] {
        sqlx::raw_sql(script).execute(&pool).await.unwrap();
    }
    pool
}

#[tokio::test]
async fn a_database_of_the_first_form_is_migrated_and_read_again_without_telling_anything_twice() {
    let server = TestServer::start().await;
    let api = server.client(Role::Contributor).await;
    post(&api, [("BTC", 1), ("ETH", 2)].map(|(base, id)| sighting(id, &signal_text(base)))).await;
    post(&api, [reply(3, 1, "TP1 hit, move SL to entry"), reply(4, 2, "closed, enough for today")]).await;
    post(&api, [sighting(5, "good morning"), deleted(&sighting(6, ""), 1)]).await;
    let pool = migrated_from_the_first_form(&server).await;
    let report = again(&pool, true).await;
    assert_eq!((report.readings(), report.events()), (5, 0), "{report}");
    let counting =
        "SELECT count(*) FROM readings WHERE superseded_at IS NULL AND read_no = 1 AND reader_version = $1";
    let renewed: i64 = sqlx::query_scalar(counting)
        .bind(i32::try_from(READER_VERSION).unwrap())
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(renewed, 5);
    let same: bool = sqlx::query_scalar(
        "SELECT bool_and(o.record = p.record AND o.status = p.status AND (o.status_at = p.status_at) IS NOT FALSE)
        FROM signals o JOIN public.signals p USING (id)",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert!(same, "signals stand as they stood");
    let second = again(&pool, true).await;
    assert_eq!((second.readings(), second.events()), (0, 0), "{second}");
    let own_accounts: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM api_keys k JOIN accounts a ON a.id = k.account_id AND a.id = k.id
        WHERE a.role = 'contributor' AND a.status = 'active' AND k.scopes = '{feed:read,messages:write}'",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(own_accounts, 1, "a key from before there were accounts has become one");
    pool.close().await;
}
