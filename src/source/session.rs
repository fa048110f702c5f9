//! What a profile needs of a server, whatever its protocol.

use std::time::Duration;

use super::{
    Announced, CopyRef, Credential, Fetched, FilesSession, Import, Listing, OpenFolder, Removal, Removed, SourceError,
    Steps, Unfetched, Waited, Want, connect, imap::ImapSession, pop3::Pop3Session,
};
use crate::{
    config::{Family, Folders, Server},
    net::PeerCertificate,
    said::Said,
};

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
    /// The source cannot be reached: each error has a [`ConnectStep`], and none shows the password or the token.
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
    pub fn warnings(&self) -> Vec<Said> {
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

    /// Removes copies from the folder that was opened for it. IMAP: never one that is \Flagged, and nothing that was
    /// not asked for. POP3: those `gone` are marked, and only count once [`close`](Self::close) has returned.
    ///
    /// # Errors
    /// [`SourceError::Refused`] where the server does not remove, or cannot in this way, and [`SourceError::Unclear`]
    /// where it does not say what stands there: nothing was removed. Any other error ends the session. Then some copies
    /// may be gone (over IMAP those of a few hundred at a time), and others be marked as deleted, which the next
    /// removal takes up.
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

    /// What was left out of the folders, the listing or the sizes that were asked for last, because the server does not
    /// say it clearly: to be told beside them, once.
    pub fn take_unclear(&mut self) -> Option<SourceError> {
        match self {
            Self::Imap(imap) => imap.take_unclear(),
            Self::Pop3(_) | Self::Files(_) => None,
        }
    }

    /// The notices about files that were opened and read, once.
    pub fn take_notices(&mut self) -> Vec<Said> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

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
}
