//! Five hundred profiles on schedules, and a hundred thousand users of a users file: how soon the appliance runs, in how
//! much memory, and whether mail waits while the file is read again.

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;

use crate::{
    growth::{Archive, Dates, profile},
    growth_mail,
    growth_run::Program,
    scratch,
    support::running::peak_memory,
    table::{self, Goal, quantile},
};

const PROFILES: usize = 500;
const USERS: usize = 100_000;
/// Messages of an import, which lasts some changes of the users, and how many imports there are of each kind.
const MESSAGES: usize = 200_000;
const ROUNDS: usize = 3;
const MB: f64 = 1e6;
/// Milliseconds until the appliance runs, and resident MB.
const GOAL_START: f64 = 2000.0;
const GOAL_RSS: f64 = 200.0;
/// How much longer an import takes while the users are read again and again.
const GOAL_READING: f64 = 1.1;
/// How often they change: the appliance looks every two seconds.
const CHANGES: Duration = Duration::from_secs(2);

pub fn run() {
    let folder = tempfile::Builder::new()
        .prefix("dropkeep-many-")
        .tempdir_in(scratch())
        .expect("a folder");
    let users = folder.path().join("users.csv");
    write_users(&users, 0);
    // By day, from the second minute of each hour on, so that few of them begin meanwhile.
    let profiles: String = (0..PROFILES)
        .map(|nth| profile(&format!("many {nth}"), &format!("{} {} * * 1-5", nth % 60, nth % 24)))
        .collect();
    let program = Program::free();
    let archive = Archive::with(folder.path(), &program, "users_file = \"users.csv\"\n", &profiles);
    table::head(&format!("{PROFILES} profiles on schedules, {USERS} users"));
    let started = Instant::now();
    let serving = archive.start();
    // The first time, all users are new to the archive.
    row_of_start("until serve answers, with users that are new", started);
    serving.signal(Signal::TERM);
    serving.wait().expect(0);
    let started = Instant::now();
    let serving = archive.start();
    row_of_start("until serve answers", started);
    table::row(
        "status, whole process",
        archive.milliseconds(&["status"]),
        Goal::None,
        "ms",
    );
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    let import = |nth: usize, times: &mut Vec<f64>| {
        growth_mail::write(
            &archive.mbox(),
            nth * MESSAGES..(nth + 1) * MESSAGES,
            2 * ROUNDS * MESSAGES,
            Dates::AtRandom,
        );
        times.push(archive.import().took.as_secs_f64());
    };
    let changes = AtomicUsize::new(0);
    for round in 0..ROUNDS {
        import(2 * round, &mut alone);
        let ends = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !ends.load(Ordering::Relaxed) {
                    changes.fetch_add(1, Ordering::Relaxed);
                    write_users(&users, changes.load(Ordering::Relaxed));
                    thread::sleep(CHANGES);
                }
            });
            import(2 * round + 1, &mut beside);
            ends.store(true, Ordering::Relaxed);
        });
    }
    let [alone, beside] = [alone, beside].map(|times| quantile(&times, 0.5).expect("times"));
    let what = format!("an import while users change / alone ({alone:.1} s)");
    table::row(&what, beside / alone, Goal::AtMost(GOAL_READING), "×");
    let peak = peak_memory(serving.id()).unwrap_or_default() as f64 / MB;
    table::row("peak resident of the appliance", peak, Goal::AtMost(GOAL_RSS), "MB");
    serving.signal(Signal::TERM);
    serving.wait().expect(0);
}

fn row_of_start(what: &str, started: Instant) {
    table::row(
        what,
        started.elapsed().as_secs_f64() * 1e3,
        Goal::AtMost(GOAL_START),
        "ms",
    );
}

/// Writes the users. With each change a hundred more lack an address: if they gained one, mail would be counted besides.
fn write_users(file: &Path, change: usize) {
    let line = |nth: usize| {
        let other = match nth < 100 * change {
            true => String::new(),
            false => format!(",many{nth}@example.com"),
        };
        format!("many {nth},first.last{nth}@example.com{other}\n")
    };
    let part = file.with_extension("part");
    fs::write(&part, (0..USERS).map(line).collect::<String>()).expect("the users");
    fs::rename(&part, file).expect("the users");
}
