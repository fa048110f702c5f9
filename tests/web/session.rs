//! Logging in and out, and who is taken for whom.

use std::{
    fs,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    site::{PASSWORD, Reply, Site},
    support::{
        PATIENCE,
        running::{processor_time, resident_mb},
        wait_for,
    },
};

fn log_in(site: &Site, body: &Value) -> Reply {
    site.stranger().send("POST", "/api/v1/session", body)
}

#[test]
fn a_session_begins_with_the_password_and_ends_when_one_logs_out() {
    let site = Site::new("", &[]);
    site.add("jane", "user", &["jane"]);
    let reply = log_in(&site, &json!({"name": " Jane", "password": PASSWORD})).expect(201);
    let cookie = reply.field("set-cookie").to_owned();
    for part in ["; HttpOnly", "; SameSite=Strict", "; Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure") && !cookie.contains("Max-Age"), "{cookie}");
    assert_eq!(reply.json()["role"], "user");
    assert!(!reply.text().contains(PASSWORD));
    let jane = site.log_in("jane");
    let me = jane.get("/api/v1/me").expect(200).json();
    assert_eq!((&me["name"], &me["archives"]), (&json!("jane"), &json!(["jane"])));
    jane.ask("DELETE", "/api/v1/session", "", b"").expect(204);
    jane.get("/api/v1/me").expect(401);
    // The other session goes on.
    let first = crate::site::Client {
        field: format!("Cookie: a=b; {}; c=d", cookie.split(';').next().unwrap()),
        ..jane
    };
    first.get("/api/v1/me").expect(200);
    site.own(json!({"change_account": {"name": "jane", "wish": "disable"}}));
    first.get("/api/v1/me").expect(401);
}

#[test]
fn who_is_wrong_is_not_told_about_what() {
    let site = Site::new("", &[]);
    site.add("jane", "user", &[]);
    site.add("bob", "user", &[]);
    site.own(json!({"change_account": {"name": "bob", "wish": "disable"}}));
    let wrong = |name: &str, password: &str| {
        let reply = log_in(&site, &json!({"name": name, "password": password})).expect(401);
        assert_eq!(reply.field("content-type"), "application/problem+json");
        assert_eq!(reply.field("www-authenticate"), "Bearer");
        let mut header = reply.header.clone();
        header.retain(|(name, _)| name != "date");
        (header, reply.json())
    };
    let jane = wrong("jane", "another password");
    assert_eq!(jane, wrong("nobody", "another password"));
    assert_eq!(jane, wrong("bob", PASSWORD));
    assert_eq!(jane, wrong("\u{1}/../", "x"));
    assert_eq!(jane.1["detail"], "name or password is wrong");
    // Whoever goes on has to wait, longer each time; the right password comes before such a wait is over.
    let to_wait = |reply: &Reply| reply.field("retry-after").parse::<u64>().unwrap();
    let slowed = wait_for(PATIENCE, || {
        let reply = log_in(&site, &json!({"name": "jane", "password": "x"}));
        reply.status == 429 && to_wait(&reply) >= 4
    });
    assert!(slowed);
    let reply = log_in(&site, &json!({"name": "jane", "password": PASSWORD})).expect(429);
    assert!(to_wait(&reply) >= 1);
}

#[test]
fn a_session_that_is_not_used_ends() {
    let site = Site::new("", &[("DROPKEEP__ACCESS__SESSION_IDLE", "5s")]);
    site.add("jane", "user", &[]);
    let jane = site.log_in("jane");
    jane.get("/api/v1/me").expect(200);
    std::thread::sleep(Duration::from_secs(8));
    jane.get("/api/v1/me").expect(401);
}

#[test]
fn a_program_comes_in_by_an_application_password_until_that_is_removed() {
    let site = Site::new("", &[]);
    site.add("jane", "user", &["jane"]);
    let jane = site.log_in("jane");
    let made = jane
        .send("POST", "/api/v1/accounts/jane/applications", &json!({"name": "script"}))
        .expect(201);
    let password = made.json()["password"].as_str().unwrap().to_owned();
    let shown = |shown: &str| crate::site::Client {
        field: format!("Authorization: {shown}"),
        ..site.stranger()
    };
    let script = shown(&format!("Bearer jane:{password}"));
    assert_eq!(script.get("/api/v1/me").expect(200).json()["name"], "jane");
    script.get("/api/v1/users/jane/messages").expect(200);
    script.get("/api/v1/users/bob/messages").expect(404);
    for wrong in [
        format!("Bearer bob:{password}"),
        format!("Bearer {password}"),
        format!("Basic jane:{password}"),
        format!("Bearer jane:{PASSWORD}"),
        "Bearer jane:".to_owned(),
    ] {
        shown(&wrong).get("/api/v1/me").expect(401);
    }
    assert!(
        !jane
            .get("/api/v1/accounts/jane/applications")
            .expect(200)
            .text()
            .contains(&password)
    );
    jane.ask("DELETE", "/api/v1/accounts/jane/applications/script", "", b"")
        .expect(204);
    script.get("/api/v1/me").expect(401);
    let log = site.own(json!({"audit": {}}));
    let log = serde_json::to_string(&log).unwrap();
    assert!(
        log.contains("application script") && !log.contains(&password) && !log.contains(PASSWORD),
        "{log}"
    );
}

#[test]
fn pages_of_other_sites_get_nothing() {
    let site = Site::new("", &[]);
    site.add("jane", "user", &["jane"]);
    let jane = site.log_in("jane");
    for (field, status) in [
        ("", 200),
        ("Sec-Fetch-Site: same-origin\r\nOrigin: http://localhost\r\n", 200),
        ("Sec-Fetch-Site: none\r\n", 200),
        ("Sec-Fetch-Site: cross-site\r\n", 403),
        ("Sec-Fetch-Site: same-site\r\n", 403),
        ("Origin: http://evil.example\r\n", 403),
        ("Origin: http://localhost:81\r\n", 403),
        ("Origin: null\r\n", 403),
    ] {
        let reply = jane.ask("GET", "/api/v1/me", field, b"");
        assert_eq!(reply.status, status, "{field}");
        let body = json!({"name": "jane", "password": PASSWORD}).to_string();
        let field = format!("{field}Content-Type: application/json\r\n");
        let reply = site.stranger().ask("POST", "/api/v1/session", &field, body.as_bytes());
        assert_eq!(reply.status, if status == 200 { 201 } else { 403 }, "{field}");
        assert!(reply.header.iter().all(|(name, _)| !name.starts_with("access-control")));
    }
    // As a form would send it.
    for kind in [
        "",
        "Content-Type: text/plain\r\n",
        "Content-Type: application/x-www-form-urlencoded\r\n",
    ] {
        let body = json!({"name": "jane", "password": PASSWORD}).to_string();
        site.stranger()
            .ask("POST", "/api/v1/session", kind, body.as_bytes())
            .expect(415);
    }
}

#[test]
fn a_hundred_log_ins_at_once_all_come_in_and_take_little_memory() {
    let site = Site::new("", &[("DROPKEEP__HTTP__REQUESTS_AT_ONCE", "250")]);
    let names: Vec<_> = (0..100).map(|number| format!("jane{number}")).collect();
    names.iter().for_each(|name| site.add(name, "user", &[]));
    let id = site.serving.running.id();
    site.log_in(&names[0]);
    let before = processor_time(id);
    for _ in 0..5 {
        site.log_in(&names[0]);
    }
    let one = (processor_time(id) - before) / 5;
    // The peak is counted anew from here.
    fs::write(format!("/proc/{id}/clear_refs"), "5").expect("to count anew");
    let before = resident_mb(id, "VmRSS:");
    std::thread::scope(|scope| {
        for name in &names {
            scope.spawn(|| site.log_in(name));
        }
    });
    let more = resident_mb(id, "VmHWM:") - before;
    println!("a log-in takes {one:?} of one core; a hundred at once {more:.0} MB");
    assert!(one <= Duration::from_millis(1500), "{one:?}");
    assert!(more <= 128.0, "{more:.0} MB");
}

/// Asks until that is slowed down, which is soon; each answer before has this status.
fn guessed(status: u16, mut ask: impl FnMut() -> Reply) {
    let slowed = (0..20).map(|_| ask()).find(|reply| {
        assert!([status, 429].contains(&reply.status), "{}", reply.text());
        reply.status == 429
    });
    assert!(!slowed.expect("it was slowed down").field("retry-after").is_empty());
}

#[test]
fn whoever_found_a_session_open_could_guess_the_password_without_waiting() {
    let site = Site::new("", &[]);
    site.add("jane", "user", &[]);
    let jane = site.log_in("jane");
    let body = json!({"password": "another password", "current": "a wrong password"});
    guessed(400, || jane.send("PUT", "/api/v1/accounts/jane/password", &body));
}

fn program(site: &Site, client: &crate::site::Client, name: &str) -> crate::site::Client {
    let path = format!("/api/v1/accounts/{name}/applications");
    let made = client.send("POST", &path, &json!({"name": "script"})).expect(201);
    let password = made.json()["password"].as_str().unwrap().to_owned();
    crate::site::Client {
        field: format!("Authorization: Bearer {name}:{password}"),
        ..site.stranger()
    }
}

#[test]
fn an_application_password_made_guesses_at_the_password_free() {
    let site = Site::new("", &[]);
    site.add("jane", "user", &[]);
    let script = program(&site, &site.log_in("jane"), "jane");
    guessed(401, || {
        script.get("/api/v1/me").expect(200);
        log_in(&site, &json!({"name": "jane", "password": "x"}))
    });
}

#[test]
fn an_application_password_made_another_one_that_outlived_it() {
    let site = Site::new("", &[]);
    for (name, role) in [("jane", "user"), ("root", "administrator")] {
        site.add(name, role, &[]);
        let script = program(&site, &site.log_in(name), name);
        for of in [name, "jane"] {
            let path = format!("/api/v1/accounts/{of}");
            script
                .send("POST", &format!("{path}/applications"), &json!({"name": "another"}))
                .expect(403);
            script.ask("DELETE", &format!("{path}/totp"), "", b"").expect(403);
        }
        script
            .ask(
                "DELETE",
                &format!("/api/v1/accounts/{name}/applications/script"),
                "",
                b"",
            )
            .expect(204);
    }
}

#[test]
fn a_session_in_use_ended_as_its_use_was_noted_too_seldom() {
    let site = Site::new("", &[("DROPKEEP__ACCESS__SESSION_IDLE", "6s")]);
    site.add("jane", "user", &[]);
    let jane = site.log_in("jane");
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(10) {
        jane.get("/api/v1/me").expect(200);
        std::thread::sleep(Duration::from_millis(500));
    }
}

#[test]
fn a_refused_log_in_was_not_found_by_the_account_where_its_name_was_typed_otherwise() {
    let site = Site::new("", &[]);
    site.add("jane", "user", &[]);
    site.add("root", "administrator", &[]);
    log_in(&site, &json!({"name": "ＪＡＮＥ", "password": "x"})).expect(401);
    let root = site.log_in("root");
    for name in ["jane", "%EF%BC%AAane"] {
        let log = root
            .get(&format!("/api/v1/audit?account={name}&action=log-in"))
            .expect(200)
            .json();
        assert_eq!(log["entries"][0]["account"], "ＪＡＮＥ", "{log}");
    }
}
