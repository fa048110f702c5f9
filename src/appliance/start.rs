//! The start of the appliance: the stages over an opened store, the last one first, and then those who talk to them.

use std::{
    sync::{Arc, OnceLock},
    thread::JoinHandle,
};

use actix::{Actor, Arbiter};
use parking_lot::{Mutex, RwLock};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::{
    backlog::Backlogs,
    history,
    requests::Requests,
    state::{Appliance, Running},
    supervised::supervise,
    told::Told,
    trials::TRIALS,
    users::changed_users,
};
use crate::{
    api::{Exit, Failure},
    archive::{Committer, Housekeeper, Store, StoreError, UsersNews, close_abandoned_runs, give_back, verify::Nightly},
    clock,
    config::{Config, DailyHours, FileUsers, VerifyEvery},
    errand::Errand,
    gate::Gate,
    identify::Pool,
    kept,
    notify::{Digests, Notifier},
    profile::{Budget, Stages},
    report::metrics,
    reroute::Gained,
    route::{Router, Signs, TakeOver, UsersFile, directory_of, put_users},
    search::{Indexing, Search},
};

impl Appliance {
    /// Starts the stages over an opened store. Needs a running actix system. `scheduled`: profiles run
    /// by their schedules, not only by hand. The committer's thread ends when the appliance is gone.
    ///
    /// # Errors
    /// The users of the configuration contradict those of the store, or the store cannot be written.
    pub async fn start(
        mut config: Config,
        store: Arc<Store>,
        scheduled: bool,
    ) -> Result<(Self, JoinHandle<()>), Failure> {
        close_abandoned_runs(&store)?;
        let (committer, thread) = Committer::start(store.clone(), config.limits.inflight.0)?;
        let not_in_force = kept::merge(&mut config, &store)?;
        let changed = changed_users(&config, &store)?;
        // The store is given them now, and there may be very many.
        let read_users = std::mem::take(&mut config.file_users).stamp;
        let users = changed.1.gained.clone();
        put_users(&committer, changed).await?;
        let directory = directory_of(&store, Signs::new(&config))?;
        // Of very many users there was much besides.
        give_back();
        let router = Router::new(directory, store.clone(), committer.clone());
        let router = Router::start_in_arbiter(&Arbiter::new().handle(), |_| router);
        let backlogs = Backlogs::start(
            Arc::new(config.clone()),
            store.clone(),
            committer.clone(),
            router.clone(),
            scheduled,
        );
        let tell = backlogs.tell_gained();
        // With those of earlier commands and runs, of whom no protocol has said anything.
        let mut gained = Gained::of(users);
        gained.add(store.users_news()?.into());
        backlogs.gained(gained);
        config.file_users.stamp = read_users;
        let take_over = TakeOver::new(store.clone(), committer.clone(), router.clone());
        let users_file = UsersFile::new(&config, take_over.clone(), tell).map(Actor::start);
        config.file_users = FileUsers::default();
        let pool = Pool::new().map_err(|error| Failure::new(Exit::Errors, error))?;
        let stages = Stages {
            store: store.clone(),
            committer: committer.clone(),
            router: router.clone(),
            users_file,
            pool,
            budget: Budget::new(config.limits.inflight.0),
            notifier: Notifier::new(&config),
            next_notices: backlogs.next_notices(),
            max_message_size: config.limits.max_message_size.0,
            scheduled,
        };
        let digests = if scheduled { Digests::OnTime } else { Digests::WithRuns };
        let notifier = stages.notifier.clone();
        let telling = notifier.start(store.clone(), committer.clone(), digests);
        let profiles = config.profile.iter().map(|profile| {
            let standing = history::standing(&profile.name, &store)?;
            let supervised = supervise(&config, profile, &stages, standing, scheduled);
            Ok::<_, StoreError>((profile.name.clone(), supervised))
        });
        let profiles = profiles.collect::<Result<_, _>>()?;
        // Only an appliance that stays has hours that are quiet, and nights.
        let (quiet, every) = if scheduled {
            (config.archive.quiet_hours, config.archive.verify)
        } else {
            (DailyHours::Never, VerifyEvery::Never)
        };
        let notices = backlogs.next_notices();
        let tell = Box::new(move |damage| notices.put(vec![damage], UsersNews::default()));
        let volume_size = config.archive.volume_size;
        let nightly = Nightly::new(store.clone(), committer.clone(), every, volume_size, tell);
        let protocols = config.protocols.clone();
        let audit = scheduled.then(|| config.audit.clone());
        let housekeeper = Housekeeper::start(store.clone(), committer.clone(), quiet, protocols, audit, nightly)?;
        let search = Search::new(store.clone(), config.search.clone());
        // A command that ends soon leaves it to whoever searches.
        if scheduled && let Err(error) = search.start() {
            tracing::error!(%error, "new mail is not found by `dropkeep search` until dropkeep is started again");
        }
        let gate = Gate::new(&config, store.clone(), committer.clone())?;
        let (messages, raw) = store.totals()?;
        metrics::archive_size(messages, raw);
        metrics::backed_up(store.last_backup()?.map_or(0, |backup| backup.ended_at.as_second()));
        let (asked, asking) = mpsc::channel(1);
        Ok((
            Self {
                asked,
                asking: Mutex::new(Some(asking)),
                running: Arc::new(RwLock::new(Running {
                    config: Arc::new(config),
                    stages,
                    profiles,
                    leaving: Vec::new(),
                    importing: None,
                    ending: false,
                })),
                files: OnceLock::new(),
                reloading: tokio::sync::Mutex::default(),
                ignoring: tokio::sync::Mutex::default(),
                reloads: watch::Sender::new(0),
                not_in_force: Mutex::new(not_in_force),
                trials: Arc::new(Semaphore::new(TRIALS)),
                trials_end: CancellationToken::new(),
                refused: Mutex::default(),
                started: clock::now(),
                looking: Arc::default(),
                scheduled,
                requests: Requests::default(),
                store,
                committer,
                router,
                take_over,
                verification: Told::new("a verification"),
                compaction: Told::new("a compaction"),
                rerouting: Errand::new("a reroute"),
                rerouted: watch::Sender::new(None),
                importing: Errand::new("an import with --user"),
                importing_for: Mutex::new("".into()),
                backlogs,
                notifier,
                _telling: telling,
                _housekeeper: housekeeper,
                gate,
                _indexing: Indexing(search.clone()),
                search,
            },
            thread,
        ))
    }
}
