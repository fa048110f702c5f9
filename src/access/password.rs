//! Passwords: what is kept of one (argon2id, as a PHC string, with its parameters), and whether one is right.

use std::sync::LazyLock;

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString},
};
use icu_normalizer::ComposingNormalizerBorrowed;

use super::{
    Hidden,
    words::{NoRandom, random},
};
use crate::api::{Code, Wrong};

/// What a password costs whoever tries it: memory in KiB, passes over it, lanes. OWASP's first choice with 46 MiB and
/// one pass, and its equal with 19 MiB and two, are the least that it recommends (Password Storage Cheat Sheet); this is
/// the second with more passes, so that many log-ins at once take little memory.
const MEMORY: u32 = 19 * 1024;
const PASSES: u32 = 8;
const LANES: u32 = 1;

/// What a password is at least, in characters, and at most, in bytes (NIST SP 800-63B).
const SHORTEST: usize = 10;
const LONGEST: usize = 1024;

/// Bytes of a salt.
const SALT: usize = 16;

/// What is kept of a password.
pub type Kept = Hidden<String>;

/// Why a password is not taken.
#[derive(thiserror::Error, Clone, Debug, PartialEq, Eq)]
pub enum PasswordError {
    #[error("the password is too short: take {SHORTEST} characters or more")]
    Short,
    #[error("the password is longer than {LONGEST} bytes")]
    Long,
    #[error("the password is the account's name: take another one")]
    Name,
    #[error(transparent)]
    NoRandom(#[from] NoRandom),
    #[error("cannot compute what is kept of the password: {0}")]
    Failed(String),
}

impl PasswordError {
    /// The same for whoever says it in other words; nothing of what is nobody's mistake.
    pub fn wrong(&self) -> Option<Wrong> {
        Some(match self {
            Self::Short => Wrong::new(Code::PasswordShort, &[&SHORTEST]),
            Self::Long => Wrong::new(Code::PasswordLong, &[&LONGEST]),
            Self::Name => Code::PasswordIsName.into(),
            Self::NoRandom(_) | Self::Failed(_) => return None,
        })
    }
}

/// What is kept where there is no account, so that a log-in to it takes as long as any other: a salt and a hash of zeros, at
/// the usual cost. What it is the hash of, nobody knows.
static NOBODYS: LazyLock<Kept> = LazyLock::new(|| {
    let zeros = |bytes: usize| "A".repeat((bytes * 8).div_ceil(6));
    let (salt, hash) = (zeros(SALT), zeros(Params::DEFAULT_OUTPUT_LEN));
    Hidden(format!("$argon2id$v=19$m={MEMORY},t={PASSES},p={LANES}${salt}${hash}"))
});

/// Whether a new password of the account of this name is one to be taken.
///
/// # Errors
/// It is too short or too long, or the name.
pub fn acceptable(name: &str, password: &str) -> Result<(), PasswordError> {
    if password.chars().count() < SHORTEST {
        return Err(PasswordError::Short);
    }
    if password.len() > LONGEST {
        return Err(PasswordError::Long);
    }
    if password.to_lowercase() == name.to_lowercase() {
        return Err(PasswordError::Name);
    }
    Ok(())
}

/// What is kept of a password. Takes a tenth of a second and [`MEMORY`].
///
/// # Errors
/// The machine gives no random numbers, or not that much memory.
pub fn kept(password: &str) -> Result<Kept, PasswordError> {
    let failed = |error: argon2::password_hash::Error| PasswordError::Failed(error.to_string());
    let salt = SaltString::encode_b64(&random::<SALT>()?).map_err(failed)?;
    let hash = hasher()?.hash_password(&bytes(password), &salt).map_err(failed)?;
    Ok(Hidden(hash.to_string()))
}

/// Whether `password` is the one of which `kept` is kept; where there is none, as much work is done, in vain.
pub fn is_right(password: &str, kept: Option<&Kept>) -> bool {
    let known = kept.unwrap_or(&NOBODYS);
    // A longer one is nobody's.
    let tried = if password.len() <= LONGEST { password } else { "" };
    let matches =
        PasswordHash::new(&known.0).is_ok_and(|hash| Argon2::default().verify_password(&bytes(tried), &hash).is_ok());
    matches && kept.is_some() && password.len() <= LONGEST
}

/// Whether it was kept at another cost than is usual now.
pub fn is_dated(kept: &Kept) -> bool {
    let usual = |hash: PasswordHash| {
        let params = Params::try_from(&hash).ok()?;
        let same = (params.m_cost(), params.t_cost(), params.p_cost()) == (MEMORY, PASSES, LANES);
        Some(same && hash.algorithm == Algorithm::Argon2id.ident())
    };
    !PasswordHash::new(&kept.0).ok().and_then(usual).unwrap_or(false)
}

fn hasher() -> Result<Argon2<'static>, PasswordError> {
    let params = Params::new(MEMORY, PASSES, LANES, None).map_err(|error| PasswordError::Failed(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The same bytes from every keyboard: an é may come as one character, or as a letter with an accent.
fn bytes(password: &str) -> Vec<u8> {
    ComposingNormalizerBorrowed::new_nfc()
        .normalize(password)
        .into_owned()
        .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_again_and_no_other() {
        let one = kept("Caf\u{e9} au lait").unwrap();
        assert!(one.0.starts_with("$argon2id$v=19$m=19456,t=8,p=1$"), "{}", one.0);
        assert_ne!(one, kept("Caf\u{e9} au lait").unwrap(), "each has its own salt");
        assert!(is_right("Cafe\u{301} au lait", Some(&one)));
        assert!(!is_right("cafe au lait", Some(&one)));
        assert!(!is_right("", Some(&one)));
        assert!(!is_right(&"x".repeat(LONGEST + 1), Some(&kept("").unwrap())));
        assert!(!is_right("nobody has this password", None));
        assert!(!is_dated(&NOBODYS));
        assert!(!is_dated(&one));
        let dated = "$argon2id$v=19$m=4096,t=3,p=1$c2FsdHNhbHRzYWx0$bm90aGluZ25vdGhpbmdub3RoaW5nbm90aGluZ25vdGg";
        assert!(is_dated(&Hidden(dated.to_owned())));
        assert!(!is_right("x", Some(&Hidden("no hash".into()))));
    }

    #[test]
    fn a_try_where_there_is_no_account_took_less_time() {
        use rustix::time::{ClockId, clock_gettime};
        let kept = kept("correct horse").unwrap();
        // The time of this thread alone, at its best of several, in turns: what else runs fills the caches now and then.
        let took = |kept: Option<&Kept>| {
            let now = || clock_gettime(ClockId::ThreadCPUTime);
            let began = now();
            assert!(!is_right("wrong wrong", kept));
            let (began, ended) = (began, now());
            (ended.tv_sec - began.tv_sec) * 1_000_000 + (ended.tv_nsec - began.tv_nsec) / 1_000
        };
        let rounds = (0..10).map(|_| (took(Some(&kept)), took(None)));
        let (known, unknown) = rounds.fold((i64::MAX, i64::MAX), |(known, unknown), round| {
            (known.min(round.0), unknown.min(round.1))
        });
        assert!(
            unknown * 10 > known * 8 && known * 10 > unknown * 8,
            "{known} and {unknown} µs"
        );
        println!("a try takes {known} µs");
    }

    #[test]
    fn what_is_too_easy_is_refused() {
        assert_eq!(acceptable("jane", "123456789"), Err(PasswordError::Short));
        assert_eq!(acceptable("jane", &"x".repeat(1025)), Err(PasswordError::Long));
        assert_eq!(acceptable("jane.doe@x", "Jane.Doe@X"), Err(PasswordError::Name));
        assert_eq!(acceptable("jane", "ten letter"), Ok(()));
    }
}
