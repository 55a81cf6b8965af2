//! Secrets that the server makes for itself on its first start: files that nobody else may read, never printed.
//!
//! Entry point: [`session_key`].

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context;
use launch::folder::Access;

use crate::auth::session_key::{KEY_BYTES, SessionKey};
use crate::config::Config;

/// The file of the session key in the data folder.
const SESSION_KEY_FILE: &str = "session.key";

/// The key of all sessions: from its file, which is made if it is missing.
pub fn session_key(config: &Config) -> anyhow::Result<SessionKey> {
    let path = match &config.session_key_file {
        Some(path) => path.clone(),
        None => {
            let folder = config.data_folder()?;
            launch::folder::create(&folder, Access::Passage)?;
            folder.join(SESSION_KEY_FILE)
        }
    };
    if !path.try_exists().with_context(|| format!("looking for {}", path.display()))? {
        make(&path).with_context(|| {
            format!("making the session key {}; session_key_file names another place", path.display())
        })?;
    }
    read(&path).with_context(|| format!("reading the session key {}", path.display()))
}

/// Makes a key file in one step: a server that starts at the same time finds no half of it, and only one is kept.
fn make(path: &Path) -> anyhow::Result<()> {
    let mut key = [0; KEY_BYTES];
    getrandom::fill(&mut key).context("drawing random bytes")?;
    let text: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    let draft = PathBuf::from(format!("{}.{}", path.display(), std::process::id()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    let kept = written.and_then(|()| match std::fs::hard_link(&draft, path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    });
    std::fs::remove_file(&draft)?;
    Ok(kept?)
}

fn read(path: &Path) -> anyhow::Result<SessionKey> {
    let mode = std::fs::metadata(path)?.mode();
    anyhow::ensure!(mode & 0o077 == 0, "others may read it: run `chmod 600 {}`", path.display());
    let text = std::fs::read_to_string(path)?;
    let text = text.trim();
    let expected =
        || format!("expected {} hexadecimal digits; remove it, and a new one is made", KEY_BYTES * 2);
    anyhow::ensure!(text.len() == KEY_BYTES * 2 && text.is_ascii(), expected());
    let mut key = [0; KEY_BYTES];
    for (place, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[place * 2..place * 2 + 2], 16).with_context(expected)?;
    }
    Ok(SessionKey::new(&key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_is_made_once_and_read_again_and_a_bad_file_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config { data_dir: Some(folder.path().to_owned()), ..Config::default() };
        session_key(&config).unwrap();
        let path = folder.path().join(SESSION_KEY_FILE);
        let text = std::fs::read_to_string(&path).unwrap();
        session_key(&config).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "the key stays");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left over");
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
        assert!(format!("{:#}", session_key(&config).unwrap_err()).contains("chmod 600"));
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        for bad in ["", "changeme", &"ü".repeat(KEY_BYTES), &"zz".repeat(KEY_BYTES), &text[1..]] {
            std::fs::write(&path, bad).unwrap();
            let said = format!("{:#}", session_key(&config).unwrap_err());
            assert!(said.contains("expected 64 hexadecimal digits"), "{said}");
        }
    }
}
