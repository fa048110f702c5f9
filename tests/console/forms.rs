//! Logging in and out, sessions that end, and forms that no page of ours has made.

use serde_json::json;

use crate::{
    people::{between, log_in, peopled, send, submit, token},
    site::{Client, PASSWORD, Site},
};

#[test]
fn one_comes_back_to_where_one_was_and_nowhere_else() {
    let site = peopled();
    let stranger = site.stranger();
    let asked = stranger.get("/console/mail?q=words1&sort=relevance").expect(303);
    let form = stranger.get(asked.field("location")).expect(200).text();
    let to = between(&form, "name=\"to\" value=\"", "\"").replace("&amp;", "&");
    assert_eq!(to, "/console/mail?q=words1&sort=relevance");
    let (jane, reply) = log_in(&site, "jane", &to);
    assert_eq!(reply.field("location"), to);
    for part in ["; HttpOnly", "; SameSite=Strict", "; Path=/"] {
        assert!(reply.field("set-cookie").contains(part));
    }
    jane.get(&to).expect(200);
    for elsewhere in [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/console/\r\nX: y",
        "javascript:x",
    ] {
        let (_, reply) = log_in(&site, "jane", elsewhere);
        assert_eq!(reply.field("location"), "/console", "{elsewhere}");
        let look = send(&stranger, "/console/look", &[("theme", "dark"), ("here", elsewhere)]).expect(303);
        assert_eq!(look.field("location"), "/console", "{elsewhere}");
    }
    // The session ends while they work.
    let token = token(&jane);
    site.own(json!({"change_account": {"name": "jane", "wish": {"end_sessions": null}}}));
    let sent = send(
        &jane,
        "/console/account/applications",
        &[("token", &token), ("here", "/console/account"), ("program", "x")],
    );
    assert_eq!(
        sent.expect(303).field("location"),
        "/console/log-in?to=%2Fconsole%2Faccount&over=1"
    );
}

#[test]
fn a_wrong_log_in_says_so_and_keeps_the_name() {
    let site = peopled();
    let stranger = site.stranger();
    let reply = send(
        &stranger,
        "/console/log-in",
        &[("name", "ja\"ne"), ("password", PASSWORD)],
    )
    .expect(401);
    let page = reply.text();
    assert!(
        page.contains("Name or password is wrong.") && page.contains("value=\"ja&quot;ne\""),
        "{page}"
    );
    assert!(!page.contains(PASSWORD) && reply.field("set-cookie").is_empty());
}

#[test]
fn whoever_logs_out_is_out() {
    let site = peopled();
    let (jane, _) = log_in(&site, "jane", "");
    let reply = submit(&jane, "/console/log-out", &[]).expect(303);
    assert_eq!(reply.field("location"), "/console/log-in");
    jane.get("/console/account").expect(303);
}

/// Forms that change something, of those that each account has.
const FORMS: [&str; 6] = [
    "/console/log-out",
    "/console/account/password",
    "/console/account/codes/begin",
    "/console/account/codes/off",
    "/console/account/applications",
    "/console/account/sessions/end",
];

#[test]
fn a_form_bears_the_token_of_its_session_and_comes_from_this_site() {
    let site = peopled();
    let (jane, _) = log_in(&site, "jane", "");
    let (other, _) = log_in(&site, "jane", "");
    let (of_jane, of_other) = (token(&jane), token(&other));
    assert_ne!(of_jane, of_other);
    let cookie = jane.field.split('=').next_back().expect("a value");
    assert!(!of_jane.contains(cookie) && of_jane.len() == 64);
    for path in FORMS {
        for wrong in ["", "x", &of_other, &of_jane[1..]] {
            let reply = send(&jane, path, &[("token", wrong), ("program", "x")]).expect(403);
            assert!(
                reply.text().contains("does not come from a page of this session"),
                "{path}"
            );
        }
        let from = |fields: &str| {
            let fields = format!("Content-Type: application/x-www-form-urlencoded\r\n{fields}");
            jane.ask("POST", path, &fields, format!("token={of_jane}").as_bytes())
                .expect(403)
        };
        from("Origin: https://evil.example\r\n");
        from("Origin: null\r\n");
        from("Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n");
        jane.ask("POST", path, "Content-Type: application/json\r\n", b"{}")
            .expect(415);
        jane.get(path).expect(405);
    }
    send(
        &jane,
        "/console/account/applications",
        &[("token", &of_jane), ("program", "x")],
    )
    .expect(200);
    jane.get("/console/account").expect(200);
    let from_elsewhere = "Sec-Fetch-Site: cross-site\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    site.stranger()
        .ask("POST", "/console/log-in", from_elsewhere, b"name=jane")
        .expect(403);
}

#[test]
fn a_link_of_another_site_is_followed_by_one_of_ours() {
    let site = peopled();
    let fields =
        |dest: &str| format!("Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: {dest}\r\n");
    let page = site
        .stranger()
        .ask("GET", "/console/mail?q=a&sort=", &fields("document"), b"")
        .expect(200)
        .text();
    assert!(page.contains("content=\"0;url=/console/mail?q=a&amp;sort=\""), "{page}");
    assert!(!page.contains("<form"), "{page}");
    // Nothing is shown within a page of another site.
    let (jane, _) = log_in(&site, "jane", "");
    jane.ask("GET", "/console/mail", &fields("iframe"), b"").expect(403);
}

#[test]
fn an_account_looks_after_itself() {
    let site = peopled();
    let (jane, _) = log_in(&site, "jane", "");
    let (new, again) = ("another good password", "another good passwort");
    let change = |current: &str, password: &str, again: &str| {
        submit(
            &jane,
            "/console/account/password",
            &[("current", current), ("password", password), ("again", again)],
        )
    };
    assert!(change(PASSWORD, new, again).expect(400).text().contains("not alike"));
    change("wrong", new, new).expect(400);
    change(PASSWORD, "short", "short").expect(400);
    let changed = change(PASSWORD, new, new).expect(303);
    let page = jane.get(changed.field("location")).expect(200).text();
    assert!(
        page.contains("The password was changed") && page.contains("this one"),
        "{page}"
    );
    // A password for a program is shown once.
    let made = submit(&jane, "/console/account/applications", &[("program", "<b>phone</b>")])
        .expect(200)
        .text();
    let password = between(&made, "<code class=\"secret\">", "<").to_owned();
    let program = Client {
        field: format!("Authorization: Bearer jane:{password}"),
        ..site.stranger()
    };
    program.get("/api/v1/me").expect(200);
    let page = jane.get("/console/account").text();
    assert!(
        page.contains("&lt;b&gt;phone&lt;/b&gt;") && !page.contains(&password),
        "{page}"
    );
    submit(
        &jane,
        "/console/account/applications/remove",
        &[("name", "<b>phone</b>")],
    )
    .expect(303);
    program.get("/api/v1/me").expect(401);
}

#[test]
fn one_time_codes_are_set_up_by_what_the_page_shows() {
    let site = peopled();
    let (jane, _) = log_in(&site, "jane", "");
    let page = submit(&jane, "/console/account/codes/begin", &[]).expect(200).text();
    assert!(page.contains("<svg class=\"qr\" role=\"img\""), "{page}");
    let secret = between(&page, "<code class=\"secret\">", "<").to_owned();
    // A code that is mistyped is typed once more, without another secret.
    let wrong = submit(&jane, "/console/account/codes/confirm", &[("code", "000000")]).expect(400);
    let wrong = wrong.text();
    assert!(
        wrong.contains("The one-time code is wrong") && wrong.contains("action=\"/console/account/codes/confirm\""),
        "{wrong}"
    );
    let code = crate::first::code(&secret);
    let confirmed = submit(&jane, "/console/account/codes/confirm", &[("code", &code)])
        .expect(200)
        .text();
    assert_eq!(confirmed.matches("<li><code>").count(), 10, "{confirmed}");
    let recovery = between(&confirmed, "<li><code>", "<").to_owned();
    let stranger = site.stranger();
    let log_in = |code: &str| {
        send(
            &stranger,
            "/console/log-in",
            &[("name", "jane"), ("password", PASSWORD), ("code", code)],
        )
    };
    assert!(
        log_in("")
            .expect(401)
            .text()
            .contains("one-time code that your app shows")
    );
    assert!(log_in(&code).expect(401).text().contains("was used before"));
    log_in(&recovery).expect(303);
    // An administrator helps whoever lost the phone.
    let (anna, _) = crate::people::log_in(&site, "anna", "");
    submit(&anna, "/console/people/accounts/jane/codes", &[]).expect(303);
    log_in("").expect(303);
}

#[test]
fn an_auditor_says_why_before_mail_is_shown() {
    let site = Site::new("[access]\nauditor_needs_reason = true\n", &[]);
    site.add("rita", "auditor", &[]);
    site.import("From: a@example.org\r\nTo: jane@example.com\r\nSubject: sekret\r\n\r\nx\r\n");
    site.indexed();
    let (rita, _) = log_in(&site, "rita", "");
    let page = rita.get("/console/mail").expect(200).text();
    assert!(page.contains("has to say why") && !page.contains("sekret"), "{page}");
    rita.get("/console/mail/1").expect(403);
    submit(&rita, "/console/mail/reason", &[("reason", " ")]).expect(400);
    let reason = "case 7; Müller & Co.";
    let kept = submit(
        &rita,
        "/console/mail/reason",
        &[("reason", reason), ("here", "/console/mail")],
    )
    .expect(303);
    let cookie = kept.field("set-cookie").split(';').next().expect("a cookie").to_owned();
    let rita = Client {
        field: format!("{}; {cookie}", rita.field),
        ..rita
    };
    assert!(rita.get("/console/mail").expect(200).text().contains("sekret"));
    rita.get("/console/mail/1").expect(200);
    let entries = site.own(json!({"audit": {"action": "show", "check": false}}));
    let shown = entries.iter().filter_map(|entry| entry.get("audited"));
    let reasons: Vec<_> = shown
        .filter(|entry| entry["outcome"] == "done")
        .map(|entry| entry["reason"].clone())
        .collect();
    assert_eq!(reasons, [reason]);
}

#[test]
fn an_administrator_looks_after_people() {
    let site = peopled();
    let (anna, _) = log_in(&site, "anna", "");
    let post = |path: &str, fields: &[(&str, &str)]| submit(&anna, path, fields).expect(303);
    let shows = |path: &str, what: &str| anna.get(path).expect(200).text().contains(what);
    post(
        "/console/people/users",
        &[("name", "new"), ("addresses", "new@example.com\r\nn@example.com")],
    );
    assert!(shows("/console/people?find=n%40example.com", "new@example.com"));
    submit(
        &anna,
        "/console/people/users",
        &[("name", "new"), ("addresses", "x@example.com")],
    )
    .expect(409);
    post("/console/people/users/new/rename", &[("to", "newer")]);
    let fields = [
        ("account", "newer"),
        ("role", "user"),
        ("archives", "newer"),
        ("password", PASSWORD),
        ("again", PASSWORD),
    ];
    post("/console/people/accounts", &fields);
    let (newer, _) = log_in(&site, "newer", "");
    newer.get("/console/archives/newer").expect(200);
    let account =
        |change: &str, fields: &[(&str, &str)]| post(&format!("/console/people/accounts/newer/{change}"), fields);
    account("take", &[("user", "newer")]);
    newer.get("/console/account").expect(303);
    account("give", &[("user", "jane")]);
    account("role", &[("role", "auditor")]);
    account("disable", &[]);
    assert!(shows("/console/people/accounts/newer", "Nobody can log in"));
    account("enable", &[]);
    let (newer, _) = log_in(&site, "newer", "");
    newer.get("/console/mail/3").expect(200);
    account("sessions", &[]);
    newer.get("/console/account").expect(303);
    account("remove", &[]);
    anna.get("/console/people/accounts/newer").expect(404);
    post("/console/people/users/newer/retire", &[]);
    submit(&anna, "/console/people/accounts/jane/explode", &[]).expect(404);
}

#[test]
fn a_query_that_is_wrong_is_wrong_at_its_place() {
    let site = peopled();
    let (jane, _) = log_in(&site, "jane", "");
    let page = jane.get("/console/mail?q=words1+(%3Cb%3E").expect(400).text();
    assert!(page.contains("<code>words1 <mark>(</mark>&lt;b&gt;</code>"), "{page}");
    assert!(
        page.contains("aria-invalid=\"true\"") && page.contains("not closed"),
        "{page}"
    );
    let page = jane.get("/console/mail?q=words1&cursor=x").expect(400).text();
    assert!(page.contains("role=\"alert\""), "{page}");
}

#[test]
fn all_that_is_found_comes_as_one_file() {
    let site = peopled();
    let (jane, _) = log_in(&site, "jane", "");
    let page = jane.get("/console/mail?q=words1+OR+words2").expect(200).text();
    let link = between(&page, "<a href=\"/console/export", "\"").replace("&amp;", "&");
    let file = jane.get(&format!("/console/export{link}")).expect(200);
    assert!(file.field("content-disposition").starts_with("attachment"));
    assert!(file.body.starts_with(b"PK"));
    // As it is by the API, where its tests look into it.
    assert_eq!(
        file.body.len(),
        jane.get("/api/v1/export?q=words1+OR+words2").expect(200).body.len()
    );
    site.stranger().get("/console/export?q=words1").expect(303);
}

#[test]
fn all_of_a_list_is_seen_page_by_page() {
    let site = Site::new("", &[]);
    site.add("jane", "user", &["jane"]);
    for number in 0..85 {
        site.import(&format!(
            "From: a@example.org\r\nTo: jane@example.com\r\nSubject: s{number}\r\nDate: Mon, 1 Jan 2024 10:{:02}:00 +0000\r\n\r\nx\r\n",
            number % 60
        ));
    }
    site.indexed();
    let (jane, _) = log_in(&site, "jane", "");
    for list in ["/console/mail?q=x", "/console/archives/jane"] {
        let (mut page, mut seen) = (jane.get(list).expect(200).text(), Vec::new());
        loop {
            let rows = page.split("class=\"row\" href=\"").skip(1);
            seen.extend(rows.map(|row| between(row, "open=", "\"").to_owned()));
            let Some((_, next)) = page.split_once("rel=\"next\" href=\"") else {
                break;
            };
            let next = next.split('"').next().expect("an address").replace("&amp;", "&");
            if seen.len() < 60 {
                site.import("From: a@example.org\r\nTo: jane@example.com\r\nSubject: late\r\n\r\nx\r\n");
                site.indexed();
            }
            page = jane.get(&next).expect(200).text();
        }
        let all = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!(
            (all, seen.len()),
            (if list.ends_with("jane") { 86 } else { 85 }, all),
            "{list}"
        );
    }
}
