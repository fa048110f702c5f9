//! Reports about runs, besides their protocols: by mail, and by a webhook.
//!
//! When a run ends, its protocol is put into a [`Queue`](queue::Queue), and the run goes on. Workers take it from
//! there: they send, try again where that may help, and give up with a line in the log. So nothing here fails a run or
//! delays it.
//!
//! - `troubles` says whether a run is worth a mail, `digest` sums a day up, `text` has the words (pure).
//! - `letter` writes a mail, `smtp` hands it over, `webhook` calls. `mailing` (with `daily`, each `attempt`, and what
//!   is `waiting` for the next one) and `calling` are the workers.
//! - `trial` is `dropkeep notify --test`.

mod attempt;
mod calling;
mod daily;
mod digest;
mod error;
mod letter;
mod mailing;
mod queue;
mod settings;
mod smtp;
mod text;
mod trial;
mod troubles;
mod waiting;
mod webhook;

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinHandle};

use crate::{
    archive::{Committer, Store},
    config::Config,
    report::{Run, metrics},
};
use queue::Queue;
use settings::Settings;

pub use error::NotifyError;
pub use trial::{Trial, trial};

/// How many runs may wait for a mail, or for a webhook. Few, because a protocol may list a thousand errors.
const WAITING: usize = 50;

/// Reports runs that ended. Clones share their queues and settings. The default one reports to nobody.
#[derive(Clone, Default)]
pub struct Notifier {
    inner: Arc<Inner>,
}

struct Inner {
    settings: watch::Sender<Arc<Settings>>,
    mail: Queue<Arc<Run>>,
    calls: Queue<Arc<Run>>,
}

impl Default for Inner {
    fn default() -> Self {
        Self {
            settings: watch::Sender::default(),
            mail: Queue::new(WAITING),
            calls: Queue::new(WAITING),
        }
    }
}

/// When workers send a digest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Digests {
    /// At their time of the day.
    OnTime,
    /// With the end of a run, where one is due: nobody stays to wait for the time.
    WithRuns,
}

/// The workers; they end with this.
pub struct Workers(Vec<JoinHandle<()>>);

impl Drop for Workers {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

impl Notifier {
    pub fn new(config: &Config) -> Self {
        let notifier = Self::default();
        notifier.reconfigure(config);
        notifier
    }

    /// From now on it reports as `config` says.
    pub fn reconfigure(&self, config: &Config) {
        self.inner.settings.send_replace(Arc::new(Settings::new(config)));
    }

    /// Starts what sends. Needs a running actix system.
    pub fn start(&self, store: Arc<Store>, committer: Committer, digests: Digests) -> Workers {
        let mailing = mailing::Mailing::new(self.inner.clone(), store, committer, digests);
        let calling = calling::work(self.inner.clone());
        Workers(vec![actix_rt::spawn(mailing.work()), actix_rt::spawn(calling)])
    }

    /// A run ended. Returns at once, whatever becomes of it.
    pub fn ended(&self, run: &Run) {
        let settings = self.inner.settings();
        let run = Arc::new(run.clone());
        if settings.mail_for(&run.profile).is_some() {
            self.inner.put(&self.inner.mail, "mail", run.clone());
        }
        if settings
            .webhook
            .as_ref()
            .is_some_and(|webhook| calling::is_wanted(webhook.when, &run))
        {
            self.inner.put(&self.inner.calls, "webhook", run);
        }
    }

    /// Waits until all is reported, or given up, but no longer than this; whether it is.
    pub async fn told(&self, most: Duration) -> bool {
        let told = async {
            self.inner.mail.emptied().await;
            self.inner.calls.emptied().await;
        };
        tokio::time::timeout(most, told).await.is_ok()
    }
}

impl Inner {
    fn settings(&self) -> Arc<Settings> {
        self.settings.borrow().clone()
    }

    fn put(&self, queue: &Queue<Arc<Run>>, kind: &'static str, run: Arc<Run>) {
        if let Some(dropped) = queue.put(run) {
            metrics::notified(kind, false);
            tracing::error!(
                kind,
                profile = dropped.profile,
                run = dropped.run.0,
                "too many runs wait to be reported, and the oldest is left out: the mail server or the webhook may be down"
            );
        }
    }
}
