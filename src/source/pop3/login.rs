//! Greeting, capabilities, and login.

use std::time::Instant;

use super::{
    Pop3Session,
    dialogue::{Dialogue, Reply},
    offers,
    turns::Turns,
};
use crate::{
    config::{Secret, Server},
    net::{Hidden, plain_response, token_response},
    said::{Said, said},
    source::{ConnectStep, Credential, SourceError, Steps, connect::Dialled, lines::SMALL, token, upgrade::GREETING},
};

impl Pop3Session {
    /// Greets and logs in over a connection that was just made.
    pub(in crate::source) async fn login(
        server: &Server,
        credential: &Credential,
        dialled: Dialled,
        steps: &mut Steps,
    ) -> Result<Self, SourceError> {
        let host = &server.host;
        let mut dialogue = Dialogue::new(host, dialled.guard, Hidden::of(&server.username, credential));
        if !dialled.greeted {
            let began = Instant::now();
            let words = match dialogue.status(GREETING).await {
                Ok(words) => dialogue.hidden.plain(&words),
                Err(SourceError::Refused { words, .. }) => {
                    let host = host.clone();
                    return Err(SourceError::Greeting { host, words });
                }
                Err(error) => return Err(error.at(host, ConnectStep::Greeting)),
            };
            steps.did(ConnectStep::Greeting, Said::quoted(words), began);
        }
        let began = Instant::now();
        let capabilities = authenticate(server, credential, &mut dialogue)
            .await
            .map_err(|error| error.at(host, ConnectStep::Login))?;
        let detail = said!(LoggedInAs, "as {0}", server.username);
        steps.did(ConnectStep::Login, detail, began);
        Ok(Self {
            dialogue,
            turns: Turns::new(server, offers(&capabilities, "PIPELINING")),
            capabilities,
            certificate: dialled.certificate,
            mailbox: Default::default(),
            fetched: Default::default(),
        })
    }
}

/// Logs in, and asks what the server can do then.
async fn authenticate(
    server: &Server,
    credential: &Credential,
    dialogue: &mut Dialogue,
) -> Result<Vec<String>, SourceError> {
    let before = capabilities(dialogue).await?;
    take_utf8(dialogue, &before).await?;
    match credential {
        Credential::Password(password) => with_password(server, password, dialogue, &before).await?,
        Credential::Token(token) => with_token(server, token, dialogue, &before).await?,
    }
    capabilities(dialogue).await
}

async fn with_password(
    server: &Server,
    password: &Secret,
    dialogue: &mut Dialogue,
    offered: &[String],
) -> Result<(), SourceError> {
    // A line end in either would begin another command.
    let sendable = ![&server.username, password.reveal()]
        .iter()
        .any(|text| text.contains(['\r', '\n', '\0']));
    if !sendable {
        let words = said!(
            NotSendable,
            "a user name or password with a line end in it cannot be sent"
        );
        return Err(SourceError::login(server, words));
    }
    let said = match takes_plain(offered, &server.username, password.reveal()) {
        true => {
            let line = format!("AUTH PLAIN {}", plain_response(&server.username, password));
            dialogue.command("AUTH PLAIN", &line).await
        }
        false => match dialogue.command("USER", &format!("USER {}", server.username)).await {
            Ok(_) => dialogue.command("PASS", &format!("PASS {}", password.reveal())).await,
            refused => refused,
        },
    };
    match said {
        Ok(_) => Ok(()),
        Err(SourceError::Refused { words, .. }) => Err(SourceError::login(server, Said::quoted(words))),
        Err(error) => Err(error),
    }
}

/// Says that messages may come with UTF-8 in their headers (RFC 6856, 2), where the server offers that: to others
/// Courier (1.0) sends such mail as a file attached to a message of its own. A server that refuses sends as ever.
async fn take_utf8(dialogue: &mut Dialogue, capabilities: &[String]) -> Result<(), SourceError> {
    const UTF8: &str = "UTF8";
    if argument(capabilities, UTF8).is_none() {
        return Ok(());
    }
    match dialogue.command(UTF8, UTF8).await {
        Ok(_) | Err(SourceError::Refused { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// XOAUTH2 (RFC 5034). The token goes on a line of its own: a command has at most 255 octets (RFC 2449, 4), and
/// Microsoft's server takes it in no other way.
async fn with_token(
    server: &Server,
    secret: &Secret,
    dialogue: &mut Dialogue,
    offered: &[String],
) -> Result<(), SourceError> {
    const AUTH: &str = "AUTH XOAUTH2";
    if !mechanisms(offered).any(|name| name.eq_ignore_ascii_case(token::XOAUTH2)) {
        return Err(SourceError::login(server, token::not_offered()));
    }
    let Some(response) = token_response(&server.username, secret) else {
        return Err(SourceError::login(server, token::not_sendable()));
    };
    dialogue.begin(AUTH, AUTH, SMALL).await?;
    let mut status = None;
    // It asks for the token, then it may say why it refuses; an empty line lets it end the command.
    let mut lines = [response.as_str(), ""].into_iter();
    loop {
        match dialogue.reply(AUTH).await {
            Ok(Reply::Ok(_)) => return Ok(()),
            Ok(Reply::Challenge(challenge)) => {
                status = token::status(&challenge);
                let Some(line) = lines.next() else {
                    return Err(SourceError::Protocol {
                        command: AUTH.to_owned(),
                        detail: "it asks for more after the token was sent".to_owned(),
                    });
                };
                dialogue.lines.send(AUTH, format!("{line}\r\n").as_bytes()).await?;
            }
            Err(SourceError::Refused { words, .. }) => {
                let words = token::refusal(&words, status.as_deref(), &response, secret);
                return Err(SourceError::login(server, Said::quoted(words)));
            }
            Err(error) => return Err(error),
        }
    }
}

/// The words behind a capability's name; `None` where it is not offered.
fn argument<'a>(capabilities: &'a [String], name: &str) -> Option<impl Iterator<Item = &'a str> + use<'a>> {
    let mut lines = capabilities.iter().map(|line| line.split(' '));
    lines.find_map(|mut words| words.next()?.eq_ignore_ascii_case(name).then_some(words))
}

/// The SASL mechanisms that are offered.
fn mechanisms(capabilities: &[String]) -> impl Iterator<Item = &str> {
    argument(capabilities, "SASL").into_iter().flatten()
}

/// Whether AUTH PLAIN (RFC 5034) is the way to log in: where USER is not offered, and for what
/// USER and PASS may not carry (RFC 1939 has ASCII).
fn takes_plain(capabilities: &[String], username: &str, password: &str) -> bool {
    let plain = mechanisms(capabilities).any(|name| name.eq_ignore_ascii_case("PLAIN"));
    let ascii = username.is_ascii() && password.is_ascii();
    plain && (argument(capabilities, "USER").is_none() || !ascii)
}

/// The lines of CAPA; none where the server does not know it (RFC 2449 is younger than POP3).
async fn capabilities(dialogue: &mut Dialogue) -> Result<Vec<String>, SourceError> {
    let mut lines = Vec::new();
    let mut on = |line: &[u8]| lines.push(String::from_utf8_lossy(line).trim().to_owned());
    match dialogue.list("CAPA", SMALL, &mut on).await {
        Ok(()) => Ok(lines),
        Err(SourceError::Refused { .. }) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_is_taken_where_user_is_not_offered_or_does_not_do() {
        let capabilities = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        let both = capabilities(&["USER", "SASL CRAM-MD5 plain", "TOP"]);
        let plain = capabilities(&["sasl PLAIN"]);
        assert!(!takes_plain(&both, "jane", "secret"));
        assert!(takes_plain(&both, "jane", "geheimnißvoll"));
        assert!(takes_plain(&plain, "jane", "secret"));
        assert!(!takes_plain(&[], "jané", "secret"));
    }
}
