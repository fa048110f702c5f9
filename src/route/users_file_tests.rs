use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

use actix::Addr;

use super::*;
use crate::{
    archive::{Committer, Store},
    message::Address,
    route::{
        ChangeUser, Directory, Known, Router, UserChange,
        swap::{BeginSwap, Swap},
    },
};

struct Bench {
    file: Addr<UsersFile>,
    work: Arc<Reading>,
    router: Addr<Router>,
    store: Arc<Store>,
    folder: tempfile::TempDir,
}

impl Bench {
    async fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("dropkeep.toml");
        fs::write(
            &config,
            "users_file = \"users.csv\"\n[[user]]\nname = \"conf\"\naddresses = [\"conf@example.com\"]\n",
        )
        .unwrap();
        fs::write(folder.path().join("users.csv"), text).unwrap();
        let config = Config::load(&config).unwrap();
        let store = Arc::new(Store::open(&config).unwrap());
        let (committer, _) = Committer::start(store.clone(), 64 << 20).unwrap();
        crate::appliance::take_over_users(&config, &store, &committer)
            .await
            .unwrap();
        let users = store.users().unwrap().into_iter().map(|(id, user, _)| (id, user));
        let router = Router::new(Directory::new(users), store.clone(), committer.clone()).start();
        let take_over = TakeOver::new(store.clone(), committer, router.clone());
        let file = UsersFile::new(&config, take_over, Arc::new(|_| {})).unwrap();
        Self {
            work: file.work.clone(),
            file: file.start(),
            router,
            store,
            folder,
        }
    }

    /// Writes the file anew, and gives what is wrong with it.
    async fn write(&self, text: &str) -> Option<String> {
        fs::write(self.folder.path().join("users.csv"), text).unwrap();
        self.look().await
    }

    async fn look(&self) -> Option<String> {
        let error = self.file.send(LookAtUsers).await.unwrap();
        error.map(|error| error.to_string())
    }

    /// The users but @catchall and conf, as the store has them; so does the router's directory.
    async fn users(&self) -> Vec<String> {
        let directory = self.router.send(Swap(Directory::default())).await.unwrap();
        let stored: Vec<_> = self
            .store
            .users()
            .unwrap()
            .into_iter()
            .map(|(id, user, _)| (id, user))
            .collect();
        let known: Vec<_> = directory.iter().map(|(id, user)| (id, user.clone())).collect();
        assert_eq!(known, stored);
        for (id, user) in stored.iter().filter(|(_, user)| !user.retired) {
            for address in &user.addresses {
                let Known::Users(users, _) = directory.look_up(address, false) else {
                    panic!("{address}")
                };
                assert_eq!(users, [*id], "{address}");
            }
        }
        self.router.send(Swap((*directory).clone())).await.unwrap();
        let line = |(_, user): &(_, crate::archive::User)| {
            let addresses: Vec<_> = user.addresses.iter().map(Address::as_str).collect();
            let mark = if user.retired { "!" } else { "" };
            format!("{mark}{} {}", user.name, addresses.join(" "))
        };
        stored[2..].iter().map(line).collect()
    }
}

#[actix::test]
async fn a_file_that_changed_is_taken_over_as_a_whole() {
    let bench = Bench::new("jane,jane@example.com\nbob,bob@example.com\n").await;
    assert_eq!(bench.look().await, None);
    assert_eq!(bench.users().await, ["jane jane@example.com", "bob bob@example.com"]);
    let add = UserChange::Add {
        name: "added".into(),
        addresses: vec![Address::parse("added@example.com").unwrap()],
    };
    bench.router.send(ChangeUser(add)).await.unwrap().unwrap();
    // Addresses change hands, somebody comes, somebody goes.
    assert_eq!(bench.write("jane,bob@example.com\neve,jane@example.com\n").await, None);
    assert_eq!(
        bench.users().await,
        [
            "jane bob@example.com",
            "!bob bob@example.com",
            "added added@example.com",
            "eve jane@example.com",
        ]
    );
}

#[actix::test]
async fn a_bad_line_changes_nothing_and_is_named_until_it_is_put_right() {
    let bench = Bench::new("jane,jane@example.com\n").await;
    let there = bench.users().await;
    for (text, words) in [
        (
            "jane,jane@example.com\nbob,jane@example.com\n",
            "line 2: jane@example.com is an address of \"jane\"",
        ),
        (
            "bob,bob@example.com\njane,conf@example.com\n",
            "line 2: conf@example.com is an address of \"conf\"",
        ),
        ("", "names no user"),
        ("name,address\n", "names no user"),
    ] {
        for _ in 0..2 {
            let error = bench.write(text).await.unwrap();
            assert!(error.contains("users.csv") && error.contains(words), "{error}");
        }
        assert_eq!(bench.users().await, there, "{text}");
    }
    fs::remove_file(bench.folder.path().join("users.csv")).unwrap();
    assert!(bench.look().await.unwrap().contains("does not exist"));
    assert_eq!(bench.users().await, there);
    assert_eq!(bench.write("jane,jane@example.com\nbob,bob@example.com").await, None);
    assert_eq!(bench.users().await.len(), 2);
}

#[actix::test]
async fn who_was_added_by_a_command_stands_in_the_way_and_the_line_is_named() {
    let bench = Bench::new("jane,jane@example.com\n").await;
    let add = UserChange::Add {
        name: "bob".into(),
        addresses: vec![Address::parse("b@example.com").unwrap()],
    };
    bench.router.send(ChangeUser(add)).await.unwrap().unwrap();
    let there = bench.users().await;
    for line in ["bob,other@example.com", "other,b@example.com"] {
        let error = bench.write(&format!("jane,j@example.com\n{line}\n")).await.unwrap();
        assert!(error.contains("line 2: user ") && error.contains("\"bob\""), "{error}");
        assert_eq!(bench.users().await, there, "{line}");
    }
    let retire = UserChange::Retire { name: "bob".into() };
    bench.router.send(ChangeUser(retire)).await.unwrap().unwrap();
    assert_eq!(bench.write("jane,j@example.com\nother,b@example.com\n").await, None);
    assert_eq!(
        bench.users().await,
        ["jane j@example.com", "!bob b@example.com", "other b@example.com"]
    );
}

/// Has so many users taken over. Gives the longest time that the router took for an answer meanwhile, and all of it.
async fn taken_over() -> (Duration, Duration) {
    let bench = Bench::new("jane,jane@example.com\n").await;
    let text: String = (0..100_000).map(|n| format!("u{n},u{n}@example.com\n")).collect();
    let router = bench.router.clone();
    let ended = Arc::new(AtomicBool::new(false));
    let watched = ended.clone();
    let asking = actix_rt::spawn(async move {
        let mut longest = Duration::ZERO;
        while !watched.load(Ordering::Relaxed) {
            let started = Instant::now();
            router.send(BeginSwap(0)).await.unwrap();
            longest = longest.max(started.elapsed());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        longest
    });
    let started = Instant::now();
    assert_eq!(bench.write(&text).await, None);
    let took = started.elapsed();
    ended.store(true, Ordering::Relaxed);
    let longest = asking.await.unwrap();
    assert_eq!(bench.users().await.len(), 100_001);
    (longest, took)
}

#[actix::test]
async fn the_router_stood_still_while_a_hundred_thousand_users_were_taken_over() {
    let mut tried = Vec::new();
    // One that stands still does so each time; what else runs holds it up now and then.
    for _ in 0..3 {
        let (longest, took) = taken_over().await;
        if longest * 2 < took {
            return;
        }
        tried.push((longest, took));
    }
    panic!("the longest times for an answer, and all of the time: {tried:?}");
}

#[actix::test]
async fn a_file_that_was_read_a_moment_ago_is_left_alone_unless_somebody_asks() {
    let bench = Bench::new("jane,jane@example.com\n").await;
    let text = "jane,jane@example.com\neve,eve@example.com\n";
    fs::write(bench.folder.path().join("users.csv"), text).unwrap();
    let state = |rests| State {
        seen: None,
        error: None,
        rests: Some(rests),
        refused: None,
    };
    let later = Instant::now() + Duration::from_secs(3600);
    let look = |rests, is_asked| bench.work.clone().look(state(rests), is_asked);
    assert_eq!(look(later, false).await.seen, None);
    assert_eq!(bench.users().await, ["jane jane@example.com"]);
    let begun = Instant::now();
    let read = look(later, true).await;
    assert!(read.seen.is_some());
    assert_eq!(bench.users().await, ["jane jane@example.com", "eve eve@example.com"]);
    // For so long as reading took, some times.
    let rests = read.rests.unwrap();
    assert!(
        rests > begun && rests < Instant::now() + REST * begun.elapsed(),
        "{rests:?}"
    );
    assert!(look(begun, false).await.seen.is_some());
}
