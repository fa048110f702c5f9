//! Who asks. A caller comes from a proof: a connection that came in over the control socket, or the opened archive
//! itself.

use std::collections::BTreeSet;

use tokio::net::UnixStream;

use super::{Archives, words::Digest};
use crate::{api::Role, config::CONTROL_SOCKET, ids::UserId};

/// Who makes a request.
#[derive(Clone, Debug)]
pub enum Caller {
    Owner(Owner),
    Account(Account),
}

/// Whoever may open the files of the archive, and so may do everything. It is made from a proof alone, and by two
/// callers alone, which `clippy.toml` knows: the server of the control socket, and commands that open the archive
/// themselves.
#[derive(Clone, Debug)]
pub struct Owner(());

/// An opened archive, which proves that this process may open its files.
pub trait OpenArchive {}

impl Owner {
    /// Who is at the other end of a connection that was accepted on the control socket: only the owner of the data
    /// directory may open that one (mode 0600). `None` for a connection that came in by another socket.
    pub fn at(connection: &UnixStream) -> Option<Self> {
        let address = connection.local_addr().ok()?;
        (address.as_pathname()?.file_name()? == CONTROL_SOCKET).then_some(Self(()))
    }

    /// The command that has opened this archive. Not for whoever got the archive from somebody else: the appliance has
    /// it open too, for callers who may not do everything.
    pub fn of(_: &impl OpenArchive) -> Self {
        Self(())
    }
}

/// Somebody who logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub name: String,
    pub role: Role,
    /// The users, by their ids, whose archives were given to it.
    pub given: BTreeSet<UserId>,
    /// Where it asks from.
    pub address: String,
    /// Why it asks, as it said itself, and whether it has to say so before it reads mail.
    pub reason: Option<String>,
    pub needs_reason: bool,
    /// It may only set up one-time codes: its role demands them, and it has none yet.
    pub enrols: bool,
    /// The session by which it asks, where it has one.
    pub session: Option<Digest>,
    /// The program by whose application password it asks, where it does.
    pub application: Option<String>,
}

impl Account {
    /// With nothing more to be said of it.
    pub fn new(name: &str, role: Role, given: BTreeSet<UserId>) -> Self {
        Self {
            name: name.to_owned(),
            role,
            given,
            address: String::new(),
            reason: None,
            needs_reason: false,
            enrols: false,
            session: None,
            application: None,
        }
    }
}

impl Caller {
    /// The archives whose mail it may read.
    pub fn archives(&self) -> Archives {
        match self {
            Self::Owner(_) => Archives::All,
            Self::Account(account) => account.archives(),
        }
    }
}

impl Account {
    /// The archives whose mail it may read.
    pub fn archives(&self) -> Archives {
        match self.role {
            Role::Auditor => Archives::All,
            Role::User | Role::Administrator => Archives::Of(self.given.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::UnixListener;

    use super::*;

    #[tokio::test]
    #[expect(clippy::disallowed_methods, reason = "it tries what they accept")]
    async fn only_a_connection_over_the_control_socket_is_the_owners() {
        let folder = tempfile::tempdir().unwrap();
        for (name, is_owner) in [(CONTROL_SOCKET, true), ("web.sock", false)] {
            let path = folder.path().join(name);
            let listener = UnixListener::bind(&path).unwrap();
            let (connected, accepted) = tokio::join!(UnixStream::connect(&path), listener.accept());
            let (connected, (accepted, _)) = (connected.unwrap(), accepted.unwrap());
            assert_eq!(Owner::at(&accepted).is_some(), is_owner, "{name}");
            assert!(Owner::at(&connected).is_none(), "the end that asks proves nothing");
        }
        let (one, other) = UnixStream::pair().unwrap();
        assert!(Owner::at(&one).or(Owner::at(&other)).is_none());
    }
}
