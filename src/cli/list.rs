//! `list --user U`: a user's messages, oldest first.

use super::{ask, output::Output};
use crate::{
    config::Config,
    control::api::{Failure, Reply, Request},
};

pub fn run(config: Config, user: String, newest: Option<usize>, json: bool) -> Result<u8, Failure> {
    let mut output = Output::new();
    let answered = ask::read(&config, &Request::List { user, newest }, &mut |reply| {
        let Reply::Entry(entry) = reply else { return };
        if json {
            output.json(&entry);
        } else {
            let from: String = entry.from.chars().take(32).collect();
            output.line(format!(
                "{:>8}  {} (archived {})  {:>9}  {from:<32}  {}",
                entry.id, entry.date, entry.archived_at, entry.size, entry.subject
            ));
        }
    });
    output.finish();
    answered.map(|()| 0)
}
