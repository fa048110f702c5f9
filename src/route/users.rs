//! What the users commands make of the directory. Pure.

use super::Directory;
use crate::{
    archive::{CATCHALL_ID, StoreError, User, UserId},
    config::nearest,
    message::{Address, check_name},
    panics::Panicked,
};

/// What is asked to be changed; what it comes to is decided where the directory is.
#[derive(Clone, Debug)]
pub enum UserChange {
    Add { name: String, addresses: Vec<Address> },
    Rename { name: String, to: String },
    Retire { name: String },
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
    #[error("user {name:?} is in the configuration or its users_file: {}", match to {
        Some(to) => format!(
            "first change the name there to {to:?} (and have the running appliance take it over with `dropkeep reload`), then \
             run this command again; with the name changed there alone, {to:?} is a new user with an empty archive"
        ),
        None => "to retire this user, remove it there".to_owned(),
    })]
    Managed { name: String, to: Option<String> },
    #[error(
        "{name:?} and {to:?} cannot become one user: {to:?} has {messages} messages of their own already. To file the mail \
         of {name:?} for them too: dropkeep reroute --from {name:?}"
    )]
    HasMail { name: String, to: String, messages: u64 },
    #[error("{0:?} is built in")]
    BuiltIn(String),
    #[error("{0}; `dropkeep users` shows whether the change was made")]
    Panicked(#[from] Panicked),
    #[error(transparent)]
    Store(#[from] StoreError),
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
        UserChange::Rename { name, to } => {
            checked(&to)?;
            let (id, mut user) = unmanaged(directory, &name, Some(&to))?;
            user.name = to;
            Ok((Some(id), user))
        }
        UserChange::Retire { name } => {
            let (id, mut user) = unmanaged(directory, &name, None)?;
            user.retired = true;
            Ok((Some(id), user))
        }
    }
}

fn checked(name: &str) -> Result<(), UserError> {
    check_name(name).map_err(|why| UserError::Name { name: name.into(), why })
}

/// The user of this name, whom a command may change.
fn unmanaged(directory: &Directory, name: &str, to: Option<&str>) -> Result<(UserId, User), UserError> {
    let id = directory.by_name(name);
    match id.and_then(|id| Some((id, directory.user(id)?))) {
        Some((CATCHALL_ID, _)) => Err(UserError::BuiltIn(name.into())),
        Some((_, user)) if user.managed => Err(UserError::Managed {
            name: name.into(),
            to: to.map(str::to_owned),
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
