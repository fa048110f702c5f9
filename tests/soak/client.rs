//! What another client does in a mailbox, with the server itself.

use crate::support::pull::Client;

/// A session of an account's own client in a folder.
pub struct Other(Client);

impl Other {
    pub fn new(port: u16, account: &str) -> Self {
        Self(Client::imap_as(port, account))
    }

    pub fn in_folder(port: u16, account: &str, folder: &str) -> Self {
        let mut other = Self::new(port, account);
        other.command(&format!("SELECT \"{folder}\""));
        other
    }

    pub fn command(&mut self, command: &str) -> Vec<String> {
        self.0.command(command)
    }

    pub fn append(&mut self, flags: &str, message: &[u8]) {
        self.0.append_marked("INBOX", flags, message);
    }

    /// The UIDs that a search finds.
    pub fn search(&mut self, what: &str) -> Vec<u32> {
        let lines = self.command(&format!("UID SEARCH {what}"));
        let found = lines.iter().filter_map(|line| line.strip_prefix("* SEARCH"));
        found
            .flat_map(str::split_whitespace)
            .map(|uid| uid.parse().expect("a UID"))
            .collect()
    }

    pub fn find(&mut self, id: &str) -> Vec<u32> {
        self.search(&format!("HEADER Message-ID \"{id}\""))
    }

    /// The Message-ID field of each message.
    pub fn headers(&mut self) -> Vec<String> {
        self.0.literals("UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")
    }

    /// Sets or takes flags, as `+FLAGS (\Seen)`. What is gone meanwhile is no error.
    pub fn store(&mut self, uid: u32, flags: &str) {
        self.command(&format!("UID STORE {uid} {flags}"));
    }

    pub fn expunge(&mut self, uid: u32) {
        self.store(uid, "+FLAGS (\\Deleted)");
        self.command(&format!("UID EXPUNGE {uid}"));
    }
}
