//! A copy that is ready to be routed: the addresses for which it is, and its bytes as they are stored.

use std::{ops::Range, sync::Arc};

use bytes::Bytes;

use super::{Directory, Routing, decision::look_through};
use crate::{
    archive::{Content, Seconds, UserId, Why, cut},
    identify::{Found, Identified, Journaled, Listed, Outer, Reported, Rules, former_identity},
};

/// A copy, made ready.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub found: Found,
    pub date: Option<Seconds>,
    pub notes: u32,
    pub content: Arc<Content>,
    /// Where in it To and Cc stand, as far as they are of use to the router.
    pub addressed: Vec<Range<usize>>,
    /// The journal report around it.
    pub report: Option<Arc<Content>>,
    pub reported: Reported,
    /// Whose it is, whatever stands in it.
    pub held: Option<Held>,
}

/// A user who has a message, because the administrator says so.
#[derive(Clone, Debug)]
pub struct Held {
    pub user: Arc<str>,
    /// The user's number, where it is known; otherwise the name is looked up.
    pub id: Option<UserId>,
    pub why: Why,
    /// Nobody else gets it.
    pub alone: bool,
}

impl Prepared {
    /// Measures what of an identified copy is stored as parts. It takes as long as hashing it: for the pool. `former` is whether
    /// the archive has messages whose identities are of version 1.
    pub fn new(identified: Identified, former: bool) -> Self {
        let Identified {
            bytes,
            sha256,
            identity,
            date,
            found,
            notes,
            journal,
            addressed,
        } = identified;
        let reported = journal.reported();
        let report = match journal {
            Journaled::Around(Outer {
                bytes,
                sha256,
                identity,
                is_understood: _,
            }) => Some(content(bytes, sha256, identity, former)),
            Journaled::No | Journaled::Untrusted | Journaled::Unreadable | Journaled::Alone => None,
        };
        Self {
            found,
            date,
            notes: notes.0,
            content: content(bytes, sha256, identity, former),
            addressed,
            report,
            reported,
            held: None,
        }
    }

    /// The same, of which it is known whose it is.
    pub fn held(self, held: Option<Held>) -> Self {
        Self { held, ..self }
    }
}

impl Prepared {
    /// Looks up in `directory` all the addresses of a copy that names more than were kept. For the pool.
    pub fn looked_through(self, directory: &Directory, routing: &Routing, rules: &Rules) -> Self {
        let fetched = &self.report.as_ref().unwrap_or(&self.content).bytes;
        let found = look_through(directory, routing, rules, fetched);
        Self { found, ..self }
    }
}

fn content(bytes: Bytes, sha256: [u8; 32], identity: [u8; 32], former: bool) -> Arc<Content> {
    Arc::new(Content {
        parts: cut(&bytes),
        listed: Listed::of(&bytes),
        former: former.then(|| former_identity(&bytes)).flatten(),
        bytes,
        sha256,
        identity,
    })
}
