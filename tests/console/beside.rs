//! A message beside its list, messages that are chosen, and mail that comes while somebody looks.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::{
    browser::Browser,
    people::{log_in, peopled},
    site::Site,
};

const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";

/// Whether something can be seen.
fn is_seen(browser: &Browser, selector: &str) -> bool {
    let seen = browser.run(
        "return (document.querySelector(arguments[0])?.getClientRects().length ?? 0) > 0",
        &json!([selector]),
    );
    seen == true
}

#[test]
fn a_message_is_open_beside_its_list_and_alone_where_there_is_no_room() {
    let site = peopled();
    let browser = Browser::new(&site);
    browser.is_wide(1600, 900);
    browser.log_in("jane", "/console/mail?q=words1+OR+words3+OR+words5");
    let list = browser.at();
    browser.press("j");
    browser.press(ENTER);
    browser.waits_for("the message", |browser| browser.has(".reading"));
    assert!(
        is_seen(&browser, "#rows") && is_seen(&browser, ".reading .text"),
        "both are there"
    );
    let (first, subject) = (browser.at(), browser.text(".reading h2"));
    assert!(subject.starts_with("secret"), "{subject}");
    assert_eq!(browser.text("[aria-current='true'] .subject"), subject);
    // The row of the message has the focus; the next one is opened in its place.
    browser.press("j");
    browser.press(ENTER);
    browser.waits_for("the next message", |browser| browser.text(".reading h2") != subject);
    browser.back();
    browser.waits_for("the first message", |browser| browser.at() == first);
    browser.forward();
    browser.waits_for("the next message", |browser| browser.at() != first);
    // All about it leads back beside the list.
    browser.click(".reading .actions a[href*='headers']");
    browser.waits_for("the headers", |browser| browser.at().contains("/headers"));
    browser.press(ESCAPE);
    browser.waits_for("beside the list", |browser| {
        browser.at().contains("open=") && browser.has(".reading")
    });
    browser.press(ESCAPE);
    browser.waits_for("the list alone", |browser| browser.at() == list);
    assert!(!browser.has(".reading"));
    // In a narrow window it is alone, and Esc leads back all the same.
    browser.is_wide(700, 900);
    browser.click("[data-row]");
    browser.waits_for("the message", |browser| browser.has(".reading"));
    assert!(
        !is_seen(&browser, "#rows") && is_seen(&browser, ".reading .text"),
        "it is alone"
    );
    browser.press(ESCAPE);
    browser.waits_for("the list alone", |browser| browser.at() == list);
    assert!(is_seen(&browser, "#rows"));
    assert_eq!(browser.asked_elsewhere(), Vec::<String>::new());
}

#[test]
fn messages_that_are_chosen_are_downloaded() {
    let site = peopled();
    let browser = Browser::new(&site);
    browser.log_in("jane", "/console/mail?q=words1+OR+words3");
    browser.click("#chosen button");
    browser.waits_for("that none was chosen", |browser| browser.has("#id-wrong"));
    assert!(browser.text("#rows").contains("secret1"), "{}", browser.text("main"));
    browser.click("#rows li:nth-child(1) input");
    browser.click("#rows li:nth-child(2) input");
    browser.click("#chosen button");
    assert!(browser.downloaded().starts_with(b"PK"));
}

#[test]
fn mail_that_comes_while_one_pages_moves_nothing() {
    let site = Site::new("", &[]);
    site.add("jane", "user", &["jane"]);
    let mail = |number: usize| {
        format!(
            "From: a@example.org\r\nTo: jane@example.com\r\nSubject: s{number}\r\nDate: Mon, 1 Jan 2024 10:{:02}:00 +0000\r\n\r\nx\r\n",
            number % 60
        )
    };
    (0..60).for_each(|number| site.import(&mail(number)));
    site.indexed();
    let browser = Browser::new(&site);
    browser.log_in("jane", "/console/mail");
    let subjects = |browser: &Browser| -> Vec<String> {
        let found = browser.run(
            "return [...document.querySelectorAll('#rows .subject')].map((subject) => subject.textContent.trim())",
            &json!([]),
        );
        let found = found.as_array().cloned().unwrap_or_default();
        found
            .iter()
            .filter_map(|subject| subject.as_str().map(str::to_owned))
            .collect()
    };
    let first = subjects(&browser);
    assert_eq!((first.len(), &*first[0], &*first[39]), (40, "s59", "s20"));
    site.import("From: a@example.org\r\nTo: jane@example.com\r\nSubject: late\r\n\r\nx\r\n");
    site.indexed();
    browser.click(".pager a");
    browser.waits_for("the next page", |browser| browser.at().contains("cursor="));
    let second = subjects(&browser);
    assert_eq!(
        (second.len(), &*second[0], &*second[19]),
        (20, "s19", "s0"),
        "none comes twice, none is passed over"
    );
    // A message is open in the middle of it, and one comes again.
    browser.click("[data-row]");
    browser.waits_for("the message", |browser| browser.text(".reading h2") == "s19");
    browser.press(ESCAPE);
    browser.waits_for("the same page", |browser| !browser.has(".reading"));
    assert_eq!(subjects(&browser), second);
    browser.back();
    browser.back();
    browser.back();
    browser.waits_for("the first page", |browser| browser.at() == "/console/mail");
    browser.open("/console/mail");
    assert_eq!(subjects(&browser)[0], "late");
}

/// How many pages of paper the page of a browser is.
fn sheets(browser: &Browser) -> usize {
    let printed = browser.cdp("Page.printToPDF", &json!({}));
    let pdf = STANDARD
        .decode(printed["data"].as_str().expect("a file"))
        .expect("base64");
    memchr::memmem::find_iter(&pdf, b"/Type /Page\n").count()
}

#[test]
fn all_of_a_message_is_on_paper() {
    let site = peopled();
    let paragraphs: String = (0..150)
        .map(|number| format!("<p>Paragraph {number} of the page</p>\r\n"))
        .collect();
    site.import(&format!(
        "From: a@example.org\r\nTo: jane@example.com\r\nSubject: Long\r\nContent-Type: text/html\r\n\r\n{paragraphs}"
    ));
    site.import(
        "From: a@example.org\r\nTo: jane@example.com\r\nSubject: Short\r\nContent-Type: text/html\r\n\r\n<p>One line",
    );
    let quoted: String = (0..200).map(|number| format!("> quoted {number}\r\n")).collect();
    site.import(&format!(
        "From: a@example.org\r\nTo: jane@example.com\r\nSubject: Text\r\n\r\nSee\r\n{quoted}"
    ));
    site.indexed();
    let browser = Browser::new(&site);
    browser.log_in("jane", "/console/mail/10");
    let of_short = sheets(&browser);
    let height = |browser: &Browser| browser.run("return document.querySelector('iframe').offsetHeight", &json!([]));
    let low = height(&browser);
    browser.open("/console/mail/9");
    assert!(height(&browser).as_u64() > low.as_u64());
    let is_seen = |selector: &str| {
        let script = "const part = document.querySelector(arguments[0]); return !!part && part.offsetHeight > 0";
        browser.run(script, &json!([selector]))
    };
    assert_eq!((is_seen(".printed"), is_seen(".why")), (json!(false), json!(true)));
    // 150 paragraphs are more than three sheets, of a frame one.
    assert_eq!(of_short, 1);
    assert!(sheets(&browser) > 3, "{}", sheets(&browser));
    browser.cdp("Emulation.setEmulatedMedia", &json!({"media": "print"}));
    assert_eq!(
        (is_seen(".printed"), is_seen(".why"), is_seen("iframe")),
        (json!(true), json!(false), json!(false))
    );
    assert!(browser.text(".printed").contains("Paragraph 149 of the page"));
    browser.cdp("Emulation.setEmulatedMedia", &json!({"media": ""}));
    // Its page as it is, all of it, for whoever may read it.
    let path = "/console/mail/9/print";
    log_in(&site, "anna", "").0.get(path).expect(404);
    let page = log_in(&site, "rita", "").0.get(path).expect(200);
    assert!(page.field("content-security-policy").contains("img-src data:; "));
    browser.open("/console/mail/9/print");
    let shown = browser.text("body");
    assert!(
        shown.contains("a@example.org") && shown.contains("Paragraph 149 of the page"),
        "{shown}"
    );
    assert!(sheets(&browser) > 3);
    // What is folded on the screen is not on paper.
    browser.open("/console/mail/11");
    assert!(sheets(&browser) > 3);
    browser.open("/console/mail/11/print");
    assert!(browser.text("body").contains("> quoted 199") && sheets(&browser) > 3);
    assert_eq!(browser.asked_elsewhere(), Vec::<String>::new());
}
