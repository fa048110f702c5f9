//! How much room the catalog takes for small mail. `SIZES=200000 cargo test --lib size_tests -- --nocapture` prints each
//! table, and how long groups take as it grows.

use std::time::Instant;

use futures_util::future::join_all;
use heed::{Database, types::Bytes};

use super::{
    deposit::{Deposit, Settled, Shared, Verdict},
    rows::{CopyKey, FolderNumber, MessageId, Named, SourceNumber, Traits, UserId, Why},
    test_bench::{Bench, config, content, deposit},
};

const USERS: usize = 500;
const WINDOW: usize = 256;
const WINDOWS: usize = 8;
const YEARS_10: u64 = 315_360_000;
const STEP: usize = 50_000;

/// A number that looks like chance, and is the same again for the same message.
fn chance(number: usize, what: u8) -> u64 {
    let digest = blake3::hash(&[&number.to_le_bytes()[..], &[what]].concat());
    u64::from_le_bytes(digest.as_bytes()[..8].try_into().unwrap())
}

/// In which order the messages come, and from where.
#[derive(Clone, Copy)]
struct Mail {
    total: usize,
    /// Their dates come in no order.
    at_random: bool,
    /// They come over POP3, under names that look like chance.
    by_uidl: bool,
}

/// A small message, its copy, and 2.4 users on average.
fn shared(number: usize, mail: Mail) -> Shared {
    let from = chance(number / 7, 0) % 3000;
    let subject = chance(number, 1) % 50_000;
    let bytes = format!(
        "From: person{from}@example.org\r\nTo: user{}@example.com\r\nSubject: about the matter {subject}\r\nMessage-ID: \
         <{number}@example.org>\r\n\r\n{:x}\r\n",
        chance(number, 2) % USERS as u64,
        chance(number, 3)
    );
    let date = match mail.at_random {
        true => chance(number, 4) % YEARS_10,
        false => number as u64 * YEARS_10 / mail.total as u64,
    };
    let users = 1 + (chance(number, 5) % 10 < 8) as usize + (chance(number, 6) % 10 < 6) as usize;
    let mut of: Vec<UserId> = (0..users as u8)
        .map(|n| UserId(1 + (chance(number, 10 + n) % USERS as u64) as u32))
        .collect();
    of.sort_unstable();
    of.dedup();
    let content = content(bytes.as_bytes());
    let traits = Traits {
        size: content.bytes.len() as u64,
        date: (!mail.by_uidl).then_some(1_400_000_000 + date as i64),
        header: content.sha256[..16].try_into().unwrap(),
        short: false,
    };
    let key = match mail.by_uidl {
        true => CopyKey::uidl(SourceNumber(1), &number.to_string()),
        false => CopyKey::Imap {
            source: SourceNumber(1),
            folder: FolderNumber(1),
            uidvalidity: 1_700_000_000,
            uid: 1 + number as u32,
        },
    };
    Shared {
        deposit: Deposit {
            copy: Some(Named { key, traits }),
            content: content.into(),
            date: 1_400_000_000 + date as i64,
            archived_at: 1_750_000_000 + number as i64 / 5_000,
            ..deposit(b"")
        },
        settled: of
            .into_iter()
            .map(|user| Settled {
                user,
                why: Why::To,
                verdict: Verdict::New,
            })
            .collect(),
    }
}

/// Bytes of a message in all tables. As few as here, of which a fourth are not packed yet, take more than many do.
const MOST: f64 = 260.0;

#[actix::test]
async fn a_small_message_took_five_hundred_bytes_of_the_catalog() {
    let total: usize = std::env::var("SIZES").map_or(60_000, |text| text.parse().unwrap());
    for (at_random, by_uidl) in [(true, false), (false, false), (false, true)] {
        let mail = Mail {
            total,
            at_random,
            by_uidl,
        };
        let folder = tempfile::tempdir().unwrap();
        let bench = Bench::open(&config(&folder));
        println!(
            "\n{total} messages over {}, dates {}",
            if by_uidl { "POP3" } else { "IMAP" },
            if at_random { "at random" } else { "in order" }
        );
        let (mut next, mut filings, mut began, mut spent) = (0, 0, Instant::now(), Spent::now());
        let mut last = MessageId(0);
        while next < total {
            let windows = (0..WINDOWS).map(|nth| {
                let from = next + nth * WINDOW;
                let to = total.min(from + WINDOW);
                let window: Vec<_> = (from..to).map(|number| shared(number, mail)).collect();
                bench.committer.file(window)
            });
            for filed in join_all(windows).await.into_iter().flatten() {
                let filed = filed.unwrap();
                filings += filed.archived.len();
                last = last.max(filed.message);
            }
            next += WINDOWS * WINDOW;
            if next % STEP < WINDOWS * WINDOW {
                let now = Spent::now();
                println!(
                    "{next:>9} {:>8.0}/s {:>8.1} µs of processor time and {:>8.0} bytes written a message",
                    STEP as f64 / began.elapsed().as_secs_f64(),
                    (now.processor - spent.processor) * 1e6 / STEP as f64,
                    (now.written - spent.written) / STEP as f64,
                );
                (began, spent) = (Instant::now(), now);
            }
        }
        assert_eq!(last, MessageId(total as u64));
        let taken = sizes(&bench, total, filings);
        assert!(
            taken <= MOST,
            "{taken} bytes, dates at random: {at_random}, over POP3: {by_uidl}"
        );
        bench.close();
    }
}

/// What this process has used so far: seconds of processor time, bytes written to the disk.
struct Spent {
    processor: f64,
    written: f64,
}

impl Spent {
    fn now() -> Self {
        let read = |file| std::fs::read_to_string(file).unwrap_or_default();
        // utime and stime of proc(5), in hundredths of a second.
        let stat = read("/proc/self/stat");
        let times = stat.rsplit(") ").next().unwrap_or_default().split(' ').skip(11).take(2);
        let written = read("/proc/self/io");
        let written = written.lines().find_map(|line| line.strip_prefix("write_bytes: "));
        Self {
            processor: times.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0,
            written: written.and_then(|bytes| bytes.parse().ok()).unwrap_or_default(),
        }
    }
}

/// Prints what each table takes; gives the bytes for each message.
fn sizes(bench: &Bench, messages: usize, filings: usize) -> f64 {
    let catalog = &bench.store.catalog;
    let txn = catalog.read().unwrap();
    let root: Database<Bytes, Bytes> = catalog.env.open_database(&txn, None).unwrap().unwrap();
    let mut all = 0.0;
    for row in root.iter(&txn).unwrap() {
        let name = std::str::from_utf8(row.unwrap().0).unwrap();
        let table: Database<Bytes, Bytes> = catalog.env.open_database(&txn, Some(name)).unwrap().unwrap();
        let stat = table.stat(&txn).unwrap();
        let pages = stat.branch_pages + stat.leaf_pages + stat.overflow_pages;
        let bytes = pages as f64 * f64::from(stat.page_size) / messages as f64;
        all += bytes;
        println!(
            "{name:<16}{:>10} rows{pages:>9} pages{bytes:>9.1} bytes/message",
            stat.entries
        );
    }
    let file = std::fs::metadata(catalog.path().join("data.mdb")).unwrap().len();
    println!(
        "all{all:>50.1} bytes/message; the file {:.1}; {:.2} filings a message",
        file as f64 / messages as f64,
        filings as f64 / messages as f64
    );
    all
}
