//! `list`: which messages it finds, and how people and programs read them.

use std::{fs, process::Command};

use crate::support::appliance::{Appliance, number, text};

const DROPKEEP: &str = env!("CARGO_BIN_EXE_dropkeep");

const USERS: &str = "[[user]]\nname = \"jane\"\naddresses = [\"jane@example.com\"]\n\
    [[user]]\nname = \"bob\"\naddresses = [\"bob@example.com\"]\n";

/// From, To, Cc, Subject and Date of each message, and the user whose it is.
const MAIL: [(&str, [&str; 5]); 6] = [
    (
        "jane",
        [
            "Anna Kraus <anna@supplier.example>",
            "Jane <jane@example.com>",
            "",
            "Offer 4711 for shelves",
            "Mon, 3 Feb 2025 09:15:00 +0100",
        ],
    ),
    (
        "jane",
        [
            "=?utf-8?Q?J=C3=BCrgen_M=C3=BCller?= <jm@kunde.example>",
            "jane@example.com",
            "Bob <bob@example.com>",
            "=?utf-8?Q?R=C3=BCckfrage?= zum Angebot",
            "Tue, 4 Feb 2025 10:00:00 +0100",
        ],
    ),
    (
        "jane",
        [
            "=?utf-8?B?5bGx55Sw5aSq6YOO?= <yamada@partner.example>",
            "jane@example.com",
            "",
            "A subject that goes on and on until it is longer than any terminal is wide, and then somewhat more than that",
            "Wed, 5 Feb 2025 11:00:00 +0100",
        ],
    ),
    (
        "jane",
        [
            "jane@example.com",
            "lists@elsewhere.example",
            "",
            "Minutes",
            "Wed, 5 Feb 2025 10:00:00 +0000",
        ],
    ),
    (
        "bob",
        [
            "Anna Kraus <anna@supplier.example>",
            "bob@example.com",
            "",
            "offer 4712",
            "Thu, 6 Feb 2025 09:00:00 +0100",
        ],
    ),
    (
        "bob",
        [
            "Anna Kraus <anna@supplier.example>",
            "Jane <jane@example.com>",
            "",
            "Offer 4711 for shelves",
            "Mon, 3 Feb 2025 09:15:00 +0100",
        ],
    ),
];

fn filled() -> Appliance {
    let appliance = Appliance::new(DROPKEEP, USERS);
    for user in ["jane", "bob"] {
        let folder = tempfile::tempdir().expect("a folder");
        for (number, (_, [from, to, cc, subject, date])) in MAIL.iter().enumerate().filter(|(_, (of, _))| *of == user) {
            let cc = if cc.is_empty() {
                String::new()
            } else {
                format!("Cc: {cc}\n")
            };
            let mail = format!(
                "From: {from}\nTo: {to}\n{cc}Subject: {subject}\nDate: {date}\n\n{}\n",
                "x".repeat(12_000)
            );
            fs::write(folder.path().join(format!("{number}.eml")), mail).expect("a file");
        }
        appliance.done(&["import", "--user", user, folder.path().to_str().expect("a name")]);
    }
    appliance
}

fn subjects(appliance: &Appliance, options: &[&str]) -> Vec<String> {
    let lines = appliance.done(&[&["list", "--json"], options].concat()).lines();
    lines
        .iter()
        .map(|line| text(line, "subject").chars().take(12).collect())
        .collect()
}

#[test]
fn messages_were_found_by_reading_all_of_them() {
    let appliance = filled();
    let jane = |options: &[&str]| subjects(&appliance, &[&["--user", "jane"], options].concat());
    let all = ["Offer 4711 f", "Rückfrage zu", "A subject th", "Minutes"];
    for (options, expected) in [
        (&[][..], &all[..]),
        (&["--from", "ANNA"], &all[..1]),
        (&["--from", "supplier.example"], &all[..1]),
        (&["--from", "JÜRGEN müller"], &all[1..2]),
        (&["--from", "山田"], &all[2..3]),
        (&["--to", "lists@"], &all[3..]),
        // Who got a copy got it.
        (&["--to", "bob"], &all[1..2]),
        (&["--subject", "rückFRAGE"], &all[1..2]),
        (&["--subject", "offer", "--from", "jane"], &[]),
        (&["--since", "2025-02-04"], &all[1..]),
        (&["--until", "2025-02-04"], &all[..2]),
        (&["--since", "2025-02-04", "--until", "2025-02-04"], &all[1..2]),
        (
            &["--since", "2025-02-04T09:00:00Z", "--until", "2025-02-04T09:00:00Z"],
            &all[1..2],
        ),
        (&["--newest", "2"], &all[2..]),
        // Two were sent in the same second.
        (&["--newest", "1"], &all[3..]),
        (&["--newest", "1", "--from", "anna"], &all[..1]),
        (&["--newest", "1", "--until", "2025-02-04"], &all[1..2]),
        (&["--limit", "2"], &all[..2]),
        (&["--limit", "1", "--newest", "2"], &all[2..3]),
        (&["--to", "LISTS@Elsewhere"], &all[3..]),
        (&["--since", "2025-02-05T10:00"], &all[2..]),
    ] {
        assert_eq!(jane(options), expected, "{options:?}");
    }
    let refused = appliance.run(&[
        "list",
        "--user",
        "jane",
        "--since",
        "2025-02-05",
        "--until",
        "2025-02-04",
    ]);
    assert!(refused.expect(2).stderr.contains("--since is later than --until"));
    for (option, value, words) in [
        ("--newest", "0", "from 1"),
        ("--limit", "0", "from 1"),
        ("--limit", "-1", ""),
        ("--since", "99999999999d", "too long ago"),
        ("--since", "yesterday", "2026-01-31T12:00"),
    ] {
        let refused = appliance.run(&["list", "--user", "jane", option, value]).expect(2);
        assert!(refused.stderr.contains(words), "{}", refused.stderr);
    }
    // The appliance answers the same.
    let serving = appliance.serve();
    assert_eq!(jane(&["--from", "anna"]), all[..1]);
    serving.stop().expect(0);
}

#[test]
fn who_got_a_message_was_to_be_asked_user_by_user() {
    let appliance = filled();
    let lines = appliance
        .done(&["list", "--all", "--subject", "offer 4711", "--json"])
        .lines();
    let users: Vec<_> = lines.iter().map(|line| text(line, "user")).collect();
    assert_eq!(users, ["bob", "jane"]);
    assert_eq!(number(&lines[0], "id"), number(&lines[1], "id"));
    assert_eq!(text(&lines[0], "to"), "Jane <jane@example.com>");
    assert_eq!(
        subjects(&appliance, &["--all", "--newest", "1"]),
        ["offer 4712", "Minutes"]
    );
    assert_eq!(subjects(&appliance, &["--all", "--limit", "3"]).len(), 3);
    let printed = appliance.done(&["list", "--all"]).text();
    assert_eq!(printed.lines().count(), 7, "{printed}");
    let header: Vec<_> = printed.lines().next().expect("a header").split_whitespace().collect();
    assert_eq!(header, ["id", "date", "user", "size", "from", "to", "subject"]);
    // One of the two, and not both.
    appliance.run(&["list"]).expect(2);
    appliance.run(&["list", "--all", "--user", "jane"]).expect(2);
}

#[test]
fn programs_read_whole_values_and_people_lines_that_fit() {
    let appliance = filled();
    let printed = |options: &[&str]| {
        let mut command: Command = appliance.command(&[&["list", "--user", "jane"], options].concat());
        // As a shell may export it, for another terminal.
        command.env("COLUMNS", "40");
        String::from_utf8(command.output().expect("an answer").stdout).expect("text")
    };
    let whole = printed(&[]);
    assert!(whole.contains("wide, and then somewhat more than that"), "{whole}");
    assert!(
        whole.contains("2025-02-03T08:15:00Z") && whole.contains("Jürgen Müller <jm@kunde.example>"),
        "{whole}"
    );
    for columns in [80, 100, 200] {
        let cut = printed(&["--width", &columns.to_string()]);
        assert!(cut.lines().next().expect("a header").contains("date (UTC)"), "{cut}");
        let widest = cut.lines().map(unicode_width::UnicodeWidthStr::width).max();
        assert!(
            widest.is_some_and(|widest| widest <= columns && widest + 12 > columns.min(120)),
            "{columns}:\n{cut}"
        );
        assert!(
            cut.contains('…') && cut.contains("2025-02-03 08:15") && cut.contains("11.9 KiB"),
            "{cut}"
        );
    }
}

#[test]
fn lines_were_wider_than_a_narrow_terminal() {
    let appliance = filled();
    for whose in [&["--user", "jane"][..], &["--all"]] {
        for columns in [1, 20, 40, 50, 60, 67, 68, 70] {
            let columns_text = columns.to_string();
            let list = appliance
                .done(&[&["list", "--width", &columns_text], whose].concat())
                .text();
            let widest = list.lines().map(unicode_width::UnicodeWidthStr::width).max();
            assert!(widest.is_some_and(|widest| widest <= columns), "{columns}:\n{list}");
            assert!(columns < 50 || list.contains("2025-02-03"), "{columns}:\n{list}");
        }
    }
}

#[test]
fn what_a_limit_left_out_was_not_said() {
    let appliance = filled();
    for (options, words) in [
        (&["--limit", "3"][..], "more messages match: --limit 3"),
        (&["--limit", "4"], ""),
        (&["--limit", "1", "--subject", "offer"], "more messages may match"),
        (
            &["--from", "2025-02-04"],
            "--from is the sender; for dates use --since and --until",
        ),
        (
            &["--to", "2025-02-04"],
            "--to is the recipient; for dates use --since and --until",
        ),
    ] {
        let answer = appliance.done(&[&["list", "--user", "jane"], options].concat());
        assert!(answer.stderr.contains(words), "{options:?}: {}", answer.stderr);
        assert!(
            !words.is_empty() || answer.stderr.is_empty(),
            "{options:?}: {}",
            answer.stderr
        );
    }
}

#[test]
fn an_empty_list_said_nothing() {
    let appliance = filled();
    for (options, words) in [
        (
            &["--user", "jane", "--subject", "nothing of this"][..],
            "no message of user \"jane\" matches",
        ),
        (&["--all", "--from", "nobody@"], "no message of any user matches"),
        (
            &["--user", "@catchall"],
            "no message of user \"@catchall\" is in the archive",
        ),
    ] {
        let answer = appliance.done(&[&["list"], options].concat());
        assert!(answer.stderr.contains(words), "{}", answer.stderr);
        assert_eq!(answer.text(), "");
    }
    let refused = appliance.run(&["list", "--user", "jnae"]).expect(2);
    assert!(refused.stderr.contains("did you mean \"jane\"?"), "{}", refused.stderr);
}
