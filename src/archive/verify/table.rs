//! The tables of the catalog, and what their keys are in words.

use serde::{Deserialize, Serialize};

use crate::{
    archive::{
        Seconds,
        codec::KeyPart,
        copies::{UidKey, UidlKey},
        lists,
        rows::{CopyKey, FolderNumber, IdentityNumber, MessageId, SourceNumber, UserId},
    },
    harmless::harmless,
};

/// A table of the catalog that is read from one end to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Table {
    Users,
    Usage,
    Sources,
    Folders,
    Volumes,
    Runs,
    Identities,
    Bytes,
    Held,
    Filings,
    Journals,
    Unclaimed,
    Uids,
    Uidls,
    Sightings,
    Ledger,
    Lists,
    Parts,
    Accounts,
    Sessions,
    Audit,
}

impl Table {
    /// In an order in which the long ones are begun first.
    pub const ALL: [Self; 20] = [
        Self::Ledger,
        Self::Audit,
        Self::Filings,
        Self::Held,
        Self::Journals,
        Self::Unclaimed,
        Self::Uidls,
        Self::Uids,
        Self::Bytes,
        Self::Identities,
        Self::Lists,
        Self::Users,
        Self::Usage,
        Self::Sources,
        Self::Folders,
        Self::Sightings,
        Self::Volumes,
        Self::Runs,
        Self::Accounts,
        Self::Sessions,
    ];

    /// Each there is.
    pub fn every() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().chain([Self::Parts])
    }

    /// The table whose rows are in the tree of this name: several trees of a table have numbers behind its name.
    pub fn of_tree(tree: &str) -> Option<Self> {
        let name = tree.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end();
        Self::every().find(|table| table.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Usage => "usage",
            Self::Sources => "sources",
            Self::Folders => "folders",
            Self::Volumes => "volumes",
            Self::Runs => "runs",
            Self::Identities => "identities",
            Self::Bytes => "bytes",
            Self::Held => "held",
            Self::Filings => "filings",
            Self::Journals => "journals",
            Self::Unclaimed => "unclaimed",
            Self::Uids => "uids",
            Self::Uidls => "uidls",
            Self::Sightings => "sightings",
            Self::Ledger => "ledger",
            Self::Lists => "lists",
            Self::Parts => "parts",
            Self::Accounts => "accounts",
            Self::Sessions => "sessions",
            Self::Audit => "audit",
        }
    }

    /// A key in words.
    pub fn key(self, key: &[u8]) -> String {
        let words = match self {
            Self::Users | Self::Usage => take(key).map(|user: UserId| format!("user {user}")),
            Self::Sources | Self::Folders | Self::Volumes => take(key).map(|number: u32| number.to_string()),
            Self::Runs | Self::Ledger | Self::Audit => take(key).map(|number: u64| number.to_string()),
            Self::Lists => take(key).map(lists::words),
            Self::Bytes => take(key).map(|identity: IdentityNumber| format!("identity number {identity}")),
            Self::Held => take(key)
                .map(|(identity, user): (IdentityNumber, UserId)| format!("identity number {identity}, user {user}")),
            Self::Filings => take(key).map(|(user, date, id): (UserId, Seconds, MessageId)| {
                format!("user {user}, date {date}, message {id}")
            }),
            Self::Journals => {
                take(key).map(|(id, report): (MessageId, MessageId)| format!("message {id}, report {report}"))
            }
            Self::Unclaimed => take(key).map(|(id, _): (MessageId, [u8; 16])| format!("message {id}")),
            Self::Sightings => take(key)
                .map(|(source, folder): (SourceNumber, FolderNumber)| format!("source {source}, folder {folder}")),
            Self::Uids => take(key).map(|key: UidKey| format!("{:?}", CopyKey::from(key))),
            Self::Uidls => take(key).map(|key: UidlKey| format!("{:?}", CopyKey::from(key))),
            Self::Accounts => String::from_utf8(key.to_vec())
                .ok()
                .map(|name| harmless(&name).into_owned()),
            Self::Identities | Self::Parts | Self::Sessions => None,
        };
        words.unwrap_or_else(|| key.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

pub fn take<T: KeyPart>(mut key: &[u8]) -> Option<T> {
    T::take(&mut key)
}

/// Bytes as text.
pub mod hexadecimal {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        serializer.serialize_str(&text)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits: Vec<_> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
        if digits.len() != text.len() || !digits.len().is_multiple_of(2) {
            return Err(D::Error::custom("not hexadecimal"));
        }
        Ok(digits
            .chunks_exact(2)
            .map(|pair| (pair[0] << 4 | pair[1]) as u8)
            .collect())
    }
}
