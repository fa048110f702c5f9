//! Login with an access token (XOAUTH2).

use base64::{Engine, engine::general_purpose::STANDARD};
use dropkeep::{
    config::Secret,
    source::{Credential, Session, SourceError, Steps},
};

use crate::pop3_scripted::{
    capa,
    scripted::{Move, Scripted, hear, say},
    server,
};

const TOKEN: &str = "ya29.geheim-token";

fn response() -> String {
    STANDARD.encode(format!("user=all@example.com\x01auth=Bearer {TOKEN}\x01\x01"))
}

async fn connect(port: u16) -> Result<Session, SourceError> {
    let token = Credential::Token(Secret::new(TOKEN));
    Session::connect(&server(port), &token, &mut Steps::default()).await
}

fn greeting(rest: Vec<Move>) -> Scripted {
    let mut script = vec![
        say(&["+OK The Microsoft Exchange POP3 service is ready."]),
        hear("CAPA"),
        capa(&["UIDL", "SASL PLAIN XOAUTH2"]),
    ];
    script.extend(rest);
    Scripted::play(script)
}

#[tokio::test]
async fn a_token_goes_on_a_line_of_its_own() {
    let scripted = greeting(vec![
        hear("AUTH XOAUTH2"),
        say(&["+"]),
        hear(&response()),
        say(&["+OK User successfully authenticated."]),
        hear("CAPA"),
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
        hear("AUTH XOAUTH2"),
        say(&["+ "]),
        hear(&response()),
        say(&[&format!("+ {challenge}")]),
        hear(""),
        say(&[&format!("-ERR [AUTH] not {}, not {TOKEN}", response())]),
    ]);
    let error = connect(scripted.port).await.expect_err("no login");
    let shown = format!("{error} {error:?}");
    assert!(error.is_refused_login(), "{error:?}");
    assert!(shown.contains("[AUTH] not ***, not *** (status 400)"), "{shown}");
    assert!(!shown.contains(TOKEN) && !shown.contains(&response()), "{shown}");
    scripted.done();
}

#[tokio::test]
async fn a_server_that_asks_without_end_is_left() {
    let scripted = greeting(vec![
        hear("AUTH XOAUTH2"),
        say(&["+"]),
        hear(&response()),
        say(&["+ e30="]),
        hear(""),
        say(&["+ e30="]),
        Move::Hang,
    ]);
    let error = connect(scripted.port).await.expect_err("no login");
    assert!(matches!(error, SourceError::Connecting { .. }), "{error:?}");
    scripted.done();
}

#[tokio::test]
async fn a_token_is_not_sent_to_a_server_that_does_not_take_one() {
    let scripted = Scripted::play(vec![
        say(&["+OK ready"]),
        hear("CAPA"),
        capa(&["SASL PLAIN"]),
        Move::Hang,
    ]);
    let error = connect(scripted.port).await.expect_err("no login");
    assert!(error.to_string().contains("XOAUTH2"), "{error}");
    scripted.done();
}
