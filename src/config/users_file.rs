//! `users_file`: users as CSV, a line each, in place of as many `[[user]]` tables.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
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
    by_text::ByText,
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
    lines: Vec<u32>,
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
        self.lines.get(at).map(|line| *line as usize)
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
    let read = parse(bytes, users, lists, 1).map_err(refused)?;
    Ok(FileUsers { stamp, ..read })
}

/// Reads users from a text in the form of a users file. What is wrong comes with its line.
///
/// # Errors
/// Any of its lines is wrong: the first `most` of those that are, and never none.
pub fn parse_users(text: &str, users: &[User], lists: &[List], most: usize) -> Result<FileUsers, Vec<WrongLine>> {
    parse(text, users, lists, most)
}

fn parse(bytes: impl AsRef<[u8]>, users: &[User], lists: &[List], most: usize) -> Result<FileUsers, Vec<WrongLine>> {
    let (file, wrong) = line_by_line(bytes.as_ref(), Reading::new(users, lists), most);
    drop(bytes);
    file.finish(wrong, most)
}

fn line_by_line(bytes: &[u8], mut file: Reading, most: usize) -> (Reading, Vec<WrongLine>) {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .comment(Some(b'#'))
        .delimiter(delimiter(bytes))
        .from_reader(bytes);
    let mut lines = Records::new(bytes);
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
            wrong.push((Some(line as usize), UsersFileProblem::NotUtf8));
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
        let problem = match problem {
            UsersFileProblem::Address(_) if is_first && fields.iter().all(|field| !field.contains('@')) => {
                UsersFileProblem::Heading(fields[1..].join(", "))
            }
            problem => problem,
        };
        wrong.push((Some(line as usize), problem));
    }
    (file, wrong)
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
    line: u32,
}

impl<'b> Records<'b> {
    fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0, line: 1 }
    }

    /// The line of the first record at or behind an offset, which grows from call to call.
    fn of_record(&mut self, offset: usize) -> u32 {
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
        // A file of more lines is too large.
        self.line += memchr::memchr_iter(b'\n', passed).count() as u32;
        self.at = self.at.max(to);
    }
}

/// The users so far, and whose names and addresses are. Their texts are in memory once: there may be very many.
struct Reading {
    read: FileUsers,
    named: Vec<Named>,
    /// Numbers of users.
    names: ByText<u32>,
    configured: HashSet<String>,
    lists: HashSet<Address>,
    /// Addresses of users of the configuration, with their names.
    owned: HashMap<Address, String>,
}

/// An address: which user's, which of theirs, and on which line it stands. A file with more of any is too large.
#[derive(Clone, Copy)]
struct Named {
    user: u32,
    place: u32,
    line: u32,
}

impl Reading {
    fn new(users: &[User], lists: &[List]) -> Self {
        let active = users.iter().filter(|user| !user.disabled);
        let owned = active.flat_map(|user| {
            let addresses = user.addresses.iter().filter_map(|text| Address::parse_entry(text).ok());
            addresses.map(|address| (address, user.name.clone()))
        });
        Self {
            read: FileUsers::default(),
            named: Vec::new(),
            names: ByText::default(),
            configured: users.iter().map(|user| user.name.clone()).collect(),
            lists: lists
                .iter()
                .filter_map(|list| Address::parse_strict(&list.address))
                .collect(),
            owned: owned.collect(),
        }
    }

    fn take(&mut self, fields: &[&str], line: u32) -> Result<(), UsersFileProblem> {
        if fields.iter().any(|field| field.contains(['\r', '\n'])) {
            return Err(UsersFileProblem::OpenQuote);
        }
        let name = fields[0];
        if let Err(why) = check_name(name) {
            let name = name.to_owned();
            return Err(UsersFileProblem::Name { name, why });
        }
        if self.configured.contains(name) {
            return Err(UsersFileProblem::Twice(name.to_owned()));
        }
        let (flags, addresses): (Vec<&str>, Vec<&str>) = fields[1..].iter().partition(|field| **field == DISABLED);
        let separator = |c: char| c == ';' || c.is_whitespace();
        let addresses = addresses.into_iter().flat_map(|field| field.split(separator));
        let addresses: Vec<&str> = addresses.filter(|text| !text.is_empty()).collect();
        if addresses.is_empty() && name.contains(';') && name.contains('@') {
            return Err(UsersFileProblem::Semicolons);
        }
        if addresses.is_empty() {
            return Err(UsersFileProblem::NoAddress(name.to_owned()));
        }
        let users = &self.read.users;
        let known = self.names.of(name).find(|number| users[*number as usize].name == name);
        let number = known.unwrap_or_else(|| self.begin(name, line));
        let user = &mut self.read.users[number as usize];
        user.disabled |= !flags.is_empty();
        // Nearly all have one line.
        if user.addresses.is_empty() {
            user.addresses.reserve_exact(addresses.len());
        }
        for text in addresses {
            let address = Address::parse_entry(text).map_err(UsersFileProblem::Address)?;
            let place = user.addresses.len() as u32;
            user.addresses.push(address.into_string());
            self.named.push(Named {
                user: number,
                place,
                line,
            });
        }
        Ok(())
    }

    /// Only now: who is disabled on any line has no addresses, and another may have them. `wrong` is what lines are by
    /// themselves.
    fn finish(mut self, mut wrong: Vec<WrongLine>, most: usize) -> Result<FileUsers, Vec<WrongLine>> {
        let (mut owners, mut repeated) = (ByText::default(), BTreeSet::new());
        for (named, number) in self.named.iter().zip(0_u32..) {
            if self.read.users[named.user as usize].disabled {
                continue;
            }
            if wrong.len() >= most {
                break;
            }
            match self.is_repeated(named, &owners) {
                Ok(false) => owners.insert(self.text(named), number),
                Ok(true) => _ = repeated.insert(named.user),
                Err(problem) => wrong.push((Some(named.line as usize), problem)),
            }
        }
        // As they stand in the table, that without a line last; there is one of each line.
        wrong.sort_by_key(|(line, _)| line.unwrap_or(usize::MAX));
        wrong.dedup_by_key(|(line, _)| *line);
        for user in repeated {
            let mut seen = HashSet::new();
            let addresses = &mut self.read.users[user as usize].addresses;
            addresses.retain(|address| seen.insert(address.clone()));
        }
        match (wrong.is_empty(), self.read.users.is_empty()) {
            (false, _) => Err(wrong),
            // More likely cut off than meant: it would retire everybody.
            (true, true) => Err(vec![(None, UsersFileProblem::Empty)]),
            (true, false) => Ok(self.read),
        }
    }

    fn begin(&mut self, name: &str, line: u32) -> u32 {
        let number = self.read.lines.len() as u32;
        self.names.insert(name, number);
        self.read.lines.push(line);
        self.read.users.push(User {
            name: name.to_owned(),
            addresses: Vec::new(),
            disabled: false,
        });
        number
    }

    fn text(&self, named: &Named) -> &str {
        &self.read.users[named.user as usize].addresses[named.place as usize]
    }

    /// Whether the user has this address already; nobody else may. `owners`: the addresses before it, by number.
    fn is_repeated(&self, named: &Named, owners: &ByText<u32>) -> Result<bool, UsersFileProblem> {
        let text = self.text(named);
        let taken = |other: &str, line: Option<u32>| {
            let (other, line) = (other.to_owned(), line.map(|line| line as usize));
            let address = Address::parse_entry(text).map_err(UsersFileProblem::Address)?;
            Err(UsersFileProblem::Taken { address, other, line })
        };
        if let Some(list) = self.lists.get(text) {
            return Err(UsersFileProblem::List(list.clone()));
        }
        if let Some(other) = self.owned.get(text) {
            return taken(other, None);
        }
        let mut before = owners.of(text).map(|number| &self.named[number as usize]);
        match before.find(|before| self.text(before) == text) {
            Some(before) if before.user != named.user => {
                taken(&self.read.users[before.user as usize].name, Some(before.line))
            }
            before => Ok(before.is_some()),
        }
    }
}

#[cfg(test)]
#[path = "users_file_tests.rs"]
mod tests;
