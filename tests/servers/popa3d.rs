//! A real POP3 server that takes one command at a time and sends each answer in two writes: popa3d, from Debian. It has
//! an account, and no password, in a world of its own (mount namespaces), which takes root; skipped where that is not
//! possible.

use std::{
    fs::{self, Permissions},
    io::{self, Write},
    os::{
        fd::OwnedFd,
        unix::fs::{PermissionsExt, chown},
    },
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use crate::support::{
    appliance::{Appliance, PROFILE, number},
    listening::Listening,
};

/// Debian has it not beside Dovecot's, so it is unpacked and not installed.
const SERVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/popa3d/usr/sbin/popa3d");
const MESSAGES: u64 = 400;
const ACCOUNT: u32 = 54321;
/// Late acknowledgements of 40 ms each make it 16 s at least.
const SOON: Duration = Duration::from_secs(15);

#[test]
fn a_server_without_pipelining_is_archived_without_a_wait_for_each_message() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = world(folder.path());
    if let Some(why) = cannot(&script) {
        let _ = writeln!(std::io::stderr(), "\nSKIPPED: popa3d is not archived from: {why}\n");
        return;
    }
    let server = Listening::start(move |client, _| -> io::Result<()> {
        let mut served = in_world(&script, SERVER)
            .stdin(OwnedFd::from(client.try_clone()?))
            .stdout(OwnedFd::from(client))
            .spawn()?;
        served.wait().map(drop)
    });
    let appliance = Appliance::new(
        env!("CARGO_BIN_EXE_dropkeep"),
        &format!(
            "[[user]]\nname = \"jane\"\naddresses = [\"jane@example.com\"]\n[[profile]]\nname = \"{PROFILE}\"\n\
             [profile.server]\naccess = \"pop3\"\nhost = \"127.0.0.1\"\nport = {}\nusername = \"keeper\"\n\
             password = \"anything\"\n",
            server.port
        ),
    );
    let outcome = appliance.done(&["archive", PROFILE, "--json"]);
    assert_eq!(number(&outcome.json(), "archived"), MESSAGES);
    println!("popa3d: {MESSAGES} messages in {:?}", outcome.took);
    assert!(outcome.took < SOON, "{:?}", outcome.took);
}

/// Files that stand in place of the system's, and the script that puts them there and becomes its argument.
fn world(folder: &Path) -> String {
    let write = |name: &str, text: String| fs::write(folder.join(name), text).expect(name);
    let known = fs::read_to_string("/etc/passwd").unwrap_or_default();
    // The server answers as an account of its own, in a folder of its own.
    let accounts = [("popa3d", ACCOUNT + 1), ("keeper", ACCOUNT)];
    let accounts = accounts.map(|(name, id)| format!("{name}:x:{id}:{id}::/tmp:/bin/false\n"));
    write("passwd", known + &accounts.concat());
    for made in ["mail", "pam.d", "lib/popa3d"] {
        fs::create_dir_all(folder.join(made)).expect(made);
    }
    write(
        "pam.d/popa3d",
        "auth required pam_permit.so\naccount required pam_permit.so\n".into(),
    );
    let mail = folder.join("mail");
    let message = |number| {
        format!(
            "From a@sender.example Mon Jan  1 10:00:00 2024\nFrom: a@sender.example\nTo: jane@example.com\n\
             Subject: number {number}\nMessage-ID: <{number}@sender.example>\n\nHello {number}\n\n"
        )
    };
    write("mail/keeper", (1..=MESSAGES).map(message).collect());
    for open in [folder, &mail, &folder.join("lib/popa3d")] {
        fs::set_permissions(open, Permissions::from_mode(0o755)).expect("a mode");
    }
    // Only root can; otherwise the server is not tried.
    let _ = chown(mail.join("keeper"), Some(ACCOUNT), Some(ACCOUNT));
    let bind = |from: &str, to: &str| format!("mount --bind {} {to} && ", folder.join(from).display());
    bind("passwd", "/etc/passwd")
        + &bind("pam.d", "/etc/pam.d")
        + &bind("mail", "/var/mail")
        + &bind("lib", "/var/lib")
        + "exec \"$0\""
}

fn in_world(script: &str, program: &str) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script, program]);
    command
}

/// Why the server cannot be installed here.
fn cannot(script: &str) -> Option<String> {
    if !Path::new(SERVER).exists() {
        return Some(format!(
            "there is no {SERVER} (tests/install-tools.sh popa3d installs it)"
        ));
    }
    let tried = in_world(script, "true").stdin(Stdio::null()).output();
    match tried {
        Ok(tried) if tried.status.success() => None,
        Ok(tried) => Some(format!("it takes root: {}", String::from_utf8_lossy(&tried.stderr))),
        Err(error) => Some(format!("unshare: {error}")),
    }
}
