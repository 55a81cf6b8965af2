//! The reader against the project's own labelled posts: `corpus/*.jsonl`, in the form of the batch contract.
//!
//! A post that was misread becomes a case there first. What may never happen is asserted as such; the other figures have
//! floors, which are raised when the reader gets better. `cargo test -p shared --test corpus -- --nocapture` shows all.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::grader::{Grade, reading_of_label};
use serde_json::Value;
use shared::batch::{line_of_reading, post_of_line};
use shared::reading::ChannelProfile;

/// The fewest posts that make a corpus.
const MIN_POSTS: usize = 1_000;
/// The mean F1 of signal, update and noise. This floor and the next ones are raised with every improvement.
const MIN_MACRO_F1: f64 = 0.97;
/// The share of labelled signals that are answered.
const MIN_COVERAGE: f64 = 0.97;
/// The share of answered signals with base, side, entry, targets and stop all right.
const MIN_CORE_EXACT: f64 = 0.99;
/// The share of labelled updates that are right in everything.
const MIN_UPDATE_EXACT: f64 = 0.95;

/// The lines of each file, by its name.
fn corpus() -> BTreeMap<String, Vec<String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            files.insert(name, text.lines().map(str::to_owned).collect());
        }
    }
    files
}

/// What the batch command answers.
fn read(line: &str) -> Value {
    let (id, post) = post_of_line(line).unwrap();
    let reading = shared::reading::read(&post, &ChannelProfile::default());
    serde_json::from_str(&line_of_reading(&id, &post, &reading)).unwrap()
}

/// The posts that were graded, for the list of wrong ones.
type Contents = BTreeMap<String, String>;

fn content(labelled: &Value) -> String {
    match &labelled["embeds"] {
        Value::Null => labelled["content"].to_string(),
        embeds => format!("{} embeds {embeds}", labelled["content"]),
    }
}

fn shown(grade: &Grade, contents: &Contents) -> String {
    let (mut shown, mut last) = (String::new(), "");
    for (id, problem) in &grade.wrong {
        if id != last {
            shown += &format!("{id}: {}\n", contents.get(id).map_or("", String::as_str));
            last = id;
        }
        shown += &format!("    {problem}\n");
    }
    shown
}

#[test]
fn the_reader_keeps_its_floors_on_the_corpus_and_does_nothing_dangerous() {
    let (mut whole, mut contents) = (Grade::default(), Contents::new());
    for (name, lines) in corpus() {
        let mut part = Grade::default();
        for line in &lines {
            let labelled: Value = serde_json::from_str(line).unwrap();
            let reading = read(line);
            part.case(&labelled, &reading);
            whole.case(&labelled, &reading);
            contents.insert(labelled["id"].as_str().unwrap().to_owned(), content(&labelled));
        }
        println!("{name:12} {}", part.line());
    }
    println!("\n{}\n{}", shown(&whole, &contents), whole.table());
    assert!(whole.dangerous.is_empty(), "dangerous readings of {:?}", whole.dangerous);
    assert!(whole.false_accepts.is_empty(), "signals accepted from {:?}", whole.false_accepts);
    for (name, reached, floor) in [
        ("macro_f1", whole.macro_f1(), MIN_MACRO_F1),
        ("coverage", whole.coverage(), MIN_COVERAGE),
        ("core_exact", whole.core_exact(), MIN_CORE_EXACT),
        ("update_exact", whole.update_exact(), MIN_UPDATE_EXACT),
    ] {
        assert!(reached >= floor, "{name} is {reached:.3}, below its floor of {floor}");
    }
}

/// What only sounds like a follow-up, and its neighbours that are some: a rule that breaks shows here at once.
#[test]
fn follow_ups_and_what_only_sounds_like_them_are_told_apart() {
    let (mut grade, mut contents) = (Grade::default(), Contents::new());
    for line in corpus().remove("follow_ups").unwrap_or_default() {
        let labelled: Value = serde_json::from_str(&line).unwrap();
        grade.case(&labelled, &read(&line));
        contents.insert(labelled["id"].as_str().unwrap().to_owned(), content(&labelled));
    }
    assert!(!contents.is_empty() && grade.wrong.is_empty(), "{}", shown(&grade, &contents));
}

/// Posts that the reader was not built by: what it makes of them is printed, and only danger is refused. Whoever wants to
/// learn from them moves them into the corpus and writes others here.
#[test]
fn unseen_posts_are_read_without_danger() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/unseen/callers.jsonl");
    let mut unseen = Grade::default();
    for line in std::fs::read_to_string(path).unwrap().lines() {
        unseen.case(&serde_json::from_str(line).unwrap(), &read(line));
    }
    println!("unseen: {}", unseen.line());
    assert!(unseen.dangerous.is_empty(), "dangerous readings of {:?}", unseen.dangerous);
}

#[test]
fn every_label_is_well_formed_and_agrees_with_itself() {
    let (mut whole, mut ids, mut posts) = (Grade::default(), BTreeSet::new(), 0);
    for (name, lines) in corpus() {
        for (at, line) in lines.iter().enumerate() {
            let place = format!("{name}.jsonl, line {}", at + 1);
            let labelled: Value =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{place}: {error}"));
            let (id, _) = post_of_line(line).unwrap_or_else(|error| panic!("{place}: {error}"));
            assert!(
                labelled["expect"]["kind"].is_string() && labelled["tags"].is_array(),
                "{place}: no label"
            );
            assert!(ids.insert(id.clone()), "{place}: {id} stands twice");
            whole.case(&labelled, &reading_of_label(&labelled));
            posts += 1;
        }
    }
    assert!(posts >= MIN_POSTS, "only {posts} posts");
    assert!(whole.wrong.is_empty(), "{}", shown(&whole, &Contents::new()));
    assert!(whole.macro_f1() > 0.999, "{}", whole.line());
}

#[test]
fn readings_do_not_depend_on_labels() {
    for line in corpus().into_values().flatten() {
        let mut bare: Value = serde_json::from_str(&line).unwrap();
        let removed = ["tags", "expect"].map(|key| bare.as_object_mut().unwrap().remove(key));
        assert!(removed.iter().all(Option::is_some));
        assert_eq!(read(&line), read(&bare.to_string()));
    }
}
