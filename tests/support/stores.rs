//! Stores that earlier versions wrote, frozen in `tests/stores`.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

use super::appliance::Appliance;

/// Thaws the store of a schema into an appliance's data directory; gives what the version that wrote it read.
pub fn thaw(appliance: &Appliance, schema: u32) -> Value {
    let stores = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stores");
    let name = stores.join(format!("schema-{schema}"));
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
    serde_json::from_slice(&fs::read(name.with_extension("json")).unwrap()).unwrap()
}
