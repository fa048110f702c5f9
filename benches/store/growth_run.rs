//! The program under measurement: its commands run to their end, how long they take and how much memory they need; and
//! all of them held in little memory by a control group, if that is asked for.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::support::running::{Running, children, peak_memory};

const DROPKEEP: &str = env!("CARGO_BIN_EXE_dropkeep");
/// How often the memory of a command is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// A command that has ended.
pub struct Done {
    pub stdout: Vec<u8>,
    pub took: Duration,
    /// The most resident bytes of it and of the processes that it started.
    pub peak: u64,
}

pub struct Program {
    /// The control group that holds it.
    group: Option<PathBuf>,
}

impl Program {
    pub fn free() -> Self {
        Self { group: None }
    }

    /// Held in so many bytes of memory; or why that cannot be done here.
    pub fn held(bytes: u64) -> Result<Self, String> {
        let (root, limit) = match Path::new("/sys/fs/cgroup/cgroup.controllers").exists() {
            true => ("/sys/fs/cgroup", "memory.max"),
            false => ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
        };
        let group = Path::new(root).join(format!("dropkeep-growth-{}", std::process::id()));
        let made = fs::create_dir(&group).and_then(|()| fs::write(group.join(limit), bytes.to_string()));
        let program = Self { group: Some(group) };
        made.map_err(|error| format!("no control group for memory can be made below {root}: {error}"))?;
        Ok(program)
    }

    /// The program, with nothing of the caller's own settings.
    pub fn command(&self) -> Command {
        let mut command = match &self.group {
            None => Command::new(DROPKEEP),
            Some(group) => {
                let mut command = Command::new("sh");
                let procs = group.join("cgroup.procs");
                command
                    .args(["-c", "echo $$ > \"$0\" && exec \"$@\""])
                    .arg(procs)
                    .arg(DROPKEEP);
                command
            }
        };
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("DROPKEEP") || name == "RUST_LOG" {
                command.env_remove(name);
            }
        }
        command.stdin(Stdio::null());
        command
    }

    pub fn start(&self, command: Command, arguments: &[&str]) -> Running {
        Running::start(command, arguments)
    }

    /// Runs a command to its end, which must be a good one, however long it takes.
    pub fn done(&self, mut command: Command, arguments: &[&str]) -> Done {
        let started = Instant::now();
        let output = tempfile::tempfile().expect("a file for its output");
        let mut child = command
            .stdout(output.try_clone().expect("its output"))
            .spawn()
            .expect("dropkeep starts");
        let mut peak = 0;
        let status = loop {
            let family = std::iter::once(child.id()).chain(children(child.id()));
            peak = peak.max(family.filter_map(peak_memory).max().unwrap_or(0));
            match child.try_wait().expect("it is waited for") {
                Some(status) => break status,
                None => std::thread::sleep(if started.elapsed() < 10 * LOOK { LOOK / 20 } else { LOOK }),
            }
        };
        let took = started.elapsed();
        assert!(status.success(), "dropkeep {}: {status}", arguments.join(" "));
        let mut stdout = Vec::new();
        let mut output = output;
        std::io::Seek::rewind(&mut output).expect("its output");
        std::io::Read::read_to_end(&mut output, &mut stdout).expect("its output");
        Done { stdout, took, peak }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Some(group) = &self.group {
            let _ = fs::remove_dir(group);
        }
    }
}
