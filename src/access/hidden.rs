//! A value that no way of printing shows.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Something of an account that must not show: what its password became, the secret of its one-time codes. It is
/// stored as it is.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hidden<T>(pub T);

impl<T> fmt::Debug for Hidden<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[test]
fn what_is_hidden_does_not_print() {
    assert_eq!(format!("{:?}", Some(Hidden("secret"))), "Some(***)");
}
