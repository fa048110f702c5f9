//! What would be decided about a message if it came: for `explain`, dry runs, and before a body is fetched. Pure.

use super::{
    Directory,
    decision::{Assigned, Routing, Stranger, decide, unknown_goes_to},
    directory::Known,
    rule::Rule,
};
use crate::{config::Unknown, identify::Found, message::Address};

/// For whom a message would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Previewed {
    /// Where no address is known: whom `unknown` files it for; nobody where it is left alone.
    pub users: Vec<PreviewedUser>,
    /// No address is known.
    pub unknown: bool,
    /// A recipient is known.
    pub reached: bool,
    /// Addresses of ours that no user has, and would not get one.
    pub unknown_addresses: Vec<Address>,
    /// The same of those that are reported no more.
    pub ignored: Vec<Address>,
    /// Recipients' addresses that nobody has or had, of whatever domain; at most a few.
    pub unresolved: Vec<Address>,
    /// Addresses at domains that are not ours, which nobody has; at most a few.
    pub strangers: Vec<Stranger>,
    /// For each address asked for the names of those whom mail to it is for, and by which rule; `None` for nobody's.
    pub looked_up: Vec<Option<(Vec<String>, Rule)>>,
}

/// A user whom a message would be for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviewedUser {
    pub user: String,
    /// The address that leads there, as it stands in the message; `None` where none is known.
    pub address: Option<Address>,
    /// The field that names it, in the words of a filing.
    pub field: String,
    pub rule: Rule,
}

/// What would be decided. Changes nothing: users that would be made are named, up to the limit of one run.
pub fn preview(directory: &Directory, routing: &Routing, found: &Found, look_up: &[Address]) -> Previewed {
    let decision = decide(directory, routing, found);
    let user = |assigned: Assigned| PreviewedUser {
        user: directory.name(assigned.user).to_owned(),
        address: assigned.address,
        field: assigned.why.as_str().to_owned(),
        rule: assigned.rule,
    };
    let mut users: Vec<_> = decision.users.into_iter().map(user).collect();
    let (mut unknown_addresses, mut ignored) = (Vec::new(), Vec::new());
    let creates = matches!(routing.unknown, Unknown::Create);
    let mut left = if creates { routing.create_limit } else { 0 };
    for nobody in decision.local_unknown {
        match directory
            .newcomer(&nobody.address)
            .filter(|_| left > 0 && !nobody.retired)
        {
            Some(newcomer) => {
                left -= 1;
                users.push(PreviewedUser {
                    user: newcomer.name,
                    address: Some(nobody.named),
                    field: nobody.why.as_str().to_owned(),
                    rule: Rule::Create,
                });
            }
            None if directory.ignored().contains(&nobody.address) => ignored.push(nobody.address),
            None => unknown_addresses.push(nobody.address),
        }
    }
    if users.is_empty() {
        users.extend(unknown_goes_to(directory, routing).map(user));
    }
    let names = |ids: Vec<_>| ids.into_iter().map(|id| directory.name(id).to_owned()).collect();
    let looked_up = look_up
        .iter()
        .map(|address| match directory.look_up(address, routing.plus_addressing) {
            Known::Users(users, rule) => Some((names(users), rule)),
            Known::Retired | Known::No => None,
        });
    Previewed {
        users,
        unknown: decision.unknown,
        reached: decision.recipients > 0,
        unknown_addresses,
        ignored,
        unresolved: decision.unresolved,
        strangers: decision.strangers,
        looked_up: looked_up.collect(),
    }
}

#[cfg(test)]
mod tests {
    use figment::{
        Figment,
        providers::{Format, Toml},
    };

    use super::*;
    use crate::{
        config::{self, Config},
        identify::Named,
    };

    const CONFIGURATION: &str = r#"
        [domain_aliases]
        "example.net" = "example.com"
        [[user]]
        name = "jane"
        addresses = ["jane@example.com", "*@*.shop.example.com"]
        [[user]]
        name = "old"
        addresses = ["old@example.com"]
        disabled = true
        [[user]]
        name = "new@example.com"
        addresses = ["other@example.com"]
        [[list]]
        address = "team@example.com"
        users = ["new@example.com", "jane", "old", "nobody"]
    "#;

    fn found(recipients: &[&str], senders: &[&str]) -> Found {
        let named = |field: &'static str| {
            move |text: &&str| Named {
                address: Address::parse(text).unwrap(),
                field: field.into(),
            }
        };
        Found {
            recipients: recipients.iter().map(named("To")).collect(),
            senders: senders.iter().map(named("From")).collect(),
            ..Found::default()
        }
    }

    fn previewed(unknown: Unknown, recipients: &[&str], senders: &[&str]) -> Previewed {
        let recipient_rules = config::Recipients {
            local_domains: vec!["example.com".into()],
            unknown,
            ..Default::default()
        };
        let config: Config = Figment::new().merge(Toml::string(CONFIGURATION)).extract().unwrap();
        let directory = Directory::of_config(&config);
        let found = found(recipients, senders);
        let look_up = found
            .recipients
            .iter()
            .map(|named| named.address.clone())
            .collect::<Vec<_>>();
        preview(&directory, &Routing::new(&recipient_rules), &found, &look_up)
    }

    fn users(previewed: &Previewed) -> Vec<String> {
        let line = |user: &PreviewedUser| {
            let address = user.address.as_ref().map_or("-", Address::as_str);
            format!("{} {address} {} {}", user.user, user.field, user.rule.as_str())
        };
        previewed.users.iter().map(line).collect()
    }

    #[test]
    fn each_user_stands_once_with_the_address_and_the_rule_that_came_first() {
        let known = previewed(
            Unknown::Skip,
            &["Team+x@example.net", "jane@example.com"],
            &["a@b.shop.example.com"],
        );
        assert_eq!(
            users(&known),
            [
                "new@example.com team+x@example.net To list",
                "jane team+x@example.net To list",
            ]
        );
        let looked_up = known.looked_up[1].as_ref().unwrap();
        assert_eq!(
            (looked_up.0.as_slice(), looked_up.1),
            (&["jane".to_owned()][..], Rule::Exact)
        );
        let by_sender = previewed(Unknown::Skip, &["x@example.org"], &["a@b.shop.example.com"]);
        assert_eq!(users(&by_sender), ["jane a@b.shop.example.com From pattern"]);
        assert_eq!(by_sender.looked_up, [None]);
        assert_eq!(by_sender.unresolved, [Address::parse("x@example.org").unwrap()]);
    }

    #[test]
    fn what_nobody_has_goes_where_the_profile_says() {
        let to = |unknown| previewed(unknown, &["nobody+x@example.net", "old@example.com"], &[]);
        let catchall = to(Unknown::Catchall);
        assert_eq!(users(&catchall), ["@catchall - unknown catchall"]);
        let listed: Vec<_> = catchall.unknown_addresses.iter().map(Address::as_str).collect();
        assert_eq!(listed, ["nobody@example.com", "old@example.com"]);
        assert!(catchall.unknown);
        assert!(to(Unknown::Skip).users.is_empty());
        assert_eq!(users(&to(Unknown::User("jane".into()))), ["jane - unknown user"]);
        assert_eq!(
            users(&to(Unknown::User("old".into()))),
            ["@catchall - unknown catchall"]
        );
        let create = to(Unknown::Create);
        assert_eq!(users(&create), ["nobody@example.com nobody+x@example.net To create"]);
        let listed: Vec<_> = create.unknown_addresses.iter().map(Address::as_str).collect();
        assert_eq!(
            listed,
            ["old@example.com"],
            "nobody is made for a disabled user's address"
        );
    }

    #[test]
    fn a_name_that_is_taken_kept_a_user_from_being_made() {
        let beside = previewed(Unknown::Create, &["jane@example.com", "new@example.com"], &[]);
        assert_eq!(
            users(&beside),
            [
                "jane jane@example.com To exact",
                "new@example.com-2 new@example.com To create",
            ]
        );
        assert!(!beside.unknown && beside.unknown_addresses.is_empty());
    }

    #[test]
    fn what_looks_like_a_pattern_gets_no_user() {
        let pattern = previewed(Unknown::Create, &["*@example.com"], &[]);
        assert_eq!(users(&pattern), ["@catchall - unknown catchall"]);
    }
}
