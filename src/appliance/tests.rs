use std::{sync::Arc, time::Instant};

use actix::Actor;

use super::{Answer, Appliance, Unanswered, take_over_users};
use crate::{
    access::{Account, Caller, Role},
    api::{Failure, Reply, Request},
    archive::{Committer, FolderNumber, RunId, Store, User, UserId},
    config::{self, Config},
    message::Address,
    report::{InStage, Stage},
    route::{Directory, Router},
};

struct Bench {
    store: Arc<Store>,
    committer: Committer,
    config: Config,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config {
            data_dir: folder.path().join("data"),
            ..Config::default()
        };
        let store = Arc::new(Store::open(&config).unwrap());
        let (committer, _) = Committer::start(store.clone(), 64 << 20).unwrap();
        Self {
            store,
            committer,
            config,
            _folder: folder,
        }
    }

    async fn configure(&mut self, users: impl IntoIterator<Item = (String, String)>) -> Result<(), Failure> {
        let user = |(name, address)| config::User {
            name,
            addresses: vec![address],
            disabled: false,
        };
        self.config.user = users.into_iter().map(user).collect();
        let taken = take_over_users(&self.config, &self.store, &self.committer).await;
        taken.map(drop)
    }

    /// The users but @catchall: name, addresses, retired.
    fn users(&self) -> Vec<(String, String, bool)> {
        let users = self.store.users().unwrap().into_iter().skip(1);
        let line = |(_, user, _): (UserId, User, _)| {
            let addresses: Vec<_> = user.addresses.iter().map(Address::as_str).collect();
            (user.name, addresses.join(" "), user.retired)
        };
        users.map(line).collect()
    }
}

fn pairs<const N: usize>(users: [(&str, &str); N]) -> [(String, String); N] {
    users.map(|(name, address)| (name.to_owned(), address.to_owned()))
}

#[actix::test]
async fn a_user_who_came_back_to_the_configuration_met_a_twin() {
    use crate::{
        identify::{Identified, Rules},
        route::{Prepared, Route, Routing},
    };
    let mut bench = Bench::new();
    bench.configure(pairs([("jane", "jane@example.com")])).await.unwrap();
    bench.configure([]).await.unwrap();

    let users = bench.store.users().unwrap().into_iter().map(|(id, user, _)| (id, user));
    let router = Router::new(Directory::new(users), bench.store.clone(), bench.committer.clone()).start();
    let recipients = config::Recipients {
        local_domains: vec!["example.com".into()],
        unknown: config::Unknown::Create,
        ..Default::default()
    };
    let bytes = bytes::Bytes::from_static(b"To: jane@example.com\r\n\r\nhello");
    let identified = Identified::new(bytes, None, &Rules::new(&recipients, ""));
    let route = Route {
        window: vec![Prepared::new(identified, false, None, None)],
        folder: FolderNumber(1),
        run: RunId(1),
        routing: Arc::new(Routing::new(&recipients)),
        known_only: false,
        waits: InStage::enter(Stage::Route, 1),
    };
    let routed = router.send(route).await.unwrap().remove(0).unwrap();
    assert!(routed.created.is_empty(), "{routed:?}");

    bench.configure(pairs([("jane", "jane@example.com")])).await.unwrap();
    assert_eq!(bench.users(), [("jane".into(), "jane@example.com".into(), false)]);
}

#[actix::test]
async fn addresses_change_hands_in_one_step_and_all_or_nothing_is_taken_over() {
    let mut bench = Bench::new();
    let add = User {
        name: "added".into(),
        addresses: vec![Address::parse("added@example.com").unwrap()],
        managed: false,
        retired: false,
    };
    bench.committer.put_user(None, add).await.unwrap();
    bench
        .configure(pairs([("a", "a@example.com"), ("b", "b@example.com")]))
        .await
        .unwrap();
    bench
        .configure(pairs([("a", "b@example.com"), ("b", "a@example.com")]))
        .await
        .unwrap();
    let swapped = bench.users();
    assert_eq!(swapped[1], ("a".into(), "b@example.com".into(), false));
    assert_eq!(swapped[2], ("b".into(), "a@example.com".into(), false));
    let wrong = pairs([("a", "a@example.com"), ("c", "added@example.com")]);
    let refused = bench.configure(wrong).await.unwrap_err();
    assert!(refused.error.contains("added@example.com"), "{refused}");
    assert_eq!(bench.users(), swapped, "nothing of it was written");
    bench.configure(pairs([("c", "a@example.com")])).await.unwrap();
    let names: Vec<_> = bench
        .users()
        .into_iter()
        .map(|(name, _, retired)| (name, retired))
        .collect();
    let expected = [("added", false), ("a", true), ("b", true), ("c", false)];
    assert_eq!(names, expected.map(|(name, retired)| (name.to_owned(), retired)));
}

#[actix::test]
async fn each_of_a_hundred_thousand_users_was_a_commit() {
    let mut bench = Bench::new();
    let users = |domain: &'static str| (0..100_000).map(move |n| (format!("u{n}"), format!("u{n}@{domain}")));
    let started = Instant::now();
    bench.configure(users("example.com")).await.unwrap();
    bench.configure(users("example.org")).await.unwrap();
    bench.configure(users("example.org")).await.unwrap();
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    assert_eq!(bench.users().len(), 100_000);
}

#[actix::test]
async fn whoever_asked_the_appliance_was_its_owner() {
    let bench = Bench::new();
    let Bench {
        store,
        committer,
        config,
        ..
    } = &bench;
    // The appliance has a committer of its own.
    drop(committer.clone());
    let (appliance, _committer) = Appliance::start(config.clone(), store.clone(), false).await.unwrap();
    let appliance = Arc::new(appliance);
    let account = |role| Caller::Account(Account::new("jane", role, Default::default()));
    async fn replies(mut answer: Answer) -> Vec<Reply> {
        let mut replies = Vec::new();
        while let Some(reply) = answer.next().await {
            replies.push(reply);
        }
        replies
    }
    let refused = appliance.answer(&account(Role::User), Request::Status).await.map(drop);
    assert!(matches!(refused, Err(Unanswered::Refused(_))), "{refused:?}");
    let answer = appliance
        .answer(&account(Role::Administrator), Request::Status)
        .await
        .unwrap();
    assert!(matches!(
        replies(answer).await.as_slice(),
        [Reply::Appliance(_), Reply::Done]
    ));
    for (role, users) in [(Role::User, 0), (Role::Auditor, 1)] {
        let answer = appliance.answer(&account(role), Request::Users).await.unwrap();
        assert_eq!(replies(answer).await.len(), users + 1, "{role}");
    }
    appliance.requests().end_when_idle().await;
    let late = appliance
        .answer(&account(Role::Auditor), Request::Users)
        .await
        .map(drop);
    assert!(matches!(late, Err(Unanswered::Ending)), "{late:?}");
}
