//! The appliance under a service manager: what it tells systemd, and how it ends when it is asked to.

use std::{
    os::unix::net::UnixDatagram,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::support::{
    appliance::{Appliance, PROFILE, Profile, number, text},
    dovecot::Dovecot,
    generator::{Mailbox, Settings},
    listening::Listening,
    running::Serving,
    wait_for,
};
use rustix::process::Signal;
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(30);
/// What systemd would wait for a sign of life; longer than a busy machine takes to answer.
const WATCHDOG: Duration = Duration::from_secs(4);
/// How long after SIGTERM the appliance may go on.
const STOP: Duration = Duration::from_secs(20);

/// A service manager: the socket that services tell what they do, and what came.
struct Manager {
    folder: TempDir,
    heard: Arc<Mutex<Vec<(Instant, String)>>>,
}

impl Manager {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = UnixDatagram::bind(folder.path().join("notify")).expect("a socket");
        let heard = Arc::new(Mutex::new(Vec::new()));
        let hearing = heard.clone();
        // Ends with the test's process.
        thread::spawn(move || {
            let mut message = [0; 4096];
            while let Ok(length) = socket.recv(&mut message) {
                let text = String::from_utf8_lossy(&message[..length]).into_owned();
                let lines = text.lines().map(|line| (Instant::now(), line.to_owned()));
                hearing.lock().expect("what came").extend(lines);
            }
        });
        Self { folder, heard }
    }

    /// Starts the appliance as a service with a watchdog.
    fn start(&self, appliance: &Appliance, fault: &str) -> Serving {
        let mut command = appliance.command(&["serve"]);
        command
            .env("NOTIFY_SOCKET", self.folder.path().join("notify"))
            .env("WATCHDOG_USEC", WATCHDOG.as_micros().to_string());
        if !fault.is_empty() {
            command.env("DROPKEEP_FAULT", fault);
        }
        appliance.serve_as(command)
    }

    fn heard(&self) -> Vec<(Instant, String)> {
        self.heard.lock().expect("what came").clone()
    }

    fn count(&self, line: &str) -> usize {
        self.heard().iter().filter(|(_, heard)| heard == line).count()
    }

    fn wait_for(&self, line: &str, times: usize) {
        assert!(
            wait_for(SOON, || self.count(line) >= times),
            "{line}: {:?}",
            self.heard()
        );
    }

    /// Since when there was no sign of life.
    fn silent_for(&self) -> Duration {
        let heard = self.heard();
        let last = heard.iter().rfind(|(_, line)| line == "WATCHDOG=1");
        last.map_or(Duration::ZERO, |(at, _)| at.elapsed())
    }
}

fn served(server: &Dovecot, access: &str) -> Appliance {
    Appliance::for_company(env!("CARGO_BIN_EXE_dropkeep"), &Profile::new(server, access))
}

/// A profile over a port of this machine behind which there is no mail server that one can work with.
fn at_port(server: &Dovecot, port: u16) -> Appliance {
    let profile = Profile {
        port,
        ..Profile::new(server, "imap")
    };
    Appliance::for_company(env!("CARGO_BIN_EXE_dropkeep"), &profile)
}

#[test]
fn the_service_manager_hears_of_readiness_life_state_and_the_end() {
    let server = Dovecot::with(["To: jane@example.com\nSubject: first\n\nx\n"]);
    let appliance = served(&server, "imap");
    let manager = Manager::new();
    appliance.run(&["status", "--alive"]).expect(1);
    let serving = manager.start(&appliance, "");
    manager.wait_for("READY=1", 1);
    manager.wait_for("WATCHDOG=1", 3);
    manager.wait_for("STATUS=1 profile, 0 running", 1);
    let checked = appliance.done(&["status", "--alive", "--json"]).lines().remove(0);
    assert_eq!(text(&checked, "state"), "idle");
    appliance.done(&["archive", PROFILE]);
    manager.wait_for("WATCHDOG=1", 5);
    let outcome = serving.stop().expect(0);
    assert!(outcome.took > Duration::ZERO);
    manager.wait_for("STOPPING=1", 1);
    let heard = manager.heard();
    let first = |line: &str| heard.iter().position(|(_, heard)| heard == line);
    assert!(first("STATUS=opening the archive") < first("READY=1"), "{heard:?}");
    assert!(first("READY=1") < first("STOPPING=1"), "{heard:?}");
    assert_eq!(manager.count("READY=1"), 1);
}

/// Supervisors share a thread; one that hangs there is not mended by anybody but the service manager.
#[test]
fn a_stuck_supervisor_is_no_sign_of_life() {
    let server = Dovecot::with(["To: jane@example.com\nSubject: first\n\nx\n"]);
    let appliance = served(&server, "imap");
    let manager = Manager::new();
    let serving = manager.start(&appliance, "looking-after:hang:3");
    manager.wait_for("WATCHDOG=1", 1);
    assert!(wait_for(SOON, || serving
        .running
        .stderr()
        .contains("looking-after is reached")));
    let silent = wait_for(SOON, || manager.silent_for() > WATCHDOG);
    assert!(silent, "{:?}", manager.heard());
}

#[test]
fn a_stuck_committer_is_no_sign_of_life() {
    let server = Dovecot::with(["To: jane@example.com\nSubject: first\n\nx\n"]);
    let appliance = served(&server, "imap");
    let manager = Manager::new();
    let mut serving = manager.start(&appliance, "volume-writing:hang");
    manager.wait_for("WATCHDOG=1", 3);
    let _run = appliance.start(&["archive", PROFILE]);
    let silent = wait_for(SOON, || manager.silent_for() > WATCHDOG);
    assert!(silent, "{:?}", manager.heard());
    let told = wait_for(SOON, || {
        serving.running.stderr().contains("the committer has been writing for")
    });
    assert!(told, "{}", serving.running.stderr());
    assert!(serving.running.is_running());
}

/// A server that greets and says nothing more, not even that it hangs up.
#[test]
fn a_server_that_hangs_does_not_hold_up_the_end() {
    let server = Dovecot::start();
    let spoken_to = Arc::new(AtomicBool::new(false));
    let heard = spoken_to.clone();
    let hanging = Listening::hanging("* OK here\r\n", move || heard.store(true, Ordering::SeqCst));
    let appliance = at_port(&server, hanging.port);
    let serving = appliance.serve();
    let run = appliance.start(&["archive", PROFILE, "--json"]);
    assert!(wait_for(SOON, || spoken_to.load(Ordering::SeqCst)));
    let asked = Instant::now();
    serving.stop().expect(0);
    let took = asked.elapsed();
    println!("stopped {took:?} after SIGTERM, with a server that hangs");
    assert!(took < STOP, "{took:?}");
    assert!(run.wait().code.is_some_and(|code| code != 0));
}

/// In the middle of a large mailbox: what is in flight is committed, the run has its protocol, and the next goes on.
#[test]
fn a_run_in_full_swing_ends_in_good_order() {
    const MESSAGES: usize = 20_000;
    let server = Dovecot::with(Mailbox::new(Settings::messages(MESSAGES)));
    for access in ["imap", "pop3"] {
        let appliance = served(&server, access);
        let serving = appliance.serve();
        let run = appliance.start(&["archive", PROFILE, "--json"]);
        let archived = |profile: &serde_json::Value| profile["seen"].as_u64().unwrap_or_default();
        let middle = wait_for(SOON, || {
            let status = appliance.done(&["status", "--json"]).lines().remove(0);
            archived(&status) > 300
        });
        assert!(middle, "{}", serving.running.stderr());
        let asked = Instant::now();
        serving.stop().expect(0);
        let took = asked.elapsed();
        println!("{access}: stopped {took:?} after SIGTERM, in the middle of a run");
        assert!(took < STOP, "{took:?}");
        // Whoever asked for the run gets its protocol.
        let run = run.wait().expect(130).json();
        assert_eq!(text(&run, "state"), "interrupted", "{run:#}");
        let first = number(&run, "seen");
        assert!(first > 0 && first < MESSAGES as u64, "{run:#}");
        let rest = appliance.done(&["archive", PROFILE, "--json"]).json();
        assert_eq!(first + number(&rest, "seen"), MESSAGES as u64, "{rest:#}");
    }
}

#[test]
fn a_second_signal_ends_the_appliance_at_once() {
    let server = Dovecot::with(["To: jane@example.com\nSubject: first\n\nx\n"]);
    let appliance = served(&server, "imap");
    let mut command = appliance.command(&["serve"]);
    // What is in flight cannot be committed, and the appliance would wait for that for a while.
    command.env("DROPKEEP_FAULT", "volume-writing:hang");
    let serving = appliance.serve_as(command);
    let _run = appliance.start(&["archive", PROFILE]);
    assert!(wait_for(SOON, || serving
        .running
        .stderr()
        .contains("volume-writing is reached")));
    serving.running.signal(Signal::TERM);
    assert!(wait_for(SOON, || serving.running.stderr().contains("stopping: ")));
    let asked = Instant::now();
    serving.stop().expect(130);
    let took = asked.elapsed();
    println!("stopped {took:?} after the second signal");
    // After the first signal alone it takes six seconds.
    assert!(took < Duration::from_secs(5), "{took:?}");
}

/// A disk that hangs is not waited for beyond what the service manager allows.
#[test]
fn a_stuck_committer_does_not_hold_up_the_end() {
    let server = Dovecot::with(["To: jane@example.com\nSubject: first\n\nx\n"]);
    let appliance = served(&server, "imap");
    let mut command = appliance.command(&["serve"]);
    command.env("DROPKEEP_FAULT", "volume-writing:hang");
    let serving = appliance.serve_as(command);
    let _run = appliance.start(&["archive", PROFILE]);
    assert!(wait_for(SOON, || serving
        .running
        .stderr()
        .contains("volume-writing is reached")));
    let asked = Instant::now();
    serving.stop().expect(0);
    let took = asked.elapsed();
    println!("stopped {took:?} after SIGTERM, with a disk that hangs");
    assert!(took < STOP, "{took:?}");
}
