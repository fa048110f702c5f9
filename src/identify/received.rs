//! Who handed a message over to our own server, as that server saw it and wrote it into its Received field
//! (RFC 5321, 4.4): never the name that the client gave itself.
//!
//! Servers write that in their own ways, and a client can write much of a field: its HELO, its name in DNS, the
//! addresses of the envelope, a certificate's name. So a field counts only where all of it, to the date, is in the form
//! of one of these servers, each known by its own mark; and whatever a client can write is one word in it, without
//! white space, quotes and parentheses. Else it has no reading, or more than one, and says nothing.
//!
//! | server | its form | its mark | name |
//! | --- | --- | --- | --- |
//! | Postfix | `from helo (name [ip])` | `(Postfix)` behind `by` | confirmed, else `unknown` |
//! | Sendmail | `from helo (ident@name [ip])` | `(8.17.1/8.17.1)` behind `by` | confirmed, else `(may be forged)` |
//! | Exim | `from name ([ip] helo=helo)`, `from [ip] (helo=helo)` | `(Exim 4.96)` | confirmed, else there is none |
//! | Courier | `from helo (name [ip])` | its `id` of three numbers | confirmed, else there is none |
//! | OpenSMTPD, Haraka | `from helo (name [ip])` | `(OpenSMTPD)`, `(Haraka/3.0)` behind `by` | as the client's DNS has it |
//! | hMailServer | `from helo (name [ip])` | the date stands on a line of its own, the semicolon too | as the client's DNS has it |
//! | Gmail | `from helo (name. [ip])` | `by mx.google.com` | nobody says whether it is confirmed |
//! | chasquid | `from [ip] (helo)` | `(chasquid)` behind `by` | none |
//! | qmail | `from name (HELO helo) (ident@ip)` | a date without a weekday | as the client's DNS has it |
//! | Exchange | `from helo (ip)`, `from helo ([ip])` | `(ip) with Microsoft SMTP Server`, `mapi` | none |
//!
//! A name counts where the server confirms it: it looked up the addresses of the name that DNS gives for the client's
//! address, and found the client's among them. Of the others the address alone counts. So say the sources of Postfix
//! 3.12 (`smtpd_peer.c`), Exim 4.99 (`host.c`), Courier 1.5 (`tcpd.c`), hMailServer 5.7
//! (`SMTPMessageHeaderCreator.cpp`) and Haraka 3 (`connection.js`), and what the others write: Sendmail 8.17, OpenSMTPD
//! 6.8, chasquid.

use std::net::IpAddr;

use crate::message::host_name;

/// A client as our server saw it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    /// Its name, in lower case: one that our server confirmed.
    pub name: Option<String>,
    pub ip: Option<IpAddr>,
}

/// A longer field than servers write says nothing, and neither does one of more words and comments.
const LONGEST: usize = 16 << 10;
const MOST: usize = 64;

/// What mail_name is in Postfix, and in mailcow and the Proxmox Mail Gateway, which are Postfix.
const POSTFIX: [&str; 3] = ["Postfix", "Postcow", "Proxmox"];
/// How the comments begin that Postfix writes behind the client.
const OF_POSTFIX: [&str; 5] = [
    "using ",
    "Client ",
    "Client did not present a certificate",
    "No client certificate requested",
    "Authenticated sender: ",
];

impl Client {
    /// Reads a Received field's value.
    pub fn read(value: &[u8]) -> Self {
        let text = std::str::from_utf8(value).ok().filter(|text| text.len() <= LONGEST);
        let read = || {
            let text = text?;
            let (clauses, date) = text.split_once(';').unwrap_or((text, ""));
            let tokens = tokens(clauses)?;
            let field = Field::read(&tokens, clauses, without_comments(date)?)?;
            let forms = [
                postfix,
                sendmail,
                exim,
                courier,
                unconfirmed,
                hmailserver,
                gmail,
                chasquid,
                qmail,
                exchange,
            ];
            forms.iter().find_map(|form| form(&field))
        };
        read().unwrap_or_default()
    }

    /// `name [ip]`, or `[ip]`, where the server confirms the names that it writes.
    fn confirmed(comment: &str) -> Option<Self> {
        let mut words = comment.split_ascii_whitespace();
        let (first, second) = (words.next()?, words.next());
        if words.next().is_some() {
            return None;
        }
        let (name, ip) = match second {
            // What a client's ident server says stands before the name.
            Some(ip) => (host_name(first.rsplit('@').next()?), ip),
            None => (None, first),
        };
        Some(Self {
            name,
            ip: Some(bracketed(ip)?),
        })
    }

    /// The same where it does not.
    fn unconfirmed(comment: &str) -> Option<Self> {
        Self::confirmed(comment).map(|client| Self::at(client.ip))
    }

    fn at(ip: Option<IpAddr>) -> Self {
        Self { name: None, ip }
    }
}

/// A part of a field: one word, or what stands between parentheses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'t> {
    Word(&'t str),
    Comment(&'t str),
}
use Token::{Comment, Word};

/// `from given (about) … by host …; date`.
struct Field<'t> {
    given: &'t str,
    about: Vec<&'t str>,
    by: &'t str,
    rest: &'t [Token<'t>],
    /// All before the semicolon, as it stands.
    clauses: &'t str,
    date: &'t str,
}

impl<'t> Field<'t> {
    fn read(tokens: &'t [Token<'t>], clauses: &'t str, date: &'t str) -> Option<Self> {
        let [Word("from"), Word(given), rest @ ..] = tokens else {
            return None;
        };
        let is_word = |token: &Token| matches!(token, Word(_));
        let (about, rest) = rest.split_at(rest.iter().position(is_word)?);
        let [Word("by"), Word(by), rest @ ..] = rest else {
            return None;
        };
        let about = about.iter().filter_map(|token| match token {
            Comment(comment) => Some(*comment),
            Word(_) => None,
        });
        Some(Self {
            given,
            about: about.collect(),
            by,
            rest,
            clauses,
            date,
        })
    }
}

type Rest<'t> = &'t [Token<'t>];

/// What stands behind `with ESMTP id 4711`, of which some leave out one or both.
fn behind_id<'t>(rest: Rest<'t>) -> Rest<'t> {
    match behind_with(rest) {
        [Word("id"), Word(_), rest @ ..] => rest,
        rest => rest,
    }
}

fn behind_with<'t>(rest: Rest<'t>) -> Rest<'t> {
    match rest {
        [Word("with"), Word(with), rest @ ..] if is_protocol(with) => rest,
        _ => rest,
    }
}

fn is_protocol(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// What stands behind a comment of which `is` holds, and without it where there is none.
fn without_comment<'t>(rest: Rest<'t>, is: impl Fn(&str) -> bool) -> Rest<'t> {
    match rest {
        [Comment(comment), rest @ ..] if is(comment) => rest,
        _ => rest,
    }
}

/// Whether nothing stands there but, maybe, `for <address>`.
fn ends(rest: Rest) -> bool {
    matches!(rest, [] | [Word("for"), Word(_)])
}

fn postfix(field: &Field) -> Option<Client> {
    let [Comment(mark), rest @ ..] = field.rest else {
        return None;
    };
    let [client, others @ ..] = &field.about[..] else {
        return None;
    };
    let of_postfix = |comment: &&str| OF_POSTFIX.iter().any(|begins| comment.starts_with(begins));
    let is_whole = POSTFIX.contains(mark) && others.iter().all(of_postfix) && ends(behind_id(rest));
    Client::confirmed(client).filter(|_| is_whole)
}

fn sendmail(field: &Field) -> Option<Client> {
    let [Comment(versions), rest @ ..] = field.rest else {
        return None;
    };
    let client = match &field.about[..] {
        [client] => client,
        [client, authenticated] if authenticated.starts_with("authenticated") => client,
        _ => return None,
    };
    let in_version = |byte: u8| byte.is_ascii_alphanumeric() || b"./+-~_".contains(&byte);
    let is_mark = versions.starts_with("8.") && versions.contains('/') && versions.bytes().all(in_version);
    let rest = without_comment(behind_id(rest), |comment| comment.starts_with("version="));
    if !is_mark || !ends(rest) {
        return None;
    }
    match client.strip_suffix("(may be forged)") {
        Some(client) => Client::unconfirmed(client),
        None => Client::confirmed(client),
    }
}

fn exim(field: &Field) -> Option<Client> {
    // With TLS: `(TLS1.3) tls CIPHER`, or `(TLS1.3:CIPHER:256)`.
    let rest = without_comment(behind_with(field.rest), |comment| comment.starts_with("TLS"));
    let rest = match rest {
        [Word("tls"), Word(_), rest @ ..] => rest,
        _ => rest,
    };
    let [Comment(mark), rest @ ..] = rest else { return None };
    let rest = without_comment(rest, |comment| comment.starts_with("envelope-from "));
    if !mark.starts_with("Exim ") || !ends(behind_id(rest)) {
        return None;
    }
    let said = |words: std::str::SplitAsciiWhitespace| {
        let known = |word: &str| ["port=", "helo=", "ident="].iter().any(|key| word.starts_with(key));
        words.clone().all(known).then_some(())
    };
    match (bracketed(field.given), &field.about[..]) {
        (Some(ip), []) => Some(Client::at(Some(ip))),
        (Some(ip), [comment]) => said(comment.split_ascii_whitespace()).map(|()| Client::at(Some(ip))),
        (None, [comment]) => {
            let mut words = comment.split_ascii_whitespace();
            let ip = bracketed(words.next()?)?;
            said(words).map(|()| Client {
                name: host_name(field.given),
                ip: Some(ip),
            })
        }
        _ => None,
    }
}

fn courier(field: &Field) -> Option<Client> {
    let client = match &field.about[..] {
        [client] => client,
        [client, other]
            if ["IDENT: ", "AUTH: ", "TLS: "]
                .iter()
                .any(|begins| other.starts_with(begins)) =>
        {
            client
        }
        _ => return None,
    };
    let [Word("with"), Word(with), Word("id"), Word(id)] = field.rest else {
        return None;
    };
    let is_number = |part: &str| part.len() >= 8 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_id = id.split('.').count() == 3 && id.split('.').all(is_number);
    Client::confirmed(client).filter(|_| is_protocol(with) && is_id)
}

/// OpenSMTPD and Haraka.
fn unconfirmed(field: &Field) -> Option<Client> {
    let ([Comment(mark), rest @ ..], [client]) = (field.rest, &field.about[..]) else {
        return None;
    };
    let rest = behind_id(rest);
    let is_whole = match mark.split('/').next()? {
        "OpenSMTPD" => match without_comment(rest, |tls| tls.starts_with("TLS")) {
            [Word("auth=yes"), Word(_), rest @ ..] => ends(rest),
            rest => ends(rest),
        },
        "Haraka" => matches!(
            rest,
            [] | [Word("envelope-from"), Word(_)] | [Word("envelope-from"), Word(_), Word("tls"), Word(_)]
        ),
        _ => false,
    };
    Client::unconfirmed(client).filter(|_| is_whole)
}

fn hmailserver(field: &Field) -> Option<Client> {
    let [Word("with"), Word(with), rest @ ..] = field.rest else {
        return None;
    };
    let [client] = &field.about[..] else { return None };
    let rest = without_comment(rest, |comment| comment.starts_with("version="));
    let is_whole = with.starts_with("ESMTP") && rest.is_empty() && field.clauses.ends_with("\n\t");
    Client::unconfirmed(client).filter(|_| is_protocol(with) && is_whole)
}

fn gmail(field: &Field) -> Option<Client> {
    let [client] = &field.about[..] else { return None };
    let rest = match behind_id(field.rest) {
        [Word("for"), Word(_), rest @ ..] => rest,
        rest => rest,
    };
    let rest = without_comment(rest, |comment| comment.starts_with("version="));
    Client::unconfirmed(client).filter(|_| field.by == "mx.google.com" && rest.is_empty())
}

fn chasquid(field: &Field) -> Option<Client> {
    let [Comment("chasquid"), Word("with"), Word(with), Comment(over)] = field.rest else {
        return None;
    };
    let [helo] = &field.about[..] else { return None };
    let is_whole = is_protocol(with) && over.starts_with("over ") && is_plain(helo);
    Some(Client::at(Some(bracketed(field.given)?))).filter(|_| is_whole)
}

fn qmail(field: &Field) -> Option<Client> {
    let client = match &field.about[..] {
        [client] => client,
        [helo, client] if helo.strip_prefix("HELO ").is_some_and(is_plain) => client,
        _ => return None,
    };
    let is_whole = match field.rest {
        [Word("with"), Word(with)] | [Word("with"), Word(with), Comment(_)] => is_protocol(with),
        [Word("with"), Comment(cipher), Word(with)] => is_protocol(with) && cipher.ends_with(" encrypted"),
        _ => false,
    };
    let date = field.date.trim_ascii();
    let is_its = date.starts_with(|c: char| c.is_ascii_digit()) && date.ends_with(" -0000");
    let ip = client.rsplit('@').next()?.parse().ok()?;
    Some(Client::at(Some(canonical(ip)))).filter(|_| is_whole && is_its && !field.given.starts_with('['))
}

fn exchange(field: &Field) -> Option<Client> {
    let address = |text: &str| bracketed(text).or_else(|| text.parse().ok().map(canonical));
    // Its own address, which may be a link-local one: `fe80::1%12`.
    let is_own = |own: &str| address(own).is_some() || own.contains('%');
    let [Word("with"), rest @ ..] = without_comment(field.rest, is_own) else {
        return None;
    };
    let [client] = &field.about[..] else { return None };
    let rest = match rest {
        [Word("Microsoft"), Word("SMTP"), Word("Server"), rest @ ..] | [Word("mapi"), rest @ ..] => rest,
        _ => return None,
    };
    let rest = behind_id(without_comment(rest, |tls| tls == "TLS" || tls.starts_with("version=")));
    let is_whole = matches!(rest, [] | [Word("via"), Word(_), Word("Transport")]);
    Some(Client::at(Some(address(client)?))).filter(|_| is_whole)
}

/// Whether it is one word of ordinary characters.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_of_word)
}

/// What a word consists of: a quoted one is read in no form.
fn is_of_word(c: char) -> bool {
    match c {
        '(' | ')' | '"' | '\\' | ';' | ',' => false,
        _ => c.is_ascii_graphic() || c.is_alphanumeric(),
    }
}

/// The words and comments of `text`, which white space parts; `None` where it is anything else.
fn tokens(text: &str) -> Option<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_ascii_start();
    while !rest.is_empty() {
        let (token, end) = if rest.starts_with('(') {
            let end = comment_end(rest)?;
            (Comment(&rest[1..end - 1]), end)
        } else {
            let end = rest.find(|c: char| c.is_ascii_whitespace()).unwrap_or(rest.len());
            (Word(&rest[..end]).of_ordinary_characters()?, end)
        };
        let behind = &rest[end..];
        rest = behind.trim_ascii_start();
        if tokens.len() == MOST || (behind.len() == rest.len() && !rest.is_empty()) {
            return None;
        }
        tokens.push(token);
    }
    Some(tokens)
}

impl Token<'_> {
    fn of_ordinary_characters(self) -> Option<Self> {
        match self {
            Word(word) => word.chars().all(is_of_word).then_some(self),
            Comment(_) => Some(self),
        }
    }
}

/// Where the comment that `text` begins with ends.
fn comment_end(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            b'\\' => return None,
            _ => {}
        }
        if depth == 0 {
            return Some(at + 1);
        }
    }
    None
}

/// A date without the zone's name and, as some Sendmails write it, `(envelope-from address)` behind it; `None` where it
/// has more in it than a date has.
fn without_comments(date: &str) -> Option<&str> {
    let (date, comments) = date.split_at(date.find('(').unwrap_or(date.len()));
    let is_name = |comment: &str| {
        comment
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b" +-".contains(&byte))
    };
    let is_known = |comment: &str| {
        comment
            .strip_prefix("envelope-from ")
            .map_or(is_name(comment), is_plain)
    };
    let is_comment = |token: Token| matches!(token, Comment(comment) if is_known(comment));
    let in_date = |byte: u8| byte.is_ascii_alphanumeric() || byte.is_ascii_whitespace() || b",:+-".contains(&byte);
    (date.bytes().all(in_date) && tokens(comments)?.into_iter().all(is_comment)).then_some(date)
}

/// The address in `[192.0.2.1]`, `[IPv6:2001:db8::1]`, `[192.0.2.1]:25`.
fn bracketed(text: &str) -> Option<IpAddr> {
    let (inside, behind) = text.strip_prefix('[')?.split_once(']')?;
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    if !behind.is_empty() && !behind.strip_prefix(':').is_some_and(is_port) {
        return None;
    }
    let inside = match inside.get(..5) {
        Some(mark) if mark.eq_ignore_ascii_case("IPv6:") => &inside[5..],
        _ => inside,
    };
    inside.parse().ok().map(canonical)
}

/// Some servers write all addresses as those of IPv6: `::ffff:192.0.2.1`.
fn canonical(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}

#[cfg(test)]
#[path = "received_tests.rs"]
mod tests;
