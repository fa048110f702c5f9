//! Users whom the configuration manages, and what it changes about the existing ones. Pure.

use std::collections::{HashMap, HashSet};

use super::signs::Signs;
use crate::{
    archive::{StoreError, User, UserId},
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

/// What `configured` changes of the users there are: new ones are added, addresses changed, and who is no longer there is
/// retired. It is one change: on its way, an address may be two users'.
///
/// # Errors
/// A name, or a list's address, is also that of a user who was added by a command.
pub fn changed_users<'c, U>(
    known: &[(UserId, User, U)],
    configured: impl Iterator<Item = &'c config::User>,
    signs: &Signs,
) -> Result<Vec<(Option<UserId>, User)>, StoreError> {
    let mut by_name: HashMap<&str, (UserId, &User)> = HashMap::with_capacity(known.len());
    for (id, user, _) in known {
        let named = by_name.entry(&user.name).or_insert((*id, user));
        if named.1.retired && !user.retired {
            *named = (*id, user);
        }
    }
    let mut names = HashSet::new();
    let mut changed = Vec::new();
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
                });
            }
            Some((id, _)) => changed.push((Some(*id), wanted)),
        }
    }
    for (id, user, _) in known {
        if user.managed && !user.retired && !names.contains(user.name.as_str()) {
            let retired = true;
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
            && let Some(StoreError::User { name, detail }) = signs.contradiction(user)
        {
            let detail = format!("{detail}; take the list out until the user is retired or has other addresses");
            return Err(StoreError::User { name, detail });
        }
    }
    Ok(changed)
}
