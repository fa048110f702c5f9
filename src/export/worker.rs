//! The process that exports: reads the store, writes the files, and says on its output where it is.

use std::{
    io::{self, BufRead, Write},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use roaring::RoaringTreemap;

use super::{
    Damage, DamageKind, ExportError,
    avoided::AvoidedSets,
    destination::{Destination, UNFINISHED},
    files::Files,
    selection::Selected,
    words::{Job, Word},
};
use crate::{
    archive::{Direction, Entry, MessageId, PAGE, Page, Retrieval, Store, StoreError},
    config::Config,
    reading::{all_found, view},
    search::Search,
};

/// Entries of a list that are put in the order in which they lie in the store before they are read. As many as
/// the store reads at once, so that all that was read is written when the next are read.
const WINDOW: usize = PAGE;
/// Mapped pages of the store that may count as this process's, in bytes: about, for they are counted by what is read.
const MAPPED: u64 = 32 << 20;
/// What reading a row or a block maps beyond itself: the system maps pages around the one that is read.
const AROUND: u64 = 64 << 10;
/// Lines of a manifest after which it says that it lives.
const LINES: u64 = 500;

/// Does the job that stands on the input, and says on the output how it goes. `open` opens the store to read in it. It
/// ends early when `stop` is set, or the input is closed.
pub fn run(
    config: &Config,
    open: impl FnOnce(&Config) -> Result<Store, StoreError>,
    dir: &Path,
    stop: &Arc<AtomicBool>,
) {
    // A process that dies over damage leaves no file with mail in it.
    let none = rustix::process::Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    if let Err(error) = rustix::process::setrlimit(rustix::process::Resource::Core, none) {
        tracing::debug!(%error, "a crash may leave a core file");
    }
    let mut words = Words::default();
    let outcome = read_job(stop).and_then(|job| {
        let store = Arc::new(open(config)?);
        export(&store, config, dir, &job, stop, &mut words)
    });
    let last = match outcome {
        Ok(()) => Word::Done,
        Err(error) => Word::Failed {
            exit: error.exit(),
            error: error.to_string(),
        },
    };
    // Where nobody listens any more there is nobody to tell.
    let _ = words.say(&last);
}

/// The first line of the input. Once the input ends, which it does with the process that watches, `stop` is set.
fn read_job(stop: &Arc<AtomicBool>) -> Result<Job, ExportError> {
    let fault = |error: &dyn std::fmt::Display| {
        ExportError::Fault(format!(
            "the export was started without its job: {error}; this is a bug in dropkeep"
        ))
    };
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(|error| fault(&error))?;
    let job = serde_json::from_str(&line).map_err(|error| fault(&error))?;
    let stop = stop.clone();
    let waits = thread::Builder::new().name("input".into()).spawn(move || {
        // Nothing more is said there, and an error is its end too.
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        stop.store(true, Ordering::Release);
    });
    waits.map(|_| job).map_err(|error| fault(&error))
}

fn export(
    store: &Arc<Store>,
    config: &Config,
    dir: &Path,
    job: &Job,
    stop: &AtomicBool,
    words: &mut Words,
) -> Result<(), ExportError> {
    let users = job.selection.users(store, config)?;
    let only = match &job.selection.query {
        Some(query) => Some(all_found(
            store,
            &Search::new(store.clone(), config.search.clone()),
            query,
        )?),
        None => None,
    };
    let this = if job.avoided.identification {
        None
    } else {
        identification(store)
    };
    let place = Destination::take(dir, store.path(), this, &job.selection, &users)?;
    let selection = &job.selection;
    let is_whole = selection.from.is_none() && selection.to.is_none() && selection.query.is_none();
    words.say(&Word::Plan {
        users: users.len() as u64,
        messages: is_whole.then(|| users.iter().map(|user| user.messages).sum()),
    })?;
    let mut work = Exporting {
        store,
        place: &place,
        job,
        only,
        avoided: AvoidedSets::new(&job.avoided),
        stop,
        words,
        retrieval: Retrieval::new(store),
        last_block: None,
        mapped: 0,
    };
    for user in users.iter().filter(|user| user.id >= job.first_user) {
        work.user(user)?;
    }
    // What was noted last is on disk too when the export is said to be done.
    let root = place.root();
    let removed = root.remove(UNFINISHED);
    removed.map_err(ExportError::io("removing", &root.path().join(UNFINISHED)))?;
    place.sync()
}

/// What tells the store from others: its first message, and when that was archived.
fn identification(store: &Store) -> Option<String> {
    // Where it cannot be read, the messages that are done tell.
    let first = store.message(MessageId(1)).ok()??;
    Some(format!("{} {}", view::hex(first.sha256), view::time(first.archived_at)))
}

struct Exporting<'w> {
    store: &'w Store,
    place: &'w Destination,
    job: &'w Job,
    /// What the query finds, where one is given.
    only: Option<RoaringTreemap>,
    avoided: AvoidedSets,
    stop: &'w AtomicBool,
    words: &'w mut Words,
    retrieval: Retrieval<'w>,
    /// The block that could be read last.
    last_block: Option<(u32, u64)>,
    /// Bytes mapped since mapped pages were let go.
    mapped: u64,
}

/// Why a user's list ended.
enum Halt {
    /// It cannot be read on.
    List(StoreError),
    /// What comes is of no interest.
    Enough,
    Failed(ExportError),
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        Self::List(error)
    }
}

impl From<ExportError> for Halt {
    fn from(error: ExportError) -> Self {
        Self::Failed(error)
    }
}

impl<'w> Exporting<'w> {
    fn user(&mut self, user: &Selected) -> Result<(), ExportError> {
        self.words.say(&Word::User {
            id: user.id,
            name: user.name.clone(),
        })?;
        let mut files = self.open_files(user)?;
        let messages = files.done().len();
        self.words.say(&Word::Already { messages })?;
        match self.list(user, &mut files) {
            Ok(()) | Err(Halt::Enough) => {}
            Err(Halt::List(error)) => self.words.say(&Word::Damaged(Damage {
                kind: DamageKind::Catalog,
                id: None,
                user: user.name.clone(),
                volume: None,
                detail: format!(
                    "{error}; the rest of this user's list is not exported; restore the catalog from a backup"
                ),
            }))?,
            Err(Halt::Failed(error)) => {
                // What is whole stays.
                if let Err(second) = self.keep(&mut files) {
                    tracing::debug!(error = %second, "what was written last is exported again");
                }
                return Err(error);
            }
        }
        self.keep(&mut files)
    }

    fn open_files(&mut self, user: &Selected) -> Result<Files<'w>, ExportError> {
        let place = self.place;
        let name = place.folder(user.id).ok_or_else(|| {
            ExportError::Fault(format!(
                "user {:?} has no directory; this is a bug in dropkeep",
                user.name
            ))
        })?;
        let mut lines = 0;
        Files::open(place, self.job.selection.format, name, |id, sha256| {
            let message = self.store.message(id)?;
            if message.is_some_and(|message| view::hex(message.sha256) != sha256) {
                let path = place.root().path().to_owned();
                return Err(ExportError::OtherStore { path });
            }
            lines += 1;
            if lines % LINES == 0 {
                self.store.release_pages();
                self.words.say(&Word::Alive)?;
            }
            self.go_on()
        })
    }

    /// Exports what is not there yet.
    fn list(&mut self, user: &Selected, files: &mut Files) -> Result<(), Halt> {
        let store = self.store;
        let selection = &self.job.selection;
        let readable = self.avoided.readable_entries(user.id);
        let mut window = Vec::new();
        let mut entries = 0;
        let mut all = store.all_filings(user.id, Page::first(Direction::Up));
        let listed = all.try_for_each(|entry| {
            let entry = entry?;
            if selection.to.is_some_and(|to| entry.date > to) || entries == readable {
                return Err(Halt::Enough);
            }
            let is_wanted = selection.from.is_none_or(|from| entry.date >= from)
                && self.only.as_ref().is_none_or(|only| only.contains(entry.id.0));
            if is_wanted && !files.done().contains(entry.id.0) {
                window.push(entry);
            }
            entries += 1;
            if entries % WINDOW as u64 == 0 {
                self.write(user, files, &mut window)?;
                self.store.release_pages();
                self.words.say(&Word::Listed { entries })?;
            }
            Ok(())
        });
        match listed {
            Err(Halt::Failed(error)) => Err(Halt::Failed(error)),
            ended => {
                self.write(user, files, &mut window)?;
                ended.and_then(|()| refuse_shortened(user, entries))
            }
        }
    }

    fn write(&mut self, user: &Selected, files: &mut Files, window: &mut Vec<Entry>) -> Result<(), ExportError> {
        if !files.are_in_order() {
            // Messages of a block are read together.
            window.sort_by_key(|entry| {
                let place = &entry.message.inline;
                (place.volume, place.block, place.offset)
            });
        }
        window.drain(..).try_for_each(|entry| self.message(user, files, &entry))
    }

    fn message(&mut self, user: &Selected, files: &mut Files, entry: &Entry) -> Result<(), ExportError> {
        self.go_on()?;
        let volume = entry.message.inline.volume;
        let damage = |kind, detail| {
            Word::Damaged(Damage {
                kind,
                id: Some(entry.id),
                user: user.name.clone(),
                volume: Some(volume),
                detail,
            })
        };
        if let Some(why) = self.avoided.why(entry) {
            return self.words.say(&damage(DamageKind::Crash, why));
        }
        self.try_block(entry)?;
        let message = entry.id;
        self.words.say(&Word::Message { message, volume })?;
        match self.retrieval.raw(entry.id, &entry.message) {
            Ok(raw) => {
                files.write(entry, &raw)?;
                self.words.say(&Word::Written)?;
                self.mapped(raw.len() as u64);
            }
            Err(error) => self.words.say(&damage(DamageKind::Message, error.to_string()))?,
        }
        if files.is_due() { self.keep(files) } else { Ok(()) }
    }

    /// Reads in the block in which the message begins. If that ends this process, it is known to be the block, in which
    /// other messages lie too, and not a part of this message, which lies elsewhere.
    fn try_block(&mut self, entry: &Entry) -> Result<(), ExportError> {
        let place = &entry.message.inline;
        if self.last_block == Some((place.volume, place.block)) {
            return Ok(());
        }
        self.words.say(&Word::Block {
            message: entry.id,
            volume: place.volume,
            block: place.block,
        })?;
        // What cannot be read is reported where all of the message is read.
        if self.retrieval.beginning(entry.id, &entry.message, 1).is_ok() {
            self.last_block = Some((place.volume, place.block));
        }
        Ok(())
    }

    fn keep(&mut self, files: &mut Files) -> Result<(), ExportError> {
        self.words.say(&Word::Syncing)?;
        let (messages, bytes) = files.keep()?;
        self.words.say(&Word::Kept { messages, bytes })
    }

    fn mapped(&mut self, bytes: u64) {
        self.mapped += bytes + AROUND;
        if self.mapped > MAPPED {
            self.store.release_pages();
            self.mapped = 0;
        }
    }

    fn go_on(&self) -> Result<(), ExportError> {
        match self.stop.load(Ordering::Acquire) {
            true => Err(ExportError::Interrupted),
            false => Ok(()),
        }
    }
}

/// A list with damaged pages can end early as if it were whole. It never gets shorter while it is read.
fn refuse_shortened(user: &Selected, entries: u64) -> Result<(), Halt> {
    if entries >= user.messages {
        return Ok(());
    }
    let detail = format!(
        "only {entries} of {} messages of this user could be listed",
        user.messages
    );
    Err(Halt::List(StoreError::Damaged { detail }))
}

/// The output.
#[derive(Default)]
struct Words {
    line: Vec<u8>,
}

impl Words {
    /// Says it at once: it must be known should the next thing that is done end this process.
    fn say(&mut self, word: &Word) -> Result<(), ExportError> {
        self.line.clear();
        let line = serde_json::to_writer(&mut self.line, word);
        line.map_err(|error| ExportError::Fault(format!("{error}; this is a bug in dropkeep")))?;
        self.line.push(b'\n');
        let mut out = io::stdout().lock();
        let said = out.write_all(&self.line).and_then(|()| out.flush());
        // Whoever started this is gone.
        said.map_err(|_| ExportError::Interrupted)
    }
}
