//! Which folders are found: by special use, by subscription, and with names of every kind.

use dropkeep::{config::Folders, source::SourceError};

use crate::{
    imap_scripted::{able_to, examine, logged_in, server},
    scripted::{Scripted, answer, ok},
    session::connect,
};

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
    let scripted = able_to(
        "IDLE",
        vec![answer("LIST \"\" \"*\"", &listing), answer("LIST \"\" \"*\"", &listing)],
    );
    let found = folders(&scripted, &patterns(&["*"], &["\\junk", "\\Trash"])).await;
    assert_eq!(found.expect("folders"), ["INBOX", "Junk", "Sent Items"]);
    scripted.done();
}

#[tokio::test]
async fn special_uses_are_asked_for_where_the_server_knows_how() {
    let scripted = able_to(
        "SPECIAL-USE LIST-EXTENDED",
        vec![
            ok(
                "LIST (SPECIAL-USE) \"\" \"*\" RETURN (SPECIAL-USE)",
                &[
                    "* LIST (\\Junk) \"/\" Spam",
                    "* LIST (\\All \\Noselect) \"/\" Everything",
                    "* LIST (\\Sent) \"/\" Sent",
                ],
            ),
            ok("LIST \"\" \"INBOX\"", &["* LIST () \"/\" INBOX"]),
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
    let scripted = able_to(
        "IDLE",
        vec![answer(
            "LIST",
            &["* LIST (\\Junk) \"/\" Spam", "{tag} NO [SERVERBUG] no"],
        )],
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
        let scripted = able_to(
            capabilities,
            vec![
                ok(
                    command,
                    &[&format!("* {line} \"/\" Entw&APw-rfe"), &format!("* {line} \"/\" Gone")],
                ),
                ok(
                    "LIST \"\" \"*\"",
                    &[
                        "* LIST () \"/\" INBOX",
                        "* LIST () \"/\" Entw&APw-rfe",
                        "* LIST () \"/\" Private",
                    ],
                ),
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
        ok(
            "LIST \"\" \"*\"",
            &[
                "* LIST () \"/\" \"Entwürfe\"",
                "* LIST () \"/\" Büro",
                "* LIST () \"/\" \"Café & Bar\"",
            ],
        ),
        examine("Entwürfe", 0),
        examine("Café & Bar", 0),
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
        answer("EXAMINE \"Entw&APw-rfe\"", &["{tag} NO [NONEXISTENT] no such folder"]),
        examine("Entwürfe", 0),
        answer("EXAMINE \"&-AFQ-om\"", &["{tag} NO [NONEXISTENT] no such folder"]),
        examine("&AFQ-om", 0),
    ]);
    let mut session = connect(&server(scripted.port)).await.expect("a session");
    session.open("Entwürfe").await.expect("the folder");
    session.open("&AFQ-om").await.expect("the folder");
    scripted.done();
}

#[tokio::test]
async fn a_server_that_lists_all_it_has_had_all_of_it_archived() {
    let scripted = logged_in(vec![ok(
        "LIST \"\" \"INBOX\"",
        &[
            "* LIST () \"/\" INBOX",
            "* LIST () \"/\" Drafts",
            "* LIST () \"/\" Archive",
        ],
    )]);
    let found = folders(&scripted, &patterns(&["INBOX"], &[])).await.expect("folders");
    assert_eq!(found, ["INBOX"]);
    scripted.done();
}

#[tokio::test]
async fn of_two_folders_that_read_alike_one_was_forgotten_in_silence() {
    for lines in [
        ["* LIST () \"/\" Entw&APw-rfe", "* LIST () \"/\" \"Entwürfe\""],
        ["* LIST () \"/\" \"Entwürfe\"", "* LIST () \"/\" Entw&APw-rfe"],
    ] {
        let scripted = logged_in(vec![
            ok(
                "LIST \"\" \"*\"",
                &[&lines[..], &["* LIST () \"/\" Tom", "* LIST () \"/\" &AFQ-om"]].concat(),
            ),
            examine("Entw&APw-rfe", 0),
            examine("&AFQ-om", 0),
        ]);
        let mut session = connect(&server(scripted.port)).await.expect("a session");
        let found = session.folders(&patterns(&["*"], &[])).await.expect("folders");
        assert_eq!(found, ["&AFQ-om", "Entwürfe", "Tom"]);
        let said = session.take_unclear().expect("what was left out").to_string();
        assert!(said.contains("Entwürfe, read like Entw&APw-rfe: rename one"), "{said}");
        session
            .open("Entwürfe")
            .await
            .expect("the folder that a session without a listing opens, too");
        session.open("&AFQ-om").await.expect("the folder");
        scripted.done();
    }
}

#[tokio::test]
async fn a_pattern_with_an_umlaut_missed_names_with_two() {
    let scripted = logged_in(vec![ok(
        "LIST \"\" \"*\"",
        &[
            // In modified UTF-7 the two letters are one piece.
            "* LIST () \"/\" &APwA9g-",
            "* LIST () \"/\" &APw-ber",
            "* LIST () \"/\" other",
        ],
    )]);
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
        ok("LIST \"\" \"INBOX\"", &[there[0]]),
        ok("LIST \"\" \"Journal*\"", &[]),
        // Nothing in it can be opened.
        ok("LIST \"\" \"Shar%\"", &[there[1]]),
        answer("LIST \"\" \"*\"", &there),
        answer("LIST \"\" \"*\"", &there),
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
    let scripted = logged_in(vec![ok("LIST \"\" \"*\"", &[]), ok("LIST \"\" \"*\"", &[])]);
    let mut session = connect(&server(scripted.port)).await.expect("a session");
    let found = session.folders(&patterns(&["*"], &[])).await.expect("folders");
    assert_eq!(found, ["INBOX", "*"]);
    assert!(why_not(&mut session, "*").await.contains("lists no folder at all"));
    scripted.done();
}

#[tokio::test]
async fn patterns_that_leave_no_folder_are_an_error() {
    let scripted = logged_in(vec![ok("LIST \"\" \"*\"", &["* LIST () \"/\" INBOX"])]);
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
        ok("LIST \"\" \"*\"", &["* LIST () \"/\" \"a*b\""]),
        examine("a*b", 0),
    ]);
    // Another session listed it.
    let mut session = connect(&server(scripted.port)).await.expect("a session");
    assert_eq!(session.open("a*b").await.expect("a folder").exists, 0);
    scripted.done();
}
