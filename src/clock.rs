//! The time of day. A machine's clock can be wrong and be set back; nothing here may hang on it but what is shown to
//! people. How long something takes is measured with [`std::time::Instant`], which only goes on.
//!
//! With debug assertions, `DROPKEEP_CLOCK` shifts it, for a test: by so many seconds (`-86400`), or by those in the
//! file that it names, which is read every time.

use jiff::{Zoned, tz::TimeZone};

/// Now.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// Now, on the clocks of this machine's time zone.
pub fn here() -> Zoned {
    now().to_zoned(TimeZone::system())
}

#[cfg(debug_assertions)]
pub use shifted::now;

#[cfg(debug_assertions)]
mod shifted {
    use std::sync::OnceLock;

    use jiff::{SignedDuration, Timestamp};

    const VARIABLE: &str = "DROPKEEP_CLOCK";

    /// Now.
    pub fn now() -> Timestamp {
        static SET: OnceLock<Option<String>> = OnceLock::new();
        let now = Timestamp::now();
        match SET.get_or_init(|| std::env::var(VARIABLE).ok()) {
            None => now,
            Some(set) => now.checked_add(shift(set)).unwrap_or(now),
        }
    }

    /// By how much the clock is shifted; a file that is not there, or does not hold a number, shifts it by nothing.
    pub(super) fn shift(set: &str) -> SignedDuration {
        let seconds = |text: &str| text.trim().parse().ok().map(SignedDuration::from_secs);
        let in_file = || seconds(&std::fs::read_to_string(set).ok()?);
        seconds(set).or_else(in_file).unwrap_or_default()
    }
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use jiff::SignedDuration;

    use super::shifted::shift;

    #[test]
    fn it_is_shifted_by_a_number_or_by_what_a_file_holds_at_that_moment() {
        assert_eq!(shift("-86400"), SignedDuration::from_secs(-86400));
        assert_eq!(shift("+5"), SignedDuration::from_secs(5));
        let file = tempfile::NamedTempFile::new().unwrap();
        let name = file.path().to_str().unwrap();
        assert_eq!(shift(name), SignedDuration::ZERO);
        for seconds in [7, -7] {
            std::fs::write(file.path(), format!("{seconds}\n")).unwrap();
            assert_eq!(shift(name), SignedDuration::from_secs(seconds));
        }
    }
}
