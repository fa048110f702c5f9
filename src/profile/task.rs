//! What the connections of a run work on, and with which parts of the appliance.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix::Recipient;
use tokio_util::sync::CancellationToken;

use super::{
    budget::{Budget, Share},
    collect_error::CollectError,
    doubtful::Doubtful,
    exclude::Exclude,
    next_notices::NextNotices,
    progress::Progress,
    pulse::Pulse,
};
use crate::{
    archive::{Committer, RunId, SourceNumber, Store},
    config::Profile,
    identify::{Pool, Rules},
    notify::Notifier,
    route::{Held, Router, Routing, UsersFile},
    token::Login,
};

/// The appliance's parts that every connection works with.
#[derive(Clone)]
pub struct Stages {
    pub store: Arc<Store>,
    pub committer: Committer,
    pub router: actix::Addr<Router>,
    /// Where users come from a file that may change.
    pub users_file: Option<actix::Addr<UsersFile>>,
    pub pool: Pool,
    pub budget: Budget,
    /// Hears how each run ended.
    pub notifier: Notifier,
    /// What the protocol of the next run says besides.
    pub next_notices: NextNotices,
    /// Bytes; larger messages stay on the server.
    pub max_message_size: u64,
    /// Profiles run by their schedules, and not only when somebody asks for it.
    pub scheduled: bool,
}

/// What a connection works on.
pub struct Task {
    pub stages: Stages,
    pub profile: Profile,
    pub login: Login,
    pub rules: Arc<Rules>,
    pub routing: Arc<Routing>,
    /// What is left alone; `None` where that is nothing, as in an import.
    pub exclude: Option<Arc<Exclude>>,
    pub run: RunId,
    /// Whose copies are noted as done; `None` for an import.
    pub source: Option<SourceNumber>,
    /// Whose all of an import is.
    pub owner: Option<Held>,
    pub cancel: CancellationToken,
    pub doubtful: Doubtful,
    /// Connections that are fetching at this moment.
    pub fetching: AtomicUsize,
    pub pulse: Pulse,
    pub progress: Recipient<Progress>,
}

/// How often who waits for the budget shows that it is not the server that is slow.
const WAITING: Duration = Duration::from_secs(1);

impl Task {
    /// A share of the budget for copies of these sizes, in bytes. Others may hold all of it for long: that is no stall
    /// of this run.
    ///
    /// # Errors
    /// The run was interrupted.
    pub async fn share(&self, sizes: impl Iterator<Item = u64>) -> Result<Share, CollectError> {
        let share = self.stages.budget.take(sizes);
        tokio::pin!(share);
        loop {
            tokio::select! {
                biased;
                () = self.cancel.cancelled() => return Err(CollectError::Cancelled),
                share = &mut share => return Ok(share),
                // While another connection of this run fetches, it is that one which must get somewhere.
                () = tokio::time::sleep(WAITING) => if self.fetching.load(Ordering::Relaxed) == 0 {
                    self.pulse.beat();
                },
            }
        }
    }
}
