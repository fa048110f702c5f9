//! Deletion: DELE marks, QUIT deletes.

use dropkeep::source::{CopyRef, Kept, Removal, SourceError, Want};

use crate::pop3_scripted::{
    ALL, connect, fetch, open, opened,
    scripted::{Move, Scripted, hear, say},
    server, uidl,
};

fn refused(words: &str) -> Kept {
    Kept::Refused(words.into())
}

#[tokio::test]
async fn a_quit_that_is_refused_or_lost_is_an_error() {
    for end in [say(&["-ERR some were not deleted"]), say(&[])] {
        let scripted = opened(ALL, vec![hear("DELE 2"), say(&["+OK"]), hear("QUIT"), end]);
        let mut session = open(&scripted).await;
        let removed = session.remove(&[uidl(2, "b")], Removal::Delete).await.expect("marks");
        assert_eq!(removed.gone, [uidl(2, "b")]);
        session.close().await.expect_err("not deleted");
        scripted.done();
    }
}

#[tokio::test]
async fn a_mark_that_is_refused_keeps_the_message() {
    for (capabilities, moves) in [
        (
            ALL,
            vec![
                hear("DELE 1"),
                hear("DELE 2"),
                hear("DELE 3"),
                say(&["+OK", "-ERR it is locked", "+OK"]),
            ],
        ),
        (
            &["USER", "UIDL"][..],
            vec![
                hear("DELE 1"),
                say(&["+OK"]),
                hear("DELE 2"),
                say(&["-ERR it is locked"]),
                hear("DELE 3"),
                say(&["+OK"]),
            ],
        ),
    ] {
        let mut moves = moves;
        moves.extend([hear("QUIT"), say(&["+OK bye"])]);
        let scripted = opened(capabilities, moves);
        let mut session = open(&scripted).await;
        let copies = [uidl(1, "a"), uidl(2, "b"), uidl(3, "c"), uidl(1, "a")];
        let removed = session.remove(&copies, Removal::Delete).await.expect("marks");
        assert_eq!(removed.gone, [uidl(1, "a"), uidl(3, "c")]);
        assert_eq!(removed.kept, [(uidl(2, "b"), refused("it is locked"))]);
        session.close().await.expect("deleted");
        scripted.done();
    }
}

#[tokio::test]
async fn a_number_of_another_session_deletes_no_other_message() {
    let scripted = opened(ALL, vec![hear("DELE 3"), say(&["+OK"]), Move::Hang]);
    let mut session = open(&scripted).await;
    // What was message 1 is message 3 now; "gone" stands nowhere, and a bare number proves nothing.
    let copies = [uidl(1, "c"), uidl(2, "gone"), CopyRef::Number(2), CopyRef::Uid(1)];
    let removed = session.remove(&copies, Removal::Delete).await.expect("marks");
    assert_eq!(removed.gone, [uidl(1, "c")]);
    assert_eq!(removed.kept.len(), 3);
    assert_eq!(removed.kept[0], (uidl(2, "gone"), Kept::Vanished));
    assert!(matches!(removed.kept[1].1, Kept::Refused(_)));
    assert!(matches!(removed.kept[2].1, Kept::Refused(_)));
    drop(session);
    scripted.done();
}

#[tokio::test]
async fn a_unique_id_that_stands_twice_deletes_neither() {
    let scripted = crate::pop3_scripted::logged_in(
        ALL,
        vec![
            hear("STAT"),
            say(&["+OK 2 20"]),
            hear("LIST"),
            say(&["+OK", "1 10", "2 10", "."]),
            hear("UIDL"),
            say(&["+OK", "1 same", "2 same", "."]),
            Move::Hang,
        ],
    );
    let mut session = connect(&server(scripted.port)).await.expect("a session");
    session.open_for_removal("INBOX").await.expect("INBOX");
    let removed = session
        .remove(&[uidl(1, "same")], Removal::Delete)
        .await
        .expect("nothing");
    assert!(removed.gone.is_empty());
    assert!(matches!(&removed.kept[0].1, Kept::Refused(words) if words.contains("twice")));
    drop(session);
    scripted.done();
}

#[tokio::test]
async fn without_unique_ids_what_this_session_fetched_can_be_deleted() {
    let scripted: Scripted = crate::pop3_scripted::logged_in(
        &["USER"],
        vec![
            hear("STAT"),
            say(&["+OK 1 10"]),
            hear("LIST"),
            say(&["+OK", "1 10", "."]),
            hear("UIDL"),
            say(&["-ERR what?"]),
            hear("RETR 1"),
            say(&["+OK", "a", "."]),
            hear("NOOP"),
            say(&["+OK"]),
            hear("DELE 1"),
            say(&["+OK"]),
        ],
    );
    let mut session = connect(&server(scripted.port)).await.expect("a session");
    session.open("INBOX").await.expect("INBOX");
    let copies = [CopyRef::Number(1)];
    let removed = session.remove(&copies, Removal::Delete).await.expect("nothing");
    assert!(removed.gone.is_empty(), "it was not fetched yet");
    let (got, _) = fetch(&mut session, Want::Whole).await;
    assert_eq!(got.len(), 1);
    let removed = session.remove(&copies, Removal::Delete).await.expect("a mark");
    assert_eq!(removed.gone, copies);
    scripted.done();
}

#[tokio::test]
async fn pop3_moves_nothing() {
    let scripted = opened(ALL, vec![Move::Hang]);
    let mut session = open(&scripted).await;
    let moved = session.remove(&[uidl(1, "a")], Removal::Move("Archive")).await;
    let error = moved.expect_err("no folders");
    assert!(matches!(error, SourceError::Refused { .. }), "{error:?}");
    assert!(error.to_string().contains("Archive"), "{error}");
    assert!(!session.has_uidplus());
    drop(session);
    scripted.done();
}

#[tokio::test]
async fn a_server_that_deletes_what_was_read_is_warned_of() {
    let capabilities = &["USER", "UIDL", "EXPIRE 0", "LOGIN-DELAY 900"];
    let scripted = opened(capabilities, vec![Move::Hang]);
    let session = open(&scripted).await;
    let warnings = session.warnings();
    assert_eq!(warnings.len(), 2);
    assert!(
        warnings[0].contains("EXPIRE 0") && warnings[1].contains("900"),
        "{warnings:?}"
    );
    drop(session);
    scripted.done();
}
