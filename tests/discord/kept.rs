//! Drops, outages, restarts and `kill -9`: what the server has in the end is the truth, and gaps are told where there were any.

use std::collections::BTreeSet;
use std::time::Duration;

use shared::wire::Missed;
use support::discord::{CALLS, Cut, FORUM, NEWS};
use support::eventually;
use support::relay::{Listening, Relay, texts};

/// The gaps of all three channels, counted.
async fn gaps(relay: &Relay) -> [i64; 3] {
    [
        relay.channel(CALLS).await.gaps.count,
        relay.channel(NEWS).await.gaps.count,
        relay.channel(FORUM).await.gaps.count,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn after_every_kind_of_drop_the_session_goes_on_and_nothing_is_missed() {
    let relay = Relay::start().await;
    let mut contributor = relay.listen().await;
    let discord = &relay.discord;
    let cuts = [
        Cut::Tcp,
        Cut::NoCode,
        Cut::Reconnect,
        Cut::Code(4000),
        Cut::Code(4003),
        Cut::Code(1000),
        Cut::Code(4008),
    ];
    for (cut, number) in cuts.into_iter().zip(1..) {
        discord.cut(cut);
        discord.post(CALLS, &format!("after {cut:?}"));
        relay.until_kept(number).await;
        eventually("it is connected again", async || {
            discord.with(|world| usize::try_from(world.resumed).unwrap()) >= number
        })
        .await;
    }
    assert_eq!(discord.with(|world| world.identified), 1, "{}", contributor.log());
    assert!(relay.kept().await.iter().all(|kept| kept.provenance == "live"));
    assert_eq!(contributor.stop().await, Some(0));
    assert_eq!(gaps(&relay).await, [0, 0, 0], "nothing was missed, so nothing is told");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_eight_seconds_loses_nothing() {
    let relay = Relay::start().await;
    let _contributor = relay.listen().await;
    let discord = &relay.discord;
    discord.with(|world| world.is_gateway_down = true);
    discord.cut(Cut::Tcp);
    // By the clock, because the pauses between the attempts are, too: one message each 100 ms, and the gateway is still away.
    let mut talk = tokio::time::interval(Duration::from_millis(100));
    let wanted: Vec<String> = (0..80).map(|number| format!("posted into the void {number}")).collect();
    let before = discord.asked("gateway");
    for text in &wanted {
        talk.tick().await;
        discord.post(CALLS, text);
    }
    assert!(
        discord.asked("gateway") > before + 2,
        "it has tried, and not too often: {}",
        discord.asked("gateway")
    );
    discord.with(|world| world.is_gateway_down = false);
    assert_eq!(texts(&relay.until_kept(80).await), wanted);
    assert_eq!(discord.with(|world| (world.identified, world.resumed)), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_dead_without_a_word_is_noticed() {
    let relay = Relay::start().await;
    relay.discord.with(|world| world.heartbeat_ms = 300);
    let _contributor = relay.listen().await;
    relay.discord.with(|world| world.is_silent = true);
    relay.discord.post(CALLS, "nobody hears this yet");
    eventually("it gives up waiting", async || {
        relay.discord.with(|world| world.is_silent = world.resumed == 0);
        relay.discord.with(|world| world.resumed > 0)
    })
    .await;
    assert_eq!(texts(&relay.until_kept(1).await), ["nobody hears this yet"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_session_reads_back_what_nobody_heard_and_tells_the_gap() {
    let relay = Relay::start().await;
    let mut contributor = relay.listen().await;
    let discord = &relay.discord;
    let [edited, gone, kept] =
        ["to be edited", "to be deleted", "to be kept"].map(|text| discord.post(CALLS, text));
    let thread = discord.open_thread(CALLS, "talk");
    discord.post(thread, "before");
    relay.until_kept(4).await;
    discord.with(|world| world.refuses_resume = true);
    discord.with(|world| world.is_gateway_down = true);
    discord.cut(Cut::Tcp);
    discord.edit(CALLS, edited, "edited");
    discord.delete(CALLS, &[gone]);
    for number in 0..250 {
        discord.post(CALLS, &format!("missed {number}"));
    }
    discord.post(thread, "missed in a thread");
    let archived = discord.open_thread(FORUM, "an old idea");
    discord.post(archived, "missed in an archived thread");
    discord.with(|world| {
        world.channels.get_mut(&archived).unwrap().archived_at = Some(launch::clock::now());
        world.is_gateway_down = false;
    });
    relay.until_kept(4 + 2 + 250 + 2).await;
    contributor.said("listening").await;
    discord.post(CALLS, "live again");
    let all = relay.until_kept(4 + 2 + 250 + 3).await;
    let (early, late) = all.split_at(4);
    assert!(early.iter().all(|kept| kept.provenance == "live"));
    assert!(late[..254].iter().all(|kept| kept.provenance == "backfill"), "nobody may take them for live");
    let revisions = |id: u64| all.iter().filter(|kept| kept.post.external_id == id.to_string()).count();
    assert_eq!([revisions(edited), revisions(gone), revisions(kept)], [2, 2, 1]);
    let read_back: Vec<&str> = texts(late).into_iter().filter(|text| text.starts_with("missed ")).collect();
    let wanted: Vec<String> = (0..250).map(|number| format!("missed {number}")).collect();
    assert_eq!(read_back[..250], wanted, "in the order in which they were posted");
    eventually("the gaps are told", async || gaps(&relay).await == [1, 1, 1]).await;
    let latest = relay.channel(CALLS).await.gaps.latest.unwrap();
    assert_eq!(latest.missed, Missed::EditsAndDeletes);
    assert!(latest.from < latest.to);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_goes_on_with_the_same_session() {
    let relay = Relay::start().await;
    let mut contributor = relay.listen().await;
    let discord = &relay.discord;
    discord.post(CALLS, "before");
    relay.until_kept(1).await;
    assert_eq!(contributor.stop().await, Some(0), "{}", contributor.log());
    let message = discord.post(CALLS, "meanwhile");
    discord.edit(CALLS, message, "meanwhile, edited");
    discord.delete(CALLS, &[message]);
    let again = relay.listen().await;
    let kept = relay.until_kept(4).await;
    assert_eq!(texts(&kept), ["before", "meanwhile", "meanwhile, edited", "-"], "every revision, in order");
    // A slow machine may drop the connection once more: what counts is that the session went on.
    let (identified, resumed) = discord.with(|world| (world.identified, world.resumed));
    assert!(identified == 1 && resumed >= 1, "{identified} sessions, {resumed} resumed: {}", again.log());
    assert_eq!(gaps(&relay).await, [0, 0, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_there_before_the_first_start_is_left_alone() {
    let relay = Relay::start().await;
    for number in 0..3 {
        relay.discord.post(CALLS, &format!("history {number}"));
    }
    let contributor = relay.listen().await;
    relay.discord.post(CALLS, "live");
    assert_eq!(texts(&relay.until_kept(1).await), ["live"]);
    assert_eq!(gaps(&relay).await, [0, 0, 0], "nobody listened before, so nothing was missed");
    drop(contributor);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_that_was_asked_for_reads_the_history_once() {
    let relay = Relay::start().await;
    let ids: Vec<u64> =
        (0..130).map(|number| relay.discord.post(CALLS, &format!("history {number}"))).collect();
    let backfill = async |since: &str| {
        let mut backfill = relay.contributor("contributor");
        backfill.args(["backfill", "--channel", &CALLS.to_string(), "--since", since]);
        support::program::run(&mut backfill).await
    };
    let done = backfill("2020-01-01T00:00:00Z").await;
    assert_eq!(done.code, Some(0), "{}", done.err);
    let kept = relay.until_kept(130).await;
    assert!(kept.iter().zip(&ids).all(|(kept, id)| kept.post.external_id == id.to_string()), "oldest first");
    assert!(kept.iter().all(|kept| kept.provenance == "backfill"));
    let again = backfill("2020-01-01T00:00:00Z").await;
    assert!(again.out.contains("0 sent"), "{}", again.out);
    assert_eq!(backfill("yesterday").await.code, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_the_gateway_never_told_is_found_by_the_regular_look() {
    let relay = Relay::start().await;
    let mut run = relay.contributor("contributor");
    run.arg("run").env("CONTRIBUTOR__DISCORD__CHECK_EVERY_S", "1");
    let mut contributor = Listening::start(&mut run);
    contributor.said("listening").await;
    // Posted two minutes ago, by its id: the last minute is left to the gateway.
    let old = launch::clock::now() - time::Duration::minutes(2);
    relay.discord.with(|world| world.post_at(CALLS, old, "never told"));
    assert_eq!(texts(&relay.until_kept(1).await), ["never told"]);
    contributor.said("the gateway had not told everything").await;
    assert_eq!(gaps(&relay).await, [0, 0, 0]);
}

/// Posts, and has the contributor die at a point.
async fn dies_at(relay: &Relay, point: &str, posts: &[&str]) {
    for text in posts {
        relay.discord.post(CALLS, text);
    }
    let mut run = relay.contributor("contributor");
    run.arg("run").env("CALLBOARD_CRASH_AT", point);
    let mut dying = Listening::start(&mut run);
    assert_eq!(dying.ended().await, None, "it was killed at {point}:\n{}", dying.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_3_kill_9_at_any_point_loses_nothing_and_doubles_nothing() {
    let relay = Relay::start().await;
    let mut first = relay.listen().await;
    relay.discord.post(CALLS, "first");
    relay.until_kept(1).await;
    first.kill().await;
    let mut wanted = BTreeSet::from(["first".to_owned()]);
    for point in [
        "heard_staged:1",
        "heard_staged:3",
        "batch_sending:1",
        "batch_acknowledged:1",
        "batch_forgotten:1",
        "caught_up:1",
    ] {
        let texts = [format!("{point} a"), format!("{point} b")];
        dies_at(&relay, point, &texts.each_ref().map(String::as_str)).await;
        wanted.extend(texts);
    }
    for posts in 1..5 {
        let mut live = relay.listen().await;
        let texts: Vec<String> = (0..posts * 7).map(|number| format!("live {posts} {number}")).collect();
        texts.iter().for_each(|text| {
            relay.discord.post(CALLS, text);
        });
        relay.until_some(wanted.len() + posts).await;
        live.kill().await;
        wanted.extend(texts);
    }
    // The old session is forgotten: the next one must read back.
    relay.discord.with(|world| world.refuses_resume = true);
    dies_at(&relay, "catching_up:1", &["new session a"]).await;
    dies_at(&relay, "heard_staged:2", &["new session b"]).await;
    wanted.extend(["new session a", "new session b"].map(str::to_owned));
    let _last = relay.listen().await;
    let kept = relay.until_kept(wanted.len()).await;
    let got: BTreeSet<String> = kept.iter().map(|kept| kept.post.content.clone()).collect();
    assert_eq!(got, wanted);
    eventually("the gap is told", async || relay.channel(CALLS).await.gaps.count == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_contributors_with_outages_of_their_own_have_everything_together() {
    let relay = Relay::start().await;
    let start = |name: &str| Listening::start(relay.contributor(name).arg("run"));
    let (mut ana, mut bob) = (start("ana"), start("bob"));
    ana.said("listening").await;
    bob.said("listening").await;
    let discord = &relay.discord;
    discord.post(CALLS, "both");
    let both = async |at: usize| relay.kept().await.get(at).is_some_and(|kept| kept.sightings == 2);
    eventually("both have seen it", async || both(0).await).await;
    assert_eq!(ana.stop().await, Some(0));
    let message = discord.post(CALLS, "bob alone");
    discord.edit(CALLS, message, "bob alone, edited");
    relay.until_kept(3).await;
    assert_eq!(bob.stop().await, Some(0));
    discord.with(|world| world.forget_sessions());
    let mut ana = start("ana");
    ana.said("listening").await;
    let message = discord.post(CALLS, "ana alone");
    discord.delete(CALLS, &[message]);
    relay.until_kept(5).await;
    let mut bob = start("bob");
    bob.said("listening").await;
    discord.post(CALLS, "both again");
    let wanted = ["both", "bob alone", "bob alone, edited", "ana alone", "-", "both again"];
    assert_eq!(texts(&relay.until_kept(6).await), wanted);
    eventually("both have seen it again", async || both(5).await).await;
    let sightings: Vec<i64> = relay.kept().await.iter().map(|kept| kept.sightings).collect();
    // Ana read only the edited text back; what came and went while bob was away only she has seen.
    assert_eq!(sightings, [2, 1, 2, 1, 1, 2], "{}", bob.log());
}
