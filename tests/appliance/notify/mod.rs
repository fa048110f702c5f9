//! Runs are reported by mail and by a webhook, and no run suffers from it.

mod digest;
mod hook;
mod mail;
mod smtp;
mod trial;
mod webhook;

use crate::support::{
    PATIENCE,
    appliance::{Appliance, Profile},
    dovecot::Dovecot,
    generator::{company, user_tables},
    running::Serving,
    wait_for,
};

/// A mailbox, and a configuration that changes.
struct Site {
    pub server: Dovecot,
    pub appliance: Appliance,
}

impl Site {
    /// Two messages in the mailbox, one of them for nobody known.
    pub fn new() -> Self {
        let messages = ["jane@example.com", "nobody@example.com"].map(|to| {
            format!(
                "Delivered-To: {to}\r\nReceived: from a by b; Mon, 6 Jan 2025 10:00:00 +0000\r\nTo: {to}\r\n\r\nx\r\n"
            )
        });
        Self {
            server: Dovecot::with(messages),
            appliance: Appliance::new(env!("CARGO_BIN_EXE_dropkeep"), ""),
        }
    }

    /// A profile that works.
    pub fn good(&self) -> Profile {
        Profile::new(&self.server, "imap")
    }

    /// One that is refused.
    pub fn refused(&self) -> Profile {
        Profile {
            password: "wrong-pass/word".into(),
            ..self.good()
        }
    }

    /// The users, `tables` such as `[mail]`, a profile, and tables of the profile's.
    pub fn configure(&self, tables: &str, profile: &Profile, own: &str) {
        let users = user_tables(&company());
        self.appliance
            .configure(&format!("{users}{tables}{}{own}", profile.toml()));
    }
}

/// Waits until so many notifications ended in this way, as the metrics have it.
fn counted(serving: &Serving, kind: &str, result: &str, count: usize) {
    let line = format!("dropkeep_notifications_total{{kind=\"{kind}\",result=\"{result}\"}} {count}\n");
    let seen = wait_for(PATIENCE, || serving.get("/metrics").1.contains(&line));
    assert!(seen, "{line}{}", serving.get("/metrics").1);
}
