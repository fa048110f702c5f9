//! A child process that reads attachments, as the appliance sees it: asked, waited for, and ended over time.

use std::{
    io::{self, Read, Write},
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::{
    frames::{READY, read_reply, request},
    kind::Kind,
    outcome::Outcome,
};
use crate::config::Extract;

/// The command that the process is started with.
pub const COMMAND: &str = "extract";
/// How often it is looked how much processor time it took.
const LOOK: Duration = Duration::from_millis(200);
/// It may wait for the processor for so many times as long as it may have it.
const PATIENCE: u32 = 10;
/// How long it may take to begin.
const START: Duration = Duration::from_secs(30);
/// Attachments that one process may take all the time for that it may; then another one is begun.
const HEAVY: u32 = 20;
/// Bytes of what it says at its end that are read.
const LAST_WORDS: u64 = 4096;

/// A process that is ready to read.
pub(super) struct Process {
    child: Child,
    socket: UnixStream,
    time: Duration,
    /// Bytes of text that it may answer with.
    text: usize,
    /// For how long it has been reading in all.
    busy: Duration,
}

impl Process {
    /// Starts one.
    ///
    /// # Errors
    /// In words why there is none.
    pub fn start(program: &Path, settings: &Extract) -> Result<Self, String> {
        let failed = |error: io::Error| format!("the process that reads attachments does not start: {error}");
        let (socket, its) = UnixStream::pair().map_err(failed)?;
        let time = settings.time.0;
        // Time for all that one process reads, and to spare: it is ended before that.
        let seconds = time.saturating_mul(HEAVY + 2).as_secs().saturating_add(1);
        let bounds = [
            ("--memory", settings.memory()),
            ("--seconds", seconds),
            ("--largest", settings.largest.0),
            ("--text", settings.text() as u64),
        ];
        let child = Command::new(program)
            .arg(COMMAND)
            .args(bounds.map(|(name, value)| format!("{name}={value}")))
            // Secrets can stand there.
            .env_clear()
            .stdin(Stdio::from(OwnedFd::from(its)))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let text = settings.text();
        let mut process = Self {
            child,
            socket,
            time,
            text,
            busy: Duration::ZERO,
        };
        let mut ready = [0];
        let mut input = Timed::new(&process, START);
        match input.read_exact(&mut ready) {
            Ok(()) if ready == [READY] => Ok(process),
            Ok(()) => Err("the process that reads attachments is another program".into()),
            Err(error) => {
                let words = process.end().words;
                let why = if words.is_empty() { error.to_string() } else { words };
                Err(format!("the process that reads attachments does not start: {why}"))
            }
        }
    }

    /// Whether it can be asked: it lives, and has not read for as long as one may.
    pub fn is_fit(&mut self) -> bool {
        self.busy < self.time.saturating_mul(HEAVY) && matches!(self.child.try_wait(), Ok(None))
    }

    /// Has a file read.
    ///
    /// # Errors
    /// The outcome that it is the end of the process for.
    pub fn read(mut self, kind: Kind, bytes: &[u8]) -> Result<(Self, String, Outcome), Outcome> {
        let begun = Instant::now();
        let mut socket = Timed::new(&self, self.time);
        let head = request(kind, bytes.len());
        let asked = socket.write_all(&head).and_then(|()| socket.write_all(bytes));
        let reply = asked.and_then(|()| read_reply(&mut socket, self.text));
        let is_late = socket.is_late;
        self.busy += begun.elapsed();
        match reply {
            Ok((text, outcome)) => Ok((self, text, outcome)),
            Err(_) if is_late => Err(Outcome::TimedOut),
            Err(_) => Err(self.end().outcome),
        }
    }

    /// Ends it, and looks how.
    fn end(&mut self) -> Ended {
        // It can be on its way to its end by itself, and then is to say why.
        let signal = self.wait_a_moment();
        let _ = self.child.kill();
        let _ = self.child.wait();
        let mut words = Vec::new();
        if let Some(errors) = self.child.stderr.take() {
            // What cannot be read is not said.
            let _ = errors.take(LAST_WORDS).read_to_end(&mut words);
        }
        let words = String::from_utf8_lossy(&words).trim().to_owned();
        let outcome = match words.contains("memory allocation of") || signal == Some(libc::SIGKILL) {
            true => Outcome::OutOfMemory,
            false => Outcome::Crashed,
        };
        Ended { words, outcome }
    }

    /// The signal that ended it, where one did of itself.
    fn wait_a_moment(&mut self) -> Option<i32> {
        use std::os::unix::process::ExitStatusExt;
        let begun = Instant::now();
        while begun.elapsed() < LOOK {
            if let Ok(Some(status)) = self.child.try_wait() {
                return status.signal();
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        None
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Where it has ended, there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a process ended.
struct Ended {
    words: String,
    outcome: Outcome,
}

/// The socket of a process, which is waited for while the process has processor time left.
struct Timed<'p> {
    socket: &'p UnixStream,
    process: u32,
    begun: Instant,
    /// What it had taken when it was asked, and how much more it may take.
    taken: Duration,
    time: Duration,
    is_late: bool,
}

impl<'p> Timed<'p> {
    fn new(process: &'p Process, time: Duration) -> Self {
        let id = process.child.id();
        // Without a bound on waiting, nothing would end a process that does not answer.
        let is_bounded =
            process.socket.set_read_timeout(Some(LOOK)).is_ok() && process.socket.set_write_timeout(Some(LOOK)).is_ok();
        Self {
            socket: &process.socket,
            process: id,
            begun: Instant::now(),
            taken: processor_time(id),
            time,
            is_late: !is_bounded,
        }
    }

    /// Does `step` until it succeeds or it is too late.
    fn patiently(&mut self, mut step: impl FnMut(&UnixStream) -> io::Result<usize>) -> io::Result<usize> {
        loop {
            if self.is_late {
                return Err(io::ErrorKind::TimedOut.into());
            }
            match step(self.socket) {
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    let took = processor_time(self.process).saturating_sub(self.taken);
                    let waited = self.begun.elapsed();
                    self.is_late = took > self.time || waited > self.time.saturating_mul(PATIENCE);
                }
                done => return done,
            }
        }
    }
}

impl Read for Timed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.patiently(|mut socket| socket.read(buffer))
    }
}

impl Write for Timed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.patiently(|mut socket| socket.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Processor time that a process has taken (proc(5), /proc/PID/stat); none where there is no such process.
fn processor_time(process: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name of the program stands in brackets, and may have any in it.
    let behind = stat.rsplit_once(')').map_or("", |(_, behind)| behind);
    let ticks: u64 = behind
        .split_whitespace()
        .skip(11)
        .take(2)
        .flat_map(str::parse::<u64>)
        .sum();
    Duration::from_millis(ticks.saturating_mul(1000) / rustix::param::clock_ticks_per_second().max(1))
}
