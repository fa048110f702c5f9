//! What is wrong with a file that is not what it was.

use std::fmt::{self, Display};

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Absence {
    NotThere,
    /// It is there without anything in it.
    Empty,
    CutShort {
        has: u64,
        had: u64,
    },
    NoVolume,
    /// It is not the one that is open, or was known.
    Other,
    /// It is a volume of another archive.
    OfAnother,
    /// It is a volume as it was before, without what the catalog has in it.
    Older,
    /// It cannot even be looked at.
    Unknown(String),
}

impl Display for Absence {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotThere => write!(out, "does not exist"),
            Self::Empty => write!(out, "is empty"),
            Self::CutShort { has, had } => write!(out, "has {has} bytes, but had {had}"),
            Self::NoVolume => write!(out, "is truncated, or not a volume"),
            Self::Other => write!(out, "is not the same file as before"),
            Self::OfAnother => write!(out, "belongs to another archive"),
            Self::Older => write!(out, "is older than the catalog, without the mail archived since"),
            Self::Unknown(why) => write!(out, "cannot be accessed ({why})"),
        }
    }
}
