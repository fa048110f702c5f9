//! The token that clients send as `Authorization: Bearer …`.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use actix_web::http::header::HeaderValue;
use parking_lot::{Mutex, RwLock};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::config::Secret;

/// How often refusals are logged at most.
const TELL: Duration = Duration::from_secs(60);

type Fingerprint = [u8; 32];

/// A token, by its digest: of it itself nothing is kept, and digests are equally long.
pub(super) struct Token {
    digest: RwLock<Fingerprint>,
    /// What asks for it, for the log.
    pages: String,
    refused: Mutex<Refused>,
}

/// Requests that had another token, or none.
#[derive(Default)]
struct Refused {
    /// Since they were last logged.
    count: u64,
    told: Option<Instant>,
}

impl Token {
    pub fn new(token: &Secret, pages: &str) -> Self {
        Self {
            pages: pages.to_owned(),
            digest: RwLock::new(digest(token.reveal().as_bytes())),
            refused: Mutex::default(),
        }
    }

    /// From now on it is this one.
    pub fn exchange(&self, token: &Secret) {
        *self.digest.write() = digest(token.reveal().as_bytes());
    }

    /// Whether `Authorization` names the token.
    pub fn is_named_by(&self, given: Option<&HeaderValue>) -> bool {
        let Some(given) = given.and_then(|value| bearer(value.as_bytes())) else {
            return false;
        };
        let expected = *self.digest.read();
        digest(given).ct_eq(&expected).into()
    }

    /// A request was refused. The log has a line of it once in a while, with how many there were.
    pub fn refused(&self, from: Option<SocketAddr>) {
        if let Some(count) = self.count(Instant::now()) {
            let from = from.map_or_else(|| "somewhere".to_owned(), |from| from.ip().to_string());
            let pages = &self.pages;
            tracing::warn!("requests for {pages} without the token refused: {count}, the last one from {from}");
        }
    }

    /// The beginning of a sentence about what asks for it.
    pub fn who_asks(&self) -> String {
        let verb = if self.pages.contains(' ') { "ask" } else { "asks" };
        format!("{} {verb}", self.pages)
    }

    /// How many refusals are to be told now.
    fn count(&self, now: Instant) -> Option<u64> {
        // Nothing panics while it holds the lock.
        let mut refused = self.refused.lock();
        refused.count = refused.count.saturating_add(1);
        if refused.told.is_some_and(|told| now.duration_since(told) < TELL) {
            return None;
        }
        refused.told = Some(now);
        Some(std::mem::take(&mut refused.count))
    }
}

fn digest(token: &[u8]) -> Fingerprint {
    Sha256::digest(token).into()
}

/// What stands behind `Bearer`, in upper or lower case (RFC 9110, 11.1).
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(b"Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_is_taken() {
        let token = Token::new(&Secret::new("0123456789abcdef"), "/metrics");
        let names = |value: &str| token.is_named_by(Some(&HeaderValue::from_str(value).unwrap()));
        for good in [
            "Bearer 0123456789abcdef",
            "bearer 0123456789abcdef",
            "BEARER   0123456789abcdef ",
        ] {
            assert!(names(good), "{good}");
        }
        for bad in [
            "",
            "Bearer",
            "Bearer ",
            "0123456789abcdef",
            "Basic 0123456789abcdef",
            "Bearer0123456789abcdef",
            "Bearer 0123456789abcde",
            "Bearer 0123456789abcdeF",
            "Bearer 0123456789abcdef0",
            "Bearer 0123456789abcdef, x",
        ] {
            assert!(!names(bad), "{bad}");
        }
        assert!(!token.is_named_by(None));
        token.exchange(&Secret::new("fedcba9876543210"));
        assert!(!names("Bearer 0123456789abcdef") && names("Bearer fedcba9876543210"));
    }

    #[test]
    fn refusals_are_told_once_a_minute() {
        let token = Token::new(&Secret::new("0123456789abcdef"), "/metrics");
        let start = Instant::now();
        assert_eq!(token.count(start), Some(1));
        for second in 1..60 {
            assert_eq!(token.count(start + Duration::from_secs(second)), None);
        }
        assert_eq!(token.count(start + TELL), Some(60));
        assert_eq!(token.count(start + TELL), None);
    }
}
