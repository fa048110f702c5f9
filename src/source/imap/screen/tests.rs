use super::{cursor::MAX_DEPTH, *};
use crate::source::imap::{
    answer::{Answer, parse},
    framing::{Framing, NAMES},
};

/// What becomes of a stream that holds one response: the verdict, and what goes to the parser.
fn screened(said: &[u8]) -> (Verdict, String) {
    let frame = Framing::default()
        .look(said, NAMES, 0)
        .expect("it fits")
        .expect("it is whole");
    assert_eq!(frame.end, said.len(), "one response: {}", said.escape_ascii());
    let mut letter = Vec::new();
    let response = Framed {
        bytes: said,
        literals: &frame.literals,
    };
    let verdict = screen(response, &mut letter);
    (verdict, String::from_utf8_lossy(&letter).into_owned())
}

/// What goes to the parser of a line, which must take it.
fn letter(line: &str) -> String {
    let (verdict, letter) = screened(format!("{line}\r\n").as_bytes());
    assert!(
        matches!(verdict, Verdict::Letter { odd: false, .. }),
        "{line}: {verdict:?}"
    );
    assert!(parse(letter.as_bytes()).is_some(), "the parser does not take {letter}");
    letter.trim_end().to_owned()
}

fn verdict(line: &str) -> Verdict {
    screened(format!("{line}\r\n").as_bytes()).0
}

fn fetched(said: &[u8]) -> (Attributes, Option<(Want, Part)>) {
    let (verdict, letter) = screened(said);
    let Verdict::Fetch { mut read, .. } = verdict else {
        panic!("no FETCH: {verdict:?}")
    };
    assert_eq!(letter, "", "the parser gets nothing of it");
    let body = read.body.take();
    (read, body)
}

#[test]
fn blanks_more_or_less_are_tolerated() {
    for (line, expected) in [
        ("*  633 EXISTS", "* 633 EXISTS"),
        (" * 633  exists ", "* 633 EXISTS"),
        ("*\t4 EXPUNGE", "* 4 EXPUNGE"),
        ("*  SEARCH  1 2   3 ", "* SEARCH 1 2 3"),
        ("* SEARCH", "* SEARCH"),
        ("* SEARCH 2 5 (MODSEQ 917162500)", "* SEARCH 2 5"),
        ("D7  OK  done", "D7 OK done"),
        ("D7 OK", "D7 OK"),
        ("*  OK  [UIDVALIDITY  77]", "* OK [UIDVALIDITY 77]"),
        ("* BYE", "* BYE"),
        ("+", "+"),
        ("+ cGFzc3dvcmQ=", "+ cGFzc3dvcmQ="),
        (
            "* LIST  ( \\HasNoChildren )  \"/\"  INBOX ",
            "* LIST (\\HasNoChildren) \"/\" \"INBOX\"",
        ),
    ] {
        assert_eq!(letter(line), expected, "{line}");
    }
    for (line, size) in [
        ("* 3  FETCH  ( UID   7  RFC822.SIZE 10 )\r\n", Some(10)),
        ("* 3 FETCH(UID 7)\r\n", None),
    ] {
        let (read, _) = fetched(line.as_bytes());
        assert_eq!((read.number, read.uid, read.size), (3, Some(7), size), "{line}");
    }
}

#[test]
fn capabilities_that_are_no_atoms_are_passed_over() {
    for line in [
        "* CAPABILITY  IMAP4rev1  IDLE ",
        "* CAPABILITY IMAP4rev1 X(Y \"Z\" IMAP4rev1bis 50% IDLE",
        "* OK [CAPABILITY  IMAP4rev1 a{b  IDLE] ready",
        "D4 OK [CAPABILITY IMAP4rev1 IDLE]ready",
    ] {
        let letter = letter(line);
        let answer = parse(format!("{letter}\r\n").as_bytes());
        let found = match answer {
            Some(Answer::Capabilities(found)) => Some(found),
            Some(Answer::Note(said) | Answer::Tagged { said, .. }) => said.capabilities,
            _ => None,
        };
        let found = found.unwrap_or_else(|| panic!("{letter}"));
        assert_eq!(found, ["IMAP4rev1", "IDLE"], "{line}");
    }
    // One that speaks another revision alone says so in its own words.
    let Some(Answer::Capabilities(found)) = parse(format!("{}\r\n", letter("* CAPABILITY IMAP4rev2 IDLE")).as_bytes())
    else {
        panic!("no capabilities")
    };
    assert_eq!(found, ["IMAP4rev2", "IDLE"]);
}

#[test]
fn codes_that_nobody_reads_are_cut_off_and_words_stay() {
    for (line, expected) in [
        ("* OK [PERMANENTFLAGS (a]b \\* (c)] limited", "* OK limited"),
        ("* NO [UNAVAILABLE] later", "* NO [UNAVAILABLE] later"),
        ("* OK [ALERT]éa", "* OK [ALERT] éa"),
        ("D3 NO [TRYCREATE no end", "D3 NO [TRYCREATE no end"),
        ("D3 OK [COPYUID  7 1:2  3:4]", "D3 OK [COPYUID 7 1:2 3:4]"),
    ] {
        assert_eq!(letter(line), expected, "{line}");
    }
    let (verdict, letter) = screened(b"* OK [UIDVALIDITY seven] valid\r\n");
    assert_eq!(verdict, Verdict::Letter { odd: true });
    assert!(parse(letter.as_bytes()).is_some());
}

#[test]
fn what_nobody_waits_for_is_passed_over_whatever_is_in_it() {
    for line in [
        "",
        "* FLAGS (a(b) \"\\\\Deleted\" 100%  \\Seen",
        "* 0 RECENT",
        "* ID NIL",
        "* NAMESPACE ((((\"\" \"/\"",
        "* STATUS x (((",
    ] {
        assert_eq!(verdict(line), Verdict::Passed, "{line}");
    }
    for (line, kind) in [
        ("* XYZZY", Kind::Other),
        ("* 5 XYZZY", Kind::Other),
        ("* 99999999999 EXISTS", Kind::Exists),
        ("* -1 EXISTS", Kind::Other),
        ("* SEARCH 1 x 3", Kind::Search),
        ("* SEARCH +1", Kind::Search),
        ("* 0 FETCH (UID 5)", Kind::Fetch),
        ("* 5 FETCH UID 5", Kind::Fetch),
        ("D5 FINE", Kind::Tagged),
    ] {
        assert_eq!(verdict(line), Verdict::Odd(kind), "{line}");
    }
    for line in ["hello", "\0\u{1} %%%", "(UID 5)", "é5 OK done", "To: jane@example.com"] {
        assert_eq!(verdict(line), Verdict::Stray, "{line}");
    }
}

#[test]
fn folders_whose_lines_are_odd_are_told_apart_from_those_that_are_not() {
    for (line, expected) in [
        ("* LIST () \"/\" inbox", "* LIST () \"/\" \"inbox\""),
        ("* LSUB () NIL a", "* LIST () NIL \"a\""),
        ("* LIST () \"\" a", "* LIST () NIL \"a\""),
        ("* LIST () / a", "* LIST () \"/\" \"a\""),
        ("* LIST () \"\\\" a", "* LIST () \"\\\\\" \"a\""),
        (
            "* LIST (\\Noselect) \"\\\\\" \"a \\\"b\\\"\"",
            "* LIST (\\Noselect) \"\\\\\" \"a \\\"b\\\"\"",
        ),
        ("* LIST () \"\\\\\" \"a\\b\"", "* LIST () \"\\\\\" \"a\\\\b\""),
        ("* LIST () \"\\\\\" a\\b", "* LIST () \"\\\\\" \"a\\\\b\""),
        ("* LIST () \"/\" 100%", "* LIST () \"/\" \"100%\""),
        (
            "* LIST (\\AllMail Marked \\Junk \\a(b) \"/\" a",
            "* LIST (\\Junk) \"/\" \"a\"",
        ),
        (
            "* LIST (\\NonExistent) \"/\" \"Old\" (\"OLDNAME\" (\"sent\"))",
            "* LIST (\\NonExistent) \"/\" \"Old\"",
        ),
        (
            "* LIST () \"/\" a (CHILDINFO (\"SUBSCRIBED\") X 5)",
            "* LIST () \"/\" \"a\"",
        ),
        ("* LIST () \"/\" a ()", "* LIST () \"/\" \"a\""),
    ] {
        assert_eq!(letter(line), expected, "{line}");
    }
    for line in [
        "* LIST () \"\\\\\" Folder\\Subfolder 1",
        "* LIST () \"/\" INBOX/a\tb\t",
        "* LIST () \"/\" \"a\tb\"",
        "* LIST () \"/\" \"a",
        "* LIST () \"/\" a\"b",
        "* LIST () \"/\"",
        "* LIST \"/\" a",
        "* LIST () slash a",
        "* LIST () \"/\" Sent (old)",
        "* LIST () \"/\" a (X (Y",
    ] {
        assert_eq!(verdict(line), Verdict::Odd(Kind::List), "{line}");
    }
}

#[test]
fn names_come_as_literals_too() {
    let (_, letter) = screened(b"* LIST (\\NonExistent) NIL {4}\r\na\\\"b\r\n");
    let Some(Answer::List(listed)) = parse(letter.as_bytes()) else {
        panic!("{letter}")
    };
    assert_eq!((listed.raw.as_str(), listed.selectable), ("a\\\"b", false));
    let (verdict, _) = screened(b"* LIST () NIL {4}\r\na\r\nb\r\n");
    assert_eq!(verdict, Verdict::Odd(Kind::List));
}

#[test]
fn of_a_fetch_only_what_is_asked_for_is_read() {
    let said = b"* 12 FETCH (FLAGS (\\Seen) ENVELOPE (\"a (\" ((NIL NIL {3}\r\n)(\" {1}\r\nb)) NIL) X-GM-LABELS (\"\\\\Inbox\") \
        MODSEQ (5) UID 7 BODY[HEADER.FIELDS (A B)] {2}\r\n)) BODY[]<0> NIL BODY[] {9}\r\n UID 8 ))\
         INTERNALDATE \" 7-Jul-1996 02:44:25 -0700\" PREVIEW NIL RFC822.SIZE 9)\r\n";
    let (line, body) = fetched(said);
    assert_eq!(
        (line.number, line.uid, line.size, line.date),
        (12, Some(7), Some(9), Some(836_732_665))
    );
    let Some((Want::Whole, Part::At(place))) = body else {
        panic!("{body:?}")
    };
    assert_eq!(&said[place], b" UID 8 ))");
}

#[test]
fn a_quoted_body_loses_its_escapes_and_a_literal_keeps_its_backslashes() {
    let (_, body) = fetched(b"* 1 FETCH (UID 7 BODY[] \"a\\\\b\\\"c\")\r\n");
    assert_eq!(body, Some((Want::Whole, Part::Quoted(b"a\\b\"c".to_vec()))));
    let said = b"* 1 FETCH (UID 7 BODY[header] {3}\r\na\\b)\r\n";
    let (_, body) = fetched(said);
    assert!(matches!(body, Some((Want::Header, Part::At(place))) if &said[place.clone()] == b"a\\b"));
    let (line, body) = fetched(b"* 1 FETCH (BODY[] NIL UID 7 INTERNALDATE NIL)\r\n");
    assert_eq!(
        (line.uid, line.date, body),
        (Some(7), None, Some((Want::Whole, Part::Nil)))
    );
}

#[test]
fn keywords_that_are_no_atoms_cost_no_other_flag() {
    for (flags, expected) in [
        ("\\Seen 100% a*b", &["\\Seen"][..]),
        ("a(b) \\Seen", &["\\Seen"]),
        ("\\Seen a(b))", &["\\Seen"]),
        ("a(b \\Seen", &["\\Seen"]),
        ("a\"b \\Seen c]d", &["\\Seen", "c]d"]),
        ("\"\\\\Flagged\"  \"$Label\"", &["\\Flagged", "$Label"]),
        ("(\\flagged) \\Seen", &["\\Flagged", "\\Seen"]),
        ("", &[]),
    ] {
        for (before, behind) in [("", " UID 7)"), ("UID 7 ", ")"), ("UID 7 ", " X-GM-MSGID 5)")] {
            let said = format!("* 1 FETCH ({before}FLAGS ({flags}){behind}\r\n");
            let (line, _) = fetched(said.as_bytes());
            assert_eq!(line.uid, Some(7), "{said}");
            assert_eq!(line.flags.unwrap(), expected, "{said}");
        }
    }
}

#[test]
fn what_is_needed_of_a_copy_and_cannot_be_read_is_odd() {
    for said in [
        "* 1 FETCH (UID 7 RFC822.SIZE many)",
        "* 1 FETCH (UID 7 RFC822.SIZE 99999999999)",
        "* 1 FETCH (UID 7 BODY[] nothing)",
        "* 1 FETCH (UID 7 BODY[] )",
        "* 1 FETCH (UID 7 ENVELOPE (((",
        "* 1 FETCH (UID 7 FLAGS none)",
    ] {
        let verdict = self::verdict(said);
        let Verdict::Fetch { read, odd: true } = verdict else {
            panic!("{said}: {verdict:?}")
        };
        assert_eq!(read.uid, Some(7), "{said}");
    }
}

#[test]
fn a_fetch_that_is_closed_early_goes_on() {
    let said = b"* 1 FETCH (UID 7 BODY[] {3}\r\none) FLAGS (\\Seen) RFC822.SIZE 3)\r\n";
    let (line, body) = fetched(said);
    assert_eq!(
        (line.uid, line.size, line.flags),
        (Some(7), Some(3), Some(vec!["\\Seen".into()]))
    );
    assert!(body.is_some());
    for said in [
        &b" FLAGS (\\Seen) UID 7)\r\n"[..],
        b"UID 7 BODY[] {5}\r\n* 2 x)\r\n",
        b" BODY[] {2}\r\nab\r\n UID 7)\r\n",
    ] {
        let (line, _) = fetched(said);
        assert_eq!((line.number, line.uid), (0, Some(7)), "{}", said.escape_ascii());
    }
}

#[test]
fn a_blank_line_behind_a_literal_ends_nothing() {
    for said in [
        &b"* 1 FETCH (UID 7 BODY[] {3}\r\none\r\n)\r\n"[..],
        b"* 1 FETCH (BODY[] {3}\r\none\r\n UID 7)\r\n",
        b"* 1 FETCH (BODY[] {3}\r\none\r\nUID 7 FLAGS (\\Seen))\r\n",
    ] {
        let (line, body) = fetched(said);
        assert_eq!(line.uid, Some(7));
        assert!(matches!(body, Some((Want::Whole, Part::At(place))) if &said[place.clone()] == b"one"));
    }
}

#[test]
fn a_message_that_does_not_end_where_it_was_said_to_is_not_believed() {
    for end in [
        " !garbage\r\n",
        "\r\n* 2 FETCH (UID 8)\r\n",
        "age 3\r\n",
        " X-Spam: no\r\n",
        " UID: 8)\r\n",
        " FLAGS (\r\n",
    ] {
        let said = format!("* 1 FETCH (UID 7 BODY[] {{3}}\r\none{end}\r\n");
        let frame = Framing::default().look(said.as_bytes(), NAMES, 0).unwrap().unwrap();
        let response = Framed {
            bytes: &said.as_bytes()[..frame.end],
            literals: &frame.literals,
        };
        assert_eq!(screen(response, &mut Vec::new()), Verdict::Adrift, "{end:?}");
    }
}

/// A little deeper than the screen allows, which any parser bears.
#[test]
fn lists_within_lists_are_counted_and_not_descended_into() {
    for depth in [MAX_DEPTH - 1, MAX_DEPTH, MAX_DEPTH + 1] {
        let lists = format!("{}{}", "(".repeat(depth as usize), ")".repeat(depth as usize));
        let fits = depth <= MAX_DEPTH;
        let verdict = self::verdict(&format!("* 1 FETCH (UID 7 BODYSTRUCTURE {lists} FLAGS ())"));
        let Verdict::Fetch { read, odd } = verdict else {
            panic!("{depth}: {verdict:?}")
        };
        assert_eq!((read.uid, read.flags.is_some(), odd), (Some(7), fits, !fits), "{depth}");
        let line = format!("* LIST () \"/\" a (x {lists})");
        let expected = match fits {
            true => Verdict::Letter { odd: false },
            false => Verdict::Odd(Kind::List),
        };
        assert_eq!(self::verdict(&line), expected, "{depth}");
        for line in [format!("* FLAGS {lists}"), format!("* NAMESPACE {lists}")] {
            assert_eq!(self::verdict(&line), Verdict::Passed);
        }
        assert_eq!(self::verdict(&format!("* METADATA INBOX {lists}")), Verdict::Passed);
        assert_eq!(self::verdict(&lists), Verdict::Stray);
    }
}

/// Time in proportion to the line: what took it with the square of a line's length would not end here.
#[test]
fn no_line_holds_a_core() {
    let long = |text: &str| text.repeat((1 << 20) / text.len() - 100);
    let fetch = |rest: &str| format!("* 1 FETCH (UID 7 {}", long(rest));
    let lines = [
        fetch("("),
        fetch(")"),
        fetch("\""),
        fetch("\\"),
        fetch("FLAGS () "),
        fetch("FLAGS (\\Flagged "),
        fetch("FLAGS ()) )"),
        fetch("X (\"a\" NIL) "),
        fetch("{0}\r\n"),
        fetch("{ ") + "{0}\r\n",
        fetch("BODY["),
        fetch("BODY[] {0}\r\n "),
        fetch("UID "),
        format!("* 1 FETCH (FLAGS ({}", long("))  ")),
        format!("* 1 FETCH (FLAGS ({}", long("a ")),
        format!("* LIST (){}", long(" ")),
        format!("* LIST ({}) \"/\" a", long("\\a ")),
        format!("* LIST () \"/\" a ({}", long("(")),
        format!("* LIST () \"/\" a ({})", long("x ()")),
        format!("* OK [{}", long("]")),
        format!("* OK [PERMANENTFLAGS {}", long("]")),
        format!("* OK [CAPABILITY {}]", long("a ")),
        format!("* SEARCH {}", long("1 ")),
        long(" "),
        long("(("),
    ];
    for line in lines {
        let shown = line.escape_default().take(40).collect::<String>();
        let line = format!("{line})\r\n");
        let frame = Framing::default()
            .look(line.as_bytes(), NAMES, 0)
            .expect(&shown)
            .expect(&shown);
        let began = std::time::Instant::now();
        let response = Framed {
            bytes: &line.as_bytes()[..frame.end],
            literals: &frame.literals,
        };
        let mut letter = Vec::new();
        if let Verdict::Letter { .. } = screen(response, &mut letter) {
            parse(&letter).expect(&shown);
        }
        assert!(began.elapsed().as_secs() < 20, "{shown}");
    }
}

/// A code that is left out made words behind it pass for one, over which the parser panics where no blank follows.
#[test]
fn words_in_brackets_behind_a_code_that_is_left_out_are_words() {
    for line in [
        "D5 OK [COPYUID 7] [READ-ONLY]\u{e9}t\u{e9}",
        "* OK [BADCHARSET (x)] [READ-ONLY] [ALERT",
    ] {
        let (verdict, letter) = screened(format!("{line}\r\n").as_bytes());
        assert!(matches!(verdict, Verdict::Letter { .. }), "{line}");
        let read = parse(letter.as_bytes()).expect("an answer");
        let (Answer::Tagged { said, .. } | Answer::Note(said)) = read else {
            panic!("{line}: {read:?}")
        };
        assert!(!said.read_only, "{line}: {said:?}");
    }
}

#[test]
fn of_what_a_line_says_twice_the_last_counts_and_all_of_the_flags() {
    let said = b"* 1 FETCH (UID 7 FLAGS (\\Seen) RFC822.SIZE 3 BODY[] {1}\r\na FLAGS (\\Flagged) UID 8 RFC822.SIZE 4 BODY[] NIL)\r\n";
    let (read, body) = fetched(said);
    assert_eq!(
        (read.uid, read.size, body),
        (Some(8), Some(4), Some((Want::Whole, Part::Nil)))
    );
    assert_eq!(read.flags.unwrap(), ["\\Seen", "\\Flagged"]);
    // There is no such UID, and so nothing that it is the UID of.
    assert_eq!(fetched(b"* 1 FETCH (UID 0 FLAGS ())\r\n").0.uid, None);
}
