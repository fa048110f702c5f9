//! What is whole.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, SystemTime},
};

use serde_json::Value;

use crate::verify::{
    DROPKEEP,
    archive::{self, verify},
    support::{
        appliance::{Appliance, PROFILE, Profile, number},
        dovecot::Dovecot,
        generator::{self, Business, Mailbox, Settings, company, user_tables},
    },
};

fn assert_whole(appliance: &Appliance, arguments: &[&str]) -> Value {
    let (code, said) = verify(appliance, arguments);
    assert_eq!(
        (code, &said["ok"], &said["damages"]),
        (0, &true.into(), &Value::Array(vec![])),
        "{said:#}"
    );
    said
}

/// Every file below `folder`, with its content's length and the time it was written.
fn files(folder: &Path) -> BTreeMap<PathBuf, (u64, SystemTime)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let (path, metadata) = entry.map(|entry| (entry.path(), entry.metadata())).expect("an entry");
        let metadata = metadata.expect("its metadata");
        if metadata.is_dir() {
            found.extend(files(&path));
        } else if path.ends_with("data.mdb") || path.ends_with("manifest.json") {
            found.insert(path, (metadata.len(), metadata.modified().expect("a time")));
        }
    }
    found
}

#[test]
fn a_whole_archive_is_read_back_and_nothing_is_written() {
    let (_server, appliance) = archive::small();
    // That mail is listed is noted.
    let lists = appliance.lists();
    let before = files(&appliance.data());
    let said = assert_whole(&appliance, &[]);
    let sizes: BTreeMap<u64, u64> = lists
        .iter()
        .flat_map(|(_, list)| list.iter().map(|line| (number(line, "id"), number(line, "size"))))
        .collect();
    assert_eq!(number(&said, "messages"), sizes.len() as u64);
    assert_eq!(number(&said, "bytes"), sizes.values().sum::<u64>());
    assert!(sizes.len() > 140, "{}", sizes.len());

    let (name, list) = lists.iter().max_by_key(|(_, list)| list.len()).expect("users");
    let said = assert_whole(&appliance, &["--user", name]);
    assert_eq!(number(&said, "messages"), list.len() as u64);

    // Whole blocks, of which there are few.
    let sample = |seed: u64| assert_whole(&appliance, &["--sample", "30%", "--seed", &seed.to_string()]);
    assert_eq!(sample(7), sample(7));
    let some: BTreeSet<u64> = (1..=20).map(|seed| number(&sample(seed), "messages")).collect();
    assert!(
        some.len() > 1 && some.iter().all(|some| *some <= sizes.len() as u64),
        "{some:?}"
    );

    // Parts may lie in another volume than the message, which is read for both.
    let parts: u64 = (1..=9)
        .map(|volume: u32| archive::volume(&appliance, volume))
        .take_while(|folder| folder.exists())
        .zip(1..)
        .map(|(_, volume)| {
            number(
                &assert_whole(&appliance, &["--volume", &volume.to_string()]),
                "messages",
            )
        })
        .sum();
    assert!(parts >= sizes.len() as u64, "{parts}");

    let text = appliance.done(&["verify"]).text();
    assert!(text.contains("nothing is damaged"), "{text}");
    assert_eq!(files(&appliance.data()), before);

    for wrong in [
        &["--user", "nobody"][..],
        &["--volume", "99"],
        &["--sample", "0%"],
        &["--seed", "1"],
    ] {
        appliance.run(&[&["verify"], wrong].concat()).expect(2);
    }
}

#[test]
fn an_archive_is_whole_while_an_appliance_writes_it() {
    const ROUNDS: usize = 4;
    let server = Dovecot::start();
    let settings = user_tables(&company()) + &Profile::new(&server, "imap").toml();
    let appliance = Appliance::new(DROPKEEP, &(settings + "[archive]\nvolume_size = \"1 MiB\"\n"));
    let serving = appliance.serve();
    let mut plain = Mailbox::new(Settings::messages(600 * ROUNDS));
    let mut large = Business::new(40 * ROUNDS, 11);
    let mut beside = 0;
    for _ in 0..ROUNDS {
        server.deliver(plain.by_ref().take(600).chain(large.by_ref().take(40)));
        let mut archiving = appliance.start(&["archive", PROFILE]);
        while archiving.is_running() {
            assert_whole(&appliance, &[]);
            beside += 1;
        }
        archiving.wait().expect(0);
    }
    println!("{beside} verifications beside {ROUNDS} runs");
    assert!(beside >= ROUNDS, "{beside}");
    let said = assert_whole(&appliance, &[]);
    assert!(number(&said, "messages") > 2000, "{said:#}");
    serving.stop().expect(0);
    assert_eq!(assert_whole(&appliance, &[]), said);
}

#[test]
fn a_store_of_an_older_schema_is_brought_up_and_verified() {
    let appliance = Appliance::new(DROPKEEP, &generator::user_tables(&generator::company()));
    let frozen = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stores/schema-1.tar.zst");
    let tar = zstd::bulk::decompress(&fs::read(frozen).expect("a store"), 64 << 20).expect("a store");
    fs::create_dir_all(appliance.data()).expect("a folder");
    let file = appliance.config().with_file_name("store.tar");
    fs::write(&file, tar).expect("a file");
    let mut unpack = Command::new("tar");
    let unpacked = unpack.arg("-C").arg(appliance.data()).arg("-xf").arg(&file).status();
    assert!(unpacked.expect("tar").success());
    let said = assert_whole(&appliance, &[]);
    assert!(number(&said, "messages") > 50, "{said:#}");
}

#[test]
fn where_there_is_no_archive_there_is_nothing_to_verify() {
    let appliance = Appliance::new(DROPKEEP, "");
    let outcome = appliance.run(&["verify"]).expect(4);
    assert!(outcome.stderr.contains("there is no archive"), "{}", outcome.stderr);
    assert!(!appliance.data().exists());
    assert!(outcome.took < Duration::from_secs(5));
}
