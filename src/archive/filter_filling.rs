//! The thread that makes the filter of identities, for whoever writes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use super::Store;
use crate::panics::survived;

/// It ends when this is dropped.
#[derive(Default)]
pub struct Filling {
    thread: Option<JoinHandle<()>>,
    is_stopped: Arc<AtomicBool>,
}

impl Filling {
    /// Starts it once, when it pays. To be called while nothing is being written. `known`: about how many identities
    /// there are.
    pub fn begin(&mut self, store: &Arc<Store>, known: u64) {
        let filter = &store.catalog.filter;
        if self.thread.is_some() || !filter.pays(known) {
            return;
        }
        filter.begin(known);
        let (store, is_stopped) = (store.clone(), self.is_stopped.clone());
        let fill = move || {
            let _ = survived("filling the filter", || {
                // A transaction for each stretch: one that stays open keeps pages from being used again.
                while !is_stopped.load(Ordering::Relaxed)
                    && let Ok(txn) = store.catalog.read()
                    && store.catalog.filter.go_on(&store.catalog.identities, &txn)
                {}
            });
        };
        match thread::Builder::new().name("filter".into()).spawn(fill) {
            Ok(thread) => self.thread = Some(thread),
            Err(error) => tracing::warn!(%error, "no thread to make the filter of identities; all are looked up"),
        }
    }
}

impl Drop for Filling {
    fn drop(&mut self) {
        self.is_stopped.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic was survived, and said.
            let _ = thread.join();
        }
    }
}
