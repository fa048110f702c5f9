//! Hands a mail to a server (RFC 5321). `net` connects and encrypts. lettre speaks SMTP, except for what comes before
//! TLS (STARTTLS, RFC 3207), because lettre would begin TLS by rules of its own.

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
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, Join, ReadBuf, join},
    time::timeout,
};

use super::error::{FROM, LOGIN, NotifyError, TO};
use crate::{
    config::{Encryption, Mail, Secret},
    harmless::without_secrets,
    net::{Credential, Found, Hidden, NetError, NoGreeting, Phase, Speaks, Tcp, encrypt, greeting, reach},
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
    let (host, most) = (&mail.host, mail.timeout());
    let exchange = async {
        let (mut tcp, peer) = reach(host, mail.port(), most).await?;
        if mail.encryption() != Encryption::Implicit {
            greeted(mail, &mut tcp, peer).await?;
        }
        let greeting = match mail.encryption() {
            Encryption::Never => return hand_over(mail, password.as_ref(), envelope, bytes, Vec::new(), tcp).await,
            Encryption::Implicit => Vec::new(),
            Encryption::Upgrade => start_tls(host, &mut tcp).await?,
        };
        let encrypted = encrypt(host, &mail.tls, tcp, most, &mut None).await;
        let stream = encrypted.map_err(|error| match error {
            NetError::Tls {
                speaks: Some(speaks), ..
            } if mail.encryption() == Encryption::Implicit => {
                NotifyError::WrongPort(wrong_port(mail.port(), Found::Clear(speaks)))
            }
            error => error.into(),
        })?;
        hand_over(mail, password.as_ref(), envelope, bytes, greeting, stream).await
    };
    timeout(most, exchange)
        .await
        .unwrap_or_else(|_| Err(silent(mail).into()))
}

fn silent(mail: &Mail) -> NetError {
    NetError::Timeout {
        host: mail.host.clone(),
        phase: Phase::Answer,
        after: mail.timeout(),
    }
}

/// Waits until the server greets in clear text, and leaves the greeting to be read.
async fn greeted(mail: &Mail, tcp: &mut Tcp, peer: SocketAddr) -> Result<(), NotifyError> {
    let greeting = greeting(&mail.host, tcp, Speaks::Smtp, Some(peer), mail.timeout()).await;
    greeting.map_err(|missing| match missing {
        NoGreeting::Wrong(found) => NotifyError::WrongPort(wrong_port(mail.port(), found)),
        NoGreeting::Lost(error) => smtp(&mail.host, "greeting", lost(&error), false),
        NoGreeting::Silent => silent(mail).into(),
    })
}

/// What listens at the port in place of a server that takes mail as `access` says, and what to write.
fn wrong_port(port: u16, found: Found) -> String {
    match found {
        Found::Tls(None | Some(Speaks::Smtp)) => format!(
            "no greeting on port {port}: the port probably speaks TLS from the first byte; try access = \"smtp-ssl\""
        ),
        Found::Clear(Speaks::Smtp) => {
            format!("no TLS on port {port}: the server greets in clear text; try access = \"smtp-tls\"")
        }
        Found::Tls(Some(speaks)) | Found::Clear(speaks) | Found::Other(speaks) => format!(
            "port {port} is that of {}; mail is taken at port 587 (access = \"smtp-tls\")",
            speaks.server()
        ),
    }
}

/// A connection that ended or failed, in words.
fn lost(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "the connection was lost".to_owned(),
        _ => plain(&error.to_string(), None),
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
async fn start_tls(host: &str, tcp: &mut Tcp) -> Result<Vec<u8>, NotifyError> {
    const COMMAND: &str = "STARTTLS";
    let during = "asking for STARTTLS";
    let failed = |error: io::Error| smtp(host, during, lost(&error), false);
    let greeting = answer(host, "greeting", tcp, "220").await?;
    let hello = format!("EHLO {}\r\n", hello());
    tcp.write_all(hello.as_bytes()).await.map_err(failed)?;
    let offers = answer(host, "saying hello", tcp, "250").await?;
    let offers = String::from_utf8_lossy(&offers).to_uppercase();
    if !offers.lines().any(|line| line.get(4..).map(str::trim) == Some(COMMAND)) {
        return Err(NetError::no_upgrade(host, COMMAND, "smtp-ssl").into());
    }
    tcp.write_all(b"STARTTLS\r\n").await.map_err(failed)?;
    answer(host, during, tcp, "220").await?;
    match tcp.buffer().is_empty() {
        true => Ok(greeting),
        false => Err(NetError::injected(host, COMMAND).into()),
    }
}

/// An answer of one line or several, which must have this code.
async fn answer(host: &str, during: &'static str, tcp: &mut Tcp, code: &str) -> Result<Vec<u8>, NotifyError> {
    let mut said = Vec::new();
    let mut bounded = tcp.take(LONGEST_GREETING);
    loop {
        let begins = said.len();
        let read = bounded.read_until(b'\n', &mut said).await;
        read.map_err(|error| smtp(host, during, lost(&error), false))?;
        let line = &said[begins..];
        if line.last() != Some(&b'\n') {
            return Err(smtp(host, during, lost(&io::ErrorKind::UnexpectedEof.into()), false));
        }
        if line.get(3) == Some(&b'-') {
            continue;
        }
        if line.starts_with(code.as_bytes()) {
            return Ok(said);
        }
        let words = plain(&String::from_utf8_lossy(line), None);
        return Err(smtp(host, during, words, line.first() == Some(&b'5')));
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
