//! Where a program keeps its data: the flag or setting if given, else the system's usual place.

use std::path::{Path, PathBuf};

/// The data folder of `program`: `explicit`, else `/var/lib/callboard/<program>` for root, else
/// `$XDG_DATA_HOME/callboard/<program>`, else `~/.local/share/callboard/<program>`. It is not created here.
pub fn data_folder(program: &str, explicit: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(folder) = explicit {
        return std::path::absolute(folder)
            .map_err(|e| anyhow::anyhow!("data folder {}: {e}", folder.display()));
    }
    if rustix::process::geteuid().is_root() {
        return Ok(Path::new("/var/lib/callboard").join(program));
    }
    let home = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    home("XDG_DATA_HOME")
        .or_else(|| home("HOME").map(|home| home.join(".local/share")))
        .map(|base| base.join("callboard").join(program))
        .ok_or_else(|| anyhow::anyhow!("no data folder: set --data-dir, XDG_DATA_HOME or HOME"))
}

/// Creates a folder that only its owner can enter.
pub fn create_private(folder: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|e| anyhow::anyhow!("creating the data folder {}: {e}", folder.display()))
}
