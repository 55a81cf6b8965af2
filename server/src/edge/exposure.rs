//! Whether this server may be reached as its settings say. What is not safe is refused before anything listens.
//!
//! Entry point: [`check`]. Invariant: an API key never crosses a network in the clear, and nobody serves with a password that
//! stands in an example.

use launch::config::ConfigError;

use crate::config::Config;

/// What stands in examples, and is no secret.
const EXAMPLES: [&str; 12] = [
    "changeme",
    "change-me",
    "change_me",
    "password",
    "passwort",
    "secret",
    "example",
    "postgres",
    "callboard",
    "admin",
    "test",
    "123456",
];
/// How placeholders begin; `<` as it stands in an address, too.
const PLACEHOLDERS: [&str; 7] = ["your_", "your-", "<", "%3c", "${", "xxx", "todo"];

/// An error that says what to change, if the server may not be reached as its settings say.
pub fn check(config: &Config) -> Result<(), ConfigError> {
    let refused = |problem: String| Err(ConfigError::Incomplete { problem });
    if let Some(network) = config.trusted_proxies.iter().find(|network| network.prefix_len() == 0) {
        return refused(format!(
            "trusted_proxies holds {network}, which is everybody: name the addresses of your own proxies"
        ));
    }
    if let Some(origin) = config.allowed_origins.iter().find(|origin| !is_origin(origin)) {
        return refused(format!(
            "allowed_origins holds `{origin}`: write `https://host` or `https://host:port`"
        ));
    }
    let is_open = !config.listen.ip().to_canonical().is_loopback();
    if is_open && config.tls.is_none() && config.trusted_proxies.is_empty() {
        return refused(format!(
            "listening on {} is refused: API keys would cross the network in the clear. Set tls.certificate and tls.key, \
             or name the reverse proxy that speaks TLS in trusted_proxies, or listen on 127.0.0.1",
            config.listen
        ));
    }
    match config.database_url.as_ref().and_then(|url| password_in(url.expose())) {
        Some(password) if is_example(&password) => refused(
            "the password in DATABASE_URL stands in an example: choose one that nobody can guess, such as that of \
             `openssl rand -hex 24`"
                .to_owned(),
        ),
        _ => Ok(()),
    }
}

fn is_origin(origin: &str) -> bool {
    let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '*', ' ', '@']))
}

/// The password of a database's address, if it has one.
fn password_in(url: &str) -> Option<String> {
    let url = url::Url::parse(url).ok()?;
    let in_query = url.query_pairs().find(|(key, _)| key == "password").map(|(_, value)| value.into_owned());
    url.password().map(str::to_owned).or(in_query)
}

fn is_example(secret: &str) -> bool {
    let secret = secret.to_ascii_lowercase();
    EXAMPLES.contains(&secret.as_str()) || PLACEHOLDERS.iter().any(|start| secret.starts_with(start))
}

#[cfg(test)]
mod tests {
    use launch::secret::Secret;

    use super::*;
    use crate::edge::tls::TlsFiles;

    fn problem(config: &Config) -> Option<String> {
        check(config).err().map(|error| error.to_string())
    }

    #[test]
    fn only_a_server_that_keys_reach_safely_may_be_reached() {
        let tls = toml::from_str::<TlsFiles>("certificate = 'c.pem'\nkey = 'k.pem'").ok();
        for (listen, tls, proxies, is_allowed) in [
            ("127.0.0.1:8080", None, vec![], true),
            ("[::1]:8080", None, vec![], true),
            ("0.0.0.0:8080", None, vec![], false),
            ("[::]:8080", None, vec![], false),
            ("192.0.2.1:443", None, vec![], false),
            ("[::ffff:127.0.0.1]:80", None, vec![], true),
            ("0.0.0.0:443", tls.clone(), vec![], true),
            ("0.0.0.0:8080", None, vec!["10.0.0.2/32"], true),
            ("0.0.0.0:8080", None, vec!["0.0.0.0/0"], false),
            ("127.0.0.1:8080", None, vec!["::/0"], false),
            ("0.0.0.0:443", tls, vec!["0.0.0.0/0"], false),
        ] {
            let trusted_proxies = proxies.iter().map(|network| network.parse().unwrap()).collect();
            let listen = listen.parse().unwrap();
            let config = Config { listen, tls, trusted_proxies, ..Config::default() };
            assert_eq!(problem(&config).is_none(), is_allowed, "{listen} {proxies:?}");
        }
    }

    #[test]
    fn passwords_from_examples_are_refused_by_name_and_never_shown() {
        for (url, is_refused) in [
            ("postgres://callboard:changeme@db/callboard", true),
            ("postgres://callboard:Your_Password@db/callboard", true),
            ("postgres://callboard:%3Cpassword%3E@db/callboard", true),
            ("postgres://callboard@db/callboard?password=secret", true),
            ("postgres://callboard:9f2c51d8a07b@db/callboard", false),
            ("postgres://callboard@db/callboard", false),
            ("postgres:///callboard?host=/run/postgresql", false),
        ] {
            let config = Config { database_url: Some(Secret::new(url)), ..Config::default() };
            let problem = problem(&config);
            assert_eq!(problem.is_some(), is_refused, "{url}");
            assert!(!problem.unwrap_or_default().contains("changeme"));
        }
    }

    #[test]
    fn an_origin_is_a_scheme_and_a_host() {
        for (origin, is_allowed) in [
            ("https://a.example", true),
            ("https://a.example:8443", true),
            ("http://localhost:3000", true),
            ("a.example", false),
            ("https://a.example/", false),
            ("https://*", false),
            ("null", false),
        ] {
            let config = Config { allowed_origins: vec![origin.to_owned()], ..Config::default() };
            assert_eq!(problem(&config).is_none(), is_allowed, "{origin}");
        }
    }
}
