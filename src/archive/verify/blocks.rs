//! The blocks of a volume: every one that no message read before must be whole, too.

use std::collections::BTreeSet;

use heed::{BytesDecode, RoTxn};
use roaring::RoaringTreemap;

use super::{
    context::{Context, Stop},
    damage::{Damage, Kind},
    plan::Position,
    scan::{Rows, Source, scan},
    stretches::{Spans, Stretch},
    words::Desk,
};
use crate::archive::{
    block,
    codec::Key,
    rows::{Seal, VolumeState},
};

/// Goes through the blocks of a volume.
pub fn blocks(context: &Context, volume: u32, desk: &mut Desk, position: Position) -> Result<Option<Position>, Stop> {
    let begins = position == context.plan.start(desk.item, context.extent);
    // What was wrong with the volume as a whole, or that it is gone, was said before.
    let Ok(opened) = context.volumes.get(volume) else {
        desk.end()?;
        return Ok(None);
    };
    let source = Source {
        table: &opened.raw_blocks(),
        read: &|| opened.read(),
        is_sound: false,
    };
    let spans = Spans {
        stretches: &[Stretch::default()],
        is_part: false,
    };
    let read = context.totals().blocks.clone();
    let mut check = Check {
        context,
        volume,
        read,
        refused: &context.request.refused_blocks,
        behind: 0,
        count: begins.then_some(0),
    };
    scan(&source, &mut check, desk, position, &spans)
}

struct Check<'c> {
    context: &'c Context<'c>,
    volume: u32,
    /// Blocks that were found whole when messages were read.
    read: RoaringTreemap,
    refused: &'c BTreeSet<(u32, u64)>,
    /// Blocks from this number on are not in the catalog yet, or never will be.
    behind: u64,
    /// How many there are; `None` where some were not seen.
    count: Option<u64>,
}

impl Rows for Check<'_> {
    fn kind(&self) -> Kind {
        Kind::Block
    }

    fn words(&self, key: &[u8]) -> String {
        let number = key.get(..8).and_then(|number| number.try_into().ok());
        match number.map(u64::from_be_bytes) {
            Some(number) if key.len() == 8 => format!("block {number}"),
            Some(number) => format!("what follows block {number}"),
            None => "the first block".into(),
        }
    }

    fn at(&self, _: &[u8], damage: Damage) -> Damage {
        damage.volume(self.volume)
    }

    fn begin(&mut self, _: &RoTxn) -> heed::Result<()> {
        self.behind = match self.context.store {
            Some(store) => {
                store
                    .catalog
                    .counters(
                        &*store
                            .catalog
                            .read()
                            .map_err(|error| heed::Error::Decoding(error.to_string().into()))?,
                    )?
                    .block
            }
            None => u64::MAX,
        };
        Ok(())
    }

    fn row(&mut self, _: &RoTxn, key: &[u8], value: &[u8], desk: &mut Desk) -> heed::Result<()> {
        self.count = self.count.map(|count| count + 1);
        let number = <Key<u64> as BytesDecode>::bytes_decode(key).map_err(heed::Error::Decoding)?;
        if number >= self.behind || self.read.contains(number) || self.refused.contains(&(self.volume, number)) {
            return Ok(());
        }
        if let Err(detail) = block::check(number, value) {
            let detail = format!("block {number} of volume {:06}: {detail}", self.volume);
            desk.damage(Damage::new(Kind::Block, detail).volume(self.volume));
        }
        Ok(())
    }

    fn skipped(&mut self) {
        self.count = None;
    }

    fn end(&mut self, _: &RoTxn, desk: &mut Desk) -> heed::Result<()> {
        let (Some(count), Some(store)) = (self.count, self.context.store) else {
            return Ok(());
        };
        let state = store
            .reading(|txn| store.catalog.volumes.get(txn, &self.volume))
            .map_err(|error| heed::Error::Decoding(error.to_string().into()))?;
        match state {
            Some(VolumeState::Sealed(Seal { blocks, .. })) if blocks != count => {
                let detail = format!(
                    "volume {:06} had {blocks} blocks when it was sealed, but has {count} now",
                    self.volume
                );
                desk.damage(Damage::new(Kind::Volume, detail).volume(self.volume));
            }
            _ => {}
        }
        Ok(())
    }
}
