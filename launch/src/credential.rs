//! Where a program keeps the API key that `login` gave it: in the keyring of the operating system, else in a file that only
//! its owner may read.
//!
//! Entry points: [`keep`], [`kept`]. Invariants: a key is handed out for the server that it was kept for and for no other
//! one; a keyring is only asked when a key was put into it.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::folder::Access;
use crate::secret::Secret;
use crate::server::Address;

/// The file in the program's data folder that says where the key is, or holds it.
const FILE: &str = "credential.toml";

/// Where a key was put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The keyring of the operating system.
    Keyring,
    /// This file, because there is no keyring.
    File(PathBuf),
}

/// What the file says.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    /// The server that the key is for.
    server: String,
    /// The key; absent when it is in the keyring.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    api_key: Option<String>,
}

/// Keeps the key of `program` for this server, in place of the one before.
pub fn keep(program: &str, server: &Address, (folder, key): (&Path, &Secret)) -> anyhow::Result<Place> {
    let server = server.to_string();
    crate::folder::create(folder, Access::Private)?;
    let in_keyring = match put(program, &server, key) {
        Ok(()) => true,
        Err(error) => {
            tracing::debug!("the keyring cannot be used: {error}");
            false
        }
    };
    let stored = Stored { server, api_key: (!in_keyring).then(|| key.expose().to_owned()) };
    let path = folder.join(FILE);
    write(&path, &toml::to_string(&stored)?).with_context(|| format!("writing {}", path.display()))?;
    Ok(if in_keyring { Place::Keyring } else { Place::File(path) })
}

/// The key of `program` for this server, if one was kept.
pub fn kept(program: &str, server: &Address, folder: &Path) -> anyhow::Result<Option<Secret>> {
    let path = folder.join(FILE);
    let reading = || format!("reading {}; `{program} login` writes it anew", path.display());
    let text = match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        text => text.with_context(reading)?,
    };
    let mode = std::fs::metadata(&path).with_context(reading)?.mode();
    anyhow::ensure!(mode & 0o077 == 0, "others may read {0}: run `chmod 600 {0}`", path.display());
    // The error of the parser would show the line, and with it the key.
    let stored: Stored =
        toml::from_str(&text).map_err(|_| anyhow::anyhow!("it is damaged")).with_context(reading)?;
    if stored.server != server.to_string() {
        return Ok(None);
    }
    match stored.api_key {
        Some(key) => Ok(Some(Secret::new(key))),
        None => get(program, &stored.server).map(Some).with_context(|| {
            format!("taking the API key from the keyring; `{program} login` puts one there")
        }),
    }
}

/// Writes a file that nobody else may read, in one step.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let draft = path.with_extension("toml.new");
    match std::fs::remove_file(&draft) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&draft, path)
}

fn put(program: &str, server: &str, key: &Secret) -> anyhow::Result<()> {
    beside(|| {
        let entry = keyring::Entry::new(&entry_of(program), server)?;
        entry.set_password(key.expose())?;
        anyhow::ensure!(entry.get_password()? == key.expose(), "it did not keep the key");
        Ok(())
    })
}

fn get(program: &str, server: &str) -> anyhow::Result<Secret> {
    beside(|| Ok(Secret::new(keyring::Entry::new(&entry_of(program), server)?.get_password()?)))
}

fn entry_of(program: &str) -> String {
    format!("callboard {program}")
}

/// Does something on a thread of its own: the keyring's library waits by itself, which it may not do inside a runtime.
fn beside<T: Send>(work: impl FnOnce() -> anyhow::Result<T> + Send) -> anyhow::Result<T> {
    let done = std::thread::scope(|scope| scope.spawn(work).join());
    done.unwrap_or_else(|_| Err(anyhow::anyhow!("the keyring's library has panicked")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_in_the_file_is_for_one_server_and_for_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let server: Address = "https://a.example".parse().unwrap();
        let other: Address = "https://b.example".parse().unwrap();
        let take = |server| kept("contributor", server, folder.path());
        assert_eq!(take(&server).unwrap(), None);
        write(&path, "server = \"https://a.example\"\napi_key = \"cb_hidden\"\n").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(take(&server).unwrap().unwrap().expose(), "cb_hidden");
        assert_eq!(take(&other).unwrap(), None);
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        assert!(take(&server).unwrap_err().to_string().contains("chmod 600"));
        write(&path, "server = \"https://a.example\"\napi_key = cb_hidden\n").unwrap();
        let said = format!("{:#}", take(&server).unwrap_err());
        assert!(said.contains("contributor login") && !said.contains("hidden"), "{said}");
    }
}
