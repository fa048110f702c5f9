//! The Debian package says whose work it is made of: every crate that cargo links in, and the libraries in C within
//! some.

use std::{collections::BTreeSet, process::Command};

fn said(program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {errors}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn no_crate_that_is_linked_in_is_missing_and_each_licence_has_its_words() {
    let copyright = said("python3", &["packaging/debian/copyright.py"]);
    let paragraphs: Vec<&str> = copyright.split("\n\n").collect();
    let files: BTreeSet<&str> = paragraphs
        .iter()
        .filter_map(|paragraph| paragraph.lines().next()?.strip_prefix("Files: "))
        .collect();
    // By another account than the one that it is made from.
    let tree = said(
        "cargo",
        &[
            "tree", "--locked", "--edges", "normal", "--prefix", "none", "--format", "{p}",
        ],
    );
    let crates: BTreeSet<String> = tree
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            let (name, version) = (words.next()?, words.next()?);
            Some(format!("{name}-{}", version.trim_start_matches('v')))
        })
        .filter(|name| !name.starts_with("dropkeep-"))
        .collect();
    assert!(crates.len() > 150, "{}", crates.len());
    for name in &crates {
        assert!(files.contains(format!("{name}/*").as_str()), "{name} is missing");
    }
    for (library, holder) in [
        ("tikv-jemalloc-sys-jemalloc", "Jason Evans"),
        ("LMDB, the Lightning", "Howard Chu"),
        ("zstd, Zstandard", "Meta Platforms"),
        ("briansmith/ring", "Brian Smith"),
    ] {
        let of_it = paragraphs.iter().find(|paragraph| paragraph.contains(library));
        assert!(of_it.is_some_and(|paragraph| paragraph.contains(holder)), "{library}");
    }
    let field = |paragraph: &str, name: &str| {
        let line = paragraph.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.trim().to_owned())
    };
    let told: BTreeSet<String> = paragraphs
        .iter()
        .filter(|paragraph| paragraph.starts_with("License: "))
        .filter_map(|paragraph| field(paragraph, "License:"))
        .collect();
    for paragraph in paragraphs.iter().filter(|paragraph| paragraph.starts_with("Files: ")) {
        let holders = field(paragraph, "Copyright:");
        assert!(holders.is_some_and(|holders| !holders.is_empty()), "{paragraph}");
        let licence = field(paragraph, "License:").expect("a licence");
        for one in licence.split(" or ").flat_map(|one| one.split(" and ")) {
            assert!(told.contains(one), "{one} has no words: {paragraph}");
        }
    }
}
