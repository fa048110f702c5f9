//! Who handed a message over to our own server, as that server saw it and wrote it into its Received field
//! (RFC 5321, 4.4): never the name that the client gave itself.
//!
//! Servers write it in their own ways, and a way that is not certain yields no name:
//!
//! - Postfix, Sendmail, Courier, Gmail, hMailServer: `from helo (name [ip])`; `unknown`, or `(may be forged)`, is no name.
//! - Exim: `from name ([ip] helo=helo)`, and `from name ([ip])` where the client called itself so; `from [ip] (helo=helo)`
//!   where it found no name. Sendmail without a name writes `from helo ([ip])`, so the second counts only beside Exim's
//!   own mark.
//! - qmail: `from name (HELO helo) (ip)`, and Exchange: `from helo (ip)`: addresses only. qmail does not confirm a name by
//!   looking it up the other way round unless it is told to.
//!
//! More comments with an address than one, or anything else between them and `by`, is what a client may have brought
//! about, and yields nothing at all.

use std::net::IpAddr;

use crate::message::host_name;

/// A client as our server saw it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    /// Its name, in lower case: one that DNS gave for its address.
    pub name: Option<String>,
    pub ip: Option<IpAddr>,
}

/// Bytes of a field that are looked at. What is cut off there takes a name away, and never gives one.
const LONGEST: usize = 16 << 10;
/// Comments between `from` and `by`; a client that brings more is up to something.
const COMMENTS: usize = 8;

impl Client {
    /// Reads a Received field's value.
    pub fn read(value: &[u8]) -> Self {
        let text = String::from_utf8_lossy(&value[..value.len().min(LONGEST)]);
        Self::in_clause(&text).unwrap_or_default()
    }

    fn in_clause(text: &str) -> Option<Self> {
        let from = strip_word(text.trim_start(), "from")?;
        let (given, rest) = from.split_at(from.find(|c: char| c.is_whitespace() || c == '(').unwrap_or(from.len()));
        let (comments, behind) = comments(rest)?;
        let by = strip_word(behind, "by")?;
        let mut clients = comments
            .iter()
            .filter_map(|comment| Self::in_comment(comment, given, by));
        let client = clients.next();
        if clients.next().is_some() {
            return None;
        }
        // Exim's form for a client whose name it did not find.
        let unnamed = || {
            let ip = bracketed(given).filter(|_| comments.iter().any(|comment| comment.starts_with("helo=")))?;
            Some(Self {
                name: None,
                ip: Some(ip),
            })
        };
        client.or_else(unnamed)
    }

    /// What a comment behind `from given` says of the client; `None` where that is nothing.
    fn in_comment(comment: &str, given: &str, by: &str) -> Option<Self> {
        let mut words = comment.split_ascii_whitespace();
        let (first, second) = (words.next()?, words.next().unwrap_or_default());
        if first.eq_ignore_ascii_case("HELO") {
            return None;
        }
        let name_and_ip = bracketed(second).map(|ip| {
            let name = first.rsplit('@').next().unwrap_or_default();
            (host_name(name).filter(|_| !comment.contains("may be forged")), ip)
        });
        let exim = || {
            let ip = bracketed(first)?;
            let certain = second.starts_with("helo=") || has_exim_mark(by);
            Some((host_name(given).filter(|_| certain), ip))
        };
        let bare = || Some((None, first.rsplit('@').next()?.parse().ok()?));
        let (name, ip) = name_and_ip.or_else(exim).or_else(bare)?;
        Some(Self { name, ip: Some(ip) })
    }
}

/// Whether Exim wrote the clause behind `by`: its mark stands before all that the client or the sender can choose.
fn has_exim_mark(by: &str) -> bool {
    let mut rest = by;
    loop {
        rest = rest.trim_start();
        if rest.starts_with('(') {
            let Some(end) = comment_end(rest) else { return false };
            if rest[1..].starts_with("Exim ") {
                return true;
            }
            rest = &rest[end..];
            continue;
        }
        let end = rest.find(|c: char| c.is_whitespace() || c == '(').unwrap_or(rest.len());
        let word = &rest[..end];
        if word.is_empty()
            || ["id", "for"].iter().any(|clause| word.eq_ignore_ascii_case(clause))
            || word.contains(['<', '"', ';'])
        {
            return false;
        }
        rest = &rest[end..];
    }
}

/// `rest` behind `word`, where the text begins with it.
fn strip_word<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let (first, rest) = text.split_once(|c: char| c.is_whitespace())?;
    first.eq_ignore_ascii_case(word).then(|| rest.trim_start())
}

/// The comments before the next word, without their parentheses, and what follows them; `None` where there are too many
/// or one does not end.
fn comments(text: &str) -> Option<(Vec<&str>, &str)> {
    let mut comments = Vec::new();
    let mut rest = text.trim_start();
    while rest.starts_with('(') {
        let end = comment_end(rest).filter(|_| comments.len() < COMMENTS)?;
        comments.push(&rest[1..end - 1]);
        rest = rest[end..].trim_start();
    }
    Some((comments, rest))
}

/// Where the comment that `text` begins with ends.
fn comment_end(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    let end = text.char_indices().find(|(_, c)| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        depth == 0
    });
    end.map(|(end, _)| end + 1)
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
                "",
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
                "",
                "",
            ),
            (
                " from real.example.net (user@192.0.2.1) by mx with SMTP",
                "",
                "192.0.2.1",
            ),
            // What a client, or a sender, may have brought about.
            (
                " from claimed.example.org ([192.0.2.1]) by mx (8.17/8.17) id 1 for <\"(Exim 4\"@x.example>; Mon",
                "",
                "192.0.2.1",
            ),
            (
                " from claimed.example.org ([192.0.2.1]) by mx for x (Exim 4.9); Mon",
                "",
                "192.0.2.1",
            ),
            (
                " from a (x.example.org [192.0.2.9]) x (real.example.net [192.0.2.1]) by mx",
                "",
                "",
            ),
            (
                " from a (1) (2) (3) (4) (5) (6) (7) (x.example.org [192.0.2.9]) (real.example.net [192.0.2.1]) by mx",
                "",
                "",
            ),
            (
                " from r ([192.0.2.1] helo=e ident=x) (x.example.org [192.0.2.9]) by mx with esmtp (Exim 4.96)",
                "",
                "",
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
