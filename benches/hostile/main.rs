//! `make bench BENCH=hostile`: the most memory that mail and servers can take which are made to take much. A table, and
//! an exit code: it fails where a line is above the bound that docs/operating.md states.
//!
//! `HOSTILE_SCALE` = 0.1 makes all of it a tenth as large, `HOSTILE_ONLY` = a word runs the lines that have it,
//! `BENCH_DIR` is where the archive of two million messages is made, and kept for the next time.

#[path = "../../tests/support/mod.rs"]
mod support;

#[path = "../store/filing.rs"]
mod filing;

mod large;
mod mail;
mod server;

use std::{fs, process::ExitCode};

use mail::Mail;
use server::Has;
use support::appliance::Appliance;

const DROPKEEP: &str = env!("CARGO_BIN_EXE_dropkeep");
const MB: f64 = 1e6;

fn main() -> ExitCode {
    if std::env::var("BENCH").unwrap_or_default() != "hostile" {
        return ExitCode::SUCCESS;
    }
    let scale = std::env::var("HOSTILE_SCALE").ok().and_then(|scale| scale.parse().ok());
    let mut table = Table {
        only: std::env::var("HOSTILE_ONLY").unwrap_or_default(),
        above: 0,
    };
    let scale = scale.unwrap_or(1.0);
    println!("{:<44}{:>12}{:>12}", "peak resident", "measured", "bound");
    received(&mut table, scale);
    read(&mut table, scale);
    listed(&mut table, scale);
    large::many_users(&mut table, scale);
    large::archive(&mut table, scale);
    match table.above {
        0 => ExitCode::SUCCESS,
        above => {
            println!("{above} lines are above the bound");
            ExitCode::FAILURE
        }
    }
}

pub struct Table {
    only: String,
    above: usize,
}

impl Table {
    /// Whether this line is to be measured.
    pub fn wants(&self, what: &str) -> bool {
        what.contains(&self.only)
    }

    /// The peak of a process whose largest message has so many bytes.
    pub fn row(&mut self, what: &str, peak: u64, largest: usize) {
        let bound = 200.0 * MB + 2.0 * largest as f64;
        let met = peak as f64 <= bound;
        self.above += usize::from(!met);
        let (peak, bound) = (peak as f64 / MB, bound / MB);
        let verdict = if met { "met" } else { "NOT MET" };
        println!(
            "{what:<44}{:>12}{:>12}  {verdict}",
            format!("{peak:.0} MB"),
            format!("≤ {bound:.0} MB")
        );
    }
}

/// An appliance with jane, and one profile.
fn appliance(access: &str, port: u16) -> Appliance {
    let text = format!(
        "[[user]]\nname = \"jane\"\naddresses = [\"jane@example.com\"]\n[[profile]]\nname = \"p\"\n[profile.server]\n\
         access = \"{access}\"\nhost = \"127.0.0.1\"\nport = {port}\nusername = \"all\"\npassword = \"x\"\ntimeout = \"60s\"\n\
         tls = {{ verify = \"none\" }}\n[profile.recipients]\nlocal_domains = [\"example.com\"]\njournal = \"always\"\n"
    );
    Appliance::new(DROPKEEP, &text)
}

/// Messages that come over IMAP, each between two ordinary ones.
fn received(table: &mut Table, scale: f64) {
    for (what, mail) in mail::messages(scale) {
        if !table.wants(what) {
            continue;
        }
        let largest = mail.len();
        let has = Has::Mail(vec![Mail::plain(1), mail, Mail::plain(2)]);
        let server = server::start(server::imap, has);
        let appliance = appliance("imap", server.port);
        let outcome = appliance.done(&["archive", "p", "--json"]);
        assert_eq!(outcome.json()["archived"], 3, "{what}");
        table.row(what, outcome.peak, largest);
        assert_eq!(
            appliance.done(&["list", "--user", "jane", "--json"]).lines().len(),
            3,
            "{what}"
        );
        if what.contains("bytes") || what.contains("different") {
            for command in ["show", "explain", "list"] {
                let id = if command == "list" { "jane" } else { "2" };
                let arguments = if command == "list" {
                    vec!["list", "--user", id]
                } else {
                    vec![command, id]
                };
                let outcome = appliance.done(&arguments);
                table.row(&format!("  {command} of it"), outcome.peak, largest);
            }
        }
    }
    let what = "a literal, and garbage behind it";
    if table.wants(what) {
        let mail = Mail::of((150e6 * scale) as usize, "Subject: x\r\n\r\n", "body body\r\n", "");
        let largest = mail.len();
        let server = server::start(server::imap, Has::Garbage(mail, 1_000_000));
        let appliance = appliance("imap", server.port);
        table.row(what, appliance.run(&["archive", "p", "--json"]).peak, largest);
    }
}

/// A file with one large field, explained.
fn read(table: &mut Table, scale: f64) {
    let what = "explain of a file with 50 MB of Cc";
    if !table.wants(what) {
        return;
    }
    let mail = Mail::numbered(
        (50e6 * scale) as usize,
        "Cc: ",
        ("u", "@b.example,"),
        "jane@example.com\r\n\r\nx\r\n",
    );
    let appliance = appliance("imap", 1);
    let file = appliance.config().with_file_name("large.eml");
    mail.write(&mut fs::File::create(&file).map(std::io::BufWriter::new).expect("a file"))
        .expect("it is written");
    let outcome = appliance.done(&["explain", "--profile", "p", &file.to_string_lossy()]);
    assert!(outcome.text().contains("jane"));
    table.row(what, outcome.peak, mail.len());
}

/// Listings without end. What becomes of the run does not matter: nothing of them can be fetched.
fn listed(table: &mut Table, scale: f64) {
    let count = |most: f64| (most * scale) as u32;
    type Serve = fn(std::net::TcpStream, &Has) -> std::io::Result<()>;
    let lines: [(&str, &str, Serve, Has); 3] = [
        ("5 million UIDLs", "pop3", server::pop3, Has::Names(count(5e6), 12)),
        ("4 million long UIDLs", "pop3", server::pop3, Has::Names(count(4e6), 70)),
        ("10 million UIDs", "imap", server::imap, Has::Names(count(10e6), 0)),
    ];
    for (what, access, serve, has) in lines {
        if table.wants(what) {
            let server = server::start(serve, has);
            let appliance = appliance(access, server.port);
            let outcome = appliance.run(&["archive", "p", "--json"]);
            table.row(what, outcome.peak, 0);
        }
    }
}
