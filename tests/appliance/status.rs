//! `status` in every case that an administrator meets: with an appliance or without one, whatever the configuration's
//! file and the users file have become meanwhile. And what `serve` says at its start.

use crate::support;

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    process::Command,
};

use crate::support::{
    appliance::{Appliance, CHECK},
    running::Serving,
};
use rustix::process::Signal;
use serde_json::Value;

const DROPKEEP: &str = env!("CARGO_BIN_EXE_dropkeep");

/// A profile that runs by hand, and users in a file. Nothing listens at the port.
const CONFIGURATION: &str = "users_file = \"users.csv\"
[[profile]]
name = \"company\"
[profile.server]
access = \"imap\"
host = \"127.0.0.1\"
port = 1
username = \"all@example.com\"
password = \"secret\"
";

/// What became of the configuration.
#[derive(Clone, Copy, Debug, PartialEq)]
enum File {
    Good,
    UnknownKey,
    NoToml,
    /// No TOML, with a line of it that names the data directory.
    NoTomlBelow,
    Gone,
    UsersRefused,
    UsersGone,
}

/// What is in the data directory.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Running {
    Serving,
    Stopped,
    /// It was killed, and its socket is still there.
    Killed,
    /// It is there, and does not answer.
    Stuck,
}

struct Site(Appliance);

impl Site {
    fn new() -> Self {
        let site = Self(Appliance::new(DROPKEEP, CONFIGURATION));
        site.put(File::Good);
        site
    }

    fn put(&self, file: File) {
        let (config, users) = (self.0.config(), self.0.config().with_file_name("users.csv"));
        self.0.configure(CONFIGURATION);
        fs::write(&users, "jane,jane@example.com\n").expect("the users");
        let text = fs::read_to_string(&config).expect("the configuration");
        match file {
            File::Good => {}
            File::UnknownKey => fs::write(config, text.replace("users_file", "usersfile")).expect("it is written"),
            File::NoToml => fs::write(config, "nonsense\n").expect("it is written"),
            File::NoTomlBelow => fs::write(config, text.replace("[http]", "[http")).expect("it is written"),
            File::Gone => fs::remove_file(config).expect("it is removed"),
            File::UsersRefused => fs::write(users, "jane\n").expect("it is written"),
            File::UsersGone => fs::remove_file(users).expect("it is removed"),
        }
    }
}

/// Each case: the file, the appliance; then the exit codes of `status`, `--check` and `--alive`; what `status` says, on
/// standard output where it is done and on standard error where it is not; and the one line of `--check`, without its
/// figures.
#[test]
fn status_says_how_the_appliance_is_whatever_became_of_its_configuration() {
    use File::*;
    use Running::*;
    const KEY: &str = "CONFIG, line 2: unknown key `usersfile`";
    const USERS: &str = "users_file USERS, line 1: \"jane\" has no address";
    let cases: &[(File, Running, [i32; 3], &str, &str)] = &[
        (Good, Serving, [0, 0, 0], "serving since", "OK - 1 profile, 0 messages"),
        (UnknownKey, Serving, [0, 1, 0], KEY, KEY),
        (NoToml, Serving, [0, 1, 0], "CONFIG, line 1: ", "CONFIG, line 1: "),
        (
            NoTomlBelow,
            Serving,
            [0, 1, 0],
            "CONFIG, line 11: ",
            "CONFIG, line 11: ",
        ),
        (Gone, Serving, [0, 1, 0], "CONFIG", "CONFIG"),
        (UsersRefused, Serving, [0, 1, 0], USERS, USERS),
        (UsersGone, Serving, [0, 1, 0], "users_file USERS", "users_file USERS"),
        (Good, Stopped, [0, 2, 1], "not serving", "no appliance is running"),
        (UnknownKey, Stopped, [2, 3, 1], KEY, KEY),
        (
            NoToml,
            Stopped,
            [2, 3, 1],
            "no appliance is running in DATA",
            "CONFIG, line 1: ",
        ),
        (
            Gone,
            Stopped,
            [2, 3, 1],
            "no appliance is running in DATA",
            "no appliance is running",
        ),
        (UsersRefused, Stopped, [2, 2, 1], USERS, USERS),
        (Good, Killed, [0, 2, 1], "not serving", "no appliance is running"),
        (UnknownKey, Killed, [2, 3, 1], KEY, KEY),
        (
            Good,
            Stuck,
            [1, 2, 1],
            "did not answer within 10 s",
            "did not answer within 10 s",
        ),
        (UnknownKey, Stuck, [1, 2, 1], "did not answer within 10 s", KEY),
    ];
    for (file, running, codes, said, checked) in cases {
        let site = Site::new();
        let serving = site.0.serve();
        let mut serving = Some(serving);
        match running {
            Serving => {}
            Stopped => drop(
                serving
                    .take()
                    .map(|serving: support::running::Serving| serving.stop().expect(0)),
            ),
            Killed => drop(serving.take()),
            Stuck => serving.as_ref().expect("it").running.signal(Signal::STOP),
        }
        site.put(*file);
        let names = |text: &str| {
            let text = text.replace("CONFIG", &site.0.config().display().to_string());
            let text = text.replace(
                "USERS",
                &site.0.config().with_file_name("users.csv").display().to_string(),
            );
            text.replace("DATA", &site.0.data().display().to_string())
        };
        let what = format!("{file:?}, {running:?}");

        let shown = site.0.run(&["status"]);
        assert_eq!(shown.code, Some(codes[0]), "{what}: {}{}", shown.text(), shown.stderr);
        let (place, other) = match codes[0] {
            0 => (shown.text(), shown.stderr.as_str()),
            _ => (shown.stderr.clone(), ""),
        };
        assert!(
            place.contains(&names(said)) && other.is_empty(),
            "{what}: {place}{other}"
        );
        assert_eq!(codes[0] == 0, shown.text().contains("company: idle"), "{what}: {place}");

        let json = site.0.run(&["status", "--json"]);
        assert_eq!(json.code, Some(codes[0]), "{what}");
        if codes[0] == 0 {
            let last = json.lines().pop().expect("the appliance");
            let is_refused = !matches!(file, Good);
            assert_eq!(last["configuration_refused"].is_string(), is_refused, "{what}: {last}");
        }

        let check = site.0.check(&[]);
        let line = check.text();
        assert_eq!(
            (check.code, line.lines().count()),
            (Some(codes[1]), 1),
            "{what}: {line}"
        );
        let word = ["OK", "WARNING", "CRITICAL", "UNKNOWN"][codes[1] as usize];
        assert!(line.starts_with(&format!("DROPKEEP {word} - ")), "{what}: {line}");
        let checked = names(checked);
        assert!(line.contains(checked.trim_start_matches("OK - ")), "{what}: {line}");
        assert!(
            check.stderr.is_empty(),
            "plugins read standard output: {what}: {}",
            check.stderr
        );

        let alive = site.0.run(&["status", "--alive"]);
        assert_eq!(alive.code, Some(codes[2]), "{what}: {}", alive.stderr);
        assert!(!format!("{place}{line}").contains("secret"), "{what}");
    }
}

/// Where neither the file nor a note says where the archive is, that is said; and who may not look is told so, and not
/// that no appliance is running.
#[test]
fn what_cannot_be_known_is_not_told_as_an_appliance_that_is_down() {
    let site = Site::new();
    fs::write(site.0.config(), "data_dir = 7\n").expect("it is written");
    let unknown = site.0.run(&["status"]).expect(2);
    assert!(!unknown.stderr.contains("no appliance"), "{}", unknown.stderr);
    let check = site.0.check(&[]).expect(3);
    assert!(check.text().starts_with("DROPKEEP UNKNOWN - "), "{}", check.text());
    site.put(File::Good);

    // Only root can be somebody else.
    let folder = site.0.config().parent().expect("a folder").to_owned();
    if fs::metadata(&folder).expect("the folder").uid() != 0 {
        return;
    }
    let serving = site.0.serve();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("its mode");
    fs::set_permissions(site.0.config(), fs::Permissions::from_mode(0o644)).expect("its mode");
    // Nobody may go through the folder of the program. Another process copies it: what this one has open for writing,
    // children of other threads have open as well until they run something else, and then it cannot be run.
    let program = folder.join("dropkeep");
    let copied = Command::new("cp")
        .arg("--preserve=mode")
        .arg(DROPKEEP)
        .arg(&program)
        .status();
    assert!(copied.expect("cp").success());
    let somebody = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command
            .arg("--config")
            .arg(site.0.config())
            .args(arguments)
            .uid(65534)
            .gid(65534);
        command.output().expect("dropkeep")
    };
    let check = somebody(&CHECK);
    let line = String::from_utf8_lossy(&check.stdout);
    assert_eq!(check.status.code(), Some(3), "{line}");
    assert!(line.contains("belongs to root; run this as root"), "{line}");
    for (command, code, words) in [
        (&["status", "--alive"][..], 2, "belongs to root; run this as root"),
        (&["reload"], 2, "belongs to root; run this as root"),
    ] {
        let refused = somebody(command);
        let said = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(code), "{said}");
        assert!(said.contains(words), "{said}");
    }
    serving.stop().expect(0);
}

/// A profile that the file has and the appliance has not was answered with nothing at all.
#[test]
fn a_profile_is_looked_for_in_the_running_appliance() {
    let site = Site::new();
    let serving = site.0.serve();
    site.0.configure(&CONFIGURATION.replace("company", "other"));
    let new = site.0.run(&["status", "--profile", "other"]).expect(2);
    assert!(new.stderr.contains("`dropkeep reload`"), "{}", new.stderr);
    site.0.done(&["status", "--profile", "company"]);
    let none = site.0.run(&["status", "--profile", "compani"]).expect(2);
    assert!(none.stderr.contains("did you mean `company`?"), "{}", none.stderr);
    let check = site.0.check(&["--profile", "compani"]).expect(3);
    assert!(check.text().starts_with("DROPKEEP UNKNOWN"), "{}", check.text());
    site.0.check(&["--profile", "company"]).expect(0);
    // With the configuration refused, one profile is shown alone, and the rest is a warning.
    site.put(File::NoToml);
    let shown = site.0.done(&["status", "--profile", "company", "--json"]);
    assert_eq!(shown.lines().len(), 1, "{}", shown.text());
    assert!(
        shown.stderr.contains("warning: CONFIGURATION REFUSED"),
        "{}",
        shown.stderr
    );
    serving.stop().expect(0);
}

/// `reload` with a file that is refused ended before it asked the appliance, whose log and metrics knew nothing of it.
#[test]
fn a_refused_reload_is_known_to_the_appliance() {
    let site = Site::new();
    let serving = site.0.serve();
    site.put(File::UnknownKey);
    let refused = site.0.run(&["reload"]).expect(2);
    assert!(
        refused.stderr.contains("unknown key `usersfile`")
            && refused
                .stderr
                .contains("the appliance goes on with the configuration it has"),
        "{}",
        refused.stderr
    );
    let is_logged = || serving.running.stderr().contains("the earlier one stays in force");
    assert!(support::wait_for(std::time::Duration::from_secs(30), is_logged));
    assert!(serving.get("/metrics").1.contains("\ndropkeep_configuration_ok 0"));
    site.put(File::Good);
    // The file is right again, and nobody read it yet.
    let check = site.0.check(&[]).expect(1);
    assert!(
        check.text().contains("the earlier one stays in force"),
        "{}",
        check.text()
    );
    let said = site.0.done(&["reload"]).text();
    assert_eq!(
        said,
        "the configuration was read again; no profile and no user changed\n"
    );
    site.0.check(&[]).expect(0);
    serving.stop().expect(0);
    site.put(File::UnknownKey);
    let nobody = site.0.run(&["reload"]).expect(2);
    assert!(nobody.stderr.contains("unknown key"), "{}", nobody.stderr);
}

fn log(serving: &Serving) -> Vec<Value> {
    let said = serving.running.stderr();
    let lines = said.lines().filter(|line| line.starts_with('{'));
    lines.filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[test]
fn serve_says_at_its_start_what_it_is_and_what_it_will_do() {
    let hourly = CONFIGURATION[CONFIGURATION.find("[[").expect("a profile")..]
        .replace("\"company\"", "\"hourly\"\nschedule = \"every 1h\"");
    let appliance = Appliance::new(DROPKEEP, &format!("{CONFIGURATION}{hourly}"));
    fs::write(
        appliance.config().with_file_name("users.csv"),
        "jane,jane@example.com\n",
    )
    .expect("the users");
    // A name alone, as it is typed in the folder of the configuration.
    let mut command = appliance.command(&[]);
    command = {
        let mut relative = Command::new(command.get_program());
        relative.args(["--config", "dropkeep.toml", "serve"]);
        relative.current_dir(appliance.config().parent().expect("a folder"));
        relative
    };
    let serving = appliance.serve_as(command);
    let is_there = || {
        log(&serving)
            .into_iter()
            .any(|line| line["message"] == "dropkeep is ready")
    };
    assert!(support::wait_for(std::time::Duration::from_secs(30), is_there));
    let lines = log(&serving);
    let line = |field: &str, value: &str| -> Value {
        let found = lines.iter().find(|line| line[field] == value);
        found
            .unwrap_or_else(|| panic!("{field} = {value} in {lines:#?}"))
            .clone()
    };
    let start = line("message", "dropkeep starts");
    assert_eq!(start["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(start["configuration"], appliance.config().to_str().expect("a path"));
    assert_eq!(start["data_dir"], appliance.data().to_str().expect("a path"));
    let hourly = line("message", "the profile runs by its schedule");
    assert_eq!(
        (&hourly["profile"], &hourly["schedule"]),
        (&"hourly".into(), &"every 1h".into())
    );
    assert!(
        hourly["next_run"].as_str().is_some_and(|next| next.ends_with('Z')),
        "{hourly}"
    );
    let by_hand = line("profile", "company")["message"].to_string();
    assert!(by_hand.contains("`dropkeep archive company`"), "{by_hand}");
    let ready = line("message", "dropkeep is ready");
    assert!(
        ready["http"]
            .as_str()
            .is_some_and(|http| http.ends_with(&serving.address)),
        "{ready}"
    );
    serving.stop().expect(0);
    assert!(
        appliance.config().with_file_name("dropkeep.toml.archive").exists(),
        "which archive it was"
    );

    let none = Appliance::new(DROPKEEP, "");
    let serving = none.serve();
    let is_said = || {
        let said = log(&serving);
        let words = |line: &Value| {
            line["message"]
                .as_str()
                .is_some_and(|words| words.starts_with("there is no profile"))
        };
        said.iter()
            .any(|line| words(line) && line.to_string().contains(none.config().to_str().expect("a path")))
    };
    assert!(
        support::wait_for(std::time::Duration::from_secs(30), is_said),
        "{:?}",
        log(&serving)
    );
    serving.stop().expect(0);
}

/// All commands but `status` waited for an appliance that does not answer, for ever.
#[test]
fn no_command_waits_for_an_appliance_that_does_not_answer() {
    let site = Site::new();
    let serving = site.0.serve();
    serving.running.signal(Signal::STOP);
    let commands = [
        &["archive"][..],
        &["users"],
        &["list", "--all"],
        &["reload"],
        &["protocols"],
    ];
    let running = commands.map(|command| (command, site.0.start(command)));
    for (command, running) in running {
        let said = running.wait().expect(1).stderr;
        let words = format!(
            "the appliance in {} is running, but did not answer within 10 s",
            site.0.data().display()
        );
        assert!(said.contains(&words), "{command:?}: {said}");
    }
}

/// A run of a profile that is new in the file was refused as if the file did not have it.
#[test]
fn a_profile_that_the_running_appliance_does_not_know_yet_wants_a_reload() {
    let site = Site::new();
    let serving = site.0.serve();
    site.0.configure(&CONFIGURATION.replace("company", "other"));
    let said = site.0.run(&["archive", "other"]).expect(2).stderr;
    assert!(
        said.contains("the running appliance does not know profile \"other\" yet; run `dropkeep reload`"),
        "{said}"
    );
    serving.stop().expect(0);
}

/// Where an archive had been, all commands but `archive` advised to make a new one.
#[test]
fn an_archive_that_is_gone_is_told_by_each_command() {
    let site = Site::new();
    site.0.done(&["users", "add", "joe", "joe@example.com"]);
    fs::remove_dir_all(site.0.data()).expect("it is removed");
    for command in [
        &["status"][..],
        &["list", "--all"],
        &["verify"],
        &["archive"],
        &["protocols"],
        &["users"],
    ] {
        let said = site.0.run(command).expect(4).stderr;
        let words = "and there was one; mount its disk, or restore it from a backup; to make a new archive there all the same, \
                     add --new";
        assert!(said.contains(words), "{command:?}: {said}");
    }
}

/// A data directory that was moved away under the appliance was told as an appliance that does not run, with figures
/// that nobody knows.
#[test]
fn a_data_directory_that_is_gone_is_told_by_the_check() {
    let site = Site::new();
    let serving = site.0.serve();
    let aside = site.0.data().with_file_name("aside");
    fs::rename(site.0.data(), &aside).expect("it is moved");
    let said = site.0.check(&[]).expect(2).text();
    assert_eq!(
        said,
        format!(
            "DROPKEEP CRITICAL - {} is missing, so the appliance cannot be asked; mount its disk, or put it back\n",
            site.0.data().display()
        )
    );
    let json = site.0.check(&["--json"]).expect(2).json();
    for unknown in ["profiles", "messages", "open", "free_bytes"] {
        assert!(json[unknown].is_null(), "{json}");
    }
    fs::rename(aside, site.0.data()).expect("it is moved");
    site.0.check(&[]).expect(0);
    drop(serving);
}

/// On a large disk the check was critical with terabytes free.
#[test]
fn the_bounds_of_the_disk_are_those_that_the_check_is_given() {
    let site = Site::new();
    let serving = site.0.serve();
    let check = |warning: &str, critical: &str| {
        let bounds = ["--disk-warning", warning, "--disk-critical", critical];
        site.0.run(&[&["status", "--check"][..], &bounds].concat())
    };
    // No disk is wholly free, as the archive lies on it.
    for (warning, critical, code) in [("100", "0", 1), ("100", "100", 2), ("0", "100", 2), ("0", "0", 0)] {
        let said = check(warning, critical).expect(code).text();
        assert_eq!(said.contains("free on the disk"), code != 0, "{said}");
    }
    for (warning, critical, why) in [("1", "2", "--disk-warning 1"), ("101", "0", "101"), ("-1", "0", "-1")] {
        let refused = check(warning, critical).expect(2);
        assert!(refused.stderr.contains(why), "{}", refused.stderr);
        assert_eq!(refused.text(), "");
    }
    serving.stop().expect(0);
}

/// What is not known was told to a program as text, and a refusal twice.
#[test]
fn the_check_says_the_unknown_in_json_and_a_refusal_once() {
    let site = Site::new();
    let serving = site.0.serve();
    site.put(File::UnknownKey);
    site.0.run(&["reload"]).expect(2);
    let said = site.0.check(&[]).expect(1).text();
    assert_eq!(said.matches("unknown key").count(), 1, "{said}");
    serving.stop().expect(0);
    let json = site.0.check(&["--json"]).expect(3).json();
    assert_eq!(json["health"], "unknown");
    assert!(
        json["problems"][0]
            .as_str()
            .is_some_and(|why| why.contains("unknown key")),
        "{json}"
    );
}

/// `archive` and `serve` made a new archive before they refused the users file, or a port that is in use.
#[test]
fn no_archive_is_made_before_the_rest_is_found_to_be_right() {
    let site = Site::new();
    site.put(File::UsersRefused);
    for command in [&["archive", "company"][..], &["serve"]] {
        let said = site.0.run(command).expect(2).stderr;
        assert!(said.contains("\"jane\" has no address"), "{said}");
        assert!(!site.0.data().exists(), "{command:?}");
    }
    site.put(File::Good);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("its address").port();
    let text = fs::read_to_string(site.0.config()).expect("the configuration");
    let text = text.replace("127.0.0.1:0", &format!("127.0.0.1:{port}"));
    fs::write(site.0.config(), text).expect("it is written");
    let said = site.0.run(&["serve"]).expect(2).stderr;
    assert!(said.contains(&port.to_string()) && !site.0.data().exists(), "{said}");
}
