use std::{collections::HashSet, sync::Arc};

use actix::{Actor, Addr};

use super::*;
use crate::{
    archive::{Committer, Store},
    config::Config,
    message::Address,
    route::{ChangeUser, UserChange},
};

fn user(name: &str, address: &str, managed: bool) -> User {
    User {
        name: name.into(),
        addresses: vec![Address::parse(address).unwrap()],
        managed,
        retired: false,
    }
}

fn router(users: Vec<(UserId, User)>, folder: &tempfile::TempDir) -> Router {
    let config = Config {
        data_dir: folder.path().join("data"),
        ..Config::default()
    };
    let store = Arc::new(Store::open(&config).unwrap());
    let (committer, _) = Committer::start(store.clone(), 64 << 20).unwrap();
    Router::new(Directory::new(users), store, committer)
}

async fn names(router: &Addr<Router>) -> Vec<String> {
    let directory = router.send(Swap(Directory::default())).await.unwrap();
    directory.iter().map(|(_, user)| user.name.clone()).collect()
}

#[actix::test]
async fn a_user_added_while_a_directory_was_made_was_not_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let router = router(vec![(UserId(1), user("jane", "jane@example.com", true))], &folder).start();
    let first = router.send(BeginSwap(2)).await.unwrap();
    assert_eq!(first, UserId(2));
    let add = UserChange::Add {
        name: "added".into(),
        addresses: vec![Address::parse("added@example.com").unwrap()],
    };
    let added = router.send(ChangeUser(add)).await.unwrap().unwrap();
    assert_eq!(added, UserId(4), "numbers given out are nobody else's");
    let new = Directory::new([
        (UserId(1), user("jane", "jane@example.org", true)),
        (UserId(2), user("bob", "bob@example.com", true)),
    ]);
    let old = router.send(Swap(new)).await.unwrap();
    assert_eq!(old.len(), 2);
    assert_eq!(names(&router).await, ["jane", "bob", "added"]);
}

#[actix::test]
async fn a_user_just_made_took_the_address_of_one_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut router = router(
        vec![
            (UserId(1), user("x@example.com", "x@example.com", false)),
            (UserId(2), user("y@example.com", "y@example.com", false)),
        ],
        &folder,
    );
    router.uncommitted = HashSet::from([1, 2].map(UserId));
    let router = router.start();
    router.send(BeginSwap(1)).await.unwrap();
    let new = Directory::new([(UserId(3), user("xaver", "x@example.com", true))]);
    router.send(Swap(new)).await.unwrap();
    let x = router.send(Swap(Directory::default())).await.unwrap();
    let owner = x.look_up(&Address::parse("x@example.com").unwrap(), false);
    assert_eq!(
        owner,
        crate::route::Known::Users(vec![UserId(3)], crate::route::Rule::Exact)
    );
    let names: Vec<_> = x.iter().map(|(_, user)| user.name.as_str()).collect();
    assert_eq!(names, ["y@example.com", "xaver"]);
}
