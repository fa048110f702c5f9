//! What to do about an error, by the stage that it names.

/// A short word of advice.
pub fn remedy(stage: &str) -> &'static str {
    match stage {
        "config" => "Put right in the configuration what the error names; the next run takes it.",
        "resolve" => "Check server.host, and that this machine can look up names.",
        "connect" => {
            "Check that the mail server is up, server.host and server.port, and that no firewall is in between. It is tried \
             again by itself."
        }
        "tls" => {
            "Check the server's certificate. Where it is right, server.tls names it by ca_file or pins it; `dropkeep test` \
             shows it."
        }
        "greeting" => {
            "The server turns connections away: its log says why. Perhaps there are too many of them, or this machine is \
             not allowed."
        }
        "token" => "Check server.oauth2; where the refresh token is no longer good, log in anew and set it.",
        "login" => {
            "Check server.username and the password; where they are right, see whether the account is locked or wants \
             another way to log in."
        }
        "connection" => {
            "The session ended early each time; the error says how. What was archived stays, and the next run goes on \
             there; see the mail server's log if it lasts."
        }
        "store" => {
            "Look at the disk of data_dir: is there room, is it sound? `dropkeep verify` says whether the archive is \
             whole. Nothing that was reported as archived is lost."
        }
        "run" => "The run was given up, and is begun anew by itself. Should it come again, the log tells more.",
        "folder" => {
            "Check that the folder is there and that the account may read it; folders.exclude leaves out what is not \
             wanted."
        }
        "fetch" => {
            "The server does not give these copies out. They stay there and are tried again in each run; see whether \
             another mail program can open them."
        }
        "read" => {
            "Check that the file is there, is mail, and that dropkeep's account may read it; then import it again."
        }
        "manifest" => {
            "The message is archived, but it is not the one that was exported: compare the export with another copy of it."
        }
        "identify" | "route" => {
            "The copies stay on the server and are tried again in each run. Should it come again, please report it with \
             the log."
        }
        "size" => {
            "The message is larger than limits.max_message_size and stays on the server. Raise the limit to archive it, \
             or delete it there."
        }
        "deletion" => {
            "The copy is archived and stays on the server; it is tried again in the next run. docs/deletion.md says what is \
             checked."
        }
        _ => "The log of dropkeep may tell more.",
    }
}

#[cfg(test)]
mod tests {
    use super::remedy;
    use crate::report::{DELETION, SIZE};

    #[test]
    fn each_stage_has_its_own() {
        let other = remedy("?");
        for stage in [
            "config",
            "token",
            "connection",
            "store",
            "run",
            "folder",
            "fetch",
            "read",
            "identify",
            "route",
        ] {
            assert_ne!(remedy(stage), other, "{stage}");
        }
        use crate::source::Step::*;
        for step in [Resolve, Connect, Tls, Greeting, Token, Login] {
            assert_ne!(remedy(step.as_str()), other, "{step:?}");
        }
        assert!(remedy(SIZE) != other && remedy(DELETION) != other);
    }
}
