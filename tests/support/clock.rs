//! The clock of an appliance that a test sets.

use std::{fs, process::Command};

/// A file with the seconds by which a `dropkeep` that runs is ahead of this machine's clock, or behind.
pub struct ShiftedClock(tempfile::TempDir);

impl ShiftedClock {
    pub fn new() -> Self {
        let clock = Self(tempfile::tempdir().expect("a folder"));
        clock.set(0);
        clock
    }

    /// At once: a file that is written in place is empty for a moment, and a message taken just then had a time of
    /// today's between those of last week.
    pub fn set(&self, seconds: i64) {
        let new = self.0.path().join("new");
        fs::write(&new, seconds.to_string()).expect("a clock");
        fs::rename(&new, self.0.path().join("clock")).expect("a clock");
    }

    /// The command goes by this clock.
    pub fn for_command(&self, mut command: Command) -> Command {
        command.env("DROPKEEP_CLOCK", self.0.path().join("clock"));
        command
    }
}
