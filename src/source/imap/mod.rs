//! IMAP (RFC 3501, RFC 9051): a session reads folders with EXAMINE and BODY.PEEK, and leaves
//! no trace on the server; where UIDs do not last then, with SELECT. Only `removal` changes something there.

mod answer;
mod by_uid;
mod dialogue;
#[cfg(test)]
mod facts;
mod fetch;
mod folders;
mod framing;
#[cfg(fuzzing)]
pub mod fuzzing;
mod listing;
mod login;
mod missing;
mod names;
mod removal;
mod responses;
mod screen;
mod waiting;

use std::{collections::HashMap, fmt};

use self::{answer::Answer, dialogue::Dialogue};
use super::{CopyRef, OpenFolder, SourceError};
use crate::net::PeerCertificate;

/// Maildirs name their folders as IMAP does.
pub(super) use names::decode as folder_name;

const SELECT: &str = "SELECT";

/// What a server says of a folder that it opens.
struct Opened {
    folder: OpenFolder,
    read_only: bool,
}

/// One authenticated IMAP connection.
pub struct ImapSession {
    dialogue: Dialogue,
    capabilities: Vec<String>,
    certificate: Option<PeerCertificate>,
    /// How names that people read travel, for the folders that were listed here.
    raw_names: HashMap<String, String>,
    /// What was left out of what was listed last.
    unclear: Option<SourceError>,
    /// The opened folder, where it was opened to remove copies from it.
    writable: Option<String>,
}

impl ImapSession {
    pub(super) fn capabilities(&self) -> &[String] {
        &self.capabilities
    }

    pub(super) fn certificate(&self) -> Option<&PeerCertificate> {
        self.certificate.as_ref()
    }

    fn offers(&self, capability: &str) -> bool {
        self.capabilities
            .iter()
            .any(|name| name.eq_ignore_ascii_case(capability))
    }

    pub(super) fn take_unclear(&mut self) -> Option<SourceError> {
        self.unclear.take()
    }

    /// How a folder's name travels.
    fn raw_name(&self, folder: &str) -> String {
        match self.raw_names.get(folder) {
            Some(raw) => raw.clone(),
            None => names::encode(folder),
        }
    }

    /// Opens a folder with EXAMINE; with SELECT where UIDs do not last otherwise.
    pub(super) async fn open(&mut self, folder: &str) -> Result<OpenFolder, SourceError> {
        let examined = self.open_by("EXAMINE", folder).await?;
        if examined.folder.uidnext.is_some() {
            return Ok(examined.folder);
        }
        // Courier-IMAP (5.0) gives new mail a UID for this session alone when it is only looked at, and in the next
        // session perhaps another message that UID. It is also the one that leaves out UIDNEXT, which RFC 3501, 6.3.1
        // demands; a proxy hides its name, but not that. Flags stay as they are all the same: bodies are peeked at.
        let selected = self.open_by(SELECT, folder).await?;
        if selected.read_only {
            return Err(SourceError::Refused {
                command: SELECT.to_owned(),
                words: format!(
                    "{folder} may only be read here (READ-ONLY), and this server's UIDs do not last then; allow its \
                     user to change flags there"
                ),
            });
        }
        Ok(selected.folder)
    }

    /// Opens a folder with SELECT, to remove copies from it.
    pub(super) async fn open_for_removal(&mut self, folder: &str) -> Result<OpenFolder, SourceError> {
        let selected = self.open_by(SELECT, folder).await?;
        if selected.read_only {
            return Err(SourceError::Refused {
                command: SELECT.to_owned(),
                words: format!("{folder} may only be read here (READ-ONLY), so nothing can be removed from it"),
            });
        }
        self.writable = Some(folder.to_owned());
        Ok(selected.folder)
    }

    /// Opens a folder with EXAMINE or SELECT.
    async fn open_by(&mut self, command: &'static str, folder: &str) -> Result<Opened, SourceError> {
        if names::has_wildcard(folder)
            && !self.raw_names.contains_key(folder)
            && let Some(error) = self.why_no_folder(folder).await?
        {
            return Err(error);
        }
        let raw = self.raw_name(folder);
        match self.select(command, folder, &raw).await {
            // A name that is not written as modified UTF-7 demands was listed as it is, perhaps by another session. It
            // cannot be another folder's.
            Err(SourceError::Refused { .. }) if raw != folder && !names::is_canonical(folder) => {
                self.select(command, folder, folder).await
            }
            // Of a folder that this session listed it is known that there is one.
            Err(refusal @ SourceError::Refused { .. })
                if !refusal.is_denial(folder) && !self.raw_names.contains_key(folder) =>
            {
                match self.why_no_folder(folder).await {
                    Ok(Some(missing)) => Err(missing),
                    // Without a listing, what the server said is all that is known.
                    Ok(None) | Err(_) => Err(refusal),
                }
            }
            opened => opened,
        }
    }

    async fn select(&mut self, command: &'static str, folder: &str, raw: &str) -> Result<Opened, SourceError> {
        self.writable = None;
        let Some(quoted) = names::quoted(raw) else {
            return Err(SourceError::Refused {
                command: command.to_owned(),
                words: "a folder name with a line end in it cannot be sent".to_owned(),
            });
        };
        let mut uidvalidity = None;
        let mut uidnext = None;
        let mut exists = None;
        let mut on = |answer| {
            match answer {
                Answer::Note(said) => {
                    uidvalidity = said.uidvalidity.or(uidvalidity);
                    uidnext = said.uidnext.or(uidnext);
                }
                Answer::Exists(count) => exists = Some(count),
                _ => {}
            }
            Ok(())
        };
        let allowance = self.dialogue.small();
        let line = format!("{command} {quoted}");
        let said = self.dialogue.command(command, &line, allowance, &mut on).await?;
        self.dialogue.grown = false;
        let missing = |what: &str| self.dialogue.unclear(command, &format!("{folder}: there is no {what}"));
        let folder = OpenFolder {
            name: folder.to_owned(),
            // Without it a UID may mean another message tomorrow (RFC 9051, 2.3.1.1).
            uidvalidity: Some(uidvalidity.ok_or_else(|| match self.dialogue.could_read_all() {
                true => SourceError::Nameless {
                    folder: folder.to_owned(),
                },
                // It may stand in that line.
                false => missing("UIDVALIDITY"),
            })?),
            exists: exists.ok_or_else(|| missing("EXISTS"))?,
            uidnext,
        };
        Ok(Opened {
            folder,
            read_only: said.read_only,
        })
    }

    /// Ends the session with LOGOUT.
    pub(super) async fn close(mut self) -> Result<(), SourceError> {
        const LOGOUT: &str = "LOGOUT";
        let allowance = self.dialogue.small();
        self.dialogue.begin(LOGOUT, LOGOUT, allowance).await?;
        // BYE is the answer that was asked for; servers that close right behind it are many.
        while !matches!(
            self.dialogue.read(LOGOUT).await?,
            Answer::Bye(_) | Answer::Tagged { .. }
        ) {}
        Ok(())
    }
}

impl fmt::Debug for ImapSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImapSession")
            .field("host", &self.dialogue.host)
            .finish_non_exhaustive()
    }
}

/// The UID of a copy; a copy of another protocol has none.
fn uid(copy: &CopyRef) -> Option<u32> {
    match copy {
        CopyRef::Uid(uid) => Some(*uid),
        CopyRef::Uidl { .. } | CopyRef::Number(_) | CopyRef::File(_) => None,
    }
}
