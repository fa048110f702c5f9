//! Users whom the configuration manages, and what it changes about the existing ones. Pure.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::signs::Signs;
use crate::{
    api::{Code, Wrong},
    archive::{StoreError, User, UserId, UsersNews},
    config,
    message::Address,
};

/// A user as the configuration has it; each address once. Who is disabled is to the store a retired user.
///
/// # Errors
/// An address is none. A configuration that was checked has no such.
pub fn managed(user: &config::User) -> Result<User, StoreError> {
    let refused = |error: crate::message::EntryError| StoreError::User {
        name: user.name.clone(),
        detail: error.to_string(),
        wrong: Wrong::from(&error).into(),
    };
    let mut seen = HashSet::new();
    let mut addresses = Vec::with_capacity(user.addresses.len());
    for text in &user.addresses {
        let address = Address::parse_entry(text).map_err(refused)?;
        if seen.insert(address.clone()) {
            addresses.push(address);
        }
    }
    Ok(User {
        name: user.name.clone(),
        addresses,
        managed: true,
        retired: user.disabled,
    })
}

/// Users as they are to be, those that are new without a number; and what is to be said of it.
pub type ChangedUsers = (Vec<(Option<UserId>, User)>, UsersNews);

/// What `configured`, which stands in `place`, changes of the users there are: new ones are added, addresses changed,
/// and who is no longer there is retired. It is one change: on its way, an address may be two users'.
///
/// # Errors
/// A name, or a list's address, is also that of a user who was added by a command.
pub fn changed_users<'c, U>(
    known: &[(UserId, User, U)],
    configured: impl Iterator<Item = &'c config::User>,
    signs: &Signs,
    place: &str,
) -> Result<ChangedUsers, StoreError> {
    let mut by_name: HashMap<&str, (UserId, &User)> = HashMap::with_capacity(known.len());
    for (id, user, _) in known {
        let named = by_name.entry(&user.name).or_insert((*id, user));
        if named.1.retired && !user.retired {
            *named = (*id, user);
        }
    }
    let mut names = HashSet::new();
    let mut changed = Vec::new();
    let mut news = UsersNews::default();
    for user in configured {
        names.insert(user.name.as_str());
        let wanted = managed(user)?;
        match by_name.get(user.name.as_str()) {
            None => changed.push((None, wanted)),
            Some((_, there)) if **there == wanted => {}
            Some((_, there)) if !there.managed && !there.retired => {
                return Err(StoreError::User {
                    name: there.name.clone(),
                    detail: "is in the configuration and was added by a command too; rename one of them".into(),
                    wrong: Wrong::new(Code::UserExists, &[&there.name]).into(),
                });
            }
            Some((id, _)) => changed.push((Some(*id), wanted)),
        }
    }
    for (id, user, _) in known {
        if user.managed && !user.retired && !names.contains(user.name.as_str()) {
            let retired = true;
            news.retired.insert(user.name.clone());
            changed.push((
                Some(*id),
                User {
                    retired,
                    ..user.clone()
                },
            ));
        }
        // Of managed users the configuration's own check says it, with the line.
        if !user.managed
            && let Some(StoreError::User { name, detail, wrong }) = signs.contradiction(user)
        {
            let detail = format!("{detail}; take the list out until the user is retired or has other addresses");
            return Err(StoreError::User { name, detail, wrong });
        }
    }
    news.gained = gained(known, &changed);
    if !news.retired.is_empty() {
        place.clone_into(&mut news.retired_from);
    }
    Ok((changed, news))
}

/// The names of the users who have addresses by `changed` that they did not have among these: new ones, those with more
/// addresses, and those who were retired.
fn gained<U>(known: &[(UserId, User, U)], changed: &[(Option<UserId>, User)]) -> BTreeSet<String> {
    let before: HashMap<UserId, &User> = match changed {
        [] => HashMap::new(),
        _ => known.iter().map(|(id, user, _)| (*id, user)).collect(),
    };
    let gains = |(id, user): &&(Option<UserId>, User)| {
        let had = id.and_then(|id| before.get(&id)).filter(|user| !user.retired);
        let had: HashSet<&Address> = had.map_or_else(HashSet::new, |user| user.addresses.iter().collect());
        !user.retired && user.addresses.iter().any(|address| !had.contains(address))
    };
    changed
        .iter()
        .filter(gains)
        .map(|(_, user)| user.name.clone())
        .collect()
}

#[test]
fn who_comes_back_or_has_one_more_address_gains_and_who_loses_one_does_not() {
    let user = |name: &str, addresses: &[&str], retired| User {
        name: name.into(),
        addresses: addresses.iter().filter_map(|text| Address::parse(text)).collect(),
        managed: true,
        retired,
    };
    let (a, b) = ("a@example.com", "b@example.com");
    let known = [
        (UserId(1), user("more", &[a], false), ()),
        (UserId(2), user("less", &[a, b], false), ()),
        (UserId(3), user("back", &[a], true), ()),
        (UserId(4), user("goes", &[a], false), ()),
    ];
    let changed = [
        (Some(UserId(1)), user("more", &[a, b], false)),
        (Some(UserId(2)), user("less", &[b], false)),
        (Some(UserId(3)), user("back", &[a], false)),
        (Some(UserId(4)), user("goes", &[a, b], true)),
        (None, user("new", &[b], false)),
        (None, user("nothing", &[], false)),
    ];
    let gained: Vec<_> = gained(&known, &changed).into_iter().collect();
    assert_eq!(gained, ["back", "more", "new"]);
}
