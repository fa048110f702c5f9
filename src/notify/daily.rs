//! Digests are sent: to each list of recipients on its own, so that one that cannot be reached lags alone.

use std::{collections::HashMap, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::{
    Inner,
    attempt::{reading, send},
    digest::{self, Gathered, ProfileDay, Window},
    queue::Busy,
    settings::Settings,
    smtp,
    text::Words,
    troubles::{Digested, Noted},
    waiting::PAUSES,
};
use crate::{
    archive::{RunId, Store, StoreError},
    clock,
    config::{Mail, Mailbox},
    report::{Run, metrics, timestamp},
};

/// How long after the last of the pauses between attempts each further one is.
const AGAIN: Duration = Duration::from_secs(1800);

pub(super) struct Daily {
    inner: Arc<Inner>,
    store: Arc<Store>,
    /// By whom they are for, those that could not be sent yet.
    failed: HashMap<String, Failed>,
}

struct Failed {
    attempts: usize,
    due: Instant,
    /// As long as the next attempt is soon.
    _busy: Option<Busy>,
}

/// What became of a digest.
enum Ended {
    Sent,
    Refused,
    /// It is tried again.
    Failed,
}

impl Daily {
    pub fn new(inner: Arc<Inner>, store: Arc<Store>) -> Self {
        Self {
            inner,
            store,
            failed: HashMap::new(),
        }
    }

    /// Whether some are to be tried again.
    pub fn is_behind(&self) -> bool {
        !self.failed.is_empty()
    }

    /// All are tried again at once: the settings are others.
    pub fn anew(&mut self, noted: &mut Noted) {
        self.failed.clear();
        for digested in noted.digests.values_mut() {
            digested.refused = None;
        }
    }

    /// Sends one of those that are due, unless none is; whether there may be another. It is noted by whoever asks: once
    /// it is sent, another that takes long or ends the process must not have it sent again. The first digest of whoever
    /// had none goes from `since` on.
    pub async fn send_one(&mut self, noted: &mut Noted, since: Timestamp) -> bool {
        let settings = self.inner.settings();
        let groups = groups(&settings);
        let now = clock::now();
        noted.digests_for(groups.iter().map(|(to, _)| list(to)), since, now);
        let Some(mail) = &settings.mail else { return false };
        self.failed.retain(|list, _| noted.digests.contains_key(list));
        for (to, profiles) in groups {
            let list = list(to);
            let Some(digested) = noted.digests.get_mut(&list) else {
                continue;
            };
            if !is_due(mail, digested, now) {
                self.failed.remove(&list);
                continue;
            }
            if self.failed.get(&list).is_some_and(|failed| failed.due > Instant::now()) {
                continue;
            }
            let until = end_of_second(now).await;
            let window = Window {
                since: digested.until,
                until,
                running: digested.running.clone(),
            };
            let (store, of) = (self.store.clone(), window.clone());
            let gathered = match reading(move || digest::gather(&store, &of)).await {
                Ok(gathered) => gathered,
                Err(error) => {
                    tracing::error!(%error, "the protocols for the daily mail cannot be read");
                    return false;
                }
            };
            let words = self.words(&settings, to, &profiles, &gathered, &window).await;
            match self.attempt(mail, to, &words).await {
                Ended::Sent => {
                    *digested = Digested {
                        until,
                        running: gathered.running,
                        refused: None,
                    }
                }
                Ended::Refused => digested.refused = Some(until),
                Ended::Failed => {}
            }
            return true;
        }
        false
    }

    async fn attempt(&mut self, mail: &Mail, to: &[Mailbox], words: &Words) -> Ended {
        let list = list(to);
        let error = match send(mail, to, words, RunId(0)).await {
            Ok(()) => {
                metrics::notified("mail", true);
                self.failed.remove(&list);
                return Ended::Sent;
            }
            Err(error) => error,
        };
        if error.is_refusal() {
            tracing::error!(%error, to = list, "the mail server refuses a daily mail, and it is given up; the next one covers its time too");
            metrics::notified("mail", false);
            self.failed.remove(&list);
            return Ended::Refused;
        }
        let attempts = self.failed.get(&list).map_or(0, |failed| failed.attempts);
        let soon = PAUSES.get(attempts).filter(|_| !error.is_final());
        match soon {
            Some(pause) => {
                tracing::warn!(%error, to = list, ?pause, "a daily mail could not be sent, and is tried again soon")
            }
            None => {
                tracing::error!(%error, to = list, pause = ?AGAIN, "a daily mail could not be sent, and is tried again");
                metrics::notified("mail", false);
            }
        }
        let failed = Failed {
            attempts: attempts + 1,
            due: Instant::now() + *soon.unwrap_or(&AGAIN),
            _busy: soon.map(|_| self.inner.mail.busy()),
        };
        self.failed.insert(list, failed);
        Ended::Failed
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
            let last_success = reading(move || last_success(&store, &name)).await.ok();
            lines.push(ProfileDay {
                profile,
                sums: gathered.profiles.get(*profile),
                last_success,
                due: !settings.by_hand.contains(*profile),
            });
        }
        // Runs of what is no profile any more, or never was one, for those who get what is for all.
        let for_all = settings
            .mail
            .as_ref()
            .is_some_and(|mail| mail.when.daily && mail.to == to);
        let others = gathered.profiles.iter();
        let others = others.filter(|(name, _)| for_all && !settings.profiles.contains_key(*name));
        lines.extend(others.map(|(name, sums)| ProfileDay {
            profile: name,
            sums: Some(sums),
            last_success: None,
            due: false,
        }));
        digest::of_day(&lines, window, &smtp::host_name())
    }
}

fn is_due(mail: &Mail, digested: &Digested, now: Timestamp) -> bool {
    let refused = digested.refused.filter(|refused| *refused <= now);
    let last = refused.map_or(digested.until, |refused| refused.max(digested.until));
    digest::is_due(now, &mail.timezone.get(), mail.digest_at.0, last)
}

/// Waits until this second is over, and says which it was. Protocols say whole seconds, so a digest goes until the last
/// one that is over; and the run that has just ended, maybe in this one, is to be in it.
async fn end_of_second(now: Timestamp) -> Timestamp {
    let second = timestamp(now);
    let over = second.saturating_add(SignedDuration::from_secs(1)).unwrap_or(now);
    tokio::time::sleep(over.duration_since(now).unsigned_abs()).await;
    second
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

/// How a list of recipients is noted.
fn list(to: &[Mailbox]) -> String {
    let names: Vec<_> = to.iter().map(|mailbox| mailbox.0.to_string()).collect();
    names.join(", ")
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
