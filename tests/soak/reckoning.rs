//! Once nothing more comes in: what is in the archive, against what was delivered.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use serde_json::Value;

use crate::{
    client::Other,
    ledger::{Ledger, Number},
    mail::CATCHALL,
    site::{MAILBOXES, MOVED, Site},
    support::{
        appliance::{Appliance, assert_adds_up, number, text},
        generator::company,
        wait_for,
    },
};

/// How long the appliance may take to archive what is left, by its schedules alone.
const SETTLED: Duration = Duration::from_secs(300);
/// Protocols that are looked at for the last runs.
const NEWEST: &str = "60";
/// Differences that are shown.
const SHOWN: usize = 20;

/// Waits for what is left after the run `last`, and compares all. Ends the appliance.
pub fn reckon(mut site: Site, mut ledger: Ledger, last: u64) {
    let start = Instant::now();
    let tell = |what: &str| println!("{what} after {:.0?}", start.elapsed());
    wait_for_the_last(&site, last);
    tell("all is archived");
    let users: Vec<String> = company().into_iter().map(|person| person.name).collect();
    let users: Vec<String> = users.into_iter().chain([CATCHALL.to_owned()]).collect();
    let mut differences = Vec::new();
    let mut filings = 0;
    for user in &users {
        let list = site.appliance.done(&["list", "--user", user, "--json"]).lines();
        let has = ledger.learn(user, &list);
        filings += has.len();
        compare(&ledger, user, &has, &mut differences);
    }
    assert_none(&differences);
    assert_emptied(&site, &ledger);
    tell("all archives are compared");
    site.end(Signal::TERM);

    let appliance = &site.appliance;
    let verified = appliance.done(&["verify", "--json"]).json();
    assert_eq!(verified["ok"], true, "{verified:#}");
    tell("verified");
    let exported = exported(appliance, &ledger, &users);
    for (user, has) in &exported {
        compare(&ledger, user, has, &mut differences);
    }
    assert_none(&differences);
    let runs = site.protocols(&[]);
    runs.iter().for_each(assert_adds_up);
    print_runs(&runs);
    print_errors(&runs);
    println!(
        "{} messages came in {} copies, and are {filings} times in the archives of {} users, each exactly once; {} verified",
        ledger.messages.len(),
        ledger.copies,
        users.len(),
        number(&verified, "messages")
    );
}

/// Waits until each profile, by its schedule, has had a whole run after `last`, when nothing came in any more, and what
/// is to be deleted is. So all is archived, and a run more sees nothing.
fn wait_for_the_last(site: &Site, last: u64) {
    let mut runs = Vec::new();
    let mut done = BTreeSet::new();
    let settled = wait_for(SETTLED, || {
        // No more often than a person would ask.
        wait_for(Duration::from_millis(500), || false);
        runs = site.protocols(&["--newest", NEWEST]);
        let whole = |run: &&Value| number(run, "run") > last && text(run, "state") == "completed";
        done.extend(runs.iter().filter(whole).map(|run| text(run, "profile")));
        done.len() == MAILBOXES.len() && left(site).is_empty()
    });
    assert!(
        settled,
        "not all came to an end; not deleted, by mailbox and UID: {:?}\n--- the last runs\n{}\n--- the appliance\n{}",
        left(site),
        runs.iter()
            .take(SHOWN)
            .map(Value::to_string)
            .collect::<Vec<_>>()
            .join("\n"),
        site.tail()
    );
    for mailbox in &MAILBOXES {
        let mut last = None;
        // One of the schedule may be going on.
        wait_for(SETTLED, || {
            let outcome = site.appliance.run(&["archive", mailbox.name, "--json"]);
            let done = outcome.code == Some(0);
            last = Some(outcome);
            done
        });
        let run = last.expect("it ran").expect(0).json();
        assert_eq!(number(&run, "seen"), 0, "a run more saw something: {run:#}");
    }
}

/// What stands in mailboxes and ought to be deleted. Over POP3 there are no flags, so it is all of it.
fn left(site: &Site) -> Vec<(&'static str, u32)> {
    let deleting = MAILBOXES.iter().filter(|mailbox| mailbox.deletes);
    deleting
        .flat_map(|mailbox| {
            let mut client = Other::in_folder(site.server.ports.imap, &mailbox.account(), "INBOX");
            let what = if mailbox.keeps_flagged { "UNFLAGGED" } else { "ALL" };
            client.search(what).into_iter().map(|uid| (mailbox.name, uid))
        })
        .collect()
}

fn compare(ledger: &Ledger, user: &str, has: &BTreeSet<Number>, differences: &mut Vec<String>) {
    let due = ledger.due(user);
    let told = |number: &Number| {
        let message = &ledger.messages[*number];
        format!(
            "{}, which came in as {:?}, for {:?}",
            message.id, message.places, message.users
        )
    };
    let missing = due.difference(has);
    differences.extend(missing.map(|number| format!("{user} lacks {}", told(number))));
    let more = has.difference(&due);
    differences.extend(more.map(|number| format!("{user} has, and should not, {}", told(number))));
}

fn assert_none(differences: &[String]) {
    let shown = &differences[..differences.len().min(SHOWN)];
    assert!(
        differences.is_empty(),
        "{} differences:\n{}",
        differences.len(),
        shown.join("\n")
    );
}

/// The mailbox from which mail is moved has what was flagged, and the rest is where it was moved to.
fn assert_emptied(site: &Site, ledger: &Ledger) {
    for (&nth, came_in) in &ledger.emptied {
        let mailbox = &MAILBOXES[nth];
        if !mailbox.keeps_flagged {
            continue;
        }
        let in_folder = |folder: &str| {
            let mut client = Other::in_folder(site.server.ports.imap, &mailbox.account(), folder);
            let lines = client.headers();
            let numbers = lines.iter().filter_map(|header| message_id(header.as_bytes()));
            numbers
                .map(|id| {
                    *ledger
                        .by_id
                        .get(&id)
                        .unwrap_or_else(|| panic!("{id} in {folder} was never delivered"))
                })
                .collect::<BTreeSet<_>>()
        };
        let (stayed, moved) = (in_folder("INBOX"), in_folder(MOVED));
        let gone: Vec<_> = ledger.flagged.difference(&stayed).collect();
        assert!(
            gone.is_empty(),
            "flagged mail is no longer there: {}",
            told(ledger, &gone)
        );
        let lost: Vec<_> = came_in
            .iter()
            .filter(|number| !stayed.contains(number) && !moved.contains(number))
            .collect();
        assert!(lost.is_empty(), "neither there nor in {MOVED}: {}", told(ledger, &lost));
        println!(
            "{}: {} stayed, flagged; {} are in {MOVED}",
            mailbox.name,
            stayed.len(),
            moved.len()
        );
    }
}

fn told(ledger: &Ledger, numbers: &[&Number]) -> String {
    let shown = numbers.iter().take(SHOWN);
    let shown = shown.map(|&&number| format!("{} {:?}", ledger.messages[number].id, ledger.messages[number].places));
    shown.collect::<Vec<_>>().join("\n")
}

/// Everyone's messages by the Message-ID in what `export` wrote.
fn exported(appliance: &Appliance, ledger: &Ledger, users: &[String]) -> BTreeMap<String, BTreeSet<Number>> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("out");
    appliance.done(&["export", out.to_str().expect("a path in UTF-8"), "--json"]);
    let mut exported = BTreeMap::new();
    for user in users {
        let mut has = BTreeSet::new();
        each_file(&out.join(user), &mut |path| {
            let bytes = fs::read(path).expect("an exported file");
            let id = message_id(&bytes).unwrap_or_else(|| panic!("{} has no Message-ID", path.display()));
            let number = *ledger
                .by_id
                .get(&id)
                .unwrap_or_else(|| panic!("{id} was never delivered"));
            assert!(has.insert(number), "{user} has {id} twice in the export");
        });
        exported.insert(user.clone(), has);
    }
    exported
}

fn each_file(folder: &Path, each: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            each_file(&path, each);
        } else if path.extension().is_some_and(|extension| extension == "eml") {
            each(&path);
        }
    }
}

/// The Message-ID in a header, which the test writes into one line.
fn message_id(message: &[u8]) -> Option<String> {
    let lines = message.split(|&byte| byte == b'\n');
    let header = lines.map(<[u8]>::trim_ascii_end).take_while(|line| !line.is_empty());
    let mut ids = header.filter_map(|line| line.strip_prefix(b"Message-ID: "));
    ids.next().map(|id| String::from_utf8_lossy(id).into_owned())
}

/// How the runs of each profile ended, and what they did.
fn print_runs(runs: &[Value]) {
    println!(
        "profile         runs  completed  with errors  failed  interrupted  archived  duplicates  vanished  failed copies  deleted"
    );
    for mailbox in &MAILBOXES {
        let own: Vec<_> = runs.iter().filter(|run| run["profile"] == mailbox.name).collect();
        let ended = |state: &str| own.iter().filter(|run| run["state"] == state).count();
        let sum = |field: &str| own.iter().map(|run| number(run, field)).sum::<u64>();
        println!(
            "{:<14}  {:>4}  {:>9}  {:>11}  {:>6}  {:>11}  {:>8}  {:>10}  {:>8}  {:>13}  {:>7}",
            mailbox.name,
            own.len(),
            ended("completed"),
            ended("completed_with_errors"),
            ended("failed"),
            ended("interrupted"),
            sum("archived"),
            sum("duplicates"),
            sum("vanished"),
            sum("failed"),
            sum("deleted")
        );
    }
}

/// What went wrong in runs, and how often, numbers aside: the most frequent first.
fn print_errors(runs: &[Value]) {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for error in runs.iter().filter_map(|run| run["errors"].as_array()).flatten() {
        let told = format!("{}: {}", text(error, "stage"), text(error, "error"));
        let told = told.split(|c: char| c.is_ascii_digit()).filter(|part| !part.is_empty());
        *counts.entry(told.collect::<Vec<_>>().join("#")).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| Reverse(*count));
    for (told, count) in counts.iter().take(SHOWN) {
        println!("{count:>6} × {told}");
    }
}
