//! The SASL mechanism XOAUTH2, in which Google and Microsoft take access tokens in place of passwords.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde_json::Value;

use crate::{
    config::Secret,
    harmless::without_secrets,
    said::{Said, said},
};

/// How this mechanism is called in capabilities and commands.
pub(super) const XOAUTH2: &str = "XOAUTH2";

pub(super) fn not_offered() -> Said {
    said!(
        TokensNotOffered,
        "it takes no tokens here (XOAUTH2 is not offered); try an access with TLS, or a password in place of oauth2"
    )
}

pub(super) fn not_sendable() -> Said {
    said!(
        TokenNotSendable,
        "a user name or token with a control character in it cannot be sent"
    )
}

/// Servers pad their challenges, or do not.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why the server refuses, as its challenge says: JSON in base64, of which only the status is for people. `None` where
/// it does not say.
pub(super) fn status(challenge: &str) -> Option<String> {
    let json = LENIENT.decode(challenge.trim()).ok()?;
    let Value::Object(said) = serde_json::from_slice(&json).ok()? else {
        return None;
    };
    match said.get("status")? {
        Value::String(status) => Some(status.clone()),
        Value::Number(status) => Some(status.to_string()),
        _ => None,
    }
}

/// The words of a refusal, with the status that came before. Neither shows the token.
pub(super) fn refusal(words: &str, status: Option<&str>, response: &str, token: &Secret) -> String {
    let words = match status {
        Some(status) => format!("{words} (status {status})"),
        None => words.to_owned(),
    };
    without_secrets(&words, &[response, token.reveal()])
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::net::token_response;

    #[test]
    fn the_status_is_taken_out_of_a_challenge_and_nothing_else_is() {
        let challenge = |json: &str| status(&STANDARD.encode(json));
        let google = r#"{"status":"401","schemes":"bearer mac","scope":"https://mail.google.com/"}"#;
        assert_eq!(challenge(google).as_deref(), Some("401"));
        assert_eq!(challenge(r#"{"status":400}"#).as_deref(), Some("400"));
        assert_eq!(
            status("eyJzdGF0dXMiOiI0MDEifQ").as_deref(),
            Some("401"),
            "without padding"
        );
        for none in ["[]", "{}", "no json", r#"{"status":{"a":"b"}}"#] {
            assert_eq!(challenge(none), None, "{none}");
        }
        assert_eq!(status("not base64"), None);
    }

    #[test]
    fn a_refusal_never_shows_the_token() {
        let token = Secret::new("ya29.secret");
        let response = token_response("jane", &token).unwrap();
        let shown = refusal(
            &format!("bad {response}, {}", token.reveal()),
            Some("ya29.secret"),
            &response,
            &token,
        );
        assert_eq!(shown, "bad ***, *** (status ***)");
    }
}
