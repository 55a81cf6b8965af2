//! The server as its clients see it: an address that a key may be sent to, and the key.
//!
//! Entry points: [`Address`], [`api_key`]. Invariant: a key never travels in the clear, except on this machine.

use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::str::FromStr;

use url::Url;

use crate::secret::Secret;

/// The address of a server: `https`, or `http` on this machine. It prints without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// The same address for WebSockets.
    pub fn websocket(&self) -> String {
        self.0.replacen("http", "ws", 1)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let said = |problem: &str| format!("server `{text}`: {problem}");
        let expected = |_| said("is not an address: expected https://host or http://127.0.0.1:port");
        let url = Url::parse(text).map_err(expected)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(said("must not hold a user name or password; the API key has its own setting"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(said("must end with the path, without `?` or `#`"));
        }
        let host = url.host_str().unwrap_or_default();
        match url.scheme() {
            "https" => {}
            "http" if is_this_machine(host) => {}
            "http" => {
                let problem = "plain http would show the API key to everyone on the way: use https \
                               (http is for this machine only, such as http://127.0.0.1:8080)";
                return Err(said(problem));
            }
            other => return Err(said(&format!("`{other}` is not a way to reach a server: use https"))),
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }
}

fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_matches(['[', ']']);
    bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The API key from its setting or its file, else the one that `login` has kept; `prefix` is that of the program's variables.
/// The error says what to do.
pub fn api_key(
    setting: Option<&Secret>,
    file: Option<&Path>,
    kept: impl FnOnce() -> anyhow::Result<Option<Secret>>,
    prefix: &str,
) -> Result<Secret, String> {
    let text = match (setting, file) {
        (Some(_), Some(_)) => return Err("api_key and api_key_file are both set: keep one of them".into()),
        (Some(key), None) => key.expose().to_owned(),
        (None, Some(path)) => {
            let read = Secret::read(path);
            read.map_err(|error| format!("reading api_key_file {}: {error}", path.display()))?
                .expose()
                .to_owned()
        }
        (None, None) => match kept().map_err(|error| format!("{error:#}"))? {
            Some(key) => key.expose().to_owned(),
            None => {
                return Err(format!(
                    "no API key for this server: run `login`, or set api_key_file, or the variable {prefix}__API_KEY, to one"
                ));
            }
        },
    };
    let key = text.trim();
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("the API key must be one word of plain letters, digits and signs".into());
    }
    Ok(Secret::new(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_is_only_for_this_machine() {
        for good in ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:8080", "https://a.example"]
        {
            assert_eq!(format!("{good}/").parse::<Address>().unwrap().to_string(), good);
        }
        let others = [
            "http://10.0.0.1",
            "http://a.example",
            "http://127.0.0.1.a.example",
            "ftp://a.example",
            "https://u:p@a.example",
            "a b",
            "https://a/?b",
            "",
        ];
        for bad in others {
            assert!(bad.parse::<Address>().is_err(), "{bad}");
        }
        let behind_a_path: Address = "https://a.example/call/".parse().unwrap();
        assert_eq!(behind_a_path.to_string(), "https://a.example/call");
        assert_eq!(behind_a_path.websocket(), "wss://a.example/call");
    }

    #[test]
    fn a_key_comes_from_one_place_and_is_one_word() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "cb_filed\n").unwrap();
        let (set, path) = (Secret::new("cb_set"), file.path());
        assert_eq!(api_key(Some(&set), None, || Ok(None), "X").unwrap().expose(), "cb_set");
        assert_eq!(api_key(None, Some(path), || Ok(None), "X").unwrap().expose(), "cb_filed");
        assert!(api_key(Some(&set), Some(path), || Ok(None), "X").unwrap_err().contains("both set"));
        assert!(api_key(None, None, || Ok(None), "X").unwrap_err().contains("X__API_KEY"));
        let kept = api_key(None, None, || Ok(Some(Secret::new("cb_kept"))), "X").unwrap();
        assert_eq!(kept.expose(), "cb_kept");
        assert!(api_key(Some(&Secret::new("two words")), None, || Ok(None), "X").is_err());
        assert!(
            api_key(None, Some(Path::new("/nonexistent/key")), || Ok(None), "X")
                .unwrap_err()
                .contains("/nonexistent/key")
        );
    }
}
