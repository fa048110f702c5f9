//! The upkeep of the store from its page: verifying, compacting and making the index anew, how far each is, and how it ended.

use std::fs;

use serde_json::json;
use tempfile::NamedTempFile;

use crate::{
    browser::Browser,
    people::{between, log_in, peopled, submit},
    site::{Client, Site},
    support::{PATIENCE, wait_for},
    usable::{axe, violations},
};

const STORE: &str = "/console/store";

/// A site in which this fault holds a step until the file is removed.
fn holding(fault: &str) -> (Site, NamedTempFile) {
    let held = NamedTempFile::new().expect("a file");
    let environment = [
        ("DROPKEEP_FAULT", fault),
        ("DROPKEEP_FAULT_HOLD", held.path().to_str().expect("a path")),
    ];
    (Site::new("", &environment), held)
}

/// The page once nothing is going on.
fn ended(client: &Client) -> String {
    let mut page = String::new();
    let done = wait_for(PATIENCE, || {
        page = client.get(STORE).expect(200).text();
        !page.contains("data-events")
    });
    assert!(done, "{page}");
    page
}

fn card<'p>(page: &'p str, of: &str) -> &'p str {
    between(page, &format!("aria-labelledby=\"{of}\""), "</section>")
}

#[test]
fn the_archive_is_verified_from_the_page_and_what_is_damaged_is_shown_with_what_to_do() {
    let mut site = peopled();
    let (anna, _) = log_in(&site, "anna", "");
    let page = anna.get(STORE).expect(200).text();
    assert!(
        card(&page, "nightly").contains("Each night dropkeep reads back a part"),
        "{page}"
    );
    assert!(!page.contains("The last one that was begun here"), "{page}");
    anna.get("/api/v1/verifications/last").expect(204);
    // All of it.
    submit(&anna, "/console/store/verify", &[("much", "all")]).expect(303);
    let page = ended(&anna);
    let of_all = card(&page, "verify");
    for said in ["Nothing is damaged.", "All of it", "8 messages, "] {
        assert!(of_all.contains(said), "{said}: {of_all}");
    }
    // A sample, in the numbers of either language; what is none is said at its field, and stays there.
    for wrong in ["0", "101", "-1", "NaN", "inf", "x", ""] {
        let fields = [("much", "sample"), ("percent", wrong)];
        let page = submit(&anna, "/console/store/verify", &fields).expect(400).text();
        let said = between(&page, "id=\"percent-wrong\" role=\"alert\">", "</p>");
        assert_eq!(said, "Write a number above 0 and up to 100.", "{wrong}");
        assert!(
            page.contains(&format!("value=\"{wrong}\" aria-invalid=\"true\"")),
            "{page}"
        );
    }
    submit(
        &anna,
        "/console/store/verify",
        &[("much", "sample"), ("percent", "12,5")],
    )
    .expect(303);
    let page = ended(&anna);
    assert!(card(&page, "verify").contains("A sample of 12.5%"), "{page}");
    let last = anna.get("/api/v1/verifications/last").expect(200).json();
    assert_eq!((&last["percent"], &last["state"]), (&json!(12.5), &json!("intact")));
    // What is damaged is found, and known after the next start.
    let file = site.appliance.data().join("volumes/000001/data.mdb");
    let mut bytes = fs::read(&file).expect("a volume");
    let blocks: Vec<_> = memchr::memmem::find_iter(&bytes, b"dkb\x01").collect();
    blocks.iter().for_each(|at| bytes[at + 40] ^= 1);
    fs::write(&file, bytes).expect("a volume");
    submit(&anna, "/console/store/verify", &[("much", "all")]).expect(303);
    let shown = |page: &str| {
        let damaged = card(page, "verify").to_owned();
        for said in [
            "What to do",
            "volume 000001, not sealed",
            "<th scope=\"row\">block</th>",
            "does not match its checksum",
            "volume 000001",
        ] {
            assert!(damaged.contains(said), "{said}: {damaged}");
        }
        assert!(!damaged.contains("Nothing is damaged"), "{damaged}");
    };
    shown(&ended(&anna));
    site.kill();
    let (anna, _) = log_in(&site, "anna", "");
    shown(&ended(&anna));
    let audit = anna.get("/console/audit?action=verify").expect(200).text();
    assert!(audit.contains("12.5 %") && audit.contains(">all<"), "{audit}");
    let browser = Browser::new(&site);
    browser.log_in("anna", STORE);
    let wrong = violations(&browser, &axe(), "damage that was found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_verification_goes_on_alone_is_watched_and_can_be_stopped() {
    let site = Site::new("", &[("DROPKEEP_FAULT", "verify-begun:hang")]);
    site.import("From: a@example.org\r\nTo: jane@example.com\r\nSubject: x\r\n\r\nx\r\n");
    site.add("anna", "administrator", &[]);
    let browser = Browser::new(&site);
    browser.log_in("anna", STORE);
    browser.click("form[action$='/verify'] button");
    browser.waits_for("how far it is", |browser| {
        browser.has("section[data-events='/api/v1/verifications/events']")
    });
    assert!(
        !browser.has("form[action$='/store/verify']"),
        "another one can be begun"
    );
    let (anna, _) = log_in(&site, "anna", "");
    let refused = submit(&anna, "/console/store/verify", &[("much", "all")])
        .expect(409)
        .text();
    assert!(refused.contains("The same is going on already"), "{refused}");
    let refused = anna.send("POST", "/api/v1/verifications", &json!({})).expect(409);
    assert!(
        refused.text().contains("a verification is already going on"),
        "{}",
        refused.text()
    );
    browser.click("form[action$='/verify/stop'] button");
    browser.waits_for("its end", |browser| {
        browser.text("main").contains("It was stopped before its end.")
    });
    assert!(browser.has("form[action$='/store/verify']"));
    let audit = anna.get("/console/audit?action=interrupt").expect(200).text();
    assert!(audit.contains("verify"), "{audit}");
    // It ends with the appliance, too.
    submit(&anna, "/console/store/verify", &[("much", "all")]).expect(303);
    site.serving.stop().expect(0);
}

#[test]
fn compacting_is_watched_and_says_what_came_of_it() {
    let (site, held) = holding("compact-begun:hold");
    for number in 0..3 {
        site.import(&format!(
            "From: a@example.org\r\nTo: jane@example.com\r\nSubject: {number}\r\n\r\nx\r\n"
        ));
    }
    site.add("anna", "administrator", &[]);
    let browser = Browser::new(&site);
    browser.log_in("anna", STORE);
    browser.click("form[action$='/compact'] button");
    browser.waits_for("how far it is", |browser| {
        browser.has("section[data-events='/api/v1/compactions/events']")
    });
    let (anna, _) = log_in(&site, "anna", "");
    submit(&anna, "/console/store/compact", &[]).expect(409);
    held.close().expect("a file");
    // The page sees by itself that it has ended.
    browser.waits_for("its end", |browser| {
        browser.text("main").contains("The last one since the start")
    });
    assert!(browser.has("form[action$='/store/compact']"));
    assert!(browser.text("main").contains("On disk now"), "{}", browser.text("main"));
    let events = anna.get("/api/v1/compactions/events").expect(200).text();
    assert!(events.starts_with("event: compacted\ndata: {"), "{events}");
}

#[test]
fn a_page_that_watched_what_failed_does_not_wait_for_its_end() {
    let (site, held) = holding("compact-begun:hold,compact-planned:error");
    site.import("From: a@example.org\r\nTo: jane@example.com\r\nSubject: x\r\n\r\nx\r\n");
    site.add("anna", "administrator", &[]);
    let browser = Browser::new(&site);
    browser.log_in("anna", STORE);
    browser.click("form[action$='/compact'] button");
    browser.waits_for("how far it is", |browser| {
        browser.has("section[data-events='/api/v1/compactions/events']")
    });
    held.close().expect("a file");
    browser.waits_for("that it is over", |browser| {
        browser.has("form[action$='/store/compact']")
    });
    let (anna, _) = log_in(&site, "anna", "");
    let audit = anna.get("/console/audit?action=compact").expect(200).text();
    assert!(audit.contains("compact-planned"), "{audit}");
}

#[test]
fn the_index_is_made_anew_from_the_page_and_over_the_api() {
    let site = peopled();
    let (anna, _) = log_in(&site, "anna", "");
    submit(&anna, "/console/store/index", &[]).expect(303);
    let page = ended(&anna);
    assert!(card(&page, "index").contains("following the archive"), "{page}");
    let made = anna
        .send("POST", "/api/v1/index/rebuild", &json!({}))
        .expect(200)
        .text();
    assert!(
        made.contains("event: index\n") && made.contains("\"documents\":8,\"behind\":0"),
        "{made}"
    );
    let index = anna.get("/api/v1/index").expect(200).json();
    assert_eq!((&index["messages"], &index["behind"]), (&json!(8), &json!(0)));
}
