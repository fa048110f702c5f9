//! What is taken out of a source, and what became of it.

use super::CopyRef;
use crate::said::{Said, Say, said};

/// How copies are removed from the opened folder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Removal<'a> {
    Delete,
    /// Into this folder, as people read its name. It is made where it is missing.
    Move(&'a str),
}

/// What became of the copies that were to be removed, each in one of the two.
#[derive(Default, PartialEq, Eq, Debug)]
pub struct Removed {
    /// They are gone, as the server said when it was asked again. POP3: they are marked, and gone once
    /// [`close`](super::Session::close) has returned without an error.
    pub gone: Vec<CopyRef>,
    pub kept: Vec<(CopyRef, Kept)>,
}

/// Why a copy was not removed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kept {
    /// It is marked \Flagged, so somebody wants it there.
    Flagged,
    /// Other messages of the folder are marked \Deleted, and without UIDPLUS they would go with it.
    NotAlone,
    /// It was found there after the server had said that it was removed.
    Standing,
    /// In these words, of the server or of our own.
    Refused(String),
    /// It was gone before.
    Vanished,
}

impl Say for Kept {
    fn said(&self) -> Said {
        match self {
            Self::Flagged => said!(IsFlagged, "it is flagged (\\Flagged)"),
            Self::NotAlone => said!(
                NotDeletedAlone,
                "other messages of the folder are marked \\Deleted, and this server (without UIDPLUS) would delete them too; \
                 expunge the folder with a mail program"
            ),
            Self::Standing => said!(
                StillStanding,
                "it is still there, though the server said that it was removed"
            ),
            Self::Refused(words) => said!(RemovalRefused, "it was refused: {0}", Said::quoted(words)),
            Self::Vanished => said!(WasGone, "it was gone already"),
        }
    }
}
