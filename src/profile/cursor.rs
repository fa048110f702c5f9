//! The cursor: which copies of a folder are still open, and by which names they will be done. Pure.

use roaring::RoaringBitmap;

use crate::{
    archive::{CopyKey, FolderNumber, SourceNumber, UidlDigest, uidl_digest},
    source::{CopyRef, Listing, Mailbox},
};

/// By which names the copies of a folder are done.
#[derive(Clone, Debug)]
pub enum Names {
    Imap {
        source: SourceNumber,
        folder: FolderNumber,
        uidvalidity: u32,
        /// UIDs that the server gives to more than one message. They name no copy.
        ambiguous: RoaringBitmap,
    },
    Pop3 {
        source: SourceNumber,
        /// UIDLs that stand twice in the listing, ascending. They name no copy (RFC 1939 forbids it, servers do it), so
        /// such copies are open, always.
        repeated: Vec<UidlDigest>,
    },
    /// Of an import: its copies have no names that last, so none is ever done.
    None,
}

/// What of a folder is done.
pub enum Done {
    /// UIDs.
    Imap(RoaringBitmap),
    /// UIDLs, ascending, and the sizes that were announced for them, where that was noted.
    Pop3(Vec<(UidlDigest, Option<u64>)>),
    Nothing,
}

/// The copies of a listing by what is to be done about them; all are places in it.
#[derive(Debug, Default, PartialEq)]
pub struct Sorted {
    /// Still to be looked at.
    pub open: RoaringBitmap,
    pub done: RoaringBitmap,
    /// Done by their names, and of another size than what was done under them.
    pub resized: RoaringBitmap,
    /// POP3: the UIDLs that stand, ascending, where some that are done do not. Those are forgotten, because servers use
    /// them again.
    pub standing: Option<Vec<UidlDigest>>,
}

/// The UIDLs of a mailbox, ascending.
fn digests(mailbox: &Mailbox) -> Vec<UidlDigest> {
    let mut digests: Vec<UidlDigest> = (0..mailbox.len())
        .filter_map(|at| mailbox.uidl(at))
        .map(uidl_digest)
        .collect();
    digests.sort_unstable();
    digests
}

impl Names {
    /// The names in a complete `listing` of a folder, by its number; of the source with this number.
    pub fn new(
        source: Option<SourceNumber>,
        folder: FolderNumber,
        uidvalidity: Option<u32>,
        listing: &Listing,
    ) -> Self {
        match (source, listing) {
            (Some(source), Listing::Uids { ambiguous, .. }) => Self::Imap {
                source,
                folder,
                uidvalidity: uidvalidity.unwrap_or_default(),
                ambiguous: ambiguous.clone(),
            },
            (Some(source), Listing::Pop3(mailbox)) => {
                let mut repeated = digests(mailbox);
                let mut last = None;
                // What is like the one before it stays.
                repeated.retain(|digest| last.replace(*digest) == Some(*digest));
                repeated.dedup();
                Self::Pop3 { source, repeated }
            }
            _ => Self::None,
        }
    }

    /// By which name a copy will be done. One without a name is looked at in every run: it came without UIDL,
    /// or shares its name with another.
    pub fn key(&self, copy: &CopyRef) -> Option<CopyKey> {
        match (self, copy) {
            (
                Self::Imap {
                    source,
                    folder,
                    uidvalidity,
                    ambiguous,
                },
                CopyRef::Uid(uid),
            ) if !ambiguous.contains(*uid) => Some(CopyKey::Imap {
                source: *source,
                folder: *folder,
                uidvalidity: *uidvalidity,
                uid: *uid,
            }),
            (Self::Pop3 { source, repeated }, CopyRef::Uidl { uidl, .. })
                if repeated.binary_search(&uidl_digest(uidl)).is_err() =>
            {
                Some(CopyKey::uidl(*source, uidl))
            }
            _ => None,
        }
    }
}

impl Done {
    /// Whether a copy is done by its name.
    pub fn has(&self, copy: &CopyRef, names: &Names) -> bool {
        match (self, copy, names.key(copy)) {
            (Self::Imap(uids), CopyRef::Uid(uid), Some(_)) => uids.contains(*uid),
            (Self::Pop3(done), CopyRef::Uidl { uidl, .. }, Some(_)) => done
                .binary_search_by_key(&uidl_digest(uidl), |(digest, _)| *digest)
                .is_ok(),
            _ => false,
        }
    }

    /// Sorts a complete listing by which copies of it are done. UIDs that name more than one message are in neither
    /// set.
    pub fn sort(&self, listing: &Listing, names: &Names) -> Sorted {
        match (self, listing) {
            (Self::Imap(uids), Listing::Uids { standing, .. }) => Sorted {
                open: standing - uids,
                done: standing & uids,
                ..Sorted::default()
            },
            (Self::Pop3(done), Listing::Pop3(mailbox)) => sort_mailbox(done, mailbox, names),
            _ => Sorted {
                open: listing.places().collect(),
                ..Sorted::default()
            },
        }
    }
}

fn sort_mailbox(done: &[(UidlDigest, Option<u64>)], mailbox: &Mailbox, names: &Names) -> Sorted {
    let mut sorted = Sorted::default();
    let repeated = match names {
        Names::Pop3 { repeated, .. } => &repeated[..],
        _ => &[],
    };
    for place in 0..mailbox.len() as u32 {
        let at = place as usize;
        let known = mailbox.uidl(at).map(uidl_digest).and_then(|digest| {
            let known = done.binary_search_by_key(&digest, |(digest, _)| *digest).ok()?;
            repeated.binary_search(&digest).is_err().then_some(done[known].1)
        });
        match known {
            None => drop(sorted.open.insert(place)),
            Some(Some(size)) if mailbox.size(at).is_some_and(|now| now != size) => drop(sorted.resized.insert(place)),
            Some(_) => drop(sorted.done.insert(place)),
        }
    }
    // A name that a listing lacks may be that of a message which it does not name.
    if mailbox.are_all_named() {
        let standing = digests(mailbox);
        let gone = done.iter().any(|(digest, _)| standing.binary_search(digest).is_err());
        sorted.standing = gone.then_some(standing);
    }
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uidl(number: u32, uidl: &str) -> CopyRef {
        CopyRef::Uidl {
            number,
            uidl: uidl.into(),
        }
    }

    fn sorted(done: &[&str], copies: &[CopyRef]) -> (Names, Listing, Sorted) {
        let mut done: Vec<_> = done.iter().map(|uidl| (uidl_digest(uidl), None)).collect();
        done.sort_unstable();
        let listing = Listing::of(copies);
        let names = Names::new(Some(SourceNumber(1)), FolderNumber(1), None, &listing);
        let sorted = Done::Pop3(done).sort(&listing, &names);
        (names, listing, sorted)
    }

    fn copies(listing: &Listing, places: &RoaringBitmap) -> Vec<CopyRef> {
        places.iter().filter_map(|place| listing.at(place)).collect()
    }

    #[test]
    fn what_is_done_is_not_looked_at_again() {
        let listing = Listing::of(&[4, 5, 6, 7].map(CopyRef::Uid));
        let names = Names::new(Some(SourceNumber(1)), FolderNumber(2), Some(3), &listing);
        let sorted = Done::Imap([4, 6].into_iter().collect()).sort(&listing, &names);
        assert_eq!(copies(&listing, &sorted.open), [5, 7].map(CopyRef::Uid));
        assert_eq!(copies(&listing, &sorted.done), [4, 6].map(CopyRef::Uid));
        let key = CopyKey::Imap {
            source: SourceNumber(1),
            folder: FolderNumber(2),
            uidvalidity: 3,
            uid: 5,
        };
        assert_eq!(names.key(&CopyRef::Uid(5)), Some(key));
    }

    #[test]
    fn a_uid_of_two_messages_names_neither() {
        let listing = Listing::Uids {
            standing: [1, 3].into_iter().collect(),
            ambiguous: [2].into_iter().collect(),
        };
        let names = Names::new(Some(SourceNumber(1)), FolderNumber(2), Some(3), &listing);
        let sorted = Done::Imap([2, 3].into_iter().collect()).sort(&listing, &names);
        assert_eq!(
            (sorted.open, sorted.done),
            ([1].into_iter().collect(), [3].into_iter().collect())
        );
        assert_eq!(names.key(&CopyRef::Uid(2)), None);
    }

    #[test]
    fn a_uidl_twice_in_one_listing_is_fetched_twice_and_never_done() {
        let all = [uidl(1, "a"), uidl(2, "b"), uidl(3, "b"), uidl(4, "c")];
        let (names, listing, sorted) = sorted(&["a", "b"], &all);
        let open = copies(&listing, &sorted.open);
        assert_eq!(open, [uidl(2, "b"), uidl(3, "b"), uidl(4, "c")]);
        let named: Vec<bool> = open.iter().map(|copy| names.key(copy).is_some()).collect();
        assert_eq!(named, [false, false, true]);
    }

    #[test]
    fn without_uidl_every_copy_is_open() {
        let (names, listing, sorted) = sorted(&[], &[CopyRef::Number(1)]);
        assert_eq!(copies(&listing, &sorted.open), [CopyRef::Number(1)]);
        assert_eq!(names.key(&CopyRef::Number(1)), None);
    }

    #[test]
    fn a_uidl_of_another_size_is_another_message() {
        let mailbox = Mailbox::sized(&[("a", 10), ("b", 20), ("c", 30)]);
        let listing = Listing::Pop3(mailbox.into());
        let names = Names::new(Some(SourceNumber(1)), FolderNumber(1), None, &listing);
        let mut done = vec![
            (uidl_digest("a"), Some(10)),
            (uidl_digest("b"), Some(21)),
            (uidl_digest("c"), None),
        ];
        done.sort_unstable();
        let sorted = Done::Pop3(done).sort(&listing, &names);
        assert_eq!(sorted.done, [0, 2].into_iter().collect());
        assert_eq!(sorted.resized, [1].into_iter().collect());
    }

    #[test]
    fn uidls_that_are_gone_are_noticed() {
        let all = [uidl(1, "a"), uidl(2, "b"), uidl(3, "c")];
        assert_eq!(sorted(&["a", "b"], &all).2.standing, None);
        let standing = sorted(&["a", "b"], &[uidl(1, "b")]).2.standing;
        assert_eq!(standing, Some(vec![uidl_digest("b")]));
    }
}
