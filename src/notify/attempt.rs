//! One attempt to send a mail, and reading in the store for one.

use super::{NotifyError, letter, smtp, text::Words};
use crate::{
    archive::{RunId, StoreError},
    clock,
    config::{Mail, Mailbox},
    panics::blocking,
};

/// Sends a mail: one attempt.
///
/// # Errors
/// Nobody gets it.
pub(super) async fn send(mail: &Mail, to: &[Mailbox], words: &Words, run: RunId) -> Result<(), NotifyError> {
    let (envelope, bytes) = letter::write(mail, to, words, clock::now())?;
    for (address, words) in smtp::send(mail, &envelope, &bytes).await? {
        tracing::error!(%address, words, run = run.0, "the mail server refuses one of the recipients of a mail; the others \
            get it");
    }
    Ok(())
}

/// Reads protocols on a thread that may wait for the disk.
pub(super) async fn reading<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    blocking("reading protocols", read)
        .await
        .map_err(StoreError::panicked)?
}
