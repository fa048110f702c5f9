//! A web server of a test's own, in clear text or over TLS: it answers one request on each connection.

use std::io::{self, BufRead, BufReader, Read, Write};

use super::{
    PATIENCE,
    listening::Listening,
    tls::{Identity, wire},
};

/// What was asked.
#[derive(Clone, Debug)]
pub struct Request {
    /// Method, path and version.
    pub line: String,
    /// Names in lower case.
    pub header: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    /// The value of a field of the header; nothing where it is not there.
    pub fn field(&self, name: &str) -> &str {
        let field = self.header.iter().find(|(known, _)| known == name);
        field.map_or("", |(_, value)| value)
    }

    pub fn path(&self) -> &str {
        self.line.split(' ').nth(1).unwrap_or_default()
    }
}

/// A running server. Dropping it ends it.
pub struct Web {
    pub listening: Listening,
    /// What it shows, where it speaks TLS.
    pub identity: Option<&'static Identity>,
}

impl Web {
    /// `answer` gives the bytes of each answer; without any, nothing is said until the client has gone.
    pub fn start(
        identity: Option<&'static Identity>,
        answer: impl Fn(Request) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        let config = identity.map(Identity::config);
        let listening = Listening::start(move |tcp, _| -> io::Result<()> {
            tcp.set_read_timeout(Some(PATIENCE))?;
            let mut stream = BufReader::new(wire(tcp, config.clone())?);
            let request = read(&mut stream)?;
            match answer(request) {
                Some(answer) => {
                    stream.get_mut().write_all(answer.as_bytes())?;
                    stream.get_mut().flush()
                }
                None => io::copy(&mut stream, &mut io::sink()).map(drop),
            }
        });
        Self { listening, identity }
    }

    /// The address of a page.
    pub fn page(&self, path: &str) -> String {
        let start = match self.identity {
            Some(_) => "https://localhost",
            None => "http://127.0.0.1",
        };
        format!("{start}:{}/{path}", self.listening.port)
    }
}

fn read(stream: &mut impl BufRead) -> io::Result<Request> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let mut request = Request {
        line: line.trim_end().to_owned(),
        header: Vec::new(),
        body: Vec::new(),
    };
    loop {
        line.clear();
        if stream.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            request.header.push((name.to_lowercase(), value.trim().to_owned()));
        }
    }
    let length = request.field("content-length").parse().unwrap_or(0);
    request.body.resize(length, 0);
    stream.read_exact(&mut request.body)?;
    Ok(request)
}

/// An answer: its status, further lines of its header each with its end, and its body.
pub fn answer(status: &str, header: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{header}Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}
