//! What goes wrong is told, with what to click; and what ends the program ends it soon.

use std::time::{Duration, Instant};

use serde_json::json;
use shared::wire::Missed;
use support::discord::{CALLS, Cut, LOUNGE, NEWS};
use support::eventually;
use support::program::{command, run};
use support::relay::{Listening, Relay, texts};

/// Asserts that `contributor run` ends with exit code 78 and these words.
async fn ends_with(listening: &mut Listening, words: &str) {
    let code = listening.ended().await;
    let log = listening.log();
    assert!(code == Some(78) && log.contains(words), "code {code:?}, wanted `{words}`:\n{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_no_bots_is_refused_before_anything_else() {
    let relay = Relay::start().await;
    let mut wrong = relay.contributor("contributor");
    wrong.arg("run").env("CONTRIBUTOR__DISCORD__TOKEN", "a.persons.token");
    ends_with(&mut Listening::start(&mut wrong), "Discord refuses the token (401)").await;
    assert_eq!(relay.discord.with(|world| world.requests.clone()), ["/api/v10/users/@me"]);
    relay.discord.with(|world| world.is_bot = false);
    ends_with(&mut relay.run(), "this token is not a bot's").await;
    let mut mfa = relay.contributor("contributor");
    mfa.arg("run").env("CONTRIBUTOR__DISCORD__TOKEN", "mfa.abc");
    let before = relay.discord.asked("");
    ends_with(&mut Listening::start(&mut mfa), "Make a bot in the Developer Portal").await;
    assert_eq!(relay.discord.asked(""), before, "it is not even sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_intent_is_told_at_the_start_and_when_it_is_switched_off() {
    let relay = Relay::start().await;
    relay.discord.with(|world| world.has_content_intent = false);
    ends_with(&mut relay.run(), "switch on `Message Content Intent`").await;
    relay.discord.with(|world| world.has_content_intent = true);
    let mut contributor = relay.listen().await;
    relay.discord.with(|world| world.has_content_intent = false);
    relay.discord.post_as(CALLS, json!({ "content": "" }));
    ends_with(&mut contributor, "every post would arrive empty").await;
    assert_eq!(relay.count().await, 0, "an empty text is not taken for the author's");
    relay.discord.with(|world| world.has_content_intent = true);
    let _contributor = relay.listen().await;
    assert_eq!(texts(&relay.until_kept(1).await), [""], "with the intent on, it was said so");
}

#[tokio::test(flavor = "multi_thread")]
async fn close_codes_after_which_nobody_may_come_back_end_the_program_soon() {
    let relay = Relay::start().await;
    for (code, words) in [
        (4004, "Reset Token"),
        (4010, "split into shards"),
        (4011, "split into shards"),
        (4012, "a newer version"),
        (4013, "a newer version"),
        (4014, "Message Content Intent"),
    ] {
        let mut contributor = relay.listen().await;
        let began = Instant::now();
        relay.discord.cut(Cut::Code(code));
        ends_with(&mut contributor, words).await;
        assert!(began.elapsed() < Duration::from_secs(2), "{code} took {:?}", began.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drop_without_a_code_and_one_with_4003_are_over_soon() {
    let relay = Relay::start().await;
    let _contributor = relay.listen().await;
    for (cut, number) in [(Cut::NoCode, 1), (Cut::Code(4003), 2)] {
        let began = Instant::now();
        relay.discord.cut(cut);
        eventually("it is connected again", async || relay.discord.with(|world| world.resumed) >= number)
            .await;
        assert!(began.elapsed() < Duration::from_secs(2), "{cut:?} took {:?}", began.elapsed());
    }
    assert_eq!(relay.discord.with(|world| world.identified), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_break_at_once_are_not_tried_in_a_busy_loop() {
    let relay = Relay::start().await;
    let _contributor = relay.listen().await;
    let before = relay.discord.asked("gateway");
    let began = Instant::now();
    for number in 1..=4 {
        relay.discord.cut(Cut::NoCode);
        eventually("it is connected again", async || relay.discord.with(|world| world.resumed) >= number)
            .await;
    }
    // Pauses of 0.1 to 0.2 s, then twice as long each time.
    assert!(began.elapsed() > Duration::from_millis(1_400), "{:?}", began.elapsed());
    assert!(relay.discord.asked("gateway") <= before + 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_channel_stops_alone_and_is_heard_again_when_it_is_open() {
    let relay = Relay::start().await;
    relay.discord.with(|world| world.channels.get_mut(&NEWS).unwrap().is_closed = true);
    let mut run = relay.contributor("contributor");
    run.arg("run").env("CONTRIBUTOR__DISCORD__CHECK_EVERY_S", "1");
    let mut contributor = Listening::start(&mut run);
    contributor.said("allow View Channel and Read Message History").await;
    contributor.said("listening").await;
    relay.discord.post(CALLS, "the others go on");
    relay.until_kept(1).await;
    relay.discord.with(|world| world.channels.get_mut(&NEWS).unwrap().is_closed = false);
    contributor.said("the channel can be heard again").await;
    relay.discord.post(NEWS, "here we are");
    assert_eq!(texts(&relay.until_kept(2).await), ["the others go on", "here we are"]);
    eventually("the gap is told", async || relay.channel(NEWS).await.gaps.count == 1).await;
    assert_eq!(relay.channel(CALLS).await.gaps.count, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_that_may_not_be_read_is_told_and_its_gap_is_everything() {
    let relay = Relay::start().await;
    relay.discord.post(CALLS, "old");
    relay.discord.with(|world| world.channels.get_mut(&CALLS).unwrap().has_no_history = true);
    let mut contributor = relay.run();
    contributor.said("the bot lacks Read Message History").await;
    contributor.said("listening").await;
    relay.discord.post(CALLS, "heard live");
    relay.until_kept(1).await;
    relay.discord.cut(Cut::Invalid);
    contributor.said("listening").await;
    eventually("the gaps are told", async || relay.channel(CALLS).await.gaps.count == 2).await;
    let told = relay.channel(CALLS).await.gaps.latest.unwrap().missed;
    assert!(matches!(told, Missed::Everything | Missed::EditsAndDeletes));
    assert_eq!(relay.channel(NEWS).await.gaps.count, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn rate_limits_and_failures_of_rest_are_waited_for() {
    let relay = Relay::start().await;
    let mut first = relay.listen().await;
    assert_eq!(first.stop().await, Some(0));
    for number in 0..450 {
        relay.discord.post(CALLS, &format!("missed {number}"));
    }
    relay.discord.with(|world| {
        world.forget_sessions();
        world.refuses_resume = true;
        world.bucket = (2, Duration::from_millis(300));
        let limited = json!({ "message": "limited", "retry_after": 0.2, "global": true });
        world.answers.push_back(("messages".into(), 429, limited));
        world.answers.push_back(("messages".into(), 502, json!({})));
    });
    let _contributor = relay.listen().await;
    let kept = relay.until_kept(450).await;
    assert_eq!(texts(&kept)[449], "missed 449");
    assert_eq!(
        relay.discord.with(|world| world.limited),
        0,
        "the headers are heeded, so no limit is run into"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_test_no_other_machine_is_talked_to() {
    let relay = Relay::start().await;
    relay.discord.with(|world| world.resume_url = Some("wss://gateway-us-east1-b.discord.gg".into()));
    ends_with(&mut relay.run(), "a test talks to this machine only").await;
    let mut elsewhere = relay.contributor("contributor");
    elsewhere.arg("run").env("CONTRIBUTOR__DISCORD__API", "http://192.0.2.1/api/v10");
    ends_with(&mut Listening::start(&mut elsewhere), "the token would be sent there").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_host_approves_a_channel_beside_a_running_server_and_it_is_heard() {
    let relay = Relay::start().await;
    let lounge = LOUNGE.to_string();
    let mut approve = command("server");
    approve.args(["admin", "approve-channel", "--discord", &lounge, "--name", "lounge"]);
    let approved = run(approve.env("DATABASE_URL", relay.server.scratch.url())).await;
    assert_eq!(approved.code, Some(0), "{}", approved.err);
    assert!(approved.out.contains("lounge") && approved.out.contains("is approved"), "{}", approved.out);
    let mut listen = relay.contributor("contributor");
    listen.arg("run").env("CONTRIBUTOR__DISCORD__CHANNELS", format!("[\"{lounge}\"]"));
    let mut contributor = Listening::start(&mut listen);
    contributor.said("listening").await;
    relay.discord.post(CALLS, "not wanted here");
    relay.discord.post(LOUNGE, "wanted and approved");
    assert_eq!(texts(&relay.until_kept(1).await), ["wanted and approved"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_the_token_nor_the_key_is_ever_said() {
    let relay = Relay::start().await;
    let mut all = relay.contributor("contributor");
    all.arg("run").env("RUST_LOG", "trace");
    let mut contributor = Listening::start(&mut all);
    relay.discord.listened().await;
    relay.discord.post(CALLS, "hello");
    relay.until_kept(1).await;
    assert_eq!(contributor.stop().await, Some(0));
    let log = contributor.log();
    assert!(log.contains("sending identify") || log.contains("listening"), "{log}");
    for secret in [support::discord::TOKEN, "cb_"] {
        assert!(!log.contains(secret), "`{secret}` was said");
    }
}
