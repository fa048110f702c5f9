//! What an archive holds, and a step that is broken off.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::Path,
    process::Command,
};

use dropkeep::{
    archive::{Direction, GroupNumber, MessageId, Page, Store},
    config::Config,
    fault::{POINTS, Stage},
    report::{Run, RunState},
};
use serde_json::Value;

use crate::crash::support::{
    appliance::{Appliance, PROFILE, assert_adds_up, number},
    generator::{Business, Mailbox, SEED, Settings},
    identity::identity,
    running::{Outcome, Running},
};

/// How a step is broken off.
pub const KINDS: [&str; 3] = ["error", "panic", "abort"];

/// What an archive holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Messages kept, and their bytes.
    pub totals: (u64, u64),
    /// User and SHA-256 → how often it is filed.
    pub filings: BTreeMap<(String, [u8; 32]), usize>,
}

/// What the appliance's archive holds. No run is left open in it.
pub fn held(appliance: &Appliance) -> Held {
    held_in(appliance, &appliance.data())
}

/// The same of another data directory.
pub fn held_in(appliance: &Appliance, data: &Path) -> Held {
    let mut config = Config::load(&appliance.config()).expect("a configuration");
    config.data_dir = data.to_owned();
    let store = Store::open_for_reading(&config).expect("a store");
    for (number, json) in store.runs(None, 1000).expect("the runs") {
        let run: Run = serde_json::from_str(&json).expect("a protocol");
        assert!(run.state != RunState::Running, "run {number} is left open: {json}");
    }
    let mut filings = BTreeMap::new();
    for (id, user, _) in store.users().expect("the users") {
        for entry in store.all_filings(id, Page::first(Direction::Up)) {
            let entry = entry.expect("a user's messages");
            *filings.entry((user.name.clone(), entry.message.sha256)).or_default() += 1;
        }
    }
    assert_eq!(in_the_ledger(&store), filings, "the ledger and the filings differ");
    Held {
        totals: store.totals().expect("the totals"),
        filings,
    }
}

/// The filings that the ledger has, as [`Held`] has them; its groups have each message once.
fn in_the_ledger(store: &Store) -> BTreeMap<(String, [u8; 32]), usize> {
    let users = store.users().expect("the users").into_iter();
    let names: HashMap<_, _> = users.map(|(id, user, _)| (id, user.name)).collect();
    let (mut filings, mut next, mut group) = (BTreeMap::new(), MessageId(1), GroupNumber(1));
    for (number, row) in store.ledger_from(group, usize::MAX).expect("the ledger") {
        assert_eq!(
            (number, row.group.first),
            (group, next),
            "a row of the ledger is missing"
        );
        (group, next) = (number.next(), row.group.next());
        for (id, user) in row.group.filings.pairs().expect("filings") {
            let message = store.message(id).expect("a message").expect("it is there");
            *filings.entry((names[&user].clone(), message.sha256)).or_default() += 1;
        }
    }
    let messages = store.totals().expect("the totals").0;
    assert_eq!(next, MessageId(messages + 1), "the ledger has other messages");
    filings
}

/// Mail of which no two messages count as one but some that are there twice: whichever copy is first, the archive is
/// the same. With attachments, large ones among them.
pub fn mailbox(plain: usize, large: usize) -> Vec<Vec<u8>> {
    let settings = Settings {
        people: 5,
        ..Settings::messages(plain)
    };
    let mut seen = HashSet::new();
    let mut messages: Vec<Vec<u8>> = Mailbox::new(settings).chain(Business::new(large, SEED)).collect();
    messages.retain(|message| seen.insert(identity(message)));
    let again: Vec<_> = messages.iter().step_by(29).cloned().collect();
    messages.extend(again);
    messages
}

/// The points of these stages.
pub fn points_of(stages: &[Stage]) -> Vec<(&'static str, Stage)> {
    let points = POINTS.iter().copied();
    points.filter(|(_, stage)| stages.contains(stage)).collect()
}

/// A command that is broken off at a point, which must be reached.
pub fn broken_off(command: Command, point: &str, kind: &str, nth: u64) -> Outcome {
    let outcome = attempt(command, point, kind, nth);
    let reached = format!("fault point {point} is reached");
    assert!(
        outcome.stderr.contains(&reached),
        "{point}:{kind}:{nth} is never reached by {}, which ended with {:?}:\n{}\n{}",
        outcome.arguments,
        outcome.code,
        outcome.text(),
        outcome.stderr
    );
    outcome
}

/// The same where it may not be reached.
pub fn attempt(mut command: Command, point: &str, kind: &str, nth: u64) -> Outcome {
    command.env("DROPKEEP_FAULT", format!("{point}:{kind}:{nth}"));
    let arguments: Vec<_> = command
        .get_args()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let outcome = Running::start(command, &arguments).wait();
    let said = format!("{point}:{kind}:{nth}: {}", outcome.stderr);
    assert_eq!(outcome.code.is_none(), kind == "abort", "{said}");
    assert_eq!(outcome.stderr.contains("panicked at"), kind == "panic", "{said}");
    // The words of a panic may be mail.
    assert!(kind != "panic" || !outcome.stderr.contains("was chosen"), "{said}");
    outcome
}

/// Refuses any other exit code; an abort has none.
pub fn assert_ends_with(outcome: &Outcome, codes: &[i32], what: &str) {
    if let Some(code) = outcome.code {
        assert!(
            codes.contains(&code),
            "{what}: exit code {code}, not {codes:?}:\n{}\n{}",
            outcome.text(),
            outcome.stderr
        );
    }
}

/// Archives what is left, finds that nothing is left then, and that the archive is whole.
pub fn resume(appliance: &Appliance, what: &str) -> Held {
    let resumed = appliance.run(&["archive", PROFILE, "--json"]);
    assert_eq!(resumed.code, Some(0), "{what}: {}\n{}", resumed.text(), resumed.stderr);
    assert_adds_up(&resumed.json());
    let idle = appliance.done(&["archive", PROFILE, "--json"]).json();
    assert_eq!(number(&idle, "seen"), 0, "{what}: {idle:#}");
    assert_whole(appliance.command(&["verify", "--json"]), what);
    held(appliance)
}

/// `verify` finds nothing.
pub fn assert_whole(mut verify: Command, what: &str) {
    let outcome = verify.output().expect("verify");
    let said: Value = serde_json::from_slice(&outcome.stdout).unwrap_or_default();
    assert!(
        outcome.status.success() && said["ok"] == true,
        "{what}: {said:#}\n{}",
        String::from_utf8_lossy(&outcome.stderr)
    );
}

/// Copies a folder with all that is in it.
pub fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(copied.expect("cp").success(), "{} to {}", from.display(), to.display());
}
