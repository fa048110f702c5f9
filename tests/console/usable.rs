//! That everybody can use each page: by axe-core, in both sizes and themes, and by keyboard.

use std::fs;

use serde_json::{Value, json};

use crate::{
    browser::{Browser, is_whole},
    first::{code, link},
    journeys::WITH_PAGE,
    people::{NAMES, peopled},
    site::{PASSWORD, Site},
    support::{appliance::Profile, dovecot::Dovecot, proxy::Proxy},
};

/// Each page that there is, with who opens it.
fn every_page() -> Vec<(&'static str, &'static str, &'static str)> {
    vec![
        ("", "log-in", "/console/log-in?to=%2Fconsole%2Fmail&over=1"),
        ("jane", "mail", "/console/mail"),
        ("jane", "search", "/console/mail?q=words1+OR+words3"),
        ("jane", "search-nothing", "/console/mail?q=nothing"),
        ("jane", "search-wrong", "/console/mail?q=words1+%28"),
        ("jane", "message", "/console/mail/2"),
        ("jane", "page", "/console/mail/9"),
        ("jane", "headers", "/console/mail/2/headers"),
        ("jane", "nested", "/console/mail/9/nested/4"),
        ("jane", "archives", "/console/archives"),
        ("jane", "archive", "/console/archives/jane"),
        ("jane", "beside", "/console/mail?q=words1+OR+words3&open=2"),
        ("jane", "beside-page", "/console/archives/jane?open=9"),
        ("jane", "beside-none", "/console/mail?open=999"),
        ("jane", "none-chosen", "/console/export?chosen=1"),
        ("jane", "account", "/console/account"),
        ("jane", "codes", "/console/account/codes"),
        ("jane", "handbook", "/console/handbook"),
        ("jane", "document", "/console/handbook/servers"),
        ("jane", "not-there", "/console/mail/999"),
        ("rita", "journal", "/console/mail/2/journal"),
        ("rita", "audit", "/console/audit"),
        ("rita", "audit-wrong", "/console/audit?since=2025-02-30"),
        ("anna", "overview", "/console/overview"),
        ("anna", "runs", "/console/runs"),
        ("anna", "run", "/console/runs/1"),
        ("anna", "unknown", "/console/unknown"),
        ("anna", "runs-wrong", "/console/runs?since=2025-01-02&until=2025-01-01"),
        ("anna", "assign", "/console/unknown/new%40example.com"),
        ("anna", "reroute", "/console/reroute?address=new%40example.com&user=new"),
        ("anna", "import", "/console/people/import"),
        ("anna", "people", "/console/people?address=new%40example.com"),
        ("anna", "person", "/console/people/accounts/jane"),
        ("anna", "account-remove", "/console/people/accounts/jane/remove"),
        ("anna", "nothing", "/console/nothing"),
        ("anna", "store", "/console/store"),
    ]
}

#[test]
fn everybody_can_use_each_page() {
    let site = peopled();
    site.import(WITH_PAGE);
    site.indexed();
    let axe = axe();
    let mut wrong = Vec::new();
    for name in ["", NAMES[0], NAMES[1], NAMES[2]] {
        let browser = Browser::new(&site);
        if !name.is_empty() {
            browser.log_in(name, "/console/account");
        }
        let pages = every_page()
            .into_iter()
            .enumerate()
            .filter(|(_, (who, ..))| *who == name);
        for (number, (_, page, path)) in pages {
            for dark in [false, true] {
                browser.is_dark(dark);
                let sizes = [(1920, 1080), (360, 740)];
                for (width, height) in match is_whole() {
                    true => &sizes[..],
                    // One in the light and the other in the dark, in turns.
                    false => &sizes[(number + usize::from(dark)) % 2..][..1],
                } {
                    browser.is_wide(*width, *height);
                    browser.open(path);
                    let overflow = browser.run("return document.documentElement.scrollWidth - innerWidth", &json!([]));
                    assert!(
                        overflow.as_i64().expect("a number") <= 0,
                        "{path} is wider than {width}: {overflow}"
                    );
                    let theme = if dark { "dark" } else { "light" };
                    browser.picture(&format!("{page}-{width}-{theme}"));
                    wrong.extend(violations(&browser, &axe, &format!("{path} at {width}, {theme}")));
                }
            }
            // By keyboard: the first stop is the way past the navigation.
            browser.open(path);
            browser.press("\u{e004}");
            let first = browser.run("return document.activeElement.className", &json!([]));
            assert!(
                first == "skip" || browser.has("[autofocus], #rows :focus, #chosen :focus"),
                "{path}: {first}"
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

pub fn axe() -> String {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/target/axe/node_modules/axe-core/axe.min.js"
    );
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{file}: {error}; tests/console/install-axe.sh fetches it"))
}

/// What axe-core finds wrong with a page.
pub fn violations(browser: &Browser, axe: &str, place: &str) -> Vec<String> {
    browser.run(axe, &json!([]));
    let script = "const done = arguments[arguments.length - 1];\
                  axe.run(document, { iframes: false }).then((found) => done(found.violations.map((violation) => \
                  violation.id + ': ' + violation.nodes.map((node) => node.html + ' ' + node.failureSummary).join(' | '))), \
                  (error) => done([String(error)]))";
    let found = browser.run_to_its_end(script, &json!([]));
    let found: Vec<Value> = found.as_array().cloned().unwrap_or_else(|| vec![found]);
    found.iter().map(|violation| format!("{place}: {violation}")).collect()
}

/// What is wrong with the page that the browser shows, in both sizes and themes, of which pictures are kept.
fn wrong_with(browser: &Browser, axe: &str, page: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for (width, height, dark) in [(1920, 1080, false), (360, 740, true)] {
        browser.is_wide(width, height);
        browser.is_dark(dark);
        let overflow = browser.run("return document.documentElement.scrollWidth - innerWidth", &json!([]));
        assert!(
            overflow.as_i64().expect("a number") <= 0,
            "{page} is wider than {width}: {overflow}"
        );
        let theme = if dark { "dark" } else { "light" };
        browser.picture(&format!("{page}-{width}-{theme}"));
        wrong.extend(violations(browser, axe, &format!("{page} at {width}, {theme}")));
    }
    wrong
}

#[test]
fn everybody_can_use_the_pages_that_come_once() {
    let axe = axe();
    let site = Site::new("[access]\nauditor_needs_reason = true\n", &[]);
    let link = link(&site).expect("a link");
    let browser = Browser::new(&site);
    browser.open(&link);
    let mut wrong = wrong_with(&browser, &axe, "first");
    browser.fill("#name", "anna");
    browser.fill("#password", PASSWORD);
    browser.fill("#again", "another one that is long");
    browser.click("main button");
    browser.waits_for("what is wrong", |browser| browser.has("#again-wrong"));
    wrong.extend(wrong_with(&browser, &axe, "first-wrong"));
    browser.fill("#password", PASSWORD);
    browser.fill("#again", PASSWORD);
    browser.click("main button");
    browser.waits_for("the offer of codes", |browser| browser.at() == "/console/account/codes");
    browser.click("main button.main");
    browser.waits_for("the secret", |browser| browser.has(".qr"));
    wrong.extend(wrong_with(&browser, &axe, "qr"));
    let secret = browser.text(".secret");
    browser.fill("#code", "000000");
    browser.click("main button.main");
    browser.waits_for("that it is wrong", |browser| browser.has("#code-wrong"));
    wrong.extend(wrong_with(&browser, &axe, "code-wrong"));
    browser.fill("#code", &code(&secret));
    browser.click("main button.main");
    browser.waits_for("the recovery codes", |browser| browser.has(".secrets"));
    wrong.extend(wrong_with(&browser, &axe, "recovery"));
    browser.click("main a.button");
    browser.waits_for("the overview", |browser| browser.at() == "/console/overview");
    browser.open("/console/account");
    browser.fill("#program", "phone");
    browser.click("form[action$='/applications'] button");
    browser.waits_for("the password", |browser| browser.has(".secret"));
    wrong.extend(wrong_with(&browser, &axe, "application"));
    browser.open("/console/people/import");
    browser.fill("#csv", "new,new@example.com\nother,nonsense");
    browser.click("form .actions button");
    browser.waits_for("what is wrong", |browser| browser.has("#csv-wrong"));
    wrong.extend(wrong_with(&browser, &axe, "import-wrong"));
    browser.fill("#csv", "new,new@example.com");
    browser.click("form .actions button");
    browser.waits_for("the preview", |browser| browser.has("#preview"));
    wrong.extend(wrong_with(&browser, &axe, "import-preview"));
    site.add("rita", "auditor", &[]);
    let auditor = Browser::new(&site);
    auditor.log_in("rita", "/console/mail");
    auditor.waits_for("the question", |browser| browser.has("#reason"));
    wrong.extend(wrong_with(&auditor, &axe, "reason"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn everybody_can_use_the_page_of_a_run_that_goes_on() {
    let server = Dovecot::start();
    let line = "words that take their time on a wire\r\n".repeat(250);
    server.deliver(
        (0..2000)
            .map(|number| format!("From: a@example.org\r\nTo: jane@example.com\r\nSubject: {number}\r\n\r\n{line}")),
    );
    let mut profile = Profile::new(&server, "imap-tls");
    // It goes on for as long as it is looked at.
    let wire = Proxy::to(profile.port);
    wire.hold_after(5_000_000);
    profile.port = wire.port;
    profile.timeout = "5m".into();
    let site = Site::of_profile("", &profile.toml(), &[]);
    site.add("anna", "administrator", &[]);
    let browser = Browser::new(&site);
    browser.log_in("anna", "/console/overview");
    browser.click(".card form button");
    browser.waits_for("the run", |browser| browser.has("[data-events]"));
    let mut wrong = wrong_with(&browser, &axe(), "run-goes-on");
    browser.open("/console/overview");
    wrong.extend(wrong_with(&browser, &axe(), "overview-goes-on"));
    browser.click(".card form button");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
