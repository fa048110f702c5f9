//! No secret that is typed is in a page, an address or a log.

use super::{Draft, lent, of_server, server, with};
use crate::{
    people::log_in,
    site::{Client, Reply, Site},
    support::dovecot::PASSWORD,
};

const CLIENT_SECRET: &str = "client-5ecret";
const REFRESH_TOKEN: &str = "refresh-5ecret";

fn says_nothing(what: &str, text: &str) {
    for secret in [PASSWORD, CLIENT_SECRET, REFRESH_TOKEN] {
        assert!(!text.contains(secret), "{what} has {secret}: {text}");
    }
}

fn look(what: &str, reply: &Reply) {
    says_nothing(what, &reply.text());
    assert!(reply.body.len() < 100_000, "{what} has {} bytes", reply.body.len());
    says_nothing(what, &format!("{:?}", reply.header));
}

fn all_pages(client: &Client, draft: &Draft<'_>) {
    for step in [
        "server",
        "server?check=1",
        "test",
        "folders",
        "recipients",
        "keeping",
        "dry-run",
        "finish",
        "finish?check=1",
    ] {
        let reply = client.get(&format!("{}/{step}", draft.path)).expect(200);
        look(step, &reply);
    }
}

#[test]
fn a_secret_is_in_no_page_no_address_and_no_log() {
    let server = server();
    let site = Site::of_profile("[log]\nlevel = \"debug\"\n", "", &[]);
    site.add("anna", "administrator", &[]);
    let (anna, _) = log_in(&site, "anna", "");
    let draft = Draft::begin(&anna, "");
    let fields = of_server(&server);
    let fields = lent(&fields);
    let tokens = [
        ("server.oauth2.client_secret", CLIENT_SECRET),
        ("server.oauth2.refresh_token", REFRESH_TOKEN),
    ];
    // With something wrong beside them, and with everything right.
    look(
        "wrong",
        &draft
            .post(
                "server",
                "next",
                &with(&with(&fields, &tokens), &[("server.port", "x")]),
            )
            .expect(303),
    );
    all_pages(&anna, &draft);
    look(
        "right",
        &draft.post("server", "next", &with(&fields, &tokens)).expect(303),
    );
    look("events", &anna.get(&format!("{}/test/events", draft.path)).expect(200));
    assert!(draft.get("test").contains("It works"), "{}", draft.get("test"));
    all_pages(&anna, &draft);
    let rehearsal = anna.get(&format!("{}/dry-run/events", draft.path)).expect(200);
    look("rehearsal", &rehearsal);
    assert!(
        rehearsal.text().contains("event: put") && rehearsal.text().contains("event: end"),
        "{}",
        rehearsal.text()
    );
    all_pages(&anna, &draft);
    let begun = draft.post("finish", "next", &[("run", "now")]).expect(303);
    look("finish", &begun);
    assert!(
        begun.field("location").starts_with("/console/runs/"),
        "{:?}",
        begun.header
    );
    for path in [
        begun.field("location"),
        "/console/archive-mail",
        "/console/profiles/example",
        "/console/audit",
        "/console/overview",
    ] {
        look(path, &anna.get(path).expect(200));
    }
    // A log-in that is refused says nothing of what it was refused with.
    let draft = Draft::begin(&anna, "");
    let wrong = with(&fields, &[("server.password", CLIENT_SECRET)]);
    draft.post("server", "next", &wrong).expect(303);
    look("begin", &draft.post("test", "begin", &[]).expect(303));
    let tested = draft.get("test");
    assert!(
        tested.contains("It does not work yet") && tested.contains("What to do:"),
        "{tested}"
    );
    all_pages(&anna, &draft);
    says_nothing("the log", &site.serving.running.stderr());
}
