//! Commands that run, and what they left behind.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use rustix::{
    io::Errno,
    process::{Pid, Signal, kill_process},
};
use serde_json::Value;

use super::{PATIENCE, wait_for};

/// How long a command may take; only what hangs takes as long.
const DEADLINE: Duration = Duration::from_secs(240);

/// What a command left behind.
pub struct Outcome {
    pub arguments: String,
    /// `None` where a signal ended it.
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: String,
    pub took: Duration,
    /// The most memory it had resident, in bytes.
    pub peak: u64,
}

impl Outcome {
    /// This outcome, which must have this exit code.
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "dropkeep {}\n--- stdout\n{}\n--- stderr\n{}",
            self.arguments,
            String::from_utf8_lossy(&self.stdout[..self.stdout.len().min(5_000)]),
            self.stderr
        );
        self
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|error| {
            panic!(
                "dropkeep {}: {error} in {:?}\n{}",
                self.arguments,
                self.text(),
                self.stderr
            )
        })
    }

    /// A JSON value per line.
    pub fn lines(&self) -> Vec<Value> {
        let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line:?}"));
        self.text().lines().map(parse).collect()
    }
}

/// A command that runs. Dropping it kills it.
pub struct Running {
    arguments: String,
    child: Child,
    started: Instant,
    stdout: Option<JoinHandle<Vec<u8>>>,
    stderr: Arc<Mutex<String>>,
    stderr_reader: Option<JoinHandle<()>>,
}

impl Running {
    pub fn start(mut command: Command, arguments: &[&str]) -> Self {
        let started = Instant::now();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut out = child.stdout.take().expect("its output");
        let err = child.stderr.take().expect("its errors");
        let stderr = Arc::new(Mutex::new(String::new()));
        let shared = stderr.clone();
        Self {
            arguments: arguments.join(" "),
            child,
            started,
            stdout: Some(std::thread::spawn(move || {
                let mut bytes = Vec::new();
                let _ = out.read_to_end(&mut bytes);
                bytes
            })),
            stderr,
            stderr_reader: Some(std::thread::spawn(move || {
                let mut err = BufReader::new(err);
                let mut line = Vec::new();
                while matches!(err.read_until(b'\n', &mut line), Ok(count) if count > 0) {
                    shared
                        .lock()
                        .expect("the lines so far")
                        .push_str(&String::from_utf8_lossy(&line));
                    line.clear();
                }
            })),
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it wrote to standard error so far.
    pub fn stderr(&self) -> String {
        self.stderr.lock().expect("the lines so far").clone()
    }

    /// Sends a signal; to a process that has ended, nothing.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id() as i32).expect("a process id");
        if let Err(error) = kill_process(pid, signal) {
            assert_eq!(error, Errno::SRCH, "kill");
        }
    }

    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for its end, which must come.
    pub fn wait(mut self) -> Outcome {
        let mut peak = 0;
        let id = self.child.id();
        let ended = wait_for(DEADLINE, || {
            let family = std::iter::once(id).chain(children(id));
            peak = peak.max(family.filter_map(peak_memory).max().unwrap_or(0));
            !self.is_running()
        });
        let took = self.started.elapsed();
        if !ended {
            let _ = self.child.kill();
        }
        let status = self.child.wait().expect("wait");
        let stdout = self.stdout.take().expect("once").join().expect("its output");
        self.stderr_reader.take().expect("once").join().expect("its errors");
        let stderr = self.stderr();
        assert!(ended, "dropkeep {} did not end:\n{stderr}", self.arguments);
        Outcome {
            arguments: self.arguments.clone(),
            code: status.code(),
            stdout,
            stderr,
            took,
            peak,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.is_running() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// The processes that a process started; `verify` reads in one of its own.
pub fn children(id: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
    let children = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    let children = children.collect::<String>();
    children.split_whitespace().filter_map(|id| id.parse().ok()).collect()
}

/// User time of a process and its time in the system so far (proc(5)).
pub fn processor_time(id: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).expect("its times");
    let fields = stat.rsplit(')').next().expect("fields").split_whitespace();
    let ticks = fields
        .skip(11)
        .take(2)
        .map(|ticks| ticks.parse::<u64>().expect("ticks"));
    Duration::from_millis(ticks.sum::<u64>() * 10)
}

/// What a line of /proc/ID/status says, `VmRSS:` or `VmHWM:`, in MB.
pub fn resident_mb(id: u32, line: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).expect("its memory");
    let found = status
        .lines()
        .find_map(|known| known.strip_prefix(line))
        .expect("a line");
    let kib: f64 = found.trim().trim_end_matches(" kB").parse().expect("a number");
    kib * 1024.0 / 1e6
}

/// The high-water mark of a process's resident memory.
pub fn peak_memory(id: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim()
        .strip_suffix(" kB")?
        .trim()
        .parse::<u64>()
        .ok()
        .map(|kib| kib << 10)
}

/// A running appliance. Dropping it kills it.
pub struct Serving {
    pub running: Running,
    /// Where its HTTP listens.
    pub address: String,
}

impl Serving {
    /// Asks it to end, as a service manager does.
    pub fn stop(self) -> Outcome {
        self.running.signal(Signal::TERM);
        self.running.wait()
    }

    /// Status and body of a page.
    pub fn get(&self, path: &str) -> (u16, String) {
        get(&self.address, path)
    }
}

/// Status and body of a page of an HTTP server.
pub fn get(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("connect");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").expect("a request");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .expect("a status");
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body).to_owned();
    (status, body)
}
