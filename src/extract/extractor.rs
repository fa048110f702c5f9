//! Reads attachments.

use std::path::PathBuf;

use super::{
    kind::Kind,
    mail::Attachment,
    outcome::{Counts, Extracted, Outcome},
    process::Process,
    reader::plain,
};
use crate::{config::Extract, identify::Charset};

/// Reads attachments: text and pages itself, all else in a child process, which it starts when it first needs one, keeps
/// for those that follow, and replaces where one ends over an attachment. It is ended with this.
pub struct Extractor {
    settings: Extract,
    program: PathBuf,
    process: Option<Process>,
    counts: Counts,
}

impl Extractor {
    pub fn new(settings: &Extract) -> Self {
        // Whatever became of the file since, this is the program that runs.
        Self::with_program(settings, "/proc/self/exe".into())
    }

    /// The same where another program is this one: for tests, which are none.
    pub fn with_program(settings: &Extract, program: PathBuf) -> Self {
        Self {
            settings: settings.clone(),
            program,
            process: None,
            counts: Counts::default(),
        }
    }

    /// What came of all that it read.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The text of an attachment.
    pub fn attachment(&mut self, attachment: &Attachment) -> Extracted {
        let bytes = attachment.bytes();
        let kind = Kind::of(attachment.name(), attachment.content_type(), &bytes);
        self.read(kind, attachment.charset(), &bytes)
    }

    /// The text of a file of this `name`, of which is said that it is of `content_type` (`text/plain`; in lower case,
    /// without parameters).
    pub fn text(&mut self, name: Option<&str>, content_type: &str, bytes: &[u8]) -> Extracted {
        self.read(Kind::of(name, content_type, bytes), None, bytes)
    }

    fn read(&mut self, kind: Kind, charset: Option<Charset>, bytes: &[u8]) -> Extracted {
        let most = self.settings.text();
        let (text, outcome) = match kind {
            Kind::Other => (String::new(), Outcome::NotText),
            Kind::OldOffice | Kind::Tnef => {
                let why = "files of its kind are not read".into();
                (String::new(), Outcome::Unreadable(why))
            }
            kind => match plain(kind, charset, bytes, most) {
                Some(read) => read,
                None if bytes.len() as u64 > self.settings.largest.0 => (String::new(), Outcome::TooLarge),
                None => self
                    .in_child(kind, bytes)
                    .unwrap_or_else(|outcome| (String::new(), outcome)),
            },
        };
        self.counts.add(kind, &outcome);
        Extracted { text, kind, outcome }
    }

    fn in_child(&mut self, kind: Kind, bytes: &[u8]) -> Result<(String, Outcome), Outcome> {
        let mut process = self.process.take();
        let process = match process.take_if(|process| process.is_fit()) {
            Some(process) => process,
            None => Process::start(&self.program, &self.settings).map_err(Outcome::NotStarted)?,
        };
        let (process, text, outcome) = process.read(kind, bytes)?;
        self.process = Some(process);
        Ok((text, outcome))
    }
}
