//! Long work in this process that Ctrl-C ends in good order, with the bytes it writes shown on a terminal.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use indicatif::HumanBytes;

use super::{
    ask::{Interrupts, runtime},
    output::say,
    progress::bar,
};
use crate::{
    api::{Exit, Failure},
    archive::{Absent, Store, StoreError, Watch},
    config::Config,
};

/// Does `work` on a thread of its own. The first Ctrl-C asks it to end, the second ends the process at once.
///
/// # Errors
/// Those of the work.
pub fn run<T, W>(doing: &'static str, work: W) -> Result<T, Failure>
where
    T: Send + 'static,
    W: FnOnce(Watch) -> Result<T, StoreError> + Send + 'static,
{
    let bar = bar("{spinner} {prefix}: {msg} written, {elapsed}");
    bar.set_prefix(doing);
    let shown = bar.clone();
    let stop = Arc::new(AtomicBool::new(false));
    let told = stop.clone();
    let work = move || {
        let wrote = |bytes| {
            shown.inc(bytes);
            shown.set_message(HumanBytes(shown.position()).to_string());
        };
        work(Watch {
            go_on: &|| !told.load(Ordering::Relaxed),
            wrote: &wrote,
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
                say("stopped at once; nothing was changed");
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
