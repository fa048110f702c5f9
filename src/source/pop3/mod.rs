//! POP3 (RFC 1939, RFC 2449), a client of our own: there is no good crate.
//!
//! A session numbers its messages when it opens the mailbox at login, and the numbers hold
//! until it ends. Deletions take effect at QUIT.

mod dialogue;
mod listing;
mod login;
mod mailbox;
mod removal;
mod retrieve;
mod turns;
mod unstuff;
mod warnings;

use std::{fmt, sync::Arc};

use roaring::RoaringBitmap;

pub use self::mailbox::Mailbox;
use self::{dialogue::Dialogue, turns::Turns};
use super::{CopyRef, SourceError};
use crate::net::PeerCertificate;

/// Commands on their way at once, where the server takes several (RFC 2449, 6.6). Their lines are so few bytes that
/// sending them never waits for an answer to be read.
const PIPELINED: usize = 32;

/// One authenticated POP3 connection.
pub struct Pop3Session {
    dialogue: Dialogue,
    capabilities: Vec<String>,
    turns: Turns,
    certificate: Option<PeerCertificate>,
    /// What the opened mailbox holds.
    mailbox: Arc<Mailbox>,
    /// The numbers of the messages that were fetched whole.
    fetched: RoaringBitmap,
}

impl Pop3Session {
    pub(super) fn capabilities(&self) -> &[String] {
        &self.capabilities
    }

    pub(super) fn certificate(&self) -> Option<&PeerCertificate> {
        self.certificate.as_ref()
    }

    pub(super) fn can_fetch_headers(&self) -> bool {
        self.offers("TOP")
    }

    fn offers(&self, capability: &str) -> bool {
        offers(&self.capabilities, capability)
    }

    /// Ends the session with QUIT.
    ///
    /// # Errors
    /// The server did not confirm: messages marked as deleted may stand there still.
    pub(super) async fn close(mut self) -> Result<(), SourceError> {
        self.dialogue.command("QUIT", "QUIT").await.map(|_| ())
    }
}

impl fmt::Debug for Pop3Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pop3Session")
            .field("host", &self.dialogue.lines.host)
            .finish_non_exhaustive()
    }
}

fn offers(capabilities: &[String], capability: &str) -> bool {
    let mut names = capabilities.iter().filter_map(|line| line.split(' ').next());
    names.any(|name| name.eq_ignore_ascii_case(capability))
}

/// The message number of a copy; a copy of another protocol has none.
fn number(copy: &CopyRef) -> Option<u32> {
    match copy {
        CopyRef::Uidl { number, .. } | CopyRef::Number(number) => Some(*number),
        CopyRef::Uid(_) | CopyRef::File(_) => None,
    }
}
