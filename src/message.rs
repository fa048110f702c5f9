//! The words that every stage shares: addresses, users, copies.

use std::{
    borrow::{Borrow, Cow},
    fmt,
};

use icu_normalizer::ComposingNormalizerBorrowed;
use serde::{Deserialize, Serialize};

/// The name of the built-in user who gets what has no known address.
pub const CATCHALL: &str = "@catchall";

/// A mail address in the one form in which addresses are compared: local part in lower case and composed (NFC, as RFC
/// 6532, 3.1 has it), domain in lower case and IDNA ASCII (RFC 5890).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Address(Box<str>);

impl Address {
    /// Normalises `local@domain` as mail has it, generously; `None` where it has no local part or no domain.
    pub fn parse(text: &str) -> Option<Self> {
        Self::parse_plain(text).or_else(|| Self::parse_any(text))
    }

    /// What nearly all addresses are, of letters that all have: there is nothing to do but to write it in lower case.
    /// There are several in each message.
    fn parse_plain(text: &str) -> Option<Self> {
        let at = text.bytes().position(|byte| byte == b'@')?;
        let name = text[at + 1..].trim_end_matches('.');
        let of_names = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        let is_plain = at > 0 && !name.is_empty() && text[..at].bytes().all(is_atom) && name.bytes().all(of_names);
        // Those that stand for letters beyond ASCII (RFC 5890) may be none.
        let is_encoded = || {
            name.as_bytes()
                .windows(4)
                .any(|some| some.eq_ignore_ascii_case(b"xn--"))
        };
        if !is_plain || is_encoded() {
            return None;
        }
        let mut address = text[..=at].to_owned() + name;
        address.make_ascii_lowercase();
        Some(Self(address.into()))
    }

    fn parse_any(text: &str) -> Option<Self> {
        let (local, name) = text.trim().rsplit_once('@')?;
        let clean = |part: &str| !part.is_empty() && !part.chars().any(|c| c.is_control());
        let bare = name.trim_end_matches('.');
        if !clean(local) || !clean(bare) || bare.contains(is_strange) {
            return None;
        }
        Some(Self::of(local, &domain(name)))
    }

    /// Normalises an address that a person wrote, in a configuration or a command: one that can be an
    /// address, and nothing around it.
    pub fn parse_strict(text: &str) -> Option<Self> {
        let text = text.trim();
        let (local, name) = match text.starts_with('"') {
            true => text.split_at(quoted_end(text)?),
            false => text.split_at(text.find('@')?),
        };
        let name = strict_domain(name.strip_prefix('@')?)?;
        let plain = |local: &str| !local.is_empty() && !local.contains(is_strange);
        let whole = local.starts_with('"') || plain(local);
        let written = whole && !local.chars().any(char::is_control);
        written.then(|| Self::of(local, &name))
    }

    /// Normalises what stands among a user's addresses: an address, or a pattern such as `*@example.com` (all of a
    /// domain) or `*@*.example.com` (all of its subdomains).
    ///
    /// # Errors
    /// It can be neither.
    pub fn parse_entry(text: &str) -> Result<Self, EntryError> {
        let refused = |why: fn(String) -> EntryError| why(text.trim().to_owned());
        if !text.contains('*') {
            return Self::parse_strict(text).ok_or_else(|| refused(EntryError::NoAddress));
        }
        let domain = text.trim().strip_prefix("*@");
        let (stars, domain) = match domain.map(|domain| (domain.strip_prefix("*."), domain)) {
            Some((Some(domain), _)) => ("*@*.", domain),
            Some((None, domain)) => ("*@", domain),
            None => return Err(refused(EntryError::Star)),
        };
        match strict_domain(domain).filter(|domain| !domain.starts_with('[')) {
            Some(domain) => Ok(Self(format!("{stars}{domain}").into())),
            None if domain.contains('*') => Err(refused(EntryError::Star)),
            None => Err(refused(EntryError::NoAddress)),
        }
    }

    /// Whether it stands for more than one address.
    pub fn is_pattern(&self) -> bool {
        self.0.starts_with("*@")
    }

    /// The same local part at another domain, which is normalised.
    pub fn at(&self, domain: &str) -> Self {
        let local = self.0.rsplit_once('@').map_or("", |(local, _)| local);
        Self(format!("{local}@{domain}").into())
    }

    /// Of a local part and a normalised domain. Servers write one local part in several ways, Postfix `"a..b"` and Exim
    /// `a..b`: quotes that no server needs to tell where it ends are no part of it, and what needs them has them.
    fn of(local: &str, domain: &str) -> Self {
        // First of all, since what is composed may need quotes: a Greek question mark becomes a semicolon.
        let composed = |text: &str| {
            let lower = text.to_lowercase();
            match lower.is_ascii() {
                true => lower,
                false => ComposingNormalizerBorrowed::new_nfc().normalize(&lower).into_owned(),
            }
        };
        let quotes = quoted_text(local);
        let text = composed(quotes.as_deref().unwrap_or(local));
        let broken = quotes.is_none() && text.contains(['"', '\\']);
        let local = if is_plain(&text) || broken { text } else { quoted(&text) };
        Self(format!("{local}@{domain}").into())
    }

    /// An address that was kept as it was written by an older version, in the current form.
    pub fn renewed(self) -> Self {
        match self.0.rsplit_once('@') {
            Some((local, domain)) if !is_plain(local) => Self::of(local, domain),
            _ => self,
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn into_string(self) -> String {
        self.0.into()
    }

    pub fn domain(&self) -> &str {
        // A domain is short, and this is asked often.
        let at = self.0.bytes().rposition(|byte| byte == b'@');
        at.map_or("", |at| &self.0[at + 1..])
    }

    /// The address without its `+tag` (RFC 5233), where it has one.
    pub fn without_tag(&self) -> Option<Self> {
        let (local, domain) = self.0.rsplit_once('@').filter(|(local, _)| !local.starts_with('"'))?;
        let (base, _) = local.split_once('+')?;
        // What is left may need no quotes, or want them.
        (!base.is_empty()).then(|| Self::of(base, domain))
    }

    /// The address without `prefix`, in lower case, at the beginning of its local part; `None` where it does not begin
    /// so, or nothing would be left.
    pub fn without_prefix(&self, prefix: &str) -> Option<Self> {
        let (local, domain) = self.0.rsplit_once('@')?;
        let left = |local: &str| Some(Self::of(local, domain)).filter(|_| !local.is_empty());
        match quoted_text(local) {
            Some(text) => left(&quoted(text.strip_prefix(prefix).filter(|rest| !rest.is_empty())?)),
            None => left(local.strip_prefix(prefix)?),
        }
    }

    /// The local part as it is meant, without the quotes that it is written with.
    pub fn local_text(&self) -> Cow<'_, str> {
        let local = self.0.rsplit_once('@').map_or("", |(local, _)| local);
        quoted_text(local).map_or(Cow::Borrowed(local), Cow::Owned)
    }

    /// The address that this local part, as it is meant, and domain make; `None` where they make none.
    pub fn from_parts(local: &str, domain: &str) -> Option<Self> {
        let domain = strict_domain(domain)?;
        let whole = !local.is_empty() && !local.contains(char::is_control);
        whole.then(|| Self::of(&quoted(local), &domain))
    }
}

/// Look-ups by text need no address to be made for them.
impl Borrow<str> for Address {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// What cannot stand among a user's addresses.
#[derive(thiserror::Error, Clone, Debug, PartialEq, Eq)]
pub enum EntryError {
    #[error("{:?} is not an address{}", .0, address_hint(.0))]
    NoAddress(String),
    #[error(
        "{0:?} is neither an address nor a pattern: a * stands only for all of a domain, as in \"*@example.com\", or \
         of its subdomains, as in \"*@*.example.com\""
    )]
    Star(String),
}

/// What to write in place of something that is not an address.
fn address_hint(text: &str) -> String {
    let inside = text.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    match inside.map(|(inside, _)| inside.trim()) {
        Some(address) if Address::parse_strict(address).is_some() => format!("; write {address:?}"),
        _ if text.matches('@').count() > 1 => "; write each address in quotes of its own".to_owned(),
        _ if !text.contains('@') => "; it has no @".to_owned(),
        _ => String::new(),
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What stands in no domain, and in no local part without quotes.
fn is_strange(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '"' | '<' | '>' | '(' | ')' | ',' | ';')
}

/// A domain in the one form in which domains are compared: lower case, IDNA ASCII, no final dot.
pub fn domain(text: &str) -> String {
    let text = text.trim().trim_end_matches('.');
    idna_ascii(text).unwrap_or_else(|| text.to_lowercase())
}

/// IDNA ASCII; `None` where there is none, or one with what stands in no domain. It folds some characters into others,
/// a full-width `＠` into `@` for one, a ring above into a space and what is put above it.
fn idna_ascii(text: &str) -> Option<String> {
    let ascii = idna::domain_to_ascii(text).ok()?;
    (!ascii.contains(is_strange) && !ascii.contains('@')).then_some(ascii)
}

/// The same, of what a person wrote; `None` where it can be no domain.
pub fn strict_domain(text: &str) -> Option<String> {
    let text = text.trim().trim_end_matches('.');
    if text.is_empty() || text.contains(is_strange) || text.contains(['@', '*']) {
        return None;
    }
    if let Some(literal) = text.strip_prefix('[') {
        let inside = literal.strip_suffix(']')?;
        // Of other letters IDNA would make a name that is no longer in brackets (RFC 5321, 4.1.3).
        let is_literal = !inside.is_empty() && inside.is_ascii() && !inside.contains(['[', ']']);
        return is_literal.then(|| domain(text));
    }
    let ascii = idna_ascii(text)?;
    let whole = ascii.split('.').all(|label| !label.is_empty()) && !ascii.contains(['[', ']', ':', '/']);
    whole.then_some(ascii)
}

/// A host's name of more than one label, in lower case and without a final dot; `None` where it is none.
pub fn host_name(text: &str) -> Option<String> {
    let name = text.trim_end_matches('.').to_ascii_lowercase();
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
    let named = plain && name.contains('.') && name.parse::<std::net::IpAddr>().is_err();
    named.then_some(name)
}

/// Where the quoted string that `text` begins with ends.
fn quoted_end(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// What a local part that is one quoted string says; `None` where it is none.
fn quoted_text(local: &str) -> Option<String> {
    let inside = local.strip_prefix('"')?.strip_suffix('"')?;
    let mut text = String::with_capacity(inside.len());
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => text.push(chars.next()?),
            '"' => return None,
            c => text.push(c),
        }
    }
    Some(text)
}

/// A quoted string that says this, with no more escapes than it needs.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

/// Whether a local part can be told from what is around it without quotes: it has atoms and dots (RFC 5322, 3.2.3; RFC
/// 6532, 3.2), wherever the dots stand.
fn is_plain(local: &str) -> bool {
    let atom = |c: char| match u8::try_from(c) {
        Ok(byte) if byte.is_ascii() => is_atom(byte),
        _ => !c.is_whitespace() && !c.is_control(),
    };
    !local.is_empty() && local.chars().all(atom)
}

/// Of ASCII, what stands in atoms, and the dots between them.
fn is_atom(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte)
}

/// Why nobody can be named so, which is `why`.
pub fn no_user_name(name: &str, why: &str) -> String {
    match name.trim().is_empty() {
        true => "a user needs a name".to_owned(),
        false => format!("{name:?} cannot be a user's name: {why}"),
    }
}

/// Why a user or a profile cannot have this name.
///
/// # Errors
/// It cannot.
pub fn check_name(name: &str) -> Result<(), &'static str> {
    if name.trim().is_empty() {
        return Err("must not be empty");
    }
    if name.chars().any(char::is_control) {
        return Err("must be a name that can be read and typed");
    }
    if name.starts_with('@') {
        return Err("names that begin with @ are built in");
    }
    Ok(())
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
