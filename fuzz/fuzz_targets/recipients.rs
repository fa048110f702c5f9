//! A message, read by anybody's rules: header, recipients, digests, and their survey.

#![no_main]

use bytes::Bytes;
use dropkeep::{
    config::{Hosts, Journal, Recipients, Use},
    identify::{Header, Identified, Rules, large_leaves},
    message::Address,
};
use dropkeep_fuzz::{Bounded, choices};
use libfuzzer_sys::fuzz_target;

#[global_allocator]
static MEMORY: Bounded = Bounded::new();

fuzz_target!(|input: &[u8]| {
    let ([steps, switches], message) = choices(input);
    let recipients = recipients(steps, switches);
    let rules = Rules::new(&recipients, "all@example.com");
    let message = Bytes::copy_from_slice(message);
    let header = Header::scan(&message);
    let read = Identified::new(message.clone(), None, &rules);
    let survey = rules.overview(&message, &mut |_, _| false);
    assert_eq!(survey.found, read.found);
    assert_eq!(survey.reported, read.journal.reported());
    let leaves = large_leaves(&message);
    assert!(
        leaves
            .iter()
            .all(|leaf| leaf.start <= leaf.end && leaf.end <= message.len())
    );
    assert!(leaves.windows(2).all(|two| two[0].end <= two[1].start), "they overlap");
    let own = |address: &Address| ["all@example.com", "own@b.example"].contains(&address.as_str());
    for named in read.found.recipients.iter().chain(&read.found.senders) {
        assert!(!own(&named.address), "{} is the mailbox's own", named.address);
        assert_eq!(Address::parse(named.address.as_str()).as_ref(), Some(&named.address));
    }
    if !recipients.senders {
        assert!(read.found.senders.is_empty());
    }
    // Copies of one message differ in what delivery adds above what it added before.
    if header
        .fields()
        .next()
        .is_some_and(|field| field.is("Received") && message.starts_with(field.name))
    {
        let delivered = [b"Received: from a by b for <c@d.example>; Mon\r\n", &message[..]].concat();
        let other = Identified::new(delivered.into(), None, &Rules::new(&Recipients::default(), ""));
        let one = Identified::new(message.clone(), None, &Rules::new(&Recipients::default(), ""));
        assert_eq!(other.identity, one.identity);
    }
});

fn recipients(steps: u8, switches: u8) -> Recipients {
    Recipients {
        steps: [Use::Auto, Use::Envelope, Use::Headers, Use::All][usize::from(steps & 3)],
        journal: [Journal::Never, Journal::From, Journal::Always, Journal::Always][usize::from(steps >> 2 & 3)],
        journal_from: ["y.example", "192.0.2.0/24"]
            .into_iter()
            .filter_map(Hosts::parse)
            .collect(),
        trusted_received: usize::from(switches & 3),
        strip_prefix: if switches & 4 == 4 {
            vec!["a.".into(), "c.d".into()]
        } else {
            vec![]
        },
        senders: switches & 8 == 0,
        plus_addressing: switches & 16 == 0,
        own_addresses: vec!["own@b.example".into()],
        ..Recipients::default()
    }
}
