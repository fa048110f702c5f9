//! The worker: a thread that keeps the index up to date with the archive, and whom nobody waits for. Who searches asks
//! it for the index, and how far that is.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

use super::{
    FindError, Index, SearchError,
    following::{Behind, Following, Step, bytes, documents, mark_of},
    standing::{Stage, Standing},
};
use crate::{
    archive::{Mark, Store, give_back, touched},
    clock, config,
    extract::Extractor,
    panics::{stopped, survived},
    report::metrics,
};

/// How much the worker gives way to others (nice(2)).
const NICE: i32 = 10;
/// How long after something failed it is tried again: at first, and at most.
const AGAIN: Duration = Duration::from_secs(1);
const AGAIN_AT_MOST: Duration = Duration::from_secs(60);
/// How often it is said how far it is, while there is much to do.
const TELL: Duration = Duration::from_millis(500);
/// How often the worker looks around with nothing to do.
const LOOK: Duration = Duration::from_secs(15);
/// How often all of the index is read, to see that it is as it was written; at first when it is up to date.
const CHECK: Duration = Duration::from_secs(24 * 3600);
/// For how long after a commit files may still be merged: what is mapped of them is let go of meanwhile.
const MERGING: Duration = Duration::from_secs(120);
/// How long it is waited for the worker to end: it looks at each message whether it is to.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is said once a thread of the library has [stopped].
const STOPPED: &str = "a thread of it panicked, which is a bug in dropkeep: restart dropkeep to have it go on";

/// The index of an archive, for all who search in it. Clones are the same.
#[derive(Clone)]
pub struct Search {
    shared: Arc<Shared>,
}

struct Shared {
    store: Arc<Store>,
    settings: config::Search,
    index: RwLock<Option<Index>>,
    standing: watch::Sender<Standing>,
    orders: watch::Sender<Orders>,
    thread: Mutex<Option<thread::JoinHandle<()>>>,
}

/// What the worker is told.
#[derive(Clone, Default)]
struct Orders {
    end: bool,
    /// Why the index is to be made anew.
    anew: Option<String>,
    /// How often those who wait were told to wait no longer.
    interruptions: u64,
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
        let started = thread::Builder::new().name("search".into()).spawn(move || shared.run());
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
            Some(mark) => crate::archive::Follower::new(self.shared.store.clone(), mark)?.is_some(),
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
        if stopped() {
            (standing.stage, standing.why) = (Stage::Failing, STOPPED.into());
        }
        let index = self.index()?;
        let mark = match &index {
            Some(index) => mark_of(index, &self.shared.store.id())?.unwrap_or(Mark::START),
            None => Mark::START,
        };
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
            let mut standing = standings.borrow_and_update().clone();
            if stopped() {
                (standing.stage, standing.why) = (Stage::Failing, STOPPED.into());
            }
            match standing.stage {
                Stage::Off => return Ok(()),
                Stage::Failing => {
                    return Err(SearchError::Failing {
                        path: self.shared.store.path().join(config::SEARCH),
                        why: standing.why,
                    });
                }
                Stage::Building | Stage::Following if standing.group >= wanted => return Ok(()),
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
        if thread.is_finished() && thread.join().is_err() {
            tracing::error!("the worker of the search index panicked; this is a bug in dropkeep");
        }
    }
}

impl Shared {
    fn run(&self) {
        // Threads that it starts give way, too. Not being able to is no reason not to index.
        let _ = rustix::process::nice(NICE);
        let mut pause = AGAIN;
        let mut extractor = Extractor::new(&self.settings.extract);
        // Why it is to be made anew, until it was begun.
        let mut anew = None;
        while !self.orders.borrow().end {
            anew = self.take_anew().or(anew);
            let follow = || self.follow(&mut extractor, &mut anew, &mut pause);
            let done = survived("the worker of the search index", follow);
            let error = match done {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => error,
                Err(panicked) => SearchError::Panicked(panicked),
            };
            *self.index.write() = None;
            if error.is_damage() && anew.is_none() {
                tracing::warn!(%error, "the search index is made anew");
                anew = Some(error.to_string());
                continue;
            }
            metrics::search_failed();
            tracing::warn!(%error, again_in = ?pause, "the search index is behind; mail is archived all the same");
            self.standing.send_modify(|standing| {
                (standing.stage, standing.why) = (Stage::Failing, error.to_string());
            });
            self.wait(pause, None);
            pause = (pause * 2).min(AGAIN_AT_MOST);
        }
        *self.index.write() = None;
        self.standing.send_modify(|standing| standing.stage = Stage::Waiting);
    }

    /// Why the index is to be made anew, where somebody asked for it. From then on nothing of it counts as found.
    fn take_anew(&self) -> Option<String> {
        let mut taken = None;
        self.orders.send_if_modified(|orders| {
            taken = orders.anew.take();
            taken.is_some()
        });
        taken
    }

    /// Follows the archive until it is told otherwise.
    fn follow(
        &self,
        extractor: &mut Extractor,
        anew: &mut Option<String>,
        pause: &mut Duration,
    ) -> Result<(), SearchError> {
        let (mut following, why) = Following::begin(&self.store, &self.settings, anew.as_deref())?;
        *anew = None;
        if let Some(why) = &why {
            tracing::info!(why, "the search index is made anew");
        }
        *self.index.write() = Some(following.index().clone());
        let mut stage = if why.is_some() {
            Stage::Building
        } else {
            Stage::Following
        };
        let mut why = why.unwrap_or_default();
        self.tell(&following, stage, &why)?;
        let mut told = Instant::now();
        let mut checked = None::<Instant>;
        let mut merged = Instant::now();
        let go_on = || {
            let orders = self.orders.borrow();
            !orders.end && orders.anew.is_none()
        };
        while go_on() {
            let began = Instant::now();
            let before = following.committed();
            let step = following.step(extractor, &go_on)?;
            if step == Step::More {
                metrics::search_worked(began.elapsed());
            }
            if step == Step::UpToDate && checked.is_none_or(|checked| checked.elapsed() >= CHECK) {
                self.check(&following, &go_on)?;
                checked = Some(Instant::now());
            }
            if step == Step::UpToDate {
                // From here on a failure is a new one.
                *pause = AGAIN;
                (stage, why) = (Stage::Following, String::new());
            }
            if before != following.committed() {
                merged = Instant::now();
            }
            if step != Step::More || before != following.committed() || told.elapsed() >= TELL {
                self.tell(&following, stage, &why)?;
                for (kind, outcome, count) in extractor.counts().iter() {
                    metrics::attachments_read(kind.as_str(), outcome, count);
                }
                told = Instant::now();
            }
            match step {
                Step::More => {}
                Step::Wait(time) => self.wait(time, Some(&mut following)),
                Step::UpToDate if merged.elapsed() < MERGING => {
                    touched();
                    self.wait(TELL, Some(&mut following));
                }
                Step::UpToDate => {
                    give_back();
                    self.wait(LOOK, Some(&mut following));
                }
            }
        }
        Ok(())
    }

    /// Reads all of the index: what nobody searches in for long is to be as it was written, too.
    fn check(&self, following: &Following, go_on: &dyn Fn() -> bool) -> Result<(), SearchError> {
        let index = following.index();
        match index.damaged_files(go_on)?.into_iter().next() {
            Some(detail) => Err(SearchError::Damaged {
                path: index.path().to_owned(),
                detail,
            }),
            None => Ok(()),
        }
    }

    /// Waits for a group, an order, or for so long.
    fn wait(&self, time: Duration, following: Option<&mut Following>) {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_time().build() else {
            thread::sleep(AGAIN);
            return;
        };
        let mut orders = self.orders.subscribe();
        runtime.block_on(async {
            let ordered = orders.wait_for(|orders| orders.end || orders.anew.is_some());
            let written = async {
                match following {
                    Some(following) => following.follower().written().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = ordered => {}
                () = written => {}
                () = tokio::time::sleep(time) => {}
            }
        });
    }

    /// Says how far it is.
    fn tell(&self, following: &Following, stage: Stage, why: &str) -> Result<(), SearchError> {
        let behind = following.behind()?;
        let standing = Standing {
            stage,
            why: why.to_owned(),
            documents: documents(following.index()),
            pending: following.pending(),
            bytes: bytes(following.index()),
            group: following.committed().group.0,
            behind,
            messages: self.store.totals()?.0,
            unread: following.unread(),
        };
        let late = behind
            .since
            .map_or(0, |since| clock::now().as_second().saturating_sub(since).max(0));
        metrics::search(
            standing.documents,
            standing.bytes,
            behind.messages,
            late.unsigned_abs(),
            standing.unread,
        );
        self.standing.send_replace(standing);
        Ok(())
    }
}
