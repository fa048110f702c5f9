//! Login with an access token (XOAUTH2).

use base64::{Engine, engine::general_purpose::STANDARD};
use dropkeep::source::{Session, SourceError};

use crate::{
    pop3_scripted::server,
    scripted::{Move, Scripted, answer, capa, say},
    session::{TOKEN, connect_by_token, token_response},
};

async fn connect(port: u16) -> Result<Session, SourceError> {
    connect_by_token(&server(port)).await
}

fn greeting(rest: Vec<Move>) -> Scripted {
    let mut script = vec![
        say(&["+OK The Microsoft Exchange POP3 service is ready."]),
        capa(&["UIDL", "SASL PLAIN XOAUTH2"]),
    ];
    script.extend(rest);
    Scripted::play(script)
}

#[tokio::test]
async fn a_token_goes_on_a_line_of_its_own() {
    let scripted = greeting(vec![
        answer("AUTH XOAUTH2", &["+"]),
        answer(&token_response(), &["+OK User successfully authenticated."]),
        capa(&["UIDL", "TOP"]),
    ]);
    let session = connect(scripted.port).await.expect("a session");
    assert_eq!(session.capabilities(), ["UIDL", "TOP"]);
    scripted.done();
}

#[tokio::test]
async fn a_refused_token_says_the_status_and_never_the_token() {
    let challenge = STANDARD.encode(r#"{"status":"400","schemes":"Bearer"}"#);
    let scripted = greeting(vec![
        answer("AUTH XOAUTH2", &["+ "]),
        answer(&token_response(), &[&format!("+ {challenge}")]),
        answer("", &[&format!("-ERR [AUTH] not {}, not {TOKEN}", token_response())]),
    ]);
    let error = connect(scripted.port).await.expect_err("no login");
    let shown = format!("{error} {error:?}");
    assert!(error.is_refused_login(), "{error:?}");
    assert!(shown.contains("[AUTH] not ***, not *** (status 400)"), "{shown}");
    assert!(!shown.contains(TOKEN) && !shown.contains(&token_response()), "{shown}");
    scripted.done();
}

#[tokio::test]
async fn a_server_that_asks_without_end_is_left() {
    let scripted = greeting(vec![
        answer("AUTH XOAUTH2", &["+"]),
        answer(&token_response(), &["+ e30="]),
        answer("", &["+ e30="]),
        Move::Hang,
    ]);
    let error = connect(scripted.port).await.expect_err("no login");
    assert!(matches!(error, SourceError::Connecting { .. }), "{error:?}");
    scripted.done();
}

#[tokio::test]
async fn a_token_is_not_sent_to_a_server_that_does_not_take_one() {
    let scripted = Scripted::play(vec![say(&["+OK ready"]), capa(&["SASL PLAIN"]), Move::Hang]);
    let error = connect(scripted.port).await.expect_err("no login");
    assert!(error.to_string().contains("XOAUTH2"), "{error}");
    scripted.done();
}
