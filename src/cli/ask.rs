//! Getting a request answered: by the appliance that holds the data directory, or, when there is
//! none, by this process.

use std::{collections::BTreeSet, fs, ops::ControlFlow, path::Path, sync::Arc, thread, time::Duration};

use super::{output::say, progress::bar_of};
use crate::{
    access::{Caller, Owner, grant, noted},
    api::{AccountWish, Exit, Failure, Made, Reply, Request},
    appliance::{self, Appliance},
    archive::{Absent, Committer, Store, StoreError, close_abandoned_runs},
    config::{CONTROL_SOCKET, Config},
    control::{self, AskError, Client},
    gate::{Gate, Notes, Pending},
    patience::Patience,
    reading,
    reroute::Gained,
    search::{Indexing, Search, Standing},
};

/// How long a command waits until another short one has released the data directory.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// How long an appliance that is ending, and takes no requests any more, may take to end.
pub const ENDING: Duration = Duration::from_secs(15);
/// How long to wait for the mail and the webhook about a run when everything else is done.
const TELLING: Duration = Duration::from_secs(10);
/// The same where a signal asked for the end.
pub const TELLING_AT_THE_END: Duration = Duration::from_secs(2);
/// How long this process may go on for other commands without saying so.
const WORTH_SAYING: Duration = Duration::from_millis(500);

/// Who holds the data directory.
enum Holder {
    Appliance(Client),
    Ourselves(Arc<Store>),
}

/// Says that an archive was made.
pub fn say_new(path: &Path) {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    say(format!("made a new archive in {}", path.display()));
}

/// Finds the appliance, or opens the store. Another command that has the store open for a moment is
/// waited for.
async fn holder(config: &Config, absent: Absent) -> Result<Holder, StoreError> {
    let patience = Patience::of(PATIENCE);
    loop {
        if let Some(client) = Client::connect(&config.data_dir).await {
            return Ok(Holder::Appliance(client));
        }
        // No archive is begun with users that are refused.
        let absent = match config.require_users() {
            Err(_) if !Store::is_there(config) => Absent::Refused,
            _ => absent,
        };
        match Store::open_or(config, absent) {
            Ok(store) => {
                if store.is_new() {
                    say_new(store.path());
                }
                return Ok(Holder::Ourselves(Arc::new(store)));
            }
            Err(StoreError::InUse { .. }) if patience.again().await => {}
            Err(error) => return Err(error),
        }
    }
}

/// Asks a request that the store alone can answer. Where a volume is missing, what there is without it is answered
/// before that is the failure.
pub fn read(config: &Config, request: &Request, each: &mut dyn FnMut(Reply)) -> Result<(), Failure> {
    let mut all = |reply| {
        each(reply);
        ControlFlow::Continue(())
    };
    read_until(config, request, &mut all)
}

/// The same, until `each` has enough.
pub fn read_until(
    config: &Config,
    request: &Request,
    each: &mut dyn FnMut(Reply) -> ControlFlow<()>,
) -> Result<(), Failure> {
    let patience = Patience::of(ENDING);
    let runtime = runtime()?;
    let here = runtime.block_on(async {
        loop {
            match holder(config, Absent::Refused).await {
                Ok(Holder::Appliance(mut client)) => match client.ask_until(request, each).await {
                    Err(AskError::NotTaken(_)) if patience.again().await => {}
                    answered => return answered.map(|()| None).map_err(Failure::from),
                },
                Ok(Holder::Ourselves(store)) => return prepare(config, store, request).await.map(Some),
                Err(missing @ StoreError::Missing { .. }) => {
                    let store = Arc::new(Store::open_incomplete(config)?);
                    let index = index_of(config, &store);
                    let missing = Some(missing);
                    return Ok(Some(Here { store, index, missing }));
                }
                Err(error) => return Err(error.into()),
            }
        }
    })?;
    // Here it may be waited for the disk.
    here.map_or(Ok(()), |here| here.answer(config, request, each))
}

/// A store that this command opened to read in it.
struct Here {
    store: Arc<Store>,
    index: Search,
    /// What is missing of it.
    missing: Option<StoreError>,
}

async fn prepare(config: &Config, store: Arc<Store>, request: &Request) -> Result<Here, Failure> {
    // A run that was killed is not going on. A full disk is no reason not to read.
    if let Err(error) = close_abandoned_runs(&store) {
        tracing::warn!(%error, "cannot close runs that were interrupted; they are still listed as running");
    }
    take_over_users(config, &store).await?;
    let index = index_of(config, &store);
    if matches!(request, Request::Search(_)) && config.search.enabled {
        catch_up(&index).await;
    }
    let missing = None;
    Ok(Here { store, index, missing })
}

impl Here {
    fn answer(
        self,
        config: &Config,
        request: &Request,
        each: &mut dyn FnMut(Reply) -> ControlFlow<()>,
    ) -> Result<(), Failure> {
        let Self { store, index, missing } = self;
        // It writes as long as this is here.
        let _indexing = Indexing(index.clone());
        answer_from(config, &store, &index, request, each)?;
        missing.map_or(Ok(()), |missing| Err(missing.into()))
    }
}

/// Has an account changed: by the appliance, or else in this process, which may do so several times. Gives secrets that
/// were made by it.
pub fn change_account(config: &Config, absent: Absent, name: &str, wish: &AccountWish) -> Result<Vec<Made>, Failure> {
    let patience = Patience::of(ENDING);
    runtime()?.block_on(async {
        loop {
            let store = match holder(config, absent).await? {
                Holder::Ourselves(store) => store,
                Holder::Appliance(mut client) => {
                    let mut answer = Vec::new();
                    let request = Request::ChangeAccount {
                        name: name.to_owned(),
                        wish: wish.clone(),
                    };
                    let mut take = |reply| {
                        answer.extend(if let Reply::Made(made) = reply {
                            Some(made)
                        } else {
                            None
                        })
                    };
                    match client.ask(&request, &mut take).await {
                        Err(AskError::NotTaken(_)) if patience.again().await => continue,
                        answered => return answered.map(|()| answer).map_err(Failure::from),
                    }
                }
            };
            take_over_users(config, &store).await?;
            let (committer, thread) = Committer::start(store.clone(), config.limits.inflight.0)?;
            let gate = Gate::new(config, store.clone(), committer)?;
            let changed = gate.change(&owner(&store), name, wish.clone()).await;
            drop(gate);
            join(thread)?;
            return changed;
        }
    })
}

fn index_of(config: &Config, store: &Arc<Store>) -> Search {
    Search::new(store.clone(), config.search.clone())
}

/// Has the index take up what was archived since, as no appliance does it. What is found without that says so.
async fn catch_up(index: &Search) {
    let bar = bar_of("messages");
    let caught_up = match index.start() {
        Ok(()) => {
            let tell = |standing: &Standing| {
                bar.set_length(standing.messages);
                bar.set_position(standing.documents + standing.pending);
            };
            index.up_to_date(tell).await
        }
        Err(error) => Err(error),
    };
    bar.finish_and_clear();
    if let Err(error) = caught_up {
        say(Failure::from(error).error);
    }
}

/// This command as a caller, because it has opened the archive itself.
#[expect(clippy::disallowed_methods, reason = "the command has opened the archive itself")]
pub fn owner(store: &Store) -> Caller {
    Caller::Owner(Owner::of(store))
}

/// Answers a request from the store. Nothing is shown of it before it is noted.
fn answer_from(
    config: &Config,
    store: &Arc<Store>,
    index: &Search,
    request: &Request,
    each: &mut dyn FnMut(Reply) -> ControlFlow<()>,
) -> Result<(), Failure> {
    let caller = owner(store);
    let granted = grant(&caller, request.clone())?;
    let Some(entry) = noted(&caller, request) else {
        return reading::answer(store, index, &granted, each);
    };
    let (committer, thread) = Committer::start(store.clone(), config.limits.inflight.0)?;
    let notes = Notes::new(committer);
    let mut pending = Pending::new(&notes, Some(entry));
    let mut not_noted = None;
    let answered = reading::answer(store, index, &granted, &mut |reply| match pending.before(&reply) {
        Ok(()) => each(reply),
        Err(error) => {
            not_noted.get_or_insert(error);
            ControlFlow::Break(())
        }
    });
    let last = match &answered {
        Ok(()) => Reply::Done,
        Err(failure) => Reply::Failed(failure.clone()),
    };
    let noted = not_noted.map_or_else(|| pending.before(&last), Err);
    drop(notes);
    join(thread)?;
    noted?;
    answered
}

/// The users as the configuration has them now, also when no run came since it was changed.
async fn take_over_users(config: &Config, store: &Arc<Store>) -> Result<(), Failure> {
    // Where nobody knows who they are, they stay as they were.
    if config.require_users().is_err() || appliance::changed_users(config, store)?.0.is_empty() {
        return Ok(());
    }
    let (committer, thread) = Committer::start(store.clone(), config.limits.inflight.0)?;
    let taken = appliance::take_over_users(config, store, &committer).await;
    drop(committer);
    join(thread)?;
    say_not_counted(store, &taken?);
    Ok(())
}

/// Says that there may be mail in the archive for users who are new in the configuration.
fn say_not_counted(store: &Store, users: &BTreeSet<String>) {
    let is_empty = store.totals().is_ok_and(|(messages, _)| messages == 0);
    if is_empty || users.is_empty() {
        return;
    }
    say(Gained::of(users.clone()).not_counted());
}

/// Asks a request that needs the actors. In this process they are started for it. `interrupted` is what
/// Ctrl-C sends; who gives one may take long, and answers other commands meanwhile.
pub fn act(
    config: Config,
    absent: Absent,
    request: Request,
    interrupted: Option<Request>,
    each: &mut dyn FnMut(Reply),
) -> Result<(), Failure> {
    let patience = Patience::of(ENDING);
    let system = actix_rt::System::new();
    let result = system.block_on(async {
        let mut interrupts = Interrupts::new()?;
        loop {
            let holder = tokio::select! {
                holder = holder(&config, absent) => holder,
                () = interrupts.next() => return Err(Failure::interrupted()),
            };
            let holder = match holder {
                Err(error @ (StoreError::None { .. } | StoreError::NotMade { .. })) => {
                    config.require_users()?;
                    return Err(error.into());
                }
                holder => holder?,
            };
            match holder {
                Holder::Appliance(client) => {
                    let asked = act_there(&config, client, &request, interrupted.as_ref(), &mut interrupts, each);
                    match asked.await {
                        Err(AskError::NotTaken(_)) if patience.again().await => {}
                        answered => return Ok(answered?),
                    }
                }
                Holder::Ourselves(store) => {
                    return act_here(config, store, request, interrupted.is_some(), &mut interrupts, each).await;
                }
            }
        }
    });
    system_end(&system);
    result
}

async fn act_there(
    config: &Config,
    mut client: Client,
    request: &Request,
    interrupted: Option<&Request>,
    interrupts: &mut Interrupts,
    each: &mut dyn FnMut(Reply),
) -> Result<(), AskError> {
    let asked = client.ask(request, each);
    tokio::pin!(asked);
    let mut second = false;
    loop {
        tokio::select! {
            answered = &mut asked => return answered,
            () = interrupts.next() => {}
        }
        let Some(interrupt) = interrupted.filter(|_| !second) else {
            // A run goes on in the appliance, and so does its interruption.
            return Err(AskError::Failed(Failure::interrupted()));
        };
        second = true;
        let (data_dir, interrupt) = (config.data_dir.clone(), interrupt.clone());
        actix_rt::spawn(async move {
            if let Some(mut client) = Client::connect(&data_dir).await {
                // Where it does not come through, the signal that follows ends the command.
                let _ = client.ask(&interrupt, &mut |_| {}).await;
            }
        });
    }
}

async fn act_here(
    config: Config,
    store: Arc<Store>,
    request: Request,
    listens: bool,
    interrupts: &mut Interrupts,
    each: &mut dyn FnMut(Reply),
) -> Result<(), Failure> {
    let data_dir = config.data_dir.clone();
    let caller = owner(&store);
    let (appliance, thread) = Appliance::start(config, store, false).await?;
    let appliance = Arc::new(appliance);
    let server = if listens {
        let server = control::listen(&data_dir, appliance.clone()).map_err(|error| {
            Failure::new(
                Exit::Store,
                format!("cannot create the control socket in {}: {error}", data_dir.display()),
            )
        })?;
        let handle = server.handle();
        Some((handle, actix_rt::spawn(server)))
    } else {
        None
    };
    let (outcome, was_interrupted) = {
        let all = answer_all(&data_dir, &appliance, &caller, request, each);
        tokio::pin!(all);
        let mut second = false;
        loop {
            tokio::select! {
                outcome = &mut all => break (outcome, second),
                () = interrupts.next() => {}
            }
            if second {
                // What was acknowledged is on disk.
                say("stopped at once; mail that was not committed is fetched again");
                std::process::exit(Exit::Interrupted as i32);
            }
            second = true;
            let appliance = appliance.clone();
            actix_rt::spawn(async move { appliance.interrupt_all().await });
        }
    };
    say_not_counted(appliance.store(), &appliance.not_counted());
    // Who asked for the end once means it here as well, though it was a moment too early.
    let most = if was_interrupted { TELLING_AT_THE_END } else { TELLING };
    let told = tokio::select! {
        told = appliance.told(most) => told,
        () = interrupts.next() => false,
    };
    if !told {
        say("the mail or the webhook call about the run was not sent in time, and is dropped");
    }
    if let Some((handle, serving)) = server {
        handle.stop(true).await;
        // Its end is the end of its server.
        let _ = serving.await;
    }
    // What was acknowledged is on disk; the thread ends with the process.
    drop((appliance, thread));
    outcome
}

/// Answers this command's request, and then what other commands asked of this process meanwhile: their
/// runs would end with it.
async fn answer_all(
    data_dir: &Path,
    appliance: &Arc<Appliance>,
    caller: &Caller,
    request: Request,
    each: &mut dyn FnMut(Reply),
) -> Result<(), Failure> {
    let mut answer = appliance.answer(caller, request).await?;
    let mut outcome = Err(Failure::new(
        Exit::Errors,
        "there was no answer; this is a bug in dropkeep",
    ));
    while let Some(reply) = answer.next().await {
        match reply {
            Reply::Done => outcome = Ok(()),
            Reply::Failed(failure) => outcome = Err(failure),
            reply => each(reply),
        }
    }
    drop(answer);
    let idle = appliance.requests().end_when_idle();
    tokio::pin!(idle);
    if tokio::time::timeout(WORTH_SAYING, &mut idle).await.is_err() {
        say("done; this process ends once it has answered the other commands that are waiting for it");
        idle.await;
    }
    // Whoever comes now waits for the end of this process.
    let _ = fs::remove_file(data_dir.join(CONTROL_SOCKET));
    outcome
}

/// SIGINT and SIGTERM.
pub struct Interrupts {
    int: tokio::signal::unix::Signal,
    term: tokio::signal::unix::Signal,
}

impl Interrupts {
    pub fn new() -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| signal(kind).map_err(|error| Failure::new(Exit::Errors, error));
        Ok(Self {
            int: listen(SignalKind::interrupt())?,
            term: listen(SignalKind::terminate())?,
        })
    }

    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.int.recv() => {}
            _ = self.term.recv() => {}
        }
    }
}

fn system_end(system: &actix_rt::SystemRunner) {
    // The arbiters' threads end with the process; nothing of what they hold is not on disk.
    let _ = system;
    actix_rt::System::current().stop();
}

pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::new(Exit::Errors, error))
}

pub fn join(thread: thread::JoinHandle<()>) -> Result<(), Failure> {
    thread
        .join()
        .map_err(|_| Failure::new(Exit::Store, "the committer panicked; this is a bug in dropkeep"))
}
