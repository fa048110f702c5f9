//! HTTP: on loopback for everybody, elsewhere over TLS and with a token alone; certificates, keys and tokens that
//! change while they are used, and clients that behave badly.

mod client;
mod exchange;
mod hard;
mod pages;
mod refused;
mod tls;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::{
    appliance::Appliance,
    running::{Outcome, Running, Serving},
    tls::{Authority, Identity},
};
use client::{Answer, Client};
use rcgen::CertificateParams;

/// A token as a person makes one.
pub const TOKEN: &str = "hunter2/3kNVb0zYcQ+correct-horse=";

pub fn made_up_authority() -> Authority {
    Authority::new("Test Authority")
}

/// What a certificate for `localhost` says; `name` tells it from others.
pub fn parameters(name: &str) -> CertificateParams {
    crate::support::tls::parameters(name, &["localhost"])
}

/// An appliance without profiles, and the files of its `[http]`.
pub struct Site {
    pub appliance: Appliance,
}

impl Site {
    /// `keys`: the lines of `[http]`.
    pub fn new(keys: &str) -> Self {
        let site = Self {
            appliance: Appliance::new(env!("CARGO_BIN_EXE_dropkeep"), ""),
        };
        site.configure(keys);
        site
    }

    /// On a free port of loopback, with a certificate of this authority and the token.
    pub fn with_tls(authority: &Authority) -> Self {
        let site = Self::new(
            "listen = \"127.0.0.1:0\"\ntls = { cert_file = \"cert.pem\", key_file = \"key.pem\" }\n\
             token_file = \"token\"\n",
        );
        site.put_certificate(&authority.signs(&parameters("first")));
        site.put("token", &format!("{TOKEN}\n"));
        site
    }

    pub fn configure(&self, keys: &str) {
        let text = format!("data_dir = \"data\"\n[http]\n{keys}");
        fs::write(self.appliance.config(), text).expect("the configuration");
    }

    pub fn folder(&self) -> PathBuf {
        self.appliance.config().parent().map(Path::to_owned).expect("a folder")
    }

    /// Puts a file beside the configuration, all at once, for its owner alone.
    pub fn put(&self, name: &str, text: &str) -> PathBuf {
        let (file, new) = (self.folder().join(name), self.folder().join(format!("{name}.new")));
        fs::write(&new, text).expect("a file");
        fs::set_permissions(&new, fs::Permissions::from_mode(0o600)).expect("permissions");
        fs::rename(&new, &file).expect("a file in its place");
        file
    }

    pub fn put_certificate(&self, made: &Identity) {
        self.put("cert.pem", &made.pem);
        self.put("key.pem", &made.key);
    }

    pub fn serve(&self) -> Serving {
        self.appliance.serve()
    }

    pub fn command(&self) -> Command {
        self.appliance.command(&["serve"])
    }

    /// `serve`, which must not start; it says this.
    pub fn refuses(&self, command: Command, words: &[&str]) -> Outcome {
        let outcome = Running::start(command, &["serve"]).wait().expect(2);
        for word in words {
            assert!(outcome.stderr.contains(word), "no {word:?} in: {}", outcome.stderr);
        }
        assert!(
            !outcome.stderr.contains("hunter2"),
            "the token shows: {}",
            outcome.stderr
        );
        assert!(!outcome.stderr.contains("listening"), "{}", outcome.stderr);
        outcome
    }
}

/// The answer to GET for a page.
pub fn get(client: &Client, page: &str, token: Option<&str>) -> Answer {
    client
        .get(page, token)
        .unwrap_or_else(|error| panic!("{page}: {error}"))
}
