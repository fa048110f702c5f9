//! What happens, one thing after the other; the appliance does what it does meanwhile.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use rustix::process::Signal;

use crate::{
    client::Other,
    gauge::Gauge,
    ledger::{Ledger, Standing},
    mail::Writer,
    site::{MAILBOXES, Mailbox, Site, assert_no_panic},
    support::{
        appliance::{number, text},
        generator::{Random, company},
        running::Running,
        wait_for,
    },
};

/// Names of folders. There are few, so that one comes back as another folder.
const FOLDERS: [&str; 8] = [
    "projects", "invoices", "2025", "2026", "travel", "press", "old", "mixed",
];
/// Between two lines that say how far it is.
const PROGRESS: Duration = Duration::from_secs(60);
/// The longest that a run that was asked for may take to end.
const BY_HAND: Duration = Duration::from_secs(240);

/// Something that comes again and again, about so often.
struct Due {
    next: Instant,
    every: Duration,
}

impl Due {
    fn new(every: Duration) -> Self {
        Self {
            next: Instant::now() + every / 2,
            every,
        }
    }

    fn is_now(&mut self) -> bool {
        let now = Instant::now();
        let due = now >= self.next;
        if due {
            self.next = now + self.every;
        }
        due
    }
}

pub struct Driver {
    site: Site,
    random: Random,
    writer: Writer,
    ledger: Ledger,
    folders: BTreeSet<&'static str>,
    /// Proxies that are cut, and until when.
    cut: Vec<(Instant, usize)>,
    /// An `archive PROFILE` that goes on, and whether the appliance has been there all the time.
    by_hand: Option<(Running, Instant, bool)>,
    gauge: Gauge,
    duration: Duration,
    start: Instant,
    /// How often what happened.
    counts: BTreeMap<&'static str, u64>,
}

impl Driver {
    pub fn new(seed: u64, duration: Duration) -> Self {
        let site = Site::new();
        let gauge = Gauge::new(duration);
        gauge.follow(site.serving().running.id());
        Self {
            site,
            duration,
            random: Random(seed),
            writer: Writer::new(seed),
            ledger: Ledger::default(),
            folders: BTreeSet::new(),
            cut: Vec::new(),
            by_hand: None,
            gauge,
            start: Instant::now(),
            counts: BTreeMap::new(),
        }
    }

    /// Lets things happen for as long as they are to. The appliance ends and starts again in the first third alone, so
    /// that what it gathers in the others is seen.
    pub fn go_on(&mut self) {
        let duration = self.duration;
        let mut server_ends = Due::new((duration / 12).min(Duration::from_secs(200)));
        let mut appliance_ends = Due::new(duration / 16);
        let mut progress = Due::new(PROGRESS.min(duration / 6));
        while self.start.elapsed() < duration {
            let pause = Duration::from_millis(50 + self.random.below(500) as u64);
            wait_for(pause, || false);
            self.reconnect(false);
            self.look_after_run();
            if server_ends.is_now() {
                self.end_server();
            }
            if self.start.elapsed() < duration / 3 && appliance_ends.is_now() {
                self.end_appliance();
            }
            if progress.is_now() {
                self.tell();
            }
            match self.random.below(100) {
                0..55 => self.deliver(),
                55..67 => self.expunge(),
                67..74 => self.flag(),
                74..81 => self.change_folders(),
                81..86 => self.cut(),
                86..91 => self.archive_by_hand(),
                _ => self.ask(),
            }
        }
        self.tell();
    }

    /// Nothing more happens, but that the appliance is killed once more, while mail is left. Gives the last run before
    /// that.
    pub fn settle(mut self) -> (Site, Ledger, Gauge, u64) {
        self.reconnect(true);
        self.stir();
        if let Some((_, _, undisturbed)) = &mut self.by_hand {
            *undisturbed = false;
        }
        self.site.end(Signal::KILL);
        let last = self.site.protocols(&["--newest", "1"]);
        let last = last.first().map_or(0, |run| number(run, "run"));
        self.site.start();
        if let Some((running, _, undisturbed)) = self.by_hand.take() {
            judge_run(running, undisturbed);
        }
        (self.site, self.ledger, self.gauge, last)
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    fn tell(&self) {
        let at = humantime::format_duration(Duration::from_secs(self.start.elapsed().as_secs()));
        let counts: Vec<_> = self
            .counts
            .iter()
            .map(|(what, count)| format!("{count} {what}"))
            .collect();
        println!(
            "{at}: {} messages, {} copies; {}; {}",
            self.ledger.messages.len(),
            self.ledger.copies,
            self.gauge.now(),
            counts.join(", ")
        );
    }

    fn deliver(&mut self) {
        self.count("deliveries");
        for _ in 0..1 + self.random.below(5) {
            let message = self.writer.write(&mut self.random);
            let number = self.ledger.message(&message);
            for copy in &message.copies {
                let nth = self.random.below(MAILBOXES.len());
                let mailbox = &MAILBOXES[nth];
                let folder = self.some_folder(mailbox);
                let flagged = mailbox.keeps_flagged && self.random.chance(10);
                let place = format!("{} {folder} after {:.1?}", mailbox.name, self.start.elapsed());
                self.ledger.copy(number, copy, place);
                if flagged {
                    self.client(mailbox).append("\\Flagged", &copy.bytes);
                    self.ledger.flagged.insert(number);
                } else {
                    self.site.server.receive(&mailbox.account(), &folder, [&copy.bytes]);
                }
                if mailbox.deletes {
                    self.ledger.emptied.entry(nth).or_default().insert(number);
                } else {
                    self.ledger.standing.push(Standing {
                        mailbox: nth,
                        folder,
                        message: number,
                        users: copy.users.clone(),
                    });
                }
            }
        }
    }

    fn some_folder(&mut self, mailbox: &Mailbox) -> String {
        let folders: Vec<_> = self.folders.iter().copied().collect();
        let nth = self.random.below(folders.len() + 1);
        match folders.get(nth) {
            Some(folder) if mailbox.has_folders => (*folder).to_owned(),
            _ => "INBOX".to_owned(),
        }
    }

    fn client(&self, mailbox: &Mailbox) -> Other {
        Other::new(self.site.server.ports.imap, &mailbox.account())
    }

    fn client_in(&self, mailbox: &Mailbox, folder: &str) -> Other {
        Other::in_folder(self.site.server.ports.imap, &mailbox.account(), folder)
    }

    /// Whether the archive says that each of a copy's users has its message.
    fn is_archived(&mut self, message: usize, users: &BTreeSet<String>) -> bool {
        for user in self.ledger.lacking(message, users) {
            let list = ["list", "--user", &user, "--newest", "2000", "--json"];
            let list = self.site.appliance.done(&list).lines();
            self.ledger.learn(&user, &list);
        }
        self.ledger.lacking(message, users).is_empty()
    }

    /// Another client deletes what is archived.
    fn expunge(&mut self) {
        for _ in 0..1 + self.random.below(3) {
            if self.ledger.standing.is_empty() {
                return;
            }
            let nth = self.random.below(self.ledger.standing.len());
            let copy = self.ledger.standing.swap_remove(nth);
            if !self.is_archived(copy.message, &copy.users) {
                self.ledger.standing.push(copy);
                self.count("expunges put off");
                continue;
            }
            let mut client = self.client_in(&MAILBOXES[copy.mailbox], &copy.folder);
            let found = client.find(&self.ledger.messages[copy.message].id);
            // Of several copies in one folder each is as good as the other once they are archived, and they may not be.
            if let [uid] = found[..] {
                client.expunge(uid);
                self.count("expunges");
            }
        }
    }

    /// Another client reads and flags, anywhere; and takes the flag from what was flagged.
    fn flag(&mut self) {
        let mailbox = &MAILBOXES[self.random.below(MAILBOXES.len())];
        let folder = self.some_folder(mailbox);
        let mut client = self.client_in(mailbox, &folder);
        let all = client.search("ALL");
        for _ in 0..3.min(all.len()) {
            let uid = all[self.random.below(all.len())];
            let flag = ["\\Seen", "\\Flagged", "\\Answered", "$Label1"][self.random.below(4)];
            let sign = if self.random.chance(70) { '+' } else { '-' };
            if sign == '-' && flag == "\\Flagged" && mailbox.keeps_flagged {
                continue;
            }
            client.store(uid, &format!("{sign}FLAGS ({flag})"));
            self.count("flags");
        }
        let flagged = self.ledger.flagged.iter().copied().collect::<Vec<_>>();
        if mailbox.keeps_flagged && !flagged.is_empty() && self.random.chance(50) {
            let message = flagged[self.random.below(flagged.len())];
            self.ledger.flagged.remove(&message);
            for uid in client.find(&self.ledger.messages[message].id) {
                client.store(uid, "-FLAGS (\\Flagged)");
            }
            self.count("flags taken");
        }
    }

    /// Another client makes, renames or deletes a folder, the last only with mail that is archived.
    fn change_folders(&mut self) {
        let nth = MAILBOXES.iter().position(|mailbox| mailbox.has_folders);
        let nth = nth.expect("a mailbox with folders");
        let mut client = self.client(&MAILBOXES[nth]);
        let name = FOLDERS[self.random.below(FOLDERS.len())];
        if !self.folders.contains(name) {
            if self.folders.is_empty() || self.random.chance(50) {
                client.command(&format!("CREATE \"{name}\""));
                self.count("folders made");
            } else {
                let folders: Vec<_> = self.folders.iter().copied().collect();
                let from = folders[self.random.below(folders.len())];
                client.command(&format!("RENAME \"{from}\" \"{name}\""));
                self.folders.remove(from);
                let copies = self.ledger.standing.iter_mut();
                copies
                    .filter(|copy| copy.mailbox == nth && copy.folder == from)
                    .for_each(|copy| copy.folder = name.to_owned());
                self.count("folders renamed");
            }
            self.folders.insert(name);
            return;
        }
        let inside = |copy: &Standing| copy.mailbox == nth && copy.folder == name;
        let copies = self.ledger.standing.iter().filter(|copy| inside(copy));
        let copies: Vec<_> = copies.map(|copy| (copy.message, copy.users.clone())).collect();
        if copies.iter().all(|(message, users)| self.is_archived(*message, users)) {
            client.command(&format!("DELETE \"{name}\""));
            self.folders.remove(name);
            self.ledger.standing.retain(|copy| !inside(copy));
            self.count("folders deleted");
        }
    }

    /// Cuts a profile's connections, somewhere in what the server sends, and lets nothing through for a while.
    fn cut(&mut self) {
        let nth = self.random.below(self.site.proxies.len());
        let bytes = [0, 500, 20_000, 200_000][self.random.below(4)];
        self.site.proxies[nth].cut_after(self.random.below(bytes + 1) as u64);
        let until = Duration::from_millis(500 + self.random.below(6_000) as u64);
        self.cut.push((Instant::now() + until, nth));
        self.count("cuts");
    }

    /// Opens the proxies again whose time has come, or all.
    fn reconnect(&mut self, all: bool) {
        let now = Instant::now();
        let proxies = &self.site.proxies;
        self.cut.retain(|&(until, nth)| {
            let over = all || now >= until;
            if over {
                proxies[nth].open();
            }
            !over
        });
    }

    fn archive_by_hand(&mut self) {
        if self.by_hand.is_none() {
            let profile = MAILBOXES[self.random.below(MAILBOXES.len())].name;
            let running = self.site.appliance.start(&["archive", profile, "--json"]);
            self.by_hand = Some((running, Instant::now(), true));
            self.count("runs by hand");
        }
    }

    fn look_after_run(&mut self) {
        let Some((running, began, _)) = &mut self.by_hand else {
            return;
        };
        if running.is_running() {
            assert!(
                began.elapsed() < BY_HAND,
                "a run by hand did not end:\n{}",
                running.stderr()
            );
            return;
        }
        let (running, _, undisturbed) = self.by_hand.take().expect("it was there");
        judge_run(running, undisturbed);
    }

    /// Looks at the appliance as an administrator does.
    fn ask(&mut self) {
        self.count("questions");
        let appliance = &self.site.appliance;
        match self.random.below(5) {
            0 => {
                let status = appliance.done(&["status", "--json"]).lines();
                let names: BTreeSet<_> = status.iter().map(|line| text(line, "profile")).collect();
                assert_eq!(names, MAILBOXES.iter().map(|mailbox| mailbox.name.to_owned()).collect());
            }
            1 => {
                let users = appliance.done(&["users", "--json"]).lines();
                assert!(users.len() >= company().len(), "{users:?}");
            }
            2 => {
                let people = company();
                let user = &people[self.random.below(people.len())].name;
                let list = appliance.done(&["list", "--user", user, "--json"]).lines();
                self.ledger.learn(user, &list);
                if let Some(line) = list.last() {
                    let raw = appliance.raw(number(line, "id"));
                    assert_eq!(raw.len() as u64, number(line, "size"), "{line}");
                }
            }
            _ => self.site.assert_healthy(),
        }
    }

    /// Sees to it that a run has something to do, and lets it get somewhere into it.
    fn stir(&mut self) {
        for _ in 0..8 {
            self.deliver();
        }
        self.archive_by_hand();
        let pause = Duration::from_millis(self.random.below(500) as u64);
        wait_for(pause, || false);
    }

    /// Ends the server in the middle of it, and starts it again.
    fn end_server(&mut self) {
        self.stir();
        let killed = self.random.chance(50);
        let signal = if killed { Signal::KILL } else { Signal::TERM };
        let down = Duration::from_millis(self.random.below(2_500) as u64);
        self.site.server.restart(signal, down);
        self.count(if killed { "servers killed" } else { "servers ended" });
    }

    /// Ends the appliance in the middle of it, and starts it again.
    fn end_appliance(&mut self) {
        self.stir();
        let killed = self.random.chance(60);
        self.count(if killed {
            "appliances killed"
        } else {
            "appliances ended"
        });
        self.end_by(if killed { Signal::KILL } else { Signal::TERM });
    }

    /// Ends the appliance, and starts it again.
    fn end_by(&mut self, signal: Signal) {
        if let Some((_, _, undisturbed)) = &mut self.by_hand {
            *undisturbed = false;
        }
        self.site.end(signal);
        self.site.start();
        self.gauge.follow(self.site.serving().running.id());
    }
}

/// Done, done in part or already going on, or the source could not be reached; anything where the appliance ended.
fn judge_run(running: Running, undisturbed: bool) {
    let outcome = running.wait();
    assert_no_panic(&outcome.stderr);
    let usual = matches!(outcome.code, Some(0 | 1 | 3));
    assert!(
        usual || !undisturbed,
        "dropkeep {} ended with {:?}:\n{}",
        outcome.arguments,
        outcome.code,
        outcome.stderr
    );
}
