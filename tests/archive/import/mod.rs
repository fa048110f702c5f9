//! Mail files are archived as if they had been fetched: EML, mbox of each kind, Maildir; and what is not mail is named.

mod exported;
mod for_one;
mod odd_files;
mod refused;

use crate::support;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use crate::support::{
    appliance::{Appliance, PROFILE, Profile, assert_adds_up, number, text},
    dovecot::Dovecot,
    generator::{Mailbox, Settings},
    identity::{identity, sha256},
    pull, wait_for,
};
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

const DROPKEEP: &str = env!("CARGO_BIN_EXE_dropkeep");
const SOON: Duration = Duration::from_secs(60);
const FROM: &str = "From someone@sender.example Thu Jan  1 00:00:00 2026";

fn appliance() -> Appliance {
    Appliance::for_company(DROPKEEP, &Profile::unasked())
}

/// A folder with files in it.
struct Files(TempDir);

impl Files {
    fn new<N: AsRef<Path>, B: AsRef<[u8]>>(files: impl IntoIterator<Item = (N, B)>) -> Self {
        let folder = Self(tempfile::tempdir().expect("a folder"));
        for (name, bytes) in files {
            let path = folder.path(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, bytes).expect("a file");
        }
        folder
    }

    fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }
}

fn import(appliance: &Appliance, options: &[&str], path: &Path, exit: i32) -> Value {
    let path = path.to_str().expect("a name");
    let arguments = [&["import", "--profile", PROFILE, "--json", path], options].concat();
    let run = appliance.run(&arguments).expect(exit).json();
    assert_adds_up(&run);
    assert_eq!(run["import"], serde_json::json!([path]));
    run
}

fn to_jane(subject: &str) -> String {
    format!("From: a@sender.example\nTo: jane@example.com\nSubject: {subject}\n\nhello {subject}\n")
}

/// Folder and subject of each of Jane's messages.
fn janes(appliance: &Appliance) -> BTreeSet<(String, String)> {
    let list = appliance.done(&["list", "--user", "jane", "--json"]).lines();
    list.iter()
        .map(|line| (text(line, "folder"), text(line, "subject")))
        .collect()
}

fn pairs(expected: &[(&str, &str)]) -> BTreeSet<(String, String)> {
    expected
        .iter()
        .map(|(folder, subject)| ((*folder).into(), (*subject).into()))
        .collect()
}

/// Which user has which message, told by identity. `read`: what may be stored.
fn holdings(appliance: &Appliance, read: &[Vec<u8>]) -> BTreeSet<(String, String)> {
    let identities: BTreeMap<_, _> = read
        .iter()
        .map(|message| (sha256(message), identity(message)))
        .collect();
    let lists = appliance.lists().into_iter().flat_map(|(user, list)| {
        let identities = &identities;
        list.into_iter().map(move |line| {
            let identity = identities.get(&text(&line, "sha256")).expect("bytes as they were read");
            (user.clone(), identity.clone())
        })
    });
    lists.collect()
}

/// Mail as it lies in files, each way with the bytes that are to come out of it.
fn ways(messages: &[Vec<u8>]) -> Vec<(&'static str, Files, Vec<Vec<u8>>)> {
    let numbered = || messages.iter().enumerate();
    let eml = numbered().map(|(number, message)| (format!("mail/{}/{number}.eml", number % 7), message));
    let part = |number: usize| if number.is_multiple_of(3) { "new" } else { "cur" };
    let maildir = numbered().map(|(number, message)| (format!("mail/{}/{number}.x.host:2,S", part(number)), message));
    let with_length = |message: &Vec<u8>| {
        let body = memchr::memmem::find(message, b"\r\n\r\n").expect("a body") + 4;
        let mut longer = format!("Content-Length: {}\r\n", message.len() - body).into_bytes();
        longer.extend_from_slice(message);
        longer
    };
    let lengths: Vec<_> = messages.iter().map(with_length).collect();
    let quoted = |line: &[u8]| line[line.iter().take_while(|byte| **byte == b'>').count()..].starts_with(b"From ");
    let rd = mbox(messages, quoted);
    let cl2 = mbox(&lengths, |_| false);
    vec![
        ("eml", Files::new(eml), messages.to_vec()),
        ("maildir", Files::new(maildir), messages.to_vec()),
        ("mboxrd", Files::new([("mail/Inbox", rd)]), messages.to_vec()),
        ("mboxcl2", Files::new([("mail/Inbox", cl2)]), lengths),
    ]
}

/// An mbox in which the lines that `is_quoted` names are quoted.
fn mbox(messages: &[Vec<u8>], is_quoted: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut text = Vec::new();
    for message in messages {
        text.extend_from_slice(format!("{FROM}\r\n").as_bytes());
        for line in message.split_inclusive(|byte| *byte == b'\n') {
            text.extend_from_slice(if is_quoted(line) { b">" } else { b"" });
            text.extend_from_slice(line);
        }
        text.extend_from_slice(b"\r\n");
    }
    text
}

/// What IMAP gives each person, they get from files too; and what they have, no import files again.
#[test]
fn by_files_everyone_gets_what_they_get_by_imap() {
    let server = Dovecot::with(Mailbox::new(Settings::messages(700)));
    let sent = pull::messages(&server, "imap");
    // What is broken so that a file would not pass for mail, or an mbox not give it back, has tests of its own.
    let is_plain = |message: &Vec<u8>| {
        let header = memchr::memmem::find(message, b"\r\n\r\n").map(|end| &message[..end]);
        header.is_some_and(|header| header.contains(&b':') && !header.contains(&0))
            && message.ends_with(b"\r\n")
            && message[0].is_ascii_alphabetic()
            && !message.starts_with(b"This is no")
    };
    let mut messages: Vec<Vec<u8>> = sent.into_iter().filter(is_plain).collect();
    messages.push(b"To: jane@example.com\r\n\r\nFrom here\r\n\r\nFrom then on\r\n>From there\r\n>>From\r\n".to_vec());
    assert!(messages.len() > 600, "{}", messages.len());
    let by_imap = Dovecot::with(&messages);
    let fetched = Appliance::for_company(DROPKEEP, &Profile::new(&by_imap, "imap"));
    fetched.done(&["archive", PROFILE]);
    let sent = pull::messages(&by_imap, "imap");
    let expected = holdings(&fetched, &sent);
    let filings = fetched.lists();

    for (way, files, read) in ways(&sent) {
        let appliance = appliance();
        let first = import(&appliance, &[], &files.path("mail"), 0);
        assert_eq!(number(&first, "seen"), sent.len() as u64, "{way}: {first:#}");
        assert_eq!(text(&first, "state"), "completed", "{way}");
        assert!(
            holdings(&appliance, &read) == expected,
            "{way}: not what they get by IMAP"
        );
        let second = import(&appliance, &[], &files.path("mail"), 0);
        let counts = ["seen", "duplicates", "archived", "filings"].map(|count| number(&second, count));
        assert_eq!(
            counts,
            [sent.len() as u64, sent.len() as u64, 0, 0],
            "{way}: {second:#}"
        );

        let again = import(&fetched, &[], &files.path("mail"), 0);
        assert_eq!(number(&again, "filings"), 0, "{way}: known by IMAP already");
        assert_eq!(number(&again, "duplicates"), sent.len() as u64, "{way}");
    }
    assert_eq!(fetched.lists(), filings);
    let run = fetched.done(&["archive", PROFILE, "--json"]).json();
    assert_eq!(number(&run, "seen"), 0, "what was fetched is still known as done");
}

/// Files have no names that last, so a run over none of a mailbox's UIDLs must not forget them.
#[test]
fn an_import_leaves_the_cursor_of_a_pop3_mailbox_alone() {
    let server = Dovecot::with([to_jane("1"), to_jane("2")]);
    let appliance = Appliance::for_company(DROPKEEP, &Profile::new(&server, "pop3"));
    appliance.done(&["archive", PROFILE]);
    let files = Files::new([("Inbox", format!("{FROM}\n{}\n", to_jane("3")))]);
    let run = import(&appliance, &[], &files.path("Inbox"), 0);
    assert_eq!(number(&run, "archived"), 1);
    assert_eq!(run["notices"], serde_json::json!([]), "UIDLs are no matter of files");
    let run = appliance.done(&["archive", PROFILE, "--json"]).json();
    assert_eq!(number(&run, "seen"), 0, "{run:#}");
}

#[test]
fn filings_name_the_folders_as_people_know_them() {
    let mbox = |subject: &str| {
        format!(
            "From - Thu Jan 01 00:00:00 2026\nX-Mozilla-Status: 0001\n{}\n",
            to_jane(subject)
        )
    };
    let files = Files::new([
        ("a/b/1.eml", to_jane("eml")),
        ("a/Thunderbird/Inbox", mbox("inbox")),
        ("a/Thunderbird/Inbox.msf", "// an index".into()),
        ("a/Thunderbird/Inbox.sbd/Old", mbox("old")),
        ("a/Thunderbird/Drafts", String::new()),
        ("a/Thunderbird/Drafts.msf", "// an index".into()),
        ("a/Maildir/cur/1.a.host:2,S", to_jane("cur")),
        ("a/Maildir/new/2.a.host", to_jane("new")),
        ("a/Maildir/tmp/3.a.host", to_jane("not delivered")),
        ("a/Maildir/dovecot.index", "index".into()),
        ("a/Maildir/.Entw&APw-rfe.2026/cur/4.a.host:2,DS", to_jane("draft")),
        ("a/Maildir/.Entw&APw-rfe.2026/new/.hidden", "x".into()),
    ]);
    let appliance = appliance();
    let run = import(&appliance, &[], &files.path("a"), 0);
    assert_eq!(run["errors"], serde_json::json!([]));
    let expected = pairs(&[
        ("a/b", "eml"),
        ("a/Thunderbird/Inbox", "inbox"),
        ("a/Thunderbird/Inbox/Old", "old"),
        ("a/Maildir", "cur"),
        ("a/Maildir", "new"),
        ("a/Maildir/Entwürfe/2026", "draft"),
    ]);
    assert_eq!(janes(&appliance), expected);
    // Without a Date, when it was delivered is when its Maildir says so.
    let list = appliance.done(&["list", "--user", "jane", "--json"]).lines();
    let cur = list.iter().find(|line| line["subject"] == "cur").expect("it");
    assert_eq!(text(cur, "date"), "1970-01-01T00:00:01Z");
    let full = appliance.done(&["protocols", "1"]).text();
    assert!(
        full.contains(&format!("import of {}", files.path("a").display())),
        "{full}"
    );
}

#[test]
fn formats_and_kinds_can_be_told() {
    let one = format!("{FROM}\n{}\n>>From x\n", to_jane("1"));
    let files = Files::new([("mail/1", &one)]);
    let body = |appliance: &Appliance| String::from_utf8(appliance.raw(1)).expect("text");
    for (options, kept) in [
        (["--mbox", "auto"], "\n\n>From x\n"),
        (["--mbox", "mboxrd"], "\n\n>From x\n"),
        (["--mbox", "mboxo"], "\n\n>>From x\n"),
        (["--mbox", "mboxcl"], "\n\n>>From x\n"),
        (["--mbox", "mboxcl2"], "\n\n>>From x\n"),
        (["--format", "mbox"], "\n\n>From x\n"),
    ] {
        let appliance = appliance();
        import(&appliance, &options, &files.path("mail"), 0);
        let raw = body(&appliance);
        assert!(raw.starts_with("From: a@") && raw.ends_with(kept), "{options:?}: {raw}");
    }
    let as_it_is = appliance();
    import(&as_it_is, &["--format", "eml"], &files.path("mail"), 0);
    assert_eq!(body(&as_it_is), one);
    let run = import(&appliance(), &["--format", "maildir"], &files.path("mail"), 1);
    assert!(text(&run["errors"][0], "error").contains("no Maildir"), "{run:#}");
}

/// So many gigabytes, nearly all of it one message of nothing, which takes no room on the disk.
fn huge(gigabytes: u64) -> Files {
    let files = Files::new([("Inbox", format!("{FROM}\n{}\n{FROM}\nSubject: hole\n\n", to_jane("1")))]);
    let mut file = fs::OpenOptions::new()
        .write(true)
        .open(files.path("Inbox"))
        .expect("the file");
    file.seek(SeekFrom::Start(gigabytes << 30)).expect("seek");
    write!(file, "\n\n{FROM}\n{}\n", to_jane("2")).expect("write");
    files
}

#[test]
fn memory_does_not_grow_with_an_mbox() {
    let files = huge(5);
    let appliance = appliance();
    let path = files.path("Inbox");
    let outcome = appliance.done(&["import", "--profile", PROFILE, "--json", path.to_str().expect("a name")]);
    let run = outcome.json();
    assert_adds_up(&run);
    assert_eq!((number(&run, "archived"), number(&run, "too_large")), (2, 1), "{run:#}");
    assert_eq!(janes(&appliance), pairs(&[("Inbox", "1"), ("Inbox", "2")]));
    assert!(outcome.peak < 100 << 20, "{} bytes of memory", outcome.peak);
}

/// Many small messages, of which a listing notes where they are.
#[test]
fn memory_is_bounded_with_many_messages() {
    let files = Files::new([("Inbox", "")]);
    let mut file = std::io::BufWriter::new(fs::File::create(files.path("Inbox")).expect("the file"));
    for number in 0..100_000 {
        write!(file, "{FROM}\n{}\n", to_jane(&(number % 50).to_string())).expect("write");
    }
    file.into_inner().expect("written");
    let appliance = appliance();
    let path = files.path("Inbox");
    let outcome = appliance.done(&["import", "--profile", PROFILE, "--json", path.to_str().expect("a name")]);
    let run = outcome.json();
    assert_eq!(
        (number(&run, "seen"), number(&run, "archived")),
        (100_000, 50),
        "{run:#}"
    );
    assert!(outcome.peak < 200 << 20, "{} bytes of memory", outcome.peak);
}

/// An import that goes on long enough to meet it.
fn going_on(appliance: &Appliance) -> bool {
    // Before the archive is made, there is nothing to ask.
    let outcome = appliance.run(&["protocols", "--newest", "1", "--json"]);
    outcome.code == Some(0) && outcome.lines().first().is_some_and(|run| run["state"] == "running")
}

fn interrupted_by(signal: Signal, serving: bool) {
    // It is not read to its end, and takes longer than it takes to interrupt it.
    let files = huge(20);
    let appliance = appliance();
    let serving = serving.then(|| appliance.serve());
    let path = files.path("Inbox");
    let arguments = ["import", "--profile", PROFILE, "--json", path.to_str().expect("a name")];
    let running = appliance.start(&arguments);
    assert!(wait_for(SOON, || going_on(&appliance)), "it does not begin");
    let busy = appliance.run(&arguments).expect(1);
    assert!(busy.stderr.contains("already going on"), "{}", busy.stderr);
    running.signal(signal);
    let run = running.wait().expect(130).json();
    assert_adds_up(&run);
    assert_eq!(text(&run, "state"), "interrupted", "{run:#}");
    if let Some(serving) = serving {
        serving.stop().expect(0);
    }
}

#[test]
fn ctrl_c_interrupts_an_import() {
    interrupted_by(Signal::INT, false);
}

#[test]
fn ctrl_c_interrupts_an_import_in_the_appliance() {
    interrupted_by(Signal::TERM, true);
}

#[test]
fn a_running_appliance_imports_and_takes_it_for_no_run_of_its_schedule() {
    let files = Files::new([("mail/1.eml", to_jane("1")), ("mail/2.eml", to_jane("2"))]);
    let appliance = appliance();
    let serving = appliance.serve();
    // From elsewhere, by names of its own.
    let mut command = appliance.command(&["import", "--profile", PROFILE, "--json", "mail/1.eml", "mail/2.eml"]);
    let output = command.current_dir(files.path("")).output().expect("dropkeep");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let run: Value = serde_json::from_slice(&output.stdout).expect("a run");
    assert_eq!(
        run["import"],
        serde_json::json!([files.path("mail/1.eml"), files.path("mail/2.eml")])
    );
    assert_eq!(number(&run, "archived"), 2, "{run:#}");
    assert_eq!(janes(&appliance), pairs(&[("mail", "1"), ("mail", "2")]));

    let says_of_success = |page: &str| {
        let last = |line: &&str| line.starts_with("dropkeep_run_last_success");
        page.lines().filter(last).count()
    };
    let page = serving.get("/metrics").1;
    let counted = format!("dropkeep_runs_total{{profile=\"{PROFILE}\",state=\"completed\"}} 1");
    assert!(page.contains(&counted) && says_of_success(&page) == 0, "{page}");
    serving.stop().expect(0);
    let serving = appliance.serve();
    let page = serving.get("/metrics").1;
    assert!(
        page.contains("dropkeep_runs_total") && says_of_success(&page) == 0,
        "{page}"
    );
    serving.stop().expect(0);
}
