//! Who handed a message over to our own server, as that server saw it and wrote it into its Received field
//! (RFC 5321, 4.4): never the name that the client gave itself.
//!
//! Servers write it in their own ways, and a way that is not certain yields no name:
//!
//! - Postfix, Sendmail, Courier, Gmail, hMailServer: `from helo (name [ip])`; `unknown`, or `(may be forged)`, is no name.
//! - Exim: `from name ([ip] helo=helo)`, and `from name ([ip])` where the client called itself so; `from [ip] (helo=helo)`
//!   where it found no name. Sendmail without a name writes `from helo ([ip])`, so the second counts only beside Exim's
//!   own mark.
//! - qmail: `from name (HELO helo) (ip)`.
//! - Exchange: `from helo (ip)`, which names nobody.

use std::net::IpAddr;

use crate::message::host_name;

/// A client as our server saw it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    /// Its name, in lower case: one that DNS gave for its address.
    pub name: Option<String>,
    pub ip: Option<IpAddr>,
}

/// Comments looked at between `from` and `by`; a client that brings more is up to something.
const COMMENTS: usize = 8;

impl Client {
    /// Reads a Received field's value.
    pub fn read(value: &[u8]) -> Self {
        let text = String::from_utf8_lossy(value);
        let Some(from) = strip_word(text.trim_start(), "from") else {
            return Self::default();
        };
        let (given, rest) = from.split_at(from.find(|c: char| c.is_whitespace() || c == '(').unwrap_or(from.len()));
        let comments = comments(rest);
        let by_exim = text.contains("(Exim ") || comments.iter().any(|comment| comment.contains("helo="));
        let mut client = Self {
            ip: bracketed(given).filter(|_| by_exim),
            ..Self::default()
        };
        let mut named_by = false;
        for comment in &comments {
            let mut words = comment.split_ascii_whitespace();
            let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            if first.eq_ignore_ascii_case("HELO") {
                if !named_by {
                    client.name = host_name(given);
                }
            } else if let Some(ip) = bracketed(second) {
                // The last one counts: what stands before it, the client may have said of itself.
                client.ip = Some(ip);
                let name = first.rsplit('@').next().unwrap_or_default();
                client.name = host_name(name).filter(|_| !comment.contains("may be forged"));
                named_by = true;
            } else if let Some(ip) = bracketed(first).or_else(|| first.parse().ok()).filter(|_| !named_by) {
                client.ip = Some(ip);
                if by_exim && bracketed(first).is_some() {
                    client.name = host_name(given);
                }
            }
        }
        client
    }
}

/// `rest` behind `word`, where the text begins with it.
fn strip_word<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let (first, rest) = text.split_once(|c: char| c.is_whitespace())?;
    first.eq_ignore_ascii_case(word).then(|| rest.trim_start())
}

/// The comments before the next word, without their parentheses.
fn comments(text: &str) -> Vec<&str> {
    let mut comments = Vec::new();
    let mut rest = text.trim_start();
    while rest.starts_with('(') && comments.len() < COMMENTS {
        let mut depth = 0usize;
        let end = rest.char_indices().find(|(_, c)| {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        let Some((end, _)) = end else { break };
        comments.push(&rest[1..end]);
        rest = rest[end + 1..].trim_start();
    }
    comments
}

/// The address in `[192.0.2.1]`, `[IPv6:2001:db8::1]`, `[192.0.2.1]:25`.
fn bracketed(text: &str) -> Option<IpAddr> {
    let (inside, _) = text.strip_prefix('[')?.split_once(']')?;
    let inside = match inside.get(..5) {
        Some(mark) if mark.eq_ignore_ascii_case("IPv6:") => &inside[5..],
        _ => inside,
    };
    inside.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(value: &str) -> (Option<String>, Option<String>) {
        let client = Client::read(value.as_bytes());
        (client.name, client.ip.map(|ip| ip.to_string()))
    }

    #[test]
    fn the_name_is_the_one_that_our_server_saw() {
        let real = "real.example.net";
        for (value, name, ip) in [
            (
                " from claimed.example.org (real.example.net [192.0.2.1])\n\tby mx.example.com (Postfix) id 1; Mon",
                real,
                "192.0.2.1",
            ),
            (
                " from claimed.example.org (Real.Example.Net. [192.0.2.1])\n (using TLSv1.3 with cipher X (256/256 bits))\n (No client certificate requested) by mx",
                real,
                "192.0.2.1",
            ),
            (
                " from claimed.example.org (root@real.example.net [IPv6:2001:db8::1]) by mx (8.17/8.17)",
                real,
                "2001:db8::1",
            ),
            (
                " from claimed.example.org (real.example.net [192.0.2.1] (may be forged)) by mx",
                "",
                "192.0.2.1",
            ),
            (
                " from claimed.example.org (unknown [192.0.2.1]) by mx.example.com (Postfix)",
                "",
                "192.0.2.1",
            ),
            (
                " from real.example.net ([192.0.2.1] helo=claimed.example.org) by mx with esmtps (Exim 4.96)",
                real,
                "192.0.2.1",
            ),
            (
                " from real.example.net ([192.0.2.1]:4711) by mx with esmtps (Exim 4.96)",
                real,
                "192.0.2.1",
            ),
            (
                " from [192.0.2.1] (helo=claimed.example.org) by mx with esmtp (Exim 4.96)",
                "",
                "192.0.2.1",
            ),
            (
                " from claimed.example.org ([192.0.2.1]) by mx (8.17/8.17) with ESMTP",
                "",
                "192.0.2.1",
            ),
            (
                " from real.example.net (HELO claimed.example.org) (192.0.2.1)\n  by mx with SMTP",
                real,
                "192.0.2.1",
            ),
            (
                " from unknown (HELO claimed.example.org) (192.0.2.1) by mx with SMTP",
                "",
                "192.0.2.1",
            ),
            (
                " from unknown (HELO [10.0.0.1]) (192.0.2.1) by mx with SMTP",
                "",
                "192.0.2.1",
            ),
            (
                " from claimed.example.org (192.0.2.1) by ex.example.com (10.0.0.1) with Microsoft SMTP Server",
                "",
                "192.0.2.1",
            ),
            (
                " from claimed.example.org (x.example.org [192.0.2.9]) (real.example.net [192.0.2.1]) by mx",
                real,
                "192.0.2.1",
            ),
            (" (qmail 1234 invoked by uid 0); 1 Jan 2026", "", ""),
            (" from a.example.org by mx.example.com; Mon", "", ""),
            (" from [10.0.0.1] by mx.example.com; Mon", "", ""),
            (
                " from [10.0.0.1] (192.0.2.1) by ex.example.com with Microsoft SMTP Server",
                "",
                "192.0.2.1",
            ),
            ("", "", ""),
            (" from", "", ""),
            (" from x ((((", "", ""),
        ] {
            let (found, at) = client(value);
            assert_eq!(
                (found.unwrap_or_default().as_str(), at.unwrap_or_default().as_str()),
                (name, ip),
                "{value}"
            );
        }
    }
}
