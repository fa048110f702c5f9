//! Whether an archive has all that a server sent, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    appliance::{Appliance, number, text},
    identity::{counted, identity, sha256},
};

/// The SHA-256 of each listed message, by its id.
pub fn stored(lists: &[(String, Vec<Value>)]) -> BTreeMap<u64, String> {
    let mut stored = BTreeMap::new();
    for (name, list) in lists {
        let mut own = BTreeSet::new();
        for line in list {
            let id = number(line, "id");
            assert!(own.insert(id), "message {id} is listed twice for {name}");
            let digest = text(line, "sha256");
            let before = stored.insert(id, digest.clone());
            assert!(
                before.is_none_or(|before| before == digest),
                "message {id} has two digests"
            );
        }
    }
    stored
}

/// Every message the server sent is stored, byte for byte, once; or it is the same message, by
/// identity, as one that is.
pub fn assert_nothing_is_missing(sent: &[Vec<u8>], stored: &BTreeMap<u64, String>) {
    let sent_digests = counted(sent);
    let mut digests = BTreeSet::new();
    for (id, digest) in stored {
        assert!(
            sent_digests.contains_key(digest),
            "message {id} is not what the server sent"
        );
        assert!(digests.insert(digest.as_str()), "message {id} is stored twice");
    }
    let identities: BTreeSet<_> = sent
        .iter()
        .filter(|message| digests.contains(sha256(message).as_str()))
        .map(|message| identity(message))
        .collect();
    for message in sent {
        let digest = sha256(message);
        assert!(
            digests.contains(digest.as_str()) || identities.contains(&identity(message)),
            "message {digest} is missing:\n{}",
            String::from_utf8_lossy(&message[..message.len().min(2_000)])
        );
    }
}

/// Reads every `step`-th message back: some by commands that open the store themselves, the rest through a running
/// appliance, from two sides at once.
pub fn assert_read_back(appliance: &Appliance, stored: &BTreeMap<u64, String>, step: usize) {
    let compare = |(id, digest): (&u64, &String)| assert_eq!(sha256(&appliance.raw(*id)), *digest, "message {id}");
    stored.iter().step_by(stored.len().div_ceil(20)).for_each(compare);
    let serving = appliance.serve();
    std::thread::scope(|scope| {
        for half in 0..2 {
            scope.spawn(move || stored.iter().step_by(step).skip(half).step_by(2).for_each(compare));
        }
    });
    serving.stop().expect(0);
}
