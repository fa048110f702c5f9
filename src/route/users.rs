//! What the users commands make of the directory. Pure.

use std::collections::{HashMap, HashSet};

use super::{
    Directory, Signs,
    managed::{ChangedUsers, managed},
};
use crate::{
    api::{ChangeKind, Code, Wrong},
    archive::{CATCHALL_ID, StoreError, User, UserId, UsersNews},
    config::{self, nearest},
    message::{Address, check_name},
    panics::Panicked,
};

/// What is asked to be changed; what it comes to is decided where the directory is.
#[derive(Clone, Debug)]
pub enum UserChange {
    Add {
        name: String,
        addresses: Vec<Address>,
    },
    /// Other addresses; who was retired comes back.
    Addresses {
        name: String,
        addresses: Vec<Address>,
    },
    /// One more address; it may be theirs already.
    Gain {
        name: String,
        address: Address,
    },
    Rename {
        name: String,
        to: String,
    },
    Retire {
        name: String,
    },
}

/// What somebody wants to be changed of a user.
#[derive(Clone, Debug)]
pub enum Wanted {
    Rename(String),
    Addresses,
    Retire,
}

#[derive(thiserror::Error, Clone, Debug)]
pub enum UserError {
    #[error("{}", crate::message::no_user_name(name, why))]
    Name { name: String, why: &'static str },
    #[error("user {0:?} exists already")]
    Exists(String),
    #[error("no user is named {name:?}{}", nearest.as_ref().map(|near| format!("; did you mean \
        {near:?}?")).unwrap_or_default())]
    Nobody { name: String, nearest: Option<String> },
    #[error("user {name:?} is in the configuration or its users_file: {}", match wanted {
        Wanted::Rename(to) => format!(
            "first change the name there to {to:?} (and have the running appliance take it over with `dropkeep reload`), then \
             run this command again; with the name changed there alone, {to:?} is a new user with an empty archive"
        ),
        Wanted::Addresses => "change the addresses there, then run `dropkeep reload`".to_owned(),
        Wanted::Retire => "to retire this user, remove it there".to_owned(),
    })]
    Managed { name: String, wanted: Wanted },
    #[error(
        "{name:?} and {to:?} cannot become one user: {to:?} has {messages} messages of their own already. To file the mail \
         of {name:?} for them too: dropkeep reroute --from {name:?}"
    )]
    HasMail { name: String, to: String, messages: u64 },
    #[error("{0:?} is built in")]
    BuiltIn(String),
    #[error("user {0:?} is retired, and gets no mail: add them again first")]
    Retired(String),
    #[error("{0}; `dropkeep users` shows whether the change was made")]
    Panicked(#[from] Panicked),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl UserError {
    /// The same for whoever says it in other words; nothing of what is nobody's mistake.
    pub fn wrong(&self) -> Option<Wrong> {
        Some(match self {
            Self::Name { name, .. } => Wrong::new(Code::UserName, &[name]),
            Self::Exists(name) => Wrong::new(Code::UserExists, &[name]),
            Self::Nobody { name, nearest } => Wrong {
                about: [name].into_iter().chain(nearest).cloned().collect(),
                ..Code::NoUser.into()
            },
            Self::Managed { name, .. } => Wrong::new(Code::UserOfConfiguration, &[name]),
            Self::HasMail { name, to, messages } => Wrong::new(Code::UserHasMail, &[name, to, messages]),
            Self::BuiltIn(name) => Wrong::new(Code::UserBuiltIn, &[name]),
            Self::Retired(name) => Wrong::new(Code::UserRetired, &[name]),
            Self::Panicked(_) => return None,
            Self::Store(StoreError::User { wrong, .. }) => (**wrong).clone(),
            Self::Store(_) => return None,
        })
    }
}

/// The user whom `change` changes, as they are to be; without a number where they are new.
///
/// # Errors
/// It cannot be done to the users there are.
pub fn changed(directory: &Directory, change: UserChange) -> Result<(Option<UserId>, User), UserError> {
    match change {
        UserChange::Add { name, addresses } => {
            checked(&name)?;
            let known = directory.by_name(&name);
            let id = match known.and_then(|id| Some((id, directory.user(id)?))) {
                // Who was retired comes back, with the archive there was.
                Some((id, user)) if user.retired && !user.managed => Some(id),
                Some(_) => return Err(UserError::Exists(name)),
                None => None,
            };
            let user = User {
                name,
                addresses,
                managed: false,
                retired: false,
            };
            Ok((id, user))
        }
        UserChange::Addresses { name, addresses } => {
            let (id, mut user) = unmanaged(directory, &name, Wanted::Addresses)?;
            (user.addresses, user.retired) = (addresses, false);
            Ok((Some(id), user))
        }
        UserChange::Gain { name, address } => {
            let (id, mut user) = unmanaged(directory, &name, Wanted::Addresses)?;
            if user.retired {
                return Err(UserError::Retired(name));
            }
            if !user.addresses.contains(&address) {
                user.addresses.push(address);
            }
            Ok((Some(id), user))
        }
        UserChange::Rename { name, to } => {
            checked(&to)?;
            let (id, mut user) = unmanaged(directory, &name, Wanted::Rename(to.clone()))?;
            user.name = to;
            Ok((Some(id), user))
        }
        UserChange::Retire { name } => {
            let (id, mut user) = unmanaged(directory, &name, Wanted::Retire)?;
            user.retired = true;
            Ok((Some(id), user))
        }
    }
}

/// A user by name, and what becomes of them.
type NamedChange = (String, ChangeKind);

/// What becomes of the users of a table, as somebody imports them, and of each by name. Who is in the configuration stays
/// as that says.
///
/// # Errors
/// Some of them are in the configuration, or have an address that is somebody else's, which is said of the first `most`: then
/// none of them is changed.
pub fn imported<U>(
    known: &[(UserId, User, U)],
    table: &[config::User],
    signs: &Signs,
    most: usize,
) -> Result<(ChangedUsers, Vec<NamedChange>), Vec<StoreError>> {
    let refused = |name: &str, detail: String, wrong: Wrong| StoreError::User {
        name: name.to_owned(),
        detail,
        wrong: wrong.into(),
    };
    let named: HashSet<&str> = table.iter().map(|user| user.name.as_str()).collect();
    let others = known
        .iter()
        .filter(|(_, user, _)| !user.retired && !named.contains(&*user.name));
    let owners: HashMap<&Address, &str> = others
        .flat_map(|(_, user, _)| user.addresses.iter().map(|address| (address, user.name.as_str())))
        .collect();
    let mut by_name: HashMap<&str, (UserId, &User)> = HashMap::new();
    for (id, user, _) in known {
        let there = by_name.entry(&user.name).or_insert((*id, user));
        if there.1.retired && !user.retired {
            *there = (*id, user);
        }
    }
    let (mut changed, mut news, mut lines) = (Vec::new(), UsersNews::default(), Vec::new());
    let mut wrong = Vec::new();
    for user in table {
        if wrong.len() >= most {
            break;
        }
        let wanted = match managed(user) {
            Ok(user) => User { managed: false, ..user },
            Err(error) => {
                wrong.push(error);
                continue;
            }
        };
        let name = wanted.name.clone();
        if let Some(address) = wanted.addresses.iter().find(|address| owners.contains_key(address))
            && !wanted.retired
        {
            wrong.push(refused(
                &name,
                format!("{address} is an address of {:?} already", owners[address]),
                Wrong::new(Code::AddressTaken, &[address, &owners[address]]),
            ));
            continue;
        }
        if let Some(error) = signs.contradiction(&wanted) {
            wrong.push(error);
            continue;
        }
        let (id, change) = match by_name.get(&*name) {
            None => (None, ChangeKind::Added),
            Some((_, there)) if there.managed && !there.retired => {
                wrong.push(refused(
                    &name,
                    "is in the configuration, which says what addresses they have".to_owned(),
                    Wrong::new(Code::UserOfConfiguration, &[&name]),
                ));
                continue;
            }
            Some((_, there)) if **there == wanted => {
                lines.push((name, ChangeKind::Unchanged));
                continue;
            }
            Some((id, _)) => (Some(*id), ChangeKind::Changed),
        };
        if !wanted.retired {
            news.gained.insert(name.clone());
        }
        lines.push((name, change));
        changed.push((id, wanted));
    }
    match wrong.is_empty() {
        true => Ok(((changed, news), lines)),
        false => Err(wrong),
    }
}

fn checked(name: &str) -> Result<(), UserError> {
    check_name(name).map_err(|why| UserError::Name { name: name.into(), why })
}

/// The user of this name, whom a command may change.
fn unmanaged(directory: &Directory, name: &str, wanted: Wanted) -> Result<(UserId, User), UserError> {
    let id = directory.by_name(name);
    match id.and_then(|id| Some((id, directory.user(id)?))) {
        Some((CATCHALL_ID, _)) => Err(UserError::BuiltIn(name.into())),
        Some((_, user)) if user.managed => Err(UserError::Managed {
            name: name.into(),
            wanted,
        }),
        Some((id, user)) => Ok((id, user.clone())),
        None => Err(UserError::Nobody {
            name: name.into(),
            nearest: nearest(name, directory.iter().map(|(_, user)| user.name.as_str())),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory() -> Directory {
        let user = |name: &str, managed, retired| User {
            name: name.into(),
            addresses: Vec::new(),
            managed,
            retired,
        };
        Directory::new([
            (UserId(0), user("@catchall", false, false)),
            (UserId(1), user("jane", false, false)),
            (UserId(2), user("bob", true, false)),
            (UserId(3), user("old", false, true)),
        ])
    }

    #[test]
    fn a_user_could_be_renamed_to_what_is_no_name() {
        for to in ["", " ", "@catchall", "@x", "a\nb"] {
            let (name, to) = ("jane".to_owned(), to.to_owned());
            let addresses = Vec::new();
            for change in [
                UserChange::Rename { name, to: to.clone() },
                UserChange::Add { name: to, addresses },
            ] {
                assert!(matches!(changed(&directory(), change), Err(UserError::Name { .. })));
            }
        }
    }

    #[test]
    fn one_more_address_takes_none_away_and_comes_once() {
        let gain = |name: &str| {
            let address = Address::parse("j@example.com").unwrap();
            let name = name.to_owned();
            changed(&directory(), UserChange::Gain { name, address })
        };
        let (id, mut jane) = gain("jane").unwrap();
        assert_eq!((id, jane.addresses.len()), (Some(UserId(1)), 1));
        jane.addresses.insert(0, Address::parse("jane@example.com").unwrap());
        let known = Directory::new([(UserId(1), jane.clone())]);
        let (name, address) = ("jane".to_owned(), Address::parse("j@example.com").unwrap());
        let again = changed(&known, UserChange::Gain { name, address }).unwrap();
        assert_eq!(again.1.addresses, jane.addresses);
        let refused = gain("bob").unwrap_err().to_string();
        assert!(refused.contains("change the addresses there"), "{refused}");
        assert!(matches!(gain("old"), Err(UserError::Retired(_))));
        assert!(matches!(gain("@catchall"), Err(UserError::BuiltIn(_))));
    }

    #[test]
    fn only_users_of_commands_are_changed_by_commands() {
        let retire = |name: &str| changed(&directory(), UserChange::Retire { name: name.into() });
        assert!(matches!(retire("bob"), Err(UserError::Managed { .. })));
        assert!(matches!(retire("@catchall"), Err(UserError::BuiltIn(_))));
        assert!(
            retire("jan")
                .unwrap_err()
                .to_string()
                .contains("did you mean \"jane\"?")
        );
        assert!(retire("jane").unwrap().1.retired);
        let add = |name: &str| {
            let (name, addresses) = (name.to_owned(), Vec::new());
            changed(&directory(), UserChange::Add { name, addresses })
        };
        assert_eq!(add("old").unwrap().0, Some(UserId(3)), "who was retired comes back");
        assert!(matches!(add("bob"), Err(UserError::Exists(_))));
        assert_eq!(add("new").unwrap().0, None);
    }
}
