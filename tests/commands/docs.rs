//! What the documents say is there: every page and heading they link to, every command, option and key they name.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use dropkeep::config::Config;

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Every document of the project. What is built or fetched is not looked at.
fn documents() -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![project().to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && !name.starts_with('.') && !["target", "node_modules", "corpus"].contains(&name.as_str())
            {
                folders.push(path);
            } else if name.ends_with(".md") {
                found.push(path);
            }
        }
    }
    assert!(found.len() > 25, "{found:?}");
    found
}

/// A document's lines, each with whether it is text, and not code between fences.
fn lines(text: &str) -> impl Iterator<Item = (&str, bool)> {
    let mut code = false;
    text.lines().map(move |line| {
        let fence = line.trim_start().starts_with("```");
        code ^= fence;
        (line, !code && !fence)
    })
}

/// The anchors that GitHub gives to the headings of a document.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut seen = BTreeMap::<String, usize>::new();
    let headings = lines(text).filter(|(line, is_text)| *is_text && line.starts_with('#'));
    headings
        .map(|(line, _)| {
            let heading = line.trim_start_matches('#').trim().to_lowercase();
            let kept = heading.chars().filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
            let anchor: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
            let times = seen.entry(anchor.clone()).or_default();
            *times += 1;
            if *times == 1 {
                anchor
            } else {
                format!("{anchor}-{}", *times - 1)
            }
        })
        .collect()
}

/// What stands in backticks in a text, and its text without that.
fn code_of(text: &str) -> (Vec<&str>, String) {
    let parts: Vec<_> = text.split('`').collect();
    let code = parts.iter().skip(1).step_by(2).copied().collect();
    let rest = parts.iter().step_by(2).copied().collect::<Vec<_>>().join(" ");
    (code, rest)
}

/// A document without its code between fences.
fn text_of(text: &str) -> String {
    let text: Vec<_> = lines(text)
        .filter_map(|(line, is_text)| is_text.then_some(line))
        .collect();
    text.join("\n")
}

/// Where the links of a document lead. A link may begin in one line and end in the next.
fn links(text: &str) -> Vec<String> {
    let text = text_of(text);
    let (_, rest) = code_of(&text);
    let targets = rest.split("](").skip(1).filter_map(|part| part.split_once(')'));
    targets.map(|(target, _)| target.to_owned()).collect()
}

#[test]
fn every_link_in_the_documents_leads_somewhere() {
    let mut broken = Vec::new();
    let mut followed = 0;
    for document in documents() {
        for link in links(&read(&document)) {
            if link.starts_with("http") {
                continue;
            }
            followed += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let folder = document.parent().expect("a folder");
            let target = if file.is_empty() {
                document.clone()
            } else {
                folder.join(file)
            };
            let there = target.exists() && (anchor.is_empty() || anchors(&read(&target)).contains(anchor));
            if !there {
                broken.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert!(followed > 100, "{followed}");
    assert!(broken.is_empty(), "{broken:#?}");
}

/// The blocks of TOML in a document.
fn toml(text: &str) -> Vec<String> {
    let blocks = text.split("```toml\n").skip(1);
    blocks
        .filter_map(|block| Some(block.split_once("```")?.0.to_owned()))
        .collect()
}

#[test]
fn the_configuration_of_the_readme_can_be_appended_to_the_one_that_is_shipped() {
    let readme = toml(&read(&project().join("README.md")));
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("dropkeep.toml");
    let shipped = read(&project().join("config/dropkeep.toml"));
    fs::write(&file, shipped + &readme[0]).expect("the configuration");
    let config = Config::load(&file).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(config.profile.len(), 1);
    assert_eq!(config.user.len(), 2);
}

/// The names before ` = ` in TOML, in comments too; and the names of its tables.
fn keys(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in text.lines() {
        let line = line.trim_start_matches(['#', ' ']);
        let name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let before = line.split(" = ");
        for part in before.clone().take(before.count() - 1) {
            let key = part.rsplit(|c| !name(c)).next().unwrap_or_default();
            found.extend((!key.is_empty()).then(|| key.to_owned()));
        }
        if let Some(table) = line.strip_prefix('[').and_then(|line| line.split(']').next()) {
            found.insert(table.trim_start_matches('[').to_owned());
        }
    }
    found
}

#[test]
fn every_key_of_the_examples_in_the_documents_is_one_that_there_is() {
    let known = keys(&read(&project().join("config/dropkeep.toml")));
    let mut unknown = Vec::new();
    for document in documents() {
        let examples = toml(&read(&document));
        for key in examples.iter().flat_map(|example| keys(example)) {
            if !known.contains(&key) {
                unknown.push(format!("{}: {key}", document.display()));
            }
        }
    }
    assert!(unknown.is_empty(), "config/dropkeep.toml does not show: {unknown:#?}");
}

fn help(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dropkeep"));
    let output = command.args(arguments).arg("--help").output().expect("--help");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What follows each `dropkeep` in a piece of code: a command and its options. `docker exec dropkeep dropkeep …` and
/// the like have it as a name first.
fn calls(code: &str) -> Vec<(String, Option<String>, Vec<String>)> {
    let line = code.split(" #").next().unwrap_or_default();
    let mut words = line
        .split_whitespace()
        .skip_while(|word| *word != "dropkeep")
        .skip(1)
        .peekable();
    while words.peek() == Some(&"dropkeep") {
        words.next();
    }
    while words.peek() == Some(&"--config") {
        words.nth(1);
    }
    let Some(command) = words.next().filter(|word| word.chars().all(|c| c.is_ascii_lowercase())) else {
        return Vec::new();
    };
    // It may be a command of that command.
    let below = words.peek().filter(|word| word.chars().all(|c| c.is_ascii_lowercase()));
    let below = below.map(|word| (*word).to_owned());
    let options = words.take_while(|word| !["|", ">", "&&"].contains(word));
    let options = options.map(|word| word.trim_start_matches('[').trim_end_matches([']', ',', '.']));
    let options = options.filter(|word| word.starts_with("--")).map(str::to_owned);
    vec![(command.to_owned(), below, options.collect())]
}

#[test]
fn every_command_and_option_in_the_documents_is_one_that_there_is() {
    let commands = help(&[]);
    let commands: BTreeSet<_> = commands
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let mut helps = BTreeMap::<String, String>::new();
    let mut wrong = Vec::new();
    let mut named = 0;
    for document in documents()
        .iter()
        .filter(|document| !document.ends_with("CHANGELOG.md"))
    {
        let text = read(document);
        let blocks = lines(&text).filter(|(line, is_text)| !is_text || line.starts_with("    "));
        let blocks: Vec<_> = blocks.map(|(line, _)| line).collect();
        let text = text_of(&text);
        let (inline, _) = code_of(&text);
        for (command, below, options) in blocks.into_iter().chain(inline).flat_map(calls) {
            named += 1;
            if !commands.contains(command.as_str()) {
                wrong.push(format!("{}: dropkeep {command}", document.display()));
                continue;
            }
            let help = helps
                .entry(command.clone())
                .or_insert_with(|| help(&[command.as_str()]));
            let known = match below {
                Some(below) if help.contains(&format!("\n  {below} ")) => self::help(&[command.as_str(), &below]),
                _ => help.clone(),
            };
            let help = known;
            let missing = options.iter().filter(|option| !help.contains(option.as_str()));
            wrong.extend(missing.map(|option| format!("{}: dropkeep {command} {option}", document.display())));
        }
    }
    assert!(named > 80, "{named}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn rooms_that_use_others_above_them_and_files_in_a_circle_are_found() {
    let tree = tempfile::tempdir().expect("a folder");
    let write = |file: &str, text: &str| {
        let file = tree.path().join(file);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        std::fs::write(file, text).expect("a file");
    };
    let check = || {
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rooms.py");
        let ended = Command::new(program).arg(tree.path()).output().expect("python3");
        (
            ended.status.success(),
            String::from_utf8_lossy(&ended.stdout).into_owned(),
        )
    };
    write(
        "ARCHITECTURE.md",
        "## Rooms\n\nEvery room may use the ground: `low`.\n\n| room | is | may use |\n| --- | --- | --- |\n\
         | `top` | x | everything below |\n| `middle` | x | |\n| `low` | x | |\n",
    );
    write("src/lib.rs", "mod top;\nmod middle;\nmod low;\n");
    write(
        "src/low.rs",
        "pub struct Low;\n#[cfg(test)]\nmod tests {\n    use crate::top;\n}\n",
    );
    write("src/middle/mod.rs", "mod one;\nmod other;\npub use one::One;\n");
    write(
        "src/middle/one.rs",
        "use crate::low::Low;\n// use crate::top::Top;\npub struct One(Low, &'static str);\n",
    );
    write("src/middle/other.rs", "use super::one::One;\n");
    write("src/top.rs", "use crate::{low::Low, middle::One};\n");
    assert_eq!(check(), (true, String::new()));
    write(
        "src/middle/other.rs",
        "use super::{\n    One,\n};\nfn f() -> crate::top::Top {}\n",
    );
    write("src/middle/one.rs", "fn other(_: super::other::Other) {}\n");
    let (passes, said) = check();
    assert!(!passes);
    for fault in [
        "src/middle/other.rs:4: middle may not use top (top)",
        "middle: these files use each other in a circle:",
        "src/middle/other.rs:2: middle::one",
        "src/middle/one.rs:1: middle::other",
    ] {
        assert!(said.contains(fault), "{said}");
    }
}
