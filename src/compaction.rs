//! The compaction that a command asked the appliance for: on a thread that may wait for the disk.

use std::{cell::Cell, sync::Arc};

use crate::{
    api::{CompactedLine, Exit, Failure},
    archive::{Committer, Hooks, Store, compact},
    errand::GoingOn,
    panics::blocking,
};

/// Compacts `store`, and says what was done. `tell` is told how far it is: rows looked at, and how many will be, as far
/// as that is known. Interrupted, what was moved stays moved.
///
/// # Errors
/// The store cannot be read or written.
pub async fn run(
    store: Arc<Store>,
    committer: Committer,
    going_on: &GoingOn<'_>,
    tell: impl Fn(u64, u64) + Send + 'static,
) -> Result<CompactedLine, Failure> {
    let stop = going_on.stop.clone();
    let work = move || {
        let room = || {
            store
                .free_pages()
                .map(|(catalog, volume)| (store.disk_size(), catalog + volume))
        };
        let (disk_before, free_before) = room()?;
        let (looked_at, expected) = (Cell::new(0), Cell::new(0));
        let hooks = Hooks {
            go_on: &|| !stop.is_cancelled(),
            expect: &|more| expected.set(expected.get() + more),
            passed: &|more| {
                looked_at.set(looked_at.get() + more);
                tell(looked_at.get(), expected.get());
            },
        };
        let done = compact(&store, &committer, hooks)?;
        let (disk_after, free_after) = room()?;
        Ok(CompactedLine {
            moved: done.moved,
            bytes: done.bytes,
            blocks: done.blocks,
            volumes: done.volumes,
            left: done.left,
            damaged: done.damaged,
            interrupted: stop.is_cancelled() && done.left,
            disk_before,
            disk_after,
            free_before,
            free_after,
        })
    };
    let done = blocking("the compaction", work).await;
    done.map_err(|panicked| Failure::new(Exit::Store, panicked))?
}
