//! The index of an archive, for whoever searches in it, waits for it, or wants to know how it stands.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

use super::{
    FindError, Index, SearchError,
    following::{Behind, bytes, documents, mark_of},
    standing::{Stage, Standing},
    worker::{Shared, TELL},
};
use crate::{
    archive::{Follower, Mark, Store},
    config,
    panics::{stopped, survived},
};

/// How long it is waited for the worker to end: it looks at each message whether it is to.
const PATIENCE: Duration = Duration::from_secs(20);

/// The index of an archive, for all who search in it. Clones are the same.
#[derive(Clone)]
pub struct Search {
    shared: Arc<Shared>,
}

/// Ends the worker when it is dropped.
pub struct Indexing(pub Search);

impl Drop for Indexing {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Search {
    /// The index of a store; it is read as it is until somebody [starts](Self::start) the worker.
    pub fn new(store: Arc<Store>, settings: config::Search) -> Self {
        let shared = Shared {
            store,
            index: RwLock::default(),
            standing: watch::Sender::new(Standing {
                stage: if settings.enabled { Stage::Waiting } else { Stage::Off },
                ..Standing::default()
            }),
            settings,
            orders: watch::Sender::default(),
            thread: Mutex::default(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Starts the worker, unless it is there or not wanted.
    ///
    /// # Errors
    /// No thread could be started.
    pub fn start(&self) -> Result<(), SearchError> {
        let mut thread = self.shared.thread.lock();
        if !self.shared.settings.enabled || thread.is_some() {
            return Ok(());
        }
        let shared = self.shared.clone();
        let watch = move || shared.keep_alive();
        let started = thread::Builder::new().name("search watch".into()).spawn(watch);
        let started = started.map_err(SearchError::io("starting the worker of", self.shared.store.path()))?;
        *thread = Some(started);
        Ok(())
    }

    /// The index as it is, to be searched; `None` where there is none that can be.
    ///
    /// # Errors
    /// It is damaged, or cannot be read.
    pub fn index(&self) -> Result<Option<Index>, SearchError> {
        if let Some(index) = self.shared.index.read().clone() {
            return Ok(Some(index));
        }
        // Whoever writes it gives it out.
        if self.shared.thread.lock().is_some() || !self.shared.settings.enabled {
            return Ok(None);
        }
        let Some(index) = Index::open(&self.shared.store.path().join(config::SEARCH))? else {
            return Ok(None);
        };
        // Another archive's, or one that is newer than this archive, would find what is not there.
        let is_ours = match mark_of(&index, &self.shared.store.id())? {
            Some(mark) => Follower::new(self.shared.store.clone(), mark)?.is_some(),
            None => false,
        };
        if !is_ours {
            return Ok(None);
        }
        Ok(Some(self.shared.index.write().insert(index).clone()))
    }

    /// How it stands now.
    ///
    /// # Errors
    /// The index or the catalog cannot be read.
    pub fn standing(&self) -> Result<Standing, SearchError> {
        let mut standing = self.shared.standing.borrow().clone();
        standing.messages = self.shared.store.totals()?.0;
        if standing.stage == Stage::Off {
            return Ok(standing);
        }
        if let Some(why) = self.shared.why_stopped() {
            (standing.stage, standing.why) = (Stage::Failing, why.into());
        }
        let index = self.index()?;
        // What is written and not yet taken up is not found.
        let found = index.as_ref().and_then(Index::found);
        let mark = found
            .and_then(|reach| reach.mark(&self.shared.store.id()))
            .unwrap_or(Mark::START);
        standing.group = mark.group.0;
        standing.behind = Behind::of(&self.shared.store, mark)?;
        if let Some(index) = &index {
            (standing.documents, standing.bytes) = (documents(index), bytes(index));
        }
        Ok(standing)
    }

    /// Has the index made anew.
    pub fn rebuild(&self) {
        self.anew("it was asked for");
    }

    /// Searches in `index`. Where that is damaged, nothing was found, and it is made anew.
    ///
    /// # Errors
    /// Those of the search, or the index is damaged.
    pub fn sound<T>(&self, index: &Index, find: impl FnOnce() -> Result<T, FindError>) -> Result<T, FindError> {
        // Over what is damaged, the library panics.
        let found = survived("a search", find).map_err(SearchError::Panicked);
        let sound = match index.look() {
            Some(damage) => Err(damage.into()),
            None => found?,
        };
        // Somebody else may have said so.
        let is_current = || self.shared.index.read().as_ref().is_some_and(|now| now.is(index));
        if let Err(FindError::Index(error)) = &sound
            && error.is_damage()
            && is_current()
        {
            self.anew(&error.to_string());
        }
        sound
    }

    fn anew(&self, why: &str) {
        self.shared
            .orders
            .send_modify(|orders| orders.anew = Some(why.to_owned()));
    }

    /// Waits until all that is in the archive at this moment is found. `tell` hears how far it is.
    ///
    /// # Errors
    /// The worker cannot go on, or it was interrupted.
    pub async fn up_to_date(&self, mut tell: impl FnMut(&Standing)) -> Result<(), SearchError> {
        let wanted = self.shared.store.last_group()?.map_or(0, |(number, _)| number.0);
        let mut standings = self.shared.standing.subscribe();
        let mut orders = self.shared.orders.subscribe();
        let begun = orders.borrow().interruptions;
        loop {
            // Asked first: whoever takes the order says in the same moment that the index is being made.
            let is_ordered = orders.borrow().anew.is_some();
            let mut standing = standings.borrow_and_update().clone();
            if let Some(why) = self.shared.why_stopped() {
                (standing.stage, standing.why) = (Stage::Failing, why.into());
            }
            match standing.stage {
                Stage::Off => return Ok(()),
                Stage::Failing => {
                    return Err(SearchError::Failing {
                        path: self.shared.store.path().join(config::SEARCH),
                        why: standing.why,
                    });
                }
                Stage::Building | Stage::Following if standing.group >= wanted && !is_ordered => return Ok(()),
                _ => tell(&standing),
            }
            // Both senders are here.
            let interrupted = tokio::select! {
                _ = standings.changed() => false,
                // Who has stopped says nothing.
                () = tokio::time::sleep(TELL) => false,
                _ = orders.wait_for(|orders| orders.end || orders.interruptions > begun) => true,
            };
            if interrupted {
                return Err(SearchError::Interrupted);
            }
        }
    }

    /// Whoever waits for the index waits no longer.
    pub fn interrupt(&self) {
        self.shared.orders.send_modify(|orders| orders.interruptions += 1);
    }

    /// Ends the worker; what it has not committed is left to the next time.
    pub fn end(&self) {
        self.shared.orders.send_modify(|orders| orders.end = true);
        let Some(thread) = self.shared.thread.lock().take() else {
            return;
        };
        let asked = Instant::now();
        while !thread.is_finished() && !stopped() && asked.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(5));
        }
        // Whatever it is at can be cut off: the next start goes on with it.
        if thread.is_finished() {
            let _ = thread.join();
        }
    }
}
