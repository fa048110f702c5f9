//! Stores that earlier versions wrote, frozen in `tests/stores`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use super::appliance::Appliance;

/// Thaws the store of a schema into an appliance's data directory; gives what the version that wrote it read.
pub fn thaw(appliance: &Appliance, schema: u32) -> Value {
    let name = format!("schema-{schema}");
    unpack(appliance, &name);
    serde_json::from_slice(&fs::read(stores().join(name).with_extension("json")).unwrap()).unwrap()
}

/// Thaws the store that the last version with identities of version 1 made, by an import, of a few messages with what
/// later versions leave out: messages 1 to 11, of which 3 is the journal report around 2. All are Jane's.
pub fn thaw_first_identities(appliance: &Appliance) {
    unpack(appliance, "identity-1");
}

fn stores() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stores")
}

fn unpack(appliance: &Appliance, name: &str) {
    let name = stores().join(name);
    let tar = zstd::bulk::decompress(&fs::read(name.with_extension("tar.zst")).unwrap(), 64 << 20).unwrap();
    fs::create_dir_all(appliance.data()).unwrap();
    let file = appliance.data().join("store.tar");
    fs::write(&file, tar).unwrap();
    let unpacked = Command::new("tar")
        .arg("-C")
        .arg(appliance.data())
        .arg("-xf")
        .arg(&file)
        .status();
    assert!(unpacked.unwrap().success());
    fs::remove_file(file).unwrap();
}
