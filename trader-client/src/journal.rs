//! The journal: what was told and decided, on the disk before anything is done about it. All of the client's own SQL.
//!
//! Entry points: [`Journal::open`], [`Journal::append`], [`Journal::recover`].
//! Invariants: an input, the cursor, the commands and the notes that follow from it are one transaction; no command is
//! carried out before that transaction is on the disk; recovery adds no row.

mod error;

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub use error::JournalError;

use crate::engine::{Command, Engine, Input, Note};

/// The inputs read at a time when the journal is played again: bounds the memory, not the time.
const PAGE: i64 = 500;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// Whose journal it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The account's name.
    pub account: String,
    /// `paper`.
    pub mode: String,
    /// The server's address.
    pub server: String,
    /// The identity of the paper exchange's file.
    pub venue: String,
}

/// An open journal.
pub struct Journal {
    path: PathBuf,
    connection: SqliteConnection,
    account: String,
    inputs: i64,
    commands: i64,
    notes: i64,
}

/// One step of the engine, to be written down.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// The engine's time.
    pub now: OffsetDateTime,
    /// What was taken in.
    pub input: &'a Input,
    /// The number of the command that it answers.
    pub answers: Option<i64>,
    /// What is to be done about it.
    pub commands: &'a [Command],
    /// What is to be told about it.
    pub notes: &'a [Note],
}

/// The client's state as the journal has it.
pub struct Recovered {
    /// The engine.
    pub engine: Engine,
    /// The time of the last input.
    pub now: Option<OffsetDateTime>,
    /// The commands that have no outcome yet, with their numbers, oldest first.
    pub pending: VecDeque<(i64, Command)>,
}

/// What has been played again so far, and the commands that no input has answered yet.
struct Replay {
    engine: Engine,
    now: Option<OffsetDateTime>,
    open: BTreeMap<i64, Command>,
}

#[derive(sqlx::FromRow)]
struct OwnerRow {
    account: String,
    mode: String,
    server: String,
    venue: String,
}

#[derive(sqlx::FromRow)]
struct InputRow {
    number: i64,
    at: String,
    answers: Option<i64>,
    payload: String,
}

#[derive(sqlx::FromRow)]
struct CommandRow {
    number: i64,
    input: i64,
    payload: String,
}

/// A part of the journal as it was at one moment, while another process may be writing.
struct Page {
    inputs: Vec<InputRow>,
    commands: BTreeMap<i64, Vec<CommandRow>>,
    cursor: i64,
}

impl Journal {
    /// Opens the journal of `owner`, or creates it.
    pub async fn open(path: &Path, owner: &Owner) -> Result<Self, JournalError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full);
        let mut journal = Self::connect(path, &options).await?;
        let unusable = |reason: String| JournalError::Unusable { path: path.to_owned(), reason };
        MIGRATIONS.run(&mut journal.connection).await.map_err(|e| unusable(e.to_string()))?;
        journal.claim(owner).await?;
        journal.count().await?;
        Ok(journal)
    }

    /// Opens an existing journal for reading, beside a client that may be writing it.
    pub async fn open_to_read(path: &Path) -> Result<Self, JournalError> {
        if !path.exists() {
            let reason = "there is none yet: start `trader-client run` first".to_owned();
            return Err(JournalError::Unusable { path: path.to_owned(), reason });
        }
        let options = SqliteConnectOptions::new().filename(path).read_only(true);
        let mut journal = Self::connect(path, &options).await?;
        journal.account = journal.owner().await?.map(|owner| owner.account).unwrap_or_default();
        Ok(journal)
    }

    async fn connect(path: &Path, options: &SqliteConnectOptions) -> Result<Self, JournalError> {
        let opened = options.connect().await;
        let connection = opened.map_err(|source| JournalError::Database {
            path: path.to_owned(),
            what: "opening it",
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
            connection,
            account: String::new(),
            inputs: 0,
            commands: 0,
            notes: 0,
        })
    }

    fn failed(&self, what: &'static str) -> impl Fn(sqlx::Error) -> JournalError + use<> {
        let path = self.path.clone();
        move |source| JournalError::Database { path: path.clone(), what, source }
    }

    /// Whose journal it is; `None` while nobody has claimed it.
    pub async fn owner(&mut self) -> Result<Option<Owner>, JournalError> {
        let failed = self.failed("reading its owner");
        let row: Option<OwnerRow> = sqlx::query_as("SELECT account, mode, server, venue FROM owner")
            .fetch_optional(&mut self.connection)
            .await
            .map_err(failed)?;
        Ok(row.map(|OwnerRow { account, mode, server, venue }| Owner { account, mode, server, venue }))
    }

    /// Makes a new journal ours, or checks that it is.
    async fn claim(&mut self, owner: &Owner) -> Result<(), JournalError> {
        self.account.clone_from(&owner.account);
        let Some(known) = self.owner().await? else {
            let failed = self.failed("claiming it");
            sqlx::query("INSERT INTO owner (only_row, account, mode, server, venue) VALUES (1, ?, ?, ?, ?)")
                .bind(&owner.account)
                .bind(&owner.mode)
                .bind(&owner.server)
                .bind(&owner.venue)
                .execute(&mut self.connection)
                .await
                .map_err(failed)?;
            return Ok(());
        };
        for (what, theirs, ours) in [
            ("account", known.account, &owner.account),
            ("mode", known.mode, &owner.mode),
            ("server", known.server, &owner.server),
        ] {
            if theirs != *ours {
                let (path, ours) = (self.path.clone(), ours.clone());
                return Err(JournalError::NotOurs { path, what, theirs, ours });
            }
        }
        if known.venue != owner.venue {
            return Err(JournalError::Separated { path: self.path.clone() });
        }
        Ok(())
    }

    async fn count(&mut self) -> Result<(), JournalError> {
        let failed = self.failed("counting its rows");
        let counts: (i64, i64, i64) = sqlx::query_as(
            "SELECT (SELECT coalesce(max(number), 0) FROM inputs), \
                    (SELECT coalesce(max(number), 0) FROM commands), \
                    (SELECT coalesce(max(number), 0) FROM notes)",
        )
        .fetch_one(&mut self.connection)
        .await
        .map_err(failed)?;
        (self.inputs, self.commands, self.notes) = counts;
        Ok(())
    }

    /// Writes one step down, all of it or nothing. The result is the number of its first command.
    pub async fn append(&mut self, entry: Entry<'_>) -> Result<i64, JournalError> {
        let failed = self.failed("writing a step");
        let (input, first_command) = (self.inputs + 1, self.commands + 1);
        let texts = Texts::of(&entry).map_err(|reason| JournalError::Corrupt {
            path: self.path.clone(),
            table: "inputs",
            number: input,
            reason,
        })?;
        let mut step = self.connection.begin_with("BEGIN IMMEDIATE").await.map_err(&failed)?;
        write_input(&mut step, input, &entry, &texts).await.map_err(&failed)?;
        for (number, (command, payload)) in (first_command..).zip(entry.commands.iter().zip(&texts.commands))
        {
            sqlx::query(
                "INSERT INTO commands (number, input, kind, order_id, payload) VALUES (?, ?, ?, ?, ?)",
            )
            .bind(number)
            .bind(input)
            .bind(command.kind())
            .bind(command.order_id().to_string())
            .bind(payload)
            .execute(&mut *step)
            .await
            .map_err(&failed)?;
        }
        write_notes(&mut step, (self.notes + 1, input), entry.notes).await.map_err(&failed)?;
        step.commit().await.map_err(&failed)?;
        self.inputs = input;
        self.commands += entry.commands.len() as i64;
        self.notes += entry.notes.len() as i64;
        Ok(first_command)
    }

    /// Closes the file; its log beside it is then folded in.
    pub async fn close(self) -> Result<(), JournalError> {
        let Self { path, connection, .. } = self;
        let closed = connection.close().await;
        closed.map_err(|source| JournalError::Database { path, what: "closing it", source })
    }

    /// True while nothing was ever taken in.
    pub fn is_empty(&self) -> bool {
        self.inputs == 0
    }

    /// Plays every input again. The commands must come out as they were journaled.
    pub async fn recover(&mut self) -> Result<Recovered, JournalError> {
        let mut replay = Replay { engine: Engine::new(&self.account), now: None, open: BTreeMap::new() };
        let mut last = 0;
        loop {
            let Page { inputs, mut commands, cursor } = self.page(last).await?;
            let Some(end) = inputs.last().map(|row| row.number) else {
                self.check_cursor(cursor, replay.engine.cursor())?;
                break;
            };
            for row in inputs {
                let journaled = commands.remove(&row.number).unwrap_or_default();
                self.replay(&row, journaled, &mut replay)?;
            }
            last = end;
        }
        let Replay { engine, now, open } = replay;
        Ok(Recovered { engine, now, pending: open.into_iter().collect() })
    }

    /// The cursor moves with the events, so it is where the last of them left the engine.
    fn check_cursor(&self, cursor: i64, engine: i64) -> Result<(), JournalError> {
        if cursor == engine {
            return Ok(());
        }
        let reason = format!("it says {cursor}, and the last event taken in is {engine}");
        Err(JournalError::Corrupt { path: self.path.clone(), table: "cursor", number: 1, reason })
    }

    /// The inputs after one, their commands by input, and the cursor.
    async fn page(&mut self, after: i64) -> Result<Page, JournalError> {
        let failed = self.failed("reading it");
        let mut reading = self.connection.begin().await.map_err(&failed)?;
        let inputs: Vec<InputRow> = sqlx::query_as(
            "SELECT number, at, answers, payload FROM inputs WHERE number > ? ORDER BY number LIMIT ?",
        )
        .bind(after)
        .bind(PAGE)
        .fetch_all(&mut *reading)
        .await
        .map_err(&failed)?;
        let end = inputs.last().map_or(after, |row| row.number);
        let rows: Vec<CommandRow> = sqlx::query_as(
            "SELECT number, input, payload FROM commands WHERE input > ? AND input <= ? ORDER BY number",
        )
        .bind(after)
        .bind(end)
        .fetch_all(&mut *reading)
        .await
        .map_err(&failed)?;
        let cursor = sqlx::query_scalar("SELECT coalesce(max(seq), 0) FROM cursor");
        let cursor: i64 = cursor.fetch_one(&mut *reading).await.map_err(&failed)?;
        reading.commit().await.map_err(&failed)?;
        let mut commands: BTreeMap<i64, Vec<CommandRow>> = BTreeMap::new();
        for row in rows {
            commands.entry(row.input).or_default().push(row);
        }
        Ok(Page { inputs, commands, cursor })
    }

    fn replay(
        &self,
        row: &InputRow,
        journaled: Vec<CommandRow>,
        replay: &mut Replay,
    ) -> Result<(), JournalError> {
        let corrupt = |reason: String| JournalError::Corrupt {
            path: self.path.clone(),
            table: "inputs",
            number: row.number,
            reason,
        };
        let now = OffsetDateTime::parse(&row.at, &Rfc3339).map_err(|e| corrupt(e.to_string()))?;
        let input: Input = serde_json::from_str(&row.payload).map_err(|e| corrupt(e.to_string()))?;
        let commands = replay.engine.step(now, &input);
        replay.now = Some(now);
        let diverged = || JournalError::Diverged { path: self.path.clone(), number: row.number };
        if commands.len() != journaled.len() {
            return Err(diverged());
        }
        if let Some(answered) = row.answers {
            replay.open.remove(&answered);
        }
        for (command, journaled) in commands.into_iter().zip(journaled) {
            let again = serde_json::to_string(&command).map_err(|e| corrupt(e.to_string()))?;
            if again != journaled.payload {
                return Err(diverged());
            }
            replay.open.insert(journaled.number, command);
        }
        Ok(())
    }
}

/// A step as it will be written.
struct Texts {
    at: String,
    input: String,
    commands: Vec<String>,
}

impl Texts {
    fn of(entry: &Entry<'_>) -> Result<Self, String> {
        let commands: Result<Vec<String>, _> = entry.commands.iter().map(serde_json::to_string).collect();
        Ok(Self {
            at: written(entry.now)?,
            input: serde_json::to_string(entry.input).map_err(|e| e.to_string())?,
            commands: commands.map_err(|e| e.to_string())?,
        })
    }
}

fn written(at: OffsetDateTime) -> Result<String, String> {
    at.to_utc().format(&Rfc3339).map_err(|e| e.to_string())
}

async fn write_input(
    step: &mut SqliteConnection,
    number: i64,
    entry: &Entry<'_>,
    texts: &Texts,
) -> Result<(), sqlx::Error> {
    let seq = match entry.input {
        Input::Event { record, .. } => Some(record.seq),
        _ => None,
    };
    sqlx::query("INSERT INTO inputs (number, at, kind, seq, answers, payload) VALUES (?, ?, ?, ?, ?, ?)")
        .bind(number)
        .bind(&texts.at)
        .bind(entry.input.kind())
        .bind(seq)
        .bind(entry.answers)
        .bind(&texts.input)
        .execute(&mut *step)
        .await?;
    if let Some(seq) = seq {
        sqlx::query(
            "INSERT INTO cursor (only_row, seq) VALUES (1, ?1) ON CONFLICT (only_row) DO UPDATE SET seq = ?1",
        )
        .bind(seq)
        .execute(&mut *step)
        .await?;
    }
    Ok(())
}

async fn write_notes(
    step: &mut SqliteConnection,
    (first, input): (i64, i64),
    notes: &[Note],
) -> Result<(), sqlx::Error> {
    for (number, note) in (first..).zip(notes) {
        let at = written(note.at).map_err(|reason| sqlx::Error::Encode(reason.into()))?;
        sqlx::query(
            "INSERT INTO notes (number, input, at, signal_id, symbol, topic, code, text) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(number)
        .bind(input)
        .bind(at)
        .bind(note.signal.map(|signal| signal.to_string()))
        .bind(&note.symbol)
        .bind(note.topic.as_str())
        .bind(note.code)
        .bind(&note.text)
        .execute(&mut *step)
        .await?;
    }
    Ok(())
}
