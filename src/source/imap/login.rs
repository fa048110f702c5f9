//! Greeting, capabilities, and login.

use std::time::Instant;

use super::{
    ImapSession,
    answer::{Answer, StatusText},
    dialogue::Dialogue,
    names,
};
use crate::{
    config::{self, Encryption, Secret, Server},
    net::{Hidden, plain_response, token_response},
    said::{Said, said},
    source::{ConnectStep, Credential, SourceError, Steps, connect::Dialled, token, upgrade::GREETING},
};

const ID: &str = "ID";

impl ImapSession {
    /// Greets and logs in over a connection that was just made.
    pub(in crate::source) async fn login(
        server: &Server,
        credential: &Credential,
        dialled: Dialled,
        steps: &mut Steps,
    ) -> Result<Self, SourceError> {
        let host = &server.host;
        let mut dialogue = Dialogue::new(host, dialled.guard, Hidden::of(&server.username, credential));
        let mut logged_in = false;
        if !dialled.greeted {
            let began = Instant::now();
            let greeting = greet(&mut dialogue)
                .await
                .map_err(|e| e.at(host, ConnectStep::Greeting))?;
            logged_in = greeting.logged_in;
            steps.did(ConnectStep::Greeting, Said::quoted(greeting.words), began);
        }
        let began = Instant::now();
        let (capabilities, asks_who) = authenticate(server, credential, &mut dialogue, logged_in)
            .await
            .map_err(|e| e.at(host, ConnectStep::Login))?;
        let mut detail = match logged_in {
            true => said!(NotAskedWho, "the server did not ask who we are (PREAUTH)"),
            false => said!(LoggedInAs, "as {0}", server.username),
        };
        if asks_who || has(&capabilities, ID) {
            introduce(&mut dialogue)
                .await
                .map_err(|e| e.at(host, ConnectStep::Login))?;
        }
        let wanted = match server.compress {
            config::Compress::Auto => !dialled.is_near,
            config::Compress::Never => false,
            config::Compress::Always => true,
        };
        if wanted && has(&capabilities, "COMPRESS=DEFLATE") {
            let compressed = compress(&mut dialogue)
                .await
                .map_err(|e| e.at(host, ConnectStep::Login))?;
            if compressed {
                detail = said!(Compressed, "{0}, compressed", detail);
            }
        }
        steps.did(ConnectStep::Login, detail, began);
        Ok(Self {
            dialogue,
            capabilities,
            certificate: dialled.certificate,
            raw_names: Default::default(),
            unclear: None,
            writable: None,
        })
    }
}

struct Greeting {
    words: String,
    logged_in: bool,
}

async fn greet(dialogue: &mut Dialogue) -> Result<Greeting, SourceError> {
    match dialogue.greeting(GREETING).await? {
        Answer::Note(StatusText { words, .. }) => Ok(Greeting {
            words: dialogue.hidden.plain(&words),
            logged_in: false,
        }),
        Answer::Preauth(StatusText { words, .. }) => Ok(Greeting {
            words: dialogue.hidden.plain(&words),
            logged_in: true,
        }),
        Answer::Bye(StatusText { words, .. }) => Err(SourceError::Greeting {
            host: dialogue.host.clone(),
            words: dialogue.hidden.plain(&words),
        }),
        _ => Err(SourceError::Protocol {
            command: GREETING.to_owned(),
            detail: "this is no IMAP greeting".to_owned(),
        }),
    }
}

/// Logs in where that is due, and asks what the server can do then. Also says whether it offered ID before.
async fn authenticate(
    server: &Server,
    credential: &Credential,
    dialogue: &mut Dialogue,
    logged_in: bool,
) -> Result<(Vec<String>, bool), SourceError> {
    let (mut announced, mut asks_who) = (None, false);
    if !logged_in {
        let before = capabilities(dialogue).await?;
        asks_who = has(&before, ID);
        let said = match credential {
            Credential::Password(password) => with_password(server, password, dialogue, &before).await?,
            Credential::Token(token) => with_token(server, token, dialogue, &before).await?,
        };
        announced = said.capabilities;
    }
    let capabilities = match announced {
        Some(capabilities) => capabilities,
        None => capabilities(dialogue).await?,
    };
    Ok((capabilities, asks_who))
}

/// Says who we are (RFC 2971). Some servers open no folder before they know (163.com, 126.com: "Unsafe Login").
async fn introduce(dialogue: &mut Dialogue) -> Result<(), SourceError> {
    let line = format!(
        "{ID} (\"name\" \"dropkeep\" \"version\" \"{}\")",
        env!("CARGO_PKG_VERSION")
    );
    let allowance = dialogue.small();
    match dialogue.command(ID, &line, allowance, &mut |_| Ok(())).await {
        // Who does not want to know it is served without.
        Ok(_) | Err(SourceError::Refused { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Asks that both sides deflate (RFC 4978), and says whether they do.
async fn compress(dialogue: &mut Dialogue) -> Result<bool, SourceError> {
    const COMPRESS: &str = "COMPRESS DEFLATE";
    let allowance = dialogue.small();
    match dialogue.command(COMPRESS, COMPRESS, allowance, &mut |_| Ok(())).await {
        Ok(_) => {
            dialogue.deflate();
            Ok(true)
        }
        // It goes without as well: the layer below may compress already.
        Err(SourceError::Refused { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

fn has(capabilities: &[String], name: &str) -> bool {
    capabilities.iter().any(|known| known.eq_ignore_ascii_case(name))
}

async fn with_password(
    server: &Server,
    password: &Secret,
    dialogue: &mut Dialogue,
    offered: &[String],
) -> Result<StatusText, SourceError> {
    let as_text = [&server.username, password.reveal()].map(|text| is_plain_ascii(text).then(|| names::quoted(text)));
    let said = match as_text {
        [Some(Some(username)), Some(Some(secret))] if !has(offered, "LOGINDISABLED") => {
            let line = format!("LOGIN {username} {secret}");
            let allowance = dialogue.small();
            dialogue.command("LOGIN", &line, allowance, &mut |_| Ok(())).await
        }
        _ if has(offered, "LOGINDISABLED") && !has(offered, "AUTH=PLAIN") => {
            let words = match server.access.encryption() {
                Encryption::Never => said!(
                    NoPasswordInClear,
                    "it takes no password on a connection without TLS (LOGINDISABLED)"
                ),
                Encryption::Upgrade | Encryption::Implicit => {
                    said!(
                        NoPasswordHere,
                        "it takes no password here (LOGINDISABLED, and no AUTH=PLAIN)"
                    )
                }
            };
            return Err(SourceError::login(server, words));
        }
        _ => authenticate_plain(server, password, dialogue).await,
    };
    said.map_err(|error| match error {
        SourceError::Refused { words, .. } => SourceError::login(server, Said::quoted(words)),
        error => error,
    })
}

/// XOAUTH2, with the token on the command's own line where the server takes it there (RFC 4959).
async fn with_token(
    server: &Server,
    secret: &Secret,
    dialogue: &mut Dialogue,
    offered: &[String],
) -> Result<StatusText, SourceError> {
    const AUTHENTICATE: &str = "AUTHENTICATE XOAUTH2";
    if !has(offered, &format!("AUTH={}", token::XOAUTH2)) {
        return Err(SourceError::login(server, token::not_offered()));
    }
    let Some(response) = token_response(&server.username, secret) else {
        return Err(SourceError::login(server, token::not_sendable()));
    };
    let allowance = dialogue.small();
    let tag = match has(offered, "SASL-IR") {
        true => {
            let line = format!("{AUTHENTICATE} {response}");
            dialogue.begin(AUTHENTICATE, &line, allowance).await?
        }
        false => {
            let tag = dialogue.begin(AUTHENTICATE, AUTHENTICATE, allowance).await?;
            let asked = dialogue.challenge(AUTHENTICATE, &tag).await;
            asked.map_err(|error| without_token(server, error, None, &response, secret))?;
            dialogue.send(AUTHENTICATE, &format!("{response}\r\n")).await?;
            tag
        }
    };
    let mut challenge = None;
    let mut said = Ok(None);
    while let Ok(None) = said {
        let challenged = challenge.is_some();
        let mut asked = false;
        let on = &mut |answer| {
            if let Answer::Continue(words) = answer {
                challenge = Some(words);
                asked = true;
            }
            Ok(())
        };
        said = dialogue.step(AUTHENTICATE, &tag, on).await;
        match asked {
            true if challenged => return Err(not_understood(AUTHENTICATE)),
            // Why it refuses; an empty answer lets it end the command.
            true => dialogue.send(AUTHENTICATE, "\r\n").await?,
            false => {}
        }
    }
    let status = challenge.as_deref().and_then(token::status);
    match said {
        Ok(Some(said)) => Ok(said),
        Ok(None) => Err(not_understood(AUTHENTICATE)),
        Err(error) => Err(without_token(server, error, status.as_deref(), &response, secret)),
    }
}

/// A failure of a login with a token: a refusal as one of the login, and none with the token in its words.
fn without_token(
    server: &Server,
    error: SourceError,
    status: Option<&str>,
    response: &str,
    secret: &Secret,
) -> SourceError {
    match error {
        SourceError::Refused { words, .. } => {
            SourceError::login(server, Said::quoted(token::refusal(&words, status, response, secret)))
        }
        SourceError::Lost { command, words } => SourceError::Lost {
            command,
            words: token::refusal(&words, status, response, secret),
        },
        error => error,
    }
}

fn not_understood(command: &str) -> SourceError {
    SourceError::Protocol {
        command: command.to_owned(),
        detail: "it asks for more after the token was sent".to_owned(),
    }
}

/// RFC 3501 has ASCII in quoted strings; a control character may be none of a client's business.
fn is_plain_ascii(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

async fn authenticate_plain(
    server: &Server,
    password: &Secret,
    dialogue: &mut Dialogue,
) -> Result<StatusText, SourceError> {
    const AUTHENTICATE: &str = "AUTHENTICATE PLAIN";
    let allowance = dialogue.small();
    let tag = dialogue.begin(AUTHENTICATE, AUTHENTICATE, allowance).await?;
    dialogue.challenge(AUTHENTICATE, &tag).await?;
    let line = format!("{}\r\n", plain_response(&server.username, password));
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
