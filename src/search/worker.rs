//! The worker: a thread that keeps the index up to date with the archive, and whom nobody waits for.

use std::{
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

use super::{
    Index, SearchError,
    following::{Following, Step, bytes, documents},
    standing::{Stage, Standing},
};
use crate::{
    archive::{Store, give_back, touched},
    clock, config,
    extract::Extractor,
    panics::{begun_anew, stopped, survived},
    report::metrics,
};

/// How much the worker gives way to others (nice(2)). It has three threads at work, and nobody waits for it.
const NICE: i32 = 15;
/// How long after something failed it is tried again: at first, and at most.
const AGAIN: Duration = Duration::from_secs(1);
const AGAIN_AT_MOST: Duration = Duration::from_secs(60);
/// How often it is said how far it is, while there is much to do.
pub(super) const TELL: Duration = Duration::from_millis(500);
/// How often the worker looks around with nothing to do.
const LOOK: Duration = Duration::from_secs(15);
/// How often all of the index is read, to see that it is as it was written; at first when it is up to date.
const CHECK: Duration = Duration::from_secs(24 * 3600);
/// For how long after a commit files may still be merged: what is mapped of them is let go of meanwhile.
const MERGING: Duration = Duration::from_secs(120);

/// How often another worker goes on where a thread of the library has [stopped], and this one perhaps waits for it for
/// ever: what both have in memory stays there.
const LIVES: u32 = 5;
/// How often it is looked whether it has.
const STOPPED_YET: Duration = Duration::from_millis(200);
/// What is said then, and when none goes on.
const STOPPED: &str = "a thread of it panicked, which is a bug in dropkeep";
const GIVEN_UP: &str =
    "a thread of it panicked again and again, which is a bug in dropkeep: restart dropkeep to have it go on";

/// What the worker and those who search have in common.
pub(super) struct Shared {
    pub store: Arc<Store>,
    pub settings: config::Search,
    pub index: RwLock<Option<Index>>,
    pub standing: watch::Sender<Standing>,
    pub orders: watch::Sender<Orders>,
    pub thread: Mutex<Option<thread::JoinHandle<()>>>,
}

/// What the worker is told.
#[derive(Clone, Default)]
pub(super) struct Orders {
    pub end: bool,
    /// Why the index is to be made anew.
    pub anew: Option<String>,
    /// Which worker is to follow the archive, counted from 0.
    life: u32,
    /// How often those who wait were told to wait no longer.
    pub interruptions: u64,
}

impl Shared {
    /// Has a worker follow the archive, and another one go on where that waits for a thread that has stopped.
    pub fn keep_alive(self: Arc<Self>) {
        let mut pause = AGAIN;
        for life in 0..=LIVES {
            let shared = self.clone();
            let (working, ended) = mpsc::channel::<()>();
            let work = move || {
                // Dropped when it ends.
                let _working = working;
                shared.run(life);
            };
            let worker = match thread::Builder::new().name("search".into()).spawn(work) {
                Ok(worker) => worker,
                Err(error) => return tracing::error!(%error, "no thread to write the search index"),
            };
            let mut waited = Err(mpsc::RecvTimeoutError::Timeout);
            while waited == Err(mpsc::RecvTimeoutError::Timeout) && !stopped() {
                waited = ended.recv_timeout(STOPPED_YET);
            }
            if !stopped() {
                if worker.join().is_err() {
                    tracing::error!("the worker of the search index panicked; this is a bug in dropkeep");
                }
                return;
            }
            if life == LIVES {
                return tracing::error!("the search index stands still: {GIVEN_UP}");
            }
            self.let_go(life + 1);
            tracing::warn!(again_in = ?pause, "the search index is behind, and begins anew: {STOPPED}");
            self.wait(pause, None);
            pause = (pause * 2).min(AGAIN_AT_MOST);
            if self.orders.borrow().end {
                return;
            }
        }
    }

    /// Keeps a worker from the index that may wait for ever, so that the next one can write it.
    fn let_go(&self, next: u32) {
        self.orders.send_modify(|orders| orders.life = next);
        if let Some(index) = self.index.write().take() {
            index.let_go();
        }
        metrics::search_failed();
        self.standing
            .send_modify(|standing| (standing.stage, standing.why) = (Stage::Failing, STOPPED.into()));
        begun_anew();
    }

    /// Why nobody follows the archive, where a thread of the library has [stopped].
    pub fn why_stopped(&self) -> Option<&'static str> {
        stopped().then(|| match self.orders.borrow().life {
            LIVES => GIVEN_UP,
            _ => STOPPED,
        })
    }

    /// Nobody searches in what this worker had, unless another one goes on.
    fn forget(&self, life: u32) -> bool {
        let mut index = self.index.write();
        let is_ours = self.orders.borrow().life == life;
        if is_ours {
            *index = None;
        }
        is_ours
    }

    fn run(&self, life: u32) {
        // Threads that it starts give way, too. Not being able to is no reason not to index.
        let _ = rustix::process::nice(NICE);
        let mut pause = AGAIN;
        let mut extractor = Extractor::new(&self.settings.extract);
        // Why it is to be made anew, until it was begun.
        let mut anew = None;
        let go_on = || {
            let orders = self.orders.borrow();
            !orders.end && orders.life == life
        };
        while go_on() {
            anew = self.take_anew().or(anew);
            let follow = || self.follow(&mut extractor, &mut anew, &mut pause, life);
            let done = survived("the worker of the search index", follow);
            let error = match done {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => error,
                Err(panicked) => SearchError::Panicked(panicked),
            };
            if !self.forget(life) {
                return;
            }
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
        if self.forget(life) {
            self.standing.send_modify(|standing| standing.stage = Stage::Waiting);
        }
    }

    /// Why the index is to be made anew, where somebody asked for it. From then on nothing of it counts as found.
    fn take_anew(&self) -> Option<String> {
        let mut taken = None;
        self.orders.send_if_modified(|orders| {
            taken = orders.anew.take();
            if let Some(why) = &taken {
                self.standing.send_modify(|standing| {
                    *standing = Standing {
                        stage: Stage::Building,
                        why: why.clone(),
                        messages: standing.messages,
                        ..Standing::default()
                    };
                });
            }
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
        life: u32,
    ) -> Result<(), SearchError> {
        // From the moment on at which it is locked, it can be let go.
        let opened = |index: &Index| *self.index.write() = Some(index.clone());
        let (mut following, why) = Following::begin(&self.store, &self.settings, anew.as_deref(), opened)?;
        *anew = None;
        if let Some(why) = &why {
            tracing::info!(why, "the search index is made anew");
        }
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
            !orders.end && orders.anew.is_none() && orders.life == life
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
