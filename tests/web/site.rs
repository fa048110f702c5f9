//! An archive with some mail and accounts, served, and a client of its API.

use std::{
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{
    PATIENCE,
    appliance::{Appliance, PROFILE, number},
    control,
    running::Serving,
    wait_for,
};

pub const PASSWORD: &str = "correct horse battery";
pub const USERS: [&str; 3] = ["jane", "bob", "rita"];
/// The role of each kind of account.
pub const ROLES: [&str; 3] = ["user", "auditor", "administrator"];

/// How long an answer may take. Many who log in at once wait for each other, as each costs a core a tenth of a second.
const ANSWER: Duration = Duration::from_secs(300);

pub struct Site {
    pub appliance: Appliance,
    pub serving: Serving,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    /// Names in lower case.
    pub header: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn field(&self, name: &str) -> &str {
        let field = self.header.iter().find(|(known, _)| known == name);
        field.map_or("", |(_, value)| value)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// This reply, which must have this status.
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{:?}\n{}", self.header, self.text());
        self
    }
}

/// Somebody who asks: a field of the header says who.
#[derive(Clone, Debug)]
pub struct Client {
    pub address: String,
    pub field: String,
}

impl Site {
    /// With these further lines of the configuration, and variables of its environment.
    pub fn new(more: &str, environment: &[(&str, &str)]) -> Self {
        let profile = format!(
            "[[profile]]\nname = \"{PROFILE}\"\n[profile.server]\naccess = \"imap\"\nhost = \"127.0.0.1\"\nport = 1\n\
             username = \"all\"\npassword = \"x\"\n"
        );
        Self::of_profile(more, &profile, environment)
    }

    /// The same with another profile.
    pub fn of_profile(more: &str, profile: &str, environment: &[(&str, &str)]) -> Self {
        Self::prepared(more, profile, environment, |_| {})
    }

    /// The same, with what `prepare` does before it is served.
    pub fn prepared(more: &str, profile: &str, environment: &[(&str, &str)], prepare: impl FnOnce(&Appliance)) -> Self {
        let user = |name: &&str| format!("[[user]]\nname = \"{name}\"\naddresses = [\"{name}@example.com\"]\n");
        let users: String = USERS.iter().map(user).collect();
        let text = format!("{more}[secrets]\nkey_file = \"dropkeep.key\"\n{users}{profile}");
        let appliance = Appliance::new(env!("CARGO_BIN_EXE_dropkeep"), &text);
        appliance.done(&["profiles", "key"]);
        prepare(&appliance);
        Self {
            serving: serve(&appliance, environment),
            appliance,
        }
    }

    /// Ends the appliance as nothing can refuse, and starts it again.
    pub fn kill(&mut self) {
        self.serving.running.signal(Signal::KILL);
        assert!(wait_for(PATIENCE, || !self.serving.running.is_running()));
        self.serving = serve(&self.appliance, &[]);
    }

    /// With a message for each set of users, the first for none of them.
    pub fn with_mail() -> Self {
        let site = Self::new("", &[]);
        for set in 0..1_usize << USERS.len() {
            let of = (0..USERS.len()).filter(|at| set >> at & 1 == 1).map(|at| USERS[at]);
            let to: Vec<_> = of.map(|user| format!("{user}@example.com")).collect();
            let to = if to.is_empty() {
                "nobody@example.net".to_owned()
            } else {
                to.join(", ")
            };
            site.import(&format!(
                "From: sender{set}@example.org\r\nTo: {to}\r\nSubject: secret{set}\r\nMIME-Version: 1.0\r\n\
                 Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nwords{set}\r\n\
                 --b\r\nContent-Type: application/x-file; name=\"file{set}.bin\"\r\n\
                 Content-Transfer-Encoding: base64\r\n\r\nYXR0YWNoZWQ=\r\n--b--\r\n"
            ));
        }
        site
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.appliance.config().with_file_name(name)
    }

    /// Archives a message.
    pub fn import(&self, mail: &str) {
        self.import_bytes(mail.as_bytes());
    }

    pub fn import_bytes(&self, mail: &[u8]) {
        let file = self.path("mail.eml");
        fs::write(&file, mail).expect("a file");
        self.import_file(&file);
    }

    pub fn import_file(&self, file: &Path) {
        self.appliance
            .done(&["import", "--profile", PROFILE, file.to_str().expect("a name")]);
    }

    /// Waits until all mail is found.
    pub fn indexed(&self) {
        let done = wait_for(PATIENCE, || {
            let replies = control::ask(&self.appliance.data(), &json!("index")).expect("an answer");
            let standing = replies
                .iter()
                .find_map(|reply| reply.get("index"))
                .expect("how it stands")
                .clone();
            number(&standing, "behind") == 0 && standing["state"] == "following"
        });
        assert!(done, "{}", self.serving.running.stderr());
    }

    /// As the owner.
    pub fn own(&self, request: Value) -> Vec<Value> {
        let replies = control::ask(&self.appliance.data(), &request).expect("an answer");
        assert!(
            !replies.iter().any(|reply| reply.get("failed").is_some()),
            "{request}: {replies:?}"
        );
        replies
    }

    pub fn add(&self, name: &str, role: &str, archives: &[&str]) {
        let wish = json!({"add": {"role": role, "archives": archives, "password": PASSWORD}});
        self.own(json!({"change_account": {"name": name, "wish": wish}}));
    }

    /// Somebody who shows nothing.
    pub fn stranger(&self) -> Client {
        Client {
            address: self.serving.address.clone(),
            field: "X-Nothing: x".to_owned(),
        }
    }

    /// Somebody with a session.
    pub fn log_in(&self, name: &str) -> Client {
        let stranger = self.stranger();
        let body = json!({"name": name, "password": PASSWORD});
        let reply = stranger.send("POST", "/api/v1/session", &body).expect(201);
        let cookie = reply.field("set-cookie").split(';').next().unwrap_or_default();
        Client {
            field: format!("Cookie: {cookie}"),
            ..stranger
        }
    }
}

/// Quiet hours that begin in twelve hours.
fn far_hours() -> String {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock that is set");
    let hour = since.as_secs() / 3600 + 12;
    format!("{:02}:00-{:02}:00", hour % 24, (hour + 1) % 24)
}

fn serve(appliance: &Appliance, environment: &[(&str, &str)]) -> Serving {
    let mut command = appliance.command(&["serve"]);
    command
        .env("DROPKEEP__HTTP__REQUESTS_PER_SECOND", "100000")
        .env("DROPKEEP__WEB__REQUESTS_PER_SECOND", "100000")
        // At night, what a test does would be done by the appliance before.
        .env("DROPKEEP__ARCHIVE__QUIET_HOURS", far_hours())
        .envs(environment.iter().copied());
    appliance.serve_as(command)
}

impl Client {
    pub fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, "", b"")
    }

    pub fn send(&self, method: &str, path: &str, body: &Value) -> Reply {
        self.ask(
            method,
            path,
            "Content-Type: application/json\r\n",
            body.to_string().as_bytes(),
        )
    }

    /// A request with further fields, each with its end.
    pub fn ask(&self, method: &str, path: &str, fields: &str, body: &[u8]) -> Reply {
        let asked = self.begin(method, path, fields, body).and_then(read);
        asked.unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// Sends a request, whose answer is still to be read.
    pub fn begin(&self, method: &str, path: &str, fields: &str, body: &[u8]) -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(ANSWER))?;
        let length = if body.is_empty() && method == "GET" {
            String::new()
        } else {
            format!("Content-Length: {}\r\n", body.len())
        };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\n{}\r\n{fields}{length}Connection: close\r\n\r\n",
            self.field
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;
        Ok(stream)
    }
}

/// Reads an answer to its end, which must come.
pub fn read(stream: TcpStream) -> io::Result<Reply> {
    let mut stream = BufReader::new(stream);
    let (status, header) = head(&mut stream)?;
    let mut reply = Reply {
        status,
        header,
        body: Vec::new(),
    };
    if reply.field("transfer-encoding") == "chunked" {
        while let Some(chunk) = chunk(&mut stream)? {
            reply.body.extend(chunk);
        }
    } else if let Ok(length) = reply.field("content-length").parse() {
        // Not all who are asked end the connection.
        reply.body.resize(length, 0);
        stream.read_exact(&mut reply.body)?;
    } else {
        stream.read_to_end(&mut reply.body)?;
    }
    Ok(reply)
}

/// The status and the fields of an answer.
pub fn head(stream: &mut impl BufRead) -> io::Result<(u16, Vec<(String, String)>)> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(format!("no answer of HTTP: {line:?}")))?;
    let mut fields = Vec::new();
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => fields.push((name.to_lowercase(), value.trim().to_owned())),
            None => return Ok((status, fields)),
        }
    }
}

/// The next chunk of a body; none at its end.
pub fn chunk(stream: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let length = usize::from_str_radix(line.trim(), 16).map_err(io::Error::other)?;
    let mut bytes = vec![0; length + 2];
    stream.read_exact(&mut bytes)?;
    bytes.truncate(length);
    Ok((length > 0).then_some(bytes))
}
