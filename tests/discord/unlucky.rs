//! What an unlucky user runs into, and what somebody who reads the code for its weak spots would try.

use std::time::Duration;

use serde_json::{Value, json};
use shared::wire::Missed;
use support::discord::{CALLS, Cut, FORUM, GUILD, NEWS, TOKEN};
use support::eventually;
use support::program::run;
use support::relay::{Listening, Relay, texts};
use time::format_description::well_known::Rfc3339;

/// A contributor that looks at everything again each second.
async fn looks_often(relay: &Relay) -> Listening {
    let mut run = relay.contributor("contributor");
    run.arg("run").env("CONTRIBUTOR__DISCORD__CHECK_EVERY_S", "1");
    let mut contributor = Listening::start(&mut run);
    contributor.said("listening").await;
    contributor
}

/// Ends the session for good while these things happen, and waits until a new one has begun.
async fn away(relay: &Relay, contributor: &mut Listening, happens: impl FnOnce()) {
    contributor.hush();
    relay.discord.with(|world| world.is_gateway_down = true);
    relay.discord.cut(Cut::Tcp);
    relay.discord.with(|world| world.forget_sessions());
    happens();
    relay.discord.with(|world| world.is_gateway_down = false);
    contributor.said("listening").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_that_was_asked_for_leaves_no_hole_before_it() {
    let relay = Relay::start().await;
    let mut first = relay.listen().await;
    relay.discord.post(CALLS, "heard");
    relay.until_kept(1).await;
    assert_eq!(first.stop().await, Some(0));
    relay.discord.with(|world| world.forget_sessions());
    relay.discord.post(CALLS, "missed, and older than what is asked for");
    let since = relay.discord.with(|world| world.new_id());
    let since = time::OffsetDateTime::from_unix_timestamp_nanos(
        (i128::from(since >> 22) + 1 + 1_420_070_400_000) * 1_000_000,
    );
    eventually("the clock has moved on", async || {
        launch::clock::now() > since.unwrap() + Duration::from_millis(1)
    })
    .await;
    relay.discord.post(CALLS, "missed, and asked for");
    let mut backfill = relay.contributor("contributor");
    let since = since.unwrap().format(&Rfc3339).unwrap();
    let done = run(backfill.args(["backfill", "--channel", &CALLS.to_string(), "--since", &since])).await;
    assert_eq!(done.code, Some(0), "{}", done.err);
    assert_eq!(texts(&relay.until_kept(2).await)[1], "missed, and asked for");
    let _second = relay.listen().await;
    assert_eq!(texts(&relay.until_kept(3).await)[2], "missed, and older than what is asked for");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_message_without_a_readable_id_hides_no_page_of_the_others() {
    let relay = Relay::start().await;
    let mut contributor = relay.listen().await;
    let discord = &relay.discord;
    away(&relay, &mut contributor, || {
        let ids: Vec<u64> = (0..250).map(|number| discord.post(CALLS, &format!("missed {number}"))).collect();
        discord.with(|world| {
            let place = world.channels.get_mut(&CALLS).unwrap();
            place.messages.get_mut(&ids[200]).unwrap()["id"] = json!("odd");
        });
    })
    .await;
    relay.until_kept(249).await;
    let shown = run(relay.contributor("contributor").args(["status", "--json"])).await;
    let status: Value = serde_json::from_str(&shown.out).expect("a status");
    assert_eq!(status["refused"], 1, "{status:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_discords_own_word_makes_a_tombstone() {
    let relay = Relay::start().await;
    let mut contributor = relay.listen().await;
    let discord = &relay.discord;
    let [hidden, gone] = ["hidden", "gone"].map(|text| discord.post(CALLS, text));
    discord.post(CALLS, "stays");
    relay.until_kept(3).await;
    away(&relay, &mut contributor, || {
        discord.delete(CALLS, &[hidden, gone]);
        let strange = json!({ "code": 0, "message": "404: Not Found" });
        discord.with(|world| world.answers.push_back((format!("messages/{hidden}"), 404, strange)));
    })
    .await;
    let kept = relay.until_kept(4).await;
    assert_eq!((texts(&kept)[3], kept[3].post.external_id.clone()), ("-", gone.to_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_was_cleared_is_no_channel_without_a_history() {
    let relay = Relay::start().await;
    let mut contributor = relay.listen().await;
    let discord = &relay.discord;
    let both = ["one", "two"].map(|text| discord.post(CALLS, text));
    relay.until_kept(2).await;
    away(&relay, &mut contributor, || discord.delete(CALLS, &both)).await;
    assert_eq!(texts(&relay.until_kept(4).await), ["one", "two", "-", "-"]);
    eventually("the gap is told", async || relay.channel(CALLS).await.gaps.count == 1).await;
    assert_eq!(relay.channel(CALLS).await.gaps.latest.unwrap().missed, Missed::EditsAndDeletes);
    assert!(!contributor.log().contains("lacks Read Message History"), "{}", contributor.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_history_alone_withdraws_nothing() {
    let relay = Relay::start().await;
    let mut contributor = relay.listen().await;
    let discord = &relay.discord;
    for text in ["one", "two"] {
        discord.post(CALLS, text);
    }
    relay.until_kept(2).await;
    // The permission is gone; then, the channel is another one of the same id: it never had a message.
    for (change, number) in [(true, 1), (false, 2)] {
        away(&relay, &mut contributor, || {
            discord.with(|world| {
                let place = world.channels.get_mut(&CALLS).unwrap();
                place.has_no_history = change;
                if !change {
                    (place.messages, place.last_message) = (Default::default(), None);
                }
            });
        })
        .await;
        assert_eq!(relay.count().await, 2, "{}", contributor.log());
        eventually("the gap is told", async || relay.channel(CALLS).await.gaps.count >= number).await;
        assert_eq!(relay.channel(CALLS).await.gaps.latest.unwrap().missed, Missed::Everything);
    }
    assert_eq!(contributor.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_that_was_archived_meanwhile_is_read_although_the_first_listing_fails() {
    let relay = Relay::start().await;
    let mut contributor = looks_often(&relay).await;
    let discord = &relay.discord;
    away(&relay, &mut contributor, || {
        let thread = discord.open_thread(FORUM, "short-lived");
        discord.post(thread, "said and archived");
        discord.with(|world| {
            world.channels.get_mut(&thread).unwrap().archived_at = Some(launch::clock::now());
            // As often as one request is tried.
            (0..4)
                .for_each(|_| world.answers.push_back((format!("{FORUM}/threads/archived"), 502, json!({}))));
        });
    })
    .await;
    assert_eq!(texts(&relay.until_kept(1).await), ["said and archived"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_server_is_away_its_channels_have_a_gap_and_are_read_back_when_it_returns() {
    let relay = Relay::start().await;
    let mut contributor = relay.listen().await;
    let discord = &relay.discord;
    let message = discord.post(CALLS, "before");
    relay.until_kept(1).await;
    let before = launch::clock::now();
    discord.with(|world| world.leave_guild());
    contributor.said("is away").await;
    discord.post_silently(CALLS, "meanwhile");
    discord.with(|world| {
        let place = world.channels.get_mut(&CALLS).unwrap();
        place.messages.get_mut(&message).unwrap()["content"] = json!("before, edited");
        let at = launch::clock::now().format(&Rfc3339).unwrap();
        place.messages.get_mut(&message).unwrap()["edited_timestamp"] = json!(at);
    });
    discord.with(|world| world.enter_guild());
    assert_eq!(texts(&relay.until_kept(3).await), ["before", "before, edited", "meanwhile"]);
    eventually("the gaps are told", async || relay.channel(NEWS).await.gaps.count == 1).await;
    let gap = relay.channel(CALLS).await.gaps.latest.unwrap();
    assert!(gap.from >= before && gap.from < gap.to, "{gap:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_posted_while_the_very_first_start_waits_for_the_server_is_read_back() {
    let relay = Relay::start().await;
    let discord = &relay.discord;
    discord.post(CALLS, "history");
    relay.server.scratch.shut(true).await;
    let mut first = relay.run();
    first.said("nothing can be heard before the server has said").await;
    discord.post(CALLS, "meanwhile");
    first.kill().await;
    let mut again = relay.run();
    again.said("nothing can be heard before the server has said").await;
    discord.post(CALLS, "after a restart");
    relay.server.scratch.shut(false).await;
    assert_eq!(texts(&relay.until_kept(2).await), ["meanwhile", "after a restart"], "{}", again.log());
    eventually("the gap is told", async || relay.channel(CALLS).await.gaps.count == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_of_a_channel_that_was_closed_counts_at_once() {
    let relay = Relay::start().await;
    relay.discord.with(|world| world.channels.get_mut(&NEWS).unwrap().is_closed = true);
    let mut contributor = relay.listen().await;
    relay.discord.with(|world| world.channels.get_mut(&NEWS).unwrap().is_closed = false);
    relay.discord.post(NEWS, "open again");
    relay.until_kept(1).await;
    contributor.said("the channel can be heard again").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_heartbeat_before_the_session_begins_shortens_no_gap() {
    let relay = Relay::start().await;
    relay.discord.with(|world| world.heartbeat_ms = 50);
    let mut first = relay.listen().await;
    relay.discord.post(CALLS, "heard");
    relay.until_kept(1).await;
    assert_eq!(first.stop().await, Some(0));
    let stopped = launch::clock::now();
    relay.discord.with(|world| {
        world.forget_sessions();
        world.refuses_resume = true;
        world.ready_after_beats = 3;
    });
    let _second = relay.listen().await;
    eventually("the gap is told", async || relay.channel(CALLS).await.gaps.count == 1).await;
    let gap = relay.channel(CALLS).await.gaps.latest.unwrap();
    assert!(gap.from <= stopped, "the gap begins at {} and not before {stopped}", gap.from);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_without_end_neither_crashes_nor_deafens() {
    let relay = Relay::start().await;
    let mut contributor = looks_often(&relay).await;
    let endless = json!({ "message": "limited", "retry_after": 1e18, "global": true });
    relay.discord.with(|world| world.answers.push_back(("channels".into(), 429, endless)));
    contributor.said("Discord's rate limit").await;
    let before = relay.discord.asked("");
    for number in 0..20 {
        relay.discord.post(CALLS, &format!("heard {number}"));
    }
    relay.until_kept(20).await;
    contributor.said("trying again at the next look").await;
    contributor.said("trying again at the next look").await;
    assert_eq!(relay.discord.asked(""), before, "nothing is asked before its time");
    assert_eq!(contributor.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_in_2500_servers_asks_nothing_about_those_that_nobody_wants() {
    let relay = Relay::start().await;
    let contributor = relay.listen().await;
    let before = relay.discord.asked("/channels/");
    let early = contributor.resident_kib();
    relay.discord.with(|world| {
        world.log_limit = Some(1_000);
        for guild in 1..=2_500_u64 {
            let id = GUILD + guild * 1_000;
            let channels: Vec<Value> = (1..=40)
                .map(|channel| json!({ "id": (id + channel).to_string(), "type": 0, "name": "chatter" }))
                .collect();
            world.tell("GUILD_CREATE", json!({ "id": id.to_string(), "channels": channels, "threads": [] }));
            let said = json!({ "id": world.new_id().to_string(), "channel_id": (id + 999).to_string(),
                "guild_id": id.to_string(), "content": "chatter", "author": { "id": "9" } });
            world.tell("MESSAGE_CREATE", said);
        }
    });
    relay.discord.post(CALLS, "for you");
    assert_eq!(texts(&relay.until_kept(1).await), ["for you"]);
    assert_eq!(relay.discord.asked("/channels/"), before);
    let grown = contributor.resident_kib().saturating_sub(early);
    assert!(grown < 40 * 1024, "{grown} KiB more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_ends_the_program_with_what_to_do_and_loses_nothing() {
    let relay = Relay::start().await;
    let mut first = relay.listen().await;
    assert_eq!(first.stop().await, Some(0));
    let contributor = support::program::path("contributor");
    let folder = relay.folder.path().join("contributor");
    let mut limited = relay.contributor("contributor");
    let mut limited = support::program::same_settings(&mut limited, "sh");
    // No file may grow by more than 128 KiB (the unit is 512 bytes); that is told as an error, and not by a signal.
    let sizes = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().metadata().unwrap().len());
    let limit = sizes.max().unwrap() / 512 + 256;
    let line = format!(
        "trap '' XFSZ; ulimit -f {limit}; exec {} --data-dir {} run",
        contributor.display(),
        folder.display()
    );
    let mut cramped = Listening::start(limited.arg("-c").arg(line));
    cramped.said("listening").await;
    let text = "a long post ".repeat(300);
    for number in 0..300 {
        relay.discord.post(CALLS, &format!("{number} {text}"));
    }
    assert_eq!(cramped.ended().await, Some(1), "{}", cramped.log());
    assert!(cramped.log().contains("make room on the disk"), "{}", cramped.log());
    let _roomy = relay.listen().await;
    relay.until_kept(300).await;
    assert_eq!(
        relay.discord.with(|world| world.identified),
        1,
        "the session was kept, so nothing was missed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn drops_and_waiting_take_no_processor() {
    let relay = Relay::start().await;
    let contributor = relay.listen().await;
    let before = contributor.cpu();
    for (cut, number) in [(Cut::NoCode, 1), (Cut::Code(4003), 2), (Cut::Code(4000), 3), (Cut::Reconnect, 4)] {
        relay.discord.cut(cut);
        eventually("it is connected again", async || relay.discord.with(|world| world.resumed) >= number)
            .await;
    }
    relay.discord.with(|world| world.is_gateway_down = true);
    relay.discord.cut(Cut::Tcp);
    let tries = relay.discord.asked("gateway");
    eventually("it has tried for a while", async || relay.discord.asked("gateway") >= tries + 4).await;
    let used = contributor.cpu().saturating_sub(before);
    assert!(used < Duration::from_millis(700), "{used:?} of processor time for a few seconds of waiting");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_says_our_token_does_not_get_it_into_the_log() {
    let relay = Relay::start().await;
    let mut contributor = relay.listen().await;
    relay.discord.send_raw(&format!("{{\"op\":0,\"token\":\"{TOKEN}\""));
    contributor.said("could not be decoded").await;
    assert_eq!(contributor.stop().await, Some(0));
    assert!(!contributor.log().contains(TOKEN), "{}", contributor.log());
}
