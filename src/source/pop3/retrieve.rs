//! Fetching messages: RETR and TOP, pipelined where the server allows it (RFC 2449, 6.6).

use super::{PIPELINED, Pop3Session, number, unstuff::Unstuffer};
use crate::source::{
    Announced, Fetched, SourceError, Unfetched, UnfetchedWhy, Want, fetch_allowance, session::plausible,
};

impl Pop3Session {
    /// Fetches a window of copies.
    pub(in crate::source) async fn fetch(
        &mut self,
        window: &[Announced],
        want: Want,
        sink: &mut (dyn FnMut(Fetched) + Send),
    ) -> Result<Vec<Unfetched>, SourceError> {
        let (name, depth) = (command(want), if self.offers("PIPELINING") { PIPELINED } else { 1 });
        let allowance = fetch_allowance(window.iter().map(|one| one.size));
        self.dialogue.lines.allow(allowance);
        let mut unfetched = Vec::new();
        let mut sent = 0;
        for (answered, one) in window.iter().enumerate() {
            // Half of the pipeline at a time, so that commands share packets.
            if sent - answered <= depth / 2 {
                let until = window.len().min(answered + depth);
                let lines: String = window[sent..until].iter().map(|one| line(one, want)).collect();
                self.dialogue.lines.send(name, lines.as_bytes()).await?;
                sent = until;
            }
            let Some(number) = number(&one.copy) else {
                let copy = one.copy.clone();
                let why = UnfetchedWhy::NotAnswered;
                unfetched.push(Unfetched { copy, why });
                continue;
            };
            let copy = one.copy.clone();
            let expected = match want {
                Want::Whole => plausible(one.size),
                Want::Header => 0,
            };
            match self.message(name, expected).await {
                Ok(bytes) => {
                    if want == Want::Whole {
                        self.fetched.insert(number);
                    }
                    sink(Fetched {
                        copy,
                        bytes: bytes.into(),
                        internal_date: None,
                    });
                }
                Err(SourceError::Refused { words, .. }) => {
                    let why = UnfetchedWhy::Refused(words);
                    unfetched.push(Unfetched { copy, why });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(unfetched)
    }

    async fn message(&mut self, name: &str, expected: usize) -> Result<Vec<u8>, SourceError> {
        self.dialogue.status(name).await?;
        let mut unstuffer = Unstuffer::new(expected);
        loop {
            if let Some(message) = unstuffer.take(&mut self.dialogue.lines.buffer) {
                return Ok(message);
            }
            self.dialogue.lines.fill(name).await?;
        }
    }
}

fn command(want: Want) -> &'static str {
    match want {
        Want::Whole => "RETR",
        Want::Header => "TOP",
    }
}

/// The command for one copy; nothing for one of another protocol.
fn line(one: &Announced, want: Want) -> String {
    match (number(&one.copy), want) {
        (Some(number), Want::Whole) => format!("RETR {number}\r\n"),
        (Some(number), Want::Header) => format!("TOP {number} 0\r\n"),
        (None, _) => String::new(),
    }
}
