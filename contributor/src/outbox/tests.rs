//! The outbox alone: what it knows, what it keeps, and whose it is.

use shared::post::{Author, ChannelRef, Post, Provenance, Sighting, Source};
use shared::wire::{PostResult, PostStatus};
use time::Duration;
use time::macros::datetime;

use super::*;

/// Everything that waits.
const FROM_THE_START: Ahead = Ahead { after: 0, until: None };

const NOW: OffsetDateTime = datetime!(2026-05-01 00:00 UTC);
const SERVER: &str = "http://127.0.0.1:1";

/// Discord's id of a post of this minute, as `snowflake` makes it and `minute` reads it.
fn snowflake(minute: i64) -> String {
    let at = NOW + Duration::minutes(minute) - datetime!(2015-01-01 00:00 UTC);
    (at.whole_milliseconds() << 22).to_string()
}

fn minute(external_id: &str) -> String {
    let milliseconds = external_id.parse::<i64>().unwrap() >> 22;
    let at = datetime!(2015-01-01 00:00 UTC) + Duration::milliseconds(milliseconds);
    (at - NOW).whole_minutes().to_string()
}

/// A post of channel 10 of this minute, as an export of this day of May had it.
fn sighting(id: i64, day: i64) -> Sighting {
    let post = Post {
        channel: ChannelRef { source: Source::Discord, external_id: "10".into(), name: "vip".into() },
        external_id: snowflake(id),
        author: Author { external_id: "9".into(), name: "ann".into(), is_bot: false },
        posted_at: NOW + Duration::minutes(id),
        edited_at: None,
        deleted_at: None,
        content: format!("post {id}"),
        embeds: Vec::new(),
        attachments: Vec::new(),
        reply_to: None,
        forwarded: Vec::new(),
    };
    Sighting { post, seen_at: NOW + Duration::days(day), provenance: Provenance::Imported, raw: "{}".into() }
}

fn entries(ids: impl IntoIterator<Item = i64>, day: i64) -> Vec<Entry> {
    ids.into_iter().map(|id| Entry::of(&sighting(id, day)).unwrap()).collect()
}

fn span(first: i64, last: i64, day: i64) -> Span {
    let at = |id| sighting(id, day).post.posted_at;
    let channel = sighting(0, day).post.channel;
    Span { channel, first: at(first), last: at(last), exported_at: NOW + Duration::days(day) }
}

async fn waiting(outbox: &Outbox) -> Vec<String> {
    outbox
        .load(FROM_THE_START, 1000, usize::MAX)
        .await
        .unwrap()
        .into_iter()
        .map(|row| minute(&row.external_id))
        .collect()
}

async fn missing(outbox: &Outbox, span: &Span) -> Vec<String> {
    outbox.missing(span, 100).await.unwrap().into_iter().map(|missing| minute(&missing.external_id)).collect()
}

#[tokio::test]
async fn a_revision_is_staged_once_however_often_it_is_read_and_reopened() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..3 {
        let outbox = Outbox::open(folder.path(), SERVER).await.unwrap();
        let staged = outbox.stage(&entries(1..=3, 1), false, NOW).await.unwrap();
        let expected = if round == 0 { (3, 0) } else { (0, 3) };
        assert_eq!((staged.new, staged.known), expected);
        assert_eq!(waiting(&outbox).await, ["1", "2", "3"]);
        assert_eq!(outbox.level(), Level { waiting: 3, filling: false, sent: Sent::default() });
    }
    let outbox = Outbox::open(folder.path(), SERVER).await.unwrap();
    let mut edited = sighting(2, 1);
    edited.post.edited_at = Some(edited.post.posted_at + Duration::MINUTE);
    let staged = outbox.stage(&[Entry::of(&edited).unwrap()], false, NOW).await.unwrap();
    assert_eq!(staged.new, 1, "an edit is another revision");
    let staged = outbox.stage(&entries(1..=1, 1), true, NOW).await.unwrap();
    assert_eq!(staged.new, 1, "asked to send again");
    assert_eq!(waiting(&outbox).await, ["1", "2", "3", "2", "1"]);
}

#[tokio::test]
async fn settled_rows_are_gone_and_their_ids_never_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(folder.path(), SERVER).await.unwrap();
    outbox.stage(&entries(1..=4, 1), false, NOW).await.unwrap();
    let rows = outbox.load(FROM_THE_START, 1000, usize::MAX).await.unwrap();
    let post_id = uuid::Uuid::nil();
    let results = [
        PostStatus::Stored { post_id },
        PostStatus::Revision { post_id },
        PostStatus::Duplicate { post_id, disputed: false },
        PostStatus::Rejected { reason: "channel is blocked".into() },
    ];
    let results: Vec<PostResult> =
        results.into_iter().map(|status| PostResult { external_id: "?".into(), status }).collect();
    let sent = outbox.settle(&rows, &results, NOW).await.unwrap();
    assert_eq!(sent, Sent { stored: 1, revisions: 1, duplicates: 1, rejected: 1 });
    assert!(waiting(&outbox).await.is_empty());
    assert!(outbox.settle(&rows, &results, NOW).await.is_err(), "a row is settled once");
    drop(outbox);
    let outbox = Outbox::open(folder.path(), SERVER).await.unwrap();
    let report = Report::read(folder.path()).await.unwrap().unwrap();
    assert_eq!((report.sent, report.waiting, report.refused), (sent, 0, 1));
    assert_eq!(report.latest_refused[0].reason, "channel is blocked");
    outbox.stage(&entries(5..=5, 1), false, NOW).await.unwrap();
    assert!(
        outbox.load(Ahead { after: rows[3].id, until: None }, 1000, usize::MAX).await.unwrap().len() == 1,
        "a new id lies behind all old ones"
    );
    assert_eq!(outbox.retry_refused(NOW).await.unwrap(), 1);
    assert_eq!(waiting(&outbox).await, ["5", "4"]);
    assert_eq!(Report::read(folder.path()).await.unwrap().unwrap().refused, 0);
}

#[tokio::test]
async fn what_is_not_acceptable_is_kept_with_its_reason_and_blocks_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(folder.path(), SERVER).await.unwrap();
    let mut nul = sighting(1, 1);
    nul.post.content = "a\0b".into();
    let mut long = sighting(2, 1);
    let part = "\"".repeat(shared::post::MAX_TEXT_BYTES);
    let embed = shared::post::Embed { description: Some(part), ..Default::default() };
    long.post.embeds = vec![embed; 20];
    let channel = nul.post.channel.clone();
    let undecodable = Entry::Undecodable { channel, raw: "17".into(), reason: "no object".into() };
    let batch =
        [Entry::of(&nul).unwrap(), Entry::of(&long).unwrap(), undecodable, entries(3..=3, 1).remove(0)];
    let staged = outbox.stage(&batch, false, NOW).await.unwrap();
    assert_eq!(staged, Staged { new: 1, known: 0, refused: 3 });
    let staged = outbox.stage(&batch, false, NOW).await.unwrap();
    assert_eq!(staged, Staged { new: 0, known: 4, refused: 0 }, "read again, they are the same refusals");
    assert_eq!(waiting(&outbox).await, ["3"]);
    let report = Report::read(folder.path()).await.unwrap().unwrap();
    let reasons: Vec<&str> = report.latest_refused.iter().map(|refusal| refusal.reason.as_str()).collect();
    assert_eq!(reasons[0], "no object");
    assert!(reasons[1].contains("as JSON, more than the limit of"), "{}", reasons[1]);
    assert_eq!(reasons[2], "post.content: holds a NUL character");
    assert_eq!(outbox.retry_refused(NOW).await.unwrap(), 2, "what could not be decoded cannot be sent");
}

#[tokio::test]
async fn only_what_an_older_export_had_and_this_one_lacks_inside_its_span_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(folder.path(), SERVER).await.unwrap();
    outbox.stage(&entries(1..=6, 1), false, NOW).await.unwrap();
    outbox.stage(&entries([2, 3, 5], 2), false, NOW).await.unwrap();
    assert_eq!(missing(&outbox, &span(2, 5, 2)).await, ["4"], "1 and 6 lie outside");
    assert!(missing(&outbox, &span(2, 5, 1)).await.is_empty(), "the same export lacks nothing");
    outbox.stage(&entries([4], 3), false, NOW).await.unwrap();
    assert!(
        missing(&outbox, &span(2, 5, 2)).await.is_empty(),
        "a younger export has it: the older one has a gap"
    );
    assert_eq!(missing(&outbox, &span(1, 6, 4)).await, ["1", "2", "3", "4", "5", "6"]);
    let mut gone = sighting(5, 4);
    gone.post.deleted_at = Some(gone.seen_at);
    gone.post.content.clear();
    outbox.stage(&[Entry::of(&gone).unwrap()], false, NOW).await.unwrap();
    assert_eq!(missing(&outbox, &span(3, 6, 4)).await, ["3", "4", "6"], "5 has its tombstone");
    let elsewhere = ChannelRef { external_id: "11".into(), ..span(1, 6, 4).channel };
    assert!(missing(&outbox, &Span { channel: elsewhere, ..span(1, 6, 4) }).await.is_empty());
}

#[tokio::test]
async fn what_was_refused_in_every_form_is_never_missing() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(folder.path(), SERVER).await.unwrap();
    let nul = |id, edited: i64| {
        let mut refused = sighting(id, 1);
        refused.post.content = "a\0b".into();
        refused.post.edited_at = (edited > 0).then(|| refused.post.posted_at + Duration::minutes(edited));
        Entry::of(&refused).unwrap()
    };
    let good = entries([3], 1).remove(0);
    let staged = outbox.stage(&[nul(2, 0), nul(2, 1), nul(3, 1), good], false, NOW).await.unwrap();
    assert_eq!((staged.new, staged.refused), (1, 3));
    assert_eq!(missing(&outbox, &span(1, 6, 2)).await, ["3"], "one form of it was sent");
    outbox.retry_refused(NOW).await.unwrap();
    assert_eq!(missing(&outbox, &span(1, 6, 2)).await, ["2", "3"], "now the server may have it");
}

#[tokio::test]
async fn a_crosspost_is_missing_only_where_its_original_was_posted() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(folder.path(), SERVER).await.unwrap();
    let mut copy = sighting(2, 1);
    copy.post.posted_at = sighting(5, 1).post.posted_at;
    outbox.stage(&[Entry::of(&copy).unwrap()], false, NOW).await.unwrap();
    assert!(missing(&outbox, &span(4, 6, 2)).await.is_empty(), "the original lies in front of this span");
    assert_eq!(missing(&outbox, &span(1, 6, 2)).await, ["2"]);
}

#[tokio::test]
async fn an_outbox_has_one_server_and_one_writer() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(folder.path(), SERVER).await.unwrap();
    let second = Outbox::open(folder.path(), SERVER).await.unwrap_err();
    assert!(matches!(second, OutboxError::InUse { .. }), "{second}");
    assert!(Report::read(folder.path()).await.unwrap().is_some(), "status works meanwhile");
    drop(outbox);
    let other = Outbox::open(folder.path(), "https://b.example").await.unwrap_err();
    assert!(other.to_string().contains("belongs to the server http://127.0.0.1:1, not to https://b.example"));
    assert_eq!(crate::failure::Failure::from(other).code(), 78);
}

#[tokio::test]
async fn reading_ahead_stops_at_the_given_size() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(folder.path(), SERVER).await.unwrap();
    outbox.stage(&entries(1..=9, 1), false, NOW).await.unwrap();
    assert_eq!(outbox.load(FROM_THE_START, 4, usize::MAX).await.unwrap().len(), 4);
    let size = outbox.load(FROM_THE_START, 1, usize::MAX).await.unwrap()[0].body.len();
    assert_eq!(
        outbox.load(FROM_THE_START, 100, size * 2 + 1).await.unwrap().len(),
        3,
        "enough to reach the size"
    );
    assert!(Report::read(&folder.path().join("none")).await.unwrap().is_none());
}
