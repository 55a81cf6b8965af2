//! What is older reaches the server first, whatever breaks in between.

use support::discord::CALLS;
use support::eventually;
use support::program::run;
use support::relay::{Relay, texts};

/// When the session was last known to be alive, as `status` shows it.
async fn alive_at(relay: &Relay) -> String {
    let shown = run(relay.contributor("contributor").args(["status", "--json"])).await;
    let status: serde_json::Value = serde_json::from_str(&shown.out).expect("a status");
    status["discord"]["alive_at"].as_str().expect("a time").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_session_repeats_after_a_crash_stands_before_what_the_history_shows() {
    let relay = Relay::start().await;
    let discord = &relay.discord;
    discord.with(|world| world.heartbeat_ms = 50);
    let mut contributor = relay.listen().await;
    discord.post(CALLS, "heard");
    relay.until_kept(1).await;
    // The session is alive, and far behind: what happens is told only after the crash.
    discord.with(|world| world.hold(0));
    // The first of what is repeated says that all has been repeated; it was said after an earlier drop.
    discord.with(|world| world.tell("RESUMED", serde_json::json!({})));
    let gone = discord.post(CALLS, "gone from the history");
    discord.post(CALLS, "in the history");
    discord.delete(CALLS, &[gone]);
    let before = alive_at(&relay).await;
    eventually("the session is alive after all that", async || alive_at(&relay).await > before).await;
    contributor.kill().await;
    let _contributor = relay.listen().await;
    let kept = relay.until_kept(4).await;
    assert_eq!(texts(&kept), ["heard", "gone from the history", "in the history", "-"]);
    assert!(kept.iter().all(|kept| kept.provenance == "live"), "{kept:?}");
}
