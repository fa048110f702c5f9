//! Real mail, where the variable `CORPUS` names a folder of it. It is read from there and never kept here.

use std::{
    fs,
    io::{Write, stderr},
    path::Path,
    process::{Command, Stdio},
};

/// Every message under the folder: `.eml` files, and those packed in `.tar.zst`, in the order of their
/// paths. `None` where there is none, which is said on standard error in the name of `what`.
pub fn messages(what: &str) -> Option<Vec<Vec<u8>>> {
    let named = named(what)?;
    Some(named.into_iter().map(|(_, message)| message).collect())
}

/// The same, each with its path below the folder, or in what it was packed in.
pub fn named(what: &str) -> Option<Vec<(String, Vec<u8>)>> {
    let Some(folder) = std::env::var_os("CORPUS").filter(|folder| !folder.is_empty()) else {
        skipped(what, "the variable CORPUS does not name a folder of real mail");
        return None;
    };
    let folder = Path::new(&folder);
    let messages = all_in(folder);
    if messages.is_empty() {
        skipped(what, &format!("CORPUS={} holds no mail", folder.display()));
        return None;
    }
    Some(messages)
}

/// The same of this folder.
pub fn all_in(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut messages = Vec::new();
    collect(folder, &mut messages);
    for archive in files(folder, ".tar.zst") {
        let unpacked = tempfile::tempdir().expect("a temporary folder");
        unpack(&archive, unpacked.path());
        collect(unpacked.path(), &mut messages);
    }
    messages
}

/// `count` messages: the corpus over and over, each repetition made of messages of its own by a last
/// header field that says which it is.
pub fn repeated(corpus: &[Vec<u8>], count: usize) -> impl Iterator<Item = Vec<u8>> {
    (0..count).map(|number| match number / corpus.len() {
        0 => corpus[number].clone(),
        copy => with_field(&corpus[number % corpus.len()], &format!("X-Copy: {copy}")),
    })
}

/// The message with one more field at the end of its header, or in front where no header ends.
fn with_field(message: &[u8], field: &str) -> Vec<u8> {
    let crlf = message
        .windows(4)
        .position(|bytes| bytes == b"\r\n\r\n")
        .map(|at| (at + 2, "\r\n"));
    let lf = message
        .windows(2)
        .position(|bytes| bytes == b"\n\n")
        .map(|at| (at + 1, "\n"));
    let (at, end) = [crlf, lf].into_iter().flatten().min().unwrap_or((0, "\n"));
    [&message[..at], field.as_bytes(), end.as_bytes(), &message[at..]].concat()
}

/// Says it where it is seen: the test harness hides what a passing test prints with `eprintln!`.
pub fn skipped(what: &str, why: &str) {
    let _ = writeln!(stderr(), "\nSKIPPED: {what}, with real mail: {why}\n");
}

fn collect(folder: &Path, messages: &mut Vec<(String, Vec<u8>)>) {
    for file in files(folder, ".eml") {
        let name = file
            .strip_prefix(folder)
            .unwrap_or(&file)
            .to_string_lossy()
            .into_owned();
        messages.push((name, fs::read(file).expect("a message of the corpus")));
    }
}

fn files(folder: &Path, ending: &str) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn unpack(archive: &Path, into: &Path) {
    let mut zstd = Command::new("zstd")
        .arg("-dc")
        .arg(archive)
        .stdout(Stdio::piped())
        .spawn()
        .expect("zstd is not installed; tests/install-tools.sh installs it");
    let tar = Command::new("tar")
        .args(["-x", "--no-same-owner", "-C"])
        .arg(into)
        .stdin(zstd.stdout.take().expect("its output"))
        .status()
        .expect("tar");
    assert!(
        zstd.wait().expect("zstd").success() && tar.success(),
        "{}",
        archive.display()
    );
}
