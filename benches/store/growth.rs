//! An archive that grows: ten million small messages for five hundred users, imported in steps by the program itself,
//! with dates at random and with dates in order; whether each step takes as long as the ones before, how much memory it
//! needs, and how fast what came of it is read.
//!
//! `GROWTH=1M` makes a smaller one. Once more, with the program held in little memory by a control group, where the
//! machine lets us make one.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use dropkeep::{archive::Store, config::Config};
use rustix::process::Signal;
use serde_json::Value;

use crate::{
    filing, growth_mail,
    growth_run::{Done, Program},
    in_browser, over_http, queries, scratch,
    support::{
        generator::{SEED, company_of},
        running::{Running, peak_memory},
    },
    table::{self, Goal, quantile},
    waiting::indexed,
};

const USERS: usize = 500;
/// How many steps it takes to the whole.
const STEPS: usize = 20;
const MB: f64 = 1e6;

/// How much slower than the median a step may be, from the second on.
const GOAL_FLAT: f64 = 1.10;
/// Resident MB of any process, beside twice the largest message, which is small.
const GOAL_RSS: f64 = 200.0;
/// Bytes of the catalog for each message.
const GOAL_CATALOG: f64 = 300.0;
/// Nothing of the index has changed for so long: its parts are merged. And how long that takes at most.
const STILL: Duration = Duration::from_secs(8);
const MERGES: Duration = Duration::from_secs(300);
/// Milliseconds of a whole process that lists the newest, and until `serve` answers.
const GOAL_LIST: f64 = 40.0;
const GOAL_SERVE: f64 = 1000.0;
/// Raw MB a second that `verify` reads.
const GOAL_VERIFY: f64 = 500.0;
/// How much of the time of all of it a sample of a hundredth takes, in percent.
const GOAL_SAMPLE: f64 = 2.0;
/// How much of the bytes of the first backup the second writes, after a hundredth more mail, in percent.
const GOAL_SECOND_BACKUP: f64 = 3.0;
/// How much longer it takes in little memory.
const GOAL_HELD: f64 = 1.5;
/// Messages a second, as the index is made; bytes of it for each raw byte; resident MB with it beside those without.
const GOAL_INDEX: f64 = 10_000.0;
const GOAL_INDEX_BYTES: f64 = 0.25;
const GOAL_INDEX_RSS: f64 = 100.0;
const LITTLE_MEMORY: u64 = 512 << 20;
const TIMES: usize = 5;

/// In which order the dates of the messages come.
#[derive(Clone, Copy, PartialEq)]
pub enum Dates {
    AtRandom,
    InOrder,
}

pub fn run() {
    let messages = size();
    let held = Program::held(LITTLE_MEMORY);
    let free = grow("dates at random", messages, Dates::AtRandom, &Program::free(), true);
    grow("dates in order", messages, Dates::InOrder, &Program::free(), false);
    let what = "dates at random, in 512 MB of memory";
    match held {
        Ok(held) => {
            let took = grow(what, messages, Dates::AtRandom, &held, false);
            let ratio = took.as_secs_f64() / free.as_secs_f64();
            table::row("time beside that in all memory", ratio, Goal::AtMost(GOAL_HELD), "×");
        }
        Err(why) => table::skipped(what, &why),
    }
}

/// `GROWTH`: how many messages, with K or M for thousands and millions.
fn size() -> usize {
    let Some(text) = std::env::var("GROWTH").ok().filter(|text| !text.is_empty()) else {
        return 10_000_000;
    };
    let (digits, unit) = match text.strip_suffix(['M', 'm']) {
        Some(digits) => (digits, 1_000_000),
        None => match text.strip_suffix(['K', 'k']) {
            Some(digits) => (digits, 1_000),
            None => (text.as_str(), 1),
        },
    };
    let number: usize = digits
        .parse()
        .unwrap_or_else(|error| panic!("GROWTH={text}: {error}; it takes a number of messages, such as 500K or 10M"));
    number * unit
}

/// Makes an archive of so many messages; gives how long the imports took.
fn grow(what: &str, messages: usize, dates: Dates, program: &Program, read: bool) -> Duration {
    let folder = tempfile::Builder::new()
        .prefix("dropkeep-growth-")
        .tempdir_in(scratch())
        .expect("a folder");
    let archive = Archive::new(folder.path(), program);
    let step = messages / STEPS;
    table::head(&format!("{messages} messages of {USERS} users, {what}"));
    let (mut raw, mut largest, mut rates, mut peak, mut total) = (0, 0, Vec::new(), 0, Duration::ZERO);
    for number in 0..STEPS {
        let made = growth_mail::write(&archive.mbox(), number * step..(number + 1) * step, messages, dates);
        raw += made.bytes;
        largest = largest.max(made.largest);
        let done = archive.import();
        fs::remove_file(archive.mbox()).expect("the mbox goes");
        let run: Value = serde_json::from_slice(&done.stdout).expect("the protocol");
        assert_eq!(run["archived"], step, "{run}");
        let rate = step as f64 / done.took.as_secs_f64();
        total += done.took;
        peak = peak.max(done.peak);
        let rss = format!("{:.0} MB, {:.0} s", done.peak as f64 / MB, done.took.as_secs_f64());
        table::row(
            &format!("messages to {} ({rss})", (number + 1) * step),
            rate,
            Goal::None,
            "/s",
        );
        rates.push(rate);
    }
    let later = &rates[1..];
    let slowest = later.iter().copied().fold(f64::INFINITY, f64::min);
    let flat = quantile(later, 0.5).expect("steps") / slowest;
    table::row("median of the rates / the slowest", flat, Goal::AtMost(GOAL_FLAT), "×");
    let goal = Goal::AtMost(GOAL_RSS + 2.0 * largest as f64 / MB);
    table::row("peak resident", peak as f64 / MB, goal, "MB");
    let catalog = archive.bytes_of("catalog") as f64 / messages as f64;
    table::row(
        "the catalog, for each message",
        catalog,
        Goal::AtMost(GOAL_CATALOG),
        "bytes",
    );
    let stored = archive.bytes_of("") as f64 / raw as f64;
    table::row("data directory / raw bytes", stored, Goal::None, "×");
    if read {
        archive.lists();
        archive.serve();
        archive.verify(raw);
        archive.backups(messages, dates);
        archive.search(messages + messages / 100, raw, largest);
    }
    total
}

/// A profile whose server nobody asks until its schedule says so.
pub fn profile(name: &str, schedule: &str) -> String {
    format!(
        "[[profile]]\nname = \"{name}\"\nschedule = \"{schedule}\"\n[profile.server]\naccess = \"imap\"\nhost = \"127.0.0.1\"\nport = 9\n\
        username = \"{name}\"\npassword = \"unused\"\n[profile.recipients]\nlocal_domains = [\"example.com\"]\n"
    )
}

/// An archive that is being made.
pub struct Archive<'p> {
    folder: PathBuf,
    program: &'p Program,
    config: Config,
    user: String,
}

impl<'p> Archive<'p> {
    pub fn new(folder: &Path, program: &'p Program) -> Self {
        Self::with(folder, program, "", "")
    }

    /// With more keys, and more sections, in its configuration.
    pub fn with(folder: &Path, program: &'p Program, keys: &str, sections: &str) -> Self {
        let people = company_of(USERS);
        let config = filing::config(&folder.join("data"), &people);
        let text = format!(
            "{keys}{}{}[search]\nenabled = false\n{sections}",
            filing::config_text(&config, &people),
            profile("growth", "manual")
        );
        let file = folder.join("dropkeep.toml");
        fs::write(&file, text).expect("a configuration");
        // It has a password, though a made-up one: else each command warns.
        fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("a configuration");
        Self {
            folder: folder.to_owned(),
            program,
            config,
            user: people[USERS / 2].name.clone(),
        }
    }

    pub fn mbox(&self) -> PathBuf {
        self.folder.join("mail.mbox")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.program.command();
        command
            .arg("--config")
            .arg(self.folder.join("dropkeep.toml"))
            .args(arguments);
        command
    }

    /// Runs a command to its end, which must be a good one.
    fn done(&self, arguments: &[&str]) -> Done {
        self.program.done(self.command(arguments), arguments)
    }

    pub fn import(&self) -> Done {
        let mbox = self.mbox();
        let mbox = mbox.to_str().expect("a path in UTF-8");
        self.done(&[
            "import",
            "--profile",
            "growth",
            "--format",
            "mbox",
            "--mbox",
            "mboxrd",
            "--json",
            mbox,
        ])
    }

    /// What a folder of the data directory takes on disk.
    fn bytes_of(&self, folder: &str) -> u64 {
        let path = self.config.data_dir.join(folder);
        let output = Command::new("du").args(["-s", "-B1"]).arg(&path).output().expect("du");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.split_whitespace()
            .next()
            .and_then(|bytes| bytes.parse().ok())
            .expect("bytes")
    }

    /// Median milliseconds of a command.
    pub fn milliseconds(&self, arguments: &[&str]) -> f64 {
        let times: Vec<f64> = (0..=TIMES)
            .map(|_| self.done(arguments).took.as_secs_f64() * 1e3)
            .collect();
        // The first one brings the pages into memory.
        quantile(&times[1..], 0.5).expect("some")
    }

    fn lists(&self) {
        let user = ["--user", self.user.as_str()];
        let newest = [&["list"], &user[..], &["--newest", "50"]].concat();
        let goal = Goal::AtMost(GOAL_LIST);
        table::row(
            "list --newest 50, whole process",
            self.milliseconds(&newest),
            goal,
            "ms",
        );
        let middle = [&newest[..], &["--until", growth_mail::MIDDLE]].concat();
        table::row("the same from the middle", self.milliseconds(&middle), goal, "ms");
        let id = self.store().totals().expect("totals").0 / 2;
        let raw = self.milliseconds(&["raw", &id.to_string()]);
        table::row("raw, whole process", raw, Goal::None, "ms");
    }

    fn store(&self) -> Store {
        Store::open_for_reading(&self.config).expect("the archive")
    }

    /// Starts the appliance, and waits until it answers.
    pub fn start(&self) -> Running {
        let started = Instant::now();
        let mut command = self.command(&["serve"]);
        // Nobody who reads is told to wait.
        command
            .env("DROPKEEP__HTTP__REQUESTS_PER_SECOND", "100000")
            .env("DROPKEEP__WEB__REQUESTS_PER_SECOND", "100000");
        let serving = self.program.start(command, &["serve"]);
        let socket = self.config.data_dir.join("control.sock");
        let deadline = started + Duration::from_secs(300);
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            assert!(
                Instant::now() < deadline,
                "serve does not answer:\n{}",
                serving.stderr()
            );
            std::thread::sleep(Duration::from_millis(2));
        }
        serving
    }

    fn serve(&self) {
        let started = Instant::now();
        let serving = self.start();
        let goal = Goal::AtMost(GOAL_SERVE);
        table::row("until serve answers", started.elapsed().as_secs_f64() * 1e3, goal, "ms");
        table::row(
            "status, whole process",
            self.milliseconds(&["status"]),
            Goal::None,
            "ms",
        );
        serving.signal(Signal::TERM);
        serving.wait().expect(0);
    }

    /// The index, which nobody wanted before, is made; and searched.
    fn search(&self, messages: usize, raw: u64, largest: u64) {
        let file = self.folder.join("dropkeep.toml");
        let text = fs::read_to_string(&file).expect("the configuration");
        fs::write(&file, text.replace("enabled = false", "enabled = true")).expect("the configuration");
        let data = self.config.data_dir.clone();
        let started = Instant::now();
        let serving = self.start();
        let standing = indexed(&data);
        let rate = messages as f64 / started.elapsed().as_secs_f64();
        assert_eq!(standing["documents"], messages, "{standing}");
        table::row("messages indexed", rate, Goal::MoreThan(GOAL_INDEX), "/s");
        let merged = self.merged();
        table::row("then until its parts are merged", merged.as_secs_f64(), Goal::None, "s");
        let share = self.bytes_of("search") as f64 / raw as f64;
        table::row("index / raw bytes", share, Goal::AtMost(GOAL_INDEX_BYTES), "×");
        queries::run(&data, messages as u64, &growth_mail::QUERIES);
        over_http::run(&serving, &data, &self.user);
        in_browser::run(&serving, messages as u64);
        let goal = Goal::AtMost(GOAL_RSS + 2.0 * largest as f64 / MB + GOAL_INDEX_RSS);
        let peak = peak_memory(serving.id()).unwrap_or_default() as f64 / MB;
        table::row("peak resident of the appliance", peak, goal, "MB");
        serving.signal(Signal::TERM);
        serving.wait().expect(0);
    }

    /// Waits until the index has been of the same size for a while; gives how long it was not.
    fn merged(&self) -> Duration {
        let began = Instant::now();
        let (mut size, mut changed) = (self.bytes_of("search"), began);
        while changed.elapsed() < STILL && began.elapsed() < MERGES {
            std::thread::sleep(Duration::from_millis(100));
            let now = self.bytes_of("search");
            if now != size {
                (size, changed) = (now, Instant::now());
            }
        }
        changed - began
    }

    fn verify(&self, raw: u64) {
        let all = self.done(&["verify", "--json"]);
        let rate = raw as f64 / MB / all.took.as_secs_f64();
        let what = format!("verify ({:.0} MB resident)", all.peak as f64 / MB);
        table::row(&what, rate, Goal::MoreThan(GOAL_VERIFY), "MB/s");
        let sample = self.done(&["verify", "--sample", "1%", "--json"]);
        let share = sample.took.as_secs_f64() / all.took.as_secs_f64();
        let what = format!("verify --sample 1% of verify ({:.1} s)", sample.took.as_secs_f64());
        table::row(&what, share * 100.0, Goal::AtMost(GOAL_SAMPLE), "%");
    }

    fn backups(&self, messages: usize, dates: Dates) {
        let to = self.folder.join("backup");
        let to = to.to_str().expect("a path in UTF-8");
        let back_up = || {
            let done = self.done(&["backup", "--json", to]);
            let said: Value = serde_json::from_slice(&done.stdout).expect("what the backup did");
            (said["copied_bytes"].as_u64().expect("bytes"), done)
        };
        let (first, done) = back_up();
        let rate = first as f64 / MB / done.took.as_secs_f64();
        let what = format!("first backup ({:.0} MB resident)", done.peak as f64 / MB);
        table::row(&what, rate, Goal::None, "MB/s");
        let share = messages / 100;
        // The third writes too what the second has put beside its files and has not changed since.
        let goals = [Goal::AtMost(GOAL_SECOND_BACKUP), Goal::None];
        for ((name, goal), begin) in ["second", "third"]
            .into_iter()
            .zip(goals)
            .zip((messages..).step_by(share))
        {
            growth_mail::write(&self.mbox(), begin..begin + share, messages, dates);
            self.import();
            let (bytes, done) = back_up();
            let what = format!(
                "{name} backup's bytes of the first's ({:.1} s)",
                done.took.as_secs_f64()
            );
            table::row(&what, bytes as f64 * 100.0 / first as f64, goal, "%");
        }
    }
}

/// The same messages each time.
pub const GROWTH_SEED: u64 = SEED ^ 0x6772_6f77;
