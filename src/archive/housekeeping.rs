//! What is done to the store while nobody waits for it: full volumes are sealed at once, the marks of readers that
//! were ended are cleared, protocols and entries of the audit log that were kept long enough are removed, rows of lists are made
//! where there are none, and in quiet hours small blocks are merged, and a part of the archive is verified.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};

use super::audit_keeping::AuditKeeping;
use super::compact::compact;
use super::growth::GrowthKeeping;
use super::hooks::Hooks;
use super::retention::Retention;
use super::sealing::seal_full_volumes;
use super::verify::Nightly;
use super::{Committer, Store, StoreError, lists_filling};
use crate::{
    clock,
    config::{Audit, DailyHours, Protocols},
    panics::survived,
};

/// How often it looks for something to do.
const LOOK: Duration = Duration::from_secs(10);
/// For how long of that rows of lists are made, so that mail is filed beside it.
const FILLING: Duration = Duration::from_secs(4);
/// How long the end of its thread is waited for, and how often it is looked for.
const PATIENCE: Duration = Duration::from_secs(1);
const GLANCE: Duration = Duration::from_millis(10);
/// How long after a compaction the next one may come.
const BETWEEN: Duration = Duration::from_secs(12 * 3600);

/// The thread that keeps house; it ends with this.
pub struct Housekeeper {
    stop: Arc<Stop>,
    thread: Option<thread::JoinHandle<()>>,
}

#[derive(Default)]
struct Stop {
    stopped: Mutex<bool>,
    told: Condvar,
}

impl Stop {
    fn is_told(&self) -> bool {
        *self.stopped.lock()
    }

    /// Waits for the time, or until told to stop; whether it was.
    fn wait(&self, time: Duration) -> bool {
        let mut stopped = self.stopped.lock();
        self.told.wait_while_for(&mut stopped, |stopped| !*stopped, time);
        *stopped
    }
}

impl Housekeeper {
    /// # Errors
    /// No thread could be started.
    pub fn start(
        store: Arc<Store>,
        committer: Committer,
        quiet: DailyHours,
        protocols: Protocols,
        audit: Option<Audit>,
        nightly: Nightly,
    ) -> Result<Self, StoreError> {
        let stop = Arc::new(Stop::default());
        let path = store.path().to_owned();
        let work = Work {
            store,
            committer,
            quiet,
            stop: stop.clone(),
            compacted: None,
            retention: Retention::new(protocols),
            audit: audit.map(AuditKeeping::new),
            growth: GrowthKeeping::default(),
            nightly,
        };
        let thread = thread::Builder::new()
            .name("housekeeper".into())
            .spawn(move || work.run());
        let thread = thread.map_err(StoreError::io("starting the housekeeper of", path))?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Housekeeper {
    fn drop(&mut self) {
        *self.stop.stopped.lock() = true;
        self.stop.told.notify_all();
        let Some(thread) = self.thread.take() else { return };
        let asked = Instant::now();
        while !thread.is_finished() && asked.elapsed() < PATIENCE {
            thread::sleep(GLANCE);
        }
        // Whatever it is at can be cut off: the next start goes on with it.
        if thread.is_finished() && thread.join().is_err() {
            tracing::error!("the housekeeper panicked; this is a bug in dropkeep");
        }
    }
}

struct Work {
    store: Arc<Store>,
    committer: Committer,
    quiet: DailyHours,
    stop: Arc<Stop>,
    compacted: Option<Instant>,
    retention: Retention,
    audit: Option<AuditKeeping>,
    growth: GrowthKeeping,
    nightly: Nightly,
}

impl Work {
    fn run(mut self) {
        loop {
            // Nothing is lost by what fails here; it is tried again. A panic is on standard error.
            let _ = survived("the housekeeper", || self.look());
            if self.stop.wait(LOOK) {
                return;
            }
        }
    }

    fn look(&mut self) {
        if let Err(error) = seal_full_volumes(&self.store, &self.committer, &|| !self.stop.is_told()) {
            tracing::error!(%error, "cannot seal a full volume");
        }
        let go_on = || !self.stop.is_told();
        if let Err(error) = self.retention.look(&self.store, &self.committer, &go_on) {
            tracing::warn!(%error, "cannot remove old protocols");
        }
        if let Some(audit) = &mut self.audit
            && let Err(error) = audit.look(&self.store, &self.committer, &go_on)
        {
            tracing::error!(%error, "cannot check the audit log, or remove old entries of it");
        }
        if let Err(error) = self.fill_lists() {
            tracing::warn!(%error, "cannot make rows of lists for messages of an older version; lists read the messages");
        }
        if self.may_compact()
            && let Err(error) = self.compact()
        {
            tracing::error!(%error, "cannot merge small blocks");
        }
        if let Err(error) = self.nightly.look(self.quiet, &|| !self.stop.is_told()) {
            tracing::error!(%error, "cannot note what was verified of the archive");
        }
        if let Err(error) = self.growth.look(&self.store, &self.committer) {
            tracing::warn!(%error, "cannot note how large the archive is");
        }
        if let Err(error) = self.store.forget_dead_readers() {
            tracing::warn!(%error, "cannot release the pages that killed commands were reading");
        }
    }

    fn fill_lists(&self) -> Result<(), StoreError> {
        let began = Instant::now();
        let go_on = || !self.stop.is_told() && began.elapsed() < FILLING;
        match lists_filling::fill(&self.store, &self.committer, &go_on)? {
            0 => {}
            rows => tracing::debug!(rows, "rows of lists were made for messages that had none"),
        }
        Ok(())
    }

    fn may_compact(&self) -> bool {
        let rested = self.compacted.is_none_or(|last| last.elapsed() >= BETWEEN);
        rested && self.quiet.include(&clock::here()) && self.committer.is_idle()
    }

    fn compact(&mut self) -> Result<(), StoreError> {
        self.compacted = Some(Instant::now());
        let go_on = || !self.stop.is_told() && self.quiet.include(&clock::here());
        let done = compact(&self.store, &self.committer, Hooks::only(&go_on))?;
        if done.moved > 0 || done.volumes > 0 {
            tracing::info!(?done, "small blocks were merged");
        }
        Ok(())
    }
}
