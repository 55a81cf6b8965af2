//! The client's settings: what the config file and the environment may say.
//!
//! Entry point: [`Config::load`]. Invariants: a secret is never shown, not even by `{:?}`; relative paths in the
//! file are relative to it; nothing is started with settings that contradict each other.

use std::path::{Path, PathBuf};

use launch::credential;
use launch::secret::Secret;
use launch::server::Address;
use serde::{Deserialize, Serialize};

use crate::engine::{Handling, Settings};
use crate::paper::PaperSettings;
use crate::policy::{Choice, Limits, Rules};

/// The name of this program.
pub const PROGRAM: &str = "trader-client";
/// The prefix of variables that override the file: `TRADER__RISK__MAX_DAILY_LOSS`.
const PREFIX: &str = "TRADER";
/// The longest name of an account: it is part of every order's id and of messages.
const MAX_ACCOUNT_CHARS: usize = 40;

/// All settings.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The server's address, `https://…`; `http://` only on this machine.
    pub server: String,
    /// The API key itself. Better: a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<Secret>,
    /// The file that holds the API key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_file: Option<PathBuf>,
    /// The account's name; the journal belongs to it.
    #[serde(default = "default_account")]
    pub account: String,
    /// Which signals are considered.
    #[serde(default)]
    pub policy: Choice,
    /// How much may be risked.
    #[serde(default)]
    pub risk: Limits,
    /// How trades are handled.
    #[serde(default)]
    pub engine: Handling,
    /// The paper exchange.
    pub paper: PaperConfig,
}

/// The paper exchange: its clock, its market data, and what it charges and lists.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PaperConfig {
    /// Where the time comes from.
    pub clock: Clock,
    /// The folder of candle files.
    pub candles: PathBuf,
    /// What it charges, assumes and lists.
    pub exchange: PaperSettings,
}

/// Where the time of the paper exchange comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    /// From the events and the candles: a run is a function of both, however fast it goes.
    Replay,
    /// From this machine.
    Wall,
}

fn default_account() -> String {
    "paper".to_owned()
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// A value is unknown, misspelt or missing.
    #[error(transparent)]
    Config(#[from] launch::config::ConfigError),
    /// The same, and no file was read at all.
    #[error("{0}; no config file was read: name one with --config")]
    NoFile(launch::config::ConfigError),
    /// Values that do not fit, each or together.
    #[error("config: {0}")]
    Problem(String),
}

impl Config {
    /// Reads the file and the environment, and checks the result.
    pub fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, Unusable> {
        let environment: Vec<(String, String)> = environment.collect();
        let is_set = |key: &str| environment.iter().any(|(name, _)| *name == format!("{PREFIX}__{key}"));
        let (key_here, candles_here) = (is_set("API_KEY_FILE"), is_set("PAPER__CANDLES"));
        let loaded = launch::config::load(file, PREFIX, environment.into_iter());
        let mut config: Self = match file {
            Some(_) => loaded?,
            None => loaded.map_err(Unusable::NoFile)?,
        };
        // A path in the file is relative to the file; one in the environment, to where we are.
        let folder = file.and_then(Path::parent).unwrap_or(Path::new(""));
        if !candles_here {
            config.paper.candles = folder.join(&config.paper.candles);
        }
        if !key_here {
            config.api_key_file = config.api_key_file.map(|path| folder.join(path));
        }
        config.check().map_err(Unusable::Problem)?;
        Ok(config)
    }

    fn check(&self) -> Result<(), String> {
        self.address()?;
        let account = &self.account;
        let fits = (1..=MAX_ACCOUNT_CHARS).contains(&account.len())
            && account.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        if !fits {
            return Err(format!(
                "account {account:?} is not a name: expected 1 to {MAX_ACCOUNT_CHARS} of a-z, A-Z, 0-9, `-`, `_`, `.`"
            ));
        }
        let (ours, theirs) = (&self.policy.quote_currency, &self.paper.exchange.currency);
        if ours != theirs {
            return Err(format!(
                "policy.quote_currency is {ours} and paper.exchange.currency is {theirs}: they must be the same"
            ));
        }
        self.paper.exchange.objection().map_or(Ok(()), |reason| Err(format!("paper.exchange: {reason}")))
    }

    /// The server's address.
    pub fn address(&self) -> Result<Address, String> {
        self.server.parse()
    }

    /// The API key, from the setting or its file, else the one that `login` has kept in the data folder.
    pub fn key(&self, folder: &Path) -> Result<Secret, Unusable> {
        let server = self.address().map_err(Unusable::Problem)?;
        let kept = || credential::kept(PROGRAM, &server, folder);
        launch::server::api_key(self.api_key.as_ref(), self.api_key_file.as_deref(), kept, PREFIX)
            .map_err(Unusable::Problem)
    }

    /// The settings that the engine decides by.
    pub fn settings(&self) -> Settings {
        let rules = Rules { policy: self.policy.clone(), risk: self.risk.clone() };
        Settings { rules, engine: self.engine.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
server = "http://127.0.0.1:8080"
api_key = "cb_secret"

[policy]
channels = ["vip-calls"]

[risk]
max_daily_loss = "5%"

[paper]
clock = "replay"
candles = "candles"

[paper.exchange]
currency = "USDT"
start_balance = "10000"
taker_fee = "0.05"
maker_fee = "0.02"
slippage = "0.02"
participation = "10"
pairs.BTCUSDT = { tick = "0.1", lot = "0.001", min_quantity = "0.001", min_notional = "5" }
"#;

    fn load(text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trader.toml");
        std::fs::write(&path, text).unwrap();
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::load(Some(&path), environment).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_and_the_environment_give_the_settings() {
        let config = load(TEXT, &[("TRADER__RISK__PER_TRADE", "0.5%")]).unwrap();
        assert_eq!(config.account, "paper");
        assert_eq!(config.risk.max_daily_loss.to_string(), "5%");
        assert_eq!(config.risk.per_trade.to_string(), "0.5%");
        assert!(config.paper.candles.is_absolute(), "relative to the file");
        assert_eq!(config.key(Path::new("/nonexistent")).unwrap().expose(), "cb_secret");
    }

    #[test]
    fn a_secret_is_never_shown() {
        let config = load(TEXT, &[]).unwrap();
        assert!(!format!("{config:?}").contains("cb_secret"));
        let shown = toml::to_string(&config).unwrap();
        assert!(!shown.contains("cb_secret") && shown.contains("[redacted]"), "{shown}");
    }

    #[test]
    fn what_cannot_be_used_is_refused_in_words() {
        for (from, to, words) in [
            ("http://127.0.0.1:8080", "http://example.org", "for this machine only"),
            ("http://127.0.0.1:8080", "ftp://example.org", "use https"),
            ("currency = \"USDT\"", "currency = \"USDC\"", "they must be the same"),
            ("max_daily_loss = \"5%\"", "max_daily_loss = \"5\"", "`5` is not a percentage"),
            ("channels =", "chanels =", "nearest known key is `channels`"),
            ("channels =", "min_witnesses = 0\nchannels =", "expected a nonzero"),
            ("clock = \"replay\"", "clock = \"sun\"", "unknown variant `sun`"),
            ("api_key =", "account = \"a b\"\napi_key =", "is not a name"),
        ] {
            let error = load(&TEXT.replace(from, to), &[]).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn a_key_comes_from_one_place_and_is_one_word() {
        let without = TEXT.replace("api_key = \"cb_secret\"\n", "");
        let key =
            |text: &str| load(text, &[]).unwrap().key(Path::new("/nonexistent")).unwrap_err().to_string();
        assert!(key(&without).contains("no API key"));
        assert!(key(&TEXT.replace("cb_secret", "  ")).contains("one word"));
        assert!(key(&TEXT.replace("api_key =", "api_key_file = \"k\"\napi_key =")).contains("both set"));
        let missing = without.replace("[policy]", "api_key_file = \"missing.key\"\n[policy]");
        assert!(key(&missing).contains("missing.key"));
    }
}
