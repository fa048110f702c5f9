//! What is refused, and how: as a problem document, with the fields that keep browsers from harm.

use serde_json::json;

use crate::site::Site;

#[test]
fn what_is_wrong_is_a_problem_document_that_says_what_to_do() {
    let site = Site::with_mail();
    site.add("adm", "administrator", &[]);
    let adm = site.log_in("adm");
    let (get, post) = ("GET", "POST");
    for (method, path, body, status) in [
        (get, "/api/v1/nothing", "", 404),
        (get, "/api/v1/", "", 404),
        (post, "/api/v1/me", "", 405),
        (get, "/api/v1/search?limit=x", "", 400),
        (get, "/api/v1/search?limit=1001", "", 400),
        (get, "/api/v1/search?no=thing", "", 400),
        (get, "/api/v1/search?q=%zz", "", 400),
        (get, "/api/v1/search?q=%ff", "", 400),
        (get, "/api/v1/search?q=(", "", 400),
        (get, "/api/v1/search?q=a&q=b", "", 400),
        (get, "/api/v1/messages/x", "", 404),
        (get, "/api/v1/messages/-1", "", 404),
        (get, "/api/v1/messages/01", "", 404),
        (get, "/api/v1/messages/99999999999999999999", "", 404),
        (get, "/api/v1/messages/1", "", 404),
        (get, "/api/v1/runs/999", "", 404),
        (get, "/api/v1/runs/999/events", "", 404),
        (get, "/api/v1/accounts/nobody", "", 404),
        (get, "/api/v1/audit?since=yesterday", "", 400),
        (post, "/api/v1/profiles/nothing/runs", "", 404),
        (post, "/api/v1/accounts", "{", 400),
        (post, "/api/v1/accounts", "{}", 400),
        (
            post,
            "/api/v1/accounts",
            r#"{"name":"x","role":"king","password":"topsecret topsecret"}"#,
            400,
        ),
        (
            post,
            "/api/v1/accounts",
            r#"{"name":"adm","role":"user","password":"topsecret topsecret"}"#,
            409,
        ),
        (
            post,
            "/api/v1/accounts",
            r#"{"name":"new","role":"user","password":"topsecret topsecret","archives":["x"]}"#,
            404,
        ),
        (post, "/api/v1/users/nobody/rename", r#"{"to":"x"}"#, 404),
    ] {
        let reply = adm.ask(method, path, "Content-Type: application/json\r\n", body.as_bytes());
        assert_eq!(reply.status, status, "{method} {path} {body}: {}", reply.text());
        assert_eq!(reply.field("content-type"), "application/problem+json", "{path}");
        let problem = reply.json();
        assert_eq!(problem["status"], status, "{problem}");
        assert!(!problem["what_to_do"].as_str().unwrap().is_empty(), "{problem}");
        assert!(!reply.text().contains("topsecret"), "{problem}");
    }
}

#[test]
fn each_answer_tells_browsers_to_be_careful() {
    let site = Site::with_mail();
    site.add("aud", "auditor", &[]);
    let aud = site.log_in("aud");
    for (path, status) in [
        ("/", 200),
        ("/metrics", 200),
        ("/healthz", 200),
        ("/nothing", 404),
        ("/api/v1/openapi.json", 200),
        ("/api/v1/me", 200),
        ("/api/v1/nothing", 404),
        ("/api/v1/messages/2", 200),
        ("/api/v1/messages/2/raw", 200),
        ("/api/v1/messages/2/attachments/2", 200),
        ("/api/v1/messages/99", 404),
    ] {
        let reply = aud.get(path).expect(status);
        for (field, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(reply.field(field), value, "{path}");
        }
        let policy = reply.field("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path}"
        );
    }
    let raw = aud.get("/api/v1/messages/2/raw");
    assert_eq!(raw.field("content-type"), "message/rfc822");
    let named = raw.field("content-disposition");
    let date = named.strip_prefix("attachment; filename*=UTF-8''").expect(named);
    assert!(
        date.starts_with("20") && date.ends_with("Z%20secret1%20000002.eml"),
        "{named}"
    );
    assert_eq!(raw.body, site.appliance.raw(2));
    let file = aud.get("/api/v1/messages/2/attachments/2");
    assert_eq!(
        file.field("content-disposition"),
        "attachment; filename*=UTF-8''file1.bin"
    );
    assert_eq!(
        (file.field("content-type"), &*file.text()),
        ("application/octet-stream", "attached")
    );
    aud.get("/api/v1/messages/2/attachments/0").expect(404);
    aud.get("/api/v1/messages/2/attachments/3").expect(404);
}

#[test]
fn whoever_asks_too_often_waits() {
    let site = Site::new("", &[("DROPKEEP__WEB__REQUESTS_PER_SECOND", "1")]);
    for name in ["jane", "bob"] {
        site.add(name, "user", &[name]);
    }
    let jane = site.log_in("jane");
    let statuses: Vec<_> = (0..40).map(|_| jane.get("/api/v1/me").status).collect();
    assert!(statuses.contains(&200) && statuses.contains(&429), "{statuses:?}");
    let reply = jane.get("/api/v1/me").expect(429);
    assert!(reply.field("retry-after").parse::<u64>().unwrap() >= 1);
    site.log_in("bob").get("/api/v1/me").expect(200);
    drop(site);
    let site = Site::new("", &[("DROPKEEP__HTTP__REQUESTS_PER_SECOND", "1")]);
    let stranger = site.stranger();
    let statuses: Vec<_> = (0..40).map(|_| stranger.get("/healthz").status).collect();
    assert!(statuses.contains(&200) && statuses.contains(&429), "{statuses:?}");
}

#[test]
fn a_page_of_mail_is_shown_without_what_could_do_harm() {
    let site = Site::new("", &[]);
    site.add("jane", "user", &["jane"]);
    site.import(
        "From: x@example.org\r\nTo: jane@example.com\r\nSubject: s\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
         <p onclick=x()>Hello <b>Jane</b><script>alert(1)</script><img src=//evil.example/x></p>\r\n",
    );
    let shown = site.log_in("jane").get("/api/v1/messages/1").expect(200).json();
    assert_eq!(shown["html"].as_str().map(str::trim), Some("<p>Hello <b>Jane</b></p>"));
    assert_eq!(shown["headers"][0], json!({"name": "From", "value": "x@example.org"}));
}
