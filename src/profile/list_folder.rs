//! Listing a folder, and finding out what is open in it.

use std::sync::Arc;

use super::{
    collect_error::{CollectError, unless_cancelled},
    collecting::Collecting,
    cursor::{Done, Names},
    jobs::{FolderError, ListedFolder},
    progress::Judged,
    recognise::on_pool,
    reused::Listed,
    windows::SIZES,
};
use crate::{
    archive::{FolderNumber, Sighting, SourceNumber},
    clock,
    report::{CopyError, Outcome},
    said::{Said, Say, said},
    source::{CopyRef, Listing, Open, OpenFolder, Session, SourceError},
};

/// Where several connections share a folder, units have at least this many copies, and there are this many for each.
const LEAST: usize = 500;
const UNITS_EACH: usize = 4;
/// What is said of a UID that names more than one message.
pub(super) fn ambiguous() -> Said {
    said!(
        AmbiguousUid,
        "the server gives this UID to more than one message, so none of them can be fetched by it; they stay where they \
         are, and moving them to another folder and back gives them UIDs of their own"
    )
}

/// So many times in a row UIDVALIDITY was another one, before it is said.
const RESTLESS: u32 = 2;

impl Collecting<'_> {
    pub(super) async fn list(&mut self, session: &mut Session, folder: &str) -> Result<(), CollectError> {
        let (cancel, committer) = (&self.task.cancel, &self.task.stages.committer);
        let number = committer.folder(folder).await?;
        // What is open may have been so for long, and the listing is as old.
        self.open = None;
        let opened = unless_cancelled(cancel, session.open(folder)).await?;
        self.open = Some((folder.to_owned(), opened.uidvalidity));
        self.task.pulse.beat();
        let listing = Arc::new(unless_cancelled(cancel, session.listing()).await?);
        if let Some(error) = session.take_unclear() {
            let folder = folder.to_owned();
            self.jobs.refused(FolderError { folder, error });
        }
        self.progress.notices.extend(session.take_notices());
        self.task.pulse.beat();
        let names = Names::new(self.task.source, number, opened.uidvalidity, &listing);
        let (open, inexact) = match self.task.source {
            Some(source) => {
                self.open_copies(session, (source, number), &opened, &listing, &names)
                    .await?
            }
            None => (Done::Nothing.sort(&listing, &names).open, false),
        };
        self.progress.expected += open.len();
        let listed = Arc::new(ListedFolder {
            name: folder.to_owned(),
            number,
            uidvalidity: opened.uidvalidity,
            names,
            inexact,
            before: self.jobs.before(folder),
            session: self.session,
        });
        if let Listing::Uids { ambiguous, .. } = &*listing {
            self.name_ambiguous(&listed, ambiguous).await?;
        }
        let size = match self.task.profile.connections as usize {
            0 | 1 => SIZES,
            many => (open.len() as usize).div_ceil(many * UNITS_EACH).clamp(LEAST, SIZES),
        };
        self.jobs.fetch(listed, Open { listing, left: open }, size);
        Ok(())
    }

    /// The copies of a source's folder that are to be looked at: by their names, and by whether these still mean what
    /// they did. Also whether the sizes that the server announces are known to be off.
    async fn open_copies(
        &mut self,
        session: &mut Session,
        (source, folder): (SourceNumber, FolderNumber),
        opened: &OpenFolder,
        listing: &Arc<Listing>,
        names: &Names,
    ) -> Result<(roaring::RoaringBitmap, bool), CollectError> {
        let store = self.task.stages.store.clone();
        let (uidvalidity, uidnext) = (opened.uidvalidity, opened.uidnext);
        let (copies, named) = (listing.clone(), names.clone());
        let read = move || {
            let done = match uidvalidity {
                Some(uidvalidity) => Done::Imap(store.done_uids(source, folder, uidvalidity)?),
                None => Done::Pop3(store.done_uidls(source)?),
            };
            let beyond = match (&done, &*copies, uidnext) {
                // What stands beyond it shows that it is not to be believed: some servers never say another.
                (Done::Imap(uids), Listing::Uids { standing, .. }, Some(next)) if standing.max() < Some(next) => uids
                    .range(next..)
                    .filter_map(|uid| named.key(&CopyRef::Uid(uid)))
                    .collect(),
                _ => Vec::new(),
            };
            Ok((done.sort(&copies, &named), beyond, store.sighting(source, folder)?))
        };
        let (mut sorted, beyond, seen) = on_pool(self.task, read).await?;
        if let Some(standing) = sorted.standing.take() {
            self.task.stages.committer.forget_uidls(source, standing).await?;
        }
        self.progress.notices.extend(about_uidls(listing, names));
        let before = seen.clone();
        let mut seen = self.seen_now(opened, seen, !sorted.done.is_empty());
        let listed = Listed { opened, listing, names };
        self.doubt(session, &listed, beyond, &mut sorted, &mut seen).await?;
        let inexact = seen.inexact;
        if before.as_ref() != Some(&seen) {
            self.task.stages.committer.put_sighting(source, folder, seen).await?;
        }
        Ok((sorted.open, inexact))
    }

    /// How the folder looks now, and the notices on how it changed.
    fn seen_now(&mut self, opened: &OpenFolder, before: Option<Sighting>, any_done: bool) -> Sighting {
        let folder = &opened.name;
        let now = clock::now().as_second();
        let Some(before) = before else {
            return Sighting {
                uidvalidity: opened.uidvalidity,
                // What an earlier version archived has no traits yet.
                recheck_began: if any_done { 0 } else { now },
                ..Sighting::default()
            };
        };
        let renewed = match opened.uidvalidity == before.uidvalidity {
            true => 0,
            false => before.renewed.saturating_add(1),
        };
        if renewed >= RESTLESS {
            self.progress.notices.push(said!(
                UidvalidityAnew,
                "the server gives {0} another UIDVALIDITY each time it is opened: all of its mail is fetched again in every \
                 run, and `after` in [profile.delete] never comes; let the account write to the mailbox, so that the server \
                 can keep its UIDs, or use POP3",
                folder
            ));
        }
        Sighting {
            uidvalidity: opened.uidvalidity,
            renewed,
            // The headers of other names were compared.
            recheck_began: if renewed > 0 { now } else { before.recheck_began },
            rechecked_to: before.rechecked_to.filter(|_| renewed == 0),
            uidnext: before.uidnext.filter(|_| renewed == 0),
            ..before
        }
    }

    /// Reports UIDs that the server gives to more than one message: what is fetched by such a name may be either.
    async fn name_ambiguous(
        &mut self,
        folder: &Arc<ListedFolder>,
        ambiguous: &roaring::RoaringBitmap,
    ) -> Result<(), CollectError> {
        self.progress.expected += ambiguous.len();
        for uid in ambiguous {
            let copy = CopyRef::Uid(uid);
            let error = CopyError::new(&folder.name, &copy, "fetch", self::ambiguous());
            let judged = Judged::without_bytes(copy, Outcome::Failed, Some(error));
            self.progress.judged.push(judged);
        }
        self.flush().await
    }

    /// A folder cannot be opened or listed. One that a pattern found and that is gone meanwhile is none that is
    /// missing; one that it found and that its owner does not share with us is named in a notice.
    pub(super) async fn folder_refused(
        &mut self,
        session: &mut Session,
        folder: String,
        error: SourceError,
    ) -> Result<(), CollectError> {
        let named = self.task.profile.folders.include.contains(&folder);
        if !named && error.is_denial(&folder) {
            self.progress.notices.push(may_not_be_read(&folder, &error));
            self.jobs.denied(folder);
            return self.flush().await;
        }
        if !named && self.task.source.is_some() {
            let listing = session.folders(&self.task.profile.folders);
            match unless_cancelled(&self.task.cancel, listing).await {
                Ok(standing) if !standing.contains(&folder) => {
                    let notice = said!(
                        FolderWentAway,
                        "the folder {0} was deleted or renamed during the run",
                        folder
                    );
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

/// What is said of a folder that a pattern found and that may not be read.
pub(super) fn may_not_be_read(folder: &str, error: &SourceError) -> Said {
    said!(
        FolderNotReadable,
        "the folder {0:?} is not archived: the account has no right to read it ({1}); grant that right (RFC 4314: r), or \
         name the folder in `exclude`",
        folder,
        error.said()
    )
}

/// The notices about messages over POP3 that have no unique id of their own.
fn about_uidls(listing: &Listing, names: &Names) -> Option<Said> {
    let Listing::Pop3(mailbox) = listing else { return None };
    let fetched = || {
        said!(
            FetchedEachTime,
            "fetched in every run, known ones are recognised by their content, and none of them is deleted"
        )
    };
    let without = (0..mailbox.len()).filter(|at| mailbox.uidl(*at).is_none()).count();
    if without > 0 && without == mailbox.len() {
        return Some(said!(NoUidl, "the server has no UIDL: every message is {0}", fetched()));
    }
    if without > 0 {
        return Some(said!(
            SomeWithoutUidl,
            "the server gives no UIDL to {0} messages: these are {1}",
            without,
            fetched()
        ));
    }
    let twice = match names {
        Names::Pop3 { repeated, .. } if !repeated.is_empty() => repeated.len(),
        _ => return None,
    };
    Some(said!(
        UidlTwice,
        "the server gives {0} UIDLs to more than one message each: these are {1}",
        twice,
        fetched()
    ))
}
