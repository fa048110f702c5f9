//! Messages that a server makes up in place of one that it cannot read.

/// What Courier-IMAP (5.0) gives for a file that it cannot open, as when it was put back from a backup for another
/// account. Its size is announced to match. Lines end in CRLF on the wire.
const COURIER: &[u8] = b"From: System Administrator <root@localhost>\n\
    Subject: message unavailable\n\n\
    This message is no longer available on the server.\n";

/// The server that makes up such a message, where this is one: all of it, as real mail bears the traces of its
/// delivery.
pub fn stand_in(message: &[u8]) -> Option<&'static str> {
    is_alike(message, COURIER).then_some("Courier")
}

/// Whether a header is that of such a message: what it belongs to may be one.
pub fn is_of_stand_in(header: &[u8]) -> bool {
    let end = memchr::memmem::find(COURIER, b"\n\n").unwrap_or(COURIER.len());
    is_alike(header, &COURIER[..end])
}

fn is_alike(bytes: &[u8], known: &[u8]) -> bool {
    let plain = |bytes: &[u8]| -> Vec<u8> {
        let bytes = bytes.trim_ascii();
        bytes.iter().copied().filter(|byte| *byte != b'\r').collect()
    };
    // Nothing longer is looked through.
    bytes.len() <= 2 * known.len() && plain(bytes) == plain(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_courier_gives_for_a_file_that_it_cannot_open_is_known() {
        let crlf = String::from_utf8_lossy(COURIER).replace('\n', "\r\n");
        for message in [COURIER, crlf.as_bytes(), &[crlf.as_bytes(), b"\r\n"].concat()] {
            assert_eq!(stand_in(message), Some("Courier"));
            let end = memchr::memmem::find(message, b"This").unwrap();
            assert!(is_of_stand_in(&message[..end]) && !is_of_stand_in(message));
        }
        let delivered = format!("Received: from a by b; Mon, 1 Jan 2024 00:00:00 +0000\r\n{crlf}");
        for mail in [delivered.as_bytes(), b"", b"Subject: message unavailable\r\n\r\n"] {
            assert_eq!(stand_in(mail), None);
        }
    }
}
