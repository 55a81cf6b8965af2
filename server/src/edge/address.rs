//! Who is calling: the address of the connection, or what a trusted proxy says about it.
//!
//! Entry points: [`Proxies`], [`ClientAddress`]. Invariant: what a stranger writes into `X-Forwarded-For` changes nothing. Only
//! what our own proxies have appended counts, read from the right up to the first address that is none of theirs.

use std::net::IpAddr;

use axum::http::HeaderMap;
use ipnet::IpNet;

/// The header in which proxies say whom they speak for.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// Where a request comes from; in the extensions of every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// The networks of the reverse proxies in front of this server.
#[derive(Debug, Clone, Default)]
pub struct Proxies(Vec<IpNet>);

impl Proxies {
    /// The proxies in these networks.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this is the address of one.
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The client behind a connection from `peer`.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> ClientAddress {
        let peer = peer.to_canonical();
        if !self.trusts(peer) {
            return ClientAddress(peer);
        }
        let lines = headers.get_all(FORWARDED_FOR).iter().filter_map(|line| line.to_str().ok());
        let chain: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
        let mut client = peer;
        for element in chain.into_iter().rev() {
            // What is no address was not written by a proxy of ours: whoever is before it cannot be known.
            let Ok(address) = element.parse::<IpAddr>() else { break };
            client = address.to_canonical();
            if !self.trusts(client) {
                break;
            }
        }
        ClientAddress(client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_trusted_proxies_appended_counts() {
        let proxies = Proxies::new(vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::1/128".parse().unwrap()]);
        let rows: [(&str, &[&str], &str); 10] = [
            ("192.0.2.1", &[], "192.0.2.1"),
            ("192.0.2.1", &["203.0.113.9"], "192.0.2.1"),
            ("10.1.1.1", &[], "10.1.1.1"),
            ("10.1.1.1", &["203.0.113.9"], "203.0.113.9"),
            ("10.1.1.1", &["198.51.100.1, 203.0.113.9"], "203.0.113.9"),
            ("10.1.1.1", &["198.51.100.1", "203.0.113.9, 10.2.2.2"], "203.0.113.9"),
            ("10.1.1.1", &["203.0.113.9, nonsense, 10.2.2.2"], "10.2.2.2"),
            ("10.1.1.1", &["10.3.3.3, 10.2.2.2"], "10.3.3.3"),
            ("2001:db8::1", &["2001:db8:9::9"], "2001:db8:9::9"),
            ("::ffff:10.1.1.1", &["::ffff:203.0.113.9"], "203.0.113.9"),
        ];
        for (peer, lines, client) in rows {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(FORWARDED_FOR, line.parse().unwrap());
            }
            let found = proxies.client(peer.parse().unwrap(), &headers);
            assert_eq!(found, ClientAddress(client.parse().unwrap()), "{peer} {lines:?}");
        }
    }
}
