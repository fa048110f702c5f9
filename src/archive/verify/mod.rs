//! Verifying: the whole archive is read back, every digest is computed again, every reference followed both ways.
//!
//! The order of things, as `plan` has it:
//!
//! 1. files: the environments' lengths, the digests of sealed volumes, the pages of each LMDB file;
//! 2. tables: each row of the catalog, found by going through and by its key, compared with those it names;
//! 3. sums: whether the tables of filings, of holders and the ledger say the same, or else where they do not;
//! 4. messages: their rows, their bytes (SHA-256, parts, identity);
//! 5. the rest: identities that do not come out even, parts that nobody names, blocks that no message needed; and last,
//!    sums and counts.
//!
//! LMDB can end the process over a damaged page, so all reading is done by a child (`work`), which says what it is
//! about to do. The parent (`supervise`) never opens LMDB. Where a child dies the `logbook` finds out over what: what
//! went on is done again step by step, the step that kills is noted as a damage, and the next child goes on behind it.
//! Nothing is written, and an appliance may run meanwhile: what it adds is left to the next time.

mod again;
mod around;
mod audit;
mod balance;
mod blocks;
mod context;
mod damage;
mod digests;
mod files;
mod filings;
mod found;
mod identities;
mod ledger;
mod logbook;
mod messages;
mod near;
mod nightly;
mod packed;
mod people;
mod plan;
mod remedy;
mod rounds;
mod scan;
mod selected;
mod stretches;
mod sums;
mod supervise;
mod table;
mod tables;
mod together;
mod totals;
mod uneven;
mod usage;
mod waiting;
mod words;
mod work;

pub use damage::{Damage, Kind};
pub use found::Found;
pub use nightly::{Nightly, TellDamage};
pub use plan::Selection;
pub use remedy::Remedies;
pub use rounds::Rounds;
pub use stretches::Sample;
pub use supervise::{READER, reader, verify, verify_beside};

/// What is said on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Damage(Damage),
    /// Something worth knowing that is no damage.
    Note(String),
    Progress {
        /// Bytes of mail read back, of how many.
        bytes: u64,
        of: u64,
        /// What is looked at.
        doing: &'static str,
    },
}

/// How a verification came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub ok: bool,
    /// Messages read back, and their bytes as they came.
    pub messages: u64,
    pub bytes: u64,
    pub damages: u64,
}

/// Why nothing could be verified.
#[derive(thiserror::Error, Debug, Clone, PartialEq, Eq)]
pub enum VerifyError {
    /// The command was wrong: an unknown user or volume.
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    Store(String),
    #[error("cannot start the process that reads the archive: {0}")]
    Reader(String),
    /// Whoever asked did not want it to go on.
    #[error("interrupted")]
    Interrupted,
}

impl From<super::StoreError> for VerifyError {
    fn from(error: super::StoreError) -> Self {
        Self::Store(error.to_string())
    }
}

#[cfg(test)]
mod filing_tests;
#[cfg(test)]
mod identity_tests;
#[cfg(test)]
mod ledger_row_tests;
#[cfg(test)]
mod name_tests;
#[cfg(test)]
mod row_tests;
#[cfg(test)]
mod tests;
