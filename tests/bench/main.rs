//! `make bench`: how fast the straight path is, as ratios within one run. Prints a table and, last, one line of
//! `key=value` pairs. The real programs run, on a private durable PostgreSQL in a temporary folder.
//!
//! `ONLY=reader`, `ONLY=ingest` or `ONLY=feed` picks a part; `POSTS=` and `ROUNDS=` set its length. Figures of two machines are not
//! comparable; the ratios within a run are.

mod export;
mod feed;
mod figures;
mod import;
mod reader;

use std::path::Path;

use support::program::{ServerProgram, command, run};
use support::server::Api;

use figures::Figures;

/// What is measured, in the order of the table.
const PARTS: [&str; 3] = ["reader", "ingest", "feed"];

/// A server program on a folder of its own.
struct Bench {
    folder: tempfile::TempDir,
    server: ServerProgram,
}

impl Bench {
    async fn start() -> anyhow::Result<Self> {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::Builder::new().prefix("callboard-bench-").tempdir()?;
        // PostgreSQL's own user must be able to pass.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))?;
        let mut serve = command("server");
        serve.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(folder.path().join("server"));
        let server = ServerProgram::start(&mut serve).await;
        Ok(Self { server: server.ok_or_else(|| anyhow::anyhow!("the server did not start"))?, folder })
    }

    fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("server")
    }

    async fn api(&self, role: &str) -> anyhow::Result<Api> {
        let mut create = command("server");
        create.args(["admin", "create-key", "--name", role, "--role", role, "--data-dir"]).arg(self.data());
        let created = run(&mut create).await;
        anyhow::ensure!(created.code == Some(0), "creating a key failed: {}", created.err);
        if role == "contributor" {
            let mut approve = command("server");
            approve.args([
                "admin",
                "approve-channel",
                "--discord",
                "500",
                "--name",
                "bench",
                "--contributor",
                role,
            ]);
            let approved = run(approve.arg("--data-dir").arg(self.data())).await;
            anyhow::ensure!(approved.code == Some(0), "approving the channel failed: {}", approved.err);
        }
        Ok(Api::new(&self.server.url, created.out.trim()))
    }
}

fn number(variable: &str, default: u32) -> anyhow::Result<u32> {
    match std::env::var(variable) {
        Ok(text) if !text.is_empty() => Ok(text.parse()?),
        _ => Ok(default),
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let only = std::env::var("ONLY").unwrap_or_default();
    anyhow::ensure!(
        only.is_empty() || PARTS.contains(&only.as_str()),
        "ONLY={only} is none of {}",
        PARTS.join(", ")
    );
    anyhow::ensure!(
        !cfg!(debug_assertions),
        "figures of a debug build mean nothing: run `make bench`, which builds with --release"
    );
    let rounds = number("ROUNDS", 5)?;
    let mut figures = Figures::default();
    if only.is_empty() || only == "reader" {
        reader::measure(&mut figures, rounds)?;
    }
    if only.is_empty() || only == "ingest" {
        import::measure(&mut figures, rounds, number("POSTS", 100_000)?).await?;
    }
    if only.is_empty() || only == "feed" {
        feed::measure(&mut figures, rounds).await?;
    }
    figures.print();
    Ok(())
}

/// The folder with PostgreSQL's own programs, as the running cluster uses them.
fn postgres_programs(data: &Path) -> Option<std::path::PathBuf> {
    let pid = std::fs::read_to_string(data.join("postgres/postmaster.pid")).ok()?;
    let program = std::fs::read_link(Path::new("/proc").join(pid.lines().next()?).join("exe")).ok()?;
    program.parent().map(Path::to_owned)
}
