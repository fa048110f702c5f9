//! A copy that is ready to be routed: the addresses for which it is, and its bytes as they are stored.

use std::{ops::Range, sync::Arc};

use super::{Directory, Routing, decision::look_through};
use crate::{
    archive::{Content, Named, Seconds, UserId, Why},
    identify::{Digests, Found, Identified, Journaled, Outer, Reported, Rules},
};

/// A copy, made ready.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// What the cursor notes as done; `None` for a copy without a name that lasts.
    pub copy: Option<Named>,
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
    /// Cuts an identified copy into what is stored. It takes as long as hashing it: for the pool. `has_former` is
    /// whether the archive has messages whose identities are of version 1.
    pub fn new(identified: Identified, has_former: bool, copy: Option<Named>, held: Option<Held>) -> Self {
        let Identified {
            bytes,
            sha256,
            identity,
            header: _,
            date,
            found,
            notes,
            journal,
            addressed,
            listed,
        } = identified;
        let content = |bytes, sha256, identity, listed| {
            Arc::new(Content::new(bytes, Digests { sha256, identity }, listed, has_former))
        };
        let reported = journal.reported();
        let report = match journal {
            Journaled::Around(outer) => {
                let Outer {
                    bytes,
                    sha256,
                    identity,
                    listed,
                    is_understood: _,
                } = *outer;
                Some(content(bytes, sha256, identity, listed))
            }
            Journaled::No | Journaled::Untrusted | Journaled::Unreadable | Journaled::Alone => None,
        };
        Self {
            copy,
            found,
            date,
            notes: notes.0,
            content: content(bytes, sha256, identity, listed),
            addressed,
            report,
            reported,
            held,
        }
    }

    /// Looks up in `directory` all the addresses of a copy that names more than were kept. For the pool.
    pub fn looked_through(self, directory: &Directory, routing: &Routing, rules: &Rules) -> Self {
        let fetched = &self.report.as_ref().unwrap_or(&self.content).bytes;
        let found = look_through(directory, routing, rules, fetched);
        Self { found, ..self }
    }
}
