//! Deletion on the server, the second pass of a run. For each copy that is due, the archived message is read back, and
//! what the server has now is shown to be that message. Only then the copy goes.
//!
//! A copy is due when the table `copies` knows it as done, and `after` has passed since it was archived. Everything
//! else stays: what failed, was skipped, excluded or too large is not in that table.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    collect_error::{CollectError, unless_cancelled},
    cursor::Names,
    progress::Progress,
    recognise::{BATCH, DoneCopy, on_pool, recognise, rows},
    reused::notice,
    task::Task,
};
use crate::{
    archive::{MessageId, Store, StoreError},
    clock, fault,
    report::{CopyError, DELETION, DeletedCopy, InStage, Stage},
    said::{Said, Say, said},
    source::{CopyRef, Kept, OpenFolder, Removal, Session, SourceError},
};

/// Copies that are looked for in the catalog at once.
const LOOKED_UP: usize = 20_000;

/// What came of a folder.
#[derive(Debug, Default)]
pub struct Deletion {
    /// Copies that are marked and that the server deletes when the session ends (POP3). Those that are gone already the
    /// profile has been told.
    pub marked: Vec<DeletedCopy>,
    /// So many copies were found to be other mail than what was archived under their names, and are to be archived.
    pub reopened: usize,
}

/// Goes through a folder.
///
/// # Errors
/// The connection is lost, the server refuses, the store fails, or the run was interrupted.
pub async fn folder(task: &Arc<Task>, session: &mut Session, folder: &str) -> Result<Deletion, CollectError> {
    let Some(source) = task.source else {
        return Ok(Deletion::default());
    };
    let number = task.stages.committer.folder(folder).await?;
    let opened = unless_cancelled(&task.cancel, session.open_for_removal(folder)).await?;
    let listing = unless_cancelled(&task.cancel, session.listing()).await?;
    task.pulse.beat();
    let unclear = session.take_unclear();
    // What a listing lacks that leaves some out is not gone for that.
    let gone = match &unclear {
        Some(_) => Vec::new(),
        None => task.doubtful.settle(folder, &listing),
    };
    let mut deleting = Deleting {
        task,
        folder,
        result: Deletion::default(),
        flagged: 0,
        short: 0,
        progress: Progress {
            deleted: gone,
            errors: unclear
                .iter()
                .map(|error| CopyError::new(folder, "", DELETION, error.said()))
                .collect(),
            ..Progress::default()
        },
    };
    deleting.tell().await?;
    let names = Names::new(Some(source), number, opened.uidvalidity, &listing);
    let before = task.profile.delete.due_before(clock::now());
    for copies in listing.chunks(LOOKED_UP) {
        let (store, named) = (task.stages.store.clone(), names.clone());
        let due = on_pool(task, move || due(&store, &named, copies, before)).await?;
        let mut going = InStage::enter(Stage::Delete, due.len());
        for batch in due.chunks(BATCH) {
            if task.cancel.is_cancelled() {
                return Err(CollectError::Cancelled);
            }
            let removed = match deleting.check(session, batch).await {
                Ok(checked) => deleting.remove(session, &opened, checked).await,
                Err(error) => Err(error),
            };
            deleting.tell().await?;
            removed?;
            going.some_left(batch.len());
        }
        going.done();
    }
    deleting.end().await
}

/// Of these copies, those that were archived at `before` or earlier, those kept beside each other in the store
/// together.
///
/// # Errors
/// The catalog cannot be read.
pub(super) fn due(
    store: &Store,
    names: &Names,
    copies: Vec<CopyRef>,
    before: i64,
) -> Result<Vec<DoneCopy>, StoreError> {
    let mut due = rows(store, names, copies)?;
    due.retain(|done| done.row.archived_at <= before);
    due.sort_by_key(|done| done.row.message);
    Ok(due)
}

struct Deleting<'t> {
    task: &'t Arc<Task>,
    folder: &'t str,
    result: Deletion,
    flagged: u64,
    /// Copies of which less came than the server announces.
    short: u64,
    progress: Progress,
}

impl Deleting<'_> {
    /// Of these copies, those which the archive has, and which are still what is in the archive. Other mail under their
    /// names is open again.
    async fn check(&mut self, session: &mut Session, due: &[DoneCopy]) -> Result<Vec<DoneCopy>, CollectError> {
        let found = recognise(self.task, session, due.to_vec(), true).await?;
        self.flagged += found.flagged.len() as u64;
        self.short += found.short.len() as u64;
        for (copy, why) in found.undecided {
            self.error(&copy, said!(NotDeleted, "not deleted: {0}", why));
        }
        if !found.other.is_empty() {
            let keys = found.other.iter().map(|(_, key)| *key).collect();
            self.task.stages.committer.reopen(keys).await?;
            self.progress.reopened += found.other.len() as u64;
            self.result.reopened += found.other.len();
        }
        fault_point("deletion-checked")?;
        let same: HashSet<CopyRef> = found.same.into_iter().collect();
        Ok(due.iter().filter(|due| same.contains(&due.copy)).cloned().collect())
    }

    async fn remove(
        &mut self,
        session: &mut Session,
        opened: &OpenFolder,
        checked: Vec<DoneCopy>,
    ) -> Result<(), CollectError> {
        if checked.is_empty() {
            return Ok(());
        }
        fault_point("deletion-before")?;
        let copies: Vec<CopyRef> = checked.iter().map(|due| due.copy.clone()).collect();
        let messages: HashMap<CopyRef, MessageId> =
            checked.into_iter().map(|due| (due.copy, due.row.message)).collect();
        let how = match &self.task.profile.delete.move_to {
            Some(folder) => Removal::Move(folder),
            None => Removal::Delete,
        };
        // An interruption lets a batch end, for as long as a server may be silent: otherwise nobody would know what is
        // gone.
        let (cancel, timeout) = (&self.task.cancel, self.task.profile.server.timeout());
        let late = async {
            cancel.cancelled().await;
            tokio::time::sleep(timeout).await;
        };
        let removing = async {
            tokio::select! {
                removed = session.remove(&copies, how) => removed.map_err(CollectError::from),
                () = late => Err(CollectError::Cancelled),
            }
        };
        let removed = match removing.await {
            Ok(removed) => removed,
            Err(error) => {
                if opened.uidvalidity.is_some() {
                    self.task.doubtful.add(self.folder, messages);
                }
                return Err(error);
            }
        };
        self.task.pulse.beat();
        fault_point("deletion-after")?;
        let gone = removed.gone.into_iter().map(|copy| DeletedCopy {
            folder: self.folder.to_owned(),
            message: messages.get(&copy).copied().unwrap_or_default(),
            copy: copy.to_string(),
        });
        match opened.uidvalidity {
            Some(_) => self.progress.deleted.extend(gone),
            None => self.result.marked.extend(gone),
        }
        for (copy, why) in removed.kept {
            match why {
                Kept::Flagged => self.flagged += 1,
                Kept::Vanished => {}
                why => self.error(&copy, said!(NotDeleted, "not deleted: {0}", why.said())),
            }
        }
        Ok(())
    }

    fn error(&mut self, copy: &CopyRef, error: Said) {
        let error = CopyError::new(self.folder, copy, DELETION, error);
        self.progress.errors.push(error);
    }

    async fn tell(&mut self) -> Result<(), CollectError> {
        let progress = std::mem::take(&mut self.progress);
        if progress.is_empty() {
            return Ok(());
        }
        let told = self.task.progress.send(progress).await;
        told.map_err(|_| CollectError::Profile)
    }

    async fn end(mut self) -> Result<Deletion, CollectError> {
        if self.result.reopened > 0 {
            let sign = said!(
                OthersBeforeDeletion,
                "before deletion, some messages turned out not to be the ones archived under the same UIDs or UIDLs"
            );
            self.progress
                .notices
                .push(notice(self.folder, sign, self.result.reopened));
        }
        if self.flagged > 0 {
            let notice = said!(
                FlaggedKept,
                "{0} archived copies in {1} are flagged on the server, and so not deleted",
                self.flagged,
                self.folder
            );
            self.progress.notices.push(notice);
        }
        if self.short > 0 {
            let notice = said!(
                ShortKept,
                "{0} archived copies in {1} are not deleted: the server announces more bytes than it sends, so the archive \
                 may not have all of them",
                self.short,
                self.folder
            );
            self.progress.notices.push(notice);
        }
        self.tell().await?;
        Ok(self.result)
    }
}

fn fault_point(name: &'static str) -> Result<(), CollectError> {
    let lost = |error: std::io::Error| SourceError::Lost {
        command: name.to_owned(),
        words: error.to_string(),
    };
    fault::point(name).map_err(|error| lost(error).into())
}

/// What is said of a folder in which nothing could be deleted.
pub fn folder_error(folder: &str, error: &SourceError) -> CopyError {
    let error = said!(
        DeletionStoppedHere,
        "stopped deleting in this folder: {0}",
        error.said()
    );
    CopyError::new(folder, "", DELETION, error)
}
