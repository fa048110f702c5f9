//! Commands and options that are not there, as people who know other programs try them, and what is there for it.

use clap::error::{ContextKind, ContextValue, Error, ErrorKind};

const LIST: &str = "`dropkeep list --user NAME` lists a user's messages, and `--all` those of all users; --from, --to, \
                    --subject, --since, --until and --limit narrow that down";
const RUN: &str = "`dropkeep archive PROFILE` runs a profile now; under `dropkeep serve` all run by their schedules";
const SERVICE: &str = "the service is run by `systemctl start dropkeep`, `stop` and `restart`; in the foreground by `dropkeep \
                       serve`, until Ctrl-C";
const TEST: &str = "`dropkeep test PROFILE` reads the configuration, connects, logs in and looks; it stores nothing";
const USERS: &str = "`dropkeep users` lists the users; `users add`, `users rename` and `users retire` change them";
const RUNS: &str = "`dropkeep protocols` lists the runs; `journalctl -u dropkeep` is the log of the service";
const STATUS: &str = "`dropkeep status` says how each profile and the appliance stand; `--check` is for monitoring";
const KEPT: &str = "nothing is deleted from an archive; `dropkeep users retire NAME` files nothing more for a user, and \
                    [profile.delete] deletes on the server what is archived";

/// What is tried, and what there is.
const COMMANDS: [(&[&str], &str); 17] = [
    (
        &["search", "find", "grep", "query", "ls", "mail", "mails", "messages"],
        LIST,
    ),
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
    (
        &["info", "stats", "state", "health", "ping", "profile", "profiles", "ps"],
        STATUS,
    ),
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

/// What to say in place of clap's words; `None` where those are good.
pub(super) fn answer(error: &Error) -> Option<String> {
    let (kind, suggested, what) = match error.kind() {
        ErrorKind::InvalidSubcommand => (
            ContextKind::InvalidSubcommand,
            ContextKind::SuggestedSubcommand,
            "command",
        ),
        ErrorKind::UnknownArgument => (ContextKind::InvalidArg, ContextKind::SuggestedArg, "option"),
        _ => return None,
    };
    let given = text(error, kind)?;
    let usage = error
        .get(ContextKind::Usage)
        .map(ToString::to_string)
        .unwrap_or_default();
    let of_users = usage.contains("dropkeep users");
    let table: &[_] = match what {
        "option" => &OPTIONS,
        _ if of_users => &OF_USERS,
        _ => &COMMANDS,
    };
    let known = table
        .iter()
        .find(|(words, _)| words.contains(&given.to_lowercase().as_str()));
    let near = || text(error, suggested).map(|near| format!("did you mean `{near}`?"));
    let hint = known.map(|(_, hint)| (*hint).to_owned()).or_else(near);
    let hint = hint.unwrap_or_else(|| match what {
        "option" => "`--help` after the command lists its options".to_owned(),
        _ => "`dropkeep --help` lists the commands".to_owned(),
    });
    // A word where none belongs is no option.
    let what = if given.starts_with('-') || what == "command" {
        what
    } else {
        "argument"
    };
    Some(format!(
        "there is no {what} `{given}`{}; {hint}",
        if of_users && what == "command" { " of users" } else { "" }
    ))
}

fn text(error: &Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => texts.first().cloned(),
        _ => None,
    }
}
