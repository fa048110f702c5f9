//! Deletion and moves.

use dropkeep::{
    config::Access,
    source::{CopyRef, Kept, Removal},
};

use crate::{
    sessions::{connect, listing, messages, server},
    support::dovecot::{Dovecot, MAILBOX},
};

fn uids(uids: impl IntoIterator<Item = u32>) -> Vec<CopyRef> {
    uids.into_iter().map(CopyRef::Uid).collect()
}

#[tokio::test]
async fn what_is_deleted_is_gone_and_nothing_else_is() {
    let dovecot = Dovecot::with(messages(1200));
    dovecot.deliver_marked(MAILBOX, "INBOX", "F", messages(1));
    dovecot.deliver_marked(MAILBOX, "INBOX", "T", messages(1));
    let server = server(&dovecot, Access::Imap);
    let mut session = connect(&server).await;
    assert!(session.has_uidplus());
    session.open_for_removal("INBOX").await.expect("INBOX");
    let asked = uids((2..=1201).chain([5000]));
    let removed = session.remove(&asked, Removal::Delete).await.expect("removed");
    assert_eq!(removed.gone, uids(2..=1200));
    let kept = [
        (CopyRef::Uid(1201), Kept::Flagged),
        (CopyRef::Uid(5000), Kept::Vanished),
    ];
    assert_eq!(removed.kept, kept);
    session.close().await.expect("a farewell");
    // 1202 was marked as deleted by somebody else, and stands.
    assert_eq!(listing(&server, "INBOX").await, uids([1, 1201, 1202]));
}

#[tokio::test]
async fn without_uidplus_a_folder_with_other_marks_is_left_as_it_is() {
    let capability = "imap_capability = IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE";
    let dovecot = Dovecot::start_with(capability);
    dovecot.deliver(messages(3));
    dovecot.deliver_marked(MAILBOX, "INBOX", "T", messages(1));
    let server = server(&dovecot, Access::Imap);
    let mut session = connect(&server).await;
    assert!(!session.has_uidplus());
    session.open_for_removal("INBOX").await.expect("INBOX");
    let removed = session.remove(&uids(1..=2), Removal::Delete).await.expect("nothing");
    assert_eq!(removed.gone, []);
    assert!(
        removed.kept.iter().all(|(_, why)| *why == Kept::NotAlone),
        "{removed:?}"
    );
    let announced = session.sizes(&uids(1..=4), true).await.expect("flags");
    let marked: Vec<_> = announced
        .iter()
        .filter(|one| one.facts.as_ref().expect("facts").flags.contains(&"\\Deleted".into()))
        .map(|one| one.copy.clone())
        .collect();
    assert_eq!(marked, uids([4]), "our marks were taken back");

    // Asked for together with the other mark, they go.
    let removed = session
        .remove(&uids([1, 2, 4]), Removal::Delete)
        .await
        .expect("removed");
    assert_eq!(removed.gone, uids([1, 2, 4]));
    session.close().await.expect("a farewell");
    assert_eq!(listing(&server, "INBOX").await, uids([3]));
}

#[tokio::test]
async fn what_is_moved_stands_in_a_folder_that_is_made_for_it() {
    // By MOVE, and by COPY and UIDPLUS.
    for settings in ["", "imap_capability = IMAP4rev1 UIDPLUS"] {
        let dovecot = Dovecot::start_with(settings);
        dovecot.deliver(messages(5));
        dovecot.deliver_marked(MAILBOX, "INBOX", "F", messages(1));
        let server = server(&dovecot, Access::Imap);
        let mut session = connect(&server).await;
        session.open_for_removal("INBOX").await.expect("INBOX");
        let moved = Removal::Move("Archiviert & geprüft");
        let removed = session.remove(&uids(2..=6), moved).await.expect("moved");
        assert_eq!(removed.gone, uids(2..=5));
        assert_eq!(removed.kept, [(CopyRef::Uid(6), Kept::Flagged)]);
        session.close().await.expect("a farewell");
        assert_eq!(listing(&server, "INBOX").await, uids([1, 6]));
        assert_eq!(listing(&server, "Archiviert & geprüft").await.len(), 4);
    }
}

#[tokio::test]
async fn over_pop3_what_is_marked_is_gone_after_quit_and_not_before() {
    let dovecot = Dovecot::with(messages(100));
    let server = server(&dovecot, Access::Pop3);
    for quits in [false, true] {
        let listed = listing(&server, "INBOX").await;
        assert_eq!(listed.len(), 100);
        let mut session = connect(&server).await;
        session.open_for_removal("INBOX").await.expect("INBOX");
        let removed = session.remove(&listed[..60], Removal::Delete).await.expect("marks");
        assert_eq!(removed.gone, listed[..60]);
        match quits {
            true => session.close().await.expect("deleted"),
            false => drop(session),
        }
    }
    assert_eq!(listing(&server, "INBOX").await.len(), 40);
}
