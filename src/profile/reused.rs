//! What a listing shows of names that a server gives a second time, and what is done about it: the copies under them
//! are open again. What is known by its content is then found to be a duplicate.

use std::{collections::HashMap, sync::Arc};

use roaring::RoaringBitmap;

use super::{
    collect_error::{CollectError, unless_cancelled},
    collecting::Collecting,
    cursor::{Names, Sorted},
    fetcher::fetch_headers,
    recognise::{BATCH, DoneCopy, on_pool, recognise, rows},
    windows::SIZES,
};
use crate::{
    archive::{CopyKey, Sighting, UidlDigest, uidl_digest},
    clock,
    config::Recheck,
    identify::header_digests,
    said::{Said, said},
    source::{Announced, CopyRef, Fetched, Listing, Open, OpenFolder, Session},
};

/// Done copies whose headers one run compares, beyond those that it has a reason to doubt.
const RECHECKED: usize = 2_000;

/// A folder as it was listed.
pub(super) struct Listed<'f> {
    pub opened: &'f OpenFolder,
    pub listing: &'f Arc<Listing>,
    pub names: &'f Names,
}

/// Why names are not believed.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Sign {
    /// The server will give UIDs that it gave before.
    UidNext(u32),
    /// The last message that is done is another one.
    Last(CopyRef),
    Sizes,
    Headers,
}

impl Sign {
    fn words(&self) -> Said {
        match self {
            Self::UidNext(next) => {
                said!(
                    UidnextFell,
                    "the server announces UIDNEXT {0}, which is a UID that a message already had",
                    next.to_string()
                )
            }
            Self::Last(copy) => said!(
                LastIsAnother,
                "{0} is not the message that was archived under it",
                copy.to_string()
            ),
            Self::Sizes => said!(
                SizesDiffer,
                "messages differ in size from those archived under the same UIDLs"
            ),
            Self::Headers => said!(
                HeadersDiffer,
                "messages differ in their headers from those archived under the same UIDs or UIDLs"
            ),
        }
    }
}

impl Collecting<'_> {
    /// Looks into what the listing shows, and into headers whose time has come: moves copies that are not what was done
    /// under their names from `done` and `resized` to `open`.
    pub(super) async fn doubt(
        &mut self,
        session: &mut Session,
        listed: &Listed<'_>,
        beyond: Vec<CopyKey>,
        sorted: &mut Sorted,
        seen: &mut Sighting,
    ) -> Result<(), CollectError> {
        let now = clock::now().as_second();
        let resized = std::mem::take(&mut sorted.resized);
        if !resized.is_empty() {
            sorted.done |= &resized;
            let other = self.named(listed, &resized);
            self.tell_reused(listed, Sign::Sizes, other.len());
            self.reopen(listed, other, sorted).await?;
            // Others may have the same size.
            (seen.recheck_began, seen.rechecked_to) = (now, Some(0));
        }
        let next = listed.opened.uidnext;
        let fell = next.is_some_and(|next| seen.uidnext.is_some_and(|before| next < before)) || !beyond.is_empty();
        seen.uidnext = next.or(seen.uidnext);
        let sign = match (fell, next) {
            (true, Some(next)) => Some(Sign::UidNext(next)),
            _ if !self.looks_at_headers => None,
            _ => self.last_done(session, listed, &sorted.done).await?.map(Sign::Last),
        };
        if let Some(sign) = sign {
            // They are no longer there, or they would come before the next one.
            let forgotten = self.task.stages.committer.reopen(beyond).await?;
            tracing::warn!(
                profile = self.task.profile.name,
                run = self.task.run.0,
                folder = listed.opened.name,
                forgotten,
                sign = %sign.words(),
                "names are given a second time"
            );
            let mut other = self.narrowed(session, listed, &sorted.done).await?;
            if let Sign::Last(copy) = &sign
                && !other.contains(copy)
            {
                other.push(copy.clone());
            }
            self.tell_reused(listed, sign, other.len());
            self.reopen(listed, other, sorted).await?;
            // Those of the same size and date.
            (seen.recheck_began, seen.rechecked_to) = (now, Some(0));
        }
        if !self.looks_at_headers {
            return Ok(());
        }
        let counted = matches!(&**listed.listing, Listing::Pop3(mailbox) if mailbox.ids_are_numbers());
        let mut doubted = Open {
            listing: listed.listing.clone(),
            left: match counted {
                true => sorted.done.clone(),
                false => self.due_for_recheck(listed, &sorted.done, now, seen),
            },
        };
        let mut others = 0;
        while !doubted.left.is_empty() {
            let some = doubted.cut(BATCH);
            let (store, names) = (self.task.stages.store.clone(), listed.names.clone());
            let some = on_pool(self.task, move || rows(&store, &names, some)).await?;
            let found = recognise(self.task, session, some, false).await?;
            for (copy, why) in found.undecided {
                tracing::info!(
                    profile = self.task.profile.name,
                    run = self.task.run.0,
                    folder = listed.opened.name,
                    %copy,
                    %why,
                    "could not check whether it is the archived message"
                );
            }
            let other: Vec<CopyRef> = found.other.into_iter().map(|(copy, _)| copy).collect();
            others += other.len();
            self.reopen(listed, other, sorted).await?;
        }
        if others > 0 {
            self.tell_reused(listed, Sign::Headers, others);
        }
        Ok(())
    }

    fn named(&self, listed: &Listed<'_>, places: &RoaringBitmap) -> Vec<CopyRef> {
        places.iter().filter_map(|place| listed.listing.at(place)).collect()
    }

    /// Looks at the last message that is done: where names were given a second time, its name was. So it is noticed
    /// also where the server has since given more UIDs than it had before. Gives it where it is another message.
    async fn last_done(
        &self,
        session: &mut Session,
        listed: &Listed<'_>,
        done: &RoaringBitmap,
    ) -> Result<Option<CopyRef>, CollectError> {
        let last = done.max().and_then(|place| listed.listing.at(place));
        let Some(copy) = last.filter(|_| session.can_fetch_headers()) else {
            return Ok(None);
        };
        let row = match listed.names.key(&copy) {
            Some(key) => {
                on_pool(self.task, {
                    let store = self.task.stages.store.clone();
                    move || store.copy(&key)
                })
                .await?
            }
            None => None,
        };
        let Some(traits) = row.and_then(|row| row.traits) else {
            return Ok(None);
        };
        let announced = Announced {
            copy: copy.clone(),
            size: traits.size,
            facts: None,
        };
        let mut came = None;
        let mut keep = |fetched: Fetched| came = Some((header_digests(&fetched.bytes), fetched.internal_date));
        fetch_headers(&self.task.cancel, session, &[announced], &mut keep).await?;
        self.task.pulse.beat();
        let other = came.is_some_and(|(header, date)| {
            !header.contains(&traits.header) || (date.is_some() && traits.date.is_some() && date != traits.date)
        });
        Ok(other.then_some(copy))
    }

    /// Of copies that are done, those of another size or date, and those of which neither was noted.
    async fn narrowed(
        &self,
        session: &mut Session,
        listed: &Listed<'_>,
        done: &RoaringBitmap,
    ) -> Result<Vec<CopyRef>, CollectError> {
        let mut other = Vec::new();
        let mut places = done.iter();
        loop {
            let copies: Vec<CopyRef> = places
                .by_ref()
                .take(SIZES)
                .filter_map(|place| listed.listing.at(place))
                .collect();
            if copies.is_empty() {
                return Ok(other);
            }
            let (store, names, asked) = (self.task.stages.store.clone(), listed.names.clone(), copies.clone());
            let rows = on_pool(self.task, move || rows(&store, &names, asked)).await?;
            let known: HashMap<CopyRef, DoneCopy> = rows.into_iter().map(|row| (row.copy.clone(), row)).collect();
            let announced = unless_cancelled(&self.task.cancel, session.sizes(&copies, true)).await?;
            self.task.pulse.beat();
            other.extend(
                announced
                    .into_iter()
                    .filter(|one| is_other(one, &known))
                    .map(|one| one.copy),
            );
        }
    }

    /// The copies whose headers are to be compared in this run because it is time, the next of those that are done.
    fn due_for_recheck(
        &self,
        listed: &Listed<'_>,
        done: &RoaringBitmap,
        now: i64,
        seen: &mut Sighting,
    ) -> RoaringBitmap {
        let due = match self.task.profile.recheck {
            Recheck::Every(span) => now.saturating_sub(seen.recheck_began) as u64 >= span.0.as_secs(),
            Recheck::Never => false,
        };
        if due && seen.rechecked_to.is_none() {
            (seen.recheck_began, seen.rechecked_to) = (now, Some(0));
        }
        let Some(from) = seen.rechecked_to else {
            return RoaringBitmap::new();
        };
        let mut ahead: Vec<(UidlDigest, u32)> = match &**listed.listing {
            Listing::Pop3(mailbox) => {
                let digest = |place: u32| Some((uidl_digest(mailbox.uidl(place as usize)?), place));
                done.iter()
                    .filter_map(digest)
                    .filter(|(digest, _)| *digest >= from)
                    .collect()
            }
            _ => {
                let uids = done.range(u32::try_from(from).unwrap_or(u32::MAX)..);
                uids.take(RECHECKED + 1).map(|uid| (uid.into(), uid)).collect()
            }
        };
        ahead.sort_unstable();
        seen.rechecked_to = ahead.get(RECHECKED).map(|(next, _)| *next);
        ahead.truncate(RECHECKED);
        ahead.into_iter().map(|(_, place)| place).collect()
    }

    fn tell_reused(&mut self, listed: &Listed<'_>, sign: Sign, copies: usize) {
        let notice = notice(&listed.opened.name, sign.words(), copies);
        self.progress.notices.push(notice);
    }

    /// Copies that are not done any more.
    async fn reopen(
        &mut self,
        listed: &Listed<'_>,
        copies: Vec<CopyRef>,
        sorted: &mut Sorted,
    ) -> Result<(), CollectError> {
        if copies.is_empty() {
            return Ok(());
        }
        let keys = copies.iter().filter_map(|copy| listed.names.key(copy)).collect();
        self.task.stages.committer.reopen(keys).await?;
        let places = listed.listing.places_of(&copies);
        sorted.open |= &places;
        sorted.done -= &places;
        self.progress.reopened += copies.len() as u64;
        Ok(())
    }
}

/// What is said where names were given a second time.
pub(super) fn notice(folder: &str, sign: Said, copies: usize) -> Said {
    let copies = match copies {
        0 => said!(NoneAffected, "none of the copies that are still there is affected"),
        1 => said!(CountAsNew, "{0} copy counts as new and is fetched again", copies),
        _ => said!(CountAsNew, "{0} copies count as new and are fetched again", copies),
    };
    said!(
        NamesReused,
        "{0}: {1}; was the mailbox restored from a backup, or created again? {2}",
        folder,
        sign,
        copies
    )
}

fn is_other(announced: &Announced, known: &HashMap<CopyRef, DoneCopy>) -> bool {
    let Some(done) = known.get(&announced.copy) else {
        return false;
    };
    let date = announced.facts.as_ref().and_then(|facts| facts.date);
    match done.row.traits {
        Some(traits) => {
            traits.size != announced.size || (date.is_some() && traits.date.is_some() && date != traits.date)
        }
        None => true,
    }
}
