//! What the reading processes have found so far, how far they have come, and over what they ended. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Event, Outcome, VerifyError,
    damage::{Damage, Kind},
    plan::{self, Extent, Item, Plan, Position, Selection},
    stretches::Reached,
    words::{At, Checked, Request, Statement, Task},
};
use crate::archive::rows::MessageId;

/// Processes that may end before their time before it is given up.
const MOST_DEATHS: u32 = 1000;

/// What comes after a process that ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    Again,
    GiveUp,
}

pub struct Logbook {
    selection: Selection,
    extent: Option<(Extent, Plan)>,
    /// Items that were begun and not ended, and where they are.
    begun: BTreeMap<u64, At>,
    /// What was said of an item and does not hold yet.
    pending: BTreeMap<u64, Vec<Statement>>,
    /// The item that the present process does alone.
    alone: Option<u64>,
    next: u64,
    deaths: u32,
    /// Where the last death was passed: another one there is the same damage.
    passed: Option<(u64, Position)>,
    without_catalog: bool,
    refused_volumes: BTreeSet<u32>,
    refused_blocks: BTreeSet<(u32, u64)>,
    checked: Checked,
    damages: u64,
    sound: bool,
    older: bool,
    done: bool,
    refusal: Option<VerifyError>,
}

impl Logbook {
    pub fn new(selection: Selection) -> Self {
        Self {
            selection,
            extent: None,
            begun: BTreeMap::new(),
            pending: BTreeMap::new(),
            alone: None,
            next: 0,
            deaths: 0,
            passed: None,
            without_catalog: false,
            refused_volumes: BTreeSet::new(),
            refused_blocks: BTreeSet::new(),
            checked: Checked::default(),
            damages: 0,
            sound: false,
            older: false,
            done: false,
            refusal: None,
        }
    }

    pub fn is_older(&self) -> bool {
        self.older
    }

    pub fn is_done(&self) -> bool {
        self.done
    }

    pub fn refusal(&mut self) -> Option<VerifyError> {
        self.refusal.take()
    }

    /// How far a round has come with this.
    pub fn reached(&self) -> Reached {
        let stretches = self
            .extent
            .as_ref()
            .and_then(|(extent, _)| Some((extent, extent.stretches.as_ref()?)));
        stretches.map_or_else(Reached::default, |(extent, stretches)| {
            Reached::behind(extent.messages.end, stretches)
        })
    }

    pub fn outcome(&self) -> Outcome {
        Outcome {
            ok: self.damages == 0,
            messages: self.checked.messages,
            bytes: self.checked.bytes,
            damages: self.damages,
        }
    }

    /// Writes down a statement.
    pub fn take(&mut self, statement: Statement, each: &mut dyn FnMut(Event)) {
        match statement {
            Statement::Extent(extent) => self.set_extent(extent),
            Statement::At(at, checked) => {
                self.hold(at.item, checked, each);
                self.next = self.next.max(at.item + 1);
                self.alone = at.alone.then_some(at.item);
                self.begun.insert(at.item, at);
            }
            Statement::End(item, checked) => {
                self.hold(item, checked, each);
                self.next = self.next.max(item + 1);
                self.begun.remove(&item);
                self.alone = None;
            }
            Statement::Damage(item, _) | Statement::Note(item, _) => {
                self.pending.entry(item).or_default().push(statement)
            }
            Statement::Alive => {}
            Statement::Sound => self.sound = true,
            Statement::Older => self.older = true,
            Statement::Refused { usage: true, error } => self.refusal = Some(VerifyError::Usage(error)),
            Statement::Refused { usage: false, error } => self.refusal = Some(VerifyError::Store(error)),
            Statement::Done => self.done = true,
        }
    }

    fn set_extent(&mut self, extent: Extent) {
        self.without_catalog |= extent.counters.is_none();
        let plan = Plan::new(&extent, &self.selection);
        self.extent = Some((extent, plan));
    }

    /// What was said of an item holds.
    fn hold(&mut self, item: u64, checked: Checked, each: &mut dyn FnMut(Event)) {
        for statement in self.pending.remove(&item).unwrap_or_default() {
            match statement {
                Statement::Damage(_, damage) => self.damage(damage, each),
                Statement::Note(_, note) => each(Event::Note(note)),
                _ => {}
            }
        }
        self.checked.messages += checked.messages;
        self.checked.bytes += checked.bytes;
        if let Some((extent, plan)) = &self.extent {
            let doing = match plan.item(item) {
                Some(Item::Messages(..) | Item::Identities) => "messages",
                Some(Item::Table(_) | Item::Sums) => "the catalog",
                Some(Item::Blocks(_)) => "blocks",
                _ => "files",
            };
            each(Event::Progress {
                bytes: self.checked.bytes,
                of: extent.bytes,
                doing,
            });
        }
    }

    fn damage(&mut self, damage: Damage, each: &mut dyn FnMut(Event)) {
        self.damages += 1;
        each(Event::Damage(damage));
    }

    /// A process ended before its time, as `how` says in words that go on behind what it did.
    pub fn died(&mut self, how: &str, each: &mut dyn FnMut(Event)) -> Next {
        self.deaths += 1;
        self.pending.clear();
        self.done = false;
        let culprit = self.alone.take().and_then(|item| self.begun.get(&item).cloned());
        match culprit {
            Some(at) => self.blame(at, how, each),
            // All that went on at the same time is done again, one after the other.
            None if !self.begun.is_empty() => {}
            None => {
                let detail = format!("reading the archive {how}, between two checks");
                self.damage(Damage::new(Kind::Crash, detail), each);
                return Next::GiveUp;
            }
        }
        if self.deaths >= MOST_DEATHS {
            self.give_up(each);
            return Next::GiveUp;
        }
        Next::Again
    }

    /// Writes down over what a process ended, and goes on behind it.
    fn blame(&mut self, at: At, how: &str, each: &mut dyn FnMut(Event)) {
        let item = at.item;
        let known = self.extent.as_ref().map(|(_, plan)| plan);
        let kind = known.and_then(|plan| plan.item(item));
        let what = known.map_or_else(|| "the catalog".into(), |plan| plan.words(item, &at.position.from));
        let crash = |detail: String| Damage::new(Kind::Crash, detail);
        match kind {
            None | Some(Item::Open) => {
                self.damage(crash(format!("opening the catalog {how}")), each);
                self.without_catalog = true;
                self.extent = None;
                self.begun.clear();
                self.next = 0;
            }
            Some(Item::Catalog | Item::Sums) => {
                self.damage(crash(format!("reading {what} {how}")), each);
                self.begun.remove(&item);
            }
            Some(Item::Volume(volume)) => {
                self.damage(crash(format!("opening {what} {how}")).volume(volume), each);
                if !self.refused_volumes.insert(volume) {
                    self.begun.remove(&item);
                }
            }
            Some(kind @ (Item::Messages(..) | Item::Identities)) => match at.block {
                // The message is done again: now it is known that its block cannot be read.
                Some((volume, block)) if self.refused_blocks.insert((volume, block)) => {
                    let detail = format!("reading block {block} of volume {volume:06} {how}");
                    self.damage(crash(detail).volume(volume), each);
                }
                _ => {
                    let id = plan::id_of(&at.position);
                    let to = match (kind, &self.extent) {
                        (Item::Messages(_, to), _) => to,
                        (_, Some((extent, _))) => extent.messages.end,
                        (_, None) => MessageId::MIN,
                    };
                    self.damage(crash(format!("reading {what} {how}")).message(id), each);
                    self.go_on(at, (id.next() < to).then(|| plan::at(id.next())));
                }
            },
            Some(Item::Table(_) | Item::Blocks(_)) => {
                let mut damage = crash(format!("reading {what} {how}"));
                if let Some(Item::Blocks(volume)) = kind {
                    damage = damage.volume(volume);
                }
                if at.found {
                    self.damage(damage, each);
                    let behind = at.position.behind(&at.position.from);
                    self.go_on(at, Some(behind));
                } else {
                    if self.passed.as_ref() != Some(&(item, at.position.clone())) {
                        self.damage(damage, each);
                    }
                    let behind = at.position.skip();
                    self.passed = behind.clone().map(|behind| (item, behind));
                    self.go_on(at, behind);
                }
            }
        }
    }

    fn go_on(&mut self, at: At, behind: Option<Position>) {
        match behind {
            Some(position) => {
                let item = at.item;
                self.begun.insert(item, At { position, ..at });
            }
            None => {
                self.begun.remove(&at.item);
            }
        }
    }

    fn give_up(&mut self, each: &mut dyn FnMut(Event)) {
        let mut left: Vec<String> = Vec::new();
        if let Some((_, plan)) = &self.extent {
            left.extend(self.begun.values().map(|at| plan.words(at.item, &at.position.from)));
            let end = plan.phases().map(|phase| phase.end)[4];
            if self.next < end {
                left.push(format!("{} more of {end} parts of the work", end - self.next));
            }
        }
        let detail = format!("gave up after {MOST_DEATHS} crashes; not checked: {}", left.join("; "));
        self.damage(Damage::new(Kind::Unchecked, detail), each);
    }

    /// What the next process is to do.
    pub fn fill(&self, request: &mut Request) {
        request.extent = self.extent.as_ref().map(|(extent, _)| extent.clone());
        request.without_catalog = self.without_catalog;
        request.refused_volumes = self.refused_volumes.clone();
        request.refused_blocks = self.refused_blocks.clone();
        request.begun = self
            .begun
            .values()
            .filter(|at| at.item > 0)
            .map(|at| Task {
                item: at.item,
                position: at.position.clone(),
            })
            .collect();
        request.next = self.next;
        request.sound = self.sound;
        request.whole = self.deaths == 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{rows::Counters, verify::plan::Table};

    const HOW: &str = "crashed the process that reads the archive (SIGSEGV)";

    /// A logbook over 1000 messages, and what it has said.
    struct Bench {
        logbook: Logbook,
        damages: Vec<Damage>,
    }

    impl Bench {
        fn new() -> Self {
            let extent = Extent {
                counters: Some(Counters {
                    message: MessageId(1001),
                    ..Counters::default()
                }),
                volumes: vec![1],
                messages: MessageId(1)..MessageId(1001),
                chunk: 100,
                ..Extent::default()
            };
            let mut bench = Self {
                logbook: Logbook::new(Selection::default()),
                damages: Vec::new(),
            };
            bench.take(Statement::Extent(extent));
            bench
        }

        fn take(&mut self, statement: Statement) {
            let damages = &mut self.damages;
            self.logbook.take(statement, &mut |event| {
                if let Event::Damage(damage) = event {
                    damages.push(damage);
                }
            });
        }

        fn at(&mut self, at: At) {
            self.take(Statement::At(at, Checked { messages: 1, bytes: 10 }));
        }

        fn died(&mut self) -> Next {
            let damages = &mut self.damages;
            self.logbook.died(HOW, &mut |event| {
                if let Event::Damage(damage) = event {
                    damages.push(damage);
                }
            })
        }

        fn request(&self) -> Request {
            let mut request = Request::first(&crate::config::Config::default(), &Selection::default());
            self.logbook.fill(&mut request);
            request
        }

        fn item(&self, wanted: impl Fn(Item) -> bool) -> u64 {
            let (_, plan) = self.logbook.extent.as_ref().unwrap();
            (0..).find(|number| plan.item(*number).is_some_and(&wanted)).unwrap()
        }
    }

    fn at(item: u64, position: Position, alone: bool) -> At {
        At {
            item,
            position,
            alone,
            found: false,
            block: None,
        }
    }

    #[test]
    fn what_went_on_when_a_process_died_is_done_again_alone() {
        let mut bench = Bench::new();
        let first = bench.item(|item| matches!(item, Item::Messages(MessageId(1), _)));
        bench.at(at(first, plan::at(MessageId(1)), false));
        bench.at(at(first + 1, plan::at(MessageId(101)), false));
        bench.take(Statement::Damage(first, Damage::new(Kind::Message, "not yet")));
        bench.at(at(first + 1, plan::at(MessageId(150)), false));
        assert_eq!(bench.died(), Next::Again);
        assert_eq!(bench.damages, [], "what an item said and did not finish is said again");
        let request = bench.request();
        let begun: Vec<_> = request
            .begun
            .iter()
            .map(|task| (task.item, plan::id_of(&task.position)))
            .collect();
        assert_eq!(begun, [(first, MessageId(1)), (first + 1, MessageId(150))]);
        assert_eq!((request.next, request.whole), (first + 2, false));

        // Alone, the first message passes and the second kills.
        let alone = |id, block| At {
            found: true,
            block,
            ..at(first, plan::at(id), true)
        };
        bench.at(alone(MessageId(1), None));
        bench.at(alone(MessageId(2), None));
        assert_eq!(bench.died(), Next::Again);
        assert_eq!(
            (bench.damages.len(), bench.damages[0].kind, bench.damages[0].id),
            (1, Kind::Crash, Some(MessageId(2)))
        );
        assert!(bench.damages[0].detail.contains("SIGSEGV"));
        assert_eq!(plan::id_of(&bench.request().begun[0].position), MessageId(3));

        // A block that kills is noted, and its message done again without it.
        bench.at(alone(MessageId(3), Some((1, 77))));
        assert_eq!(bench.died(), Next::Again);
        assert_eq!((bench.damages.len(), bench.damages[1].volume), (2, Some(1)));
        assert!(bench.damages[1].detail.contains("block 77"));
        let request = bench.request();
        assert_eq!(request.refused_blocks, BTreeSet::from([(1, 77)]));
        assert_eq!(plan::id_of(&request.begun[0].position), MessageId(3));
        assert_eq!(bench.logbook.outcome().messages, 6, "each statement stood for one");
    }

    #[test]
    fn rows_that_cannot_be_passed_are_one_damage() {
        let mut bench = Bench::new();
        let table = bench.item(|item| item == Item::Table(Table::Held));
        let start = Position {
            from: vec![0, 0, 0, 0, 0, 0, 0, 9],
            gap: 1 << 64,
        };
        bench.at(at(table, start, true));
        for _ in 0..5 {
            assert_eq!(bench.died(), Next::Again);
            let position = bench.request().begun[0].position.clone();
            bench.at(at(table, position, true));
        }
        assert_eq!(bench.damages.len(), 1, "{:?}", bench.damages);
        assert_eq!(bench.request().begun[0].position.from, [0, 0, 0, 0, 0, 0, 0, 9 + 31]);
        // A row that is there, and cannot be checked, is another one.
        let row = At {
            found: true,
            ..at(table, plan::at(MessageId(50)), true)
        };
        bench.at(row);
        bench.died();
        assert_eq!(bench.damages.len(), 2);
        assert_eq!(bench.request().begun[0].position.from, [0, 0, 0, 0, 0, 0, 0, 50, 0]);
    }

    #[test]
    fn a_volume_that_kills_is_not_opened_again_and_the_catalog_neither() {
        let mut bench = Bench::new();
        let start = Position {
            from: Vec::new(),
            gap: 1,
        };
        let volume = bench.item(|item| item == Item::Volume(1));
        bench.at(at(volume, start.clone(), true));
        bench.died();
        let request = bench.request();
        assert_eq!((request.refused_volumes, request.begun.len()), (BTreeSet::from([1]), 1));
        bench.at(at(0, start, true));
        bench.died();
        let request = bench.request();
        assert!(request.without_catalog && request.extent.is_none());
        assert_eq!((request.begun, request.next), (vec![], 0));
        assert_eq!(bench.damages.len(), 2);
    }

    #[test]
    fn it_gives_up_at_last_and_says_what_was_not_looked_at() {
        let mut bench = Bench::new();
        let first = bench.item(|item| matches!(item, Item::Messages(MessageId(1), _)));
        let mut deaths = 1;
        bench.at(at(first, plan::at(MessageId(1)), true));
        while bench.died() == Next::Again {
            let task = bench.request().begun.first().cloned();
            let next = task.unwrap_or(Task {
                item: bench.request().next,
                position: plan::at(MessageId(1)),
            });
            bench.at(at(next.item, next.position, true));
            deaths += 1;
            assert!(deaths <= MOST_DEATHS);
        }
        assert_eq!(deaths, MOST_DEATHS);
        let last = bench.damages.last().unwrap();
        assert_eq!(last.kind, Kind::Unchecked);
        assert!(last.detail.contains("parts of the work"), "{}", last.detail);
        assert!(!bench.logbook.outcome().ok);
    }

    #[test]
    fn a_process_that_dies_over_nothing_is_a_damage_and_the_end() {
        let mut bench = Bench::new();
        assert_eq!(bench.died(), Next::GiveUp);
        assert_eq!(bench.damages[0].kind, Kind::Crash);
    }
}
