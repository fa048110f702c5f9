//! What must stand in no error, in each form in which a server got it.

use base64::{Engine, engine::general_purpose::STANDARD};
use dropkeep::{config::Secret, source::Credential};

/// A credential, and the forms in which it goes to a server. Servers repeat what they were sent.
#[derive(Debug)]
pub struct Watched {
    pub credential: Credential,
    forms: Vec<String>,
}

impl Watched {
    /// One of some passwords and tokens.
    pub fn new(which: u8, username: &str) -> Self {
        let secret = ["hunter2", "hun\"t\\er2", "hün ter2", "hunter2"][usize::from(which & 3)];
        let base64 = |response: String| STANDARD.encode(response);
        let (credential, forms) = match which & 3 {
            3 => {
                let response = base64(format!("user={username}\x01auth=Bearer {secret}\x01\x01"));
                (
                    Credential::Token(Secret::new(secret)),
                    vec![secret.to_owned(), response],
                )
            }
            _ => {
                let quoted = secret.replace('\\', "\\\\").replace('"', "\\\"");
                let response = base64(format!("\0{username}\0{secret}"));
                let forms = vec![secret.to_owned(), quoted, response];
                (Credential::Password(Secret::new(secret)), forms)
            }
        };
        Self { credential, forms }
    }

    pub fn is_in(&self, words: &str) -> bool {
        self.forms.iter().any(|form| words.contains(form))
    }

    /// Panics where `words` show the secret.
    pub fn must_not_be_in(&self, words: &str) {
        assert!(!self.is_in(words), "it is shown: {words}");
    }
}
