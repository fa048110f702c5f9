//! `serve`: the appliance, until it is told to stop.

use std::{io::Write, sync::Arc, time::Duration};

use super::ask::Interrupts;
use crate::{
    appliance::Appliance,
    archive::Store,
    config::Config,
    control::{self, Requests, api::Failure},
    profile::Exit,
    report::{self, Readiness, metrics},
};

/// How often the disk is looked at, and the metrics are tidied.
const MEASURE: Duration = Duration::from_secs(15);
/// How often it is looked whether mail can be archived.
const LOOK: Duration = Duration::from_secs(1);
/// How long what is in flight may take to be committed after the signal to stop.
const FINISH: Duration = Duration::from_secs(7);
/// How long after that mail and webhook may take.
const TELL: Duration = Duration::from_secs(3);
/// How long after that the answers to other commands may take.
const ANSWER: Duration = Duration::from_secs(1);

pub fn run(config: Config) -> Result<u8, Failure> {
    config.require_users()?;
    let recorder = metrics::install().map_err(|error| Failure::new(Exit::Errors, error))?;
    let store = Arc::new(Store::open(&config)?);
    let listen = config.http.listen.clone();
    let data_dir = config.data_dir.clone();
    let system = actix_rt::System::new();
    system.block_on(async {
        let mut interrupts = Interrupts::new()?;
        let readiness = Readiness::default();
        let (http, addresses) = report::serve(&listen, recorder.clone(), readiness.clone())
            .map_err(|error| Failure::usage(format!("cannot listen on {listen}: {error}; see http.listen")))?;
        let http_handle = http.handle();
        actix_rt::spawn(http);
        let (appliance, _committer) = Appliance::start(config, store, true).await?;
        let appliance = Arc::new(appliance);
        let requests = Requests::default();
        let control = control::listen(&data_dir, appliance.clone(), requests.clone()).map_err(|error| {
            Failure::new(
                Exit::Store,
                format!("cannot make the control socket in {}: {error}", data_dir.display()),
            )
        })?;
        let control_handle = control.handle();
        actix_rt::spawn(control);
        readiness.set(true);
        for address in addresses {
            // Standard error may be closed; the appliance goes on.
            let _ = writeln!(std::io::stderr(), "listening on http://{address}");
        }
        let mut measure = tokio::time::interval(MEASURE);
        let mut look = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                () = interrupts.next() => break,
                _ = look.tick() => readiness.set(appliance.is_ready()),
                _ = measure.tick() => {
                    appliance.measure();
                    recorder.run_upkeep();
                }
            }
        }
        tracing::info!("stopping: what is in flight is committed");
        readiness.set(false);
        requests.refuse();
        if tokio::time::timeout(FINISH, appliance.interrupt_all()).await.is_err() {
            tracing::warn!("a run did not end in time; what it did not commit is fetched again");
        }
        if !appliance.told(TELL).await {
            tracing::warn!("not all runs were told of by mail or webhook before the end");
        }
        // Whoever waits for a run that ended gets its protocol.
        let _ = tokio::time::timeout(ANSWER, requests.idle()).await;
        http_handle.stop(false).await;
        control_handle.stop(true).await;
        Ok(0)
    })
}
