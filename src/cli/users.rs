//! `users`: the directory, and changes to it.

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::{
    UsersCommand, ask,
    columns::whole,
    output::{Output, grouped, harmless},
    progress::bar_of,
};
use crate::{
    api::{Exit, Failure, Reply, Request, UserLine},
    archive::Absent,
    config::{ByteSize, Config},
    report::Backlog,
};

/// Columns of a name that others are aligned with.
const LONGEST_NAME: usize = 40;

pub fn run(config: Config, change: Option<UsersCommand>, json: bool) -> Result<u8, Failure> {
    let request = match change {
        None => return print(&config, json),
        Some(UsersCommand::Add {
            name,
            addresses,
            no_count,
            new,
        }) => return add(config, name, addresses, no_count, new.new, json),
        Some(UsersCommand::Rename { name, to }) => Request::RenameUser { name, to },
        Some(UsersCommand::Retire { name }) => Request::RetireUser { name },
    };
    ask::act(config, Absent::Refused, request.clone(), None, &mut |_| {})?;
    let done = match request {
        Request::RenameUser { name, to } => Changed {
            words: format!("user {name:?} is now named {to:?}; the archive is the same"),
            user: to,
            renamed_from: Some(name),
            retired: false,
        },
        Request::RetireUser { name } => Changed {
            words: format!("user {name:?} was retired: nothing more is filed for this user, and the archive stays"),
            user: name,
            renamed_from: None,
            retired: true,
        },
        _ => return Ok(0),
    };
    match json {
        true => {
            let mut output = Output::new();
            output.json(&done);
            output.finish();
        }
        false => line(done.words),
    }
    Ok(0)
}

/// What `users rename --json` and `users retire --json` print.
#[derive(Serialize)]
struct Changed {
    user: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    renamed_from: Option<String>,
    retired: bool,
    #[serde(skip)]
    words: String,
}

/// What `users add --json` prints.
#[derive(Serialize)]
struct Added {
    user: String,
    /// How much of the mail in the archive is for them; `null` where it was not counted.
    backlog: Option<Box<Backlog>>,
}

fn add(
    config: Config,
    name: String,
    addresses: Vec<String>,
    no_count: bool,
    new: bool,
    json: bool,
) -> Result<u8, Failure> {
    let request = Request::AddUser {
        name: name.clone(),
        addresses,
        no_count,
    };
    let bar = bar_of("messages");
    let (mut added, mut backlog) = (false, None);
    let asked = ask::act(config, Absent::made(new), request, None, &mut |reply| match reply {
        Reply::Added(user) => {
            added = true;
            if !json {
                bar.suspend(|| line(format!("user {user:?} was added")));
            }
        }
        Reply::Progress { done, expected, .. } => {
            bar.set_length(expected);
            bar.set_position(done);
        }
        Reply::Backlog(counted) => backlog = Some(counted),
        _ => {}
    });
    bar.finish_and_clear();
    if json && added {
        let mut output = Output::new();
        output.json(&Added { user: name, backlog });
        output.finish();
    } else if let Some(backlog) = backlog.filter(|backlog| backlog.read > 0) {
        backlog.lines().into_iter().for_each(line);
    }
    match asked {
        // It is done; only the count was given up.
        Err(failure) if added && failure.exit == Exit::Interrupted => Ok(0),
        asked => asked.map(|()| 0),
    }
}

fn line(line: String) {
    let mut output = Output::new();
    output.line(line);
    output.finish();
}

fn print(config: &Config, json: bool) -> Result<u8, Failure> {
    let mut output = Output::new();
    let mut users = Vec::new();
    let answered = ask::read(config, &Request::Users, &mut |reply| match reply {
        Reply::User(user) if json => output.json(&user),
        Reply::User(user) => users.push(user),
        _ => {}
    });
    if !users.is_empty() {
        table(&users).into_iter().for_each(|line| output.line(line));
    }
    output.finish();
    answered.map(|()| 0)
}

/// The users, a line each, below a heading.
fn table(users: &[UserLine]) -> Vec<String> {
    let name_columns = users.iter().map(|user| harmless(&user.name).width()).max().unwrap_or(0);
    let name_columns = name_columns.clamp("NAME".len(), LONGEST_NAME);
    let row = |name: &str, messages: &str, size: &str, kind: &str, addresses: &str| {
        let name = whole(name, name_columns);
        format!("{name}  {messages:>10}  {size:>10}  {kind:<8}  {addresses}")
    };
    let heading = row("NAME", "MESSAGES", "SIZE", "KIND", "ADDRESSES");
    let rows = users.iter().map(|user| {
        let addresses: Vec<_> = user.addresses.iter().map(|address| address.as_str()).collect();
        let kind = match (user.retired, user.managed) {
            (true, _) => "retired",
            (false, true) => "managed",
            (false, false) => "",
        };
        let (messages, size) = (grouped(user.messages), ByteSize(user.bytes).to_string());
        row(&user.name, &messages, &size, kind, &addresses.join(", "))
            .trim_end()
            .to_owned()
    });
    std::iter::once(heading).chain(rows).collect()
}

#[test]
fn wide_names_moved_the_columns_behind_them() {
    let user = |name: &str, messages| UserLine {
        name: name.into(),
        addresses: crate::message::Address::parse("a@example.com").into_iter().collect(),
        managed: true,
        retired: false,
        messages,
        bytes: 2048,
    };
    let lines = table(&[user("山田太郎", 1), user("A very long name of somebody", 12_345)]);
    let at = |line: &String| line[..line.find("a@example").unwrap()].width();
    assert_eq!(at(&lines[1]), at(&lines[2]), "{lines:#?}");
    assert!(
        lines[0].starts_with("NAME ") && lines[0].contains("  MESSAGES  "),
        "{lines:#?}"
    );
}
