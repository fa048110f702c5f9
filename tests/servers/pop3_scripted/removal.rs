//! Deletion: DELE marks, QUIT deletes.

use dropkeep::source::{CopyRef, Kept, Removal, SourceError, Want};

use crate::{
    pop3_scripted::{ALL, fetch, logged_in, open, opened, server, uidl},
    scripted::{Move, answer, hear, say},
    session::connect,
};

fn refused(words: &str) -> Kept {
    Kept::Refused(words.into())
}

#[tokio::test]
async fn a_quit_that_is_refused_or_lost_is_an_error() {
    for end in [say(&["-ERR some were not deleted"]), say(&[])] {
        let scripted = opened(ALL, vec![answer("DELE 2", &["+OK"]), hear("QUIT"), end]);
        let mut session = open(&scripted).await;
        let removed = session
            .remove(&[uidl(2, "id-2")], Removal::Delete)
            .await
            .expect("marks");
        assert_eq!(removed.gone, [uidl(2, "id-2")]);
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
                answer("DELE 3", &["+OK", "-ERR it is locked", "+OK"]),
            ],
        ),
        (
            &["USER", "UIDL"][..],
            vec![
                answer("DELE 1", &["+OK"]),
                answer("DELE 2", &["-ERR it is locked"]),
                answer("DELE 3", &["+OK"]),
            ],
        ),
    ] {
        let mut moves = moves;
        moves.extend([answer("QUIT", &["+OK bye"])]);
        let scripted = opened(capabilities, moves);
        let mut session = open(&scripted).await;
        let copies = [uidl(1, "id-1"), uidl(2, "id-2"), uidl(3, "id-3"), uidl(1, "id-1")];
        let removed = session.remove(&copies, Removal::Delete).await.expect("marks");
        assert_eq!(removed.gone, [uidl(1, "id-1"), uidl(3, "id-3")]);
        assert_eq!(removed.kept, [(uidl(2, "id-2"), refused("it is locked"))]);
        session.close().await.expect("deleted");
        scripted.done();
    }
}

#[tokio::test]
async fn a_number_of_another_session_deletes_no_other_message() {
    let scripted = opened(ALL, vec![answer("DELE 3", &["+OK"]), Move::Hang]);
    let mut session = open(&scripted).await;
    // What was message 1 is message 3 now; "gone" stands nowhere, and a bare number proves nothing.
    let copies = [uidl(1, "id-3"), uidl(2, "gone"), CopyRef::Number(2), CopyRef::Uid(1)];
    let removed = session.remove(&copies, Removal::Delete).await.expect("marks");
    assert_eq!(removed.gone, [uidl(1, "id-3")]);
    assert_eq!(removed.kept.len(), 3);
    assert_eq!(removed.kept[0], (uidl(2, "gone"), Kept::Vanished));
    assert!(matches!(removed.kept[1].1, Kept::Refused(_)));
    assert!(matches!(removed.kept[2].1, Kept::Refused(_)));
    drop(session);
    scripted.done();
}

#[tokio::test]
async fn a_unique_id_that_stands_twice_deletes_neither() {
    let scripted = logged_in(
        ALL,
        vec![
            answer("STAT", &["+OK 2 20"]),
            answer("LIST", &["+OK", "1 10", "2 10", "."]),
            answer("UIDL", &["+OK", "1 same", "2 same", "."]),
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
    let scripted = logged_in(
        &["USER"],
        vec![
            answer("STAT", &["+OK 1 10"]),
            answer("LIST", &["+OK", "1 10", "."]),
            answer("UIDL", &["-ERR what?"]),
            answer("RETR 1", &["+OK", "a", "."]),
            answer("NOOP", &["+OK"]),
            answer("DELE 1", &["+OK"]),
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
    let moved = session.remove(&[uidl(1, "id-1")], Removal::Move("Archive")).await;
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
