//! The journey against mail servers other than Dovecot: Cyrus IMAP and Courier, as Debian has them.
//!
//! Their packages conflict with Dovecot's, so each lies in a small Debian of its own, which takes root and a while to
//! make. That is why these tests are ignored by `cargo test`; `make test-peers` makes the roots and runs them.
//! docs/servers.md has what they found.

#[path = "../support/mod.rs"]
mod support;

/// What each server is put through, as tests of the module in which this stands: `$server` is what it is there, folders
/// below INBOX and dots between them, and `$upgraded` what it is over STARTTLS. `$more` are names of folders that not
/// every server takes.
macro_rules! put_through {
    ($server:ident, over_starttls: $upgraded:ident, more_folders: $more:expr) => {
        put_through! { @
            imap: journey::over(&$server, "imap"),
            imap_tls: journey::over(&$upgraded, "imap-tls"),
            imap_ssl: journey::over(&$server, "imap-ssl"),
            several_connections: journey::over_several_connections(&$server),
            pop3: journey::over(&$server, "pop3"),
            pop3_tls: journey::over(&$server, "pop3-tls"),
            pop3_ssl: journey::over(&$server, "pop3-ssl"),
            folders_below_inbox: folders::all_are_archived(&$server, "INBOX.", '.', $more),
            a_folder_made_anew_is_another_one: folders::made_anew(&$server, "INBOX.Projects"),
            deletion_over_imap: deletion::over_imap(&$server),
            moving_over_imap: deletion::by_moving(&$server, "INBOX.Archived"),
            deletion_over_pop3: deletion::over_pop3(&$server),
        }
    };
    (@ $($name:ident: $room:ident::$check:ident($($with:expr),*),)*) => {
        $(
            #[test]
            #[ignore = "make test-peers runs it"]
            fn $name() {
                $crate::$room::$check($($with),*);
            }
        )*
    };
}

mod courier;
mod cyrus;
mod deletion;
mod folders;
mod journey;
mod lmtp;
mod mail;
mod server;

pub const DROPKEEP: &str = env!("CARGO_BIN_EXE_dropkeep");
