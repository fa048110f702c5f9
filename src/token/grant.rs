//! What is sent to a token endpoint (RFC 6749, 4.4.2 and 6), and what it answers (5.1, 5.2).

use form_urlencoded::Serializer;
use hyper::StatusCode;
use serde_json::{Map, Value};

use super::{TokenError, file::digest};
use crate::{
    config::{Grant, OAuth2, Secret},
    harmless::without_secrets,
    net::{NetError, Reply},
    said::{Said, said},
};

/// How long a token is taken to be good where the endpoint does not say (RFC 6749, 5.1: it should).
const ASSUMED: i64 = 3600;
/// No token is taken to be good for longer, in seconds.
const LONGEST: i64 = 366 * 86_400;

/// What goes to the endpoint, with the secrets in it.
pub(super) struct Asking<'a> {
    pub oauth2: &'a OAuth2,
    pub client_secret: Option<&'a Secret>,
    pub refresh_token: Option<&'a Secret>,
}

/// What an endpoint gave.
#[derive(Debug, PartialEq)]
pub(super) struct Given {
    pub access: Secret,
    /// Seconds from now on.
    pub good_for: i64,
    /// In place of the one that was sent.
    pub refresh: Option<Secret>,
}

impl Asking<'_> {
    /// The body of the request, `application/x-www-form-urlencoded`.
    pub fn form(&self) -> String {
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", self.oauth2.grant.as_str());
        form.append_pair("client_id", &self.oauth2.client_id);
        if let Some(secret) = self.client_secret {
            form.append_pair("client_secret", secret.reveal());
        }
        if let Some(token) = self.refresh_token {
            form.append_pair("refresh_token", token.reveal());
        }
        if let Some(scope) = &self.oauth2.scope {
            form.append_pair("scope", scope);
        }
        for (name, value) in &self.oauth2.parameters {
            form.append_pair(name, value.reveal());
        }
        form.finish()
    }

    /// Reads the answer to [`Asking::form`].
    ///
    /// # Errors
    /// There is no token in it.
    pub fn read(&self, reply: &Reply) -> Result<Given, TokenError> {
        let said = said(reply);
        if reply.status.is_success() {
            return given(&said).map_err(|detail| self.unreadable(detail.to_owned()));
        }
        Err(self.refusal(reply, &said))
    }

    /// An answer that is none.
    pub fn unreadable(&self, detail: String) -> TokenError {
        TokenError::Net {
            endpoint: self.oauth2.token_endpoint.to_string(),
            failure: Box::new(NetError::Answer {
                host: self.oauth2.token_endpoint.host.clone(),
                detail,
            }),
        }
    }

    /// Why an endpoint refuses.
    pub fn refusal(&self, reply: &Reply, said: &Map<String, Value>) -> TokenError {
        let endpoint = self.oauth2.token_endpoint.to_string();
        let code = text(said, "error").unwrap_or_default();
        let words = self.words(reply.status, said);
        let busy = reply.status == StatusCode::TOO_MANY_REQUESTS || reply.status.is_server_error();
        if busy || ["temporarily_unavailable", "server_error", "slow_down"].contains(&code) {
            return TokenError::Later {
                endpoint,
                words,
                after: reply.retry_after,
            };
        }
        if reply.status.is_redirection() {
            let to = reply.location.as_deref().unwrap_or("another address");
            return self.unreadable(format!(
                "it leads elsewhere ({}: {}), and is not followed",
                reply.status,
                self.shown(to)
            ));
        }
        if code.is_empty() {
            return self.unreadable(words);
        }
        TokenError::Refused {
            endpoint,
            words,
            advice: self.advice(code, text(said, "suberror").unwrap_or_default()),
        }
    }

    /// What the endpoint says of its refusal, without secrets.
    fn words(&self, status: StatusCode, said: &Map<String, Value>) -> String {
        let parts: Vec<&str> = ["error", "suberror", "error_description"]
            .iter()
            .filter_map(|name| text(said, name))
            .filter(|part| !part.is_empty())
            .collect();
        match parts.is_empty() {
            true => format!("it answers {status}"),
            false => self.shown(&parts.join(": ")),
        }
    }

    /// Words of the endpoint's as they may be shown: it may repeat what it was sent.
    fn shown(&self, words: &str) -> String {
        let secrets = self.client_secret.into_iter().chain(self.refresh_token);
        let secrets = secrets.chain(self.oauth2.parameters.values()).map(Secret::reveal);
        let encoded: Vec<String> = secrets
            .clone()
            .map(|secret| form_urlencoded::byte_serialize(secret.as_bytes()).collect())
            .collect();
        let hidden: Vec<&str> = secrets.chain(encoded.iter().map(String::as_str)).collect();
        without_secrets(words, &hidden)
    }

    fn advice(&self, code: &str, suberror: &str) -> Said {
        let by_right = self.oauth2.grant == Grant::ClientCredentials;
        match code {
            _ if suberror == "consent_required" => consent(),
            "invalid_grant" if by_right => said!(CheckParameters, "Check parameters and scope"),
            "invalid_grant" => said!(
                RefreshTokenGone,
                "The refresh token is no longer good: it was revoked, has expired, or belongs to another client_id. Log in \
                 anew, and set refresh_token to the new one"
            ),
            "invalid_client" => said!(
                CheckClient,
                "Check client_id and client_secret: it must be the secret's value, not its id, and may have expired"
            ),
            "unauthorized_client" => said!(
                CheckRegistration,
                "The registration of client_id does not allow this: check it, grant, and that token_endpoint is that of the \
                 right tenant"
            ),
            "unsupported_grant_type" => said!(
                CheckGrant,
                "The endpoint does not know this grant: check grant and token_endpoint"
            ),
            "invalid_scope" => said!(
                CheckScope,
                "Check scope, and that the registration of client_id allows it"
            ),
            "invalid_request" => said!(
                CheckRequest,
                "Check token_endpoint, scope and parameters, and whether it wants a client_secret"
            ),
            "expired_token" => said!(CodeExpired, "The code counts no more: ask for another one"),
            "access_denied" | "consent_required" => consent(),
            "interaction_required" | "login_required" => said!(
                LogInAgain,
                "It wants somebody to log in again: do so, and set refresh_token to the new one"
            ),
            _ => said!(SeeEndpoint, "The endpoint's documentation says what this means"),
        }
    }
}

fn consent() -> Said {
    said!(
        ConsentMissing,
        "Consent is missing: the mailbox's owner or an administrator must give it to the application; then log in anew, and \
         set refresh_token to the new one"
    )
}

/// Digest of what a token is asked for with, but the tokens that come and go.
pub(super) fn basis(oauth2: &OAuth2, username: &str) -> String {
    let endpoint = &oauth2.token_endpoint;
    let port = endpoint.port.to_string();
    let mut texts = vec![
        endpoint.host.as_str(),
        &port,
        &endpoint.target,
        &oauth2.client_id,
        oauth2.grant.as_str(),
        oauth2.scope.as_deref().unwrap_or_default(),
        username,
    ];
    for (name, value) in &oauth2.parameters {
        texts.extend([name.as_str(), value.reveal()]);
    }
    digest(&texts)
}

/// The object that an endpoint answers with; an empty one where it is something else.
pub(super) fn said(reply: &Reply) -> Map<String, Value> {
    match serde_json::from_slice(&reply.body) {
        Ok(Value::Object(said)) => said,
        _ => Map::new(),
    }
}

pub(super) fn text<'a>(said: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    said.get(name).and_then(Value::as_str)
}

pub(super) fn given(said: &Map<String, Value>) -> Result<Given, &'static str> {
    let access = text(said, "access_token").ok_or("there is no access_token in it")?;
    // RFC 6749, A.12. Anything else would end a login early.
    if access.is_empty() || !access.bytes().all(|byte| (0x20..=0x7e).contains(&byte)) {
        return Err("its access_token has characters that no token has");
    }
    match text(said, "token_type") {
        Some(kind) if !kind.eq_ignore_ascii_case("bearer") => return Err("its token is no bearer token"),
        _ => {}
    }
    let refresh = text(said, "refresh_token").filter(|token| !token.is_empty());
    Ok(Given {
        access: Secret::new(access),
        good_for: seconds(said.get("expires_in")).unwrap_or(ASSUMED).clamp(0, LONGEST),
        refresh: refresh.map(Secret::new),
    })
}

/// A number; some endpoints write it as text (Azure AD's first version), or as a fraction.
fn seconds(value: Option<&Value>) -> Option<i64> {
    match value? {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|number| number as i64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
#[path = "grant_tests.rs"]
mod tests;
