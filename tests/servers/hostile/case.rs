//! What a case is, and what is demanded of each.
//!
//! The first run meets the server as it misbehaves, the second the same mailbox well kept, and the third must find
//! nothing left to do.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::Value;

use crate::{
    mailserver::{Fault, Mailbox, PASSWORD, Protocol, Server},
    support::{
        appliance::{Appliance, PROFILE, Profile, assert_adds_up, number, text},
        cases::{panic_of, side_by_side},
        identity::sha256,
        running::Outcome,
    },
};

/// No run may take longer, however the server behaves: reconnecting included.
const DEADLINE: Duration = Duration::from_secs(200);

/// Cases played at once. They wait more than they work.
pub const AT_ONCE: usize = 6;

pub const JANE: &str = "jane";
pub const JOHN: &str = "john";

/// How the first run must end.
#[derive(Clone, Debug)]
pub enum Ends {
    /// Exit 0: all that stood in the mailbox is archived.
    Well,
    /// Exit 1: these copies failed, by the ids of their messages, and all others are archived.
    Failed(&'static [u32]),
    /// The connection was of no more use, and another one made it good: exit 0, and all is archived.
    Mended,
    /// Exit 1, though all that stood in the mailbox is archived.
    Incomplete,
    /// Exit 1: the folder could not be archived.
    Never,
    /// Exit 3: the source could not be reached.
    Unreachable,
}

/// One way in which a server misbehaves.
pub struct Case {
    what: &'static str,
    /// Servers and versions known to do so.
    known: &'static str,
    protocol: Protocol,
    faults: Vec<Fault>,
    /// Makes the mailbox strange before the first run; it is healed before the second.
    strange: Option<fn(&mut Mailbox)>,
    capabilities: Option<&'static [&'static str]>,
    timeout: &'static str,
    ends: Ends,
    says: &'static [&'static str],
    /// Messages that are gone, or not to be seen, when the first run asks for them.
    absent: &'static [u32],
}

pub fn imap(what: &'static str) -> Case {
    Case::new(Protocol::Imap, what)
}

pub fn pop3(what: &'static str) -> Case {
    Case::new(Protocol::Pop3, what)
}

impl Case {
    fn new(protocol: Protocol, what: &'static str) -> Self {
        Self {
            what,
            known: "",
            protocol,
            faults: Vec::new(),
            strange: None,
            capabilities: None,
            timeout: "30s",
            ends: Ends::Well,
            says: &[],
            absent: &[],
        }
    }

    /// Who does so.
    pub fn known(mut self, known: &'static str) -> Self {
        self.known = known;
        self
    }

    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    pub fn strange(mut self, strange: fn(&mut Mailbox)) -> Self {
        self.strange = Some(strange);
        self
    }

    pub fn capabilities(mut self, capabilities: &'static [&'static str]) -> Self {
        self.capabilities = Some(capabilities);
        self
    }

    /// The server falls silent, so the client's time-out is short.
    pub fn silent(mut self) -> Self {
        self.timeout = "2s";
        self
    }

    /// How the first run ends, and what its errors say.
    pub fn ends(mut self, ends: Ends, says: &'static [&'static str]) -> Self {
        self.ends = ends;
        self.says = says;
        self
    }

    pub fn absent(mut self, ids: &'static [u32]) -> Self {
        self.absent = ids;
        self
    }

    fn play(self) {
        let server = Server::start(self.protocol, mailbox());
        if let Some(strange) = self.strange {
            server.mailbox(strange);
        }
        if let Some(capabilities) = self.capabilities {
            server.capabilities(capabilities);
        }
        let mut held = Held::default();
        held.remember(&server, self.protocol);
        server.misbehave(self.faults.clone());
        let appliance = appliance(self.protocol, server.port, self.timeout);

        let outcome = archive(&appliance);
        held.remember(&server, self.protocol);
        assert!(server.played(), "the fault was never met; heard {:#?}", server.heard());
        let code = outcome.code;
        let run = run_of(&appliance, outcome);
        let errors = run["errors"].to_string();
        assert_errors_speak(&run);
        match &self.ends {
            Ends::Well | Ends::Mended => assert_eq!(code, Some(0), "{run:#}"),
            Ends::Failed(ids) => {
                assert_eq!(code, Some(1), "{run:#}");
                assert_eq!(number(&run, "failed"), ids.len() as u64, "{run:#}");
                for id in *ids {
                    let name = server.mailbox(|mailbox| {
                        let message = mailbox.message(*id);
                        match self.protocol {
                            Protocol::Imap => format!("UID {}", message.uid),
                            Protocol::Pop3 => message.uidl.clone(),
                        }
                    });
                    assert!(errors.contains(&name), "{name} is not named: {errors}");
                }
            }
            Ends::Incomplete | Ends::Never => assert_eq!(code, Some(1), "{run:#}"),
            Ends::Unreachable => assert_eq!(code, Some(3), "{run:#}"),
        }
        if matches!(self.ends, Ends::Mended) {
            assert!(server.connections() > 1, "nothing was to be mended: {run:#}");
        } else {
            for words in self.says {
                assert!(
                    errors.to_lowercase().contains(&words.to_lowercase()),
                    "no {words:?} in {errors}"
                );
            }
        }
        let kept = Kept::of(&appliance);
        held.assert_unaltered(&kept);
        let missing: Vec<u32> = match (&self.ends, code) {
            (Ends::Incomplete, _) | (_, Some(0)) => self.absent.to_vec(),
            (Ends::Failed(ids), _) => ids.to_vec(),
            _ => held.of_each_user.keys().copied().collect(),
        };
        held.assert_complete(&kept, &missing);

        // The same mailbox, well kept.
        server.behave();
        server.mailbox(heal);
        held.remember(&server, self.protocol);
        let outcome = archive(&appliance).expect(0);
        run_of(&appliance, outcome);
        let kept = Kept::of(&appliance);
        held.assert_unaltered(&kept);
        let gone = held.gone(&server);
        held.assert_complete(&kept, &gone);
        for (id, digest) in &kept.ids {
            assert_eq!(sha256(&appliance.raw(*id)), *digest, "raw {id}");
        }
        let third = archive(&appliance).expect(0);
        assert_eq!(number(&run_of(&appliance, third), "seen"), 0);
    }
}

/// Plays all cases, several at a time, and says which of them failed and why.
pub fn play(cases: Vec<Case>) {
    let names: BTreeSet<_> = cases.iter().map(|case| case.what).collect();
    assert_eq!(names.len(), cases.len(), "each case has a name of its own");
    let only = std::env::var("HOSTILE").unwrap_or_default();
    let cases = cases.into_iter().filter(|case| case.what.contains(&only));
    let played = side_by_side(cases, AT_ONCE, |case| {
        let (what, known) = (case.what, case.known);
        panic_of(|| case.play()).map(|why| format!("{what} ({known}): {why}"))
    });
    let count = played.len();
    let failed: Vec<String> = played.into_iter().flatten().collect();
    assert!(
        failed.is_empty(),
        "{} of {count} cases:\n\n{}",
        failed.len(),
        failed.join("\n\n")
    );
}

/// Seven messages: 1, 3, 5 and 7 for Jane; 2, 4 and 6 for John; 6 and 7 for both.
pub fn mailbox() -> Mailbox {
    Mailbox::with((1..=7).map(|number| message(number, 5 * number as usize)))
}

/// A message with what servers stumble over: dots at line starts, eight bits, a long line, a backslash, braces.
pub fn message(number: u32, lines: usize) -> Vec<u8> {
    let to = match number {
        6 | 7 => "jane@example.com, john@example.com",
        odd if odd % 2 == 1 => "jane@example.com",
        _ => "john@example.com",
    };
    let filler = "The quick brown fox jumps over the lazy dog, again and again.\r\n".repeat(lines);
    let long = "x".repeat(1200);
    let text = format!(
        "Return-Path: <a@sender.example>\r\nReceived: from sender.example by mail.example.com; \
         Mon, 1 Jul 2024 10:00:0{number} +0000\r\nDate: Mon, 1 Jul 2024 10:00:0{number} +0000\r\n\
         From: a@sender.example\r\nTo: {to}\r\nSubject: number {number}\r\n\
         Message-ID: <{number}@sender.example>\r\n\r\n.\r\n..\r\n.dot\r\n\\ {{12}}\r\n) * 3 FETCH (UID 1)\r\n\
         Gr\u{fc}\u{df}e\r\n{long}\r\n{filler}end {number}\r\n"
    );
    text.into_bytes()
}

/// Makes of a strange mailbox an honest one. Messages keep their UIDs; odd UIDLs become good ones.
fn heal(mailbox: &mut Mailbox) {
    for folder in &mut mailbox.folders {
        let mut seen = BTreeSet::new();
        for message in &mut folder.messages {
            message.claimed = None;
            let odd = message.uidl.is_empty() || message.uidl.contains(' ') || message.uidl.len() > 70;
            if odd || !seen.insert(message.uidl.clone()) {
                message.uidl = format!("healed-{}", message.id);
                seen.insert(message.uidl.clone());
            }
        }
    }
}

pub fn appliance(protocol: Protocol, port: u16, timeout: &str) -> Appliance {
    appliance_of(profile(protocol, port, timeout))
}

pub fn profile(protocol: Protocol, port: u16, timeout: &str) -> Profile {
    Profile {
        access: protocol.access().into(),
        host: "127.0.0.1".into(),
        port,
        password: PASSWORD.into(),
        timeout: timeout.into(),
        tls: "{}".into(),
        recipients: "own_addresses = [\"all@example.com\"]\nlocal_domains = [\"example.com\"]\n".into(),
    }
}

pub fn appliance_of(profile: Profile) -> Appliance {
    appliance_with(profile, "")
}

/// With more sections of the profile.
pub fn appliance_with(profile: Profile, sections: &str) -> Appliance {
    let folders = "[profile.folders]\ninclude = [\"INBOX\"]\n";
    let users = [JANE, JOHN].map(|name| format!("[[user]]\nname = \"{name}\"\naddresses = [\"{name}@example.com\"]\n"));
    Appliance::new(
        env!("CARGO_BIN_EXE_dropkeep"),
        &(users.concat() + &profile.toml() + folders + sections),
    )
}

/// One run, which must end, without a panic and without a word of the password.
pub fn archive(appliance: &Appliance) -> Outcome {
    let outcome = appliance.run(&["archive", PROFILE, "--json"]);
    assert!(outcome.took < DEADLINE, "it took {:?}", outcome.took);
    assert!(!outcome.stderr.contains("panicked"), "{}", outcome.stderr);
    let said = outcome.text() + &outcome.stderr;
    assert!(!said.contains(PASSWORD), "the password is shown: {said}");
    outcome
}

/// The protocol of the run, whose counts add up.
pub fn run_of(appliance: &Appliance, outcome: Outcome) -> Value {
    let run = match outcome.stdout.is_empty() {
        false => outcome.json(),
        true => {
            let newest = appliance.done(&["protocols", "--json"]).lines();
            let newest = number(newest.first().expect("a protocol"), "run").to_string();
            appliance.done(&["protocols", &newest, "--json"]).json()
        }
    };
    assert_adds_up(&run);
    let state = text(&run, "state");
    let fitting: &[&str] = match outcome.code {
        Some(0) => &["completed"],
        Some(1) => &["completed_with_errors"],
        Some(3) => &["failed"],
        code => panic!("exit {code:?}: {run:#}\n{}", outcome.stderr),
    };
    assert!(
        fitting.contains(&state.as_str()),
        "{state} with exit {:?}",
        outcome.code
    );
    run
}

/// Each error says where, in which stage, and what happened.
fn assert_errors_speak(run: &Value) {
    let errors = run["errors"].as_array().expect("errors");
    if text(run, "state") != "completed" {
        assert!(!errors.is_empty(), "it did not go well, and nothing says why: {run:#}");
    }
    for error in errors {
        assert!(
            !text(error, "stage").is_empty() && text(error, "error").len() > 5,
            "{error}"
        );
        // What is wrong with one copy names it; what is wrong with the connection has none.
        if ["fetch", "size"].contains(&text(error, "stage").as_str()) {
            assert_eq!(text(error, "folder"), "INBOX", "{error}");
            assert!(!text(error, "copy").is_empty(), "{error}");
        }
    }
}

/// What the server held at any time, as digests: by message, and who must have it.
#[derive(Default)]
pub struct Held {
    of_each_user: BTreeMap<u32, (BTreeSet<String>, Vec<&'static str>)>,
}

impl Held {
    pub fn remember(&mut self, server: &Server, protocol: Protocol) {
        server.mailbox(|mailbox| {
            for message in mailbox.messages() {
                let mut bytes = message.bytes.clone();
                if protocol == Protocol::Pop3 && !bytes.is_empty() && !bytes.ends_with(b"\r\n") {
                    bytes.extend_from_slice(b"\r\n");
                }
                let has = |name: &str| memchr::memmem::find(&bytes, format!("{name}@example.com").as_bytes()).is_some();
                // Without fields nobody is named: a bare CR ends none.
                let text = &message.bytes;
                let fields = text.len() > 2 && (text.contains(&b'\n') || !text.contains(&b'\r'));
                let users = match fields {
                    true => [JANE, JOHN].into_iter().filter(|name| has(name)).collect(),
                    false => vec!["@catchall"],
                };
                let entry = self.of_each_user.entry(message.id).or_insert((BTreeSet::new(), users));
                entry.0.insert(sha256(&bytes));
            }
        });
    }

    /// Whatever is archived is, byte for byte, what the server held.
    pub fn assert_unaltered(&self, kept: &Kept) {
        for (user, digests) in &kept.of_each_user {
            for digest in digests {
                let held = self
                    .of_each_user
                    .iter()
                    .any(|(_, (bytes, users))| bytes.contains(digest) && users.contains(&user.as_str()));
                assert!(
                    held,
                    "{user} has what the server never held, or held for others: {kept:?}"
                );
            }
        }
    }

    /// Every message is in the archive of each of its users once; those `but` may be in none.
    pub fn assert_complete(&self, kept: &Kept, but: &[u32]) {
        for (id, (digests, users)) in &self.of_each_user {
            for user in users {
                let of_user = kept.of_each_user.get(*user).map(Vec::as_slice).unwrap_or_default();
                let times = of_user.iter().filter(|digest| digests.contains(*digest)).count();
                let fits = times == 1 || (times == 0 && but.contains(id));
                assert!(fits, "{user} has message {id} {times} times: {kept:?}");
            }
        }
    }

    /// The messages that the server no longer has.
    pub fn gone(&self, server: &Server) -> Vec<u32> {
        let standing: BTreeSet<u32> = server.mailbox(|mailbox| mailbox.messages().map(|one| one.id).collect());
        self.of_each_user
            .keys()
            .copied()
            .filter(|id| !standing.contains(id))
            .collect()
    }
}

/// What is in the archives.
#[derive(Debug)]
pub struct Kept {
    of_each_user: BTreeMap<String, Vec<String>>,
    /// SHA-256 by message number.
    pub ids: BTreeMap<u64, String>,
}

impl Kept {
    pub fn of(appliance: &Appliance) -> Self {
        let mut kept = Self {
            of_each_user: BTreeMap::new(),
            ids: BTreeMap::new(),
        };
        for (user, lines) in appliance.lists() {
            for line in lines {
                let digest = text(&line, "sha256");
                kept.ids.insert(number(&line, "id"), digest.clone());
                kept.of_each_user.entry(user.clone()).or_default().push(digest);
            }
        }
        kept
    }
}
