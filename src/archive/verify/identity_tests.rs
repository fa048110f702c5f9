//! Identities that are not those of their messages: found by adding up, and where only some are read.

use heed::RwTxn;

use super::{
    Damage, Kind,
    filing_tests::selections,
    plan::Table,
    row_tests::with_message,
    tests::{Archive, identity},
};
use crate::archive::{
    catalog::Catalog,
    packings::digest,
    rows::{IdentityNumber, MessageId},
};

/// What is done, and what is said of messages.
type Wrong = (fn(&Catalog, &mut RwTxn), &'static [(u64, &'static str)]);

fn wrong() -> [Wrong; 3] {
    let deleted: Wrong = (
        |c, t| assert!(c.identities.delete(t, &digest(&identity(4))).unwrap()),
        &[(4, "no known number")],
    );
    let exchanged: Wrong = (
        |c, t| {
            c.identities.put(t, &digest(&identity(4)), &IdentityNumber(3)).unwrap();
            c.identities.put(t, &digest(&identity(3)), &IdentityNumber(4)).unwrap();
        },
        &[(3, "identity number 4"), (4, "identity number 3")],
    );
    // As far as adding up goes, the number belongs to the digest of message 2.
    let of_another: Wrong = (
        |c, t| with_message(c, t, MessageId(4), |message| message.identity = IdentityNumber(2)),
        &[(4, "identity number 4")],
    );
    [deleted, exchanged, of_another]
}

fn assert_named(damages: &[Damage], named: &[(u64, &str)], how: &str) {
    let of_messages = damages
        .iter()
        .filter(|damage| damage.detail.contains("its digest belongs to"));
    let mut found: Vec<_> = of_messages
        .map(|damage| (damage.kind, damage.id, damage.detail.as_str()))
        .collect();
    found.sort_unstable_by_key(|(_, id, _)| *id);
    assert_eq!(found.len(), named.len(), "{how}: {damages:#?}");
    for ((kind, id, detail), (message, owner)) in found.into_iter().zip(named) {
        assert_eq!(
            (kind, id),
            (Kind::Identity, Some(MessageId(*message))),
            "{how}: {detail}"
        );
        assert!(detail.ends_with(&format!("belongs to {owner}")), "{how}: {detail}");
    }
}

#[actix::test]
async fn a_digest_under_another_number_is_found_in_all_and_in_a_part() {
    for (change, named) in wrong() {
        let archive = Archive::new().await;
        archive.change(change);
        for selection in selections() {
            assert_named(&archive.damages_of(&selection), named, &format!("{selection:?}"));
        }
    }
}

/// A process added up, and was ended before it could compare: the next one looks up all that is there.
#[actix::test]
async fn a_digest_that_a_process_that_ended_had_added_up_is_found_by_the_next() {
    for (change, named) in wrong() {
        let archive = Archive::new().await;
        archive.change(change);
        for sound in [true, false] {
            let behind = archive.damages_behind(Table::Runs, sound);
            assert_named(&behind, named, &format!("sound: {sound}"));
        }
    }
}
