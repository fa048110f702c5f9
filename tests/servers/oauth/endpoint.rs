//! A token endpoint of a test's own, on loopback: it gives out tokens, says of each whether it is good, and remembers
//! what it was asked.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
};

use serde_json::json;

use crate::support::{
    PATIENCE,
    dovecot::MAILBOX,
    tls::Identity,
    wait_for,
    web::{self, Request, Web},
};

pub const CLIENT_ID: &str = "11111111-2222-3333-4444-555555555555";
pub const CLIENT_SECRET: &str = "the~client/secret+value";
/// The refresh token with which a profile begins.
pub const FIRST: &str = "0.first/refresh+token";

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
    pub web: Web,
    state: Arc<Mutex<State>>,
}

impl Endpoint {
    pub fn start() -> Self {
        Self::showing(None)
    }

    /// Over TLS, where it shows this.
    pub fn showing(identity: Option<&'static Identity>) -> Self {
        let state = Arc::new(Mutex::new(State {
            refresh: FIRST.into(),
            expires_in: Some(3600),
            ..State::default()
        }));
        let shared = state.clone();
        Self {
            web: Web::start(identity, move |request| serve(&request, &shared)),
            state,
        }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics while it holds this")
    }

    /// How often a token was asked for.
    pub fn asked(&self) -> usize {
        self.state().asked.len()
    }

    /// Whatever was given out so far is of no use any more.
    pub fn revoke(&self) {
        self.state().good.clear();
    }

    /// An answer in place of tokens: a status, lines of a header, a body.
    pub fn answer(&self, status: &str, header: &str, body: &str) {
        self.state().answer = Some(web::answer(status, header, body));
    }

    /// An error of RFC 6749, 5.2.
    pub fn refuse(&self, error: &str, words: &str) {
        let body = json!({ "error": error, "error_description": words }).to_string();
        self.answer("400 Bad Request", "Content-Type: application/json\r\n", &body);
    }
}

fn serve(request: &Request, state: &Mutex<State>) -> Option<String> {
    let form: BTreeMap<String, String> = form_urlencoded::parse(&request.body).into_owned().collect();
    let answer = match request.path() {
        "/introspect" => Some(introspect(&form, &state.lock().expect("a state"))),
        "/token" => token(form, &mut state.lock().expect("a state")),
        _ => Some(page("404 Not Found", "<html>There is nothing here.</html>")),
    };
    wait_for(PATIENCE, || !state.lock().expect("a state").held);
    answer
}

fn page(status: &str, body: &str) -> String {
    web::answer(status, "Content-Type: application/json\r\n", body)
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
