//! The tables, as the other benchmark prints them.

/// What a value is to be.
#[derive(Clone, Copy)]
pub enum Goal {
    AtMost(f64),
    MoreThan(f64),
    /// Only to compare with.
    None,
}

pub fn head(what: &str) {
    println!("\n{what:<50}{:>14}{:>14}", "measured", "goal");
}

pub fn row(what: &str, measured: f64, goal: Goal, unit: &str) {
    let (goal, met) = match goal {
        Goal::AtMost(goal) => (format!("≤ {goal:.2} {unit}"), measured <= goal),
        Goal::MoreThan(goal) => (format!("> {goal:.2} {unit}"), measured > goal),
        Goal::None => (String::new(), true),
    };
    let verdict = match (goal.is_empty(), met) {
        (true, _) => "",
        (_, true) => "met",
        (_, false) => "NOT MET",
    };
    let line = format!("{what:<50}{:>14}{goal:>14}  {verdict}", format!("{measured:.2} {unit}"));
    println!("{}", line.trim_end());
}

/// A row that could not be measured, and why.
pub fn skipped(what: &str, why: &str) {
    println!("{what:<50}{:>14}  {why}", "SKIPPED");
}

/// Says so where something else kept the processors busy of late, and perhaps goes on: then all times are
/// longer, and the longest most of all. Asked before the benchmark keeps them busy itself.
pub fn busy() {
    let load = std::fs::read_to_string("/proc/loadavg").ok();
    let load: Option<f64> = load.and_then(|text| text.split(' ').next()?.parse().ok());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if let Some(load) = load.filter(|load| *load > 0.5 * cores as f64) {
        println!("The machine was busy just now (load {load:.1} on {cores} cores): if it still is, times tell little.");
    }
}

/// Of sorted or unsorted values, the one below which this share of them lies; `None` of nothing.
pub fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let last = sorted.len().checked_sub(1)?;
    Some(sorted[(last as f64 * share).round() as usize])
}
