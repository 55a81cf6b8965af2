//! Finds installed PostgreSQL programs, and the user that they run as.
//!
//! Entry points: [`find`], [`unprivileged_user`].

use std::path::{Path, PathBuf};
use std::process::Command;

use super::cluster::ClusterError;

/// A folder that holds `initdb` and `postgres`, and their major version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binaries {
    pub(super) folder: PathBuf,
    pub(super) major: u32,
}

/// The oldest PostgreSQL that the migrations run on.
const OLDEST_MAJOR: u32 = 14;

/// The installed binaries of this major version, or the newest ones when any will do.
///
/// Looked for in `$PG_BIN_DIR`, then `$PATH`, then `/usr/lib/postgresql/*/bin` (where Debian keeps them).
pub(super) fn find(wanted_major: Option<u32>) -> Result<Binaries, ClusterError> {
    let mut found: Vec<Binaries> = candidates().into_iter().filter_map(inspect).collect();
    found.sort_by_key(|binaries| std::cmp::Reverse(binaries.major));
    let newest = found.first().cloned().ok_or(ClusterError::NotInstalled)?;
    match wanted_major {
        None if newest.major < OLDEST_MAJOR => {
            Err(ClusterError::TooOld { found: newest.major, oldest: OLDEST_MAJOR })
        }
        None => Ok(newest),
        Some(major) => found
            .into_iter()
            .find(|binaries| binaries.major == major)
            .ok_or(ClusterError::OtherMajor { data: major, installed: newest.major }),
    }
}

fn candidates() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = std::env::var_os("PG_BIN_DIR").map(PathBuf::from).into_iter().collect();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join("postgres"));
    // PATH often holds links: `initdb` looks for its neighbours beside the real file.
    folders.extend(on_path.filter_map(|file| file.canonicalize().ok()?.parent().map(Path::to_owned)));
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    folders.extend(versions.map(|version| version.path().join("bin")));
    folders
}

fn inspect(folder: PathBuf) -> Option<Binaries> {
    if !folder.join("initdb").is_file() {
        return None;
    }
    let output = Command::new(folder.join("postgres")).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let version = text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    let major = version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
    Some(Binaries { folder, major })
}

/// A user without privileges. PostgreSQL refuses to run as root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct User {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// Whom to run PostgreSQL as: `postgres`, else `nobody`, when we are root; `None` when we are not.
pub(super) fn unprivileged_user() -> Result<Option<User>, ClusterError> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let accounts = std::fs::read_to_string("/etc/passwd")
        .map_err(|source| ClusterError::Io { what: "reading /etc/passwd".into(), source })?;
    let named = |name: &str| accounts.lines().find_map(|line| parse_account(line, name));
    named("postgres").or_else(|| named("nobody")).map(Some).ok_or(ClusterError::NoUnprivilegedUser)
}

fn parse_account(line: &str, name: &str) -> Option<User> {
    let mut parts = line.split(':');
    if parts.next()? != name {
        return None;
    }
    let uid = parts.nth(1)?.parse().ok()?;
    let gid = parts.next()?.parse().ok()?;
    Some(User { uid, gid })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_read_from_its_line_only() {
        let line = "postgres:x:101:104:PostgreSQL administrator:/var/lib/postgresql:/bin/bash";
        assert_eq!(parse_account(line, "postgres"), Some(User { uid: 101, gid: 104 }));
        assert_eq!(parse_account(line, "nobody"), None);
        assert_eq!(parse_account("postgres:x:broken", "postgres"), None);
    }

    #[test]
    fn a_version_that_is_not_installed_is_named() {
        let error = find(Some(3)).unwrap_err().to_string();
        assert!(error.contains("PostgreSQL 3"), "{error}");
    }
}
