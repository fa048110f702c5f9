use super::*;

fn named(envelope: &str) -> (Vec<String>, Vec<String>) {
    let (mut recipients, mut senders) = (Vec::new(), Vec::new());
    let push = |list: &mut Vec<String>, one: Named| {
        list.push(format!("{} {}", one.field.trim_start_matches("Journal-"), one.address));
        ControlFlow::Continue(())
    };
    let all = each_recipient(envelope.as_bytes(), &mut |one| push(&mut recipients, one));
    assert!(all.is_continue());
    let all = each_sender(envelope.as_bytes(), &mut |one| push(&mut senders, one));
    assert!(all.is_continue());
    (recipients, senders)
}

fn recipients(envelope: &str) -> Vec<String> {
    named(envelope).0
}

#[test]
fn recipients_behind_one_label_were_not_read() {
    // Exchange 2003.
    let (recipients, senders) = named(
        "Sender: \"Doe, Jane\" <smtp:jane@example.com>\r\nMessage-ID: <1@example.com>\r\nRecipients: \r\n\"Doe, Jim\" \
         <SMTP:jim@example.com>,\r\n\"A name, \\\"quoted\\\", that is\r\nSender: long <smtp:boss@example.com>\" \
         <smtp:ann@example.com>\r\n<smtp:bob@example.com>\r\n\r\nnobody@example.com\r\n",
    );
    let expected = [
        "Recipient jim@example.com",
        "Recipient ann@example.com",
        "Recipient bob@example.com",
    ];
    assert_eq!(recipients, expected);
    assert_eq!(senders, ["Sender jane@example.com"]);
    // Citadel.
    let (recipients, senders) = named(
        "Sender: jane <jane@example.com>\r\nMessage-ID: <1>\r\nRecipients:\r\n\tjim <jim@example.com>\r\n\tann@example.com\r\n\r\n",
    );
    assert_eq!(recipients, ["Recipient jim@example.com", "Recipient ann@example.com"]);
    assert_eq!(senders, ["Sender jane@example.com"]);
    // Labels in another order, and all on one line.
    let (recipients, senders) =
        named("Recipients: a@example.com, b@example.com\nc@example.com\nSender: d@example.com\n");
    assert_eq!(
        recipients,
        [
            "Recipient a@example.com",
            "Recipient b@example.com",
            "Recipient c@example.com"
        ]
    );
    assert_eq!(senders, ["Sender d@example.com"]);
}

#[test]
fn an_envelope_is_understood_only_where_all_recipients_are_read() {
    for understood in [
        "Sender: a@example.com\nTo: b@example.com\nCc:\n",
        "Sender: a@example.com\nSubject: x@y\nMessage-ID: <1@example.com>\n",
        "Recipients:\n\tb@example.com\n\n",
        "To: b@example.com\nSent: 1 Jan 2026, c@example.com\n",
        "",
    ] {
        assert!(is_understood(understood.as_bytes()), "{understood}");
    }
    for not in [
        "To: b@example.com\nBcc: Bob\n",
        "Sender: a@example.com\nAn: b@example.com\n",
        "Sender: a@example.com\nRecipients:\n\nb@example.com\n",
        "Recipients:\n\"b\" <smtp:b@example.com>\n\"c\" <EX:/o=Example/cn=c>\n",
        "Recipients:\n\"b\" <smtp:b@example.com>\n\"c <smtp:c@example.com>\nd@example.com\n",
    ] {
        assert!(!is_understood(not.as_bytes()), "{not}");
    }
}

#[test]
fn what_an_envelope_ends_with_is_read() {
    for envelope in [
        "To: a@example.com",
        "To:\r\n a@example.com\r\n",
        "\u{feff}\u{feff}TO : <a@example.com>",
    ] {
        assert_eq!(recipients(envelope), ["To a@example.com"], "{envelope}");
    }
    for nobody in [
        "",
        ":",
        "\n\n",
        "x\n To: a@example.com",
        "Recipients:",
        "Recipients",
        "Recipients:\r\n\r\n",
    ] {
        assert_eq!(recipients(nobody), [""; 0], "{nobody}");
    }
}

#[test]
fn a_long_envelope_takes_time_by_its_length() {
    let started = std::time::Instant::now();
    for piece in [
        "\"",
        "\"\n",
        "Recipients:\n",
        "Recipients:\"\n",
        "To:\n",
        "To: \"\n\t",
        ":\n",
        ", Expanded:",
    ] {
        let envelope = format!("Recipients:\n{}", piece.repeat((4 << 20) / piece.len()));
        assert_eq!(recipients(&envelope), [""; 0]);
        is_understood(envelope.as_bytes());
        let envelope = format!("To: {}", piece.repeat((4 << 20) / piece.len()));
        assert_eq!(recipients(&envelope), [""; 0]);
    }
    assert!(started.elapsed() < std::time::Duration::from_secs(60));
}
