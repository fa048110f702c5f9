//! `[log]`: how much `serve` logs, and in which form.

use serde::Deserialize;
use tracing_subscriber::EnvFilter;

/// `[log]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug` or `trace`; also by module, as `info,dropkeep::source=debug`.
    pub level: String,
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            level: "info".into(),
            format: LogFormat::default(),
        }
    }
}

/// Whether this is a level, or levels by module.
pub fn is_level(level: &str) -> bool {
    // A word that is no level would be taken for a module's name.
    let words = level
        .split(',')
        .map(|part| part.rsplit('=').next().unwrap_or(part).trim());
    let known = |word: &str| !word.is_empty() && word.parse::<tracing::level_filters::LevelFilter>().is_ok();
    words.into_iter().all(known) && EnvFilter::try_new(level).is_ok()
}

impl Log {
    /// What is wrong with the level.
    pub(super) fn fault(&self) -> Option<String> {
        let level = &self.level;
        if is_level(level) {
            return None;
        }
        Some(format!(
            "{level:?} is none of error, warn, info, debug and trace (also by module, as \"info,dropkeep::source=debug\")"
        ))
    }
}

/// The form of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people on a terminal, JSON elsewhere.
    #[default]
    Auto,
    Human,
    Json,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_read() {
        let fault = |level: &str| {
            let level = level.to_owned();
            let log = Log {
                level,
                ..Log::default()
            };
            log.fault()
        };
        for good in ["info", "debug", "off", "warn,dropkeep::source=trace"] {
            assert_eq!(fault(good), None, "{good}");
        }
        for bad in ["", "loud", "dropkeep::source=loud", "info,"] {
            assert!(fault(bad).is_some(), "{bad:?}");
        }
    }
}
