//! `[profile.delete]`: what is archived goes, and nothing else.

use crate::{
    DROPKEEP,
    journey::taken,
    mail,
    server::{Kind, Server},
    support::{
        appliance::{Appliance, number},
        complete::{assert_nothing_is_missing, stored},
        pull::Client,
    },
};

const DELETE: &str = "[profile.delete]\nwhen = \"archived\"\n";
const MESSAGES: usize = 20;

/// Flagged mail stays, and is archived all the same.
pub fn over_imap(kind: &'static Kind) {
    let server = Server::start(kind);
    assert_eq!(server.deliver(mail::more(MESSAGES, 1)), 0);
    let mut client = Client::imap(server.ports.imap);
    client.command("SELECT INBOX");
    client.command("STORE 3,7 +FLAGS (\\Flagged)");
    drop(client);
    let sent = server.pull("imap");
    let appliance = Appliance::for_company(DROPKEEP, &server.profile("imap", DELETE));
    let run = taken(&appliance, MESSAGES);
    assert_eq!(number(&run, "deleted"), MESSAGES as u64 - 2, "{run:#}");
    assert_eq!(
        server.pull("imap"),
        [sent[2].clone(), sent[6].clone()],
        "the flagged ones stay"
    );
    assert_eq!(server.count("DELETED"), 0, "no mark of deletion stays");
    assert_nothing_is_missing(&sent, &stored(&appliance.lists()));

    assert_eq!(server.deliver(mail::more(3, 2)), 0);
    let run = taken(&appliance, 3);
    assert_eq!(number(&run, "deleted"), 3, "{run:#}");
    assert_eq!(server.pull("imap").len(), 2);
}

/// What is archived is moved into a folder, which is made when it is missing, and is not archived itself.
pub fn by_moving(kind: &'static Kind, folder: &str) {
    let server = Server::start(kind);
    assert_eq!(server.deliver(mail::more(MESSAGES, 1)), 0);
    let sent = server.pull("imap");
    let tables = format!("[profile.folders]\ninclude = [\"*\"]\n{DELETE}move_to = \"{folder}\"\n");
    let appliance = Appliance::for_company(DROPKEEP, &server.profile("imap", &tables));
    taken(&appliance, MESSAGES);
    assert_eq!(server.pull("imap").len(), 0);
    assert_eq!(server.pull_folder(folder), sent, "all are there, in their order");
    assert_nothing_is_missing(&sent, &stored(&appliance.lists()));
    taken(&appliance, 0);
}

/// POP3 has no flags: all that is archived goes.
pub fn over_pop3(kind: &'static Kind) {
    let server = Server::start(kind);
    assert_eq!(server.deliver(mail::more(MESSAGES, 1)), 0);
    let sent = server.pull("pop3");
    let appliance = Appliance::for_company(DROPKEEP, &server.profile("pop3", DELETE));
    let run = taken(&appliance, MESSAGES);
    assert_eq!(number(&run, "deleted"), MESSAGES as u64, "{run:#}");
    assert_eq!(server.pull("imap").len(), 0, "nothing stays");
    assert_nothing_is_missing(&sent, &stored(&appliance.lists()));

    assert_eq!(server.deliver(mail::more(3, 2)), 0);
    let run = taken(&appliance, 3);
    assert_eq!(number(&run, "deleted"), 3, "{run:#}");
    assert_eq!(server.pull("imap").len(), 0);
}
