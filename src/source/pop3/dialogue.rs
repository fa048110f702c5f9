//! Commands and their status lines (RFC 1939, 3).

use crate::{
    net::Hidden,
    source::{
        SourceError,
        guard::Guard,
        lines::{Lines, SMALL},
    },
};

/// A line that does not refuse.
pub(super) enum Reply {
    /// The words behind +OK.
    Ok(String),
    /// What stands behind `+`: the server waits for the rest of the command (RFC 5034, 4).
    Challenge(String),
}

/// A connection on which commands are answered in their order.
pub(super) struct Dialogue {
    pub lines: Lines,
    /// What no error may repeat.
    pub hidden: Hidden,
}

impl Dialogue {
    pub fn new(host: &str, mut guard: Guard, hidden: Hidden) -> Self {
        guard.allow(SMALL);
        Self {
            lines: Lines::new(host, guard),
            hidden,
        }
    }

    /// Runs a command with an answer of one line, and returns the words behind +OK. `name` is
    /// how errors call it: `line` may hold secrets.
    ///
    /// # Errors
    /// [`SourceError::Refused`] for -ERR; [`SourceError::Lost`] for a closed connection.
    pub async fn command(&mut self, name: &str, line: &str) -> Result<String, SourceError> {
        self.begin(name, line, SMALL).await?;
        self.status(name).await
    }

    /// Sends a command whose answer may have `allowance` bytes.
    pub async fn begin(&mut self, name: &str, line: &str, allowance: u64) -> Result<(), SourceError> {
        self.lines.allow(allowance);
        self.lines.send(name, format!("{line}\r\n").as_bytes()).await
    }

    /// Reads a status line.
    pub async fn status(&mut self, name: &str) -> Result<String, SourceError> {
        ok(name, self.reply(name).await?)
    }

    /// Reads a status line right behind a message: a blank one may be more of that.
    pub async fn status_behind(&mut self, name: &str) -> Result<String, SourceError> {
        let line = self.lines.line(name).await?;
        ok(name, self.read(name, &line)?)
    }

    /// Reads a status line, or a challenge.
    pub async fn reply(&mut self, name: &str) -> Result<Reply, SourceError> {
        let mut line = self.lines.line(name).await?;
        // Some send a line end too many behind what they said before.
        while line.is_empty() {
            line = self.lines.line(name).await?;
        }
        self.read(name, &line)
    }

    fn read(&self, name: &str, line: &[u8]) -> Result<Reply, SourceError> {
        let line = String::from_utf8_lossy(line);
        let (status, words) = line.split_once(' ').unwrap_or((&line, ""));
        if status.eq_ignore_ascii_case("+OK") {
            return Ok(Reply::Ok(words.to_owned()));
        }
        if status.eq_ignore_ascii_case("-ERR") {
            return Err(SourceError::Refused {
                command: name.to_owned(),
                words: self.hidden.plain(words),
            });
        }
        if status == "+" {
            return Ok(Reply::Challenge(words.to_owned()));
        }
        Err(no_status(name))
    }

    /// Runs a command whose answer is a list: `on` gets each line up to the terminating dot.
    pub async fn list(
        &mut self,
        name: &str,
        allowance: u64,
        on: &mut (dyn FnMut(&[u8]) + Send),
    ) -> Result<(), SourceError> {
        self.begin(name, name, allowance).await?;
        self.status(name).await?;
        loop {
            let line = self.lines.line(name).await?;
            match line.strip_prefix(b".") {
                Some(b"") => return Ok(()),
                Some(unstuffed) => on(unstuffed),
                None => on(&line),
            }
        }
    }
}

fn ok(name: &str, reply: Reply) -> Result<String, SourceError> {
    match reply {
        Reply::Ok(words) => Ok(words),
        Reply::Challenge(_) => Err(no_status(name)),
    }
}

fn no_status(name: &str) -> SourceError {
    SourceError::Protocol {
        command: name.to_owned(),
        detail: "it begins with neither +OK nor -ERR".to_owned(),
    }
}
