//! Deposits: the message, who has it, what came around it, and that the copy is done.

use std::{collections::BTreeSet, sync::Arc};

use super::{Deciding, row};
use crate::archive::{
    deposit::{Content, Deposit, Filed, Settled, Shared, Verdict},
    part,
    rows::{Copy, Filing, IdentityNumber, Journal, Message, MessageId, Named, Part, Seconds, UserId},
    view::Read,
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

impl Deciding<'_> {
    /// Files a deposit for those of its users who lack it.
    pub(super) fn file(&mut self, shared: &Shared) -> Read<Filed> {
        let deposit = &shared.deposit;
        let numbers = self.numbers(&deposit.content)?;
        let mut lacking = Vec::new();
        let mut filed = Filed {
            message: MessageId(0),
            archived: Vec::new(),
            duplicate: Vec::new(),
        };
        // As what the users have it: copies of one identity may be kept in several forms.
        let mut forms = BTreeSet::new();
        for settled in &shared.settled {
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
                self.put_filing(deposit, number, (message, date), settled)?;
            }
        }
        if let Some(report) = &deposit.report {
            self.put_report(&forms, report, deposit)?;
        } else if !deposit.unclaimed.is_empty() {
            self.put_unclaimed(&forms, deposit)?;
        }
        if let Some(Named { key, traits }) = &deposit.copy {
            let kept = self.message(filed.message)?;
            let fetched = deposit.fetched().sha256;
            let same = kept.is_some_and(|message| message.sha256 == fetched);
            let fetched = (!same).then_some(fetched);
            let row = Copy {
                message: filed.message,
                fetched,
                archived_at: deposit.archived_at,
                traits: Some(*traits),
            };
            self.set.copies.insert(*key, Some(row));
        }
        Ok(filed)
    }

    pub(super) fn message(&self, id: MessageId) -> Read<Option<Message>> {
        row(&self.set.messages, &id, || self.view.message(id))
    }

    pub(super) fn part(&self, digest: &[u8; 32]) -> Read<Option<Part>> {
        row(&self.set.parts, digest, || self.view.part(digest))
    }

    /// The numbers that its identities have so far.
    fn numbers(&self, content: &Content) -> Read<Numbers> {
        let number = |digest: &[u8; 32]| row(&self.set.identities, digest, || self.view.identity(digest));
        let former = content.former.as_ref().map(number).transpose()?;
        Ok(Numbers {
            now: number(&content.identity)?,
            former: former.flatten(),
        })
    }

    /// As which message a user has an identity of one of these numbers.
    fn held(&self, numbers: Numbers, user: UserId) -> Read<Option<MessageId>> {
        for number in numbers.known() {
            let key = (number, user);
            let held = row(&self.set.held, &key, || self.view.held(&key))?;
            if held.is_some() {
                return Ok(held);
            }
        }
        Ok(None)
    }

    /// A number for an identity that has none.
    fn new_number(&mut self, digest: &[u8; 32]) -> IdentityNumber {
        let number = self.set.counters.identity;
        self.set.counters.identity = number.next();
        self.set.identities.insert(*digest, Some(number));
        number
    }

    /// Keeps the report around a message with each form of it, unless it is kept there already.
    fn put_report(&mut self, forms: &BTreeSet<MessageId>, report: &Arc<Content>, deposit: &Deposit) -> Read<()> {
        let (id, ..) = self.keep(report, self.numbers(report)?, deposit)?;
        for message in forms.iter().filter(|message| **message != id) {
            let key = (*message, id);
            if !self.set.journals.contains_key(&key) && !self.view.has_journal(&key)? {
                let journal = Journal {
                    run: deposit.run,
                    archived_at: deposit.archived_at,
                };
                self.set.journals.insert(key, Some(journal));
                if *message < self.first {
                    self.journaled.insert(*message);
                }
            }
        }
        Ok(())
    }

    /// Notes for whom a copy was that nobody has, where its own bytes are not kept: what names them is lost otherwise.
    fn put_unclaimed(&mut self, forms: &BTreeSet<MessageId>, deposit: &Deposit) -> Read<()> {
        for message in forms {
            let row = self.message(*message)?;
            if row.is_some_and(|row| row.sha256 == deposit.content.sha256) {
                continue;
            }
            for unclaimed in &deposit.unclaimed {
                let key = (*message, unclaimed.digest());
                self.set.unclaimed.insert(key, Some(unclaimed.clone()));
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
    ) -> Read<(MessageId, IdentityNumber, Seconds)> {
        let mut head = [0; 8];
        head.copy_from_slice(&content.sha256[..8]);
        for identity in numbers.known() {
            let key = (identity, head);
            if let Some(id) = row(&self.set.bytes, &key, || self.view.bytes(&key))?
                && let Some(message) = self.message(id)?
                && message.sha256 == content.sha256
            {
                return Ok((id, identity, message.date));
            }
        }
        let identity = match numbers.now {
            Some(number) => number,
            None => self.new_number(&content.identity),
        };
        let id = self.put_message(content, identity, head, deposit)?;
        Ok((id, identity, deposit.date))
    }

    /// All rows that go with a new message, and are not written again for it.
    fn put_message(
        &mut self,
        content: &Arc<Content>,
        identity: IdentityNumber,
        head: [u8; 8],
        deposit: &Deposit,
    ) -> Read<MessageId> {
        let id = self.set.counters.message;
        let size = content.bytes.len() as u64;
        for (number, cut) in content.parts.iter().enumerate() {
            if !self.laid.contains(&cut.digest) && self.part(&cut.digest)?.is_none() {
                self.laid.insert(cut.digest);
                self.parts.push((content.clone(), number));
            }
        }
        let message = Message {
            inline: self.set.layout.add_inline(content),
            parts: part::places(&content.parts),
            size,
            date: deposit.date,
            archived_at: deposit.archived_at,
            identity,
            sha256: content.sha256,
            notes: deposit.notes,
        };
        self.set.messages.insert(id, Some(message));
        self.set
            .listed
            .extend(content.listed.clone().map(|listed| (id, listed)));
        self.set.bytes.insert((identity, head), Some(id));
        self.set.counters.message = id.next();
        self.set.counters.messages += 1;
        self.set.counters.raw_bytes += size;
        Ok(id)
    }

    fn put_filing(
        &mut self,
        deposit: &Deposit,
        identity: IdentityNumber,
        (message, date): (MessageId, Seconds),
        settled: &Settled,
    ) -> Read<()> {
        let user = settled.user;
        let filing = Filing {
            folder: deposit.folder,
            archived_at: deposit.archived_at,
            run: deposit.run,
            why: settled.why.clone(),
        };
        self.set.held.insert((identity, user), Some(message));
        self.set.filings.insert((user, date, message), Some(filing));
        let before = row(&self.set.usage, &user, || self.view.usage(user).map(Some))?;
        let mut usage = before.unwrap_or_default();
        usage.messages += 1;
        usage.bytes += deposit.content.bytes.len() as u64;
        self.set.usage.insert(user, Some(usage));
        self.filings.push((message, user));
        Ok(())
    }
}
