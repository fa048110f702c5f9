//! The appliance verifies its archive by itself: a portion each night, in a process beside it that gives way to
//! everybody else.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{VerifyError, found::Found, rounds::Rounds, supervise::verify_portion};
use crate::{
    archive::{
        Committer, Store, StoreError,
        memo::{self, Memo},
        order::Tidying,
    },
    clock,
    config::{Config, DailyHours, VerifyEvery},
    report::metrics,
    said::Said,
};

/// How long after one that failed the next one may come.
const AGAIN: Duration = Duration::from_secs(3600);

/// Who is told, in words, what was found damaged.
pub type TellDamage = Box<dyn Fn(Said) + Send>;

pub struct Nightly {
    store: Arc<Store>,
    committer: Committer,
    config: Config,
    /// All is to be verified within this time; `None` where nobody wants that.
    every: Option<Duration>,
    tell: TellDamage,
    /// When one was begun that did not come to its end.
    failed: Option<Instant>,
    is_begun: bool,
}

impl Nightly {
    /// `every`: within which time all of the archive is to be verified.
    pub fn new(
        store: Arc<Store>,
        committer: Committer,
        every: VerifyEvery,
        volume_size: crate::config::ByteSize,
        tell: TellDamage,
    ) -> Self {
        let mut config = Config {
            data_dir: store.path().to_owned(),
            ..Config::default()
        };
        config.archive.volume_size = volume_size;
        Self {
            store,
            committer,
            config,
            every: every.within(),
            tell,
            failed: None,
            is_begun: false,
        }
    }

    /// Verifies what is due, if it is time: in the hours `quiet`, at any time where there are none. Blocking, for as
    /// long as it takes and `go_on` says yes.
    ///
    /// # Errors
    /// It cannot be read what was verified before, or not be noted what was now.
    pub fn look(&mut self, quiet: DailyHours, go_on: &dyn Fn() -> bool) -> Result<(), StoreError> {
        let Some(every) = self.every else { return Ok(()) };
        let mut rounds = self.store.verified()?;
        let now = clock::now();
        if !self.is_begun {
            if rounds.since.is_none() {
                rounds.since = Some(now);
                self.keep(&rounds)?;
            }
            measure(every, &rounds);
            self.is_begun = true;
        }
        let is_time = quiet == DailyHours::Never || quiet.include(&clock::here());
        let is_soon = self.failed.is_some_and(|failed| failed.elapsed() < AGAIN);
        let is_free = self.store.tidying.is_free();
        let Some(portion) = rounds.due(every, now).filter(|_| is_time && !is_soon && is_free) else {
            return Ok(());
        };
        let mut found = Found::default();
        self.failed = Some(Instant::now());
        let (outcome, reached) =
            match verify_portion(&self.config, portion.clone(), go_on, &mut |event| found.take(event)) {
                Ok(verified) => verified,
                Err(VerifyError::Interrupted) => return Ok(()),
                Err(error) => {
                    tracing::error!(%error, "cannot verify the archive");
                    return Ok(());
                }
            };
        self.failed = None;
        let took = clock::now().duration_since(now).as_secs();
        let (messages, bytes, damages) = (outcome.messages, outcome.bytes, outcome.damages);
        match found.words(damages) {
            None => tracing::info!(
                messages,
                bytes,
                seconds = took,
                "verified a part of the archive: nothing is damaged"
            ),
            Some(words) => {
                tracing::error!(messages, bytes, seconds = took, damages, "{words}");
                (self.tell)(words);
            }
        }
        rounds.verified(&portion, reached, damages, (now, clock::now()));
        measure(every, &rounds);
        self.keep(&rounds)
    }

    fn keep(&self, rounds: &Rounds) -> Result<(), StoreError> {
        self.committer
            .tidy(Tidying::Memo(Memo::Verified, memo::text(rounds)?))
            .map(drop)
    }
}

fn measure(every: Duration, rounds: &Rounds) {
    let second = |time: Option<jiff::Timestamp>| time.map_or(0, jiff::Timestamp::as_second);
    metrics::verified(every, second(rounds.all), second(rounds.oldest()), rounds.damages);
}

impl Store {
    /// What is remembered of what the appliance verified; nothing where it did not, or where a later version noted it.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn verified(&self) -> Result<Rounds, StoreError> {
        Ok(self.memo(Memo::Verified)?.unwrap_or_default())
    }
}
