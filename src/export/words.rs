//! What the two processes of an export say to each other: JSON, a line each.

use serde::{Deserialize, Serialize};

use super::{Damage, Selection};
use crate::{
    api::Exit,
    archive::{MessageId, UserId},
};

/// What the reading process is to do: its first line of input. Its input stays open as long as it is to go on.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Job {
    pub selection: Selection,
    /// Users below are done.
    pub first_user: UserId,
    pub avoided: Avoided,
}

/// Over what earlier processes died.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Avoided {
    pub messages: Vec<MessageId>,
    /// Blocks, with their volumes.
    pub blocks: Vec<(u32, u64)>,
    /// Volumes over which so many died that they are not read any more.
    pub volumes: Vec<u32>,
    /// Users whose lists ended them, and how many entries of the list could be read.
    pub lists: Vec<(UserId, u64)>,
    /// Whether one died before it came to any user: then it is not looked which store it is.
    pub identification: bool,
}

/// What the reading process says. What it says before it reads names the culprit if it dies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// All is found as it should be; so many users, and so many messages where that is known.
    Plan { users: u64, messages: Option<u64> },
    /// The next user.
    User { id: UserId, name: String },
    /// So many messages of the user are there already.
    Already { messages: u64 },
    /// So many entries of the user's list are read, and what was not there of them is written.
    Listed { entries: u64 },
    /// About to read in a block, for a message that begins in it.
    Block {
        message: MessageId,
        volume: u32,
        block: u64,
    },
    /// About to read a message.
    Message { message: MessageId, volume: u32 },
    /// The message is written.
    Written,
    /// It still looks at what is there already.
    Alive,
    /// About to wait for the disk.
    Syncing,
    /// What was written is on disk, and noted: so many messages and bytes.
    Kept { messages: u64, bytes: u64 },
    /// Something cannot be read and is skipped.
    Damaged(Damage),
    /// All is done.
    Done,
    /// It ends before all is done.
    Failed { error: String, exit: Exit },
}
