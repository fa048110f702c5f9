//! The text that comes out of a file, of bounded length.

use super::outcome::Outcome;

/// Why a file is not read on.
#[derive(Debug)]
pub(super) enum Stop {
    /// There is as much text as is indexed.
    Full,
    /// In words that quote nothing of the file.
    Broken(String),
}

impl Stop {
    pub fn broken(why: &str) -> Self {
        Self::Broken(why.to_owned())
    }
}

pub(super) struct Output {
    text: String,
    /// Bytes of text at most.
    most: usize,
    /// What could not be read, the first of it.
    fault: Option<String>,
}

impl Output {
    pub fn new(most: usize) -> Self {
        Self {
            text: String::new(),
            most,
            fault: None,
        }
    }

    /// Puts a text behind what is there.
    ///
    /// # Errors
    /// There is no room for all of it.
    pub fn push(&mut self, text: &str) -> Result<(), Stop> {
        let room = self.most.saturating_sub(self.text.len());
        if text.len() > room {
            self.text.push_str(&text[..text.floor_char_boundary(room)]);
            return Err(Stop::Full);
        }
        self.text.push_str(text);
        Ok(())
    }

    /// Parts what comes from what is there.
    pub fn space(&mut self) -> Result<(), Stop> {
        self.part(' ')
    }

    /// The same by the end of a line.
    pub fn line(&mut self) -> Result<(), Stop> {
        if self.text.ends_with(' ') {
            self.text.pop();
        }
        self.part('\n')
    }

    fn part(&mut self, by: char) -> Result<(), Stop> {
        match self.text.is_empty() || self.text.ends_with([' ', '\n']) {
            true => Ok(()),
            false => self.push(by.encode_utf8(&mut [0; 4])),
        }
    }

    /// Notes that a part of the file cannot be read.
    pub fn fault(&mut self, why: String) {
        self.fault.get_or_insert(why);
    }

    /// The text, and what came of reading the file, which `ended` so.
    pub fn end(mut self, ended: Result<(), Stop>) -> (String, Outcome) {
        self.text.truncate(self.text.trim_end().len());
        let begins = self.text.len() - self.text.trim_start().len();
        self.text.drain(..begins);
        let fault = match ended {
            Ok(()) => self.fault,
            Err(Stop::Full) => Some("it is longer than what is indexed of an attachment".into()),
            Err(Stop::Broken(why)) => Some(why),
        };
        let outcome = match fault {
            None => Outcome::Read,
            Some(why) if self.text.is_empty() => Outcome::Unreadable(why),
            Some(why) => Outcome::Partly(why),
        };
        (self.text, outcome)
    }
}
