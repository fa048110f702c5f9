//! Who may do what: a pure function of the caller and the request.

use super::{Account, AccountName, Archives, Caller};
use crate::api::{AccountWish, Code, Failure, Request, Role, Wrong};

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
    if account.enrols && !sets_up_codes(account, request) {
        return Err(Failure::usage(format!(
            "account {:?} may do this once it has one-time codes: its role is {}, which needs them",
            account.name, account.role
        ))
        .for_that(Wrong::from(Code::NeedsCodes)));
    }
    // Who finds the password of a program is not to stay when that is removed, nor to make the account less safe.
    if account.application.is_some()
        && let Request::ChangeAccount {
            wish: AccountWish::AddApplication(_) | AccountWish::TotpOff,
            ..
        } = request
    {
        let error = "an application password makes no other one, and does not turn off one-time codes: log in for that";
        return Err(Failure::usage(error).for_that(Wrong::from(Code::MayNot)));
    }
    let is_administrator = account.role == Role::Administrator;
    let administrators = is_administrator.then_some(Archives::All);
    let own = |name: &str| is_own(account, name).then(|| account.archives());
    let allowed = match request {
        // Mail.
        Request::List { .. }
        | Request::Page { .. }
        | Request::Search(_)
        | Request::Raw { .. }
        | Request::Show { .. }
        | Request::Part { .. }
        | Request::Take(_)
        | Request::Journals { .. } => {
            let said = account
                .reason
                .as_deref()
                .is_some_and(|reason| !reason.trim().is_empty());
            if account.needs_reason && !said {
                return Err(Failure::usage(format!(
                    "account {:?} has to say why it reads mail: give a reason",
                    account.name
                ))
                .for_that(Wrong::from(Code::NeedsReason)));
            }
            // Journal reports name everybody who got a message.
            let names_all = matches!(request, Request::Journals { .. });
            (!names_all || account.role == Role::Auditor).then(|| account.archives())
        }
        // Whose archives there are. An administrator looks after all users, though not after their mail.
        Request::Users => administrators.or_else(|| Some(account.archives())),
        // Everybody looks after their own account, and an administrator after all of them.
        Request::ChangeAccount { name, wish } if is_ones_own_business(wish) => administrators.or_else(|| own(name)),
        Request::Sessions { account: Some(name) }
        | Request::Applications { account: name }
        | Request::Account { name } => administrators.or_else(|| own(name)),
        // Who saw what is for those who run dropkeep and for those who watch over it.
        Request::Audit(_) => (is_administrator || account.role == Role::Auditor).then_some(Archives::All),
        // Profiles, runs, users, accounts and upkeep.
        Request::Archive { .. }
        | Request::TestNotices
        | Request::Interrupt { .. }
        | Request::Reload
        | Request::Status
        | Request::Growth { .. }
        | Request::Protocols { .. }
        | Request::Protocol { .. }
        | Request::Watch { .. }
        | Request::AddUser { .. }
        | Request::ChangeUser { .. }
        | Request::Assign { .. }
        | Request::Ignore { .. }
        | Request::Ignored
        | Request::AddressLists
        | Request::ChangeList { .. }
        | Request::ImportUsers { .. }
        | Request::RenameUser { .. }
        | Request::RetireUser { .. }
        | Request::Profiles { secrets: false, .. }
        | Request::ChangeProfile { .. }
        | Request::ImportProfiles { .. }
        | Request::TestProfile { .. }
        | Request::CheckProfile { .. }
        | Request::LogInByCode { .. }
        | Request::Rehearse { .. }
        | Request::Reroute { query: None, .. }
        | Request::WatchReroute
        | Request::InterruptReroute
        | Request::Compact
        | Request::InterruptCompaction
        | Request::Verify { .. }
        | Request::InterruptVerification
        | Request::WatchUpkeep { .. }
        | Request::Index
        | Request::RebuildIndex
        | Request::InterruptIndex
        | Request::Accounts
        | Request::ChangeAccount { .. }
        | Request::Sessions { account: None } => administrators,
        // They are of this machine, where an account of dropkeep has no files and no commands.
        Request::Import { .. } | Request::Note { .. } | Request::BackedUp(_) => None,
        // How many messages a query finds, and whose they are, tells what stands in mail that they may not read.
        Request::Reroute { query: Some(_), .. } => None,
        // Who is not on the machine sets secrets, and never sees one.
        Request::Profiles { secrets: true, .. } => None,
    };
    allowed.ok_or_else(|| {
        Failure::usage(format!(
            "account {:?} may not do this: its role is {}",
            account.name, account.role
        ))
        .for_that(Wrong::from(Code::MayNot))
    })
}

fn is_own(account: &Account, name: &str) -> bool {
    let own = AccountName::parse(&account.name);
    own.is_some() && own == AccountName::parse(name)
}

/// What everybody may do about their own account.
fn is_ones_own_business(wish: &AccountWish) -> bool {
    match wish {
        AccountWish::Password { .. }
        | AccountWish::Totp
        | AccountWish::ConfirmTotp { .. }
        | AccountWish::TotpOff
        | AccountWish::AddApplication(_)
        | AccountWish::RemoveApplication(_)
        | AccountWish::EndSessions(_) => true,
        AccountWish::Add { .. }
        | AccountWish::Disable
        | AccountWish::Enable
        | AccountWish::Remove
        | AccountWish::Role(_)
        | AccountWish::Give(_)
        | AccountWish::Take(_) => false,
    }
}

/// What an account may do that has still to set up one-time codes.
fn sets_up_codes(account: &Account, request: &Request) -> bool {
    let (name, wish) = match request {
        Request::ChangeAccount { name, wish } => (name, wish),
        // Who they are.
        Request::Account { name } => return is_own(account, name),
        _ => return false,
    };
    let sets_up = matches!(
        wish,
        AccountWish::Totp | AccountWish::ConfirmTotp { .. } | AccountWish::EndSessions(_)
    );
    sets_up && is_own(account, name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        access::{OpenArchive, Owner},
        api::{Form, Format, MboxKind, ProfileWish, Spoken, Upkeep, Written},
        ids::{MessageId, RunId, UserId},
    };

    fn backed_up() -> crate::api::BackupLine {
        crate::api::BackupLine {
            taken_at: jiff::Timestamp::UNIX_EPOCH,
            ended_at: jiff::Timestamp::UNIX_EPOCH,
            to: "x".into(),
            messages: 1,
            bytes: 1,
            damaged: 0,
        }
    }

    struct Opened;
    impl OpenArchive for Opened {}

    /// The owner, and accounts of all roles to which the archives of users 3 and 5 were given.
    #[expect(clippy::disallowed_methods, reason = "no archive is at stake")]
    fn callers() -> [Caller; 4] {
        let account = |role| Caller::Account(Account::new("Jane", role, [3, 5].map(UserId).into()));
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
            Page { .. } => Page { user: name(), after: None, limit: 1 }, [ALL, GIVEN, ALL, GIVEN];
            Raw { .. } => Raw { id: MessageId(1), named: false }, [ALL, GIVEN, ALL, GIVEN];
            Show { .. } => Show { id: MessageId(1), journal: true, full: true, images: false }, [ALL, GIVEN, ALL, GIVEN];
            Part { .. } => Part { id: MessageId(1), part: 1 }, [ALL, GIVEN, ALL, GIVEN];
            Take(_) => Take(Default::default()), [ALL, GIVEN, ALL, GIVEN];
            Journals { .. } => Journals { id: MessageId(1) }, [ALL, NO, ALL, NO];
            Users => Users, [ALL, GIVEN, ALL, ALL];
            Status => Status, [ALL, NO, NO, ALL];
            Growth { .. } => Growth { before: vec![] }, [ALL, NO, NO, ALL];
            Protocols { .. } => Protocols { newest: None, filter: Default::default(), before: None }, [ALL, NO, NO, ALL];
            Watch { .. } => Watch { run: RunId(1) }, [ALL, NO, NO, ALL];
            Protocol { .. } => Protocol { run: RunId(1) }, [ALL, NO, NO, ALL];
            Archive { .. } => Archive { profile: name() }, [ALL, NO, NO, ALL];
            Interrupt { .. } => Interrupt { profile: name() }, [ALL, NO, NO, ALL];
            TestNotices => TestNotices, [ALL, NO, NO, ALL];
            Reload => Reload, [ALL, NO, NO, ALL];
            AddUser { .. } => AddUser { name: name(), addresses: vec![], no_count: false }, [ALL, NO, NO, ALL];
            ChangeUser { .. } => ChangeUser { name: name(), addresses: vec![] }, [ALL, NO, NO, ALL];
            Assign { .. } => Assign { address: name(), user: name(), is_new: false }, [ALL, NO, NO, ALL];
            Ignore { .. } => Ignore { address: name(), ignored: true }, [ALL, NO, NO, ALL];
            AddressLists => AddressLists, [ALL, NO, NO, ALL];
            ChangeList { .. } => ChangeList { address: name(), users: vec![] }, [ALL, NO, NO, ALL];
            Ignored => Ignored, [ALL, NO, NO, ALL];
            ImportUsers { .. } => ImportUsers { csv: name(), dry_run: true }, [ALL, NO, NO, ALL];
            Profiles { secrets: false, .. } => Profiles { name: None, secrets: false }, [ALL, NO, NO, ALL];
            Profiles { secrets: true, .. } => Profiles { name: None, secrets: true }, [ALL, NO, NO, NO];
            ChangeProfile { .. } => ChangeProfile { name: name(), wish: ProfileWish::Remove }, [ALL, NO, NO, ALL];
            ImportProfiles { .. } => ImportProfiles { toml: Spoken::new(""), replace: false, dry_run: true }, [ALL, NO, NO, ALL];
            TestProfile { .. } => TestProfile { name: None, profile: None }, [ALL, NO, NO, ALL];
            CheckProfile { .. } => CheckProfile { name: None, profile: Written { text: Spoken::new(""), form: Form::Toml } }, [ALL, NO, NO, ALL];
            LogInByCode { .. } => LogInByCode {
                name: None, profile: Written { text: Spoken::new(""), form: Form::Toml }, code: None,
            }, [ALL, NO, NO, ALL];
            Rehearse { .. } => Rehearse { name: None, profile: None }, [ALL, NO, NO, ALL];
            RenameUser { .. } => RenameUser { name: name(), to: name() }, [ALL, NO, NO, ALL];
            RetireUser { .. } => RetireUser { name: name() }, [ALL, NO, NO, ALL];
            Reroute { query: None, .. } => Reroute { from: None, profile: None, dry_run: true, query: None }, [ALL, NO, NO, ALL];
            Reroute { query: Some(_), .. } => Reroute {
                from: None, profile: None, dry_run: true, query: Some(name()),
            }, [ALL, NO, NO, NO];
            WatchReroute => WatchReroute, [ALL, NO, NO, ALL];
            InterruptReroute => InterruptReroute, [ALL, NO, NO, ALL];
            Compact => Compact, [ALL, NO, NO, ALL];
            InterruptCompaction => InterruptCompaction, [ALL, NO, NO, ALL];
            Verify { .. } => Verify { percent: Some(5.0) }, [ALL, NO, NO, ALL];
            InterruptVerification => InterruptVerification, [ALL, NO, NO, ALL];
            WatchUpkeep { .. } => WatchUpkeep { upkeep: Upkeep::Verification }, [ALL, NO, NO, ALL];
            Index => Index, [ALL, NO, NO, ALL];
            RebuildIndex => RebuildIndex, [ALL, NO, NO, ALL];
            InterruptIndex => InterruptIndex, [ALL, NO, NO, ALL];
            Accounts => Accounts, [ALL, NO, NO, ALL];
            Request::Account { .. } => Request::Account { name: "jane".into() }, [ALL, GIVEN, ALL, ALL];
            // The callers' own account, which is Jane's.
            ChangeAccount { .. } => ChangeAccount { name: "jane".into(), wish: AccountWish::Totp }, [ALL, GIVEN, ALL, ALL];
            Sessions { .. } => Sessions { account: None }, [ALL, NO, NO, ALL];
            Applications { .. } => Applications { account: "JANE".into() }, [ALL, GIVEN, ALL, ALL];
            Audit(_) => Audit(Default::default()), [ALL, NO, ALL, ALL];
            BackedUp(_) => BackedUp(backed_up()), [ALL, NO, NO, NO];
            Note { .. } => Note { action: name(), object: name() }, [ALL, NO, NO, NO];
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

    /// What each caller may do about an account, by its name.
    fn may_change(caller: &Caller, name: &str, wish: &AccountWish) -> bool {
        let request = Request::ChangeAccount {
            name: name.into(),
            wish: wish.clone(),
        };
        allowed(caller, &request).is_ok()
    }

    #[test]
    fn everybody_looks_after_their_own_account_and_an_administrator_after_all() {
        let secret = || Spoken::new("secret");
        let own = [
            AccountWish::Password {
                password: secret(),
                current: None,
            },
            AccountWish::Totp,
            AccountWish::ConfirmTotp { code: secret() },
            AccountWish::TotpOff,
            AccountWish::AddApplication("x".into()),
            AccountWish::RemoveApplication("x".into()),
            AccountWish::EndSessions(None),
            AccountWish::EndSessions(Some("x".into())),
        ];
        let others = [
            AccountWish::Add {
                role: Role::Administrator,
                archives: vec![],
                password: secret(),
            },
            AccountWish::Disable,
            AccountWish::Enable,
            AccountWish::Remove,
            AccountWish::Role(Role::Administrator),
            AccountWish::Give("joan".into()),
            AccountWish::Take("joan".into()),
        ];
        for caller in &callers() {
            let all = match caller {
                Caller::Owner(_) => true,
                Caller::Account(account) => account.role == Role::Administrator,
            };
            for wish in &own {
                assert!(may_change(caller, "JANE", wish), "{caller:?}: {wish:?}");
                // Whether there is such an account makes no difference.
                for name in ["joan", "nobody", "", "jane2"] {
                    assert_eq!(may_change(caller, name, wish), all, "{caller:?}: {name} {wish:?}");
                }
            }
            for wish in &others {
                for name in ["jane", "joan"] {
                    assert_eq!(may_change(caller, name, wish), all, "{caller:?}: {name} {wish:?}");
                }
            }
            let sessions = |account: &str| Request::Sessions {
                account: Some(account.into()),
            };
            assert!(allowed(caller, &sessions("jane")).is_ok());
            assert_eq!(allowed(caller, &sessions("joan")).is_ok(), all);
        }
    }

    #[test]
    fn who_has_still_to_set_up_codes_does_nothing_else() {
        for role in Role::ALL {
            let caller = Caller::Account(Account {
                enrols: true,
                ..Account::new("jane", role, [UserId(3)].into())
            });
            assert!(may_change(&caller, "jane", &AccountWish::Totp));
            assert!(!may_change(&caller, "joan", &AccountWish::Totp));
            assert!(!may_change(&caller, "jane", &AccountWish::TotpOff));
            assert!(!may_change(&caller, "jane", &AccountWish::AddApplication("x".into())));
            for request in [
                Request::Users,
                Request::Raw {
                    id: MessageId(1),
                    named: true,
                },
                Request::Accounts,
                Request::Status,
            ] {
                assert!(allowed(&caller, &request).is_err(), "{role}: {request:?}");
            }
        }
    }

    #[test]
    fn an_auditor_who_has_to_say_why_reads_nothing_before() {
        let asks = |reason: Option<&str>, request: &Request| {
            let account = Account {
                needs_reason: true,
                reason: reason.map(str::to_owned),
                ..Account::new("jane", Role::Auditor, [].into())
            };
            allowed(&Caller::Account(account), request).is_ok()
        };
        let mail = [
            Request::Raw {
                id: MessageId(1),
                named: false,
            },
            Request::Show {
                id: MessageId(1),
                journal: false,
                full: false,
                images: false,
            },
            Request::Part {
                id: MessageId(1),
                part: 1,
            },
            Request::Journals { id: MessageId(1) },
            Request::Page {
                user: "x".into(),
                after: None,
                limit: 1,
            },
            Request::Search(Default::default()),
            Request::List {
                user: None,
                newest: None,
                filter: Default::default(),
            },
        ];
        for request in &mail {
            assert_eq!(
                [None, Some(" "), Some("case 7")].map(|reason| asks(reason, request)),
                [false, false, true]
            );
        }
        assert!(asks(None, &Request::Users));
    }

    #[test]
    fn who_is_refused_is_told_as_what() {
        let [_, user, ..] = callers();
        let refused = grant(&user, Request::Compact).unwrap_err();
        assert_eq!(refused.error, "account \"Jane\" may not do this: its role is user");
    }
}
