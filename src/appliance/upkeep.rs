//! The upkeep of the store that is asked for: verifying, compacting, and how far these and the search index are.

use std::hash::{BuildHasher, RandomState};

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{index::index_line, runs::keep_telling, state::Appliance};
use crate::{
    api::{Code, DamageLine, Exit, Failure, Reply, Upkeep, Verification, VerificationLine, Wrong},
    archive::{
        UsersNews,
        verify::{Damage, Event, Found, Outcome, Sample, Selection, VerifyError, verify_beside},
    },
    clock, compaction,
    panics::blocking,
    report::timestamp,
};

impl Appliance {
    /// Reads the archive back, or a random share of it; what came of it is kept.
    pub(super) async fn verify(&self, percent: Option<f64>, replies: &mpsc::Sender<Reply>) -> Result<(), Failure> {
        if let Some(percent) = percent.filter(|percent| !(*percent > 0.0 && *percent <= 100.0)) {
            let error = format!("{percent} is no share: write a number above 0 and up to 100");
            return Err(Failure::usage(error).for_that(Wrong::from(Code::NoShare)));
        }
        let going_on = self.verification.errand.begin()?;
        self.verification
            .goes_on(Reply::Verifying { done: 0, expected: 0 }, replies);
        let begun_at = timestamp(clock::now());
        let verified = self.read_back(percent, going_on.stop.clone(), replies).await;
        let kept = match verified {
            Ok((outcome, found)) => {
                let line = self.verification_line(begun_at, percent, outcome, found);
                let kept = self.committer.put_verification(&line).await;
                kept.map(|()| line).map_err(Failure::from)
            }
            Err(panicked) => Err(panicked),
        };
        let reply = kept.as_ref().ok().map(|line| Reply::Verified(Box::new(line.clone())));
        self.verification.ended(reply, replies).await;
        let line = kept?;
        match line.why {
            Some(why) => Err(Failure::new(Exit::Store, why)),
            None => Ok(()),
        }
    }

    /// Reads back, in a process beside this one that gives way to everybody else.
    async fn read_back(
        &self,
        percent: Option<f64>,
        stop: CancellationToken,
        replies: &mpsc::Sender<Reply>,
    ) -> Result<(Result<Outcome, VerifyError>, Found), Failure> {
        let config = self.config();
        let seed = RandomState::new().hash_one(()) >> 32;
        let selection = Selection {
            sample: percent.map(|percent| Sample {
                share: percent / 100.0,
                seed,
            }),
            ..Selection::default()
        };
        let (told, mut telling) = mpsc::channel(1);
        let work = async move {
            blocking("the verification", move || {
                let mut found = Found::default();
                let mut each = |event| match event {
                    // Where the one before is not passed on yet, a later one says the same.
                    Event::Progress { bytes, of, .. } => drop(told.try_send((bytes, of))),
                    event => found.take(event),
                };
                let outcome = verify_beside(&config, &selection, &|| !stop.is_cancelled(), &mut each);
                (outcome, found)
            })
            .await
        };
        let passed_on = async {
            while let Some((done, of)) = telling.recv().await {
                let expected = of.max(done);
                self.verification.goes_on(Reply::Verifying { done, expected }, replies);
            }
        };
        let (verified, ()) = tokio::join!(work, passed_on);
        verified.map_err(|panicked| Failure::new(Exit::Store, panicked))
    }

    /// How it is reported. Damage is said in the log and in the next protocol, too.
    fn verification_line(
        &self,
        begun_at: Timestamp,
        percent: Option<f64>,
        outcome: Result<Outcome, VerifyError>,
        found: Found,
    ) -> VerificationLine {
        let (state, why) = match &outcome {
            Ok(outcome) if outcome.ok => (Verification::Intact, None),
            Ok(_) => (Verification::Damaged, None),
            Err(VerifyError::Interrupted) => (Verification::Interrupted, None),
            Err(error) => (Verification::Failed, Some(error.to_string())),
        };
        let (messages, bytes, counted) =
            outcome.map_or((0, 0, 0), |outcome| (outcome.messages, outcome.bytes, outcome.damages));
        // Of one that was ended, what it had found by then.
        let damages = counted.max(found.damages.len() as u64);
        if let Some(words) = found.words(damages) {
            tracing::error!(damages, "{words}");
            let notices = &self.running().stages.next_notices;
            notices.put(vec![words], UsersNews::default());
        }
        VerificationLine {
            begun_at,
            ended_at: timestamp(clock::now()),
            percent,
            state,
            why,
            messages,
            bytes,
            damages,
            what_to_do: found.what_to_do(self.store.path()),
            notes: found.notes,
            found: found.damages.into_iter().map(DamageLine::from).collect(),
        }
    }

    pub(super) async fn compact(&self, replies: &mpsc::Sender<Reply>) -> Result<(), Failure> {
        let going_on = self.compaction.errand.begin()?;
        self.compaction
            .goes_on(Reply::Compacting { done: 0, expected: 0 }, replies);
        let (told, mut telling) = mpsc::channel(1);
        let tell = move |done, expected| {
            // Where the one before is not passed on yet, a later one says the same.
            let _ = told.try_send((done, expected));
        };
        let work = compaction::run(self.store.clone(), self.committer.clone(), &going_on, tell);
        let passed_on = async {
            while let Some((done, expected)) = telling.recv().await {
                self.compaction.goes_on(Reply::Compacting { done, expected }, replies);
            }
        };
        let (compacted, ()) = tokio::join!(work, passed_on);
        let reply = compacted
            .as_ref()
            .ok()
            .map(|line| Reply::Compacted(Box::new(line.clone())));
        self.compaction.ended(reply, replies).await;
        compacted.map(drop)
    }

    /// Says how far it is, and how it ended.
    pub(super) async fn watch_upkeep(&self, upkeep: Upkeep, replies: &mpsc::Sender<Reply>) -> Result<(), Failure> {
        let look = async || match upkeep {
            Upkeep::Verification => match self.verification.said() {
                Some(said) => Ok(Some(said)),
                None => {
                    let last = self.store.last_verification()?;
                    Ok(last.map(|line| (Reply::Verified(Box::new(line)), true)))
                }
            },
            Upkeep::Compaction => Ok(self.compaction.said()),
            Upkeep::Index => {
                let line = index_line(&self.search).await?;
                Ok(Some(match line.state == "building" {
                    true => {
                        let (done, expected) = (line.documents, line.messages);
                        (Reply::Indexing { done, expected }, false)
                    }
                    false => (Reply::Index(Box::new(line)), true),
                }))
            }
        };
        keep_telling(replies, look).await
    }
}

impl From<Damage> for DamageLine {
    fn from(damage: Damage) -> Self {
        Self {
            kind: damage.kind.as_str().to_owned(),
            id: damage.id,
            user: damage.user,
            volume: damage.volume,
            detail: damage.detail,
        }
    }
}
