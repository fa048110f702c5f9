//! Servers that misbehave while archived copies are deleted on them. Whatever they do, a message that is gone from the
//! server is in the archives, and one that is flagged stays.

use crate::{
    hostile::case::{AT_ONCE, Held, Kept, appliance_with, archive, mailbox, profile, run_of},
    mailserver::{Fault, Mailbox, Protocol, Server, at},
    support::{
        appliance::number,
        cases::{panic_of, side_by_side},
    },
};

const DELETING: &str = "[profile.delete]\nwhen = \"archived\"\n";

/// The message that is flagged, over IMAP.
const FLAGGED: u32 = 2;

struct Deletion {
    what: &'static str,
    protocol: Protocol,
    faults: Vec<Fault>,
    capabilities: Option<&'static [&'static str]>,
    /// The first run's exit code.
    exit: i32,
    says: &'static [&'static str],
    /// Messages that somebody else removes.
    removed: &'static [u32],
}

fn imap(what: &'static str, faults: impl IntoIterator<Item = Fault>) -> Deletion {
    Deletion {
        what,
        protocol: Protocol::Imap,
        faults: faults.into_iter().collect(),
        capabilities: None,
        exit: 0,
        says: &[],
        removed: &[],
    }
}

fn pop3(what: &'static str, faults: impl IntoIterator<Item = Fault>) -> Deletion {
    Deletion {
        protocol: Protocol::Pop3,
        ..imap(what, faults)
    }
}

impl Deletion {
    fn ends(mut self, exit: i32, says: &'static [&'static str]) -> Self {
        (self.exit, self.says) = (exit, says);
        self
    }

    fn play(self) {
        let what = self.what;
        let server = Server::start(self.protocol, mailbox());
        let flagged = self.protocol == Protocol::Imap;
        if flagged {
            let flag = |mailbox: &mut Mailbox| mailbox.message(FLAGGED).flags.insert("\\Flagged".into());
            server.mailbox(flag);
        }
        if let Some(capabilities) = self.capabilities {
            server.capabilities(capabilities);
        }
        let mut held = Held::default();
        held.remember(&server, self.protocol);
        server.misbehave(self.faults);
        let appliance = appliance_with(profile(self.protocol, server.port, "3s"), DELETING);
        let outcome = archive(&appliance);
        held.remember(&server, self.protocol);
        assert!(
            server.played(),
            "{what}: the fault was never met; heard {:#?}",
            server.heard()
        );
        assert_eq!(
            outcome.code,
            Some(self.exit),
            "{what}: {}\n{}",
            outcome.text(),
            outcome.stderr
        );
        let run = run_of(&appliance, outcome);
        for words in self.says {
            assert!(
                run["errors"].to_string().contains(words),
                "{what}: no {words:?} in {run:#}"
            );
        }
        let stands = |id: u32| server.mailbox(|mailbox| mailbox.messages().any(|one| one.id == id));
        // What still stands may be missing; what is gone may not, unless somebody else removed it.
        let missing: Vec<u32> = (1..=20).filter(|id| stands(*id) || self.removed.contains(id)).collect();
        let kept = Kept::of(&appliance);
        held.assert_unaltered(&kept);
        held.assert_complete(&kept, &missing);
        assert!(!flagged || stands(FLAGGED), "{what}: a flagged message is gone");

        server.behave();
        let outcome = archive(&appliance).expect(0);
        run_of(&appliance, outcome);
        held.assert_complete(&Kept::of(&appliance), self.removed);
        let left: Vec<u32> = server.mailbox(|mailbox| mailbox.messages().map(|one| one.id).collect());
        let staying: &[u32] = if flagged { &[FLAGGED] } else { &[] };
        assert_eq!(left, staying, "{what}: all else is deleted in the end");
        let third = archive(&appliance).expect(0);
        let run = run_of(&appliance, third);
        assert_eq!(
            (number(&run, "seen"), number(&run, "deleted")),
            (0, 0),
            "{what}: {run:#}"
        );
    }
}

fn play(cases: impl IntoIterator<Item = Deletion, IntoIter: Send>) {
    let failed = side_by_side(cases, AT_ONCE, |case| panic_of(|| case.play()));
    let failed: Vec<String> = failed.into_iter().flatten().collect();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

#[test]
fn imap_servers_that_misbehave_at_deletion_lose_nothing() {
    let cases = [
        imap("an honest server", []),
        imap("the connection is cut behind STORE", [at("STORE").once().cut(0)]),
        imap("the connection is cut behind EXPUNGE", [at("EXPUNGE").once().cut(0)]),
        imap("silence at EXPUNGE", [at("EXPUNGE").once().hang(0)]),
        imap(
            "STORE is refused",
            [at("STORE").instead("{tag} NO [CANNOT] not here\r\n")],
        )
        .ends(1, &["not here"]),
        imap(
            "EXPUNGE is refused, though all is expunged",
            [at("EXPUNGE").instead("{tag} NO [LIMIT] not now\r\n")],
        ),
        imap(
            "SELECT gives the folder for reading only",
            [at("SELECT").replace("READ-WRITE", "READ-ONLY")],
        )
        .ends(1, &["READ-ONLY"]),
        imap(
            "the folder is made anew before the deletion",
            [at("SELECT").once().meanwhile(|mailbox| {
                let inbox = mailbox.inbox();
                inbox.messages.reverse();
                inbox.renumber();
            })],
        ),
        imap(
            "a message is flagged between the look and the mark",
            [
                at("STORE").once().meanwhile(|mailbox| {
                    mailbox.message(4).flags.insert("\\Flagged".into());
                }),
                at("LOGOUT").perhaps().meanwhile(|mailbox| {
                    mailbox.message(4).flags.remove("\\Flagged");
                }),
            ],
        ),
        imap(
            "flags are forgotten: what is marked is not marked",
            [at("EXPUNGE").once().meanwhile(|mailbox| {
                for message in &mut mailbox.inbox().messages {
                    message.flags.remove("\\Deleted");
                }
            })],
        )
        .ends(1, &["not deleted"]),
        Deletion {
            removed: &[3],
            ..imap(
                "a message is removed by another client meanwhile",
                [at("STORE").once().meanwhile(|mailbox| mailbox.remove(3))],
            )
        },
        Deletion {
            capabilities: Some(&["IMAP4rev1"]),
            ..imap("without UIDPLUS", [])
        },
    ];
    play(cases);
}

#[test]
fn pop3_servers_that_misbehave_at_deletion_lose_nothing() {
    let cases = [
        pop3("an honest server", []),
        pop3("the connection is cut at DELE", [at("DELE").naming(4).once().cut(0)]),
        pop3("DELE is refused", [at("DELE").naming(4).instead("-ERR locked\r\n")]).ends(1, &["locked"]),
        pop3("QUIT is answered by closing", [at("QUIT").cut(0)]).ends(1, &[]),
        pop3(
            "QUIT is refused, though all is deleted",
            [at("QUIT").instead("-ERR some deleted messages not removed\r\n")],
        )
        .ends(1, &["not removed"]),
        pop3(
            "UIDLs name other messages when it comes to deleting",
            [
                at("PASS").nth(2).perhaps().meanwhile(swap_uidls),
                at("RSET").perhaps().meanwhile(swap_uidls),
            ],
        ),
    ];
    play(cases);
}

/// The UIDLs of two messages change places.
fn swap_uidls(mailbox: &mut Mailbox) {
    let (one, other) = (mailbox.message(3).uidl.clone(), mailbox.message(4).uidl.clone());
    (mailbox.message(3).uidl, mailbox.message(4).uidl) = (other, one);
}
