//! Profiles tried out: tested, also before they are kept, and rehearsed. Each in a thread of its own, as what comes from a
//! server may take long to read; nothing is stored.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_util::sync::CancellationToken;

use super::{profiles::by, state::Appliance};
use crate::{
    access::Caller,
    api::{Exit, Failure, Reply, StepLine, Written},
    archive::Store,
    config::{Config, DeleteWhen, Profile},
    kept,
    panics::blocking,
    profile::{Kept, probe, rehearse},
    route::{Directory, Signs, directory_of},
    token::Login,
};

/// Profiles that are tried out at once.
pub const TRIALS: usize = 4;
/// Steps of a test that nobody has taken yet.
const STEPS: usize = 64;
/// What a profile is called whose tokens are not to be kept in place of those of the one that runs.
const UNSAVED: &str = "@test ";

impl Appliance {
    /// Tests a profile, or what `written` would make of it.
    pub(super) async fn test_profile(
        &self,
        caller: &Caller,
        name: Option<String>,
        written: Option<Written>,
        replies: &mpsc::Sender<Reply>,
    ) -> Result<(), Failure> {
        let (config, store, by) = (self.config(), self.store.clone(), by(caller));
        let profile = match (name, written) {
            (name, Some(written)) => {
                let (config, store) = (config.clone(), store.clone());
                let read = move || kept::read(&config, &store, name.as_deref(), &written, by);
                blocking("checking a profile", read).await??
            }
            (Some(name), None) => self.named(&config, &name)?,
            (None, None) => return Err(Failure::usage("say which profile is to be tested")),
        };
        let (told, mut steps) = mpsc::channel(STEPS);
        let mut testing = std::pin::pin!(self.try_out(replies, move |_| async move {
            let directory = directory_of(&store, Signs::new(&config))?;
            let name = profile.name.clone();
            let profile = unsaved(&config, profile);
            let mut probe = probe(&config, &profile, directory, Some(told)).await?;
            probe.profile = name;
            json(&probe)
        }));
        let found = loop {
            tokio::select! {
                found = &mut testing => break found?,
                Some(step) = steps.recv() => tell(replies, step).await,
            }
        };
        while let Ok(step) = steps.try_recv() {
            tell(replies, step).await;
        }
        // Whoever asked may be gone.
        let _ = replies.send(Reply::Tested(Box::new(found))).await;
        Ok(())
    }

    /// What a run of a profile would do.
    pub(super) async fn rehearse(&self, name: &str, replies: &mpsc::Sender<Reply>) -> Result<(), Failure> {
        let (config, store) = (self.config(), self.store.clone());
        let profile = self.named(&config, name)?;
        let told = replies.clone();
        let rehearsing = move |cancel: CancellationToken| async move {
            let directory: Directory = directory_of(&store, Signs::new(&config))?;
            let kept = kept_of(&store, &profile)?;
            let (login, most) = (Login::new(&config, &profile), config.limits.max_message_size.0);
            let watch = move |done, expected| drop(told.try_send(Reply::Rehearsing { done, expected }));
            json(&rehearse(&profile, &login, directory, most, kept.as_ref(), &cancel, &watch).await?)
        };
        let counted = self.try_out(replies, rehearsing).await?;
        let _ = replies.send(Reply::Rehearsed(Box::new(counted))).await;
        Ok(())
    }

    /// A turn to try something out.
    ///
    /// # Errors
    /// Too much is being tried out already.
    pub(super) fn turn(&self) -> Result<OwnedSemaphorePermit, Failure> {
        self.trials.clone().try_acquire_owned().map_err(|_| {
            let error = format!("{TRIALS} things are being tried out already: wait until one of them has ended");
            Failure::new(Exit::Errors, error)
        })
    }

    /// Does something with a server on a thread of its own, until nobody reads the replies any more.
    async fn try_out<F>(
        &self,
        replies: &mpsc::Sender<Reply>,
        trial: impl FnOnce(CancellationToken) -> F + Send + 'static,
    ) -> Result<serde_json::Value, Failure>
    where
        F: Future<Output = Result<serde_json::Value, Failure>>,
    {
        let turn = self.turn()?;
        let cancel = self.trials_end.child_token();
        // What is begun on the way and must go on to its end, as the renewal of a token, does so where this came from.
        let handle = tokio::runtime::Handle::current();
        let (asked, gone) = (cancel.clone(), cancel.clone());
        let work = move || {
            let _turn = turn;
            handle.block_on(async {
                tokio::select! {
                    biased;
                    done = trial(asked) => done,
                    () = gone.cancelled() => Err(Failure::interrupted()),
                }
            })
        };
        let mut working = std::pin::pin!(blocking("trying a profile out", work));
        loop {
            tokio::select! {
                done = &mut working => return done?,
                () = replies.closed(), if !cancel.is_cancelled() => cancel.cancel(),
            }
        }
    }

    fn named(&self, config: &Config, name: &str) -> Result<Profile, Failure> {
        let profile = config.profile(name).cloned();
        profile.map_err(|_| self.does_not_know(name))
    }
}

async fn tell(replies: &mpsc::Sender<Reply>, step: StepLine) {
    let _ = replies.send(Reply::Step(step)).await;
}

/// The archive, where the profile deletes what is in it.
fn kept_of(store: &Arc<Store>, profile: &Profile) -> Result<Option<Kept>, Failure> {
    match profile.delete.when {
        DeleteWhen::Never => Ok(None),
        DeleteWhen::Archived => Ok(Some(Kept::new(store.clone(), profile)?)),
    }
}

/// With another name where one of its name runs and is another: a token that its endpoint gives for this one is not that
/// one's.
fn unsaved(config: &Config, profile: Profile) -> Profile {
    match config.profile(&profile.name) {
        Ok(running) if *running != profile => Profile {
            name: format!("{UNSAVED}{}", profile.name),
            ..profile
        },
        _ => profile,
    }
}

fn json(found: &impl serde::Serialize) -> Result<serde_json::Value, Failure> {
    serde_json::to_value(found).map_err(|error| Failure::new(Exit::Errors, error))
}
