//! What a dry run says of what the archive has already: which copies those are, and which the next run would delete.

use std::sync::Arc;

use jiff::Timestamp;

use super::{
    collect_error::CollectError,
    cursor::{Done, Names},
    deletion::due,
    recognise::DoneCopy,
    windows::SIZES,
};
use crate::{
    archive::{Retrieval, Source, SourceNumber, Store, StoreError},
    config::{DeleteWhen, Profile},
    report::DeletedCopy,
    source::{Announced, CopyRef, Listing, OpenFolder, Session},
};

/// The archive as it is, where a dry run may look at it.
pub struct Kept {
    store: Arc<Store>,
    source: Option<SourceNumber>,
}

/// The copies of an opened folder that are archived already.
pub struct DoneHere {
    names: Names,
    done: Done,
}

impl DoneHere {
    pub fn has(&self, copy: &CopyRef) -> bool {
        self.done.has(copy, &self.names)
    }
}

impl Kept {
    /// # Errors
    /// The catalog cannot be read.
    pub fn new(store: Arc<Store>, profile: &Profile) -> Result<Self, StoreError> {
        let source = store.source_number(&Source::of(&profile.server))?;
        Ok(Self { store, source })
    }

    /// Which copies in the opened folder are archived already; `None` where nothing of it is.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn done(&self, opened: &OpenFolder, listing: &Listing) -> Result<Option<DoneHere>, StoreError> {
        let folder = self.store.folder_number(&opened.name)?;
        let (Some(source), Some(folder)) = (self.source, folder) else {
            return Ok(None);
        };
        let done = match opened.uidvalidity {
            Some(uidvalidity) => Done::Imap(self.store.done_uids(source, folder, uidvalidity)?),
            None => Done::Pop3(self.store.done_uidls(source)?),
        };
        let names = Names::new(Some(source), folder, opened.uidvalidity, listing);
        Ok(Some(DoneHere { names, done }))
    }

    /// The copies in the opened folder that are due now, came whole, are not flagged, and can be read back.
    ///
    /// # Errors
    /// The server does not say what is flagged, or the catalog cannot be read.
    pub async fn would_delete(
        &self,
        profile: &Profile,
        session: &mut Session,
        opened: &OpenFolder,
        listing: &Listing,
        now: Timestamp,
    ) -> Result<Vec<DeletedCopy>, CollectError> {
        let folder = self.store.folder_number(&opened.name)?;
        let (Some(source), Some(folder), DeleteWhen::Archived) = (self.source, folder, profile.delete.when) else {
            return Ok(Vec::new());
        };
        let names = Names::new(Some(source), folder, opened.uidvalidity, listing);
        let before = profile.delete.due_before(now);
        let mut going = Vec::new();
        let mut retrieval = Retrieval::anew(&self.store);
        for copies in listing.chunks(SIZES) {
            let mut due = due(&self.store, &names, copies, before)?;
            due.retain(|done| !done.row.traits.is_some_and(|traits| traits.short));
            for DoneCopy { copy, row, .. } in unflagged(session, &due).await? {
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

async fn unflagged(session: &mut Session, due: &[DoneCopy]) -> Result<Vec<DoneCopy>, CollectError> {
    let copies: Vec<CopyRef> = due.iter().map(|due| due.copy.clone()).collect();
    let announced = session.sizes(&copies, true).await?;
    let flagged: std::collections::HashSet<CopyRef> = announced
        .into_iter()
        .filter(Announced::is_flagged)
        .map(|one| one.copy)
        .collect();
    Ok(due.iter().filter(|due| !flagged.contains(&due.copy)).cloned().collect())
}
