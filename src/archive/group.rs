//! Writing one group: what it changes is decided first, then its blocks go into the volume and its rows into the
//! catalog, in one transaction each. Both are prepared side by side; the catalog's is committed once the volume is on
//! disk.

use std::{
    mem::{replace, take},
    panic::resume_unwind,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use heed::{BytesDecode, BytesEncode, RwTxn};

use super::{
    Store, StoreError, block,
    catalog::{Catalog, Table},
    codec::{Key, Row},
    copies::{Copies, Tabled},
    decide::{Decided, decide},
    layout::Layout,
    lists_table,
    order::{Answer, Order, Tidying},
    packings::digest,
    resident,
    rows::{Copy, CopyKey, Counters},
    seal,
    settled::{Packing, Settled},
    view::Snapshot,
    volume::Volume,
    write_set::{Rows, WriteSet},
};
use crate::{clock, report::metrics};

/// After how many rows it is said that pages are read: they come in the order of their keys.
const TOUCHED: usize = 16;

/// A group that is on disk.
pub(super) struct Written {
    pub counters: Counters,
    pub answers: Vec<Answer>,
    pub filings: u64,
    pub took: Duration,
}

/// Writes and syncs `orders`.
///
/// # Errors
/// Nothing of the group counts as written.
pub(super) fn write(store: &Store, counters: &Counters, orders: &[Order]) -> Result<Written, StoreError> {
    let started = Instant::now();
    StoreError::point("group-begun")?;
    let mut counters = counters.clone();
    // Who did what is noted, whatever of the mail is missing.
    let volume = match orders.iter().all(Order::is_deed) {
        true => {
            store.look_at_open()?;
            None
        }
        false => Some(volume_for(store, &mut counters)?),
    };
    let now = clock::now().as_second();
    let Decided {
        mut set,
        answers,
        filings,
    } = {
        let txn = store.catalog.read()?;
        let view = Snapshot {
            catalog: &store.catalog,
            txn: &txn,
        };
        decide(&view, &counters, orders, now)?
    };
    StoreError::point("group-filed")?;
    let moves_only = orders
        .iter()
        .all(|order| matches!(order, Order::Tidy(Tidying::Move(_), _)));
    let level = if moves_only { block::THOROUGH } else { block::LEVEL };
    apply(store, volume.as_deref(), counters.volume, level, &mut set).inspect_err(|error| {
        // Its blocks may be there, and the next group may go into another volume: in two, they are a catalog's that is lost.
        if matches!(error, StoreError::Full { .. }) {
            store.sweep_again();
        }
    })?;
    Ok(Written {
        counters: set.counters,
        answers,
        filings,
        took: started.elapsed(),
    })
}

/// The volume that the group is written into.
fn volume_for(store: &Store, counters: &mut Counters) -> Result<Arc<Volume>, StoreError> {
    store.look_before_writing(counters.volume)?;
    store.sweep_before_writing(counters)?;
    let begun = store.reading(|txn| store.catalog.has_blocks(txn, counters.volume))?;
    let volume = store.volumes.to_write(counters.volume, begun)?;
    if !store.volumes.is_full(volume.used()?) {
        return Ok(volume);
    }
    counters.volume += 1;
    let next = store.volumes.to_write(counters.volume, false)?;
    StoreError::point("volume-full")?;
    Ok(next)
}

/// Writes what was decided: the blocks into volume `number`, and the rows once these are on disk. At last, blocks that
/// no row refers to any more are deleted. Rows are given up as they are written: of mail to 100,000 users they take as
/// much as LMDB's pages.
fn apply(
    store: &Store,
    volume: Option<&Volume>,
    number: u32,
    level: i32,
    set: &mut WriteSet,
) -> Result<(), StoreError> {
    let catalog = &store.catalog;
    let failed = || StoreError::lmdb("writing the catalog", catalog.path());
    let layout = replace(&mut set.layout, Layout::new(number, 0));
    let txn = thread::scope(|scope| {
        // The rows are prepared while the blocks are packed and synced. They count when they are committed, after that.
        let blocks = match (layout.is_empty(), volume) {
            (true, _) => None,
            (false, Some(volume)) => {
                let put = || volume.put(&layout, level);
                // A panic there counts as one of the committer.
                let thread = thread::Builder::new().name("committer".into()).spawn_scoped(scope, put);
                Some(thread.map_err(StoreError::io("starting a thread for", "the volume"))?)
            }
            (false, None) => {
                return Err(StoreError::Fault {
                    detail: "a group without mail has blocks".into(),
                });
            }
        };
        let mut rows = || -> heed::Result<RwTxn> {
            let mut txn = catalog.write()?;
            put_rows(catalog, &mut txn, set)?;
            if !layout.is_empty() {
                catalog.put_last_group(&mut txn, number, layout.first())?;
            }
            Ok(txn)
        };
        let rows = rows().map_err(failed());
        if let Some(blocks) = blocks {
            blocks.join().unwrap_or_else(|panicked| resume_unwind(panicked))?;
        }
        rows
    })?;
    StoreError::point("catalog-written")?;
    txn.commit().map_err(failed())?;
    store.grew();
    if let Some(mark) = &set.audit_mark {
        metrics::audit_entries(mark.kept());
    }
    store.written.send_replace(set.counters.last_group());
    StoreError::point("catalog-synced")?;
    // What a crash leaves here is found unreferenced the next time.
    for (volume, blocks) in &set.drop_blocks {
        if seal::is_sealed(&store.volumes.folder(*volume)) {
            continue;
        }
        match store.removing(|| store.volumes.get(*volume)?.delete(blocks)) {
            // What was written counts, whatever becomes of these: whoever took it for lost would give its numbers away
            // once more.
            Err(error @ (StoreError::Full { .. } | StoreError::Missing { .. })) => {
                tracing::warn!(volume, %error, "small blocks that were merged stay in the volume for now");
            }
            deleted => deleted?,
        }
        StoreError::point("blocks-dropped")?;
    }
    Ok(())
}

/// Takes all rows out of a write set, and puts them into the catalog.
fn put_rows(catalog: &Catalog, txn: &mut RwTxn, set: &mut WriteSet) -> heed::Result<()> {
    put(txn, &catalog.messages, take(&mut set.messages))?;
    catalog.filter.add(set.identities.keys().map(digest));
    let identities = take(&mut set.identities).into_iter();
    let identities = identities.map(|(identity, row)| (digest(&identity), row));
    put_settled(txn, &catalog.identities, identities)?;
    put_settled(txn, &catalog.bytes, take(&mut set.bytes))?;
    put_settled(txn, &catalog.held, take(&mut set.held))?;
    put(txn, &catalog.parts, take(&mut set.parts))?;
    put_settled(txn, &catalog.filings, take(&mut set.filings))?;
    put(txn, &catalog.journals, take(&mut set.journals))?;
    put(txn, &catalog.unclaimed, take(&mut set.unclaimed))?;
    put(txn, &catalog.users, take(&mut set.users))?;
    put(txn, &catalog.usage, take(&mut set.usage))?;
    put(txn, &catalog.sources, take(&mut set.sources))?;
    put(txn, &catalog.folders, take(&mut set.folders))?;
    put_copies(txn, &catalog.copies, take(&mut set.copies))?;
    put(txn, &catalog.sightings, take(&mut set.sightings))?;
    put(txn, &catalog.volumes, take(&mut set.volumes))?;
    put(txn, &catalog.runs, take(&mut set.runs))?;
    if let Some(known) = &set.known_runs {
        catalog.put_known_runs(txn, known)?;
    }
    for (memo, text) in &set.memos {
        catalog.put_memo(txn, *memo, text)?;
    }
    if let Some(news) = &set.news {
        catalog.put_news(txn, news)?;
    }
    for (name, mark) in &set.marks {
        catalog.put_mark(txn, name, mark)?;
    }
    lists_table::put(catalog, txn, &set.listed)?;
    if let Some(filled) = &set.lists_filled {
        lists_table::note(catalog, txn, filled)?;
    }
    put(txn, &catalog.accounts, take(&mut set.accounts))?;
    put(txn, &catalog.sessions, take(&mut set.sessions))?;
    for (name, row) in &set.profiles {
        catalog.put_profile(txn, name, row.as_ref())?;
    }
    put(txn, &catalog.audit, take(&mut set.audit))?;
    if let Some(mark) = &set.audit_mark {
        catalog.put_audit_mark(txn, mark)?;
    }
    if let Some((number, row)) = &set.ledger {
        catalog.ledger.put(txn, number, row)?;
    }
    catalog.put_counters(txn, &set.counters)
}

fn put<K, V>(txn: &mut RwTxn, table: &Table<K, V>, rows: Rows<K, V>) -> heed::Result<()>
where
    Key<K>: for<'k> BytesEncode<'k, EItem = K> + for<'k> BytesDecode<'k>,
    Row<V>: for<'v> BytesEncode<'v, EItem = V>,
{
    for (at, (key, row)) in rows.into_iter().enumerate() {
        if at % TOUCHED == 0 {
            resident::touched();
        }
        match row {
            Some(row) => table.put(txn, &key, &row)?,
            None => _ = table.delete(txn, &key)?,
        }
    }
    Ok(())
}

/// Rows in the order of their keys.
fn put_settled<P: Packing>(
    txn: &mut RwTxn,
    table: &Settled<P>,
    rows: impl IntoIterator<Item = (P::Key, Option<P::Value>)>,
) -> heed::Result<()> {
    let mut gone = Vec::new();
    let there = rows.into_iter().filter_map(|(key, row)| match row {
        Some(row) => Some((key, row)),
        None => {
            gone.push(key);
            None
        }
    });
    let there = there.collect();
    table.put_all(txn, there)?;
    table.delete_all(txn, &gone)?;
    table.settle(txn)
}

fn put_copies(txn: &mut RwTxn, copies: &Copies, mut rows: Rows<CopyKey, Copy>) -> heed::Result<()> {
    let by_uidl = rows.split_off(&CopyKey::FIRST_OF_POP3);
    let uids = rows.into_iter().filter_map(|(key, row)| match key.tabled() {
        Tabled::Uid(key) => Some((key, row)),
        Tabled::Uidl(_) => None,
    });
    put_settled(txn, &copies.uids, uids)?;
    let uidls = by_uidl.into_iter().filter_map(|(key, row)| match key.tabled() {
        Tabled::Uidl(key) => Some((key, row)),
        Tabled::Uid(_) => None,
    });
    put_settled(txn, &copies.uidls, uidls)
}
