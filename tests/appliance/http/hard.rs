//! Clients that are slow, take nothing, or are too many.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use crate::http::{
    Site, TOKEN,
    client::{Client, PATIENCE},
    get, made_up_authority,
};

/// Below the bound on connections.
const SOME: usize = 100;
/// Above it.
const MANY: usize = 300;

#[test]
fn slow_clients_do_not_stop_others() {
    let authority = made_up_authority();
    for tls in [false, true] {
        let site = match tls {
            false => Site::new("listen = \"127.0.0.1:0\"\n"),
            true => Site::with_tls(&authority),
        };
        let serving = site.serve();
        let client = match tls {
            false => Client::plain(&serving.address),
            true => Client::trusting(&authority, &serving.address),
        };
        let raw = Client::plain(&serving.address);
        let begin = |_| {
            let mut stream = raw.connect().expect("connect");
            stream
                .write_all(b"GET /metrics HTTP/1.1\r\nX-Slow: ")
                .expect("a beginning");
            stream
        };
        let slow: Vec<TcpStream> = (0..SOME).map(begin).collect();
        let start = Instant::now();
        assert_eq!(get(&client, "/metrics", Some(TOKEN)).status, 200);
        // After five seconds they are let go.
        assert!(
            start.elapsed() < Duration::from_millis(4900),
            "it was served beside them: {:?}",
            start.elapsed()
        );
        drop(slow);
        // More than are let in: whoever comes later is served when the slow ones are let go.
        let slow: Vec<TcpStream> = (0..MANY).map(begin).collect();
        assert_eq!(get(&client, "/metrics", Some(TOKEN)).status, 200);
        drop(slow);
        let outcome = serving.stop().expect(0);
        assert!(!outcome.stderr.contains("ERROR"), "{}", outcome.stderr);
    }
}

/// A request whose header does not end is answered with 408, and the connection closed.
#[test]
fn a_request_that_does_not_end_is_given_up() {
    let site = Site::new("listen = \"127.0.0.1:0\"\n");
    let serving = site.serve();
    let mut stream = Client::plain(&serving.address).connect().expect("connect");
    let mut answer = Vec::new();
    stream.write_all(b"GET /healthz HTTP/1.1\r\n").expect("a beginning");
    stream.read_to_end(&mut answer).expect("it is closed");
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    serving.stop().expect(0);
}

/// Garbage, and headers without an end, cost a connection and a line of the log at most.
#[test]
fn garbage_is_refused() {
    let site = Site::new("listen = \"127.0.0.1:0\"\n");
    let serving = site.serve();
    let client = Client::plain(&serving.address);
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"\r\n\r\n\r\n\r\nGET",
        b"GET /metrics HTTP/9.9\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        &[
            b"GET / HTTP/1.1\r\n".to_vec(),
            b"X: y\r\n".repeat(200),
            b"\r\n".to_vec(),
        ]
        .concat(),
        &vec![b'x'; 1 << 20],
    ] {
        let mut stream = client.connect().expect("connect");
        // It may be closed before all is sent.
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    assert_eq!(get(&client, "/healthz", None).status, 200);
    let outcome = serving.stop().expect(0);
    assert!(!outcome.stderr.contains("ERROR"), "{}", outcome.stderr);
}

/// Who asks again and again and takes no answer is let go at the first one.
#[test]
fn requests_in_advance_are_not_read() {
    let site = Site::new("listen = \"127.0.0.1:0\"\n");
    let serving = site.serve();
    let stream = Client::plain(&serving.address).connect().expect("connect");
    let start = Instant::now();
    let ended = ends(stream, b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", || {
        start.elapsed() < Duration::from_secs(15)
    });
    assert!(ended, "it is still connected after {:?}", start.elapsed());
    assert_eq!(get(&Client::plain(&serving.address), "/healthz", None).status, 200);
    serving.stop().expect(0);
}

/// Of two requests in advance, the first is answered, and the connection ends.
#[test]
fn requests_go_one_after_the_other() {
    let site = Site::new("listen = \"127.0.0.1:0\"\n");
    let serving = site.serve();
    let two = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let answer = Client::plain(&serving.address).ask(two).expect("an answer");
    assert_eq!((answer.status, answer.body.as_str()), (200, "ok\n"));
    serving.stop().expect(0);
}

/// Over the same connection, over which another page was asked for.
#[test]
fn two_pages_are_asked_for_over_one_connection() {
    let authority = made_up_authority();
    for tls in [false, true] {
        let site = match tls {
            false => Site::new("listen = \"127.0.0.1:0\"\n"),
            true => Site::with_tls(&authority),
        };
        let serving = site.serve();
        let client = match tls {
            false => Client::plain(&serving.address),
            true => Client::trusting(&authority, &serving.address),
        };
        let requests = ["/healthz", "/readyz"].map(|page| format!("GET {page} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        let answers = client.ask_in_turn(&requests, &["ok\n", "ready\n"]).expect("answers");
        assert!(
            answers
                .iter()
                .all(|answer| answer.header("Connection") != Some("close"))
        );
        serving.stop().expect(0);
    }
}

/// A second request whose header does not end costs the connection.
#[test]
fn a_second_request_that_does_not_end_is_given_up() {
    let site = Site::new("listen = \"127.0.0.1:0\"\n");
    let serving = site.serve();
    let mut stream = Client::plain(&serving.address).connect().expect("connect");
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .expect("a request");
    let mut first = [0; 1000];
    assert!(stream.read(&mut first).expect("an answer") > 0);
    stream.write_all(b"GET /healthz HTTP/1.1\r\n").expect("a beginning");
    let start = Instant::now();
    let ended = ends(stream, b"X: y\r\n", || {
        std::thread::sleep(Duration::from_millis(500));
        start.elapsed() < 3 * PATIENCE
    });
    assert!(ended, "it is still connected after {:?}", start.elapsed());
    serving.stop().expect(0);
}

/// Who takes nothing of a long answer is let go too.
#[test]
fn a_client_that_takes_nothing_is_let_go() {
    const PROFILES: usize = 3_000;
    let profile = |number| {
        format!(
            "[[profile]]\nname = \"profile-{number}\"\n[profile.server]\naccess = \"imap\"\nhost = \"127.0.0.1\"\n\
             port = 1\nusername = \"a\"\npassword = \"b\"\n"
        )
    };
    let profiles: String = (0..PROFILES).map(profile).collect();
    let site = Site::new(&format!("listen = \"127.0.0.1:0\"\n{profiles}"));
    let serving = site.serve();
    let client = Client::plain(&serving.address);
    // More than the system holds for a connection.
    let page = get(&client, "/metrics", None).body;
    assert!(page.len() > 4 << 20, "{}", page.len());
    let mut stream = client.connect().expect("connect");
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .expect("a request");
    let start = Instant::now();
    let ended = ends(stream, b" ", || {
        std::thread::sleep(Duration::from_millis(200));
        start.elapsed() < 3 * PATIENCE
    });
    assert!(ended, "it is still connected after {:?}", start.elapsed());
    assert_eq!(get(&client, "/healthz", None).status, 200);
    serving.stop().expect(0);
}

/// Whether the server ends a connection that is sent something again and again, and never read from.
fn ends(mut stream: TcpStream, bytes: &[u8], mut goes_on: impl FnMut() -> bool) -> bool {
    stream
        .set_write_timeout(Some(Duration::from_secs(2)))
        .expect("a timeout");
    while goes_on() {
        match stream.write_all(bytes) {
            Ok(()) => {}
            // Nothing more is taken for now.
            Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) => {}
            Err(_) => return true,
        }
    }
    false
}
