//! The kinds of mbox, and where a message is in one.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

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

/// Where a message is in its file, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stretch {
    pub offset: u64,
    pub length: u64,
}
