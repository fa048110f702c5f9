//! The audit log: what is noted before an answer is given. Without an entry there is no answer.

use crate::{
    access::{Entry, Outcome},
    api::{Exit, Failure, Reply},
    archive::{Committer, Deed, StoreError},
};

/// Writes entries of the audit log.
#[derive(Clone)]
pub struct Notes(Committer);

/// An entry that could not be written.
#[derive(thiserror::Error, Clone, Debug)]
#[error("this cannot be noted in the audit log, so it is not done and nothing is shown: {0}")]
pub struct NotNoted(pub StoreError);

impl From<NotNoted> for Failure {
    fn from(error: NotNoted) -> Self {
        let exit = Self::from(error.0.clone()).exit;
        // It is not the caller's fault.
        let exit = if exit == Exit::Usage { Exit::Store } else { exit };
        Self::new(exit, error)
    }
}

impl Notes {
    pub fn new(committer: Committer) -> Self {
        Self(committer)
    }

    /// What somebody did, and what it changes; on disk when this returns.
    ///
    /// # Errors
    /// It was refused, which is noted; or nothing can be written.
    pub async fn deed(&self, deed: Deed) -> Result<(), StoreError> {
        self.0.deed(deed).await
    }

    /// # Errors
    /// It cannot be written.
    pub async fn note(&self, entry: Entry) -> Result<(), NotNoted> {
        self.deed(Deed::noted(entry)).await.map_err(NotNoted)
    }

    /// The same on a thread that may wait.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn note_here(&self, entry: Entry) -> Result<(), NotNoted> {
        self.deed_here(Deed::noted(entry)).map_err(NotNoted)
    }

    /// # Errors
    /// It was refused, or nothing can be written.
    pub fn deed_here(&self, deed: Deed) -> Result<(), StoreError> {
        self.0.deed_here(deed)
    }
}

/// Lets replies pass once the request is noted, with how the first of them says that it ended: a list may be long, and
/// is noted before its first line. For a thread that may wait.
pub struct Pending<'n> {
    notes: &'n Notes,
    entry: Option<Entry>,
}

impl<'n> Pending<'n> {
    /// `None` of what is not noted.
    pub fn new(notes: &'n Notes, entry: Option<Entry>) -> Self {
        Self { notes, entry }
    }

    /// To be asked before each reply.
    ///
    /// # Errors
    /// It cannot be noted, and nothing may be shown.
    pub fn before(&mut self, reply: &Reply) -> Result<(), NotNoted> {
        let Some(entry) = self.entry.take() else {
            return Ok(());
        };
        let (outcome, detail) = match reply {
            Reply::Failed(failure) => (Outcome::Failed, failure.error.as_str()),
            _ => (Outcome::Done, ""),
        };
        let ended = entry.clone().ended(outcome, detail);
        let noted = self.notes.note_here(ended);
        if noted.is_err() {
            // Nor is anything that comes behind it shown.
            self.entry = Some(entry);
        }
        noted
    }
}
