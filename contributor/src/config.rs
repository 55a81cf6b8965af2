//! Settings: where the server is, with which key, and where the outbox lies.
//!
//! Entry points: [`Settings::load`], then [`Settings::endpoint`] for commands that talk to the server.
//! Invariants: the API key never shows in a debug print or in `config show`; it travels over https, or stays on this
//! machine.

use std::path::{Path, PathBuf};

use launch::credential;
use launch::secret::Secret;
use launch::server::Address;
use serde::Deserialize;

use crate::failure::Failure;
use crate::source::discord::DiscordSettings;

/// The name of this program.
pub const PROGRAM: &str = "contributor";
/// The prefix of variables that override the file.
const PREFIX: &str = "CONTRIBUTOR";
/// The file that is read when no other is named and it exists.
pub const DEFAULT_FILE: &str = "contributor.toml";

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
    /// Listening to Discord.
    pub discord: DiscordSettings,
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
        launch::config::load(file, PREFIX, environment)
            .map_err(|error| Failure::Configuration(error.to_string()))
    }

    /// The folder of the outbox; not created here.
    pub fn data_folder(&self) -> Result<PathBuf, Failure> {
        Ok(launch::folder::data_folder(PROGRAM, self.data_dir.as_deref())?)
    }

    /// The server and the key, checked.
    pub fn endpoint(&self) -> Result<Endpoint, Failure> {
        let server = self.server()?;
        let (key, file) = (self.api_key.as_ref(), self.api_key_file.as_deref());
        let kept = || credential::kept(PROGRAM, &server, &self.data_folder()?);
        let api_key = launch::server::api_key(key, file, kept, PREFIX).map_err(Failure::Configuration)?;
        Ok(Endpoint { server: server.to_string(), api_key })
    }

    /// The server, checked.
    pub fn server(&self) -> Result<Address, Failure> {
        let server = self.server.as_deref().ok_or_else(|| {
            Failure::Configuration(
                "no server is set: use --server, CONTRIBUTOR__SERVER, or `server` in contributor.toml".into(),
            )
        })?;
        server.parse().map_err(Failure::Configuration)
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
        let discord = &self.discord;
        let of_discord = [
            ("token", quoted(discord.token.as_ref().map(|token| format!("{token:?}")))),
            ("token_file", path(&discord.token_file)),
            ("channels", Some(format!("{:?}", discord.channels))),
            ("check_every_s", discord.check_every_s.map(|seconds| seconds.to_string())),
            ("metrics_listen", quoted(discord.metrics_listen.clone())),
            ("api", quoted(discord.api.clone())),
        ];
        let ours: String = lines.into_iter().map(line).collect();
        ours + "\n[discord]\n" + &of_discord.into_iter().map(line).collect::<String>()
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
    fn the_api_key_is_shown_nowhere() {
        let settings =
            settings(&[("CONTRIBUTOR__SERVER", "https://a.example"), ("CONTRIBUTOR__API_KEY", "cb_hidden")]);
        let shown = format!("{settings:?}{:?}{}", settings.endpoint().unwrap(), settings.redacted());
        assert!(!shown.contains("hidden"), "{shown}");
        assert!(shown.contains("api_key = \"[redacted]\""), "{shown}");
        assert_eq!(settings.endpoint().unwrap().api_key.expose(), "cb_hidden");
    }

    #[test]
    fn what_is_missing_is_a_configuration_failure_that_says_what_to_do() {
        let failure = settings(&[]).endpoint().unwrap_err();
        assert_eq!(failure.code(), 78);
        assert!(failure.to_string().contains("--server"), "{failure}");
        let failure = settings(&[("CONTRIBUTOR__SERVER", "https://a.example")]).endpoint().unwrap_err();
        assert!(failure.to_string().contains("api_key_file"), "{failure}");
        let unknown = [("CONTRIBUTOR__SERVR".to_owned(), "x".to_owned())].into_iter();
        let failure = Settings::load(None, unknown).unwrap_err();
        assert!(failure.to_string().contains("nearest known key is `server`"), "{failure}");
    }
}
