//! `[profile.server.oauth2]`: where the tokens come from with which a profile logs in (RFC 6749), and `[secrets]`, the
//! key with which they are kept.

use std::{collections::BTreeMap, fmt, net::IpAddr, path::PathBuf};

use hyper::Uri;
use serde::{Deserialize, Deserializer, de};

use super::{ConfigError, Secret, secret_ways::SecretWays};

/// `[secrets]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Secrets {
    /// A file with 32 bytes, as they are, in hexadecimal digits or in base64.
    pub key_file: Option<PathBuf>,
}

/// By what a token is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grant {
    /// By an earlier log-in of the mailbox's owner (RFC 6749, 6).
    #[default]
    RefreshToken,
    /// By the program's own right (RFC 6749, 4.4).
    ClientCredentials,
}

impl Grant {
    /// As the form says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
        }
    }
}

/// The address of a token endpoint: https, or http on this machine itself.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenEndpoint {
    pub https: bool,
    /// A name or an address, without brackets.
    pub host: String,
    pub port: u16,
    /// Host and port as the address has them, for the field Host.
    pub authority: String,
    /// Path and query.
    pub target: String,
}

impl TokenEndpoint {
    fn parse(text: &str) -> Result<Self, &'static str> {
        const FORM: &str = "must be an address such as \"https://login.example.com/oauth2/token\"";
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

impl fmt::Display for TokenEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.https { "https" } else { "http" };
        // A query may hold what is nobody's business.
        let path = self.target.split('?').next().unwrap_or_default();
        write!(f, "{scheme}://{}{path}", self.authority)
    }
}

impl fmt::Debug for TokenEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<'de> Deserialize<'de> for TokenEndpoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Secret::deserialize(deserializer)?;
        Self::parse(text.reveal()).map_err(de::Error::custom)
    }
}

/// `[profile.server.oauth2]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuth2 {
    pub token_endpoint: TokenEndpoint,
    pub client_id: String,
    client_secret: Option<Secret>,
    pub(super) client_secret_file: Option<PathBuf>,
    client_secret_env: Option<String>,
    #[serde(default)]
    pub grant: Grant,
    refresh_token: Option<Secret>,
    pub(super) refresh_token_file: Option<PathBuf>,
    refresh_token_env: Option<String>,
    pub scope: Option<String>,
    /// PEM file of further roots for the endpoint, or of its own certificate.
    pub ca_file: Option<PathBuf>,
    /// Further parameters of the form. Some of them are secrets.
    #[serde(default)]
    pub parameters: BTreeMap<String, Secret>,
}

impl OAuth2 {
    /// A public client with a refresh token to begin with.
    pub fn new(token_endpoint: &str, client_id: &str, refresh_token: Secret) -> Result<Self, &'static str> {
        Ok(Self {
            token_endpoint: TokenEndpoint::parse(token_endpoint)?,
            client_id: client_id.to_owned(),
            client_secret: None,
            client_secret_file: None,
            client_secret_env: None,
            grant: Grant::RefreshToken,
            refresh_token: Some(refresh_token),
            refresh_token_file: None,
            refresh_token_env: None,
            scope: None,
            ca_file: None,
            parameters: BTreeMap::new(),
        })
    }

    /// The client's secret; `None` of a public client.
    ///
    /// # Errors
    /// The file cannot be read, or the variable is not set. Neither shows the secret.
    pub fn client_secret(&self) -> Result<Option<Secret>, ConfigError> {
        self.client_secret_ways().read()
    }

    /// The refresh token to begin with; `None` with [`Grant::ClientCredentials`].
    ///
    /// # Errors
    /// The file cannot be read, or the variable is not set. Neither shows the token.
    pub fn first_refresh_token(&self) -> Result<Option<Secret>, ConfigError> {
        self.refresh_token_ways().read()
    }

    pub(super) fn client_secret_ways(&self) -> SecretWays<'_> {
        SecretWays {
            key: "client_secret",
            text: self.client_secret.as_ref(),
            file: self.client_secret_file.as_deref(),
            env: self.client_secret_env.as_deref(),
        }
    }

    pub(super) fn refresh_token_ways(&self) -> SecretWays<'_> {
        SecretWays {
            key: "refresh_token",
            text: self.refresh_token.as_ref(),
            file: self.refresh_token_file.as_deref(),
            env: self.refresh_token_env.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_https_or_on_this_machine() {
        let endpoint = TokenEndpoint::parse("https://login.example.com/t/oauth2/token?a=b").unwrap();
        assert_eq!(
            (endpoint.host.as_str(), endpoint.port, endpoint.target.as_str()),
            ("login.example.com", 443, "/t/oauth2/token?a=b")
        );
        assert_eq!(endpoint.to_string(), "https://login.example.com/t/oauth2/token");
        let endpoint = TokenEndpoint::parse("http://[::1]:8080/token").unwrap();
        assert_eq!(
            (endpoint.host.as_str(), endpoint.port, endpoint.https),
            ("::1", 8080, false)
        );
        assert!(TokenEndpoint::parse("http://127.0.0.1:1/token").is_ok());
        for (text, word) in [
            ("http://login.example.com/token", "https://"),
            ("http://localhost.example.com/token", "https://"),
            ("ftp://localhost/token", "an address such as"),
            ("login.example.com", "an address such as"),
            ("https://user:hunter2@login.example.com/token", "no user name"),
            ("", "an address such as"),
        ] {
            let refusal = TokenEndpoint::parse(text).unwrap_err();
            assert!(
                refusal.contains(word) && !refusal.contains("hunter2"),
                "{text}: {refusal}"
            );
        }
    }
}
