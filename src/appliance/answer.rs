//! The door of the appliance: each request of each caller comes in here.

use std::{
    ops::ControlFlow,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::mpsc;

use super::{requests::GoingOn, state::Appliance};
use crate::{
    access::{Caller, Entry, Granted, Outcome, grant, noted},
    api::{Exit, Failure, Reply, Request},
    gate::Pending,
    reading,
    report::{RunState, metrics},
    route::UserChange,
    source::Import,
};

/// Replies made and not yet taken by whoever asked.
const REPLIES: usize = 32;
/// The same of stretches of a message, which are longer; many may be read at once.
const STRETCHES: usize = 4;

/// How often it is asked, of an answer that goes on, whether the caller may still have it.
const ASKED_AGAIN: Duration = Duration::from_secs(2);

/// The replies to a request. Until this is dropped, and the request is carried out, it counts as going on.
pub struct Answer {
    replies: mpsc::Receiver<Reply>,
    _going_on: GoingOn,
}

impl Answer {
    /// The next reply; the last one is `Done` or `Failed`.
    pub async fn next(&mut self) -> Option<Reply> {
        self.replies.recv().await
    }
}

/// Why a request gets no answer.
#[derive(Debug)]
pub enum Unanswered {
    /// The appliance is ending: whoever holds the data directory next can be asked.
    Ending,
    /// The caller may not make it.
    Refused(Failure),
}

impl From<Unanswered> for Failure {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::Ending => Self::new(Exit::Errors, "dropkeep is ending, and takes no request any more"),
            Unanswered::Refused(failure) => failure,
        }
    }
}

impl Appliance {
    /// Answers a request, as far as the caller may make it. A run goes on even if whoever asked for it is gone.
    ///
    /// # Errors
    /// The caller may not make it, or the appliance is ending.
    pub async fn answer(self: &Arc<Self>, caller: &Caller, request: Request) -> Result<Answer, Unanswered> {
        let going_on = self.requests.begin().ok_or(Unanswered::Ending)?;
        let entry = noted(caller, &request);
        let granted = match grant(caller, request) {
            Ok(granted) => granted,
            Err(failure) => return Err(Unanswered::Refused(self.note_refusal(entry, failure).await)),
        };
        let most = match granted.request() {
            Request::Raw { .. } | Request::Part { .. } | Request::Take(_) => STRETCHES,
            _ => REPLIES,
        };
        let (sender, replies) = mpsc::channel(most);
        let (appliance, until_done, caller) = (self.clone(), going_on.clone(), caller.clone());
        if granted.request().only_reads() {
            actix_rt::task::spawn_blocking(move || {
                appliance.read(&caller, &granted, entry, &sender);
                drop(until_done);
            });
        } else {
            actix_rt::spawn(async move {
                let result = appliance
                    .noted_act(&caller, granted.into_request(), entry, &sender)
                    .await;
                // Nobody reads it where the command was ended.
                let _ = sender.send(last(result)).await;
                drop(until_done);
            });
        }
        Ok(Answer {
            replies,
            _going_on: going_on,
        })
    }

    /// Notes that a request was refused; gives what is answered.
    async fn note_refusal(&self, entry: Option<Entry>, failure: Failure) -> Failure {
        let Some(entry) = entry else { return failure };
        let entry = entry.ended(Outcome::Refused, &failure.error);
        match self.gate.notes().note(entry).await {
            Ok(()) => failure,
            Err(error) => error.into(),
        }
    }

    /// Answers a request from the store, on a thread that may wait for the disk. Nothing is sent before it is noted, and no
    /// more where the caller may not have it any longer.
    fn read(&self, caller: &Caller, granted: &Granted, entry: Option<Entry>, replies: &mpsc::Sender<Reply>) {
        let mut pending = Pending::new(self.gate.notes(), entry.clone());
        let (mut cut, mut asked) = (None, Instant::now());
        let mut emit = |reply| {
            if cut.is_some() {
                return ControlFlow::Break(());
            }
            let mut may_go_on = pending.before(&reply).map_err(Failure::from);
            if may_go_on.is_ok() && asked.elapsed() >= ASKED_AGAIN {
                asked = Instant::now();
                may_go_on = self.may_go_on(caller, granted, entry.as_ref());
            }
            if let Err(failure) = may_go_on {
                cut = Some(failure);
                return ControlFlow::Break(());
            }
            match replies.blocking_send(self.as_it_is_now(reply)) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        };
        let result = reading::answer(&self.store, &self.search, granted, &mut emit);
        let _ = emit(last(result));
        if let Some(failure) = cut {
            // Nobody reads it where the command was ended.
            let _ = replies.blocking_send(Reply::Failed(failure));
        }
    }

    /// Whether an answer may go on that was begun for a caller; where it may not, that is noted.
    fn may_go_on(&self, caller: &Caller, granted: &Granted, entry: Option<&Entry>) -> Result<(), Failure> {
        let Caller::Account(account) = caller else {
            return Ok(());
        };
        if self.gate.still_may(account, granted.archives())? {
            return Ok(());
        }
        let failure = Failure::usage(
            "the answer is cut: the session or application password has ended, or the account may not read this any more",
        );
        if let Some(entry) = entry {
            let refused = entry.clone().ended(Outcome::Refused, &failure.error);
            self.gate.notes().note_here(refused)?;
        }
        Err(failure)
    }

    /// Carries out a request: that it begins is noted before, and how it ended before that is said.
    async fn noted_act(
        &self,
        caller: &Caller,
        request: Request,
        entry: Option<Entry>,
        replies: &mpsc::Sender<Reply>,
    ) -> Result<(), Failure> {
        let notes = self.gate.notes();
        let entry = match (request, entry) {
            // Noted with what it changes.
            (Request::ChangeAccount { name, wish }, _) => {
                for made in self.gate.change(caller, &name, wish).await? {
                    // Whoever asked may be gone.
                    let _ = replies.send(Reply::Made(made)).await;
                }
                return Ok(());
            }
            // As are these, all of them in one entry, or none.
            (Request::ChangeProfile { name, wish }, Some(entry)) => {
                return self.change_profile(caller, name, wish, entry, replies).await;
            }
            (Request::ImportProfiles { toml, replace, dry_run }, Some(entry)) => {
                return self
                    .import_profiles(caller, toml, replace, dry_run, entry, replies)
                    .await;
            }
            (Request::TestProfile { name, profile }, Some(entry)) => {
                notes.note(entry.clone().ended(Outcome::Begun, "")).await?;
                let result = self.test_profile(caller, name, profile, replies).await;
                return self.note_end(entry, result).await;
            }
            (Request::CheckProfile { name, profile }, entry) => {
                if let Some(entry) = entry {
                    notes.note(entry).await?;
                }
                return self.check_profile(caller, name, profile, replies).await;
            }
            (Request::LogInByCode { name, profile, code }, Some(entry)) => {
                let result = self.log_in_by_code(caller, name, profile, code, replies).await;
                return self.note_end(entry, result).await;
            }
            (Request::Rehearse { name, profile }, Some(entry)) => {
                notes.note(entry.clone().ended(Outcome::Begun, "")).await?;
                let result = self.rehearse(caller, name, profile, replies).await;
                return self.note_end(entry, result).await;
            }
            (request, None) => return self.act(request, replies).await,
            (Request::BackedUp(backup), entry) => {
                if let Some(entry) = entry {
                    notes.note(entry).await?;
                }
                metrics::backed_up(backup.ended_at.as_second());
                return Ok(self.committer.put_backed_up(&backup).await?);
            }
            (Request::Note { .. }, Some(entry)) => {
                return Ok(notes.note(entry.ended(Outcome::Begun, "")).await?);
            }
            (
                request @ (Request::Status
                | Request::Index
                | Request::Sessions { .. }
                | Request::Profiles { .. }
                | Request::AddressLists
                | Request::Watch { .. }
                | Request::WatchReroute
                | Request::WatchUpkeep { .. }),
                Some(entry),
            ) => {
                notes.note(entry).await?;
                return self.act(request, replies).await;
            }
            (request, Some(entry)) => {
                notes.note(entry.clone().ended(Outcome::Begun, "")).await?;
                (request, entry)
            }
        };
        let (request, entry) = entry;
        let result = self.act(request, replies).await;
        self.note_end(entry, result).await
    }

    /// Notes how a request ended that was begun.
    async fn note_end(&self, entry: Entry, result: Result<(), Failure>) -> Result<(), Failure> {
        let ended = match &result {
            Ok(()) => entry,
            Err(failure) => entry.ended(Outcome::Failed, &failure.error),
        };
        // It is done, whatever becomes of this.
        if let Err(error) = self.gate.notes().note(ended).await {
            tracing::error!(%error, "the end of a request is not in the audit log");
            return result.and(Err(error.into()));
        }
        result
    }

    /// Of a run that is going on, only its beginning is stored.
    fn as_it_is_now(&self, reply: Reply) -> Reply {
        match reply {
            Reply::Run(stored) if stored.state == RunState::Running => {
                let live = self.going_on(stored.run);
                let live = live.unwrap_or_else(|| match &*self.rerouted.borrow() {
                    Some(rerouted) => rerouted.counted(*stored),
                    None => *stored,
                });
                Reply::Run(Box::new(live))
            }
            reply => reply,
        }
    }

    /// Carries out a request that needs the actors.
    ///
    /// # Errors
    /// As the request says.
    async fn act(&self, request: Request, replies: &mpsc::Sender<Reply>) -> Result<(), Failure> {
        match request {
            Request::Archive { profile } => self.run(self.profile(&profile)?, None, replies).await,
            Request::Import {
                profile,
                user,
                paths,
                format,
                mbox,
                mbox_from,
            } => {
                let paths = paths.into_iter().map(PathBuf::from).collect();
                let import = Import {
                    paths,
                    format,
                    mbox,
                    mbox_from,
                    owner: None,
                };
                self.import(profile, user, import, replies).await
            }
            Request::Status => self.status(replies).await,
            Request::Watch { run } => self.watch(run, replies).await,
            Request::Reload => self.ask_for_reload(replies).await,
            Request::TestNotices => self.test_notices(replies).await,
            Request::Interrupt { profile } => self.interrupt(&profile).await,
            Request::AddUser {
                name,
                addresses,
                no_count,
            } => self.add_user(name, &addresses, no_count, replies).await,
            Request::RenameUser { name, to } => self.rename_user(name, to).await,
            Request::RetireUser { name } => self.change_user(UserChange::Retire { name }).await,
            Request::Verify { percent } => self.verify(percent, replies).await,
            Request::InterruptVerification => {
                self.verification.errand.interrupt();
                Ok(())
            }
            Request::WatchUpkeep { upkeep } => self.watch_upkeep(upkeep, replies).await,
            Request::Compact => self.compact(replies).await,
            Request::InterruptCompaction => {
                self.compaction.errand.interrupt();
                Ok(())
            }
            Request::Index => self.index(replies).await,
            Request::RebuildIndex => self.rebuild_index(replies).await,
            Request::InterruptIndex => {
                self.search.interrupt();
                Ok(())
            }
            Request::Reroute {
                from,
                profile,
                dry_run,
                query,
            } => self.reroute(from, profile, dry_run, query, replies).await,
            Request::WatchReroute => self.watch_reroute(replies).await,
            Request::InterruptReroute => {
                self.rerouting.interrupt();
                Ok(())
            }
            Request::Profiles { name, secrets } => self.setups(name, secrets, replies).await,
            Request::ChangeUser { name, addresses } => self.change_addresses(name, &addresses, replies).await,
            Request::Assign { address, user, is_new } => self.assign(&address, user, is_new, replies).await,
            Request::AddressLists => self.address_lists(replies).await,
            Request::ChangeList { address, users } => self.change_list(&address, &users).await,
            Request::Ignore { address, ignored } => self.ignore(&address, ignored).await,
            Request::ImportUsers { csv, dry_run } => self.import_users(csv, dry_run, replies).await,
            Request::Sessions { account } => self.sessions(account.as_deref(), replies).await,
            _ => Err(Failure::usage("this request is answered by the store")),
        }
    }
}

impl Appliance {
    async fn sessions(&self, account: Option<&str>, replies: &mpsc::Sender<Reply>) -> Result<(), Failure> {
        let account = account
            .map(|name| reading::find_account(&self.store, name))
            .transpose()?;
        for line in self.gate.sessions(account.as_ref().map(|(name, _)| name))? {
            let _ = replies.send(Reply::Session(line)).await;
        }
        Ok(())
    }
}

fn last(result: Result<(), Failure>) -> Reply {
    match result {
        Ok(()) => Reply::Done,
        Err(failure) => Reply::Failed(failure),
    }
}
