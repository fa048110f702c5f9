//! What the audit log says of a request: pure. Of accounts everything is noted, of the owner what reads mail or changes
//! something.

use super::{
    Caller, Entry,
    entry::{OWNER, SOCKET},
};
use crate::api::{AccountWish, ListFilter, ProfileWish, Request, Taken};

/// The entry of a request, as if it were done; `None` of what is not noted.
pub fn noted(caller: &Caller, request: &Request) -> Option<Entry> {
    let (action, object, of_owner) = words(request);
    match caller {
        Caller::Owner(_) => of_owner.then(|| Entry::new(OWNER, SOCKET, &action, &object)),
        Caller::Account(account) => {
            let entry = Entry::new(&account.name, &account.address, &action, &object);
            Some(entry.because(account.reason.as_deref().unwrap_or_default()))
        }
    }
}

/// Action and object of a request, and whether it is noted of the owner, too.
fn words(request: &Request) -> (String, String, bool) {
    let (action, object, of_owner) = match request {
        Request::List { user, newest, filter } => ("list", listed(user.as_deref(), *newest, filter), true),
        Request::Search(asked) => {
            let user = asked.user.iter().map(|user| format!("; of user {user}"));
            ("search", asked.query.clone() + &user.collect::<String>(), true)
        }
        Request::Page { user, after, .. } => {
            let after = after.iter().map(|_| ", a later page");
            ("list", format!("user {user}{}", after.collect::<String>()), true)
        }
        Request::Raw { id, .. } => ("raw", format!("message {id}"), true),
        Request::Show { id, .. } => ("show", format!("message {id}"), true),
        Request::Part { id, part } => ("attachment", format!("message {id}, part {part}"), true),
        Request::Take(taken) => ("export", of_taken(taken), true),
        Request::Journals { id } => ("journal", format!("message {id}"), true),
        Request::Users => ("users", String::new(), false),
        Request::Status => ("status", String::new(), false),
        Request::Protocols { .. } => ("protocols", String::new(), false),
        Request::Protocol { run } | Request::Watch { run } => ("protocols", format!("run {run}"), false),
        Request::Index => ("index", String::new(), false),
        Request::Accounts => ("accounts", String::new(), false),
        Request::Account { name } => ("accounts", of_account(name.clone()), false),
        Request::Sessions { account } => ("sessions", account.clone().map(of_account).unwrap_or_default(), false),
        Request::Applications { account } => ("applications", of_account(account.clone()), false),
        Request::Audit(filter) => {
            let account = filter.account.iter().map(|account| format!("account {account}"));
            let action = filter.action.iter().map(|action| format!("action {action}"));
            let since = filter.since.iter().map(|time| format!("since {time}"));
            let until = filter.until.iter().map(|time| format!("until {time}"));
            let parts: Vec<_> = account.chain(action).chain(since).chain(until).collect();
            ("audit", parts.join(", "), false)
        }
        Request::Archive { profile } => ("run", format!("profile {profile}"), true),
        Request::Import {
            profile, user, paths, ..
        } => {
            let profile = profile.iter().map(|profile| format!("profile {profile}"));
            let user = user.iter().map(|user| format!("user {user}"));
            let parts: Vec<_> = profile.chain(user).chain(paths.iter().cloned()).collect();
            ("import", parts.join(", "), true)
        }
        Request::Interrupt { profile } => ("interrupt", format!("profile {profile}"), false),
        Request::TestNotices => ("notify-test", String::new(), true),
        Request::WatchReroute => ("protocols", "the reroute".into(), false),
        Request::InterruptReroute => ("interrupt", "reroute".into(), false),
        Request::InterruptCompaction => ("interrupt", "compact".into(), false),
        Request::InterruptVerification => ("interrupt", "verify".into(), false),
        Request::WatchUpkeep { upkeep } => ("status", upkeep.as_str().into(), false),
        Request::InterruptIndex => ("interrupt", "index".into(), false),
        Request::Reload => ("reload", "the configuration".into(), true),
        Request::AddUser { name, addresses, .. } => ("user-add", format!("{name}: {}", addresses.join(", ")), true),
        Request::ChangeUser { name, addresses } => ("user-change", format!("{name}: {}", addresses.join(", ")), true),
        Request::Assign { address, user, is_new } => {
            let new = if *is_new { ", new" } else { "" };
            ("address-assign", format!("{address} to {user}{new}"), true)
        }
        Request::Ignore { address, ignored } => {
            let so = if *ignored { "" } else { ", no longer" };
            ("address-ignore", format!("{address}{so}"), true)
        }
        Request::ChangeList { address, users } if users.is_empty() => ("list-remove", address.clone(), true),
        Request::ChangeList { address, users } => ("list-change", format!("{address}: {}", users.join(", ")), true),
        Request::AddressLists => ("users", "lists".into(), false),
        Request::Ignored => ("users", "addresses that are ignored".into(), false),
        Request::ImportUsers { csv, dry_run } => {
            let lines = csv.lines().filter(|line| !line.trim().is_empty()).count();
            let dry_run = if *dry_run { ", dry run" } else { "" };
            ("user-import", format!("{lines} lines{dry_run}"), true)
        }
        Request::Profiles { name, secrets } => {
            let name = name.as_ref().map_or("all".to_owned(), of_profile);
            let secrets_words = if *secrets { ", with secrets" } else { "" };
            ("profiles", name + secrets_words, *secrets)
        }
        Request::ChangeProfile { name, wish } => {
            let action = match wish {
                ProfileWish::Add(_) => "profile-add",
                ProfileWish::Change(_) => "profile-change",
                ProfileWish::Remove => "profile-remove",
            };
            (action, of_profile(name), true)
        }
        Request::ImportProfiles { replace, dry_run, .. } => {
            let replace = replace.then(|| "replace".to_owned());
            let dry_run = dry_run.then(|| "dry run".to_owned());
            let parts: Vec<_> = replace.into_iter().chain(dry_run).collect();
            ("profile-import", parts.join(", "), true)
        }
        Request::TestProfile { name, profile } => ("profile-test", tried(name.as_ref(), profile.is_some()), true),
        Request::CheckProfile { name, .. } => ("profile-check", tried(name.as_ref(), true), false),
        Request::LogInByCode { name, .. } => ("token-log-in", tried(name.as_ref(), true), true),
        Request::Rehearse { name, profile } => ("dry-run", tried(name.as_ref(), profile.is_some()), true),
        Request::RenameUser { name, to } => ("user-rename", format!("{name} to {to}"), true),
        Request::RetireUser { name } => ("user-retire", name.clone(), true),
        Request::Reroute {
            from,
            profile,
            dry_run,
            query,
        } => {
            let from = from.iter().map(|from| format!("from {from}"));
            let profile = profile.iter().map(|profile| format!("profile {profile}"));
            let query = query.iter().map(|query| format!("query {query}"));
            let dry_run = dry_run.then(|| "dry run".to_owned());
            let parts: Vec<_> = from.chain(profile).chain(query).chain(dry_run).collect();
            ("reroute", parts.join(", "), true)
        }
        Request::Verify { percent } => {
            let share = percent.map(|percent| format!("{percent} %"));
            ("verify", share.unwrap_or_else(|| "all".to_owned()), true)
        }
        Request::Compact => ("compact", String::new(), true),
        Request::RebuildIndex => ("index-rebuild", String::new(), true),
        Request::ChangeAccount { name, wish } => {
            let (action, what) = wished(wish);
            (action, of_account(name.clone()) + &what, true)
        }
        Request::Growth { .. } => ("status", "how the archive grew".into(), false),
        Request::BackedUp(backup) => ("backup", backup.to.clone(), true),
        Request::Note { action, object } => return (action.clone(), object.clone(), true),
    };
    (action.to_owned(), object, of_owner)
}

/// As what file, and which messages: all that are named, or the query.
fn of_taken(taken: &Taken) -> String {
    let ids = taken.ids.iter().map(|id| id.0.to_string());
    let which = match &taken.query {
        Some(query) => format!("query {query}"),
        None => format!("messages {}", ids.collect::<Vec<_>>().join(" ")),
    };
    let user = taken.user.iter().map(|user| format!("; of user {user}"));
    format!("as {}, {which}{}", taken.form.as_str(), user.collect::<String>())
}

/// A profile that is tried out, as it is or before it is saved.
fn tried(name: Option<&String>, unsaved: bool) -> String {
    match (name, unsaved) {
        (None, _) => "a new profile".to_owned(),
        (Some(name), true) => of_profile(name) + ", not saved",
        (Some(name), false) => of_profile(name),
    }
}

fn of_profile(name: impl AsRef<str>) -> String {
    format!("profile {}", name.as_ref())
}

fn of_account(name: String) -> String {
    format!("account {name}")
}

fn wished(wish: &AccountWish) -> (&'static str, String) {
    let nothing = String::new();
    match wish {
        AccountWish::Add { role, archives, .. } => {
            let archives = match archives.is_empty() {
                true => nothing,
                false => format!(", archives {}", archives.join(", ")),
            };
            ("account-add", format!(", role {role}{archives}"))
        }
        AccountWish::Password { .. } => ("account-password", nothing),
        AccountWish::Disable => ("account-disable", nothing),
        AccountWish::Enable => ("account-enable", nothing),
        AccountWish::Remove => ("account-remove", nothing),
        AccountWish::Role(role) => ("account-role", format!(", role {role}")),
        AccountWish::Give(user) => ("account-give", format!(", archive {user}")),
        AccountWish::Take(user) => ("account-take", format!(", archive {user}")),
        AccountWish::Totp => ("account-totp", ", begun".into()),
        AccountWish::ConfirmTotp { .. } => ("account-totp", ", confirmed".into()),
        AccountWish::TotpOff => ("account-totp", ", off".into()),
        AccountWish::AddApplication(name) => ("application-add", format!(", application {name}")),
        AccountWish::RemoveApplication(name) => ("application-remove", format!(", application {name}")),
        AccountWish::EndSessions(None) => ("session-end", ", all sessions".into()),
        AccountWish::EndSessions(Some(session)) => ("session-end", format!(", session {session}")),
    }
}

/// Whose messages are listed, and by which filter.
fn listed(user: Option<&str>, newest: Option<usize>, filter: &ListFilter) -> String {
    let text =
        |name: &str, text: &Option<String>| text.iter().map(|text| format!("{name} {text:?}")).collect::<Vec<_>>();
    let time = |name: &str, time: &Option<jiff::Timestamp>| time.iter().map(|time| format!("{name} {time}")).collect();
    let whose = user.map_or("all archives".to_owned(), |user| format!("user {user}"));
    let parts: [Vec<String>; 7] = [
        vec![whose],
        text("from", &filter.from),
        text("to", &filter.to),
        text("subject", &filter.subject),
        time("since", &filter.since),
        time("until", &filter.until),
        newest.iter().map(|newest| format!("newest {newest}")).collect(),
    ];
    parts.concat().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        access::{Account, Role},
        api::{Searched, Spoken},
        ids::MessageId,
    };

    #[test]
    fn an_entry_says_who_did_what_and_no_secret() {
        let account = Account {
            address: "192.0.2.1".into(),
            reason: Some("case 7".into()),
            ..Account::new("Jane", Role::Auditor, [].into())
        };
        let caller = Caller::Account(account);
        let said = |request: Request| {
            let entry = noted(&caller, &request).unwrap();
            assert_eq!(
                (&*entry.account, &*entry.address, &*entry.reason),
                ("Jane", "192.0.2.1", "case 7")
            );
            format!("{} {}", entry.action, entry.object)
        };
        let filter = ListFilter {
            from: Some("bob".into()),
            ..ListFilter::default()
        };
        let list = Request::List {
            user: Some("jane".into()),
            newest: Some(3),
            filter,
        };
        assert_eq!(said(list), "list user jane, from \"bob\", newest 3");
        let search = Searched {
            query: "invoice -draft".into(),
            user: Some("joan".into()),
            ..Searched::default()
        };
        assert_eq!(said(Request::Search(search)), "search invoice -draft; of user joan");
        assert_eq!(
            said(Request::Raw {
                id: MessageId(7),
                named: true
            }),
            "raw message 7"
        );
        assert_eq!(said(Request::Status), "status ");
        let wish = |wish| Request::ChangeAccount {
            name: "joan".into(),
            wish,
        };
        let password = Spoken::new("very secret");
        let add = AccountWish::Add {
            role: Role::User,
            archives: vec!["joan".into(), "bob".into()],
            password: password.clone(),
        };
        assert_eq!(
            said(wish(add)),
            "account-add account joan, role user, archives joan, bob"
        );
        let changed = AccountWish::Password {
            password: password.clone(),
            current: Some(password),
        };
        assert!(!format!("{changed:?}").contains("very"), "{changed:?}");
        assert_eq!(said(wish(changed)), "account-password account joan");
    }

    #[test]
    fn the_end_of_a_long_query_was_not_in_the_log() {
        let query = format!("{}secret", "dull ".repeat(2_500 / 5));
        let long = format!("{}secret", "x".repeat(crate::api::LONGEST_QUERY - "secret".len()));
        for query in [query, long] {
            let search = Searched {
                query: query.clone(),
                user: Some("joan".into()),
                ..Searched::default()
            };
            let taken = Taken {
                query: Some(query),
                user: Some("joan".into()),
                ..Taken::default()
            };
            let account = || Caller::Account(Account::new("jane", Role::Auditor, [].into()));
            for request in [Request::Search(search), Request::Take(taken)] {
                let object = noted(&account(), &request).unwrap().object;
                assert!(object.ends_with("secret; of user joan"), "{request:?}");
            }
        }
    }
}
