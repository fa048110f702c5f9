//! The three ways in which a key such as `password` gives its secret: itself, from a file, from a variable.

use std::{fs, io, os::unix::fs::MetadataExt, path::Path};

use rustix::process::geteuid;

use super::{ConfigError, Secret};
use crate::account::{self, absolute, group_name, own, own_group, why_unreadable};

/// Bytes; refresh tokens have a few thousand.
const LONGEST: usize = 16_384;
const MARK: &[u8] = b"\xef\xbb\xbf";

/// What a section says of one secret.
pub(super) struct SecretWays<'a> {
    /// What stands before the key: `profile company: `, `mail.`.
    pub section: String,
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
            1 => self.text.and_then(|text| fault(text.reveal())).map(str::to_owned),
            0 if may_be_missing => None,
            0 => Some(format!("is missing; write {key}, {key}_file or {key}_env")),
            _ => Some(format!("give one of {key}, {key}_file and {key}_env")),
        }
    }

    /// The secret; `None` where no way is given. The last line end of a file is no part of it.
    ///
    /// # Errors
    /// The file cannot be read, or is no line of text; the variable is not set. None of them shows the secret.
    pub fn read(&self) -> Result<Option<Secret>, ConfigError> {
        if let Some(text) = self.text {
            return Ok(Some(text.clone()));
        }
        if let Some(file) = self.file {
            return self.read_file(file).map(|found| Some(found.secret));
        }
        let Some(name) = self.env else { return Ok(None) };
        let wrong = |detail| ConfigError::SecretEnv {
            section: self.section.clone(),
            key: self.key,
            name: name.to_owned(),
            detail,
        };
        match std::env::var(name) {
            Ok(text) if fault(&text).is_some() => Err(wrong(fault(&text).unwrap_or_default())),
            Ok(text) => Ok(Some(Secret::new(text))),
            Err(std::env::VarError::NotPresent) => Err(wrong("is not set")),
            Err(std::env::VarError::NotUnicode(_)) => Err(wrong("is not text in UTF-8")),
        }
    }

    /// What is odd about the file, or about what the configuration itself has, without being wrong; and why it cannot
    /// be used, if `faults` are asked for, too.
    pub fn remark(&self, faults: bool) -> Option<String> {
        let Some(file) = self.file else {
            let remark = spaces(self.text?.reveal())?;
            return Some(format!("{}{} {remark}", self.section, self.key));
        };
        match self.read_file(file) {
            Ok(found) => found.remark.map(|remark| {
                format!(
                    "{}{}_file {} {remark}",
                    self.section,
                    self.key,
                    absolute(file).display()
                )
            }),
            Err(error) => faults.then(|| error.to_string()),
        }
    }

    fn read_file(&self, file: &Path) -> Result<Found, ConfigError> {
        let bytes = fs::read(file).map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => format!("{}; {}", why_unreadable(file, &error), to_open(file)),
            io::ErrorKind::NotFound => {
                let who = format!("account {} runs this", own());
                format!("{} ({who}); write it {}", why_unreadable(file, &error), to_write(file))
            }
            _ => format!("{} (account {} runs this)", why_unreadable(file, &error), own()),
        });
        let found = bytes
            .and_then(|bytes| Found::of(&bytes).map_err(|wrong| format!("{wrong}; write it anew {}", to_write(file))));
        found.map_err(|detail| ConfigError::SecretFile {
            section: self.section.clone(),
            key: self.key,
            file: absolute(file),
            detail,
        })
    }
}

/// A secret, and what is odd about the file that it is from.
struct Found {
    secret: Secret,
    remark: Option<&'static str>,
}

impl Found {
    /// What a file's bytes say: one line.
    fn of(bytes: &[u8]) -> Result<Self, &'static str> {
        if bytes.starts_with(MARK) {
            return Err("begins with a byte order mark, as editors of Windows write it");
        }
        let text = std::str::from_utf8(bytes).map_err(|_| "is not text in UTF-8")?;
        let line = text.trim_end_matches(['\r', '\n']);
        if let Some(fault) = fault(line) {
            return Err(fault);
        }
        if line.contains(['\r', '\n']) {
            return Err("has several lines, and the secret is one");
        }
        let remark = spaces(line).or_else(|| {
            let of_windows = text.len() > line.len() && text[line.len()..].contains('\r');
            of_windows.then_some("has the line end of Windows (CR LF), which does not count; write it with a plain one")
        });
        Ok(Self {
            secret: Secret::new(line),
            remark,
        })
    }
}

/// Why this can be no secret.
fn fault(secret: &str) -> Option<&'static str> {
    if secret.trim().is_empty() {
        Some("is empty")
    } else if secret.contains('\0') {
        Some("has a NUL character (a zero byte) in it, which no password has")
    } else if secret.len() > LONGEST {
        Some("is longer than 16,384 bytes, which no password or token is")
    } else {
        None
    }
}

/// What is odd about a secret as it is.
fn spaces(secret: &str) -> Option<&'static str> {
    if secret.starts_with(char::is_whitespace) {
        Some("begins with a space, which counts; if it is not meant, take it out")
    } else if secret.ends_with(char::is_whitespace) {
        Some("ends with a space, which counts; if it is not meant, take it out")
    } else {
        None
    }
}

/// The command that writes a secret into a file which the account that runs, or is to run, this can read.
fn to_write(file: &Path) -> String {
    let path = absolute(file);
    let shown = path.display();
    let owner = path.parent().and_then(|folder| fs::metadata(folder).ok());
    let (we, folder_group) = (geteuid(), owner.as_ref().map_or(0, MetadataExt::gid));
    let install = match (we.is_root(), folder_group) {
        (false, _) if owner.as_ref().is_some_and(|folder| folder.uid() == we.as_raw()) => {
            format!("install -m 600 /dev/stdin {shown}")
        }
        (true, 0) => format!("install -m 600 /dev/stdin {shown}"),
        (true, group) => format!("install -m 640 -g {} /dev/stdin {shown}", group_name(group)),
        (false, _) => format!("as root: install -m 640 -g {} /dev/stdin {shown}", own_group()),
    };
    format!("by `{install}`, then type it, Enter, Ctrl-D")
}

/// The command that lets the account that runs this read a file.
fn to_open(file: &Path) -> String {
    let path = absolute(file);
    let (shown, group) = (path.display(), own_group());
    match account::closed_folder(&path) {
        Some(folder) => {
            let folder = folder.display();
            format!("run as root: chgrp {group} {folder} && chmod 750 {folder}")
        }
        None => format!(
            "run as root: chgrp {group} {shown} && chmod 640 {shown}; or write it anew: install -m 640 -g {group} /dev/stdin {shown}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_one_line_and_nothing_else() {
        for (bytes, wrong) in [
            (&b""[..], "is empty"),
            (b"\n", "is empty"),
            (b"  \n", "is empty"),
            (b"\xef\xbb\xbfhunter2\n", "byte order mark"),
            (b"hunter2\nhunter3\n", "several lines"),
            (b"hunter2\rhunter3", "several lines"),
            (b"hunter\0two\n", "NUL"),
            (&[b'x'; LONGEST + 1], "longer than"),
            (b"hunter\xfc", "UTF-8"),
            (b"\xff\xfeh\0", "UTF-8"),
        ] {
            let said = Found::of(bytes).err().unwrap();
            assert!(said.contains(wrong), "{said}");
        }
        for (bytes, secret, remark) in [
            (&b"hunter2"[..], "hunter2", None),
            (b"hunter2\n\n", "hunter2", None),
            (b" hunter2\n", " hunter2", Some("begins with a space")),
            (b"hunter2 ", "hunter2 ", Some("ends with a space")),
            (b"hunter2\r\n", "hunter2", Some("CR LF")),
        ] {
            let found = Found::of(bytes).ok().unwrap();
            assert_eq!(found.secret.reveal(), secret);
            assert_eq!(found.remark.is_some(), remark.is_some(), "{secret}");
            assert!(found.remark.unwrap_or_default().contains(remark.unwrap_or_default()));
        }
    }
}
