//! Memory and open files of the appliance, from time to time.

use std::{
    fs,
    time::{Duration, Instant},
};

/// By how much the last third may be above the second: a share, and so much more.
const GROWTH: f64 = 1.3;
const MORE_MEMORY: u64 = 16 << 20;
const MORE_FILES: u64 = 20;
/// Samples that a third has at the least.
const LEAST: usize = 4;

#[derive(Clone, Copy)]
struct Sample {
    at: Duration,
    resident: u64,
    /// Of that, what is no file's.
    anonymous: u64,
    files: u64,
    threads: u64,
}

pub struct Gauge {
    start: Instant,
    duration: Duration,
    every: Duration,
    samples: Vec<Sample>,
}

impl Gauge {
    pub fn new(duration: Duration) -> Self {
        Self {
            start: Instant::now(),
            duration,
            every: (duration / 60).min(Duration::from_secs(10)),
            samples: Vec::new(),
        }
    }

    /// Looks at a process, where it is time to.
    pub fn look(&mut self, process: u32) {
        let at = self.start.elapsed();
        if self.samples.last().is_some_and(|last| at < last.at + self.every) {
            return;
        }
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<u64>().ok()
        };
        let files = fs::read_dir(format!("/proc/{process}/fd")).map(Iterator::count);
        let (Some(resident), Some(anonymous), Some(threads), Ok(files)) =
            (field("VmRSS:"), field("RssAnon:"), field("Threads:"), files)
        else {
            return;
        };
        self.samples.push(Sample {
            at,
            resident: resident << 10,
            anonymous: anonymous << 10,
            files: files as u64,
            threads,
        });
    }

    /// The last sample in words.
    pub fn now(&self) -> String {
        self.samples.last().map_or_else(String::new, |sample| {
            format!("{} MiB, {} files", sample.resident >> 20, sample.files)
        })
    }

    /// The samples of the first, second or last third.
    fn third(&self, nth: u32) -> Vec<Sample> {
        let within = self.duration * nth / 3..self.duration * (nth + 1) / 3;
        let samples = self.samples.iter().copied();
        samples.filter(|sample| within.contains(&sample.at)).collect()
    }

    pub fn print(&self) {
        println!("third     samples        resident MiB       anonymous MiB          open files             threads");
        println!("                    min  median  max    min  median  max    min  median  max    min  median  max");
        for (nth, name) in ["first", "second", "last"].into_iter().enumerate() {
            let samples = self.third(nth as u32);
            let columns: [fn(&Sample) -> u64; 4] = [
                |sample| sample.resident >> 20,
                |sample| sample.anonymous >> 20,
                |sample| sample.files,
                |sample| sample.threads,
            ];
            let cells: String = columns
                .into_iter()
                .map(|column| {
                    let mut values: Vec<_> = samples.iter().map(column).collect();
                    values.sort_unstable();
                    let at = |index: usize| values.get(index).copied().unwrap_or(0);
                    let last = values.len().saturating_sub(1);
                    format!("  {:>5}  {:>6}  {:>3}", at(0), at(values.len() / 2), at(last))
                })
                .collect();
            println!("{name:<8}  {:>7}{cells}", samples.len());
        }
    }

    /// That the last third is as the second was. The appliance was not restarted in either.
    pub fn judge(&self) {
        let (second, last) = (self.third(1), self.third(2));
        assert!(
            second.len() >= LEAST && last.len() >= LEAST,
            "too few samples: {} and {}",
            second.len(),
            last.len()
        );
        type What = (&'static str, fn(&Sample) -> u64, u64);
        let what: [What; 2] = [
            ("bytes resident", |sample| sample.resident, MORE_MEMORY),
            ("open files", |sample| sample.files, MORE_FILES),
        ];
        for (name, column, more) in what {
            let (before, after) = (median(&second, column), median(&last, column));
            let bound = (before as f64 * GROWTH) as u64 + more;
            assert!(
                after <= bound,
                "{name} grew from {before} to {after}, which is over {bound}"
            );
        }
    }
}

fn median(samples: &[Sample], column: fn(&Sample) -> u64) -> u64 {
    let mut values: Vec<_> = samples.iter().map(column).collect();
    values.sort_unstable();
    values[values.len() / 2]
}
