//! Log-ins, sessions and changes over a real store.

use std::time::Duration;

use super::*;
use crate::{
    access::{Account, AccountName, Caller, Outcome, Role, Token, Totp},
    api::{AccountWish, Made, Spoken},
    archive::{
        check_audit,
        test_bench::{Bench, config},
    },
    clock,
    config::AccessSettings,
};

const HOME: &str = "192.0.2.1";
const PASSWORD: &str = "correct horse";

struct Site {
    gate: Gate,
    bench: Bench,
    _folder: tempfile::TempDir,
}

impl Site {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = config(&folder);
        let bench = Bench::open(&config);
        let gate = Gate::new(&config, bench.store.clone(), bench.committer.clone()).unwrap();
        Self {
            gate,
            bench,
            _folder: folder,
        }
    }

    /// An administrator who is asked for nothing more.
    fn root(&self) -> Caller {
        Caller::Account(Account::new("root", Role::Administrator, [].into()))
    }

    async fn change(&self, name: &str, wish: AccountWish) -> Result<Vec<Made>, String> {
        let changed = self.gate.change(&self.root(), name, wish).await;
        changed.map_err(|failure| failure.error)
    }

    async fn add(&self, name: &str, role: Role) {
        let wish = AccountWish::Add {
            role,
            archives: Vec::new(),
            password: Spoken::new(PASSWORD),
        };
        self.change(name, wish).await.unwrap();
    }

    async fn log_in(&self, name: &str, password: &str, code: Option<&str>) -> Result<LoggedIn, LogInError> {
        let shown = Credentials {
            name: name.into(),
            password: Spoken::new(password),
            code: code.map(Spoken::new),
        };
        self.gate.log_in(&shown, HOME).await
    }

    fn totp_of(&self, name: &str) -> Totp {
        let name = AccountName::parse(name).unwrap();
        self.bench.store.account(&name).unwrap().unwrap().totp.unwrap()
    }

    /// Sets codes up; gives the recovery codes.
    async fn set_up_codes(&self, name: &str) -> Vec<Spoken> {
        self.change(name, AccountWish::Totp).await.unwrap();
        let code = self.totp_of(name).code_at(clock::now().as_second() - 30);
        let wish = AccountWish::ConfirmTotp {
            code: Spoken::new(code),
        };
        match self.change(name, wish).await.unwrap().remove(0) {
            Made::RecoveryCodes(codes) => codes,
            other => panic!("{other:?}"),
        }
    }

    /// Account, action and outcome of all entries, and that their chain is whole.
    fn log(&self) -> Vec<(String, String, Outcome, String)> {
        let mut log = Vec::new();
        let check = check_audit(&self.bench.store, &mut |_, row| {
            let entry = row.entry.clone();
            log.push((entry.account, entry.action, entry.outcome, entry.detail));
            true
        });
        assert_eq!(check.unwrap().wrong, 0);
        log
    }
}

#[tokio::test]
async fn an_unknown_account_was_told_from_a_wrong_password() {
    let site = Site::new().await;
    site.add("Jane", Role::User).await;
    site.add("joan", Role::User).await;
    site.change("joan", AccountWish::Disable).await.unwrap();
    let mut said = Vec::new();
    for (name, password) in [
        ("jane", "wrong wrong"),
        ("nobody", "wrong wrong"),
        ("joan", PASSWORD),
        ("no name at all!", PASSWORD),
    ] {
        said.push(site.log_in(name, password, None).await.unwrap_err().to_string());
    }
    assert!(said.iter().all(|said| said == "name or password is wrong"), "{said:?}");
    let logged_in = site.log_in("JANE", PASSWORD, None).await.unwrap();
    assert_eq!(
        (logged_in.account.name.as_str(), logged_in.account.role),
        ("Jane", Role::User)
    );
    let log: Vec<_> = site
        .log()
        .into_iter()
        .filter(|(_, action, ..)| action == "log-in")
        .collect();
    let why: Vec<_> = log
        .iter()
        .map(|(account, _, _, detail)| (account.as_str(), detail.as_str()))
        .collect();
    assert_eq!(
        why,
        [
            ("jane", "wrong password"),
            ("", "unknown account"),
            ("joan", "disabled"),
            ("", "unknown account"),
            ("Jane", ""),
        ]
    );
}

#[tokio::test]
async fn a_code_is_asked_for_and_taken_once() {
    let site = Site::new().await;
    site.add("jane", Role::User).await;
    let recovery = site.set_up_codes("jane").await;
    assert_eq!(recovery.len(), 10);
    let without = site.log_in("jane", PASSWORD, None).await.unwrap_err();
    assert!(matches!(without, LogInError::NeedsCode), "{without}");
    let code = site.totp_of("jane").code_at(clock::now().as_second());
    let wrong = site.log_in("jane", PASSWORD, Some("000 000x")).await.unwrap_err();
    assert!(matches!(wrong, LogInError::WrongCode), "{wrong}");
    // Of two at once, one gets in.
    let (one, other) = tokio::join!(
        site.log_in("jane", PASSWORD, Some(&code)),
        site.log_in("jane", PASSWORD, Some(&code))
    );
    let results = [one, other].map(|result| result.is_ok());
    assert_eq!(results.iter().filter(|ok| **ok).count(), 1, "{results:?}");
    assert!(site.log_in("jane", PASSWORD, Some(recovery[0].reveal())).await.is_ok());
    assert!(site.log_in("jane", PASSWORD, Some(recovery[0].reveal())).await.is_err());
    assert!(site.log_in("jane", PASSWORD, Some(recovery[1].reveal())).await.is_ok());
    // A code alone is nothing.
    assert!(
        site.log_in("jane", "wrong wrong", Some(recovery[2].reveal()))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_session_is_known_by_its_token_and_ends() {
    let site = Site::new().await;
    site.add("jane", Role::Auditor).await;
    let token = site.log_in("jane", PASSWORD, None).await.unwrap().token;
    let of = |token: &Token| site.gate.account_of(token, "198.51.100.7").unwrap();
    let account = of(&token).unwrap();
    assert_eq!(
        (account.role, account.address.as_str()),
        (Role::Auditor, "198.51.100.7")
    );
    assert_eq!(of(&Token::new().unwrap()), None);
    // Only the digest is stored.
    let stored = format!("{:?}", site.bench.store.sessions().unwrap());
    assert!(!stored.contains(token.reveal()), "{stored}");
    site.gate.used(&token).await.unwrap();
    site.gate.log_out(&token, HOME).await.unwrap();
    assert_eq!(of(&token), None);
    for end in [
        AccountWish::Disable,
        AccountWish::Role(Role::User),
        AccountWish::Password {
            password: Spoken::new("another password"),
            current: None,
        },
        AccountWish::EndSessions(None),
    ] {
        site.change("jane", AccountWish::Enable).await.unwrap();
        let password = AccountWish::Password {
            password: Spoken::new(PASSWORD),
            current: None,
        };
        site.change("jane", password).await.unwrap();
        let token = site.log_in("jane", PASSWORD, None).await.unwrap().token;
        assert!(of(&token).is_some());
        site.change("jane", end.clone()).await.unwrap();
        assert_eq!(of(&token), None, "{end:?}");
    }
    site.change("jane", AccountWish::Remove).await.unwrap();
    assert!(site.log_in("jane", "another password", None).await.is_err());
}

#[tokio::test]
async fn who_changes_their_own_password_knows_it() {
    let site = Site::new().await;
    site.add("jane", Role::Administrator).await;
    let token = site.log_in("jane", PASSWORD, None).await.unwrap().token;
    let jane = Caller::Account(site.gate.account_of(&token, HOME).unwrap().unwrap());
    let change = |current: Option<&str>| {
        let wish = AccountWish::Password {
            password: Spoken::new("another password"),
            current: current.map(Spoken::new),
        };
        site.gate.change(&jane, "Jane", wish)
    };
    for current in [None, Some("wrong wrong")] {
        assert!(change(current).await.is_err(), "{current:?}");
    }
    let other = site.log_in("jane", PASSWORD, None).await.unwrap().token;
    change(Some(PASSWORD)).await.unwrap();
    let is_there = |token| site.gate.account_of(token, HOME).unwrap().is_some();
    assert!(is_there(&token) && !is_there(&other), "the other sessions end");
    assert!(site.log_in("jane", PASSWORD, None).await.is_err());
    assert!(site.log_in("jane", "another password", None).await.is_ok());
}

#[tokio::test]
async fn a_program_comes_in_with_its_own_password() {
    let site = Site::new().await;
    site.add("jane", Role::User).await;
    site.set_up_codes("jane").await;
    let made = site
        .change("jane", AccountWish::AddApplication("phone".into()))
        .await
        .unwrap();
    let [Made::ApplicationPassword(password)] = made.as_slice() else {
        panic!("{made:?}")
    };
    async fn site_log_in(gate: &Gate, password: Spoken) -> Result<Account, LogInError> {
        gate.log_in_application("jane", &password, HOME).await
    }
    assert_eq!(site_log_in(&site.gate, password.clone()).await.unwrap().name, "jane");
    let name = AccountName::parse("jane").unwrap();
    let used = |site: &Site| site.bench.store.account(&name).unwrap().unwrap().applications[0].used;
    assert!(used(&site).is_some());
    assert!(site_log_in(&site.gate, Spoken::new(PASSWORD)).await.is_err());
    // It begins no session.
    assert!(site.log_in("jane", password.reveal(), None).await.is_err());
    site.change("jane", AccountWish::RemoveApplication("phone".into()))
        .await
        .unwrap();
    assert!(site_log_in(&site.gate, password.clone()).await.is_err());
}

#[tokio::test]
async fn a_role_that_needs_codes_sets_them_up_first() {
    let site = Site::new().await;
    site.add("jane", Role::Auditor).await;
    site.gate.reconfigure(&AccessSettings {
        require_totp: vec![Role::Auditor],
        auditor_needs_reason: true,
        ..AccessSettings::default()
    });
    let logged_in = site.log_in("jane", PASSWORD, None).await.unwrap();
    assert!(logged_in.account.enrols && logged_in.account.needs_reason);
    let account = |token: &Token| site.gate.account_of(token, HOME).unwrap().unwrap();
    assert!(account(&logged_in.token).enrols);
    site.set_up_codes("jane").await;
    assert!(!account(&logged_in.token).enrols);
}

#[tokio::test]
async fn who_guesses_waits_and_the_right_password_is_not_locked_out() {
    let site = Site::new().await;
    site.add("jane", Role::User).await;
    let mut slowed = None;
    for failures in 0..20 {
        if let Err(LogInError::Slowed(wait)) = site.log_in("jane", "wrong wrong", None).await {
            slowed = Some((failures, wait));
            break;
        }
    }
    let (failures, wait) = slowed.expect("it was slowed down");
    // Each wait is twice the one before, and the first of them that is longer than a try takes.
    assert!(wait <= Duration::from_secs(16), "{wait:?} after {failures} failures");
    tokio::time::sleep(wait).await;
    assert!(site.log_in("jane", PASSWORD, None).await.is_ok());
    // What was slowed down is not noted each time: strangers must not fill the disk.
    let entries = site.log().len();
    assert!(entries < failures + 7, "{entries} after {failures} failures");
}

#[tokio::test]
async fn what_is_kept_holds_no_secret() {
    let site = Site::new().await;
    site.add("jane", Role::User).await;
    let made = site.change("jane", AccountWish::Totp).await.unwrap();
    let [Made::Totp { secret, .. }] = made.as_slice() else {
        panic!("{made:?}")
    };
    assert!(!format!("{made:?}").contains(secret.reveal()));
    let account = format!("{:?}", site.bench.store.accounts().unwrap());
    assert!(!account.contains("argon2id"), "{account}");
    let log = format!("{:?}", site.log());
    assert!(!log.contains(PASSWORD) && !log.contains(secret.reveal()));
    for (name, wish) in [
        ("jane", AccountWish::Give("nobody".into())),
        ("joan", AccountWish::Disable),
        ("owner", AccountWish::Enable),
        (
            "short",
            AccountWish::Add {
                role: Role::User,
                archives: vec![],
                password: Spoken::new("short"),
            },
        ),
    ] {
        assert!(site.change(name, wish).await.is_err(), "{name}");
    }
    let failed = site
        .log()
        .into_iter()
        .filter(|(_, _, outcome, _)| *outcome != Outcome::Done);
    assert_eq!(failed.count(), 4);
}
