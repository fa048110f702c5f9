use super::*;
use crate::route::addressees;

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

/// Messages, each with whom its envelope names and whom To does. Jane and Bob are known.
fn swallowers_of(messages: &[(&str, &str)], mailbox: &str) -> Vec<String> {
    let mut swallowing = Swallowing::default();
    for (number, (envelope, to)) in messages.iter().enumerate() {
        count(&mut swallowing, number as u64, envelope, to, mailbox);
    }
    assert!(swallowing.counts.len() <= COUNTED && swallowing.recent.len() <= RECENT);
    let found = swallowing.swallowers(mailbox).into_iter();
    found.map(|one| format!("{} {}", one.address, one.swallowed)).collect()
}

fn count(swallowing: &mut Swallowing, twin: u64, envelope: &str, to: &str, mailbox: &str) {
    let is_known = |one: &Address| ["jane@example.com", "bob@example.com"].contains(&one.as_str());
    let envelope = address(envelope);
    let (unresolved, passed) = match is_known(&envelope) {
        true => (Vec::new(), Passed::by(twin)),
        false => {
            let unresolved = vec![envelope];
            let passed = Passed::over(
                twin,
                addressees(format!("To: {to}\n\n").as_bytes()),
                &unresolved,
                is_known,
            );
            (unresolved, passed)
        }
    };
    swallowing.message(&unresolved, &passed, mailbox);
}

const JANES: (&str, &str) = ("jane@example.com", "jane@example.com");

#[test]
fn an_address_of_the_mailbox_itself_that_swallowed_few_messages_was_not_noticed() {
    let few = |of: usize| {
        [
            vec![JANES; of - 3],
            vec![("archive@example.com", "jane@example.com"); 3],
        ]
        .concat()
    };
    assert_eq!(swallowers_of(&few(300), "m4711"), ["archive@example.com 3"]);
    assert!(
        swallowers_of(&few(301), "m4711").is_empty(),
        "less than one in a hundred"
    );
    assert!(swallowers_of(&few(300)[..299], "m4711").is_empty(), "two may be chance");
    // Newsletters, which name nobody, are among its messages.
    let among = [few(100), vec![("archive@example.com", "news@list.example"); 9]].concat();
    assert_eq!(swallowers_of(&among, "m4711"), ["archive@example.com 3"]);
}

#[test]
fn somebody_who_is_not_in_the_directory_is_not_taken_for_the_mailbox() {
    let old = "old@example.com";
    let addressed = [
        vec![JANES; 50],
        vec![(old, old); 10],
        vec![(old, "Jane <jane@example.com>"); 4],
    ];
    assert!(swallowers_of(&addressed.concat(), "m4711").is_empty());
    let listed = [vec![(old, "jane@example.com"); 3], vec![(old, "news@list.example"); 10]];
    assert!(swallowers_of(&listed.concat(), "m4711").is_empty());
}

/// Of mail that a catch-all delivers for each recipient, a blind copy's recipient is named beside whom To names.
#[test]
fn a_copy_of_their_own_shows_that_nothing_was_swallowed() {
    for order in [
        ["jane@example.com", "old@example.com"],
        ["old@example.com", "jane@example.com"],
    ] {
        let mut swallowing = Swallowing::default();
        for twin in 0..50 {
            for envelope in order {
                count(&mut swallowing, twin, envelope, "jane@example.com", "m4711");
            }
        }
        assert_eq!(swallowing.swallowers("m4711"), [], "{order:?}");
    }
}

#[test]
fn forms_of_known_addresses_were_taken_for_the_mailboxs() {
    for form in [
        "all-bob@mx.example.com",
        "bob@example.net",
        "journal+bob=example.com@hoster.example",
    ] {
        let messages = [vec![JANES; 10], vec![(form, "jane@example.com"); 10]].concat();
        assert!(swallowers_of(&messages, "all").is_empty(), "{form}");
    }
}

#[test]
fn an_address_that_is_named_as_the_mailbox_is_takes_less() {
    let few = [
        vec![JANES; 1000],
        vec![("all@mx.example.com", "friends@list.example"); 3],
    ]
    .concat();
    assert_eq!(swallowers_of(&few, "all"), ["all@mx.example.com 3"]);
    assert!(swallowers_of(&few, "m4711").is_empty());
    let addressed = [few, vec![("all@mx.example.com", "all@mx.example.com"); 2]].concat();
    assert!(swallowers_of(&addressed, "all").is_empty());
    assert_eq!(local_part("All@Example.com"), "all");
}

#[test]
fn what_took_the_place_of_others_was_not_seen_to_swallow_much() {
    let guesses: Vec<String> = (0..2000).map(|n| format!("guess{n}@example.com")).collect();
    let guesses: Vec<_> = guesses.iter().map(|one| (one.as_str(), "jane@example.com")).collect();
    assert!(swallowers_of(&guesses, "m4711").is_empty());
    let among: Vec<_> = guesses
        .into_iter()
        .flat_map(|one| [one, ("archive@example.com", "jane@example.com")])
        .collect();
    assert_eq!(swallowers_of(&among, "m4711"), ["archive@example.com 2000"]);
}
