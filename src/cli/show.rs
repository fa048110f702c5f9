//! `show ID`: a readable view of a message.

use super::{ask, output::Output};
use crate::{
    config::Config,
    control::api::{Failure, Reply, Request, Shown},
};

pub fn run(config: Config, id: u64, journal: bool, json: bool) -> Result<u8, Failure> {
    let mut output = Output::new();
    let answered = ask::read(&config, &Request::Show { id, journal }, &mut |reply| {
        let Reply::Shown(shown) = reply else { return };
        if json {
            output.json(&shown);
        } else {
            print(&mut output, &shown);
        }
    });
    output.finish();
    answered.map(|()| 0)
}

fn print(output: &mut Output, shown: &Shown) {
    let lines = [
        ("From", &shown.from),
        ("To", &shown.to),
        ("Cc", &shown.cc),
        ("Subject", &shown.subject),
    ];
    output.line(format!(
        "Message  {}, {} bytes, SHA-256 {}",
        shown.id, shown.size, shown.sha256
    ));
    output.line(format!("Date     {} (archived {})", shown.date, shown.archived_at));
    for (name, value) in lines.into_iter().filter(|(_, value)| !value.is_empty()) {
        output.line(format!("{name:<8} {value}"));
    }
    for user in &shown.users {
        output.line(format!(
            "User     {} (by {}, from folder {}, run {})",
            user.user, user.why, user.folder, user.run
        ));
    }
    for part in &shown.parts {
        let name = part.name.as_deref().map(|name| format!(", {name}")).unwrap_or_default();
        output.line(format!("Part     {}, {} bytes{name}", part.kind, part.size));
    }
    for journal in &shown.journals {
        output.line(format!(
            "Journal  {}, {} bytes, archived {}, run {}",
            journal.id, journal.size, journal.archived_at, journal.run
        ));
        for line in journal.envelope.iter().flat_map(|envelope| envelope.trim_end().lines()) {
            output.line(format!("         {line}"));
        }
    }
    for note in &shown.notes {
        output.line(format!("Note     {note}"));
    }
    output.line("");
    output.text(shown.text.trim_end());
}
