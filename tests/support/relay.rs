//! A real server, the real `contributor run`, and a Discord of our own between which posts travel.
//!
//! Entry points: [`Relay::start`], [`Relay::listen`]. What the server has kept is read from its database: [`Relay::kept`].

use std::sync::{Arc, Mutex};

use server::auth::Role;
use server::{ids, store};
use shared::post::{ChannelRef, Post, Source};
use shared::wire::{ChannelRecord, ChannelsPage};
use sqlx::Row as _;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use crate::discord::{CALLS, FORUM, FakeDiscord, NEWS, TOKEN};
use crate::program::command;
use crate::server::TestServer;
use crate::{PATIENCE, eventually};

/// The three, and the folders of the contributors.
#[derive(Debug)]
pub struct Relay {
    /// The server.
    pub server: TestServer,
    /// What stands for Discord.
    pub discord: FakeDiscord,
    /// The contributors' folders are in it.
    pub folder: TempDir,
    /// The key of the contributor `bob`, and that of all others.
    keys: [String; 2],
}

/// One revision as the server has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The post.
    pub post: Post,
    /// How it first came.
    pub provenance: String,
    /// Its raw form as it first came.
    pub raw: String,
    /// How many contributors saw it.
    pub sightings: i64,
    /// When the first of them did, by its clock.
    pub seen_at: time::OffsetDateTime,
}

impl Relay {
    /// Starts server and Discord, and approves the three channels that are wanted.
    pub async fn start() -> Self {
        let server = TestServer::start().await;
        let keys = [server.key(Role::Contributor).await, server.key(Role::Contributor).await];
        let relay = Self {
            server,
            discord: FakeDiscord::start().await,
            folder: tempfile::tempdir().expect("a folder"),
            keys,
        };
        for (id, name) in [(CALLS, "vip-calls"), (NEWS, "news"), (FORUM, "ideas")] {
            relay.approve(id, name).await;
        }
        relay
    }

    /// Approves a channel, as the host does.
    pub async fn approve(&self, id: u64, name: &str) {
        let now = launch::clock::now();
        let channel = ChannelRef { source: Source::Discord, external_id: id.to_string(), name: name.into() };
        let approved = store::channels::approve(&self.server.pool, &channel, (ids::new(now), now)).await;
        approved.expect("the channel is approved");
    }

    /// The contributor of this name, with its settings; wants the three channels.
    pub fn contributor(&self, name: &str) -> Command {
        let mut contributor = command("contributor");
        contributor
            .env("CONTRIBUTOR__SERVER", &self.server.url)
            .env("CONTRIBUTOR__API_KEY", &self.keys[usize::from(name != "bob")])
            .env("CONTRIBUTOR__DISCORD__TOKEN", TOKEN)
            .env("CONTRIBUTOR__DISCORD__API", &self.discord.api)
            .env("CONTRIBUTOR__DISCORD__CHANNELS", format!("[\"{CALLS}\", \"{NEWS}\", \"{FORUM}\"]"))
            .arg("--data-dir")
            .arg(self.folder.path().join(name))
            .current_dir(self.folder.path());
        contributor
    }

    /// Starts `contributor run`.
    pub fn run(&self) -> Listening {
        let mut run = self.contributor("contributor");
        Listening::start(run.arg("run"))
    }

    /// Starts `contributor run` and waits until it listens.
    pub async fn listen(&self) -> Listening {
        let mut listening = self.run();
        listening.said("listening").await;
        listening
    }

    /// Everything that the server has kept, in the order in which it came.
    pub async fn kept(&self) -> Vec<Kept> {
        let rows = sqlx::query(
            "SELECT p.body, p.provenance, (SELECT count(*) FROM sightings s WHERE s.post_id = p.id) AS sightings, \
             (SELECT min(s.seen_at) FROM sightings s WHERE s.post_id = p.id) AS seen_at, \
             (SELECT s.raw FROM sightings s WHERE s.post_id = p.id ORDER BY s.received_at LIMIT 1) AS raw \
             FROM posts p ORDER BY p.id",
        )
        .fetch_all(&self.server.pool)
        .await
        .expect("the posts can be read");
        let kept = |row: &sqlx::postgres::PgRow| Kept {
            post: serde_json::from_str(row.get("body")).expect("a post"),
            provenance: row.get("provenance"),
            raw: row.get("raw"),
            sightings: row.get("sightings"),
            seen_at: row.get("seen_at"),
        };
        rows.iter().map(kept).collect()
    }

    /// How many revisions the server has kept.
    pub async fn count(&self) -> usize {
        let count = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM posts").fetch_one(&self.server.pool);
        usize::try_from(count.await.expect("the posts can be counted")).expect("a number")
    }

    /// Waits until the server has kept so many revisions, and returns them.
    pub async fn until_kept(&self, count: usize) -> Vec<Kept> {
        let waiting = format!("{count} revisions are kept");
        let all = eventually(&waiting, async || self.count().await >= count);
        if tokio::time::timeout(PATIENCE / 2, all).await.is_err() {
            let kept = self.kept().await;
            panic!("only {} of {count} revisions are kept: {:?}", kept.len(), texts(&kept));
        }
        let kept = self.kept().await;
        assert_eq!(kept.len(), count, "{:?}", texts(&kept));
        kept
    }

    /// Waits until the server has kept at least so many revisions.
    pub async fn until_some(&self, count: usize) {
        eventually(&format!("{count} revisions are kept"), async || self.count().await >= count).await;
    }

    /// How many gaps this contributor has not told the server yet.
    pub async fn untold_gaps(&self, name: &str) -> i64 {
        let file = self.folder.path().join(name).join("outbox.sqlite");
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file).read_only(true);
        let pool = sqlx::SqlitePool::connect_with(options).await.expect("the outbox can be opened");
        let count = sqlx::query_scalar("SELECT count(*) FROM gaps WHERE told = 0").fetch_one(&pool).await;
        pool.close().await;
        count.expect("the gaps can be counted")
    }

    /// A channel as the server shows it.
    pub async fn channel(&self, id: u64) -> ChannelRecord {
        let page: ChannelsPage = self.server.client(Role::Member).await.get("/v1/channels").await;
        let found = page.channels.into_iter().find(|channel| channel.external_id == id.to_string());
        found.expect("the channel is known")
    }
}

/// What was kept, in short: the text, or a dash for a tombstone.
pub fn texts(kept: &[Kept]) -> Vec<&str> {
    let text = |kept: &'_ Kept| kept.post.deleted_at.is_some();
    kept.iter().map(|kept| if text(kept) { "-" } else { kept.post.content.as_str() }).collect()
}

/// A running `contributor run`, with what it says.
#[derive(Debug)]
pub struct Listening {
    child: Child,
    said: Arc<Mutex<Vec<String>>>,
    reading: Option<JoinHandle<()>>,
}

impl Listening {
    /// Starts the command.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.stderr(std::process::Stdio::piped()).spawn().expect("the contributor starts");
        let mut lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = said.clone();
        let reading = tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                heard.lock().expect("no panic").push(line);
            }
        });
        Self { child, said, reading: Some(reading) }
    }

    /// Everything that it has said.
    pub fn log(&self) -> String {
        self.said.lock().expect("no panic").join("\n")
    }

    /// How much memory it has, in KiB.
    pub fn resident_kib(&self) -> u64 {
        crate::program::resident_kib(self.child.id().expect("it runs"))
    }

    /// How long it has had a processor, in all.
    pub fn cpu(&self) -> std::time::Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id().expect("it runs")));
        let stat = stat.expect("its state can be read");
        let fields = stat.rsplit(')').next().expect("behind its name").split_whitespace();
        // Fields 14 and 15, in hundredths of a second: proc(5).
        let ticks: u64 = fields.skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("a number")).sum();
        std::time::Duration::from_millis(ticks * 10)
    }

    /// Forgets what it has said so far.
    pub fn hush(&self) {
        self.said.lock().expect("no panic").clear();
    }

    /// Waits until it has said this; what it said is forgotten up to there.
    pub async fn said(&mut self, words: &str) {
        let look = async || {
            let mut said = self.said.lock().expect("no panic");
            let at = said.iter().position(|line| line.contains(words));
            at.map(|at| said.drain(..=at)).is_some()
        };
        let waiting = tokio::time::timeout(PATIENCE, eventually(words, look));
        assert!(waiting.await.is_ok(), "it never said `{words}`:\n{}", self.log());
    }

    /// Waits until it has said this, and forgets nothing.
    pub async fn until_said(&self, words: &str) {
        let waiting = tokio::time::timeout(PATIENCE, eventually(words, async || self.log().contains(words)));
        assert!(waiting.await.is_ok(), "it never said `{words}`:\n{}", self.log());
    }

    /// Asks it to stop, and returns its exit code.
    pub async fn stop(&mut self) -> Option<i32> {
        let pid = self.child.id().expect("it runs").to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status().await.expect("it can be asked");
        assert!(asked.success());
        self.ended().await
    }

    /// Ends it as `kill -9` does.
    pub async fn kill(&mut self) {
        self.child.kill().await.expect("it can be killed");
    }

    /// Waits until it has ended, and returns its exit code.
    pub async fn ended(&mut self) -> Option<i32> {
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        let ended = ended.unwrap_or_else(|_| panic!("it does not end:\n{}", self.log()));
        if let Some(reading) = self.reading.take() {
            reading.await.expect("its last words are read");
        }
        ended.expect("it can be waited for").code()
    }
}
