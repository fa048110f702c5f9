//! What a server keeps.

use std::collections::BTreeSet;

/// A message as the server holds it.
#[derive(Clone, Debug)]
pub struct Message {
    /// By which faults name it: 1 for the first that came, whatever folder it is in.
    pub id: u32,
    pub uid: u32,
    pub uidl: String,
    pub bytes: Vec<u8>,
    /// What the server takes for its size, in bytes, where that is not the truth.
    pub claimed: Option<u64>,
    pub flags: BTreeSet<String>,
}

impl Message {
    pub fn size(&self) -> u64 {
        self.claimed.unwrap_or(self.bytes.len() as u64)
    }
}

#[derive(Clone, Debug)]
pub struct Folder {
    pub name: String,
    pub uidvalidity: u32,
    pub uidnext: u32,
    pub messages: Vec<Message>,
}

impl Folder {
    /// New names for all messages, as a server gives that lost its index.
    pub fn renumber(&mut self) {
        self.uidvalidity += 1;
        self.uidnext = 1;
        for message in &mut self.messages {
            message.uid = self.uidnext;
            self.uidnext += 1;
        }
    }
}

/// Folders; the first is the INBOX, which is all that POP3 shows.
#[derive(Clone, Debug)]
pub struct Mailbox {
    pub folders: Vec<Folder>,
    next_id: u32,
}

impl Default for Mailbox {
    fn default() -> Self {
        let mut mailbox = Self {
            folders: Vec::new(),
            next_id: 1,
        };
        mailbox.add_folder("INBOX");
        mailbox
    }
}

impl Mailbox {
    pub fn with<M: Into<Vec<u8>>>(messages: impl IntoIterator<Item = M>) -> Self {
        let mut mailbox = Self::default();
        for message in messages {
            mailbox.deliver(message);
        }
        mailbox
    }

    pub fn add_folder(&mut self, name: &str) {
        self.folders.push(Folder {
            name: name.to_owned(),
            uidvalidity: 1_700_000_000 + self.folders.len() as u32,
            uidnext: 11,
            messages: Vec::new(),
        });
    }

    pub fn inbox(&mut self) -> &mut Folder {
        &mut self.folders[0]
    }

    pub fn folder(&mut self, name: &str) -> Option<&mut Folder> {
        let same = |known: &str| known == name || (known == "INBOX" && name.eq_ignore_ascii_case(known));
        self.folders.iter_mut().find(|folder| same(&folder.name))
    }

    pub fn deliver(&mut self, bytes: impl Into<Vec<u8>>) -> u32 {
        self.deliver_to("INBOX", bytes)
    }

    /// Returns the message's id.
    pub fn deliver_to(&mut self, folder: &str, bytes: impl Into<Vec<u8>>) -> u32 {
        let id = self.next_id;
        self.next_id += 1;
        let folder = self.folder(folder).expect("the folder");
        let uid = folder.uidnext;
        folder.uidnext += 1;
        folder.messages.push(Message {
            id,
            uid,
            uidl: format!("{:08x}{uid:08x}", folder.uidvalidity),
            bytes: bytes.into(),
            claimed: None,
            flags: BTreeSet::new(),
        });
        id
    }

    pub fn message(&mut self, id: u32) -> &mut Message {
        let mut messages = self.folders.iter_mut().flat_map(|folder| &mut folder.messages);
        messages.find(|message| message.id == id).expect("the message")
    }

    pub fn remove(&mut self, id: u32) {
        for folder in &mut self.folders {
            folder.messages.retain(|message| message.id != id);
        }
    }

    pub fn messages(&self) -> impl Iterator<Item = &Message> {
        self.folders.iter().flat_map(|folder| &folder.messages)
    }
}
