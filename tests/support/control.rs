//! The control socket of a running appliance, spoken to without a process for each request.

use std::{
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    path::Path,
};

use serde_json::Value;

use super::PATIENCE;

/// Asks the appliance that holds a data directory, and gives the replies in their order.
///
/// # Errors
/// The appliance is gone, or its answer is no HTTP.
pub fn ask(data: &Path, request: &Value) -> io::Result<Vec<Value>> {
    // A socket's name is short; the folder's need not be.
    let folder = std::fs::File::open(data)?;
    let name = format!(
        "/proc/self/fd/{}/control.sock",
        std::os::fd::AsRawFd::as_raw_fd(&folder)
    );
    let mut stream = UnixStream::connect(name)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let body = request.to_string();
    let head = "POST /v1 HTTP/1.1\r\nHost: dropkeep\r\nContent-Type: application/json\r\nConnection: close\r\n";
    stream.write_all(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (_, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::InvalidData)?;
    // Each reply is a chunk by itself, a line long; its length in front of it is not a JSON object.
    let lines = body.lines().filter(|line| line.starts_with(['{', '"']));
    Ok(lines.filter_map(|line| serde_json::from_str(line).ok()).collect())
}
