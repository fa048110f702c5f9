//! A company in which mail keeps coming: two mailboxes, one of which is emptied as it is archived, and a message a
//! second in each. So every stage has something to do at any time, and whoever looks at the metrics sees it.

use std::{
    fs,
    sync::{
        Arc,
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    thread,
    time::Duration,
};

use super::{
    appliance::{Appliance, PROFILE, Profile},
    dovecot::{Dovecot, MAILBOX, PASSWORD},
    generator::{Everyday, Mailbox, SEED, Settings, company, user_tables},
};

/// The second profile, and its mailbox: copies of what the company sends, deleted once they are archived.
pub const SENT: &str = "sent";
const SENT_MAILBOX: &str = "sent@example.com";

/// A mailbox that no profile has yet, for whoever sets one up.
pub const BRANCH_MAILBOX: &str = "branch@example.com";
const BRANCH_MESSAGES: usize = 300;

/// Between two messages.
const PACE: Duration = Duration::from_secs(1);

pub struct Office {
    pub server: Arc<Dovecot>,
    pub appliance: Appliance,
}

impl Office {
    /// With so many messages in the first mailbox; gives the bytes that they have on the wire, too.
    pub fn with(binary: impl Into<std::path::PathBuf>, messages: usize) -> (Self, u64) {
        // Mail comes in while the server runs, so it must look for it as it does by default.
        let server = Dovecot::start_with("maildir_very_dirty_syncs = no\n");
        let bytes = server.deliver(years_of_mail(messages));
        server.receive(SENT_MAILBOX, "INBOX", other_mail().take(20));
        server.receive(BRANCH_MAILBOX, "INBOX", branch_mail());
        let company_profile = Profile::new(&server, "imap-ssl").toml();
        let company_profile = company_profile.replacen(
            "[profile.server]",
            "schedule = \"continuous\"\nconnections = 2\n[profile.server]",
            1,
        );
        let sent = format!(
            "[[profile]]\nname = \"{SENT}\"\nschedule = \"every 5s\"\n[profile.server]\naccess = \"pop3-ssl\"\n\
             host = \"localhost\"\nport = {}\nusername = \"{SENT_MAILBOX}\"\npassword = \"{PASSWORD}\"\n\
             tls = {{ ca_file = \"{}\" }}\n[profile.recipients]\nlocal_domains = [\"example.com\"]\n\
             own_addresses = [\"{MAILBOX}\"]\n[profile.delete]\nwhen = \"archived\"\nafter = \"1s\"\n",
            server.ports.pop3s,
            server.certificate().display()
        );
        let users = user_tables(&company());
        let key = "[secrets]\nkey_file = \"dropkeep.key\"\n";
        let text = format!("users_file = \"users.csv\"\n{users}{company_profile}{sent}{key}");
        let appliance = Appliance::new(binary, &text);
        fs::write(
            appliance.config().with_file_name("users.csv"),
            "trainee,trainee@example.com\n",
        )
        .expect("the users file");
        // So that profiles can be set up in the console.
        appliance.done(&["profiles", "key"]);
        let server = Arc::new(server);
        (Self { server, appliance }, bytes)
    }

    /// Mail comes in until this is dropped.
    pub fn open(&self) -> Busy {
        let server = self.server.clone();
        let mut mail = other_mail().skip(20);
        Busy::each(PACE, move || {
            for mailbox in [MAILBOX, SENT_MAILBOX] {
                server.receive(mailbox, "INBOX", mail.next());
            }
        })
    }
}

/// Seconds since the first of it, and those of them in which people work.
const YEARS: i64 = 4 * 365 * 86_400;
const AT_WORK: usize = 4 * 260 * 11 * 3_600;
/// One message in so many is odd.
const ODD: usize = 8;

/// Some years of office mail, and then what is odd.
fn years_of_mail(messages: usize) -> impl Iterator<Item = Vec<u8>> {
    let odd = messages / ODD;
    let now = jiff::Timestamp::now().as_second();
    let everyday = Everyday::new(SEED, now - YEARS, AT_WORK / messages.max(1));
    everyday
        .take(messages - odd)
        .chain(Mailbox::new(Settings::messages(odd)).dated(now))
}

fn branch_mail() -> impl Iterator<Item = Vec<u8>> {
    let now = jiff::Timestamp::now().as_second();
    Everyday::new(SEED + 2, now - YEARS, AT_WORK / BRANCH_MESSAGES).take(BRANCH_MESSAGES)
}

/// Other mail than that of the first mailbox, for days.
fn other_mail() -> impl Iterator<Item = Vec<u8>> {
    let now = jiff::Timestamp::now().as_second();
    let mut odd = Mailbox::new(Settings {
        seed: SEED + 1,
        ..Settings::messages(1_000_000)
    })
    .dated(now);
    let mut everyday = Everyday::new(SEED + 1, now, 1);
    (1..).map_while(move |number| match number % ODD {
        0 => odd.next(),
        _ => everyday.next(),
    })
}

/// Somebody who does the same again and again, as long as this is held.
pub struct Busy {
    stop: Option<Sender<()>>,
    working: Option<thread::JoinHandle<()>>,
}

impl Busy {
    pub fn each(pace: Duration, mut work: impl FnMut() + Send + 'static) -> Self {
        let (stop, stopped) = channel();
        let working = thread::spawn(move || {
            while stopped.recv_timeout(pace) == Err(RecvTimeoutError::Timeout) {
                work();
            }
        });
        Self {
            stop: Some(stop),
            working: Some(working),
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(working) = self.working.take() {
            let _ = working.join();
        }
    }
}
