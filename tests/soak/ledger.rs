//! What was delivered, for whom, and where it stands: kept by the test alone.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use crate::{
    mail,
    support::{appliance::text, identity::sha256},
};

/// A message by its place in [`Ledger::messages`].
pub type Number = usize;

pub struct Message {
    pub id: String,
    /// Who must have it once everything is archived.
    pub users: BTreeSet<String>,
    /// Where its copies came in, for those who read that one is missing.
    pub places: Vec<String>,
}

/// A copy that is on the server, as far as the test knows.
pub struct Standing {
    pub mailbox: usize,
    pub folder: String,
    pub message: Number,
    pub users: BTreeSet<String>,
}

#[derive(Default)]
pub struct Ledger {
    pub messages: Vec<Message>,
    by_digest: HashMap<String, Number>,
    pub by_id: HashMap<String, Number>,
    /// Copies in the mailboxes from which nothing is deleted.
    pub standing: Vec<Standing>,
    /// Everything that came into a mailbox that is emptied, and must be there or where it is moved to.
    pub emptied: BTreeMap<usize, BTreeSet<Number>>,
    /// What is \Flagged from the beginning, and must stay for that.
    pub flagged: BTreeSet<Number>,
    /// Who was seen to have what.
    archived: BTreeSet<(String, Number)>,
    pub copies: u64,
}

impl Ledger {
    /// Notes a message before the first of its copies is delivered.
    pub fn message(&mut self, message: &mail::Message) -> Number {
        let number = self.messages.len();
        self.by_id.insert(message.id.clone(), number);
        self.messages.push(Message {
            id: message.id.clone(),
            users: BTreeSet::new(),
            places: Vec::new(),
        });
        number
    }

    /// Notes a copy of it. `place` says where, and when.
    pub fn copy(&mut self, number: Number, copy: &mail::Copy, place: String) {
        self.copies += 1;
        self.by_digest.insert(sha256(&copy.bytes), number);
        let message = &mut self.messages[number];
        message.users.extend(copy.users.iter().cloned());
        message.places.push(place);
    }

    /// Reads a user's list: what is in the archive, by the bytes that were delivered.
    ///
    /// # Panics
    ///
    /// Where the archive has what nobody delivered, or something twice.
    pub fn learn(&mut self, user: &str, list: &[Value]) -> BTreeSet<Number> {
        let mut seen = BTreeSet::new();
        for line in list {
            let number = self.by_digest.get(&text(line, "sha256"));
            let number = *number.unwrap_or_else(|| panic!("{user} has what was never delivered: {line}"));
            let Message { id, places, .. } = &self.messages[number];
            assert!(
                seen.insert(number),
                "{user} has {id} twice: {line}; it came in as {places:?}"
            );
            self.archived.insert((user.to_owned(), number));
        }
        seen
    }

    /// Which of a copy's users were not yet seen to have it.
    pub fn lacking(&self, number: Number, users: &BTreeSet<String>) -> Vec<String> {
        let lacks = |user: &&String| !self.archived.contains(&((*user).clone(), number));
        users.iter().filter(lacks).cloned().collect()
    }

    /// What a user must have once everything is archived.
    pub fn due(&self, user: &str) -> BTreeSet<Number> {
        let messages = self.messages.iter().enumerate();
        messages
            .filter(|(_, message)| message.users.contains(user))
            .map(|(number, _)| number)
            .collect()
    }
}
