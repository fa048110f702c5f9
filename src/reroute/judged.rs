//! For whom a message was found to be.

use std::sync::Arc;

use super::book::Ruled;
use crate::{archive::StoreError, identify::Found, ids::FolderNumber, message::Address, report::NoRules, said::Said};

/// For whom a message is.
#[derive(Default)]
pub(super) struct Judged {
    /// The rules by which somebody lacks it, and what they find in it.
    pub by: Vec<By>,
    /// Who lacks it, and who has it.
    pub lacking: Vec<String>,
    pub having: Vec<String>,
    /// The addresses of ours that nobody has.
    pub unknown: Vec<Address>,
    /// Retired users who keep it for themselves, though one of their addresses is somebody else's now.
    pub kept_by: Vec<String>,
    /// Whom they keep it from.
    pub kept_from: Vec<String>,
    /// Where it is only supposed: users who would be made for it, and addresses for which nobody would be made any
    /// more, by whose rules and limit.
    pub created: Vec<String>,
    pub over_limit: Vec<(Address, String, u32)>,
}

pub(super) struct By {
    pub ruled: Arc<Ruled>,
    pub folder: FolderNumber,
    pub found: Found,
}

/// Why a message could not be judged, or not be filed.
pub(super) enum Fault {
    /// It is not known by whose rules.
    NoRules(NoRules),
    Message(&'static str, Said),
    /// The store takes no more.
    Store(StoreError),
}

pub(super) fn put_all<T: PartialEq>(list: &mut Vec<T>, more: impl IntoIterator<Item = T>) {
    for one in more {
        if !list.contains(&one) {
            list.push(one);
        }
    }
}
