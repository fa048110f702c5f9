//! Sessions of the library itself, as the tests of servers open them.

use std::time::Duration;

use dropkeep::{
    config::{Access, Secret, Server},
    source::{Announced, CopyRef, Credential, Fetched, Session, SourceError, Steps, Unfetched, Want},
};

pub const PASSWORD: &str = "hunter2-geheim";
pub const TOKEN: &str = "ya29.geheim-token";

/// The time-out where a server falls silent; an answer takes less on a busy machine too.
pub const SILENCE: Duration = Duration::from_secs(2);

/// A server of this machine, in clear text.
pub fn server(access: Access, port: u16) -> Server {
    Server::new(access, "127.0.0.1", port, "all@example.com")
}

/// Logs in with [`PASSWORD`].
pub async fn connect(server: &Server) -> Result<Session, SourceError> {
    connect_with(server, &Credential::Password(Secret::new(PASSWORD))).await
}

/// Logs in with [`TOKEN`].
pub async fn connect_by_token(server: &Server) -> Result<Session, SourceError> {
    connect_with(server, &Credential::Token(Secret::new(TOKEN))).await
}

pub async fn connect_with(server: &Server, credential: &Credential) -> Result<Session, SourceError> {
    Session::connect(server, credential, &mut Steps::default()).await
}

/// What [`connect_by_token`] says to log in (XOAUTH2).
pub fn token_response() -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    STANDARD.encode(format!("user=all@example.com\x01auth=Bearer {TOKEN}\x01\x01"))
}

/// The copies of the folder that is open.
pub async fn listed(session: &mut Session) -> Vec<CopyRef> {
    session.listing().await.expect("a listing").copies().collect()
}

/// What came of copies, and how it ended.
pub async fn fetched(
    session: &mut Session,
    copies: &[Announced],
    want: Want,
) -> (Vec<Fetched>, Result<Vec<Unfetched>, SourceError>) {
    let mut got = Vec::new();
    let ended = session.fetch(copies, want, &mut |one| got.push(one)).await;
    (got, ended)
}
