//! Who may do what: a pure function of the caller and the request.

use super::{Archives, Caller, Role};
use crate::api::{Failure, Request};

/// A request that its caller may make.
#[derive(Clone, Debug)]
pub struct Granted {
    request: Request,
    archives: Archives,
}

impl Granted {
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Whose mail the answer may contain, and nobody else's.
    pub fn archives(&self) -> &Archives {
        &self.archives
    }

    pub fn into_request(self) -> Request {
        self.request
    }
}

/// Lets `caller` make `request`.
///
/// # Errors
/// It may not.
pub fn grant(caller: &Caller, request: Request) -> Result<Granted, Failure> {
    let archives = allowed(caller, &request)?;
    Ok(Granted { request, archives })
}

/// Whose archives the answer to `request` may tell `caller` about.
///
/// # Errors
/// The role of its account does not allow such a request.
pub fn allowed(caller: &Caller, request: &Request) -> Result<Archives, Failure> {
    let account = match caller {
        Caller::Owner(_) => return Ok(Archives::All),
        Caller::Account(account) => account,
    };
    let is_administrator = account.role == Role::Administrator;
    let allowed = match request {
        // Mail.
        Request::List { .. } | Request::Search(_) | Request::Raw { .. } | Request::Show { .. } => {
            Some(account.archives())
        }
        // Whose archives there are. An administrator looks after all users, though not after their mail.
        Request::Users if is_administrator => Some(Archives::All),
        Request::Users => Some(account.archives()),
        // Profiles, runs, users and upkeep.
        Request::Archive { .. }
        | Request::Interrupt { .. }
        | Request::Reload
        | Request::Status
        | Request::Protocols { .. }
        | Request::Protocol { .. }
        | Request::AddUser { .. }
        | Request::RenameUser { .. }
        | Request::RetireUser { .. }
        | Request::Reroute { .. }
        | Request::InterruptReroute
        | Request::Compact
        | Request::InterruptCompaction
        | Request::Index
        | Request::RebuildIndex
        | Request::InterruptIndex => is_administrator.then_some(Archives::All),
        // It names files of this machine, and an account of dropkeep has none there.
        Request::Import { .. } => None,
    };
    allowed.ok_or_else(|| {
        Failure::usage(format!(
            "account {:?} may not do this: its role is {}",
            account.name, account.role
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        access::{Account, OpenArchive, Owner},
        api::{Format, MboxKind},
        ids::{MessageId, RunId, UserId},
    };

    struct Opened;
    impl OpenArchive for Opened {}

    /// The owner, and accounts of all roles to which the archives of users 3 and 5 were given.
    #[expect(clippy::disallowed_methods, reason = "no archive is at stake")]
    fn callers() -> [Caller; 4] {
        let account = |role| {
            Caller::Account(Account {
                name: "jane".into(),
                role,
                given: [3, 5].map(UserId).into(),
            })
        };
        [
            Caller::Owner(Owner::of(&Opened)),
            account(Role::User),
            account(Role::Auditor),
            account(Role::Administrator),
        ]
    }

    /// The table of a row for each request: an example, and what the owner, a user, an auditor and an administrator
    /// get. A request without a row does not compile.
    macro_rules! table {
        ($($request:pat => $example:expr, $expected:expr;)*) => {{
            // All of them are here.
            let _ = |request: &Request| match request {
                $($request => (),)*
            };
            [$({
                let example = $example;
                assert!(matches!(example, $request), "{example:?}");
                (example, $expected)
            }),*]
        }};
    }

    #[test]
    fn each_request_has_an_answer_for_each_caller() {
        use Request::*;
        const ALL: &str = "all archives";
        const GIVEN: &str = "the archives given";
        const NO: &str = "refused";
        let name = || "x".to_owned();
        let table = table! {
            // owner, user, auditor, administrator
            List { .. } => List { user: None, newest: None, filter: Default::default() }, [ALL, GIVEN, ALL, GIVEN];
            Search(_) => Search(Default::default()), [ALL, GIVEN, ALL, GIVEN];
            Raw { .. } => Raw { id: MessageId(1) }, [ALL, GIVEN, ALL, GIVEN];
            Show { .. } => Show { id: MessageId(1), journal: true }, [ALL, GIVEN, ALL, GIVEN];
            Users => Users, [ALL, GIVEN, ALL, ALL];
            Status => Status, [ALL, NO, NO, ALL];
            Protocols { .. } => Protocols { newest: None, filter: Default::default() }, [ALL, NO, NO, ALL];
            Protocol { .. } => Protocol { run: RunId(1) }, [ALL, NO, NO, ALL];
            Archive { .. } => Archive { profile: name() }, [ALL, NO, NO, ALL];
            Interrupt { .. } => Interrupt { profile: name() }, [ALL, NO, NO, ALL];
            Reload => Reload, [ALL, NO, NO, ALL];
            AddUser { .. } => AddUser { name: name(), addresses: vec![], no_count: false }, [ALL, NO, NO, ALL];
            RenameUser { .. } => RenameUser { name: name(), to: name() }, [ALL, NO, NO, ALL];
            RetireUser { .. } => RetireUser { name: name() }, [ALL, NO, NO, ALL];
            Reroute { .. } => Reroute { from: None, profile: None, dry_run: true, query: None }, [ALL, NO, NO, ALL];
            InterruptReroute => InterruptReroute, [ALL, NO, NO, ALL];
            Compact => Compact, [ALL, NO, NO, ALL];
            InterruptCompaction => InterruptCompaction, [ALL, NO, NO, ALL];
            Index => Index, [ALL, NO, NO, ALL];
            RebuildIndex => RebuildIndex, [ALL, NO, NO, ALL];
            InterruptIndex => InterruptIndex, [ALL, NO, NO, ALL];
            Import { .. } => Import {
                profile: None, user: None, paths: vec![], format: Format::Auto, mbox: MboxKind::Auto, mbox_from: None,
            }, [ALL, NO, NO, NO];
        };
        let callers = callers();
        for (request, expected) in table {
            for (caller, expected) in callers.iter().zip(expected) {
                let archives = match expected {
                    ALL => Some(Archives::All),
                    GIVEN => Some(Archives::Of([3, 5].map(UserId).into())),
                    _ => None,
                };
                assert_eq!(allowed(caller, &request).ok(), archives, "{caller:?}: {request:?}");
                let granted = grant(caller, request.clone());
                assert_eq!(granted.ok().map(|granted| granted.archives), archives);
            }
        }
    }

    #[test]
    fn who_is_refused_is_told_as_what() {
        let [_, user, ..] = callers();
        let refused = grant(&user, Request::Compact).unwrap_err();
        assert_eq!(refused.error, "account \"jane\" may not do this: its role is user");
    }
}
