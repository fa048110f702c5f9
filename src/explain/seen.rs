//! Which profiles saw a message in their mailboxes, whoever archived it first.

use roaring::RoaringTreemap;

use crate::{
    archive::{FolderNumber, MessageId, Source, Store, StoreError},
    config::{Config, Profile},
};

/// The messages that a profile saw in a folder.
pub struct Seen {
    pub profile: String,
    /// A number of the catalog's `folders`.
    pub folder: FolderNumber,
    messages: RoaringTreemap,
}

impl Seen {
    pub fn includes(&self, id: MessageId) -> bool {
        self.messages.contains(id.0)
    }
}

/// What the profiles of the configuration saw. A mailbox belongs to whatever profile has it now, so that a profile
/// which was renamed saw what it saw before. Of several profiles with one mailbox, a folder is that of the only one
/// that names it.
///
/// # Errors
/// The store cannot be read.
pub fn seen(config: &Config, store: &Store) -> Result<Vec<Seen>, StoreError> {
    let mut all = Vec::new();
    let sources: Vec<_> = config
        .profile
        .iter()
        .map(|profile| Source::of(&profile.server))
        .collect();
    for (at, source) in sources.iter().enumerate() {
        if sources[..at].contains(source) {
            continue;
        }
        let profiles = config.profile.iter().zip(&sources);
        let profiles: Vec<&Profile> = profiles
            .filter(|(_, other)| *other == source)
            .map(|(it, _)| it)
            .collect();
        for (folder, messages) in store.seen_in(source)? {
            let name = store.folder(folder)?.unwrap_or_default();
            let named = profiles
                .iter()
                .filter(|profile| profile.folders.include.contains(&name));
            let named: Vec<_> = named.collect();
            let profile = match (&*profiles, &*named) {
                ([only], _) => only,
                (_, [only]) => only,
                _ => continue,
            };
            all.push(Seen {
                profile: profile.name.clone(),
                folder,
                messages,
            });
        }
    }
    Ok(all)
}
