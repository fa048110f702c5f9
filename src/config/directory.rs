//! What the configuration says of the directory: users, domain aliases, lists.

use std::fmt;

use serde::{Deserialize, Deserializer, de};

use super::origin::Origin;

/// `[[list]]`: an address whose mail several users get.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    pub address: String,
    /// Names of users, be they of the configuration, of its users file, or added by commands.
    pub users: Vec<String>,
    #[serde(skip)]
    pub origin: Origin,
}

/// `[[user]]`: a person with addresses, managed by the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    pub name: String,
    /// Addresses, and patterns such as `*@example.com` and `*@*.example.com`.
    pub addresses: Vec<String>,
    /// Gets no new filings; the archive stays, and the addresses lead nowhere.
    #[serde(default)]
    pub disabled: bool,
}

/// The right side of a domain alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AliasTarget(String);

impl AliasTarget {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for AliasTarget {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl<'de> Deserialize<'de> for AliasTarget {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = AliasTarget;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                // Without quotes, the dots of the first domain make tables of it.
                f.write_str("a domain in quotes, and so the one before it: \"example.net\" = \"example.com\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<AliasTarget, E> {
                Ok(AliasTarget(text.to_owned()))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
