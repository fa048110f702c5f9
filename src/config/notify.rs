//! `[mail]` and `[webhook]` say who gets reports about runs, and when. `[profile.notify]` changes that for one profile.

use std::{fmt, path::PathBuf, time::Duration};

use jiff::civil::Time;
use serde::{Deserialize, Deserializer, de};

use super::{ConfigError, Encryption, Endpoint, Secret, Span, Tls, Zone, secret_ways::SecretWays, values::from_text};

/// When somebody gets a report: `"always"`, `"errors"`, `"daily"`, several of them in a list, or `"never"`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct When {
    /// After each run.
    pub always: bool,
    /// After runs that failed, and when it works again.
    pub errors: bool,
    /// Once a day, of all runs of the day.
    pub daily: bool,
}

impl When {
    const ALWAYS: Self = Self {
        always: true,
        errors: false,
        daily: false,
    };
    const ERRORS: Self = Self {
        always: false,
        errors: true,
        daily: false,
    };
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum WhenWord {
    Always,
    Errors,
    Daily,
    Never,
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = When;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"always\", \"errors\", \"daily\", \"never\", or a list of them")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<When, E> {
                let mut when = When::default();
                let word: de::value::StrDeserializer<E> = de::IntoDeserializer::into_deserializer(text);
                when.add(WhenWord::deserialize(word)?);
                Ok(when)
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, mut words: A) -> Result<When, A::Error> {
                let mut when = When::default();
                while let Some(word) = words.next_element()? {
                    when.add(word);
                }
                Ok(when)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl When {
    fn add(&mut self, word: WhenWord) {
        match word {
            WhenWord::Always => self.always = true,
            WhenWord::Errors => self.errors = true,
            WhenWord::Daily => self.daily = true,
            WhenWord::Never => {}
        }
    }
}

/// A mail address, with a name or without: `jane@example.com`, `"Jane <jane@example.com>"`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mailbox(pub lettre::message::Mailbox);

impl<'de> Deserialize<'de> for Mailbox {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(
            deserializer,
            "a mail address, such as \"jane@example.com\" or \"Jane <jane@example.com>\"",
            |text| text.parse().ok().map(Self),
        )
    }
}

/// A time of the day, `07:00`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimeOfDay(pub Time);

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, "a time of the day, such as \"07:00\"", |text| {
            Time::strptime("%H:%M", text.trim()).ok().map(Self)
        })
    }
}

/// How mail is handed to a server, in the words of a profile's access.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MailAccess {
    /// In clear text.
    Smtp,
    /// STARTTLS, and never without.
    #[default]
    SmtpTls,
    /// TLS from the first byte.
    SmtpSsl,
}

/// `[mail]`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    pub host: String,
    port: Option<u16>,
    #[serde(default)]
    pub access: MailAccess,
    /// Where the server wants a log-in.
    pub username: Option<String>,
    pub(super) password: Option<Secret>,
    pub(super) password_file: Option<PathBuf>,
    password_env: Option<String>,
    #[serde(default)]
    pub tls: Tls,
    #[serde(default = "mail_timeout")]
    timeout: Span,
    pub from: Mailbox,
    pub to: Vec<Mailbox>,
    #[serde(default = "mail_when")]
    pub when: When,
    #[serde(default = "digest_at")]
    pub digest_at: TimeOfDay,
    /// In which `digest_at` is read; the machine's own where none is given.
    #[serde(default)]
    pub timezone: Zone,
}

fn mail_timeout() -> Span {
    Span(Duration::from_secs(30))
}

fn mail_when() -> When {
    When::ERRORS
}

fn digest_at() -> TimeOfDay {
    TimeOfDay(Time::constant(7, 0, 0, 0))
}

impl Mail {
    /// The ports registered for it (RFC 5321, RFC 6409, RFC 8314).
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.access {
            MailAccess::Smtp => 25,
            MailAccess::SmtpTls => 587,
            MailAccess::SmtpSsl => 465,
        })
    }

    pub fn encryption(&self) -> Encryption {
        match self.access {
            MailAccess::Smtp => Encryption::Never,
            MailAccess::SmtpTls => Encryption::Upgrade,
            MailAccess::SmtpSsl => Encryption::Implicit,
        }
    }

    /// How long handing over one mail may take.
    pub fn timeout(&self) -> Duration {
        self.timeout.0
    }

    /// # Errors
    /// The file cannot be read, or the variable is not set. Neither shows the password.
    pub fn password(&self) -> Result<Option<Secret>, ConfigError> {
        self.password_ways().read()
    }

    pub(super) fn password_ways(&self) -> SecretWays<'_> {
        SecretWays {
            section: "mail.".to_owned(),
            key: "password",
            text: self.password.as_ref(),
            file: self.password_file.as_deref(),
            env: self.password_env.as_deref(),
        }
    }
}

/// `[webhook]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    pub url: Endpoint,
    #[serde(default = "webhook_when")]
    pub when: When,
    pub(super) token: Option<Secret>,
    pub(super) token_file: Option<PathBuf>,
    token_env: Option<String>,
    /// PEM file of further roots, or of the server's own certificate.
    pub ca_file: Option<PathBuf>,
    #[serde(default = "webhook_timeout")]
    timeout: Span,
}

fn webhook_when() -> When {
    When::ALWAYS
}

fn webhook_timeout() -> Span {
    Span(Duration::from_secs(10))
}

impl Webhook {
    /// How long one call may take.
    pub fn timeout(&self) -> Duration {
        self.timeout.0
    }

    /// # Errors
    /// The file cannot be read, or the variable is not set. Neither shows the token.
    pub fn token(&self) -> Result<Option<Secret>, ConfigError> {
        self.token_ways().read()
    }

    pub(super) fn token_ways(&self) -> SecretWays<'_> {
        SecretWays {
            section: "webhook.".to_owned(),
            key: "token",
            text: self.token.as_ref(),
            file: self.token_file.as_deref(),
            env: self.token_env.as_deref(),
        }
    }
}

/// `[profile.notify]`: in place of what `[mail]` says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Notify {
    pub to: Option<Vec<Mailbox>>,
    pub when: Option<When>,
}
