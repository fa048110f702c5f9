//! `[profile.server.oauth2]`: where the tokens come from with which a profile logs in (RFC 6749), and `[secrets]`, the
//! key with which they are kept.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Deserialize;

use super::{ConfigError, Endpoint, Secret, secret_ways::SecretWays};

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

/// `[profile.server.oauth2]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuth2 {
    /// Whose it is, for errors.
    #[serde(skip)]
    pub(super) profile: String,
    /// Why the secrets that are kept cannot be decrypted.
    #[serde(skip)]
    pub(super) sealed: Option<String>,
    pub token_endpoint: Endpoint,
    pub client_id: String,
    pub(super) client_secret: Option<Secret>,
    pub(super) client_secret_file: Option<PathBuf>,
    client_secret_env: Option<String>,
    #[serde(default)]
    pub grant: Grant,
    pub(super) refresh_token: Option<Secret>,
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
            profile: String::new(),
            sealed: None,
            token_endpoint: Endpoint::parse(token_endpoint)?,
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
        ConfigError::refuse_sealed(&self.profile, self.sealed.as_deref())?;
        self.client_secret_ways().read()
    }

    /// The refresh token to begin with; `None` with [`Grant::ClientCredentials`].
    ///
    /// # Errors
    /// The file cannot be read, or the variable is not set. Neither shows the token.
    pub fn first_refresh_token(&self) -> Result<Option<Secret>, ConfigError> {
        ConfigError::refuse_sealed(&self.profile, self.sealed.as_deref())?;
        self.refresh_token_ways().read()
    }

    pub(super) fn client_secret_ways(&self) -> SecretWays<'_> {
        SecretWays {
            section: format!("profile {}: ", self.profile),
            key: "client_secret",
            text: self.client_secret.as_ref(),
            file: self.client_secret_file.as_deref(),
            env: self.client_secret_env.as_deref(),
        }
    }

    pub(super) fn refresh_token_ways(&self) -> SecretWays<'_> {
        SecretWays {
            section: format!("profile {}: ", self.profile),
            key: "refresh_token",
            text: self.refresh_token.as_ref(),
            file: self.refresh_token_file.as_deref(),
            env: self.refresh_token_env.as_deref(),
        }
    }
}
