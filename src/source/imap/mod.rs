//! IMAP (RFC 3501, RFC 9051): a session reads folders with EXAMINE and BODY.PEEK, and leaves
//! no trace on the server.

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

use self::{
    answer::{Answer, Said},
    dialogue::Dialogue,
};
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

    /// Opens a folder with EXAMINE.
    pub(super) async fn open(&mut self, folder: &str) -> Result<OpenFolder, SourceError> {
        let raw = match self.raw_names.get(folder) {
            Some(raw) => raw.clone(),
            None => names::encode(folder),
        };
        match self.examine(folder, &raw).await {
            // A name that is no modified UTF-7 was listed as it is, perhaps by another session.
            Err(SourceError::Refused { .. }) if raw != folder && names::decode(folder).is_none() => {
                self.examine(folder, folder).await
            }
            opened => opened,
        }
    }

    async fn examine(&mut self, folder: &str, raw: &str) -> Result<OpenFolder, SourceError> {
        const EXAMINE: &str = "EXAMINE";
        let Some(quoted) = names::quoted(raw) else {
            return Err(SourceError::Refused {
                command: EXAMINE.to_owned(),
                words: "a folder name with a line end in it cannot be sent".to_owned(),
            });
        };
        let mut uidvalidity = None;
        let mut exists = None;
        let mut on = |answer| {
            match answer {
                Answer::Note(Said {
                    uidvalidity: Some(value),
                    ..
                }) => uidvalidity = Some(value),
                Answer::Exists(count) => exists = Some(count),
                _ => {}
            }
            Ok(())
        };
        let allowance = self.dialogue.small();
        let line = format!("EXAMINE {quoted}");
        self.dialogue.command(EXAMINE, &line, allowance, &mut on).await?;
        let missing = |what: &str| SourceError::Protocol {
            command: EXAMINE.to_owned(),
            detail: format!("{folder}: there is no {what}"),
        };
        Ok(OpenFolder {
            name: folder.to_owned(),
            // Without it a UID may mean another message tomorrow (RFC 9051, 2.3.1.1).
            uidvalidity: Some(uidvalidity.ok_or_else(|| missing("UIDVALIDITY"))?),
            exists: exists.ok_or_else(|| missing("EXISTS"))?,
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
