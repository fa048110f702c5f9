//! Several messages taken as one file.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufReader, Cursor, Read},
    thread,
    time::Duration,
};

use serde_json::{Value, json};
use zip::ZipArchive;

use crate::{
    site::{Client, Site, chunk, head},
    support::{appliance::PROFILE, identity::sha256, pages},
};

/// What a ZIP has: by the number of a message, its bytes.
pub fn taken(zip: &[u8]) -> BTreeMap<usize, Vec<u8>> {
    let mut zip = ZipArchive::new(Cursor::new(zip)).expect("a ZIP");
    let mut taken = BTreeMap::new();
    for at in 0..zip.len() {
        let mut file = zip.by_index(at).expect("a file");
        let name = file.name().expect("a name").into_owned();
        let id = name.strip_suffix(".eml").and_then(|name| name.rsplit(' ').next());
        if let Some(id) = id.map(|id| id.parse().expect("a number")) {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).expect("its bytes");
            taken.insert(id, bytes);
        }
    }
    taken
}

#[test]
fn what_is_found_or_named_is_one_file() {
    let site = Site::with_mail();
    site.import("From: x@example.org\r\nTo: jane@example.com\r\n\r\nFrom here\r\n>From there, and no line's end");
    site.add("aud", "auditor", &[]);
    site.indexed();
    let aud = site.log_in("aud");
    let all = aud.get("/api/v1/export?q=").expect(200);
    assert_eq!(
        all.field("content-disposition"),
        "attachment; filename*=UTF-8''messages.zip"
    );
    let all = taken(&all.body);
    assert!(all.keys().eq(&(1..=9).collect::<Vec<_>>()), "{:?}", all.keys());
    for (id, bytes) in &all {
        assert_eq!(*bytes, site.appliance.raw(*id as u64), "{id}");
    }
    let named = taken(&aud.get("/api/v1/export?ids=9,2,9").expect(200).body);
    assert!(named.keys().eq(&[2, 9]), "{:?}", named.keys());
    let of = taken(&aud.get("/api/v1/export?q=secret*&user=bob").expect(200).body);
    assert!(of.keys().eq(&[3, 4, 7, 8]), "{:?}", of.keys());

    let mbox = aud.get("/api/v1/export?q=&form=mbox").expect(200);
    assert_eq!(
        mbox.field("content-disposition"),
        "attachment; filename*=UTF-8''messages.mbox"
    );
    let file = site.path("messages.mbox");
    fs::write(&file, &mbox.body).expect("a file");
    let other = Site::new("", &[]).appliance;
    other.done(&["import", "--profile", PROFILE, file.to_str().expect("a name")]);
    // A last line without an end has one in an mbox.
    let with_end = |raw: Vec<u8>| {
        if raw.ends_with(b"\n") {
            raw
        } else {
            [raw, b"\n".to_vec()].concat()
        }
    };
    for (id, bytes) in all {
        assert_eq!(
            sha256(&with_end(other.raw(id as u64))),
            sha256(&with_end(bytes)),
            "{id}"
        );
    }

    for wrong in [
        "",
        "?ids=",
        "?ids=1,",
        "?ids=x",
        "?ids=1&q=x",
        "?ids=1&user=jane",
        "?user=jane",
        "?q=%28",
        "?q=&form=tar",
        "?q=&more=1",
    ] {
        aud.get(&format!("/api/v1/export{wrong}")).expect(400);
    }
    let many: Vec<_> = (0..201).map(|_| "1").collect();
    aud.get(&format!("/api/v1/export?ids={}", many.join(","))).expect(400);
    aud.get("/api/v1/export?ids=1,10").expect(404);
    aud.get("/api/v1/export?q=&user=nobody").expect(404);
    // All that was taken stands in the audit log.
    let entries = aud.get("/api/v1/audit?action=export&account=aud").expect(200).json();
    let entries = entries["entries"].as_array().expect("entries").clone();
    let of = |object: &str| entries.iter().filter(|entry| entry["object"] == json!(object)).count();
    assert_eq!(of("as zip, messages 9 2 9"), 1, "{entries:?}");
    assert_eq!(of("as zip, query secret*; of user bob"), 1, "{entries:?}");
    assert_eq!(of("as mbox, query *"), 1, "{entries:?}");
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_there() {
    let site = Site::with_mail();
    // Of which a block is that can be found.
    let large: String = (0..1000_u64)
        .map(|number| sha256(&number.to_be_bytes()) + "\r\n")
        .collect();
    site.import(&format!("From: x@example.org\r\nTo: jane@example.com\r\n\r\n{large}"));
    site.add("aud", "auditor", &[]);
    site.indexed();
    let Site { appliance, serving } = site;
    serving.stop().expect(0);
    let volume = appliance.data().join("volumes/000001/data.mdb");
    let mut bytes = fs::read(&volume).expect("a volume");
    let block = pages::largest_block(&bytes);
    bytes[block + 100] ^= 1;
    fs::write(&volume, bytes).expect("a volume");
    let serving = appliance.serve_as(appliance.command(&["serve"]));
    let site = Site { appliance, serving };
    let aud = site.log_in("aud");
    assert_ne!(aud.get("/api/v1/messages/9/raw").status, 200);
    let zip = aud.get("/api/v1/export?q=").expect(200).body;
    assert!(taken(&zip).keys().eq(&(1..=8).collect::<Vec<_>>()));
    let mut zip = ZipArchive::new(Cursor::new(zip)).expect("a ZIP");
    let mut said = String::new();
    zip.by_name("not taken.txt")
        .expect("what was not taken")
        .read_to_string(&mut said)
        .expect("text");
    assert!(said.starts_with("message 9: ") && said.lines().count() == 1, "{said}");
    // An mbox has no place for it.
    let mut mbox = BufReader::new(
        aud.begin("GET", "/api/v1/export?q=&form=mbox", "", b"")
            .expect("a connection"),
    );
    // One that is cut early may not even begin.
    let is_cut = match head(&mut mbox) {
        Ok((status, _)) => {
            status == 200 && std::iter::from_fn(|| chunk(&mut mbox).transpose()).any(|chunk| chunk.is_err())
        }
        Err(_) => true,
    };
    assert!(is_cut, "it looks whole");
}

#[test]
fn an_export_went_on_after_the_right_to_it_had_ended() {
    let site = Site::new("", &[]);
    let line = format!("{}\r\n", "x".repeat(76));
    for at in 0..4 {
        let body = line.repeat((16 << 20) / line.len());
        site.import(&format!(
            "From: x@example.org\r\nTo: jane@example.com\r\nSubject: {at}\r\n\r\n{at}\r\n{body}"
        ));
    }
    site.indexed();
    site.add("aud", "auditor", &[]);
    let change = |name: &str, wish: Value| {
        site.own(json!({"change_account": {"name": name, "wish": wish}}));
    };
    type End<'e> = &'e dyn Fn(&Client, &str);
    let ends: [(&str, End); 5] = [
        ("goes on", &|_, _| {}),
        ("disabled", &|_, name| change(name, json!("disable"))),
        ("archive taken", &|_, name| change(name, json!({"take": "jane"}))),
        ("logged out", &|client, _| {
            client.ask("DELETE", "/api/v1/session", "", b"").expect(204);
        }),
        ("program removed", &|_, name| {
            change(name, json!({"remove_application": "script"}))
        }),
    ];
    for (at, (what, end)) in ends.into_iter().enumerate() {
        let name = format!("jane{at}");
        site.add(&name, "user", &["jane"]);
        let mut client = site.log_in(&name);
        if what == "program removed" {
            let path = format!("/api/v1/accounts/{name}/applications");
            let made = client
                .send("POST", &path, &json!({"name": "script"}))
                .expect(201)
                .json();
            client.field = format!(
                "Authorization: Bearer {name}:{}",
                made["password"].as_str().expect("one")
            );
        }
        let stream = client
            .begin("GET", "/api/v1/export?q=&form=mbox", "", b"")
            .expect("a connection");
        let mut mbox = BufReader::new(stream);
        assert_eq!(head(&mut mbox).expect("an answer").0, 200);
        chunk(&mut mbox).expect("a chunk").expect("one");
        end(&client, &name);
        thread::sleep(Duration::from_secs(3));
        let chunks = std::iter::from_fn(|| chunk(&mut mbox).transpose());
        let is_cut = chunks.into_iter().any(|chunk| chunk.is_err());
        assert_eq!(is_cut, what != "goes on", "{what}");
        let log = site.own(json!({"audit": {"account": name, "action": "export", "check": false}}));
        let outcomes: Vec<_> = log
            .iter()
            .filter_map(|reply| reply["audited"]["outcome"].as_str())
            .collect();
        let expected = if is_cut { &["done", "refused"][..] } else { &["done"] };
        assert_eq!(outcomes, expected, "{what}");
    }
}
