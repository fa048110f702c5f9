//! What is looked at, in which order, and how far it has come. Pure.
//!
//! A verification is a row of items in five phases, and an item a row of positions. So the process that reads can
//! be told where to go on after another one that did not live.

use std::ops::Range;

use serde::{Deserialize, Serialize};

pub use super::table::Table;
use super::{
    stretches::{Part, Portion, Sample, Stretches},
    table::{hexadecimal, take},
};
use crate::archive::rows::{Counters, MessageId, UserId};

/// Which part of the archive is verified. All of it by default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Selection {
    /// The messages of the user of this name.
    pub user: Option<String>,
    /// What lies in this volume.
    pub volume: Option<u32>,
    /// A random share.
    pub sample: Option<Sample>,
    /// What is due of a round.
    pub portion: Option<Portion>,
}

impl Selection {
    /// The share of what is otherwise selected, where it is not all of it.
    pub fn part(&self) -> Option<Part<'_>> {
        let portion = self.portion.as_ref().map(Part::Portion);
        portion.or(self.sample.as_ref().map(Part::Sample))
    }

    /// Whether all of the catalog's tables are looked at, be it in part.
    pub fn has_tables(&self) -> bool {
        self.user.is_none() && self.volume.is_none()
    }

    /// Whether they are as a whole, so that sums can be compared.
    pub fn has_all_tables(&self) -> bool {
        self.has_tables() && self.part().is_none()
    }

    /// Whether every block is read, and sealed volumes' files are.
    pub fn has_all_bytes(&self) -> bool {
        self.user.is_none() && self.part().is_none()
    }

    pub fn has_volume(&self, number: u32) -> bool {
        self.volume.is_none_or(|volume| volume == number)
    }
}

/// The work of a verification, planned once at its start. What an appliance adds later is left to the next time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// `None` where the catalog cannot be read.
    pub counters: Option<Counters>,
    /// The user selected.
    pub user: Option<UserId>,
    /// The volumes there are or should be.
    pub volumes: Vec<u32>,
    /// The first message, and the one behind the last.
    pub messages: Range<MessageId>,
    /// Messages that a worker takes on at a time.
    pub chunk: u64,
    /// What is looked at of the catalog's tables; `None` where it is all rows.
    pub stretches: Option<Stretches>,
    /// Raw bytes of mail that are about to be read.
    pub bytes: u64,
}

/// A stretch of the work that one worker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// Opening the store.
    Open,
    /// The catalog's file, and what must hold for it as a whole.
    Catalog,
    /// A volume's file.
    Volume(u32),
    Table(Table),
    /// What the tables of filings add up to.
    Sums,
    /// Messages from one id to before another: their rows and their bytes.
    Messages(MessageId, MessageId),
    /// Identities that do not come out even.
    Identities,
    /// The blocks of a volume, those that no message needed included.
    Blocks(u32),
}

/// How far an item has come: what is less than `from` is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The key from which on rows are still to be looked at.
    #[serde(with = "hexadecimal")]
    pub from: Vec<u8>,
    /// About how far apart keys are: by how much to go on where a row cannot be passed.
    pub gap: u128,
}

/// Bytes of a key that count as a number where one is skipped.
const PREFIX: usize = 16;

/// The beginning of a key as a number.
pub fn prefix(key: &[u8]) -> u128 {
    let mut beginning = [0; PREFIX];
    let length = key.len().min(PREFIX);
    beginning[..length].copy_from_slice(&key[..length]);
    u128::from_be_bytes(beginning)
}

impl Position {
    /// Behind what cannot be read, and next time twice as far; `None` where that is beyond the end.
    pub fn skip(&self) -> Option<Self> {
        let number = prefix(&self.from).checked_add(self.gap.max(1))?;
        let mut from = number.to_be_bytes().to_vec();
        // A key that is shorter and ends in zeros is not behind this.
        from.truncate(from.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1));
        let gap = self.gap.max(1).saturating_mul(2);
        Some(Self { from, gap })
    }

    /// Directly behind `key`.
    pub fn behind(&self, key: &[u8]) -> Self {
        Self {
            from: [key, &[0]].concat(),
            gap: self.gap,
        }
    }
}

/// Where the messages from this one on are still to be looked at.
pub fn at(id: MessageId) -> Position {
    Position {
        from: id.0.to_be_bytes().to_vec(),
        gap: 1,
    }
}

/// The message of such a position.
pub fn id_of(position: &Position) -> MessageId {
    let mut id = [0; 8];
    let length = position.from.len().min(8);
    id[..length].copy_from_slice(&position.from[..length]);
    MessageId(u64::from_be_bytes(id))
}

/// The items of a verification, by their numbers.
#[derive(Clone, Debug)]
pub struct Plan {
    files: Vec<Item>,
    tables: Vec<Item>,
    sums: Option<Item>,
    messages: Range<MessageId>,
    chunk: u64,
    rest: Vec<Item>,
}

impl Plan {
    pub fn new(extent: &Extent, selection: &Selection) -> Self {
        let readable = extent.counters.is_some();
        let volumes: Vec<u32> = extent
            .volumes
            .iter()
            .copied()
            .filter(|it| selection.has_volume(*it))
            .collect();
        let mut files = vec![Item::Open];
        files.extend(readable.then_some(Item::Catalog));
        files.extend(volumes.iter().map(|volume| Item::Volume(*volume)));
        let mut tables = Vec::new();
        let mut rest = Vec::new();
        if readable && selection.has_tables() {
            tables.extend(Table::ALL.map(Item::Table));
            rest.extend(selection.has_all_tables().then_some(Item::Identities));
            rest.push(Item::Table(Table::Parts));
        } else if readable && extent.user.is_some() {
            tables.push(Item::Table(Table::Filings));
        }
        if selection.has_all_bytes() {
            rest.extend(volumes.iter().map(|volume| Item::Blocks(*volume)));
        }
        Self {
            files,
            tables,
            sums: (readable && selection.has_all_tables()).then_some(Item::Sums),
            messages: extent.messages.clone(),
            chunk: extent.chunk.max(1),
            rest,
        }
    }

    fn chunks(&self) -> u64 {
        self.messages.end.since(self.messages.start).div_ceil(self.chunk)
    }

    /// The numbers of each phase's items. A phase is begun when the one before is done.
    pub fn phases(&self) -> [Range<u64>; 5] {
        let lengths = [
            self.files.len() as u64,
            self.tables.len() as u64,
            self.sums.is_some().into(),
            self.chunks(),
            self.rest.len() as u64,
        ];
        let mut from = 0;
        lengths.map(|length| {
            let phase = from..from + length;
            from = phase.end;
            phase
        })
    }

    /// Item `number`.
    pub fn item(&self, number: u64) -> Option<Item> {
        let phases = self.phases();
        let phase = phases.iter().position(|phase| phase.contains(&number))?;
        let at = number - phases[phase].start;
        match phase {
            0 => self.files.get(at as usize).copied(),
            1 => self.tables.get(at as usize).copied(),
            2 => self.sums,
            3 => {
                let from = self.messages.start.plus(at * self.chunk);
                Some(Item::Messages(from, self.messages.end.min(from.plus(self.chunk))))
            }
            _ => self.rest.get(at as usize).copied(),
        }
    }

    /// Where item `number` begins.
    pub fn start(&self, number: u64, extent: &Extent) -> Position {
        let from = match (self.item(number), extent.user) {
            (Some(Item::Messages(from, _)), _) => at(from).from,
            (Some(Item::Identities), _) => at(self.messages.start).from,
            (Some(Item::Table(Table::Filings)), Some(user)) => user.0.to_be_bytes().to_vec(),
            _ => Vec::new(),
        };
        let whole = |bytes: u32| 1 << (128 - 8 * bytes);
        let gap = match self.item(number) {
            Some(Item::Table(Table::Users | Table::Usage | Table::Sources | Table::Folders | Table::Volumes)) => {
                whole(4)
            }
            Some(Item::Table(Table::Runs | Table::Ledger | Table::Bytes | Table::Held)) | Some(Item::Blocks(_)) => {
                whole(8)
            }
            Some(Item::Table(Table::Filings)) => whole(12),
            // Digests: so many that there is a row in each of them.
            Some(Item::Table(Table::Identities | Table::Parts)) => whole(3),
            _ => 1,
        };
        Position { from, gap }
    }

    /// What item `number` looks at from a position on, in words.
    pub fn words(&self, number: u64, from: &[u8]) -> String {
        let beginning = from.iter().all(|byte| *byte == 0);
        match self.item(number) {
            None | Some(Item::Open) => "the catalog".into(),
            Some(Item::Catalog) => "the catalog's pages".into(),
            Some(Item::Volume(volume)) => format!("the volume {volume:06}"),
            Some(Item::Table(table)) if beginning => format!("the beginning of the catalog's table {}", table.name()),
            Some(Item::Table(table)) => format!("the catalog's table {} at {}", table.name(), table.key(from)),
            Some(Item::Sums) => "what the filings add up to".into(),
            Some(Item::Messages(..) | Item::Identities) => {
                format!("message {}", take::<MessageId>(from).unwrap_or_default())
            }
            Some(Item::Blocks(volume)) if beginning => format!("the first blocks of volume {volume:06}"),
            Some(Item::Blocks(volume)) => {
                let block = take::<u64>(from).unwrap_or_default();
                format!("the blocks of volume {volume:06} from number {block} on")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(messages: u64) -> Extent {
        Extent {
            counters: Some(Counters {
                message: MessageId(messages + 1),
                ..Counters::default()
            }),
            volumes: vec![1, 2],
            messages: MessageId(1)..MessageId(messages + 1),
            chunk: 100,
            ..Extent::default()
        }
    }

    #[test]
    fn every_message_is_in_one_item() {
        for messages in [0, 1, 99, 100, 101, 1000] {
            let plan = Plan::new(&extent(messages), &Selection::default());
            let [files, tables, sums, chunks, rest] = plan.phases();
            assert_eq!((files.start, files.end), (0, 4));
            assert_eq!((tables.end, sums.end), (sums.start, chunks.start));
            assert_eq!(plan.item(sums.start), Some(Item::Sums));
            let mut next = MessageId(1);
            for number in chunks.clone() {
                let Some(Item::Messages(from, to)) = plan.item(number) else {
                    panic!("item {number}")
                };
                assert_eq!(from, next);
                assert!(to > from && to.since(from) <= 100);
                next = to;
            }
            assert_eq!(next, MessageId(messages + 1));
            assert_eq!(plan.item(rest.end - 1), Some(Item::Blocks(2)));
            assert_eq!(plan.item(rest.end), None);
        }
    }

    #[test]
    fn what_cannot_be_passed_is_skipped_farther_and_farther() {
        let mut position = Position {
            from: vec![0, 0, 0, 5],
            gap: 1 << 96,
        };
        let mut users = Vec::new();
        for _ in 0..4 {
            position = position.skip().unwrap();
            users.push(position.from.clone());
        }
        assert_eq!(users, [[0, 0, 0, 6], [0, 0, 0, 8], [0, 0, 0, 12], [0, 0, 0, 20]]);
        let round = Position {
            from: vec![0, 0, 0, 0xff],
            gap: 1 << 96,
        }
        .skip()
        .unwrap();
        assert_eq!(round.from, [0, 0, 1], "user 256 is not skipped");
        let last = Position {
            from: vec![0xff; 32],
            gap: 1,
        };
        assert_eq!(last.skip(), None);
        let behind = last.behind(&[7]);
        assert!(behind.from[..] > [7][..] && behind.from[..] < [7, 1][..]);
    }

    #[test]
    fn positions_survive_the_way_to_another_process() {
        let position = Position {
            from: vec![0, 0xff, 0x7f],
            gap: u128::MAX,
        };
        let json = serde_json::to_string(&position).unwrap();
        assert_eq!(serde_json::from_str::<Position>(&json).unwrap(), position, "{json}");
    }
}
