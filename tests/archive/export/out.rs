//! Reads an export as another program would, and holds it against what the archive says of itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::export::support::{
    appliance::{number, text},
    identity::sha256,
};

pub const FORMATS: [&str; 3] = ["eml", "mbox", "maildir"];

/// User → message → its bytes, and what the manifest says of it.
pub type Contents = BTreeMap<String, BTreeMap<u64, (Vec<u8>, Value)>>;

/// Everything in an export; there must be nothing in it that no manifest names. Users by the names of their folders.
pub fn read(dir: &Path, format: &str) -> Contents {
    let marker: Value = serde_json::from_slice(&fs::read(dir.join("dropkeep-export.json")).unwrap()).unwrap();
    assert_eq!(marker["format"], format);
    let mut known = BTreeSet::from([dir.join("dropkeep-export.json")]);
    let mut contents = Contents::new();
    for folder in marker["folders"].as_object().unwrap().values() {
        let folder = folder.as_str().unwrap().to_owned();
        let (manifest, root) = match format {
            "mbox" => (dir.join(format!("{folder}.manifest.jsonl")), dir.to_owned()),
            _ => (dir.join(&folder).join("manifest.jsonl"), dir.join(&folder)),
        };
        let mut messages = BTreeMap::new();
        for line in lines(&manifest) {
            let path = root.join(text(&line, "file"));
            let bytes = match format {
                "mbox" => unquoted(&path, &line),
                _ => fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())),
            };
            assert_eq!(bytes.len() as u64, number(&line, "size"), "{line}");
            known.insert(path);
            assert!(
                messages.insert(number(&line, "id"), (bytes, line)).is_none(),
                "named twice"
            );
        }
        known.insert(manifest);
        if format == "mbox" {
            let mbox = dir.join(format!("{folder}.mbox"));
            let end: u64 = messages.values().map(|(_, line)| number(line, "length")).sum();
            assert_eq!(
                fs::metadata(&mbox).unwrap().len(),
                end,
                "{} has bytes of nobody",
                mbox.display()
            );
            known.insert(mbox);
        }
        contents.insert(folder, messages);
    }
    let there: BTreeSet<_> = files(dir).into_iter().collect();
    assert_eq!(
        there.symmetric_difference(&known).collect::<Vec<_>>(),
        Vec::<&PathBuf>::new()
    );
    contents
}

/// The whole lines of a manifest that is there.
pub fn lines(manifest: &Path) -> Vec<Value> {
    let text = fs::read_to_string(manifest).unwrap_or_default();
    let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    whole.map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// How many messages are noted as done, of all users.
pub fn done(dir: &Path) -> usize {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let manifests = entries.map(|entry| match entry.path() {
        path if path.is_dir() => path.join("manifest.jsonl"),
        path => path,
    });
    let is_manifest = |path: &PathBuf| path.to_string_lossy().ends_with("manifest.jsonl");
    manifests
        .filter(is_manifest)
        .map(|manifest| {
            let bytes = fs::read(manifest).unwrap_or_default();
            bytes.iter().filter(|byte| **byte == b'\n').count()
        })
        .sum()
}

fn unquoted(mbox: &Path, line: &Value) -> Vec<u8> {
    let [offset, length, size] = ["offset", "length", "size"].map(|field| number(line, field) as usize);
    let whole = fs::read(mbox).unwrap();
    let entry = &whole[offset..offset + length];
    assert!(offset == 0 || whole[..offset].ends_with(b"\n\n"));
    assert!(entry.starts_with(b"From ") && entry.ends_with(b"\n\n"));
    let mut bytes = Vec::new();
    for line in entry.split_inclusive(|byte| *byte == b'\n').skip(1) {
        let marks = line.iter().take_while(|byte| **byte == b'>').count();
        assert!(!line.starts_with(b"From "), "an unquoted line");
        bytes.extend_from_slice(&line[usize::from(marks > 0 && line[marks..].starts_with(b"From "))..]);
    }
    bytes.truncate(size);
    bytes
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path => found.push(path),
            }
        }
    }
    found
}

/// That an export has what these lists of users say, and nothing else; users by their folders.
pub fn assert_holds<'l>(contents: &Contents, lists: impl IntoIterator<Item = (&'l str, &'l [Value])>) {
    let mut users = 0;
    for (folder, list) in lists {
        let exported = contents
            .get(folder)
            .unwrap_or_else(|| panic!("{folder} is not in {:?}", contents.keys()));
        assert_eq!(exported.len(), list.len(), "messages of {folder}");
        for entry in list {
            let (bytes, line) = &exported[&number(entry, "id")];
            assert_eq!(sha256(bytes), text(entry, "sha256"), "{folder}: {line}");
            for field in ["id", "size", "sha256", "date", "folder", "why"] {
                assert_eq!(line[field], entry[field], "{folder}: {field}");
            }
        }
        users += 1;
    }
    assert_eq!(users, contents.len(), "{:?}", contents.keys());
}
