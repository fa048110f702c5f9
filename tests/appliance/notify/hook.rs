//! A webhook of a test's own, on loopback: it remembers what it was told, and answers as it is told to.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
};

use serde_json::Value;

use crate::support::{
    PATIENCE,
    tls::Identity,
    wait_for,
    web::{self, Request, Web},
};

/// A request that came.
#[derive(Clone, Debug)]
pub struct Call {
    pub request: Request,
    pub body: Value,
}

#[derive(Default)]
pub struct State {
    pub calls: Vec<Call>,
    /// Status lines and headers of the next answers; `None` is silence. Then it is 204.
    pub answers: VecDeque<Option<String>>,
}

pub struct Hook {
    pub web: Web,
    state: Arc<Mutex<State>>,
}

impl Hook {
    /// Over TLS, where it shows something.
    pub fn start(identity: Option<&'static Identity>) -> Self {
        let state = Arc::<Mutex<State>>::default();
        let shared = state.clone();
        let web = Web::start(identity, move |request| {
            let body = serde_json::from_slice(&request.body).expect("JSON");
            let mut state = shared.lock().expect("a state");
            state.calls.push(Call { request, body });
            let answer = state.answers.pop_front().unwrap_or(Some("204 No Content\r\n".into()))?;
            let (status, header) = answer.split_once("\r\n").expect("a status line");
            Some(web::answer(status, header, ""))
        });
        Self { web, state }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics while it holds this")
    }

    pub fn calls(&self, count: usize) -> Vec<Call> {
        let came = wait_for(PATIENCE, || self.state().calls.len() >= count);
        let calls = self.state().calls.clone();
        assert!(
            came && calls.len() == count,
            "{count} calls, not {}: {calls:#?}",
            calls.len()
        );
        calls
    }

    /// `[webhook]`, with further keys.
    pub fn toml(&self, more: &str) -> String {
        format!("[webhook]\nurl = \"{}\"\n{more}\n", self.web.page("runs?from=here"))
    }
}
