//! IMAP (RFC 3501, RFC 9051): a session reads folders with EXAMINE and BODY.PEEK, and leaves
//! no trace on the server; on one where UIDs do not last then, it reads with SELECT.

mod answer;
mod dialogue;
#[cfg(test)]
mod facts;
mod fetch;
mod folders;
mod listing;
mod login;
mod names;

use std::{collections::HashMap, fmt};

use self::{answer::Answer, dialogue::Dialogue};
use super::{CopyRef, OpenFolder, PeerCertificate, SourceError};

/// Maildirs name their folders as IMAP does.
pub(super) use names::decode as folder_name;

/// One authenticated IMAP connection.
pub struct ImapSession {
    dialogue: Dialogue,
    capabilities: Vec<String>,
    certificate: Option<PeerCertificate>,
    /// How names that people read travel, for the folders that were listed here.
    raw_names: HashMap<String, String>,
}

impl ImapSession {
    pub(super) fn capabilities(&self) -> &[String] {
        &self.capabilities
    }

    pub(super) fn certificate(&self) -> Option<&PeerCertificate> {
        self.certificate.as_ref()
    }

    /// Opens a folder with EXAMINE; with SELECT where UIDs do not last otherwise.
    pub(super) async fn open(&mut self, folder: &str) -> Result<OpenFolder, SourceError> {
        let raw = match self.raw_names.get(folder) {
            Some(raw) => raw.clone(),
            None => names::encode(folder),
        };
        match self.open_raw(folder, &raw).await {
            // A name that is no modified UTF-7 was listed as it is, perhaps by another session.
            Err(SourceError::Refused { .. }) if raw != folder && names::decode(folder).is_none() => {
                self.open_raw(folder, folder).await
            }
            opened => opened,
        }
    }

    async fn open_raw(&mut self, folder: &str, raw: &str) -> Result<OpenFolder, SourceError> {
        let (opened, uidnext) = self.enter("EXAMINE", folder, raw).await?;
        if uidnext.is_some() {
            return Ok(opened);
        }
        // Courier-IMAP (5.0) gives new mail a UID for this session alone when it is only looked at, and in the next
        // session perhaps another message that UID. It is also the one that leaves out UIDNEXT, which RFC 3501, 6.3.1
        // demands; proxies hide its name, but not that. Marks are left alone all the same: bodies are only peeked at.
        let (opened, _) = self.enter("SELECT", folder, raw).await?;
        Ok(opened)
    }

    /// Opens a folder with one of the two commands; the second value is UIDNEXT, where the server says it.
    async fn enter(
        &mut self,
        command: &str,
        folder: &str,
        raw: &str,
    ) -> Result<(OpenFolder, Option<u32>), SourceError> {
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
        self.dialogue.command(command, &line, allowance, &mut on).await?;
        let missing = |what: &str| SourceError::Protocol {
            command: command.to_owned(),
            detail: format!("{folder}: there is no {what}"),
        };
        let opened = OpenFolder {
            name: folder.to_owned(),
            // Without it a UID may mean another message tomorrow (RFC 9051, 2.3.1.1).
            uidvalidity: Some(uidvalidity.ok_or_else(|| missing("UIDVALIDITY"))?),
            exists: exists.ok_or_else(|| missing("EXISTS"))?,
        };
        Ok((opened, uidnext))
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
