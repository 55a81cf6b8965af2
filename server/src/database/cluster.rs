//! The private PostgreSQL cluster: a database server of our own, in a data folder, on a Unix socket only.
//!
//! Entry points: [`Cluster::start`], [`Cluster::stop`], [`running`].
//! Invariants: at most one cluster on a folder; it stops with this process, even after `kill -9`; an interrupted
//! `initdb` leaves nothing behind that looks like a cluster; PostgreSQL never runs as root.

use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::binaries::{self, Binaries, User};
use super::keeper::Keeper;

/// Why there is no private cluster.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// No PostgreSQL was found.
    #[error(
        "no PostgreSQL was found in $PG_BIN_DIR, $PATH or /usr/lib/postgresql: install it (Debian: `apt-get install postgresql`), \
         or set DATABASE_URL to a database of your own"
    )]
    NotInstalled,
    /// The installed PostgreSQL is too old.
    #[error(
        "the newest PostgreSQL found is version {found}: install version {oldest} or later, or set DATABASE_URL"
    )]
    TooOld {
        /// The newest major version found.
        found: u32,
        /// The oldest one that works.
        oldest: u32,
    },
    /// The data folder was made by a version that is not installed.
    #[error(
        "the data folder holds a cluster of PostgreSQL {data}, but the installed version is {installed}: install PostgreSQL {data} \
         beside it, or move the data with pg_dump and pg_restore into a new data folder"
    )]
    OtherMajor {
        /// The data folder's major version.
        data: u32,
        /// The newest installed one.
        installed: u32,
    },
    /// There is nobody to run PostgreSQL as.
    #[error(
        "PostgreSQL does not run as root, and there is neither a user `postgres` nor `nobody`: start the server as another user"
    )]
    NoUnprivilegedUser,
    /// The unprivileged user cannot enter the data folder.
    #[error(
        "PostgreSQL runs as user id {uid}, which cannot enter {}: let others pass (`chmod o+x {}`), choose another --data-dir, \
         or start the server as another user than root", folder.display(), folder.display()
    )]
    Unreachable {
        /// The folder on the way that is closed.
        folder: PathBuf,
        /// The user id.
        uid: u32,
    },
    /// Another process has the data folder.
    #[error("the data folder {} is in use by another server (process {pid}): stop it first, or choose another --data-dir", folder.display())]
    InUse {
        /// The data folder.
        folder: PathBuf,
        /// Whose it is.
        pid: String,
    },
    /// `initdb` or `postgres` did not do as asked.
    #[error("{what} failed: {output}")]
    Failed {
        /// What was tried.
        what: String,
        /// What the program printed last.
        output: String,
    },
    /// A file or a process could not be handled.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// The reason.
        source: io::Error,
    },
}

/// Whether a commit waits for the disk. Everything but throw-away tests wants [`Durability::Durable`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// An acknowledged commit survives a power cut.
    Durable,
    /// Fast, and lost with the machine.
    ThrowAway,
}

/// A running private cluster. Dropping it stops PostgreSQL.
#[derive(Debug)]
pub struct Cluster {
    socket: PathBuf,
    keeper: Keeper,
}

/// The role and the database that the server uses inside its private cluster.
pub(super) const ROLE: &str = "callboard";
/// PostgreSQL's own log begins anew at a start when it has grown beyond this: months of restarts.
const MAX_LOG_BYTES: u64 = 16 * 1024 * 1024;
/// Linux allows 107 bytes for the path of a Unix socket; `.s.PGSQL.5432` and a separator take 14 of them.
const MAX_SOCKET_FOLDER: usize = 93;

impl Cluster {
    /// Starts PostgreSQL on `folder`, making the cluster on the first start. Blocks until it takes connections.
    pub fn start(folder: &Path, durability: Durability) -> Result<Self, ClusterError> {
        let data = folder.join("postgres");
        let binaries = binaries::find(stored_major(&data)?)?;
        let user = binaries::unprivileged_user()?;
        if let Some(user) = user {
            check_reachable(folder, user)?;
        }
        if stored_major(&data)?.is_none() {
            make_cluster(&binaries, &data, user)?;
        }
        let socket = socket_folder(folder);
        make_private_folder(&socket, user)?;
        let keeper = Keeper::start(Launch { binaries, data, socket: socket.clone(), user, durability })?;
        Ok(Self { socket, keeper })
    }

    /// The folder of the socket on which it takes connections.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The process id of the running postmaster, for tests that kill it.
    pub fn pid(&self) -> Option<u32> {
        self.keeper.pid()
    }

    /// Stops PostgreSQL and waits until it has ended.
    pub fn stop(self) {
        drop(self);
    }
}

/// Whether there is a cluster in this data folder, running or not.
pub(super) fn exists(folder: &Path) -> Result<bool, ClusterError> {
    Ok(stored_major(&folder.join("postgres"))?.is_some())
}

/// The socket folder of a cluster that another process runs on this data folder, if one does.
pub(super) fn running(folder: &Path) -> Option<PathBuf> {
    let socket = socket_folder(folder);
    std::os::unix::net::UnixStream::connect(socket.join(".s.PGSQL.5432")).ok().map(|_| socket)
}

/// Everything that is needed to start `postgres`.
#[derive(Debug)]
pub(super) struct Launch {
    binaries: Binaries,
    pub(super) data: PathBuf,
    socket: PathBuf,
    user: Option<User>,
    durability: Durability,
}

impl Launch {
    /// The command that runs `postgres` in the foreground.
    pub(super) fn command(&self) -> Result<Command, ClusterError> {
        let log = self.data.with_extension("log");
        let too_long = std::fs::metadata(&log).is_ok_and(|log| log.len() > MAX_LOG_BYTES);
        let mut options = std::fs::OpenOptions::new();
        options.create(true).mode(0o600);
        let opened = if too_long {
            options.write(true).truncate(true).open(&log)
        } else {
            options.append(true).open(&log)
        };
        let log = opened
            .map_err(|source| ClusterError::Io { what: format!("opening {}", log.display()), source })?;
        let mut command = quiet(&self.binaries.folder.join("postgres"), self.user);
        command.arg("-D").arg(&self.data).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        command.arg("-c").arg(format!("unix_socket_directories={}", self.socket.display()));
        for setting in
            ["listen_addresses=", "unix_socket_permissions=0700", "logging_collector=off", "timezone=UTC"]
        {
            command.args(["-c", setting]);
        }
        if self.durability == Durability::ThrowAway {
            command.args(["-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off"]);
        }
        // A group of its own: Ctrl-C on the terminal reaches us, and we stop PostgreSQL in good order.
        command.process_group(0);
        Ok(command)
    }

    /// The last lines of the log: what PostgreSQL said before it gave up.
    pub(super) fn last_words(&self) -> String {
        let text = std::fs::read_to_string(self.data.with_extension("log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().rev().take(4).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("; ")
    }
}

/// The major version that a cluster's folder was made by.
fn stored_major(data: &Path) -> Result<Option<u32>, ClusterError> {
    match std::fs::read_to_string(data.join("PG_VERSION")) {
        Ok(text) => text.trim().parse().map(Some).map_err(|_| ClusterError::Failed {
            what: format!("reading {}", data.join("PG_VERSION").display()),
            output: "it does not hold a version number: this is no PostgreSQL data folder".into(),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ClusterError::Io { what: format!("reading {}", data.display()), source }),
    }
}

/// Runs `initdb` beside the final place and renames, so that a half-made cluster is never taken for a whole one.
fn make_cluster(binaries: &Binaries, data: &Path, user: Option<User>) -> Result<(), ClusterError> {
    // A name of its own: an interrupted initdb may still be writing into the earlier one.
    let unfinished = data.with_extension(format!("unfinished-{}", std::process::id()));
    let io = |what: &str| {
        let what = format!("{what} {}", unfinished.display());
        move |source| ClusterError::Io { what, source }
    };
    remove_unfinished(data);
    make_private_folder(&unfinished, user)?;
    tracing::info!("making a private PostgreSQL cluster in {}", data.display());
    let output = quiet(&binaries.folder.join("initdb"), user)
        .arg("-D")
        .arg(&unfinished)
        .args(["-U", ROLE, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"])
        .output()
        .map_err(io("running initdb on"))?;
    if !output.status.success() {
        let output = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(ClusterError::Failed { what: "making a PostgreSQL cluster with initdb".into(), output });
    }
    std::fs::rename(&unfinished, data).map_err(io("renaming"))
}

/// Removes what interrupted first starts have left; what cannot be removed yet is removed by a later start.
fn remove_unfinished(data: &Path) {
    let folder = data.parent().unwrap_or(data);
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with("postgres.unfinished")
            && let Err(error) = std::fs::remove_dir_all(entry.path())
        {
            tracing::warn!("removing the rest of an interrupted start, {}: {error}", entry.path().display());
        }
    }
}

/// A command that runs as the unprivileged user, without PostgreSQL's own variables.
fn quiet(program: &Path, user: Option<User>) -> Command {
    let mut command = Command::new(program);
    for variable in ["PGDATA", "PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGOPTIONS"] {
        command.env_remove(variable);
    }
    command.env("LC_ALL", "C.UTF-8").env("TZ", "UTC").current_dir("/");
    if let Some(user) = user {
        command.uid(user.uid).gid(user.gid);
    }
    command
}

/// A short folder for the socket: inside the data folder, or under the system's temporary one when that is too deep.
fn socket_folder(folder: &Path) -> PathBuf {
    use sha2::{Digest, Sha256};
    let inside = folder.join("socket");
    if inside.as_os_str().len() <= MAX_SOCKET_FOLDER {
        return inside;
    }
    let digest = Sha256::digest(inside.as_os_str().as_encoded_bytes());
    let name: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    std::env::temp_dir().join(format!("callboard-{name}"))
}

/// Makes a folder that only the cluster's user can enter. One that exists must be a folder of that user's, or of ours:
/// nothing of a stranger's is changed, and no link is followed.
fn make_private_folder(folder: &Path, user: Option<User>) -> Result<(), ClusterError> {
    let io = |what: &str| {
        let what = format!("{what} {}", folder.display());
        move |source| ClusterError::Io { what, source }
    };
    match std::fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(io("creating")(error)),
        _ => {}
    }
    let us = rustix::process::geteuid().as_raw();
    let wanted = user.map_or(us, |user| user.uid);
    let found = std::fs::symlink_metadata(folder).map_err(io("inspecting"))?;
    if !found.is_dir() || (found.uid() != wanted && found.uid() != us) {
        return Err(io("using")(io::Error::other("it is not a folder of our own")));
    }
    if let Some(user) = user {
        std::os::unix::fs::lchown(folder, Some(user.uid), Some(user.gid)).map_err(io("handing over"))?;
    }
    std::fs::set_permissions(folder, PermissionsExt::from_mode(0o700)).map_err(io("closing"))
}

/// The first folder on the way to `folder` that the user cannot enter is an error.
fn check_reachable(folder: &Path, user: User) -> Result<(), ClusterError> {
    for ancestor in folder.ancestors() {
        let metadata = std::fs::metadata(ancestor).map_err(|source| ClusterError::Io {
            what: format!("inspecting {}", ancestor.display()),
            source,
        })?;
        let owned = metadata.uid() == user.uid && metadata.mode() & 0o100 != 0;
        if !owned && metadata.mode() & 0o001 == 0 {
            return Err(ClusterError::Unreachable { folder: ancestor.to_owned(), uid: user.uid });
        }
    }
    Ok(())
}
