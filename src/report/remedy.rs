//! What to do about an error, by the stage that it names.

use crate::said::{Said, said};

/// The stage of a copy that is too large.
pub const SIZE: &str = "size";
/// The stage of a copy that was to be deleted on its server, and was not.
pub const DELETION: &str = "deletion";
/// The stage of a message that is not as its export noted it. It is archived all the same.
pub const ALTERED: &str = "manifest";

/// What to do, in a sentence or two. Where more is known of an error than its stage, who met it says more.
pub fn remedy(stage: &str) -> Said {
    match stage {
        "config" => said!(
            DoConfiguration,
            "Correct what the error names in the configuration; the next run reads it anew."
        ),
        "resolve" => said!(
            DoResolve,
            "Check server.host, and that this machine can look up names (getent hosts NAME)."
        ),
        "connect" => said!(
            DoConnect,
            "Check that the mail server is running. Check server.host, server.port and firewalls. It is tried again by itself."
        ),
        "tls" => said!(
            DoTls,
            "Check the server's certificate, which `dropkeep test` shows. If it is the right one, name it in ca_file, or pin \
             it, in server.tls."
        ),
        "greeting" => said!(
            DoGreeting,
            "See the mail server's log; often there are too many connections, or this machine is blocked."
        ),
        "token" => said!(
            DoToken,
            "Check server.oauth2 (docs/oauth2.md). If the refresh token is not valid any more, log in once more and set the \
             new one."
        ),
        "login" => said!(
            DoLogin,
            "Check server.username and the password. If both are right, see whether the account is locked, or takes another \
             password from programs."
        ),
        "connection" => said!(
            DoConnection,
            "What was archived stays, and the next run goes on there. If it lasts, see the mail server's log at that time."
        ),
        "store" => said!(
            DoStore,
            "Check the disk of data_dir: has it room, has it errors? `dropkeep verify` says whether the archive is whole. What \
             was reported as archived is not lost."
        ),
        "run" => said!(
            DoRun,
            "The run was given up. It is tried again by itself. If it fails again, see the log."
        ),
        "folder" => said!(
            DoFolder,
            "Check that the folder exists and that the account may read it; to leave it out, name it in folders.exclude."
        ),
        "fetch" => said!(
            DoFetch,
            "The server does not hand out these messages. They stay there, and each run tries again; see whether another mail \
             program can open them."
        ),
        "read" => said!(
            DoRead,
            "Check that the file exists and that dropkeep's account may read it; then import it again."
        ),
        "format" => said!(
            DoFormat,
            "Check what the file is; docs/formats.md lists what can be imported."
        ),
        ALTERED => said!(
            DoAltered,
            "The message is archived, but differs from what was exported: compare the export with another copy of it."
        ),
        "identify" | "route" => said!(
            DoIdentify,
            "The messages stay on the server, and each run tries again. If it comes again, please report it, with the log."
        ),
        SIZE => said!(
            DoSize,
            "The message is larger than limits.max_message_size and stays on the server. Raise the limit to archive it, or \
             delete it there."
        ),
        DELETION => said!(
            DoDeletion,
            "The message is archived and stays on the server; the next run tries again. docs/deletion.md lists what is checked \
             before anything is deleted."
        ),
        _ => said!(DoLog, "The log of dropkeep may say more."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            "format",
            "identify",
            "route",
            ALTERED,
            SIZE,
            DELETION,
        ] {
            assert_ne!(remedy(stage), other, "{stage}");
        }
        use crate::source::ConnectStep::*;
        for step in [Resolve, Connect, Tls, Greeting, Token, Login] {
            assert_ne!(remedy(step.as_str()), other, "{step:?}");
        }
    }
}
