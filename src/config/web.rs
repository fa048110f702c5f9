//! `[web]`: how much an account may ask for.

use serde::Deserialize;

/// `[web]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Web {
    /// Requests of one account, on average of ten seconds, and how many of them are answered at once.
    pub requests_per_second: u32,
    pub requests_at_once: usize,
}

impl Default for Web {
    fn default() -> Self {
        Self {
            requests_per_second: 50,
            requests_at_once: 64,
        }
    }
}

impl Web {
    /// The key that is wrong, and how.
    pub(super) fn fault(&self) -> Option<(&'static str, String)> {
        let none = [
            ("requests_per_second", self.requests_per_second == 0),
            ("requests_at_once", self.requests_at_once == 0),
        ];
        let (key, _) = none.into_iter().find(|(_, is_none)| *is_none)?;
        Some((key, "must be 1 or more".to_owned()))
    }
}
