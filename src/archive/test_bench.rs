//! What the archive's tests share: a store at work, what is filed in it, and whether it is still there.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::{
    deposit::{Settled, Verdict},
    order::Tidying,
    *,
};
use crate::config::Config;
use crate::identify::{Digests, Listed};

#[path = "../../tests/support/disks.rs"]
mod disks;

pub(crate) use disks::another_disk;

/// What was filed, by message.
pub(crate) type Kept = BTreeMap<MessageId, String>;

pub(crate) struct Bench {
    pub store: Arc<Store>,
    pub committer: Committer,
    thread: std::thread::JoinHandle<()>,
}

impl Bench {
    pub fn open(config: &Config) -> Self {
        let store = Arc::new(Store::open(config).unwrap());
        let (committer, thread) = Committer::start(store.clone(), 64 << 20).unwrap();
        Self {
            store,
            committer,
            thread,
        }
    }

    pub async fn file(&self, bytes: &str, uid: u32, users: &[UserId]) -> Filed {
        let copy = CopyKey::Imap {
            source: SourceNumber(1),
            folder: FolderNumber(1),
            uidvalidity: 7,
            uid,
        };
        let deposit = Deposit {
            copy: Some(Named {
                key: copy,
                traits: Traits::default(),
            }),
            // For these tests, copies are the same message when they begin alike.
            content: Arc::new(Content {
                identity: *blake3::hash(&bytes.as_bytes()[..bytes.len().min(4)]).as_bytes(),
                ..content(bytes.as_bytes())
            }),
            date: 1000 + i64::from(uid),
            archived_at: 5000,
            ..deposit(bytes.as_bytes())
        };
        self.hand_in(deposit, users).await.unwrap()
    }

    /// Hands a deposit to the committer, as the router does; the answer comes after the commit.
    pub async fn hand_in(&self, deposit: Deposit, users: &[UserId]) -> Result<Filed, StoreError> {
        let window = vec![self.settled(deposit, users)];
        self.committer.file(window).await.remove(0)
    }

    /// A deposit with what the archives of `users` say of it.
    pub fn settled(&self, deposit: Deposit, users: &[UserId]) -> Shared {
        let settled = users.iter().map(|user| Settled {
            user: *user,
            why: Why::To,
            verdict: match self.store.held(&deposit.content.identity, *user).unwrap() {
                Some(message) => Verdict::Held(message),
                None => Verdict::New,
            },
        });
        let settled = settled.collect();
        Shared { deposit, settled }
    }

    /// The messages of a user, oldest first.
    pub fn list(&self, user: UserId) -> Vec<Entry> {
        let all = self.store.all_filings(user, Page::first(Direction::Up));
        all.collect::<Result<_, _>>().unwrap()
    }

    /// Closes the store, as the end of a process does.
    pub fn close(self) {
        drop(self.committer);
        self.thread.join().unwrap();
    }
}

/// Lines of hexadecimal noise, which are no base64: so many bytes, others for each number.
pub(crate) fn noise(number: u32, length: usize) -> String {
    let line = |n: u32| format!("!{}\n", blake3::hash(&[number.to_le_bytes(), n.to_le_bytes()].concat()));
    let mut noise: String = (0..).map(line).take(length / 64 + 1).collect();
    noise.truncate(length);
    noise
}

/// Seals what is full, on a thread of its own as the housekeeper does.
pub(crate) fn seal_all(bench: &Bench) {
    std::thread::scope(|scope| {
        let seal = || seal_full_volumes(&bench.store, &bench.committer, &|| true).unwrap();
        scope.spawn(seal).join().unwrap();
    });
}

/// Has the store kept in order, from a thread that may wait.
pub(super) fn tidy(bench: &Bench, tidying: Tidying) -> u64 {
    std::thread::scope(|scope| scope.spawn(|| bench.committer.tidy(tidying).unwrap()).join().unwrap())
}

/// Has nothing more written into the present volume.
pub(super) fn close_volume(bench: &Bench) {
    tidy(bench, Tidying::CloseVolume);
}

pub(crate) fn config(folder: &tempfile::TempDir) -> Config {
    Config {
        data_dir: folder.path().join("data"),
        ..Config::default()
    }
}

/// A deposit of these bytes, of no copy and no date.
pub(crate) fn deposit(bytes: &[u8]) -> Deposit {
    Deposit {
        copy: None,
        folder: FolderNumber(1),
        run: RunId(1),
        content: Arc::new(content(bytes)),
        report: None,
        date: 0,
        archived_at: 0,
        notes: 0,
        unclaimed: Vec::new(),
        new_users: Vec::new(),
    }
}

pub(crate) fn content(bytes: &[u8]) -> Content {
    let bytes = Bytes::copy_from_slice(bytes);
    let digests = Digests {
        sha256: Sha256::digest(&bytes).into(),
        identity: *blake3::hash(&bytes).as_bytes(),
    };
    let listed = Listed::of(&bytes);
    Content::new(bytes, digests, listed, false)
}

/// The store holds these messages, to the last byte, and no others.
pub(crate) fn assert_holds(store: &Store, kept: &Kept) {
    let mut retrieval = Retrieval::new(store);
    for (id, bytes) in kept {
        let message = store.message(*id).unwrap().unwrap();
        assert!(
            retrieval.raw(*id, &message).unwrap() == bytes.as_bytes(),
            "message {id}"
        );
    }
    assert_eq!(store.totals().unwrap().0, kept.len() as u64);
}
