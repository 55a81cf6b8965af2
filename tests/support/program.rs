//! The real programs, as a user runs them: built binaries in processes of their own.

use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::PATIENCE;

/// The path of a built program. Fails with the command that builds it.
pub fn path(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the test has a path");
    let folder = test.ancestors().find(|folder| folder.join(name).is_file());
    let folder = folder.unwrap_or_else(|| panic!("{name} is not built: run `cargo build --workspace` first"));
    folder.join(name)
}

/// A command that runs a program with no settings of the surrounding environment.
pub fn command(name: &str) -> Command {
    let mut command = Command::new(path(name));
    for (variable, _) in std::env::vars() {
        let ours = ["SERVER_", "CONTRIBUTOR_", "TRADER_", "CALLBOARD_", "DATABASE_URL", "RUST_LOG"];
        if ours.iter().any(|prefix| variable.starts_with(prefix)) {
            command.env_remove(variable);
        }
    }
    if name == "server" {
        // All tests come from one address, and some ask all the time.
        let often = "{ burst = 1000000, per_minute = 1000000 }";
        command.env("SERVER__LIMITS__CONNECTIONS_PER_ADDRESS", "1000");
        command.env("SERVER__LIMITS__ADDRESS", often).env("SERVER__LIMITS__READS", often);
    }
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// Another program with the variables and the folder of this command; the arguments are not taken over.
pub fn same_settings(command: &mut Command, program: &str) -> Command {
    let mut other = Command::new(program);
    let settings = command.as_std();
    for (variable, value) in settings.get_envs() {
        match value {
            Some(value) => other.env(variable, value),
            None => other.env_remove(variable),
        };
    }
    if let Some(folder) = settings.get_current_dir() {
        other.current_dir(folder);
    }
    other.stdin(Stdio::null()).kill_on_drop(true);
    other
}

/// What a program did that has ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub out: String,
    /// What it logged.
    pub err: String,
}

/// Runs a program to its end.
pub async fn run(command: &mut Command) -> Ended {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = tokio::time::timeout(PATIENCE * 2, command.output()).await;
    let output = output.expect("the program ends in time").expect("the program starts");
    Ended {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// How much memory a running program uses.
pub fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("its state can be read");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory is told");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// A running `server` program.
#[derive(Debug)]
pub struct ServerProgram {
    child: Child,
    /// Its address.
    pub url: String,
}

impl ServerProgram {
    /// Starts `server serve` and waits for its address; `None` when it ended before it listened.
    pub async fn start(command: &mut Command) -> Option<Self> {
        Self::saying(command, Stdio::null()).await
    }

    /// The same, with its log in a file.
    pub async fn logging(command: &mut Command, log: File) -> Option<Self> {
        Self::saying(command, Stdio::from(log)).await
    }

    async fn saying(command: &mut Command, log: Stdio) -> Option<Self> {
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().expect("the server starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output is piped")).lines();
        let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("a line in time");
        let line = line.expect("its output can be read")?;
        let url =
            line.strip_prefix("listening on ").unwrap_or_else(|| panic!("unexpected: {line}")).to_owned();
        Some(Self { child, url })
    }

    /// How much memory it uses.
    pub fn resident_kib(&self) -> u64 {
        resident_kib(self.child.id().expect("it runs"))
    }

    /// True while it runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("its state can be asked").is_none()
    }

    /// Ends it as `kill -9` does.
    pub async fn kill(&mut self) {
        self.child.kill().await.expect("the server can be killed");
    }

    /// Waits until it has ended.
    pub async fn end(&mut self) {
        self.child.wait().await.expect("the server can be waited for");
    }
}
