//! Which folders are found: by special use, by subscription, and with names of every kind.

use dropkeep::{config::Folders, source::SourceError};

use crate::imap_scripted::{
    PASSWORD, connect, logged_in,
    scripted::{Move, Scripted, hear, say},
    server,
};

fn with_capabilities(capabilities: &str, rest: Vec<Move>) -> Scripted {
    let mut script = vec![
        say(&["* OK ready"]),
        hear("CAPABILITY"),
        say(&["* CAPABILITY IMAP4rev1", "{tag} OK done"]),
        hear(PASSWORD),
        say(&[&format!("{{tag}} OK [CAPABILITY IMAP4rev1 {capabilities}] welcome")]),
    ];
    script.extend(rest);
    Scripted::play(script)
}

fn patterns(include: &[&str], exclude: &[&str]) -> Folders {
    let owned = |patterns: &[&str]| patterns.iter().map(|text| (*text).to_owned()).collect();
    Folders {
        include: owned(include),
        exclude: owned(exclude),
        ..Folders::default()
    }
}

async fn folders(scripted: &Scripted, patterns: &Folders) -> Result<Vec<String>, SourceError> {
    let mut session = connect(&server(scripted.port)).await.expect("a session");
    session.folders(patterns).await
}

#[tokio::test]
async fn special_uses_are_told_by_attributes_in_any_case() {
    let listing = [
        "* LIST (\\HasNoChildren) \"/\" INBOX",
        "* LIST (\\HasNoChildren \\JUNK) \"/\" Werbung",
        "* LIST (\\Trash) \"/\" \"Deleted Items\"",
        "* LIST (\\Sent) \"/\" \"Sent Items\"",
        "* LIST () \"/\" Junk",
        "{tag} OK done",
    ];
    // Exchange says it without offering SPECIAL-USE.
    let scripted = with_capabilities(
        "IDLE",
        vec![
            hear("LIST \"\" \"*\""),
            say(&listing),
            hear("LIST \"\" \"*\""),
            say(&listing),
        ],
    );
    let found = folders(&scripted, &patterns(&["*"], &["\\junk", "\\Trash"])).await;
    assert_eq!(found.expect("folders"), ["INBOX", "Junk", "Sent Items"]);
    scripted.done();
}

#[tokio::test]
async fn special_uses_are_asked_for_where_the_server_knows_how() {
    let scripted = with_capabilities(
        "SPECIAL-USE LIST-EXTENDED",
        vec![
            hear("LIST (SPECIAL-USE) \"\" \"*\" RETURN (SPECIAL-USE)"),
            say(&[
                "* LIST (\\Junk) \"/\" Spam",
                "* LIST (\\All \\Noselect) \"/\" Everything",
                "* LIST (\\Sent) \"/\" Sent",
                "{tag} OK done",
            ]),
            hear("LIST \"\" \"INBOX\""),
            say(&["* LIST () \"/\" INBOX", "{tag} OK done"]),
        ],
    );
    let wanted = patterns(&["\\Sent", "\\All", "\\Archive", "INBOX"], &[]);
    // There is no archive, and nothing that can be opened for all: opening them says so.
    assert_eq!(
        folders(&scripted, &wanted).await.expect("folders"),
        ["INBOX", "Sent", "\\All", "\\Archive"]
    );
    scripted.done();
}

#[tokio::test]
async fn a_failed_list_of_special_uses_is_an_error() {
    let scripted = with_capabilities(
        "IDLE",
        vec![
            hear("LIST"),
            say(&["* LIST (\\Junk) \"/\" Spam", "{tag} NO [SERVERBUG] no"]),
        ],
    );
    let error = folders(&scripted, &patterns(&["INBOX"], &["\\Junk"]))
        .await
        .expect_err("refused");
    assert!(matches!(error, SourceError::Refused { .. }), "{error:?}");
    scripted.done();
}

#[tokio::test]
async fn only_subscribed_folders_and_inbox() {
    for (capabilities, command, line) in [
        ("LIST-EXTENDED", "LIST (SUBSCRIBED) \"\" \"*\"", "LIST (\\Subscribed)"),
        ("IDLE", "LSUB \"\" \"*\"", "LSUB ()"),
    ] {
        let scripted = with_capabilities(
            capabilities,
            vec![
                hear(command),
                say(&[
                    &format!("* {line} \"/\" Entw&APw-rfe"),
                    &format!("* {line} \"/\" Gone"),
                    "{tag} OK done",
                ]),
                hear("LIST \"\" \"*\""),
                say(&[
                    "* LIST () \"/\" INBOX",
                    "* LIST () \"/\" Entw&APw-rfe",
                    "* LIST () \"/\" Private",
                    "{tag} OK done",
                ]),
            ],
        );
        let wanted = Folders {
            subscribed: true,
            ..patterns(&["*"], &[])
        };
        assert_eq!(
            folders(&scripted, &wanted).await.expect("folders"),
            ["INBOX", "Entwürfe"]
        );
        scripted.done();
    }
}

#[tokio::test]
async fn names_in_utf8_are_read_and_sent_as_they_came() {
    let scripted = logged_in(vec![
        hear("LIST \"\" \"*\""),
        say(&[
            "* LIST () \"/\" \"Entwürfe\"",
            "* LIST () \"/\" Büro",
            "* LIST () \"/\" \"Café & Bar\"",
            "{tag} OK done",
        ]),
        hear("EXAMINE \"Entwürfe\""),
        say(&[
            "* 0 EXISTS",
            "* OK [UIDVALIDITY 1] valid",
            "* OK [UIDNEXT 902] next",
            "{tag} OK open",
        ]),
        hear("EXAMINE \"Café & Bar\""),
        say(&[
            "* 0 EXISTS",
            "* OK [UIDVALIDITY 1] valid",
            "* OK [UIDNEXT 902] next",
            "{tag} OK open",
        ]),
    ]);
    let mut session = connect(&server(scripted.port)).await.expect("a session");
    let found = session.folders(&patterns(&["*"], &["B*"])).await.expect("folders");
    assert_eq!(found, ["Café & Bar", "Entwürfe"]);
    session.open("Entwürfe").await.expect("the folder");
    session.open("Café & Bar").await.expect("the folder");
    scripted.done();
}

#[tokio::test]
async fn a_name_in_utf8_is_opened_by_a_session_that_did_not_list_it() {
    let scripted = logged_in(vec![
        hear("EXAMINE \"Entw&APw-rfe\""),
        say(&["{tag} NO [NONEXISTENT] no such folder"]),
        hear("EXAMINE \"Entwürfe\""),
        say(&[
            "* 0 EXISTS",
            "* OK [UIDVALIDITY 1] valid",
            "* OK [UIDNEXT 902] next",
            "{tag} OK open",
        ]),
    ]);
    let mut session = connect(&server(scripted.port)).await.expect("a session");
    session.open("Entwürfe").await.expect("the folder");
    scripted.done();
}

#[tokio::test]
async fn a_pattern_with_an_umlaut_missed_names_with_two() {
    let scripted = logged_in(vec![
        hear("LIST \"\" \"*\""),
        say(&[
            // In modified UTF-7 the two letters are one piece.
            "* LIST () \"/\" &APwA9g-",
            "* LIST () \"/\" &APw-ber",
            "* LIST () \"/\" other",
            "{tag} OK done",
        ]),
    ]);
    let found = folders(&scripted, &patterns(&["ü*"], &[])).await.expect("folders");
    assert_eq!(found, ["über", "üö"]);
    scripted.done();
}

/// What opening a name says that stands among the folders.
async fn why_not(session: &mut dropkeep::source::Session, name: &str) -> String {
    session.open(name).await.expect_err("no folder").to_string()
}

#[tokio::test]
async fn a_pattern_that_nothing_matches_stands_among_them_and_opening_it_says_what_there_is() {
    let there = [
        "* LIST (\\HasNoChildren) \".\" INBOX",
        "* LIST (\\Noselect) \".\" Shared",
        "* LIST () \".\" Old",
        "* LIST () \".\" Old.2025",
        "{tag} OK done",
    ];
    let scripted = logged_in(vec![
        hear("LIST \"\" \"INBOX\""),
        say(&[there[0], "{tag} OK done"]),
        hear("LIST \"\" \"Journal*\""),
        say(&["{tag} OK done"]),
        // Nothing in it can be opened.
        hear("LIST \"\" \"Shar%\""),
        say(&[there[1], "{tag} OK done"]),
        hear("LIST \"\" \"*\""),
        say(&there),
        hear("LIST \"\" \"*\""),
        say(&there),
    ]);
    let mut session = connect(&server(scripted.port)).await.expect("a session");
    let found = session.folders(&patterns(&["INBOX", "Journal*", "Shar%"], &[])).await;
    assert_eq!(found.expect("folders"), ["INBOX", "Journal*", "Shar%"]);
    for pattern in ["Journal*", "Shar%"] {
        let words = why_not(&mut session, pattern).await;
        assert!(words.starts_with(&format!("no folder matches {pattern:?}")), "{words}");
        assert!(
            words.contains("\"INBOX\", \"Old\", \"Old.2025\"") && !words.contains("\"Shared\""),
            "{words}"
        );
    }
    scripted.done();
}

/// RFC 3501, 5.1: INBOX exists always.
#[tokio::test]
async fn a_listing_without_a_line_is_no_empty_account() {
    let scripted = logged_in(vec![
        hear("LIST \"\" \"*\""),
        say(&["{tag} OK done"]),
        hear("LIST \"\" \"*\""),
        say(&["{tag} OK done"]),
    ]);
    let mut session = connect(&server(scripted.port)).await.expect("a session");
    let found = session.folders(&patterns(&["*"], &[])).await.expect("folders");
    assert_eq!(found, ["INBOX", "*"]);
    assert!(why_not(&mut session, "*").await.contains("lists no folder at all"));
    scripted.done();
}

#[tokio::test]
async fn patterns_that_leave_no_folder_are_an_error() {
    let scripted = logged_in(vec![
        hear("LIST \"\" \"*\""),
        say(&["* LIST () \"/\" INBOX", "{tag} OK done"]),
    ]);
    let mut session = connect(&server(scripted.port)).await.expect("a session");
    let none = session
        .folders(&patterns(&["*"], &["INB*"]))
        .await
        .expect_err("no folder");
    assert!(none.to_string().contains("exclude = [\"INB*\"]"), "{none}");
    scripted.done();
}

#[tokio::test]
async fn a_folder_that_has_a_wildcard_in_its_name_is_opened() {
    let scripted = logged_in(vec![
        hear("LIST \"\" \"*\""),
        say(&["* LIST () \"/\" \"a*b\"", "{tag} OK done"]),
        hear("EXAMINE \"a*b\""),
        say(&[
            "* 0 EXISTS",
            "* OK [UIDVALIDITY 7] valid",
            "* OK [UIDNEXT 1] next",
            "{tag} OK [READ-ONLY] open",
        ]),
    ]);
    // Another session listed it.
    let mut session = connect(&server(scripted.port)).await.expect("a session");
    assert_eq!(session.open("a*b").await.expect("a folder").exists, 0);
    scripted.done();
}
