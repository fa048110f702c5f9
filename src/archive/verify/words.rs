//! What the process that supervises and the one that reads say to each other: JSON, a line each.

use std::{
    collections::BTreeSet,
    io::{self, Write},
    path::PathBuf,
};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::{
    damage::Damage,
    plan::{Extent, Position, Selection},
};
use crate::config::Config;

/// The work of one process, on its standard input.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    pub data_dir: PathBuf,
    /// As configured, in bytes.
    pub volume_size: u64,
    pub selection: Selection,
    /// Beside an appliance that has more urgent work.
    pub gently: bool,
    /// Bring the store to the present schema, and do nothing else.
    pub upgrade: bool,
    /// As the first process found it.
    pub extent: Option<Extent>,
    /// Opening the catalog ended a process.
    pub without_catalog: bool,
    /// Volumes whose opening ended a process.
    pub refused_volumes: BTreeSet<u32>,
    /// Volumes' blocks whose reading ended a process.
    pub refused_blocks: BTreeSet<(u32, u64)>,
    /// What was begun and not ended: step by step first, with nothing else at the same time.
    pub begun: Vec<Task>,
    /// The number of the first item that was not begun.
    pub next: u64,
    /// The pages of the catalog's file lead to all that is in it.
    pub sound: bool,
    /// No process has ended before its time, so that sums can be compared.
    pub whole: bool,
}

impl Request {
    /// The work of the first process.
    pub fn first(config: &Config, selection: &Selection) -> Self {
        Self {
            data_dir: config.data_dir.clone(),
            volume_size: config.archive.volume_size.0,
            selection: selection.clone(),
            gently: false,
            upgrade: false,
            extent: None,
            without_catalog: false,
            refused_volumes: BTreeSet::new(),
            refused_blocks: BTreeSet::new(),
            begun: Vec::new(),
            next: 0,
            sound: false,
            whole: true,
        }
    }
}

/// An item that is not done from a position on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    pub item: u64,
    pub position: Position,
}

/// Messages read back, and their bytes as they came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    pub messages: u64,
    pub bytes: u64,
}

/// What the reading process is about to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct At {
    pub item: u64,
    pub position: Position,
    /// Nothing else goes on at the same time, and this is a single row or message.
    pub alone: bool,
    /// The row at the position was found, and is about to be checked.
    pub found: bool,
    /// The volume and number of the block about to be read.
    pub block: Option<(u32, u64)>,
}

/// What the reading process says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Statement {
    Extent(Extent),
    /// What was said of the item before holds; this comes next of it.
    At(At, Checked),
    /// The item is done.
    End(u64, Checked),
    /// Holds when the item's next `At` or `End` comes.
    Damage(u64, Damage),
    /// The same for what is no damage.
    Note(u64, String),
    /// It lives.
    Alive,
    /// The pages of the catalog's file lead to all that is in it.
    Sound,
    /// The store is of an older schema.
    Older,
    /// Nothing can be verified; whether the command was wrong.
    Refused {
        usage: bool,
        error: String,
    },
    Done,
}

/// By which the reading process says something, one worker at a time.
pub struct Outlet {
    out: Mutex<Box<dyn Write + Send>>,
}

impl Outlet {
    pub fn new(out: impl Write + Send + 'static) -> Self {
        Self {
            out: Mutex::new(Box::new(out)),
        }
    }

    /// Says these together and at once.
    ///
    /// # Errors
    /// Nobody reads them any more.
    pub fn say(&self, statements: &[Statement]) -> io::Result<()> {
        let mut text = Vec::new();
        for statement in statements {
            serde_json::to_writer(&mut text, statement)?;
            text.push(b'\n');
        }
        let mut out = self.out.lock();
        out.write_all(&text)?;
        out.flush()
    }
}

/// Writes down what is found in one item, until it holds.
pub struct Desk<'l> {
    outlet: &'l Outlet,
    pub item: u64,
    /// Step by step, with nothing else at the same time.
    pub alone: bool,
    found: Vec<Statement>,
    pub checked: Checked,
}

impl<'l> Desk<'l> {
    pub fn new(outlet: &'l Outlet, item: u64, alone: bool) -> Self {
        Self {
            outlet,
            item,
            alone,
            found: Vec::new(),
            checked: Checked::default(),
        }
    }

    pub fn damage(&mut self, damage: Damage) {
        self.found.push(Statement::Damage(self.item, damage));
    }

    pub fn note(&mut self, note: String) {
        self.found.push(Statement::Note(self.item, note));
    }

    /// What was found until now holds, and this comes next.
    ///
    /// # Errors
    /// Nobody reads it any more.
    pub fn at(&mut self, position: &Position, found: bool) -> io::Result<()> {
        let at = At {
            item: self.item,
            position: position.clone(),
            alone: self.alone,
            found,
            block: None,
        };
        let statement = Statement::At(at, std::mem::take(&mut self.checked));
        self.say(statement)
    }

    /// The item is done.
    ///
    /// # Errors
    /// Nobody reads it any more.
    pub fn end(&mut self) -> io::Result<()> {
        let statement = Statement::End(self.item, std::mem::take(&mut self.checked));
        self.say(statement)
    }

    /// Says that the catalog's pages are sound.
    ///
    /// # Errors
    /// Nobody reads it any more.
    pub fn sound(&self) -> io::Result<()> {
        self.outlet.say(&[Statement::Sound])
    }

    /// Says that it goes on, though nothing is done yet.
    ///
    /// # Errors
    /// Nobody reads it any more.
    pub fn alive(&self) -> io::Result<()> {
        self.outlet.say(&[Statement::Alive])
    }

    fn say(&mut self, statement: Statement) -> io::Result<()> {
        let mut statements = std::mem::take(&mut self.found);
        statements.push(statement);
        self.outlet.say(&statements)
    }
}
