//! A run goes to a webhook: its protocol, as `protocols RUN --json` prints it.

use hyper::{StatusCode, Uri};

use super::NotifyError;
use crate::{
    config::{Secret, Webhook},
    harmless::without_secrets,
    net::{Post, Reply, post},
    report::Run,
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
            format!(
                "{}, a redirect to {}, which is not followed: set url to it",
                reply.status,
                place(to)
            )
        }
        (_, true) => reply.status.to_string(),
        (_, false) => format!("{}: {words}", reply.status),
    };
    let again = matches!(
        reply.status,
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS
    ) || reply.status.is_server_error();
    NotifyError::Status {
        url: webhook.url.origin(),
        answer: without_secrets(&answer, &[token]),
        is_final: !again,
        after: reply.retry_after,
    }
}

/// Where a redirect leads, without what may be a secret of it: path, query, user.
fn place(location: &str) -> String {
    let uri = location.trim().parse::<Uri>().ok();
    let part = |of: fn(&Uri) -> Option<&str>| uri.as_ref().and_then(of).filter(|part| !part.is_empty());
    match (part(Uri::scheme_str), part(Uri::host)) {
        (Some(scheme), Some(host)) => format!("{scheme}://{host}/…"),
        _ => "another place".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn where_a_redirect_leads_is_shown_without_secrets() {
        for (location, shown) in [
            (
                "https://hooks.example.com/a/s3cret?token=s3cret",
                "https://hooks.example.com/…",
            ),
            ("http://jane:s3cret@example.com:8080/", "http://example.com/…"),
            ("/login?token=s3cret", "another place"),
            ("//example.com/s3cret", "another place"),
            ("https://\u{1}s3cret", "another place"),
        ] {
            assert_eq!(place(location), shown, "{location}");
        }
    }
}
