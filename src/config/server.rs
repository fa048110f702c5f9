//! `[profile.server]`: how a source is reached, and how its certificate is judged.

use std::{fmt, path::PathBuf, time::Duration};

use serde::{Deserialize, Deserializer, Serialize};

use super::{ConfigError, OAuth2, Secret, Span, secret_ways::SecretWays, values::from_text};

/// The six kinds of access. `-Tls` begins in clear text and upgrades (STARTTLS, STLS), `-Ssl`
/// is TLS from the first byte (RFC 8314).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    Imap,
    ImapTls,
    ImapSsl,
    Pop3,
    Pop3Tls,
    Pop3Ssl,
}

/// The protocol behind an access, whatever its encryption: a source keeps its cursor when
/// only the encryption changes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    Imap,
    Pop3,
}

/// When TLS begins on a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encryption {
    Never,
    /// After STARTTLS or STLS; a server that does not offer it is refused.
    Upgrade,
    /// From the first byte.
    Implicit,
}

impl Access {
    pub fn family(self) -> Family {
        match self {
            Self::Imap | Self::ImapTls | Self::ImapSsl => Family::Imap,
            Self::Pop3 | Self::Pop3Tls | Self::Pop3Ssl => Family::Pop3,
        }
    }

    pub fn encryption(self) -> Encryption {
        match self {
            Self::Imap | Self::Pop3 => Encryption::Never,
            Self::ImapTls | Self::Pop3Tls => Encryption::Upgrade,
            Self::ImapSsl | Self::Pop3Ssl => Encryption::Implicit,
        }
    }

    /// The port registered for this access (RFC 8314, RFC 9051, RFC 1939).
    pub fn default_port(self) -> u16 {
        match self {
            Self::Imap | Self::ImapTls => 143,
            Self::ImapSsl => 993,
            Self::Pop3 | Self::Pop3Tls => 110,
            Self::Pop3Ssl => 995,
        }
    }
}

/// How the server's certificate is judged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verify {
    /// By the system's root certificates, and `ca_file` where one is given.
    #[default]
    System,
    /// Not at all: any certificate is taken ("ignore TLS warnings").
    None,
    /// By its SHA-256 alone: names and dates do not matter.
    Pin,
}

/// SHA-256 of a certificate's DER form.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// Reads `sha256:` and 64 hexadecimal digits; colons between them are allowed, the prefix
    /// may be missing.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let hex = match text.get(..7) {
            Some(prefix) if prefix.eq_ignore_ascii_case("sha256:") => &text[7..],
            _ => text,
        };
        let mut bytes = [0; 32];
        hex::decode_to_slice(hex.replace(':', ""), &mut bytes).ok()?;
        Some(Self(bytes))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", hex::encode(self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, "\"sha256:\" and 64 hexadecimal digits", Self::parse)
    }
}

/// `tls = { … }` of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    pub verify: Verify,
    /// PEM file of further roots, or of the server's own certificate.
    pub ca_file: Option<PathBuf>,
    pub pin: Option<Fingerprint>,
}

/// Whether what is sent over IMAP is deflated (RFC 4978).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compress {
    /// Where the server offers it, and is neither on this machine nor in a private network: there it costs more time
    /// than it saves.
    #[default]
    Auto,
    Never,
    /// Wherever the server offers it.
    Always,
}

/// `[profile.server]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Whose it is, for errors.
    #[serde(skip)]
    pub(super) profile: String,
    /// Why the secrets that are kept cannot be decrypted.
    #[serde(skip)]
    pub(super) sealed: Option<String>,
    pub access: Access,
    pub host: String,
    port: Option<u16>,
    pub username: String,
    pub password: Option<Secret>,
    pub password_file: Option<PathBuf>,
    pub password_env: Option<String>,
    /// Log in with a token, in place of a password.
    pub oauth2: Option<OAuth2>,
    #[serde(default = "default_timeout")]
    timeout: Span,
    #[serde(default)]
    pub tls: Tls,
    #[serde(default)]
    pub compress: Compress,
}

fn default_timeout() -> Span {
    Span(Duration::from_secs(60))
}

impl Server {
    /// A server with everything optional left out, as a file with the four required keys gives it.
    pub fn new(access: Access, host: impl Into<String>, port: u16, username: impl Into<String>) -> Self {
        Self {
            profile: String::new(),
            sealed: None,
            access,
            host: host.into(),
            port: Some(port),
            username: username.into(),
            password: None,
            password_file: None,
            password_env: None,
            oauth2: None,
            timeout: default_timeout(),
            tls: Tls::default(),
            compress: Compress::default(),
        }
    }

    pub fn port(&self) -> u16 {
        self.port.unwrap_or_else(|| self.access.default_port())
    }

    /// How long the server may be silent: to a connection attempt, the TLS handshake, and
    /// between two reads. Not a bound on how long a large message may take.
    pub fn timeout(&self) -> Duration {
        self.timeout.0
    }

    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Span(timeout);
        self
    }

    /// The password, from wherever the configuration says.
    ///
    /// # Errors
    /// The file cannot be read, the variable is not set, or there is none, because the server takes tokens. None of
    /// them shows the password.
    pub fn secret(&self) -> Result<Secret, ConfigError> {
        ConfigError::refuse_sealed(&self.profile, self.sealed.as_deref())?;
        self.password_ways().read()?.ok_or(ConfigError::NoPassword)
    }

    pub(super) fn password_ways(&self) -> SecretWays<'_> {
        SecretWays {
            section: format!("profile {}: ", self.profile),
            key: "password",
            text: self.password.as_ref(),
            file: self.password_file.as_deref(),
            env: self.password_env.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_read_with_and_without_colons() {
        let plain = "ab".repeat(32);
        let colons = vec!["AB"; 32].join(":");
        let expected = Some(Fingerprint([0xab; 32]));
        for text in [plain.clone(), format!("sha256:{plain}"), format!("SHA256:{colons}")] {
            assert_eq!(Fingerprint::parse(&text), expected, "{text}");
        }
        assert_eq!(Fingerprint::parse("sha256:ab"), None);
        assert_eq!(Fingerprint::parse(&"xy".repeat(32)), None);
    }
}
