//! What is looked at, in which order, and how far it has come. Pure.
//!
//! A verification is a row of items in four phases, and an item a row of positions. So the process that reads can
//! be told where to go on after another one that did not live.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::archive::{
    Seconds,
    codec::KeyPart,
    lists,
    rows::{CopyKey, Counters, FolderNumber, IdentityNumber, MessageId, SourceNumber, UserId},
};

/// Which part of the archive is verified. All of it by default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Selection {
    /// The messages of the user of this name.
    pub user: Option<String>,
    /// What lies in this volume.
    pub volume: Option<u32>,
    /// A share of the messages.
    pub sample: Option<Sample>,
}

/// A random share of messages.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Between 0 and 1.
    pub share: f64,
    /// Whoever gives the same one gets the same messages.
    pub seed: u64,
}

impl Sample {
    /// Whether message `id` is in it.
    pub fn has(&self, id: MessageId) -> bool {
        let mut key = [0; 16];
        key[..8].copy_from_slice(&self.seed.to_le_bytes());
        key[8..].copy_from_slice(&id.0.to_le_bytes());
        let mut head = [0; 8];
        head.copy_from_slice(&blake3::hash(&key).as_bytes()[..8]);
        (u64::from_le_bytes(head) as f64) < self.share * 2f64.powi(64)
    }
}

impl Selection {
    /// Whether the catalog's tables are looked at as a whole.
    pub fn has_all_tables(&self) -> bool {
        self.user.is_none() && self.volume.is_none()
    }

    /// Whether every block is read, and sealed volumes' files are.
    pub fn has_all_bytes(&self) -> bool {
        self.user.is_none() && self.sample.is_none()
    }

    pub fn has_volume(&self, number: u32) -> bool {
        self.volume.is_none_or(|volume| volume == number)
    }
}

/// The work of a verification, planned once at its start. What an appliance adds later is left to the next time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// `None` where the catalog cannot be read.
    pub counters: Option<Counters>,
    /// The user selected.
    pub user: Option<UserId>,
    /// The volumes there are or should be.
    pub volumes: Vec<u32>,
    /// Messages that a worker takes on at a time.
    pub chunk: u64,
    /// Raw bytes of mail that are about to be read.
    pub bytes: u64,
}

/// A table of the catalog that is read from one end to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Table {
    Users,
    Usage,
    Sources,
    Folders,
    Volumes,
    Runs,
    Identities,
    Bytes,
    Held,
    Filings,
    Journals,
    Unclaimed,
    Copies,
    Sightings,
    Ledger,
    Lists,
    Parts,
}

impl Table {
    /// In an order in which the long ones are begun first.
    const ALL: [Self; 16] = [
        Self::Ledger,
        Self::Filings,
        Self::Held,
        Self::Journals,
        Self::Unclaimed,
        Self::Copies,
        Self::Bytes,
        Self::Identities,
        Self::Lists,
        Self::Users,
        Self::Usage,
        Self::Sources,
        Self::Folders,
        Self::Sightings,
        Self::Volumes,
        Self::Runs,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Usage => "usage",
            Self::Sources => "sources",
            Self::Folders => "folders",
            Self::Volumes => "volumes",
            Self::Runs => "runs",
            Self::Identities => "identities",
            Self::Bytes => "bytes",
            Self::Held => "held",
            Self::Filings => "filings",
            Self::Journals => "journals",
            Self::Unclaimed => "unclaimed",
            Self::Copies => "copies",
            Self::Sightings => "sightings",
            Self::Ledger => "ledger",
            Self::Lists => "lists",
            Self::Parts => "parts",
        }
    }

    /// A key in words.
    pub fn key(self, key: &[u8]) -> String {
        let words = match self {
            Self::Users | Self::Usage => take(key).map(|user: UserId| format!("user {user}")),
            Self::Sources | Self::Folders | Self::Volumes => take(key).map(|number: u32| number.to_string()),
            Self::Runs | Self::Ledger => take(key).map(|number: u64| number.to_string()),
            Self::Lists => take(key).map(lists::words),
            Self::Bytes => take(key).map(|identity: IdentityNumber| format!("identity number {identity}")),
            Self::Held => take(key)
                .map(|(identity, user): (IdentityNumber, UserId)| format!("identity number {identity}, user {user}")),
            Self::Filings => take(key).map(|(user, date, id): (UserId, Seconds, MessageId)| {
                format!("user {user}, date {date}, message {id}")
            }),
            Self::Journals => {
                take(key).map(|(id, report): (MessageId, MessageId)| format!("message {id}, report {report}"))
            }
            Self::Unclaimed => take(key).map(|(id, _): (MessageId, [u8; 16])| format!("message {id}")),
            Self::Sightings => take(key)
                .map(|(source, folder): (SourceNumber, FolderNumber)| format!("source {source}, folder {folder}")),
            Self::Copies if key.len() == 16 || key.len() == 36 => take(key).map(|key: CopyKey| format!("{key:?}")),
            Self::Identities | Self::Parts | Self::Copies => None,
        };
        words.unwrap_or_else(|| key.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

fn take<T: KeyPart>(mut key: &[u8]) -> Option<T> {
    T::take(&mut key)
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
    /// Messages from one id to before another: their rows and their bytes.
    Messages(MessageId, MessageId),
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
    /// The first message, and the one behind the last.
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
        if readable && selection.has_all_tables() {
            tables.extend(Table::ALL.map(Item::Table));
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
            messages: MessageId(1)
                ..extent
                    .counters
                    .as_ref()
                    .map_or(MessageId(1), |counters| counters.message.max(MessageId(1))),
            chunk: extent.chunk.max(1),
            rest,
        }
    }

    fn chunks(&self) -> u64 {
        self.messages.end.since(self.messages.start).div_ceil(self.chunk)
    }

    /// The numbers of each phase's items. A phase is begun when the one before is done.
    pub fn phases(&self) -> [Range<u64>; 4] {
        let lengths = [
            self.files.len() as u64,
            self.tables.len() as u64,
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
            2 => {
                let from = self.messages.start.plus(at * self.chunk);
                Some(Item::Messages(from, self.messages.end.min(from.plus(self.chunk))))
            }
            _ => self.rest.get(at as usize).copied(),
        }
    }

    /// Where item `number` begins.
    pub fn start(&self, number: u64, extent: &Extent) -> Position {
        let from = match (self.item(number), extent.user) {
            (Some(Item::Messages(from, _)), _) => from.0.to_be_bytes().to_vec(),
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
            Some(Item::Messages(..)) => format!("message {}", take::<MessageId>(from).unwrap_or_default()),
            Some(Item::Blocks(volume)) if beginning => format!("the first blocks of volume {volume:06}"),
            Some(Item::Blocks(volume)) => {
                let block = take::<u64>(from).unwrap_or_default();
                format!("the blocks of volume {volume:06} from number {block} on")
            }
        }
    }
}

/// Bytes as text.
mod hexadecimal {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        serializer.serialize_str(&text)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits: Vec<_> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
        if digits.len() != text.len() || !digits.len().is_multiple_of(2) {
            return Err(D::Error::custom("not hexadecimal"));
        }
        Ok(digits
            .chunks_exact(2)
            .map(|pair| (pair[0] << 4 | pair[1]) as u8)
            .collect())
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
            user: None,
            volumes: vec![1, 2],
            chunk: 100,
            bytes: 0,
        }
    }

    #[test]
    fn every_message_is_in_one_item() {
        for messages in [0, 1, 99, 100, 101, 1000] {
            let plan = Plan::new(&extent(messages), &Selection::default());
            let [files, tables, chunks, rest] = plan.phases();
            assert_eq!((files.start, files.end), (0, 4));
            assert_eq!(tables.end, chunks.start);
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

    #[test]
    fn a_sample_is_about_its_share_and_the_same_again() {
        let sample = Sample { share: 0.05, seed: 7 };
        let count = (0..10_000).filter(|id| sample.has(MessageId(*id))).count();
        assert!((350..650).contains(&count), "{count}");
        assert!((0..1000).all(|id| Sample { share: 1.0, seed: 7 }.has(MessageId(id))));
        assert!(!(0..1000).any(|id| Sample { share: 0.0, seed: 7 }.has(MessageId(id))));
    }
}
