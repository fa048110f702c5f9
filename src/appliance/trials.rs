//! Profiles tried out: tested, also before they are kept, and rehearsed. Each in a thread of its own, as what comes from a
//! server may take long to read; nothing is stored.

use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_util::sync::CancellationToken;

use super::{profiles::by, state::Appliance};
use crate::{
    access::Caller,
    api::{DeviceCodeLine, Exit, Failure, Reply, Spoken, StepLine, Written},
    config::{Config, Profile, Secret},
    kept,
    panics::blocking,
    profile::{Kept, Rehearsal, SoFar, Watched, probe, rehearse},
    route::{Directory, Signs, directory_of},
    said::Say,
    token::{Login, TokenError, begin_log_in, finish_log_in},
};

/// Profiles that are tried out at once.
pub const TRIALS: usize = 4;
/// Steps of a test that nobody has taken yet.
const STEPS: usize = 64;
/// What a profile is called whose tokens are not to be kept in place of those of the one that runs.
const UNSAVED: &str = "@test ";
/// How often it is said how far a rehearsal is, and of how many users.
const OFTEN: Duration = Duration::from_millis(250);
const USERS: usize = 20;

impl Appliance {
    /// Tests a profile, or what `written` would make of it.
    pub(super) async fn test_profile(
        &self,
        caller: &Caller,
        name: Option<String>,
        written: Option<Written>,
        replies: &mpsc::Sender<Reply>,
    ) -> Result<(), Failure> {
        let (config, store) = (self.config(), self.store.clone());
        // Whoever sets a profile up chooses among them.
        let lists_others = written.is_some();
        let profile = self.tried(caller, name, written).await?;
        let (told, mut steps) = mpsc::channel(STEPS);
        let watched = Watched { told, lists_others };
        let mut testing = std::pin::pin!(self.try_out(replies, move |_| async move {
            let directory = directory_of(&store, Signs::new(&config))?;
            let name = profile.name.clone();
            let profile = unsaved(&config, profile);
            let mut probe = probe(&config, &profile, directory, Some(watched)).await?;
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

    /// What a run of a profile would do, or of what `written` would make of it.
    pub(super) async fn rehearse(
        &self,
        caller: &Caller,
        name: Option<String>,
        written: Option<Written>,
        replies: &mpsc::Sender<Reply>,
    ) -> Result<(), Failure> {
        let (config, store) = (self.config(), self.store.clone());
        let profile = self.tried(caller, name, written).await?;
        let told = replies.clone();
        let rehearsing = move |cancel: CancellationToken| async move {
            let directory: Directory = directory_of(&store, Signs::new(&config))?;
            let kept = Kept::new(store.clone(), &profile)?;
            let (name, profile) = (profile.name.clone(), unsaved(&config, profile));
            let (login, most) = (Login::new(&config, &profile), config.limits.max_message_size.0);
            let last = Mutex::new(None::<Instant>);
            let watch = |so_far: SoFar<'_>| {
                let mut last = last.lock();
                if last.is_none_or(|last| last.elapsed() >= OFTEN) {
                    *last = Some(Instant::now());
                    // Whoever does not take them in time gets the next ones.
                    let _ = told.try_send(rehearsing_as(&so_far));
                }
            };
            let rehearsed = rehearse(&profile, &login, directory, most, Some(&kept), &cancel, &watch).await?;
            json(&Rehearsal {
                profile: name,
                ..rehearsed
            })
        };
        let counted = self.try_out(replies, rehearsing).await?;
        let _ = replies.send(Reply::Rehearsed(Box::new(counted))).await;
        Ok(())
    }

    /// Gives a code by which somebody logs in at a profile's token endpoint; or, with that, what they got.
    pub(super) async fn log_in_by_code(
        &self,
        caller: &Caller,
        name: Option<String>,
        written: Written,
        code: Option<Spoken>,
        replies: &mpsc::Sender<Reply>,
    ) -> Result<(), Failure> {
        let profile = self.tried(caller, name, Some(written)).await?;
        let timeout = profile.server.timeout();
        let Some(oauth2) = profile.server.oauth2 else {
            return Err(Failure::usage(
                "the profile logs in with a password: nobody has to log in for it",
            ));
        };
        let _turn = self.turn()?;
        let failed = |error: TokenError| Failure::of_key("server.oauth2.refresh_token", &error).saying(error.said());
        let reply = match code {
            None => {
                let given = begin_log_in(&oauth2, timeout).await.map_err(failed)?;
                Reply::Code(DeviceCodeLine {
                    code: Spoken::new(given.code.reveal()),
                    typed: given.typed,
                    address: given.address,
                    lasts: given.lasts.as_secs(),
                })
            }
            Some(code) => {
                let code = Secret::new(code.reveal());
                let token = finish_log_in(&oauth2, timeout, &code).await.map_err(failed)?;
                Reply::LoggedIn(token.map(|token| Spoken::new(token.reveal())))
            }
        };
        // Whoever asked may be gone.
        let _ = replies.send(reply).await;
        Ok(())
    }

    /// The profile that is tried out: one that runs, or what `written` would make of it.
    async fn tried(&self, caller: &Caller, name: Option<String>, written: Option<Written>) -> Result<Profile, Failure> {
        let (config, store, by) = (self.config(), self.store.clone(), by(caller));
        match (name, written) {
            (name, Some(written)) => {
                let read = move || kept::read(&config, &store, name.as_deref(), &written, by);
                blocking("checking a profile", read).await?
            }
            (Some(name), None) => self.named(&config, &name),
            (None, None) => Err(Failure::usage("say which profile is to be tried out")),
        }
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

fn rehearsing_as(so_far: &SoFar<'_>) -> Reply {
    let mut users: Vec<_> = so_far
        .users
        .iter()
        .map(|(name, copies)| (name.clone(), *copies))
        .collect();
    users.sort_by_key(|(_, copies)| std::cmp::Reverse(*copies));
    users.truncate(USERS);
    Reply::Rehearsing {
        done: so_far.done,
        expected: so_far.expected,
        users,
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
