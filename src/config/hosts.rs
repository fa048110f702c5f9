//! Hosts that a configuration names.

use std::net::IpAddr;

use serde::{Deserialize, Deserializer};

use super::values::from_text;
use crate::message::host_name;

/// Hosts: one by its name, all below a domain, or a network of addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hosts {
    Name(String),
    /// What ends with this, the dot included.
    Below(String),
    /// An address, and how many of its bits count.
    Network(IpAddr, u32),
}

impl Hosts {
    /// Reads `mail.example.com`, `*.example.com`, `192.0.2.1` or `192.0.2.0/24`; `None` where it is none of these.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(ip) = text.parse() {
            return Some(Self::Network(ip, bits(&ip)));
        }
        if let Some((ip, length)) = text.split_once('/') {
            let (ip, length): (IpAddr, u32) = (ip.parse().ok()?, length.parse().ok()?);
            return (length <= bits(&ip)).then_some(Self::Network(ip, length));
        }
        match text.strip_prefix("*.") {
            Some(domain) => host_name(&format!("x.{domain}")).map(|name| Self::Below(name[1..].to_owned())),
            None => host_name(text).map(Self::Name),
        }
    }

    /// Whether a client of this name and address is one of them.
    pub fn has(&self, name: Option<&str>, ip: Option<IpAddr>) -> bool {
        match self {
            Self::Name(wanted) => name == Some(wanted.as_str()),
            Self::Below(domain) => {
                name.is_some_and(|name| name.ends_with(domain.as_str()) && name.len() > domain.len())
            }
            Self::Network(network, length) => ip.is_some_and(|ip| in_network(ip, *network, *length)),
        }
    }
}

fn bits(ip: &IpAddr) -> u32 {
    if ip.is_ipv4() { 32 } else { 128 }
}

fn in_network(ip: IpAddr, network: IpAddr, length: u32) -> bool {
    let number = |ip: IpAddr| match ip.to_canonical() {
        IpAddr::V4(ip) => (u128::from(ip.to_bits()), 32),
        IpAddr::V6(ip) => (ip.to_bits(), 128),
    };
    let ((ip, of), (network, width)) = (number(ip), number(network));
    // A length of zero shifts all bits out.
    of == width && (length == 0 || (ip ^ network) >> (width - length.min(width)) == 0)
}

impl<'de> Deserialize<'de> for Hosts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(
            deserializer,
            "a host such as \"mail.example.com\", \"*.example.com\" or \"192.0.2.0/24\"",
            Self::parse,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_domains_and_networks() {
        let has = |hosts: &str, name: &str, ip: &str| {
            let name = Some(name).filter(|name| !name.is_empty());
            Hosts::parse(hosts).unwrap().has(name, ip.parse().ok())
        };
        assert!(has("*.Outbound.example.com", "a.outbound.example.com", ""));
        assert!(!has("*.outbound.example.com", "outbound.example.com", ""));
        assert!(!has("*.outbound.example.com", "evil-outbound.example.com", ""));
        assert!(!has(
            "*.outbound.example.com",
            "a.outbound.example.com.evil.example",
            ""
        ));
        assert!(has("mail.example.com", "mail.example.com", "") && !has("mail.example.com", "a.mail.example.com", ""));
        assert!(has("10.0.0.0/8", "", "10.1.2.3") && !has("10.0.0.0/8", "", "11.1.2.3"));
        assert!(has("192.0.2.1", "", "192.0.2.1") && has("2001:db8::/32", "", "2001:db8:1::2"));
        assert!(has("0.0.0.0/0", "", "192.0.2.1") && !has("0.0.0.0/0", "", "2001:db8::1"));
        for bad in [
            "",
            "*",
            "*.",
            "10.0.0.0/33",
            "mail example",
            "localhost",
            "*.*.example.com",
        ] {
            assert_eq!(Hosts::parse(bad), None, "{bad}");
        }
    }
}
