//! The server with guests of the tests' own: `tests/http` has what the appliance serves.

use std::time::{Duration, Instant};

use actix_web::http::{Method, StatusCode};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use rustix::process::getpriority_process;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

use super::{Asked, LetIn, NICE, Route, answer, connection::REQUESTS, serve};
use crate::config;

const TOKEN: &str = "0123456789abcdef";
/// The body that the guest takes.
const MOST: usize = 1000;

/// A guest that says how much it was sent.
fn letters() -> Vec<Route> {
    let length = async |asked: Asked| answer(StatusCode::OK).body(format!("{} bytes\n", asked.body.len()));
    let hello = async |_| answer(StatusCode::OK).body("hello\n");
    let lost = async |_| answer(StatusCode::NOT_FOUND).body("lost\n");
    vec![
        Route::new(Method::GET, "/letters", LetIn::Anyone, hello),
        Route::new(Method::POST, "/letters", LetIn::Anyone, length).with_body(MOST),
        Route::new(Method::POST, "/letters/new", LetIn::Anyone, length).unlisted(),
        Route::new(Method::GET, "/letters/{name}", LetIn::Anyone, hello).unlisted(),
        Route::new(Method::POST, "/letters/forms/one", LetIn::Anyone, length).unlisted(),
        Route::new(Method::GET, "/letters/", LetIn::Anyone, lost).fallback(),
    ]
}

/// Another one, with secrets.
fn secrets() -> Vec<Route> {
    let shown = async |asked: Asked| answer(StatusCode::OK).body(format!("{} secret\n", asked.body.len()));
    vec![
        Route::new(Method::POST, "/secret", LetIn::Token, shown).with_body(MOST),
        Route::new(Method::GET, "/here", LetIn::Loopback, shown),
    ]
}

/// Runs a test against a server; `keys` are those of `[http]`.
fn served(keys: Value, routes: Vec<Route>, test: impl AsyncFnOnce(&str)) {
    let mut http: config::Http = serde_json::from_value(keys).unwrap();
    http.listen = "127.0.0.1:0".to_owned();
    actix_rt::System::new().block_on(async {
        let http = serve(&http, routes).unwrap();
        test(http.addresses()[0].trim_start_matches("http://")).await;
        http.stop().await;
    });
}

/// A connection that is kept.
struct Client(TcpStream);

impl Client {
    async fn new(address: &str) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    async fn send(&mut self, bytes: &str) {
        self.0.write_all(bytes.as_bytes()).await.unwrap();
    }

    /// Sends a request, and reads its answer: status, header, body.
    async fn ask(&mut self, request: &str, fields: &str, body: &str) -> (u16, String, String) {
        let request = format!("{request} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n{body}");
        self.send(&request).await;
        self.answer().await
    }

    async fn post(&mut self, page: &str, fields: &str, body: &str) -> (u16, String) {
        let fields = format!("Content-Length: {}\r\n{fields}", body.len());
        let (status, _, body) = self.ask(&format!("POST {page}"), &fields, body).await;
        (status, body)
    }

    /// The next answer, whose end its Content-Length says.
    async fn answer(&mut self) -> (u16, String, String) {
        let mut bytes = Vec::new();
        loop {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let head = head.to_lowercase();
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                if body.len() >= length.unwrap().parse::<usize>().unwrap() {
                    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
                    return (status, head, body.to_owned());
                }
            }
            assert_ne!(self.0.read_buf(&mut bytes).await.unwrap(), 0, "closed after {text:?}");
        }
    }

    /// Whether the server ends the connection without another word.
    async fn ends(&mut self, most: Duration) -> bool {
        let mut rest = Vec::new();
        let read = timeout(most, self.0.read_to_end(&mut rest)).await;
        read.is_ok() && rest.is_empty()
    }
}

#[test]
fn requests_go_one_after_the_other_over_one_connection() {
    served(json!({}), letters(), async |address| {
        let mut client = Client::new(address).await;
        for request in 1..=REQUESTS {
            let (status, head, body) = client.ask("GET /letters", "", "").await;
            assert_eq!((status, body.as_str()), (200, "hello\n"), "request {request}");
            assert_eq!(
                head.contains("connection: close"),
                request == REQUESTS,
                "{request}: {head}"
            );
        }
        assert!(client.ends(Duration::from_secs(10)).await, "it is for so many requests");
        let mut client = Client::new(address).await;
        assert_eq!(client.ask("GET /nothing", "", "").await.0, 404);
        assert_eq!(client.ask("GET /letters", "", "").await.0, 200, "after a refusal");
    });
}

#[test]
fn a_body_is_taken_up_to_the_limit_and_refused_beyond_it() {
    served(json!({}), letters(), async |address| {
        let (fits, long) = ("x".repeat(MOST), "x".repeat(MOST + 1));
        let mut client = Client::new(address).await;
        for (body, said) in [("", "0 bytes\n"), (&*fits, "1000 bytes\n"), ("x", "1 bytes\n")] {
            assert_eq!(client.post("/letters", "", body).await, (200, said.to_owned()));
        }
        assert_eq!(client.post("/letters", "", &long).await.0, 413);
        assert!(client.ends(Duration::from_secs(10)).await);
        // Whose length the header does not say.
        for (body, status) in [(&fits, 200), (&long, 413)] {
            let mut client = Client::new(address).await;
            let chunked = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
            let answer = client
                .ask("POST /letters", "Transfer-Encoding: chunked\r\n", &chunked)
                .await;
            assert_eq!(answer.0, status);
            assert!(status == 200 || client.ends(Duration::from_secs(10)).await);
        }
        for page in ["GET /letters", "PUT /letters", "POST /nothing"] {
            let mut client = Client::new(address).await;
            let answer = client.ask(page, "Content-Length: 1\r\n", "x").await;
            assert_eq!(answer.0, 413, "{page} takes no body");
        }
    });
}

#[test]
fn a_body_that_comes_slowly_is_given_up() {
    for encoding in ["Content-Length: 900", "Transfer-Encoding: chunked"] {
        served(json!({}), letters(), async |address| {
            let mut slow = Client::new(address).await;
            slow.send(&format!(
                "POST /letters HTTP/1.1\r\nHost: localhost\r\n{encoding}\r\n\r\n"
            ))
            .await;
            let began = Instant::now();
            let mut tick = tokio::time::interval(Duration::from_millis(250));
            let (status, head, _) = loop {
                let byte = if encoding.ends_with("chunked") {
                    "1\r\nx\r\n"
                } else {
                    "x"
                };
                tokio::select! {
                    answer = slow.answer() => break answer,
                    _ = tick.tick() => {}
                }
                slow.send(byte).await;
            };
            assert_eq!(status, 408, "{head}");
            assert!(
                head.contains("connection: close") && began.elapsed() < Duration::from_secs(20),
                "{head}"
            );
            // However it goes on.
            let began = Instant::now();
            while slow.0.write_all(b"1\r\nx\r\n").await.is_ok() {
                assert!(began.elapsed() < Duration::from_secs(20), "it is still connected");
                tick.tick().await;
            }
            let mut other = Client::new(address).await;
            assert_eq!(other.post("/letters", "", "x").await.0, 200);
        });
    }
}

#[test]
fn guests_live_beside_each_other() {
    let mut routes = letters();
    routes.extend(secrets());
    served(json!({ "token": TOKEN }), routes, async |address| {
        let mut client = Client::new(address).await;
        assert_eq!(client.ask("GET /letters", "", "").await.2, "hello\n");
        assert_eq!(
            client.ask("GET /here", "", "").await.2,
            "0 secret\n",
            "this is loopback"
        );
        let missing = client.ask("GET /letter", "", "").await;
        assert_eq!(missing.2, "not found; there are /letters, /secret and /here\n");
        for (page, allowed) in [("/letters", "allow: get, head, post"), ("/secret", "allow: post")] {
            let (status, head, _) = client.ask(&format!("DELETE {page}"), "", "").await;
            assert!(status == 405 && head.contains(&format!("{allowed}\r\n")), "{head}");
        }
        // What may be asked for by a name that is another address, too.
        let (status, ..) = client.ask("GET /letters/new", "", "").await;
        let (_, head, _) = client.ask("DELETE /letters/new", "", "").await;
        assert!(status == 200 && head.contains("allow: post\r\n"), "{head}");
        let token = format!("Authorization: Bearer {TOKEN}\r\n");
        assert_eq!(
            client.post("/secret", &token, "xyz").await,
            (200, "3 secret\n".to_owned())
        );
        // A stranger is refused before the body is read.
        let refused = client.ask("POST /secret", "Content-Length: 3\r\n", "").await;
        assert!(
            refused.0 == 401 && refused.1.contains("connection: close"),
            "{}",
            refused.1
        );
    });
}

#[test]
fn whoever_reads_gives_way_to_mail_on_its_way() {
    fn niceness() -> i32 {
        getpriority_process(None).unwrap()
    }
    let threads = async |_| {
        let waiting = tokio::task::spawn_blocking(niceness).await.unwrap();
        answer(StatusCode::OK).body(format!("{} {waiting}", niceness()))
    };
    let routes = vec![Route::new(Method::GET, "/threads", LetIn::Anyone, threads)];
    served(json!({}), routes, async |address| {
        let (status, _, body) = Client::new(address).await.ask("GET /threads", "", "").await;
        let nice = niceness() + NICE;
        assert_eq!((status, body), (200, format!("{nice} {nice}")));
    });
}

/// On a busy machine, most of a hundred who logged in at once were cut off without a word: their turn came after the thirty
/// seconds that a client has.
#[test]
fn an_answer_that_took_long_was_cut_off_as_if_the_client_took_none() {
    const LONG: Duration = Duration::from_secs(33);
    let late = async |_| {
        sleep(LONG).await;
        answer(StatusCode::OK).body("late\n")
    };
    let with_gap = async |_| {
        let parts = stream::iter(["one\n", "two\n"]).then(async |part| {
            if part == "two\n" {
                sleep(LONG).await;
            }
            Ok::<_, actix_web::Error>(Bytes::from(part))
        });
        answer(StatusCode::OK).streaming(Box::pin(parts))
    };
    let routes = vec![
        Route::new(Method::GET, "/late", LetIn::Anyone, late),
        Route::new(Method::GET, "/gap", LetIn::Anyone, with_gap),
    ];
    served(json!({}), routes, async |address| {
        let ask = async |page: &str| {
            let mut client = Client::new(address).await;
            let request = format!("GET {page} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            client.send(&request).await;
            let mut bytes = Vec::new();
            client.0.read_to_end(&mut bytes).await.unwrap();
            String::from_utf8(bytes).unwrap()
        };
        let (late, with_gap) = tokio::join!(ask("/late"), ask("/gap"));
        assert!(late.starts_with("HTTP/1.1 200 ") && late.ends_with("late\n"), "{late}");
        assert!(with_gap.contains("one\n") && with_gap.contains("two\n"), "{with_gap}");
    });
}

#[test]
fn idle_connections_keep_nobody_out() {
    served(json!({}), letters(), async |address| {
        let mut idle = Vec::new();
        for number in 1..=200 {
            let mut client = Client::new(address).await;
            let asked = timeout(Duration::from_secs(5), client.ask("GET /letters", "", "")).await;
            let (status, head, _) = asked.unwrap_or_else(|_| panic!("connection {number} is kept out"));
            assert_eq!(status, 200);
            if number < 20 {
                assert!(!head.contains("connection: close"), "{head}");
            }
            idle.push(client);
        }
    });
}

#[test]
fn a_guest_has_its_own_words_for_what_is_not_there() {
    served(json!({}), letters(), async |address| {
        let mut client = Client::new(address).await;
        let (status, head, body) = client.ask("GET /letters/new/none", "", "").await;
        assert_eq!((status, &*body), (404, "lost\n"));
        assert!(!head.contains("allow:"), "{head}");
        let (status, head, body) = client.ask("GET /letters/forms/one", "", "").await;
        assert_eq!((status, &*body), (405, "lost\n"));
        assert!(head.contains("allow: post"), "{head}");
        for (asked, status) in [
            ("DELETE /letters/new/none", 404),
            ("GET /lettersx", 404),
            ("PUT /letters/forms/one", 405),
        ] {
            let (is, _, body) = client.ask(asked, "", "").await;
            assert_eq!(is, status, "{asked}");
            assert!(!body.contains("lost"), "{asked}: {body}");
        }
    });
}
