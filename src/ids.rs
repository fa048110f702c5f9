//! Numbers that stand for something. On disk and in JSON they are the bare number.

use std::{fmt, num::ParseIntError, str::FromStr};

use serde::{Deserialize, Serialize};

/// Seconds since 1970 UTC.
pub type Seconds = i64;

macro_rules! id {
    ($($(#[$what:meta])* $name:ident($number:ty);)*) => {$(
        $(#[$what])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(transparent)]
        pub struct $name(pub $number);

        impl $name {
            pub const MIN: Self = Self(<$number>::MIN);
            pub const MAX: Self = Self(<$number>::MAX);

            /// The one after it; the last one stays.
            pub const fn next(self) -> Self {
                self.plus(1)
            }

            /// The one before it; 0 stays.
            pub const fn previous(self) -> Self {
                Self(self.0.saturating_sub(1))
            }

            /// The one so many after it, the last one at most.
            pub const fn plus(self, many: $number) -> Self {
                Self(self.0.saturating_add(many))
            }

            /// How many there are from `first` to before it.
            pub const fn since(self, first: Self) -> $number {
                self.0.saturating_sub(first.0)
            }

            /// All from it to before `end`.
            pub fn until(self, end: Self) -> impl Iterator<Item = Self> + Clone {
                (self.0..end.0).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        /// As the bare number, too: keys are shown so.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIntError;
            fn from_str(text: &str) -> Result<Self, ParseIntError> {
                text.parse().map(Self)
            }
        }
    )*};
}

id! {
    MessageId(u64);
    UserId(u32);
    RunId(u64);
    /// Numbers the rows of the ledger, from 1 on without a gap.
    GroupNumber(u64);
    /// Stands for an identity digest wherever it is referred to.
    IdentityNumber(u64);
    SourceNumber(u32);
    FolderNumber(u32);
}

#[test]
fn an_id_is_kept_and_sent_as_the_bare_number() {
    let ids = std::collections::BTreeMap::from([(UserId(7), MessageId(300))]);
    assert_eq!(serde_json::to_string(&ids).unwrap(), r#"{"7":300}"#);
    assert_eq!(
        serde_json::from_str::<std::collections::BTreeMap<UserId, MessageId>>(r#"{"7":300}"#).unwrap(),
        ids
    );
    let bare = postcard::to_allocvec(&(7_u32, 300_u64)).unwrap();
    assert_eq!(postcard::to_allocvec(&(UserId(7), MessageId(300))).unwrap(), bare);
    assert_eq!(
        format!("{:06} {:?}", MessageId(7), Some(MessageId(7))),
        "000007 Some(7)"
    );
    assert_eq!("7".parse(), Ok(MessageId(7)));
    assert_eq!((UserId::MAX.next(), UserId::MIN.previous()), (UserId::MAX, UserId::MIN));
}
