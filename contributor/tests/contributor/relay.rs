//! From an export to a server that misbehaves, through the library: at the end each post is stored once, or refused with a
//! reason, whatever happened on the way.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::support::{KEY, Loopback, Step, dated, export, export_of, message, snowflake};
use contributor::api::Api;
use contributor::config::Settings;
use contributor::failure::Failure;
use contributor::import::{self, Filled, Options};
use contributor::outbox::{Outbox, Report, Sent};
use contributor::replay;
use contributor::report::Progress;
use contributor::sender::{self, Pace};
use time::OffsetDateTime;
use time::macros::datetime;

/// Waits of no length, so that no test waits.
const AT_ONCE: Pace = Pace { first: Duration::ZERO, longest: Duration::ZERO };

fn now() -> OffsetDateTime {
    datetime!(2026-06-01 00:00 UTC)
}

fn api(server: &str, key: &str) -> Api {
    let pairs = [("CONTRIBUTOR__SERVER", server), ("CONTRIBUTOR__API_KEY", key)];
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let settings = Settings::load(None, pairs.into_iter()).unwrap();
    Api::new(&settings.endpoint().unwrap()).unwrap()
}

/// Imports the files into the outbox of `folder` and sends everything.
async fn relay(
    folder: &Path,
    server: &Loopback,
    files: &[&PathBuf],
    options: Options,
) -> Result<(Filled, Sent), Failure> {
    let files: Vec<PathBuf> = files.iter().map(|file| (*file).clone()).collect();
    let outbox = Outbox::open(folder, &server.url).await?;
    let api = api(&server.url, KEY);
    outbox.set_filling(true);
    let mut progress = Progress::new(&files, false);
    tokio::try_join!(
        import::fill(&outbox, &files, options, (now, &mut progress)),
        sender::drain_at(&outbox, &api, (now, AT_ONCE)),
    )
}

async fn report(folder: &Path) -> Report {
    Report::read(folder).await.unwrap().unwrap()
}

fn ids(range: impl IntoIterator<Item = u64>) -> Vec<String> {
    range.into_iter().map(|id| id.to_string()).collect()
}

#[tokio::test]
async fn every_post_arrives_once_and_in_order_and_a_second_import_sends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let server = Loopback::start().await;
    let file = export_of(folder.path(), 1250, 2);
    let (filled, sent) = relay(folder.path(), &server, &[&file], Options::default()).await.unwrap();
    assert_eq!((filled.read, filled.staged.new, sent.stored), (1250, 1250, 1250));
    assert_eq!(server.kept(), ids(1..=1250));
    let requests = server.seen.lock().unwrap().requests;
    let (filled, sent) = relay(folder.path(), &server, &[&file], Options::default()).await.unwrap();
    assert_eq!((filled.staged.new, filled.staged.known, sent.total()), (0, 1250, 0));
    assert_eq!(server.seen.lock().unwrap().requests, requests, "known posts are not sent");
    let again = Options { again: true, ..Options::default() };
    let (_, sent) = relay(folder.path(), &server, &[&file], again).await.unwrap();
    assert_eq!((sent.duplicates, sent.stored), (1250, 0), "unless asked to");
    assert_eq!(report(folder.path()).await.sent.total(), 2500);
}

#[tokio::test]
async fn an_answer_that_is_not_one_is_asked_for_again_until_each_post_is_kept_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = Loopback::start().await;
    let script =
        [Step::Unavailable, Step::Cut, Step::KeepAndCut, Step::Unavailable, Step::TooLarge, Step::KeepAndCut];
    server.seen.lock().unwrap().script = script.into();
    let file = export_of(folder.path(), 300, 2);
    let (_, sent) = relay(folder.path(), &server, &[&file], Options::default()).await.unwrap();
    assert_eq!(server.kept(), ids(1..=300), "each once, in order");
    assert_eq!(sent.stored + sent.duplicates, 300);
    assert!(sent.duplicates > 0, "what was kept before the cut is recognised");
    let batches = server.seen.lock().unwrap().batches.clone();
    assert_eq!(batches[5], 50, "413 halves the batch: {batches:?}");
    assert_eq!(batches.iter().max(), Some(&100), "and the next ones grow again: {batches:?}");
    assert_eq!(report(folder.path()).await.waiting, 0);
}

#[tokio::test]
async fn a_post_that_the_server_refuses_is_kept_with_the_reason_and_holds_up_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let server = Loopback::start().await;
    {
        let mut seen = server.seen.lock().unwrap();
        seen.unacceptable = Some("7".into());
        seen.rejected = Some("99".into());
    }
    let file = export_of(folder.path(), 250, 2);
    let (_, sent) = relay(folder.path(), &server, &[&file], Options::default()).await.unwrap();
    assert_eq!((sent.stored, sent.rejected), (248, 2));
    assert_eq!(server.kept(), ids((1..=250).filter(|id| ![7, 99].contains(id))));
    let refused = report(folder.path()).await.latest_refused;
    let mut told: Vec<(String, String)> =
        refused.into_iter().map(|refusal| (refusal.external_id.unwrap(), refusal.reason)).collect();
    told.sort();
    let expected = [("7", "post.content: said by the test"), ("99", "blocked")];
    assert_eq!(told, expected.map(|(id, reason)| (id.to_owned(), reason.to_owned())));
    {
        let mut seen = server.seen.lock().unwrap();
        (seen.unacceptable, seen.rejected) = (None, None);
    }
    let outbox = Outbox::open(folder.path(), &server.url).await.unwrap();
    assert_eq!(outbox.retry_refused(now()).await.unwrap(), 2);
    let sent = sender::drain_at(&outbox, &api(&server.url, KEY), (now, AT_ONCE)).await.unwrap();
    assert_eq!(sent.stored, 2);
}

#[tokio::test]
async fn a_refusal_that_names_no_post_stops_with_everything_kept() {
    let folder = tempfile::tempdir().unwrap();
    let server = Loopback::start().await;
    server.seen.lock().unwrap().poison = Some("42".into());
    let file = export_of(folder.path(), 250, 2);
    let failure = relay(folder.path(), &server, &[&file], Options::default()).await.unwrap_err();
    assert_eq!(failure.code(), 78, "{failure}");
    assert!(
        failure.to_string().contains("without naming what is wrong with it: said by the test"),
        "{failure}"
    );
    let report = report(folder.path()).await;
    assert_eq!((report.waiting, report.refused), (250 - report.sent.stored, 0), "nothing was given up");
    server.seen.lock().unwrap().poison = None;
    let (_, sent) = relay(folder.path(), &server, &[&file], Options::default()).await.unwrap();
    assert_eq!(sent.total(), report.waiting, "the next run sends what waited");
    assert_eq!(server.kept(), ids(1..=250));
}

#[tokio::test]
async fn a_refused_key_stops_with_everything_kept() {
    let folder = tempfile::tempdir().unwrap();
    let server = Loopback::start().await;
    let outbox = Outbox::open(folder.path(), &server.url).await.unwrap();
    let files = [export_of(folder.path(), 10, 2)];
    outbox.set_filling(true);
    let mut progress = Progress::new(&files, false);
    let stranger = api(&server.url, "cb_wrong");
    let failure = tokio::try_join!(
        import::fill(&outbox, &files, Options::default(), (now, &mut progress)),
        sender::drain_at(&outbox, &stranger, (now, AT_ONCE)),
    )
    .unwrap_err();
    assert_eq!(failure.code(), 78);
    assert!(failure.to_string().contains("refused the API key"), "{failure}");
    let stuck = report(folder.path()).await;
    assert_eq!((stuck.waiting, stuck.in_use, stuck.trouble_since), (10, true, Some(now())));
    assert!(stuck.trouble.is_some_and(|trouble| trouble.contains("refused the API key")));
    outbox.set_filling(false);
    let sent = sender::drain_at(&outbox, &api(&server.url, KEY), (now, AT_ONCE)).await.unwrap();
    assert_eq!(sent.stored, 10);
    drop(outbox);
    let done = report(folder.path()).await;
    assert_eq!((done.in_use, done.trouble), (false, None), "what is over is not told");
}

#[tokio::test]
async fn the_valid_part_of_a_bad_file_is_sent_and_the_next_file_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let server = Loopback::start().await;
    let cut = export_of(folder.path(), 20, 2);
    let text = std::fs::read(&cut).unwrap();
    std::fs::write(&cut, &text[..text.len() - 40]).unwrap();
    let not_one = folder.path().join("notes.json");
    std::fs::write(&not_one, "[1,2,3]").unwrap();
    let good = export(folder.path(), &[message(100)], 3);
    let infer = Options { infer_deletes: true, ..Options::default() };
    let (filled, _) = relay(folder.path(), &server, &[&cut, &not_one, &good], infer).await.unwrap();
    assert_eq!(filled.problems.len(), 2, "{:?}", filled.problems);
    assert!(filled.problems[0].contains("is cut off at byte"), "{}", filled.problems[0]);
    assert!(filled.problems[1].contains("is not a DiscordChatExporter JSON export: byte 0"));
    assert_eq!(server.kept(), ids((1..=19).chain([100])), "the 20th message was not complete");
}

#[tokio::test]
async fn a_post_that_a_later_export_lacks_gets_a_tombstone_when_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let server = Loopback::start().await;
    let first = export(folder.path(), &(1..=9).map(dated).collect::<Vec<_>>(), 2);
    relay(folder.path(), &server, &[&first], Options::default()).await.unwrap();
    let later: Vec<String> = [2, 3, 5, 8, 10].map(dated).into();
    let later = export(folder.path(), &later, 3);
    let (filled, _) = relay(folder.path(), &server, &[&later], Options::default()).await.unwrap();
    assert_eq!(filled.deletes, 0, "off by default");
    let infer = Options { infer_deletes: true, ..Options::default() };
    let (filled, _) = relay(folder.path(), &server, &[&later], infer).await.unwrap();
    assert_eq!(filled.deletes, 4);
    let kept = server.seen.lock().unwrap().kept.clone();
    let tombstones: Vec<&str> =
        kept.iter().filter(|(_, revision)| *revision == i64::MAX).map(|(id, _)| id.as_str()).collect();
    assert_eq!(tombstones, [4, 6, 7, 9].map(snowflake), "1 lies before the file's first post");
    let (filled, sent) = relay(folder.path(), &server, &[&later, &first], infer).await.unwrap();
    assert_eq!((filled.deletes, sent.total()), (0, 0), "told once, and an older export tells nothing new");
}

#[tokio::test]
async fn nothing_is_inferred_from_a_file_with_messages_that_cannot_be_decoded() {
    let folder = tempfile::tempdir().unwrap();
    let server = Loopback::start().await;
    relay(folder.path(), &server, &[&export_of(folder.path(), 5, 2)], Options::default()).await.unwrap();
    let later = export(folder.path(), &[message(1), "{\"id\":\"3\"}".to_owned(), message(5)], 3);
    let infer = Options { infer_deletes: true, ..Options::default() };
    let (filled, _) = relay(folder.path(), &server, &[&later], infer).await.unwrap();
    assert_eq!((filled.deletes, filled.staged.refused), (0, 1));
    assert!(filled.problems[0].contains("no deletes were inferred, because 1 of its messages"));
}

#[tokio::test]
async fn a_replay_sends_everything_in_the_order_in_which_it_came_to_be_across_files() {
    let folder = tempfile::tempdir().unwrap();
    let server = Loopback::start().await;
    let late = export(folder.path(), &[2, 4, 6].map(message), 3);
    let early = export(folder.path(), &[1, 3, 5].map(message), 2);
    let outbox = Outbox::open(folder.path(), &server.url).await.unwrap();
    let mut progress = Progress::new(&[], false);
    let all = Options { stage_all: true, ..Options::default() };
    let filled = import::fill(&outbox, &[late, early], all, (now, &mut progress)).await.unwrap();
    assert_eq!(filled.staged.new, 6);
    assert!(server.kept().is_empty(), "nothing is sent before all is known");
    let speed = "1e9".parse().unwrap();
    let sent = replay::play(&outbox, &api(&server.url, KEY), speed, now).await.unwrap();
    assert_eq!(sent.stored, 6);
    assert_eq!(server.kept(), ids(1..=6));
}

#[tokio::test]
async fn another_text_under_a_known_revision_is_sent_once_and_never_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let server = Loopback::start().await;
    let altered = message(2).replace("post 2", "another text");
    let one_file = export(folder.path(), &[message(1), message(2), altered.clone()], 2);
    let (filled, sent) = relay(folder.path(), &server, &[&one_file], Options::default()).await.unwrap();
    assert_eq!((filled.staged.new, sent.stored, sent.duplicates), (3, 2, 1), "twice in one file");
    let again = altered.replace("another", "a third");
    let other_file = export(folder.path(), &[message(1), altered, again], 3);
    for new in [1, 0] {
        let (filled, sent) = relay(folder.path(), &server, &[&other_file], Options::default()).await.unwrap();
        assert_eq!((filled.staged.new, sent.duplicates), (new, new), "in another file, once");
    }
}
