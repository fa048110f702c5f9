use proptest::prelude::*;

use super::*;

fn list(value: &str) -> Vec<String> {
    addresses(value.as_bytes()).iter().map(Address::to_string).collect()
}

#[test]
fn addresses_come_out_of_every_wrapping() {
    for (value, expected) in [
        (
            " \"Doe, Jane\" <jane@example.com>, bob@example.com (Bob)\r\n",
            &["jane@example.com", "bob@example.com"][..],
        ),
        (
            " Team: jane@example.com, <bob@example.com>;\r\n",
            &["jane@example.com", "bob@example.com"],
        ),
        (
            " A: a@example.com;, B: b@example.com;",
            &["a@example.com", "b@example.com"],
        ),
        (" undisclosed-recipients:;\r\n", &[]),
        (" =?utf-8?q?J=C3=A4ne?= <jane@example.com>", &["jane@example.com"]),
        (
            " jane@example.com,\r\n\tbob@example.com\r\n",
            &["jane@example.com", "bob@example.com"],
        ),
        (" nobody, <>, @, root\r\n", &[]),
        (
            " <@relay.example,@other.example:jane@example.com>",
            &["jane@example.com"],
        ),
        (" jane@[192.0.2.1]", &["jane@[192.0.2.1]"]),
        (" jane@[IPv6:2001:db8::1]", &["jane@[ipv6:2001:db8::1]"]),
        (" bob@x.example <jane@example.com>", &["jane@example.com"]),
        (
            " (a, b@example.com (nested)) jane@example.com (x)",
            &["jane@example.com"],
        ),
        (" \"bob@example.com\"", &[]),
    ] {
        assert_eq!(list(value), expected, "{value}");
    }
}

#[test]
fn a_quoted_local_part_is_no_display_name() {
    let expected = ["a@b.example", "\"the robot\"@example.com", "d@e.example"];
    assert_eq!(list(" a@b.example, \"the robot\"@example.com, d@e.example"), expected);
    assert_eq!(list(" <\"the > robot\"@example.com>"), ["\"the > robot\"@example.com"]);
    assert_eq!(list(" \"John\" \"Q\" <j@example.com>"), ["j@example.com"]);
}

#[test]
fn received_names_an_address_in_any_form() {
    let find = |value: &str| received_for(value.as_bytes()).map(|address| address.to_string());
    let quoted = " by b with ESMTP id 1 for <\"the robot\"@example.com>; Mon, 1 Jan 2026 12:00:00 +0000";
    assert_eq!(find(quoted), Some("\"the robot\"@example.com".into()));
    assert_eq!(find(" by b for jane@example.com; Mon"), Some("jane@example.com".into()));
    assert_eq!(find(" by b (for <x@example.com>) id 2; Mon"), None);
    assert_eq!(find(" by b for <a@example.com>, <b@example.com>; Mon"), None);
    assert_eq!(find(" by b for the record; Mon"), None);
    let injected =
        " from x (envelope-from <\"x) for <boss@example.com>; (\"@example.org>) id 1 for jane@example.com; Mon, 1 Jan";
    assert_eq!(find(injected), Some("jane@example.com".into()));
    for without in [
        // Of two semicolons with a date nobody knows which is the server's.
        " from x (envelope-from <\"x) for <boss@example.com>; Mon, 1 Jan (\"@x>) id 1 for jane@example.com; Mon, 1 Jan",
        " from x (envelope-from <\"x) for <boss@example.com>; (\"@example.org>) id 1 for jane@example.com; Mon",
        " from x (envelope-from <\"x) for <boss@example.com>; (\"@example.org>) id 1; Mon",
        " from x (envelope-from <\"x) for <boss@example.com> (\"@example.org>) id 1; Mon",
        " by b for <boss@example.com> id 1; Mon",
    ] {
        assert_eq!(find(without), None, "{without}");
    }
    let commented = " by b for <jane@example.com> (version=TLS1_3 cipher=X bits=256/256); Mon";
    assert_eq!(find(commented), Some("jane@example.com".into()));
}

#[test]
fn obsolete_and_broken_syntax_still_names_its_addresses() {
    for (value, expected) in [
        (" jane @ example . com", &["jane@example.com"][..]),
        (" jane.doe (x) @ (y) example.com", &["jane.doe@example.com"]),
        (
            " jane@example.com bob@example.com",
            &["jane@example.com", "bob@example.com"],
        ),
        (" <jane@example.com", &["jane@example.com"]),
        (
            " <jane@example.com, <bob@example.com>",
            &["jane@example.com", "bob@example.com"],
        ),
        (" \"Doe, Jane <jane@example.com>", &["jane@example.com"]),
        (" (Jane jane@example.com", &["jane@example.com"]),
        (
            " Jane <jane@example.com>>, x@example.com",
            &["jane@example.com", "x@example.com"],
        ),
        (" <a@example.com> <b@example.com>", &["a@example.com", "b@example.com"]),
        (
            " jane@example.com;bob@example.com",
            &["jane@example.com", "bob@example.com"],
        ),
    ] {
        assert_eq!(list(value), expected, "{value}");
    }
}

#[test]
fn what_a_colon_a_comma_or_a_bracket_parts_was_joined_to_an_address_that_nobody_has() {
    for (value, expected) in [
        (" jane@<>example.com", &[][..]),
        (" <undisclosed-recipients:;@example.com>", &[]),
        (" <undisclosed-recipients:@example.com;>", &[]),
        (" <mailto:jane@example.com>", &["jane@example.com"]),
        (
            " Both <jane@example.com, bob@example.com>",
            &["jane@example.com", "bob@example.com"],
        ),
        (" <jane@example.com;>", &["jane@example.com"]),
        (" <jane . doe @ example.com>", &["jane.doe@example.com"]),
        (
            " <jane@example.com, \"Doe, Bob\" <bob@example.com>",
            &["jane@example.com", "bob@example.com"],
        ),
    ] {
        assert_eq!(list(value), expected, "{value}");
    }
}

#[test]
fn what_servers_write_is_nothing_but_addresses() {
    for value in [
        " jane@example.com\r\n",
        " <jane@example.com>",
        " jane@example.com, bob@example.com,\r\n\tc@example.com",
        " \"Doe, Jane\" <jane@example.com>; bob@example.com;",
        " \"x,bob\"@example.com",
        " example.com-\"x,bob\"@example.com (x)",
        " rfc822;jane@example.com",
        " RFC822; <jane@example.com>",
        "",
    ] {
        assert!(is_all_addresses(value.as_bytes()), "{value:?}");
    }
    for value in [
        " x,jane@example.com",
        " x jane@example.com",
        " jane@example.com x",
        " x>, jane@example.com, <y@example.com",
        " jane@example.com <y@example.com>",
        " <jane@example.com> y",
        " <jane@example.com, bob@example.com>",
        " <>",
        " x;jane@example.com",
        " mailing list jane@example.com",
        " unknown",
        " @relay.example:jane@example.com",
    ] {
        assert!(!is_all_addresses(value.as_bytes()), "{value:?}");
    }
}

#[test]
fn what_programs_write_around_an_address_made_another_of_it() {
    for value in [
        " 'jane@example.com'",
        " Jane 'jane@example.com'",
        " \u{2018}jane@example.com\u{2019}",
        " Doe, Jane [SMTP:jane@example.com]",
        " [SMTP: jane@example.com]",
        " SMTP:jane@example.com",
        " Jane [mailto:jane@example.com]",
        " <[SMTP:jane@example.com]>",
        " <mailto:jane@example.com>",
        " <mailto:jane@example.com?subject=x>",
        " mailto:jane@example.com",
        " <'jane@example.com'>",
        " \u{feff}jane@example.com",
        " \u{200b}jane@example.com\u{200b}",
        " Jane <\u{200b}jane@example.com\u{2060}>",
        " jane\u{200d}@\u{ad}example.com",
    ] {
        assert_eq!(list(value), ["jane@example.com"], "{value:?}");
    }
    assert_eq!(
        list(" 'a@example.com', 'b@example.com'"),
        ["a@example.com", "b@example.com"]
    );
    assert_eq!(
        list(" o'neill@example.com, 'tis@example.com"),
        ["o'neill@example.com", "'tis@example.com"]
    );
}

#[test]
fn an_address_that_is_an_encoded_word_was_not_found() {
    for value in [
        " =?utf-8?q?jane=40example.com?=",
        " =?utf-8?q?jane@example.com?=",
        " =?UTF-8?B?amFuZUBleGFtcGxlLmNvbQ==?=",
        " =?utf-8?q?Jane_=3Cjane=40example.com=3E?=",
        " =?utf-8?q?jane=40?=\r\n =?utf-8?q?example.com?=",
        " <=?utf-8?q?jane=40example.com?=>",
        " Jane =?utf-8?q?=3Cjane=40example.com=3E?=",
        " =?utf-8?q?=E2=80=8Bjane=40example.com?=",
    ] {
        assert_eq!(list(value), ["jane@example.com"], "{value:?}");
    }
    let both = ["bob@example.com", "jane@example.com"];
    assert_eq!(list(" =?utf-8?q?bob=40example.com?=, jane@example.com"), both);
}

/// The sender chooses what a name says.
#[test]
fn a_name_that_is_encoded_is_no_address_beside_one() {
    for value in [
        " =?utf-8?q?bob=40example.com?= <jane@example.com>",
        " =?utf-8?q?bob@example.com?= <jane@example.com>",
        " <jane@example.com> =?utf-8?q?bob=40example.com?=",
        " =?utf-8?q?bob=40example.com?= jane@example.com",
        " jane@example.com (=?utf-8?q?bob=40example.com?=)",
    ] {
        assert_eq!(list(value), ["jane@example.com"], "{value:?}");
    }
    for value in [
        " =?utf-8?q?bob=40example.com?= <>",
        " \"=?utf-8?q?bob=40example.com?=\"",
        " (=?utf-8?q?bob=40example.com?=)",
        " =?utf-8?q?=3D=3Futf-8=3Fq=3Fbob=3D40example.com=3F=3D?=",
        " =?utf-8?q?Bob?=",
    ] {
        assert_eq!(list(value), [""; 0], "{value:?}");
    }
    let received = " by b for <=?utf-8?q?bob=40example.com?=>; Mon";
    assert_eq!(received_for(received.as_bytes()), None);
}

#[test]
fn broken_values_take_linear_time() {
    let pieces = [
        "\"",
        "(",
        "<",
        "<\"",
        "a@",
        "((\"",
        "\\",
        "<\\",
        "<\\>\\",
        "\\<\"",
        "<\"\\>",
        "a<\"(",
        "[:",
        "(\\",
        "<a:b,",
        "=?a?q?b@c?=",
        "=?a?q?b@c?=,",
        "'@",
        "[@]",
    ];
    for piece in pieces {
        for (before, behind) in [("", ""), ("", " <"), ("<", ">"), (&"a".repeat(200_000), "[")] {
            let value = [before, &piece.repeat(200_000), behind, &":".repeat(200_000)].concat();
            let started = std::time::Instant::now();
            addresses(value.as_bytes());
            received_for(format!("for {value}").as_bytes());
            // Quadratic time would be minutes.
            assert!(started.elapsed().as_secs() < 20, "{before:.1}{piece}{behind}");
        }
    }
}

proptest! {
    #[test]
    fn what_is_found_is_really_there(value in "[ab.@<>(),;:\"\\\\ \\[\\]]{0,40}") {
        for address in addresses(value.as_bytes()) {
            let (local, domain) = address.as_str().rsplit_once('@').unwrap();
            // Comments and the quotes that an address does not need are not in it.
            let plain = |text: &str| text.replace(|c: char| c.is_whitespace() || "\"\\".contains(c), "");
            prop_assert!(!local.is_empty() && !domain.is_empty());
            prop_assert!(value.contains('(') || plain(&value).contains(&plain(address.as_str())), "{address}");
        }
    }

    #[test]
    fn any_bytes_are_read(value: Vec<u8>) {
        addresses(&value);
    }
}

#[test]
fn a_blank_beyond_ascii_cut_another_persons_address_out_of_a_name() {
    for blank in ['\u{a0}', '\u{85}', '\u{2003}', '\u{3000}', '\u{2028}'] {
        assert!(!list(&format!("x{blank}bob@example.com")).contains(&"bob@example.com".to_owned()));
        let named = received_for(format!("by mx for <x{blank}bob@example.com>; Mon").as_bytes());
        assert!(named.is_none_or(|named| named.as_str() != "bob@example.com"));
        // Around an address it is only a blank.
        assert_eq!(
            list(&format!("Ann{blank}<ann@example.com>,{blank}bob@example.com")),
            ["ann@example.com", "bob@example.com"]
        );
    }
}

#[test]
fn what_stands_behind_the_semicolon_named_the_recipient() {
    let named = |value: &str| received_for(value.as_bytes()).map(|address| address.to_string());
    let ann = Some("ann@example.com".to_owned());
    for value in [
        "by mx (8.17.1/8.17.1) with ESMTP id 6A for <ann@example.com>;\n\tMon (envelope-from \"x) for <bob@example.com> (y\"@x.test)",
        "by mx for <ann@example.com>; Mon\n for <bob@example.com>",
        "by mx for <ann@example.com>; Sat, 28 Nov 2026 14:20:18 +0000\n ; for <bob@example.com>",
        "by mx for <ann@example.com>; Sat, 28 Nov 2026 14:20:18 +0000\n for <bob@example.com>;",
    ] {
        assert_eq!(named(value), ann, "{value}");
    }
    for value in [
        "by mx with ESMTP; Mon\n for <bob@example.com>",
        "from for <bob@example.com>; x by mx for <ann@example.com>; Mon",
        "by mx for <ann@example.com>; Mon\n ; for <bob@example.com>",
    ] {
        assert_eq!(named(value), None, "{value}");
    }
}

#[test]
fn a_name_that_was_written_without_its_quotes_passed_for_addresses() {
    for value in [
        "bob@example.com x@example.com",
        "<bob@example.com>x@example.com",
        "<bob@example.com> <x@example.com>",
        "bob@example.com (x@example.com",
        "bob@example.com?x@example.com",
        "rfc822;bob@example.com;x@example.com",
        "\u{200b}bob@example.com",
        "bob\u{200b}@example.com",
        "\u{201c}bob@example.com",
        "\u{a0}bob@example.com",
    ] {
        assert!(!is_all_addresses(value.as_bytes()), "{value}");
        let named = received_for(format!("by mx for <{value}>; Mon").as_bytes());
        assert!(named.is_none_or(|named| named.as_str() != "bob@example.com"), "{value}");
    }
    for value in ["j\u{f6}rg@example.com", "rfc822; bob@example.com", "'bob@example.com'"] {
        assert!(is_all_addresses(value.as_bytes()), "{value}");
    }
}

#[test]
fn an_address_behind_another_ones_bracket_was_not_found() {
    assert_eq!(
        list("Ann <ann@example.com> bob@example.com"),
        ["ann@example.com", "bob@example.com"]
    );
    assert_eq!(list("bob@example.com <ann@example.com>"), ["ann@example.com"]);
    assert_eq!(list("Ann <ann@example.com> (bob@example.com)"), ["ann@example.com"]);
}
