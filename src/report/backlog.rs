//! What is said of users who have new addresses: how much of the mail that is in the archive already is for them. And what runs
//! are to say of it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};

/// Messages in the archive that are for users who do not have them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backlog {
    /// Whose addresses are new, the first of them, and how many more; none where they are anybody's, as with a new domain alias.
    pub users: Vec<String>,
    pub users_omitted: u64,
    /// Messages that `dropkeep reroute` would file for them.
    pub messages: u64,
    /// Messages that were read, and messages that could not be judged.
    pub read: u64,
    pub failed: u64,
    /// All messages were read.
    pub complete: bool,
    /// Messages that a retired user has, by an address that is one of these users' now: those stay with the retired user.
    pub kept_by: BTreeMap<String, u64>,
    /// What files the messages; `null` where there are none.
    pub command: Option<String>,
}

/// What files them.
const COMMAND: &str = "dropkeep reroute";

impl Backlog {
    /// Names what files the messages, where there are any.
    pub fn name_command(&mut self) {
        self.command = (self.messages > 0).then(|| COMMAND.into());
    }

    /// Whether there is anything to do about it.
    pub fn is_empty(&self) -> bool {
        self.complete && self.messages == 0 && self.failed == 0 && self.kept_by.is_empty()
    }

    /// The users, in words.
    pub fn users(&self) -> String {
        let more = match self.users_omitted {
            0 => None,
            more => Some(format!("{more} others")),
        };
        let names: Vec<&str> = self.users.iter().chain(&more).map(String::as_str).collect();
        match names.split_last() {
            None => "users".into(),
            Some((last, [])) => (*last).to_owned(),
            Some((last, first)) => format!("{} and {last}", first.join(", ")),
        }
    }

    /// In words, a line each.
    pub fn lines(&self) -> Vec<String> {
        let users = self.users();
        let mut lines = Vec::new();
        let count = |number: u64| match number {
            1 => "1 message".to_owned(),
            number => format!("{number} messages"),
        };
        let read = match self.complete {
            true => format!("the {} already in the archive", count(self.read)),
            false => format!("the first {} in the archive", count(self.read)),
        };
        lines.push(match self.messages {
            0 => format!("of {read}, none is for {users} and not filed yet"),
            1 => format!("of {read}, 1 is for {users} and not filed yet; to file it: {COMMAND}"),
            messages => format!("of {read}, {messages} are for {users} and not filed yet; to file them: {COMMAND}"),
        });
        if !self.complete {
            lines.push("counting was stopped; to count the whole archive: dropkeep reroute --dry-run".into());
        }
        if self.failed > 0 {
            let failed = count(self.failed);
            lines.push(format!(
                "{failed} could not be judged; dropkeep reroute --dry-run says why"
            ));
        }
        lines.extend(self.kept_by.iter().map(|(name, messages)| kept_by(name, *messages)));
        lines
    }
}

/// What is said of mail that a retired user keeps.
pub fn kept_by(name: &str, messages: u64) -> String {
    let (count, they) = match messages {
        1 => ("1 message".to_owned(), "it stays"),
        messages => (format!("{messages} messages"), "they stay"),
    };
    format!(
        "{count} of {name}, who is retired or disabled, went to an address that another user has now; {they} with {name} alone. To \
         file the mail for the other user too: dropkeep reroute --from {}",
        shell_word(name)
    )
}

/// A word as a shell takes it.
pub(crate) fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "@.-_+".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// Notices for the protocol of the next run, whichever profile's it is. Cloned, they are the same.
#[derive(Clone, Default)]
pub struct NextNotices(Arc<Mutex<Vec<String>>>);

impl NextNotices {
    /// In place of those that no run has taken.
    pub fn put(&self, notices: Vec<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = notices;
    }

    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[test]
fn a_new_user_got_a_part_of_their_mail_in_silence() {
    let mut backlog = Backlog {
        users: vec!["carol".into()],
        messages: 37,
        read: 40,
        complete: true,
        ..Backlog::default()
    };
    let words = backlog.lines().join("\n");
    assert_eq!(
        words,
        "of the 40 messages already in the archive, 37 are for carol and not filed yet; to file them: dropkeep reroute"
    );
    backlog.kept_by.insert("Doe, John's".into(), 3);
    let words = backlog.lines().join("\n");
    assert!(words.contains(r"dropkeep reroute --from 'Doe, John'\''s'"), "{words}");
    backlog = Backlog::default();
    assert!(backlog.lines()[1].starts_with("counting was stopped"));
}
