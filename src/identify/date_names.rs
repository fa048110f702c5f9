//! The names in dates: of months, days and zones.

#[derive(Clone, Copy)]
pub(super) struct Zone {
    /// East of UTC.
    pub minutes: i32,
    pub is_known: bool,
}

pub(super) const UTC: Zone = Zone {
    minutes: 0,
    is_known: true,
};
pub(super) const UNKNOWN: Zone = Zone {
    minutes: 0,
    is_known: false,
};

/// The letters of a name that are ASCII, in lower case, as many as tell names apart.
fn letters(word: &[u8]) -> ([u8; 12], usize) {
    let (mut letters, mut length) = ([0; 12], 0);
    let ascii = word.iter().filter(|byte| byte.is_ascii());
    for (place, byte) in letters.iter_mut().zip(ascii) {
        *place = byte.to_ascii_lowercase();
        length += 1;
    }
    (letters, length)
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
/// How names begin in other languages of Europe, where they do not as in English; letters beyond ASCII left out.
const OTHER_MONTHS: [&str; 12] = [
    "januar janv gen ene jnner",
    "febr fev fvr fv",
    "mr maerz maart mars marzo",
    "aprile abr avr",
    "mai mei mag maj mayo",
    "juni junho juin giu",
    "juli julho juil lug",
    "augustus ago aot",
    "septi septem set",
    "okt octub octobre ott out",
    "novi novem",
    "decem dez dic dc",
];

pub(super) fn month(word: &[u8]) -> Option<i8> {
    let (letters, length) = letters(word);
    let name = std::str::from_utf8(&letters[..length]).ok()?;
    let english = MONTHS
        .iter()
        .position(|month| length >= 3 && length == word.len() && month.starts_with(name));
    let begins = |names: &str| names.split(' ').any(|beginning| name.starts_with(beginning));
    let month = english.or_else(|| OTHER_MONTHS.iter().position(|names| begins(names)))?;
    i8::try_from(month + 1).ok()
}

pub(super) fn is_day(word: &[u8]) -> bool {
    const DAYS: [&str; 7] = [
        "sunday",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
    ];
    let (letters, length) = letters(word);
    length >= 3 && DAYS.iter().any(|day| day.as_bytes().starts_with(&letters[..length]))
}

/// Zones by their names, in minutes (RFC 5322, 4.3), and such others as mean but one.
const ZONES: [(i32, &str); 25] = [
    (0, "ut utc gmt uct zulu wet"),
    (-5 * 60, "est cdt"),
    (-4 * 60, "edt ast"),
    (-6 * 60, "cst mdt"),
    (-7 * 60, "mst pdt"),
    (-8 * 60, "pst akdt"),
    (-9 * 60, "akst"),
    (-10 * 60, "hst"),
    (-3 * 60, "adt"),
    (-210, "nst"),
    (-150, "ndt"),
    (60, "cet met mez mewt west bst"),
    (2 * 60, "cest mest mesz eet sast metdst cetdst"),
    (3 * 60, "eest msk"),
    (4 * 60, "msd"),
    (8 * 60, "hkt sgt awst"),
    (9 * 60, "jst kst"),
    (570, "acst"),
    (10 * 60, "aest"),
    (630, "acdt"),
    (11 * 60, "aedt"),
    (12 * 60, "nzst"),
    (13 * 60, "nzdt"),
    (7 * 60, "wib"),
    (5 * 60, "pkt"),
];

pub(super) fn zone(name: &[u8]) -> Zone {
    // Military letters were defined with the wrong sign, so they say nothing (RFC 5322, 4.3); Z is right either way.
    if name.len() == 1 {
        return UTC;
    }
    let (letters, length) = letters(name);
    let is_it = |zone: &str| length == name.len() && zone.as_bytes() == &letters[..length];
    let known = ZONES.iter().find(|(_, names)| names.split(' ').any(is_it));
    known.map_or(UNKNOWN, |(minutes, _)| Zone {
        minutes: *minutes,
        is_known: true,
    })
}
