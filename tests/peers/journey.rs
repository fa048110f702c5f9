//! A mailbox is archived, comes back byte for byte, and later runs take what is new.

use serde_json::Value;

use crate::{
    DROPKEEP, mail,
    server::{Kind, Server},
    support::{
        appliance::{Appliance, PROFILE, assert_adds_up, number, text},
        complete::{assert_nothing_is_missing, assert_read_back, stored},
        generator,
    },
};

/// The whole journey over one kind of access.
pub fn over(kind: &'static Kind, access: &str) {
    let server = Server::start(kind);
    let messages = mail::all();
    let delivered = messages.len();
    let held = delivered - server.deliver(messages);
    let appliance = Appliance::for_company(DROPKEEP, &server.profile(access, ""));

    let test = appliance.done(&["test", PROFILE, "--json"]).json();
    assert_eq!(test["ok"], true, "{test:#}");
    assert_eq!(text(&test["folders"][0], "name"), "INBOX", "{test:#}");
    assert_eq!(number(&test["folders"][0], "messages"), held as u64, "{test:#}");

    let run = taken(&appliance, held);
    let marks = !access.starts_with("imap") && kind.pop3_marks;
    assert_eq!(server.count("SEEN"), if marks { held } else { 0 }, "marks of a run");
    let sent = server.pull(access);
    assert_eq!(sent.len(), held, "the server has what it took");
    let lists = appliance.lists();
    let archived = stored(&lists);
    assert_eq!(
        archived.len() as u64,
        number(&run, "archived"),
        "what is archived is listed"
    );
    assert_nothing_is_missing(&sent, &archived);
    assert_read_back(&appliance, &archived, 1);

    taken(&appliance, 0);
    assert_eq!(appliance.lists(), lists, "a second run changes no archive");

    assert_eq!(server.deliver(mail::more(5, 1)), 0);
    let run = taken(&appliance, 5);
    assert_eq!(number(&run, "archived"), 5, "{run:#}");
    assert_nothing_is_missing(&server.pull(access), &stored(&appliance.lists()));
    taken(&appliance, 0);
    appliance.done(&["verify"]);
}

/// Several sessions at once take the same as one, and new mail that comes between runs too.
pub fn over_several_connections(kind: &'static Kind) {
    let server = Server::start(kind);
    let messages = mail::all();
    let delivered = messages.len();
    let held = delivered - server.deliver(messages);
    let profile = server.profile("imap-ssl", "").toml();
    let several = profile.replace("[profile.server]", "connections = 4\n[profile.server]");
    let appliance = Appliance::new(DROPKEEP, &(generator::user_tables(&generator::company()) + &several));
    let run = taken(&appliance, held);
    let archived = stored(&appliance.lists());
    assert_eq!(
        archived.len() as u64,
        number(&run, "archived"),
        "what is archived is listed"
    );
    assert_nothing_is_missing(&server.pull("imap"), &archived);
    taken(&appliance, 0);
    assert_eq!(server.deliver(mail::more(5, 1)), 0);
    taken(&appliance, 5);
    taken(&appliance, 0);
}

/// A run that sees so many copies, and archives them or knows them for duplicates.
pub fn taken(appliance: &Appliance, copies: usize) -> Value {
    let run = appliance.done(&["archive", PROFILE, "--json"]).json();
    assert_adds_up(&run);
    assert_eq!(text(&run, "state"), "completed", "{run:#}");
    assert_eq!(number(&run, "seen"), copies as u64, "{run:#}");
    assert_eq!(
        number(&run, "archived") + number(&run, "duplicates"),
        copies as u64,
        "{run:#}"
    );
    run
}
