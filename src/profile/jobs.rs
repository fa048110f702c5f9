//! What the connections of a run share: the work that is left, who holds which of it, and what became of folders.
//!
//! A job that a connection could not end is given back, without the copies that have their outcome already; so a lost
//! connection costs no copy, and none has two outcomes in one run.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use super::{cursor::Cursor, run::FolderError};
use crate::source::CopyRef;

/// A folder as it was found.
pub struct Surveyed {
    pub name: String,
    /// Its number in the catalog.
    pub number: u32,
    /// IMAP; `None` over POP3 and for files.
    pub uidvalidity: Option<u32>,
    pub cursor: Cursor,
    /// The session in which it was listed: POP3's message numbers hold in no other.
    pub session: u64,
}

/// Copies of one folder to be fetched.
#[derive(Clone)]
pub struct Unit {
    pub folder: Arc<Surveyed>,
    pub copies: Vec<CopyRef>,
    pub losses: Losses,
    /// Copies over which connections were lost, and how many.
    suspects: HashMap<CopyRef, Losses>,
    told: Told,
}

/// Places in a unit's copies of those that have their outcome, which the profile has been told.
#[derive(Clone, Default)]
pub struct Told(Arc<Mutex<Places>>);

#[derive(Default)]
struct Places {
    told: HashSet<usize>,
    /// Of copies over which connections were lost: that they are given up is no progress.
    given_up: usize,
}

impl Told {
    pub fn add(&self, place: usize) {
        lock(&self.0).told.insert(place);
    }

    pub fn give_up(&self) {
        lock(&self.0).given_up += 1;
    }

    fn given_back(&self) -> GivenBack {
        let places = lock(&self.0);
        match (places.told.len() > places.given_up, places.given_up > 0) {
            (true, _) => GivenBack::Progress,
            (false, true) => GivenBack::GivenUp,
            (false, false) => GivenBack::Nothing,
        }
    }
}

impl Unit {
    pub fn new(folder: Arc<Surveyed>, copies: Vec<CopyRef>) -> Self {
        Self {
            folder,
            copies,
            losses: Losses::default(),
            suspects: HashMap::new(),
            told: Told::default(),
        }
    }

    /// Where it is noted which of its copies have their outcome.
    pub fn told(&self) -> Told {
        self.told.clone()
    }

    /// Copies that have no outcome yet.
    fn left(&self) -> Vec<CopyRef> {
        let told = lock(&self.told.0);
        let left = self.copies.iter().enumerate();
        let left = left.filter(|(place, _)| !told.told.contains(place));
        left.map(|(_, copy)| copy.clone()).collect()
    }

    /// What is left of it after its connection was lost: over the first copy that is left, as they are fetched in their
    /// order. That one is tried again behind the others, so that it holds none of them up.
    fn after_loss(&self, why: &str, waits: bool) -> Option<Self> {
        let mut copies = self.left();
        let suspect = copies.first()?.clone();
        let mut suspects = self.suspects.clone();
        let standing: HashSet<&CopyRef> = copies.iter().collect();
        suspects.retain(|copy, _| standing.contains(copy));
        let losses = suspects.entry(suspect).or_default();
        *losses = losses.more(why, waits);
        let losses = losses.clone();
        // Where all that is left is suspect, one after the other is brought to its end.
        if !losses.are_too_many() && suspects.len() < copies.len() {
            copies.rotate_left(1);
        }
        Some(Self {
            losses,
            suspects,
            ..Self::new(self.folder.clone(), copies)
        })
    }
}

/// What a job has cost in a row, without anything that came of it.
#[derive(Clone, Debug, Default)]
pub struct Losses {
    /// Connections that were lost over it.
    pub count: u32,
    /// Times that the server asked to come again later.
    waits: u32,
    /// What was said the last time.
    pub why: Arc<str>,
}

impl Losses {
    /// From here on it is the copy, or the folder, that the server cannot bear.
    const MOST: u32 = 3;
    /// Or that it will not give out: some ask to come again later for ever.
    const MOST_WAITS: u32 = 4;

    pub fn are_too_many(&self) -> bool {
        self.count >= Self::MOST || self.waits >= Self::MOST_WAITS
    }

    /// Why a copy is given up.
    pub fn of_a_copy(&self) -> String {
        match self.count {
            0 => format!("the server asks again and again to come later: {}", self.why),
            _ => format!("each time it is fetched the connection is of no more use: {}", self.why),
        }
    }

    pub fn are_any(&self) -> bool {
        self.count > 0 || self.waits > 0
    }

    fn more(&self, why: &str, waits: bool) -> Self {
        Self {
            count: self.count + u32::from(!waits),
            waits: self.waits + u32::from(waits),
            why: why.into(),
        }
    }
}

#[derive(Clone)]
pub enum Job {
    /// List a folder, and make units of what is open in it.
    Survey(String, Losses),
    Fetch(Unit),
}

/// What a loss meant for what the connection had done since the one before; the best of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum GivenBack {
    /// Nothing of it had come.
    Nothing,
    /// A copy was given up.
    GivenUp,
    /// Copies of it had come.
    Progress,
}

#[derive(Default)]
struct Inner {
    waiting: VecDeque<Job>,
    /// By the connection's lane.
    held: HashMap<usize, Job>,
    /// What came of the jobs that a lane ended since it last lost a connection.
    ended: HashMap<usize, GivenBack>,
    refused: Vec<FolderError>,
    /// How often a folder had to be listed again.
    again: HashMap<String, u32>,
}

/// The work of a run.
#[derive(Default)]
pub struct Jobs {
    inner: Mutex<Inner>,
    changed: Notify,
}

/// A folder that changes its UIDVALIDITY more often than this in a run is left alone.
const MOST_SURVEYS: u32 = 3;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn folder_of(job: &Job) -> &str {
    match job {
        Job::Survey(folder, _) => folder,
        Job::Fetch(unit) => &unit.folder.name,
    }
}

fn survey(folder: String) -> Job {
    Job::Survey(folder, Losses::default())
}

impl Jobs {
    pub fn survey(&self, folders: Vec<String>) {
        lock(&self.inner).waiting.extend(folders.into_iter().map(survey));
        self.changed.notify_waiters();
    }

    /// Units go before folders that are not listed yet: what is known of is fetched first.
    pub fn fetch(&self, units: Vec<Unit>) {
        let mut inner = lock(&self.inner);
        for unit in units.into_iter().rev() {
            inner.waiting.push_front(Job::Fetch(unit));
        }
        drop(inner);
        self.changed.notify_waiters();
    }

    /// The next job for a lane; waits while another lane's may still make some. `None` when all is done.
    pub async fn next(&self, lane: usize) -> Option<Job> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Before the look, so that what changes behind it is noticed.
            changed.as_mut().enable();
            {
                let mut inner = lock(&self.inner);
                if let Some(Job::Fetch(unit)) = inner.held.remove(&lane) {
                    let given = unit.told.given_back();
                    let best = inner.ended.entry(lane).or_insert(given);
                    *best = given.max(*best);
                }
                if let Some(job) = inner.waiting.pop_front() {
                    inner.held.insert(lane, job.clone());
                    return Some(job);
                }
                if inner.held.is_empty() {
                    self.changed.notify_waiters();
                    return None;
                }
            }
            changed.await;
        }
    }

    /// Waits until there is more to do than the others are at; false when all is done.
    pub async fn more(&self) -> bool {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            {
                let inner = lock(&self.inner);
                if !inner.waiting.is_empty() {
                    return true;
                }
                if inner.held.is_empty() {
                    return false;
                }
            }
            changed.await;
        }
    }

    /// Whether nothing is waiting.
    pub fn is_done(&self) -> bool {
        let inner = lock(&self.inner);
        inner.waiting.is_empty() && inner.held.is_empty()
    }

    /// A lane's connection is gone, for this reason: what it held is to be done by another. `waits`: it is not lost, but the
    /// server asks to come again later.
    pub fn give_back(&self, lane: usize, why: &str, waits: bool) -> GivenBack {
        let mut inner = lock(&self.inner);
        let given = match inner.held.remove(&lane) {
            Some(Job::Fetch(unit)) => {
                let left = unit.after_loss(why, waits);
                let given = unit.told.given_back();
                if let Some(left) = left {
                    inner.waiting.push_front(Job::Fetch(left));
                }
                given
            }
            Some(Job::Survey(folder, losses)) => {
                let losses = losses.more(why, waits);
                inner.waiting.push_front(Job::Survey(folder, losses));
                GivenBack::Nothing
            }
            None => GivenBack::Nothing,
        };
        let ended = inner.ended.remove(&lane).unwrap_or(GivenBack::Nothing);
        drop(inner);
        self.changed.notify_waiters();
        given.max(ended)
    }

    /// The folder whose work is next, which the server does not bear: none of it is done in this run.
    pub fn give_up_folder(&self) -> Option<String> {
        let mut inner = lock(&self.inner);
        let folder = folder_of(inner.waiting.front()?).to_owned();
        inner.waiting.retain(|job| folder_of(job) != folder);
        drop(inner);
        self.changed.notify_waiters();
        Some(folder)
    }

    /// A folder is another one than it was when it was listed. Gives false where that has happened too often.
    pub fn survey_again(&self, folder: &str) -> bool {
        let mut inner = lock(&self.inner);
        let times = inner.again.entry(folder.to_owned()).or_default();
        *times += 1;
        if *times > MOST_SURVEYS {
            return false;
        }
        // Its other units are of the folder that is gone.
        let of_it = |job: &Job| matches!(job, Job::Fetch(unit) if unit.folder.name == folder);
        inner.waiting.retain(|job| !of_it(job));
        let waits = inner
            .waiting
            .iter()
            .any(|job| matches!(job, Job::Survey(name, _) if name == folder));
        if !waits {
            inner.waiting.push_front(survey(folder.to_owned()));
        }
        drop(inner);
        self.changed.notify_waiters();
        true
    }

    /// A folder cannot be archived; the others go on.
    pub fn refused(&self, error: FolderError) {
        lock(&self.inner).refused.push(error);
    }

    pub fn take_refused(&self) -> Vec<FolderError> {
        std::mem::take(&mut lock(&self.inner).refused)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::profile::cursor::Done;

    fn unit(uids: std::ops::Range<u32>) -> Unit {
        let folder = Surveyed {
            name: "INBOX".into(),
            number: 1,
            uidvalidity: Some(7),
            cursor: Cursor::new(Done::Nothing, &[]),
            session: 1,
        };
        Unit::new(Arc::new(folder), uids.map(CopyRef::Uid).collect())
    }

    fn fetched(job: Option<Job>) -> Unit {
        match job {
            Some(Job::Fetch(unit)) => unit,
            _ => panic!("no unit"),
        }
    }

    #[tokio::test]
    async fn what_a_lost_connection_held_is_done_by_another_without_what_was_told() {
        let jobs = Jobs::default();
        jobs.survey(vec!["Sent".into()]);
        jobs.fetch(vec![unit(1..5)]);
        let held = fetched(jobs.next(0).await);
        held.told().add(0);
        held.told().add(2);
        assert_eq!(jobs.give_back(0, "cut", false), GivenBack::Progress);
        let held = fetched(jobs.next(1).await);
        // The one that was being fetched is tried again behind the other.
        assert_eq!((held.copies, held.losses.count), ([4, 2].map(CopyRef::Uid).to_vec(), 1));
        assert_eq!(jobs.give_back(1, "cut", false), GivenBack::Nothing);
        // Both are suspect now, and one after the other is brought to its end.
        assert_eq!(fetched(jobs.next(1).await).copies, [4, 2].map(CopyRef::Uid));
        assert!(matches!(jobs.next(1).await, Some(Job::Survey(..))));
        assert!(jobs.next(1).await.is_none() && jobs.is_done());
    }

    #[tokio::test]
    async fn who_has_nothing_to_do_waits_for_what_another_may_find() {
        let jobs = Jobs::default();
        jobs.survey(vec!["INBOX".into()]);
        assert!(matches!(jobs.next(0).await, Some(Job::Survey(..))));
        let mut idle = Box::pin(jobs.next(1));
        assert!(idle.as_mut().now_or_never().is_none());
        jobs.fetch(vec![unit(1..5)]);
        assert_eq!(fetched(idle.await).copies.len(), 4);
        let mut first = Box::pin(jobs.next(0));
        assert!(
            first.as_mut().now_or_never().is_none(),
            "the other may yet give its own back"
        );
        assert!(jobs.next(1).await.is_none());
        assert!(first.await.is_none());
    }

    #[tokio::test]
    async fn a_folder_that_is_another_one_is_listed_again_and_not_for_ever() {
        let jobs = Jobs::default();
        jobs.fetch(vec![unit(1..5), unit(5..9)]);
        let _held = jobs.next(0).await;
        for _ in 0..MOST_SURVEYS {
            assert!(jobs.survey_again("INBOX"));
            assert!(matches!(jobs.next(0).await, Some(Job::Survey(..))));
        }
        assert!(!jobs.survey_again("INBOX"));
        assert!(jobs.next(0).await.is_none());
    }

    #[tokio::test]
    async fn a_copy_over_which_three_connections_are_lost_is_given_up_and_holds_no_other_up() {
        let jobs = Jobs::default();
        jobs.fetch(vec![unit(1..4)]);
        // The first is the bad one; the others come in between.
        assert!(matches!(jobs.next(0).await, Some(Job::Fetch(_))));
        assert_eq!(jobs.give_back(0, "cut", false), GivenBack::Nothing);
        let second = fetched(jobs.next(0).await);
        assert_eq!(second.copies, [2, 3, 1].map(CopyRef::Uid));
        second.told().add(0);
        second.told().add(1);
        assert_eq!(jobs.give_back(0, "cut", false), GivenBack::Progress);
        assert_eq!(fetched(jobs.next(0).await).losses.count, 2);
        jobs.give_back(0, "cut", false);
        let third = fetched(jobs.next(0).await);
        assert!(third.losses.are_too_many() && &*third.losses.why == "cut");
        third.told().give_up();
        third.told().add(0);
        assert_eq!(jobs.give_back(0, "cut", false), GivenBack::GivenUp);
        assert!(jobs.next(0).await.is_none());
    }

    #[tokio::test]
    async fn what_a_connection_ended_before_it_was_lost_is_progress() {
        let jobs = Jobs::default();
        jobs.fetch(vec![unit(1..2), unit(2..3)]);
        fetched(jobs.next(0).await).told().add(0);
        assert!(matches!(jobs.next(0).await, Some(Job::Fetch(_))));
        assert_eq!(jobs.give_back(0, "cut", false), GivenBack::Progress);
        assert!(matches!(jobs.next(0).await, Some(Job::Fetch(_))));
        assert_eq!(jobs.give_back(0, "cut", false), GivenBack::Nothing);
    }

    #[tokio::test]
    async fn a_server_that_asks_to_wait_is_not_at_fault_for_long() {
        let jobs = Jobs::default();
        jobs.fetch(vec![unit(1..2)]);
        for _ in 0..Losses::MOST_WAITS {
            assert!(!fetched(jobs.next(0).await).losses.are_too_many());
            jobs.give_back(0, "later", true);
        }
        assert!(fetched(jobs.next(0).await).losses.are_too_many());
        jobs.give_back(0, "cut", false);
        assert_eq!(jobs.give_up_folder().as_deref(), Some("INBOX"));
        assert!(jobs.next(0).await.is_none());
    }
}
