//! The committer: one thread, the only writer of LMDB.
//!
//! It takes what has gathered while the last group was synced, writes it as one group (the
//! volume first, then the catalog, each synced) and only then answers. While more is on its
//! way it lingers a little, so that a slow source still makes large blocks.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use tokio::sync::{mpsc, oneshot};

use super::{
    Store, StoreError, UsersNews,
    at_work::AtWork,
    block,
    coming::{Coming, MoreComing},
    deed::Deed,
    deposit::{Filed, Shared},
    filter_filling::Filling,
    group,
    ledger::Mark,
    memo::{self, Memo},
    order::{Change, Order, Tidying},
    rows::{CopyKey, Counters, FolderNumber, Named, RunId, Sighting, Source, SourceNumber, UidlDigest, User, UserId},
};
use crate::{
    api::{BackupLine, VerificationLine},
    message::Address,
    panics::survived,
    report::{NOTABLE, Run, metrics, orders_done, orders_sent},
};

/// Orders waiting; behind it, whoever sends waits.
const QUEUE: usize = 1024;
/// Where a group is closed: by the raw bytes in it and what its filings take, or by its orders' number.
const GROUP_BYTES: usize = 8 << 20;
const GROUP_ORDERS: usize = 4096;
/// Raw bytes that are worth a commit while more is coming: some blocks, which are packed side by side. A commit writes the
/// same pages anew that the one before it wrote, so that of four small ones in place of this one the catalog's part takes
/// nearly four times as long.
const WORTH: usize = 4 * block::BLOCK_SIZE;
/// How long a group may wait for that much, and how often it looks whether more is coming.
const LINGER: Duration = Duration::from_millis(500);
const LOOK: Duration = Duration::from_millis(10);
/// How long what people do may wait for mail that comes in fast, to be synced with it: a commit for each answer would keep
/// the mail waiting.
const DEEDS: Duration = Duration::from_millis(50);

/// The way to the committer's thread, which ends when the last of these is gone.
#[derive(Clone)]
pub struct Committer {
    orders: mpsc::Sender<Order>,
    coming: Coming,
    open: Arc<AtomicBool>,
    at_work: AtWork,
}

impl Committer {
    /// Starts the thread. `inflight` is the budget of bytes on their way: a group never waits for
    /// more than a part of it.
    ///
    /// # Errors
    /// The catalog cannot be read, or no thread started.
    pub fn start(store: Arc<Store>, inflight: u64) -> Result<(Self, thread::JoinHandle<()>), StoreError> {
        let counters = store.reading(|txn| store.catalog.counters(txn))?;
        let (orders, queue) = mpsc::channel(QUEUE);
        let coming = Coming::default();
        let open = Arc::new(AtomicBool::new(true));
        let enough = WORTH.min((inflight / 4) as usize);
        let at_work = AtWork::default();
        let path = store.path().to_owned();
        let work = Work {
            store,
            queue,
            coming: coming.clone(),
            enough,
            counters,
            closed: None,
            open: open.clone(),
            at_work: at_work.clone(),
            filling: Filling::default(),
            aside: None,
        };
        let thread = thread::Builder::new()
            .name("committer".into())
            .spawn(move || work.run());
        let thread = thread.map_err(StoreError::io("starting the committer of", path))?;
        let committer = Self {
            orders,
            coming,
            open,
            at_work,
        };
        Ok((committer, thread))
    }

    /// Files a window of copies. What became of each, in their order, is known after the commit.
    pub async fn file(&self, window: Vec<Shared>) -> Vec<Result<Filed, StoreError>> {
        let copies = window.len();
        if copies == 0 {
            return Vec::new();
        }
        let (reply, answer) = oneshot::channel();
        let asked = Instant::now();
        let sent = self.orders.send(Order::File(window, reply)).await;
        let waited = asked.elapsed();
        if waited >= NOTABLE {
            metrics::backpressure("commit", waited);
        }
        if sent.is_ok() {
            orders_sent(copies);
        }
        committed(copies, answer).await
    }

    /// The number of a source; a new one if it was never met.
    pub async fn source(&self, source: Source) -> Result<SourceNumber, StoreError> {
        self.change(Change::Source(source))
            .await
            .and_then(number)
            .map(SourceNumber)
    }

    /// The number of a folder of this name; a new one if it was never met.
    pub async fn folder(&self, name: &str) -> Result<FolderNumber, StoreError> {
        self.change(Change::Folder(name.to_owned()))
            .await
            .and_then(number)
            .map(FolderNumber)
    }

    /// Begins a run: gives it the next number, and stores its protocol.
    pub async fn begin_run(&self, run: &Run) -> Result<RunId, StoreError> {
        self.change(Change::BeginRun(Box::new(run.clone()))).await.map(RunId)
    }

    /// Stores the protocol of a run that was begun.
    pub async fn put_protocol(&self, run: Arc<Run>) -> Result<(), StoreError> {
        self.change(Change::Protocol(run)).await.map(drop)
    }

    /// Notes which runs were reported, in the words of the notifier.
    pub async fn put_notified(&self, note: String) -> Result<(), StoreError> {
        self.change(Change::Memo(Memo::Notified, note)).await.map(drop)
    }

    /// Notes the last backup of this archive.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn put_backed_up(&self, backup: &BackupLine) -> Result<(), StoreError> {
        let text = memo::text(backup)?;
        self.change(Change::Memo(Memo::BackedUp, text)).await.map(drop)
    }

    /// Keeps these lists, and no others.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn put_lists(&self, lists: &BTreeMap<Address, Vec<String>>) -> Result<(), StoreError> {
        let text = memo::text(lists)?;
        self.change(Change::Memo(Memo::Lists, text)).await.map(drop)
    }

    /// Keeps the addresses that are not reported though nobody has them.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn put_ignored(&self, ignored: &BTreeSet<Address>) -> Result<(), StoreError> {
        let text = memo::text(ignored)?;
        self.change(Change::Memo(Memo::Ignored, text)).await.map(drop)
    }

    /// Notes how a verification ended that the appliance was asked for.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn put_verification(&self, verification: &VerificationLine) -> Result<(), StoreError> {
        let text = memo::text(verification)?;
        self.change(Change::Memo(Memo::Verification, text)).await.map(drop)
    }

    /// Makes a user as it is to be; a new one where there is no id.
    ///
    /// # Errors
    /// It contradicts another user; then nothing changes. Or the store cannot be written.
    pub async fn put_user(&self, id: Option<UserId>, user: User) -> Result<UserId, StoreError> {
        self.change(Change::User(id, user)).await.and_then(number).map(UserId)
    }

    /// The same for many at once: all of them or none. What counts is how the users are in the end, so a name or an
    /// address may move from one to another. The news are what protocols are to say of it.
    ///
    /// # Errors
    /// As [`put_user`](Self::put_user).
    pub async fn put_users(&self, users: Vec<(Option<UserId>, User)>, news: UsersNews) -> Result<(), StoreError> {
        self.change(Change::Users(users, news)).await.map(drop)
    }

    /// Notes more that protocols are to say of users.
    pub async fn add_news(&self, news: UsersNews) -> Result<(), StoreError> {
        self.change(Change::News(news)).await.map(drop)
    }

    /// Notes that somebody was told this news.
    pub async fn said(&self, said: UsersNews) -> Result<(), StoreError> {
        self.change(Change::Said(said)).await.map(drop)
    }

    /// Forgets the done copies of a POP3 source whose UIDLs are not among `standing`, which is ascending; gives how
    /// many.
    pub async fn forget_uidls(&self, source: SourceNumber, standing: Vec<UidlDigest>) -> Result<u64, StoreError> {
        self.change(Change::Uidls { source, standing }).await
    }

    /// Makes copies open again, as their names mean other mail now; gives how many were done.
    pub async fn reopen(&self, keys: Vec<CopyKey>) -> Result<u64, StoreError> {
        self.change(Change::Reopen(keys)).await
    }

    /// Notes what was seen of copies that are done and were found to be what they were, where it was not noted before.
    pub async fn put_traits(&self, seen: Vec<Named>) -> Result<(), StoreError> {
        self.change(Change::Traits(seen)).await.map(drop)
    }

    /// Notes how a source's folder looked.
    pub async fn put_sighting(
        &self,
        source: SourceNumber,
        folder: FolderNumber,
        seen: Sighting,
    ) -> Result<(), StoreError> {
        self.change(Change::Sighting { source, folder, seen }).await.map(drop)
    }

    /// Keeps under a name how far somebody followed the ledger; [`Store::mark`] gives it back.
    pub async fn keep_mark(&self, name: &str, mark: Mark) -> Result<(), StoreError> {
        self.change(Change::Mark(name.to_owned(), mark)).await.map(drop)
    }

    /// Does what somebody does about accounts, and notes it in the audit log. It is on disk when this returns.
    ///
    /// # Errors
    /// It was refused, which is noted; or the store cannot be written.
    pub async fn deed(&self, deed: Deed) -> Result<(), StoreError> {
        self.change(Change::Deed(Box::new(deed))).await.map(drop)
    }

    /// The same for a thread that may wait.
    ///
    /// # Errors
    /// As [`deed`](Self::deed).
    pub fn deed_here(&self, deed: Deed) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        let order = Order::Change(Change::Deed(Box::new(deed)), reply);
        self.orders.blocking_send(order).map_err(|_| gone())?;
        orders_sent(1);
        answer.blocking_recv().map_err(|_| gone())?.map(drop)
    }

    async fn change(&self, change: Change) -> Result<u64, StoreError> {
        let (reply, answer) = oneshot::channel();
        let order = Order::Change(change, reply);
        self.orders.send(order).await.map_err(|_| gone())?;
        orders_sent(1);
        answer.await.map_err(|_| gone())?
    }

    /// For the threads that keep the store in order, which may wait.
    pub(super) fn tidy(&self, tidying: Tidying) -> Result<u64, StoreError> {
        let (reply, answer) = oneshot::channel();
        let order = Order::Tidy(tidying, reply);
        self.orders.blocking_send(order).map_err(|_| gone())?;
        orders_sent(1);
        answer.blocking_recv().map_err(|_| gone())?
    }

    /// Whether the store takes writes: the thread runs, and no write has failed for a reason that closes it.
    pub fn is_open(&self) -> bool {
        self.open.load(Ordering::Relaxed) && !self.orders.is_closed()
    }

    /// For how long it has been at one group, which takes long where it is stuck, or its disk is; zero between groups.
    pub fn busy_for(&self) -> Duration {
        self.at_work.since().map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Whether nobody has said that more is coming.
    pub fn is_idle(&self) -> bool {
        !self.coming().is_any()
    }

    pub fn coming(&self) -> Coming {
        self.coming.clone()
    }

    /// Says that more is coming, as long as the result is held.
    pub fn more_coming(&self) -> MoreComing {
        self.coming.more()
    }
}

/// An answer that is one of the smaller numbers.
fn number(answer: u64) -> Result<u32, StoreError> {
    u32::try_from(answer).map_err(|_| StoreError::Fault {
        detail: format!("{answer} is no number of a user, a source or a folder"),
    })
}

/// What became of so many copies. An answer that does not come is the committer's end, and so the run's.
async fn committed(
    copies: usize,
    answer: oneshot::Receiver<Vec<Result<Filed, StoreError>>>,
) -> Vec<Result<Filed, StoreError>> {
    answer
        .await
        .unwrap_or_else(|_| (0..copies).map(|_| Err(gone())).collect())
}

fn gone() -> StoreError {
    StoreError::Closed {
        why: "the committer has stopped".into(),
    }
}

struct Work {
    store: Arc<Store>,
    queue: mpsc::Receiver<Order>,
    coming: Coming,
    /// Raw bytes that are worth a commit of their own.
    enough: usize,
    counters: Counters,
    /// Why nothing is written any more, and that for others to see.
    closed: Option<StoreError>,
    open: Arc<AtomicBool>,
    at_work: AtWork,
    filling: Filling,
    /// Mail of a group that is still gathering, and since when: what people did meanwhile is written without it.
    aside: Option<(Vec<Order>, Instant)>,
}

impl Work {
    fn run(mut self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => return tracing::error!(%error, "cannot start the committer"),
        };
        loop {
            // Whoever waits for an order that is lost in a panic is told that the committer stopped.
            let gathered = survived("the committer", || runtime.block_on(self.gather()));
            self.at_work.set(Some(Instant::now()));
            let committed = match gathered {
                Ok(Some(group)) => {
                    let orders = group.iter().map(Order::count).sum();
                    let committed = survived("the committer", || self.commit(group));
                    orders_done(orders);
                    committed
                }
                Ok(None) => return,
                Err(panicked) => Err(panicked),
            };
            self.at_work.set(None);
            if let Err(panicked) = committed {
                self.close(panicked.to_string());
            }
        }
    }

    /// Nothing is written any more.
    fn close(&mut self, why: String) {
        self.open.store(false, Ordering::Relaxed);
        self.closed.get_or_insert(StoreError::Closed { why });
    }

    /// The next group; `None` when nobody can send any more.
    async fn gather(&mut self) -> Option<Vec<Order>> {
        let (mut group, started) = self.aside.take().unwrap_or_else(|| (Vec::new(), Instant::now()));
        let mut deeds = Vec::new();
        let mut bytes: usize = group.iter().map(Order::bytes).sum();
        let mut orders: usize = group.iter().map(Order::count).sum();
        let (mut urgent, mut asked) = (false, started);
        let mut next = match group.is_empty() {
            true => Some(self.queue.recv().await?),
            false => None,
        };
        loop {
            if let Some(order) = next {
                bytes += order.bytes();
                orders += order.count();
                match order.is_deed() {
                    true => {
                        if deeds.is_empty() {
                            asked = Instant::now();
                        }
                        deeds.push(order);
                    }
                    false => {
                        urgent |= order.is_urgent();
                        group.push(order);
                    }
                }
            }
            if bytes >= GROUP_BYTES || orders >= GROUP_ORDERS {
                break;
            }
            next = self.queue.try_recv().ok();
            if next.is_some() {
                continue;
            }
            let is_coming = self.coming.is_any();
            let waits = !urgent && bytes < self.enough && is_coming && started.elapsed() < LINGER;
            match (waits && !group.is_empty(), deeds.is_empty()) {
                (true, true) => next = tokio::time::timeout(LOOK, self.queue.recv()).await.ok().flatten(),
                // Somebody waits for an answer, and the block is not full yet. If mail comes in fast, it soon is.
                (true, false) if asked.elapsed() < DEEDS => match tokio::time::timeout(LOOK, self.queue.recv()).await {
                    Ok(order) => next = order,
                    Err(_) => return Some(self.without(group, started, deeds)),
                },
                (true, false) => return Some(self.without(group, started, deeds)),
                (false, _) => break,
            }
        }
        group.append(&mut deeds);
        Some(group)
    }

    /// What people do, while the group goes on gathering.
    fn without(&mut self, group: Vec<Order>, started: Instant, deeds: Vec<Order>) -> Vec<Order> {
        self.aside = Some((group, started));
        deeds
    }

    fn commit(&mut self, group: Vec<Order>) {
        // What people do asks for no identities.
        if !group.iter().all(Order::is_deed) {
            self.filling.begin(&self.store, self.counters.identity.0);
        }
        let result = match &self.closed {
            Some(why) => Err(why.clone()),
            None => survived("writing a group", || group::write(&self.store, &self.counters, &group)).unwrap_or_else(
                |panicked| {
                    Err(StoreError::Closed {
                        why: panicked.to_string(),
                    })
                },
            ),
        };
        match result.and_then(|written| StoreError::point("acknowledging").map(|()| written)) {
            Ok(written) => {
                let orders = group.iter().map(Order::count).sum();
                metrics::committed(written.took, orders, written.filings);
                metrics::archive_size(written.counters.messages, written.counters.raw_bytes);
                self.counters = written.counters;
                for (order, answer) in group.into_iter().zip(written.answers) {
                    answer.give(order);
                }
                if let Err(error) = StoreError::point("acknowledged") {
                    self.close(error.to_string());
                }
            }
            Err(error) => {
                tracing::error!(%error, "cannot commit a group of messages");
                for order in group {
                    order.refuse(error.clone());
                }
                // If something is missing, nothing was written. A full disk aborts the transaction and leaves all as it
                // was: every page of the next one is written anew, and a meta page that failed makes LMDB refuse the
                // next one. After any other failure nobody knows what a sync would still write: never go on as if
                // nothing had happened.
                match error {
                    StoreError::Missing { .. }
                    | StoreError::Full { .. }
                    | StoreError::User { .. }
                    | StoreError::Deed(_) => {}
                    StoreError::Closed { why } => self.close(why),
                    error => self.close(error.to_string()),
                }
            }
        }
    }
}

#[actix::test]
async fn a_lost_answer_was_a_failed_copy_and_not_the_end_of_the_store() {
    let (reply, answer) = oneshot::channel();
    drop(reply);
    let lost = committed(2, answer).await;
    assert!(matches!(
        lost[..],
        [Err(StoreError::Closed { .. }), Err(StoreError::Closed { .. })]
    ));
}
