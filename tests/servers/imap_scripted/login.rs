//! Greeting and login.

use dropkeep::{
    config::Secret,
    net::NetError,
    source::{ConnectStep, Credential, Disposition, Session, SourceError, Steps},
};

use crate::{
    imap_scripted::{CAPABILITIES, greeted, server},
    scripted::{Move, Scripted, answer, hear, ok, say, say_raw},
    session::{PASSWORD, SILENCE, connect},
    support::listening::refusing,
};

#[tokio::test]
async fn silence_instead_of_a_greeting_makes_the_source_unreachable() {
    let scripted = Scripted::play(vec![Move::Hang]);
    let server = server(scripted.port).with_timeout(SILENCE);
    let error = connect(&server).await.expect_err("silence");
    assert_eq!(error.step(), Some(ConnectStep::Greeting), "{error:?}");
    assert_eq!(error.disposition(), Disposition::Unreachable);
    scripted.done();
}

#[tokio::test]
async fn a_refused_login_shows_the_servers_words_and_never_the_password() {
    let scripted = greeted(
        CAPABILITIES,
        vec![answer(
            "LOGIN",
            &[&format!(
                "{{tag}} NO [AUTHENTICATIONFAILED] no such login: {PASSWORD}, sorry"
            )],
        )],
    );
    let error = connect(&server(scripted.port)).await.expect_err("no login");
    let shown = format!("{error} {error:?}");
    assert!(matches!(error, SourceError::Login { .. }), "{error:?}");
    assert!(
        shown.contains("[AUTHENTICATIONFAILED] no such login: ***, sorry"),
        "{shown}"
    );
    assert!(!shown.contains(PASSWORD));
    assert_eq!(
        (error.step(), error.disposition()),
        (Some(ConnectStep::Login), Disposition::Unreachable)
    );
    scripted.done();
}

#[tokio::test]
async fn a_connection_that_is_closed_during_login_makes_the_source_unreachable() {
    let scripted = Scripted::play(vec![say(&["* OK ready"]), hear("CAPABILITY")]);
    let error = connect(&server(scripted.port)).await.expect_err("closed");
    assert_eq!(
        (error.step(), error.disposition()),
        (Some(ConnectStep::Login), Disposition::Unreachable)
    );
    scripted.done();
}

#[tokio::test]
async fn a_password_that_is_not_ascii_goes_by_authenticate_plain() {
    let scripted = greeted(
        CAPABILITIES,
        vec![
            answer("AUTHENTICATE PLAIN", &["+ "]),
            // \0all@example.com\0pässword
            hear("AGFsbEBleGFtcGxlLmNvbQBww6Rzc3dvcmQ="),
            say_raw(b"D2 OK welcome\r\n"),
            ok("CAPABILITY", &[&format!("* CAPABILITY {CAPABILITIES} UIDPLUS")]),
        ],
    );
    let mut steps = Steps::default();
    let session = Session::connect(
        &server(scripted.port),
        &Credential::Password(Secret::new("pässword")),
        &mut steps,
    )
    .await;
    let session = session.expect("a session");
    assert_eq!(session.capabilities(), ["IMAP4rev1", "AUTH=PLAIN", "UIDPLUS"]);
    assert!(session.certificate().is_none());
    let done: Vec<_> = steps.done.iter().map(|(step, ..)| *step).collect();
    assert_eq!(
        done,
        [
            ConnectStep::Resolve,
            ConnectStep::Connect,
            ConnectStep::Greeting,
            ConnectStep::Login
        ]
    );
    scripted.done();
}

#[tokio::test]
async fn logindisabled_without_plain_is_said_and_no_password_is_sent() {
    let scripted = greeted("IMAP4rev1 STARTTLS LOGINDISABLED", vec![Move::Hang]);
    let error = connect(&server(scripted.port)).await.expect_err("no login");
    assert!(error.to_string().contains("LOGINDISABLED"), "{error}");
    scripted.done();
}

#[tokio::test]
async fn a_server_that_says_goodbye_at_once_is_quoted() {
    let scripted = Scripted::play(vec![say(&["* BYE too many connections"])]);
    let error = connect(&server(scripted.port)).await.expect_err("no greeting");
    assert!(
        matches!(&error, SourceError::Greeting { words, .. } if words == "too many connections"),
        "{error:?}"
    );
    scripted.done();
}

#[tokio::test]
async fn preauth_is_taken_where_no_tls_is_due() {
    let scripted = Scripted::play(vec![
        say(&["* PREAUTH hello"]),
        ok("CAPABILITY", &[&format!("* CAPABILITY {CAPABILITIES}")]),
    ]);
    connect(&server(scripted.port)).await.expect("a session");
    scripted.done();
}

#[tokio::test]
async fn an_unreachable_server_is_named() {
    let nobody = refusing();
    let error = connect(&server(nobody.port)).await.expect_err("nobody there");
    assert!(matches!(error, SourceError::Net(NetError::Connect { .. })), "{error:?}");
    assert!(error.to_string().contains(&nobody.port.to_string()), "{error}");
}
