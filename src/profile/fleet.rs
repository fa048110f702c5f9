//! The connections of one run: how they are made, and made again where they are lost. What one of them held when it was
//! lost, the next one does.

use std::{sync::Arc, time::Duration};

use actix::{Actor, Addr, ArbiterHandle};
use futures_util::future::join_all;
use parking_lot::Mutex;

use super::{
    collect_error::CollectError,
    connection::{Close, Collect, Connect, ConnectError, Connection, ListFolders},
    jobs::{FolderError, GivenBack, Jobs},
    progress::Progress,
    retry::{BUSY, BUSY_MOST, CONNECT, CONNECT_ATTEMPTS, GIVEN_UP_MOST, LOST, LOST_ATTEMPTS},
    run_error::RunError,
    task::Task,
};
use crate::{
    report::metrics,
    said::{Said, Say, said},
    source::{Disposition, Import, SourceError, Wait},
    token::LoginError,
};

/// Between a connection that brought something and the one that goes on for it.
const BREATH: Duration = Duration::from_millis(50);
/// Folders in a row that are given up because connections are lost over them, before the run is.
const FOLDERS_GIVEN_UP: u32 = 2;

pub struct Fleet {
    task: Arc<Task>,
    network: ArbiterHandle,
    jobs: Arc<Jobs>,
    /// The folders that were listed.
    folders: Mutex<Vec<String>>,
}

/// What went wrong in a row.
#[derive(Default)]
struct Trouble {
    /// Attempts to get connected.
    refused: u32,
    /// Connections that brought nothing.
    lost: u32,
    /// Copies that were given up.
    given_up: u32,
    /// Folders that were given up.
    folders: u32,
    /// Times that the server asked to wait, and for how long together.
    busy: u32,
    rested: Duration,
}

/// What is to be done about it.
enum Verdict {
    After(Duration),
    GiveUp,
}

impl Trouble {
    /// The server asks to come again later.
    fn busy(&mut self, suggested: Option<Duration>, patience: Duration) -> Verdict {
        self.busy += 1;
        // Some suggest no time at all.
        let suggested = suggested.filter(|pause| *pause >= BUSY.first);
        let pause = suggested.unwrap_or_else(|| BUSY.after(self.busy));
        self.rested += pause;
        match self.rested > patience {
            true => Verdict::GiveUp,
            false => Verdict::After(pause),
        }
    }

    fn refused(&mut self) -> Verdict {
        self.refused += 1;
        match self.refused > CONNECT_ATTEMPTS {
            true => Verdict::GiveUp,
            false => Verdict::After(CONNECT.after(self.refused)),
        }
    }

    fn lost(&mut self, given: GivenBack) -> Verdict {
        match given {
            GivenBack::Progress => {
                *self = Self::default();
                return Verdict::After(BREATH);
            }
            GivenBack::GivenUp => {
                self.lost = 0;
                self.given_up += 1;
                if self.given_up > GIVEN_UP_MOST {
                    return Verdict::GiveUp;
                }
            }
            GivenBack::Nothing => {}
        }
        self.lost += 1;
        match self.lost > LOST_ATTEMPTS {
            true => Verdict::GiveUp,
            false => Verdict::After(LOST.after(self.lost)),
        }
    }
}

impl Fleet {
    pub fn new(task: Task, network: ArbiterHandle) -> Self {
        Self {
            task: Arc::new(task),
            network,
            jobs: Arc::default(),
            folders: Mutex::default(),
        }
    }

    pub(super) fn task(&self) -> &Task {
        &self.task
    }

    /// The folders that were listed, without those that may not be read.
    pub(super) fn folders(&self) -> Vec<String> {
        let mut folders = self.folders.lock().clone();
        folders.retain(|folder| !self.jobs.is_denied(folder));
        folders
    }

    /// What was refused; that there is nothing else is an error too.
    pub fn take_refused(&self) -> Vec<FolderError> {
        let mut refused = self.jobs.take_refused();
        if self.folders().is_empty() && self.jobs.are_any_denied() {
            let error = SourceError::Unreadable {
                path: "any folder".to_owned(),
                why: said!(
                    NoneReadableByRight,
                    "the account has no right to read any folder that `include` names"
                ),
            };
            refused.push(FolderError {
                folder: String::new(),
                error,
            });
        }
        refused
    }

    /// The first connection, and the folders to archive, listed over it.
    ///
    /// # Errors
    /// The source cannot be reached ([`RunError::Unreachable`]), or was lost again and again.
    pub async fn launch(&self, import: Option<Import>) -> Result<Addr<Connection>, RunError> {
        let mut trouble = Trouble::default();
        let files = import.is_some();
        loop {
            let connection = match self.connect(0, import.clone()).await? {
                Ok(connection) => connection,
                Err(error) => {
                    // By hand or by schedule, somebody waits: no longer than for any other answer.
                    let patience = self.task.profile.server.timeout();
                    let wait = asks_to_wait(&error);
                    let verdict = wait.map(|wait| trouble.busy(wait.suggested, patience));
                    match verdict {
                        Some(Verdict::After(pause)) => self.rest(pause).await?,
                        Some(Verdict::GiveUp) | None => return Err(unreachable(error)),
                    }
                    continue;
                }
            };
            match connection.send(ListFolders).await.map_err(|_| RunError::Fault)? {
                Ok((mut folders, unclear)) => {
                    if let Some(error) = unclear {
                        let folder = String::new();
                        self.jobs.refused(FolderError { folder, error });
                    }
                    if !files && let Some(aside) = &self.task.profile.delete.move_to {
                        leave_out(aside, &mut folders);
                    }
                    folders.clone_into(&mut self.folders.lock());
                    self.jobs.list(folders);
                    return Ok(connection);
                }
                Err(CollectError::Source(error)) if error.disposition() == Disposition::Reconnect && !files => {
                    match trouble.lost(GivenBack::Nothing) {
                        Verdict::After(pause) => self.pause(pause).await?,
                        Verdict::GiveUp => return Err(RunError::Lost(error)),
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Lists these folders, and fetches what is open in them, with the next [`collect_all`](Self::collect_all).
    pub fn list(&self, folders: Vec<String>) {
        self.jobs.list(folders);
    }

    /// Does all the work there is; then, over other connections, what is to be fetched once more. Gives a connection
    /// that can still be used, if there is one.
    ///
    /// # Errors
    /// Something was left undone.
    pub async fn collect_all(&self, first: Option<Addr<Connection>>) -> Result<Option<Addr<Connection>>, RunError> {
        let mut connection = self.collect(first).await?;
        // A folder that is replaced meanwhile is listed again, so others may come of it.
        while self.jobs.begin_once_more() {
            if let Some(connection) = connection {
                // Its answer says nothing that counts: all is committed.
                let _ = connection.send(Close).await;
            }
            connection = self.collect(None).await?;
        }
        Ok(connection)
    }

    /// Does the work that waits, over as many connections as the profile allows.
    async fn collect(&self, mut first: Option<Addr<Connection>>) -> Result<Option<Addr<Connection>>, RunError> {
        let lanes = self.task.profile.connections.max(1) as usize;
        let lanes = (0..lanes).map(|lane| {
            let connection = first.take();
            async move {
                let ended = self.lane(lane, connection).await;
                if let Err(error) = &ended
                    && !matches!(error, RunError::Lost(_))
                {
                    // The others need not go on.
                    self.task.cancel.cancel();
                }
                ended
            }
        });
        let mut connection = None;
        let mut worst: Option<RunError> = None;
        for ended in join_all(lanes).await {
            match ended {
                Ok(None) => {}
                Ok(Some(usable)) => connection = Some(usable),
                // What the others were cancelled for goes before that they were.
                Err(error) => match &worst {
                    None | Some(RunError::Interrupted | RunError::Lost(_)) => worst = Some(error),
                    Some(_) => {}
                },
            }
        }
        match worst {
            // Others did what one could not.
            Some(RunError::Lost(_)) if self.jobs.is_done() => Ok(connection),
            Some(error) => Err(error),
            None => Ok(connection),
        }
    }

    /// One connection after another, until nothing is left to do. The first lane's is given back to be used on.
    async fn lane(
        &self,
        lane: usize,
        mut connection: Option<Addr<Connection>>,
    ) -> Result<Option<Addr<Connection>>, RunError> {
        let mut trouble = Trouble::default();
        loop {
            let current = match connection.take() {
                Some(current) => current,
                None => {
                    let more = tokio::select! {
                        biased;
                        () = self.task.cancel.cancelled() => return Err(RunError::Interrupted),
                        more = self.jobs.more() => more,
                    };
                    if !more {
                        return Ok(None);
                    }
                    match self.connect(lane, None).await? {
                        Ok(current) => current,
                        Err(error) => {
                            if !self.after_refusal(lane, &mut trouble, error).await? {
                                return Ok(None);
                            }
                            continue;
                        }
                    }
                }
            };
            trouble.refused = 0;
            let error = match current.send(Collect(self.jobs.clone())).await {
                Ok(Ok(())) if lane == 0 => return Ok(Some(current)),
                Ok(Ok(())) => {
                    // Its answer says nothing that counts: all is committed.
                    let _ = current.send(Close).await;
                    return Ok(None);
                }
                Ok(Err(CollectError::Source(error))) => error,
                Ok(Err(error)) => {
                    self.jobs.give_back(lane, &Said::default(), false);
                    return Err(error.into());
                }
                Err(_) => {
                    metrics::supervisor_restart(&self.task.profile.name, "panic");
                    panicked()
                }
            };
            let given = self.jobs.give_back(lane, &error.said(), error.wait().is_some());
            let usable = error.disposition() == Disposition::Report;
            connection = usable.then_some(current);
            tracing::warn!(%error, profile = self.task.profile.name, run = self.task.run.0, "the connection is lost, \
                or unusable for a while");
            if given == GivenBack::GivenUp {
                trouble.busy = 0;
            }
            let verdict = match error.wait() {
                Some(wait) if given != GivenBack::Progress => {
                    if lane > 0 && wait.fewer_connections {
                        return self.fewer(&error).await.map(|()| None);
                    }
                    trouble.busy(wait.suggested, BUSY_MOST)
                }
                _ => trouble.lost(given),
            };
            match verdict {
                Verdict::After(pause) if error.wait().is_some() => self.rest(pause).await?,
                Verdict::After(pause) => self.pause(pause).await?,
                // It may be but this folder that the server does not bear.
                Verdict::GiveUp if error.wait().is_none() && trouble.folders < FOLDERS_GIVEN_UP => {
                    let folders = trouble.folders + 1;
                    trouble = Trouble {
                        folders,
                        ..Trouble::default()
                    };
                    let Some(folder) = self.jobs.give_up_folder() else {
                        return Err(RunError::Lost(error));
                    };
                    self.jobs.refused(FolderError { folder, error });
                    continue;
                }
                Verdict::GiveUp => return Err(RunError::Lost(error)),
            }
            if !usable {
                let notice = match error {
                    SourceError::Protocol { .. } | SourceError::TooMuch { .. } => {
                        said!(
                            ConnectionAnew,
                            "a connection was given up and re-established: {0}",
                            error.said()
                        )
                    }
                    _ => said!(ConnectionLostAnew, "the connection was lost and re-established"),
                };
                self.tell(notice).await?;
            }
        }
    }

    /// A connection could not be made. Waits before the next attempt; false where this lane ends, and others do its
    /// work.
    async fn after_refusal(&self, lane: usize, trouble: &mut Trouble, error: LoginError) -> Result<bool, RunError> {
        let wait = asks_to_wait(&error);
        if lane > 0 && (trouble.refused >= 1 || wait.as_ref().is_some_and(|wait| wait.fewer_connections)) {
            self.fewer(&error).await?;
            return Ok(false);
        }
        let verdict = match wait {
            Some(wait) => trouble.busy(wait.suggested, BUSY_MOST),
            // To be refused again and again locks accounts, and helps nobody.
            None if error.is_final() => Verdict::GiveUp,
            None => trouble.refused(),
        };
        match verdict {
            Verdict::After(pause) if wait.is_some() => self.rest(pause).await.map(|()| true),
            Verdict::After(pause) => self.pause(pause).await.map(|()| true),
            Verdict::GiveUp => Err(match error {
                LoginError::Source(error) => RunError::Lost(error),
                error => RunError::Login(error),
            }),
        }
    }

    async fn fewer(&self, error: &(dyn Say + Sync)) -> Result<(), RunError> {
        let error = error.said();
        tracing::warn!(%error, profile = self.task.profile.name, run = self.task.run.0, "the run goes on over fewer \
            connections");
        let many = self.task.profile.connections;
        self.tell(said!(
            FewerConnections,
            "the server does not accept {0} connections at once, so the run used fewer ({1})",
            many,
            error
        ))
        .await
    }

    async fn tell(&self, notice: Said) -> Result<(), RunError> {
        let notices = vec![notice];
        self.tell_all(Progress {
            notices,
            ..Progress::default()
        })
        .await
    }

    pub(super) async fn tell_all(&self, progress: Progress) -> Result<(), RunError> {
        self.task.progress.send(progress).await.map_err(|_| RunError::Fault)
    }

    /// Waits because the server asked for it.
    pub(super) async fn rest(&self, pause: Duration) -> Result<(), RunError> {
        tracing::info!(
            ?pause,
            profile = self.task.profile.name,
            run = self.task.run.0,
            "the server asks to wait"
        );
        self.task.pulse.rest(pause);
        self.pause(pause).await
    }

    pub(super) async fn pause(&self, pause: Duration) -> Result<(), RunError> {
        tokio::select! {
            biased;
            () = self.task.cancel.cancelled() => Err(RunError::Interrupted),
            () = tokio::time::sleep(pause) => Ok(()),
        }
    }

    /// A connection that is logged in, or why there is none.
    pub(super) async fn connect(
        &self,
        lane: usize,
        import: Option<Import>,
    ) -> Result<Result<Addr<Connection>, LoginError>, RunError> {
        let connection = Connection::new(self.task.clone(), lane);
        let connection = Connection::start_in_arbiter(&self.network, |_| connection);
        match connection.send(Connect(import)).await {
            Ok(Ok(())) => Ok(Ok(connection)),
            Ok(Err(ConnectError::Login(error))) => Ok(Err(error)),
            Ok(Err(ConnectError::Cancelled)) => Err(RunError::Interrupted),
            Err(_) => Ok(Err(panicked().into())),
        }
    }
}

/// Takes out the folder to which copies are moved. Some servers write its name in another case.
fn leave_out(aside: &str, folders: &mut Vec<String>) {
    let exact = folders.iter().any(|folder| folder == aside);
    folders.retain(|folder| match exact {
        true => folder != aside,
        false => folder.to_lowercase() != aside.to_lowercase(),
    });
}

fn panicked() -> SourceError {
    SourceError::Lost {
        command: "the run".into(),
        words: "the connection panicked; this is a bug in dropkeep".into(),
    }
}

fn unreachable(error: LoginError) -> RunError {
    match error {
        LoginError::Config(error) => RunError::Config(error),
        LoginError::Source(error) => RunError::Unreachable(error),
        error => RunError::Login(error),
    }
}

fn asks_to_wait(error: &LoginError) -> Option<Wait> {
    match error.later() {
        Some(suggested) => Some(Wait {
            suggested,
            fewer_connections: false,
        }),
        None => error.source_error().and_then(SourceError::wait),
    }
}
