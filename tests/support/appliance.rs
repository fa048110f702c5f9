//! The program as a person starts it: a configuration in a temporary folder, commands, and what they say.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tempfile::TempDir;

use super::{
    PATIENCE,
    dovecot::{Dovecot, MAILBOX, PASSWORD},
    generator,
    running::{Outcome, Running, Serving},
    wait_for,
};

/// The profile that [`Profile::new`] writes.
pub const PROFILE: &str = "company";

/// `status --check`, whatever is free on this machine's disk.
pub const CHECK: [&str; 6] = ["status", "--check", "--disk-warning", "0", "--disk-critical", "0"];

/// `[[profile]]` as the tests vary it.
#[derive(Clone, Debug)]
pub struct Profile {
    pub access: String,
    pub host: String,
    pub port: u16,
    pub password: String,
    pub timeout: String,
    /// The value of `tls`.
    pub tls: String,
    /// The lines of `[profile.recipients]`.
    pub recipients: String,
}

impl Profile {
    /// The mailbox of a server, whose certificate is trusted.
    pub fn new(server: &Dovecot, access: &str) -> Self {
        Self {
            access: access.into(),
            host: "localhost".into(),
            port: server.ports.of(access),
            password: PASSWORD.into(),
            timeout: "60s".into(),
            tls: format!("{{ ca_file = \"{}\" }}", server.certificate().display()),
            recipients: format!("own_addresses = [\"{MAILBOX}\"]\nlocal_domains = [\"example.com\"]\n"),
        }
    }

    /// A mailbox on a server that nobody asks.
    pub fn unasked() -> Self {
        Self {
            access: "imap".into(),
            host: "127.0.0.1".into(),
            port: 9,
            password: "unused".into(),
            timeout: "2s".into(),
            tls: "{ verify = \"none\" }".into(),
            recipients: format!("own_addresses = [\"{MAILBOX}\"]\nlocal_domains = [\"example.com\"]\n"),
        }
    }

    pub fn toml(&self) -> String {
        let Self {
            access,
            host,
            port,
            password,
            timeout,
            tls,
            recipients,
        } = self;
        format!(
            "[[profile]]\nname = \"{PROFILE}\"\n[profile.server]\naccess = \"{access}\"\nhost = \"{host}\"\n\
             port = {port}\nusername = \"{MAILBOX}\"\npassword = \"{password}\"\ntimeout = \"{timeout}\"\n\
             tls = {tls}\n[profile.recipients]\n{recipients}"
        )
    }
}

/// A configuration, a data directory beside it, and the program to run on them.
pub struct Appliance {
    binary: PathBuf,
    folder: TempDir,
}

impl Appliance {
    /// Writes the configuration; `text` is all of it but the data directory and the address of HTTP.
    pub fn new(binary: impl Into<PathBuf>, text: &str) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("dropkeep-test-")
            .tempdir()
            .expect("a temporary folder");
        let appliance = Self {
            binary: binary.into(),
            folder,
        };
        appliance.configure(text);
        appliance
    }

    /// The made-up company's users, and one profile.
    pub fn for_company(binary: impl Into<PathBuf>, profile: &Profile) -> Self {
        Self::new(
            binary,
            &(generator::user_tables(&generator::company()) + &profile.toml()),
        )
    }

    /// Writes the configuration anew. A text that sets keys of the top level begins with them.
    pub fn configure(&self, text: &str) {
        let text = format!("data_dir = \"data\"\n{text}[http]\nlisten = \"127.0.0.1:0\"\n");
        fs::write(self.config(), text).expect("the configuration");
        // Passwords stand in it.
        fs::set_permissions(self.config(), fs::Permissions::from_mode(0o600)).expect("its mode");
    }

    pub fn config(&self) -> PathBuf {
        self.folder.path().join("dropkeep.toml")
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Outcome {
        self.start(arguments).wait()
    }

    /// Runs a command that must succeed.
    pub fn done(&self, arguments: &[&str]) -> Outcome {
        self.run(arguments).expect(0)
    }

    /// `status --check` with further arguments, whatever is free on this machine's disk.
    pub fn check(&self, more: &[&str]) -> Outcome {
        self.run(&[&CHECK[..], more].concat())
    }

    pub fn start(&self, arguments: &[&str]) -> Running {
        Running::start(self.command(arguments), arguments)
    }

    /// The command, with nothing of the caller's own settings.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("DROPKEEP") || name == "RUST_LOG" {
                command.env_remove(name);
            }
        }
        command.arg("--config").arg(self.config()).args(arguments);
        command
    }

    /// Starts the appliance and waits until it listens.
    pub fn serve(&self) -> Serving {
        self.serve_as(self.command(&["serve"]))
    }

    /// The same with a command that has more in its environment.
    pub fn serve_as(&self, command: Command) -> Serving {
        let running = Running::start(command, &["serve"]);
        let address = listening(&running);
        Serving { running, address }
    }

    /// Bytes on disk of the data directory, as `du` counts.
    pub fn disk_usage(&self) -> u64 {
        disk_usage(&self.data())
    }

    /// Everything that `list` says, by user; `@catchall` included.
    pub fn lists(&self) -> Vec<(String, Vec<Value>)> {
        let mut names: Vec<String> = self
            .done(&["users", "--json"])
            .lines()
            .iter()
            .map(|user| text(user, "name"))
            .collect();
        if !names.iter().any(|name| name == "@catchall") {
            names.push("@catchall".into());
        }
        let list = |name: String| {
            let lines = self.done(&["list", "--user", &name, "--json"]).lines();
            (name, lines)
        };
        names.into_iter().map(list).collect()
    }

    pub fn raw(&self, id: u64) -> Vec<u8> {
        self.done(&["raw", &id.to_string()]).stdout
    }
}

/// Waits until `serve` listens, and says where.
pub fn listening(running: &Running) -> String {
    let mut address = None;
    let listening = wait_for(PATIENCE, || {
        let said = running.stderr();
        // http:// or https://
        address = said.split("listening on http").nth(1).map(|rest| {
            let rest = rest.trim_start_matches('s').trim_start_matches("://");
            rest.chars()
                .take_while(|c| !c.is_whitespace() && *c != '/')
                .collect::<String>()
        });
        address.is_some() && said.ends_with('\n')
    });
    assert!(
        listening,
        "serve did not say `listening on http://…`:\n{}",
        running.stderr()
    );
    let address = address.unwrap_or_default();
    address
        .chars()
        .filter(|c| c.is_ascii_digit() || ".:".contains(*c))
        .collect()
}

/// A field that must be text.
pub fn text(object: &Value, field: &str) -> String {
    object[field]
        .as_str()
        .unwrap_or_else(|| panic!("no text {field} in {object}"))
        .to_owned()
}

/// A field that must be a number.
pub fn number(object: &Value, field: &str) -> u64 {
    object[field]
        .as_u64()
        .unwrap_or_else(|| panic!("no number {field} in {object}"))
}

/// The outcomes of a run's copies, in the words of its protocol.
pub const OUTCOMES: [&str; 7] = [
    "archived",
    "duplicates",
    "skipped",
    "excluded",
    "too_large",
    "vanished",
    "failed",
];

/// Each copy has one outcome, and each filing one user.
pub fn assert_adds_up(run: &Value) {
    let sum: u64 = OUTCOMES.iter().map(|outcome| number(run, outcome)).sum();
    assert_eq!(number(run, "seen"), sum, "{run:#}");
    let users = run["users"].as_object().unwrap_or_else(|| panic!("no users in {run}"));
    let filings: u64 = users.values().map(|user| number(user, "archived")).sum();
    assert_eq!(number(run, "filings"), filings, "{run:#}");
}

pub fn disk_usage(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let mut total = 0;
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(metadata) = entry.metadata() else { continue };
        total += metadata.blocks() * 512;
        if metadata.is_dir() {
            total += disk_usage(&entry.path());
        }
    }
    total
}
