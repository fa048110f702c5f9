//! The cursor: which copies of a folder are still open. Pure.

use std::collections::{HashMap, HashSet};

use roaring::RoaringBitmap;

use crate::{archive::CopyKey, source::CopyRef};

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
        uidls: HashSet<[u8; 32]>,
    },
}

/// A copy to look at, and the name by which it will be done. A copy without one is looked at in every
/// run: it came without UIDL, or shares its UIDL with another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenCopy {
    pub copy: CopyRef,
    pub key: Option<CopyKey>,
}

impl Done {
    fn key(&self, copy: &CopyRef) -> Option<CopyKey> {
        match (self, copy) {
            (
                Self::Imap {
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
            (Self::Pop3 { source, .. }, CopyRef::Uidl { uidl, .. }) => Some(CopyKey::uidl(*source, uidl)),
            _ => None,
        }
    }

    fn contains(&self, key: &CopyKey) -> bool {
        match (self, key) {
            (Self::Imap { uids, .. }, CopyKey::Imap { uid, .. }) => uids.contains(*uid),
            (Self::Pop3 { uidls, .. }, CopyKey::Pop3 { uidl, .. }) => uidls.contains(uidl),
            _ => false,
        }
    }

    /// The copies of `listing` that are not done, in its order. A UIDL that stands in it twice names
    /// no copy (RFC 1939 forbids it, servers do it), so both are open, always.
    pub fn open_copies(&self, listing: Vec<CopyRef>) -> Vec<OpenCopy> {
        let mut times: HashMap<CopyKey, u32> = HashMap::new();
        if matches!(self, Self::Pop3 { .. }) {
            listing
                .iter()
                .filter_map(|copy| self.key(copy))
                .for_each(|key| *times.entry(key).or_default() += 1);
        }
        let open = listing.into_iter().filter_map(|copy| {
            let key = self
                .key(&copy)
                .filter(|key| times.get(key).is_none_or(|times| *times == 1));
            let done = key.as_ref().is_some_and(|key| self.contains(key));
            (!done).then_some(OpenCopy { copy, key })
        });
        open.collect()
    }

    /// After a complete POP3 listing: the UIDLs that still stand, where some that are done do
    /// not. Those are forgotten, because servers use them again.
    pub fn standing_if_some_are_gone(&self, listing: &[CopyRef]) -> Option<(u32, HashSet<[u8; 32]>)> {
        let Self::Pop3 { source, uidls } = self else {
            return None;
        };
        let standing: HashSet<[u8; 32]> = listing
            .iter()
            .filter_map(|copy| match self.key(copy) {
                Some(CopyKey::Pop3 { uidl, .. }) => Some(uidl),
                _ => None,
            })
            .collect();
        (!uidls.is_subset(&standing)).then_some((*source, standing))
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

    fn digest(text: &str) -> [u8; 32] {
        *blake3::hash(text.as_bytes()).as_bytes()
    }

    #[test]
    fn what_is_done_is_not_looked_at_again() {
        let done = Done::Imap {
            source: 1,
            folder: 2,
            uidvalidity: 3,
            uids: [4, 6].into_iter().collect(),
        };
        let open = done.open_copies([4, 5, 6, 7].map(CopyRef::Uid).to_vec());
        assert_eq!(
            open.iter().map(|open| open.copy.clone()).collect::<Vec<_>>(),
            [5, 7].map(CopyRef::Uid)
        );
        assert_eq!(
            open[0].key,
            Some(CopyKey::Imap {
                source: 1,
                folder: 2,
                uidvalidity: 3,
                uid: 5
            })
        );
    }

    #[test]
    fn a_uidl_twice_in_one_listing_is_fetched_twice_and_never_done() {
        let done = Done::Pop3 {
            source: 1,
            uidls: [digest("a"), digest("b")].into(),
        };
        let open = done.open_copies(vec![uidl(1, "a"), uidl(2, "b"), uidl(3, "b"), uidl(4, "c")]);
        assert_eq!(
            open.iter().map(|open| open.copy.clone()).collect::<Vec<_>>(),
            [uidl(2, "b"), uidl(3, "b"), uidl(4, "c")]
        );
        assert_eq!(
            open.iter().map(|open| open.key.is_some()).collect::<Vec<_>>(),
            [false, false, true]
        );
    }

    #[test]
    fn without_uidl_every_copy_is_open() {
        let done = Done::Pop3 {
            source: 1,
            uidls: HashSet::new(),
        };
        let open = done.open_copies(vec![CopyRef::Number(1)]);
        assert_eq!(
            open,
            [OpenCopy {
                copy: CopyRef::Number(1),
                key: None
            }]
        );
    }

    #[test]
    fn uidls_that_are_gone_are_noticed() {
        let done = Done::Pop3 {
            source: 1,
            uidls: [digest("a"), digest("b")].into(),
        };
        assert!(
            done.standing_if_some_are_gone(&[uidl(1, "a"), uidl(2, "b"), uidl(3, "c")])
                .is_none()
        );
        let (_, standing) = done.standing_if_some_are_gone(&[uidl(1, "b")]).unwrap();
        assert_eq!(standing, [digest("b")].into());
    }
}
