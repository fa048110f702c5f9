use super::super::Named;
use super::*;
use crate::config::Recipients;

fn found(message: &str, change: impl FnOnce(&mut Recipients)) -> (Vec<String>, Vec<String>) {
    let mut recipients = Recipients {
        own_addresses: vec!["all@example.com".into()],
        ..Recipients::default()
    };
    change(&mut recipients);
    let message = message.replace('\n', "\r\n");
    let found = Rules::new(&recipients, "box@example.com").find(&Mail::plain(&Header::scan(message.as_bytes())));
    let list = |named: Vec<Named>| {
        named
            .iter()
            .map(|one| format!("{} {}", one.field, one.address))
            .collect()
    };
    (list(found.recipients), list(found.senders))
}

fn recipients(message: &str) -> Vec<String> {
    found(message, |_| {}).0
}

#[test]
fn an_envelope_field_of_our_own_server_decides() {
    let message = "Delivered-To: a@example.com\nDelivered-To: b@example.com\nX-Original-To: box@example.com\n\
                   Received: x\nTo: c@example.com\n\n";
    assert_eq!(
        recipients(message),
        ["Delivered-To a@example.com", "Delivered-To b@example.com"]
    );
}

#[test]
fn an_envelope_field_that_the_sender_may_have_written_does_not_count() {
    let forged = "Received: ours\nDelivered-To: boss@example.com\nReceived: forged\nTo: c@example.com\n\n";
    assert_eq!(recipients(forged), ["To c@example.com"]);
    let without_received = "Delivered-To: boss@example.com\nTo: c@example.com\n\n";
    assert_eq!(recipients(without_received), ["To c@example.com"]);
    let trusting = found(forged, |recipients| recipients.trusted_received = 1).0;
    assert_eq!(trusting, ["Delivered-To boss@example.com"]);
}

#[test]
fn the_first_field_of_the_list_with_an_address_wins() {
    let message =
        "Delivered-To: d@example.com\nX-Envelope-To: all@example.com\nX-Original-To: o@example.com\nReceived: x\n\n";
    assert_eq!(recipients(message), ["X-Original-To o@example.com"]);
}

#[test]
fn received_names_one_recipient_or_none() {
    let one = "Received: from a (for <x@example.com>) by b\n\tid 1 for <c@example.com>; Mon, 1 Jan 2026\nTo: d@example.com\n\n";
    assert_eq!(recipients(one), ["Received c@example.com"]);
    let two = "Received: by b for <c@example.com>,<e@example.com>; Mon\nTo: d@example.com\n\n";
    assert_eq!(recipients(two), ["To d@example.com"]);
    let lower = "Received: by b; Mon\nReceived: by c for <boss@example.com>; Mon\nTo: d@example.com\n\n";
    assert_eq!(recipients(lower), ["To d@example.com"]);
}

#[test]
fn resent_fields_come_before_the_others() {
    let message = "To: a@example.com\nCc: b@example.com\nResent-To: r@example.com\nResent-Cc: s@example.com\n\n";
    assert_eq!(
        recipients(message),
        ["Resent-To r@example.com", "Resent-Cc s@example.com"]
    );
    let message = "To: a@example.com\nCc: B@Example.com\nBcc: c@example.com\nApparently-To: d@example.com\n\n";
    let all = [
        "To a@example.com",
        "Cc b@example.com",
        "Bcc c@example.com",
        "Apparently-To d@example.com",
    ];
    assert_eq!(recipients(message), all);
}

#[test]
fn steps_can_be_chosen() {
    let message = "Delivered-To: a@example.com\nReceived: by b for <c@example.com>; Mon\nTo: d@example.com\n\n";
    let with = |steps| found(message, |recipients| recipients.steps = steps).0;
    assert_eq!(with(Use::Auto), ["Delivered-To a@example.com"]);
    assert_eq!(with(Use::Envelope), ["Delivered-To a@example.com"]);
    assert_eq!(with(Use::Headers), ["To d@example.com"]);
    assert_eq!(
        with(Use::All),
        [
            "Delivered-To a@example.com",
            "Received c@example.com",
            "To d@example.com"
        ]
    );
}

#[test]
fn senders_are_found_unless_they_are_not_wanted() {
    let message = "From: Jane <jane@example.com>\nSender: s@example.com\nTo: d@example.com\n\n";
    assert_eq!(
        found(message, |_| {}).1,
        ["From jane@example.com", "Sender s@example.com"]
    );
    assert!(found(message, |recipients| recipients.senders = false).1.is_empty());
}

#[test]
fn an_address_that_was_named_twice_counted_twice() {
    let message = "To: c@example.com, d@example.com, \"C\"@Example.com\nCc: d@example.com\nFrom: e@example.com\n\
                   Sender: e@example.com\n\n";
    let (recipients, senders) = found(message, |_| {});
    assert_eq!(recipients, ["To c@example.com", "To d@example.com"]);
    assert_eq!(senders, ["From e@example.com"]);
}

#[test]
fn the_mailboxs_own_address_counted_when_it_had_a_tag() {
    let message = "Delivered-To: all+spam@example.com\nReceived: x\nTo: c@example.com\n\n";
    assert_eq!(recipients(message), ["To c@example.com"]);
    let untagged = found(message, |recipients| recipients.plus_addressing = false).0;
    assert_eq!(untagged, ["Delivered-To all+spam@example.com"]);
}
