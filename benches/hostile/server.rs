//! An IMAP and a POP3 server that say what they are to say, however much it is.

use std::{
    io::{self, BufRead, BufReader, BufWriter, Write},
    net::TcpStream,
};

use super::{mail::Mail, support::listening::Listening};

/// What the mailbox has.
#[derive(Clone)]
pub enum Has {
    /// These messages.
    Mail(Vec<Mail>),
    /// This many of which only the names can be fetched; UIDLs of this many bytes.
    Names(u32, usize),
    /// One whose literal is as long as it said, and is followed by garbage of so many bytes.
    Garbage(Mail, usize),
}

impl Has {
    fn count(&self) -> u32 {
        match self {
            Self::Mail(mail) => mail.len() as u32,
            Self::Names(count, _) => *count,
            Self::Garbage(..) => 1,
        }
    }

    fn mail(&self, number: u32) -> Option<&Mail> {
        match self {
            Self::Mail(mail) => mail.get(number as usize - 1),
            Self::Names(..) => None,
            Self::Garbage(mail, _) => Some(mail),
        }
    }
}

pub fn start(serve: fn(TcpStream, &Has) -> io::Result<()>, has: Has) -> Listening {
    Listening::start(move |client, _| serve(client, &has))
}

pub fn imap(client: TcpStream, has: &Has) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut input = BufReader::new(client.try_clone()?);
    let mut out = BufWriter::with_capacity(1 << 20, client);
    write!(out, "* OK ready\r\n")?;
    out.flush()?;
    let mut line = String::new();
    while input.read_line(&mut line)? > 0 {
        let heard = std::mem::take(&mut line);
        let mut words = heard.split_ascii_whitespace();
        let tag = words.next().unwrap_or_default().to_owned();
        let command = words.collect::<Vec<_>>().join(" ").to_ascii_uppercase();
        let count = has.count();
        if command.starts_with("CAPABILITY") {
            write!(out, "* CAPABILITY IMAP4rev1 UIDPLUS\r\n")?;
        } else if command.starts_with("LIST") {
            write!(out, "* LIST () \"/\" INBOX\r\n")?;
        } else if command.starts_with("EXAMINE") || command.starts_with("SELECT") || command.starts_with("STATUS") {
            write!(
                out,
                "* FLAGS (\\Seen)\r\n* {count} EXISTS\r\n* OK [UIDVALIDITY 1] v\r\n"
            )?;
            write!(out, "* OK [UIDNEXT {}] n\r\n", count + 1)?;
        } else if command.starts_with("UID SEARCH") {
            search(&mut out, &command, count)?;
        } else if let Some(asked) = command.strip_prefix("UID FETCH ") {
            fetch(&mut out, asked, has)?;
        } else if command.starts_with("LOGOUT") {
            write!(out, "* BYE\r\n{tag} OK done\r\n")?;
            return out.flush();
        }
        write!(out, "{tag} OK done\r\n")?;
        out.flush()?;
    }
    Ok(())
}

/// The UIDs between the bounds of a set.
fn bounds(set: &str, count: u32) -> (u32, u32) {
    let number = |text: &str| text.parse().unwrap_or(count);
    let (first, last) = set.split_once(':').unwrap_or((set, set));
    (number(first).max(1), number(last).min(count))
}

fn search(out: &mut impl Write, command: &str, count: u32) -> io::Result<()> {
    let set = command
        .split(' ')
        .find(|word| word.contains(':') || word.parse::<u32>().is_ok());
    let (first, last) = set.map_or((1, count), |set| bounds(set, count));
    write!(out, "* SEARCH")?;
    for uid in first..=last {
        write!(out, " {uid}")?;
    }
    write!(out, "\r\n")
}

fn fetch(out: &mut impl Write, asked: &str, has: &Has) -> io::Result<()> {
    if matches!(has, Has::Names(..)) {
        return Err(io::ErrorKind::ConnectionAborted.into());
    }
    let (sets, items) = asked.split_once(' ').unwrap_or((asked, ""));
    for set in sets.split(',') {
        let (first, last) = bounds(set, has.count());
        for uid in first..=last {
            let Some(mail) = has.mail(uid) else { continue };
            write!(out, "* {uid} FETCH (UID {uid}")?;
            if items.contains("RFC822.SIZE") {
                write!(out, " RFC822.SIZE {}", mail.len())?;
            }
            if items.contains("INTERNALDATE") {
                write!(out, " INTERNALDATE \"17-Nov-2025 10:00:00 +0000\"")?;
            }
            if items.contains("FLAGS") {
                write!(out, " FLAGS (\\Seen)")?;
            }
            if items.contains("BODY.PEEK[]") {
                write!(out, " BODY[] {{{}}}\r\n", mail.len())?;
                mail.write(out)?;
                if let Has::Garbage(_, garbage) = has {
                    (0..garbage / 10).try_for_each(|_| write!(out, "0123456789"))?;
                    write!(out, "\r\n")?;
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
            } else if items.contains("BODY.PEEK[HEADER]") {
                write!(out, " BODY[HEADER] {{2}}\r\n\r\n")?;
            }
            write!(out, ")\r\n")?;
        }
    }
    Ok(())
}

pub fn pop3(client: TcpStream, has: &Has) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut input = BufReader::new(client.try_clone()?);
    let mut out = BufWriter::with_capacity(1 << 20, client);
    write!(out, "+OK ready\r\n")?;
    out.flush()?;
    let Has::Names(count, length) = *has else {
        return Ok(());
    };
    let mut line = String::new();
    while input.read_line(&mut line)? > 0 {
        let heard = std::mem::take(&mut line).to_ascii_uppercase();
        match heard.split_ascii_whitespace().next().unwrap_or_default() {
            "CAPA" => write!(out, "+OK\r\nUIDL\r\nTOP\r\nUSER\r\n.\r\n")?,
            "USER" | "PASS" | "NOOP" => write!(out, "+OK\r\n")?,
            "STAT" => write!(out, "+OK {count} {}\r\n", u64::from(count) * 100)?,
            "UIDL" => {
                write!(out, "+OK\r\n")?;
                (1..=count).try_for_each(|number| write!(out, "{number} {number:0length$}\r\n"))?;
                write!(out, ".\r\n")?;
            }
            "LIST" => {
                write!(out, "+OK\r\n")?;
                (1..=count).try_for_each(|number| write!(out, "{number} 100\r\n"))?;
                write!(out, ".\r\n")?;
            }
            // Nothing of them can be fetched.
            _ => return Ok(()),
        }
        out.flush()?;
    }
    Ok(())
}
