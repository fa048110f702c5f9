//! Listing a folder, making units of what is open in it, and asking how large that is.

use std::{collections::HashSet, sync::Arc};

use super::{
    collect::{CollectError, Current, Work, is_refusal, unless_cancelled},
    cursor::{Cursor, Done},
    jobs::{Surveyed, Unit},
    run::FolderError,
    windows::SIZES,
};
use crate::{
    archive::Change,
    report::Outcome,
    source::{Announced, CopyRef, Session, SourceError},
};

/// Where several connections share a folder, units have at least so many copies, and there are so many for each.
const LEAST: usize = 500;
const UNITS_EACH: usize = 4;
/// Sizes of single copies that are refused in a row, before the folder is taken to be at fault.
const MOST_REFUSED: u32 = 20;

impl Work<'_> {
    pub(super) async fn survey(&mut self, session: &mut Session, folder: &str) -> Result<(), CollectError> {
        let (cancel, committer) = (&self.task.cancel, &self.task.stages.committer);
        let number = committer.change(Change::Folder(folder.to_owned())).await? as u32;
        // What is open may have been so for long, and the listing is as old.
        self.open = None;
        let opened = unless_cancelled(cancel, session.open(folder)).await?;
        self.open = Some((folder.to_owned(), opened.uidvalidity));
        self.task.pulse.beat();
        let listing = unless_cancelled(cancel, session.listing()).await?;
        if let Some(error) = session.take_unclear() {
            let folder = folder.to_owned();
            self.jobs.refused(FolderError { folder, error });
        }
        self.task.pulse.beat();
        let cursor = self.cursor(number, opened.uidvalidity, &listing).await?;
        let mut copies = listing;
        copies.retain(|copy| cursor.is_open(copy));
        self.progress.expected += copies.len() as u64;
        let surveyed = Arc::new(Surveyed {
            name: folder.to_owned(),
            number,
            uidvalidity: opened.uidvalidity,
            cursor,
            session: self.session,
        });
        let size = match self.task.profile.connections as usize {
            0 | 1 => SIZES,
            many => copies.len().div_ceil(many * UNITS_EACH).clamp(LEAST, SIZES),
        };
        let units = copies
            .chunks(size)
            .map(|copies| Unit::new(surveyed.clone(), copies.to_vec()));
        self.jobs.fetch(units.collect());
        Ok(())
    }

    /// What is done of the folder whose copies are in `listing`.
    async fn cursor(
        &mut self,
        folder: u32,
        uidvalidity: Option<u32>,
        listing: &[CopyRef],
    ) -> Result<Cursor, CollectError> {
        let Some(source) = self.task.source else {
            return Ok(Cursor::new(Done::Nothing, listing));
        };
        let store = self.task.stages.store.clone();
        let read = move || match uidvalidity {
            Some(uidvalidity) => {
                let uids = store.done_uids(source, folder, uidvalidity)?;
                Ok(Done::Imap {
                    source,
                    folder,
                    uidvalidity,
                    uids,
                })
            }
            None => Ok(Done::Pop3 {
                source,
                uidls: store.done_uidls(source)?,
            }),
        };
        let done = self.task.stages.pool.run(read).await;
        let done = done.map_err(|_| CollectError::Profile)?.map_err(CollectError::Store)?;
        let mut cursor = Cursor::new(done, listing);
        if let Some((source, standing)) = cursor.take_standing() {
            let forget = Change::Uidls { source, standing };
            self.task.stages.committer.change(forget).await?;
        }
        if listing.iter().any(|copy| matches!(copy, CopyRef::Number(_))) {
            let notice = "the server has no UIDL: every message is fetched in every run, and known ones are told by \
                          their content";
            self.progress.notices.push(notice.into());
        }
        Ok(cursor)
    }

    /// The sizes of copies. Where the server refuses them, of ever fewer at once: one bad message must not stop the
    /// others.
    pub(super) async fn sizes_of(
        &mut self,
        session: &mut Session,
        current: &Current<'_>,
        copies: &[CopyRef],
    ) -> Result<Vec<Announced>, CollectError> {
        let mut announced = Vec::with_capacity(copies.len());
        let (mut asked, mut refused) = (vec![copies], 0);
        while let Some(some) = asked.pop() {
            match self.sizes(session, some).await {
                Ok(more) => {
                    if more.len() < some.len() {
                        let answered: HashSet<&CopyRef> = more.iter().map(|one| &one.copy).collect();
                        let silent = some.iter().filter(|copy| !answered.contains(copy)).cloned();
                        self.missing
                            .extend(silent.map(|copy| (copy, "the server does not tell its size")));
                        if let Some(error) = session.take_unclear() {
                            let folder = current.unit.folder.name.clone();
                            self.jobs.refused(FolderError { folder, error });
                        }
                    }
                    announced.extend(more);
                    refused = 0;
                }
                Err(CollectError::Source(error)) if is_refusal(&error) => match some {
                    // That is not one message.
                    [_] if refused >= MOST_REFUSED => return Err(error.into()),
                    [only] => {
                        refused += 1;
                        let error = Some(("fetch", error.to_string()));
                        self.judged(current, Outcome::Failed, only, error);
                    }
                    many => {
                        let (first, second) = many.split_at(many.len() / 2);
                        asked.extend([second, first]);
                    }
                },
                Err(error) => return Err(error),
            }
        }
        Ok(announced)
    }

    async fn sizes(&mut self, session: &mut Session, copies: &[CopyRef]) -> Result<Vec<Announced>, CollectError> {
        let facts = self.task.exclude.as_ref().is_some_and(|exclude| exclude.needs_facts());
        let sizes = unless_cancelled(&self.task.cancel, session.sizes(copies, facts)).await;
        self.task.pulse.beat();
        sizes
    }

    /// A folder cannot be opened or listed. One that a pattern found and that is gone meanwhile is none that is missing.
    pub(super) async fn folder_refused(
        &mut self,
        session: &mut Session,
        folder: String,
        error: SourceError,
    ) -> Result<(), CollectError> {
        let named = self.task.profile.folders.include.contains(&folder);
        if !named && self.task.source.is_some() {
            let listing = session.folders(&self.task.profile.folders);
            match unless_cancelled(&self.task.cancel, listing).await {
                Ok(standing) if !standing.contains(&folder) => {
                    let notice = format!("the folder {folder} vanished while the run went on");
                    self.progress.notices.push(notice);
                    return self.flush().await;
                }
                Ok(_) => {}
                Err(error) if error.session_is_usable() => {}
                Err(error) => return Err(error),
            }
        }
        self.jobs.refused(FolderError { folder, error });
        Ok(())
    }
}
