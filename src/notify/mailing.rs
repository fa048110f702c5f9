//! The worker that sends mail: about runs as they end, and once a day about all of them.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};

use super::{
    Digests, Inner, NotifyError,
    digest::{self, Gathered, Line, Window},
    letter,
    settings::Settings,
    smtp,
    text::{self, Words},
    troubles::Noted,
};
use crate::{
    archive::{Change, Committer, Store, StoreError},
    clock,
    config::{Mail, Mailbox},
    panics::survived_async,
    report::{Run, metrics, timestamp},
};

/// Pauses between the attempts for one mail: some servers ask strangers to come again in minutes.
const PAUSES: [Duration; 5] = [
    Duration::from_secs(2),
    Duration::from_secs(15),
    Duration::from_secs(60),
    Duration::from_secs(300),
    Duration::from_secs(600),
];
/// How often it is looked whether a digest is due.
const LOOK: Duration = Duration::from_secs(5);
/// How long after a digest that could not be sent the next attempt is.
const AGAIN: Duration = Duration::from_secs(1800);

pub(super) struct Mailing {
    inner: Arc<Inner>,
    store: Arc<Store>,
    committer: Committer,
    digests: Digests,
    /// As it is in the store.
    noted: Noted,
    /// A digest that did not reach everyone yet.
    unsent: Option<Unsent>,
}

struct Unsent {
    until: Timestamp,
    /// Those who have it.
    sent: Vec<Vec<Mailbox>>,
    tried: Instant,
}

impl Mailing {
    pub fn new(inner: Arc<Inner>, store: Arc<Store>, committer: Committer, digests: Digests) -> Self {
        Self {
            inner,
            store,
            committer,
            digests,
            noted: Noted::default(),
            unsent: None,
        }
    }

    pub async fn work(mut self) {
        self.read_noted().await;
        let inner = self.inner.clone();
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            // What panicked is on standard error, and lost.
            tokio::select! {
                biased;
                (run, _busy) = inner.mail.next() => {
                    let _ = survived_async("sending mail", self.told(&run)).await;
                    if self.digests == Digests::WithRuns {
                        let _ = survived_async("sending a digest", self.look()).await;
                    }
                }
                _ = look.tick(), if self.digests == Digests::OnTime => {
                    let _ = survived_async("sending a digest", self.look()).await;
                }
            }
        }
    }

    async fn read_noted(&mut self) {
        let store = self.store.clone();
        let read = reading(move || store.notified()).await;
        match read.map(|json| json.map(|json| serde_json::from_str(&json))) {
            Ok(None) => {}
            Ok(Some(Ok(noted))) => self.noted = noted,
            Ok(Some(Err(error))) => tracing::warn!(%error, "what was told of runs is not known any more"),
            Err(error) => tracing::warn!(%error, "what was told of runs cannot be read"),
        }
        let settings = self.inner.settings();
        self.noted
            .troubles
            .retain(|profile, _| settings.profiles.contains_key(profile));
    }

    async fn keep_noted(&self) {
        let kept = match serde_json::to_string(&self.noted) {
            Ok(json) => self.committer.change(Change::Notified(json)).await.map(drop),
            Err(error) => return tracing::error!(%error, "what was told of runs does not become JSON"),
        };
        if let Err(error) = kept {
            tracing::warn!(%error, "what was told of runs is not noted, and may be told again after a restart");
        }
    }

    /// Sends the mail about a run, where there is to be one.
    async fn told(&mut self, run: &Run) {
        let settings = self.inner.settings();
        let Some((mail, to, when)) = settings.mail_for(&run.profile) else {
            return;
        };
        let before = self.noted.clone();
        if let Some(occasion) = self.noted.judge(run, when, clock::now()) {
            let words = text::of_run(run, &occasion, &smtp::host_name());
            if deliver(mail, to, &words, run.run).await {
                self.noted.sent(run, &occasion, clock::now());
            }
        }
        if self.noted != before {
            self.keep_noted().await;
        }
    }

    /// Sends the digest, where it is due.
    async fn look(&mut self) {
        let settings = self.inner.settings();
        let Some(mail) = &settings.mail else { return };
        let groups = groups(&settings);
        if groups.is_empty() {
            return;
        }
        let now = clock::now();
        // Protocols say whole seconds: the last one that is over.
        let second = timestamp(now)
            .saturating_sub(SignedDuration::from_secs(1))
            .unwrap_or(now);
        let last = match self.noted.digest_until {
            // A clock that was set back must not put it off until it is there again.
            Some(last) if last <= now => last,
            _ => {
                self.noted.digest_until = Some(second);
                return self.keep_noted().await;
            }
        };
        let waits = |unsent: &Unsent| unsent.tried.elapsed() < AGAIN;
        let due_at = digest::due_at(&now.to_zoned(mail.timezone.get()), mail.digest_at.0);
        if last >= due_at || self.unsent.as_ref().is_some_and(waits) {
            return;
        }
        let inner = self.inner.clone();
        let _busy = inner.mail.busy();
        // What reached some is the same for the others; a day later it is another one.
        let unsent = self.unsent.take().filter(|unsent| unsent.until >= due_at);
        let (until, mut sent) = unsent.map_or((second, Vec::new()), |unsent| (unsent.until, unsent.sent));
        let window = Window {
            since: last,
            until,
            running: self.noted.digest_running.clone(),
        };
        let (store, of) = (self.store.clone(), window.clone());
        let gathered = match reading(move || digest::gather(&store, &of)).await {
            Ok(gathered) => gathered,
            Err(error) => return tracing::error!(%error, "the protocols for the daily mail cannot be read"),
        };
        for (to, profiles) in &groups {
            if sent.iter().any(|known| known == to) {
                continue;
            }
            let words = self.words(&settings, to, profiles, &gathered, &window).await;
            if deliver(mail, to, &words, 0).await {
                sent.push(to.to_vec());
            }
        }
        if sent.len() < groups.len() {
            let tried = Instant::now();
            self.unsent = Some(Unsent { until, sent, tried });
            return;
        }
        self.noted.digest_until = Some(until);
        self.noted.digest_running = gathered.running;
        self.keep_noted().await;
    }

    async fn words(
        &self,
        settings: &Settings,
        to: &[Mailbox],
        profiles: &[&str],
        gathered: &Gathered,
        window: &Window,
    ) -> Words {
        let mut lines = Vec::new();
        for profile in profiles {
            let (store, name) = (self.store.clone(), (*profile).to_owned());
            let last_success = reading(move || last_success(&store, &name)).await.unwrap_or_default();
            lines.push(Line {
                profile,
                sums: gathered.profiles.get(*profile),
                last_success,
            });
        }
        // Runs of what is no profile any more, or never was one, for those who get what is for all.
        let for_all = settings
            .mail
            .as_ref()
            .is_some_and(|mail| mail.when.daily && mail.to == to);
        let others = gathered.profiles.iter();
        let others = others.filter(|(name, _)| for_all && !settings.profiles.contains_key(*name));
        lines.extend(others.map(|(name, sums)| Line {
            profile: name,
            sums: Some(sums),
            last_success: None,
        }));
        digest::of_day(&lines, window, &smtp::host_name())
    }
}

/// Who gets a digest, and of which profiles.
fn groups(settings: &Settings) -> Vec<(&[Mailbox], Vec<&str>)> {
    let mut groups: Vec<(&[Mailbox], Vec<&str>)> = Vec::new();
    for profile in settings.profiles.keys() {
        let Some((_, to, when)) = settings.mail_for(profile) else {
            continue;
        };
        if !when.daily {
            continue;
        }
        match groups.iter_mut().find(|(known, _)| *known == to) {
            Some((_, profiles)) => profiles.push(profile),
            None => groups.push((to, vec![profile])),
        }
    }
    groups
}

fn last_success(store: &Store, profile: &str) -> Result<Option<Timestamp>, StoreError> {
    let Some(latest) = store.latest_runs(profile)? else {
        return Ok(None);
    };
    let run: Option<Run> = store
        .run(latest.completed)?
        .and_then(|json| serde_json::from_str(&json).ok());
    Ok(run.and_then(|run| run.finished_at))
}

async fn reading<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let read = actix_rt::task::spawn_blocking(read).await;
    read.unwrap_or_else(|_| {
        Err(StoreError::Fault {
            detail: "reading protocols panicked".into(),
        })
    })
}

/// Sends a mail, and tries again where that may help; whether it was sent.
async fn deliver(mail: &Mail, to: &[Mailbox], words: &Words, run: u64) -> bool {
    let mut pauses = PAUSES.into_iter();
    loop {
        let error = match attempt(mail, to, words, run).await {
            Ok(()) => {
                metrics::notified("mail", true);
                return true;
            }
            Err(error) => error,
        };
        match pauses.next().filter(|_| !error.is_final()) {
            Some(pause) => {
                tracing::warn!(%error, run, ?pause, "a mail is sent again");
                tokio::time::sleep(pause).await;
            }
            None => {
                tracing::error!(%error, run, subject = words.subject, "a mail could not be sent");
                metrics::notified("mail", false);
                return false;
            }
        }
    }
}

async fn attempt(mail: &Mail, to: &[Mailbox], words: &Words, run: u64) -> Result<(), NotifyError> {
    let (envelope, bytes) = letter::write(mail, to, words, clock::now())?;
    for (address, words) in smtp::send(mail, &envelope, &bytes).await? {
        tracing::error!(%address, words, run, "the server does not take a mail for one of those it is for");
    }
    Ok(())
}
