//! The server, its mailboxes, a proxy before each, and the configuration of the appliance.

use crate::{
    DROPKEEP,
    support::{
        appliance::Appliance,
        dovecot::{Dovecot, PASSWORD},
        generator::{company, user_tables},
        proxy::Proxy,
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

pub struct Site {
    pub server: Dovecot,
    /// One before each of [`MAILBOXES`], in their order.
    pub proxies: Vec<Proxy>,
    pub appliance: Appliance,
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
            server,
            proxies,
            appliance,
        }
    }
}
