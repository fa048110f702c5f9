//! Journal reports, with and without a header that makes them one.

#![no_main]

use std::ops::ControlFlow;

use bytes::Bytes;
use dropkeep::{
    config::{Journal, Recipients},
    identify::{Header, Identified, JournalReport, Journaled, Rules},
};
use dropkeep_fuzz::{Bounded, choices};
use libfuzzer_sys::fuzz_target;

#[global_allocator]
static MEMORY: Bounded = Bounded::new();

const HEADER: &[u8] = b"X-MS-Journal-Report:\nContent-Type: multipart/mixed; boundary=b\n\n--b\n";

fuzz_target!(|input: &[u8]| {
    let ([how], rest) = choices(input);
    let message = match how & 1 {
        0 => [HEADER, rest].concat(),
        _ => rest.to_vec(),
    };
    let message = Bytes::from(message);
    let report = JournalReport::read(&message, &Header::scan(&message));
    let recipients = Recipients {
        journal: Journal::Always,
        ..Recipients::default()
    };
    let read = Identified::new(message.clone(), None, &Rules::new(&recipients, "all@example.com"));
    match (&report, &read.journal) {
        (None, journal) => {
            assert!(matches!(journal, Journaled::No | Journaled::Unreadable));
            assert_eq!(read.bytes, message);
        }
        (Some(report), journal) => {
            let mut all = Vec::new();
            for each in [JournalReport::each_recipient, JournalReport::each_sender] {
                let handed = each(report, &mut |named| {
                    all.push(named);
                    ControlFlow::Continue(())
                });
                assert!(handed.is_continue());
            }
            assert!(!all.is_empty());
            assert!(
                report.envelope.len() <= 3 * message.len(),
                "it is of the message, maybe in another charset"
            );
            for named in all {
                assert!(named.field.starts_with("Journal-"));
                let envelope = String::from_utf8_lossy(&report.envelope).to_ascii_lowercase();
                // Encoded words say it in other letters.
                if envelope.is_ascii() && !envelope.contains("=?") {
                    let envelope = envelope.replace(['\\', '\r', '\n'], "");
                    let mut letters = named.address.as_str().split(|c: char| !c.is_ascii_alphanumeric());
                    assert!(letters.all(|letters| envelope.contains(letters)), "{}", named.address);
                }
            }
            match (&report.enclosed, journal) {
                (None, Journaled::Alone | Journaled::Unreadable) => assert_eq!(read.bytes, message),
                (Some(_), Journaled::Around(outer)) => {
                    assert_eq!(outer.is_understood, report.is_understood);
                    assert_eq!(outer.bytes, message);
                    assert!(!read.bytes.is_empty() && read.bytes.len() < message.len());
                }
                other => panic!("{other:?}"),
            }
        }
    }
});
