//! A disk that turns read-only in the middle of a run, as ext4 does over an error of the disk. Needs the right to
//! mount; where that is missing the test is skipped, and says so.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::crash::{
    DROPKEEP,
    held::{mailbox, resume},
    support::{
        appliance::{Appliance, PROFILE, Profile, assert_adds_up, number},
        dovecot::Dovecot,
        generator::{company_of, user_tables},
        proxy::Proxy,
    },
};

/// A file with a file system in it, mounted; unmounted when this goes.
struct Disk {
    device: String,
    path: PathBuf,
}

impl Disk {
    fn mount(path: &Path) -> Option<Self> {
        let image = path.with_extension("image");
        fs::create_dir_all(path).expect("a folder");
        fs::File::create(&image)
            .and_then(|file| file.set_len(128 << 20))
            .expect("an image");
        tool("mkfs.ext4", &["-q", "-F", image.to_str()?])?;
        let device = tool("losetup", &["--find", "--show", image.to_str()?])?
            .trim()
            .to_owned();
        let disk = Self {
            device,
            path: path.to_owned(),
        };
        disk.mount_again().then_some(disk)
    }

    fn mount_again(&self) -> bool {
        let (device, path) = (self.device.as_str(), self.path.to_str().expect("a path"));
        tool("mount", &["-t", "ext4", "-o", "errors=remount-ro", device, path]).is_some()
    }

    /// What the kernel does over an error of the disk, also under files that are being written.
    fn turn_read_only(&self) {
        let name = self.device.trim_start_matches("/dev/");
        let trigger = format!("/sys/fs/ext4/{name}/trigger_fs_error");
        fs::write(&trigger, "a test\n").unwrap_or_else(|error| panic!("{trigger}: {error}"));
        let written = fs::write(self.path.join("probe"), "x");
        assert!(written.is_err(), "the disk still takes writes");
    }

    fn repair(&self) {
        tool("umount", &[self.path.to_str().expect("a path")]).expect("nobody has it open");
        // It says by its exit code that it repaired something.
        let _ = Command::new("fsck.ext4").args(["-p", &self.device]).output();
        assert!(self.mount_again(), "mounted again");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.path).output();
        let freed = Command::new("losetup").args(["--detach", &self.device]).status();
        if !freed.is_ok_and(|status| status.success()) {
            eprintln!("{} is still in use", self.device);
        }
    }
}

/// What a tool printed; `None`, said aloud, where it cannot do its work here.
fn tool(name: &str, arguments: &[&str]) -> Option<String> {
    let found = [format!("/usr/sbin/{name}"), name.to_owned()];
    let program = found
        .iter()
        .find(|path| Path::new(path).exists())
        .map_or(name, String::as_str);
    match Command::new(program).args(arguments).output() {
        Ok(output) if output.status.success() => Some(String::from_utf8_lossy(&output.stdout).into_owned()),
        Ok(output) => {
            eprintln!("SKIPPED: {name}: {}", String::from_utf8_lossy(&output.stderr));
            None
        }
        Err(error) => {
            eprintln!("SKIPPED: no {name}: {error}");
            None
        }
    }
}

#[test]
fn a_disk_that_turns_read_only_in_the_middle_ends_the_run_and_loses_nothing() {
    let server = Dovecot::start();
    let messages = mailbox(400, 20);
    let bytes = server.deliver(&messages);
    let proxy = Proxy::to(server.ports.of("imap"));
    let profile = Profile {
        port: proxy.port,
        ..Profile::new(&server, "imap")
    };
    let text = user_tables(&company_of(5)) + &profile.toml() + "[limits]\ninflight = \"1 MiB\"\n";
    let undisturbed = Appliance::new(DROPKEEP, &text);
    let expected = resume(&undisturbed, "undisturbed");

    let appliance = Appliance::new(DROPKEEP, &text);
    let Some(disk) = Disk::mount(&appliance.data()) else {
        return;
    };
    proxy.hold_after(bytes / 2);
    let running = appliance.start(&["archive", PROFILE, "--new", "--json"]);
    proxy.wait_until_held();
    disk.turn_read_only();
    proxy.open();
    let outcome = running.wait().expect(4);
    assert!(
        outcome.stderr.contains(appliance.data().to_str().unwrap()),
        "{}",
        outcome.stderr
    );
    assert!(!outcome.stderr.contains("panicked"), "{}", outcome.stderr);
    let run = outcome.json();
    assert_adds_up(&run);
    assert!(number(&run, "archived") > 0, "what came before is kept: {run:#}");
    // As long as it stays so, nothing is archived, and everything can be read.
    appliance.run(&["archive", PROFILE]).expect(4);
    disk.repair();
    assert_eq!(resume(&appliance, "read-only"), expected);
    drop(disk);
}
