//! What completes commands, options and names in a shell. The shell asks the program, so that it knows the profiles of
//! the configuration and the users of the archive. Whatever goes wrong, nothing is offered and nothing is said.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
};

use clap::{Arg, Command, CommandFactory};
use clap_complete::{
    CompleteEnv, Shell,
    engine::{ArgValueCompleter, CompletionCandidate},
    env::{Elvish, EnvCompleter, Fish, Powershell, Zsh},
};
use toml_edit::{ImDocument, TableLike};

use super::{commands::Cli, manual::visible, output::Output, owner, protocols::STATES, usual_config};
use crate::{archive::Store, config::Config, panics::survived};

/// Set, to the name of the shell, by a shell that asks.
const ASKS: &str = "_DROPKEEP_COMPLETE";
const PROGRAM: &str = "dropkeep";
/// Ours, as clap's takes the words that readline makes, which ends them at `@`, `=` and `:`.
const BASH: &str = include_str!("completion.bash");

/// Prints what makes `shell` ask.
pub fn print(shell: Shell) -> u8 {
    let mut output = Output::new();
    output.bytes(&registration(shell));
    output.finish();
    0
}

fn registration(shell: Shell) -> Vec<u8> {
    let completer: &dyn EnvCompleter = match shell {
        Shell::Elvish => &Elvish,
        Shell::Fish => &Fish,
        Shell::PowerShell => &Powershell,
        Shell::Zsh => &Zsh,
        _ => return BASH.as_bytes().to_vec(),
    };
    let mut script = Vec::new();
    // Memory takes what is written to it.
    let _ = completer.write_registration(ASKS, PROGRAM, PROGRAM, PROGRAM, &mut script);
    script
}

/// Answers a shell that asks, and ends the process; otherwise returns at once.
pub fn answer() {
    if env::var_os(ASKS).is_none_or(|shell| shell.is_empty()) {
        return;
    }
    // What it would print is no candidate.
    std::panic::set_hook(Box::new(|_| {}));
    let asked = survived("completing", || {
        if let Some(known) = Known::read() {
            // Root may look into the archive as its owner alone.
            let _ = owner::become_owner(&known.file, true, &known.data_dir);
        }
        let _ = CompleteEnv::with_factory(command)
            .var(ASKS)
            .try_complete(env::args_os(), env::current_dir().ok().as_deref());
    });
    std::process::exit(i32::from(asked.is_err()));
}

/// The commands that people see, with what knows the names that stand for profiles and users.
fn command() -> Command {
    with_names(visible(&Cli::command()))
}

fn with_names(command: Command) -> Command {
    let name = command.get_name().to_owned();
    command
        .mut_args(|argument| match names_of(&argument, &name) {
            Some(names) => argument.add(ArgValueCompleter::new(move |begun: &OsStr| offer(names(), begun))),
            None => argument,
        })
        .mut_subcommands(with_names)
}

/// What finds the names that an argument of a command takes. Those of `explain` and `import` have the same names as
/// others.
fn names_of(argument: &Arg, command: &str) -> Option<fn() -> Vec<String>> {
    let value = argument.get_value_names().and_then(|names| names.first());
    match argument.get_id().as_str() {
        "profile" => Some(profiles),
        "state" => Some(states),
        "user" if command == "import" => Some(people),
        "user" | "users" | "archive" | "archives" => Some(users),
        "account" if command != "add" => Some(accounts),
        "name" if ["rename", "retire", "change"].contains(&command) => Some(people),
        "from" if value.is_some_and(|value| value == "USER") => Some(users),
        _ => None,
    }
}

fn offer(names: Vec<String>, begun: &OsStr) -> Vec<CompletionCandidate> {
    let Some(begun) = begun.to_str() else { return Vec::new() };
    let fitting = names.into_iter().filter(|name| name.starts_with(begun));
    fitting.map(CompletionCandidate::new).collect()
}

/// Those of the configuration, and those that the catalog keeps.
fn profiles() -> Vec<String> {
    let Some(known) = Known::read() else { return Vec::new() };
    let config = Config {
        data_dir: known.data_dir,
        ..Config::default()
    };
    let kept = Store::open_for_reading(&config).and_then(|store| store.profiles());
    let kept = kept.into_iter().flatten().map(|(name, _)| name);
    known.profiles.into_iter().chain(kept).collect()
}

fn states() -> Vec<String> {
    STATES.map(|state| state.as_str().to_owned()).to_vec()
}

/// The users without the built-in one.
fn people() -> Vec<String> {
    let mut people = users();
    people.retain(|name| !name.starts_with('@'));
    people
}

/// Those of the archive and of the configuration, in the order of the alphabet.
fn users() -> Vec<String> {
    let Some(known) = Known::read() else { return Vec::new() };
    let mut users = known.users;
    let config = Config {
        data_dir: known.data_dir,
        ..Config::default()
    };
    // Beside whoever writes there. The archive may not be there yet, or not be ours to read.
    if let Ok(rows) = Store::open_for_reading(&config).and_then(|store| store.users()) {
        users.extend(rows.into_iter().map(|(_, user, _)| user.name));
    }
    users.sort();
    users.dedup();
    users
}

/// Those who log in.
fn accounts() -> Vec<String> {
    let Some(known) = Known::read() else { return Vec::new() };
    let config = Config {
        data_dir: known.data_dir,
        ..Config::default()
    };
    let accounts = Store::open_for_reading(&config).and_then(|store| store.accounts());
    let names = accounts.into_iter().flatten().map(|(_, account)| account.name);
    names.collect()
}

/// What of the configuration is of use here. It need not be a valid one.
struct Known {
    file: PathBuf,
    data_dir: PathBuf,
    profiles: Vec<String>,
    users: Vec<String>,
}

impl Known {
    fn read() -> Option<Self> {
        let file = config_file(env::args_os()).or_else(|| usual_config().ok())?;
        // A pipe would be waited for.
        if !fs::metadata(&file).ok()?.is_file() {
            return None;
        }
        let text = fs::read_to_string(&file).ok()?;
        let document = ImDocument::parse(text.as_str()).ok()?;
        let root = document.as_item().as_table_like()?;
        let given = env::var_os("DROPKEEP__DATA_DIR").map(PathBuf::from);
        let written = || root.get("data_dir")?.as_str().map(PathBuf::from);
        let data_dir = given.or_else(written).unwrap_or_else(|| Config::default().data_dir);
        let folder = file.parent().unwrap_or(Path::new(""));
        Some(Self {
            data_dir: folder.join(data_dir),
            profiles: names(root, "profile"),
            users: names(root, "user"),
            file,
        })
    }
}

fn names(root: &dyn TableLike, table: &str) -> Vec<String> {
    let tables = root.get(table).and_then(|item| item.as_array_of_tables());
    let names = tables.into_iter().flatten().filter_map(|one| one.get("name")?.as_str());
    names.map(str::to_owned).collect()
}

/// The file that the command which is being written names.
fn config_file(mut words: impl Iterator<Item = OsString>) -> Option<PathBuf> {
    while let Some(word) = words.next() {
        if word == "--config" {
            return words.next().map(PathBuf::from);
        }
        if let Some(file) = word.to_str().and_then(|word| word.strip_prefix("--config=")) {
            return Some(file.into());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> impl Iterator<Item = OsString> {
        line.split(' ').map(OsString::from)
    }

    #[test]
    fn the_configuration_that_the_command_names_is_asked() {
        assert_eq!(
            config_file(words("dropkeep -- dropkeep --config a.toml test")),
            Some("a.toml".into())
        );
        assert_eq!(
            config_file(words("dropkeep test --config=b.toml")),
            Some("b.toml".into())
        );
        assert_eq!(config_file(words("dropkeep test company")), None);
    }

    #[test]
    fn each_argument_that_takes_a_profile_or_a_user_offers_them() {
        fn count(command: &Command, found: &mut Vec<String>) {
            for argument in command.get_arguments() {
                let (name, id) = (command.get_name(), argument.get_id().as_str());
                let takes_one = ["profile", "user", "users"].contains(&id) || (id == "name" && name != "add");
                assert!(
                    !takes_one || argument.get::<ArgValueCompleter>().is_some(),
                    "{name} {id}"
                );
                found.extend(takes_one.then(|| format!("{name} {id}")));
            }
            command.get_subcommands().for_each(|below| count(below, found));
        }
        let mut found = Vec::new();
        count(&command(), &mut found);
        for wanted in [
            "test profile",
            "archive profile",
            "protocols profile",
            "list user",
            "export users",
            "retire name",
        ] {
            assert!(found.iter().any(|one| one == wanted), "{wanted}: {found:?}");
        }
    }

    #[test]
    fn each_shell_asks_the_installed_program() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let script = String::from_utf8(registration(shell)).unwrap();
            assert!(
                script.contains(&format!("{ASKS}=")) || script.contains(ASKS),
                "{script}"
            );
            assert!(!script.contains(env!("CARGO_MANIFEST_DIR")), "{script}");
        }
    }
}
