//! The thread that owns the PostgreSQL process: starts it, restarts it when it dies, and stops it with us.
//!
//! Entry point: [`Keeper::start`]. Invariant: the process is started and awaited by one long-lived thread, because the
//! kernel's "parent died" signal follows the thread that forked, not the process.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use super::cluster::{ClusterError, Launch};

/// How often the process is looked at. Short, because a start takes about 30 ms.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// Recovery after an unclean stop replays the write-ahead log: at most a few GB of it.
const START_LIMIT: Duration = Duration::from_secs(120);
/// How long an earlier PostgreSQL may take to leave the folder: it gets its signal when its owner dies.
const PREDECESSOR_LIMIT: Duration = Duration::from_secs(10);
/// A fast stop writes a checkpoint; after this it is made to stop.
const STOP_LIMIT: Duration = Duration::from_secs(30);
/// The pause before PostgreSQL is started again after it died.
const RESTART_PAUSE: Duration = Duration::from_millis(500);

/// The owner of the thread. Dropping it stops PostgreSQL.
#[derive(Debug)]
pub(super) struct Keeper {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    pid: Arc<AtomicU32>,
}

impl Keeper {
    /// Starts PostgreSQL and returns once it takes connections.
    pub(super) fn start(launch: Launch) -> Result<Self, ClusterError> {
        let (stop, stopped) = mpsc::channel();
        let (report, first_start) = mpsc::channel();
        let pid = Arc::new(AtomicU32::new(0));
        let shown = Arc::clone(&pid);
        let thread = std::thread::Builder::new()
            .name("pg-keeper".into())
            .spawn(move || keep(&launch, &stopped, &report, &shown))
            .map_err(|source| ClusterError::Io { what: "starting a thread for PostgreSQL".into(), source })?;
        let keeper = Self { stop: Some(stop), thread: Some(thread), pid };
        match first_start.recv() {
            Ok(Ok(())) => Ok(keeper),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(ClusterError::Failed {
                what: "starting PostgreSQL".into(),
                output: "its keeper ended".into(),
            }),
        }
    }

    /// The process id, while it runs.
    pub(super) fn pid(&self) -> Option<u32> {
        Some(self.pid.load(Ordering::SeqCst)).filter(|pid| *pid != 0)
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the keeper of PostgreSQL had panicked");
        }
    }
}

/// True when the owner wants PostgreSQL to stop; waits for that at most this long.
fn wants_stop(stopped: &mpsc::Receiver<()>, within: Duration) -> bool {
    !matches!(stopped.recv_timeout(within), Err(RecvTimeoutError::Timeout))
}

fn keep(
    launch: &Launch,
    stopped: &mpsc::Receiver<()>,
    report: &mpsc::Sender<Result<(), ClusterError>>,
    pid: &AtomicU32,
) {
    let mut reported = false;
    loop {
        let outcome = start_once(launch, stopped);
        let failure = match outcome {
            Ok(mut child) => {
                pid.store(child.id(), Ordering::SeqCst);
                reported = reported || report.send(Ok(())).is_ok();
                let ended = wait(&mut child, stopped);
                pid.store(0, Ordering::SeqCst);
                if !ended {
                    return;
                }
                format!("PostgreSQL has died: {}", launch.last_words())
            }
            Err(error) if !reported => {
                if report.send(Err(error)).is_err() {
                    tracing::error!("nobody waits for the private cluster any more");
                }
                return;
            }
            Err(error) => error.to_string(),
        };
        tracing::error!("{failure}; starting it again");
        if wants_stop(stopped, RESTART_PAUSE) {
            return;
        }
    }
}

/// Waits until the process ends by itself (true), or stops it because the owner wants so (false).
fn wait(child: &mut Child, stopped: &mpsc::Receiver<()>) -> bool {
    loop {
        if has_ended(child) {
            return true;
        }
        if wants_stop(stopped, LOOK_EVERY * 5) {
            stop(child);
            return false;
        }
    }
}

fn has_ended(child: &mut Child) -> bool {
    child.try_wait().is_ok_and(|status| status.is_some())
}

/// Starts the process and waits until it takes connections.
fn start_once(launch: &Launch, stopped: &mpsc::Receiver<()>) -> Result<Child, ClusterError> {
    await_predecessor(&launch.data, stopped)?;
    let mut child = spawn(launch)?;
    let started = Instant::now();
    loop {
        if pid_file(&launch.data).is_some_and(|file| file.pid == child.id() && file.ready) {
            return Ok(child);
        }
        let failed = |output: String| ClusterError::Failed { what: "starting PostgreSQL".into(), output };
        if has_ended(&mut child) {
            return Err(failed(launch.last_words()));
        }
        if wants_stop(stopped, LOOK_EVERY) || started.elapsed() > START_LIMIT {
            stop(&mut child);
            return Err(failed(format!("it was not ready in time: {}", launch.last_words())));
        }
    }
}

#[expect(
    unsafe_code,
    reason = "pre_exec is the only way to have the kernel stop PostgreSQL when we are killed"
)]
fn spawn(launch: &Launch) -> Result<Child, ClusterError> {
    let mut command = launch.command()?;
    let stop_with_us =
        || rustix::process::set_parent_process_death_signal(Some(Signal::INT)).map_err(std::io::Error::from);
    // SAFETY: between fork and exec only one system call is made, which is async-signal-safe and allocates nothing.
    unsafe { command.pre_exec(stop_with_us) };
    command.spawn().map_err(|source| ClusterError::Io { what: "starting postgres".into(), source })
}

/// Stops the process: fast, then hard.
fn stop(child: &mut Child) {
    for signal in [Signal::INT, Signal::QUIT, Signal::KILL] {
        if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw)
            && let Err(error) = rustix::process::kill_process(pid, signal)
        {
            tracing::warn!("stopping PostgreSQL: {error}");
        }
        let asked = Instant::now();
        let (_never, nothing) = mpsc::channel::<()>();
        while asked.elapsed() < STOP_LIMIT {
            if has_ended(child) {
                return;
            }
            // Nothing is ever sent: this is a bounded wait.
            let _timed_out = nothing.recv_timeout(LOOK_EVERY);
        }
    }
}

/// A PostgreSQL whose owner was killed is still shutting down: wait for it to leave the folder. A file whose process is
/// gone, or is somebody else by now, is in the way: we hold the folder's lock, so it is ours to remove.
fn await_predecessor(data: &Path, stopped: &mpsc::Receiver<()>) -> Result<(), ClusterError> {
    let started = Instant::now();
    let Some(mut file) = pid_file(data) else { return Ok(()) };
    while works_in(file.pid, data) {
        if started.elapsed() > PREDECESSOR_LIMIT || wants_stop(stopped, LOOK_EVERY) {
            let folder = data.parent().unwrap_or(data).to_owned();
            return Err(ClusterError::InUse { folder, pid: file.pid.to_string() });
        }
        match pid_file(data) {
            Some(still) => file = still,
            None => return Ok(()),
        }
    }
    match std::fs::remove_file(data.join("postmaster.pid")) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(ClusterError::Io {
            what: format!("removing the old {}", data.join("postmaster.pid").display()),
            source,
        }),
        _ => Ok(()),
    }
}

/// True when this process exists and works in the folder, as every PostgreSQL does in its own: process ids are used again.
fn works_in(pid: u32, data: &Path) -> bool {
    let folder = std::fs::canonicalize(data).unwrap_or_else(|_| data.to_owned());
    std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|place| place == folder)
}

/// What `postmaster.pid` says: line 1 is the process id, line 8 the state.
struct PidFile {
    pid: u32,
    ready: bool,
}

fn pid_file(data: &Path) -> Option<PidFile> {
    let text = std::fs::read_to_string(data.join("postmaster.pid")).ok()?;
    let pid = text.lines().next()?.trim().parse().ok()?;
    Some(PidFile { pid, ready: text.lines().nth(7).is_some_and(|state| state.trim() == "ready") })
}
