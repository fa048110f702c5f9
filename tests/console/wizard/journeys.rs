//! Setting a profile up in a browser.

use serde_json::json;

use super::{mail, server};
use crate::{
    browser::{Browser, is_whole},
    first::link,
    people::log_in,
    site::{self, Site},
    support::dovecot::{Dovecot, MAILBOX, PASSWORD},
    usable::{axe, violations},
};

const NEXT: &str = ".wizard .actions button.main";

/// That nothing secret is in the page, or in its address.
fn says_nothing(browser: &Browser) {
    let page = browser.run("return document.documentElement.outerHTML + location.href", &json!([]));
    assert!(!page.as_str().expect("a page").contains(PASSWORD), "{page}");
}

/// Goes on to the next step.
fn next(browser: &Browser, step: &str) {
    says_nothing(browser);
    browser.click(NEXT);
    browser.waits_for(step, |browser| browser.at().ends_with(&format!("/{step}")));
    says_nothing(browser);
}

fn fill_in_server(browser: &Browser, server: &Dovecot) {
    browser.click("#server-access-imap-tls");
    browser.fill("#server-host", "localhost");
    browser.fill("#server-port", &server.ports.imap.to_string());
    browser.fill("#server-username", MAILBOX);
    browser.fill("#server-password", PASSWORD);
}

#[test]
fn one_comes_from_the_first_account_to_archived_mail_and_finds_it() {
    let server = server();
    let site = Site::of_profile("", "", &[]);
    let link = link(&site).expect("a link");
    let browser = Browser::new(&site);
    browser.open(&link);
    browser.fill("#name", "anna");
    browser.fill("#password", site::PASSWORD);
    browser.fill("#again", site::PASSWORD);
    browser.click("main button");
    browser.waits_for("the offer of codes", |browser| browser.at() == "/console/account/codes");
    browser.click("main a[href='/console']");
    browser.waits_for("the profiles", |browser| browser.at() == "/console/archive-mail");
    assert!(browser.text("main").contains("There is none yet"));
    browser.click("main button.main");
    browser.waits_for("the first step", |browser| browser.at().ends_with("/server"));

    // The usual port goes along with the access, until another one is typed.
    let port = |browser: &Browser| browser.run("return document.getElementById('server-port').value", &json!([]));
    for (access, usual) in [
        ("pop3-ssl", "995"),
        ("imap-tls", "143"),
        ("pop3", "110"),
        ("imap-ssl", "993"),
    ] {
        browser.click(&format!("#server-access-{access}"));
        assert_eq!(port(&browser), usual, "{access}");
    }
    browser.fill("#server-port", "1143");
    fill_in_server(&browser, &server);
    browser.fill("#server-port", "99999");
    browser.click(NEXT);
    browser.waits_for("what is wrong", |browser| browser.has("#server-port[aria-invalid]"));
    assert!(
        browser.text("#server-port-fault").contains("65535"),
        "{}",
        browser.text("main")
    );
    assert_eq!(port(&browser), "99999");
    says_nothing(&browser);
    browser.fill("#server-port", &server.ports.imap.to_string());
    next(&browser, "test");

    // No authority knows its certificate; it is trusted by one click.
    browser.waits_for("the certificate", |browser| browser.has("button[value='trust']"));
    assert!(browser.text("#certificate").contains("not trusted"));
    browser.waits_for("what to do with it", |browser| {
        browser.text(".steps-made").contains("Look at the certificate below")
    });
    assert!(browser.text("main").contains("can pose as the server"));
    let shown = browser.text("#fingerprint");
    browser.click("button[value='trust']");
    browser.waits_for("that it is tested", |browser| {
        browser.text("#certificate").contains("trusted by its fingerprint")
    });
    assert_eq!(browser.text("#fingerprint"), shown);
    let steps = browser.text(".steps-made");
    for step in ["Encrypt", "Log in", "Folders", "Newest headers"] {
        assert!(steps.contains(step), "{steps}");
    }
    next(&browser, "folders");
    let folders = browser.text(".folders");
    assert!(
        folders.contains("INBOX 30 messages") && folders.contains("Sent"),
        "{folders}"
    );
    assert!(browser.has("input[value='INBOX']:checked") && !browser.has("input[value='Sent']:checked"));
    browser.click("input[value='Sent']");
    next(&browser, "recipients");

    // Three messages that show different things, and rules that fit them.
    let seen = browser.text("main");
    for words in [
        "would go to jane, because Delivered-To names jane@example.com",
        "would go to bob",
        "would go to @catchall, because nobody in it is known",
    ] {
        assert!(seen.contains(words), "{words}: {seen}");
    }
    let domains = browser.run(
        "return document.getElementById('recipients-local_domains').value",
        &json!([]),
    );
    assert_eq!(domains, "example.com");
    assert!(browser.has("input[name='make'][value='newcomer@example.com']:checked"));
    browser.fill("input[name='name-newcomer@example.com']", "Nina");
    browser.click("button[value='users']");
    browser.waits_for("the users", |browser| browser.at().ends_with("done=users"));
    assert!(
        browser.text("main").contains("would go to Nina"),
        "{}",
        browser.text("main")
    );
    next(&browser, "keeping");
    let name = browser.run("return document.getElementById('name').value", &json!([]));
    assert_eq!(name, "example");
    browser.fill("#name", "the mail");
    // Back and forward by the browser and by the page: nothing is lost.
    browser.back();
    browser.waits_for("the step before", |browser| browser.at().contains("/recipients"));
    browser.forward();
    browser.waits_for("the step", |browser| browser.at().ends_with("/keeping"));
    browser.fill("#name", "the mail");
    browser.fill("#timezone", "Europe/Berlin");
    browser.click("button[value='folders']");
    browser.waits_for("the folders", |browser| browser.at().ends_with("/folders"));
    assert!(browser.has("input[value='INBOX']:checked") && browser.has("input[value='Sent']:checked"));
    browser.click("button[value='keeping']");
    browser.waits_for("the step", |browser| browser.at().ends_with("/keeping"));
    let zone = browser.run("return document.getElementById('timezone').value", &json!([]));
    assert_eq!(zone, "Europe/Berlin");
    next(&browser, "dry-run");
    browser.click("form.told button");
    browser.waits_for("the rehearsal", |browser| {
        browser.text("main").contains("33 messages were looked at")
    });
    let table = browser.text(".told table");
    assert!(
        table.contains("jane") && table.contains("Nina") && table.contains("11"),
        "{table}"
    );
    next(&browser, "finish");
    let words = browser.text(".in-words").replace('\t', " ");
    for (about, holds) in [
        ("Kind of access", "IMAP, STARTTLS".to_owned()),
        ("Port", server.ports.imap.to_string()),
        ("How it logs in", "Password".to_owned()),
        ("Trust only this one", String::new()),
        ("Folders to archive", "INBOX, Sent".to_owned()),
        ("Domains whose addresses are yours", "example.com".to_owned()),
        ("A message in which nobody is known", "is kept for @catchall".to_owned()),
        ("Deletion on the server", "Never".to_owned()),
        ("When it runs", "every quarter of an hour".to_owned()),
        ("Time zone of the schedule", "Europe/Berlin".to_owned()),
    ] {
        assert!(
            words.contains(&format!("{about} {holds}")) || holds.is_empty() && words.contains(about),
            "{about}: {words}"
        );
    }
    assert!(browser.text("main").contains("the mail"));
    browser.click(NEXT);
    browser.waits_for("the run", |browser| browser.at().starts_with("/console/runs/"));
    browser.waits_for("its end", |browser| browser.text(".figures").contains("completed"));
    assert!(browser.text("main").contains("33"), "{}", browser.text("main"));

    // The run leads to its profile, and that to its runs.
    let run = browser.at();
    browser.click(".figures a[href='/console/profiles/the%20mail']");
    browser.waits_for("the profile", |browser| browser.has(".in-words"));
    assert!(browser.text(".in-words").contains("IMAP, STARTTLS"));
    browser.click("main a[href^='/console/runs?profile=']");
    browser.waits_for("its runs", |browser| {
        browser.has(&format!("td a[href='{run}'], th a[href='{run}']"))
    });

    // A dry run after it says how much is archived already.
    browser.open("/console/archive-mail");
    browser.click("main td form[action='/console/archive-mail'] button");
    browser.waits_for("the first step", |browser| browser.at().ends_with("/server"));
    browser.click("button[value='dry-run']");
    browser.waits_for("the dry run", |browser| browser.at().ends_with("/dry-run"));
    browser.click("form.told button");
    browser.waits_for("what is archived", |browser| {
        browser
            .text(".told table")
            .contains("of all these archived already\t33")
    });

    // Somebody who may read it finds it.
    browser.open("/console/people");
    browser.run(
        "for (const one of document.querySelectorAll('details')) one.open = true",
        &json!([]),
    );
    browser.fill("#account", "jane");
    browser.fill("#archives", "jane");
    browser.fill("#password", site::PASSWORD);
    browser.fill("#again", site::PASSWORD);
    browser.click("form[action='/console/people/accounts'] button.main");
    browser.waits_for("the account", |browser| {
        browser.at().contains("done=") || browser.at().contains("/accounts/")
    });
    site.indexed();
    let jane = Browser::new(&site);
    jane.log_in("jane", "/console/mail?q=body3");
    assert!(jane.text("#rows").contains("words3"), "{}", jane.text("main"));
    assert_eq!(browser.asked_elsewhere(), Vec::<String>::new());
    assert!(!site.serving.running.stderr().contains(PASSWORD));
}

#[test]
fn a_certificate_that_was_not_shown_is_not_trusted() {
    let server = server();
    let (site, anna) = super::empty();
    let draft = super::Draft::begin(&anna, "");
    let fields = super::of_server(&server);
    let fields = super::with(&super::lent(&fields), &[("server.tls", "system")]);
    draft.goes("server", "next", &fields, "test");
    draft.goes("test", "begin", &[], "test");
    let another = format!("sha256:{}", "ab".repeat(32));
    draft.goes("test", "trust", &[("pin", &another)], "test");
    let page = draft.get("test");
    assert!(page.contains("not trusted") && !page.contains(&another), "{page}");
    // Nor is that of another server than the one that is named now.
    let shown = crate::people::between(&page, "id=\"fingerprint\">", "<").to_owned();
    draft.goes(
        "server",
        "next",
        &super::with(&fields, &[("server.host", "127.0.0.1")]),
        "test",
    );
    draft.goes("test", "trust", &[("pin", &shown)], "test");
    assert!(!draft.get("server").contains(&shown));
    draft.goes("test", "ignore", &[], "test");
    draft.goes("test", "begin", &[], "test");
    assert!(draft.get("test").contains("not checked"));
    drop(site);
}

#[test]
fn without_script_the_steps_are_shown_at_the_end() {
    let server = server();
    let (site, _) = super::empty();
    let browser = Browser::with(&site, &["--blink-settings=scriptEnabled=false"]);
    browser.open("/console/log-in");
    browser.fill("#name", "anna");
    browser.fill("#password", site::PASSWORD);
    browser.click("main button");
    browser.waits_for("the start", |browser| browser.at() == "/console/archive-mail");
    browser.click("main button.main");
    browser.waits_for("the first step", |browser| browser.at().ends_with("/server"));
    fill_in_server(&browser, &server);
    browser.click("#server-tls-none");
    browser.click(NEXT);
    browser.waits_for("the test", |browser| browser.at().ends_with("/test"));
    browser.click("form.told button");
    browser.waits_for("its steps", |browser| browser.has(".steps-made li"));
    browser.click(NEXT);
    browser.waits_for("the folders", |browser| browser.has(".folders"));
    browser.click(NEXT);
    browser.waits_for("the recipients", |browser| browser.has(".examples"));
    browser.click(NEXT);
    browser.waits_for("the times", |browser| browser.has("#schedule"));
    browser.click(NEXT);
    browser.waits_for("the rehearsal", |browser| browser.at().ends_with("/dry-run"));
    browser.click("form.told button");
    browser.waits_for("its table", |browser| browser.has(".told table"));
    browser.click(NEXT);
    browser.waits_for("the end", |browser| browser.has("#run-later"));
    browser.click("#run-later");
    browser.click(NEXT);
    browser.waits_for("the profiles", |browser| {
        browser.at() == "/console/archive-mail?done=saved"
    });
    let (anna, _) = log_in(&site, "anna", "");
    assert_eq!(
        super::setup(&anna, "example")["profile"]["server"]["tls"],
        json!({"verify": "none"})
    );
}

#[test]
fn everybody_can_use_each_page_of_it() {
    let server = Dovecot::start();
    server.deliver(mail(9));
    let (site, _) = super::empty();
    let axe = axe();
    let browser = Browser::new(&site);
    browser.log_in("anna", "/console/archive-mail");
    browser.click("main button.main");
    browser.waits_for("the first step", |browser| browser.at().ends_with("/server"));
    let draft = browser.at().strip_suffix("/server").expect("a draft").to_owned();
    fill_in_server(&browser, &server);
    browser.click(NEXT);
    browser.waits_for("the certificate", |browser| browser.has("button[value='trust']"));
    let mut wrong = looked_at(&browser, &axe, "wizard-certificate", &format!("{draft}/test"));
    browser.click("button[value='trust']");
    browser.waits_for("that it is tested", |browser| {
        browser.text("#certificate").contains("trusted by its fingerprint")
    });
    browser.open(&format!("{draft}/dry-run"));
    browser.click("form.told button");
    browser.waits_for("the rehearsal", |browser| browser.has(".told .notice"));
    for step in [
        "server",
        "test",
        "folders",
        "recipients",
        "keeping",
        "dry-run",
        "finish",
    ] {
        wrong.extend(looked_at(
            &browser,
            &axe,
            &format!("wizard-{step}"),
            &format!("{draft}/{step}"),
        ));
    }
    // With something wrong at its field.
    browser.open(&format!("{draft}/keeping"));
    browser.click("details:has(#connections) summary");
    browser.fill("#delete-after", "a month");
    browser.fill("#connections", "99");
    browser.click("button[value='folders']");
    browser.waits_for("the folders", |browser| browser.at().ends_with("/folders"));
    wrong.extend(looked_at(
        &browser,
        &axe,
        "wizard-wrong",
        &format!("{draft}/keeping?check=1"),
    ));
    browser.open(&format!("{draft}/keeping"));
    browser.fill("#delete-after", "");
    browser.fill("#connections", "");
    browser.click("button[value='finish']");
    browser.waits_for("the end", |browser| browser.at().ends_with("/finish"));
    browser.click("#run-later");
    browser.click(NEXT);
    browser.waits_for("the profiles", |browser| browser.at().ends_with("done=saved"));
    for (page, path) in [
        ("profiles", "/console/archive-mail"),
        ("profile", "/console/profiles/example"),
        ("profile-remove", "/console/profiles/example/remove"),
        ("wizard-lost", "/console/archive-mail/0/server"),
    ] {
        wrong.extend(looked_at(&browser, &axe, page, path));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What axe-core finds wrong with a page: wide in the light and narrow in the dark, or all of it.
fn looked_at(browser: &Browser, axe: &str, page: &str, path: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let ways = [
        (1920, 1080, false),
        (360, 740, true),
        (1920, 1080, true),
        (360, 740, false),
    ];
    for (width, height, dark) in ways.into_iter().take(if is_whole() { 4 } else { 2 }) {
        browser.is_dark(dark);
        browser.is_wide(width, height);
        browser.open(path);
        let overflow = browser.run("return document.documentElement.scrollWidth - innerWidth", &json!([]));
        assert!(
            overflow.as_i64().expect("a number") <= 0,
            "{path} is wider than {width}: {overflow}"
        );
        browser.picture(&format!("{page}-{width}-{}", if dark { "dark" } else { "light" }));
        wrong.extend(violations(browser, axe, &format!("{path} at {width}")));
        browser.press("\u{e004}");
        let first = browser.run("return document.activeElement.className", &json!([]));
        assert_eq!(first, "skip", "{path}");
    }
    browser.is_wide(1920, 1080);
    browser.is_dark(false);
    wrong
}
