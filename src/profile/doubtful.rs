//! Copies whose deletion was cut off.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::{
    ids::MessageId,
    report::DeletedCopy,
    source::{CopyRef, Listing},
};

/// Copies whose deletion was cut off: which of them are gone is seen when their folder is listed again.
#[derive(Default)]
pub struct Doubtful(Mutex<HashMap<String, HashMap<CopyRef, MessageId>>>);

impl Doubtful {
    pub fn add(&self, folder: &str, copies: HashMap<CopyRef, MessageId>) {
        let mut doubtful = self.0.lock();
        doubtful.entry(folder.to_owned()).or_default().extend(copies);
    }

    /// Those of a folder that are no longer in its listing.
    pub fn settle(&self, folder: &str, listing: &Listing) -> Vec<DeletedCopy> {
        let mut doubtful = self.0.lock();
        let Some(mut copies) = doubtful.remove(folder) else {
            return Vec::new();
        };
        for copy in listing.among(&copies.keys().cloned().collect()) {
            copies.remove(&copy);
        }
        let gone = copies.into_iter().map(|(copy, message)| DeletedCopy {
            folder: folder.to_owned(),
            copy: copy.to_string(),
            message,
        });
        gone.collect()
    }
}
