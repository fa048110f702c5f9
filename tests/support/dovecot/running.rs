//! What happens to a server while it is used: mail comes in, and it ends and starts again.

use std::{
    fs,
    path::Path,
    process::Child,
    sync::atomic::Ordering,
    time::{Duration, SystemTime},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{super::wait_for, Dovecot, launch, make_mail_file, make_mail_folder, stop, watch};

/// How long the ports of a server that was killed may stay taken.
const AGAIN: Duration = Duration::from_secs(60);

impl Dovecot {
    /// Puts messages into a folder as a delivery agent does, into `new`, where the server looks for them at any time.
    /// The folder is there.
    pub fn receive<M: AsRef<[u8]>>(&self, user: &str, folder: &str, messages: impl IntoIterator<Item = M>) {
        let mut maildir = self.root.path().join("mail").join(user);
        make_mail_folder(&maildir);
        if folder != "INBOX" {
            maildir.push(format!(".{folder}"));
            assert!(maildir.is_dir(), "{user} has no folder {folder}");
        }
        for part in ["cur", "new", "tmp"] {
            make_mail_folder(&maildir.join(part));
        }
        for message in messages {
            let message = message.as_ref();
            let number = self.delivered.fetch_add(1, Ordering::Relaxed);
            let now = SystemTime::UNIX_EPOCH.elapsed().expect("after 1970").as_secs();
            let name = format!("{now}.M{number:09}.localhost,S={}", message.len());
            let written = maildir.join("tmp").join(&name);
            make_mail_file(&written, message);
            fs::rename(written, maildir.join("new").join(name)).expect("deliver");
        }
    }

    /// Ends the server and starts it again, on the same ports and the same mail, after `down`. With [`Signal::KILL`]
    /// all of its processes end at once, whatever they were doing.
    pub fn restart(&mut self, signal: Signal, down: Duration) {
        let _ = self.watch.kill();
        let _ = self.watch.wait();
        if signal == Signal::KILL {
            kill(&mut self.child);
        } else {
            stop(&mut self.child);
        }
        wait_for(down, || false);
        let mut again = None;
        let started = wait_for(AGAIN, || {
            again = launch(self.root.path(), self.ports, &self.settings);
            again.is_some()
        });
        assert!(started, "Dovecot did not start again:\n{}", self.log());
        self.child = again.expect("it started");
        self.watch = watch(&self.child);
    }
}

/// Ends the master, and what it started.
fn kill(master: &mut Child) {
    let children = children(master.id());
    let _ = master.kill();
    let _ = master.wait();
    for child in children {
        if let Some(pid) = Pid::from_raw(child) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

/// The processes whose parent this one is.
fn children(parent: u32) -> Vec<i32> {
    let is_child = |process: &Path| {
        let stat = fs::read_to_string(process.join("stat")).unwrap_or_default();
        // The name, in parentheses, may have anything in it; behind it come the state and the parent.
        let behind = stat.rsplit_once(')').map_or("", |(_, behind)| behind);
        behind.split_whitespace().nth(1) == Some(&parent.to_string())
    };
    let processes = fs::read_dir("/proc").expect("/proc").flatten();
    processes
        .map(|entry| entry.path())
        .filter(|path| is_child(path))
        .filter_map(|path| path.file_name()?.to_str()?.parse().ok())
        .collect()
}
