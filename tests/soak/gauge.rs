//! Memory and open files of the appliance, from time to time.

use std::{
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    thread,
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
    /// Of that, what belongs to no file.
    anonymous: u64,
    files: u64,
    threads: u64,
}

/// Looks from a thread of its own, so that a slow step of the driver is seen as well.
pub struct Gauge {
    duration: Duration,
    samples: Arc<Mutex<Vec<Sample>>>,
    /// The process that is looked at.
    process: Arc<AtomicU32>,
    /// Where this is dropped, the thread ends.
    _end: Sender<()>,
}

impl Gauge {
    pub fn new(duration: Duration) -> Self {
        let start = Instant::now();
        let every = (duration / 60).min(Duration::from_secs(10));
        let samples = Arc::new(Mutex::new(Vec::new()));
        let process = Arc::new(AtomicU32::new(0));
        let (end, ended) = channel();
        let (taken, watched) = (samples.clone(), process.clone());
        thread::spawn(move || {
            while ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                if let Some(sample) = sample(start.elapsed(), watched.load(Ordering::Relaxed)) {
                    taken.lock().expect("the samples").push(sample);
                }
            }
        });
        Self {
            duration,
            samples,
            process,
            _end: end,
        }
    }

    /// Looks at this process from now on.
    pub fn follow(&self, process: u32) {
        self.process.store(process, Ordering::Relaxed);
    }

    /// The last sample in words.
    pub fn now(&self) -> String {
        let samples = self.samples.lock().expect("the samples");
        samples.last().map_or_else(String::new, |sample| {
            format!("{} MiB, {} files", sample.resident >> 20, sample.files)
        })
    }

    /// The samples of the first, second or last third.
    fn third(&self, nth: u32) -> Vec<Sample> {
        let within = self.duration * nth / 3..self.duration * (nth + 1) / 3;
        let samples = self.samples.lock().expect("the samples");
        let samples = samples.iter().copied();
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

/// `None` where the process is gone.
fn sample(at: Duration, process: u32) -> Option<Sample> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    Some(Sample {
        at,
        resident: field("VmRSS:")? << 10,
        anonymous: field("RssAnon:")? << 10,
        files: fs::read_dir(format!("/proc/{process}/fd")).ok()?.count() as u64,
        threads: field("Threads:")?,
    })
}

fn median(samples: &[Sample], column: fn(&Sample) -> u64) -> u64 {
    let mut values: Vec<_> = samples.iter().map(column).collect();
    values.sort_unstable();
    values[values.len() / 2]
}
