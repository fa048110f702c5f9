//! Setting a profile up in the console: over HTTP, and in a real browser.

mod by_code;
mod faults;
mod journeys;
mod secrets;

use faults::RECIPIENTS;
use serde_json::{Value, json};

use crate::{
    people::{between, log_in, send, token},
    site::{Client, Reply, Site},
    support::dovecot::{Dovecot, MAILBOX, PASSWORD},
};

/// An archive without a profile, and an administrator.
fn empty() -> (Site, Client) {
    let site = Site::of_profile("", "", &[]);
    site.add("anna", "administrator", &[]);
    let (anna, _) = log_in(&site, "anna", "");
    (site, anna)
}

/// Mail of a server that writes who got each message: for Jane, for Bob, and for somebody whom nobody knows.
fn mail(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|number| {
        let to = ["jane", "bob", "newcomer"][number % 3];
        format!(
            "Delivered-To: {to}@example.com\r\nReceived: from a.example.org (a.example.org [192.0.2.1])\r\n\t\
             by mx.example.com with ESMTP; Mon, 1 Jan 2024 10:00:{:02} +0000\r\nFrom: sender{number}@example.org\r\n\
             To: {to}@example.com\r\nSubject: words{number}\r\nDate: Mon, 1 Jan 2024 10:00:{:02} +0000\r\n\r\nbody{number}\r\n",
            number % 60,
            number % 60
        )
    })
}

fn server() -> Dovecot {
    let server = Dovecot::start();
    server.deliver(mail(30));
    server.deliver_to(MAILBOX, "Sent", mail(3));
    server
}

/// A draft of somebody.
struct Draft<'c> {
    client: &'c Client,
    token: String,
    path: String,
}

impl<'c> Draft<'c> {
    fn begin(client: &'c Client, like: &str) -> Self {
        let token = token(client);
        let begun = send(client, "/console/archive-mail", &[("token", &token), ("like", like)]).expect(303);
        let path = begun
            .field("location")
            .strip_suffix("/server")
            .expect("the first step")
            .to_owned();
        Self { client, token, path }
    }

    fn get(&self, step: &str) -> String {
        self.client.get(&format!("{}/{step}", self.path)).expect(200).text()
    }

    fn post(&self, step: &str, go: &str, fields: &[(&str, &str)]) -> Reply {
        let fixed = [("token", self.token.as_str()), ("go", go)];
        let fields: Vec<_> = fixed.into_iter().chain(fields.iter().copied()).collect();
        send(self.client, &format!("{}/{step}", self.path), &fields)
    }

    /// Sends a step in which something is wrong, and gives the page that says so.
    fn refused(&self, step: &str, fields: &[(&str, &str)]) -> String {
        self.goes(step, "next", fields, &format!("{step}?check=1"));
        self.get(&format!("{step}?check=1"))
    }

    /// Sends a step that leads to another one.
    fn goes(&self, step: &str, go: &str, fields: &[(&str, &str)], to: &str) {
        let reply = self.post(step, go, fields).expect(303);
        assert_eq!(reply.field("location"), format!("{}/{to}", self.path));
    }
}

/// What the first step sends of a server that takes it.
fn of_server(server: &Dovecot) -> Vec<(&'static str, String)> {
    vec![
        ("server.access", "imap-tls".into()),
        ("server.host", "localhost".into()),
        ("server.port", server.ports.imap.to_string()),
        ("server.username", MAILBOX.into()),
        ("server.password", PASSWORD.into()),
        ("log_in", "password".into()),
        ("server.tls", "none".into()),
    ]
}

fn lent<'f>(fields: &'f [(&'static str, String)]) -> Vec<(&'f str, &'f str)> {
    fields.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// The fields of a list with some of them set anew, or added.
fn with<'f>(fields: &[(&'f str, &'f str)], changes: &[(&'f str, &'f str)]) -> Vec<(&'f str, &'f str)> {
    let kept = fields
        .iter()
        .filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    kept.chain(changes).copied().collect()
}

/// How a profile is set up that is kept.
fn setup(client: &Client, name: &str) -> Value {
    client.get(&format!("/api/v1/profiles/{name}")).expect(200).json()
}

/// The value of a field of a page.
fn value<'p>(page: &'p str, key: &str) -> &'p str {
    let tag = between(page, &format!("name=\"{key}\""), ">");
    if tag.contains("value=\"") {
        between(tag, "value=\"", "\"")
    } else {
        ""
    }
}

#[test]
fn what_was_begun_is_found_again_by_whoever_began_it() {
    let (site, anna) = empty();
    let list = |client: &Client| client.get("/console/archive-mail").expect(200).text();
    assert!(!list(&anna).contains("Begun and not finished"));
    let draft = Draft::begin(&anna, "");
    let fields = [
        ("server.access", "imap-ssl"),
        ("server.host", "mail.example.net"),
        ("server.port", "x"),
    ];
    draft.refused("server", &fields);
    let page = list(&anna);
    assert!(
        page.contains("Begun and not finished")
            && page.contains(&format!("{}/server", draft.path))
            && page.contains("mail.example.net"),
        "{page}"
    );
    let (again, _) = log_in(&site, "anna", "");
    assert!(
        !list(&again).contains("Begun and not finished"),
        "it is of its session alone"
    );
    draft.post("server", "discard", &[]).expect(303);
    assert!(!list(&anna).contains("Begun and not finished"));
}

#[test]
fn what_was_typed_stays_wherever_one_goes() {
    let (_site, anna) = empty();
    let draft = Draft::begin(&anna, "");
    let first = draft.get("server");
    assert_eq!(
        (value(&first, "server.port"), value(&first, "server.host")),
        ("993", "")
    );
    let fields = [
        ("server.access", "pop3-ssl"),
        ("server.host", "mail.example.net"),
        ("server.port", "993"),
        ("server.username", "all@example.net"),
        ("server.password", "very secret"),
        ("log_in", "password"),
        ("server.tls", "system"),
    ];
    draft.goes("server", "next", &fields, "test");
    let first = draft.get("server");
    // The port goes along with the access.
    assert_eq!(
        (value(&first, "server.port"), value(&first, "server.host")),
        ("995", "mail.example.net")
    );
    assert!(first.contains("One is kept, and never shown") && !first.contains("very secret"));
    // Something wrong is kept as well, and is in nobody's way who goes back.
    let odd = [
        ("name", "@odd"),
        ("schedule", "other"),
        ("schedule_other", "some\"times"),
        ("delete.when", "archived"),
        ("delete.after", "3 moons"),
        ("connections", "many"),
    ];
    draft.goes("keeping", "recipients", &odd, "recipients");
    let rules = [
        ("recipients.local_domains", "example.net\r\nexample.org"),
        ("recipients.unknown", "user"),
        ("recipients.unknown.user", "nobody"),
        ("recipients.trusted_received", "two"),
    ];
    draft.goes("recipients", "test", &rules, "test");
    let keeping = draft.get("keeping");
    for (key, typed) in [
        ("name", "@odd"),
        ("schedule_other", "some&quot;times"),
        ("delete.after", "3 moons"),
        ("connections", "many"),
    ] {
        assert_eq!(value(&keeping, key), typed);
    }
    let recipients = draft.get("recipients");
    assert!(recipients.contains("example.net\nexample.org"), "{recipients}");
    assert_eq!(value(&recipients, "recipients.unknown.user"), "nobody");
    assert_eq!(value(&recipients, "recipients.trusted_received"), "two");
    // Whoever wants to finish is led to what is wrong, the first of it first.
    let reply = draft.post("finish", "next", &[("run", "later")]).expect(303);
    let at = reply.field("location").to_owned();
    assert!(
        at.ends_with("/recipients?check=1") || at.ends_with("/keeping?check=1"),
        "{at}"
    );
    let page = anna.get(&at).expect(200).text();
    assert!(
        page.contains("This has to be put right:") && page.contains("class=\"fault\""),
        "{page}"
    );
    draft.goes("server", "next", &with(&fields, &[("server.password", "")]), "test");
    assert!(draft.get("server").contains("One is kept"));
    // It can be thrown away.
    let reply = draft.post("keeping", "discard", &[]).expect(303);
    assert_eq!(reply.field("location"), "/console/archive-mail");
    anna.get(&format!("{}/server", draft.path)).expect(410);
}

#[test]
fn a_draft_is_of_one_session_and_one_that_is_lost_is_begun_anew() {
    let (site, anna) = empty();
    let draft = Draft::begin(&anna, "");
    draft.goes(
        "server",
        "next",
        &[
            ("server.access", "imap"),
            ("server.host", "mail.example.net"),
            ("server.username", "all"),
            ("server.password", "very secret"),
            ("log_in", "password"),
        ],
        "test",
    );
    let (other, _) = log_in(&site, "anna", "");
    for step in ["server", "finish", "test/events"] {
        let page = other.get(&format!("{}/{step}", draft.path)).expect(410).text();
        assert!(!page.contains("mail.example.net"), "{page}");
    }
    let lost = other.get(&format!("{}/server", draft.path)).text();
    assert!(
        lost.contains("is no longer here") && lost.contains("Begin anew"),
        "{lost}"
    );
    let sent = send(
        &other,
        &format!("{}/server", draft.path),
        &[("token", &token(&other)), ("server.password", "very secret")],
    );
    assert!(!sent.expect(410).text().contains("very secret"));
    draft.get("test");
    // Sixteen others push it out.
    let _others: Vec<_> = (0..16).map(|_| Draft::begin(&other, "")).collect();
    anna.get(&format!("{}/test", draft.path)).expect(410);
}

#[test]
fn a_kept_profile_is_changed_and_removed_and_one_of_the_file_is_shown() {
    let server = server();
    let site = Site::new("", &[]);
    site.add("anna", "administrator", &[]);
    let (anna, _) = log_in(&site, "anna", "");
    let keys = json!({
        "name": "mine", "exclude": {"larger_than": "50 MiB"},
        "server": {
            "access": "imap-tls", "host": "localhost", "port": server.ports.imap, "username": MAILBOX,
            "password": PASSWORD, "tls": {"verify": "none"},
        },
        "recipients": {"local_domains": ["example.com"]},
    });
    anna.send("POST", "/api/v1/profiles", &keys).expect(201);
    let list = anna.get("/console/archive-mail").expect(200).text();
    assert!(
        list.contains("in the configuration file") && list.contains("set up here"),
        "{list}"
    );
    assert!(!list.contains("/console/profiles/company/remove") && list.contains("/console/profiles/mine/remove"));
    assert!(list.contains("IMAP, STARTTLS") && !list.contains("imap-tls"), "{list}");
    let shown = anna.get("/console/profiles/mine").expect(200).text();
    assert!(
        shown.contains("password = &quot;***&quot;") && !shown.contains(PASSWORD),
        "{shown}"
    );

    let draft = Draft::begin(&anna, "mine");
    let first = draft.get("server");
    assert_eq!(value(&first, "server.host"), "localhost");
    assert!(first.contains("One is kept"));
    // Nothing is typed for the password.
    let of_server = of_server(&server);
    let fields = with(&lent(&of_server), &[("server.password", "")]);
    draft.goes("server", "next", &fields, "test");
    draft.goes("test", "begin", &[], "test");
    let tested = draft.get("test");
    assert!(tested.contains("It works"), "{tested}");
    draft.goes(
        "keeping",
        "next",
        &[
            ("schedule", "other"),
            ("schedule_other", "every 7m"),
            ("delete.when", "never"),
        ],
        "dry-run",
    );
    draft.goes("dry-run", "begin", &[], "dry-run");
    let rehearsed = draft.get("dry-run");
    assert!(rehearsed.contains("30 messages were looked at"), "{rehearsed}");
    let beside = between(&rehearsed, ">Besides</th>", "</table>");
    assert!(beside.contains("of them without a known address"), "{rehearsed}");
    let done = draft.post("finish", "next", &[("run", "later")]).expect(303);
    assert_eq!(done.field("location"), "/console/archive-mail?done=saved");
    // Back from there, the draft says what became of it.
    let back = anna.get(&format!("{}/finish", draft.path)).expect(410).text();
    assert!(
        back.contains("This is finished") && back.contains("href=\"/console/profiles/mine\""),
        "{back}"
    );
    let changed = setup(&anna, "mine");
    assert_eq!(changed["profile"]["schedule"], "every 7m");
    assert_eq!(
        changed["profile"]["exclude"],
        json!({"larger_than": "50 MiB"}),
        "what the steps do not ask for stays"
    );
    assert_eq!(changed["secrets"], json!(["server.password"]));
    // Whoever sets another one up for the same mailbox is told; the profile itself is no other one.
    let other = "Another profile fetches from this mailbox already";
    let second = Draft::begin(&anna, "");
    second.goes("server", "next", &lent(&of_server), "test");
    for step in ["server", "test", "finish"] {
        let page = second.get(step);
        let said = page.split_once(other).map_or("", |(_, rest)| rest);
        assert!(between(said, "href=\"", "\"").ends_with("/mine"), "{page}");
    }
    assert!(!Draft::begin(&anna, "mine").get("server").contains(other));
    // With another server the password is asked for, at its field.
    let draft = Draft::begin(&anna, "mine");
    let page = draft.refused("server", &with(&fields, &[("server.host", "elsewhere.example")]));
    assert!(
        between(&page, "id=\"server-password-fault\">", "<").contains("give it again"),
        "{page}"
    );

    let asked = anna.get("/console/profiles/mine/remove").expect(200).text();
    assert!(
        asked.contains("What it has archived stays") && asked.contains("Remove the profile: mine</h1>"),
        "{asked}"
    );
    setup(&anna, "mine");
    send(&anna, "/console/profiles/mine/remove", &[("token", &draft.token)]).expect(303);
    anna.get("/api/v1/profiles/mine").expect(404);
    // One of the file is not changed here.
    let of_file = send(
        &anna,
        "/console/archive-mail",
        &[("token", &draft.token), ("like", "company")],
    );
    assert!(of_file.expect(409).text().contains("stands in the configuration file"));
    send(&anna, "/console/profiles/company/remove", &[("token", &draft.token)]).expect(409);
}

#[test]
fn rules_are_tried_taken_over_and_users_made_as_far_as_their_names_are_free() {
    let server = server();
    let (_site, anna) = empty();
    let draft = Draft::begin(&anna, "");
    draft.goes("server", "next", &lent(&of_server(&server)), "test");
    assert!(draft.get("recipients").contains("was not tested"));
    draft.goes("test", "begin", &[], "test");
    // The rules that are proposed are those of the form.
    let page = draft.get("recipients");
    assert!(
        page.contains("<strong>Delivered-To</strong> names <bdi>jane@example.com</bdi>"),
        "{page}"
    );
    assert!(page.contains("The rules below are those that fit"));
    // Rules that nobody has tried say so; tried, they are shown on the same messages.
    let others = with(
        RECIPIENTS,
        &[("recipients.use", "headers"), ("recipients.unknown", "skip")],
    );
    draft.goes("recipients", "next", &others, "keeping");
    assert!(draft.get("recipients").contains("have changed since they were tried"));
    draft.goes("recipients", "try", &others, "recipients");
    let page = draft.get("recipients");
    assert!(
        page.contains("<strong>To</strong> names <bdi>jane@example.com</bdi>"),
        "{page}"
    );
    assert!(page.contains("would stay on the server"), "{page}");
    draft.goes("recipients", "try", RECIPIENTS, "recipients");
    // A name that somebody has is said at the address, and the others are made.
    let users = [
        ("make", "newcomer@example.com"),
        ("name-newcomer@example.com", "jane"),
        ("make", "another@example.com"),
        ("name-another@example.com", "another"),
    ];
    let fields: Vec<_> = RECIPIENTS.iter().chain(&users).copied().collect();
    draft.goes("recipients", "users", &fields, "recipients?done=users");
    let page = draft.get("recipients?done=users");
    let top = between(&page, "These users were not made", "</ul>");
    assert!(
        top.contains("newcomer@example.com") && top.contains("There is a user “jane” already"),
        "{page}"
    );
    let made = between(&page, "These users are there now", "</ul>");
    assert!(made.contains("another") && !made.contains("jane"), "{made}");
    // At its row is what was typed, and what is wrong with it.
    assert_eq!(value(&page, "name-newcomer@example.com"), "jane");
    assert!(
        between(&page, "id=\"not-made-0\">", "</p>").contains("“jane”"),
        "{page}"
    );
    // It stays so in other steps, until it is put right or unticked.
    assert_eq!(value(&draft.get("recipients"), "name-newcomer@example.com"), "jane");
    let again = with(
        &fields,
        &[("make", "newcomer@example.com"), ("name-newcomer@example.com", "")],
    );
    draft.goes("recipients", "next", &again, "recipients?done=users");
    let page = draft.get("recipients");
    assert_eq!(value(&page, "name-newcomer@example.com"), "");
    assert!(page.contains("These users were not made"), "{page}");
    let unticked: Vec<_> = RECIPIENTS
        .iter()
        .copied()
        .chain([("name-newcomer@example.com", "Nina")])
        .collect();
    draft.goes("recipients", "next", &unticked, "keeping");
    let page = draft.get("recipients");
    let row = between(&page, "value=\"newcomer@example.com\"", ">");
    assert!(
        !row.contains("checked") && !page.contains("These users were not made"),
        "{row}"
    );
    assert_eq!(value(&page, "name-newcomer@example.com"), "Nina");
    // Whoever goes on with one ticked gets it made, and is told.
    let ticked = with(&unticked, &[("make", "newcomer@example.com")]);
    draft.goes("recipients", "server", &ticked, "server");
    assert!(between(&draft.get("recipients"), "value=\"newcomer@example.com\"", ">").contains("checked"));
    let people = || anna.get("/console/people").expect(200).text();
    assert!(!people().contains("Nina"), "going back makes nobody");
    draft.goes("recipients", "next", &ticked, "keeping?done=users");
    let page = draft.get("keeping?done=users");
    assert!(
        between(&page, "These users are there now", "</ul>").contains("Nina"),
        "{page}"
    );
    assert!(!draft.get("recipients").contains("name-newcomer@example.com"));
    assert!(people().contains("another@example.com") && people().contains("newcomer@example.com"));
    // Whoever has no mail yet is told that there is nothing to try rules on.
    let empty = Dovecot::start();
    draft.goes("server", "next", &lent(&of_server(&empty)), "test");
    draft.goes("test", "begin", &[], "test");
    assert!(draft.get("recipients").contains("has seen no message"));
}

#[test]
fn a_test_needs_no_schedule_and_what_it_needs_leads_to_its_step() {
    let server = server();
    let (_site, anna) = empty();
    let draft = Draft::begin(&anna, "");
    let odd = [("name", "@odd"), ("schedule", "other"), ("schedule_other", "weekly")];
    draft.goes("keeping", "server", &odd, "server");
    draft.goes("server", "next", &lent(&of_server(&server)), "test");
    draft.goes("test", "begin", &[], "test");
    let page = draft.get("test");
    assert!(page.contains("It works") && !page.contains("weekly"), "{page}");
    draft.goes(
        "folders",
        "test",
        &[("which", "patterns"), ("folders.include", "\\Nothing")],
        "test",
    );
    draft.goes("test", "begin", &[], "test");
    let page = draft.get("test");
    let to = format!("{}/folders?check=1", draft.path);
    assert!(
        page.contains("This is put right in the step") && page.contains(&to),
        "{page}"
    );
    // A dry run needs all of it.
    draft.goes(
        "folders",
        "test",
        &[("which", "patterns"), ("folders.include", "INBOX")],
        "test",
    );
    draft.goes("dry-run", "begin", &[], "dry-run");
    let page = draft.get("dry-run");
    assert!(page.contains(&format!("{}/keeping?check=1", draft.path)), "{page}");
}

#[test]
fn what_the_page_fills_in_is_not_advised_as_lines_of_a_file() {
    let server = Dovecot::start();
    server.deliver((0..30).map(|number| {
        format!(
            "Delivered-To: box@example.com\r\nReceived: from a.example.org (a.example.org [192.0.2.1])\r\n\t\
             by mx.example.com with ESMTP; Mon, 1 Jan 2024 10:00:{number:02} +0000\r\nFrom: sender@example.org\r\n\
             To: {}@example.com\r\nSubject: words{number}\r\n\r\nbody{number}\r\n",
            ["jane", "bob"][number % 2]
        )
    }));
    let (_site, anna) = empty();
    let draft = Draft::begin(&anna, "");
    draft.goes("server", "next", &lent(&of_server(&server)), "test");
    draft.goes("test", "begin", &[], "test");
    let page = draft.get("test");
    assert!(page.contains("box@example.com"), "{page}");
    assert!(
        page.contains("It looks like the mailbox&#39;s own address")
            || page.contains("It looks like the mailbox's own address"),
        "{page}"
    );
    assert!(!page.contains("own_addresses") && !page.contains("docs/"), "{page}");
    assert_eq!(draft.get("recipients").matches("docs/").count(), 0);
    assert_eq!(draft.get("server").matches("docs/").count(), 0);
}

#[test]
fn all_of_it_is_in_german_too() {
    let (_site, anna) = empty();
    let german = Client {
        field: format!("{}; dropkeep-language=de", anna.field),
        ..anna
    };
    let draft = Draft::begin(&german, "");
    for (step, words, english) in [
        ("server", "Art des Zugangs", "Kind of access"),
        ("test", "Jetzt testen", "Test now"),
        ("folders", "Zu archivierende Ordner", "Folders to archive"),
        ("recipients", "Domains, deren Adressen Ihre sind", "Domains whose"),
        ("keeping", "Wann es läuft", "When it runs"),
        ("dry-run", "Probelauf beginnen", "Begin the dry run"),
        ("finish", "Fertigstellen", "Finish"),
    ] {
        let page = draft.get(step);
        assert!(
            page.contains("<html lang=\"de\"") && page.contains(words) && !page.contains(english),
            "{page}"
        );
        assert!(page.contains("Alles verwerfen") && !page.contains("Discard"), "{page}");
    }
    // What the checks say of a value is said in the words of the page.
    let wrong = [("name", "another"), ("pause", "at night"), ("delete.when", "never")];
    draft.goes("keeping", "next", &wrong, "server?check=1");
    let page = draft.get("keeping?check=1");
    let fault = between(&page, "id=\"pause-fault\">", "</p>");
    assert!(fault.starts_with("„at night“ nennt keine Uhrzeiten"), "{fault}");
    // Each step has a title of its own.
    for (step, title) in [("server", "Server"), ("keeping", "Löschen und Zeitplan")] {
        let page = draft.get(step);
        assert!(page.contains(&format!("Mail archivieren: {title}</h1>")), "{page}");
        assert!(between(&page, "<title>", "</title>").contains(title), "{page}");
    }
    let list = german.get("/console/archive-mail").expect(200).text();
    assert!(list.contains("Profil einrichten") && !list.contains("Set up"), "{list}");
}
