//! Message objects of every documented kind, retyped from their documented shapes, and what becomes of each.

use serde_json::{Value, json};
use shared::post::{Revision, Source};
use time::macros::datetime;

use super::*;

const NOW: OffsetDateTime = datetime!(2026-06-01 12:00 UTC);
/// 2026-06-01 08:00:00.123 as an id.
const ID: &str = "1510915808157499399";

fn channel() -> ChannelRef {
    ChannelRef { source: Source::Discord, external_id: "10".into(), name: "vip".into() }
}

/// A message as the gateway sends it, with these fields changed or added.
fn message(changes: Value) -> String {
    let mut message = json!({
        "type": 0, "id": ID, "channel_id": "10", "guild_id": "1", "tts": false, "pinned": false, "flags": 0,
        "timestamp": "2026-06-01T08:00:00.123000+00:00", "edited_timestamp": null, "content": "LONG BTC",
        "author": { "id": "9", "username": "ann", "global_name": "Ann", "discriminator": "0", "avatar": null },
        "member": { "nick": "A", "roles": [] }, "mentions": [], "mention_roles": [], "mention_everyone": false,
        "embeds": [], "attachments": [], "components": [], "nonce": "1"
    });
    for (key, value) in changes.as_object().unwrap() {
        message[key] = value.clone();
    }
    message.to_string()
}

fn read_one(raw: &str) -> Read {
    read(raw, &channel(), NOW).unwrap()
}

fn post(changes: Value) -> Post {
    let raw = message(changes);
    match read_one(&raw).meaning {
        Meaning::Post(post) => *post,
        other => panic!("{other:?}: {raw}"),
    }
}

#[test]
fn a_message_becomes_a_post_with_the_time_of_its_id() {
    let post = post(json!({}));
    assert_eq!((post.external_id.as_str(), &post.channel), (ID, &channel()));
    assert_eq!(post.posted_at, datetime!(2026-06-01 8:00:00.123 UTC));
    assert_eq!(post.author, Author { external_id: "9".into(), name: "ann".into(), is_bot: false });
    assert_eq!(
        (post.revision(), post.content.as_str(), post.reply_to),
        (Revision::Original, "LONG BTC", None)
    );
}

#[test]
fn an_edit_is_known_by_its_edit_time() {
    let post = post(json!({ "edited_timestamp": "2026-06-01T08:05:00.5+00:00", "content": "LONG ETH" }));
    assert_eq!(post.revision(), Revision::Edited(datetime!(2026-06-01 8:05:00.5 UTC)));
}

#[test]
fn what_a_program_wrote_on_cards_is_kept_and_what_unfolded_from_a_link_is_not() {
    let written = json!({ "type": "rich", "title": "Signal", "url": "https://a.example", "color": 1,
        "description": "entry 1", "author": { "name": "desk", "icon_url": "x" }, "footer": { "text": "foot" },
        "fields": [{ "name": "TP", "value": "2", "inline": true }], "image": { "url": "https://cdn/x?ex=1" } });
    let link =
        json!({ "type": "link", "title": "Chart", "url": "https://b.example", "description": "a site" });
    let picture = json!({ "type": "rich", "image": { "url": "x" } });
    let webhook = json!({ "embeds": [written, link, picture], "webhook_id": "9", "content": "" });
    let posted = post(webhook);
    assert!(posted.author.is_bot);
    let [card] = posted.embeds.as_slice() else { panic!("{:?}", posted.embeds) };
    let texts: Vec<_> = card.texts().map(|(_, text)| text).collect();
    assert_eq!(texts, ["desk", "Signal", "entry 1", "TP", "2", "foot"]);
    let unfolded = json!({ "type": "rich", "url": "https://x.example/1", "description": "somebody's words" });
    let person = post(json!({ "content": "https://x.example/1", "embeds": [unfolded] }));
    assert_eq!(person.embeds, [], "it comes later or never, and two contributors must agree");
}

#[test]
fn files_are_kept_without_their_addresses() {
    let file = json!({ "id": "77", "filename": "chart.png", "size": 1234, "content_type": "image/png",
        "url": "https://cdn/a?ex=1", "proxy_url": "https://media/a?ex=1", "width": 1, "height": 1 });
    let post = post(json!({ "content": "", "attachments": [file] }));
    let wanted = Attachment { external_id: "77".into(), file_name: "chart.png".into(), size_bytes: 1234 };
    assert_eq!(post.attachments, [wanted]);
    assert!(!serde_json::to_string(&post).unwrap().contains("cdn"));
}

#[test]
fn texts_laid_out_as_components_are_read() {
    let components = json!([{ "type": 17, "components": [{ "type": 10, "content": "LONG SOL" },
        { "type": 9, "components": [{ "type": 10, "content": "SL 96" }], "accessory": { "type": 2, "label": "x" } }] },
        { "type": 1, "components": [{ "type": 2, "label": "Open" }] }]);
    let post = post(json!({ "content": "", "flags": 1 << 15, "components": components }));
    assert_eq!(post.embeds[0].description.as_deref(), Some("LONG SOL\nSL 96"));
}

#[test]
fn a_reply_names_the_message_that_it_answers() {
    let reference = json!({ "type": 0, "message_id": "41", "channel_id": "10", "guild_id": "1" });
    let reply = post(json!({ "type": 19, "message_reference": reference, "referenced_message": null }));
    assert_eq!(reply.reply_to.as_deref(), Some("41"));
    let pin = read_one(&message(json!({ "type": 6, "content": "", "message_reference": reference })));
    assert_eq!(pin.meaning, Meaning::Nothing);
}

#[test]
fn a_copy_becomes_the_originals_post_for_every_follower() {
    let reference = json!({ "type": 0, "message_id": ID, "channel_id": "500", "guild_id": "2" });
    let copy = |id: &str, webhook: &str| {
        let author = json!({ "id": webhook, "username": "Desk #calls", "bot": true });
        message(
            json!({ "id": id, "flags": 2, "webhook_id": webhook, "author": author, "message_reference": reference,
            "timestamp": "2026-06-01T09:00:00+00:00" }),
        )
    };
    let (one, other) =
        (read_one(&copy("1510931211000000000", "31")), read_one(&copy("1510931211999999999", "32")));
    assert!(one.is_copy && one.id != other.id);
    assert_eq!(one.meaning, other.meaning, "two followers agree");
    let Meaning::Post(post) = one.meaning else { panic!("{one:?}") };
    assert_eq!((post.external_id.as_str(), post.channel.external_id.as_str()), (ID, "500"));
    assert_eq!(post.posted_at, datetime!(2026-06-01 8:00:00.123 UTC), "when the original was typed");
    assert_eq!((post.author.external_id.as_str(), post.author.name.as_str()), ("500", "Desk #calls"));
    assert_eq!(post.reply_to, None);
}

#[test]
fn a_copy_whose_original_is_gone_becomes_the_originals_tombstone() {
    let reference = json!({ "message_id": ID, "channel_id": "500", "guild_id": "2" });
    let raw = message(
        json!({ "flags": 10, "message_reference": reference, "content": "[Original Message Deleted]" }),
    );
    let Meaning::SourceDeleted(post) = read_one(&raw).meaning else { panic!("{raw}") };
    assert_eq!((post.external_id.as_str(), post.channel.external_id.as_str()), (ID, "500"));
    assert_eq!((post.deleted_at, post.content.as_str()), (Some(NOW), ""));
}

#[test]
fn a_forward_is_a_copy_of_its_own() {
    let snapshot = json!({ "message": { "type": 0, "content": "SHORT BTC", "flags": 0, "timestamp": "2026-05-01T00:00:00+00:00",
        "edited_timestamp": null, "embeds": [{ "type": "rich", "title": "more" }],
        "attachments": [{ "id": "5", "filename": "a.png", "size": 1 }] } });
    let reference = json!({ "type": 1, "message_id": "41", "channel_id": "99", "guild_id": "3" });
    let post = post(
        json!({ "content": "", "flags": 1 << 14, "message_reference": reference, "message_snapshots": [snapshot] }),
    );
    assert_eq!((post.external_id.as_str(), post.reply_to.as_deref(), post.content.as_str()), (ID, None, ""));
    let [copy] = post.forwarded.as_slice() else { panic!("{post:?}") };
    assert_eq!((copy.content.as_str(), copy.embeds[0].title.as_deref()), ("SHORT BTC", Some("more")));
    assert_eq!((post.embeds.len(), post.attachments.len()), (0, 1));
}

#[test]
fn live_and_read_back_are_the_same_post() {
    let live: Value = serde_json::from_str(&message(json!({ "embeds": [] }))).unwrap();
    let mut history = live.clone();
    for only_live in ["guild_id", "member", "nonce"] {
        history.as_object_mut().unwrap().remove(only_live);
    }
    history["reactions"] = json!([{ "count": 3 }]);
    history["pinned"] = json!(true);
    history["embeds"] = json!([{ "type": "article", "url": "https://a.example", "title": "A site" }]);
    let [Meaning::Post(live), Meaning::Post(history)] =
        [live, history].map(|raw| read_one(&raw.to_string()).meaning)
    else {
        panic!("both are posts")
    };
    assert_eq!(live, history);
}

#[test]
fn a_partial_update_is_asked_for_only_when_it_is_an_edit() {
    let edit = format!(r#"{{"id":"{ID}","channel_id":"10","edited_timestamp":"2026-06-01T08:05:00+00:00"}}"#);
    assert_eq!(read_one(&edit).meaning, Meaning::Partial);
    let unfolded = format!(r#"{{"id":"{ID}","channel_id":"10","embeds":[{{"type":"link","title":"x"}}]}}"#);
    assert_eq!(read_one(&unfolded).meaning, Meaning::Nothing);
}

#[test]
fn notices_of_discord_are_nobodys_words() {
    for kind in [1, 6, 7, 8, 12, 18, 21, 46] {
        let notice = message(json!({ "type": kind, "content": "vip" }));
        assert_eq!(read_one(&notice).meaning, Meaning::Nothing, "type {kind}");
    }
    for kind in [0, 20, 23, 47, 99] {
        post(json!({ "type": kind }));
    }
    let thinking = message(json!({ "type": 20, "content": "", "flags": 1 << 7 }));
    assert_eq!(
        read_one(&thinking).meaning,
        Meaning::Nothing,
        "the answer follows in an update that is no edit"
    );
}

#[test]
fn nothing_to_be_seen_is_suspicious_unless_something_else_was_said() {
    let blank = read_one(&message(json!({ "content": "" }))).meaning;
    assert!(matches!(blank, Meaning::Blank(_)), "{blank:?}");
    for said in [
        json!({ "content": "", "sticker_items": [{ "id": "1" }] }),
        json!({ "content": "", "poll": { "question": {} } }),
    ] {
        post(said);
    }
}

#[test]
fn a_polls_question_and_answers_and_the_names_of_stickers_are_part_of_the_post() {
    let answer = |id: u64, text: &str| json!({ "answer_id": id, "poll_media": { "text": text } });
    let poll = |results: Value| {
        json!({ "question": { "text": "Where does BTC go?" }, "answers": [answer(1, "up"), answer(2, "down"), 7],
            "expiry": null, "allow_multiselect": false, "layout_type": 1, "results": results })
    };
    let young = post(json!({ "content": "", "poll": poll(json!(null)) }));
    assert_eq!(young.embeds[0].title.as_deref(), Some("Where does BTC go?"));
    assert_eq!(young.embeds[0].description.as_deref(), Some("up\ndown"));
    let voted =
        json!({ "is_finalized": true, "answer_counts": [{ "id": 1, "count": 9, "me_voted": false }] });
    assert_eq!(post(json!({ "content": "", "poll": poll(voted) })), young, "votes are nobody's words");
    let stickers = json!([{ "id": "749054660769218631", "name": "Wave", "format_type": 3 }]);
    let waved = post(json!({ "content": "hi", "sticker_items": stickers }));
    let wave =
        Attachment { external_id: "749054660769218631".into(), file_name: "Wave".into(), size_bytes: 0 };
    assert_eq!(waved.attachments, [wave]);
    let odd = post(json!({ "poll": 7, "sticker_items": "none" }));
    assert_eq!((odd.embeds.len(), odd.attachments.len()), (0, 0));
}

#[test]
fn a_message_that_is_nested_without_end_costs_neither_the_stack_nor_its_words() {
    let depth = 100_000;
    let nested =
        format!("{}{}", r#"[{"type":17,"components":"#.repeat(depth), "[]".to_owned() + &"}]".repeat(depth));
    let mut raw = message(json!({ "components": "HERE", "poll": "HERE" }));
    raw = raw.replace("\"HERE\"", &nested);
    let Meaning::Post(post) = read_one(&raw).meaning else { panic!("it has words") };
    assert_eq!((post.content.as_str(), post.embeds.len()), ("LONG BTC", 0));
}

#[test]
fn a_field_of_an_odd_type_costs_that_field_and_never_the_words() {
    let odd = post(
        json!({ "attachments": "none", "flags": "many", "author": { "id": 9, "username": 4, "bot": "no" },
        "components": 3, "position": "0", "type": null, "embeds": [{ "footer": 3, "title": "t", "type": 7 }] }),
    );
    assert_eq!((odd.content.as_str(), odd.author.external_id.as_str()), ("LONG BTC", "9"));
    assert_eq!(odd.embeds.len(), 1);
    for broken in [
        json!({ "content": 7 }),
        json!({ "id": null }),
        json!({ "edited_timestamp": "soon" }),
        json!({ "embeds": 1 }),
    ] {
        assert!(read(&message(broken.clone()), &channel(), NOW).is_err(), "{broken}");
    }
}

#[test]
fn a_tombstone_keeps_the_author_if_one_is_known() {
    let author = Author { external_id: "9".into(), name: "ann".into(), is_bot: false };
    let id: Snowflake = ID.parse().unwrap();
    let known = tombstone(channel(), id, Some(author.clone()), NOW);
    assert_eq!((known.revision(), known.posted_at), (Revision::Deleted, id.made_at()));
    assert_eq!(known.author, author);
    let early = tombstone(channel(), id, None, datetime!(2020-01-01 0:00 UTC));
    assert_eq!(early.deleted_at, Some(id.made_at()), "our clock may be behind Discord's");
    assert_eq!(early.author.external_id, UNKNOWN_AUTHOR);
}

#[test]
fn whatever_type_a_field_has_the_message_is_read_or_refused_whole() {
    let whole: Value =
        serde_json::from_str(&message(json!({ "webhook_id": "5", "message_reference": { "type": 0 },
        "message_snapshots": [], "poll": {}, "sticker_items": [] })))
        .unwrap();
    let odd = [
        json!(null),
        json!(-7),
        json!(1e300),
        json!("\u{0}\u{202e}"),
        json!([]),
        json!([[null]]),
        json!({ "id": {} }),
    ];
    for key in whole.as_object().unwrap().keys() {
        for odd in &odd {
            let mut hostile = whole.clone();
            hostile[key] = odd.clone();
            // Read with its words, or an error with which it is kept raw; nothing in between.
            if let Ok(Read { meaning: Meaning::Post(post), .. }) = read(&hostile.to_string(), &channel(), NOW)
            {
                let words = if key == "content" { odd.as_str().unwrap_or_default() } else { "LONG BTC" };
                assert_eq!(post.content, words, "{key}: {odd}");
            }
        }
    }
    let raw = whole.to_string();
    for end in (0..raw.len()).filter(|end| raw.is_char_boundary(*end)) {
        assert!(read(&raw[..end], &channel(), NOW).is_err(), "a cut message is no message: {}", &raw[..end]);
    }
}
