//! Addresses that something is posted to, with secrets in it.

use std::{fmt, net::IpAddr};

use hyper::Uri;
use serde::{Deserialize, Deserializer, de};

use super::Secret;

/// The address of a token endpoint or a webhook: https, or http on this machine itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub https: bool,
    /// A name or an address, without brackets.
    pub host: String,
    pub port: u16,
    /// Host and port as the address has them, for the field Host.
    pub authority: String,
    /// Path and query.
    pub target: String,
}

impl Endpoint {
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const FORM: &str = "must be an address such as \"https://www.example.com/path\"";
        let uri: Uri = text.trim().parse().map_err(|_| FORM)?;
        let https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(FORM),
        };
        let authority = uri.authority().ok_or(FORM)?;
        if authority.as_str().contains('@') {
            return Err("must hold no user name and password (the value is not shown)");
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(FORM);
        }
        if !https && !is_this_machine(host) {
            return Err("must begin with https://: secrets are sent there; http:// is for localhost alone");
        }
        Ok(Self {
            https,
            host: host.to_owned(),
            port: authority.port_u16().unwrap_or(if https { 443 } else { 80 }),
            authority: authority.to_string(),
            target: uri.path_and_query().map_or("/", |target| target.as_str()).to_owned(),
        })
    }
}

fn is_this_machine(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl Endpoint {
    /// Where it is, without what comes behind the host: whoever knows that of a webhook may call it.
    pub fn origin(&self) -> String {
        let scheme = if self.https { "https" } else { "http" };
        let rest = if self.target == "/" { "/" } else { "/…" };
        format!("{scheme}://{}{rest}", self.authority)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.https { "https" } else { "http" };
        // A query may hold what is nobody's business.
        let path = self.target.split('?').next().unwrap_or_default();
        write!(f, "{scheme}://{}{path}", self.authority)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin())
    }
}

impl<'de> Deserialize<'de> for Endpoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Secret::deserialize(deserializer)?;
        Self::parse(text.reveal()).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_https_or_on_this_machine() {
        let endpoint = Endpoint::parse("https://login.example.com/t/oauth2/token?a=b").unwrap();
        assert_eq!(
            (endpoint.host.as_str(), endpoint.port, endpoint.target.as_str()),
            ("login.example.com", 443, "/t/oauth2/token?a=b")
        );
        assert_eq!(endpoint.to_string(), "https://login.example.com/t/oauth2/token");
        assert_eq!(endpoint.origin(), "https://login.example.com/…");
        assert_eq!(format!("{endpoint:?}"), endpoint.origin());
        let endpoint = Endpoint::parse("http://[::1]:8080/token").unwrap();
        assert_eq!(
            (endpoint.host.as_str(), endpoint.port, endpoint.https),
            ("::1", 8080, false)
        );
        assert!(Endpoint::parse("http://127.0.0.1:1/token").is_ok());
        for (text, word) in [
            ("http://login.example.com/token", "https://"),
            ("http://localhost.example.com/token", "https://"),
            ("ftp://localhost/token", "an address such as"),
            ("login.example.com", "an address such as"),
            ("https://user:hunter2@login.example.com/token", "no user name"),
            ("", "an address such as"),
        ] {
            let refusal = Endpoint::parse(text).unwrap_err();
            assert!(
                refusal.contains(word) && !refusal.contains("hunter2"),
                "{text}: {refusal}"
            );
        }
    }
}
