//! What a profile needs of a server, whatever its protocol.

use std::{fmt, time::Duration};

use bytes::Bytes;
use serde::Serialize;

/// One copy, as the server names it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CopyRef {
    /// IMAP: the UID in the opened folder (RFC 9051, 2.3.1.1).
    Uid(u32),
    /// POP3: the message number of this session and its unique id (RFC 1939, UIDL).
    Uidl { number: u32, uidl: Box<str> },
    /// POP3 without UIDL: the message number is all there is.
    Number(u32),
}

impl fmt::Display for CopyRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uid(uid) => write!(f, "UID {uid}"),
            Self::Uidl { uidl, .. } => write!(f, "UIDL {uidl}"),
            Self::Number(number) => write!(f, "message {number}"),
        }
    }
}

/// A copy with the size the server announces for it, in bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Announced {
    pub copy: CopyRef,
    pub size: u64,
}

/// A copy's bytes, exactly as the server sent them.
#[derive(Clone, Debug)]
pub struct Fetched {
    pub copy: CopyRef,
    pub bytes: Bytes,
    /// IMAP INTERNALDATE, in seconds since 1970 UTC.
    pub internal_date: Option<i64>,
}

/// A copy that was asked for and did not come, though the command succeeded. It stays open.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unfetched {
    pub copy: CopyRef,
    pub why: UnfetchedWhy,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum UnfetchedWhy {
    /// The answer had no line for it: perhaps it was expunged meanwhile.
    NotAnswered,
    /// The answer named it, with NIL in place of its bytes.
    NoBody,
    /// The server refused this one copy, in these words (POP3 answers each RETR by itself).
    Refused(String),
}

/// How much of each copy to fetch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Want {
    Whole,
    /// The header with the empty line after it (IMAP `BODY.PEEK[HEADER]`, POP3 `TOP n 0`).
    Header,
}

/// An opened folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenFolder {
    pub name: String,
    /// IMAP; `None` over POP3.
    pub uidvalidity: Option<u32>,
    /// Messages the server said stand in it.
    pub exists: u32,
}

/// The steps of getting connected, in their order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    Resolve,
    Connect,
    Tls,
    Greeting,
    Login,
}

/// What was done to get connected, for `dropkeep test`: each step that succeeded, with a
/// detail for the reader and how long it took.
#[derive(Default, Debug)]
pub struct Steps {
    pub done: Vec<(Step, String, Duration)>,
}
