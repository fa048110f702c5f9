//! Profiles that log in with access tokens: an endpoint of the test's own gives them out, a real Dovecot takes them.

mod endpoint;
mod keeper;
mod refusals;
mod secrets;

use std::fs;

use crate::support::{
    PATIENCE,
    appliance::{Appliance, PROFILE, number, text},
    dovecot::{Dovecot, MAILBOX},
    proxy::Proxy,
    running::{Outcome, Running},
    wait_for,
};
use endpoint::{CLIENT_ID, CLIENT_SECRET, Endpoint, FIRST};
use jiff::Timestamp;
use rustix::process::Signal;

/// A mailbox, the endpoint that gives out tokens for it, and a profile that has both.
pub struct Site {
    pub endpoint: Endpoint,
    pub server: Dovecot,
    pub appliance: Appliance,
    pub access: String,
    /// Where the secrets of the configuration lie.
    pub secrets: tempfile::TempDir,
}

impl Site {
    pub fn new(access: &str) -> Self {
        Self::with(access, Endpoint::start())
    }

    pub fn with(access: &str, endpoint: Endpoint) -> Self {
        // Dovecot asks in clear text, also where the profile does not.
        assert!(endpoint.web.identity.is_none(), "Dovecot asks an endpoint without TLS");
        let asked = endpoint.web.page("introspect");
        Self::behind(access, endpoint, &asked)
    }

    pub fn behind(access: &str, endpoint: Endpoint, asked: &str) -> Self {
        let server = Dovecot::taking_tokens(asked);
        let messages = ["one", "two"].map(|word| {
            format!(
                "Received: from there by here; Mon, 6 Jan 2025 10:00:00 +0000\r\nDelivered-To: jane@example.com\r\n\
                 From: a@example.net\r\nTo: jane@example.com\r\nSubject: {word}\r\n\r\n{word}\r\n"
            )
        });
        server.deliver(messages);
        let site = Self {
            appliance: Appliance::new(env!("CARGO_BIN_EXE_dropkeep"), ""),
            access: access.to_owned(),
            secrets: tempfile::tempdir().expect("a folder"),
            endpoint,
            server,
        };
        site.set("client-secret", CLIENT_SECRET);
        site.set("refresh-token", FIRST);
        site.configure("", &site.by_refresh_token());
        site
    }

    /// Writes one of the configuration's secrets.
    pub fn set(&self, name: &str, secret: &str) {
        fs::write(self.secrets.path().join(name), format!("{secret}\n")).expect("a file");
    }

    /// The lines of `[profile.server.oauth2]` that most tests have.
    pub fn by_refresh_token(&self) -> String {
        let folder = self.secrets.path().display();
        format!("client_secret_file = \"{folder}/client-secret\"\nrefresh_token_file = \"{folder}/refresh-token\"\n")
    }

    pub fn by_right(&self) -> String {
        let folder = self.secrets.path().display();
        format!("client_secret_file = \"{folder}/client-secret\"\ngrant = \"client_credentials\"\n")
    }

    /// Writes the configuration anew, with these lines at its top and in the table of oauth2.
    pub fn configure(&self, top: &str, oauth2: &str) {
        self.configure_at(self.server.ports.of(&self.access), top, oauth2);
    }

    pub fn configure_at(&self, port: u16, top: &str, oauth2: &str) {
        let (access, page) = (&self.access, self.endpoint.web.page("token"));
        let certificate = self.server.certificate();
        self.appliance.configure(&format!(
            "{top}[[user]]\nname = \"jane\"\naddresses = [\"jane@example.com\"]\n\
             [[profile]]\nname = \"{PROFILE}\"\n[profile.server]\naccess = \"{access}\"\nhost = \"localhost\"\n\
             port = {port}\nusername = \"{MAILBOX}\"\ntimeout = \"20s\"\ntls = {{ ca_file = \"{}\" }}\n\
             [profile.server.oauth2]\ntoken_endpoint = \"{page}\"\nclient_id = \"{CLIENT_ID}\"\n{oauth2}",
            certificate.display()
        ));
    }

    pub fn test(&self, code: i32) -> Outcome {
        self.appliance.run(&["test", PROFILE, "--json"]).expect(code)
    }

    pub fn archive(&self, code: i32) -> Outcome {
        self.appliance.run(&["archive", PROFILE, "--json"]).expect(code)
    }

    pub fn token_file(&self) -> String {
        let file = self.appliance.data().join("tokens").join(format!("{PROFILE}.json"));
        fs::read_to_string(file).unwrap_or_default()
    }

    /// Takes the access token out of the file, so that the next command asks for one, with whatever refresh token it
    /// has.
    pub fn forget_access_token(&self) {
        let mut json: serde_json::Value = serde_json::from_str(&self.token_file()).expect("JSON");
        json["plain"]["access"] = serde_json::Value::Null;
        let file = self.appliance.data().join("tokens").join(format!("{PROFILE}.json"));
        fs::write(file, json.to_string()).expect("the tokens");
    }
}

/// The names of a test's steps, in their order.
fn steps(outcome: &Outcome) -> Vec<String> {
    let json = outcome.json();
    let steps = json["steps"].as_array().expect("steps");
    steps.iter().map(|step| text(step, "step")).collect()
}

#[test]
fn a_token_logs_in_over_every_access() {
    for access in ["imap", "imap-tls", "imap-ssl", "pop3", "pop3-tls", "pop3-ssl"] {
        let site = Site::new(access);
        let outcome = site.test(0);
        let steps = steps(&outcome);
        let at = |name: &str| steps.iter().position(|step| step == name).expect(name);
        assert!(at("token") < at("login") && at("login") < at("folders"), "{steps:?}");
        let rehearsed = site.appliance.done(&["archive", PROFILE, "--dry-run", "--json"]).json();
        assert_eq!(number(&rehearsed["users"], "jane"), 2, "{access}: {rehearsed}");
        assert_eq!(site.endpoint.asked(), 1, "{access}: the token is kept between commands");
    }
}

#[test]
fn runs_archive_with_a_token() {
    for access in ["imap-ssl", "imap", "pop3-tls"] {
        let site = Site::new(access);
        // `test` comes first where somebody tries out a new profile, and leaves a data directory without a store.
        site.test(0);
        let run = site.archive(0).json();
        assert_eq!(number(&run, "archived"), 2, "{run:#}");
        site.endpoint.revoke();
        site.server
            .deliver(["To: jane@example.com\r\nSubject: three\r\n\r\nthree\r\n"]);
        let run = site.archive(0).json();
        assert_eq!(number(&run, "archived"), 1, "{run:#}");
        assert_eq!(site.endpoint.asked(), 2);
    }
}

#[test]
fn a_run_without_a_token_fails_and_has_a_protocol() {
    let site = Site::new("imap");
    site.endpoint.refuse("invalid_grant", "The grant was revoked.");
    let outcome = site.archive(3);
    let said = outcome.text() + &outcome.stderr;
    assert!(
        said.contains("The grant was revoked.") && said.contains("Log in anew"),
        "{said}"
    );
    let protocols = site.appliance.done(&["protocols", "--json"]).lines();
    let run = number(&protocols[0], "run").to_string();
    let protocol = site.appliance.done(&["protocols", &run, "--json"]).json();
    assert_eq!(text(&protocol, "state"), "failed");
    assert!(
        protocol["errors"].to_string().contains("The grant was revoked."),
        "{protocol:#}"
    );
}

#[test]
fn the_appliance_tells_when_its_token_expires() {
    let site = Site::new("imap");
    let serving = site.appliance.serve();
    site.archive(0);
    let (_, metrics) = serving.get("/metrics");
    let line = metrics
        .lines()
        .find(|line| line.starts_with("dropkeep_token_expiry_timestamp_seconds"))
        .unwrap_or_else(|| panic!("no metric in {metrics}"));
    assert!(line.contains("profile=\"company\""), "{line}");
    let expires: f64 = line
        .rsplit(' ')
        .next()
        .and_then(|value| value.parse().ok())
        .expect("a number");
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("now");
    let left = expires - now.as_secs_f64();
    assert!((3500.0..=3601.0).contains(&left), "{left} s");
    serving.stop().expect(0);
}

#[test]
fn a_token_that_expired_between_two_commands_is_renewed() {
    let site = Site::new("imap");
    let at = |seconds: i64| {
        let arguments = ["test", PROFILE];
        let mut command = site.appliance.command(&arguments);
        command.env("DROPKEEP_CLOCK", seconds.to_string());
        let shown = Running::start(command, &arguments).wait().expect(0).text();
        assert!(!shown.contains("the server refused"), "{shown}");
        site.endpoint.asked()
    };
    assert_eq!((at(0), at(3000)), (1, 1));
    // Less than five minutes are left, and the server takes it no more.
    site.endpoint.revoke();
    assert_eq!((at(3400), at(3400 + 3000)), (2, 2));
    // Where the endpoint does not say how long it is good, it is an hour.
    site.endpoint.state().expires_in = None;
    assert_eq!((at(10_000), at(13_000), at(13_400)), (3, 3, 4));
    // Good for no time: it serves the login that it was asked for, and no other.
    site.endpoint.state().expires_in = Some(0);
    assert_eq!((at(20_000), at(20_000)), (5, 6));
}

#[test]
fn the_application_logs_in_by_its_own_right() {
    let site = Site::new("imap-ssl");
    let more = "scope = \"https://mail.example.com/.default\"\nparameters = { resource = \"mail&more\" }\n";
    site.configure("", &(site.by_right() + more));
    site.test(0);
    let asked = site.endpoint.state().asked[0].clone();
    assert_eq!(asked["grant_type"], "client_credentials");
    assert_eq!(asked["scope"], "https://mail.example.com/.default");
    assert_eq!(asked["resource"], "mail&more");
    assert!(!asked.contains_key("refresh_token"), "{asked:?}");
}

#[test]
fn a_rotated_refresh_token_survives_a_kill_before_the_login() {
    let site = Site::new("imap");
    site.endpoint.state().rotates = true;
    let proxy = Proxy::to(site.server.ports.of("imap"));
    site.configure_at(proxy.port, "", &site.by_refresh_token());
    for round in 0..3 {
        // The server says nothing, so the token is there and has not been used.
        proxy.hold_after(0);
        let running = site.appliance.start(&["test", PROFILE]);
        let renewed = wait_for(PATIENCE, || {
            let newest = site.endpoint.state().given.last().cloned().unwrap_or_default();
            site.endpoint.asked() == round + 1 && !newest.is_empty() && site.token_file().contains(&newest)
        });
        assert!(
            renewed,
            "round {round}: nothing was stored before the login: {}",
            running.stderr()
        );
        running.signal(Signal::KILL);
        running.wait();
        site.forget_access_token();
    }
    proxy.open();
    site.test(0);
    let state = site.endpoint.state();
    let sent: Vec<_> = state.asked.iter().map(|form| form["refresh_token"].as_str()).collect();
    assert_eq!(sent, [FIRST, "0.refresh-0", "0.refresh-2", "0.refresh-4"]);
}

#[test]
fn processes_beside_each_other_do_not_use_a_refresh_token_twice() {
    let site = Site::new("imap");
    site.endpoint.state().rotates = true;
    for round in 1..=3 {
        let running: Vec<_> = (0..4).map(|_| site.appliance.start(&["test", PROFILE])).collect();
        for running in running {
            running.wait().expect(0);
        }
        assert_eq!(site.endpoint.asked(), round);
        site.forget_access_token();
    }
}

/// Whoever had waited since an earlier second took a token for one of a clock that was set back since.
#[test]
fn a_token_that_another_process_got_in_a_later_second_was_asked_for_again() {
    let site = Site::new("imap");
    site.endpoint.state().rotates = true;
    site.endpoint.state().held = true;
    let running: Vec<_> = (0..4).map(|_| site.appliance.start(&["test", PROFILE])).collect();
    let lock = format!("{PROFILE}.lock");
    let wait = |running: &Running| {
        let files = fs::read_dir(format!("/proc/{}/fd", running.id()))
            .into_iter()
            .flatten()
            .flatten();
        let mut files = files.filter_map(|file| fs::read_link(file.path()).ok());
        files.any(|file| file.ends_with(&lock))
    };
    assert!(
        wait_for(PATIENCE, || running.iter().all(wait)),
        "they wait for each other"
    );
    let second = || Timestamp::now().as_second();
    let began = second();
    assert!(wait_for(PATIENCE, || second() > began));
    site.endpoint.state().held = false;
    for running in running {
        running.wait().expect(0);
    }
    assert_eq!(site.endpoint.asked(), 1);
}

#[test]
fn a_new_refresh_token_in_the_configuration_takes_the_place_of_the_old() {
    let site = Site::new("imap");
    site.endpoint.state().rotates = true;
    site.test(0);
    // Somebody logged in anew: what was kept is of no use any more.
    site.endpoint.state().refresh = "0.second".into();
    site.set("refresh-token", "0.second");
    site.test(0);
    assert_eq!(site.endpoint.state().asked[1]["refresh_token"], "0.second");
    site.endpoint.revoke();
    site.test(0);
    assert_eq!(
        site.endpoint.state().asked[2]["refresh_token"],
        "0.refresh-2",
        "not the configured one again"
    );
}

#[test]
fn a_data_directory_with_nothing_but_tokens_becomes_a_store_and_takes_a_backup() {
    let site = Site::new("imap");
    site.test(0);
    let elsewhere = tempfile::tempdir().expect("a folder");
    let backup = elsewhere.path().join("backup").display().to_string();
    site.appliance
        .done(&["users", "add", "newcomer", "newcomer@example.com"]);
    site.appliance.done(&["backup", &backup]);
    assert!(
        !fs::read_dir(&backup)
            .expect("a backup")
            .flatten()
            .any(|entry| entry.file_name() == "tokens")
    );
    for part in ["catalog", "volumes"] {
        let _ = fs::remove_dir_all(site.appliance.data().join(part));
    }
    site.appliance.done(&["restore", &backup]);
    assert!(site.token_file().contains(FIRST), "what is no part of the store stays");
}
