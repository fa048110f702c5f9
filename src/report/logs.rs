//! The log, on standard error: for people on a terminal, a JSON object a line elsewhere. How much of it there is can be
//! changed while the appliance runs.
//!
//! Events have their facts as fields: `profile`, `run`, `folder`, `copy`, `error`. What is secret has a type that does
//! not print. The `log` crate is not bridged: async-imap logs what it sends through it, passwords too.

use std::{
    borrow::Cow,
    io::{self, IsTerminal, Write},
};

use parking_lot::Mutex;
use tracing_subscriber::{EnvFilter, Layer, Registry, layer::SubscriberExt, reload, util::SubscriberInitExt};

use crate::{
    account::without_number,
    config::{Log, LogFormat, is_level},
    harmless::{escaped, is_unseen},
};

/// What decides how much is logged, whatever the configuration says.
const VARIABLE: &str = "DROPKEEP_LOG";
/// How much where it was asked for by a signal.
const LOUD: &str = "debug";

/// The log of this process.
pub struct Logs {
    filter: reload::Handle<EnvFilter, Registry>,
    level: Mutex<Level>,
}

struct Level {
    /// As the variable or the configuration has it.
    usual: String,
    loud: bool,
}

impl Logs {
    /// Begins it: at this level, in this form. The variable goes before the level.
    pub fn begin(level: &str, format: LogFormat) -> Self {
        if let Some(text) = std::env::var(VARIABLE)
            .ok()
            .filter(|text| !text.is_empty() && !is_level(text))
        {
            // Standard error may be closed.
            let _ = writeln!(
                std::io::stderr(),
                "dropkeep: warning: {VARIABLE}: {text:?} is none of error, warn, info, debug and trace; it does not count"
            );
        }
        let usual = from_variable().unwrap_or_else(|| level.to_owned());
        let (filter, handle) = reload::Layer::new(filter(&usual));
        let lines = tracing_subscriber::fmt::layer().with_target(false);
        let terminal = std::io::stderr().is_terminal();
        let json = match format {
            LogFormat::Auto => !terminal,
            LogFormat::Json => true,
            LogFormat::Human => false,
        };
        let lines = lines.with_writer(move || Lines { json });
        let lines = match json {
            true => lines.json().flatten_event(true).boxed(),
            false => lines.with_ansi(terminal).boxed(),
        };
        // Another log was begun in this process; it goes on.
        let _ = tracing_subscriber::registry().with(filter).with(lines).try_init();
        Self {
            filter: handle,
            level: Mutex::new(Level { usual, loud: false }),
        }
    }

    /// The configuration has another level.
    pub fn configure(&self, log: &Log) {
        if from_variable().is_some() {
            return;
        }
        let mut level = self.level.lock();
        log.level.clone_into(&mut level.usual);
        self.apply(&level);
    }

    /// Everything that helps to find a fault is logged, or no more than usual again.
    pub fn toggle(&self) {
        let mut level = self.level.lock();
        level.loud = !level.loud;
        self.apply(&level);
        let now = if level.loud { LOUD } else { &level.usual };
        // `level` is the name of the event's own.
        tracing::warn!(now, "the log has another level, as a signal asked for");
    }

    fn apply(&self, level: &Level) {
        let wanted = if level.loud { LOUD } else { &level.usual };
        // The subscriber is there as long as the process is.
        let _ = self.filter.reload(filter(wanted));
    }
}

/// Standard error, to which lines go that neither hide anything nor turn it around. Control characters in what is
/// logged are escaped before; those that come here are colours.
struct Lines {
    json: bool,
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let shown = match std::str::from_utf8(line) {
            Ok(text) if text.contains(is_unseen) => match self.json {
                true => Cow::Owned(escaped(text, is_unseen)),
                false => Cow::Owned(text.replace(is_unseen, "\u{fffd}")),
            },
            Ok(text) => Cow::Borrowed(text),
            Err(_) => String::from_utf8_lossy(line),
        };
        io::stderr().write_all(without_number(&shown).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Levels that are none are refused with the configuration; from the variable, they are as good as none.
fn from_variable() -> Option<String> {
    let text = std::env::var(VARIABLE).ok()?;
    is_level(&text).then_some(text)
}

fn filter(level: &str) -> EnvFilter {
    // What the HTTP server says of its workers, and of what strangers send it, hides what matters.
    let quiet = format!("actix_server=warn,actix_http=off,{level}");
    let quiet = if level == LOUD { level } else { &quiet };
    EnvFilter::try_new(quiet).unwrap_or_else(|_| EnvFilter::new("info"))
}
