//! Where a profile's tokens are kept: one file in the data directory, replaced as a whole and synced.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError},
    io::ErrorKind,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::{TokenError, key::Key};
use crate::{
    config::{Secret, TOKENS},
    durable,
    patience::Patience,
};

/// The form of the file; one that is higher is of a later version.
const FORM: u32 = 1;
const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
/// Bytes of a profile's name that a file's name takes as they are.
const LONGEST_NAME: usize = 120;

/// The tokens of a profile.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub(super) struct Tokens {
    pub access: Option<Access>,
    /// The newest one; the configured one until another is given out.
    #[serde(serialize_with = "revealed")]
    pub refresh: Option<Secret>,
    /// Digest of the configured refresh token with which this began.
    pub first: Option<String>,
    /// When the server last refused a token that should have been good, in seconds since 1970 UTC.
    pub refused_at: Option<i64>,
}

/// An access token.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(super) struct Access {
    #[serde(serialize_with = "revealed_one")]
    pub token: Secret,
    /// In seconds since 1970 UTC, by our clock.
    pub issued_at: i64,
    pub expires_at: i64,
    /// Digest of what it was asked for with: of another client or scope it is of no use.
    pub basis: String,
}

/// The file as it is written.
#[derive(Deserialize, Serialize)]
struct Written {
    form: u32,
    profile: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    plain: Option<Tokens>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed: Option<Sealed>,
}

#[derive(Deserialize, Serialize)]
struct Sealed {
    /// Which key it is sealed with.
    key: String,
    nonce: String,
    bytes: String,
}

fn revealed<S: Serializer>(secret: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(Secret::reveal).serialize(serializer)
}

fn revealed_one<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.reveal())
}

/// Where a profile's tokens are kept.
#[derive(Clone, Debug)]
pub(super) struct TokenFile {
    data_dir: PathBuf,
    profile: String,
    name: String,
}

impl TokenFile {
    pub fn new(data_dir: &Path, profile: &str) -> Self {
        Self {
            data_dir: data_dir.to_owned(),
            profile: profile.to_owned(),
            name: file_name(profile),
        }
    }

    fn folder(&self) -> PathBuf {
        self.data_dir.join(TOKENS)
    }

    pub fn path(&self) -> PathBuf {
        self.folder().join(format!("{}.json", self.name))
    }

    /// What is kept; nothing where there is no file.
    ///
    /// # Errors
    /// It cannot be read, or not be decrypted.
    pub fn read(&self, key: Option<&Key>) -> Result<Tokens, TokenError> {
        let file = self.path();
        let bytes = match fs::read(&file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Tokens::default()),
            Err(error) => return Err(TokenError::io("cannot read", file)(error)),
        };
        let damaged = |detail: &str| TokenError::Damaged {
            file: file.clone(),
            detail: detail.to_owned(),
        };
        // What serde_json says of an error may quote a value.
        let written: Written = serde_json::from_slice(&bytes).map_err(|_| damaged("it is not what was written"))?;
        if written.form > FORM {
            return Err(damaged("it is of a later version of dropkeep"));
        }
        match (written.plain, written.sealed) {
            (Some(tokens), None) => Ok(tokens),
            (None, Some(sealed)) => {
                let key = key.ok_or_else(|| TokenError::NoKey { file: file.clone() })?;
                if key.id != sealed.key {
                    return Err(TokenError::OtherKey {
                        file,
                        key: key.file.display().to_string(),
                    });
                }
                let decoded = STANDARD
                    .decode(&sealed.nonce)
                    .ok()
                    .zip(STANDARD.decode(&sealed.bytes).ok());
                let plain = decoded.and_then(|(nonce, bytes)| key.open(&self.about(written.form), &nonce, &bytes));
                let plain =
                    plain.ok_or_else(|| damaged(&format!("the key of {} does not decrypt it", key.file.display())))?;
                serde_json::from_slice(&plain).map_err(|_| damaged("it is not what was written"))
            }
            _ => Err(damaged("it is not what was written")),
        }
    }

    /// Replaces what is kept. When this is done, it is on disk.
    ///
    /// # Errors
    /// It is not; what was kept before still is, or nothing is known of either.
    pub fn write(&self, tokens: &Tokens, key: Option<&Key>) -> Result<(), TokenError> {
        let file = self.path();
        let failed = |error: std::io::Error| TokenError::io("cannot write", file.clone())(error);
        let (mut plain, mut sealed) = (None, None);
        match key {
            None => plain = Some(tokens.clone()),
            Some(key) => {
                let bytes = serde_json::to_vec(tokens).map_err(|error| failed(error.into()))?;
                let (nonce, bytes) = key
                    .seal(&self.about(FORM), &bytes)
                    .ok_or_else(|| failed(std::io::Error::other("it cannot be encrypted")))?;
                sealed = Some(Sealed {
                    key: key.id.clone(),
                    nonce: STANDARD.encode(nonce),
                    bytes: STANDARD.encode(bytes),
                });
            }
        }
        let written = Written {
            form: FORM,
            profile: self.profile.clone(),
            plain,
            sealed,
        };
        let bytes = serde_json::to_vec_pretty(&written).map_err(|error| failed(error.into()))?;
        durable::replace(&file, &bytes, || Ok(())).map_err(failed)
    }

    /// Removes what is kept: nobody logs in with it any more.
    ///
    /// # Errors
    /// It is still there, or may be after a crash.
    pub fn remove(&self) -> Result<(), TokenError> {
        let file = self.path();
        let removed = fs::remove_file(&file).and_then(|()| durable::sync_folder(&self.folder()));
        match removed {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(TokenError::io("cannot remove", file)(error)),
            _ => Ok(()),
        }
    }

    /// Waits until no other process renews this profile's token; none does as long as the result is held.
    ///
    /// # Errors
    /// Another one has for all of `most`, or the lock cannot be made.
    pub async fn lock(&self, most: Duration) -> Result<File, TokenError> {
        let folder = self.folder();
        self.make_folder().map_err(TokenError::io("cannot make", &folder))?;
        let name = folder.join(format!("{}.lock", self.name));
        let failed = |error| TokenError::io("cannot lock", &name)(error);
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .custom_flags(OFlags::NOFOLLOW.bits() as i32)
            .mode(FILE_MODE);
        let file = options.open(&name).map_err(failed)?;
        let patience = Patience::of(most);
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
                Err(TryLockError::WouldBlock) if patience.again().await => {}
                Err(TryLockError::WouldBlock) => {
                    let (file, waited) = (name, most);
                    return Err(TokenError::Busy { file, waited });
                }
            }
        }
    }

    fn make_folder(&self) -> std::io::Result<()> {
        let folder = self.folder();
        // While the data directory was open to others, anybody could put a link there.
        if folder.is_symlink() {
            return Err(std::io::Error::other(
                "it is a symbolic link, and none is followed here; remove it",
            ));
        }
        if !folder.is_dir() {
            DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(&folder)?;
            durable::sync_folder(&self.data_dir)?;
        }
        fs::set_permissions(&folder, Permissions::from_mode(FOLDER_MODE))
    }

    /// What sealed bytes belong to: those of another profile, or in another form, do not open.
    fn about(&self, form: u32) -> String {
        format!("dropkeep tokens {form}\n{}", self.profile)
    }
}

/// A profile's name as a file's: whatever is more than a plain word is written as `%` and two digits.
fn file_name(profile: &str) -> String {
    let mut name = String::new();
    for byte in profile.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => name.push(byte as char),
            _ => name.push_str(&format!("%{byte:02x}")),
        }
    }
    if name.len() > LONGEST_NAME {
        name.truncate(LONGEST_NAME);
        name = format!("{name}%{}", &digest(&[profile])[..16]);
    }
    name
}

/// SHA-256 of texts, each told apart from the next, in hexadecimal.
pub(super) fn digest(texts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for text in texts {
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text);
    }
    hex::encode(hasher.finalize())
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
