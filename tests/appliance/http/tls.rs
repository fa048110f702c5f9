//! TLS: what is agreed on, and who is let in.

use std::{
    io::{Read, Write},
    time::Duration,
};

use rustls::{
    ProtocolVersion,
    version::{TLS12, TLS13},
};

use crate::http::{
    Site, TOKEN,
    client::{Client, PATIENCE},
    get, made_up_authority, parameters,
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
