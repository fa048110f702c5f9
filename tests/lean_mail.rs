//! Mail that is nothing but fields and addresses is read in little more memory than it has bytes, and whoever is known
//! in it is found, however many others stand before them. Reading it took up to forty times its size.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use dropkeep::{
    config::{Config, Journal, Recipients, Use},
    identify::{Identified, Rules, large_leaves},
    message::Address,
    route::{Deciding, Directory, Routing, decide, look_through},
};
use figment::{
    Figment,
    providers::{Format, Toml},
};

/// Counts what is allocated, and how much that was at most.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: the system's allocator does all of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(now, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static MEMORY: Counting = Counting;

/// Bytes that reading `message` took at most.
fn taken(read: impl FnOnce()) -> usize {
    let before = NOW.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    read();
    MOST.load(Ordering::Relaxed).saturating_sub(before)
}

/// Bytes of each message, and those that may be taken besides whatever its size.
const SIZE: usize = 1 << 20;
const BESIDES: usize = 2 << 20;

fn times(piece: &str) -> String {
    piece.repeat(SIZE / piece.len())
}

/// Pieces that are all different.
fn numbered(piece: fn(usize) -> String) -> String {
    let mut all = String::new();
    for number in 0.. {
        all.push_str(&piece(number));
        if all.len() >= SIZE {
            break;
        }
    }
    all
}

fn report(encoding: &str, envelope: &str) -> String {
    format!(
        "X-MS-Journal-Report:\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n{encoding}\n\
         {envelope}\n--b\nContent-Type: message/rfc822\n\nSubject: x\nFrom: q@q.example\n\nx\n--b--\n"
    )
}

/// What it is, and the message; jane is named behind all the others.
fn messages() -> Vec<(&'static str, String)> {
    let jane = "Cc: jane@example.com\n\nx\n";
    let to = |list: String| format!("From: a@b.example\nTo: {list}jane@example.com\n\nx\n");
    vec![
        ("fields of three bytes", times("X:\n") + jane),
        ("fields of one address", times("To:a@b\n") + jane),
        ("fields of addresses", numbered(|n| format!("Cc:u{n}@b\n")) + jane),
        ("a field of one address", to(times("a@b,"))),
        ("a field of addresses", to(numbered(|n| format!("u{n}@b.example,\n ")))),
        (
            "a field of our own addresses",
            to(numbered(|n| format!("u{n}@example.com,"))),
        ),
        ("a field of words", to(times("a ") + ",")),
        ("angle brackets of words", to(format!("<{}>,", times("a ")))),
        ("an endless local part", to(times("a.") + "@b.example,")),
        ("an endless domain", to(format!("a@{},", times("ü.")))),
        (
            "a field of one name",
            to(format!("\"{}\" <b@b.example>,", times("\\ü"))),
        ),
        ("a field of line ends", to(times("\n ") + ",")),
        (
            "senders",
            format!(
                "From: {}jane@example.com\nTo: x@b.example\n\nx\n",
                numbered(|n| format!("u{n}@b,"))
            ),
        ),
        ("hops", times("Received: by b for <a@b>; x\n") + jane),
        ("dates", format!("Date: {}\n{jane}", times("1 "))),
        (
            "a report of lines",
            report("", &(numbered(|n| format!("To: u{n}@b\n")) + "Bcc: jane@example.com\n")),
        ),
        (
            "a report of one line",
            report("", &format!("To: {}jane@example.com\n", times("a@b, Expanded: c@d,"))),
        ),
        (
            "a report with an encoded envelope",
            report(
                "Content-Transfer-Encoding: quoted-printable\n",
                &(numbered(|n| format!("To: u{n}=40b\n")) + "Bcc: jane@example.com\n"),
            ),
        ),
        ("separators of an mbox", times("From x\n") + jane),
        (
            "parts",
            format!("Content-Type: multipart/mixed; boundary=b\n{jane}{}", times("--b\n\n")),
        ),
    ]
}

#[test]
fn mail_of_nothing_but_addresses_took_forty_times_its_size() {
    let recipients = Recipients {
        steps: Use::All,
        journal: Journal::Always,
        local_domains: vec!["example.com".into()],
        ..Recipients::default()
    };
    let rules = Rules::new(&recipients, "all@example.com");
    let routing = Routing::new(&recipients);
    let jane = "[[user]]\nname = \"jane\"\naddresses = [\"jane@example.com\"]\n";
    let config: Config = Figment::new().merge(Toml::string(jane)).extract().unwrap();
    let directory = Directory::of_config(&config);
    let jane = Address::parse("jane@example.com");
    let mut wrong = Vec::new();
    for (what, message) in messages() {
        let length = message.len();
        let message = Bytes::from(message);
        let mut found = None;
        let identifying = taken(|| {
            let identified = Identified::new(message.clone(), None, &rules);
            large_leaves(&identified.bytes);
            found = Some(identified.found);
        });
        let found = found.unwrap();
        let mut looked = None;
        let looking = taken(|| looked = Some(look_through(&directory, &routing, &rules, &message)));
        let looked = looked.unwrap();
        let mut surveyed = None;
        let surveying = taken(|| {
            let mut deciding = Deciding::asked(&directory, &routing);
            surveyed = Some(rules.overview(&message, &mut |named, role| deciding.look_up(named, role)));
        });
        let surveyed = surveyed.unwrap();
        for (doing, took) in [
            ("reading", identifying),
            ("looking up", looking),
            ("surveying", surveying),
        ] {
            println!("{what}: {doing} took {took} bytes for {length}");
            if took > length + BESIDES {
                wrong.push(format!("{what}: {doing} took {took} bytes for {length}"));
            }
        }
        let of_jane = |address: Option<Address>| address == jane;
        for (how, found) in [("looked up", &looked), ("surveyed", &surveyed.found)] {
            let users = decide(&directory, &routing, found).users;
            if !users.into_iter().any(|one| of_jane(one.address)) {
                wrong.push(format!("{what}: jane is not found, {how}"));
            }
        }
        if found.more == 0 && decide(&directory, &routing, &found).users.is_empty() {
            wrong.push(format!("{what}: jane is not found"));
        }
        if !surveyed.addresses.iter().any(|one| Some(&one.address) == jane.as_ref()) {
            wrong.push(format!("{what}: jane is not surveyed"));
        }
        assert!(surveyed.addresses.len() < 3_000, "{what}: {}", surveyed.addresses.len());
    }
    assert_eq!(wrong, [""; 0]);
}
