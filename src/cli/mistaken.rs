//! Commands and options that are not there, as people who know other programs try them, and what is there for it.

use clap::{
    Arg, Command, CommandFactory,
    error::{ContextKind, ContextValue, Error, ErrorKind},
};

const LIST: &str = "`dropkeep search QUERY` finds messages by their words, addresses and dates; `dropkeep list --user NAME` \
                    lists a user's messages, and `--all` those of all users";
const RUN: &str = "`dropkeep archive PROFILE` runs a profile now; under `dropkeep serve` all run by their schedules";
const SERVICE: &str = "the service is run by `systemctl start dropkeep`, `stop` and `restart`; in the foreground by `dropkeep \
                       serve`, until Ctrl-C";
const TEST: &str = "`dropkeep test PROFILE` reads the configuration, connects, logs in and looks; it stores nothing";
const USERS: &str = "`dropkeep users` lists the users; `users add`, `users change`, `users import`, `users rename` and `users retire` change them";
const RUNS: &str = "`dropkeep protocols` lists the runs; `journalctl -u dropkeep` is the log of the service";
const STATUS: &str = "`dropkeep status` says how each profile and the appliance stand; `--check` is for monitoring";
const KEPT: &str = "nothing is deleted from an archive; `dropkeep users retire NAME` files nothing more for a user, and \
                    [profile.delete] deletes on the server what is archived";

/// What is tried, and what there is.
const COMMANDS: [(&[&str], &str); 17] = [
    (&["find", "grep", "query", "ls", "mail", "mails", "messages"], LIST),
    (
        &[
            "sync",
            "fetch",
            "run",
            "download",
            "get",
            "pull",
            "collect",
            "poll",
            "backup-mail",
        ],
        RUN,
    ),
    (
        &[
            "start", "stop", "restart", "daemon", "server", "service", "up", "down", "quit",
        ],
        SERVICE,
    ),
    (
        &[
            "login",
            "connect",
            "auth",
            "folders",
            "try",
            "check",
            "validate",
            "lint",
            "configtest",
        ],
        TEST,
    ),
    (
        &["user", "adduser", "useradd", "add-user", "addresses", "accounts"],
        USERS,
    ),
    (
        &["log", "logs", "history", "runs", "report", "reports", "protocol"],
        RUNS,
    ),
    (&["info", "stats", "state", "health", "ping", "ps"], STATUS),
    (&["delete", "remove", "rm", "purge", "expire", "prune", "clean"], KEPT),
    (&["version"], "`dropkeep --version` prints the version"),
    (
        &["config", "configure", "setup", "init", "edit", "conf"],
        "the configuration is a file to edit, /etc/dropkeep/dropkeep.toml or that of --config; then `dropkeep test PROFILE` \
         tries it, and `dropkeep reload` has the running appliance read it",
    ),
    (
        &["cat", "read", "view", "open", "message"],
        "`dropkeep show ID` shows a message, `dropkeep raw ID` gives its bytes",
    ),
    (
        &["dump", "extract", "save", "copy"],
        "`dropkeep export DIR` writes the archives as files, `dropkeep backup DIR` copies the archive",
    ),
    (
        &["upload", "load", "add", "ingest"],
        "`dropkeep import` archives mail files",
    ),
    (
        &["repair", "fsck", "audit", "integrity"],
        "`dropkeep verify` reads everything back and says what is damaged",
    ),
    (
        &["why", "who", "whose", "trace"],
        "`dropkeep explain` says for whom a message is, and why",
    ),
    (
        &["refile", "reindex", "reprocess", "resort"],
        "`dropkeep reroute` files archived mail again, by the current users and rules",
    ),
    (
        &["vacuum", "optimize", "shrink", "gc"],
        "`dropkeep compact` gives room back",
    ),
];

/// The same behind `users`.
const OF_USERS: [(&[&str], &str); 3] = [
    (&["list", "ls", "show", "get"], "`dropkeep users` lists them"),
    (
        &["delete", "remove", "rm", "del", "disable"],
        "`dropkeep users retire NAME` files nothing more for a user; the archive stays",
    ),
    (
        &["create", "new", "adduser"],
        "`dropkeep users add NAME ADDRESS…` adds one",
    ),
];

const OPTIONS: [(&[&str], &str); 5] = [
    (
        &["-c", "-f", "--file", "--conf", "--configuration", "--config-file"],
        "the configuration is given by `--config FILE`",
    ),
    (
        &["-v", "-d", "--verbose", "--debug", "--log-level", "--loglevel"],
        "DROPKEEP_LOG=debug in front of the command has it say more",
    ),
    (
        &[
            "-D",
            "-b",
            "--daemon",
            "--daemonize",
            "--background",
            "--fork",
            "--foreground",
        ],
        "`dropkeep serve` stays in the foreground; `systemctl start dropkeep` runs it as a service",
    ),
    (&["-u", "--username", "--mailbox"], "a user is named by `--user NAME`"),
    (
        &["-n", "--dryrun", "--dry", "--simulate", "--noop", "--no-act"],
        "commands that can only say what they would do have `--dry-run`",
    ),
];

/// An option that stands for the word which a command takes without one.
const WORDS: [(&str, &[&str]); 4] = [
    ("--profile", &["profile"]),
    ("--user", &["user", "name"]),
    ("--name", &["name"]),
    ("--id", &["id"]),
];

/// What to say in place of clap's words; `None` where those are good.
pub(super) fn answer(error: &Error) -> Option<String> {
    match error.kind() {
        ErrorKind::InvalidSubcommand => no_command(error),
        ErrorKind::UnknownArgument => no_option(error),
        ErrorKind::MissingRequiredArgument => missing(error),
        ErrorKind::ValueValidation => wrong_value(error),
        ErrorKind::InvalidValue => no_such_value(error),
        ErrorKind::ArgumentConflict => {
            let one = plain(&text(error, ContextKind::InvalidArg)?);
            let other = text(error, ContextKind::PriorArg).map(|other| plain(&other));
            Some(match other.filter(|other| *other != one) {
                Some(other) => format!("{one} and {other} do not go together"),
                None => format!("{one} may be given once"),
            })
        }
        _ => None,
    }
}

fn no_command(error: &Error) -> Option<String> {
    let given = text(error, ContextKind::InvalidSubcommand)?;
    let of_users = used(error).0 == "users";
    let table: &[_] = if of_users { &OF_USERS } else { &COMMANDS };
    let near = || text(error, ContextKind::SuggestedSubcommand).map(|near| format!("did you mean `{near}`?"));
    let hint = known(table, &given).or_else(near).unwrap_or_else(|| match of_users {
        true => "`dropkeep users --help` lists those there are".to_owned(),
        false => "`dropkeep --help` lists the commands".to_owned(),
    });
    let of = if of_users { " of users" } else { "" };
    Some(format!("there is no command `{given}`{of}; {hint}"))
}

fn no_option(error: &Error) -> Option<String> {
    let given = text(error, ContextKind::InvalidArg)?;
    let (name, command) = used(error);
    let see = || format!("see `dropkeep {}`", format!("{name} --help").trim());
    if !given.starts_with('-') {
        let takes = |long: &&str| {
            command
                .get_arguments()
                .any(|argument| argument.get_long() == Some(long))
        };
        let hint = ["profile", "user"]
            .into_iter()
            .find(takes)
            .map_or_else(see, |long| format!("write `dropkeep {name} --{long} {given}`"));
        return Some(format!("`{name}` takes no word `{given}`; {hint}"));
    }
    let word = || {
        let (_, ids) = WORDS.iter().find(|(option, _)| *option == given)?;
        let taken = |argument: &Arg| argument.is_positional() && ids.contains(&argument.get_id().as_str());
        let value = value_of(&given).unwrap_or_else(|| "NAME".to_owned());
        let takes = command.get_arguments().any(taken);
        takes.then(|| format!("write `dropkeep {name} {value}`"))
    };
    let dry_run = || {
        let meant = OPTIONS
            .iter()
            .any(|(words, hint)| words.contains(&given.as_str()) && hint.contains("--dry-run"));
        let has = command
            .get_arguments()
            .any(|argument| argument.get_long() == Some("dry-run"));
        (meant && has).then(|| "did you mean `--dry-run`?".to_owned())
    };
    // As `tail` has it.
    let limit = || {
        let has = command
            .get_arguments()
            .any(|argument| argument.get_long() == Some("limit"));
        (given == "-n" && has).then(|| "did you mean `--limit N`?".to_owned())
    };
    let near = || text(error, ContextKind::SuggestedArg).map(|near| format!("did you mean `{near}`?"));
    let hint = word()
        .or_else(dry_run)
        .or_else(limit)
        .or_else(|| known(&OPTIONS, &given))
        .or_else(near)
        .unwrap_or_else(see);
    Some(format!("there is no option `{given}`; {hint}"))
}

/// `list needs --user NAME or --all`.
fn missing(error: &Error) -> Option<String> {
    let ContextValue::Strings(missing) = error.get(ContextKind::InvalidArg)? else {
        return None;
    };
    let missing: Vec<String> = missing.iter().map(|one| plain(one)).collect();
    Some(format!("{} needs {}", used(error).0, missing.join(" and ")))
}

/// What a parser of ours says; it may begin with the value itself.
fn wrong_value(error: &Error) -> Option<String> {
    let (argument, value) = (
        text(error, ContextKind::InvalidArg)?,
        text(error, ContextKind::InvalidValue)?,
    );
    let said = std::error::Error::source(error)?.to_string();
    let option = argument.split(' ').next().filter(|name| name.starts_with('-'));
    let option = option.map(|name| format!("{name} ")).unwrap_or_default();
    Some(match said.starts_with('"') {
        true => format!("{option}{said}"),
        false => format!("{option}{value:?} does not fit: {said}"),
    })
}

fn no_such_value(error: &Error) -> Option<String> {
    let (argument, value) = (
        text(error, ContextKind::InvalidArg)?,
        text(error, ContextKind::InvalidValue)?,
    );
    let option = argument.split(' ').next().filter(|name| name.starts_with('-'));
    if value.is_empty() {
        return Some(format!("{} needs a value: {}", option?, plain(&argument)));
    }
    let ContextValue::Strings(words) = error.get(ContextKind::ValidValue)? else {
        return None;
    };
    let option = option.map(|name| format!("{name} ")).unwrap_or_default();
    Some(format!("{option}{value:?} is none of {}", words.join(", ")))
}

/// The command that was given, and what it takes. Clap says which one in its line of usage.
fn used(error: &Error) -> (String, Command) {
    let usage = error
        .get(ContextKind::Usage)
        .map(ToString::to_string)
        .unwrap_or_default();
    let (mut name, mut command) = (Vec::new(), super::commands::Cli::command());
    let words = usage.split_whitespace().skip_while(|word| *word != "dropkeep").skip(1);
    for word in words {
        let Some(below) = command.find_subcommand(word).cloned() else {
            break;
        };
        name.push(word);
        command = below;
    }
    (name.join(" "), command)
}

/// `<--user <NAME>|--all>` as people write it.
fn plain(argument: &str) -> String {
    argument.replace(['<', '>', '[', ']'], "").replace('|', " or ")
}

/// What stands behind an option on the command line.
fn value_of(option: &str) -> Option<String> {
    let mut words = std::env::args_os().filter_map(|word| word.into_string().ok());
    let beside = format!("{option}=");
    let found = words.find(|word| word == option || word.starts_with(&beside))?;
    found.strip_prefix(&beside).map(str::to_owned).or_else(|| words.next())
}

fn known(table: &[(&[&str], &str)], given: &str) -> Option<String> {
    let known = table
        .iter()
        .find(|(words, _)| words.contains(&given.to_lowercase().as_str()));
    known.map(|(_, hint)| (*hint).to_owned())
}

fn text(error: &Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        // The best one comes last.
        ContextValue::Strings(texts) => texts.last().cloned(),
        _ => None,
    }
}
