//! Deletion on the server, the second pass of a run: of each copy that is due it is read back what the archive has, and
//! compared with what was fetched; only then it goes.
//!
//! A copy is due when the table `copies` knows it as done, and `after` has passed since it was archived. Everything
//! else stays: what failed, was skipped, excluded or too large is not in that table.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use sha2::{Digest, Sha256};

use super::{
    collect::{CollectError, unless_cancelled},
    connection::{Progress, Task},
    cursor::{Cursor, Done},
    judge::copy_error,
    windows::{WINDOW_BYTES, WINDOW_COPIES, windows},
};
use crate::{
    archive::{Change, Copy, CopyKey, Retrieval, Store, StoreError, Vouched},
    clock, fault,
    report::{CopyError, DELETION, DeletedCopy, InStage, Stage},
    source::{Announced, CopyRef, Fetched, Kept, OpenFolder, Removal, Session, SourceError, Want},
};

/// Copies that are looked up, read back and removed at once: what a cut connection can leave half done.
const BATCH: usize = 500;

/// A copy that is done and due.
#[derive(Clone, Debug)]
pub struct Due {
    pub copy: CopyRef,
    pub row: Copy,
}

/// Goes through a folder. Gives the copies that are marked and that the server deletes when the session ends (POP3); those
/// that are gone already the profile has been told.
pub async fn folder(task: &Arc<Task>, session: &mut Session, folder: &str) -> Result<Vec<DeletedCopy>, CollectError> {
    let Some(source) = task.source else {
        return Ok(Vec::new());
    };
    let number = task.stages.committer.change(Change::Folder(folder.to_owned())).await? as u32;
    let opened = unless_cancelled(&task.cancel, session.open_for_removal(folder)).await?;
    let listing = unless_cancelled(&task.cancel, session.listing()).await?;
    task.pulse.beat();
    let gone = task.doubtful.settle(folder, &listing);
    let mut work = Work {
        task,
        folder,
        marked: Vec::new(),
        flagged: 0,
        progress: Progress {
            deleted: gone,
            ..Progress::default()
        },
    };
    work.tell().await?;
    let cursor = cursor_of(source, number, &opened, &listing);
    let (store, before) = (task.stages.store.clone(), task.profile.delete.due_before(clock::now()));
    let due = work.on_pool(move || due(&store, &cursor, &listing, before)).await?;
    let mut going = InStage::enter(Stage::Delete, due.len());
    for batch in due.chunks(BATCH) {
        if task.cancel.is_cancelled() {
            return Err(CollectError::Cancelled);
        }
        let checked = work.check(session, batch).await;
        let removed = match checked {
            Ok(checked) => work.remove(session, &opened, checked).await,
            Err(error) => Err(error),
        };
        work.tell().await?;
        removed?;
        going.some_left(batch.len());
    }
    going.done();
    work.end().await
}

/// Names the copies of a folder as the store does.
pub fn cursor_of(source: u32, folder: u32, opened: &OpenFolder, listing: &[CopyRef]) -> Cursor {
    let done = match opened.uidvalidity {
        Some(uidvalidity) => Done::Imap {
            source,
            folder,
            uidvalidity,
            uids: roaring::RoaringBitmap::new(),
        },
        None => Done::Pop3 {
            source,
            uidls: HashSet::new(),
        },
    };
    Cursor::new(done, listing)
}

/// The copies of `listing` that were archived at `before` or earlier, those kept beside each other in the store together.
///
/// # Errors
/// The catalog cannot be read.
pub fn due(store: &Store, cursor: &Cursor, listing: &[CopyRef], before: i64) -> Result<Vec<Due>, StoreError> {
    let mut due = Vec::new();
    for chunk in listing.chunks(BATCH) {
        let named: Vec<(&CopyRef, CopyKey)> = chunk
            .iter()
            .filter_map(|copy| Some((copy, cursor.key(copy)?)))
            .collect();
        let keys: Vec<CopyKey> = named.iter().map(|(_, key)| *key).collect();
        for ((copy, _), row) in named.into_iter().zip(store.copies(&keys)?) {
            due.extend(row.filter(|row| row.archived_at <= before).map(|row| Due {
                copy: copy.clone(),
                row,
            }));
        }
    }
    due.sort_by_key(|due| due.row.message);
    Ok(due)
}

/// Copies whose deletion was cut off: which of them are gone is seen when their folder is listed again.
#[derive(Default)]
pub struct Doubtful(Mutex<HashMap<String, HashMap<CopyRef, u64>>>);

impl Doubtful {
    fn add(&self, folder: &str, copies: HashMap<CopyRef, u64>) {
        let mut doubtful = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        doubtful.entry(folder.to_owned()).or_default().extend(copies);
    }

    /// Those of a folder that are no longer in its listing.
    fn settle(&self, folder: &str, listing: &[CopyRef]) -> Vec<DeletedCopy> {
        let mut doubtful = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(mut copies) = doubtful.remove(folder) else {
            return Vec::new();
        };
        for copy in listing {
            copies.remove(copy);
        }
        let gone = copies.into_iter().map(|(copy, message)| DeletedCopy {
            folder: folder.to_owned(),
            copy: copy.to_string(),
            message,
        });
        gone.collect()
    }
}

struct Work<'t> {
    task: &'t Arc<Task>,
    folder: &'t str,
    marked: Vec<DeletedCopy>,
    flagged: u64,
    progress: Progress,
}

impl Work<'_> {
    async fn on_pool<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, CollectError> {
        let done = self.task.stages.pool.run(work).await;
        Ok(done.map_err(|_| CollectError::Profile)??)
    }

    /// Of these copies, those of which the archive was seen to have what was fetched.
    async fn check(&mut self, session: &mut Session, due: &[Due]) -> Result<Vec<Due>, CollectError> {
        let (store, asked) = (self.task.stages.store.clone(), due.to_vec());
        let vouched = self
            .on_pool(move || {
                let mut retrieval = Retrieval::new(&store);
                let vouch = |due: Due| Ok((retrieval.vouch(&store, &due.row)?, due));
                asked.into_iter().map(vouch).collect::<Result<Vec<_>, _>>()
            })
            .await?;
        self.task.pulse.beat();
        let mut checked = Vec::with_capacity(due.len());
        let mut good = Vec::with_capacity(due.len());
        for (vouched, due) in vouched {
            match vouched {
                Ok(vouched) => good.push((vouched, due)),
                Err(why) => self.error(&due.copy, format!("not deleted: {why}")),
            }
        }
        // A POP3 server may give a UIDL to another message; and an IMAP server that was restored from a backup, a UID.
        let (sure, unsure) = self.compare_sizes(session, good).await?;
        checked.extend(sure.into_iter().map(|(_, due)| due));
        checked.extend(self.compare_bytes(session, unsure).await?);
        fault_point("deletion-checked")?;
        Ok(checked)
    }

    /// Those whose size is that of the bytes fetched, and those of which it is not known to be. What is flagged, or gone
    /// meanwhile, is neither.
    async fn compare_sizes(
        &mut self,
        session: &mut Session,
        copies: Vec<(Vouched, Due)>,
    ) -> Result<(Vec<(Vouched, Due)>, Vec<(Vouched, Due, u64)>), CollectError> {
        let names: Vec<CopyRef> = copies.iter().map(|(_, due)| due.copy.clone()).collect();
        let announced = unless_cancelled(&self.task.cancel, session.sizes(&names, true)).await?;
        let mut said: HashMap<CopyRef, Announced> = announced.into_iter().map(|one| (one.copy.clone(), one)).collect();
        let (mut sure, mut unsure, mut silent) = (Vec::new(), Vec::new(), HashSet::new());
        for (vouched, due) in copies {
            match said.remove(&due.copy) {
                Some(one) if one.is_flagged() => self.flagged += 1,
                Some(one) if vouched.size == Some(one.size) => sure.push((vouched, due)),
                Some(one) => unsure.push((vouched, due, one.size)),
                None => drop(silent.insert(due.copy)),
            }
        }
        if !silent.is_empty() {
            let listing = unless_cancelled(&self.task.cancel, session.listing()).await?;
            for copy in listing.iter().filter(|copy| silent.contains(copy)) {
                self.error(copy, "not deleted: the server does not tell its size".into());
            }
        }
        Ok((sure, unsure))
    }

    /// Fetches copies again, and gives those that are what was fetched when they were archived.
    async fn compare_bytes(
        &mut self,
        session: &mut Session,
        copies: Vec<(Vouched, Due, u64)>,
    ) -> Result<Vec<Due>, CollectError> {
        let mut same = Vec::new();
        let announced = copies.iter().map(|(_, due, size)| Announced {
            copy: due.copy.clone(),
            size: *size,
            facts: None,
        });
        let mut expected: HashMap<CopyRef, (Vouched, Due)> = HashMap::with_capacity(copies.len());
        let announced: Vec<Announced> = announced.collect();
        expected.extend(
            copies
                .into_iter()
                .map(|(vouched, due, _)| (due.copy.clone(), (vouched, due))),
        );
        let most = WINDOW_BYTES.min(self.task.stages.budget.bytes() / 4);
        for window in windows(announced, most, |one| one.size) {
            debug_assert!(window.len() <= WINDOW_COPIES);
            let _share = self.task.share(window.iter().map(|one| one.size)).await?;
            let pulse = &self.task.pulse;
            let mut other = Vec::new();
            let mut compare = |fetched: Fetched| {
                pulse.beat();
                let Some((vouched, due)) = expected.remove(&fetched.copy) else {
                    return;
                };
                match Sha256::digest(&fetched.bytes)[..] == vouched.fetched {
                    true => same.push(due),
                    false => other.push(due.copy),
                }
            };
            unless_cancelled(&self.task.cancel, session.fetch(&window, Want::Whole, &mut compare)).await?;
            for copy in other {
                self.error(
                    &copy,
                    "not deleted: it is another message than the one that was archived under this name".into(),
                );
            }
        }
        for copy in expected.into_keys() {
            self.error(
                &copy,
                "not deleted: the server does not give it out again to be compared".into(),
            );
        }
        Ok(same)
    }

    async fn remove(
        &mut self,
        session: &mut Session,
        opened: &OpenFolder,
        checked: Vec<Due>,
    ) -> Result<(), CollectError> {
        if checked.is_empty() {
            return Ok(());
        }
        fault_point("deletion-before")?;
        let copies: Vec<CopyRef> = checked.iter().map(|due| due.copy.clone()).collect();
        let messages: HashMap<CopyRef, u64> = checked.into_iter().map(|due| (due.copy, due.row.message)).collect();
        let how = match &self.task.profile.delete.move_to {
            Some(folder) => Removal::Move(folder),
            None => Removal::Delete,
        };
        // An interruption lets a batch end, for so long as a server may be silent: what of it is gone would not be known.
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
            None => self.marked.extend(gone),
        }
        for (copy, why) in removed.kept {
            match why {
                Kept::Flagged => self.flagged += 1,
                Kept::Vanished => {}
                why => self.error(&copy, format!("not deleted: {why}")),
            }
        }
        Ok(())
    }

    fn error(&mut self, copy: &CopyRef, error: String) {
        let error = copy_error(self.folder, copy, DELETION, error);
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

    async fn end(mut self) -> Result<Vec<DeletedCopy>, CollectError> {
        if self.flagged > 0 {
            let notice = format!(
                "{} archived copies in {} are flagged, and not deleted for that",
                self.flagged, self.folder
            );
            self.progress.notices.push(notice);
        }
        self.tell().await?;
        Ok(self.marked)
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
    CopyError {
        folder: folder.to_owned(),
        copy: String::new(),
        stage: DELETION.to_owned(),
        error: format!("nothing more is deleted here: {error}"),
    }
}
