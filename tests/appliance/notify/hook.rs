//! A webhook of a test's own, on loopback: it remembers what it was told, and answers as it is told to.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use rustls::{ServerConnection, StreamOwned};
use serde_json::Value;

use crate::notify::{support::wait_for, tls::Tls};

const PATIENCE: Duration = Duration::from_secs(20);

/// A request that came.
#[derive(Clone, Debug)]
pub struct Call {
    pub line: String,
    /// Names in lower case.
    pub header: Vec<(String, String)>,
    pub body: Value,
}

impl Call {
    pub fn field(&self, name: &str) -> &str {
        let field = self.header.iter().find(|(known, _)| known == name);
        field.map_or("", |(_, value)| value)
    }
}

#[derive(Default)]
pub struct State {
    pub calls: Vec<Call>,
    /// Status lines and headers of the next answers; `None` is silence. Then it is 204.
    pub answers: VecDeque<Option<String>>,
}

pub struct Hook {
    pub port: u16,
    pub tls: Option<Tls>,
    state: Arc<Mutex<State>>,
    ends: Arc<AtomicBool>,
    listening: Option<JoinHandle<()>>,
}

impl Hook {
    pub fn start(tls: Option<Tls>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let (state, ends) = (Arc::<Mutex<State>>::default(), Arc::new(AtomicBool::new(false)));
        let (shared, ending, config) = (state.clone(), ends.clone(), tls.as_ref().map(|tls| tls.config.clone()));
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
                        Some(config) => {
                            let connection = ServerConnection::new(config).expect("a connection");
                            serve(StreamOwned::new(connection, stream), &state)
                        }
                    };
                });
            }
        });
        Self {
            port,
            tls,
            state,
            ends,
            listening: Some(listening),
        }
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
        let (scheme, host) = match self.tls {
            Some(_) => ("https", "localhost"),
            None => ("http", "127.0.0.1"),
        };
        format!(
            "[webhook]\nurl = \"{scheme}://{host}:{}/runs?from=here\"\n{more}\n",
            self.port
        )
    }
}

impl Drop for Hook {
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
    let (mut line, mut header) = (String::new(), Vec::new());
    stream.read_line(&mut line)?;
    let first = line.trim_end().to_owned();
    loop {
        line.clear();
        if stream.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            header.push((name.to_lowercase(), value.trim().to_owned()));
        }
    }
    let length = header.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().expect("a length"))];
    stream.read_exact(&mut body)?;
    let answer = {
        let mut state = state.lock().expect("a state");
        state.calls.push(Call {
            line: first,
            header,
            body: serde_json::from_slice(&body).expect("JSON"),
        });
        state.answers.pop_front()
    };
    match answer.unwrap_or(Some("204 No Content\r\n".into())) {
        Some(answer) => {
            let answer = format!("HTTP/1.1 {answer}Connection: close\r\nContent-Length: 0\r\n\r\n");
            stream.get_mut().write_all(answer.as_bytes())?;
            stream.get_mut().flush()
        }
        // Nothing is said until the client has gone.
        None => std::io::copy(&mut stream, &mut std::io::sink()).map(|_| ()),
    }
}
