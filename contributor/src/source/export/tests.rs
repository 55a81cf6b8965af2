//! Exports of every kind that a person may hand in: whole, odd, cut at every byte, and not exports at all.

use std::io::Cursor;

use shared::post::{Embed, Post, Revision};
use time::macros::datetime;

use super::*;

const NOW: OffsetDateTime = datetime!(2026-06-01 00:00 UTC);
const HEAD: &str = r#"{"guild":{"id":"1","name":"Calls"},"channel":{"id":"10","type":"GuildTextChat","name":"vip"},
"dateRange":{"after":null,"before":null},"exportedAt":"2026-05-02T02:00:00+02:00","messages":["#;

/// An export of these messages.
fn export_of(messages: &[&str]) -> String {
    format!("{HEAD}{}],\"messageCount\":{}}}\n", messages.join(",\n"), messages.len())
}

/// The pieces that were handed on, and how it ended.
fn read_text(text: &[u8]) -> (Vec<Piece>, Result<Summary, ExportError>) {
    let mut pieces = Vec::new();
    let ended = read_from(Path::new("a.json"), BufReader::new(Cursor::new(text)), NOW, &mut |piece| {
        pieces.push(piece);
        Ok(())
    });
    (pieces, ended)
}

fn decode(raw: &str) -> serde_json::Result<Post> {
    let channel = ChannelRef {
        source: shared::post::Source::Discord,
        external_id: "10".to_owned(),
        name: "vip".to_owned(),
    };
    message::decode(raw, Some("1"), &channel).map(|(post, _)| post)
}

#[test]
fn a_text_that_the_exporter_has_rendered_is_noticed() {
    let mentioning = |content: &str| {
        let mentions = r#"[{"id":"5","name":"ann","nickname":"Ann the Trader"}]"#;
        format!(
            r#"{{"id":"1","timestamp":"2026-05-01T12:00:00Z","content":"{content}","mentions":{mentions}}}"#
        )
    };
    let rendered = |content: &str| {
        let (_, ended) = read_text(export_of(&[&mentioning(content)]).as_bytes());
        ended.unwrap().rendered
    };
    assert_eq!([rendered("thanks @Ann the Trader"), rendered("@ann look")], [1, 1]);
    assert_eq!([rendered("thanks <@5>"), rendered("a reply without words for her")], [0, 0]);
}

#[test]
fn a_whole_message_becomes_a_post() {
    let raw = r##"{"id":"42","type":"Reply","timestamp":"2026-05-01T14:00:00.1234567+02:00",
        "timestampEdited":"2026-05-01T12:05:00+00:00","callEndedTimestamp":null,"isPinned":false,
        "content":"LONG BTC 🚀","author":{"id":"9","name":"ann","discriminator":"0000","nickname":"Ann","color":"#fff",
        "isBot":true,"roles":[],"avatarUrl":"x"},
        "attachments":[{"id":"77","url":"u","fileName":"chart.png","fileSizeBytes":1234}],
        "embeds":[{"title":"","url":null,"timestamp":null,"description":"entry 1","author":{"name":"desk"},
        "footer":{"text":"foot"},"fields":[{"name":"TP","value":"2","isInline":true}],"images":[]},
        {"title":"","description":""}],
        "stickers":[{"id":"5","name":"Wave","format":"Png","sourceUrl":"u"}],"reactions":[],"mentions":[],"reference":{"messageId":"41","channelId":"10","guildId":"1"}}"##;
    let post = decode(raw).unwrap();
    assert_eq!((post.external_id.as_str(), post.channel.external_id.as_str()), ("42", "10"));
    assert_eq!(
        (post.author.external_id.as_str(), post.author.name.as_str(), post.author.is_bot),
        ("9", "ann", true)
    );
    assert_eq!(post.posted_at, datetime!(2026-05-01 12:00:00.123456 UTC), "in UTC, to the microsecond");
    assert_eq!(post.revision(), Revision::Edited(datetime!(2026-05-01 12:05 UTC)));
    assert_eq!(post.content, "LONG BTC 🚀");
    assert_eq!(post.reply_to.as_deref(), Some("41"));
    assert_eq!((post.attachments[0].file_name.as_str(), post.attachments[0].size_bytes), ("chart.png", 1234));
    assert_eq!((post.attachments[1].file_name.as_str(), post.attachments[1].size_bytes), ("Wave", 0));
    assert_eq!(post.embeds.len(), 1, "a card without text says nothing");
    assert_eq!((post.embeds[0].title.as_deref(), post.embeds[0].author.as_deref()), (None, Some("desk")));
    assert_eq!(
        (post.embeds[0].footer.as_deref(), post.embeds[0].fields[0].value.as_str()),
        (Some("foot"), "2")
    );
}

#[test]
fn only_an_id_and_a_timestamp_are_needed() {
    let post = decode(r#"{"id":42,"timestamp":"2026-05-01T12:00:00Z"}"#).unwrap();
    assert_eq!((post.external_id.as_str(), post.author.external_id.as_str()), ("42", "unknown"));
    assert!(post.content.is_empty() && post.reply_to.is_none() && post.edited_at.is_none());
}

#[test]
fn odd_types_in_fields_that_are_not_needed_do_not_lose_the_message() {
    let raw = r#"{"id":"1","timestamp":"2026-05-01T12:00:00Z","content":"hi","type":99,"isPinned":"perhaps",
        "author":{"id":7,"name":["x"],"isBot":"no"},"attachments":{"a":1},"reactions":5,"mentions":"?",
        "embeds":[{"title":"t","author":4,"footer":[1],"color":{}}],"stickers":null}"#;
    let post = decode(raw).unwrap();
    assert_eq!((post.content.as_str(), post.author.external_id.as_str()), ("hi", "7"));
    assert_eq!(post.embeds, [Embed { title: Some("t".into()), ..Embed::default() }]);
}

#[test]
fn odd_types_in_words_or_identity_are_refused_and_not_guessed() {
    for odd in [
        r#"{"timestamp":"2026-05-01T12:00:00Z"}"#,
        r#"{"id":"1"}"#,
        r#"{"id":"1","timestamp":"yesterday"}"#,
        r#"{"id":"1","timestamp":"9999-12-31T23:59:59-10:00"}"#,
        r#"{"id":"1","timestamp":"2026-05-01T12:00:00Z","content":{"text":"x"}}"#,
        r#"{"id":"1","timestamp":"2026-05-01T12:00:00Z","timestampEdited":7}"#,
        r#"{"id":"1","timestamp":"2026-05-01T12:00:00Z","embeds":"x"}"#,
        "17",
        "null",
        "[]",
    ] {
        assert!(decode(odd).is_err(), "{odd}");
    }
}

#[test]
fn half_an_emoji_does_not_lose_the_message() {
    let post = decode(r#"{"id":"1","timestamp":"2026-05-01T12:00:00Z","content":"up \ud83d!"}"#).unwrap();
    assert!(post.content.starts_with("up \u{fffd}") && post.content.ends_with('!'), "{:?}", post.content);
}

/// A message of type Default with this reference.
fn referring(reference: &str, content: &str) -> Post {
    decode(&format!(
        r#"{{"id":"50","type":"Default","timestamp":"2026-05-01T12:00:00Z","content":"{content}","reference":{reference}}}"#
    ))
    .unwrap()
}

#[test]
fn a_crosspost_is_the_originals_post() {
    let other_guild = referring(r#"{"messageId":"7","channelId":"70","guildId":"2"}"#, "LONG");
    assert_eq!((other_guild.external_id.as_str(), other_guild.channel.external_id.as_str()), ("7", "70"));
    assert_eq!(other_guild.channel.name, "followed in vip");
    assert_eq!(other_guild.reply_to, None);
    let typed = referring(r#"{"type":"Default","messageId":"7","channelId":"70","guildId":"1"}"#, "");
    assert_eq!(typed.external_id, "7", "followed inside one guild, with only a picture");
    let real = referring(r#"{"messageId":"1499746457550848001","channelId":"70","guildId":"2"}"#, "LONG");
    assert_eq!(
        real.posted_at.date(),
        time::macros::date!(2026 - 05 - 01),
        "when the original was typed, by its id"
    );
    assert_eq!((real.author.external_id.as_str(), real.author.is_bot), ("70", true), "no follower's webhook");
    let same_channel = referring(r#"{"messageId":"7","channelId":"10","guildId":"1"}"#, "LONG");
    assert_eq!((same_channel.external_id.as_str(), same_channel.channel.external_id.as_str()), ("50", "10"));
    let without_message = referring(r#"{"messageId":null,"channelId":"70","guildId":"2"}"#, "LONG");
    assert_eq!(without_message.external_id, "50");
}

#[test]
fn a_forward_keeps_its_own_identity_and_carries_the_copy_apart_from_its_own_words() {
    let reference = r#"{"type":"Forward","messageId":"7","channelId":"70","guildId":"2"},
        "forwardedMessage":{"timestamp":"2026-04-01T00:00:00Z","content":"SHORT ETH","attachments":[],
        "embeds":[{"title":"card","description":""}]}"#;
    let post = referring(reference, "");
    assert_eq!((post.external_id.as_str(), post.channel.external_id.as_str()), ("50", "10"));
    assert_eq!((post.content.as_str(), post.embeds.len()), ("", 0));
    assert_eq!(post.forwarded[0].content, "SHORT ETH");
    assert_eq!(post.forwarded[0].embeds[0].title.as_deref(), Some("card"));
    assert_eq!(post.reply_to, None);
    let from_an_old_exporter = referring(r#"{"messageId":"7","channelId":"70","guildId":"2"}"#, "");
    assert_eq!(
        from_an_old_exporter.external_id, "50",
        "an empty forward must not stand as the original's text"
    );
}

#[test]
fn an_export_is_read_message_by_message_with_each_kept_byte_for_byte() {
    let odd_spacing =
        "{ \"id\" : \"1\",\n\t\"timestamp\":\"2026-05-01T12:00:00Z\", \"content\":\"\\u0041\" }";
    let messages = [odd_spacing, r#"{"id":"2","timestamp":"2026-04-30T12:00:00Z"}"#, "5"];
    let (pieces, ended) = read_text(format!("\u{feff}{}", export_of(&messages)).as_bytes());
    let summary = ended.unwrap();
    assert_eq!((summary.messages, summary.undecodable), (3, 1));
    let span = summary.span.unwrap();
    assert_eq!((span.first, span.last), (datetime!(2026-04-30 12:00 UTC), datetime!(2026-05-01 12:00 UTC)));
    assert_eq!(span.exported_at, datetime!(2026-05-02 00:00 UTC));
    let Entry::Undecodable { raw, reason, channel } = &pieces[2].entry else { panic!("5 is no message") };
    assert_eq!((raw.as_str(), channel.external_id.as_str()), ("5", "10"));
    assert!(reason.contains("expected struct Message"), "{reason}");
    let sighting = pieces[0].entry.sighting();
    assert_eq!(sighting.raw, odd_spacing);
    assert_eq!(sighting.post.content, "A");
    assert_eq!(sighting.seen_at, span.exported_at, "the export's time is when it was seen");
}

#[test]
fn an_implausible_time_of_the_export_is_not_believed() {
    let text = export_of(&[r#"{"id":"1","timestamp":"2026-05-01T12:00:00Z"}"#]);
    for bad in ["\"2999-01-01T00:00:00Z\"", "\"1999-01-01T00:00:00Z\"", "null", "5", "\"soon\""] {
        let (pieces, ended) = read_text(text.replace("\"2026-05-02T02:00:00+02:00\"", bad).as_bytes());
        assert_eq!(pieces[0].entry.sighting().seen_at, NOW, "{bad}");
        assert_eq!(ended.unwrap().span, None, "{bad}");
    }
}

#[test]
fn an_export_cut_at_any_byte_hands_on_every_complete_message_and_names_the_byte() {
    let messages = [
        r#"{"id":"1","timestamp":"2026-05-01T12:00:00Z","content":"a } ] \" {"}"#,
        r#"{"id":"2","timestamp":"2026-05-01T12:00:00Z","content":"ü"}"#,
        r#"{"id":"3","timestamp":"2026-05-01T12:00:00Z","embeds":[{"title":"x"}]}"#,
    ];
    let text = export_of(&messages);
    let ends: Vec<usize> =
        messages.iter().map(|message| text.find(message).unwrap() + message.len()).collect();
    let whole = text.trim_end().len();
    for cut in 0..whole {
        let (pieces, ended) = read_text(&text.as_bytes()[..cut]);
        let complete = ends.iter().filter(|end| **end <= cut).count();
        assert_eq!(pieces.len(), complete, "cut at {cut}");
        match ended.unwrap_err() {
            ExportError::NotAnExport { byte: 0, .. } if cut == 0 => {}
            ExportError::CutOff { byte, messages, .. } => {
                assert_eq!((byte, messages), (cut as u64, complete as u64));
            }
            other => panic!("cut at {cut}: {other}"),
        }
    }
    for cut in whole..=text.len() {
        assert!(read_text(&text.as_bytes()[..cut]).1.is_ok(), "only the last line end is missing");
    }
}

#[test]
fn a_cut_is_told_with_file_byte_and_what_was_expected() {
    let text = export_of(&[r#"{"id":"1","timestamp":"2026-05-01T12:00:00Z"}"#]);
    let cut = text.find("],\"messageCount").unwrap();
    let error = read_text(&text.as_bytes()[..cut]).1.unwrap_err().to_string();
    let expected =
        format!("a.json is cut off at byte {cut}, after 1 complete messages: expected the rest of the list");
    assert!(error.starts_with(&expected), "{error}");
}

#[test]
fn what_is_not_an_export_is_named_with_its_first_wrong_byte() {
    let table: [(&[u8], u64); 12] = [
        (b"", 0),
        (b"   ", 3),
        (b"[1,2]", 0),
        (b"\x89PNG\r\n", 0),
        (b"hello", 0),
        (b" nothing", 1),
        (b"\"a text\"", 0),
        (b"tru", 0),
        (b"{\"a\":1}", 6),
        (b"{\"messages\":[]}", 12),
        (b"{\"channel\":{\"name\":\"x\"},\"messages\":[]}", 35),
        (b"{\"channel\":{\"id\":\"1\"},\"messages\":{}}", 33),
    ];
    for (text, at) in table {
        let (pieces, ended) = read_text(text);
        assert!(pieces.is_empty());
        match ended.unwrap_err() {
            ExportError::NotAnExport { byte, .. } => {
                assert_eq!(byte, at, "{}", String::from_utf8_lossy(text));
            }
            other => panic!("{}: {other}", String::from_utf8_lossy(text)),
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let error = read(folder.path(), NOW, |_| Ok(())).unwrap_err().to_string();
    assert!(error.contains("it is a folder; expected a file"), "{error}");
    let error = read(&folder.path().join("none.json"), NOW, |_| Ok(())).unwrap_err();
    assert!(matches!(error, ExportError::Unreadable { .. }), "{error}");
}

#[test]
fn a_count_that_differs_or_is_missing_is_told() {
    let text = export_of(&[r#"{"id":"1","timestamp":"2026-05-01T12:00:00Z"}"#]);
    for (wrong, stated) in [("\"messageCount\":2", "is 2"), ("\"other\":1", "is missing")] {
        let (pieces, ended) = read_text(text.replace("\"messageCount\":1", wrong).as_bytes());
        assert_eq!(pieces.len(), 1, "the valid part is handed on");
        let error = ended.unwrap_err().to_string();
        assert!(error.contains(stated) && error.contains("1 messages were read"), "{error}");
    }
}

#[test]
fn damage_in_the_middle_keeps_what_stands_before_it() {
    let good = r#"{"id":"1","timestamp":"2026-05-01T12:00:00Z"}"#;
    for bad in ["{\"id\":\"2\" oops}", "{\"id\":\"\u{1}\"}", "}"] {
        let text = export_of(&[good, bad, good]);
        let (pieces, ended) = read_text(text.as_bytes());
        assert_eq!(pieces.len(), 1, "{bad}");
        assert!(matches!(ended.unwrap_err(), ExportError::Damaged { messages: 1, .. }), "{bad}");
    }
    let mut bytes = export_of(&[good, r#"{"id":"?"}"#]).into_bytes();
    let at = bytes.iter().rposition(|byte| *byte == b'?').unwrap();
    bytes[at] = 0xff;
    let (pieces, ended) = read_text(&bytes);
    assert_eq!(pieces.len(), 1);
    assert!(ended.unwrap_err().to_string().contains("is damaged at byte"), "invalid UTF-8");
}

#[test]
fn a_message_without_end_does_not_fill_the_memory() {
    let mut text = format!("{HEAD}{{\"id\":\"").into_bytes();
    text.resize(text.len() + 2 * usize::try_from(MAX_MESSAGE_BYTES).unwrap(), b'7');
    let error = read_text(&text).1.unwrap_err();
    assert!(error.to_string().contains("one message is longer than 8388608 bytes"), "{error}");
}

#[test]
fn a_receiver_that_wants_no_more_ends_the_reading() {
    let message = r#"{"id":"1","timestamp":"2026-05-01T12:00:00Z"}"#;
    let text = export_of(&[message, message, message]);
    let mut count = 0;
    let ended = read_from(Path::new("a.json"), BufReader::new(Cursor::new(text)), NOW, &mut |_| {
        count += 1;
        Err(Stopped)
    });
    assert_eq!((count, ended.unwrap().messages), (1, 1));
}
