//! What reading again has found or done, for the host: a table of the kinds of change, examples, and what follows.
//!
//! Entry points: [`Report::note`], [`Report::count`], and its `Display`. Invariant: its size is bounded by the kinds of
//! change and the examples wanted, not by the posts.

use std::collections::BTreeMap;
use std::fmt;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Wish;
use super::compare::Change;

/// The table, filled batch by batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    applied: bool,
    since: Option<OffsetDateTime>,
    examples: usize,
    messages: u64,
    deleted: u64,
    older: u64,
    unpublished: u64,
    unreadable: u64,
    readings: u64,
    lines: BTreeMap<Change, Line>,
    events: BTreeMap<&'static str, u64>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Line {
    messages: u64,
    examples: Vec<String>,
}

impl Report {
    /// An empty one for what is wished.
    pub fn new(wish: &Wish) -> Self {
        Self { applied: wish.apply, since: wish.wanted.since, examples: wish.examples, ..Self::default() }
    }

    /// How many messages were looked at.
    pub fn messages(&self) -> u64 {
        self.messages
    }

    /// How many readings are new.
    pub fn readings(&self) -> u64 {
        self.readings
    }

    /// How many events follow.
    pub fn events(&self) -> u64 {
        self.events.values().sum()
    }

    /// Counts a message whose newest revision is a tombstone: nothing is decided about it.
    pub(super) fn note_deleted(&mut self) {
        self.messages += 1;
        self.deleted += 1;
    }

    /// Counts a message by the change of its newest revision; the example is made only when one is wanted.
    pub(super) fn note(&mut self, changes: impl IntoIterator<Item = Change>, example: impl Fn() -> String) {
        self.messages += 1;
        for change in changes {
            let line = self.lines.entry(change).or_default();
            line.messages += 1;
            if change != Change::None && line.examples.len() < self.examples {
                line.examples.push(example());
            }
        }
    }

    /// Counts a revision that a later one has replaced and that reads differently.
    pub(super) fn note_older(&mut self) {
        self.older += 1;
    }

    /// Counts a message of a channel that is not published.
    pub(super) fn note_unpublished(&mut self) {
        self.unpublished += 1;
    }

    /// Counts a message that cannot be read.
    pub(super) fn note_unreadable(&mut self) {
        self.messages += 1;
        self.unreadable += 1;
    }

    /// How many messages could not be read: their rows are corrupt.
    pub fn unreadable(&self) -> u64 {
        self.unreadable
    }

    /// Counts what follows.
    pub(super) fn count(&mut self, readings: usize, events: impl IntoIterator<Item = &'static str>) {
        self.readings += u64::try_from(readings).unwrap_or(u64::MAX);
        for kind in events {
            *self.events.entry(kind).or_default() += 1;
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width =
            self.lines.keys().map(|change| change.to_string().chars().count()).max().unwrap_or(0).max(6);
        writeln!(f, "{:width$}  messages", "change")?;
        for (change, line) in &self.lines {
            writeln!(f, "{change:width$}  {:>8}", line.messages)?;
            for example in &line.examples {
                writeln!(f, "    {example}")?;
            }
        }
        writeln!(f, "{:width$}  {:>8}", "all", self.messages)?;
        for (count, what) in [
            (self.deleted, "messages were deleted: their signals stay withdrawn"),
            (
                self.older,
                "older revisions read differently: their readings are renewed, and later revisions decide",
            ),
            (
                self.unpublished,
                "changed messages are of channels that are not published: only their readings are renewed",
            ),
            (
                self.unreadable,
                "messages cannot be read: their rows are corrupt, and the log above says which",
            ),
        ] {
            if count > 0 {
                writeln!(f, "{count} {what}")?;
            }
        }
        self.fmt_outcome(f)
    }
}

impl Report {
    fn fmt_outcome(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.messages == 0 {
            f.write_str("nothing to do: no message was posted")?;
            return self.since.map_or(Ok(()), |since| write!(f, " since {}", spelled(since)));
        }
        if self.readings == 0 && self.events() == 0 {
            return write!(f, "nothing to do: every stored reading is today's");
        }
        let did = if self.applied { "stored" } else { "--apply would store" };
        write!(f, "{did} {} new readings beside the old ones", self.readings)?;
        if self.events() == 0 {
            return write!(f, ", and tell nobody: no signal or update changes");
        }
        let told = if self.applied { "told" } else { "tell" };
        write!(f, ", and {told} {} events:", self.events())?;
        for (kind, count) in &self.events {
            write!(f, "\n{count:>8} {}", meaning(kind))?;
        }
        if !self.applied {
            write!(
                f,
                "\nfollow-ups to signals that would be new are counted as if those were not there yet"
            )?;
        }
        Ok(())
    }
}

fn spelled(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_else(|_| at.to_string())
}

/// What an event says when it comes from reading again.
fn meaning(kind: &str) -> &str {
    match kind {
        "signal_posted" => "signals found (marked as read again: shown, never traded)",
        "signal_revised" => "signals changed (open trades stay as planned)",
        "signal_withdrawn" => "signals withdrawn (unfilled entries are cancelled)",
        "signal_updated" => "updates found (marked as read again: shown, not acted on)",
        "update_unbound" => "updates found for which there is no signal",
        "update_withdrawn" => "updates withdrawn (what was done about them stays done)",
        "signal_disputed" => "of the signals found are in dispute",
        other => other,
    }
}
