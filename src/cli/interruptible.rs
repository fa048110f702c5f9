//! Long work in this process that Ctrl-C ends in good order. On a terminal it shows how far it is, and how fast.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use super::{
    ask::{Interrupts, runtime},
    output::say,
    progress::bar,
};
use crate::{
    api::{Exit, Failure},
    archive::{Absent, Hooks, Store, StoreError},
    config::Config,
};

/// What is shown of work that counts bytes, and of work that counts anything else.
pub const BYTES: &str = "{bytes}/{total_bytes} {wide_bar} {bytes_per_sec}, {eta} left";
pub const PERCENT: &str = "{percent} % {wide_bar} {elapsed}, {eta} left";

/// Does `work` on a thread of its own, and shows how far it is. The first Ctrl-C asks it to end, the second ends the process at once.
///
/// # Errors
/// Those of the work.
pub fn run<T, W>(doing: &'static str, shown: &str, work: W) -> Result<T, Failure>
where
    T: Send + 'static,
    W: FnOnce(Hooks) -> Result<T, StoreError> + Send + 'static,
{
    let bar = bar(&format!("{{spinner}} {{prefix}}: {shown}"));
    bar.set_length(0);
    bar.set_prefix(doing);
    let shown = bar.clone();
    let stop = Arc::new(AtomicBool::new(false));
    let told = stop.clone();
    let work = move || {
        work(Hooks {
            go_on: &|| !told.load(Ordering::Relaxed),
            expect: &|bytes| shown.inc_length(bytes),
            passed: &|bytes| shown.inc(bytes),
        })
    };
    let done = runtime()?.block_on(async {
        let mut interrupts = Interrupts::new()?;
        let work = tokio::task::spawn_blocking(work);
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => {
                    let panicked = |_| Failure::new(Exit::Store, format!("{doing} panicked; this is a bug in \
                        dropkeep"));
                    return Ok(done.map_err(panicked)??);
                }
                () = interrupts.next() => {}
            }
            if stop.swap(true, Ordering::Relaxed) {
                say("stopped at once; run it again");
                std::process::exit(Exit::Interrupted as i32);
            }
        }
    });
    bar.finish_and_clear();
    done
}

/// Does `work`, which nothing is lost of where Ctrl-C ends it.
///
/// # Errors
/// It was interrupted.
pub fn unless_interrupted<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    runtime()?.block_on(async {
        tokio::select! {
            done = work => Ok(done),
            _ = tokio::signal::ctrl_c() => Err(Failure::interrupted()),
        }
    })
}

/// Opens the store to read for long, beside an appliance if one runs. An older store is brought to the present
/// schema first.
///
/// # Errors
/// It cannot be opened.
pub fn open_for_reading(config: &Config) -> Result<Store, StoreError> {
    match Store::open_for_reading(config) {
        Err(StoreError::Older { .. }) => {
            drop(Store::open_or(config, Absent::Refused)?);
            Store::open_for_reading(config)
        }
        opened => opened,
    }
}
