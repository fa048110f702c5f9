//! What To and Cc say where the envelope, or a Received field, names nobody known: if they name somebody, an address that
//! is the mailbox's own may stand there and swallow the message. Pure.

use crate::{
    identify::{Header, first_addresses},
    message::Address,
};

/// Addressees that are looked at, and bytes of a message in which they are looked for.
const MOST: usize = 32;
const LONGEST: usize = 64 << 10;

/// What a message says beside those of its recipients whom nobody has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passed {
    /// By which copies of one message know each other: of its identity.
    pub twin: u64,
    /// A recipient is known.
    pub reached: bool,
    /// Where none is: the first of those in To and Cc, and whether anybody known is among them.
    pub addressees: Vec<Address>,
    pub known: bool,
}

impl Passed {
    /// Of a message in which a recipient is known, or none is named at all.
    pub fn by(twin: u64) -> Self {
        Self {
            twin,
            reached: true,
            ..Self::default()
        }
    }

    /// Of a message, or its header, in which no recipient is known.
    pub fn over(twin: u64, message: &[u8], is_known: impl FnMut(&Address) -> bool) -> Self {
        let addressees = addressees(message);
        Self {
            twin,
            reached: false,
            known: addressees.iter().any(is_known),
            addressees,
        }
    }
}

/// By which copies of one message know each other, of its identity.
pub fn twin(identity: &[u8; 32]) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *identity;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// The first addresses in To and Cc.
pub fn addressees(message: &[u8]) -> Vec<Address> {
    let header = Header::scan(&message[..message.len().min(LONGEST)]);
    let fields = header.fields().filter(|field| field.is("To") || field.is("Cc"));
    let mut found = Vec::new();
    for field in fields {
        found.extend(first_addresses(field.value, MOST.saturating_sub(found.len())));
        if found.len() >= MOST {
            break;
        }
    }
    found
}

#[test]
fn whom_to_and_cc_name_is_looked_at_in_so_much_of_a_message_only() {
    let many: String = (0..100).map(|n| format!("u{n}@example.com, ")).collect();
    assert_eq!(addressees(format!("To: {many}\n\n").as_bytes()).len(), MOST);
    let late = format!("X: {}\nTo: jane@example.com\n\n", "x".repeat(LONGEST));
    assert!(addressees(late.as_bytes()).is_empty());
    let passed = Passed::over(1, b"To: bob@example.com\nCc: Jane@example.com\n\n", |one| {
        one.as_str() == "jane@example.com"
    });
    assert!(passed.known && !passed.reached);
}
