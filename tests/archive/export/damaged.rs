//! Archives with damages: what cannot be read is named, and all the rest is exported.

use std::{
    collections::BTreeSet,
    fs::{self, OpenOptions},
    os::unix::fs::FileExt,
    path::PathBuf,
};

use serde_json::Value;

use super::{FORMATS, Site, counts, out};
use crate::export::support::{
    appliance::{PROFILE, number, text},
    generator::{Mailbox, Settings},
    pages::{PAGE, fullest_leaf, largest_block},
    running::Outcome,
};

fn volume(site: &Site) -> PathBuf {
    site.appliance.data().join("volumes/000001/data.mdb")
}

fn put(site: &Site, bytes: &[u8], at: usize) {
    let file = OpenOptions::new().write(true).open(volume(site)).unwrap();
    file.write_all_at(bytes, at as u64).unwrap();
}

/// That what was exported, and what was named as damaged, is all there is; and each as it should be.
fn assert_gone_round(site: &Site, name: &str, format: &str, outcome: &Outcome) -> Vec<Value> {
    let result = outcome.json();
    let damages = result["damages"].as_array().unwrap().clone();
    let named: BTreeSet<_> = damages
        .iter()
        .map(|damage| (text(damage, "user"), number(damage, "id")))
        .collect();
    assert_eq!(named.len() as u64, number(&result, "damaged"));
    assert_eq!(result["finished"], true);
    for damage in &damages {
        assert_eq!(number(damage, "volume"), 1);
        let said = format!(
            "message {} of user {:?} (volume 000001)",
            damage["id"],
            text(damage, "user")
        );
        assert!(outcome.stderr.contains(&said), "{said} in {}", outcome.stderr);
    }
    let mut lists = site.appliance.lists();
    for (user, list) in &mut lists {
        list.retain(|entry| !named.contains(&(user.clone(), number(entry, "id"))));
    }
    let contents = out::read(&site.dir(name), format);
    out::assert_holds(&contents, lists.iter().map(|(user, list)| (&**user, &**list)));
    damages
}

/// Of the generator's messages, so many at most have a longer header than a row of a list keeps.
const MOST_CUT: usize = 5;

#[test]
fn what_is_damaged_is_gone_round_and_exported_once_it_is_mended() {
    let site = Site::new("", Mailbox::new(Settings::messages(1_000)));
    let all = site.appliance.lists().iter().map(|(_, list)| list.len()).sum::<usize>();
    let good = fs::read(volume(&site)).unwrap();
    let block = largest_block(&good);
    for format in FORMATS {
        put(&site, &[good[block + 9_000] ^ 1], block + 9_000);
        let outcome = site.export(format, &["--format", format]).expect(4);
        // A list ended at the first damaged message. Now it reads a block only for a message whose row is cut.
        let listed = site.appliance.run(&["list", "--all", "--json"]);
        let lacking = all - listed.lines().len();
        let listed = listed.expect(if lacking == 0 { 0 } else { 4 });
        assert!(lacking <= MOST_CUT, "{}", listed.stderr);
        assert_eq!(lacking > 0, listed.stderr.contains("not listed"), "{}", listed.stderr);
        put(&site, &good[block..block + 2 * PAGE + PAGE], block);
        let damages = assert_gone_round(&site, format, format, &outcome);
        assert!(!damages.is_empty() && damages.iter().all(|damage| damage["kind"] == "message"));
        let mended = site.export(format, &["--format", format]).expect(0);
        assert_eq!(counts(&mended)[0], damages.len() as u64);
        site.assert_complete(format, format);
    }
}

/// LMDB is led beyond the end of the file, which ends the process that reads there.
#[test]
fn what_crashes_the_reader_is_gone_round() {
    let site = Site::new("", Mailbox::new(Settings::messages(3_000)));
    let good = fs::read(volume(&site)).unwrap();
    let (_, entries) = fullest_leaf(&good);
    assert!(entries.len() > 6, "{} blocks", entries.len());
    for (format, smashed) in FORMATS
        .into_iter()
        .zip([vec![0], vec![2, 3], vec![1, entries.len() - 1]])
    {
        for entry in &smashed {
            // The upper half of the entry's size.
            put(&site, &0x7fff_u16.to_le_bytes(), entries[*entry] + 2);
        }
        let outcome = site.export(format, &["--format", format]).expect(4);
        put(&site, &good, 0);
        let damages = assert_gone_round(&site, format, format, &outcome);
        let blocks: BTreeSet<_> = damages.iter().map(|damage| text(damage, "detail")).collect();
        assert!(damages.iter().any(|damage| damage["kind"] == "crash"), "{blocks:?}");
        assert!(blocks.len() <= 2 * smashed.len(), "{blocks:?}");
        site.export(format, &["--format", format]).expect(0);
        site.assert_complete(format, format);
    }
}

/// Every block crashes the reader, or the volume cannot be read at all.
#[test]
fn a_volume_that_is_lost_ends_no_export() {
    let site = Site::new("", Mailbox::new(Settings::messages(500)));
    let good = fs::read(volume(&site)).unwrap();
    let (page, entries) = fullest_leaf(&good);
    type Smash<'s> = (&'s str, Box<dyn Fn() + 's>);
    let smashes: [Smash; 4] = [
        (
            "sizes",
            Box::new(|| {
                entries
                    .iter()
                    .for_each(|entry| put(&site, &0x7fff_u16.to_le_bytes(), entry + 2))
            }),
        ),
        ("leaf", Box::new(|| put(&site, &[0xff; PAGE], page))),
        ("metas", Box::new(|| put(&site, &[0xff; 2 * PAGE], 0))),
        ("missing", Box::new(|| fs::remove_file(volume(&site)).unwrap())),
    ];
    for (name, smash) in smashes {
        smash();
        let outcome = site.export(name, &["--user", "jane"]).expect(4);
        fs::write(volume(&site), &good).unwrap();
        let [exported, skipped, damaged] = counts(&outcome);
        let janes = site.appliance.done(&["list", "--user", "jane", "--json"]).lines().len() as u64;
        assert_eq!((exported + damaged, skipped), (janes, 0), "{name}: {}", outcome.stderr);
        let mended = site.export(name, &["--user", "jane"]).expect(0);
        assert_eq!(counts(&mended), [damaged, exported, 0], "{name}");
    }
}

/// The list of a user leads beyond the end of the catalog: that user is named, the others are exported.
#[test]
fn a_list_that_crashes_the_reader_is_gone_round() {
    let site = Site::new("", Mailbox::new(Settings::messages(300)));
    // A single row is not packed with those of others.
    site.server
        .deliver(["To: ben@example.com\r\nDate: Mon, 5 Jan 2026 10:00:00 +0000\r\nSubject: alone\r\n\r\nbody\r\n"]);
    site.appliance.done(&["archive", PROFILE]);
    let lists = site.appliance.lists();
    let catalog = site.appliance.data().join("catalog/data.mdb");
    let good = fs::read(&catalog).unwrap();
    // A leaf of filings, found by its key: user, date with its sign turned, message.
    let (_, list) = lists.iter().find(|(name, _)| name == "ben").expect("Ben");
    let user = user_ids(&site)["ben"].as_u64().unwrap() as u32;
    let alone = list.iter().max_by_key(|line| number(line, "id")).expect("mail");
    let date: jiff::Timestamp = text(alone, "date").parse().unwrap();
    let date = (date.as_second() as u64) ^ (1 << 63);
    let key = [
        &user.to_be_bytes()[..],
        &date.to_be_bytes(),
        &number(alone, "id").to_be_bytes(),
    ]
    .concat();
    let mut smashed = good.clone();
    let found: Vec<_> = memchr::memmem::find_iter(&good, &key).collect();
    assert!(!found.is_empty());
    for at in found {
        smashed[at - 6..at - 4].copy_from_slice(&0x7fff_u16.to_le_bytes());
    }
    fs::write(&catalog, smashed).unwrap();
    let outcome = site.export("out", &[]).expect(4);
    fs::write(&catalog, &good).unwrap();
    let result = outcome.json();
    let damages = result["damages"].as_array().unwrap();
    assert_eq!(damages.len(), 1, "{result:#}");
    assert_eq!(
        (&damages[0]["kind"], &damages[0]["user"]),
        (&"catalog".into(), &"ben".into())
    );
    let exported = out::read(&site.dir("out"), "eml");
    for (name, list) in &lists {
        assert!(name == "ben" || exported[name].len() == list.len(), "{name}");
    }
    site.export("out", &[]).expect(0);
    site.assert_complete("out", "eml");
}

fn user_ids(site: &Site) -> serde_json::Map<String, Value> {
    site.export("ids", &["--to", "1970-01-01"]).expect(0);
    let marker = fs::read(site.dir("ids").join("dropkeep-export.json")).unwrap();
    let marker: Value = serde_json::from_slice(&marker).unwrap();
    let folders = marker["folders"].as_object().unwrap();
    folders
        .iter()
        .map(|(id, name)| (name.as_str().unwrap().to_owned(), id.parse::<u32>().unwrap().into()))
        .collect()
}
