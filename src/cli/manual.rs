//! The man pages: those of the commands are made from their definitions.

use std::{
    fs::File,
    io::{self, Write},
    path::Path,
};

use clap::{Command, CommandFactory};
use clap_mangen::{
    Man,
    roff::{Inline, Roff, bold, roman},
};

use super::{commands::Cli, config_page};
use crate::api::{Exit, Failure};

/// Exit codes and what they mean, for the page of the program itself.
const EXIT_CODES: [(&str, &str); 6] = [
    ("0", "Done. Skipped, excluded and too large copies are no errors."),
    (
        "1",
        "Done, but copies failed, the connection was lost midway, or a run of the profile is already going on.",
    ),
    (
        "2",
        "Usage or configuration: an unknown key, profile, user, id or run, a port in use.",
    ),
    (
        "3",
        "The source could not be reached, or refused the certificate or the login.",
    ),
    ("4", "The store could not be opened, is damaged, or the disk is full."),
    (
        "130",
        "Interrupted. What was fetched is committed; the next run continues.",
    ),
];

const ENVIRONMENT: [(&str, &str); 2] = [
    (
        "DROPKEEP_LOG",
        "How much is logged on standard error: error, warn, info, debug or trace, or by module, as in dropkeep=debug.",
    ),
    (
        "DROPKEEP__SECTION__KEY",
        "Overrides a key of the configuration: DROPKEEP__HTTP__LISTEN overrides listen in [http].",
    ),
];

const FILES: [(&str, &str); 3] = [
    (
        "/etc/dropkeep/dropkeep.toml",
        "The configuration of an installed appliance.",
    ),
    (
        "/var/lib/dropkeep",
        "Its archive. Only the account dropkeep can read it.",
    ),
    (
        "/usr/share/doc/dropkeep",
        "Documents about configuration, runs, deletion, backups and more.",
    ),
];

/// Writes a man page for the program, one for each of its commands, and that of the configuration.
///
/// # Errors
/// One cannot be written.
pub fn write(dir: &Path) -> Result<u8, Failure> {
    let failed = |error| Failure::new(Exit::Errors, format!("{}: {error}", dir.display()));
    let mut command = visible(&Cli::command()).disable_help_subcommand(true);
    command.build();
    write_all(command, dir).map_err(failed)?;
    let page = File::create(dir.join("dropkeep.toml.5"));
    page.and_then(|mut page| config_page::write(&mut page))
        .map_err(failed)?;
    Ok(0)
}

fn write_all(command: Command, dir: &Path) -> io::Result<()> {
    for subcommand in command.get_subcommands() {
        write_all(subcommand.clone(), dir)?;
    }
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let is_program = name == command.get_name();
    // Without a date, what follows would stand in its place.
    let page = Man::new(command.clone())
        .date(" ")
        .source(concat!("dropkeep ", env!("CARGO_PKG_VERSION")))
        .manual("dropkeep");
    let mut file = File::create(dir.join(page.get_filename()))?;
    page.render(&mut file)?;
    let mut more = Roff::new();
    if is_program {
        list(&mut more, "EXIT STATUS", &EXIT_CODES);
        list(&mut more, "ENVIRONMENT", &ENVIRONMENT);
        list(&mut more, "FILES", &FILES);
        more.control("SH", ["SEE ALSO"]);
        more.text([bold("dropkeep.toml"), roman("(5)")]);
    } else {
        more.control("SH", ["SEE ALSO"]);
        more.text([bold("dropkeep"), roman("(1)")]);
    }
    more.to_writer(&mut file)?;
    file.flush()
}

fn list(page: &mut Roff, heading: &str, entries: &[(&str, &str)]) {
    page.control("SH", [heading]);
    for (term, words) in entries {
        page.control("TP", []);
        page.text([bold(*term)]);
        page.text([Inline::Roman((*words).to_owned())]);
    }
}

/// What people see of a command: the generators do not leave out what is hidden.
pub fn visible(command: &Command) -> Command {
    let arguments = command.get_arguments().filter(|argument| !argument.is_hide_set());
    let below = command.get_subcommands().filter(|below| !below.is_hide_set());
    let mut visible = Command::new(command.get_name().to_owned())
        .args(arguments)
        .subcommands(below.map(visible))
        .subcommand_required(command.is_subcommand_required_set());
    if let Some(about) = command.get_about() {
        visible = visible.about(about.clone());
    }
    if let Some(about) = command.get_long_about() {
        visible = visible.long_about(about.clone());
    }
    match command.get_version() {
        Some(version) => visible.version(version.to_owned()),
        None => visible,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_described(command: &Command) {
        let name = command.get_name();
        assert!(command.get_about().is_some(), "{name}");
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{name} {}", argument.get_id());
        }
        command.get_subcommands().for_each(assert_described);
    }

    #[test]
    fn every_command_and_option_says_what_it_is_for() {
        assert_described(&visible(&Cli::command()));
    }

    fn names(command: &Command, below: &str, found: &mut Vec<String>) {
        for command in command.get_subcommands() {
            let name = format!("{below}-{}", command.get_name());
            names(command, &name, found);
            found.push(name);
        }
    }

    #[test]
    fn every_command_has_its_page_and_stands_in_that_of_the_program() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path()).unwrap_or_else(|failure| panic!("{}", failure.error));
        let read = |page: &str| std::fs::read_to_string(folder.path().join(page)).unwrap();
        let program = read("dropkeep.1");
        let mut commands = Vec::new();
        names(&visible(&Cli::command()), "dropkeep", &mut commands);
        assert!(commands.len() > 20, "{commands:?}");
        for name in &commands {
            // A hyphen is written with a backslash.
            let title = format!(".SH NAME\n{}", name.replace('-', "\\-"));
            let page = read(&format!("{name}.1"));
            assert!(page.contains(&title), "{page}");
            let of_program = name.matches('-').count() == 1;
            assert!(
                !of_program || program.contains(&format!("{}(1)", name.replace('-', "\\-"))),
                "{name}\n{program}"
            );
        }
        let pages = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(pages, commands.len() + 2, "what is hidden has none");
        assert!(read("dropkeep.toml.5").contains("[http]"));
        for heading in ["EXIT STATUS", "ENVIRONMENT", "FILES"] {
            assert!(program.contains(heading), "{program}");
        }
    }
}
