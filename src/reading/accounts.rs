//! Accounts, as commands list and name them.

use super::{
    tell::{End, Tell},
    view,
};
use crate::{
    access::{AccountName, StoredAccount},
    api::{AccountLine, ApplicationLine, Code, Failure, Reply, Wrong},
    archive::{Store, Usage, User, UserId},
    config::nearest,
};

pub fn accounts(store: &Store, tell: &mut Tell) -> Result<(), End> {
    let users = store.users()?;
    for (_, account) in store.accounts()? {
        tell(Reply::Account(line(account, &users)))?;
    }
    Ok(())
}

pub fn account(store: &Store, name: &str, tell: &mut Tell) -> Result<(), End> {
    let (_, account) = find_account(store, name)?;
    tell(Reply::Account(line(account, &store.users()?)))
}

fn line(account: StoredAccount, users: &[(UserId, User, Usage)]) -> AccountLine {
    let given = users.iter().filter(|(id, ..)| account.given.contains(id));
    AccountLine {
        archives: given.map(|(_, user, _)| user.name.clone()).collect(),
        name: account.name,
        role: account.role,
        disabled: account.disabled,
        totp: account.totp.is_some_and(|totp| totp.confirmed),
    }
}

pub fn applications(store: &Store, name: &str, tell: &mut Tell) -> Result<(), End> {
    let (_, account) = find_account(store, name)?;
    for application in account.applications {
        tell(Reply::Application(ApplicationLine {
            account: account.name.clone(),
            name: application.name,
            made: view::time(application.made),
            used: application.used.map(view::time),
        }))?;
    }
    Ok(())
}

/// The account of this name.
///
/// # Errors
/// There is none; the nearest name is given.
pub fn find_account(store: &Store, name: &str) -> Result<(AccountName, StoredAccount), Failure> {
    if let Some(parsed) = AccountName::parse(name)
        && let Some(account) = store.account(&parsed)?
    {
        return Ok((parsed, account));
    }
    let known = store.accounts()?;
    let near = nearest(name, known.iter().map(|(_, account)| account.name.as_str()));
    let hint = near.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
    let wrong = Wrong::new(Code::NoAccount, &[&name]);
    Err(Failure::unknown(format!("no account is named {name:?}{hint}")).for_that(wrong))
}
