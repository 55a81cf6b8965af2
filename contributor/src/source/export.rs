//! Reads a DiscordChatExporter JSON file (Tyrrrz/DiscordChatExporter), one message in memory at a time.
//!
//! Entry point: [`read`]. `message` decodes one message, `frame` walks through the file.
//! Invariants: each message is kept byte for byte; whatever stands complete before a cut or a defect is handed on before the
//! error is returned; an error names the file, the byte and what was expected there.

mod frame;
mod message;

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};

use shared::post::{ChannelRef, Post, Provenance, Sighting};
use time::OffsetDateTime;

use crate::outbox::{Entry, Span};

/// The longest single message: far above anything that Discord allows, and far below the memory that we promise to need.
pub const MAX_MESSAGE_BYTES: u64 = 8 * 1024 * 1024;

/// What is wrong with a file. Everything complete before that place has been handed on.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The file could not be read.
    #[error("reading {}, byte {byte}: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// How far it could be read.
        byte: u64,
        /// The reason.
        source: std::io::Error,
    },
    /// The file is something else. Nothing was handed on.
    #[error(
        "{} is not a DiscordChatExporter JSON export: byte {byte}: {found}; expected {expected}", file.display()
    )]
    NotAnExport {
        /// The file.
        file: PathBuf,
        /// Where that became clear.
        byte: u64,
        /// What is there.
        found: String,
        /// What should be there.
        expected: &'static str,
    },
    /// The file ends too early.
    #[error(
        "{} is cut off at byte {byte}, after {messages} complete messages: expected {expected}; \
         export the channel again and import the new file",
        file.display()
    )]
    CutOff {
        /// The file.
        file: PathBuf,
        /// Its length.
        byte: u64,
        /// How many messages were complete.
        messages: u64,
        /// What should have followed.
        expected: &'static str,
    },
    /// The file is damaged.
    #[error(
        "{} is damaged at byte {byte}, after {messages} complete messages: {problem}; expected {expected}; \
         export the channel again and import the new file",
        file.display()
    )]
    Damaged {
        /// The file.
        file: PathBuf,
        /// Where.
        byte: u64,
        /// How many messages were complete.
        messages: u64,
        /// What is there.
        problem: String,
        /// What should be there.
        expected: &'static str,
    },
    /// The number of messages is not the one that the file states.
    #[error(
        "{}, byte {byte}: `messageCount` is {stated}, but {messages} messages were read; expected both to be the same: \
         export the channel again and import the new file",
        file.display()
    )]
    CountDiffers {
        /// The file.
        file: PathBuf,
        /// Its length.
        byte: u64,
        /// The number that it states, or `missing`.
        stated: String,
        /// The number that were read.
        messages: u64,
    },
}

/// One message of the file, ready for the outbox.
#[derive(Debug)]
pub struct Piece {
    /// The entry.
    pub entry: Entry,
    /// How many bytes of the file have been read.
    pub read_to: u64,
}

/// Returned by the receiver of pieces when it wants no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped;

/// What a complete file held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// How many messages.
    pub messages: u64,
    /// How many of them could not be decoded.
    pub undecodable: u64,
    /// How many texts the exporter has rendered: they are not as their authors wrote them.
    pub rendered: u64,
    /// What the file covers; absent without a post, or without a plausible `exportedAt`.
    pub span: Option<Span>,
}

/// The head of the file: what stands before the messages.
#[derive(Debug, Clone, Default)]
struct Head {
    guild: Option<String>,
    channel: Option<ChannelRef>,
    exported_at: Option<OffsetDateTime>,
}

/// Reads the file and hands on each message. `now` stands in where the file has no plausible time of its export.
pub fn read(
    path: &Path,
    now: OffsetDateTime,
    mut each: impl FnMut(Piece) -> Result<(), Stopped>,
) -> Result<Summary, ExportError> {
    let unreadable = |source| ExportError::Unreadable { file: path.to_owned(), byte: 0, source };
    let file = File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.is_dir() {
        return Err(ExportError::NotAnExport {
            file: path.to_owned(),
            byte: 0,
            found: "it is a folder".into(),
            expected: "a file",
        });
    }
    read_from(path, BufReader::new(file), now, &mut each)
}

/// [`read`] for an open file; `path` only names it.
fn read_from(
    path: &Path,
    mut input: BufReader<impl Read>,
    now: OffsetDateTime,
    each: &mut dyn FnMut(Piece) -> Result<(), Stopped>,
) -> Result<Summary, ExportError> {
    let mark = skip_byte_order_mark(&mut input).map_err(|source| ExportError::Unreadable {
        file: path.to_owned(),
        byte: 0,
        source,
    })?;
    let mut collected = Collected { now, first_and_last: None, undecodable: 0, rendered: 0 };
    let walked = frame::walk(path, (input, mark), &mut |head, found| {
        let read_to = found.read_to;
        each(Piece { entry: collected.entry(head, found), read_to })
    })?;
    let span = collected.span(&walked.head);
    Ok(Summary {
        messages: walked.messages,
        undecodable: collected.undecodable,
        rendered: collected.rendered,
        span,
    })
}

/// Some programs on Windows put a byte order mark before the text. Returns its length.
fn skip_byte_order_mark(input: &mut BufReader<impl Read>) -> std::io::Result<u64> {
    const MARK: &[u8] = b"\xef\xbb\xbf";
    if !input.fill_buf()?.starts_with(MARK) {
        return Ok(0);
    }
    input.consume(MARK.len());
    Ok(MARK.len() as u64)
}

/// What is learned from the messages as they pass.
struct Collected {
    now: OffsetDateTime,
    first_and_last: Option<(OffsetDateTime, OffsetDateTime)>,
    undecodable: u64,
    rendered: u64,
}

impl Collected {
    /// The message as an entry of the outbox, whatever is wrong with it.
    fn entry(&mut self, head: &Head, found: frame::Found<'_>) -> Entry {
        let (channel, raw) = (found.channel.clone(), found.raw);
        let post = match message::decode(&raw, head.guild.as_deref(), &channel) {
            Ok((post, is_rendered)) => {
                self.rendered += u64::from(is_rendered);
                post
            }
            Err(error) => return self.undecodable(channel, raw, error.to_string()),
        };
        // A copy has its original's time, which may lie before everything that the file covers.
        if post.channel == *found.channel {
            self.cover(&post);
        }
        let seen_at = head.exported_at(self.now).unwrap_or(self.now);
        let within = Some(channel.external_id.clone()).filter(|here| *here != post.channel.external_id);
        let sighting = Sighting { post, seen_at, provenance: Provenance::Imported, raw, within };
        match Entry::of(&sighting) {
            Ok(entry) => entry,
            Err(error) => self.undecodable(channel, sighting.raw, error.to_string()),
        }
    }

    fn undecodable(&mut self, channel: ChannelRef, raw: String, reason: String) -> Entry {
        self.undecodable += 1;
        Entry::Undecodable { channel, raw, reason }
    }

    fn cover(&mut self, post: &Post) {
        let at = post.posted_at;
        let (first, last) = self.first_and_last.unwrap_or((at, at));
        self.first_and_last = Some((first.min(at), last.max(at)));
    }

    fn span(&self, head: &Head) -> Option<Span> {
        let (first, last) = self.first_and_last?;
        let exported_at = head.exported_at(self.now)?;
        Some(Span { channel: head.channel.clone()?, first, last, exported_at })
    }
}

impl Head {
    /// When the export was made, if that can be true: after Discord began (2015), and not in the future.
    fn exported_at(&self, now: OffsetDateTime) -> Option<OffsetDateTime> {
        self.exported_at.filter(|at| at.year() >= 2015 && *at <= now)
    }
}

#[cfg(test)]
mod tests;
