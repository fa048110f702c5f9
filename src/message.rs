//! The words that every stage shares: addresses, users, copies.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The name of the built-in user who gets what has no known address.
pub const CATCHALL: &str = "@catchall";

/// A mail address in the one form in which addresses are compared: local part in lower case,
/// domain in lower case and IDNA ASCII (RFC 5890).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Address(Box<str>);

impl Address {
    /// Normalises `local@domain`; `None` where it has no local part or no domain.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@')?;
        let domain = domain.trim_end_matches('.');
        let clean = |part: &str| !part.is_empty() && !part.chars().any(|c| c.is_control());
        let strange = |c: char| c.is_whitespace() || matches!(c, '"' | '<' | '>' | '(' | ')' | ',' | ';');
        if !clean(local) || !clean(domain) || domain.contains(strange) {
            return None;
        }
        let domain = idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.to_lowercase());
        Some(Self(format!("{}@{domain}", local.to_lowercase()).into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// The address without its `+tag` (RFC 5233), where it has one.
    pub fn without_tag(&self) -> Option<Self> {
        let (local, domain) = self.0.rsplit_once('@')?;
        let (base, _) = local.split_once('+')?;
        (!base.is_empty()).then(|| Self(format!("{base}@{domain}").into()))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_normalised() {
        let parse = |text: &str| Address::parse(text).map(|address| address.to_string());
        assert_eq!(parse(" Jane.Doe@EXAMPLE.com. "), Some("jane.doe@example.com".into()));
        assert_eq!(parse("jane@bücher.example"), Some("jane@xn--bcher-kva.example".into()));
        assert_eq!(parse("\"a@b\"@example.com"), Some("\"a@b\"@example.com".into()));
        for none in ["", "\"a@b\"", "jane", "@example.com", "jane@", "jane@exam ple.com"] {
            assert_eq!(parse(none), None, "{none}");
        }
        let tagged = Address::parse("jane+news@example.com").unwrap();
        assert_eq!(tagged.without_tag().unwrap().as_str(), "jane@example.com");
        assert_eq!(Address::parse("+news@example.com").unwrap().without_tag(), None);
    }
}
