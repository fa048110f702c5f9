use super::*;

const NEW_YEAR: i64 = 1_767_225_600;

#[test]
fn dates_are_read_as_programs_write_them() {
    for line in [
        "From jane@example.com Thu Jan  1 00:00:00 2026",
        "From - Thu Jan 01 00:00:00 2026\r\n",
        "From MAILER-DAEMON Thu Jan  1 00:00 2026\nDec",
        "From \"jane doe\"@example.com  Thu Jan  1 00:00:00 2026 remote from elsewhere",
        "From j Thu Jan  1 00:00:00 26",
        "From j@example.com Thu, 01 Jan 2026 00:00:00 GMT",
        "From j@example.com 1 January 26 00:00 UT",
        "From j@example.com Thursday, 01-Jan-26 00:00:00 GMT",
        "From j@example.com Thu, 01-Jan-2026 00:00:00 GMT",
        "From j@example.com 2026-01-01T00:00:00Z",
        "From j@example.com 20260101T000000Z",
        "From j@example.com 2026/01/01 00:00:00",
        "From j@example.com 1/1/2026 00:00:00",
        "From j@example.com 01.01.2026 00:00",
        "From  j@example.com   Thu  Jan  1  00:00:00  2026  ",
    ] {
        assert_eq!(date(line.as_bytes()), Some(NEW_YEAR), "{line}");
        assert!(is_dated(line.as_bytes()), "{line}");
    }
    for (line, hours) in [
        ("Thu Jan  1 00:00:00 MET DST 2026", -2),
        ("Thu Jan  1 00:00:00 2026 +0100", -1),
        ("Thu Jan  1 00:00:00 2026 -0500", 5),
        ("Thu Jan  1 00:00:00 EST 2026", 5),
        ("Thu Jan  1 2026 00:00:00 GMT-0700 (Pacific Daylight Time)", 7),
        ("Thu, 1 Jan 2026 00:00:00 +0100 (CET)", -1),
        ("2026-01-01T00:00:00.000+01:00", -1),
        ("2026-01-01 00:00:00 +0100", -1),
        ("Thu Jan  1 01:00:00 PM 2026", 13),
        ("Thu Jan  1 12:00:00 AM 2026", 0),
        ("1/1/2026 01:00:00 PM", 13),
    ] {
        for sender in ["j@example.com", "- j@example.com ", "j"] {
            let line = format!("From {sender} {line}");
            assert_eq!(date(line.as_bytes()), Some(NEW_YEAR + hours * 3600), "{line}");
            assert!(is_dated(line.as_bytes()), "{line}");
        }
    }
    for line in ["2/1/2026 00:00:00", "Thu Jan  1 00:00:00 XQZ 2026"] {
        let line = format!("From j@example.com {line}");
        assert_eq!(
            (date(line.as_bytes()), is_dated(line.as_bytes())),
            (None, true),
            "{line}"
        );
    }
    for line in [
        "From jane@example.com",
        "From the 1st of Jan we meet at 10:30",
        "From Jan on, the time is 10:00",
        "From x Thu Jan 32 00:00:00 2026",
        ">From x Thu Jan  1 00:00:00 2026",
        "From x\nThu Jan  1 00:00:00 2026",
        "From x Thu Jan  1 25:00:00 2026",
        "From 10:30 on",
        "From May 2026 on",
    ] {
        assert_eq!(date(line.as_bytes()), None, "{line}");
    }
    // Written for a time that is none; and with another time zone than the machine's.
    assert!(is_dated(b"From x Wed Dec 31 23:59:59 1969"));
    assert_eq!(date(b"From x Wed Dec 31 23:59:59 1969"), None);
    // The day is first where it cannot be the month.
    let (day, month) = (date(b"From x 31.01.2026 00:00"), date(b"From x 01/31/2026 00:00"));
    assert_eq!((day, day), (month, Some(NEW_YEAR + 30 * 86_400)));
}

const HEADER: &str = "From: a@example.com\nTo: b@example.com\n\nx\n";

/// What a line is: with an empty line before it and without.
fn judged(text: &str, from: Option<MboxFrom>) -> [Verdict; 2] {
    let seen = &text.as_bytes()[..text.len().min(LOOKAHEAD)];
    [true, false].map(|blank| judge(seen, blank, from))
}

use Verdict::{Separates, Text};
const PLAIN: Verdict = Verdict::Doubtful { plain: true };
const VAGUE: Verdict = Verdict::Doubtful { plain: false };

#[test]
fn what_programs_write_before_a_message_separates() {
    for line in [
        "From j@example.com Thu Jan  1 00:00:00 2026",
        "From MAILER-DAEMON Thu, 01 Jan 2026 00:00:00 GMT",
        "From j@example.com Thu, 1 Jan 2026 00:00:00 +0000",
        "From j@example.com Thursday, 01-Jan-26 00:00:00 GMT",
        "From j@example.com 2026-01-01T00:00:00Z",
        "From j@example.com Thu Jan  1 00:00:00 26",
        "From - Do Jan 01 00:00:00 2026",
        "From - Mo Okt 01 12:00:00 2024",
        "From - lun. janv. 01 12:00:00 2024",
        "From x lun. 1 f\u{e9}vr. 2024 12:00:00",
        "From x \u{661f}\u{671f}\u{4e00} 1\u{6708} 1 12:00:00 2024",
        "From x 2024\u{5e74}1\u{6708}1\u{65e5} 12:00:00 +0900",
        "From x ma 1 tammi 2024 12.00.00",
        "From - j@example.com  Mon Oct 16 2023 16:18:56 GMT-0700",
        "From j@example.com Mon Jan 1 2024",
        "From j@example.com 1704110400",
        "From john smith Thu Jan  1 00:00:00 2026",
        "From -",
        "From - ",
        "From ",
        "From j@example.com",
        "From  j@example.com  ",
    ] {
        assert_eq!(judged(&format!("{line}\n{HEADER}"), None), [Separates; 2], "{line}");
        let crlf = format!("{line}\n{HEADER}").replace('\n', "\r\n");
        assert_eq!(judged(&crlf, None), [Separates; 2], "{line}");
        let loose = judged(&format!("{line}\n{HEADER}"), Some(MboxFrom::Loose));
        assert_eq!(loose, [Separates; 2], "{line}");
    }
}

#[test]
fn sentences_do_not_separate() {
    let dated = "From j@example.com Thu Jan  1 00:00:00 2026\n";
    for (text, expected) in [
        (format!("{dated}Subject: x\n"), [Separates; 2]),
        (format!("{dated}no field\n"), [Separates, VAGUE]),
        (dated.trim_end().to_owned(), [Separates, VAGUE]),
        ("From \r\nSubject: x\r\n".into(), [Separates, VAGUE]),
        ("From - \nX-Mozilla-Status: 0001\n".into(), [Separates, VAGUE]),
        ("From j@example.com\nSubject: x\n".into(), [Separates, VAGUE]),
        ("From j@example.com\nsaid\n".into(), [Text; 2]),
        ("From then on:\nNote: all is well\n".into(), [Text; 2]),
        ("From Jane\nNote: all is well\n".into(), [Text; 2]),
        ("From root\nSubject: x\n".into(), [Separates, Text]),
        ("From the beginning of time\n\nwe knew\n".into(), [Text; 2]),
        ("From 10:30 on 2026-01-01 it was down\nNote: x\n".into(), [Text; 2]),
        ("From 10:30 to 12:00 on 2026-01-01\nNote: x\n".into(), [VAGUE, Text]),
        ("From the talk of Thu Jan  1 00:00:00 2026\nI know\n".into(), [VAGUE; 2]),
        ("From\n".into(), [Text; 2]),
        (format!("From the archives:\n{HEADER}"), [PLAIN; 2]),
        (format!("From then\n{HEADER}"), [Separates, PLAIN]),
        (format!("From j@example.com and others\n{HEADER}"), [Separates, PLAIN]),
        (format!("From {}{dated}Subject: x\n", "x".repeat(2000)), [Text; 2]),
    ] {
        assert_eq!(judged(&text, None), expected, "{text}");
    }
}

#[test]
fn a_header_that_is_not_right_behind_the_line_is_in_doubt_and_not_text() {
    for before in [
        "\n",
        "\r\n \n",
        "garbage line\n",
        "\tfolded rest\n",
        "\u{feff}",
        "\u{feff}\n",
        "Subject without a colon\n",
        ">From x\ngarbage line\n",
        "X-Mozilla-Status: 0001\ngarbage line\n",
        &"garbage line\n".repeat(20),
    ] {
        for line in [
            "From -",
            "From ",
            "From s@x.example",
            "From - Mo Okt 01 12:00:00 2024",
            "From x lun. janv. 01 12:00:00 2024",
            "From s@x.example Invalid Date",
            "From Bob Miller Mon Jan  1 12:00:00 2024",
            "From Mon Jan  1 12:00:00 2024",
            "From root",
        ] {
            let text = format!("{line}\n{before}{HEADER}");
            let [blank, _] = judged(&text, None);
            // Where a field is right behind it that suffices for some.
            assert!(
                blank == PLAIN || (before.starts_with(['X', '>']) && blank == Separates),
                "{text:?}"
            );
            assert_eq!(judged(&text, Some(MboxFrom::Loose))[0], Separates, "{text:?}");
        }
        let text = format!("From -\n{before}{HEADER}");
        assert_ne!(judged(&text, None)[1], Text, "{text:?}");
        let text = format!("From j Thu Jan  1 00:00:00 2026\n{before}To: b\n\nx\n");
        let [blank, other] = judged(&text, None);
        assert!(blank == Separates && matches!(other, PLAIN | Separates), "{text:?}");
    }
    for (text, expected) in [
        ("From - Mo Okt 01 12:00:00 2024\nTo: b\n\nx\n", [Separates, PLAIN]),
        ("From - Mo Okt 01 12:00:00 2024\n\nTo: b\n\nx\n", [PLAIN; 2]),
        ("From -\n\nTo: b\n\nx\n", [PLAIN, Text]),
        (
            "From Bob Miller Mon Jan  1 12:00:00 2024\nTo: b\n\nx\n",
            [Separates, PLAIN],
        ),
        ("From -\n\nhe wrote\n", [Text; 2]),
        ("From jane@example.com\nhe wrote\n\nTo: b\nFrom: a\n", [Text; 2]),
        ("From the beginning\n\nTo: b\nFrom: a\n", [Text; 2]),
    ] {
        assert_eq!(judged(text, None), expected, "{text:?}");
    }
}

#[test]
fn where_the_look_ends_within_a_header_the_line_is_in_doubt() {
    for fields in ["X-A: a\n".repeat(FIELDS), format!("X-A: {}\n", "a".repeat(LOOKAHEAD))] {
        for (line, expected) in [
            ("From s@x.example Invalid Date", [PLAIN; 2]),
            ("From bob", [PLAIN; 2]),
            ("From Bob Miller <s@x.example>", [PLAIN; 2]),
            ("From s@x.example", [Separates, PLAIN]),
            ("From - Mo Okt 01 12:00:00 2024", [Separates, PLAIN]),
        ] {
            assert_eq!(judged(&format!("{line}\n{fields}{HEADER}"), None), expected, "{line}");
        }
    }
    let text = format!("From bob\n{}\n{}", "X-A: a\n".repeat(3), "x".repeat(LOOKAHEAD));
    assert_eq!(judged(&text, None), [Text; 2]);
}

#[test]
fn a_text_that_says_from_when_on_is_not_split() {
    for line in [
        "From 2024-01-01 12:00",
        "From Monday, 1 January 2024 12:00",
        "From Mon Jan  1 12:00:00 2024",
    ] {
        for behind in [
            "To: 2024-01-03 10:00\nRoom: 5\n",
            "To : Wednesday, 3 January 2024 10:00\n",
            "To Wed Jan  3 10:00:00 2024\n",
            "Room: 5\n",
            "",
        ] {
            let text = format!("{line}\n{behind}");
            for from in [None, Some(MboxFrom::Strict)] {
                assert_eq!(judged(&text, from), [VAGUE; 2], "{text}");
            }
        }
        let text = format!("{line}\n{HEADER}");
        assert_eq!(judged(&text, None), [Separates; 2], "{text}");
        assert_eq!(judged(&text, Some(MboxFrom::Strict)), [Separates, PLAIN], "{text}");
        assert_eq!(
            judged(&format!("{line}\nSubject: x\n\nx\n"), None),
            [PLAIN; 2],
            "{line}"
        );
    }
}

#[test]
fn whoever_imports_says_what_is_in_doubt() {
    let (loose, strict) = (Some(MboxFrom::Loose), Some(MboxFrom::Strict));
    let text = format!("From the archives:\n{HEADER}");
    assert_eq!(
        (judged(&text, loose), judged(&text, strict)),
        ([Separates; 2], [PLAIN; 2])
    );
    let dated = format!("From j Thu Jan  1 00:00:00 2026\n{HEADER}");
    assert_eq!(
        (judged(&dated, loose), judged(&dated, strict)),
        ([Separates; 2], [Separates, PLAIN])
    );
    let bare = format!("From -\n{HEADER}");
    assert_eq!(judged(&bare, strict), [PLAIN; 2]);
    let sentence = "From the beginning of time\n\nwe knew\n";
    assert_eq!(
        (judged(sentence, loose), judged(sentence, strict)),
        ([Text; 2], [Text; 2])
    );
}
