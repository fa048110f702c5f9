//! The role of a connection is to hold one authenticated session and to fetch with it. It takes job after job from what
//! is left of its run, lists folders, fetches what is open in them in windows within the byte budget, has each window
//! identified on the pool, and sends it to the router. It reports the outcomes to its profile.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use actix::{Actor, ActorFutureExt, AtomicResponse, Context, Handler, Message, WrapFuture};

use super::{
    collect,
    collect_error::{CollectError, unless_cancelled},
    deletion::{self, Deletion},
    jobs::Jobs,
    task::Task,
};
use crate::{
    report::{InStage, Stage, metrics},
    source::{Import, Session, SourceError, Steps},
    token::LoginError,
};

/// Orders from the profile; there is one at a time.
const MAILBOX: usize = 4;

/// Sessions of this process, each with a number of its own.
static SESSIONS: AtomicU64 = AtomicU64::new(1);

pub struct Connection {
    task: Arc<Task>,
    /// Of the connections that its run has at once, which one it is.
    lane: usize,
    number: u64,
    /// What comes from files is no session with a server, and is not counted.
    session: Option<(Session, Option<Counted>)>,
}

impl Connection {
    pub fn new(task: Arc<Task>, lane: usize) -> Self {
        Self {
            task,
            lane,
            number: SESSIONS.fetch_add(1, Ordering::Relaxed),
            session: None,
        }
    }
}

/// Counts a session as long as it is held.
pub(super) struct Counted(String);

impl Counted {
    pub fn new(profile: &str) -> Self {
        metrics::connection(profile, 1.0);
        Self(profile.to_owned())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        metrics::connection(&self.0, -1.0);
    }
}

impl Actor for Connection {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
    }
}

/// From the profile, first of all: connect and log in, or take the files of an import in place of a server.
#[derive(Message)]
#[rtype(result = "Result<(), ConnectError>")]
pub struct Connect(pub Option<Import>);

#[derive(thiserror::Error, Debug)]
pub enum ConnectError {
    #[error(transparent)]
    Login(#[from] LoginError),
    #[error("interrupted")]
    Cancelled,
}

/// From the profile: the folders to archive, and what was left out of them because the server does not say it clearly.
#[derive(Message)]
#[rtype(result = "Result<(Vec<String>, Option<SourceError>), CollectError>")]
pub struct ListFolders;

/// From the profile: work on what is left of the run, until nothing is. Answered when all that was fetched has an
/// outcome, each told to the profile before; when the answer is an error, the session is gone.
#[derive(Message)]
#[rtype(result = "Result<(), CollectError>")]
pub struct Collect(pub Arc<Jobs>);

/// From the profile, when all is archived: delete in a folder what is due.
#[derive(Message)]
#[rtype(result = "Result<Deletion, CollectError>")]
pub struct Remove {
    pub folder: String,
}

/// From the profile, last of all: log out. What a POP3 server was told to delete is deleted with a good answer, and not
/// otherwise.
#[derive(Message)]
#[rtype(result = "Result<(), CollectError>")]
pub struct Close;

impl Handler<Connect> for Connection {
    type Result = AtomicResponse<Self, Result<(), ConnectError>>;

    fn handle(&mut self, Connect(import): Connect, _: &mut Self::Context) -> Self::Result {
        let task = self.task.clone();
        if let Some(import) = import {
            self.session = Some((Session::files(import), None));
            return AtomicResponse::new(Box::pin(actix::fut::ready(Ok(()))));
        }
        let connect = async move {
            let stage = InStage::enter(Stage::Connect, 1);
            let mut steps = Steps {
                received: task.pulse.received(),
                ..Steps::default()
            };
            let connected = tokio::select! {
                biased;
                () = task.cancel.cancelled() => Err(ConnectError::Cancelled),
                connected = task.login.connect(&mut steps) => connected.map_err(ConnectError::from),
            }?;
            stage.done();
            Ok::<_, ConnectError>(connected)
        };
        AtomicResponse::new(Box::pin(connect.into_actor(self).map(|connected, connection, _| {
            let session = connected?;
            connection.task.pulse.beat();
            if let Some(certificate) = session.certificate() {
                let name = &connection.task.profile.name;
                metrics::certificate_expiry(name, certificate.not_after.as_second());
            }
            let counted = Counted::new(&connection.task.profile.name);
            connection.session = Some((session, Some(counted)));
            Ok(())
        })))
    }
}

impl Connection {
    /// Gives the session to `work`, and keeps it where it can still be used.
    fn with_session<T: 'static, F>(
        &mut self,
        work: impl FnOnce(Arc<Task>, Session) -> F,
    ) -> AtomicResponse<Self, Result<T, CollectError>>
    where
        F: Future<Output = (Session, Result<T, CollectError>)> + 'static,
    {
        let Some((session, counted)) = self.session.take() else {
            return AtomicResponse::new(Box::pin(actix::fut::ready(Err(not_connected()))));
        };
        let work = work(self.task.clone(), session).into_actor(self);
        AtomicResponse::new(Box::pin(work.map(|(session, result), connection, _| {
            let usable = match &result {
                Ok(_) => true,
                Err(error) => error.session_is_usable(),
            };
            connection.session = usable.then_some((session, counted));
            result
        })))
    }
}

impl Handler<ListFolders> for Connection {
    type Result = AtomicResponse<Self, Result<(Vec<String>, Option<SourceError>), CollectError>>;

    fn handle(&mut self, _: ListFolders, _: &mut Self::Context) -> Self::Result {
        self.with_session(|task, mut session| async move {
            let folders = unless_cancelled(&task.cancel, session.folders(&task.profile.folders)).await;
            task.pulse.beat();
            let folders = folders.map(|folders| (folders, session.take_unclear()));
            (session, folders)
        })
    }
}

impl Handler<Collect> for Connection {
    type Result = AtomicResponse<Self, Result<(), CollectError>>;

    fn handle(&mut self, Collect(jobs): Collect, _: &mut Self::Context) -> Self::Result {
        let (number, lane) = (self.number, self.lane);
        self.with_session(move |task, mut session| async move {
            let worked = collect::work(&task, &mut session, number, &jobs, lane).await;
            (session, worked)
        })
    }
}

impl Handler<Remove> for Connection {
    type Result = AtomicResponse<Self, Result<Deletion, CollectError>>;

    fn handle(&mut self, Remove { folder }: Remove, _: &mut Self::Context) -> Self::Result {
        self.with_session(|task, mut session| async move {
            let removed = deletion::folder(&task, &mut session, &folder).await;
            (session, removed)
        })
    }
}

impl Handler<Close> for Connection {
    type Result = AtomicResponse<Self, Result<(), CollectError>>;

    fn handle(&mut self, _: Close, _: &mut Self::Context) -> Self::Result {
        let session = self.session.take();
        let close = async move {
            match session {
                Some((session, _counted)) => session.close().await.map_err(CollectError::from),
                None => Err(not_connected()),
            }
        };
        AtomicResponse::new(Box::pin(close.into_actor(self).map(|closed, _, ctx| {
            actix::ActorContext::stop(ctx);
            closed
        })))
    }
}

fn not_connected() -> CollectError {
    CollectError::Source(SourceError::Lost {
        command: "the session".into(),
        words: "it is closed".into(),
    })
}
