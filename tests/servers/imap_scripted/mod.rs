//! IMAP sessions against servers that fail, lie, or fall silent.

mod compress;
mod folders;
mod idle;
mod limits;
mod login;
mod odd_lines;
mod removal;
mod token;

use dropkeep::{
    config::{Access, Folders, Server},
    source::{Announced, CopyRef, Disposition, Fetched, Session, SourceError, Unfetched, UnfetchedWhy, Want},
};

use crate::{
    scripted::{Move, Scripted, answer, ok, say, say_raw},
    session::{PASSWORD, connect, fetched, listed},
};

const CAPABILITIES: &str = "IMAP4rev1 AUTH=PLAIN";

fn server(port: u16) -> Server {
    crate::session::server(Access::Imap, port)
}

/// Greeting, and what the server can do before the login; then the rest.
fn greeted(capabilities: &str, rest: Vec<Move>) -> Scripted {
    let begins = vec![
        say(&["* OK ready"]),
        ok("CAPABILITY", &[&format!("* CAPABILITY {capabilities}")]),
    ];
    Scripted::play([begins, rest].concat())
}

/// Greeting and login to a server that can do this besides, then the rest.
fn able_to(capabilities: &str, rest: Vec<Move>) -> Scripted {
    let login = answer(
        &format!("LOGIN \"all@example.com\" \"{PASSWORD}\""),
        &[&format!(
            "{{tag}} OK [CAPABILITY {CAPABILITIES} {capabilities}] welcome"
        )],
    );
    greeted(CAPABILITIES, [vec![login], rest].concat())
}

fn logged_in(rest: Vec<Move>) -> Scripted {
    able_to("IDLE", rest)
}

/// A folder is opened, in which so many messages stand.
fn examine(folder: &str, exists: u32) -> Move {
    answer(
        &format!("EXAMINE \"{folder}\""),
        &[
            "* FLAGS (\\Seen)",
            &format!("* {exists} EXISTS"),
            "* 0 RECENT",
            "* OK [UIDVALIDITY 77] valid",
            "* OK [UIDNEXT 902] next",
            "{tag} OK [READ-ONLY] open",
        ],
    )
}

/// Greeting, login, and INBOX opened in which three messages stand.
fn opened(rest: Vec<Move>) -> Scripted {
    logged_in([vec![examine("INBOX", 3)], rest].concat())
}

async fn open(scripted: &Scripted) -> Session {
    let mut session = connect(&server(scripted.port)).await.expect("a session");
    let folder = session.open("INBOX").await.expect("INBOX");
    assert_eq!((folder.uidvalidity, folder.exists), (Some(77), 3));
    session
}

fn window(uids: &[u32]) -> Vec<Announced> {
    let announced = |uid: &u32| Announced {
        copy: CopyRef::Uid(*uid),
        size: 100,
        facts: None,
    };
    uids.iter().map(announced).collect()
}

async fn fetch(session: &mut Session, uids: &[u32]) -> (Vec<Fetched>, Result<Vec<Unfetched>, SourceError>) {
    fetched(session, &window(uids), Want::Whole).await
}

fn unfetched(uid: u32, why: UnfetchedWhy) -> Unfetched {
    let copy = CopyRef::Uid(uid);
    Unfetched { copy, why }
}

/// The ways in which a server ends a command that it does not carry out.
#[derive(Clone, Copy, Debug)]
enum End {
    No,
    Bad,
    Bye,
    Closed,
}

const ENDS: [End; 4] = [End::No, End::Bad, End::Bye, End::Closed];

impl End {
    fn said(self) -> Move {
        match self {
            Self::No => say(&["{tag} NO [SERVERBUG] the disk is full"]),
            Self::Bad => say(&["{tag} BAD the disk is full"]),
            Self::Bye => say(&["* BYE the disk is full"]),
            Self::Closed => say(&[]),
        }
    }

    fn check(self, error: &SourceError) {
        let words = match (self, error) {
            (Self::No | Self::Bad, SourceError::Refused { words, .. }) => words,
            (Self::Bye, SourceError::Lost { words, .. }) => words,
            (Self::Closed, SourceError::Lost { .. }) => return,
            _ => panic!("{self:?} became {error:?}"),
        };
        assert!(words.contains("the disk is full"), "{words}");
    }
}

#[tokio::test]
async fn a_failed_search_is_an_error() {
    for end in ENDS {
        let scripted = opened(vec![answer("UID SEARCH 1:3", &["* SEARCH 5"]), end.said()]);
        let mut session = open(&scripted).await;
        end.check(&session.listing().await.expect_err("a failed SEARCH"));
        scripted.done();
    }
}

#[tokio::test]
async fn a_failed_list_is_an_error() {
    for end in ENDS {
        let scripted = logged_in(vec![
            answer("LIST \"\" \"INBOX\"", &["* LIST () \"/\" INBOX"]),
            end.said(),
        ]);
        let mut session = connect(&server(scripted.port)).await.expect("a session");
        end.check(&session.folders(&Folders::default()).await.expect_err("a failed LIST"));
        scripted.done();
    }
}

#[tokio::test]
async fn a_failed_fetch_is_an_error_and_what_came_is_kept() {
    for end in ENDS {
        let scripted = opened(vec![
            answer(
                "UID FETCH 5:7 (UID INTERNALDATE BODY.PEEK[])",
                &["* 1 FETCH (UID 5 BODY[] {3}", "one)"],
            ),
            end.said(),
        ]);
        let mut session = open(&scripted).await;
        let (got, ended) = fetch(&mut session, &[5, 6, 7]).await;
        end.check(&ended.expect_err("a failed FETCH"));
        assert_eq!(got.len(), 1);
        assert_eq!(&got[0].bytes[..], b"one");
        scripted.done();
    }
}

#[tokio::test]
async fn failed_sizes_are_an_error() {
    for end in ENDS {
        let scripted = opened(vec![
            answer("UID FETCH 5:6 (UID RFC822.SIZE)", &["* 1 FETCH (UID 5 RFC822.SIZE 10)"]),
            end.said(),
        ]);
        let mut session = open(&scripted).await;
        let copies = [CopyRef::Uid(5), CopyRef::Uid(6)];
        end.check(&session.sizes(&copies, false).await.expect_err("failed sizes"));
        scripted.done();
    }
}

#[tokio::test]
async fn a_search_that_is_ok_without_an_answer_is_no_empty_folder() {
    for found in [0, 3] {
        let lines = ["* 1 FETCH (UID 5)", "* 2 FETCH (UID 6)", "* 3 FETCH (UID 7)"];
        let scripted = opened(vec![
            ok("UID SEARCH", &[]),
            ok("FETCH 1:3 (UID)", &lines[..found]),
            ok("NOOP", &[]),
        ]);
        let mut session = open(&scripted).await;
        match session.listing().await {
            Ok(listed) => assert_eq!(
                (found, listed.copies().collect()),
                (3, [5, 6, 7].map(CopyRef::Uid).to_vec())
            ),
            Err(error) => assert_eq!((found, error.disposition()), (0, Disposition::Report), "{error}"),
        }
        scripted.done();
    }
}

#[tokio::test]
async fn a_search_that_finds_more_than_there_is_is_an_error() {
    let scripted = opened(vec![ok("UID SEARCH", &["* SEARCH 1 2 3 4"])]);
    let mut session = open(&scripted).await;
    assert!(matches!(session.listing().await, Err(SourceError::Protocol { .. })));
    drop(session);
    scripted.done();
}

#[tokio::test]
async fn a_listing_goes_from_the_highest_numbers_down_and_survives_expunges() {
    let found = |uids: std::ops::Range<u32>| {
        let uids: String = uids.map(|uid| format!(" {uid}")).collect();
        format!("* SEARCH{uids}")
    };
    let scripted = logged_in(vec![
        examine("INBOX", 12000),
        ok(
            "UID SEARCH 7001:12000",
            &[&found(17_001..20_000), &found(20_000..22_000), "* 1 EXPUNGE"],
        ),
        ok("UID SEARCH 2001:7000", &["* 1500 EXISTS", &found(17_001..17_003)]),
        ok("UID SEARCH 1:1500", &[&found(10_001..11_501)]),
    ]);
    let mut session = connect(&server(scripted.port)).await.expect("a session");
    session.open("INBOX").await.expect("INBOX");
    let listed = listed(&mut session).await;
    let expected = (10_001..11_501).chain(17_001..22_000);
    assert!(listed.into_iter().eq(expected.map(CopyRef::Uid)));
    scripted.done();
}

#[tokio::test]
async fn what_a_search_leaves_out_is_asked_for_by_number() {
    let scripted = opened(vec![
        ok("UID SEARCH 1:3", &["* SEARCH 6"]),
        ok(
            "FETCH 1:3 (UID)",
            &["* 1 FETCH (UID 5)", "* 2 FETCH (UID 6)", "* 3 FETCH (UID 7)"],
        ),
        ok("NOOP", &[]),
    ]);
    let mut session = open(&scripted).await;
    let listed = listed(&mut session).await;
    assert_eq!(listed, [5, 6, 7].map(CopyRef::Uid));
    scripted.done();
}

#[tokio::test]
async fn a_message_that_was_expunged_during_a_search_is_not_left_out() {
    for (searched, noted) in [
        (vec!["* SEARCH 5 7", "* 2 EXPUNGE"], vec![]),
        (vec!["* SEARCH 5 7"], vec!["* 2 EXPUNGE"]),
    ] {
        let mut script = vec![ok("UID SEARCH 1:3", &searched)];
        if !noted.is_empty() {
            script.extend([
                ok("FETCH 1:3 (UID)", &["* 1 FETCH (UID 5)", "* 3 FETCH (UID 7)"]),
                ok("NOOP", &noted),
            ]);
        }
        let scripted = opened(script);
        let mut session = open(&scripted).await;
        let listed = listed(&mut session).await;
        assert_eq!(listed, [5, 7].map(CopyRef::Uid));
        scripted.done();
    }
}

#[tokio::test]
async fn a_search_that_leaves_messages_out_is_an_error() {
    let scripted = opened(vec![
        ok("UID SEARCH 1:3", &["* SEARCH 5 5 7"]),
        ok("FETCH 1:3 (UID)", &["* 1 FETCH (UID 5)"]),
        ok("NOOP", &[]),
    ]);
    let mut session = open(&scripted).await;
    let error = session.listing().await.expect_err("one is missing");
    assert!(error.to_string().contains("leaves out 1 of the 3"), "{error}");
    scripted.done();
}

#[tokio::test]
async fn an_empty_folder_is_not_searched() {
    let scripted = logged_in(vec![examine("INBOX", 0), ok("LOGOUT", &["* BYE bye"])]);
    let mut session = connect(&server(scripted.port)).await.expect("a session");
    session.open("INBOX").await.expect("INBOX");
    assert_eq!(listed(&mut session).await, []);
    session.close().await.expect("a farewell");
    scripted.done();
}

#[tokio::test]
async fn a_folder_without_uidvalidity_is_not_opened() {
    let scripted = logged_in(vec![answer("EXAMINE", &["* 1 EXISTS", "{tag} OK open"])]);
    let mut session = connect(&server(scripted.port)).await.expect("a session");
    assert!(matches!(session.open("INBOX").await, Err(SourceError::Nameless { .. })));
    scripted.done();
}

/// Courier-IMAP 5.0.13: UIDs of new mail last only when the folder was opened for writing.
#[tokio::test]
async fn a_folder_that_does_not_say_its_next_uid_is_opened_for_writing() {
    for rights in ["READ-WRITE", "READ-ONLY"] {
        let scripted = logged_in(vec![
            answer(
                "EXAMINE \"INBOX\"",
                &["* 1 EXISTS", "* OK [UIDVALIDITY 5] Ok", "{tag} OK [READ-ONLY] Ok"],
            ),
            answer(
                "SELECT \"INBOX\"",
                &[
                    "* 2 EXISTS",
                    "* OK [UIDVALIDITY 6] Ok",
                    &format!("{{tag}} OK [{rights}] Ok"),
                ],
            ),
        ]);
        let mut session = connect(&server(scripted.port)).await.expect("a session");
        match session.open("INBOX").await {
            Ok(folder) => assert_eq!((rights, folder.uidvalidity, folder.exists), ("READ-WRITE", Some(6), 2)),
            Err(error) => {
                assert_eq!(rights, "READ-ONLY");
                assert!(error.to_string().contains("UIDs do not last"), "{error}");
                assert_eq!(error.disposition(), Disposition::Report);
            }
        }
        drop(session);
        scripted.done();
    }
}

#[tokio::test]
async fn sizes_come_in_the_order_asked_and_the_unanswered_are_absent() {
    let scripted = opened(vec![ok(
        "UID FETCH 9,5:6 (UID RFC822.SIZE)",
        &[
            "* 2 FETCH (UID 6 RFC822.SIZE 60 FLAGS (\\Seen))",
            "* 4 FETCH (UID 44 RFC822.SIZE 1)",
            "* 3 FETCH (FLAGS ())",
            "* 3 FETCH (RFC822.SIZE 90 UID 9)",
        ],
    )]);
    let mut session = open(&scripted).await;
    let announced = session.sizes(&[9, 5, 6].map(CopyRef::Uid), false).await.expect("sizes");
    let found: Vec<_> = announced.iter().map(|one| (one.copy.clone(), one.size)).collect();
    assert_eq!(found, [(CopyRef::Uid(9), 90), (CopyRef::Uid(6), 60)]);
    scripted.done();
}

#[tokio::test]
async fn a_fetch_says_which_copies_did_not_come_and_why() {
    let scripted = opened(vec![
        answer(
            "UID FETCH 5:9 (UID INTERNALDATE BODY.PEEK[])",
            &["* 1 FETCH (UID 5 INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" BODY[] {5}"],
        ),
        say_raw(b"a\r\n\xff\0)\r\n"),
        say(&[
            "* 2 FETCH (UID 6 BODY[] NIL)",
            "* 3 FETCH (FLAGS (\\Seen) UID 7)",
            "* 1 FETCH (UID 5 BODY[] {1}",
            "x)",
            "* 4 FETCH (UID 99 BODY[] {1}",
            "x)",
            "* 4 FETCH (BODY[] \"\" UID 8)",
            "* 5 FETCH (BODY[] {0}",
            " UID 9)",
            "* 6 EXISTS",
            "{tag} OK done",
        ]),
    ]);
    let mut session = open(&scripted).await;
    let (got, ended) = fetch(&mut session, &[5, 6, 7, 8, 9]).await;
    let got: Vec<_> = got
        .iter()
        .map(|one| (one.copy.clone(), &one.bytes[..], one.internal_date))
        .collect();
    assert_eq!(
        got,
        [
            (CopyRef::Uid(5), &b"a\r\n\xff\0"[..], Some(837_596_665)),
            (CopyRef::Uid(8), b"", None),
            (CopyRef::Uid(9), b"", None),
        ]
    );
    let expected = [
        unfetched(6, UnfetchedWhy::NoBody),
        unfetched(7, UnfetchedWhy::NotAnswered),
    ];
    assert_eq!(ended.expect("the command is OK"), expected);
    scripted.done();
}

#[tokio::test]
async fn headers_are_fetched_by_themselves() {
    let scripted = opened(vec![
        answer(
            "UID FETCH 5:6 (UID INTERNALDATE BODY.PEEK[HEADER])",
            &["* 1 FETCH (UID 5 BODY[HEADER] {9}"],
        ),
        say_raw(b"To: a\r\n\r\n)\r\n"),
        say(&["* 2 FETCH (UID 6 BODY[] {1}", "x)", "{tag} OK done"]),
    ]);
    let mut session = open(&scripted).await;
    assert!(session.can_fetch_headers());
    let (got, ended) = fetched(&mut session, &window(&[5, 6]), Want::Header).await;
    // A whole body is not what was asked for.
    assert_eq!(
        ended.expect("the command is OK"),
        [unfetched(6, UnfetchedWhy::NotAnswered)]
    );
    assert_eq!(got.len(), 1);
    assert_eq!(&got[0].bytes[..], b"To: a\r\n\r\n");
    scripted.done();
}

#[tokio::test]
async fn a_literal_shorter_than_its_bytes_is_no_imap() {
    let scripted = opened(vec![ok("UID FETCH 5 ", &["* 1 FETCH (UID 5 BODY[] {1}", "xyz)"])]);
    let mut session = open(&scripted).await;
    let (got, ended) = fetch(&mut session, &[5]).await;
    assert!(matches!(ended, Err(SourceError::Protocol { .. })), "{ended:?}");
    assert!(got.is_empty());
    drop(session);
    scripted.done();
}

#[tokio::test]
async fn folders_are_listed_as_people_read_them() {
    let scripted = logged_in(vec![
        ok(
            "LIST \"\" \"*\"",
            &[
                "* LIST (\\HasNoChildren) \"/\" Entw&APw-rfe",
                "* LIST (\\Noselect) \"/\" Public",
                "* LIST () \"/\" \"Public/Tom & Jerry\"",
                "* LIST () \"/\" \"a \\\"b\\\"\"",
                "* LIST () \"/\" Trash/2020",
                "* LIST () \"/\" inbox",
            ],
        ),
        ok("LIST \"\" \"INBOX\"", &["* LIST () \"/\" INBOX"]),
        ok("LIST \"\" \"Archvie\"", &[]),
        examine("Entw&APw-rfe", 0),
        examine("Public/Tom & Jerry", 0),
        answer(
            "EXAMINE \"a \\\"b\\\"\"",
            &[
                "* 0 EXISTS",
                "* OK [UIDVALIDITY 1] valid",
                "* OK [UIDNEXT 902] next",
                "{tag} OK open",
            ],
        ),
        answer("EXAMINE \"Archvie\"", &["{tag} NO [NONEXISTENT] no such folder"]),
    ]);
    let mut session = connect(&server(scripted.port)).await.expect("a session");
    let patterns = Folders {
        include: ["*", "INBOX", "Archvie"].map(String::from).to_vec(),
        exclude: vec!["Trash/%".into()],
        ..Folders::default()
    };
    let folders = session.folders(&patterns).await.expect("folders");
    assert_eq!(
        folders,
        ["INBOX", "Archvie", "Entwürfe", "Public/Tom & Jerry", "a \"b\""]
    );
    for folder in ["Entwürfe", "Public/Tom & Jerry", "a \"b\""] {
        session.open(folder).await.expect(folder);
    }
    let error = session.open("Archvie").await.expect_err("no such folder");
    assert!(matches!(&error, SourceError::Refused { words, .. } if words.contains("no such folder")));
    assert_eq!(error.disposition(), Disposition::Report);
    scripted.done();
}
