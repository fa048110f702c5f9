//! What people do in a browser, from the log-in to what they came for; and that everybody can use each page.

use std::fs;

use serde_json::{Value, json};

use crate::{
    browser::{Browser, is_whole},
    first::{code, link},
    people::{NAMES, log_in, peopled},
    site::{PASSWORD, Site},
    support::{
        appliance::{PROFILE, Profile},
        dovecot::Dovecot,
        proxy::{Link, Proxy},
    },
};

/// Keys, as WebDriver has them.
const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";

#[test]
fn one_logs_in_searches_reads_and_downloads() {
    let site = peopled();
    let browser = Browser::new(&site);
    browser.log_in("jane", "/console/mail");
    browser.press("/");
    browser.fill("#q", "words3");
    browser.press(ENTER);
    browser.waits_for("what was found", |browser| browser.at().contains("q=words3"));
    assert!(browser.text(".total").contains("1 message"), "{}", browser.text("main"));
    assert!(browser.text(".snippet mark").contains("words3"));
    let list = browser.at();
    browser.press("j");
    browser.press(ENTER);
    browser.waits_for("the message", |browser| browser.text("h1") == "secret3");
    assert!(browser.text(".text").contains("words3"));
    assert!(browser.text(".files").contains("file3.bin"));
    browser.click(".actions a[download]");
    let mail = browser.downloaded();
    assert!(
        mail.starts_with(b"From: sender3@example.org\r\n"),
        "{}",
        String::from_utf8_lossy(&mail)
    );
    browser.click(".files a[download]");
    assert_eq!(browser.downloaded(), b"attached");
    // Back where one was, by key and by the browser.
    browser.press(ESCAPE);
    browser.waits_for("the list", |browser| browser.at() == list);
    browser.back();
    browser.waits_for("the message again", |browser| browser.text("h1") == "secret3");
    browser.back();
    browser.waits_for("the list again", |browser| browser.at() == list);
    browser.forward();
    browser.waits_for("the message", |browser| browser.text("h1") == "secret3");
    browser.press(ESCAPE);
    browser.waits_for("the list", |browser| browser.at() == list);
    // The row that was opened has the focus.
    let focused = browser.run("return document.activeElement.hasAttribute('data-row')", &json!([]));
    assert_eq!(focused, true);
    assert_eq!(browser.asked_elsewhere(), Vec::<String>::new());
}

#[test]
fn two_people_at_once_see_each_their_own() {
    let site = peopled();
    site.add("bob", "user", &["bob"]);
    let (one, other) = (Browser::new(&site), Browser::new(&site));
    one.log_in("jane", "/console/mail");
    other.log_in("bob", "/console/mail");
    for _ in 0..3 {
        one.open("/console/mail?q=words1+OR+words2+OR+words3");
        other.open("/console/mail?q=words1+OR+words2+OR+words3");
        let (of_one, of_other) = (one.text("#rows"), other.text("#rows"));
        assert!(
            of_one.contains("secret1") && of_one.contains("secret3") && !of_one.contains("secret2"),
            "{of_one}"
        );
        assert!(
            of_other.contains("secret2") && of_other.contains("secret3") && !of_other.contains("secret1"),
            "{of_other}"
        );
    }
    one.open("/console/mail/3");
    assert!(one.text("main").contains("no message 3"), "{}", one.text("main"));
}

#[test]
fn a_session_that_ends_in_the_midst_of_work_is_taken_up_where_it_was() {
    let site = peopled();
    let browser = Browser::new(&site);
    browser.log_in("jane", "/console/mail?q=words1");
    site.own(json!({"change_account": {"name": "jane", "wish": {"end_sessions": null}}}));
    browser.click("[data-row]");
    browser.waits_for("the log-in", |browser| browser.at().starts_with("/console/log-in"));
    assert!(browser.text("main").contains("you will come back"));
    browser.fill("#name", "jane");
    browser.fill("#password", PASSWORD);
    browser.click("main button");
    browser.waits_for("the message", |browser| browser.text("h1") == "secret1");
}

#[test]
fn without_script_all_but_progress_works() {
    let site = peopled();
    let browser = Browser::with(&site, &["--blink-settings=scriptEnabled=false"]);
    browser.open("/console/log-in");
    browser.fill("#name", "jane");
    browser.fill("#password", PASSWORD);
    browser.click("main button");
    browser.waits_for("the mail", |browser| browser.at() == "/console/mail");
    browser.fill("#q", "words3");
    browser.click(".search button");
    browser.waits_for("what was found", |browser| browser.at().contains("words3"));
    browser.click("[data-row]");
    browser.waits_for("the message", |browser| browser.at().starts_with("/console/mail/4"));
    browser.click("#back");
    browser.waits_for("the list", |browser| browser.at().contains("q=words3"));
    browser.click(".who button");
    browser.waits_for("the log-in", |browser| browser.at() == "/console/log-in");
}

#[test]
fn the_first_administrator_comes_in_by_the_link_and_sets_up_codes() {
    let site = Site::new("", &[]);
    let link = link(&site).expect("a link");
    let browser = Browser::new(&site);
    browser.open(&link);
    browser.fill("#name", "anna");
    browser.fill("#password", PASSWORD);
    browser.fill("#again", PASSWORD);
    browser.click("main button");
    browser.waits_for("the offer of codes", |browser| browser.at() == "/console/account/codes");
    browser.click("main button.main");
    browser.waits_for("the secret", |browser| browser.has(".qr"));
    let secret = browser.text(".secret");
    browser.fill("#code", &code(&secret));
    browser.click("main button.main");
    browser.waits_for("the recovery codes", |browser| browser.has(".secrets"));
    browser.click("main a.button");
    browser.waits_for("the overview", |browser| browser.at() == "/console/overview");
    assert!(browser.text("main").contains(PROFILE));
}

#[test]
fn a_run_is_watched_while_it_lasts_and_stopped() {
    let server = Dovecot::start();
    let line = "words that take their time on a wire\r\n";
    let mail = (0..3000).map(|number| {
        let to = if number % 4 == 0 { "stranger" } else { "jane" };
        format!(
            "From: a@example.org\r\nTo: {to}@example.com\r\nSubject: {number}\r\n\r\n{}",
            line.repeat(250)
        )
    });
    server.deliver(mail);
    // So slow that one can look at it; what is fetched together is counted together.
    let link = Link {
        rate: Some(4_000_000),
        ..Link::default()
    };
    let mut profile = Profile::new(&server, "imap-tls");
    let wire = Proxy::over(profile.port, link);
    profile.port = wire.port;
    let site = Site::of_profile("", &profile.toml(), &[]);
    site.add("anna", "administrator", &[]);
    let browser = Browser::new(&site);
    browser.log_in("anna", "/console/overview");
    browser.click(".card form button");
    browser.waits_for("the run", |browser| browser.at().starts_with("/console/runs/"));
    let done = |browser: &Browser| browser.text("[data-done]").replace(',', "").parse().unwrap_or(0_u64);
    browser.waits_for("progress", |browser| {
        done(browser) > 0 && browser.text("[data-rate]").contains("per second")
    });
    assert!(
        browser.text("[data-expected]").contains("3,000"),
        "{}",
        browser.text("main")
    );
    browser.picture("run-live-1920-light");
    browser.click("[data-events] button");
    browser.waits_for("its end", |browser| {
        browser.text("h1").starts_with("Run") && !browser.has("[data-events]")
    });
    assert!(
        browser.text(".figures").contains("interrupted"),
        "{}",
        browser.text("main")
    );
    browser.open("/console/overview");
    browser.click(".card form button");
    browser.waits_for("the end of the next", |browser| {
        browser.text(".figures").contains("completed")
    });
    browser.open("/console/runs");
    assert!(browser.text("table").contains(PROFILE));
    browser.open("/console/unknown");
    assert!(
        browser.text("main").contains("stranger@example.com"),
        "{}",
        browser.text("main")
    );
    browser.click("table a");
    browser.waits_for("the form", |browser| browser.has("#addresses"));
    browser.click("form[action$='/users'] button.main");
    browser.waits_for("the new user", |browser| browser.at().contains("done=saved"));
    assert!(
        browser.text("table").contains("stranger@example.com"),
        "{}",
        browser.text("main")
    );
}

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
        ("jane", "account", "/console/account"),
        ("jane", "codes", "/console/account/codes"),
        ("jane", "not-there", "/console/mail/999"),
        ("rita", "journal", "/console/mail/2/journal"),
        ("rita", "audit", "/console/audit"),
        ("anna", "overview", "/console/overview"),
        ("anna", "runs", "/console/runs"),
        ("anna", "run", "/console/runs/1"),
        ("anna", "unknown", "/console/unknown"),
        ("anna", "people", "/console/people?address=new%40example.com"),
        ("anna", "person", "/console/people/accounts/jane"),
        ("anna", "store", "/console/store"),
    ]
}

/// A message with a page, an image of its own and one from outside, and a message within.
const WITH_PAGE: &str = "From: Jürgen Müller <j@example.org>\r\nTo: jane@example.com\r\nSubject: Quarterly report\r\n\
    Date: Mon, 1 Jan 2024 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
    Content-Type: multipart/related; boundary=r\r\n\r\n--r\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
    <h2>Report</h2><p>Dear Jane,</p><p>the <b>figures</b>:</p><table border=1 cellpadding=6><tr><th>Month<th>Sum<tr><td>May\
    <td>12</table><img src=\"cid:logo@x\" alt=\"logo\"><img src=\"https://evil.example/x.png\" alt=\"outside\">\r\n--r\r\n\
    Content-Type: image/png\r\nContent-ID: <logo@x>\r\nContent-Transfer-Encoding: base64\r\n\r\n\
    iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==\r\n--r--\r\n--b\r\n\
    Content-Type: application/pdf; name=\"figures.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\nYWJj\r\n--b\r\n\
    Content-Type: message/rfc822\r\n\r\nFrom: inner@example.org\r\nSubject: inner\r\n\r\nHello\r\n> a\r\n> b\r\n> c\r\n> d\r\nBye\r\n--b--\r\n";

#[test]
fn a_page_of_mail_is_shown_shut_in_with_its_own_images() {
    let site = peopled();
    site.import(WITH_PAGE);
    site.indexed();
    let browser = Browser::new(&site);
    browser.log_in("jane", "/console/mail/9");
    let body = log_in(&site, "jane", "")
        .0
        .get("/console/mail/9/body")
        .expect(200)
        .text();
    assert!(body.contains("<img src=\"data:image/png;base64,iVBOR"), "{body}");
    browser.open("/console/mail/9/body");
    let seen = browser.run(
        "return [document.images[0].naturalWidth, document.images[1].hasAttribute('src'), \
         getComputedStyle(document.body).marginTop, document.querySelector('h2').textContent]",
        &json!([]),
    );
    assert_eq!(seen, json!([1, false, "16px", "Report"]));
    browser.open("/console/mail/9/nested/4");
    assert!(
        browser.text(".text").contains("Hello") && browser.text("details").contains("4 lines"),
        "{}",
        browser.text("main")
    );
    assert_eq!(browser.asked_elsewhere(), Vec::<String>::new());
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
                first == "skip" || browser.has("#code[autofocus], [data-row]:focus"),
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
