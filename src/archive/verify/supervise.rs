//! The process that supervises: it starts the one that reads, writes down what it finds, and where that one does
//! not live to the end, finds out over what, and has another one go on behind it.

use std::{
    fs::File,
    io::BufRead,
    os::unix::process::ExitStatusExt,
    process::{Command, ExitStatus, Stdio},
    time::Duration,
};

use super::{
    Event, Outcome, VerifyError,
    logbook::{Logbook, Next},
    plan::Selection,
    stretches::{Portion, Reached},
    words::{Request, Statement},
};
use crate::{
    archive::{resident, store},
    child::{self, Wish},
    config::Config,
    patience::Patience,
};

/// The hidden argument with which the binary is the process that reads.
pub const READER: &str = "verify-reader";

/// Bytes of the archive's files that may be mapped in the reading process, which holds little else.
const MAPPED: u64 = 80 << 20;
/// How long the reading process may say nothing before it counts as dead. The longest that one statement stands for is a
/// thousand rows looked up on a slow disk.
const SILENCE: Duration = Duration::from_secs(300);
/// How long an older store is waited for while another command has it open.
const PATIENCE: Duration = Duration::from_secs(5);

/// Verifies the store of `config`, in processes of its own, beside an appliance if one runs.
///
/// # Errors
/// There is no archive, it cannot be opened at all, or the selection names what is not there.
pub fn verify(config: &Config, selection: &Selection, each: &mut dyn FnMut(Event)) -> Result<Outcome, VerifyError> {
    let request = Request::first(config, selection);
    supervise(request, config, &|| true, each).map(|logbook| logbook.outcome())
}

/// The same for the appliance that has the archive open, without being in its way. `go_on` is asked several times a
/// second.
///
/// # Errors
/// As [`verify`], or `go_on` said no.
pub fn verify_beside(
    config: &Config,
    selection: &Selection,
    go_on: &dyn Fn() -> bool,
    each: &mut dyn FnMut(Event),
) -> Result<Outcome, VerifyError> {
    supervise(gently(config, selection), config, go_on, each).map(|logbook| logbook.outcome())
}

/// The same of a portion of the archive; gives also how far the round has come with it.
///
/// # Errors
/// As [`verify`], or `go_on` said no.
pub fn verify_portion(
    config: &Config,
    portion: Portion,
    go_on: &dyn Fn() -> bool,
    each: &mut dyn FnMut(Event),
) -> Result<(Outcome, Reached), VerifyError> {
    let selection = Selection {
        portion: Some(portion),
        ..Selection::default()
    };
    let logbook = supervise(gently(config, &selection), config, go_on, each)?;
    Ok((logbook.outcome(), logbook.reached()))
}

fn gently(config: &Config, selection: &Selection) -> Request {
    Request {
        gently: true,
        ..Request::first(config, selection)
    }
}

fn supervise(
    mut request: Request,
    config: &Config,
    go_on: &dyn Fn() -> bool,
    each: &mut dyn FnMut(Event),
) -> Result<Logbook, VerifyError> {
    // As long as this is held, no volume and no block goes.
    let _readers = store::shut_out_removal(config)?;
    let selection = request.selection.clone();
    let mut logbook = Logbook::new(selection.clone());
    loop {
        let ended = read(&request, go_on, |said| logbook.take(said, each))?;
        if logbook.is_older() {
            upgrade(&request)?;
            logbook = Logbook::new(selection.clone());
            continue;
        }
        if let Some(refusal) = logbook.refusal() {
            return Err(refusal);
        }
        let next = match ended {
            Ended::Well if logbook.is_done() => return Ok(logbook),
            Ended::Well => logbook.died("ended before it was done", each),
            Ended::Badly(how) => logbook.died(&how, each),
            Ended::Stopped => return Err(VerifyError::Interrupted),
        };
        match next {
            Next::Again => logbook.fill(&mut request),
            Next::GiveUp => return Ok(logbook),
        }
    }
}

/// Brings an older store to the present schema, which only the one process that may write can do.
fn upgrade(request: &Request) -> Result<(), VerifyError> {
    let upgrade = Request {
        upgrade: true,
        ..request.clone()
    };
    let patience = Patience::of(PATIENCE);
    loop {
        let mut refused = None;
        let ended = read(&upgrade, &|| true, |said| match said {
            Statement::Refused { error, .. } => refused = Some(error),
            Statement::Older => refused = Some("the archive still has an older schema".into()),
            _ => {}
        })?;
        match (ended, refused) {
            (Ended::Well, None) => return Ok(()),
            // Whoever has it open may let go of it.
            (Ended::Well, Some(_)) if patience.again_here() => {}
            (Ended::Well, Some(error)) => return Err(VerifyError::Store(error)),
            (Ended::Stopped, _) => return Err(VerifyError::Interrupted),
            (Ended::Badly(how), _) => {
                let what = format!("upgrading the archive to the present schema {how}");
                return Err(VerifyError::Store(what));
            }
        }
    }
}

/// How a process ended.
enum Ended {
    Well,
    /// In words that go on behind what it did.
    Badly(String),
    /// It was not to go on.
    Stopped,
}

/// Starts a process that does what is requested, and hands what it says to `each`.
fn read(request: &Request, go_on: &dyn Fn() -> bool, mut each: impl FnMut(Statement)) -> Result<Ended, VerifyError> {
    let failed = |error: std::io::Error| VerifyError::Reader(error.to_string());
    // Whatever became of the file since, this is the program that runs.
    let child = Command::new("/proc/self/exe")
        .arg(READER)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let mut stopped = false;
    let mut step = |said: Option<Statement>, silent| {
        let is_silent = said.is_none() && silent > SILENCE;
        said.into_iter().for_each(&mut each);
        stopped = !go_on();
        // It writes nothing, so it need not end in good order.
        if stopped || is_silent { Wish::Kill } else { Wish::GoOn }
    };
    let ended = child::follow(child, request, &mut step).map_err(failed)?;
    Ok(match ended.status {
        _ if stopped => Ended::Stopped,
        Some(status) if status.success() => Ended::Well,
        status => Ended::Badly(words(status, &ended.last_words)),
    })
}

fn words(status: Option<ExitStatus>, last_words: &str) -> String {
    const SIGNALS: [(i32, &str); 5] = [
        (4, "SIGILL"),
        (6, "SIGABRT"),
        (7, "SIGBUS"),
        (9, "SIGKILL"),
        (11, "SIGSEGV"),
    ];
    let how = match status.map(|status| (status.signal(), status.code())) {
        None => "did not finish".into(),
        Some((Some(signal), _)) => {
            let name = SIGNALS.iter().find(|(number, _)| *number == signal);
            let name = name.map_or_else(|| format!("signal {signal}"), |(_, name)| (*name).to_owned());
            format!("crashed the process that reads the archive ({name})")
        }
        Some((None, code)) => format!(
            "ended the process that reads the archive (exit code {})",
            code.unwrap_or_default()
        ),
    };
    if last_words.is_empty() {
        how
    } else {
        format!("{how} ({last_words})")
    }
}

/// What the binary does when it is the process that reads: takes a request from standard input, answers on standard
/// output.
///
/// # Errors
/// There is no request, or nobody listens.
pub fn reader() -> std::io::Result<()> {
    resident::allow(MAPPED);
    let mut json = String::new();
    std::io::stdin().lock().read_line(&mut json)?;
    let request: Request = serde_json::from_str(&json)?;
    // Not the buffered one: what was said must have gone out when the process is ended.
    let output = File::from(std::os::fd::AsFd::as_fd(&std::io::stdout()).try_clone_to_owned()?);
    super::work::work(&request, output)
}
