//! Nothing is shown that is not noted, whenever the process is killed and however full the disk is; and no account is
//! there by half.

use std::{fs, process::Command};

use rustix::process::Signal;
use serde_json::Value;

use crate::{
    site::{DROPKEEP, PASSWORD, Site, typed},
    support::{appliance::text, wait_for},
};

/// The points between an order and its answer, and whether it is on disk there.
const POINTS: [(&str, bool); 5] = [
    ("group-begun", false),
    ("group-filed", false),
    ("catalog-written", false),
    ("catalog-synced", true),
    ("acknowledging", true),
];

fn raws(site: &Site) -> usize {
    site.log().iter().filter(|[_, action, ..]| action == "raw").count()
}

#[test]
fn a_message_was_shown_that_nobody_noted() {
    let site = Site::new();
    let mut expected = raws(&site);
    for (point, is_noted) in POINTS {
        for kind in ["abort", "error"] {
            let mut command = site.appliance.command(&["raw", "1"]);
            command.env("DROPKEEP_FAULT", format!("{point}:{kind}"));
            let output = command.output().expect("it ends");
            assert!(!output.status.success(), "{point}:{kind}");
            assert!(
                output.stdout.is_empty(),
                "{point}:{kind}: what is not noted is not shown"
            );
            expected += usize::from(is_noted);
            assert_eq!(raws(&site), expected, "{point}:{kind}");
        }
    }
    site.done(&["verify"]);
}

#[test]
fn an_account_is_there_as_a_whole_or_not_at_all() {
    let site = Site::new();
    for (number, (point, is_written)) in POINTS.into_iter().enumerate() {
        let name = format!("account{number}");
        let arguments = [
            "accounts",
            "add",
            &name,
            "--role",
            "auditor",
            "--archive",
            "jane",
            "--password-stdin",
        ];
        let mut command = site.appliance.command(&arguments);
        command.env("DROPKEEP_FAULT", format!("{point}:abort"));
        assert!(!typed(command, PASSWORD).status.success(), "{point}");
        let accounts = site.accounts();
        let found: Vec<&Value> = accounts
            .iter()
            .filter(|account| text(account, "name") == name)
            .collect();
        assert_eq!(found.len(), usize::from(is_written), "{point}");
        if let [account] = found[..] {
            assert_eq!(account["archives"], serde_json::json!(["jane"]));
        }
        let noted = site
            .log()
            .iter()
            .any(|[_, action, object, _]| action == "account-add" && object.contains(&name));
        assert_eq!(noted, is_written, "{point}: it is noted with what it changes");
    }
    site.done(&["verify"]);
}

#[test]
fn a_killed_appliance_has_noted_all_that_it_showed() {
    let site = Site::new();
    let mut shown = raws(&site);
    for round in 0..3 {
        let serving = site.appliance.serve();
        let readers: Vec<_> = (0..4)
            .map(|_| {
                let config = site.appliance.config();
                std::thread::spawn(move || {
                    let mut shown = 0;
                    for _ in 0..15 {
                        let mut command = Command::new(DROPKEEP);
                        command.arg("--config").arg(&config).args(["raw", "1"]);
                        let output = command.output().expect("it ends");
                        shown += usize::from(!output.stdout.is_empty());
                    }
                    shown
                })
            })
            .collect();
        wait_for(std::time::Duration::from_millis(300 + 400 * round), || false);
        serving.running.signal(Signal::KILL);
        drop(serving);
        shown += readers
            .into_iter()
            .map(|reader| reader.join().expect("it counts"))
            .sum::<usize>();
        // Entries whose answer the kill cut off may be more.
        let noted = raws(&site);
        assert!(noted >= shown, "{noted} noted, {shown} shown");
        shown = noted;
    }
    site.done(&["verify"]);
}

#[test]
fn on_a_full_disk_nothing_is_shown() {
    let site = Site::new();
    let data = site.appliance.data();
    let kept = site.path("kept");
    fs::rename(&data, &kept).expect("moved");
    fs::create_dir(&data).expect("a folder");
    let mount = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=8m,mode=700", "tmpfs"])
        .arg(&data)
        .output();
    if !mount.is_ok_and(|mount| mount.status.success()) {
        eprintln!("SKIPPED: cannot mount");
        return;
    }
    struct Mounted(std::path::PathBuf);
    impl Drop for Mounted {
        fn drop(&mut self) {
            let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
        }
    }
    let _mounted = Mounted(data.clone());
    let copied = Command::new("cp")
        .arg("-a")
        .arg(format!("{}/.", kept.display()))
        .arg(&data)
        .status();
    assert!(copied.expect("cp").success());
    // Full to the last page; what is free within the catalog is used up first.
    let fill = fs::File::create(data.join("control.sock.fill")).map(|mut file| {
        let page = [1_u8; 4096];
        while std::io::Write::write_all(&mut file, &page).is_ok() {}
    });
    assert!(fill.is_ok());
    let before = 2;
    let mut refused = None;
    // An entry that takes a page of its own.
    let long = "x".repeat(2_000);
    for _ in 0..400 {
        let list = site.run(&["list", "--user", "jane", "--from", &long]);
        if list.code != Some(0) {
            break;
        }
    }
    // Small ones still fit into what is left of the last pages.
    for _ in 0..1_000 {
        let raw = site.run(&["raw", "1"]);
        if raw.code != Some(0) {
            refused = Some(raw);
            break;
        }
    }
    let refused = refused.expect("the disk is full at last").expect(4);
    assert!(refused.stdout.is_empty());
    assert!(
        refused.stderr.contains("audit log") && refused.stderr.contains("full"),
        "{}",
        refused.stderr
    );
    let out = site.path("out");
    site.run(&["export", out.to_str().expect("a name")]).expect(4);
    assert!(!out.exists() || fs::read_dir(&out).expect("a folder").count() == 0);
    fs::remove_file(data.join("control.sock.fill")).expect("room");
    site.done(&["raw", "1"]);
    assert!(raws(&site) > before);
    site.done(&["verify"]);
}
