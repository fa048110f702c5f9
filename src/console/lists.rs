//! The lists, on the page of people. Each is changed on the page of its address, as an address that nobody has is given away.

use maud::{Markup, html};

use super::{
    answers::see,
    form::path,
    texts::assign as texts,
    visitor::{Answered, Visitor},
};
use crate::api::{AddressListLine, Origin};

/// Users of a list that the table shows.
const USERS: usize = 5;

pub fn section(visitor: &Visitor, lists: &[AddressListLine]) -> Markup {
    let (t, a) = (visitor.t(), texts::of(visitor.face.look.language));
    html! {
        section aria-labelledby="lists" {
            h2 #lists { (a.lists) }
            @if !lists.is_empty() {
                div.scroll tabindex="0" role="group" aria-label=(a.lists) {
                    table.few {
                        thead { tr { th scope="col" { (t.address) } th scope="col" { (t.users_title) } th scope="col" { span.unseen { (t.change) } } } }
                        tbody { @for list in lists { (row(visitor, list)) } }
                    }
                }
            }
            p { (a.lists_mean) }
            form.inline method="get" action="/console/lists" {
                div.field { label for="list" { (a.list_address) } input #list name="address" type="email" required autocomplete="off"; }
                button type="submit" { (a.go_on) }
            }
        }
    }
}

fn row(visitor: &Visitor, list: &AddressListLine) -> Markup {
    let (t, a) = (visitor.t(), texts::of(visitor.face.look.language));
    let more = list.users.len().saturating_sub(USERS);
    html! {
        tr {
            th scope="row" { bdi { (list.address) } @if !list.in_force { p.fault { (a.not_in_force) } } }
            td.addresses {
                @for user in list.users.iter().take(USERS) { div { bdi { (user) } } }
                @if more > 0 { div.hint { (t.and_more) " " (more) } }
            }
            td {
                @match list.origin {
                    Origin::File => span.hint { (t.of_configuration) },
                    Origin::Catalog => a href=(path(&["unknown", list.address.as_str()])) { (t.change) span.unseen { ": " (list.address) } },
                }
            }
        }
    }
}

/// Leads to the page of an address.
pub async fn open(visitor: Visitor) -> Answered {
    Ok(see(&path(&["unknown", visitor.query.get("address")])))
}
