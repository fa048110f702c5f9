//! How the files of an import are to be read.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// What is to be read out of files and folders.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Look at each file and folder.
    #[default]
    Auto,
    /// Each file is one message.
    Eml,
    /// Each file holds any number of messages.
    Mbox,
    /// Only folders with `cur` and `new` are read.
    Maildir,
}

/// Which kind of mbox a file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum MboxKind {
    /// Look: where each message has a Content-Length that ends where the next message begins, it is mboxcl2 if a
    /// message has an unquoted `From ` line, else mboxcl. All others are mboxrd.
    #[default]
    Auto,
    /// Lines such as `>From ` and `>>From ` lose one `>`.
    Mboxrd,
    /// Lines that begin with `>From ` lose the `>`, and no others.
    Mboxo,
    /// Content-Length says where a message ends; quoted as mboxo.
    Mboxcl,
    /// Content-Length says where a message ends; nothing is quoted.
    Mboxcl2,
}

/// What counts where it is in doubt whether a line separates messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum MboxFrom {
    /// It begins a message.
    Loose,
    /// It is text; it begins a message only with a date, an empty line before it and a header behind it.
    Strict,
}
