//! Lines in columns. On a terminal they fit its width, and what is too long ends in an ellipsis; elsewhere values are
//! whole, for other programs to read.

use std::{env, io::stdout};

use rustix::termios::{isatty, tcgetwinsize};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::output::harmless;

/// Columns of a terminal that does not say how many it has.
const USUAL: usize = 80;

/// How many columns a line may take; `None` where standard output is no terminal, and nothing is cut, even if a shell
/// has exported `COLUMNS`. That counts for a terminal that does not say its size.
pub fn width() -> Option<usize> {
    if !isatty(stdout()) {
        return None;
    }
    let size = tcgetwinsize(stdout()).ok().map(|size| usize::from(size.ws_col));
    let of_shell = || env::var("COLUMNS").ok()?.parse().ok();
    let is_given = |columns: &usize| *columns > 0;
    Some(
        size.filter(is_given)
            .or_else(|| of_shell().filter(is_given))
            .unwrap_or(USUAL),
    )
}

/// `text` in so many columns: padded, or cut.
pub fn cut(text: &str, columns: usize) -> String {
    let text = harmless(text);
    let taken = text.width();
    if taken <= columns {
        return pad(&text, taken, columns);
    }
    let mut beginning = String::new();
    let mut taken = 0;
    for c in text.chars() {
        let more = c.width().unwrap_or(0);
        // One is for the ellipsis.
        if taken + more >= columns {
            break;
        }
        taken += more;
        beginning.push(c);
    }
    beginning.push('…');
    pad(&beginning, taken + 1, columns)
}

/// `text` whole, in at least this many columns.
pub fn whole(text: &str, columns: usize) -> String {
    let text = harmless(text);
    pad(&text, text.width(), columns)
}

fn pad(text: &str, taken: usize, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(taken)))
}

#[test]
fn names_of_any_writing_take_the_columns_that_they_were_given() {
    for (text, columns, expected) in [
        ("Jane", 6, "Jane  "),
        ("Jane Doe", 8, "Jane Doe"),
        ("Jane Doe", 7, "Jane D…"),
        ("Jürgen Müller", 8, "Jürgen …"),
        // Each letter takes two columns, and none is cut in half.
        ("山田太郎", 8, "山田太郎"),
        ("山田太郎", 7, "山田太…"),
        ("山田太郎", 6, "山田… "),
        // An accent of its own takes none.
        ("e\u{301}tude", 4, "e\u{301}tu…"),
        ("", 2, "  "),
        ("x", 1, "x"),
        ("xy", 1, "…"),
    ] {
        let cut = cut(text, columns);
        assert_eq!((cut.as_str(), cut.width()), (expected, columns), "{text}");
    }
    assert_eq!(whole("山田太郎", 10), "山田太郎  ");
    assert_eq!(whole("山田太郎", 3), "山田太郎");
}
