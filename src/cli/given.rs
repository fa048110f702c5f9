//! What several commands are given.

use crate::{
    api::Failure,
    config::{Config, Profile},
};

/// For a command that makes an archive where there is none.
#[derive(clap::Args, Clone, Copy, Debug)]
pub struct New {
    /// Make a new archive, even if this configuration had an archive before.
    #[arg(long)]
    pub new: bool,
}

/// The profile of this name; where none is named, the only one.
pub fn only_profile<'c>(config: &'c Config, name: Option<&str>) -> Result<&'c Profile, Failure> {
    match (name, config.profile.as_slice()) {
        (Some(name), _) => Ok(config.profile(name)?),
        (None, [only]) => Ok(only),
        (None, []) => Err(Failure::usage(
            "the configuration has no profile: write one ([[profile]] and [profile.server])",
        )),
        (None, several) => {
            let names: Vec<&str> = several.iter().map(|profile| profile.name.as_str()).collect();
            Err(Failure::usage(format!("which profile? There are {}", names.join(", "))))
        }
    }
}
