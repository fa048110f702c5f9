//! All that an archive's files say, read by LMDB alone and with none of the program's code. It happens in a process of
//! its own, because LMDB may not survive a damaged file.

use std::{fs, path::Path, process::Command};

use heed::{
    Database, EnvFlags, EnvOpenOptions,
    types::{Bytes, Str},
};
use sha2::{Digest, Sha256};

const FOLDER: &str = "VERIFY_TEST_DUMP";
const MARK: &str = "all of it: ";

/// A digest of everything in `data`; `None` where not all of it can be read.
pub fn digest(data: &Path) -> Option<String> {
    let this = std::env::current_exe().expect("this program");
    let output = Command::new(this)
        .args(["--exact", "verify::dump::dump", "--ignored", "--nocapture"])
        .env(FOLDER, data)
        .output()
        .expect("the dumping process");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let digest = text
        .split_once(MARK)
        .map(|(_, rest)| rest.lines().next().unwrap_or_default().to_owned());
    digest.filter(|_| output.status.success())
}

/// Not a test: what [`digest`] starts.
#[test]
#[ignore = "started by other tests"]
fn dump() {
    let Some(data) = std::env::var_os(FOLDER) else { return };
    let data = Path::new(&data);
    let mut hasher = Sha256::new();
    let mut folders: Vec<_> = fs::read_dir(data.join("volumes"))
        .expect("volumes")
        .map(|folder| folder.expect("a folder").path())
        .collect();
    folders.push(data.join("catalog"));
    folders.sort();
    for folder in folders {
        hasher.update(folder.file_name().expect("a name").as_encoded_bytes());
        hasher.update(fs::read(folder.join("manifest.json")).unwrap_or_default());
        environment(&folder, &mut hasher);
    }
    println!("\n{MARK}{:x}", hasher.finalize());
}

/// Every database, every row, found by going through and by its key.
fn environment(folder: &Path, hasher: &mut Sha256) {
    let mut options = EnvOpenOptions::new().read_txn_without_tls();
    options.map_size(1 << 30).max_dbs(64);
    // SAFETY: nobody writes to it, and a crash is what this process is for.
    let env = unsafe { options.flags(EnvFlags::READ_ONLY | EnvFlags::NO_LOCK).open(folder) };
    let env = env.expect("an environment");
    let txn = env.read_txn().expect("a transaction");
    let main: Database<Str, Bytes> = env.open_database(&txn, None).expect("main").expect("main");
    let names = main
        .iter(&txn)
        .expect("names")
        .map(|row| row.expect("a name").0.to_owned());
    for name in names.collect::<Vec<_>>() {
        hasher.update(&name);
        let table: Database<Bytes, Bytes> = env.open_database(&txn, Some(&name)).expect("a table").expect("a table");
        for row in table.iter(&txn).expect("rows") {
            let (key, value) = row.expect("a row");
            for bytes in [key, value] {
                hasher.update((bytes.len() as u64).to_le_bytes());
                hasher.update(bytes);
            }
            assert_eq!(table.get(&txn, key).expect("a row"), Some(value), "in {name}");
        }
        hasher.update(table.len(&txn).expect("a length").to_le_bytes());
    }
}
