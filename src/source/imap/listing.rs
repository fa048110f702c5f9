//! Which copies stand in the opened folder, and how large they are.

use std::{collections::HashMap, fmt::Write, ops::RangeInclusive};

use super::{
    ImapSession,
    answer::{Answer, FetchLine},
    uid,
};
use crate::source::{Announced, CopyRef, Facts, Listing, SourceError};

/// Messages that one SEARCH asks for. The parser's time grows with the square of an answer.
const SEARCHED_AT_ONCE: u32 = 5_000;

const SEARCH: &str = "SEARCH";

/// What an answer may say about one message found, or its size, in bytes.
pub(super) const PER_MESSAGE: u64 = 256;

/// The longest UID set in a command, in bytes; RFC 7162, 4, wants clients to keep within 8192.
const MAX_SET: usize = 7_500;

impl ImapSession {
    /// The UIDs in the opened folder, ascending.
    ///
    /// It is asked by message numbers from the highest downwards: when messages are expunged
    /// meanwhile, those above move down, into ranges that are still to be asked or were
    /// answered already, and none is missed.
    pub(in crate::source) async fn listing(&mut self) -> Result<Listing, SourceError> {
        let mut uids = Vec::new();
        self.dialogue.grown = false;
        let mut high = self.dialogue.exists;
        while high > 0 {
            let low = high.saturating_sub(SEARCHED_AT_ONCE - 1).max(1);
            self.search(low..=high, &mut uids).await?;
            high = (low - 1).min(self.dialogue.exists);
        }
        uids.sort_unstable();
        uids.dedup();
        Ok(Listing::Uids {
            standing: uids.into_iter().collect(),
            ambiguous: Default::default(),
        })
    }

    async fn search(&mut self, numbers: RangeInclusive<u32>, uids: &mut Vec<u32>) -> Result<(), SourceError> {
        let expected = numbers.clone().count();
        let before = uids.len();
        let mut answered = false;
        let mut expunged = 0;
        let mut on = |answer| {
            match answer {
                Answer::Search(found) => {
                    answered = true;
                    uids.extend(found);
                }
                Answer::Expunge => expunged += 1,
                _ => {}
            }
            match uids.len() - before > expected {
                true => Err(not_understood("it finds more messages than were asked for")),
                false => Ok(()),
            }
        };
        let allowance = self.dialogue.small() + PER_MESSAGE * u64::from(SEARCHED_AT_ONCE);
        let line = format!("UID SEARCH {}:{}", numbers.start(), numbers.end());
        self.dialogue.command(SEARCH, &line, allowance, &mut on).await?;
        if !answered {
            // An OK without an answer must not pass for an empty folder.
            return Err(not_understood("the command ended without one"));
        }
        if self.lacks(&numbers, &mut uids[before..], expunged) > 0 {
            // Each of the numbers is a message, so the search leaves some out.
            expunged += self.uids_by_number(&numbers, uids).await?;
            let lacking = self.lacks(&numbers, &mut uids[before..], expunged);
            if lacking > 0 {
                let detail = format!("it leaves out {lacking} of {expected} messages that stand in the folder");
                return Err(not_understood(&detail));
            }
        }
        Ok(())
    }

    /// How many of the messages with these numbers are not among the UIDs found, beyond those that were expunged.
    fn lacks(&self, numbers: &RangeInclusive<u32>, found: &mut [u32], expunged: usize) -> usize {
        found.sort_unstable();
        let found = found.chunk_by(|one, next| one == next).count();
        let last = self.dialogue.exists.min(*numbers.end());
        let standing = (*numbers.start()..=last).count();
        let asked = numbers.clone().count();
        standing.min(asked.saturating_sub(expunged)).saturating_sub(found)
    }

    /// The UIDs of messages by their numbers, for servers whose SEARCH leaves some out (Strato finds none of 4,000).
    /// Gives how many messages the server meanwhile said were expunged.
    async fn uids_by_number(
        &mut self,
        numbers: &RangeInclusive<u32>,
        uids: &mut Vec<u32>,
    ) -> Result<usize, SourceError> {
        const FETCH: &str = "FETCH of UIDs";
        let mut expunged = 0;
        let mut found = 0;
        let mut on = |answer| {
            match answer {
                Answer::Fetch(FetchLine { uid: Some(uid), .. }) if uid > 0 => {
                    found += 1;
                    uids.push(uid);
                }
                Answer::Expunge => expunged += 1,
                _ => {}
            }
            // Lines about others may be among them, but not without end.
            match found > 2 * SEARCHED_AT_ONCE {
                true => Err(not_understood("it names more messages than were asked for")),
                false => Ok(()),
            }
        };
        let allowance = self.dialogue.small() + PER_MESSAGE * u64::from(SEARCHED_AT_ONCE);
        let line = format!("FETCH {}:{} (UID)", numbers.start(), numbers.end());
        self.dialogue.command(FETCH, &line, allowance, &mut on).await?;
        // During FETCH a server may not tell what was expunged (RFC 9051, 7.5.1); during NOOP it does.
        let allowance = self.dialogue.small();
        let mut on = |answer| {
            expunged += usize::from(matches!(answer, Answer::Expunge));
            Ok(())
        };
        self.dialogue.command("NOOP", "NOOP", allowance, &mut on).await?;
        Ok(expunged)
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
        let mut answers: HashMap<u32, FetchLine> = uids.iter().map(|uid| (*uid, FetchLine::default())).collect();
        for set in uid_sets(&uids) {
            let mut on = |answer| {
                if let Answer::Fetch(line) = answer
                    && let Some(known) = line.uid.and_then(|uid| answers.get_mut(&uid))
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
        }
        let announced = |copy: &CopyRef| {
            let answer = answers.get_mut(&uid(copy)?)?;
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

fn not_understood(detail: &str) -> SourceError {
    SourceError::Protocol {
        command: SEARCH.to_owned(),
        detail: detail.to_owned(),
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
