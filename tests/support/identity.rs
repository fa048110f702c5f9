//! Digests of messages, written apart from the program's own.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

/// SHA-256 in hexadecimal, as `list` prints it.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How often each message occurs.
pub fn counted<'a>(messages: impl IntoIterator<Item = &'a Vec<u8>>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for message in messages {
        *counts.entry(sha256(message)).or_default() += 1;
    }
    counts
}

/// What two copies of one message have in common however they were delivered: everything but the
/// fields that delivery and mail stores add, line ends as one, one at the end ignored.
pub fn identity(message: &[u8]) -> String {
    let mut text = Vec::with_capacity(message.len());
    for (at, &byte) in message.iter().enumerate() {
        if !(byte == b'\r' && message.get(at + 1) == Some(&b'\n')) {
            text.push(byte);
        }
    }
    if text.last() == Some(&b'\n') {
        text.pop();
    }
    let mut kept = Vec::with_capacity(text.len());
    let mut lines = text.split_inclusive(|&byte| byte == b'\n');
    let mut dropping = false;
    for line in lines.by_ref() {
        if line == b"\n" {
            kept.extend_from_slice(line);
            break;
        }
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            dropping = added_on_the_way(line);
        }
        if !dropping {
            kept.extend_from_slice(line);
        }
    }
    lines.for_each(|line| kept.extend_from_slice(line));
    sha256(&kept)
}

/// The fields that docs/decisions/identity.md lists.
const ADDED: &str = "received return-path delivered-to x-original-to envelope-to delivery-date x-received x-delivered-to x-rcpt-to \
    authentication-results received-spf status x-status x-uid x-uidl x-keywords x-imap x-imapbase x-mozilla-status \
    x-mozilla-status2 x-mozilla-keys x-gmail-labels x-gm-thrid content-length lines original-recipient xref x-apparently-to \
    x-resolved-to x-sieve x-sieve-redirected-from x-apple-movetofolder \
    x-apple-action x-apple-uuid x-gmail-fetch-info x-hmailserver-externalaccount x-mimetrack \
    x-gmail-thrid x-gmail-msgid x-gm-msgid \
    x-gm-labels x-fetchmail-warning x-tuid x-account-key x-evolution x-length x-from-line x-persona";
/// The same by how their names begin.
const ADDED_BEGINNINGS: &str = "arc- x-envelope- x-ms-exchange-organization- x-ms-exchange-forest- x-ms-exchange-crosspremises- \
    x-ms-exchange-crosstenant- x-ms-exchange-transport- x-getmail- x-offlineimap- x-evolution- x-kmail- x-gnus- x-vm- x-rmail- \
    x-mailstore- x-piler-";

fn added_on_the_way(line: &[u8]) -> bool {
    let name: Vec<u8> = line.iter().copied().take_while(|&byte| byte != b':').collect();
    let name = String::from_utf8_lossy(&name).to_ascii_lowercase();
    let name = name.trim_end();
    let mut beginnings = ADDED_BEGINNINGS.split_whitespace();
    ADDED.split_whitespace().any(|added| added == name) || beginnings.any(|beginning| name.starts_with(beginning))
}
