//! Users whom the configuration manages, and what it changes about those of the store.

use std::collections::HashSet;

use super::signs::Signs;
use crate::{
    api::{Code, Wrong},
    archive::{Store, StoreError, User, UserId, UsersNews},
    by_text::ByText,
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

/// What `configured`, which stands in `place`, changes of the users of the store: new ones are added, addresses changed,
/// and who is no longer there is retired. It is one change: on its way, an address may be two users'.
///
/// # Errors
/// A name, or a list's address, is also that of a user who was added by a command. Or the store cannot be read.
pub fn changed_users<'c>(
    store: &Store,
    configured: impl Iterator<Item = &'c config::User>,
    signs: &'c Signs,
    place: &str,
) -> Result<ChangedUsers, StoreError> {
    let mut comparing = Comparing::new(configured, signs);
    store.each_user(|id, user| comparing.there_is(id, user))?;
    comparing.changed(place)
}

/// The configured users, and what was found of each in the store. Of the others of the store only those who change are kept.
struct Comparing<'c> {
    signs: &'c Signs,
    configured: Vec<(&'c config::User, Option<Found>)>,
    by_name: ByText<u32>,
    retired: Vec<(UserId, User)>,
    refused: Option<StoreError>,
}

/// The user of the store who has a configured one's name; of several, the first, but one who is not retired before any who is.
#[derive(Clone, Copy)]
struct Found {
    id: UserId,
    retired: bool,
    managed: bool,
    /// There is nothing to be changed.
    same: bool,
    /// There is an address that they did not have.
    gains: bool,
}

impl<'c> Comparing<'c> {
    fn new(configured: impl Iterator<Item = &'c config::User>, signs: &'c Signs) -> Self {
        let configured: Vec<_> = configured.map(|user| (user, None)).collect();
        let mut by_name = ByText::default();
        for ((user, _), number) in configured.iter().zip(0..) {
            by_name.insert(&user.name, number);
        }
        Self {
            signs,
            configured,
            by_name,
            retired: Vec::new(),
            refused: None,
        }
    }

    fn there_is(&mut self, id: UserId, user: User) {
        // Of managed users the configuration's own check says it, with the line.
        if !user.managed && self.refused.is_none() {
            self.refused = self.signs.contradiction(&user).map(by_a_list);
        }
        let mut is_configured = false;
        for number in self.by_name.of(&user.name) {
            let (wanted, found) = &mut self.configured[number as usize];
            if wanted.name != user.name {
                continue;
            }
            is_configured = true;
            if found.is_none_or(|found| found.retired && !user.retired) {
                // One that is none is refused where the user is changed.
                let wanted = managed(wanted).ok();
                *found = Some(Found {
                    id,
                    retired: user.retired,
                    managed: user.managed,
                    same: wanted.as_ref() == Some(&user),
                    gains: wanted.is_some_and(|wanted| gains(Some(&user), &wanted)),
                });
            }
        }
        if user.managed && !user.retired && !is_configured {
            self.retired.push((id, User { retired: true, ..user }));
        }
    }

    fn changed(self, place: &str) -> Result<ChangedUsers, StoreError> {
        let mut changed = Vec::new();
        let mut news = UsersNews::default();
        for (user, found) in self.configured {
            match found {
                Some(found) if found.same => continue,
                Some(found) if !found.managed && !found.retired => {
                    return Err(StoreError::User {
                        name: user.name.clone(),
                        detail: "is in the configuration and was added by a command too; rename one of them".into(),
                        wrong: Wrong::new(Code::UserExists, &[&user.name]).into(),
                    });
                }
                _ => {}
            }
            let wanted = managed(user)?;
            if found.map_or_else(|| gains(None, &wanted), |found| found.gains) {
                news.gained.insert(wanted.name.clone());
            }
            changed.push((found.map(|found| found.id), wanted));
        }
        if let Some(error) = self.refused {
            return Err(error);
        }
        if !self.retired.is_empty() {
            news.retired = self.retired.iter().map(|(_, user)| user.name.clone()).collect();
            place.clone_into(&mut news.retired_from);
        }
        changed.extend(self.retired.into_iter().map(|(id, user)| (Some(id), user)));
        Ok((changed, news))
    }
}

fn by_a_list(error: StoreError) -> StoreError {
    match error {
        StoreError::User { name, detail, wrong } => {
            let detail = format!("{detail}; take the list out until the user is retired or has other addresses");
            StoreError::User { name, detail, wrong }
        }
        error => error,
    }
}

/// Whether a user as `wanted` has an address that they did not have before: new ones, those with more addresses, and those
/// who were retired.
fn gains(before: Option<&User>, wanted: &User) -> bool {
    let before = before.filter(|user| !user.retired);
    let had: HashSet<&Address> = before.map_or_else(HashSet::new, |user| user.addresses.iter().collect());
    !wanted.retired && wanted.addresses.iter().any(|address| !had.contains(address))
}

#[test]
fn who_comes_back_or_has_one_more_address_gains_and_who_loses_one_does_not() {
    let user = |addresses: &[&str], retired| User {
        name: "user".into(),
        addresses: addresses.iter().filter_map(|text| Address::parse(text)).collect(),
        managed: true,
        retired,
    };
    let (a, b) = ("a@example.com", "b@example.com");
    let more = gains(Some(&user(&[a], false)), &user(&[a, b], false));
    let less = gains(Some(&user(&[a, b], false)), &user(&[b], false));
    let back = gains(Some(&user(&[a], true)), &user(&[a], false));
    let goes = gains(Some(&user(&[a], false)), &user(&[a, b], true));
    let (new, nothing) = (gains(None, &user(&[b], false)), gains(None, &user(&[], false)));
    assert_eq!((more, less, back, goes), (true, false, true, false));
    assert_eq!((new, nothing), (true, false));
}
