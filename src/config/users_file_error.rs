//! What can be wrong with a users file.

use std::{fmt, path::PathBuf};

use crate::{
    account::absolute,
    message::{Address, EntryError, no_user_name},
};

/// What is wrong with a users file, and where.
#[derive(thiserror::Error, Clone, Debug, PartialEq, Eq)]
#[error("users_file {}{}{} {problem}", absolute(file).display(), OnLine(*line), problem.colon())]
pub struct UsersFileError {
    pub file: PathBuf,
    pub line: Option<usize>,
    pub problem: UsersFileProblem,
}

struct OnLine(Option<usize>);

impl fmt::Display for OnLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |line| write!(f, ", line {line}"))
    }
}

#[derive(thiserror::Error, Clone, Debug, PartialEq, Eq)]
pub enum UsersFileProblem {
    #[error("{0}")]
    Unreadable(String),
    #[error("is not UTF-8: save the file as UTF-8")]
    NotUtf8,
    #[error("a field goes on beyond the end of its line; is a closing quote missing?")]
    OpenQuote,
    #[error("{}", no_user_name(name, why))]
    Name { name: String, why: &'static str },
    #[error("{0:?} has no address; write name,address,address,… with commas between the fields")]
    NoAddress(String),
    #[error("semicolons between the fields; save the file with commas: name,address,address,…")]
    Semicolons,
    #[error("{0:?} is not an address. If this line is a heading, write name,address")]
    Heading(String),
    #[error("{0}; put it right, or take it out")]
    Address(EntryError),
    #[error("{address} is an address of {other:?}{} already; leave it to one of them", OnLine(*line))]
    Taken {
        address: Address,
        other: String,
        line: Option<usize>,
    },
    #[error("{0} is the address of a list; no user can have it")]
    List(Address),
    #[error("{0:?} is a [[user]] in the configuration too; remove it from one of them")]
    Twice(String),
    #[error("names no user; to have none, take users_file out of the configuration")]
    Empty,
    /// Users who were added by commands stand in the way, or the store does not take the change.
    #[error("{0}")]
    Store(String),
}

impl UsersFileProblem {
    /// What stands before it, where it does not go on with the sentence that the file begins.
    fn colon(&self) -> &'static str {
        match self {
            Self::Unreadable(_) | Self::NotUtf8 | Self::Empty => "",
            _ => ":",
        }
    }
}
