//! How somebody logs in for a profile by a code that they type into a page of the endpoint's (RFC 8628): it ends with a
//! refresh token. The endpoint says nothing to us by itself; it is asked again.

use std::time::Duration;

use form_urlencoded::Serializer;
use serde_json::{Map, Value};

use super::{
    TokenError,
    grant::{Asking, given, said, text},
};
use crate::{
    config::{Endpoint, OAuth2, Secret},
    net::{Post, Reply, post},
    said::said,
};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// What token endpoints end with that have another one for this beside them, and what that one ends with.
const TOKEN: &str = "/token";
const DEVICE: &str = "/devicecode";

/// A code that somebody types.
#[derive(Debug)]
pub struct DeviceCode {
    /// What the endpoint is asked with.
    pub code: Secret,
    /// What is typed, and the address of the page.
    pub typed: String,
    pub address: String,
    /// How long it counts.
    pub lasts: Duration,
}

/// Asks for a code.
///
/// # Errors
/// There is none; the words say what to do.
pub async fn begin(oauth2: &OAuth2, timeout: Duration) -> Result<DeviceCode, TokenError> {
    let client_secret = oauth2.client_secret()?;
    let asking = asking(oauth2, client_secret.as_ref());
    let endpoint = beside(&oauth2.token_endpoint)?;
    let mut form = Serializer::new(String::new());
    form.append_pair("client_id", &oauth2.client_id);
    if let Some(scope) = &oauth2.scope {
        form.append_pair("scope", scope);
    }
    let reply = ask(oauth2, &endpoint, timeout, form.finish()).await?;
    let answer = said(&reply);
    if !reply.status.is_success() {
        return Err(asking.refusal(&reply, &answer));
    }
    read(&answer).ok_or_else(|| asking.unreadable("there is no code in it that somebody could type".to_owned()))
}

/// The refresh token of whoever has logged in by the code; `None` as long as nobody has.
///
/// # Errors
/// Nobody will; the words say what to do.
pub async fn finish(oauth2: &OAuth2, timeout: Duration, code: &Secret) -> Result<Option<Secret>, TokenError> {
    let client_secret = oauth2.client_secret()?;
    let asking = asking(oauth2, client_secret.as_ref());
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", GRANT);
    form.append_pair("client_id", &oauth2.client_id);
    if let Some(secret) = &client_secret {
        form.append_pair("client_secret", secret.reveal());
    }
    form.append_pair("device_code", code.reveal());
    let reply = ask(oauth2, &oauth2.token_endpoint, timeout, form.finish()).await?;
    let answer = said(&reply);
    if reply.status.is_success() {
        let given = given(&answer).map_err(|detail| asking.unreadable(detail.to_owned()))?;
        let none = "there is no refresh token in it: scope must have offline_access";
        return given
            .refresh
            .map(Some)
            .ok_or_else(|| asking.unreadable(none.to_owned()));
    }
    match text(&answer, "error") {
        Some("authorization_pending" | "slow_down") => Ok(None),
        _ => Err(asking.refusal(&reply, &answer)),
    }
}

fn asking<'a>(oauth2: &'a OAuth2, client_secret: Option<&'a Secret>) -> Asking<'a> {
    Asking {
        oauth2,
        client_secret,
        refresh_token: None,
    }
}

/// The endpoint for codes, beside that for tokens, as Microsoft has it.
fn beside(endpoint: &Endpoint) -> Result<Endpoint, TokenError> {
    let path = endpoint.target.strip_suffix(TOKEN).ok_or_else(|| TokenError::Refused {
        endpoint: endpoint.to_string(),
        words: "it is not known where it gives out codes".to_owned(),
        advice: said!(PasteToken, "Log in as docs/oauth2.md says, and paste the refresh token"),
    })?;
    Ok(Endpoint {
        target: format!("{path}{DEVICE}"),
        ..endpoint.clone()
    })
}

async fn ask(oauth2: &OAuth2, endpoint: &Endpoint, most: Duration, form: String) -> Result<Reply, TokenError> {
    let form = Post {
        endpoint,
        ca_file: oauth2.ca_file.as_deref(),
        most,
        content_type: "application/x-www-form-urlencoded",
        bearer: None,
        body: form.into(),
    };
    post(&form).await.map_err(|failure| TokenError::Net {
        endpoint: endpoint.to_string(),
        failure: Box::new(failure),
    })
}

/// RFC 8628, 3.2; some say `verification_url`.
fn read(said: &Map<String, Value>) -> Option<DeviceCode> {
    let address = text(said, "verification_uri").or(text(said, "verification_url"))?;
    // It becomes a link.
    let is_address = ["https://", "http://127.0.0.1", "http://localhost"]
        .iter()
        .any(|start| address.starts_with(start));
    let seconds = said.get("expires_in").and_then(Value::as_u64).unwrap_or(900);
    is_address.then(|| {
        Some(DeviceCode {
            code: Secret::new(text(said, "device_code")?),
            typed: text(said, "user_code")?.to_owned(),
            address: address.to_owned(),
            lasts: Duration::from_secs(seconds),
        })
    })?
}

#[test]
fn a_code_is_read_with_the_page_where_it_is_typed_and_no_other_link() {
    let answer = |address: &str| {
        let json = serde_json::json!({"device_code": "secret", "user_code": "ABCD", "verification_uri": address, "expires_in": 60});
        let Value::Object(said) = json else { panic!("an object") };
        read(&said)
    };
    let code = answer("https://login.example.com/device").unwrap();
    assert_eq!(
        (&*code.typed, code.lasts.as_secs(), code.code.reveal()),
        ("ABCD", 60, "secret")
    );
    assert!(!format!("{code:?}").contains("secret"));
    assert!(answer("javascript:alert(1)").is_none() && answer("http://login.example.com").is_none());
    let beside = |address: &str| beside(&Endpoint::parse(address).unwrap()).map(|endpoint| endpoint.to_string());
    assert_eq!(
        beside("https://login.microsoftonline.com/x/oauth2/v2.0/token").unwrap(),
        "https://login.microsoftonline.com/x/oauth2/v2.0/devicecode"
    );
    let refused = beside("https://login.example.com/oauth").unwrap_err().to_string();
    assert!(refused.contains("paste the refresh token"), "{refused}");
}
