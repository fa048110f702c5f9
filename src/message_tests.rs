//! Addresses, domains and names: what is one, and in which form.

use proptest::prelude::*;

use super::*;

#[test]
fn addresses_are_normalised() {
    let parse = |text: &str| Address::parse(text).map(|address| address.to_string());
    assert_eq!(parse(" Jane.Doe@EXAMPLE.com. "), Some("jane.doe@example.com".into()));
    assert_eq!(parse("jane@bücher.example"), Some("jane@xn--bcher-kva.example".into()));
    assert_eq!(parse("\"a@b\"@example.com"), Some("\"a@b\"@example.com".into()));
    for none in ["", "\"a@b\"", "jane", "@example.com", "jane@", "jane@exam ple.com"] {
        assert_eq!(parse(none), None, "{none}");
    }
    assert_eq!(parse("ju\u{308}rgen@example.com"), parse("J\u{dc}rgen@example.com"));
    let tagged = Address::parse("jane+news@example.com").unwrap();
    assert_eq!(tagged.without_tag().unwrap().as_str(), "jane@example.com");
    assert_eq!(Address::parse("+news@example.com").unwrap().without_tag(), None);
}

#[test]
fn what_is_written_around_an_address_was_taken_for_a_part_of_it() {
    let parse = |text: &str| Address::parse_strict(text).map(|address| address.to_string());
    for bad in [
        "Bob <bob@example.com>",
        "<bob@example.com>",
        "bob smith@example.com",
        "bob@example.com, jane@example.com",
        "bob;jane@example.com",
        "bob@jane@example.com",
        "\"bob\"x@example.com",
        "\"bob@example.com",
        "bob@exam ple.com",
        "bob@.example.com",
        "bob@example..com",
        "bob@[1.2.3.4",
        "bob@",
        "@example.com",
        "bob\u{7}@example.com",
        "bob",
        "",
    ] {
        assert_eq!(parse(bad), None, "{bad}");
    }
    for (good, normal) in [
        (" Bob@Example.com. ", "bob@example.com"),
        ("bob@bücher.example", "bob@xn--bcher-kva.example"),
        ("bob@[IPv6:2001:DB8::1]", "bob@[ipv6:2001:db8::1]"),
        ("\"a@b c\"@example.com", "\"a@b c\"@example.com"),
        ("o'brien+x@example.com", "o'brien+x@example.com"),
    ] {
        assert_eq!(parse(good).as_deref(), Some(normal));
        assert_eq!(
            Address::parse(good),
            Address::parse_strict(good),
            "mail and configuration agree on {good}"
        );
    }
}

#[test]
fn quotes_that_are_not_needed_made_another_address() {
    let parse = |text: &str| Address::parse(text).unwrap().to_string();
    assert_eq!(parse("\"Jane\"@example.com"), "jane@example.com");
    assert_eq!(parse("\"jane.d\\oe\"@example.com"), "jane.doe@example.com");
    assert_eq!(parse("\"jane doe\"@example.com"), "\"jane doe\"@example.com");
    let quoted = Address::parse("\"a+b c\"@example.com").unwrap();
    assert_eq!(quoted.without_tag(), None, "a quoted local part is not cut open");
}

/// Postfix and Dovecot write the one, Exim and Sendmail the other.
#[test]
fn a_local_part_was_another_where_a_server_quoted_it() {
    let parse = |text: &str| Address::parse(text).unwrap();
    for (quoted, plain, normal) in [
        ("\"a..b\"@example.com", "a..b@example.com", "a..b@example.com"),
        ("\".a\"@example.com", ".a@example.com", ".a@example.com"),
        ("\"Jane.\"@example.com", "jane.@example.com", "jane.@example.com"),
        ("\"a@b\"@example.com", "a@b@example.com", "\"a@b\"@example.com"),
        ("\"a[b\"@example.com", "a[b@example.com", "\"a[b\"@example.com"),
        ("\"a\\ b\"@example.com", "\"a b\"@example.com", "\"a b\"@example.com"),
        (
            "\"\u{1f600}\"@example.com",
            "\u{1f600}@example.com",
            "\u{1f600}@example.com",
        ),
    ] {
        assert_eq!(parse(quoted), parse(plain), "{quoted}");
        assert_eq!(parse(quoted).as_str(), normal);
        assert_eq!(parse(normal), parse(quoted), "its form is a form of it");
        assert_eq!(Address::parse_strict(quoted), Some(parse(plain)));
    }
    for other in ["\"\"@example.com", "\"a\".\"b\"@example.com", "\"a\\\"@example.com"] {
        assert_eq!(parse(other).as_str(), other);
    }
    let prefixed = parse("\"all-a b\"@example.com").without_prefix("all-");
    assert_eq!(prefixed, Some(parse("\"a b\"@example.com")));
    assert_eq!(parse("\"all-\"@example.com").without_prefix("all-"), None);
}

#[test]
fn an_address_that_an_older_version_kept_in_quotes_was_found_no_more() {
    let kept = |text: &str| Address(text.into()).renewed().to_string();
    assert_eq!(kept("\"a..b\"@example.com"), "a..b@example.com");
    assert_eq!(kept("a@b@example.com"), "\"a@b\"@example.com");
    for same in [
        "jane@example.com",
        "*@*.example.com",
        "*@example.com",
        "\"a b\"@example.com",
    ] {
        assert_eq!(kept(same), same);
    }
}

#[test]
fn a_domain_was_folded_into_one_with_a_space_or_another_at_sign() {
    let address = |text: &str| Address::parse(text).unwrap();
    for (text, domain) in [
        ("t@\u{2da}", "\u{2da}"),
        ("t@a.example\u{ff20}b.example", "a.example\u{ff20}b.example"),
    ] {
        assert_eq!(address(text).domain(), domain);
        assert_eq!(address(address(text).as_str()), address(text));
        assert_eq!(Address::parse_strict(text), None);
    }
    assert_eq!(address("t@\u{ff42}.example").as_str(), "t@b.example");
}

#[test]
fn what_is_left_without_a_prefix_kept_quotes_that_it_does_not_need() {
    let address = Address::parse("a.\"B\"@c.example").unwrap();
    let left = address.without_prefix("a.").unwrap();
    assert_eq!(left, Address::parse("b@c.example").unwrap());
}

#[test]
fn a_star_stands_for_a_domain_or_its_subdomains_and_for_nothing_else() {
    let parse = |text: &str| Address::parse_entry(text).map(|entry| entry.to_string());
    for (text, normal) in [
        (" *@Example.com. ", "*@example.com"),
        ("*@*.Bücher.example", "*@*.xn--bcher-kva.example"),
        ("Jane@example.com", "jane@example.com"),
    ] {
        assert_eq!(parse(text).as_deref(), Ok(normal));
    }
    for text in [
        "*",
        "*@",
        "*@*",
        "*@*.",
        "a*@example.com",
        "*a@example.com",
        "**@example.com",
        "\"*\"@example.com",
        "*@a.*.example.com",
        "*@**.example.com",
        "*@*example.com",
        "jane@*.example.com",
        "*@[192.0.2.1]",
        "*@@x.com",
    ] {
        let shown = Address::parse_entry(text).expect_err(text).to_string();
        assert!(shown.contains(&format!("{text:?}")), "{shown}");
    }
    let shown = Address::parse_entry("sales-*@example.com").unwrap_err().to_string();
    assert!(shown.contains("*@*.example.com"), "{shown}");
}

#[test]
fn a_greek_question_mark_became_a_semicolon_without_quotes() {
    let address = Address::parse("\u{3b1}\u{37e}@example.com").unwrap();
    assert_eq!(address.as_str(), "\"\u{3b1};\"@example.com");
    assert_eq!(Address::parse(address.as_str()), Some(address));
}

#[test]
fn a_domain_in_brackets_with_other_letters_became_one_that_is_refused() {
    assert_eq!(strict_domain("[1000\u{301}:db8::1]"), None);
    assert!(Address::parse_entry("a@[2001:d\u{fc}8::1]").is_err());
}

#[test]
fn domains_have_one_form() {
    assert_eq!(strict_domain("[192.0.2.1]").as_deref(), Some("[192.0.2.1]"));
    for text in ["Bücher.Example.", " xn--bcher-kva.example ", "BÜCHER.example"] {
        assert_eq!(domain(text), "xn--bcher-kva.example");
        assert_eq!(strict_domain(text).as_deref(), Some("xn--bcher-kva.example"));
    }
    for bad in [
        "",
        ".",
        "exam ple.com",
        "a@example.com",
        ".example.com",
        "*.example.com",
    ] {
        assert_eq!(strict_domain(bad), None, "{bad}");
    }
}

proptest! {
    /// The way that is for plain addresses alone gives what the one for all gives.
    #[test]
    fn a_plain_address_is_read_as_any_other(
        text in prop_oneof![
            "[a-zA-Z0-9._+=@\" -]{0,12}@[a-zA-Z0-9._-]{0,20}\\.{0,2}",
            "[a-c!#$%&'*/?^`{|}~.]{1,6}@([a-bA-B_-]{0,3}\\.|[xX][nN]--[a-z0-9]{0,6}\\.|[0-9]{1,3}\\.){0,4}[a-z]{0,3}",
        ],
    ) {
        if let Some(address) = Address::parse_plain(&text) {
            prop_assert_eq!(Some(address), Address::parse_any(&text));
        }
    }
}
