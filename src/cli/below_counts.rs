//! What a protocol and a dry run print below their counts: addresses that nobody has, notices, errors.

use std::fmt::Display;

use super::output::{Output, grouped, times};
use crate::report::{CopyError, Omitted};

/// Addresses that are printed; JSON has more.
const PRINTED: usize = 50;

/// An address: in how many messages it is named, and what is said of it besides.
pub struct AddressLine<'a> {
    pub address: &'a str,
    pub messages: u64,
    pub remark: &'a str,
    /// The retired user who has it.
    pub retired_user: Option<&'a str>,
}

/// Prints addresses that are listed most frequent first, and how many more there are.
pub fn addresses(output: &mut Output, listed: &[AddressLine], mut omitted: Omitted) {
    for AddressLine {
        address,
        messages,
        remark,
        retired_user,
    } in listed.iter().take(PRINTED)
    {
        let count = match messages {
            1 => "1 message".into(),
            messages => format!("{} messages", grouped(*messages)),
        };
        output.line(match retired_user {
            Some(user) => format!("  {address} belongs to {user}, who is retired ({count}{remark})"),
            None => format!("  no user has {address} ({count}{remark})"),
        });
    }
    for line in listed.iter().skip(PRINTED) {
        omitted.addresses += 1;
        omitted.messages += line.messages;
    }
    if omitted.addresses > 0 {
        let addresses = if omitted.addresses == 1 { "address" } else { "addresses" };
        // One message may name many of them.
        output.line(format!(
            "  and {} more {addresses} that no user has (named {})",
            grouped(omitted.addresses),
            times(omitted.messages)
        ));
    }
}

pub fn notices_and_errors(output: &mut Output, notices: &[impl Display], errors: &[CopyError], omitted: u64) {
    for notice in notices {
        output.line(format!("  note: {notice}"));
    }
    for error in errors {
        let place = [&error.folder, &error.copy].map(|part| part.trim());
        let place: Vec<_> = place.into_iter().filter(|part| !part.is_empty()).collect();
        let colon = if place.is_empty() { "" } else { ": " };
        let place = place.join(", ");
        output.line(format!("  error ({}): {place}{colon}{}", error.stage, error.error));
        if !error.what_to_do.is_empty() {
            output.line(format!("    what to do: {}", error.what_to_do));
        }
    }
    if omitted > 0 {
        output.line(format!("  and {omitted} more errors"));
    }
}
