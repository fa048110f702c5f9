//! How much disk an archive takes, beside a Maildir, each message by itself in gzip, and all in one tarball that
//! nobody can search.

use std::{
    fs,
    io::{Read, Write},
    path::Path,
    process::{Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
};

use flate2::{Compression, write::GzEncoder};
use rayon::prelude::*;

use crate::{
    filing::{self, Archived},
    scratch,
    support::{
        appliance::disk_usage,
        corpus,
        generator::{Business, SEED, company},
    },
    table::{self, Goal},
};

/// How much of the raw bytes small mail may take.
const GOAL_SMALL: f64 = 0.40;
/// How much a business's mail may take of what gzip makes of each message.
const GOAL_OF_GZIP: f64 = 0.50;
const MB: f64 = 1e6;

pub fn run(messages: usize) {
    println!("How much disk mail takes: blocks on disk, as `du` counts them, over the bytes of the messages.");
    if let Some(corpus) = corpus::messages("the benchmark of the store") {
        let compared = compare("small real mail", || corpus.clone().into_iter());
        compared.rows(Goal::AtMost(GOAL_SMALL), Goal::None);
    }
    let mut business = Business::new(messages, SEED);
    business.by_ref().for_each(drop);
    let tally = business.tally();
    let compared = compare("a business's mailbox", || Business::new(messages, SEED));
    compared.rows(Goal::None, Goal::AtMost(GOAL_OF_GZIP));
    println!(
        "\nOf the business's mail {:.0} % are attached files, and {:.0} % of those were attached to an earlier message \
         as well.",
        100.0 * tally.attached as f64 / tally.bytes as f64,
        100.0 * tally.recurring as f64 / tally.attached as f64
    );
}

/// What the same mail takes, in bytes.
struct Compared {
    archived: Archived,
    stored: u64,
    maildir: u64,
    gzip: u64,
    /// `None` where tar or zstd is not installed.
    tarball: Option<u64>,
}

fn compare<I>(what: &str, messages: impl Fn() -> I) -> Compared
where
    I: Iterator<Item = Vec<u8>> + Send + 'static,
{
    let folder = tempfile::Builder::new()
        .prefix("dropkeep-bench-")
        .tempdir_in(scratch())
        .expect("a folder");
    let config = filing::config(&folder.path().join("data"), &company());
    let archived = filing::archive(&config, messages(), |_| {});
    let maildir = folder.path().join("Maildir");
    let gzip = write_maildir(&maildir, messages());
    let compared = Compared {
        stored: disk_usage(&config.data_dir),
        maildir: disk_usage(&maildir),
        gzip,
        tarball: tarball(&maildir),
        archived,
    };
    table::head(&format!(
        "{what}: {} messages, {:.1} MB",
        compared.archived.messages,
        compared.archived.raw as f64 / MB
    ));
    compared
}

impl Compared {
    fn rows(&self, of_raw: Goal, of_gzip: Goal) {
        let raw = self.archived.raw as f64;
        let times = |bytes: u64| bytes as f64 / raw;
        table::row("data directory / raw bytes", times(self.stored), of_raw, "×");
        table::row(
            "data directory / gzip of each message",
            self.stored as f64 / self.gzip as f64,
            of_gzip,
            "×",
        );
        table::row("gzip of each message / raw bytes", times(self.gzip), Goal::None, "×");
        table::row("Maildir / raw bytes", times(self.maildir), Goal::None, "×");
        match self.tarball {
            Some(bytes) => table::row("tar | zstd -19 / raw bytes", times(bytes), Goal::None, "×"),
            None => table::skipped("tar | zstd -19", "tar or zstd is not installed"),
        }
        let speed = raw / MB / self.archived.took.as_secs_f64();
        table::row("archived, messages being made beside it", speed, Goal::None, "MB/s");
    }
}

/// Writes each message to a file, and says how many bytes gzip makes of all of them, each by itself.
fn write_maildir(maildir: &Path, messages: impl Iterator<Item = Vec<u8>> + Send) -> u64 {
    for folder in ["cur", "new", "tmp"] {
        fs::create_dir_all(maildir.join(folder)).expect("a Maildir");
    }
    let total = AtomicU64::new(0);
    messages.enumerate().par_bridge().for_each(|(number, message)| {
        let name = format!(
            "cur/{}.M{number}P1.host,S={}:2,S",
            1_700_000_000 + number,
            message.len()
        );
        fs::write(maildir.join(name), &message).expect("a message in a Maildir");
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(&message).expect("memory");
        let bytes = gzip.finish().expect("memory").len();
        total.fetch_add(bytes as u64, Ordering::Relaxed);
    });
    total.into_inner()
}

/// Bytes of `tar | zstd -19` of a folder. `None` where one of them is not installed.
fn tarball(folder: &Path) -> Option<u64> {
    let mut tar = Command::new("tar")
        .args(["--sort=name", "-cf", "-", "-C"])
        .arg(folder)
        .arg(".")
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let zstd = Command::new("zstd")
        .args(["-q", "-19", "-T0", "-c"])
        .stdin(tar.stdout.take().expect("its output"))
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut zstd) = zstd else {
        // It has nobody to write to any more, and ends.
        let _ = tar.wait();
        return None;
    };
    let mut packed = zstd.stdout.take().expect("its output");
    let mut buffer = vec![0; 1 << 16];
    let mut bytes = 0;
    loop {
        match packed.read(&mut buffer).expect("what zstd writes") {
            0 => break,
            count => bytes += count as u64,
        }
    }
    let whole = tar.wait().expect("tar").success() && zstd.wait().expect("zstd").success();
    assert!(whole, "tar | zstd of {}", folder.display());
    Some(bytes)
}
