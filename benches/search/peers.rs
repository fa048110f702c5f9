//! mu and notmuch, as their manuals say to set them up.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::bytes_of;

#[derive(Clone, Copy)]
pub enum Peer {
    Mu,
    Notmuch,
}

impl Peer {
    pub fn name(self) -> &'static str {
        match self {
            Self::Mu => "mu",
            Self::Notmuch => "notmuch",
        }
    }
}

/// An index that was made.
pub struct Made {
    pub took: Duration,
    pub bytes: f64,
}

/// A Maildir with the messages.
pub struct Maildir {
    folder: TempDir,
}

impl Maildir {
    pub fn of(mail: &[Vec<u8>]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let maildir = Self { folder };
        for name in ["cur", "new", "tmp"] {
            fs::create_dir_all(maildir.mail().join(name)).expect("a folder");
        }
        for (number, message) in mail.iter().enumerate() {
            fs::write(maildir.mail().join(format!("cur/{number:06}:2,S")), message).expect("a file");
        }
        maildir
    }

    pub fn mail(&self) -> PathBuf {
        self.folder.path().join("mail")
    }

    /// Has all of it indexed anew; `None` where the program is not installed.
    pub fn index(&self, peer: Peer) -> Option<Made> {
        let home = self.folder.path().join(peer.name());
        let _ = fs::remove_dir_all(&home);
        fs::create_dir_all(&home).expect("a folder");
        let run = |arguments: &[&str]| {
            let status = Command::new(peer.name())
                .args(arguments)
                .env("HOME", &home)
                .env("XDG_CACHE_HOME", &home)
                .env("NOTMUCH_CONFIG", home.join("config"))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .ok()?;
            assert!(status.success(), "{} {arguments:?}: {status}", peer.name());
            Some(())
        };
        let (mail, index) = (self.mail(), home.join("index"));
        let (mail, index) = (mail.to_str().expect("a name"), index.to_str().expect("a name"));
        match peer {
            Peer::Mu => {
                let muhome = format!("--muhome={index}");
                run(&["init", &muhome, &format!("--maildir={mail}")])?;
                let begun = Instant::now();
                run(&["index", &muhome, "--quiet"])?;
                let took = begun.elapsed();
                Some(Made {
                    took,
                    bytes: bytes_of(index.as_ref()),
                })
            }
            Peer::Notmuch => {
                let config = format!(
                    "[database]\npath={index}\nmail_root={mail}\n[user]\nname=x\nprimary_email=x@example.com\n[new]\ntags=unread\n"
                );
                fs::write(home.join("config"), config).expect("a configuration");
                fs::create_dir_all(index).expect("a folder");
                let begun = Instant::now();
                run(&["new", "--quiet"])?;
                let took = begun.elapsed();
                Some(Made {
                    took,
                    bytes: bytes_of(index.as_ref()),
                })
            }
        }
    }
}
