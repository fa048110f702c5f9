//! A real mail server of a test's own: Dovecot in the foreground, in a temporary folder, on loopback.
//!
//! Several run side by side. As root, mail belongs to `nobody` and Dovecot's processes to the accounts
//! of its Debian package; as anyone else everything belongs to that account.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, getuid, kill_process};
use tempfile::TempDir;

use super::{PATIENCE, listening::listen, show_log, tls::Identity, wait_for};

mod running;

/// The one mailbox that most tests look at, and its password.
pub const MAILBOX: &str = "all@example.com";
pub const PASSWORD: &str = "correct-horse-7-battery";

/// How long a server may take to end.
const STOP: Duration = Duration::from_secs(10);
/// Ports are chosen before Dovecot binds them, so another process can take one in between.
const ATTEMPTS: u32 = 8;

/// The ports of one server; STARTTLS and STLS are offered on the plain ones.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    pub imap: u16,
    pub imaps: u16,
    pub pop3: u16,
    pub pop3s: u16,
}

impl Ports {
    /// Ports that nobody has at this moment.
    pub fn free() -> Self {
        // All four are held at once, so that they differ.
        let held = [(); 4].map(|()| listen());
        let [imap, imaps, pop3, pop3s] = held.map(|(_held, port)| port);
        Self {
            imap,
            imaps,
            pop3,
            pop3s,
        }
    }

    /// The port for an access as the configuration writes it.
    pub fn of(&self, access: &str) -> u16 {
        match access {
            "imap" | "imap-tls" => self.imap,
            "imap-ssl" => self.imaps,
            "pop3" | "pop3-tls" => self.pop3,
            "pop3-ssl" => self.pop3s,
            other => panic!("no access is called {other}"),
        }
    }
}

/// A running Dovecot. Dropping it stops it.
pub struct Dovecot {
    pub ports: Ports,
    child: Child,
    watch: Child,
    root: TempDir,
    settings: String,
    delivered: AtomicU64,
}

impl Dovecot {
    /// Starts a server and waits until it greets.
    pub fn start() -> Self {
        Self::start_with("")
    }

    /// A server with further settings.
    pub fn start_with(settings: &str) -> Self {
        Self::start_in(folder(), settings)
    }

    /// A server that takes access tokens too (XOAUTH2, OAUTHBEARER), and asks at this address whose each is and whether
    /// it is good (RFC 7662, by POST).
    pub fn taking_tokens(introspection: &str) -> Self {
        let root = folder();
        let settings = tokens(root.path(), introspection);
        Self::start_in(root, &settings)
    }

    fn start_in(root: TempDir, settings: &str) -> Self {
        // Mail processes of another account must get through.
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).expect("permissions");
        let certificate = Identity::of_localhost();
        fs::write(root.path().join("cert.pem"), &certificate.pem).expect("cert.pem");
        fs::write(root.path().join("key.pem"), &certificate.key).expect("key.pem");
        make_mail_folder(&root.path().join("mail"));
        for _ in 0..ATTEMPTS {
            let ports = Ports::free();
            if let Some(child) = launch(root.path(), ports, settings) {
                return Self {
                    ports,
                    watch: watch(&child),
                    child,
                    root,
                    settings: settings.to_owned(),
                    delivered: AtomicU64::new(0),
                };
            }
        }
        panic!(
            "Dovecot did not start (tests/install-tools.sh installs it):\n{}",
            read_log(root.path())
        );
    }

    /// A server whose [`MAILBOX`] holds these messages.
    pub fn with<M: AsRef<[u8]>>(messages: impl IntoIterator<Item = M>) -> Self {
        let server = Self::start();
        server.deliver(messages);
        server
    }

    /// Puts messages into the INBOX of [`MAILBOX`], in this order, and returns how many bytes they
    /// have on the wire.
    pub fn deliver<M: AsRef<[u8]>>(&self, messages: impl IntoIterator<Item = M>) -> u64 {
        self.deliver_to(MAILBOX, "INBOX", messages)
    }

    /// Writes Maildir files directly, as a delivery agent would. The names carry sizes, so that Dovecot
    /// need not read every file to answer for them.
    pub fn deliver_to<M: AsRef<[u8]>>(&self, user: &str, folder: &str, messages: impl IntoIterator<Item = M>) -> u64 {
        self.deliver_marked(user, folder, "", messages)
    }

    /// The same, with flags as Maildir writes them: F is \Flagged, T is \Deleted.
    pub fn deliver_marked<M: AsRef<[u8]>>(
        &self,
        user: &str,
        folder: &str,
        flags: &str,
        messages: impl IntoIterator<Item = M>,
    ) -> u64 {
        let mut maildir = self.root.path().join("mail").join(user);
        make_mail_folder(&maildir);
        if folder != "INBOX" {
            maildir.push(format!(".{folder}"));
            make_mail_folder(&maildir);
            make_mail_file(&maildir.join("maildirfolder"), b"");
        }
        for part in ["cur", "new", "tmp"] {
            make_mail_folder(&maildir.join(part));
        }
        let mut wire = 0;
        for message in messages {
            let message = message.as_ref();
            let number = self.delivered.fetch_add(1, Ordering::Relaxed);
            let size = wire_size(message);
            // Dovecot numbers new mail by the time at the front of the name.
            let name = format!(
                "{}.M{number}.localhost,S={},W={size}:2,{flags}",
                1_700_000_000 + number,
                message.len()
            );
            let written = maildir.join("tmp").join(&name);
            make_mail_file(&written, message);
            fs::rename(written, maildir.join("cur").join(&name)).expect("deliver");
            wire += size;
        }
        wire
    }

    /// Subscribes an account to folders.
    pub fn subscribe(&self, user: &str, folders: &[&str]) {
        let maildir = self.root.path().join("mail").join(user);
        make_mail_folder(&maildir);
        let lines: String = folders.iter().map(|folder| format!("{folder}\n")).collect();
        make_mail_file(&maildir.join("subscriptions"), lines.as_bytes());
    }

    /// How many messages of the INBOX of [`MAILBOX`] bear a flag such as \Seen.
    pub fn flags_set(&self) -> usize {
        let cur = self.root.path().join("mail").join(MAILBOX).join("cur");
        let names = fs::read_dir(cur).expect("a Maildir").flatten();
        names
            .filter(|entry| !entry.file_name().to_string_lossy().ends_with(','))
            .count()
    }

    /// Flags the first messages of the INBOX of [`MAILBOX`] with \\Flagged, and returns how many.
    pub fn flag(&self, messages: usize) -> usize {
        let cur = self.root.path().join("mail").join(MAILBOX).join("cur");
        let mut names: Vec<_> = fs::read_dir(&cur)
            .expect("a Maildir")
            .flatten()
            .map(|entry| entry.path())
            .collect();
        names.sort();
        for path in names.iter().take(messages) {
            let name = format!("{}F", path.display());
            fs::rename(path, name).expect("a flag");
        }
        messages.min(names.len())
    }

    /// The certificate that the server shows: self-signed, for `localhost` and 127.0.0.1.
    pub fn certificate(&self) -> PathBuf {
        self.root.path().join("cert.pem")
    }

    /// What the server wrote about itself so far, for a test that failed.
    pub fn log(&self) -> String {
        read_log(self.root.path())
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        show_log("Dovecot", || self.log());
        let _ = self.watch.kill();
        let _ = self.watch.wait();
        stop(&mut self.child);
    }
}

fn folder() -> TempDir {
    tempfile::Builder::new()
        .prefix("dropkeep-dovecot-")
        .tempdir()
        .expect("a temporary folder")
}

/// The size of a message once every line ends with CRLF, as Dovecot sends it.
fn wire_size(message: &[u8]) -> u64 {
    let bare = (0..message.len())
        .filter(|&at| message[at] == b'\n' && (at == 0 || message[at - 1] != b'\r'))
        .count();
    (message.len() + bare) as u64
}

fn launch(root: &Path, ports: Ports, settings: &str) -> Option<Child> {
    static INSTANCES: AtomicU64 = AtomicU64::new(0);
    // The greeting shows that this server answers, and not another that took the port.
    let greeting = format!(
        "dropkeep-test-{}-{}",
        std::process::id(),
        INSTANCES.fetch_add(1, Ordering::Relaxed)
    );
    let file = root.join("dovecot.conf");
    let configuration = configuration(root, ports, &greeting);
    fs::write(&file, format!("{configuration}{settings}\n")).expect("dovecot.conf");
    let mut child = Command::new(program())
        .args(["-F", "-c"])
        .arg(&file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(root.join("stderr")).expect("a file for stderr"))
        .spawn()
        .expect("Dovecot is not installed; tests/install-tools.sh installs it");
    let mut ended = false;
    let ready = wait_for(PATIENCE, || {
        ended = matches!(child.try_wait(), Ok(Some(_)));
        ended || [ports.imap, ports.pop3].into_iter().all(|port| greets(port, &greeting))
    });
    if ready && !ended {
        return Some(child);
    }
    stop(&mut child);
    None
}

/// Ends Dovecot where this process ends without dropping it, be it by `kill -9`: then the pipe closes.
fn watch(dovecot: &Child) -> Child {
    Command::new("sh")
        .args(["-c", "read -r _; kill \"$0\""])
        .arg(dovecot.id().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("sh")
}

fn program() -> &'static str {
    // The account of a developer often has no /usr/sbin in its PATH.
    if Path::new("/usr/sbin/dovecot").exists() {
        "/usr/sbin/dovecot"
    } else {
        "dovecot"
    }
}

/// Whether what listens at a port greets with these words.
pub fn greets(port: u16, greeting: &str) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
        return false;
    };
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .expect("a timeout");
    let mut line = String::new();
    let read = BufReader::new(&stream).read_line(&mut line);
    let quit: &[u8] = if line.starts_with('+') {
        b"QUIT\r\n"
    } else {
        b"a LOGOUT\r\n"
    };
    let _ = stream.write_all(quit);
    read.is_ok() && line.contains(greeting)
}

/// Ends the master, which ends its children; they also end by themselves once it is gone.
fn stop(child: &mut Child) {
    let Some(pid) = Pid::from_raw(child.id() as i32) else {
        return;
    };
    if matches!(child.try_wait(), Ok(None)) {
        let _ = kill_process(pid, Signal::TERM);
        let asked = Instant::now();
        wait_for(STOP, || !matches!(child.try_wait(), Ok(None)));
        if asked.elapsed() >= STOP {
            let _ = child.kill();
        }
    }
    let _ = child.wait();
}

fn read_log(root: &Path) -> String {
    ["stderr", "dovecot.log"]
        .map(|name| String::from_utf8_lossy(&fs::read(root.join(name)).unwrap_or_default()).into_owned())
        .concat()
}

/// A folder in which a server writes mail.
pub fn make_mail_folder(path: &Path) {
    fs::create_dir_all(path).expect("a mail folder");
    own(path);
}

/// A file of mail that is the server's own.
pub fn make_mail_file(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).expect("a mail file");
    own(path);
}

fn own(path: &Path) {
    if getuid().is_root() {
        let (uid, gid) = account("nobody").expect("an account nobody");
        chown(path, Some(uid), Some(gid)).expect("chown");
    }
}

/// Uid and gid of an account of this machine.
fn account(name: &str) -> Option<(u32, u32)> {
    passwd()
        .find(|line| line[0] == name)
        .map(|line| (number(&line[2]), number(&line[3])))
}

fn passwd() -> impl Iterator<Item = Vec<String>> {
    let text = fs::read_to_string("/etc/passwd").expect("/etc/passwd");
    let lines: Vec<Vec<String>> = text
        .lines()
        .map(|line| line.split(':').map(str::to_owned).collect::<Vec<_>>())
        .filter(|line| line.len() > 3)
        .collect();
    lines.into_iter()
}

fn number(text: &str) -> u32 {
    text.parse().expect("a number in /etc/passwd")
}

fn configuration(root: &Path, ports: Ports, greeting: &str) -> String {
    let root = root.display();
    let Ports {
        imap,
        imaps,
        pop3,
        pop3s,
    } = ports;
    let (uid, gid, accounts) = accounts();
    // Limits are lifted where the defaults would slow or refuse what a test does on purpose.
    format!(
        "base_dir = {root}/run
state_dir = {root}/state
instance_name = {greeting}
login_greeting = {greeting}
log_path = {root}/dovecot.log
protocols = imap pop3
listen = 127.0.0.1
ssl = yes
ssl_cert = <{root}/cert.pem
ssl_key = <{root}/key.pem
disable_plaintext_auth = no
auth_failure_delay = 0 secs
mail_location = maildir:{root}/mail/%u
mail_max_userip_connections = 0
maildir_very_dirty_syncs = yes
first_valid_uid = {uid}
first_valid_gid = {gid}
default_vsz_limit = 0
{accounts}
passdb {{
  driver = static
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={root}/mail/%u
}}
service imap-login {{
  chroot =
  service_count = 0
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service pop3-login {{
  chroot =
  service_count = 0
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service ipc {{
  chroot =
}}
service old-stats {{
  chroot =
}}
"
    )
}

/// What makes a server take tokens; the passwords stay.
fn tokens(root: &Path, introspection: &str) -> String {
    let file = root.join("oauth2.conf.ext");
    let text = format!(
        "introspection_url = {introspection}
introspection_mode = post
username_attribute = username
active_attribute = active
active_value = true
"
    );
    fs::write(&file, text).expect("oauth2.conf.ext");
    format!(
        "auth_mechanisms = plain xoauth2 oauthbearer
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {}
}}
# Refused logins are answered at once, however many there were.
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
",
        file.display()
    )
}

/// The owner of mail, and the settings that say whose Dovecot's own processes are.
fn accounts() -> (u32, u32, String) {
    if getuid().is_root() {
        let (uid, gid) = account("nobody").expect("an account nobody");
        let name = |name| if account(name).is_some() { name } else { "nobody" };
        let settings = format!(
            "default_login_user = {}\ndefault_internal_user = {}",
            name("dovenull"),
            name("dovecot")
        );
        return (uid, gid, settings);
    }
    let uid = getuid().as_raw();
    let me = passwd()
        .find(|line| number(&line[2]) == uid)
        .expect("an account of this process");
    let gid = number(&me[3]);
    let group = fs::read_to_string("/etc/group").expect("/etc/group");
    let group = group
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|line| line.len() > 2 && line[2] == me[3])
        .map_or(gid.to_string(), |line| line[0].to_owned());
    let settings = format!(
        "default_login_user = {0}\ndefault_internal_user = {0}\ndefault_internal_group = {group}",
        me[0]
    );
    (uid, gid, settings)
}
