//! Encrypts the secrets of profiles. Each is bound to its profile and its place there, so that none can be put where
//! another one was.

use super::secrets::Secrets;
use crate::{
    archive::{SealedSecret, StoredProfile},
    config::{Secret, Secrets as Settings},
    token::Key,
};

/// The key, or why there is none. It is read when the first secret needs it.
pub struct Sealer(Result<Key, String>);

impl Sealer {
    pub fn new(settings: &Settings) -> Self {
        Self(match Key::load(settings) {
            Ok(Some(key)) => Ok(key),
            Ok(None) => Err(NO_KEY.to_owned()),
            Err(error) => Err(error.to_string()),
        })
    }

    /// # Errors
    /// There is no key, or there are no random numbers; in words.
    pub fn seal(&self, profile: &str, secrets: &Secrets) -> Result<Vec<SealedSecret>, (String, String)> {
        let given = secrets
            .iter()
            .filter_map(|(place, secret)| Some((place, secret.as_ref()?)));
        let seal = |(place, secret): (&String, &Secret)| {
            let key = self.0.as_ref().map_err(|why| (place.clone(), why.clone()))?;
            let about = about(profile, place);
            let sealed = key.seal(&about, secret.reveal().as_bytes());
            let (nonce, sealed) =
                sealed.ok_or_else(|| (place.clone(), "the machine has no random numbers".to_owned()))?;
            Ok(SealedSecret {
                place: place.clone(),
                key: key.id.clone(),
                nonce: nonce.to_vec(),
                sealed,
            })
        };
        given.map(seal).collect()
    }

    /// The secrets of a profile.
    ///
    /// # Errors
    /// There is no key, another one, or what is kept is damaged; in words.
    pub fn open(&self, profile: &str, stored: &StoredProfile) -> Result<Secrets, String> {
        let open = |secret: &SealedSecret| {
            let key = self.0.as_ref().map_err(Clone::clone)?;
            if key.id != secret.key {
                return Err(format!(
                    "they were encrypted with another key than that of {}; set key_file under [secrets] to that one, or give \
                     the secrets again",
                    key.file.display()
                ));
            }
            let place = &secret.place;
            let plain = key.open(&about(profile, place), &secret.nonce, &secret.sealed);
            let text = plain.and_then(|plain| String::from_utf8(plain).ok());
            let text = text.ok_or_else(|| format!("{place} is damaged; give it again"))?;
            Ok((place.clone(), Some(Secret::new(text))))
        };
        stored.secrets.iter().map(open).collect()
    }
}

const NO_KEY: &str = "there is no key to keep secrets with: make one with `dropkeep profiles key FILE`, set key_file under \
                      [secrets] to it, and run `dropkeep reload`";

/// What a secret is bound to.
fn about(profile: &str, place: &str) -> String {
    format!("dropkeep profile 1\n{}\n{place}\n{profile}", place.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(byte: u8, folder: &tempfile::TempDir) -> Sealer {
        let file = folder.path().join(format!("key{byte}"));
        std::fs::write(&file, [byte; 32]).unwrap();
        Sealer::new(&Settings { key_file: Some(file) })
    }

    fn stored(secrets: Vec<SealedSecret>) -> StoredProfile {
        StoredProfile {
            keys: String::new(),
            secrets,
            changed: 0,
        }
    }

    #[test]
    fn a_secret_opens_with_its_key_where_it_belongs_and_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (sealer(1, &folder), sealer(2, &folder));
        let secrets: Secrets = [
            ("server.password".to_owned(), Some(Secret::new("hunter2"))),
            ("server.oauth2.client_secret".to_owned(), None),
        ]
        .into();
        let sealed = one.seal("company", &secrets).unwrap();
        assert_eq!(sealed.len(), 1);
        assert!(!format!("{sealed:?}").contains("hunter2"));
        assert_ne!(one.seal("company", &secrets).unwrap(), sealed, "a nonce of this once");
        let opened = one.open("company", &stored(sealed.clone())).unwrap();
        assert_eq!(opened["server.password"].as_ref().unwrap().reveal(), "hunter2");
        let said = other.open("company", &stored(sealed.clone())).unwrap_err();
        assert!(said.contains("another key"), "{said}");
        assert!(
            one.open("another", &stored(sealed.clone()))
                .unwrap_err()
                .contains("damaged")
        );
        let mut moved = sealed.clone();
        moved[0].place = "server.oauth2.client_secret".to_owned();
        assert!(one.open("company", &stored(moved)).unwrap_err().contains("damaged"));
        let mut forged = sealed;
        forged[0].sealed[0] ^= 1;
        assert!(one.open("company", &stored(forged)).unwrap_err().contains("damaged"));
    }

    #[test]
    fn without_a_key_nothing_is_kept_and_it_is_said_how_one_is_made() {
        let none = Sealer(Err(NO_KEY.to_owned()));
        let secrets: Secrets = [("server.password".to_owned(), Some(Secret::new("hunter2")))].into();
        let (place, why) = none.seal("company", &secrets).unwrap_err();
        assert_eq!(place, "server.password");
        assert!(why.contains("dropkeep profiles key"), "{why}");
        assert!(
            none.seal("company", &Secrets::new()).unwrap().is_empty(),
            "none is needed"
        );
    }
}
