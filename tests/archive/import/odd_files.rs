//! Files as programs write them that do not keep to any rule: whose mail is in them, they get, and no more.

use super::*;

fn subjects(appliance: &Appliance) -> BTreeMap<String, Vec<String>> {
    let lists = appliance.lists().into_iter().map(|(user, list)| {
        let subjects = list.iter().map(|line| text(line, "subject")).collect();
        (user, subjects)
    });
    lists
        .filter(|(_, list): &(String, Vec<String>)| !list.is_empty())
        .collect()
}

fn only(user: &str, subject: &str) -> BTreeMap<String, Vec<String>> {
    BTreeMap::from([(user.to_owned(), vec![subject.to_owned()])])
}

#[test]
fn a_line_that_may_be_a_separator_is_an_error_until_somebody_says_what_it_is() {
    let text = format!(
        "{FROM}\n{}\nFrom the archives of 2019\nFrom: a@sender.example\nTo: john@example.com\nSubject: b\n\nto john\n\n{FROM}\n{}\n",
        to_jane("a"),
        to_jane("c")
    );
    let files = Files::new([("Inbox", &text)]);
    let path = files.path("Inbox");
    let undecided = appliance();
    let run = import(&undecided, &[], &path, 1);
    let place = format!("{}:8", path.display());
    assert!(run["notices"].to_string().contains(&place), "{run:#}");
    assert!(
        run["errors"][0]["error"]
            .as_str()
            .is_some_and(|error| error.contains("line 8")),
        "{run:#}"
    );
    assert_eq!(subjects(&undecided), only("jane", "c"));
    let loose = appliance();
    let run = import(&loose, &["--mbox-from", "LOOSE"], &path, 0);
    assert_eq!((number(&run, "archived"), &run["notices"]), (3, &serde_json::json!([])));
    let strict = appliance();
    let run = import(&strict, &["--mbox-from", "strict"], &path, 0);
    assert_eq!(number(&run, "archived"), 2);
    assert!(run["notices"].to_string().contains(&place), "{run:#}");
}

#[test]
fn what_stands_before_a_header_and_within_it_does_not_hide_it() {
    let mail = "Return-Path: <a@sender.example>\r\nFrom: a@sender.example\r\nTo: jane@example.com\r\nSubject: x\r\n\r\nhello\r\n";
    for before in ["\u{feff}", "\r\n", " ", "\u{feff}\r\n\r\n", "no field at all\r\n"] {
        let bytes = format!("{before}{mail}");
        let files = Files::new([("mail/1.eml", &bytes)]);
        let appliance = appliance();
        let run = import(&appliance, &["--format", "eml"], &files.path("mail"), 0);
        assert_eq!(number(&run, "archived"), 1, "{before:?}: {run:#}");
        assert_eq!(subjects(&appliance), only("jane", "x"), "{before:?}");
        assert_eq!(appliance.raw(1), bytes.as_bytes(), "{before:?}");
    }
    let within = mail
        .replace("Subject", "text that was folded\r\nSubject")
        .replace("To:", "two words: x\r\nTo:");
    let files = Files::new([("mail/1.eml", &within)]);
    let appliance = appliance();
    import(&appliance, &[], &files.path("mail"), 0);
    assert_eq!(subjects(&appliance), only("jane", "x"));
    let shown = appliance.done(&["show", "1", "--json"]).json();
    assert!(shown["notes"].to_string().contains("its header is broken"), "{shown:#}");
    assert_eq!(text(&shown, "text").trim_end(), "hello");
}

/// A body right below a header that quotes another one names nobody.
#[test]
fn a_body_below_a_header_that_nothing_ends_is_not_read_as_header() {
    let quoting = format!("{}\n", to_jane("x")).replace(
        "\n\nhello",
        "\nHe wrote\nFrom: b@sender.example\nCc: john@example.com\n\nhello",
    );
    let unended = "From: a@sender.example\nTo: jane@example.com\nSubject: x\nHello\nCc: john@example.com\n".to_owned();
    for message in [quoting, unended] {
        let files = Files::new([("mail/1.eml", &message)]);
        let appliance = appliance();
        import(&appliance, &[], &files.path("mail"), 0);
        assert_eq!(subjects(&appliance), only("jane", "x"), "{message}");
    }
}

#[test]
fn folders_of_apple_mail_are_imported() {
    let list =
        "<?xml version=\"1.0\"?>\n<plist><dict><key>date-received</key><integer>1767225600</integer></dict></plist>\n";
    let emlx = |message: &str, length: usize| format!("{length}      \n{message}{list}");
    let whole = |subject: &str| emlx(&to_jane(subject), to_jane(subject).len());
    let files = Files::new([
        ("Mail/V9/INBOX.mbox/Info.plist", list.to_owned()),
        ("Mail/V9/INBOX.mbox/table_of_contents", "\0\0".into()),
        ("Mail/V9/INBOX.mbox/Data/Messages/1.emlx", whole("one")),
        ("Mail/V9/INBOX.mbox/Data/Messages/2.partial.emlx", whole("two")),
        (
            "Mail/V9/INBOX.mbox/Data/Messages/3.emlx",
            emlx(&to_jane("three"), 10_000),
        ),
        ("Mail/V9/INBOX.mbox/Data/Attachments/2/1.1/bill.pdf", "%PDF".into()),
    ]);
    let appliance = appliance();
    let run = import(&appliance, &[], &files.path("Mail"), 1);
    assert_eq!((number(&run, "archived"), number(&run, "failed")), (2, 1), "{run:#}");
    let told = run["errors"].to_string();
    assert!(told.contains("partial") && told.contains("cut off"), "{told}");
    let messages = janes(&appliance);
    let folder = "Mail/V9/INBOX.mbox/Data/Messages";
    assert_eq!(messages, pairs(&[(folder, "one"), (folder, "two")]));
    assert_eq!(appliance.raw(1), to_jane("one").as_bytes());
    let one = import(
        &appliance,
        &["--format", "eml"],
        &files.path("Mail/V9/INBOX.mbox/Data/Messages/1.emlx"),
        0,
    );
    assert_eq!(number(&one, "duplicates"), 1);
}

#[test]
fn lines_that_end_in_cr_alone_are_read() {
    let one = to_jane("one").replace('\n', "\r");
    let two = one.replace("jane", "john").replace("one", "two");
    let files = Files::new([("a/old", format!("{FROM}\r{one}\r{FROM}\r{two}\r")), ("b/1.eml", one)]);
    let appliance = appliance();
    let run = import(&appliance, &[], &files.path("a"), 0);
    assert!(run["notices"].to_string().contains("CR alone"), "{run:#}");
    let expected = BTreeMap::from(
        [("jane", "one"), ("john", "two")].map(|(user, subject)| (user.to_owned(), vec![subject.to_owned()])),
    );
    assert_eq!(subjects(&appliance), expected);
    let run = import(&appliance, &[], &files.path("b"), 0);
    assert_eq!(number(&run, "duplicates"), 1);
    assert!(run["notices"].to_string().contains("CR alone"), "{run:#}");
}
