//! One history: what happens to a mailbox, and what must be true all the while.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::{Value, json};

use crate::{
    mailserver::{Folder, Mailbox, PASSWORD, Protocol, Server, at},
    support::{PATIENCE, appliance::Appliance, control, identity::sha256, running::Serving, wait_for},
};

/// Steps of a history.
const STEPS: u64 = 14;

/// An appliance with a profile, a mailbox and a user for each history.
pub struct World {
    appliance: Appliance,
    _serving: Serving,
    protocol: Protocol,
    servers: HashMap<u64, Server>,
}

impl World {
    pub fn new(protocol: Protocol, seeds: &[u64]) -> Self {
        let mut servers = HashMap::new();
        let mut text = String::new();
        for seed in seeds {
            let server = Server::start(protocol, Mailbox::default());
            text += &format!(
                "[[user]]\nname = \"u{seed}\"\naddresses = [\"u{seed}@example.com\"]\n[[profile]]\nname = \"p{seed}\"\n\
                 recheck = \"1s\"\n[profile.server]\naccess = \"{}\"\nhost = \"localhost\"\nport = {}\nusername = \"all\"\n\
                 password = \"{PASSWORD}\"\n[profile.recipients]\nsenders = false\n[profile.delete]\nwhen = \"archived\"\n",
                protocol.access(),
                server.port
            );
            servers.insert(*seed, server);
        }
        let other = std::env::var_os("DROPKEEP_UNDER_TEST").map(PathBuf::from);
        if other.is_some() {
            text = text.replace("recheck = \"1s\"\n", "");
        }
        let binary = other.unwrap_or_else(|| env!("CARGO_BIN_EXE_dropkeep").into());
        let appliance = Appliance::new(binary, &text);
        let serving = appliance.serve();
        Self {
            appliance,
            _serving: serving,
            protocol,
            servers,
        }
    }

    /// Plays a history.
    ///
    /// # Panics
    /// A message was lost.
    pub fn play(&mut self, seed: u64) {
        let mut history = History {
            world: self,
            server: &self.servers[&seed],
            seed,
            dice: Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5bf0_3635),
            came: BTreeMap::new(),
            gone: HashSet::new(),
            backup: None,
            told: Vec::new(),
            count: 0,
        };
        history.deliver(3);
        history.run();
        for _ in 0..STEPS {
            history.step();
        }
        history.heal();
        // Nothing is wrong any more, so all that stands there is archived, at the latest when the time of the re-check
        // has come.
        let mut left = Vec::new();
        wait_for(PATIENCE, || {
            history.run();
            history.check();
            let archived = history.archived();
            let standing = history.standing().into_iter();
            left = standing
                .filter(|(_, sha)| !archived.contains(sha))
                .map(|(number, _)| number)
                .collect();
            left.is_empty()
        });
        assert!(
            left.is_empty(),
            "{left:?} are never archived\n{}",
            history.told.join("\n")
        );
    }
}

/// Numbers that are the same for the same seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % most
    }
}

struct History<'w> {
    world: &'w World,
    server: &'w Server,
    seed: u64,
    dice: Dice,
    /// SHA-256 of each message that ever came, by its number.
    came: BTreeMap<String, u32>,
    /// Those that somebody else took away before they were archived.
    gone: HashSet<String>,
    backup: Option<Folder>,
    told: Vec<String>,
    count: u32,
}

impl History<'_> {
    fn step(&mut self) {
        match self.dice.below(10) {
            0 | 1 => {
                let many = self.dice.below(3) + 1;
                self.deliver(many);
            }
            2 => {
                self.backup = Some(self.server.mailbox(|mailbox| mailbox.inbox().clone()));
                self.told.push("backup".into());
            }
            3 => self.restore(),
            4 => self.renumber(),
            5 => self.reuse(),
            6 => self.truncate(),
            7 if self.dice.below(2) == 0 => self.another_client_deletes(),
            7 => self.reuse_during_the_next_run(),
            _ => self.run(),
        }
        self.check();
    }

    fn deliver(&mut self, many: u64) {
        for _ in 0..many {
            let message = self.message();
            self.server.mailbox(|mailbox| {
                mailbox.deliver(message);
            });
        }
    }

    /// A message that none was before, of one of a few sizes.
    fn message(&mut self) -> Vec<u8> {
        self.count += 1;
        let body = "some words\r\n".repeat(self.dice.below(3) as usize * 20);
        let (seed, number) = (self.seed, self.count);
        let message = format!(
            "From: out@elsewhere.example\r\nTo: u{seed}@example.com\r\nSubject: message {number:06}\r\n\
             Message-ID: <{seed:06}.{number:06}@elsewhere.example>\r\n\r\n{body}number {number:06}\r\n"
        );
        self.came.insert(sha256(message.as_bytes()), number);
        self.told.push(format!("message {number} comes"));
        message.into_bytes()
    }

    /// The mailbox is put back as it was, with its UIDVALIDITY.
    fn restore(&mut self) {
        let Some(backup) = self.backup.clone() else { return };
        self.told.push("restored".into());
        self.others_change(|folder, _| *folder = backup.clone());
    }

    /// All messages get new names, from the beginning; with the same UIDVALIDITY, or another one.
    fn renumber(&mut self) {
        let properly = self.dice.below(2) == 0;
        self.told.push(format!("renumbered, properly: {properly}"));
        self.others_change(|folder, _| {
            folder.renumber();
            folder.uidvalidity -= u32::from(!properly);
            for message in &mut folder.messages {
                message.uidl = format!("{:08x}{:08x}", folder.uidvalidity, message.uid);
            }
        });
    }

    /// A message goes, and another one has its name.
    fn reuse(&mut self) {
        let message = self.message();
        let dice = self.dice.below(u64::MAX);
        self.told.push("under the name of another".into());
        self.others_change(move |folder, next| {
            if folder.messages.is_empty() {
                return;
            }
            let at = (dice % folder.messages.len() as u64) as usize;
            let old = &mut folder.messages[at];
            (old.bytes, old.id) = (message.clone(), next);
            old.flags.clear();
        });
        // There may have been none.
        self.forget_what_never_came();
    }

    /// Between the archiving and the deletion of the next run, a message goes, and another one has its name.
    fn reuse_during_the_next_run(&mut self) {
        let standing = self.standing();
        if standing.is_empty() {
            return;
        }
        let (number, old) = standing[self.dice.below(standing.len() as u64) as usize].clone();
        let message = self.message();
        let new = sha256(&message);
        self.told.push(format!(
            "during the next run, {number} gives its name to the one that comes"
        ));
        let (taken, next) = (old.clone(), 1_000_000 + self.count);
        let swapped = Arc::new(AtomicBool::new(false));
        let happened = swapped.clone();
        let swap = move |mailbox: &mut Mailbox| {
            for one in &mut mailbox.inbox().messages {
                if sha256(&one.bytes) == taken {
                    (one.bytes, one.id) = (message.clone(), next);
                    one.flags.clear();
                    swapped.store(true, Ordering::SeqCst);
                }
            }
        };
        // When the folder is opened for deletion.
        self.server.misbehave(vec![at("SELECT").once().meanwhile(swap)]);
        self.run();
        if !happened.load(Ordering::SeqCst) {
            self.came.remove(&new);
        } else if !self.archived().contains(&old) {
            self.gone.insert(old);
        }
    }

    /// The next run gets nothing of a message, or half of it, once or as often as it asks.
    fn truncate(&mut self) {
        let standing = self.standing();
        if standing.is_empty() {
            return;
        }
        let number = standing[self.dice.below(standing.len() as u64) as usize].0;
        let id = self.server.mailbox(|mailbox| {
            let words = format!("Subject: message {number:06}");
            let found = mailbox
                .messages()
                .find(|one| memchr::memmem::find(&one.bytes, words.as_bytes()).is_some());
            found.map(|one| one.id)
        });
        let Some(id) = id else { return };
        let (empty, always) = (self.dice.below(2) == 0, self.dice.below(2) == 0);
        self.told
            .push(format!("message {number} is cut, empty: {empty}, always: {always}"));
        let protocol = self.world.protocol;
        let command = match protocol {
            Protocol::Imap => "FETCH BODY",
            Protocol::Pop3 => "RETR",
        };
        let fault = at(command)
            .message(id)
            .change(move |answer| cut(protocol, &answer, empty));
        self.server.misbehave(vec![if always { fault } else { fault.once() }]);
    }

    fn another_client_deletes(&mut self) {
        let dice = self.dice.below(u64::MAX);
        self.told.push("another client deletes one".into());
        self.others_change(|folder, _| {
            if !folder.messages.is_empty() {
                folder.messages.remove((dice % folder.messages.len() as u64) as usize);
            }
        });
    }

    /// What somebody else does to the folder; the number is an id that is free.
    fn others_change(&mut self, change: impl FnOnce(&mut Folder, u32)) {
        let before = self.standing();
        self.server.mailbox(|mailbox| {
            let next = 1_000_000 + self.count;
            change(mailbox.inbox(), next);
        });
        let after: HashSet<String> = self.standing().into_iter().map(|(_, sha)| sha).collect();
        let archived = self.archived();
        let lost = before
            .into_iter()
            .map(|(_, sha)| sha)
            .filter(|sha| !after.contains(sha) && !archived.contains(sha));
        self.gone.extend(lost);
    }

    fn forget_what_never_came(&mut self) {
        let standing: HashSet<String> = self.standing().into_iter().map(|(_, sha)| sha).collect();
        let newest = self.count;
        self.came
            .retain(|sha, number| *number != newest || standing.contains(sha));
    }

    fn heal(&mut self) {
        self.server.misbehave(Vec::new());
    }

    /// A run, after which the server is well again.
    fn run(&mut self) {
        let replies = self.ask(&json!({"archive": {"profile": format!("p{}", self.seed)}}));
        let finished = replies.iter().find_map(|reply| reply.get("finished"));
        let run = finished.unwrap_or_else(|| panic!("no run: {replies:?}"))["run"].clone();
        let counts = ["seen", "archived", "duplicates", "failed", "deleted", "reopened"].map(|name| run[name].clone());
        self.told
            .push(format!("run: {counts:?} {} {}", run["errors"], run["notices"]));
        self.heal();
    }

    fn ask(&self, request: &Value) -> Vec<Value> {
        control::ask(&self.world.appliance.data(), request).expect("the appliance")
    }

    /// SHA-256 of what is in the archive.
    fn archived(&self) -> HashSet<String> {
        let list = |user: &str| self.ask(&json!({"list": {"user": user, "newest": null}}));
        let lines = list(&format!("u{}", self.seed));
        let of = |line: &Value| line["entry"]["sha256"].as_str().map(str::to_owned);
        lines.iter().filter_map(of).collect()
    }

    /// What stands on the server: numbers and SHA-256.
    fn standing(&self) -> Vec<(u32, String)> {
        let messages: Vec<String> = self
            .server
            .mailbox(|mailbox| mailbox.messages().map(|message| sha256(&message.bytes)).collect());
        messages
            .into_iter()
            .filter_map(|sha| Some((*self.came.get(&sha)?, sha)))
            .collect()
    }

    fn check(&self) {
        let standing: HashSet<String> = self.standing().into_iter().map(|(_, sha)| sha).collect();
        let missing: Vec<(&String, &u32)> = self
            .came
            .iter()
            .filter(|(sha, _)| !standing.contains(*sha) && !self.gone.contains(*sha))
            .collect();
        if missing.is_empty() {
            return;
        }
        let archived = self.archived();
        let lost: Vec<&u32> = missing
            .into_iter()
            .filter(|(sha, _)| !archived.contains(*sha))
            .map(|(_, number)| number)
            .collect();
        assert!(
            lost.is_empty(),
            "messages {lost:?} are nowhere\n{}",
            self.told.join("\n")
        );
    }
}

/// The answer that brings a message, with nothing of it or half.
pub fn cut(protocol: Protocol, answer: &[u8], empty: bool) -> Vec<u8> {
    match protocol {
        Protocol::Imap => {
            let Some(open) = memchr::memchr(b'{', answer) else {
                return answer.to_vec();
            };
            let Some(close) = memchr::memmem::find(answer, b"}\r\n") else {
                return answer.to_vec();
            };
            let size: usize = std::str::from_utf8(&answer[open + 1..close])
                .ok()
                .and_then(|size| size.parse().ok())
                .unwrap_or(0);
            let kept = if empty { 0 } else { size / 2 };
            let body = &answer[close + 3..];
            let head = String::from_utf8_lossy(&answer[..open]);
            [format!("{head}{{{kept}}}\r\n").as_bytes(), &body[..kept], &body[size..]].concat()
        }
        Protocol::Pop3 => {
            let start = memchr::memmem::find(answer, b"\r\n").map_or(answer.len(), |at| at + 2);
            let end = answer.len().saturating_sub(5).max(start);
            let kept = if empty { start } else { start + (end - start) / 2 };
            [&answer[..kept], if empty { &b".\r\n"[..] } else { b"\r\n.\r\n" }].concat()
        }
    }
}
