//! `dropkeep notify --test`: a mail to everyone who would get one, and a call of the webhook, that say they are a test.

use std::time::Instant;

use serde::Serialize;

use super::{NotifyError, error::TO, letter, settings::Settings, smtp, text::Words, webhook};
use crate::{
    clock,
    config::{Config, Mail, Mailbox},
    report::{Run, RunState, timestamp},
};

/// How one of them went.
#[derive(Clone, Debug, Serialize)]
pub struct Trial {
    /// `mail` or `webhook`.
    pub kind: &'static str,
    /// Whom it was for.
    pub to: String,
    pub ok: bool,
    pub detail: String,
    pub ms: u64,
    /// What was wrong was in the configuration, or a file that it names.
    #[serde(skip)]
    pub misconfigured: bool,
}

/// Tries all that is configured, one after the other; nothing where nothing is.
pub async fn trial(config: &Config) -> Vec<Trial> {
    let settings = Settings::new(config);
    let mut trials = Vec::new();
    for to in settings.recipients() {
        let Some(mail) = &settings.mail else { break };
        let names: Vec<_> = to.iter().map(|mailbox| mailbox.0.email.to_string()).collect();
        let began = Instant::now();
        trials.push(tried("mail", names.join(", "), began, by_mail(mail, to).await));
    }
    if let Some(webhook) = &settings.webhook {
        let began = Instant::now();
        let called = webhook::call(webhook, &made_up()).await;
        let called = called.map(|()| "took a made-up run (number 0)".to_owned());
        trials.push(tried("webhook", webhook.url.origin(), began, called));
    }
    trials
}

fn tried(kind: &'static str, to: String, began: Instant, result: Result<String, NotifyError>) -> Trial {
    Trial {
        kind,
        to,
        ok: result.is_ok(),
        misconfigured: matches!(result, Err(NotifyError::Config(_))),
        detail: result.unwrap_or_else(|error| error.to_string()),
        ms: began.elapsed().as_millis() as u64,
    }
}

async fn by_mail(mail: &Mail, to: &[Mailbox]) -> Result<String, NotifyError> {
    let host = smtp::host_name();
    let words = Words {
        subject: "dropkeep: a test".into(),
        body: format!("`dropkeep notify --test` on {host} sent this. Mail about runs comes the same way.\n"),
    };
    let (envelope, bytes) = letter::write(mail, to, &words, clock::now())?;
    let refused = smtp::send(mail, &envelope, &bytes).await?;
    match refused.first() {
        None => Ok(format!("{} took it", mail.host)),
        Some((address, words)) => Err(NotifyError::Smtp {
            host: mail.host.clone(),
            during: TO,
            words: format!("not for {address}, but for others: {words}"),
            is_final: true,
        }),
    }
}

fn made_up() -> Run {
    let mut run = Run::begin("(test)", clock::now());
    run.state = RunState::Completed;
    run.finished_at = Some(timestamp(clock::now()));
    run.notice("this is not a run: `dropkeep notify --test` made it up");
    run
}
