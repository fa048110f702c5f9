//! Login with an access token (XOAUTH2).

use base64::{Engine, engine::general_purpose::STANDARD};
use dropkeep::{
    config::Secret,
    source::{ConnectStep, Credential, Disposition, Session, SourceError, Steps},
};

use crate::imap_scripted::{
    scripted::{Move, Scripted, hear, say},
    server,
};

const TOKEN: &str = "ya29.geheim-token";

fn response() -> String {
    STANDARD.encode(format!("user=all@example.com\x01auth=Bearer {TOKEN}\x01\x01"))
}

fn greeting(capabilities: &str) -> Vec<Move> {
    vec![
        say(&["* OK ready"]),
        hear("CAPABILITY"),
        say(&[&format!("* CAPABILITY {capabilities}"), "{tag} OK done"]),
    ]
}

async fn connect(port: u16) -> Result<Session, SourceError> {
    let token = Credential::Token(Secret::new(TOKEN));
    Session::connect(&server(port), &token, &mut Steps::default()).await
}

#[tokio::test]
async fn a_token_is_sent_on_the_commands_line_where_the_server_takes_it_there() {
    let mut script = greeting("IMAP4rev1 SASL-IR AUTH=XOAUTH2");
    script.extend([
        hear(&format!("AUTHENTICATE XOAUTH2 {}", response())),
        say(&["* CAPABILITY IMAP4rev1 IDLE", "{tag} OK welcome"]),
        hear("CAPABILITY"),
        say(&["* CAPABILITY IMAP4rev1 IDLE", "{tag} OK done"]),
    ]);
    let scripted = Scripted::play(script);
    let session = connect(scripted.port).await.expect("a session");
    assert_eq!(session.capabilities(), ["IMAP4rev1", "IDLE"]);
    scripted.done();
}

#[tokio::test]
async fn a_token_waits_for_the_continuation_where_the_server_wants_that() {
    let mut script = greeting("IMAP4rev1 AUTH=XOAUTH2");
    script.extend([
        hear("AUTHENTICATE XOAUTH2"),
        say(&["+ "]),
        hear(&response()),
        // The tag is that of the command before.
        Move::Say(b"D2 OK [CAPABILITY IMAP4rev1 MOVE] welcome\r\n".to_vec()),
    ]);
    let scripted = Scripted::play(script);
    let session = connect(scripted.port).await.expect("a session");
    assert_eq!(session.capabilities(), ["IMAP4rev1", "MOVE"]);
    scripted.done();
}

#[tokio::test]
async fn a_refused_token_says_the_status_and_never_the_token() {
    let challenge = STANDARD.encode(r#"{"status":"401","schemes":"bearer mac","scope":"https://mail.google.com/"}"#);
    let mut script = greeting("IMAP4rev1 SASL-IR AUTH=XOAUTH2");
    script.extend([
        hear("AUTHENTICATE XOAUTH2"),
        say(&[&format!("+ {challenge}")]),
        hear(""),
        Move::Say(format!("D2 NO [AUTHENTICATIONFAILED] Invalid credentials {TOKEN}\r\n").into_bytes()),
    ]);
    let scripted = Scripted::play(script);
    let error = connect(scripted.port).await.expect_err("no login");
    let shown = format!("{error} {error:?}");
    assert!(error.is_refused_login(), "{error:?}");
    assert!(
        shown.contains("[AUTHENTICATIONFAILED] Invalid credentials *** (status 401)"),
        "{shown}"
    );
    assert!(!shown.contains(TOKEN) && !shown.contains(&response()), "{shown}");
    assert_eq!(
        (error.step(), error.disposition()),
        (Some(ConnectStep::Login), Disposition::Unreachable)
    );
    scripted.done();
}

#[tokio::test]
async fn a_token_is_refused_without_a_challenge_too() {
    let mut script = greeting("IMAP4rev1 AUTH=XOAUTH2");
    script.extend([hear("AUTHENTICATE XOAUTH2"), say(&["{tag} NO AUTHENTICATE failed."])]);
    let scripted = Scripted::play(script);
    let error = connect(scripted.port).await.expect_err("no login");
    assert!(error.is_refused_login(), "{error:?}");
    scripted.done();
}

#[tokio::test]
async fn a_server_that_asks_without_end_is_left() {
    let mut script = greeting("IMAP4rev1 SASL-IR AUTH=XOAUTH2");
    script.extend([
        hear("AUTHENTICATE XOAUTH2"),
        say(&["+ e30="]),
        hear(""),
        say(&["+ e30="]),
        Move::Hang,
    ]);
    let scripted = Scripted::play(script);
    let error = connect(scripted.port).await.expect_err("no login");
    assert!(matches!(error, SourceError::Connecting { .. }), "{error:?}");
    assert!(!error.is_refused_login());
    scripted.done();
}

#[tokio::test]
async fn a_token_is_not_sent_to_a_server_that_does_not_take_one() {
    let mut script = greeting("IMAP4rev1 SASL-IR AUTH=PLAIN");
    script.push(Move::Hang);
    let scripted = Scripted::play(script);
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
