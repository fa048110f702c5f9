//! The search index after whatever can befall it: it agrees with the archive again by itself, and the archive goes on.
//!
//! KILLS sets how often it is killed.

use std::{
    fs,
    io::ErrorKind,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{
    PATIENCE,
    appliance::{Appliance, number, text},
    generator::{Mailbox, Random, Settings},
    running::{Outcome, Serving},
    setting, wait_for,
};

const DROPKEEP: &str = env!("CARGO_BIN_EXE_dropkeep");
const USERS: &str = "[[user]]\nname = \"jane\"\naddresses = [\"jane@example.com\"]\n\
                     [[user]]\nname = \"bob\"\naddresses = [\"bob@example.com\"]\n";

/// An archive whose messages come by imports.
struct Site {
    appliance: Appliance,
    mail: Vec<Vec<u8>>,
}

impl Site {
    fn new(messages: usize) -> Self {
        Self {
            appliance: Appliance::new(DROPKEEP, USERS),
            mail: Mailbox::new(Settings::messages(messages)).collect(),
        }
    }

    /// Imports some of the mail for a user.
    fn import(&self, user: &str, which: std::ops::Range<usize>) {
        let imported = self.begin_import(user, which);
        // Some of the files are not mail, and the import says so.
        assert!(matches!(imported.code, Some(0 | 1)), "{}", imported.stderr);
    }

    /// The same, whatever comes of it.
    fn begin_import(&self, user: &str, which: std::ops::Range<usize>) -> Outcome {
        let folder = tempfile::tempdir().unwrap();
        for (number, message) in self.mail[which].iter().enumerate() {
            fs::write(folder.path().join(format!("{number}.eml")), message).unwrap();
        }
        let path = folder.path().to_str().unwrap();
        self.appliance.run(&["import", "--user", user, path])
    }

    fn search(&self) -> PathBuf {
        self.appliance.data().join("search")
    }

    fn index(&self) -> Value {
        self.appliance.done(&["index", "--json"]).json()
    }

    /// Waits until all is found.
    fn caught_up(&self, serving: &Serving) {
        let is_done = || {
            let index = self.index();
            text(&index, "state") == "following" && number(&index, "behind") == 0
        };
        assert!(
            wait_for(PATIENCE, is_done),
            "{:?}\n{}",
            self.index(),
            serving.running.stderr()
        );
    }

    /// Serves until all is found; gives what was logged.
    fn catch_up(&self) -> String {
        let serving = self.appliance.serve();
        self.caught_up(&serving);
        serving.stop().expect(0).stderr
    }

    /// Index and archive say the same; gives how many messages they have.
    fn agrees(&self) -> u64 {
        let agreement = self.appliance.run(&["verify", "--search", "--json"]).json();
        assert_eq!(agreement["ok"], true, "{agreement}");
        let messages = number(&agreement, "messages");
        assert_eq!(number(&agreement, "documents"), messages, "{agreement}");
        messages
    }

    fn disagrees(&self) {
        self.appliance.run(&["verify", "--search", "--json"]).expect(4);
    }

    /// The files of the index's segments.
    fn files(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(self.search()).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = files.filter(|path| !name(path).starts_with('.')).collect();
        files.sort();
        files
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

#[test]
fn new_mail_and_new_users_of_old_mail_are_found_without_being_asked_for() {
    let site = Site::new(120);
    site.import("jane", 0..60);
    site.catch_up();
    let of_jane = site.agrees();
    assert!(of_jane > 40, "{of_jane}");
    // A command that ends soon leaves it to others, and says so.
    site.import("bob", 30..90);
    let index = site.index();
    assert_eq!(text(&index, "state"), "waiting");
    assert!(number(&index, "behind") > 0, "{index}");
    let serving = site.appliance.serve();
    site.caught_up(&serving);
    let of_both = site.agrees();
    assert!(of_both > of_jane);
    // While it serves, what comes is found within two seconds.
    site.import("jane", 90..120);
    let started = Instant::now();
    site.caught_up(&serving);
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    assert!(site.agrees() > of_both);
    let value = |name: &str| {
        let metrics = serving.get("/metrics").1;
        let line = metrics.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
        line.unwrap_or_else(|| panic!("no {name}:\n{metrics}")).to_owned()
    };
    // The numbers come a moment later.
    let found = site.agrees().to_string();
    let are_right = || value("dropkeep_search_documents") == found && value("dropkeep_search_behind_messages") == "0";
    assert!(wait_for(PATIENCE, are_right), "{}", serving.get("/metrics").1);
    serving.stop().expect(0);
    // Without one nobody follows, and the archive says so.
    fs::remove_dir_all(site.search()).unwrap();
    site.disagrees();
    assert_eq!(number(&site.index(), "documents"), 0);
    site.appliance.done(&["index", "rebuild"]);
    site.agrees();
}

#[test]
fn whenever_it_is_killed_it_goes_on() {
    let site = Site::new(200);
    site.import("jane", 0..150);
    site.import("bob", 100..200);
    let mut random = Random(7);
    let mut whole = 0;
    // As long as it takes here, from the start to the end.
    let started = Instant::now();
    site.catch_up();
    let took = started.elapsed();
    for kill in 0..setting("KILLS", 8) {
        if whole > 0 || kill == 0 {
            let _ = fs::remove_dir_all(site.search());
        }
        let serving = site.appliance.serve();
        thread::sleep(took * random.below(100) as u32 / 100);
        serving.running.signal(Signal::KILL);
        assert_eq!(serving.running.wait().code, None);
        // What is there is a part of it, or nothing, and never anything else.
        let agreement = site.appliance.run(&["verify", "--search", "--json"]);
        let is_begun = !agreement.stdout.is_empty();
        if is_begun {
            assert_eq!(agreement.json()["ok"], true, "{}", agreement.text());
            whole = u64::from(number(&agreement.json(), "behind") == 0);
        }
    }
    site.catch_up();
    assert!(site.agrees() > 100);
}

#[test]
fn killed_while_mail_comes_it_has_each_message_once() {
    let site = Site::new(120);
    site.import("jane", 0..40);
    let mut random = Random(11);
    for kill in 0..setting("KILLS", 8) {
        let serving = site.appliance.serve();
        // New mail, and mail that somebody else has.
        let from = random.below(110);
        let user = if random.below(2) == 0 { "jane" } else { "bob" };
        let wait = Duration::from_millis(random.below(1500) as u64);
        thread::scope(|scope| {
            let import = || (0..3).for_each(|nth| drop(site.begin_import(user, from + nth..from + nth + 3)));
            scope.spawn(import);
            thread::sleep(wait);
            serving.running.signal(Signal::KILL);
            assert_eq!(serving.running.wait().code, None);
        });
        let agreement = site.appliance.run(&["verify", "--search", "--json"]);
        if !agreement.stdout.is_empty() {
            assert_eq!(agreement.json()["ok"], true, "kill {kill}: {}", agreement.text());
        }
    }
    site.catch_up();
    assert!(site.agrees() > 30);
}

#[test]
fn verify_says_whether_there_is_an_index_to_verify() {
    let site = Site::new(40);
    let verify = |code| site.appliance.run(&["verify", "--search"]).expect(code);
    site.import("jane", 0..20);
    assert!(verify(4).stderr.contains("no search index of this archive"));
    site.appliance.done(&["index", "rebuild"]);
    assert!(verify(0).text().contains("the search index agrees"));
    site.import("bob", 10..40);
    let behind = verify(0).text();
    assert!(behind.contains("are not in the index yet"), "{behind}");
    // What another archive has is none of this one's.
    let other = Site::new(10);
    other.import("jane", 0..10);
    fs::remove_dir_all(other.search()).unwrap_or_default();
    fs::rename(site.search(), other.search()).unwrap();
    let foreign = other.appliance.run(&["verify", "--search"]).expect(4).stderr;
    assert!(foreign.contains("no search index of this archive"), "{foreign}");
    other.catch_up();
    other.agrees();
    // While it serves, too.
    let serving = site.appliance.serve();
    site.caught_up(&serving);
    assert!(verify(0).text().contains("the search index agrees"));
    serving.stop().expect(0);
    let configuration = site.appliance.config();
    let text = fs::read_to_string(&configuration).unwrap();
    fs::write(&configuration, text + "[search]\nenabled = false\n").unwrap();
    assert!(verify(2).stderr.contains("`enabled` in [search] is false"));
}

#[test]
fn each_step_of_a_commit_can_fail_or_end_the_process() {
    let site = Site::new(60);
    site.import("jane", 0..60);
    for point in ["index-file", "index-synced", "index-committing", "index-committed"] {
        for kind in ["error", "panic", "abort"] {
            let _ = fs::remove_dir_all(site.search());
            let fault = |command: &mut Command| {
                command.env("DROPKEEP_FAULT", format!("{point}:{kind}:2"));
            };
            let mut command = site.appliance.command(&["serve"]);
            fault(&mut command);
            let mut serving = site.appliance.serve_as(command);
            match kind {
                "abort" => {
                    assert!(wait_for(PATIENCE, || !serving.running.is_running()), "{point}");
                    site.catch_up();
                }
                // It is tried again; by another worker, where the thread that commits stopped.
                _ => {
                    site.caught_up(&serving);
                    let said = serving.stop().expect(0).stderr;
                    assert!(said.contains(point), "{point}:{kind}: {said}");
                    let stopped = kind == "panic" && point != "index-file";
                    assert_eq!(said.contains("begins anew"), stopped, "{point}:{kind}: {said}");
                }
            }
            assert!(site.agrees() > 40, "{point}:{kind}");
        }
    }
}

#[test]
fn a_damaged_index_is_noticed_and_made_anew() {
    let site = Site::new(60);
    site.import("jane", 0..60);
    site.catch_up();
    let all = site.agrees();
    type Harm = fn(&Path);
    let harms: [(&str, Harm); 4] = [
        ("deleted", |file| fs::remove_file(file).unwrap()),
        ("cut off", |file| {
            let bytes = fs::read(file).unwrap();
            fs::write(file, &bytes[..bytes.len() / 2]).unwrap();
        }),
        ("flipped", |file| {
            let mut bytes = fs::read(file).unwrap();
            let middle = bytes.len() / 3;
            bytes[middle] ^= 0x20;
            fs::write(file, bytes).unwrap();
        }),
        ("emptied", |file| fs::write(file, "").unwrap()),
    ];
    let kinds = ["fast", "fieldnorm", "idx", "pos", "store", "term", "json"];
    for (at, kind) in kinds.into_iter().enumerate() {
        for (how, harm) in harms.iter().skip(at % 2).step_by(2) {
            let files = site.files();
            let file = files.iter().find(|file| name(file).ends_with(kind));
            harm(file.unwrap_or_else(|| panic!("no {kind} among {files:?}")));
            site.disagrees();
            let said = site.catch_up();
            assert!(said.contains("made anew"), "{kind} {how}: {said}");
            assert_eq!(site.agrees(), all, "{kind} {how}");
        }
    }
}

/// The system tells whoever reads a file where it was cut off by a signal that ends the process.
#[test]
fn a_file_that_is_cut_off_while_it_is_read_ends_nothing() {
    let site = Site::new(90);
    site.import("jane", 0..60);
    let serving = site.appliance.serve();
    site.caught_up(&serving);
    let mut from = 60;
    let search = [
        "search",
        "--sort",
        "relevance",
        "--facets",
        "re* \"the the\" OR the -from:nobody",
    ];
    // By relevance: how many messages were deleted from a part has a say in that, and where a part ends.
    let found = |text: String| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let mut refused = 0;
    for kind in ["term", "idx", "pos", "fieldnorm", "fast"] {
        for is_emptied in [true, false] {
            let right = found(site.appliance.done(&search).text());
            let harmed = serving.running.stderr().matches("search index is made anew").count();
            let is_anew = || serving.running.stderr().matches("search index is made anew").count() > harmed;
            // Of each segment: a search need not read one in which nothing is found.
            for file in site.files().iter().filter(|file| name(file).ends_with(kind)) {
                match fs::OpenOptions::new().write(true).open(file) {
                    Ok(cut) => {
                        let length = cut.metadata().unwrap().len();
                        cut.set_len(if is_emptied { 0 } else { length / 2 }).unwrap();
                    }
                    // It was merged with others.
                    Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound, "{}: {error}", file.display()),
                }
            }
            if is_emptied {
                let met = site.appliance.run(&search);
                // It may read what was merged since, and a merge may have met the harm before: then the index is anew,
                // or there is none yet.
                match met.code {
                    Some(0) => {
                        let is_right = found(met.text()) == right;
                        assert!(is_right || is_anew(), "{kind}: {}", met.text());
                    }
                    Some(1) => {
                        let words = ["the search index is made anew", "there is no search index yet"];
                        let is_none = words.iter().any(|words| met.stderr.contains(words));
                        assert!(is_none && wait_for(PATIENCE, is_anew), "{kind}: {}", met.stderr);
                    }
                    _ => {
                        let met = met.expect(4);
                        assert!(met.stderr.contains("damaged"), "{kind}: {}", met.stderr);
                        refused += 1;
                    }
                }
            }
            // Mail goes on being archived, also such that is deleted from the index, which is right again by itself.
            site.import("jane", from..from + 3);
            site.import("bob", from - 3..from);
            from += 3;
            assert!(wait_for(PATIENCE, is_anew), "{kind}: {}", serving.running.stderr());
            site.caught_up(&serving);
            assert!(site.agrees() > 40, "{kind}");
        }
    }
    assert!(refused > 0);
    serving.stop().expect(0);
}

#[test]
fn an_archive_that_was_put_back_has_the_index_of_what_it_has() {
    let site = Site::new(90);
    let backup = tempfile::tempdir().unwrap();
    let backup = backup.path().join("backup");
    let back_up = || site.appliance.done(&["backup", backup.to_str().unwrap()]);
    let put_back = || {
        for folder in ["catalog", "volumes"] {
            fs::remove_dir_all(site.appliance.data().join(folder)).unwrap();
        }
        site.appliance.done(&["restore", backup.to_str().unwrap()]);
    };
    site.import("jane", 0..30);
    back_up();
    assert!(!backup.join("search").exists());
    site.catch_up();
    let before = site.agrees();
    site.import("jane", 30..60);
    site.catch_up();
    // The archive is older than the index.
    put_back();
    site.disagrees();
    let said = site.catch_up();
    assert!(said.contains("made anew"), "{said}");
    assert_eq!(site.agrees(), before);
    // It goes on differently, to as many groups.
    site.import("jane", 60..90);
    site.catch_up();
    let after = site.agrees();
    back_up();
    let newer = site.search();
    let kept = tempfile::tempdir().unwrap();
    let kept = kept.path().join("search");
    fs::rename(&newer, &kept).unwrap();
    site.import("bob", 0..90);
    back_up();
    // The archive is newer than the index, which goes on from where it is.
    put_back();
    let _ = fs::remove_dir_all(site.search());
    let copied = Command::new("cp").arg("-a").arg(&kept).arg(site.search()).status();
    assert!(copied.unwrap().success());
    let said = site.catch_up();
    assert!(!said.contains("made anew"), "{said}");
    assert!(site.agrees() > after);
}

/// A disk in memory, unmounted when this goes.
struct Disk(PathBuf);

impl Disk {
    fn mount(path: &Path, size: &str) -> Option<Self> {
        fs::create_dir_all(path).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]);
        match mount.arg(path).output() {
            Ok(output) if output.status.success() => Some(Self(path.to_owned())),
            refused => {
                eprintln!("SKIPPED: cannot mount: {refused:?}");
                None
            }
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_of_the_index_keeps_no_mail_from_being_archived() {
    let site = Site::new(120);
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = Disk::mount(&folder.path().join("disk"), "32k") else {
        return;
    };
    site.import("jane", 0..60);
    symlink(&disk.0, site.search()).unwrap();
    let serving = site.appliance.serve();
    let is_failing = || text(&site.index(), "state") == "failing";
    assert!(wait_for(PATIENCE, is_failing), "{}", serving.running.stderr());
    let why = text(&site.index(), "why");
    assert!(why.contains("is full: make room"), "{why}");
    assert!(site.appliance.done(&["status"]).text().contains("SEARCH IS BEHIND"));
    site.import("jane", 60..120);
    let more = Command::new("mount")
        .args(["-o", "remount,size=100m"])
        .arg(&disk.0)
        .status();
    assert!(more.unwrap().success());
    site.caught_up(&serving);
    assert!(site.agrees() > 60);
    serving.stop().expect(0);
}
