use super::*;

#[test]
fn the_server_is_known_by_the_form_of_its_received_field() {
    for (value, mta) in [
        (
            " from a (a [192.0.2.1])\n\tby mx.example.com (Postfix) with ESMTP id 1\n\tfor <x@example.com>; Mon",
            Some(Mta::Postfix),
        ),
        (
            " by mx.example.com (Postfix, from userid 1000)\n\tid 1; Mon",
            Some(Mta::Postfix),
        ),
        (
            " from [192.0.2.1] (helo=a)\n\tby mx with esmtps (TLS1.3) tls X\n\t(Exim 4.96)\n\tid 1; Mon",
            Some(Mta::Exim),
        ),
        (
            " from a (a [192.0.2.1])\n\tby mx.example.com (8.17.1.9/8.17.1.9/Debian-2) with ESMTP id 1; Mon",
            Some(Mta::Sendmail),
        ),
        (
            " from a (a [192.0.2.1])\n\tby mx (OpenSMTPD) with ESMTP id 1\n\tfor <x@example.com>;\n\tMon",
            Some(Mta::OpenSmtpd),
        ),
        (
            " from a ([::ffff:192.0.2.1])\n  by mx with ESMTP\n  id 00000000000AB001.000000006B0AE322.0000021B; Mon",
            Some(Mta::Courier),
        ),
        (
            " from mx\n\tby mx with LMTP\n\tid AB+tMyHkCmuIAAAAZO51/g:T6\n\t(envelope-from <x@x>); Mon",
            Some(Mta::DovecotLmtp),
        ),
        (
            " from mx ([192.0.2.1])\n\tby mx (Dovecot) with LMTP id abc; Mon",
            Some(Mta::DovecotLmtp),
        ),
        (
            " from mx ([unix socket])\n\t by mx (Cyrus 3.6.1-Debian) with LMTPA;\n\t Mon",
            Some(Mta::CyrusLmtp),
        ),
        (
            " from mx (LHLO mx.example.com) (192.0.2.1) by mx with\n LMTP; Mon",
            Some(Mta::ZimbraLmtp),
        ),
        (" from mx by mx with LMTP id 1; Mon", Some(Mta::OtherLmtp)),
        (
            " from a ([192.0.2.1])\n\tby mx (Haraka/3.0.2) with ESMTP id 1.1\n\tenvelope-from <x@x>;\n\tMon",
            Some(Mta::Haraka),
        ),
        (
            " from [192.0.2.1] (a)\n\tby mx (chasquid) with ESMTPS\n\t; Mon",
            Some(Mta::Chasquid),
        ),
        (
            " from a (192.0.2.1) by ex (192.0.2.2) with Microsoft SMTP Server id 15.2; Mon",
            Some(Mta::Exchange),
        ),
        (
            " from a ([192.0.2.1]) by ex with Microsoft SMTPSVC(10.0); Mon",
            Some(Mta::Exchange),
        ),
        (
            " from ex ([::1]) by ex ([::1]) with mapi id 15.20; Mon",
            Some(Mta::Exchange),
        ),
        (
            " from a by mx (192.0.2.1) (MDaemon PRO v22.0) with ESMTP id md50; Mon",
            Some(Mta::MDaemon),
        ),
        (" (qmail 123 invoked by uid 89); Mon", Some(Mta::Qmail)),
        (
            " from unknown (HELO a) (192.0.2.1)\n  by mx with SMTP; Mon",
            Some(Mta::Qmail),
        ),
        (" by 2002:a05:6402:1::b with SMTP id x; Mon", Some(Mta::Google)),
        (
            " from mx ([192.0.2.1])\n by localhost (mx [127.0.0.1]) (amavis, port 10024) with ESMTP\n id x; Mon",
            Some(Mta::Amavis),
        ),
        (
            " from 127.0.0.1 [127.0.0.1]\n\tby mx with IMAP (fetchmail-6.4)\n\tfor <x@x>; Mon",
            Some(Mta::Fetchmail),
        ),
        (
            " from 127.0.0.1 (127.0.0.1:143) by mx with IMAP4 getmail6 msgid:1/1; Mon",
            Some(Mta::Getmail),
        ),
        (" from a by mx with ESMTP id 1; Mon", None),
        (" from a", None),
        ("", None),
        // What the client or the sender chose.
        (" from (Postfix) (a [192.0.2.1]) by mx with ESMTP id 1; Mon", None),
        (" from a by mx with ESMTP id 1 for <\"(Exim \"@example.com>; Mon", None),
    ] {
        assert_eq!(Mta::of(value.as_bytes()), mta, "{value}");
    }
}

#[test]
fn the_server_before_is_named_where_mail_comes_from_one_of_ours() {
    let path = |values: &[&'static str]| Path::of(values.iter().map(|value| value.as_bytes()), 0).named();
    let (lmtp, postfix) = (
        " from mx by mx with LMTP id AB+tMyHkCmuIAAAAZO51/g; Mon",
        " from a by mx (Postfix) with ESMTP; Mon",
    );
    let amavis = " from a by mx (amavisd-new, port 10024) with ESMTP; Mon";
    assert_eq!(path(&[lmtp, postfix]).as_deref(), Some("Dovecot LMTP behind Postfix"));
    assert_eq!(
        path(&[lmtp, amavis, postfix]).as_deref(),
        Some("Dovecot LMTP behind Postfix")
    );
    // Below a server that takes mail from everybody stands what others wrote.
    assert_eq!(path(&[postfix, lmtp]).as_deref(), Some("Postfix"));
    assert_eq!(path(&[]), None);
    let trusted = Path::of(
        [postfix, " from a by front (Exim 4.97); Mon"]
            .iter()
            .map(|value| value.as_bytes()),
        1,
    );
    assert_eq!(trusted.named().as_deref(), Some("Postfix behind Exim"));
}

#[test]
fn each_server_has_a_setting_of_its_own() {
    let only = |mta| Path {
        newest: Some(mta),
        before: None,
    };
    let behind = |mta, before| Path {
        newest: Some(mta),
        before: Some(before),
    };
    let none = Blind::default();
    let delivered = Blind {
        messages: 9,
        delivered_to: 9,
        ..none
    };
    let some = Blind {
        delivered_to: 5,
        ..delivered
    };
    let both = Blind {
        x_original_to: 9,
        ..delivered
    };
    for (path, blind, words) in [
        (only(Mta::Postfix), none, "PREPEND X-Envelope-To"),
        (only(Mta::Postfix), both, "PREPEND X-Envelope-To"),
        (only(Mta::Postfix), delivered, "enable_original_recipient = yes"),
        (behind(Mta::Postfix, Mta::Postfix), both, "on the server in front"),
        (
            behind(Mta::DovecotLmtp, Mta::Postfix),
            some,
            "lmtp_destination_recipient_limit = 1",
        ),
        (
            behind(Mta::DovecotLmtp, Mta::Postfix),
            none,
            "lmtp_destination_recipient_limit = 1",
        ),
        (behind(Mta::DovecotLmtp, Mta::Postfix), delivered, "lmtp flags=O"),
        (
            behind(Mta::CyrusLmtp, Mta::Postfix),
            none,
            "lmtp_destination_recipient_limit = 1",
        ),
        (behind(Mta::DovecotLmtp, Mta::Exim), none, "batch_max = 1"),
        (only(Mta::DovecotLmtp), none, "one recipient at a time"),
        (behind(Mta::Amavis, Mta::Exim), none, "envelope_to_add"),
        (only(Mta::Exim), none, "envelope_to_add = true"),
        (only(Mta::Exim), Blind { envelope_to: 1, ..none }, "unseen deliver"),
        (only(Mta::Sendmail), none, "milter"),
        (only(Mta::OpenSmtpd), none, "action … mda"),
        (only(Mta::Haraka), none, "add_leading_header"),
        (only(Mta::Chasquid), none, "post-data"),
        (only(Mta::Exchange), none, "journal"),
        (only(Mta::MDaemon), none, "MDaemon"),
        (Path::default(), none, "X-Envelope-To"),
    ] {
        let remedy = remedy(path, blind);
        assert!(remedy.contains(words) && !remedy.contains('\n'), "{path:?}: {remedy}");
    }
}
