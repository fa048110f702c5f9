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
}

/// Prints addresses that are listed most frequent first, and how many more there are.
pub fn print(output: &mut Output, listed: &[Line], mut omitted: Omitted) {
    for Line {
        address,
        messages,
        remark,
    } in listed.iter().take(PRINTED)
    {
        output.line(format!("  no user has {address} ({}{remark})", count(*messages)));
    }
    for line in listed.iter().skip(PRINTED) {
        omitted.addresses += 1;
        omitted.messages += line.messages;
    }
    if omitted.addresses > 0 {
        let addresses = if omitted.addresses == 1 { "address" } else { "addresses" };
        output.line(format!(
            "  and {} more {addresses} that no user has ({})",
            grouped(omitted.addresses),
            count(omitted.messages)
        ));
    }
}

fn count(messages: u64) -> String {
    match messages {
        1 => "1 message".into(),
        messages => format!("{} messages", grouped(messages)),
    }
}
