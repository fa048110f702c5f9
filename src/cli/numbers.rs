//! Numbers on the command line: what is not a number is answered with what to write.

use std::str::FromStr;

use crate::ids::{MessageId, RunId};

/// The id of a message.
///
/// # Errors
/// It is none.
pub fn message_id(text: &str) -> Result<MessageId, String> {
    let none = || format!("{text:?} is not a message id; `dropkeep list` shows the ids");
    text.parse().map_err(|_| none())
}

/// The number of a run. Who gives a profile means its runs.
///
/// # Errors
/// It is none.
pub fn run(text: &str) -> Result<RunId, String> {
    let is_name = text.chars().any(char::is_alphabetic);
    let hint = match is_name {
        true => format!("; `dropkeep protocols --profile {text}` lists those of a profile"),
        false => "; `dropkeep protocols` lists the runs".to_owned(),
    };
    text.parse()
        .map_err(|_| format!("{text:?} is not the number of a run{hint}"))
}

/// How many there may be, or which one.
///
/// # Errors
/// It is 0, not a number, or larger than possible.
pub fn number<N: FromStr + Default + PartialEq>(text: &str) -> Result<N, String> {
    let number = text.parse().ok().filter(|number| *number != N::default());
    number.ok_or_else(|| format!("{text:?} does not fit; write a number from 1"))
}
