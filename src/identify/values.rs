//! What mail-parser makes of parts of a message: the only place that asks it. It is asked for a body without its
//! transfer encoding, and for the text of a page, and never for a whole message: over some nested mail it overflows the
//! stack, and over some fields it takes time with the square of their length. Its panics are survived.

use std::panic::{AssertUnwindSafe, catch_unwind};

use mail_parser::decoders::{base64::base64_decode, html::html_to_text, quoted_printable::quoted_printable_decode};

/// Without a transfer encoding; `None` where that cannot be undone. Linear in the length.
pub(super) fn from_base64(body: &[u8]) -> Option<Vec<u8>> {
    base64_decode(body)
}

/// The same of quoted-printable.
pub(super) fn from_quoted_printable(body: &[u8]) -> Option<Vec<u8>> {
    quoted_printable_decode(body)
}

/// The text of a page.
pub(super) fn from_html(page: &str) -> String {
    catch_unwind(AssertUnwindSafe(|| html_to_text(page))).unwrap_or_default()
}
