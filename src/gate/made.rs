//! New secrets of accounts.

use crate::{
    access::{
        ApplicationPassword, Hidden,
        words::{NoRandom, digest, random, spelled, typed},
    },
    api::Spoken,
    ids::Seconds,
};

/// Bytes of an application password: too many to be guessed.
const APPLICATION_PASSWORD: usize = 20;

/// A new application password, and what is kept of it.
///
/// # Errors
/// The machine gives no random numbers.
pub fn application_password(
    kind: &'static str,
    name: &str,
    now: Seconds,
) -> Result<(Spoken, ApplicationPassword), NoRandom> {
    let password = spelled(&random::<APPLICATION_PASSWORD>()?);
    let kept = ApplicationPassword {
        name: name.to_owned(),
        digest: Hidden(digest(kind, typed(&password).as_bytes())),
        made: now,
        used: None,
    };
    Ok((Spoken::new(password), kept))
}
