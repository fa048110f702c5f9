//! The demo and `make monitoring` together, as a person starts them, and how long it takes until every panel shows
//! something.

use std::{
    net::TcpStream,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use rustix::process::Signal;

use crate::monitoring::{
    DROPKEEP,
    expressions::{of_panels, told, without_data},
    file,
    prometheus::query,
    support::{listening::free_port, running::Running, wait_for},
};

/// For what comes before: the mailbox, its archive, and the start of the appliance.
const DEMO: Duration = Duration::from_secs(180);
/// Some ten seconds, where the machine has nothing else to do.
const SOON: Duration = Duration::from_secs(180);
const END: Duration = Duration::from_secs(30);

/// A program that is asked to end, so that what it started ends with it.
struct Started(Running);

impl Started {
    fn new(program: &Path, environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(program);
        command.envs(environment.iter().copied()).current_dir(file(""));
        Self(Running::start(command, &[&program.display().to_string()]))
    }

    /// Whether it listens there, within this time.
    fn listens(&mut self, address: &str, within: Duration) -> bool {
        wait_for(within, || TcpStream::connect(address).is_ok() || !self.0.is_running()) && self.0.is_running()
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        self.0.signal(Signal::TERM);
        wait_for(END, || !self.0.is_running());
    }
}

/// The panel of how long searches take was empty: nobody searched in the demo.
#[test]
fn the_demo_shows_something_in_every_panel() {
    let target = format!("127.0.0.1:{}", free_port());
    let program = Path::new(DROPKEEP).with_file_name("examples").join("demo");
    assert!(
        program.exists(),
        "{}: `cargo build --example demo` builds it, as `make test` does",
        program.display()
    );
    let mut demo = Started::new(&program, &[("LISTEN", &target), ("ONCE", "")]);
    assert!(demo.listens(&target, DEMO), "{}", demo.0.stderr());

    let listen = format!("127.0.0.1:{}", free_port());
    let started = Instant::now();
    let script = file("dashboards/monitoring.sh");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("prometheus").display().to_string();
    let environment = [("TARGET", &*target), ("LISTEN", &listen), ("MONITORING_DATA", &data)];
    let mut monitoring = Started::new(&script, &environment);
    assert!(monitoring.listens(&listen, SOON), "{}", monitoring.0.stderr());
    let asked = of_panels();
    let mut empty = Vec::new();
    wait_for(SOON.saturating_sub(started.elapsed()), || {
        std::thread::sleep(Duration::from_millis(500));
        empty = without_data(|expr| query(&listen, expr), &asked);
        empty.is_empty()
    });
    println!(
        "{} of {} queries have what they must {:.1} s after `make monitoring`",
        asked.len() - empty.len(),
        asked.len(),
        started.elapsed().as_secs_f64()
    );
    assert!(empty.is_empty(), "{}{}", told(&empty), demo.0.stderr());
}
