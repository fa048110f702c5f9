//! A token endpoint of a test's own, on loopback: it gives out tokens, says of each whether it is good, and remembers
//! what it was asked.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use rustls::{ServerConfig, ServerConnection, StreamOwned, crypto::ring, pki_types::PrivateKeyDer};
use serde_json::json;

use crate::oauth::support::{dovecot::MAILBOX, wait_for};

pub const CLIENT_ID: &str = "11111111-2222-3333-4444-555555555555";
pub const CLIENT_SECRET: &str = "the~client/secret+value";
/// The refresh token with which a profile begins.
pub const FIRST: &str = "0.first/refresh+token";

/// How long a client may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What it is to do, and what it saw.
#[derive(Default)]
pub struct State {
    /// The one refresh token that is good.
    pub refresh: String,
    /// Each refresh token is good once.
    pub rotates: bool,
    /// Seconds; not said where there are none.
    pub expires_in: Option<i64>,
    /// Access tokens that are good.
    pub good: BTreeSet<String>,
    /// No token is good for the mail server, whatever was given out.
    pub refuses_all: bool,
    /// Bytes to answer requests for tokens with, in place of a token.
    pub answer: Option<String>,
    /// Requests for tokens are heard and not answered.
    pub silent: bool,
    /// Answers are made, and not sent as long as this is so.
    pub held: bool,
    /// The forms that came, in their order.
    pub asked: Vec<BTreeMap<String, String>>,
    /// Every token given out.
    pub given: Vec<String>,
}

pub struct Endpoint {
    pub port: u16,
    /// PEM, where it speaks TLS.
    pub certificate: Option<String>,
    state: Arc<Mutex<State>>,
    ends: Arc<AtomicBool>,
    listening: Option<JoinHandle<()>>,
}

impl Endpoint {
    pub fn start() -> Self {
        Self::listen(None)
    }

    /// With a certificate for `localhost` that nobody has signed.
    pub fn with_tls() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("a certificate with its key");
        Self::listen(Some((Arc::new(config), made.cert.pem())))
    }

    fn listen(tls: Option<(Arc<ServerConfig>, String)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let state = Arc::new(Mutex::new(State {
            refresh: FIRST.into(),
            expires_in: Some(3600),
            ..State::default()
        }));
        let ends = Arc::new(AtomicBool::new(false));
        let (config, certificate) = tls.unzip();
        let (shared, ending) = (state.clone(), ends.clone());
        let listening = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if ending.load(Ordering::SeqCst) {
                    return;
                }
                let (state, config) = (shared.clone(), config.clone());
                std::thread::spawn(move || {
                    let _ = stream.set_read_timeout(Some(PATIENCE));
                    let _ = match config {
                        None => serve(stream, &state),
                        Some(config) => match ServerConnection::new(config) {
                            Ok(connection) => serve(StreamOwned::new(connection, stream), &state),
                            Err(_) => Ok(()),
                        },
                    };
                });
            }
        });
        Self {
            port,
            certificate,
            state,
            ends,
            listening: Some(listening),
        }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics while it holds this")
    }

    /// The address of a page.
    pub fn page(&self, path: &str) -> String {
        let (scheme, host) = match self.certificate {
            Some(_) => ("https", "localhost"),
            None => ("http", "127.0.0.1"),
        };
        format!("{scheme}://{host}:{}/{path}", self.port)
    }

    /// How often a token was asked for.
    pub fn asked(&self) -> usize {
        self.state().asked.len()
    }

    /// Whatever was given out so far is of no use any more.
    pub fn revoke(&self) {
        self.state().good.clear();
    }

    /// An answer in place of tokens: a status line without its version, a header, a body.
    pub fn answer(&self, status: &str, header: &str, body: &str) {
        self.state().answer = Some(format!(
            "HTTP/1.1 {status}\r\n{header}Content-Length: {}\r\n\r\n{body}",
            body.len()
        ));
    }

    /// An error of RFC 6749, 5.2.
    pub fn refuse(&self, error: &str, words: &str) {
        let body = json!({ "error": error, "error_description": words }).to_string();
        self.answer("400 Bad Request", "Content-Type: application/json\r\n", &body);
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        // Wakes the listener.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(listening) = self.listening.take() {
            let _ = listening.join();
        }
    }
}

fn serve<S: Read + Write>(stream: S, state: &Mutex<State>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let (mut line, mut length) = (String::new(), 0);
    stream.read_line(&mut line)?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    loop {
        line.clear();
        if stream.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().expect("a length");
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    let form: BTreeMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
    let answer = match path.as_str() {
        "/introspect" => Some(introspect(&form, &state.lock().expect("a state"))),
        "/token" => token(form, &mut state.lock().expect("a state")),
        _ => Some(page("404 Not Found", "<html>There is nothing here.</html>")),
    };
    match answer {
        Some(answer) => {
            wait_for(PATIENCE, || !state.lock().expect("a state").held);
            stream.get_mut().write_all(answer.as_bytes())?;
            stream.get_mut().flush()
        }
        // Nothing is said until the client has gone.
        None => std::io::copy(&mut stream, &mut std::io::sink()).map(|_| ()),
    }
}

fn page(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn introspect(form: &BTreeMap<String, String>, state: &State) -> String {
    let token = form.get("token").cloned().unwrap_or_default();
    let active = !state.refuses_all && state.good.contains(&token);
    page("200 OK", &json!({ "active": active, "username": MAILBOX }).to_string())
}

fn token(form: BTreeMap<String, String>, state: &mut State) -> Option<String> {
    state.asked.push(form.clone());
    if state.silent {
        return None;
    }
    if let Some(answer) = &state.answer {
        return Some(answer.clone());
    }
    let has = |name: &str, value: &str| form.get(name).is_some_and(|given| given == value);
    let refuse = |error: &str| {
        let body = json!({ "error": error, "error_description": "As it was asked for." });
        Some(page("400 Bad Request", &body.to_string()))
    };
    if !has("client_id", CLIENT_ID) || !has("client_secret", CLIENT_SECRET) {
        return refuse("invalid_client");
    }
    match form.get("grant_type").map(String::as_str) {
        Some("refresh_token") if has("refresh_token", &state.refresh) => {}
        Some("refresh_token") => return refuse("invalid_grant"),
        Some("client_credentials") if !form.contains_key("refresh_token") => {}
        _ => return refuse("unsupported_grant_type"),
    }
    let number = state.given.len();
    let access = format!("access-{number}-{}", "x".repeat(1500));
    let mut body = json!({ "token_type": "Bearer", "access_token": access });
    if let Some(seconds) = state.expires_in {
        body["expires_in"] = seconds.into();
    }
    if state.rotates {
        state.refresh = format!("0.refresh-{number}");
        body["refresh_token"] = state.refresh.clone().into();
        state.given.push(state.refresh.clone());
    }
    state.good.insert(access.clone());
    state.given.push(access);
    Some(page("200 OK", &body.to_string()))
}
