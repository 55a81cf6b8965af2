//! A throw-away PostgreSQL for this process, and a fresh database for each test.
//!
//! Entry point: [`Scratch::new`]. The cluster's folder is used again by later runs (a warm start takes 30 ms); a lock keeps
//! two runs apart. Each database is a copy of a migrated template and is dropped with its [`Scratch`].

use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use server::database::{Cluster, Durability, Session, inside, migrate, serving};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, PgPool};
use tokio::sync::OnceCell;

struct Shared {
    cluster: Cluster,
    _lock: File,
}

static SHARED: OnceCell<Shared> = OnceCell::const_new();
static NEXT: AtomicU32 = AtomicU32::new(0);
/// `CREATE DATABASE … TEMPLATE` refuses to run twice at once on one template.
static COPYING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
/// How many test runs may go on at once on one machine.
const SLOTS: u32 = 16;

/// A database of one's own.
#[derive(Debug)]
pub struct Scratch {
    name: String,
    options: PgConnectOptions,
}

impl Scratch {
    /// A new, migrated, empty database.
    pub async fn new() -> Self {
        let shared = SHARED.get_or_init(start).await;
        let options = inside(shared.cluster.socket()).await.expect("the cluster has its database");
        let name = format!("t{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst));
        let _one_at_a_time = COPYING.lock().await;
        execute(&options, &format!("CREATE DATABASE {name} TEMPLATE migrated")).await;
        Self { options: options.database(&name), name }
    }

    /// Connections as a server has them.
    pub async fn serving_pool(&self) -> PgPool {
        serving(self.options.clone(), Session::Requests)
            .await
            .expect("the scratch database takes connections")
    }

    /// Connections to it, of its owner.
    pub async fn pool(&self) -> PgPool {
        let pool = PgPoolOptions::new().max_connections(20);
        pool.connect_with(self.options.clone()).await.expect("the scratch database takes connections")
    }

    /// Migrates it again, as `server migrate` does.
    pub async fn migrate(&self) {
        migrate(&self.options).await.expect("a migrated database can be migrated again");
    }

    /// Takes the database away (or gives it back), as an outage does: every connection is cut, and new ones are refused.
    pub async fn shut(&self, away: bool) {
        let options = self.options.clone().database("callboard");
        execute(&options, &format!("ALTER DATABASE {} ALLOW_CONNECTIONS {}", self.name, !away)).await;
        if away {
            let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ";
            execute(&options, &format!("{cut}'{}'", self.name)).await;
        }
    }

    /// Its address, for programs that are another user there.
    pub fn url_of(&self, user: &str) -> String {
        self.options.clone().username(user).to_url_lossy().to_string()
    }

    /// Its address, for programs.
    pub fn url(&self) -> String {
        self.options.to_url_lossy().to_string()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let (options, name) = (self.options.clone().database("callboard"), self.name.clone());
        // The test's runtime may be shutting down: drop the database from a thread with a runtime of its own.
        let dropping = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(execute(&options, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")));
        });
        assert!(dropping.join().is_ok() || std::thread::panicking(), "the scratch database was not dropped");
    }
}

async fn start() -> Shared {
    let (folder, lock) = free_folder();
    let cluster = tokio::task::spawn_blocking(move || Cluster::start(&folder, Durability::ThrowAway)).await;
    let cluster = cluster.expect("a thread").expect("a throw-away PostgreSQL starts");
    let options = inside(cluster.socket()).await.expect("the cluster has its database");
    for leftover in databases(&options).await {
        execute(&options, &format!("DROP DATABASE IF EXISTS \"{leftover}\" WITH (FORCE)")).await;
    }
    execute(&options, "CREATE DATABASE migrated").await;
    migrate(&options.clone().database("migrated")).await.expect("an empty database can be migrated");
    Shared { cluster, _lock: lock }
}

/// A folder under the system's temporary one that no other run uses, and the lock that says so.
fn free_folder() -> (PathBuf, File) {
    for slot in 0..SLOTS {
        let folder = std::env::temp_dir().join(format!("callboard-tests-{slot}"));
        std::fs::create_dir_all(&folder).expect("a folder for the throw-away cluster");
        let lock = File::options().create(true).append(true).open(folder.join("lock"));
        if let Ok(lock) = lock
            && lock.try_lock().is_ok()
        {
            return (folder, lock);
        }
    }
    panic!("{SLOTS} test runs are under way already");
}

/// Databases that an interrupted run left behind.
async fn databases(options: &PgConnectOptions) -> Vec<String> {
    let mut connection = options.connect().await.expect("the cluster takes connections");
    let names = sqlx::query_scalar("SELECT datname FROM pg_database WHERE datname ~ '^t[0-9]|^migrated$'");
    names.fetch_all(&mut connection).await.expect("the list of databases")
}

async fn execute(options: &PgConnectOptions, statement: &str) {
    let mut connection = options.connect().await.expect("the cluster takes connections");
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned()))
        .execute(&mut connection)
        .await
        .expect("the statement runs");
}
