//! Pages in German are in German: what went wrong, what to do about it, and what a test or a run found.

use serde_json::json;

use crate::{
    browser::Browser,
    people::log_in,
    site::Site,
    support::{
        appliance::Profile,
        dovecot::{Dovecot, MAILBOX, PASSWORD},
    },
    usable::{axe, violations},
};

/// Somebody who reads German.
fn german(site: &Site) -> Browser {
    let browser = Browser::german(site);
    browser.log_in("anna", "/console/overview");
    browser
}

/// Words of English sentences in the page that are not marked as English; names and what is typed are of no language.
fn english_in(browser: &Browser) -> String {
    let script = r#"
        const english = /(^|[\s(])(the|is|are|and|of|which|there|this|that|cannot|its|from|does|did|has|have|with|for)(?=[\s.,;:?)]|$)/i;
        const texts = [];
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) {
            const at = walker.currentNode.parentElement;
            if (!at.closest('[lang="en"], code, pre, bdi, script, style, textarea') && english.test(walker.currentNode.data)) {
                texts.push(at.textContent.trim());
            }
        }
        return texts.join('\n');
    "#;
    let found = browser.run(script, &json!([]));
    found.as_str().expect("texts").to_owned()
}

/// Elements that reach beyond the window and cannot be scrolled by themselves.
const WIDER: &str = "return [...document.querySelectorAll('main *')].filter((element) => \
                     element.getBoundingClientRect().right > innerWidth && !element.closest('.scroll, .unseen'))\
                     .map((element) => element.outerHTML.slice(0, 200))";

fn is_german(browser: &Browser, words: &[&str]) {
    let page = browser.text("main");
    for words in words {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert_eq!(english_in(browser), "", "{page}");
    let wrong = violations(browser, &axe(), &browser.at());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    browser.is_wide(360, 740);
    let wider = browser.run(WIDER, &json!([]));
    assert_eq!(wider, json!([]), "{}", browser.at());
    browser.is_wide(1920, 1080);
}

#[test]
fn a_run_that_failed_and_the_overview_say_why_in_german() {
    let profile = Profile::unasked()
        .toml()
        .replace("[profile.server]", "schedule = \"every 15m\"\n[profile.server]");
    let site = Site::of_profile("", &profile, &[]);
    site.add("anna", "administrator", &[]);
    let browser = german(&site);
    browser.open("/console/overview");
    browser.waits_for("that it fails", |browser| {
        browser.open("/console/overview");
        browser.text("main").contains("schlägt fehl")
    });
    is_german(
        &browser,
        &[
            "127.0.0.1 weist die Verbindung an Port 9 ab: Dort wartet kein Server",
            "Prüfen Sie, ob der Mailserver läuft.",
            "Es wird von selbst wieder versucht.",
            "alle 15 Minuten",
        ],
    );
    browser.open("/console/runs");
    is_german(&browser, &["fehlgeschlagen"]);
    browser.click("table a[href^='/console/runs/']");
    browser.waits_for("the run", |browser| browser.has("#errors"));
    is_german(
        &browser,
        &[
            "Verbinden",
            "127.0.0.1 weist die Verbindung an Port 9 ab",
            "Was zu tun ist:",
        ],
    );
    // The words of commands and programs stay.
    let (anna, _) = log_in(&site, "anna", "");
    let runs = anna.get("/api/v1/runs").expect(200).text();
    assert!(
        runs.contains("127.0.0.1 refused the connection on port 9: no server listens there"),
        "{runs}"
    );
}

#[test]
fn what_a_server_says_stands_in_german_words_as_it_is() {
    let server = Dovecot::start();
    let mut profile = Profile::new(&server, "imap-tls");
    profile.password = "another one".into();
    let site = Site::of_profile("", &profile.toml(), &[]);
    site.add("anna", "administrator", &[]);
    let browser = german(&site);
    browser.click(".card form button");
    browser.waits_for("the run", |browser| browser.has("#errors"));
    let refused =
        format!("localhost lehnt die Anmeldung von {MAILBOX} ab: [AUTHENTICATIONFAILED] Authentication failed.");
    is_german(
        &browser,
        &["Anmelden", &refused, "Prüfen Sie server.username und das Passwort."],
    );
}

#[test]
fn what_a_run_noticed_is_said_in_german() {
    // Nobody is known, each names the same address, and a journal report is among them.
    let mail = |number: usize| {
        format!(
            "Received: from a.example.org by mx.example.com; Mon, 1 Jan 2024 10:00:00 +0000\r\nFrom: a{number}@example.org\r\n\
             To: shared@example.com, u{number}@example.com\r\nSubject: {number}\r\n\r\nx\r\n"
        )
    };
    let server = Dovecot::with((0..30).map(mail));
    let mut profile = Profile::new(&server, "imap-tls");
    profile.recipients = "unknown = \"create\"\ncreate_limit = 2\nlocal_domains = [\"example.com\"]\n".into();
    let site = Site::of_profile("", &profile.toml(), &[]);
    site.add("anna", "administrator", &[]);
    let browser = german(&site);
    browser.click(".card form button");
    // To open a page before the browser went to the run would take back what was clicked.
    browser.waits_for("the run", |browser| browser.at().starts_with("/console/runs/"));
    browser.waits_for("the end of the run", |browser| {
        browser.open(&browser.at());
        browser.text("main").contains("create_limit ist erreicht")
    });
    is_german(&browser, &["2 Benutzer in einem Lauf", "dropkeep reroute"]);
    let (anna, _) = log_in(&site, "anna", "");
    let run = anna.get("/api/v1/runs/1").expect(200).json();
    let codes: Vec<_> = run["notices_said"]
        .as_array()
        .expect("codes")
        .iter()
        .map(|said| &said["code"])
        .collect();
    let at = codes
        .iter()
        .position(|code| *code == "limit_reached")
        .expect("it is among them");
    let notice = run["notices"][at].as_str().expect("a text");
    assert!(
        notice.starts_with("create_limit is reached, 2 users in one run"),
        "{run}"
    );
}

#[test]
fn a_test_that_failed_and_a_dry_run_are_said_in_german() {
    let server =
        Dovecot::with((0..30).map(|number| {
            format!("From: a@example.org\r\nTo: u{number}@example.com\r\nSubject: {number}\r\n\r\nx\r\n")
        }));
    let site = Site::of_profile("", "", &[]);
    site.add("anna", "administrator", &[]);
    let browser = german(&site);
    browser.open("/console/archive-mail");
    browser.click("main button.main");
    browser.waits_for("the first step", |browser| browser.at().ends_with("/server"));
    let first = browser.at();
    browser.click("#server-access-imap-ssl");
    browser.fill("#server-host", "localhost");
    browser.fill("#server-username", MAILBOX);
    browser.fill("#server-password", "another one");
    let tested = |browser: &Browser, words: &str| {
        browser.click(".wizard .actions button.main");
        browser.waits_for("the test", |browser| browser.at().ends_with("/test"));
        browser.waits_for(words, |browser| {
            browser.has(".notice") && browser.text("main").contains(words)
        });
    };
    // A server that begins in clear text.
    browser.fill("#server-port", &server.ports.imap.to_string());
    tested(&browser, "Klartext");
    is_german(
        &browser,
        &[
            "Es funktioniert noch nicht.",
            "Der Server begrüßt mit IMAP im Klartext",
            "Es wurde kein Passwort gesendet.",
        ],
    );
    // A certificate that nobody vouches for.
    browser.open(&first);
    browser.click("#server-access-imap-tls");
    browser.fill("#server-port", &server.ports.imap.to_string());
    tested(&browser, "das Zertifikat von");
    is_german(&browser, &["es ist selbst signiert", "nicht vertraut"]);
    browser.click("button[value='trust']");
    browser.waits_for("the log-in", |browser| {
        browser.text("main").contains("lehnt die Anmeldung")
    });
    is_german(&browser, &["Authentication failed.", "Prüfen Sie server.username"]);
    // It works, and not all that it found is right.
    browser.open(&first);
    browser.fill("#server-password", PASSWORD);
    tested(&browser, "nicht alles Gefundene");
    is_german(
        &browser,
        &[
            "1 Ordner, 30 Nachrichten",
            "sah die Kopfzeilen der neuesten 30 von INBOX an",
            "keine der neuesten 30 Nachrichten nennt einen bekannten Benutzer",
            "haben kein Received-Feld",
        ],
    );
    for step in ["recipients", "keeping", "dry-run"] {
        browser.open(&first.replace("/server", &format!("/{step}")));
        is_german(&browser, &[]);
    }
    browser.click("button[value='begin']");
    browser.waits_for("the dry run", |browser| {
        browser.text("main").contains("wurden angesehen")
    });
    is_german(&browser, &["30 Nachrichten"]);
}
