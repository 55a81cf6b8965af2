//! `contributor read` as a program: the batch contract, what it says of bad input, and the explanations.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const CARD: &str = r##"{"id":"c-1","content":"#LTC/USDT LONG\nEntry: 88.4\nTP1: 91.2\nTP2: 94\nSL: 85.9"}"##;
const CHAT: &str = r#"{"id":"c-2","content":"good morning all"}"#;

/// The program in a folder, with nothing of this machine's settings.
fn read(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_contributor"));
    command.current_dir(folder).env_clear().arg("read").stdin(Stdio::null());
    command
}

fn file(folder: &Path, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn answered(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Feeds standard input and waits for the end.
fn fed(mut command: Command, input: &[u8]) -> Output {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn ids(output: &Output) -> Vec<String> {
    let lines: Vec<Value> =
        answered(output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    lines.iter().map(|line| line["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn one_reading_a_line_in_the_same_order_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let file = file(folder.path(), "posts.jsonl", format!("{CARD}\n{CHAT}\n"));
    let done = read(folder.path()).arg(&file).output().unwrap();
    assert!(done.status.success() && done.stderr.is_empty(), "{}", told(&done));
    assert_eq!(ids(&done), ["c-1", "c-2"]);
    let first: Value = serde_json::from_str(answered(&done).lines().next().unwrap()).unwrap();
    assert_eq!((&first["kind"], &first["signals"][0]["sl"]["price"]), (&"signal".into(), &"85.9".into()));
    assert_eq!(first["reader_version"], shared::reading::READER_VERSION);
    let again = fed(read(folder.path()), format!("{CARD}\r\n{CHAT}").as_bytes());
    assert_eq!(
        answered(&again),
        answered(&done),
        "standard input is the default, and line ends do not matter"
    );
    let dash = {
        let mut command = read(folder.path());
        command.arg("-");
        fed(command, CARD.as_bytes())
    };
    assert_eq!(answered(&dash).lines().next(), answered(&done).lines().next());
}

#[test]
fn labels_do_not_change_a_byte_of_the_readings() {
    let folder = tempfile::tempdir().unwrap();
    let labelled = CARD.replacen('{', r#"{"tags":["chat"],"expect":{"kind":"noise"},"#, 1);
    let with = fed(read(folder.path()), labelled.as_bytes());
    assert_eq!(answered(&with), answered(&fed(read(folder.path()), CARD.as_bytes())));
}

#[test]
fn a_bad_line_is_told_with_its_number_and_the_others_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = format!("\u{feff}{CARD}\nno json\n\n{{\"id\":5}}\n").into_bytes();
    text.extend_from_slice(b"{\"id\":\"\xff\"}\n");
    text.extend(format!("{{\"id\":\"long\",\"content\":\"{}\"}}\n{CHAT}", "x".repeat(4 << 20)).into_bytes());
    let file = file(folder.path(), "mixed.jsonl", text);
    let done = read(folder.path()).arg(&file).output().unwrap();
    assert_eq!(done.status.code(), Some(1));
    assert_eq!(ids(&done), ["c-1", "c-2"]);
    let told = told(&done);
    for part in [
        "mixed.jsonl, line 2: not JSON: expected ",
        "mixed.jsonl, line 4: not a post: id: invalid type: integer `5`, expected a string",
        "mixed.jsonl, line 5: not UTF-8 text (byte 7)",
        "mixed.jsonl, line 6: longer than 4194304 bytes",
        "contributor: 4 of 7 lines hold no post",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn what_cannot_be_opened_is_told_in_words() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, part) in [
        (vec!["none.jsonl"], "contributor: opening none.jsonl: No such file"),
        (vec!["."], "contributor: reading .: Is a directory"),
        (vec!["--color", "never", "x"], "--explain"),
        (vec!["--profile", "none.toml", "x"], "contributor: --profile: reading the config file none.toml"),
    ] {
        let done = read(folder.path()).args(&arguments).output().unwrap();
        assert_eq!(done.status.code(), Some(2), "{arguments:?}");
        assert!(told(&done).contains(part), "{}", told(&done));
        assert!(done.stdout.is_empty());
    }
}

#[test]
fn neither_settings_nor_their_absence_matter() {
    let folder = tempfile::tempdir().unwrap();
    file(folder.path(), "contributor.toml", "this is = = no config");
    let done = fed(read(folder.path()), CHAT.as_bytes());
    assert!(done.status.success(), "{}", told(&done));
}

#[test]
fn answers_come_while_the_input_is_still_open_and_a_deaf_reader_ends_it_quietly() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = read(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap());
    writeln!(input, "{CHAT}").unwrap();
    let mut first = String::new();
    answers.read_line(&mut first).unwrap();
    assert!(first.contains("\"c-2\""), "{first}");
    drop(answers);
    // The pipe of the input breaks too, once the program has ended.
    while writeln!(input, "{CHAT}").is_ok() {}
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success() && done.stderr.is_empty(), "{:?} {}", done.status, told(&done));
}

#[test]
fn a_profile_is_checked_with_file_line_and_key() {
    let folder = tempfile::tempdir().unwrap();
    let complaint = |text: &str| {
        let profile = file(folder.path(), "p.toml", text);
        let mut command = read(folder.path());
        command.arg("--profile").arg(profile);
        let done = fed(command, CHAT.as_bytes());
        (done.status.code(), told(&done), ids(&done))
    };
    let (code, told, _) = complaint("market = \"perp\"\nqoute = \"USDT\"\n");
    assert_eq!(code, Some(2));
    assert!(told.contains("p.toml, line 2: unknown key `qoute`; the nearest known key is `quote`"), "{told}");
    let (code, told, _) = complaint("[keywords]\nstop = [\"\"]\n");
    assert_eq!(code, Some(2));
    assert!(told.contains("p.toml: keywords: a phrase of `stop` is empty"), "{told}");
    let (code, _, ids) = complaint("quote = \"USDT\"\nthousands = true\ncallers = [\"99\"]\n");
    assert_eq!((code, ids), (Some(0), vec!["c-2".to_owned()]));
}

#[test]
fn callers_of_a_profile_do_not_silence_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let profile = file(folder.path(), "p.toml", "callers = [\"99\"]\n");
    let mut command = read(folder.path());
    command.arg("--profile").arg(profile);
    assert!(answered(&fed(command, CARD.as_bytes())).contains("\"kind\":\"signal\""));
}

#[test]
fn a_plain_text_is_one_post() {
    let folder = tempfile::tempdir().unwrap();
    let text = "long LTC 88.4\nSL 85.9\nTP 91.2";
    let mut command = read(folder.path());
    command.args(["--text", "-"]);
    let done = fed(command, text.as_bytes());
    assert_eq!(ids(&done), ["text"]);
    let mut command = read(folder.path());
    command.args(["--explain", "--text", "--color", "never", "-"]);
    let done = fed(command, text.as_bytes());
    let shown = answered(&done);
    assert!(shown.ends_with("signal: long LTC; entry 88.4; targets 91.2; stop 85.9\n\n"), "{shown}");
    let mut command = read(folder.path());
    command.args(["--text", "-"]);
    let done = fed(command, b"\xff\xfe");
    assert_eq!(
        (done.status.code(), told(&done).as_str()),
        (Some(2), "contributor: standard input is not UTF-8 text\n")
    );
    let mut command = read(folder.path());
    command.args(["--text", "-"]);
    let done = fed(command, "x".repeat((4 << 20) + 1).as_bytes());
    assert!(told(&done).contains("standard input has more than 4194304 bytes"), "{}", told(&done));
}

#[test]
fn explanations_name_each_post_and_have_no_colours_in_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let evil = CHAT.replace("good morning all", r"\u001b[2Jhello\u202e");
    let mut command = read(folder.path());
    command.arg("--explain");
    let done = fed(command, format!("{CARD}\nbad\n{evil}\n").as_bytes());
    assert_eq!(done.status.code(), Some(1));
    let shown = answered(&done);
    assert!(shown.starts_with("== c-1\n  | "), "{shown}");
    assert!(
        shown.contains("\nsignal: long LTC/USDT; entry 88.4; targets 91.2, 94; stop 85.9\n\n== c-2\n"),
        "{shown}"
    );
    assert!(shown.contains("  | <U+001B>[2Jhello<U+202E>\nnoise: "), "{shown}");
    assert!(!shown.contains('\u{1b}'), "{shown}");
}
