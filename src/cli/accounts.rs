//! `accounts`: who logs in, and changes to them.

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::{
    ask,
    columns::whole,
    given::New,
    output::{Output, harmless},
    secret_input,
};
use crate::{
    api::{AccountLine, AccountWish, ApplicationLine, Failure, Made, Reply, Request, Role, SessionLine},
    archive::Absent,
    config::Config,
};

/// Columns of a name that others are aligned with.
const LONGEST_NAME: usize = 40;

#[derive(Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RoleArgument {
    /// Reads the archives given to the account.
    User,
    /// Reads all archives.
    Auditor,
    /// Runs dropkeep; reads no mail but that of the archives given to the account.
    Administrator,
}

impl From<RoleArgument> for Role {
    fn from(role: RoleArgument) -> Self {
        match role {
            RoleArgument::User => Self::User,
            RoleArgument::Auditor => Self::Auditor,
            RoleArgument::Administrator => Self::Administrator,
        }
    }
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Add an account. Its password is asked for.
    Add {
        /// The name, with which to log in.
        #[arg(value_name = "NAME")]
        account: String,
        /// What the account may do.
        #[arg(long)]
        role: RoleArgument,
        /// Give it the archive of this user; can be repeated.
        #[arg(long = "archive", value_name = "USER")]
        archives: Vec<String>,
        /// Read the password from standard input: one line.
        #[arg(long)]
        password_stdin: bool,
        #[command(flatten)]
        new: New,
    },
    /// Set another password. Ends the sessions of the account.
    Password {
        /// The account.
        #[arg(value_name = "NAME")]
        account: String,
        /// Read the password from standard input: one line.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Let nobody log in by this account. Ends its sessions.
    Disable {
        /// The account.
        #[arg(value_name = "NAME")]
        account: String,
    },
    /// Let a disabled account log in again.
    Enable {
        /// The account.
        #[arg(value_name = "NAME")]
        account: String,
    },
    /// Remove an account. What it did stays in the audit log.
    Remove {
        /// The account.
        #[arg(value_name = "NAME")]
        account: String,
    },
    /// Change what an account may do. Ends its sessions.
    Role {
        /// The account.
        #[arg(value_name = "NAME")]
        account: String,
        /// What the account may do.
        role: RoleArgument,
    },
    /// Give an account the archive of a user.
    Give {
        /// The account.
        #[arg(value_name = "NAME")]
        account: String,
        /// The user.
        #[arg(value_name = "USER")]
        archive: String,
    },
    /// Take the archive of a user from an account. Ends its sessions.
    Take {
        /// The account.
        #[arg(value_name = "NAME")]
        account: String,
        /// The user.
        #[arg(value_name = "USER")]
        archive: String,
    },
    /// Set up one-time codes for an account: shows the secret for the app, asks for a code of it, and prints recovery
    /// codes.
    Totp {
        /// The account.
        #[arg(value_name = "NAME")]
        account: String,
        /// Ask for no codes any more: when the app and the recovery codes are lost.
        #[arg(long)]
        off: bool,
    },
    /// Show the passwords that programs have for an account, or make or remove one.
    Applications {
        /// The account.
        #[arg(value_name = "NAME")]
        account: String,
        /// Make a password for the program of this name, and print it.
        #[arg(long, value_name = "NAME", conflicts_with = "remove")]
        add: Option<String>,
        /// Remove the password of the program of this name.
        #[arg(long, value_name = "NAME")]
        remove: Option<String>,
    },
    /// Show who is logged in, or end sessions.
    Sessions {
        /// Only those of this account.
        #[arg(value_name = "NAME")]
        account: Option<String>,
        /// End all sessions of the account.
        #[arg(long, requires = "account")]
        end: bool,
        /// End this session of the account.
        #[arg(long, value_name = "SESSION", requires = "account", conflicts_with = "end")]
        end_one: Option<String>,
    },
}

pub fn run(config: Config, arguments: Arguments, json: bool) -> Result<u8, Failure> {
    let Some(command) = arguments.command else {
        return list(&config, json);
    };
    let change = |config, account: String, wish, words: &str| {
        let changed = Changed::new(&account, words);
        change(config, Absent::Refused, account, wish, changed, json)
    };
    match command {
        Command::Add {
            account,
            role,
            archives,
            password_stdin,
            new,
        } => {
            let wish = AccountWish::Add {
                role: role.into(),
                archives,
                password: secret_input::new_password(password_stdin)?,
            };
            let changed = Changed::new(&account, "was added");
            self::change(config, Absent::made(new.new), account, wish, changed, json)
        }
        Command::Password {
            account,
            password_stdin,
        } => {
            let wish = AccountWish::Password {
                password: secret_input::new_password(password_stdin)?,
                current: None,
            };
            change(config, account, wish, "has another password")
        }
        Command::Disable { account } => change(config, account, AccountWish::Disable, "is disabled"),
        Command::Enable { account } => change(config, account, AccountWish::Enable, "can log in again"),
        Command::Remove { account } => change(config, account, AccountWish::Remove, "was removed"),
        Command::Role { account, role } => {
            let role = Role::from(role);
            let words = format!("has the role {role}");
            change(config, account, AccountWish::Role(role), &words)
        }
        Command::Give { account, archive } => {
            let words = format!("may read the archive of {archive}");
            change(config, account, AccountWish::Give(archive), &words)
        }
        Command::Take { account, archive } => {
            let words = format!("may not read the archive of {archive} any more");
            change(config, account, AccountWish::Take(archive), &words)
        }
        Command::Totp { account, off: true } => {
            change(config, account, AccountWish::TotpOff, "is asked for no one-time codes")
        }
        Command::Totp { account, off: false } => set_up_totp(config, account, json),
        Command::Applications {
            account,
            add: Some(name),
            ..
        } => {
            let words = format!("has a password for {name}");
            change(config, account, AccountWish::AddApplication(name), &words)
        }
        Command::Applications {
            account,
            remove: Some(name),
            ..
        } => {
            let words = format!("has no password for {name} any more");
            change(config, account, AccountWish::RemoveApplication(name), &words)
        }
        Command::Applications { account, .. } => applications(&config, account, json),
        Command::Sessions {
            account: Some(account),
            end: true,
            ..
        } => change(
            config,
            account,
            AccountWish::EndSessions(None),
            "has no sessions any more",
        ),
        Command::Sessions {
            account: Some(account),
            end_one: Some(session),
            ..
        } => {
            let words = format!("has no session {session} any more");
            change(config, account, AccountWish::EndSessions(Some(session)), &words)
        }
        Command::Sessions { account, .. } => sessions(config, account, json),
    }
}

/// What a change prints with `--json`.
#[derive(Serialize)]
struct Changed {
    account: String,
    #[serde(flatten)]
    made: Option<Made>,
    #[serde(skip)]
    words: String,
}

impl Changed {
    fn new(account: &str, words: &str) -> Self {
        Self {
            account: account.to_owned(),
            made: None,
            words: format!("account {account:?} {words}"),
        }
    }
}

/// Has it changed, and prints what was made by it.
fn change(
    config: Config,
    absent: Absent,
    name: String,
    wish: AccountWish,
    mut changed: Changed,
    json: bool,
) -> Result<u8, Failure> {
    changed.made = ask::change_account(&config, absent, &name, &wish)?.pop();
    let mut output = Output::new();
    if json {
        output.json(&changed);
    } else {
        output.line(&changed.words);
        changed.made.iter().for_each(|made| shown_once(&mut output, made));
    }
    output.finish();
    Ok(0)
}

fn shown_once(output: &mut Output, made: &Made) {
    match made {
        Made::Totp { secret, address } => {
            output.line(format!("secret for the app: {}", secret.reveal()));
            output.line(format!("or as a QR code of: {}", address.reveal()));
        }
        Made::RecoveryCodes(codes) => {
            output.line("recovery codes, each of which works once in place of a code; they are not shown again:");
            codes
                .iter()
                .for_each(|code| output.line(format!("  {}", code.reveal())));
        }
        Made::ApplicationPassword(password) => {
            output.line(format!("password, which is not shown again: {}", password.reveal()));
        }
    }
}

/// Codes count only once the account's app has shown one: nobody is shut out by a secret that did not arrive.
fn set_up_totp(config: Config, account: String, json: bool) -> Result<u8, Failure> {
    let begun = ask::change_account(&config, Absent::Refused, &account, &AccountWish::Totp)?.pop();
    let mut output = Output::new();
    match (&begun, json) {
        (Some(made), true) => output.json(made),
        (Some(made), false) => shown_once(&mut output, made),
        (None, _) => {}
    }
    output.finish();
    let code = secret_input::code()?;
    let changed = Changed::new(&account, "is asked for one-time codes from now on");
    let wish = AccountWish::ConfirmTotp { code };
    change(config, Absent::Refused, account, wish, changed, json)
}

fn list(config: &Config, json: bool) -> Result<u8, Failure> {
    let mut output = Output::new();
    let mut accounts = Vec::new();
    let answered = ask::read(config, &Request::Accounts, &mut |reply| match reply {
        Reply::Account(line) if json => output.json(&line),
        Reply::Account(line) => accounts.push(line),
        _ => {}
    });
    if !json && accounts.is_empty() && answered.is_ok() {
        output.line("there is no account: `dropkeep accounts add NAME --role administrator` adds the first one");
    }
    table(&accounts).into_iter().for_each(|line| output.line(line));
    output.finish();
    answered.map(|()| 0)
}

fn table(accounts: &[AccountLine]) -> Vec<String> {
    if accounts.is_empty() {
        return Vec::new();
    }
    let width = accounts
        .iter()
        .map(|account| harmless(&account.name).width())
        .max()
        .unwrap_or(0);
    let width = width.clamp("NAME".len(), LONGEST_NAME);
    let row = |name: &str, role: &str, codes: &str, state: &str, archives: &str| {
        let line = format!("{}  {role:<13}  {codes:<5}  {state:<8}  {archives}", whole(name, width));
        line.trim_end().to_owned()
    };
    let heading = row("NAME", "ROLE", "CODES", "STATE", "ARCHIVES");
    let rows = accounts.iter().map(|account| {
        let codes = if account.totp { "yes" } else { "" };
        let state = if account.disabled { "disabled" } else { "" };
        row(
            &account.name,
            account.role.as_str(),
            codes,
            state,
            &account.archives.join(", "),
        )
    });
    std::iter::once(heading).chain(rows).collect()
}

fn applications(config: &Config, account: String, json: bool) -> Result<u8, Failure> {
    let mut output = Output::new();
    let answered = ask::read(config, &Request::Applications { account }, &mut |reply| match reply {
        Reply::Application(line) if json => output.json(&line),
        Reply::Application(ApplicationLine { name, made, used, .. }) => {
            let used = used.map_or("never used".to_owned(), |used| format!("used {used}"));
            output.line(format!("{name}  made {made}, {used}"));
        }
        _ => {}
    });
    output.finish();
    answered.map(|()| 0)
}

fn sessions(config: Config, account: Option<String>, json: bool) -> Result<u8, Failure> {
    let mut output = Output::new();
    let request = Request::Sessions { account };
    let answered = ask::act(config, Absent::Refused, request, None, &mut |reply| match reply {
        Reply::Session(line) if json => output.json(&line),
        Reply::Session(SessionLine {
            session,
            account,
            began,
            seen,
            address,
        }) => output.line(format!(
            "{session}  {account}  from {address}, began {began}, used {seen}"
        )),
        _ => {}
    });
    output.finish();
    answered.map(|()| 0)
}
