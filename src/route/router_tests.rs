use bytes::Bytes;
use futures_util::future;

use super::super::{ChangeUser, UserChange, UserError};
use super::*;
use crate::{
    archive::User,
    config::{Config, Recipients, Unknown},
    identify::{Identified, Rules},
};

struct Bench {
    router: actix::Addr<Router>,
    store: Arc<Store>,
    _folder: tempfile::TempDir,
}

fn user(name: &str, address: &str) -> User {
    User {
        name: name.into(),
        addresses: vec![Address::parse(address).unwrap()],
        managed: false,
        retired: false,
    }
}

impl Bench {
    async fn with(users: Vec<User>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config {
            data_dir: folder.path().join("data"),
            ..Config::default()
        };
        let store = Arc::new(Store::open(&config).unwrap());
        let (committer, _) = Committer::start(store.clone(), 64 << 20).unwrap();
        let users = users.into_iter().map(|user| (None, user)).collect();
        committer.put_users(users, Default::default()).await.unwrap();
        let users = store.users().unwrap().into_iter().map(|(id, user, _)| (id, user));
        let router = Router::new(Directory::new(users), store.clone(), committer);
        Self {
            router: router.start(),
            store,
            _folder: folder,
        }
    }

    async fn route(&self, message: &str) -> Result<Routed, RouteError> {
        self.route_window(&[message]).await.remove(0)
    }

    async fn route_window(&self, messages: &[&str]) -> Vec<Result<Routed, RouteError>> {
        let recipients = Recipients {
            local_domains: vec!["example.com".into()],
            unknown: Unknown::Create,
            ..Recipients::default()
        };
        let (rules, routing) = (Rules::new(&recipients, ""), Routing::new(&recipients));
        let mut window = Vec::new();
        for message in messages {
            let bytes = Bytes::copy_from_slice(message.as_bytes());
            let mut prepared = Prepared::new(Identified::new(bytes, None, &rules), false, None, None);
            if prepared.found.more > 0 {
                let directory = self.router.send(super::super::AsItStands).await.unwrap();
                prepared = prepared.looked_through(&directory, &routing, &rules);
            }
            window.push(prepared);
        }
        let route = Route {
            waits: InStage::enter(Stage::Route, window.len()),
            window,
            folder: FolderNumber(1),
            run: RunId(1),
            routing: Arc::new(routing),
            known_only: false,
        };
        self.router.send(route).await.unwrap()
    }

    async fn change(&self, change: UserChange) -> Result<UserId, UserError> {
        self.router.send(ChangeUser(change)).await.unwrap()
    }
}

#[actix::test]
async fn a_retired_user_was_created_anew_by_the_next_mail() {
    let bench = Bench::with(vec![user("jane", "jane@example.com"), user("bob", "bob@example.com")]).await;
    bench.change(UserChange::Retire { name: "jane".into() }).await.unwrap();
    let to_jane = bench.route("To: Jane+x@example.com\r\n\r\none").await.unwrap();
    assert!(to_jane.created.is_empty() && to_jane.unknown);
    assert_eq!(to_jane.archived, ["@catchall"]);
    assert_eq!(to_jane.local_unknown, [Address::parse("jane@example.com").unwrap()]);
    let to_both = bench
        .route("To: jane@example.com, bob@example.com\r\n\r\ntwo")
        .await
        .unwrap();
    assert_eq!((to_both.archived, to_both.unknown), (vec!["bob".into()], false));
    assert_eq!(to_both.local_unknown.len(), 1);

    // One whose name is another's address does not stand in the way.
    let rename = UserChange::Rename {
        name: "bob".into(),
        to: "new@example.com".into(),
    };
    bench.change(rename).await.unwrap();
    let to_new = bench.route("To: new@example.com\r\n\r\nthree").await.unwrap();
    assert_eq!(to_new.created, ["new@example.com-2"]);
    assert_eq!(to_new.archived, ["new@example.com-2"]);
    let to_other = bench.route("To: other@example.com\r\n\r\nfour").await.unwrap();
    assert_eq!(to_other.created, ["other@example.com"]);
    assert_eq!(bench.store.users().unwrap().len(), 5, "with @catchall");
}

#[actix::test]
async fn of_two_changes_at_once_one_was_lost() {
    let bench = Bench::with(vec![user("jane", "jane@example.com")]).await;
    let rename = UserChange::Rename {
        name: "jane".into(),
        to: "joan".into(),
    };
    let retire = UserChange::Retire { name: "joan".into() };
    let (renamed, retired) = future::join(bench.change(rename), bench.change(retire)).await;
    assert_eq!(renamed.unwrap(), retired.unwrap());
    let (_, joan, _) = bench.store.users().unwrap().pop().unwrap();
    assert_eq!((joan.name.as_str(), joan.retired), ("joan", true));
}

#[actix::test]
async fn a_user_was_added_beside_one_just_created() {
    let bench = Bench::with(Vec::new()).await;
    let add = UserChange::Add {
        name: "bob".into(),
        addresses: vec![Address::parse("bob@example.com").unwrap()],
    };
    let (routed, added) = future::join(bench.route("To: bob@example.com\r\n\r\none"), bench.change(add)).await;
    assert_eq!(routed.unwrap().created, ["bob@example.com"]);
    assert!(matches!(added, Err(UserError::Store(StoreError::User { .. }))));
    assert_eq!(bench.store.users().unwrap().len(), 2);
}

#[actix::test]
async fn copies_of_one_window_are_told_apart() {
    let bench = Bench::with(vec![user("jane", "jane@example.com"), user("bob", "bob@example.com")]).await;
    let (one, two) = (
        "To: jane@example.com\r\n\r\none",
        "To: jane@example.com, bob@example.com\r\n\r\ntwo",
    );
    let new = "To: new@example.com\r\n\r\nthree";
    let window = bench.route_window(&[one, two, one, new, new]).await;
    let window: Vec<_> = window.into_iter().map(Result::unwrap).collect();
    let archived: Vec<_> = window.iter().map(|routed| routed.archived.join(" ")).collect();
    assert_eq!(archived, ["jane", "jane bob", "", "new@example.com", ""]);
    let duplicate: Vec<_> = window.iter().map(|routed| routed.duplicate.join(" ")).collect();
    assert_eq!(duplicate, ["", "", "jane", "", "new@example.com"]);
    let created: Vec<_> = window.iter().map(|routed| routed.created.len()).collect();
    assert_eq!(created, [0, 0, 0, 1, 0]);
    assert_eq!(bench.store.totals().unwrap().0, 3);
}

#[actix::test]
async fn copies_for_thousands_pass_one_after_the_other() {
    let many = SHARES + 1;
    let users = (0..many)
        .map(|n| user(&format!("u{n}"), &format!("u{n}@example.com")))
        .collect();
    let bench = Bench::with(users).await;
    let to: Vec<_> = (0..many).map(|n| format!("u{n}@example.com")).collect();
    let message = |text: &str| format!("To: {}\r\nSubject: {text}\r\n\r\n{text}", to.join(",\r\n "));
    let few = "To: u1@example.com, u2@example.com\r\n\r\nfew";
    let (first, second) = (message("first"), message("second"));
    let (first, second, few) = future::join3(bench.route(&first), bench.route(&second), bench.route(few)).await;
    assert_eq!(first.unwrap().archived.len(), many);
    assert_eq!(second.unwrap().archived.len(), many);
    assert_eq!(few.unwrap().archived.len(), 2);
}

#[actix::test]
async fn a_window_with_more_shares_than_may_be_on_their_way_passes_in_parts() {
    let many = SHARES / 2 + 1;
    let users = (0..many)
        .map(|n| user(&format!("u{n}"), &format!("u{n}@example.com")))
        .collect();
    let bench = Bench::with(users).await;
    let to: Vec<_> = (0..many).map(|n| format!("u{n}@example.com")).collect();
    let message = |text: &str| format!("To: {}\r\nSubject: {text}\r\n\r\n{text}", to.join(",\r\n "));
    let window = bench
        .route_window(&[&message("first"), &message("second"), &message("first")])
        .await;
    let counts = window.into_iter().map(|routed| {
        let routed = routed.unwrap();
        (routed.archived.len(), routed.duplicate.len())
    });
    assert_eq!(counts.collect::<Vec<_>>(), [(many, 0), (many, 0), (0, many)]);
}
