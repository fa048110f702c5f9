//! The worker that calls the webhook.

use std::{sync::Arc, time::Duration};

use super::{Inner, troubles::fails, webhook};
use crate::{
    config::When,
    panics::survived_async,
    report::{Run, metrics},
};

/// Pauses between the attempts for one run.
const PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(25)];
/// No server is waited for longer, whatever it asks for.
const LONGEST: Duration = Duration::from_secs(120);

/// Whether the webhook is to hear of this run.
pub fn is_wanted(when: When, run: &Run) -> bool {
    when.always || (when.errors && fails(run))
}

pub(super) async fn work(inner: Arc<Inner>) {
    loop {
        let (run, _busy) = inner.calls.next().await;
        match survived_async("calling the webhook", call(&inner, &run)).await {
            Ok(None) => {}
            called => metrics::notified("webhook", called == Ok(Some(true))),
        }
    }
}

/// Whether it took the run; `None` where nobody is to be called any more. The settings are those of each attempt: what
/// was wrong in them may be put right meanwhile.
async fn call(inner: &Inner, run: &Run) -> Option<bool> {
    let (profile, number) = (&run.profile, run.run);
    let mut pauses = PAUSES.into_iter();
    loop {
        let settings = inner.settings();
        let error = match webhook::call(settings.webhook.as_ref()?, run).await {
            Ok(()) => return Some(true),
            Err(error) => error,
        };
        match pauses.next().filter(|_| !error.is_final()) {
            Some(pause) => {
                tracing::warn!(%error, profile, run = number.0, "the webhook call about a run failed, and is tried again");
                tokio::time::sleep(error.after().unwrap_or_default().clamp(pause, LONGEST)).await;
            }
            None => {
                tracing::error!(%error, profile, run = number.0, "the webhook call about a run failed, and is given up");
                return Some(false);
            }
        }
    }
}
