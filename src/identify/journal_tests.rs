use base64::Engine;
use proptest::prelude::*;

use super::*;
use crate::identify::Named;

const OUTER: &str = "From: Exchange <exchange@example.com>\nTo: journal@example.com\nX-MS-Journal-Report:\n\
                     Content-Type: multipart/mixed; boundary=\"b\"\nReceived: x\n\n";

/// Whom a report names, and what it encloses.
#[derive(Debug, PartialEq)]
struct Read {
    recipients: Vec<String>,
    senders: Vec<String>,
    enclosed: Option<Enclosed>,
}

fn report(body: &str) -> Option<Read> {
    let message = format!("{OUTER}{body}");
    let report = JournalReport::read(message.as_bytes(), &Header::scan(message.as_bytes()))?;
    let (mut recipients, mut senders) = (Vec::new(), Vec::new());
    let push = |list: &mut Vec<String>, one: Named| {
        list.push(format!("{} {}", one.field, one.address));
        ControlFlow::Continue(())
    };
    assert!(
        report
            .each_recipient(&mut |one| push(&mut recipients, one))
            .is_continue()
    );
    assert!(report.each_sender(&mut |one| push(&mut senders, one)).is_continue());
    Some(Read {
        recipients,
        senders,
        enclosed: report.enclosed,
    })
}

#[test]
fn the_envelope_names_recipients_and_senders_in_its_order() {
    let envelope = "Sender: jane@example.com\nOn-Behalf-Of: \"Boss, The\" <boss@example.com>\nSubject: To: x@example.org\n\
                    Message-ID: <1@example.com>\nTo: \"Doe, Jim\" <jim@example.com>, Expanded: Sales <sales@example.com>\n\
                    Bcc: new@example.com, Forwarded: old@example.com\nrecipient: r@example.com\nCc: c@example.com\n";
    let report = report(&format!("--b\nContent-Type: text/plain\n\n{envelope}\n--b--\n")).unwrap();
    assert_eq!(
        report.recipients,
        [
            "Journal-To jim@example.com",
            "Journal-Expanded sales@example.com",
            "Journal-Bcc new@example.com",
            "Journal-Forwarded old@example.com",
            "Journal-Recipient r@example.com",
            "Journal-Cc c@example.com",
        ]
    );
    assert_eq!(
        report.senders,
        [
            "Journal-Sender jane@example.com",
            "Journal-On-Behalf-Of boss@example.com"
        ]
    );
    assert_eq!(report.enclosed, None);
}

#[test]
fn the_enclosed_message_is_given_out_exactly() {
    let envelope = "--b\nContent-Type: text/plain\n\nSender: a@example.com\n--b\n";
    let enclosed = |part: &str| {
        let message = format!("{OUTER}{envelope}{part}");
        let report = JournalReport::read(message.as_bytes(), &Header::scan(message.as_bytes())).unwrap();
        match report.enclosed.unwrap() {
            Enclosed::At(range) => message[range].to_owned(),
            Enclosed::Decoded(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
        }
    };
    let plain = "Content-Type: message/rfc822\n\nSubject: x\n\nhello\n\n--b--\n";
    assert_eq!(enclosed(plain), "Subject: x\n\nhello\n");
    let base64 = "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeAoKaGk=\n--b--\n";
    assert_eq!(enclosed(base64), "Subject: x\n\nhi");
    let behind_another = "Content-Type: text/html\n\n<p>\n--b\nContent-Type: message/rfc822\n\nSubject: y\n--b--";
    assert_eq!(enclosed(behind_another), "Subject: y");
    let cut_short = "Content-Type: message/rfc822\n\nSubject: z\n\nhello";
    assert_eq!(enclosed(cut_short), "Subject: z\n\nhello");
}

#[test]
fn a_name_or_a_folded_line_named_a_recipient() {
    let envelope = "Subject: hello\r\n To: boss@example.com\r\nTo: \"x, Expanded: boss@example.com, y\" <jim@example.com>,\r\n \
                    Expanded: sales@example.com\r\nCc: a@example.com,\r\n\tb@example.com\r\n";
    let report = report(&format!("--b\nContent-Type: text/plain\n\n{envelope}\n--b--\n")).unwrap();
    let expected = [
        "Journal-To jim@example.com",
        "Journal-Expanded sales@example.com",
        "Journal-Cc a@example.com",
        "Journal-Cc b@example.com",
    ];
    assert_eq!(report.recipients, expected);
}

#[test]
fn all_empty_enclosures_were_one_message() {
    let envelope = "--b\nContent-Type: text/plain\n\nSender: a@example.com\n--b\n";
    let report = report(&format!("{envelope}Content-Type: message/rfc822\n\n\n--b--\n")).unwrap();
    assert_eq!(report.enclosed, None);
}

#[test]
fn what_only_looks_like_a_report_is_none() {
    for body in [
        "",
        "--b\n\nnothing\n--b--\n",
        "--b\nContent-Type: text/html\n\nSender: a@example.com\n--b--\n",
        "--b\nContent-Type: text/plain\n\nSender: nobody\nTo:\n--b--\n",
        "--c\nContent-Type: text/plain\n\nSender: a@example.com\n--c--\n",
    ] {
        assert_eq!(report(body), None, "{body}");
    }
    let unmarked = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nSender: a@example.com\n--b--\n";
    assert_eq!(
        JournalReport::read(unmarked.as_bytes(), &Header::scan(unmarked.as_bytes())),
        None
    );
}

fn read(message: &str) -> Option<Vec<String>> {
    let report = JournalReport::read(message.as_bytes(), &Header::scan(message.as_bytes()))?;
    let mut named = Vec::new();
    let all = report.each_recipient(&mut |one| {
        named.push(one.address.to_string());
        ControlFlow::Continue(())
    });
    assert!(all.is_continue());
    Some(named)
}

#[test]
fn a_report_with_another_mark_was_none() {
    for mark in [
        "X-MS-Journal-Report:",
        "x-ms-exchange-organization-journal-report: ",
        "Content-Identifier: ExJournalReport",
        "Content-Identifer: exjournalreport",
    ] {
        let message = format!(
            "{mark}\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nTo: a@example.com\n--b\nContent-Type: \
             message/rfc822\n\nTo: x\n--b--\n"
        );
        assert_eq!(read(&message), Some(vec!["a@example.com".to_owned()]), "{mark}");
    }
    let other =
        "Content-Identifier: other\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nTo: a@example.com\n--b--\n";
    assert_eq!(read(other), None);
}

#[test]
fn an_envelope_in_html_or_another_charset_was_not_read() {
    let with = |part: &str| read(&format!("{OUTER}--b\n{part}\n--b--\n"));
    let found = Some(vec!["a@example.com".to_owned(), "b@example.com".to_owned()]);
    let html = "<html><body>Sender: x@example.com<br>To: &lt;a@example.com&gt;<br>\r\nBcc: &quot;B&quot; b@example.com</body></html>";
    assert_eq!(
        with(&format!("Content-Type: text/html; charset=utf-8\n\n{html}")),
        found
    );
    assert_eq!(
        with(&format!(
            "Content-Type: multipart/alternative; boundary=i\n\n--i\nContent-Type: text/plain\n\n \n--i\nContent-Type: \
             text/html\n\n{html}\n--i--"
        )),
        found
    );
    let text = "Sender: x@example.com\r\nTo: a@example.com\r\nBcc: b@example.com\r\n";
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for (charset, bytes) in [
        ("utf-16", [&[0xff, 0xfe], &little[..]].concat()),
        ("UTF-16", [&[0xfe, 0xff], &big[..]].concat()),
        ("utf-16le", little.clone()),
        ("utf-16be", big.clone()),
        ("unicode", little),
        ("us-ascii", big),
        // The second byte of a letter that is a backslash in ASCII.
        (
            "shift_jis",
            b"To: \"\x95\x5c\" <a@example.com>\r\nBcc: b@example.com".to_vec(),
        ),
    ] {
        let encoded = in_base64(&bytes);
        let part =
            format!("Content-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: base64\n\n{encoded}");
        assert_eq!(with(&part), found, "{charset}");
    }
}

fn in_base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[test]
fn a_report_that_was_returned_is_told_and_not_opened() {
    let report = "X-MS-Journal-Report:\nContent-Type: multipart/mixed; boundary=r\n\n--r\n\nTo: a@example.com\n--r--\n";
    let returned = |mark: &str, kind: &str, content: &str| {
        format!(
            "{mark}Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nTo: x@example.com\n--b\n\
             Content-Type: message/delivery-status\n\nAction: failed\n--b\nContent-Type: {kind}\n\n{content}\n--b--\n"
        )
    };
    let is_returned = |message: &str| {
        let header = Header::scan(message.as_bytes());
        assert_eq!(JournalReport::read(message.as_bytes(), &header), None);
        JournalReport::may_be(&header) && JournalReport::is_returned(message.as_bytes(), &header)
    };
    let encoded = in_base64(report.as_bytes());
    assert!(is_returned(&returned("", "message/rfc822", report)));
    assert!(is_returned(&returned(
        "X-MS-Journal-Report:\n",
        "message/rfc822",
        report
    )));
    assert!(is_returned(&returned("", "text/rfc822-headers", report)));
    assert!(is_returned(&returned(
        "",
        "message/rfc822\nContent-Transfer-Encoding: base64",
        &encoded
    )));
    assert!(!is_returned(&returned(
        "",
        "message/rfc822",
        "Subject: x\n\nX-MS-Journal-Report:\n"
    )));
    assert!(!is_returned(&returned("", "text/plain", report)));
    assert!(!is_returned(&format!(
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\n{report}\n--b--\n"
    )));
}

#[test]
fn an_envelope_is_read_in_any_encoding() {
    let quoted = "--b\nContent-Type: multipart/alternative; boundary=i\n\n--i\nContent-Type: text/plain; charset=utf-8\n\
                  Content-Transfer-Encoding: quoted-printable\n\nTo: J=C3=BCrgen <jue=\nrgen@example.com>\n--i--\n--b--\n";
    assert_eq!(report(quoted).unwrap().recipients, ["Journal-To juergen@example.com"]);
    let base64 =
        "--b\nContent-Type: text/plain\nContent-Transfer-Encoding: BASE64\n\n77u/VG86IGFAZXhhbXBsZS5jb20NCg==\n--b--\n";
    assert_eq!(report(base64).unwrap().recipients, ["Journal-To a@example.com"]);
}

proptest! {
    #[test]
    fn any_report_is_read(lines in prop::collection::vec(0..LINES.len(), 0..30)) {
        let body: Vec<_> = lines.iter().map(|line| LINES[*line]).collect();
        let message = format!("{OUTER}{}", body.join("\n"));
        if let Some(report) = JournalReport::read(message.as_bytes(), &Header::scan(message.as_bytes()))
            && let Some(Enclosed::At(range)) = report.enclosed
        {
            prop_assert!(range.start <= range.end && range.end <= message.len());
        }
    }
}

const LINES: [&str; 12] = [
    "--b",
    "--b--",
    "",
    "Content-Type: text/plain",
    "Content-Type: message/rfc822",
    "Content-Type: multipart/mixed; boundary=b",
    "Content-Transfer-Encoding: base64",
    "Content-Transfer-Encoding: quoted-printable",
    "Sender: a@example.com",
    "To: b@example.com, Expanded: c@example.com, Forwarded:, Expanded",
    "=",
    "U3Vi",
];
