//! A client that shows how it is answered, in clear text or over TLS.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    sync::Arc,
    time::Duration,
};

use rustls::{
    ClientConfig, ClientConnection, ProtocolVersion, RootCertStore, StreamOwned, SupportedProtocolVersion,
    crypto::ring,
    pki_types::{CertificateDer, ServerName},
    version::{TLS12, TLS13},
};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::support::tls::{Authority, Identity};

/// How long a server may take.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub struct Client {
    pub address: String,
    tls: Option<Arc<ClientConfig>>,
}

/// What came back.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
    /// The common name of the server's certificate, the version and the protocol agreed on, over TLS.
    pub shown: String,
    pub version: Option<ProtocolVersion>,
    pub protocol: Option<Vec<u8>>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut found = fields.filter(|(field, _)| field.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value)
    }
}

impl Client {
    pub fn plain(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            tls: None,
        }
    }

    /// One that trusts this authority.
    pub fn trusting(authority: &Authority, address: &str) -> Self {
        Self::speaking(authority, address, &[&TLS13, &TLS12], None)
    }

    pub fn speaking(
        authority: &Authority,
        address: &str,
        versions: &[&'static SupportedProtocolVersion],
        own: Option<&Identity>,
    ) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates([authority.own.der.clone()]);
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .expect("versions")
            .with_root_certificates(roots);
        let mut config = match own {
            None => config.with_no_client_auth(),
            Some(own) => config
                .with_client_auth_cert(vec![own.der.clone()], own.private_key())
                .expect("a certificate"),
        };
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Self {
            address: address.to_owned(),
            tls: Some(Arc::new(config)),
        }
    }

    pub fn connect(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(stream)
    }

    pub fn get(&self, page: &str, token: Option<&str>) -> io::Result<Answer> {
        let token = token.map_or_else(String::new, |token| format!("Authorization: Bearer {token}\r\n"));
        self.ask(&format!(
            "GET {page} HTTP/1.1\r\nHost: localhost\r\n{token}Connection: close\r\n\r\n"
        ))
    }

    /// Sends a request, and reads until the server closes.
    pub fn ask(&self, request: &str) -> io::Result<Answer> {
        self.connected(|stream| exchange(stream, request))
    }

    /// Sends each request when the body before it came, over one connection.
    pub fn ask_in_turn(&self, requests: &[String], bodies: &[&str]) -> io::Result<Vec<Answer>> {
        let mut answers = Vec::new();
        self.connected(|stream| {
            for (request, body) in requests.iter().zip(bodies) {
                stream.write_all(request.as_bytes())?;
                stream.flush()?;
                let mut bytes = Vec::new();
                while !bytes.ends_with(format!("\r\n\r\n{body}").as_bytes()) {
                    let mut byte = [0];
                    stream.read_exact(&mut byte)?;
                    bytes.extend(byte);
                }
                answers.push(answer(bytes)?);
            }
            Ok(b"HTTP/1.1 200 \r\n\r\n".to_vec())
        })?;
        Ok(answers)
    }

    /// What is done with a connection; gives the answer that was read over it.
    fn connected(&self, talk: impl FnOnce(&mut dyn ReadWrite) -> io::Result<Vec<u8>>) -> io::Result<Answer> {
        let mut stream = self.connect()?;
        let Some(config) = &self.tls else {
            return answer(talk(&mut stream)?);
        };
        let name = ServerName::try_from("localhost").expect("a name");
        let connection = ClientConnection::new(config.clone(), name).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(connection, stream);
        let bytes = talk(&mut stream)?;
        let mut answer = answer(bytes)?;
        let certificate = stream.conn.peer_certificates().expect("certificates").first();
        answer.shown = common_name(certificate.expect("one"));
        answer.version = stream.conn.protocol_version();
        answer.protocol = stream.conn.alpn_protocol().map(<[u8]>::to_vec);
        Ok(answer)
    }
}

/// A stream, whatever it is.
trait ReadWrite: Read + Write {}

impl<S: Read + Write> ReadWrite for S {}

fn exchange(stream: &mut dyn ReadWrite, request: &str) -> io::Result<Vec<u8>> {
    stream.write_all(request.as_bytes())?;
    stream.flush()?;
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        // The server may close without saying so in TLS, or while it is still sent something.
        Err(_) if !bytes.is_empty() => Ok(bytes),
        Err(error) => Err(error),
        Ok(_) => Ok(bytes),
    }
}

fn answer(bytes: Vec<u8>) -> io::Result<Answer> {
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let status = text
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.get(2..5)?.parse().ok());
    let (Some(status), Some((head, body))) = (status, text.split_once("\r\n\r\n")) else {
        return Err(io::Error::other(format!("no answer of HTTP: {text:?}")));
    };
    Ok(Answer {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
        shown: String::new(),
        version: None,
        protocol: None,
    })
}

fn common_name(certificate: &CertificateDer<'_>) -> String {
    let (_, certificate) = X509Certificate::from_der(certificate).expect("a certificate");
    let names = certificate.subject().iter_common_name();
    names.filter_map(|name| name.as_str().ok()).collect()
}
