//! `users_file`: users as CSV, a line each, in place of as many `[[user]]` tables.

use std::{
    collections::{HashMap, HashSet},
    fmt, fs, io,
    os::unix::fs::MetadataExt,
    path::Path,
    time::{Duration, SystemTime},
};

use super::{
    directory::{List, User},
    users_file_error::{UsersFileError, UsersFileProblem},
};
use crate::{
    account::why_unreadable,
    message::{Address, check_name},
};

/// No list of users is as large; a disk image would be.
const MOST_BYTES: u64 = 256 << 20;
/// The field that disables a user.
const DISABLED: &str = "!disabled";

/// What is wrong with a file, and on which line.
pub type WrongLine = (Option<usize>, UsersFileProblem);

/// The users of the file, as it was when it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileUsers {
    pub users: Vec<User>,
    /// The line on which each of them is named first.
    lines: Vec<usize>,
    /// Which file it was.
    pub stamp: Option<FileStamp>,
    /// Why there are none: the file could not be used.
    pub error: Option<UsersFileError>,
}

impl FileUsers {
    pub(super) fn none(error: UsersFileError) -> Self {
        Self {
            error: Some(error),
            ..Self::default()
        }
    }

    /// The line on which a user is named first.
    pub fn line(&self, name: &str) -> Option<usize> {
        let at = self.users.iter().position(|user| user.name == name)?;
        self.lines.get(at).copied()
    }
}

/// What changes when a file does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileStamp {
    modified: (i64, i64),
    size: u64,
    inode: u64,
}

impl FileStamp {
    /// # Errors
    /// The file is not there, or cannot be looked at.
    pub fn of(file: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(file)?;
        Ok(Self {
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            size: metadata.len(),
            inode: metadata.ino(),
        })
    }

    /// How long ago the file was written.
    pub fn age(&self, now: SystemTime) -> Duration {
        let (seconds, nanoseconds) = self.modified;
        let modified = Duration::new(seconds.max(0) as u64, nanoseconds.clamp(0, 999_999_999) as u32);
        now.duration_since(SystemTime::UNIX_EPOCH + modified)
            .unwrap_or_default()
    }
}

/// Reads a users file. `users` and `lists` are those of the configuration, which its users must not contradict.
///
/// # Errors
/// It cannot be read, or any of its lines is wrong: half a list of users is worse than the one before.
pub fn read(file: &Path, users: &[User], lists: &[List]) -> Result<FileUsers, UsersFileError> {
    let unreadable = |error: &dyn fmt::Display| UsersFileError {
        file: file.to_owned(),
        line: None,
        problem: UsersFileProblem::Unreadable(error.to_string()),
    };
    let why = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => unreadable(&format_args!(
            "{}; write it, or take users_file out",
            why_unreadable(file, &error)
        )),
        _ => unreadable(&why_unreadable(file, &error)),
    };
    let metadata = fs::metadata(file).map_err(why)?;
    if metadata.is_dir() {
        return Err(why(io::ErrorKind::IsADirectory.into()));
    }
    if !metadata.is_file() || metadata.len() > MOST_BYTES {
        return Err(unreadable(&"is no list of users: no file, or far too large"));
    }
    // Before it is read: what is written later is another file.
    let stamp = FileStamp::of(file).ok();
    let bytes = fs::read(file).map_err(why)?;
    let refused = |wrong: Vec<WrongLine>| match wrong.into_iter().next() {
        Some((line, problem)) => UsersFileError {
            file: file.to_owned(),
            line,
            problem,
        },
        None => unreadable(&"is wrong, and nothing says how; this is a bug in dropkeep"),
    };
    let read = parse(&bytes, users, lists, 1).map_err(refused)?;
    Ok(FileUsers { stamp, ..read })
}

/// Reads users from a text in the form of a users file. What is wrong comes with its line.
///
/// # Errors
/// Any of its lines is wrong: the first `most` of those that are, and never none.
pub fn parse_users(text: &str, users: &[User], lists: &[List], most: usize) -> Result<FileUsers, Vec<WrongLine>> {
    parse(text.as_bytes(), users, lists, most)
}

fn parse(bytes: &[u8], users: &[User], lists: &[List], most: usize) -> Result<FileUsers, Vec<WrongLine>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .comment(Some(b'#'))
        .delimiter(delimiter(bytes))
        .from_reader(bytes);
    let (mut lines, mut file) = (Records::new(bytes), Reading::new(users, lists));
    let mut record = csv::ByteRecord::new();
    let (mut first, mut wrong) = (true, Vec::new());
    while wrong.len() < most {
        let at = reader.position().byte();
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                wrong.push((None, UsersFileProblem::Unreadable(format!("cannot be read: {error}"))));
                break;
            }
        }
        let line = lines.of_record(at as usize);
        let fields: Result<Vec<&str>, _> = record.iter().map(std::str::from_utf8).collect();
        let Ok(fields) = fields else {
            wrong.push((Some(line), UsersFileProblem::NotUtf8));
            continue;
        };
        let fields: Vec<&str> = fields.into_iter().map(str::trim).collect();
        let is_blank = fields.iter().all(|field| field.is_empty());
        if is_blank {
            continue;
        }
        let is_first = std::mem::take(&mut first);
        if is_first && is_header(&fields) {
            continue;
        }
        let Err(problem) = file.take(&fields, line) else {
            continue;
        };
        wrong.push(match problem {
            UsersFileProblem::Address(_) if is_first && fields.iter().all(|field| !field.contains('@')) => {
                (Some(line), UsersFileProblem::Heading(fields[1..].join(", ")))
            }
            problem => (Some(line), problem),
        });
    }
    file.finish(wrong, most)
}

/// `name,address…`, as tables have it in their first line, or `Name,E-Mail`.
fn is_header(fields: &[&str]) -> bool {
    fields[0].eq_ignore_ascii_case("name") && fields.iter().all(|field| !field.contains('@') && *field != DISABLED)
}

/// Spreadsheets write semicolons in countries that write numbers with commas. The first line that is not blank, and no
/// comment, says which.
fn delimiter(bytes: &[u8]) -> u8 {
    let mut lines = bytes.split(|byte| *byte == b'\n' || *byte == b'\r');
    let first = lines.find(|line| !line.trim_ascii().is_empty() && !line.starts_with(b"#"));
    match first {
        Some(line) if line.contains(&b';') && !line.contains(&b',') => b';',
        _ => b',',
    }
}

/// Counts lines: the reader's own count is of where it begins to look for a record, before blank lines and comments.
struct Records<'b> {
    bytes: &'b [u8],
    at: usize,
    line: usize,
}

impl<'b> Records<'b> {
    fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0, line: 1 }
    }

    /// The line of the first record at or behind an offset, which grows from call to call.
    fn of_record(&mut self, offset: usize) -> usize {
        self.advance(offset);
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b'\r' | b'\n' => self.advance(self.at + 1),
                b'#' => {
                    let end = memchr::memchr(b'\n', &self.bytes[self.at..]);
                    self.advance(end.map_or(self.bytes.len(), |end| self.at + end));
                }
                _ => break,
            }
        }
        self.line
    }

    fn advance(&mut self, to: usize) {
        let passed = &self.bytes[self.at.min(to)..to.min(self.bytes.len())];
        self.line += memchr::memchr_iter(b'\n', passed).count();
        self.at = self.at.max(to);
    }
}

/// The users so far, and whose names and addresses are.
struct Reading {
    read: FileUsers,
    /// The addresses of each line, with the user's number.
    named: Vec<(usize, Address, usize)>,
    names: HashMap<String, usize>,
    configured: HashSet<String>,
    lists: HashSet<Address>,
    owners: HashMap<Address, Owner>,
}

/// A user of the configuration by name, one of the file by number.
enum Owner {
    Configured(String),
    InFile { user: usize, line: usize },
}

impl Reading {
    fn new(users: &[User], lists: &[List]) -> Self {
        let active = users.iter().filter(|user| !user.disabled);
        let owned = active.flat_map(|user| {
            let addresses = user.addresses.iter().filter_map(|text| Address::parse_entry(text).ok());
            addresses.map(|address| (address, Owner::Configured(user.name.clone())))
        });
        Self {
            read: FileUsers::default(),
            named: Vec::new(),
            names: HashMap::new(),
            configured: users.iter().map(|user| user.name.clone()).collect(),
            lists: lists
                .iter()
                .filter_map(|list| Address::parse_strict(&list.address))
                .collect(),
            owners: owned.collect(),
        }
    }

    fn take(&mut self, fields: &[&str], line: usize) -> Result<(), UsersFileProblem> {
        if fields.iter().any(|field| field.contains(['\r', '\n'])) {
            return Err(UsersFileProblem::OpenQuote);
        }
        let name = fields[0].to_owned();
        if let Err(why) = check_name(&name) {
            return Err(UsersFileProblem::Name { name, why });
        }
        if self.configured.contains(&name) {
            return Err(UsersFileProblem::Twice(name));
        }
        let (flags, addresses): (Vec<&str>, Vec<&str>) = fields[1..].iter().partition(|field| **field == DISABLED);
        let separator = |c: char| c == ';' || c.is_whitespace();
        let mut addresses = addresses
            .into_iter()
            .flat_map(|field| field.split(separator))
            .filter(|text| !text.is_empty())
            .peekable();
        if addresses.peek().is_none() && name.contains(';') && name.contains('@') {
            return Err(UsersFileProblem::Semicolons);
        }
        if addresses.peek().is_none() {
            return Err(UsersFileProblem::NoAddress(name));
        }
        let number = match self.names.get(&name) {
            Some(number) => *number,
            None => self.begin(name, line),
        };
        self.read.users[number].disabled |= !flags.is_empty();
        for text in addresses {
            self.named.push((
                number,
                Address::parse_entry(text).map_err(UsersFileProblem::Address)?,
                line,
            ));
        }
        Ok(())
    }

    /// Only now: who is disabled on any line has no addresses, and another may have them. `wrong` is what lines are by
    /// themselves.
    fn finish(mut self, mut wrong: Vec<WrongLine>, most: usize) -> Result<FileUsers, Vec<WrongLine>> {
        for (user, address, line) in std::mem::take(&mut self.named) {
            if self.read.users[user].disabled {
                self.read.users[user].addresses.push(address.to_string());
            } else if wrong.len() >= most {
                break;
            } else if let Err(problem) = self.own(user, address, line) {
                wrong.push((Some(line), problem));
            }
        }
        // As they stand in the table, that without a line last; there is one of each line.
        wrong.sort_by_key(|(line, _)| line.unwrap_or(usize::MAX));
        wrong.dedup_by_key(|(line, _)| *line);
        match (wrong.is_empty(), self.read.users.is_empty()) {
            (false, _) => Err(wrong),
            // More likely cut off than meant: it would retire everybody.
            (true, true) => Err(vec![(None, UsersFileProblem::Empty)]),
            (true, false) => Ok(self.read),
        }
    }

    fn begin(&mut self, name: String, line: usize) -> usize {
        let number = self.read.users.len();
        self.names.insert(name.clone(), number);
        self.read.lines.push(line);
        self.read.users.push(User {
            name,
            addresses: Vec::new(),
            disabled: false,
        });
        number
    }

    fn own(&mut self, user: usize, address: Address, line: usize) -> Result<(), UsersFileProblem> {
        if self.lists.contains(&address) {
            return Err(UsersFileProblem::List(address));
        }
        match self.owners.get(&address) {
            Some(Owner::Configured(other)) => {
                let (other, line) = (other.clone(), None);
                return Err(UsersFileProblem::Taken { address, other, line });
            }
            Some(Owner::InFile { user: other, .. }) if *other == user => return Ok(()),
            Some(Owner::InFile { user: other, line }) => {
                let (other, line) = (self.read.users[*other].name.clone(), Some(*line));
                return Err(UsersFileProblem::Taken { address, other, line });
            }
            None => {}
        }
        self.read.users[user].addresses.push(address.to_string());
        self.owners.insert(address, Owner::InFile { user, line });
        Ok(())
    }
}

#[cfg(test)]
#[path = "users_file_tests.rs"]
mod tests;
