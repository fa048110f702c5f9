//! What is served, to whom, and with which header.

use std::time::{Duration, Instant};

use crate::http::{Site, TOKEN, client::Client, get};

const NOT_FOUND: &str = "not found; there are /, /metrics, /healthz and /readyz\n";

/// Whoever came with a browser met `not found`.
#[test]
fn the_first_page_has_links_to_all_others() {
    let open = Site::new("listen = \"127.0.0.1:0\"\n");
    let serving = open.serve();
    let client = Client::plain(&serving.address);
    let page = get(&client, "/", None);
    assert_eq!(page.status, 200);
    assert_eq!(page.header("Content-Type"), Some("text/html; charset=utf-8"));
    assert_eq!(page.header("X-Content-Type-Options"), Some("nosniff"));
    assert_eq!(page.header("Cache-Control"), Some("no-store"));
    let policy = page.header("Content-Security-Policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert!(
        page.body.contains(&format!("dropkeep {}", env!("CARGO_PKG_VERSION"))),
        "{}",
        page.body
    );
    assert!(
        !page.body.contains("script") && !page.body.contains("token"),
        "{}",
        page.body
    );
    let links: Vec<_> = page
        .body
        .split("href=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().expect("a link"))
        .collect();
    assert_eq!(
        links,
        ["console", "api/v1/openapi.json", "metrics", "healthz", "readyz"]
    );
    // Who has not logged in is asked to.
    assert_eq!(get(&client, "/console", None).status, 303);
    for link in &links[1..] {
        assert_eq!(get(&client, &format!("/{link}"), None).status, 200, "{link}");
    }
    let evil = client
        .ask("GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
        .expect("an answer");
    assert_eq!(evil.status, 421, "{}", evil.body);
    let post = client
        .ask("POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        .expect("an answer");
    assert_eq!(post.status, 405, "{}", post.body);
    serving.stop().expect(0);

    // The version is in the metrics, for which a token is needed here.
    let closed = Site::new("listen = \"127.0.0.1:0\"\ntoken_file = \"token\"\n");
    closed.put("token", TOKEN);
    let serving = closed.serve();
    let client = Client::plain(&serving.address);
    let stranger = get(&client, "/", None);
    assert_eq!(stranger.status, 200);
    assert!(
        stranger.body.contains("<h1>dropkeep</h1>") && stranger.body.contains("token"),
        "{}",
        stranger.body
    );
    assert!(get(&client, "/", Some(TOKEN)).body.contains(env!("CARGO_PKG_VERSION")));
    let stopped = serving.stop().expect(0);
    assert!(!stopped.stderr.contains("refused"), "{}", stopped.stderr);
}

#[test]
fn loopback_is_served_without_anything() {
    for listen in ["127.0.0.1:0", "[::ffff:127.0.0.1]:0"] {
        let site = Site::new(&format!("listen = \"{listen}\"\n"));
        let serving = site.serve();
        let port = serving.address.rsplit(':').next().expect("a port");
        let client = Client::plain(&format!("127.0.0.1:{port}"));
        for (page, status, body) in [
            ("/healthz", 200, "ok\n"),
            ("/readyz", 200, "ready\n"),
            ("/metrics/", 404, NOT_FOUND),
            ("/%6detrics", 404, NOT_FOUND),
            ("/index.html", 404, NOT_FOUND),
        ] {
            let answer = get(&client, page, None);
            assert_eq!((answer.status, answer.body.as_str()), (status, body), "{page}");
            assert_eq!(answer.header("Content-Type"), Some("text/plain; charset=utf-8"));
            assert_eq!(answer.header("Cache-Control"), Some("no-store"));
            assert_eq!(answer.header("X-Content-Type-Options"), Some("nosniff"));
            assert_eq!(answer.header("Server"), None);
        }
        let metrics = get(&client, "/metrics?name[]=any", None);
        assert_eq!(metrics.status, 200);
        assert_eq!(
            metrics.header("Content-Type"),
            Some("text/plain; version=0.0.4; charset=utf-8")
        );
        assert_eq!(metrics.header("Content-Encoding"), None);
        assert!(metrics.body.contains("dropkeep_build_info"), "{}", metrics.body);
        assert!(!metrics.body.contains("http_certificate_expiry"), "{}", metrics.body);
        let stopped = serving.stop().expect(0);
        assert!(!stopped.stderr.contains("WARN"), "{}", stopped.stderr);
    }
}

/// A page in a browser has its own name resolve to loopback (DNS rebinding).
#[test]
fn a_request_for_another_host_is_not_answered() {
    let site = Site::new("listen = \"127.0.0.1:0\"\nhosts = [\"metrics.example.com\"]\n");
    let serving = site.serve();
    let client = Client::plain(&serving.address);
    for page in ["/metrics", "/healthz", "/readyz"] {
        let ask = |request: &str| client.ask(&format!("GET {page} {request}Connection: close\r\n\r\n"));
        let status = |request: &str| ask(request).expect("an answer").status;
        for ours in [
            "HTTP/1.1\r\nHost: localhost:9999\r\n",
            "HTTP/1.1\r\nHost: 127.0.0.1\r\n",
            "HTTP/1.1\r\nHost: [::1]:8080\r\n",
            "HTTP/1.1\r\nHost: metrics.example.com\r\n",
            "HTTP/1.0\r\n",
        ] {
            assert_eq!(status(ours), 200, "{page} {ours}");
        }
        for (other, refused) in [
            ("HTTP/1.1\r\nHost: rebound.example\r\n", 421),
            ("HTTP/1.0\r\nHost: rebound.example:8080\r\n", 421),
            ("HTTP/1.1\r\n", 400),
            ("HTTP/1.1\r\nHost: localhost\r\nHost: rebound.example\r\n", 400),
        ] {
            assert_eq!(status(other), refused, "{page} {other}");
        }
    }
    let absolute = "GET http://rebound.example/metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let refused = client.ask(absolute).expect("an answer");
    assert!(
        refused.status == 421 && !refused.body.contains("dropkeep_"),
        "{}",
        refused.body
    );
    serving.stop().expect(0);
}

#[test]
fn head_is_answered_without_a_body_and_other_methods_are_refused() {
    let site = Site::new("listen = \"127.0.0.1:0\"\n");
    let serving = site.serve();
    let client = Client::plain(&serving.address);
    let ask = |method: &str, page: &str, fields: &str, body: &str| {
        let request = format!("{method} {page} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{fields}\r\n{body}");
        client.ask(&request).expect("an answer")
    };
    for page in ["/metrics", "/healthz", "/readyz"] {
        let head = ask("HEAD", page, "", "");
        assert_eq!((head.status, head.body.as_str()), (200, ""), "{page}");
        let length = head.header("Content-Length").expect("a length").parse::<usize>();
        assert!(length.expect("a number") > 0, "{page}");
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PROPFIND"] {
            let refused = ask(method, page, "", "");
            assert_eq!(
                (refused.status, refused.header("Allow")),
                (405, Some("GET, HEAD")),
                "{method}"
            );
        }
    }
    for fields in ["Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"] {
        let refused = ask("POST", "/metrics", fields, "0\r\n\r\n");
        assert_eq!(refused.status, 413, "{fields}");
    }
    let long = format!("X-Long: {}\r\n", "x".repeat(20_000));
    assert_eq!(ask("GET", "/metrics", &long, "").status, 431);
    assert_eq!(ask("GET", &format!("/{}", "x".repeat(20_000)), "", "").status, 431);
    assert_eq!(get(&client, "/healthz", None).status, 200);
    serving.stop().expect(0);
}

#[test]
fn a_token_is_asked_for_where_there_is_one() {
    let site = Site::new("listen = \"127.0.0.1:0\"\ntoken_file = \"token\"\n");
    site.put("token", &format!("{TOKEN}\n"));
    // It shows nowhere, however much is logged.
    let mut command = site.command();
    command.env("DROPKEEP_LOG", "trace").env("RUST_LOG", "trace");
    let serving = site.appliance.serve_as(command);
    let client = Client::plain(&serving.address);
    for page in ["/healthz", "/readyz"] {
        assert_eq!(get(&client, page, None).status, 200, "{page}");
    }
    let start = Instant::now();
    let bad = [
        None,
        Some(""),
        Some("hunter2"),
        Some(&TOKEN[1..]),
        Some(&*TOKEN.to_uppercase()),
    ];
    for token in bad.iter().cycle().take(100) {
        let refused = get(&client, "/metrics", *token);
        assert_eq!(refused.status, 401);
        assert_eq!(refused.header("WWW-Authenticate"), Some("Bearer"));
        assert!(!refused.body.contains("dropkeep_") && !refused.body.contains("hunter2"));
    }
    let quick = start.elapsed() < Duration::from_secs(59);
    assert_eq!(get(&client, "/metrics", Some(TOKEN)).status, 200);
    let outcome = serving.stop().expect(0);
    let told = outcome
        .stderr
        .matches("requests for /metrics without the token refused: 1, the last one from 127.0.0.1")
        .count();
    assert!(told == 1 || !quick, "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("hunter2"), "the token shows");
}

#[test]
fn a_token_that_others_can_read_is_told_of() {
    use std::os::unix::fs::PermissionsExt;
    let site = Site::new("listen = \"127.0.0.1:0\"\ntoken_file = \"token\"\n");
    let file = site.put("token", TOKEN);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("permissions");
    let serving = site.serve();
    let outcome = serving.stop().expect(0);
    assert!(
        outcome.stderr.contains("http.token_file")
            && outcome.stderr.contains("other accounts may read it; run: chmod o= "),
        "{}",
        outcome.stderr
    );
}

#[test]
fn the_address_stood_as_plain_text_among_the_json_of_the_log() {
    let site = Site::new("listen = \"127.0.0.1:0\"\n[log]\nformat = \"json\"\n");
    let serving = site.serve();
    let said = serving.running.stderr();
    let mut messages = said.lines().map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        line["message"].as_str().unwrap_or_default().to_owned()
    });
    assert!(
        messages.any(|message| message.starts_with("listening on http://127.0.0.1:")),
        "{said}"
    );
}
