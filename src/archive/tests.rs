//! The store as a whole: what goes in comes out, in whatever way it went in.

use super::{
    test_bench::{Bench, config, deposit},
    *,
};
use crate::{
    config::Config,
    report::{Run, RunState},
};

#[actix::test]
async fn what_is_filed_is_given_back_and_filed_once() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let bench = Bench::open(&config);
    let first = bench.file("aaaa first", 1, &[UserId(1), UserId(2)]).await;
    assert_eq!((first.archived.len(), first.duplicate.len()), (2, 0));
    let again = bench.file("aaaa first", 1, &[UserId(1), UserId(2)]).await;
    assert_eq!(
        (again.message, again.archived.len(), again.duplicate.len()),
        (first.message, 0, 2)
    );
    let more = bench.file("aaaa other bytes", 2, &[UserId(2), UserId(3)]).await;
    assert_eq!((more.archived, more.duplicate), (vec![UserId(3)], vec![UserId(2)]));
    assert_ne!(more.message, first.message, "user 3 gets the bytes of their own copy");
    let large = "bbbb".repeat(1 << 20);
    let large_filed = bench.file(&large, 3, &[UserId(1)]).await;
    bench.close();

    let bench = Bench::open(&config);
    let mut retrieval = Retrieval::new(&bench.store);
    let mut raw = |id| retrieval.raw(id, &bench.store.message(id).unwrap().unwrap()).unwrap();
    assert_eq!(raw(first.message), b"aaaa first");
    assert_eq!(raw(more.message), b"aaaa other bytes");
    assert_eq!(raw(large_filed.message), large.as_bytes());
    let ids = |user| bench.list(user).iter().map(|entry| entry.id).collect::<Vec<_>>();
    assert_eq!(ids(UserId(1)), [first.message, large_filed.message]);
    assert_eq!(ids(UserId(2)), [first.message]);
    assert_eq!(ids(UserId(9)), []);
    assert_eq!(
        bench
            .store
            .done_uids(SourceNumber(1), FolderNumber(1), 7)
            .unwrap()
            .iter()
            .collect::<Vec<_>>(),
        [1, 2, 3]
    );
    assert!(
        bench
            .store
            .done_uids(SourceNumber(1), FolderNumber(1), 8)
            .unwrap()
            .is_empty(),
        "another UIDVALIDITY"
    );
    let copy = bench
        .store
        .copy(&CopyKey::Imap {
            source: SourceNumber(1),
            folder: FolderNumber(1),
            uidvalidity: 7,
            uid: 2,
        })
        .unwrap()
        .unwrap();
    assert_eq!((copy.message, copy.fetched), (more.message, None));
    let usage: Vec<_> = bench
        .store
        .users()
        .unwrap()
        .into_iter()
        .map(|(_, _, usage)| usage.messages)
        .collect();
    assert_eq!(usage, [0], "only @catchall is a user, and has nothing");
    assert_eq!(bench.store.totals().unwrap().0, 3);
    bench.close();
}

#[actix::test]
async fn a_data_directory_is_opened_once() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let bench = Bench::open(&config);
    let error = Store::open(&config).err().unwrap();
    assert!(matches!(error, StoreError::InUse { .. }), "{error}");
    bench.close();
    // Who closes it lets go of it.
    Bench::open(&config).close();
}

#[test]
fn what_is_not_ours_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("thesis.txt"), "mine").unwrap();
    let config = Config {
        data_dir: folder.path().to_owned(),
        ..Config::default()
    };
    assert!(matches!(Store::open(&config), Err(StoreError::NotOurs { .. })));
    assert!(!folder.path().join("catalog").exists());
}

#[test]
fn a_foreign_or_cut_catalog_is_refused_before_lmdb_sees_it() {
    for content in [&b"short"[..], &[7; 16384]] {
        let folder = tempfile::tempdir().unwrap();
        let catalog = folder.path().join("catalog");
        std::fs::create_dir(&catalog).unwrap();
        std::fs::write(catalog.join("data.mdb"), content).unwrap();
        let config = Config {
            data_dir: folder.path().to_owned(),
            ..Config::default()
        };
        assert!(matches!(Store::open(&config), Err(StoreError::Damaged { .. })));
    }
}

#[actix::test]
async fn the_same_bytes_at_another_date_are_one_message_of_both_users() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::open(&config(&folder));
    let first = bench.file("aaaa the same", 1, &[UserId(1)]).await;
    // A message without a date of its own gets another one from each copy.
    let second = bench.file("aaaa the same", 2, &[UserId(2)]).await;
    assert_eq!(first.message, second.message);
    let dates = [1, 2].map(|user| bench.list(UserId(user))[0].date);
    assert_eq!(dates[0], dates[1]);
    for id in [1, 2] {
        let user = User {
            name: format!("user {id}"),
            addresses: Vec::new(),
            managed: false,
            retired: false,
        };
        bench.committer.put_user(Some(UserId(id)), user).await.unwrap();
    }
    let message = bench.store.message(first.message).unwrap().unwrap();
    assert_eq!(bench.store.filings_of(first.message, &message).unwrap().len(), 2);
    bench.close();
}

#[actix::test]
async fn the_beginning_of_a_large_message_is_read_alone() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::open(&config(&folder));
    let large = format!("Subject: large\n\n{}", "abcdefgh".repeat(1 << 20));
    let filed = bench.file(&large, 1, &[UserId(1)]).await;
    let message = bench.store.message(filed.message).unwrap().unwrap();
    let mut retrieval = Retrieval::new(&bench.store);
    let beginning = retrieval.beginning(filed.message, &message, 64).unwrap();
    assert_eq!(beginning, b"Subject: large\n\n", "the body is a part");
    assert_eq!(retrieval.raw(filed.message, &message).unwrap(), large.as_bytes());
    bench.close();
}

#[actix::test]
async fn small_tables_change_and_contradictions_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let bench = Bench::open(&config);
    let address = |text: &str| crate::message::Address::parse(text).unwrap();
    let user = |name: &str, addresses: &[&str]| User {
        name: name.into(),
        addresses: addresses.iter().map(|text| address(text)).collect(),
        managed: false,
        retired: false,
    };
    let put = |user| bench.committer.put_user(None, user);
    let jane = put(user("jane", &["jane@example.com"])).await.unwrap();
    assert!(put(user("jane", &[])).await.is_err());
    assert!(put(user("bob", &["jane@example.com"])).await.is_err());
    assert!(put(user("bob", &["bob@example.com"])).await.unwrap() > jane);

    let source = |host: &str| Source {
        family: crate::config::Family::Pop3,
        host: host.into(),
        port: 1,
        username: "u".into(),
    };
    let number = bench.committer.source(source("a")).await.unwrap();
    assert_eq!(bench.committer.source(source("a")).await.unwrap(), number);
    assert_ne!(bench.committer.source(source("b")).await.unwrap(), number);

    let run = Run::begin("company", jiff::Timestamp::UNIX_EPOCH);
    let number = bench.committer.begin_run(&run).await.unwrap();
    bench.close();
    let bench = Bench::open(&config);
    close_abandoned_runs(&bench.store).unwrap();
    let run: Run = serde_json::from_str(&bench.store.run(number).unwrap().unwrap()).unwrap();
    assert_eq!((run.run, run.state), (number, RunState::Interrupted));
    bench.close();
}

#[actix::test]
async fn a_deposit_brought_a_user_who_contradicts_another() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::open(&config(&folder));
    let user = |name: &str| User {
        name: name.into(),
        addresses: vec![crate::message::Address::parse("bob@example.com").unwrap()],
        managed: false,
        retired: false,
    };
    bench.committer.put_user(Some(UserId(1)), user("bob")).await.unwrap();
    let deposit = Deposit {
        new_users: vec![(UserId(2), user("bob@example.com"))],
        ..deposit(b"to bob")
    };
    let answer = bench.hand_in(deposit, &[UserId(2)]).await;
    assert!(matches!(answer, Err(StoreError::User { .. })));
    assert_eq!(bench.store.users().unwrap().len(), 2);
    assert_eq!(bench.store.totals().unwrap().0, 0, "nothing of it was written");
    bench.close();
}

#[actix::test]
async fn uidls_that_are_gone_are_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::open(&config(&folder));
    let key = |uidl: &str| CopyKey::uidl(SourceNumber(3), uidl);
    for uidl in ["a", "b"] {
        let deposit = Deposit {
            copy: Some(Named {
                key: key(uidl),
                traits: Traits::default(),
            }),
            ..deposit(format!("{uidl} message").as_bytes())
        };
        bench.hand_in(deposit, &[UserId(1)]).await.unwrap();
    }
    let standing = vec![uidl_digest("b")];
    assert_eq!(
        bench.committer.forget_uidls(SourceNumber(3), standing).await.unwrap(),
        1
    );
    assert!(bench.store.copy(&key("a")).unwrap().is_none());
    assert!(bench.store.copy(&key("b")).unwrap().is_some());
    bench.close();
}
