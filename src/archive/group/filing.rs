//! Deposits as a group writes them: the message, who has it, what came around it, and that the copy is done.

use std::{collections::BTreeSet, sync::Arc};

use super::Group;
use crate::archive::{
    deposit::{Content, Deposit, Filed, Settled, Shared, Verdict},
    part,
    rows::{Copy, Filing, IdentityNumber, Journal, Message, MessageId, Named, Part, Seconds, UserId},
};

/// The numbers of a message's identity.
#[derive(Clone, Copy)]
struct Numbers {
    now: Option<IdentityNumber>,
    /// That of version 1, where it was another.
    former: Option<IdentityNumber>,
}

impl Numbers {
    fn known(self) -> impl Iterator<Item = IdentityNumber> {
        [self.now, self.former].into_iter().flatten()
    }
}

impl Group<'_> {
    /// Files a deposit for those of its users who lack it.
    pub(super) fn file(&mut self, shared: &Arc<Shared>) -> heed::Result<Filed> {
        let deposit = &shared.deposit;
        let numbers = self.numbers(&deposit.content)?;
        let mut lacking = Vec::new();
        let mut filed = Filed {
            message: 0,
            archived: Vec::new(),
            duplicate: Vec::new(),
        };
        // As what the users have it: copies of one identity may be kept in several forms.
        let mut forms = BTreeSet::new();
        for settled in shared.take_settled() {
            let held = match settled.verdict {
                Verdict::Held(message) => Some(message),
                // Committed since, or in this very group.
                Verdict::New => self.held(numbers, settled.user)?,
            };
            match held {
                Some(message) => {
                    filed.message = message;
                    filed.duplicate.push(settled.user);
                    forms.insert(message);
                }
                None => lacking.push(settled),
            }
        }
        if !lacking.is_empty() {
            let (message, number, date) = self.keep(&deposit.content, numbers, deposit)?;
            filed.message = message;
            forms.insert(message);
            for settled in lacking {
                filed.archived.push(settled.user);
                self.put_filing(shared, number, (message, date), settled)?;
            }
        }
        if let Some(report) = &deposit.report {
            self.put_report(&forms, report, deposit)?;
        } else if !deposit.unclaimed.is_empty() {
            self.put_unclaimed(&forms, deposit)?;
        }
        if let Some(Named { key, traits }) = &deposit.copy {
            let kept = self.catalog.messages.get(&self.txn, &filed.message)?;
            let fetched = deposit.fetched().sha256;
            let same = kept.is_some_and(|message| message.sha256 == fetched);
            let fetched = (!same).then_some(fetched);
            let row = Copy {
                key: key.check(),
                message: filed.message,
                fetched,
                archived_at: deposit.archived_at,
                traits: Some(*traits),
            };
            self.catalog.copies.put(&mut self.txn, key, &row)?;
        }
        Ok(filed)
    }

    /// The numbers that its identities have so far.
    fn numbers(&self, content: &Content) -> heed::Result<Numbers> {
        let number = |digest: &[u8; 32]| self.catalog.identities.get(&self.txn, digest);
        let former = content.former.as_ref().map(number).transpose()?;
        Ok(Numbers {
            now: number(&content.identity)?,
            former: former.flatten(),
        })
    }

    /// As which message a user has an identity of one of these numbers.
    fn held(&self, numbers: Numbers, user: UserId) -> heed::Result<Option<MessageId>> {
        for number in numbers.known() {
            let held = self.catalog.held.get(&self.txn, &(number, user))?;
            if held.is_some() {
                return Ok(held);
            }
        }
        Ok(None)
    }

    /// A number for an identity that has none.
    fn new_number(&mut self, digest: &[u8; 32]) -> heed::Result<IdentityNumber> {
        let number = self.counters.identity;
        self.counters.identity += 1;
        self.catalog.identities.put(&mut self.txn, digest, &number)?;
        Ok(number)
    }

    /// Keeps the report around a message with each form of it, unless it is kept there already.
    fn put_report(
        &mut self,
        forms: &BTreeSet<MessageId>,
        report: &Arc<Content>,
        deposit: &Deposit,
    ) -> heed::Result<()> {
        let (id, ..) = self.keep(report, self.numbers(report)?, deposit)?;
        for message in forms.iter().filter(|message| **message != id) {
            let key = (*message, id);
            if self.catalog.journals.get(&self.txn, &key)?.is_none() {
                let journal = Journal {
                    run: deposit.run,
                    archived_at: deposit.archived_at,
                };
                self.catalog.journals.put(&mut self.txn, &key, &journal)?;
            }
        }
        Ok(())
    }

    /// Notes for whom a copy was that nobody has, where its own bytes are not kept: what names them is lost otherwise.
    fn put_unclaimed(&mut self, forms: &BTreeSet<MessageId>, deposit: &Deposit) -> heed::Result<()> {
        for message in forms {
            let row = self.catalog.messages.get(&self.txn, message)?;
            if row.is_some_and(|row| row.sha256 == deposit.content.sha256) {
                continue;
            }
            for unclaimed in &deposit.unclaimed {
                let key = (*message, unclaimed.digest());
                self.catalog.unclaimed.put(&mut self.txn, &key, unclaimed)?;
            }
        }
        Ok(())
    }

    /// The message with exactly these bytes, the one there is or a new one; its identity number; and its date, which is
    /// that of the copy it came with first.
    fn keep(
        &mut self,
        content: &Arc<Content>,
        numbers: Numbers,
        deposit: &Deposit,
    ) -> heed::Result<(MessageId, IdentityNumber, Seconds)> {
        let mut head = [0; 8];
        head.copy_from_slice(&content.sha256[..8]);
        for identity in numbers.known() {
            if let Some(id) = self.catalog.bytes.get(&self.txn, &(identity, head))?
                && let Some(message) = self.catalog.messages.get(&self.txn, &id)?
                && message.sha256 == content.sha256
            {
                return Ok((id, identity, message.date));
            }
        }
        let identity = match numbers.now {
            Some(number) => number,
            None => self.new_number(&content.identity)?,
        };
        let key = (identity, head);
        let id = self.counters.message;
        let size = content.bytes.len() as u64;
        for (index, cut) in content.parts.iter().enumerate() {
            if !self.laid.contains(&cut.digest) && self.catalog.parts.get(&self.txn, &cut.digest)?.is_none() {
                self.laid.insert(cut.digest);
                self.parts.push((content.clone(), index));
            }
        }
        let message = Message {
            inline: self.layout.add_inline(content),
            parts: part::places(&content.parts),
            size,
            date: deposit.date,
            archived_at: deposit.archived_at,
            identity,
            sha256: content.sha256,
            notes: deposit.notes,
        };
        self.catalog.messages.put(&mut self.txn, &id, &message)?;
        self.listed.extend(content.listed.clone().map(|listed| (id, listed)));
        self.catalog.bytes.put(&mut self.txn, &key, &id)?;
        self.counters.message += 1;
        self.counters.messages += 1;
        self.counters.raw_bytes += size;
        Ok((id, identity, deposit.date))
    }

    fn put_filing(
        &mut self,
        shared: &Shared,
        identity: u64,
        (message, date): (MessageId, Seconds),
        settled: Settled,
    ) -> heed::Result<()> {
        let deposit = &shared.deposit;
        let Settled { user, why, .. } = settled;
        let filing = Filing {
            folder: deposit.folder,
            archived_at: deposit.archived_at,
            run: deposit.run,
            why,
        };
        self.catalog.held.put(&mut self.txn, &(identity, user), &message)?;
        self.catalog
            .filings
            .put(&mut self.txn, &(user, date, message), &filing)?;
        let usage = self.usage.entry(user).or_default();
        usage.messages += 1;
        usage.bytes += deposit.content.bytes.len() as u64;
        self.filings += 1;
        Ok(())
    }

    /// Lays down the parts that are new.
    pub(super) fn put_parts(&mut self) -> heed::Result<()> {
        for (content, index) in std::mem::take(&mut self.parts) {
            let place = self.layout.add_part(&content, index);
            let digest = &content.parts[index].digest;
            self.catalog.parts.put(&mut self.txn, digest, &Part { place })?;
        }
        Ok(())
    }
}
