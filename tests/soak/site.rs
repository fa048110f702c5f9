//! The server, its mailboxes, a proxy before each, and the configuration of the appliance.

use std::{
    fs,
    io::{Write, stderr},
    path::Path,
    process::Command,
};

use rustix::process::Signal;

use crate::{
    DROPKEEP,
    support::{
        appliance::Appliance,
        dovecot::{Dovecot, PASSWORD},
        generator::{company, user_tables},
        proxy::Proxy,
        running::Serving,
    },
};

/// Where [`MAILBOXES`] with `move_to` have what is archived.
pub const MOVED: &str = "Archived";

/// A mailbox on the server, and the profile that archives it.
pub struct Mailbox {
    /// The profile's name; the account is this at example.com.
    pub name: &'static str,
    pub access: &'static str,
    pub schedule: &'static str,
    /// Further lines of `[[profile]]`.
    pub settings: &'static str,
    /// Tables behind that.
    pub tables: &'static str,
    /// Other clients make, rename and delete folders, and mail comes into them.
    pub has_folders: bool,
    /// What is archived is deleted or moved; so other clients leave it alone but for flags.
    pub deletes: bool,
    /// Mail comes in with \Flagged as well, and stays for that.
    pub keeps_flagged: bool,
}

const PLAIN: Mailbox = Mailbox {
    name: "",
    access: "",
    schedule: "",
    settings: "",
    tables: "",
    has_folders: false,
    deletes: false,
    keeps_flagged: false,
};

pub const MAILBOXES: [Mailbox; 5] = [
    Mailbox {
        name: "continuous",
        access: "imap",
        schedule: "continuous",
        ..PLAIN
    },
    Mailbox {
        name: "folders",
        access: "imap-ssl",
        schedule: "every 5s",
        settings: "connections = 3\n",
        tables: "[profile.folders]\ninclude = [\"*\"]\n",
        has_folders: true,
        ..PLAIN
    },
    Mailbox {
        name: "pop",
        access: "pop3",
        schedule: "every 7s",
        ..PLAIN
    },
    Mailbox {
        name: "pop-deleting",
        access: "pop3-ssl",
        schedule: "every 9s",
        tables: "[profile.delete]\nwhen = \"archived\"\nafter = \"1s\"\n",
        deletes: true,
        ..PLAIN
    },
    Mailbox {
        name: "moving",
        access: "imap",
        schedule: "every 11s",
        tables: "[profile.delete]\nwhen = \"archived\"\nmove_to = \"Archived\"\n",
        deletes: true,
        keeps_flagged: true,
        ..PLAIN
    },
];

impl Mailbox {
    pub fn account(&self) -> String {
        format!("{}@example.com", self.name)
    }

    fn profile(&self, server: &Dovecot, port: u16) -> String {
        let Self {
            name,
            access,
            schedule,
            settings,
            tables,
            ..
        } = self;
        format!(
            "[[profile]]\nname = \"{name}\"\nschedule = \"{schedule}\"\nstall_timeout = \"2m\"\n{settings}\
             [profile.server]\naccess = \"{access}\"\nhost = \"localhost\"\nport = {port}\n\
             username = \"{}\"\npassword = \"{PASSWORD}\"\ntimeout = \"20s\"\ntls = {{ ca_file = \"{}\" }}\n\
             [profile.recipients]\nlocal_domains = [\"example.com\"]\n{tables}",
            self.account(),
            server.certificate().display()
        )
    }
}

/// How many lines of the appliance are shown where something went wrong.
const TAIL: usize = 60;

/// All of it. Where a test fails, it is kept in a folder that is printed.
pub struct Site {
    pub server: Dovecot,
    /// One before each of [`MAILBOXES`], in their order.
    pub proxies: Vec<Proxy>,
    pub appliance: Appliance,
    serving: Option<Serving>,
    /// What the appliances said that ended.
    said: String,
}

impl Site {
    pub fn new() -> Self {
        // Mail comes in while the server runs, so it must look for it as it does by default.
        let server = Dovecot::start_with("maildir_very_dirty_syncs = no\n");
        let proxies: Vec<_> = MAILBOXES
            .iter()
            .map(|mailbox| Proxy::to(server.ports.of(mailbox.access)))
            .collect();
        let profiles = MAILBOXES.iter().zip(&proxies);
        let profiles: String = profiles
            .map(|(mailbox, proxy)| mailbox.profile(&server, proxy.port))
            .collect();
        for mailbox in &MAILBOXES {
            server.receive(&mailbox.account(), "INBOX", [b""; 0]);
        }
        let appliance = Appliance::new(DROPKEEP, &(user_tables(&company()) + &profiles));
        Self {
            serving: Some(appliance.serve()),
            said: String::new(),
            server,
            proxies,
            appliance,
        }
    }

    pub fn serving(&self) -> &Serving {
        self.serving.as_ref().expect("it serves")
    }

    /// That it runs, it serves, and nothing panicked.
    pub fn assert_healthy(&mut self) {
        let serving = self.serving.as_mut().expect("it serves");
        let runs = serving.running.is_running();
        assert!(runs, "the appliance ended by itself:\n{}", self.tail());
        let (status, page) = self.serving().get("/metrics");
        assert_eq!(status, 200, "/metrics");
        let panics: Vec<_> = page
            .lines()
            .filter(|line| line.starts_with("dropkeep_panics_total"))
            .collect();
        assert!(!panics.is_empty(), "no dropkeep_panics_total in\n{page}");
        let none = panics.iter().all(|line| line.ends_with(" 0"));
        assert!(none, "{panics:?}\n{}", self.tail());
        for path in ["/healthz", "/readyz"] {
            let (status, body) = self.serving().get(path);
            assert_eq!(status, 200, "{path}: {body}\n{}", self.tail());
        }
        assert_no_panic(&self.serving().running.stderr());
    }

    /// Ends the appliance, which must end in good order where it is asked to.
    pub fn end(&mut self, signal: Signal) {
        self.assert_healthy();
        let serving = self.serving.take().expect("it serves");
        serving.running.signal(signal);
        let outcome = serving.running.wait();
        self.said.push_str(&outcome.stderr);
        assert_no_panic(&outcome.stderr);
        let code = (signal == Signal::TERM).then_some(0);
        assert_eq!(outcome.code, code, "{}", self.tail());
    }

    /// Starts it again.
    pub fn start(&mut self) {
        self.serving = Some(self.appliance.serve());
    }

    fn log(&self) -> String {
        let running = self.serving.as_ref().map(|serving| serving.running.stderr());
        self.said.clone() + &running.unwrap_or_default()
    }

    /// The last that the appliance said.
    pub fn tail(&self) -> String {
        let log = self.log();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(TAIL)..].join("\n")
    }

    /// Copies the archive, the configuration and the log of the appliance, and the mail and the log of the server.
    fn keep(&mut self) {
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("soak-{}", std::process::id()));
        let _ = fs::create_dir_all(&kept);
        let _ = fs::write(kept.join("appliance.log"), self.log());
        self.serving = None;
        let (config, certificate) = (self.appliance.config(), self.server.certificate());
        for (from, to) in [(config, "appliance"), (certificate, "dovecot")] {
            if let Some(folder) = from.parent() {
                let _ = Command::new("cp").arg("-a").arg(folder).arg(kept.join(to)).status();
            }
        }
        // Not `eprintln!`, whose panic where nobody reads would end this.
        let _ = writeln!(stderr(), "--- what there was is kept in {}", kept.display());
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.keep();
        }
    }
}

pub fn assert_no_panic(said: &str) {
    let panics: Vec<_> = said.lines().filter(|line| line.contains("panicked")).collect();
    assert!(panics.is_empty(), "{}", panics.join("\n"));
}
