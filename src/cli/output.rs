//! Printing, where whoever reads may go away (`dropkeep list … | head`).

use std::{
    io::{self, Write},
    ops::ControlFlow,
};

use serde::Serialize;

pub use crate::harmless::harmless;
use crate::harmless::harmless_json;

/// Standard output, buffered. After it was closed by the reader, nothing more is written.
pub struct Output {
    out: io::BufWriter<io::Stdout>,
    closed: bool,
}

impl Output {
    pub fn new() -> Self {
        Self {
            out: io::BufWriter::new(io::stdout()),
            closed: false,
        }
    }

    /// One line, whatever stands in it.
    pub fn line(&mut self, line: impl AsRef<str>) {
        self.bytes(harmless(line.as_ref()).as_bytes());
        self.bytes(b"\n");
    }

    /// Several lines.
    pub fn text(&mut self, text: &str) {
        text.lines().for_each(|line| self.line(line));
    }

    pub fn json(&mut self, value: &impl Serialize) {
        self.json_value(value);
        self.bytes(b"\n");
    }

    /// A value without a line end: for what is printed in pieces because it may be large.
    pub fn json_value(&mut self, value: &impl Serialize) {
        match serde_json::to_string(value) {
            Ok(json) => self.bytes(harmless_json(json).as_bytes()),
            Err(error) => tracing::error!(%error, "a value does not become JSON; this is a bug in dropkeep"),
        }
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        if !self.closed && self.out.write_all(bytes).is_err() {
            self.closed = true;
        }
    }

    /// Whether more is still read.
    pub fn is_read(&self) -> ControlFlow<()> {
        match self.closed {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    /// Whether all of it was written.
    pub fn finish(mut self) -> bool {
        !self.closed && self.out.flush().is_ok()
    }
}

/// Says something on standard error. That may be closed.
pub fn say(words: impl AsRef<str>) {
    let _ = writeln!(io::stderr(), "dropkeep: {}", harmless(words.as_ref()));
}

/// `1234567` as `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 message`, `1,234 messages`.
pub fn counted(number: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// How often, in words.
pub fn times(number: u64) -> String {
    match number {
        1 => "once".into(),
        2 => "twice".into(),
        number => format!("{} times", grouped(number)),
    }
}

#[test]
fn numbers_are_grouped() {
    for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1234567, "1,234,567")] {
        assert_eq!(grouped(number), text);
    }
}
