//! Compactions that commands ask the appliance for: one at a time, on a thread that may wait for the disk.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::watch;

use crate::{
    archive::{Committer, Store, compact},
    control::api::{CompactedLine, Failure},
    profile::Exit,
};

/// The compaction that is going on, if one is.
#[derive(Default)]
pub struct Compaction {
    going_on: watch::Sender<bool>,
    stop: Arc<AtomicBool>,
}

/// Says that it is over, however it ended.
struct GoingOn<'c>(&'c Compaction);

impl Drop for GoingOn<'_> {
    fn drop(&mut self) {
        self.0.going_on.send_replace(false);
    }
}

impl Compaction {
    /// Compacts `store`, and says what was done.
    ///
    /// # Errors
    /// Another command's is going on, or the store cannot be read or written.
    pub async fn run(&self, store: Arc<Store>, committer: Committer) -> Result<CompactedLine, Failure> {
        let begins = |going_on: &mut bool| !std::mem::replace(going_on, true);
        if !self.going_on.send_if_modified(begins) {
            return Err(Failure::new(Exit::Errors, "a compaction is already going on"));
        }
        let _going_on = GoingOn(self);
        let stop = self.stop.clone();
        stop.store(false, Ordering::Relaxed);
        let work = move || {
            let room = || {
                store
                    .free_pages()
                    .map(|(catalog, volume)| (store.disk_size(), catalog + volume))
            };
            let (disk_before, free_before) = room()?;
            let done = compact(&store, &committer, &|| !stop.load(Ordering::Relaxed))?;
            let (disk_after, free_after) = room()?;
            Ok(CompactedLine {
                done,
                interrupted: stop.load(Ordering::Relaxed) && done.left,
                disk_before,
                disk_after,
                free_before,
                free_after,
            })
        };
        let panicked = |_| Failure::new(Exit::Store, "the compaction panicked; this is a fault of dropkeep");
        actix_rt::task::spawn_blocking(work).await.map_err(panicked)?
    }

    /// Ends it in good order: what was moved stays moved.
    pub fn interrupt(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Waits until none is going on.
    pub async fn ended(&self) {
        // The sender is here.
        let _ = self.going_on.subscribe().wait_for(|going_on| !going_on).await;
    }
}
