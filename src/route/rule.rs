//! By which rule mail is somebody's.

/// By which rule an address leads to a user, or a message without a known address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// The address is the user's.
    Exact,
    /// It is without its `+tag`.
    Plus,
    /// It is at the domain that its own is an alias of, with or without its tag.
    Alias,
    /// A pattern of the user's covers it.
    Pattern,
    /// It is a list's, directly or by tag or alias.
    List,
    /// The user is made for it.
    Create,
    /// No address is known: for `@catchall`.
    Catchall,
    /// No address is known: for the user whom the profile names.
    User,
}

impl Rule {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Plus => "plus",
            Self::Alias => "alias",
            Self::Pattern => "pattern",
            Self::List => "list",
            Self::Create => "create",
            Self::Catchall => "catchall",
            Self::User => "user",
        }
    }
}
