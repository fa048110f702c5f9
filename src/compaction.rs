//! The compaction that a command asked the appliance for: on a thread that may wait for the disk.

use std::sync::Arc;

use crate::{
    api::{CompactedLine, Exit, Failure},
    archive::{Committer, Store, compact},
    errand::GoingOn,
    panics::blocking,
};

/// Compacts `store`, and says what was done. Interrupted, what was moved stays moved.
///
/// # Errors
/// The store cannot be read or written.
pub async fn run(store: Arc<Store>, committer: Committer, going_on: &GoingOn<'_>) -> Result<CompactedLine, Failure> {
    let stop = going_on.stop.clone();
    let work = move || {
        let room = || {
            store
                .free_pages()
                .map(|(catalog, volume)| (store.disk_size(), catalog + volume))
        };
        let (disk_before, free_before) = room()?;
        let done = compact(&store, &committer, &|| !stop.is_cancelled())?;
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
