//! How fast a large message is handed out, and in how much memory.

use std::{fs, io::BufReader, time::Instant};

use crate::{
    median,
    site::{Client, Site, chunk, head},
    support::{
        generator::{Random, SEED},
        running::resident_mb,
    },
    table::{self, Goal},
};

const MB: f64 = 1e6;
const BYTES: usize = 100_000_000;
const FEWER: usize = 50_000_000;
const TIMES: usize = 5;
/// MB a second.
const GOAL_RATE: f64 = 200.0;
/// Resident memory with the message, by that with one of half the size: what is at hand is bounded, and full with either.
const GOAL_FLAT: f64 = 1.1;

pub fn run() {
    let site = Site::new("", &[]);
    site.add("jane", "user", &["jane"]);
    let mail = large(BYTES);
    site.import_bytes(&mail[..FEWER]);
    site.import_bytes(&mail);
    let jane = site.log_in("jane");
    let id = site.serving.running.id();
    let peak_of = |message: &str, bytes: usize| {
        fs::write(format!("/proc/{id}/clear_refs"), "5").expect("to count the peak anew");
        let rates: Vec<f64> = (0..TIMES).map(|_| rate(&jane, message, bytes)).collect();
        (median(&rates), resident_mb(id, "VmHWM:"))
    };
    let (_, fewer) = peak_of("1", FEWER);
    let (rate, peak) = peak_of("2", BYTES);
    table::head("a message of 100 MB, raw");
    table::row("rate, median", rate, Goal::MoreThan(GOAL_RATE), "MB/s");
    table::row("peak resident", peak, Goal::None, "MB");
    table::row(
        "the same / with one of 50 MB",
        peak / fewer,
        Goal::AtMost(GOAL_FLAT),
        "×",
    );
}

/// A message of so many bytes, which nothing makes smaller than base64 does.
fn large(bytes: usize) -> Vec<u8> {
    let mut mail = b"From: a@sender.example\r\nTo: jane@example.com\r\nSubject: large\r\nMIME-Version: 1.0\r\n\
        Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        .to_vec();
    let mut random = Random(SEED);
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    while mail.len() < bytes {
        mail.extend((0..76).map(|_| letters[random.below(letters.len())]));
        mail.extend(b"\r\n");
    }
    mail.truncate(bytes);
    mail
}

/// MB a second of a download.
fn rate(client: &Client, message: &str, bytes: usize) -> f64 {
    let begun = Instant::now();
    let asked = client.begin("GET", &format!("/api/v1/messages/{message}/raw"), "", b"");
    let mut stream = BufReader::with_capacity(1 << 20, asked.expect("an answer"));
    let (status, _) = head(&mut stream).expect("an answer");
    assert_eq!(status, 200);
    let mut taken = 0;
    while let Some(chunk) = chunk(&mut stream).expect("a chunk") {
        taken += chunk.len();
    }
    assert_eq!(taken, bytes);
    taken as f64 / MB / begun.elapsed().as_secs_f64()
}
