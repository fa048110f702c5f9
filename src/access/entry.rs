//! The audit log: one entry for each thing that somebody did, chained by digests. `docs/decisions/audit-log.md` says what
//! is in it, and what is not.

use serde::{Deserialize, Serialize};

use crate::{api::LONGEST_QUERY, ids::Seconds};

/// The address of the owner, who comes by way of the control socket or of the files themselves.
pub const SOCKET: &str = "socket";
/// The same, who sent a signal to the appliance.
pub const SIGNAL: &str = "signal";
/// Who does things without an account. No account has such a name.
pub const OWNER: &str = "owner";
pub const DROPKEEP: &str = "dropkeep";

/// Bytes of an object, characters of a reason, and of what else is told, that are kept. A query stands in its entry as a
/// whole, with what is said beside it: what was looked for must not hide behind many words.
const LONGEST: usize = LONGEST_QUERY + 2_000;
const LONGEST_REASON: usize = 2_000;
const LONGEST_DETAIL: usize = 300;

/// How something ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It takes a while; another entry says how it ended.
    Begun,
    Done,
    /// Whoever asked may not do it.
    Refused,
    Failed,
}

impl Outcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// What somebody did. Mail's content and secrets never stand in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When it was written; set by whoever writes it.
    pub at: Seconds,
    /// The account, or [`OWNER`], or [`DROPKEEP`] itself; empty where nobody knows who it was.
    pub account: String,
    /// Where it came from.
    pub address: String,
    /// In a word.
    pub action: String,
    /// On what.
    pub object: String,
    pub outcome: Outcome,
    /// Why it was refused or failed.
    pub detail: String,
    /// Why the account did it, as it said itself.
    pub reason: String,
}

impl Entry {
    pub fn new(account: &str, address: &str, action: &str, object: &str) -> Self {
        Self {
            at: 0,
            account: account.to_owned(),
            address: cut(address, LONGEST_DETAIL),
            action: action.to_owned(),
            object: cut_object(object),
            outcome: Outcome::Done,
            detail: String::new(),
            reason: String::new(),
        }
    }

    pub fn ended(self, outcome: Outcome, detail: &str) -> Self {
        Self {
            outcome,
            detail: cut(detail, LONGEST_DETAIL),
            ..self
        }
    }

    /// On which of several it was.
    pub fn with_names<'n>(self, names: impl Iterator<Item = &'n str>) -> Self {
        let names: Vec<_> = names.filter(|name| !self.object.ends_with(name)).collect();
        let parts: Vec<_> = [self.object.as_str()]
            .into_iter()
            .chain(names)
            .filter(|part| !part.is_empty())
            .collect();
        Self {
            object: cut_object(&parts.join(", ")),
            ..self
        }
    }

    pub fn because(self, reason: &str) -> Self {
        Self {
            reason: cut(reason, LONGEST_REASON),
            ..self
        }
    }
}

/// At most this number of characters, and a mark if there were more.
fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}…", &text[..at]),
    }
}

/// The same of bytes.
fn cut_object(text: &str) -> String {
    match &text[..text.floor_char_boundary(LONGEST)] {
        whole if whole.len() == text.len() => whole.to_owned(),
        cut => format!("{cut}…"),
    }
}

/// The digest of a row and of all rows before it.
pub type Chain = [u8; 32];

/// `audit`: a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRow {
    pub entry: Entry,
    pub chain: Chain,
}

/// `meta`, "audit": where the log begins and ends. Rows before its beginning were removed because of their age.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditMark {
    /// The number of the first row that is kept, and the digest of the row before it.
    pub first: u64,
    pub before: Chain,
    /// The number of the last row, and its digest.
    pub last: u64,
    pub chain: Chain,
}

impl AuditMark {
    /// Before the first entry.
    pub const START: Self = Self {
        first: 1,
        before: [0; 32],
        last: 0,
        chain: [0; 32],
    };

    /// How many entries are kept.
    pub fn kept(&self) -> u64 {
        (self.last + 1).saturating_sub(self.first)
    }
}

/// The digest of entry `number` behind a row with the digest `before`.
///
/// # Errors
/// It cannot be encoded.
pub fn chain(entry: &Entry, before: &Chain, number: u64) -> Result<Chain, postcard::Error> {
    let content = postcard::to_allocvec(entry)?;
    let mut hasher = blake3::Hasher::new_derive_key("dropkeep audit 1");
    hasher.update(before);
    hasher.update(&number.to_be_bytes());
    hasher.update(&(content.len() as u64).to_be_bytes());
    hasher.update(&content);
    Ok(*hasher.finalize().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_in_an_entry_changes_its_digest() {
        let entry = Entry::new("jane", "192.0.2.1", "search", "invoice");
        let of = |entry: &Entry| chain(entry, &[0; 32], 7).unwrap();
        let one = of(&entry);
        let others = [
            of(&Entry { at: 1, ..entry.clone() }),
            of(&entry.clone().ended(Outcome::Failed, "")),
            of(&entry.clone().ended(Outcome::Done, "x")),
            of(&entry.clone().because("x")),
            of(&Entry::new("jane", "192.0.2.1", "search", "invoices")),
            chain(&entry, &[1; 32], 7).unwrap(),
            chain(&entry, &[0; 32], 8).unwrap(),
        ];
        assert!(others.iter().all(|other| *other != one));
        assert_eq!(of(&entry.clone()), one);
    }

    #[test]
    fn a_long_object_is_cut() {
        let long = "ä".repeat(LONGEST / 2 + 1);
        let object = Entry::new("", "", "", &long).object;
        assert_eq!(object.chars().count(), LONGEST / 2 + 1);
        assert!(object.ends_with('…'));
        assert_eq!(Entry::new("", "", "", &long[2..]).object, long[2..]);
    }
}
