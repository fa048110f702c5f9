//! Lines that are not to the letter of RFC 9051, or that nobody asked for: each costs no more than itself.

use dropkeep::{
    config::Folders,
    source::{CopyRef, Disposition, Listing, SourceError, UnfetchedWhy, Want},
};

use crate::{
    imap_scripted::{fetch, logged_in, open, opened, server, unfetched, window},
    scripted::{Scripted, answer, ok, say, say_raw},
    session::{PASSWORD, connect, listed},
};

fn all() -> Folders {
    Folders {
        include: vec!["*".into()],
        ..Folders::default()
    }
}

#[tokio::test]
async fn two_blanks_behind_the_asterisk_ended_the_session() {
    let scripted = logged_in(vec![
        answer(
            "EXAMINE",
            &[
                "*  3 EXISTS",
                "*  FLAGS (\\Seen $Forwarded Junk)",
                "*  OK [UIDVALIDITY  77]  valid",
                "*  OK  [UIDNEXT 10]",
                "{tag}  OK  [READ-ONLY]  open",
            ],
        ),
        ok("UID SEARCH 1:3", &["*  SEARCH  5  6  7 "]),
        ok("UID FETCH 5 ", &["*  1  FETCH  (UID  5  BODY[]  {3}", "one )"]),
    ]);
    let mut session = open(&scripted).await;
    assert_eq!(listed(&mut session).await, [5, 6, 7].map(CopyRef::Uid));
    let (got, ended) = fetch(&mut session, &[5]).await;
    assert_eq!((&got[0].bytes[..], ended.expect("all came")), (&b"one"[..], vec![]));
    scripted.done();
}

#[tokio::test]
async fn keywords_that_are_no_atoms_ended_the_session() {
    for flags in [
        "100% a*b \\Seen",
        "a(b) \\Seen",
        "\"\\\\Deleted\" \\Seen",
        "\\Answered  \\Seen",
        "a\"b",
    ] {
        let line = |uid: u32| format!("* {uid} FETCH (FLAGS ({flags}) UID {uid} RFC822.SIZE 9)");
        let scripted = logged_in(vec![
            answer(
                "EXAMINE",
                &[
                    &format!("* FLAGS ({flags})"),
                    &format!("* OK [PERMANENTFLAGS ({flags} \\*)] limited"),
                    "* 3 EXISTS",
                    "* OK [UIDVALIDITY 77] valid",
                    "* OK [UIDNEXT 10] next",
                    "{tag} OK open",
                ],
            ),
            ok("UID FETCH 5:6 (UID RFC822.SIZE)", &[&line(5), &line(6)]),
        ]);
        let mut session = open(&scripted).await;
        let sizes = session.sizes(&[5, 6].map(CopyRef::Uid), false).await.expect("sizes");
        assert_eq!(sizes.len(), 2, "{flags}");
        scripted.done();
    }
}

#[tokio::test]
async fn one_folder_with_an_odd_line_cost_all_the_others() {
    for (odd, is_read) in [
        ("* LIST () \"\\\\\" Folder\\Subfolder 1", false),
        ("* LIST () \"/\" \"One \"Subfolder 1\"", false),
        ("* LIST () \"/\" INBOX/a\tb", false),
        (&*format!("* LIST () \"/\" \"{PASSWORD}"), false),
        ("* LIST (\\NonExistent) \"/\" \"Old\" (\"OLDNAME\" (\"sent\"))", true),
        ("* LIST (\\AllMail \\HasNoChildren) \"/\" Sent", true),
    ] {
        let scripted = logged_in(vec![
            ok(
                "LIST \"\" \"*\"",
                &["* LIST () \"/\" INBOX", odd, "* LIST () \"/\" Archive"],
            ),
            ok("LIST", &["* LIST () \"/\" INBOX"]),
        ]);
        let mut session = connect(&server(scripted.port)).await.expect("a session");
        let folders = session.folders(&all()).await.expect("folders");
        assert!(
            ["INBOX", "Archive"]
                .iter()
                .all(|name| folders.contains(&(*name).to_owned()))
        );
        match session.take_unclear() {
            Some(error) => {
                let words = error.to_string();
                assert!(
                    !is_read && words.contains("LIST") && !words.contains(PASSWORD),
                    "{words}"
                );
                assert!(
                    words.contains("Subfolder 1") || words.contains("a\\tb") || words.contains("\"***"),
                    "{words}"
                );
                assert_eq!(error.disposition(), Disposition::Report);
            }
            None => assert!(is_read, "{odd}"),
        }
        // It is reported once, and only that time.
        session.folders(&Folders::default()).await.expect("folders");
        assert!(session.take_unclear().is_none());
        scripted.done();
    }
}

#[tokio::test]
async fn a_server_that_wants_to_know_who_comes_opened_no_folder() {
    for reply in [
        &["* ID (\"name\" \"Coremail\")", "{tag} OK done"][..],
        &["{tag} BAD what"],
    ] {
        let scripted = Scripted::play(vec![
            say(&["* OK Coremail System IMap Server Ready"]),
            ok("CAPABILITY", &["* CAPABILITY IMAP4rev1 ID"]),
            ok("LOGIN", &[]),
            ok("CAPABILITY", &["* CAPABILITY IMAP4rev1 ID"]),
            answer("ID (\"name\" \"dropkeep\" \"version\" \"", reply),
            answer(
                "EXAMINE",
                &[
                    "* 3 EXISTS",
                    "* OK [UIDVALIDITY 77]",
                    "* OK [UIDNEXT 8]",
                    "{tag} OK open",
                ],
            ),
        ]);
        open(&scripted).await;
        scripted.done();
    }
}

#[tokio::test]
async fn one_uid_of_two_messages_cost_the_whole_folder() {
    let scripted = logged_in(vec![
        answer(
            "EXAMINE",
            &[
                "* 7 EXISTS",
                "* OK [UIDVALIDITY 1]",
                "* OK [UIDNEXT 6]",
                "{tag} OK open",
            ],
        ),
        ok("UID SEARCH 1:7", &["* SEARCH 1 2 3 2 3 4 5"]),
        answer(
            "FETCH 1:7 (UID)",
            &[
                "* 1 FETCH (UID 1)",
                "* 2 FETCH (UID 2)",
                "* 3 FETCH (UID 3)",
                "* 4 FETCH (UID 2)",
            ],
        ),
        say(&[
            "* 5 FETCH (UID 3)",
            "* 6 FETCH (UID 4)",
            "* 7 FETCH (UID 5)",
            "{tag} OK done",
        ]),
        ok("NOOP", &[]),
    ]);
    let mut session = connect(&server(scripted.port)).await.expect("a session");
    session.open("INBOX").await.expect("INBOX");
    let Listing::Uids { standing, ambiguous } = session.listing().await.expect("a listing") else {
        panic!("not of IMAP")
    };
    assert_eq!(standing.iter().collect::<Vec<_>>(), [1, 4, 5]);
    assert_eq!(ambiguous.iter().collect::<Vec<_>>(), [2, 3]);
    scripted.done();
}

#[tokio::test]
async fn a_uid_that_a_search_repeats_is_one() {
    let scripted = opened(vec![ok("UID SEARCH 1:3", &["* SEARCH 5 6 7 6"])]);
    let mut session = open(&scripted).await;
    assert_eq!(listed(&mut session).await, [5, 6, 7].map(CopyRef::Uid));
    assert!(session.take_unclear().is_none());
    scripted.done();
}

#[tokio::test]
async fn a_fetch_that_is_closed_early_cost_a_login() {
    let scripted = opened(vec![
        answer(
            "UID FETCH 5:8 ",
            &["* 1 FETCH (UID 5 BODY[] {3}", "one)", " FLAGS (\\Seen) RFC822.SIZE 3)"],
        ),
        say(&["* 2 FETCH (UID 6 BODY[] {3}", "two) FLAGS (\\Seen))"]),
        say(&["* 3 FETCH (UID 7 FLAGS ())", " BODY[] {5}", "three)"]),
        say(&[
            "* 4 FETCH (BODY[] {4}",
            "four",
            ")",
            "UID 8 FLAGS (\\Seen))",
            "{tag} OK done",
        ]),
    ]);
    let mut session = open(&scripted).await;
    let (got, ended) = fetch(&mut session, &[5, 6, 7, 8]).await;
    assert_eq!(ended.expect("the command is OK"), []);
    let got: Vec<_> = got.iter().map(|one| (one.copy.clone(), &one.bytes[..])).collect();
    let expected: [(u32, &[u8]); 4] = [(5, b"one"), (6, b"two"), (7, b"three"), (8, b"four")];
    assert_eq!(got, expected.map(|(uid, bytes)| (CopyRef::Uid(uid), bytes)));
    scripted.done();
}

#[tokio::test]
async fn what_cannot_be_read_of_one_copy_fails_that_copy_and_says_how() {
    let scripted = opened(vec![ok(
        "UID FETCH 5:6 ",
        &["* 1 FETCH (UID 5 BODY[] [none])", "* 2 FETCH (UID 6 BODY[] {3}", "two)"],
    )]);
    let mut session = open(&scripted).await;
    let (got, ended) = fetch(&mut session, &[5, 6]).await;
    assert_eq!(got.len(), 1);
    let line = "“* 1 FETCH (UID 5 BODY[] [none])”".to_owned();
    assert_eq!(
        ended.expect("the command is OK"),
        [unfetched(5, UnfetchedWhy::NotUnderstood(line))]
    );
    scripted.done();
}

#[tokio::test]
async fn an_error_quoted_a_message_with_all_its_bytes() {
    let scripted = opened(vec![
        answer("UID FETCH 5 ", &["* 1 FETCH (UID 5 BODY[] {100}"]),
        say_raw(&[b'm'; 100]),
        say(&[&format!(" !{PASSWORD} garbage\t{}", "g".repeat(1000)), "{tag} OK done"]),
    ]);
    let mut session = open(&scripted).await;
    let mut got = 0;
    let ended = session.fetch(&window(&[5]), Want::Whole, &mut |_| got += 1).await;
    let error = ended.expect_err("nobody knows what that message is");
    assert_eq!((got, error.disposition()), (0, Disposition::Reconnect));
    let words = error.to_string();
    assert!(words.contains("UID 5 BODY[] {100}… !*** garbage\\tggg"), "{words}");
    assert!(
        !words.contains("mmm") && words.len() < 500 && words.ends_with("…”"),
        "{words}"
    );
    drop(session);
    scripted.done();
}

/// What could be mail must not be taken for answers.
#[tokio::test]
async fn a_line_that_is_no_answer_ends_a_session_only_behind_a_message() {
    let scripted = opened(vec![
        ok("UID SEARCH", &["hello", "", "* SEARCH 5 6 7"]),
        ok(
            "UID FETCH 5:6 ",
            &["* 1 FETCH (UID 5 BODY[] {3}", "one)", "Subject: hello"],
        ),
    ]);
    let mut session = open(&scripted).await;
    assert_eq!(listed(&mut session).await.len(), 3);
    let (_, ended) = fetch(&mut session, &[5, 6]).await;
    let error = ended.expect_err("it is out of step").to_string();
    assert!(error.contains("“Subject: hello”"), "{error}");
    drop(session);
    scripted.done();
}

#[tokio::test]
async fn lines_that_nobody_asked_for_are_passed_over_however_deep_they_are() {
    let deep = format!("{}{}", "(".repeat(150), ")".repeat(150));
    let unasked = [
        format!("* 9 FETCH (BODYSTRUCTURE {deep})"),
        format!("* NAMESPACE {deep} NIL NIL"),
        format!("* THREAD {deep}"),
        format!("* XYZZY {deep}"),
        "* STATUS".to_owned(),
        "* 5".to_owned(),
        "*".to_owned(),
    ];
    let unasked: Vec<&str> = unasked.iter().map(String::as_str).collect();
    let with = |text: &str, lines: &[&str]| answer(text, &[&unasked[..], lines].concat());
    let scripted = Scripted::play(vec![
        say(&["", "* OK ready"]),
        with("CAPABILITY", &["* CAPABILITY IMAP4rev1", "{tag} OK done"]),
        with("LOGIN", &["{tag} OK [CAPABILITY IMAP4rev1] in"]),
        with("LIST", &["* LIST () \"/\" INBOX", "{tag} OK done"]),
        with(
            "EXAMINE",
            &[
                "* 3 EXISTS",
                "* OK [UIDVALIDITY 77]",
                "* OK [UIDNEXT 8]",
                "{tag} OK open",
            ],
        ),
        with("UID SEARCH", &["* SEARCH 5 6 7", "{tag} OK done"]),
        with(
            "UID FETCH 5 ",
            &["* 1 FETCH (UID 5 BODY[] {3}", "one)", "{tag} OK done"],
        ),
        with("LOGOUT", &["* BYE", "{tag} OK"]),
    ]);
    let mut session = connect(&server(scripted.port)).await.expect("a session");
    assert_eq!(session.folders(&Folders::default()).await.expect("folders"), ["INBOX"]);
    assert!(session.take_unclear().is_none());
    session.open("INBOX").await.expect("INBOX");
    assert_eq!(listed(&mut session).await.len(), 3);
    let (got, ended) = fetch(&mut session, &[5]).await;
    assert_eq!((got.len(), ended.expect("all came").len()), (1, 0));
    session.close().await.expect("a farewell");
    scripted.done();
}

#[tokio::test]
async fn a_greeting_that_is_none_is_shown() {
    let deep = format!("* 1 FETCH (BODYSTRUCTURE {})", "(".repeat(150));
    for greeting in ["welcome to smtp.example.com", "* LIST () \"/\" INBOX", &deep, "D1 OK"] {
        let scripted = Scripted::play(vec![say(&[greeting])]);
        let error = connect(&server(scripted.port)).await.expect_err("no session");
        let words = error.to_string();
        assert!(words.contains(greeting.get(..10).unwrap_or(greeting)), "{words}");
        assert_eq!(error.disposition(), Disposition::Unreachable);
        scripted.done();
    }
}

#[tokio::test]
async fn what_a_folder_lacks_is_told_with_the_line_that_cannot_be_read() {
    for (exists, uidvalidity) in [
        ("* many EXISTS", "* OK [UIDVALIDITY 7]"),
        ("* 3 EXISTS", "* OK [UIDVALIDITY seven]"),
    ] {
        let scripted = logged_in(vec![
            answer("EXAMINE", &[exists, uidvalidity, "* OK [UIDNEXT 8]", "{tag} OK open"]),
            answer("LOGOUT", &["* BYE", "{tag} OK"]),
        ]);
        let mut session = connect(&server(scripted.port)).await.expect("a session");
        let error = session.open("INBOX").await.expect_err("it lacks something");
        assert!(matches!(error, SourceError::Unclear { .. }), "{error:?}");
        let words = error.to_string();
        assert!(
            words.contains("many EXISTS") || words.contains("UIDVALIDITY seven"),
            "{words}"
        );
        // The session goes on.
        session.close().await.expect("a farewell");
        scripted.done();
    }
}

#[tokio::test]
async fn what_stands_behind_a_clear_name_cost_the_folder() {
    for odd in [
        "* LIST () \"/\" \"Old\" (OLDNAME)",
        "* LIST () \"/\" \"Old\" (\"CHILDINFO\" (",
        "* LIST () \"/\" \"Old\" 7 messages",
    ] {
        let scripted = logged_in(vec![ok("LIST \"\" \"*\"", &[odd])]);
        let mut session = connect(&server(scripted.port)).await.expect("a session");
        assert_eq!(session.folders(&all()).await.expect("folders"), ["Old"], "{odd}");
        scripted.done();
    }
}

#[tokio::test]
async fn a_line_of_nobody_before_the_first_message_ended_the_session() {
    for stray in ["ZZ99 OK what", "D1 OK done before", "a line that is no response"] {
        let scripted = logged_in(vec![
            answer(
                "EXAMINE",
                &[
                    stray,
                    "* 3 EXISTS",
                    "* OK [UIDVALIDITY 77] valid",
                    "* OK [UIDNEXT 8]",
                    "{tag} OK open",
                ],
            ),
            ok("UID SEARCH 1:3", &[stray, "* SEARCH 5 6 7"]),
            ok("UID FETCH 5 ", &[stray, "* 1 FETCH (UID 5 BODY[] {3}", "one)"]),
        ]);
        let mut session = open(&scripted).await;
        assert_eq!(listed(&mut session).await.len(), 3, "{stray}");
        let (got, ended) = fetch(&mut session, &[5]).await;
        assert_eq!((got.len(), ended.expect("all came")), (1, vec![]), "{stray}");
        scripted.done();
    }
}

#[tokio::test]
async fn messages_that_went_without_a_word_were_left_out_without_a_word() {
    let scripted = logged_in(vec![
        answer(
            "EXAMINE",
            &[
                "* 3 EXISTS",
                "* OK [UIDVALIDITY 77]",
                "* OK [UIDNEXT 8]",
                "{tag} OK open",
            ],
        ),
        ok("UID SEARCH 1:3", &["* 1 EXISTS", "* SEARCH 5"]),
    ]);
    let mut session = open(&scripted).await;
    assert_eq!(listed(&mut session).await.len(), 1);
    let words = session.take_unclear().expect("a word").to_string();
    assert!(words.contains("fewer messages"), "{words}");
    scripted.done();
}
