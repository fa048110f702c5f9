//! What people do in a browser, from the log-in to what they came for.

use serde_json::json;

use crate::{
    browser::Browser,
    first::{code, link},
    people::{log_in, peopled},
    site::{PASSWORD, Site},
    support::{
        appliance::{PROFILE, Profile},
        dovecot::Dovecot,
        proxy::Proxy,
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
    browser.waits_for("the message", |browser| browser.text(".reading h2") == "secret3");
    assert!(browser.text(".text").contains("words3"));
    assert!(browser.text(".files").contains("file3.bin"));
    browser.click(".actions a[download]");
    let (name, mail) = browser.downloaded_as();
    assert!(
        name.starts_with("20") && name.ends_with("Z secret3 000004.eml"),
        "{name}"
    );
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
    browser.waits_for("the message again", |browser| browser.text(".reading h2") == "secret3");
    browser.back();
    browser.waits_for("the list again", |browser| browser.at() == list);
    browser.forward();
    browser.waits_for("the message", |browser| browser.text(".reading h2") == "secret3");
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
    browser.waits_for("the message", |browser| browser.text(".reading h2") == "secret1");
}

#[test]
fn a_form_that_is_sent_after_the_session_ended_does_nothing_and_leads_back_to_its_page() {
    let site = peopled();
    let browser = Browser::new(&site);
    browser.log_in("anna", "/console/people?address=new%40example.com");
    browser.fill("#name", "newcomer");
    site.own(json!({"change_account": {"name": "anna", "wish": {"end_sessions": null}}}));
    browser.click("form[action$='/users'] button.main");
    browser.waits_for("the log-in", |browser| browser.at().starts_with("/console/log-in"));
    browser.fill("#name", "anna");
    browser.fill("#password", PASSWORD);
    browser.click("main button");
    browser.waits_for("the page of the form", |browser| browser.has("#addresses"));
    assert_eq!(browser.at(), "/console/people?address=new%40example.com");
    assert!(!browser.text("table").contains("newcomer"), "{}", browser.text("table"));
    browser.fill("#name", "newcomer");
    browser.click("form[action$='/users'] button.main");
    browser.waits_for("the new user", |browser| browser.text("table").contains("newcomer"));
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
    browser.waits_for("the message", |browser| browser.at().contains("open=4"));
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
    /// Bytes of 29 MB. More come when the page has shown what came, so that one can look at it for as long as it takes.
    const SHARE: u64 = 3_000_000;
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
    let mut profile = Profile::new(&server, "imap-tls");
    let wire = Proxy::to(profile.port);
    profile.port = wire.port;
    // What is fetched together is counted together: by a quarter of this.
    let site = Site::of_profile("[limits]\ninflight = \"1 MiB\"\n", &profile.toml(), &[]);
    site.add("anna", "administrator", &[]);
    let browser = Browser::new(&site);
    browser.log_in("anna", "/console/overview");
    wire.hold_after(SHARE);
    browser.click(".card form button");
    browser.waits_for("the run", |browser| browser.at().starts_with("/console/runs/"));
    let done = |browser: &Browser| browser.text("[data-done]").replace(',', "").parse().unwrap_or(0_u64);
    let mut shown = 0;
    browser.waits_for("progress", |browser| {
        let now = done(browser);
        if now > shown && wire.is_held() {
            shown = now;
            wire.hold_after(SHARE);
        }
        now > 0 && browser.text("[data-rate]").contains("per second")
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
    wire.open();
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
    // The address is given to a new user; what was filed for nobody is counted, and filed for them.
    browser.click("table a");
    browser.waits_for("the choice", |browser| browser.has("form[action$='/make']"));
    assert!(
        browser.text("main").contains("messages of the newest runs"),
        "{}",
        browser.text("main")
    );
    browser.click("form[action$='/make'] button");
    browser.waits_for("the count", |browser| browser.has("form[action$='/reroute/file']"));
    let counted = browser.text("main");
    assert!(
        counted.contains("stranger has now: stranger@example.com") && counted.contains("would be filed"),
        "{counted}"
    );
    browser.click("form[action$='/reroute/file'] button");
    browser.waits_for("the end of the filing", |browser| {
        browser.at().starts_with("/console/runs/") && browser.text(".figures").contains("completed")
    });
    assert!(browser.text("main").contains("filing anew"), "{}", browser.text("main"));
    browser.open("/console/people?find=stranger");
    let people = browser.text("table");
    assert!(
        people.contains("stranger@example.com") && !people.contains("0 B"),
        "{people}"
    );
    browser.open("/console/unknown");
    assert!(
        !browser.text("main").contains("stranger@example.com"),
        "{}",
        browser.text("main")
    );
}

/// A message with a page, an image of its own and one from outside, and a message within.
pub const WITH_PAGE: &str = "From: Jürgen Müller <j@example.org>\r\nTo: jane@example.com\r\nSubject: Quarterly report\r\n\
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
