//! Sessions: whose token is shown, and how they end.

use super::{notes::NotNoted, state::Gate};
use crate::{
    access::{Account, AccountName, Archives, Entry, Session, Token, session, words::Digest},
    api::{Failure, SessionLine},
    archive::{Deed, SessionChange, StoreError},
    clock,
    reading::view,
};

impl Gate {
    /// The account whose session this token is, asking from `address`; `None` where there is no such session, where it is
    /// over, or its account is disabled.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn account_of(&self, token: &Token, address: &str) -> Result<Option<Account>, StoreError> {
        self.of_session(token.digest(), address)
    }

    fn of_session(&self, digest: Digest, address: &str) -> Result<Option<Account>, StoreError> {
        let Some(session) = self.0.store.session(&digest)? else {
            return Ok(None);
        };
        if session.is_over(&self.settings(), clock::now().as_second()) {
            return Ok(None);
        }
        let account = self.0.store.account(&session.account)?;
        let Some(account) = account.filter(|account| !account.disabled) else {
            return Ok(None);
        };
        Ok(Some(Account {
            session: Some(digest),
            ..self.as_caller(account, address)
        }))
    }

    /// Whether an answer from these archives, which was begun for an account, may go on: it takes hours, and the session or
    /// application password can have ended meanwhile, or the right to read them. Taking it is a use of the session. For a
    /// thread that may wait.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn still_may(&self, asked: &Account, archives: &Archives) -> Result<bool, StoreError> {
        let now = match (asked.session, &asked.application) {
            (Some(digest), _) => self.of_session(digest, &asked.address)?,
            (None, Some(application)) => self.of_application(&asked.name, application)?,
            (None, None) => None,
        };
        let may = now.is_some_and(|now| now.role == asked.role && archives.are_among(&now.archives()));
        if may && let Some(used) = asked.session.and_then(|digest| self.use_of(digest)) {
            // Where it cannot be written, the session ends the sooner.
            let _ = self.0.notes.deed_here(used);
        }
        Ok(may)
    }

    /// Notes now and then that a session is used: by this it does not end for not being used.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn used(&self, token: &Token) -> Result<(), NotNoted> {
        match self.use_of(token.digest()) {
            Some(used) => self.0.notes.deed(used).await.map_err(NotNoted),
            None => Ok(()),
        }
    }

    /// That a session is used, where that is to be noted.
    fn use_of(&self, digest: Digest) -> Option<Deed> {
        let every = session::noted_every(&self.settings());
        let is_due = self.0.seen.lock().is_due(digest, every);
        is_due.then(|| Deed::unnoted(SessionChange::Seen(digest, clock::now().as_second())))
    }

    /// Ends the session whose token this is.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn log_out(&self, token: &Token, address: &str) -> Result<(), Failure> {
        let digest = token.digest();
        let Some(session) = self.0.store.session(&digest)? else {
            return Ok(());
        };
        let account = self.0.store.account(&session.account)?;
        let name = account.map_or_else(|| session.account.to_string(), |account| account.name);
        let deed = Deed {
            sessions: vec![SessionChange::End(digest)],
            ..Deed::noted(Entry::new(&name, address, "log-out", ""))
        };
        Ok(self.0.notes.deed(deed).await.map_err(NotNoted)?)
    }

    /// The sessions of an account, or of all, that are not over, in the order in which they began.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn sessions(&self, of: Option<&AccountName>) -> Result<Vec<SessionLine>, StoreError> {
        let (settings, now) = (self.settings(), clock::now().as_second());
        let mut sessions = self.0.store.sessions()?;
        sessions.retain(|(_, session)| of.is_none_or(|of| session.account == *of) && !session.is_over(&settings, now));
        sessions.sort_by_key(|(_, session)| session.began);
        let line = |(digest, session): (Digest, Session)| SessionLine {
            session: session::short(&digest),
            account: session.account.to_string(),
            began: view::time(session.began),
            seen: view::time(session.seen),
            address: session.address,
        };
        Ok(sessions.into_iter().map(line).collect())
    }

    /// The ends of those sessions that are over.
    pub(super) fn over(&self) -> Result<Vec<SessionChange>, StoreError> {
        let (settings, now) = (self.settings(), clock::now().as_second());
        let sessions = self.0.store.sessions()?.into_iter();
        let over = sessions.filter(|(_, session)| session.is_over(&settings, now));
        Ok(over.map(|(digest, _)| SessionChange::End(digest)).collect())
    }

    /// The session of this name in lists, of an account.
    pub(super) fn session_named(&self, of: &AccountName, name: &str) -> Result<Option<Digest>, StoreError> {
        let sessions = self.0.store.sessions()?.into_iter();
        let named = |(digest, session): &(Digest, Session)| session.account == *of && session::short(digest) == name;
        let mut named = sessions.filter(named);
        Ok(named.next().map(|(digest, _)| digest))
    }
}
