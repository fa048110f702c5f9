//! Numbers that stand for something: each a type of its own, so that one is never taken for another. On disk and in
//! JSON they are the bare number.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::codec::KeyPart;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($number:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $number);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl KeyPart for $name {
            fn put(&self, key: &mut Vec<u8>) {
                self.0.put(key);
            }
            fn take(key: &mut &[u8]) -> Option<Self> {
                KeyPart::take(key).map(Self)
            }
        }
    };
}

id! {
    /// Numbers the rows of the ledger, from 1 on without a gap.
    GroupNumber(u64)
}
