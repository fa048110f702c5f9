//! What all of the work is done with, and why it does not go on.

use std::{
    collections::BTreeSet,
    io, slice,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use parking_lot::{Mutex, MutexGuard};

use super::{
    plan::{Extent, Plan, Table, at},
    stretches::{Edge, Spans, Stretch},
    totals::Totals,
    words::{At, Checked, Desk, Outlet, Request, Statement},
};
use crate::archive::{
    Retrieval, Store, StoreError,
    retrieval::Gate,
    rows::{IdentityNumber, MessageId, UserId},
    volumes::Volumes,
};

/// Why a process does not go on.
#[derive(Debug)]
pub enum Stop {
    /// Nobody listens any more.
    Gone(io::Error),
    Store(StoreError),
    /// The command was wrong.
    Usage(String),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Gone(error)
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What all of the work is done with.
pub struct Context<'c> {
    pub request: &'c Request,
    pub extent: &'c Extent,
    pub plan: &'c Plan,
    /// `None` where the catalog cannot be read.
    pub store: Option<&'c Store>,
    pub volumes: &'c Volumes,
    pub totals: &'c Mutex<Totals>,
    pub large: &'c Mutex<()>,
    /// The pages of the catalog's file lead to all that is in it.
    pub sound: AtomicBool,
}

impl Context<'_> {
    pub fn totals(&self) -> MutexGuard<'_, Totals> {
        self.totals.lock()
    }

    /// Whether a row that is found on the way through its table is found by its key, too.
    pub fn is_sound(&self) -> bool {
        self.sound.load(Ordering::Relaxed)
    }

    /// Which rows of a table are looked at.
    pub fn spans(&self, table: Table) -> Spans<'_> {
        static ALL: Stretch = Stretch {
            from: Edge(Vec::new()),
            to: None,
        };
        let stretches = self.extent.stretches.as_ref();
        Spans {
            stretches: stretches.map_or(slice::from_ref(&ALL), |stretches| {
                stretches.get(&table).map_or(&[], |stretches| &stretches[..])
            }),
            // Of a user all filings are looked at.
            is_part: self.request.selection.has_tables() && self.request.selection.part().is_some(),
        }
    }

    /// Whether what is said of a message is looked up where it lies at a random place: in a small sample only of some.
    pub fn follows(&self, id: MessageId) -> bool {
        let sample = &self.request.selection.sample;
        sample.as_ref().is_none_or(|sample| sample.follows(id))
    }

    /// Held by the one worker that reads a large message.
    pub fn large(&self) -> MutexGuard<'_, ()> {
        self.large.lock()
    }

    /// A user's name, for a damage; without one where it cannot be read, which is found elsewhere.
    pub fn name(&self, user: UserId) -> Option<String> {
        let store = self.store?;
        let user = store.reading(|txn| store.catalog.users.get(txn, &user)).ok()??;
        Some(user.name)
    }

    /// The names of those who have a message.
    pub fn users_of(&self, id: MessageId, identity: IdentityNumber) -> Option<String> {
        let store = self.store?;
        if let (Some(name), Some(_)) = (&self.request.selection.user, self.extent.user) {
            return Some(name.clone());
        }
        let held = store.reading(|txn| {
            let rows = store
                .catalog
                .held
                .range(txn, &((identity, UserId::MIN)..=(identity, UserId::MAX)))?;
            let users = rows.filter(|row| row.as_ref().map_or(true, |(_, held)| *held == id));
            users
                .map(|row| row.map(|((_, user), _)| user))
                .collect::<heed::Result<Vec<_>>>()
        });
        let names: Vec<_> = held.ok()?.into_iter().filter_map(|user| self.name(user)).collect();
        (!names.is_empty()).then(|| names.join(", "))
    }
}

/// What a worker reads messages with.
pub struct Reader<'r> {
    pub retrieval: Retrieval<'r>,
    here: &'r Here<'r>,
}

impl<'r> Reader<'r> {
    pub fn new(store: &'r Store, here: &'r Here<'r>) -> Self {
        Self {
            retrieval: Retrieval::checking(store, here),
            here,
        }
    }

    /// These blocks come next: the system begins to read them.
    pub fn announce(&self, blocks: &[(u32, u64)]) {
        for (volume, block) in blocks {
            if !self.here.refused.contains(&(*volume, *block)) {
                self.retrieval.announce(*volume, *block);
            }
        }
    }

    /// The messages from this one on come next.
    pub fn at(&self, desk: &Desk, id: MessageId) {
        self.here.item.store(desk.item, Ordering::Relaxed);
        self.here.id.store(id.0, Ordering::Relaxed);
        self.here.alone.store(desk.alone, Ordering::Relaxed);
    }
}

/// Where a worker is, to say which block comes next.
pub struct Here<'h> {
    outlet: &'h Outlet,
    refused: &'h BTreeSet<(u32, u64)>,
    item: AtomicU64,
    id: AtomicU64,
    alone: AtomicBool,
}

impl<'h> Here<'h> {
    pub fn new(context: &Context<'h>, outlet: &'h Outlet) -> Self {
        Self {
            outlet,
            refused: &context.request.refused_blocks,
            item: AtomicU64::new(0),
            id: AtomicU64::new(0),
            alone: AtomicBool::new(false),
        }
    }
}

impl Gate for Here<'_> {
    fn pass(&self, volume: u32, block: u64) -> Result<(), String> {
        if self.refused.contains(&(volume, block)) {
            return Err("reading it crashes the process that reads".into());
        }
        if !self.alone.load(Ordering::Relaxed) {
            return Ok(());
        }
        let here = At {
            item: self.item.load(Ordering::Relaxed),
            position: at(MessageId(self.id.load(Ordering::Relaxed))),
            alone: true,
            found: true,
            block: Some((volume, block)),
        };
        let said = self.outlet.say(&[Statement::At(here, Checked::default())]);
        said.map_err(|error| format!("the process that asked is gone: {error}"))
    }
}
