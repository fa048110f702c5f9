//! The steps in their order, and which keys of a profile each is about.

use super::texts::Texts;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Step {
    Server,
    Test,
    Folders,
    Recipients,
    Keeping,
    Rehearsal,
    Finish,
}

impl Step {
    pub const ALL: [Self; 7] = [
        Self::Server,
        Self::Test,
        Self::Folders,
        Self::Recipients,
        Self::Keeping,
        Self::Rehearsal,
        Self::Finish,
    ];

    /// As an address has it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Test => "test",
            Self::Folders => "folders",
            Self::Recipients => "recipients",
            Self::Keeping => "keeping",
            Self::Rehearsal => "dry-run",
            Self::Finish => "finish",
        }
    }

    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.word() == word)
    }

    pub fn title(self, w: &'static Texts) -> &'static str {
        match self {
            Self::Server => w.server,
            Self::Test => w.test,
            Self::Folders => w.folders,
            Self::Recipients => w.recipients,
            Self::Keeping => w.keeping,
            Self::Rehearsal => w.rehearsal,
            Self::Finish => w.finish,
        }
    }

    pub fn before(self) -> Option<Self> {
        Self::ALL.into_iter().rfind(|step| *step < self)
    }

    pub fn next(self) -> Option<Self> {
        Self::ALL.into_iter().find(|step| *step > self)
    }

    /// The step that is about a key.
    pub fn of_key(key: &str) -> Self {
        match key.split(['.', '[']).next().unwrap_or_default() {
            "server" if key.starts_with("server.timeout") => Self::Keeping,
            "server" => Self::Server,
            "folders" => Self::Folders,
            "recipients" => Self::Recipients,
            _ => Self::Keeping,
        }
    }
}
