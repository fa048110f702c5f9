//! What a client logs in with, and how it is kept out of what people see.

use std::cmp::Reverse;

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{config::Secret, harmless::without_secrets};

/// The most characters of a line that an error quotes.
const MAX_LINE: usize = 200;

/// What a session logs in with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Credential {
    Password(Secret),
    /// An access token (RFC 6749), for the SASL mechanism XOAUTH2.
    Token(Secret),
}

/// What a session logs in with, in each form in which a server gets it. Some servers repeat what they were sent, in
/// whatever they say then or later.
pub(crate) struct Hidden(Vec<String>);

impl Hidden {
    pub fn of(username: &str, credential: &Credential) -> Self {
        let (secret, response) = match credential {
            Credential::Password(secret) => (secret, Some(plain_response(username, secret))),
            Credential::Token(secret) => (secret, token_response(username, secret)),
        };
        let secret = secret.reveal();
        let escaped = secret.replace('\\', "\\\\").replace('"', "\\\"");
        // What the mechanism LOGIN sends.
        let encoded = STANDARD.encode(secret);
        let mut forms = vec![secret.to_owned(), escaped, encoded];
        forms.extend(response);
        // A longer form may hold a shorter one.
        forms.sort_by_key(|form| Reverse(form.len()));
        Self(forms)
    }

    /// A server's words as they may be shown.
    pub fn plain(&self, words: &str) -> String {
        let forms: Vec<&str> = self.0.iter().map(String::as_str).collect();
        without_secrets(words, &forms)
    }

    /// A line of a server's as it may be shown, in quotes: its beginning, with what cannot be printed escaped.
    pub fn line(&self, line: &[u8]) -> String {
        // Secrets go first, so that none is cut within.
        let forms = self.0.iter().filter(|form| !form.is_empty());
        let text = String::from_utf8_lossy(line.trim_ascii()).into_owned();
        let text = forms.fold(text, |text, form| text.replace(form.as_str(), "***"));
        let mut shown: String = text.chars().take(MAX_LINE).flat_map(escaped).collect();
        if text.chars().nth(MAX_LINE).is_some() {
            shown.push('…');
        }
        format!("“{shown}”")
    }
}

fn escaped(c: char) -> impl Iterator<Item = char> {
    let (as_it_is, escape) = match c.is_control() {
        true => (None, Some(c.escape_default())),
        false => (Some(c), None),
    };
    as_it_is.into_iter().chain(escape.into_iter().flatten())
}

/// What a client answers with in the mechanism PLAIN (RFC 4616), in base64.
pub(crate) fn plain_response(username: &str, password: &Secret) -> String {
    STANDARD.encode(format!("\0{username}\0{}", password.reveal()))
}

/// What a client answers with in the mechanism XOAUTH2: user name and token, in base64. `None` where one of them has a
/// control character, which would end it early.
pub(crate) fn token_response(username: &str, token: &Secret) -> Option<String> {
    let token = token.reveal();
    if username.chars().chain(token.chars()).any(char::is_control) {
        return None;
    }
    Some(STANDARD.encode(format!("user={username}\x01auth=Bearer {token}\x01\x01")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_response_is_as_google_and_microsoft_document_it() {
        let token = Secret::new("ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg");
        let expected = "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ==";
        assert_eq!(
            token_response("someuser@example.com", &token).as_deref(),
            Some(expected)
        );
        assert_eq!(token_response("some\x01user", &token), None);
        assert_eq!(token_response("someuser", &Secret::new("a\r\nb")), None);
    }
}
