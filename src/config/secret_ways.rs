//! The three ways in which a key such as `password` gives its secret: itself, from a file, from a variable.

use std::path::Path;

use super::{ConfigError, Secret};

/// What a section says of one secret.
pub(super) struct SecretWays<'a> {
    /// The key without an ending, as the file has it.
    pub key: &'static str,
    pub text: Option<&'a Secret>,
    pub file: Option<&'a Path>,
    pub env: Option<&'a str>,
}

impl SecretWays<'_> {
    pub fn given(&self) -> usize {
        usize::from(self.text.is_some()) + usize::from(self.file.is_some()) + usize::from(self.env.is_some())
    }

    /// What is wrong with there not being exactly one, or, where it may be missing, at most one.
    pub fn fault(&self, may_be_missing: bool) -> Option<String> {
        let key = self.key;
        match self.given() {
            1 => None,
            0 if may_be_missing => None,
            0 => Some(format!("is missing: give {key}, {key}_file or {key}_env")),
            _ => Some(format!("give one of {key}, {key}_file and {key}_env")),
        }
    }

    /// The secret; `None` where no way is given. The last line end of a file is no part of it.
    ///
    /// # Errors
    /// The file cannot be read, or the variable is not set. Neither shows the secret.
    pub fn read(&self) -> Result<Option<Secret>, ConfigError> {
        if let Some(text) = self.text {
            return Ok(Some(text.clone()));
        }
        if let Some(file) = self.file {
            return match std::fs::read_to_string(file) {
                Ok(text) => Ok(Some(Secret::new(text.trim_end_matches(['\r', '\n'])))),
                Err(source) => Err(ConfigError::SecretFile {
                    key: self.key,
                    file: file.to_owned(),
                    source,
                }),
            };
        }
        let Some(name) = self.env else { return Ok(None) };
        match std::env::var(name) {
            Ok(text) => Ok(Some(Secret::new(text))),
            Err(_) => Err(ConfigError::SecretEnv {
                key: self.key,
                name: name.to_owned(),
            }),
        }
    }
}
