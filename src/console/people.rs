//! People: the users whose mail is archived, and the accounts by which somebody logs in.

use maud::{Markup, html};

use super::{
    account::new_password,
    filled::Filled,
    form::path,
    frame::{Face, Place},
    import, lists,
    parts::notice,
    visitor::{Answered, Visitor},
    words,
};
use crate::{
    api::{AccountLine, Reply, Request, Role, UserLine},
    web::address_lists,
};

/// Addresses of a user that the table shows.
const ADDRESSES: usize = 5;

pub async fn page(visitor: Visitor) -> Answered {
    let users = visitor.users().await?;
    let accounts = visitor.ask(Request::Accounts).await?.into_iter();
    let accounts: Vec<_> = accounts
        .filter_map(|reply| match reply {
            Reply::Account(line) => Some(line),
            _ => None,
        })
        .collect();
    let address_lists = address_lists(&visitor.visit).await?;
    let (t, face) = (visitor.t(), &visitor.face);
    // Whose form could not be taken is there, too.
    let of_form = visitor.visit.named("name");
    let find = if of_form.is_empty() {
        visitor.query.get("find")
    } else {
        of_form
    };
    let folded = find.to_lowercase();
    let shown: Vec<_> = users
        .iter()
        .filter(|user| is_found(user, &folded))
        .take(MOST + 1)
        .collect();
    let body = html! {
        @if let Some(done) = visitor.said_done() { (notice("good", html! { p { (done) } })) }
        (import::said(&visitor))
        section aria-labelledby="users" {
            h2 #users { (t.users_title) }
            form.filters method="get" action="/console/people" {
                div.field { label for="find" { (t.name_or_address) } input #find name="find" type="search" value=(find); }
                button type="submit" { (t.show) }
            }
            (table(&visitor, &shown[..shown.len().min(MOST)]))
            @if shown.len() > MOST { p.hint { (t.narrow_users) } }
            (add_user_form(&visitor))
            p { a href="/console/people/import" { (import::title(&visitor)) } }
        }
        (lists::section(&visitor, &address_lists))
        section aria-labelledby="accounts" {
            h2 #accounts { (t.accounts) }
            (accounts_table(face, &accounts))
            (add_account_form(&visitor))
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

fn table(visitor: &Visitor, users: &[&UserLine]) -> Markup {
    let (t, language) = (visitor.t(), visitor.face.look.language);
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
                            td { (changes(visitor, user)) }
                        }
                    }
                }
            }
        }
    }
}

/// What may be changed about a user; those of the configuration are changed there.
fn changes(visitor: &Visitor, user: &UserLine) -> Markup {
    let (t, face) = (visitor.t(), &visitor.face);
    let to = |change| path(&["people", "users", &user.name, change]);
    let id = format!("to-{}", hex::encode(user.name.as_bytes()));
    let rename = to("rename");
    let filled = visitor.filled(&rename);
    html! {
        @if user.managed { span.hint { (t.of_configuration) } }
        @else if user.can_be_changed() {
            details open[filled.is_wrong()] {
                summary { (t.change) }
                form.inline method="post" action=(rename) {
                    (face.token())
                    div.field {
                        label for=(id) { (t.new_name) }
                        input id=(id) name="to" value=(filled.value("to", &user.name)) required
                            aria-invalid=[filled.invalid("to")] aria-describedby=[filled.described("to", None)];
                        (filled.said("to"))
                    }
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
    const ADD: &str = "/console/people/users";
    let (t, face, filled) = (visitor.t(), &visitor.face, visitor.filled(ADD));
    let address = visitor.query.get("address");
    let name = address.split('@').next().unwrap_or_default();
    html! {
        details.card open[!address.is_empty() || filled.is_wrong()] {
            summary { (t.add_user) }
            form method="post" action=(ADD) {
                (face.token())
                (filled.field("name", t.name, "text", name, "off"))
                div.field {
                    label for="addresses" { (t.addresses) }
                    textarea #addresses name="addresses" rows="3" required aria-invalid=[filled.invalid("addresses")]
                        aria-describedby=[filled.described("addresses", Some("addresses-hint"))] { (filled.value("addresses", address)) }
                    (filled.said("addresses"))
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

fn add_account_form(visitor: &Visitor) -> Markup {
    const ADD: &str = "/console/people/accounts";
    let (t, face, filled) = (visitor.t(), &visitor.face, visitor.filled(ADD));
    html! {
        details.card open[filled.is_wrong()] {
            summary { (t.add_account) }
            form method="post" action=(ADD) {
                (face.token())
                (filled.field("account", t.name, "text", "", "off"))
                (roles(face, filled, Role::User))
                (filled.field("archives", t.archives_to_give, "text", "", "off"))
                p.hint { (t.archives_to_give_hint) }
                (new_password(face, filled))
                button.main type="submit" { (t.add_account) }
            }
        }
    }
}

/// A choice of role.
pub fn roles(face: &Face, filled: Filled, otherwise: Role) -> Markup {
    let (t, language) = (face.t(), face.look.language);
    let chosen = filled.value("role", otherwise.as_str());
    html! {
        div.field {
            label for="role" { (t.role) }
            select #role name="role" aria-invalid=[filled.invalid("role")] aria-describedby=[filled.described("role", Some("role-hint"))] {
                @for role in Role::ALL { option value=(role.as_str()) selected[role.as_str() == chosen] { (words::role(language, role)) } }
            }
            (filled.said("role"))
            p.hint #role-hint { (t.role_hint) }
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
    match visitor.ask(request).await {
        Ok(_) => Ok(visitor.done("/console/people", "saved")),
        Err(refused) => page(visitor.mistaken(&["name", "addresses"], refused)?).await,
    }
}

pub async fn rename(visitor: Visitor) -> Answered {
    let (name, to) = (
        visitor.visit.named("name").to_owned(),
        visitor.form.get("to").to_owned(),
    );
    match visitor.ask(Request::RenameUser { name, to }).await {
        Ok(_) => Ok(visitor.done("/console/people", "saved")),
        Err(refused) => page(visitor.mistaken(&["to"], refused)?).await,
    }
}

pub async fn retire(visitor: Visitor) -> Answered {
    let name = visitor.visit.named("name").to_owned();
    visitor.ask(Request::RetireUser { name }).await?;
    Ok(visitor.done("/console/people", "saved"))
}
