//! What is asked of dropkeep and what it answers, whoever asks and by whatever way: requests, replies, failures and
//! exit codes. Plain types, which cross the control socket as JSON; nothing here answers anything.
//!
//! A low room. Above it, `access` decides who may ask what, `reading` answers from the store, and the appliance answers
//! everything else.

mod accounts;
mod failure;
mod import;
mod profiles;
mod reply;
mod request;
mod search;
mod shown;
mod status;
mod upkeep;
mod wrong;

pub use accounts::{
    AccountLine, AccountWish, ApplicationLine, AuditEnd, AuditFilter, AuditLine, Made, Role, SessionLine, Spoken,
};
pub use failure::{Exit, Failure, Kind};
pub use import::{Format, MboxFrom, MboxKind};
pub use profiles::{
    ChangeKind, ChangedLine, DeviceCodeLine, Form, Origin, ProfileSetup, ProfileWish, StepLine, Written,
};
pub use reply::{AddressListLine, ChangedNames, CompactedLine, EntryLine, Reloaded, Reply, RerouteLine, UserLine};
pub use request::{ListFilter, Request};
pub use search::{
    Counted, FacetsLine, FoundLine, HitLine, LONGEST_QUERY, SearchOrder, Searched, Taken, TakenForm, UnreadLine,
};
pub use shown::{OF_PART, OUTSIDE, Shown, ShownHeader, ShownJournal, ShownPart, ShownUser};
pub use status::{
    ApplianceLine, BackupLine, Failing, FirstError, GrowthLine, IndexLine, LastRun, NoticeLine, ProfileLine, SizeLine,
    VerifiedLine,
};
pub use upkeep::{DamageLine, Upkeep, Verification, VerificationLine};
pub use wrong::{Code, Wrong};
