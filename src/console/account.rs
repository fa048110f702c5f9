//! One's own account: password, one-time codes, sessions, and passwords for programs.

use maud::{Markup, PreEscaped, html};
use qrcode::{Color, EcLevel, QrCode};

use super::{
    filled::Filled,
    frame::{CODES, Face, Place},
    parts::{button, moment, moment_or, notice},
    visitor::{Answered, Visitor},
    words,
};
use crate::{
    access::session,
    api::{AccountLine, AccountWish, ApplicationLine, Made, Reply, Request, SessionLine, Spoken},
    web::{Refused, cut},
};

/// The shortest password, in characters, as the page says it.
pub const SHORTEST: u64 = 10;

/// What is there of an account.
pub struct Owned {
    pub line: AccountLine,
    pub sessions: Vec<SessionLine>,
    pub applications: Vec<ApplicationLine>,
}

impl Owned {
    pub async fn of(visitor: &Visitor, name: &str) -> Result<Self, Refused> {
        let account = Request::Account { name: name.to_owned() };
        let line = visitor.ask(account).await?.into_iter().find_map(|reply| match reply {
            Reply::Account(line) => Some(line),
            _ => None,
        });
        let sessions = Request::Sessions {
            account: Some(name.to_owned()),
        };
        let sessions = visitor
            .ask(sessions)
            .await?
            .into_iter()
            .filter_map(|reply| match reply {
                Reply::Session(line) => Some(line),
                _ => None,
            });
        let applications = Request::Applications {
            account: name.to_owned(),
        };
        let applications = visitor
            .ask(applications)
            .await?
            .into_iter()
            .filter_map(|reply| match reply {
                Reply::Application(line) => Some(line),
                _ => None,
            });
        Ok(Self {
            line: line.ok_or_else(cut)?,
            sessions: sessions.collect(),
            applications: applications.collect(),
        })
    }
}

pub async fn page(visitor: Visitor) -> Answered {
    let owned = Owned::of(&visitor, &visitor.name()).await?;
    let (t, face) = (visitor.t(), &visitor.face);
    let language = face.look.language;
    let changed = visitor.filled("/console/account/password");
    let body = html! {
        @if let Some(done) = visitor.said_done() { (notice("good", html! { p { (done) } })) }
        p {
            bdi { (owned.line.name) } ": " (words::role(language, owned.line.role))
            @if !owned.line.archives.is_empty() { ". " (t.archives_given) ": " bdi { (owned.line.archives.join(", ")) } }
        }
        section.card aria-labelledby="password-title" {
            h2 #password-title { (t.password) }
            form method="post" action="/console/account/password" {
                (face.token())
                input.unseen type="text" name="name" value=(owned.line.name) autocomplete="username" readonly tabindex="-1" aria-hidden="true";
                (changed.field("current", t.password_so_far, "password", "", "current-password"))
                (new_password(face, changed))
                button type="submit" { (t.change_password) }
            }
        }
        section.card aria-labelledby="codes-title" {
            h2 #codes-title { (t.one_time_codes) }
            @if owned.line.totp {
                p { (t.codes_are_on) }
                (button(face, "/console/account/codes/off", "danger", t.turn_off, &[]))
            } @else {
                p { (t.codes_are_off) }
                p { a.button href=(CODES) { (t.set_up_codes) } }
            }
        }
        (sessions(&visitor, "/console/account/sessions/end", &owned.sessions))
        (applications(&visitor, &owned.applications))
    };
    Ok(visitor.page(Place::Account, t.account, body))
}

/// A new password, which is typed twice.
pub fn new_password(face: &Face, filled: Filled) -> Markup {
    let t = face.t();
    html! {
        div.field {
            label for="password" { (t.new_password) }
            input #password name="password" type="password" autocomplete="new-password" minlength=(SHORTEST) required
                aria-invalid=[filled.invalid("password")] aria-describedby=[filled.described("password", Some("password-hint"))];
            (filled.said("password"))
            p.hint #password-hint { (t.password_hint) }
        }
        (filled.field("again", t.once_more, "password", "", "new-password"))
    }
}

/// The new password of a form, where it was typed alike twice.
pub fn typed_twice(visitor: &Visitor) -> Option<Spoken> {
    let (one, again) = (visitor.form.as_typed("password"), visitor.form.as_typed("again"));
    (one == again).then(|| Spoken::new(one))
}

/// Who is logged in to an account. `action` ends one or all.
pub fn sessions(visitor: &Visitor, action: &str, sessions: &[SessionLine]) -> Markup {
    let (t, face) = (visitor.t(), &visitor.face);
    let own = visitor.visit.account.session.map(|digest| session::short(&digest));
    html! {
        section.card aria-labelledby="sessions" {
            h2 #sessions { (t.sessions) }
            @if sessions.is_empty() { p.nothing { (t.no_sessions) } } @else {
                div.scroll tabindex="0" role="group" aria-label=(t.sessions) {
                    table {
                        thead { tr { th scope="col" { (t.began) } th scope="col" { (t.used_last) } th scope="col" { (t.from_address) } th scope="col" { span.unseen { (t.end_it) } } } }
                        tbody {
                            @for line in sessions {
                                tr {
                                    td { (moment(face, line.began)) }
                                    td { (moment(face, line.seen)) }
                                    td { (line.address) }
                                    td {
                                        @if own.as_ref() == Some(&line.session) { (t.this_one) }
                                        @else { (button(face, action, "", t.end_it, &[("session", &line.session)])) }
                                    }
                                }
                            }
                        }
                    }
                }
                @if sessions.len() > 1 { (button(face, action, "", t.end_all, &[])) }
            }
        }
    }
}

fn applications(visitor: &Visitor, applications: &[ApplicationLine]) -> Markup {
    const ADD: &str = "/console/account/applications";
    let (t, face) = (visitor.t(), &visitor.face);
    html! {
        section.card aria-labelledby="applications" {
            h2 #applications { (t.applications) }
            p.hint { (t.applications_mean) }
            @if !applications.is_empty() {
                table {
                    thead { tr { th scope="col" { (t.program) } th scope="col" { (t.made) } th scope="col" { (t.used_last) } th scope="col" { span.unseen { (t.remove) } } } }
                    tbody {
                        @for line in applications {
                            tr {
                                th scope="row" { bdi { (line.name) } }
                                td { (moment(face, line.made)) }
                                td { (moment_or(face, line.used, t.never)) }
                                td { (button(face, "/console/account/applications/remove", "danger", t.remove, &[("name", &line.name)])) }
                            }
                        }
                    }
                }
            }
            form.inline method="post" action=(ADD) {
                (face.token())
                (visitor.filled(ADD).field("program", t.program, "text", "", "off"))
                button type="submit" { (t.make_password) }
            }
        }
    }
}

pub fn wish(visitor: &Visitor, wish: AccountWish) -> Request {
    Request::ChangeAccount {
        name: visitor.name(),
        wish,
    }
}

pub async fn password(visitor: Visitor) -> Answered {
    let Some(password) = typed_twice(&visitor) else {
        return page(visitor.not_alike()).await;
    };
    let current = Some(Spoken::new(visitor.form.as_typed("current")));
    let changed = AccountWish::Password { password, current };
    match visitor.ask(wish(&visitor, changed)).await {
        Ok(_) => Ok(visitor.done("/console/account", "password")),
        Err(refused) => page(visitor.mistaken(&["password", "current"], refused)?).await,
    }
}

/// Offers one-time codes.
pub async fn codes(visitor: Visitor) -> Answered {
    let (t, face) = (visitor.t(), &visitor.face);
    let body = html! {
        @if visitor.visit.account.enrols { (notice("note", html! { p { (t.role_needs_codes) } })) }
        p { (t.codes_mean) }
        div.actions {
            (button(face, "/console/account/codes/begin", "main", t.set_up_codes, &[]))
            @if !visitor.visit.account.enrols { a href="/console" { (t.later) } }
        }
    };
    Ok(visitor.page(Place::Account, t.one_time_codes, body))
}

/// Begins one-time codes: shows the secret, this once.
pub async fn begin_codes(visitor: Visitor) -> Answered {
    match visitor.made(wish(&visitor, AccountWish::Totp)).await?.pop() {
        Some(Made::Totp { secret, address }) => {
            let body = secret_page(&visitor, &secret, &address);
            Ok(visitor.page(Place::Account, visitor.t().one_time_codes, body))
        }
        _ => Err(cut()),
    }
}

fn secret_page(visitor: &Visitor, secret: &Spoken, address: &Spoken) -> Markup {
    let t = visitor.t();
    html! {
        ol.steps {
            li {
                p { (t.scan_it) }
                @if let Some(code) = qr(address.reveal(), t.qr_code) { (code) }
                p { (t.or_type) " " code.secret { (secret.reveal()) } }
            }
            li { (confirm_form(visitor)) }
        }
        p.hint { (t.wrong_code_hint) }
    }
}

fn confirm_form(visitor: &Visitor) -> Markup {
    const CONFIRM: &str = "/console/account/codes/confirm";
    let (t, filled) = (visitor.t(), visitor.filled(CONFIRM));
    html! {
        form method="post" action=(CONFIRM) {
            (visitor.face.token())
            div.field {
                label for="code" { (t.type_code) }
                input #code name="code" inputmode="numeric" autocomplete="one-time-code" required
                    aria-invalid=[filled.invalid("code")] aria-describedby=[filled.described("code", None)];
                (filled.said("code"))
            }
            button.main type="submit" { (t.confirm) }
        }
    }
}

/// A QR code as SVG, its dark squares row by row.
fn qr(text: &str, name: &str) -> Option<Markup> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let width = code.width();
    let mut path = String::new();
    for (at, color) in code.to_colors().into_iter().enumerate() {
        if color == Color::Dark {
            path.push_str(&format!("M{} {}h1v1h-1z", at % width + 4, at / width + 4));
        }
    }
    let side = width + 8;
    Some(html! {
        svg.qr role="img" aria-label=(name) viewBox={ "0 0 " (side) " " (side) } {
            rect width=(side) height=(side) fill="#fff" {}
            path d=(PreEscaped(path)) fill="#000" {}
        }
    })
}

pub async fn confirm_codes(visitor: Visitor) -> Answered {
    let code = Spoken::new(visitor.form.get("code"));
    let made = visitor.made(wish(&visitor, AccountWish::ConfirmTotp { code })).await;
    let t = visitor.t();
    let mut made = match made {
        Ok(made) => made,
        Err(refused) => {
            // The secret was shown once; an app that has it shows the next code.
            let visitor = visitor.mistaken(&["code"], refused)?;
            let body = html! {
                (confirm_form(&visitor))
                p.hint { (t.wrong_code_hint) }
                (button(&visitor.face, "/console/account/codes/begin", "", t.begin_anew, &[]))
            };
            return Ok(visitor.page(Place::Account, t.one_time_codes, body));
        }
    };
    let Some(Made::RecoveryCodes(codes)) = made.pop() else {
        return Err(cut());
    };
    let body = html! {
        (notice("good", html! { p { (t.codes_work) } }))
        p { (t.recovery_codes_mean) }
        ul.secrets { @for code in &codes { li { code { (code.reveal()) } } } }
        p { a.button href="/console" { (t.kept_them) } }
    };
    Ok(visitor.page(Place::Account, t.recovery_codes, body))
}

pub async fn codes_off(visitor: Visitor) -> Answered {
    visitor.ask(wish(&visitor, AccountWish::TotpOff)).await?;
    Ok(visitor.done("/console/account", "codes_off"))
}

pub async fn add_application(visitor: Visitor) -> Answered {
    let program = visitor.form.get("program").to_owned();
    let mut made = match visitor.made(wish(&visitor, AccountWish::AddApplication(program))).await {
        Ok(made) => made,
        Err(refused) => return page(visitor.mistaken(&["program"], refused)?).await,
    };
    let Some(Made::ApplicationPassword(password)) = made.pop() else {
        return Err(cut());
    };
    let t = visitor.t();
    let body = html! {
        p { (t.application_password_means) }
        p { code.secret { (password.reveal()) } }
        p { a.button href="/console/account" { (t.kept_it) } }
    };
    Ok(visitor.page(Place::Account, t.application_password, body))
}

pub async fn remove_application(visitor: Visitor) -> Answered {
    let name = visitor.form.get("name").to_owned();
    visitor
        .ask(wish(&visitor, AccountWish::RemoveApplication(name)))
        .await?;
    Ok(visitor.done("/console/account", "removed"))
}

pub async fn end_session(visitor: Visitor) -> Answered {
    let session = visitor.form.some("session");
    visitor.ask(wish(&visitor, AccountWish::EndSessions(session))).await?;
    Ok(visitor.done("/console/account", "ended"))
}

#[test]
fn a_qr_code_has_its_quiet_zone() {
    let code = qr("otpauth://totp/dropkeep:jane?secret=ABC", "x")
        .unwrap()
        .into_string();
    assert!(
        code.contains("viewBox=\"0 0 37 37\"") && code.contains("d=\"M4 4h1v1h-1zM5 4"),
        "{code}"
    );
}
