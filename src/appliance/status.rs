//! How the appliance stands, for `status` and for whoever asks whether it is ready.

use std::{borrow::Cow, sync::atomic::Ordering};

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::{index::index_line, state::Appliance, supervised::Supervised};
use crate::{
    api::{ApplianceLine, Failure, ProfileLine, Reply, VerifiedLine},
    archive::{CATCHALL_ID, Store, StoreError},
    clock, config,
    panics::{blocking, survived},
    profile::Standing,
    report::{self, metrics},
    route::LookAtUsers,
};

impl Appliance {
    /// Why mail cannot be archived; `None` where it can: the store takes writes, the router and the supervisors are
    /// there.
    pub fn not_ready(&self) -> Option<Cow<'static, str>> {
        if !self.committer.is_open() {
            return Some("the archive cannot be written any more; see the log, then restart dropkeep".into());
        }
        if let Some(trouble) = self.store.trouble() {
            return Some(trouble.in_short().into());
        }
        if !self.router.connected() {
            return Some("the router has stopped; this is a bug in dropkeep".into());
        }
        let all = self.profiles().iter().all(|profile| profile.supervisor.connected());
        (!all).then_some("a supervisor has stopped; this is a bug in dropkeep".into())
    }

    /// Has it looked whether all of the archive is there, on a thread that may wait for the disk; the answer is part of
    /// the next [`not_ready`](Self::not_ready).
    pub fn look(&self) {
        if self.looking.swap(true, Ordering::AcqRel) {
            return;
        }
        let (store, looking) = (self.store.clone(), self.looking.clone());
        actix_rt::task::spawn_blocking(move || {
            // What is wrong is remembered.
            let _ = survived("looking at the archive", || store.look());
            looking.store(false, Ordering::Release);
        });
    }

    /// Logs what will run, and when: an appliance that is to archive nothing by itself says so at its start.
    pub fn log_plan(&self) {
        let config = self.config();
        for profile in &config.profile {
            // There is one for each at the start.
            let Ok(supervised) = self.profile(&profile.name) else {
                continue;
            };
            let (name, schedule) = (&profile.name, &profile.schedule);
            let next = next_run(profile, &supervised.standing.borrow());
            match next.map(report::timestamp) {
                Some(next_run) => {
                    tracing::info!(profile = name, %schedule, %next_run, "the profile runs by its schedule")
                }
                None => tracing::info!(
                    profile = name, %schedule,
                    "the profile runs only when `dropkeep archive {name}` is called; `schedule` makes it run by itself"
                ),
            }
        }
        if config.profile.is_empty() {
            let file = std::path::absolute(&config.file).unwrap_or_else(|_| config.file.clone());
            tracing::info!(
                "there is no profile, so nothing is archived: set one up in the console, or add a [[profile]] to {} and run \
                 `dropkeep reload`",
                file.display()
            );
        }
    }

    /// Each profile, in the configuration's order, and then the appliance.
    pub(super) async fn status(&self, replies: &mpsc::Sender<Reply>) -> Result<(), Failure> {
        for profile in &self.config().profile {
            // One that the configuration lost meanwhile is no matter.
            let Ok(supervised) = self.profile(&profile.name) else {
                continue;
            };
            let line = self.profile_line(profile, &supervised);
            // Whoever asked may be gone.
            let _ = replies.send(Reply::Profile(Box::new(line))).await;
        }
        let line = self.line().await?;
        let _ = replies.send(Reply::Appliance(Box::new(line))).await;
        Ok(())
    }

    fn profile_line(&self, profile: &config::Profile, supervised: &Supervised) -> ProfileLine {
        let (live, standing) = (supervised.live.borrow(), supervised.standing.borrow());
        ProfileLine {
            profile: profile.name.clone(),
            schedule: profile.schedule.to_string(),
            watching: standing.watching,
            since: report::timestamp(supervised.since),
            state: standing.state(live.busy).to_owned(),
            run: live.run.as_ref().map(|run| run.run),
            seen: live.run.as_ref().map_or(0, |run| run.counts.seen),
            expected: live.expected,
            silent_seconds: standing.silent,
            stall_timeout_seconds: profile.stall_timeout.0.as_secs(),
            failing: standing.failing.clone(),
            last: standing.last.clone(),
            last_success: standing.last_success.map(report::timestamp),
            next_run: standing.next_run.map(report::timestamp),
            interval_seconds: standing.interval.map(|interval| interval.as_secs()),
            open: standing.open,
        }
    }

    /// Why the last configuration was refused. A users file that was put right is taken over without a reload.
    async fn refused(&self) -> Option<String> {
        let get = || self.refused.lock().clone();
        let refused = get()?;
        let file = self.running().stages.users_file.clone();
        if refused.by_users_file
            && let Some(file) = file
            && let Ok(None) = file.send(LookAtUsers).await
        {
            self.refused.lock().take();
            metrics::configuration_ok();
            tracing::info!("the users file is right again");
            return None;
        }
        Some(refused.why)
    }

    async fn line(&self) -> Result<ApplianceLine, Failure> {
        let store = self.store.clone();
        // The users may be very many.
        let measured = blocking("measuring the archive", move || {
            // What is missing is said by why it is not ready.
            let _ = store.look();
            let (users, (messages, raw), news, rounds) = match store.can_be_read() {
                true => (
                    count_people(&store)?,
                    store.totals()?,
                    store.users_news()?,
                    (store.verified()?, store.last_backup()?),
                ),
                false => Default::default(),
            };
            Ok::<_, Failure>((users, messages, raw, news, rounds, store.disk_size(), store.disk()))
        });
        let ((users, retired_users), messages, raw_bytes, news, (rounds, backup), stored_bytes, disk) =
            measured.await??;
        Ok(ApplianceLine {
            version: crate::version::version().to_owned(),
            serving: self.scheduled,
            since: report::timestamp(self.started),
            not_ready: match self.store.trouble() {
                Some(trouble) if self.committer.is_open() => Some(trouble.to_string()),
                _ => self.not_ready().map(Cow::into_owned),
            },
            configuration_refused: self.refused().await,
            users_retired: news.retired_words(),
            not_filed: self.backlogs.words(&news),
            users,
            retired_users,
            messages,
            raw_bytes,
            stored_bytes,
            verified: self
                .config()
                .archive
                .verify
                .within()
                .filter(|_| self.scheduled)
                .map(|every| VerifiedLine {
                    every_seconds: every.as_secs(),
                    last: rounds.last.map(report::timestamp),
                    all: rounds.all.map(report::timestamp),
                    oldest: rounds.oldest().map(report::timestamp),
                    late: rounds.is_late(every, clock::now()),
                    damages: rounds.damages,
                }),
            backup,
            free_bytes: disk.map(|(free, _)| free),
            disk_bytes: disk.map(|(_, size)| size),
            index: Some(index_line(&self.search).await?),
            unaccounted_copies: report::unaccounted(),
        })
    }
}

/// Users of the archive without `@catchall`, and how many more are retired.
fn count_people(store: &Store) -> Result<(u64, u64), StoreError> {
    let (mut active, mut retired) = (0, 0);
    store.each_user(|id, user| match user.retired {
        true => retired += 1,
        false => active += u64::from(id != CATCHALL_ID),
    })?;
    Ok((active, retired))
}

/// When a profile's schedule begins its next run, seen from the start of the appliance.
fn next_run(profile: &config::Profile, standing: &Standing) -> Option<Timestamp> {
    let now = clock::now();
    let last = standing.last.as_ref().map(|last| last.started_at);
    let due = profile.schedule.next(&profile.timezone, last, now, now);
    let due = standing.next(due, now)?.max(now);
    Some(profile.pause.end(due.to_zoned(profile.timezone.get())).timestamp())
}
