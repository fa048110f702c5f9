//! TLS: what is agreed on, and who is let in.

use std::{
    io::{Read, Write},
    time::Duration,
};

use rustls::{
    ProtocolVersion,
    version::{TLS12, TLS13},
};

use serde_json::json;

use crate::{
    http::{
        Site, TOKEN,
        client::{Answer, Client, PATIENCE},
        get, made_up_authority, parameters,
    },
    support::control,
};

#[test]
fn metrics_are_served_over_tls_with_a_token() {
    let authority = made_up_authority();
    let site = Site::with_tls(&authority);
    let serving = site.serve();
    assert!(serving.running.stderr().contains("listening on https://127.0.0.1:"));
    for (version, name) in [(&TLS12, ProtocolVersion::TLSv1_2), (&TLS13, ProtocolVersion::TLSv1_3)] {
        let client = Client::speaking(&authority, &serving.address, &[version], None);
        let page = get(&client, "/metrics", Some(TOKEN));
        assert_eq!((page.status, page.version), (200, Some(name)));
        assert_eq!(page.protocol.as_deref(), Some(&b"http/1.1"[..]));
        assert_eq!(page.shown, "first");
        assert!(
            page.body
                .contains("\ndropkeep_http_certificate_expiry_timestamp_seconds "),
            "{}",
            page.body
        );
        assert_eq!(get(&client, "/metrics", None).status, 401);
        assert_eq!(get(&client, "/healthz", None).body, "ok\n");
    }
    // A certificate of an authority that nobody named is the client's to refuse.
    let stranger = Client::trusting(&made_up_authority(), &serving.address);
    assert!(stranger.get("/healthz", None).is_err());
    let outcome = serving.stop().expect(0);
    assert!(
        !outcome.stderr.contains("ERROR") && outcome.stderr.matches("WARN").count() == 1,
        "{}",
        outcome.stderr
    );
}

#[test]
fn clear_text_is_refused_where_tls_is_spoken() {
    let authority = made_up_authority();
    let site = Site::with_tls(&authority);
    let serving = site.serve();
    let plain = Client::plain(&serving.address);
    for _ in 0..20 {
        let mut stream = plain.connect().expect("connect");
        let request = format!("GET /metrics HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("a request");
        let mut answer = Vec::new();
        // It is closed, with an alert at most.
        let _ = stream.read_to_end(&mut answer);
        assert!(answer.len() < 20 && !answer.starts_with(b"HTTP"), "{answer:?}");
    }
    assert_eq!(
        get(&Client::trusting(&authority, &serving.address), "/healthz", None).status,
        200
    );
    let outcome = serving.stop().expect(0);
    assert!(
        !outcome.stderr.contains("hunter2") && !outcome.stderr.contains("ERROR"),
        "{}",
        outcome.stderr
    );
}

/// Who says nothing after connecting is let go.
#[test]
fn a_handshake_that_does_not_begin_ends() {
    let authority = made_up_authority();
    let site = Site::with_tls(&authority);
    let serving = site.serve();
    let mut silent = Client::plain(&serving.address).connect().expect("connect");
    silent
        .set_read_timeout(Some(PATIENCE + Duration::from_secs(30)))
        .expect("a timeout");
    let mut answer = Vec::new();
    silent.read_to_end(&mut answer).expect("it is closed");
    assert!(answer.is_empty(), "{answer:?}");
    serving.stop().expect(0);
}

#[test]
fn clients_show_certificates_where_they_are_asked_for() {
    let (servers, clients) = (made_up_authority(), made_up_authority());
    let site = Site::with_tls(&servers);
    site.put("clients.pem", &clients.own.pem);
    site.configure(
        "listen = \"127.0.0.1:0\"\ntoken_file = \"token\"\n\
         tls = { cert_file = \"cert.pem\", key_file = \"key.pem\", client_ca_file = \"clients.pem\" }\n",
    );
    let serving = site.serve();
    let (known, unknown) = (
        clients.signs(&parameters("prometheus")),
        servers.signs(&parameters("mallory")),
    );
    for version in [&TLS12, &TLS13] {
        let with = |own| Client::speaking(&servers, &serving.address, &[version], own);
        assert_eq!(get(&with(Some(&known)), "/metrics", Some(TOKEN)).status, 200);
        assert_eq!(
            get(&with(Some(&known)), "/metrics", None).status,
            401,
            "the token is asked for all the same"
        );
        for own in [None, Some(&unknown)] {
            assert!(with(own).get("/healthz", None).is_err());
        }
    }
    serving.stop().expect(0);
    for (pem, words) in [
        ("", "no certificate in PEM form"),
        (&*known.key, "no certificate in PEM form"),
    ] {
        site.put("clients.pem", pem);
        site.refuses(site.command(), &["http.tls.client_ca_file", words]);
    }
}

#[test]
fn over_tls_a_session_is_that_of_this_host_alone() {
    let authority = made_up_authority();
    let site = Site::with_tls(&authority);
    let serving = site.serve();
    let password = "correct horse battery";
    let wish = json!({"add": {"role": "user", "archives": [], "password": password}});
    control::ask(
        &site.appliance.data(),
        &json!({"change_account": {"name": "jane", "wish": wish}}),
    )
    .expect("an account");
    let client = Client::trusting(&authority, &serving.address);
    let ask = |method: &str, page: &str, fields: &str, body: &str| -> Answer {
        let length = body.len();
        let asked = client.ask(&format!(
            "{method} {page} HTTP/1.1\r\nHost: localhost\r\n{fields}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        ));
        asked.unwrap_or_else(|error| panic!("{method} {page}: {error}"))
    };
    let body = json!({"name": "jane", "password": password}).to_string();
    let logged_in = ask("POST", "/api/v1/session", "Content-Type: application/json\r\n", &body);
    assert_eq!(logged_in.status, 201, "{}", logged_in.body);
    let cookie = logged_in.header("set-cookie").expect("a cookie").to_owned();
    // No other host below the same domain can set one of this name (RFC 6265bis, 4.1.3.2), and none is sent in clear text.
    let (named, attributes) = cookie.split_once("; ").expect("attributes");
    assert!(named.starts_with("__Host-dropkeep="), "{cookie}");
    let attributes: Vec<_> = attributes.split("; ").collect();
    for attribute in ["Path=/", "HttpOnly", "SameSite=Strict", "Secure"] {
        assert!(attributes.contains(&attribute), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    assert_eq!(
        ask("GET", "/api/v1/me", &format!("Cookie: {named}\r\n"), "").status,
        200
    );
    let plain = named.trim_start_matches("__Host-");
    assert_eq!(
        ask("GET", "/api/v1/me", &format!("Cookie: {plain}\r\n"), "").status,
        401
    );
    let gone = ask("DELETE", "/api/v1/session", &format!("Cookie: {named}\r\n"), "");
    let ended = gone.header("set-cookie").expect("its end");
    assert!(
        ended.starts_with("__Host-dropkeep=;") && ended.contains("Max-Age=0"),
        "{ended}"
    );
    assert_eq!(
        ask("GET", "/api/v1/me", &format!("Cookie: {named}\r\n"), "").status,
        401
    );
    // The console's own cookies, too.
    let form = "language=de&theme=dark&here=%2Fconsole%2Flog-in";
    let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
    let look = ask("POST", "/console/look", kind, form);
    let kept = look
        .head
        .lines()
        .filter(|line| line.to_lowercase().starts_with("set-cookie:"));
    let kept: Vec<_> = kept.collect();
    assert!(
        kept.len() == 2 && kept.iter().all(|cookie| cookie.contains("Secure")),
        "{kept:?}"
    );
    serving.stop().expect(0);
}
