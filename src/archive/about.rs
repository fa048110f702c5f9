//! What the catalog says of many messages, read at once: whoever goes through all of an archive would open each row's chunk
//! once for each message otherwise.

use std::{
    collections::{BTreeSet, HashMap},
    ops::RangeInclusive,
};

use heed::RoTxn;

use super::{
    Store, StoreError,
    rows::{Filing, IdentityNumber, Message, MessageId, UserId},
};

/// Numbers that differ by so much at most are read as one row of rows.
const NEAR: u64 = 64;
/// Users of several messages that are read at once.
const USERS: usize = 50_000;

/// What the catalog says of a message.
#[derive(Clone, Debug)]
pub struct About {
    pub id: MessageId,
    pub message: Message,
    /// Who has it, in exactly these bytes, and why.
    pub here: Vec<(UserId, Filing)>,
    /// Whether it came in journal reports.
    pub is_journaled: bool,
}

/// A message, and who has it, in exactly these bytes.
pub(super) struct Had {
    pub id: MessageId,
    pub message: Message,
    pub by: Vec<UserId>,
}

impl Store {
    /// What the catalog says of the first of these messages, which are in order: of as many as have few enough users
    /// together, and of one at least.
    ///
    /// # Errors
    /// One of them is missing, or the catalog cannot be read.
    pub fn about(&self, ids: &[MessageId]) -> Result<Vec<About>, StoreError> {
        let (all, looked_at) = self.reading(|txn| self.about_in(txn, ids))?;
        let other = ids.iter().zip(&all).position(|(id, about)| *id != about.id);
        match other.or((all.len() < looked_at).then_some(all.len())) {
            Some(missing) => Err(StoreError::Damaged {
                detail: format!("message {} is missing; run `dropkeep verify`", ids[missing]),
            }),
            None => Ok(all),
        }
    }

    /// The same of those that there are, and how many it looked at.
    fn about_in(&self, txn: &RoTxn, ids: &[MessageId]) -> heed::Result<(Vec<About>, usize)> {
        let (all, looked_at) = self.had_in(txn, ids)?;
        let journaled = self.journaled(txn, &ids[..looked_at])?;
        let mut filed = Vec::new();
        for (nth, had) in all.iter().enumerate() {
            filed.extend(had.by.iter().map(|user| ((*user, had.message.date, had.id), nth)));
        }
        filed.sort_unstable();
        let keys: Vec<_> = filed.iter().map(|(key, _)| *key).collect();
        let filings = self.catalog.filings.get_all(txn, &keys)?;
        let about = |Had { id, message, .. }| About {
            id,
            message,
            here: Vec::new(),
            is_journaled: journaled.contains(&id),
        };
        let mut all: Vec<_> = all.into_iter().map(about).collect();
        // In the order of the users, as these are sorted by them.
        for (((user, ..), nth), filing) in filed.into_iter().zip(filings) {
            all[nth].here.extend(filing.map(|filing| (user, filing)));
        }
        Ok((all, looked_at))
    }

    /// Who has those of these messages that there are, and how many it looked at. That takes no filing to be read, which
    /// lie far from each other.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub(super) fn had_in(&self, txn: &RoTxn, mut ids: &[MessageId]) -> heed::Result<(Vec<Had>, usize)> {
        loop {
            let mut all = Vec::with_capacity(ids.len());
            for id in ids {
                let message = self.catalog.messages.get(txn, id)?;
                all.extend(message.map(|message| Had {
                    id: *id,
                    message,
                    by: Vec::new(),
                }));
            }
            if self.hold(txn, &mut all)? {
                return Ok((all, ids.len()));
            }
            ids = &ids[..ids.len() / 2];
        }
    }

    /// Says who has them, unless these are too many together.
    fn hold(&self, txn: &RoTxn, all: &mut [Had]) -> heed::Result<bool> {
        let identities: BTreeSet<_> = all.iter().map(|had| had.message.identity.0).collect();
        let of_identity: HashMap<(IdentityNumber, MessageId), usize> = (all.iter().enumerate())
            .map(|(nth, had)| ((had.message.identity, had.id), nth))
            .collect();
        let mut users = 0;
        for run in runs(&identities) {
            let from = (IdentityNumber(*run.start()), UserId::MIN);
            let to = (IdentityNumber(*run.end()), UserId::MAX);
            for row in self.catalog.held.range(txn, &(from..=to))? {
                if users >= USERS && all.len() > 1 {
                    return Ok(false);
                }
                let ((identity, user), kept) = row?;
                if let Some(nth) = of_identity.get(&(identity, kept)) {
                    all[*nth].by.push(user);
                    users += 1;
                }
            }
        }
        Ok(true)
    }

    /// Those that came in journal reports.
    fn journaled(&self, txn: &RoTxn, ids: &[MessageId]) -> heed::Result<BTreeSet<MessageId>> {
        let mut journaled = BTreeSet::new();
        for run in runs(&ids.iter().map(|id| id.0).collect()) {
            let mut from = MessageId(*run.start());
            while from.0 <= *run.end() {
                // There may be many reports of one.
                let rest = (from, MessageId::MIN)..=(MessageId(*run.end()), MessageId::MAX);
                let Some(row) = self.catalog.journals.range(txn, &rest)?.next() else {
                    break;
                };
                let ((id, _), _) = row?;
                journaled.insert(id);
                from = id.next();
            }
        }
        Ok(journaled)
    }
}

/// From which number to which they lie near each other.
fn runs(numbers: &BTreeSet<u64>) -> Vec<RangeInclusive<u64>> {
    let mut runs: Vec<RangeInclusive<u64>> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some(run) if number - run.end() <= NEAR => *run = *run.start()..=*number,
            _ => runs.push(*number..=*number),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::test_bench::{Bench, config};

    #[actix::test]
    async fn it_says_the_same_as_row_by_row() {
        let folder = tempfile::tempdir().unwrap();
        let bench = Bench::open(&config(&folder));
        let mut ids = Vec::new();
        for number in 1..=40 {
            let users: Vec<UserId> = (1..=1 + number % 3).map(UserId).collect();
            // Copies that begin alike are the same here.
            let mail = format!("{number:04}: a\n\nbody");
            ids.push(bench.file(&mail, number, &users).await.message);
        }
        // Somebody gets one that is there.
        let again = bench.file("0007: a\n\nbody", 50, &[UserId(9)]).await;
        assert_eq!(again.message, ids[6]);
        for wanted in [ids.clone(), ids.iter().copied().step_by(7).collect(), Vec::new()] {
            let read = bench.store.about(&wanted).unwrap();
            assert!(read.iter().map(|about| about.id).eq(wanted.iter().copied()));
            for about in read {
                let message = bench.store.message(about.id).unwrap().unwrap();
                let holders = bench.store.holders_of(about.id, &message).unwrap();
                assert_eq!((about.message, about.here), (message, holders.here), "{}", about.id);
                assert!(!about.is_journaled);
            }
        }
        let missing = bench.store.about(&[MessageId(1000)]);
        assert!(matches!(missing, Err(StoreError::Damaged { .. })), "{missing:?}");
        bench.close();
    }

    #[test]
    fn what_lies_near_is_one_row() {
        let numbers = [1, 2, 50, 1000, 1001].into();
        assert_eq!(runs(&numbers), [1..=50, 1000..=1001]);
        assert_eq!(runs(&[u64::MAX].into()), [u64::MAX..=u64::MAX]);
    }
}
