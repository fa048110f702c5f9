//! HTTP: on loopback for everybody, elsewhere over TLS and with a token alone; certificates, keys and tokens that
//! change while they are used, and clients that behave badly.

mod client;
mod exchange;
mod hard;
mod pages;
mod refused;
mod tls;

use crate::support;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::{
    appliance::Appliance,
    running::{Outcome, Running, Serving},
};
use client::{Answer, Client};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

/// A token as a person makes one.
pub const TOKEN: &str = "hunter2/3kNVb0zYcQ+correct-horse=";

/// A PEM certificate with its key.
pub struct Made {
    pub certificate: String,
    pub key: String,
}

/// An authority of a test's own.
pub struct Authority {
    parameters: CertificateParams,
    key: KeyPair,
    pub pem: String,
}

impl Authority {
    pub fn made_up() -> Self {
        let mut parameters = parameters("Test Authority");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let pem = parameters.self_signed(&key).expect("a certificate").pem();
        Self { parameters, key, pem }
    }

    pub fn signs(&self, parameters: &CertificateParams) -> Made {
        let key = KeyPair::generate().expect("a key");
        let issuer = Issuer::from_params(&self.parameters, &self.key);
        let certificate = parameters.signed_by(&key, &issuer).expect("a certificate");
        Made {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }

    /// A certificate for `localhost`; `name` tells it from others.
    pub fn server(&self, name: &str) -> Made {
        self.signs(&parameters(name))
    }
}

pub fn parameters(name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::new(["localhost".to_owned()]).expect("a name");
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters
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
        site.put_certificate(&authority.server("first"));
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

    pub fn put_certificate(&self, made: &Made) {
        self.put("cert.pem", &made.certificate);
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
