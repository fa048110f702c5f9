//! Messages as Apple Mail keeps them (`.emlx`): a line with the number of bytes of the message, the message, and a
//! property list with what Mail knows about it.

use memchr::memmem;

/// A longer number is none.
const DIGITS: usize = 20;

/// The number of bytes that the first line announces, and where the line behind it begins.
pub fn first_line(text: &[u8]) -> Option<(usize, usize)> {
    let beginning = &text[..text.len().min(2 * DIGITS)];
    let end = memchr::memchr(b'\n', beginning)?;
    let number = beginning[..end].trim_ascii();
    let digits = !number.is_empty() && number.iter().all(u8::is_ascii_digit);
    let number = std::str::from_utf8(number).ok().filter(|_| digits)?;
    Some((number.parse().ok()?, end + 1))
}

/// Takes out of a file, in place, all but the message. Answers when that was received, in seconds since 1970 UTC,
/// where the property list tells.
///
/// # Errors
/// Why it is none, in words.
pub fn unwrap(file: &mut Vec<u8>) -> Result<Option<i64>, String> {
    let (length, begin) =
        first_line(file).ok_or("its first line is not the number of bytes of the message, as in .emlx")?;
    let behind = begin.checked_add(length).and_then(|end| file.get(end..));
    let Some(behind) = behind else {
        let there = file.len() - begin;
        return Err(format!(
            "it is cut off: its first line announces a message of {length} bytes, and {there} are there"
        ));
    };
    let list = behind.trim_ascii_start();
    if !(list.is_empty() || list.starts_with(b"<?xml") || list.starts_with(b"<!DOCTYPE") || list.starts_with(b"<plist"))
    {
        return Err(format!(
            "what follows the {length} bytes that its first line announces is not a property list: nobody can say where the message ends"
        ));
    }
    let received = received(list);
    file.truncate(begin + length);
    file.drain(..begin);
    Ok(received)
}

fn received(list: &[u8]) -> Option<i64> {
    let key = memmem::find(list, b"<key>date-received</key>")?;
    let list = &list[key..];
    let number = &list[memmem::find(list, b"<integer>")? + b"<integer>".len()..];
    let number = &number[..memchr::memchr(b'<', number)?];
    std::str::from_utf8(number).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "<?xml version=\"1.0\"?>\n<plist><dict>\n\t<key>date-received</key>\n\t<integer>1767225600</integer>\n\
                        \t<key>flags</key>\n\t<integer>1</integer>\n</dict></plist>\n";

    fn unwrapped(text: &str) -> Result<(String, Option<i64>), String> {
        let mut file = text.as_bytes().to_vec();
        unwrap(&mut file).map(|received| (String::from_utf8(file).unwrap(), received))
    }

    #[test]
    fn the_message_is_taken_out_and_nothing_else() {
        let message = "Subject: x\n\n12\nx\n";
        for (behind, received) in [(LIST, Some(1_767_225_600)), ("", None), ("<plist></plist>", None)] {
            for spaces in ["", "      "] {
                let file = format!("{}{spaces}\n{message}{behind}", message.len());
                assert_eq!(unwrapped(&file), Ok((message.to_owned(), received)));
            }
        }
        let crlf = format!("{}\r\n{message}{LIST}", message.len());
        assert_eq!(unwrapped(&crlf).unwrap().0, message);
    }

    #[test]
    fn what_is_not_as_it_announces_is_named() {
        for (file, word) in [
            ("Subject: x\n", "first line"),
            ("", "first line"),
            ("1 2\nx", "first line"),
            ("100\nSubject: x\n\n", "cut off"),
            ("5\nSubject: x\n\n", "not a property list"),
            ("99999999999999999999\nx\n", "first line"),
            ("18446744073709551615\nx\n", "cut off"),
        ] {
            let error = unwrapped(file).unwrap_err();
            assert!(error.contains(word), "{file:?}: {error}");
        }
    }
}
