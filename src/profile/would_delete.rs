//! What a dry run says of deletion: which copies the next run would delete.

use jiff::Timestamp;

use super::{
    collect::CollectError,
    deletion::{Due, cursor_of, due},
    windows::SIZES,
};
use crate::{
    archive::{Retrieval, Source, Store, StoreError},
    config::Profile,
    report::DeletedCopy,
    source::{Announced, CopyRef, OpenFolder, Session},
};

/// The archive as it is, where a dry run may look at it.
pub struct Kept {
    store: Store,
    source: Option<u32>,
}

impl Kept {
    /// # Errors
    /// The catalog cannot be read.
    pub fn new(store: Store, profile: &Profile) -> Result<Self, StoreError> {
        let source = store.source_number(&Source::of(&profile.server))?;
        Ok(Self { store, source })
    }

    /// The copies in the opened folder that are due now, are not flagged, and can be read back.
    ///
    /// # Errors
    /// The server does not say what is flagged, or the catalog cannot be read.
    pub async fn would_delete(
        &self,
        profile: &Profile,
        session: &mut Session,
        opened: &OpenFolder,
        listing: &[CopyRef],
        now: Timestamp,
    ) -> Result<Vec<DeletedCopy>, CollectError> {
        let folder = self.store.folder_number(&opened.name)?;
        let (Some(source), Some(folder)) = (self.source, folder) else {
            return Ok(Vec::new());
        };
        let cursor = cursor_of(source, folder, opened, listing);
        let before = profile.delete.due_before(now);
        let due = due(&self.store, &cursor, listing, before)?;
        let mut going = Vec::new();
        let mut retrieval = Retrieval::new(&self.store);
        for chunk in due.chunks(SIZES) {
            for Due { copy, row } in unflagged(session, chunk).await? {
                if retrieval.vouch(&self.store, &row)?.is_ok() {
                    going.push(DeletedCopy {
                        folder: opened.name.clone(),
                        copy: copy.to_string(),
                        message: row.message,
                    });
                }
            }
        }
        Ok(going)
    }
}

async fn unflagged(session: &mut Session, due: &[Due]) -> Result<Vec<Due>, CollectError> {
    let copies: Vec<CopyRef> = due.iter().map(|due| due.copy.clone()).collect();
    let announced = session.sizes(&copies, true).await?;
    let flagged: std::collections::HashSet<CopyRef> = announced
        .into_iter()
        .filter(Announced::is_flagged)
        .map(|one| one.copy)
        .collect();
    Ok(due.iter().filter(|due| !flagged.contains(&due.copy)).cloned().collect())
}
