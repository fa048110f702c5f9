//! INTERNALDATE, as RFC 9051 writes it (date-time): `17-Jul-1996 02:44:25 -0700`, the day padded with a space.

use crate::identify::plain_date;

/// The same for jiff.
const FORM: &str = "%d-%b-%Y %H:%M:%S %z";

/// Seconds since 1970 UTC; `None` where it is none.
pub(super) fn internal_date(text: &[u8]) -> Option<i64> {
    let text = text.trim_ascii();
    plain_date(text, b'-').or_else(|| by_jiff(text))
}

fn by_jiff(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    let moment = jiff::Timestamp::strptime(FORM, text).ok()?;
    Some(moment.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_date_is_read_as_it_is_written() {
        assert_eq!(internal_date(b" 7-Jul-1996 02:44:25 -0700"), Some(836_732_665));
        assert_eq!(internal_date(b"01-Jan-1601 00:00:00 +0000"), Some(-11_644_473_600));
        assert_eq!(internal_date(b"31-Feb-1996 02:44:25 -0700"), None);
        assert_eq!(internal_date(b"17 Jul 1996"), None);
        assert_eq!(internal_date("17-Jul-1996 02:44:25 \u{e9}0700".as_bytes()), None);
    }

    proptest! {
        #[test]
        fn what_is_read_at_sight_is_what_its_form_says(
            text in "([1-9]|[0-3][0-9])-(Jan|feb|MAR|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)-(19|20|29|00)[0-9]{2} \
                [0-2][0-9]:[0-6][0-9]:[0-6][0-9] [+-][0-2][0-9][0-6][0-9]",
        ) {
            if let Some(read) = plain_date(text.as_bytes(), b'-') {
                prop_assert_eq!(Some(read), by_jiff(text.as_bytes()));
            }
        }
    }
}
