//! What can be said only when all of the archive was seen: which rows nothing names, and whether sums agree.
//!
//! Sets of numbers are kept as compressed bitmaps, about a bit for each message.

use roaring::{RoaringBitmap, RoaringTreemap};

use super::{
    balance::Balance,
    damage::{Damage, Kind},
    digests::Digests,
    plan::{Extent, Selection},
    words::Desk,
};
use crate::archive::rows::{Counters, MessageId};

/// Parts that a note lists.
const MOST_LISTED: usize = 20;

#[derive(Default)]
pub struct Totals {
    /// Something could not be read, so that sums say nothing.
    pub incomplete: bool,
    /// The messages there are, of those there were at the beginning.
    pub messages: RoaringTreemap,
    pub raw_bytes: u64,
    /// The identity numbers that messages have.
    pub used_identities: RoaringTreemap,
    /// Those that stand for a digest.
    pub identities: RoaringTreemap,
    /// Messages in somebody's archive, and the journal reports in which messages came.
    pub filed: RoaringTreemap,
    /// Messages that a row of `bytes` leads to, by their own bytes.
    pub by_bytes: RoaringTreemap,
    /// Filings in the table, in the ledger, and in the table `held`.
    pub balance: Balance,
    /// Digests of the table `identities`, and of messages.
    pub digests: Digests,
    /// The beginnings of the digests of parts that messages name.
    pub parts: RoaringBitmap,
    /// Digests of parts that no message names: the first ones, and how many.
    pub unnamed_parts: (Vec<String>, u64),
    /// Blocks that were read whole. Their numbers are those of all volumes.
    pub blocks: RoaringTreemap,
}

/// The beginning of a part's digest: two of them may share it, so it says for certain only that a part is not named.
pub fn beginning(digest: &[u8; 32]) -> u32 {
    u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
}

impl Totals {
    pub fn unnamed_part(&mut self, digest: &[u8; 32]) {
        self.unnamed_parts.1 += 1;
        if self.unnamed_parts.0.len() < MOST_LISTED {
            let text: String = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
            self.unnamed_parts.0.push(text);
        }
    }

    /// Takes over what a part of the work has seen.
    pub fn merge(&mut self, more: Self) {
        self.incomplete |= more.incomplete;
        self.messages |= more.messages;
        self.raw_bytes += more.raw_bytes;
        self.used_identities |= more.used_identities;
        self.identities |= more.identities;
        self.filed |= more.filed;
        self.by_bytes |= more.by_bytes;
        self.balance.merge(more.balance);
        self.digests.merge(more.digests);
        self.parts |= more.parts;
        self.unnamed_parts.1 += more.unnamed_parts.1;
        self.unnamed_parts.0.extend(more.unnamed_parts.0);
        self.unnamed_parts.0.truncate(MOST_LISTED);
        self.blocks |= more.blocks;
    }

    /// Compares what was seen of the whole archive.
    pub fn compare(&self, extent: &Extent, selection: &Selection, desk: &mut Desk) {
        let Some(counters) = &extent.counters else { return };
        if !selection.has_all_tables() {
            return;
        }
        if self.incomplete {
            return desk.note("some rows could not be read, so totals were not compared".into());
        }
        if self.unnamed_parts.1 > 0 {
            let (some, count) = &self.unnamed_parts;
            desk.note(format!(
                "parts that no message refers to: {count} ({})",
                some.join(", ")
            ));
        }
        self.compare_counters(counters, desk);
        let unfiled = &self.messages - &self.filed;
        for id in &unfiled {
            desk.damage(
                Damage::new(
                    Kind::Filing,
                    format!("message {id} is in nobody's archive, and is not a journal report"),
                )
                .message(MessageId(id)),
            );
        }
        for number in &self.identities - &self.used_identities {
            desk.damage(Damage::new(
                Kind::Identity,
                format!("no message has identity number {number}"),
            ));
        }
    }

    fn compare_counters(&self, counters: &Counters, desk: &mut Desk) {
        let found = self.messages.len();
        if found != counters.messages {
            let detail = format!("{} messages were counted, but there are {found}", counters.messages);
            desk.damage(Damage::new(Kind::Counter, detail));
        }
        if self.raw_bytes != counters.raw_bytes {
            let detail = format!(
                "{} bytes of mail were counted, but there are {}",
                counters.raw_bytes, self.raw_bytes
            );
            desk.damage(Damage::new(Kind::Counter, detail));
        }
    }
}
