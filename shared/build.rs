//! Lists the language files beside this script, so that a new language needs nothing but its file.
//!
//! Writes `LANGUAGES: &[(file name, text)]`, English first: of two files that know a phrase the first one decides.

use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join("languages");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort_by_key(|path| (!path.ends_with("english.toml"), path.clone()));
    let entries = files.iter().map(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        format!("    ({name:?}, include_str!({:?})),\n", path.display().to_string())
    });
    let list: String = entries.collect();
    let code = format!(
        "/// Every language file: its name and its text.\nconst LANGUAGES: &[(&str, &str)] = &[\n{list}];\n"
    );
    std::fs::write(Path::new(&std::env::var("OUT_DIR")?).join("languages.rs"), code)?;
    Ok(())
}
