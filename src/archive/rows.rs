//! What the catalog's tables hold: the values, and the keys that are more than a number.

use serde::{Deserialize, Deserializer, Serialize};

pub use super::base64_lines::Lines;
pub use crate::ids::{FolderNumber, GroupNumber, IdentityNumber, MessageId, RunId, Seconds, SourceNumber, UserId};
use crate::{identify::HeaderDigest, message::Address};

pub type Sha256 = [u8; 32];

/// The built-in user `@catchall`.
pub const CATCHALL_ID: UserId = UserId(0);

/// `meta`, "next": the numbers given next, and what has been given out so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    pub message: MessageId,
    pub identity: IdentityNumber,
    pub user: UserId,
    pub source: SourceNumber,
    pub folder: FolderNumber,
    pub run: RunId,
    /// Numbers blocks over all volumes: a block of this number or a higher one was left by a crash.
    pub block: u64,
    /// The volume that is written to.
    pub volume: u32,
    /// Messages kept, and their bytes as they came.
    pub messages: u64,
    pub raw_bytes: u64,
    pub group: GroupNumber,
}

impl Counters {
    /// The last row of the ledger; 0 before the first.
    pub fn last_group(&self) -> GroupNumber {
        self.group.previous()
    }
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            message: MessageId(1),
            identity: IdentityNumber(1),
            user: CATCHALL_ID.next(),
            source: SourceNumber(1),
            folder: FolderNumber(1),
            run: RunId(1),
            block: 1,
            volume: 1,
            messages: 0,
            raw_bytes: 0,
            group: GroupNumber(1),
        }
    }
}

/// `meta`, "identities": how identities are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identities {
    /// The version of new ones.
    pub version: u32,
    /// The first message of that version; those before it are of version 1.
    pub since: MessageId,
}

/// `messages`: a message, and where its bytes are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The inline bytes: all of the message that is in no part.
    pub inline: Place,
    /// Its large MIME leaf bodies, in the order in which they stand in it.
    pub parts: Vec<PartPlace>,
    /// Bytes of the message as it came.
    pub size: u64,
    pub date: Seconds,
    pub archived_at: Seconds,
    pub identity: IdentityNumber,
    pub sha256: Sha256,
    /// What could not be understood of it: bits of [`crate::identify::Notes`].
    pub notes: u32,
}

/// A stretch of uncompressed bytes: it begins in a block, and goes on in those that follow it in the volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub volume: u32,
    pub block: u64,
    pub offset: u64,
    pub length: u64,
}

/// A part of a message that is stored once for all messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartPlace {
    /// How many of the message's inline bytes precede it.
    pub after: u64,
    pub digest: [u8; 32],
    pub form: PartForm,
}

/// How the stored bytes of a part become those of the message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PartForm {
    /// As they are.
    Verbatim,
    /// Encoded as base64.
    Base64(Lines),
}

/// `parts`: where a part's bytes are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    pub place: Place,
}

/// `volumes`: a volume that is not written to any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum VolumeState {
    /// Its file is complete, and never changes again.
    Sealed(Seal),
    /// All that it held lies elsewhere; what is left of it can go.
    Emptied,
}

/// What a sealed volume's file is. Also its manifest, as JSON beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// Blocks in it.
    pub blocks: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// BLAKE3 of the file, in hexadecimal.
    pub blake3: String,
}

/// `filings`: why and when a message came into a user's archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filing {
    /// The source's folder; a number of `folders`.
    pub folder: FolderNumber,
    pub archived_at: Seconds,
    pub run: RunId,
    pub why: Why,
}

/// Which header decided that a message is for a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Why {
    To,
    Cc,
    Bcc,
    From,
    Sender,
    /// A field named in the configuration, or rarer than those above.
    Field(Box<str>),
    /// No address was known.
    Unknown,
}

impl Why {
    pub fn field(name: &str) -> Self {
        match name {
            "To" => Self::To,
            "Cc" => Self::Cc,
            "Bcc" => Self::Bcc,
            "From" => Self::From,
            "Sender" => Self::Sender,
            other => Self::Field(other.into()),
        }
    }

    pub fn as_str(&self) -> &str {
        match self {
            Self::To => "To",
            Self::Cc => "Cc",
            Self::Bcc => "Bcc",
            Self::From => "From",
            Self::Sender => "Sender",
            Self::Field(name) => name,
            Self::Unknown => "unknown",
        }
    }
}

/// `journals`: when a message came in a journal report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    pub run: RunId,
    pub archived_at: Seconds,
}

/// `unclaimed`: an address that a copy was for, and that nobody had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unclaimed {
    pub address: Address,
    /// The field that named it.
    pub field: String,
}

impl Unclaimed {
    /// What stands for it in a key.
    pub fn digest(&self) -> [u8; 16] {
        let named = [self.field.as_bytes(), b"\0", self.address.as_str().as_bytes()].concat();
        let mut digest = [0; 16];
        digest.copy_from_slice(&blake3::hash(&named).as_bytes()[..16]);
        digest
    }
}

/// `users`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub name: String,
    #[serde(deserialize_with = "as_of_now")]
    pub addresses: Vec<Address>,
    /// By the configuration; read-only elsewhere.
    pub managed: bool,
    /// Gets no new filings; the archive stays.
    pub retired: bool,
}

impl User {
    /// Whether this is the address at that place among theirs.
    pub fn has(&self, place: u32, address: &str) -> bool {
        self.addresses
            .get(place as usize)
            .is_some_and(|there| there.as_str() == address)
    }
}

/// Addresses in the form in which they are compared, which that of an older version may not have been.
fn as_of_now<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Address>, D::Error> {
    let kept = Vec::<Address>::deserialize(deserializer)?;
    Ok(kept.into_iter().map(Address::renewed).collect())
}

/// `usage`: what a user's archive holds. Derived from `filings`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    pub messages: u64,
    pub bytes: u64,
}

/// `sources`: whose copies the cursor speaks of. Encryption is no part of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Source {
    pub family: crate::config::Family,
    pub host: String,
    pub port: u16,
    pub username: String,
}

impl Source {
    /// The source that a profile's server is: whatever the encryption, it is the same mailbox.
    pub fn of(server: &crate::config::Server) -> Self {
        Self {
            family: server.access.family(),
            host: server.host.to_lowercase(),
            port: server.port(),
            username: server.username.clone(),
        }
    }
}

/// The name of a copy that is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CopyKey {
    Imap {
        source: SourceNumber,
        folder: FolderNumber,
        uidvalidity: u32,
        uid: u32,
    },
    Pop3 {
        source: SourceNumber,
        uidl: UidlDigest,
    },
}

/// The beginning of the BLAKE3 digest of a UIDL. Nobody can make two UIDLs in whose digests this much is the same.
pub type UidlDigest = u128;

pub fn uidl_digest(uidl: &str) -> UidlDigest {
    let mut beginning = [0; 16];
    beginning.copy_from_slice(&blake3::hash(uidl.as_bytes()).as_bytes()[..16]);
    UidlDigest::from_be_bytes(beginning)
}

impl CopyKey {
    pub fn uidl(source: SourceNumber, uidl: &str) -> Self {
        Self::Pop3 {
            source,
            uidl: uidl_digest(uidl),
        }
    }
}

/// `uids`, `uidls`: which message a copy was found to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copy {
    pub message: MessageId,
    /// SHA-256 of the bytes fetched, where they are not those of the message: what
    /// deletion compares with.
    pub fetched: Option<Sha256>,
    pub archived_at: Seconds,
    /// What tells whether the server still means this message by the name; `None` where nobody noted it (schemas 1 and
    /// 2).
    pub traits: Option<Traits>,
}

/// By what a copy is known again, as it was when it was fetched. Servers give names a second time: a mailbox that was
/// put back from a backup gives the UIDs of what it lost to other mail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traits {
    /// The size that was announced, in bytes (RFC822.SIZE, LIST).
    pub size: u64,
    /// IMAP INTERNALDATE.
    pub date: Option<Seconds>,
    pub header: HeaderDigest,
    /// Less came than was announced, so perhaps not all of the message: the copy is never deleted.
    pub short: bool,
}

/// A copy's name that lasts, and what was seen under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    pub key: CopyKey,
    pub traits: Traits,
}

/// `sightings`: how a source's folder looked when it was last listed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// IMAP.
    pub uidvalidity: Option<u32>,
    /// IMAP: the UID that the next message gets, where the server says it.
    pub uidnext: Option<u32>,
    /// How often in a row UIDVALIDITY was another one than the time before.
    pub renewed: u32,
    /// The sizes that the server announces are not those of what it gives; by how much was seen more than once.
    pub inexact: bool,
    /// When the headers of all done copies were last begun to be compared; when they are due again counts from here.
    pub recheck_began: Seconds,
    /// The UID, or the beginning of the UIDL's digest, up to which they have been since then; `None` where all have.
    pub rechecked_to: Option<UidlDigest>,
}

#[test]
fn a_user_whose_address_an_older_version_kept_in_quotes_lost_it() {
    let kept =
        r#"{"name": "ab", "addresses": ["\"a..b\"@example.com", "*@example.net"], "managed": false, "retired": false}"#;
    let user: User = serde_json::from_str(kept).unwrap();
    let addresses = ["a..b@example.com", "*@example.net"].map(|text| Address::parse(text).unwrap());
    assert_eq!(user.addresses, addresses);
}
