use proptest::prelude::*;

use super::*;
use crate::config::List;

fn user(name: &str, addresses: &[&str], retired: bool) -> User {
    let addresses = addresses
        .iter()
        .map(|text| Address::parse_entry(text).unwrap())
        .collect();
    User {
        name: name.into(),
        addresses,
        managed: true,
        retired,
    }
}

fn look_up(directory: &Directory, text: &str, plus: bool) -> Known {
    directory.look_up(&Address::parse(text).unwrap(), plus)
}

fn one(user: UserId, rule: Rule) -> Known {
    Known::Users(vec![user], rule)
}

#[test]
fn addresses_lead_to_users() {
    let mut directory = Directory::new([
        (UserId(1), user("jane", &["jane@example.com", "j+d@example.com"], false)),
        (UserId(2), user("old", &["old@example.com"], true)),
    ]);
    assert_eq!(
        look_up(&directory, "JANE@example.com", false),
        one(UserId(1), Rule::Exact)
    );
    assert_eq!(
        look_up(&directory, "jane+x@example.com", true),
        one(UserId(1), Rule::Plus)
    );
    assert_eq!(look_up(&directory, "jane+x@example.com", false), Known::No);
    assert_eq!(
        look_up(&directory, "j+d@example.com", false),
        one(UserId(1), Rule::Exact)
    );
    assert_eq!(look_up(&directory, "old@example.com", true), Known::Retired);
    assert_eq!(look_up(&directory, "old+x@example.com", true), Known::Retired);
    assert_eq!(directory.by_name("old"), Some(UserId(2)));
    assert_eq!(directory.next_id(), UserId(3));
    directory.put(UserId(1), user("jane", &["jane@example.org"], false));
    assert_eq!(
        look_up(&directory, "jane@example.com", true),
        Known::No,
        "an address taken away"
    );
    assert_eq!(
        look_up(&directory, "jane@example.org", true),
        one(UserId(1), Rule::Exact)
    );
}

#[test]
fn a_retired_users_name_and_address_were_free_for_another() {
    let mut directory = Directory::new([(UserId(1), user("jane", &["jane@example.com"], false))]);
    let jane = Address::parse("jane@example.com").unwrap();
    let other = Address::parse("other@example.com").unwrap();
    directory.put(UserId(1), user("jane", &["jane@example.com"], true));
    assert!(directory.newcomer(&jane).is_none());
    assert_eq!(directory.newcomer(&other).unwrap().name, "other@example.com");
    directory.put(UserId(1), user("jane", &["jane@example.com"], false));
    assert_eq!(
        look_up(&directory, "jane@example.com", false),
        one(UserId(1), Rule::Exact),
        "who came back"
    );
}

#[test]
fn a_newcomer_whose_name_is_taken_was_nobody() {
    let names = ["new@example.com", "new@example.com-2", "new@example.com-4"];
    let users = names.map(|name| user(name, &[], name.ends_with("-2")));
    let directory = Directory::new((1..).map(UserId).zip(users));
    let newcomer = directory.newcomer(&Address::parse("new@example.com").unwrap()).unwrap();
    assert_eq!(newcomer.name, "new@example.com-3", "a retired user keeps the name too");
    assert_eq!(newcomer.addresses[0].as_str(), "new@example.com");
}

fn signs() -> Signs {
    let list = |address: &str, users: &[&str]| List {
        address: address.into(),
        users: users.iter().map(|name| (*name).into()).collect(),
        origin: Default::default(),
    };
    let config = Config {
        domain_aliases: [("Example.net", "example.com"), ("alias.org", "sub.example.com")]
            .map(|(from, to)| (from.to_owned(), to.into()))
            .into(),
        list: vec![
            list("sales@example.com", &["jane", "bob", "nobody", "old"]),
            list("gone@example.com", &["old", "nobody"]),
        ],
        ..Config::default()
    };
    Signs::new(&config)
}

fn directory() -> Directory {
    let users = [
        user(
            "jane",
            &["jane@example.com", "*@sub.example.com", "*@*.example.com"],
            false,
        ),
        user(
            "bob",
            &["bob@example.com", "bob@example.net", "*@*.deep.example.com"],
            false,
        ),
        user("old", &["old@example.com", "*@old.example.com"], true),
        user("office", &["*@example.com"], false),
    ];
    Directory::new((1..).map(UserId).zip(users)).with(signs())
}

#[test]
fn the_more_a_rule_says_of_an_address_the_sooner_it_counts() {
    let directory = directory();
    for (address, expected) in [
        ("bob@example.net", one(UserId(2), Rule::Exact)),
        ("jane@example.net", one(UserId(1), Rule::Alias)),
        ("jane+x@example.net", one(UserId(1), Rule::Alias)),
        ("any@sub.example.com", one(UserId(1), Rule::Pattern)),
        ("any@alias.org", one(UserId(1), Rule::Pattern)),
        ("any@deep.example.com", one(UserId(1), Rule::Pattern)),
        ("any@very.deep.example.com", one(UserId(2), Rule::Pattern)),
        ("any@example.com", one(UserId(4), Rule::Pattern)),
        ("any@example.net", one(UserId(4), Rule::Pattern)),
        ("any@example.org", Known::No),
        ("any@notexample.com", Known::No),
        // What was a retired user's stays that, whatever pattern covers it.
        ("old@example.com", Known::Retired),
        ("old@example.net", Known::Retired),
        ("any@old.example.com", Known::Retired),
    ] {
        assert_eq!(look_up(&directory, address, true), expected, "{address}");
    }
}

#[test]
fn a_list_leads_to_those_of_its_users_who_get_mail() {
    let mut directory = directory();
    let both = Known::Users(vec![UserId(1), UserId(2)], Rule::List);
    for address in ["sales@example.com", "Sales+x@example.com", "sales+x@example.net"] {
        assert_eq!(look_up(&directory, address, true), both, "{address}");
    }
    assert_eq!(look_up(&directory, "gone@example.com", true), Known::Retired);
    let gone = Address::parse("gone@example.com").unwrap();
    assert!(directory.newcomer(&gone).is_none());
    let absent: Vec<_> = directory.absent().map(|(_, name)| name).collect();
    assert_eq!(absent, ["nobody", "nobody"]);
    // Who comes later is in it from then on, and who goes is not.
    directory.put(UserId(5), user("nobody", &[], false));
    directory.put(UserId(1), user("jane", &[], true));
    let others = Known::Users(vec![UserId(2), UserId(5)], Rule::List);
    assert_eq!(look_up(&directory, "sales@example.com", true), others);
    let refused = directory.contradiction(UserId(6), &user("x", &["sales@example.com"], false));
    assert!(refused.unwrap().to_string().contains("the address of a list"));
    assert!(
        directory
            .contradiction(UserId(6), &user("x", &["sales@example.com"], true))
            .is_none()
    );
}

#[test]
fn a_pattern_is_one_users() {
    let directory = directory();
    let refused = directory.contradiction(UserId(9), &user("x", &["*@*.Example.com"], false));
    assert!(refused.unwrap().to_string().contains("\"jane\""));
}

/// How far in the order of a look-up an entry of a user's is for an address; `None` where it does not cover it. Written
/// down anew, without the forms of an address.
fn rank(entry: &str, address: &str, alias: Option<&str>) -> Option<usize> {
    let (local, domain) = address.split_once('@').unwrap();
    let plain = local.split('+').next().unwrap();
    let (entry_local, entry_domain) = entry.split_once('@').unwrap();
    let places = [(Some(domain), 0), (alias, 2)];
    let exact = places.into_iter().find_map(|(domain, rank)| {
        let here = domain == Some(entry_domain);
        let with_tag = (here && entry_local == local).then_some(rank);
        with_tag.or((here && entry_local == plain).then_some(rank + 1))
    });
    let pattern = || {
        [(Some(domain), 100), (alias, 200)]
            .into_iter()
            .find_map(|(domain, rank)| {
                let domain = domain?;
                match entry_domain.strip_prefix("*.") {
                    None => (entry_domain == domain).then_some(rank),
                    // The longest suffix goes first.
                    Some(parent) => domain
                        .ends_with(&format!(".{parent}"))
                        .then(|| rank + 50 - parent.len()),
                }
            })
    };
    if entry_local == "*" { pattern() } else { exact }
}

proptest! {
    /// Against a look at every user for each address.
    #[test]
    fn a_look_up_finds_what_a_look_at_every_user_finds(
        entries in prop::collection::vec(("(x|y|x\\+t|\\*)@(a\\.b\\.c|b\\.c|c|d)|\\*@\\*\\.(b\\.c|c|d)", any::<bool>()), 0..8),
        address in "(x|y|x\\+t|z\\+t)@(a\\.b\\.c|b\\.c|c|d|a\\.d|e)",
        aliased: bool,
    ) {
        let alias = aliased.then_some(("d", "b.c"));
        let config = Config {
            domain_aliases: alias.map(|(from, to)| (from.to_owned(), to.into())).into_iter().collect(),
            ..Config::default()
        };
        let mut directory = Directory::default().with(Signs::new(&config));
        for (id, (entry, retired)) in (1..).zip(&entries) {
            let user = user(&format!("u{id}"), &[entry], *retired);
            if directory.contradiction(UserId(id), &user).is_none() {
                directory.put(UserId(id), user);
            }
        }
        let alias = alias.filter(|(from, _)| address.ends_with(&format!("@{from}"))).map(|(_, to)| to);
        let best = directory
            .iter()
            .filter_map(|(id, user)| Some((rank(user.addresses[0].as_str(), &address, alias)?, user.retired, id)))
            .min();
        let found = match look_up(&directory, &address, true) {
            Known::Users(users, _) => Some((false, users)),
            Known::Retired => Some((true, Vec::new())),
            Known::No => None,
        };
        let expected = best.map(|(_, retired, id)| (retired, if retired { Vec::new() } else { vec![id] }));
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn of_two_users_whose_addresses_became_one_the_last_took_the_others_mail() {
    let mut directory = Directory::new([
        (UserId(1), user("u", &["\"a..b\"@example.com"], false)),
        (UserId(2), user("v", &["a..b@example.com"], false)),
    ]);
    let address = Address::parse("a..b@example.com").unwrap();
    assert_eq!(
        directory.look_up(&address, false),
        Known::Users(vec![UserId(1), UserId(2)], Rule::Exact)
    );
    let said = directory.shared();
    assert!(said.len() == 1 && said[0].contains("u, v"), "{said:?}");
    directory.put(UserId(1), user("u", &["u@example.com"], false));
    assert_eq!(
        directory.look_up(&address, false),
        Known::Users(vec![UserId(2)], Rule::Exact)
    );
    assert!(directory.shared().is_empty());
}
