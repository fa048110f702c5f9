//! The process that reads. LMDB can end it at any moment, so it says what it is about to do, and holds nothing that
//! another one would need to go on.

use std::{
    collections::BTreeSet,
    io,
    num::NonZeroUsize,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use parking_lot::Mutex;

use super::damage::{Damage, Kind};
use super::{
    again, blocks,
    context::{Context, Here, Reader, Stop},
    files, messages,
    plan::{Extent, Item, Plan, Position, Selection, Table},
    stretches::{Chooser, Edge, Part, SECTION, Sample, Stretch, Stretches},
    tables, uneven,
    words::{Desk, Outlet, Request, Statement},
};
use crate::{
    archive::{
        Absent, Store, StoreError, disk, pages,
        rows::{MessageId, UserId},
        volumes::Volumes,
    },
    config::{ByteSize, Config},
    fault,
};

/// More threads find the disk busy.
const MOST_WORKERS: usize = 8;
/// Messages that a worker takes on at a time, at most and at least.
const CHUNK: (u64, u64) = (256, 4096);

/// Sections of a sample that a worker takes on at a time, at most.
const MOST_SECTIONS: f64 = 100_000.0;

/// What ioprio_set(2) takes for "only when nobody else wants the disk", of the process that calls it.
const IDLE: (libc::c_long, libc::c_long, libc::c_long) = (1, 0, 3 << 13);

/// Does the work of one process, and says on `out` how it goes.
///
/// # Errors
/// Nobody listens any more.
pub fn work(request: &Request, out: impl io::Write + Send + 'static) -> io::Result<()> {
    fault::point("verify-begun")?;
    if request.gently {
        stand_back();
    }
    let outlet = Outlet::new(out);
    let statement = match try_work(request, &outlet) {
        Ok(()) => Statement::Done,
        Err(Stop::Gone(error)) => return Err(error),
        Err(Stop::Store(StoreError::Older { .. })) => Statement::Older,
        Err(Stop::Store(error)) => Statement::Refused {
            usage: false,
            error: error.to_string(),
        },
        Err(Stop::Usage(error)) => Statement::Refused { usage: true, error },
    };
    outlet.say(&[statement])
}

/// Leaves the processor and the disk to others. Where that is forbidden, it works as others do.
fn stand_back() {
    let _ = rustix::process::nice(19);
    // SAFETY: it takes numbers, and concerns this process alone.
    #[cfg(target_os = "linux")]
    let _ = unsafe { libc::syscall(libc::SYS_ioprio_set, IDLE.0, IDLE.1, IDLE.2) };
}

fn config(request: &Request) -> Config {
    let mut config = Config {
        data_dir: request.data_dir.clone(),
        ..Config::default()
    };
    config.archive.volume_size = ByteSize(request.volume_size);
    config
}

fn try_work(request: &Request, outlet: &Outlet) -> Result<(), Stop> {
    let config = config(request);
    if request.upgrade {
        Store::open_or(&config, Absent::Refused)?;
        return Ok(());
    }
    let mut desk = Desk::new(outlet, 0, true);
    let start = Position {
        from: Vec::new(),
        gap: 1,
    };
    let store = if request.without_catalog {
        None
    } else {
        desk.at(&start, false)?;
        open(&config, &mut desk)?
    };
    let own;
    let volumes = match &store {
        Some(store) => &store.volumes,
        None => {
            own = Volumes::for_reading(config.data_dir.join(disk::VOLUMES), request.volume_size, None);
            &own
        }
    };
    volumes.refuse(request.refused_volumes.clone());
    let extent = match &request.extent {
        Some(extent) => extent.clone(),
        None => {
            let extent = match survey(store.as_ref(), volumes, &request.selection) {
                // As good as a catalog that cannot be opened: what the volumes hold is still read.
                Err(Stop::Store(error @ StoreError::Damaged { .. })) => {
                    desk.damage(Damage::new(Kind::Catalog, error.to_string()));
                    survey(None, volumes, &request.selection)?
                }
                surveyed => surveyed?,
            };
            outlet.say(&[Statement::Extent(extent.clone())])?;
            extent
        }
    };
    desk.end()?;
    if let (Some(_), None, false) = (&extent.counters, &store, request.without_catalog) {
        return Err(StoreError::Damaged {
            detail: "the catalog could be opened, but cannot be any more".into(),
        }
        .into());
    }
    let plan = Plan::new(&extent, &request.selection);
    let context = Context {
        request,
        extent: &extent,
        plan: &plan,
        store: store.as_ref().filter(|_| extent.counters.is_some()),
        volumes,
        totals: &Mutex::default(),
        large: &Mutex::default(),
        sound: AtomicBool::new(request.sound),
    };
    go_through(&context, outlet)
}

/// Opens the store; `None` where that is a damage, which is noted.
fn open(config: &Config, desk: &mut Desk) -> Result<Option<Store>, Stop> {
    match Store::open_for_reading(config) {
        Ok(store) => {
            // What readers left who were ended keeps pages from being used again.
            store.forget_dead_readers()?;
            Ok(Some(store))
        }
        Err(
            error @ (StoreError::Older { .. }
            | StoreError::None { .. }
            | StoreError::NotMade { .. }
            | StoreError::Network { .. }),
        ) => Err(error.into()),
        Err(error) => {
            desk.damage(Damage::new(Kind::Catalog, error.to_string()));
            Ok(None)
        }
    }
}

/// The plan of a verification.
fn survey(store: Option<&Store>, volumes: &Volumes, selection: &Selection) -> Result<Extent, Stop> {
    let mut known: BTreeSet<u32> = volumes.numbers()?.into_iter().collect();
    let Some(store) = store else {
        return Ok(Extent {
            volumes: known.into_iter().collect(),
            messages: MessageId(1)..MessageId(1),
            chunk: CHUNK.0,
            ..Extent::default()
        });
    };
    let counters = store.reading(|txn| store.catalog.counters(txn))?;
    known.extend(1..=counters.volume);
    if let Some(volume) = selection.volume.filter(|volume| !known.contains(volume)) {
        return Err(Stop::Usage(format!(
            "there is no volume {volume}; see {}",
            volumes.path().display()
        )));
    }
    let mut bytes = counters.raw_bytes;
    let mut user = None;
    if let Some(name) = &selection.user {
        let users = store.users()?;
        let named = users.into_iter().filter(|(_, user, _)| user.name == *name);
        let Some((id, _, usage)) = named.min_by_key(|(id, user, _)| (user.retired, *id)) else {
            return Err(Stop::Usage(format!(
                "there is no user {name:?}; `dropkeep users` lists all"
            )));
        };
        user = Some(id);
        bytes = usage.bytes;
    }
    let first = MessageId(1);
    let mut messages = first..counters.message.max(first);
    let mut chunk = (counters.message.0 / (16 * workers() as u64)).clamp(CHUNK.0, CHUNK.1);
    let mut stretches = user.map(of_user);
    if let Some(part) = selection.part() {
        let share = match part {
            Part::Sample(sample) => {
                chunk = SECTION * sections(sample, messages.end.since(first));
                sample.share
            }
            Part::Portion(portion) => {
                let all = messages.end.since(first);
                messages.start = portion.reached.message.clamp(first, messages.end);
                let left = messages.end.since(messages.start);
                let tonight = left.div_ceil(portion.nights.max(1));
                messages.end = messages.start.plus(tonight);
                tonight as f64 / all.max(1) as f64
            }
        };
        bytes = (bytes as f64 * share) as u64;
        if selection.has_tables() {
            stretches = Some(choose(store, part)?);
        }
    }
    Ok(Extent {
        user,
        volumes: known.into_iter().collect(),
        messages,
        chunk,
        stretches,
        bytes,
        counters: Some(counters),
    })
}

/// How many sections a worker takes on at a time: the more messages of the sample are in them, the more of their identities
/// are near each other.
fn sections(sample: &Sample, messages: u64) -> u64 {
    let of_each = (messages / SECTION).div_ceil(workers() as u64);
    let most = messages::WAITING as f64 / (SECTION as f64 * sample.share);
    of_each.clamp(1, most.clamp(1.0, MOST_SECTIONS) as u64)
}

/// The filings of a user.
fn of_user(user: UserId) -> Stretches {
    let edge = |UserId(user)| Edge(user.to_be_bytes().to_vec());
    let filings = Stretch {
        from: edge(user),
        to: (user < UserId::MAX).then(|| edge(user.next())),
    };
    Stretches::from([(Table::Filings, vec![filings])])
}

/// The stretches of the tables that belong to a part, as the tables are now.
fn choose(store: &Store, part: Part) -> Result<Stretches, StoreError> {
    let file = store.catalog.path().join(disk::DATA_FILE);
    // What is wrong with a page is said where the file is looked at.
    let look = |txnid| {
        let mut chooser = Chooser::new(part);
        pages::branches(&file, txnid, &mut |tree, from| chooser.count(tree, from))?;
        let mut choosing = chooser.choose();
        pages::branches(&file, txnid, &mut |tree, from| choosing.leaf(tree, from))?;
        Ok(choosing.stretches)
    };
    files::readable(&file, files::in_snapshot(&|| store.catalog.read(), &look)?)
}

fn workers() -> usize {
    thread::available_parallelism()
        .map_or(1, NonZeroUsize::get)
        .min(MOST_WORKERS)
}

/// An item, and where it is to be gone on with; from its beginning where it was not begun.
type Next = (u64, Option<Position>);

fn go_through(context: &Context, outlet: &Outlet) -> Result<(), Stop> {
    // First alone what a process did not survive, to see what it was.
    let mut begun: Vec<Next> = Vec::new();
    for task in &context.request.begun {
        let here = Here::new(context, outlet);
        let mut worker = Worker::new(context, outlet, &here);
        if let Some(position) = worker.item(task.item, Some(task.position.clone()), true)? {
            begun.push((task.item, Some(position)));
        }
    }
    begun.reverse();
    for phase in context.plan.phases() {
        let (now, later) = begun.into_iter().partition(|(item, _)| phase.contains(item));
        begun = later;
        let next = phase.start.max(context.request.next)..phase.end;
        let queue = Mutex::new(Queue { begun: now, next });
        in_parallel(context, outlet, &queue)?;
    }
    if context.request.whole {
        let mut desk = Desk::new(outlet, 0, false);
        context
            .totals()
            .compare(context.extent, &context.request.selection, &mut desk);
        desk.end()?;
    }
    Ok(())
}

/// The items of a phase that nobody has taken yet.
struct Queue {
    begun: Vec<Next>,
    next: std::ops::Range<u64>,
}

impl Iterator for Queue {
    type Item = Next;

    fn next(&mut self) -> Option<Next> {
        self.begun.pop().or_else(|| self.next.next().map(|item| (item, None)))
    }
}

fn in_parallel(context: &Context, outlet: &Outlet, queue: &Mutex<Queue>) -> Result<(), Stop> {
    let items = {
        let queue = queue.lock();
        queue.begun.len() as u64 + (queue.next.end.saturating_sub(queue.next.start))
    };
    let stopped = AtomicBool::new(false);
    let take = || queue.lock().next();
    let work = || {
        let here = Here::new(context, outlet);
        let mut worker = Worker::new(context, outlet, &here);
        while !stopped.load(Ordering::Relaxed)
            && let Some((item, position)) = take()
        {
            let done = worker.item(item, position, false);
            if let Err(stop) = done {
                stopped.store(true, Ordering::Relaxed);
                return Err(stop);
            }
        }
        Ok(())
    };
    let most = if context.request.gently { 1 } else { workers() };
    let threads = items.min(most as u64);
    if threads <= 1 {
        return work();
    }
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut result = work();
        for other in others {
            match other.join() {
                Ok(done) => result = result.and(done),
                // Its end is this process's, as any other crash.
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        result
    })
}

struct Worker<'w> {
    context: &'w Context<'w>,
    outlet: &'w Outlet,
    here: &'w Here<'w>,
    reader: Option<Reader<'w>>,
}

impl<'w> Worker<'w> {
    fn new(context: &'w Context<'w>, outlet: &'w Outlet, here: &'w Here<'w>) -> Self {
        Self {
            context,
            outlet,
            here,
            reader: None,
        }
    }

    /// Works on an item to its end; alone, for a while, and answers where it is to be gone on with.
    fn item(&mut self, number: u64, position: Option<Position>, alone: bool) -> Result<Option<Position>, Stop> {
        let context = self.context;
        let position = position.unwrap_or_else(|| context.plan.start(number, context.extent));
        let mut desk = Desk::new(self.outlet, number, alone);
        match (context.plan.item(number), context.store) {
            (Some(Item::Catalog), Some(_)) => files::catalog(context, &mut desk).map(|()| None),
            (Some(Item::Volume(volume)), _) => files::volume(context, volume, &mut desk).map(|()| None),
            (Some(Item::Table(table)), Some(store)) => {
                tables::table(context, &store.catalog, table, &mut desk, position)
            }
            (Some(Item::Sums), Some(store)) => uneven::compare(context, &store.catalog, &mut desk).map(|()| None),
            (Some(Item::Messages(_, to)), Some(store)) => {
                let reader = self.reader.get_or_insert_with(|| Reader::new(store, self.here));
                messages::messages(context, reader, &mut desk, position, to)
            }
            (Some(Item::Identities), Some(store)) => {
                let reader = self.reader.get_or_insert_with(|| Reader::new(store, self.here));
                again::compare(context, reader, &mut desk, position)
            }
            (Some(Item::Blocks(volume)), _) => blocks::blocks(context, volume, &mut desk, position),
            _ => {
                desk.end()?;
                Ok(None)
            }
        }
    }
}
