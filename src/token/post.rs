//! Sends a form to a token endpoint; errors are about tokens.

use std::{path::Path, time::Duration};

use super::TokenError;
use crate::{
    config::Endpoint,
    outgoing::{self, OutgoingError, Post, Reply},
};

/// Sends a form, and waits at most `most` for all of the answer.
///
/// # Errors
/// There is none, or it is none of HTTP. None of them shows the form.
pub(super) async fn post(
    endpoint: &Endpoint,
    ca_file: Option<&Path>,
    most: Duration,
    form: String,
) -> Result<Reply, TokenError> {
    let form = Post {
        endpoint,
        ca_file,
        most,
        content_type: "application/x-www-form-urlencoded",
        bearer: None,
        body: form.into(),
    };
    outgoing::post(&form)
        .await
        .map_err(|error| of_endpoint(endpoint, error))
}

/// What went wrong, as it is with an endpoint: there are no pins, and it has a `ca_file` of its own.
fn of_endpoint(endpoint: &Endpoint, error: OutgoingError) -> TokenError {
    let shown = || endpoint.to_string();
    match error {
        OutgoingError::Resolve { host, source } => TokenError::Resolve { host, source },
        OutgoingError::Connect { host, port, source } => TokenError::Connect { host, port, source },
        OutgoingError::Timeout { after, .. } => TokenError::Timeout {
            endpoint: shown(),
            after,
        },
        OutgoingError::Tls { host, detail } => TokenError::Tls { host, detail },
        OutgoingError::Certificate { host, why, .. } => TokenError::Certificate { host, why },
        OutgoingError::CaFile { file, detail } => TokenError::CaFile { file, detail },
        OutgoingError::Answer { detail, .. } => TokenError::Answer {
            endpoint: shown(),
            detail,
        },
    }
}
