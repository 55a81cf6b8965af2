//! Settings: a TOML file, then the environment, then flags (which the programs apply themselves).
//!
//! Entry point: [`load`]. A variable `TRADER__RISK__MAX_OPEN_POSITIONS` overrides `max_open_positions` in `[risk]`.
//! Every error names the file and line, or the variable, that the bad value came from, and the nearest known key.
//!
//! Why no library: those with layers forget the line, and the line is what a person needs.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("reading the config file {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// The file holds something that does not fit.
    #[error("{}, line {line}: {problem}", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// A variable of the environment does not fit.
    #[error("environment variable {name}: {problem}")]
    InEnvironment {
        /// The variable.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The file and the environment leave a required setting out, or do not fit together.
    #[error("config: {problem}")]
    Incomplete {
        /// What is wrong.
        problem: String,
    },
}

/// Reads settings from a file (if any) and from the variables that begin with `prefix` and two underscores.
///
/// `T` must use `#[serde(deny_unknown_fields)]` in every table, so that a misspelt key is an error.
pub fn load<T: DeserializeOwned>(
    file: Option<&Path>,
    prefix: &str,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<T, ConfigError> {
    let mut table = match file {
        Some(path) => read_file::<T>(path)?,
        None => toml::Table::new(),
    };
    let start = format!("{prefix}__");
    let mut overrides: Vec<(String, String)> =
        environment.filter(|(name, _)| name.starts_with(&start)).collect();
    overrides.sort();
    for (name, value) in overrides {
        let keys: Vec<String> = name[start.len()..].split("__").map(str::to_ascii_lowercase).collect();
        let as_text = toml::Value::String(value.clone());
        let mut with_value = table.clone();
        set(&mut with_value, &keys, parsed(&value).unwrap_or_else(|| as_text.clone()));
        if fits::<T>(&with_value).is_err() {
            set(&mut with_value, &keys, as_text);
        }
        if let Err(problem) = fits::<T>(&with_value) {
            return Err(ConfigError::InEnvironment { name, problem });
        }
        table = with_value;
    }
    table.try_into().map_err(|error: toml::de::Error| ConfigError::Incomplete { problem: plain(&error) })
}

/// Parses the file and checks it as a `T`, so that an error still knows its line. A missing key is no error yet: the
/// environment may bring it.
fn read_file<T: DeserializeOwned>(path: &Path) -> Result<toml::Table, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { path: path.to_owned(), source };
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let in_file = |error: &toml::de::Error| ConfigError::InFile {
        path: path.to_owned(),
        line: error.span().map_or(1, |span| 1 + text[..span.start.min(text.len())].matches('\n').count()),
        problem: plain(error),
    };
    if let Err(error) = toml::from_str::<T>(&text)
        && !is_missing_field(&error)
    {
        return Err(in_file(&error));
    }
    toml::from_str(&text).map_err(|error| in_file(&error))
}

/// Whether the table fits so far; missing keys may still come.
fn fits<T: DeserializeOwned>(table: &toml::Table) -> Result<(), String> {
    match table.clone().try_into::<T>() {
        Err(error) if !is_missing_field(&error) => Err(plain(&error)),
        _ => Ok(()),
    }
}

fn is_missing_field(error: &toml::de::Error) -> bool {
    error.message().starts_with("missing field")
}

/// A variable's value as a number, a boolean or a list, if it reads as one.
fn parsed(value: &str) -> Option<toml::Value> {
    let mut table: toml::Table = toml::from_str(&format!("v = {value}")).ok()?;
    if table.len() == 1 { table.remove("v") } else { None }
}

/// Puts a value in its place, making the tables above it.
fn set(table: &mut toml::Table, keys: &[String], value: toml::Value) {
    match keys {
        [] => {}
        [key] => {
            table.insert(key.clone(), value);
        }
        [key, rest @ ..] => {
            let below = table.entry(key.clone()).or_insert_with(|| toml::Table::new().into());
            if !below.is_table() {
                *below = toml::Table::new().into();
            }
            if let Some(below) = below.as_table_mut() {
                set(below, rest, value);
            }
        }
    }
}

/// The error without the source excerpt, with the nearest known key for a misspelt one.
fn plain(error: &toml::de::Error) -> String {
    let message = error.message().trim();
    let mut quoted = message.split('`').skip(1).step_by(2);
    if !message.starts_with("unknown field") {
        return message.to_owned();
    }
    let Some(unknown) = quoted.next() else { return message.to_owned() };
    let nearest = quoted.map(|known| (strsim::damerau_levenshtein(unknown, known), known)).min();
    match nearest {
        Some((_, known)) => format!("unknown key `{unknown}`; the nearest known key is `{known}`"),
        None => format!("unknown key `{unknown}`; no key is known here"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Settings {
        server: String,
        #[serde(default)]
        risk: Risk,
    }

    #[derive(Debug, Default, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Risk {
        max_open_positions: u32,
        symbols: Vec<String>,
    }

    fn load_text(text: &str, environment: &[(&str, &str)]) -> Result<Settings, ConfigError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        load(Some(file.path()), "TRADER", environment)
    }

    #[test]
    fn the_environment_overrides_the_file() {
        let text = "server = \"a\"\n[risk]\nmax_open_positions = 1\n";
        let environment = [
            ("TRADER__RISK__MAX_OPEN_POSITIONS", "7"),
            ("TRADER__RISK__SYMBOLS", "[\"BTC\"]"),
            ("OTHER__SERVER", "x"),
        ];
        let settings = load_text(text, &environment).unwrap();
        assert_eq!(settings.risk, Risk { max_open_positions: 7, symbols: vec!["BTC".into()] });
        let settings: Settings =
            load(None, "TRADER", [("TRADER__SERVER".into(), "b".into())].into_iter()).unwrap();
        assert_eq!(settings.server, "b");
        let digits = [("TRADER__SERVER".into(), "8080".into())];
        let settings: Settings = load(None, "TRADER", digits.into_iter()).unwrap();
        assert_eq!(
            settings.server, "8080",
            "a text that looks like a number stays a text where one is wanted"
        );
    }

    #[test]
    fn a_misspelt_key_is_named_with_its_line_and_its_neighbour() {
        let error =
            load_text("server = \"a\"\n\n[risk]\nmax_open_postions = 1\n", &[]).unwrap_err().to_string();
        assert!(error.contains("line 4: unknown key `max_open_postions`"), "{error}");
        assert!(error.contains("nearest known key is `max_open_positions`"), "{error}");
    }

    #[test]
    fn a_bad_value_is_named_with_its_line_or_its_variable() {
        let error = load_text("server = \"a\"\n[risk]\nmax_open_positions = \"many\"\n", &[])
            .unwrap_err()
            .to_string();
        assert!(error.contains("line 3: ") && error.contains("expected u32"), "{error}");
        let error =
            load_text("server = \"a\"\n", &[("TRADER__RISK__MAX_OPEN_POSITIONS", "many")]).unwrap_err();
        assert!(
            error.to_string().starts_with("environment variable TRADER__RISK__MAX_OPEN_POSITIONS: "),
            "{error}"
        );
        let error = load_text("server = \n", &[]).unwrap_err().to_string();
        assert!(error.contains("line 1"), "{error}");
    }

    #[test]
    fn what_nobody_sets_is_named() {
        let error = load_text("[risk]\n", &[]).unwrap_err().to_string();
        assert_eq!(error, "config: missing field `server`");
    }
}
