//! Profiles and lists that are kept in the catalog, beside those of the configuration file. They are the same in every way: the
//! same keys, checks and words. The catalog has the keys as JSON, and the secrets apart from them, encrypted.
//!
//! - `merge` makes of a configuration the one that is in force: with the profiles that are kept.
//! - `plan` is what somebody wants to change: checked, and ready to be written.
//! - `setups` is how profiles are shown, and given away as TOML.
//! - `wrong` is what exactly is wrong with a key, in no words.
//! - `lists` are lists; they have no secrets.
//! - `secrets` are where in a profile (pure); `sealing` encrypts them, each bound to its profile and place.

mod lists;
mod mended;
mod merge;
mod plan;
mod sealing;
mod secrets;
mod setups;
mod wrong;

pub use lists::{changed as changed_lists, renamed as renamed_in_lists};
pub use merge::{NotInForce, merge, merge_from};
pub use plan::{ByOwner, Planned, check, import, plan, read};
pub use setups::setups;
