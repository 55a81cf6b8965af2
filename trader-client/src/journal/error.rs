//! What can go wrong with a journal, in words for the person whose journal it is.

use std::path::PathBuf;

/// What can go wrong with a journal.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The database did not do what it was asked.
    #[error("journal {}: {what} failed: {source}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What was attempted.
        what: &'static str,
        /// The reason.
        source: sqlx::Error,
    },
    /// The file could not be opened or brought up to date.
    #[error("journal {}: {reason}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The journal belongs to somebody else.
    #[error(
        "journal {}: it belongs to {what} {theirs:?}, and the config says {ours:?}: set it back, or choose another \
         --data-dir",
        path.display()
    )]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// `account`, `mode` or `server`.
        what: &'static str,
        /// What the journal says.
        theirs: String,
        /// What the config says.
        ours: String,
    },
    /// The paper exchange's file beside the journal is not the one that the journal was written with.
    #[error(
        "journal {}: the paper exchange's file beside it belongs to another account: put back the file that was \
         there, or choose another --data-dir to begin a new account",
        path.display()
    )]
    Separated {
        /// The file.
        path: PathBuf,
    },
    /// A row cannot be what it should be.
    #[error("journal {}: table {table}, row {number} is corrupt: {reason}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// The table.
        table: &'static str,
        /// The row.
        number: i64,
        /// The reason.
        reason: String,
    },
    /// Played again, an input gave other commands than when it was journaled.
    #[error(
        "journal {}: input {number} gives other commands than those journaled: it was written by another version of \
         this program. Finish its open trades with that version, or choose another --data-dir",
        path.display()
    )]
    Diverged {
        /// The file.
        path: PathBuf,
        /// The input.
        number: i64,
    },
}
