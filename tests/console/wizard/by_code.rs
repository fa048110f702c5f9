//! Logging in by a code that is typed into a page of the provider's.

use std::sync::atomic::{AtomicU32, Ordering};

use super::{Draft, empty};
use crate::{
    people::between,
    support::web::{Request, Web, answer},
};

const DEVICE_CODE: &str = "device-5ecret";
const TOKEN: &str = "refresh-5ecret";

/// JSON that an endpoint answers.
fn says(status: &str, json: &serde_json::Value) -> String {
    answer(status, "", &json.to_string())
}

/// An endpoint at which somebody logs in after they were waited for once.
fn endpoint() -> Web {
    let asked = AtomicU32::new(0);
    Web::start(None, move |request: Request| {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        Some(match request.path() {
            "/tenant/oauth2/v2.0/devicecode" => {
                assert!(
                    body.contains("client_id=id") && body.contains("scope=mail+offline_access"),
                    "{body}"
                );
                says(
                    "200 OK",
                    &serde_json::json!({
                        "device_code": DEVICE_CODE, "user_code": "ABCD-EFGH", "expires_in": 900,
                        "verification_uri": "https://login.example.com/device",
                    }),
                )
            }
            "/tenant/oauth2/v2.0/token" => {
                assert!(body.contains(&format!("device_code={DEVICE_CODE}")), "{body}");
                match asked.fetch_add(1, Ordering::Relaxed) {
                    0 => says(
                        "400 Bad Request",
                        &serde_json::json!({"error": "authorization_pending"}),
                    ),
                    _ => says(
                        "200 OK",
                        &serde_json::json!({"access_token": "a", "token_type": "Bearer", "refresh_token": TOKEN}),
                    ),
                }
            }
            _ => says("404 Not Found", &serde_json::json!({})),
        })
    })
}

#[test]
fn a_refresh_token_comes_by_a_code_and_is_shown_to_nobody() {
    let web = endpoint();
    let (_site, anna) = empty();
    let draft = Draft::begin(&anna, "");
    let token_endpoint = web.page("tenant/oauth2/v2.0/token");
    let fields = [
        ("server.access", "imap-ssl"),
        ("server.host", "mail.example.com"),
        ("server.username", "all@example.com"),
        ("log_in", "token"),
        ("server.tls", "system"),
        ("server.oauth2.token_endpoint", &*token_endpoint),
        ("server.oauth2.client_id", "id"),
        ("server.oauth2.grant", "refresh_token"),
        ("server.oauth2.scope", "mail offline_access"),
    ];
    draft.goes("server", "code", &fields, "server#code");
    let page = draft.get("server");
    assert!(
        page.contains("ABCD-EFGH") && page.contains("href=\"https://login.example.com/device\""),
        "{page}"
    );
    assert!(!page.contains(DEVICE_CODE));
    let waited = draft.post("server", "logged-in", &fields).expect(400).text();
    let said = between(&waited, "id=\"server-oauth2-refresh_token-fault\">", "<");
    assert!(said.contains("nobody has logged in"), "{said}");
    draft.goes("server", "logged-in", &fields, "server#code");
    let page = draft.get("server");
    assert!(
        page.contains("One is kept, and never shown") && !page.contains("ABCD-EFGH"),
        "{page}"
    );
    draft.goes("server", "next", &fields, "test");
    for step in ["server", "test", "finish"] {
        let page = draft.get(step);
        assert!(!page.contains(TOKEN) && !page.contains(DEVICE_CODE), "{page}");
    }
    // An endpoint that has no such page says what to do.
    let draft = Draft::begin(&anna, "");
    let elsewhere = web.page("oauth/authorize");
    let page = draft
        .post(
            "server",
            "code",
            &super::with(&fields, &[("server.oauth2.token_endpoint", &elsewhere)]),
        )
        .expect(400)
        .text();
    let said = between(&page, "id=\"server-oauth2-refresh_token-fault\">", "</p>");
    assert!(
        said.contains("paste the refresh token") && said.contains("href=\"/console/handbook/oauth2\""),
        "{said}"
    );
}
