//! Asking the appliance that holds a data directory.

use std::{
    fs, io,
    ops::ControlFlow,
    os::fd::AsRawFd,
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{StatusCode, body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

use crate::{
    api::{Exit, Failure, Reply, Request},
    config::CONTROL_SOCKET,
};

/// Why a request was not answered to its end.
pub enum AskError {
    /// The appliance ends, or ended before it took the request: whoever holds the data directory next
    /// can be asked.
    NotTaken(Failure),
    Failed(Failure),
}

impl From<AskError> for Failure {
    fn from(error: AskError) -> Self {
        match error {
            AskError::NotTaken(failure) | AskError::Failed(failure) => failure,
        }
    }
}

/// Bytes of one reply: a protocol with all it may list.
const LONGEST_LINE: usize = 64 << 20;

/// An appliance that takes longer to take a request does not answer.
const ANSWER: Duration = Duration::from_secs(10);

/// An appliance at the other end of its control socket.
pub struct Client {
    sender: http1::SendRequest<Full<Bytes>>,
    data_dir: PathBuf,
}

impl Client {
    /// Connects to the appliance that holds `data_dir`; `None` where none answers there.
    pub async fn connect(data_dir: &Path) -> Option<Self> {
        Self::reach(data_dir).await.ok().flatten()
    }

    /// The same for callers that must know when this account may not look: then an appliance may be running.
    ///
    /// # Errors
    /// This account may not open the data directory or its socket.
    pub async fn reach(data_dir: &Path) -> io::Result<Option<Self>> {
        match Self::open(data_dir).await {
            Ok(stream) => Ok(Self::greet(stream, data_dir).await),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// By way of the open folder: the path of a socket is at most 108 bytes long.
    async fn open(data_dir: &Path) -> io::Result<UnixStream> {
        let folder = fs::File::open(data_dir)?;
        UnixStream::connect(format!("/proc/self/fd/{}/{CONTROL_SOCKET}", folder.as_raw_fd())).await
    }

    async fn greet(stream: UnixStream, data_dir: &Path) -> Option<Self> {
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
        // It ends with the sender; what goes wrong on it shows in the answers.
        tokio::spawn(async move { drop(connection.await) });
        let data_dir = std::path::absolute(data_dir).unwrap_or_else(|_| data_dir.to_owned());
        Some(Self { sender, data_dir })
    }

    /// The whole answer to a request that takes moments.
    ///
    /// # Errors
    /// As [`ask`](Self::ask); also where the answer does not end in time.
    pub async fn ask_quickly(&mut self, request: &Request, each: &mut dyn FnMut(Reply)) -> Result<(), AskError> {
        let silent = AskError::Failed(self.silent());
        let asked = tokio::time::timeout(ANSWER, self.ask(request, each)).await;
        asked.unwrap_or(Err(silent))
    }

    fn silent(&self) -> Failure {
        let (place, seconds) = (self.data_dir.display(), ANSWER.as_secs());
        Failure::new(
            Exit::Errors,
            format!("the appliance in {place} is running, but did not answer within {seconds} s"),
        )
    }

    /// Sends `request` and hands the replies to `each`, in their order, without the last.
    ///
    /// # Errors
    /// What the appliance says, or that it went away in the middle.
    pub async fn ask(&mut self, request: &Request, each: &mut dyn FnMut(Reply)) -> Result<(), AskError> {
        let mut all = |reply| {
            each(reply);
            ControlFlow::Continue(())
        };
        self.ask_until(request, &mut all).await
    }

    /// The same, until `each` has enough.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub async fn ask_until(
        &mut self,
        request: &Request,
        each: &mut dyn FnMut(Reply) -> ControlFlow<()>,
    ) -> Result<(), AskError> {
        let response = self.send(request).await?;
        receive(response, each).await.map_err(AskError::Failed)
    }

    /// The beginning of the answer. It comes as soon as the appliance took the request.
    async fn send(&mut self, request: &Request) -> Result<hyper::Response<Incoming>, AskError> {
        let usage = |error: &dyn ToString| AskError::Failed(Failure::usage(error.to_string()));
        let body = serde_json::to_vec(request).map_err(|error| usage(&error))?;
        let request = hyper::Request::post("/v1")
            .header(hyper::header::HOST, "dropkeep")
            .header(hyper::header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| usage(&error))?;
        let response = tokio::time::timeout(ANSWER, self.sender.send_request(request)).await;
        let response = response.map_err(|_| AskError::Failed(self.silent()))?;
        let response = response.map_err(|error| AskError::NotTaken(gone(&error)))?;
        let refused = || Failure::new(Exit::Errors, format!("the appliance answered {}", response.status()));
        match response.status() {
            StatusCode::OK => Ok(response),
            StatusCode::SERVICE_UNAVAILABLE => Err(AskError::NotTaken(refused())),
            _ => Err(AskError::Failed(refused())),
        }
    }
}

fn gone(error: &dyn ToString) -> Failure {
    Failure::new(
        Exit::Errors,
        format!("lost the connection to the appliance: {}", error.to_string()),
    )
}

async fn receive(
    response: hyper::Response<Incoming>,
    each: &mut dyn FnMut(Reply) -> ControlFlow<()>,
) -> Result<(), Failure> {
    let mut body = response.into_body();
    let mut pending = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|error| gone(&error))?.into_data() else {
            continue;
        };
        pending.extend_from_slice(&data);
        let mut from = 0;
        while let Some(end) = memchr::memchr(b'\n', &pending[from..]) {
            let line = &pending[from..from + end];
            from += end + 1;
            match serde_json::from_slice(line) {
                Ok(Reply::Done) => return Ok(()),
                Ok(Reply::Failed(failure)) => return Err(failure),
                Ok(reply) => {
                    if each(reply).is_break() {
                        return Ok(());
                    }
                }
                Err(error) => return Err(gone(&error)),
            }
        }
        pending.drain(..from);
        if pending.len() > LONGEST_LINE {
            return Err(gone(&"its reply is too long"));
        }
    }
    Err(gone(&io::Error::from(io::ErrorKind::UnexpectedEof)))
}
