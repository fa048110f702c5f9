//! The key with which tokens are encrypted, and what encrypting means here: ChaCha20-Poly1305 (RFC 8439).

use std::{
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand::{SecureRandom, SystemRandom},
};
use sha2::{Digest, Sha256};

use super::TokenError;
use crate::{
    account::why_unreadable,
    config::{Secret, Secrets},
};

/// Bytes of a key.
const LENGTH: usize = 32;
/// How systemd's credential is named, and where it lies (systemd.exec, LoadCredential).
const CREDENTIAL: &str = "dropkeep-key";
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// A key, and where it is from.
pub struct Key {
    pub file: PathBuf,
    /// Tells one key from another, and says nothing about either.
    pub id: String,
    aead: LessSafeKey,
}

impl Key {
    /// The key of the configuration, else systemd's credential; `None` where there is neither.
    ///
    /// # Errors
    /// The file cannot be read, or is no key.
    pub fn load(secrets: &Secrets) -> Result<Option<Self>, TokenError> {
        let folder = std::env::var_os(CREDENTIALS).map(PathBuf::from);
        match file_of(secrets, folder.as_deref()) {
            None => Ok(None),
            Some(file) => Self::read(file).map(Some),
        }
    }

    fn read(file: PathBuf) -> Result<Self, TokenError> {
        let read = fs::read(&file).map_err(|error| why_unreadable(&file, &error));
        let key = read.and_then(|bytes| parse(&bytes).ok_or_else(|| NO_KEY.to_owned()));
        let made = key.and_then(|bytes| {
            let unbound = UnboundKey::new(&CHACHA20_POLY1305, &bytes).map_err(|_| NO_KEY.to_owned())?;
            Ok((bytes, LessSafeKey::new(unbound)))
        });
        match made {
            Ok((bytes, aead)) => Ok(Self {
                file,
                id: id(&bytes),
                aead,
            }),
            Err(detail) => Err(TokenError::KeyFile { file, detail }),
        }
    }

    /// Encrypts `plain`: a nonce of this once and the sealed bytes. `None` where the machine has no random numbers.
    pub fn seal(&self, about: &str, plain: &[u8]) -> Option<([u8; NONCE_LEN], Vec<u8>)> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).ok()?;
        let mut bytes = plain.to_vec();
        self.aead
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(about.as_bytes()),
                &mut bytes,
            )
            .ok()?;
        Some((nonce, bytes))
    }

    /// Decrypts what [`Key::seal`] made with this key and `about`; `None` where it is anything else.
    pub fn open(&self, about: &str, nonce: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut bytes = sealed.to_vec();
        let plain = self.aead.open_in_place(nonce, Aad::from(about.as_bytes()), &mut bytes);
        let length = plain.ok()?.len();
        bytes.truncate(length);
        Some(bytes)
    }
}

/// A new key, as a file holds it. `None` where the machine has no random numbers.
pub fn new_key() -> Option<Secret> {
    let mut key = [0; LENGTH];
    SystemRandom::new().fill(&mut key).ok()?;
    Some(Secret::new(STANDARD.encode(key) + "\n"))
}

/// Why the key cannot be used, where there is one.
pub fn key_fault(secrets: &Secrets) -> Option<String> {
    Key::load(secrets).err().map(|error| error.to_string())
}

const NO_KEY: &str =
    "must hold 32 bytes: as they are, as 64 hexadecimal digits or as base64 (openssl rand -base64 32 makes one)";

fn file_of(secrets: &Secrets, credentials: Option<&Path>) -> Option<PathBuf> {
    let credential = || {
        credentials
            .map(|folder| folder.join(CREDENTIAL))
            .filter(|file| file.exists())
    };
    secrets.key_file.clone().or_else(credential)
}

/// Thirty-two bytes are a key whatever they are; text may end with a line end.
fn parse(bytes: &[u8]) -> Option<[u8; LENGTH]> {
    if let Ok(raw) = bytes.try_into() {
        return Some(raw);
    }
    let text = std::str::from_utf8(bytes).ok()?.trim();
    if text.len() == 2 * LENGTH {
        let mut bytes = [0; LENGTH];
        return hex::decode_to_slice(text, &mut bytes).is_ok().then_some(bytes);
    }
    STANDARD.decode(text).ok()?.try_into().ok()
}

fn id(key: &[u8; LENGTH]) -> String {
    let digest = Sha256::new()
        .chain_update("dropkeep key id\n")
        .chain_update(key)
        .finalize();
    hex::encode(&digest[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(bytes: &[u8]) -> Result<Key, TokenError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        fs::write(&file, bytes).unwrap();
        Key::read(file)
    }

    #[test]
    fn a_key_is_read_in_each_of_its_forms() {
        let raw = [0xab; 32];
        let expected = key(&raw).unwrap().id;
        let hex = "aB".repeat(32) + "\n";
        let base64 = STANDARD.encode(raw);
        for form in [hex.as_bytes(), base64.as_bytes(), format!("{base64}\r\n").as_bytes()] {
            assert_eq!(key(form).unwrap().id, expected);
        }
        for wrong in [
            &b""[..],
            b"hunter2",
            &[0xab; 31],
            &[0xff; 33],
            "xy".repeat(32).as_bytes(),
        ] {
            let error = key(wrong).err().unwrap().to_string();
            assert!(error.contains("32 bytes") && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn the_credential_of_systemd_is_the_key_where_none_is_configured() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(file_of(&Secrets::default(), Some(folder.path())), None);
        let file = folder.path().join(CREDENTIAL);
        fs::write(&file, [1; 32]).unwrap();
        assert_eq!(file_of(&Secrets::default(), Some(folder.path())), Some(file));
        let secrets = Secrets {
            key_file: Some("mine".into()),
        };
        assert_eq!(file_of(&secrets, Some(folder.path())), Some("mine".into()));
        assert_eq!(file_of(&Secrets::default(), None), None);
    }

    #[test]
    fn what_is_sealed_opens_with_its_key_and_purpose_only() {
        let (one, other) = (key(&[1; 32]).unwrap(), key(&[2; 32]).unwrap());
        let (nonce, sealed) = one.seal("company", b"token").unwrap();
        assert_eq!(one.open("company", &nonce, &sealed).as_deref(), Some(&b"token"[..]));
        assert_eq!(one.open("another", &nonce, &sealed), None);
        assert_eq!(other.open("company", &nonce, &sealed), None);
        assert_eq!(one.open("company", &[], &sealed), None);
        let mut damaged = sealed;
        damaged[0] ^= 1;
        assert_eq!(one.open("company", &nonce, &damaged), None);
    }
}
