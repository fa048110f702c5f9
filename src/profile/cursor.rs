//! The cursor: which copies of a folder are still open. Pure.

use std::collections::HashSet;

use roaring::RoaringBitmap;

use crate::{
    archive::{CopyKey, UidlDigest, uidl_digest},
    source::CopyRef,
};

/// What of a folder is done.
pub enum Done {
    Imap {
        source: u32,
        folder: u32,
        uidvalidity: u32,
        uids: RoaringBitmap,
    },
    Pop3 {
        source: u32,
        uidls: HashSet<UidlDigest>,
    },
    /// An import: its copies have no names that last, so none is ever done.
    Nothing,
}

/// What of a folder is done, beside what stands in it.
pub struct Cursor {
    done: Done,
    /// UIDLs that stand twice in the listing. They name no copy (RFC 1939 forbids it, servers do it), so such
    /// copies are open, always.
    repeated: HashSet<UidlDigest>,
    /// POP3: the UIDLs in the listing, where some that are done are not among them.
    standing: Option<HashSet<UidlDigest>>,
}

fn digest(uidl: &str) -> UidlDigest {
    uidl_digest(blake3::hash(uidl.as_bytes()).as_bytes())
}

impl Cursor {
    /// The cursor over a complete `listing`.
    pub fn new(done: Done, listing: &[CopyRef]) -> Self {
        let mut standing = HashSet::new();
        let mut repeated = HashSet::new();
        if let Done::Pop3 { .. } = done {
            for copy in listing {
                if let CopyRef::Uidl { uidl, .. } = copy
                    && !standing.insert(digest(uidl))
                {
                    repeated.insert(digest(uidl));
                }
            }
        }
        let gone = matches!(&done, Done::Pop3 { uidls, .. } if !uidls.is_subset(&standing));
        Self {
            done,
            repeated,
            standing: gone.then_some(standing),
        }
    }

    /// By which name a copy will be done. One without a name is looked at in every run: it came without UIDL,
    /// or shares its UIDL with another.
    pub fn key(&self, copy: &CopyRef) -> Option<CopyKey> {
        match (&self.done, copy) {
            (
                Done::Imap {
                    source,
                    folder,
                    uidvalidity,
                    ..
                },
                CopyRef::Uid(uid),
            ) => {
                let (source, folder, uidvalidity) = (*source, *folder, *uidvalidity);
                Some(CopyKey::Imap {
                    source,
                    folder,
                    uidvalidity,
                    uid: *uid,
                })
            }
            (Done::Pop3 { source, .. }, CopyRef::Uidl { uidl, .. }) if !self.repeated.contains(&digest(uidl)) => {
                Some(CopyKey::uidl(*source, uidl))
            }
            _ => None,
        }
    }

    /// Whether a copy is still to be looked at.
    pub fn is_open(&self, copy: &CopyRef) -> bool {
        match (&self.done, copy) {
            (Done::Imap { uids, .. }, CopyRef::Uid(uid)) => !uids.contains(*uid),
            (Done::Pop3 { uidls, .. }, CopyRef::Uidl { uidl, .. }) => {
                let digest = digest(uidl);
                !uidls.contains(&digest) || self.repeated.contains(&digest)
            }
            _ => true,
        }
    }

    /// After a complete POP3 listing: the source and the UIDLs that still stand, where some that are done do
    /// not. Those are forgotten, because servers use them again.
    pub fn take_standing(&mut self) -> Option<(u32, HashSet<UidlDigest>)> {
        match self.done {
            Done::Pop3 { source, .. } => self.standing.take().map(|standing| (source, standing)),
            Done::Imap { .. } | Done::Nothing => None,
        }
    }
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

    fn pop3(done: &[&str], listing: &[CopyRef]) -> Cursor {
        let uidls = done.iter().map(|uidl| digest(uidl)).collect();
        Cursor::new(Done::Pop3 { source: 1, uidls }, listing)
    }

    fn open(cursor: &Cursor, listing: &[CopyRef]) -> Vec<CopyRef> {
        listing.iter().filter(|copy| cursor.is_open(copy)).cloned().collect()
    }

    #[test]
    fn what_is_done_is_not_looked_at_again() {
        let uids = [4, 6].into_iter().collect();
        let done = Done::Imap {
            source: 1,
            folder: 2,
            uidvalidity: 3,
            uids,
        };
        let listing = [4, 5, 6, 7].map(CopyRef::Uid);
        let cursor = Cursor::new(done, &listing);
        assert_eq!(open(&cursor, &listing), [5, 7].map(CopyRef::Uid));
        let key = CopyKey::Imap {
            source: 1,
            folder: 2,
            uidvalidity: 3,
            uid: 5,
        };
        assert_eq!(cursor.key(&CopyRef::Uid(5)), Some(key));
    }

    #[test]
    fn a_uidl_twice_in_one_listing_is_fetched_twice_and_never_done() {
        let listing = [uidl(1, "a"), uidl(2, "b"), uidl(3, "b"), uidl(4, "c")];
        let cursor = pop3(&["a", "b"], &listing);
        let open = open(&cursor, &listing);
        assert_eq!(open, [uidl(2, "b"), uidl(3, "b"), uidl(4, "c")]);
        let named: Vec<bool> = open.iter().map(|copy| cursor.key(copy).is_some()).collect();
        assert_eq!(named, [false, false, true]);
    }

    #[test]
    fn without_uidl_every_copy_is_open() {
        let listing = [CopyRef::Number(1)];
        let cursor = pop3(&[], &listing);
        assert!(cursor.is_open(&listing[0]));
        assert_eq!(cursor.key(&listing[0]), None);
    }

    #[test]
    fn uidls_that_are_gone_are_noticed() {
        let all = [uidl(1, "a"), uidl(2, "b"), uidl(3, "c")];
        assert!(pop3(&["a", "b"], &all).take_standing().is_none());
        let standing = pop3(&["a", "b"], &[uidl(1, "b")]).take_standing();
        assert_eq!(standing, Some((1, [digest("b")].into())));
    }
}
