//! Where the data lives: a database that the host names (`DATABASE_URL`), or a private cluster of our own.
//!
//! Entry points: [`Database::open`] for the serving process, [`Database::visit`] for one-off commands.
//! Invariant: only one serving process has a data folder at a time; a visitor uses its cluster instead of a second one.

mod binaries;
mod cluster;
mod keeper;
mod role;

use std::fs::File;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context;
use launch::folder::Access;
use launch::secret::Secret;
use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgPool};

use crate::config::Config;

pub use cluster::{Cluster, ClusterError, Durability};
pub use role::{Session, grant, serving};

/// The migrations, compiled in.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../migrations");

/// Whoever has this file locked has the data folder.
const LOCK_FILE: &str = "server.lock";
/// How often a server asks again for a data folder that is taken: ten seconds, longer than a command takes that makes and
/// migrates a database on a busy machine (three seconds were seen not to be).
const LOCK_ATTEMPTS: u32 = 100;
/// How often a command looks whether the server that has the folder is ready: a minute, longer than a first start.
const VISIT_ATTEMPTS: u32 = 600;
/// The pause between two looks.
const LOCK_PAUSE: Duration = Duration::from_millis(100);

/// What a command wants of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To bring it to this version's form; a private one that is missing is made.
    Migrate,
    /// To begin with it: a private one that is missing is made.
    Begin,
    /// To work on what is there: a database that is missing is an error, and nothing is made.
    Work,
}

/// An open database; dropping it stops the private cluster, if there is one.
#[derive(Debug)]
pub struct Database {
    /// The connections.
    pub pool: PgPool,
    cluster: Option<Cluster>,
    _lock: Option<File>,
}

impl Database {
    /// Opens the database for serving. A private cluster is started and migrated; a hosted database must be migrated.
    pub async fn open(config: &Config) -> anyhow::Result<Self> {
        if let Some(url) = &config.database_url {
            return Self::hosted(url, Session::Requests).await;
        }
        let folder = config.data_folder()?;
        let mut attempt = 1;
        loop {
            if let Some(lock) = lock_folder(&folder)? {
                return Self::private(&folder, lock, Session::Requests).await;
            }
            // A command such as `create-key` has the folder for a moment.
            anyhow::ensure!(
                attempt < LOCK_ATTEMPTS,
                "the data folder {} is in use by another server: stop it first, or choose another --data-dir",
                folder.display()
            );
            attempt += 1;
            tokio::time::sleep(LOCK_PAUSE).await;
        }
    }

    /// A database that the host has named, which must have this version's form.
    async fn hosted(url: &Secret, session: Session) -> anyhow::Result<Self> {
        let pool = serving(options(url)?, session).await?;
        check_migrated(&pool).await?;
        Ok(Self { pool, cluster: None, _lock: None })
    }

    /// A private cluster in a folder that is ours.
    async fn private(folder: &Path, lock: File, session: Session) -> anyhow::Result<Self> {
        let cluster = start_cluster(folder).await?;
        let options = inside(cluster.socket()).await?;
        migrate(&options).await.context("migrating the private database")?;
        let pool = serving(options, session).await?;
        Ok(Self { pool, cluster: Some(cluster), _lock: Some(lock) })
    }

    /// Opens the database for one command: beside a running server if there is one.
    pub async fn visit(config: &Config, purpose: Purpose) -> anyhow::Result<Self> {
        if let Some(url) = &config.database_url {
            if purpose == Purpose::Migrate {
                migrate(&options(url)?).await.context("migrating the database")?;
            }
            return Self::hosted(url, Session::Command).await;
        }
        let folder = config.data_folder()?;
        let may_make = purpose != Purpose::Work;
        if !may_make && !folder.join(LOCK_FILE).exists() {
            check_cluster(&folder)?;
        }
        for _ in 0..VISIT_ATTEMPTS {
            if let Some(lock) = lock_folder(&folder)? {
                if !may_make {
                    check_cluster(&folder)?;
                }
                return Self::private(&folder, lock, Session::Command).await;
            }
            // A server has the folder. It may still be starting: its migrations are the last thing that it does.
            if let Some(socket) = cluster::running(&folder)
                && let Ok(options) = inside(&socket).await
                // It makes the role after the migrations: without it, the server is not ready yet.
                && let Ok(pool) = serving(options, Session::Command).await
            {
                if check_migrated(&pool).await.is_ok() {
                    return Ok(Self { pool, cluster: None, _lock: None });
                }
                pool.close().await;
            }
            tokio::time::sleep(LOCK_PAUSE).await;
        }
        anyhow::bail!(
            "a server has the data folder {} and was not ready in time: try again",
            folder.display()
        )
    }

    /// Closes the connections and stops the private cluster.
    pub async fn close(self) {
        self.pool.close().await;
        if let Some(cluster) = self.cluster
            && let Err(error) = tokio::task::spawn_blocking(move || cluster.stop()).await
        {
            tracing::error!("stopping PostgreSQL: {error}");
        }
    }
}

async fn start_cluster(folder: &Path) -> anyhow::Result<Cluster> {
    let owned = folder.to_owned();
    let started = tokio::task::spawn_blocking(move || Cluster::start(&owned, Durability::Durable)).await?;
    started.with_context(|| format!("starting a private PostgreSQL in {}", folder.display()))
}

/// How to reach our database inside a private cluster; it is created on the first visit.
pub async fn inside(socket: &Path) -> anyhow::Result<PgConnectOptions> {
    let options = PgConnectOptions::new_without_pgpass().socket(socket).port(5432).username(cluster::ROLE);
    let mut connection =
        options.clone().database("postgres").connect().await.context("connecting to the private cluster")?;
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(cluster::ROLE)
        .fetch_one(&mut connection)
        .await?;
    if !exists {
        let made = sqlx::query("CREATE DATABASE callboard").execute(&mut connection).await;
        // Another command may have made it in the same moment.
        if let Err(error) = made
            && !is_duplicate(&error)
        {
            return Err(error).context("creating the database");
        }
    }
    connection.close().await?;
    Ok(options.database(cluster::ROLE))
}

/// 42P04: the database exists; 23505: somebody is making it now.
fn is_duplicate(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    matches!(code.as_deref(), Some("42P04" | "23505"))
}

fn options(url: &Secret) -> anyhow::Result<PgConnectOptions> {
    PgConnectOptions::from_str(url.expose()).context("reading DATABASE_URL")
}

/// Brings the database to this version's form, as its owner, and gives the serving role its rights.
pub async fn migrate(options: &PgConnectOptions) -> anyhow::Result<()> {
    let mut owner = options.connect().await.context("connecting to the database as its owner")?;
    MIGRATIONS.run(&mut owner).await?;
    grant(&mut owner).await?;
    owner.close().await.context("closing the owner's connection")
}

async fn check_migrated(pool: &PgPool) -> anyhow::Result<()> {
    let applied: Vec<i64> = match sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success")
        .fetch_all(pool)
        .await
    {
        Ok(versions) => versions,
        Err(error) if error.as_database_error().is_some_and(|e| e.code().as_deref() == Some("42P01")) => {
            Vec::new()
        }
        Err(error) => return Err(error).context("reading which migrations were applied"),
    };
    let missing = MIGRATIONS.iter().filter(|migration| !applied.contains(&migration.version)).count();
    anyhow::ensure!(missing == 0, "the database lacks {missing} migration(s): run `server migrate` first");
    Ok(())
}

/// An error unless the folder holds a private cluster. A server that makes one has the folder locked meanwhile.
fn check_cluster(folder: &Path) -> anyhow::Result<()> {
    anyhow::ensure!(
        cluster::exists(folder)?,
        "there is no database in {}: name the data folder of your server with --data-dir or --config, or its database \
         with DATABASE_URL; `server serve` makes a new one",
        folder.display()
    );
    Ok(())
}

/// Takes the folder for this process, if nobody has it; the kernel gives it back when the process ends, however that
/// happens. Makes the folder if it is missing.
fn lock_folder(folder: &Path) -> anyhow::Result<Option<File>> {
    // Under root, PostgreSQL's own user must be able to pass; the cluster inside is closed to all others.
    launch::folder::create(folder, Access::Passage)?;
    let path = folder.join(LOCK_FILE);
    let lock = File::options().create(true).append(true).open(&path);
    let lock = lock.with_context(|| format!("opening {}", path.display()))?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("locking {}", path.display()))
        }
    }
}
