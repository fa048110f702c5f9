use proptest::prelude::*;

use super::*;

fn configured(name: &str, address: &str) -> User {
    User {
        name: name.into(),
        addresses: vec![address.into()],
        disabled: false,
    }
}

fn read(text: impl AsRef<[u8]>) -> Result<FileUsers, WrongLine> {
    read_up_to(text, 1).map_err(|mut wrong| wrong.remove(0))
}

fn read_up_to(text: impl AsRef<[u8]>, most: usize) -> Result<FileUsers, Vec<WrongLine>> {
    let list = List {
        address: "sales@example.com".into(),
        users: vec!["jane".into()],
        origin: Default::default(),
    };
    parse(text.as_ref(), &[configured("conf", "conf@example.com")], &[list], most)
}

/// `name: addresses`, with an exclamation mark for those who are disabled.
fn users(text: impl AsRef<[u8]>) -> Vec<String> {
    let line = |user: &User| {
        let mark = if user.disabled { "!" } else { "" };
        format!("{mark}{}: {}", user.name, user.addresses.join(" "))
    };
    read(text).unwrap().users.iter().map(line).collect()
}

fn refusal(text: impl AsRef<[u8]>) -> String {
    let (line, problem) = read(text).unwrap_err();
    UsersFileError {
        file: "users.csv".into(),
        line,
        problem,
    }
    .to_string()
}

#[test]
fn users_stand_a_line_each() {
    let text = "\u{feff}Name,Addresses\r\n\r\n# a comment, with a comma\r\njane,Jane@example.com, j@example.com ,\r\n\
                \"Doe, \"\"J\"\"\",\"doe@example.com; d@example.com e@example.com\"\r\n,,\r\n  \r\n\
                bob,*@sub.example.com,*@*.example.com\r\njane,jane@example.org\r\nold,old@example.com,!disabled";
    assert_eq!(
        users(text),
        [
            "jane: jane@example.com j@example.com jane@example.org",
            "Doe, \"J\": doe@example.com d@example.com e@example.com",
            "bob: *@sub.example.com *@*.example.com",
            "!old: old@example.com",
        ]
    );
    assert_eq!(users(text.replace("\r\n", "\n")).len(), 4);
    assert_eq!(users("name,name@example.com"), ["name: name@example.com"], "no header");
}

#[test]
fn what_is_wrong_is_named_with_its_line_and_what_to_do() {
    let before = "name,address\n\n# comment\n\njane,jane@example.com\n# more\n\n";
    for (line, words) in [
        ("bob", "\"bob\" has no address; write name,address"),
        (
            "bob;bob@example.com",
            "semicolons between the fields; save the file with commas",
        ),
        ("bob,,!disabled", "has no address"),
        ("bob,nobody", "\"nobody\" is not an address; it has no @; put it right"),
        ("bob,bob-*@example.com", "*@*.example.com"),
        (",bob@example.com", "a user needs a name"),
        ("@catchall,bob@example.com", "built in"),
        (
            "bob,JANE@example.com",
            "jane@example.com is an address of \"jane\", line 5 already",
        ),
        ("bob,conf@example.com", "of \"conf\" already"),
        ("conf,bob@example.com", "\"conf\" is a [[user]]"),
        ("bob,sales@example.com", "the address of a list"),
        ("bob,\"bob@example.com\neve,eve@example.com\n", "closing quote"),
    ] {
        let shown = refusal(format!("{before}{line}\nlast,last@example.com\n"));
        assert!(
            shown.starts_with("users_file /") && shown.contains("users.csv, line 8: "),
            "{shown}"
        );
        assert!(shown.contains(words), "{shown}");
    }
    let latin = [before.as_bytes(), b"J\xfcrgen,j@example.com\n"].concat();
    assert!(refusal(latin).contains("line 8 is not UTF-8"));
}

#[test]
fn a_table_from_a_spreadsheet_was_refused() {
    for text in [
        "Name;E-Mail\r\njane;jane@example.com;j@example.com\r\n\"Doe; J\";doe@example.com\r\n",
        "# staff\n\njane;jane@example.com;j@example.com\n\"Doe; J\";doe@example.com\n",
    ] {
        let expected = ["jane: jane@example.com j@example.com", "Doe; J: doe@example.com"];
        assert_eq!(users(text), expected, "{text}");
    }
    assert_eq!(
        users("Name,E-Mail\njane,jane@example.com\n"),
        ["jane: jane@example.com"]
    );
    let shown = refusal("Benutzer,E-Mail\njane,jane@example.com\n");
    assert!(
        shown.contains("line 1: \"E-Mail\" is not an address. If this line is a heading, write name,address"),
        "{shown}"
    );
}

#[test]
fn a_disabled_users_address_can_be_anothers() {
    let text = "jane,jane@example.com\nbob,bob@example.com,jane@example.com\njane,conf@example.com,!disabled\n";
    assert_eq!(
        users(text),
        [
            "!jane: jane@example.com conf@example.com",
            "bob: bob@example.com jane@example.com"
        ]
    );
}

#[test]
fn an_address_that_a_user_has_on_several_lines_comes_once() {
    let text =
        "jane,j@example.com,jane@example.com,J@example.com\nbob,bob@example.com\njane,jane@example.com,x@example.com";
    assert_eq!(
        users(text),
        [
            "jane: j@example.com jane@example.com x@example.com",
            "bob: bob@example.com"
        ]
    );
    let shown = refusal(format!("{text}\nbob,x@example.com\n"));
    assert!(
        shown.contains("line 4: x@example.com is an address of \"jane\", line 3 already"),
        "{shown}"
    );
}

#[test]
fn a_hundred_thousand_users_took_no_second_each() {
    let line = |n| format!("user {n},u{n}@example.com,u.{n}@example.com\n");
    let text: String = (0..100_000).map(line).collect();
    let started = std::time::Instant::now();
    assert_eq!(read(&text).unwrap().users.len(), 100_000);
    // Quadratic time would be minutes.
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

#[test]
fn what_is_no_file_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let shown = |path: &Path| super::read(path, &[], &[]).unwrap_err().to_string();
    assert!(shown(folder.path()).contains("is a folder"));
    let missing = folder.path().join("users.csv");
    assert!(
        shown(&missing).contains("users.csv does not exist"),
        "{}",
        shown(&missing)
    );
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        let _ = read(bytes);
    }

    /// Whatever stands before a wrong line, its number is that which an editor shows.
    #[test]
    fn the_line_is_that_of_an_editor(before in prop::collection::vec("(|#[ab,\"#]{0,4}|u[0-9]{9},\"u@x[0-9]{9}.example\"|,,| )", 0..12), crlf: bool) {
        let end = if crlf { "\r\n" } else { "\n" };
        let text: String = before.iter().chain([&"wrong".to_owned()]).map(|line| format!("{line}{end}")).collect();
        let (line, problem) = read(&text).unwrap_err();
        if matches!(problem, UsersFileProblem::NoAddress(_)) {
            prop_assert_eq!(line, Some(before.len() + 1));
        }
    }
}

#[test]
fn all_wrong_lines_are_named_in_their_order_up_to_so_many() {
    let text = "a,a@example.com\n@x,x@example.com\nb,nonsense\nc,a@example.com\nd\ne,sales@example.com conf@example.com\nf,f@example.com";
    let lines = |most| -> Vec<_> {
        let wrong = read_up_to(text, most).unwrap_err();
        wrong.into_iter().map(|(line, _)| line.unwrap_or_default()).collect()
    };
    assert_eq!(lines(50), [2, 3, 4, 5, 6]);
    assert_eq!(lines(2), [2, 3]);
    let many = "x,nonsense\n".repeat(1000);
    assert_eq!(read_up_to(&many, 50).unwrap_err().len(), 50);
    let taken = (0..1000).map(|n| format!("u{n},a@example.com\n")).collect::<String>();
    assert_eq!(read_up_to(&taken, 50).unwrap_err().len(), 50);
}
