//! `show ID`: a readable view of a message.

use super::{ask, output::Output};
use crate::{
    api::{Failure, Reply, Request, Shown},
    config::{ByteSize, Config},
    ids::MessageId,
};

pub fn run(config: Config, id: MessageId, journal: bool, json: bool) -> Result<u8, Failure> {
    let mut output = Output::new();
    let answered = ask::read(
        &config,
        &Request::Show {
            id,
            journal,
            full: false,
            images: false,
        },
        &mut |reply| {
            let Reply::Shown(shown) = reply else { return };
            if json {
                output.json(&shown);
            } else {
                print(&mut output, &shown);
            }
        },
    );
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
    output.line(format!("Message  {}, {}", shown.id, ByteSize(shown.size)));
    output.line(format!("SHA-256  {}", shown.sha256));
    output.line(format!("Date     {} (archived {})", shown.date, shown.archived_at));
    for (name, value) in lines.into_iter().filter(|(_, value)| !value.is_empty()) {
        output.line(format!("{name:<8} {value}"));
    }
    for user in &shown.users {
        output.line(format!(
            "For      {}, by {} (folder {}, run {})",
            user.user, user.why, user.folder, user.run
        ));
    }
    if shown.users.is_empty() {
        output.line("For      nobody: no user has it");
    }
    for part in &shown.parts {
        let name = part.name.as_deref().map(|name| format!("{name}, ")).unwrap_or_default();
        output.line(format!("Part     {name}{}, {}", part.kind, ByteSize(part.size)));
    }
    for journal in &shown.journals {
        output.line(format!(
            "Journal  {}, {} (archived {}, run {})",
            journal.id,
            ByteSize(journal.size),
            journal.archived_at,
            journal.run
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
    if shown.text_is_cut {
        output.line("");
        output.line(format!(
            "(the text goes on: `dropkeep raw {}` writes all of it)",
            shown.id
        ));
    }
}
