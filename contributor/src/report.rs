//! What the user sees of an import: a bar on a terminal, plain lines otherwise, and an account at the end.
//!
//! Entry points: [`Progress`], [`account`], [`complain`]. Progress and complaints go to standard error, results to standard
//! output.

use std::fmt::Display;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::watch;

use crate::failure::Failure;
use crate::import::Filled;
use crate::outbox::{Level, Sent};

/// Without a terminal, one line for so many posts: a million posts make a hundred lines.
const LINE_EVERY: u64 = 10_000;

/// Shows how far an import is.
#[derive(Debug)]
pub struct Progress {
    /// Present on a terminal.
    bar: Option<ProgressBar>,
    /// Bytes of the files that are done.
    before: u64,
    /// Posts at which the next plain line is due.
    next_line: u64,
}

impl Progress {
    /// For the files to be imported. `terminal`: whether somebody watches standard error.
    pub fn new(files: &[PathBuf], terminal: bool) -> Self {
        let total = files.iter().map(|file| size(file)).sum();
        let bar = terminal.then(|| {
            ProgressBar::new(total).with_style(style("{bar:30} {bytes}/{total_bytes}  {elapsed}  {msg}"))
        });
        Self { bar, before: 0, next_line: LINE_EVERY }
    }

    /// Whether standard error is a terminal.
    pub fn watched() -> bool {
        std::io::stderr().is_terminal()
    }

    /// A batch has been staged.
    pub fn advance(&mut self, read_to: u64, filled: &Filled, waiting: u64) {
        let message = format!(
            "read {}, new {}, already known {}, refused {}, waiting {waiting}",
            filled.read, filled.staged.new, filled.staged.known, filled.staged.refused
        );
        if let Some(bar) = &self.bar {
            bar.set_position(self.before + read_to);
            bar.set_message(message);
        } else if filled.read >= self.next_line {
            self.next_line = (filled.read / LINE_EVERY + 1) * LINE_EVERY;
            say(message);
        }
    }

    /// A file has been read, or given up.
    pub fn file_done(&mut self, file: &Path) {
        self.before += size(file);
        if let Some(bar) = &self.bar {
            bar.set_position(self.before);
        }
    }

    /// Everything has been read and is sent at its own time now: shows how much has been, until nothing waits.
    pub async fn replaying(&mut self, mut level: watch::Receiver<Level>) {
        let all = level.borrow().waiting;
        if let Some(bar) = &self.bar {
            bar.set_style(style("{bar:30} {elapsed}  {msg}"));
            bar.set_length(all);
        }
        self.next_line = LINE_EVERY;
        loop {
            let waiting = level.borrow_and_update().waiting;
            self.sent(all.saturating_sub(waiting), all);
            if waiting == 0 || level.changed().await.is_err() {
                break;
            }
        }
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn sent(&mut self, sent: u64, all: u64) {
        let message = format!("sent {sent} of {all}");
        if let Some(bar) = &self.bar {
            bar.set_position(sent);
            bar.set_message(message);
        } else if sent >= self.next_line {
            self.next_line = (sent / LINE_EVERY + 1) * LINE_EVERY;
            say(message);
        }
    }

    /// Everything has been read: shows what still waits until nothing does.
    pub async fn all_read(&mut self, mut level: watch::Receiver<Level>) {
        loop {
            let waiting = level.borrow_and_update().waiting;
            if waiting == 0 {
                break;
            }
            if let Some(bar) = &self.bar {
                bar.set_message(format!("all read, waiting {waiting}"));
            }
            if level.changed().await.is_err() {
                break;
            }
        }
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// How the bar looks.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// The file's size; 0 if it cannot be told (reading it will tell why).
fn size(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |data| data.len())
}

/// The account at the end of an import.
pub fn account(filled: &Filled, sent: Sent, took: Duration) -> String {
    let Filled { read, staged, deletes, .. } = filled;
    let seconds = took.as_secs_f64().max(0.001);
    // A rate for people: exact to the post, for less than 2^52 posts.
    let rate = (*read as f64 / seconds).round();
    let mut text = format!("read {read} posts in {seconds:.1} s ({rate} posts/s)\n");
    text += &format!(
        "outbox: {} new, {} already known, {} refused here, {deletes} deletes inferred\n",
        staged.new, staged.known, staged.refused
    );
    text + &answers(sent)
}

/// A number of things in words: `1 channel`, `2 channels`.
pub fn counted(count: impl Into<u64>, thing: &str) -> String {
    let count = count.into();
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {thing}{plural}")
}

/// What the server answered.
pub fn answers(sent: Sent) -> String {
    let mut text = format!(
        "server: {} sent: {} stored, {} revisions, {} duplicates, {} refused\n",
        sent.total(),
        sent.stored,
        sent.revisions,
        sent.duplicates,
        sent.rejected
    );
    if sent.rejected > 0 {
        text += "`contributor status` shows what was refused and why\n";
    }
    text
}

/// Writes a result to standard output.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| Failure::Other(anyhow::anyhow!("writing the result: {error}")))
}

/// Says on standard error why the program ends.
pub fn complain(failure: &Failure) {
    say(format_args!("contributor: {failure}"));
}

/// Writes a line to standard error. If that is closed, there is nobody left to tell.
pub fn say(line: impl Display) {
    let told = writeln!(std::io::stderr().lock(), "{line}").is_ok();
    if !told {
        tracing::debug!("standard error is closed");
    }
}
