//! Secrets that people type: without an echo on a terminal, or one line of standard input.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

use crate::api::{Exit, Failure, Spoken};

/// Bytes of a line at most.
const LONGEST: usize = 4096;
/// Keys.
const INTERRUPT: u8 = 3;
const END: u8 = 4;
const BACKSPACE: [u8; 2] = [8, 127];
const CLEAR: u8 = 21;

/// A new password: twice from the terminal, or one line of standard input.
///
/// # Errors
/// There is neither, or the two are not the same.
pub fn new_password(from_stdin: bool) -> Result<Spoken, Failure> {
    if from_stdin {
        return line_of_stdin();
    }
    require_terminal("--password-stdin")?;
    let password = ask("Password: ")?;
    let again = ask("The same again: ")?;
    match password == again {
        true => Ok(Spoken::new(password)),
        false => Err(Failure::usage("the two passwords are not the same")),
    }
}

/// A one-time code, of the terminal or of standard input.
///
/// # Errors
/// There is none.
pub fn code() -> Result<Spoken, Failure> {
    match io::stdin().is_terminal() {
        true => ask("The code that the app shows now: ").map(Spoken::new),
        false => line_of_stdin(),
    }
}

fn require_terminal(option: &str) -> Result<(), Failure> {
    match io::stdin().is_terminal() {
        true => Ok(()),
        false => Err(Failure::usage(format!(
            "standard input is no terminal: give {option}, and the password as one line of standard input"
        ))),
    }
}

/// One line, without its end.
fn line_of_stdin() -> Result<Spoken, Failure> {
    let mut bytes = Vec::new();
    for byte in io::stdin().lock().bytes() {
        match byte.map_err(unreadable)? {
            b'\n' => break,
            _ if bytes.len() == LONGEST => return Err(Failure::usage("the line of standard input is too long")),
            byte => bytes.push(byte),
        }
    }
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    match String::from_utf8(bytes) {
        Ok(line) if line.is_empty() => Err(Failure::usage(
            "standard input is empty: the password is its first line",
        )),
        Ok(line) => Ok(Spoken::new(line)),
        Err(_) => Err(Failure::usage("standard input is not UTF-8")),
    }
}

fn unreadable(error: io::Error) -> Failure {
    Failure::new(Exit::Errors, format!("cannot read standard input: {error}"))
}

/// The terminal as it was, again, when this goes.
struct Restored(Termios);

impl Drop for Restored {
    fn drop(&mut self) {
        // There is nobody to be told.
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0);
        let _ = writeln!(io::stderr());
    }
}

/// Asks on the terminal and shows nothing of what is typed. Keys come one by one: an interrupt ends it, and leaves the
/// terminal as it was.
fn ask(prompt: &str) -> Result<String, Failure> {
    let failed = |error: rustix::io::Errno| unreadable(error.into());
    let before = tcgetattr(io::stdin()).map_err(failed)?;
    let mut silent = before.clone();
    silent.local_modes &= !(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
    silent.special_codes[SpecialCodeIndex::VMIN] = 1;
    silent.special_codes[SpecialCodeIndex::VTIME] = 0;
    let _ = write!(io::stderr(), "{prompt}");
    let restored = Restored(before);
    tcsetattr(io::stdin(), OptionalActions::Flush, &silent).map_err(failed)?;
    let typed = typed(&mut io::stdin().lock());
    drop(restored);
    typed
}

fn typed(keys: &mut impl BufRead) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    for key in keys.bytes() {
        match key.map_err(unreadable)? {
            b'\r' | b'\n' => break,
            INTERRUPT => return Err(Failure::interrupted()),
            END if bytes.is_empty() => return Err(Failure::interrupted()),
            END => break,
            CLEAR => bytes.clear(),
            key if BACKSPACE.contains(&key) => {
                // A whole character, of which the bytes behind the first begin with 10.
                while bytes.pop().is_some_and(|byte: u8| byte & 0xc0 == 0x80) {}
            }
            _ if bytes.len() == LONGEST => return Err(Failure::usage("that is too long")),
            key => bytes.push(key),
        }
    }
    String::from_utf8(bytes).map_err(|_| Failure::usage("that is not UTF-8: look at the settings of the terminal"))
}

#[test]
fn keys_become_what_was_meant() {
    let of = |keys: &str| typed(&mut keys.as_bytes());
    assert_eq!(of("secret\rmore").unwrap(), "secret");
    assert_eq!(of("wrong\u{15}seä\u{7f}cret\n").unwrap(), "secret");
    assert_eq!(of("x\u{7f}\u{7f}y\n").unwrap(), "y");
    assert_eq!(of("secr\u{3}et\n").unwrap_err().exit, Exit::Interrupted);
    assert_eq!(of("\u{4}").unwrap_err().exit, Exit::Interrupted);
}
