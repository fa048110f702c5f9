//! Addresses that nobody has, as a protocol and a dry run print them.

use super::output::{Output, grouped};
use crate::report::Omitted;

/// Addresses that are printed; JSON has more.
const PRINTED: usize = 50;

/// An address: in how many messages it is named, and what is said of it besides.
pub struct Line<'a> {
    pub address: &'a str,
    pub messages: u64,
    pub remark: &'a str,
    /// The retired user who has it.
    pub retired_user: Option<&'a str>,
}

/// Prints addresses that are listed most frequent first, and how many more there are.
pub fn print(output: &mut Output, listed: &[Line], mut omitted: Omitted) {
    for Line {
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

/// How often, in words.
pub fn times(number: u64) -> String {
    match number {
        1 => "once".into(),
        2 => "twice".into(),
        number => format!("{} times", grouped(number)),
    }
}
