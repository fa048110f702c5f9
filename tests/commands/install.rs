//! `make install` and `make uninstall` into a folder, and what systemd says of the units.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

const BINARY: &str = env!("CARGO_BIN_EXE_dropkeep");

fn make(target: &str, root: &Path) -> String {
    let mut command = Command::new("make");
    // Not those of a make that runs the tests.
    command.env_remove("MAKEFLAGS").env_remove("MAKELEVEL");
    command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["--no-print-directory", target, "PREFIX=/usr"])
        .arg(format!("BIN={BINARY}"))
        .arg(format!("DESTDIR={}", root.display()));
    let output = command.output().expect("make");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "make {target}\n{said}\n{errors}");
    said
}

/// The files below `folder`, by their paths in it.
fn files(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).expect("a folder") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => folders.push(path),
                false => {
                    let below = path.strip_prefix(folder).expect("below it");
                    found.insert(below.display().to_string());
                }
            }
        }
    }
    found
}

fn mode(path: PathBuf) -> u32 {
    fs::metadata(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .permissions()
        .mode()
        & 0o777
}

#[test]
fn what_is_installed_is_all_there_and_goes_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    let said = make("install", root);
    let found = files(root);
    for wanted in [
        "usr/bin/dropkeep",
        "usr/lib/systemd/system/dropkeep.service",
        "usr/lib/systemd/system/dropkeep-backup.service",
        "usr/lib/systemd/system/dropkeep-backup.timer",
        "usr/lib/systemd/system/dropkeep-verify.service",
        "usr/lib/systemd/system/dropkeep-verify.timer",
        "usr/lib/sysusers.d/dropkeep.conf",
        "etc/dropkeep/dropkeep.toml",
        "usr/share/man/man1/dropkeep.1",
        "usr/share/man/man1/dropkeep-users-add.1",
        "usr/share/man/man5/dropkeep.toml.5",
        "usr/share/bash-completion/completions/dropkeep",
        "usr/share/zsh/site-functions/_dropkeep",
        "usr/share/fish/vendor_completions.d/dropkeep.fish",
        "usr/share/dropkeep/dashboards/prometheus.yml",
        "usr/share/dropkeep/dashboards/grafana/journey.json",
        "usr/share/doc/dropkeep/README.md",
        "usr/share/doc/dropkeep/docs/install.md",
        "usr/share/doc/dropkeep/config/dropkeep.toml",
    ] {
        assert!(found.contains(wanted), "{wanted} is not among {found:#?}");
    }
    let of_tests = found
        .iter()
        .find(|file| file.contains("/tests/") || file.contains("/check/") || file.ends_with(".sh"));
    assert_eq!(of_tests, None);
    for place in ["usr/bin/dropkeep", "usr/share/man", "usr/share/doc", "etc/dropkeep"] {
        let at = root.join(place.split("/man").next().expect("a place"));
        assert!(said.contains(&at.display().to_string()), "{place}: {said}");
    }
    assert_eq!(mode(root.join("usr/bin/dropkeep")), 0o755);
    assert_eq!(mode(root.join("etc/dropkeep")), 0o750, "passwords may stand there");
    assert_eq!(mode(root.join("etc/dropkeep/dropkeep.toml")), 0o640);

    // What a person wrote stays.
    let config = root.join("etc/dropkeep/dropkeep.toml");
    let text = fs::read_to_string(&config).expect("the configuration");
    fs::write(&config, format!("{text}# mine\n")).expect("a change");
    make("install", root);
    assert!(
        fs::read_to_string(&config)
            .expect("the configuration")
            .ends_with("# mine\n")
    );

    make("uninstall", root);
    assert_eq!(files(root), BTreeSet::from(["etc/dropkeep/dropkeep.toml".to_owned()]));
}

#[test]
fn the_installed_configuration_is_that_of_an_appliance_without_a_profile() {
    let folder = tempfile::tempdir().expect("a folder");
    make("install", folder.path());
    let config = folder.path().join("etc/dropkeep/dropkeep.toml");
    let text = fs::read_to_string(&config).expect("the configuration");
    assert!(text.contains("\ndata_dir = \"/var/lib/dropkeep\"\n"), "{text}");
    let data = folder.path().join("data");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(folder.path().join("usr/bin/dropkeep"));
        command.arg("--config").arg(&config).args(arguments);
        command.env("DROPKEEP__DATA_DIR", &data).output().expect("dropkeep")
    };
    assert_eq!(run(&["status"]).status.code(), Some(4), "there is no archive yet");
    assert!(!data.exists());
    assert!(run(&["users", "add", "jane", "jane@example.com"]).status.success());
    let output = run(&["status", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(said.lines().count(), 1, "nothing but the appliance itself: {said}");
    assert!(said.contains("\"messages\":0"), "{said}");
    assert!(data.exists());
}

/// A source tarball has none.
#[test]
fn the_version_names_the_commit_that_the_program_is_built_from() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(BINARY).arg("--version").output().expect("dropkeep");
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let version = format!("dropkeep {}", env!("CARGO_PKG_VERSION"));
    let git = Command::new("git")
        .args(["rev-parse", "--short=10", "HEAD"])
        .current_dir(sources)
        .output();
    let commit = git
        .ok()
        .filter(|git| git.status.success() && sources.join(".git").exists());
    match commit.map(|git| String::from_utf8_lossy(&git.stdout).trim().to_owned()) {
        Some(commit) => {
            let one = [
                format!("{version} ({commit})"),
                format!("{version} ({commit}, modified)"),
            ];
            assert!(one.contains(&said), "{said}");
        }
        None => assert_eq!(said, version),
    }
}

/// Where systemd is not installed, `make check-unit` succeeds.
#[test]
fn systemd_finds_no_fault_with_the_units() {
    let folder = tempfile::tempdir().expect("a folder");
    let said = make("check-unit", folder.path());
    println!("{said}");
    let each = ["dropkeep.service", "dropkeep-backup.service", "dropkeep-verify.service"];
    let all = each.iter().all(|unit| said.contains(&format!("level for {unit}")));
    assert!(all || said.contains("systemd-analyze is not installed"), "{said}");
}

/// The paths of a document's links to files, without what is on the web and without anchors.
fn links(text: &str) -> Vec<String> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    let files = targets
        .map(|(target, _)| target)
        .filter(|target| !target.contains("://") && !target.starts_with("mailto:"));
    files
        .map(|target| target.split('#').next().unwrap_or_default().to_owned())
        .filter(|target| !target.is_empty())
        .collect()
}

#[test]
fn no_link_of_an_installed_document_leads_nowhere() {
    let folder = tempfile::tempdir().expect("a folder");
    make("install", folder.path());
    let documents = folder.path().join("usr/share/doc/dropkeep");
    let mut count = 0;
    for file in files(&documents).iter().filter(|file| file.ends_with(".md")) {
        let file = documents.join(file);
        let text = fs::read_to_string(&file).expect("a document");
        for link in links(&text) {
            let target = file.parent().expect("a folder").join(&link);
            assert!(target.exists(), "{}: {link} leads nowhere", file.display());
            count += 1;
        }
    }
    assert!(count > 50, "{count}");
    // What is not installed is named all the same.
    let config = documents.join("config/dropkeep.toml");
    assert!(
        fs::read_to_string(config)
            .expect("the sample")
            .contains("/usr/share/doc/dropkeep/docs")
    );
}

/// What purge removes and says, with the machine's folders below `root`.
fn purge(root: &Path) -> String {
    let script = include_str!("../../packaging/debian/postrm");
    let below = |folder: &str| format!("{}{folder}", root.display());
    let script = script
        .replace("/var/lib/", &below("/var/lib/"))
        .replace("/etc/", &below("/etc/"));
    let output = Command::new("sh")
        .args(["-c", &script, "postrm", "purge"])
        .output()
        .expect("sh");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).replace(&root.display().to_string(), "")
}

#[test]
fn purge_leaves_what_people_made_and_says_so_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    let own = [
        "var/lib/dropkeep-state",
        "var/lib/dropkeep",
        "var/lib/systemd/timers",
        "etc/dropkeep",
    ];
    let stamp = root.join("var/lib/systemd/timers/stamp-dropkeep-backup.timer");
    let begin = || {
        own.iter()
            .for_each(|name| fs::create_dir_all(root.join(name)).expect("a folder"));
        for file in ["var/lib/dropkeep-state/archive", "var/lib/dropkeep/lock"] {
            fs::write(root.join(file), "").expect("a file");
        }
        fs::write(&stamp, "").expect("a file");
    };
    begin();
    let said = purge(root);
    assert!(!said.contains("/var/lib") && !said.contains("/etc"), "{said}");
    assert_eq!(files(root), BTreeSet::new());
    assert!(!root.join("var/lib/dropkeep").exists() && !root.join("etc/dropkeep").exists());

    begin();
    fs::create_dir(root.join("var/lib/dropkeep/catalog")).expect("an archive");
    fs::write(root.join("etc/dropkeep/company.password"), "x").expect("a password");
    let said = purge(root);
    assert!(
        said.contains("kept: the archive /var/lib/dropkeep; to remove it: rm -r /var/lib/dropkeep\n"),
        "{said}"
    );
    assert!(
        said.contains("kept: /etc/dropkeep/company.password, which is yours\n"),
        "{said}"
    );
    assert!(root.join("var/lib/dropkeep/lock").exists() && !root.join("var/lib/dropkeep-state").exists());
    assert!(!stamp.exists());
}

#[test]
fn make_shows_what_it_builds_before_it_runs_it() {
    for target in [
        "run",
        "check",
        "protocol",
        "serve",
        "man",
        "demo",
        "monitoring-check",
        "test-recipes",
    ] {
        let mut command = Command::new("make");
        command
            .env_remove("MAKEFLAGS")
            .env_remove("MAKELEVEL")
            .current_dir(env!("CARGO_MANIFEST_DIR"));
        let output = command.args(["-n", target]).output().expect("make");
        let said = String::from_utf8_lossy(&output.stdout);
        let (before, build) = said
            .split_once("cargo build")
            .unwrap_or_else(|| panic!("{target}: {said}"));
        let build = build
            .split("&&")
            .next()
            .unwrap_or_default()
            .lines()
            .next()
            .unwrap_or_default();
        assert!(
            before.contains("Building dropkeep") && !before.contains("cargo"),
            "{target}: {said}"
        );
        assert!(!build.contains("--quiet"), "{target}: {said}");
    }
}
