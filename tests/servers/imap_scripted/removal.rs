//! Deletion and moves, and servers that refuse them, lie about them, or go away meanwhile.

use dropkeep::source::{CopyRef, Disposition, Kept, Removal, Removed, Session, SourceError};

use crate::{
    imap_scripted::{able_to, logged_in, open, opened, server},
    scripted::{Move, Scripted, answer, hear, ok, say},
    session::connect,
};

/// Greeting, login, and INBOX opened for removal.
fn selected(capabilities: &str, rest: Vec<Move>) -> Scripted {
    let opens = answer(
        "SELECT \"INBOX\"",
        &[
            "* 3 EXISTS",
            "* OK [UIDVALIDITY 77] valid",
            "{tag} OK [READ-WRITE] open",
        ],
    );
    able_to(capabilities, [vec![opens], rest].concat())
}

async fn remove(scripted: &Scripted, uids: &[u32], how: Removal<'_>) -> Result<Removed, SourceError> {
    let mut session = connect(&server(scripted.port)).await.expect("a session");
    session.open_for_removal("INBOX").await.expect("INBOX");
    let copies: Vec<_> = uids.iter().copied().map(CopyRef::Uid).collect();
    session.remove(&copies, how).await
}

fn gone(uids: &[u32]) -> Vec<CopyRef> {
    uids.iter().copied().map(CopyRef::Uid).collect()
}

fn kept(kept: &[(u32, Kept)]) -> Vec<(CopyRef, Kept)> {
    kept.iter()
        .map(|(uid, why)| (CopyRef::Uid(*uid), why.clone()))
        .collect()
}

#[tokio::test]
async fn flagged_messages_stay_and_only_what_was_asked_for_is_expunged() {
    let scripted = selected(
        "UIDPLUS",
        vec![
            ok("UID SEARCH UID 5:8", &["* SEARCH 5 6 7"]),
            ok("UID FETCH 8 (UID FLAGS)", &[]),
            ok("UID SEARCH UID 5:8 FLAGGED", &["* SEARCH 6"]),
            ok("UID SEARCH UID 5,7 DELETED", &["* SEARCH"]),
            // Somebody flags 7 in between.
            ok(
                "UID STORE 5,7 +FLAGS (\\Deleted)",
                &[
                    "* 1 FETCH (UID 5 FLAGS (\\Seen \\Deleted))",
                    "* 3 FETCH (FLAGS (\\flagged \\Deleted) UID 7)",
                ],
            ),
            ok("UID STORE 7 -FLAGS (\\Deleted)", &[]),
            ok("UID EXPUNGE 5", &["* 1 EXPUNGE"]),
            ok("UID SEARCH UID 5,7 DELETED", &["* SEARCH"]),
            ok("UID SEARCH UID 5", &["* SEARCH"]),
            ok("UID FETCH 5 (UID FLAGS)", &[]),
        ],
    );
    let removed = remove(&scripted, &[8, 5, 6, 7, 5], Removal::Delete)
        .await
        .expect("removed");
    assert_eq!(removed.gone, gone(&[5]));
    assert_eq!(
        removed.kept,
        kept(&[(8, Kept::Vanished), (6, Kept::Flagged), (7, Kept::Flagged)])
    );
    scripted.done();
}

#[tokio::test]
async fn where_the_marks_are_not_answered_flags_are_asked_for_again() {
    let scripted = selected(
        "UIDPLUS",
        vec![
            ok("UID SEARCH UID 5:6", &["* SEARCH 5 6"]),
            ok("UID SEARCH UID 5:6 FLAGGED", &["* SEARCH"]),
            ok("UID SEARCH UID 5:6 DELETED", &["* SEARCH"]),
            ok(
                "UID STORE 5:6 +FLAGS (\\Deleted)",
                &["* 1 FETCH (UID 5 FLAGS (\\Deleted))"],
            ),
            ok(
                "UID FETCH 6 (UID FLAGS)",
                &["* 2 FETCH (UID 6 FLAGS (\\Flagged \\Deleted))"],
            ),
            ok("UID STORE 6 -FLAGS (\\Deleted)", &[]),
            ok("UID EXPUNGE 5", &["* 1 EXPUNGE"]),
            ok("UID SEARCH UID 5:6 DELETED", &["* SEARCH"]),
            ok("UID SEARCH UID 5", &["* SEARCH"]),
            ok("UID FETCH 5 (UID FLAGS)", &[]),
        ],
    );
    let removed = remove(&scripted, &[5, 6], Removal::Delete).await.expect("removed");
    assert_eq!((removed.gone, removed.kept), (gone(&[5]), kept(&[(6, Kept::Flagged)])));
    scripted.done();
}

/// Up to the mark of 5 and 6, of which 6 was marked by somebody before.
fn marked() -> Vec<Move> {
    vec![
        ok("UID SEARCH UID 5:6", &["* SEARCH 5 6"]),
        ok("UID SEARCH UID 5:6 FLAGGED", &["* SEARCH"]),
        ok("UID SEARCH UID 5:6 DELETED", &["* SEARCH 6"]),
        ok(
            "UID STORE 5:6 +FLAGS (\\Deleted)",
            &[
                "* 1 FETCH (UID 5 FLAGS (\\Deleted))",
                "* 2 FETCH (UID 6 FLAGS (\\Deleted))",
            ],
        ),
    ]
}

#[tokio::test]
async fn without_uidplus_the_folder_is_expunged_where_nothing_else_goes_with_it() {
    let mut moves = marked();
    moves.extend([
        ok("UID SEARCH DELETED", &["* SEARCH 6 5"]),
        ok(" EXPUNGE", &["* 1 EXPUNGE", "* 1 EXPUNGE"]),
        ok("UID SEARCH UID 5 DELETED", &["* SEARCH"]),
        ok("UID SEARCH UID 5:6", &["* SEARCH"]),
        ok("UID FETCH 5:6 (UID FLAGS)", &[]),
    ]);
    let scripted = selected("IDLE", moves);
    let removed = remove(&scripted, &[5, 6], Removal::Delete).await.expect("removed");
    assert_eq!((removed.gone, removed.kept), (gone(&[5, 6]), vec![]));
    scripted.done();
}

#[tokio::test]
async fn without_uidplus_nothing_is_expunged_where_others_are_marked_too() {
    let mut moves = marked();
    moves.extend([
        ok("UID SEARCH DELETED", &["* SEARCH 2 5 6"]),
        ok("UID SEARCH UID 5 DELETED", &["* SEARCH 5"]),
        // Not 6, which is somebody else's mark.
        ok("UID STORE 5 -FLAGS (\\Deleted)", &[]),
        ok("LOGOUT", &["* BYE bye"]),
    ]);
    let scripted = selected("IDLE", moves);
    let mut session = connect(&server(scripted.port)).await.expect("a session");
    session.open_for_removal("INBOX").await.expect("INBOX");
    assert!(!session.has_uidplus());
    let removed = session.remove(&gone(&[5, 6]), Removal::Delete).await.expect("removed");
    assert_eq!(
        (removed.gone, removed.kept),
        (vec![], kept(&[(5, Kept::NotAlone), (6, Kept::NotAlone)]))
    );
    session.close().await.expect("a farewell");
    scripted.done();
}

#[tokio::test]
async fn a_refused_expunge_takes_our_marks_back() {
    for refusal in ["{tag} NO [NOPERM] no", "{tag} BAD no"] {
        let mut moves = marked();
        moves.extend([
            answer("UID EXPUNGE 5:6", &[refusal]),
            ok("UID SEARCH UID 5 DELETED", &["* SEARCH 5"]),
            ok("UID STORE 5 -FLAGS (\\Deleted)", &[]),
            ok("UID SEARCH UID 5:6", &["* SEARCH 5 6"]),
        ]);
        let scripted = selected("UIDPLUS", moves);
        let error = remove(&scripted, &[5, 6], Removal::Delete).await.expect_err("refused");
        assert!(
            matches!(&error, SourceError::Refused { command, .. } if command == "EXPUNGE"),
            "{error:?}"
        );
        assert_eq!(error.disposition(), Disposition::Report);
        scripted.done();
    }
}

#[tokio::test]
async fn a_refused_mark_is_taken_back_where_it_took_hold() {
    let moves = vec![
        ok("UID SEARCH UID 5", &["* SEARCH 5"]),
        ok("UID SEARCH UID 5 FLAGGED", &["* SEARCH"]),
        ok("UID SEARCH UID 5 DELETED", &["* SEARCH"]),
        answer("UID STORE 5 +FLAGS (\\Deleted)", &["{tag} NO some failed"]),
        ok("UID SEARCH UID 5 DELETED", &["* SEARCH 5"]),
        ok("UID STORE 5 -FLAGS (\\Deleted)", &[]),
        ok("UID SEARCH UID 5", &["* SEARCH 5"]),
    ];
    let scripted = selected("UIDPLUS", moves);
    let error = remove(&scripted, &[5], Removal::Delete).await.expect_err("refused");
    assert!(matches!(error, SourceError::Refused { .. }), "{error:?}");
    scripted.done();
}

#[tokio::test]
async fn a_session_lost_after_the_marks_says_that_they_may_be_there() {
    for end in [say(&["* BYE shutting down"]), say(&[])] {
        let mut moves = marked();
        moves.extend([hear("UID EXPUNGE 5:6"), end]);
        let scripted = selected("UIDPLUS", moves);
        let error = remove(&scripted, &[5, 6], Removal::Delete).await.expect_err("lost");
        assert_eq!(error.disposition(), Disposition::Reconnect);
        assert!(error.to_string().contains("\\Deleted"), "{error}");
        scripted.done();
    }
}

#[tokio::test]
async fn what_stands_after_an_expunge_is_not_gone() {
    let mut moves = marked();
    moves.extend([
        ok("UID EXPUNGE 5:6", &["* 2 EXPUNGE"]),
        ok("UID SEARCH UID 5 DELETED", &["* SEARCH 5"]),
        ok("UID STORE 5 -FLAGS (\\Deleted)", &[]),
        ok("UID SEARCH UID 5:6", &["* SEARCH 5"]),
        ok("UID FETCH 6 (UID FLAGS)", &[]),
    ]);
    let scripted = selected("UIDPLUS", moves);
    let removed = remove(&scripted, &[5, 6], Removal::Delete).await.expect("removed");
    assert_eq!((removed.gone, removed.kept), (gone(&[6]), kept(&[(5, Kept::Standing)])));
    scripted.done();
}

#[tokio::test]
async fn what_was_expunged_counted_as_kept_where_the_search_behind_it_was_refused() {
    let mut moves = marked();
    moves.extend([
        ok("UID EXPUNGE 5:6", &["* 2 EXPUNGE"]),
        ok("UID SEARCH UID 5 DELETED", &["* SEARCH"]),
        answer("UID SEARCH UID 5:6", &["{tag} NO [SERVERBUG] not now"]),
        ok("UID FETCH 5:6 (UID FLAGS)", &["* 1 FETCH (UID 5 FLAGS ())"]),
    ]);
    let scripted = selected("UIDPLUS", moves);
    let removed = remove(&scripted, &[5, 6], Removal::Delete).await.expect("removed");
    assert_eq!((removed.gone, removed.kept), (gone(&[6]), kept(&[(5, Kept::Standing)])));
    scripted.done();
}

#[tokio::test]
async fn a_search_that_says_nothing_or_too_much_deletes_nothing() {
    let scripted = selected("UIDPLUS", vec![ok("UID SEARCH UID 5", &["* SEARCH 5 99"])]);
    let error = remove(&scripted, &[5], Removal::Delete).await.expect_err("in doubt");
    assert!(matches!(error, SourceError::Protocol { .. }), "{error:?}");
    scripted.done();
    let silent = vec![
        ok("UID SEARCH UID 5", &[]),
        ok("UID FETCH 5 (UID FLAGS)", &[]),
        ok("UID SEARCH UID 5 FLAGGED", &["* SEARCH"]),
    ];
    let scripted = selected("UIDPLUS", silent);
    let removed = remove(&scripted, &[5], Removal::Delete).await.expect("an answer");
    assert_eq!((removed.gone, removed.kept), (vec![], kept(&[(5, Kept::Vanished)])));
    scripted.done();
}

#[tokio::test]
async fn a_move_makes_the_folder_that_is_missing() {
    let scripted = selected(
        "MOVE UIDPLUS",
        vec![
            ok("UID SEARCH UID 5:7", &["* SEARCH 5 6 7"]),
            ok("UID SEARCH UID 5:7 FLAGGED", &["* SEARCH 6"]),
            answer(
                "UID MOVE 5,7 \"Gel&APY-scht\"",
                &["{tag} NO [TRYCREATE] no such folder"],
            ),
            ok("CREATE \"Gel&APY-scht\"", &[]),
            ok(
                "UID MOVE 5,7 \"Gel&APY-scht\"",
                &["* OK [COPYUID 1 5,7 1:2] moved", "* 1 EXPUNGE", "* 2 EXPUNGE"],
            ),
            ok("UID SEARCH UID 5,7", &["* SEARCH 7"]),
            ok("UID FETCH 5 (UID FLAGS)", &[]),
        ],
    );
    let removed = remove(&scripted, &[5, 6, 7], Removal::Move("Gelöscht"))
        .await
        .expect("moved");
    assert_eq!(
        (removed.gone, removed.kept),
        (gone(&[5]), kept(&[(6, Kept::Flagged), (7, Kept::Standing)]))
    );
    scripted.done();
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_moves_nothing() {
    let moves = vec![
        ok("UID SEARCH UID 5", &["* SEARCH 5"]),
        ok("UID SEARCH UID 5 FLAGGED", &["* SEARCH"]),
        answer("UID MOVE", &["{tag} NO [TRYCREATE] no such folder"]),
        answer("CREATE \"x\"", &["{tag} NO [NOPERM] not here"]),
        ok("UID SEARCH UID 5", &["* SEARCH 5"]),
    ];
    let scripted = selected("MOVE", moves);
    let error = remove(&scripted, &[5], Removal::Move("x")).await.expect_err("refused");
    assert!(
        matches!(&error, SourceError::Refused { command, words } if command == "CREATE" && words.contains("not here")),
        "{error:?}"
    );
    scripted.done();
}

#[tokio::test]
async fn without_move_it_is_copied_and_what_was_not_copied_stays() {
    let scripted = selected(
        "UIDPLUS",
        vec![
            ok("UID SEARCH UID 5:7", &["* SEARCH 5 6 7"]),
            ok("UID SEARCH UID 5:7 FLAGGED", &["* SEARCH"]),
            answer("UID COPY 5:7 \"Archive\"", &["{tag} OK [COPYUID 9 5,7 101:102] copied"]),
            ok("UID SEARCH UID 5,7 DELETED", &["* SEARCH"]),
            ok(
                "UID STORE 5,7 +FLAGS (\\Deleted)",
                &["* 1 FETCH (UID 5 FLAGS ())", "* 3 FETCH (UID 7 FLAGS ())"],
            ),
            ok("UID EXPUNGE 5,7", &["* 1 EXPUNGE", "* 2 EXPUNGE"]),
            ok("UID SEARCH UID 5,7 DELETED", &["* SEARCH"]),
            ok("UID SEARCH UID 5,7", &["* SEARCH"]),
            ok("UID FETCH 5,7 (UID FLAGS)", &[]),
        ],
    );
    let removed = remove(&scripted, &[5, 6, 7], Removal::Move("Archive"))
        .await
        .expect("moved");
    assert_eq!(removed.gone, gone(&[5, 7]));
    assert!(matches!(&removed.kept[..], [(CopyRef::Uid(6), Kept::Refused(words))] if words.contains("copy")));
    scripted.done();
}

#[tokio::test]
async fn a_move_without_move_and_uidplus_is_refused_and_says_so() {
    let scripted = selected("IDLE", vec![Move::Hang]);
    let error = remove(&scripted, &[5], Removal::Move("Archive"))
        .await
        .expect_err("refused");
    let shown = error.to_string();
    assert!(shown.contains("MOVE") && shown.contains("UIDPLUS"), "{shown}");
    scripted.done();

    let scripted = selected("MOVE", vec![Move::Hang]);
    let error = remove(&scripted, &[5], Removal::Move("INBOX"))
        .await
        .expect_err("refused");
    assert!(matches!(error, SourceError::Refused { .. }), "{error:?}");
    scripted.done();
}

#[tokio::test]
async fn a_folder_that_may_only_be_read_is_not_opened_for_removal() {
    let scripted = logged_in(vec![
        answer(
            "SELECT \"INBOX\"",
            &["* 3 EXISTS", "* OK [UIDVALIDITY 77] valid", "{tag} OK [READ-ONLY] open"],
        ),
        Move::Hang,
    ]);
    let mut session = connect(&server(scripted.port)).await.expect("a session");
    let error = session.open_for_removal("INBOX").await.expect_err("read only");
    assert!(error.to_string().contains("READ-ONLY"), "{error}");
    let error = session
        .remove(&gone(&[5]), Removal::Delete)
        .await
        .expect_err("not open");
    assert!(matches!(error, SourceError::Refused { .. }), "{error:?}");
    drop(session);
    scripted.done();
}

#[tokio::test]
async fn nothing_is_removed_from_a_folder_that_was_opened_to_read() {
    let scripted = opened(vec![Move::Hang]);
    let mut session = open(&scripted).await;
    let error = session
        .remove(&gone(&[5]), Removal::Delete)
        .await
        .expect_err("not open");
    assert!(matches!(error, SourceError::Refused { .. }), "{error:?}");
    drop(session);
    scripted.done();
}

#[tokio::test]
async fn a_refusal_after_a_batch_was_removed_tells_what_is_gone() {
    let uids: Vec<u32> = (1..=1100).collect();
    let found = |range: std::ops::RangeInclusive<u32>| {
        let uids: Vec<String> = range.map(|uid| uid.to_string()).collect();
        format!("* SEARCH {}", uids.join(" "))
    };
    let moves = vec![
        ok("UID SEARCH UID 1:500", &[&found(1..=500)]),
        ok("UID SEARCH UID 1:500 FLAGGED", &["* SEARCH"]),
        ok("UID MOVE 1:500 \"x\"", &[]),
        ok("UID SEARCH UID 1:500", &["* SEARCH"]),
        ok("UID FETCH 1:500 (UID FLAGS)", &[]),
        ok("UID SEARCH UID 501:1000", &[&found(501..=1000)]),
        ok("UID SEARCH UID 501:1000 FLAGGED", &["* SEARCH"]),
        answer("UID MOVE 501:1000", &["{tag} NO [OVERQUOTA] full"]),
        // It had begun.
        ok("UID SEARCH UID 501:1000", &[&found(502..=1000)]),
        ok("UID FETCH 501 (UID FLAGS)", &[]),
    ];
    let scripted = selected("MOVE", moves);
    let removed = remove(&scripted, &uids, Removal::Move("x")).await.expect("a part");
    assert_eq!(removed.gone, gone(&(1..=501).collect::<Vec<_>>()));
    assert_eq!(removed.kept.len(), 599);
    let full = Kept::Refused("[OVERQUOTA] full".into());
    assert!(
        removed.kept.iter().all(|(_, why)| *why == full),
        "{:?}",
        removed.kept[0]
    );
    scripted.done();
}

#[tokio::test]
async fn facts_are_the_date_and_the_flags_as_the_server_writes_them() {
    let scripted = opened(vec![ok(
        "UID FETCH 5:7 (UID RFC822.SIZE INTERNALDATE FLAGS)",
        &[
            "* 1 FETCH (UID 5 FLAGS (\\Seen $Forwarded) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" RFC822.SIZE 10)",
            "* 2 FETCH (UID 6 RFC822.SIZE 20 INTERNALDATE \" 1-Jan-1970 00:00:07 +0000\")",
            "* 2 FETCH (UID 6 FLAGS (\\Flagged))",
        ],
    )]);
    let mut session = open(&scripted).await;
    let announced = session.sizes(&gone(&[5, 6, 7]), true).await.expect("sizes");
    let facts: Vec<_> = announced
        .into_iter()
        .map(|one| (one.size, *one.facts.expect("facts")))
        .collect();
    assert_eq!(facts.len(), 2);
    assert_eq!((facts[0].0, facts[0].1.date), (10, Some(837_596_665)));
    assert_eq!(facts[0].1.flags, ["\\Seen", "$Forwarded"]);
    assert_eq!((facts[1].0, facts[1].1.date), (20, Some(7)));
    assert_eq!(facts[1].1.flags, ["\\Flagged"]);
    scripted.done();
}

#[tokio::test]
async fn a_session_of_files_removes_nothing() {
    let import = dropkeep::source::Import {
        paths: Vec::new(),
        format: dropkeep::formats::Format::Auto,
        mbox: dropkeep::formats::MboxKind::Auto,
        mbox_from: None,
        owner: None,
    };
    let mut session = Session::files(import);
    assert!(session.open_for_removal("x").await.is_err());
    assert!(session.remove(&[], Removal::Delete).await.is_err());
}

/// iCloud and others: a search that finds nothing is answered with OK alone.
#[tokio::test]
async fn nothing_was_deleted_where_a_search_that_finds_nothing_has_no_line() {
    let scripted = selected(
        "UIDPLUS",
        vec![
            ok("UID SEARCH UID 5:7", &["* SEARCH 5 6 7"]),
            ok("UID SEARCH UID 5:7 FLAGGED", &[]),
            ok(
                "UID FETCH 5:7 (UID FLAGS)",
                &[
                    "* 1 FETCH (UID 5 FLAGS (\\Seen))",
                    "* 2 FETCH (UID 6 FLAGS (\\flagged a(b)))",
                    "* 3 FETCH (UID 7 FLAGS ())",
                    "* 3 FETCH (UID 99 FLAGS ())",
                ],
            ),
            ok("UID SEARCH UID 5,7 DELETED", &[]),
            ok(
                "UID FETCH 5,7 (UID FLAGS)",
                &["* 1 FETCH (UID 5 FLAGS ())", "* 3 FETCH (UID 7 FLAGS ())"],
            ),
            ok(
                "UID STORE 5,7 +FLAGS (\\Deleted)",
                &[
                    "* 1 FETCH (UID 5 FLAGS (\\Deleted))",
                    "* 3 FETCH (UID 7 FLAGS (\\Deleted))",
                ],
            ),
            ok("UID EXPUNGE 5,7", &["* 3 EXPUNGE", "* 1 EXPUNGE"]),
            ok("UID SEARCH UID 5,7 DELETED", &[]),
            ok("UID FETCH 5,7 (UID FLAGS)", &[]),
            ok("UID SEARCH UID 5,7", &[]),
            ok("UID FETCH 5,7 (UID FLAGS)", &[]),
        ],
    );
    let removed = remove(&scripted, &[5, 6, 7], Removal::Delete).await.expect("removed");
    assert_eq!(
        (removed.gone, removed.kept),
        (gone(&[5, 7]), kept(&[(6, Kept::Flagged)]))
    );
    scripted.done();
}

#[tokio::test]
async fn a_search_that_failed_does_not_pass_for_messages_that_are_gone() {
    // The other command finds it there.
    let scripted = selected(
        "UIDPLUS",
        vec![
            ok("UID SEARCH UID 5", &["* SEARCH 5"]),
            ok("UID SEARCH UID 5 FLAGGED", &["* SEARCH"]),
            ok("UID SEARCH UID 5 DELETED", &["* SEARCH"]),
            ok(
                "UID STORE 5 +FLAGS (\\Deleted)",
                &["* 1 FETCH (UID 5 FLAGS (\\Deleted))"],
            ),
            ok("UID EXPUNGE 5", &[]),
            ok("UID SEARCH UID 5 DELETED", &["* SEARCH"]),
            ok("UID SEARCH UID 5", &[]),
            ok("UID FETCH 5 (UID FLAGS)", &["* 1 FETCH (UID 5 FLAGS ())"]),
        ],
    );
    let removed = remove(&scripted, &[5], Removal::Delete).await.expect("an answer");
    assert_eq!((removed.gone, removed.kept), (vec![], kept(&[(5, Kept::Standing)])));
    scripted.done();
    // And what does not say the flags says nothing.
    let scripted = selected(
        "UIDPLUS",
        vec![
            ok("UID SEARCH UID 5", &["* SEARCH 5"]),
            ok("UID SEARCH UID 5 FLAGGED", &[]),
            ok("UID FETCH 5 (UID FLAGS)", &["* 1 FETCH (UID 5)"]),
        ],
    );
    let error = remove(&scripted, &[5], Removal::Delete).await.expect_err("no flags");
    assert_eq!(error.disposition(), Disposition::Report, "{error}");
    scripted.done();
}

#[tokio::test]
async fn a_search_that_left_one_out_said_that_it_had_vanished() {
    // Of the first nothing is found, though both stand there.
    let scripted = selected(
        "UIDPLUS",
        vec![
            ok("UID SEARCH UID 5:6", &["* SEARCH"]),
            ok(
                "UID FETCH 5:6 (UID FLAGS)",
                &["* 1 FETCH (UID 5 FLAGS ())", "* 2 FETCH (UID 6 FLAGS (\\Flagged))"],
            ),
            ok("UID SEARCH UID 5:6 FLAGGED", &["* SEARCH"]),
            ok("UID SEARCH UID 5:6 DELETED", &["* SEARCH"]),
            ok(
                "UID STORE 5:6 +FLAGS (\\Deleted)",
                &["* 2 FETCH (FLAGS (\\Flagged) UID 6 FLAGS (\\Deleted))"],
            ),
            ok("UID FETCH 5 (UID FLAGS)", &["* 1 FETCH (UID 5 FLAGS (\\Deleted))"]),
            ok("UID STORE 6 -FLAGS (\\Deleted)", &[]),
            ok("UID EXPUNGE 5", &[]),
            ok("UID SEARCH UID 5:6 DELETED", &["* SEARCH"]),
            // It stands there still, and the search does not find it.
            ok("UID SEARCH UID 5", &["* SEARCH"]),
            ok("UID FETCH 5 (UID FLAGS)", &["* 1 FETCH (UID 5 FLAGS ())"]),
        ],
    );
    let removed = remove(&scripted, &[5, 6], Removal::Delete).await.expect("an answer");
    assert_eq!(
        (removed.gone, removed.kept),
        (vec![], kept(&[(5, Kept::Standing), (6, Kept::Flagged)]))
    );
    scripted.done();
}

#[tokio::test]
async fn a_copyuid_that_cannot_be_read_counted_for_all_copies() {
    for odd in [
        "[COPYUID 9 5 101 copied",
        "[COPYUID 9 5:x 101] copied",
        "[COPYUID 9] copied",
    ] {
        let moves = vec![
            ok("UID SEARCH UID 5:6", &["* SEARCH 5 6"]),
            ok("UID SEARCH UID 5:6 FLAGGED", &["* SEARCH"]),
            answer("UID COPY 5:6 \"Archive\"", &[&format!("{{tag}} OK {odd}")]),
            ok("UID SEARCH UID 5:6", &["* SEARCH 5 6"]),
        ];
        let scripted = selected("UIDPLUS", moves);
        let error = remove(&scripted, &[5, 6], Removal::Move("Archive"))
            .await
            .expect_err("nobody knows which were copied");
        assert!(error.to_string().contains("COPYUID"), "{error}");
        assert_eq!(error.disposition(), Disposition::Report);
        scripted.done();
    }
}
