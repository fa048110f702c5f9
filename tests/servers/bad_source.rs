//! Servers that refuse, fall silent or break off: exit 3 or 1, the server's own words, never the password,
//! and a protocol all the same.

use std::time::Duration;

use crate::support::{
    appliance::{Appliance, PROFILE, Profile, assert_adds_up, number, text},
    dovecot::{Dovecot, PASSWORD},
    generator::{Mailbox, Settings},
    listening::{listen, refusing},
    proxy::Proxy,
    running::Outcome,
};
use rustix::process::Signal;
use serde_json::Value;

fn appliance(profile: &Profile) -> Appliance {
    Appliance::for_company(env!("CARGO_BIN_EXE_dropkeep"), profile)
}

/// `archive` must not reach the source: exit 3, one of `words` in what it says, and a failed protocol
/// that says the same.
fn unreachable(profile: &Profile, words: &[&str]) -> Outcome {
    let appliance = appliance(profile);
    let outcome = appliance.run(&["archive", PROFILE, "--json"]).expect(3);
    let says = |text: &str| {
        words
            .iter()
            .any(|word| text.to_lowercase().contains(&word.to_lowercase()))
    };
    let said = outcome.text() + &outcome.stderr;
    assert!(says(&said), "none of {words:?} in {said}");
    let protocol = newest_protocol(&appliance);
    assert_eq!(text(&protocol, "state"), "failed", "{protocol:#}");
    assert_eq!(text(&protocol, "profile"), PROFILE);
    assert_adds_up(&protocol);
    let in_full = appliance.done(&["protocols", &number(&protocol, "run").to_string(), "--json"]);
    assert!(
        says(&in_full.json()["errors"].to_string()),
        "none of {words:?} in {}",
        in_full.text()
    );
    for said in [&outcome.stderr, &outcome.text(), &in_full.text(), &in_full.stderr] {
        assert!(!said.contains(&profile.password), "the password is shown: {said}");
    }
    let test = appliance.run(&["test", PROFILE, "--json"]).expect(3);
    assert!(
        says(&(test.text() + &test.stderr)),
        "none of {words:?} in {} {}",
        test.text(),
        test.stderr
    );
    assert!(
        !(test.text() + &test.stderr).contains(&profile.password),
        "the password is shown"
    );
    outcome
}

fn newest_protocol(appliance: &Appliance) -> Value {
    appliance
        .done(&["protocols", "--json"])
        .lines()
        .into_iter()
        .next()
        .expect("a protocol")
}

#[test]
fn a_wrong_password_is_refused_in_the_servers_words() {
    let server = Dovecot::with(["Subject: x\n\nx\n"]);
    for access in ["imap", "imap-ssl", "pop3", "pop3-tls"] {
        let profile = Profile {
            password: "not-the-passw0rd".into(),
            ..Profile::new(&server, access)
        };
        unreachable(&profile, &["Authentication failed"]);
    }
}

#[test]
fn a_host_that_does_not_answer_is_unreachable() {
    let server = Dovecot::start();
    let nobody = refusing();
    for access in ["imap", "pop3-ssl"] {
        let profile = Profile::new(&server, access);
        unreachable(
            &Profile {
                port: nobody.port,
                ..profile.clone()
            },
            &["refused the connection"],
        );
        let host = "no-such-host.invalid".into();
        unreachable(&Profile { host, ..profile }, &["no-such-host.invalid"]);
    }
}

#[test]
fn a_silent_server_is_left_after_the_time_out() {
    let server = Dovecot::start();
    // The system takes connections, and nobody serves them.
    let (_silent, port) = listen();
    for access in ["imap", "imap-ssl", "pop3", "pop3-ssl"] {
        let profile = Profile {
            port,
            timeout: "1s".into(),
            ..Profile::new(&server, access)
        };
        let outcome = unreachable(&profile, &["no greeting on port", "did not answer the TLS handshake"]);
        assert!(outcome.took < Duration::from_secs(30), "{:?}", outcome.took);
    }
}

#[test]
fn a_refused_certificate_says_how_to_pin_it_and_that_works() {
    let server = Dovecot::with(["To: jane@example.com\n\nx\n"]);
    for access in ["imap-ssl", "imap-tls", "pop3-ssl", "pop3-tls"] {
        let distrusting = Profile {
            tls: "{ verify = \"system\" }".into(),
            ..Profile::new(&server, access)
        };
        let outcome = unreachable(&distrusting, &["certificate"]);
        let said = outcome.text() + &outcome.stderr;
        let pin = said
            .split("sha256:")
            .nth(1)
            .unwrap_or_else(|| panic!("no pin in {said}"));
        let pin: String = pin.chars().take_while(|c| c.is_ascii_hexdigit() || *c == ':').collect();
        for (tls, code) in [
            (format!("{{ verify = \"pin\", pin = \"sha256:{pin}\" }}"), 0),
            (
                format!("{{ verify = \"pin\", pin = \"sha256:{}\" }}", "0".repeat(64)),
                3,
            ),
            ("{ verify = \"none\" }".into(), 0),
            (distrusting.tls.clone(), 3),
        ] {
            let profile = Profile {
                tls,
                ..distrusting.clone()
            };
            appliance(&profile).run(&["archive", PROFILE]).expect(code);
        }
    }
}

#[test]
fn tls_at_a_port_that_speaks_none_and_the_other_way_round() {
    let server = Dovecot::start();
    for (access, port) in [
        ("imap-ssl", server.ports.imap),
        ("pop3-ssl", server.ports.pop3),
        ("imap-tls", server.ports.pop3),
        ("pop3-tls", server.ports.imap),
    ] {
        let profile = Profile {
            port,
            timeout: "3s".into(),
            ..Profile::new(&server, access)
        };
        appliance(&profile).run(&["archive", PROFILE]).expect(3);
    }
}

/// A connection that breaks in the middle, for good: what came is kept, and the next run fetches the rest.
#[test]
fn a_connection_lost_midway_ends_with_1_and_the_next_run_goes_on() {
    for access in ["imap", "pop3"] {
        let server = Dovecot::with(Mailbox::new(Settings::messages(1_000)));
        let proxy = Proxy::to(server.ports.of(access));
        let profile = Profile {
            port: proxy.port,
            ..Profile::new(&server, access)
        };
        let appliance = appliance(&profile);
        proxy.cut_after(3_000_000);
        let cut = appliance.run(&["archive", PROFILE, "--json"]).expect(1);
        let run = cut.json();
        assert_adds_up(&run);
        assert!(
            ["completed_with_errors", "failed"].contains(&text(&run, "state").as_str()),
            "{run:#}"
        );
        assert!(number(&run, "archived") > 100, "what came is kept: {run:#}");
        assert!(!run["errors"].as_array().expect("errors").is_empty(), "{run:#}");
        proxy.open();
        let rest = appliance.done(&["archive", PROFILE, "--json"]).json();
        let done = |run: &Value| number(run, "archived") + number(run, "duplicates");
        assert_eq!(done(&run) + done(&rest), 1_000, "{run:#}\n{rest:#}");
        assert_eq!(
            number(&appliance.done(&["archive", PROFILE, "--json"]).json(), "seen"),
            0
        );
    }
}

/// A server that falls silent in the middle is left after the time-out, too.
#[test]
fn a_server_silent_midway_ends_with_1() {
    let server = Dovecot::with(Mailbox::new(Settings::messages(1_000)));
    let proxy = Proxy::to(server.ports.imap);
    let profile = Profile {
        port: proxy.port,
        timeout: "5s".into(),
        ..Profile::new(&server, "imap")
    };
    let appliance = appliance(&profile);
    proxy.hold_after(3_000_000);
    let run = appliance.run(&["archive", PROFILE, "--json"]).expect(1).json();
    assert_adds_up(&run);
    assert!(number(&run, "archived") > 100, "what came is kept: {run:#}");
}

/// Ctrl-C while nothing answers at all must work as well.
#[test]
fn a_command_that_waits_for_a_silent_server_can_be_interrupted() {
    let server = Dovecot::start();
    let proxy = Proxy::to(server.ports.imap);
    proxy.hold_after(10);
    let profile = Profile {
        port: proxy.port,
        ..Profile::new(&server, "imap")
    };
    let appliance = appliance(&profile);
    let running = appliance.start(&["archive", PROFILE, "--json"]);
    proxy.wait_until_held();
    running.signal(Signal::INT);
    let outcome = running.wait().expect(130);
    assert!(outcome.took < Duration::from_secs(30), "{:?}", outcome.took);
    assert!(!outcome.stderr.contains(PASSWORD));
    assert_eq!(text(&newest_protocol(&appliance), "state"), "interrupted");
}
