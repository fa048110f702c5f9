//! What the appliance consists of while it runs.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock, atomic::AtomicBool},
};

use actix::Addr;
use jiff::Timestamp;
use parking_lot::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::{backlog::Backlogs, requests::Requests, rerouted::Rerouted, supervised::Supervised, told::Told};
use crate::{
    api::{Failure, Reloaded},
    archive::{Committer, Housekeeper, Store},
    config::Config,
    errand::Errand,
    gate::Gate,
    kept::NotInForce,
    notify::{Notifier, Workers},
    profile::Stages,
    report::metrics,
    route::{Router, TakeOver},
    search::{Indexing, Search},
};

/// What a configuration that is read anew changes.
pub struct Running {
    pub config: Arc<Config>,
    pub stages: Stages,
    pub profiles: HashMap<String, Supervised>,
    /// That the configuration has no more, and whose runs end.
    pub leaving: Vec<Supervised>,
    /// The one that imports for one user, as long as it does.
    pub importing: Option<Supervised>,
    /// No run begins any more.
    pub ending: bool,
}

/// Why a configuration was refused.
#[derive(Clone)]
pub struct Refused {
    pub why: String,
    /// By its users file alone, which is looked at again by itself.
    pub by_users_file: bool,
}

/// Who wants the configuration read anew, and is told what came of it.
pub type Asked = oneshot::Sender<Result<Reloaded, Failure>>;

/// Reads files anew that the configuration names; says what is wrong with them.
type ReadAnew = Box<dyn Fn() -> Result<(), String> + Send + Sync>;

/// The running appliance.
pub struct Appliance {
    pub(super) running: Arc<RwLock<Running>>,
    /// What else is read anew with the configuration.
    pub(super) files: OnceLock<ReadAnew>,
    /// Asks whoever started the appliance to read the configuration anew, on the thread where it was started.
    pub(super) asked: mpsc::Sender<Asked>,
    pub(super) asking: Mutex<Option<mpsc::Receiver<Asked>>>,
    pub(super) take_over: TakeOver,
    /// Held while a configuration is read anew.
    pub(super) reloading: tokio::sync::Mutex<()>,
    /// Held while it is changed which addresses are ignored.
    pub(super) ignoring: tokio::sync::Mutex<()>,
    /// Profiles that are kept in the catalog, and do not run.
    pub(super) not_in_force: Mutex<Vec<NotInForce>>,
    /// How many profiles may be tried out at once.
    pub(super) trials: Arc<Semaphore>,
    /// Ends all of them.
    pub(super) trials_end: CancellationToken,
    /// Raised when one was taken.
    pub(super) reloads: watch::Sender<u64>,
    /// Why the last one was refused.
    pub(super) refused: Mutex<Option<Refused>>,
    pub(super) started: Timestamp,
    /// Somebody looks whether all of the archive is there.
    pub(super) looking: Arc<AtomicBool>,
    /// Profiles run by their schedules.
    pub(super) scheduled: bool,
    pub(super) requests: Requests,
    pub(super) store: Arc<Store>,
    pub(super) committer: Committer,
    pub(super) router: Addr<Router>,
    pub(super) verification: Told,
    pub(super) compaction: Told,
    pub(super) rerouting: Errand,
    /// How far that is, or how the last one ended.
    pub(super) rerouted: watch::Sender<Option<Rerouted>>,
    /// The imports for one user, by no profile's rules.
    pub(super) importing: Errand,
    /// For whom the import with --user that is going on is, or the last one was.
    pub(super) importing_for: Mutex<Arc<str>>,
    pub(super) backlogs: Backlogs,
    pub(super) notifier: Notifier,
    /// What sends what the notifier hears.
    pub(super) _telling: Workers,
    pub(super) _housekeeper: Housekeeper,
    pub(super) gate: Gate,
    pub(super) search: Search,
    pub(super) _indexing: Indexing,
}

impl Appliance {
    pub(super) fn running(&self) -> RwLockReadGuard<'_, Running> {
        self.running.read()
    }

    pub(super) fn running_mut(&self) -> RwLockWriteGuard<'_, Running> {
        self.running.write()
    }

    /// The configuration that is in force.
    pub fn config(&self) -> Arc<Config> {
        self.running().config.clone()
    }

    pub(super) fn profiles(&self) -> Vec<Supervised> {
        self.running().profiles.values().cloned().collect()
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Where those come in who have accounts.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// The requests that are being answered.
    pub fn requests(&self) -> &Requests {
        &self.requests
    }

    pub(super) fn profile(&self, name: &str) -> Result<Supervised, Failure> {
        let running = self.running();
        if running.config.profile(name).is_err() {
            return Err(self.does_not_know(name));
        }
        let profile = running.profiles.get(name).cloned();
        profile.ok_or_else(|| Failure::usage(format!("profile {name:?} is being started or removed; try again")))
    }

    /// Who asks found the profile in the configuration as the file has it now.
    pub(super) fn does_not_know(&self, profile: &str) -> Failure {
        Failure::unknown(match self.scheduled {
            true => format!("the running appliance does not know profile {profile:?} yet; run `dropkeep reload`"),
            false => format!(
                "another dropkeep command is running that does not know profile {profile:?} yet; try again when it has \
                 ended"
            ),
        })
    }

    /// Measures what changes without a commit of ours.
    pub fn measure(&self) {
        metrics::disk(self.store.disk_size(), self.store.disk());
        match self.store.count_volumes() {
            Ok((open, sealed)) => metrics::volumes(open, sealed),
            Err(error) => tracing::warn!(%error, "cannot count the volumes"),
        }
        if !self.store.can_be_read() {
            return;
        }
        match self.store.free_pages() {
            Ok((catalog, volume)) => metrics::free_pages(catalog, volume),
            Err(error) => tracing::warn!(%error, "cannot measure the free pages"),
        }
    }
}
