//! The pictures of README, from made-up mail: in target/console-pictures, or in the folder that PICTURES names.

use std::path::PathBuf;

use jiff::{Timestamp, ToSpan, tz::TimeZone};

use crate::{
    browser::Browser,
    site::Site,
    support::{PATIENCE, appliance::Profile, dovecot::Dovecot, wait_for},
};

/// Bytes of a picture at most.
const LARGEST: usize = 200_000;
const MESSAGES: usize = 240;

const PEOPLE: [(&str, &str); 6] = [
    ("Ada Brandt", "ada@brandt-timber.example"),
    ("Northwind Orders", "orders@northwind.example"),
    ("Tomás Rivera", "tomas@rivera-design.example"),
    ("Harbour Freight", "dispatch@harbour.example"),
    ("Mei Lin", "mei.lin@lumen.example"),
    ("Accounts, Delta Print", "accounts@deltaprint.example"),
];

/// What they write about: subject, and text.
const MATTERS: [(&str, &str); 8] = [
    (
        "Offer for 40 oak boards",
        "here is our offer for the oak boards, 27 mm, planed. The price holds until the end of the month.",
    ),
    (
        "Invoice 20417",
        "please find attached the invoice for last week's delivery. Payment within 14 days.",
    ),
    (
        "Re: drawings for the reception desk",
        "the second version of the drawings is attached. The desk is 20 mm lower now, as you asked.",
    ),
    (
        "Delivery on Thursday",
        "your pallets leave the warehouse on Wednesday night and arrive on Thursday before noon.",
    ),
    (
        "Minutes of our call",
        "thank you for the call. I have written down what we agreed on, and what is still open.",
    ),
    (
        "Quarterly figures",
        "the figures for the quarter are in the attached sheet. Orders grew by a tenth.",
    ),
    (
        "Questions about the contract",
        "two clauses are not clear to us yet. Could we go through them tomorrow?",
    ),
    (
        "Reminder: order 8831",
        "we have not heard from you about order 8831 yet. Should we keep the boards for you?",
    ),
];

fn mail(number: usize) -> String {
    let ((name, address), (subject, text)) = (PEOPLE[number % PEOPLE.len()], MATTERS[(number / 2) % MATTERS.len()]);
    let to = ["jane", "bob", "jane", "rita", "sales"][number % 5];
    let sent = Timestamp::now() - ((number * number * 11 + number * 3) as i64).minutes();
    let date = sent.to_zoned(TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S +0000");
    let begin = format!(
        "From: {name} <{address}>\r\nTo: {to}@example.com\r\nSubject: {subject}\r\nDate: {date}\r\nMIME-Version: 1.0\r\n"
    );
    let greeting = format!("Dear colleagues,\r\n\r\n{text}\r\n\r\nKind regards\r\n{name}\r\n");
    match number % 3 {
        0 => format!(
            "{begin}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{greeting}\
             --b\r\nContent-Type: application/pdf; name=\"document-{number}.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n--b--\r\n",
            "JVBERi0xLjQK".repeat(300)
        ),
        _ => format!("{begin}Content-Type: text/plain; charset=utf-8\r\n\r\n{greeting}"),
    }
}

/// With a page, and a table in it.
fn report() -> String {
    let date = Timestamp::now()
        .to_zoned(TimeZone::UTC)
        .strftime("%a, %d %b %Y %H:%M:%S +0000");
    let rows: String = [
        ("January", "412", "38,200"),
        ("February", "437", "41,900"),
        ("March", "468", "44,150"),
    ]
    .map(|(month, orders, sum)| format!("<tr><td>{month}<td align=right>{orders}<td align=right>{sum}"))
    .concat();
    format!(
        "From: Mei Lin <mei.lin@lumen.example>\r\nTo: jane@example.com\r\nCc: bob@example.com\r\nSubject: Quarterly report\r\n\
         Date: {date}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
         Content-Type: text/html; charset=utf-8\r\n\r\n<p>Dear Jane,</p><p>orders grew by a <b>tenth</b> against the quarter before:</p>\
         <table border=1 cellpadding=6><tr><th>Month<th>Orders<th>Sum in €{rows}</table><p>The sheet has the details.</p><p>Mei</p>\r\n\
         --b\r\nContent-Type: application/vnd.ms-excel; name=\"quarter.xls\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n--b--\r\n",
        "0M8R4KGxGuEA".repeat(500)
    )
}

#[test]
fn the_pictures_of_the_readme_are_made_and_small() {
    let folder = std::env::var_os("PICTURES").map_or_else(|| "target/console-pictures/readme".into(), PathBuf::from);
    let server = Dovecot::start();
    server.deliver((0..MESSAGES).map(mail).chain([report()]));
    let site = Site::of_profile("", &Profile::new(&server, "imap-ssl").toml(), &[]);
    site.add("anna", "administrator", &["jane"]);
    site.appliance.done(&["archive"]);
    site.indexed();
    let backup = site.path("backup");
    site.appliance.done(&["backup", backup.to_str().expect("a name")]);
    let browser = Browser::new(&site);
    browser.is_wide(1280, 860);
    browser.log_in("anna", "/console/overview");
    let is_there = wait_for(PATIENCE, || {
        browser.open("/console/overview");
        browser.text("main").contains("241 messages")
    });
    assert!(is_there, "{}", browser.text("main"));
    for (name, path, shown) in [
        // Whether all is well hangs on how full the disk is on which this runs.
        ("overview", "/console/overview", "241 messages"),
        ("mail", "/console/mail?q=offer+OR+invoice", "messages"),
        (
            "message",
            "/console/mail?q=quarter*&user=jane&open=",
            "Quarterly report",
        ),
        ("runs", "/console/runs/1", "completed"),
    ] {
        match path.strip_suffix("open=") {
            Some(list) => {
                browser.open(list);
                browser.click("[data-row]");
                browser.waits_for("the message", |browser| browser.has(".reading"));
            }
            None => browser.open(path),
        }
        browser.waits_for(shown, |browser| browser.text("main").contains(shown));
        // Nothing is marked that a hand did not choose.
        browser.run("document.activeElement?.blur()", &serde_json::json!([]));
        let bytes = browser.shot(&folder, name, false);
        assert!((5_000..LARGEST).contains(&bytes), "{name} has {bytes} bytes");
    }
}
