//! `make demo`: a mail server with a multidrop mailbox, archived before your eyes, and then kept up with as more comes.
//!
//! Everything lies in temporary folders and listens on loopback, and is gone afterwards.
//! `ONCE=1` ends after the archive, with its exit code; `MESSAGES` says how many messages there are, `LISTEN` where
//! metrics are served.

#[path = "../tests/support/mod.rs"]
mod support;

use std::{
    io::{self, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Command, ExitCode, Stdio},
    time::Duration,
};

use anyhow::Context;
use rustix::process::Signal;
use support::{
    appliance::{Appliance, PROFILE},
    dovecot::{self, MAILBOX},
    office::{BRANCH_MAILBOX, Busy, Office},
};
use tokio::signal::unix::{SignalKind, signal};

fn main() -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // From here on Ctrl-C ends what was started, which ends this, which then clears up.
    let (mut interrupt, mut terminate) = {
        let _inside = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    let messages = std::env::var("MESSAGES")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(4_000);
    println!("Making a mailbox of {messages} messages, and starting Dovecot with it …");
    let (office, bytes) = Office::with(binary()?, messages);
    let appliance = &office.appliance;
    println!(
        "  {MAILBOX} on localhost, IMAP over TLS at port {}: {} MB",
        office.server.ports.imaps,
        bytes / 1_000_000
    );
    println!("  the configuration: {}\n", appliance.config().display());

    let code = shown(appliance, &["archive", PROFILE])?;
    shown(appliance, &["users"])?;
    look(appliance)?;
    if code != 0 || std::env::var("ONCE").is_ok_and(|once| !once.is_empty() && once != "0") {
        return Ok(ExitCode::from(code));
    }

    for (name, role, more) in ACCOUNTS {
        add_account(appliance, name, role, more)?;
    }
    let password = application_password(appliance, "ruth")?;
    let mut command = appliance.command(&["serve"]);
    command.env("DROPKEEP__HTTP__LISTEN", listen());
    let mut serving = appliance.serve_as(command);
    let _open = office.open();
    let reading = reader(serving.address.clone(), password);
    println!(
        "\nThe appliance serves until Ctrl-C, a message a second comes into each of two mailboxes, and ruth searches:"
    );
    for (page, what) in [
        ("", "the pages that there are"),
        ("metrics", "for Prometheus"),
        ("healthz", "whether it lives"),
        ("readyz", "whether it archives"),
    ] {
        println!("  {:<36} {what}", format!("http://{}/{page}", serving.address));
    }
    println!("\nThe console, for a browser: http://{}/console", serving.address);
    for (name, role, _) in ACCOUNTS {
        println!("  {name:<8} {role:<14} password: {PASSWORD}");
    }
    println!("anna sets a profile up there under \"Archive mail\". A mailbox that none has yet:");
    println!(
        "  server: localhost   port: {} (IMAP, TLS)   user name: {BRANCH_MAILBOX}   password: {}",
        office.server.ports.imaps,
        dovecot::PASSWORD
    );
    println!("  Its certificate is its own: the test shows it, and trusts it by one click.");
    println!("\nAsk it from another terminal:");
    let program = format!("{} --config {}", binary()?.display(), appliance.config().display());
    for command in [
        "status",
        "list --user jane --newest 10",
        "list --all --from kessler --since 30d",
        "protocols --newest 5",
    ] {
        println!("  {program} {command}");
    }
    match serving.address.as_str() {
        USUAL => println!("`make monitoring` in another terminal shows it to Prometheus."),
        other => println!("`make monitoring TARGET={other}` in another terminal shows it to Prometheus."),
    }
    runtime.block_on(async {
        let ended = async {
            while serving.running.is_running() {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            () = ended => {}
        }
    });
    drop(reading);
    if serving.running.is_running() {
        serving.running.signal(Signal::TERM);
    }
    let outcome = serving.running.wait();
    println!("\nStopping Dovecot; nothing is left behind.");
    // A terminal's Ctrl-C reaches the appliance as well, which may end by it.
    Ok(ExitCode::from(if matches!(outcome.code, Some(0 | 130)) {
        0
    } else {
        1
    }))
}

/// What the archive gives back: lists, a message, why it is whose, and files.
fn look(appliance: &Appliance) -> anyhow::Result<()> {
    let quotations = ["list", "--user", "jane", "--subject", "quotation", "--newest", "6"];
    shown(appliance, &quotations)?;
    shown(
        appliance,
        &["list", "--all", "--subject", "annual accounts", "--limit", "6"],
    )?;
    let found = appliance.run(&[&quotations[..], &["--json"]].concat());
    let newest = found.lines().pop().map(|line| line["id"].to_string());
    if let Some(id) = newest {
        shown(appliance, &["show", &id])?;
        shown(appliance, &["explain", &id])?;
    }
    let to = appliance.config().with_file_name("jane");
    let to = to.to_string_lossy();
    shown(appliance, &["export", &to, "--user", "jane"])?;
    Ok(())
}

/// Who may log in: name, role, and what else is said of them.
const ACCOUNTS: [(&str, &str, &[&str]); 3] = [
    ("anna", "administrator", &[]),
    ("ruth", "auditor", &[]),
    ("jane", "user", &["--archive", "jane"]),
];
/// Of the demo alone, which nobody else can reach.
const PASSWORD: &str = "only for the demo";

fn add_account(appliance: &Appliance, name: &str, role: &str, more: &[&str]) -> anyhow::Result<()> {
    let arguments = [&["accounts", "add", name, "--role", role, "--password-stdin"][..], more].concat();
    let mut command = appliance
        .command(&arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()?;
    if let Some(mut input) = command.stdin.take() {
        writeln!(input, "{PASSWORD}")?;
    }
    anyhow::ensure!(command.wait()?.success(), "the account {name} cannot be added");
    Ok(())
}

/// A password for a program of this account.
fn application_password(appliance: &Appliance, account: &str) -> anyhow::Result<String> {
    let arguments = [
        "accounts",
        "applications",
        account,
        "--add",
        "searches of the demo",
        "--json",
    ];
    let said: serde_json::Value = serde_json::from_slice(&appliance.command(&arguments).output()?.stdout)?;
    let password = said["application_password"].as_str();
    Ok(password.context("no password for a program")?.to_owned())
}

/// Searches now and then, so that there is something to see of it.
fn reader(address: String, password: String) -> Busy {
    let mut words = ["quotation", "invoice", "accounts", "delivery"].into_iter().cycle();
    Busy::each(BETWEEN_SEARCHES, move || {
        let word = words.next().unwrap_or_default();
        let search = || -> io::Result<u64> {
            let mut stream = TcpStream::connect(&address)?;
            write!(
                stream,
                "GET /api/v1/search?q={word} HTTP/1.0\r\nHost: {address}\r\nAuthorization: Bearer ruth:{password}\r\n\r\n"
            )?;
            io::copy(&mut stream, &mut io::sink())
        };
        // The appliance may just be ending.
        let _ = search();
    })
}

const BETWEEN_SEARCHES: Duration = Duration::from_secs(5);

/// Where `make monitoring` looks for an appliance.
const USUAL: &str = "127.0.0.1:8080";

/// The usual address where nobody has it, else any free port.
fn listen() -> String {
    std::env::var("LISTEN")
        .ok()
        .filter(|listen| !listen.is_empty())
        .unwrap_or_else(|| match TcpListener::bind(USUAL) {
            Ok(_) => USUAL.to_owned(),
            Err(_) => "127.0.0.1:0".to_owned(),
        })
}

/// Runs a command as one types it, on this terminal.
fn shown(appliance: &Appliance, arguments: &[&str]) -> anyhow::Result<u8> {
    let typed = arguments.iter().map(|argument| match argument.contains(' ') {
        true => format!("\"{argument}\""),
        false => (*argument).to_owned(),
    });
    println!("$ dropkeep {}", typed.collect::<Vec<_>>().join(" "));
    let mut command: Command = appliance.command(arguments);
    let status = command.status()?;
    println!();
    Ok(status.code().map_or(1, |code| code as u8))
}

/// The program, which cargo builds beside the examples' folder.
fn binary() -> anyhow::Result<PathBuf> {
    let examples = std::env::current_exe()?;
    let folder = examples
        .ancestors()
        .nth(2)
        .ok_or_else(|| anyhow::anyhow!("no folder above this program"))?;
    let binary = folder.join("dropkeep");
    anyhow::ensure!(binary.exists(), "{} is not built: use `make demo`", binary.display());
    Ok(binary)
}
