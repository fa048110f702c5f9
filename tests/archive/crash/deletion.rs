//! Copies are deleted on their server only after they were seen in the archive, wherever that is broken off.

use std::collections::BTreeSet;

use dropkeep::fault::Stage;

use crate::crash::{
    DROPKEEP,
    held::{KINDS, assert_ends_with, broken_off, held, mailbox, points_of, resume},
    points,
    support::{
        appliance::{Appliance, PROFILE, Profile},
        dovecot::Dovecot,
        generator::{company_of, user_tables},
        pull,
    },
};

fn deleting(server: &Dovecot) -> Appliance {
    let text =
        user_tables(&company_of(5)) + &Profile::new(server, "imap").toml() + "[profile.delete]\nwhen = \"archived\"\n";
    Appliance::new(DROPKEEP, &text)
}

#[test]
fn every_step_of_a_deletion_is_resumed_and_nothing_is_deleted_that_was_not_archived() {
    let messages = mailbox(20, 5);
    let expected = resume(&points::appliance(&Dovecot::with(&messages)), "undisturbed");
    let server = Dovecot::start();
    for (point, _) in points_of(&[Stage::Deletion]) {
        for kind in KINDS {
            let what = format!("{point}:{kind}");
            server.deliver(&messages);
            let appliance = deleting(&server);
            let archive = appliance.command(&["archive", PROFILE, "--json"]);
            let outcome = broken_off(archive, point, kind, 1);
            // The connection may be made again, and the step with it.
            assert_ends_with(&outcome, &[0, 1], &what);
            if outcome.code.is_none() {
                // What was going on is still noted as that; the next command closes it.
                appliance.done(&["users"]);
            }
            assert_nothing_is_lost(&server, &appliance, messages.len(), &what);
            assert_eq!(resume(&appliance, &what), expected, "{what}");
            let left = pull::messages(&server, "imap");
            assert!(left.is_empty(), "{what}: {} are left", left.len());
        }
    }
}

/// Whatever is not on the server any more is in the archive.
fn assert_nothing_is_lost(server: &Dovecot, appliance: &Appliance, sent: usize, what: &str) {
    let left = pull::messages(server, "imap").len();
    let kept: BTreeSet<_> = held(appliance).filings.into_keys().map(|(_, sha256)| sha256).collect();
    // A message that was sent twice is kept once.
    let twice = sent - mailbox(20, 5).iter().collect::<BTreeSet<_>>().len();
    assert!(
        left == sent || kept.len() + twice == sent,
        "{what}: {left} left, {} kept of {sent}",
        kept.len()
    );
}
