//! Login with an access token (XOAUTH2).

use base64::{Engine, engine::general_purpose::STANDARD};
use dropkeep::{
    config::Secret,
    source::{ConnectStep, Credential, Disposition, Session, SourceError},
};

use crate::{
    imap_scripted::{greeted, server},
    scripted::{Move, answer, hear, ok},
    session::{TOKEN, connect_by_token, token_response},
};

async fn connect(port: u16) -> Result<Session, SourceError> {
    connect_by_token(&server(port)).await
}

#[tokio::test]
async fn a_token_is_sent_on_the_commands_line_where_the_server_takes_it_there() {
    let scripted = greeted(
        "IMAP4rev1 SASL-IR AUTH=XOAUTH2",
        vec![
            answer(
                &format!("AUTHENTICATE XOAUTH2 {}", token_response()),
                &["* CAPABILITY IMAP4rev1 IDLE", "{tag} OK welcome"],
            ),
            ok("CAPABILITY", &["* CAPABILITY IMAP4rev1 IDLE"]),
        ],
    );
    let session = connect(scripted.port).await.expect("a session");
    assert_eq!(session.capabilities(), ["IMAP4rev1", "IDLE"]);
    scripted.done();
}

#[tokio::test]
async fn a_token_waits_for_the_continuation_where_the_server_wants_that() {
    let scripted = greeted(
        "IMAP4rev1 AUTH=XOAUTH2",
        vec![
            answer("AUTHENTICATE XOAUTH2", &["+ "]),
            hear(&token_response()),
            // The tag is that of the command before.
            Move::Say(b"D2 OK [CAPABILITY IMAP4rev1 MOVE] welcome\r\n".to_vec()),
        ],
    );
    let session = connect(scripted.port).await.expect("a session");
    assert_eq!(session.capabilities(), ["IMAP4rev1", "MOVE"]);
    scripted.done();
}

#[tokio::test]
async fn a_refused_token_says_the_status_and_never_the_token() {
    let challenge = STANDARD.encode(r#"{"status":"401","schemes":"bearer mac","scope":"https://mail.google.com/"}"#);
    let scripted = greeted(
        "IMAP4rev1 SASL-IR AUTH=XOAUTH2",
        vec![
            answer("AUTHENTICATE XOAUTH2", &[&format!("+ {challenge}")]),
            hear(""),
            Move::Say(format!("D2 NO [AUTHENTICATIONFAILED] Invalid credentials {TOKEN}\r\n").into_bytes()),
        ],
    );
    let error = connect(scripted.port).await.expect_err("no login");
    let shown = format!("{error} {error:?}");
    assert!(error.is_refused_login(), "{error:?}");
    assert!(
        shown.contains("[AUTHENTICATIONFAILED] Invalid credentials *** (status 401)"),
        "{shown}"
    );
    assert!(!shown.contains(TOKEN) && !shown.contains(&token_response()), "{shown}");
    assert_eq!(
        (error.step(), error.disposition()),
        (Some(ConnectStep::Login), Disposition::Unreachable)
    );
    scripted.done();
}

#[tokio::test]
async fn a_token_is_refused_without_a_challenge_too() {
    let scripted = greeted(
        "IMAP4rev1 AUTH=XOAUTH2",
        vec![answer("AUTHENTICATE XOAUTH2", &["{tag} NO AUTHENTICATE failed."])],
    );
    let error = connect(scripted.port).await.expect_err("no login");
    assert!(error.is_refused_login(), "{error:?}");
    scripted.done();
}

#[tokio::test]
async fn a_server_that_asks_without_end_is_left() {
    let begins = answer("AUTHENTICATE XOAUTH2", &["+ e30="]);
    let goes_on = answer("", &["+ e30="]);
    let scripted = greeted("IMAP4rev1 SASL-IR AUTH=XOAUTH2", vec![begins, goes_on, Move::Hang]);
    let error = connect(scripted.port).await.expect_err("no login");
    assert!(matches!(error, SourceError::Connecting { .. }), "{error:?}");
    assert!(!error.is_refused_login());
    scripted.done();
}

#[tokio::test]
async fn a_token_is_not_sent_to_a_server_that_does_not_take_one() {
    let scripted = greeted("IMAP4rev1 SASL-IR AUTH=PLAIN", vec![Move::Hang]);
    let error = connect(scripted.port).await.expect_err("no login");
    assert!(error.to_string().contains("XOAUTH2"), "{error}");
    scripted.done();
}

#[test]
fn a_credential_shows_nothing() {
    for credential in [
        Credential::Token(Secret::new(TOKEN)),
        Credential::Password(Secret::new(TOKEN)),
    ] {
        assert!(!format!("{credential:?}").contains(TOKEN));
    }
}
