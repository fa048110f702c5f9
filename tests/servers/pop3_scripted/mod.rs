//! POP3 sessions against servers that fail, lie, lack extensions, or fall silent.

mod pipelining;
mod removal;
mod token;

use dropkeep::{
    config::{Access, Folders, Server},
    source::{
        Announced, ConnectStep, CopyRef, Disposition, Fetched, Session, SourceError, Unfetched, UnfetchedWhy, Want,
    },
};

use crate::{
    scripted::{Move, Scripted, answer, capa, hear, say, say_raw},
    session::{PASSWORD, SILENCE, connect, fetched, listed},
};

fn server(port: u16) -> Server {
    crate::session::server(Access::Pop3, port)
}

/// Greeting and login with USER and PASS, then the rest.
fn logged_in(capabilities: &[&str], rest: Vec<Move>) -> Scripted {
    Scripted::play([login(capabilities), rest].concat())
}

fn login(capabilities: &[&str]) -> Vec<Move> {
    vec![
        say(&["+OK ready"]),
        capa(capabilities),
        answer("USER all@example.com", &["+OK"]),
        answer(&format!("PASS {PASSWORD}"), &["+OK welcome"]),
        capa(capabilities),
    ]
}

/// The same, with three messages.
fn opened(capabilities: &[&str], rest: Vec<Move>) -> Scripted {
    Scripted::play(session_of(capabilities, 3, rest))
}

/// What is said in a session with so many messages of 100 bytes, whose unique ids are id-1 and so on.
fn session_of(capabilities: &[&str], messages: usize, rest: Vec<Move>) -> Vec<Move> {
    let listing = |what: &dyn Fn(usize) -> String| {
        let lines = (1..=messages).map(|number| format!("{number} {}\r\n", what(number)));
        format!("+OK\r\n{}.", lines.collect::<String>())
    };
    let opens = vec![
        answer("STAT", &[&format!("+OK {messages} {}", 100 * messages)]),
        answer("LIST", &[&listing(&|_| "100".into())]),
        answer("UIDL", &[&listing(&|number| format!("id-{number}"))]),
    ];
    [login(capabilities), opens, rest].concat()
}

const ALL: &[&str] = &["USER", "UIDL", "TOP", "PIPELINING"];

async fn open(scripted: &Scripted) -> Session {
    let mut session = connect(&server(scripted.port)).await.expect("a session");
    let folder = session.open("INBOX").await.expect("INBOX");
    assert_eq!((folder.uidvalidity, folder.exists), (None, 3));
    session
}

async fn fetch(session: &mut Session, want: Want) -> (Vec<Fetched>, Result<Vec<Unfetched>, SourceError>) {
    let window = window(session).await;
    fetched(session, &window, want).await
}

async fn window(session: &mut Session) -> Vec<Announced> {
    let listed = listed(session).await;
    session.sizes(&listed, false).await.expect("sizes")
}

fn uidl(number: u32, uidl: &str) -> CopyRef {
    let uidl = uidl.into();
    CopyRef::Uidl { number, uidl }
}

/// Courier 1.0.16 wraps mail with 8-bit headers for clients that do not say UTF8 before they log in.
#[tokio::test]
async fn a_blank_line_before_a_status_ended_the_session() {
    let scripted = Scripted::play(vec![
        say(&["", "+OK ready"]),
        answer("CAPA", &["", "+OK", "USER", ".", ""]),
        answer("USER", &["+OK", ""]),
        answer("PASS", &["+OK", ""]),
        answer("CAPA", &["+OK", "."]),
    ]);
    connect(&server(scripted.port)).await.expect("a session");
    scripted.done();
}

#[tokio::test]
async fn utf8_is_asked_for_where_it_is_offered_and_a_refusal_is_no_failure() {
    for reply in ["+OK UTF8 enabled", "-ERR not now"] {
        let scripted = Scripted::play(vec![
            say(&["+OK ready"]),
            capa(&["USER", "UTF8 USER"]),
            answer("UTF8", &[reply]),
            answer("USER all@example.com", &["+OK"]),
            answer(&format!("PASS {PASSWORD}"), &["+OK welcome"]),
            capa(&["USER", "UTF8 USER"]),
        ]);
        let session = connect(&server(scripted.port)).await.expect("a session");
        drop(session);
        scripted.done();
    }
}

#[tokio::test]
async fn pipelined_messages_are_unstuffed_and_a_refused_one_is_named() {
    let scripted = opened(
        ALL,
        vec![
            // All three are asked for before the first is answered.
            hear("RETR 1"),
            hear("RETR 2"),
            hear("RETR 3"),
            answer(
                "NOOP",
                &["+OK", "Subject: one", "", "..dot", "...", ".", "-ERR it is locked"],
            ),
            say_raw(b"+OK\r\n.\r\n"),
            say(&["+OK"]),
            answer("QUIT", &["+OK"]),
        ],
    );
    let mut session = open(&scripted).await;
    let (got, ended) = fetch(&mut session, Want::Whole).await;
    let got: Vec<_> = got.iter().map(|one| (one.copy.clone(), &one.bytes[..])).collect();
    assert_eq!(
        got,
        [
            (uidl(1, "id-1"), &b"Subject: one\r\n\r\n.dot\r\n..\r\n"[..]),
            (uidl(3, "id-3"), b"")
        ]
    );
    let refused = Unfetched {
        copy: uidl(2, "id-2"),
        why: UnfetchedWhy::Refused("it is locked".into()),
    };
    assert_eq!(ended.expect("the session goes on"), [refused]);
    session.close().await.expect("a farewell");
    scripted.done();
}

#[tokio::test]
async fn without_pipelining_each_message_waits_for_the_one_before() {
    let mut rest = Vec::new();
    for number in 1..=3 {
        rest.push(answer(&format!("TOP {number} 0"), &["+OK", "Subject: x", "", "."]));
    }
    // It does not know it, and is in step all the same.
    rest.extend([answer("NOOP", &["-ERR what?"])]);
    let scripted = opened(&["USER", "UIDL", "TOP"], rest);
    let mut session = open(&scripted).await;
    assert!(session.can_fetch_headers());
    let (got, ended) = fetch(&mut session, Want::Header).await;
    assert_eq!(ended.expect("headers"), []);
    assert!(got.iter().all(|one| &one.bytes[..] == b"Subject: x\r\n\r\n"));
    assert_eq!(got.len(), 3);
    scripted.done();
}

#[tokio::test]
async fn a_long_pipeline_is_refilled() {
    let numbers: Vec<u32> = (1..=1_200).collect();
    let listing = |what: &str| {
        let mut lines = String::from("+OK\r\n");
        for number in &numbers {
            lines.push_str(&format!("{number} {what}{number}\r\n"));
        }
        say_raw(format!("{lines}.\r\n").as_bytes())
    };
    let mut rest = vec![answer("STAT", &["+OK 1200 0"])];
    rest.extend([hear("LIST"), listing("1"), hear("UIDL"), listing("u")]);
    for number in &numbers {
        rest.push(answer(&format!("RETR {number}"), &["+OK", &format!("n{number}"), "."]));
    }
    rest.extend([answer("NOOP", &["+OK"])]);
    let scripted = logged_in(ALL, rest);
    let mut session = connect(&server(scripted.port)).await.expect("a session");
    session.open("INBOX").await.expect("INBOX");
    let (got, ended) = fetch(&mut session, Want::Whole).await;
    assert_eq!(ended.expect("messages"), []);
    let got: Vec<_> = got
        .iter()
        .map(|one| String::from_utf8_lossy(&one.bytes).into_owned())
        .collect();
    let expected: Vec<_> = numbers.iter().map(|number| format!("n{number}\r\n")).collect();
    assert_eq!(got, expected);
    scripted.done();
}

#[tokio::test]
async fn a_message_that_ended_too_early_does_not_count() {
    for behind in [&["of the message", "."][..], &["."], &[""]] {
        let scripted = opened(
            ALL,
            vec![
                hear("RETR 1"),
                hear("RETR 2"),
                hear("RETR 3"),
                answer("NOOP", &["+OK", "whole", ".", "+OK", "the half", "."]),
                say(behind),
            ],
        );
        let mut session = open(&scripted).await;
        let (got, ended) = fetch(&mut session, Want::Whole).await;
        let got: Vec<_> = got.iter().map(|one| one.copy.clone()).collect();
        assert_eq!(got, [uidl(1, "id-1")]);
        assert!(matches!(ended, Err(SourceError::Protocol { .. })), "{ended:?}");
        scripted.done();
    }
}

#[tokio::test]
async fn a_message_with_the_next_answer_in_it_does_not_count() {
    let scripted = opened(
        ALL,
        vec![
            hear("RETR 1"),
            hear("RETR 2"),
            hear("RETR 3"),
            answer(
                "NOOP",
                &["+OK", "one", "+OK next", "two", ".", "+OK", "three", ".", "+OK"],
            ),
        ],
    );
    let mut session = open(&scripted).await;
    let (got, ended) = fetch(&mut session, Want::Whole).await;
    assert!(
        got.is_empty(),
        "message 1 swallowed message 2, and an answer is missing at the end"
    );
    assert!(matches!(ended, Err(SourceError::Lost { .. })), "{ended:?}");
    scripted.done();
}

#[tokio::test]
async fn a_server_without_uidl_and_capa_gives_numbers() {
    let scripted = Scripted::play(vec![
        say(&["+OK ready"]),
        answer("CAPA", &["-ERR what?"]),
        answer("USER", &["+OK"]),
        answer("PASS", &["+OK"]),
        answer("CAPA", &["-ERR what?"]),
        answer("STAT", &["+OK 2 20"]),
        answer("LIST", &["+OK", "1 10", "2 10", "."]),
        answer("UIDL", &["-ERR what?"]),
        answer("RETR 1", &["+OK", "a", "."]),
        answer("RETR 2", &["+OK", "b", "."]),
        answer("NOOP", &["+OK"]),
    ]);
    let mut session = connect(&server(scripted.port)).await.expect("a session");
    assert_eq!(session.folders(&Folders::default()).await.expect("folders"), ["INBOX"]);
    session.open("INBOX").await.expect("INBOX");
    assert!(!session.can_fetch_headers());
    let listed = listed(&mut session).await;
    assert_eq!(listed, [CopyRef::Number(1), CopyRef::Number(2)]);
    let (got, _) = fetch(&mut session, Want::Whole).await;
    assert_eq!(got.len(), 2);
    scripted.done();
}

#[tokio::test]
async fn a_uidl_that_is_refused_though_it_is_offered_is_an_error() {
    let scripted = logged_in(
        ALL,
        vec![
            answer("STAT", &["+OK 1 20"]),
            answer("LIST", &["+OK", "1 10", "."]),
            answer("UIDL", &["-ERR [SYS/TEMP] come back later"]),
        ],
    );
    let mut session = connect(&server(scripted.port)).await.expect("a session");
    let error = session.open("INBOX").await.expect_err("no UIDL");
    assert!(
        matches!(&error, SourceError::Refused { words, .. } if words.contains("come back later")),
        "{error:?}"
    );
    scripted.done();
}

#[tokio::test]
async fn odd_listings_are_read_as_far_as_they_go() {
    let scripted = logged_in(
        ALL,
        vec![
            answer("STAT", &["+OK 5 50 octets"]),
            answer(
                "LIST",
                &["+OK 5 messages", "1 10", " 2  20 extra", "nonsense", "3 x", "."],
            ),
            hear("UIDL"),
            // The same id twice, one with a space in it, one that is missing, one that LIST lacks.
            say_raw(b"+OK\r\n1 same\r\n2 same\r\n3  with space \r\n4 \xff\r\n5\r\n.\r\n"),
            answer("LIST 3", &["+OK 3 30"]),
            answer("LIST 4", &["-ERR no such message"]),
            answer("LIST 5", &["+OK 5 50"]),
        ],
    );
    let mut session = connect(&server(scripted.port)).await.expect("a session");
    session.open("INBOX").await.expect("INBOX");
    let listed = listed(&mut session).await;
    let expected = [
        uidl(1, "same"),
        uidl(2, "same"),
        uidl(3, "with space"),
        uidl(4, "\\xff"),
        CopyRef::Number(5),
    ];
    assert_eq!(listed, expected);
    let sizes: Vec<u64> = session
        .sizes(&listed, true)
        .await
        .expect("sizes")
        .iter()
        .map(|one| one.size)
        .collect();
    assert_eq!(sizes, [10, 20, 30, 50]);
    scripted.done();
}

#[tokio::test]
async fn listings_that_fail_are_errors() {
    for (command, before) in [("LIST", vec![]), ("UIDL", vec![answer("LIST", &["+OK", "1 10", "."])])] {
        let mut rest = vec![answer("STAT", &["+OK 1 10"])];
        rest.extend(before);
        rest.extend([answer(command, &["+OK", "1 10"])]);
        let scripted = logged_in(ALL, rest);
        let mut session = connect(&server(scripted.port)).await.expect("a session");
        let error = session.open("INBOX").await.expect_err("cut off");
        assert!(
            matches!(&error, SourceError::Lost { command: lost, .. } if lost == command),
            "{error:?}"
        );
        scripted.done();
    }
}

#[tokio::test]
async fn a_connection_lost_in_the_middle_of_a_message_keeps_what_came_before() {
    let scripted = opened(
        ALL,
        vec![
            hear("RETR 1"),
            hear("RETR 2"),
            hear("RETR 3"),
            answer("NOOP", &["+OK", "whole", ".", "+OK", "half"]),
        ],
    );
    let mut session = open(&scripted).await;
    let (got, ended) = fetch(&mut session, Want::Whole).await;
    assert_eq!(got.len(), 1);
    let error = ended.expect_err("lost");
    assert!(matches!(error, SourceError::Lost { .. }), "{error:?}");
    assert_eq!(error.disposition(), Disposition::Reconnect);
    scripted.done();
}

#[tokio::test]
async fn a_message_larger_than_announced_is_aborted() {
    let scripted = opened(
        ALL,
        vec![
            hear("RETR 1"),
            hear("RETR 2"),
            hear("RETR 3"),
            hear("NOOP"),
            say_raw(&endless()),
        ],
    );
    let mut session = open(&scripted).await;
    let (got, ended) = fetch(&mut session, Want::Whole).await;
    assert!(got.is_empty());
    assert!(matches!(ended, Err(SourceError::TooMuch { .. })), "{ended:?}");
    drop(session);
    scripted.done();
}

fn endless() -> Vec<u8> {
    let mut answer = b"+OK\r\n".to_vec();
    answer.resize(4 << 20, b'x');
    answer
}

#[tokio::test]
async fn silence_is_a_timeout() {
    let scripted = opened(ALL, vec![answer("RETR 1", &["+OK", "half"]), Move::Hang]);
    let server = server(scripted.port).with_timeout(SILENCE);
    let mut session = connect(&server).await.expect("a session");
    session.open("INBOX").await.expect("INBOX");
    let (_, ended) = fetch(&mut session, Want::Whole).await;
    let error = ended.expect_err("silence");
    assert!(matches!(error, SourceError::Timeout { step: None, .. }), "{error:?}");
    assert!(error.to_string().contains("during RETR"), "{error}");
    drop(session);
    scripted.done();
}

#[tokio::test]
async fn a_refused_login_shows_the_servers_words_and_never_the_password() {
    let scripted = Scripted::play(vec![
        say(&["+OK ready"]),
        capa(ALL),
        answer("USER", &["+OK"]),
        answer("PASS", &[&format!("-ERR [AUTH] not \"{PASSWORD}\"")]),
    ]);
    let error = connect(&server(scripted.port)).await.expect_err("no login");
    let shown = format!("{error} {error:?}");
    assert!(matches!(error, SourceError::Login { .. }), "{error:?}");
    assert!(error.to_string().contains("[AUTH] not \"***\""), "{shown}");
    assert!(!shown.contains(PASSWORD));
    assert_eq!(
        (error.step(), error.disposition()),
        (Some(ConnectStep::Login), Disposition::Unreachable)
    );
    scripted.done();
}

#[tokio::test]
async fn plain_is_used_where_user_is_not_offered() {
    let scripted = Scripted::play(vec![
        say(&["+OK ready"]),
        capa(&["SASL PLAIN", "UIDL"]),
        answer("AUTH PLAIN AGFsbEBleGFtcGxlLmNvbQBodW50ZXIyLWdlaGVpbQ==", &["+OK"]),
        capa(&["UIDL", "TOP"]),
    ]);
    let session = connect(&server(scripted.port)).await.expect("a session");
    assert_eq!(session.capabilities(), ["UIDL", "TOP"]);
    scripted.done();
}

#[tokio::test]
async fn a_greeting_that_refuses_is_quoted() {
    let scripted = Scripted::play(vec![say(&["-ERR too many connections"])]);
    let error = connect(&server(scripted.port)).await.expect_err("no greeting");
    assert!(
        matches!(&error, SourceError::Greeting { words, .. } if words == "too many connections"),
        "{error:?}"
    );
    scripted.done();
}
