//! A mail as it goes over the wire.

use std::time::SystemTime;

use jiff::Timestamp;
use lettre::{
    Message,
    address::Envelope,
    message::{
        Mailboxes, SinglePart,
        header::{self, HeaderName, HeaderValue},
    },
};
use ring::rand::{SecureRandom, SystemRandom};

use super::{NotifyError, text::Words};
use crate::config::{Mail, Mailbox};

/// The mail with these words: from whom, to whom, and its bytes.
///
/// # Errors
/// It cannot be written.
pub fn write(mail: &Mail, to: &[Mailbox], words: &Words, now: Timestamp) -> Result<(Envelope, Vec<u8>), NotifyError> {
    let failed = |error: &dyn std::fmt::Display| NotifyError::Letter(error.to_string());
    let to: Mailboxes = to.iter().map(|mailbox| mailbox.0.clone()).collect();
    let mut message = Message::builder()
        .from(mail.from.0.clone())
        .mailbox(header::To::from(to))
        .date(SystemTime::from(now))
        .message_id(Some(message_id(mail, now)))
        .subject(words.subject.clone())
        .singlepart(SinglePart::plain(words.body.clone()))
        .map_err(|error| failed(&error))?;
    // RFC 3834: nobody is to answer by a machine.
    let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
    let headers = message.headers_mut();
    headers.insert_raw(HeaderValue::new(automatic, "auto-generated".into()));
    Ok((message.envelope().clone(), message.formatted()))
}

fn message_id(mail: &Mail, now: Timestamp) -> String {
    let mut random = [0; 12];
    // What is not random is at least of this second.
    let _ = SystemRandom::new().fill(&mut random);
    let random = hex::encode(random);
    let domain = mail.from.0.email.domain();
    let domain = if domain.is_ascii() { domain } else { "dropkeep.invalid" };
    format!("<{}.{random}@{domain}>", now.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_has_the_fields_of_one_that_a_machine_wrote_and_no_others() {
        let mail: Mail = serde_json::from_value(serde_json::json!({
            "host": "mail.example.com",
            "from": "Dröpkeep <dropkeep@example.com>",
            "to": ["jane@example.com", "\"Doe, John\" <john@example.com>"],
        }))
        .unwrap();
        let words = Words {
            subject: "profile ä\r\nBcc: x@example.com failed ".repeat(5),
            body: "a line\n.\nBcc: ä\n".into(),
        };
        let (envelope, bytes) = write(&mail, &mail.to, &words, Timestamp::UNIX_EPOCH).unwrap();
        let parsed = mail_parser::MessageParser::new().parse(&bytes).unwrap();
        let names: Vec<_> = parsed.headers().iter().map(|header| header.name()).collect();
        let mut sorted = names.clone();
        sorted.sort();
        assert_eq!(
            sorted,
            [
                "Auto-Submitted",
                "Content-Transfer-Encoding",
                "Content-Type",
                "Date",
                "From",
                "MIME-Version",
                "Message-ID",
                "Subject",
                "To"
            ],
            "{}",
            String::from_utf8_lossy(&bytes)
        );
        assert_eq!(
            parsed.header_raw("Auto-Submitted").map(str::trim),
            Some("auto-generated")
        );
        assert_eq!(envelope.to().len(), 2);
        assert!(bytes.is_ascii());
        assert_eq!(
            parsed.body_text(0).unwrap().replace("\r\n", "\n").trim_end(),
            words.body.trim_end()
        );
        let first = message_id(&mail, Timestamp::UNIX_EPOCH);
        assert_ne!(first, message_id(&mail, Timestamp::UNIX_EPOCH));
    }
}
