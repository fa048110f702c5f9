//! A link that breaks again and again, or is long and narrow, between an honest server and the program.

use std::time::Duration;

use crate::hostile::{
    case::{Held, Kept, appliance, archive, message, run_of},
    mailserver::{Mailbox, Protocol, Server},
    support::{
        appliance::number,
        proxy::{Link, Proxy},
    },
};

/// Messages of about 2 to 5 KB; the numbers give each a text of its own.
fn mailbox() -> Mailbox {
    Mailbox::with((1..=150).map(|number| message(number, number as usize % 40)))
}

#[test]
fn a_link_that_breaks_again_and_again_costs_nothing_but_time() {
    for protocol in [Protocol::Imap, Protocol::Pop3] {
        let server = Server::start(protocol, mailbox());
        let mut held = Held::default();
        held.remember(&server, protocol);
        let link = Proxy::to(server.port);
        // In greetings and logins, in listings, and in messages, ever later.
        let cuts: Vec<u64> = [5, 60, 400, 3_000]
            .into_iter()
            .chain((1..8).map(|number| 15_000 + 4_321 * number))
            .collect();
        link.cut_each_after(cuts.clone());
        let appliance = appliance(protocol, link.port, "20s");
        // What cannot be reached at all ends a run at once; then another one is begun.
        let mut runs = 0;
        while {
            let outcome = archive(&appliance);
            let code = outcome.code;
            let run = run_of(&appliance, outcome);
            runs += 1;
            assert!(runs <= cuts.len(), "it never gets through: {run:#}");
            code != Some(0)
        } {}
        assert_eq!(link.cuts_left(), 0, "each cut was met");
        assert!(runs < 8, "{runs} runs: connections are not made again within a run");
        let kept = Kept::of(&appliance);
        held.assert_unaltered(&kept);
        held.assert_complete(&kept, &[]);
        let last = archive(&appliance).expect(0);
        assert_eq!(number(&run_of(&appliance, last), "seen"), 0);
    }
}

#[test]
fn a_long_and_narrow_link_is_slow_and_not_silent() {
    for protocol in [Protocol::Imap, Protocol::Pop3] {
        let server = Server::start(protocol, mailbox());
        let mut held = Held::default();
        held.remember(&server, protocol);
        let link = Proxy::over(
            server.port,
            Link {
                round_trip: Duration::from_millis(300),
                rate: Some(60_000),
            },
        );
        // All of it takes longer than the time-out; no two bytes of it do.
        let appliance = appliance(protocol, link.port, "5s");
        let outcome = archive(&appliance).expect(0);
        assert!(outcome.took > Duration::from_secs(5), "{:?}", outcome.took);
        run_of(&appliance, outcome);
        let kept = Kept::of(&appliance);
        held.assert_unaltered(&kept);
        held.assert_complete(&kept, &[]);
        assert_eq!(link.connections(), 1);
    }
}
