//! The server's address, and which ones are safe to send a key to.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use tokio_tungstenite::tungstenite::http::Uri;

/// The address of a server: `https`, or `http` on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    is_tls: bool,
    authority: String,
}

impl Address {
    /// The address of the feed after an event.
    pub(super) fn feed_url(&self, after: i64) -> String {
        let scheme = if self.is_tls { "wss" } else { "ws" };
        format!("{scheme}://{}/v1/feed?after={after}", self.authority)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority)
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || "it is not an address: expected https://host or http://127.0.0.1:port".to_owned();
        let uri: Uri = text.parse().map_err(|_| expected())?;
        let is_tls = match uri.scheme_str() {
            Some("https" | "wss") => true,
            Some("http" | "ws") => false,
            _ => return Err(expected()),
        };
        let authority = uri.authority().ok_or_else(expected)?;
        if authority.as_str().contains('@') || uri.query().is_some() || !matches!(uri.path(), "" | "/") {
            return Err("only scheme, host and port are expected; no path, query or user name".to_owned());
        }
        if !is_tls && !is_this_machine(authority.host()) {
            return Err(
                "http:// is accepted only on this machine, because the key would be readable on the way: \
                        use https://"
                    .to_owned(),
            );
        }
        Ok(Self { is_tls, authority: authority.to_string() })
    }
}

fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for (text, url) in [
            ("http://127.0.0.1:8080", "ws://127.0.0.1:8080/v1/feed?after=7"),
            ("http://localhost:8080/", "ws://localhost:8080/v1/feed?after=7"),
            ("http://[::1]:8080", "ws://[::1]:8080/v1/feed?after=7"),
            ("https://calls.example.org", "wss://calls.example.org/v1/feed?after=7"),
        ] {
            assert_eq!(text.parse::<Address>().unwrap().feed_url(7), url);
        }
        for text in [
            "http://example.org",
            "http://127.0.0.1.example.org",
            "http://localhost.example.org",
            "http://10.0.0.1:8080",
            "ws://example.org",
            "https://user:word@example.org",
            "https://example.org/callboard",
            "https://example.org?x=1",
            "example.org",
            "ftp://example.org",
            "",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text:?} was accepted");
        }
    }
}
