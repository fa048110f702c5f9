//! This program as a child process, which reads a store that may crash it: it is given one request as a line of JSON,
//! and answers with lines of JSON until it ends. Its input stays open as long as it is to go on.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    process::{Child, ExitStatus},
    sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel},
    thread,
    time::{Duration, Instant},
};

use serde::{Serialize, de::DeserializeOwned};

/// Lines on their way from the child.
const LINES: usize = 1000;
/// The longest line that is read, in bytes.
const LONGEST: u64 = 16 << 20;
/// How often whoever follows is asked though no line comes.
const LOOK: Duration = Duration::from_millis(100);
/// Bytes of what the child says on standard error that are kept.
const LAST_WORDS: usize = 4096;

/// What whoever follows a child wants of it.
pub enum Wish {
    GoOn,
    /// It ends in good order, at the next place where it can.
    End,
    Kill,
}

/// How a child ended.
pub struct Ended {
    /// `None` where it had to be killed.
    pub status: Option<ExitStatus>,
    /// The last line that it said on standard error, where that is a pipe.
    pub last_words: String,
}

/// Hands `request` to a child whose input and output are pipes, and follows it to its end. `step` is called with each
/// line that it says, and now and then with none, and with how long it has said nothing.
///
/// # Errors
/// It has no pipes, or cannot be waited for.
pub fn follow<T: DeserializeOwned>(
    mut child: Child,
    request: &impl Serialize,
    step: &mut dyn FnMut(Option<T>, Duration) -> Wish,
) -> io::Result<Ended> {
    let mut request = serde_json::to_vec(request)?;
    request.push(b'\n');
    let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        child.kill()?;
        child.wait()?;
        return Err(io::Error::other("it has no pipes"));
    };
    let errors = child.stderr.take();
    let (sender, lines) = sync_channel(LINES);
    thread::scope(|scope| {
        scope.spawn(move || pass_on(output, &sender));
        let last_words = errors.map(|errors| scope.spawn(move || last_words(errors)));
        let mut input = Some(input);
        // Where it has ended already, how it ended says why.
        let _ = input.as_mut().map(|input| input.write_all(&request));
        let mut heard = Instant::now();
        let killed = loop {
            let line = match lines.recv_timeout(LOOK) {
                Ok(line) => {
                    heard = Instant::now();
                    match serde_json::from_str(&line) {
                        Ok(line) => Some(line),
                        // The last line of a process that was ended may be cut.
                        Err(error) => {
                            tracing::debug!(%error, "a child process said something that is not understood");
                            None
                        }
                    }
                }
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break false,
            };
            match step(line, heard.elapsed()) {
                Wish::GoOn => {}
                Wish::End => drop(input.take()),
                Wish::Kill => break true,
            }
        };
        // Whoever passes lines on must not wait for a place in the queue.
        drop(lines);
        if killed {
            child.kill()?;
        }
        drop(input);
        let status = child.wait()?;
        let last_words = last_words.and_then(|words| words.join().ok()).unwrap_or_default();
        Ok(Ended {
            status: (!killed).then_some(status),
            last_words,
        })
    })
}

fn pass_on(output: impl Read, lines: &SyncSender<String>) {
    let mut output = BufReader::new(output);
    loop {
        let mut line = String::new();
        match output.by_ref().take(LONGEST).read_line(&mut line) {
            Ok(count) if count > 0 && lines.send(line).is_ok() => {}
            _ => return,
        }
    }
}

/// The end of what a process says on standard error.
fn last_words(mut errors: impl Read) -> String {
    let (mut kept, mut buffer) = (Vec::new(), [0; 1024]);
    while let Ok(count) = errors.read(&mut buffer)
        && count > 0
    {
        kept.extend_from_slice(&buffer[..count]);
        let surplus = kept.len().saturating_sub(LAST_WORDS);
        kept.drain(..surplus);
    }
    let text = String::from_utf8_lossy(&kept);
    text.lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default()
        .trim()
        .to_owned()
}
