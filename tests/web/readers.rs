//! Many who read at once, those who read slowly, and large messages.

use std::{
    fs,
    io::{BufReader, Read},
    thread,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    site::{Site, chunk, head, read},
    support::identity::sha256,
};

/// Bytes of the large file.
const LARGE: usize = 16 << 20;

/// Resident memory that is not of files.
fn memory(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).expect("its status");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))
        .expect("RssAnon");
    line.trim()
        .trim_end_matches(" kB")
        .trim()
        .parse::<u64>()
        .expect("a number")
        << 10
}

/// A site with one message to jane, which has a large file, and the file.
fn with_large() -> (Site, Vec<u8>) {
    let site = Site::new("", &[("DROPKEEP__WEB__REQUESTS_AT_ONCE", "250")]);
    let mut state = 7_u64;
    let mut random = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    let file: Vec<u8> = (0..LARGE).map(|_| random()).collect();
    let lines: String = STANDARD
        .encode(&file)
        .as_bytes()
        .chunks(76)
        .fold(String::new(), |mut lines, line| {
            lines.push_str(std::str::from_utf8(line).expect("letters"));
            lines.push_str("\r\n");
            lines
        });
    site.import(&format!(
        "From: x@example.org\r\nTo: jane@example.com\r\nSubject: large\r\nContent-Type: application/x-file; name=large\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{lines}"
    ));
    site.add("jane", "user", &["jane"]);
    (site, file)
}

#[test]
fn a_large_message_is_downloaded_in_little_memory_by_many_slow_readers_at_once() {
    let (site, file) = with_large();
    let jane = site.log_in("jane");
    let digest = sha256(&site.appliance.raw(1));
    let id = site.serving.running.id();
    let began = Instant::now();
    let raw = jane.get("/api/v1/messages/1/raw").expect(200);
    println!("{} MB in {:?}", raw.body.len() >> 20, began.elapsed());
    assert_eq!(sha256(&raw.body), digest);
    assert!(
        jane.get("/api/v1/messages/1/attachments/1").expect(200).body == file,
        "the file"
    );
    drop(raw);
    let before = memory(id);
    // Each takes the beginning, and then nothing for a while.
    let mut readers: Vec<_> = (0..40)
        .map(|number| {
            let what = if number < 20 { "attachments/1" } else { "raw" };
            let stream = jane
                .begin("GET", &format!("/api/v1/messages/1/{what}"), "", b"")
                .expect("a connection");
            let mut stream = BufReader::new(stream);
            assert_eq!(head(&mut stream).expect("an answer").0, 200);
            chunk(&mut stream).expect("a chunk").expect("one");
            if number % 10 == 9 || number < 4 {
                println!("{number}: {} MB", memory(id) >> 20);
            }
            stream
        })
        .collect();
    let during = memory(id);
    println!(
        "{} MB before, {} MB with {} slow readers",
        before >> 20,
        during >> 20,
        readers.len()
    );
    // What all may hold whole at once, and little more than a block for each; not 22 MB.
    let most = before + (64 << 20) + ((readers.len() as u64) << 21);
    assert!(during < most, "{before} {during}");
    // Others are answered meanwhile, and one of the slow ones gets all of it.
    jane.get("/api/v1/me").expect(200);
    // The last of them: on a busy machine the first has taken nothing for longer than anybody may.
    let mut slow = readers.pop().expect("one");
    let mut rest = 0;
    while let Some(bytes) = chunk(&mut slow).expect("a chunk") {
        rest += bytes.len();
    }
    assert!(rest > LARGE, "{rest}");
}

#[test]
fn two_hundred_read_at_once() {
    let site = Site::new("", &[("DROPKEEP__WEB__REQUESTS_AT_ONCE", "250")]);
    let text = "x".repeat(300_000);
    site.import(&format!(
        "From: x@example.org\r\nTo: jane@example.com\r\nSubject: s\r\n\r\n{text}\r\n"
    ));
    site.add("jane", "user", &["jane"]);
    let jane = site.log_in("jane");
    let raw = site.appliance.raw(1);
    let streams: Vec<_> = (0..200)
        .map(|_| {
            jane.begin("GET", "/api/v1/messages/1/raw", "", b"")
                .expect("a connection")
        })
        .collect();
    let readers: Vec<_> = streams
        .into_iter()
        .map(|stream| thread::spawn(move || read(stream)))
        .collect();
    for reader in readers {
        let reply = reader.join().expect("no panic").expect("an answer").expect(200);
        assert!(reply.body == raw);
    }
}

#[test]
fn a_reader_who_takes_nothing_is_given_up_and_one_who_takes_little_is_not() {
    let (site, _) = with_large();
    let jane = site.log_in("jane");
    let begin = || {
        let stream = jane
            .begin("GET", "/api/v1/messages/1/raw", "", b"")
            .expect("a connection");
        let mut stream = BufReader::new(stream);
        assert_eq!(head(&mut stream).expect("an answer").0, 200);
        stream
    };
    let (mut idle, mut slow) = (begin(), begin());
    let began = Instant::now();
    // A megabyte each two seconds, for longer than a connection lasts that takes nothing.
    let mut taken = 0;
    while began.elapsed() < Duration::from_secs(40) {
        let mut now = vec![0; 1 << 20];
        slow.read_exact(&mut now).expect("it goes on");
        taken += now.len();
        thread::sleep(Duration::from_secs(2));
    }
    let mut rest = Vec::new();
    slow.read_to_end(&mut rest).expect("the rest");
    assert!(taken + rest.len() > LARGE, "{taken} and {}", rest.len());
    let mut rest = Vec::new();
    let _ = idle.read_to_end(&mut rest);
    assert!(
        rest.len() < LARGE / 2,
        "{} bytes for one who took nothing for 40 s",
        rest.len()
    );
}
