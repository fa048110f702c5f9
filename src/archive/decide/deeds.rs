//! What people do about accounts, and the audit log of all that they do.

use super::{Deciding, row};
use crate::{
    access::{
        AccountChange, AccountName, AuditMark, AuditRow, Entry, Outcome, Refusal, Session, StoredAccount,
        entry::{DROPKEEP, chain},
        words::Digest,
    },
    archive::{
        StoreError,
        deed::{Deed, SessionChange},
        order::Answer,
        view::Read,
    },
};

/// Sessions of an account at most; one more ends the one that was not used for the longest time.
const MOST_SESSIONS: usize = 50;

impl Deciding<'_> {
    /// Does it, or refuses it; it is noted in either case.
    pub(super) fn deed(&mut self, deed: &Deed) -> Read<Answer> {
        Ok(match self.change_account(deed)? {
            Ok(()) => {
                for change in &deed.sessions {
                    self.change_session(change)?;
                }
                self.set.profiles.extend(deed.profiles.iter().cloned());
                deed.entry.clone().map_or(Ok(()), |entry| self.note(entry))?;
                Answer::Number(0)
            }
            Err(refusal) => {
                let entry = deed
                    .entry
                    .clone()
                    .map(|entry| entry.ended(Outcome::Refused, &refusal.to_string()));
                entry.map_or(Ok(()), |entry| self.note(entry))?;
                Answer::Refused(StoreError::Deed(refusal))
            }
        })
    }

    /// All of the changes, or none.
    fn change_account(&mut self, deed: &Deed) -> Read<Result<(), Refusal>> {
        let Some(name) = &deed.account else {
            return Ok(Ok(()));
        };
        let before = row(&self.set.accounts, name, || self.view.account(name))?;
        let mut account = before.clone();
        if let Err(refusal) = deed.changes.iter().try_for_each(|change| change.apply(&mut account)) {
            return Ok(Err(refusal));
        }
        let administers = |account: &Option<StoredAccount>| account.as_ref().is_some_and(StoredAccount::administers);
        if deed.spares_administrator && administers(&before) && !administers(&account) && !self.has_other(name)? {
            return Ok(Err(Refusal::LastAdministrator));
        }
        if !deed.changes.is_empty() {
            self.set.accounts.insert(name.clone(), account);
        }
        if deed.changes.iter().any(AccountChange::ends_sessions) {
            self.end_sessions(name, deed.keeps)?;
        }
        Ok(Ok(()))
    }

    /// Whether somebody else administers, as the orders before left it.
    fn has_other(&self, name: &AccountName) -> Read<bool> {
        let kept = self.view.accounts()?;
        let kept = kept.iter().filter(|(other, _)| !self.set.accounts.contains_key(other));
        let new = self
            .set
            .accounts
            .iter()
            .filter_map(|(other, account)| Some((other, account.as_ref()?)));
        let mut all = kept.map(|(other, account)| (other, account)).chain(new);
        Ok(all.any(|(other, account)| other != name && account.administers()))
    }

    fn change_session(&mut self, change: &SessionChange) -> Read<()> {
        match change {
            SessionChange::Begin(digest, session) => {
                let mut others = self.sessions_of(&session.account)?;
                others.sort_by_key(|(_, session)| session.seen);
                let too_many = (others.len() + 1).saturating_sub(MOST_SESSIONS);
                for (digest, _) in others.into_iter().take(too_many) {
                    self.set.sessions.insert(digest, None);
                }
                self.set.sessions.insert(*digest, Some(session.clone()));
            }
            SessionChange::Seen(digest, at) => {
                let known = self.sessions()?.into_iter().find(|(known, _)| known == digest);
                if let Some((_, session)) = known {
                    let seen = Session {
                        seen: session.seen.max(*at),
                        ..session
                    };
                    self.set.sessions.insert(*digest, Some(seen));
                }
            }
            SessionChange::End(digest) => _ = self.set.sessions.insert(*digest, None),
            SessionChange::EndAll(name) => self.end_sessions(name, None)?,
        }
        Ok(())
    }

    fn end_sessions(&mut self, name: &AccountName, keeps: Option<Digest>) -> Read<()> {
        for (digest, _) in self.sessions_of(name)? {
            if keeps != Some(digest) {
                self.set.sessions.insert(digest, None);
            }
        }
        Ok(())
    }

    fn sessions_of(&self, name: &AccountName) -> Read<Vec<(Digest, Session)>> {
        let mut sessions = self.sessions()?;
        sessions.retain(|(_, session)| session.account == *name);
        Ok(sessions)
    }

    /// As the orders before left them. There are few: of each account so many at most.
    fn sessions(&self) -> Read<Vec<(Digest, Session)>> {
        let mut sessions = self.view.sessions()?;
        sessions.retain(|(digest, _)| !self.set.sessions.contains_key(digest));
        let new = self.set.sessions.iter();
        sessions.extend(new.filter_map(|(digest, session)| Some((*digest, session.clone()?))));
        Ok(sessions)
    }

    fn audit_mark(&self) -> Read<AuditMark> {
        self.set.audit_mark.map_or_else(|| self.view.audit_mark(), Ok)
    }

    /// Writes an entry behind the last one.
    fn note(&mut self, entry: Entry) -> Read<()> {
        let mut mark = self.audit_mark()?;
        let entry = Entry { at: self.now, ..entry };
        mark.last += 1;
        mark.chain = chain(&entry, &mark.chain, mark.last).map_err(|error| StoreError::Fault {
            detail: format!("entry {} of the audit log cannot be encoded: {error}", mark.last),
        })?;
        let row = AuditRow {
            entry,
            chain: mark.chain,
        };
        self.set.audit.insert(mark.last, Some(row));
        self.set.audit_mark = Some(mark);
        Ok(())
    }

    /// Removes the entries before one, and notes that; gives how many. The last entry stays, and the chain goes on from
    /// the last one that is removed.
    pub(super) fn forget_audit(&mut self, before: u64) -> Read<u64> {
        let mut mark = self.audit_mark()?;
        let before = before.min(mark.last);
        let Some(last) = before.checked_sub(1).filter(|last| *last >= mark.first) else {
            return Ok(0);
        };
        let chain = match self.set.audit.get(&last).cloned().flatten() {
            Some(row) => Some(row.chain),
            None => self.view.audit_chain(last)?,
        };
        // What is damaged stays, for whoever looks into it.
        let Some(chain) = chain else {
            return Ok(0);
        };
        let removed = before - mark.first;
        for number in mark.first..before {
            self.set.audit.insert(number, None);
        }
        let object = format!("entries {} to {last}", mark.first);
        (mark.first, mark.before) = (before, chain);
        self.set.audit_mark = Some(mark);
        self.note(Entry::new(DROPKEEP, "", "audit-forget", &object))?;
        Ok(removed)
    }
}
