//! What a log-in costs, and how much memory a hundred at once take.

use std::{fs, time::Duration};

use crate::{
    median,
    site::Site,
    support::running::{processor_time, resident_mb},
    table::{self, Goal},
};

const GOAL_LEAST: f64 = 50.0;
const GOAL_MOST: f64 = 500.0;
const GOAL_MEMORY: f64 = 128.0;
const AT_ONCE: usize = 100;
const TIMES: usize = 20;

pub fn run() {
    let site = Site::new("", &[("DROPKEEP__HTTP__REQUESTS_AT_ONCE", "250")]);
    let names: Vec<_> = (0..AT_ONCE).map(|number| format!("jane{number}")).collect();
    names.iter().for_each(|name| site.add(name, "user", &[]));
    let id = site.serving.running.id();
    // What is made ready for the first is nobody's time.
    site.log_in(&names[0]);
    let before = processor_time(id);
    let mut times = Vec::new();
    for _ in 0..TIMES {
        let begun = std::time::Instant::now();
        site.log_in(&names[0]);
        times.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    let one = (processor_time(id) - before) / u32::try_from(TIMES).unwrap_or(1);
    fs::write(format!("/proc/{id}/clear_refs"), "5").expect("to count the peak anew");
    let before = resident_mb(id, "VmRSS:");
    std::thread::scope(|scope| {
        for name in &names {
            scope.spawn(|| site.log_in(name));
        }
    });
    let more = resident_mb(id, "VmHWM:") - before;
    table::head("log-ins");
    let one = one.max(Duration::from_millis(1)).as_secs_f64() * 1e3;
    table::row("one, of one core, at least", one, Goal::MoreThan(GOAL_LEAST), "ms");
    table::row("one, of one core, at most", one, Goal::AtMost(GOAL_MOST), "ms");
    table::row("one, as its person waits, median", median(&times), Goal::None, "ms");
    table::row("memory for a hundred at once", more, Goal::AtMost(GOAL_MEMORY), "MB");
}
