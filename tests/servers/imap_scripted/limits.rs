//! What a server may send, and how long it may be silent.

use dropkeep::source::{Announced, CopyRef, Disposition, SourceError, UnfetchedWhy, Want};

use crate::{
    imap_scripted::{fetch, open, opened, server, unfetched},
    scripted::{Move, answer, hear, ok, say_raw},
    session::{SILENCE, connect, fetched},
};

#[tokio::test]
async fn a_large_literal_comes_through_whole() {
    let body: Vec<u8> = (0..3_000_000u32).map(|n| (n % 251) as u8).collect();
    let head = format!("* 1 FETCH (UID 5 BODY[] {{{}}}\r\n", body.len());
    let answer = [head.as_bytes(), &body, b")\r\n{tag} OK done\r\n"].concat();
    let scripted = opened(vec![hear("UID FETCH 5 "), say_raw(&answer)]);
    let mut session = open(&scripted).await;
    let (got, ended) = fetch(&mut session, &[5]).await;
    // 100 bytes were announced, and the margin for servers that miscount is some MiB at most.
    assert!(matches!(ended, Err(SourceError::TooMuch { .. })), "{ended:?}");
    assert!(got.is_empty());
    drop(session);
    scripted.done();

    let scripted = opened(vec![hear("UID FETCH 5 "), say_raw(&answer)]);
    let mut session = open(&scripted).await;
    let copy = CopyRef::Uid(5);
    let window = [Announced {
        copy,
        size: body.len() as u64,
        facts: None,
    }];
    let (got, ended) = fetched(&mut session, &window, Want::Whole).await;
    assert_eq!(ended.expect("the command is OK"), []);
    assert!(got[0].bytes == body);
    scripted.done();
}

#[tokio::test]
async fn a_literal_larger_than_announced_is_refused_before_it_is_buffered() {
    let scripted = opened(vec![
        answer("UID FETCH 5 ", &["* 1 FETCH (UID 5 BODY[] {500000000}"]),
        Move::Hang,
    ]);
    let mut session = open(&scripted).await;
    let (_, ended) = fetch(&mut session, &[5]).await;
    let error = ended.expect_err("too much");
    assert!(matches!(error, SourceError::TooMuch { .. }), "{error:?}");
    assert_eq!(error.disposition(), Disposition::Reconnect);
    drop(session);
    scripted.done();
}

#[tokio::test]
async fn a_line_without_end_is_aborted() {
    let mut line = b"* OK ".to_vec();
    line.resize(3 << 20, b'x');
    let scripted = opened(vec![hear("UID SEARCH"), say_raw(&line), Move::Hang]);
    let mut session = open(&scripted).await;
    let error = session.listing().await.expect_err("too much");
    assert!(matches!(error, SourceError::TooMuch { .. }), "{error:?}");
    drop(session);
    scripted.done();
}

#[tokio::test]
async fn what_is_not_understood_shows_no_mail() {
    for (nonsense, shown) in [
        (
            "* 1 FETCH UID 5 BODY[] {12}\r\nconfidential)",
            "* 1 FETCH UID 5 BODY[] {12}…)",
        ),
        (
            "* 1 FETCH (UID 5 BODY[] {12}\r\nconfidential) ((",
            "* 1 FETCH (UID 5 BODY[] {12}…) ((",
        ),
        (
            "* 1 FETCH (UID 5 BODY[1] {12}\r\nconfidential BODY[] what)",
            "* 1 FETCH (UID 5 BODY[1] {12}… BODY[] what)",
        ),
    ] {
        let scripted = opened(vec![ok("UID FETCH 5 ", &[nonsense])]);
        let mut session = open(&scripted).await;
        let (got, ended) = fetch(&mut session, &[5]).await;
        if got.is_empty() {
            let expected = unfetched(5, UnfetchedWhy::NotUnderstood(format!("“{shown}”")));
            assert_eq!(ended.expect("the command is OK"), [expected]);
        }
        scripted.done();
    }
}

/// Zarafa 7.2 sends such; the parser panics on it.
#[tokio::test]
async fn a_date_that_is_nil_costs_the_date_alone() {
    let scripted = opened(vec![ok(
        "UID FETCH 5 ",
        &["* 1 FETCH (UID 5 INTERNALDATE NIL BODY[] {4}", "mail)"],
    )]);
    let mut session = open(&scripted).await;
    let (got, ended) = fetch(&mut session, &[5]).await;
    assert_eq!(ended.expect("the command is OK"), []);
    assert_eq!((&got[0].bytes[..], got[0].internal_date), (&b"mail"[..], None));
    scripted.done();
}

#[tokio::test]
async fn silence_is_a_timeout_and_says_during_what() {
    let scripted = opened(vec![hear("UID SEARCH"), Move::Hang]);
    let server = server(scripted.port).with_timeout(SILENCE);
    let mut session = connect(&server).await.expect("a session");
    session.open("INBOX").await.expect("INBOX");
    let error = session.listing().await.expect_err("silence");
    assert!(matches!(error, SourceError::Timeout { step: None, .. }), "{error:?}");
    assert!(error.to_string().contains("during SEARCH"), "{error}");
    drop(session);
    scripted.done();
}
