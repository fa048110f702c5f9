//! A run goes to a webhook: its protocol, as `protocols RUN --json` prints it.

use hyper::StatusCode;

use super::NotifyError;
use crate::{
    config::{Secret, Webhook},
    outgoing::{Post, Reply, post},
    report::Run,
    source::without_secrets,
};

/// Calls it once.
///
/// # Errors
/// It could not be called, or did not answer that it took the run.
pub async fn call(webhook: &Webhook, run: &Run) -> Result<(), NotifyError> {
    let token = webhook.token()?;
    let body = serde_json::to_vec(run).map_err(|error| NotifyError::Letter(error.to_string()))?;
    let post_it = Post {
        endpoint: &webhook.url,
        ca_file: webhook.ca_file.as_deref(),
        most: webhook.timeout(),
        content_type: "application/json",
        bearer: token.as_ref(),
        body: body.into(),
    };
    let reply = post(&post_it).await?;
    match reply.status.is_success() {
        true => Ok(()),
        false => Err(refused(webhook, &reply, token.as_ref())),
    }
}

fn refused(webhook: &Webhook, reply: &Reply, token: Option<&Secret>) -> NotifyError {
    let words = String::from_utf8_lossy(&reply.body);
    let token = token.map_or("", Secret::reveal);
    let answer = match (&reply.location, words.trim().is_empty()) {
        (Some(to), _) if reply.status.is_redirection() => {
            format!("{}, and leads to {to}: set url to where it is", reply.status)
        }
        (_, true) => reply.status.to_string(),
        (_, false) => format!("{}: {words}", reply.status),
    };
    let again = matches!(
        reply.status,
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS
    ) || reply.status.is_server_error();
    NotifyError::Status {
        url: webhook.url.to_string(),
        answer: without_secrets(&answer, &[token]),
        is_final: !again,
        after: reply.retry_after,
    }
}
