//! Greeting, capabilities, and login.

use std::time::Instant;

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{Pop3Session, dialogue::Dialogue};
use crate::{
    config::{Secret, Server},
    source::{
        SourceError, Step, Steps,
        connect::Dialled,
        error::{plain, without_secrets},
        lines::SMALL,
    },
};

impl Pop3Session {
    /// Greets and logs in over a connection that was just made.
    pub(in crate::source) async fn login(
        server: &Server,
        password: &Secret,
        dialled: Dialled,
        steps: &mut Steps,
    ) -> Result<Self, SourceError> {
        let host = &server.host;
        let mut dialogue = Dialogue::new(host, dialled.guard);
        if !dialled.greeted {
            let began = Instant::now();
            let words = match dialogue.status("the greeting").await {
                Ok(words) => plain(&words),
                Err(SourceError::Refused { words, .. }) => {
                    let host = host.clone();
                    return Err(SourceError::Greeting { host, words });
                }
                Err(error) => return Err(error.at(host, Step::Greeting)),
            };
            steps.done.push((Step::Greeting, words, began.elapsed()));
        }
        let began = Instant::now();
        let capabilities = authenticate(server, password, &mut dialogue)
            .await
            .map_err(|error| error.at(host, Step::Login))?;
        let detail = format!("as {}", server.username);
        steps.done.push((Step::Login, detail, began.elapsed()));
        Ok(Self {
            dialogue,
            capabilities,
            certificate: dialled.certificate,
            copies: Vec::new(),
            sizes: Default::default(),
        })
    }
}

/// Logs in, and asks what the server can do then.
async fn authenticate(server: &Server, password: &Secret, dialogue: &mut Dialogue) -> Result<Vec<String>, SourceError> {
    let before = capabilities(dialogue).await?;
    take_utf8(dialogue, &before).await?;
    // A line end in either would begin another command.
    let sendable = ![&server.username, password.reveal()]
        .iter()
        .any(|text| text.contains(['\r', '\n', '\0']));
    if !sendable {
        return Err(SourceError::Login {
            host: server.host.clone(),
            username: server.username.clone(),
            words: "a user name or password with a line end in it cannot be sent".to_owned(),
        });
    }
    let credentials = STANDARD.encode(format!("\0{}\0{}", server.username, password.reveal()));
    let said = match takes_plain(&before, &server.username, password.reveal()) {
        true => {
            let line = format!("AUTH PLAIN {credentials}");
            dialogue.command("AUTH PLAIN", &line).await
        }
        false => match dialogue.command("USER", &format!("USER {}", server.username)).await {
            Ok(_) => dialogue.command("PASS", &format!("PASS {}", password.reveal())).await,
            refused => refused,
        },
    };
    match said {
        Ok(_) => capabilities(dialogue).await,
        Err(SourceError::Refused { words, .. }) => Err(SourceError::Login {
            host: server.host.clone(),
            username: server.username.clone(),
            words: without_secrets(&words, &[&credentials, password.reveal()]),
        }),
        Err(error) => Err(error),
    }
}

/// Says that messages may come with UTF-8 in their headers (RFC 6856, 2), where the server offers that: to others
/// Courier (1.0) sends such mail as a file attached to a message of its own. A server that refuses sends as ever.
async fn take_utf8(dialogue: &mut Dialogue, capabilities: &[String]) -> Result<(), SourceError> {
    const UTF8: &str = "UTF8";
    let mut names = capabilities.iter().filter_map(|line| line.split(' ').next());
    if !names.any(|name| name.eq_ignore_ascii_case(UTF8)) {
        return Ok(());
    }
    match dialogue.command(UTF8, UTF8).await {
        Ok(_) | Err(SourceError::Refused { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whether AUTH PLAIN (RFC 5034) is the way to log in: where USER is not offered, and for what
/// USER and PASS may not carry (RFC 1939 has ASCII).
fn takes_plain(capabilities: &[String], username: &str, password: &str) -> bool {
    let words = |name: &str| {
        let mut lines = capabilities.iter().map(|line| line.split(' '));
        lines.find_map(|mut words| words.next()?.eq_ignore_ascii_case(name).then_some(words))
    };
    let plain = words("SASL").is_some_and(|mut mechanisms| mechanisms.any(|name| name.eq_ignore_ascii_case("PLAIN")));
    let ascii = username.is_ascii() && password.is_ascii();
    plain && (words("USER").is_none() || !ascii)
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
