//! The users, as commands list and name them.

use super::tell::{End, Tell};
use crate::{
    access::Archives,
    api::{Code, Failure, Reply, UserLine, Wrong},
    archive::{Store, StoreError, Usage, User, UserId},
    config::nearest,
    message::{Address, CATCHALL},
};

pub fn users(store: &Store, archives: &Archives, tell: &mut Tell) -> Result<(), End> {
    for (_, user, usage) in readable(store, archives)? {
        tell(Reply::User(UserLine {
            name: user.name,
            addresses: user.addresses,
            managed: user.managed,
            retired: user.retired,
            messages: usage.messages,
            bytes: usage.bytes,
        }))?;
    }
    Ok(())
}

/// The addresses that are not reported though nobody has them.
pub fn ignored(store: &Store, tell: &mut Tell) -> Result<(), End> {
    for address in store.ignored()? {
        tell(Reply::Ignored(address.to_string()))?;
    }
    Ok(())
}

/// The users whose archives are among these.
///
/// # Errors
/// The store cannot be read.
pub fn readable(store: &Store, archives: &Archives) -> Result<Vec<(UserId, User, Usage)>, StoreError> {
    let mut users = store.users()?;
    users.retain(|(id, ..)| archives.has(*id));
    Ok(users)
}

/// The user of this name whose archive is one of `archives`, and what it holds; of several of one name the one who is
/// not retired.
///
/// # Errors
/// There is none; the nearest name is given.
pub fn find_user(store: &Store, archives: &Archives, name: &str) -> Result<(UserId, String, Usage), Failure> {
    let users = readable(store, archives)?;
    let named = users.iter().filter(|(_, user, _)| user.name == name);
    if let Some((id, _, usage)) = named.min_by_key(|(_, user, _)| user.retired) {
        return Ok((*id, name.to_owned(), *usage));
    }
    // An address says it as well, where it is one user's; of a retired user and another, it is the other's.
    if let Some(address) = Address::parse(name) {
        let having = |retired| {
            let has = users.iter().filter(move |(_, user, _)| user.retired == retired);
            let has: Vec<_> = has.filter(|(_, user, _)| user.addresses.contains(&address)).collect();
            has
        };
        let active = having(false);
        let having = if active.is_empty() { having(true) } else { active };
        if let [(id, user, usage)] = having.as_slice() {
            return Ok((*id, user.name.clone(), *usage));
        }
    }
    let (retired, active): (Vec<_>, Vec<_>) = users.iter().partition(|(_, user, _)| user.retired);
    let mut names = [active, retired].map(|users| users.into_iter().map(|(_, user, _)| user.name.as_str()));
    let near = names.iter_mut().find_map(|names| {
        let names = names.filter(|known| *known != CATCHALL);
        nearest(name, names)
    });
    Err(no_user(name, near.as_deref().into_iter()))
}

/// That nobody has this name, and whose is the nearest of those that are `known`.
pub fn no_user<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Failure {
    let known = known.filter(|known| *known != CATCHALL);
    let near = nearest(name, known);
    let hint = near.as_ref().map(|near| format!("; did you mean {near:?}?"));
    let wrong = Wrong {
        about: [name.to_owned()].into_iter().chain(near).collect(),
        ..Code::NoUser.into()
    };
    Failure::unknown(format!("no user is named {name:?}{}", hint.unwrap_or_default())).for_that(wrong)
}
