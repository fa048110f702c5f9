//! What a session is asked for and answers with: copies, what is known of them, what was fetched.

use std::{ffi::OsStr, fmt, path::Path};

use bytes::Bytes;

use super::aside::Aside;

/// One copy, as the server names it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CopyRef {
    /// IMAP: the UID in the opened folder (RFC 9051, 2.3.1.1).
    Uid(u32),
    /// POP3: the message number of this session and its unique id (RFC 1939, UIDL).
    Uidl { number: u32, uidl: Box<str> },
    /// POP3 without UIDL: the message number is all there is. Also the messages of an mbox, counted from 1.
    Number(u32),
    /// A file in the opened folder.
    File(Box<OsStr>),
}

impl fmt::Display for CopyRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uid(uid) => write!(f, "UID {uid}"),
            Self::Uidl { uidl, .. } => write!(f, "UIDL {uidl}"),
            Self::Number(number) => write!(f, "message {number}"),
            Self::File(name) => Path::new(name).display().fmt(f),
        }
    }
}

/// A copy with the size the server announces for it, in bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Announced {
    pub copy: CopyRef,
    pub size: u64,
    /// What else the server says of it, where it was asked for and the server keeps such.
    pub facts: Option<Box<Facts>>,
}

/// What an IMAP server keeps beside a message.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Facts {
    /// INTERNALDATE, in seconds since 1970 UTC.
    pub date: Option<i64>,
    /// Flags and keywords, as the server writes them.
    pub flags: Vec<String>,
}

impl Announced {
    /// Whether the server says that it is \\Flagged.
    pub fn is_flagged(&self) -> bool {
        let mut flags = self.facts.iter().flat_map(|facts| &facts.flags);
        flags.any(|flag| flag.eq_ignore_ascii_case("\\Flagged"))
    }
}

/// A copy's bytes, exactly as the server sent them.
#[derive(Clone, Debug)]
pub struct Fetched {
    pub copy: CopyRef,
    pub bytes: Bytes,
    /// IMAP INTERNALDATE, in seconds since 1970 UTC.
    pub internal_date: Option<i64>,
    /// What else is known of a message out of a file.
    pub aside: Option<Box<Aside>>,
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
    /// The answer named it in this line, which cannot be read.
    NotUnderstood(String),
    /// The server refused this one copy, in these words (POP3 answers each RETR by itself).
    Refused(String),
    /// A file cannot be read, for this reason.
    Unreadable(String),
    /// A file is no mail, for this reason.
    NoMail(String),
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
    /// IMAP: the UID that the next message gets; `None` where the server does not say it.
    pub uidnext: Option<u32>,
    /// Messages the server said stand in it.
    pub exists: u32,
}

/// What came of waiting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Waited {
    /// There is more mail in the folder than when it was last listed.
    Changed,
    Nothing,
}
