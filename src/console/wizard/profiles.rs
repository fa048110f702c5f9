//! The profiles: all of them, how one is set up, and that one goes.

use actix_web::{HttpResponse, http::StatusCode};
use maud::{Markup, html};

use super::{
    asking::{session, setups},
    draft::Draft,
    drafts::Drafts,
    server,
    sheet::{address, texts},
    step::Step,
    summary,
    texts::Texts,
};
use crate::{
    api::{Origin, ProfileSetup, ProfileWish, Request},
    console::{
        form::{link, path},
        frame::{Face, Place},
        parts::{button, notice},
        said::english,
        schedule,
        visitor::{Answered, Visitor},
    },
    web::cut,
};

pub async fn list(drafts: Drafts, visitor: Visitor) -> Answered {
    let setups = setups(&visitor, None).await?;
    let begun = drafts.of(session(&visitor));
    let face = &visitor.face;
    let w = texts(face);
    let body = html! {
        @if let Some(done) = visitor.said_done() { (notice("good", html! { p { (done) } })) }
        p { (w.list_means) }
        @if setups.is_empty() { p { (w.none_yet) } }
        div.actions { (button(face, "/console/archive-mail", "main", w.new_profile, &[])) }
        @if !begun.is_empty() { (unfinished(face, &begun)) }
        @if !setups.is_empty() { (table(face, &setups)) }
    };
    Ok(visitor.page(Place::Profiles, w.archive_mail, body))
}

/// What somebody began and has not finished: the way back to it.
fn unfinished(face: &Face, begun: &[(String, Draft)]) -> Markup {
    let w = texts(face);
    html! {
        section.card aria-labelledby="begun" {
            h2 #begun { (w.begun) }
            ul {
                @for (number, draft) in begun {
                    li {
                        a href=(address(number, Step::Server)) { bdi { (draft.name()) } }
                        @for part in ["server.username", "server.host"].map(|key| draft.text(key)) {
                            @if !part.is_empty() { " · " bdi { (part) } }
                        }
                    }
                }
            }
        }
    }
}

fn text<'s>(setup: &'s ProfileSetup, pointer: &str) -> &'s str {
    setup
        .profile
        .pointer(pointer)
        .and_then(|value| value.as_str())
        .unwrap_or_default()
}

fn table(face: &Face, setups: &[ProfileSetup]) -> Markup {
    let w = texts(face);
    html! {
        div.scroll tabindex="0" role="group" aria-label=(w.profiles) {
            table {
                thead {
                    tr {
                        th scope="col" { (w.profile) } th scope="col" { (w.server) } th scope="col" { (w.schedule) }
                        th scope="col" { (w.kept_in) } th scope="col" { span.unseen { (w.what_can_be_done) } }
                    }
                }
                tbody {
                    @for setup in setups {
                        tr {
                            th scope="row" { a href=(path(&["profiles", &setup.name])) { bdi { (setup.name) } } }
                            td {
                                bdi { (text(setup, "/server/username")) } " · "
                                bdi { (text(setup, "/server/host")) } " · " (access(w, setup))
                            }
                            td { (schedule::shown(face, setup.profile["schedule"].as_str().unwrap_or("manual"))) }
                            td {
                                (kept_in(face, setup))
                                @if let Some(fault) = &setup.fault { p.fault { (english(face, fault)) } }
                            }
                            td { (changes(face, setup)) }
                        }
                    }
                }
            }
        }
    }
}

/// What the kind of access is called.
fn access<'s>(w: &'static Texts, setup: &'s ProfileSetup) -> &'s str {
    let word = text(setup, "/server/access");
    let known = server::accesses(w).into_iter().find(|(known, ..)| *known == word);
    known.map_or(word, |(_, called, _)| called)
}

fn kept_in(face: &Face, setup: &ProfileSetup) -> &'static str {
    let w = texts(face);
    match setup.origin {
        Origin::File => w.in_file,
        Origin::Catalog => w.in_catalog,
    }
}

/// What can be done with a profile.
fn changes(face: &Face, setup: &ProfileSetup) -> Markup {
    let w = texts(face);
    html! {
        div.actions {
            @if setup.in_force { (button(face, &path(&["profiles", &setup.name, "run"]), "", w.run_now, &[])) }
            @if setup.origin == Origin::Catalog {
                (button(face, "/console/archive-mail", "", w.change, &[("like", &setup.name)]))
                a href=(path(&["profiles", &setup.name, "remove"])) { (w.remove) }
            }
        }
    }
}

async fn one(visitor: &Visitor) -> Result<ProfileSetup, crate::web::Refused> {
    let name = visitor.visit.named("name").to_owned();
    setups(visitor, Some(name)).await?.into_iter().next().ok_or_else(cut)
}

pub async fn show(visitor: Visitor) -> Answered {
    let setup = one(&visitor).await?;
    let face = &visitor.face;
    let w = texts(face);
    let toml = setup.toml.as_ref().map_or("", |toml| toml.reveal());
    let body = html! {
        p { (kept_in(face, &setup)) }
        @if setup.origin == Origin::File { p.hint { (w.file_means) } }
        p { (w.schedule) ": " (schedule::with_raw(face, setup.profile["schedule"].as_str().unwrap_or("manual"))) }
        @if let Some(fault) = &setup.fault { (notice("bad", html! { p { (english(face, fault)) } })) }
        (changes(face, &setup))
        p { a href=(link("/console/runs", &[("profile", &setup.name)])) { (w.its_runs) } }
        (summary::table(face, &setup.profile))
        details.card {
            summary { (w.as_toml) }
            pre { (toml) }
        }
        p { a href="/console/archive-mail" { (w.to_profiles) } }
    };
    Ok(visitor.page(Place::Profiles, &format!("{} {}", w.profile, setup.name), body))
}

/// Whether it is to go.
pub async fn ask_to_remove(visitor: Visitor) -> Answered {
    let setup = one(&visitor).await?;
    let face = &visitor.face;
    let w = texts(face);
    if setup.origin == Origin::File {
        return Err(crate::web::Refused::new(StatusCode::CONFLICT).because(w.file_means));
    }
    let body = html! {
        (notice("warn", html! { p { (w.remove_means) } }))
        div.actions {
            (button(face, &path(&["profiles", &setup.name, "remove"]), "danger", w.remove_it, &[]))
            a href="/console/archive-mail" { (w.keep_it) }
        }
    };
    Ok(visitor.page(Place::Profiles, &format!("{}: {}", w.remove_it, setup.name), body))
}

pub async fn remove(visitor: Visitor) -> Result<HttpResponse, crate::web::Refused> {
    let name = visitor.visit.named("name").to_owned();
    let wish = ProfileWish::Remove;
    visitor.ask(Request::ChangeProfile { name, wish }).await?;
    Ok(visitor.done("/console/archive-mail", "removed"))
}
