//! What `check` and `status` say, and the signs of life for systemd and a monitor.

use std::time::Duration;

use serde_json::{Value, json};
use server::auth::Role;
use support::discord::{CALLS, NEWS};
use support::eventually;
use support::program::{Ended, run};
use support::relay::{Listening, Relay};
use tokio::net::UnixDatagram;

/// Runs `check`.
async fn check(relay: &Relay) -> Ended {
    run(relay.contributor("contributor").arg("check")).await
}

/// What `status --json` shows.
async fn status(relay: &Relay) -> Value {
    let shown = run(relay.contributor("contributor").args(["status", "--json"])).await;
    serde_json::from_str(&shown.out).expect("a status")
}

/// The next notice for systemd.
async fn notice(systemd: &UnixDatagram) -> String {
    let mut notice = [0; 64];
    let told = tokio::time::timeout(support::PATIENCE, systemd.recv(&mut notice)).await.unwrap().unwrap();
    String::from_utf8_lossy(&notice[..told]).into_owned()
}

/// The notices before `READY=1`.
async fn until_ready(systemd: &UnixDatagram) -> Vec<String> {
    let mut notices = Vec::new();
    loop {
        match notice(systemd).await {
            ready if ready == "READY=1" => return notices,
            other => notices.push(other),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn check_names_every_problem_at_once_and_channels_lists_what_can_be_seen() {
    let relay = Relay::start().await;
    let good = run(relay.contributor("contributor").arg("check")).await;
    assert_eq!(good.code, Some(0), "{}{}", good.out, good.err);
    assert!(
        good.out.contains("it is that of the bot relay") && !good.out.contains("PROBLEM"),
        "{}",
        good.out
    );
    relay.discord.post(CALLS, "old");
    relay.discord.with(|world| {
        world.has_content_intent = false;
        world.channels.get_mut(&CALLS).unwrap().has_no_history = true;
        world.channels.get_mut(&NEWS).unwrap().is_closed = true;
    });
    let mut check = relay.contributor("contributor");
    check.arg("check").env("CONTRIBUTOR__API_KEY", "cb_wrong");
    let bad = run(&mut check).await;
    assert_eq!(bad.code, Some(78));
    let closed = format!("channel {NEWS} is closed to the bot (403)");
    for words in ["Message Content Intent", &closed, "refuses the API key", "lacks Read Message History"] {
        assert!(bad.out.contains(words), "{words} is not in:\n{}", bad.out);
    }
    assert!(!bad.out.contains("not known on the server"), "that was not asked: {}", bad.out);
    let listed = run(relay.contributor("contributor").arg("channels")).await;
    assert!(
        listed.out.contains(&CALLS.to_string()) && listed.out.contains("vip-calls"),
        "{}{}",
        listed.out,
        listed.err
    );
    assert!(listed.out.contains("not known on the server"), "the lounge is not: {}", listed.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn status_shows_each_channel_while_another_process_listens() {
    let relay = Relay::start().await;
    relay.discord.with(|world| world.channels.get_mut(&NEWS).unwrap().is_closed = true);
    let _contributor = relay.listen().await;
    relay.discord.post(CALLS, "hello");
    relay.until_kept(1).await;
    let shown = run(relay.contributor("contributor").args(["status", "--json"])).await;
    let status: serde_json::Value = serde_json::from_str(&shown.out).expect("a status");
    let places = status["discord"]["places"].as_array().expect("places");
    let place = |id: u64| {
        let id = id.to_string();
        places.iter().find(|place| place["id"] == id).expect("the channel")
    };
    assert!(place(CALLS)["heard_at"].is_string() && place(CALLS)["trouble"].is_null(), "{status:#}");
    assert!(place(NEWS)["trouble"].as_str().is_some_and(|words| words.contains("403")), "{status:#}");
    let words = run(relay.contributor("contributor").arg("status")).await.out;
    assert!(words.contains("channel vip-calls") && words.contains("last alive"), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_may_not_contribute_is_found_by_check_and_ends_run_before_anything_is_heard() {
    let relay = Relay::start().await;
    let key = relay.server.key(Role::Member).await;
    let mut check = relay.contributor("contributor");
    let checked = run(check.arg("check").env("CONTRIBUTOR__API_KEY", &key)).await;
    assert_eq!(checked.code, Some(78), "{}", checked.out);
    assert!(checked.out.contains("PROBLEM server") && checked.out.contains("a member"), "{}", checked.out);
    let mut listen = relay.contributor("contributor");
    let mut listening = Listening::start(listen.arg("run").env("CONTRIBUTOR__API_KEY", &key));
    assert_eq!(listening.ended().await, Some(78), "{}", listening.log());
    assert_eq!(relay.discord.with(|world| world.identified), 0);
    let words = run(relay.contributor("contributor").arg("status")).await.out;
    assert!(words.contains("cannot be sent since") && words.contains("a member"), "{words}");
    let mut good = relay.listen().await;
    assert_eq!(status(&relay).await["trouble"], Value::Null, "another key may");
    assert_eq!(good.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_only_away_is_no_reason_to_change_anything() {
    let relay = Relay::start().await;
    relay.discord.with(|world| world.is_gateway_down = true);
    let deaf = check(&relay).await;
    assert_eq!(deaf.code, Some(75), "{}{}", deaf.out, deaf.err);
    assert!(deaf.out.contains("AWAY    gateway"), "{}", deaf.out);
    relay.discord.with(|world| {
        world.is_gateway_down = false;
        // As often as one request is tried.
        (0..4).for_each(|_| world.answers.push_back(("users/@me".into(), 502, json!({}))));
    });
    let away = check(&relay).await;
    assert_eq!(away.code, Some(75), "{}{}", away.out, away.err);
    assert!(away.out.contains("AWAY    token") && !away.out.contains("PROBLEM"), "{}", away.out);
    let good = check(&relay).await;
    assert!(good.out.contains("greets"), "{}", good.out);
    assert_eq!(
        (good.code, relay.discord.with(|world| world.identified)),
        (Some(0), 0),
        "no session is begun"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn status_says_whether_a_process_is_at_work_how_late_it_heard_and_why_it_does_not() {
    let relay = Relay::start().await;
    let lag = |status: &Value| {
        let (places, calls) = (status["discord"]["places"].as_array().expect("places"), CALLS.to_string());
        places.iter().find(|place| place["id"] == calls).expect("the channel")["lag_ms"].as_i64()
    };
    sqlx::query("UPDATE channels SET status = 'paused' WHERE external_id = $1")
        .bind(NEWS.to_string())
        .execute(&relay.server.pool)
        .await
        .unwrap();
    let mut contributor = relay.listen().await;
    assert_eq!(lag(&status(&relay).await), None, "nothing was heard yet");
    let slow = relay.discord.with(|world| world.hold(0));
    relay.discord.post(CALLS, "late");
    let posted = launch::clock::now();
    eventually("it is late", async || launch::clock::now() > posted + Duration::from_millis(300)).await;
    relay.discord.with(|world| world.release(&slow));
    relay.until_kept(1).await;
    let late = lag(&status(&relay).await);
    assert!(late.is_some_and(|lag| (300..60_000).contains(&lag)), "{late:?}");
    let words = run(relay.contributor("contributor").arg("status")).await.out;
    for wanted in
        ["one is at work here", "ms after it was posted", "channel news is paused on the server", "ago)"]
    {
        assert!(words.contains(wanted), "{wanted} is not in {words}");
    }
    contributor.said("relayed to the server stored=1").await;
    assert_eq!(contributor.stop().await, Some(0));
    assert_eq!(status(&relay).await["in_use"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_others_may_read_is_told() {
    use std::os::unix::fs::PermissionsExt as _;
    let relay = Relay::start().await;
    let file = relay.folder.path().join("token");
    std::fs::write(&file, support::discord::TOKEN).unwrap();
    for (mode, is_told) in [(0o644, true), (0o600, false)] {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        let mut check = relay.contributor("contributor");
        check
            .arg("check")
            .env_remove("CONTRIBUTOR__DISCORD__TOKEN")
            .env("CONTRIBUTOR__DISCORD__TOKEN_FILE", &file);
        let checked = run(&mut check).await;
        assert_eq!(checked.code, Some(0), "{}{}", checked.out, checked.err);
        assert_eq!(checked.err.contains("chmod 600"), is_told, "{mode:o}: {}", checked.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn systemd_and_a_monitor_on_this_machine_see_signs_of_life() {
    let relay = Relay::start().await;
    let socket = relay.folder.path().join("notify");
    let systemd = UnixDatagram::bind(&socket).unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut watched = relay.contributor("contributor");
    watched.arg("run").env("NOTIFY_SOCKET", &socket).env("WATCHDOG_USEC", "300000");
    watched.env("CONTRIBUTOR__DISCORD__METRICS_LISTEN", port.to_string());
    let mut contributor = Listening::start(&mut watched);
    // On a busy machine the start may ask for more time first.
    assert!(until_ready(&systemd).await.iter().all(|notice| notice.starts_with("EXTEND_TIMEOUT_USEC=")));
    assert_eq!([notice(&systemd).await, notice(&systemd).await], ["WATCHDOG=1", "WATCHDOG=1"]);
    relay.discord.post(CALLS, "hello");
    relay.until_kept(1).await;
    let health = reqwest::get(format!("http://{port}/healthz")).await.unwrap();
    assert_eq!(health.status(), 200);
    let metrics = reqwest::get(format!("http://{port}/metrics")).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("contributor_revisions_kept_total 1\n"), "{metrics}");
    assert_eq!(contributor.stop().await, Some(0));
    let mut exposed = relay.contributor("contributor");
    exposed.arg("run").env("CONTRIBUTOR__DISCORD__METRICS_LISTEN", "0.0.0.0:0");
    let mut exposed = Listening::start(&mut exposed);
    assert_eq!(exposed.ended().await, Some(78));
    assert!(exposed.log().contains("use a loopback address"), "{}", exposed.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn systemd_is_asked_for_more_time_while_a_long_history_is_read() {
    let relay = Relay::start().await;
    let socket = relay.folder.path().join("notify");
    let systemd = UnixDatagram::bind(&socket).unwrap();
    let limited = json!({ "message": "limited", "retry_after": 0.5, "global": true });
    relay.discord.with(|world| world.answers.push_back(("messages".into(), 429, limited)));
    let mut slow = relay.contributor("contributor");
    let _contributor =
        Listening::start(slow.arg("run").env("NOTIFY_SOCKET", &socket).env("WATCHDOG_USEC", "300000"));
    let before = until_ready(&systemd).await;
    assert!(
        !before.is_empty() && before.iter().all(|notice| notice.starts_with("EXTEND_TIMEOUT_USEC=")),
        "{before:?}"
    );
}
