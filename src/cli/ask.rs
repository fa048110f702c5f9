//! Getting a request answered: by the appliance that holds the data directory, or, when there is
//! none, by this process.

use std::{
    ops::ControlFlow,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use crate::{
    appliance::{self, Appliance},
    archive::{Committer, Store, StoreError},
    config::Config,
    control::{
        self, Client,
        api::{Failure, Reply, Request},
    },
    profile::Exit,
};

/// How long a command waits for another short one to let go of the data directory.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(20);

/// Who holds the data directory.
pub enum Holder {
    Appliance(Client),
    Ourselves(Arc<Store>),
}

/// Finds the appliance, or opens the store. Another command that has the store open for a moment is
/// waited for.
pub async fn holder(config: &Config) -> Result<Holder, Failure> {
    let started = Instant::now();
    loop {
        if let Some(client) = Client::connect(&config.data_dir).await {
            return Ok(Holder::Appliance(client));
        }
        match Store::open(config) {
            Ok(store) => return Ok(Holder::Ourselves(Arc::new(store))),
            Err(StoreError::InUse { .. }) if started.elapsed() < PATIENCE => tokio::time::sleep(LOOK).await,
            Err(error) => return Err(error.into()),
        }
    }
}

/// Asks a request that the store alone can answer.
pub fn read(config: &Config, request: &Request, each: &mut dyn FnMut(Reply)) -> Result<(), Failure> {
    runtime()?.block_on(async {
        match holder(config).await? {
            Holder::Appliance(mut client) => client.ask(request, each).await,
            Holder::Ourselves(store) => {
                take_over_users(config, &store).await?;
                let mut emit = |reply| {
                    each(reply);
                    ControlFlow::Continue(())
                };
                control::read(&store, request, &mut emit)
            }
        }
    })
}

/// The users as the configuration has them now, also when no run came since it was changed.
async fn take_over_users(config: &Config, store: &Arc<Store>) -> Result<(), Failure> {
    if appliance::changed_users(config, store)?.is_empty() {
        return Ok(());
    }
    let (committer, thread) = Committer::start(store.clone(), config.limits.inflight.0)?;
    let taken = appliance::take_over_users(config, store, &committer).await;
    drop(committer);
    join(thread)?;
    taken
}

/// Asks a request that needs the actors. In this process they are started for it, with the control
/// socket, so that other commands get their answers meanwhile. `interrupted` is what Ctrl-C sends.
pub fn act(
    config: Config,
    request: Request,
    interrupted: Option<Request>,
    each: &mut dyn FnMut(Reply),
) -> Result<(), Failure> {
    let system = actix_rt::System::new();
    let result = system.block_on(async {
        match holder(&config).await? {
            Holder::Appliance(mut client) => {
                let asked = client.ask(&request, each);
                tokio::pin!(asked);
                let Some(interrupt) = interrupted else {
                    return asked.await;
                };
                tokio::select! {
                    answered = &mut asked => return answered,
                    _ = tokio::signal::ctrl_c() => {}
                }
                if let Some(mut second) = Client::connect(&config.data_dir).await {
                    second.ask(&interrupt, &mut |_| {}).await?;
                }
                asked.await
            }
            Holder::Ourselves(store) => act_here(config, store, request, each).await,
        }
    });
    system_end(&system);
    result
}

async fn act_here(
    config: Config,
    store: Arc<Store>,
    request: Request,
    each: &mut dyn FnMut(Reply),
) -> Result<(), Failure> {
    let data_dir = config.data_dir.clone();
    let (appliance, thread) = Appliance::start(config, store, false).await?;
    let appliance = Arc::new(appliance);
    let server = control::listen(&data_dir, appliance.clone()).map_err(|error| {
        Failure::new(
            Exit::Store,
            format!("cannot make the control socket in {}: {error}", data_dir.display()),
        )
    })?;
    let handle = server.handle();
    let serving = actix_rt::spawn(server);
    let mut replies = control::respond(appliance.clone(), request);
    let mut outcome = Err(Failure::new(
        Exit::Errors,
        "no answer came; this is a fault of dropkeep",
    ));
    let mut interrupts = Interrupts::new()?;
    loop {
        let reply = tokio::select! {
            reply = replies.recv() => reply,
            () = interrupts.next() => {
                appliance.interrupt_all().await;
                continue;
            }
        };
        match reply {
            Some(Reply::Done) => outcome = Ok(()),
            Some(Reply::Failed(failure)) => outcome = Err(failure),
            Some(reply) => each(reply),
            None => break,
        }
    }
    handle.stop(true).await;
    // Its end is the end of its server.
    let _ = serving.await;
    // What was acknowledged is on disk; the thread ends with the process.
    drop((appliance, thread));
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

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::new(Exit::Errors, error))
}

fn join(thread: thread::JoinHandle<()>) -> Result<(), Failure> {
    thread
        .join()
        .map_err(|_| Failure::new(Exit::Store, "the committer panicked; this is a fault of dropkeep"))
}
