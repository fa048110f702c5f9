//! An account, as administrators look after it.

use actix_web::http::StatusCode;
use maud::{Markup, html};

use super::{
    account::{Owned, new_password, sessions, typed_twice},
    form::path,
    frame::Place,
    parts::{button, notice},
    people::{self, listed, roles},
    texts::{accounts, filled},
    visitor::{Answered, Visitor},
    words,
};
use crate::{
    api::{AccountLine, AccountWish, Request, Role},
    web::Refused,
};

pub async fn page(visitor: Visitor) -> Answered {
    visitor.require(Place::People)?;
    let name = visitor.visit.named("name").to_owned();
    let owned = Owned::of(&visitor, &name).await?;
    let (t, face, line) = (visitor.t(), &visitor.face, &owned.line);
    let to = |change: &str| path(&["people", "accounts", &line.name, change]);
    let password = to("password");
    let body = html! {
        @if let Some(done) = visitor.said_done() { (notice("good", html! { p { (done) } })) }
        p.back { a href="/console/people" { "← " (t.people) } }
        @if line.disabled { (notice("warn", html! { p { (t.is_disabled) } })) }
        section.card aria-labelledby="role-title" {
            h2 #role-title { (t.role) }
            p { (words::role(face.look.language, line.role)) }
            form method="post" action=(to("role")) {
                (face.token())
                (roles(face, visitor.filled(&to("role")), line.role))
                button type="submit" { (t.change_role) }
            }
        }
        (archives(&visitor, line))
        section.card aria-labelledby="come-in" {
            h2 #come-in { (t.coming_in) }
            form method="post" action=(password) {
                (face.token())
                (new_password(face, visitor.filled(&password)))
                button type="submit" { (t.set_password) }
            }
            div.actions {
                @if line.totp { (button(face, &to("codes"), "", t.reset_codes, &[])) }
                @if line.disabled { (button(face, &to("enable"), "", t.enable, &[])) }
                @else { a.button.danger href=(to("disable")) { (t.disable) } }
                a.button.danger href=(to("remove")) { (t.remove_account) }
            }
        }
        (sessions(&visitor, &to("sessions"), &owned.sessions))
    };
    Ok(visitor.page(Place::People, &line.name, body))
}

fn archives(visitor: &Visitor, line: &AccountLine) -> Markup {
    let (t, face) = (visitor.t(), &visitor.face);
    let to = |change: &str| path(&["people", "accounts", &line.name, change]);
    let give = to("give");
    html! {
        section.card aria-labelledby="given" {
            h2 #given { (t.archives_given) }
            @if line.archives.is_empty() { p.nothing { (t.no_archives) } }
            ul.plain {
                @for user in &line.archives {
                    li { bdi { (user) } " " (button(face, &to("take"), "danger", t.take_away, &[("user", user)])) }
                }
            }
            form.inline method="post" action=(give) {
                (face.token())
                (visitor.filled(&give).field("user", t.user_title, "text", "", "off"))
                button type="submit" { (t.give) }
            }
        }
    }
}

/// Asks whether the account is to go.
pub async fn ask(visitor: Visitor) -> Answered {
    visitor.require(Place::People)?;
    let line = Owned::of(&visitor, visitor.visit.named("name")).await?.line;
    let w = accounts::of(visitor.face.look.language);
    let change = visitor.visit.named("change");
    let (title, means, does) = match change {
        "remove" => (w.remove_title, w.remove_means, w.remove_it),
        "disable" => (w.disable_title, w.disable_means, w.disable_it),
        _ => return Err(Refused::new(StatusCode::NOT_FOUND)),
    };
    let of_account = |more: &[&str]| path(&[&["people", "accounts", &line.name], more].concat());
    let body = html! {
        (notice("warn", html! {
            p { (means) }
            @if line.name == visitor.name() { p { (w.is_own) } }
        }))
        div.actions {
            (button(&visitor.face, &of_account(&[change]), "danger", does, &[]))
            a href=(of_account(&[])) { (w.keep_it) }
        }
    };
    Ok(visitor.page(Place::People, &filled(title, std::slice::from_ref(&line.name)), body))
}

fn role_of(visitor: &Visitor) -> Result<Role, Refused> {
    let word = visitor.form.get("role");
    let role = Role::ALL.into_iter().find(|role| role.as_str() == word);
    role.ok_or_else(|| Refused::bad(format!("{:?}", word)))
}

pub async fn add(visitor: Visitor) -> Answered {
    let Some(password) = typed_twice(&visitor) else {
        return people::page(visitor.not_alike()).await;
    };
    let request = Request::ChangeAccount {
        name: visitor.form.get("account").to_owned(),
        wish: AccountWish::Add {
            role: role_of(&visitor)?,
            archives: listed(visitor.form.get("archives")),
            password,
        },
    };
    match visitor.ask(request).await {
        Ok(_) => Ok(visitor.done("/console/people", "saved")),
        Err(refused) => people::page(visitor.mistaken(&["account", "archives", "password"], refused)?).await,
    }
}

/// Changes the account in the path.
pub async fn change(visitor: Visitor) -> Answered {
    visitor.require(Place::People)?;
    let name = visitor.visit.named("name").to_owned();
    let user = || visitor.form.get("user").to_owned();
    let (wish, done) = match visitor.visit.named("change") {
        "role" => (AccountWish::Role(role_of(&visitor)?), "saved"),
        "give" => (AccountWish::Give(user()), "saved"),
        "take" => (AccountWish::Take(user()), "saved"),
        "password" => {
            let Some(password) = typed_twice(&visitor) else {
                return page(visitor.not_alike()).await;
            };
            (
                AccountWish::Password {
                    password,
                    current: None,
                },
                "password",
            )
        }
        "codes" => (AccountWish::TotpOff, "codes_off"),
        "enable" => (AccountWish::Enable, "saved"),
        "disable" => (AccountWish::Disable, "saved"),
        "remove" => (AccountWish::Remove, "removed"),
        "sessions" => (AccountWish::EndSessions(visitor.form.some("session")), "ended"),
        _ => return Err(Refused::new(StatusCode::NOT_FOUND)),
    };
    let back = match wish {
        AccountWish::Remove => "/console/people".to_owned(),
        _ => path(&["people", "accounts", &name]),
    };
    let fields: &[&str] = match wish {
        AccountWish::Give(_) => &["user"],
        AccountWish::Role(_) => &["role"],
        AccountWish::Password { .. } => &["password"],
        _ => &[],
    };
    match visitor.ask(Request::ChangeAccount { name, wish }).await {
        Ok(_) => Ok(visitor.done(&back, done)),
        Err(refused) => page(visitor.mistaken(fields, refused)?).await,
    }
}
