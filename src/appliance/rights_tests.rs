//! The table of who sees what, asked of the running appliance: each kind of caller, each message and each id that does not
//! exist, each name; of lists, searches, counts, and of what names people.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::Appliance;
use crate::{
    access::{Account, Archives, Caller, Outcome, Role},
    api::{AccountWish, Failure, Reply, Request, Searched, Spoken, Taken},
    archive::{
        Deposit, MessageId, Store, UserId, check_audit,
        test_bench::{Bench, config, content, deposit},
    },
    ids::RunId,
    message::Address,
    reading::find_user,
};

/// Users: one is retired.
const USERS: [&str; 4] = ["jane", "joan", "rita", "bob"];
const RETIRED: &str = "rita";
/// Behind the last id that was given out.
const NO_ID: u64 = 1_000_000;

struct Site {
    appliance: Arc<Appliance>,
    users: BTreeMap<&'static str, UserId>,
    /// Who has each message; a journal report is in nobody's archive.
    messages: BTreeMap<MessageId, BTreeSet<UserId>>,
    _folder: tempfile::TempDir,
}

impl Site {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = config(&folder);
        let bench = Bench::open(&config);
        let user = |name: &str, retired| crate::archive::User {
            name: name.into(),
            addresses: Address::parse(&format!("{name}@example.com")).into_iter().collect(),
            managed: false,
            retired,
        };
        let mut users = BTreeMap::new();
        for name in USERS {
            let id = bench.committer.put_user(None, user(name, false)).await.unwrap();
            users.insert(name, id);
        }
        let mut messages = BTreeMap::new();
        // Each set of users has a message.
        for set in 1..1_u32 << USERS.len() {
            let holders: Vec<_> = (0..USERS.len())
                .filter(|at| set >> at & 1 == 1)
                .map(|at| users[USERS[at]])
                .collect();
            let mail = format!("X{set:03}: x\nFrom: sender{set}@example.org\nSubject: secret{set}\n\nwords of {set}\n");
            let id = bench.file(&mail, set, &holders).await.message;
            messages.insert(id, holders.into_iter().collect());
        }
        let message = "From: sender99@example.org\r\nSubject: secret99\r\n\r\nwords of a report\r\n";
        let report = format!("Subject: report\r\n\r\nTo: joan@example.com\r\n\r\n{message}");
        let reported = Deposit {
            report: Some(Arc::new(content(report.as_bytes()))),
            ..deposit(message.as_bytes())
        };
        let id = bench.hand_in(reported, &[users["jane"]]).await.unwrap().message;
        messages.insert(id, [users["jane"]].into());
        let report = bench.store.journals(id, MessageId(0), 1).unwrap()[0].0;
        messages.insert(report, BTreeSet::new());
        bench
            .committer
            .put_user(Some(users[RETIRED]), user(RETIRED, true))
            .await
            .unwrap();
        bench.close();
        let store = Arc::new(Store::open(&config).unwrap());
        let (appliance, _) = Appliance::start(config, store, false).await.unwrap();
        appliance.search.start().unwrap();
        appliance.search.up_to_date(|_| {}).await.unwrap();
        Self {
            appliance: Arc::new(appliance),
            users,
            messages,
            _folder: folder,
        }
    }

    fn callers(&self) -> Vec<Account> {
        let mut callers = Vec::new();
        for role in Role::ALL {
            for given in 0..1_u32 << USERS.len() {
                let given = (0..USERS.len())
                    .filter(|at| given >> at & 1 == 1)
                    .map(|at| self.users[USERS[at]]);
                callers.push(Account::new("somebody", role, given.collect()));
            }
        }
        callers
    }

    async fn ask(&self, account: &Account, request: Request) -> Result<Vec<Reply>, Failure> {
        let caller = Caller::Account(account.clone());
        let mut answer = self.appliance.answer(&caller, request).await?;
        let mut replies = Vec::new();
        loop {
            match answer.next().await {
                Some(Reply::Done) => return Ok(replies),
                Some(Reply::Failed(failure)) => return Err(failure),
                Some(reply) => replies.push(reply),
                None => panic!("no end"),
            }
        }
    }

    /// The messages that an account may see, with those of its archives that have each.
    fn visible(&self, account: &Account) -> BTreeMap<MessageId, BTreeSet<&'static str>> {
        let archives = account.archives();
        let of = |holders: &BTreeSet<UserId>| {
            let readable = self
                .users
                .iter()
                .filter(|(_, id)| holders.contains(id) && archives.has(**id));
            readable.map(|(name, _)| *name).collect::<BTreeSet<_>>()
        };
        let all = self.messages.iter().map(|(id, holders)| (*id, of(holders)));
        // A journal report is in nobody's archive: whoever may read all of them reads it.
        all.filter(|(_, names)| !names.is_empty() || archives == Archives::All)
            .collect()
    }

    fn entries(&self) -> u64 {
        let check = check_audit(self.appliance.store(), &mut |_, _| true).unwrap();
        assert_eq!(check.wrong, 0, "{check:?}");
        check.entries
    }
}

#[actix::test]
async fn nobody_sees_what_they_may_not_see() {
    let site = Site::new().await;
    let mut asked = 0;
    for account in site.callers() {
        let visible = site.visible(&account);
        let ids = site.messages.keys().copied().chain([0, NO_ID, u64::MAX].map(MessageId));
        for id in ids {
            for request in [
                Request::Raw { id, named: true },
                Request::Show {
                    id,
                    journal: false,
                    full: true,
                    images: false,
                },
                Request::Show {
                    id,
                    journal: true,
                    full: false,
                    images: false,
                },
                Request::Part { id, part: 1 },
                Request::Take(Taken {
                    ids: vec![id],
                    ..Taken::default()
                }),
            ] {
                asked += 1;
                let answered = site.ask(&account, request).await;
                match visible.get(&id) {
                    // As for an id that was never given out, to the last letter.
                    None => assert_eq!(
                        answered.unwrap_err().error,
                        format!("there is no message {id}; `list` shows the ids"),
                        "{account:?}"
                    ),
                    Some(names) => {
                        for reply in answered.unwrap() {
                            if let Reply::Shown(shown) = reply {
                                let (reported, shown_reports) =
                                    (&shown.journals, shown.subject == "secret99" && !names.is_empty());
                                let shown: BTreeSet<_> = shown.users.iter().map(|user| user.user.as_str()).collect();
                                assert_eq!(shown, *names, "{account:?}: who else has {id}");
                                let reports = shown_reports && account.role == Role::Auditor;
                                assert_eq!(!reported.is_empty(), reports, "{account:?}: who got {id}");
                            }
                        }
                    }
                }
            }
        }
    }
    assert_eq!(site.entries(), asked, "each of them is noted");
}

#[actix::test]
async fn lists_searches_counts_and_names_are_of_what_one_may_see() {
    let site = Site::new().await;
    for account in site.callers() {
        let visible = site.visible(&account);
        let archives = account.archives();
        for name in USERS
            .into_iter()
            .map(Some)
            .chain([None, Some("nobody"), Some("@catchall")])
        {
            let request = Request::List {
                user: name.map(str::to_owned),
                newest: None,
                filter: Default::default(),
            };
            let expected = |of: &str| -> BTreeSet<MessageId> {
                let all = visible.iter().filter(|(_, names)| names.contains(of));
                all.map(|(id, _)| *id).collect()
            };
            let may = name.is_none_or(|name| match site.users.get(name) {
                Some(id) => archives.has(*id),
                None => name == "@catchall" && archives == Archives::All,
            });
            match site.ask(&account, request).await {
                Err(failure) => {
                    let name = name.unwrap_or_default();
                    assert!(!may, "{account:?} {name}");
                    assert!(
                        failure.error.starts_with(&format!("no user is named {name:?}")),
                        "{failure}"
                    );
                    // Nor does the hint name somebody else.
                    let hidden = site.users.iter().filter(|(_, id)| !archives.has(**id));
                    for (hidden, _) in hidden.filter(|(hidden, _)| **hidden != name) {
                        assert!(!failure.error.contains(hidden), "{account:?}: {failure}");
                    }
                }
                Ok(replies) => {
                    assert!(may, "{account:?} {name:?}");
                    let mut listed: BTreeMap<String, BTreeSet<MessageId>> = BTreeMap::new();
                    for reply in replies {
                        if let Reply::Entry(line) = reply {
                            listed.entry(line.user).or_default().insert(line.id);
                        }
                    }
                    for user in USERS {
                        let wanted = name.is_none_or(|name| name == user);
                        let expected = if wanted { expected(user) } else { BTreeSet::new() };
                        assert_eq!(
                            listed.remove(user).unwrap_or_default(),
                            expected,
                            "{account:?} {name:?}"
                        );
                    }
                    assert!(listed.is_empty(), "{listed:?}");
                }
            }
        }
        let everybody: BTreeSet<_> = visible.values().flatten().copied().collect();
        for query in [
            "*",
            "secret*",
            "words",
            "user:jane",
            "user:rita",
            "user:bob",
            "id:1",
            "subject:secret2",
        ] {
            let searched = Searched {
                query: query.into(),
                limit: 100,
                facets: true,
                snippets: true,
                ..Searched::default()
            };
            let (mut hits, mut senders) = (BTreeSet::new(), BTreeSet::new());
            for reply in site.ask(&account, Request::Search(searched)).await.unwrap() {
                match reply {
                    Reply::Hit(hit) => {
                        let users: BTreeSet<_> = hit.users.iter().map(String::as_str).collect();
                        assert_eq!(Some(&users), visible.get(&hit.id), "{account:?} {query}");
                        hits.insert(hit.id);
                        senders.insert(hit.from.clone());
                    }
                    Reply::Found(found) => {
                        assert_eq!(found.total, hits.len() as u64, "{account:?} {query}");
                        let facets = found.facets.unwrap();
                        let named = facets.users.iter().map(|user| user.name.as_str());
                        assert!(
                            named.into_iter().all(|name| everybody.contains(name)),
                            "{account:?}: {facets:?}"
                        );
                        let years: u64 = facets.years.iter().map(|year| year.messages).sum();
                        assert_eq!(years, hits.len() as u64);
                        for sender in &facets.senders {
                            assert!(senders.contains(&sender.name), "{account:?}: {}", sender.name);
                        }
                    }
                    _ => {}
                }
            }
            assert!(
                hits.iter().all(|id| visible.contains_key(id)),
                "{account:?} {query}: {hits:?}"
            );
            if ["*", "secret*", "words"].contains(&query) {
                let had = visible.iter().filter(|(_, names)| !names.is_empty()).map(|(id, _)| id);
                assert!(had.into_iter().all(|id| hits.contains(id)), "{account:?} {query}");
            }
        }
        // Users: an administrator looks after all of them.
        let users = site.ask(&account, Request::Users).await.unwrap().into_iter();
        let users: BTreeSet<_> = users
            .filter_map(|reply| {
                if let Reply::User(user) = reply {
                    Some(user.name)
                } else {
                    None
                }
            })
            .collect();
        let all = account.role != Role::User;
        let readable = site.users.iter().filter(|(_, id)| all || archives.has(**id));
        let expected: BTreeSet<_> = readable.map(|(name, _)| (*name).to_owned()).collect();
        let users: BTreeSet<_> = users.into_iter().filter(|name| name != "@catchall").collect();
        assert_eq!(users, expected, "{account:?}");
    }
}

#[actix::test]
async fn what_names_everybody_is_for_administrators() {
    let site = Site::new().await;
    for role in Role::ALL {
        let account = Account::new("somebody", role, site.users.values().copied().collect());
        let is_administrator = role == Role::Administrator;
        // Protocols name addresses, and accounts are names.
        for request in [
            Request::Protocols {
                newest: None,
                filter: Default::default(),
                before: None,
            },
            Request::Accounts,
            Request::AddressLists,
            Request::Ignored,
            Request::Sessions { account: None },
            Request::Status,
            Request::Profiles {
                name: None,
                secrets: false,
            },
        ] {
            let said = format!("{role}: {request:?}");
            assert_eq!(site.ask(&account, request).await.is_ok(), is_administrator, "{said}");
        }
        // That there is no such run is not said either.
        let refused = site
            .ask(&account, Request::Protocol { run: RunId(77) })
            .await
            .unwrap_err();
        assert_eq!(refused.error.contains("role"), !is_administrator, "{refused}");
        let audit = site.ask(&account, Request::Audit(Default::default())).await;
        assert_eq!(audit.is_ok(), role != Role::User, "{role}");
        for (name, is_own) in [("somebody", true), ("joan", false), ("nobody", false)] {
            let request = Request::ChangeAccount {
                name: name.into(),
                wish: AccountWish::Password {
                    password: Spoken::new("another password"),
                    current: None,
                },
            };
            // None of them exists, which who may not ask is not told.
            let refused = site.ask(&account, request).await.unwrap_err();
            assert_eq!(
                refused.error.contains("role"),
                !is_own && !is_administrator,
                "{role} {name}: {refused}"
            );
        }
    }
    let mut refused = 0;
    let check = check_audit(site.appliance.store(), &mut |_, row| {
        refused += usize::from(row.entry.outcome == Outcome::Refused);
        true
    });
    assert_eq!(check.unwrap().wrong, 0);
    // For those who are no administrators: the seven, the run, two accounts; and the log for a user.
    assert_eq!(refused, 2 * 10 + 1);
    assert!(find_user(site.appliance.store(), &Archives::All, RETIRED).is_ok());
}
