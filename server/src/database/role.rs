//! Two roles in one database: the owner of the tables migrates, `callboard_app` serves.
//!
//! Entry points: [`grant`] after migrations, [`serving`] for the connections of everything else. Invariant: no connection
//! that requests reach can change or delete a line of the log, a post, a sighting or a row of the audit log.

use std::time::Duration;

use anyhow::Context;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, Executor, PgConnection, PgPool};

/// How long a request waits for a connection before it is answered 503.
const ACQUIRE_LIMIT: Duration = Duration::from_secs(3);
/// Connections of one process: PostgreSQL's default limit of 100 leaves room for four processes and an administrator.
const CONNECTIONS: u32 = 20;
/// What the serving role may do. Comments there say why.
const GRANTS: &str = include_str!("grants.sql");
/// The serving role.
const ROLE: &str = "callboard_app";

/// Makes the serving role if it is missing, and gives it what it needs, no more. The connection is the owner's.
pub async fn grant(owner: &mut PgConnection) -> anyhow::Result<()> {
    let granted = owner.execute(GRANTS).await;
    granted.map(drop).with_context(|| {
        format!(
            "giving the role {ROLE} what a server needs. If you may not make roles, ask your database's administrator for \
             `CREATE ROLE {ROLE} NOLOGIN; GRANT {ROLE} TO <you> WITH ADMIN OPTION;` and migrate again"
        )
    })
}

/// Connections that act as the serving role. Whoever may do more steps down to it.
pub async fn serving(options: PgConnectOptions, session: Session) -> anyhow::Result<PgPool> {
    // One connection by itself first: the pool would only say that its time is up.
    let mut first = options.connect().await.with_context(|| match options.get_socket() {
        Some(socket) => format!("connecting to the database on the socket in {}", socket.display()),
        None => format!("connecting to the database at {}:{}", options.get_host(), options.get_port()),
    })?;
    let may_do_more = is_owner(&mut first).await?;
    if may_do_more {
        step_down(&mut first).await.with_context(|| {
            format!(
                "acting as the role {ROLE}: run `server migrate`, which makes it, with the same DATABASE_URL"
            )
        })?;
    }
    first.close().await?;
    let pool = PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(ACQUIRE_LIMIT);
    let pool = pool.after_connect(move |connection, _| {
        Box::pin(async move {
            if may_do_more {
                step_down(connection).await?;
            }
            connection.execute(session.settings()).await.map(drop)
        })
    });
    pool.connect_with(options).await.context("connecting to the database")
}

/// Whether this user may change what must stay as it is.
async fn is_owner(connection: &mut PgConnection) -> anyhow::Result<bool> {
    // A database that is not migrated has no log yet; whoever looks after that says so.
    let is_owner = "SELECT coalesce(bool_or(has_table_privilege(oid, 'UPDATE')), false)
        OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
        FROM pg_class WHERE oid = to_regclass('public.events')";
    sqlx::query_scalar(is_owner).fetch_one(connection).await.context("asking what this database user may do")
}

async fn step_down(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    connection.execute("SET ROLE callboard_app").await.map(drop)
}

/// What connections are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Session {
    /// For requests: a statement or a silent transaction that takes longer than any client waits is ended by PostgreSQL.
    Requests,
    /// For a command of the host, which may take as long as it takes.
    Command,
}

impl Session {
    fn settings(self) -> &'static str {
        match self {
            Self::Requests => "SET statement_timeout = '5s'; SET idle_in_transaction_session_timeout = '10s'",
            Self::Command => "",
        }
    }
}
