//! A mail is handed to a server (RFC 5321). The connection, and TLS on it, are ours; the words are lettre's, but for those
//! before STARTTLS (RFC 3207), because lettre would begin TLS by rules of its own.

use std::{
    fmt, io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};

use lettre::{
    Address,
    address::Envelope,
    transport::smtp::{
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, AsyncTokioStream},
        commands::{Data, Mail as MailFrom, Rcpt},
        extension::{ClientId, Extension, MailParameter},
    },
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, Join, ReadBuf, join},
    net::TcpStream,
    time::timeout,
};

use super::error::{FROM, LOGIN, NotifyError, TO};
use crate::{
    config::{Encryption, Mail, Secret},
    outgoing::{OutgoingError, connect, encrypt},
    source::{Credential, Found, Hidden, PATIENCE, Speaks, look, told_by, without_secrets},
};

/// Bytes that a server may say.
const LONGEST: u64 = 256 << 10;
const LONGEST_GREETING: u64 = 16 << 10;

/// Hands a mail over; gives those of `envelope` to whom the server does not send it, with its words, where there are
/// others to whom it does.
///
/// # Errors
/// Nobody gets it.
pub async fn send(mail: &Mail, envelope: &Envelope, bytes: &[u8]) -> Result<Vec<(Address, String)>, NotifyError> {
    let password = mail.password()?;
    let exchange = async {
        let tcp = connect(&mail.host, mail.port()).await?;
        match mail.encryption() {
            Encryption::Never => {
                greeted(mail, &tcp).await?;
                hand_over(mail, password.as_ref(), envelope, bytes, Vec::new(), tcp).await
            }
            Encryption::Implicit => {
                let peer = tcp.peer_addr();
                let stream = match encrypt(&mail.host, &mail.tls, tcp).await {
                    Err(error @ OutgoingError::Tls { .. }) => return Err(in_clear_text(mail, peer.ok(), error).await),
                    stream => stream?,
                };
                hand_over(mail, password.as_ref(), envelope, bytes, Vec::new(), stream).await
            }
            Encryption::Upgrade => {
                greeted(mail, &tcp).await?;
                let (greeting, tcp) = start_tls(&mail.host, tcp).await?;
                let stream = encrypt(&mail.host, &mail.tls, tcp).await?;
                hand_over(mail, password.as_ref(), envelope, bytes, greeting, stream).await
            }
        }
    };
    let silent = |_| OutgoingError::Timeout {
        host: mail.host.clone(),
        after: mail.timeout(),
    };
    timeout(mail.timeout(), exchange).await.map_err(silent)?
}

/// Waits until the server greets. Where it says nothing for a while, or is no server that takes mail, the error says what
/// to write.
async fn greeted(mail: &Mail, tcp: &TcpStream) -> Result<(), NotifyError> {
    let port = mail.port();
    let mut first = [0; 64];
    let found = match timeout(PATIENCE.min(mail.timeout() / 4), tcp.peek(&mut first)).await {
        // What goes wrong shows when it is read.
        Ok(came) => told_by(&first[..came.unwrap_or_default()]).map(Found::Other),
        Err(_) => match tcp.peer_addr() {
            Ok(peer) => look(&mail.host, peer, PATIENCE.min(mail.timeout() / 2)).await,
            Err(_) => None,
        },
    };
    let words = match found {
        None | Some(Found::Other(Speaks::Smtp) | Found::Clear(_)) => return Ok(()),
        Some(Found::Tls(None | Some(Speaks::Smtp))) => {
            format!(
                "no greeting on port {port}: the port probably speaks TLS from the first byte; try access = \"smtp-ssl\""
            )
        }
        Some(Found::Tls(Some(speaks)) | Found::Other(speaks)) => {
            format!(
                "port {port} is that of {}; mail is taken at port 587 (access = \"smtp-tls\")",
                speaks.server()
            )
        }
    };
    Err(NotifyError::WrongPort(words))
}

/// TLS failed with a server: whether it greets in clear text, and would begin TLS later.
async fn in_clear_text(mail: &Mail, peer: Option<SocketAddr>, error: OutgoingError) -> NotifyError {
    let greeting = async {
        let tcp = TcpStream::connect(peer?).await.ok()?;
        let mut first = [0; 64];
        let came = tcp.peek(&mut first).await.ok()?;
        told_by(&first[..came])
    };
    let port = mail.port();
    match timeout(PATIENCE / 2, greeting).await.ok().flatten() {
        Some(Speaks::Smtp) => NotifyError::WrongPort(format!(
            "no TLS on port {port}: the server greets in clear text; try access = \"smtp-tls\""
        )),
        Some(speaks) => NotifyError::WrongPort(format!("port {port} is that of {}", speaks.server())),
        None => error.into(),
    }
}

/// How we call ourselves.
fn hello() -> ClientId {
    let name = host_name();
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    match !name.is_empty() && name.chars().all(is_name) {
        true => ClientId::Domain(name),
        false => ClientId::Domain("localhost".into()),
    }
}

/// What this machine is called.
pub fn host_name() -> String {
    let system = rustix::system::uname();
    system.nodename().to_string_lossy().into_owned()
}

/// Gets to the point at which TLS begins; gives the greeting, which comes once.
async fn start_tls(host: &str, tcp: TcpStream) -> Result<(Vec<u8>, TcpStream), NotifyError> {
    let mut tcp = BufReader::new(tcp);
    let greeting = answer(host, "greeting", &mut tcp, "220").await?;
    let hello = format!("EHLO {}\r\n", hello());
    let lost = |error: io::Error| smtp(host, "asking for STARTTLS", error.to_string(), false);
    tcp.write_all(hello.as_bytes()).await.map_err(lost)?;
    let offers = answer(host, "saying hello", &mut tcp, "250").await?;
    let offers = String::from_utf8_lossy(&offers).to_uppercase();
    let keyword = |line: &str| line.get(4..).map(str::trim) == Some("STARTTLS");
    if !offers.lines().any(keyword) {
        return Err(NotifyError::NoUpgrade { host: host.to_owned() });
    }
    tcp.write_all(b"STARTTLS\r\n").await.map_err(lost)?;
    answer(host, "asking for STARTTLS", &mut tcp, "220").await?;
    match tcp.buffer().is_empty() {
        true => Ok((greeting, tcp.into_inner())),
        false => Err(NotifyError::Injected { host: host.to_owned() }),
    }
}

/// An answer of one line or several, which must have this code.
async fn answer(
    host: &str,
    during: &'static str,
    tcp: &mut BufReader<TcpStream>,
    code: &str,
) -> Result<Vec<u8>, NotifyError> {
    let mut said = Vec::new();
    let mut bounded = tcp.take(LONGEST_GREETING);
    loop {
        let begins = said.len();
        let read = bounded.read_until(b'\n', &mut said).await;
        if read.map_err(|error| smtp(host, during, error.to_string(), false))? == 0 || said.last() != Some(&b'\n') {
            return Err(smtp(host, during, "the connection was lost".into(), false));
        }
        let line = &said[begins..];
        if line.get(3) != Some(&b'-') {
            return match line.starts_with(code.as_bytes()) {
                true => Ok(said),
                false => {
                    let is_final = line.first() == Some(&b'5');
                    Err(smtp(
                        host,
                        during,
                        plain(&String::from_utf8_lossy(line), None),
                        is_final,
                    ))
                }
            };
        }
    }
}

async fn hand_over<S>(
    mail: &Mail,
    password: Option<&Secret>,
    envelope: &Envelope,
    bytes: &[u8],
    greeting: Vec<u8>,
    stream: S,
) -> Result<Vec<(Address, String)>, NotifyError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + Sync + fmt::Debug + 'static,
{
    let hidden = password.map(|password| {
        let username = mail.username.as_deref().unwrap_or_default();
        Hidden::of(username, &Credential::Password(password.clone()))
    });
    let hidden = hidden.as_ref();
    let failed = |during| {
        move |error: lettre::transport::smtp::Error| {
            smtp(&mail.host, during, words(&error, hidden), error.is_permanent())
        }
    };
    let (read, write) = tokio::io::split(stream);
    let read = io::Cursor::new(greeting).chain(read.take(LONGEST));
    let stream = Box::new(Stream(join(read, write)));
    let connected = AsyncSmtpConnection::connect_with_transport(stream, &hello()).await;
    let mut connection = connected.map_err(failed("greeting"))?;
    if let (Some(username), Some(password)) = (&mail.username, password) {
        let credentials = Credentials::new(username.clone(), password.reveal().to_owned());
        let mechanisms = [Mechanism::Plain, Mechanism::Login];
        if connection.server_info().get_auth_mechanism(&mechanisms).is_none() {
            let words = "it offers no login with a password (AUTH PLAIN, AUTH LOGIN)";
            return Err(smtp(&mail.host, LOGIN, words.into(), true));
        }
        connection
            .auth(&mechanisms, &credentials)
            .await
            .map_err(failed(LOGIN))?;
    }
    let mut parameters = Vec::new();
    let mut addresses = envelope.to().iter().chain(envelope.from());
    if !addresses.all(|address| AsRef::<str>::as_ref(address).is_ascii()) {
        if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            let words = "it takes only addresses in ASCII (it does not offer SMTPUTF8)";
            return Err(smtp(&mail.host, FROM, words.into(), true));
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    let from = MailFrom::new(envelope.from().cloned(), parameters);
    connection.command(from).await.map_err(failed(FROM))?;
    let mut refused = Vec::new();
    let mut last = None;
    for to in envelope.to() {
        match connection.command(Rcpt::new(to.clone(), Vec::new())).await {
            Ok(_) => {}
            // The others get it.
            Err(error) if error.status().is_some() => {
                refused.push((to.clone(), words(&error, hidden)));
                last = Some(error);
            }
            Err(error) => return Err(failed(TO)(error)),
        }
    }
    if let Some(error) = last.filter(|_| refused.len() == envelope.to().len()) {
        return Err(failed(TO)(error));
    }
    connection.command(Data).await.map_err(failed("sending it"))?;
    connection.message(bytes).await.map_err(failed("sending it"))?;
    // It is taken; what comes of the end of the connection says nothing.
    let _ = connection.quit().await;
    Ok(refused)
}

fn smtp(host: &str, during: &'static str, words: String, is_final: bool) -> NotifyError {
    NotifyError::Smtp {
        host: host.to_owned(),
        during,
        words,
        is_final,
    }
}

/// An error's words, which are the server's, without the log-in in them.
fn words(error: &lettre::transport::smtp::Error, hidden: Option<&Hidden>) -> String {
    let mut words = error.status().map(|code| code.to_string()).unwrap_or_default();
    let source = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    if !words.is_empty() {
        words.push(' ');
    }
    words.push_str(&source);
    plain(&words, hidden)
}

fn plain(words: &str, hidden: Option<&Hidden>) -> String {
    match hidden {
        Some(hidden) => hidden.plain(words),
        None => without_secrets(words, &[]),
    }
}

/// A stream as lettre takes it.
#[derive(Debug)]
struct Stream<R, W>(Join<R, W>);

impl<R, W> AsyncTokioStream for Stream<R, W>
where
    R: AsyncRead + Unpin + Send + Sync + fmt::Debug,
    W: AsyncWrite + Unpin + Send + Sync + fmt::Debug,
{
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl<R: AsyncRead + Unpin, W: Unpin> AsyncRead for Stream<R, W> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl<R: Unpin, W: AsyncWrite + Unpin> AsyncWrite for Stream<R, W> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
