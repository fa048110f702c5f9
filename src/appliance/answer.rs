//! The door of the appliance: each request of each caller comes in here.

use std::{ops::ControlFlow, path::PathBuf, sync::Arc};

use tokio::sync::mpsc;

use super::{requests::GoingOn, state::Appliance};
use crate::{
    access::{Caller, Granted, grant},
    api::{Exit, Failure, Reply, Request},
    reading,
    report::RunState,
    route::UserChange,
    source::Import,
};

/// Replies made and not yet taken by whoever asked.
const REPLIES: usize = 32;

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
    pub fn answer(self: &Arc<Self>, caller: &Caller, request: Request) -> Result<Answer, Unanswered> {
        let granted = grant(caller, request).map_err(Unanswered::Refused)?;
        let going_on = self.requests.begin().ok_or(Unanswered::Ending)?;
        let (sender, replies) = mpsc::channel(REPLIES);
        let (appliance, until_done) = (self.clone(), going_on.clone());
        if granted.request().only_reads() {
            actix_rt::task::spawn_blocking(move || {
                appliance.read(&granted, &sender);
                drop(until_done);
            });
        } else {
            actix_rt::spawn(async move {
                let result = appliance.act(granted.into_request(), &sender).await;
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

    /// Answers a request from the store, on a thread that may wait for the disk.
    fn read(&self, granted: &Granted, replies: &mpsc::Sender<Reply>) {
        let mut emit = |reply| match replies.blocking_send(self.as_it_is_now(reply)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        };
        let result = reading::answer(&self.store, &self.search, granted, &mut emit);
        let _ = emit(last(result));
    }

    /// Of a run that is going on, only its beginning is stored.
    fn as_it_is_now(&self, reply: Reply) -> Reply {
        match reply {
            Reply::Run(stored) if stored.state == RunState::Running => {
                Reply::Run(self.going_on(stored.run).map_or(stored, Box::new))
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
            Request::Reload => self.ask_for_reload(replies).await,
            Request::Interrupt { profile } => self.interrupt(&profile).await,
            Request::AddUser {
                name,
                addresses,
                no_count,
            } => self.add_user(name, &addresses, no_count, replies).await,
            Request::RenameUser { name, to } => self.rename_user(name, to).await,
            Request::RetireUser { name } => self.change_user(UserChange::Retire { name }).await,
            Request::Compact => self.compact(replies).await,
            Request::InterruptCompaction => {
                self.compaction.interrupt();
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
            Request::InterruptReroute => {
                self.rerouting.interrupt();
                Ok(())
            }
            _ => Err(Failure::usage("this request is answered by the store")),
        }
    }
}

fn last(result: Result<(), Failure>) -> Reply {
    match result {
        Ok(()) => Reply::Done,
        Err(failure) => Reply::Failed(failure),
    }
}
