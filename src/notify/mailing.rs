//! The worker that sends mail: about runs as they end, and once a day about all of them. Each thing it does is one
//! attempt at most; what is to be tried again waits with its time, and holds up nothing else.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::sync::watch;

use super::{
    Digests, Inner, WAITING,
    attempt::{reading, send},
    daily::Daily,
    queue::Busy,
    settings::Settings,
    smtp, text,
    troubles::{Noted, Occasion, fails},
    waiting::{PendingMail, Waiting},
};
use crate::{
    archive::{Committer, Store},
    clock,
    config::When,
    panics::survived_async,
    report::{Run, metrics},
};

/// How often it is looked whether a digest is due.
const LOOK: Duration = Duration::from_secs(5);

pub(super) struct Mailing {
    inner: Arc<Inner>,
    changes: watch::Receiver<Arc<Settings>>,
    store: Arc<Store>,
    committer: Committer,
    digests: Digests,
    /// What is reported, and how much of it is in the store.
    noted: Noted,
    kept: Noted,
    waiting: Waiting,
    daily: Daily,
}

impl Mailing {
    pub fn new(inner: Arc<Inner>, store: Arc<Store>, committer: Committer, digests: Digests) -> Self {
        Self {
            changes: inner.settings.subscribe(),
            store: store.clone(),
            committer,
            digests,
            noted: Noted::default(),
            kept: Noted::default(),
            waiting: Waiting::new(WAITING),
            daily: Daily::new(inner.clone(), store),
            inner,
        }
    }

    pub async fn work(mut self) {
        self.read_noted().await;
        let inner = self.inner.clone();
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let looks = self.digests == Digests::OnTime || self.daily.is_behind();
            // What panicked is on standard error, and lost. What comes rarely stands first; runs that wait for the mail
            // of an earlier one take no time, so the last has its turn.
            tokio::select! {
                biased;
                Ok(()) = self.changes.changed() => self.changed(),
                _ = look.tick(), if looks => {
                    let _ = survived_async("sending a digest", self.look(clock::now())).await;
                }
                (run, busy) = inner.mail.next() => {
                    let started = run.started_at;
                    let _busy = inner.mail.busy();
                    let _ = survived_async("sending mail", self.ended(run, busy)).await;
                    if self.digests == Digests::WithRuns {
                        let _ = survived_async("sending a digest", self.look(started)).await;
                    }
                    // Who waits for the last mail may end the process then.
                    self.keep_noted().await;
                }
                entry = self.waiting.due() => {
                    let _ = survived_async("sending mail", self.attempt(entry)).await;
                }
            }
            self.keep_noted().await;
        }
    }

    async fn read_noted(&mut self) {
        let store = self.store.clone();
        let read = reading(move || store.notified()).await;
        match read.map(|json| json.map(|json| serde_json::from_str::<Noted>(&json))) {
            Ok(None) => {}
            Ok(Some(Ok(noted))) => self.noted = noted,
            Ok(Some(Err(error))) => {
                tracing::warn!(%error, "the note of which mails were sent is damaged; some may come twice")
            }
            Err(error) => {
                tracing::warn!(%error, "the note of which mails were sent cannot be read; some may come twice")
            }
        }
        self.kept = self.noted.clone();
        self.noted.retain(&self.inner.settings());
    }

    /// Notes durably what is not yet.
    async fn keep_noted(&mut self) {
        if self.noted == self.kept {
            return;
        }
        let kept = match serde_json::to_string(&self.noted) {
            Ok(json) => self.committer.put_notified(json).await,
            Err(error) => {
                return tracing::error!(%error, "the note of which mails were sent does not become JSON; this is a \
                    bug in dropkeep");
            }
        };
        match kept {
            Ok(()) => self.kept = self.noted.clone(),
            Err(error) => {
                tracing::warn!(%error, "which mails were sent could not be noted; some may come twice after a restart");
            }
        }
    }

    /// The settings are others: what failed for the old ones may not for these.
    fn changed(&mut self) {
        self.noted.retain(&self.inner.settings());
        self.waiting.anew();
        self.daily.anew(&mut self.noted);
    }

    /// A run ended.
    async fn ended(&mut self, run: Arc<Run>, busy: Busy) {
        let settings = self.inner.settings();
        let Some((_, _, when)) = settings.mail_for(&run.profile) else {
            return;
        };
        if self.waiting.hold(&run) {
            return;
        }
        if let Some(occasion) = self.noted.judge(&run, when, clock::now()) {
            self.attempt(PendingMail::new(run, occasion, busy)).await;
        }
    }

    /// Sends the mail about a run once, and what waited for it.
    async fn attempt(&mut self, mut entry: PendingMail) {
        loop {
            let settings = self.inner.settings();
            // The settings are the current ones: they may have been put right since the run.
            let wanted = settings.mail_for(&entry.run.profile);
            let wanted = wanted.filter(|(_, _, when)| is_wanted(*when, &entry));
            if let Some((mail, to, _)) = wanted {
                let (run, number) = (&entry.run, entry.run.run);
                let words = text::of_run(run, &entry.occasion, &smtp::host_name());
                match send(mail, to, &words, number).await {
                    Ok(()) => {
                        metrics::notified("mail", true);
                        self.noted.sent(run, &entry.occasion, clock::now());
                        self.keep_noted().await;
                    }
                    Err(error) => match entry.failed(&error) {
                        Some(pause) => {
                            tracing::warn!(%error, run = number.0, ?pause, "a mail could not be sent, and is tried \
                                again");
                            return self.wait(entry);
                        }
                        None => {
                            tracing::error!(%error, run = number.0, subject = words.subject, "a mail could not be sent");
                            metrics::notified("mail", false);
                        }
                    },
                }
            }
            // The next one of the profile, whose end is judged by what is told now.
            let Some((run, (_, _, when))) = entry.later.zip(settings.mail_for(&entry.run.profile)) else {
                return;
            };
            let Some(occasion) = self.noted.judge(&run, when, clock::now()) else {
                return;
            };
            entry = PendingMail::new(run, occasion, entry.busy);
        }
    }

    fn wait(&mut self, entry: PendingMail) {
        if let Some(dropped) = self.waiting.put(entry) {
            metrics::notified("mail", false);
            tracing::error!(
                profile = dropped.run.profile,
                run = dropped.run.run.0,
                "too many mails wait to be sent, and one is given up: the mail server may be down"
            );
        }
    }

    /// Sends the digests that are due; the first one is of what ended since then.
    async fn look(&mut self, since: Timestamp) {
        // Who waits for the last mail may end the process then: what was sent is noted, or it would be sent again.
        let _busy = self.inner.mail.busy();
        while self.daily.send_one(&mut self.noted, since).await {
            self.keep_noted().await;
        }
    }
}

/// Whether a mail that was to be sent is to be still.
fn is_wanted(when: When, entry: &PendingMail) -> bool {
    when.always || (when.errors && (entry.occasion != Occasion::Always || fails(&entry.run)))
}
