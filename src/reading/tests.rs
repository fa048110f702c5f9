//! What whoever may not read all archives gets to see.

use std::ops::ControlFlow;

use super::*;
use crate::{
    access::{Account, Caller, Role, grant},
    api::Reply,
    archive::{
        MessageId, User, UserId,
        test_bench::{Bench, config},
    },
    message::Address,
    search::Indexing,
};

/// Two users, and three messages: one for each, and one for both.
struct Site {
    bench: Bench,
    users: [UserId; 2],
    messages: [MessageId; 3],
    index: Indexing,
    _folder: tempfile::TempDir,
}

impl Site {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bench = Bench::open(&config(&folder));
        for name in ["jane", "joan"] {
            let user = User {
                name: name.into(),
                addresses: vec![Address::parse(&format!("{name}@example.com")).unwrap()],
                managed: false,
                retired: false,
            };
            bench.committer.put_user(None, user).await.unwrap();
        }
        let id = |name| find_user(&bench.store, &crate::access::Archives::All, name).unwrap().0;
        let users = ["jane", "joan"].map(id);
        let [jane, joan] = users;
        let mut messages = [MessageId(0); 3];
        for (at, (text, users)) in [("A: 1", &[jane][..]), ("B: 2", &[joan]), ("C: 3", &[jane, joan])]
            .into_iter()
            .enumerate()
        {
            let mail = format!("{text}\nSubject: {text}\n\nx\n");
            messages[at] = bench.file(&mail, at as u32 + 1, users).await.message;
        }
        let index = Search::new(bench.store.clone(), Default::default());
        index.start().unwrap();
        index.up_to_date(|_| {}).await.unwrap();
        Self {
            index: Indexing(index),
            bench,
            users,
            messages,
            _folder: folder,
        }
    }

    /// What an account of this role gets to which jane's archive was given.
    fn ask(&self, role: Role, request: Request) -> Result<Vec<Reply>, String> {
        let account = Account::new("somebody", role, [self.users[0]].into());
        let granted = grant(&Caller::Account(account), request).map_err(|failure| failure.error)?;
        let mut replies = Vec::new();
        let mut take = |reply| {
            replies.push(reply);
            ControlFlow::Continue(())
        };
        match answer(&self.bench.store, &self.index.0, &granted, &mut take) {
            Ok(()) => Ok(replies),
            Err(failure) => Err(failure.error),
        }
    }

    fn listed(&self, role: Role, user: Option<&str>) -> Result<Vec<(MessageId, String)>, String> {
        let request = Request::List {
            user: user.map(str::to_owned),
            newest: None,
            filter: Default::default(),
        };
        let entry = |reply| match reply {
            Reply::Entry(entry) => (entry.id, entry.user),
            other => panic!("{other:?}"),
        };
        Ok(self.ask(role, request)?.into_iter().map(entry).collect())
    }
}

#[actix::test]
async fn a_message_in_none_of_the_archives_given_was_told_from_one_that_does_not_exist() {
    let site = Site::new().await;
    let [own, others, both] = site.messages;
    for role in [Role::User, Role::Administrator] {
        for (id, is_theirs) in [(own, true), (others, false), (both, true), (MessageId(999), false)] {
            for request in [
                Request::Raw { id, named: false },
                Request::Show {
                    id,
                    journal: true,
                    full: true,
                    images: false,
                },
            ] {
                let answered = site.ask(role, request);
                match is_theirs {
                    true => assert!(answered.is_ok(), "{role} {id}: {answered:?}"),
                    false => assert_eq!(
                        answered.unwrap_err(),
                        format!("there is no message {id}; `list` shows the ids"),
                        "{role}"
                    ),
                }
            }
        }
    }
    for id in site.messages {
        assert!(site.ask(Role::Auditor, Request::Raw { id, named: false }).is_ok());
    }
    site.bench.close();
}

#[actix::test]
async fn who_else_has_a_message_was_shown_to_whoever_has_it() {
    let site = Site::new().await;
    let shown_to = |role| {
        let request = Request::Show {
            id: site.messages[2],
            journal: false,
            full: false,
            images: false,
        };
        let replies = site.ask(role, request).unwrap();
        let [Reply::Shown(shown)] = replies.as_slice() else {
            panic!("{replies:?}")
        };
        let names = shown.users.iter().map(|user| user.user.clone());
        names.collect::<Vec<_>>()
    };
    assert_eq!(shown_to(Role::User), ["jane"]);
    assert_eq!(shown_to(Role::Auditor), ["jane", "joan"]);
    site.bench.close();
}

#[actix::test]
async fn lists_had_the_messages_and_the_names_of_others() {
    let site = Site::new().await;
    let [own, others, both] = site.messages;
    let jane = |id| (id, "jane".to_owned());
    let joan = |id| (id, "joan".to_owned());
    for role in [Role::User, Role::Administrator] {
        assert_eq!(site.listed(role, None).unwrap(), [jane(own), jane(both)]);
        assert_eq!(
            site.listed(role, Some("jane@example.com")).unwrap(),
            [jane(own), jane(both)]
        );
        for (name, answer) in [
            // The nearest name is one that may be known, and never that of others.
            ("joan", "no user is named \"joan\"; did you mean \"jane\"?"),
            (
                "joan@example.com",
                "no user is named \"joan@example.com\"; did you mean \"jane\"?",
            ),
            ("@catchall", "no user is named \"@catchall\""),
        ] {
            assert_eq!(site.listed(role, Some(name)).unwrap_err(), answer, "{role}");
        }
    }
    let all = [jane(own), jane(both), joan(others), joan(both)];
    assert_eq!(site.listed(Role::Auditor, None).unwrap(), all);
    let users = |role| site.ask(role, Request::Users).unwrap().len();
    assert_eq!([Role::User, Role::Auditor, Role::Administrator].map(users), [1, 3, 3]);
    site.bench.close();
}

#[actix::test]
async fn a_search_says_nothing_of_other_peoples_mail() {
    let site = Site::new().await;
    let search = |role, query: &str, user: Option<&str>| {
        let asked = crate::api::Searched {
            query: query.into(),
            user: user.map(str::to_owned),
            limit: 10,
            facets: true,
            snippets: true,
            ..Default::default()
        };
        let replies = site.ask(role, Request::Search(asked))?;
        let mut hits = Vec::new();
        for reply in replies {
            match reply {
                Reply::Hit(hit) => hits.push((hit.id, hit.users)),
                Reply::Found(found) => return Ok((hits, found)),
                _ => {}
            }
        }
        Err("no end".to_owned())
    };
    let [jane, joan, both] = site.messages;
    let (mut hits, found) = search(Role::User, "*", None).unwrap();
    hits.sort();
    let of_jane = || vec!["jane".to_owned()];
    assert_eq!(hits, [(jane, of_jane()), (both, of_jane())]);
    let users: Vec<_> = found
        .facets
        .unwrap()
        .users
        .into_iter()
        .map(|counted| counted.name)
        .collect();
    assert_eq!((found.total, users), (2, of_jane()));
    // Whose mail may not be read is nobody.
    for name in ["joan", "jean"] {
        let (hits, found) = search(Role::User, &format!("user:{name}"), None).unwrap();
        assert_eq!((hits.len(), found.total), (0, 0));
        assert_eq!(
            found.notes,
            [format!("no user is named {name:?}; did you mean \"jane\"?")]
        );
        let refused = search(Role::User, "*", Some(name)).unwrap_err();
        assert_eq!(refused, format!("no user is named {name:?}; did you mean \"jane\"?"));
    }
    let (hits, _) = search(Role::User, &format!("id:{}", joan.0), None).unwrap();
    assert_eq!(hits, []);
    let (hits, found) = search(Role::Auditor, "*", None).unwrap();
    assert_eq!((hits.len(), found.total), (3, 3));
    let (hits, _) = search(Role::Auditor, "user:joan -user:jane", None).unwrap();
    assert_eq!(hits, [(joan, vec!["joan".to_owned()])]);
    let (_, found) = search(Role::Administrator, "*", Some("jane")).unwrap();
    assert_eq!(found.total, 2);
    let wrong = search(Role::User, "a (b", None).unwrap_err();
    assert_eq!(wrong, "cannot understand the query: (: this parenthesis is not closed");
}
