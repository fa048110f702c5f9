//! Files of the configuration that other accounts of this machine can read or change, and should not.

use std::{
    fmt,
    fs::{self, Metadata},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use rustix::process::{getegid, geteuid};

use super::{Config, Origin, Profile, secret_ways::SecretWays};
use crate::account;

/// What others should not do to a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Guarded {
    /// Read or change it: it holds a secret.
    Secret,
    /// Change it.
    Unchanged,
}

/// A file that is open to others. It is used all the same: Docker and Kubernetes mount secrets for all to read, in a
/// container that nobody else is in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exposed {
    key: String,
    file: PathBuf,
    mode: u32,
    owner: u32,
    /// What others may do.
    what: &'static str,
    /// What takes that away.
    remedy: String,
    /// What is secret in it, of the configuration itself.
    holds: Option<&'static str>,
    /// Whether it is the configuration itself, and others may change it.
    pub grave: bool,
}

const MAY_READ: &str = "other accounts may read it";

impl Exposed {
    /// Whether the file of this key is; one that cannot be looked at is reported where it is read.
    pub fn look(key: &str, file: &Path, guarded: Guarded) -> Option<Self> {
        let metadata = fs::metadata(file).ok().filter(Metadata::is_file)?;
        let (mode, owner) = (metadata.mode() & 0o7777, metadata.uid());
        let (we, our_group) = (geteuid().as_raw(), getegid().as_raw());
        let path = file.display();
        // Packages give their files, and the folder that they are in, to the group that the service runs as.
        let folder = file.parent().and_then(|folder| fs::metadata(folder).ok());
        let group = if [0, our_group].contains(&metadata.gid()) || folder.is_some_and(|at| at.gid() == metadata.gid()) {
            0
        } else {
            0o070
        };
        let open = mode & (0o007 | group);
        let too_open = open & 0o022 != 0 || open != 0 && guarded == Guarded::Secret;
        let (what, remedy) = if owner != we && owner != 0 {
            let chown = format!("chown {} {path}", account::own());
            let remedy = match too_open {
                true => format!("{chown} && {}", closing(open, guarded, &path)),
                false => chown,
            };
            ("it belongs to another account, which may change it", remedy)
        } else if open & 0o022 != 0 {
            ("other accounts may change it", closing(open, guarded, &path))
        } else if too_open {
            (MAY_READ, closing(open, guarded, &path))
        } else {
            return None;
        };
        Some(Self {
            key: key.to_owned(),
            file: file.to_owned(),
            mode,
            owner,
            what,
            remedy,
            holds: None,
            grave: false,
        })
    }
}

fn closing(open: u32, guarded: Guarded, path: &dyn fmt::Display) -> String {
    let whom = if open & 0o070 != 0 { "go" } else { "o" };
    match guarded {
        Guarded::Secret => format!("chmod {whom}= {path}"),
        Guarded::Unchanged => format!("chmod {whom}-w {path}"),
    }
}

impl fmt::Display for Exposed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            key,
            file,
            mode,
            owner,
            what,
            remedy,
            holds,
            ..
        } = self;
        let owner = account::name(*owner);
        let file = account::absolute(file);
        write!(f, "{key} {} (owner {owner}, mode {mode:03o}): {what}", file.display())?;
        if self.grave {
            write!(
                f,
                ", and with it have this account fetch, file and delete mail as they like"
            )?;
        }
        if let Some(holds) = holds {
            write!(f, "; it holds a {holds}")?;
        }
        write!(f, "; run: {remedy}")
    }
}

impl Config {
    /// The files of the configuration, itself included, that are open to others: each once.
    pub fn exposed(&self) -> Vec<Exposed> {
        use Guarded::{Secret, Unchanged};
        let mut exposed: Vec<Exposed> = self.exposed_itself().into_iter().collect();
        let mut look = |key: &str, file: Option<&PathBuf>, guarded| {
            exposed.extend(file.and_then(|file| Exposed::look(key, file, guarded)));
        };
        look("users_file", self.users_file.as_ref(), Unchanged);
        look("secrets.key_file", self.secrets.key_file.as_ref(), Secret);
        if let Some(tls) = &self.http.tls {
            look("http.tls.key_file", Some(&tls.key_file), Secret);
        }
        if let Some(mail) = &self.mail {
            look("mail.tls.ca_file", mail.tls.ca_file.as_ref(), Unchanged);
        }
        if let Some(webhook) = &self.webhook {
            look("webhook.ca_file", webhook.ca_file.as_ref(), Unchanged);
        }
        for profile in &self.profile {
            let key = |key: &str| format!("profile {}: {key}", profile.name);
            let (server, oauth2) = (&profile.server, profile.server.oauth2.as_ref());
            look(&key("tls.ca_file"), server.tls.ca_file.as_ref(), Unchanged);
            let ca_file = oauth2.and_then(|oauth2| oauth2.ca_file.as_ref());
            look(&key("oauth2.ca_file"), ca_file, Unchanged);
        }
        for ways in self.secret_ways() {
            let file = ways.file.map(Path::to_owned);
            look(&format!("{}{}_file", ways.section, ways.key), file.as_ref(), Secret);
        }
        // Profiles may share a file.
        let mut seen = std::collections::HashSet::new();
        exposed.retain(|one| seen.insert(one.file.clone()));
        exposed
    }

    /// What is without effect in profiles, and what is odd about secrets and the files that they are in, each once; and
    /// which cannot be used, if `faults` are asked for, too: who needs a secret at once is in the error itself.
    pub fn remarks(&self, faults: bool) -> Vec<String> {
        let mut seen = std::collections::HashSet::new();
        let ways = self
            .secret_ways()
            .into_iter()
            .filter(|ways| ways.file.is_none_or(|file| seen.insert(file)));
        let secrets = ways.filter_map(|ways| ways.remark(faults));
        secrets.chain(self.profile.iter().filter_map(Profile::remark)).collect()
    }

    /// Every secret of the configuration.
    fn secret_ways(&self) -> Vec<SecretWays<'_>> {
        let mut all = vec![self.http.token_ways()];
        all.extend(self.mail.as_ref().map(super::Mail::password_ways));
        all.extend(self.webhook.as_ref().map(super::Webhook::token_ways));
        for server in self.profile.iter().map(|profile| &profile.server) {
            all.push(server.password_ways());
            if let Some(oauth2) = &server.oauth2 {
                all.extend([oauth2.client_secret_ways(), oauth2.refresh_token_ways()]);
            }
        }
        all
    }

    fn exposed_itself(&self) -> Option<Exposed> {
        const KEY: &str = "the configuration";
        let in_file = || self.profile.iter().filter(|profile| profile.origin == Origin::File);
        let passwords = self.mail.as_ref().is_some_and(|mail| mail.password.is_some())
            || in_file().any(|profile| profile.server.password.is_some());
        let mut oauth2 = in_file().filter_map(|profile| profile.server.oauth2.as_ref());
        let tokens = self.http.token.is_some()
            || self.webhook.as_ref().is_some_and(|webhook| webhook.token.is_some())
            || oauth2.any(|oauth2| oauth2.client_secret.is_some() || oauth2.refresh_token.is_some());
        let (holds, guarded) = match (passwords, tokens) {
            (true, _) => (Some("password"), Guarded::Secret),
            (false, true) => (Some("token"), Guarded::Secret),
            (false, false) => (None, Guarded::Unchanged),
        };
        let exposed = Exposed::look(KEY, &self.file, guarded)?;
        let grave = exposed.what != MAY_READ;
        Some(Exposed {
            holds,
            grave,
            ..exposed
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs::Permissions,
        os::unix::fs::{PermissionsExt, chown},
    };

    use super::*;

    fn look(mode: u32, guarded: Guarded) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        fs::write(&file, "x").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        let exposed = Exposed::look("password_file", &file, guarded)?;
        Some(exposed.to_string().replace(&file.display().to_string(), "FILE"))
    }

    #[test]
    fn a_file_that_others_can_read_or_change_is_told_with_what_to_run() {
        let owner = account::own();
        let said = |mode: &str, what: &str| format!("password_file FILE (owner {owner}, mode {mode}): {what} FILE");
        let may_read = said("604", "other accounts may read it; run: chmod o=");
        assert_eq!(look(0o604, Guarded::Secret), Some(may_read));
        let may_change = said("602", "other accounts may change it; run: chmod o=");
        assert_eq!(look(0o602, Guarded::Secret), Some(may_change));
        let may_change = said("646", "other accounts may change it; run: chmod o-w");
        assert_eq!(look(0o646, Guarded::Unchanged), Some(may_change));
        for (mode, guarded) in [
            (0o600, Guarded::Secret),
            (0o640, Guarded::Secret),
            (0o644, Guarded::Unchanged),
        ] {
            assert_eq!(look(mode, guarded), None, "{mode:o}");
        }
    }

    #[test]
    fn a_file_of_another_account_or_group_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        fs::write(&file, "x").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        if chown(&file, None, Some(12345)).is_err() {
            return eprintln!("skipped: only root can give files away");
        }
        let look = |guarded| Exposed::look("password_file", &file, guarded).map(|exposed| exposed.to_string());
        assert!(look(Guarded::Secret).unwrap().contains("may read it; run: chmod go= "));
        assert_eq!(look(Guarded::Unchanged), None);
        chown(&file, Some(12345), Some(0)).unwrap();
        assert!(
            look(Guarded::Unchanged)
                .unwrap()
                .contains("(owner uid 12345, mode 640): it belongs to another account")
        );
    }

    #[test]
    fn a_configuration_that_others_can_change_is_worse() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("dropkeep.toml");
        let profile = "[[profile]]\nname = \"p\"\n[profile.server]\naccess = \"imap\"\nhost = \"mail.example\"\nusername = \"u\"\n";
        let exposed = |mode: u32, password: &str| {
            fs::write(&file, format!("{profile}{password}")).unwrap();
            fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            Config::load(&file).unwrap().exposed()
        };
        let in_it = "password = \"x\"\n";
        assert!(exposed(0o646, in_it)[0].grave);
        assert!(exposed(0o646, in_it)[0].to_string().contains("have this account fetch"));
        assert!(!exposed(0o644, in_it)[0].grave);
        let said = exposed(0o666, in_it)[0].to_string();
        assert!(said.contains("; it holds a password; run: chmod o= "), "{said}");
        assert_eq!(exposed(0o600, in_it), []);
        fs::write(folder.path().join("secret"), "x").unwrap();
        fs::set_permissions(folder.path().join("secret"), Permissions::from_mode(0o644)).unwrap();
        let found = exposed(0o644, "password_file = \"secret\"\n");
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].to_string().starts_with("profile p: password_file "));
    }
}
