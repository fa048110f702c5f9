use super::super::Named;
use super::*;
use crate::config::{EnvelopeAt, Recipients, Wrapping};

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

/// The MX and fetchmail both write `for`, and the upper one names the mailbox, which counts nowhere.
#[test]
fn the_recipient_was_not_found_where_our_second_server_named_it() {
    let honest = "Received: from imap by localhost for <box@example.com> (single-drop); Mon\n\
                  Received: from x by mx for <jane@example.com>; Mon\n";
    let rest = "Received: from pc by mx.sender.example for <bob@example.com>; Mon\nTo: undisclosed-recipients:;\n\n";
    let with = |middle: &str, trusted| {
        found(&format!("{honest}{middle}{rest}"), |recipients| {
            recipients.trusted_received = trusted
        })
        .0
    };
    assert_eq!(with("", 0), [""; 0]);
    assert_eq!(with("", 1), ["Received jane@example.com"]);
    let forged = "Delivered-To: bob@example.com\n";
    assert_eq!(
        with(forged, 1),
        ["Received jane@example.com"],
        "below the edge nothing counts"
    );
    assert_eq!(with("", 2), [""; 0], "two are named, and one is the sender's");
    assert_eq!(with("", usize::MAX), [""; 0]);
}

#[test]
fn a_senders_resent_field_took_a_message_from_those_in_to() {
    let message = "To: a@example.com\nCc: b@example.com\nResent-To: r@example.com\nResent-Cc: s@example.com\n\n";
    let all = [
        "Resent-To r@example.com",
        "Resent-Cc s@example.com",
        "To a@example.com",
        "Cc b@example.com",
    ];
    assert_eq!(recipients(message), all);
    let twice = "Resent-To: r@example.com\nReceived: x\nResent-To: older@example.com\nTo: a@example.com\n\n";
    assert_eq!(recipients(twice), ["Resent-To r@example.com", "To a@example.com"]);
    let to_the_mailbox = twice.replacen("r@", "box@", 1);
    assert_eq!(
        recipients(&to_the_mailbox),
        ["Resent-To older@example.com", "To a@example.com"]
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

/// Postfix writes the quotes, Exim's `$local_part@$domain` does not; anybody chooses what stands there.
#[test]
fn a_recipients_own_name_looked_like_several_recipients() {
    for value in [
        "x,bob@example.com",
        "x>, bob@example.com, <y@example.com",
        "a bob@example.com",
        "bob@example.com <y@example.com>",
        "Bob: bob@example.com;",
    ] {
        let message = format!("X-Envelope-To: {value}\nReceived: by mx for \"{value}\"@example.com; Mon\n\n");
        assert!(
            !recipients(&message).contains(&"X-Envelope-To bob@example.com".into()),
            "{value}"
        );
    }
    let quoted = "X-Envelope-To: \"x,bob\"@example.com, Jane <jane@example.com>, <c@example.com> (x)\nReceived: x\n\n";
    let all = [
        "X-Envelope-To \"x,bob\"@example.com",
        "X-Envelope-To jane@example.com",
        "X-Envelope-To c@example.com",
    ];
    assert_eq!(recipients(quoted), all);
}

mod at_the_end {
    use super::*;

    fn of(header: &str) -> Vec<String> {
        found(header, |recipients| recipients.envelope_at = EnvelopeAt::End).0
    }

    #[test]
    fn the_last_field_alone_counts() {
        let last =
            "Received: x\nX-Envelope-To: forged@example.com\nTo: t@example.com\nX-Envelope-To: a@example.com\n\nbody\n";
        assert_eq!(of(last), ["X-Envelope-To a@example.com"]);
        let above = "X-Envelope-To: a@example.com\nReceived: x\nTo: t@example.com\n\n";
        assert_eq!(of(above), ["To t@example.com"]);
        let not_last = "Received: x\nTo: t@example.com\nX-Envelope-To: forged@example.com\nSubject: x\n\n";
        assert_eq!(of(not_last), ["To t@example.com"]);
        let of_another_name = "Received: x\nX-Envelope-To: forged@example.com\nEnvelope-To: a@example.com\n\n";
        assert_eq!(of(of_another_name), ["Envelope-To a@example.com"]);
        let no_envelope = "Received: x\nX-Envelope-To: forged@example.com\nTo: t@example.com\n\n";
        assert_eq!(of(no_envelope), ["To t@example.com"]);
    }

    #[test]
    fn where_it_does_not_count_that_is_noted() {
        let noted = |message: &str, change: fn(&mut Recipients)| {
            let mut recipients = Recipients::default();
            change(&mut recipients);
            let rules = Rules::new(&recipients, "box@example.com");
            rules
                .find(&Mail::plain(&Header::scan(message.as_bytes())))
                .ends_with_envelope
        };
        let last = "Received: x\nTo: t@example.com\nX-Envelope-To: a@example.com\n\n";
        assert!(noted(last, |_| {}));
        assert!(!noted(last, |recipients| recipients.envelope_at = EnvelopeAt::End));
        assert!(!noted(last, |recipients| recipients.steps = Use::Headers));
        assert!(!noted(&format!("Delivered-To: b@example.com\n{last}"), |_| {}));
        assert!(noted(&format!("Delivered-To: box@example.com\n{last}"), |_| {}));
        assert!(!noted(&last.replace("a@", "box@"), |_| {}));
        assert!(!noted(&last.replace(": x", ": by x for <a@example.com>; Mon"), |_| {}));
        assert!(!noted(
            "Received: x\nX-Envelope-To: a@example.com\nTo: t@example.com\n\n",
            |_| {}
        ));
    }

    #[test]
    fn fields_of_one_name_stand_together() {
        let both = "Received: x\nTo: t@example.com\nX-Envelope-To: a@example.com\nX-Envelope-To: b@example.com\n\n";
        assert_eq!(of(both), ["X-Envelope-To a@example.com", "X-Envelope-To b@example.com"]);
        let parted = both.replace("X-Envelope-To: b", "Subject: x\nX-Envelope-To: b");
        assert_eq!(of(&parted), ["X-Envelope-To b@example.com"]);
    }

    #[test]
    fn the_senders_own_last_field_counted_beside_the_servers() {
        let ends = |fields: &str| {
            of(&format!(
                "Received: by mx for <a@example.com>; Mon\nTo: t@example.com\n{fields}\n"
            ))
        };
        let forged = "X-Envelope-To: forged@example.com\nX-Envelope-To: a@example.com\n";
        assert_eq!(ends(forged), ["X-Envelope-To a@example.com"]);
        let refused = "X-Envelope-To: a@example.com\nX-Envelope-To: refused@example.net\n";
        assert_eq!(
            ends(refused),
            ["X-Envelope-To a@example.com"],
            "a second recipient was refused"
        );
        let of_a_list = "X-Envelope-To: forged@example.com\nX-Envelope-To: member@example.com\n";
        assert_eq!(ends(of_a_list), ["X-Envelope-To member@example.com"]);
        let several = "X-Envelope-To: forged@example.com,y@example.com\n";
        assert_eq!(ends(several), ["Received a@example.com"]);
    }

    /// The server's header may go on where ours ends, and so may one that is cut off.
    #[test]
    fn the_end_of_a_header_that_is_none_was_trusted() {
        let forged = "Received: x\nTo: t@example.com\nX-Envelope-To: forged@example.com\n";
        assert_eq!(of(&format!("{forged}no field\n\n")), ["To t@example.com"]);
        let without_received = "To: t@example.com\nX-Envelope-To: forged@example.com\n\n";
        assert_eq!(of(without_received), ["To t@example.com"]);
        assert_eq!(
            of(forged),
            ["X-Envelope-To forged@example.com"],
            "a header can be all that there is"
        );
    }

    #[test]
    fn what_a_mail_store_put_behind_hid_the_field() {
        let stored = "Received: x\nX-Envelope-To: a@example.com\nStatus: RO\nX-UID: 5\nContent-Length: 9\n\n";
        assert_eq!(of(stored), ["X-Envelope-To a@example.com"]);
        let between = "Received: x\nX-Envelope-To: forged@example.com\nStatus: RO\nX-Envelope-To: a@example.com\n\n";
        assert_eq!(of(between), ["X-Envelope-To a@example.com"]);
    }
}

/// An archive's address with the recipient in it, and VERP.
#[test]
fn an_address_within_the_mailboxs_own_named_nobody() {
    let unwrap = |message: &str, list: &[&str]| {
        let list = list.iter().map(|text| Wrapping::parse(text).unwrap()).collect();
        found(message, |recipients| recipients.unwrap = list).0
    };
    let journal = &["all+{local}={domain}@example.com"][..];
    let envelope = "Delivered-To: all+bob=example.net@example.com\nReceived: x\nTo: t@example.com\n\n";
    assert_eq!(unwrap(envelope, journal), ["Delivered-To bob@example.net"]);
    assert_eq!(unwrap(envelope, &[]), ["To t@example.com"]);
    let received = "Received: by mx for <all+bob=example.net@example.com>; Mon\n\n";
    assert_eq!(unwrap(received, journal), ["Received bob@example.net"]);
    let written_by_the_sender = "Received: x\nTo: all+bob=example.net@example.com\n\n";
    assert_eq!(unwrap(written_by_the_sender, journal), [""; 0]);
    let the_mailbox = "Delivered-To: all+box=example.com@example.com\nReceived: x\nTo: t@example.com\n\n";
    assert_eq!(unwrap(the_mailbox, journal), ["To t@example.com"]);
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

#[test]
fn the_senders_own_last_field_counted_where_for_names_the_mailbox() {
    for above in ["", "Received: by lmtp with LMTP\n"] {
        let message = format!(
            "{above}Received: by mx for <all@example.com>; Mon\nTo: c@example.com\nX-Envelope-To: b@example.com\n\
             X-Envelope-To: a@example.com\n\n"
        );
        let end = |recipients: &mut Recipients| {
            recipients.envelope_at = EnvelopeAt::End;
            recipients.trusted_received = above.len().min(1);
        };
        assert_eq!(found(&message, end).0, ["X-Envelope-To a@example.com"]);
    }
}
