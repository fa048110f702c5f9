//! Logging in, with a password and a one-time code, or with an application password.

use std::time::{Duration, Instant};

use super::{hashing::Busy, notes::NotNoted, state::Gate};
use crate::{
    access::{
        Account, AccountChange, AccountName, Entry, Hidden, Outcome, Proof, Refusal, Role, Session, StoredAccount,
        Token, Try,
        password::{self, Kept},
        words::{digest, typed},
    },
    api::Spoken,
    archive::{Deed, SessionChange, StoreError},
    clock,
    report::metrics,
};

/// Of application passwords.
pub(super) const APPLICATION: &str = "dropkeep application password 1";
const LOG_IN: &str = "log-in";

/// What somebody shows to log in.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub name: String,
    pub password: Spoken,
    /// A one-time code or a recovery code.
    pub code: Option<Spoken>,
}

/// A session that was begun.
#[derive(Debug)]
pub struct LoggedIn {
    /// For whoever logged in.
    pub token: Token,
    pub account: Account,
}

/// Why a log-in failed.
#[derive(thiserror::Error, Clone, Debug)]
pub enum LogInError {
    /// No such account, another password, or it is disabled: nobody learns which.
    #[error("name or password is wrong")]
    Wrong,
    /// The password is right, and a one-time code is needed.
    #[error("a one-time code is needed")]
    NeedsCode,
    #[error("the one-time code is wrong or was used")]
    WrongCode,
    #[error("too many failed log-ins: try again in {} s", .0.as_secs() + 1)]
    Slowed(Duration),
    #[error("too many log-ins at once: try again in a moment")]
    Busy,
    #[error(transparent)]
    NotNoted(#[from] NotNoted),
    #[error("{0}")]
    Store(#[from] StoreError),
}

impl LogInError {
    /// In metrics.
    fn outcome(&self) -> &'static str {
        match self {
            Self::Wrong => "wrong",
            Self::NeedsCode => "needs_code",
            Self::WrongCode => "wrong_code",
            Self::Slowed(_) => "slowed",
            Self::Busy => "busy",
            Self::NotNoted(_) | Self::Store(_) => "failed",
        }
    }
}

impl From<Busy> for LogInError {
    fn from(_: Busy) -> Self {
        Self::Busy
    }
}

/// What became of a try, for the audit log.
struct Refused {
    error: LogInError,
    why: &'static str,
}

impl Gate {
    /// Begins a session for whoever knows the password of an account, and its one-time code where one is asked for.
    /// `address` is where they come from.
    ///
    /// # Errors
    /// They do not, have to wait, or the session cannot be written.
    pub async fn log_in(&self, shown: &Credentials, address: &str) -> Result<LoggedIn, LogInError> {
        counted(self.try_log_in(shown, address).await)
    }

    async fn try_log_in(&self, shown: &Credentials, address: &str) -> Result<LoggedIn, LogInError> {
        let name = AccountName::parse(&shown.name);
        let guess = self
            .slow(name.as_ref(), &shown.name, address)
            .map_err(LogInError::Slowed)?;
        let account = self.find(name.as_ref())?;
        let (right, anew) = match self.tried(&shown.password, account.as_ref()).await {
            Ok(tried) => tried,
            Err(busy) => {
                guess.no_guess();
                return Err(busy.into());
            }
        };
        let refuse = |error, why| Refused { error, why };
        let proved = match (name, account) {
            (Some(name), Some(account)) if right && !account.disabled => Ok((name, account)),
            (_, Some(account)) if right && account.disabled => Err(refuse(LogInError::Wrong, "disabled")),
            (_, Some(_)) => Err(refuse(LogInError::Wrong, "wrong password")),
            (_, None) => Err(refuse(LogInError::Wrong, "unknown account")),
        };
        let (name, account) = match proved {
            Ok(proved) => proved,
            Err(refused) => return Err(self.refuse(shown, refused, address).await),
        };
        let proof = match proof(&account, shown.code.as_ref()) {
            Ok(proof) => proof,
            Err(refused) => {
                if matches!(refused.error, LogInError::NeedsCode) {
                    guess.no_guess();
                }
                return Err(self.refuse(shown, refused, address).await);
            }
        };
        let token = self.begin(&name, &account, anew, proof, address).await?;
        guess.succeeded();
        let account = Account {
            session: Some(token.digest()),
            ..self.as_caller(account, address)
        };
        Ok(LoggedIn { token, account })
    }

    /// Whether whoever shows an application password of an account may read as that account, for clients that cannot ask
    /// for one-time codes.
    ///
    /// # Errors
    /// It is none, they have to wait, or it cannot be written.
    pub async fn log_in_application(
        &self,
        name: &str,
        password: &Spoken,
        address: &str,
    ) -> Result<Account, LogInError> {
        counted(self.try_application(name, password, address).await)
    }

    async fn try_application(&self, shown: &str, password: &Spoken, address: &str) -> Result<Account, LogInError> {
        let name = AccountName::parse(shown);
        let slowed_as = name.as_ref().map_or(shown, AccountName::as_str);
        let begun = self.0.slowing.begin_application(slowed_as, address, Instant::now());
        let guess = begun.map_err(LogInError::Slowed)?;
        let account = self.find(name.as_ref())?;
        let tried = Hidden(digest(APPLICATION, typed(password.reveal()).as_bytes()));
        let application = account
            .as_ref()
            .filter(|account| !account.disabled)
            .and_then(|account| {
                let mut applications = account.applications.iter();
                applications.find(|application| application.digest == tried)
            });
        let (Some(name), Some(account), Some(application)) = (name, account.as_ref(), application) else {
            let why = match &account {
                None => "unknown account",
                Some(account) if account.disabled => "disabled",
                Some(_) => "wrong application password",
            };
            let name = account.as_ref().map_or("", |account| &account.name);
            let entry = Entry::new(name, address, LOG_IN, "application");
            self.0.notes.note(entry.ended(Outcome::Refused, why)).await?;
            return Err(LogInError::Wrong);
        };
        let entry = Entry::new(
            &account.name,
            address,
            LOG_IN,
            &format!("application {}", application.name),
        );
        let deed = Deed {
            account: Some(name.clone()),
            changes: vec![AccountChange::ApplicationUsed(
                application.name.clone(),
                clock::now().as_second(),
            )],
            ..Deed::noted(entry)
        };
        self.write(deed).await?;
        guess.succeeded();
        Ok(self.by_application(account.clone(), application.name.clone(), address))
    }

    /// The account whose application password this still is; nothing is noted of it. For whoever showed it a moment ago, so
    /// that it was noted then.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn still_application(
        &self,
        name: &str,
        password: &Spoken,
        address: &str,
    ) -> Result<Option<Account>, StoreError> {
        let account = self
            .find(AccountName::parse(name).as_ref())?
            .filter(|account| !account.disabled);
        let tried = Hidden(digest(APPLICATION, typed(password.reveal()).as_bytes()));
        let of = |account: &StoredAccount| {
            let mut applications = account.applications.iter();
            let known = applications.find(|known| known.digest == tried)?;
            Some(known.name.clone())
        };
        Ok(account.and_then(|account| {
            let application = of(&account)?;
            Some(self.by_application(account, application, address))
        }))
    }

    /// The account of this name, where it still has this application.
    pub(super) fn of_application(&self, name: &str, application: &str) -> Result<Option<Account>, StoreError> {
        let account = self.find(AccountName::parse(name).as_ref())?;
        let has = |account: &StoredAccount| account.applications.iter().any(|known| known.name == application);
        let account = account.filter(|account| !account.disabled && has(account));
        Ok(account.map(|account| self.by_application(account, application.to_owned(), "")))
    }

    /// An account as a program asks by it, which cannot ask for codes.
    fn by_application(&self, account: StoredAccount, application: String, address: &str) -> Account {
        Account {
            enrols: false,
            application: Some(application),
            ..self.as_caller(account, address)
        }
    }

    /// A wait where there were too many failures. What can be no name is slowed down by what was typed.
    pub(super) fn slow(&self, name: Option<&AccountName>, shown: &str, address: &str) -> Result<Try<'_>, Duration> {
        let name = name.map_or(shown, AccountName::as_str);
        self.0.slowing.begin(name, address, Instant::now())
    }

    fn find(&self, name: Option<&AccountName>) -> Result<Option<StoredAccount>, StoreError> {
        name.map_or(Ok(None), |name| self.0.store.account(name))
    }

    /// Whether the password is right, and what is kept of it from now on where it was kept at another cost. It takes the
    /// same time where there is no account.
    pub(super) async fn tried(
        &self,
        password: &Spoken,
        account: Option<&StoredAccount>,
    ) -> Result<(bool, Option<Kept>), Busy> {
        let kept = account.map(|account| account.password.clone());
        let password = password.clone();
        let work = move || {
            let right = password::is_right(password.reveal(), kept.as_ref());
            let dated = right && kept.as_ref().is_some_and(password::is_dated);
            let anew = dated.then(|| password::kept(password.reveal()).ok()).flatten();
            (right, anew)
        };
        self.0.hashing.run(work).await
    }

    async fn begin(
        &self,
        name: &AccountName,
        account: &StoredAccount,
        anew: Option<Kept>,
        proof: Option<Proof>,
        address: &str,
    ) -> Result<Token, LogInError> {
        let token = Token::new().map_err(|error| StoreError::Fault {
            detail: error.to_string(),
        })?;
        let now = clock::now().as_second();
        let session = Session {
            account: name.clone(),
            began: now,
            seen: now,
            address: address.to_owned(),
        };
        let proved = AccountChange::Proved {
            password: account.password.clone(),
            set: account.password_set,
            anew,
        };
        let used = match proof {
            Some(Proof::Recovery(_)) => "recovery code",
            Some(Proof::Step(_)) => "one-time code",
            None => "",
        };
        let mut sessions = self.over()?;
        sessions.push(SessionChange::Begin(token.digest(), session));
        let deed = Deed {
            account: Some(name.clone()),
            changes: [proved].into_iter().chain(proof.map(AccountChange::Code)).collect(),
            sessions,
            ..Deed::noted(Entry::new(&account.name, address, LOG_IN, used))
        };
        self.write(deed).await?;
        Ok(token)
    }

    /// Writes what a log-in changes; what refuses it meanwhile is noted with it.
    async fn write(&self, deed: Deed) -> Result<(), LogInError> {
        match self.0.notes.deed(deed).await {
            Ok(()) => Ok(()),
            Err(StoreError::Deed(Refusal::CodeUsed | Refusal::NoTotp)) => Err(LogInError::WrongCode),
            Err(StoreError::Deed(_)) => Err(LogInError::Wrong),
            Err(error) => Err(NotNoted(error).into()),
        }
    }

    /// Notes a log-in that was refused. A name that is no account's is not noted: people type passwords there.
    async fn refuse(&self, shown: &Credentials, refused: Refused, address: &str) -> LogInError {
        let account = match refused.why {
            "unknown account" => None,
            _ => Some(shown.name.trim()),
        };
        let entry = Entry::new(account.unwrap_or_default(), address, LOG_IN, "");
        match self.0.notes.note(entry.ended(Outcome::Refused, refused.why)).await {
            Ok(()) => refused.error,
            Err(error) => error.into(),
        }
    }

    /// Its role demands one-time codes, and there are none.
    fn must_enrol(&self, account: &StoredAccount) -> bool {
        let has = account.totp.as_ref().is_some_and(|totp| totp.confirmed);
        !has && self.0.settings.read().require_totp.contains(&account.role)
    }

    /// An account as it asks.
    pub(super) fn as_caller(&self, account: StoredAccount, address: &str) -> Account {
        let needs_reason = account.role == Role::Auditor && self.0.settings.read().auditor_needs_reason;
        Account {
            address: address.to_owned(),
            needs_reason,
            enrols: self.must_enrol(&account),
            ..Account::new(&account.name, account.role, account.given)
        }
    }
}

/// What the code proves; nothing where none is asked for.
fn proof(account: &StoredAccount, code: Option<&Spoken>) -> Result<Option<Proof>, Refused> {
    let Some(totp) = account.totp.as_ref().filter(|totp| totp.confirmed) else {
        return Ok(None);
    };
    let refuse = |error, why| Err(Refused { error, why });
    match code {
        None => refuse(LogInError::NeedsCode, "no one-time code"),
        Some(code) => match totp.proof(code.reveal(), clock::now().as_second()) {
            None => refuse(LogInError::WrongCode, "wrong one-time code"),
            proof => Ok(proof),
        },
    }
}

fn counted<T>(result: Result<T, LogInError>) -> Result<T, LogInError> {
    metrics::log_in(result.as_ref().map_or_else(LogInError::outcome, |_| "done"));
    result
}
