use super::*;

#[test]
fn mailboxes_are_read_as_people_read_them() {
    for (value, each) in [
        (
            " Jane <jane@example.com>,\r\n bob@example.com\r\n",
            &["Jane <jane@example.com>", "bob@example.com"][..],
        ),
        ("\"Doe, Jane\" <jane@example.com>", &["Doe, Jane <jane@example.com>"]),
        (
            "\"the \\\"J\\\"\" <jane@example.com>",
            &["the \"J\" <jane@example.com>"],
        ),
        (
            "jane@example.com (Jane (the) Doe)",
            &["Jane (the) Doe <jane@example.com>"],
        ),
        (
            "Jane Doe <jane@example.com> (at home)",
            &["Jane Doe (at home) <jane@example.com>"],
        ),
        ("MAILER-DAEMON (Mail Delivery)", &["Mail Delivery <MAILER-DAEMON>"]),
        ("root", &["root"]),
        (
            "\"a b\"@example.com, <\"a>b\"@example.com>",
            &["\"a b\"@example.com", "\"a>b\"@example.com"],
        ),
        ("jane @ example.com", &["jane@example.com"]),
        (
            "Friends of ours: jane@example.com, Bob <bob@example.com>; eve@example.com",
            &["jane@example.com", "Bob <bob@example.com>", "eve@example.com"],
        ),
        ("undisclosed-recipients:;", &[]),
        (
            "jane@example.com <jane@example.com>",
            &["jane@example.com <jane@example.com>"],
        ),
        (
            "<mailto:jane@example.com>, <<bob@example.com>>",
            &["jane@example.com", "bob@example.com"],
        ),
        (
            "jane@[IPv6:2001:db8::1]; bob@example.com;",
            &["jane@[IPv6:2001:db8::1]", "bob@example.com"],
        ),
        (
            "=?utf-8?Q?J=C3=BCrgen,_=22x=22?= =?utf-8?Q?_M?= <j@example.com>",
            &["Jürgen, \"x\" M <j@example.com>"],
        ),
        (
            "=?utf-8?Q?Doe, Jane?= <jane@example.com>",
            &["Doe, Jane <jane@example.com>"],
        ),
        (
            "\"=?ks_c_5601-1987?B?vsiz5w==?=\" <k@example.com>",
            &["안녕 <k@example.com>"],
        ),
        ("", &[]),
        (", ,;<>", &[]),
    ] {
        assert_eq!(mailboxes(value.as_bytes(), None), each, "{value}");
    }
    let korean = Charset::named(b"euc-kr");
    assert_eq!(
        mailboxes(b"\xbe\xc8\xb3\xe7 <k@example.com>", korean),
        ["안녕 <k@example.com>"]
    );
}

#[test]
fn two_addresses_without_a_comma_between_them_were_one() {
    for value in [
        "Jane <jane@example.com> Bob <bob@example.com>",
        "Jane <jane@example.com>\r\n Bob <bob@example.com>",
        "Jane <jane@example.com>Bob<bob@example.com>",
        "jane@example.com (Jane) bob@example.com (Bob)",
    ] {
        let both = mailboxes(value.as_bytes(), None);
        assert_eq!(both, ["Jane <jane@example.com>", "Bob <bob@example.com>"], "{value}");
    }
    for value in [
        "jane@example.com bob@example.com",
        "<jane@example.com> <bob@example.com>",
        "<jane@example.com> bob@example.com",
        "jane@example.com\n\tbob@example.com",
    ] {
        assert_eq!(
            mailboxes(value.as_bytes(), None),
            ["jane@example.com", "bob@example.com"],
            "{value}"
        );
    }
    let behind = mailboxes(b"<jane@example.com> Jane", None);
    assert_eq!(behind, ["Jane <jane@example.com>"]);
}

#[test]
fn what_opens_and_does_not_close_is_read_all_the_same() {
    for (value, each) in [
        (
            "Jane <jane@example.com, bob@example.com",
            &["Jane <jane@example.com>", "bob@example.com"][..],
        ),
        ("Jane (the Doe <jane@example.com>", &["Jane the Doe <jane@example.com>"]),
        ("\"Jane <jane@example.com>", &["Jane <jane@example.com>"]),
        ("=?utf-8?Q?J=C3=BCrgen <j@example.com>", &["Jürgen <j@example.com>"]),
        ("jane@example.com>", &["jane@example.com"]),
    ] {
        assert_eq!(mailboxes(value.as_bytes(), None), each, "{value}");
    }
}

#[test]
fn of_a_list_that_is_cut_each_name_is_whole() {
    let value = "jane@example.com, ".repeat(10_000);
    let read = mailboxes(value.as_bytes(), None);
    assert!(is_cut(value.as_bytes()));
    assert!(read.len() > 3_000 && read.iter().all(|one| one == "jane@example.com"));
}
