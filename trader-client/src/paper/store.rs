//! The paper venue's SQLite file: all of its SQL.
//!
//! Entry points: [`Store::open`], [`Store::save`], [`Store::keep_candle`], [`Store::load`].
//! Invariants: [`Store::save`] is on the disk when it returns. [`Store::keep_candle`] is safe from the death of the process
//! but not of the machine, for it is called for every candle; then the candle is applied again, which changes nothing.

use std::path::Path;

use anyhow::{Context, ensure};
use exchange::sim::{Past, Sim};
use exchange::{Candle, Pair};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};

use super::PaperSettings;

/// The form of the tables in `schema.sql`; raised with every change of them.
const VERSION: i64 = 2;

/// The open file.
pub(super) struct Store {
    /// Waits for the disk at every commit.
    durable: SqliteConnection,
    /// Leaves the disk to the system.
    quick: SqliteConnection,
    revision: i64,
    /// How many fills and ended orders the file has.
    fills: usize,
    ended: usize,
}

impl Store {
    /// Opens the file, and creates its tables if it is new.
    pub(super) async fn open(path: &Path) -> anyhow::Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal);
        let mut durable = options.clone().synchronous(SqliteSynchronous::Full).connect().await?;
        let version: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut durable).await?;
        let tables: i64 =
            sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(&mut durable).await?;
        if version == 0 && tables == 0 {
            let mut creation = durable.begin_with("BEGIN IMMEDIATE").await?;
            sqlx::raw_sql(include_str!("schema.sql")).execute(&mut *creation).await?;
            creation.commit().await?;
        } else {
            ensure!(
                version == VERSION,
                "it is a database of another kind or version ({version}, expected {VERSION}): choose another --data-dir"
            );
        }
        let quick = options.synchronous(SqliteSynchronous::Normal).connect().await?;
        Ok(Self { durable, quick, revision: 0, fills: 0, ended: 0 })
    }

    /// Closes the file; its log beside it is then folded in.
    pub(super) async fn close(self) -> anyhow::Result<()> {
        self.quick.close().await?;
        Ok(self.durable.close().await?)
    }

    /// The settings of the venue in the file; `None` when there is none yet.
    pub(super) async fn settings(&mut self) -> anyhow::Result<Option<PaperSettings>> {
        let settings: Option<String> =
            sqlx::query_scalar("SELECT settings FROM venue").fetch_optional(&mut self.durable).await?;
        settings.map(|text| from_json(&text, "venue")).transpose()
    }

    /// Writes a new venue.
    pub(super) async fn create(&mut self, sim: &Sim) -> anyhow::Result<()> {
        sqlx::query(
            "INSERT INTO venue (only_row, identity, revision, settings, live) \
             VALUES (1, lower(hex(randomblob(16))), 0, ?, ?)",
        )
        .bind(to_json(sim.settings())?)
        .bind(to_json(sim.live())?)
        .execute(&mut self.durable)
        .await?;
        Ok(())
    }

    /// What distinguishes the venue in this file from every other one.
    pub(super) async fn identity(&mut self) -> anyhow::Result<String> {
        Ok(sqlx::query_scalar("SELECT identity FROM venue").fetch_one(&mut self.durable).await?)
    }

    /// The venue as the file has it.
    pub(super) async fn load(&mut self, settings: PaperSettings) -> anyhow::Result<Sim> {
        let mut reading = self.durable.begin().await?;
        let (revision, live): (i64, String) =
            sqlx::query_as("SELECT revision, live FROM venue").fetch_one(&mut *reading).await?;
        let fills: Vec<String> =
            sqlx::query_scalar("SELECT fill FROM fills ORDER BY number").fetch_all(&mut *reading).await?;
        let ended: Vec<String> =
            sqlx::query_scalar("SELECT state FROM ended ORDER BY number").fetch_all(&mut *reading).await?;
        let passed: Vec<(String, String)> =
            sqlx::query_as("SELECT pair, candle FROM passed").fetch_all(&mut *reading).await?;
        reading.commit().await?;
        (self.revision, self.fills, self.ended) = (revision, fills.len(), ended.len());
        let past = Past::new(all_from_json(&fills, "fills")?, all_from_json(&ended, "ended")?);
        let mut sim = Sim::restore(settings, from_json(&live, "venue")?, past)?;
        for (pair, candle) in passed {
            let pair: Pair = pair.parse().context("table passed")?;
            let candle: Candle = from_json(&candle, "passed")?;
            if sim.last_candle(&pair).is_none_or(|last| candle.closed_at > last.closed_at) {
                sim.pass_candle(&pair, &candle)?;
            }
        }
        Ok(sim)
    }

    /// Commits the state of the venue, with the fills and ended orders that are new.
    pub(super) async fn save(&mut self, sim: &Sim) -> anyhow::Result<()> {
        let fills = sim.fills_after_number(None).get(self.fills..).unwrap_or_default();
        let ended = sim.ended_after(self.ended);
        let mut change = self.durable.begin_with("BEGIN IMMEDIATE").await?;
        let updated = sqlx::query(
            "UPDATE venue SET revision = revision + 1, settings = ?, live = ? WHERE revision = ?",
        )
        .bind(to_json(sim.settings())?)
        .bind(to_json(sim.live())?)
        .bind(self.revision)
        .execute(&mut *change)
        .await?;
        ensure!(
            updated.rows_affected() == 1,
            "the paper exchange's file was changed by another process: run only one trader on it"
        );
        for (number, fill) in (self.fills + 1..).zip(fills) {
            sqlx::query("INSERT INTO fills (number, fill) VALUES (?, ?)")
                .bind(i64::try_from(number)?)
                .bind(to_json(fill)?)
                .execute(&mut *change)
                .await?;
        }
        for (number, state) in (self.ended + 1..).zip(ended) {
            sqlx::query("INSERT INTO ended (number, state) VALUES (?, ?)")
                .bind(i64::try_from(number)?)
                .bind(to_json(state)?)
                .execute(&mut *change)
                .await?;
        }
        change.commit().await?;
        self.revision += 1;
        self.fills += fills.len();
        self.ended += ended.len();
        Ok(())
    }

    /// Remembers the last candle of a pair, one that caused nothing.
    pub(super) async fn keep_candle(&mut self, pair: &Pair, candle: &Candle) -> anyhow::Result<()> {
        sqlx::query(
            "INSERT INTO passed (pair, candle) VALUES (?1, ?2) ON CONFLICT (pair) DO UPDATE SET candle = ?2",
        )
        .bind(pair.to_string())
        .bind(to_json(candle)?)
        .execute(&mut self.quick)
        .await?;
        Ok(())
    }
}

fn to_json<T: Serialize>(value: &T) -> anyhow::Result<String> {
    Ok(serde_json::to_string(value)?)
}

fn from_json<T: DeserializeOwned>(text: &str, table: &str) -> anyhow::Result<T> {
    serde_json::from_str(text).with_context(|| format!("a row of table {table} is corrupt"))
}

fn all_from_json<T: DeserializeOwned>(texts: &[String], table: &str) -> anyhow::Result<Vec<T>> {
    texts.iter().map(|text| from_json(text, table)).collect()
}
