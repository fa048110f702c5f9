//! What the connections of a run share: the work that is left, who holds which of it, and what became of folders.
//!
//! A job that a connection could not end is given back, without the copies that have their outcome already; so a lost
//! connection costs no copy, and none has two outcomes in one run.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;

use super::cursor::Names;
use crate::{
    ids::FolderNumber,
    source::{CopyRef, Open, SourceError},
};

/// A folder as it was found.
pub struct Surveyed {
    pub name: String,
    /// Its number in the catalog.
    pub number: FolderNumber,
    /// IMAP; `None` over POP3 and for files.
    pub uidvalidity: Option<u32>,
    pub names: Names,
    /// The sizes that the server announces are known to be off a little.
    pub inexact: bool,
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
    /// What came of copies that are fetched once more.
    pub before: Arc<HashMap<CopyRef, Came>>,
    told: Told,
}

/// Bytes that came for a copy and are no whole message, as far as can be told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Came {
    pub sha256: [u8; 32],
    /// How many there were.
    pub size: u64,
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
            before: Arc::default(),
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
            before: self.before.clone(),
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
            0 => format!("the server keeps asking to come later: {}", self.why),
            _ => format!("each time it is fetched, the connection breaks: {}", self.why),
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

/// A folder that could not be archived; the others went on.
#[derive(Debug)]
pub struct FolderError {
    pub folder: String,
    pub error: SourceError,
}

#[derive(Clone)]
pub enum Job {
    /// List a folder, and find out what is open in it.
    Survey(String, Losses),
    Fetch(Unit),
}

/// What waits to be done.
enum Waiting {
    Job(Job),
    /// Copies of a folder that are cut into units of so many when it is their turn: the names of all of them would take
    /// much memory.
    Open(Arc<Surveyed>, Open, usize),
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
    waiting: VecDeque<Waiting>,
    /// By the connection's lane.
    held: HashMap<usize, Job>,
    /// What came of the jobs that a lane ended since it last lost a connection.
    ended: HashMap<usize, GivenBack>,
    refused: Vec<FolderError>,
    /// Folders that may not be read, of which the profile was told.
    denied: HashSet<String>,
    /// How often a folder had to be listed again.
    again: HashMap<String, u32>,
    /// Copies that are to be fetched once more, over another connection.
    once_more: Vec<(Arc<Surveyed>, HashMap<CopyRef, Came>)>,
    /// How many they are.
    many_once_more: usize,
}

/// The work of a run.
#[derive(Default)]
pub struct Jobs {
    inner: Mutex<Inner>,
    changed: Notify,
}

/// Copies of a run that are fetched once more; those beyond are left to the next run.
const MOST_ONCE_MORE: usize = 100_000;

/// A folder that changes its UIDVALIDITY more often than this in a run is left alone.
const MOST_SURVEYS: u32 = 3;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock()
}

impl Waiting {
    fn survey(folder: String) -> Self {
        Self::Job(Job::Survey(folder, Losses::default()))
    }

    fn folder(&self) -> &str {
        match self {
            Self::Job(Job::Survey(folder, _)) => folder,
            Self::Job(Job::Fetch(unit)) => &unit.folder.name,
            Self::Open(folder, ..) => &folder.name,
        }
    }

    fn is_survey(&self) -> bool {
        matches!(self, Self::Job(Job::Survey(..)))
    }
}

impl Inner {
    fn take(&mut self) -> Option<Job> {
        loop {
            match self.waiting.pop_front()? {
                Waiting::Job(job) => return Some(job),
                Waiting::Open(folder, mut open, size) => {
                    let copies = open.cut(size);
                    if copies.is_empty() {
                        continue;
                    }
                    if !open.left.is_empty() {
                        self.waiting.push_front(Waiting::Open(folder.clone(), open, size));
                    }
                    return Some(Job::Fetch(Unit::new(folder, copies)));
                }
            }
        }
    }
}

impl Jobs {
    pub fn survey(&self, folders: Vec<String>) {
        lock(&self.inner)
            .waiting
            .extend(folders.into_iter().map(Waiting::survey));
        self.changed.notify_waiters();
    }

    /// What is open in a folder, in units of so many copies. It goes before folders that are not listed yet: what is
    /// known of is fetched first.
    pub fn fetch(&self, folder: Arc<Surveyed>, open: Open, size: usize) {
        if !open.left.is_empty() {
            lock(&self.inner).waiting.push_front(Waiting::Open(folder, open, size));
        }
        self.changed.notify_waiters();
    }

    /// Copies of which something came, and perhaps not all: they are fetched once more when all else is done. False
    /// where there are too many.
    pub fn once_more(&self, folder: &Arc<Surveyed>, came: &HashMap<CopyRef, Came>) -> bool {
        let mut inner = lock(&self.inner);
        let fits = inner.many_once_more + came.len() <= MOST_ONCE_MORE;
        if fits {
            inner.many_once_more += came.len();
            inner.once_more.push((folder.clone(), came.clone()));
        }
        fits
    }

    /// Makes units of what is to be fetched once more; false where nothing is.
    pub fn begin_once_more(&self) -> bool {
        let mut inner = lock(&self.inner);
        inner.many_once_more = 0;
        for (folder, came) in std::mem::take(&mut inner.once_more) {
            let mut copies: Vec<CopyRef> = came.keys().cloned().collect();
            copies.sort_unstable();
            let unit = Unit {
                before: Arc::new(came),
                ..Unit::new(folder, copies)
            };
            inner.waiting.push_back(Waiting::Job(Job::Fetch(unit)));
        }
        let any = !inner.waiting.is_empty();
        drop(inner);
        self.changed.notify_waiters();
        any
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
                if let Some(job) = inner.take() {
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

    /// A lane's connection is gone, for this reason: what it held is to be done by another. `waits`: it is not lost,
    /// but the server asks to come again later.
    pub fn give_back(&self, lane: usize, why: &str, waits: bool) -> GivenBack {
        let mut inner = lock(&self.inner);
        let given = match inner.held.remove(&lane) {
            Some(Job::Fetch(unit)) => {
                let left = unit.after_loss(why, waits);
                let given = unit.told.given_back();
                if let Some(left) = left {
                    inner.waiting.push_front(Waiting::Job(Job::Fetch(left)));
                }
                given
            }
            Some(Job::Survey(folder, losses)) => {
                let losses = losses.more(why, waits);
                inner.waiting.push_front(Waiting::Job(Job::Survey(folder, losses)));
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
        let folder = inner.waiting.front()?.folder().to_owned();
        inner.waiting.retain(|waiting| waiting.folder() != folder);
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
        inner
            .waiting
            .retain(|waiting| waiting.folder() != folder || waiting.is_survey());
        if !inner.waiting.iter().any(|waiting| waiting.folder() == folder) {
            inner.waiting.push_front(Waiting::survey(folder.to_owned()));
        }
        drop(inner);
        self.changed.notify_waiters();
        true
    }

    /// A folder cannot be archived; the others go on.
    pub fn refused(&self, error: FolderError) {
        lock(&self.inner).refused.push(error);
    }

    /// A folder that a pattern found may not be read.
    pub fn denied(&self, folder: String) {
        lock(&self.inner).denied.insert(folder);
    }

    pub fn are_any_denied(&self) -> bool {
        !lock(&self.inner).denied.is_empty()
    }

    pub fn is_denied(&self, folder: &str) -> bool {
        lock(&self.inner).denied.contains(folder)
    }

    pub fn take_refused(&self) -> Vec<FolderError> {
        std::mem::take(&mut lock(&self.inner).refused)
    }
}

#[cfg(test)]
#[path = "jobs_tests.rs"]
mod tests;
