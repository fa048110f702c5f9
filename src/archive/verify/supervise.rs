//! The process that supervises: it starts the one that reads, writes down what it finds, and where that one does
//! not live to the end, finds out over what, and has another one go on behind it.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Write},
    os::unix::process::ExitStatusExt,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use super::{
    Event, Outcome, VerifyError,
    logbook::{Logbook, Next},
    plan::Selection,
    protocol::{Line, Request},
};
use crate::{archive::store, config::Config};

/// The hidden argument with which the binary is the process that reads.
pub const READER: &str = "verify-reader";

/// How long the reading process may say nothing before it counts as dead. The longest that one line stands for is a
/// thousand rows looked up on a slow disk.
const SILENCE: Duration = Duration::from_secs(300);
/// Lines on their way from the reading process.
const LINES: usize = 1000;
/// The longest line that is read, in bytes.
const LONGEST: u64 = 16 << 20;
/// Bytes of what the reading process says on standard error that are kept.
const LAST_WORDS: usize = 4096;
/// How long an older store is waited for while another command has it open, and how often it is looked.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(50);

/// Verifies the store of `config`, in processes of its own, beside an appliance if one runs.
pub fn verify(config: &Config, selection: &Selection, each: &mut dyn FnMut(Event)) -> Result<Outcome, VerifyError> {
    // As long as this is held, no volume and no block goes.
    let _readers = store::shut_out_removal(config)?;
    let mut request = Request::first(config, selection);
    let mut logbook = Logbook::new(selection.clone());
    loop {
        let ended = read(&request, |line| logbook.take(line, each))?;
        if logbook.is_older() {
            upgrade(&request)?;
            logbook = Logbook::new(selection.clone());
            continue;
        }
        if let Some(refusal) = logbook.refusal() {
            return Err(refusal);
        }
        let next = match ended {
            Ended::Well if logbook.is_done() => return Ok(logbook.outcome()),
            Ended::Well => logbook.died("ended before it was done", each),
            Ended::Badly(how) => logbook.died(&how, each),
        };
        match next {
            Next::Again => logbook.fill(&mut request),
            Next::GiveUp => return Ok(logbook.outcome()),
        }
    }
}

/// Brings an older store to the present schema, which only the one process that may write can do.
fn upgrade(request: &Request) -> Result<(), VerifyError> {
    let upgrade = Request {
        upgrade: true,
        ..request.clone()
    };
    let started = std::time::Instant::now();
    loop {
        let mut refused = None;
        let ended = read(&upgrade, |line| match line {
            Line::Refused { error, .. } => refused = Some(error),
            Line::Older => refused = Some("the archive still has an older schema".into()),
            _ => {}
        })?;
        match (ended, refused) {
            (Ended::Well, None) => return Ok(()),
            // Whoever has it open may let go of it.
            (Ended::Well, Some(_)) if started.elapsed() < PATIENCE => thread::sleep(LOOK),
            (Ended::Well, Some(error)) => return Err(VerifyError::Store(error)),
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
}

/// Starts a process that does what is requested, and hands its lines to `each`.
fn read(request: &Request, mut each: impl FnMut(Line)) -> Result<Ended, VerifyError> {
    let failed = |error: std::io::Error| VerifyError::Reader(error.to_string());
    // Whatever became of the file since, this is the program that runs.
    let mut child = Command::new("/proc/self/exe")
        .arg(READER)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let (Some(mut input), Some(output), Some(errors)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(VerifyError::Reader("it has no pipes".into()));
    };
    let json = serde_json::to_vec(request).map_err(|error| VerifyError::Reader(error.to_string()))?;
    let (sender, lines) = mpsc::sync_channel(LINES);
    let (ended, last_words) = thread::scope(|scope| {
        scope.spawn(move || pass_on(output, &sender));
        let last_words = scope.spawn(move || last_words(errors));
        // Where it has ended already, that is found out below.
        let _ = input.write_all(&json);
        drop(input);
        let ended = listen(&mut child, &lines, &mut each);
        // Whoever passes lines on must not wait for a place in the queue.
        drop(lines);
        (ended, last_words.join().unwrap_or_default())
    });
    Ok(match ended.map_err(failed)? {
        Some(status) if status.success() => Ended::Well,
        status => Ended::Badly(words(status, &last_words)),
    })
}

/// Hears the process to its end; `None` where it had to be ended because it said nothing any more.
fn listen(
    child: &mut Child,
    lines: &mpsc::Receiver<String>,
    each: &mut impl FnMut(Line),
) -> std::io::Result<Option<ExitStatus>> {
    loop {
        match lines.recv_timeout(SILENCE) {
            Ok(line) => match serde_json::from_str(&line) {
                Ok(line) => each(line),
                // The last line of a process that was ended may be cut.
                Err(error) => tracing::debug!(%error, "not a line of the protocol"),
            },
            Err(mpsc::RecvTimeoutError::Disconnected) => return child.wait().map(Some),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                child.kill()?;
                child.wait()?;
                return Ok(None);
            }
        }
    }
}

fn pass_on(output: impl Read, lines: &mpsc::SyncSender<String>) {
    let mut output = BufReader::new(output);
    loop {
        let mut line = String::new();
        match output.by_ref().take(LONGEST).read_line(&mut line) {
            Ok(count) if count > 0 => {
                if lines.send(line).is_err() {
                    return;
                }
            }
            _ => return,
        }
    }
}

/// The end of what a process says on standard error.
fn last_words(mut errors: impl Read) -> String {
    let (mut kept, mut buffer) = (Vec::new(), [0; 1024]);
    while let Ok(count) = errors.read(&mut buffer)
        && count > 0
    {
        kept.extend_from_slice(&buffer[..count]);
        let surplus = kept.len().saturating_sub(LAST_WORDS);
        kept.drain(..surplus);
    }
    let text = String::from_utf8_lossy(&kept);
    text.lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default()
        .trim()
        .to_owned()
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
    let mut json = Vec::new();
    std::io::stdin().lock().read_to_end(&mut json)?;
    let request: Request = serde_json::from_slice(&json)?;
    // Not the buffered one: what was said must have gone out when the process is ended.
    let output = File::from(std::os::fd::AsFd::as_fd(&std::io::stdout()).try_clone_to_owned()?);
    super::work::work(&request, output)
}
