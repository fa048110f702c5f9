//! Which copies stand in the opened folder, and how large they are.

use std::{fmt::Write, ops::RangeInclusive};

use roaring::RoaringBitmap;

use super::{
    ImapSession,
    answer::{Answer, FetchLine},
    by_uid::ByUid,
    uid,
};
use crate::source::{Announced, CopyRef, Facts, Listing, SourceError};

/// Messages that one SEARCH asks for.
const SEARCHED_AT_ONCE: u32 = 5_000;

const SEARCH: &str = "SEARCH";

/// What an answer may say about one message found, or its size, in bytes.
pub(super) const PER_MESSAGE: u64 = 256;

/// The longest UID set in a command, in bytes; RFC 7162, 4, wants clients to keep within 8192.
const MAX_SET: usize = 7_500;

/// What is found of some message numbers.
#[derive(Default)]
struct Found {
    /// In the server's order, as often as it names them.
    uids: Vec<u32>,
    /// Messages that were expunged meanwhile.
    expunged: usize,
}

/// What a server says of a copy.
#[derive(Default)]
struct Said {
    size: Option<u64>,
    date: Option<i64>,
    flags: Option<Vec<String>>,
}

impl ImapSession {
    /// The UIDs in the opened folder.
    ///
    /// It is asked by message numbers from the highest downwards: when messages are expunged
    /// meanwhile, those above move down, into ranges that are still to be asked or were
    /// answered already, and none is missed.
    ///
    /// # Errors
    /// [`SourceError::Unclear`] where the answers leave messages out, or name more than there are.
    pub(in crate::source) async fn listing(&mut self) -> Result<Listing, SourceError> {
        let (mut standing, mut ambiguous) = (RoaringBitmap::new(), RoaringBitmap::new());
        self.dialogue.grown = false;
        self.dialogue.shrunk = false;
        self.unclear = None;
        let mut stays = true;
        let mut high = self.dialogue.exists;
        while high > 0 {
            let low = high.saturating_sub(SEARCHED_AT_ONCE - 1).max(1);
            let before = self.dialogue.exists;
            let found = self.search(low..=high, &mut ambiguous).await?;
            // Where a message went meanwhile, one that was found before may have moved down, and be found again.
            stays &= found.expunged == 0 && self.dialogue.exists >= before;
            for uid in found.uids {
                if !standing.insert(uid) && stays {
                    ambiguous.insert(uid);
                }
            }
            high = (low - 1).min(self.dialogue.exists);
        }
        if self.dialogue.shrunk {
            let detail = "the server says that the folder has fewer messages than before, and not which are gone; the \
                          next run looks again";
            self.unclear = Some(self.dialogue.unclear(SEARCH, detail));
        }
        standing -= &ambiguous;
        Ok(Listing::Uids { standing, ambiguous })
    }

    /// The UIDs of messages with these numbers, each once. Those that several of them have are ambiguous.
    async fn search(
        &mut self,
        numbers: RangeInclusive<u32>,
        ambiguous: &mut RoaringBitmap,
    ) -> Result<Found, SourceError> {
        let mut found = Found::default();
        let most = 2 * SEARCHED_AT_ONCE as usize;
        let mut on = |answer| {
            match answer {
                Answer::Search(uids) => found.uids.extend(uids),
                Answer::Expunge(_) => found.expunged += 1,
                _ => {}
            }
            match found.uids.len() > most {
                true => Err(too_many()),
                false => Ok(()),
            }
        };
        let allowance = self.dialogue.small() + PER_MESSAGE * u64::from(SEARCHED_AT_ONCE);
        let line = format!("UID SEARCH {}:{}", numbers.start(), numbers.end());
        self.dialogue.command(SEARCH, &line, allowance, &mut on).await?;
        found.uids.sort_unstable();
        found.uids.dedup();
        let standing = self.standing(&numbers, found.expunged);
        if found.uids.len() > numbers.clone().count() {
            return Err(too_many());
        }
        if found.uids.len() < standing {
            // Each of the numbers is a message, so the search leaves some out, or some have the same UID. An OK without
            // an answer must not pass for an empty folder, though some servers say it of one.
            let (by_number, doubled) = self.by_number(&numbers, &mut found).await?;
            let standing = self.standing(&numbers, found.expunged);
            ambiguous.extend(doubled);
            let lacking = standing.saturating_sub(by_number.max(found.uids.len()));
            if lacking > 0 {
                let of = numbers.count();
                let detail = format!("it leaves out {lacking} of the {of} messages in the folder");
                return Err(self.dialogue.unclear(SEARCH, &detail));
            }
        }
        Ok(found)
    }

    /// How many messages with these numbers stand there.
    fn standing(&self, numbers: &RangeInclusive<u32>, expunged: usize) -> usize {
        let last = self.dialogue.exists.min(*numbers.end());
        let asked = numbers.clone().count();
        (*numbers.start()..=last).count().min(asked.saturating_sub(expunged))
    }

    /// Asks for UIDs by message numbers, for servers whose SEARCH leaves some out (Strato finds none of 4,000), and
    /// adds them. Gives for how many numbers there is one, and the UIDs that several have.
    async fn by_number(
        &mut self,
        numbers: &RangeInclusive<u32>,
        found: &mut Found,
    ) -> Result<(usize, Vec<u32>), SourceError> {
        const FETCH: &str = "FETCH of UIDs";
        let mut pairs = Vec::new();
        let mut on = |answer| {
            match answer {
                Answer::Fetch(FetchLine {
                    uid: Some(uid), number, ..
                }) if numbers.contains(&number) => pairs.push((uid, number)),
                Answer::Expunge(_) => found.expunged += 1,
                _ => {}
            }
            // Lines about others may be among them, but not without end.
            match pairs.len() > 2 * SEARCHED_AT_ONCE as usize {
                true => Err(too_many()),
                false => Ok(()),
            }
        };
        let allowance = self.dialogue.small() + PER_MESSAGE * u64::from(SEARCHED_AT_ONCE);
        let line = format!("FETCH {}:{} (UID)", numbers.start(), numbers.end());
        self.dialogue.command(FETCH, &line, allowance, &mut on).await?;
        // During FETCH a server may not tell what was expunged (RFC 9051, 7.5.1); during NOOP it does.
        let allowance = self.dialogue.small();
        let mut on = |answer| {
            found.expunged += usize::from(matches!(answer, Answer::Expunge(_)));
            Ok(())
        };
        self.dialogue.command("NOOP", "NOOP", allowance, &mut on).await?;
        pairs.sort_unstable();
        pairs.dedup();
        let uids: Vec<u32> = pairs.iter().map(|(uid, _)| *uid).collect();
        let doubled = doubles(&uids);
        found.uids.extend(uids);
        found.uids.sort_unstable();
        found.uids.dedup();
        let mut answered: Vec<u32> = pairs.into_iter().map(|(_, number)| number).collect();
        answered.sort_unstable();
        answered.dedup();
        Ok((answered.len(), doubled))
    }

    /// The sizes of copies, in the order asked, and their facts where they are wanted.
    pub(in crate::source) async fn sizes(
        &mut self,
        copies: &[CopyRef],
        facts: bool,
    ) -> Result<Vec<Announced>, SourceError> {
        const FETCH: &str = "FETCH of sizes";
        let (items, per_message) = match facts {
            true => ("UID RFC822.SIZE INTERNALDATE FLAGS", 8 * PER_MESSAGE),
            false => ("UID RFC822.SIZE", PER_MESSAGE),
        };
        let uids: Vec<u32> = copies.iter().filter_map(uid).collect();
        self.unclear = None;
        let mut answers = ByUid::new(uids.iter().map(|uid| (*uid, Said::default())));
        for set in uid_sets(&uids) {
            let mut on = |answer| {
                if let Answer::Fetch(line) = answer
                    && let Some(known) = line.uid.and_then(|uid| answers.get_mut(uid))
                {
                    // A server may say it in more than one line (RFC 9051, 7.5.2).
                    known.size = line.size.or(known.size);
                    known.date = line.date.or(known.date);
                    known.flags = line.flags.or(known.flags.take());
                }
                Ok(())
            };
            let allowance = self.dialogue.small() + per_message * set.uids.len() as u64;
            let line = format!("UID FETCH {} ({items})", set.text);
            self.dialogue.command(FETCH, &line, allowance, &mut on).await?;
            let mut of_set = set.uids.iter().filter_map(|uid| answers.get(*uid));
            if self.dialogue.is_odd() && of_set.any(|said| said.size.is_none()) {
                self.unclear = Some(self.dialogue.unclear(FETCH, "sizes are missing"));
            }
        }
        let announced = |copy: &CopyRef| {
            let answer = answers.get_mut(uid(copy)?)?;
            let (date, flags) = (answer.date, answer.flags.take().unwrap_or_default());
            Some(Announced {
                copy: copy.clone(),
                size: answer.size?,
                facts: facts.then(|| Box::new(Facts { date, flags })),
            })
        };
        Ok(copies.iter().filter_map(announced).collect())
    }
}

/// Those of ascending numbers that are there more than once, each once.
fn doubles(ascending: &[u32]) -> Vec<u32> {
    let same = ascending.chunk_by(|one, next| one == next);
    same.filter(|same| same.len() > 1).map(|same| same[0]).collect()
}

fn too_many() -> SourceError {
    SourceError::Protocol {
        command: SEARCH.to_owned(),
        detail: "it names more messages than were asked for".to_owned(),
    }
}

/// Some UIDs, and the set that names them in a command.
#[derive(Debug, PartialEq)]
pub(super) struct UidSet<'a> {
    pub uids: &'a [u32],
    pub text: String,
}

/// Cuts UIDs into sets (RFC 9051, sequence-set) short enough for a command.
pub(super) fn uid_sets(mut uids: &[u32]) -> impl Iterator<Item = UidSet<'_>> {
    std::iter::from_fn(move || {
        if uids.is_empty() {
            return None;
        }
        let mut text = String::new();
        let mut taken = 0;
        while taken < uids.len() && text.len() < MAX_SET {
            let first = uids[taken];
            let run = uids[taken..]
                .iter()
                .zip(first..=u32::MAX)
                .take_while(|(uid, expected)| **uid == *expected)
                .count();
            if !text.is_empty() {
                text.push(',');
            }
            // Writing to a String cannot fail.
            let _ = match run {
                0 | 1 => write!(text, "{first}"),
                _ => write!(text, "{first}:{}", uids[taken + run - 1]),
            };
            taken += run.max(1);
        }
        let set = UidSet {
            uids: &uids[..taken],
            text,
        };
        uids = &uids[taken..];
        Some(set)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn runs_become_ranges() {
        let texts = |uids: &[u32]| uid_sets(uids).map(|set| set.text).collect::<Vec<_>>();
        assert_eq!(texts(&[]), Vec::<String>::new());
        assert_eq!(texts(&[7]), ["7"]);
        assert_eq!(texts(&[1, 2, 3, 5, 8, 9, u32::MAX]), ["1:3,5,8:9,4294967295"]);
        assert_eq!(texts(&[3, 2, 1]), ["3,2,1"]);
    }

    proptest! {
        #[test]
        fn every_uid_is_in_one_set_and_no_set_is_long(uids in prop::collection::vec(any::<u32>(), 0..3000)) {
            let sets: Vec<_> = uid_sets(&uids).collect();
            let together: Vec<u32> = sets.iter().flat_map(|set| set.uids.iter().copied()).collect();
            prop_assert_eq!(together, uids.clone());
            prop_assert!(sets.iter().all(|set| set.text.len() < MAX_SET + 24));
        }
    }
}
