//! What a profile needs of a server, whatever its protocol.

use std::{
    ffi::OsStr,
    fmt,
    path::Path,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use bytes::Bytes;
use serde::Serialize;

use super::{
    Aside, FilesSession, Import, Listing, Removal, Removed, SourceError, connect, imap::ImapSession, pop3::Pop3Session,
};
use crate::{
    config::{Family, Folders, Secret, Server},
    net::PeerCertificate,
};

/// What a session logs in with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Credential {
    Password(Secret),
    /// An access token (RFC 6749), for the SASL mechanism XOAUTH2.
    Token(Secret),
}

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

/// The steps of getting connected, in their order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    Resolve,
    Connect,
    Tls,
    Greeting,
    /// The access token, where there is one to log in with. It is had before the server is called.
    Token,
    Login,
}

impl Step {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Greeting => "greeting",
            Self::Token => "token",
            Self::Login => "login",
        }
    }
}

/// What was done to get connected, for `dropkeep test`: each step that succeeded, with a
/// detail for the reader and how long it took.
#[derive(Default, Debug)]
pub struct Steps {
    pub done: Vec<(Step, String, Duration)>,
    /// The certificate that the server showed, also where it was refused.
    pub certificate: Option<PeerCertificate>,
    /// Counts the bytes that come from the server, now and as long as the session lasts.
    pub received: Arc<AtomicU64>,
}

/// One authenticated connection to a source. What it does is done by one command after the
/// other; where a future is dropped midway, the session is of no more use.
#[derive(Debug)]
pub enum Session {
    Imap(Box<ImapSession>),
    Pop3(Box<Pop3Session>),
    Files(Box<FilesSession>),
}

impl Session {
    /// What an import goes through in place of a server.
    pub fn files(import: Import) -> Self {
        Self::Files(Box::new(FilesSession::new(import)))
    }

    /// Resolves, connects, encrypts, and logs in. `steps` gets each step that succeeded.
    ///
    /// # Errors
    /// The source cannot be reached: each error has a [`Step`], and none shows the password or the token.
    pub async fn connect(server: &Server, credential: &Credential, steps: &mut Steps) -> Result<Self, SourceError> {
        let connect = async {
            let dialled = connect::dial(server, steps).await?;
            Self::login(server, credential, dialled, steps).await
        };
        connect.await.map_err(|error| error.at_port(server.port()))
    }

    /// As [`connect`](Self::connect), over a stream on which somebody plays the server.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    #[cfg(any(test, fuzzing))]
    #[doc(hidden)]
    pub async fn over(
        server: &Server,
        credential: &Credential,
        stream: impl super::guard::Stream + 'static,
        steps: &mut Steps,
    ) -> Result<Self, SourceError> {
        let dialled = connect::play(server, stream, steps).await?;
        Self::login(server, credential, dialled, steps).await
    }

    async fn login(
        server: &Server,
        credential: &Credential,
        dialled: connect::Dialled,
        steps: &mut Steps,
    ) -> Result<Self, SourceError> {
        match server.access.family() {
            Family::Imap => {
                let session = ImapSession::login(server, credential, dialled, steps).await?;
                Ok(Self::Imap(Box::new(session)))
            }
            Family::Pop3 => {
                let session = Pop3Session::login(server, credential, dialled, steps).await?;
                Ok(Self::Pop3(Box::new(session)))
            }
        }
    }

    /// What the server said it can do, as it wrote it.
    pub fn capabilities(&self) -> &[String] {
        match self {
            Self::Imap(imap) => imap.capabilities(),
            Self::Pop3(pop3) => pop3.capabilities(),
            Self::Files(_) => &[],
        }
    }

    /// What the administrator should know of this server before it is archived from.
    pub fn warnings(&self) -> Vec<String> {
        match self {
            Self::Pop3(pop3) => pop3.warnings(),
            Self::Imap(_) | Self::Files(_) => Vec::new(),
        }
    }

    /// The certificate that the server showed; `None` without TLS.
    pub fn certificate(&self) -> Option<&PeerCertificate> {
        match self {
            Self::Imap(imap) => imap.certificate(),
            Self::Pop3(pop3) => pop3.certificate(),
            Self::Files(_) => None,
        }
    }

    /// The folders that the patterns name, as people read them. POP3 has INBOX alone; of files, all are meant that
    /// were named, and the patterns do not count.
    ///
    /// # Errors
    /// The listing failed, which never means that there are no folders; or the patterns leave none.
    pub async fn folders(&mut self, patterns: &Folders) -> Result<Vec<String>, SourceError> {
        match self {
            Self::Imap(imap) => match imap.folders(patterns).await? {
                none if none.is_empty() => Err(SourceError::NoneLeft(patterns.why_none())),
                folders => Ok(folders),
            },
            Self::Pop3(_) => Ok(vec!["INBOX".to_owned()]),
            Self::Files(files) => files.folders().await,
        }
    }

    /// Opens a folder for reading.
    ///
    /// # Errors
    /// [`SourceError::Refused`] where the server has no such folder, or does not let us in;
    /// [`SourceError::Unreadable`] of files.
    pub async fn open(&mut self, folder: &str) -> Result<OpenFolder, SourceError> {
        match self {
            Self::Imap(imap) => imap.open(folder).await,
            Self::Pop3(pop3) => pop3.open(folder).await,
            Self::Files(files) => files.open(folder).await,
        }
    }

    /// Opens a folder to remove copies from it.
    ///
    /// # Errors
    /// As [`open`](Self::open), and [`SourceError::Refused`] where the folder may only be read.
    pub async fn open_for_removal(&mut self, folder: &str) -> Result<OpenFolder, SourceError> {
        match self {
            Self::Imap(imap) => imap.open_for_removal(folder).await,
            Self::Pop3(pop3) => pop3.open_for_removal(folder).await,
            Self::Files(_) => Err(files_stay()),
        }
    }

    /// Removes copies from the folder that was opened for it. IMAP: never one that is \Flagged, and nothing that was not
    /// asked for. POP3: those `gone` are marked, and only count once [`close`](Self::close) has returned.
    ///
    /// # Errors
    /// [`SourceError::Refused`] where the server does not remove, or cannot in this way, and [`SourceError::Unclear`] where
    /// it does not say what stands there: nothing was removed. Any other
    /// error ends the session. Then some copies may be gone (over IMAP those of a few hundred at a time), and others be
    /// marked as deleted, which the next removal takes up.
    pub async fn remove(&mut self, copies: &[CopyRef], how: Removal<'_>) -> Result<Removed, SourceError> {
        match self {
            Self::Imap(imap) => imap.remove(copies, how).await,
            Self::Pop3(pop3) => pop3.remove(copies, how).await,
            Self::Files(_) => Err(files_stay()),
        }
    }

    /// Whether the server deletes by name what it is told to (IMAP UIDPLUS, RFC 4315). Without it, a folder in which
    /// other messages are marked \Deleted is left as it is.
    pub fn has_uidplus(&self) -> bool {
        match self {
            Self::Imap(imap) => imap.has_uidplus(),
            Self::Pop3(_) | Self::Files(_) => false,
        }
    }

    /// What was left out of the folders, the listing or the sizes that were asked for last, because the server does not say it clearly:
    /// to be told beside them, once.
    pub fn take_unclear(&mut self) -> Option<SourceError> {
        match self {
            Self::Imap(imap) => imap.take_unclear(),
            Self::Pop3(_) | Self::Files(_) => None,
        }
    }

    /// The notices about files that were opened and read, once.
    pub fn take_notices(&mut self) -> Vec<String> {
        match self {
            Self::Imap(_) | Self::Pop3(_) => Vec::new(),
            Self::Files(files) => files.take_notices(),
        }
    }

    /// Every copy that stands in the opened folder, in the server's order.
    ///
    /// # Errors
    /// The listing failed: what it lacks may stand there all the same.
    pub async fn listing(&mut self) -> Result<Listing, SourceError> {
        match self {
            Self::Imap(imap) => imap.listing().await,
            Self::Pop3(pop3) => pop3.listing().await,
            Self::Files(files) => files.listing().await.map(Listing::Files),
        }
    }

    /// The sizes of copies, in the order asked; with `facts` also their [`Facts`], which only IMAP has. Copies of which
    /// the server says nothing are absent.
    pub async fn sizes(&mut self, copies: &[CopyRef], facts: bool) -> Result<Vec<Announced>, SourceError> {
        match self {
            Self::Imap(imap) => imap.sizes(copies, facts).await,
            Self::Pop3(pop3) => pop3.sizes(copies).await,
            Self::Files(files) => files.sizes(copies).await,
        }
    }

    /// Fetches a window of copies: `sink` gets each as it arrives, and the copies that did not
    /// come are returned.
    ///
    /// # Errors
    /// The command failed or the connection was lost. What `sink` got is whole all the same.
    pub async fn fetch(
        &mut self,
        window: &[Announced],
        want: Want,
        sink: &mut (dyn FnMut(Fetched) + Send),
    ) -> Result<Vec<Unfetched>, SourceError> {
        match self {
            Self::Imap(imap) => imap.fetch(window, want, sink).await,
            Self::Pop3(pop3) => pop3.fetch(window, want, sink).await,
            // Only whole messages: see `can_fetch_headers`.
            Self::Files(files) => files.fetch(window, sink).await,
        }
    }

    /// Whether [`Want::Header`] works here. POP3 needs TOP for it; to read all of a file costs little more.
    pub fn can_fetch_headers(&self) -> bool {
        match self {
            Self::Imap(_) => true,
            Self::Pop3(pop3) => pop3.can_fetch_headers(),
            Self::Files(_) => false,
        }
    }

    /// Whether [`wait`](Self::wait) notices mail. Over POP3 it takes a new session to see what arrived.
    pub fn can_wait(&self) -> bool {
        matches!(self, Self::Imap(_))
    }

    /// Waits until mail arrives in the opened folder, at most this long. Servers end a session that waits for more
    /// than 29 minutes (RFC 2177); without IDLE it is asked once, after ten seconds at most.
    ///
    /// # Errors
    /// The connection was lost, or is found dead when the waiting ends.
    pub async fn wait(&mut self, most: Duration) -> Result<Waited, SourceError> {
        match self {
            Self::Imap(imap) => imap.wait(most).await,
            Self::Pop3(_) | Self::Files(_) => {
                tokio::time::sleep(most).await;
                Ok(Waited::Nothing)
            }
        }
    }

    /// Ends the session: LOGOUT, or QUIT, which is when a POP3 server deletes.
    ///
    /// # Errors
    /// The server did not confirm. POP3: what was marked as deleted may stand there still.
    pub async fn close(self) -> Result<(), SourceError> {
        match self {
            Self::Imap(imap) => imap.close().await,
            Self::Pop3(pop3) => pop3.close().await,
            Self::Files(_) => Ok(()),
        }
    }
}

fn files_stay() -> SourceError {
    SourceError::Refused {
        command: "the removal".to_owned(),
        words: "files that are imported stay where they are".to_owned(),
    }
}

/// What a fetch may be answered with, in bytes, for copies of these announced sizes. Servers
/// announce sizes that are off a little (line ends, quota rules), so there is room for that.
pub(super) fn fetch_allowance(sizes: impl Iterator<Item = u64>) -> u64 {
    const MARGIN: u64 = 1 << 20;
    const PER_MESSAGE: u64 = 512;
    let (count, sum) = sizes.fold((0u64, 0u64), |(count, sum), size| (count + 1, sum.saturating_add(size)));
    sum.saturating_add(sum / 4)
        .saturating_add(MARGIN)
        .saturating_add(count.saturating_mul(PER_MESSAGE))
}

/// Room to make for a message of this announced size, in bytes: a server may announce anything.
pub(super) fn plausible(announced: u64) -> usize {
    const MOST: u64 = 64 << 20;
    announced.min(MOST) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_may_be_used_from_any_thread() {
        fn is_send<T: Send>(_: T) {}
        let server = Server::new(crate::config::Access::Imap, "localhost", 143, "user");
        let (credential, mut steps) = (Credential::Password(Secret::new("")), Steps::default());
        is_send(async {
            let mut session = Session::connect(&server, &credential, &mut steps).await?;
            session.folders(&Folders::default()).await?;
            session.open("INBOX").await?;
            let listed = session.listing().await?;
            let listed: Vec<CopyRef> = listed.copies().collect();
            let announced = session.sizes(&listed, true).await?;
            session.open_for_removal("INBOX").await?;
            session.remove(&listed, Removal::Delete).await?;
            session.fetch(&announced, Want::Whole, &mut |_| ()).await?;
            session.wait(Duration::ZERO).await?;
            session.close().await
        });
    }

    #[test]
    fn allowances_do_not_overflow() {
        assert_eq!(fetch_allowance([u64::MAX, u64::MAX].into_iter()), u64::MAX);
        assert!(fetch_allowance([1000].into_iter()) > 1250);
    }
}
