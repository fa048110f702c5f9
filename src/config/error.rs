//! What can be wrong with a configuration, said so that it can be put right.

use std::{fmt, path::PathBuf};

use super::users_file_error::UsersFileError;
use crate::said::{Said, Say, said};

/// Every one of these ends a command with exit code 2.
#[derive(thiserror::Error, Debug)]
pub enum ConfigError {
    #[error(
        "no configuration: neither config/dropkeep.toml nor /etc/dropkeep/dropkeep.toml exists; give --config FILE"
    )]
    None,
    #[error("the configuration {} {detail}", file.display())]
    Read { file: PathBuf, detail: String },
    #[error("{at}: {detail}")]
    Syntax { at: Position, detail: String },
    #[error("{at}: unknown key `{key}`{hint}")]
    UnknownKey { at: Position, key: String, hint: String },
    #[error("{at}: {}", of_key(key, detail))]
    Value { at: Position, key: String, detail: String },
    #[error("no profile is named {name:?} in the configuration{}", hint(nearest))]
    UnknownProfile { name: String, nearest: Option<String> },
    #[error("{}", self.said())]
    SecretFile {
        section: String,
        key: &'static str,
        file: PathBuf,
        detail: String,
    },
    #[error("{}", self.said())]
    SecretEnv {
        section: String,
        key: &'static str,
        name: String,
        detail: &'static str,
    },
    /// Neither shows the token itself.
    #[error("{from}: {detail}")]
    Token { from: String, detail: String },
    #[error("there must be one [[profile]], and no more")]
    NotOneProfile,
    /// Of a profile that is kept in the catalog.
    #[error("{}", self.said())]
    Sealed { profile: String, detail: String },
    #[error("the profile has no password: it logs in with tokens (oauth2)")]
    NoPassword,
    #[error(transparent)]
    UsersFile(#[from] UsersFileError),
}

/// Where in which file; the line is missing for what an environment variable said, or what
/// is wrong for not being there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    pub source: String,
    pub line: Option<usize>,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}, line {line}", self.source),
            None => f.write_str(&self.source),
        }
    }
}

/// What a sentence about a key goes on with, where no colon stands behind the key.
const VERBS: [&str; 7] = ["is ", "must ", "counts ", "needs ", "has ", "begins ", "ends "];

fn of_key(key: &str, detail: &str) -> String {
    if let Some(rest) = detail.strip_prefix("is missing") {
        let (section, key) = key.rsplit_once('.').unwrap_or(("", key));
        let names = section
            .split('.')
            .map(|part| part.split('[').next().unwrap_or_default());
        let name = names.collect::<Vec<_>>().join(".");
        let place = match (section, section.ends_with(']')) {
            ("", _) => "at the top of the file".to_owned(),
            (_, true) => format!("in [[{name}]]"),
            (_, false) => format!("in [{name}]"),
        };
        return format!("{key} is missing {place}{rest}");
    }
    match VERBS.iter().any(|verb| detail.starts_with(verb)) {
        true => format!("`{key}` {detail}"),
        false => format!("`{key}`: {detail}"),
    }
}

impl Say for ConfigError {
    fn said(&self) -> Said {
        match self {
            Self::SecretFile {
                section,
                key,
                file,
                detail,
            } => said!(
                SecretFile,
                "{0} {1} {2}",
                format!("{section}{key}_file"),
                file.display().to_string(),
                Said::from(detail.as_str())
            ),
            Self::SecretEnv {
                section,
                key,
                name,
                detail,
            } => said!(
                SecretEnv,
                "{0}: the variable {1} {2}",
                format!("{section}{key}_env"),
                name,
                Said::from(*detail)
            ),
            Self::Sealed { profile, detail } => said!(
                Sealed,
                "profile {0}: its secrets cannot be decrypted: {1}",
                profile,
                Said::from(detail.as_str())
            ),
            other => other.to_string().into(),
        }
    }
}

impl ConfigError {
    /// The key of the one profile that was read, and what is wrong with it; `None` where it is about none.
    pub fn of_profile(&self) -> Option<(String, String)> {
        let (key, words) = match self {
            Self::UnknownKey { key, hint, .. } => (key, format!("unknown key `{key}`{hint}")),
            Self::Value { key, detail, .. } => (key, of_key(key, detail)),
            _ => return None,
        };
        const FIRST: &str = "profile[1].";
        Some((key.strip_prefix(FIRST)?.to_owned(), words.replace(FIRST, "")))
    }

    /// # Errors
    /// The secrets of `profile` cannot be decrypted, and why.
    pub(super) fn refuse_sealed(profile: &str, why: Option<&str>) -> Result<(), Self> {
        why.map_or(Ok(()), |why| {
            Err(Self::Sealed {
                profile: profile.to_owned(),
                detail: why.to_owned(),
            })
        })
    }

    /// What to do about it, where more is known than that the configuration has to be corrected.
    pub fn what_to_do(&self) -> Option<Said> {
        match self {
            Self::SecretFile { .. } => Some(said!(
                WriteSecretFile,
                "Write the file as the error says; the next run reads it."
            )),
            Self::Sealed { .. } => Some(said!(
                SetKeyFile,
                "Set key_file under [secrets] to the key that they were encrypted with, or change the profile and give them \
                 again."
            )),
            Self::SecretEnv { .. } => Some(said!(
                SetVariable,
                "Set the variable where dropkeep is started, and start it again."
            )),
            _ => None,
        }
    }
}

fn hint(nearest: &Option<String>) -> String {
    nearest
        .as_ref()
        .map(|name| format!("; did you mean `{name}`?"))
        .unwrap_or_default()
}

/// The known name most like `name`, if any is near enough to have been meant.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let near = |a: &str, b: &str| strsim::jaro_winkler(&a.to_lowercase(), &b.to_lowercase());
    let scored = known.into_iter().map(|known| (near(name, known), known));
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= 0.6).then(|| best.1.to_owned())
}
