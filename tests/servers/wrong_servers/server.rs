//! A server that is not the one that the configuration means: for as many clients as come.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    time::Duration,
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer},
};

/// Answers by the beginning of a line, behind its tag over IMAP; `{tag}` is that tag.
pub type Answers = &'static [(&'static str, &'static str)];

/// What it does.
#[derive(Clone, Copy, Debug)]
pub enum Does {
    /// Takes the connection and says nothing.
    Nothing,
    /// Closes it at once.
    Closes,
    /// Greets in clear text, and answers so.
    Greets(&'static str, Answers),
    /// The same within TLS, which begins with the first byte.
    Tls(Shows, &'static str, Answers),
    /// A web server: it waits for the client to speak, and complains about what it hears.
    Web,
    /// Nobody listens.
    IsDown,
}

/// Which certificate it shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shows {
    /// For localhost, by an authority that the profile trusts.
    Good,
    /// For other names.
    OtherNames,
    Expired,
    SelfSigned,
    /// And for other names besides.
    SelfSignedForOthers,
    /// By an authority that nobody knows.
    UnknownIssuer,
}

/// An authority that the profiles trust.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(parameters, key).expect("an authority"))
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    fn config(&self, shows: Shows) -> Arc<ServerConfig> {
        let names = match shows {
            Shows::OtherNames | Shows::SelfSignedForOthers => {
                vec!["mail.example.com".to_owned(), "192.0.2.1".to_owned()]
            }
            _ => vec!["localhost".to_owned()],
        };
        let mut parameters = CertificateParams::new(names).expect("names");
        parameters.distinguished_name.push(DnType::CommonName, "a server");
        if shows == Shows::Expired {
            (parameters.not_before, parameters.not_after) = (date_time_ymd(2019, 1, 1), date_time_ymd(2020, 1, 1));
        }
        let key = KeyPair::generate().expect("a key");
        let certificate = match shows {
            Shows::SelfSigned | Shows::SelfSignedForOthers => parameters.self_signed(&key),
            Shows::UnknownIssuer => parameters.signed_by(&key, &Authority::new("Unknown Authority").0),
            Shows::Good | Shows::OtherNames | Shows::Expired => parameters.signed_by(&key, &self.0),
        };
        let der: CertificateDer<'static> = certificate.expect("a certificate").der().clone();
        let private = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![der], private)
            .expect("a certificate with its key");
        Arc::new(config)
    }
}

pub struct Server {
    pub port: u16,
    heard: Arc<Mutex<String>>,
}

impl Server {
    pub fn start(does: Does, authority: &Authority) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let heard = Arc::new(Mutex::new(String::new()));
        if matches!(does, Does::IsDown) {
            return Self { port, heard };
        }
        let config = match does {
            Does::Tls(shows, ..) => Some(authority.config(shows)),
            _ => None,
        };
        let hears = heard.clone();
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(tcp) = client else { return };
                let (config, hears) = (config.clone(), hears.clone());
                std::thread::spawn(move || serve(does, config, tcp, &hears));
            }
        });
        Self { port, heard }
    }

    /// All that clients said, and not within a handshake.
    pub fn heard(&self) -> String {
        self.heard.lock().expect("what was heard").clone()
    }
}

/// A client that goes away ends it.
fn serve(does: Does, config: Option<Arc<ServerConfig>>, mut tcp: TcpStream, heard: &Mutex<String>) {
    let _ = tcp.set_read_timeout(Some(Duration::from_secs(60)));
    match (does, config) {
        (Does::Nothing, _) => converse(&mut tcp, "", &[], heard),
        (Does::Web, _) => {
            let answer = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
            let mut some = [0; 512];
            if tcp.read(&mut some).is_ok_and(|read| read > 0) {
                let _ = tcp.write_all(answer.as_bytes());
            }
        }
        (Does::Greets(greeting, answers), _) => converse(&mut tcp, greeting, answers, heard),
        (Does::Tls(_, greeting, answers), Some(config)) => {
            let Ok(connection) = ServerConnection::new(config) else {
                return;
            };
            let mut tls = StreamOwned::new(connection, tcp);
            converse(&mut tls, greeting, answers, heard);
        }
        (Does::Closes | Does::IsDown | Does::Tls(..), _) => {}
    }
}

fn converse(stream: &mut (impl Read + Write), greeting: &str, answers: Answers, heard: &Mutex<String>) {
    if stream
        .write_all(greeting.as_bytes())
        .and_then(|()| stream.flush())
        .is_err()
    {
        return;
    }
    let (mut line, mut byte) = (Vec::new(), [0]);
    while stream.read(&mut byte).is_ok_and(|read| read > 0) {
        line.push(byte[0]);
        heard.lock().expect("what was heard").push(char::from(byte[0]));
        if byte[0] != b'\n' {
            continue;
        }
        let text = String::from_utf8_lossy(&line).into_owned();
        line.clear();
        let (tag, command) = text.split_once(' ').unwrap_or((&text, ""));
        let fits = |begin: &str| text.starts_with(begin) || command.starts_with(begin);
        let Some((_, answer)) = answers.iter().find(|(begin, _)| fits(begin)) else {
            continue;
        };
        // Without an answer, it closes.
        if answer.is_empty() || stream.write_all(answer.replace("{tag}", tag).as_bytes()).is_err() {
            return;
        }
        let _ = stream.flush();
    }
}
