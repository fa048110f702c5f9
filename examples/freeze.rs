//! Freezes a small store of the present schema, for `tests/archive/upgrade.rs`: every later version must read it.
//!
//! To be run once, with the last version that writes a schema: `cargo run --example freeze`. It writes
//! `tests/stores/schema-N.tar.zst`, a data directory, and beside it what this version reads in it, as JSON.

#[path = "../tests/support/mod.rs"]
mod support;

use std::{fs, path::Path, process::Command};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use support::{
    appliance::{Appliance, PROFILE, Profile, number},
    dovecot::Dovecot,
    generator::{self, Mailbox, Settings},
};

fn main() -> anyhow::Result<()> {
    let server = Dovecot::start();
    server.deliver(Mailbox::new(Settings::messages(60)));
    let program = std::env::current_exe()?
        .parent()
        .and_then(Path::parent)
        .context("no folder of the build")?
        .join("dropkeep");
    let appliance = Appliance::for_company(program, &Profile::new(&server, "imap-ssl"));
    appliance.done(&["archive", PROFILE]);
    appliance.done(&["users", "add", "late", "late@example.com"]);
    // The copies of a POP3 source have keys of another form.
    let pop3 = generator::user_tables(&generator::company()) + &Profile::new(&server, "pop3-ssl").toml();
    appliance.configure(&pop3);
    appliance.done(&["archive", PROFILE]);

    let ids = appliance.lists().into_iter().map(|(name, list)| (name, json!(list)));
    let lists: serde_json::Map<String, Value> = ids.collect();
    let runs = appliance.done(&["protocols", "--json"]).lines();
    ensure!(
        runs.iter().any(|run| number(run, "archived") > 0),
        "nothing was archived"
    );
    let read = json!({"users": appliance.done(&["users", "--json"]).lines(), "lists": lists, "runs": runs});

    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stores");
    fs::create_dir_all(&folder)?;
    let name = folder.join(format!("schema-{}", dropkeep::archive::SCHEMA));
    let tar = Command::new("tar")
        .args([
            "--sort=name",
            "--owner=0",
            "--group=0",
            "--numeric-owner",
            "--exclude=lock*",
            "--exclude=*.sock",
        ])
        .arg("-C")
        .arg(appliance.data())
        .args(["-cf", "-", "."])
        .output()?;
    ensure!(tar.status.success(), "tar: {}", String::from_utf8_lossy(&tar.stderr));
    fs::write(name.with_extension("tar.zst"), zstd::bulk::compress(&tar.stdout, 19)?)?;
    fs::write(name.with_extension("json"), serde_json::to_string_pretty(&read)? + "\n")?;
    println!(
        "{} and {}",
        name.with_extension("tar.zst").display(),
        name.with_extension("json").display()
    );
    Ok(())
}
