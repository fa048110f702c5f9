//! Archiving without a mail server: messages go to the router as a connection gives them to it, through the same
//! pool, budget and committer, so that groups and blocks are those of a run.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use actix::{Actor, Addr, Arbiter};
use bytes::Bytes;
use dropkeep::{
    appliance::take_over_users,
    archive::{Committer, CopyKey, FolderNumber, Named, RunId, Source, SourceNumber, Store, Traits},
    config::{self, Config, Family, Recipients},
    identify::{Identified, Pool, Rules},
    profile::Budget,
    report::{InStage, Outcome, Run, RunState, Stage},
    route::{Directory, Prepared, Route, Routed, Router, Routing},
};
use jiff::Timestamp;
use tokio::{sync::mpsc, task::JoinSet};

use crate::support::{
    dovecot::MAILBOX,
    generator::{Person, user_tables},
};

/// Messages made and not yet taken.
const MADE: usize = 64;
/// Messages on their way, beside the budget of bytes: as many as a connection's window has.
const WINDOW: usize = 4_000;

/// What was archived, and how long it took.
pub struct Archived {
    pub messages: u64,
    pub raw: u64,
    pub took: Duration,
}

/// A configuration with these users, archiving to `data_dir`.
pub fn config(data_dir: &std::path::Path, people: &[Person]) -> Config {
    let user = |person: &Person| config::User {
        name: person.name.clone(),
        addresses: person.addresses.clone(),
        disabled: false,
    };
    Config {
        data_dir: data_dir.to_owned(),
        user: people.iter().map(user).collect(),
        ..Config::default()
    }
}

/// The same as a person writes it down, for the program to run on.
pub fn config_text(config: &Config, people: &[Person]) -> String {
    let data_dir = serde_json::to_string(&config.data_dir).expect("a path in UTF-8");
    format!(
        "data_dir = {data_dir}\n[http]\nlisten = \"127.0.0.1:0\"\n{}",
        user_tables(people)
    )
}

/// Archives all of `messages`; they are made on a thread of their own. `told` hears how many are on disk.
pub fn archive<I>(config: &Config, messages: I, told: impl Fn(u64)) -> Archived
where
    I: Iterator<Item = Vec<u8>> + Send + 'static,
{
    let (made, queue) = mpsc::channel(MADE);
    let maker = std::thread::spawn(move || {
        for message in messages {
            if made.blocking_send(message).is_err() {
                return;
            }
        }
    });
    let store = Arc::new(Store::open(config).expect("an archive"));
    let archived = actix_rt::System::new().block_on(archive_all(config, store, queue, told));
    maker.join().expect("all messages are made");
    archived
}

async fn archive_all(
    config: &Config,
    store: Arc<Store>,
    mut queue: mpsc::Receiver<Vec<u8>>,
    told: impl Fn(u64),
) -> Archived {
    let started = Instant::now();
    let (committer, thread) = Committer::start(store.clone(), config.limits.inflight.0).expect("a committer");
    take_over_users(config, &store, &committer).await.expect("the users");
    let users = store.users().expect("the users");
    let directory = Directory::new(users.into_iter().map(|(id, user, _)| (id, user)));
    let router = Router::new(directory, store.clone(), committer.clone());
    let router = Router::start_in_arbiter(&Arbiter::new().handle(), |_| router);
    let run = begin(&committer).await;
    let mut work = Work {
        run: run.run,
        source: source(&committer).await,
        folder: committer.folder("INBOX").await.expect("a folder"),
        rules: Arc::new(Rules::new(&recipients(), MAILBOX)),
        routing: Arc::new(Routing::new(&recipients())),
        pool: Pool::new().expect("a pool"),
        router,
        going_on: JoinSet::new(),
        protocol: run,
    };
    let budget = Budget::new(config.limits.inflight.0);
    let more = committer.more_coming();
    let (mut uid, mut raw) = (0, 0);
    while let Some(message) = queue.recv().await {
        uid += 1;
        raw += message.len() as u64;
        let share = budget.take([message.len() as u64].into_iter()).await;
        if work.going_on.len() >= WINDOW {
            work.one_done().await;
        }
        while let Some(routed) = work.going_on.try_join_next() {
            work.count(routed.expect("no message is lost"));
        }
        work.start(message.into(), uid, share);
        if uid.is_multiple_of(50_000) {
            told(uid.into());
        }
    }
    drop(more);
    while !work.going_on.is_empty() {
        work.one_done().await;
    }
    let run = Run {
        state: RunState::Completed,
        finished_at: Some(Timestamp::now()),
        ..work.protocol.clone()
    };
    committer
        .put_protocol(std::sync::Arc::new(run))
        .await
        .expect("a protocol");
    let took = started.elapsed();
    // The store closes when the last who can write to it is gone.
    drop((work, committer));
    actix_rt::System::current().stop();
    let ended = tokio::task::spawn_blocking(|| thread.join()).await;
    assert!(matches!(ended, Ok(Ok(()))), "the committer ended in good order");
    Archived {
        messages: uid.into(),
        raw,
        took,
    }
}

struct Work {
    run: RunId,
    source: SourceNumber,
    folder: FolderNumber,
    rules: Arc<Rules>,
    routing: Arc<Routing>,
    pool: Pool,
    router: Addr<Router>,
    going_on: JoinSet<Routed>,
    protocol: Run,
}

impl Work {
    fn start(&mut self, message: Bytes, uid: u32, share: impl Send + 'static) {
        let copy = CopyKey::Imap {
            source: self.source,
            folder: self.folder,
            uidvalidity: 1,
            uid,
        };
        let (pool, router) = (self.pool.clone(), self.router.clone());
        let (rules, routing) = (self.rules.clone(), self.routing.clone());
        let (folder, run) = (self.folder, self.run);
        self.going_on.spawn(async move {
            let named = Named {
                key: copy,
                traits: Traits::default(),
            };
            let identify = move || Identified::new(message, None, &rules);
            let prepared = pool.run(move || Prepared::new(identify(), false, Some(named), None));
            let route = Route {
                window: vec![prepared.await.expect("it is identified")],
                folder,
                run,
                routing,
                known_only: false,
                waits: InStage::enter(Stage::Route, 1),
            };
            let mut routed = router.send(route).await.expect("the router");
            drop(share);
            routed.remove(0).expect("it is archived")
        });
    }

    async fn one_done(&mut self) {
        if let Some(routed) = self.going_on.join_next().await {
            self.count(routed.expect("no message is lost"));
        }
    }

    fn count(&mut self, routed: Routed) {
        self.protocol.counts.count(match routed.archived.is_empty() {
            true => Outcome::Duplicate,
            false => Outcome::Archived,
        });
    }
}

fn recipients() -> Recipients {
    Recipients {
        own_addresses: vec![MAILBOX.into()],
        local_domains: vec!["example.com".into()],
        ..Recipients::default()
    }
}

async fn source(committer: &Committer) -> SourceNumber {
    let source = Source {
        family: Family::Imap,
        host: "generated.example".into(),
        port: 143,
        username: MAILBOX.into(),
    };
    committer.source(source).await.expect("a source")
}

async fn begin(committer: &Committer) -> Run {
    let run = Run::begin("benchmark", Timestamp::now());
    let number = committer.begin_run(&run).await;
    Run {
        run: number.expect("a run"),
        ..run
    }
}
