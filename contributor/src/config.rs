//! Settings: where the server is, with which key, and where the outbox lies.
//!
//! Entry points: [`Settings::load`], then [`Settings::endpoint`] for commands that talk to the server.
//! Invariants: the API key never shows in a debug print or in `config show`; it travels over https, or stays on this
//! machine.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::failure::Failure;

/// The file that is read when no other is named and it exists.
pub const DEFAULT_FILE: &str = "contributor.toml";

/// A text that must not be shown.
#[derive(Clone, Deserialize, PartialEq, Eq)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text itself: for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("[redacted]")
    }
}

/// What can be set: in the file, then by `CONTRIBUTOR__…` variables, then by flags.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The server's address, such as `https://callboard.example`.
    pub server: Option<String>,
    /// The API key of this contributor.
    pub api_key: Option<Secret>,
    /// A file that holds the API key and nothing else.
    pub api_key_file: Option<PathBuf>,
    /// The folder of the outbox.
    pub data_dir: Option<PathBuf>,
}

/// Where to send, and with which key.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The server's address without a slash at the end: also the name of the outbox's owner.
    pub server: String,
    /// The API key.
    pub api_key: Secret,
}

impl Settings {
    /// Reads the named file (or [`DEFAULT_FILE`] if it exists) and the environment.
    pub fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, Failure> {
        let default = Path::new(DEFAULT_FILE);
        let file = file.or_else(|| default.exists().then_some(default));
        launch::config::load(file, "CONTRIBUTOR", environment)
            .map_err(|error| Failure::Configuration(error.to_string()))
    }

    /// The folder of the outbox; not created here.
    pub fn data_folder(&self) -> Result<PathBuf, Failure> {
        Ok(launch::folder::data_folder("contributor", self.data_dir.as_deref())?)
    }

    /// The server and the key, checked.
    pub fn endpoint(&self) -> Result<Endpoint, Failure> {
        let server = self.server.as_deref().ok_or_else(|| {
            Failure::Configuration(
                "no server is set: use --server, CONTRIBUTOR__SERVER, or `server` in contributor.toml".into(),
            )
        })?;
        let server = checked_address(server)
            .map_err(|problem| Failure::Configuration(format!("server `{server}`: {problem}")))?;
        Ok(Endpoint { server, api_key: self.key()? })
    }

    fn key(&self) -> Result<Secret, Failure> {
        let key = match (&self.api_key, &self.api_key_file) {
            (Some(_), Some(_)) => Err("api_key and api_key_file are both set: keep one of them".to_owned()),
            (Some(key), None) => Ok(key.0.clone()),
            (None, Some(file)) => std::fs::read_to_string(file)
                .map_err(|error| format!("reading api_key_file {}: {error}", file.display())),
            (None, None) => {
                Err("no API key is set: ask the server's host for one, then use --api-key-file, \
                                 CONTRIBUTOR__API_KEY, or `api_key_file` in contributor.toml"
                    .to_owned())
            }
        };
        let key = key.map_err(Failure::Configuration)?.trim().to_owned();
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Failure::Configuration(
                "the API key must be one word of plain letters, digits and signs".into(),
            ));
        }
        Ok(Secret(key))
    }

    /// The settings as TOML, without secrets.
    pub fn redacted(&self) -> String {
        let quoted = |value: Option<String>| value.map(|value| format!("{value:?}"));
        let path = |path: &Option<PathBuf>| quoted(path.as_ref().map(|path| path.display().to_string()));
        let lines = [
            ("server", quoted(self.server.clone())),
            ("api_key", quoted(self.api_key.as_ref().map(|key| format!("{key:?}")))),
            ("api_key_file", path(&self.api_key_file)),
            ("data_dir", path(&self.data_dir)),
        ];
        let line = |(key, value): (&str, Option<String>)| match value {
            Some(value) => format!("{key} = {value}\n"),
            None => format!("# {key} is not set\n"),
        };
        lines.into_iter().map(line).collect()
    }
}

/// The address without a slash at the end, if the key may travel there.
fn checked_address(text: &str) -> Result<String, String> {
    let url = reqwest::Url::parse(text).map_err(|error| format!("is not an address: {error}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a user name or password; the API key has its own setting".into());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must end with the path, without `?` or `#`".into());
    }
    let host = url.host_str().unwrap_or_default();
    let loopback = host == "localhost"
        || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    match url.scheme() {
        "https" => Ok(url.as_str().trim_end_matches('/').to_owned()),
        "http" if loopback => Ok(url.as_str().trim_end_matches('/').to_owned()),
        "http" => Err("plain http would show the API key to everyone on the way; use https \
                       (http is for this machine only, such as http://127.0.0.1:8080)"
            .into()),
        other => Err(format!("`{other}` is not a way to reach a server; use https")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Settings::load(None, pairs).unwrap()
    }

    #[test]
    fn http_is_only_for_this_machine() {
        for good in ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:8080", "https://a.example"]
        {
            assert_eq!(checked_address(&format!("{good}/")).unwrap(), good);
        }
        for bad in ["http://10.0.0.1", "http://a.example", "ftp://a.example", "https://u:p@a.example", "a b"]
        {
            assert!(checked_address(bad).is_err(), "{bad}");
        }
        assert_eq!(checked_address("https://a.example/call/").unwrap(), "https://a.example/call");
    }

    #[test]
    fn the_api_key_is_shown_nowhere() {
        let settings =
            settings(&[("CONTRIBUTOR__SERVER", "https://a.example"), ("CONTRIBUTOR__API_KEY", "cb_hidden")]);
        let shown = format!("{settings:?}{:?}{}", settings.endpoint().unwrap(), settings.redacted());
        assert!(!shown.contains("hidden"), "{shown}");
        assert!(shown.contains("api_key = \"[redacted]\""), "{shown}");
        assert_eq!(settings.endpoint().unwrap().api_key.expose(), "cb_hidden");
    }

    #[test]
    fn the_key_may_lie_in_a_file_with_a_line_end() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "cb_filed\n").unwrap();
        let path = file.path().to_str().unwrap();
        let pairs = [("CONTRIBUTOR__SERVER", "https://a.example"), ("CONTRIBUTOR__API_KEY_FILE", path)];
        assert_eq!(settings(&pairs).endpoint().unwrap().api_key.expose(), "cb_filed");
    }

    #[test]
    fn what_is_missing_is_a_configuration_failure_that_says_what_to_do() {
        let failure = settings(&[]).endpoint().unwrap_err();
        assert_eq!(failure.code(), 78);
        assert!(failure.to_string().contains("--server"), "{failure}");
        let failure = settings(&[("CONTRIBUTOR__SERVER", "https://a.example")]).endpoint().unwrap_err();
        assert!(failure.to_string().contains("--api-key-file"), "{failure}");
        let unknown = [("CONTRIBUTOR__SERVR".to_owned(), "x".to_owned())].into_iter();
        let failure = Settings::load(None, unknown).unwrap_err();
        assert!(failure.to_string().contains("nearest known key is `server`"), "{failure}");
    }
}
