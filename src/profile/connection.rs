//! The role of a connection is to hold one authenticated session and to fetch with it: it lists
//! the folders, finds the open copies of one, fetches them in windows within the byte budget, has
//! each identified on the pool, and sends it to the router. What became of them it tells its profile.

use std::sync::Arc;

use actix::{Actor, ActorFutureExt, AtomicResponse, Context, Handler, Message, Recipient, WrapFuture};
use tokio_util::sync::CancellationToken;

use super::{
    budget::Budget,
    collect::{self, CollectError, Collected},
};
use crate::{
    archive::{Committer, Store},
    config::{Profile, Secret},
    identify::{Pool, Reported, Rules},
    report::{CopyError, Outcome, metrics},
    route::{Routed, Router, Routing, UsersFile},
    source::{Credential, Import, Session, SourceError, Steps},
};

/// Orders from the profile; there is one at a time.
const MAILBOX: usize = 4;

/// The appliance's parts that every connection works with.
#[derive(Clone)]
pub struct Stages {
    pub store: Arc<Store>,
    pub committer: Committer,
    pub router: actix::Addr<Router>,
    /// Where users come from a file that may change.
    pub users_file: Option<actix::Addr<UsersFile>>,
    pub pool: Pool,
    pub budget: Budget,
    /// Bytes; larger messages stay on the server.
    pub max_message_size: u64,
}

/// What a connection works on.
pub struct Task {
    pub stages: Stages,
    pub profile: Profile,
    pub rules: Arc<Rules>,
    pub routing: Arc<Routing>,
    pub run: u64,
    /// Whose copies are noted as done; `None` for an import.
    pub source: Option<u32>,
    pub cancel: CancellationToken,
    pub progress: Recipient<Progress>,
}

pub struct Connection {
    task: Arc<Task>,
    session: Option<Session>,
}

impl Connection {
    pub fn new(task: Arc<Task>) -> Self {
        Self { task, session: None }
    }
}

impl Actor for Connection {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        metrics::connections(&self.task.profile.name, 0);
    }
}

/// From the profile, first of all: connect and log in, or take files in place of a server.
#[derive(Message)]
#[rtype(result = "Result<(), CollectError>")]
pub struct Connect(pub Entry);

/// How a connection gets to what it is to fetch.
pub enum Entry {
    /// By the password of the profile's server.
    Server(Secret),
    Files(Import),
}

/// From the profile: the folders to archive.
#[derive(Message)]
#[rtype(result = "Result<Vec<String>, CollectError>")]
pub struct ListFolders;

/// From the profile: archive what is open in a folder. Answered when all that was fetched has an
/// outcome, each told to the profile before; when the answer is lost, so is the session.
#[derive(Message)]
#[rtype(result = "Result<Collected, CollectError>")]
pub struct Collect {
    pub folder: String,
}

/// From the profile, last of all: log out.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Close;

/// To the profile: what became of copies. Answered when it is counted.
#[derive(Message, Default)]
#[rtype(result = "()")]
pub struct Progress {
    /// Copies that the run will look at, beyond those told before.
    pub expected: u64,
    pub judged: Vec<Judged>,
    pub notices: Vec<String>,
}

/// A copy that has its outcome.
pub struct Judged {
    pub outcome: Outcome,
    /// Bytes fetched for it.
    pub bytes: u64,
    pub routed: Option<Routed>,
    pub reported: Reported,
    pub error: Option<CopyError>,
}

impl Handler<Connect> for Connection {
    type Result = AtomicResponse<Self, Result<(), CollectError>>;

    fn handle(&mut self, Connect(entry): Connect, _: &mut Self::Context) -> Self::Result {
        let task = self.task.clone();
        let credential = match entry {
            Entry::Server(password) => Credential::Password(password),
            Entry::Files(import) => {
                self.session = Some(Session::files(import));
                return AtomicResponse::new(Box::pin(actix::fut::ready(Ok(()))));
            }
        };
        let connect = async move {
            let mut steps = Steps::default();
            let connecting = Session::connect(&task.profile.server, &credential, &mut steps);
            collect::unless_cancelled(&task.cancel, connecting).await
        };
        AtomicResponse::new(Box::pin(connect.into_actor(self).map(|connected, connection, _| {
            let session = connected?;
            let name = &connection.task.profile.name;
            metrics::connections(name, 1);
            if let Some(certificate) = session.certificate() {
                metrics::certificate_expiry(name, certificate.not_after.as_second());
            }
            connection.session = Some(session);
            Ok(())
        })))
    }
}

impl Handler<ListFolders> for Connection {
    type Result = AtomicResponse<Self, Result<Vec<String>, CollectError>>;

    fn handle(&mut self, _: ListFolders, _: &mut Self::Context) -> Self::Result {
        let (task, session) = (self.task.clone(), self.session.take());
        let list = async move {
            let mut session = session.ok_or_else(not_connected)?;
            let patterns = &task.profile.folders;
            let folders = collect::unless_cancelled(&task.cancel, session.folders(patterns)).await?;
            Ok::<_, CollectError>((session, folders))
        };
        AtomicResponse::new(Box::pin(list.into_actor(self).map(|listed, connection, _| {
            let (session, folders) = listed?;
            connection.session = Some(session);
            Ok(folders)
        })))
    }
}

impl Handler<Collect> for Connection {
    type Result = AtomicResponse<Self, Result<Collected, CollectError>>;

    fn handle(&mut self, Collect { folder }: Collect, _: &mut Self::Context) -> Self::Result {
        let (task, session) = (self.task.clone(), self.session.take());
        let collect = async move {
            let mut session = match session {
                Some(session) => session,
                None => return (None, Err(not_connected())),
            };
            let collected = collect::folder(&task, &mut session, &folder).await;
            let usable = match &collected {
                Ok(_) => true,
                Err(error) => error.session_is_usable(),
            };
            (usable.then_some(session), collected)
        };
        AtomicResponse::new(Box::pin(collect.into_actor(self).map(
            |(session, collected), connection, _| {
                connection.session = session;
                collected
            },
        )))
    }
}

impl Handler<Close> for Connection {
    type Result = AtomicResponse<Self, ()>;

    fn handle(&mut self, _: Close, _: &mut Self::Context) -> Self::Result {
        let session = self.session.take();
        let family = self.task.profile.server.access.family();
        let close = async move {
            let Some(session) = session else { return };
            // All that counts is committed by now; over IMAP and without deletions nothing hangs on it.
            if let Err(error) = session.close().await {
                tracing::debug!(%error, ?family, "the session did not end in good order");
            }
        };
        AtomicResponse::new(Box::pin(
            close.into_actor(self).map(|(), _, ctx| actix::ActorContext::stop(ctx)),
        ))
    }
}

fn not_connected() -> CollectError {
    CollectError::Source(SourceError::Lost {
        command: "the session".into(),
        words: "it is closed".into(),
    })
}
