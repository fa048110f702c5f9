//! What To and Cc say if the envelope, or a Received field, names nobody known: if they name somebody, the envelope's
//! address may be the mailbox's own and swallow the message. Pure.

use super::Prepared;
use crate::{
    archive::Content,
    identify::{Header, first_addresses},
    message::Address,
};

/// Addressees that are looked at, and bytes of a message in which they are looked for.
const MOST: usize = 32;
/// Parts of a local part that are tried.
const MOST_PARTS: usize = 4;
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
    /// Recipients whom nobody has by this address, and somebody has by a form of it: with something before the local
    /// part, or at another domain.
    pub forms: Vec<Address>,
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

    /// Of a copy that names these recipients, some of whom nobody has; `reached` says whether any other is known.
    pub fn of(prepared: &Prepared, unresolved: &[Address], reached: bool, is_known: impl Fn(&Address) -> bool) -> Self {
        let Content { bytes, identity, .. } = &*prepared.content;
        let twin = twin(identity);
        if reached || unresolved.is_empty() {
            return Self::by(twin);
        }
        let values = prepared.addressed.iter().filter_map(|range| bytes.get(range.clone()));
        Self::over(twin, first(values), unresolved, is_known)
    }

    /// Of a message in which no recipient is known: nobody has those `unresolved`, and To and Cc name these
    /// `addressees`.
    pub fn over(
        twin: u64,
        addressees: Vec<Address>,
        unresolved: &[Address],
        is_known: impl Fn(&Address) -> bool,
    ) -> Self {
        let known: Vec<&Address> = addressees.iter().filter(|one| is_known(one)).collect();
        let domain = known.first().map(|one| one.domain());
        let forms = unresolved
            .iter()
            .filter(|one| domain.is_some_and(|domain| is_form(one, domain, &is_known)));
        Self {
            twin,
            reached: false,
            known: !known.is_empty(),
            forms: forms.cloned().collect(),
            addressees,
        }
    }
}

/// Whether an address is known at this domain, or behind one of the marks that part a local part.
fn is_form(address: &Address, domain: &str, is_known: &impl Fn(&Address) -> bool) -> bool {
    let local = address.as_str().rsplit_once('@').map_or("", |(local, _)| local);
    let behind = local
        .match_indices(['-', '+', '=', '.', '_', '/'])
        .map(|(at, _)| &local[at + 1..]);
    let wrapped = local
        .split_once('=')
        .map(|(before, _)| before.rsplit(['-', '+']).next().unwrap_or(before));
    let parts = [local].into_iter().chain(behind.take(MOST_PARTS)).chain(wrapped);
    let mut forms = parts.filter_map(|part| Address::parse(&format!("{part}@{domain}")));
    forms.any(|form| is_known(&form))
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
    first(fields.map(|field| field.value))
}

/// The first addresses in the values of fields.
fn first<'v>(values: impl Iterator<Item = &'v [u8]>) -> Vec<Address> {
    let mut found = Vec::new();
    for value in values {
        found.extend(first_addresses(value, MOST.saturating_sub(found.len())));
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
    let unresolved = [
        "all@mx.example",
        "all-jane@mx.example",
        "jane@example.net",
        "box+jane=example.com@mx.example",
    ];
    let unresolved = unresolved.map(|text| Address::parse(text).unwrap());
    let message = b"To: bob@example.com\nCc: Jane@example.com\n\n";
    let passed = Passed::over(1, addressees(message), &unresolved, |one| {
        one.as_str() == "jane@example.com"
    });
    assert!(passed.known && !passed.reached);
    assert_eq!(passed.forms, unresolved[1..]);
}
