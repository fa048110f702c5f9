//! IMAP (RFC 3501, with UIDPLUS, MOVE and IDLE), as an honest server speaks it.

use std::{collections::BTreeSet, io, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::support::PATIENCE;

use super::{Folder, Heard, Line, Mailbox, Message, PASSWORD, Part, lock, part};

/// How often IDLE looks for changes.
const LOOK: Duration = Duration::from_millis(20);

struct Session {
    logged_in: bool,
    selected: Option<String>,
    read_only: bool,
    /// The UIDs that the client knows of, in the order of the message numbers.
    known: Vec<u32>,
}

pub(super) fn serve(line: &mut Line) -> io::Result<()> {
    let mut session = Session {
        logged_in: false,
        selected: None,
        read_only: true,
        known: Vec::new(),
    };
    let greeting = Heard {
        command: "greeting",
        messages: &[],
    };
    let faults = line.due(&greeting);
    line.answer(vec![part("* OK ready\r\n")], &faults, "")?;
    while let Some(text) = line.hear()? {
        let Some((tag, command)) = text.split_once(' ') else {
            line.say(b"* BAD a tag and a command\r\n")?;
            continue;
        };
        let (name, rest) = command.split_once(' ').unwrap_or((command, ""));
        let (uid, name, rest) = match name.eq_ignore_ascii_case("UID") {
            true => {
                let (name, rest) = rest.split_once(' ').unwrap_or((rest, ""));
                (true, name, rest)
            }
            false => (false, name, rest),
        };
        let name = name.to_ascii_uppercase();
        line.note(if name == "LOGIN" { "LOGIN" } else { command });
        let command = match name.as_str() {
            "FETCH" if rest.contains("BODY") => "FETCH BODY",
            "FETCH" => "FETCH SIZE",
            name => name,
        };
        let ids = session.named(line, uid, rest);
        let heard = Heard {
            command,
            messages: &ids,
        };
        let faults = line.due(&heard);
        let mut parts = match name.as_str() {
            "AUTHENTICATE" => session.authenticate(line, tag)?,
            "IDLE" => {
                line.say(b"+ idling\r\n")?;
                session.idle(line)?;
                vec![part(format!("{tag} OK done\r\n"))]
            }
            _ => session.answer(line, tag, &name, uid, rest),
        };
        // What has changed is told before the end, and not during FETCH by number and its like (RFC 3501, 7.4.1).
        if uid || name == "NOOP" {
            let end = parts.pop();
            parts.extend(session.changes(line));
            parts.extend(end);
        }
        line.answer(parts, &faults, tag)?;
        if name == "LOGOUT" {
            return Ok(());
        }
    }
    Ok(())
}

impl Session {
    /// The ids of the messages that a command's set names; of all, where it begins with none.
    fn named(&self, line: &Line, uid: bool, rest: &str) -> Vec<u32> {
        let Some(selected) = &self.selected else {
            return Vec::new();
        };
        let set = Set::parse(rest.split(' ').next().unwrap_or_default());
        let mut mailbox = lock(&line.state.mailbox);
        let Some(folder) = mailbox.folder(selected) else {
            return Vec::new();
        };
        let chosen = |message: &&Message| match (&set, uid) {
            (None, _) => true,
            (Some(set), true) => set.has(message.uid, self.known.last()),
            (Some(set), false) => self.number(message.uid).is_some_and(|number| set.has(number, None)),
        };
        folder
            .messages
            .iter()
            .filter(chosen)
            .map(|message| message.id)
            .collect()
    }

    /// The message number of a UID.
    fn number(&self, uid: u32) -> Option<u32> {
        let at = self.known.iter().position(|known| *known == uid)?;
        Some(at as u32 + 1)
    }

    fn authenticate(&mut self, line: &mut Line, tag: &str) -> io::Result<Vec<Part>> {
        line.say(b"+ \r\n")?;
        let said = line.hear()?.unwrap_or_default();
        let plain = STANDARD.decode(said).unwrap_or_default();
        self.logged_in = plain.ends_with(format!("\0{PASSWORD}").as_bytes());
        Ok(vec![match self.logged_in {
            true => part(format!("{tag} OK welcome\r\n")),
            false => part(format!("{tag} NO [AUTHENTICATIONFAILED] no\r\n")),
        }])
    }

    /// Tells what changes until DONE.
    fn idle(&mut self, line: &mut Line) -> io::Result<()> {
        line.tcp.set_read_timeout(Some(LOOK))?;
        loop {
            match line.hear() {
                Ok(Some(word)) if word.eq_ignore_ascii_case("DONE") => break,
                Ok(Some(_)) => {}
                Ok(None) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    let changes: Vec<u8> = self.changes(line).into_iter().flat_map(|part| part.bytes).collect();
                    line.say(&changes)?;
                }
                Err(error) => return Err(error),
            }
        }
        line.tcp.set_read_timeout(Some(PATIENCE))
    }

    /// What has become of the folder since the client last heard.
    fn changes(&mut self, line: &Line) -> Vec<Part> {
        let Some(selected) = &self.selected else {
            return Vec::new();
        };
        let mut mailbox = lock(&line.state.mailbox);
        let Some(folder) = mailbox.folder(selected) else {
            return Vec::new();
        };
        let standing: Vec<u32> = folder.messages.iter().map(|message| message.uid).collect();
        let mut parts = Vec::new();
        for at in (0..self.known.len()).rev() {
            if !standing.contains(&self.known[at]) {
                self.known.remove(at);
                parts.push(part(format!("* {} EXPUNGE\r\n", at + 1)));
            }
        }
        if standing.len() > self.known.len() {
            parts.push(part(format!("* {} EXISTS\r\n", standing.len())));
        }
        self.known = standing;
        parts
    }

    fn answer(&mut self, line: &Line, tag: &str, name: &str, uid: bool, rest: &str) -> Vec<Part> {
        let capabilities = || lock(&line.state.capabilities).join(" ");
        let done = |what: &str| part(format!("{tag} {what}\r\n"));
        let mut mailbox = lock(&line.state.mailbox);
        match name {
            "CAPABILITY" => vec![part(format!("* CAPABILITY {}\r\n", capabilities())), done("OK done")],
            "NOOP" => vec![done("OK done")],
            "LOGOUT" => vec![part("* BYE see you\r\n"), done("OK done")],
            "LOGIN" => {
                self.logged_in = strings(rest).last().is_some_and(|password| password == PASSWORD);
                match self.logged_in {
                    true => vec![done(&format!("OK [CAPABILITY {}] welcome", capabilities()))],
                    false => vec![done("NO [AUTHENTICATIONFAILED] no")],
                }
            }
            _ if !self.logged_in => vec![done("BAD log in first")],
            "LIST" | "LSUB" => {
                let pattern = strings(rest).pop().unwrap_or_default();
                let names = mailbox.folders.iter().map(|folder| &folder.name);
                let mut parts: Vec<Part> = names
                    .filter(|folder| matches(&pattern, folder))
                    .map(|folder| part(format!("* {name} (\\HasNoChildren) \"/\" \"{folder}\"\r\n")))
                    .collect();
                parts.push(done("OK done"));
                parts
            }
            "SELECT" | "EXAMINE" => {
                let folder = strings(rest).pop().unwrap_or_default();
                self.read_only = name == "EXAMINE";
                self.select(&mut mailbox, &folder, tag)
            }
            _ => {
                let folder = self.selected.clone();
                let Some(folder) = folder.and_then(|name| mailbox.folders.iter().position(|one| one.name == name))
                else {
                    return vec![done("BAD select a folder first")];
                };
                self.in_folder(&mut mailbox, folder, tag, name, uid, rest)
            }
        }
    }

    fn select(&mut self, mailbox: &mut Mailbox, name: &str, tag: &str) -> Vec<Part> {
        let Some(folder) = mailbox.folder(name) else {
            self.selected = None;
            return vec![part(format!("{tag} NO [NONEXISTENT] there is no {name}\r\n"))];
        };
        self.selected = Some(folder.name.clone());
        self.known = folder.messages.iter().map(|message| message.uid).collect();
        let access = if self.read_only { "READ-ONLY" } else { "READ-WRITE" };
        vec![part(format!(
            "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n* {} EXISTS\r\n* 0 RECENT\r\n\
             * OK [UIDVALIDITY {}] valid\r\n* OK [UIDNEXT {}] next\r\n{tag} OK [{access}] open\r\n",
            self.known.len(),
            folder.uidvalidity,
            folder.uidnext
        ))]
    }

    fn in_folder(
        &mut self,
        mailbox: &mut Mailbox,
        at: usize,
        tag: &str,
        name: &str,
        uid: bool,
        rest: &str,
    ) -> Vec<Part> {
        let done = |what: &str| part(format!("{tag} {what}\r\n"));
        let (first, items) = rest.split_once(' ').unwrap_or((rest, ""));
        let set = Set::parse(first);
        let known = self.known.clone();
        let number = |message: &Message| known.iter().position(|one| *one == message.uid).map(|at| at as u32 + 1);
        let named = |message: &Message| match (&set, uid) {
            (Some(set), true) => set.has(message.uid, known.last()),
            (Some(set), false) => number(message).is_some_and(|number| set.has(number, None)),
            (None, _) => false,
        };
        let folder = &mut mailbox.folders[at];
        match name {
            "SEARCH" => {
                let found = folder
                    .messages
                    .iter()
                    .filter_map(|message| Some((number(message)?, message)))
                    .filter(|(number, message)| fits(rest, *number, message))
                    .map(|(number, message)| if uid { message.uid } else { number });
                let found: String = found.map(|one| format!(" {one}")).collect();
                vec![part(format!("* SEARCH{found}\r\n")), done("OK done")]
            }
            "FETCH" => {
                let answered = folder.messages.iter().filter(|message| named(message));
                let mut parts: Vec<Part> = answered
                    .filter_map(|message| Some(fetched(number(message)?, message, items)))
                    .collect();
                parts.push(done("OK done"));
                parts
            }
            "STORE" if !self.read_only => {
                let mut parts = Vec::new();
                for message in folder.messages.iter_mut().filter(|message| named(message)) {
                    let flags = items.split(['(', ')', ' ']).filter(|word| word.starts_with('\\'));
                    for flag in flags {
                        match items.starts_with('-') {
                            true => message.flags.remove(flag),
                            false => message.flags.insert(flag.to_owned()),
                        };
                    }
                    if !items.contains(".SILENT")
                        && let Some(number) = number(message)
                    {
                        parts.push(fetched(number, message, "(UID FLAGS)"));
                    }
                }
                parts.push(done("OK done"));
                parts
            }
            "EXPUNGE" if !self.read_only => {
                let gone = |message: &Message| message.flags.contains("\\Deleted") && (!uid || named(message));
                folder.messages.retain(|message| !gone(message));
                let mut parts = expunged(&mut self.known, folder);
                parts.push(done("OK done"));
                parts
            }
            "MOVE" | "COPY" if name == "COPY" || !self.read_only => {
                let target = strings(items).pop().unwrap_or_default();
                let chosen: Vec<Message> = folder.messages.iter().filter(|one| named(one)).cloned().collect();
                if name == "MOVE" && mailbox.folder(&target).is_some() {
                    mailbox.folders[at].messages.retain(|message| !named(message));
                }
                let Some(into) = mailbox.folder(&target) else {
                    return vec![done("NO [TRYCREATE] there is no such folder")];
                };
                for mut message in chosen {
                    message.uid = into.uidnext;
                    into.uidnext += 1;
                    into.messages.push(message);
                }
                let mut parts = expunged(&mut self.known, &mailbox.folders[at]);
                parts.push(done("OK done"));
                parts
            }
            _ => vec![done("BAD what?")],
        }
    }
}

fn expunged(known: &mut Vec<u32>, folder: &Folder) -> Vec<Part> {
    let standing: BTreeSet<u32> = folder.messages.iter().map(|message| message.uid).collect();
    let mut parts = Vec::new();
    for at in (0..known.len()).rev() {
        if !standing.contains(&known[at]) {
            known.remove(at);
            parts.push(part(format!("* {} EXPUNGE\r\n", at + 1)));
        }
    }
    parts
}

fn fetched(number: u32, message: &Message, items: &str) -> Part {
    let mut bytes = format!("* {number} FETCH (UID {}", message.uid).into_bytes();
    if items.contains("FLAGS") {
        let flags: Vec<&str> = message.flags.iter().map(String::as_str).collect();
        bytes.extend_from_slice(format!(" FLAGS ({})", flags.join(" ")).as_bytes());
    }
    if items.contains("RFC822.SIZE") {
        bytes.extend_from_slice(format!(" RFC822.SIZE {}", message.size()).as_bytes());
    }
    if items.contains("INTERNALDATE") {
        bytes.extend_from_slice(b" INTERNALDATE \"17-Jul-2024 02:44:25 +0000\"");
    }
    let body = match (items.contains("BODY.PEEK[]"), items.contains("BODY.PEEK[HEADER]")) {
        (true, _) => Some(("BODY[]", &message.bytes[..])),
        (_, true) => {
            let end = memchr::memmem::find(&message.bytes, b"\r\n\r\n").map_or(message.bytes.len(), |at| at + 4);
            Some(("BODY[HEADER]", &message.bytes[..end]))
        }
        _ => None,
    };
    if let Some((section, body)) = body {
        bytes.extend_from_slice(format!(" {section} {{{}}}\r\n", body.len()).as_bytes());
        bytes.extend_from_slice(body);
    }
    bytes.extend_from_slice(b")\r\n");
    Part {
        of: Some(message.id),
        bytes,
    }
}

/// Whether a message is what SEARCH asks for: all keys must fit.
fn fits(keys: &str, number: u32, message: &Message) -> bool {
    let mut words = keys.split(' ').filter(|word| !word.is_empty());
    while let Some(word) = words.next() {
        let has = |flag: &str| message.flags.contains(flag);
        let fits = match word.to_ascii_uppercase().as_str() {
            "ALL" => true,
            "FLAGGED" => has("\\Flagged"),
            "UNFLAGGED" => !has("\\Flagged"),
            "DELETED" => has("\\Deleted"),
            "UNDELETED" => !has("\\Deleted"),
            "SEEN" => has("\\Seen"),
            "UNSEEN" => !has("\\Seen"),
            "UID" => Set::parse(words.next().unwrap_or_default()).is_some_and(|set| set.has(message.uid, None)),
            word => Set::parse(word).is_some_and(|set| set.has(number, None)),
        };
        if !fits {
            return false;
        }
    }
    true
}

/// A set of numbers (RFC 3501, sequence-set).
struct Set(Vec<(u32, u32)>);

impl Set {
    fn parse(text: &str) -> Option<Self> {
        let number = |text: &str| match text {
            "*" => Some(u32::MAX),
            _ => text.parse().ok(),
        };
        let range = |text: &str| {
            let (low, high) = text.split_once(':').unwrap_or((text, text));
            let (low, high) = (number(low)?, number(high)?);
            Some((low.min(high), low.max(high)))
        };
        text.split(',').map(range).collect::<Option<_>>().map(Self)
    }

    /// Whether a number is in it; `last` is what `*` stands for, where that counts.
    fn has(&self, number: u32, last: Option<&u32>) -> bool {
        let named = |(low, high): &(u32, u32)| (*low..=*high).contains(&number);
        let star = self.0.iter().any(|(_, high)| *high == u32::MAX) && last == Some(&number);
        star || self.0.iter().any(named)
    }
}

/// The strings and atoms of a command's arguments.
fn strings(text: &str) -> Vec<String> {
    let mut strings = Vec::new();
    let mut bytes = text.chars().peekable();
    while let Some(first) = bytes.next() {
        match first {
            ' ' => {}
            '"' => {
                let mut string = String::new();
                while let Some(next) = bytes.next() {
                    match next {
                        '"' => break,
                        '\\' => string.extend(bytes.next()),
                        next => string.push(next),
                    }
                }
                strings.push(string);
            }
            first => {
                let mut atom = String::from(first);
                while let Some(next) = bytes.next_if(|next| *next != ' ') {
                    atom.push(next);
                }
                strings.push(atom);
            }
        }
    }
    strings
}

/// `*` and `%` as the end of a pattern are all that is asked for here.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix(['*', '%']) {
        Some(start) => name.starts_with(start),
        None => name == pattern || (name == "INBOX" && pattern.eq_ignore_ascii_case(name)),
    }
}
