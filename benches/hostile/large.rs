//! Archives of many users, and of many messages.

use std::{fs, path::PathBuf};

use super::{DROPKEEP, Table, appliance, filing, mail::Mail, server, server::Has};
use crate::support::{
    generator::company_of,
    running::{Outcome, Running},
};

/// Five messages, each for each of a hundred thousand users.
pub fn many_users(table: &mut Table, scale: f64) {
    let what = "5 messages to 100,000 users each";
    if !table.wants(what) {
        return;
    }
    let users = (100e3 * scale) as usize;
    let message = |number: usize| {
        let head = format!("From: a@sender.example\r\nSubject: {number}\r\nTo: ");
        Mail::numbered(
            users * 24,
            &head,
            ("u", "@example.com,\n "),
            "x@sender.example\r\n\r\nx\r\n",
        )
    };
    let mail: Vec<_> = (1..=5).map(message).collect();
    let largest = mail[0].len();
    let server = server::start(server::imap, Has::Mail(mail));
    let appliance = appliance("imap", server.port);
    let file = appliance.config().with_file_name("users.csv");
    let lines: String = (0..users)
        .map(|number| format!("u{number},u{number:08}@example.com\n"))
        .collect();
    fs::write(&file, lines).expect("a users file");
    let config = fs::read_to_string(appliance.config()).expect("its configuration");
    fs::write(appliance.config(), format!("users_file = \"users.csv\"\n{config}")).expect("a configuration");
    let outcome = appliance.done(&["archive", "p", "--json"]);
    assert_eq!(outcome.json()["filings"], 5 * users as u64);
    table.row(what, outcome.peak, largest);
}

const USERS: usize = 50;

/// Two million small messages, read and written once more by each command that goes through all of them.
pub fn archive(table: &mut Table, scale: f64) {
    let count = (2e6 * scale) as usize;
    let lines = ["list of them", "archive with them", "backup of them", "verify of them"];
    let lines = lines.map(|what| format!("2 million messages: {what}"));
    if !lines.iter().any(|what| table.wants(what)) {
        return;
    }
    let (folder, _temporary) = folder(count);
    let people = company_of(USERS);
    let config = filing::config(&folder.join("data"), &people);
    let text = filing::config_text(&config, &people);
    let done = folder.join("made");
    if !done.exists() {
        let addresses: Vec<_> = people.iter().map(|person| person.addresses[0].clone()).collect();
        let message = move |number: usize| {
            let to = &addresses[number % USERS];
            format!("From: a@sender.example\r\nTo: {to}\r\nSubject: {number}\r\n\r\n{number}\r\n").into_bytes()
        };
        let made = filing::archive(&config, (0..count).map(message), |done| {
            eprintln!("{done} of {count} are on disk")
        });
        let (megabytes, took) = (made.raw / 1_000_000, made.took.as_secs());
        eprintln!("{} messages, {megabytes} MB, archived in {took} s", made.messages);
        fs::write(&done, "").expect("a note");
    }
    let server = server::start(server::imap, Has::Mail(vec![Mail::plain(1)]));
    let profile = format!(
        "[[profile]]\nname = \"p\"\n[profile.server]\naccess = \"imap\"\nhost = \"127.0.0.1\"\nport = {}\n\
         username = \"all\"\npassword = \"x\"\ntls = {{ verify = \"none\" }}\n",
        server.port
    );
    fs::write(folder.join("dropkeep.toml"), text + &profile).expect("a configuration");
    let backup = folder.join("backup");
    let _ = fs::remove_dir_all(&backup);
    let (user, backup) = (people[0].name.as_str(), backup.to_string_lossy().into_owned());
    let commands: [&[&str]; 4] = [
        &["list", "--user", user],
        &["archive", "p", "--json"],
        &["backup", &backup],
        &["verify"],
    ];
    for (what, arguments) in lines.iter().zip(commands) {
        if table.wants(what) {
            let outcome = run(&folder, arguments).expect(0);
            table.row(what, outcome.peak, 0);
        }
    }
    let _ = fs::remove_dir_all(backup);
}

fn run(folder: &std::path::Path, arguments: &[&str]) -> Outcome {
    let mut command = std::process::Command::new(DROPKEEP);
    command
        .arg("--config")
        .arg(folder.join("dropkeep.toml"))
        .args(arguments);
    Running::start(command, arguments).wait()
}

/// Where the archive is, or is to be; it goes with what is beside it.
fn folder(count: usize) -> (PathBuf, Option<tempfile::TempDir>) {
    match std::env::var_os("BENCH_DIR").filter(|folder| !folder.is_empty()) {
        Some(kept) => {
            let folder = PathBuf::from(kept).join(format!("hostile-{count}"));
            fs::create_dir_all(&folder).expect("a folder");
            (folder, None)
        }
        None => {
            let mut made = tempfile::Builder::new();
            let made = made
                .prefix("dropkeep-hostile-")
                .tempdir_in(env!("CARGO_TARGET_TMPDIR"))
                .expect("a folder");
            (made.path().to_owned(), Some(made))
        }
    }
}
