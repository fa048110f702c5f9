//! Stores of earlier versions: opened, brought to the present schema, and read to the last byte.

use std::{fs, time::Duration};

use dropkeep::{
    archive::{MessageId, SCHEMA, Store},
    config::Config,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{
    appliance::{Appliance, Profile, number, text},
    dovecot::Dovecot,
    generator::{self, Mailbox, Settings},
    stores::thaw,
    wait_for,
};

const DROPKEEP: &str = env!("CARGO_BIN_EXE_dropkeep");

fn assert_reads_the_same(appliance: &Appliance, read: &Value) {
    assert_eq!(json!(appliance.done(&["users", "--json"]).lines()), read["users"]);
    let mut runs = appliance.done(&["protocols", "--json"]).lines();
    let known = read["runs"].as_array().unwrap();
    assert_eq!(runs.len(), known.len());
    for (run, known) in runs.iter_mut().zip(known) {
        // Later versions say more.
        run.as_object_mut().unwrap().retain(|key, _| known.get(key).is_some());
        assert_eq!(run, known);
    }
    let lists = appliance.lists();
    assert_eq!(lists.len(), read["lists"].as_object().unwrap().len());
    for (name, list) in lists {
        let known = read["lists"][&name].as_array().unwrap();
        assert_eq!(list.len(), known.len(), "{name}");
        for (mut entry, known) in list.into_iter().zip(known) {
            entry.as_object_mut().unwrap().retain(|key, _| known.get(key).is_some());
            if text(known, "subject").contains('\u{fffd}') {
                // They read it where that one could not.
                assert!(!text(&entry, "subject").contains('\u{fffd}'), "{entry}");
                entry["subject"] = known["subject"].clone();
            }
            assert_eq!(&entry, known);
        }
    }
    let messages = read["lists"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|list| list.as_array().unwrap());
    for message in messages {
        let raw = appliance.raw(number(message, "id"));
        let sha256: String = Sha256::digest(&raw).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(sha256, text(message, "sha256"));
    }
}

#[test]
fn a_store_of_schema_1_is_read_to_the_last_byte_and_written_to() {
    is_read_to_the_last_byte_and_written_to(1);
}

#[test]
fn a_store_of_schema_2_is_read_to_the_last_byte_and_written_to() {
    is_read_to_the_last_byte_and_written_to(2);
}

#[test]
fn a_store_of_schema_3_is_read_to_the_last_byte_and_written_to() {
    is_read_to_the_last_byte_and_written_to(3);
}

#[test]
fn a_store_of_schema_4_is_read_to_the_last_byte_and_written_to() {
    is_read_to_the_last_byte_and_written_to(4);
}

#[test]
fn a_store_of_schema_5_is_read_to_the_last_byte_and_written_to() {
    is_read_to_the_last_byte_and_written_to(5);
}

#[test]
fn a_store_of_schema_6_is_read_to_the_last_byte_and_written_to() {
    is_read_to_the_last_byte_and_written_to(6);
}

/// Which messages of an archive have a row for lists, and which have none.
fn rows_of_lists(appliance: &Appliance) -> (usize, usize) {
    let config = Config::load(&appliance.config()).expect("a configuration");
    let store = Store::open_for_reading(&config).expect("a store");
    let (messages, _) = store.totals().expect("the totals");
    let rows = store.listed((1..=messages).map(MessageId)).expect("the rows");
    let with = rows.iter().flatten().count();
    (with, rows.len() - with)
}

#[test]
fn lists_of_an_older_store_say_the_same_before_and_after_their_rows_are_made() {
    for schema in [1, 3] {
        let appliance = Appliance::new(DROPKEEP, &generator::user_tables(&generator::company()));
        let read = thaw(&appliance, schema);
        assert_reads_the_same(&appliance, &read);
        let (with, without) = rows_of_lists(&appliance);
        assert!(with == 0 && without > 50, "{with} with a row, {without} without");
        appliance.done(&["compact"]);
        assert_eq!(rows_of_lists(&appliance), (without, 0));
        assert_reads_the_same(&appliance, &read);
        let verified = appliance.done(&["verify", "--json"]).json();
        assert_eq!(verified["ok"], true, "{verified:#}");
    }
}

#[test]
fn a_store_of_schema_3_gets_its_rows_of_lists_while_it_serves() {
    let appliance = Appliance::new(DROPKEEP, &generator::user_tables(&generator::company()));
    thaw(&appliance, 3);
    let serving = appliance.serve();
    let made = wait_for(Duration::from_secs(60), || rows_of_lists(&appliance).1 == 0);
    assert!(made, "no rows were made:\n{}", serving.running.stderr());
}

fn is_read_to_the_last_byte_and_written_to(schema: u32) {
    // The mailbox that the frozen store was made of, so that its copies are known.
    let server = Dovecot::with(Mailbox::new(Settings::messages(60)));
    let appliance = Appliance::for_company(DROPKEEP, &Profile::new(&server, "imap-ssl"));
    let read = thaw(&appliance, schema);
    assert_reads_the_same(&appliance, &read);
    // A second time it is of the present schema.
    assert_reads_the_same(&appliance, &read);
    // What was there is in the ledger.
    let verified = appliance.done(&["verify", "--json"]).json();
    assert_eq!(verified["ok"], true, "{verified:#}");

    // Another port is another source: all of it is fetched, and known.
    let run = appliance.done(&["archive", "company", "--json"]).json();
    assert_eq!(number(&run, "failed"), 0, "{run:#}");
    assert!(number(&run, "duplicates") > 0, "{run:#}");
    // Some are for more people now: those in To of what was resent to others. Nobody has anything twice for that.
    let before = read["lists"].as_object().unwrap();
    let filings = |list: &[Value]| {
        list.iter()
            .map(|entry| text(entry, "sha256").to_owned())
            .collect::<Vec<_>>()
    };
    let (mut more, mut twice) = (0, 0);
    for (name, list) in appliance.lists() {
        let (known, now) = (filings(before[&name].as_array().unwrap()), filings(&list));
        more += now.len() - known.len();
        twice += now.len() - now.iter().collect::<std::collections::BTreeSet<_>>().len();
        twice -= known.len() - known.iter().collect::<std::collections::BTreeSet<_>>().len();
    }
    assert_eq!((number(&run, "filings"), twice), (more as u64, 0), "{run:#}");
    assert!(number(&run, "archived") <= 3, "{run:#}");
    let run = appliance.done(&["archive", "company", "--json"]).json();
    assert_eq!(number(&run, "seen"), 0, "{run:#}");
    let verified = appliance.done(&["verify", "--json"]).json();
    assert_eq!(verified["ok"], true, "{verified:#}");
}

#[test]
fn a_store_of_schema_1_can_be_exported_at_once() {
    let appliance = Appliance::new(DROPKEEP, &generator::user_tables(&generator::company()));
    let read = thaw(&appliance, 1);
    let dir = appliance.config().with_file_name("out");
    let exported = appliance.done(&["export", dir.to_str().unwrap(), "--json"]).json();
    let lists = read["lists"].as_object().unwrap();
    let filings: usize = lists.values().map(|list| list.as_array().unwrap().len()).sum();
    assert_eq!(number(&exported, "exported"), filings as u64, "{exported:#}");
    assert_eq!(number(&exported, "damaged"), 0, "{exported:#}");
}

#[test]
fn a_store_of_a_newer_schema_is_refused_and_not_touched() {
    let appliance = Appliance::new(DROPKEEP, &generator::user_tables(&generator::company()));
    thaw(&appliance, 1);
    let file = appliance.data().join("catalog/data.mdb");
    let mut catalog = fs::read(&file).unwrap();
    let schema = b"schema\0\0\0\x01";
    let places: Vec<_> = memchr::memmem::find_iter(&catalog, schema).collect();
    assert!(!places.is_empty(), "the schema's number is found in the catalog");
    for at in places {
        catalog[at + schema.len() - 1] = 99;
    }
    fs::write(&file, &catalog).unwrap();
    for command in [&["users"][..], &["list", "--user", "jane"], &["serve"]] {
        let refused = appliance.run(command).expect(4);
        let said = refused.stderr;
        assert!(
            said.contains("schema 99") && said.contains(&format!("up to {SCHEMA}")),
            "{said}"
        );
    }
    assert_eq!(fs::read(&file).unwrap(), catalog, "nothing was written");
}
