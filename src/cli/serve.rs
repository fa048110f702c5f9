//! `serve`: the appliance, until it is told to stop.

use std::{io::Write, sync::Arc, time::Duration};

use tokio::signal::unix::{SignalKind, signal};

use super::{
    ask::{Interrupts, TELLING_AT_THE_END, say_new},
    output::say,
    service, status,
};
use crate::{
    access::{
        Entry, Outcome,
        entry::{OWNER, SIGNAL},
    },
    api::{Exit, Failure, Reloaded},
    appliance::Appliance,
    archive::{Absent, Store},
    clock,
    config::{Config, LogFormat},
    console::{self, FirstAccount},
    control,
    http::{self, Http},
    monitoring::{self, Readiness},
    report::{Logs, metrics, recorder},
    web::{self, Door},
};

/// How often the disk is looked at, and the metrics are tidied.
const MEASURE: Duration = Duration::from_secs(15);
/// How often it is looked whether mail can be archived.
const LOOK: Duration = Duration::from_secs(1);
/// How long what is in flight may take to be committed after the signal to stop. With what comes behind it, the
/// appliance ends within ten seconds, which is what service managers wait at least.
const FINISH: Duration = Duration::from_secs(5);
/// How long the answers to other commands may take after that, and after mail and webhook.
const ANSWER: Duration = Duration::from_secs(1);

pub fn run(config: Config, new: bool, logs: &Logs) -> Result<u8, Failure> {
    config.require_users()?;
    // Where only its kind of output decides, this line stays as it is.
    let log_is_json = config.log.format == LogFormat::Json;
    let recorder = recorder::install().map_err(|error| Failure::new(Exit::Errors, error))?;
    let (configuration, data_dir) = (status::absolute(&config.file), status::absolute(&config.data_dir));
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"), configuration = %configuration.display(), data_dir = %data_dir.display(),
        "dropkeep starts"
    );
    service::status("opening the archive");
    let opened = match Store::is_there(&config) {
        true => Some(open(&config, new)?),
        // Not before the rest of the configuration is found to be right.
        false => None,
    };
    let system = actix_rt::System::new();
    system.block_on(async {
        let mut interrupts = Interrupts::new()?;
        let listen = |kind| signal(kind).map_err(|error| Failure::new(Exit::Errors, error));
        let (mut hangups, mut louder) = (listen(SignalKind::hangup())?, listen(SignalKind::user_defined1())?);
        let readiness = Readiness::default();
        let mut pages = monitoring::routes(recorder.clone(), readiness.clone());
        let door = Door::new(&config.web);
        pages.extend(web::routes(&door));
        let first = FirstAccount::default();
        pages.extend(console::routes(&door, &first));
        let http = http::serve(&config.http, pages).map_err(Failure::usage)?;
        measure_certificate(&http);
        let store = match opened {
            Some(store) => store,
            None => open(&config, new)?,
        };
        let (appliance, _committer) = Appliance::start(config, store, true).await?;
        let appliance = Arc::new(appliance);
        door.open(appliance.clone());
        let http = Arc::new(http);
        let files = http.clone();
        appliance.read_also(move || files.reload().map_err(|error| error.to_string()));
        let control = control::listen(&data_dir, appliance.clone()).map_err(|error| {
            Failure::new(
                Exit::Store,
                format!("cannot create the control socket in {}: {error}", data_dir.display()),
            )
        })?;
        let control_handle = control.handle();
        actix_rt::spawn(control);
        readiness.ready();
        metrics::ready(true);
        for address in http.addresses() {
            tell(format!("listening on {address}"), log_is_json);
        }
        // Whoever reads what is printed here may make the first account.
        if let (Some(link), Some(address)) = (first.link(appliance.gate())?, http.addresses().first()) {
            tell(
                format!("there is no account yet; this link makes the first one, once: {address}{link}"),
                log_is_json,
            );
        }
        appliance.log_plan();
        tracing::info!(http = http.addresses().join(" "), "dropkeep is ready");
        let (mut reloads, mut asked) = (appliance.reloads(), appliance.reloads_asked_for());
        let mut said = appliance.summary();
        service::ready(&said);
        actix_rt::spawn(service::keep_alive(appliance.clone()));
        let mut measure = tokio::time::interval(MEASURE);
        let mut look = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                () = interrupts.next() => break,
                _ = look.tick() => {
                    appliance.look();
                    match appliance.not_ready() {
                        None => readiness.ready(),
                        Some(why) => readiness.not_ready(why),
                    }
                    metrics::ready(readiness.is_ready());
                    measure_certificate(&http);
                    let summary = appliance.summary();
                    if summary != said {
                        service::status(&summary);
                        said = summary;
                    }
                }
                _ = hangups.recv() => {
                    actix_rt::spawn(reload_by_signal(appliance.clone()));
                }
                Some(asked) = asked.recv() => {
                    let appliance = appliance.clone();
                    actix_rt::spawn(async move {
                        // Who asked may be gone.
                        let _ = asked.send(reload(&appliance).await);
                    });
                }
                _ = louder.recv() => logs.toggle(),
                _ = reloads.changed() => logs.configure(&appliance.config().log),
                _ = measure.tick() => {
                    appliance.measure();
                    recorder.run_upkeep();
                }
            }
        }
        tracing::info!("stopping: mail already fetched is being committed");
        service::stopping();
        readiness.not_ready("stopping");
        appliance.requests().refuse();
        actix_rt::spawn(async move {
            interrupts.next().await;
            // What was acknowledged is on disk.
            say("stopped at once; mail that was not committed is fetched again");
            std::process::exit(Exit::Interrupted as i32);
        });
        if tokio::time::timeout(FINISH, appliance.interrupt_all()).await.is_err() {
            tracing::warn!("a run did not end in time; mail that it did not commit is fetched again");
        }
        if !appliance.told(TELLING_AT_THE_END).await {
            tracing::warn!("not all mail and webhook calls about runs were sent before the end");
        }
        // Whoever waits for a run that ended gets its protocol.
        let _ = tokio::time::timeout(ANSWER, appliance.requests().idle()).await;
        http.stop().await;
        control_handle.stop(true).await;
        Ok(0)
    })
}

/// Says a line whatever the log's level is.
fn tell(line: String, log_is_json: bool) {
    let line = match log_is_json {
        false => line,
        true => {
            let line = serde_json::json!({"timestamp": clock::now().to_string(), "level": "INFO", "message": line});
            line.to_string()
        }
    };
    // Standard error may be closed; the appliance goes on.
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn measure_certificate(http: &Http) {
    if let Some(expiry) = http.certificate_expiry() {
        metrics::http_certificate_expiry(expiry);
    }
}

fn open(config: &Config, new: bool) -> Result<Arc<Store>, Failure> {
    let store = Arc::new(Store::open_or(config, Absent::made(new))?);
    // A log in JSON has it in a line of its own.
    if store.is_new() && config.log.format != LogFormat::Json {
        say_new(store.path());
    }
    Ok(store)
}

/// Takes longer the more users there are. The result is in the log.
async fn reload(appliance: &Appliance) -> Result<Reloaded, Failure> {
    service::reloading();
    let reloaded = appliance.reload().await;
    service::ready(&appliance.summary());
    reloaded
}

/// Who asks by a signal is noted as who asks by the socket.
async fn reload_by_signal(appliance: Arc<Appliance>) {
    let notes = appliance.gate().notes();
    let entry = Entry::new(OWNER, SIGNAL, "reload", "the configuration");
    if let Err(error) = notes.note(entry.clone().ended(Outcome::Begun, "")).await {
        return tracing::error!(%error, "the configuration is not read again");
    }
    let ended = match reload(&appliance).await {
        Ok(_) => entry,
        Err(failure) => entry.ended(Outcome::Failed, &failure.error),
    };
    if let Err(error) = notes.note(ended).await {
        tracing::error!(%error, "that the configuration was read again is not in the audit log");
    }
}
