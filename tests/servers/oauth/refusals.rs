//! Tokens that are refused, endpoints that give none: the exit code, and what to do.

use crate::{
    oauth::{Site, endpoint::Endpoint, steps},
    support::{PATIENCE, listening::refusing, tls::Identity, wait_for},
};

/// `test` fails at the step `token`, in these words.
fn no_token(site: &Site, code: i32, words: &[&str]) {
    let outcome = site.test(code);
    assert_eq!(steps(&outcome), ["token"]);
    let json = outcome.json();
    let detail = json["steps"][0]["detail"].as_str().expect("a detail");
    for word in words {
        assert!(detail.contains(word), "no {word:?} in {detail}");
    }
}

#[test]
fn a_refused_token_is_renewed_once() {
    let site = Site::new("imap-ssl");
    site.test(0);
    site.endpoint.revoke();
    let outcome = site.test(0);
    assert!(outcome.text().contains("it was renewed"), "{}", outcome.text());
    assert_eq!(site.endpoint.asked(), 2);
}

#[test]
fn a_server_that_refuses_every_token_does_not_make_us_hammer_the_endpoint() {
    for access in ["imap", "pop3"] {
        let site = Site::new(access);
        site.endpoint.state().refuses_all = true;
        for _ in 0..4 {
            let outcome = site.test(3);
            let said = outcome.text();
            assert!(
                said.contains("refuses the login") && said.contains("check that `username`"),
                "{said}"
            );
            assert!(
                said.contains("`scope`") && said.contains(&access.to_uppercase()),
                "{said}"
            );
            assert_eq!(steps(&outcome).last().map(String::as_str), Some("login"), "{said}");
        }
        assert_eq!(site.endpoint.asked(), 2, "the first, and one in its place");
        // What was wrong was put right at the server.
        site.endpoint.state().refuses_all = false;
        site.test(0);
        assert_eq!(site.endpoint.asked(), 2);
    }
}

#[test]
fn a_wrong_client_secret_is_said_to_be_one() {
    let site = Site::new("imap");
    site.set("client-secret", "wrong-secret");
    no_token(
        &site,
        3,
        &[
            "invalid_client",
            "Check client_id and client_secret",
            "As it was asked for.",
        ],
    );
}

#[test]
fn a_refresh_token_that_is_no_longer_good_asks_for_a_new_login() {
    let site = Site::new("imap");
    site.endpoint.state().refresh = "another".into();
    no_token(&site, 3, &["invalid_grant", "Log in anew"]);
}

#[test]
fn an_endpoint_that_is_down_is_named_with_its_port() {
    let site = Site::new("imap");
    let down = refusing();
    let text = std::fs::read_to_string(site.appliance.config()).expect("the configuration");
    let at = |port: u16| format!("127.0.0.1:{port}/token");
    let text = text.replace(&at(site.endpoint.web.listening.port), &at(down.port));
    std::fs::write(site.appliance.config(), text).expect("the configuration");
    no_token(
        &site,
        3,
        &[
            "the token endpoint: 127.0.0.1 refused the connection",
            &down.port.to_string(),
        ],
    );
}

#[test]
fn an_endpoint_that_falls_silent_is_waited_for_as_long_as_the_server() {
    let site = Site::new("imap");
    site.endpoint.state().silent = true;
    let text = std::fs::read_to_string(site.appliance.config()).expect("the configuration");
    std::fs::write(site.appliance.config(), text.replace("\"20s\"", "\"300ms\"")).expect("the configuration");
    no_token(&site, 3, &["did not answer within 300ms", "server.timeout"]);
    assert_eq!(site.endpoint.asked(), 1);
}

#[test]
fn an_endpoint_that_is_busy_asks_to_come_again() {
    let site = Site::new("imap");
    site.endpoint
        .answer("503 Service Unavailable", "Retry-After: 120\r\n", "<html>busy</html>");
    no_token(&site, 3, &["503", "come again later", "in 2m"]);
}

#[test]
fn an_answer_that_is_none_is_told() {
    let site = Site::new("imap");
    for (status, header, body, words) in [
        ("200 OK", "", "<html>log in here</html>".to_owned(), "no access_token"),
        ("404 Not Found", "", "nothing".to_owned(), "404"),
        (
            "302 Found",
            "Location: https://example.com/login\r\n",
            String::new(),
            "https://example.com/login",
        ),
        ("200 OK", "", "x".repeat(70_000), "longer than 64 KiB"),
        (
            "200 OK",
            &*format!("X: {}\r\n", "x".repeat(70_000)),
            String::new(),
            "not understood",
        ),
    ] {
        site.endpoint.answer(status, header, &body);
        no_token(&site, 3, &[words, "check token_endpoint"]);
    }
    site.endpoint.state().answer = Some("SSH-2.0-OpenSSH_9.6\r\n".into());
    no_token(&site, 3, &["not understood"]);
}

#[test]
fn an_endpoint_is_reached_over_tls_and_its_certificate_is_judged() {
    // Dovecot asks another one, in clear text, which knows of no token.
    let plain = Endpoint::start();
    let localhost = Identity::of_localhost();
    let site = Site::behind(
        "imap",
        Endpoint::showing(Some(localhost)),
        &plain.web.page("introspect"),
    );
    no_token(
        &site,
        3,
        &[
            "certificate of the token endpoint's host localhost",
            "self-signed",
            "`ca_file` under oauth2",
        ],
    );
    assert_eq!(site.endpoint.asked(), 0, "nothing is said to a stranger");

    let file = localhost.file();
    let trusted = format!("ca_file = \"{}\"\n", file.path().display());
    site.configure("", &(site.by_refresh_token() + &trusted));
    let running = site.appliance.start(&["test", "company", "--json"]);
    let given = wait_for(PATIENCE, || {
        let given = site.endpoint.state().good.clone();
        plain.state().good.extend(given.iter().cloned());
        !given.is_empty()
    });
    assert!(given, "{}", running.stderr());
    // It may have been refused before the other one knew of it.
    plain.state().good.extend(site.endpoint.state().good.clone());
    running.wait();
    plain.state().good.extend(site.endpoint.state().good.clone());
    site.test(0);

    site.configure("", &(site.by_refresh_token() + "ca_file = \"/not/there.pem\"\n"));
    std::fs::remove_dir_all(site.appliance.data()).expect("nothing is kept");
    no_token(&site, 2, &["/not/there.pem", "under oauth2"]);
}

#[test]
fn a_secret_that_cannot_be_had_is_an_error_of_the_configuration() {
    let site = Site::new("imap");
    std::fs::remove_file(site.secrets.path().join("client-secret")).expect("a file");
    let outcome = site.test(2);
    assert!(outcome.stderr.contains("client_secret_file"), "{}", outcome.stderr);
    assert_eq!(site.endpoint.asked(), 0);
}

#[test]
fn a_disk_that_takes_no_token_is_an_error_of_the_store() {
    let site = Site::new("imap");
    std::fs::create_dir_all(site.appliance.data()).expect("a folder");
    // In the place of the folder.
    std::fs::write(site.appliance.data().join("tokens"), "").expect("a file");
    no_token(&site, 4, &["data/tokens"]);
    assert_eq!(
        site.endpoint.asked(),
        0,
        "a refresh token that cannot be kept is not asked for"
    );
}
