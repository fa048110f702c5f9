//! The mail that the servers hold.

use crate::support::generator::{Mailbox, Settings, sized, strange};

const MESSAGES: usize = 300;
const LARGE: usize = 5 << 20;

/// A company's mail, and all that is odd.
pub fn all() -> Vec<Vec<u8>> {
    let odd = odd().into_iter().map(|(_, message)| message);
    Mailbox::new(Settings::messages(MESSAGES)).chain(odd).collect()
}

/// Mail of strange forms, each with what is strange.
pub fn odd() -> Vec<(&'static str, Vec<u8>)> {
    let mut odd = strange();
    odd.push(("a large file", sized(LARGE, 1)));
    odd
}

/// `count` messages that are not among those of [`all`], nor among those of another `number`.
pub fn more(count: usize, number: u64) -> Vec<Vec<u8>> {
    let mail = |n| {
        format!("From: someone@sender.example\nTo: jane@example.com\nSubject: {n} of {number}\n\nmore\n").into_bytes()
    };
    (0..count).map(mail).collect()
}

/// A message as it travels: each LF becomes CR LF.
pub fn wire(message: &[u8]) -> Vec<u8> {
    let lines = message.split(|&byte| byte == b'\n').collect::<Vec<_>>();
    lines.join(&b"\r\n"[..])
}

/// The odd message of this name.
pub fn named(name: &str) -> Vec<u8> {
    let mut odd = odd().into_iter();
    odd.find(|(odd, _)| *odd == name)
        .unwrap_or_else(|| panic!("nothing odd is called {name}"))
        .1
}
