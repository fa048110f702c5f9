//! An archive with some mail, and commands on it.

use std::{
    fs,
    io::Write,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

use crate::support::{
    appliance::{Appliance, PROFILE, text},
    running::Outcome,
};

pub const DROPKEEP: &str = env!("CARGO_BIN_EXE_dropkeep");
pub const PASSWORD: &str = "correct horse battery";

/// Users jane and bob, and a message for each.
pub struct Site {
    pub appliance: Appliance,
}

impl Site {
    pub fn new() -> Self {
        let site = Self::empty();
        for (number, user) in [(1, "jane"), (2, "bob")] {
            let file = site.path(&format!("{number}.eml"));
            let mail =
                format!("From: x@example.org\nTo: {user}@example.com\nSubject: topsecret {user}\n\nletter {number}\n");
            fs::write(&file, mail).expect("a file");
            site.done(&["import", "--profile", PROFILE, file.to_str().expect("a name")]);
        }
        site
    }

    pub fn empty() -> Self {
        let user = |name: &str| format!("[[user]]\nname = \"{name}\"\naddresses = [\"{name}@example.com\"]\n");
        let text = format!(
            "{}{}[[profile]]\nname = \"{PROFILE}\"\n[profile.server]\naccess = \"imap\"\nhost = \"127.0.0.1\"\nport = 1\n\
             username = \"all\"\npassword = \"x\"\n",
            user("jane"),
            user("bob")
        );
        Self {
            appliance: Appliance::new(DROPKEEP, &text),
        }
    }

    pub fn path(&self, name: &str) -> std::path::PathBuf {
        self.appliance.config().with_file_name(name)
    }

    pub fn run(&self, arguments: &[&str]) -> Outcome {
        self.appliance.run(arguments)
    }

    pub fn done(&self, arguments: &[&str]) -> Outcome {
        self.appliance.done(arguments)
    }

    /// Runs a command that reads this from standard input.
    pub fn typed(&self, arguments: &[&str], input: &str) -> Output {
        typed(self.appliance.command(arguments), input)
    }

    pub fn add(&self, name: &str, more: &[&str]) {
        let arguments = [&["accounts", "add", name, "--password-stdin"], more].concat();
        let added = self.typed(&arguments, &format!("{PASSWORD}\n"));
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    }

    pub fn accounts(&self) -> Vec<Value> {
        self.done(&["accounts", "--json"]).lines()
    }

    /// Account, action, object and outcome of each entry; the chain is whole, or this fails.
    pub fn log(&self) -> Vec<[String; 4]> {
        let lines = self.done(&["audit", "--json"]).lines();
        let fields = |line: &Value| ["account", "action", "object", "outcome"].map(|field| text(line, field));
        lines.iter().map(fields).collect()
    }
}

pub fn typed(mut command: Command, input: &str) -> Output {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    // It may end before it reads all of it.
    let _ = child.stdin.take().expect("its input").write_all(input.as_bytes());
    child.wait_with_output().expect("it ends")
}
