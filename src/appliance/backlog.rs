//! Counts, whenever users have new addresses, how much of the mail in the archive is for them: beside everything else,
//! on a thread of its own, one count at a time. A change of users while it goes on begins it anew.

use std::{
    collections::BTreeSet,
    ops::ControlFlow,
    sync::{Arc, atomic::AtomicBool, atomic::Ordering},
};

use actix::Addr;
use tokio::sync::{mpsc, watch};

use super::requests::TELL;
use crate::{
    api::Reply,
    archive::{Committer, RunId, Store, StoreError, UsersNews},
    config::Config,
    panics::blocking,
    profile::NextNotices,
    report::Backlog,
    reroute::{self, Gained},
    route::{AsItStands, Router, TellGained},
    said::Said,
};

/// How often it is told how far a count is.
const STEP: u64 = 256;

/// How the count stands.
struct State {
    config: Arc<Config>,
    /// Whose mail is to be counted.
    gained: Gained,
    /// How often somebody was added to those.
    changes: u64,
    /// It is to be counted now, and not when somebody asks.
    wanted: bool,
    read: u64,
    last: Option<Backlog>,
    ended: bool,
}

/// Counts for the appliance, until this is dropped.
pub(super) struct Backlogs {
    state: Arc<watch::Sender<State>>,
    next_notices: NextNotices,
    store: Arc<Store>,
    committer: Committer,
}

impl Drop for Backlogs {
    fn drop(&mut self) {
        self.end();
    }
}

impl Backlogs {
    /// `at_once`: without being asked, and with the result in the log.
    pub fn start(
        config: Arc<Config>,
        store: Arc<Store>,
        committer: Committer,
        router: Addr<Router>,
        at_once: bool,
    ) -> Self {
        let state = Arc::new(watch::Sender::new(State {
            config,
            gained: Gained::default(),
            changes: 0,
            wanted: at_once,
            read: 0,
            last: None,
            ended: false,
        }));
        let next_notices = NextNotices::default();
        let counting = Counting {
            state: state.clone(),
            next_notices: next_notices.clone(),
            store: store.clone(),
            committer: committer.clone(),
            router,
        };
        actix_rt::spawn(counting.go());
        Self {
            state,
            next_notices,
            store,
            committer,
        }
    }

    /// What the protocol of the next run is to say.
    pub fn next_notices(&self) -> NextNotices {
        self.next_notices.clone()
    }

    pub fn configure(&self, config: Arc<Config>) {
        self.state.send_modify(|state| state.config = config);
    }

    /// New addresses lead to these users.
    pub fn gained(&self, gained: Gained) {
        add(&self.state, gained);
    }

    /// The same, for whoever reads a users file.
    pub fn tell_gained(&self) -> TellGained {
        let state = self.state.clone();
        Arc::new(move |users| add(&state, Gained::of(users)))
    }

    /// Those whose mail is not counted yet.
    pub fn waiting(&self) -> BTreeSet<String> {
        self.state.borrow().gained.users.clone()
    }

    /// Forgets what was to be counted or said: all of it is being filed.
    pub fn forget(&self) {
        self.state.send_modify(|state| state.gained = Gained::default());
        self.next_notices.take();
    }

    /// All of it was filed.
    pub async fn filed(&self) {
        let news = self.store.users_news().unwrap_or_default();
        forget_news(&self.committer, news.only_gained()).await;
    }

    /// Somebody was told this count.
    pub async fn said(&self, lines: &[Said]) {
        if let Some(news) = self.next_notices.take_said(lines) {
            forget_news(&self.committer, news).await;
        }
    }

    /// What `status` says of it.
    pub fn words(&self, news: &UsersNews) -> Vec<Said> {
        let lines = self.next_notices.lines();
        let gained = Gained::from(news.clone());
        if !lines.is_empty() || gained.is_empty() {
            return lines;
        }
        vec![gained.not_counted()]
    }

    /// How often users have got new addresses so far.
    pub fn changes(&self) -> u64 {
        self.state.borrow().changes
    }

    /// The same, as far as it was told: what waits to be said counts as new.
    pub fn told(&self) -> u64 {
        let waits = !self.next_notices.lines().is_empty() || !self.state.borrow().gained.is_empty();
        if waits { 0 } else { self.changes() }
    }

    /// Waits until all is counted, and tells how far it is meanwhile; `None` where nobody has got new addresses since
    /// there were so many `changes`.
    pub async fn counted(&self, changes: u64, replies: &mpsc::Sender<Reply>) -> Option<Backlog> {
        if self.changes() == changes {
            return None;
        }
        let mut watched = self.state.subscribe();
        self.state.send_modify(|state| state.wanted = true);
        let expected = self.store.totals().map_or(0, |(messages, _)| messages);
        loop {
            let done = {
                let state = watched.borrow_and_update();
                if state.gained.is_empty() || state.ended {
                    return state.last.clone();
                }
                state.read
            };
            let _ = replies.try_send(Reply::Progress {
                run: RunId(0),
                done,
                expected,
                bytes: 0,
            });
            // A count of a small archive ends at once.
            let counted = watched.wait_for(|state| state.gained.is_empty() || state.ended);
            let _ = tokio::time::timeout(TELL, counted).await;
        }
    }

    /// Ends the count that is going on; no other one begins.
    pub fn end(&self) {
        self.state.send_modify(|state| state.ended = true);
    }
}

/// Where it stays, it is said once more.
async fn forget_news(committer: &Committer, said: UsersNews) {
    if said.is_empty() {
        return;
    }
    if let Err(error) = committer.said(said).await {
        tracing::warn!(%error, "what was said of users is said again");
    }
}

fn add(state: &watch::Sender<State>, gained: Gained) {
    if !gained.is_empty() {
        state.send_modify(|state| {
            state.gained.add(gained);
            state.changes += 1;
            state.last = None;
        });
    }
}

struct Counting {
    state: Arc<watch::Sender<State>>,
    next_notices: NextNotices,
    store: Arc<Store>,
    committer: Committer,
    router: Addr<Router>,
}

impl Counting {
    async fn go(self) {
        let mut watched = self.state.subscribe();
        loop {
            let waits = |state: &State| state.ended || state.wanted && !state.gained.is_empty();
            // The sender is here.
            let _ = watched.wait_for(waits).await;
            let (config, gained, changes, ended) = {
                let state = watched.borrow();
                (state.config.clone(), state.gained.clone(), state.changes, state.ended)
            };
            if ended {
                return;
            }
            let counted = self.count(config, gained.clone(), changes, &mut watched).await;
            let Some(counted) = counted else { continue };
            self.tell(&counted, gained).await;
            self.state.send_modify(|state| {
                if state.changes == changes {
                    state.gained = Gained::default();
                    state.read = 0;
                }
                state.last = counted.ok();
            });
        }
    }

    /// Counts; `None` where it has to begin anew.
    async fn count(
        &self,
        config: Arc<Config>,
        gained: Gained,
        changes: u64,
        watched: &mut watch::Receiver<State>,
    ) -> Option<Result<Backlog, StoreError>> {
        let gone = || StoreError::Fault {
            detail: "the router stopped".into(),
        };
        let directory = match self.router.send(AsItStands).await {
            Ok(directory) => directory,
            Err(_) => return Some(Err(gone())),
        };
        let stop = Arc::new(AtomicBool::new(false));
        let (store, state, stopped) = (self.store.clone(), self.state.clone(), stop.clone());
        let count = blocking("counting", move || {
            reroute::count(&store, config, directory, &gained, |read| {
                if read.is_multiple_of(STEP) {
                    state.send_modify(|state| state.read = read);
                }
                match stopped.load(Ordering::Relaxed) {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            })
        });
        tokio::pin!(count);
        let is_other = |state: &State| state.ended || state.changes != changes || state.gained.is_empty();
        // Held while the count ends, what is watched could not be changed: not by the count, and not by whoever ends it.
        let other = async { drop(watched.wait_for(is_other).await) };
        let (counted, is_other) = tokio::select! {
            counted = &mut count => (counted, false),
            () = other => {
                stop.store(true, Ordering::Relaxed);
                (count.await, true)
            }
        };
        if is_other && !watched.borrow().ended {
            return None;
        }
        Some(counted.map_err(StoreError::panicked).flatten())
    }

    /// Says what came of it where somebody looks who did not ask.
    async fn tell(&self, counted: &Result<Backlog, StoreError>, gained: Gained) {
        let news = UsersNews::from(gained);
        match counted {
            Ok(backlog) if !backlog.complete => {}
            Ok(backlog) if backlog.is_empty() || backlog.read == 0 => forget_news(&self.committer, news).await,
            Ok(backlog) => {
                let lines = backlog.lines();
                lines.iter().for_each(|line| tracing::info!("{line}"));
                self.next_notices.put(lines, news);
            }
            Err(error) => {
                tracing::warn!(%error, "the mail in the archive for users with new addresses cannot be counted")
            }
        }
    }
}
