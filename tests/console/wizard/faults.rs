//! Whatever is wrong is said at its field, and what was typed stays there.

use super::{Draft, empty, value, with};
use crate::{
    people::{between, log_in},
    site::{PASSWORD, Site},
    support::{appliance::Appliance, running::Serving},
};

pub type Fields = &'static [(&'static str, &'static str)];

const SERVER: Fields = &[
    ("server.access", "imap-ssl"),
    ("server.host", "mail.example.com"),
    ("server.port", "993"),
    ("server.username", "all@example.com"),
    ("server.password", "very secret"),
    ("log_in", "password"),
    ("server.tls", "system"),
];

const BY_TOKEN: Fields = &[
    ("server.access", "imap-ssl"),
    ("server.host", "mail.example.com"),
    ("server.port", "993"),
    ("server.username", "all@example.com"),
    ("log_in", "token"),
    ("server.tls", "system"),
    ("server.oauth2.token_endpoint", "https://login.example.com/token"),
    ("server.oauth2.client_id", "id"),
    ("server.oauth2.grant", "refresh_token"),
    ("server.oauth2.refresh_token", "a token"),
];

const FOLDERS: Fields = &[("which", "patterns"), ("folders.include", "INBOX")];

pub const RECIPIENTS: Fields = &[
    ("recipients.local_domains", "example.com"),
    ("recipients.senders", "yes"),
    ("recipients.plus_addressing", "yes"),
    ("recipients.unknown", "catchall"),
    ("recipients.use", "auto"),
    ("recipients.envelope_at", "top"),
    ("recipients.journal", "never"),
];

const KEEPING: Fields = &[("name", "another"), ("schedule", "every 15m"), ("delete.when", "never")];

/// The step, what is right, what is wrong in it, the field at which that is said, and some of the words.
#[rustfmt::skip]
const WRONG: &[(&str, Fields, Fields, &str, &str)] = &[
    ("server", SERVER, &[("server.access", "gopher")], "server-access", "is none of the choices"),
    ("server", SERVER, &[("server.host", "")], "server-host", "Name the server"),
    ("server", SERVER, &[("server.host", "imaps://mail.example.com")], "server-host", "“imaps://mail.example.com” is not the name"),
    ("server", SERVER, &[("server.host", "mail.example.com:993")], "server-host", "port and user have fields of their own"),
    ("server", SERVER, &[("server.host", "mail example com")], "server-host", "is not the name or address of a server"),
    ("server", SERVER, &[("server.port", "0")], "server-port", "1 to 65535"),
    ("server", SERVER, &[("server.port", "65536")], "server-port", "65535"),
    ("server", SERVER, &[("server.port", "imaps")], "server-port", "1 to 65535"),
    ("server", SERVER, &[("server.port", "-1")], "server-port", "65535"),
    ("server", SERVER, &[("server.username", "")], "server-username", "Type the user name"),
    ("server", SERVER, &[("server.username", "al\u{7}l")], "server-username", "no control characters"),
    ("server", SERVER, &[("server.password", "")], "server-password", "Type the password"),
    ("server", SERVER, &[("server.password", " ")], "server-password", "What was typed is empty"),
    ("server", SERVER, &[("server.password", "a\0b")], "server-password", "cannot be sent"),
    ("server", SERVER, &[("server.tls", "pin")], "server-tls", "give its fingerprint"),
    ("server", SERVER, &[("server.tls", "pin"), ("server.tls.pin", "ab")], "server-tls-pin", "64 hexadecimal digits"),
    ("server", BY_TOKEN, &[("server.oauth2.token_endpoint", "")], "server-oauth2-token_endpoint", "Give the token endpoint"),
    ("server", BY_TOKEN, &[("server.oauth2.token_endpoint", "http://login.example.com/token")],
     "server-oauth2-token_endpoint", "https"),
    ("server", BY_TOKEN, &[("server.oauth2.token_endpoint", "https://login.example.com/token?x=1")],
     "server-oauth2-token_endpoint", "question mark"),
    ("server", BY_TOKEN, &[("server.oauth2.token_endpoint", "https://login.example.com/TENANT/token")],
     "server-oauth2-token_endpoint", "ID of your directory"),
    ("server", BY_TOKEN, &[("server.oauth2.client_id", "")], "server-oauth2-client_id", "ID of the registered application"),
    ("server", BY_TOKEN, &[("server.oauth2.refresh_token", "")], "server-oauth2-refresh_token", "This is missing"),
    ("server", BY_TOKEN, &[("server.oauth2.grant", "client_credentials")],
     "server-oauth2-client_secret", "is missing"),
    ("server", BY_TOKEN, &[("server.oauth2.grant", "password")], "server-oauth2-grant", "is none of the choices"),
    ("folders", FOLDERS, &[("which", "chosen")], "folders-include", "no folder is chosen"),
    ("folders", FOLDERS, &[("folders.include", "\\Nothing")], "folders-include", "\\Nothing is none: there are \\All, "),
    ("folders", FOLDERS, &[("folders.exclude", "\\Nothing")], "folders-exclude", "\\Nothing is none"),
    ("recipients", RECIPIENTS, &[("recipients.local_domains", "example.com\r\n@example.net")],
     "recipients-local_domains", "is not a domain"),
    ("recipients", RECIPIENTS, &[("recipients.own_addresses", "all")], "recipients-own_addresses", "“all” is not an address"),
    ("recipients", RECIPIENTS, &[("recipients.envelope_headers", "X Envelope To")],
     "recipients-envelope_headers", "is not the name of a header field"),
    ("recipients", RECIPIENTS, &[("recipients.journal", "from")], "recipients-journal", "Name the hosts"),
    ("recipients", RECIPIENTS, &[("recipients.journal_from", "*.example.com")],
     "recipients-journal_from", "count only where journal reports"),
    ("recipients", RECIPIENTS, &[("recipients.journal", "from"), ("recipients.journal_from", "a b/c")],
     "recipients-journal_from", "“a b/c” names no hosts"),
    ("recipients", RECIPIENTS, &[("recipients.journal", "sometimes")], "recipients-journal", "is none of the choices"),
    ("recipients", RECIPIENTS, &[("recipients.journal", "always"), ("recipients.use", "headers")],
     "recipients-use", "whom a journal report names is left out"),
    ("recipients", RECIPIENTS, &[("recipients.use", "some")], "recipients-use", "is none of the choices"),
    ("recipients", RECIPIENTS, &[("recipients.envelope_at", "middle")], "recipients-envelope_at", "is none of the choices"),
    ("recipients", RECIPIENTS, &[("recipients.strip_prefix", "a@b")],
     "recipients-strip_prefix", "before a local part"),
    ("recipients", RECIPIENTS, &[("recipients.unwrap", "journal@example.com")], "recipients-unwrap", "with {local} and perhaps {domain}"),
    ("recipients", RECIPIENTS, &[("recipients.trusted_received", "two")],
     "recipients-trusted_received", "whole number"),
    ("recipients", RECIPIENTS, &[("recipients.create_limit", "-1")], "recipients-create_limit", "whole number"),
    ("recipients", RECIPIENTS, &[("recipients.unknown", "create"), ("recipients.local_domains", "")],
     "recipients-unknown", "name the domains that are yours"),
    ("recipients", RECIPIENTS, &[("recipients.unknown", "user"), ("recipients.unknown.user", "jan")],
     "recipients-unknown", "No user is named “jan”. Did you mean “jane”?"),
    ("recipients", RECIPIENTS, &[("recipients.unknown", "user")], "recipients-unknown", "Name the user for whom"),
    ("recipients", RECIPIENTS, &[("recipients.unknown", "drop")], "recipients-unknown", "is none of the choices"),
    ("keeping", KEEPING, &[("name", "")], "name", "needs a name"),
    ("keeping", KEEPING, &[("name", "@catchall")], "name", "begins with @"),
    ("keeping", KEEPING, &[("name", "company")], "name", "There is a profile “company” already"),
    ("keeping", KEEPING, &[("schedule", "other"), ("schedule_other", "sometimes")], "schedule", "a cron line"),
    ("keeping", KEEPING, &[("schedule", "other"), ("schedule_other", "15m")], "schedule", "every 15m"),
    ("keeping", KEEPING, &[("schedule", "other"), ("schedule_other", "")], "schedule", "Write the other schedule"),
    ("keeping", KEEPING, &[("timezone", "Mars/Olympus")], "timezone", "“Mars/Olympus” is not the name of a time zone"),
    ("keeping", KEEPING, &[("pause", "at night")], "pause", "“at night” names no hours"),
    ("keeping", KEEPING, &[("server.timeout", "0s")], "server-timeout", "duration"),
    ("keeping", KEEPING, &[("stall_timeout", "soon")], "stall_timeout", "duration"),
    ("keeping", KEEPING, &[("connections", "0")], "connections", "from 1 to 16"),
    ("keeping", KEEPING, &[("connections", "17")], "connections", "from 1 to 16"),
    ("keeping", KEEPING, &[("connections", "a few")], "connections", "“a few” is not possible"),
    ("keeping", KEEPING, &[("delete.when", "soon")], "delete-when", "is none of the choices"),
    ("keeping", KEEPING, &[("delete.after", "30d")], "delete-after", "counts only where mail is deleted"),
    ("keeping", KEEPING, &[("delete.move_to", "Old")], "delete-move_to", "counts only where mail is deleted"),
    ("keeping", KEEPING, &[("delete.when", "archived"), ("delete.after", "a month")], "delete-after", "duration"),
    ("keeping", KEEPING, &[("delete.when", "archived"), ("delete.move_to", "inbox")],
     "delete-move_to", "that is not archived"),
];

#[test]
fn each_wrong_input_is_said_at_its_field_and_stays_there() {
    let site = Site::new("", &[]);
    site.add("anna", "administrator", &[]);
    let (anna, _) = log_in(&site, "anna", "");
    let mut unsaid = Vec::new();
    for (step, right, wrong, field, words) in WRONG {
        let draft = Draft::begin(&anna, "");
        if *step != "server" {
            draft.goes("server", "next", SERVER, "test");
        }
        let page = draft.refused(step, &with(right, wrong));
        let mark = format!("id=\"{field}-fault\">");
        let said = page.split_once(&mark).map_or("", |(_, rest)| between(rest, "", "</p>"));
        let says = said.replace("&quot;", "\"").contains(words) && page.contains("aria-invalid=\"true\"");
        let shows = |(key, typed): &&(&str, &str)| {
            let is_line = page.contains(&format!("<input id=\"{}\" name", key.replace('.', "-")));
            let is_secret = key.ends_with("password") || key.ends_with("refresh_token");
            !is_line || is_secret || value(&page, key) == *typed
        };
        // It is in words of the page, and not of a file.
        let of_page = !said.contains('`') && !said.contains("[[") && !said.contains("_from");
        // Put right, it goes on.
        let goes_on = draft.post(step, "next", right).status == 303;
        if !says || !of_page || !goes_on || page.contains("very secret") || !wrong.iter().all(|one| shows(&one)) {
            let top = page
                .split_once("One thing has to be put right")
                .map_or("", |(_, rest)| between(rest, "<p>", "</p>"));
            unsaid.push(format!(
                "{step} {wrong:?}: {goes_on}: {said:?} at {field}; above: {top}"
            ));
        }
    }
    assert!(unsaid.is_empty(), "{}", unsaid.join("\n"));
}

#[test]
fn all_that_is_wrong_in_a_step_is_said_at_once() {
    let (_site, anna) = empty();
    let several: &[(&str, Fields, Fields, &[&str])] = &[
        (
            "server",
            SERVER,
            &[
                ("server.access", "gopher"),
                ("server.host", ""),
                ("server.port", "imaps"),
                ("server.username", ""),
                ("server.password", ""),
            ],
            &[
                "server-access",
                "server-host",
                "server-port",
                "server-username",
                "server-password",
            ],
        ),
        (
            "server",
            BY_TOKEN,
            &[
                ("server.oauth2.token_endpoint", ""),
                ("server.oauth2.client_id", ""),
                ("server.oauth2.refresh_token", ""),
            ],
            &[
                "server-oauth2-token_endpoint",
                "server-oauth2-client_id",
                "server-oauth2-refresh_token",
            ],
        ),
        (
            "folders",
            FOLDERS,
            &[("folders.include", "\\Nothing"), ("folders.exclude", "\\Nothing")],
            &["folders-include", "folders-exclude"],
        ),
        (
            "recipients",
            RECIPIENTS,
            &[
                ("recipients.own_addresses", "all"),
                ("recipients.journal", "sometimes"),
                ("recipients.journal_from", "example.com"),
                ("recipients.create_limit", "-1"),
                ("recipients.unknown", "drop"),
            ],
            &[
                "recipients-own_addresses",
                "recipients-journal",
                "recipients-create_limit",
                "recipients-unknown",
            ],
        ),
        (
            "keeping",
            KEEPING,
            &[
                ("name", ""),
                ("schedule", "other"),
                ("schedule_other", "sometimes"),
                ("delete.when", "soon"),
                ("delete.after", "30d"),
                ("connections", "17"),
                ("server.timeout", "soon"),
            ],
            &["name", "schedule", "delete-when", "connections", "server-timeout"],
        ),
    ];
    for (step, right, wrong, fields) in several {
        let draft = Draft::begin(&anna, "");
        if *step != "server" {
            draft.goes("server", "next", SERVER, "test");
        }
        let page = draft.refused(step, &with(right, wrong));
        let mut said: Vec<_> = page
            .match_indices("-fault\">")
            .filter_map(|(at, _)| page[..at].rsplit_once("<p class=\"fault\" id=\"").map(|(_, id)| id))
            .filter(|id| !id.contains('"'))
            .collect();
        let mut expected = fields.to_vec();
        said.sort_unstable();
        expected.sort_unstable();
        assert_eq!(said, expected, "{step} {wrong:?}: {page}");
        let above = between(&page, "This has to be put right", "</ul>");
        assert_eq!(above.matches("<li>").count(), fields.len(), "{above}");
        // Put right, all of it is.
        assert_eq!(draft.post(step, "next", right).status, 303);
    }
}

#[test]
fn over_pop3_there_is_one_folder_one_session_and_no_moving() {
    let (_site, anna) = empty();
    let draft = Draft::begin(&anna, "");
    draft.goes(
        "server",
        "next",
        &with(SERVER, &[("server.access", "pop3-ssl")]),
        "test",
    );
    assert!(draft.get("folders").contains("the inbox alone"));
    draft.goes("folders", "next", &[], "recipients");
    for (wrong, field) in [
        (&[("connections", "2")][..], "connections"),
        (
            &[("delete.when", "archived"), ("delete.move_to", "Old")],
            "delete-move_to",
        ),
    ] {
        let page = draft.refused("keeping", &with(KEEPING, wrong));
        assert!(
            between(&page, &format!("id=\"{field}-fault\">"), "</p>").contains("POP3"),
            "{page}"
        );
    }
}

#[test]
fn what_a_step_before_got_wrong_leads_back_to_it() {
    let (_site, anna) = empty();
    let draft = Draft::begin(&anna, "");
    let reply = draft.post("finish", "next", &[]).expect(303);
    assert_eq!(reply.field("location"), format!("{}/server?check=1", draft.path));
    let page = anna.get(reply.field("location")).expect(200).text();
    assert!(page.contains("id=\"server-host-fault\""), "{page}");
    // Over POP3 nothing is moved: what was right over IMAP is wrong after the first step was changed.
    draft.goes("server", "next", SERVER, "test");
    draft.goes(
        "keeping",
        "next",
        &with(KEEPING, &[("delete.when", "archived"), ("delete.move_to", "Old")]),
        "dry-run",
    );
    draft.goes(
        "server",
        "next",
        &with(SERVER, &[("server.access", "pop3-ssl")]),
        "test",
    );
    let reply = draft.post("finish", "next", &[]).expect(303);
    assert_eq!(reply.field("location"), format!("{}/keeping?check=1", draft.path));
    let page = anna.get(reply.field("location")).expect(200).text();
    assert!(
        between(&page, "id=\"delete-move_to-fault\">", "</p>").contains("POP3"),
        "{page}"
    );
}

#[test]
fn what_is_the_same_for_everybody_is_filled_in_for_microsoft_and_google() {
    let (_site, anna) = empty();
    let draft = Draft::begin(&anna, "");
    draft.goes("server", "microsoft", SERVER, "server");
    let page = draft.get("server");
    assert_eq!(value(&page, "server.host"), "outlook.office365.com");
    assert_eq!(
        value(&page, "server.username"),
        "all@example.com",
        "what was typed stays"
    );
    assert_eq!(
        value(&page, "server.oauth2.scope"),
        "https://outlook.office365.com/.default"
    );
    assert!(value(&page, "server.oauth2.token_endpoint").contains("/TENANT/"));
    draft.goes("server", "google", SERVER, "server");
    let page = draft.get("server");
    assert_eq!(
        (value(&page, "server.host"), value(&page, "server.oauth2.scope")),
        ("imap.gmail.com", "")
    );
    let right = with(BY_TOKEN, &[("server.oauth2.client_secret", "very secret")]);
    draft.goes("server", "next", &right, "test");
    let page = draft.get("server");
    assert_eq!(page.matches("One is kept, and never shown").count(), 3, "{page}");
}

#[test]
fn without_a_key_the_first_page_says_how_one_is_made() {
    let appliance = Appliance::new(env!("CARGO_BIN_EXE_dropkeep"), "");
    let serving: Serving = appliance.serve();
    let site = Site { appliance, serving };
    site.add("anna", "administrator", &[]);
    let (anna, _) = log_in(&site, "anna", "");
    let draft = Draft::begin(&anna, "");
    let page = draft.get("server");
    assert!(
        page.contains("Passwords cannot be kept yet") && page.contains("dropkeep profiles key"),
        "{page}"
    );
    let page = draft.refused("server", SERVER);
    assert!(
        between(&page, "id=\"server-password-fault\">", "</p>").contains("dropkeep profiles key"),
        "{page}"
    );
    assert!(!page.contains(PASSWORD));
}
