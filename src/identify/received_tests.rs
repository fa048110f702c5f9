use super::*;

/// The client's name and address, or nothing.
fn client(value: &str) -> (String, String) {
    let client = Client::read(value.as_bytes());
    let ip = client.ip.map(|ip| ip.to_string());
    (client.name.unwrap_or_default(), ip.unwrap_or_default())
}

fn check(cases: &[(&str, &str, &str)]) {
    for (value, name, ip) in cases {
        let (found, at) = client(value);
        assert_eq!((found.as_str(), at.as_str()), (*name, *ip), "{value}");
    }
}

const REAL: &str = "real.example.net";
const IP: &str = "192.0.2.1";

#[test]
fn the_name_is_the_one_that_our_server_confirmed() {
    check(&[
        (
            " from claimed.example.org (real.example.net [192.0.2.1])\r\n\tby mx.example.com (Postfix) with ESMTP id 1A2B\r\n\tfor \
             <a@example.com>; Mon,  3 Dec 2018 03:20:10 +0100 (CET)\r\n",
            REAL,
            IP,
        ),
        (
            " from claimed.example.org (Real.Example.Net. [192.0.2.1])\n (using TLSv1.3 with cipher X (256/256 bits)\n  key-exchange \
             X25519 server-signature RSA-PSS (2048 bits))\n (Client CN \"x (y), Inc; z\", Issuer \"R3\" (verified OK))\n by mx \
             (Postfix) with ESMTPS id 4fSA4G5dRzz9sbw; Mon, 1 Jan 2024 00:00:00 +0000 (UTC)",
            "",
            "",
        ),
        (
            " from claimed.example.org (Real.Example.Net. [192.0.2.1])\n (using TLSv1.3 with cipher X (256/256 bits)\n  key-exchange \
             X25519 server-signature RSA-PSS (2048 bits))\n (Client CN \"x (y)\", Issuer \"R3\" (verified OK))\n \
             (Authenticated sender: a@example.com)\n by mx \
             (Postfix) with ESMTPSA id 4fSA4G5dRzz9sbw; Mon, 1 Jan 2024 00:00:00 +0000 (UTC)",
            REAL,
            IP,
        ),
        (
            " from [10.0.0.1] (real.example.net [IPv6:2001:db8::1]) by mx (Postcow) with ESMTP id 1; Mon, 1 Jan 2024 00:00:00 +0000",
            REAL,
            "2001:db8::1",
        ),
        (
            " from claimed.example.org (unknown [192.0.2.1]) by mx (Postfix) with ESMTP id 1; Mon, 1 Jan 2024 00:00:00 +0000",
            "",
            IP,
        ),
        (
            " from claimed.example.org (root@real.example.net [192.0.2.1])\n\tby mx (8.17.1.9/8.17.1.9/Debian-2+deb12u2) with ESMTP id \
             q91850Yz015001\n\t(version=TLSv1.2 cipher=X bits=256 verify=NO)\n\tfor <a@example.com>; Mon, 1 Oct 2012 10:05:00 GMT\n\
             \t(envelope-from x@example.org)",
            REAL,
            IP,
        ),
        (
            " from claimed.example.org (real.example.net [192.0.2.1] (may be forged)) (authenticated bits=0) by mx (8.14.5/8.14.5) with \
             ESMTPSA id 1; Mon, 1 Oct 2012 10:05:00 +0200",
            "",
            IP,
        ),
        (
            " from claimed.example.org ([192.0.2.1]) by mx (8.17/8.17) with ESMTP id 1; Mon, 1 Oct 2012 10:05:00 +0200",
            "",
            IP,
        ),
        (
            " from real.example.net ([192.0.2.1] helo=claimed.example.org)\n\tby mx with esmtps  (TLS1.3) tls X\n\t(Exim 4.96)\n\
             \t(envelope-from <x@example.org>)\n\tid 1vH0wb-0009ac-2h\n\tfor a@example.com;\n\tThu, 06 Nov 2025 15:00:05 +0100",
            REAL,
            IP,
        ),
        (
            " from real.example.net ([192.0.2.1]:4711) by mx with esmtps (TLS1.2:X:256) (Exim 4.9) id 1; Thu, 06 Nov 2025 15:00:05 +0100",
            REAL,
            IP,
        ),
        (
            " from [192.0.2.1] (port=4711 helo=claimed.example.org ident=x) by mx with esmtp (Exim 4.96) id 1; Thu, 6 Nov 2025 1:00:05",
            "",
            IP,
        ),
        (
            " from claimed.example.org (real.example.net [::ffff:192.0.2.1])\n  (TLS: TLSv1.3,128bits,X)\n  by mx with ESMTPS\n  id \
             0000000000A76003.000000006B0AE30A.00000183; Sat, 28 Nov 2026 14:19:54 +0000",
            REAL,
            IP,
        ),
    ]);
}

/// They write the name that the client's own DNS has for its address, whomever that belongs to.
#[test]
fn a_name_that_a_server_does_not_confirm_was_believed() {
    check(&[
        (
            " from claimed.example.org (ex.example.com [192.0.2.1])\n\tby mx (OpenSMTPD) with ESMTPS id e4040213 (TLSv1.3:X:256:NO)\n\
             \tfor <a@example.com>;\n\tSat, 28 Nov 2026 14:40:50 +0000 (UTC)",
            "",
            IP,
        ),
        (
            " from claimed.example.org (ex.example.com [192.0.2.1])\r\n\tby mx (Haraka/3.0.3) with ESMTPS id A-B.1\r\n\tenvelope-from \
             <x@example.org>\r\n\ttls TLS_AES_256_GCM_SHA384;\r\n\tSat, 28 Nov 2026 14:40:50 +0000",
            "",
            IP,
        ),
        (
            " from claimed.example.org (ex.example.com [192.0.2.1])\r\n\tby mx with ESMTPS\r\n\t(version=TLSv1.2 cipher=X bits=256)\r\n\t; \
             Fri, 10 May 2024 09:00:00 +0200",
            "",
            IP,
        ),
        (
            " from claimed.example.org (ex.example.com. [192.0.2.1])\r\n by mx.google.com with ESMTPS id 1-2si3.2026.11.28\r\n for \
             <a@example.com>\r\n (version=TLS1_3 cipher=X bits=256/256);\r\n Sat, 28 Nov 2026 06:40:50 -0800 (PST)",
            "",
            IP,
        ),
        (
            " from [192.0.2.1] (ex.example.com)\n\tby mx (chasquid) with ESMTPS\n\t(over SMTP, TLS-1.3, X, envelope from \
             \"x@example.org\")\n\t; Sat, 28 Nov 2026 14:34:51 +0000",
            "",
            IP,
        ),
        (
            " from ex.example.com (HELO [10.0.0.1]) (root@192.0.2.1)\n  by mx with SMTP; 10 Jun 2011 10:00:09 -0000",
            "",
            IP,
        ),
        (
            " from unknown (192.0.2.1)\n  by mx with (AES256-SHA encrypted) SMTP; 10 Jun 2011 10:00:09 -0000",
            "",
            IP,
        ),
        (
            " from ex.example.com (192.0.2.1) by ex2.example.com\r\n (10.1.2.12) with Microsoft SMTP Server (version=TLS1_2,\r\n \
             cipher=X) id 15.1.1531.3 via Frontend\r\n Transport; Mon, 3 Dec 2018 03:20:10 +0100",
            "",
            IP,
        ),
        (
            " from ex.example.com ([192.0.2.1]) by ex2.example.com ([fe80::1%12]) with mapi id 14.03.0123.003; Mon, 3 Dec 2018 03:20:10 \
             +0100",
            "",
            IP,
        ),
    ]);
}

/// What a client can bring about by its HELO, its name in DNS, its ident server, or the envelope's addresses.
#[test]
fn a_field_with_more_than_one_reading_was_believed() {
    let date = "Mon, 1 Jan 2024 00:00:00 +0000";
    let exim = "by mx with esmtp (Exim 4.96) id 1";
    let chasquid = "by mx (chasquid) with ESMTP (over SMTP, plain text!, envelope from \"x@example.org\")";
    let postfix = "by mx (Postfix) with ESMTP id 1";
    for clauses in [
        // Exim with helo_accept_junk_hosts.
        format!("from [203.0.113.9] (helo=x@ex.example.com [192.0.2.1]) {exim}"),
        format!("from [203.0.113.9] (helo=x) (ex.example.com [192.0.2.1]) {exim}"),
        format!("from [203.0.113.9] (helo=x (ex.example.com [192.0.2.1])) {exim}"),
        format!("from evil.example.net ([203.0.113.9] helo=x [192.0.2.1]) {exim}"),
        format!("from evil.example.net ([203.0.113.9] helo=e ident=x) (ex.example.com [192.0.2.1]) {exim}"),
        format!("from [203.0.113.9] (helo=x) {postfix}; {date}) {exim}"),
        // A HELO that brings a whole field, at whatever server.
        format!("from x (ex.example.com [192.0.2.1]) {postfix}; {date} ([203.0.113.9]) by mx with SMTP"),
        format!("from x (ex.example.com [192.0.2.1]) {postfix} (evil [203.0.113.9]) {postfix}"),
        format!(
            "from x (ex.example.com [192.0.2.1]) {postfix} for <a@b (evil [203.0.113.9]) by mx (Haraka/3) with ESMTP id 1"
        ),
        format!("from x (ex.example.com [192.0.2.1]) by mx (evil.example.net [203.0.113.9]) {postfix}"),
        format!("from x (ex.example.com [192.0.2.1]) (evil.example.net [203.0.113.9]) {postfix}"),
        format!("from x (evil.example.net [203.0.113.9]) (ex.example.com [192.0.2.1]) {postfix}"),
        format!("from a (ex.example.com [192.0.2.1]) x (evil.example.net [203.0.113.9]) {postfix}"),
        "from ex.example.com ([192.0.2.1]) by mx (8.17/8.17) with ESMTP id 1 for <\"(Exim 4\"@x.example>".into(),
        "from ex.example.com ([192.0.2.1]) by mx for x (Exim 4.9)".into(),
        // A name in DNS may have any characters.
        "from x (ex.example.com [192.0.2.1]) by evil [203.0.113.9]) by mx (OpenSMTPD) with ESMTP id 1".into(),
        "from x (x [192.0.2.1] [203.0.113.9]) by mx (OpenSMTPD) with ESMTP id 1".into(),
        // chasquid takes any HELO without white space, and hides the address of a client that logged in.
        format!("from [203.0.113.9] (x)(ex.example.com[192.0.2.1]) {chasquid}"),
        format!("from [203.0.113.9] (x(ex.example.com[192.0.2.1])) {chasquid}"),
        format!("from [203.0.113.9] (ex.example.com)) {chasquid}"),
        format!("from [192.0.2.1](x) {chasquid}"),
        format!("from [192.0.2.1] {chasquid}"),
        // A server that is not known, or one that does not call itself what it is.
        "from ex.example.com (ex.example.com [192.0.2.1]) by mx (Stranger) with ESMTP id 1".into(),
        "from ex.example.com (ex.example.com [192.0.2.1]) by mx with ESMTP id 1".into(),
        "from ex.example.com (192.0.2.1) by mx (10.0.0.1) with Stranger id 15.1.2.3".into(),
        "from ex.example.com (192.0.2.1) by mx (203.0.113.9) with Microsoft SMTP Server by mx".into(),
        "from x (ex.example.com [192.0.2.1]) by mx (Postfix) by mx with SMTP".into(),
        "from x (ex.example.com [192.0.2.1]) by mx (Postfix) with SMTP (203.0.113.9)".into(),
        "from [203.0.113.9] (192.0.2.1) by mx with SMTP".into(),
        "from 203.0.113.9 (EHLO ex.example.com) ([192.0.2.1]) by mx (JAMES SMTP Server) with ESMTP ID 1".into(),
        "from ex.example.com by mx".into(),
        "(qmail 1234 invoked by uid 0)".into(),
        "from".into(),
        "from x ((((".into(),
        format!("from {} (ex.example.com [192.0.2.1]) {postfix}", "x".repeat(LONGEST)),
        format!("from x {} {postfix}", "(ex.example.com [192.0.2.1]) ".repeat(MOST)),
        String::new(),
    ] {
        for date in [date, &format!("{date} (UTC)")] {
            let field = format!(" {clauses}; {date}");
            assert_eq!(client(&field), Default::default(), "{field}");
        }
    }
    let genuine = format!(" from x (ex.example.com [192.0.2.1]) {postfix}");
    for behind in [
        &format!("; {date}; {date}"),
        &format!("; {date} [203.0.113.9]"),
        &format!("; {date} (x) (ex.example.com [203.0.113.9])"),
        &format!("; {date} by mx.example.net"),
        &format!("; {date} (2001:db8::1)"),
    ] {
        assert_eq!(client(&format!("{genuine}{behind}")), Default::default(), "{behind}");
    }
    for behind in ["", "; Mon", &format!("; {date}")] {
        let field = format!("{genuine}{behind}");
        assert_eq!(client(&field), ("ex.example.com".into(), IP.into()), "{field}");
    }
}
