//! The log and the feed: no hole, no skip, no doubling, whatever writers and subscribers do.

use server::auth::Role;
use server::store::log::{self, Filter, NewEvent};
use shared::wire::{Event, close_code};
use sqlx::PgPool;
use support::eventually;
use support::feed::{Seen, Subscription};
use support::postgres::Scratch;
use support::posts::{START, batch, sighting, signal_text};
use support::server::{Api, TestServer};
use uuid::Uuid;

/// A small generator, so that a failing run can be repeated.
struct Dice(u64);

impl Dice {
    /// A number below `sides`.
    fn roll(&mut self, sides: u64) -> u64 {
        // Knuth's MMIX constants for a linear congruential generator; the high bits are the good ones.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

async fn channel(pool: &PgPool) -> Uuid {
    let insert = "INSERT INTO channels (id, source, external_id, name, status, created_at)
        VALUES ($1, 'discord', '500', 'vip-calls', 'approved', $2) RETURNING id";
    sqlx::query_scalar(insert).bind(Uuid::from_u128(1)).bind(START).fetch_one(pool).await.unwrap()
}

fn lines(channel_id: Uuid, count: u64) -> Vec<NewEvent> {
    let occurred_at = "2026-06-01T08:00:00Z";
    let payload = format!(
        r#"{{"kind":"signal_disputed","signal_id":"{}","occurred_at":"{occurred_at}"}}"#,
        Uuid::nil()
    );
    let line = |_| NewEvent {
        kind: "signal_disputed",
        channel_id,
        base: Some("BTC".into()),
        payload: payload.clone(),
    };
    (0..count).map(line).collect()
}

async fn append(pool: &PgPool, channel_id: Uuid, count: u64) {
    let mut transaction = pool.begin().await.unwrap();
    log::append(&mut transaction, START, &lines(channel_id, count)).await.unwrap();
    transaction.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_1_the_log_is_gapless_under_8_writers_with_rollbacks() {
    let server = TestServer::start().await;
    let channel = channel(&server.pool).await;
    let api = server.client(Role::Member).await;
    let mut follower = Subscription::open(&api, 0, "").await.unwrap();
    let mut writers = Vec::new();
    for seed in 0..8 {
        let pool = server.pool.clone();
        writers.push(tokio::spawn(async move {
            let mut dice = Dice(seed);
            let mut committed = 0;
            for _ in 0..60 {
                let mut transaction = pool.begin().await.unwrap();
                let count = 1 + dice.roll(4);
                log::append(&mut transaction, START, &lines(channel, count)).await.unwrap();
                // Holding the head row a little longer invites the others to overtake.
                sqlx::query("SELECT pg_sleep(0.0005)").execute(&mut *transaction).await.unwrap();
                if dice.roll(4) == 0 {
                    transaction.rollback().await.unwrap();
                } else {
                    transaction.commit().await.unwrap();
                    committed += count;
                }
            }
            committed
        }));
    }
    let mut committed = 0;
    for writer in writers {
        committed += writer.await.unwrap();
    }
    let seen = follower.events(usize::try_from(committed).unwrap()).await;
    assert_eq!(
        seen,
        (1..=i64::try_from(committed).unwrap()).collect::<Vec<_>>(),
        "a tailing reader sees every line, in order"
    );
    assert_eq!(log::head(&server.pool).await.unwrap(), i64::try_from(committed).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_4_a_subscriber_that_reconnects_100_times_sees_every_event_once_and_in_order() {
    let server = TestServer::start().await;
    let channel = channel(&server.pool).await;
    let api = server.client(Role::Member).await;
    let pool = server.pool.clone();
    let total = 3000;
    let writer = tokio::spawn(async move {
        let mut dice = Dice(1);
        let mut left = total;
        while left > 0 {
            let count = left.min(1 + dice.roll(20));
            append(&pool, channel, count).await;
            left -= count;
        }
    });
    let mut dice = Dice(2);
    let mut seen = Vec::new();
    for _ in 0..100 {
        let mut subscription = Subscription::open(&api, seen.last().copied().unwrap_or(0), "").await.unwrap();
        let left = usize::try_from(total).unwrap() - seen.len();
        let take = usize::try_from(dice.roll(40)).unwrap().min(left);
        seen.extend(subscription.events(take).await);
    }
    let mut last = Subscription::open(&api, seen.last().copied().unwrap_or(0), "").await.unwrap();
    let left = usize::try_from(total).unwrap() - seen.len();
    seen.extend(last.events(left).await);
    writer.await.unwrap();
    assert_eq!(seen, (1..=i64::try_from(total).unwrap()).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_from_0_replays_10_000_events_then_is_told_that_it_has_caught_up() {
    let scratch = Scratch::new().await;
    let pool = scratch.pool().await;
    let channel = channel(&pool).await;
    for _ in 0..10 {
        append(&pool, channel, 1000).await;
    }
    pool.close().await;
    let server = TestServer::on(scratch).await;
    let api = server.client(Role::Member).await;
    let mut subscription = Subscription::open(&api, 0, "").await.unwrap();
    assert_eq!(subscription.events(10_000).await, (1..=10_000).collect::<Vec<_>>());
    assert_eq!(subscription.next().await, Seen::CaughtUp(10_000));
    append(&server.pool, channel, 1).await;
    assert!(matches!(subscription.next().await, Seen::Event(10_001, _)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filtered_subscriber_sees_only_its_events_and_can_still_prove_that_none_is_missing() {
    let server = TestServer::start().await;
    let contributor = server.client(Role::Contributor).await;
    let bases = ["BTC", "ETH", "SOL", "ETH", "BTC", "ETH"];
    let sent = (1..).zip(bases).map(|(id, base)| sighting(id, &signal_text(base)));
    contributor.post(&batch(sent)).await;
    let api = server.client(Role::Member).await;
    for after in [0, 1, 3] {
        let mut subscription = Subscription::open(&api, after, "&symbol=eth").await.unwrap();
        // The first line tells that the channel was approved.
        let expected: Vec<i64> = [3, 5, 7].into_iter().filter(|seq| *seq > after).collect();
        assert_eq!(subscription.events(expected.len()).await, expected);
        assert_eq!(subscription.next().await, Seen::CaughtUp(7));
    }
    let mut other = Subscription::open(&api, 0, "&symbol=DOGE").await.unwrap();
    assert_eq!(other.next().await, Seen::CaughtUp(7));
    let unknown = format!("&channel={}", Uuid::nil());
    assert_eq!(Subscription::open(&api, 0, &unknown).await.err(), Some(404));
    assert_eq!(Subscription::open(&api, 0, "&symbol=%00").await.err(), Some(422));
    assert_eq!(Subscription::open(&api, 0, "&token=x").await.err(), Some(422));
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_4_a_filtered_replay_of_many_pages_skips_nothing() {
    let scratch = Scratch::new().await;
    let pool = scratch.pool().await;
    let channel = channel(&pool).await;
    for round in 0..3000u64 {
        // Now and then another ticker stands between, so that pages of the filtered log end in odd places.
        let mut events = lines(channel, 4);
        events[usize::try_from(round % 4).unwrap()].base = Some("ETH".into());
        let mut transaction = pool.begin().await.unwrap();
        log::append(&mut transaction, START, &events).await.unwrap();
        transaction.commit().await.unwrap();
    }
    let expected: Vec<i64> = (0..3000).map(|round| round * 4 + round % 4 + 1).collect();
    pool.close().await;
    let server = TestServer::on(scratch).await;
    let api = server.client(Role::Member).await;
    let mut subscription = Subscription::open(&api, 0, "&symbol=ETH").await.unwrap();
    assert_eq!(subscription.events(3000).await, expected);
    assert_eq!(subscription.next().await, Seen::CaughtUp(12_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn heartbeats_come_without_events_and_a_subscriber_that_never_reads_is_cut_off() {
    let scratch = Scratch::new().await;
    let pool = scratch.pool().await;
    let channel = channel(&pool).await;
    for _ in 0..60 {
        append(&pool, channel, 1000).await;
    }
    pool.close().await;
    let server = TestServer::on(scratch).await;
    let api = server.client(Role::Member).await;
    let mut idle = Subscription::open(&api, 60_000, "").await.unwrap();
    let mut deaf = Subscription::open(&api, 0, "").await.unwrap();
    // The idle one is sent a heartbeat after 10 s: by then the deaf one has filled its buffers and its time is up, too.
    assert_eq!(idle.heartbeat().await, 60_000);
    assert_eq!(idle.heartbeat().await, 60_000);
    let mut received = 0;
    let code = loop {
        match deaf.next().await {
            Seen::Event(..) => received += 1,
            Seen::CaughtUp(_) => panic!("it was served to the end although it did not read"),
            Seen::Closed(code) => break code,
        }
    };
    assert!([close_code::TOO_SLOW, 1006].contains(&code), "{code}");
    assert!(received < 60_000, "memory for a subscriber is bounded");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_another_database_and_a_wrong_key_are_refused_before_the_socket_opens() {
    let server = TestServer::start().await;
    let api = server.client(Role::Member).await;
    assert_eq!(Subscription::open(&api, 1, "").await.err(), Some(409));
    assert_eq!(Subscription::open(&api, -1, "").await.err(), Some(422));
    let stranger = Api::new(&api.url, "cb_nonsense");
    assert_eq!(Subscription::open(&stranger, 0, "").await.err(), Some(401));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledged_signal_is_on_the_feed_with_all_its_times() {
    let server = TestServer::start().await;
    let contributor = server.client(Role::Contributor).await;
    let api = server.client(Role::Member).await;
    let mut subscription = Subscription::open(&api, 1, "").await.unwrap();
    assert_eq!(subscription.next().await, Seen::CaughtUp(1));
    let sent = sighting(1, &signal_text("BTC"));
    contributor.post(&batch([sent.clone()])).await;
    let Seen::Event(2, event) = subscription.next().await else { panic!("no event") };
    let Event::SignalPosted { signal } = *event else { panic!("{event:?}") };
    assert_eq!(
        (signal.posted_at, signal.occurred_at, signal.seen_at),
        (sent.post.posted_at, sent.post.posted_at, sent.seen_at)
    );
    assert!(signal.received_at > signal.seen_at);
    assert_eq!((signal.channel.as_str(), signal.external_id.as_str()), ("vip-calls", "1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_server_closes_its_subscribers_with_1012_and_the_next_one_goes_on() {
    let server = TestServer::start().await;
    let channel = channel(&server.pool).await;
    append(&server.pool, channel, 5).await;
    let api = server.client(Role::Member).await;
    let mut subscription = Subscription::open(&api, 0, "").await.unwrap();
    assert_eq!(subscription.events(3).await, [1, 2, 3]);
    let scratch = server.stop().await;
    let mut last = subscription.next().await;
    while !matches!(last, Seen::Closed(_)) {
        last = subscription.next().await;
    }
    assert_eq!(last, Seen::Closed(close_code::RESTART));
    let server = TestServer::on(scratch).await;
    let api = Api::new(&server.url, &api.key);
    let mut resumed = Subscription::open(&api, 3, "").await.unwrap();
    assert_eq!(resumed.events(2).await, [4, 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_that_talks_too_much_is_closed_and_the_others_are_not_disturbed() {
    let server = TestServer::start().await;
    let channel = channel(&server.pool).await;
    let api = server.client(Role::Member).await;
    let mut quiet = Subscription::open(&api, 0, "").await.unwrap();
    let mut loud = Subscription::open(&api, 0, "").await.unwrap();
    for _ in 0..60 {
        if !loud.say("hello?").await {
            break;
        }
    }
    let mut last = loud.next().await;
    while !matches!(last, Seen::Closed(_)) {
        last = loud.next().await;
    }
    assert_eq!(last, Seen::Closed(close_code::FLOOD));
    append(&server.pool, channel, 2).await;
    assert_eq!(quiet.events(2).await, [1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_too_large_ends_its_own_subscription_and_no_other() {
    let server = TestServer::start().await;
    let channel = channel(&server.pool).await;
    let api = server.client(Role::Member).await;
    let mut quiet = Subscription::open(&api, 0, "").await.unwrap();
    for bytes in [64 * 1024 + 1, 16 * 1024 * 1024] {
        let mut large = Subscription::open(&api, 0, "").await.unwrap();
        // The server may hang up before it has heard all of it.
        let _heard = large.say(&"a".repeat(bytes)).await;
        let mut last = large.next().await;
        while !matches!(last, Seen::Closed(_)) {
            last = large.next().await;
        }
    }
    append(&server.pool, channel, 1).await;
    assert_eq!(quiet.events(1).await, [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_writes_is_found_without_a_wake() {
    let server = TestServer::start().await;
    let channel = channel(&server.pool).await;
    let api = server.client(Role::Member).await;
    let mut subscription = Subscription::open(&api, 0, "").await.unwrap();
    append(&server.pool, channel, 1).await;
    assert_eq!(subscription.events(1).await, [1]);
    eventually("the lists show it too", async || {
        log::after(&server.pool, 0, &Filter::default(), 10).await.is_ok_and(|lines| lines.len() == 1)
    })
    .await;
}
