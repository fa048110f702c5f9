//! Whether a server still means the same message by a name that is done.
//!
//! No name lasts for ever: a mailbox that was restored from a backup keeps its UIDVALIDITY and gives the UIDs of what
//! it lost to other mail, and POP3 servers make UIDLs from numbers or a few header fields. So a copy that is about to
//! be deleted is shown to be the message in the archive, by its size, its date and its whole header, or by its bytes;
//! and what a listing shows about names that were given twice is looked into.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

use super::{
    aside::too_large as too_large_to_fetch,
    collect_error::{CollectError, is_refusal, unless_cancelled},
    cursor::Names,
    fetcher::fetch_headers,
    shortfall,
    task::Task,
    windows::{HEADER_BYTES, WINDOW_BYTES, windows},
};
use crate::{
    archive::{Copy, CopyKey, Named, Retrieval, Seconds, Store, StoreError, Traits},
    identify::{HeaderDigest, header_digest, header_digests},
    said::{Said, Say, said},
    source::{Announced, CopyRef, Fetched, Session, Unfetched, Want, is_of_stand_in, stand_in},
};

/// Copies that are looked up, read back and compared at once.
pub(super) const BATCH: usize = 500;

/// A copy that is done.
#[derive(Clone, Debug)]
pub struct DoneCopy {
    pub copy: CopyRef,
    pub key: CopyKey,
    pub row: Copy,
}

/// A copy that is done, and by what it is known again. What is `None` nobody noted.
#[derive(Clone, Debug)]
pub(super) struct Known {
    copy: CopyRef,
    key: CopyKey,
    size: Option<u64>,
    date: Option<Seconds>,
    header: Option<HeaderDigest>,
    /// Less came of it than was announced.
    short: bool,
    /// Of the bytes that were fetched.
    sha256: [u8; 32],
    /// Its traits are in its row.
    noted: bool,
}

impl Known {
    /// From its row, and from the archive where the row does not say enough. `read_back`: the archive is read in any
    /// case, and must have it. In words, why it is not to be relied on.
    fn of(
        store: &Store,
        retrieval: &mut Retrieval,
        done: DoneCopy,
        read_back: bool,
    ) -> Result<Result<Self, (CopyRef, Said)>, StoreError> {
        let DoneCopy { copy, key, row } = done;
        let vouched = match read_back || row.traits.is_none() {
            true => match retrieval.vouch(store, &row)? {
                Ok(vouched) => Some(vouched),
                Err(why) => return Ok(Err((copy, why.into()))),
            },
            false => None,
        };
        let sha256 = match (row.fetched, &vouched) {
            (Some(fetched), _) => fetched,
            (None, Some(vouched)) => vouched.fetched,
            (None, None) => match store.message(row.message)? {
                Some(message) => message.sha256,
                None => {
                    let why = said!(
                        KeptIsMissing,
                        "message {0}, as which it was archived, is missing",
                        row.message.to_string()
                    );
                    return Ok(Err((copy, why)));
                }
            },
        };
        let known = match (row.traits, vouched) {
            (Some(traits), vouched) => Self {
                copy,
                key,
                size: Some(traits.size),
                date: traits.date,
                // Where the archive has another message there, all of it is compared.
                header: Some(traits.header).filter(|header| {
                    let kept = vouched.and_then(|vouched| vouched.headers);
                    kept.is_none_or(|kept| kept.contains(header))
                }),
                short: traits.short,
                sha256,
                noted: true,
            },
            (None, vouched) => Self {
                copy,
                key,
                size: vouched.as_ref().and_then(|vouched| vouched.size),
                date: None,
                header: vouched.and_then(|vouched| vouched.headers).map(|[header, _]| header),
                short: false,
                sha256,
                noted: false,
            },
        };
        Ok(Ok(known))
    }

    /// Whether what the server says of a copy is what it said then.
    fn is_like(&self, announced: &Announced) -> bool {
        let date = announced.facts.as_ref().and_then(|facts| facts.date);
        let same_date = self.date.is_none() || date.is_none() || self.date == date;
        self.size == Some(announced.size) && same_date
    }
}

/// What was found of copies that are done.
#[derive(Default)]
pub(super) struct Recognised {
    /// What they were.
    pub same: Vec<CopyRef>,
    /// Other messages, under the names of what was archived.
    pub other: Vec<(CopyRef, CopyKey)>,
    /// The same, or perhaps not, and \Flagged.
    pub flagged: HashSet<CopyRef>,
    /// What they were, and less of them came than the server announces.
    pub short: Vec<CopyRef>,
    /// Those of which it could not be found out, and why. What is gone meanwhile is nowhere.
    pub undecided: Vec<(CopyRef, Said)>,
    /// What was learnt of those that are the same.
    traits: Vec<Named>,
}

/// The rows of copies, where they are done.
///
/// # Errors
/// The catalog cannot be read.
pub(super) fn rows(store: &Store, names: &Names, copies: Vec<CopyRef>) -> Result<Vec<DoneCopy>, StoreError> {
    let named: Vec<(CopyRef, CopyKey)> = copies
        .into_iter()
        .filter_map(|copy| names.key(&copy).map(|key| (copy, key)))
        .collect();
    let keys: Vec<CopyKey> = named.iter().map(|(_, key)| *key).collect();
    let rows = named.into_iter().zip(store.copies(&keys)?);
    let done = rows.filter_map(|((copy, key), row)| row.map(|row| DoneCopy { copy, key, row }));
    Ok(done.collect())
}

/// Runs on the pool what reads the store.
pub(super) async fn on_pool<T: Send + 'static>(
    task: &Task,
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, CollectError> {
    let done = task.stages.pool.run(work).await;
    Ok(done.map_err(|_| CollectError::Profile)??)
}

/// Holds copies that are done against what the server has now. `for_deletion`: the archive is read too, a copy that it
/// cannot give back is undecided, and what is \Flagged is put aside.
///
/// # Errors
/// The connection is lost, the store fails, or the run was interrupted.
pub(super) async fn recognise(
    task: &Task,
    session: &mut Session,
    done: Vec<DoneCopy>,
    for_deletion: bool,
) -> Result<Recognised, CollectError> {
    let mut found = Recognised::default();
    let store = task.stages.store.clone();
    let known = on_pool(task, move || {
        let mut retrieval = Retrieval::anew(&store);
        let known = |copy| Known::of(&store, &mut retrieval, copy, for_deletion);
        done.into_iter().map(known).collect::<Result<Vec<_>, _>>()
    })
    .await?;
    task.pulse.beat();
    let mut asked = HashMap::with_capacity(known.len());
    for known in known {
        match known {
            Ok(known) => drop(asked.insert(known.copy.clone(), known)),
            Err(undecided) => found.undecided.push(undecided),
        }
    }
    let copies: Vec<CopyRef> = asked.keys().cloned().collect();
    let announced = unless_cancelled(&task.cancel, session.sizes(&copies, true)).await?;
    if announced.len() < copies.len() {
        let told: HashSet<&CopyRef> = announced.iter().map(|one| &one.copy).collect();
        let silent = copies.iter().filter(|copy| !told.contains(copy)).cloned().collect();
        let listing = unless_cancelled(&task.cancel, session.listing()).await?;
        // What a listing lacks that leaves some out is not gone for that.
        let standing = match session.take_unclear() {
            Some(_) => silent,
            None => listing.among(&silent),
        };
        for copy in standing {
            found.undecided.push((copy, "the server does not say its size".into()));
        }
    }
    let flagged = announced.iter().filter(|one| for_deletion && one.is_flagged());
    found.flagged = flagged.map(|one| one.copy.clone()).collect();
    // Of what is short more may come now. What is to be deleted needs more than that.
    let short = |one: &Announced| asked[&one.copy].short;
    found.short = match for_deletion {
        true => announced
            .iter()
            .filter(|one| short(one))
            .map(|one| one.copy.clone())
            .collect(),
        false => Vec::new(),
    };
    let compares = |one: &Announced| session.can_fetch_headers() && asked[&one.copy].header.is_some() && !short(one);
    let (by_header, whole): (Vec<_>, Vec<_>) = announced
        .into_iter()
        .filter(|one| !found.flagged.contains(&one.copy) && !found.short.contains(&one.copy))
        .partition(|one| asked[&one.copy].is_like(one) && compares(one));
    let (unlike, headers) = by_headers(task, session, &asked, by_header, &mut found).await?;
    by_bytes(task, session, &asked, [unlike, whole].concat(), &headers, &mut found).await?;
    if !found.traits.is_empty() {
        task.stages
            .committer
            .put_traits(std::mem::take(&mut found.traits))
            .await?;
    }
    Ok(found)
}

/// Compares headers. Gives those whose header is another one or did not come, and the digests of headers that came.
async fn by_headers(
    task: &Task,
    session: &mut Session,
    asked: &HashMap<CopyRef, Known>,
    copies: Vec<Announced>,
    found: &mut Recognised,
) -> Result<(Vec<Announced>, HashMap<CopyRef, [HeaderDigest; 2]>), CollectError> {
    let mut unlike = Vec::new();
    let mut digests = HashMap::new();
    for window in windows(copies, WINDOW_BYTES, |one| one.size.min(HEADER_BYTES)) {
        let _share = task.share(window.iter().map(|one| one.size.min(HEADER_BYTES))).await?;
        let mut keep = |fetched: Fetched| {
            task.pulse.beat();
            // It may be the one that was taken for a message once.
            if !is_of_stand_in(&fetched.bytes) {
                digests.insert(fetched.copy, header_digests(&fetched.bytes));
            }
        };
        fetch_headers(&task.cancel, session, &window, &mut keep).await?;
        for one in window {
            let known = &asked[&one.copy];
            let came = digests.get(&one.copy);
            match known
                .header
                .filter(|header| came.is_some_and(|came| came.contains(header)))
            {
                Some(header) => found.is_same(known, &one, header, false),
                None => unlike.push(one),
            }
        }
    }
    Ok((unlike, digests))
}

/// Compares whole messages.
async fn by_bytes(
    task: &Task,
    session: &mut Session,
    asked: &HashMap<CopyRef, Known>,
    copies: Vec<Announced>,
    headers: &HashMap<CopyRef, [HeaderDigest; 2]>,
    found: &mut Recognised,
) -> Result<(), CollectError> {
    let largest = task.stages.max_message_size;
    let (copies, too_large): (Vec<_>, Vec<_>) = copies.into_iter().partition(|one| one.size <= largest);
    for one in too_large {
        let known = &asked[&one.copy];
        match known.size.is_some_and(|size| size != one.size) {
            // Something else: so large a message is not fetched to see that.
            true => found.other.push((one.copy, known.key)),
            false => found.undecided.push((one.copy, too_large_to_fetch(one.size, largest))),
        }
    }
    let most = WINDOW_BYTES.min(task.stages.budget.bytes() / 4);
    for window in windows(copies, most, |one| one.size) {
        let _share = task.share(window.iter().map(|one| one.size)).await?;
        let mut came = HashMap::with_capacity(window.len());
        let sizes: HashMap<CopyRef, u64> = window.iter().map(|one| (one.copy.clone(), one.size)).collect();
        let mut compare = |fetched: Fetched| {
            task.pulse.beat();
            let is_same = |known: &Known| Sha256::digest(&fetched.bytes)[..] == known.sha256;
            let same = stand_in(&fetched.bytes).is_none() && asked.get(&fetched.copy).is_some_and(is_same);
            let header = headers.get(&fetched.copy).map(|[header, _]| *header);
            let header = header.unwrap_or_else(|| header_digest(&fetched.bytes));
            let announced = sizes.get(&fetched.copy).copied().unwrap_or_default();
            let short = shortfall::is_less(&fetched.bytes, announced);
            came.insert(fetched.copy, (same, header, short));
        };
        let fetched = unless_cancelled(&task.cancel, session.fetch(&window, Want::Whole, &mut compare)).await;
        let refused = match fetched {
            Ok(unfetched) => unfetched,
            Err(CollectError::Source(error)) if is_refusal(&error) => {
                let left = window.iter().filter(|one| !came.contains_key(&one.copy));
                found.undecided.extend(left.map(|one| (one.copy.clone(), error.said())));
                Vec::new()
            }
            Err(error) => return Err(error),
        };
        for one in window {
            let known = &asked[&one.copy];
            match came.get(&one.copy) {
                Some((true, header, short)) => found.is_same(known, &one, *header, *short),
                Some((false, ..)) => found.other.push((one.copy, known.key)),
                None => {}
            }
        }
        let why = said!(NotSentAgain, "the server did not send it again for comparison");
        found
            .undecided
            .extend(refused.into_iter().map(|Unfetched { copy, .. }| (copy, why.clone())));
    }
    Ok(())
}

impl Recognised {
    /// The same message; notes its traits as they are now, where the row has none or others.
    fn is_same(&mut self, known: &Known, announced: &Announced, header: HeaderDigest, short: bool) {
        let date = announced.facts.as_ref().and_then(|facts| facts.date);
        let traits = Traits {
            size: announced.size,
            date: date.or(known.date),
            header,
            short,
        };
        if !known.noted || !known.is_like(announced) || known.header != Some(header) || known.short != short {
            self.traits.push(Named { key: known.key, traits });
        }
        match short {
            true => self.short.push(known.copy.clone()),
            false => self.same.push(known.copy.clone()),
        }
    }
}
