use std::time::Duration;

use super::*;

use bytes::Bytes;

const CLIENT_SECRET: &str = "s3cret/+value";
const REFRESH: &str = "r3fresh/+token";

fn oauth2() -> OAuth2 {
    let mut oauth2 = OAuth2::new("https://login.example.com/token", "a client", Secret::new(REFRESH)).unwrap();
    oauth2.scope = Some("https://mail.example.com/IMAP offline_access".into());
    oauth2
}

fn read(status: u16, body: &str) -> Result<Given, TokenError> {
    let reply = Reply {
        status: StatusCode::from_u16(status).unwrap(),
        retry_after: Some(Duration::from_secs(7)),
        location: Some(format!("https://elsewhere.example.com/?{REFRESH}")),
        body: Bytes::copy_from_slice(body.as_bytes()),
    };
    let (oauth2, secret, token) = (oauth2(), Secret::new(CLIENT_SECRET), Secret::new(REFRESH));
    let asking = Asking {
        oauth2: &oauth2,
        client_secret: Some(&secret),
        refresh_token: Some(&token),
    };
    asking.read(&reply)
}

fn refusal(status: u16, body: &str) -> String {
    read(status, body).expect_err(body).to_string()
}

#[test]
fn the_form_says_all_that_is_configured() {
    let mut oauth2 = oauth2();
    oauth2.parameters.insert("resource".into(), Secret::new("a&b"));
    let (secret, token) = (Secret::new(CLIENT_SECRET), Secret::new(REFRESH));
    let mut asking = Asking {
        oauth2: &oauth2,
        client_secret: Some(&secret),
        refresh_token: Some(&token),
    };
    assert_eq!(
        asking.form(),
        "grant_type=refresh_token&client_id=a+client&client_secret=s3cret%2F%2Bvalue&refresh_token=r3fresh%2F%2Btoken\
         &scope=https%3A%2F%2Fmail.example.com%2FIMAP+offline_access&resource=a%26b"
    );
    asking.client_secret = None;
    assert!(!asking.form().contains("client_secret"));
}

#[test]
fn what_is_given_is_read_as_real_endpoints_write_it() {
    let given = |good_for, refresh: Option<&str>| Given {
        access: Secret::new("ya29.x"),
        good_for,
        refresh: refresh.map(Secret::new),
    };
    for (body, expected) in [
        // Google leaves the refresh token as it is, Microsoft sends another one.
        (
            r#"{"access_token":"ya29.x","expires_in":3599,"token_type":"Bearer"}"#,
            given(3599, None),
        ),
        (
            r#"{"token_type":"bearer","expires_in":"3600","access_token":"ya29.x","refresh_token":"0.A"}"#,
            given(3600, Some("0.A")),
        ),
        (r#"{"access_token":"ya29.x","refresh_token":""}"#, given(3600, None)),
        (r#"{"access_token":"ya29.x","expires_in":1799.5}"#, given(1799, None)),
        (r#"{"access_token":"ya29.x","expires_in":-5}"#, given(0, None)),
        (r#"{"access_token":"ya29.x","expires_in":1e300}"#, given(LONGEST, None)),
    ] {
        assert_eq!(read(200, body).expect(body), expected, "{body}");
    }
}

#[test]
fn an_answer_without_a_usable_token_is_refused() {
    for (body, word) in [
        ("<html>", "no access_token"),
        ("[]", "no access_token"),
        (r#"{"access_token":""}"#, "characters"),
        (r#"{"access_token":"a\u0001b"}"#, "characters"),
        (r#"{"access_token":"a","token_type":"mac"}"#, "bearer"),
    ] {
        let shown = refusal(200, body);
        assert!(
            shown.contains(word) && shown.contains("https://login.example.com/token"),
            "{shown}"
        );
    }
}

#[test]
fn each_refusal_says_what_to_do() {
    let said = |error: &str| format!(r#"{{"error":"{error}","error_description":"In words."}}"#);
    for (error, word) in [
        ("invalid_grant", "Log in anew"),
        ("invalid_client", "not its id"),
        ("unauthorized_client", "registration"),
        ("unsupported_grant_type", "check grant"),
        ("invalid_scope", "Check scope"),
        ("invalid_request", "client_secret"),
        ("access_denied", "Consent"),
        ("interaction_required", "log in again"),
        ("something_new", "documentation"),
    ] {
        let shown = refusal(400, &said(error));
        assert!(
            shown.contains(&format!("{error}: In words.")) && shown.contains(word),
            "{shown}"
        );
    }
    let consent = r#"{"error":"invalid_grant","error_description":"AADSTS65001: …","suberror":"consent_required"}"#;
    assert!(refusal(400, consent).contains("Consent is missing"));
    let shown = refusal(404, "<html>not here</html>");
    assert!(
        shown.contains("404") && shown.contains("check token_endpoint"),
        "{shown}"
    );
    let shown = refusal(302, "");
    assert!(
        shown.contains("elsewhere.example.com") && !shown.contains(REFRESH),
        "{shown}"
    );
}

#[test]
fn what_passes_is_told_from_what_does_not() {
    for (status, body) in [
        (429, ""),
        (503, "<html>"),
        (500, r#"{"error":"server_error"}"#),
        (400, r#"{"error":"temporarily_unavailable"}"#),
    ] {
        let error = read(status, body).unwrap_err();
        assert_eq!(error.later(), Some(Some(Duration::from_secs(7))), "{error}");
    }
    assert_eq!(read(400, r#"{"error":"invalid_grant"}"#).unwrap_err().later(), None);
}

#[test]
fn an_endpoint_that_repeats_what_it_was_sent_gave_secrets_away() {
    let body = format!(
        r#"{{"error":"invalid_request","error_description":"{REFRESH} {CLIENT_SECRET} r3fresh%2F%2Btoken s3cret%2F%2Bvalue"}}"#
    );
    let shown = refusal(400, &body);
    assert!(shown.contains("*** *** *** ***"), "{shown}");
}
