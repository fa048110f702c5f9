//! Changes of accounts: what somebody wishes becomes a deed.

use std::time::Duration;

use super::{
    log_in::{APPLICATION, LogInError},
    made::application_password,
    notes::NotNoted,
    state::Gate,
};
use crate::{
    access::{
        Account, AccountChange, AccountName, Archives, Caller, Outcome, Refusal, StoredAccount, Totp, noted, password,
        totp::recovery_codes,
        words::{Digest, NoRandom},
    },
    api::{AccountWish, Code, Exit, Failure, Made, Request, Spoken, Wrong},
    archive::{Deed, SessionChange, StoreError},
    clock, reading,
};

/// Characters of an application's name at most.
const LONGEST_NAME: usize = 64;

/// What is to be changed, and what is answered.
#[derive(Default)]
struct Plan {
    changes: Vec<AccountChange>,
    sessions: Vec<SessionChange>,
    made: Vec<Made>,
}

impl From<AccountChange> for Plan {
    fn from(change: AccountChange) -> Self {
        Self {
            changes: vec![change],
            ..Self::default()
        }
    }
}

impl Gate {
    /// Changes an account as `caller`, who may do so, wishes. It is noted, also where it is refused or fails. Gives
    /// secrets that were made by it.
    ///
    /// # Errors
    /// There is no such account, it is there already, or the wish cannot be granted; or nothing can be written.
    pub async fn change(&self, caller: &Caller, name: &str, wish: AccountWish) -> Result<Vec<Made>, Failure> {
        let request = Request::ChangeAccount {
            name: name.to_owned(),
            wish: wish.clone(),
        };
        let Some(entry) = noted(caller, &request) else {
            return Err(Failure::usage("this changes no account"));
        };
        let planned = match AccountName::parse(name) {
            Some(account) => self
                .plan(caller, &account, name, wish)
                .await
                .map(|plan| (account, plan)),
            None => Err(no_name(name)),
        };
        let (account, plan) = match planned {
            Ok(planned) => planned,
            Err(failure) => {
                self.0.notes.note(entry.ended(Outcome::Failed, &failure.error)).await?;
                return Err(failure);
            }
        };
        let deed = Deed {
            account: Some(account),
            changes: plan.changes,
            sessions: plan.sessions,
            keeps: own_session(caller, name),
            // The owner has the command line, also where nobody administers by an account.
            spares_administrator: matches!(caller, Caller::Account(_)),
            ..Deed::noted(entry)
        };
        match self.0.notes.deed(deed).await {
            Ok(()) => Ok(plan.made),
            Err(StoreError::Deed(refusal)) => Err(refused(name, refusal)),
            Err(error) => Err(NotNoted(error).into()),
        }
    }

    async fn plan(
        &self,
        caller: &Caller,
        account: &AccountName,
        name: &str,
        wish: AccountWish,
    ) -> Result<Plan, Failure> {
        let now = clock::now().as_second();
        let known = || -> Result<StoredAccount, Failure> {
            self.0
                .store
                .account(account)?
                .ok_or_else(|| refused(name, Refusal::None))
        };
        Ok(match wish {
            AccountWish::Add {
                role,
                archives,
                password,
            } => {
                if self.0.store.account(account)?.is_some() {
                    return Err(refused(name, Refusal::Exists));
                }
                let archives = archives.iter().map(|archive| self.archive(archive));
                let given = archives.collect::<Result<_, _>>()?;
                let new = StoredAccount::new(name, role, given, self.kept(name, password).await?, now);
                AccountChange::Add(new.into()).into()
            }
            AccountWish::Password { password, current } => {
                let known = known()?;
                if let Caller::Account(own) = caller
                    && is_own(caller, account)
                {
                    self.require_current(own, account, &known, current).await?;
                }
                AccountChange::Password(self.kept(name, password).await?, now).into()
            }
            AccountWish::Disable => AccountChange::Disable.into(),
            AccountWish::Enable => AccountChange::Enable.into(),
            AccountWish::Remove => AccountChange::Remove.into(),
            AccountWish::Role(role) => AccountChange::Role(role).into(),
            AccountWish::Give(user) => AccountChange::Give(self.archive(&user)?).into(),
            AccountWish::Take(user) => AccountChange::Take(self.archive(&user)?).into(),
            AccountWish::Totp => {
                let known = known()?;
                if known.totp.is_some_and(|totp| totp.confirmed) {
                    return Err(Failure::usage(format!(
                        "account {name:?} has one-time codes already: turn them off first"
                    ))
                    .for_that(Wrong::from(Code::CodesOn)));
                }
                let totp = Totp::new().map_err(no_random)?;
                let made = Made::Totp {
                    secret: Spoken::new(totp.secret()),
                    address: Spoken::new(totp.address(&known.name)),
                };
                Plan {
                    made: vec![made],
                    ..AccountChange::Totp(totp).into()
                }
            }
            AccountWish::ConfirmTotp { code } => {
                let totp = known()?.totp.ok_or_else(|| refused(name, Refusal::NoTotp))?;
                let proof = totp.proof(code.reveal(), now).ok_or_else(wrong_code)?;
                let (codes, digests) = recovery_codes().map_err(no_random)?;
                Plan {
                    made: vec![Made::RecoveryCodes(codes.into_iter().map(Spoken::new).collect())],
                    ..AccountChange::ConfirmTotp(proof, digests).into()
                }
            }
            AccountWish::TotpOff => AccountChange::TotpOff.into(),
            AccountWish::AddApplication(application) => {
                let application = application.trim();
                if application.is_empty() || application.chars().count() > LONGEST_NAME {
                    let error = format!("an application's name has 1 to {LONGEST_NAME} characters");
                    return Err(Failure::usage(error).for_that(Wrong::new(Code::ApplicationName, &[&LONGEST_NAME])));
                }
                let (password, kept) = application_password(APPLICATION, application, now).map_err(no_random)?;
                Plan {
                    made: vec![Made::ApplicationPassword(password)],
                    ..AccountChange::AddApplication(kept).into()
                }
            }
            AccountWish::RemoveApplication(application) => AccountChange::RemoveApplication(application).into(),
            AccountWish::EndSessions(None) => {
                known()?;
                Plan {
                    sessions: vec![SessionChange::EndAll(account.clone())],
                    ..Plan::default()
                }
            }
            AccountWish::EndSessions(Some(session)) => {
                known()?;
                let digest = self.session_named(account, &session)?;
                let digest =
                    digest.ok_or_else(|| Failure::unknown(format!("account {name:?} has no session {session}")))?;
                Plan {
                    sessions: vec![SessionChange::End(digest)],
                    ..Plan::default()
                }
            }
        })
    }

    /// The user of this name, whose archive is to be given or taken.
    fn archive(&self, user: &str) -> Result<crate::ids::UserId, Failure> {
        Ok(reading::find_user(&self.0.store, &Archives::All, user)?.0)
    }

    /// What is kept of a new password.
    pub(super) async fn kept(&self, name: &str, password: Spoken) -> Result<password::Kept, Failure> {
        password::acceptable(name, password.reveal()).map_err(|error| {
            let wrong = error.wrong();
            Failure::usage(error).for_that(wrong)
        })?;
        let work = move || password::kept(password.reveal());
        match self.0.hashing.run(work).await {
            Ok(kept) => kept.map_err(|error| Failure::new(Exit::Errors, error)),
            Err(_) => Err(busy()),
        }
    }

    /// Whoever changes their own password knows it: a session that was left open is not enough. Guesses are slowed down as
    /// those of log-ins.
    async fn require_current(
        &self,
        own: &Account,
        name: &AccountName,
        account: &StoredAccount,
        current: Option<Spoken>,
    ) -> Result<(), Failure> {
        let current = current.ok_or_else(|| Failure::usage("give the password so far, too"))?;
        let guess = self.slow(Some(name), &own.name, &own.address).map_err(slowed)?;
        match self.tried(&current, Some(account)).await {
            Ok((true, _)) => {
                guess.succeeded();
                Ok(())
            }
            Ok((false, _)) => {
                Err(Failure::usage("the password so far is another one").for_that(Wrong::from(Code::PasswordSoFar)))
            }
            Err(_) => {
                guess.no_guess();
                Err(busy())
            }
        }
    }
}

/// Whoever changes their own account stays logged in.
fn own_session(caller: &Caller, name: &str) -> Option<Digest> {
    match caller {
        Caller::Account(own) if AccountName::parse(name).is_some_and(|name| is_own(caller, &name)) => own.session,
        _ => None,
    }
}

fn is_own(caller: &Caller, account: &AccountName) -> bool {
    match caller {
        Caller::Owner(_) => false,
        Caller::Account(own) => AccountName::parse(&own.name).as_ref() == Some(account),
    }
}

fn busy() -> Failure {
    Failure::new(Exit::Errors, "too many log-ins at once: try again in a moment").for_that(Wrong::from(Code::Busy))
}

fn slowed(wait: Duration) -> Failure {
    let seconds = wait.as_secs() + 1;
    Failure::new(Exit::Errors, LogInError::Slowed(wait)).for_that(Wrong::new(Code::Slowed, &[&seconds]))
}

fn wrong_code() -> Failure {
    Failure::usage("the one-time code is wrong: look at the clocks of both machines")
        .for_that(Wrong::from(Code::CodeWrong))
}

pub(super) fn no_name(name: &str) -> Failure {
    Failure::usage(format!(
        "{name:?} cannot be the name of an account: take up to 64 letters, digits and . _ - + @, with a letter or digit \
         first, and not \"owner\" or \"dropkeep\""
    ))
    .for_that(Wrong::new(Code::AccountName, &[&name]))
}

pub(super) fn refused(name: &str, refusal: Refusal) -> Failure {
    let error = format!("account {name:?}: {refusal}");
    let failure = match refusal {
        Refusal::None | Refusal::NoApplication | Refusal::NotGiven => Failure::unknown(error),
        _ => Failure::conflict(error),
    };
    failure.for_that(Wrong::new(refusal.into(), &[&name]))
}

fn no_random(error: NoRandom) -> Failure {
    Failure::new(Exit::Errors, error)
}
