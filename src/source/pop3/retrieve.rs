//! Fetching messages: RETR and TOP, pipelined where the server allows it (RFC 2449, 6.6).
//!
//! Nothing but a line of one dot says where a message ends. Servers forget that line, or send such a line in the middle
//! of a message, and then every answer that follows is taken for something else. So a message counts only when what
//! comes behind it shows that both sides are in step: the next status line, or that of a NOOP behind the last. From a
//! message on that has what may be a status line in it, none counts before the end: where a message swallowed the next
//! answer, an answer is missing there.

use memchr::{memchr_iter, memmem::Finder};

use super::{Pop3Session, number, unstuff::Unstuffer};
use crate::source::{
    Announced, Fetched, SourceError, Unfetched, UnfetchedWhy, Want, allowance::plausible, fetch_allowance,
};

const NOOP: &str = "NOOP";

/// Commands on their way at once, where the server takes several, and the bytes, as announced, that they ask for. The
/// commands of all of them fit into the buffers of any connection, so sending them never waits for an answer to be
/// read, and neither side can block the other. Half of either is asked for anew at a time, so that commands share
/// packets.
const MOST_COMMANDS: usize = 512;
const MOST_BYTES: u64 = 4 << 20;

/// What the header of a message is taken to have, in bytes.
const HEADER: u64 = 8 << 10;

impl Pop3Session {
    /// Fetches a window of copies.
    pub(in crate::source) async fn fetch(
        &mut self,
        window: &[Announced],
        want: Want,
        sink: &mut (dyn FnMut(Fetched) + Send),
    ) -> Result<Vec<Unfetched>, SourceError> {
        let mut unfetched = Vec::new();
        // Copies of another protocol have no number to ask by.
        let (window, foreign): (Vec<_>, Vec<_>) = window.iter().partition(|one| number(&one.copy).is_some());
        unfetched.extend(foreign.into_iter().map(|one| Unfetched {
            copy: one.copy.clone(),
            why: UnfetchedWhy::NotAnswered,
        }));
        if window.is_empty() {
            return Ok(unfetched);
        }
        let allowance = fetch_allowance(window.iter().map(|one| one.size));
        self.dialogue.lines.allow(allowance);
        let mut pipeline = Pipeline::new(&window, want, self.turns.are_pipelined());
        let mut unproved = Unproved::default();
        let came = self.answers(&mut pipeline, &mut unproved, &mut unfetched, sink).await;
        let numbers = came.map_err(|error| self.turns.failed(error, unproved.doubtful, unproved.within))?;
        if want == Want::Whole {
            self.fetched.extend(numbers);
        }
        Ok(unfetched)
    }

    /// Sends the commands of a window and reads what they are answered with. Gives the numbers of the messages that
    /// came.
    async fn answers(
        &mut self,
        pipeline: &mut Pipeline<'_>,
        unproved: &mut Unproved,
        unfetched: &mut Vec<Unfetched>,
        sink: &mut (dyn FnMut(Fetched) + Send),
    ) -> Result<Vec<u32>, SourceError> {
        let name = command(pipeline.want);
        let mut numbers = Vec::with_capacity(pipeline.window.len());
        for one in pipeline.window {
            self.dialogue.lines.send(name, pipeline.due().as_bytes()).await?;
            let copy = one.copy.clone();
            match self.status(name, unproved, sink).await? {
                Some(words) => {
                    let why = UnfetchedWhy::Refused(words);
                    unfetched.push(Unfetched { copy, why });
                }
                None => {
                    unproved.within = true;
                    let bytes = self.message(name, pipeline.expected(one)).await?;
                    unproved.within = false;
                    unproved.doubtful |= may_hold_an_answer(&bytes);
                    numbers.extend(number(&copy));
                    unproved.came.push(Fetched {
                        copy,
                        bytes: bytes.into(),
                        internal_date: None,
                        aside: None,
                    });
                }
            }
            pipeline.answered(one);
        }
        self.dialogue.lines.send(NOOP, pipeline.due().as_bytes()).await?;
        // A server that knows no NOOP says so, which will do.
        self.status(NOOP, unproved, sink).await?;
        unproved.came.drain(..).for_each(&mut *sink);
        Ok(numbers)
    }

    /// Reads a status line, which shows that the message before it is whole, unless that is in doubt: the sink gets it.
    /// Gives the words of a refusal.
    async fn status(
        &mut self,
        name: &str,
        unproved: &mut Unproved,
        sink: &mut (dyn FnMut(Fetched) + Send),
    ) -> Result<Option<String>, SourceError> {
        let status = self.dialogue.status_behind(name).await;
        let in_step = match &status {
            Ok(_) | Err(SourceError::Refused { .. }) => true,
            // Nothing came behind the message, so nothing speaks against it.
            Err(SourceError::Lost { .. } | SourceError::Timeout { .. }) => self.dialogue.lines.buffer.is_empty(),
            Err(_) => false,
        };
        if in_step && !unproved.doubtful {
            unproved.came.drain(..).for_each(sink);
        }
        match status {
            Ok(_) => Ok(None),
            Err(SourceError::Refused { words, .. }) => Ok(Some(words)),
            Err(error) => Err(error),
        }
    }

    async fn message(&mut self, name: &str, expected: usize) -> Result<Vec<u8>, SourceError> {
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

/// Messages that came, of which it is not known yet whether they are whole. Their window bounds them.
#[derive(Default)]
struct Unproved {
    came: Vec<Fetched>,
    /// Whether the next status line does not prove it.
    doubtful: bool,
    /// Whether one is being read.
    within: bool,
}

/// Which commands are due.
struct Pipeline<'w> {
    window: &'w [&'w Announced],
    want: Want,
    pipelining: bool,
    sent: usize,
    answered: usize,
    /// Bytes asked for and not yet answered.
    bytes: u64,
    /// Whether the NOOP behind the last was sent.
    ended: bool,
}

impl<'w> Pipeline<'w> {
    fn new(window: &'w [&'w Announced], want: Want, pipelining: bool) -> Self {
        Self {
            window,
            want,
            pipelining,
            sent: 0,
            answered: 0,
            bytes: 0,
            ended: false,
        }
    }

    /// The commands to send now; those that are on their way may be enough.
    fn due(&mut self) -> String {
        let mut lines = String::new();
        let (most, most_bytes) = match self.pipelining {
            true => (MOST_COMMANDS, MOST_BYTES),
            false => (1, 0),
        };
        let standing = self.sent - self.answered;
        if standing > 0 && (standing > most / 2 || self.bytes > most_bytes / 2) {
            return lines;
        }
        while let Some(one) = self.window.get(self.sent) {
            let bytes = self.bytes.saturating_add(self.asked(one));
            let standing = self.sent - self.answered;
            if standing > 0 && (standing >= most || bytes > most_bytes) {
                return lines;
            }
            self.bytes = bytes;
            self.sent += 1;
            lines += &line(one, self.want);
        }
        if !self.ended && (self.pipelining || self.sent == self.answered) {
            self.ended = true;
            lines += "NOOP\r\n";
        }
        lines
    }

    fn answered(&mut self, one: &Announced) {
        self.answered += 1;
        self.bytes = self.bytes.saturating_sub(self.asked(one));
    }

    fn asked(&self, one: &Announced) -> u64 {
        match self.want {
            Want::Whole => one.size,
            Want::Header => one.size.min(HEADER),
        }
    }

    /// Room to make for an answer, in bytes.
    fn expected(&self, one: &Announced) -> usize {
        match self.want {
            Want::Whole => plausible(one.size),
            Want::Header => 0,
        }
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

/// Whether a message contains something that looks like the status line of another answer. Most such messages are quite
/// in order: people write about mail more often than servers forget to end an answer.
fn may_hold_an_answer(message: &[u8]) -> bool {
    let is_status = |at: usize, word: &[u8]| {
        let status = &message[at..];
        let said = status
            .get(..word.len())
            .is_some_and(|said| said.eq_ignore_ascii_case(word));
        said && matches!(status.get(word.len()), Some(b' ' | b'\r'))
    };
    memchr_iter(b'+', message).any(|at| is_status(at, b"+OK"))
        || Finder::new(b"-ERR").find_iter(message).any(|at| is_status(at, b"-ERR"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::CopyRef;

    fn window(sizes: &[u64]) -> Vec<Announced> {
        let announced = |(number, size): (u32, &u64)| Announced {
            copy: CopyRef::Number(number),
            size: *size,
            facts: None,
        };
        (1..).zip(sizes).map(announced).collect()
    }

    fn commands(text: &str) -> usize {
        text.lines().count()
    }

    #[test]
    fn without_pipelining_one_command_is_on_its_way() {
        let window = window(&[10, 10]);
        let window: Vec<&Announced> = window.iter().collect();
        let mut pipeline = Pipeline::new(&window, Want::Whole, false);
        let mut sent = Vec::new();
        for one in &window {
            sent.push(pipeline.due());
            assert_eq!(pipeline.due(), "");
            pipeline.answered(one);
        }
        sent.push(pipeline.due());
        assert_eq!(sent, ["RETR 1\r\n", "RETR 2\r\n", "NOOP\r\n"]);
        assert_eq!(pipeline.due(), "");
    }

    #[test]
    fn what_is_on_its_way_is_bounded_in_commands_and_bytes() {
        let small = window(&[10; 2000]);
        let small: Vec<&Announced> = small.iter().collect();
        let mut pipeline = Pipeline::new(&small, Want::Whole, true);
        let mut standing = 0;
        let mut sent = 0;
        for one in &small {
            let due = commands(&pipeline.due());
            (standing, sent) = (standing + due, sent + due);
            assert!((1..=MOST_COMMANDS + 1).contains(&standing), "{standing}");
            pipeline.answered(one);
            standing -= 1;
        }
        assert_eq!((sent, pipeline.due().as_str()), (2001, ""));
        let large = window(&[MOST_BYTES / 2 + 1, MOST_BYTES, u64::MAX, u64::MAX, 1]);
        let large: Vec<&Announced> = large.iter().collect();
        let mut pipeline = Pipeline::new(&large, Want::Whole, true);
        let mut due = Vec::new();
        for one in &large {
            due.push(commands(&pipeline.due()));
            pipeline.answered(one);
        }
        assert_eq!(due, [1, 1, 1, 1, 2]);
    }

    #[test]
    fn a_status_line_within_a_message_is_seen() {
        for (message, may) in [
            (&b"end\r\n+OK 900 octets\r\nSubject: x\r\n"[..], true),
            (b"no line end+ok\r\n", true),
            (b"-ERR unknown command\r\n", true),
            (b"--ERROR x\r\n", false),
            (b"+OK ", true),
            (b"+OK", false),
            (b"a+OKb\r\n1+1\r\nOK \r\n", false),
            (b"", false),
        ] {
            assert_eq!(may_hold_an_answer(message), may, "{}", message.escape_ascii());
        }
    }
}
