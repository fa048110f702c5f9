//! A copy made ready to be routed: for whom it is by what stands in it, and its bytes as they are stored.

use std::sync::Arc;

use bytes::Bytes;

use crate::{
    archive::{Content, Seconds, cut},
    identify::{Found, Identified, Journaled, Outer, Reported},
};

/// A copy, made ready.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub found: Found,
    pub date: Option<Seconds>,
    pub notes: u32,
    pub content: Arc<Content>,
    /// The journal report around it.
    pub report: Option<Arc<Content>>,
    pub reported: Reported,
}

impl Prepared {
    /// Measures what of an identified copy is stored as parts. It takes as long as hashing it: for the pool.
    pub fn new(identified: Identified) -> Self {
        let Identified {
            bytes,
            sha256,
            identity,
            date,
            found,
            notes,
            journal,
        } = identified;
        let reported = journal.reported();
        let report = match journal {
            Journaled::Around(Outer {
                bytes,
                sha256,
                identity,
            }) => Some(content(bytes, sha256, identity)),
            Journaled::No | Journaled::Untrusted | Journaled::Alone => None,
        };
        Self {
            found,
            date,
            notes: notes.0,
            content: content(bytes, sha256, identity),
            report,
            reported,
        }
    }
}

fn content(bytes: Bytes, sha256: [u8; 32], identity: [u8; 32]) -> Arc<Content> {
    Arc::new(Content {
        parts: cut(&bytes),
        bytes,
        sha256,
        identity,
    })
}
