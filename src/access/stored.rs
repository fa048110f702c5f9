//! An account as it is kept, and what may change about it: pure, so that the one who writes it can decide by what there
//! is at that moment.

use std::{collections::BTreeSet, fmt};

use icu_normalizer::ComposingNormalizerBorrowed;
use serde::{Deserialize, Serialize};

use super::{
    Hidden, Role,
    entry::{DROPKEEP, OWNER},
    password::Kept,
    totp::{Proof, Totp},
    words::Digest,
};
use crate::{
    api::Code,
    ids::{Seconds, UserId},
};

/// Characters and bytes of an account's name at most.
const LONGEST: usize = 64;
const MOST_BYTES: usize = 200;
/// Application passwords of an account at most.
const MOST_APPLICATIONS: usize = 50;

/// The name of an account as it is compared: in small letters, in one of the forms that look the same.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountName(String);

impl AccountName {
    /// `None` where it can be no name: letters and digits of all scripts, and `. _ - + @` behind the first. Those who do
    /// things in the audit log without an account are none.
    pub fn parse(text: &str) -> Option<Self> {
        let name = ComposingNormalizerBorrowed::new_nfkc()
            .normalize(text.trim())
            .to_lowercase();
        let fits = (1..=LONGEST).contains(&name.chars().count()) && name.len() <= MOST_BYTES;
        let letter = |c: char| c.is_alphanumeric();
        let fine = name.starts_with(letter) && name.chars().all(|c| letter(c) || "._-+@".contains(c));
        let free = ![OWNER, DROPKEEP].contains(&name.as_str());
        (fits && fine && free).then_some(Self(name))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As a key of the store has it; what is no name was not written by us.
    pub(crate) fn of_key(bytes: &[u8]) -> Option<Self> {
        String::from_utf8(bytes.to_vec()).ok().map(Self)
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `accounts`: somebody who logs in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredAccount {
    /// The name as it was given.
    pub name: String,
    pub role: Role,
    /// The users whose archives were given to it.
    pub given: BTreeSet<UserId>,
    pub disabled: bool,
    pub password: Kept,
    pub totp: Option<Totp>,
    pub applications: Vec<ApplicationPassword>,
    pub made: Seconds,
    /// When its password was set.
    pub password_set: Seconds,
}

impl StoredAccount {
    /// A new one, which has only a password, set now.
    pub fn new(name: &str, role: Role, given: BTreeSet<UserId>, password: Kept, now: Seconds) -> Self {
        Self {
            name: name.trim().to_owned(),
            role,
            given,
            disabled: false,
            password,
            totp: None,
            applications: Vec::new(),
            made: now,
            password_set: now,
        }
    }

    /// Whether somebody can log in by it and administer.
    pub fn administers(&self) -> bool {
        self.role == Role::Administrator && !self.disabled
    }
}

/// A password for one program, which cannot ask for one-time codes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationPassword {
    pub name: String,
    pub digest: Hidden<Digest>,
    pub made: Seconds,
    pub used: Option<Seconds>,
}

/// Something to be changed about an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountChange {
    Add(Box<StoredAccount>),
    Remove,
    Disable,
    Enable,
    Role(Role),
    Give(UserId),
    Take(UserId),
    Password(Kept, Seconds),
    /// Somebody proved to know this password, which was set then, and it must still be this one; it is kept anew where
    /// that is given.
    Proved {
        password: Kept,
        set: Seconds,
        anew: Option<Kept>,
    },
    /// One-time codes that are not confirmed yet.
    Totp(Totp),
    /// They work: codes are asked for from now on.
    ConfirmTotp(Proof, Vec<Digest>),
    TotpOff,
    /// A one-time code was shown, and must not be shown again.
    Code(Proof),
    AddApplication(ApplicationPassword),
    RemoveApplication(String),
    ApplicationUsed(String, Seconds),
}

/// Why nothing was changed.
#[derive(thiserror::Error, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    #[error("there is an account of this name already")]
    Exists,
    #[error("there is no account of this name")]
    None,
    #[error("the account is disabled")]
    Disabled,
    #[error("the password was changed just now; try again")]
    Changed,
    #[error("this one-time code was used before")]
    CodeUsed,
    #[error("one-time codes were not begun for this account")]
    NoTotp,
    #[error("there is an application password of this name already")]
    ApplicationExists,
    #[error("there is no application password of this name")]
    NoApplication,
    #[error("the account has {MOST_APPLICATIONS} application passwords already: remove one first")]
    Applications,
    #[error("this archive was given to the account already")]
    Given,
    #[error("this archive was not given to the account")]
    NotGiven,
    #[error("no other account administers dropkeep and is not disabled: give one that role first")]
    LastAdministrator,
}

impl From<Refusal> for Code {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Exists => Self::AccountExists,
            Refusal::None => Self::NoAccount,
            Refusal::Disabled => Self::AccountDisabled,
            Refusal::Changed => Self::PasswordChanged,
            Refusal::CodeUsed => Self::CodeUsed,
            Refusal::NoTotp => Self::CodesNotBegun,
            Refusal::ApplicationExists => Self::ApplicationExists,
            Refusal::NoApplication => Self::NoApplication,
            Refusal::Applications => Self::Applications,
            Refusal::Given => Self::ArchiveGiven,
            Refusal::NotGiven => Self::ArchiveNotGiven,
            Refusal::LastAdministrator => Self::LastAdministrator,
        }
    }
}

impl AccountChange {
    /// Changes `account`, where that may be.
    ///
    /// # Errors
    /// It is not as this change needs it.
    pub fn apply(&self, account: &mut Option<StoredAccount>) -> Result<(), Refusal> {
        if let Self::Add(new) = self {
            if account.is_some() {
                return Err(Refusal::Exists);
            }
            *account = Some((**new).clone());
            return Ok(());
        }
        let Some(known) = account else {
            return Err(Refusal::None);
        };
        match self {
            Self::Add(_) => {}
            Self::Remove => *account = None,
            Self::Disable => known.disabled = true,
            Self::Enable => known.disabled = false,
            Self::Role(role) => known.role = *role,
            Self::Give(user) => known.given.insert(*user).then_some(()).ok_or(Refusal::Given)?,
            Self::Take(user) => known.given.remove(user).then_some(()).ok_or(Refusal::NotGiven)?,
            Self::Password(password, at) => (known.password, known.password_set) = (password.clone(), *at),
            Self::Proved { password, set, anew } => {
                if known.disabled {
                    return Err(Refusal::Disabled);
                }
                match anew {
                    None if known.password == *password => {}
                    Some(anew) if known.password == *password => known.password.clone_from(anew),
                    // Of several log-ins at once, another one has kept it anew.
                    Some(_) if known.password_set == *set => {}
                    _ => return Err(Refusal::Changed),
                }
            }
            Self::Totp(totp) => known.totp = Some(totp.clone()),
            Self::ConfirmTotp(proof, recovery) => {
                let totp = known.totp.as_mut().ok_or(Refusal::NoTotp)?;
                totp.use_up(proof).then_some(()).ok_or(Refusal::CodeUsed)?;
                totp.confirmed = true;
                totp.recovery.clone_from(recovery);
            }
            Self::TotpOff => known.totp = None,
            Self::Code(proof) => {
                let totp = known.totp.as_mut().ok_or(Refusal::NoTotp)?;
                totp.use_up(proof).then_some(()).ok_or(Refusal::CodeUsed)?;
            }
            Self::AddApplication(new) => {
                if known.applications.iter().any(|known| known.name == new.name) {
                    return Err(Refusal::ApplicationExists);
                }
                if known.applications.len() >= MOST_APPLICATIONS {
                    return Err(Refusal::Applications);
                }
                known.applications.push(new.clone());
            }
            Self::RemoveApplication(name) => {
                let before = known.applications.len();
                known.applications.retain(|known| known.name != *name);
                if known.applications.len() == before {
                    return Err(Refusal::NoApplication);
                }
            }
            Self::ApplicationUsed(name, at) => {
                if known.disabled {
                    return Err(Refusal::Disabled);
                }
                let used = known.applications.iter_mut().find(|known| known.name == *name);
                used.ok_or(Refusal::NoApplication)?.used = Some(*at);
            }
        }
        Ok(())
    }

    /// Whether the sessions of the account end by it: whoever has them may no longer be who may have them.
    pub fn ends_sessions(&self) -> bool {
        matches!(
            self,
            Self::Remove | Self::Disable | Self::Role(_) | Self::Password(..) | Self::TotpOff | Self::Take(_)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> StoredAccount {
        StoredAccount::new("Jane", Role::User, [UserId(3)].into(), Hidden("kept".into()), 0)
    }

    /// What became of an account by these changes, one behind the other.
    fn changed(changes: &[AccountChange]) -> Result<Option<StoredAccount>, Refusal> {
        let mut account = Some(account());
        changes.iter().try_for_each(|change| change.apply(&mut account))?;
        Ok(account)
    }

    #[test]
    fn names_are_the_same_in_capitals_and_in_other_forms() {
        let name = |text: &str| AccountName::parse(text).map(|name| name.0);
        assert_eq!(name(" Jane.Doe@Example.com "), Some("jane.doe@example.com".into()));
        assert_eq!(name("Jose\u{301}"), name("JOS\u{c9}"));
        for wrong in [
            "",
            " ",
            "@jane",
            "-x",
            "jane doe",
            "jane\u{200b}",
            "a/b",
            "a\nb",
            "Owner",
            &"x".repeat(65),
        ] {
            assert_eq!(name(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_change_that_does_not_fit_is_refused() {
        use AccountChange::*;
        assert_eq!(changed(&[Add(account().into())]), Err(Refusal::Exists));
        assert_eq!(changed(&[Remove, Disable]), Err(Refusal::None));
        assert_eq!(changed(&[Remove, Add(account().into())]), Ok(Some(account())));
        assert_eq!(changed(&[Give(UserId(3))]), Err(Refusal::Given));
        assert_eq!(changed(&[Take(UserId(4))]), Err(Refusal::NotGiven));
        assert_eq!(changed(&[TotpOff, Code(Proof::Step(1))]), Err(Refusal::NoTotp));
        assert_eq!(changed(&[RemoveApplication("x".into())]), Err(Refusal::NoApplication));
        let given = changed(&[Give(UserId(9)), Take(UserId(3))]).unwrap().unwrap().given;
        assert_eq!(given, [UserId(9)].into());
    }

    #[test]
    fn a_log_in_counts_only_with_the_password_as_it_is_when_it_is_written() {
        use AccountChange::*;
        let proved = |password: &str, anew: Option<&str>| Proved {
            password: Hidden(password.into()),
            set: 0,
            anew: anew.map(|anew| Hidden(anew.into())),
        };
        assert_eq!(changed(&[proved("kept", None)]), Ok(Some(account())));
        assert_eq!(
            changed(&[Password(Hidden("new".into()), 5), proved("kept", None)]),
            Err(Refusal::Changed)
        );
        assert_eq!(changed(&[Disable, proved("kept", None)]), Err(Refusal::Disabled));
        let anew = changed(&[proved("kept", Some("anew"))]).unwrap().unwrap();
        assert_eq!(anew.password, Hidden("anew".into()));
        let twice = changed(&[proved("kept", Some("anew")), proved("kept", Some("another"))]);
        assert_eq!(twice.unwrap().unwrap().password, Hidden("anew".into()));
        let changed_since = changed(&[Password(Hidden("new".into()), 5), proved("kept", Some("anew"))]);
        assert_eq!(changed_since, Err(Refusal::Changed));
    }
}
