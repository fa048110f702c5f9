//! `export DIR`: the archives as files that other programs read, with a progress bar on a terminal.

use std::{
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
        mpsc,
    },
    thread,
};

use clap::Args;
use indicatif::{HumanBytes, ProgressBar};

use super::{
    ask::{Interrupts, runtime},
    interruptible::open_for_reading,
    note,
    output::{Output, grouped, harmless, say},
    progress::bar,
    search,
};
use crate::{
    api::{Exit, Failure},
    archive::Seconds,
    config::{ByteSize, Config},
    export::{
        Damage, ExportError, Format, Selection, first_second, last_second,
        watch::{Event, Exported, watch},
        worker,
    },
};

/// The hidden argument of the process that does the work.
const WORKER: &str = "--worker";

impl Arguments {
    /// Where to.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Whether this is the process that does the work for another.
    pub fn is_worker(&self) -> bool {
        self.worker
    }
}

#[derive(Args, Debug)]
pub struct Arguments {
    /// An empty or new directory, or the one of an export to continue.
    dir: PathBuf,
    /// Export only this user; can be given more than once.
    #[arg(long = "user", value_name = "NAME")]
    users: Vec<String>,
    /// The kind of files to write.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Export only messages from this day (2026-01-31) or time (2026-01-31T12:00) on, both in UTC.
    #[arg(long, alias = "from", value_name = "DATE", value_parser = first_second)]
    since: Option<Seconds>,
    /// Export only messages up to the end of this day, or up to this time.
    #[arg(long, alias = "to", value_name = "DATE", value_parser = last_second)]
    until: Option<Seconds>,
    /// Export only the messages that this query finds; docs/search.md has the language.
    #[arg(long, value_name = "QUERY")]
    query: Option<String>,
    #[arg(long, hide = true)]
    worker: bool,
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        Self::new(error.exit(), error)
    }
}

pub fn run(config: &Config, config_file: &Path, arguments: Arguments, json: bool) -> Result<u8, Failure> {
    let Arguments {
        dir,
        users,
        format,
        since,
        until,
        query,
        worker,
    } = arguments;
    if worker {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        on_interrupt(move || stopped.store(true, Ordering::Release))?;
        worker::run(config, open_for_reading, &dir, &stop);
        return Ok(0);
    }
    if let (Some(first), Some(last)) = (since, until)
        && first > last
    {
        return Err(Failure::usage("--since is later than --until"));
    }
    note::export(config_file, &object(&dir, &users, query.as_deref()))?;
    if let Some(query) = &query {
        search::prepare(config, query)?;
    }
    let interrupts = Arc::new(AtomicU32::new(0));
    let counted = interrupts.clone();
    on_interrupt(move || {
        counted.fetch_add(1, Ordering::AcqRel);
    })?;
    let bar = bar("{spinner} {pos}/{len} messages {wide_bar} {msg}, {per_sec}, {eta} left");
    let (exported, failure) = watch(
        Selection::new(format, users, since, until).found_by(query),
        &|| launch(config_file, &dir),
        &interrupts,
        &mut |event| show(&bar, &event),
    );
    bar.finish_and_clear();
    if failure.as_ref().is_none_or(|failure| failure.exit != Exit::Usage) {
        print(&exported, &dir, json);
    }
    match failure {
        Some(failure) => Err(failure),
        None if exported.damaged > 0 => Ok(Exit::Store as u8),
        None => Ok(0),
    }
}

/// Where, of whom, and what is found by which query.
fn object(dir: &Path, users: &[String], query: Option<&str>) -> String {
    let whose = match users.is_empty() {
        true => "all archives".to_owned(),
        false => format!("users {}", users.join(", ")),
    };
    let query = query.map(|query| format!(", query {query}")).unwrap_or_default();
    format!("{whose}{query}, to {}", dir.display())
}

/// This very program, as the process that does the work.
fn launch(config_file: &Path, dir: &Path) -> io::Result<Child> {
    let arguments = [
        OsStr::new("--config"),
        config_file.as_os_str(),
        OsStr::new("export"),
        OsStr::new(WORKER),
        OsStr::new("--"),
        dir.as_os_str(),
    ];
    Command::new(std::env::current_exe()?)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
}

/// Has `each` called, on a thread of its own, whenever a person or a service manager wants this process to end.
fn on_interrupt(mut each: impl FnMut() + Send + 'static) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::new(Exit::Errors, format!("cannot handle signals: {error}"));
    let (sender, listening) = mpsc::sync_channel(1);
    let listen = move || {
        let listening = runtime().and_then(|runtime| {
            let interrupts = runtime.block_on(async { Interrupts::new() })?;
            Ok((runtime, interrupts))
        });
        let (runtime, mut interrupts) = match listening {
            Ok(listening) => listening,
            Err(failure) => return drop(sender.send(Err(failure))),
        };
        // Whoever waits for it is there until it comes.
        drop(sender.send(Ok(())));
        runtime.block_on(async move {
            loop {
                interrupts.next().await;
                each();
            }
        });
    };
    thread::Builder::new()
        .name("interrupts".into())
        .spawn(listen)
        .map_err(failed)?;
    listening.recv().unwrap_or_else(|_| {
        Err(Failure::new(
            Exit::Errors,
            "handling signals ended at once; this is a bug in dropkeep",
        ))
    })
}

fn show(bar: &ProgressBar, event: &Event) {
    match event {
        Event::Progress {
            user,
            done,
            expected,
            bytes,
        } => {
            if let Some(expected) = expected {
                bar.set_length(*expected);
            }
            bar.set_position(*done);
            bar.set_message(format!("{}, {}", harmless(user), HumanBytes(*bytes)));
        }
        Event::Damaged(damage) => bar.suspend(|| say(in_words(damage))),
    }
}

fn in_words(damage: &Damage) -> String {
    let Damage {
        id,
        user,
        volume,
        detail,
        ..
    } = damage;
    let volume = volume
        .map(|volume| format!(" (volume {volume:06})"))
        .unwrap_or_default();
    match id {
        Some(id) => format!("message {id} of user {user:?}{volume} is not exported: {detail}"),
        None => format!("user {user:?}{volume} is exported only in part: {detail}"),
    }
}

fn print(exported: &Exported, dir: &Path, json: bool) {
    let mut output = Output::new();
    if json {
        output.json(exported);
    } else {
        let Exported {
            exported,
            skipped,
            bytes,
            users,
            damaged,
            ..
        } = exported;
        let mut said = format!(
            "{} messages ({}) of {} {} exported to {}",
            grouped(*exported),
            ByteSize(*bytes),
            grouped(*users),
            if *users == 1 { "user" } else { "users" },
            dir.display()
        );
        if *skipped > 0 {
            said += &format!("; {} were there already", grouped(*skipped));
        }
        if *damaged > 0 {
            said += &format!("; {} damages, named above", grouped(*damaged));
        }
        output.line(said);
    }
    output.finish();
}
