//! What exactly is wrong with a request, for whoever says it in other words than its failure does, and where it was typed.

use crate::{config::UsersFileProblem, message::EntryError};

/// What is wrong, and with what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wrong {
    pub code: Code,
    /// What it is about, in the order in which [`Code`] names it.
    pub about: Vec<String>,
    /// The line of a table.
    pub line: Option<usize>,
    /// What else is wrong with the table, in further lines.
    pub more: Vec<Wrong>,
}

/// What is wrong. What it is about stands behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Code {
    /// Cannot be the name of a user: the name.
    UserName,
    /// Is there already: the name.
    UserExists,
    /// Nobody has this name: the name, and the nearest one, if there is one.
    NoUser,
    /// Is changed in the configuration alone: the name.
    UserOfConfiguration,
    /// The name.
    UserBuiltIn,
    /// The name.
    UserRetired,
    /// Two users who have mail cannot become one: the one, the other, and how many messages that one has.
    UserHasMail,
    /// What was typed.
    NoAddress,
    /// What was typed.
    NoPattern,
    /// The address, and whose it is.
    AddressTaken,
    /// The address.
    AddressOfList,
    /// The most addresses.
    TooManyIgnored,
    /// The name.
    UserWithoutAddress,
    /// A field of a table goes on beyond its line.
    OpenQuote,
    Semicolons,
    /// What was taken for an address.
    Heading,
    TableUnreadable,
    TableEmpty,
    /// Cannot be the name of an account: the name.
    AccountName,
    AccountExists,
    NoAccount,
    AccountDisabled,
    PasswordShort,
    PasswordLong,
    PasswordIsName,
    /// The password so far is another one.
    PasswordSoFar,
    /// It was changed meanwhile.
    PasswordChanged,
    CodeWrong,
    CodeUsed,
    CodesOn,
    CodesNotBegun,
    ApplicationName,
    ApplicationExists,
    NoApplication,
    /// There are too many.
    Applications,
    ArchiveGiven,
    ArchiveNotGiven,
    /// Nobody else administers: the name.
    LastAdministrator,
    Busy,
    /// The seconds to wait.
    Slowed,
    /// Something of its kind is going on.
    GoingOn,
    /// The role may not do this.
    MayNot,
    NeedsCodes,
    NeedsReason,
    /// The number.
    NoMessage,
    /// The number.
    NoRun,
    /// The number.
    RunForgotten,
    /// This is no place in a list.
    NoPlace,
    /// The text, and the most words.
    TooWild,
    WildInAll,
    /// How many, and how many there can be.
    TooManyForZip,
    IndexOff,
    /// How many messages of how many it has.
    IndexBuilding,
    /// Why.
    IndexFailing,
    IndexMissing,

    // A query: where it is wrong stands with it.
    /// The most bytes.
    QueryTooLong,
    AsksForNothing,
    /// The most things.
    AsksTooMuch,
    ClosesNone,
    NotClosed,
    NothingInThem,
    /// The most of them.
    TooDeep,
    QuoteNotClosed,
    OrBetween,
    AndBetween,
    NotBefore,
    MinusBefore,
    NoLetter,
    WildAlone,
    /// The name, and the nearest there is.
    NoField,
    FieldInParentheses,
    NoFieldOfText,
    /// The field.
    SpaceBehindField,
    /// What was typed.
    NoDate,
    /// What was typed.
    NoSpan,
    /// What was typed.
    NoSize,
    /// A share of the archive.
    NoShare,
    OnlyAttachment,
    /// The words that there are.
    UnreadWords,
    RangeOpen,
    RangeBackwards,
    /// What was typed.
    NoId,
    MessageIdEmpty,
    NameEmpty,

    // A profile that is set up.
    ProfileNameMissing,
    /// What was typed.
    ProfileName,
    /// The name.
    ProfileExists,
    /// The name.
    ProfileKeepsName,
    ScheduleMissing,
    /// What was typed.
    NoSchedule,
    /// What was typed.
    NoTimeZone,
    /// What was typed.
    NoHours,
    /// What was typed.
    NoDuration,
    /// What was typed.
    Connections,
    OneSession,
    NothingIsDeleted,
    NoFolderToMoveTo,
    FolderToMoveTo,
    ServerMissing,
    /// What was typed.
    ServerName,
    /// What was sent in place of a choice.
    NoChoice,
    /// What was typed.
    NoPort,
    MailboxUserMissing,
    MailboxUser,
    FingerprintMissing,
    /// What was typed.
    Fingerprint,
    EndpointMissing,
    /// What was typed.
    Endpoint,
    ClientIdMissing,
    SecretMissing,
    SecretAgain,
    SecretText,
    /// What was typed, and the purposes there are.
    NoPurpose,
    /// What was typed.
    NoDomain,
    /// What was typed.
    NoHeaderField,
    /// What was typed.
    NoWholeNumber,
    NoPrefix,
    /// What stands for the local part, and for the domain.
    NoUnwrap,
    HostsMissing,
    HostsWithoutJournal,
    /// What was typed.
    NoHost,
    JournalLeftOut,
    DomainsMissing,
    UserMissing,
}

impl Wrong {
    pub fn new(code: Code, about: &[&dyn ToString]) -> Self {
        Self {
            code,
            about: about.iter().map(|one| one.to_string()).collect(),
            line: None,
            more: Vec::new(),
        }
    }

    pub fn on_line(self, line: Option<usize>) -> Self {
        Self { line, ..self }
    }
}

impl From<Code> for Wrong {
    fn from(code: Code) -> Self {
        Self::new(code, &[])
    }
}

impl From<&EntryError> for Wrong {
    fn from(error: &EntryError) -> Self {
        match error {
            EntryError::NoAddress(text) => Self::new(Code::NoAddress, &[text]),
            EntryError::Star(text) => Self::new(Code::NoPattern, &[text]),
        }
    }
}

impl From<&UsersFileProblem> for Wrong {
    fn from(problem: &UsersFileProblem) -> Self {
        match problem {
            UsersFileProblem::Unreadable(_) | UsersFileProblem::NotUtf8 | UsersFileProblem::Store(_) => {
                Code::TableUnreadable.into()
            }
            UsersFileProblem::OpenQuote => Code::OpenQuote.into(),
            UsersFileProblem::Name { name, .. } => Self::new(Code::UserName, &[name]),
            UsersFileProblem::NoAddress(name) => Self::new(Code::UserWithoutAddress, &[name]),
            UsersFileProblem::Semicolons => Code::Semicolons.into(),
            UsersFileProblem::Heading(text) => Self::new(Code::Heading, &[text]),
            UsersFileProblem::Address(error) => error.into(),
            UsersFileProblem::Taken { address, other, .. } => Self::new(Code::AddressTaken, &[address, other]),
            UsersFileProblem::List(address) => Self::new(Code::AddressOfList, &[address]),
            UsersFileProblem::Twice(name) => Self::new(Code::UserOfConfiguration, &[name]),
            UsersFileProblem::Empty => Code::TableEmpty.into(),
        }
    }
}
