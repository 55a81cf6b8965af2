//! All SQL: free functions on a connection, private row structs, one error type.
//!
//! Invariants: a row that cannot be a domain value is [`StoreError::Corrupt`], never a default; whatever is written in
//! bulk is written by one statement, so that a batch costs a handful of round trips.

pub mod accounts;
pub mod again;
pub mod authority;
pub mod channels;
pub mod gaps;
pub mod keys;
pub mod log;
pub mod posts;
pub mod sessions;
pub mod signals;
pub mod updates;

use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// Why the database did not answer as wanted.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database or the way to it failed.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// Something that cannot be, unless this program is wrong.
    #[error("a defect: {0}")]
    Defect(String),
    /// A stored value is not what it should be.
    #[error("corrupt row: {table}.{column} of {id}: {problem}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row.
        id: String,
        /// What is wrong with the value.
        problem: String,
    },
}

/// What to do about a [`StoreError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Two transactions were in each other's way: run this one again, now.
    RunAgain,
    /// The database is away or overloaded: try later.
    TryLater,
    /// A defect: somebody must look.
    Report,
}

impl StoreError {
    /// What to do about it.
    pub fn remedy(&self) -> Remedy {
        let StoreError::Database(error) = self else { return Remedy::Report };
        match error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Remedy::TryLater,
            sqlx::Error::Database(error) => remedy_for_code(error.code().as_deref().unwrap_or_default()),
            _ => Remedy::Report,
        }
    }
}

/// SQLSTATE classes, from PostgreSQL's appendix A: 40 transaction rollback; 08 connection, 53 resources (disk full),
/// 55 not in the needed state (a database closed for maintenance), 57 operator intervention (shutting down, starting up), 58 system error.
fn remedy_for_code(code: &str) -> Remedy {
    match code.get(..2) {
        Some("40") => Remedy::RunAgain,
        Some("08" | "53" | "55" | "57" | "58") => Remedy::TryLater,
        _ => Remedy::Report,
    }
}

/// The JSON text of one of our own types.
pub(crate) fn to_json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value)
        .map_err(|error| StoreError::Defect(format!("writing a value as JSON: {error}")))
}

/// Parses a stored JSON text.
fn from_json<T: DeserializeOwned>(
    text: &str,
    (table, column): (&'static str, &'static str),
    id: impl std::fmt::Display,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Corrupt {
        table,
        column,
        id: id.to_string(),
        problem: error.to_string(),
    })
}

/// A number of contributors.
fn count(rows: i64) -> u32 {
    u32::try_from(rows).unwrap_or(u32::MAX)
}

/// One of the words that a column may hold.
fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
    text: &str,
    (table, column): (&'static str, &'static str),
    id: Uuid,
) -> Result<T, StoreError> {
    let corrupt =
        |error: T::Err| StoreError::Corrupt { table, column, id: id.to_string(), problem: error.to_string() };
    text.parse().map_err(corrupt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_of_failure_has_its_remedy() {
        for (code, remedy) in [
            ("40P01", Remedy::RunAgain),
            ("40001", Remedy::RunAgain),
            ("57P01", Remedy::TryLater),
            ("57P03", Remedy::TryLater),
            ("53100", Remedy::TryLater),
            ("55000", Remedy::TryLater),
            ("23505", Remedy::Report),
            ("22021", Remedy::Report),
            ("", Remedy::Report),
        ] {
            assert_eq!(remedy_for_code(code), remedy, "{code}");
        }
        assert_eq!(StoreError::from(sqlx::Error::PoolTimedOut).remedy(), Remedy::TryLater);
    }
}
