//! Where a program keeps its data: the flag or setting if given, else the system's usual place.
//!
//! Entry points: [`data_folder`], [`create`]. Invariant: folders get the stated mode whatever the umask is. Root's folders
//! let others pass (not look): the server's PostgreSQL runs as another user, and lives below one of them.

use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Root's folder for all programs.
const OF_ROOT: &str = "/var/lib/callboard";

/// Who may enter a data folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Only its owner.
    Private,
    /// Others may pass through to what is closed below, if the owner is root.
    Passage,
}

/// The data folder of `program`: `explicit`, else `/var/lib/callboard/<program>` for root, else
/// `$XDG_DATA_HOME/callboard/<program>`, else `~/.local/share/callboard/<program>`. It is not created here.
pub fn data_folder(program: &str, explicit: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(folder) = explicit {
        return std::path::absolute(folder)
            .map_err(|e| anyhow::anyhow!("data folder {}: {e}", folder.display()));
    }
    if rustix::process::geteuid().is_root() {
        return Ok(Path::new(OF_ROOT).join(program));
    }
    let home = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    home("XDG_DATA_HOME")
        .or_else(|| home("HOME").map(|home| home.join(".local/share")))
        .map(|base| base.join("callboard").join(program))
        .ok_or_else(|| anyhow::anyhow!("no data folder: set --data-dir, XDG_DATA_HOME or HOME"))
}

/// Creates a data folder, and the folders above it that are missing.
pub fn create(folder: &Path, access: Access) -> anyhow::Result<()> {
    let failed = |e| anyhow::anyhow!("creating the data folder {}: {e}", folder.display());
    let passage = if rustix::process::geteuid().is_root() { 0o711 } else { 0o700 };
    let missing: Vec<&Path> = folder.ancestors().take_while(|ancestor| !ancestor.exists()).collect();
    for ancestor in missing.into_iter().rev() {
        let mode = if access == Access::Private && ancestor == folder { 0o700 } else { passage };
        match std::fs::DirBuilder::new().mode(mode).create(ancestor) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(failed(error)),
            _ => {}
        }
        // The umask has taken its share from the mode above.
        std::fs::set_permissions(ancestor, PermissionsExt::from_mode(mode)).map_err(failed)?;
    }
    if folder.is_dir() { Ok(()) } else { Err(failed(std::io::ErrorKind::NotADirectory.into())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_get_their_modes_whatever_the_umask_is() {
        let place = tempfile::tempdir().unwrap();
        let before = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
        let (private, passage) = (place.path().join("a/private"), place.path().join("a/passage"));
        create(&private, Access::Private).unwrap();
        create(&passage, Access::Passage).unwrap();
        create(&passage, Access::Passage).unwrap();
        rustix::process::umask(before);
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let open = if rustix::process::geteuid().is_root() { 0o711 } else { 0o700 };
        assert_eq!((mode(&private), mode(&passage), mode(private.parent().unwrap())), (0o700, open, open));
    }

    #[test]
    fn a_file_in_the_way_is_said() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = create(file.path(), Access::Private).unwrap_err().to_string();
        assert!(error.contains("creating the data folder"), "{error}");
    }
}
