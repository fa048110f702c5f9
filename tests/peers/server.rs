//! A mail server of a test's own that is not Dovecot: it runs in the foreground, within the small Debian that
//! `install.sh` made for its kind, on loopback, in process and mount namespaces that end with it.

use std::{
    fs,
    io::{Write, stderr},
    os::unix::{fs::PermissionsExt, net::UnixDatagram},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use rustix::process::getuid;
use tempfile::TempDir;

use crate::support::{
    PATIENCE,
    appliance::Profile,
    dovecot::{MAILBOX, PASSWORD, Ports, greets},
    pull::{self, Client},
    show_log,
    tls::Identity,
    wait_for,
};

/// How long a server may take to end.
const STOP: Duration = Duration::from_secs(20);
/// Ports are chosen before the server binds them, so another process can take one in between.
const ATTEMPTS: u32 = 4;

/// What is different about each kind of server.
pub struct Kind {
    /// As `install.sh` calls it.
    pub name: &'static str,
    /// The script that starts it within its root.
    pub start: &'static str,
    /// What of the server's folder lies elsewhere in its root, in the words of `enter.sh`.
    pub binds: &'static [&'static str],
    /// Writes the configuration into the server's folder; the second is the kind's root.
    pub configure: fn(folder: &Path, root: &Path, ports: Ports),
    /// What the server's greetings have in them; `None` where they have the name of its folder, which no other has.
    pub greeting: Option<&'static str>,
    /// What a client of POP3 says before the login, so that it gets messages as they are.
    pub pop3_first: &'static [&'static str],
    /// Whether what was fetched over POP3 is marked as seen.
    pub pop3_marks: bool,
    /// Puts messages into the INBOX of [`MAILBOX`], and returns how many the server refused.
    pub deliver: fn(&Server, Vec<Vec<u8>>) -> usize,
}

/// A running server. Dropping it stops it.
pub struct Server {
    pub ports: Ports,
    pub kind: &'static Kind,
    child: Child,
    folder: TempDir,
    log: Log,
}

impl Server {
    /// Starts a server and waits until it greets.
    pub fn start(kind: &'static Kind) -> Self {
        let root = root(kind.name);
        for _ in 0..ATTEMPTS {
            let ports = Ports::free();
            let folder = tempfile::Builder::new()
                .prefix(&format!("dropkeep-{}-", kind.name))
                .tempdir()
                .expect("a temporary folder");
            // The server's processes have accounts of their own.
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("permissions");
            prepare(kind, folder.path(), &root, ports);
            let log = Log::listen(&folder.path().join("log"));
            let child = enter(kind, folder.path(), &root);
            let mut server = Self {
                ports,
                kind,
                child,
                folder,
                log,
            };
            if server.greets(kind.greeting) {
                return server;
            }
            let _ = writeln!(stderr(), "{} did not start:\n{}", kind.name, server.log());
        }
        panic!("{} does not start", kind.name);
    }

    fn greets(&mut self, greeting: Option<&str>) -> bool {
        let own = name_of(self.folder());
        let greeting = greeting.unwrap_or(&own);
        let Ports { imap, pop3, .. } = self.ports;
        let mut ended = false;
        let ready = wait_for(PATIENCE, || {
            ended = matches!(self.child.try_wait(), Ok(Some(_)));
            ended || [imap, pop3].into_iter().all(|port| greets(port, greeting))
        });
        ready && !ended
    }

    /// Puts messages into the INBOX of [`MAILBOX`], and returns how many it refused.
    pub fn deliver(&self, messages: Vec<Vec<u8>>) -> usize {
        (self.kind.deliver)(self, messages)
    }

    /// Every message of the INBOX, as the server sends it over the protocol of `access`.
    pub fn pull(&self, access: &str) -> Vec<Vec<u8>> {
        let mut messages = Vec::new();
        let each = |message: &[u8]| messages.push(message.to_vec());
        if access.starts_with("imap") {
            pull::imap(self.ports.imap, "INBOX", each);
        } else {
            pull::pop3_after(self.ports.pop3, self.kind.pop3_first, each);
        }
        messages
    }

    /// Every message of a folder, whose name is given as it travels.
    pub fn pull_folder(&self, raw: &str) -> Vec<Vec<u8>> {
        let mut messages = Vec::new();
        pull::imap(self.ports.imap, raw, |message| messages.push(message.to_vec()));
        messages
    }

    /// How many messages of the INBOX a search over IMAP finds.
    pub fn count(&self, criteria: &str) -> usize {
        let mut client = Client::imap(self.ports.imap);
        client.command("EXAMINE INBOX");
        let lines = client.command(&format!("SEARCH {criteria}"));
        let found = lines.iter().filter_map(|line| line.strip_prefix("* SEARCH"));
        found.map(|numbers| numbers.split_whitespace().count()).sum()
    }

    /// The server's own folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A profile of [`MAILBOX`], with further tables behind `[profile.recipients]`.
    pub fn profile(&self, access: &str, tables: &str) -> Profile {
        Profile {
            access: access.into(),
            host: "localhost".into(),
            port: self.ports.of(access),
            password: PASSWORD.into(),
            timeout: "60s".into(),
            tls: format!("{{ ca_file = \"{}\" }}", self.folder().join("cert.pem").display()),
            recipients: format!("own_addresses = [\"{MAILBOX}\"]\nlocal_domains = [\"example.com\"]\n{tables}"),
        }
    }

    fn log(&self) -> String {
        let said = fs::read(self.folder().join("said")).unwrap_or_default();
        String::from_utf8_lossy(&said).into_owned() + &self.log.lines.lock().expect("the lines so far")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The end of its input is what ends the server, also where this process is killed.
        drop(self.child.stdin.take());
        if !wait_for(STOP, || !matches!(self.child.try_wait(), Ok(None))) {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
        show_log(self.kind.name, || self.log());
    }
}

/// What a server is called that names itself.
pub fn name_of(folder: &Path) -> String {
    folder.file_name().expect("a name").to_string_lossy().into_owned()
}

/// The root that `install.sh` made.
fn root(name: &str) -> PathBuf {
    let peers = std::env::var_os("PEERS").map_or_else(
        || Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("peers"),
        PathBuf::from,
    );
    let root = peers.join(name);
    assert!(
        root.join("packages-installed").exists(),
        "{name} is not in {}; make test-peers puts it there",
        peers.display()
    );
    assert!(
        getuid().is_root(),
        "{name} runs in a root and mounts of its own, for which root is needed"
    );
    root
}

fn prepare(kind: &Kind, folder: &Path, root: &Path, ports: Ports) {
    let certificate = Identity::of_localhost();
    fs::write(folder.join("cert.pem"), &certificate.pem).expect("cert.pem");
    fs::write(folder.join("key.pem"), &certificate.key).expect("key.pem");
    fs::write(
        folder.join("both.pem"),
        format!("{}{}", certificate.pem, certificate.key),
    )
    .expect("both.pem");
    fs::write(folder.join("password"), PASSWORD).expect("password");
    fs::write(folder.join("start"), kind.start).expect("start");
    (kind.configure)(folder, root, ports);
}

fn enter(kind: &Kind, folder: &Path, root: &Path) -> Child {
    let said = || {
        fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(folder.join("said"))
            .expect("said")
    };
    Command::new("unshare")
        // Where this process is killed with unshare's own, what it started goes too.
        .args(["--mount", "--pid", "--fork", "--kill-child", "--propagation", "private"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/enter.sh"))
        .args([root, folder])
        .args(kind.binds)
        .stdin(Stdio::piped())
        .stdout(said())
        .stderr(said())
        .spawn()
        .expect("unshare")
}

/// What a server says to syslog.
struct Log {
    lines: Arc<Mutex<String>>,
    ended: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

impl Log {
    fn listen(path: &Path) -> Self {
        let socket = UnixDatagram::bind(path).expect("a socket");
        fs::set_permissions(path, fs::Permissions::from_mode(0o666)).expect("permissions");
        socket
            .set_read_timeout(Some(Duration::from_millis(50)))
            .expect("a timeout");
        let (lines, ended) = (Arc::new(Mutex::new(String::new())), Arc::new(AtomicBool::new(false)));
        let (to, end) = (lines.clone(), ended.clone());
        let reader = std::thread::spawn(move || {
            let mut line = vec![0; 1 << 16];
            while !end.load(Ordering::Relaxed) {
                let Ok(length) = socket.recv(&mut line) else { continue };
                let line = String::from_utf8_lossy(&line[..length]);
                *to.lock().expect("the lines so far") += &format!("{}\n", line.trim_end_matches(['\0', '\n']));
            }
        });
        Self {
            lines,
            ended,
            reader: Some(reader),
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}
