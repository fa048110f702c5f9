//! The process that watches: it starts the one that exports, and where that dies over damage, another one behind it.

use std::{
    collections::HashMap,
    io,
    os::unix::process::ExitStatusExt,
    process::{Child, ExitStatus},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use roaring::RoaringTreemap;
use rustix::process::Signal;
use serde::Serialize;

use super::{
    Damage, DamageKind, ExportError, Selection,
    avoided::{block_crashed, list_crashed, message_crashed},
    words::{Avoided, Job, Word},
};
use crate::{
    api::{Exit, Failure},
    archive::{MessageId, UserId},
    child::{self, Wish},
};

/// Crashes after which it is given up.
const MOST_CRASHES: u32 = 1000;
/// Blocks of a volume over which a process may die before the rest of the volume is left alone.
const MOST_OF_A_VOLUME: u32 = 32;
/// How long reading a message may take: damaged pages can lead round in a circle, and no disk is that slow.
const SILENCE: Duration = Duration::from_secs(300);
/// Damages that the result names; the others are reported as they come, and counted.
const MOST_DAMAGES: usize = 10_000;
/// With which code a process ends that panicked.
const PANICKED: i32 = 101;

/// What came of an export.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Exported {
    /// Messages written, and their bytes; a message is counted for each user who has it.
    pub exported: u64,
    pub bytes: u64,
    /// Messages that were there already.
    pub skipped: u64,
    pub users: u64,
    /// What could not be exported, so many; and what it is, the first ten thousand.
    pub damaged: u64,
    pub damages: Vec<Damage>,
    /// Whether it came to its end; what is missing then is among the damages.
    pub finished: bool,
}

/// What is told while it goes on.
pub enum Event<'e> {
    Progress {
        user: &'e str,
        done: u64,
        /// Where it is known.
        expected: Option<u64>,
        bytes: u64,
    },
    Damaged(&'e Damage),
}

/// Has `selection` exported by the processes that `launch` starts, which are [`super::worker`]s with their input and
/// output in pipes. At the first of the `interrupts` it ends in good order, at the second at once.
pub fn watch(
    selection: Selection,
    launch: &dyn Fn() -> io::Result<Child>,
    interrupts: &AtomicU32,
    each: &mut dyn FnMut(Event),
) -> (Exported, Option<Failure>) {
    let mut watch = Supervised {
        job: Job {
            selection,
            first_user: UserId(0),
            avoided: Avoided::default(),
        },
        ..Supervised::default()
    };
    let failure = loop {
        let ended = match watch.run(launch, interrupts, each) {
            Ok(ended) => ended,
            Err(error) => {
                let error = format!("cannot start the process that exports: {error}");
                break Some(Failure::new(Exit::Errors, error));
            }
        };
        match ended {
            Ended::Done => break None,
            Ended::Failed(failure) => break Some(failure),
            Ended::Died(_) if interrupts.load(Ordering::Acquire) > 0 => {
                break Some(Failure::new(Exit::Interrupted, ExportError::Interrupted));
            }
            Ended::Died(how) => {
                if let Err(failure) = watch.go_round(&how, each) {
                    break Some(failure);
                }
            }
        }
    };
    let mut result = watch.result;
    result.finished = failure.is_none();
    (result, failure)
}

#[derive(Default)]
struct Supervised {
    job: Job,
    result: Exported,
    expected: Option<u64>,
    at: At,
    user: Option<CurrentUser>,
    /// Messages written that are not on disk yet.
    unkept: u64,
    crashes: u32,
    crashes_by_volume: HashMap<u32, u32>,
}

struct CurrentUser {
    id: UserId,
    name: String,
    /// Whether it is known what was there already.
    is_counted: bool,
    /// Messages that were named as damaged.
    named: RoaringTreemap,
    /// Entries of the list that could be read.
    listed: u64,
}

/// What the other process does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum At {
    #[default]
    Opening,
    /// It reads the catalog.
    List,
    Block(MessageId, u32, u64),
    Message(MessageId, u32),
    Syncing,
}

enum Ended {
    Done,
    Failed(Failure),
    Died(How),
}

enum How {
    Status(ExitStatus),
    /// It had to be ended.
    Silent,
}

impl Supervised {
    /// Starts a process and follows it to its end.
    fn run(
        &mut self,
        launch: &dyn Fn() -> io::Result<Child>,
        interrupts: &AtomicU32,
        each: &mut dyn FnMut(Event),
    ) -> io::Result<Ended> {
        (self.at, self.unkept) = (At::Opening, 0);
        let child = launch()?;
        let job = self.job.clone();
        let mut last = None;
        let ended = child::follow(child, &job, &mut |word, silent| {
            if let Some(word) = word {
                last = self.hear(word, each).or(last.take());
            }
            match interrupts.load(Ordering::Acquire) {
                0 if silent > SILENCE && !matches!(self.at, At::Opening | At::Syncing) => Wish::Kill,
                0 => Wish::GoOn,
                1 => Wish::End,
                _ => Wish::Kill,
            }
        })?;
        Ok(match (last, ended.status) {
            (Some(ended), Some(_)) => ended,
            (_, Some(status)) => Ended::Died(How::Status(status)),
            (_, None) => Ended::Died(How::Silent),
        })
    }

    /// Takes a word to heart; how it ended, if it is the last.
    fn hear(&mut self, word: Word, each: &mut dyn FnMut(Event)) -> Option<Ended> {
        match word {
            Word::Plan { users, messages } => {
                self.result.users = users;
                self.expected = messages;
            }
            Word::User { id, name } => {
                self.at = At::List;
                if self.user.as_ref().is_none_or(|user| user.id != id) {
                    self.user = Some(CurrentUser {
                        id,
                        name,
                        is_counted: false,
                        named: RoaringTreemap::new(),
                        listed: 0,
                    });
                }
            }
            Word::Already { messages } => {
                // What is there when a user is gone on with, this export may have written itself.
                if let Some(user) = self.user.as_mut().filter(|user| !user.is_counted) {
                    user.is_counted = true;
                    self.result.skipped += messages;
                }
            }
            Word::Listed { entries } => {
                if let Some(user) = &mut self.user {
                    user.listed = entries;
                }
            }
            Word::Block { message, volume, block } => self.at = At::Block(message, volume, block),
            Word::Message { message, volume } => self.at = At::Message(message, volume),
            Word::Written => {
                self.at = At::List;
                self.unkept += 1;
            }
            Word::Alive => {}
            Word::Syncing => self.at = At::Syncing,
            Word::Kept { messages, bytes } => {
                self.at = At::List;
                self.unkept = 0;
                self.result.exported += messages;
                self.result.bytes += bytes;
            }
            Word::Damaged(damage) => {
                self.at = At::List;
                self.name(damage, each);
            }
            Word::Done => return Some(Ended::Done),
            Word::Failed { error, exit } => return Some(Ended::Failed(Failure::new(exit, error))),
        }
        each(Event::Progress {
            user: self.user.as_ref().map_or("", |user| &user.name),
            done: self.result.skipped + self.result.exported + self.unkept,
            expected: self.expected,
            bytes: self.result.bytes,
        });
        None
    }

    /// Names a damage, once: a message that the process before this one met is met again.
    fn name(&mut self, damage: Damage, each: &mut dyn FnMut(Event)) {
        if let (Some(id), Some(user)) = (damage.id, &mut self.user)
            && !user.named.insert(id.0)
        {
            return;
        }
        self.result.damaged += 1;
        each(Event::Damaged(&damage));
        if self.result.damages.len() < MOST_DAMAGES {
            self.result.damages.push(damage);
        }
    }

    /// A process died: what it died over is named, and the next one goes round it.
    fn go_round(&mut self, how: &How, each: &mut dyn FnMut(Event)) -> Result<(), Failure> {
        if let Some(error) = no_crash(how) {
            return Err(Failure::new(Exit::Errors, error));
        }
        let Some((id, name, listed)) = self.user.as_ref().map(|user| (user.id, user.name.clone(), user.listed)) else {
            if !self.job.avoided.identification {
                self.job.avoided.identification = true;
                return Ok(());
            }
            let error = "reading the catalog crashed; restore it from a backup";
            return Err(Failure::new(Exit::Store, error));
        };
        self.crashes += 1;
        if self.crashes > MOST_CRASHES {
            let error = format!("reading the archive crashed {MOST_CRASHES} times; restore it from a backup");
            return Err(Failure::new(Exit::Store, error));
        }
        self.job.first_user = id;
        let avoided = &mut self.job.avoided;
        let (kind, message, volume, detail) = match self.at {
            At::Block(message, volume, block) => {
                avoided.blocks.push((volume, block));
                let crashes = self.crashes_by_volume.entry(volume).or_default();
                *crashes += 1;
                if *crashes == MOST_OF_A_VOLUME {
                    avoided.volumes.push(volume);
                }
                (
                    DamageKind::Crash,
                    Some(message),
                    Some(volume),
                    block_crashed(volume, block),
                )
            }
            At::Message(message, volume) => {
                avoided.messages.push(message);
                (DamageKind::Crash, Some(message), Some(volume), message_crashed())
            }
            At::List if avoided.lists.iter().any(|(user, _)| *user == id) => {
                // Not even as far as it was readable; that is said already.
                self.job.first_user = id.next();
                return Ok(());
            }
            At::List => {
                avoided.lists.push((id, listed));
                (DamageKind::Catalog, None, None, list_crashed())
            }
            At::Opening => {
                return Err(Failure::new(
                    Exit::Store,
                    "opening the archive crashed; restore it from a backup",
                ));
            }
            At::Syncing => {
                return Err(Failure::new(
                    Exit::Errors,
                    "writing crashed; run the same command again to continue",
                ));
            }
        };
        let damage = Damage {
            kind,
            id: message,
            user: name,
            volume,
            detail,
        };
        self.name(damage, each);
        Ok(())
    }
}

/// Why the end of a process says nothing of the store, where it says nothing.
fn no_crash(how: &How) -> Option<String> {
    let How::Status(status) = how else { return None };
    let crashes = [
        Signal::SEGV,
        Signal::BUS,
        Signal::ABORT,
        Signal::ILL,
        Signal::FPE,
        Signal::TRAP,
    ];
    let crashed = status
        .signal()
        .is_some_and(|signal| crashes.iter().any(|crash| crash.as_raw() == signal));
    let is_crash = crashed || status.code() == Some(PANICKED);
    (!is_crash)
        .then(|| format!("the process that exports was killed ({status}); run the same command again to continue"))
}
