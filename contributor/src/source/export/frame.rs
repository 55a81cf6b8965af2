//! Walks through the JSON of an export and hands on each message's text.
//!
//! Entry point: [`walk`]. Only the frame is interpreted here: the head, the list of messages, and the count at the end.
//! Invariant: a message is handed on as soon as its last byte has been read, before anything behind it is looked at.

use std::cell::Cell;
use std::fmt;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;
use shared::post::{ChannelRef, Source};

use super::{ExportError, Head, MAX_MESSAGE_BYTES, Stopped, message};
use crate::source::lenient::Id;

/// Receives each message.
type Each<'e> = &'e mut dyn FnMut(&Head, Found<'_>) -> Result<(), Stopped>;

/// One message of the list.
pub(super) struct Found<'c> {
    pub(super) channel: &'c ChannelRef,
    /// Its JSON, byte for byte.
    pub(super) raw: String,
    /// How many bytes of the file have been read.
    pub(super) read_to: u64,
}

/// What was walked through.
#[derive(Debug)]
pub(super) struct Walked {
    pub(super) head: Head,
    pub(super) messages: u64,
}

/// Where we are, seen from the reader below the JSON parser and from the visitors above it.
#[derive(Debug, Default)]
struct Progress {
    /// Bytes read.
    byte: Cell<u64>,
    /// The first byte that is no space, and its place.
    first: Cell<Option<(u64, u8)>>,
    /// Reading beyond this byte means that one message is too long.
    limit: Cell<u64>,
    messages: Cell<u64>,
    place: Cell<Place>,
    stopped: Cell<bool>,
}

/// The part of the file that is being read.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    #[default]
    Start,
    Head,
    Messages,
    Tail,
    End,
}

impl Place {
    /// What must follow here.
    fn expected(self) -> &'static str {
        match self {
            Place::Start => "`{`, the beginning of an export",
            Place::Head => "an object with `guild`, `channel` (with its `id`) and then the list `messages`",
            Place::Messages => "the rest of the list `messages`, then `messageCount` and `}`",
            Place::Tail => "`messageCount` and `}`",
            Place::End => "the end of the file",
        }
    }
}

/// Walks through `input`, which begins behind a mark of so many bytes.
pub(super) fn walk(path: &Path, input: (impl Read, u64), each: Each<'_>) -> Result<Walked, ExportError> {
    let (input, mark) = input;
    let progress = Progress::default();
    progress.byte.set(mark);
    progress.limit.set(mark + MAX_MESSAGE_BYTES);
    let mut json = serde_json::Deserializer::from_reader(Counting { input, progress: &progress });
    let mut walk = Walk { head: Head::default(), stated: None, progress: &progress, each };
    let parsed = RootSeed(&mut walk).deserialize(&mut json).and_then(|()| {
        progress.place.set(Place::End);
        progress.limit.set(u64::MAX);
        json.end()
    });
    let (head, stated) = (walk.head, walk.stated);
    let messages = progress.messages.get();
    match parsed {
        Err(_) if progress.stopped.get() => Ok(Walked { head, messages }),
        Err(error) => Err(explain(path, &progress, error)),
        Ok(()) if stated == Some(messages) => Ok(Walked { head, messages }),
        Ok(()) => Err(ExportError::CountDiffers {
            file: path.to_owned(),
            byte: progress.byte.get(),
            stated: stated.map_or_else(|| "missing".to_owned(), |count| count.to_string()),
            messages,
        }),
    }
}

/// Puts the parser's error into words, with the byte where it arose.
fn explain(path: &Path, progress: &Progress, error: serde_json::Error) -> ExportError {
    let file = path.to_owned();
    let (byte, messages, place) = (progress.byte.get(), progress.messages.get(), progress.place.get());
    let problem = without_position(&error);
    // The byte at fault has been read already.
    let at_fault = byte.saturating_sub(1);
    let expected = place.expected();
    match error.classify() {
        Category::Io => ExportError::Unreadable { file, byte, source: error.into() },
        _ if place == Place::Start => {
            let (byte, found) = match progress.first.get() {
                Some((at, first)) => (at, format!("`{}`", first.escape_ascii())),
                None => (byte, "the file is empty".to_owned()),
            };
            ExportError::NotAnExport { file, byte, found, expected }
        }
        Category::Eof => ExportError::CutOff { file, byte, messages, expected },
        Category::Syntax | Category::Data if place == Place::Head => {
            ExportError::NotAnExport { file, byte: at_fault, found: problem, expected }
        }
        Category::Syntax | Category::Data => {
            ExportError::Damaged { file, byte: at_fault, messages, problem, expected }
        }
    }
}

/// The error's text without "at line 1 column 7": the byte is named instead.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(problem, _)| problem.to_owned())
}

/// Counts the bytes that the parser takes, one by one, and stops it inside an endless message.
struct Counting<'p, R> {
    input: R,
    progress: &'p Progress,
}

impl<R: Read> Read for Counting<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.input.read(buffer)?;
        let before = self.progress.byte.get();
        if self.progress.first.get().is_none() {
            let mut places = (before..).zip(&buffer[..count]);
            let first = places.find(|(_, byte)| !byte.is_ascii_whitespace());
            self.progress.first.set(first.map(|(at, byte)| (at, *byte)));
        }
        let byte = before + count as u64;
        self.progress.byte.set(byte);
        if byte > self.progress.limit.get() {
            return Err(std::io::Error::other(format!(
                "one message is longer than {MAX_MESSAGE_BYTES} bytes; no Discord message is"
            )));
        }
        Ok(count)
    }
}

/// The state of one walk.
struct Walk<'w> {
    head: Head,
    stated: Option<u64>,
    progress: &'w Progress,
    each: Each<'w>,
}

/// The whole file.
struct RootSeed<'s, 'w>(&'s mut Walk<'w>);

impl<'de> DeserializeSeed<'de> for RootSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RootSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object with `guild`, `channel` and `messages`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let walk = self.0;
        walk.progress.place.set(Place::Head);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "guild" => walk.head.guild = map.next_value::<Guild>()?.id.map(Id::into_text),
                "channel" => walk.head.channel = map.next_value::<Channel>()?.into_ref(),
                "exportedAt" => walk.head.exported_at = map.next_value::<message::Moment>()?.0,
                "messages" => map.next_value_seed(MessagesSeed(walk))?,
                "messageCount" => walk.stated = map.next_value::<Option<u64>>()?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if walk.progress.place.get() == Place::Head {
            return Err(A::Error::custom("the object ends without `messages`"));
        }
        Ok(())
    }
}

/// The list of messages.
struct MessagesSeed<'s, 'w>(&'s mut Walk<'w>);

impl<'de> DeserializeSeed<'de> for MessagesSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        let channel = self.0.head.channel.clone();
        let channel =
            channel.ok_or_else(|| D::Error::custom("`messages` comes before a `channel` with an `id`"))?;
        json.deserialize_seq(MessagesVisitor { channel, walk: self.0 })
    }
}

/// The list of messages of a known channel.
struct MessagesVisitor<'s, 'w> {
    channel: ChannelRef,
    walk: &'s mut Walk<'w>,
}

impl<'de> Visitor<'de> for MessagesVisitor<'_, '_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of messages")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let channel = &self.channel;
        let Walk { head, progress, each, .. } = self.walk;
        progress.place.set(Place::Messages);
        progress.limit.set(progress.byte.get() + MAX_MESSAGE_BYTES);
        while let Some(raw) = list.next_element::<Box<RawValue>>()? {
            progress.messages.set(progress.messages.get() + 1);
            progress.limit.set(progress.byte.get() + MAX_MESSAGE_BYTES);
            let found =
                Found { channel, raw: Box::<str>::from(raw).into_string(), read_to: progress.byte.get() };
            if each(head, found) == Err(Stopped) {
                progress.stopped.set(true);
                return Err(A::Error::custom("stopped"));
            }
        }
        progress.place.set(Place::Tail);
        Ok(())
    }
}

/// `guild`: only its id is wanted.
#[derive(Deserialize)]
struct Guild {
    #[serde(default)]
    id: Option<Id>,
}

/// `channel`.
#[derive(Deserialize)]
struct Channel {
    #[serde(default)]
    id: Option<Id>,
    #[serde(default)]
    name: Option<String>,
}

impl Channel {
    fn into_ref(self) -> Option<ChannelRef> {
        let external_id = self.id?.into_text();
        Some(ChannelRef { source: Source::Discord, external_id, name: self.name.unwrap_or_default() })
    }
}
