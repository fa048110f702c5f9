//! Commands that root runs on an archive of another account: they go on as that account. Only root can try it.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

/// The account that Debian and others have for nobody, and a number that no account has.
const NOBODY: u32 = 65_534;
const NAMELESS: u32 = 54_321;

/// An archive of another account, with the configuration beside it.
struct Machine {
    folder: TempDir,
    owner: u32,
}

impl Machine {
    /// `None` where this is not root.
    fn with(owner: u32) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            println!("skipped: only root can run commands as another account");
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("open to all");
        let machine = Self { folder, owner };
        fs::write(machine.config(), "[http]\nlisten = \"127.0.0.1:0\"\n").expect("a configuration");
        chown(machine.config(), Some(0), Some(owner)).expect("its group");
        fs::set_permissions(machine.config(), Permissions::from_mode(0o640)).expect("closed to others");
        machine.own("data");
        Some(machine)
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("dropkeep.toml")
    }

    /// A folder that belongs to the account alone.
    fn own(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir(&path).expect("a folder");
        fs::set_permissions(&path, Permissions::from_mode(0o700)).expect("closed to others");
        chown(&path, Some(self.owner), Some(self.owner)).expect("another owner");
        path
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dropkeep"));
        command.arg("--config").arg(self.config()).args(arguments);
        command.env_remove("DROPKEEP_LOG");
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("dropkeep")
    }

    fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Files of root's in a folder of the account's.
    fn of_root(&self, folder: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(next) = folders.pop() {
            for entry in fs::read_dir(&next).expect("a folder").flatten() {
                let metadata = entry.metadata().expect("its owner");
                found.extend((metadata.uid() != self.owner).then(|| entry.path()));
                folders.extend(metadata.is_dir().then(|| entry.path()));
            }
        }
        found
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn what_root_runs_leaves_nothing_in_the_archive_that_its_owner_cannot_open() {
    for owner in [NOBODY, NAMELESS] {
        let Some(machine) = Machine::with(owner) else { return };
        machine.done(&["users", "add", "jane", "jane@example.com"]);
        assert!(machine.done(&["users"]).contains("jane@example.com"));
        machine.done(&["verify"]);
        let data = machine.folder.path().join("data");
        assert!(data.join("catalog").exists());
        assert_eq!(machine.of_root(&data), Vec::<PathBuf>::new(), "{owner}");
    }
}

#[test]
fn root_is_told_of_the_other_account_only_where_much_is_logged() {
    let Some(machine) = Machine::with(NOBODY) else { return };
    assert_eq!(said(&machine.run(&["protocols"])).matches("started by root").count(), 0);
    let mut command = machine.command(&["users", "add", "jane", "jane@example.com"]);
    let output = command.env("DROPKEEP_LOG", "debug").output().expect("dropkeep");
    assert_eq!(said(&output).matches("runs as nobody").count(), 1, "{}", said(&output));
}

#[test]
fn root_is_told_how_the_account_gets_a_folder_that_it_can_write_to() {
    let Some(machine) = Machine::with(NOBODY) else { return };
    machine.done(&["users", "add", "jane", "jane@example.com"]);
    let target = machine.folder.path().join("backup");
    let target = target.to_str().expect("a name");
    for command in ["backup", "export"] {
        let output = machine.run(&[command, target]);
        assert!(!output.status.success());
        let wanted = format!("install -d -m 700 -o nobody -g nogroup {target}");
        assert!(said(&output).contains(&wanted), "{}", said(&output));
    }
    let closed = machine.folder.path().join("closed");
    fs::create_dir(&closed).expect("a folder");
    fs::set_permissions(&closed, Permissions::from_mode(0o700)).expect("closed to others");
    let output = machine.run(&["backup", closed.join("backup").to_str().expect("a name")]);
    let wanted = format!("cannot enter {}; choose another folder", closed.display());
    assert!(said(&output).contains(&wanted), "{}", said(&output));
    let target = machine.own("target");
    machine.done(&["backup", target.to_str().expect("a name")]);
    assert_eq!(machine.of_root(&target), Vec::<PathBuf>::new());
}

/// As after `mkdir /srv/archive`, or before it.
#[test]
fn root_makes_no_archive_of_its_own_beside_the_configuration_of_an_account() {
    let Some(machine) = Machine::with(NOBODY) else { return };
    let data = machine.folder.path().join("data");
    let daemon = nix::unistd::User::from_name("daemon")
        .expect("the accounts")
        .expect("an account");
    chown(machine.config(), Some(0), Some(daemon.gid.as_raw())).expect("its group");
    chown(&data, Some(0), Some(0)).expect("root's");
    let dir = data.display();
    let add = || {
        let output = machine.run(&["users", "add", "jane", "jane@example.com"]);
        assert!(!output.status.success());
        assert!(!data.join("catalog").exists());
        said(&output)
    };
    let said = add();
    assert!(said.contains(&format!("chown daemon: {dir}")), "{said}");
    fs::remove_dir(&data).expect("nothing in it");
    let said = add();
    assert!(
        said.contains("install -d -m 700 -o daemon") && said.contains(&format!(" {dir}")),
        "{said}"
    );
}

#[test]
fn a_configuration_that_the_account_cannot_read_is_an_error_for_root_too() {
    let Some(machine) = Machine::with(NOBODY) else { return };
    fs::set_permissions(machine.config(), Permissions::from_mode(0o600)).expect("closed to the group");
    let output = machine.run(&["users"]);
    assert_eq!(output.status.code(), Some(2));
    let said = said(&output);
    assert!(
        said.contains("dropkeep.toml") && said.contains("account nobody"),
        "{said}"
    );
}

/// It may be another one where the account cannot see the folder.
#[test]
fn the_configuration_of_the_folder_that_root_is_in_is_the_one_that_counts() {
    let Some(machine) = Machine::with(NOBODY) else { return };
    let folder = machine.folder.path().join("closed");
    fs::create_dir_all(folder.join("config")).expect("a folder");
    let text = format!("data_dir = {:?}\n", machine.folder.path().join("data"));
    fs::write(folder.join("config/dropkeep.toml"), text).expect("a configuration");
    fs::set_permissions(&folder, Permissions::from_mode(0o700)).expect("closed to others");
    let mut command = Command::new(env!("CARGO_BIN_EXE_dropkeep"));
    let output = command.arg("users").current_dir(&folder).output().expect("dropkeep");
    let wanted = folder.join("config/dropkeep.toml").display().to_string();
    assert!(said(&output).contains(&wanted), "{}", said(&output));
}
