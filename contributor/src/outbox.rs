//! The outbox: what was seen, durable before anything is sent. One SQLite file, owned by one server, written by one process.
//!
//! Entry points: [`Outbox::open`], [`Outbox::stage`], [`Outbox::load`], [`Outbox::settle`], [`Outbox::refuse`].
//! Invariants: each text of a revision of a post is staged once, however often it is read; a row leaves the outbox only in the
//! transaction that counts the server's answer or keeps it as refused; rows are sent in the order in which they were staged.

mod entry;
mod gaps;
mod heard;
mod missing;
mod report;
mod stage;
mod waiting;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, SqlitePool, Transaction};
use time::OffsetDateTime;
use tokio::sync::watch;

pub use entry::{Entry, MAX_SIGHTING_BYTES};
pub(crate) use gaps::keep as keep_gap;
pub(crate) use heard::Changes;
pub use missing::{Missing, Span};
pub use report::{ChannelWaiting, Refusal, Report};
pub use waiting::{Ahead, Sent, Waiting};

/// The most posts in one staging transaction: one fsync for many posts, and a crash costs little to read again.
pub const STAGE_BATCH: usize = 500;
/// The file inside the data folder.
pub const FILE_NAME: &str = "outbox.sqlite";
/// The file beside it that is locked by whoever writes.
const LOCK_NAME: &str = "outbox.lock";
/// How often the lock is asked for before it counts as taken: half a second in all.
const LOCK_ATTEMPTS: u32 = 20;
/// The pause between two attempts to lock.
const LOCK_PAUSE: Duration = Duration::from_millis(25);
/// How long another process's short write (never ours: we hold the lock) may keep us waiting.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Why the outbox cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// Another process holds it.
    #[error(
        "the outbox in {} is in use by another contributor process: wait for it or stop it (`status` works meanwhile)",
        folder.display()
    )]
    InUse {
        /// The data folder.
        folder: PathBuf,
    },
    /// It was made for another server.
    #[error(
        "the outbox in {} belongs to the server {theirs}, not to {ours}: use another --data-dir for the other server, \
         or set `server` back",
        folder.display()
    )]
    OtherServer {
        /// The data folder.
        folder: PathBuf,
        /// The server it belongs to.
        theirs: String,
        /// The server in the settings.
        ours: String,
    },
    /// A file could not be used.
    #[error("{doing} {}: {source}", path.display())]
    File {
        /// What was attempted.
        doing: &'static str,
        /// On which file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// SQLite failed.
    #[error("{doing}: {source}{}", advice(source))]
    Database {
        /// What was attempted.
        doing: &'static str,
        /// The reason.
        source: sqlx::Error,
    },
    /// A row that cannot be read as what it must be.
    #[error("the outbox is corrupt: table {table}, column {column}, row {id}: {problem}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row.
        id: String,
        /// What is wrong.
        problem: String,
    },
}

/// Names what was attempted when SQLite failed.
pub(crate) fn doing(doing: &'static str) -> impl FnOnce(sqlx::Error) -> OutboxError {
    move |source| OutboxError::Database { doing, source }
}

/// What to do when SQLite could not write: 13 is a full disk, 10 and its kinds an input or output error, 8 a read-only file.
fn advice(error: &sqlx::Error) -> &'static str {
    let code =
        error.as_database_error().and_then(|error| error.code()).and_then(|code| code.parse::<u32>().ok());
    // The lower byte is the kind (sqlite.org/rescode.html).
    match code.map(|code| code & 0xff) {
        Some(8 | 10 | 13) => {
            "; make room on the disk (or see what is wrong with it) and start again: what was acknowledged is kept, and \
             the rest is heard or read again"
        }
        _ => "",
    }
}

/// How full the outbox is, for those who wait for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// Sightings that wait to be sent.
    pub waiting: u64,
    /// Whether more may be staged.
    pub filling: bool,
    /// What the server has answered since the outbox was opened.
    pub sent: Sent,
}

/// What became of staged entries.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Staged {
    /// Put into the outbox.
    pub new: u64,
    /// Already known, and therefore left out.
    pub known: u64,
    /// Not acceptable; kept with the reason.
    pub refused: u64,
}

/// The outbox of one contributor.
#[derive(Debug)]
pub struct Outbox {
    pool: SqlitePool,
    level: watch::Sender<Level>,
    /// Whether it is kept that nothing can be sent.
    has_trouble: AtomicBool,
    /// Held for as long as this process may write. The last field: it is dropped after the connection.
    _lock: Lock,
}

/// The locked file. It is unlocked when it is dropped, and not only closed: a child process that is just being started
/// has a copy of every open file, and would keep the lock until it runs its own program.
#[derive(Debug)]
struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        if let Err(error) = self.0.unlock() {
            tracing::debug!("unlocking the outbox: {error}; closing it unlocks it too");
        }
    }
}

impl Outbox {
    /// Opens or creates the outbox of `server` in `folder`, and keeps other processes from writing to it.
    pub async fn open(folder: &Path, server: &str) -> Result<Self, OutboxError> {
        let lock = lock(folder).await?;
        let pool = connect(folder, true).await?;
        sqlx::migrate!().run(&pool).await.map_err(|error| OutboxError::Database {
            doing: "bringing the outbox's tables up to date",
            source: error.into(),
        })?;
        claim(&pool, folder, server).await?;
        let waiting: i64 = sqlx::query_scalar("SELECT count(*) FROM outbox")
            .fetch_one(&pool)
            .await
            .map_err(doing("counting the outbox"))?;
        let has_trouble: bool = sqlx::query_scalar("SELECT trouble IS NOT NULL FROM owner")
            .fetch_one(&pool)
            .await
            .map_err(doing("reading whether posts can be sent"))?;
        let level = Level { waiting: waiting.unsigned_abs(), filling: false, sent: Sent::default() };
        Ok(Self { pool, level: watch::Sender::new(level), has_trouble: has_trouble.into(), _lock: lock })
    }

    /// Watches how full it is.
    pub fn watch(&self) -> watch::Receiver<Level> {
        self.level.subscribe()
    }

    /// How full it is now.
    pub fn level(&self) -> Level {
        *self.level.borrow()
    }

    /// Says whether more may come: the sender ends when the outbox is empty and nothing more comes.
    pub fn set_filling(&self, filling: bool) {
        self.level.send_modify(|level| level.filling = filling);
    }

    /// Keeps the entries, in one transaction. Known ones are left out, unless `again`; another text
    /// under a known revision is not known: the server must hear that sightings differ.
    pub async fn stage(
        &self,
        entries: &[Entry],
        again: bool,
        now: OffsetDateTime,
    ) -> Result<Staged, OutboxError> {
        let mut transaction = self.pool.begin().await.map_err(doing("beginning to stage posts"))?;
        let staged =
            stage::stage(&mut transaction, entries, again, now).await.map_err(doing("staging posts"))?;
        // Before the commit, so that the sender never takes away what has not been added yet.
        self.level.send_modify(|level| level.waiting += staged.new);
        transaction.commit().await.map_err(doing("committing staged posts"))?;
        launch::crash::point("outbox_staged");
        Ok(staged)
    }

    async fn begin(&self) -> Result<Transaction<'static, Sqlite>, OutboxError> {
        self.pool.begin().await.map_err(doing("beginning a change of the outbox"))
    }

    /// The transaction is over: the rows that were answered are no longer waiting.
    fn lower(&self, sent: Sent) {
        self.level.send_modify(|level| {
            level.waiting = level.waiting.saturating_sub(sent.total());
            level.sent.add(sent);
        });
    }
}

/// Microseconds since 1970, as the tables keep times.
pub(crate) fn micros(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX)
}

/// A time of a table.
pub(crate) fn time_of(micros: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000).ok()
}

/// Takes the lock that keeps two processes from sending from one outbox. One that is just ending may finish.
async fn lock(folder: &Path) -> Result<Lock, OutboxError> {
    let path = folder.join(LOCK_NAME);
    let failed = |source| OutboxError::File { doing: "locking", path: path.clone(), source };
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
    for attempt in 1.. {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if attempt < LOCK_ATTEMPTS => tokio::time::sleep(LOCK_PAUSE).await,
            Err(TryLockError::WouldBlock) => return Err(OutboxError::InUse { folder: folder.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
    }
    Ok(Lock(file))
}

/// Whether another process writes to the outbox in `folder` now.
pub(crate) fn is_in_use(folder: &Path) -> Result<bool, OutboxError> {
    let path = folder.join(LOCK_NAME);
    let failed = |source| OutboxError::File { doing: "looking at the lock", path: path.clone(), source };
    let file = match File::open(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        file => file.map_err(failed)?,
    };
    // A process that begins at this very moment asks again.
    match file.try_lock_shared() {
        Ok(()) => file.unlock().map(|()| false).map_err(failed),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// The outbox in `folder` to be read beside another process; `None` if there is none yet.
pub(crate) async fn open_to_read(folder: &Path) -> Result<Option<SqlitePool>, OutboxError> {
    if folder.join(FILE_NAME).exists() { connect(folder, false).await.map(Some) } else { Ok(None) }
}

/// One connection: staging and sending take turns, and SQLite never answers "busy". WAL lets `status` read meanwhile.
async fn connect(folder: &Path, create: bool) -> Result<SqlitePool, OutboxError> {
    let options = SqliteConnectOptions::new()
        .filename(folder.join(FILE_NAME))
        .create_if_missing(create)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT);
    SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options)
        .await
        .map_err(doing("opening the outbox"))
}

/// Makes the outbox `server`'s, or finds that it is another's.
async fn claim(pool: &SqlitePool, folder: &Path, server: &str) -> Result<(), OutboxError> {
    sqlx::query("INSERT INTO owner (one, server) VALUES (1, ?) ON CONFLICT DO NOTHING")
        .bind(server)
        .execute(pool)
        .await
        .map_err(doing("claiming the outbox"))?;
    let owner: String = sqlx::query_scalar("SELECT server FROM owner")
        .fetch_one(pool)
        .await
        .map_err(doing("reading the outbox's owner"))?;
    if owner == server {
        return Ok(());
    }
    Err(OutboxError::OtherServer { folder: folder.to_owned(), theirs: owner, ours: server.to_owned() })
}

#[cfg(test)]
mod tests;
