//! Moves export files into the outbox: reads on its own thread, stages in batches, and waits while too much waits.
//!
//! Entry point: [`fill`]. It runs beside [`crate::sender::drain`].
//! Invariants: the valid part of every file is staged, whatever is wrong with the rest; a file with a defect never leads to
//! inferred deletes.

use std::path::{Path, PathBuf};

use shared::post::{Post, Provenance, Sighting};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::mpsc;

use crate::Clock;
use crate::failure::Failure;
use crate::outbox::{Entry, Missing, Outbox, STAGE_BATCH, Span, Staged};
use crate::report::Progress;
use crate::source::export::{self, ExportError, Piece, Stopped, Summary};

/// Reading pauses while more sightings than this wait: enough to keep the server busy for seconds, and an outage of the
/// server does not copy a whole export into the outbox.
pub const MAX_WAITING: u64 = 20_000;
/// A batch is staged when it reaches this size, even if it has fewer posts: it bounds memory.
const STAGE_BYTES: usize = 1024 * 1024;
/// Batches between the reader and the outbox: one is staged while the next is read.
const BATCHES_AHEAD: usize = 2;

/// How to import.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Send known posts again, too.
    pub again: bool,
    /// Take posts that an older export had and this one lacks for deleted.
    pub infer_deletes: bool,
    /// Stage everything before anything is sent, for a replay: the order of sending depends on all of it.
    pub stage_all: bool,
}

/// What an import put into the outbox.
#[derive(Debug, Default)]
pub struct Filled {
    /// How many messages were read.
    pub read: u64,
    /// What became of them.
    pub staged: Staged,
    /// How many posts were found deleted.
    pub deletes: u64,
    /// What was wrong with files, for a person.
    pub problems: Vec<String>,
}

impl Filled {
    fn add(&mut self, staged: Staged) {
        self.staged.new += staged.new;
        self.staged.known += staged.known;
        self.staged.refused += staged.refused;
    }
}

/// Stages every message of the files, one file after the other. A bad file does not keep the others from being read.
pub async fn fill(
    outbox: &Outbox,
    files: &[PathBuf],
    options: Options,
    edge: (Clock, &mut Progress),
) -> Result<Filled, Failure> {
    let (clock, progress) = edge;
    let mut import = Import { outbox, options, clock, filled: Filled::default(), progress };
    for file in files {
        let read = import.file(file).await?;
        if let Ok(summary) = &read {
            tell_rendered(file, summary);
        }
        match read {
            Ok(summary) if options.infer_deletes => import.infer_deletes(file, &summary).await?,
            Ok(_) => {}
            Err(error) => import.problem(error.to_string()),
        }
        import.progress.file_done(file);
    }
    outbox.set_filling(false);
    if !options.stage_all {
        import.progress.all_read(outbox.watch()).await;
    }
    Ok(import.filled)
}

/// No defect, but worth another export: these texts are not equal to what others heard.
fn tell_rendered(file: &Path, summary: &Summary) {
    if summary.rendered > 0 {
        tracing::warn!(
            "{}: {} texts name people as `@name`, so the exporter has rendered them; they are imported as they are, but to have \
             them as their authors wrote them export again with `--markdown false`",
            file.display(),
            summary.rendered
        );
    }
}

struct Import<'i> {
    outbox: &'i Outbox,
    options: Options,
    clock: Clock,
    filled: Filled,
    progress: &'i mut Progress,
}

impl Import<'_> {
    /// The inner result is the file's: the outer one ends the program.
    async fn file(&mut self, file: &Path) -> Result<Result<Summary, ExportError>, Failure> {
        let (batches, mut incoming) = mpsc::channel(BATCHES_AHEAD);
        let (path, now) = (file.to_owned(), (self.clock)());
        let reader = tokio::task::spawn_blocking(move || read_batches(&path, now, &batches));
        while let Some(batch) = incoming.recv().await {
            self.stage(batch).await?;
        }
        reader.await.map_err(|error| Failure::Other(anyhow::anyhow!("reading {}: {error}", file.display())))
    }

    async fn stage(&mut self, batch: Vec<Piece>) -> Result<(), Failure> {
        self.wait_for_room().await;
        let read_to = batch.last().map_or(0, |piece| piece.read_to);
        let entries: Vec<Entry> = batch.into_iter().map(|piece| piece.entry).collect();
        let staged = self.outbox.stage(&entries, self.options.again, (self.clock)()).await?;
        self.filled.read += entries.len() as u64;
        self.filled.add(staged);
        self.progress.advance(read_to, &self.filled, self.outbox.level().waiting);
        Ok(())
    }

    /// Told at once, because sending may take long, and again at the end.
    fn problem(&mut self, problem: String) {
        tracing::warn!("{problem}");
        self.filled.problems.push(problem);
    }

    async fn wait_for_room(&self) {
        if self.options.stage_all {
            return;
        }
        // Fails only if the outbox is gone, and it is borrowed here.
        let room = self.outbox.watch().wait_for(|level| level.waiting <= MAX_WAITING).await.is_ok();
        debug_assert!(room, "the outbox outlives the import");
    }

    /// Stages a tombstone for each post that older exports of this channel had and this file lacks.
    async fn infer_deletes(&mut self, file: &Path, summary: &Summary) -> Result<(), Failure> {
        let span = match &summary.span {
            Some(span) if summary.undecodable == 0 => span,
            None if summary.messages == 0 => return Ok(()),
            unsure => {
                let why = match unsure {
                    Some(_) => format!("{} of its messages could not be decoded", summary.undecodable),
                    None => "it has no plausible `exportedAt`".to_owned(),
                };
                let problem = format!("{}: no deletes were inferred, because {why}", file.display());
                self.problem(problem);
                return Ok(());
            }
        };
        loop {
            let missing = self.outbox.missing(span, STAGE_BATCH).await?;
            if missing.is_empty() {
                return Ok(());
            }
            self.wait_for_room().await;
            let tombstones: Result<Vec<Entry>, _> =
                missing.into_iter().map(|missing| Entry::of(&tombstone(missing, span, file))).collect();
            let tombstones = tombstones.map_err(|error| Failure::Other(error.into()))?;
            let staged = self.outbox.stage(&tombstones, self.options.again, (self.clock)()).await?;
            self.filled.deletes += tombstones.len() as u64;
            self.filled.add(staged);
        }
    }
}

/// A post that is gone, as a sighting that says how that was concluded.
fn tombstone(missing: Missing, span: &Span, file: &Path) -> Sighting {
    let text = |at: OffsetDateTime| at.format(&Rfc3339).unwrap_or_default();
    let raw = serde_json::json!({
        "inferred": "deleted: an earlier export had this post, a later one that covers its time lacks it",
        "id": missing.external_id,
        "export": file.file_name().map(|name| name.to_string_lossy()),
        "exported_at": text(span.exported_at),
        "covers_from": text(span.first),
        "covers_to": text(span.last),
    });
    let post = Post {
        channel: span.channel.clone(),
        external_id: missing.external_id,
        author: missing.author,
        posted_at: missing.posted_at,
        edited_at: None,
        deleted_at: Some(span.exported_at),
        content: String::new(),
        embeds: Vec::new(),
        attachments: Vec::new(),
        reply_to: None,
        forwarded: Vec::new(),
    };
    Sighting {
        post,
        seen_at: span.exported_at,
        provenance: Provenance::Imported,
        raw: raw.to_string(),
        within: None,
    }
}

/// Runs on its own thread. Ends early when nobody receives any more.
fn read_batches(
    path: &Path,
    now: OffsetDateTime,
    batches: &mpsc::Sender<Vec<Piece>>,
) -> Result<Summary, ExportError> {
    let (mut batch, mut bytes) = (Vec::new(), 0);
    let summary = export::read(path, now, |piece| {
        bytes += piece.entry.bytes();
        batch.push(piece);
        if batch.len() < STAGE_BATCH && bytes < STAGE_BYTES {
            return Ok(());
        }
        bytes = 0;
        batches.blocking_send(std::mem::take(&mut batch)).map_err(|_| Stopped)
    });
    // Also in front of a defect: the valid part is kept. A receiver that is gone has been stopped by the user.
    let received = batch.is_empty() || batches.blocking_send(batch).is_ok();
    if !received {
        tracing::debug!("the import was stopped while {} was being read", path.display());
    }
    summary
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tombstone_passes_the_checks_of_the_wire_and_says_how_it_was_concluded() {
        let at = time::macros::datetime!(2026-05-01 12:00 UTC);
        let channel = shared::post::ChannelRef {
            source: shared::post::Source::Discord,
            external_id: "7".into(),
            name: "calls".into(),
        };
        let span = Span { channel, first: at, last: at, exported_at: at + time::Duration::DAY };
        let author = shared::post::Author { external_id: "9".into(), name: "Ann".into(), is_bot: false };
        let missing = Missing { external_id: "42".into(), posted_at: at, author };
        let sighting = tombstone(missing, &span, Path::new("some/folder/may.json"));
        shared::post::check_sighting(&sighting).unwrap();
        assert!(sighting.raw.contains("\"export\":\"may.json\""), "{}", sighting.raw);
        assert_eq!(sighting.post.deleted_at, Some(span.exported_at));
    }
}
