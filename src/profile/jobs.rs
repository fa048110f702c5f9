//! The work that the connections of a run share: which jobs are left, which connection is doing which, and which folders
//! could not be archived.
//!
//! If a connection cannot finish its job, the rest of it goes back to the others: the copies without an outcome. So a lost
//! connection loses no copy, and no copy has two outcomes in one run.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{cursor::Names, losses::Losses};
use crate::{
    ids::FolderNumber,
    said::Said,
    source::{CopyRef, Open, SourceError},
};

/// A folder as it was found.
pub struct ListedFolder {
    pub name: String,
    /// Its number in the catalog.
    pub number: FolderNumber,
    /// IMAP; `None` over POP3 and for files.
    pub uidvalidity: Option<u32>,
    pub names: Names,
    /// The sizes that the server announces are known to be off a little.
    pub inexact: bool,
    /// What came of copies to be fetched a second time, before the folder was replaced.
    pub before: HashSet<Came>,
    /// The session in which it was listed: POP3's message numbers hold in no other.
    pub session: u64,
}

/// Copies of one folder that are fetched together.
#[derive(Clone)]
pub struct Unit {
    pub folder: Arc<ListedFolder>,
    pub copies: Vec<CopyRef>,
    pub losses: Losses,
    /// Copies during which connections were lost, and how many.
    suspects: HashMap<CopyRef, Losses>,
    /// For copies that are fetched a second time: what came the first time.
    pub before: Arc<HashMap<CopyRef, Came>>,
    told: Told,
}

/// The bytes that came for a copy which, as far as can be told, is not a whole message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Came {
    pub sha256: [u8; 32],
    /// How many there were.
    pub size: u64,
}

/// Which copies of a unit have an outcome that the profile knows, by their place in the unit.
#[derive(Clone, Default)]
pub struct Told(Arc<Mutex<Places>>);

#[derive(Default)]
struct Places {
    told: HashSet<usize>,
    /// How many of them were given up, because connections were lost over them. That is no progress.
    given_up: usize,
}

impl Told {
    pub fn add(&self, place: usize) {
        self.0.lock().told.insert(place);
    }

    pub fn give_up(&self) {
        self.0.lock().given_up += 1;
    }

    fn given_back(&self) -> GivenBack {
        let places = self.0.lock();
        match (places.told.len() > places.given_up, places.given_up > 0) {
            (true, _) => GivenBack::Progress,
            (false, true) => GivenBack::GivenUp,
            (false, false) => GivenBack::Nothing,
        }
    }
}

impl Unit {
    pub fn new(folder: Arc<ListedFolder>, copies: Vec<CopyRef>) -> Self {
        Self {
            folder,
            copies,
            losses: Losses::default(),
            suspects: HashMap::new(),
            before: Arc::default(),
            told: Told::default(),
        }
    }

    /// Notes which of its copies have an outcome.
    pub fn told(&self) -> Told {
        self.told.clone()
    }

    /// The copies without an outcome.
    fn left(&self) -> Vec<CopyRef> {
        let told = self.told.0.lock();
        let left = self.copies.iter().enumerate();
        let left = left.filter(|(place, _)| !told.told.contains(place));
        left.map(|(_, copy)| copy.clone()).collect()
    }

    /// The rest of the unit after its connection was lost. Copies are fetched in order, so the first one without an outcome
    /// is the suspect. It goes to the end, so that it does not hold up the others.
    fn after_loss(&self, why: &Said, waits: bool) -> Option<Self> {
        let mut copies = self.left();
        let suspect = copies.first()?.clone();
        let mut suspects = self.suspects.clone();
        let standing: HashSet<&CopyRef> = copies.iter().collect();
        suspects.retain(|copy, _| standing.contains(copy));
        let losses = suspects.entry(suspect).or_default();
        *losses = losses.more(why, waits);
        let losses = losses.clone();
        // If all that is left is suspect, the first stays first until it is fetched or given up.
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

/// A folder that could not be archived. The run went on with the others.
#[derive(Debug)]
pub struct FolderError {
    pub folder: String,
    pub error: SourceError,
}

#[derive(Clone)]
pub enum Job {
    /// List a folder, and find out which copies are still to be archived.
    List(String, Losses),
    Fetch(Unit),
}

/// Work that no connection does yet.
enum Waiting {
    Job(Job),
    /// The open copies of a folder. Units of so many are cut off when it is their turn, because the names of all copies
    /// would take a lot of memory.
    Open(Arc<ListedFolder>, Open, usize),
}

/// What a connection had got done when it was lost.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum GivenBack {
    Nothing,
    /// Copies were given up, and no other got an outcome.
    GivenUp,
    /// Copies got an outcome.
    Progress,
}

#[derive(Default)]
struct Inner {
    waiting: VecDeque<Waiting>,
    /// The job that each connection is doing, by its lane.
    held: HashMap<usize, Job>,
    /// What each lane got done, at best, since it last lost a connection.
    ended: HashMap<usize, GivenBack>,
    refused: Vec<FolderError>,
    /// Folders that we may not read, and that the protocol names.
    denied: HashSet<String>,
    /// Folders that were replaced during the run.
    replaced: HashMap<String, Replaced>,
    /// Copies to be fetched a second time, over another connection.
    once_more: Vec<(Arc<ListedFolder>, HashMap<CopyRef, Came>)>,
    /// How many these are.
    many_once_more: usize,
}

/// What is known of a folder that was replaced during the run.
#[derive(Default)]
struct Replaced {
    /// How often it had to be listed again.
    times: u32,
    /// The UIDVALIDITYs that it does not have any more: other connections may still hold copies of them.
    gone: HashSet<Option<u32>>,
    /// What came of copies to be fetched a second time. Their names are gone with the folder.
    before: HashSet<Came>,
}

/// The work of a run.
#[derive(Default)]
pub struct Jobs {
    inner: Mutex<Inner>,
    changed: Notify,
}

/// So many copies of a run are fetched a second time. The next run does the rest.
const MOST_ONCE_MORE: usize = 100_000;

/// A folder that changes its UIDVALIDITY more often in one run is left for the next run.
const MOST_LISTINGS: u32 = 3;

impl Waiting {
    fn listing(folder: String) -> Self {
        Self::Job(Job::List(folder, Losses::default()))
    }

    fn folder(&self) -> &str {
        match self {
            Self::Job(Job::List(folder, _)) => folder,
            Self::Job(Job::Fetch(unit)) => &unit.folder.name,
            Self::Open(folder, ..) => &folder.name,
        }
    }

    fn is_listing(&self) -> bool {
        matches!(self, Self::Job(Job::List(..)))
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
    pub fn list(&self, folders: Vec<String>) {
        self.inner
            .lock()
            .waiting
            .extend(folders.into_iter().map(Waiting::listing));
        self.changed.notify_waiters();
    }

    /// Adds the open copies of a folder, in units of so many. They come before folders that are not listed yet.
    pub fn fetch(&self, folder: Arc<ListedFolder>, open: Open, size: usize) {
        let mut inner = self.inner.lock();
        if let Some(replaced) = inner.replaced.get_mut(&folder.name) {
            replaced.gone.remove(&folder.uidvalidity);
        }
        if !open.left.is_empty() {
            inner.waiting.push_front(Waiting::Open(folder, open, size));
        }
        drop(inner);
        self.changed.notify_waiters();
    }

    /// Adds copies of which perhaps not all came. They are fetched again when everything else is done. False if there are
    /// too many of them.
    pub fn once_more(&self, folder: &Arc<ListedFolder>, came: &HashMap<CopyRef, Came>) -> bool {
        let mut inner = self.inner.lock();
        let fits = inner.many_once_more + came.len() <= MOST_ONCE_MORE;
        if fits {
            inner.many_once_more += came.len();
            inner.once_more.push((folder.clone(), came.clone()));
        }
        fits
    }

    /// Begins with the copies that are fetched a second time; false if there are none.
    pub fn begin_once_more(&self) -> bool {
        let mut inner = self.inner.lock();
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

    /// The next job for a lane. Waits while jobs of other lanes may still lead to more. `None` when all is done.
    pub async fn next(&self, lane: usize) -> Option<Job> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // First, so that no change after the look is missed.
            changed.as_mut().enable();
            {
                let mut inner = self.inner.lock();
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

    /// Waits until there is a job that nobody does; false when all is done.
    pub async fn more(&self) -> bool {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            {
                let inner = self.inner.lock();
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
        let inner = self.inner.lock();
        inner.waiting.is_empty() && inner.held.is_empty()
    }

    /// A lane's connection is gone, for this reason, and another one has to finish its job. `waits`: it was not lost, but
    /// the server asks us to come back later.
    pub fn give_back(&self, lane: usize, why: &Said, waits: bool) -> GivenBack {
        let mut inner = self.inner.lock();
        let given = match inner.held.remove(&lane) {
            Some(Job::Fetch(unit)) => {
                let left = unit.after_loss(why, waits);
                let given = unit.told.given_back();
                if let Some(left) = left {
                    inner.waiting.push_front(Waiting::Job(Job::Fetch(left)));
                }
                given
            }
            Some(Job::List(folder, losses)) => {
                let losses = losses.more(why, waits);
                inner.waiting.push_front(Waiting::Job(Job::List(folder, losses)));
                GivenBack::Nothing
            }
            None => GivenBack::Nothing,
        };
        let ended = inner.ended.remove(&lane).unwrap_or(GivenBack::Nothing);
        drop(inner);
        self.changed.notify_waiters();
        given.max(ended)
    }

    /// Gives up the folder whose job is next: this run leaves out the rest of it. Gives its name.
    pub fn give_up_folder(&self) -> Option<String> {
        let mut inner = self.inner.lock();
        let folder = inner.waiting.front()?.folder().to_owned();
        inner.waiting.retain(|waiting| waiting.folder() != folder);
        drop(inner);
        self.changed.notify_waiters();
        Some(folder)
    }

    /// The folder of a unit was replaced since it was listed, so it is listed again. False if that happened too often.
    pub fn list_again(&self, unit: &Unit) -> bool {
        let mut inner = self.inner.lock();
        let Inner { waiting, replaced, .. } = &mut *inner;
        let folder = &unit.folder.name;
        let replaced = replaced.entry(folder.clone()).or_default();
        replaced.before.extend(unit.before.values());
        if !replaced.gone.insert(unit.folder.uidvalidity) {
            // Another connection came upon it first.
            return true;
        }
        replaced.times += 1;
        if replaced.times > MOST_LISTINGS {
            return false;
        }
        // The other units name copies of the folder that was replaced.
        waiting.retain(|waiting| match waiting {
            Waiting::Job(Job::Fetch(unit)) if unit.folder.name == *folder => {
                replaced.before.extend(unit.before.values());
                false
            }
            waiting => waiting.folder() != folder || waiting.is_listing(),
        });
        if !waiting.iter().any(|waiting| waiting.folder() == folder) {
            waiting.push_front(Waiting::listing(folder.clone()));
        }
        drop(inner);
        self.changed.notify_waiters();
        true
    }

    /// What came of copies of this folder that were to be fetched a second time, before it was replaced.
    pub fn before(&self, folder: &str) -> HashSet<Came> {
        let inner = self.inner.lock();
        inner
            .replaced
            .get(folder)
            .map_or_else(HashSet::new, |replaced| replaced.before.clone())
    }

    /// Notes a folder that cannot be archived.
    pub fn refused(&self, error: FolderError) {
        self.inner.lock().refused.push(error);
    }

    /// Notes a folder that matches a pattern and that we may not read.
    pub fn denied(&self, folder: String) {
        self.inner.lock().denied.insert(folder);
    }

    pub fn are_any_denied(&self) -> bool {
        !self.inner.lock().denied.is_empty()
    }

    pub fn is_denied(&self, folder: &str) -> bool {
        self.inner.lock().denied.contains(folder)
    }

    pub fn take_refused(&self) -> Vec<FolderError> {
        std::mem::take(&mut self.inner.lock().refused)
    }
}

#[cfg(test)]
#[path = "jobs_tests.rs"]
mod tests;
