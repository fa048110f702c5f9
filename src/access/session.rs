//! Sessions: who has one shows a token of 256 random bits, of which only the digest is kept.

use std::{fmt, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::{
    AccountName,
    words::{Digest, NoRandom, digest, random},
};
use crate::{config, ids::Seconds};

/// Bytes of a token.
const TOKEN: usize = 32;
const KIND: &str = "dropkeep session 1";

/// What proves a session. It is shown to whoever logged in, once.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// # Errors
    /// The machine gives no random numbers.
    pub fn new() -> Result<Self, NoRandom> {
        Ok(Self(URL_SAFE_NO_PAD.encode(random::<TOKEN>()?)))
    }

    /// What somebody showed as one.
    pub fn shown(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The token itself, for whoever logged in.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    pub fn digest(&self) -> Digest {
        digest(KIND, self.0.as_bytes())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// `sessions`: a session, below the digest of its token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub account: AccountName,
    pub began: Seconds,
    /// When it was used last, to within [`noted_every`].
    pub seen: Seconds,
    /// Where it was begun.
    pub address: String,
}

/// How long after one use of a session another one is noted: long before it would end for not being used.
pub fn noted_every(settings: &config::AccessSettings) -> Duration {
    (settings.session_idle.0 / 4).min(Duration::from_secs(60))
}

impl Session {
    /// Whether it has ended by itself.
    pub fn is_over(&self, settings: &config::AccessSettings, now: Seconds) -> bool {
        let after = |since: Seconds, span: config::Span| {
            now.saturating_sub(since) >= Seconds::try_from(span.0.as_secs()).unwrap_or(Seconds::MAX)
        };
        after(self.seen, settings.session_idle) || after(self.began, settings.session_lasts)
    }
}

/// A session's number in lists: the beginning of its digest, by which nobody finds the token.
pub fn short(digest: &Digest) -> String {
    hex::encode(&digest[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_when_it_is_not_used_and_some_day_in_any_case() {
        let settings = config::AccessSettings::default();
        let session = |began, seen| Session {
            account: AccountName::parse("jane").unwrap(),
            began,
            seen,
            address: String::new(),
        };
        let idle = settings.session_idle.0.as_secs() as Seconds;
        let lasts = settings.session_lasts.0.as_secs() as Seconds;
        assert!(!session(0, 0).is_over(&settings, idle - 1));
        assert!(session(0, 0).is_over(&settings, idle));
        assert!(!session(0, lasts - 2).is_over(&settings, lasts - 1));
        assert!(session(0, lasts - 1).is_over(&settings, lasts));
    }

    #[test]
    fn a_token_has_256_bits_and_does_not_print() {
        let token = Token::new().unwrap();
        assert_eq!(URL_SAFE_NO_PAD.decode(token.reveal()).unwrap().len(), 32);
        assert_eq!(format!("{token:?}"), "***");
        assert_eq!(Token::shown(token.reveal()).digest(), token.digest());
        assert_ne!(Token::new().unwrap().digest(), token.digest());
    }
}
