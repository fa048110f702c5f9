//! How the archive grew.

use super::{
    tell::{End, Tell},
    view,
};
use crate::{
    api::{Failure, GrowthLine, Reply, SizeLine},
    archive::{Size, Store},
};

/// Times for which messages are counted at most.
const MOST: usize = 200;

pub fn growth(store: &Store, before: &[jiff::Timestamp], tell: &mut Tell) -> Result<(), End> {
    if before.len() > MOST {
        return Err(Failure::usage(format!("messages are counted up to {MOST} times at most")).into());
    }
    let times: Vec<_> = before.iter().map(|time| time.as_second()).collect();
    let sizes = store.sizes()?.into_iter().map(
        |Size {
             at,
             messages,
             raw,
             stored,
         }| SizeLine {
            at: view::time(at),
            messages,
            raw_bytes: raw,
            stored_bytes: stored,
        },
    );
    tell(Reply::Growth(Box::new(GrowthLine {
        archived: store.archived_before(&times)?,
        sizes: sizes.collect(),
    })))
}
