//! The copies that stand in an opened folder, kept so small that a folder may have ten million.

use std::{collections::HashSet, sync::Arc};

use roaring::RoaringBitmap;

use super::{CopyRef, pop3::Mailbox};

/// Every copy that stands in a folder, in the server's order.
#[derive(Debug)]
pub enum Listing {
    /// IMAP: UIDs; and, not among them, those that the server gives to more than one message.
    Uids {
        standing: RoaringBitmap,
        ambiguous: RoaringBitmap,
    },
    Pop3(Arc<Mailbox>),
    /// The files of a folder, and the messages of an mbox.
    Files(Vec<CopyRef>),
}

impl Listing {
    /// How many copies there are.
    pub fn len(&self) -> u64 {
        match self {
            Self::Uids { standing, .. } => standing.len(),
            Self::Pop3(mailbox) => mailbox.len() as u64,
            Self::Files(copies) => copies.len() as u64,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The copies by their places, ascending: an IMAP copy's place is its UID, another's how many stand before it.
    pub fn places(&self) -> Box<dyn Iterator<Item = u32> + Send + '_> {
        match self {
            Self::Uids { standing, .. } => Box::new(standing.iter()),
            // More than fit a u32 there are not: a POP3 listing is bounded, and files have names in memory.
            Self::Pop3(mailbox) => Box::new(0..mailbox.len() as u32),
            Self::Files(copies) => Box::new(0..copies.len() as u32),
        }
    }

    /// The copy at one of the [`places`](Self::places); `None` at another.
    pub fn at(&self, place: u32) -> Option<CopyRef> {
        match self {
            Self::Uids { standing, .. } => standing.contains(place).then_some(CopyRef::Uid(place)),
            Self::Pop3(mailbox) => mailbox.copy(place as usize),
            Self::Files(copies) => copies.get(place as usize).cloned(),
        }
    }

    pub fn copies(&self) -> impl Iterator<Item = CopyRef> + Send + '_ {
        self.places().filter_map(|place| self.at(place))
    }

    /// The copies, so many at a time.
    pub fn chunks(&self, size: usize) -> impl Iterator<Item = Vec<CopyRef>> + Send + '_ {
        let mut copies = self.copies();
        std::iter::from_fn(move || {
            let chunk: Vec<CopyRef> = copies.by_ref().take(size).collect();
            (!chunk.is_empty()).then_some(chunk)
        })
    }

    /// The places of these copies.
    pub fn places_of(&self, copies: &[CopyRef]) -> RoaringBitmap {
        match self {
            Self::Uids { .. } => {
                let uid = |copy: &CopyRef| match copy {
                    CopyRef::Uid(uid) => Some(*uid),
                    _ => None,
                };
                copies.iter().filter_map(uid).collect()
            }
            _ => {
                let asked: HashSet<&CopyRef> = copies.iter().collect();
                let asked = |place: &u32| self.at(*place).is_some_and(|copy| asked.contains(&copy));
                self.places().filter(asked).collect()
            }
        }
    }

    /// Of these copies, those that stand here.
    pub fn among(&self, asked: &HashSet<CopyRef>) -> HashSet<CopyRef> {
        match self {
            Self::Uids { standing, ambiguous } => {
                // One whose name has become another's too is not gone.
                let stands = |copy: &&CopyRef| matches!(copy, CopyRef::Uid(uid) if standing.contains(*uid) || ambiguous.contains(*uid));
                asked.iter().filter(stands).cloned().collect()
            }
            _ => self.copies().filter(|copy| asked.contains(copy)).collect(),
        }
    }

    /// A listing of these copies, which are of one kind.
    #[cfg(test)]
    pub fn of(copies: &[CopyRef]) -> Self {
        let uid = |copy: &CopyRef| match copy {
            CopyRef::Uid(uid) => Some(*uid),
            _ => None,
        };
        match copies.first() {
            Some(CopyRef::File(_)) => Self::Files(copies.to_vec()),
            Some(CopyRef::Uidl { .. } | CopyRef::Number(_)) => Self::Pop3(Mailbox::of(copies).into()),
            Some(CopyRef::Uid(_)) | None => Self::Uids {
                standing: copies.iter().filter_map(uid).collect(),
                ambiguous: RoaringBitmap::new(),
            },
        }
    }
}

/// The copies of a listing that are still to be looked at.
#[derive(Clone, Debug)]
pub struct Open {
    pub listing: Arc<Listing>,
    /// Their places.
    pub left: RoaringBitmap,
}

impl Open {
    /// Takes off the first of them.
    pub fn cut(&mut self, most: usize) -> Vec<CopyRef> {
        let copies = self
            .left
            .iter()
            .take(most)
            .filter_map(|place| self.listing.at(place))
            .collect();
        self.left.remove_smallest(most as u64);
        copies
    }
}
