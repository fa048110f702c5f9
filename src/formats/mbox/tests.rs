use std::{io::Write, os::unix::fs::FileExt};

use proptest::prelude::*;

use super::*;

fn mbox(text: &[u8], kind: MboxKind) -> Mbox {
    opened(text, kind, None).unwrap()
}

fn opened(text: &[u8], kind: MboxKind, from: Option<MboxFrom>) -> io::Result<Mbox> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text).unwrap();
    Mbox::open(file, kind, from, &AtomicBool::new(false))
}

fn all(mbox: &Mbox) -> Vec<String> {
    (0..mbox.messages())
        .map(|number| mbox.read(number).unwrap().bytes.escape_ascii().to_string())
        .collect()
}

fn read(text: &str, kind: MboxKind) -> Vec<String> {
    all(&mbox(text.as_bytes(), kind))
}

fn escaped(messages: &[&str]) -> Vec<String> {
    messages
        .iter()
        .map(|message| message.as_bytes().escape_ascii().to_string())
        .collect()
}

const FROM: &str = "From jane@example.com Thu Jan  1 00:00:00 2026\n";

#[test]
fn mboxrd_and_mboxo() {
    let text = format!("{FROM}Subject: a\n\n>From here\n>>From there\n\n{FROM}Subject: b\n\nx\n\n");
    let rd = escaped(&["Subject: a\n\nFrom here\n>From there\n", "Subject: b\n\nx\n"]);
    assert_eq!(read(&text, MboxKind::Auto), rd);
    assert_eq!(read(&text, MboxKind::Mboxrd), rd);
    let o = escaped(&["Subject: a\n\nFrom here\n>>From there\n", "Subject: b\n\nx\n"]);
    assert_eq!(read(&text, MboxKind::Mboxo), o);
}

#[test]
fn mboxcl_is_told_by_its_lengths() {
    let body = ">From here\n>>From there\n";
    let length = body.len();
    let text =
        format!("{FROM}Subject: a\nContent-Length: {length}\n\n{body}\n{FROM}Content-Length: 2\nSubject: b\n\nx\n\n");
    let first = format!("Subject: a\nContent-Length: {length}\n\nFrom here\n>>From there\n");
    let expected = escaped(&[&first, "Content-Length: 2\nSubject: b\n\nx\n"]);
    assert_eq!(read(&text, MboxKind::Auto), expected);
    assert_eq!(read(&text, MboxKind::Mboxcl), expected);
    // One that does not fit, or has none, makes it another kind; said to be mboxcl, it is found all the same.
    let other = text.replace("Content-Length: 2\n", "Content-Length: 4\n") + FROM + "Subject: c\n\ny\n";
    assert_eq!(
        read(&other, MboxKind::Auto)[0],
        first.replace(">>From", ">From").as_bytes().escape_ascii().to_string()
    );
    for kind in [MboxKind::Auto, MboxKind::Mboxcl] {
        let read = read(&other, kind);
        assert_eq!(
            read[1..],
            escaped(&["Content-Length: 4\nSubject: b\n\nx\n", "Subject: c\n\ny\n"])
        );
    }
}

#[test]
fn mboxcl2_is_told_by_lines_that_are_not_quoted() {
    let bodies = [
        format!(">From here\n\n{FROM}Subject: an mbox in a message\n\n"),
        ">From there".to_owned(),
    ];
    let message = |body: &String| format!("Subject: a\r\ncontent-length:  {} \r\n\r\n{body}", body.len());
    let messages = bodies.each_ref().map(message);
    let text = format!("{FROM}{}\n{FROM}{}\n\n", messages[0], messages[1]);
    let expected = escaped(&messages.each_ref().map(String::as_str));
    assert_eq!(read(&text, MboxKind::Auto), expected);
    assert_eq!(read(&text, MboxKind::Mboxcl2), expected);
}

#[test]
fn a_length_that_swallows_others_does_not_count() {
    // Anyone can write a Content-Length into a message.
    let swallowed = format!("\n{FROM}Subject: b\n\ny\n");
    let text = format!(
        "{FROM}Content-Length: {}\n\nx\n{swallowed}\n{FROM}Subject: c\n\nz\n\n",
        2 + swallowed.len()
    );
    assert_eq!(read(&text, MboxKind::Auto).len(), 3);
}

#[test]
fn thunderbird() {
    let text = "From - Thu Jan 01 00:00:00 2026\r\nX-Mozilla-Status: 0001\r\nSubject: a\r\n\r\nhello\r\n\r\n\
                From now on nothing is quoted: \r\nall right\r\n\r\n\
                From - Thu Jan 01 00:00:00 2026\r\nX-Mozilla-Status: 0009\r\n\r\nx\r\n\r\n\
                From \r\nX-Mozilla-Status: 0001\r\n\r\ny\r\n";
    let expected = escaped(&[
        "X-Mozilla-Status: 0001\r\nSubject: a\r\n\r\nhello\r\n\r\nFrom now on nothing is quoted: \r\nall right\r\n",
        "X-Mozilla-Status: 0009\r\n\r\nx\r\n",
        "X-Mozilla-Status: 0001\r\n\r\ny\r\n",
    ]);
    assert_eq!(read(text, MboxKind::Auto), expected);
}

/// Each has one person's mail in it, and what is between them as some program writes it.
#[test]
fn two_messages_are_not_taken_for_one() {
    let message = |name: &str| format!("From: s@example.com\nTo: {name}@example.com\nSubject: x\n\nfor {name}\n");
    for line in [
        "From MAILER-DAEMON Mon, 01 Jan 2024 12:00:00 GMT",
        "From s@example.com Monday, 01-Jan-24 12:00:00 GMT",
        "From s@example.com 2024-01-01T12:00:00Z",
        "From s@example.com Mon Jan  1 12:00:00 99",
        "From - Mo Okt 01 12:00:00 2024",
        "From -",
        "From ",
        "From s@example.com",
    ] {
        for (blank, end, begin) in [
            ("\n", "\n", ""),
            ("", "\n", ""),
            ("\n", "\r\n", "\u{feff}"),
            ("\n", "\r", ""),
            ("", "\r", "\u{feff}"),
        ] {
            let messages = ["ann", "bob", "cat"].map(message);
            let text: String = messages
                .iter()
                .map(|message| format!("{line}\n{message}{blank}"))
                .collect();
            let text = begin.to_owned() + &text.replace('\n', end);
            let kept = messages.map(|message| message.replace('\n', if end == "\r" { "\n" } else { end }));
            let kept: Vec<_> = kept.iter().map(String::as_str).collect();
            for from in [None, Some(MboxFrom::Loose)] {
                let mbox = opened(text.as_bytes(), MboxKind::Auto, from).unwrap();
                assert_eq!(all(&mbox), escaped(&kept), "{line} {blank:?} {end:?} {from:?}");
                assert_eq!((mbox.stray(), mbox.doubtful().0), (0, 0), "{line}");
            }
        }
    }
}

#[test]
fn a_line_that_may_be_a_separator_is_told_and_whoever_imports_says_what_it_is() {
    let other = "From: b\nTo: c\n\nto c\n";
    let text = format!("{FROM}Subject: a\n\nx\n\nFrom the archives\n{other}\n{FROM}Subject: b\n\ny\n");
    let open = |from| opened(text.as_bytes(), MboxKind::Auto, from).unwrap();
    let undecided = open(None);
    assert_eq!((undecided.messages(), undecided.doubtful()), (2, (1, vec![6])));
    let refused = undecided.read(0).unwrap_err().to_string();
    assert!(
        refused.contains("line 6") && refused.contains("--mbox-from"),
        "{refused}"
    );
    assert_eq!(undecided.read(1).unwrap().bytes, b"Subject: b\n\ny\n");
    let loose = open(Some(MboxFrom::Loose));
    assert_eq!(all(&loose), escaped(&["Subject: a\n\nx\n", other, "Subject: b\n\ny\n"]));
    assert_eq!(loose.doubtful().0, 0);
    let strict = open(Some(MboxFrom::Strict));
    let whole = format!("Subject: a\n\nx\n\nFrom the archives\n{other}");
    assert_eq!(all(&strict), escaped(&[&whole, "Subject: b\n\ny\n"]));
    assert_eq!(strict.doubtful(), (1, vec![6]));
    // No header is behind it: it is told, and the message kept.
    let vague = format!("{FROM}Subject: a\n\nhe wrote\n{FROM}that is all\n");
    let vague = opened(vague.as_bytes(), MboxKind::Auto, None).unwrap();
    assert_eq!((all(&vague).len(), vague.doubtful()), (1, (1, vec![5])));
    // The lines of the message end otherwise than those of the file.
    let old = format!("{FROM}Subject: a\n\nx\r{}{other}\n", FROM.replace('\n', "\r"));
    let old = opened(old.replace("b\nTo", "b\rTo").as_bytes(), MboxKind::Auto, None).unwrap();
    assert_eq!(old.doubtful().0, 1);
    assert!(old.read(0).is_err());
}

#[test]
fn lines_that_end_in_cr_alone_and_otherwise_are_an_error() {
    let text = format!("{FROM}Subject: a\n\nx\n").replace('\n', "\r").repeat(3000) + "\n";
    let refused = opened(text.as_bytes(), MboxKind::Auto, None).unwrap_err().to_string();
    assert!(
        refused.contains("CR alone") && refused.contains(&(text.len() - 1).to_string()),
        "{refused}"
    );
}

#[test]
fn a_from_line_that_ends_in_cr_in_a_file_with_lf_swallows_nothing() {
    let from = FROM.trim_end();
    let (lf, cr) = ("Subject: a\n\nx\n\n", "Subject: b\r\rMARK\r\r");
    let crlf = lf.replace('\n', "\r\n");
    let marks = "\u{1}\u{1}\u{1}\u{1}\n";
    for (text, refused) in [
        (format!("{from}\rMARK\r\n"), 0),
        (format!("{from}\r{cr}{from}\r{cr}\n"), 0),
        (format!("{from}\r\r\rMARK\n"), 0),
        (format!("{from}\n{lf}{from}\r{cr}"), 1),
        (format!("{from}\n{lf}{from}\r{}{from}\r{cr}", cr.repeat(100)), 1),
        (format!("{from}\r\n{crlf}{from}\r{cr}{from}\r\n{crlf}"), 1),
        (format!("{from}\r{cr}{from}\r\n{crlf}"), 0),
        (format!("{marks}{from}\r{cr}{marks}"), 0),
    ] {
        for from in [None, Some(MboxFrom::Loose), Some(MboxFrom::Strict)] {
            for kind in [MboxKind::Auto, MboxKind::Mboxrd, MboxKind::Mboxcl] {
                let mbox = opened(text.as_bytes(), kind, from).unwrap();
                let words = mbox.read(refused).unwrap_err().to_string();
                let place = format!("at byte {},", mbox.stretch(refused).unwrap().0 - 1);
                assert!(
                    words.contains("ends in CR alone") && words.contains(&place),
                    "{text:?}: {words}"
                );
                let mark = text.find("MARK").unwrap() as u64;
                let (offset, length) = mbox.stretch(refused).unwrap();
                assert!((offset..offset + length).contains(&mark), "{text:?}");
            }
        }
    }
    for end in ["\r\n", "\r\r\n", " \r\n"] {
        let text = format!("{from}{end}{lf}");
        assert_eq!(read(&text, MboxKind::Auto).len(), 1, "{text:?}");
    }
    // A file that was cut off between CR and LF.
    assert_eq!(read(&format!("{from}\r\n{crlf}{from}\r"), MboxKind::Auto).len(), 2);
    // A line without an end is no `From ` line.
    let endless = format!("From {}\n{FROM}Subject: a\n\nx\n", "x".repeat(5000));
    assert_eq!(mbox(endless.as_bytes(), MboxKind::Auto).stray(), 5006);
}

#[test]
fn a_from_field_with_a_space_before_its_colon_is_no_from_line() {
    let message =
        "From : S <s@example.com>\nTo: jane@example.com\nSubject: x\n\nb\n\nFrom : Bob\nTo : x\nSubject : y\n";
    let text = format!("{FROM}{message}\n");
    for kind in [MboxKind::Auto, MboxKind::Mboxo] {
        for from in [None, Some(MboxFrom::Loose)] {
            let mbox = opened(text.as_bytes(), kind, from).unwrap();
            assert_eq!((all(&mbox), mbox.doubtful().0), (escaped(&[message]), 0));
        }
    }
    let lost = format!("{message}\n{FROM}{message}");
    assert_eq!(read(&lost, MboxKind::Auto), escaped(&[message, message]));
}

#[test]
fn mmdf() {
    let marks = "\u{1}\u{1}\u{1}\u{1}\n";
    let (a, b) = ("Subject: a\n\n>From here\nFrom there\n", "Subject: b\n\ny\n");
    for text in [
        format!("{marks}{a}{marks}{marks}{b}{marks}"),
        format!("{marks}{FROM}{a}{marks}{marks}{FROM}{b}{marks}"),
        format!("{marks}{a}{marks}{b}"),
        format!("\u{feff}{marks}{a}{marks}{marks}{b}"),
    ] {
        assert_eq!(read(&text, MboxKind::Auto), escaped(&[a, b]), "{text:?}");
    }
    let inner = format!("{marks}Subject: a\n\nx\n{marks}y\n{marks}");
    let inner = mbox(inner.as_bytes(), MboxKind::Auto);
    let whole = format!("Subject: a\n\nx\n{marks}y\n");
    assert_eq!((all(&inner), inner.doubtful()), (escaped(&[&whole]), (1, vec![5])));
    let long = format!("{marks}Subject: a\n\n{}\n{marks}", "x".repeat(80)).repeat(40_000);
    assert_eq!(mbox(long.as_bytes(), MboxKind::Auto).messages(), 40_000);
}

#[test]
fn broken_ones() {
    // No final line end; a message that ends without an empty line; one that was cut off in its From line.
    let text = format!("{FROM}Subject: a\n\nx\n{FROM}Subject: b\n\ny");
    assert_eq!(
        read(&text, MboxKind::Auto),
        escaped(&["Subject: a\n\nx\n", "Subject: b\n\ny"])
    );
    let cut = format!("{FROM}Subject: a\n\nx\n\n{}", FROM.trim_end());
    assert_eq!(read(&cut, MboxKind::Auto), escaped(&["Subject: a\n\nx\n", ""]));
    // The first From line was lost.
    let headless = format!("Subject: a\n\nx\n\n{FROM}Subject: b\n\ny\n");
    assert_eq!(
        read(&headless, MboxKind::Auto),
        escaped(&["Subject: a\n\nx\n", "Subject: b\n\ny\n"])
    );
    assert_eq!(mbox(headless.as_bytes(), MboxKind::Auto).stray(), 0);
    // Empty lines before the first.
    let spaced = format!("\r\n\n{FROM}Subject: a\n\nx\n");
    assert_eq!(read(&spaced, MboxKind::Auto), escaped(&["Subject: a\n\nx\n"]));
    assert_eq!(mbox(spaced.as_bytes(), MboxKind::Auto).stray(), 0);
    for nothing in ["", "\n", "\n\r\n"] {
        let mbox = mbox(nothing.as_bytes(), MboxKind::Auto);
        assert_eq!((mbox.messages(), mbox.stray()), (0, 0));
    }
}

#[test]
fn what_is_no_mail_is_measured() {
    let text = format!("%PDF no mail\n\n{FROM}Subject: b\n\ny\n");
    let found = mbox(text.as_bytes(), MboxKind::Auto);
    assert_eq!((all(&found), found.stray()), (escaped(&["Subject: b\n\ny\n"]), 14));
    let text = format!("Note: no mail\n\n{FROM}Note: mail, since the mbox says so\n\ny\n");
    let found = mbox(text.as_bytes(), MboxKind::Auto);
    let mail = escaped(&["Note: mail, since the mbox says so\n\ny\n"]);
    assert_eq!((all(&found), found.stray()), (mail, 15));
    let found = mbox(b"%PDF no mail\n", MboxKind::Mboxcl);
    assert_eq!((found.messages(), found.stray()), (0, 13));
}

#[test]
fn the_date_is_that_of_the_from_line() {
    let text = format!("{FROM}Subject: a\n\nx\n\nFrom \nSubject: b\n\ny\n");
    let mbox = mbox(text.as_bytes(), MboxKind::Auto);
    let dates = [0, 1].map(|number| mbox.read(number).unwrap().date);
    assert_eq!(dates, [Some(1_767_225_600), None]);
}

/// Of a file that was written to since it was read through, nothing is given out.
#[test]
fn a_file_that_changed_meanwhile_is_noticed() {
    let text = format!("{FROM}Subject: a\n\nhello\n\n{FROM}Subject: b\n\nhi\n");
    let changed = |change: &dyn Fn(&File)| {
        let mbox = mbox(text.as_bytes(), MboxKind::Auto);
        assert_eq!(all(&mbox).len(), 2);
        change(&mbox.text.file);
        let words = [0, 1].map(|message| mbox.read(message).err().map(|error| error.to_string()));
        words.map(|words| words.is_some_and(|words| words.contains("changed while it was read")))
    };
    let written = |file: &File, bytes: &[u8], at: usize| {
        let modified = file.metadata().unwrap().modified().unwrap();
        file.write_all_at(bytes, at as u64).unwrap();
        file.set_modified(modified).unwrap();
    };
    assert_eq!(changed(&|_| {}), [false; 2]);
    assert_eq!(changed(&|file| file.set_len(60).unwrap()), [true; 2], "cut");
    let grown = changed(&|file| written(file, b"more\n", text.len()));
    assert_eq!(grown, [true; 2], "grown, by its size alone");
    let touched = changed(&|file| file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap());
    assert_eq!(touched, [true; 2], "by its time alone");
    // The first message was expunged, and as much was delivered, with the time as it was.
    let second = text.rfind(FROM).unwrap();
    let moved = format!("{}{FROM}Subject: c\n\nhello\n\n", &text[second..]);
    assert!(moved.len() >= text.len());
    let rewritten = changed(&|file| written(file, &moved.as_bytes()[..text.len()], 0));
    assert_eq!(rewritten, [false, true], "by the `From ` line before a message");
}

#[test]
fn messages_without_a_whole_from_line_before_them_are_read() {
    let long = format!("From {} Thu Jan  1 00:00:00 2026\nSubject: a\n\nx\n", "x".repeat(3000));
    for text in [
        format!("\n\nSubject: a\n\nx\n\n{FROM}\n\n"),
        format!("\r{FROM}Content-Length: 2\n\nx\n"),
        long.clone(),
        format!("\n{long}\n{FROM}\n"),
        format!("{FROM}\n\nFrom \nSubject: b\n"),
    ] {
        for kind in [MboxKind::Auto, MboxKind::Mboxcl] {
            let mbox = mbox(text.as_bytes(), kind);
            assert!(mbox.messages() > 0 || mbox.stray() > 0, "{text}");
            all(&mbox);
        }
    }
}

#[test]
fn a_message_that_is_not_there_is_an_error() {
    let mbox = mbox(format!("{FROM}Subject: a\n\nhello\n").as_bytes(), MboxKind::Auto);
    assert!(mbox.read(1).is_err());
    assert_eq!(mbox.size(1), None);
}

#[test]
fn going_through_ends_when_told_to() {
    let mut file = tempfile::tempfile().unwrap();
    write!(file, "{FROM}Subject: a\n\nhello\n").unwrap();
    let stopped = Mbox::open(file, MboxKind::Auto, None, &AtomicBool::new(true));
    assert_eq!(stopped.unwrap_err().kind(), io::ErrorKind::Interrupted);
}

/// As a program writes mboxrd. A message ends with a line end, or has no bytes.
fn written(messages: &[Vec<u8>], line_end: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    for message in messages {
        text.extend_from_slice(FROM.trim_end().as_bytes());
        text.extend_from_slice(line_end);
        for line in message.split_inclusive(|byte| *byte == b'\n') {
            let quotes = line.iter().take_while(|byte| **byte == b'>').count();
            if line[quotes..].starts_with(b"From ") {
                text.push(b'>');
            }
            text.extend_from_slice(line);
        }
        text.extend_from_slice(line_end);
    }
    text
}

fn arbitrary_message() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&[u8]> = vec![
        b"From ",
        b">From ",
        b">>From ",
        b">",
        b"\n",
        b"\n",
        b"\r\n",
        b"\r",
        b"\n\n",
        FROM.as_bytes(),
        b"From - Thu Jan  1 00:00:00 2026\r\n",
        b"Subject: x",
        b"Content-Length: 3\n",
        b"text",
        b"\0\xff",
    ];
    let long = prop::collection::vec(any::<u8>(), 0..100_000);
    let pieces = prop::collection::vec(prop::sample::select(pieces), 0..30).prop_map(|pieces| pieces.concat());
    prop_oneof![20 => pieces, 1 => long].prop_map(|mut message| {
        if !message.is_empty() && !message.ends_with(b"\n") {
            message.push(b'\n');
        }
        message
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn what_was_written_as_mboxrd_is_read_as_it_was(
        messages in prop::collection::vec(arbitrary_message(), 0..12),
        crlf in any::<bool>(),
    ) {
        let text = written(&messages, if crlf { b"\r\n" } else { b"\n" });
        let mbox = opened(&text, MboxKind::Mboxrd, Some(MboxFrom::Loose)).unwrap();
        prop_assert_eq!(mbox.messages(), messages.len());
        prop_assert_eq!(mbox.stray(), 0);
        for (number, message) in messages.iter().enumerate() {
            let read = mbox.read(number).unwrap().bytes;
            prop_assert_eq!(read.escape_ascii().to_string(), message.escape_ascii().to_string());
        }
    }

    /// Whatever a file holds: no byte of it is in two messages, and what is between them is a `From ` line and an empty
    /// one.
    #[test]
    fn any_bytes_are_gone_through(
        text in arbitrary_message(),
        kind in prop::sample::select(vec![MboxKind::Auto, MboxKind::Mboxo, MboxKind::Mboxcl, MboxKind::Mboxcl2]),
        from in prop::sample::select(vec![MboxFrom::Loose, MboxFrom::Strict]),
    ) {
        // Where lines end in CR alone at the beginning and not further down, nothing is read.
        let Ok(mbox) = opened(&text, kind, Some(from)) else { return Ok(()) };
        let mut end = 0;
        for stretch in &mbox.index.messages {
            prop_assert!(stretch.offset >= end, "{:?}", mbox.index);
            let between = &text[end as usize..stretch.offset as usize];
            let line = without_preamble(between);
            let is_line = line.starts_with(b"From ") && separator::from_line_end(line) == line.len();
            prop_assert!(end == 0 || line.is_empty() || is_line, "{}", between.escape_ascii());
            end = stretch.offset + stretch.length;
        }
        prop_assert!(end <= text.len() as u64);
        for number in 0..mbox.messages() {
            let refused = mbox.read(number).err().map(|error| error.to_string());
            prop_assert!(refused.is_none_or(|words| words.contains("ends in CR alone")));
        }
    }

    /// Where the windows in which a file is read meet makes no difference.
    #[test]
    fn separators_are_found_wherever_windows_end(lengths in prop::collection::vec(1usize..40_000, 1..80)) {
        let messages: Vec<Vec<u8>> = lengths.iter().map(|length| [&b"A: b\n\n"[..], &vec![b'x'; *length], b"\n"].concat()).collect();
        let mbox = mbox(&written(&messages, b"\n"), MboxKind::Auto);
        let sizes: Vec<u64> = (0..mbox.messages()).filter_map(|number| mbox.size(number)).collect();
        let expected: Vec<u64> = messages.iter().map(|message| message.len() as u64).collect();
        prop_assert_eq!(sizes, expected);
    }
}
