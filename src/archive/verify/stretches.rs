//! What a verification of a part looks at: which stretches of the catalog's tables, and which messages. Pure.
//!
//! A table is divided where the leaves of its tree begin, or the chunks of a settled one, so that a stretch costs as much as
//! its rows, and nothing is read between two of them. Of a table that has several trees the largest counts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    sums::mixed,
    table::{Table, hexadecimal},
};
use crate::archive::rows::MessageId;

/// Messages over whose first one a sample decides together: few, as a block has some hundreds.
const BUCKET: u64 = 64;
/// A block that reaches beyond so many messages counts as two: whether a message is in a sample is found among these.
pub const SECTION: u64 = 4096;
/// Of so many messages of a sample one is looked up wherever rows name it; all of them where the sample is this share of the
/// archive. Rows of one table lie at random places of others: to look up all of a hundredth would open every chunk of these.
const ONE_IN: u64 = 128;
const ALL_FROM: f64 = 0.2;
/// Stretches of a sample, about; if a table has more leaves, it is divided less finely.
const MOST_STRETCHES: f64 = 10_000.0;

/// A random share of the archive.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Between 0 and 1.
    pub share: f64,
    /// Whoever gives the same one gets the same share, as long as the archive stays as it is.
    pub seed: u64,
}

impl Sample {
    /// Whether part `number` of `what` is in it.
    fn has(&self, what: &str, number: u64) -> bool {
        let named = what
            .bytes()
            .fold(mixed(self.seed), |sum, byte| mixed(sum ^ u64::from(byte)));
        (mixed(named ^ mixed(number)) as f64) < self.share * 2f64.powi(64)
    }

    /// Whether a block is in it whose first message is `first`.
    pub fn has_block_of(&self, first: MessageId) -> bool {
        self.has("messages", first.0 / BUCKET)
    }

    /// Whether what is said of a message is looked up where it lies at a random place.
    pub fn follows(&self, id: MessageId) -> bool {
        self.share >= ALL_FROM || mixed(mixed(self.seed) ^ mixed(id.0)).is_multiple_of(ONE_IN)
    }

    /// The first message from `id` on whose block may begin in the sample.
    pub fn next_bucket(&self, id: MessageId, below: MessageId) -> Option<MessageId> {
        let mut first = id;
        while first < below {
            if self.has_block_of(first) {
                return Some(first);
            }
            first = MessageId((first.0 / BUCKET + 1) * BUCKET);
        }
        None
    }
}

/// What is due of a round in which an appliance goes through all of its archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Portion {
    pub reached: Reached,
    /// What is left is to be done in so many nights, this one included.
    pub nights: u64,
}

/// How far a round has come: all before is done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reached {
    /// The message that comes next.
    pub message: MessageId,
    /// By the name of a table the key from which on its rows come next; `None` where it is done.
    tables: BTreeMap<String, Option<Edge>>,
}

impl Reached {
    /// Behind these messages and stretches.
    pub fn behind(message: MessageId, stretches: &Stretches) -> Self {
        let tables = stretches.iter().map(|(table, stretches)| {
            let edge = stretches.last().and_then(|stretch| stretch.to.clone());
            (table.name().to_owned(), edge)
        });
        Self {
            message,
            tables: tables.collect(),
        }
    }
}

/// A key in a table where a stretch begins, or before which it ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Edge(#[serde(with = "hexadecimal")] pub Vec<u8>);

/// Rows of a table from one key to before another, or to its end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    pub from: Edge,
    pub to: Option<Edge>,
}

/// For each table the stretches that are looked at, in their order.
pub type Stretches = BTreeMap<Table, Vec<Stretch>>;

/// Which part of the tables it is.
#[derive(Clone, Copy, Debug)]
pub enum Part<'p> {
    Sample(&'p Sample),
    Portion(&'p Portion),
}

/// Chooses stretches. It gets all leaves twice: first to count them.
pub struct Chooser<'p> {
    part: Part<'p>,
    /// For each tree its table, and its leaves, or of a portion those that are not done. The last one is that of the leaf
    /// before.
    trees: Vec<(String, Option<Table>, u64)>,
}

/// The second time.
pub struct Choosing<'c> {
    chooser: &'c Chooser<'c>,
    largest: BTreeMap<&'c str, (Table, u64)>,
    /// Of all trees.
    leaves: u64,
    /// That of the leaf before; of which table it is the largest, and its leaves.
    tree: (String, Option<(Table, u64)>),
    /// Leaves that were seen of it.
    seen: u64,
    pub stretches: Stretches,
}

impl<'p> Chooser<'p> {
    pub fn new(part: Part<'p>) -> Self {
        Self {
            part,
            trees: Vec::new(),
        }
    }

    /// A tree has a leaf that begins with `from`. The leaves of a tree come one after the other.
    pub fn count(&mut self, tree: &str, from: &[u8]) {
        if self.trees.last().is_none_or(|(last, ..)| last != tree) {
            self.trees.push((tree.to_owned(), Table::of_tree(tree), 0));
        }
        let Some((_, table, _)) = self.trees.last() else { return };
        let is_open = table.is_some_and(|table| self.is_open(table, from));
        if let (Some((_, _, leaves)), true) = (self.trees.last_mut(), is_open) {
            *leaves += 1;
        }
    }

    /// The largest tree of each table, and its leaves.
    fn largest(&self) -> BTreeMap<&str, (Table, u64)> {
        let of = |table: Table| {
            let trees = self.trees.iter().filter(|(_, its, _)| *its == Some(table));
            let largest = trees.max_by_key(|(_, _, leaves)| *leaves);
            largest.map(|(tree, _, leaves)| (&tree[..], (table, *leaves)))
        };
        Table::every().filter_map(of).collect()
    }

    /// From where on a table is not done; `None` where it is.
    fn begin(&self, table: Table) -> Option<&[u8]> {
        let Part::Portion(portion) = self.part else {
            return Some(&[]);
        };
        match portion.reached.tables.get(table.name()) {
            None => Some(&[]),
            Some(edge) => edge.as_ref().map(|edge| &edge.0[..]),
        }
    }

    /// Whether a leaf that begins with `from` is not done. Where one is done in part, as it took over rows meanwhile,
    /// the next ones count.
    fn is_open(&self, table: Table, from: &[u8]) -> bool {
        self.begin(table).is_some_and(|begin| from >= begin)
    }

    pub fn choose(&self) -> Choosing<'_> {
        let mut stretches = Stretches::new();
        for table in Table::every() {
            let mut open = Vec::new();
            if let (Part::Portion(_), Some(begin)) = (self.part, self.begin(table)) {
                open.push(Stretch {
                    from: Edge(begin.to_vec()),
                    to: None,
                });
            }
            stretches.insert(table, open);
        }
        Choosing {
            chooser: self,
            largest: self.largest(),
            leaves: self.trees.iter().map(|(.., leaves)| leaves).sum(),
            tree: (String::new(), None),
            seen: 0,
            stretches,
        }
    }
}

impl Choosing<'_> {
    /// A tree has a leaf that begins with `from`.
    pub fn leaf(&mut self, tree: &str, from: &[u8]) {
        let chooser = self.chooser;
        if self.tree.0 != tree {
            self.tree = (tree.to_owned(), self.largest.get(tree).copied());
            self.seen = 0;
        }
        let Some((table, leaves)) = self.tree.1.filter(|(table, _)| chooser.is_open(*table, from)) else {
            return;
        };
        let number = self.seen;
        self.seen += 1;
        let Some(stretches) = self.stretches.get_mut(&table) else {
            return;
        };
        let ends = match chooser.part {
            Part::Sample(sample) => {
                let together = (self.leaves as f64 * sample.share / MOST_STRETCHES).ceil().max(1.0) as u64;
                let is_in = sample.has(table.name(), number / together);
                let goes_on = stretches.last().is_some_and(|stretch| stretch.to.is_none());
                if is_in && !goes_on {
                    stretches.push(Stretch {
                        from: Edge(from.to_vec()),
                        to: None,
                    });
                }
                !is_in && goes_on
            }
            Part::Portion(portion) => number == leaves.div_ceil(portion.nights.max(1)).max(1),
        };
        if let Some(last) = stretches.last_mut().filter(|_| ends) {
            last.to = Some(Edge(from.to_vec()));
        }
    }
}

/// The stretches of one table.
pub struct Spans<'s> {
    pub stretches: &'s [Stretch],
    /// Rows are left out that belong to sums with those that are not.
    pub is_part: bool,
}

impl Spans<'_> {
    /// The stretch that `key` is in, or the next one.
    pub fn at(&self, key: &[u8]) -> Option<&Stretch> {
        let is_before = |stretch: &Stretch| stretch.to.as_ref().is_some_and(|to| &to.0[..] <= key);
        let at = self.stretches.partition_point(is_before);
        self.stretches.get(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Leaves that begin with the numbers from `first` on in steps of ten, the first of all with nothing.
    fn leaves(count: u64) -> Vec<Vec<u8>> {
        let key = |number: u64| match number {
            0 => Vec::new(),
            number => (number * 10).to_be_bytes().to_vec(),
        };
        (0..count).map(key).collect()
    }

    fn chosen(part: Part, leaves: &[Vec<u8>]) -> Stretches {
        let mut chooser = Chooser::new(part);
        let small = [(&b""[..], "filings"), (b"\x05", "filings 1")];
        small.iter().for_each(|(from, tree)| chooser.count(tree, from));
        leaves.iter().for_each(|from| chooser.count("filings 2", from));
        let mut choosing = chooser.choose();
        small.iter().for_each(|(from, tree)| choosing.leaf(tree, from));
        leaves.iter().for_each(|from| choosing.leaf("filings 2", from));
        choosing.stretches
    }

    /// How many leaves lie in stretches.
    fn within(stretches: &[Stretch], leaves: &[Vec<u8>]) -> usize {
        let spans = Spans {
            stretches,
            is_part: true,
        };
        let is_in = |from: &&Vec<u8>| spans.at(from).is_some_and(|stretch| stretch.from.0 <= **from);
        leaves.iter().filter(is_in).count()
    }

    /// Looking up all that a hundredth names took as long as going through a twentieth.
    #[test]
    fn a_small_sample_follows_one_message_in_128_and_a_large_one_all() {
        let followed = |share| {
            let sample = Sample { share, seed: 7 };
            (1..=128_000).filter(|id| sample.follows(MessageId(*id))).count()
        };
        assert!((900..1100).contains(&followed(0.01)), "{}", followed(0.01));
        assert_eq!(followed(0.2), 128_000);
    }

    #[test]
    fn a_sample_is_about_its_share_of_leaves_and_blocks_and_the_same_again() {
        let leaves = leaves(20_000);
        let sample = Sample { share: 0.05, seed: 7 };
        let first = chosen(Part::Sample(&sample), &leaves);
        let count = within(&first[&Table::Filings], &leaves);
        assert!((850..1150).contains(&count), "{count}");
        assert_eq!(chosen(Part::Sample(&sample), &leaves), first);
        let other = Sample { seed: 8, ..sample };
        assert_ne!(chosen(Part::Sample(&other), &leaves), first);
        let all = Sample { share: 1.0, seed: 7 };
        assert_eq!(
            chosen(Part::Sample(&all), &leaves)[&Table::Filings],
            [Stretch::default()]
        );
        let none = Sample { share: 0.0, seed: 7 };
        assert_eq!(chosen(Part::Sample(&none), &leaves)[&Table::Filings], []);
        let count = (0..1_000_000).filter(|id| sample.has_block_of(MessageId(*id))).count();
        assert!((45_000..55_000).contains(&count), "{count}");
        let mut buckets = 0;
        let mut id = MessageId(1);
        while let Some(first) = sample.next_bucket(id, MessageId(1_000_000)) {
            assert!(id.until(first).all(|id| !sample.has_block_of(id)));
            buckets += 1;
            id = MessageId((first.0 / BUCKET + 1) * BUCKET);
        }
        assert!((700..900).contains(&buckets), "{buckets}");
    }

    #[test]
    fn a_sample_of_a_large_table_has_no_more_stretches_than_are_held() {
        let leaves = leaves(200_000);
        let sample = Sample { share: 0.5, seed: 1 };
        let stretches = &chosen(Part::Sample(&sample), &leaves)[&Table::Filings];
        assert!(stretches.len() < 10_000, "{}", stretches.len());
        let count = within(stretches, &leaves);
        assert!((95_000..105_000).contains(&count), "{count}");
    }

    /// Whatever is added to a table in a round, what was there at its beginning is in one portion.
    #[test]
    fn each_row_is_in_a_portion_of_a_round_and_in_one() {
        for count in [0, 1, 3, 29, 30, 31, 1000] {
            let mut all = leaves(count);
            let mut reached = Reached::default();
            let mut before: Option<Edge> = Some(Edge::default());
            for nights in (1..=30).rev() {
                let portion = Portion { reached, nights };
                let stretches = chosen(Part::Portion(&portion), &all);
                if let [stretch] = &stretches[&Table::Filings][..] {
                    assert_eq!(Some(&stretch.from), before.as_ref(), "{count} leaves, {nights} nights");
                    before.clone_from(&stretch.to);
                } else {
                    assert_eq!((&stretches[&Table::Filings][..], &before), (&[][..], &None));
                }
                reached = Reached::behind(MessageId(1), &stretches);
                let json = serde_json::to_string(&reached).unwrap();
                assert_eq!(serde_json::from_str::<Reached>(&json).unwrap(), reached, "{json}");
                // Leaves are split everywhere.
                let split = all
                    .iter()
                    .skip(nights as usize)
                    .step_by(7)
                    .map(|key| [&key[..], &[5]].concat());
                let split: Vec<_> = split.collect();
                all.extend(split);
                all.sort();
            }
            assert_eq!(before, None, "{count} leaves");
        }
    }
}
