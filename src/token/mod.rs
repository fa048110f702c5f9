//! Access tokens: what a profile logs in with where its server takes no passwords (OAuth 2.0, RFC 6749).
//!
//! [`Login`] is what a profile needs of it. Below that:
//!
//! - `keeper` gives a token that is good, and has it renewed when it is not; one at a time, in all processes.
//! - `device` is how somebody logs in once, by a code.
//! - `grant` says what is asked of the token endpoint and what it answers (pure).
//! - `file` keeps what was given out, `key` encrypts it.

mod device;
mod error;
mod file;
mod grant;
mod keeper;
mod key;
mod login;

use std::path::Path;

use file::TokenFile;

pub use device::{DeviceCode, begin as begin_log_in, finish as finish_log_in};
pub use error::{Blame, TokenError};
pub use keeper::TokenKeeper;
pub use key::{Key, key_fault, new_key};
pub use login::{Login, LoginError};

/// Forgets the tokens of a profile that was removed.
///
/// # Errors
/// They are still there, or may be after a crash.
pub fn forget(data_dir: &Path, profile: &str) -> Result<(), TokenError> {
    TokenFile::new(data_dir, profile).remove()
}
