//! The worker that calls the webhook.

use std::{sync::Arc, time::Duration};

use super::{Inner, troubles::fails, webhook};
use crate::{
    config::{Webhook, When},
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
        let settings = inner.settings();
        let Some(webhook) = &settings.webhook else { continue };
        let called = survived_async("calling the webhook", call(webhook, &run)).await;
        metrics::notified("webhook", called == Ok(true));
    }
}

async fn call(webhook: &Webhook, run: &Run) -> bool {
    let (profile, number) = (&run.profile, run.run);
    let mut pauses = PAUSES.into_iter();
    loop {
        let error = match webhook::call(webhook, run).await {
            Ok(()) => return true,
            Err(error) => error,
        };
        match pauses.next().filter(|_| !error.is_final()) {
            Some(pause) => {
                tracing::warn!(%error, profile, run = number, "the webhook is called again");
                tokio::time::sleep(error.after().unwrap_or_default().clamp(pause, LONGEST)).await;
            }
            None => {
                tracing::error!(%error, profile, run = number, "the webhook could not be told of a run");
                return false;
            }
        }
    }
}
