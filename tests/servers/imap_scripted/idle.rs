//! Waiting for mail.

use std::time::{Duration, Instant};

use dropkeep::source::{Disposition, SourceError, Waited};

use crate::{
    imap_scripted::{able_to, examine, open, opened, server},
    scripted::{Move, answer, hear, ok, say},
    session::{SILENCE, connect},
};

const LONG: Duration = Duration::from_secs(60);

/// The tag of IDLE: what is heard next, DONE, has none.
fn done() -> Move {
    Move::Say(b"D4 OK done\r\n".to_vec())
}

#[tokio::test]
async fn mail_ends_the_waiting_and_what_else_is_said_does_not() {
    let scripted = opened(vec![
        answer(
            "IDLE",
            &[
                "+ idling",
                "* OK still here",
                "* 3 EXISTS",
                "* 1 EXPUNGE",
                "* 1 FETCH (FLAGS ())",
            ],
        ),
        say(&["* 3 EXISTS", "* 1 RECENT"]),
        hear("DONE"),
        done(),
    ]);
    let mut session = open(&scripted).await;
    assert!(session.can_wait());
    let began = Instant::now();
    assert_eq!(session.wait(LONG).await.expect("an answer"), Waited::Changed);
    assert!(began.elapsed() < LONG / 2);
    scripted.done();
}

#[tokio::test]
async fn nothing_is_nothing_and_the_timeout_of_the_server_does_not_count_meanwhile() {
    let scripted = opened(vec![
        answer("IDLE", &["+ idling"]),
        answer("DONE", &["* 1 FETCH (FLAGS (\\Seen))"]),
        done(),
    ]);
    let server = server(scripted.port).with_timeout(SILENCE);
    let mut session = connect(&server).await.expect("a session");
    session.open("INBOX").await.expect("INBOX");
    let began = Instant::now();
    let most = 2 * SILENCE;
    assert_eq!(session.wait(most).await.expect("an answer"), Waited::Nothing);
    assert!(began.elapsed() >= most);
    scripted.done();
}

#[tokio::test]
async fn a_connection_that_died_while_idling_is_noticed_when_the_waiting_ends() {
    let scripted = opened(vec![answer("IDLE", &["+ idling"]), Move::Hang]);
    let server = server(scripted.port).with_timeout(SILENCE);
    let mut session = connect(&server).await.expect("a session");
    session.open("INBOX").await.expect("INBOX");
    let error = session.wait(Duration::from_millis(100)).await.expect_err("dead");
    assert!(matches!(error, SourceError::Timeout { .. }), "{error:?}");
    assert_eq!(error.disposition(), Disposition::Reconnect);
    drop(session);
    scripted.done();
}

#[tokio::test]
async fn a_server_that_never_begins_to_idle_is_a_timeout() {
    let scripted = opened(vec![hear("IDLE"), Move::Hang]);
    let server = server(scripted.port).with_timeout(SILENCE);
    let mut session = connect(&server).await.expect("a session");
    session.open("INBOX").await.expect("INBOX");
    let error = session.wait(LONG).await.expect_err("silence");
    assert!(matches!(error, SourceError::Timeout { .. }), "{error:?}");
    drop(session);
    scripted.done();
}

#[tokio::test]
async fn a_farewell_and_a_closed_connection_end_the_waiting() {
    for end in [say(&["* BYE idle for too long"]), say(&[])] {
        let scripted = opened(vec![answer("IDLE", &["+ idling"]), end]);
        let mut session = open(&scripted).await;
        let error = session.wait(LONG).await.expect_err("gone");
        assert!(matches!(error, SourceError::Lost { .. }), "{error:?}");
        scripted.done();
    }
}

#[tokio::test]
async fn a_refused_idle_is_an_error_after_which_the_session_goes_on() {
    let scripted = opened(vec![answer("IDLE", &["{tag} NO not now"])]);
    let mut session = open(&scripted).await;
    let error = session.wait(LONG).await.expect_err("refused");
    assert_eq!(error.disposition(), Disposition::Report);
    scripted.done();
}

#[tokio::test]
async fn mail_that_came_during_a_command_before_is_not_waited_for() {
    let scripted = opened(vec![
        ok("UID SEARCH 1:3", &["* SEARCH 5 6 7", "* 4 EXISTS"]),
        ok("UID SEARCH 1:4", &["* SEARCH 5 6 7 8"]),
        answer("IDLE", &["+ idling", "* 5 EXISTS"]),
        hear("DONE"),
        Move::Say(b"D6 OK done\r\n".to_vec()),
    ]);
    let mut session = open(&scripted).await;
    session.listing().await.expect("a listing");
    assert_eq!(session.wait(LONG).await.expect("an answer"), Waited::Changed);
    session.listing().await.expect("a listing");
    assert_eq!(session.wait(LONG).await.expect("an answer"), Waited::Changed);
    scripted.done();
}

#[tokio::test]
async fn without_idle_the_server_is_asked_once() {
    let scripted = able_to(
        "UIDPLUS",
        vec![examine("INBOX", 3), ok("NOOP", &[]), ok("NOOP", &["* 4 EXISTS"])],
    );
    let mut session = connect(&server(scripted.port)).await.expect("a session");
    session.open("INBOX").await.expect("INBOX");
    let most = Duration::from_millis(10);
    assert_eq!(session.wait(most).await.expect("an answer"), Waited::Nothing);
    assert_eq!(session.wait(most).await.expect("an answer"), Waited::Changed);
    scripted.done();
}
