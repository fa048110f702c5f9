//! Folders of IMAP.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::{
    DROPKEEP,
    journey::taken,
    mail,
    server::{Kind, Server},
    support::{
        appliance::{Appliance, number, text},
        identity::sha256,
        pull::Client,
        wait_for,
    },
};

/// Names as people read them, and as they travel (RFC 3501, 5.1.3); `/` stands for the delimiter.
const NAMES: [(&str, &str); 6] = [
    ("Archive", "Archive"),
    ("Archive/2002", "Archive/2002"),
    ("Entwürfe", "Entw&APw-rfe"),
    ("Entwürfe/日本語", "Entw&APw-rfe/&ZeVnLIqe-"),
    ("Tom & Jerry", "Tom &- Jerry"),
    ("Junk", "Junk"),
];
const LEFT_OUT: &str = "Junk";

/// Every folder below `prefix` is archived by the name that people know, but for the one that is left out. `more` are
/// names that not every server takes.
pub fn all_are_archived(kind: &'static Kind, prefix: &str, delimiter: char, more: &[(&str, &str)]) {
    let server = Server::start(kind);
    let mut client = Client::imap(server.ports.imap);
    let mut expected = BTreeMap::new();
    server.deliver(mail::more(2, 0));
    expected.insert("INBOX".to_owned(), digests(server.pull("imap")));
    for (number, (name, raw)) in NAMES.iter().chain(more).enumerate() {
        let place = |name: &str| format!("{prefix}{}", name.replace('/', &delimiter.to_string()));
        let raw = place(raw);
        client.command(&format!("CREATE \"{raw}\""));
        for message in mail::more(number + 1, number as u64 + 1) {
            client.append(&raw, &mail::wire(&message));
        }
        if *name != LEFT_OUT {
            expected.insert(place(name), digests(server.pull_folder(&raw)));
        }
    }
    let folders = format!("[profile.folders]\ninclude = [\"*\"]\nexclude = [\"{prefix}{LEFT_OUT}\"]\n");
    let appliance = Appliance::for_company(DROPKEEP, &server.profile("imap", &folders));
    let all: usize = expected.values().map(BTreeSet::len).sum();
    let run = taken(&appliance, all);
    assert_eq!(number(&run, "archived"), all as u64, "{run:#}");

    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in appliance.lists().iter().flat_map(|(_, list)| list) {
        found
            .entry(text(line, "folder"))
            .or_default()
            .insert(text(line, "sha256"));
    }
    assert_eq!(found, expected);
    taken(&appliance, 0);

    let (_, raw) = NAMES[3];
    let raw = format!("{prefix}{}", raw.replace('/', &delimiter.to_string()));
    client.append(&raw, &mail::wire(&mail::more(1, 99)[0]));
    taken(&appliance, 1);
    taken(&appliance, 0);
}

/// A folder that was deleted and made again counts its messages anew from 1, under another UIDVALIDITY.
pub fn made_anew(kind: &'static Kind, folder: &str) {
    let server = Server::start(kind);
    let mut client = Client::imap(server.ports.imap);
    let mut uidvalidity = None;
    let mut fill = |number| {
        // Servers take it from the time of day: within the same second it may be the same again.
        let other = wait_for(Duration::from_secs(20), || {
            // Cyrus keeps what was deleted, by a name with the second in it: it refuses a second one.
            if uidvalidity.is_some() && client.attempt(&format!("DELETE \"{folder}\"")).is_err() {
                return false;
            }
            client.command(&format!("CREATE \"{folder}\""));
            let before = uidvalidity.replace(uidvalidity_of(&mut client, folder));
            before != uidvalidity
        });
        assert!(other, "UIDVALIDITY stays {uidvalidity:?}");
        for message in mail::more(3, number) {
            client.append(folder, &mail::wire(&message));
        }
    };
    let folders = format!("[profile.folders]\ninclude = [\"{folder}\"]\n");
    let appliance = Appliance::for_company(DROPKEEP, &server.profile("imap", &folders));
    for (number, archived) in [(1, 3), (2, 3), (1, 0)] {
        fill(number);
        let run = taken(&appliance, 3);
        assert_eq!(
            number_of(&run),
            (archived, 3 - archived),
            "filled with {number}: {run:#}"
        );
        taken(&appliance, 0);
    }
}

fn number_of(run: &serde_json::Value) -> (u64, u64) {
    (number(run, "archived"), number(run, "duplicates"))
}

fn uidvalidity_of(client: &mut Client, folder: &str) -> u32 {
    let lines = client.command(&format!("STATUS \"{folder}\" (UIDVALIDITY)"));
    let value = |line: &String| line.split_once("(UIDVALIDITY ")?.1.split(')').next()?.parse().ok();
    lines.iter().find_map(value).expect("UIDVALIDITY")
}

fn digests(messages: Vec<Vec<u8>>) -> BTreeSet<String> {
    messages.iter().map(|message| sha256(message)).collect()
}
