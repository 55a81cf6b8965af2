//! Every kind of message that a bot hears, from Discord to the server's tables.

use serde_json::{Value, json};
use shared::post::Revision;
use support::discord::{CALLS, FORUM, LOUNGE, NEWS};
use support::eventually;
use support::relay::{Relay, texts};
use time::format_description::well_known::Rfc3339;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_posted_edited_and_deleted_reaches_the_server_with_its_raw_form() {
    let relay = Relay::start().await;
    let _contributor = relay.listen().await;
    let discord = &relay.discord;
    let first = discord.post(CALLS, "BTC/USDT LONG\nEntry: 60000\nTP1: 62000\nSL: 58000");
    relay.until_kept(1).await;
    discord.touch(
        CALLS,
        first,
        json!({ "embeds": [{ "type": "link", "title": "unfolded", "url": "https://a.example" }] }),
    );
    discord.touch(CALLS, first, json!({ "pinned": true, "flags": 4 }));
    discord.edit(CALLS, first, "BTC/USDT LONG\nEntry: 60000\nTP1: 62000\nSL: 59000");
    let more: Vec<u64> = ["one", "two", "three"].map(|text| discord.post(CALLS, text)).into();
    discord.delete(CALLS, &more[..2]);
    discord.delete(CALLS, &more[2..]);
    discord.post(LOUNGE, "nobody asked for this");
    let kept = relay.until_kept(8).await;
    assert!(kept.iter().all(|kept| kept.provenance == "live" && kept.sightings == 1), "{kept:?}");
    let revisions: Vec<Revision> = kept.iter().map(|kept| kept.post.revision()).collect();
    assert!(matches!(revisions[..2], [Revision::Original, Revision::Edited(_)]), "{revisions:?}");
    assert_eq!(texts(&kept)[2..], ["one", "two", "three", "-", "-", "-"]);
    assert!(
        kept[5..].iter().all(|kept| kept.post.author.external_id == "9"),
        "the tombstones know who wrote it"
    );
    let raw: Value = serde_json::from_str(&kept[1].raw).expect("the raw form is JSON");
    assert_eq!((&raw["id"], &raw["member"]["roles"]), (&json!(first.to_string()), &json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_replies_forwards_cards_and_files_become_what_they_mean() {
    let relay = Relay::start().await;
    let _contributor = relay.listen().await;
    let discord = &relay.discord;
    let reference = json!({ "type": 0, "message_id": "111111111111111111", "channel_id": "222222222222222222", "guild_id": "3" });
    let webhook = json!({ "id": "77", "username": "Source #calls", "bot": true });
    let copy = json!({ "content": "ETH long", "flags": 2, "webhook_id": "77", "author": webhook, "message_reference": reference });
    let copied = discord.post_as(NEWS, copy);
    let asked = discord.post(CALLS, "what now?");
    let answers = json!({ "type": 0, "message_id": asked.to_string(), "channel_id": CALLS.to_string() });
    discord.post_as(CALLS, json!({ "type": 19, "content": "closed", "message_reference": answers }));
    let snapshot =
        json!({ "message": { "type": 0, "content": "SOL short", "embeds": [], "attachments": [] } });
    let forward = json!({ "type": 1, "message_id": "5", "channel_id": "6" });
    discord.post_as(
        CALLS,
        json!({ "flags": 1 << 14, "message_reference": forward, "message_snapshots": [snapshot] }),
    );
    let file = json!({ "id": "8", "filename": "chart.png", "size": 3, "url": "https://cdn.example/x?ex=1" });
    let card = json!({ "type": "rich", "title": "ADA long", "fields": [{ "name": "SL", "value": "0.4" }] });
    let program = json!({ "id": "12", "username": "alerts", "bot": true });
    discord.post_as(CALLS, json!({ "embeds": [card], "attachments": [file], "author": program }));
    let kept = relay.until_kept(5).await;
    let copy = &kept[0].post;
    assert_eq!(
        (copy.external_id.as_str(), copy.channel.external_id.as_str()),
        ("111111111111111111", "222222222222222222")
    );
    assert_eq!(copy.channel.name, "Source #calls");
    assert_eq!(kept[2].post.reply_to, Some(asked.to_string()));
    assert_eq!(kept[3].post.forwarded[0].content, "SOL short");
    assert_eq!(kept[4].post.embeds[0].title.as_deref(), Some("ADA long"));
    assert_eq!(kept[4].post.attachments[0].file_name, "chart.png");
    assert!(!serde_json::to_string(&kept[4].post).unwrap().contains("cdn.example"), "addresses expire");
    discord.delete(NEWS, &[copied]);
    discord.post(CALLS, "the end");
    let kept = relay.until_kept(6).await;
    assert_eq!(texts(&kept)[5], "the end", "deleting a copy says nothing about its original");
}

#[tokio::test(flavor = "multi_thread")]
async fn threads_and_forum_posts_are_heard_with_their_channel() {
    let relay = Relay::start().await;
    let _contributor = relay.listen().await;
    let discord = &relay.discord;
    let thread = discord.open_thread(CALLS, "btc talk");
    discord.post(thread, "in a thread");
    let idea = discord.open_thread(FORUM, "an idea");
    let words = discord.post(idea, "in a forum");
    discord.edit(idea, words, "in a forum, edited");
    let foreign = discord.open_thread(LOUNGE, "chatter");
    discord.post(foreign, "nobody asked for this either");
    discord.post(CALLS, "the end");
    let kept = relay.until_kept(4).await;
    assert_eq!(texts(&kept), ["in a thread", "in a forum", "in a forum, edited", "the end"]);
    assert_eq!(
        (kept[0].post.channel.name.as_str(), kept[0].post.channel.external_id.clone()),
        ("btc talk", thread.to_string())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_messages_keep_their_order() {
    let relay = Relay::start().await;
    let _contributor = relay.listen().await;
    for number in 0..2_000 {
        relay.discord.post(CALLS, &format!("message {number}"));
    }
    let kept = relay.until_kept(2_000).await;
    let inversions =
        kept.iter().zip(0..).filter(|(kept, number)| kept.post.content != format!("message {number}"));
    assert_eq!(inversions.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_comes_without_its_text_is_asked_for() {
    let relay = Relay::start().await;
    let _contributor = relay.listen().await;
    let discord = &relay.discord;
    let message = discord.post(CALLS, "first");
    relay.until_kept(1).await;
    let edited_at = (launch::clock::now() + time::Duration::SECOND).format(&Rfc3339).unwrap();
    discord.with(|world| {
        let place = world.channels.get_mut(&CALLS).unwrap();
        let stored = place.messages.get_mut(&message).unwrap();
        stored["content"] = json!("second");
        stored["edited_timestamp"] = json!(edited_at);
    });
    let partial =
        json!({ "id": message.to_string(), "channel_id": CALLS.to_string(), "edited_timestamp": edited_at });
    discord.with(|world| world.tell("MESSAGE_UPDATE", partial));
    assert_eq!(texts(&relay.until_kept(2).await), ["first", "second"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_an_odd_form_costs_itself_alone_and_is_kept_raw() {
    let relay = Relay::start().await;
    let mut contributor = relay.listen().await;
    let discord = &relay.discord;
    discord.post_as(CALLS, json!({ "content": 7, "nonce": "odd" }));
    discord.send_raw("{\"op\":0,");
    discord.send_raw("not JSON at all");
    discord.send_raw(r#"{"op":0,"t":"MESSAGE_CREATE","s":900,"d":{"id":"5"}}"#);
    discord.post(CALLS, "the next one");
    relay.until_kept(1).await;
    contributor.said("could not be decoded").await;
    assert_eq!(contributor.stop().await, Some(0));
    let shown = support::program::run(relay.contributor("contributor").args(["status", "--json"])).await;
    let status: Value = serde_json::from_str(&shown.out).expect("a status");
    // The message, and three lines that do not even say where they belong.
    assert_eq!(status["refused"], 4, "{status:#}");
    assert_eq!(status["latest_refused"][0]["can_be_retried"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_posted_before_the_approval_is_read_back_and_that_time_is_a_gap() {
    let relay = Relay::start().await;
    let mut run = relay.contributor("contributor");
    run.arg("run").env("CONTRIBUTOR__DISCORD__CHECK_EVERY_S", "1");
    run.env("CONTRIBUTOR__DISCORD__CHANNELS", format!("[\"{CALLS}\", \"{LOUNGE}\"]"));
    let before = relay.discord.post(LOUNGE, "before anybody wanted it");
    let mut contributor = support::relay::Listening::start(&mut run);
    contributor.said("not known on the server").await;
    contributor.said("listening").await;
    relay.discord.post(LOUNGE, "before the approval");
    let thread = relay.discord.open_thread(LOUNGE, "a thread");
    relay.discord.post(thread, "in a thread, before the approval");
    relay.approve(LOUNGE, "lounge").await;
    contributor.said("approved on the server").await;
    let kept = relay.until_kept(2).await;
    assert_eq!(texts(&kept), ["before the approval", "in a thread, before the approval"]);
    assert!(kept.iter().all(|kept| kept.provenance == "backfill"), "{kept:?}");
    relay.discord.post(LOUNGE, "after it");
    assert_eq!(relay.until_kept(3).await[2].provenance, "live");
    eventually("the gap is told", async || relay.channel(LOUNGE).await.gaps.count == 1).await;
    let gap = relay.channel(LOUNGE).await.gaps.latest.expect("a gap");
    assert!(gap.from < kept[0].post.posted_at && gap.to > kept[0].post.posted_at, "{gap:?} without {before}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_channels_that_the_server_has_approved_are_posted() {
    let relay = Relay::start().await;
    sqlx::query("UPDATE channels SET status = 'paused' WHERE external_id = $1")
        .bind(NEWS.to_string())
        .execute(&relay.server.pool)
        .await
        .unwrap();
    let mut run = relay.contributor("contributor");
    run.arg("run").env("CONTRIBUTOR__DISCORD__CHECK_EVERY_S", "1");
    let mut contributor = support::relay::Listening::start(&mut run);
    contributor.said("channel news is paused on the server").await;
    contributor.said("listening").await;
    relay.discord.post(NEWS, "not for you");
    relay.discord.post(CALLS, "for you");
    assert_eq!(texts(&relay.until_kept(1).await), ["for you"]);
    relay.approve(NEWS, "news").await;
    eventually("the approval is seen", async || {
        relay.discord.post(NEWS, "now");
        relay.kept().await.iter().any(|kept| kept.post.content == "now")
    })
    .await;
}
