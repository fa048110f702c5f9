//! People: the users whose mail is archived, and the accounts by which somebody logs in.

use maud::{Markup, html};

use super::{
    account::new_password,
    form::path,
    frame::{Face, Place},
    parts::{field, notice},
    visitor::{Answered, Visitor},
    words,
};
use crate::api::{AccountLine, Reply, Request, Role, UserLine};

/// Addresses of a user that the table shows.
const ADDRESSES: usize = 5;

pub async fn page(visitor: Visitor) -> Answered {
    let (mut users, mut accounts) = (Vec::new(), Vec::new());
    let replies = visitor
        .ask(Request::Users)
        .await?
        .into_iter()
        .chain(visitor.ask(Request::Accounts).await?);
    for reply in replies {
        match reply {
            Reply::User(line) => users.push(line),
            Reply::Account(line) => accounts.push(line),
            _ => {}
        }
    }
    let (t, face) = (visitor.t(), &visitor.face);
    let find = visitor.query.get("find").to_lowercase();
    let shown: Vec<_> = users
        .iter()
        .filter(|user| is_found(user, &find))
        .take(MOST + 1)
        .collect();
    let body = html! {
        @if let Some(done) = visitor.said_done() { (notice("good", html! { p { (done) } })) }
        section aria-labelledby="users" {
            h2 #users { (t.users_title) }
            form.filters method="get" action="/console/people" {
                div { label for="find" { (t.name_or_address) } input #find name="find" type="search" value=(visitor.query.get("find")); }
                button type="submit" { (t.show) }
            }
            (table(face, &shown[..shown.len().min(MOST)]))
            @if shown.len() > MOST { p.hint { (t.narrow_users) } }
            (add_user_form(&visitor))
        }
        section aria-labelledby="accounts" {
            h2 #accounts { (t.accounts) }
            (accounts_table(face, &accounts))
            (add_account_form(face))
        }
    };
    Ok(visitor.page(Place::People, t.people, body))
}

/// Users of the page.
const MOST: usize = 200;

fn is_found(user: &UserLine, find: &str) -> bool {
    let has = |text: &str| text.to_lowercase().contains(find);
    find.is_empty() || has(&user.name) || user.addresses.iter().any(|address| has(address.as_str()))
}

fn table(face: &Face, users: &[&UserLine]) -> Markup {
    let (t, language) = (face.t(), face.look.language);
    html! {
        div.scroll tabindex="0" role="group" aria-label=(t.users_title) {
            table {
                thead {
                    tr {
                        th scope="col" { (t.user_title) } th scope="col" { (t.addresses) } th.number scope="col" { (t.messages_title) }
                        th.number scope="col" { (t.size) } th scope="col" { span.unseen { (t.change) } }
                    }
                }
                tbody {
                    @for user in users {
                        tr {
                            th scope="row" { bdi { (user.name) } @if user.retired { " " span.state.warn { (t.retired) } } }
                            td.addresses {
                                @for address in user.addresses.iter().take(ADDRESSES) { div { bdi { (address.as_str()) } } }
                                @if user.addresses.len() > ADDRESSES { div.hint { (t.and_more) " " (words::number(language, (user.addresses.len() - ADDRESSES) as u64)) } }
                            }
                            td.number { (words::number(language, user.messages)) }
                            td.number { (words::bytes(language, user.bytes)) }
                            td { (changes(face, user)) }
                        }
                    }
                }
            }
        }
    }
}

/// What may be changed about a user; those of the configuration are changed there.
fn changes(face: &Face, user: &UserLine) -> Markup {
    let t = face.t();
    let to = |change| path(&["people", "users", &user.name, change]);
    let id = format!("to-{}", hex::encode(user.name.as_bytes()));
    html! {
        @if user.managed { span.hint { (t.of_configuration) } }
        @else if !user.retired && !user.name.starts_with('@') {
            details {
                summary { (t.change) }
                form.inline method="post" action=(to("rename")) {
                    (face.token())
                    div.field { label for=(id) { (t.new_name) } input id=(id) name="to" value=(user.name) required; }
                    button type="submit" { (t.rename) }
                }
                form method="post" action=(to("retire")) {
                    (face.token())
                    p.hint { (t.retire_means) }
                    button.danger type="submit" { (t.retire) }
                }
            }
        }
    }
}

fn add_user_form(visitor: &Visitor) -> Markup {
    let (t, face) = (visitor.t(), &visitor.face);
    let address = visitor.query.get("address");
    let name = address.split('@').next().unwrap_or_default();
    html! {
        details.card open[!address.is_empty()] {
            summary { (t.add_user) }
            form method="post" action="/console/people/users" {
                (face.token())
                (field("name", t.name, "text", name, "off"))
                div.field {
                    label for="addresses" { (t.addresses) }
                    textarea #addresses name="addresses" rows="3" required aria-describedby="addresses-hint" { (address) }
                    p.hint #addresses-hint { (t.addresses_hint) }
                }
                button.main type="submit" { (t.add_user) }
            }
        }
    }
}

fn accounts_table(face: &Face, accounts: &[AccountLine]) -> Markup {
    let (t, language) = (face.t(), face.look.language);
    html! {
        div.scroll tabindex="0" role="group" aria-label=(t.accounts) {
            table {
                thead { tr { th scope="col" { (t.account) } th scope="col" { (t.role) } th scope="col" { (t.archives) } th scope="col" { (t.one_time_codes) } } }
                tbody {
                    @for account in accounts {
                        tr {
                            th scope="row" {
                                a href=(path(&["people", "accounts", &account.name])) { bdi { (account.name) } }
                                @if account.disabled { " " span.state.warn { (t.disabled) } }
                            }
                            td { (words::role(language, account.role)) }
                            td { bdi { (account.archives.join(", ")) } }
                            td { (if account.totp { t.yes } else { t.no }) }
                        }
                    }
                }
            }
        }
    }
}

fn add_account_form(face: &Face) -> Markup {
    let t = face.t();
    html! {
        details.card {
            summary { (t.add_account) }
            form method="post" action="/console/people/accounts" {
                (face.token())
                (field("account", t.name, "text", "", "off"))
                (roles(face, Role::User))
                (field("archives", t.archives_to_give, "text", "", "off"))
                p.hint { (t.archives_to_give_hint) }
                (new_password(face))
                button.main type="submit" { (t.add_account) }
            }
        }
    }
}

/// A choice of role.
pub fn roles(face: &Face, chosen: Role) -> Markup {
    let (t, language) = (face.t(), face.look.language);
    html! {
        div.field {
            label for="role" { (t.role) }
            select #role name="role" {
                @for role in Role::ALL { option value=(role.as_str()) selected[role == chosen] { (words::role(language, role)) } }
            }
            p.hint { (t.role_hint) }
        }
    }
}

/// Words between commas, spaces and line ends.
pub fn listed(text: &str) -> Vec<String> {
    let words = text
        .split([',', ';', ' ', '\t', '\r', '\n'])
        .filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

pub async fn add_user(visitor: Visitor) -> Answered {
    let request = Request::AddUser {
        name: visitor.form.get("name").to_owned(),
        addresses: listed(visitor.form.get("addresses")),
        no_count: true,
    };
    visitor.ask(request).await?;
    Ok(visitor.done("/console/people", "saved"))
}

pub async fn rename(visitor: Visitor) -> Answered {
    let (name, to) = (
        visitor.visit.named("name").to_owned(),
        visitor.form.get("to").to_owned(),
    );
    visitor.ask(Request::RenameUser { name, to }).await?;
    Ok(visitor.done("/console/people", "saved"))
}

pub async fn retire(visitor: Visitor) -> Answered {
    let name = visitor.visit.named("name").to_owned();
    visitor.ask(Request::RetireUser { name }).await?;
    Ok(visitor.done("/console/people", "saved"))
}
