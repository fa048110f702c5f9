//! A million small messages for two hundred users: how fast all of them are verified, one user's newest are
//! listed, and single ones are read in a running appliance.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use dropkeep::{
    api::{Failure, Reply, Request},
    archive::{MessageId, Store},
    config::Config,
    control::Client,
};
use rustix::{
    fs::{Advice, fadvise},
    process::Signal,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    filing, kept, scratch,
    support::{
        generator::{Mailbox, Random, SEED, Settings, company_of},
        identity::sha256,
        running::Running,
    },
    table::{self, Goal, quantile},
};

const DROPKEEP: &str = env!("CARGO_BIN_EXE_dropkeep");
const USERS: usize = 200;
/// What the generator is asked for; what it makes is a little larger.
const AVERAGE_SIZE: usize = 2_800;
const MB: f64 = 1e6;

/// Raw MB a second.
const GOAL_VERIFY: f64 = 200.0;
/// Milliseconds of a whole process that lists a user's newest.
const GOAL_LIST: f64 = 100.0;
const NEWEST: &str = "50";
const LISTS: usize = 5;
/// Milliseconds until a message is there, median and 99 in 100.
const GOAL_RAW: f64 = 5.0;
const RAWS: usize = 200;
/// A message is small up to so many bytes.
const SMALL: u64 = 64 << 10;
/// How long the appliance may take to answer.
const START: Duration = Duration::from_secs(60);

/// What is noted beside an archive once it is complete.
#[derive(Serialize, Deserialize)]
struct Made {
    messages: u64,
    raw: u64,
}

/// An archive, with the configuration to run commands on it.
struct Archive {
    config: PathBuf,
    data_dir: PathBuf,
    made: Made,
    /// A user with an archive of about the average size.
    user: String,
}

pub fn run(messages: usize) {
    let temporary;
    let folder = match kept() {
        Some(folder) => folder.join(format!("million-{messages}")),
        None => {
            temporary = tempfile::Builder::new()
                .prefix("dropkeep-bench-")
                .tempdir_in(scratch())
                .expect("a folder");
            temporary.path().to_owned()
        }
    };
    let archive = open_or_make(&folder, messages);
    let picked = archive.pick();
    table::head(&format!(
        "{} messages, {:.0} MB, of {USERS} users",
        archive.made.messages,
        archive.made.raw as f64 / MB
    ));
    archive.verify();
    archive.list();
    archive.raw(&picked);
}

/// The archive in `folder`, made where there is none that is complete.
fn open_or_make(folder: &Path, messages: usize) -> Archive {
    let people = company_of(USERS);
    let config = filing::config(&folder.join("data"), &people);
    let archive = |made| Archive {
        config: folder.join("dropkeep.toml"),
        data_dir: config.data_dir.clone(),
        made,
        user: people[USERS / 2].name.clone(),
    };
    let note = folder.join("made.json");
    if let Some(made) = fs::read(&note).ok().and_then(|text| serde_json::from_slice(&text).ok()) {
        println!(
            "The archive in {} is used again; delete it to have it made anew.",
            folder.display()
        );
        return archive(made);
    }
    // What is there was not finished.
    if folder.exists() {
        fs::remove_dir_all(folder).expect("an unfinished archive goes");
    }
    fs::create_dir_all(folder).expect("a folder");
    fs::write(folder.join("dropkeep.toml"), filing::config_text(&config, &people)).expect("a configuration");
    println!("{messages} messages are made and archived in {}.", folder.display());
    let mailbox = Mailbox::new(Settings {
        average_size: AVERAGE_SIZE,
        people: USERS,
        ..Settings::messages(messages)
    });
    let archived = filing::archive(&config, mailbox, |done| eprintln!("{done} of {messages} are on disk"));
    table::head("making the archive");
    let took = archived.took.as_secs_f64();
    table::row(
        "archived, messages being made beside it",
        archived.raw as f64 / MB / took,
        Goal::None,
        "MB/s",
    );
    table::row(
        "the same in messages",
        archived.messages as f64 / took,
        Goal::None,
        "/s",
    );
    let made = Made {
        messages: archived.messages,
        raw: archived.raw,
    };
    fs::write(note, serde_json::to_vec(&made).expect("numbers")).expect("a note");
    archive(made)
}

/// A message to ask for, and what its bytes must be.
struct Picked {
    id: u64,
    sha256: String,
}

impl Archive {
    /// The program on this archive, with nothing of the caller's own settings.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(DROPKEEP);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("DROPKEEP") || name == "RUST_LOG" {
                command.env_remove(name);
            }
        }
        command.arg("--config").arg(&self.config).args(arguments);
        command.stdin(Stdio::null());
        command
    }

    /// Runs a command to its end; gives what it printed and how long it took, from before it was started.
    fn done(&self, arguments: &[&str]) -> (Vec<u8>, Duration) {
        let started = Instant::now();
        let output = self.command(arguments).output().expect("dropkeep starts");
        let took = started.elapsed();
        assert!(
            output.status.success(),
            "dropkeep {}: {}\n{}",
            arguments.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        (output.stdout, took)
    }

    /// Small messages from all over the archive.
    fn pick(&self) -> Vec<Picked> {
        let config = Config {
            data_dir: self.data_dir.clone(),
            ..Config::default()
        };
        let store = Store::open(&config).expect("the archive");
        let (messages, _) = store.totals().expect("its totals");
        let mut random = Random(SEED);
        let mut picked = Vec::with_capacity(RAWS);
        // Large ones are rare; an archive of nothing else gives fewer.
        for _ in 0..20 * RAWS {
            let id = 1 + random.below(messages as usize) as u64;
            let message = store.message(MessageId(id)).expect("the catalog");
            if let Some(message) = message.filter(|message| message.size <= SMALL) {
                let sha256 = message.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
                picked.push(Picked { id, sha256 });
            }
            if picked.len() == RAWS {
                break;
            }
        }
        assert!(!picked.is_empty(), "the archive has small messages");
        picked
    }

    fn verify(&self) {
        const WHAT: &str = "verify";
        let known = self.command(&["verify", "--help"]).output().expect("dropkeep starts");
        if !known.status.success() {
            return table::skipped(WHAT, "this dropkeep has no command verify");
        }
        let (said, took) = self.done(&["verify", "--json"]);
        let said: Value = serde_json::from_slice(&said).expect("verify's JSON");
        assert_eq!(said["ok"], true, "{said}");
        let bytes = said["bytes"].as_u64().expect("how many bytes verify read");
        let speed = bytes as f64 / MB / took.as_secs_f64();
        table::row(WHAT, speed, Goal::MoreThan(GOAL_VERIFY), "MB/s");
    }

    fn list(&self) {
        let milliseconds = || {
            let (said, took) = self.done(&["list", "--user", &self.user, "--newest", NEWEST]);
            let lines = said
                .split(|&byte| byte == b'\n')
                .filter(|line| !line.is_empty())
                .count();
            assert!((1..=50).contains(&lines), "{lines} lines of {}", self.user);
            took.as_secs_f64() * 1e3
        };
        // Once so that the pages are in memory.
        milliseconds();
        let warm: Vec<f64> = (0..LISTS).map(|_| milliseconds()).collect();
        let cold: Vec<f64> = (0..LISTS)
            .map(|_| {
                self.forget_pages();
                milliseconds()
            })
            .collect();
        let what = format!("list --newest {NEWEST}, whole process, median");
        table::row(
            &what,
            quantile(&warm, 0.5).expect("some"),
            Goal::AtMost(GOAL_LIST),
            "ms",
        );
        let what = "the same, nothing of the archive in memory";
        table::row(what, quantile(&cold, 0.5).expect("some"), Goal::None, "ms");
    }

    fn raw(&self, picked: &[Picked]) {
        self.forget_pages();
        let serving = Running::start(self.command(&["serve"]), &["serve"]);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let (cold, warm) = runtime.expect("a runtime").block_on(async {
            let deadline = Instant::now() + START;
            // It listens when it answers: a killed appliance leaves its socket behind.
            while Client::connect(&self.data_dir).await.is_none() {
                assert!(
                    Instant::now() < deadline,
                    "serve does not answer:\n{}",
                    serving.stderr()
                );
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            // Each is read a second time long after its block was let go.
            (self.latencies(picked).await, self.latencies(picked).await)
        });
        for (what, share, goal) in [
            ("raw in a running appliance, median", 0.5, Goal::AtMost(GOAL_RAW)),
            ("the same, 99 in 100", 0.99, Goal::AtMost(GOAL_RAW)),
        ] {
            table::row(what, quantile(&warm, share).expect("some"), goal, "ms");
        }
        let what = "the same, when first read from disk, median";
        table::row(what, quantile(&cold, 0.5).expect("some"), Goal::None, "ms");
        serving.signal(Signal::TERM);
        serving.wait().expect(0);
    }

    /// Lets the system forget what of the archive it has in memory; nobody may have it open.
    fn forget_pages(&self) {
        let volumes = fs::read_dir(self.data_dir.join("volumes")).expect("volumes").flatten();
        let folders = volumes.map(|volume| volume.path());
        for folder in folders.chain([self.data_dir.join("catalog")]) {
            let file = fs::File::open(folder.join("data.mdb")).expect("an LMDB file");
            file.sync_all().expect("it is on disk");
            fadvise(&file, 0, None, Advice::DontNeed).expect("fadvise");
        }
    }

    /// Milliseconds that each message took to arrive, its connection included; their bytes are compared.
    async fn latencies(&self, picked: &[Picked]) -> Vec<f64> {
        let mut latencies = Vec::with_capacity(picked.len());
        for Picked { id, sha256: expected } in picked {
            let mut stretches = Vec::new();
            let mut keep = |reply| {
                if let Reply::Bytes(stretch) = reply {
                    stretches.push(stretch);
                }
            };
            let started = Instant::now();
            let mut client = Client::connect(&self.data_dir).await.expect("the appliance");
            let answered = client
                .ask(
                    &Request::Raw {
                        id: MessageId(*id),
                        named: false,
                    },
                    &mut keep,
                )
                .await;
            latencies.push(started.elapsed().as_secs_f64() * 1e3);
            if let Err(error) = answered {
                panic!("message {id}: {}", Failure::from(error));
            }
            let decode = |stretch: &String| STANDARD.decode(stretch).expect("base64");
            let bytes: Vec<u8> = stretches.iter().flat_map(decode).collect();
            assert_eq!(sha256(&bytes), *expected, "message {id}");
        }
        latencies
    }
}
