//! `make bench BENCH=metrics`: what it costs to be measured. How much of a core a scrape every five seconds takes of an
//! appliance with very many profiles, and how much slower archiving is for being counted. Tables to read, not a test.
//!
//! `BENCH_PROFILES`, `BENCH_SECONDS` (of scraping), `BENCH_ROUNDS` and `BENCH_MESSAGES` change its size.

#[path = "../tests/support/mod.rs"]
mod support;

use std::{
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use dropkeep::{
    access::{Caller, Owner},
    api::{Exit, Reply, Request},
    appliance::Appliance as Stages,
    archive::Store,
    config::Config,
    report::recorder,
};
use rustix::{
    param::clock_ticks_per_second,
    time::{ClockId, clock_gettime},
};
use support::{
    appliance::{Appliance, PROFILE, Profile},
    dovecot::Dovecot,
    generator::{Mailbox, Settings, company, user_tables},
    pull,
    running::Serving,
    setting,
};

const DROPKEEP: &str = env!("CARGO_BIN_EXE_dropkeep");
/// How this program tells itself to archive once, with metrics or without.
const CHILD: &str = "--archive-once";

/// How often Prometheus looks, and how much of a core that may take.
const INTERVAL: Duration = Duration::from_secs(5);
const GOAL_SCRAPES: f64 = 0.01;
/// How much longer archiving may take for being counted.
const GOAL_COUNTED: f64 = 1.02;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, child, config, counted] = arguments.as_slice()
        && child == CHILD
    {
        return archive_once(Path::new(config), counted == "counted");
    }
    scrapes(
        setting("BENCH_PROFILES", 200),
        Duration::from_secs(setting("BENCH_SECONDS", 60) as u64),
    );
    counting(setting("BENCH_MESSAGES", 5_000), setting("BENCH_ROUNDS", 60).max(1));
}

/// The same appliance left alone, scraped as Prometheus does, and scraped as fast as it answers.
fn scrapes(profiles: usize, lasting: Duration) {
    let server = Dovecot::with(Mailbox::new(Settings::messages(10)));
    let profile = Profile::new(&server, "imap").toml();
    let named = |number| profile.replacen(PROFILE, &format!("profile-{number:03}"), 1);
    let tables: String = (0..profiles).map(named).collect();
    let appliance = Appliance::new(DROPKEEP, &(user_tables(&company()) + &tables));
    let serving = appliance.serve();
    // Each of them ran, so all of its series are there.
    for number in 0..profiles {
        appliance.done(&["archive", &format!("profile-{number:03}")]);
    }
    let page = scrape(&serving);
    let series = page.lines().filter(|line| !line.starts_with('#')).count();
    println!(
        "{profiles} profiles, {series} series, {:.2} MB a page\n",
        page.len() as f64 / 1e6
    );
    println!("{:<40}{:>10}{:>14}{:>12}", "", "scrapes", "CPU", "of a core");
    let row = |what: &str, scrapes: usize, cpu: Duration, share: f64| {
        let cpu = format!("{:.2} s", cpu.as_secs_f64());
        println!("{what:<40}{scrapes:>10}{cpu:>14}{:>10.3} %", 100.0 * share);
    };
    let (idle, _) = spent(&serving, || std::thread::sleep(lasting));
    let idle_share = idle.as_secs_f64() / lasting.as_secs_f64();
    row("idle", 0, idle, idle_share);
    let mut took = Vec::new();
    let (cpu, wall) = spent(&serving, || {
        let start = Instant::now();
        while start.elapsed() < lasting {
            took.push(timed(|| scrape(&serving)));
            std::thread::sleep(INTERVAL.saturating_sub(took[took.len() - 1]));
        }
    });
    let share = cpu.as_secs_f64() / wall.as_secs_f64();
    row("a scrape every 5 s", took.len(), cpu, share);
    took.sort_unstable();
    let (median, most) = (took[took.len() / 2], took[took.len() - 1]);
    let many = 200;
    let (cpu, wall) = spent(&serving, || (0..many).for_each(|_| drop(scrape(&serving))));
    let each = (cpu.as_secs_f64() - idle_share * wall.as_secs_f64()) / many as f64;
    row(
        "as fast as it answers",
        many,
        cpu,
        cpu.as_secs_f64() / wall.as_secs_f64(),
    );
    let net = share - idle_share;
    println!(
        "\na scrape is answered in {:.1} ms (median, the longest {:.1} ms); one right after the other, it takes {:.2} ms of CPU",
        millis(median),
        millis(most),
        1e3 * each
    );
    println!(
        "scrapes alone, every 5 s: {:.3} % of a core, goal < {:.0} %: {}\n",
        100.0 * net,
        100.0 * GOAL_SCRAPES,
        if net < GOAL_SCRAPES { "met" } else { "NOT MET" }
    );
    serving.stop().expect(0);
}

fn scrape(serving: &Serving) -> String {
    let (status, page) = serving.get("/metrics");
    assert_eq!(status, 200, "{page}");
    page
}

/// What the appliance spends of CPU while something is done, and how long that takes.
fn spent(serving: &Serving, work: impl FnOnce()) -> (Duration, Duration) {
    let before = cpu_of(serving.running.id());
    let wall = timed(work);
    (cpu_of(serving.running.id()) - before, wall)
}

/// utime and stime, all threads (proc_pid_stat(5)).
fn cpu_of(process: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("it runs");
    // The name, in parentheses, may hold anything.
    let (_, fields) = stat.rsplit_once(") ").expect("a name");
    let fields = fields.split(' ').skip(11).take(2);
    let ticks: u64 = fields.map(|field| field.parse::<u64>().expect("a number")).sum();
    Duration::from_millis(1000 * ticks / clock_ticks_per_second())
}

fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn millis(time: Duration) -> f64 {
    1e3 * time.as_secs_f64()
}

/// Runs over the same mailbox by this program itself, in processes that differ in the recorder alone. They are short
/// and take turns, so that whatever slows the machine slows both.
fn counting(messages: usize, rounds: usize) {
    let server = Dovecot::with(Mailbox::new(Settings {
        average_size: 4_400,
        ..Settings::messages(messages)
    }));
    // Dovecot makes its index when it first sees a mailbox: nobody's time.
    pull::imap(server.ports.imap, "INBOX", |_| {});
    println!(
        "{messages} messages from Dovecot over loopback, archived with metrics (without scrapes, which stand above) and without\n"
    );
    println!(
        "{:>8}{:>14}{:>14}{:>10}{:>14}{:>14}{:>10}",
        "rounds", "CPU without", "with", "ratio", "time without", "with", "ratio"
    );
    let (mut cpu, mut wall) = (Vec::new(), Vec::new());
    // The first one is nobody's: files come into memory, processors wake up.
    archived(&server, false, messages);
    for round in 1..=rounds {
        let counted_first = round % 2 == 0;
        let first = archived(&server, counted_first, messages);
        let second = archived(&server, !counted_first, messages);
        let (without, with) = if counted_first {
            (second, first)
        } else {
            (first, second)
        };
        cpu.push((without.0, with.0));
        wall.push((without.1, with.1));
        if round % 10 == 0 {
            line(
                &format!("to {round}"),
                medians(&cpu[round - 10..]),
                medians(&wall[round - 10..]),
            );
        }
    }
    line("median", medians(&cpu), medians(&wall));
    println!();
    for (what, pairs) in [("CPU", &cpu), ("time", &wall)] {
        let slower = |ratio: f64| 100.0 * (ratio - 1.0);
        let (least, ratio, most) = likely(pairs.iter().map(|(without, with)| with / without).collect());
        let verdict = match () {
            () if most < GOAL_COUNTED => "met",
            () if least >= GOAL_COUNTED => "NOT MET",
            () if ratio < GOAL_COUNTED => "met, as far as this machine can tell: more BENCH_ROUNDS tell more",
            () => "NOT MET, as far as this machine can tell: more BENCH_ROUNDS tell more",
        };
        println!(
            "{what:>5}: {:+.2} % with metrics (median of the rounds; with 95 % certainty {:+.2} to {:+.2} %), goal < {:+.0} %: {verdict}",
            slower(ratio),
            slower(least),
            slower(most),
            slower(GOAL_COUNTED)
        );
    }
}

/// The median, and between what bounds it is in 19 of 20 cases, whatever the values are spread like.
fn likely(mut values: Vec<f64>) -> (f64, f64, f64) {
    values.sort_unstable_by(f64::total_cmp);
    let count = values.len() as f64;
    let off = 0.98 * count.sqrt();
    let least = (count / 2.0 - off).floor().max(0.0) as usize;
    let most = ((count / 2.0 + off).ceil() as usize).min(values.len() - 1);
    (values[least], median(values.clone()), values[most])
}

fn line(round: &str, cpu: (f64, f64), wall: (f64, f64)) {
    let time = |seconds: f64| format!("{seconds:.3} s");
    println!(
        "{round:>8}{:>14}{:>14}{:>10.3}{:>14}{:>14}{:>10.3}",
        time(cpu.0),
        time(cpu.1),
        cpu.1 / cpu.0,
        time(wall.0),
        time(wall.1),
        wall.1 / wall.0
    );
}

fn medians(pairs: &[(f64, f64)]) -> (f64, f64) {
    let (without, with) = pairs.iter().copied().unzip();
    (median(without), median(with))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    (values[(values.len() - 1) / 2] + values[values.len() / 2]) / 2.0
}

/// Seconds of CPU and of time that one run into an empty archive takes.
fn archived(server: &Dovecot, counted: bool, messages: usize) -> (f64, f64) {
    let appliance = Appliance::for_company(DROPKEEP, &Profile::new(server, "imap"));
    let output = Command::new(std::env::current_exe().expect("this program"))
        .arg(CHILD)
        .arg(appliance.config())
        .arg(if counted { "counted" } else { "plain" })
        .output()
        .expect("this program");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let numbers: Vec<f64> = said.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [seen, cpu, wall] = numbers[..] else {
        panic!("{said}{}", String::from_utf8_lossy(&output.stderr));
    };
    assert_eq!(seen, messages as f64);
    (cpu, wall)
}

/// Archives the profile's mailbox, and prints how many copies it saw, how much CPU and how much time that took.
fn archive_once(config: &Path, counted: bool) {
    let config = Config::load(config).expect("a configuration");
    let recorder = counted.then(|| recorder::install().expect("no recorder yet"));
    let store = Arc::new(Store::open(&config).expect("a store"));
    actix_rt::System::new().block_on(async {
        // The bench has opened the archive itself.
        #[expect(clippy::disallowed_methods)]
        let caller = Caller::Owner(Owner::of(&*store));
        let (stages, _committer) = Stages::start(config, store, false).await.expect("stages");
        let request = Request::Archive {
            profile: PROFILE.to_owned(),
        };
        let (cpu, start) = (cpu(), Instant::now());
        let stages = Arc::new(stages);
        let mut answer = stages.answer(&caller, request).await.expect("an answer");
        let mut seen = None;
        while let Some(reply) = answer.next().await {
            if let Reply::Finished { run, exit: Exit::Done } = reply {
                seen = Some(run.counts.seen);
            }
        }
        let seen = seen.expect("a run without errors");
        if let Some(recorder) = recorder {
            // What was recorded of each copy is brought together, as it is now and then.
            recorder.run_upkeep();
        }
        println!("{seen} {} {}", self::cpu() - cpu, start.elapsed().as_secs_f64());
    });
}

/// Seconds of CPU that this process took.
fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
