//! The server's settings: `server.toml`, then `SERVER__…` (and `DATABASE_URL`), then flags.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use launch::secret::Secret;
use serde::{Deserialize, Serialize};

use crate::edge::limits::Limits;
use crate::edge::tls::TlsFiles;

/// All settings of the server. Every one has a default.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The address of the API. Port 0 takes any free port; the one taken is printed.
    pub listen: SocketAddr,
    /// Where the private cluster keeps its data. Default: `/var/lib/callboard/server` for root, else
    /// `$XDG_DATA_HOME/callboard/server`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// A PostgreSQL database to use instead of the private cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database_url: Option<Secret>,
    /// The certificate of this server, when it speaks TLS itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsFiles>,
    /// The networks of the reverse proxies in front of this server (`10.0.0.2/32`): whom they speak for is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The origins (`https://a.example`) whose pages may open the feed in a browser. Programs send no origin.
    pub allowed_origins: Vec<String>,
    /// The file of the key that signs people's sessions; made if it is missing. All servers of one database need the same.
    /// Default: `session.key` in the data folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_key_file: Option<PathBuf>,
    /// What a stranger may take of this server.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            data_dir: None,
            database_url: None,
            tls: None,
            trusted_proxies: Vec::new(),
            allowed_origins: Vec::new(),
            session_key_file: None,
            limits: Limits::default(),
        }
    }
}

impl Config {
    /// Reads the file (if any) and the environment.
    pub fn load(file: Option<&Path>) -> anyhow::Result<Self> {
        let mut config: Self = launch::config::load(file, "SERVER", std::env::vars())?;
        if let Some(url) = std::env::var("DATABASE_URL").ok().filter(|url| !url.is_empty()) {
            config.database_url = Some(Secret::new(url));
        }
        Ok(config)
    }

    /// The data folder to use.
    pub fn data_folder(&self) -> anyhow::Result<PathBuf> {
        launch::folder::data_folder("server", self.data_dir.as_deref())
    }
}
