//! Greeting, capabilities, and login.

use std::time::Instant;

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{
    ImapSession,
    answer::{Answer, Said},
    dialogue::Dialogue,
    names,
};
use crate::{
    config::{Secret, Server},
    source::{
        SourceError, Step, Steps,
        connect::Dialled,
        error::{plain, without_secrets},
    },
};

const GREETING: &str = "the greeting";

impl ImapSession {
    /// Greets and logs in over a connection that was just made.
    pub(in crate::source) async fn login(
        server: &Server,
        password: &Secret,
        dialled: Dialled,
        steps: &mut Steps,
    ) -> Result<Self, SourceError> {
        let host = &server.host;
        let mut dialogue = Dialogue::new(host, dialled.guard);
        let mut logged_in = false;
        if !dialled.greeted {
            let began = Instant::now();
            let greeting = greet(&mut dialogue).await.map_err(|e| e.at(host, Step::Greeting))?;
            logged_in = greeting.logged_in;
            steps.done.push((Step::Greeting, greeting.words, began.elapsed()));
        }
        let began = Instant::now();
        let capabilities = authenticate(server, password, &mut dialogue, logged_in)
            .await
            .map_err(|e| e.at(host, Step::Login))?;
        let detail = match logged_in {
            true => "the server did not ask who we are (PREAUTH)".to_owned(),
            false => format!("as {}", server.username),
        };
        steps.done.push((Step::Login, detail, began.elapsed()));
        Ok(Self {
            dialogue,
            capabilities,
            certificate: dialled.certificate,
            raw_names: Default::default(),
        })
    }
}

struct Greeting {
    words: String,
    logged_in: bool,
}

async fn greet(dialogue: &mut Dialogue) -> Result<Greeting, SourceError> {
    match dialogue.read(GREETING).await? {
        Answer::Note(Said { words, .. }) => Ok(Greeting {
            words: plain(&words),
            logged_in: false,
        }),
        Answer::Preauth(Said { words, .. }) => Ok(Greeting {
            words: plain(&words),
            logged_in: true,
        }),
        Answer::Bye(Said { words, .. }) => Err(SourceError::Greeting {
            host: dialogue.host.clone(),
            words: plain(&words),
        }),
        _ => Err(SourceError::Protocol {
            command: GREETING.to_owned(),
            detail: "it is no IMAP greeting".to_owned(),
        }),
    }
}

/// Logs in where that is due, and asks what the server can do then.
async fn authenticate(
    server: &Server,
    password: &Secret,
    dialogue: &mut Dialogue,
    logged_in: bool,
) -> Result<Vec<String>, SourceError> {
    let mut announced = None;
    if !logged_in {
        let before = capabilities(dialogue).await?;
        let has = |name: &str| before.iter().any(|known| known.eq_ignore_ascii_case(name));
        let as_text =
            [&server.username, password.reveal()].map(|text| is_plain_ascii(text).then(|| names::quoted(text)));
        let said = match as_text {
            [Some(Some(username)), Some(Some(secret))] if !has("LOGINDISABLED") => {
                let line = format!("LOGIN {username} {secret}");
                let allowance = dialogue.small();
                dialogue.command("LOGIN", &line, allowance, &mut |_| Ok(())).await
            }
            _ if has("LOGINDISABLED") && !has("AUTH=PLAIN") => {
                let words =
                    "it takes no passwords here (LOGINDISABLED, without AUTH=PLAIN); an access with TLS may help";
                return Err(refused(server, password, words));
            }
            _ => authenticate_plain(server, password, dialogue).await,
        };
        let said = said.map_err(|error| match error {
            SourceError::Refused { words, .. } => refused(server, password, &words),
            error => error,
        })?;
        announced = said.capabilities;
    }
    match announced {
        Some(capabilities) => Ok(capabilities),
        None => capabilities(dialogue).await,
    }
}

/// RFC 3501 has ASCII in quoted strings; a control character may be none of a client's business.
fn is_plain_ascii(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

fn refused(server: &Server, password: &Secret, words: &str) -> SourceError {
    let encoded = credentials(server, password);
    SourceError::Login {
        host: server.host.clone(),
        username: server.username.clone(),
        words: without_secrets(words, &[&encoded, password.reveal()]),
    }
}

/// RFC 4616, in base64.
fn credentials(server: &Server, password: &Secret) -> String {
    STANDARD.encode(format!("\0{}\0{}", server.username, password.reveal()))
}

async fn authenticate_plain(server: &Server, password: &Secret, dialogue: &mut Dialogue) -> Result<Said, SourceError> {
    const AUTHENTICATE: &str = "AUTHENTICATE PLAIN";
    let allowance = dialogue.small();
    let tag = dialogue.begin(AUTHENTICATE, AUTHENTICATE, allowance).await?;
    loop {
        match dialogue.read(AUTHENTICATE).await? {
            Answer::Continue => break,
            Answer::Tagged { said, .. } => {
                return Err(SourceError::Refused {
                    command: AUTHENTICATE.to_owned(),
                    words: plain(&said.words),
                });
            }
            Answer::Bye(said) => {
                return Err(SourceError::Lost {
                    command: AUTHENTICATE.to_owned(),
                    words: plain(&said.words),
                });
            }
            _ => {}
        }
    }
    let line = format!("{}\r\n", credentials(server, password));
    dialogue.send(AUTHENTICATE, &line).await?;
    dialogue.finish(AUTHENTICATE, &tag, &mut |_| Ok(())).await
}

async fn capabilities(dialogue: &mut Dialogue) -> Result<Vec<String>, SourceError> {
    const CAPABILITY: &str = "CAPABILITY";
    let mut found = Vec::new();
    let allowance = dialogue.small();
    let mut on = |answer| {
        if let Answer::Capabilities(names) = answer {
            found = names;
        }
        Ok(())
    };
    dialogue.command(CAPABILITY, CAPABILITY, allowance, &mut on).await?;
    Ok(found)
}
